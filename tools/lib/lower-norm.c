// SPDX-License-Identifier: MIT
/* Normalisation. */
#include <stdio.h>

#include "lower.h"

int lower_channels(struct ir_graph *g, const ir_value *v, const char *what, uint32_t channels)
{
	if (lower_float(g, v, what))
		return -1;
	if (v->view.rank != 1 || v->view.dims[0] != channels)
		return ir_fail(g, "%s is not a vector of %u elements, one per channel", what, channels);
	return 0;
}

/* Emit NORM @op over input 0, which keeps its shape. */
static int norm(struct ir_graph *g, const struct ir_node *n, struct drm_onsram_op *op)
{
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK];

	for (uint32_t d = 0; d < x->view.rank; d++)
		dims[d] = x->view.dims[d];
	op->opcode = ONSRAM_OP_NORM;
	op->operand[1] = *x;
	if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, x->view.rank, dims, &op->operand[0]))
		return -1;
	return ir_push(g, op);
}

static int need_channel_dim(struct ir_graph *g, const ir_value *x)
{
	if (lower_float(g, x, "input"))
		return -1;
	if (x->view.rank < 2)
		return ir_fail(g, "input has %u dimensions, no channels", x->view.rank);
	return 0;
}

/* Mean and variance of the batch, of every channel, and the running ones that are outputs 1 and 2. */
static int train_batch_norm(struct ir_graph *g, const struct ir_node *n, struct drm_onsram_op *op)
{
	uint32_t mask = ((1u << n->in[0].view.rank) - 1) & ~2u;
	int64_t flat = n->in[0].view.dims[1];
	ir_value in[2] = { n->in[0] }, mean, variance, running;
	char formula[64];

	snprintf(formula, sizeof(formula), "x %.9g mul y %.9g mul add", proto_float(n->proto, "momentum", 0.9f),
		 1 - proto_float(n->proto, "momentum", 0.9f));
	if (lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, &in[0], mask, &in[1]) ||
	    lower_expression(g, n, "x y sub x y sub mul", in, &variance) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, &variance, mask, &variance) ||
	    ir_reshape(g, &in[1], 1, &flat, &mean) || ir_reshape(g, &variance, 1, &flat, &variance))
		return -1;
	if (lower_expression(g, n, formula, (ir_value[]){ n->in[3], mean }, &running) || lower_bind(g, n, 1, &running) ||
	    lower_expression(g, n, formula, (ir_value[]){ n->in[4], variance }, &running) || lower_bind(g, n, 2, &running))
		return -1;
	op->operand[4] = mean;
	op->operand[5] = variance;
	return 0;
}

static int lower_batch_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	static const char *const names[] = { "input", "scale", "bias", "mean", "variance" };
	struct drm_onsram_op op = { .attr.func = func };

	if (need_channel_dim(g, &n->in[0]))
		return -1;
	/* Sets before 7 tell inference by is_test, set 14 and later training by training_mode. */
	if (g->opset < 7 && !proto_int(n->proto, "is_test", 0))
		return ir_fail(g, "training mode is not supported");
	if (!proto_int(n->proto, "spatial", 1))
		return ir_fail(g, "spatial = 0 is not supported");
	for (int i = 1; i < 5; i++) {
		if (lower_channels(g, &n->in[i], names[i], n->in[0].view.dims[1]))
			return -1;
		op.operand[1 + i] = n->in[i];
	}
	op.attr.param[0] = float_bits(proto_float(n->proto, "epsilon", 1e-5f));
	if (proto_int(n->proto, "training_mode", 0) && train_batch_norm(g, n, &op))
		return -1;
	return norm(g, n, &op);
}

static int lower_lrn(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .attr.func = func };
	int64_t size = proto_int(n->proto, "size", 0);

	if (need_channel_dim(g, &n->in[0]))
		return -1;
	if (size < 1 || size > UINT16_MAX)
		return ir_fail(g, "size %lld is out of range", (long long)size);
	op.attr.kernel[0] = size;
	op.attr.param[0] = float_bits(proto_float(n->proto, "alpha", 1e-4f));
	op.attr.param[1] = float_bits(proto_float(n->proto, "beta", 0.75f));
	op.attr.param[2] = float_bits(proto_float(n->proto, "bias", 1.0f));
	return norm(g, n, &op);
}

