// SPDX-License-Identifier: MIT
/*
 * When transfers run.  What the relaxed run fetches ahead for an operation is
 * fetched as late as the idle time of the channel before it allows, so that it
 * takes room for the shortest time; what leaves later is gone as soon as the idle
 * time behind it allows.
 */
#include <string.h>

#include "draft.h"

/* Parts that a fetch is cut into are no smaller, bytes */
#define CHUNK	65536

/* Operation at which the tensor of a use may be fetched at the earliest: behind its last use */
static uint32_t earliest(const struct onsram_draft *d, uint32_t t, uint32_t u)
{
	return u > d->r->f->first[t] ? d->release[u - 1] : 0;
}

/*
 * How far from operation @i on, towards @to, @bytes more can be taken for a
 * transfer; they are.
 */
static uint32_t reach(struct onsram_draft *d, uint32_t i, uint32_t to, uint32_t bytes)
{
	for (; i > to && d->room[i - 1] >= bytes; i--)
		d->room[i - 1] -= bytes;
	for (; i < to && d->room[i] >= bytes; i++)
		d->room[i] -= bytes;
	return i;
}

/* Granules that cover @bytes of a tensor from its granule @begin on */
static uint32_t covering(const struct onsram_draft *d, uint32_t t, uint64_t begin, double bytes)
{
	uint64_t all = onsram_granules(d->r->f->g->tensors[t].bytes - begin);
	uint64_t want = onsram_granules((uint64_t)bytes + 1);

	return (uint32_t)(d->parts && want < all ? want : all);
}

uint64_t onsram_draft_begin(const struct onsram_draft *d, uint32_t t, uint32_t u)
{
	const struct drm_onsram_op *op = &d->r->f->g->ops[d->r->f->use[u].op];

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS && d->parts && !d->r->here[u]; s++)
		if ((d->r->f->use[u].slots & (1u << s)) && op->operand[s].offset < d->r->f->g->tensors[t].bytes)
			return op->operand[s].offset / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE;
	return 0;
}

static void add_chunk(struct onsram_draft *d, uint32_t u, uint32_t reserve, uint32_t bytes)
{
	d->chunk[d->all_chunks++] = (struct onsram_chunk){ reserve, bytes };
	d->nr_chunks[u]++;
}

/* The operand to fetch ahead: the smallest that covers @bytes, else the largest */
static uint32_t pick(const struct onsram_draft *d, uint32_t i, double bytes)
{
	const struct drm_onsram_op *op = &d->r->f->g->ops[i];
	uint32_t best = ONSRAM_NO_USE;
	double best_size = 0;

	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		uint32_t u = d->r->f->slot[i][s];
		double size;

		if (u == ONSRAM_NO_USE || d->serve[u] || !onsram_relax_movable(d->r, i, s))
			continue;
		size = (double)onsram_view_bytes(&op->operand[s].view);
		if (!d->parts)
			size = (double)d->r->f->g->tensors[op->operand[s].bo].bytes;
		if (!d->parts && (!i || size > d->r->op[i - 1].stock))
			continue;
		if (best == ONSRAM_NO_USE || (size >= bytes ? best_size < bytes || size < best_size :
							      size > best_size)) {
			best = s;
			best_size = size;
		}
	}
	return best;
}

/* What serves operation @i alone */
static void serve(struct onsram_draft *d, uint32_t i)
{
	double left = d->r->op[i].ahead;

	while (left > 0) {
		uint32_t s = pick(d, i, left), u, t;
		double size;

		if (s == ONSRAM_NO_USE)
			break;
		u = d->r->f->slot[i][s];
		t = d->r->f->g->ops[i].operand[s].bo;
		size = (double)onsram_view_bytes(&d->r->f->g->ops[i].operand[s].view);
		if (size > left && d->parts)
			size = left;
		d->serve[u] = covering(d, t, onsram_draft_begin(d, t, u), size);
		left -= size;
	}
}

/* From which operation on @bytes have to be fetched, and the idle time used up */
static uint32_t start_of(double *idle, uint32_t i, double bytes)
{
	while (i && bytes > 0) {
		double take = idle[--i] < bytes ? idle[i] : bytes;

		idle[i] -= take;
		bytes -= take;
	}
	return i;
}

