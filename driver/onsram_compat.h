/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels the driver builds for, Linux 6.12 and later.
 * Some are inside 6.12.y, so Kbuild looks at the headers instead of the version.
 */
#ifndef _ONSRAM_COMPAT_H_
#define _ONSRAM_COMPAT_H_

#include <linux/idr.h>
#include <linux/xarray.h>

#include <drm/drm_file.h>
#include <drm/gpu_scheduler.h>

static inline int onsram_sched_init(struct drm_gpu_scheduler *sched,
				    const struct drm_sched_backend_ops *ops,
				    u32 credits, long timeout,
				    struct workqueue_struct *timeout_wq,
				    const char *name, struct device *dev)
{
#ifdef ONSRAM_HAVE_SCHED_INIT_ARGS
	const struct drm_sched_init_args args = {
		.ops = ops,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = credits,
		.timeout = timeout,
		.timeout_wq = timeout_wq,
		.name = name,
		.dev = dev,
	};

	return drm_sched_init(sched, &args);
#else
	return drm_sched_init(sched, ops, NULL, DRM_SCHED_PRIORITY_COUNT,
			      credits, 0, timeout, timeout_wq, NULL, name, dev);
#endif
}

static inline int onsram_sched_job_init(struct drm_sched_job *job,
					struct drm_sched_entity *entity,
					u32 credits, void *owner, u64 client_id)
{
#ifdef ONSRAM_HAVE_SCHED_CLIENT_ID
	return drm_sched_job_init(job, entity, credits, owner, client_id);
#else
	return drm_sched_job_init(job, entity, credits, owner);
#endif
}

/* Every pending job has its hardware fence, so none is failed */
static inline void onsram_sched_go_on(struct drm_gpu_scheduler *sched)
{
#ifdef ONSRAM_HAVE_SCHED_START_ERRNO
	drm_sched_start(sched, 0);
#else
	drm_sched_start(sched);
#endif
}

#ifdef ONSRAM_HAVE_SCHED_STAT_RESET
#define ONSRAM_SCHED_STAT_HANDLED	DRM_GPU_SCHED_STAT_RESET
#else
#define ONSRAM_SCHED_STAT_HANDLED	DRM_GPU_SCHED_STAT_NOMINAL
#endif

/* Whether a file has a syncobj whose handle is @handle or above */
static inline bool onsram_has_syncobj_from(struct drm_file *file, u32 handle)
{
#ifdef ONSRAM_HAVE_SYNCOBJ_IDR
	int id = handle;
	bool found;

	spin_lock(&file->syncobj_table_lock);
	found = idr_get_next(&file->syncobj_idr, &id);
	spin_unlock(&file->syncobj_table_lock);
	return found;
#else
	unsigned long index = handle;

	return xa_find(&file->syncobj_xa, &index, ULONG_MAX, XA_PRESENT);
#endif
}

/* A member that VERSION copied and that kernels no longer have */
#ifdef ONSRAM_HAVE_DRIVER_DATE
#define ONSRAM_DRIVER_DATE	.date = "20260101",
#else
#define ONSRAM_DRIVER_DATE
#endif

#endif
