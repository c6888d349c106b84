/*
 * onsram functional execution: normalisation
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>

#include "exec-internal.h"

static int norm_batch(struct onsram_exec *ctx, const struct onsram_attr *attr,
                      const struct onsram_exec_tensor *tensors, float *out,
                      const float *in)
{
    const struct onsram_view *x = &tensors[1].view;
    size_t inner = exec_dims_product(x, 2, x->rank), n, c;
    float eps = exec_param(attr->param[0]);
    const float *param[ONSRAM_MAX_OPERANDS];
    int s;

    for (s = 2; s < ONSRAM_MAX_OPERANDS; s++) {
        param[s] = exec_input(ctx, tensors, s, ONSRAM_DTYPE_F32);
        if (!param[s]) {
            return -ENOMEM;
        }
    }
    for (n = 0; n < x->dims[0]; n++) {
        for (c = 0; c < x->dims[1] && !exec_cancelled(ctx); c++) {
            float scale = param[2][c] / sqrtf(param[5][c] + eps);
            float bias = param[3][c], mean = param[4][c];

            exec_for(ctx, i, inner) {
                out[i] = (in[i] - mean) * scale + bias;
            }
            in += inner;
            out += inner;
        }
    }
    return 0;
}

/* 0.75 is what networks use: square roots are several times as fast there */
static void scale_by_power(struct onsram_exec *ctx, float *out, const float *in,
                           const float *base, float beta, size_t n)
{
    if (beta == 0.75f) {
        exec_for(ctx, i, n) {
            float root = sqrtf(base[i]);

            out[i] = in[i] / (root * sqrtf(root));
        }
    } else {
        exec_for(ctx, i, n) {
            out[i] = in[i] / powf(base[i], beta);
        }
    }
}

static int norm_lrn(struct onsram_exec *ctx, const struct onsram_attr *attr,
                    const struct onsram_exec_tensor *tensors, float *out,
                    const float *in)
{
    const struct onsram_view *x = &tensors[1].view;
    size_t channels = x->dims[1], size = attr->kernel[0];
    size_t inner = exec_dims_product(x, 2, x->rank), n, c, k;
    float alpha = exec_param(attr->param[0]) / size;
    float beta = exec_param(attr->param[1]), bias = exec_param(attr->param[2]);
    float *sum = exec_scratch(ctx, EXEC_SCRATCH_TMP, inner * sizeof(*sum));

    if (!sum) {
        return -ENOMEM;
    }
    for (n = 0; n < x->dims[0]; n++, in += channels * inner) {
        for (c = 0; c < channels && !exec_cancelled(ctx); c++, out += inner) {
            size_t first = c > (size - 1) / 2 ? c - (size - 1) / 2 : 0;
            size_t last = c + size / 2;

            last = last < channels ? last : channels - 1;
            exec_for(ctx, i, inner) {
                sum[i] = 0;
            }
            for (k = first; k <= last && !exec_cancelled(ctx); k++) {
                const float *from = in + k * inner;

                exec_for(ctx, i, inner) {
                    sum[i] += from[i] * from[i];
                }
            }
            exec_for(ctx, i, inner) {
                sum[i] = bias + alpha * sum[i];
            }
            scale_by_power(ctx, out, in + c * inner, sum, beta, inner);
        }
    }
    return 0;
}

struct moments {
    float mean;
    float factor;               /* 1 / sqrt(variance + eps) */
};

static struct moments moments_of(struct onsram_exec *ctx, const float *x,
                                 size_t n, float eps)
{
    double sum = 0, squares = 0, mean;

    exec_for(ctx, i, n) {
        sum += x[i];
    }
    mean = sum / n;
    exec_for(ctx, i, n) {
        squares += (x[i] - mean) * (x[i] - mean);
    }
    return (struct moments) { mean, 1 / sqrt(squares / n + eps) };
}

static void norm_layer(struct onsram_exec *ctx, const struct onsram_attr *attr,
                       const struct onsram_view *x, const float *scale,
                       const float *bias, float *out, const float *in)
{
    size_t outer = exec_dims_product(x, 0, attr->axis);
    size_t inner = exec_dims_product(x, attr->axis, x->rank), k;

    for (k = 0; k < outer && !exec_cancelled(ctx); k++) {
        struct moments m = moments_of(ctx, in, inner,
                                      exec_param(attr->param[0]));

        exec_for(ctx, i, inner) {
            out[i] = (in[i] - m.mean) * m.factor * scale[i] +
                     (bias ? bias[i] : 0);
        }
        in += inner;
        out += inner;
    }
}

static void norm_group(struct onsram_exec *ctx, const struct onsram_attr *attr,
                       const struct onsram_view *x, const float *scale,
                       const float *bias, float *out, const float *in)
{
    size_t channels = x->dims[1] / attr->groups;
    size_t inner = exec_dims_product(x, 2, x->rank), k, c;

    for (k = 0; k < (size_t)x->dims[0] * attr->groups && !exec_cancelled(ctx);
         k++) {
        struct moments m = moments_of(ctx, in, channels * inner,
                                      exec_param(attr->param[0]));

        for (c = 0; c < channels && !exec_cancelled(ctx); c++) {
            size_t channel = k % attr->groups * channels + c;
            float s = m.factor * scale[channel];
            float b = bias ? bias[channel] : 0;

            exec_for(ctx, i, inner) {
                out[i] = (in[i] - m.mean) * s + b;
            }
            in += inner;
            out += inner;
        }
    }
}

int exec_norm(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *x = &tensors[1].view;
    const float *in = exec_input(ctx, tensors, 1, ONSRAM_DTYPE_F32);
    float *out = exec_output(ctx, tensors, ONSRAM_DTYPE_F32);
    const float *scale = NULL, *bias = NULL;
    int ret = 0;

    if (!in || !out) {
        return -ENOMEM;
    }
    if (attr->func == ONSRAM_NORM_LAYER || attr->func == ONSRAM_NORM_GROUP) {
        scale = exec_input(ctx, tensors, 2, ONSRAM_DTYPE_F32);
        if (exec_present(&tensors[3])) {
            bias = exec_input(ctx, tensors, 3, ONSRAM_DTYPE_F32);
        }
        if (!scale || (exec_present(&tensors[3]) && !bias)) {
            return -ENOMEM;
        }
    }
    switch (attr->func) {
    case ONSRAM_NORM_BATCH:
        ret = norm_batch(ctx, attr, tensors, out, in);
        break;
    case ONSRAM_NORM_LRN:
        ret = norm_lrn(ctx, attr, tensors, out, in);
        break;
    case ONSRAM_NORM_LAYER:
        norm_layer(ctx, attr, x, scale, bias, out, in);
        break;
    case ONSRAM_NORM_GROUP:
        norm_group(ctx, attr, x, scale, bias, out, in);
        break;
    }
    if (!ret) {
        exec_output_done(ctx, tensors, out, ONSRAM_DTYPE_F32);
    }
    return ret;
}
