// SPDX-License-Identifier: MIT
/*
 * OnSRAM-Static as published, as far as the publication and a third party's port
 * of it tell (github.com/grrizos/Scale-Sim-SPM, onsram/docs): a tensor is held
 * for its whole life or not at all, activations only, in descending order of a
 * figure of merit that knows nothing of sizes; before room is looked for, a
 * tensor may take the place of one that the operation which makes it reads for
 * the last time.  What the publication leaves open is decided here: places are
 * chosen together with tensors (lowest first), for the sum of bytes alone does
 * not guarantee them, and of equal merit the earlier tensor comes first.
 */
#include <stdlib.h>
#include <string.h>

#include "paper.h"

/* Weights of the figure of merit's terms */
#define ALPHA	0.4
#define BETA	0.5
#define GAMMA	0.1

/* A candidate: an activation from the operation that makes it to its last use */
struct life {
	struct onsram_interval iv;
	double merit;
	uint32_t rank;	/* in the graph */
};

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
	return b ? (a + b - 1) / b : a;
}

/* How often a window of @op comes over an element */
static uint64_t window_reuse(const struct onsram_attr *attr)
{
	uint64_t n = 1;

	for (int d = 0; d < ONSRAM_MAX_SPATIAL; d++)
		if (attr->kernel[d])
			n *= ceil_div(attr->kernel[d], attr->stride[d]);
	return n;
}

uint64_t onsram_paper_reuse(const struct drm_onsram_op *op, uint32_t slot)
{
	const struct onsram_view *v = &op->operand[slot].view, *w = &op->operand[2].view;
	const struct onsram_view *out = &op->operand[0].view;
	uint64_t n = 1;

	/* A dimension that is stepped through in place */
	for (uint32_t d = 0; d < v->rank; d++)
		if (!v->strides[d])
			n *= v->dims[d];
	if (op->opcode == ONSRAM_OP_CONV && slot == 1) {
		n *= ceil_div(w->dims[0], op->attr.groups);
		for (uint32_t d = 2; d < w->rank; d++)
			n *= ceil_div(w->dims[d], op->attr.stride[d - 2]);
	} else if (op->opcode == ONSRAM_OP_GEMM && (slot == 1 || slot == 2)) {
		n *= slot == 1 && out->rank ? out->dims[out->rank - 1] :
		     slot == 2 && out->rank > 1 ? out->dims[out->rank - 2] : 1;
	} else if (op->opcode == ONSRAM_OP_POOL && slot == 1) {
		n *= window_reuse(&op->attr);
	} else if (op->opcode == ONSRAM_OP_RESIZE && slot == 1) {
		n *= ceil_div(onsram_view_elements(out), onsram_view_elements(v));
	}
	return n;
}

static double operations(const struct onsram_perf_op *op)
{
	return 2.0 * onsram_op_macs(op) + onsram_op_flops(op);
}

double onsram_paper_merit(const struct onsram_flow *f, uint32_t tensor, double total)
{
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(f, tensor, &use), nodes = 0;
	uint32_t alive = n ? use[n - 1].op - use[0].op + 1 : 0;
	double once = 0, ops = 0;

	for (uint32_t u = 0; u < n; u++) {
		uint64_t most = 0;

		for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
			uint64_t reuse;

			if (!(use[u].slots & 1u << s))
				continue;
			reuse = onsram_paper_reuse(&f->g->ops[use[u].op], s);
			most = reuse > most ? reuse : most;
		}
		if (!most)
			continue;
		nodes++;
		once += 1.0 / (double)most;
		ops += operations(&f->ops[use[u].op]);
	}
	return ALPHA * nodes / (alive - n + 1) + BETA * once + (total > 0 ? GAMMA * ops / total : 0);
}

static int by_merit(const void *a, const void *b)
{
	const struct life *x = a, *y = b;

	if (x->merit != y->merit)
		return x->merit < y->merit ? 1 : -1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int by_first_op(const void *a, const void *b)
{
	const struct onsram_interval *x = a, *y = b;

	if (x->first_op != y->first_op)
		return x->first_op < y->first_op ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool meet(const struct onsram_interval *a, const struct onsram_interval *b)
{
	return a->first_op <= b->last_op && b->first_op <= a->last_op;
}

/* The plan being made: @held of them, in no particular order */
struct paper {
	struct onsram_flow f;
	struct onsram_interval *held;
	uint32_t nr_held;
	uint64_t *used;		/* per operation: bytes taken */
	uint64_t capacity;
};

static bool free_at(const struct paper *p, const struct onsram_interval *iv)
{
	if (iv->offset + (uint64_t)iv->bytes > p->capacity)
		return false;
	for (uint32_t k = 0; k < p->nr_held; k++)
		if (meet(&p->held[k], iv) && onsram_shared(&p->held[k], iv) &&
		    !onsram_flow_overwrites(&p->f, &p->held[k], iv))
			return false;
	return true;
}

/* The place of what it may overwrite, else the lowest that is free */
static bool find_place(const struct paper *p, struct onsram_interval *iv)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t k = 0; k < p->nr_held; k++) {
		iv->offset = p->held[k].offset;
		if (onsram_flow_overwrites(&p->f, &p->held[k], iv) && free_at(p, iv))
			return true;
	}
	/* The lowest place begins at 0 or where another one ends */
	for (uint32_t k = 0; k <= p->nr_held; k++) {
		uint64_t at = k ? (uint64_t)p->held[k - 1].offset + p->held[k - 1].bytes : 0;

		iv->offset = (uint32_t)at;
		if (at < best && free_at(p, iv))
			best = at;
	}
	iv->offset = (uint32_t)best;
	return best != UINT64_MAX;
}

