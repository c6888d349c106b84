// SPDX-License-Identifier: MIT
/*
 * A draft as a plan.  A tensor that stays with more bytes at one time and fewer
 * at another becomes intervals one above the other, each of one size.
 */
#include "draft.h"

static void emit(struct onsram_draft *d, uint32_t t, uint64_t begin, uint32_t offset,
		 const struct onsram_layer *l, uint32_t last)
{
	const struct onsram_use *use = d->r->f->use;
	bool fetch = onsram_flow_fetches(d->r->f, t, use[l->first].op);

	d->intervals[d->nr_intervals++] = (struct onsram_interval){
		.tensor = t,
		.flags = fetch ? ONSRAM_INTERVAL_FETCH : 0,
		.begin = begin + l->low,
		.bytes = l->high - l->low,
		.offset = offset + l->low,
		.reserve_op = fetch ? d->reserve[l->first] : use[l->first].op,
		.first_op = use[l->first].op,
		.last_op = use[last].op,
		.release_op = d->release[last],
	};
}

static void emit_stay(struct onsram_draft *d, uint32_t t, uint32_t u, uint32_t offset)
{
	struct onsram_layer *layer = d->layers;
	uint32_t n = 0, height = 0;

	for (;; u++) {
		uint32_t served = onsram_relax_served(d->r, t, u), hold = d->r->hold[u];

		if (served > height)
			layer[n++] = (struct onsram_layer){ height, served, u };
		height = hold;
		while (n && layer[n - 1].low >= hold)
			emit(d, t, 0, offset, &layer[--n], u);
		if (n && layer[n - 1].high > hold) {
			struct onsram_layer top = { hold, layer[n - 1].high, layer[n - 1].first };

			emit(d, t, 0, offset, &top, u);
			layer[n - 1].high = hold;
		}
		if (!hold)
			return;
	}
}

static void emit_serve(struct onsram_draft *d, uint32_t t, uint32_t u, uint32_t offset)
{
	uint64_t begin = onsram_draft_begin(d, t, u);
	uint32_t at = 0;

	for (uint32_t k = d->first_chunk[u]; k < d->first_chunk[u] + d->nr_chunks[u]; k++) {
		d->reserve[u] = d->chunk[k].reserve;
		emit(d, t, begin, offset, &(struct onsram_layer){ at, at + d->chunk[k].bytes, u }, u);
		at += d->chunk[k].bytes;
	}
}

void onsram_draft_intervals(struct onsram_draft *d)
{
	const struct onsram_flow *f = d->r->f;

	d->nr_intervals = 0;
	for (uint32_t k = 0; k < d->nr_items; k++) {
		uint32_t u = d->item_of[k], op = f->use[u].op, t = 0;

		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (f->slot[op][s] == u)
				t = f->g->ops[op].operand[s].bo;
		if (d->r->hold[u])
			emit_stay(d, t, u, d->items[k].offset);
		else
			emit_serve(d, t, u, d->items[k].offset);
	}
}
