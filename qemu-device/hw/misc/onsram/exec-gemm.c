/*
 * onsram functional execution: GEMM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include "exec-internal.h"

/* A matrix in a batch */
struct batch {
    struct exec_matrix first;
    ptrdiff_t stride[ONSRAM_MAX_RANK];
};

/* Whether rows (transposed: columns) are contiguous and apart */
static bool matrix_fits(const struct onsram_view *v, bool transposed,
                        int64_t *ld)
{
    uint32_t row = v->rank - (transposed ? 1 : 2);
    uint32_t column = v->rank - (transposed ? 2 : 1);

    if (v->dims[column] > 1 && v->strides[column] != 1) {
        return false;
    }
    *ld = v->dims[row] > 1 ? v->strides[row] : (int64_t)v->dims[column];
    return *ld >= (int64_t)v->dims[column];
}

/* In place where the layout allows, else a row-major copy */
static bool batch_init(struct onsram_exec *ctx, struct batch *b,
                       const struct onsram_exec_tensor *tensors, int s)
{
    struct onsram_view v = tensors[s].view;
    struct exec_matrix *m = &b->first;
    uint32_t i;

    m->data = tensors[s].data;
    m->transposed = false;
    if (v.dtype != ONSRAM_DTYPE_F32 || !matrix_fits(&v, false, &m->ld)) {
        m->transposed = true;
        if (v.dtype != ONSRAM_DTYPE_F32 || !matrix_fits(&v, true, &m->ld)) {
            m->data = exec_input(ctx, tensors, s, ONSRAM_DTYPE_F32);
            v = exec_dense_view(&v, ONSRAM_DTYPE_F32);
            m->transposed = false;
            matrix_fits(&v, false, &m->ld);
        }
    }
    for (i = 0; i + 2 < v.rank; i++) {
        b->stride[i] = v.strides[i];
    }
    return m->data;
}

/* C = alpha * A x B, every matrix of the batch */
static int multiply(struct onsram_exec *ctx, const struct onsram_view *o,
                    const struct batch *a, const struct batch *b, int64_t k,
                    float alpha, float *out)
{
    uint32_t r = o->rank, index[ONSRAM_MAX_RANK] = { 0 }, i;
    struct exec_matrix at_a = a->first, at_b = b->first;
    int64_t m = o->dims[r - 2], n = o->dims[r - 1];
    size_t batch = exec_dims_product(o, 0, r - 2);
    int ret = 0;

    for (; batch && !ret; batch--, out += m * n) {
        ret = exec_matmul(ctx, m, n, k, alpha, &at_a, &at_b, false, out, n);
        for (i = r - 2; i--; ) {
            at_a.data += a->stride[i];
            at_b.data += b->stride[i];
            if (++index[i] < o->dims[i]) {
                break;
            }
            at_a.data -= a->stride[i] * o->dims[i];
            at_b.data -= b->stride[i] * o->dims[i];
            index[i] = 0;
        }
    }
    return ret;
}

int exec_gemm(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *o = &tensors[0].view;
    bool bias = exec_present(&tensors[3]);
    bool residual = exec_present(&tensors[4]);
    struct onsram_exec_tensor acc = {
        .view = exec_dense_view(o, ONSRAM_DTYPE_F32),
        .data = exec_output(ctx, tensors, ONSRAM_DTYPE_F32),
    };
    struct batch a, b;
    int ret;

    if (!acc.data || !batch_init(ctx, &a, tensors, 1) ||
        !batch_init(ctx, &b, tensors, 2)) {
        return -ENOMEM;
    }
    ret = multiply(ctx, o, &a, &b, tensors[1].view.dims[o->rank - 1],
                   exec_param(attr->param[0]), acc.data);
    if (ret) {
        return ret;
    }
    if (bias || residual || attr->act != ONSRAM_ACT_NONE) {
        exec_epilogue(ctx, &tensors[0], &acc, bias ? &tensors[3] : NULL,
                      exec_param(attr->param[1]),
                      residual ? &tensors[4] : NULL, attr);
    } else {
        exec_output_done(ctx, tensors, acc.data, ONSRAM_DTYPE_F32);
    }
    return 0;
}
