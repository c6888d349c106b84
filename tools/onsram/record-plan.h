/* SPDX-License-Identifier: MIT */
/* Records of plans as the performance model carries them out. */
#ifndef ONSRAM_RECORD_PLAN_H
#define ONSRAM_RECORD_PLAN_H

#include "command.h"
#include "record.h"

/**
 * record_program() - a record's tensors and operations; @r is zeroed but for its texts
 * Return: 0, or -1 without memory; record_release() in any case
 */
int record_program(struct onsram_record *r, const struct onsram_model *m, const struct onsram_program *p);
/**
 * record_plan() - the first run with a plan
 * @r: what record_program() made
 * Return: 0, or -1 without memory
 */
int record_plan(struct onsram_record *r, const struct onsram_model *m, const struct onsram_program *p,
		const struct onsram_plan *plan);
/** record_release() - free what it has */
void record_release(struct onsram_record *r);

#endif
