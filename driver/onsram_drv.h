/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * onsram accelerator: the driver's central structures.
 *
 * Locks, outermost first:
 *   odev->reset_lock	one recovery, reset or suspend at a time
 *   dma_resv		of a job's buffers
 *   odev->submit_lock	order of jobs: arming and dma_resv publication, so that no two
 *			can depend on each other
 *   odev->poll_lock	the ends of commands are accounted for by one thread at a time
 *   odev->spm.lock	residency, the rings and the jobs on them: "queue order"
 *   odev->stats_lock	the totals that completion updates
 *   odev->charge_lock	what clients' memory costs; innermost
 * Nothing allocates or waits for a fence under poll_lock or inside it: fences
 * signal there.
 */
#ifndef _ONSRAM_DRV_H_
#define _ONSRAM_DRV_H_

#include <linux/dma-fence.h>
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

#include "onsram_hwif.h"
#include "onsram_engine.h"
#include "onsram_mmu.h"
#include "onsram_policy.h"
#include "onsram_residency.h"

struct onsram_context;
struct onsram_coredump;
struct onsram_link;
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
 * @queued: submitted jobs that name it and are not on a ring yet; guarded by spm.lock
 * @pending_dead: DEAD advice that waits for @queued to reach 0; guarded by spm.lock
 * @undefined: DEAD advice was given and no operation submitted since writes it; guarded by
 *	submit_lock
 * @writeback: fence of the last write-back that the CPU asked for, or NULL; guarded by spm.lock
 * @zombie: link in odev->zombies once freed with commands that move it on a ring
 * @cost: what it is charged to @ctx with, bytes
 */
struct onsram_bo {
	struct drm_gem_shmem_object base;
	u64 bytes;
	u64 va;
	u32 id;
	struct onsram_context *ctx;
	struct drm_mm_node va_node;
	struct onsram_residence res;
	u32 queued;
	bool pending_dead;
	bool undefined;
	struct dma_fence *writeback;
	struct list_head zombie;
	u64 cost;
};

#define to_onsram_bo(gem) container_of(to_drm_gem_shmem_obj(gem), struct onsram_bo, base)

/**
 * struct onsram_op - an operation, validated and immutable
 * @cmd: hardware command with every operand at its DRAM address; sequence and
 *	semaphores are filled in when it is emitted
 * @bo: buffer of each operand slot, NULL where the slot is not used
 * @bo_index: index of @bo among the buffers of the job or graph
 * @offset: bytes from the start of @bo to the operand's first element
 * @writes_all: the operation overwrites every byte of @bo[0]
 * @born: mask of slots whose buffer has no contents that are wanted: a graph's TRANSIENT at its
 *	first use, or an output that was dead when the job was submitted
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
	u32 born:8;
	u32 dies:8;
	u64 signature;
	u64 key;
};

/**
 * struct onsram_context - an open file and its device address space
 *
 * Jobs and buffers hold references, so it can outlive the file.
 *
 * @ref: references
 * @release: frees it, as the last reference may go where that is not allowed
 * @odev: device
 * @uid: user who opened the file
 * @client: id, unique while the driver is loaded, hardware context and @stats
 * @pt: page table
 * @compute: entity for operations
 * @copy: entity for write-back and prefetch
 * @policy: set by SET_POLICY; guarded by odev->policy_lock
 * @salt: of its operations' signatures, not 0 where its history is private; guarded by
 *	submit_lock
 * @history: signatures of the last three operations, newest first; guarded by submit_lock
 * @state: of the sequence that it is in, ONSRAM_STATE_START: in none; guarded by spm.lock
 * @died: struct onsram_died, buffers that died since it last submitted singly under AGENT;
 *	guarded by submit_lock
 * @nr_died: how many of them
 * @gone: the agent is told, or has been, that the file is: nothing of it is reported any
 *	more; guarded by poll_lock
 * @stats: totals; what residency does not count is guarded by stats_lock
 * @energy_fj: femtojoules, what stats.energy_pj is made of; guarded by stats_lock
 * @busy_ps: modelled time per engine; guarded by stats_lock
 * @charged: bytes of memory that its objects cost; guarded by charge_lock
 */
