/*
 * onsram functional execution: walking strided views, converting elements
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>
#include <string.h>

#include "exec-internal.h"

/* Elements converted at a time; the buffers live on the stack */
#define CHUNK 512

#define WALK_TENSORS (1 + EXEC_MAP_INPUTS)

size_t exec_dims_product(const struct onsram_view *v, uint32_t from,
                         uint32_t to)
{
    size_t n = 1;

    for (; from < to; from++) {
        n *= v->dims[from];
    }
    return n;
}

size_t exec_elements(const struct onsram_view *v)
{
    return exec_dims_product(v, 0, v->rank);
}

struct onsram_view exec_dense_view(const struct onsram_view *like,
                                   uint32_t dtype)
{
    struct onsram_view v = *like;
    uint32_t i = v.rank;
    int32_t stride = 1;

    v.dtype = dtype;
    while (i--) {
        v.strides[i] = stride;
        stride *= v.dims[i];
    }
    return v;
}

bool exec_is_dense(const struct onsram_view *v)
{
    int64_t stride = 1;
    uint32_t i = v->rank;

    while (i--) {
        if (v->dims[i] != 1 && v->strides[i] != stride) {
            return false;
        }
        stride *= v->dims[i];
    }
    return true;
}

/* Half precision <-> single, round to nearest even; without branches */
static float f32_from_f16(uint16_t h)
{
    union {
        uint32_t u;
        float f;
    } v = { .u = (uint32_t)(h & 0x7fff) << 13 };

    /* Moves the exponent's bias and makes denormals normal numbers at once */
    v.f *= 0x1p112f;
    v.u |= (h & 0x7c00) == 0x7c00 ? 0x7f800000u : 0;
    v.u |= (uint32_t)(h & 0x8000) << 16;
    return v.f;
}

static uint16_t f16_from_f32(float f)
{
    union {
        float f;
        uint32_t u;
    } v = { .f = f }, bias, sum;
    uint32_t exponent, sign = v.u >> 16 & 0x8000;
    bool nan = (v.u & 0x7fffffff) > 0x7f800000;

    /*
     * 4 * |f| (infinity where half precision ends) plus a power of two whose
     * last place is the half-precision last place of that: the addition
     * rounds.  Below the normal range that place is fixed.
     */
    v.u &= 0x7fffffff;
    exponent = v.u & 0x7f800000;
    if (exponent < 0x38800000) {
        exponent = 0x38800000;
    }
    bias.u = exponent + 0x07800000;
    v.f = v.f * 0x1p112f * 0x1p-110f;
    sum.f = v.f + bias.f;
    sum.u = (sum.u >> 13 & 0x7c00) + (sum.u & 0x0fff);
    return sign | (nan ? 0x7e00 : sum.u);
}

static int64_t i64_from_f32(float f)
{
    if (isnan(f)) {
        return 0;
    }
    if (f >= 0x1p63f) {
        return INT64_MAX;
    }
    return f <= -0x1p63f ? INT64_MIN : (int64_t)f;
}

static int32_t i32_from_f32(float f)
{
    if (isnan(f)) {
        return 0;
    }
    if (f >= 0x1p31f) {
        return INT32_MAX;
    }
    return f <= -0x1p31f ? INT32_MIN : (int32_t)f;
}

static bool is_float(uint32_t dtype)
{
    return dtype == ONSRAM_DTYPE_F32 || dtype == ONSRAM_DTYPE_F16;
}

#define LOAD(type, to, convert)                                     \
    do {                                                            \
        const type *from = src;                                     \
        to *into = dst;                                             \
        size_t i;                                                   \
                                                                    \
        if (stride == 1) {                                          \
            for (i = 0; i < n; i++) {                               \
                into[i] = convert(from[i]);                         \
            }                                                       \
        } else {                                                    \
            for (i = 0; i < n; i++) {                               \
                into[i] = convert(from[(ptrdiff_t)i * stride]);     \
            }                                                       \
        }                                                           \
    } while (0)

