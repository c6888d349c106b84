// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffer objects: shmem pages mapped into their owner's device address space
 * for as long as they live.
 */

#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_utils.h>

#include "onsram_account.h"
#include "onsram_device.h"
#include "onsram_drv.h"
#include "onsram_job.h"

static void onsram_bo_unmap(struct onsram_bo *bo)
{
	struct onsram_device *odev = bo->ctx->odev;

	mutex_lock(&odev->va_lock);
	onsram_pt_unmap(&bo->ctx->pt, bo->va, bo->base.base.size);
	onsram_tlb_invalidate(odev, bo->ctx->client.asid);
	drm_mm_remove_node(&bo->va_node);
	mutex_unlock(&odev->va_lock);
}

static int onsram_bo_map(struct onsram_bo *bo)
{
	struct onsram_device *odev = bo->ctx->odev;
	struct scatterlist *sg;
	struct sg_table *sgt;
	u64 va;
	u32 i;
	int ret;

	sgt = drm_gem_shmem_get_pages_sgt(&bo->base);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	mutex_lock(&odev->va_lock);
	ret = drm_mm_insert_node(&odev->va_mm, &bo->va_node, bo->base.base.size);
	if (ret)
		goto out;
	va = bo->va_node.start;
	bo->va = va;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		ret = onsram_pt_map(&bo->ctx->pt, va, sg_dma_address(sg), sg_dma_len(sg), true);
		if (ret) {
			onsram_pt_unmap(&bo->ctx->pt, bo->va, bo->base.base.size);
			drm_mm_remove_node(&bo->va_node);
			goto out;
		}
		va += sg_dma_len(sg);
	}
out:
	mutex_unlock(&odev->va_lock);
	return ret;
}

static void onsram_bo_destroy(struct onsram_bo *bo)
{
	struct onsram_context *ctx = bo->ctx;
	u64 cost = bo->cost;

	if (drm_mm_node_allocated(&bo->va_node))
		onsram_bo_unmap(bo);
	dma_fence_put(bo->writeback);
	drm_gem_shmem_free(&bo->base);
	if (ctx) {
		onsram_uncharge(ctx, cost);
		onsram_context_put(ctx);
	}
}

/* Is no command that moves it on any ring? Called under spm.lock */
static bool onsram_bo_idle(struct onsram_bo *bo)
{
	struct onsram_needs needs = {};

	onsram_residency_all_needs(&bo->res, &needs);
	return onsram_needs_met(&bo->ctx->odev->spm.order, &needs);
}

void onsram_bo_reap(struct work_struct *work)
{
	struct onsram_device *odev = container_of(work, struct onsram_device, reap);
	struct onsram_bo *bo, *tmp;
	LIST_HEAD(idle);

	mutex_lock(&odev->spm.lock);
	list_for_each_entry_safe(bo, tmp, &odev->zombies, zombie)
		if (onsram_bo_idle(bo))
			list_move(&bo->zombie, &idle);
	mutex_unlock(&odev->spm.lock);

	list_for_each_entry_safe(bo, tmp, &idle, zombie)
		onsram_bo_destroy(bo);
}

/*
 * Jobs hold references, so only placement actions that another job caused can
 * still be on a ring here.
 */
static void onsram_gem_free(struct drm_gem_object *obj)
{
	struct onsram_bo *bo = to_onsram_bo(obj);
	struct onsram_device *odev = to_onsram_device(obj->dev);
	bool idle = true;

	if (bo->va) {
		mutex_lock(&odev->spm.lock);
		onsram_residency_discard(&odev->spm, &bo->res);
		idle = onsram_bo_idle(bo);
		if (!idle)
			list_add_tail(&bo->zombie, &odev->zombies);
		mutex_unlock(&odev->spm.lock);
	}
	if (idle)
		onsram_bo_destroy(bo);
	else
		/* The last completion may have passed before the buffer was listed */
		queue_work(onsram_wq, &odev->reap);
}

/* A buffer is mapped into one context only: nobody else can use a handle to it */
static int onsram_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	return to_onsram_bo(obj)->ctx == file->driver_priv ? 0 : -EACCES;
}

static void onsram_gem_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct onsram_bo *bo = to_onsram_bo(obj);
	struct onsram_device *odev = to_onsram_device(obj->dev);

	/* Its last handle: the client has no name for it any more */
	if (READ_ONCE(obj->handle_count) > 1)
		return;
	mutex_lock(&odev->submit_lock);
	if (!bo->undefined)
		onsram_context_bo_died(bo->ctx, bo);
	mutex_unlock(&odev->submit_lock);
}

static struct dma_buf *onsram_gem_export(struct drm_gem_object *obj, int flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static const struct drm_gem_object_funcs onsram_gem_funcs = {
	.free = onsram_gem_free,
	.open = onsram_gem_open,
	.close = onsram_gem_close,
	.export = onsram_gem_export,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
};

struct drm_gem_object *onsram_gem_create_object(struct drm_device *drm, size_t size)
{
	struct onsram_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);

	if (!bo)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&bo->zombie);
	bo->base.base.funcs = &onsram_gem_funcs;
	return &bo->base.base;
}

