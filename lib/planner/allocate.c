// SPDX-License-Identifier: MIT
/*
 * Offsets for buffers of known lifetimes.
 *
 * Fast orders first, then the same with whoever found no place moved forward;
 * where that fails, too, a search.  The search places bottom up:
 * a buffer lands on the highest of those already below it, and offsets never
 * fall from one placement to the next.  Every packing can be pushed down into
 * one of this kind, so trying all buffers at every step finds a solution if
 * there is one.  A branch ends where what is still to come no longer fits;
 * buffers that no longer meet in time are solved apart.
 */
#include <stdlib.h>
#include <string.h>

#include "planner.h"

/* Times that a block without a place moves forward, per order */
#define MOVES		150
/* Placements that onsram_allocate() tries before it gives up */
#define EFFORT		1000000ull
/* First share of the effort each order gets; then twice that, and so on */
#define EFFORT_FIRST	500ull
/* More buffers that meet in time are only placed by the fast orders */
#define SEARCH_MAX	1024

/*
 * A buffer.  Lifetimes are in sections: stretches of time during which the set
 * of live buffers does not change.
 */
struct block {
	uint32_t from;
	uint32_t to;		/* exclusive */
	uint32_t rect;
	uint64_t size;
	double width;
	double total;		/* most bytes live at once in its lifetime */
	double key;		/* tried earlier the higher it is, then by @key2 */
	double key2;
	uint64_t offset;
};

/* A buffer still to be placed, and the lowest offset it could get */
struct item {
	uint32_t block;
	uint64_t low;
};

struct packing {
	struct block *block;
	uint32_t n;
	uint64_t capacity;
	uint64_t effort;
	uint32_t sections;
	uint64_t *rest;		/* per section: bytes still to be placed */
	uint64_t *low;		/* per section: scratch */
	int32_t *cross;		/* per section: scratch */
	struct item *pool;	/* items of all levels of the search */
	size_t pool_size;
};

static int cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int by_key(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	if (x->key2 != y->key2)
		return x->key2 < y->key2 ? 1 : -1;
	return x->rect < y->rect ? -1 : x->rect > y->rect;
}

static int by_start(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->rect < y->rect ? -1 : x->rect > y->rect;
}

static int by_offset(const void *a, const void *b)
{
	const struct block *const *x = a, *const *y = b;

	return (*x)->offset < (*y)->offset ? -1 : (*x)->offset > (*y)->offset;
}

enum order { ORDER_TOTAL, ORDER_SIZE, ORDER_AREA, ORDER_WIDTH, ORDER_COUNT };

static void sort_blocks(struct block *b, uint32_t n, enum order order)
{
	for (uint32_t i = 0; i < n; i++) {
		double size = (double)b[i].size;
		double area = size * b[i].width;

		switch (order) {
		case ORDER_TOTAL:
			b[i].key = b[i].total;
			b[i].key2 = area;
			break;
		case ORDER_SIZE:
			b[i].key = size;
			b[i].key2 = b[i].width;
			break;
		case ORDER_AREA:
			b[i].key = area;
			b[i].key2 = b[i].total;
			break;
		default:
			b[i].key = b[i].width;
			b[i].key2 = size;
		}
	}
	qsort(b, n, sizeof(*b), by_key);
}

/* --- fast orders ---------------------------------------------------------- */

/*
 * Each block into the smallest gap that takes it, or (@low) the lowest.  Blocks
 * before @from have their place.  Returns the block that finds none, or @n.
 */
