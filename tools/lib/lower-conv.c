// SPDX-License-Identifier: MIT
/* Convolution and pooling. */
#include <stdio.h>

#include "lower.h"

int lower_spatial(struct ir_graph *g, const ir_value *x)
{
	if (lower_float(g, x, "input"))
		return -1;
	if (x->view.rank < 3 || x->view.rank > 2 + ONSRAM_MAX_SPATIAL)
		return ir_fail(g, "input has %u dimensions; 3 to %d are supported", x->view.rank,
			       2 + ONSRAM_MAX_SPATIAL);
	return 0;
}

int lower_add_bias(struct ir_graph *g, const struct ir_node *n, const ir_value *sum, const ir_value *bias,
		   const int64_t *dims)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_ADD };

	op.operand[1] = *sum;
	op.operand[2] = *bias;
	if (!view_broadcast(&bias->view, sum->view.rank, sum->view.dims, 1, &op.operand[2].view))
		return ir_fail(g, "bias does not fit the output");
	if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, sum->view.rank, dims, &op.operand[0]))
		return -1;
	return ir_push(g, &op);
}

static int lower_conv(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0], *w = &n->in[1], *bias = &n->in[2];
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_CONV };
	const Onnx__AttributeProto *kernel = proto_attr(n->proto, "kernel_shape");
	int64_t group = proto_int(n->proto, "group", 1);
	int64_t dims[ONSRAM_MAX_RANK];

	(void)func;
	if (lower_spatial(g, x) || lower_float(g, w, "weight"))
		return -1;
	if (w->view.rank != x->view.rank)
		return ir_fail(g, "weight has %u dimensions, input %u", w->view.rank, x->view.rank);
	for (uint32_t d = 0; kernel && kernel->n_ints && d < w->view.rank - 2; d++)
		if (kernel->n_ints != w->view.rank - 2 || kernel->ints[d] != w->view.dims[d + 2])
			return ir_fail(g, "kernel_shape is not the weight's");
	if (group < 1 || group > x->view.dims[1] || x->view.dims[1] % group || w->view.dims[0] % group)
		return ir_fail(g, "group %lld does not divide %u input and %u output channels",
			       (long long)group, x->view.dims[1], w->view.dims[0]);
	if (w->view.dims[1] != x->view.dims[1] / group)
		return ir_fail(g, "weight is for %u input channels per group, input has %lld",
			       w->view.dims[1], (long long)(x->view.dims[1] / group));
	dims[0] = x->view.dims[0];
	dims[1] = w->view.dims[0];
	if (lower_window(g, n, x, w->view.dims + 2, &op.attr, dims))
		return -1;
	op.attr.groups = group;
	op.operand[1] = *x;
	op.operand[2] = *w;
	if (!bias->view.dtype) {
		if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, x->view.rank, dims, &op.operand[0]))
			return -1;
		return ir_push(g, &op);
	}
	if (lower_channels(g, bias, "bias", w->view.dims[0]) ||
	    lower_temp(g, n, "conv", ONSRAM_DTYPE_F32, x->view.rank, dims, &op.operand[0]) ||
	    ir_push(g, &op))
		return -1;
	return lower_add_bias(g, n, &op.operand[0], bias, dims);
}

static int lower_pool(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_POOL, .attr.func = func };
	const Onnx__AttributeProto *shape = proto_attr(n->proto, "kernel_shape");
	uint32_t kernel[ONSRAM_MAX_SPATIAL] = { 0 };
	int64_t dims[ONSRAM_MAX_RANK];

	if (lower_spatial(g, x))
		return -1;
	if (!shape || shape->n_ints != x->view.rank - 2)
		return ir_fail(g, "kernel_shape does not have one element per spatial dimension");
	if (func == ONSRAM_POOL_AVG && proto_int(n->proto, "count_include_pad", 0))
		op.attr.func = ONSRAM_POOL_AVG_PAD;
	for (uint32_t d = 0; d < x->view.rank - 2; d++) {
		if (shape->ints[d] < 1 || shape->ints[d] > UINT16_MAX)
			return ir_fail(g, "kernel_shape[%u] is %lld, out of range", d, (long long)shape->ints[d]);
		kernel[d] = op.attr.kernel[d] = shape->ints[d];
	}
	dims[0] = x->view.dims[0];
	dims[1] = x->view.dims[1];
	if (lower_window(g, n, x, kernel, &op.attr, dims))
		return -1;
	op.operand[1] = *x;
	if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, x->view.rank, dims, &op.operand[0]))
		return -1;
	if (ir_push(g, &op))
		return -1;
	if (func != ONSRAM_POOL_MAX || n->proto->n_output < 2 || !*n->proto->output[1])
		return 0;
	return lower_pool_places(g, n, &op.attr, &op.operand[0]);
}

