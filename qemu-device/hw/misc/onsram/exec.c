/*
 * onsram functional execution: contexts, scratch memory, dispatch
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exec-internal.h"

/*
 * A broadcast view names more elements than it has memory, so scratch needs
 * its own limit for one operation; what is larger than the second bound is
 * given back after the operation.
 */
#define SCRATCH_LIMIT (2ull << 30)
#define SCRATCH_KEEP (64u << 20)

struct onsram_exec *onsram_exec_create(void)
{
    return calloc(1, sizeof(struct onsram_exec));
}

static void scratch_free(struct onsram_exec *ctx, int which)
{
    free(ctx->scratch[which].data);
    ctx->scratch[which].data = NULL;
    ctx->scratch[which].size = 0;
}

void onsram_exec_destroy(struct onsram_exec *ctx)
{
    int i;

    if (!ctx) {
        return;
    }
    for (i = 0; i < EXEC_SCRATCH_COUNT; i++) {
        scratch_free(ctx, i);
    }
    free(ctx);
}

void *exec_scratch(struct onsram_exec *ctx, int which, uint64_t bytes)
{
    uint64_t total = bytes;
    int i;

    if (ctx->scratch[which].data && bytes <= ctx->scratch[which].size) {
        return ctx->scratch[which].data;
    }
    scratch_free(ctx, which);
    for (i = 0; i < EXEC_SCRATCH_COUNT; i++) {
        total += ctx->scratch[i].size;
    }
    if (total > SCRATCH_LIMIT ||
        posix_memalign(&ctx->scratch[which].data, 64, bytes ? bytes : 1)) {
        ctx->scratch[which].data = NULL;
        return NULL;
    }
    ctx->scratch[which].size = bytes;
    return ctx->scratch[which].data;
}

static void exec_fill(struct onsram_exec *ctx, const struct onsram_attr *attr,
                      const struct onsram_exec_tensor *tensors)
{
    struct onsram_exec_tensor value = { .view = tensors[0].view };
    union {
        uint32_t word[2];
        float f32;
        int64_t i64;
        int32_t i32;
        uint8_t boolean;
    } bits;

    memset(value.view.strides, 0, sizeof(value.view.strides));
    value.data = &bits;
    switch (value.view.dtype) {
    case ONSRAM_DTYPE_I64:
        bits.i64 = (int64_t)((uint64_t)attr->param[1] << 32 | attr->param[0]);
        break;
    case ONSRAM_DTYPE_I32:
        bits.i32 = (int32_t)attr->param[0];
        break;
    case ONSRAM_DTYPE_BOOL:
        bits.boolean = attr->param[0];
        break;
    default:
        bits.word[0] = attr->param[0];
        value.view.dtype = ONSRAM_DTYPE_F32;
    }
    exec_copy(ctx, &tensors[0], &value);
}

static int exec_dispatch(struct onsram_exec *ctx, uint32_t opcode,
                         const struct onsram_attr *attr,
                         const struct onsram_exec_tensor *tensors)
{
    switch (opcode) {
    case ONSRAM_OP_COPY:
        exec_copy(ctx, &tensors[0], &tensors[1]);
        return 0;
    case ONSRAM_OP_FILL:
        exec_fill(ctx, attr, tensors);
        return 0;
    case ONSRAM_OP_ELEMENTWISE:
        exec_elementwise(ctx, attr, tensors);
        return 0;
    case ONSRAM_OP_GEMM:
        return exec_gemm(ctx, attr, tensors);
    case ONSRAM_OP_CONV:
        return exec_conv(ctx, attr, tensors);
    case ONSRAM_OP_POOL:
        return exec_pool(ctx, attr, tensors);
    case ONSRAM_OP_REDUCE:
        return exec_reduce(ctx, attr, tensors);
    case ONSRAM_OP_SOFTMAX:
        return exec_softmax(ctx, attr, tensors);
    case ONSRAM_OP_NORM:
        return exec_norm(ctx, attr, tensors);
    case ONSRAM_OP_GATHER:
        return exec_gather(ctx, attr, tensors);
    case ONSRAM_OP_RESIZE:
        return exec_resize(ctx, attr, tensors);
    default:
        return -EINVAL;
    }
}

int onsram_exec_run(struct onsram_exec *ctx, uint32_t opcode,
                    const struct onsram_attr *attr,
                    const struct onsram_exec_tensor *tensors)
{
    int ret = exec_dispatch(ctx, opcode, attr, tensors);
    int i;

    for (i = 0; i < EXEC_SCRATCH_COUNT; i++) {
        if (ctx->scratch[i].size > SCRATCH_KEEP) {
            scratch_free(ctx, i);
        }
    }
    return exec_cancelled(ctx) ? -ECANCELED : ret;
}

void onsram_exec_cancel(struct onsram_exec *ctx, bool cancel)
{
    __atomic_store_n(&ctx->cancel, cancel, __ATOMIC_RELAXED);
}
