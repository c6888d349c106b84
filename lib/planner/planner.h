/* SPDX-License-Identifier: MIT */
/*
 * The planner: which tensors stay in the SPM, when and where.
 *
 * Pure: no device, no netlink.  The daemon plans graphs it reads from the
 * kernel, `onsram plan` plans programs on the host, with the same code.
 */
#ifndef ONSRAM_PLANNER_H
#define ONSRAM_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drm/onsram_accel.h>

#include "perf.h"

/** struct onsram_plan_tensor - a tensor as the planner sees it; @flags: DRM_ONSRAM_TENSOR_* */
struct onsram_plan_tensor {
	uint64_t bytes;
	uint32_t flags;
};

/** struct onsram_plan_graph - what is planned; operand.bo indexes @tensors */
struct onsram_plan_graph {
	const struct drm_onsram_op *ops;
	uint32_t nr_ops;
	const struct onsram_plan_tensor *tensors;
	uint32_t nr_tensors;
};

/**
 * ONSRAM_REASONS - why a tensor is, or is not, held
 */
#define ONSRAM_REASONS(X) \
	X(HELD,		"held") \
	X(UNUSED,	"no operation uses it") \
	X(NO_GAIN,	"holding it saves no time") \
	X(TOO_LARGE,	"larger than the SPM less the staging window") \
	X(NO_ROOM,	"tensors of more value fill the SPM while it is live") \
	X(FRAGMENTED,	"enough bytes are free, but not in one piece") \
	X(BOUNDARY,	"input or output used once: it must cross DRAM anyway") \
	X(NO_ACTIVATION, "no activation: this policy holds nothing else")

enum onsram_reason {
#define ONSRAM_X(name, what) ONSRAM_REASON_##name,
	ONSRAM_REASONS(ONSRAM_X)
#undef ONSRAM_X
	ONSRAM_REASON_COUNT
};

/** onsram_reason_text() - the words of a reason */
const char *onsram_reason_text(enum onsram_reason r);

/**
 * struct onsram_interval - a part of a tensor in the SPM for some operations
 * @tensor: index in the graph
 * @flags: ONSRAM_INTERVAL_*
 * @begin: first byte of the tensor that is there, a multiple of the granule
 * @bytes: how many, a multiple of the granule; of a whole tensor its size rounded up
 * @offset: place in the SPM, a multiple of the granule
 * @reserve_op: the place is taken from this operation on.  A fetch may start when the
 *	operation before has completed, and is complete before @first_op starts
 * @first_op: first operation that finds it there
 * @last_op: last one, inclusive
 * @release_op: a write-back may start when @last_op has completed and is complete
 *	before this operation starts, or before the run ends where it is their number;
 *	until then the place is taken
 *
 * @reserve_op <= @first_op <= @last_op < @release_op.  With @reserve_op == @first_op the
 * fetch runs between two operations, with @release_op == @last_op + 1 the write-back
 * does: nothing overlaps.
 */
struct onsram_interval {
	uint32_t tensor;
	uint32_t flags;
	uint64_t begin;
	uint32_t bytes;
	uint32_t offset;
	uint32_t reserve_op;
	uint32_t first_op;
	uint32_t last_op;
	uint32_t release_op;
};

/**
 * onsram_plan_check() - whether a set of intervals is a plan
 * @wrong: out, may be NULL: index of the interval that is not as it must be
 *
 * A place belongs to one interval at a time.  Intervals of a tensor that serve the
 * same operation hold different parts that follow each other in the tensor and in the
 * SPM, so that each operand has one window.  A fetch reads DRAM that is up to date: an
 * earlier interval's write-back precedes it in the queue.  No operation uses a tensor
 * whose fetch or write-back may be under way.  An interval without FETCH begins at an operation that
 * writes the whole tensor without reading it, or at a TRANSIENT's first use; one with
 * KEEP serves the last operation, and its place is nobody else's at any time.
 *
 * Return: NULL, or what is wrong (static text).
 */
const char *onsram_plan_check(const struct onsram_model *m, const struct onsram_plan_graph *g,
			      const struct onsram_interval *iv, uint32_t n, uint32_t *wrong);

/**
 * struct onsram_plan - a plan and what it is worth
 * @intervals: by reserve_op
 * @reason: per tensor
 * @time_ps: modelled time of a run with it, first run (KEEP tensors fetched)
 * @time_ps_again: of a later run
 * @baseline_ps: with nothing held
 * @bound_ps: onsram_bound() of the order
 * @peak_bytes: most SPM held at once
 */
