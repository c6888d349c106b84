// SPDX-License-Identifier: MIT
/*
 * Offsets for buffers of known lifetimes.
 *
 * Lifetimes become sections: stretches of time in which the set of live buffers
 * does not change.  Buffers that no others connect in time are placed apart.
 * Several orders are tried, each buffer at the lowest offset that is free for all
 * of its life; where they need too much, searches follow (join.c, pack.c).
 */
#include <stdlib.h>
#include <string.h>

#include "join.h"

/* Times that buffers which got too high may complain, before a search and without one; what they gain */
#define COMPLAINTS	100
#define COMPLAINTS_ONLY	40
#define COMPLAINT	1.5
/* Steps of a search that is to show what can be had, not to find all there is */
#define STEPS		400000
/* Buffers placed before the clock is asked */
#define CLOCK_BUFFERS	1024

/* A buffer of a group; @rect: its index in the problem */
struct buffer {
	struct onsram_piece piece;
	uint32_t rect;
	double width;
	double key;
};

/* Offsets [low, high) that are taken */
struct range {
	uint64_t low;
	uint64_t high;
};

struct allocation {
	struct onsram_rect *rects;
	struct buffer *buffer;
	uint32_t n;
	uint32_t sections;
	uint64_t capacity;
	const struct onsram_clock *clock;
	bool out_of_time;
	bool impossible;
	uint64_t height;
	struct range *near;
	/* Buffers that have a place: a tree over sections, and by where they begin */
	uint32_t *node_first;
	uint32_t *node_next;
	uint32_t *node_of;
	uint32_t *node_buffer;
	uint32_t nr_nodes;
	uint32_t leaves;
	uint32_t *begin_first;
	uint32_t *begin_next;
	uint64_t *top;		/* per section: highest end */
	uint64_t *best;		/* per buffer: offset of the lowest placement */
	struct onsram_piece *pieces;
	struct group *group;
};

/* Buffers [@first, @end), which live in sections [@lo, @hi) and meet no others; @height by orders */
struct group {
	uint32_t first;
	uint32_t end;
	uint32_t lo;
	uint32_t hi;
	uint64_t height;
};

#define NONE	UINT32_MAX

static bool go_on(struct allocation *a)
{
	if (!a->out_of_time && a->clock && a->clock->go_on && !a->clock->go_on(a->clock->arg))
		a->out_of_time = true;
	return !a->out_of_time;
}

/* --- buffers that have a place ------------------------------------------------- */

static void forget(struct allocation *a, uint32_t lo, uint32_t hi)
{
	while (a->nr_nodes)
		a->node_first[a->node_of[--a->nr_nodes]] = NONE;
	for (uint32_t s = lo; s < hi; s++) {
		a->begin_first[s] = NONE;
		a->top[s] = 0;
	}
}

static void note_at(struct allocation *a, uint32_t node, uint32_t k)
{
	a->node_of[a->nr_nodes] = node;
	a->node_buffer[a->nr_nodes] = k;
	a->node_next[a->nr_nodes] = a->node_first[node];
	a->node_first[node] = a->nr_nodes++;
}

static void note(struct allocation *a, uint32_t k)
{
	const struct onsram_piece *b = &a->buffer[k].piece;
	uint32_t from = b->from + a->leaves, to = b->to + a->leaves;

	for (; from < to; from /= 2, to /= 2) {
		if (from & 1)
			note_at(a, from++, k);
		if (to & 1)
			note_at(a, --to, k);
	}
	a->begin_next[k] = a->begin_first[b->from];
	a->begin_first[b->from] = k;
	for (uint32_t s = b->from; s < b->to; s++)
		if (b->offset + b->size > a->top[s])
			a->top[s] = b->offset + b->size;
}

static int by_low(const void *x, const void *y)
{
	const struct range *a = x, *b = y;

	return a->low < b->low ? -1 : a->low > b->low;
}

