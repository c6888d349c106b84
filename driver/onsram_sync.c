// SPDX-License-Identifier: GPL-2.0-only
/*
 * Syncobjs in and out.
 */

#include <linux/dma-fence-chain.h>
#include <linux/slab.h>

#include <drm/drm_syncobj.h>

#include "onsram_ioctl.h"
#include "onsram_sync.h"

static int onsram_sync_out_init(struct onsram_sync_out *out, struct drm_file *file,
				const struct drm_onsram_sync *sync)
{
	out->point = sync->point;
	if (sync->point) {
		out->chain = dma_fence_chain_alloc();
		if (!out->chain)
			return -ENOMEM;
	}
	out->syncobj = drm_syncobj_find(file, sync->handle);
	return out->syncobj ? 0 : -ENOENT;
}

int onsram_syncs_init(struct onsram_syncs *syncs, struct drm_file *file, u64 user, u32 nr,
		      u32 stride)
{
	u32 i;
	int ret;

	*syncs = (struct onsram_syncs) {};
	if (!nr)
		return 0;
	if (nr > DRM_ONSRAM_MAX_SYNCS)
		return -EINVAL;

	syncs->sync = onsram_copy_array(user, nr, stride, sizeof(*syncs->sync));
	if (IS_ERR(syncs->sync)) {
		ret = PTR_ERR(syncs->sync);
		syncs->sync = NULL;
		return ret;
	}
	syncs->nr = nr;
	syncs->out = kcalloc(nr, sizeof(*syncs->out), GFP_KERNEL);
	ret = syncs->out ? 0 : -ENOMEM;

	for (i = 0; !ret && i < nr; i++) {
		const struct drm_onsram_sync *sync = &syncs->sync[i];

		if (sync->flags == DRM_ONSRAM_SYNC_SIGNAL)
			ret = onsram_sync_out_init(&syncs->out[syncs->nr_out++], file, sync);
		else if (sync->flags != DRM_ONSRAM_SYNC_WAIT)
			ret = -EINVAL;
	}
	if (ret)
		onsram_syncs_fini(syncs);
	return ret;
}

void onsram_syncs_fini(struct onsram_syncs *syncs)
{
	u32 i;

	for (i = 0; i < syncs->nr_out; i++) {
		dma_fence_chain_free(syncs->out[i].chain);
		if (syncs->out[i].syncobj)
			drm_syncobj_put(syncs->out[i].syncobj);
	}
	kfree(syncs->out);
	kvfree(syncs->sync);
}

int onsram_syncs_wait(const struct onsram_syncs *syncs, struct drm_file *file,
		      struct drm_sched_job *job)
{
	struct dma_fence *fence;
	u32 i;
	int ret;

	for (i = 0; i < syncs->nr; i++) {
		const struct drm_onsram_sync *sync = &syncs->sync[i];

		if (sync->flags != DRM_ONSRAM_SYNC_WAIT)
			continue;
		ret = drm_syncobj_find_fence(file, sync->handle, sync->point, 0, &fence);
		if (ret)
			return ret;
		ret = drm_sched_job_add_dependency(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

void onsram_syncs_signal(struct onsram_syncs *syncs, struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < syncs->nr_out; i++) {
		struct onsram_sync_out *out = &syncs->out[i];

		if (out->chain) {
			drm_syncobj_add_point(out->syncobj, out->chain, fence, out->point);
			out->chain = NULL;
		} else {
			drm_syncobj_replace_fence(out->syncobj, fence);
		}
	}
}
