// SPDX-License-Identifier: MIT
/*
 * Packing by search.  Pieces are put down from the bottom up, so that what lies
 * below every section's floor is settled.  Where the floor is lower than on both
 * sides, a valley, the lowest piece still to come in its leftmost section either
 * lies on that floor, and then begins there and ends within the valley, or leaves
 * some of the section unused for good; likewise on the right.  What a section may
 * leave unused is known: the capacity less its floor less what is still to come.
 * So hardly anything is left to choose where memory is full.
 *
 * Parts of time that no piece to come connects are solved apart.  A search that
 * goes astray is started again with another order of preference.
 */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

/* Nodes of the first search, and by how many times the next one's may be more */
#define NODES_FIRST	2000
#define NODES_GROWTH	1.05
/* Keys saturate: 2^62 */
#define KEY_MAX		4611686018427387904.0

struct list {
	uint32_t first;
	uint32_t end;
};

/*
 * Sections @from to @to - 1.  As a conflict: what failed depends on what lies in these
 * alone, and would fail again whatever changes in others.
 */
struct span {
	uint32_t from;
	uint32_t to;
};

struct pack {
	struct onsram_piece *piece;
	uint32_t n;
	uint32_t sections;
	uint64_t capacity;
	bool *placed;
	uint64_t *key;		/* per piece: tried earlier the higher it is */
	uint64_t *floor;	/* per section */
	uint64_t *rest;		/* per section: bytes still to come */
	bool *loose;		/* per section: nothing lies right below the floor */
	uint32_t *across;	/* per moment: pieces to come that live before and behind */
	uint32_t *by_from;	/* pieces that begin at each moment, by size descending */
	struct list *begins;
	uint32_t *by_to;
	struct list *ends;
	struct step *trail;
	uint32_t nr_trail;
	uint32_t room_trail;
	uint64_t nodes;		/* left */
	const struct onsram_clock *clock;
	bool stopped;		/* out of nodes */
	bool cut;		/* something was not looked at for want of room */
	struct span conflict;	/* of what has just failed */
	uint64_t seed;
};

static uint64_t random_next(struct pack *p)
{
	p->seed ^= p->seed << 13;
	p->seed ^= p->seed >> 7;
	p->seed ^= p->seed << 17;
	return p->seed;
}

static uint64_t slack(const struct pack *p, uint32_t s)
{
	return p->capacity - p->floor[s] - p->rest[s];
}

#define NONE	UINT32_MAX

/*
 * What has been done, to be taken back: a piece put down; bytes of a section left
 * unused; or a floor that had nothing to rest on and now has
 */
struct step {
	enum { PIECE, UNUSED, GROUNDED } kind;
	uint32_t index;
	uint64_t bytes;
	bool loose;
};

static void put(struct pack *p, uint32_t k, uint64_t at)
{
	struct onsram_piece *b = &p->piece[k];

	b->offset = at;
	p->placed[k] = true;
	for (uint32_t s = b->from; s < b->to; s++) {
		p->floor[s] += b->size;
		p->rest[s] -= b->size;
		if (p->loose[s])
			p->trail[p->nr_trail++] = (struct step){ .kind = GROUNDED, .index = s };
		p->loose[s] = false;
	}
	for (uint32_t t = b->from + 1; t < b->to; t++)
		p->across[t]--;
	p->trail[p->nr_trail++] = (struct step){ .kind = PIECE, .index = k };
}

static bool has_room(struct pack *p)
{
	p->cut |= p->nr_trail >= p->room_trail;
	return p->nr_trail < p->room_trail;
}

/* Leave bytes of a section unused: what is put there needs something else to rest on */
static void leave(struct pack *p, uint32_t s, uint64_t bytes)
{
	p->trail[p->nr_trail++] = (struct step){ UNUSED, s, bytes, p->loose[s] };
	p->floor[s] += bytes;
	p->loose[s] = true;
}

static void take_back(struct pack *p, uint32_t mark)
{
	while (p->nr_trail > mark) {
		const struct step *step = &p->trail[--p->nr_trail];
		const struct onsram_piece *b = &p->piece[step->index];

		switch (step->kind) {
		case UNUSED:
			p->floor[step->index] -= step->bytes;
			p->loose[step->index] = step->loose;
			break;
		case GROUNDED:
			p->loose[step->index] = true;
			break;
		default:
			p->placed[step->index] = false;
			for (uint32_t s = b->from; s < b->to; s++) {
				p->floor[s] -= b->size;
				p->rest[s] += b->size;
			}
			for (uint32_t t = b->from + 1; t < b->to; t++)
				p->across[t]++;
		}
	}
}

