// SPDX-License-Identifier: MIT
/* What a run with a plan costs. */
#include <stdlib.h>
#include <string.h>

#include "price.h"

/* An operation's cost follows from these alone */
struct onsram_price_key {
	uint64_t valid;
	uint64_t staging;
	uint64_t resident[ONSRAM_MAX_OPERANDS];
};

int onsram_pricer_init(struct onsram_pricer *p, const struct onsram_flow *f)
{
	size_t ops = (size_t)f->g->nr_ops + 1;

	*p = (struct onsram_pricer){ .f = f };
	p->held = calloc(ops, sizeof(*p->held));
	p->window = calloc((size_t)f->first[f->g->nr_tensors] + 1, sizeof(*p->window));
	p->cost = calloc(ops, sizeof(*p->cost));
	p->key = calloc(ops, sizeof(*p->key));
	p->order = calloc(ops + 2, 2 * sizeof(*p->order));
	p->need = calloc(ops, sizeof(*p->need));
	p->start_ps = calloc(ops, sizeof(*p->start_ps));
	p->end_ps = calloc(ops, sizeof(*p->end_ps));
	return p->held && p->window && p->cost && p->key && p->order && p->need && p->start_ps &&
	       p->end_ps ? 0 : -1;
}

void onsram_pricer_fini(struct onsram_pricer *p)
{
	free(p->held);
	free(p->window);
	free(p->cost);
	free(p->key);
	free(p->transfer);
	free(p->order);
	free(p->need);
	free(p->start_ps);
	free(p->end_ps);
}

/* What every operation finds in the SPM */
static void place(struct onsram_pricer *p, const struct onsram_interval *iv, uint32_t n, bool again)
{
	const struct onsram_flow *f = p->f;
	uint64_t held = 0;

	memset(p->held, 0, ((size_t)f->g->nr_ops + 1) * sizeof(*p->held));
	memset(p->window, 0, f->first[f->g->nr_tensors] * sizeof(*p->window));
	for (uint32_t k = 0; k < n; k++) {
		bool kept = again && (iv[k].flags & ONSRAM_INTERVAL_KEEP);
		uint64_t end = iv[k].begin + onsram_flow_moves(f, &iv[k]);

		/* Differences first, then their sums */
		p->held[kept ? 0 : iv[k].reserve_op] += iv[k].bytes;
		p->held[iv[k].release_op] -= iv[k].bytes;
		for (uint32_t u = f->first[iv[k].tensor]; u < f->first[iv[k].tensor + 1]; u++) {
			struct onsram_window *w = &p->window[u];

			if ((f->use[u].op < iv[k].first_op && !kept) || f->use[u].op > iv[k].last_op)
				continue;
			if (w->begin == w->end)
				w->begin = iv[k].begin;
			w->begin = iv[k].begin < w->begin ? iv[k].begin : w->begin;
			w->end = end > w->end ? end : w->end;
		}
	}
	for (uint32_t i = 0; i < f->g->nr_ops; i++) {
		held += p->held[i];
		p->held[i] = held;
	}
	/* What one takes over from the other is the place of both, at that operation */
	for (uint32_t k = 0; k < n; k++)
		for (uint32_t j = 0; iv[k].flags & ONSRAM_INTERVAL_OVERWRITE && j < n; j++)
			if (onsram_flow_overwrites(f, &iv[j], &iv[k]))
				p->held[iv[k].first_op] -= onsram_shared(&iv[j], &iv[k]);
}

static const struct onsram_cost *operation_cost(struct onsram_pricer *p, uint32_t i)
{
	const struct drm_onsram_op *op = &p->f->g->ops[i];
	struct onsram_price_key key = { .valid = 1, .staging = onsram_staging(p->f->m, p->held[i]) };

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct onsram_window *w;

		if (p->f->slot[i][s] == ONSRAM_NO_USE)
			continue;
		w = &p->window[p->f->slot[i][s]];
		if (w->begin < w->end)
			key.resident[s] = onsram_slot_resident(&op->operand[s].view,
							       op->operand[s].offset, w->begin,
							       w->end - w->begin);
	}
	if (memcmp(&key, &p->key[i], sizeof(key))) {
		p->key[i] = key;
		onsram_op_cost(p->f->m, &p->f->ops[i], key.resident, key.staging, &p->cost[i]);
	}
	return &p->cost[i];
}

