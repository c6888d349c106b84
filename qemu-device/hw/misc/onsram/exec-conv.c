/*
 * onsram functional execution: CONV
 *
 * As products of matrices: the weights [O x depth] of a group with the input
 * laid out so that a column holds the window of an output, a strip of columns
 * at a time.  A group of few output channels is not worth laying its input out:
 * there each weight is multiplied with rows of the input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "exec-internal.h"

/* Elements of a strip, and its longest columns */
#define STRIP           (1 << 21)
#define STRIP_DEPTH     8192
/* Output channels of a group up to which rows are multiplied */
#define ROWS_CHANNELS   2

struct conv {
    struct onsram_exec *ctx;
    struct exec_axis axis[ONSRAM_MAX_SPATIAL];
    int64_t batch, groups;
    int64_t channels, outputs;  /* of a group */
    int64_t in, out, window;    /* elements: of a channel, output, kernel */
    int64_t depth;              /* channels * window */
    float *strip;
};

/* An element of the kernel: its channel and where it is in the window */
struct tap {
    int64_t channel, d, h, w;
};

static struct tap tap_of(const struct conv *c, int64_t k)
{
    const struct exec_axis *a = c->axis;

    return (struct tap) {
        .channel = k / c->window,
        .d = k / (a[1].kernel * a[2].kernel) % a[0].kernel,
        .h = k / a[2].kernel % a[1].kernel,
        .w = k % a[2].kernel,
    };
}

/*
 * The input's row that tap @t meets in output row (@d, @h), relative to the
 * first output's element; NULL in padding.  Outputs [*from, *to) meet the input.
 */
static const float *input_row(const struct conv *c, const float *x,
                              const struct tap *t, int64_t d, int64_t h,
                              int64_t *from, int64_t *to)
{
    const struct exec_axis *a = c->axis;
    int64_t z = d * a[0].stride - a[0].pad + t->d * a[0].dilation;
    int64_t y = h * a[1].stride - a[1].pad + t->h * a[1].dilation;

    if (z < 0 || z >= a[0].in || y < 0 || y >= a[1].in) {
        return NULL;
    }
    exec_axis_outputs(&a[2], t->w, from, to);
    if (*from >= *to) {
        return NULL;
    }
    return x + t->channel * c->in + (z * a[1].in + y) * a[2].in +
           (*from * a[2].stride + t->w * a[2].dilation - a[2].pad);
}

static void copy_strided(float *dst, const float *src, int64_t stride, int64_t n)
{
    int64_t i;

    if (stride == 1) {
        memcpy(dst, src, n * sizeof(*dst));
        return;
    }
    for (i = 0; i < n; i++) {
        dst[i] = src[i * stride];
    }
}

/* What tap @k meets in outputs [p0, p1) */
static void lay_out_row(const struct conv *c, float *dst, const float *x,
                        int64_t k, int64_t p0, int64_t p1)
{
    const struct exec_axis *a = c->axis;
    struct tap t = tap_of(c, k);
    int64_t p, n;

    for (p = p0; p < p1; p += n, dst += n) {
        int64_t row = p / a[2].out, w0 = p % a[2].out, w1, from, to;
        const float *src = input_row(c, x, &t, row / a[1].out, row % a[1].out,
                                     &from, &to);

        n = a[2].out - w0 < p1 - p ? a[2].out - w0 : p1 - p;
        w1 = w0 + n;
        if (!src || from >= w1 || to <= w0) {
            memset(dst, 0, n * sizeof(*dst));
            continue;
        }
        if (from < w0) {
            src += (w0 - from) * a[2].stride;
            from = w0;
        }
        to = to < w1 ? to : w1;
        memset(dst, 0, (from - w0) * sizeof(*dst));
        copy_strided(dst + (from - w0), src, a[2].stride, to - from);
        memset(dst + (to - w0), 0, (w1 - to) * sizeof(*dst));
    }
}

static bool is_pointwise(const struct conv *c)
{
    for (int i = 0; i < ONSRAM_MAX_SPATIAL; i++) {
        const struct exec_axis *a = &c->axis[i];

        if (a->kernel != 1 || a->stride != 1 || a->padded != a->in) {
            return false;
        }
    }
    return true;
}

/* A group: out [outputs x positions] = w [outputs x depth] * strips of x */
static int conv_group(const struct conv *c, float *out, const float *x,
                      const float *w)
{
    int64_t deep = c->depth < STRIP_DEPTH ? c->depth : STRIP_DEPTH;
    int64_t wide = STRIP / deep, p, k, i;
    struct exec_matrix weights = { .ld = c->depth };
    struct exec_matrix strip = { .data = c->strip };
    int ret;

    if (is_pointwise(c)) {
        weights.data = w;
        strip = (struct exec_matrix) { .data = x, .ld = c->in };
        return exec_matmul(c->ctx, c->outputs, c->out, c->depth, 1, &weights,
                           &strip, false, out, c->out);
    }
    for (p = 0; p < c->out; p += wide) {
        strip.ld = c->out - p < wide ? c->out - p : wide;
        for (k = 0; k < c->depth; k += deep) {
            int64_t n = c->depth - k < deep ? c->depth - k : deep;

            for (i = 0; i < n; i++) {
                if (exec_cancelled(c->ctx)) {
                    return -ECANCELED;
                }
                lay_out_row(c, c->strip + i * strip.ld, x, k + i, p,
                            p + strip.ld);
            }
            weights.data = w + k;
            ret = exec_matmul(c->ctx, c->outputs, strip.ld, n, 1, &weights,
                              &strip, k, out + p, c->out);
            if (ret) {
                return ret;
            }
        }
    }
    return 0;
}

