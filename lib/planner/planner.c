// SPDX-License-Identifier: MIT
/*
 * OnSRAM-Static, priced by the performance model.
 *
 * Stays are taken greedily by several measures of worth, each re-priced
 * against what is held already; the best outcome is improved by exchanges.
 * A change is only ever accepted when the modelled time of the whole run
 * falls.  What room is left goes to weights that stay for the next run.
 */
#include <stdlib.h>
#include <string.h>

#include "planner-search.h"

/* Operations that may be priced for exchanges, per operation of the graph */
#define EXCHANGE_WORK	64
/* A stay across runs has to gain this many times what it costs the first run */
#define KEEP_RETURN	2
/* All of them together may slow the first run down by this part */
#define KEEP_LOSS	50

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

enum worth { WORTH_ROOT_AREA, WORTH_BYTES, WORTH_GAIN, WORTH_COUNT };

static double worth(const struct onsram_stay *c, int64_t gain, enum worth by)
{
	double g = (double)gain;

	switch (by) {
	case WORTH_ROOT_AREA:	/* orders as gain / sqrt(bytes * operations) */
		return g * g / ((double)c->bytes * (c->last - c->first + 1));
	case WORTH_BYTES:
		return g / c->bytes;
	default:
		return g;
	}
}

struct entry {
	double worth;
	uint32_t stay;
};

static void sift(struct entry *heap, uint32_t n, uint32_t i)
{
	struct entry e = heap[i];

	for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && heap[k + 1].worth > heap[k].worth)
			k++;
		if (heap[k].worth <= e.worth)
			break;
		heap[i] = heap[k];
	}
	heap[i] = e;
}

static bool wanted(const struct onsram_stay *c)
{
	return !c->held && c->gain > 0 && !(c->flags & ONSRAM_INTERVAL_KEEP);
}

/*
 * Gains shrink as more is held, so a candidate whose fresh worth still beats
 * the others' old one is the best there is.
 */
static bool beaten(const struct entry *heap, uint32_t n, double fresh)
{
	return (n > 1 && fresh < heap[1].worth) || (n > 2 && fresh < heap[2].worth);
}

static void greedy(struct onsram_search *s, struct entry *heap, enum worth by)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < s->nr_stays; k++)
		if (wanted(&s->stay[k]))
			heap[n++] = (struct entry){ worth(&s->stay[k], s->stay[k].gain, by), k };
	for (uint32_t i = n / 2; i-- > 0;)
		sift(heap, n, i);
	while (n) {
		struct onsram_stay *c = &s->stay[heap[0].stay];

		if (!onsram_search_clash(s, c)) {
			int64_t gain = 0;

			c->reason = ONSRAM_REASON_NO_ROOM;
			if (onsram_search_room(s, c) >= c->bytes) {
				gain = -onsram_search_change(s, c);
				c->reason = ONSRAM_REASON_NO_GAIN;
			}
			if (gain > 0 && beaten(heap, n, worth(c, gain, by))) {
				heap[0].worth = worth(c, gain, by);
				sift(heap, n, 0);
				continue;
			}
			if (gain > 0) {
				c->reason = ONSRAM_REASON_FRAGMENTED;
				if (onsram_search_place(s, c))
					onsram_search_take(s, c);
			}
		}
		heap[0] = heap[--n];
		sift(heap, n, 0);
	}
}

/* What is held, to come back to */
struct snapshot {
	uint64_t total;
	uint32_t *offset;	/* UINT32_MAX: not held */
};

static void save(const struct onsram_search *s, struct snapshot *snap)
{
	snap->total = s->total;
	for (uint32_t k = 0; k < s->nr_stays; k++)
		snap->offset[k] = s->stay[k].held ? s->stay[k].offset : UINT32_MAX;
}

static void restore(struct onsram_search *s, const struct snapshot *snap)
{
	for (uint32_t i = s->nr_held; i-- > 0;)
		if (snap->offset[s->held_stay[i]] == UINT32_MAX)
			onsram_search_drop(s, &s->stay[s->held_stay[i]]);
	for (uint32_t k = 0; k < s->nr_stays; k++) {
		if (snap->offset[k] == UINT32_MAX)
			continue;
		if (!s->stay[k].held)
			onsram_search_take(s, &s->stay[k]);
		s->stay[k].offset = snap->offset[k];
	}
}

/* Operations first to last */
struct span {
	uint32_t first;
	uint32_t last;
};

