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
I64_FN3(MUL_ADD, (int64_t)(U(a) * U(b) + U(c)))
I64_FN3(WHERE, a ? b : c)

static exec_map_fn * const f32_fn[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops) [value] = f32_##name,
    ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

/* onsram_exec_check() lets no other function have integer operands */
static exec_map_fn * const i64_fn[ONSRAM_EW_COUNT] = {
    [ONSRAM_EW_IDENTITY] = i64_IDENTITY,
    [ONSRAM_EW_RELU] = i64_RELU,
    [ONSRAM_EW_NEG] = i64_NEG,
    [ONSRAM_EW_ABS] = i64_ABS,
    [ONSRAM_EW_ADD] = i64_ADD,
    [ONSRAM_EW_SUB] = i64_SUB,
    [ONSRAM_EW_MUL] = i64_MUL,
    [ONSRAM_EW_DIV] = i64_DIV,
    [ONSRAM_EW_MAX] = i64_MAX,
    [ONSRAM_EW_MIN] = i64_MIN,
    [ONSRAM_EW_EQUAL] = i64_EQUAL,
    [ONSRAM_EW_LESS] = i64_LESS,
    [ONSRAM_EW_GREATER] = i64_GREATER,
    [ONSRAM_EW_MUL_ADD] = i64_MUL_ADD,
    [ONSRAM_EW_WHERE] = i64_WHERE,
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
