// SPDX-License-Identifier: MIT
/* Elements around a tensor, or fewer of its own. */
#include <stdlib.h>
#include <string.h>

#include "lower.h"

/* The pads per dimension: one number before and one after each. */
static int pad_amounts(struct ir_graph *g, const struct ir_node *n, int64_t *begin, int64_t *end)
{
	uint32_t rank = n->in[0].view.rank;
	int64_t pads[2 * ONSRAM_MAX_RANK], axes[ONSRAM_MAX_RANK];
	int nr = lower_ints(g, n, "pads", 1, pads, 2 * ONSRAM_MAX_RANK);
	int nr_axes = lower_ints(g, n, NULL, 3, axes, ONSRAM_MAX_RANK);

	if (nr == -1 || nr_axes == -1)
		return -1;
	memset(begin, 0, rank * sizeof(*begin));
	memset(end, 0, rank * sizeof(*end));
	if (nr_axes < 0)
		nr_axes = rank;
	else if (nr_axes > (int)rank)
		return ir_fail(g, "axes has more elements than the input has dimensions");
	if (nr != 2 * nr_axes)
		return ir_fail(g, "pads does not have two elements per dimension");
	for (int i = 0; i < nr_axes; i++) {
		int axis = n->nr_in > 3 && n->in[3].view.dtype ? lower_axis(g, axes[i], rank) : i;
		int64_t limit = IR_MAX_ELEMENTS;

		if (axis < 0)
			return -1;
		begin[axis] = pads[i];
		end[axis] = pads[nr_axes + i];
		if (begin[axis] > limit || begin[axis] < -limit || end[axis] > limit || end[axis] < -limit)
			return ir_fail(g, "padding of dimension %d is out of range", axis);
	}
	return 0;
}

enum pad_mode { PAD_CONSTANT, PAD_EDGE, PAD_REFLECT, PAD_WRAP, PAD_MODES };

int lower_surround(struct ir_graph *g, const struct ir_node *n, const int64_t *begin, const int64_t *end,
		   const ir_value *value, ir_value *v)
{
	struct drm_onsram_op fill = { .opcode = ONSRAM_OP_COPY, .operand = { [1] = *value } };
	struct drm_onsram_op copy = { .opcode = ONSRAM_OP_COPY, .operand = { [1] = *v } };
	int64_t dims[ONSRAM_MAX_RANK];
	ir_value out;

	for (uint32_t d = 0; d < v->view.rank; d++)
		dims[d] = v->view.dims[d] + begin[d] + end[d];
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, v->view.dtype, v->view.rank, dims, &out))
		return -1;
	fill.operand[0] = copy.operand[0] = out;
	if (ir_is_uniform(g, value)) {
		fill = (struct drm_onsram_op){ .opcode = ONSRAM_OP_FILL, .operand = { out } };
		if (ir_uniform_bits(g, value, fill.attr.param))
			return -1;
	} else if (!view_broadcast(&value->view, out.view.rank, out.view.dims, out.view.rank, &fill.operand[1].view)) {
		return ir_fail(g, "the value to pad with is not one number");
	}
	for (uint32_t d = 0; d < v->view.rank; d++)
		if (lower_slice_view(g, &copy.operand[0], d, begin[d], begin[d] + v->view.dims[d], 1))
			return -1;
	if (ir_push(g, &fill) || ir_push(g, &copy))
		return -1;
	*v = out;
	return 0;
}

/* Where element @i, which lies beyond one of the ends of @extent elements, comes from. */
static int64_t mirrored(int64_t i, int64_t extent, enum pad_mode mode)
{
	int64_t period = 2 * (extent - 1);

	switch (mode) {
	case PAD_EDGE:
		return i < 0 ? 0 : i >= extent ? extent - 1 : i;
	case PAD_WRAP:
		return (i % extent + extent) % extent;
	case PAD_REFLECT:
		if (!period)
			return 0;
		i = (i % period + period) % period;
		return i < extent ? i : period - i;
	default:
		break;
	}
	return i;
}

