/* SPDX-License-Identifier: MIT */
/* Constants that stay from one run to the next. */
#ifndef ONSRAM_PLANNER_KEEP_H
#define ONSRAM_PLANNER_KEEP_H

#include "price.h"

/**
 * onsram_keep() - keep constants in what a plan never uses of the SPM
 * @iv: plan, *@n intervals; replaced
 * @opt: what it is restricted to
 *
 * The first run gets no slower by it.  Return: 0, or -1 without memory.
 */
int onsram_keep(struct onsram_pricer *p, struct onsram_interval **iv, uint32_t *n,
		const struct onsram_plan_options *opt);

#endif
