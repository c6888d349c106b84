/*
 * onsram functional execution: element by element
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>

#include "exec-internal.h"

/* A loop over elements; @expr sees the inputs a, b, c that @inputs declares */
#define EW_FN(type, prefix, name, inputs, expr)                             \
static void prefix##_##name(void *out,                                      \
                            const void *const in[EXEC_MAP_INPUTS],          \
                            size_t n, const float *param)                   \
{                                                                           \
    const type *const *from = (const type *const *)in;                      \
    type *o = out;                                                          \
    size_t i;                                                               \
                                                                            \
    (void)param;                                                            \
    for (i = 0; i < n; i++) {                                               \
        inputs;                                                             \
        o[i] = (expr);                                                      \
    }                                                                       \
}

#define F32_FN1(name, expr) EW_FN(float, f32, name, float a = from[0][i], expr)
#define F32_FN2(name, expr)                                                 \
    EW_FN(float, f32, name, float a = from[0][i]; float b = from[1][i], expr)
#define F32_FN3(name, expr)                                                 \
    EW_FN(float, f32, name, float a = from[0][i]; float b = from[1][i];     \
          float c = from[2][i], expr)

static inline float clip(float x, float lo, float hi)
{
    x = x > lo ? x : lo;
    return x < hi ? x : hi;
}

/* What is left of a division, with the divisor's sign */
static inline float modulus(float a, float b)
{
    float r = fmodf(a, b);

    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

F32_FN1(IDENTITY, a)
F32_FN1(RELU, a > 0 ? a : 0)
F32_FN1(CLIP, clip(a, param[0], param[1]))
F32_FN1(LEAKY_RELU, a < 0 ? param[0] * a : a)
F32_FN1(SIGMOID, 1 / (1 + expf(-a)))
F32_FN1(TANH, tanhf(a))
F32_FN1(EXP, expf(a))
F32_FN1(LOG, logf(a))
F32_FN1(SQRT, sqrtf(a))
F32_FN1(NEG, -a)
F32_FN1(ABS, fabsf(a))
F32_FN1(ERF, erff(a))
F32_FN1(HARD_SIGMOID, clip(param[0] * a + param[1], 0, 1))
F32_FN1(AFFINE, param[0] * a + param[1])
F32_FN1(RECIPROCAL, 1 / a)
F32_FN2(ADD, a + b)
F32_FN2(SUB, a - b)
F32_FN2(MUL, a * b)
F32_FN2(DIV, a / b)
F32_FN2(MAX, a > b ? a : b)
F32_FN2(MIN, a < b ? a : b)
F32_FN2(POW, powf(a, b))
F32_FN2(EQUAL, a == b)
F32_FN2(LESS, a < b)
F32_FN2(GREATER, a > b)
F32_FN1(FLOOR, floorf(a))
F32_FN1(CEIL, ceilf(a))
F32_FN1(ROUND, rintf(a))
F32_FN1(SIGN, a > 0 ? 1 : a < 0 ? -1 : a)
F32_FN1(SIN, sinf(a))
F32_FN1(COS, cosf(a))
F32_FN1(TAN, tanf(a))
F32_FN1(ASIN, asinf(a))
F32_FN1(ACOS, acosf(a))
F32_FN1(ATAN, atanf(a))
F32_FN1(SINH, sinhf(a))
F32_FN1(COSH, coshf(a))
F32_FN1(ASINH, asinhf(a))
F32_FN1(ACOSH, acoshf(a))
F32_FN1(ATANH, atanhf(a))
F32_FN2(MOD, modulus(a, b))
F32_FN2(REM, fmodf(a, b))
F32_FN3(MUL_ADD, a * b + c)
F32_FN3(WHERE, a != 0 ? b : c)

/* Integers wrap: the arithmetic is unsigned */
#define U(x) ((uint64_t)(x))
#define I64_FN1(name, expr)                                                 \
    EW_FN(int64_t, i64, name, int64_t a = from[0][i], expr)
#define I64_FN2(name, expr)                                                 \
    EW_FN(int64_t, i64, name, int64_t a = from[0][i];                       \
          int64_t b = from[1][i], expr)
#define I64_FN3(name, expr)                                                 \
    EW_FN(int64_t, i64, name, int64_t a = from[0][i];                       \
          int64_t b = from[1][i]; int64_t c = from[2][i], expr)

static inline int64_t divide(int64_t a, int64_t b)
{
    if (b == -1) {
        return (int64_t)-U(a);
    }
    return b ? a / b : 0;
}

static inline int64_t remainder_of(int64_t a, int64_t b)
{
    return b == -1 || !b ? 0 : a % b;
}

static inline int64_t modulus_of(int64_t a, int64_t b)
{
    int64_t r = remainder_of(a, b);

    return r && (r < 0) != (b < 0) ? r + b : r;
}

I64_FN1(IDENTITY, a)
I64_FN1(RELU, a > 0 ? a : 0)
I64_FN1(NEG, (int64_t)-U(a))
I64_FN1(ABS, a < 0 ? (int64_t)-U(a) : a)
I64_FN2(ADD, (int64_t)(U(a) + U(b)))
I64_FN2(SUB, (int64_t)(U(a) - U(b)))
I64_FN2(MUL, (int64_t)(U(a) * U(b)))
I64_FN2(DIV, divide(a, b))
I64_FN2(MAX, a > b ? a : b)
I64_FN2(MIN, a < b ? a : b)
I64_FN2(EQUAL, a == b)
I64_FN2(LESS, a < b)
I64_FN2(GREATER, a > b)
I64_FN1(SIGN, (a > 0) - (a < 0))
I64_FN2(MOD, modulus_of(a, b))
I64_FN2(REM, remainder_of(a, b))
I64_FN2(BIT_AND, a & b)
I64_FN2(BIT_OR, a | b)
I64_FN2(BIT_XOR, a ^ b)
I64_FN3(MUL_ADD, (int64_t)(U(a) * U(b) + U(c)))
I64_FN3(WHERE, a ? b : c)

/* Which of the two a function has, by what it takes */
#define F32_F(name)   f32_##name
#define F32_FI(name)  f32_##name
#define F32_FIB(name) f32_##name
#define F32_IB(name)  NULL
#define F32_CMP(name) f32_##name
#define F32_SEL(name) f32_##name
#define I64_F(name)   NULL
#define I64_FI(name)  i64_##name
#define I64_FIB(name) i64_##name
#define I64_IB(name)  i64_##name
#define I64_CMP(name) i64_##name
#define I64_SEL(name) i64_##name

static exec_map_fn * const f32_fn[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params)                 \
    [value] = F32_##takes(name),
    ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

static exec_map_fn * const i64_fn[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params)                 \
    [value] = I64_##takes(name),
    ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

void exec_elementwise(struct onsram_exec *ctx, const struct onsram_attr *attr,
                      const struct onsram_exec_tensor *tensors)
{
    const struct onsram_exec_tensor *in[EXEC_MAP_INPUTS] = { NULL };
    float param[2] = { exec_param(attr->param[0]), exec_param(attr->param[1]) };
    uint32_t dtype = tensors[1].view.dtype;
    bool integer;
    int s;

    for (s = 0; s < EXEC_MAP_INPUTS; s++) {
        if (exec_present(&tensors[s + 1])) {
            in[s] = &tensors[s + 1];
        }
    }
    if (attr->func == ONSRAM_EW_WHERE) {
        dtype = tensors[2].view.dtype;
    }
    integer = dtype != ONSRAM_DTYPE_F32 && dtype != ONSRAM_DTYPE_F16;
    exec_map(ctx, &tensors[0], in, integer,
             integer ? i64_fn[attr->func] : f32_fn[attr->func], param);
}

static inline float epilogue_sum(const void *const in[EXEC_MAP_INPUTS],
                                 size_t i, float beta)
{
    const float *acc = in[0], *bias = in[1], *residual = in[2];
    float x = acc[i];

    if (bias) {
        x += beta * bias[i];
    }
    return residual ? x + residual[i] : x;
}

/* param: beta and the activation's two parameters */
#define EPILOGUE_FN(name, expr)                                             \
static void epilogue_##name(void *out,                                      \
                            const void *const in[EXEC_MAP_INPUTS],          \
                            size_t n, const float *param)                   \
{                                                                           \
    float *o = out;                                                         \
    size_t i;                                                               \
                                                                            \
    for (i = 0; i < n; i++) {                                               \
        float a = epilogue_sum(in, i, param[0]);                            \
                                                                            \
        o[i] = (expr);                                                      \
    }                                                                       \
}

