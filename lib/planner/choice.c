// SPDX-License-Identifier: MIT
/*
 * The choice: stays are taken greedily by several measures of worth, each
 * swept anew against what is held already; what is not needed of them is given
 * back; the best outcome is improved by exchanges.  A change is only ever
 * accepted when the relaxed time of the run falls.
 */
#include <stdlib.h>
#include <string.h>

#include "choice.h"

/* A tensor of more uses gets its whole life as the only candidate */
#define SPLIT_USES_MAX	16
/* Operations that may be swept for exchanges, per operation of the graph and unit of effort */
#define EXCHANGE_WORK	400
/* Rounds of taking and giving back */
#define ROUNDS		3
/* What counts as a gain, ps */
#define GAIN_MIN	1.0

/* A stay that could be taken: @tensor between its uses @first and @end; @span: operations */
struct candidate {
	uint32_t tensor;
	uint32_t first;
	uint32_t end;
	uint32_t span;
	double gain;
	double worth;
};

struct choice {
	struct onsram_relax *r;
	bool parts;
	struct candidate *list;
	uint32_t nr;
	struct candidate *heap;
	struct change *journal;
	uint32_t nr_journal;
	uint32_t room_journal;
	uint32_t *best;
	uint32_t *best_here;
	uint32_t *none;
};

/* A gap between two uses as it was, or (@here) what was there for a use alone */
struct change {
	uint32_t tensor;
	uint32_t use;
	uint32_t hold;
	bool here;
};

enum worth { WORTH_ROOT_AREA, WORTH_BYTES, WORTH_GAIN, WORTH_AREA, WORTH_COUNT };

static double worth(const struct candidate *c, double gain, double bytes, enum worth by)
{
	switch (by) {
	case WORTH_ROOT_AREA:	/* orders as gain / sqrt(bytes * operations) */
		return gain * gain / (bytes * c->span);
	case WORTH_BYTES:
		return gain / bytes;
	case WORTH_AREA:
		return gain / (bytes * c->span);
	default:
		return gain;
	}
}

static uint32_t size_of(const struct choice *ch, uint32_t t)
{
	uint64_t bytes = onsram_granules(ch->r->f->g->tensors[t].bytes);

	return bytes > ch->r->capacity ? (uint32_t)(ch->r->capacity / ONSRAM_SPM_GRANULE *
						    ONSRAM_SPM_GRANULE) : (uint32_t)bytes;
}

static bool eligible(const struct choice *ch, uint32_t t)
{
	return ch->r->constants || !(ch->r->f->g->tensors[t].flags & DRM_ONSRAM_TENSOR_CONST);
}

/* Bytes of a candidate that can be taken now */
static uint32_t takes(const struct choice *ch, const struct candidate *c)
{
	uint32_t size = size_of(ch, c->tensor);
	uint64_t room = onsram_relax_room(ch->r, c->tensor, c->first, c->end);

	if (!ch->parts)
		return room >= onsram_granules(ch->r->f->g->tensors[c->tensor].bytes) ? size : 0;
	room = room / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE;
	return room < size ? (uint32_t)room : size;
}

static void sift(struct candidate *heap, uint32_t n, uint32_t i)
{
	struct candidate e = heap[i];

	for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && heap[k + 1].worth > heap[k].worth)
			k++;
		if (heap[k].worth <= e.worth)
			break;
		heap[i] = heap[k];
	}
	heap[i] = e;
}

/*
 * Gains shrink as more is held, so a candidate whose fresh worth still beats
 * the others' old one is the best there is.
 */
static bool beaten(const struct candidate *heap, uint32_t n, double fresh)
{
	return (n > 1 && fresh < heap[1].worth) || (n > 2 && fresh < heap[2].worth);
}

/* @only: a span of operations that a candidate has to touch */
static void greedy(struct choice *ch, enum worth by, uint32_t from, uint32_t to)
{
	const struct onsram_use *use = ch->r->f->use;
	struct candidate *heap = ch->heap;
	uint32_t n = 0;

	for (uint32_t k = 0; k < ch->nr; k++)
		if (ch->list[k].gain > GAIN_MIN && use[ch->list[k].first].op <= to &&
		    use[ch->list[k].end].op >= from) {
			heap[n] = ch->list[k];
			heap[n].worth = worth(&heap[n], heap[n].gain, size_of(ch, heap[n].tensor), by);
			n++;
		}
	for (uint32_t i = n / 2; i-- > 0;)
		sift(heap, n, i);
	while (n) {
		struct candidate *c = &heap[0];
		uint32_t bytes = takes(ch, c);
		double gain = bytes ? -onsram_relax_set(ch->r, c->tensor, c->first, c->end, bytes, true) : 0;

		if (bytes && (gain <= GAIN_MIN || beaten(heap, n, worth(c, gain, bytes, by))))
			onsram_relax_undo(ch->r);
		else
			gain = 0;
		if (gain > GAIN_MIN) {
			c->worth = worth(c, gain, bytes, by);
		} else {
			heap[0] = heap[--n];
		}
		sift(heap, n, 0);
	}
}

