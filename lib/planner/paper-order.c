// SPDX-License-Identifier: MIT
/*
 * The order of operations as OnSRAM-Static has it: a queue of those that are
 * ready, begun with the sources.  An operation that becomes ready goes to the
 * head where its activations bound it, so that it follows what made them, and to
 * the tail where arithmetic or weights do.
 */
#include <stdlib.h>
#include <string.h>

#include "paper.h"

enum onsram_bound_class onsram_paper_bound(const struct onsram_flow *f, uint32_t op)
{
	const struct drm_onsram_op *o = &f->g->ops[op];
	uint64_t weights = 0, activations = 0;
	struct onsram_cost c;

	onsram_op_cost(f->m, &f->ops[op], NULL, UINT64_MAX, &c);
	if (c.compute_ps >= c.dram_ps)
		return ONSRAM_BOUND_COMPUTE;
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		if (f->slot[op][s] == ONSRAM_NO_USE)
			continue;
		if (f->g->tensors[o->operand[s].bo].flags & DRM_ONSRAM_TENSOR_CONST)
			weights += onsram_view_bytes(&o->operand[s].view);
		else
			activations += onsram_view_bytes(&o->operand[s].view);
	}
	return activations >= weights ? ONSRAM_BOUND_ACTIVATION : ONSRAM_BOUND_WEIGHT;
}

/* The bytes of its tensor that an operand may touch: [low, high) */
struct extent {
	int64_t low;
	int64_t high;
};

static void widen(struct extent *e, const struct drm_onsram_operand *o)
{
	int64_t size = onsram_dtype_size(o->view.dtype);
	int64_t low = (int64_t)o->offset, high = low + size;

	for (uint32_t d = 0; d < o->view.rank; d++) {
		int64_t span = (int64_t)o->view.strides[d] * (o->view.dims[d] - 1) * size;

		if (span < 0)
			low += span;
		else
			high += span;
	}
	e->low = low < e->low ? low : e->low;
	e->high = high > e->high ? high : e->high;
}

/* What @use touches in slots of @mask */
static struct extent extent_of(const struct onsram_flow *f, const struct onsram_use *use, uint32_t mask)
{
	struct extent e = { INT64_MAX, INT64_MIN };

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (use->slots & mask & 1u << s)
			widen(&e, &f->g->ops[use->op].operand[s]);
	return e;
}

static bool meet(struct extent a, struct extent b)
{
	return a.low < b.high && b.low < a.high;
}

/* Whether the later use has to stay behind the earlier one */
static bool depends(const struct onsram_flow *f, const struct onsram_use *earlier,
		    const struct onsram_use *later)
{
	if (earlier->slots & 1 && meet(extent_of(f, earlier, 1), extent_of(f, later, UINT32_MAX)))
		return true;
	return later->slots & 1 && meet(extent_of(f, earlier, UINT32_MAX), extent_of(f, later, 1));
}

/* struct order - operations being ordered; @edge: @nr_edges of (operation, one that waits for it), by the first */
struct order {
	struct edge {
		uint32_t from;
		uint32_t to;
	} *edge;
	size_t nr_edges;
	size_t room;
	uint32_t *first;	/* nr_ops + 1 indices into @edge */
	uint32_t *waits;	/* per operation: for how many */
	uint32_t *queue;	/* of ready ones: room for as many at the head as at the tail */
	uint32_t head;
	uint32_t tail;
};

static int add_edge(struct order *o, uint32_t from, uint32_t to)
{
	if (o->nr_edges == o->room) {
		size_t room = o->room ? 2 * o->room : 1024;
		struct edge *more = realloc(o->edge, room * sizeof(*more));

		if (!more)
			return -1;
		o->edge = more;
		o->room = room;
	}
	o->edge[o->nr_edges++] = (struct edge){ from, to };
	return 0;
}

static int add_edges(struct order *o, const struct onsram_flow *f, uint32_t tensor)
{
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(f, tensor, &use);
	uint32_t writes = 0;

	for (uint32_t u = 0; u < n; u++)
		writes |= use[u].slots & 1;
	for (uint32_t b = 1; writes && b < n; b++)
		for (uint32_t a = 0; a < b; a++)
			if (depends(f, &use[a], &use[b]) && add_edge(o, use[a].op, use[b].op))
				return -1;
	return 0;
}

static int by_from(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static int connect(struct order *o, const struct onsram_flow *f)
{
	uint32_t nr_ops = f->g->nr_ops;
	size_t kept = 0;

	for (uint32_t t = 0; t < f->g->nr_tensors; t++)
		if (add_edges(o, f, t))
			return -1;
	if (o->nr_edges)
		qsort(o->edge, o->nr_edges, sizeof(*o->edge), by_from);
	for (size_t e = 0; e < o->nr_edges; e++)
		if (!e || memcmp(&o->edge[e], &o->edge[e - 1], sizeof(*o->edge)))
			o->edge[kept++] = o->edge[e];
	o->nr_edges = kept;
	for (size_t e = 0; e < kept; e++) {
		o->first[o->edge[e].from + 1]++;
		o->waits[o->edge[e].to]++;
	}
	for (uint32_t i = 0; i < nr_ops; i++)
		o->first[i + 1] += o->first[i];
	return 0;
}

static void walk(struct order *o, const struct onsram_flow *f, uint32_t *order)
{
	uint32_t nr_ops = f->g->nr_ops, n = 0;

	o->head = o->tail = nr_ops;
	for (uint32_t i = 0; i < nr_ops; i++)
		if (!o->waits[i])
			o->queue[o->tail++] = i;
	while (o->head < o->tail) {
		uint32_t op = o->queue[o->head++];

		order[n++] = op;
		for (uint32_t e = o->first[op]; e < o->first[op + 1]; e++) {
			uint32_t child = o->edge[e].to;

			if (--o->waits[child])
				continue;
			if (onsram_paper_bound(f, child) == ONSRAM_BOUND_ACTIVATION)
				o->queue[--o->head] = child;
			else
				o->queue[o->tail++] = child;
		}
	}
}

int onsram_paper_order(const struct onsram_model *m, const struct onsram_plan_graph *g, uint32_t *order)
{
	struct order o = { 0 };
	struct onsram_flow f;
	int ret = onsram_flow_init(&f, m, g);

	o.first = calloc((size_t)g->nr_ops + 1, sizeof(*o.first));
	o.waits = calloc((size_t)g->nr_ops + 1, sizeof(*o.waits));
	o.queue = calloc(2 * (size_t)g->nr_ops + 1, sizeof(*o.queue));
	if (ret || !o.first || !o.waits || !o.queue || connect(&o, &f))
		ret = -1;
	else
		walk(&o, &f, order);
	onsram_flow_fini(&f);
	free(o.edge);
	free(o.first);
	free(o.waits);
	free(o.queue);
	return ret;
}
