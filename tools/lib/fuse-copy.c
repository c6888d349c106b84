// SPDX-License-Identifier: MIT
/*
 * Let producers write straight to where a COPY would bring their output: a
 * concatenation then costs nothing.
 */
#include <string.h>

#include "fuse.h"

/*
 * struct placement - where a dense tensor lies inside another
 *
 * Element i is at @offset + i / @block * @stride + i % @block.
 */
struct placement {
	uint32_t bo;
	uint64_t offset;
	uint64_t block;
	int64_t stride;
};

/* How @dst places a dense tensor of its own dimensions. Return: false where that takes more than blocks of equal distance */
static bool get_placement(const ir_value *dst, struct placement *p)
{
	const struct onsram_view *v = &dst->view;
	int64_t expect = 1;
	uint32_t d = v->rank;

	p->bo = dst->bo;
	p->offset = dst->offset;
	p->block = 1;
	for (; d > 0 && (v->dims[d - 1] == 1 || v->strides[d - 1] == expect); d--) {
		p->block *= v->dims[d - 1];
		expect *= v->dims[d - 1];
	}
	p->stride = p->block;
	if (!d)
		return true;
	p->stride = v->strides[d - 1];
	expect = p->stride * v->dims[d - 1];
	while (--d > 0) {
		if (v->dims[d - 1] == 1)
			continue;
		if (v->strides[d - 1] != expect)
			return false;
		expect *= v->dims[d - 1];
	}
	return p->stride > 0;
}

/* Make @v, a view of the tensor that @p places, one of the tensor it lies in. */
static bool place(ir_value *v, const struct placement *p)
{
	int64_t inner = v->offset % p->block, lo = inner, hi = inner;

	for (uint32_t d = 0; d < v->view.rank; d++) {
		int64_t stride = v->view.strides[d], span = stride * (v->view.dims[d] - 1);

		if (v->view.dims[d] == 1)
			continue;
		if (stride % (int64_t)p->block == 0) {
			stride = stride / (int64_t)p->block * p->stride;
			if (stride > INT32_MAX || stride < INT32_MIN)
				return false;
			v->view.strides[d] = stride;
		} else if (span < 0) {
			lo += span;
		} else {
			hi += span;
		}
	}
	/* A dimension that steps within a block must stay there. */
	if (p->stride != (int64_t)p->block && (lo < 0 || hi >= (int64_t)p->block))
		return false;
	v->offset = p->offset + v->offset / p->block * p->stride + inner;
	v->bo = p->bo;
	return true;
}

/* An operation may not write among what it reads. */
static bool overlaps(const struct drm_onsram_op *op)
{
	int64_t lo, hi, in_lo, in_hi;

	view_extent(&op->operand[0], &lo, &hi);
	for (int s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		if (!op->operand[s].view.dtype || op->operand[s].bo != op->operand[0].bo)
			continue;
		view_extent(&op->operand[s], &in_lo, &in_hi);
		if (in_lo <= hi && lo <= in_hi)
			return true;
	}
	return false;
}

/* Move every use of @tensor but copy @k as @p says; without @commit only see whether that works. */
static bool move(struct ir_graph *g, uint32_t tensor, uint32_t k, const struct placement *p, bool commit)
{
	for (uint32_t i = 0; i < g->nr_ops; i++) {
		struct drm_onsram_op op = g->ops[i].op;
		bool touched = false;

		if (g->ops[i].dead || i == k)
			continue;
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			if (!op.operand[s].view.dtype || op.operand[s].bo != tensor)
				continue;
			touched = true;
			if (!place(&op.operand[s], p))
				return false;
		}
		if (touched && overlaps(&op))
			return false;
		if (touched && commit)
			g->ops[i].op = op;
	}
	return true;
}

/* A tensor that another operation than @k writes whole, and others then over: nothing may be in it before. */
static bool is_filled(const struct ir_graph *g, uint32_t tensor, uint32_t k)
{
	for (uint32_t i = 0; i < g->nr_ops; i++)
		if (i != k && !g->ops[i].dead && g->ops[i].op.operand[0].bo == tensor &&
		    view_count(&g->ops[i].op.operand[0].view) == view_count(&g->tensors[tensor].view))
			return true;
	return false;
}

int fuse_copies(struct ir_graph *g)
{
	for (uint32_t k = 0; k < g->nr_ops; k++) {
		const ir_value *dst = &g->ops[k].op.operand[0], *src = &g->ops[k].op.operand[1];
		const struct ir_tensor *t = &g->tensors[src->bo];
		struct placement p;

		if (g->ops[k].dead || g->ops[k].op.opcode != ONSRAM_OP_COPY ||
		    dst->view.dtype != src->view.dtype || dst->bo == src->bo)
			continue;
		if (t->role != ONSRAM_ROLE_ACTIVATION || src->offset || !view_is_dense(&src->view) ||
		    view_count(&src->view) != view_count(&t->view) || is_filled(g, dst->bo, k))
			continue;
		if (!get_placement(dst, &p) || !move(g, src->bo, k, &p, false))
			continue;
		move(g, src->bo, k, &p, true);
		g->ops[k].dead = true;
	}
	return 0;
}