static uint32_t place_in_order(const struct packing *p, struct block *b, uint32_t n, uint32_t from,
			       bool low, struct block **near)
{
	for (uint32_t i = from; i < n; i++) {
		uint64_t at = 0, best = UINT64_MAX, best_gap = UINT64_MAX;
		uint32_t k = 0;

		for (uint32_t j = 0; j < i; j++)
			if (b[j].from < b[i].to && b[i].from < b[j].to)
				near[k++] = &b[j];
		qsort(near, k, sizeof(*near), by_offset);
		for (uint32_t j = 0; j <= k; j++) {
			uint64_t end = j < k ? near[j]->offset : p->capacity;

			if (end > at && end - at >= b[i].size && end - at < best_gap) {
				best = at;
				best_gap = end - at;
				if (low)
					break;
			}
			if (j < k && near[j]->offset + near[j]->size > at)
				at = near[j]->offset + near[j]->size;
		}
		if (best == UINT64_MAX)
			return i;
		b[i].offset = best;
	}
	return n;
}

/* Places in order; who finds no place goes ahead of half of those before it, and again */
static bool place_and_move(const struct packing *p, struct block *b, uint32_t n, bool low,
			   struct block **near, uint32_t moves)
{
	uint32_t from = 0;

	for (;;) {
		uint32_t stuck = place_in_order(p, b, n, from, low, near);
		struct block t;

		if (stuck == n)
			return true;
		if (!moves--)
			return false;
		from = stuck / 2;
		t = b[stuck];
		memmove(b + from + 1, b + from, (stuck - from) * sizeof(*b));
		b[from] = t;
	}
}

/* --- search --------------------------------------------------------------- */

static bool search(struct packing *p, struct item *it, uint32_t n, uint64_t from_offset,
		   uint32_t from_item);

/* Whether every section can still take its rest above the lowest of what is to come */
static bool fits(struct packing *p, const struct item *it, uint32_t n, uint64_t from_offset)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct block *b = &p->block[it[i].block];

		for (uint32_t s = b->from; s < b->to; s++)
			p->low[s] = UINT64_MAX;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct block *b = &p->block[it[i].block];
		uint64_t low = it[i].low > from_offset ? it[i].low : from_offset;

		for (uint32_t s = b->from; s < b->to; s++)
			p->low[s] = low < p->low[s] ? low : p->low[s];
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct block *b = &p->block[it[i].block];

		for (uint32_t s = b->from; s < b->to; s++)
			if (p->low[s] + p->rest[s] > p->capacity)
				return false;
	}
	return true;
}

/* Solve what is left, in groups that do not meet in time */
static bool search_groups(struct packing *p, struct item *it, uint32_t n, uint64_t from_offset,
			  uint32_t from_block)
{
	uint32_t lo = UINT32_MAX, hi = 0, groups = 0;
	struct item *next;
	int32_t across = 0;

	if (!n)
		return true;
	for (uint32_t i = 0; i < n; i++) {
		const struct block *b = &p->block[it[i].block];

		lo = b->from < lo ? b->from : lo;
		hi = b->to > hi ? b->to : hi;
	}
	/* Blocks that reach across the start of a section, and whether one starts there */
	memset(p->cross + lo, 0, (hi - lo + 1) * sizeof(*p->cross));
	memset(p->low + lo, 0, (hi - lo) * sizeof(*p->low));
	for (uint32_t i = 0; i < n; i++) {
		const struct block *b = &p->block[it[i].block];

		p->cross[b->from + 1]++;
		p->cross[b->to]--;
		p->low[b->from] = 1;
	}
	for (uint32_t s = lo; s < hi; s++) {
		across += p->cross[s];
		groups += !across && p->low[s];
		p->cross[s] = (int32_t)groups;
	}
	if (groups == 1)
		return search(p, it, n, from_offset, from_block);
	if (p->pool_size < n)
		return false;
	next = p->pool;
	p->pool += n;
	p->pool_size -= n;
	for (uint32_t g = 1, k = 0; g <= groups; g++)
		for (uint32_t i = 0; i < n; i++)
			if (p->cross[p->block[it[i].block].from] == (int32_t)g)
				next[k++] = it[i];
	/* The scratch is gone once a group has been searched: note where each begins */
	for (uint32_t k = 0; k < n; k++) {
		uint32_t g = (uint32_t)p->cross[p->block[next[k].block].from] - 1;

		if (!k || p->cross[p->block[next[k - 1].block].from] != (int32_t)g + 1)
			it[g].block = k;
	}
	for (uint32_t g = 0; g < groups; g++) {
		uint32_t begin = it[g].block, end = g + 1 < groups ? it[g + 1].block : n;

		if (!search(p, next + begin, end - begin, from_offset, from_block)) {
			groups = 0;
			break;
		}
	}
	p->pool = next;
	p->pool_size += n;
	return groups != 0;
}

