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
 */
struct onsram_plan_interval {
	u32 tensor;
	u32 first_op;
	u32 last_op;
	u32 flags;
	u32 offset;
	u32 bytes;
	u64 begin;
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
 * struct onsram_plan - intervals with an index by operation
 * @ref: references: the graph's and each queued run's
 * @nr_ops: operations of the graph
 * @nr_intervals: number of intervals
 * @interval: sorted by first_op, those that overwrite behind the others
 * @start: @nr_ops + 1 indices into @interval: those that begin at operation i are
 *	@start[i] .. @start[i + 1] - 1
 * @end: @nr_ops + 1 indices into @by_end, likewise for intervals that end at i
 * @by_end: indices into @interval, sorted by last_op
 * @grown: per interval: its tensor's extent once all that begin at its first_op have
 * @shrunk: per interval: its tensor's extent once all that end at its last_op have
 */
struct onsram_plan {
	struct kref ref;
	u32 nr_ops;
	u32 nr_intervals;
	struct onsram_plan_interval *interval;
	u32 *start;
	u32 *end;
	u32 *by_end;
	struct onsram_plan_extent *grown;
	struct onsram_plan_extent *shrunk;
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
