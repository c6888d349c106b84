/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * User interface of the onsram accelerator driver, /dev/accel/accel*.
 *
 * Conventions: every reserved field and every bit not named here must be zero
 * (EINVAL); arrays are (pointer, count, stride) and a stride larger than the
 * known structure must carry zeros in the rest (E2BIG, as for a stride beyond
 * DRM_ONSRAM_MAX_STRIDE); a bad handle is ENOENT; a malformed operation is
 * EINVAL; a device that is gone is ENODEV.  A call that fails has queued and
 * changed nothing.
 *
 * Of the DRM core's own calls the node serves VERSION, GET_CAP, GEM_CLOSE,
 * PRIME_* and SYNCOBJ_* but for SYNCOBJ_EVENTFD; any other is EOPNOTSUPP.  A
 * file has up to DRM_ONSRAM_MAX_SYNCOBJS syncobjs (ENOSPC), and a call takes no
 * more (EINVAL).
 *
 * What an open file's objects cost in memory is bounded, too: see BO_CREATE.
 * Beyond it BO_CREATE, GRAPH_CREATE, SUBMIT, GRAPH_RUN and BO_MADVISE WILLNEED
 * are ENOSPC, and ENOMEM where the machine is about to run out.
 */
#ifndef _UAPI_ONSRAM_ACCEL_H_
#define _UAPI_ONSRAM_ACCEL_H_

#include "drm.h"
#include "onsram_op.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_ONSRAM_DEV_QUERY		0x00
#define DRM_ONSRAM_BO_CREATE		0x01
#define DRM_ONSRAM_BO_MMAP_OFFSET	0x02
#define DRM_ONSRAM_BO_INFO		0x03
#define DRM_ONSRAM_BO_CPU_PREP		0x04
#define DRM_ONSRAM_BO_CPU_FINI		0x05
#define DRM_ONSRAM_BO_MADVISE		0x06
#define DRM_ONSRAM_SUBMIT		0x07
#define DRM_ONSRAM_GRAPH_CREATE		0x08
#define DRM_ONSRAM_GRAPH_DESTROY	0x09
#define DRM_ONSRAM_GRAPH_RUN		0x0a
#define DRM_ONSRAM_GRAPH_WAIT_PLAN	0x0b
#define DRM_ONSRAM_SET_POLICY		0x0c
#define DRM_ONSRAM_AGENT_SYNC		0x0d

/* Limits; also in struct drm_onsram_dev_info */
#define DRM_ONSRAM_MAX_OPS		4095	/* operations of a SUBMIT or a graph */
#define DRM_ONSRAM_MAX_BOS		8192	/* buffers a SUBMIT or a graph names */
#define DRM_ONSRAM_MAX_SYNCS		64
#define DRM_ONSRAM_MAX_BO_SIZE		(1ull << 32)
#define DRM_ONSRAM_MAX_SYNCOBJS		4096	/* of a file, and of a DRM_IOCTL_SYNCOBJ_* call */
#define DRM_ONSRAM_MAX_STRIDE		4096	/* bytes from one structure to the next */

/**
 * enum drm_onsram_policy - who decides what stays in the SPM
 * @DRM_ONSRAM_POLICY_DEFAULT: the device's sysfs attribute spm/policy
 * @DRM_ONSRAM_POLICY_NONE: nothing stays
 * @DRM_ONSRAM_POLICY_LRU: the kernel keeps outputs, evicting the least recently used
 * @DRM_ONSRAM_POLICY_AGENT: the policy daemon decides: graphs follow the plan that it
 *	attached, operations submitted singly the rules that it set
 *
 * AGENT acts as the fallback policy (sysfs spm/fallback_policy) where there is no
 * plan or rule, and counts a fallback.  Which of its policies the daemon follows
 * is a name that means nothing to the driver.
 */
enum drm_onsram_policy {
	DRM_ONSRAM_POLICY_DEFAULT = 0,
	DRM_ONSRAM_POLICY_NONE = 1,
	DRM_ONSRAM_POLICY_LRU = 2,
	DRM_ONSRAM_POLICY_AGENT = 3,
	DRM_ONSRAM_POLICY_COUNT
};

/* Bytes of the name of an agent's policy, the closing NUL included */
#define DRM_ONSRAM_POLICY_NAME_LEN	16

enum drm_onsram_query {
	DRM_ONSRAM_QUERY_INFO = 0,	/* struct drm_onsram_dev_info */
	DRM_ONSRAM_QUERY_STATS = 1,	/* struct drm_onsram_stats, of this open file */
};

