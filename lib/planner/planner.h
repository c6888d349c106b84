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
	X(BOUNDARY,	"input or output used once: it must cross DRAM anyway")

enum onsram_reason {
#define ONSRAM_X(name, what) ONSRAM_REASON_##name,
	ONSRAM_REASONS(ONSRAM_X)
#undef ONSRAM_X
	ONSRAM_REASON_COUNT
};

/** onsram_reason_text() - the words of a reason */
const char *onsram_reason_text(enum onsram_reason r);

/** struct onsram_interval - a stay in the SPM; fields as the netlink attribute INTERVAL */
struct onsram_interval {
	uint32_t tensor;
	uint32_t first_op;
	uint32_t last_op;
	uint32_t flags;		/* ONSRAM_INTERVAL_* */
	uint32_t offset;
	uint32_t bytes;
};

/**
 * struct onsram_plan - a plan and what it is worth
 * @intervals: by first_op; no two overlap in both time and place
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
 *	one compute engine.  The driver's zeroing of SPM that another client used
 *	before is not in it
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
 * @iv: intervals in any order
 * @n: how many; 0 is the baseline
 * @again: a later run: KEEP tensors are resident from its start
 *
 * Per operation, as the driver does it: fetches of intervals that begin (but where
 * the operation writes the whole tensor, or is a TRANSIENT's first use), the
 * operation with its resident operands in the SPM and the SPM less all resident
 * tensors as staging window, write-backs of dirty tensors whose interval ends (but
 * of a TRANSIENT behind its last use).
 *
 * Return: 0, or -1 without memory.
 */
int onsram_plan_price(const struct onsram_model *m, const struct onsram_plan_graph *g,
		      const struct onsram_interval *iv, uint32_t n, bool again,
		      struct onsram_price *price);

/** onsram_plan_static() - OnSRAM-Static, priced by the performance model. Return: NULL without memory */
struct onsram_plan *onsram_plan_static(const struct onsram_model *m, const struct onsram_plan_graph *g);
/** onsram_plan_none() - a plan that holds nothing */
struct onsram_plan *onsram_plan_none(const struct onsram_model *m, const struct onsram_plan_graph *g);
/** onsram_plan_free() - NULL is allowed */
void onsram_plan_free(struct onsram_plan *p);

/** struct onsram_rect - an allocation problem's buffer: live in [lower, upper), offset is the answer */
struct onsram_rect {
	uint64_t lower;
	uint64_t upper;
	uint64_t size;
	uint64_t offset;
};

/**
 * onsram_allocate() - give every buffer an offset so that none overlap
 *
 * Return: 0, or -1 where no placement within @capacity was found.
 */
int onsram_allocate(struct onsram_rect *rects, size_t n, uint64_t capacity);

#endif