/* What those that have a place take while a buffer lives, by offset */
static uint32_t taken(struct allocation *a, const struct onsram_piece *b)
{
	uint32_t n = 0;

	for (uint32_t node = b->from + a->leaves; node; node /= 2)
		for (uint32_t i = a->node_first[node]; i != NONE; i = a->node_next[i]) {
			const struct onsram_piece *o = &a->buffer[a->node_buffer[i]].piece;

			a->near[n++] = (struct range){ o->offset, o->offset + o->size };
		}
	for (uint32_t s = b->from + 1; s < b->to; s++)
		for (uint32_t k = a->begin_first[s]; k != NONE; k = a->begin_next[k]) {
			const struct onsram_piece *o = &a->buffer[k].piece;

			a->near[n++] = (struct range){ o->offset, o->offset + o->size };
		}
	qsort(a->near, n, sizeof(*a->near), by_low);
	return n;
}

/* --- orders --------------------------------------------------------------------- */

static int by_key(const void *x, const void *y)
{
	const struct buffer *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? 1 : -1;
	return a->rect < b->rect ? -1 : a->rect > b->rect;
}

enum order { ORDER_SIZE, ORDER_AREA, ORDER_WIDTH, ORDER_COUNT };

static void sort_buffers(struct allocation *a, const struct group *g, enum order order)
{
	for (uint32_t k = g->first; k < g->end; k++) {
		struct buffer *b = &a->buffer[k];
		double size = (double)b->piece.size;

		b->key = order == ORDER_SIZE ? size : order == ORDER_AREA ? size * b->width : b->width;
	}
	qsort(a->buffer + g->first, g->end - g->first, sizeof(*a->buffer), by_key);
}

/* Who got higher than @limit comes earlier next time */
static void complain(struct allocation *a, const struct group *g, uint64_t limit)
{
	for (uint32_t k = g->first; k < g->end; k++) {
		struct buffer *b = &a->buffer[k];

		if (b->piece.offset + b->piece.size > limit)
			b->key *= COMPLAINT;
	}
	qsort(a->buffer + g->first, g->end - g->first, sizeof(*a->buffer), by_key);
}

/* The lowest offset that is free for all of a buffer's life */
static void place_low(struct allocation *a, struct onsram_piece *b)
{
	uint32_t n = taken(a, b);
	uint64_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (a->near[i].low >= at && a->near[i].low - at >= b->size)
			break;
		at = a->near[i].high > at ? a->near[i].high : at;
	}
	b->offset = at;
}

static void place_on_top(struct allocation *a, struct onsram_piece *b)
{
	b->offset = 0;
	for (uint32_t s = b->from; s < b->to; s++)
		b->offset = a->top[s] > b->offset ? a->top[s] : b->offset;
}

/* Places all of a group in order.  Returns how high it gets; @again: not the first placement */
static uint64_t place_in_order(struct allocation *a, const struct group *g, bool again)
{
	uint32_t first = g->first, end = g->end;
	uint64_t height = 0;

	forget(a, g->lo, g->hi);
	for (uint32_t k = first; k < end; k++) {
		struct onsram_piece *b = &a->buffer[k].piece;

		if ((k - first) % CLOCK_BUFFERS == 0)
			go_on(a);
		/* Without time only a first placement is of use */
		if (a->out_of_time && again)
			return UINT64_MAX;
		if (a->out_of_time)
			place_on_top(a, b);
		else
			place_low(a, b);
		note(a, k);
		height = b->offset + b->size > height ? b->offset + b->size : height;
	}
	return height;
}

static void keep(struct allocation *a, const struct group *g)
{
	for (uint32_t k = g->first; k < g->end; k++)
		a->best[a->buffer[k].rect] = a->buffer[k].piece.offset;
}

/* --- groups ---------------------------------------------------------------------- */

static int by_from(const void *x, const void *y)
{
	const struct buffer *a = x, *b = y;

	if (a->piece.from != b->piece.from)
		return a->piece.from < b->piece.from ? -1 : 1;
	return a->rect < b->rect ? -1 : a->rect > b->rect;
}

