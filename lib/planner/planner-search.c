// SPDX-License-Identifier: MIT
/* Candidates, and what taking or dropping one changes. */
#include <stdlib.h>
#include <string.h>

#include "planner-search.h"

/* A tensor of more uses gets its whole life as the only candidate */
#define SPLIT_USES_MAX	16
/* Placements that moving stays may try, per operation of the graph and in one go */
#define REPACK_PER_OP	20
#define REPACK_ONCE	500

static uint64_t price_op(struct onsram_search *s, uint32_t op, uint32_t resident, uint64_t held)
{
	uint64_t bytes[ONSRAM_MAX_OPERANDS];
	struct onsram_cost c;

	s->work++;
	onsram_resident_slots(bytes, resident);
	onsram_op_cost(s->f.m, &s->f.ops[op], bytes, onsram_staging(s->f.m, held), &c);
	return c.time_ps;
}

/*
 * Operations that a stay touches, in order: those that use the tensor, and those
 * between whose factors have to be streamed again when the window shrinks.
 */
struct walk {
	const struct onsram_use *use;
	const struct onsram_use *use_end;
	const uint32_t *tight;
	const uint32_t *tight_end;
};

static void walk_begin(const struct onsram_search *s, const struct onsram_stay *c, struct walk *w)
{
	uint32_t n = onsram_flow_uses(&s->f, c->tensor, &w->use);

	w->use_end = w->use + n;
	while (w->use < w->use_end && w->use->op < c->first)
		w->use++;
	while (w->use < w->use_end && w->use_end[-1].op > c->last)
		w->use_end--;
	w->tight = s->tight_op + s->tight[c->first];
	w->tight_end = s->tight_op + s->tight[c->last + 1];
}

static bool walk_next(struct walk *w, uint32_t *op, uint32_t *slots)
{
	*slots = 0;
	if (w->use < w->use_end && (w->tight >= w->tight_end || w->use->op <= *w->tight)) {
		*op = w->use->op;
		*slots = w->use->slots;
		if (w->tight < w->tight_end && *w->tight == *op)
			w->tight++;
		w->use++;
		return true;
	}
	if (w->tight < w->tight_end) {
		*op = *w->tight++;
		return true;
	}
	return false;
}

static uint64_t price_with(struct onsram_search *s, const struct onsram_stay *c, uint32_t op,
			   uint32_t slots)
{
	if (c->held)
		return price_op(s, op, s->resident[op] & ~slots, s->held[op] - c->bytes);
	return price_op(s, op, s->resident[op] | slots, s->held[op] + c->bytes);
}

int64_t onsram_search_change(struct onsram_search *s, const struct onsram_stay *c)
{
	int64_t sum = c->held ? -(int64_t)c->copy_ps : (int64_t)c->copy_ps;
	uint32_t op, slots;
	struct walk w;

	walk_begin(s, c, &w);
	while (walk_next(&w, &op, &slots))
		sum += (int64_t)price_with(s, c, op, slots) - (int64_t)s->time[op];
	return sum;
}

static void apply(struct onsram_search *s, struct onsram_stay *c)
{
	uint32_t op, slots;
	struct walk w;

	s->total += c->held ? -c->copy_ps : c->copy_ps;
	walk_begin(s, c, &w);
	while (walk_next(&w, &op, &slots)) {
		uint64_t t = price_with(s, c, op, slots);

		s->total += t - s->time[op];
		s->time[op] = t;
		s->resident[op] ^= slots;
	}
	for (uint32_t i = c->first; i <= c->last; i++)
		s->held[i] += c->held ? -(uint64_t)c->bytes : c->bytes;
	c->held = !c->held;
}

void onsram_search_take(struct onsram_search *s, struct onsram_stay *c)
{
	apply(s, c);
	c->slot = s->nr_held;
	s->held_stay[s->nr_held++] = (uint32_t)(c - s->stay);
	c->reason = ONSRAM_REASON_HELD;
}

void onsram_search_drop(struct onsram_search *s, struct onsram_stay *c)
{
	apply(s, c);
	s->held_stay[c->slot] = s->held_stay[--s->nr_held];
	s->stay[s->held_stay[c->slot]].slot = c->slot;
	c->reason = ONSRAM_REASON_NO_ROOM;
}

