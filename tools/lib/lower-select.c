// SPDX-License-Identifier: MIT
/* Operators that compare places: masks, orders, and losses by class. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

/* @v with a dimension of extent 1 before its dimension @at. */
static int unsqueeze(struct ir_graph *g, const ir_value *v, uint32_t at, ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK + 1];
	uint32_t from = 0;

	if (v->view.rank == ONSRAM_MAX_RANK)
		return ir_fail(g, "needs %d dimensions; at most %d are supported", ONSRAM_MAX_RANK + 1, ONSRAM_MAX_RANK);
	for (uint32_t d = 0; d <= v->view.rank; d++)
		dims[d] = d == at ? 1 : v->view.dims[from++];
	return ir_reshape(g, v, v->view.rank + 1, dims, out);
}

/* Rows against columns of a matrix: @formula of x = row, y = column. */
static int matrix(struct ir_graph *g, const struct ir_node *n, uint32_t rows, uint32_t columns, const char *formula,
		  ir_value *out)
{
	ir_value in[2];

	if (lower_iota(g, n, ONSRAM_DTYPE_I64, rows, 2, 0, &in[0]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I64, columns, 2, 1, &in[1]))
		return -1;
	return lower_expression(g, n, formula, in, out);
}

static int lower_trilu(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value in[2] = { [1] = n->in[0] }, out;
	uint32_t rank = in[1].view.rank;
	int64_t k = 0;
	char formula[64];

	(void)func;
	if (rank < 2)
		return ir_fail(g, "input has %u dimensions, no matrices", rank);
	if (n->in[1].view.dtype && ir_ints(g, &n->in[1], "k", &k, 1) < 0)
		return -1;
	snprintf(formula, sizeof(formula), proto_int(n->proto, "upper", 1) ? "x %lld add y greater 0 equal" :
		 "x %lld add y less 0 equal", (long long)(k > IR_MAX_ELEMENTS ? IR_MAX_ELEMENTS : k < -(int64_t)IR_MAX_ELEMENTS ?
							   -(int64_t)IR_MAX_ELEMENTS : k));
	if (matrix(g, n, in[1].view.dims[rank - 2], in[1].view.dims[rank - 1], formula, &in[0]) ||
	    lower_expression(g, n, "x y 0 where", in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_eye_like(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int64_t to = proto_int(n->proto, "dtype", 0), k = proto_int(n->proto, "k", 0);
	uint32_t dtype = to ? ir_dtype(g, to, "dtype") : x->view.dtype;
	char formula[64];
	ir_value out;

	(void)func;
	if (x->view.rank != 2)
		return ir_fail(g, "input has %u dimensions, expected 2", x->view.rank);
	if (!dtype)
		return -1;
	if (k > IR_MAX_ELEMENTS || k < -(int64_t)IR_MAX_ELEMENTS)
		return ir_fail(g, "k is out of range");
	snprintf(formula, sizeof(formula), "x %lld add y equal", (long long)k);
	if (matrix(g, n, x->view.dims[0], x->view.dims[1], formula, &out) ||
	    lower_convert(g, n, &out, dtype, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_one_hot(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *values = &n->in[2];
	uint32_t rank = n->in[0].view.rank;
	ir_value in[3], depth, out;
	int64_t nr;
	char formula[64];
	int axis;

	(void)func;
	if (values->view.rank != 1 || values->view.dims[0] != 2)
		return ir_fail(g, "values are not two");
	if (ir_need_const(g, &n->in[1], "depth") || lower_convert(g, n, &n->in[1], ONSRAM_DTYPE_I64, &depth))
		return -1;
	if (view_count(&depth.view) != 1)
		return ir_fail(g, "depth is not one number");
	depth.view.rank = 0;
	if (ir_ints(g, &depth, "depth", &nr, 1) < 0)
		return -1;
	if (nr < 1 || nr > IR_MAX_ELEMENTS)
		return ir_fail(g, "depth %lld is out of range", (long long)nr);
	axis = lower_axis(g, proto_int(n->proto, "axis", -1), rank + 1);
	if (axis < 0 || lower_convert(g, n, &n->in[0], ONSRAM_DTYPE_I64, &in[0]) ||
	    unsqueeze(g, &in[0], axis, &in[0]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I64, nr, rank + 1, axis, &in[1]))
		return -1;
	snprintf(formula, sizeof(formula), "x 0 less x %lld add x where y equal", (long long)nr);
	if (lower_expression(g, n, formula, in, &in[0]))
		return -1;
	in[1] = in[2] = *values;
	in[1].offset += values->view.strides[0];
	in[1].view.rank = in[2].view.rank = 0;
	if (lower_expression(g, n, "x y z where", in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/*
 * Every element's place in the order is the number of those before it: larger
 * ones, and equal ones with a lower index.  Places are integers, which fp16 would
 * not hold.
 */
static int lower_top_k(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	uint32_t rank = x->view.rank, extent;
	bool largest = proto_int(n->proto, "largest", 1);
	ir_value rows, in[3], place, indices, values;
	int64_t k = proto_int(n->proto, "k", 1);
	int axis = lower_axis(g, proto_int(n->proto, "axis", -1), rank);

	(void)func;
	if (axis < 0 || (n->in[1].view.dtype && ir_ints(g, &n->in[1], "k", &k, 1) < 0))
		return -1;
	extent = x->view.dims[axis];
	if (k < 1 || k > extent)
		return ir_fail(g, "k %lld is out of range for %u elements", (long long)k, extent);
	/* The element in dimension axis, the others in the one behind it. */
	if (unsqueeze(g, x, axis + 1, &in[0]) || unsqueeze(g, x, axis, &in[1]) ||
	    matrix(g, n, extent, extent, "x y greater", &in[2]))
		return -1;
	in[2].view.rank = 2 + rank - axis - 1;
	for (uint32_t d = 2; d < in[2].view.rank; d++) {
		in[2].view.dims[d] = 1;
		in[2].view.strides[d] = 0;
	}
	if (lower_expression(g, n, largest ? "x y less x y equal z min max int32" : "x y greater x y equal z min max int32",
			     in, &place) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &place, 1u << (axis + 1), &place))
		return -1;
	/* Place r is the element's whose place that is: one of them, so a sum finds it. */
	if (lower_iota(g, n, ONSRAM_DTYPE_I32, k, rank + 1, axis + 1, &in[1]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I32, extent, rank + 1, axis, &rows) ||
	    lower_expression(g, n, "x y equal z 0 where", (ir_value[]){ place, in[1], rows }, &place) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &place, 1u << axis, &place))
		return -1;
	for (uint32_t d = axis; d < rank; d++) {
		place.view.dims[d] = place.view.dims[d + 1];
		place.view.strides[d] = place.view.strides[d + 1];
	}
	place.view.rank = rank;
	place.view.dims[rank] = place.view.strides[rank] = 0;
	if (lower_convert(g, n, &place, ONSRAM_DTYPE_I64, &indices) ||
	    lower_pick_elements(g, n, x, &indices, axis, &values) || lower_bind(g, n, 0, &values))
		return -1;
	return lower_bind(g, n, 1, &indices);
}

/* The loss of class probabilities @logs [N, C, ..] for the classes in input 1 [N, ..]. */
static int class_loss(struct ir_graph *g, const struct ir_node *n, const ir_value *logs)
{
	const Onnx__AttributeProto *ignore = proto_attr(n->proto, "ignore_index");
	const ir_value *target = &n->in[1], *weight = &n->in[2];
	bool mean = proto_is(n->proto, "reduction", "mean", "mean"), sum = proto_is(n->proto, "reduction", "mean", "sum");
	bool weighted = weight->view.dtype || ignore;
	uint32_t all = (1u << target->view.rank) - 1;
	ir_value classes, chosen, loss, w, ignored = { 0 };
	int64_t dims[ONSRAM_MAX_RANK], flat;
	char formula[48];

	if (!mean && !sum && !proto_is(n->proto, "reduction", "mean", "none"))
		return ir_fail(g, "reduction has an unknown value");
	if (lower_float(g, logs, "input") || (weight->view.dtype && lower_float(g, weight, "weight")))
		return -1;
	if (logs->view.rank < 2 || target->view.rank + 1 != logs->view.rank)
		return ir_fail(g, "input has %u dimensions, target %u", logs->view.rank, target->view.rank);
	for (uint32_t d = 0; d < target->view.rank; d++) {
		dims[d] = target->view.dims[d];
		if (dims[d] != logs->view.dims[d ? d + 1 : 0])
			return ir_fail(g, "dimension %u of target is %lld, not the input's", d, (long long)dims[d]);
	}
	if (weight->view.dtype && (weight->view.rank != 1 || weight->view.dims[0] != logs->view.dims[1]))
		return ir_fail(g, "weight does not have one element per class");
	if (lower_convert(g, n, target, ONSRAM_DTYPE_I64, &classes))
		return -1;
	if (ignore) {
		snprintf(formula, sizeof(formula), "x %lld equal", (long long)ignore->i);
		if (lower_expression(g, n, formula, &classes, &ignored) ||
		    lower_expression(g, n, "x 0 y where", (ir_value[]){ ignored, classes }, &classes))
			return -1;
	}
	if (unsqueeze(g, &classes, 1, &chosen) || lower_pick_elements(g, n, logs, &chosen, 1, &loss) ||
	    ir_reshape(g, &loss, target->view.rank, dims, &loss) || lower_expression(g, n, "x neg", &loss, &loss))
		return -1;
	if (weight->view.dtype) {
		flat = view_count(&classes.view);
		if (ir_reshape(g, &classes, 1, &flat, &chosen) || lower_pick_elements(g, n, weight, &chosen, 0, &w) ||
		    ir_reshape(g, &w, target->view.rank, dims, &w))
			return -1;
	} else if (weighted && lower_scalar(g, ONSRAM_DTYPE_F32, 1, &w)) {
		return -1;
	}
	if (ignore && lower_expression(g, n, "x 0 y where", (ir_value[]){ ignored, w }, &w))
		return -1;
	if (weighted && lower_expression(g, n, "x y mul", (ir_value[]){ loss, w }, &loss))
		return -1;
	if (!mean && !sum)
		return lower_bind(g, n, 0, &loss);
	if (lower_reduce_op(g, n, mean && !weighted ? ONSRAM_REDUCE_MEAN : ONSRAM_REDUCE_SUM, &loss, all, &loss) ||
	    (mean && weighted && (lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &w, all, &w) ||
				  lower_expression(g, n, "x y div", (ir_value[]){ loss, w }, &loss))) ||
	    ir_reshape(g, &loss, 0, NULL, &loss))
		return -1;
	return lower_bind(g, n, 0, &loss);
}

static int lower_nll_loss(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	(void)func;
	return class_loss(g, n, &n->in[0]);
}

static int lower_cross_entropy(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = {
		.opcode = ONSRAM_OP_SOFTMAX, .attr = { .func = 1, .axis = 1 }, .operand = { [1] = n->in[0] },
	};
	int64_t dims[ONSRAM_MAX_RANK];

	(void)func;
	if (lower_float(g, &n->in[0], "scores"))
		return -1;
	if (n->in[0].view.rank < 2)
		return ir_fail(g, "scores have %u dimensions, no classes", n->in[0].view.rank);
	for (uint32_t d = 0; d < n->in[0].view.rank; d++)
		dims[d] = n->in[0].view.dims[d];
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, n->in[0].view.rank, dims,
			  &op.operand[0]) ||
	    ir_push(g, &op) || class_loss(g, n, &op.operand[0]))
		return -1;
	return lower_bind(g, n, 1, &op.operand[0]);
}

const struct lower_rule lower_select_rules[] = {
	RULE("EyeLike", 9, NOW, 1, 1, lower_eye_like, 0),
	RULE("NegativeLogLikelihoodLoss", 12, NOW, 2, 3, lower_nll_loss, 0),
	RULE("OneHot", 9, NOW, 3, 3, lower_one_hot, 0),
	RULE("SoftmaxCrossEntropyLoss", 12, NOW, 2, 3, lower_cross_entropy, 0),
	RULE("TopK", 1, NOW, 1, 2, lower_top_k, 0),
	RULE("Trilu", 14, NOW, 1, 2, lower_trilu, 0),
	{ 0 }
};
