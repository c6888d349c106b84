/*
 * onsram functional execution: reductions and softmax
 *
 * Sums are kept in double precision, in the order of the elements.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "exec-internal.h"

/* Where the output element of every input element is: stride 0 if reduced */
struct reduce_walk {
    uint32_t rank;
    size_t dims[ONSRAM_MAX_RANK];
    size_t strides[ONSRAM_MAX_RANK];
    size_t index[ONSRAM_MAX_RANK];
    size_t at;
};

static void reduce_walk_init(struct reduce_walk *w, const struct onsram_view *x,
                             uint32_t mask)
{
    uint32_t i = x->rank;
    size_t stride = 1;

    memset(w, 0, sizeof(*w));
    w->rank = x->rank ? x->rank : 1;
    w->dims[0] = 1;
    while (i--) {
        w->dims[i] = x->dims[i];
        w->strides[i] = mask >> i & 1 ? 0 : stride;
        stride *= mask >> i & 1 ? 1 : x->dims[i];
    }
}

static void reduce_walk_next(struct reduce_walk *w)
{
    uint32_t i = w->rank - 1;

    while (i--) {
        w->at += w->strides[i];
        if (++w->index[i] < w->dims[i]) {
            return;
        }
        w->at -= w->strides[i] * w->dims[i];
        w->index[i] = 0;
    }
}

#define COMBINE(expr)                                                       \
    exec_for(ctx, i, n) {                                                   \
        a = acc[i * stride];                                                \
        v = x[i];                                                           \
        acc[i * stride] = (expr);                                           \
    }                                                                       \
    break

/* One row of the input into its accumulators */
static void combine_f64(struct onsram_exec *ctx, double *acc, size_t stride,
                        const float *x, size_t n, uint32_t func)
{
    double a, v;

    switch (func) {
    case ONSRAM_REDUCE_SUM:
    case ONSRAM_REDUCE_MEAN:
        COMBINE(a + v);
    case ONSRAM_REDUCE_MAX:
        COMBINE(v > a ? v : a);
    case ONSRAM_REDUCE_MIN:
        COMBINE(v < a ? v : a);
    case ONSRAM_REDUCE_PROD:
        COMBINE(a * v);
    case ONSRAM_REDUCE_SUM_SQUARE:
        COMBINE(a + v * v);
    }
}

/* Wraps as integers do: the arithmetic is unsigned */
static void combine_i64(struct onsram_exec *ctx, int64_t *acc, size_t stride,
                        const int64_t *x, size_t n, uint32_t func)
{
    int64_t a, v;

    switch (func) {
    case ONSRAM_REDUCE_SUM:
    case ONSRAM_REDUCE_MEAN:
        COMBINE((int64_t)((uint64_t)a + (uint64_t)v));
    case ONSRAM_REDUCE_MAX:
        COMBINE(v > a ? v : a);
    case ONSRAM_REDUCE_MIN:
        COMBINE(v < a ? v : a);
    case ONSRAM_REDUCE_PROD:
        COMBINE((int64_t)((uint64_t)a * (uint64_t)v));
    case ONSRAM_REDUCE_SUM_SQUARE:
        COMBINE((int64_t)((uint64_t)a + (uint64_t)v * (uint64_t)v));
    }
}

static double start_f64(uint32_t func)
{
    switch (func) {
    case ONSRAM_REDUCE_MAX:
        return -INFINITY;
    case ONSRAM_REDUCE_MIN:
        return INFINITY;
    case ONSRAM_REDUCE_PROD:
        return 1;
    default:
        return 0;
    }
}

static int64_t start_i64(uint32_t func)
{
    switch (func) {
    case ONSRAM_REDUCE_MAX:
        return INT64_MIN;
    case ONSRAM_REDUCE_MIN:
        return INT64_MAX;
    case ONSRAM_REDUCE_PROD:
        return 1;
    default:
        return 0;
    }
}