static void add_multiple(struct onsram_exec *ctx, float *out, const float *x,
                         int64_t stride, float w, int64_t n)
{
    if (stride == 1) {
        exec_for(ctx, i, n) {
            out[i] += w * x[i];
        }
    } else {
        exec_for(ctx, i, n) {
            out[i] += w * x[i * stride];
        }
    }
}

/* An output row of one output channel, tap by tap */
static void conv_row(const struct conv *c, float *out, const float *x,
                     const float *w, int64_t d, int64_t h)
{
    exec_for(c->ctx, i, c->axis[2].out) {
        out[i] = 0;
    }
    for (int64_t k = 0; k < c->depth && !exec_cancelled(c->ctx); k++) {
        struct tap t = tap_of(c, k);
        int64_t from, to;
        const float *src = input_row(c, x, &t, d, h, &from, &to);

        if (src) {
            add_multiple(c->ctx, out + from, src, c->axis[2].stride, w[k],
                         to - from);
        }
    }
}

static int conv_group_by_rows(const struct conv *c, float *out, const float *x,
                              const float *w)
{
    int64_t o, d, h;

    for (o = 0; o < c->outputs; o++, w += c->depth) {
        for (d = 0; d < c->axis[0].out; d++) {
            for (h = 0; h < c->axis[1].out; h++, out += c->axis[2].out) {
                if (exec_cancelled(c->ctx)) {
                    return -ECANCELED;
                }
                conv_row(c, out, x, w, d, h);
            }
        }
    }
    return 0;
}

static int convolve(const struct conv *c, float *out, const float *x,
                    const float *w)
{
    int64_t n, g;
    int ret = 0;

    for (n = 0; n < c->batch; n++) {
        for (g = 0; g < c->groups && !ret; g++) {
            const float *group = w + g * c->outputs * c->depth;

            if (c->outputs <= ROWS_CHANNELS && !is_pointwise(c)) {
                ret = conv_group_by_rows(c, out, x, group);
            } else {
                ret = conv_group(c, out, x, group);
            }
            out += c->outputs * c->out;
            x += c->channels * c->in;
        }
    }
    return ret;
}

static bool conv_init(struct conv *c, struct onsram_exec *ctx,
                      const struct onsram_attr *attr,
                      const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *o = &tensors[0].view, *x = &tensors[1].view;
    const struct onsram_view *w = &tensors[2].view;

    *c = (struct conv) {
        .ctx = ctx,
        .batch = o->dims[0],
        .groups = attr->groups,
        .channels = w->dims[1],
        .outputs = o->dims[1] / attr->groups,
        .in = exec_dims_product(x, 2, x->rank),
        .out = exec_dims_product(o, 2, o->rank),
        .window = exec_dims_product(w, 2, w->rank),
    };
    c->depth = c->channels * c->window;
    exec_axes_init(c->axis, attr, x, o, &w->dims[2]);
    c->strip = exec_scratch(ctx, EXEC_SCRATCH_TMP, STRIP * sizeof(float));
    return c->strip;
}

int exec_conv(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors)
{
    bool residual = exec_present(&tensors[4]);
    struct onsram_exec_tensor bias = tensors[3];
    struct onsram_exec_tensor acc = {
        .view = exec_dense_view(&tensors[0].view, ONSRAM_DTYPE_F32),
        .data = exec_output(ctx, tensors, ONSRAM_DTYPE_F32),
    };
    const float *x = exec_input(ctx, tensors, 1, ONSRAM_DTYPE_F32);
    const float *w = exec_input(ctx, tensors, 2, ONSRAM_DTYPE_F32);
    struct conv c;
    int ret;

    if (!conv_init(&c, ctx, attr, tensors) || !acc.data || !x || !w) {
        return -ENOMEM;
    }
    ret = convolve(&c, acc.data, x, w);
    if (ret) {
        return ret;
    }
    if (!exec_present(&bias) && !residual && attr->act == ONSRAM_ACT_NONE) {
        exec_output_done(ctx, tensors, acc.data, ONSRAM_DTYPE_F32);
        return 0;
    }
    if (exec_present(&bias)) {
        int32_t stride = bias.view.strides[0];

        bias.view = tensors[0].view;
        bias.view.dtype = tensors[3].view.dtype;
        memset(bias.view.strides, 0, sizeof(bias.view.strides));
        bias.view.strides[1] = stride;
    }
    exec_epilogue(ctx, &tensors[0], &acc, exec_present(&bias) ? &bias : NULL, 1,
                  residual ? &tensors[4] : NULL, attr);
    return 0;
}