struct onsram_plan {
	struct onsram_interval *intervals;
	uint32_t nr_intervals;
	enum onsram_reason *reason;
	uint64_t time_ps;
	uint64_t time_ps_again;
	uint64_t baseline_ps;
	uint64_t bound_ps;
	uint64_t peak_bytes;
};

/**
 * struct onsram_price - what a run of a graph costs
 * @time_ps: modelled time from the first command's start to the last one's end, on
 *	one compute engine and the copy engine.  The driver's zeroing of SPM that
 *	another client used before is not in it
 * @compute_ps: arithmetic alone
 * @dram_read_bytes: by operations and fetches
 * @dram_write_bytes: by operations and write-backs
 * @energy_fj: with static power
 */
struct onsram_price {
	uint64_t time_ps;
	uint64_t compute_ps;
	uint64_t dram_read_bytes;
	uint64_t dram_write_bytes;
	uint64_t energy_fj;
};

/**
 * onsram_plan_price() - what a run with given intervals costs
 * @iv: a plan by onsram_plan_check(); the order decides between transfers that may
 *	start at the same operation
 * @n: how many; 0 is the baseline
 * @again: a later run: KEEP tensors are resident from its start
 *
 * Operations run one after the other on a compute engine.  Transfers run one after the
 * other on the copy engine: those of the operation at which they may start (a fetch
 * @reserve_op, a write-back @last_op + 1) in ascending order, of the same operation
 * write-backs first, then as in @iv.  Parts of a tensor that follow each other are one
 * transfer where they start and are needed at the same operations.  A transfer starts when the one before it and the
 * operation before its own have completed; an operation starts when the transfers that
 * must be complete before it are.  The engines share DRAM as onsram_fluid_next() says.
 *
 * An interval fetches where it has FETCH, but for what the operation writes whole
 * without reading it.  It is written back if an operation wrote the tensor meanwhile,
 * but not with KEEP and not behind the last use of a TRANSIENT.  An operation's
 * operands have the bytes resident that onsram_slot_resident() says, and its staging
 * window is the SPM less every place taken at that operation.
 *
 * Return: 0, or -1 without memory.
 */
int onsram_plan_price(const struct onsram_model *m, const struct onsram_plan_graph *g,
		      const struct onsram_interval *iv, uint32_t n, bool again,
		      struct onsram_price *price);

/** struct onsram_plan_step - an operation of a run */
struct onsram_plan_step {
	uint64_t start_ps;
	uint64_t end_ps;
	struct onsram_cost cost;
};

/**
 * struct onsram_plan_move - a fetch, or write-back, on the copy engine
 * @interval: what it moves, or the last of those that it moves as one
 */
struct onsram_plan_move {
	uint32_t interval;
	bool writeback;
	uint64_t start_ps;
	uint64_t end_ps;
	struct onsram_cost cost;
};

/** struct onsram_plan_run - what a run comes to: its operations, its transfers in order */
struct onsram_plan_run {
	struct onsram_price price;
	struct onsram_plan_step *steps;
	struct onsram_plan_move *moves;
	uint32_t nr_moves;
};

/**
 * onsram_plan_carry_out() - onsram_plan_price(), telling what happens when
 * Return: 0, or -1 without memory; onsram_plan_run_release() in any case
 */
int onsram_plan_carry_out(const struct onsram_model *m, const struct onsram_plan_graph *g,
			  const struct onsram_interval *iv, uint32_t n, bool again,
			  struct onsram_plan_run *run);
/** onsram_plan_run_release() - free what it has */
void onsram_plan_run_release(struct onsram_plan_run *run);

#define ONSRAM_WORTH_DISPLACED	3

/**
 * struct onsram_worth - what a tensor's stays are worth, and what more of them would be
 * @saves_ps: how much longer a run without its stays takes
 * @saves_bytes: how much more would cross DRAM
 * @would_save_ps: how much shorter a run would be if all of it stayed from its first use to
 *	its last, and there were room; 0 where it does, or has one use
 * @missing_bytes: what there is then beyond the room, at the fullest operation
 * @full_op: that operation
 * @displaced: whose places are there, that of the least worth per byte first, up to
 *	@missing_bytes
 * @nr_displaced: how many
 */
struct onsram_worth {
	int64_t saves_ps;
	int64_t saves_bytes;
	int64_t would_save_ps;
	uint64_t missing_bytes;
	uint32_t full_op;
	uint32_t displaced[ONSRAM_WORTH_DISPLACED];
	uint32_t nr_displaced;
};