/**
 * struct drm_onsram_dev_query - DRM_IOCTL_ONSRAM_DEV_QUERY
 * @query: enum drm_onsram_query
 * @size: in: room at @data, at most this much is written; out: size of the answer
 * @data: user pointer; 0 asks only for the size
 */
struct drm_onsram_dev_query {
	__u32 query;
	__u32 size;
	__u64 data;
};

#define DRM_ONSRAM_CAP_FUNCTIONAL	(1u << 0)	/* computes results, not only their time */

/**
 * struct drm_onsram_dev_info - what the device is
 * @hw_version: ONSRAM_REG_VERSION
 * @caps: ONSRAM_REG_CAPS: DRM_ONSRAM_CAP_*
 * @granule: unit of SPM placement, bytes
 * @staging_min: SPM bytes residency never takes
 * @max_ops: operations of a job
 * @max_bos: buffers of a job
 * @page_size: buffers are mapped in multiples of it, bytes
 * @reserved: 0
 * @max_op_work: most work an operation may have, see "Work" in onsram_op.h
 * @model: geometry and performance model
 */
struct drm_onsram_dev_info {
	__u32 hw_version;
	__u32 caps;
	__u32 granule;
	__u32 staging_min;
	__u32 max_ops;
	__u32 max_bos;
	__u32 page_size;
	__u32 reserved;
	__u64 max_op_work;
	struct onsram_model model;
};

/**
 * struct drm_onsram_stats - totals of an open file since it was opened
 * @time_ps: modelled time of its jobs, each from first start to last end; zeroing SPM that
 *	another client used before is not in it, nor in @spm_bytes and @energy_pj
 * @compute_ps: arithmetic alone
 * @dram_read_bytes: crossed DRAM, by operations and by placement
 * @dram_write_bytes: likewise
 * @dram_avoided_bytes: operand bytes that operations found in the SPM; of an operand that is
 *	resident in part its share of them
 * @spm_bytes: moved to and from SPM-resident operands
 * @macs: multiply-accumulates
 * @energy_pj: modelled energy
 * @hits: operands found resident, in part or whole
 * @misses: operands not resident, or in part or whole fetched for the operation
 * @evictions: tensors that lost their place to another
 * @writebacks: copies of a dirty tensor, or a part of it, to DRAM
 * @prefetches: copies of a tensor, or a part of it, into the SPM
 * @fallbacks: operations that ran without the plan or rule their policy asks for
 * @scrubs: ranges zeroed before another client saw them
 * @jobs: completed
 * @ops: completed operations
 * @errors: jobs that failed
 * @resident_bytes: SPM bytes this file holds now
 * @peak_bytes: most it ever held
 *
 * A time, energy or number of bytes that outgrows 64 bits has all bits set, and
 * stays so.
 */
struct drm_onsram_stats {
	__u64 time_ps;
	__u64 compute_ps;
	__u64 dram_read_bytes;
	__u64 dram_write_bytes;
	__u64 dram_avoided_bytes;
	__u64 spm_bytes;
	__u64 macs;
	__u64 energy_pj;
	__u64 hits;
	__u64 misses;
	__u64 evictions;
	__u64 writebacks;
	__u64 prefetches;
	__u64 fallbacks;
	__u64 scrubs;
	__u64 jobs;
	__u64 ops;
	__u64 errors;
	__u64 resident_bytes;
	__u64 peak_bytes;
};

/**
 * struct drm_onsram_bo_create - DRM_IOCTL_ONSRAM_BO_CREATE
 * @size: bytes, 1 to DRM_ONSRAM_MAX_BO_SIZE; the buffer reads as zeros.  A buffer
 *	is one tensor: the unit of residency
 * @flags: must be 0
 * @handle: out
 *
 * The pages are allocated here and stay.  A buffer costs whole pages and some
 * 4 KiB more; all that a file's, and a device's, objects may cost is the share
 * of memory that the module parameters client_mem_percent and
 * device_mem_percent say.
 */
struct drm_onsram_bo_create {
	__u64 size;
	__u32 flags;
	__u32 handle;
};

/**
 * struct drm_onsram_bo_mmap_offset - DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET
 * @handle: buffer
 * @flags: must be 0
 * @offset: out: fake offset for mmap(2)
 */
struct drm_onsram_bo_mmap_offset {
	__u32 handle;
	__u32 flags;
	__u64 offset;
};