static struct onsram_transfer fetch_of(const struct onsram_flow *f, const struct onsram_interval *iv,
				       uint32_t k)
{
	return (struct onsram_transfer){
		.interval = k, .start_op = iv[k].reserve_op, .need_op = iv[k].first_op,
		.begin = iv[k].begin, .bytes = onsram_flow_moves(f, &iv[k]),
	};
}

static struct onsram_transfer writeback_of(const struct onsram_flow *f, const struct onsram_interval *iv,
					   uint32_t k)
{
	return (struct onsram_transfer){
		.interval = k, .start_op = iv[k].last_op + 1, .need_op = iv[k].release_op,
		.begin = iv[k].begin, .bytes = onsram_flow_moves(f, &iv[k]), .writeback = true,
	};
}

static bool fetches(const struct onsram_flow *f, const struct onsram_interval *iv, bool again)
{
	return !(again && (iv->flags & ONSRAM_INTERVAL_KEEP)) &&
	       onsram_flow_fetches(f, iv->tensor, iv->first_op);
}

static bool writes_back(const struct onsram_flow *f, const struct onsram_interval *iv)
{
	return !(iv->flags & ONSRAM_INTERVAL_KEEP) &&
	       onsram_flow_dirties(f, iv->tensor, iv->first_op, iv->last_op);
}

static bool follow(const struct onsram_interval *iv, const struct onsram_transfer *a,
		   const struct onsram_transfer *b)
{
	return iv[a->interval].tensor == iv[b->interval].tensor && a->need_op == b->need_op &&
	       (a->begin + a->bytes == b->begin || b->begin + b->bytes == a->begin);
}

/* Parts of a tensor that follow each other and move between the same operations are one transfer */
static void join(struct onsram_pricer *p, const struct onsram_interval *iv, uint32_t buckets)
{
	uint32_t n = 0, t = 0;

	for (uint32_t b = 0; b < buckets; b++) {
		uint32_t first = n;

		for (; t < p->order[b]; t++) {
			struct onsram_transfer next = p->transfer[t];
			uint32_t place = n;

			for (uint32_t j = first; j < n;) {
				struct onsram_transfer *other = &p->transfer[j];

				if (!follow(iv, other, &next)) {
					j++;
					continue;
				}
				next.begin = other->begin < next.begin ? other->begin : next.begin;
				next.bytes += other->bytes;
				next.interval = other->interval;
				place = j < place ? j : place;
				memmove(other, other + 1, (--n - j) * sizeof(*other));
				j = first;
			}
			/* Where the first of them was */
			memmove(&p->transfer[place + 1], &p->transfer[place],
				(n - place) * sizeof(next));
			p->transfer[place] = next;
			n++;
		}
	}
	p->nr_transfers = n;
}

/* The copy engine's queue: by operation, write-backs first, then as the plan has them */
static int queue(struct onsram_pricer *p, const struct onsram_interval *iv, uint32_t n, bool again)
{
	uint32_t buckets = 2 * (p->f->g->nr_ops + 1) + 1, sum = 0;

	p->nr_transfers = 0;
	if (p->room < 2 * n) {
		struct onsram_transfer *more = realloc(p->transfer, 2 * (size_t)n * sizeof(*more));

		if (!more)
			return -1;
		p->transfer = more;
		p->room = 2 * n;
	}
	memset(p->order, 0, buckets * sizeof(*p->order));
	for (uint32_t k = 0; k < n; k++) {
		if (writes_back(p->f, &iv[k]))
			p->order[2 * (iv[k].last_op + 1)]++;
		if (fetches(p->f, &iv[k], again))
			p->order[2 * iv[k].reserve_op + 1]++;
	}
	for (uint32_t b = 0; b < buckets; b++) {
		uint32_t count = p->order[b];

		p->order[b] = sum;
		sum += count;
	}
	for (uint32_t k = 0; k < n; k++) {
		if (writes_back(p->f, &iv[k]))
			p->transfer[p->order[2 * (iv[k].last_op + 1)]++] = writeback_of(p->f, iv, k);
		if (fetches(p->f, &iv[k], again))
			p->transfer[p->order[2 * iv[k].reserve_op + 1]++] = fetch_of(p->f, iv, k);
	}
	join(p, iv, buckets);
	return 0;
}