static int lower_global_pool(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_POOL, .attr.func = func };
	int64_t dims[ONSRAM_MAX_RANK];

	if (lower_spatial(g, x))
		return -1;
	for (uint32_t d = 0; d < x->view.rank; d++) {
		dims[d] = d < 2 ? x->view.dims[d] : 1;
		if (d < 2)
			continue;
		if (x->view.dims[d] > UINT16_MAX)
			return ir_fail(g, "spatial dimension %u is out of range", d);
		op.attr.kernel[d - 2] = x->view.dims[d];
		op.attr.stride[d - 2] = 1;
		op.attr.dilation[d - 2] = 1;
	}
	op.operand[1] = *x;
	if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, x->view.rank, dims, &op.operand[0]))
		return -1;
	return ir_push(g, &op);
}

/* A window's sum of |x|^p is a convolution of every channel with ones; the root of it is behind. */
static int lower_lp_pool(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *shape = proto_attr(n->proto, "kernel_shape"), *attr = proto_attr(n->proto, "p");
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_CONV };
	double p = attr && attr->has_f ? attr->f : proto_int(n->proto, "p", 2);
	int64_t dims[ONSRAM_MAX_RANK], weight[ONSRAM_MAX_RANK];
	uint32_t kernel[ONSRAM_MAX_SPATIAL], one[2] = { float_bits(1) };
	ir_value x = n->in[0];
	char formula[64];

	(void)func;
	if (lower_spatial(g, &x))
		return -1;
	if (!shape || shape->n_ints != x.view.rank - 2)
		return ir_fail(g, "kernel_shape does not have one element per spatial dimension");
	for (uint32_t d = 0; d < x.view.rank - 2; d++) {
		if (shape->ints[d] < 1 || shape->ints[d] > UINT16_MAX)
			return ir_fail(g, "kernel_shape[%u] is %lld, out of range", d, (long long)shape->ints[d]);
		kernel[d] = weight[2 + d] = shape->ints[d];
	}
	if (!(p >= 1 && p <= 1024))
		return ir_fail(g, "p is %g, out of range", p);
	dims[0] = x.view.dims[0];
	dims[1] = weight[0] = x.view.dims[1];
	weight[1] = 1;
	if (lower_window(g, n, &x, kernel, &op.attr, dims))
		return -1;
	/* A convolution has no ceil_mode: zeros stand for what the last window has beyond the padding. */
	for (uint32_t d = 0; d < x.view.rank - 2; d++) {
		int64_t end = (dims[d + 2] - 1) * op.attr.stride[d] + op.attr.dilation[d] * (kernel[d] - 1) + 1 -
			      op.attr.pad_begin[d] - x.view.dims[d + 2];

		if (end > UINT16_MAX)
			return ir_fail(g, "padding of dimension %u is out of range", d);
		if (end > op.attr.pad_end[d])
			op.attr.pad_end[d] = end;
	}
	op.attr.groups = x.view.dims[1];
	snprintf(formula, sizeof(formula), "x abs %.9g pow", p);
	if (lower_expression(g, n, p == 1 ? "x abs" : p == 2 ? "x x mul" : formula, &x, &op.operand[1]) ||
	    ir_filled_new(g, "ones", ONSRAM_DTYPE_F32, x.view.rank, weight, one, &op.operand[2]) ||
	    ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, x.view.rank, dims, &op.operand[0]) ||
	    ir_push(g, &op))
		return -1;
	x = op.operand[0];
	snprintf(formula, sizeof(formula), "x %.9g pow", 1 / p);
	if (p != 1 && lower_expression(g, n, p == 2 ? "x sqrt" : formula, &x, &x))
		return -1;
	return lower_bind(g, n, 0, &x);
}

static int lower_global_lp_pool(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *attr = proto_attr(n->proto, "p");
	double p = attr && attr->has_f ? attr->f : proto_int(n->proto, "p", 2);
	ir_value x = n->in[0];
	char before[48], behind[48];

	(void)func;
	if (lower_spatial(g, &x))
		return -1;
	if (!(p >= 1 && p <= 1024))
		return ir_fail(g, "p is %g, out of range", p);
	snprintf(before, sizeof(before), "x abs %.9g pow", p);
	snprintf(behind, sizeof(behind), "x %.9g pow", 1 / p);
	if (lower_expression(g, n, p == 1 ? "x abs" : p == 2 ? "x x mul" : before, &x, &x) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &x, ((1u << x.view.rank) - 1) & ~3u, &x) ||
	    (p != 1 && lower_expression(g, n, p == 2 ? "x sqrt" : behind, &x, &x)))
		return -1;
	return lower_bind(g, n, 0, &x);
}

const struct lower_rule lower_conv_rules[] = {
	RULE("AveragePool", 1, NOW, 1, 1, lower_pool, ONSRAM_POOL_AVG),
	RULE("Conv", 1, NOW, 2, 3, lower_conv, 0),
	RULE("GlobalAveragePool", 1, NOW, 1, 1, lower_global_pool, ONSRAM_POOL_AVG),
	RULE("GlobalLpPool", 1, NOW, 1, 1, lower_global_lp_pool, 0),
	RULE("GlobalMaxPool", 1, NOW, 1, 1, lower_global_pool, ONSRAM_POOL_MAX),
	RULE("LpPool", 1, NOW, 1, 1, lower_lp_pool, 0),
	RULE("MaxPool", 1, NOW, 1, 1, lower_pool, ONSRAM_POOL_MAX),
	{ 0 }
};
