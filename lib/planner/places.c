// SPDX-License-Identifier: MIT
/*
 * Places for a draft.  What stays from use to use comes first, in several
 * orders; where none gives everything a place, what found none gets as small
 * as it has to be, or goes, and the transfers are scheduled again.  What is
 * there for one operation takes what is left.
 */
#include <stdlib.h>
#include <string.h>

#include "draft.h"

/* Times that the stays are placed anew after one of them had to get smaller */
#define ROUNDS	24

int onsram_draft_init(struct onsram_draft *d, struct onsram_relax *r, bool parts)
{
	size_t uses = (size_t)r->f->first[r->f->g->nr_tensors] + 1, ops = (size_t)r->f->g->nr_ops + 1;

	*d = (struct onsram_draft){ .r = r, .parts = parts };
	d->serve = calloc(uses, sizeof(*d->serve));
	d->chunk = calloc(uses, ONSRAM_CHUNKS * sizeof(*d->chunk));
	d->first_chunk = calloc(uses, sizeof(*d->first_chunk));
	d->nr_chunks = calloc(uses, sizeof(*d->nr_chunks));
	d->reserve = calloc(uses, sizeof(*d->reserve));
	d->release = calloc(uses, sizeof(*d->release));
	d->idle = calloc(ops, sizeof(*d->idle));
	d->room = calloc(ops, sizeof(*d->room));
	d->items = calloc(uses, sizeof(*d->items));
	d->item_of = calloc(uses, sizeof(*d->item_of));
	d->steps = calloc(uses, (2 + ONSRAM_CHUNKS) * sizeof(*d->steps));
	d->layers = calloc(uses, sizeof(*d->layers));
	d->intervals = calloc(uses, (2 + ONSRAM_CHUNKS) * sizeof(*d->intervals));
	if (!d->serve || !d->chunk || !d->first_chunk || !d->nr_chunks || !d->reserve || !d->release || !d->idle || !d->room || !d->items ||
	    !d->item_of || !d->steps || !d->layers || !d->intervals)
		return -1;
	return onsram_offsets_init(&d->offsets, r->f->m->spm_size, r->f->g->nr_ops, (uint32_t)uses);
}

void onsram_draft_fini(struct onsram_draft *d)
{
	onsram_offsets_fini(&d->offsets);
	free(d->serve);
	free(d->chunk);
	free(d->first_chunk);
	free(d->nr_chunks);
	free(d->reserve);
	free(d->release);
	free(d->idle);
	free(d->room);
	free(d->items);
	free(d->item_of);
	free(d->steps);
	free(d->layers);
	free(d->intervals);
}

static void add_step(struct onsram_draft *d, struct onsram_item *item, uint32_t from, uint32_t bytes)
{
	if (item->nr_steps && item->step[item->nr_steps - 1].from == from)
		item->step[item->nr_steps - 1].bytes = bytes;
	else
		d->steps[d->nr_steps++] = (struct onsram_step){ from, bytes };
	item->nr_steps = (uint32_t)(d->steps + d->nr_steps - item->step);
}

/* A stay that begins at use @u; returns the use at which it ends */
static uint32_t add_stay(struct onsram_draft *d, uint32_t t, uint32_t u)
{
	struct onsram_item *item = &d->items[d->nr_items];

	d->item_of[d->nr_items++] = u;
	*item = (struct onsram_item){ .step = d->steps + d->nr_steps };
	for (;; u++) {
		uint32_t served = onsram_relax_served(d->r, t, u), hold = d->r->hold[u];

		if (!item->nr_steps || served > item->step[item->nr_steps - 1].bytes)
			add_step(d, item, d->reserve[u], served);
		if (!hold) {
			item->to = d->release[u];
			return u;
		}
		if (hold < served)
			add_step(d, item, d->release[u], hold);
	}
}

static void add_stays(struct onsram_draft *d)
{
	const struct onsram_flow *f = d->r->f;

	d->nr_items = 0;
	d->nr_steps = 0;
	for (uint32_t t = 0; t < f->g->nr_tensors; t++)
		for (uint32_t u = f->first[t]; u < f->first[t + 1]; u++)
			if (d->r->hold[u])
				u = add_stay(d, t, u);
}

/* --- stays ------------------------------------------------------------------- */

struct ranked {
	double key;
	uint32_t item;
};

static int by_key(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return x->item < y->item ? -1 : x->item > y->item;
}

enum order { ORDER_AREA, ORDER_SIZE, ORDER_LENGTH, ORDER_TIME, ORDER_COUNT };

static double key_of(const struct onsram_item *item, enum order order)
{
	uint64_t area = 0, most = 0;

	for (uint32_t k = 0; k < item->nr_steps; k++) {
		uint32_t end = k + 1 < item->nr_steps ? item->step[k + 1].from : item->to;

		area += (uint64_t)item->step[k].bytes * (end - item->step[k].from);
		most = item->step[k].bytes > most ? item->step[k].bytes : most;
	}
	switch (order) {
	case ORDER_AREA:
		return (double)area;
	case ORDER_SIZE:
		return (double)most;
	case ORDER_LENGTH:
		return item->to - item->step[0].from;
	default:
		return -(double)item->step[0].from;
	}
}

/* Returns how many bytes found no place; @failed: one of those */
static uint64_t place_stays(struct onsram_draft *d, struct ranked *rank, enum order order, bool low,
			    uint32_t *failed)
{
	uint64_t lost = 0;

	for (uint32_t k = 0; k < d->nr_items; k++)
		rank[k] = (struct ranked){ key_of(&d->items[k], order), k };
	qsort(rank, d->nr_items, sizeof(*rank), by_key);
	onsram_offsets_clear(&d->offsets);
	for (uint32_t k = 0; k < d->nr_items; k++) {
		struct onsram_item *item = &d->items[rank[k].item];

		if (onsram_offsets_place(&d->offsets, item, low))
			continue;
		if (!lost)
			*failed = rank[k].item;
		lost += (uint64_t)key_of(item, ORDER_SIZE);
	}
	return lost;
}