/**
 * enum drm_onsram_residency - where the current contents of a tensor are
 * @DRM_ONSRAM_RESIDENCY_NONE: DRAM only
 * @DRM_ONSRAM_RESIDENCY_CLEAN: SPM, and the same in DRAM
 * @DRM_ONSRAM_RESIDENCY_DIRTY: SPM; DRAM is stale
 */
enum drm_onsram_residency {
	DRM_ONSRAM_RESIDENCY_NONE = 0,
	DRM_ONSRAM_RESIDENCY_CLEAN = 1,
	DRM_ONSRAM_RESIDENCY_DIRTY = 2,
};

/**
 * struct drm_onsram_bo_info - DRM_IOCTL_ONSRAM_BO_INFO
 * @handle: buffer
 * @residency: out: enum drm_onsram_residency, in queue order (jobs on the ring count as done)
 * @size: out: bytes as asked for at creation
 * @spm_offset: out: where it lies, unless residency is NONE
 * @spm_bytes: out: SPM bytes it takes, a multiple of the granule; 0 where not resident.  A
 *	part of the buffer may be resident, from byte @spm_begin on: what is not is in DRAM
 * @generation: out: how often its contents were lost (device reset, failed job or movement)
 * @spm_begin: out: first byte of the buffer that is resident
 */
struct drm_onsram_bo_info {
	__u32 handle;
	__u32 residency;
	__u64 size;
	__u64 spm_offset;
	__u64 spm_bytes;
	__u64 generation;
	__u64 spm_begin;
};

#define DRM_ONSRAM_CPU_READ	(1u << 0)
#define DRM_ONSRAM_CPU_WRITE	(1u << 1)

/**
 * struct drm_onsram_bo_cpu_prep - DRM_IOCTL_ONSRAM_BO_CPU_PREP
 * @handle: buffer
 * @flags: DRM_ONSRAM_CPU_*, at least one
 * @timeout_ns: absolute, CLOCK_MONOTONIC; in the past polls
 *
 * Waits for jobs that use the buffer and writes a dirty tensor back; WRITE also
 * ends its residency.  ETIME when time ran out, EIO when its contents are lost:
 * what a reset, a failed job or a failed movement took with it, and what was
 * computed from that.  A loss is reported once; jobs that read the buffer fail
 * until something writes it whole, or a call with WRITE has succeeded.
 */
struct drm_onsram_bo_cpu_prep {
	__u32 handle;
	__u32 flags;
	__s64 timeout_ns;
};

/**
 * struct drm_onsram_bo_cpu_fini - DRM_IOCTL_ONSRAM_BO_CPU_FINI: ends what CPU_PREP began;
 *   @flags must be 0
 */
struct drm_onsram_bo_cpu_fini {
	__u32 handle;
	__u32 flags;
};

/**
 * enum drm_onsram_advice - @DRM_ONSRAM_ADVICE_NORMAL takes other advice back
 * @DRM_ONSRAM_ADVICE_WILLNEED: bring it into the SPM where there is free room (never evicts)
 * @DRM_ONSRAM_ADVICE_DEAD: contents no longer wanted once queued jobs have run:
 *	never written back; the next operation that writes it takes the advice back
 */
enum drm_onsram_advice {
	DRM_ONSRAM_ADVICE_NORMAL = 0,
	DRM_ONSRAM_ADVICE_WILLNEED = 1,
	DRM_ONSRAM_ADVICE_DEAD = 2,
	DRM_ONSRAM_ADVICE_COUNT
};