static bool search(struct packing *p, struct item *it, uint32_t n, uint64_t from_offset,
		   uint32_t from_block)
{
	uint64_t limit = UINT64_MAX;
	struct item *next = p->pool;
	bool found = false;

	if (!fits(p, it, n, from_offset) || p->pool_size < n)
		return false;
	/*
	 * Nothing placed later lies below @from_offset: a block that would still
	 * fit whole below another one's offset has to go first.
	 */
	for (uint32_t i = 0; i < n; i++) {
		uint64_t top = it[i].low + p->block[it[i].block].size;

		limit = top < limit ? top : limit;
	}
	p->pool += n;
	p->pool_size -= n;
	for (uint32_t i = 0; i < n && !found && p->effort; i++) {
		struct block *b = &p->block[it[i].block];
		uint64_t top = it[i].low + b->size;
		uint32_t k = 0;

		if (it[i].low >= limit || it[i].low < from_offset ||
		    (it[i].low == from_offset && from_block != UINT32_MAX && it[i].block < from_block))
			continue;
		p->effort--;
		for (uint32_t j = 0; j < n; j++) {
			const struct block *o = &p->block[it[j].block];

			if (j == i)
				continue;
			next[k] = it[j];
			if (o->from < b->to && b->from < o->to && next[k].low < top)
				next[k].low = top;
			k++;
		}
		for (uint32_t s = b->from; s < b->to; s++)
			p->rest[s] -= b->size;
		b->offset = it[i].low;
		found = search_groups(p, next, k, it[i].low, it[i].block);
		for (uint32_t s = b->from; s < b->to; s++)
			p->rest[s] += b->size;
	}
	p->pool = next;
	p->pool_size += n;
	return found;
}

/* --- the problem ---------------------------------------------------------- */

static bool solve_by_search(struct packing *p, struct block *b, uint32_t n)
{
	uint64_t left = p->effort, share = EFFORT_FIRST;
	struct block *all = p->block;
	struct item *it, *pool;
	bool found = false;
	size_t size;

	/* Each level lists what is below it, once more where groups split */
	size = (size_t)n * (n + 1) + 4 * (size_t)n;
	it = calloc(n, sizeof(*it));
	pool = calloc(size, sizeof(*pool));
	p->block = b;
	while (it && pool && !found && left) {
		for (int order = 0; order < ORDER_COUNT && !found && left; order++) {
			uint64_t effort = share < left ? share : left;

			sort_blocks(b, n, (enum order)order);
			for (uint32_t i = 0; i < n; i++)
				it[i] = (struct item){ .block = i };
			p->pool = pool;
			p->pool_size = size;
			p->effort = effort;
			found = search_groups(p, it, n, 0, UINT32_MAX);
			left -= effort - p->effort;
			/* Searched in full: there is no solution */
			if (!found && p->effort)
				left = 0;
		}
		share *= 2;
	}
	p->block = all;
	p->effort = left;
	free(it);
	free(pool);
	return found;
}

