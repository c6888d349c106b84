/*
 * onsram functional execution: which views are well formed, and what they span
 *
 * The rules are the list in onsram_op.h.  The input comes from a guest:
 * every field may hold anything.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "exec-internal.h"

uint32_t exec_dtype_size(uint32_t dtype)
{
    static const uint32_t size[ONSRAM_DTYPE_COUNT] = {
        [ONSRAM_DTYPE_F32] = 4, [ONSRAM_DTYPE_F16] = 2, [ONSRAM_DTYPE_I64] = 8,
        [ONSRAM_DTYPE_I32] = 4, [ONSRAM_DTYPE_BOOL] = 1,
    };

    return dtype < ONSRAM_DTYPE_COUNT ? size[dtype] : 0;
}

static uint64_t stride_abs(int32_t stride)
{
    return stride < 0 ? -(int64_t)stride : stride;
}

const char *exec_check_view(const struct onsram_view *v)
{
    uint64_t elements = 1, reach = 0;
    uint32_t i;

    if (v->dtype == ONSRAM_DTYPE_NONE || v->dtype >= ONSRAM_DTYPE_COUNT) {
        return "unknown dtype";
    }
    if (v->rank > ONSRAM_MAX_RANK) {
        return "rank too high";
    }
    for (i = 0; i < v->rank; i++) {
        if (!v->dims[i]) {
            return "dimension of extent 0";
        }
        elements *= v->dims[i];
        if (elements > ONSRAM_MAX_ELEMENTS) {
            return "view has too many elements";
        }
        reach += stride_abs(v->strides[i]) * (v->dims[i] - 1);
        if (reach >= ONSRAM_MAX_EXTENT / exec_dtype_size(v->dtype)) {
            return "view spans too many bytes";
        }
    }
    for (; i < ONSRAM_MAX_RANK; i++) {
        if (v->dims[i] || v->strides[i]) {
            return "dimension or stride beyond the rank";
        }
    }
    return NULL;
}

bool onsram_view_extent(const struct onsram_view *view, int64_t *begin,
                        int64_t *end)
{
    int64_t size = exec_dtype_size(view->dtype), lo = 0, hi = 0;
    uint32_t i;

    if (exec_check_view(view)) {
        return false;
    }
    for (i = 0; i < view->rank; i++) {
        int64_t reach = (int64_t)view->strides[i] * (view->dims[i] - 1);

        if (reach < 0) {
            lo += reach;
        } else {
            hi += reach;
        }
    }
    *begin = lo * size;
    *end = (hi + 1) * size;
    return true;
}

/*
 * Nested strides are sufficient for distinct addresses and simple to decide;
 * interleavings that happen to be distinct without nesting are refused.
 */
bool exec_writes_each_once(const struct onsram_view *v)
{
    uint64_t stride[ONSRAM_MAX_RANK], dim[ONSRAM_MAX_RANK], reach = 0;
    uint32_t n = 0, i, j;

    for (i = 0; i < v->rank; i++) {
        uint64_t s = stride_abs(v->strides[i]);

        if (v->dims[i] == 1) {
            continue;
        }
        for (j = n++; j > 0 && stride[j - 1] > s; j--) {
            stride[j] = stride[j - 1];
            dim[j] = dim[j - 1];
        }
        stride[j] = s;
        dim[j] = v->dims[i];
    }
    for (i = 0; i < n; i++) {
        if (stride[i] <= reach) {
            return false;
        }
        reach += stride[i] * (dim[i] - 1);
    }
    return true;
}