uint64_t onsram_search_room(const struct onsram_search *s, const struct onsram_stay *c)
{
	uint64_t most = 0;

	for (uint32_t i = c->first; i <= c->last; i++)
		most = s->held[i] > most ? s->held[i] : most;
	return most < s->capacity ? s->capacity - most : 0;
}

bool onsram_search_clash(const struct onsram_search *s, const struct onsram_stay *c)
{
	for (uint32_t k = s->stays_of[c->tensor]; k < s->stays_of[c->tensor + 1]; k++) {
		const struct onsram_stay *o = &s->stay[k];

		if (o != c && o->held && o->first <= c->last && c->first <= o->last)
			return true;
	}
	return false;
}

/* Every stay held, and the new one, placed afresh */
static bool repack(struct onsram_search *s, struct onsram_stay *c)
{
	uint64_t once = s->repack < REPACK_ONCE ? s->repack : REPACK_ONCE, effort = once;
	uint32_t n = 0;
	int ret;

	for (; n < s->nr_held; n++)
		s->scratch[n] = s->held_stay[n];
	s->scratch[n++] = (uint32_t)(c - s->stay);
	/* The fast orders are work as well */
	if (s->repack < n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct onsram_stay *o = &s->stay[s->scratch[i]];

		s->rects[i] = (struct onsram_rect){ .lower = o->first, .upper = o->last + 1,
						    .size = o->bytes };
	}
	ret = onsram_allocate_within(s->rects, n, s->capacity, &effort);
	s->repack -= once - effort < s->repack ? once - effort : s->repack;
	s->repack -= n < s->repack ? n : s->repack;
	if (ret)
		return false;
	for (uint32_t i = 0; i < n; i++)
		s->stay[s->scratch[i]].offset = (uint32_t)s->rects[i].offset;
	return true;
}

bool onsram_search_place(struct onsram_search *s, struct onsram_stay *c)
{
	uint64_t at = 0, best = UINT64_MAX, best_gap = UINT64_MAX;
	uint32_t n = 0;

	if (onsram_search_room(s, c) < c->bytes)
		return false;
	/* Neighbours in time, by offset */
	for (uint32_t h = 0; h < s->nr_held; h++) {
		const struct onsram_stay *o = &s->stay[s->held_stay[h]];
		uint32_t i;

		if (o->first > c->last || c->first > o->last)
			continue;
		for (i = n++; i > 0 && s->stay[s->scratch[i - 1]].offset > o->offset; i--)
			s->scratch[i] = s->scratch[i - 1];
		s->scratch[i] = s->held_stay[h];
	}
	for (uint32_t i = 0; i <= n; i++) {
		uint64_t end = i < n ? s->stay[s->scratch[i]].offset : s->capacity;

		if (end >= at + c->bytes && end - at < best_gap) {
			best = at;
			best_gap = end - at;
		}
		if (i < n) {
			end += s->stay[s->scratch[i]].bytes;
			at = end > at ? end : at;
		}
	}
	if (best == UINT64_MAX)
		return repack(s, c);
	c->offset = (uint32_t)best;
	return true;
}

static void add(struct onsram_search *s, uint32_t tensor, uint32_t first, uint32_t last, uint32_t keep)
{
	bool fetch = onsram_flow_fetches(&s->f, tensor, first);
	struct onsram_stay *c = &s->stay[s->nr_stays++];
	uint64_t bytes = s->f.g->tensors[tensor].bytes;
	struct onsram_cost cost;

	*c = (struct onsram_stay){
		.tensor = tensor, .first = first, .last = last,
		.flags = keep | (fetch ? ONSRAM_INTERVAL_FETCH : 0),
		.bytes = (uint32_t)onsram_granules(bytes),
		.reason = ONSRAM_REASON_NO_GAIN,
	};
	if (fetch) {
		onsram_copy_cost(s->f.m, bytes, false, &cost);
		c->copy_ps += cost.time_ps;
	}
	if (onsram_flow_dirties(&s->f, tensor, first, last)) {
		onsram_copy_cost(s->f.m, bytes, true, &cost);
		c->copy_ps += cost.time_ps;
	}
	c->gain = -onsram_search_change(s, c);
}

static bool is_tight(const struct onsram_search *s, uint32_t op)
{
	return s->tight[op] != s->tight[op + 1];
}