/* What serves a use is fetched in parts of at least CHUNK bytes, no part earlier than it has to be */
static void cut(struct onsram_draft *d, double *idle, uint32_t t, uint32_t u)
{
	uint32_t i = d->r->f->use[u].op, first = earliest(d, t, u), left = d->serve[u], taken = 0;
	struct onsram_chunk *chunk = d->chunk + d->all_chunks;
	double min = left / (double)ONSRAM_CHUNKS, sum = -d->r->copy_bytes;

	d->first_chunk[u] = d->all_chunks;
	d->nr_chunks[u] = 0;
	min = min < CHUNK ? CHUNK : min;
	while (i > first && taken < left) {
		double take = left - taken - sum < idle[i - 1] ? left - taken - sum : idle[i - 1];

		idle[--i] -= take > 0 ? take : 0;
		sum += take > 0 ? take : 0;
		if (((sum >= min && d->parts) || taken + sum >= left || (i == first && d->parts)) && sum > 0) {
			uint32_t bytes = (uint32_t)onsram_granules((uint64_t)sum);

			bytes = bytes < left - taken ? bytes : left - taken;
			add_chunk(d, u, i, bytes);
			taken += bytes;
			sum = -d->r->copy_bytes;
		}
	}
	d->serve[u] = taken;
	for (uint32_t k = 0; k < d->nr_chunks[u] / 2; k++) {
		struct onsram_chunk other = chunk[d->nr_chunks[u] - 1 - k];

		chunk[d->nr_chunks[u] - 1 - k] = chunk[k];
		chunk[k] = other;
	}
}

/* What the choice has put there for one use: its room has been taken already */
static void serve_here(struct onsram_draft *d, uint32_t i, uint32_t u)
{
	for (uint32_t j = d->reserve[u]; j <= i; j++)
		d->room[j] += d->r->here[u];
	d->serve[u] = d->r->here[u];
	d->first_chunk[u] = d->all_chunks;
	d->nr_chunks[u] = 0;
	add_chunk(d, u, d->reserve[u], d->serve[u]);
}

static void schedule_fetches(struct onsram_draft *d, double *idle)
{
	const struct onsram_flow *f = d->r->f;

	for (uint32_t i = f->g->nr_ops; i-- > 0;) {
		const struct onsram_relax_op *o = &d->r->op[i];
		double bytes = o->fetch > o->refetch ? o->fetch - o->refetch + d->r->copy_bytes : 0;
		uint32_t start;

		serve(d, i);
		start = d->r->synchronous ? i : start_of(idle, i, bytes);
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			uint32_t u = f->slot[i][s], t = f->g->ops[i].operand[s].bo, first, before, served;

			if (u == ONSRAM_NO_USE || (f->use[u].slots & ((1u << s) - 1)))
				continue;
			first = earliest(d, t, u);
			before = u > f->first[t] ? d->r->hold[u - 1] : 0;
			d->reserve[u] = i;
			served = onsram_relax_served(d->r, t, u);
			if (served > before && onsram_flow_fetches(f, t, i))
				d->reserve[u] = reach(d, i, start > first ? start : first, served - before);
			if (d->r->here[u] && !before && !d->r->hold[u])
				serve_here(d, i, u);
			else if (s && d->serve[u])
				cut(d, idle, t, u);
		}
	}
}

/* The operation that finds what leaves behind @i gone */
static uint32_t end_of(const struct onsram_draft *d, double *idle, uint32_t i, double bytes)
{
	while (++i < d->r->f->g->nr_ops && bytes > 0) {
		double take = idle[i] < bytes ? idle[i] : bytes;

		idle[i] -= take;
		bytes -= take;
	}
	return i;
}

static void schedule_writebacks(struct onsram_draft *d, double *idle)
{
	const struct onsram_flow *f = d->r->f;

	for (uint32_t i = 0; i < f->g->nr_ops; i++) {
		double bytes = d->r->op[i].spill + d->r->op[i].late;
		uint32_t end, out = f->slot[i][0];

		if (d->r->op[i].late > 0) {
			d->serve[out] = covering(d, f->g->ops[i].operand[0].bo, 0, d->r->op[i].late);
			d->first_chunk[out] = d->all_chunks;
			d->nr_chunks[out] = 0;
			add_chunk(d, out, i, d->serve[out]);
		}
		end = d->r->synchronous || bytes <= 0 ? i + 1 :
		      end_of(d, idle, i, bytes + d->r->copy_bytes);
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			uint32_t u = f->slot[i][s], t = f->g->ops[i].operand[s].bo, next;

			if (u == ONSRAM_NO_USE || (f->use[u].slots & ((1u << s) - 1)))
				continue;
			next = u + 1 < f->first[t + 1] ? f->use[u + 1].op : f->g->nr_ops;
			next = end < next ? end : next;
			d->release[u] = i + 1;
			if (onsram_relax_spills(d->r, t, u))
				d->release[u] = reach(d, i + 1, next, onsram_relax_served(d->r, t, u) -
							      d->r->hold[u]);
			else if (!s && d->serve[u])
				d->release[u] = next;
		}
	}
}

void onsram_draft_schedule(struct onsram_draft *d)
{
	uint32_t n = d->r->f->g->nr_ops;
	double *idle = d->idle;

	d->all_chunks = 0;
	memset(d->serve, 0, d->r->f->first[d->r->f->g->nr_tensors] * sizeof(*d->serve));
	for (uint32_t i = 0; i < n; i++) {
		idle[i] = d->r->op[i].idle + d->r->op[i].drained;
		d->room[i] = (int64_t)d->r->capacity - (int64_t)d->r->op[i].taken;
	}
	schedule_writebacks(d, idle);
	schedule_fetches(d, idle);
}
