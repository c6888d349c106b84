// SPDX-License-Identifier: MIT
/*
 * The stays of `lru`: what an operation writes whole is placed, and the least
 * recently used tensors make room for it.  With the end known a stay is over with
 * the last use that it serves, and one that would serve none is not begun.
 */
#include <stdlib.h>
#include <string.h>

#include "recent.h"

/* @used: when it was used last, as @clock has it; @victim: would make room */
struct resident {
	struct onsram_interval iv;
	uint64_t used;
	bool victim;
};

struct recent {
	const struct onsram_flow *f;
	struct resident *resident;	/* by offset */
	uint32_t nr;
	uint64_t clock;
	uint64_t capacity;
	struct onsram_interval *iv;
	uint32_t nr_iv;
};

static void end_stay(struct recent *r, uint32_t k)
{
	const struct onsram_interval *iv = &r->resident[k].iv;

	if (iv->last_op > iv->first_op)
		r->iv[r->nr_iv++] = *iv;
	memmove(&r->resident[k], &r->resident[k + 1], (--r->nr - k) * sizeof(*r->resident));
}

/* Before which resident the lowest place is that would be free; @nr + 1: there is none */
static uint32_t find_place(const struct recent *r, uint64_t bytes, uint64_t *at)
{
	uint64_t held = 0;

	for (uint32_t k = 0; k < r->nr; k++)
		held += r->resident[k].victim ? 0 : r->resident[k].iv.bytes;
	if (held + bytes > r->capacity)
		return r->nr + 1;
	*at = 0;
	for (uint32_t k = 0; k < r->nr; k++) {
		const struct onsram_interval *iv = &r->resident[k].iv;

		if (r->resident[k].victim)
			continue;
		if (iv->offset - *at >= bytes)
			return k;
		*at = (uint64_t)iv->offset + iv->bytes;
	}
	return r->f->m->spm_size - *at >= bytes ? r->nr : r->nr + 1;
}

/* One more that makes room: no operand of @op */
static bool add_victim(struct recent *r, uint32_t op)
{
	struct resident *oldest = NULL;

	for (uint32_t k = 0; k < r->nr; k++) {
		struct resident *o = &r->resident[k];

		if (!o->victim && o->iv.last_op != op && (!oldest || o->used < oldest->used))
			oldest = o;
	}
	if (oldest)
		oldest->victim = true;
	return oldest;
}

static void place(struct recent *r, uint32_t t, uint32_t op)
{
	uint64_t bytes = onsram_granules(r->f->g->tensors[t].bytes), at = 0;
	uint32_t k;

	if (bytes > r->capacity)
		return;
	while ((k = find_place(r, bytes, &at)) > r->nr && add_victim(r, op))
		;
	if (k > r->nr) {
		for (k = 0; k < r->nr; k++)
			r->resident[k].victim = false;
		return;
	}
	for (k = r->nr; k-- > 0;)
		if (r->resident[k].victim)
			end_stay(r, k);
	for (k = r->nr; k && r->resident[k - 1].iv.offset > at; k--)
		r->resident[k] = r->resident[k - 1];
	r->nr++;
	r->resident[k] = (struct resident){
		.iv = {
			.tensor = t, .bytes = (uint32_t)bytes, .offset = (uint32_t)at,
			.reserve_op = op, .first_op = op, .last_op = op, .release_op = op + 1,
		},
	};
}

static struct resident *find(const struct recent *r, uint32_t t)
{
	for (uint32_t k = 0; k < r->nr; k++)
		if (r->resident[k].iv.tensor == t)
			return &r->resident[k];
	return NULL;
}

static void run_op(struct recent *r, uint32_t i)
{
	const struct drm_onsram_op *op = &r->f->g->ops[i];

	for (uint32_t s = ONSRAM_MAX_OPERANDS; s-- > 0;) {
		struct resident *o;

		if (r->f->slot[i][s] == ONSRAM_NO_USE)
			continue;
		o = find(r, op->operand[s].bo);
		if (o) {
			o->iv.last_op = i;
			o->iv.release_op = i + 1;
			o->used = ++r->clock;
		}
	}
	if (r->f->slot[i][0] != ONSRAM_NO_USE) {
		uint32_t t = op->operand[0].bo;
		struct resident *o;

		if (!find(r, t) && !onsram_flow_fetches(r->f, t, i) && r->f->slot[i][0] + 1 < r->f->first[t + 1])
			place(r, t, i);
		o = find(r, t);
		if (o)
			o->used = ++r->clock;
	}
	/* Behind its last use nobody is resident */
	for (uint32_t k = r->nr; k-- > 0;)
		if (r->f->use[r->f->first[r->resident[k].iv.tensor + 1] - 1].op == i)
			end_stay(r, k);
}

int onsram_recent_choose(const struct onsram_flow *f, struct onsram_interval *iv, uint32_t *n)
{
	struct recent r = { .f = f, .iv = iv, .capacity = onsram_staging(f->m, ONSRAM_STAGING_MIN) };

	r.resident = calloc((size_t)f->g->nr_tensors + 1, sizeof(*r.resident));
	if (!r.resident)
		return -1;
	for (uint32_t i = 0; i < f->g->nr_ops; i++)
		run_op(&r, i);
	*n = r.nr_iv;
	free(r.resident);
	return 0;
}
