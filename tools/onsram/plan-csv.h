/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_PLAN_CSV_H
#define ONSRAM_PLAN_CSV_H

#include <stdint.h>

/**
 * plan_csv() - give the buffers of a MiniMalloc problem their offsets
 * @problem: CSV file; the header names the columns id, lower, upper and size, in any order
 * @capacity: bytes, at least 1
 * @seconds: how long to look
 * @solution: CSV file to write, whole or not at all: id,lower,upper,size,offset in the
 *	problem's order
 *
 * Return: an exit status; STATUS_USAGE where the problem is none.
 */
int plan_csv(const char *cmd, const char *problem, uint64_t capacity, uint64_t seconds,
	     const char *solution);

#endif