/* The least that gives the same time */
static void trim_run(struct choice *ch, uint32_t t, uint32_t first, uint32_t end)
{
	uint32_t high = (first < end ? ch->r->hold : ch->r->here)[first] / ONSRAM_SPM_GRANULE, low = 0;

	while (low < high) {
		uint32_t mid = ch->parts ? (low + high) / 2 : low;

		if (onsram_relax_set(ch->r, t, first, end, mid * ONSRAM_SPM_GRANULE, false) <= GAIN_MIN) {
			high = mid;
		} else {
			onsram_relax_undo(ch->r);
			low = mid + 1;
			if (!ch->parts)
				break;
		}
	}
}

static void trim(struct choice *ch)
{
	const struct onsram_flow *f = ch->r->f;

	for (uint32_t t = 0; t < f->g->nr_tensors; t++) {
		for (uint32_t u = f->first[t]; u < f->first[t + 1]; u++)
			if (ch->r->here[u])
				trim_run(ch, t, u, u);
		for (uint32_t u = f->first[t], end; u + 1 < f->first[t + 1]; u = end) {
			for (end = u + 1; end + 1 < f->first[t + 1] && ch->r->hold[end] == ch->r->hold[u];)
				end++;
			if (ch->r->hold[u])
				trim_run(ch, t, u, end);
		}
	}
}

static void set_all(struct choice *ch, const uint32_t *hold, const uint32_t *here)
{
	const struct onsram_flow *f = ch->r->f;

	/* Down first, so that there is room */
	for (int raise = 0; raise < 2; raise++)
		for (uint32_t t = 0; t < f->g->nr_tensors; t++)
			for (uint32_t u = f->first[t]; u < f->first[t + 1]; u++) {
				if (raise ? ch->r->hold[u] < hold[u] : ch->r->hold[u] > hold[u])
					onsram_relax_set(ch->r, t, u, u + 1, hold[u], raise);
				if (raise ? ch->r->here[u] < here[u] : ch->r->here[u] > here[u])
					onsram_relax_set(ch->r, t, u, u, here[u], raise);
			}
}

/* --- exchanges ----------------------------------------------------------------- */

static bool journal(struct choice *ch, uint32_t t, uint32_t first, uint32_t end)
{
	if (ch->nr_journal + (end - first) + 1 > ch->room_journal)
		return false;
	if (first == end)
		ch->journal[ch->nr_journal++] = (struct change){ t, first, ch->r->here[first], true };
	for (uint32_t u = first; u < end; u++)
		ch->journal[ch->nr_journal++] = (struct change){ t, u, ch->r->hold[u], false };
	return true;
}

static void restore(struct choice *ch)
{
	while (ch->nr_journal) {
		const struct change *c = &ch->journal[--ch->nr_journal];
		uint32_t now = c->here ? ch->r->here[c->use] : ch->r->hold[c->use];

		if (now != c->hold)
			onsram_relax_set(ch->r, c->tensor, c->use, c->use + !c->here, c->hold, now < c->hold);
	}
}

/* The operation at which a candidate has the least room */
static uint32_t bottleneck(const struct choice *ch, const struct candidate *c)
{
	uint32_t from = ch->r->f->use[c->first].op, to = ch->r->f->use[c->end].op, at = from;

	for (uint32_t i = from; i <= to; i++)
		if (ch->r->op[i].taken > ch->r->op[at].taken)
			at = i;
	return at;
}

struct victim {
	uint32_t tensor;
	uint32_t first;
	uint32_t end;
	uint32_t left;
	double loss;
};

/* Give back what costs least per byte at operation @at, to make @bytes of room */
static bool evict(struct choice *ch, uint32_t at, uint32_t tensor, uint64_t bytes)
{
	const struct onsram_flow *f = ch->r->f;
	struct victim best = { .loss = 0 };
	bool found = false;

	for (uint32_t s = 0; s < f->g->nr_tensors; s++) {
		uint32_t u, end, hold, left;
		double loss;

		if (s == tensor || f->first[s] >= f->first[s + 1] || f->use[f->first[s]].op > at || f->use[f->first[s + 1] - 1].op < at)
			continue;
		for (u = f->first[s]; u + 2 < f->first[s + 1] && f->use[u + 1].op < at;)
			u++;
		hold = onsram_relax_served(ch->r, s, u);
		if (f->use[u].op < at)
			hold = ch->r->hold[u];
		if (!hold)
			continue;
		end = u;
		if (hold != ch->r->here[u] || hold == ch->r->hold[u]) {
			for (end = u + 1; end + 1 < f->first[s + 1] && ch->r->hold[end] == ch->r->hold[u];)
				end++;
			while (u > f->first[s] && ch->r->hold[u - 1] == ch->r->hold[u])
				u--;
		}
		left = ch->parts && hold > bytes ? hold - (uint32_t)bytes : 0;
		loss = onsram_relax_set(ch->r, s, u, end, left, false) / (double)(hold - left);
		onsram_relax_undo(ch->r);
		if (!found || loss < best.loss)
			best = (struct victim){ s, u, end, left, loss };
		found = true;
	}
	if (!found || !journal(ch, best.tensor, best.first, best.end))
		return false;
	onsram_relax_set(ch->r, best.tensor, best.first, best.end, best.left, false);
	return true;
}

