/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Syncobjs that a SUBMIT or RUN waits for and signals.
 */
#ifndef _ONSRAM_SYNC_H_
#define _ONSRAM_SYNC_H_

#include <drm/drm_file.h>
#include <drm/gpu_scheduler.h>
#include <drm/onsram_accel.h>

struct dma_fence;
struct dma_fence_chain;
struct drm_syncobj;

/**
 * struct onsram_sync_out - a syncobj to signal; @chain is the node of timeline point @point,
 * NULL for a binary one
 */
struct onsram_sync_out {
	struct drm_syncobj *syncobj;
	struct dma_fence_chain *chain;
	u64 point;
};

/**
 * struct onsram_syncs - the syncobjs of one call
 * @sync: as user space gave them
 * @nr: how many
 * @out: those to signal
 * @nr_out: how many
 */
struct onsram_syncs {
	struct drm_onsram_sync *sync;
	u32 nr;
	struct onsram_sync_out *out;
	u32 nr_out;
};

/**
 * onsram_syncs_init() - copies and checks, and takes what signalling needs; on failure nothing
 * is held
 */
int onsram_syncs_init(struct onsram_syncs *syncs, struct drm_file *file, u64 user, u32 nr,
		      u32 stride);
void onsram_syncs_fini(struct onsram_syncs *syncs);
/** onsram_syncs_wait() - makes @job depend on those to wait for */
int onsram_syncs_wait(const struct onsram_syncs *syncs, struct drm_file *file,
		      struct drm_sched_job *job);
/** onsram_syncs_signal() - attaches @fence to those to signal; cannot fail */
void onsram_syncs_signal(struct onsram_syncs *syncs, struct dma_fence *fence);

#endif