struct onsram_bo *onsram_bo_lookup(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);

	return obj ? to_onsram_bo(obj) : NULL;
}

int onsram_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct onsram_device *odev = to_onsram_device(drm);
	struct onsram_context *ctx = file->driver_priv;
	struct drm_onsram_bo_create *args = data;
	struct drm_gem_shmem_object *shmem;
	struct onsram_bo *bo;
	u64 cost;
	int ret, idx;

	if (args->flags || !args->size || args->size > DRM_ONSRAM_MAX_BO_SIZE)
		return -EINVAL;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	cost = onsram_bo_cost(args->size);
	ret = onsram_charge(ctx, cost);
	if (ret)
		goto out;
	shmem = drm_gem_shmem_create(drm, args->size);
	if (IS_ERR(shmem)) {
		onsram_uncharge(ctx, cost);
		ret = PTR_ERR(shmem);
		goto out;
	}
	bo = to_onsram_bo(&shmem->base);
	bo->bytes = args->size;
	bo->id = atomic_inc_return(&odev->next_bo);
	bo->ctx = onsram_context_get(ctx);
	bo->cost = cost;

	ret = onsram_bo_map(bo);
	if (!ret) {
		mutex_lock(&odev->spm.lock);
		onsram_residence_init(&bo->res, &bo->ctx->client, bo->va, bo->bytes);
		mutex_unlock(&odev->spm.lock);
		ret = drm_gem_handle_create(file, &shmem->base, &args->handle);
	}
	drm_gem_object_put(&shmem->base);
out:
	drm_dev_exit(idx);
	return ret;
}

int onsram_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_bo_mmap_offset *args = data;
	struct onsram_bo *bo;
	int ret;

	if (args->flags)
		return -EINVAL;
	bo = onsram_bo_lookup(file, args->handle);
	if (!bo)
		return -ENOENT;
	ret = drm_gem_create_mmap_offset(&bo->base.base);
	if (!ret)
		args->offset = drm_vma_node_offset_addr(&bo->base.base.vma_node);
	drm_gem_object_put(&bo->base.base);
	return ret;
}

int onsram_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct onsram_device *odev = to_onsram_device(drm);
	struct drm_onsram_bo_info *args = data;
	struct onsram_bo *bo = onsram_bo_lookup(file, args->handle);

	if (!bo)
		return -ENOENT;
	mutex_lock(&odev->spm.lock);
	args->residency = bo->res.state;
	args->size = bo->bytes;
	args->spm_bytes = onsram_residency_bytes(&bo->res);
	args->spm_offset = args->spm_bytes ? onsram_residency_offset(&bo->res) : 0;
	args->spm_begin = args->spm_bytes ? bo->res.begin : 0;
	args->generation = bo->res.generation;
	mutex_unlock(&odev->spm.lock);
	drm_gem_object_put(&bo->base.base);
	return 0;
}

/* Queues a write-back, unless one that was asked for before is still on its way */
static int onsram_bo_clean(struct onsram_bo *bo, struct dma_fence *pending,
			   struct dma_fence **fence)
{
	struct onsram_device *odev = bo->ctx->odev;
	struct dma_fence *old;

	if (pending && !dma_fence_is_signaled(pending)) {
		*fence = pending;
		return -EAGAIN;
	}
	dma_fence_put(pending);
	*fence = onsram_bo_job(bo, ONSRAM_JOB_WRITEBACK);
	if (IS_ERR(*fence))
		return PTR_ERR(*fence);
	mutex_lock(&odev->spm.lock);
	old = bo->writeback;
	bo->writeback = dma_fence_get(*fence);
	mutex_unlock(&odev->spm.lock);
	dma_fence_put(old);
	return -EAGAIN;
}

/*
 * One look at whether DRAM is current: 0 when it is, EIO when it never will be,
 * -EAGAIN with the fence of a write-back to wait for, or with NULL where commands
 * on the rings are to be waited for.
 */
static int onsram_bo_try_prep(struct onsram_bo *bo, bool write, struct dma_fence **fence,
			      struct onsram_needs *needs)
{
	struct onsram_device *odev = bo->ctx->odev;
	struct dma_fence *pending = NULL;
	bool dirty;
	int ret = 0;

	*fence = NULL;
	*needs = (struct onsram_needs) {};
	mutex_lock(&odev->spm.lock);
	onsram_residency_needs(&bo->res, write, needs);
	dirty = bo->res.state == DRM_ONSRAM_RESIDENCY_DIRTY;
	if (dirty)
		pending = dma_fence_get(bo->writeback);
	else if (!onsram_needs_met(&odev->spm.order, needs))
		ret = -EAGAIN;
	else if (onsram_residency_tell(&bo->res))
		ret = -EIO;
	else if (write)
		onsram_residency_written(&odev->spm, &bo->res);
	mutex_unlock(&odev->spm.lock);
	return dirty ? onsram_bo_clean(bo, pending, fence) : ret;
}