/* A valley, and how to go on there */
struct choice {
	uint32_t from;
	uint32_t to;
	bool right;		/* at its right edge */
	uint64_t waste;		/* bytes that stay unused there if nothing begins at this height */
	bool may_waste;		/* there are that many */
	uint64_t rise;		/* all of it has nothing to rest on: that much stays unused */
	uint32_t options;
};

/* A section's floor as its neighbours see it: where nothing comes any more it is a wall */
static uint64_t wall(const struct pack *p, uint32_t s)
{
	return p->rest[s] ? p->floor[s] : p->capacity;
}

static bool fits(const struct pack *p, uint32_t k, const struct choice *c)
{
	const struct onsram_piece *b = &p->piece[k];

	if (p->placed[k] || b->from < c->from || b->to > c->to)
		return false;
	for (uint32_t s = b->from; s < b->to; s++)
		if (!p->loose[s])
			return true;
	return false;
}

static uint32_t count(const struct pack *p, const struct choice *c)
{
	struct list l = c->right ? p->ends[c->to] : p->begins[c->from];
	const uint32_t *list = c->right ? p->by_to : p->by_from;
	uint32_t n = 0;

	for (uint32_t k = l.first; k < l.end; k++)
		n += fits(p, list[k], c);
	return n;
}

/* Edges that leave nothing to choose come first, then low ones */
static bool better(const struct pack *p, const struct choice *a, const struct choice *b)
{
	if (a->may_waste != b->may_waste)
		return !a->may_waste;
	if (!a->may_waste && a->options != b->options)
		return a->options < b->options;
	if (p->floor[a->from] != p->floor[b->from])
		return p->floor[a->from] < p->floor[b->from];
	return a->options < b->options;
}

/* The smallest piece that could lie in a valley */
static uint64_t smallest_in(const struct pack *p, const struct choice *c)
{
	uint64_t smallest = UINT64_MAX;

	for (uint32_t t = c->from; t < c->to; t++)
		for (uint32_t k = p->begins[t].end; k > p->begins[t].first; k--) {
			const struct onsram_piece *b = &p->piece[p->by_from[k - 1]];

			if (p->placed[p->by_from[k - 1]] || b->to > c->to)
				continue;
			smallest = b->size < smallest ? b->size : smallest;
			break;
		}
	return smallest;
}

/* Look at both edges of a valley between floors @left and @right */
static void look(const struct pack *p, struct choice *best, struct choice c, uint64_t left, uint64_t right)
{
	uint64_t h = p->floor[c.from], rise = left < right ? left - h : right - h, smallest;
	bool loose = true;

	for (uint32_t s = c.from; s < c.to && loose; s++)
		loose = p->loose[s];
	if (loose) {
		c.rise = rise;
		*best = c;
		return;
	}
	smallest = smallest_in(p, &c);
	/* What lies higher rests on what rises beside the valley, or on something in it */
	c.waste = rise < smallest ? rise : smallest;
	for (int side = 0; side < 2; side++) {
		c.right = side;
		c.may_waste = slack(p, side ? c.to - 1 : c.from) >= c.waste;
		c.options = count(p, &c);
		if (!best->to || better(p, &c, best))
			*best = c;
	}
}

static struct choice choose(const struct pack *p, uint32_t lo, uint32_t hi)
{
	struct choice best = { 0 };

	for (uint32_t s = lo, e; s < hi; s = e) {
		uint64_t h = wall(p, s), left, right;

		for (e = s + 1; e < hi && wall(p, e) == h;)
			e++;
		left = s > lo ? wall(p, s - 1) : p->capacity;
		right = e < hi ? wall(p, e) : p->capacity;
		/* A floor at the top with bytes to come would not have got here */
		if (h >= left || h >= right)
			continue;
		look(p, &best, (struct choice){ .from = s, .to = e }, left, right);
		if (best.rise)
			break;
	}
	return best;
}

static bool solve(struct pack *p, uint32_t lo, uint32_t hi);

/* Whether a piece like this one, but earlier in the list, would do as well */
static bool twin_before(const struct pack *p, const uint32_t *list, uint32_t first, uint32_t k)
{
	const struct onsram_piece *b = &p->piece[list[k]];

	for (uint32_t j = k; j-- > first;) {
		const struct onsram_piece *o = &p->piece[list[j]];

		if (o->size != b->size)
			return false;
		if (o->from == b->from && o->to == b->to && !p->placed[list[j]])
			return true;
	}
	return false;
}

/* How soon a piece is tried: first those that end flush with what rises beside them */
static uint64_t rank(const struct pack *p, const struct choice *c, uint32_t k, uint32_t lo, uint32_t hi)
{
	const struct onsram_piece *b = &p->piece[k];
	uint64_t top = p->floor[c->from] + b->size;
	uint64_t left = c->from > lo ? wall(p, c->from - 1) : p->capacity;
	uint64_t right = c->to < hi ? wall(p, c->to) : p->capacity;
	uint64_t flush = (b->from == c->from && top == left) + (uint64_t)(b->to == c->to && top == right);

	return (flush << 61) + (p->key[k] >> 3);
}