#define STORE(type, from_type, convert)                             \
    do {                                                            \
        const from_type *from = src;                                \
        type *into = dst;                                           \
        size_t i;                                                   \
                                                                    \
        if (stride == 1) {                                          \
            for (i = 0; i < n; i++) {                               \
                into[i] = convert(from[i]);                         \
            }                                                       \
        } else {                                                    \
            for (i = 0; i < n; i++) {                               \
                into[(ptrdiff_t)i * stride] = convert(from[i]);     \
            }                                                       \
        }                                                           \
    } while (0)

#define NOT_ZERO(x) ((x) != 0)

/* @n elements of any dtype as float, or as int64_t */
static void load(void *dst, const void *src, uint32_t dtype, ptrdiff_t stride,
                 size_t n, bool integer)
{
    switch (dtype * 2 + integer) {
    case ONSRAM_DTYPE_F32 * 2:
        LOAD(float, float, );
        break;
    case ONSRAM_DTYPE_F16 * 2:
        LOAD(uint16_t, float, f32_from_f16);
        break;
    case ONSRAM_DTYPE_I64 * 2:
        LOAD(int64_t, float, );
        break;
    case ONSRAM_DTYPE_I32 * 2:
        LOAD(int32_t, float, );
        break;
    case ONSRAM_DTYPE_BOOL * 2:
        LOAD(uint8_t, float, NOT_ZERO);
        break;
    case ONSRAM_DTYPE_I64 * 2 + 1:
        LOAD(int64_t, int64_t, );
        break;
    case ONSRAM_DTYPE_I32 * 2 + 1:
        LOAD(int32_t, int64_t, );
        break;
    case ONSRAM_DTYPE_BOOL * 2 + 1:
        LOAD(uint8_t, int64_t, NOT_ZERO);
        break;
    }
}

static void store(void *dst, const void *src, uint32_t dtype, ptrdiff_t stride,
                  size_t n, bool integer)
{
    switch (dtype * 2 + integer) {
    case ONSRAM_DTYPE_F32 * 2:
        STORE(float, float, );
        break;
    case ONSRAM_DTYPE_F16 * 2:
        STORE(uint16_t, float, f16_from_f32);
        break;
    case ONSRAM_DTYPE_I64 * 2:
        STORE(int64_t, float, i64_from_f32);
        break;
    case ONSRAM_DTYPE_I32 * 2:
        STORE(int32_t, float, i32_from_f32);
        break;
    case ONSRAM_DTYPE_BOOL * 2:
        STORE(uint8_t, float, NOT_ZERO);
        break;
    case ONSRAM_DTYPE_F32 * 2 + 1:
        STORE(float, int64_t, );
        break;
    case ONSRAM_DTYPE_F16 * 2 + 1:
        STORE(uint16_t, int64_t, f16_from_f32);
        break;
    case ONSRAM_DTYPE_I64 * 2 + 1:
        STORE(int64_t, int64_t, );
        break;
    case ONSRAM_DTYPE_I32 * 2 + 1:
        STORE(int32_t, int64_t, );
        break;
    case ONSRAM_DTYPE_BOOL * 2 + 1:
        STORE(uint8_t, int64_t, NOT_ZERO);
        break;
    }
}

/* Elements on their way between two types, or to a function and back */
union chunk {
    float f32[CHUNK];
    int64_t i64[CHUNK];
};

/* Several tensors of equal dims, their rows visited together */
struct walk {
    uint32_t tensors, rank;
    size_t dims[ONSRAM_MAX_RANK];
    ptrdiff_t strides[WALK_TENSORS][ONSRAM_MAX_RANK]; /* elements */
    uint32_t size[WALK_TENSORS];
    char *data[WALK_TENSORS];
    size_t index[ONSRAM_MAX_RANK];
};