/* How far into the queue every operation has to wait for */
static void wait_for(struct onsram_pricer *p)
{
	uint32_t most = 0;

	memset(p->need, 0, ((size_t)p->f->g->nr_ops + 1) * sizeof(*p->need));
	for (uint32_t t = 0; t < p->nr_transfers; t++)
		p->need[p->transfer[t].need_op] = t + 1;
	for (uint32_t i = 0; i < p->f->g->nr_ops; i++) {
		most = p->need[i] > most ? p->need[i] : most;
		p->need[i] = most;
	}
}

static void pay(struct onsram_price *price, const struct onsram_cost *c)
{
	price->compute_ps = onsram_sat_add(price->compute_ps, c->compute_ps);
	price->dram_read_bytes = onsram_sat_add(price->dram_read_bytes, c->dram_read_bytes);
	price->dram_write_bytes = onsram_sat_add(price->dram_write_bytes, c->dram_write_bytes);
	price->energy_fj = onsram_sat_add(price->energy_fj, c->energy_fj);
}

static void run(struct onsram_pricer *p, struct onsram_price *price)
{
	uint32_t op = 0, ops_done = 0, copy = 0, copies_done = 0, nr_ops = p->f->g->nr_ops;
	struct onsram_fluid fluid;
	int engine;

	onsram_fluid_init(&fluid, p->f->m);
	do {
		if (op == ops_done && op < nr_ops && copies_done >= p->need[op]) {
			const struct onsram_cost *c = operation_cost(p, op);

			p->start_ps[op++] = fluid.now_ps;
			pay(price, c);
			onsram_fluid_start(&fluid, 0, c);
		}
		if (copy == copies_done && copy < p->nr_transfers &&
		    p->transfer[copy].start_op <= ops_done) {
			struct onsram_transfer *t = &p->transfer[copy++];
			struct onsram_cost c;

			t->start_ps = fluid.now_ps;
			onsram_copy_cost(p->f->m, t->bytes, t->writeback, &c);
			pay(price, &c);
			onsram_fluid_start(&fluid, fluid.engines - 1, &c);
		}
		engine = onsram_fluid_next(&fluid);
		if (engine == 0)
			p->end_ps[ops_done++] = fluid.now_ps;
		else if (engine > 0)
			p->transfer[copies_done++].end_ps = fluid.now_ps;
	} while (engine >= 0);
	price->time_ps = fluid.now_ps;
}

int onsram_pricer_run(struct onsram_pricer *p, const struct onsram_interval *iv, uint32_t n, bool again,
		      struct onsram_price *price)
{
	*price = (struct onsram_price){ 0 };
	if (queue(p, iv, n, again))
		return -1;
	place(p, iv, n, again);
	wait_for(p);
	run(p, price);
	price->energy_fj = onsram_sat_add(price->energy_fj,
					  onsram_static_energy_fj(p->f->m, price->time_ps));
	return 0;
}

int onsram_by_reserve(const void *a, const void *b)
{
	const struct onsram_interval *x = a, *y = b;

	if (x->reserve_op != y->reserve_op)
		return x->reserve_op < y->reserve_op ? -1 : 1;
	if (x->first_op != y->first_op)
		return x->first_op < y->first_op ? -1 : 1;
	if (x->tensor != y->tensor)
		return x->tensor < y->tensor ? -1 : 1;
	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

int onsram_plan_price(const struct onsram_model *m, const struct onsram_plan_graph *g,
		      const struct onsram_interval *iv, uint32_t n, bool again,
		      struct onsram_price *price)
{
	struct onsram_pricer p = { 0 };
	struct onsram_flow f;
	int ret = -1;

	if (!onsram_flow_init(&f, m, g) && !onsram_pricer_init(&p, &f))
		ret = onsram_pricer_run(&p, iv, n, again, price);
	onsram_pricer_fini(&p);
	onsram_flow_fini(&f);
	return ret;
}
