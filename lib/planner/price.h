/* SPDX-License-Identifier: MIT */
/* What a run with a plan costs: the device's engines, carried out in their model. */
#ifndef ONSRAM_PLANNER_PRICE_H
#define ONSRAM_PLANNER_PRICE_H

#include "flow.h"

/**
 * struct onsram_transfer - a fetch or write-back on the copy engine
 * @interval: whose, or the last of those whose
 * @start_op: it may start when the operations before this one have completed
 * @need_op: this operation waits for it
 * @begin: first byte of the tensor that it moves
 * @bytes: how many
 * @writeback: from the SPM
 * @start_ps: when it began in the last run
 * @end_ps: when it was complete
 */
struct onsram_transfer {
	uint32_t interval;
	uint32_t start_op;
	uint32_t need_op;
	uint64_t begin;
	uint64_t bytes;
	bool writeback;
	uint64_t start_ps;
	uint64_t end_ps;
};

/** struct onsram_window - the part of a tensor that an operation finds in the SPM */
struct onsram_window {
	uint64_t begin;
	uint64_t end;
};

/**
 * struct onsram_pricer - prices plans of one graph, one after the other
 * @f: graph
 * @held: per operation: SPM bytes taken
 * @window: per use
 * @cost: per operation, as last priced
 * @key: what @cost follows from
 * @transfer: queue of the copy engine
 * @order: scratch: per operation, transfers up to there
 * @need: per operation: how many transfers of the queue it waits for
 * @start_ps: per operation
 * @end_ps: per operation
 */
struct onsram_pricer {
	const struct onsram_flow *f;
	uint64_t *held;
	struct onsram_window *window;
	struct onsram_cost *cost;
	struct onsram_price_key *key;
	struct onsram_transfer *transfer;
	uint32_t nr_transfers;
	uint32_t room;
	uint32_t *order;
	uint32_t *need;
	uint64_t *start_ps;
	uint64_t *end_ps;
};

/** onsram_pricer_init() - 0, or -1 without memory */
int onsram_pricer_init(struct onsram_pricer *p, const struct onsram_flow *f);
/** onsram_pricer_fini() - also after a failed init */
void onsram_pricer_fini(struct onsram_pricer *p);
/** onsram_pricer_run() - onsram_plan_price(), which leaves in @p how it came about */
int onsram_pricer_run(struct onsram_pricer *p, const struct onsram_interval *iv, uint32_t n, bool again,
		      struct onsram_price *price);

/** onsram_price_better() - less time, or as much with less energy */
static inline bool onsram_price_better(const struct onsram_price *a, const struct onsram_price *b)
{
	return a->time_ps < b->time_ps || (a->time_ps == b->time_ps && a->energy_fj < b->energy_fj);
}
/** onsram_by_reserve() - qsort()'s order of intervals in a plan */
int onsram_by_reserve(const void *a, const void *b);

#endif
