// SPDX-License-Identifier: MIT
/*
 * A network's graph as other frameworks would have written it: the same results
 * (but for rounding) from other operations, so other traffic.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "variant.h"

/* A tensor like @like */
static int like_tensor(struct ir_graph *g, const ir_value *like, const char *what, ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK];
	char *name;
	int ret;

	for (uint32_t d = 0; d < like->view.rank; d++)
		dims[d] = like->view.dims[d];
	if (asprintf(&name, "%s/%s", g->tensors[like->bo].name, what) < 0)
		return ir_nomem(g);
	ret = ir_tensor_new(g, name, ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, like->view.rank, dims, out);
	free(name);
	return ret;
}

/* Channels @first to @first + @n of @v along dimension @d */
static ir_value channels(const ir_value *v, uint32_t d, uint32_t first, uint32_t n)
{
	ir_value out = *v;

	out.offset += (int64_t)first * v->view.strides[d];
	out.view.dims[d] = n;
	return out;
}

static int copy(struct ir_graph *g, const ir_value *from, const ir_value *to)
{
	const struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY, .operand = { *to, *from } };

	return ir_push(g, &op);
}

/* Group by group: its input is copied out, its output copied to its place */
static int split_groups(struct ir_graph *g, const struct drm_onsram_op *conv)
{
	uint32_t groups = conv->attr.groups;
	uint32_t in = conv->operand[1].view.dims[1] / groups, out = conv->operand[0].view.dims[1] / groups;

	for (uint32_t k = 0; k < groups; k++) {
		ir_value x = channels(&conv->operand[1], 1, k * in, in);
		ir_value y = channels(&conv->operand[0], 1, k * out, out);
		struct drm_onsram_op op = *conv;

		op.attr.groups = 1;
		op.operand[2] = channels(&conv->operand[2], 0, k * out, out);
		if (conv->operand[3].view.dtype)
			op.operand[3] = channels(&conv->operand[3], 0, k * out, out);
		if (like_tensor(g, &x, "split", &op.operand[1]) || copy(g, &x, &op.operand[1]) ||
		    like_tensor(g, &y, "group", &op.operand[0]) || ir_push(g, &op) ||
		    copy(g, &op.operand[0], &y))
			return -1;
	}
	return 0;
}

/* @data as a constant over the channels of @like */
static int channel_const(struct ir_graph *g, const ir_value *like, const char *what, float *data, ir_value *out)
{
	const int64_t dims[] = { like->view.dims[1] };
	struct onsram_view wide;
	char *name;
	int ret;

	if (asprintf(&name, "%s/%s", g->tensors[like->bo].name, what) < 0) {
		free(data);
		return ir_nomem(g);
	}
	ret = ir_const_new(g, name, ONSRAM_DTYPE_F32, 1, dims, data, out);
	free(name);
	if (ret)
		return -1;
	wide = out->view;
	view_broadcast(&wide, like->view.rank, like->view.dims, 1, &out->view);
	return 0;
}

static int elementwise(struct ir_graph *g, uint32_t func, const ir_value *a, const ir_value *b,
		       const ir_value *out)
{
	const struct drm_onsram_op op = {
		.opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = func, .operand = { *out, *a, *b },
	};

	return ir_push(g, &op);
}

/* x * scale + shift, as two operations */
static int split_norm(struct ir_graph *g, const struct drm_onsram_op *norm)
{
	uint32_t n = norm->operand[0].view.dims[1];
	float *param[4] = { NULL }, *scale = malloc(n * sizeof(*scale)), *shift = malloc(n * sizeof(*shift));
	ir_value a, b, mid;
	int ret = scale && shift ? 0 : ir_nomem(g);

	for (int s = 0; !ret && s < 4; s++) {
		param[s] = ir_const_read(g, &norm->operand[2 + s]);
		ret = param[s] ? 0 : -1;
	}
	for (uint32_t c = 0; !ret && c < n; c++) {
		scale[c] = param[0][c] / sqrtf(param[3][c] + bits_float(norm->attr.param[0]));
		shift[c] = param[1][c] - param[2][c] * scale[c];
	}
	for (int s = 0; s < 4; s++)
		free(param[s]);
	if (ret) {
		free(scale);
		free(shift);
		return ret;
	}
	ret = channel_const(g, &norm->operand[0], "scale", scale, &a);
	if (ret)
		free(shift);
	return ret || channel_const(g, &norm->operand[0], "shift", shift, &b) ||
	       like_tensor(g, &norm->operand[0], "scaled", &mid) ||
	       elementwise(g, ONSRAM_EW_MUL, &norm->operand[1], &a, &mid) ||
	       elementwise(g, ONSRAM_EW_ADD, &mid, &b, &norm->operand[0]) ? -1 : 0;
}

static bool is_constant_norm(const struct ir_graph *g, const struct drm_onsram_op *op)
{
	if (op->opcode != ONSRAM_OP_NORM || op->attr.func != ONSRAM_NORM_BATCH)
		return false;
	for (int s = 2; s < 6; s++)
		if (!ir_is_const(g, &op->operand[s]))
			return false;
	return true;
}

/* Whether @op becomes others: then they are pushed. Return: 1, 0 where it stays, or -1 */
static int change(struct ir_graph *g, const struct drm_onsram_op *op)
{
	const struct onsram_graph_options *o = &g->opt.graph;

	if (o->split_groups && op->opcode == ONSRAM_OP_CONV && op->attr.groups > 1 &&
	    op->operand[1].view.dims[1] > op->attr.groups)
		return split_groups(g, op) ? -1 : 1;
	if (o->split_norm && is_constant_norm(g, op))
		return split_norm(g, op) ? -1 : 1;
	return 0;
}

int variant(struct ir_graph *g)
{
	struct ir_op *old = g->ops;
	uint32_t n = g->nr_ops;
	int ret = 0;

	g->ops = NULL;
	g->nr_ops = 0;
	for (uint32_t i = 0; i < n; i++) {
		int changed = 0;

		g->node_name = old[i].name;
		if (!ret && !old[i].dead)
			changed = change(g, &old[i].op);
		if (!changed)
			changed = ir_keep(g, &old[i]);
		else
			free(old[i].name);
		ret = changed < 0 ? -1 : ret;
	}
	g->node_name = NULL;
	free(old);
	return ret;
}