/* Everything of a candidate, whatever has to go for it */
static bool force(struct choice *ch, const struct candidate *c, uint32_t *from, uint32_t *to)
{
	uint32_t size = size_of(ch, c->tensor), start = ch->nr_journal;

	for (uint32_t tries = 0; tries < 64; tries++) {
		uint64_t room = onsram_relax_room(ch->r, c->tensor, c->first, c->end);

		if (room >= size) {
			if (!journal(ch, c->tensor, c->first, c->end))
				return false;
			onsram_relax_set(ch->r, c->tensor, c->first, c->end, size, true);
			for (uint32_t k = start; k < ch->nr_journal; k++) {
				uint32_t u = ch->journal[k].use;
				uint32_t a = ch->r->f->use[u].op;
				uint32_t b = ch->r->f->use[u + !ch->journal[k].here].op;

				*from = a < *from ? a : *from;
				*to = b > *to ? b : *to;
			}
			return true;
		}
		if (!evict(ch, bottleneck(ch, c), c->tensor, size - room))
			return false;
	}
	return false;
}

static int by_worth(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->worth != y->worth)
		return x->worth < y->worth ? 1 : -1;
	return x->first < y->first ? -1 : x->first > y->first ? 1 : x->end < y->end ? -1 : x->end > y->end;
}

/* Take what the room that became free is good for */
static void refill(struct choice *ch, uint32_t from, uint32_t to)
{
	const struct onsram_use *use = ch->r->f->use;

	for (uint32_t k = 0; k < ch->nr; k++) {
		const struct candidate *c = &ch->list[k];
		uint32_t bytes, start = ch->nr_journal;

		if (c->gain <= GAIN_MIN || use[c->first].op > to || use[c->end].op < from)
			continue;
		bytes = takes(ch, c);
		if (!bytes || !journal(ch, c->tensor, c->first, c->end))
			continue;
		if (onsram_relax_set(ch->r, c->tensor, c->first, c->end, bytes, true) >= -GAIN_MIN) {
			onsram_relax_undo(ch->r);
			ch->nr_journal = start;
		}
	}
}

static void exchange(struct choice *ch, uint32_t effort)
{
	uint64_t limit = ch->r->work + (uint64_t)EXCHANGE_WORK * effort * ch->r->f->g->nr_ops;
	bool better = true;

	while (better && ch->r->work < limit) {
		better = false;
		for (uint32_t k = 0; k < ch->nr && ch->r->work < limit; k++) {
			const struct candidate *c = &ch->list[k];
			uint32_t from = UINT32_MAX, to = 0;
			double before = ch->r->total;
			bool full = c->first < c->end || ch->r->here[c->first] >= size_of(ch, c->tensor);

			for (uint32_t u = c->first; u < c->end; u++)
				full &= ch->r->hold[u] >= size_of(ch, c->tensor);
			if (full || c->gain <= GAIN_MIN)
				continue;
			ch->nr_journal = 0;
			if (force(ch, c, &from, &to))
				refill(ch, from, to);
			if (ch->r->total < before - GAIN_MIN)
				better = true;
			else
				restore(ch);
		}
	}
}

/* --- candidates ------------------------------------------------------------------ */

static void add(struct choice *ch, uint32_t t, uint32_t first, uint32_t end)
{
	const struct onsram_use *use = ch->r->f->use;
	struct candidate c = { .tensor = t, .first = first, .end = end };
	uint32_t bytes = takes(ch, &c);

	c.span = use[end].op - use[first].op + 1;
	if (!bytes)
		return;
	c.gain = -onsram_relax_set(ch->r, t, first, end, bytes, true);
	onsram_relax_undo(ch->r);
	c.worth = worth(&c, c.gain, bytes, WORTH_ROOT_AREA);
	ch->list[ch->nr++] = c;
}

/*
 * Whether a use alone may be worth it: it reads the tensor from DRAM
 * more than once, or writes what nobody reads
 */