/* Drops dimensions of extent 1 and joins those that lie end to end in all */
static void walk_init(struct walk *w,
                      const struct onsram_exec_tensor *const *tensor,
                      uint32_t tensors)
{
    const struct onsram_view *v = &tensor[0]->view;
    uint32_t i, t;

    memset(w, 0, sizeof(*w));
    w->tensors = tensors;
    for (t = 0; t < tensors; t++) {
        w->data[t] = tensor[t]->data;
        w->size[t] = exec_dtype_size(tensor[t]->view.dtype);
    }
    for (i = 0; i < v->rank; i++) {
        bool join = w->rank > 0;

        if (v->dims[i] == 1) {
            continue;
        }
        for (t = 0; join && t < tensors; t++) {
            join = w->strides[t][w->rank - 1] ==
                   (ptrdiff_t)tensor[t]->view.strides[i] * v->dims[i];
        }
        if (!join) {
            w->dims[w->rank++] = 1;
        }
        w->dims[w->rank - 1] *= v->dims[i];
        for (t = 0; t < tensors; t++) {
            w->strides[t][w->rank - 1] = tensor[t]->view.strides[i];
        }
    }
    if (!w->rank) {
        w->dims[w->rank++] = 1;
    }
}

/* On to the next row; false behind the last one */
static bool walk_next(struct walk *w)
{
    uint32_t i = w->rank - 1, t;

    while (i--) {
        ptrdiff_t steps = 1;

        if (++w->index[i] == w->dims[i]) {
            w->index[i] = 0;
            steps = -(ptrdiff_t)(w->dims[i] - 1);
        }
        for (t = 0; t < w->tensors; t++) {
            w->data[t] += steps * w->strides[t][i] * w->size[t];
        }
        if (steps > 0) {
            return true;
        }
    }
    return false;
}

/* The elements may be of any type of the same size */
typedef uint16_t __attribute__((may_alias)) any16;
typedef uint32_t __attribute__((may_alias)) any32;
typedef uint64_t __attribute__((may_alias)) any64;

static void copy_row(char *dst, ptrdiff_t dst_stride, const char *src,
                     ptrdiff_t src_stride, uint32_t size, size_t n)
{
    size_t k;

    if (dst_stride == 1 && src_stride == 1) {
        memmove(dst, src, n * size);
        return;
    }
#define COPY_ROW(type)                                                      \
    if (dst_stride == 1 && !src_stride) {                                   \
        for (k = 0; k < n; k++) {                                           \
            ((type *)dst)[k] = *(const type *)src;                          \
        }                                                                   \
    } else {                                                                \
        for (k = 0; k < n; k++) {                                           \
            ((type *)dst)[(ptrdiff_t)k * dst_stride] =                      \
                ((const type *)src)[(ptrdiff_t)k * src_stride];             \
        }                                                                   \
    }
    switch (size) {
    case 1:
        COPY_ROW(uint8_t);
        break;
    case 2:
        COPY_ROW(any16);
        break;
    case 4:
        COPY_ROW(any32);
        break;
    case 8:
        COPY_ROW(any64);
        break;
    }
#undef COPY_ROW
}

void exec_copy(struct onsram_exec *ctx, const struct onsram_exec_tensor *dst,
               const struct onsram_exec_tensor *src)
{
    const struct onsram_exec_tensor *const tensor[] = { dst, src };
    uint32_t to = dst->view.dtype, from = src->view.dtype;
    size_t stretch = to == from ? EXEC_STRETCH : CHUNK;
    bool integer = !is_float(from);
    struct walk w;
    size_t i, n, row;

    walk_init(&w, tensor, 2);
    row = w.dims[w.rank - 1];
    do {
        ptrdiff_t dst_stride = w.strides[0][w.rank - 1];
        ptrdiff_t src_stride = w.strides[1][w.rank - 1];

        for (i = 0; i < row; i += n) {
            char *dst_at = w.data[0] + (ptrdiff_t)i * dst_stride * w.size[0];
            char *src_at = w.data[1] + (ptrdiff_t)i * src_stride * w.size[1];
            union chunk buffer;

            n = row - i < stretch ? row - i : stretch;
            if (exec_cancelled(ctx)) {
                return;
            }
            if (to == from) {
                copy_row(dst_at, dst_stride, src_at, src_stride, w.size[0], n);
                continue;
            }
            load(&buffer, src_at, from, src_stride, n, integer);
            store(dst_at, &buffer, to, dst_stride, n, integer);
        }
    } while (walk_next(&w));
}

