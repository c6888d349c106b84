// SPDX-License-Identifier: MIT
/* A graph's uses. */
#include <stdlib.h>
#include <string.h>

#include "flow.h"

/* Whether a slot names a tensor of the graph; @first: no slot before it names the same */
static bool names(const struct onsram_plan_graph *g, const struct drm_onsram_op *op, uint32_t s,
		  bool *first)
{
	const struct drm_onsram_operand *o = &op->operand[s];

	*first = true;
	if (o->view.dtype == ONSRAM_DTYPE_NONE || o->bo >= g->nr_tensors)
		return false;
	for (uint32_t r = 0; r < s; r++)
		if (op->operand[r].view.dtype != ONSRAM_DTYPE_NONE && op->operand[r].bo == o->bo)
			*first = false;
	return true;
}

int onsram_flow_init(struct onsram_flow *f, const struct onsram_model *m,
		     const struct onsram_plan_graph *g)
{
	uint32_t *fill;

	*f = (struct onsram_flow){ .m = m, .g = g };
	f->ops = calloc(g->nr_ops + 1, sizeof(*f->ops));
	f->first = calloc((size_t)g->nr_tensors + 2, sizeof(*f->first));
	f->use = calloc((size_t)g->nr_ops + 1, ONSRAM_MAX_OPERANDS * sizeof(*f->use));
	f->slot = calloc((size_t)g->nr_ops + 1, sizeof(*f->slot));
	if (!f->ops || !f->first || !f->use || !f->slot)
		return -1;

	/* A use is counted per operation and tensor, however many slots name it */
	for (uint32_t i = 0; i < g->nr_ops; i++) {
		const struct drm_onsram_op *op = &g->ops[i];
		bool first;

		f->ops[i].opcode = op->opcode;
		f->ops[i].attr = op->attr;
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			f->ops[i].view[s] = op->operand[s].view;
			if (names(g, op, s, &first) && first)
				f->first[op->operand[s].bo + 2]++;
		}
	}
	for (uint32_t t = 0; t < g->nr_tensors; t++)
		f->first[t + 2] += f->first[t + 1];
	fill = f->first + 1;	/* advances to the right value while filling */
	for (uint32_t i = 0; i < g->nr_ops; i++) {
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			uint32_t t = g->ops[i].operand[s].bo;
			bool first;

			f->slot[i][s] = ONSRAM_NO_USE;
			if (!names(g, &g->ops[i], s, &first))
				continue;
			if (first)
				f->use[fill[t]++] = (struct onsram_use){ .op = i };
			f->use[fill[t] - 1].slots |= 1u << s;
			f->slot[i][s] = fill[t] - 1;
		}
	}
	return 0;
}

void onsram_flow_fini(struct onsram_flow *f)
{
	free(f->ops);
	free(f->first);
	free(f->use);
	free(f->slot);
}

bool onsram_flow_dirties(const struct onsram_flow *f, uint32_t tensor, uint32_t first, uint32_t last)
{
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(f, tensor, &use);
	bool dirty = false;

	for (uint32_t i = 0; i < n; i++)
		dirty |= (use[i].slots & 1) && use[i].op >= first && use[i].op <= last;
	if (f->g->tensors[tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT)
		return dirty && use[n - 1].op > last;
	return dirty;
}

bool onsram_flow_fetches(const struct onsram_flow *f, uint32_t tensor, uint32_t op)
{
	const struct drm_onsram_operand *out = &f->g->ops[op].operand[0];
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(f, tensor, &use);

	if (n && use->op == op && (f->g->tensors[tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT))
		return false;
	while (n && use->op < op) {
		use++;
		n--;
	}
	return !n || use->op != op || use->slots != 1 || out->offset ||
	       onsram_view_elements(&out->view) * onsram_dtype_size(out->view.dtype) !=
	       f->g->tensors[tensor].bytes;
}

bool onsram_flow_overwrites(const struct onsram_flow *f, const struct onsram_interval *a,
			    const struct onsram_interval *b)
{
	const struct onsram_use *last, *first;
	uint32_t n = onsram_flow_uses(f, a->tensor, &last);

	if (!onsram_flow_uses(f, b->tensor, &first) || a->tensor == b->tensor ||
	    !(f->g->tensors[a->tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT) ||
	    !(f->g->tensors[b->tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT))
		return false;
	last += n - 1;
	return last->op == a->last_op && last->slots > 1 && first->op == b->first_op && first->slots == 1 &&
	       a->last_op == b->first_op && b->reserve_op == b->first_op &&
	       !((a->flags | b->flags) & ONSRAM_INTERVAL_KEEP);
}

uint64_t onsram_flow_bound(const struct onsram_flow *f)
{
	const struct onsram_plan_graph *g = f->g;
	struct onsram_bound_op *ops = calloc(g->nr_ops + 1, sizeof(*ops));
	struct onsram_bound_tensor *tensors = calloc(g->nr_tensors + 1, sizeof(*tensors));
	uint64_t bound = UINT64_MAX;

	if (ops && tensors) {
		for (uint32_t t = 0; t < g->nr_tensors; t++) {
			const struct onsram_use *use;
			uint32_t n = onsram_flow_uses(f, t, &use);

			tensors[t].bytes = g->tensors[t].bytes;
			tensors[t].kind = ONSRAM_BOUND_SOURCE;
			if (g->tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT)
				tensors[t].kind = ONSRAM_BOUND_INTERNAL;
			else
				for (uint32_t i = 0; i < n; i++)
					if (use[i].slots & 1)
						tensors[t].kind = ONSRAM_BOUND_OUTPUT;
		}
		for (uint32_t i = 0; i < g->nr_ops; i++) {
			ops[i].op = f->ops[i];
			for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
				ops[i].tensor[s] = f->ops[i].view[s].dtype == ONSRAM_DTYPE_NONE ?
						   UINT32_MAX : g->ops[i].operand[s].bo;
		}
		bound = onsram_bound(f->m, ops, g->nr_ops, tensors, g->nr_tensors);
	}
	free(ops);
	free(tensors);
	return bound;
}
