/* SPDX-License-Identifier: MIT */
/* Which tensors stay between which of their uses, and how much of them. */
#ifndef ONSRAM_PLANNER_CHOICE_H
#define ONSRAM_PLANNER_CHOICE_H

#include "relax.h"

/**
 * onsram_choose() - decide what @r holds
 * @parts: any granules of a tensor, not only all of it or none
 * @effort: at least 1; how long to go on with exchanges
 *
 * Return: 0, or -1 without memory.
 */
int onsram_choose(struct onsram_relax *r, bool parts, uint32_t effort);

#endif
