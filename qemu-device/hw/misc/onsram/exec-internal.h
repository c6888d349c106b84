/*
 * onsram functional execution: what its files share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ONSRAM_EXEC_INTERNAL_H
#define ONSRAM_EXEC_INTERNAL_H

#include "exec.h"

/* Scratch buffers of a context; the first ones belong to the operand slots */
enum {
    EXEC_SCRATCH_TMP = ONSRAM_MAX_OPERANDS,
    EXEC_SCRATCH_TMP2,
    EXEC_SCRATCH_COUNT
};

struct onsram_exec {
    bool cancel;                /* atomic */
    struct {
        void *data;
        size_t size;
    } scratch[EXEC_SCRATCH_COUNT];
};

/*
 * Whether to give up: asked at intervals of well under a millisecond (a product
 * of matrices: of milliseconds).  Nobody looks at what has been computed then.
 */
static inline bool exec_cancelled(const struct onsram_exec *ctx)
{
    return __atomic_load_n(&ctx->cancel, __ATOMIC_RELAXED);
}

/* Elements between two looks at exec_cancelled() */
#define EXEC_STRETCH 16384

/* for (int64_t i = 0; i < n; i++), cancellable; break leaves a stretch only */
#define exec_for(ctx, i, n)                                                 \
    for (int64_t i##_from = 0, i##_end = (n), i##_to = 0;                   \
         i##_from < i##_end && !exec_cancelled(ctx);                        \
         i##_from = i##_to)                                                 \
        for (int64_t i = i##_from,                                          \
             i##_last = i##_to = i##_end - i##_from < EXEC_STRETCH ?        \
                                 i##_end : i##_from + EXEC_STRETCH;         \
             i < i##_last; i++)

/* Inputs of exec_map() */
#define EXEC_MAP_INPUTS 3

/*
 * exec-view.c: bytes of an element, 0 for NONE and unknown types; what is wrong
 * with a view that is present, or NULL; whether an output's strides address every
 * element once
 */
uint32_t exec_dtype_size(uint32_t dtype);
const char *exec_check_view(const struct onsram_view *v);
bool exec_writes_each_once(const struct onsram_view *v);

static inline bool exec_present(const struct onsram_exec_tensor *t)
{
    return t->view.dtype != ONSRAM_DTYPE_NONE;
}

static inline float exec_param(uint32_t bits)
{
    union {
        uint32_t u;
        float f;
    } v = { .u = bits };

    return v.f;
}

/* exec.c: at least @bytes of scratch memory, 64-byte aligned; NULL: ENOMEM */
void *exec_scratch(struct onsram_exec *ctx, int which, uint64_t bytes);

/* exec-layout.c: elements, and the products of the dims in [from, to) */
size_t exec_elements(const struct onsram_view *v);
size_t exec_dims_product(const struct onsram_view *v, uint32_t from,
                         uint32_t to);
/* Row-major view of @like's dims */
struct onsram_view exec_dense_view(const struct onsram_view *like,
                                   uint32_t dtype);
bool exec_is_dense(const struct onsram_view *v);

/* Copy between views of equal dims, converting the dtype */
void exec_copy(struct onsram_exec *ctx, const struct onsram_exec_tensor *dst,
               const struct onsram_exec_tensor *src);

/*
 * The operand of slot @s as row-major elements of @dtype: itself where it is
 * just that, else a copy in the slot's scratch buffer.  NULL: ENOMEM.
 */
const void *exec_input(struct onsram_exec *ctx,
                       const struct onsram_exec_tensor *tensors, int s,
                       uint32_t dtype);

/*
 * Where to write the output as row-major elements of @dtype, and the end of
 * writing, which brings it to its place.
 */
void *exec_output(struct onsram_exec *ctx,
                  const struct onsram_exec_tensor *tensors, uint32_t dtype);
void exec_output_done(struct onsram_exec *ctx,
                      const struct onsram_exec_tensor *tensors, void *data,
                      uint32_t dtype);

/*
 * out[i] = fn(in0[i], in1[i], in2[i]) over tensors of equal dims, in chunks:
 * @fn gets @n elements per pointer, float or int64_t as @integer says; absent
 * inputs are NULL.  out may be one of the inputs.
 */
typedef void exec_map_fn(void *out, const void *const in[EXEC_MAP_INPUTS],
                         size_t n, const float *param);
void exec_map(struct onsram_exec *ctx, const struct onsram_exec_tensor *out,
              const struct onsram_exec_tensor *const in[EXEC_MAP_INPUTS],
              bool integer, exec_map_fn *fn, const float *param);

/* exec-elementwise.c */
void exec_elementwise(struct onsram_exec *ctx, const struct onsram_attr *attr,
                      const struct onsram_exec_tensor *tensors);
/*
 * out = act(acc + beta * bias + residual); acc and out may be the same; NULL
 * bias and residual are absent
 */
void exec_epilogue(struct onsram_exec *ctx,
                   const struct onsram_exec_tensor *out,
                   const struct onsram_exec_tensor *acc,
                   const struct onsram_exec_tensor *bias, float beta,
                   const struct onsram_exec_tensor *residual,
                   const struct onsram_attr *attr);

/* exec-reduce.c */
int exec_reduce(struct onsram_exec *ctx, const struct onsram_attr *attr,
                const struct onsram_exec_tensor *tensors);
int exec_softmax(struct onsram_exec *ctx, const struct onsram_attr *attr,
                 const struct onsram_exec_tensor *tensors);

/* exec-norm.c */
int exec_norm(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors);

/* exec-pool.c */
int exec_pool(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors);

/* exec-index.c */
int exec_gather(struct onsram_exec *ctx, const struct onsram_attr *attr,
                const struct onsram_exec_tensor *tensors);
int exec_resize(struct onsram_exec *ctx, const struct onsram_attr *attr,
                const struct onsram_exec_tensor *tensors);

/*
 * exec-window.c: one spatial dimension of a CONV or POOL; missing outer ones
 * have extent 1
 */
struct exec_axis {
    int64_t in, out, kernel, stride, dilation, pad, padded;
};

void exec_axes_init(struct exec_axis a[ONSRAM_MAX_SPATIAL],
                    const struct onsram_attr *attr, const struct onsram_view *x,
                    const struct onsram_view *o,
                    const uint32_t kernel[ONSRAM_MAX_SPATIAL]);
/* Outputs [*from, *to) whose window's element @k lies in the input */
void exec_axis_outputs(const struct exec_axis *a, int64_t k, int64_t *from,
                       int64_t *to);
/* Elements [*from, *to) of output @i's window in [lo, hi) of the padded input */
void exec_axis_elements(const struct exec_axis *a, int64_t i, int64_t lo,
                        int64_t hi, int64_t *from, int64_t *to);

/* exec-matmul.c: a row-major matrix, or one stored by columns */
struct exec_matrix {
    const float *data;
    bool transposed;
    int64_t ld;                 /* elements from a row (column) to the next */
};

/*
 * C [m x n, row-major] = alpha * A [m x k] x B [k x n], or @add to it; 0 or
 * -errno
 */
int exec_matmul(struct onsram_exec *ctx, int64_t m, int64_t n, int64_t k,
                float alpha, const struct exec_matrix *a,
                const struct exec_matrix *b, bool add, float *c, int64_t ldc);

/* exec-gemm.c, exec-conv.c */
int exec_gemm(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors);
int exec_conv(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors);

#endif
