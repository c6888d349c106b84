/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_PLAN_CSV_H
#define ONSRAM_PLAN_CSV_H

#include <stdint.h>

/**
 * plan_csv() - give the buffers of a MiniMalloc problem their offsets
 * @problem: CSV file; the header names the columns id, lower, upper and size, in any order
 * @capacity: bytes
 * @solution: CSV file to write: id,lower,upper,size,offset in the problem's order
 * Return: an exit status
 */
int plan_csv(const char *cmd, const char *problem, uint64_t capacity, const char *solution);

#endif