static int lower_instance_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .attr.func = func };
	uint32_t channels;

	if (need_channel_dim(g, &n->in[0]))
		return -1;
	channels = n->in[0].view.dims[1];
	if (lower_channels(g, &n->in[1], "scale", channels) || lower_channels(g, &n->in[2], "bias", channels))
		return -1;
	op.operand[2] = n->in[1];
	op.operand[3] = n->in[2];
	op.attr.groups = channels;
	op.attr.param[0] = float_bits(proto_float(n->proto, "epsilon", 1e-5f));
	return norm(g, n, &op);
}

/* @v from dimension @axis of @x on, broadcast. */
static int fit_scale(struct ir_graph *g, const ir_value *x, int axis, const ir_value *v, const char *what, ir_value *out)
{
	uint32_t rank = x->view.rank - axis;

	if (lower_float(g, v, what))
		return -1;
	*out = *v;
	if (v->view.rank > rank || !view_broadcast(&v->view, rank, x->view.dims + axis, rank - v->view.rank, &out->view))
		return ir_fail(g, "%s does not have the shape of the normalised dimensions", what);
	return 0;
}

/* @formula, which has room for the node's epsilon, of @v. */
static int with_epsilon(struct ir_graph *g, const struct ir_node *n, const char *formula, const ir_value *v, ir_value *out)
{
	char text[64];

	snprintf(text, sizeof(text), formula, proto_float(n->proto, "epsilon", 1e-5f));
	return lower_expression(g, n, text, v, out);
}

/* Mean and inverse deviation of @x over the dimensions in @mask, as far as the node has these outputs. */
static int layer_statistics(struct ir_graph *g, const struct ir_node *n, const ir_value *x, uint32_t mask)
{
	ir_value in[2] = { *x }, deviation;

	if (n->proto->n_output < 2)
		return 0;
	if (lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, x, mask, &in[1]) || lower_bind(g, n, 1, &in[1]) ||
	    lower_expression(g, n, "x y sub x y sub mul", in, &deviation) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, &deviation, mask, &deviation) ||
	    with_epsilon(g, n, "x %.9g add sqrt reciprocal", &deviation, &deviation))
		return -1;
	return lower_bind(g, n, 2, &deviation);
}

static int lower_layer_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_NORM, .attr.func = func };
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK], row[2] = { 1 };
	uint32_t mask = 0;
	ir_value out;
	int axis;

	if (lower_float(g, x, "input"))
		return -1;
	axis = lower_axis(g, proto_int(n->proto, "axis", -1), x->view.rank);
	if (axis < 0 || fit_scale(g, x, axis, &n->in[1], "scale", &op.operand[2]) ||
	    (n->in[2].view.dtype && fit_scale(g, x, axis, &n->in[2], "bias", &op.operand[3])))
		return -1;
	for (uint32_t d = 0; d < x->view.rank; d++) {
		dims[d] = x->view.dims[d];
		mask |= (int)d >= axis ? 1u << d : 0;
	}
	op.attr.axis = axis;
	op.attr.param[0] = float_bits(proto_float(n->proto, "epsilon", 1e-5f));
	op.operand[1] = *x;
	/* The device's rows have a dimension before them. */
	if (x->view.rank == 1) {
		row[1] = dims[0];
		op.attr.axis = 1;
		if (ir_reshape(g, x, 2, row, &op.operand[1]))
			return -1;
	}
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, op.operand[1].view.rank,
			  x->view.rank == 1 ? row : dims, &op.operand[0]) ||
	    ir_push(g, &op) || ir_reshape(g, &op.operand[0], x->view.rank, dims, &out) || lower_bind(g, n, 0, &out))
		return -1;
	return layer_statistics(g, n, x, mask);
}