void exec_map(struct onsram_exec *ctx, const struct onsram_exec_tensor *out,
              const struct onsram_exec_tensor *const in[EXEC_MAP_INPUTS],
              bool integer, exec_map_fn *fn, const float *param)
{
    const struct onsram_exec_tensor *tensor[WALK_TENSORS] = { out };
    uint32_t native = integer ? ONSRAM_DTYPE_I64 : ONSRAM_DTYPE_F32;
    int slot[WALK_TENSORS] = { 0 };
    union chunk buffer[WALK_TENSORS];
    uint32_t tensors = 1, t;
    struct walk w;
    size_t i, n, row;

    for (t = 0; t < EXEC_MAP_INPUTS; t++) {
        if (in[t]) {
            slot[tensors] = t;
            tensor[tensors++] = in[t];
        }
    }
    walk_init(&w, tensor, tensors);
    row = w.dims[w.rank - 1];
    do {
        for (i = 0; i < row; i += n) {
            const void *from[EXEC_MAP_INPUTS] = { NULL };
            char *at[WALK_TENSORS];

            n = row - i < CHUNK ? row - i : CHUNK;
            if (exec_cancelled(ctx)) {
                return;
            }
            for (t = 0; t < tensors; t++) {
                ptrdiff_t stride = w.strides[t][w.rank - 1];
                uint32_t dtype = tensor[t]->view.dtype;
                bool direct = dtype == native && (stride == 1 || n == 1);

                at[t] = w.data[t] + (ptrdiff_t)i * stride * w.size[t];
                if (t && !direct) {
                    load(&buffer[t], at[t], dtype, stride, n, integer);
                }
                if (t) {
                    from[slot[t]] = direct ? (void *)at[t] : &buffer[t];
                } else {
                    at[0] = direct ? at[0] : NULL;
                }
            }
            fn(at[0] ? at[0] : (void *)&buffer[0], from, n, param);
            if (!at[0]) {
                ptrdiff_t stride = w.strides[0][w.rank - 1];

                store(w.data[0] + (ptrdiff_t)i * stride * w.size[0], &buffer[0],
                      out->view.dtype, stride, n, integer);
            }
        }
    } while (walk_next(&w));
}

const void *exec_input(struct onsram_exec *ctx,
                       const struct onsram_exec_tensor *tensors, int s,
                       uint32_t dtype)
{
    const struct onsram_exec_tensor *t = &tensors[s];
    struct onsram_exec_tensor dense;

    if (t->view.dtype == dtype && exec_is_dense(&t->view)) {
        return t->data;
    }
    dense.view = exec_dense_view(&t->view, dtype);
    dense.data = exec_scratch(ctx, s, (uint64_t)exec_elements(&t->view) *
                                      exec_dtype_size(dtype));
    if (dense.data) {
        exec_copy(ctx, &dense, t);
    }
    return dense.data;
}

void *exec_output(struct onsram_exec *ctx,
                  const struct onsram_exec_tensor *tensors, uint32_t dtype)
{
    const struct onsram_view *v = &tensors[0].view;

    if (v->dtype == dtype && exec_is_dense(v)) {
        return tensors[0].data;
    }
    return exec_scratch(ctx, 0, (uint64_t)exec_elements(v) *
                                exec_dtype_size(dtype));
}

void exec_output_done(struct onsram_exec *ctx,
                      const struct onsram_exec_tensor *tensors, void *data,
                      uint32_t dtype)
{
    struct onsram_exec_tensor dense = {
        .view = exec_dense_view(&tensors[0].view, dtype),
        .data = data,
    };

    if (data != tensors[0].data) {
        exec_copy(ctx, &tensors[0], &dense);
    }
}
