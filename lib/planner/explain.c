// SPDX-License-Identifier: MIT
/* Why a tensor is not held. */
#include "explain.h"

const char *onsram_reason_text(enum onsram_reason r)
{
	switch (r) {
#define ONSRAM_X(name, what) case ONSRAM_REASON_##name: return what;
	ONSRAM_REASONS(ONSRAM_X)
#undef ONSRAM_X
	default:
		return "unknown";
	}
}

/* What can be told without knowing what else is held */
static enum onsram_reason simple_reason(const struct onsram_flow *f, uint32_t t)
{
	uint32_t uses = f->first[t + 1] - f->first[t];

	if (!uses)
		return ONSRAM_REASON_UNUSED;
	return uses == 1 ? ONSRAM_REASON_BOUNDARY : ONSRAM_REASON_NO_GAIN;
}

void onsram_explain_none(const struct onsram_flow *f, enum onsram_reason *reason)
{
	for (uint32_t t = 0; t < f->g->nr_tensors; t++)
		reason[t] = simple_reason(f, t);
}

/* A tensor that could stay for its whole life, or for a part of it, and does not */
static enum onsram_reason reason_of(struct onsram_draft *d, uint32_t t)
{
	uint32_t first = d->r->f->first[t], end = d->r->f->first[t + 1] - 1;
	uint64_t size = onsram_granules(d->r->f->g->tensors[t].bytes);
	uint64_t room = onsram_relax_room(d->r, t, first, end);
	double change;

	if (size > d->r->capacity && !d->parts)
		return ONSRAM_REASON_TOO_LARGE;
	if (room < (d->parts ? ONSRAM_SPM_GRANULE : size))
		return ONSRAM_REASON_NO_ROOM;
	room = room / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE;
	change = onsram_relax_set(d->r, t, first, end, (uint32_t)(room < size ? room : size), true);
	onsram_relax_undo(d->r);
	return change < 0 ? ONSRAM_REASON_FRAGMENTED : ONSRAM_REASON_NO_GAIN;
}

void onsram_explain(struct onsram_draft *d, enum onsram_reason *reason)
{
	for (uint32_t t = 0; t < d->r->f->g->nr_tensors; t++) {
		reason[t] = simple_reason(d->r->f, t);
		if (reason[t] == ONSRAM_REASON_NO_GAIN)
			reason[t] = reason_of(d, t);
	}
}