/* Search for a placement below @height, which a search of @limit steps may find */
static bool search(struct allocation *a, const struct group *g, uint64_t height, uint64_t limit)
{
	uint32_t n = g->end - g->first, sections = g->hi - g->lo;
	enum onsram_packed packed;

	for (uint32_t k = g->first; k < g->end; k++) {
		a->pieces[k - g->first] = a->buffer[k].piece;
		a->pieces[k - g->first].from -= g->lo;
		a->pieces[k - g->first].to -= g->lo;
	}
	packed = onsram_pack(a->pieces, n, sections, height, limit, a->clock);
	if (packed == ONSRAM_PACK_GAVE_UP && limit == UINT64_MAX)
		return false;
	if (packed == ONSRAM_PACK_GAVE_UP && height == a->capacity &&
	    onsram_join_and_pack(a->pieces, n, sections, height, a->clock))
		packed = ONSRAM_PACKED;
	a->impossible |= packed == ONSRAM_PACK_IMPOSSIBLE && height == a->capacity;
	if (packed != ONSRAM_PACKED)
		return false;
	for (uint32_t k = g->first; k < g->end; k++)
		a->buffer[k].piece.offset = a->pieces[k - g->first].offset;
	keep(a, g);
	return true;
}

/* A search, which first sees how low it gets within a few steps */
static void search_down(struct allocation *a, const struct group *g)
{
	uint64_t low = a->capacity, high = g->height;

	if (!go_on(a))
		return;
	qsort(a->buffer + g->first, g->end - g->first, sizeof(*a->buffer), by_from);
	if (search(a, g, low, STEPS) || a->impossible)
		return;
	for (uint64_t mid; high - low > a->capacity / 256 && go_on(a);) {
		mid = low + (high - low) / 2;
		if (search(a, g, mid, STEPS))
			high = mid;
		else
			low = mid;
	}
	if (go_on(a))
		search(a, g, a->capacity, UINT64_MAX);
}

static void try_orders(struct allocation *a, struct group *g)
{
	bool searched = g->end - g->first <= ONSRAM_PACK_MAX;
	int rounds = ORDER_COUNT + (searched ? COMPLAINTS : COMPLAINTS_ONLY);

	g->height = UINT64_MAX;
	for (int order = 0; order < rounds; order++) {
		uint64_t h;

		if (g->height <= a->capacity || (order && !go_on(a)))
			break;
		if (order < ORDER_COUNT)
			sort_buffers(a, g, (enum order)order);
		else
			complain(a, g, a->capacity + (g->height - a->capacity) / 8 * 7);
		h = place_in_order(a, g, order);
		if (h < g->height) {
			g->height = h;
			keep(a, g);
		}
	}
}

static int cmp_u64(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* Sections from lifetimes; false where a buffer has none, or they are too large */
static bool cut(struct allocation *a, uint64_t *times)
{
	uint32_t k = 0, n = a->n;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (a->rects[i].lower >= a->rects[i].upper ||
		    __builtin_add_overflow(sum, a->rects[i].size, &sum) || sum > INT64_MAX)
			return false;
		times[2 * i] = a->rects[i].lower;
		times[2 * i + 1] = a->rects[i].upper;
	}
	qsort(times, 2 * (size_t)n, sizeof(*times), cmp_u64);
	for (uint32_t i = 0; i < 2 * n; i++)
		if (!k || times[k - 1] != times[i])
			times[k++] = times[i];
	a->sections = k;
	a->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct buffer *b = &a->buffer[a->n];
		const uint64_t *t;

		if (!a->rects[i].size)
			continue;
		*b = (struct buffer){ .rect = i };
		t = bsearch(&a->rects[i].lower, times, k, sizeof(*times), cmp_u64);
		b->piece.from = (uint32_t)(t - times);
		t = bsearch(&a->rects[i].upper, times, k, sizeof(*times), cmp_u64);
		b->piece.to = (uint32_t)(t - times);
		b->piece.size = a->rects[i].size;
		b->width = (double)(a->rects[i].upper - a->rects[i].lower);
		a->n++;
	}
	return true;
}

