/* SPDX-License-Identifier: MIT */
/* Packing by putting together first what belongs together. */
#ifndef ONSRAM_PLANNER_JOIN_H
#define ONSRAM_PLANNER_JOIN_H

#include "pack.h"

/**
 * onsram_join_and_pack() - offsets below @capacity, where the pieces show how they lie
 *
 * Arguments as for onsram_pack().  Return: whether there is an offset for every piece.
 */
bool onsram_join_and_pack(struct onsram_piece *pieces, uint32_t n, uint32_t sections, uint64_t capacity,
			  const struct onsram_clock *clock);

#endif
