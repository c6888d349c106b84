/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * onsram accelerator: the driver's central structures.
 *
 * Locks, outermost first:
 *   odev->submit_lock	job arming and dma_resv publication, so that no two jobs
 *			can depend on each other
 *   odev->spm.lock	residency and emission onto any ring: "queue order"
 *   engine->lock	an engine's in-flight list and ring bookkeeping
 *   odev->stats_lock	the totals that completion updates
 * Nothing allocates or waits for a fence under spm.lock or inside it: the
 * completion path takes it.
 */
#ifndef _ONSRAM_DRV_H_
#define _ONSRAM_DRV_H_

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_mm.h>
#include <drm/gpu_scheduler.h>
#include <drm/onsram_accel.h>

#include "onsram_hw.h"
#include "onsram_engine.h"
#include "onsram_mmu.h"
#include "onsram_residency.h"

struct onsram_context;
struct onsram_plan;

/**
 * struct onsram_bo - a buffer object: one tensor, the unit of residency
 * @base: pages in system memory, its DRAM home
 * @bytes: size as asked for
 * @va: device virtual address, the same for every context
 * @id: unique on the device
 * @ctx: context that created it, the only one it is mapped into
 * @va_node: its range in odev->va_mm
 * @res: residency; guarded by spm.lock
 * @generation: how often its contents were lost; guarded by spm.lock
 * @seen_generation: @generation the CPU was last told about; guarded by spm.lock
 * @queued: submitted jobs that name it and are not on a ring yet; guarded by spm.lock
 * @pending_dead: DEAD advice that waits for @queued to reach 0; guarded by spm.lock
 * @action_engine: engine of the last placement action that moved it
 * @action_seq: sequence of that action; its pages stay mapped until it completes
 * @zombie: link in odev->zombies once freed with an action in flight
 */
struct onsram_bo {
	struct drm_gem_shmem_object base;
	u64 bytes;
	u64 va;
	u32 id;
	struct onsram_context *ctx;
	struct drm_mm_node va_node;
	struct onsram_residence res;
	u64 generation;
	u64 seen_generation;
	u32 queued;
	bool pending_dead;
	u32 action_engine;
	u64 action_seq;
	struct list_head zombie;
};

#define to_onsram_bo(gem) container_of(to_drm_gem_shmem_obj(gem), struct onsram_bo, base)

/**
 * struct onsram_op - an operation, validated and immutable
 * @cmd: hardware command with every operand at its DRAM address; sequence,
 *	semaphores and asid are filled in when it is emitted
 * @bo: buffer of each operand slot, NULL where the slot is not used
 * @bo_index: index of @bo among the buffers of the job or graph
 * @offset: bytes from the start of @bo to the operand's first element
 * @writes_all: the operation overwrites every byte of @bo[0]
 * @dies: mask of slots whose buffer is a graph's TRANSIENT and has its last use here
 * @signature: hash of opcode, attributes, views and which operands share a buffer
 * @key: @signature in the context of the three operations before it
 */
struct onsram_op {
	struct onsram_hw_cmd cmd;
	struct onsram_bo *bo[ONSRAM_MAX_OPERANDS];
	u32 bo_index[ONSRAM_MAX_OPERANDS];
	u64 offset[ONSRAM_MAX_OPERANDS];
	u32 writes_all:1;
	u32 dies:8;
	u64 signature;
	u64 key;
};

/**
 * enum onsram_push - what a pushed command is for
 * @ONSRAM_PUSH_OP: the operation itself; always fits
 * @ONSRAM_PUSH_ASSIGN: SPM ownership
 * @ONSRAM_PUSH_WRITEBACK: COPY of a tensor from SPM to DRAM
 * @ONSRAM_PUSH_FETCH: COPY of a tensor from DRAM to SPM
 */
enum onsram_push {
	ONSRAM_PUSH_OP,
	ONSRAM_PUSH_ASSIGN,
	ONSRAM_PUSH_WRITEBACK,
	ONSRAM_PUSH_FETCH,
};

/**
 * struct onsram_emit - where residency puts commands
 * @push: appends a copy of @cmd.  The caller fills opcode, asid (the owner's of
 *	what it touches), attr and operands or args; push fills sequence,
 *	semaphores and flags.  @bo is the tensor a WRITEBACK or FETCH moves, else
 *	NULL.  -ENOSPC when a placement action finds no room, which cannot
 *	happen as long as the caller looks at @room first.
 * @room: placement actions (everything but OP) that still fit.  OPs of the job
 *	are accounted for apart from it.
 */
struct onsram_emit {
	int (*push)(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		    enum onsram_push kind, struct onsram_bo *bo);
	u32 room;
};