/* The piece to be tried behind *@last, whose rank was *@r; NONE: that was all of them */
static uint32_t next_option(const struct pack *p, const struct choice *c, uint32_t lo, uint32_t hi,
			    uint32_t *last, uint64_t *r)
{
	struct list l = c->right ? p->ends[c->to] : p->begins[c->from];
	const uint32_t *list = c->right ? p->by_to : p->by_from;
	uint32_t best = NONE;
	uint64_t best_rank = 0;

	for (uint32_t k = l.first; k < l.end; k++) {
		uint64_t at;

		if (!fits(p, list[k], c) || twin_before(p, list, l.first, k))
			continue;
		at = rank(p, c, list[k], lo, hi);
		/* Of equal rank, those behind in the list come later */
		if (*last != NONE && (at > *r || (at == *r && k <= *last)))
			continue;
		if (best == NONE || at > best_rank) {
			best = k;
			best_rank = at;
		}
	}
	*last = best;
	*r = best_rank;
	return best == NONE ? NONE : list[best];
}

/* What the options in a valley depend on: it, and what rises beside it */
static struct span around(const struct choice *c, uint32_t lo, uint32_t hi)
{
	return (struct span){ c->from > lo ? c->from - 1 : lo, c->to < hi ? c->to + 1 : hi };
}

/*
 * The last step in sections @from to @to - 1 failed.  Returns whether another one there
 * would, too; @all gathers the conflicts.
 */
static bool in_vain(struct pack *p, struct span *all, uint32_t from, uint32_t to)
{
	if (p->conflict.to <= from || to <= p->conflict.from)
		return true;
	all->from = p->conflict.from < all->from ? p->conflict.from : all->from;
	all->to = p->conflict.to > all->to ? p->conflict.to : all->to;
	return false;
}

static bool branch(struct pack *p, const struct choice *c, uint32_t lo, uint32_t hi)
{
	uint32_t last = NONE, mark = p->nr_trail, k, edge = c->right ? c->to - 1 : c->from;
	struct span conflict = around(c, lo, hi);
	uint64_t r = 0;

	while ((k = next_option(p, c, lo, hi, &last, &r)) != NONE) {
		put(p, k, p->floor[c->from]);
		if (solve(p, lo, hi))
			return true;
		take_back(p, mark);
		if (p->stopped || in_vain(p, &conflict, p->piece[k].from, p->piece[k].to))
			return false;
	}
	if (c->may_waste && has_room(p)) {
		leave(p, edge, c->waste);
		if (solve(p, lo, hi))
			return true;
		take_back(p, mark);
		if (p->stopped || in_vain(p, &conflict, edge, edge + 1))
			return false;
	}
	p->conflict = conflict;
	return false;
}

/* All of a valley has nothing to rest on: no other way is left than up */
static bool raise(struct pack *p, const struct choice *c, uint32_t lo, uint32_t hi)
{
	struct span conflict = around(c, lo, hi);
	uint32_t mark = p->nr_trail, s;

	for (s = c->from; s < c->to && slack(p, s) >= c->rise && has_room(p); s++)
		leave(p, s, c->rise);
	if (s == c->to) {
		if (solve(p, lo, hi))
			return true;
		if (p->stopped || in_vain(p, &conflict, c->from, c->to)) {
			take_back(p, mark);
			return false;
		}
	}
	take_back(p, mark);
	p->conflict = conflict;
	return false;
}

/* Sections @lo to @hi - 1, which no piece to come connects with others */
static bool solve(struct pack *p, uint32_t lo, uint32_t hi)
{
	struct choice c;
	uint32_t end;

	for (; lo < hi && !p->rest[lo]; lo++)
		;
	for (; lo < hi && !p->rest[hi - 1]; hi--)
		;
	if (lo == hi)
		return true;
	for (end = lo + 1; end < hi && p->across[end]; end++)
		;
	if (end < hi)
		return solve(p, lo, end) && solve(p, end, hi);
	if (!p->nodes) {
		p->stopped = true;
		return false;
	}
	p->nodes--;
	c = choose(p, lo, hi);
	return c.rise ? raise(p, &c, lo, hi) : branch(p, &c, lo, hi);
}

/* --- orders of preference, and starting again ------------------------------------ */

