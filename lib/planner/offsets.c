// SPDX-License-Identifier: MIT
/*
 * Places.  Two items that meet in time forbid each other a range of offsets:
 * from one's lower end less the most that the other has at any common time, to
 * its upper end at those times.  What is between the ranges is free.
 */
#include <stdlib.h>

#include "flow.h"
#include "offsets.h"

/* Items of more operations are looked at for every other one */
#define LASTING		64

/* Offsets that another item forbids: (low, high), exclusive */
struct onsram_gap {
	int64_t low;
	int64_t high;
};

int onsram_offsets_init(struct onsram_offsets *o, uint64_t capacity, uint32_t nr_ops, uint32_t room)
{
	*o = (struct onsram_offsets){ .capacity = capacity, .nr_ops = nr_ops, .room = room };
	o->item = calloc((size_t)room + 1, sizeof(*o->item));
	o->first = calloc((size_t)nr_ops + 1, sizeof(*o->first));
	o->next = calloc((size_t)room + 1, sizeof(*o->next));
	o->lasting = calloc((size_t)room + 1, sizeof(*o->lasting));
	o->gap = calloc((size_t)room + 1, sizeof(*o->gap));
	if (!o->item || !o->first || !o->next || !o->lasting || !o->gap)
		return -1;
	onsram_offsets_clear(o);
	return 0;
}

void onsram_offsets_fini(struct onsram_offsets *o)
{
	free(o->item);
	free(o->first);
	free(o->next);
	free(o->lasting);
	free(o->gap);
}

void onsram_offsets_clear(struct onsram_offsets *o)
{
	for (uint32_t i = 0; i <= o->nr_ops; i++)
		o->first[i] = UINT32_MAX;
	o->nr = 0;
	o->nr_lasting = 0;
}

static uint32_t step_end(const struct onsram_item *item, uint32_t k)
{
	return k + 1 < item->nr_steps ? item->step[k + 1].from : item->to;
}

/* The most that each has while both are there; false where they do not meet */
static bool common(const struct onsram_item *a, const struct onsram_item *b, uint32_t *high_a, uint32_t *high_b)
{
	bool met = false;
	uint32_t j = 0;

	*high_a = 0;
	*high_b = 0;
	if (a->step[0].from >= b->to || b->step[0].from >= a->to)
		return false;
	for (uint32_t i = 0; i < a->nr_steps; i++) {
		uint32_t from = a->step[i].from, to = step_end(a, i);

		while (j < b->nr_steps && step_end(b, j) <= from)
			j++;
		for (uint32_t k = j; k < b->nr_steps && b->step[k].from < to; k++) {
			if (!a->step[i].bytes || !b->step[k].bytes)
				continue;
			met = true;
			*high_a = a->step[i].bytes > *high_a ? a->step[i].bytes : *high_a;
			*high_b = b->step[k].bytes > *high_b ? b->step[k].bytes : *high_b;
		}
	}
	return met;
}

static int by_low(const void *a, const void *b)
{
	const struct onsram_gap *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	return x->high < y->high ? -1 : x->high > y->high;
}

static void forbid(struct onsram_offsets *o, const struct onsram_item *item, uint32_t other, uint32_t *n)
{
	const struct onsram_item *b = o->item[other];
	uint32_t mine, theirs;

	if (common(item, b, &mine, &theirs))
		o->gap[(*n)++] = (struct onsram_gap){
			(int64_t)b->offset - mine, (int64_t)b->offset + theirs,
		};
}

/* Ranges of offsets that an item cannot have, by their lower end */
static uint32_t forbidden(struct onsram_offsets *o, const struct onsram_item *item)
{
	uint32_t from = item->step[0].from, n = 0;

	for (uint32_t k = 0; k < o->nr_lasting; k++)
		forbid(o, item, o->lasting[k], &n);
	for (uint32_t i = from > LASTING ? from - LASTING : 0; i < item->to && i < o->nr_ops; i++)
		for (uint32_t k = o->first[i]; k != UINT32_MAX; k = o->next[k])
			forbid(o, item, k, &n);
	qsort(o->gap, n, sizeof(*o->gap), by_low);
	return n;
}

static uint32_t height(const struct onsram_item *item)
{
	uint32_t most = 0;

	for (uint32_t k = 0; k < item->nr_steps; k++)
		most = item->step[k].bytes > most ? item->step[k].bytes : most;
	return most;
}

static void insert(struct onsram_offsets *o, struct onsram_item *item)
{
	uint32_t from = item->step[0].from, k = o->nr++;

	o->item[k] = item;
	if (item->to - from > LASTING) {
		o->lasting[o->nr_lasting++] = k;
	} else {
		o->next[k] = o->first[from];
		o->first[from] = k;
	}
}

bool onsram_offsets_place(struct onsram_offsets *o, struct onsram_item *item, bool low)
{
	int64_t top = (int64_t)o->capacity - height(item), at = 0, best = -1, best_slack = INT64_MAX;
	uint32_t n = forbidden(o, item);

	for (uint32_t k = 0; k <= n && at <= top; k++) {
		int64_t end = k < n ? o->gap[k].low : top;

		if (end >= at && (end < top ? end : top) - at < best_slack) {
			best = at;
			best_slack = (end < top ? end : top) - at;
			if (low)
				break;
		}
		if (k < n && o->gap[k].high > at)
			at = o->gap[k].high;
	}
	if (best < 0 || o->nr == o->room)
		return false;
	item->offset = (uint32_t)best;
	insert(o, item);
	return true;
}

uint32_t onsram_offsets_most(struct onsram_offsets *o, uint32_t from, uint32_t to, uint32_t bytes)
{
	struct onsram_step step = { from, ONSRAM_SPM_GRANULE };
	struct onsram_item item = { .step = &step, .nr_steps = 1, .to = to };
	int64_t at = 0, most = 0;
	uint32_t n = forbidden(o, &item);

	/* Ranges were made for one granule: it is free up to their lower end and that */
	for (uint32_t k = 0; k <= n; k++) {
		int64_t end = k < n ? o->gap[k].low + ONSRAM_SPM_GRANULE : (int64_t)o->capacity;

		most = end - at > most ? end - at : most;
		if (k < n && o->gap[k].high > at)
			at = o->gap[k].high;
	}
	return most < bytes ? (uint32_t)most : bytes;
}
