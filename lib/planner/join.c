// SPDX-License-Identifier: MIT
/*
 * Pieces that belong together.  Where memory is full, what ends at a moment has as
 * many bytes as what begins there, gap by gap.  So where a few pieces of one lifetime
 * have the very bytes of a few of another that begins where theirs ends, these most
 * likely lie beside those: they become one piece, which has both lifetimes.  Joins of
 * few pieces come first, as the more there are the likelier it is chance.  The search
 * has a smaller problem then; every solution of it is one, though there may be others.
 */
#include <stdlib.h>
#include <string.h>

#include "join.h"

/* Most pieces in a join; most subsets of one lifetime's pieces that are looked at */
#define COUNT_MAX	8
#define SUBSETS		4096
/* Pieces of a lifetime that are looked at, as bits of a mask */
#define CLASS_MAX	63
/* Nodes of the search in what is left */
#define NODES		1000000

#define NONE	UINT32_MAX

/* A piece, or one made of two stacks, of which @child are the lowest: the earlier first */
struct node {
	struct onsram_piece piece;
	uint32_t child[2];
	uint32_t above;		/* next of its stack */
	uint32_t hub;		/* in the middle of the stacks: on the first of the earlier one */
	bool joined;
};

/* A node in a list by lifetime */
struct entry {
	uint32_t from;
	uint32_t to;
	uint32_t node;
	uint64_t size;
};

/* Nodes of one lifetime in a list */
struct class {
	struct entry *entry;
	uint32_t n;
};

struct subset {
	uint64_t bytes;
	uint64_t mask;
};

struct join {
	struct node *node;
	uint32_t nr_nodes;
	struct entry *by_from;
	struct entry *by_to;
	uint32_t nr;
	struct subset *subset[2];
};