static void prefer(struct pack *p, uint32_t round)
{
	for (uint32_t k = 0; k < p->n; k++) {
		const struct onsram_piece *b = &p->piece[k];
		double width = b->to - b->from, key = 0;

		switch (round % 4) {
		case 0:
			key = (double)b->size * width;
			break;
		case 1:
			key = width;
			break;
		case 2:
			key = (double)b->size;
			break;
		default:
			key = 1;
		}
		/* The first round of each is the order itself */
		if (round >= 3)
			key *= 0.25 + (double)(random_next(p) >> 11) / 9007199254740992.0;
		p->key[k] = key < KEY_MAX / 1024 ? (uint64_t)(key * 1024) : (uint64_t)KEY_MAX;
	}
}

static enum onsram_packed search(struct pack *p, uint64_t limit)
{
	double nodes = NODES_FIRST;

	for (uint32_t round = 0;; round++) {
		prefer(p, round);
		p->stopped = false;
		p->nodes = (uint64_t)nodes;
		if (solve(p, 0, p->sections))
			return ONSRAM_PACKED;
		if (!p->stopped)
			return p->cut ? ONSRAM_PACK_GAVE_UP : ONSRAM_PACK_IMPOSSIBLE;
		take_back(p, 0);
		limit -= (uint64_t)nodes < limit ? (uint64_t)nodes : limit;
		if (!limit || (p->clock && p->clock->go_on && !p->clock->go_on(p->clock->arg)))
			return ONSRAM_PACK_GAVE_UP;
		nodes *= NODES_GROWTH;
	}
}

struct sorted {
	uint32_t at;
	uint32_t piece;
	uint64_t size;
};

static int by_moment(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->piece < y->piece ? -1 : x->piece > y->piece;
}

static void index_moments(struct pack *p, struct sorted *sorted, uint32_t *list, struct list *at, bool ends)
{
	for (uint32_t k = 0; k < p->n; k++)
		sorted[k] = (struct sorted){
			ends ? p->piece[k].to : p->piece[k].from, k, p->piece[k].size,
		};
	qsort(sorted, p->n, sizeof(*sorted), by_moment);
	for (uint32_t t = 0, k = 0; t <= p->sections; t++) {
		at[t].first = k;
		for (; k < p->n && sorted[k].at == t; k++)
			list[k] = sorted[k].piece;
		at[t].end = k;
	}
}

enum onsram_packed onsram_pack(struct onsram_piece *pieces, uint32_t n, uint32_t sections,
			       uint64_t capacity, uint64_t limit, const struct onsram_clock *clock)
{
	struct pack p = { .piece = pieces, .n = n, .sections = sections, .capacity = capacity,
			  .clock = clock, .seed = 88172645463325252ull };
	enum onsram_packed ret = ONSRAM_PACK_GAVE_UP;
	struct sorted *sorted = calloc((size_t)n + 1, sizeof(*sorted));

	p.placed = calloc((size_t)n + 1, sizeof(*p.placed));
	p.key = calloc((size_t)n + 1, sizeof(*p.key));
	p.by_from = calloc((size_t)n + 1, sizeof(*p.by_from));
	p.by_to = calloc((size_t)n + 1, sizeof(*p.by_to));
	p.floor = calloc((size_t)sections + 1, sizeof(*p.floor));
	p.rest = calloc((size_t)sections + 1, sizeof(*p.rest));
	p.loose = calloc((size_t)sections + 1, sizeof(*p.loose));
	p.across = calloc((size_t)sections + 1, sizeof(*p.across));
	p.begins = calloc((size_t)sections + 1, sizeof(*p.begins));
	p.ends = calloc((size_t)sections + 1, sizeof(*p.ends));
	p.room_trail = 4 * (n + sections);
	p.trail = calloc(2 * ((size_t)p.room_trail + n + sections + 1), sizeof(*p.trail));
	if (!sorted || !p.trail || !p.placed || !p.key || !p.by_from || !p.by_to || !p.floor || !p.rest || !p.loose ||
	    !p.across || !p.begins || !p.ends)
		goto out;
	index_moments(&p, sorted, p.by_from, p.begins, false);
	index_moments(&p, sorted, p.by_to, p.ends, true);
	for (uint32_t k = 0; k < n; k++) {
		for (uint32_t s = pieces[k].from; s < pieces[k].to; s++)
			p.rest[s] += pieces[k].size;
		for (uint32_t t = pieces[k].from + 1; t < pieces[k].to; t++)
			p.across[t]++;
	}
	ret = ONSRAM_PACK_IMPOSSIBLE;
	for (uint32_t s = 0; s < sections; s++)
		if (p.rest[s] > capacity)
			goto out;
	ret = search(&p, limit);
out:
	free(sorted);
	free(p.trail);
	free(p.placed);
	free(p.key);
	free(p.by_from);
	free(p.by_to);
	free(p.floor);
	free(p.rest);
	free(p.loose);
	free(p.across);
	free(p.begins);
	free(p.ends);
	return ret;
}
