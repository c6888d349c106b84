/* SPDX-License-Identifier: MIT */
/* A graph as the planner works on it: operations to price, who uses what. */
#ifndef ONSRAM_PLANNER_FLOW_H
#define ONSRAM_PLANNER_FLOW_H

#include "planner.h"

#include <linux/onsram_netlink.h>

/** struct onsram_use - an operation that uses a tensor; @slots: mask of its operand slots */
struct onsram_use {
	uint32_t op;
	uint32_t slots;
};

/** ONSRAM_NO_USE - of a slot that names no tensor of the graph */
#define ONSRAM_NO_USE	UINT32_MAX

/**
 * struct onsram_flow - a graph's uses
 * @m: performance model
 * @g: graph
 * @ops: operations as the performance model takes them
 * @first: @g->nr_tensors + 1 indices into @use: those of tensor t are
 *	@first[t] .. @first[t + 1] - 1, by operation
 * @use: uses
 * @slot: per operation and operand slot: index into @use, or ONSRAM_NO_USE
 */
struct onsram_flow {
	const struct onsram_model *m;
	const struct onsram_plan_graph *g;
	struct onsram_perf_op *ops;
	uint32_t *first;
	struct onsram_use *use;
	uint32_t (*slot)[ONSRAM_MAX_OPERANDS];
};

/** onsram_flow_init() - 0, or -1 without memory */
int onsram_flow_init(struct onsram_flow *f, const struct onsram_model *m,
		     const struct onsram_plan_graph *g);
/** onsram_flow_fini() - also after a failed init */
void onsram_flow_fini(struct onsram_flow *f);
/** onsram_flow_uses() - operations that use @tensor; @use is the first one */
static inline uint32_t onsram_flow_uses(const struct onsram_flow *f, uint32_t tensor,
					const struct onsram_use **use)
{
	*use = f->use + f->first[tensor];
	return f->first[tensor + 1] - f->first[tensor];
}
/** onsram_flow_dirties() - whether a stay from @first to @last ends with a write-back */
bool onsram_flow_dirties(const struct onsram_flow *f, uint32_t tensor, uint32_t first, uint32_t last);
/**
 * onsram_flow_fetches() - whether a stay that begins at @op needs the contents from DRAM
 *
 * Not where the operation is the first use of a TRANSIENT tensor, or writes every
 * byte of the tensor without reading it.
 */
bool onsram_flow_fetches(const struct onsram_flow *f, uint32_t tensor, uint32_t op);
/** onsram_flow_moves() - bytes that an interval's fetch or write-back moves: words, as the driver does */
static inline uint64_t onsram_flow_moves(const struct onsram_flow *f, const struct onsram_interval *iv)
{
	uint64_t left = (f->g->tensors[iv->tensor].bytes - iv->begin + 3) / 4 * 4;

	return iv->bytes < left ? iv->bytes : left;
}
/**
 * onsram_flow_overwrites() - whether @b's place may be, in part or whole, what @a's was
 *
 * Where the operation that makes @b's tensor is the last to read @a's: it reads first.
 */
bool onsram_flow_overwrites(const struct onsram_flow *f, const struct onsram_interval *a,
			    const struct onsram_interval *b);
/** onsram_flow_bound() - onsram_bound() of the graph's order */
uint64_t onsram_flow_bound(const struct onsram_flow *f);

/** onsram_granules() - bytes rounded up to SPM granules */
static inline uint64_t onsram_granules(uint64_t bytes)
{
	return (bytes + ONSRAM_SPM_GRANULE - 1) / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE;
}

/** onsram_shared() - bytes of the SPM that are in the places of both */
static inline uint64_t onsram_shared(const struct onsram_interval *a, const struct onsram_interval *b)
{
	uint64_t low = a->offset > b->offset ? a->offset : b->offset;
	uint64_t end_a = (uint64_t)a->offset + a->bytes, end_b = (uint64_t)b->offset + b->bytes;
	uint64_t high = end_a < end_b ? end_a : end_b;

	return high > low ? high - low : 0;
}

/** onsram_staging() - staging window left beside @held resident bytes */
static inline uint64_t onsram_staging(const struct onsram_model *m, uint64_t held)
{
	return held < m->spm_size ? m->spm_size - held : 0;
}

#endif