/* Buffers that meet in time, directly or through others */
static bool solve_component(struct packing *p, struct block *b, uint32_t n, struct block **near)
{
	memset(p->rest, 0, p->sections * sizeof(*p->rest));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t s = b[i].from; s < b[i].to; s++)
			p->rest[s] += b[i].size;
	for (uint32_t i = 0; i < n; i++) {
		b[i].total = 0;
		for (uint32_t s = b[i].from; s < b[i].to; s++) {
			if (p->rest[s] > p->capacity)
				return false;
			if ((double)p->rest[s] > b[i].total)
				b[i].total = (double)p->rest[s];
		}
	}
	for (int order = 0; order < 2 * ORDER_COUNT; order++) {
		sort_blocks(b, n, (enum order)(order / 2));
		if (place_and_move(p, b, n, order % 2, near, p->effort > MOVES * n ? MOVES : 0))
			return true;
	}
	return n <= SEARCH_MAX && solve_by_search(p, b, n);
}

/* Sections from lifetimes; false where a buffer is malformed */
static bool sections(struct packing *p, struct onsram_rect *rects, uint64_t *times)
{
	uint32_t k = 0, n = p->n;

	for (uint32_t i = 0; i < p->n; i++) {
		if (rects[i].lower >= rects[i].upper || rects[i].size > p->capacity)
			return false;
		rects[i].offset = 0;
		times[2 * i] = rects[i].lower;
		times[2 * i + 1] = rects[i].upper;
	}
	qsort(times, 2 * (size_t)p->n, sizeof(*times), cmp_u64);
	for (uint32_t i = 0; i < 2 * p->n; i++)
		if (!k || times[k - 1] != times[i])
			times[k++] = times[i];
	p->sections = k;
	p->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct block *b = &p->block[p->n];
		const uint64_t *t;

		if (!rects[i].size)
			continue;
		t = bsearch(&rects[i].lower, times, k, sizeof(*times), cmp_u64);
		b->from = (uint32_t)(t - times);
		t = bsearch(&rects[i].upper, times, k, sizeof(*times), cmp_u64);
		b->to = (uint32_t)(t - times);
		b->rect = i;
		b->size = rects[i].size;
		b->width = (double)(rects[i].upper - rects[i].lower);
		p->n++;
	}
	return true;
}

static int allocate_within(struct onsram_rect *rects, size_t n, uint64_t capacity, uint64_t *effort)
{
	struct packing p = { .n = (uint32_t)n, .capacity = capacity, .effort = *effort };
	struct block **near;
	uint64_t *times;
	uint32_t begin = 0, end = 0;
	int ret = -1;

	if (!n)
		return 0;
	if (n > UINT32_MAX / 4 || capacity > UINT64_MAX / 4)
		return -1;
	times = calloc(2 * n, sizeof(*times));
	near = calloc(n, sizeof(*near));
	p.block = calloc(n, sizeof(*p.block));
	p.rest = calloc(2 * n, sizeof(*p.rest));
	p.low = calloc(2 * n, sizeof(*p.low));
	p.cross = calloc(2 * n + 1, sizeof(*p.cross));
	if (!times || !near || !p.block || !p.rest || !p.low || !p.cross ||
	    !sections(&p, rects, times))
		goto out;
	qsort(p.block, p.n, sizeof(*p.block), by_start);
	for (uint32_t i = 0; p.n && i <= p.n; i++) {
		if (i == p.n || (i > begin && p.block[i].from >= end)) {
			if (!solve_component(&p, p.block + begin, i - begin, near))
				goto out;
			begin = i;
		}
		if (i < p.n && p.block[i].to > end)
			end = p.block[i].to;
	}
	for (uint32_t i = 0; i < p.n; i++)
		rects[p.block[i].rect].offset = p.block[i].offset;
	ret = 0;
out:
	*effort = p.effort;
	free(times);
	free(near);
	free(p.block);
	free(p.rest);
	free(p.low);
	free(p.cross);
	return ret;
}

int onsram_allocate(struct onsram_rect *rects, size_t n, uint64_t capacity)
{
	uint64_t effort = EFFORT;

	return allocate_within(rects, n, capacity, &effort);
}