EPILOGUE_FN(NONE, a)
EPILOGUE_FN(RELU, a > 0 ? a : 0)
EPILOGUE_FN(CLIP, clip(a, param[1], param[2]))
EPILOGUE_FN(LEAKY_RELU, a < 0 ? param[1] * a : a)
EPILOGUE_FN(SIGMOID, 1 / (1 + expf(-a)))
EPILOGUE_FN(TANH, tanhf(a))

static exec_map_fn * const epilogue_fn[ONSRAM_ACT_COUNT] = {
    [ONSRAM_ACT_NONE] = epilogue_NONE,
    [ONSRAM_ACT_RELU] = epilogue_RELU,
    [ONSRAM_ACT_CLIP] = epilogue_CLIP,
    [ONSRAM_ACT_LEAKY_RELU] = epilogue_LEAKY_RELU,
    [ONSRAM_ACT_SIGMOID] = epilogue_SIGMOID,
    [ONSRAM_ACT_TANH] = epilogue_TANH,
};

void exec_epilogue(struct onsram_exec *ctx,
                   const struct onsram_exec_tensor *out,
                   const struct onsram_exec_tensor *acc,
                   const struct onsram_exec_tensor *bias, float beta,
                   const struct onsram_exec_tensor *residual,
                   const struct onsram_attr *attr)
{
    const struct onsram_exec_tensor *const in[] = { acc, bias, residual };
    const float param[] = {
        beta, exec_param(attr->act_param[0]), exec_param(attr->act_param[1]),
    };

    exec_map(ctx, out, in, false, epilogue_fn[attr->act], param);
}
