// SPDX-License-Identifier: MIT
/* What it is worth that tensors are held, and what stands in the way of holding others. */
#include <stdlib.h>
#include <string.h>

#include "price.h"

struct appraisal {
	struct onsram_flow f;
	struct onsram_pricer pricer;
	const struct onsram_interval *iv;
	uint32_t n;
	bool again;
	struct onsram_interval *trial;
	struct onsram_price base;
	struct onsram_worth *worth;
};

static uint64_t dram_bytes(const struct onsram_price *p)
{
	return onsram_sat_add(p->dram_read_bytes, p->dram_write_bytes);
}

/* The plan without a tensor; returns how many intervals are left */
static uint32_t without(const struct appraisal *a, uint32_t tensor)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < a->n; k++)
		if (a->iv[k].tensor != tensor)
			a->trial[n++] = a->iv[k];
	return n;
}

static int appraise_held(struct appraisal *a, uint32_t t)
{
	uint32_t n = without(a, t);
	struct onsram_price p;

	if (n == a->n)
		return 0;
	if (onsram_pricer_run(&a->pricer, a->trial, n, a->again, &p))
		return -1;
	a->worth[t].saves_ps = (int64_t)(p.time_ps - a->base.time_ps);
	a->worth[t].saves_bytes = (int64_t)(dram_bytes(&p) - dram_bytes(&a->base));
	return 0;
}

/* Whether all of it stays from its first use to its last */
static bool whole(const struct appraisal *a, uint32_t t)
{
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(&a->f, t, &use);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t there = 0;

		for (uint32_t k = 0; k < a->n; k++)
			if (a->iv[k].tensor == t && a->iv[k].first_op <= use[i].op && a->iv[k].last_op >= use[i].op)
				there += onsram_flow_moves(&a->f, &a->iv[k]);
		if (there < a->f.g->tensors[t].bytes)
			return false;
	}
	return true;
}

/* The fullest operation of [@first, @last] with @trial in force, and what is there beyond the room */
static void find_room(const struct appraisal *a, uint32_t n, uint32_t first, uint32_t last, struct onsram_worth *w)
{
	uint64_t room = onsram_staging(a->f.m, ONSRAM_STAGING_MIN);

	for (uint32_t op = first; op <= last; op++) {
		uint64_t held = 0;

		for (uint32_t k = 0; k < n; k++)
			if (a->trial[k].reserve_op <= op && a->trial[k].release_op > op)
				held += a->trial[k].bytes;
		if (held > room && held - room > w->missing_bytes) {
			w->missing_bytes = held - room;
			w->full_op = op;
		}
	}
}

static int appraise_other(struct appraisal *a, uint32_t t)
{
	struct onsram_worth *w = &a->worth[t];
	const struct onsram_use *use;
	uint32_t uses = onsram_flow_uses(&a->f, t, &use), n;
	uint64_t bytes = onsram_granules(a->f.g->tensors[t].bytes);
	struct onsram_price p;

	if (uses < 2 || bytes > UINT32_MAX || whole(a, t))
		return 0;
	n = without(a, t);
	a->trial[n] = (struct onsram_interval){
		.tensor = t, .bytes = (uint32_t)bytes, .reserve_op = use[0].op, .first_op = use[0].op,
		.last_op = use[uses - 1].op, .release_op = use[uses - 1].op + 1, .flags = ONSRAM_INTERVAL_FETCH,
	};
	if (onsram_pricer_run(&a->pricer, a->trial, n + 1, a->again, &p))
		return -1;
	w->would_save_ps = (int64_t)(a->base.time_ps - p.time_ps);
	find_room(a, n + 1, use[0].op, use[uses - 1].op, w);
	return 0;
}

static bool covers(const struct onsram_interval *iv, uint32_t op)
{
	return iv->reserve_op <= op && iv->release_op > op;
}

/* What is worth least per byte gives way first */
static void find_displaced(struct appraisal *a, uint32_t t)
{
	struct onsram_worth *w = &a->worth[t];
	uint64_t freed = 0;

	while (w->missing_bytes && freed < w->missing_bytes && w->nr_displaced < ONSRAM_WORTH_DISPLACED) {
		const struct onsram_interval *best = NULL;
		double least = 0;

		for (uint32_t k = 0; k < a->n; k++) {
			const struct onsram_interval *iv = &a->iv[k];
			double value = (double)a->worth[iv->tensor].saves_ps / iv->bytes;
			bool taken = iv->tensor == t || !covers(iv, w->full_op);

			for (uint32_t i = 0; i < w->nr_displaced; i++)
				taken |= w->displaced[i] == iv->tensor;
			if (!taken && (!best || value < least)) {
				best = iv;
				least = value;
			}
		}
		if (!best)
			return;
		w->displaced[w->nr_displaced++] = best->tensor;
		freed += best->bytes;
	}
}

int onsram_plan_worth(const struct onsram_model *m, const struct onsram_plan_graph *g,
		      const struct onsram_interval *iv, uint32_t n, bool again, struct onsram_worth *worth)
{
	struct appraisal a = { .iv = iv, .n = n, .again = again, .worth = worth };
	int ret = -1;

	memset(worth, 0, g->nr_tensors * sizeof(*worth));
	a.trial = calloc((size_t)n + 1, sizeof(*a.trial));
	if (!a.trial || onsram_flow_init(&a.f, m, g) || onsram_pricer_init(&a.pricer, &a.f) ||
	    onsram_pricer_run(&a.pricer, iv, n, again, &a.base))
		goto out;
	for (uint32_t t = 0; t < g->nr_tensors; t++)
		if (appraise_held(&a, t) || appraise_other(&a, t))
			goto out;
	for (uint32_t t = 0; t < g->nr_tensors; t++)
		find_displaced(&a, t);
	ret = 0;
out:
	onsram_pricer_fini(&a.pricer);
	onsram_flow_fini(&a.f);
	free(a.trial);
	return ret;
}
