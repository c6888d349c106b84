/* SPDX-License-Identifier: MIT */
/* Packing buffers of fixed lifetimes by search: exact, if it is given the time. */
#ifndef ONSRAM_PLANNER_PACK_H
#define ONSRAM_PLANNER_PACK_H

#include "planner.h"

/** struct onsram_piece - a buffer that lives in sections @from to @to - 1; @offset is the answer */
struct onsram_piece {
	uint32_t from;
	uint32_t to;
	uint64_t size;
	uint64_t offset;
};

/** ONSRAM_PACK_MAX - pieces that a search can deal with */
#define ONSRAM_PACK_MAX	1024

enum onsram_packed { ONSRAM_PACKED, ONSRAM_PACK_IMPOSSIBLE, ONSRAM_PACK_GAVE_UP };

/**
 * onsram_pack() - offsets below @capacity for pieces that meet in time
 * @n: at most ONSRAM_PACK_MAX
 * @sections: how many there are; every one is in some piece's life
 * @limit: steps after which it gives up, roughly
 *
 * Return: PACKED; IMPOSSIBLE, proven; GAVE_UP when the clock said so, or without memory.
 */
enum onsram_packed onsram_pack(struct onsram_piece *pieces, uint32_t n, uint32_t sections,
			       uint64_t capacity, uint64_t limit, const struct onsram_clock *clock);

#endif