static bool bytes_free(const struct paper *p, const struct onsram_interval *iv)
{
	for (uint32_t i = iv->first_op; i <= iv->last_op; i++)
		if (p->used[i] + iv->bytes > p->capacity)
			return false;
	return true;
}

static void hold(struct paper *p, const struct onsram_interval *iv)
{
	struct onsram_interval *h = &p->held[p->nr_held];

	*h = *iv;
	for (uint32_t i = iv->first_op; i <= iv->last_op; i++)
		p->used[i] += iv->bytes;
	for (uint32_t k = 0; k < p->nr_held; k++) {
		uint64_t bytes = onsram_flow_overwrites(&p->f, &p->held[k], h) ?
				 onsram_shared(&p->held[k], h) : 0;

		p->used[h->first_op] -= bytes;
		if (bytes)
			h->flags |= ONSRAM_INTERVAL_OVERWRITE;
	}
	p->nr_held++;
}

static enum onsram_reason try(struct paper *p, struct onsram_interval *iv)
{
	if (iv->bytes > p->capacity)
		return ONSRAM_REASON_TOO_LARGE;
	if (find_place(p, iv)) {
		hold(p, iv);
		return ONSRAM_REASON_HELD;
	}
	return bytes_free(p, iv) ? ONSRAM_REASON_FRAGMENTED : ONSRAM_REASON_NO_ROOM;
}

/* All activations, by falling merit. Return: how many */
static uint32_t list(const struct onsram_flow *f, struct life *life)
{
	double total = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->g->nr_ops; i++)
		total += operations(&f->ops[i]);
	for (uint32_t t = 0; t < f->g->nr_tensors; t++) {
		const struct onsram_use *use;
		uint32_t uses = onsram_flow_uses(f, t, &use);

		if (!uses || !(f->g->tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT))
			continue;
		life[n] = (struct life){
			.iv = {
				.tensor = t, .first_op = use[0].op, .last_op = use[uses - 1].op,
				.reserve_op = use[0].op, .release_op = use[uses - 1].op + 1,
			},
			.merit = onsram_paper_merit(f, t, total),
			.rank = use[0].op,
		};
		n++;
	}
	qsort(life, n, sizeof(*life), by_merit);
	return n;
}

static int fill_in(struct onsram_plan *plan, const struct paper *p)
{
	const struct onsram_flow *f = &p->f;
	struct onsram_price price;

	plan->nr_intervals = p->nr_held;
	qsort(plan->intervals, plan->nr_intervals, sizeof(*plan->intervals), by_first_op);
	for (uint32_t i = 0; i < f->g->nr_ops; i++)
		plan->peak_bytes = p->used[i] > plan->peak_bytes ? p->used[i] : plan->peak_bytes;
	plan->bound_ps = onsram_flow_bound(f);
	if (onsram_plan_price(f->m, f->g, NULL, 0, false, &price))
		return -1;
	plan->baseline_ps = price.time_ps;
	if (onsram_plan_price(f->m, f->g, plan->intervals, plan->nr_intervals, false, &price))
		return -1;
	plan->time_ps = plan->time_ps_again = price.time_ps;
	return 0;
}

static int choose(struct paper *p, struct life *life, struct onsram_plan *plan)
{
	uint32_t n = list(&p->f, life);

	for (uint32_t t = 0; t < p->f.g->nr_tensors; t++) {
		const struct onsram_use *use;

		plan->reason[t] = onsram_flow_uses(&p->f, t, &use) ? ONSRAM_REASON_NO_ACTIVATION :
								      ONSRAM_REASON_UNUSED;
	}
	for (uint32_t k = 0; k < n; k++) {
		uint64_t bytes = onsram_granules(p->f.g->tensors[life[k].iv.tensor].bytes);

		life[k].iv.bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
		plan->reason[life[k].iv.tensor] = try(p, &life[k].iv);
	}
	return fill_in(plan, p);
}

struct onsram_plan *onsram_plan_paper(const struct onsram_model *m, const struct onsram_plan_graph *g,
				      const struct onsram_plan_options *opt)
{
	struct life *life = calloc((size_t)g->nr_tensors + 1, sizeof(*life));
	struct onsram_plan *plan = calloc(1, sizeof(*plan));
	struct paper p = { .capacity = m->spm_size - ONSRAM_STAGING_MIN };
	int ret = onsram_flow_init(&p.f, m, g);

	(void)opt;
	p.used = calloc((size_t)g->nr_ops + 1, sizeof(*p.used));
	if (plan) {
		plan->intervals = calloc((size_t)g->nr_tensors + 1, sizeof(*plan->intervals));
		plan->reason = calloc((size_t)g->nr_tensors + 1, sizeof(*plan->reason));
		p.held = plan->intervals;
	}
	if (ret || !life || !p.used || !plan || !plan->intervals || !plan->reason ||
	    choose(&p, life, plan)) {
		onsram_plan_free(plan);
		plan = NULL;
	}
	onsram_flow_fini(&p.f);
	free(p.used);
	free(life);
	return plan;
}