struct onsram_context {
	struct kref ref;
	struct work_struct release;
	struct onsram_device *odev;
	kuid_t uid;
	struct onsram_residency_client client;
	struct onsram_page_table pt;
	struct drm_sched_entity compute;
	struct drm_sched_entity copy;
	struct onsram_policy policy;
	u64 salt;
	u64 history[3];
	u32 state;
	struct list_head died;
	u32 nr_died;
	bool gone;
	struct drm_onsram_stats stats;
	u64 energy_fj;
	u64 busy_ps[ONSRAM_MAX_ENGINES];
	u64 charged;
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
 * @cost: what it is charged to @ctx with, bytes
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
	struct mutex lock; /* plan, gone */
	struct onsram_plan *plan;
	bool gone;
	u64 cost;
};

/**
 * struct onsram_device - a device
 * @drm: DRM device
 * @pdev: PCI function
 * @regs: BAR 0
 * @model: geometry and performance parameters
 * @max_op_work: ONSRAM_REG_MAX_OP_WORK
 * @version: ONSRAM_REG_VERSION
 * @caps: ONSRAM_REG_CAPS
 * @nr_engines: compute engines and the copy engine, which is the last one
 * @engine: engines
 * @ring_ops: what becomes of their commands
 * @poll_lock: see the top of this file
 * @idle_wait: woken when commands have ended
 * @sched: their schedulers; entities point into it
 * @intx_latched: where all share INTx, interrupts that its thread has yet to look at
 * @ctx_table: context table, one entry per asid
 * @ctx_table_dma: its bus address
 * @open_lock: of two files only one can take the last context
 * @contexts: asid -> context
 * @va_lock: guards @va_mm
 * @va_mm: device virtual addresses
 * @next_bo: id of the next buffer
 * @graphs: id -> graph
 * @next_graph: xa_alloc_cyclic's cursor
 * @submit_lock: see the top of this file
 * @spm: SPM ranges and residency
 * @generation: how often SPM contents were lost (reset, power); guarded by spm.lock
 * @link: to the policy daemon
 * @policy_lock: guards @policy and that of contexts
 * @policy: default of open files
 * @fallback: policy where there is no plan or rule
 * @zombies: buffers that wait for the commands that move them; guarded by spm.lock
 * @reap: frees them
 * @stats_lock: guards the completion totals here, in spm.stats and in contexts
 * @energy_fj: femtojoules, what spm.stats.energy_pj is made of
 * @busy_ps: modelled busy time per engine
 * @charge_lock: guards @charged here and in contexts
 * @charged: bytes of memory that the objects of all contexts cost
 * @coredump: memory for one
 * @tdr_wq: ordered, for the schedulers' timeouts
 * @reset_lock: one recovery, reset or suspend at a time; outermost
 * @wedged: it did not stop or did not come out of a reset: it is no bus master, and jobs fail
 *	at once
 * @frozen: a PCI reset is under way, which holds @reset_lock
 */
struct onsram_device {
	struct drm_device drm;
	struct pci_dev *pdev;
	void __iomem *regs;
	struct onsram_model model;
	u64 max_op_work;
	u32 version;
	u32 caps;
	u32 nr_engines;
	struct onsram_engine engine[ONSRAM_MAX_ENGINES];
	const struct onsram_ring_ops *ring_ops;
	struct mutex poll_lock; /* ends of commands */
	wait_queue_head_t idle_wait;
	struct drm_gpu_scheduler *sched[ONSRAM_MAX_ENGINES];
	atomic_t intx_latched;
	__le64 *ctx_table;
	dma_addr_t ctx_table_dma;
	struct mutex open_lock; /* contexts, against other opens */
	struct xarray contexts;
	struct mutex va_lock; /* va_mm */
	struct drm_mm va_mm;
	atomic_t next_bo;
	struct xarray graphs;
	u32 next_graph;
	struct mutex submit_lock; /* order of jobs */
	struct onsram_spm spm;
	u64 generation;
	struct onsram_link *link;
	spinlock_t policy_lock; /* policy, here and of contexts */
	struct onsram_policy policy;
	u32 fallback;
	struct list_head zombies;
	struct work_struct reap;
	spinlock_t stats_lock; /* completion totals */
	u64 energy_fj;
	u64 busy_ps[ONSRAM_MAX_ENGINES];
	spinlock_t charge_lock; /* charged */
	u64 charged;
	struct onsram_coredump *coredump;
	struct workqueue_struct *tdr_wq;
	struct mutex reset_lock; /* one recovery at a time */
	bool wedged;
	bool frozen;
};

#define to_onsram_device(d) container_of(d, struct onsram_device, drm)

static inline struct onsram_engine *onsram_copy_engine(struct onsram_device *odev)
{
	return &odev->engine[odev->nr_engines - 1];
}