/* An item that found no place: the largest part of it that does, or nothing */
static void shrink(struct onsram_draft *d, uint32_t k)
{
	const struct onsram_item *item = &d->items[k];
	const struct onsram_flow *f = d->r->f;
	uint32_t u = d->item_of[k], end, left = 0;

	if (d->parts) {
		uint32_t bytes = (uint32_t)key_of(item, ORDER_SIZE);

		left = onsram_offsets_most(&d->offsets, item->step[0].from, item->to, bytes);
		if (left >= bytes)
			left = bytes / 2 / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE;
	}
	for (end = u; d->r->hold[end];)
		end++;
	for (uint32_t t = 0; t < f->g->nr_tensors; t++)
		if (f->first[t] <= u && u < f->first[t + 1])
			onsram_relax_set(d->r, t, u, end, left, false);
}

static void all_stays(struct onsram_draft *d, struct ranked *rank)
{
	for (int round = 0;; round++) {
		uint64_t least = UINT64_MAX;
		uint32_t failed = 0, best = 0;

		onsram_draft_schedule(d);
		add_stays(d);
		for (uint32_t k = 0; k < 2 * ORDER_COUNT && least; k++) {
			uint64_t lost = place_stays(d, rank, (enum order)(k / 2), k % 2 == 0, &failed);

			if (lost < least) {
				least = lost;
				best = k;
			}
		}
		if (!least)
			return;
		place_stays(d, rank, (enum order)(best / 2), best % 2 == 0, &failed);
		/* Rather nothing of it than no end */
		if (round >= ROUNDS)
			d->parts = false;
		shrink(d, failed);
	}
}

/* --- what serves one operation ------------------------------------------------- */

static void take_room(struct onsram_draft *d, const struct onsram_item *item)
{
	for (uint32_t k = 0; k < item->nr_steps; k++) {
		uint32_t end = k + 1 < item->nr_steps ? item->step[k + 1].from : item->to;

		for (uint32_t i = item->step[k].from; i < end; i++)
			d->room[i] -= item->step[k].bytes;
	}
}

static uint32_t room(const struct onsram_draft *d, uint32_t from, uint32_t to, uint32_t bytes)
{
	int64_t least = bytes;

	for (uint32_t i = from; i < to; i++)
		least = d->room[i] < least ? d->room[i] : least;
	return least < ONSRAM_SPM_GRANULE ? 0 :
	       (uint32_t)(least / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE);
}

/* The steps of what serves a use; its height */
static uint32_t add_chunks(struct onsram_draft *d, struct onsram_item *item, uint32_t u)
{
	const struct onsram_chunk *chunk = d->chunk + d->first_chunk[u];
	uint32_t sum = 0;

	*item = (struct onsram_item){ .step = d->steps + d->nr_steps, .to = d->release[u] };
	for (uint32_t k = 0; k < d->nr_chunks[u]; k++) {
		sum += chunk[k].bytes;
		add_step(d, item, chunk[k].reserve, sum);
	}
	return sum;
}

static bool has_room(const struct onsram_draft *d, const struct onsram_item *item)
{
	for (uint32_t k = 0; k < item->nr_steps; k++) {
		uint32_t end = k + 1 < item->nr_steps ? item->step[k + 1].from : item->to;

		if (room(d, item->step[k].from, end, item->step[k].bytes) < item->step[k].bytes)
			return false;
	}
	return true;
}

/* Give the use a place; what has none of it is not fetched ahead, the earliest parts first */
static void place_serve(struct onsram_draft *d, uint32_t u)
{
	struct onsram_item *item = &d->items[d->nr_items];
	uint32_t steps = d->nr_steps;

	while (d->nr_chunks[u]) {
		struct onsram_chunk *chunk = &d->chunk[d->first_chunk[u]];
		uint32_t bytes;

		d->nr_steps = steps;
		d->serve[u] = add_chunks(d, item, u);
		if (has_room(d, item) && onsram_offsets_place(&d->offsets, item, false)) {
			d->item_of[d->nr_items++] = u;
			take_room(d, item);
			return;
		}
		if (!d->parts)
			break;
		bytes = room(d, chunk->reserve, d->release[u], d->serve[u]);
		bytes = bytes ? onsram_offsets_most(&d->offsets, chunk->reserve, d->release[u], bytes) : 0;
		if (bytes > d->serve[u] - chunk->bytes && bytes < d->serve[u]) {
			chunk->bytes -= d->serve[u] - bytes;
		} else {
			d->first_chunk[u]++;
			d->nr_chunks[u]--;
		}
	}
	d->nr_steps = steps;
	d->serve[u] = 0;
}

int onsram_draft_place(struct onsram_draft *d)
{
	const struct onsram_flow *f = d->r->f;
	bool parts = d->parts;
	struct ranked *rank = calloc((size_t)f->first[f->g->nr_tensors] + 1, sizeof(*rank));

	if (!rank)
		return -1;
	all_stays(d, rank);
	free(rank);
	d->parts = parts;
	for (uint32_t i = 0; i < f->g->nr_ops; i++)
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			uint32_t u = f->slot[i][s];

			/* A tensor in several slots is served once */
			if (u != ONSRAM_NO_USE && d->serve[u] && !(f->use[u].slots & ((1u << s) - 1)))
				place_serve(d, u);
		}
	return 0;
}