/* Make room for @c by dropping what is worth least per byte while it is live */
static bool make_room(struct onsram_search *s, struct onsram_stay *c, struct span *freed)
{
	for (;;) {
		struct onsram_stay *victim = NULL;
		double least = 0;

		if (!onsram_search_clash(s, c) && onsram_search_place(s, c))
			return true;
		for (uint32_t i = 0; i < s->nr_held; i++) {
			struct onsram_stay *o = &s->stay[s->held_stay[i]];
			double w = 0;

			if (o->first > c->last || c->first > o->last)
				continue;
			if (o->tensor != c->tensor)
				w = worth(o, onsram_search_change(s, o), WORTH_BYTES);
			if (!victim || w < least) {
				victim = o;
				least = w;
			}
		}
		if (!victim)
			return false;
		onsram_search_drop(s, victim);
		freed->first = victim->first < freed->first ? victim->first : freed->first;
		freed->last = victim->last > freed->last ? victim->last : freed->last;
	}
}

/* Take what the room that became free is good for */
static void refill(struct onsram_search *s, const struct entry *order, uint32_t n,
		   const struct span *freed)
{
	for (uint32_t i = 0; i < n; i++) {
		struct onsram_stay *c = &s->stay[order[i].stay];

		if (c->held || c->first > freed->last || freed->first > c->last ||
		    onsram_search_clash(s, c) || onsram_search_room(s, c) < c->bytes ||
		    onsram_search_change(s, c) >= 0 || !onsram_search_place(s, c))
			continue;
		onsram_search_take(s, c);
	}
}

static int by_worth(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->worth != y->worth)
		return x->worth < y->worth ? 1 : -1;
	return x->stay < y->stay ? -1 : x->stay > y->stay;
}

/* Exchange what is held for what is not, as long as the run gets faster */
static void exchange(struct onsram_search *s, struct entry *order, struct snapshot *snap)
{
	uint64_t limit = s->work + (uint64_t)EXCHANGE_WORK * s->f.g->nr_ops;
	bool better = true;
	uint32_t n = 0;

	for (uint32_t k = 0; k < s->nr_stays; k++)
		if (s->stay[k].gain > 0 && !(s->stay[k].flags & ONSRAM_INTERVAL_KEEP))
			order[n++] = (struct entry){ worth(&s->stay[k], s->stay[k].gain,
							    WORTH_ROOT_AREA), k };
	qsort(order, n, sizeof(*order), by_worth);
	while (better && s->work < limit) {
		better = false;
		for (uint32_t i = 0; i < n && s->work < limit; i++) {
			struct onsram_stay *c = &s->stay[order[i].stay];
			struct span freed = { c->first, c->last };

			if (c->held)
				continue;
			save(s, snap);
			if (make_room(s, c, &freed)) {
				onsram_search_take(s, c);
				refill(s, order, n, &freed);
			}
			if (s->total < snap->total)
				better = true;
			else
				restore(s, snap);
		}
	}
}

/* Weights that stay for the next run, where the first one hardly suffers */
static void keep(struct onsram_search *s, struct entry *heap, uint64_t baseline)
{
	uint64_t most = s->total + s->total / KEEP_LOSS;
	uint32_t n = 0;

	most = most < baseline ? most : baseline;
	for (uint32_t k = 0; k < s->nr_stays; k++) {
		const struct onsram_stay *c = &s->stay[k];

		if ((c->flags & ONSRAM_INTERVAL_KEEP) && c->gain > 0)
			heap[n++] = (struct entry){ worth(c, c->gain, WORTH_BYTES), k };
	}
	qsort(heap, n, sizeof(*heap), by_worth);
	for (uint32_t i = 0; i < n; i++) {
		struct onsram_stay *c = &s->stay[heap[i].stay];
		int64_t first, again;

		if (onsram_search_clash(s, c) || onsram_search_room(s, c) < c->bytes)
			continue;
		first = onsram_search_change(s, c);
		again = first - (int64_t)c->copy_ps;
		if (again >= 0 || (first > 0 && (s->total + (uint64_t)first > most ||
						 -again < KEEP_RETURN * first)))
			continue;
		if (onsram_search_place(s, c))
			onsram_search_take(s, c);
	}
}

static enum onsram_reason reason_of(const struct onsram_search *s, uint32_t t)
{
	uint32_t first = s->stays_of[t], end = s->stays_of[t + 1];
	const struct onsram_use *use;

	for (uint32_t k = first; k < end; k++)
		if (s->stay[k].held)
			return ONSRAM_REASON_HELD;
	if (!onsram_flow_uses(&s->f, t, &use))
		return ONSRAM_REASON_UNUSED;
	if (onsram_granules(s->f.g->tensors[t].bytes) > s->capacity)
		return ONSRAM_REASON_TOO_LARGE;
	if (first == end || (s->stay[first].flags & ONSRAM_INTERVAL_KEEP))
		return ONSRAM_REASON_BOUNDARY;
	return s->stay[first].reason;
}

