/* SPDX-License-Identifier: MIT */
/* Stays as the least recently used tensors make room. */
#ifndef ONSRAM_PLANNER_RECENT_H
#define ONSRAM_PLANNER_RECENT_H

#include "flow.h"

/**
 * onsram_recent_choose() - what the driver's `lru` would hold, as a plan
 * @iv: out, room for one per use
 * @n: out: how many
 *
 * Return: 0, or -1 without memory.
 */
int onsram_recent_choose(const struct onsram_flow *f, struct onsram_interval *iv, uint32_t *n);

#endif