static int by_from(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static int by_to(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return by_from(a, b);
}

static int by_bytes(const void *a, const void *b)
{
	const struct subset *x = a, *y = b;

	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static struct class class_at(struct entry *list, uint32_t n, uint32_t i)
{
	struct class c = { list + i, 1 };

	while (i + c.n < n && list[i + c.n].from == list[i].from && list[i + c.n].to == list[i].to)
		c.n++;
	return c;
}

/* All subsets of @count of a class; none where they are too many */
static uint32_t subsets(const struct class *c, uint32_t count, struct subset *out)
{
	uint32_t m = c->n < CLASS_MAX ? c->n : CLASS_MAX, n = 0;
	uint64_t ways = 1;

	for (uint32_t k = 0; k < count; k++)
		ways = ways * (m > k ? m - k : 0) / (k + 1);
	if (!ways || ways > SUBSETS)
		return 0;
	for (uint64_t mask = (1ull << count) - 1; n < ways;) {
		uint64_t low = mask & -mask, next = mask + low;

		out[n] = (struct subset){ 0, mask };
		for (uint32_t k = 0; k < m; k++)
			out[n].bytes += mask >> k & 1 ? c->entry[k].size : 0;
		n++;
		mask = next | ((mask ^ next) / low >> 2);
	}
	return n;
}

/* Subsets of both, @count pieces together, that have the same bytes */
static bool match(const struct join *j, const struct class *a, const struct class *b, uint32_t count,
		  uint64_t mask[2])
{
	for (uint32_t k = 1; k < count; k++) {
		uint32_t nr_a, nr_b;

		if (k > a->n || count - k > b->n)
			continue;
		nr_a = subsets(a, k, j->subset[0]);
		nr_b = nr_a ? subsets(b, count - k, j->subset[1]) : 0;
		if (nr_b > 1)
			qsort(j->subset[1], nr_b, sizeof(*j->subset[1]), by_bytes);
		for (uint32_t i = 0; nr_b && i < nr_a; i++) {
			const struct subset *s = bsearch(&j->subset[0][i], j->subset[1], nr_b,
							 sizeof(*s), by_bytes);

			if (!s)
				continue;
			mask[0] = j->subset[0][i].mask;
			mask[1] = s->mask;
			return true;
		}
	}
	return false;
}

/* All of both */
static bool match_all(const struct class *a, const struct class *b, uint64_t mask[2])
{
	uint64_t bytes = 0;

	if (a->n > CLASS_MAX || b->n > CLASS_MAX)
		return false;
	for (uint32_t k = 0; k < a->n; k++)
		bytes += a->entry[k].size;
	for (uint32_t k = 0; k < b->n; k++)
		bytes -= b->entry[k].size;
	mask[0] = (1ull << a->n) - 1;
	mask[1] = (1ull << b->n) - 1;
	return !bytes;
}

/* The lowest of a stack, whose height is @bytes */
static uint32_t stack(struct join *j, const struct class *c, uint64_t mask, uint64_t *bytes)
{
	uint32_t lowest = NONE;

	*bytes = 0;
	for (uint32_t k = 0; k < c->n && k < CLASS_MAX; k++) {
		struct node *node = &j->node[c->entry[k].node];

		if (!(mask >> k & 1))
			continue;
		node->joined = true;
		node->above = lowest;
		lowest = c->entry[k].node;
		*bytes += node->piece.size;
	}
	return lowest;
}

static void add_join(struct join *j, const struct class *a, const struct class *b, const uint64_t mask[2])
{
	struct node *node = &j->node[j->nr_nodes++];

	*node = (struct node){ .piece = { .from = a->entry->from, .to = b->entry->to }, .hub = NONE };
	node->child[0] = stack(j, a, mask[0], &node->piece.size);
	node->child[1] = stack(j, b, mask[1], &node->piece.size);
}

/* @arm: bottom, right, top, left; the bottom one is the first to begin, the right one the last to end */
static void add_wheel(struct join *j, const uint32_t arm[4], uint32_t hub)
{
	struct node *node = &j->node[j->nr_nodes++];

	*node = (struct node){
		.piece = {
			.from = j->node[arm[0]].piece.from, .to = j->node[arm[1]].piece.to,
			.size = j->node[arm[0]].piece.size + j->node[arm[3]].piece.size,
		},
		/* The left arm on the bottom one; the hub on it, too; the top one on the right one */
		.child = { arm[0], arm[1] }, .hub = hub,
	};
	j->node[arm[0]].above = arm[3];
	j->node[arm[1]].above = arm[2];
	j->node[arm[3]].above = NONE;
	j->node[arm[2]].above = NONE;
	for (int k = 0; k < 4; k++)
		j->node[arm[k]].joined = true;
	j->node[hub].joined = true;
}

/* The classes that follow on one, and how it fits them */
static bool join_class(struct join *j, const struct class *a, uint32_t *first, uint32_t count)
{
	uint64_t mask[2];

	while (*first < j->nr && j->by_from[*first].from < a->entry->to)
		(*first)++;
	for (uint32_t i = *first; i < j->nr && j->by_from[i].from == a->entry->to;) {
		struct class b = class_at(j->by_from, j->nr, i);

		i += b.n;
		/* Some of them belong to a join of this round */
		if (j->node[b.entry->node].joined)
			continue;
		if ((count == 2 && match_all(a, &b, mask)) || match(j, a, &b, count, mask)) {
			add_join(j, a, &b, mask);
			/* So that the class is seen to have changed */
			for (uint32_t k = 0; k < b.n; k++)
				if (mask[1] >> k & 1) {
					struct entry e = b.entry[k];

					b.entry[k] = b.entry[0];
					b.entry[0] = e;
					break;
				}
			return true;
		}
	}
	return false;
}

/* What is not part of another, by lifetime */
static void list(struct join *j)
{
	j->nr = 0;
	for (uint32_t k = 0; k < j->nr_nodes; k++)
		if (!j->node[k].joined)
			j->by_from[j->nr++] = (struct entry){
				j->node[k].piece.from, j->node[k].piece.to, k, j->node[k].piece.size,
			};
	memcpy(j->by_to, j->by_from, j->nr * sizeof(*j->by_to));
	qsort(j->by_from, j->nr, sizeof(*j->by_from), by_from);
	qsort(j->by_to, j->nr, sizeof(*j->by_to), by_to);
}

/* Joins of @count pieces, or whole lifetimes; each class has part in one at most */
static bool join_round(struct join *j, uint32_t count)
{
	uint32_t first = 0;
	bool found = false;

	list(j);
	for (uint32_t i = 0; i < j->nr;) {
		struct class a = class_at(j->by_to, j->nr, i);
		bool fresh = true;

		i += a.n;
		for (uint32_t k = 0; k < a.n; k++)
			fresh &= !j->node[a.entry[k].node].joined;
		if (fresh)
			found |= join_class(j, &a, &first, count);
	}
	return found;
}

/* The one of a lifetime and size that is not part of another, or NONE */
static uint32_t find(const struct join *j, uint32_t from, uint32_t to, uint64_t size)
{
	uint32_t low = 0, high = j->nr;

	while (low < high) {
		uint32_t mid = (low + high) / 2;
		const struct entry *e = &j->by_from[mid];

		if (e->from < from || (e->from == from && e->to < to))
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < j->nr && j->by_from[low].from == from && j->by_from[low].to == to; low++)
		if (j->by_from[low].size == size && !j->node[j->by_from[low].node].joined)
			return j->by_from[low].node;
	return NONE;
}

/*
 * Five pieces in a wheel around @hub: two arms end with it and begin with it, and
 * what faces either of them is as many bytes longer as the hub has.
 */
static bool join_wheel(struct join *j, uint32_t hub)
{
	const struct onsram_piece *e = &j->node[hub].piece;

	for (uint32_t i = 0; i < j->nr; i++) {
		const struct onsram_piece *a = &j->node[j->by_to[i].node].piece;

		if (a->to != e->to || a->from >= e->from || j->node[j->by_to[i].node].joined)
			continue;
		for (uint32_t k = 0; k < j->nr; k++) {
			const struct onsram_piece *c = &j->node[j->by_from[k].node].piece;
			uint32_t b, d;

			if (c->from != e->from || c->to <= e->to || j->node[j->by_from[k].node].joined)
				continue;
			b = find(j, a->to, c->to, a->size + e->size);
			d = b == NONE ? NONE : find(j, a->from, c->from, c->size + e->size);
			if (d == NONE)
				continue;
			add_wheel(j, (uint32_t[]){ j->by_to[i].node, b, j->by_from[k].node, d }, hub);
			return true;
		}
	}
	return false;
}

static bool join_wheels(struct join *j)
{
	bool found = false;

	list(j);
	for (uint32_t k = 0; k < j->nr; k++)
		if (!j->node[j->by_from[k].node].joined)
			found |= join_wheel(j, j->by_from[k].node);
	return found;
}

static void join_all(struct join *j)
{
	for (uint32_t count = 2; count <= COUNT_MAX;)
		count = join_round(j, count) || join_wheels(j) ? 2 : count + 1;
}

/* What has one lifetime lies together: more often than not */
static void stack_all(struct join *j)
{
	static const struct node empty = { .child = { NONE, NONE }, .hub = NONE };

	list(j);
	for (uint32_t i = 0; i < j->nr;) {
		struct class c = class_at(j->by_from, j->nr, i);
		struct node *node = &j->node[j->nr_nodes];

		i += c.n;
		if (c.n < 2 || c.n > CLASS_MAX)
			continue;
		*node = empty;
		node->piece.from = c.entry->from;
		node->piece.to = c.entry->to;
		node->child[0] = stack(j, &c, (1ull << c.n) - 1, &node->piece.size);
		j->nr_nodes++;
	}
}

/* Search with what is not part of another */
static bool pack(struct join *j, struct onsram_piece *pieces, uint32_t sections, uint64_t capacity,
		 const struct onsram_clock *clock)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < j->nr_nodes; k++)
		if (!j->node[k].joined)
			pieces[n++] = j->node[k].piece;
	if (onsram_pack(pieces, n, sections, capacity, NODES, clock) != ONSRAM_PACKED)
		return false;
	n = 0;
	for (uint32_t k = 0; k < j->nr_nodes; k++)
		if (!j->node[k].joined)
			j->node[k].piece.offset = pieces[n++].offset;
	return true;
}