/** struct drm_onsram_bo_madvise - DRM_IOCTL_ONSRAM_BO_MADVISE; @flags and @reserved must be 0 */
struct drm_onsram_bo_madvise {
	__u32 handle;
	__u32 advice;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct drm_onsram_operand - a tensor an operation reads or writes
 * @bo: index into the buffers the job or graph names
 * @reserved: must be 0
 * @offset: bytes from the buffer's start to element (0, 0, ...); a multiple of the element size
 * @view: its layout; every element must lie inside the buffer.  dtype NONE: slot
 *	not used, the whole operand must be zero
 *
 * The output must not overlap an input of the same operation, unless both are
 * the same view of the same buffer and the operation is ELEMENTWISE.
 */
struct drm_onsram_operand {
	__u32 bo;
	__u32 reserved;
	__u64 offset;
	struct onsram_view view;
};

/**
 * struct drm_onsram_op - one operation
 * @opcode: enum onsram_opcode
 * @flags: must be 0
 * @attr: attributes
 * @operand: slots as ONSRAM_OPERATIONS says; [0] is the output
 */
struct drm_onsram_op {
	__u32 opcode;
	__u32 flags;
	struct onsram_attr attr;
	struct drm_onsram_operand operand[ONSRAM_MAX_OPERANDS];
};

#define DRM_ONSRAM_SYNC_WAIT	(1u << 0)
#define DRM_ONSRAM_SYNC_SIGNAL	(1u << 1)

/**
 * struct drm_onsram_sync - a syncobj to wait for or to signal
 * @handle: syncobj
 * @flags: exactly one of DRM_ONSRAM_SYNC_*
 * @point: timeline point; 0 for a binary syncobj
 */
struct drm_onsram_sync {
	__u32 handle;
	__u32 flags;
	__u64 point;
};

/**
 * struct drm_onsram_submit - DRM_IOCTL_ONSRAM_SUBMIT: operations, run in order as one job
 * @ops: user pointer to struct drm_onsram_op[@nr_ops]
 * @bos: user pointer to buffer handles, __u32[@nr_bos]
 * @syncs: user pointer to struct drm_onsram_sync[@nr_syncs]
 * @nr_ops: 1 to DRM_ONSRAM_MAX_OPS
 * @op_stride: bytes, at least sizeof(struct drm_onsram_op), a multiple of 8
 * @nr_bos: 1 to DRM_ONSRAM_MAX_BOS
 * @nr_syncs: 0 to DRM_ONSRAM_MAX_SYNCS
 * @sync_stride: bytes, at least sizeof(struct drm_onsram_sync), a multiple of 8
 * @flags: must be 0
 *
 * Jobs of all clients that touch a buffer are ordered by its reservation object.
 */
struct drm_onsram_submit {
	__u64 ops;
	__u64 bos;
	__u64 syncs;
	__u32 nr_ops;
	__u32 op_stride;
	__u32 nr_bos;
	__u32 nr_syncs;
	__u32 sync_stride;
	__u32 flags;
};

/**
 * DRM_ONSRAM_TENSOR_* - what the graph's owner says of a buffer
 *
 * CONST: no operation of the graph writes it (weights).
 * TRANSIENT: contents are undefined before the graph's first write and not
 *	wanted after its last use in it (activations).
 * Neither: an input or output, whose contents matter before or after a run.
 */
#define DRM_ONSRAM_TENSOR_CONST		(1u << 0)
#define DRM_ONSRAM_TENSOR_TRANSIENT	(1u << 1)

/** struct drm_onsram_tensor - a buffer of a graph; @flags: DRM_ONSRAM_TENSOR_*, not both */
struct drm_onsram_tensor {
	__u32 handle;
	__u32 flags;
};

/**
 * struct drm_onsram_graph_create - DRM_IOCTL_ONSRAM_GRAPH_CREATE
 * @ops: user pointer to struct drm_onsram_op[@nr_ops], in execution order; operand.bo
 *	indexes @tensors
 * @tensors: user pointer to struct drm_onsram_tensor[@nr_tensors]; a buffer only once
 * @nr_ops: 1 to DRM_ONSRAM_MAX_OPS
 * @op_stride: bytes, at least sizeof(struct drm_onsram_op), a multiple of 8
 * @nr_tensors: 1 to DRM_ONSRAM_MAX_BOS
 * @tensor_stride: bytes, at least sizeof(struct drm_onsram_tensor), a multiple of 8
 * @flags: must be 0
 * @id: out: the graph, unique on the device for as long as the driver is loaded
 *
 * The operations are copied and validated here, once; RUN only queues them.
 * The graph keeps its buffers alive.
 */
struct drm_onsram_graph_create {
	__u64 ops;
	__u64 tensors;
	__u32 nr_ops;
	__u32 op_stride;
	__u32 nr_tensors;
	__u32 tensor_stride;
	__u32 flags;
	__u32 id;
};

/**
 * struct drm_onsram_graph_destroy - DRM_IOCTL_ONSRAM_GRAPH_DESTROY; runs already queued
 *   complete; @flags must be 0
 */
struct drm_onsram_graph_destroy {
	__u32 id;
	__u32 flags;
};

/**
 * struct drm_onsram_graph_run - DRM_IOCTL_ONSRAM_GRAPH_RUN: queue the graph once
 * @id: graph
 * @flags: must be 0
 * @syncs: as in struct drm_onsram_submit
 * @nr_syncs: as in struct drm_onsram_submit
 * @sync_stride: as in struct drm_onsram_submit
 */
struct drm_onsram_graph_run {
	__u32 id;
	__u32 flags;
	__u64 syncs;
	__u32 nr_syncs;
	__u32 sync_stride;
};

/**
 * struct drm_onsram_graph_wait_plan - DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN
 * @id: graph
 * @flags: must be 0
 * @timeout_ns: absolute, CLOCK_MONOTONIC
 *
 * 0 when a plan is attached, ETIME when none came in time, ENOTCONN when no
 * policy daemon is attached, EHOSTDOWN when the one attached is stalled.
 */
struct drm_onsram_graph_wait_plan {
	__u32 id;
	__u32 flags;
	__s64 timeout_ns;
};

/**
 * struct drm_onsram_set_policy - DRM_IOCTL_ONSRAM_SET_POLICY: the policy of this open file, for
 *   jobs submitted and graphs created from now on
 * @policy: enum drm_onsram_policy
 * @flags: must be 0
 * @name: AGENT: which of the agent's policies: letters, digits, '-' and '_', padded with NULs, at
 *	least one of which closes it; not default, none or lru.  Others: all NULs
 *
 * Return: 0; -EINVAL malformed; -ENOENT where an agent is attached that has no
 * policy of that name.  Without an agent every name is taken: one that comes
 * later may know it.
 */
struct drm_onsram_set_policy {
	__u32 policy;
	__u32 flags;
	char name[DRM_ONSRAM_POLICY_NAME_LEN];
};

#define DRM_ONSRAM_AGENT_SYNC_PRIVATE	(1u << 0)

/**
 * struct drm_onsram_agent_sync - DRM_IOCTL_ONSRAM_AGENT_SYNC: for clients that measure
 * @flags: 0 or DRM_ONSRAM_AGENT_SYNC_PRIVATE
 * @reserved: must be 0
 * @timeout_ns: absolute, CLOCK_MONOTONIC
 *
 * Waits until the policy daemon has digested every operation of this file that
 * has completed, and until the rules and plans it made of them are in place.
 *
 * PRIVATE, for as long as the file is open: what the daemon learns from the file
 * begins with nothing and concerns no other file, and what it concludes comes
 * into force at the file's next AGENT_SYNC, not between two.
 *
 * 0 when that is so, ETIME when it was not in time, ENOTCONN when no policy
 * daemon is attached, EHOSTDOWN when the one attached is stalled: it has not
 * answered for the driver's parameter agent_timeout_ms, and nobody waits for it
 * until it does.
 */
struct drm_onsram_agent_sync {
	__u32 flags;
	__u32 reserved;
	__s64 timeout_ns;
};

#define DRM_IOCTL_ONSRAM_DEV_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_ONSRAM_DEV_QUERY, struct drm_onsram_dev_query)
#define DRM_IOCTL_ONSRAM_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_ONSRAM_BO_CREATE, struct drm_onsram_bo_create)
#define DRM_IOCTL_ONSRAM_BO_MMAP_OFFSET \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_ONSRAM_BO_MMAP_OFFSET, struct drm_onsram_bo_mmap_offset)
#define DRM_IOCTL_ONSRAM_BO_INFO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_ONSRAM_BO_INFO, struct drm_onsram_bo_info)
#define DRM_IOCTL_ONSRAM_BO_CPU_PREP \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_BO_CPU_PREP, struct drm_onsram_bo_cpu_prep)
#define DRM_IOCTL_ONSRAM_BO_CPU_FINI \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_BO_CPU_FINI, struct drm_onsram_bo_cpu_fini)
#define DRM_IOCTL_ONSRAM_BO_MADVISE \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_BO_MADVISE, struct drm_onsram_bo_madvise)
#define DRM_IOCTL_ONSRAM_SUBMIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_SUBMIT, struct drm_onsram_submit)
#define DRM_IOCTL_ONSRAM_GRAPH_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_ONSRAM_GRAPH_CREATE, struct drm_onsram_graph_create)
#define DRM_IOCTL_ONSRAM_GRAPH_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_GRAPH_DESTROY, struct drm_onsram_graph_destroy)
#define DRM_IOCTL_ONSRAM_GRAPH_RUN \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_GRAPH_RUN, struct drm_onsram_graph_run)
#define DRM_IOCTL_ONSRAM_GRAPH_WAIT_PLAN \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_GRAPH_WAIT_PLAN, struct drm_onsram_graph_wait_plan)
#define DRM_IOCTL_ONSRAM_SET_POLICY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_SET_POLICY, struct drm_onsram_set_policy)
#define DRM_IOCTL_ONSRAM_AGENT_SYNC \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ONSRAM_AGENT_SYNC, struct drm_onsram_agent_sync)

#if defined(__cplusplus)
}
#endif

#endif
