/*
 * onsram functional execution: pooling
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "exec-internal.h"

/* One spatial dimension; missing outer ones have extent 1 */
struct axis {
    int64_t in, out, kernel, stride, dilation, pad, padded;
};

static void axes_init(struct axis a[ONSRAM_MAX_SPATIAL],
                      const struct onsram_attr *attr,
                      const struct onsram_view *x, const struct onsram_view *o)
{
    uint32_t spatial = x->rank - 2, skip = ONSRAM_MAX_SPATIAL - spatial, i;

    for (i = 0; i < skip; i++) {
        a[i] = (struct axis) { 1, 1, 1, 1, 1, 0, 1 };
    }
    for (i = 0; i < spatial; i++) {
        a[skip + i] = (struct axis) {
            .in = x->dims[2 + i],
            .out = o->dims[2 + i],
            .kernel = attr->kernel[i],
            .stride = attr->stride[i],
            .dilation = attr->dilation[i],
            .pad = attr->pad_begin[i],
            .padded = (int64_t)x->dims[2 + i] + attr->pad_begin[i] +
                      attr->pad_end[i],
        };
    }
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return a <= 0 ? 0 : (a + b - 1) / b;
}

/* Outputs [*from, *to) whose window's element @k lies in the input */
static void outputs_inside(const struct axis *a, int64_t k, int64_t *from,
                           int64_t *to)
{
    int64_t shift = a->pad - k * a->dilation;

    *from = ceil_div(shift, a->stride);
    *to = ceil_div(a->in + shift, a->stride);
    *to = *to < a->out ? *to : a->out;
}

/* Elements of output @i's window inside [lo, hi) of the padded input */
static int64_t window_count(const struct axis *a, int64_t i, int64_t lo,
                            int64_t hi)
{
    int64_t start = i * a->stride;
    int64_t first = ceil_div(lo - start, a->dilation);
    int64_t end = ceil_div(hi - start, a->dilation);

    end = end < a->kernel ? end : a->kernel;
    return end > first ? end - first : 0;
}

static int64_t divisor_of(const struct axis *a, int64_t i, bool with_padding)
{
    return with_padding ? window_count(a, i, 0, a->padded) :
                          window_count(a, i, a->pad, a->pad + a->in);
}

/* Elements kd, kh of the windows of output row (d, h): one input row */
static void accumulate_row(float *out, const float *in, const struct axis *w,
                           bool max)
{
    int64_t k, i, from, to;

    for (k = 0; k < w->kernel; k++) {
        const float *x;

        outputs_inside(w, k, &from, &to);
        if (from >= to) {
            continue;
        }
        x = in + (from * w->stride + k * w->dilation - w->pad);
        if (max && w->stride == 1) {
            for (i = 0; i < to - from; i++) {
                out[from + i] = x[i] > out[from + i] ? x[i] : out[from + i];
            }
        } else if (max) {
            for (i = from; i < to; i++, x += w->stride) {
                out[i] = *x > out[i] ? *x : out[i];
            }
        } else {
            for (i = from; i < to; i++, x += w->stride) {
                out[i] += *x;
            }
        }
    }
}

/* A window's rows that lie in the input: element indices [*from, *to) */
static void window_rows(const struct axis *a, int64_t i, int64_t *from,
                        int64_t *to)
{
    int64_t start = i * a->stride - a->pad;

    *from = ceil_div(-start, a->dilation);
    *to = ceil_div(a->in - start, a->dilation);
    *to = *to < a->kernel ? *to : a->kernel;
}

static void pool_row(float *out, const float *in,
                     const struct axis a[ONSRAM_MAX_SPATIAL], int64_t d,
                     int64_t h, uint32_t func, const int64_t *columns)
{
    int64_t kd, kh, d0, d1, h0, h1, rows, i;
    bool max = func == ONSRAM_POOL_MAX;

    for (i = 0; i < a[2].out; i++) {
        out[i] = max ? -INFINITY : 0;
    }
    window_rows(&a[0], d, &d0, &d1);
    window_rows(&a[1], h, &h0, &h1);
    for (kd = d0; kd < d1; kd++) {
        int64_t z = d * a[0].stride - a[0].pad + kd * a[0].dilation;

        for (kh = h0; kh < h1; kh++) {
            int64_t y = h * a[1].stride - a[1].pad + kh * a[1].dilation;

            accumulate_row(out, in + (z * a[1].in + y) * a[2].in, &a[2], max);
        }
    }
    if (max) {
        return;
    }
    rows = divisor_of(&a[0], d, func == ONSRAM_POOL_AVG_PAD) *
           divisor_of(&a[1], h, func == ONSRAM_POOL_AVG_PAD);
    for (i = 0; i < a[2].out; i++) {
        int64_t count = rows * columns[i];

        out[i] = count ? out[i] / count : 0;
    }
}

int exec_pool(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *x = &tensors[1].view;
    size_t planes = (size_t)x->dims[0] * x->dims[1], p;
    const float *in = exec_input(ctx, tensors, 1, ONSRAM_DTYPE_F32);
    float *dst = exec_output(ctx, tensors, ONSRAM_DTYPE_F32), *out = dst;
    struct axis a[ONSRAM_MAX_SPATIAL];
    int64_t *columns, d, h, i;

    axes_init(a, attr, x, &tensors[0].view);
    columns = exec_scratch(ctx, EXEC_SCRATCH_TMP,
                           a[2].out * sizeof(*columns));
    if (!in || !dst || !columns) {
        return -ENOMEM;
    }
    for (i = 0; i < a[2].out; i++) {
        columns[i] = divisor_of(&a[2], i, attr->func == ONSRAM_POOL_AVG_PAD);
    }
    for (p = 0; p < planes; p++) {
        for (d = 0; d < a[0].out; d++) {
            for (h = 0; h < a[1].out; h++) {
                pool_row(out, in, a, d, h, attr->func, columns);
                out += a[2].out;
            }
        }
        in += a[0].in * a[1].in * a[2].in;
    }
    exec_output_done(tensors, dst, ONSRAM_DTYPE_F32);
    return 0;
}
