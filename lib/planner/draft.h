/* SPDX-License-Identifier: MIT */
/* A plan being made from a choice: transfers get their times, parts their places. */
#ifndef ONSRAM_PLANNER_DRAFT_H
#define ONSRAM_PLANNER_DRAFT_H

#include "offsets.h"
#include "relax.h"

/** struct onsram_chunk - a part of what serves one operation alone, with a fetch of its own */
struct onsram_chunk {
	uint32_t reserve;
	uint32_t bytes;
};

/** struct onsram_layer - of a stay: bytes @low to @high since use @first */
struct onsram_layer {
	uint32_t low;
	uint32_t high;
	uint32_t first;
};

/**
 * struct onsram_draft - the plan
 * @r: what stays from use to use
 * @parts: any granules of a tensor, not only all of it or none
 * @serve: per use: bytes that are in the SPM for this use alone
 * @chunk: what they are fetched in, the earliest first; those of a use follow each other
 * @first_chunk: per use
 * @nr_chunks: per use
 * @reserve: per use: operation from which on the place of what arrives for it is taken
 * @release: per use: operation at which the place of what leaves behind it is free
 * @idle: per operation: scratch
 * @room: per operation: bytes that may still be taken
 * @items: what needs a place
 * @item_of: per item: first use in it
 * @steps: theirs
 * @layers: scratch: of a stay, those that have not ended
 * @offsets: places
 * @intervals: the plan
 */
struct onsram_draft {
	struct onsram_relax *r;
	bool parts;
	uint32_t *serve;
	struct onsram_chunk *chunk;
	uint32_t all_chunks;
	uint32_t *first_chunk;
	uint32_t *nr_chunks;
	uint32_t *reserve;
	uint32_t *release;
	double *idle;
	int64_t *room;
	struct onsram_item *items;
	uint32_t *item_of;
	uint32_t nr_items;
	struct onsram_step *steps;
	uint32_t nr_steps;
	struct onsram_layer *layers;
	struct onsram_offsets offsets;
	struct onsram_interval *intervals;
	uint32_t nr_intervals;
};

/** ONSRAM_CHUNKS - most parts that what serves an operation is fetched in */
#define ONSRAM_CHUNKS	12

/** onsram_draft_init() - 0, or -1 without memory */
int onsram_draft_init(struct onsram_draft *d, struct onsram_relax *r, bool parts);
/** onsram_draft_fini() - also after a failed init */
void onsram_draft_fini(struct onsram_draft *d);
/** onsram_draft_schedule() - times of all transfers, and what is in the SPM for one use (transfers.c) */
void onsram_draft_schedule(struct onsram_draft *d);
/**
 * onsram_draft_place() - places; what finds none gets smaller or is given up (places.c)
 *
 * Return: 0, or -1 without memory.
 */
int onsram_draft_place(struct onsram_draft *d);
/** onsram_draft_intervals() - what has a place as a plan (parts.c) */
void onsram_draft_intervals(struct onsram_draft *d);

/** onsram_draft_begin() - first byte of what is in the SPM for this use alone */
uint64_t onsram_draft_begin(const struct onsram_draft *d, uint32_t tensor, uint32_t use);

#endif