static inline struct onsram_bo *onsram_res_to_bo(struct onsram_residence *res)
{
	return container_of(res, struct onsram_bo, res);
}

/* onsram_context.c */

/**
 * onsram_context_new() - an empty address space; -ENOSPC when the device has no context left for
 * the caller, -EMFILE when the caller's user has as many as the module parameter user_contexts
 * allows, -ENOMEM
 */
struct onsram_context *onsram_context_new(struct onsram_device *odev);
struct onsram_context *onsram_context_get(struct onsram_context *ctx);
void onsram_context_put(struct onsram_context *ctx);
/** onsram_context_close() - the file is gone: kills what it queued */
void onsram_context_close(struct onsram_context *ctx);
/** onsram_context_make_private() - what is learnt from it concerns it alone from now on */
void onsram_context_make_private(struct onsram_context *ctx);
/**
 * onsram_context_bo_died() - nobody will read the buffer again; submit_lock held
 *
 * Noted for the policy daemon, in the order in which the client submits and frees.
 */
void onsram_context_bo_died(struct onsram_context *ctx, const struct onsram_bo *bo);
/** onsram_context_tell_died() - what died so far is not to wait for the next operation */
void onsram_context_tell_died(struct onsram_context *ctx);
/** onsram_context_stats() - a consistent copy of the totals */
void onsram_context_stats(struct onsram_context *ctx, struct drm_onsram_stats *stats);
/** onsram_device_stats() - likewise of the device */
void onsram_device_stats(struct onsram_device *odev, struct drm_onsram_stats *stats);

/* onsram_gem.c */

struct drm_gem_object *onsram_gem_create_object(struct drm_device *drm, size_t size);
/** onsram_bo_lookup() - a reference to a client's buffer, or NULL */
struct onsram_bo *onsram_bo_lookup(struct drm_file *file, u32 handle);
/** onsram_bo_reap() - work: frees buffers that no command on a ring moves any more */
void onsram_bo_reap(struct work_struct *work);

/* onsram_submit.c */

/** onsram_ops_build() - validates @uops and turns them into commands for @ctx; -EINVAL */
struct onsram_op *onsram_ops_build(struct onsram_context *ctx, const struct drm_onsram_op *uops,
				   u32 nr_ops, struct onsram_bo *const *bos, u32 nr_bos);
/**
 * onsram_op_enter_history() - its signature, which @salt makes that of a private history, and its
 * key; @history holds the signatures of the three before it, newest first, and takes it in
 */
void onsram_op_enter_history(struct onsram_op *op, u64 salt, u64 history[3]);

/* onsram_graph.c */

/** onsram_graph_lookup() - a reference by id, whoever owns it; NULL where there is none */
struct onsram_graph *onsram_graph_lookup(struct onsram_device *odev, u32 id);
/** onsram_graph_next() - a reference to the graph with the lowest id from @id on, or NULL */
struct onsram_graph *onsram_graph_next(struct onsram_device *odev, u32 id);
void onsram_graph_get(struct onsram_graph *graph);
void onsram_graph_put(struct onsram_graph *graph);
/**
 * onsram_graph_set_plan() - attaches a plan (takes the reference) or, NULL, detaches; wakes
 * WAIT_PLAN
 */
void onsram_graph_set_plan(struct onsram_graph *graph, struct onsram_plan *plan);
/** onsram_graphs_close() - destroys the graphs of a file that is gone */
void onsram_graphs_close(struct onsram_context *ctx);

/* ioctls */

int onsram_ioctl_bo_create(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_bo_mmap_offset(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_bo_info(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_bo_cpu_prep(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_bo_cpu_fini(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_bo_madvise(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_submit(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_graph_create(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_graph_destroy(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_graph_run(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_graph_wait_plan(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_set_policy(struct drm_device *drm, void *data, struct drm_file *file);
int onsram_ioctl_agent_sync(struct drm_device *drm, void *data, struct drm_file *file);

/* onsram_drv.c, onsram_fdinfo.c, onsram_sysfs.c */

extern const struct drm_driver onsram_drm_driver;
/* Flushed before the module goes: whatever frees devices, contexts and buffers late */
extern struct workqueue_struct *onsram_wq;
extern struct pci_driver onsram_pci_driver;
extern const struct attribute_group *onsram_attr_groups[];
void onsram_show_fdinfo(struct drm_printer *p, struct drm_file *file);

#endif
