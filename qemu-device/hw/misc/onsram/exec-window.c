/*
 * onsram functional execution: the windows of CONV and POOL
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "exec-internal.h"

void exec_axes_init(struct exec_axis a[ONSRAM_MAX_SPATIAL],
                    const struct onsram_attr *attr, const struct onsram_view *x,
                    const struct onsram_view *o,
                    const uint32_t kernel[ONSRAM_MAX_SPATIAL])
{
    uint32_t spatial = x->rank - 2, skip = ONSRAM_MAX_SPATIAL - spatial, i;

    for (i = 0; i < skip; i++) {
        a[i] = (struct exec_axis) { 1, 1, 1, 1, 1, 0, 1 };
    }
    for (i = 0; i < spatial; i++) {
        a[skip + i] = (struct exec_axis) {
            .in = x->dims[2 + i],
            .out = o->dims[2 + i],
            .kernel = kernel[i],
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

void exec_axis_outputs(const struct exec_axis *a, int64_t k, int64_t *from,
                       int64_t *to)
{
    int64_t shift = a->pad - k * a->dilation;

    *from = ceil_div(shift, a->stride);
    *to = ceil_div(a->in + shift, a->stride);
    *to = *to < a->out ? *to : a->out;
}

void exec_axis_elements(const struct exec_axis *a, int64_t i, int64_t lo,
                        int64_t hi, int64_t *from, int64_t *to)
{
    int64_t start = i * a->stride;

    *from = ceil_div(lo - start, a->dilation);
    *to = ceil_div(hi - start, a->dilation);
    *to = *to < a->kernel ? *to : a->kernel;
}
