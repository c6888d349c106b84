/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan: which tensors of a graph lie where in the SPM during which operations.
 *
 * The policy daemon makes it, onsram_plan_build() checks it, residency follows
 * it.  Immutable once built.
 */
#ifndef _ONSRAM_PLAN_H_
#define _ONSRAM_PLAN_H_

#include <linux/kref.h>
#include <linux/types.h>

#include <drm/onsram_accel.h>
#include <linux/onsram_netlink.h>

/**
 * struct onsram_plan_interval - the stay of a part of a tensor in the SPM; see enum
 *	onsram_attr_interval
 * @tensor: index in the graph
 * @first_op: first operation of the stay
 * @last_op: last operation of the stay, inclusive
 * @flags: ONSRAM_INTERVAL_*
 * @offset: SPM offset, a multiple of the granule
 * @bytes: of the part, a multiple of the granule
 * @begin: first byte of the part, a multiple of the granule
 * @reserve_op: operation at which its place is taken and its fetch may start
 * @release_op: operation at which its place is free and its write-back through; the number
 *	of operations: behind the last
 */
struct onsram_plan_interval {
	u32 tensor;
	u32 first_op;
	u32 last_op;
	u32 flags;
	u32 offset;
	u32 bytes;
	u64 begin;
	u32 reserve_op;
	u32 release_op;
};

/**
 * struct onsram_plan_extent - what of a tensor is in the SPM
 * @begin: first byte
 * @bytes: how many; 0: nothing
 * @offset: where they are
 */
struct onsram_plan_extent {
	u64 begin;
	u32 bytes;
	u32 offset;
};

/**
 * struct onsram_plan_tensor - a tensor of the graph a plan is made for
 * @bytes: size of its buffer
 * @flags: DRM_ONSRAM_TENSOR_*
 */
struct onsram_plan_tensor {
	u64 bytes;
	u32 flags;
};

/**
 * struct onsram_plan_graph - the graph a plan is made for
 * @ops: validated operations; operand.bo indexes @tensors
 * @nr_ops: number of operations
 * @tensors: tensors
 * @nr_tensors: number of tensors
 */
struct onsram_plan_graph {
	const struct drm_onsram_op *ops;
	u32 nr_ops;
	const struct onsram_plan_tensor *tensors;
	u32 nr_tensors;
};

/**
 * enum onsram_plan_event - what happens to an interval at an operation
 * @ONSRAM_PLAN_RESERVE: in front of reserve_op
 * @ONSRAM_PLAN_FIRST: in front of first_op
 * @ONSRAM_PLAN_LAST: behind last_op
 * @ONSRAM_PLAN_RELEASE: in front of release_op
 */
enum onsram_plan_event {
	ONSRAM_PLAN_RESERVE,
	ONSRAM_PLAN_FIRST,
	ONSRAM_PLAN_LAST,
	ONSRAM_PLAN_RELEASE,
	ONSRAM_PLAN_EVENTS
};

/**
 * struct onsram_plan_index - intervals by the operation of an event
 * @at: nr_ops + 2 indices into @which: those of operation i are @at[i] .. @at[i + 1] - 1
 * @which: indices of intervals, in their order where the operation is the same
 * @extent: like @which: of RESERVE and RELEASE, what of the tensor has a place when all of the
 *	operation's events are through; of LAST, what of it stays for later operations
 */
struct onsram_plan_index {
	u32 *at;
	u32 *which;
	struct onsram_plan_extent *extent;
};

/**
 * struct onsram_plan - intervals with an index by operation
 * @ref: references: the graph's and each queued run's
 * @nr_ops: operations of the graph
 * @nr_intervals: number of intervals
 * @interval: in the order they were given
 * @low: first byte of the SPM that any of them lies in
 * @high: behind the last one
 * @event: when what happens to them
 */
struct onsram_plan {
	struct kref ref;
	u32 nr_ops;
	u32 nr_intervals;
	struct onsram_plan_interval *interval;
	u64 low;
	u64 high;
	struct onsram_plan_index event[ONSRAM_PLAN_EVENTS];
};

/**
 * onsram_plan_build() - check a plan and index it
 * @iv: intervals in any order; copied
 * @n: number of intervals; 0 is a plan that holds nothing
 * @graph: what it is for
 * @spm_size: bytes of SPM, staging window included
 * @why: set to a static text where the plan is refused
 *
 * Return: a plan with one reference, or an ERR_PTR: -EINVAL refused, -ENOSPC
 * more than the SPM less the staging window held at once, -ENOMEM.
 */
struct onsram_plan *onsram_plan_build(const struct onsram_plan_interval *iv, u32 n,
				      const struct onsram_plan_graph *graph, u64 spm_size,
				      const char **why);

/** onsram_plan_get() - take a reference; NULL is allowed */
struct onsram_plan *onsram_plan_get(struct onsram_plan *plan);
/** onsram_plan_put() - drop a reference; NULL is allowed */
void onsram_plan_put(struct onsram_plan *plan);

#endif
