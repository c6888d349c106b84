// SPDX-License-Identifier: MIT
/* Operators along dimensions: reductions, softmax, the place of extremes. */
#include <stdio.h>

#include "lower.h"

static int lower_softmax(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_SOFTMAX, .attr.func = func };
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK], flat[2] = { 1, 1 };
	int axis;
	ir_value out;

	if (lower_float(g, x, "input"))
		return -1;
	axis = lower_axis(g, proto_int(n->proto, "axis", g->opset < 13 ? 1 : -1), x->view.rank);
	if (axis < 0)
		return -1;
	for (uint32_t d = 0; d < x->view.rank; d++) {
		dims[d] = x->view.dims[d];
		flat[(int)d >= axis] *= dims[d];
	}
	op.operand[1] = *x;
	op.attr.axis = axis;
	/* Before set 13 the dimensions from axis on are one. */
	if (g->opset < 13 && axis + 1 != (int)x->view.rank) {
		if (ir_reshape(g, x, 2, flat, &op.operand[1]) ||
		    lower_temp(g, n, "flat", ONSRAM_DTYPE_F32, 2, flat, &op.operand[0]))
			return -1;
		op.attr.axis = 1;
	} else if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32,
				 x->view.rank, dims, &op.operand[0])) {
		return -1;
	}
	if (ir_push(g, &op) || ir_reshape(g, &op.operand[0], x->view.rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

enum {
	REDUCE_L1,
	REDUCE_L2,
	REDUCE_LOG_SUM,
	REDUCE_MAX,
	REDUCE_MEAN,
	REDUCE_MIN,
	REDUCE_PROD,
	REDUCE_SUM,
	REDUCE_SUM_SQUARE,
};

/* What a reduction is made of: a formula before it, the device's function, a formula behind it. */
static const struct {
	const char *before;
	uint32_t func;
	const char *behind;
} reductions[] = {
	[REDUCE_L1] = { "x abs", ONSRAM_REDUCE_SUM, NULL },
	[REDUCE_L2] = { NULL, ONSRAM_REDUCE_SUM_SQUARE, "x sqrt" },
	[REDUCE_LOG_SUM] = { NULL, ONSRAM_REDUCE_SUM, "x log" },
	[REDUCE_MAX] = { NULL, ONSRAM_REDUCE_MAX, NULL },
	[REDUCE_MEAN] = { NULL, ONSRAM_REDUCE_MEAN, NULL },
	[REDUCE_MIN] = { NULL, ONSRAM_REDUCE_MIN, NULL },
	[REDUCE_PROD] = { NULL, ONSRAM_REDUCE_PROD, NULL },
	[REDUCE_SUM] = { NULL, ONSRAM_REDUCE_SUM, NULL },
	[REDUCE_SUM_SQUARE] = { NULL, ONSRAM_REDUCE_SUM_SQUARE, NULL },
};

int lower_reduce_op(struct ir_graph *g, const struct ir_node *n, uint32_t func, const ir_value *x, uint32_t mask,
		    ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_REDUCE, .attr = { .func = func, .axis = mask } };
	int64_t dims[ONSRAM_MAX_RANK];
	ir_value wide;

	/* Of bools, too, there is a largest and a smallest. */
	if (x->view.dtype == ONSRAM_DTYPE_BOOL && (func == ONSRAM_REDUCE_MAX || func == ONSRAM_REDUCE_MIN))
		return lower_convert(g, n, x, ONSRAM_DTYPE_I32, &wide) || lower_reduce_op(g, n, func, &wide, mask, &wide) ||
		       lower_convert(g, n, &wide, ONSRAM_DTYPE_BOOL, out) ? -1 : 0;
	if (x->view.dtype == ONSRAM_DTYPE_BOOL)
		return ir_fail(g, "bool is not supported");
	for (uint32_t d = 0; d < x->view.rank; d++)
		dims[d] = mask & (1u << d) ? 1 : x->view.dims[d];
	op.operand[1] = *x;
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, x->view.dtype, x->view.rank, dims, out))
		return -1;
	op.operand[0] = *out;
	return ir_push(g, &op);
}

