/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels the driver builds for.  The scheduler's
 * interface changed inside 6.12.y, so Kbuild looks at the headers instead of
 * the version.
 */
#ifndef _ONSRAM_COMPAT_H_
#define _ONSRAM_COMPAT_H_

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

#endif