static int onsram_bo_wait_rings(struct onsram_bo *bo, const struct onsram_needs *needs,
				unsigned long timeout)
{
	struct onsram_device *odev = bo->ctx->odev;
	long left = wait_event_interruptible_timeout(odev->idle_wait,
						     onsram_needs_met(&odev->spm.order, needs),
						     timeout);

	return left < 0 ? left : left ? 0 : -ETIME;
}

int onsram_ioctl_bo_cpu_prep(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_bo_cpu_prep *args = data;
	bool write = args->flags & DRM_ONSRAM_CPU_WRITE;
	struct onsram_needs needs;
	struct dma_fence *fence;
	struct onsram_bo *bo;
	long left;
	int ret, idx;

	if (!args->flags || args->flags & ~(DRM_ONSRAM_CPU_READ | DRM_ONSRAM_CPU_WRITE))
		return -EINVAL;
	bo = onsram_bo_lookup(file, args->handle);
	if (!bo)
		return -ENOENT;

	do {
		left = dma_resv_wait_timeout(bo->base.base.resv, dma_resv_usage_rw(write), true,
					     drm_timeout_abs_to_jiffies(args->timeout_ns));
		if (left <= 0) {
			ret = left ? left : -ETIME;
			break;
		}
		ret = onsram_bo_try_prep(bo, write, &fence, &needs);
		if (ret != -EAGAIN)
			break;
		if (fence) {
			left = dma_fence_wait_timeout(fence, true,
						      drm_timeout_abs_to_jiffies(args->timeout_ns));
			dma_fence_put(fence);
			if (left <= 0)
				ret = left ? left : -ETIME;
		} else {
			left = drm_timeout_abs_to_jiffies(args->timeout_ns);
			ret = onsram_bo_wait_rings(bo, &needs, left);
			ret = ret ? ret : -EAGAIN;
		}
	} while (ret == -EAGAIN);

	if (!ret && write) {
		mutex_lock(&to_onsram_device(drm)->submit_lock);
		bo->undefined = false;
		mutex_unlock(&to_onsram_device(drm)->submit_lock);
	}

	/* Unplugging waits for those inside drm_dev_enter(), so not around the waits */
	if (!ret && drm_dev_enter(drm, &idx)) {
		dma_sync_sgtable_for_cpu(drm->dev, bo->base.sgt, DMA_BIDIRECTIONAL);
		drm_dev_exit(idx);
	} else if (!ret) {
		ret = -ENODEV;
	}
	drm_gem_object_put(&bo->base.base);
	return ret;
}

int onsram_ioctl_bo_cpu_fini(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_bo_cpu_fini *args = data;
	struct onsram_bo *bo;
	int idx;

	if (args->flags)
		return -EINVAL;
	bo = onsram_bo_lookup(file, args->handle);
	if (!bo)
		return -ENOENT;
	if (drm_dev_enter(drm, &idx)) {
		dma_sync_sgtable_for_device(drm->dev, bo->base.sgt, DMA_BIDIRECTIONAL);
		drm_dev_exit(idx);
	}
	drm_gem_object_put(&bo->base.base);
	return 0;
}

int onsram_ioctl_bo_madvise(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct onsram_device *odev = to_onsram_device(drm);
	struct drm_onsram_bo_madvise *args = data;
	bool dead = args->advice == DRM_ONSRAM_ADVICE_DEAD;
	struct dma_fence *fence;
	struct onsram_bo *bo;
	int ret = 0;

	if (args->flags || args->reserved || args->advice >= DRM_ONSRAM_ADVICE_COUNT)
		return -EINVAL;
	bo = onsram_bo_lookup(file, args->handle);
	if (!bo)
		return -ENOENT;

	mutex_lock(&odev->submit_lock);
	if (dead && !bo->undefined)
		onsram_context_bo_died(bo->ctx, bo);
	bo->undefined = dead;
	mutex_lock(&odev->spm.lock);
	bo->pending_dead = dead && bo->queued;
	if (dead && !bo->queued)
		onsram_residency_discard(&odev->spm, &bo->res);
	mutex_unlock(&odev->spm.lock);
	mutex_unlock(&odev->submit_lock);

	if (args->advice == DRM_ONSRAM_ADVICE_WILLNEED) {
		fence = onsram_bo_job(bo, ONSRAM_JOB_PREFETCH);
		ret = PTR_ERR_OR_ZERO(fence);
		if (!ret)
			dma_fence_put(fence);
	}
	drm_gem_object_put(&bo->base.base);
	return ret;
}
