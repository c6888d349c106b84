// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations from user space to immutable commands, and SUBMIT.
 */

#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "onsram_ioctl.h"
#include "onsram_job.h"
#include "onsram_sync.h"
#include "onsram_validate.h"

static u64 onsram_hash(u64 hash, const void *data, size_t bytes)
{
	const u32 *word = data;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++) {
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash;
}

/* Opcode, attributes, views and which operands share a buffer */
static u64 onsram_op_signature(const struct drm_onsram_op *uop)
{
	u64 hash = onsram_hash(0, &uop->opcode, sizeof(uop->opcode));
	u32 i, j;

	BUILD_BUG_ON(sizeof(struct onsram_attr) % sizeof(u32));
	BUILD_BUG_ON(sizeof(struct onsram_view) % sizeof(u32));

	hash = onsram_hash(hash, &uop->attr, sizeof(uop->attr));
	for (i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
		const struct drm_onsram_operand *operand = &uop->operand[i];

		hash = onsram_hash(hash, &operand->view, sizeof(operand->view));
		if (operand->view.dtype == ONSRAM_DTYPE_NONE)
			continue;
		for (j = 0; j < i; j++)
			if (uop->operand[j].view.dtype != ONSRAM_DTYPE_NONE &&
			    uop->operand[j].bo == operand->bo)
				break;
		hash = onsram_hash(hash, &j, sizeof(j));
	}
	return hash;
}

void onsram_op_enter_history(struct onsram_op *op, u64 salt, u64 history[3])
{
	op->signature = onsram_hash(salt, &op->signature, sizeof(op->signature));
	op->key = onsram_hash(onsram_hash(0, &op->signature, sizeof(op->signature)), history,
			      3 * sizeof(*history));
	history[2] = history[1];
	history[1] = history[0];
	history[0] = op->signature;
}

static void onsram_op_build(struct onsram_context *ctx, const struct drm_onsram_op *uop,
			    struct onsram_bo *const *bos, struct onsram_op *op)
{
	u32 i;

	op->cmd.opcode = uop->opcode;
	op->cmd.asid = ctx->client.asid;
	op->cmd.attr = uop->attr;
	for (i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
		const struct drm_onsram_operand *operand = &uop->operand[i];

		if (operand->view.dtype == ONSRAM_DTYPE_NONE)
			continue;
		op->bo[i] = bos[operand->bo];
		op->bo_index[i] = operand->bo;
		op->offset[i] = operand->offset;
		op->cmd.operand[i].addr = op->bo[i]->va + operand->offset;
		op->cmd.operand[i].view = operand->view;
	}
	op->writes_all = onsram_op_writes_all(uop, op->bo[0]->bytes);
	op->signature = onsram_op_signature(uop);
}

struct onsram_op *onsram_ops_build(struct onsram_context *ctx, const struct drm_onsram_op *uops,
				   u32 nr_ops, struct onsram_bo *const *bos, u32 nr_bos)
{
	struct drm_device *drm = &ctx->odev->drm;
	struct onsram_validate_error err;
	struct onsram_validate_bo *sizes;
	struct onsram_op *ops;
	u32 i;
	int ret = -ENOMEM;

	sizes = kvmalloc_array(nr_bos, sizeof(*sizes), GFP_KERNEL);
	ops = kvcalloc(nr_ops, sizeof(*ops), GFP_KERNEL_ACCOUNT);
	if (!sizes || !ops)
		goto err_free;
	for (i = 0; i < nr_bos; i++)
		sizes[i].size = bos[i]->bytes;

	for (i = 0; i < nr_ops; i++) {
		ret = onsram_validate_op(&uops[i], sizes, nr_bos, ctx->odev->max_op_work,
					 &err);
		if (ret) {
			drm_dbg(drm, "operation %u (opcode %u), slot %d: %s\n", i,
				uops[i].opcode, err.slot, err.why);
			goto err_free;
		}
		onsram_op_build(ctx, &uops[i], bos, &ops[i]);
	}
	kvfree(sizes);
	return ops;

err_free:
	kvfree(ops);
	kvfree(sizes);
	return ERR_PTR(ret);
}

/* Takes a reference to each buffer; @job owns what was found, also where this fails */
static int onsram_submit_bos(struct onsram_job *job, struct drm_file *file, u64 user, u32 nr)
{
	struct drm_gem_object **objs = NULL;
	int ret = drm_gem_objects_lookup(file, u64_to_user_ptr(user), nr, &objs);

	/* A pointer to the GEM object is one to the buffer, NULL where nothing was found */
	static_assert(!offsetof(struct onsram_bo, base.base));
	if (objs) {
		job->bos = (struct onsram_bo **)objs;
		job->nr_bos = nr;
	}
	return ret;
}

static int onsram_submit_ops(struct onsram_job *job, const struct drm_onsram_submit *args)
{
	struct drm_onsram_op *uops;
	struct onsram_op *ops;

	uops = onsram_copy_array(args->ops, args->nr_ops, args->op_stride, sizeof(*uops));
	if (IS_ERR(uops))
		return PTR_ERR(uops);
	ops = onsram_ops_build(job->ctx, uops, args->nr_ops, job->bos, job->nr_bos);
	kvfree(uops);
	if (IS_ERR(ops))
		return PTR_ERR(ops);

	job->ops = ops;
	job->nr_ops = args->nr_ops;
	return 0;
}

int onsram_job_submit(struct onsram_job *job, struct drm_file *file, struct onsram_syncs *syncs)
{
	struct dma_fence *fence;
	int ret;

	ret = onsram_job_init(job, file);
	if (!ret)
		ret = onsram_syncs_wait(syncs, file, &job->base);
	if (ret)
		goto err_job;

	fence = onsram_job_push(job);
	if (IS_ERR(fence)) {
		ret = PTR_ERR(fence);
		goto err_job;
	}
	onsram_syncs_signal(syncs, fence);
	dma_fence_put(fence);
	return 0;

err_job:
	onsram_job_free(job);
	return ret;
}

int onsram_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_submit *args = data;
	struct onsram_syncs syncs;
	struct onsram_job *job;
	int ret;

	if (args->flags || !args->nr_ops || args->nr_ops > DRM_ONSRAM_MAX_OPS ||
	    !args->nr_bos || args->nr_bos > DRM_ONSRAM_MAX_BOS)
		return -EINVAL;

	ret = onsram_syncs_init(&syncs, file, args->syncs, args->nr_syncs, args->sync_stride);
	if (ret)
		return ret;
	job = onsram_job_new(file->driver_priv, ONSRAM_JOB_OPS);
	if (IS_ERR(job)) {
		ret = PTR_ERR(job);
		goto out_syncs;
	}
	ret = onsram_submit_bos(job, file, args->bos, args->nr_bos);
	if (!ret)
		ret = onsram_submit_ops(job, args);
	if (ret)
		onsram_job_free(job);
	else
		ret = onsram_job_submit(job, file, &syncs);
out_syncs:
	onsram_syncs_fini(&syncs);
	return ret;
}
