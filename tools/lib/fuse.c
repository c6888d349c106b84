// SPDX-License-Identifier: MIT
/* Fold operations into the operation before them. */
#include <stdlib.h>
#include <string.h>

#include "fuse.h"
#include "lower.h"

void fuse_uses(const struct ir_graph *g, struct fuse_uses *uses, uint32_t nr)
{
	memset(uses, 0, nr * sizeof(*uses));
	for (uint32_t i = 0; i < g->nr_ops; i++) {
		const struct drm_onsram_op *op = &g->ops[i].op;

		if (g->ops[i].dead)
			continue;
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			struct fuse_uses *u = &uses[op->operand[s].bo];

			if (!op->operand[s].view.dtype || op->operand[s].bo >= nr)
				continue;
			if (s) {
				u->reads++;
				u->reader = i;
			} else {
				u->writes++;
				u->writer = i;
			}
		}
	}
}

/* The slot in which @next reads exactly what @op writes, 0 where there is none. */
static uint32_t reading_slot(const struct drm_onsram_op *op, const struct drm_onsram_op *next)
{
	const ir_value *out = &op->operand[0];

	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		const ir_value *in = &next->operand[s];

		if (in->view.dtype && in->bo == out->bo)
			return in->offset == out->offset && view_equal(&in->view, &out->view) ? s : 0;
	}
	return 0;
}

static uint32_t activation(const struct drm_onsram_op *op)
{
	if (op->opcode != ONSRAM_OP_ELEMENTWISE)
		return ONSRAM_ACT_NONE;
	switch (op->attr.func) {
	case ONSRAM_EW_RELU:
		return ONSRAM_ACT_RELU;
	case ONSRAM_EW_CLIP:
		return ONSRAM_ACT_CLIP;
	case ONSRAM_EW_LEAKY_RELU:
		return ONSRAM_ACT_LEAKY_RELU;
	case ONSRAM_EW_SIGMOID:
		return ONSRAM_ACT_SIGMOID;
	case ONSRAM_EW_TANH:
		return ONSRAM_ACT_TANH;
	}
	return ONSRAM_ACT_NONE;
}

/* Whether @v, broadcast over a convolution's output, is a vector over the channels; if so @out is that. */
static bool channel_view(const ir_value *v, ir_value *out)
{
	const struct onsram_view *view = &v->view;

	for (uint32_t d = 0; d < view->rank; d++)
		if (d != 1 && view->dims[d] != 1 && view->strides[d])
			return false;
	*out = *v;
	out->view = (struct onsram_view){
		.dtype = view->dtype, .rank = 1, .dims = { view->dims[1] }, .strides = { view->strides[1] },
	};
	return true;
}

/* Whether every element of @v is one of its own. */
static bool is_full(const struct onsram_view *v)
{
	for (uint32_t d = 0; d < v->rank; d++)
		if (v->dims[d] != 1 && !v->strides[d])
			return false;
	return true;
}

/* Take the addition of @other into @op's epilogue. */
static bool fuse_add(const struct ir_graph *g, struct drm_onsram_op *op, const ir_value *other)
{
	/* With one row or pixel, a constant is as full as any operand, and a bias all the same. */
	bool is_bias = !op->operand[3].view.dtype && (ir_is_const(g, other) || !is_full(&other->view));
	ir_value bias;

	if (op->opcode == ONSRAM_OP_GEMM && is_bias) {
		op->operand[3] = *other;
		op->attr.param[1] = float_bits(1.0f);
		return true;
	}
	if (op->opcode == ONSRAM_OP_CONV && is_bias && channel_view(other, &bias)) {
		op->operand[3] = bias;
		return true;
	}
	if (!op->operand[4].view.dtype && is_full(&other->view)) {
		op->operand[4] = *other;
		return true;
	}
	return false;
}

/*
 * Fold @next, which reads @op's output in @slot, into @op.
 * Return: 1 when done, 0 where it cannot be, -1 on failure
 */
static int fuse_into(struct ir_graph *g, struct drm_onsram_op *op, const struct drm_onsram_op *next,
		     uint32_t slot)
{
	bool epilogue = op->opcode == ONSRAM_OP_CONV || op->opcode == ONSRAM_OP_GEMM;
	bool all = g->opt.fuse;
	uint32_t act = all ? activation(next) : ONSRAM_ACT_NONE;

	if (op->attr.act)
		return 0;
	if (epilogue && act) {
		op->attr.act = act;
		memcpy(op->attr.act_param, next->attr.param, sizeof(op->attr.act_param));
		return 1;
	}
	if (epilogue && (all || g->opt.graph.fold_bias) && next->opcode == ONSRAM_OP_ELEMENTWISE &&
	    next->attr.func == ONSRAM_EW_ADD && fuse_add(g, op, &next->operand[3 - slot]))
		return 1;
	return all || g->opt.graph.fold_norm ? fuse_norm(g, op, next, slot) : 0;
}