static int by_first_op(const void *a, const void *b)
{
	const struct onsram_interval *x = a, *y = b;

	if (x->first_op != y->first_op)
		return x->first_op < y->first_op ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct onsram_plan *plan_alloc(const struct onsram_plan_graph *g, uint32_t nr_intervals)
{
	struct onsram_plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->intervals = calloc((size_t)nr_intervals + 1, sizeof(*p->intervals));
	p->reason = calloc((size_t)g->nr_tensors + 1, sizeof(*p->reason));
	if (!p->intervals || !p->reason) {
		onsram_plan_free(p);
		return NULL;
	}
	return p;
}

void onsram_plan_free(struct onsram_plan *p)
{
	if (!p)
		return;
	free(p->intervals);
	free(p->reason);
	free(p);
}

static struct onsram_plan *harvest(struct onsram_search *s, uint64_t baseline)
{
	const struct onsram_plan_graph *g = s->f.g;
	struct onsram_plan *p;
	uint32_t n = 0;

	for (uint32_t k = 0; k < s->nr_stays; k++)
		n += s->stay[k].held;
	p = plan_alloc(g, n);
	if (!p)
		return NULL;
	p->baseline_ps = baseline;
	p->time_ps = s->total;
	p->time_ps_again = s->total;
	p->bound_ps = onsram_flow_bound(&s->f);
	for (uint32_t k = 0; k < s->nr_stays; k++) {
		const struct onsram_stay *c = &s->stay[k];

		if (!c->held)
			continue;
		p->intervals[p->nr_intervals++] = (struct onsram_interval){
			.tensor = c->tensor, .flags = c->flags, .bytes = c->bytes, .offset = c->offset,
			.reserve_op = c->first, .first_op = c->first, .last_op = c->last,
			.release_op = c->last + 1,
		};
		if (c->flags & ONSRAM_INTERVAL_KEEP)
			p->time_ps_again -= c->copy_ps;
	}
	qsort(p->intervals, p->nr_intervals, sizeof(*p->intervals), by_first_op);
	for (uint32_t i = 0; i < g->nr_ops; i++)
		p->peak_bytes = s->held[i] > p->peak_bytes ? s->held[i] : p->peak_bytes;
	for (uint32_t t = 0; t < g->nr_tensors; t++)
		p->reason[t] = reason_of(s, t);
	return p;
}

/* Whether something worth holding found no place: else there is nothing to choose */
static bool short_of_room(const struct onsram_search *s)
{
	for (uint32_t k = 0; k < s->nr_stays; k++) {
		const struct onsram_stay *c = &s->stay[k];

		if (wanted(c) && !onsram_search_clash(s, c) &&
		    (c->reason == ONSRAM_REASON_NO_ROOM || c->reason == ONSRAM_REASON_FRAGMENTED))
			return true;
	}
	return false;
}

struct onsram_plan *onsram_plan_static(const struct onsram_model *m, const struct onsram_plan_graph *g)
{
	struct snapshot none = { 0 }, best = { 0 };
	struct onsram_plan *p = NULL;
	struct entry *heap = NULL;
	struct onsram_search s;
	uint64_t baseline;

	if (onsram_search_init(&s, m, g))
		goto out;
	heap = calloc((size_t)s.nr_stays + 1, sizeof(*heap));
	none.offset = calloc((size_t)s.nr_stays + 1, sizeof(*none.offset));
	best.offset = calloc((size_t)s.nr_stays + 1, sizeof(*best.offset));
	if (!heap || !none.offset || !best.offset)
		goto out;
	baseline = s.total;
	save(&s, &none);
	save(&s, &best);
	for (int by = 0; by < WORTH_COUNT; by++) {
		restore(&s, &none);
		greedy(&s, heap, (enum worth)by);
		if (s.total < best.total)
			save(&s, &best);
		if (!short_of_room(&s))
			break;
	}
	restore(&s, &best);
	if (short_of_room(&s))
		exchange(&s, heap, &best);
	keep(&s, heap, baseline);
	p = harvest(&s, baseline);
out:
	onsram_search_fini(&s);
	free(heap);
	free(none.offset);
	free(best.offset);
	return p;
}

struct onsram_plan *onsram_plan_none(const struct onsram_model *m, const struct onsram_plan_graph *g)
{
	struct onsram_plan *p = NULL;
	struct onsram_search s;

	if (!onsram_search_init(&s, m, g))
		p = harvest(&s, s.total);
	onsram_search_fini(&s);
	return p;
}
