/* SPDX-License-Identifier: MIT */
/* Where every tensor of a network stays and when, what that saves, or why not. */
#ifndef ONSRAM_TOOL_EXPLAIN_H
#define ONSRAM_TOOL_EXPLAIN_H

#include "command.h"
#include "record.h"

/**
 * struct explanation - the stays of a plan or of a pass, and their worth
 * @reason: per tensor why it is not held; NULL where nobody decided
 * @worth: per tensor, or NULL: it is not wanted
 */
struct explanation {
	const struct onsram_program *program;
	const struct onsram_interval *intervals;
	uint32_t nr_intervals;
	const enum onsram_reason *reason;
	struct onsram_worth *worth;
};

/** explain_worth() - fill in @e->worth; free() it. Return: 0, or -1 without memory */
int explain_worth(struct explanation *e, const struct onsram_model *m, bool again);
/** explain_text() - a paragraph per tensor on stdout */
void explain_text(const struct explanation *e);
/** explain_json() - an array with an object per tensor */
struct json_object *explain_json(const struct explanation *e);
/** explain_stays() - a recorded pass's stays as intervals, @n of them; free() them. Return: NULL without memory */
struct onsram_interval *explain_stays(const struct onsram_record *r, uint32_t *n);

#endif