/* Bind output 0 to @v without the dimensions of @mask, unless they are to be kept. */
static int bind_reduced(struct ir_graph *g, const struct ir_node *n, const ir_value *v, uint32_t mask)
{
	bool keep = proto_int(n->proto, "keepdims", 1);
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t rank = 0;
	ir_value out;

	for (uint32_t d = 0; d < v->view.rank; d++)
		if (keep || !(mask & (1u << d)))
			dims[rank++] = v->view.dims[d];
	if (ir_reshape(g, v, rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* The dimensions to reduce. Return: 1, 0 where there is nothing to do, -1 on failure */
static int reduced_axes(struct ir_graph *g, const struct ir_node *n, uint32_t *mask)
{
	uint32_t rank = n->in[0].view.rank;
	int64_t axes[ONSRAM_MAX_RANK];
	int nr = lower_ints(g, n, "axes", 1, axes, ONSRAM_MAX_RANK);

	*mask = 0;
	if (nr == -1)
		return -1;
	if (nr <= 0 && proto_int(n->proto, "noop_with_empty_axes", 0))
		return 0;
	if (nr <= 0)
		*mask = (1u << rank) - 1;
	for (int i = 0; i < nr; i++) {
		int axis = lower_axis(g, axes[i], rank);

		if (axis < 0)
			return -1;
		*mask |= 1u << axis;
	}
	return 1;
}

static int lower_reduce(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value v = n->in[0];
	uint32_t mask;
	int some = reduced_axes(g, n, &mask);

	if (some < 0)
		return -1;
	if (!some && !reductions[func].before && !reductions[func].behind &&
	    reductions[func].func != ONSRAM_REDUCE_SUM_SQUARE)
		return lower_bind(g, n, 0, &v);
	if (reductions[func].before && lower_expression(g, n, reductions[func].before, &v, &v))
		return -1;
	if (lower_reduce_op(g, n, reductions[func].func, &v, mask, &v))
		return -1;
	if (reductions[func].behind && lower_expression(g, n, reductions[func].behind, &v, &v))
		return -1;
	return bind_reduced(g, n, &v, mask);
}

/* The largest is taken out before the exponential, which would overflow; where it is infinite, nothing is. */
static int lower_log_sum_exp(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value x = n->in[0], max, v;
	uint32_t mask;
	int some = reduced_axes(g, n, &mask);

	(void)func;
	if (some <= 0)
		return some ? -1 : lower_bind(g, n, 0, &x);
	if (lower_float(g, &x, "input") || lower_reduce_op(g, n, ONSRAM_REDUCE_MAX, &x, mask, &max) ||
	    lower_expression(g, n, "x -3e38 3e38 clip", &max, &max) ||
	    lower_expression(g, n, "x y sub exp", (ir_value[]){ x, max }, &v) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &v, mask, &v) ||
	    lower_expression(g, n, "x log y add", (ir_value[]){ v, max }, &v))
		return -1;
	return bind_reduced(g, n, &v, mask);
}

/* The first, or last, place along @axis where @x is its extreme there: int64, of extent 1. */
static int place(struct ir_graph *g, const struct ir_node *n, const ir_value *x, uint32_t func, int axis, bool last,
		 ir_value *out)
{
	uint32_t reduce = func == REDUCE_MIN ? ONSRAM_REDUCE_MIN : ONSRAM_REDUCE_MAX;
	ir_value in[3] = { *x };
	char formula[40];

	if (x->view.dims[axis] < 1)
		return ir_fail(g, "dimension %d is empty", axis);
	if (lower_reduce_op(g, n, reduce, x, 1u << axis, &in[1]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I64, x->view.dims[axis], x->view.rank, axis, &in[2]))
		return -1;
	/* Where nothing is equal to the extreme, as among NaNs, any place will do. */
	snprintf(formula, sizeof(formula), "x y equal z %u where", last ? 0 : x->view.dims[axis] - 1);
	if (lower_expression(g, n, formula, in, out))
		return -1;
	return lower_reduce_op(g, n, last ? ONSRAM_REDUCE_MAX : ONSRAM_REDUCE_MIN, out, 1u << axis, out);
}

static int lower_arg(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int axis = lower_axis(g, proto_int(n->proto, "axis", 0), x->view.rank);
	ir_value out;

	if (axis < 0 || place(g, n, x, func, axis, proto_int(n->proto, "select_last_index", 0), &out))
		return -1;
	return bind_reduced(g, n, &out, 1u << axis);
}

/* 1 at the first largest element along the dimension, else 0; before set 13 the dimensions from axis on are one. */
static int lower_hardmax(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int axis = lower_axis(g, proto_int(n->proto, "axis", g->opset < 13 ? 1 : -1), x->view.rank);
	int64_t dims[ONSRAM_MAX_RANK], flat[2] = { 1, 1 };
	ir_value in[2], v = *x;

	if (lower_float(g, x, "input") || axis < 0)
		return -1;
	for (uint32_t d = 0; d < x->view.rank; d++) {
		dims[d] = x->view.dims[d];
		flat[(int)d >= axis] *= dims[d];
	}
	if (g->opset < 13) {
		if (ir_reshape(g, x, 2, flat, &v))
			return -1;
		axis = 1;
	}
	if (place(g, n, &v, func, axis, false, &in[1]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I64, v.view.dims[axis], v.view.rank, axis, &in[0]) ||
	    lower_expression(g, n, "x y equal float", in, &v) || ir_reshape(g, &v, x->view.rank, dims, &v))
		return -1;
	return lower_bind(g, n, 0, &v);
}

/* A product with a triangle of ones. */
static int lower_cum_sum(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	bool exclusive = proto_int(n->proto, "exclusive", 0), reverse = proto_int(n->proto, "reverse", 0);
	ir_value x = n->in[0], in[2], sums;
	uint32_t rank = x.view.rank;
	int64_t at;
	int axis;

	(void)func;
	if (lower_float(g, &x, "input"))
		return -1;
	if (ir_ints(g, &n->in[1], "axis", &at, 1) != 1)
		return g->err ? -1 : ir_fail(g, "axis is empty");
	axis = lower_axis(g, at, rank);
	if (axis < 0)
		return -1;
	/* Row i of the matrix is added to the sums of the columns k with i <= k. */
	if (lower_iota(g, n, ONSRAM_DTYPE_I64, x.view.dims[axis], 2, 0, &in[0]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I64, x.view.dims[axis], 2, 1, &in[1]) ||
	    lower_expression(g, n, reverse ? exclusive ? "x y greater float" : "x y less 0 equal float" :
			     exclusive ? "x y less float" : "x y greater 0 equal float", in, &in[1]))
		return -1;
	view_swap(&x.view, axis, rank - 1);
	if (lower_matrix_product(g, n, &x, &in[1], &sums))
		return -1;
	view_swap(&sums.view, axis, rank - 1);
	return lower_bind(g, n, 0, &sums);
}

const struct lower_rule lower_reduce_rules[] = {
	RULE("ArgMax", 1, NOW, 1, 1, lower_arg, REDUCE_MAX),
	RULE("ArgMin", 1, NOW, 1, 1, lower_arg, REDUCE_MIN),
	RULE("CumSum", 11, NOW, 2, 2, lower_cum_sum, 0),
	RULE("Hardmax", 1, NOW, 1, 1, lower_hardmax, REDUCE_MAX),
	RULE("LogSoftmax", 1, NOW, 1, 1, lower_softmax, 1),
	RULE("ReduceL1", 1, NOW, 1, 2, lower_reduce, REDUCE_L1),
	RULE("ReduceL2", 1, NOW, 1, 2, lower_reduce, REDUCE_L2),
	RULE("ReduceLogSum", 1, NOW, 1, 2, lower_reduce, REDUCE_LOG_SUM),
	RULE("ReduceLogSumExp", 1, NOW, 1, 2, lower_log_sum_exp, 0),
	RULE("ReduceMax", 1, NOW, 1, 2, lower_reduce, REDUCE_MAX),
	RULE("ReduceMean", 1, NOW, 1, 2, lower_reduce, REDUCE_MEAN),
	RULE("ReduceMin", 1, NOW, 1, 2, lower_reduce, REDUCE_MIN),
	RULE("ReduceProd", 1, NOW, 1, 2, lower_reduce, REDUCE_PROD),
	RULE("ReduceSum", 1, NOW, 1, 2, lower_reduce, REDUCE_SUM),
	RULE("ReduceSumSquare", 1, NOW, 1, 2, lower_reduce, REDUCE_SUM_SQUARE),
	RULE("Softmax", 1, NOW, 1, 1, lower_softmax, 0),
	{ 0 }
};