static bool alone(const struct choice *ch, uint32_t t, uint32_t u)
{
	uint32_t slots = ch->r->f->use[u].slots, i = ch->r->f->use[u].op;
	struct onsram_cost once;

	if (slots & 1)
		return u + 1 == ch->r->f->first[t + 1] &&
		       (ch->r->f->g->tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT);
	if (slots & (slots - 1))
		return true;
	onsram_op_cost(ch->r->f->m, &ch->r->f->ops[i], NULL, UINT64_MAX, &once);
	return ch->r->op[i].dram_narrow > (double)(once.dram_read_bytes + once.dram_write_bytes);
}

/* A tensor's whole life, and with three uses or more parts of it */
static void list(struct choice *ch, uint32_t t)
{
	uint32_t first = ch->r->f->first[t], n = ch->r->f->first[t + 1] - first;

	if (!n || !eligible(ch, t))
		return;
	for (uint32_t u = first; u < first + n; u++)
		if (alone(ch, t, u))
			add(ch, t, u, u);
	if (n < 2)
		return;
	add(ch, t, first, first + n - 1);
	if (n < 3 || n > SPLIT_USES_MAX)
		return;
	for (uint32_t i = 1; i < n - 1; i++) {
		add(ch, t, first, first + i);
		add(ch, t, first + i, first + n - 1);
		if (i + 2 < n)
			add(ch, t, first + i, first + i + 1);
	}
}

/*
 * What is still free is taken for stays that spare DRAM traffic and cost no time:
 * the relaxed run may fetch anything ahead for nothing, the real one hardly.
 */
static void fill(struct choice *ch)
{
	const struct onsram_flow *f = ch->r->f;

	for (uint32_t gap = 1; gap < f->g->nr_ops; gap *= 2) {
		for (uint32_t t = 0; t < f->g->nr_tensors; t++) {
			for (uint32_t u = f->first[t]; u + 1 < f->first[t + 1]; u++) {
				struct candidate c = { .tensor = t, .first = u, .end = u + 1 };
				uint32_t span = f->use[u + 1].op - f->use[u].op, bytes;

				if (span < gap || span >= 2 * gap || !eligible(ch, t))
					continue;
				bytes = takes(ch, &c);
				if (bytes > ch->r->hold[u] &&
				    onsram_relax_set(ch->r, t, u, u + 1, bytes, true) > 0)
					onsram_relax_undo(ch->r);
			}
		}
	}
}

static void choose(struct choice *ch, uint32_t effort)
{
	size_t uses = ch->r->f->first[ch->r->f->g->nr_tensors];
	double best = ch->r->total;

	for (int by = 0; by < WORTH_COUNT; by++) {
		for (int round = 0; round < ROUNDS; round++) {
			double before = ch->r->total;

			greedy(ch, (enum worth)by, 0, UINT32_MAX);
			trim(ch);
			if (ch->r->total > before - GAIN_MIN)
				break;
		}
		if (ch->r->total < best - GAIN_MIN) {
			best = ch->r->total;
			memcpy(ch->best, ch->r->hold, uses * sizeof(*ch->best));
			memcpy(ch->best_here, ch->r->here, uses * sizeof(*ch->best_here));
		}
		set_all(ch, ch->none, ch->none);
	}
	set_all(ch, ch->best, ch->best_here);
	qsort(ch->list, ch->nr, sizeof(*ch->list), by_worth);
	exchange(ch, effort);
	trim(ch);
	fill(ch);
}

int onsram_choose(struct onsram_relax *r, bool parts, uint32_t effort)
{
	struct choice ch = { .r = r, .parts = parts };
	const struct onsram_flow *f = r->f;
	size_t uses = f->first[f->g->nr_tensors], most = 0;
	int ret = -1;

	for (uint32_t t = 0; t < f->g->nr_tensors; t++) {
		uint32_t n = f->first[t + 1] - f->first[t];

		most += n < 3 || n > SPLIT_USES_MAX ? n + 1 : 4 * n;
	}
	ch.room_journal = (uint32_t)(16 * uses + 16);
	ch.list = calloc(most + 1, sizeof(*ch.list));
	ch.heap = calloc(most + 1, sizeof(*ch.heap));
	ch.journal = calloc(ch.room_journal, sizeof(*ch.journal));
	ch.best = calloc(uses + 1, sizeof(*ch.best));
	ch.best_here = calloc(uses + 1, sizeof(*ch.best_here));
	ch.none = calloc(uses + 1, sizeof(*ch.none));
	if (ch.list && ch.heap && ch.journal && ch.best && ch.best_here && ch.none) {
		for (uint32_t t = 0; t < f->g->nr_tensors; t++)
			list(&ch, t);
		choose(&ch, effort);
		ret = 0;
	}
	free(ch.list);
	free(ch.heap);
	free(ch.journal);
	free(ch.best);
	free(ch.best_here);
	free(ch.none);
	return ret;
}
