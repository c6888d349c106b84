/* SPDX-License-Identifier: MIT */
/*
 * A plan being made: stays in the SPM that could be taken, those that are, and
 * what the run costs with them.
 */
#ifndef ONSRAM_PLANNER_SEARCH_H
#define ONSRAM_PLANNER_SEARCH_H

#include "flow.h"

/**
 * struct onsram_stay - a candidate: a tensor in the SPM during operations first to last
 * @tensor: index in the graph
 * @first: first operation
 * @last: last operation, inclusive
 * @flags: ONSRAM_INTERVAL_*
 * @bytes: SPM bytes, granules
 * @copy_ps: time of its fetch and write-back
 * @gain: time saved by it alone, ps; not more than 0 where none is
 * @offset: place, where @held
 * @held: taken
 * @slot: index in struct onsram_search's held_stay, where @held
 * @reason: why not, once it has been tried
 */
struct onsram_stay {
	uint32_t tensor;
	uint32_t first;
	uint32_t last;
	uint32_t flags;
	uint32_t bytes;
	uint64_t copy_ps;
	int64_t gain;
	uint32_t offset;
	bool held;
	uint32_t slot;
	enum onsram_reason reason;
};

/**
 * struct onsram_search - state of the search
 * @f: graph
 * @capacity: SPM bytes that tensors may take
 * @stay: candidates; those of a tensor lie together, its whole life first
 * @nr_stays: how many
 * @held_stay: indices of those held
 * @nr_held: how many
 * @stays_of: nr_tensors + 1 indices into @stay
 * @tight: per operation: index in @tight_op of the first such operation from here on
 * @tight_op: operations whose cost depends on the staging window
 * @resident: per operation: mask of slots in the SPM
 * @held: per operation: SPM bytes taken
 * @time: per operation: ps
 * @total: of a run, ps, copies included
 * @work: operations priced so far
 * @repack: placements that moving stays may still try
 * @scratch: room for @nr_stays indices
 * @rects: room for @nr_stays allocation problems
 */
struct onsram_search {
	struct onsram_flow f;
	uint64_t capacity;
	struct onsram_stay *stay;
	uint32_t nr_stays;
	uint32_t *held_stay;
	uint32_t nr_held;
	uint32_t *stays_of;
	uint32_t *tight;
	uint32_t *tight_op;
	uint32_t *resident;
	uint64_t *held;
	uint64_t *time;
	uint64_t total;
	uint64_t work;
	uint64_t repack;
	uint32_t *scratch;
	struct onsram_rect *rects;
};

/** onsram_search_init() - nothing held, candidates listed and priced. Return: 0, or -1 without memory */
int onsram_search_init(struct onsram_search *s, const struct onsram_model *m,
		       const struct onsram_plan_graph *g);
/** onsram_search_fini() - also after a failed init */
void onsram_search_fini(struct onsram_search *s);
/** onsram_search_change() - how @total changes by taking (or, @stay held, dropping) a stay, ps */
int64_t onsram_search_change(struct onsram_search *s, const struct onsram_stay *stay);
/** onsram_search_take() - hold a stay at @stay->offset; the caller has made sure that it fits */
void onsram_search_take(struct onsram_search *s, struct onsram_stay *stay);
/** onsram_search_drop() - no longer hold a stay */
void onsram_search_drop(struct onsram_search *s, struct onsram_stay *stay);
/** onsram_search_room() - bytes free during the whole of a stay, in however many pieces */
uint64_t onsram_search_room(const struct onsram_search *s, const struct onsram_stay *stay);
/** onsram_search_place() - find @stay->offset, moving others if need be. Return: whether it fits */
bool onsram_search_place(struct onsram_search *s, struct onsram_stay *stay);
/** onsram_search_clash() - whether another stay of the same tensor is held at the same time */
bool onsram_search_clash(const struct onsram_search *s, const struct onsram_stay *stay);

/** onsram_allocate_within() - onsram_allocate() that gives up after *@effort placements; @effort: out: left */
int onsram_allocate_within(struct onsram_rect *rects, size_t n, uint64_t capacity, uint64_t *effort);

#endif