/* The stays of one tensor: its whole life, and with three uses or more its parts */
static void list(struct onsram_search *s, uint32_t t)
{
	bool transient = s->f.g->tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT;
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(&s->f, t, &use);

	if (!n || onsram_granules(s->f.g->tensors[t].bytes) > s->capacity)
		return;
	/* One use of a tensor that must cross DRAM: only where it would cross twice */
	if (n == 1 && !transient &&
	    ((use->slots & 1) || (!(use->slots & (use->slots - 1)) && !is_tight(s, use->op))))
		return;
	add(s, t, use[0].op, use[n - 1].op, 0);
	if (n < 3 || n > SPLIT_USES_MAX)
		return;
	for (uint32_t i = 1; i < n - 1; i++) {
		add(s, t, use[0].op, use[i].op, 0);
		add(s, t, use[i].op, use[n - 1].op, 0);
		if (i + 2 < n)
			add(s, t, use[i].op, use[i + 1].op, 0);
	}
}

/* A stay across runs; what it gains counts from the second run on */
static void add_kept(struct onsram_search *s, uint32_t t)
{
	const struct onsram_use *use;

	if (!onsram_flow_uses(&s->f, t, &use) ||
	    onsram_granules(s->f.g->tensors[t].bytes) > s->capacity)
		return;
	add(s, t, 0, s->f.g->nr_ops - 1, ONSRAM_INTERVAL_KEEP);
	s->stay[s->nr_stays - 1].gain += (int64_t)s->stay[s->nr_stays - 1].copy_ps;
}

int onsram_search_init(struct onsram_search *s, const struct onsram_model *m,
		       const struct onsram_plan_graph *g)
{
	size_t most = 0;
	uint32_t tight = 0;

	*s = (struct onsram_search){ 0 };
	if (onsram_flow_init(&s->f, m, g))
		return -1;
	for (uint32_t t = 0; t < g->nr_tensors; t++) {
		const struct onsram_use *use;
		uint32_t n = onsram_flow_uses(&s->f, t, &use);

		/* Whole life and parts, and one more for a stay across runs */
		most += n < 3 || n > SPLIT_USES_MAX ? 2 : 3 * n;
	}
	s->capacity = m->spm_size > ONSRAM_STAGING_MIN ? m->spm_size - ONSRAM_STAGING_MIN : 0;
	s->stay = calloc(most + 1, sizeof(*s->stay));
	s->stays_of = calloc((size_t)g->nr_tensors + 1, sizeof(*s->stays_of));
	s->tight = calloc((size_t)g->nr_ops + 1, sizeof(*s->tight));
	s->tight_op = calloc((size_t)g->nr_ops + 1, sizeof(*s->tight_op));
	s->resident = calloc((size_t)g->nr_ops + 1, sizeof(*s->resident));
	s->held = calloc((size_t)g->nr_ops + 1, sizeof(*s->held));
	s->time = calloc((size_t)g->nr_ops + 1, sizeof(*s->time));
	s->held_stay = calloc(most + 1, sizeof(*s->held_stay));
	s->scratch = calloc(most + 1, sizeof(*s->scratch));
	s->rects = calloc(most + 1, sizeof(*s->rects));
	if (!s->stay || !s->stays_of || !s->tight || !s->tight_op || !s->resident || !s->held ||
	    !s->time || !s->held_stay || !s->scratch || !s->rects)
		return -1;
	s->repack = (uint64_t)REPACK_PER_OP * g->nr_ops;
	for (uint32_t i = 0; i < g->nr_ops; i++) {
		s->time[i] = price_op(s, i, 0, 0);
		s->total += s->time[i];
		s->tight[i] = tight;
		if (price_op(s, i, 0, s->capacity) != s->time[i])
			s->tight_op[tight++] = i;
	}
	s->tight[g->nr_ops] = tight;
	for (uint32_t t = 0; t < g->nr_tensors; t++) {
		s->stays_of[t] = s->nr_stays;
		list(s, t);
		if (g->tensors[t].flags & DRM_ONSRAM_TENSOR_CONST)
			add_kept(s, t);
	}
	s->stays_of[g->nr_tensors] = s->nr_stays;
	return 0;
}

void onsram_search_fini(struct onsram_search *s)
{
	onsram_flow_fini(&s->f);
	free(s->stay);
	free(s->stays_of);
	free(s->tight);
	free(s->tight_op);
	free(s->resident);
	free(s->held);
	free(s->time);
	free(s->held_stay);
	free(s->scratch);
	free(s->rects);
}