/* Whether @next can run where @p stands: all that it reads besides is there by then. */
static bool ready_at(const struct ir_graph *g, const struct fuse_uses *uses, const struct drm_onsram_op *next,
		     uint32_t slot, uint32_t p)
{
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		const ir_value *in = &next->operand[s];

		if (s == slot || !in->view.dtype || g->tensors[in->bo].role == ONSRAM_ROLE_WEIGHT)
			continue;
		if (uses[in->bo].writes && uses[in->bo].writer > p)
			return false;
	}
	return true;
}

/*
 * Try to fold the only reader of operation @p's output into it.
 * Return: 1 when done and @p still stands, 0 otherwise, -1 on failure
 */
static int fuse_next(struct ir_graph *g, struct fuse_uses *uses, uint32_t nr, uint32_t p)
{
	struct drm_onsram_op merged = g->ops[p].op;
	uint32_t mid = merged.operand[0].bo, c, slot, at;
	int ret;

	if (g->tensors[mid].role != ONSRAM_ROLE_ACTIVATION || uses[mid].reads != 1 || uses[mid].writes != 1)
		return 0;
	c = uses[mid].reader;
	slot = reading_slot(&merged, &g->ops[c].op);
	if (!slot)
		return 0;
	ret = fuse_into(g, &merged, &g->ops[c].op, slot);
	if (ret <= 0)
		return ret;
	at = ready_at(g, uses, &g->ops[c].op, slot, p) ? p : c;
	merged.operand[0] = g->ops[c].op.operand[0];
	g->ops[p].dead = g->ops[c].dead = true;
	g->ops[at].dead = false;
	g->ops[at].op = merged;
	if (at == c) {
		char *name = g->ops[c].name;

		g->ops[c].name = g->ops[p].name;
		g->ops[p].name = name;
	}
	/* Constants made on the way lie beyond @nr; nothing asks about those. */
	fuse_uses(g, uses, nr);
	return at == p;
}

/*
 * A zero padding in front of a convolution is the convolution's own: take
 * the copy's source and add what surrounds it.
 */
static void fuse_pad(struct ir_graph *g, const struct fuse_uses *uses, struct drm_onsram_op *conv)
{
	ir_value *x = &conv->operand[1];
	const struct ir_tensor *t = &g->tensors[x->bo];
	const struct drm_onsram_op *copy, *fill = NULL;
	uint32_t pads[2][ONSRAM_MAX_RANK];
	int64_t rest;

	if (t->role != ONSRAM_ROLE_ACTIVATION || uses[x->bo].reads != 1 || uses[x->bo].writes != 2 ||
	    x->offset || !view_equal(&x->view, &t->view))
		return;
	copy = &g->ops[uses[x->bo].writer].op;
	for (uint32_t i = 0; i < uses[x->bo].writer; i++)
		if (!g->ops[i].dead && g->ops[i].op.operand[0].bo == x->bo)
			fill = &g->ops[i].op;
	if (!fill || fill->opcode != ONSRAM_OP_FILL || fill->attr.param[0] || copy->opcode != ONSRAM_OP_COPY ||
	    copy->operand[1].view.dtype != x->view.dtype || copy->operand[0].view.rank != x->view.rank)
		return;
	rest = copy->operand[0].offset;
	for (uint32_t d = 0; d < x->view.rank; d++) {
		if (copy->operand[0].view.dims[d] > 1 && copy->operand[0].view.strides[d] != t->view.strides[d])
			return;
		pads[0][d] = rest / t->view.strides[d];
		rest %= t->view.strides[d];
		pads[1][d] = x->view.dims[d] - pads[0][d] - copy->operand[0].view.dims[d];
		if (d < 2 ? pads[0][d] || pads[1][d] : conv->attr.pad_begin[d - 2] + pads[0][d] > UINT16_MAX ||
						      conv->attr.pad_end[d - 2] + pads[1][d] > UINT16_MAX)
			return;
	}
	for (uint32_t d = 2; d < x->view.rank; d++) {
		conv->attr.pad_begin[d - 2] += pads[0][d];
		conv->attr.pad_end[d - 2] += pads[1][d];
	}
	*x = copy->operand[1];
}

int fuse(struct ir_graph *g)
{
	uint32_t nr = g->nr_tensors;
	struct fuse_uses *uses = calloc(nr ? nr : 1, sizeof(*uses));
	int ret = 0;

	if (!uses)
		return ir_nomem(g);
	fuse_uses(g, uses, nr);
	for (uint32_t p = 0; p < g->nr_ops && ret >= 0; p++) {
		if (g->ops[p].dead)
			continue;
		if (g->opt.fuse && g->ops[p].op.opcode == ONSRAM_OP_CONV)
			fuse_pad(g, uses, &g->ops[p].op);
		do {
			ret = fuse_next(g, uses, nr, p);
		} while (ret > 0);
	}
	free(uses);
	if (ret < 0)
		return -1;
	return g->opt.fuse || g->opt.graph.fold_copies ? fuse_copies(g) : 0;
}
