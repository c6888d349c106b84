/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modelled times, energies and numbers of bytes: 64 bits that may not be enough.
 *
 * What is beyond range has all bits set, as the device has it in its records, and
 * so has every sum that it goes into.
 */
#ifndef _ONSRAM_FIGURE_H_
#define _ONSRAM_FIGURE_H_

#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/types.h>

/** ONSRAM_BEYOND - a figure that is beyond range */
#define ONSRAM_BEYOND	U64_MAX

/** onsram_figure_add() - add to a sum, which stays beyond range once it is */
static inline void onsram_figure_add(u64 *sum, u64 figure)
{
	*sum = figure > U64_MAX - *sum ? ONSRAM_BEYOND : *sum + figure;
}

/** onsram_figure_less() - what @from has more than @less; beyond range where @from is */
static inline u64 onsram_figure_less(u64 from, u64 less)
{
	return from == ONSRAM_BEYOND ? ONSRAM_BEYOND : from - less;
}

/** onsram_figure_thousandth() - the same in units a thousand times as large */
static inline u64 onsram_figure_thousandth(u64 figure)
{
	return figure == ONSRAM_BEYOND ? ONSRAM_BEYOND : div_u64(figure, 1000);
}

#endif
