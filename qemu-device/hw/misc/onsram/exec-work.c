/*
 * onsram functional execution: how much work an operation is
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "exec-internal.h"

static uint64_t work_times(uint64_t work, uint64_t factor)
{
    uint64_t product;

    return __builtin_mul_overflow(work, factor, &product) ? UINT64_MAX
                                                          : product;
}

uint64_t onsram_exec_work(uint32_t opcode, const struct onsram_attr *attr,
                          const struct onsram_view *views)
{
    const struct onsram_view *in = &views[1], *w = &views[2];
    uint64_t work = exec_elements(&views[0]);
    uint32_t i;

    switch (opcode) {
    case ONSRAM_OP_GEMM:
        return work_times(work, in->dims[in->rank - 1]);
    case ONSRAM_OP_CONV:
        return work_times(work, exec_dims_product(w, 1, w->rank));
    case ONSRAM_OP_POOL:
        for (i = 0; i < in->rank - 2; i++) {
            work = work_times(work, attr->kernel[i]);
        }
        return work_times(work, ONSRAM_WORK_WINDOW);
    case ONSRAM_OP_NORM:
        if (attr->func != ONSRAM_NORM_LRN) {
            return work;
        }
        work = work_times(work, attr->kernel[0] < in->dims[1] ?
                                attr->kernel[0] : in->dims[1]);
        return work_times(work, ONSRAM_WORK_WINDOW);
    case ONSRAM_OP_REDUCE:
        return exec_elements(in);
    default:
        return work;
    }
}