static uint32_t split(struct allocation *a)
{
	uint32_t end = 0, n = 0;

	qsort(a->buffer, a->n, sizeof(*a->buffer), by_from);
	for (uint32_t k = 0; k < a->n; k++) {
		const struct onsram_piece *b = &a->buffer[k].piece;

		if (!k || b->from >= end)
			a->group[n++] = (struct group){ .first = k, .lo = b->from };
		end = b->to > end ? b->to : end;
		a->group[n - 1].end = k + 1;
		a->group[n - 1].hi = end;
	}
	return n;
}

static void place_groups(struct allocation *a)
{
	uint32_t n = split(a);

	for (uint32_t k = 0; k < n; k++)
		try_orders(a, &a->group[k]);
	for (uint32_t k = 0; k < n; k++)
		if (a->group[k].height > a->capacity && a->group[k].end - a->group[k].first <= ONSRAM_PACK_MAX)
			search_down(a, &a->group[k]);
}

static bool get_memory(struct allocation *a)
{
	size_t n = a->n, sections = 2 * n + 1, depth = 0;

	for (a->leaves = 1; a->leaves < sections; depth++)
		a->leaves *= 2;
	a->buffer = calloc(n, sizeof(*a->buffer));
	a->near = calloc(n, sizeof(*a->near));
	a->node_first = calloc(2 * (size_t)a->leaves, sizeof(*a->node_first));
	/* A buffer is noted at twice as many nodes of the tree as it is deep, at most */
	a->node_next = calloc(n, 2 * depth * sizeof(*a->node_next));
	a->node_of = calloc(n, 2 * depth * sizeof(*a->node_of));
	a->node_buffer = calloc(n, 2 * depth * sizeof(*a->node_buffer));
	a->begin_first = calloc(sections, sizeof(*a->begin_first));
	a->begin_next = calloc(n, sizeof(*a->begin_next));
	a->top = calloc(sections, sizeof(*a->top));
	a->best = calloc(n, sizeof(*a->best));
	a->pieces = calloc(ONSRAM_PACK_MAX, sizeof(*a->pieces));
	a->group = calloc(n, sizeof(*a->group));
	if (!a->buffer || !a->near || !a->node_first || !a->node_next || !a->node_of ||
	    !a->node_buffer || !a->begin_first || !a->begin_next || !a->top || !a->best || !a->pieces ||
	    !a->group)
		return false;
	memset(a->node_first, 0xff, 2 * (size_t)a->leaves * sizeof(*a->node_first));
	return true;
}

static void put_memory(struct allocation *a)
{
	free(a->buffer);
	free(a->near);
	free(a->node_first);
	free(a->node_next);
	free(a->node_of);
	free(a->node_buffer);
	free(a->begin_first);
	free(a->begin_next);
	free(a->top);
	free(a->best);
	free(a->pieces);
	free(a->group);
}

enum onsram_allocated onsram_allocate(struct onsram_rect *rects, size_t n, uint64_t capacity,
				      const struct onsram_clock *clock, uint64_t *height)
{
	struct allocation a = { .rects = rects, .n = (uint32_t)n, .capacity = capacity, .clock = clock };
	enum onsram_allocated ret = ONSRAM_ALLOCATE_NO_MEMORY;
	uint64_t *times;

	*height = 0;
	if (!n)
		return ONSRAM_ALLOCATED;
	if (n > INT32_MAX / 64)
		return ONSRAM_ALLOCATE_INVALID;
	times = calloc(2 * n, sizeof(*times));
	if (!times || !get_memory(&a))
		goto out;
	ret = ONSRAM_ALLOCATE_INVALID;
	if (!cut(&a, times))
		goto out;
	place_groups(&a);
	for (size_t i = 0; i < n; i++) {
		rects[i].offset = rects[i].size ? a.best[i] : 0;
		*height = rects[i].offset + rects[i].size > *height ? rects[i].offset + rects[i].size : *height;
	}
	ret = *height <= capacity ? ONSRAM_ALLOCATED :
	      a.impossible ? ONSRAM_ALLOCATE_IMPOSSIBLE : ONSRAM_ALLOCATED_HIGHER;
out:
	free(times);
	put_memory(&a);
	return ret;
}
