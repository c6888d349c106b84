/*
 * onsram functional execution: picking elements (gather, resize)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "exec-internal.h"

/* @v without @count dimensions from @at on */
static struct onsram_view drop_dims(const struct onsram_view *v, uint32_t at,
                                    uint32_t count)
{
    struct onsram_view r = { .dtype = v->dtype, .rank = v->rank - count };
    uint32_t i;

    for (i = 0; i < r.rank; i++) {
        r.dims[i] = v->dims[i < at ? i : i + count];
        r.strides[i] = v->strides[i < at ? i : i + count];
    }
    return r;
}

int exec_gather(struct onsram_exec *ctx, const struct onsram_attr *attr,
                const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *data = &tensors[1].view;
    const struct onsram_view *indices = &tensors[2].view;
    const struct onsram_view *o = &tensors[0].view;
    int64_t extent = data->dims[attr->axis];
    ptrdiff_t size = exec_dtype_size(data->dtype), at = 0;
    size_t count = exec_elements(indices), k;
    bool in_range = true;
    size_t position[ONSRAM_MAX_RANK] = { 0 };
    struct onsram_exec_tensor src, dst, index = {
        .view = exec_dense_view(indices, ONSRAM_DTYPE_I64),
    };
    int64_t *picked;

    /* A private copy: what is checked is what is used */
    picked = exec_scratch(ctx, EXEC_SCRATCH_TMP,
                          (uint64_t)count * sizeof(*picked));
    if (!picked) {
        return -ENOMEM;
    }
    index.data = picked;
    exec_copy(ctx, &index, &tensors[2]);
    exec_for(ctx, i, count) {
        picked[i] += picked[i] < 0 ? extent : 0;
        in_range &= picked[i] >= 0 && picked[i] < extent;
    }
    if (!in_range || exec_cancelled(ctx)) {
        return -ERANGE;
    }

    src.view = drop_dims(data, attr->axis, 1);
    dst.view = drop_dims(o, attr->axis, indices->rank);
    for (k = 0; k < count && !exec_cancelled(ctx); k++) {
        uint32_t i = indices->rank;

        src.data = (char *)tensors[1].data +
                   picked[k] * data->strides[attr->axis] * size;
        dst.data = (char *)tensors[0].data + at * size;
        exec_copy(ctx, &dst, &src);
        while (i--) {
            at += o->strides[attr->axis + i];
            if (++position[i] < indices->dims[i]) {
                break;
            }
            at -= (ptrdiff_t)o->strides[attr->axis + i] * indices->dims[i];
            position[i] = 0;
        }
    }
    return 0;
}

/* Resample one dimension of [outer, from, inner] to [outer, to, inner] */
static void nearest_pass(struct onsram_exec *ctx, char *dst, const char *src,
                         size_t outer, size_t from, size_t to, size_t bytes)
{
    size_t n, i, at, piece;

    for (n = 0; n < outer; n++) {
        for (i = 0; i < to; i++) {
            const char *row = src + i * from / to * bytes;

            for (at = 0; at < bytes; at += piece) {
                if (exec_cancelled(ctx)) {
                    return;
                }
                piece = bytes - at < EXEC_STRETCH ? bytes - at : EXEC_STRETCH;
                memcpy(dst + at, row + at, piece);
            }
            dst += bytes;
        }
        src += from * bytes;
    }
}

static void linear_pass(struct onsram_exec *ctx, float *dst, const float *src,
                        size_t outer, size_t from, size_t to, size_t inner)
{
    size_t n, i;

    for (n = 0; n < outer; n++) {
        for (i = 0; i < to && !exec_cancelled(ctx); i++) {
            double x = (i + 0.5) * from / to - 0.5;
            size_t lo = x > 0 ? (size_t)x : 0;
            size_t hi = lo + 1 < from ? lo + 1 : from - 1;
            float t = x > lo ? x - lo : 0;
            const float *a = src + lo * inner, *b = src + hi * inner;

            exec_for(ctx, k, inner) {
                dst[k] = a[k] + (b[k] - a[k]) * t;
            }
            dst += inner;
        }
        src += from * inner;
    }
}

int exec_resize(struct onsram_exec *ctx, const struct onsram_attr *attr,
                const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *o = &tensors[0].view;
    struct onsram_view shape = tensors[1].view;
    bool linear = attr->func == ONSRAM_RESIZE_LINEAR;
    uint32_t dtype = linear ? ONSRAM_DTYPE_F32 : o->dtype;
    size_t size = exec_dtype_size(dtype);
    const void *now = exec_input(ctx, tensors, 1, dtype);
    int next = EXEC_SCRATCH_TMP;
    struct onsram_exec_tensor result;
    uint32_t i;

    if (!now) {
        return -ENOMEM;
    }
    for (i = 0; i < o->rank; i++) {
        size_t outer = exec_dims_product(&shape, 0, i);
        size_t inner = exec_dims_product(&shape, i + 1, shape.rank);
        size_t from = shape.dims[i], to = o->dims[i];
        void *to_data;

        if (from == to) {
            continue;
        }
        to_data = exec_scratch(ctx, next, (uint64_t)outer * to * inner * size);
        if (!to_data) {
            return -ENOMEM;
        }
        if (linear) {
            linear_pass(ctx, to_data, now, outer, from, to, inner);
        } else {
            nearest_pass(ctx, to_data, now, outer, from, to, inner * size);
        }
        shape.dims[i] = to;
        now = to_data;
        next = next == EXEC_SCRATCH_TMP ? EXEC_SCRATCH_TMP2 : EXEC_SCRATCH_TMP;
    }
    result.view = exec_dense_view(o, dtype);
    result.data = (void *)now;
    exec_copy(ctx, &tensors[0], &result);
    return 0;
}
