/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs: what the scheduler runs on an engine.
 */
#ifndef _ONSRAM_JOB_H_
#define _ONSRAM_JOB_H_

#include <linux/dma-fence.h>

#include "onsram_drv.h"

struct onsram_syncs;

/**
 * enum onsram_job_kind - what a job does
 * @ONSRAM_JOB_OPS: operations of a SUBMIT or a graph, on a compute engine
 * @ONSRAM_JOB_WRITEBACK: writes one dirty tensor back, on the copy engine
 * @ONSRAM_JOB_PREFETCH: brings one tensor into free SPM, on the copy engine
 */
enum onsram_job_kind {
	ONSRAM_JOB_OPS,
	ONSRAM_JOB_WRITEBACK,
	ONSRAM_JOB_PREFETCH,
};

/**
 * struct onsram_fence - signalled when the last command of a job completed
 * @base: fence
 * @lock: its lock
 * @engine: where it runs, NULL until @base is initialised
 */
struct onsram_fence {
	struct dma_fence base;
	spinlock_t lock; /* of @base */
	struct onsram_engine *engine;
};

/**
 * struct onsram_retired - what the policy daemon learns of an operation
 * @resident: mask of slots used from the SPM
 * @time_ps: modelled, 0 where it was not carried out
 */
struct onsram_retired {
	u32 resident;
	u64 time_ps;
};

/**
 * struct onsram_job - a job
 * @base: scheduler's part
 * @odev: device
 * @engine: set when it is put on a ring
 * @kind: enum onsram_job_kind
 * @ctx: client
 * @policy: enum drm_onsram_policy, never DEFAULT
 * @fallback: NONE or LRU
 * @graph: graph, or NULL for a SUBMIT
 * @plan: its plan when the job was submitted, or NULL
 * @nr_ops: operations
 * @ops: operations; the graph's where there is one, else the job's own
 * @bos: buffers, a reference each; the graph's where there is one
 * @writes: bit map of @bos: contents are written
 * @nr_bos: how many
 * @fence: allocated at submission, initialised on the ring
 * @link: in engine->jobs
 * @first_seq: first command
 * @last_seq: last command
 * @queued: its buffers count it: armed, and not on a ring yet
 * @release: frees it
 * @started: a command of it has ended, so that @start_ps is set
 * @powered: it holds a runtime PM reference
 * @error: first error of its commands
 * @acct: what its commands cost; energy in @energy_fj
 * @energy_fj: femtojoules
 * @scrub: time_ps and spm_bytes of zeroing SPM that another client used, not in @acct
 * @scrub_fj: its energy, not in @energy_fj
 * @start_ps: modelled start of the first command
 * @end_ps: modelled end of the last
 * @retired: per operation, only under EAGER
 * @cost: what it is charged to @ctx with, bytes
 * @died: struct onsram_died, buffers that died before it was submitted; where @retired is
 */
struct onsram_job {
	struct drm_sched_job base;
	struct onsram_device *odev;
	struct onsram_engine *engine;
	enum onsram_job_kind kind;
	struct onsram_context *ctx;
	u32 policy;
	u32 fallback;
	struct onsram_graph *graph;
	struct onsram_plan *plan;
	u32 nr_ops;
	struct onsram_op *ops;
	struct onsram_bo **bos;
	unsigned long *writes;
	u32 nr_bos;
	struct onsram_fence *fence;
	struct list_head link;
	u64 first_seq;
	u64 last_seq;
	bool queued;
	bool started;
	struct work_struct release;
	bool powered;
	int error;
	struct drm_onsram_stats acct;
	u64 energy_fj;
	struct drm_onsram_stats scrub;
	u64 scrub_fj;
	u64 start_ps;
	u64 end_ps;
	struct onsram_retired *retired;
	u64 cost;
	struct list_head died;
};

#define to_onsram_job(j) container_of(j, struct onsram_job, base)

extern const struct drm_sched_backend_ops onsram_sched_ops;
/* onsram_retire.c: commands of jobs end */
extern const struct onsram_ring_ops onsram_job_ring_ops;

/** onsram_job_new() - a job without operations or buffers */
struct onsram_job *onsram_job_new(struct onsram_context *ctx, enum onsram_job_kind kind);
/** onsram_job_init() - makes it known to the scheduler once operations and buffers are in */
int onsram_job_init(struct onsram_job *job, struct drm_file *file);
/** onsram_job_free() - a job that was not armed, or has ended */
void onsram_job_free(struct onsram_job *job);
/**
 * onsram_job_push() - orders it behind earlier jobs on its buffers, arms and queues it; the
 * finished fence, or an ERR_PTR
 */
struct dma_fence *onsram_job_push(struct onsram_job *job);
/** onsram_job_submit() - queues a job with its syncobjs; takes the job, also where it fails */
int onsram_job_submit(struct onsram_job *job, struct drm_file *file, struct onsram_syncs *syncs);
/**
 * onsram_bo_job() - queues a WRITEBACK or PREFETCH of one buffer; its finished fence, or an
 * ERR_PTR
 */
struct dma_fence *onsram_bo_job(struct onsram_bo *bo, enum onsram_job_kind kind);

#endif