/* What a node is made of has a smaller index */
static void take_apart(struct join *j, uint32_t n)
{
	for (uint32_t k = j->nr_nodes; k-- > n;) {
		for (int side = 0; side < 2; side++) {
			uint64_t at = j->node[k].piece.offset;

			for (uint32_t c = j->node[k].child[side]; c != NONE; c = j->node[c].above) {
				j->node[c].piece.offset = at;
				at += j->node[c].piece.size;
			}
		}
		if (j->node[k].hub != NONE)
			j->node[j->node[k].hub].piece.offset =
				j->node[k].piece.offset + j->node[j->node[k].child[0]].piece.size;
	}
}

bool onsram_join_and_pack(struct onsram_piece *pieces, uint32_t n, uint32_t sections, uint64_t capacity,
			  const struct onsram_clock *clock)
{
	struct join j = { .nr_nodes = n };
	struct onsram_piece *left = calloc((size_t)n + 1, sizeof(*left));
	bool ret = false;

	j.node = calloc(2 * (size_t)n + 1, sizeof(*j.node));
	j.by_from = calloc((size_t)n + 1, sizeof(*j.by_from));
	j.by_to = calloc((size_t)n + 1, sizeof(*j.by_to));
	j.subset[0] = calloc(SUBSETS, sizeof(*j.subset[0]));
	j.subset[1] = calloc(SUBSETS, sizeof(*j.subset[1]));
	if (left && j.node && j.by_from && j.by_to && j.subset[0] && j.subset[1]) {
		for (uint32_t k = 0; k < n; k++)
			j.node[k].piece = pieces[k];
		join_all(&j);
		ret = pack(&j, left, sections, capacity, clock);
		if (!ret) {
			stack_all(&j);
			join_all(&j);
			ret = pack(&j, left, sections, capacity, clock);
		}
	}
	if (ret) {
		take_apart(&j, n);
		for (uint32_t k = 0; k < n; k++)
			pieces[k].offset = j.node[k].piece.offset;
	}
	free(left);
	free(j.node);
	free(j.by_from);
	free(j.by_to);
	free(j.subset[0]);
	free(j.subset[1]);
	return ret;
}