int exec_reduce(struct onsram_exec *ctx, const struct onsram_attr *attr,
                const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *x = &tensors[1].view;
    bool integer = x->dtype == ONSRAM_DTYPE_I64 ||
                   x->dtype == ONSRAM_DTYPE_I32;
    uint32_t dtype = integer ? ONSRAM_DTYPE_I64 : ONSRAM_DTYPE_F32;
    size_t outs = exec_elements(&tensors[0].view), ins = exec_elements(x);
    size_t count = ins / outs, row, stride, done;
    const void *in = exec_input(ctx, tensors, 1, dtype);
    void *out = exec_output(ctx, tensors, dtype);
    void *acc = exec_scratch(ctx, EXEC_SCRATCH_TMP, (uint64_t)outs * 8);
    struct reduce_walk w;

    if (!in || !out || !acc) {
        return -ENOMEM;
    }
    exec_for(ctx, i, outs) {
        if (integer) {
            ((int64_t *)acc)[i] = start_i64(attr->func);
        } else {
            ((double *)acc)[i] = start_f64(attr->func);
        }
    }
    reduce_walk_init(&w, x, attr->axis);
    row = w.dims[w.rank - 1];
    stride = w.strides[w.rank - 1];
    for (done = 0; done < ins && !exec_cancelled(ctx); done += row) {
        if (integer) {
            combine_i64(ctx, (int64_t *)acc + w.at, stride,
                        (const int64_t *)in + done, row, attr->func);
        } else {
            combine_f64(ctx, (double *)acc + w.at, stride,
                        (const float *)in + done, row, attr->func);
        }
        reduce_walk_next(&w);
    }
    exec_for(ctx, i, outs) {
        bool mean = attr->func == ONSRAM_REDUCE_MEAN;

        if (integer) {
            ((int64_t *)out)[i] = ((int64_t *)acc)[i] /
                                  (mean ? (int64_t)count : 1);
        } else {
            ((float *)out)[i] = ((double *)acc)[i] / (mean ? count : 1);
        }
    }
    exec_output_done(ctx, tensors, out, dtype);
    return 0;
}

/* Softmax over @extent elements, for @inner neighbours at a time */
static void softmax_block(struct onsram_exec *ctx, float *out, const float *in,
                          size_t extent, size_t inner, float *max, double *sum,
                          bool logarithm)
{
    size_t k;

    exec_for(ctx, i, inner) {
        max[i] = in[i];
        sum[i] = 0;
    }
    for (k = 1; k < extent && !exec_cancelled(ctx); k++) {
        exec_for(ctx, i, inner) {
            max[i] = in[k * inner + i] > max[i] ? in[k * inner + i] : max[i];
        }
    }
    for (k = 0; k < extent && !exec_cancelled(ctx); k++) {
        exec_for(ctx, i, inner) {
            float x = in[k * inner + i] - max[i];
            float e = expf(x);

            sum[i] += e;
            out[k * inner + i] = logarithm ? x : e;
        }
    }
    exec_for(ctx, i, inner) {
        sum[i] = logarithm ? log(sum[i]) : 1 / sum[i];
    }
    for (k = 0; k < extent && !exec_cancelled(ctx); k++) {
        exec_for(ctx, i, inner) {
            float *o = &out[k * inner + i];

            *o = logarithm ? *o - sum[i] : *o * sum[i];
        }
    }
}

int exec_softmax(struct onsram_exec *ctx, const struct onsram_attr *attr,
                 const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *x = &tensors[1].view;
    size_t outer = exec_dims_product(x, 0, attr->axis);
    size_t extent = x->dims[attr->axis];
    size_t inner = exec_dims_product(x, attr->axis + 1, x->rank);
    const float *in = exec_input(ctx, tensors, 1, ONSRAM_DTYPE_F32);
    float *out = exec_output(ctx, tensors, ONSRAM_DTYPE_F32);
    float *max = exec_scratch(ctx, EXEC_SCRATCH_TMP, inner * sizeof(*max));
    double *sum = exec_scratch(ctx, EXEC_SCRATCH_TMP2, inner * sizeof(*sum));
    size_t k;

    if (!in || !out || !max || !sum) {
        return -ENOMEM;
    }
    for (k = 0; k < outer && !exec_cancelled(ctx); k++) {
        softmax_block(ctx, out + k * extent * inner, in + k * extent * inner,
                      extent, inner, max, sum, attr->func == 1);
    }
    exec_output_done(ctx, tensors, out, ONSRAM_DTYPE_F32);
    return 0;
}