static int lower_rms_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value in[3] = { n->in[0] }, out;
	uint32_t mask = 0;
	int axis;

	(void)func;
	if (lower_float(g, &in[0], "input"))
		return -1;
	axis = lower_axis(g, proto_int(n->proto, "axis", -1), in[0].view.rank);
	if (axis < 0 || fit_scale(g, &in[0], axis, &n->in[1], "scale", &in[2]))
		return -1;
	for (uint32_t d = axis; d < in[0].view.rank; d++)
		mask |= 1u << d;
	if (lower_expression(g, n, "x x mul", in, &in[1]) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, &in[1], mask, &in[1]) ||
	    with_epsilon(g, n, "x %.9g add sqrt", &in[1], &in[1]) ||
	    lower_expression(g, n, "x y div z mul", in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* A value per group as one per channel. */
static int per_channel(struct ir_graph *g, const ir_value *v, uint32_t groups, uint32_t channels, ir_value *out)
{
	int64_t flat = channels;
	ir_value wide = *v;

	if (v->view.rank != 1 || v->view.dims[0] != groups || groups == channels) {
		*out = *v;
		return 0;
	}
	wide.view.rank = 2;
	wide.view.dims[1] = channels / groups;
	wide.view.strides[1] = 0;
	return ir_reshape(g, &wide, 1, &flat, out);
}

static int lower_group_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .attr.func = func };
	int64_t groups = proto_int(n->proto, "num_groups", 0);
	uint32_t channels;

	if (need_channel_dim(g, &n->in[0]))
		return -1;
	channels = n->in[0].view.dims[1];
	if (groups < 1 || groups > channels || channels % groups)
		return ir_fail(g, "num_groups %lld does not divide %u channels", (long long)groups, channels);
	/* Before set 21, scale and bias have an element per group. */
	for (int i = 1; i < 3; i++)
		if (per_channel(g, &n->in[i], groups, channels, &op.operand[1 + i]) ||
		    lower_channels(g, &op.operand[1 + i], i == 1 ? "scale" : "bias", channels))
			return -1;
	op.attr.groups = groups;
	op.attr.param[0] = float_bits(proto_float(n->proto, "epsilon", 1e-5f));
	return norm(g, n, &op);
}

static int lower_mean_variance_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t axes[ONSRAM_MAX_RANK] = { 0, 2, 3 };
	ir_value in[2] = { n->in[0] }, deviation;
	int nr = lower_ints(g, n, "axes", UINT32_MAX, axes, ONSRAM_MAX_RANK);
	uint32_t mask = 0;

	(void)func;
	if (nr == -1 || lower_float(g, &in[0], "input"))
		return -1;
	for (int i = 0; i < (nr < 0 ? 3 : nr); i++) {
		int axis = lower_axis(g, axes[i], in[0].view.rank);

		if (axis < 0)
			return -1;
		mask |= 1u << axis;
	}
	if (lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, &in[0], mask, &in[1]) ||
	    lower_expression(g, n, "x y sub", in, &in[0]) || lower_expression(g, n, "x x mul", in, &deviation) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_MEAN, &deviation, mask, &in[1]) ||
	    lower_expression(g, n, "x y sqrt 1e-9 add div", in, &in[0]))
		return -1;
	return lower_bind(g, n, 0, &in[0]);
}

static int lower_lp_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t p = proto_int(n->proto, "p", 2);
	ir_value in[2] = { n->in[0] };
	int axis;

	(void)func;
	if (lower_float(g, &in[0], "input"))
		return -1;
	axis = lower_axis(g, proto_int(n->proto, "axis", -1), in[0].view.rank);
	if (axis < 0)
		return -1;
	if (p != 1 && p != 2)
		return ir_fail(g, "p is %lld; 1 and 2 are supported", (long long)p);
	if (lower_expression(g, n, p == 1 ? "x abs" : "x x mul", in, &in[1]) ||
	    lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &in[1], 1u << axis, &in[1]) ||
	    lower_expression(g, n, p == 1 ? "x y div" : "x y sqrt div", in, &in[0]))
		return -1;
	return lower_bind(g, n, 0, &in[0]);
}

const struct lower_rule lower_norm_rules[] = {
	RULE("BatchNormalization", 1, NOW, 5, 5, lower_batch_norm, ONSRAM_NORM_BATCH),
	RULE("GroupNormalization", 18, NOW, 3, 3, lower_group_norm, ONSRAM_NORM_GROUP),
	RULE("InstanceNormalization", 1, NOW, 3, 3, lower_instance_norm, ONSRAM_NORM_GROUP),
	RULE("LRN", 1, NOW, 1, 1, lower_lrn, ONSRAM_NORM_LRN),
	RULE("LayerNormalization", 17, NOW, 2, 3, lower_layer_norm, ONSRAM_NORM_LAYER),
	RULE("LpNormalization", 1, NOW, 1, 1, lower_lp_norm, 0),
	RULE("MeanVarianceNormalization", 9, NOW, 1, 1, lower_mean_variance_norm, 0),
	RULE("RMSNormalization", 23, NOW, 2, 2, lower_rms_norm, 0),
	{ 0 }
};