/**
 * struct onsram_context - an open file and its device address space
 *
 * Jobs and buffers hold references, so it can outlive the file.
 *
 * @ref: references
 * @odev: device
 * @id: client id, unique while the driver is loaded
 * @asid: hardware context
 * @pt: page table
 * @compute: entity for operations
 * @copy: entity for write-back and prefetch
 * @policy: enum drm_onsram_policy set by SET_POLICY
 * @history: signatures of the last three operations, newest first; guarded by submit_lock
 * @stats: totals.  hits, misses, evictions, writebacks, prefetches, fallbacks,
 *	scrubs, dram_avoided_bytes, resident_bytes and peak_bytes belong to residency
 *	(spm.lock), the others to completion (stats_lock).
 * @busy_ps: modelled time per engine; guarded by stats_lock
 */
struct onsram_context {
	struct kref ref;
	struct onsram_device *odev;
	u32 id;
	u32 asid;
	struct onsram_page_table pt;
	struct drm_sched_entity compute;
	struct drm_sched_entity copy;
	u32 policy;
	u64 history[3];
	struct drm_onsram_stats stats;
	u64 busy_ps[ONSRAM_MAX_ENGINES];
};

/**
 * struct onsram_graph - a registered network
 * @ref: references: the file's, each queued run's, netlink's for as long as it looks
 * @odev: device
 * @ctx: owner
 * @id: index in odev->graphs, unique while the driver is loaded
 * @nr_ops: operations
 * @nr_tensors: buffers
 * @ops: operations in execution order
 * @bos: buffers, a reference each
 * @tensor_flags: DRM_ONSRAM_TENSOR_* of each buffer
 * @uops: operations as the owner gave them (operand.bo indexes @bos), for GRAPH_GET
 * @lock: guards @plan and @gone
 * @plan: attached plan or NULL
 * @gone: destroyed by its owner
 * @plan_wait: woken when @plan, @gone or the agent changes
 */
struct onsram_graph {
	struct kref ref;
	struct onsram_device *odev;
	struct onsram_context *ctx;
	u32 id;
	u32 nr_ops;
	u32 nr_tensors;
	struct onsram_op *ops;
	struct onsram_bo **bos;
	u32 *tensor_flags;
	struct drm_onsram_op *uops;
	struct mutex lock;
	struct onsram_plan *plan;
	bool gone;
	wait_queue_head_t plan_wait;
};

/**
 * struct onsram_run - what residency needs to know of the job an operation belongs to
 * @ctx: client
 * @policy: enum drm_onsram_policy, never DEFAULT
 * @fallback: NONE or LRU
 * @graph: graph or NULL for a SUBMIT
 * @plan: its plan when the job was submitted, or NULL; the job holds a reference
 * @nr_ops: operations of the job
 */
struct onsram_run {
	struct onsram_context *ctx;
	u32 policy;
	u32 fallback;
	struct onsram_graph *graph;
	struct onsram_plan *plan;
	u32 nr_ops;
};

/**
 * struct onsram_device - a device
 * @drm: DRM device
 * @pdev: PCI function
 * @regs: BAR 0
 * @model: geometry and performance parameters
 * @version: ONSRAM_REG_VERSION
 * @caps: ONSRAM_REG_CAPS
 * @nr_engines: compute engines and the copy engine, which is the last one
 * @engine: engines
 * @ctx_table: context table, one entry per asid
 * @ctx_table_dma: its bus address
 * @contexts: asid -> context
 * @va_lock: guards @va_mm
 * @va_mm: device virtual addresses
 * @next_bo: id of the next buffer
 * @graphs: id -> graph
 * @next_graph: xa_alloc_cyclic's cursor
 * @submit_lock: see the top of this file
 * @spm: SPM ranges and residency
 * @policy: default of new files
 * @fallback: policy where there is no plan or rule
 * @zombies: buffers that wait for their last placement action; guarded by spm.lock
 * @reap: frees them
 * @stats_lock: guards the completion totals here, in spm.stats and in contexts
 * @busy_ps: modelled busy time per engine
 * @tdr_wq: ordered: resets never run concurrently
 * @fault_irq: Linux interrupt of the fault vector
 * @resets: engine and device resets
 */
struct onsram_device {
	struct drm_device drm;
	struct pci_dev *pdev;
	void __iomem *regs;
	struct onsram_model model;
	u32 version;
	u32 caps;
	u32 nr_engines;
	struct onsram_engine engine[ONSRAM_MAX_ENGINES];
	__le64 *ctx_table;
	dma_addr_t ctx_table_dma;
	struct xarray contexts;
	struct mutex va_lock;
	struct drm_mm va_mm;
	atomic_t next_bo;
	struct xarray graphs;
	u32 next_graph;
	struct mutex submit_lock;
	struct onsram_spm spm;
	u32 policy;
	u32 fallback;
	struct list_head zombies;
	struct work_struct reap;
	spinlock_t stats_lock;
	u64 busy_ps[ONSRAM_MAX_ENGINES];
	struct workqueue_struct *tdr_wq;
	int fault_irq;
	atomic_t resets;
};

#define to_onsram_device(d) container_of(d, struct onsram_device, drm)

static inline struct onsram_engine *onsram_copy_engine(struct onsram_device *odev)
{
	return &odev->engine[odev->nr_engines - 1];
}

struct onsram_context *onsram_context_get(struct onsram_context *ctx);
void onsram_context_put(struct onsram_context *ctx);

#endif