/**
 * onsram_plan_worth() - by the prices of the same plan with a tensor's stays changed
 * @worth: out, per tensor
 * Return: 0, or -1 without memory
 */
int onsram_plan_worth(const struct onsram_model *m, const struct onsram_plan_graph *g,
		      const struct onsram_interval *iv, uint32_t n, bool again, struct onsram_worth *worth);

/**
 * struct onsram_plan_options - what a plan may be, and how long to look for it
 * @whole: only whole tensors
 * @synchronous: transfers only between operations: @reserve_op == @first_op,
 *	@release_op == @last_op + 1
 * @activations_only: constants are neither held nor fetched ahead
 * @apart: nothing lies over what dies with the operation that makes it
 * @effort: 0 and 1: the default; twice that looks twice as long
 */
struct onsram_plan_options {
	bool whole;
	bool synchronous;
	bool activations_only;
	bool apart;
	uint32_t effort;
};

/**
 * onsram_plan_static() - OnSRAM-Static, priced by the performance model
 * @opt: restrictions; NULL: none
 *
 * The same input gives the same plan.  Return: NULL without memory.
 */
struct onsram_plan *onsram_plan_static(const struct onsram_model *m, const struct onsram_plan_graph *g,
				       const struct onsram_plan_options *opt);
/** onsram_plan_none() - a plan that holds nothing, whatever the options */
struct onsram_plan *onsram_plan_none(const struct onsram_model *m, const struct onsram_plan_graph *g,
				     const struct onsram_plan_options *opt);
/**
 * onsram_plan_paper() - OnSRAM-Static as published, whatever the options: paper.c tells what that is
 *
 * For the order of operations that goes with it see onsram_paper_order().
 */
struct onsram_plan *onsram_plan_paper(const struct onsram_model *m, const struct onsram_plan_graph *g,
				      const struct onsram_plan_options *opt);
/**
 * onsram_paper_order() - OnSRAM-Static's order of a graph's operations
 * @order: out, @g->nr_ops of them: the operations, first to last
 *
 * Return: 0, or -1 without memory.
 */
int onsram_paper_order(const struct onsram_model *m, const struct onsram_plan_graph *g, uint32_t *order);
/**
 * onsram_price_ideal() - a run with an SPM of unlimited size
 *
 * Weights and inputs are read once, by the operation that uses them first, outputs
 * written once; nothing else crosses DRAM, and nothing is fetched ahead of its use.
 * Return: 0, or -1 without memory.
 */
int onsram_price_ideal(const struct onsram_model *m, const struct onsram_plan_graph *g,
		       struct onsram_price *price);
/** onsram_plan_ideal() - a plan without intervals whose times are those of onsram_price_ideal() */
struct onsram_plan *onsram_plan_ideal(const struct onsram_model *m, const struct onsram_plan_graph *g,
				      const struct onsram_plan_options *opt);
/** onsram_plan_free() - NULL is allowed */
void onsram_plan_free(struct onsram_plan *p);

/** struct onsram_rect - an allocation problem's buffer: live in [lower, upper), offset is the answer */
struct onsram_rect {
	uint64_t lower;
	uint64_t upper;
	uint64_t size;
	uint64_t offset;
};

/** struct onsram_clock - asked every now and then whether to go on; without @go_on: to the end */
struct onsram_clock {
	bool (*go_on)(void *arg);
	void *arg;
};

/**
 * enum onsram_allocated - what onsram_allocate() found
 * @ONSRAM_ALLOCATED: a placement within the capacity
 * @ONSRAM_ALLOCATED_HIGHER: none; the lowest one found is higher
 * @ONSRAM_ALLOCATE_IMPOSSIBLE: likewise, and there is none within the capacity
 * @ONSRAM_ALLOCATE_INVALID: a buffer has no lifetime, or they are too many or too large
 * @ONSRAM_ALLOCATE_NO_MEMORY: no placement for want of memory
 */
enum onsram_allocated {
	ONSRAM_ALLOCATED,
	ONSRAM_ALLOCATED_HIGHER,
	ONSRAM_ALLOCATE_IMPOSSIBLE,
	ONSRAM_ALLOCATE_INVALID,
	ONSRAM_ALLOCATE_NO_MEMORY,
};

/**
 * onsram_allocate() - give every buffer an offset so that none overlap
 * @clock: NULL: until a placement within @capacity is found or it is sure that there is none
 * @height: out: highest end of a buffer
 */
enum onsram_allocated onsram_allocate(struct onsram_rect *rects, size_t n, uint64_t capacity,
				      const struct onsram_clock *clock, uint64_t *height);

#endif
