/*
 * onsram functional execution: pooling
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "exec-internal.h"

/* Elements of output @i's window that the divisor of an average counts */
static int64_t divisor_of(const struct exec_axis *a, int64_t i, bool padding)
{
    int64_t from, to;

    if (padding) {
        exec_axis_elements(a, i, 0, a->padded, &from, &to);
    } else {
        exec_axis_elements(a, i, a->pad, a->pad + a->in, &from, &to);
    }
    return to > from ? to - from : 0;
}

/* Elements kd, kh of the windows of output row (d, h): one input row */
static void accumulate_row(struct onsram_exec *ctx, float *out, const float *in,
                           const struct exec_axis *w, bool max)
{
    int64_t k, from, to, stride = w->stride;

    for (k = 0; k < w->kernel && !exec_cancelled(ctx); k++) {
        const float *x;
        float *o;

        exec_axis_outputs(w, k, &from, &to);
        if (from >= to) {
            continue;
        }
        x = in + (from * stride + k * w->dilation - w->pad);
        o = out + from;
        if (max && stride == 1) {
            exec_for(ctx, i, to - from) {
                o[i] = x[i] > o[i] ? x[i] : o[i];
            }
        } else if (max) {
            exec_for(ctx, i, to - from) {
                o[i] = x[i * stride] > o[i] ? x[i * stride] : o[i];
            }
        } else {
            exec_for(ctx, i, to - from) {
                o[i] += x[i * stride];
            }
        }
    }
}

static void pool_row(struct onsram_exec *ctx, float *out, const float *in,
                     const struct exec_axis a[ONSRAM_MAX_SPATIAL], int64_t d,
                     int64_t h, uint32_t func, const int64_t *columns)
{
    int64_t kd, kh, d0, d1, h0, h1, rows;
    bool max = func == ONSRAM_POOL_MAX;

    exec_for(ctx, i, a[2].out) {
        out[i] = max ? -INFINITY : 0;
    }
    exec_axis_elements(&a[0], d, a[0].pad, a[0].pad + a[0].in, &d0, &d1);
    exec_axis_elements(&a[1], h, a[1].pad, a[1].pad + a[1].in, &h0, &h1);
    for (kd = d0; kd < d1; kd++) {
        int64_t z = d * a[0].stride - a[0].pad + kd * a[0].dilation;

        for (kh = h0; kh < h1 && !exec_cancelled(ctx); kh++) {
            int64_t y = h * a[1].stride - a[1].pad + kh * a[1].dilation;

            accumulate_row(ctx, out, in + (z * a[1].in + y) * a[2].in, &a[2],
                           max);
        }
    }
    if (max) {
        return;
    }
    rows = divisor_of(&a[0], d, func == ONSRAM_POOL_AVG_PAD) *
           divisor_of(&a[1], h, func == ONSRAM_POOL_AVG_PAD);
    exec_for(ctx, i, a[2].out) {
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
    struct exec_axis a[ONSRAM_MAX_SPATIAL];
    uint32_t kernel[ONSRAM_MAX_SPATIAL];
    int64_t *columns, d, h;
    int s;

    for (s = 0; s < ONSRAM_MAX_SPATIAL; s++) {
        kernel[s] = attr->kernel[s];
    }
    exec_axes_init(a, attr, x, &tensors[0].view, kernel);
    columns = exec_scratch(ctx, EXEC_SCRATCH_TMP,
                           a[2].out * sizeof(*columns));
    if (!in || !dst || !columns) {
        return -ENOMEM;
    }
    exec_for(ctx, i, a[2].out) {
        columns[i] = divisor_of(&a[2], i, attr->func == ONSRAM_POOL_AVG_PAD);
    }
    for (p = 0; p < planes && !exec_cancelled(ctx); p++) {
        for (d = 0; d < a[0].out; d++) {
            for (h = 0; h < a[1].out && !exec_cancelled(ctx); h++) {
                pool_row(ctx, out, in, a, d, h, attr->func, columns);
                out += a[2].out;
            }
        }
        in += a[0].in * a[1].in * a[2].in;
    }
    exec_output_done(ctx, tensors, dst, ONSRAM_DTYPE_F32);
    return 0;
}