/* Dimension @axis of @v, longer by elements of its own. */
static int extend(struct ir_graph *g, const struct ir_node *n, uint32_t axis, int64_t begin, int64_t end,
		  enum pad_mode mode, ir_value *v)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER, .attr.axis = axis, .operand = { [1] = *v } };
	int64_t extent = v->view.dims[axis], nr = begin + extent + end, dims[ONSRAM_MAX_RANK], *from;

	if (!begin && !end)
		return 0;
	if (!extent || !ir_may_fold(g, nr))
		return ir_fail(g, "dimension %u would have %lld elements", axis, (long long)nr);
	from = malloc(nr * sizeof(*from));
	if (!from)
		return ir_nomem(g);
	for (int64_t i = 0; i < nr; i++)
		from[i] = mirrored(i - begin, extent, mode);
	for (uint32_t d = 0; d < v->view.rank; d++)
		dims[d] = d == axis ? nr : v->view.dims[d];
	if (ir_const_new(g, "rows", ONSRAM_DTYPE_I64, 1, &nr, from, &op.operand[2]) ||
	    ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, v->view.dtype, v->view.rank, dims, v))
		return -1;
	op.operand[0] = *v;
	return ir_push(g, &op);
}

static int pad(struct ir_graph *g, const struct ir_node *n, int64_t *begin, int64_t *end, enum pad_mode mode,
	       const ir_value *value)
{
	ir_value x = n->in[0];
	bool grows = false;

	/* A negative pad removes elements. */
	for (uint32_t d = 0; d < x.view.rank; d++) {
		int64_t from = begin[d] < 0 ? -begin[d] : 0, to = x.view.dims[d] + (end[d] < 0 ? end[d] : 0);

		if (from > to)
			return ir_fail(g, "padding removes more than dimension %u has", d);
		if (lower_slice_view(g, &x, d, from, to, 1))
			return -1;
		begin[d] = begin[d] < 0 ? 0 : begin[d];
		end[d] = end[d] < 0 ? 0 : end[d];
		grows = grows || begin[d] || end[d];
		if (mode != PAD_CONSTANT && extend(g, n, d, begin[d], end[d], mode, &x))
			return -1;
	}
	if (grows && mode == PAD_CONSTANT && lower_surround(g, n, begin, end, value, &x))
		return -1;
	return lower_bind(g, n, 0, &x);
}

static int lower_pad(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	static const char *const modes[] = { "constant", "edge", "reflect", "wrap" };
	int64_t begin[ONSRAM_MAX_RANK], end[ONSRAM_MAX_RANK];
	ir_value value = n->in[2];
	uint32_t mode = 0;

	(void)func;
	while (mode < PAD_MODES && !proto_is(n->proto, "mode", "constant", modes[mode]))
		mode++;
	if (mode == PAD_MODES)
		return ir_fail(g, "mode has an unknown value");
	if (pad_amounts(g, n, begin, end))
		return -1;
	if (!value.view.dtype && lower_scalar(g, n->in[0].view.dtype, proto_float(n->proto, "value", 0), &value))
		return -1;
	if (value.view.dtype != n->in[0].view.dtype || view_count(&value.view) != 1)
		return ir_fail(g, "the value to pad with is not one number of the input's type");
	value.view.rank = 0;
	return pad(g, n, begin, end, mode, &value);
}

/* Dimensions cut or padded with 0 on both sides alike. */
static int lower_center_crop_pad(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *attr = proto_attr(n->proto, "axes");
	int64_t begin[ONSRAM_MAX_RANK] = { 0 }, end[ONSRAM_MAX_RANK] = { 0 }, shape[ONSRAM_MAX_RANK];
	uint32_t rank = n->in[0].view.rank;
	int nr = ir_ints(g, &n->in[1], "shape", shape, ONSRAM_MAX_RANK);
	ir_value zero;

	(void)func;
	if (nr < 0)
		return -1;
	if ((uint32_t)nr != (attr ? attr->n_ints : rank))
		return ir_fail(g, "shape does not have one element per axis");
	for (int i = 0; i < nr; i++) {
		int axis = lower_axis(g, attr ? attr->ints[i] : i, rank);
		int64_t more;

		if (axis < 0)
			return -1;
		if (shape[i] < 0 || shape[i] > IR_MAX_ELEMENTS)
			return ir_fail(g, "dimension %d would be %lld, out of range", axis, (long long)shape[i]);
		more = shape[i] - n->in[0].view.dims[axis];
		begin[axis] = more > 0 ? more / 2 : -(-more / 2);
		end[axis] = more - begin[axis];
	}
	if (lower_scalar(g, n->in[0].view.dtype, 0, &zero))
		return -1;
	return pad(g, n, begin, end, PAD_CONSTANT, &zero);
}

const struct lower_rule lower_pad_rules[] = {
	RULE("CenterCropPad", 18, NOW, 2, 2, lower_center_crop_pad, 0),
	RULE("Pad", 1, NOW, 1, 4, lower_pad, 0),
	{ 0 }
};
