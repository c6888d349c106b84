// SPDX-License-Identifier: MIT
/*
 * Operators that only move or rename elements.  They become views wherever
 * strides can say it, so that nothing is copied.
 */
#include <stdlib.h>
#include <string.h>

#include "lower.h"

static int lower_alias(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	(void)func;
	return lower_bind(g, n, 0, &n->in[0]);
}

/* A constant scalar of bool or float, 0 where it is not given. Return: 0 or -1 */
static int setting(struct ir_graph *g, const ir_value *v, const char *what, uint32_t dtype, float *out)
{
	void *data;

	if (!v->view.dtype)
		return 0;
	if (ir_need_const(g, v, what))
		return -1;
	if (v->view.dtype != dtype || view_count(&v->view) != 1)
		return ir_fail(g, "%s is not one %s", what, view_dtype_name(dtype));
	data = ir_const_read(g, v);
	if (!data)
		return -1;
	*out = dtype == ONSRAM_DTYPE_BOOL ? *(uint8_t *)data : *(float *)data;
	free(data);
	return 0;
}

/* In training, too, nothing is dropped at a ratio of 0; the mask tells what is kept: all. */
static int lower_dropout(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	float ratio = 0.5f, training = 0;
	uint32_t fill[2] = { 1 }, dtype = g->opset < 10 ? x->view.dtype : (uint32_t)ONSRAM_DTYPE_BOOL;
	int64_t dims[ONSRAM_MAX_RANK];
	ir_value mask;

	(void)func;
	if (setting(g, &n->in[2], "training_mode", ONSRAM_DTYPE_BOOL, &training) ||
	    (training && setting(g, &n->in[1], "ratio", ONSRAM_DTYPE_F32, &ratio)))
		return -1;
	if (training && ratio)
		return ir_fail(g, "training mode is not supported: its numbers are random");
	for (uint32_t d = 0; d < x->view.rank; d++)
		dims[d] = x->view.dims[d];
	if (dtype == ONSRAM_DTYPE_F32)
		fill[0] = float_bits(1);
	if (ir_filled_new(g, "mask", dtype, x->view.rank, dims, fill, &mask) || lower_bind(g, n, 1, &mask))
		return -1;
	return lower_bind(g, n, 0, x);
}

static int reshaped(struct ir_graph *g, const struct ir_node *n, uint32_t rank, const int64_t *dims)
{
	ir_value out;

	if (ir_reshape(g, &n->in[0], rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_reshape(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK];
	uint64_t known = 1, count = view_count(&x->view);
	int rank, open = -1;

	(void)func;
	rank = lower_ints(g, n, "shape", 1, dims, ONSRAM_MAX_RANK);
	if (rank == -2)
		return ir_fail(g, "shape is missing");
	for (int d = 0; d < rank; d++) {
		if (!dims[d] && !proto_int(n->proto, "allowzero", 0)) {
			if (d >= (int)x->view.rank)
				return ir_fail(g, "dimension %d of the shape copies one that the input does not have", d);
			dims[d] = x->view.dims[d];
		}
		if (dims[d] == -1 && open < 0) {
			open = d;
			continue;
		}
		if (dims[d] < 0 || (uint64_t)dims[d] > IR_MAX_ELEMENTS || known * dims[d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "dimension %d of the shape is %lld, out of range", d, (long long)dims[d]);
		known *= dims[d];
	}
	if (rank < 0)
		return -1;
	if (open >= 0) {
		if (!known || count % known)
			return ir_fail(g, "cannot reshape %llu elements into rows of %llu",
				       (unsigned long long)count, (unsigned long long)known);
		dims[open] = count / known;
	}
	return reshaped(g, n, rank, dims);
}

static int lower_flatten(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int64_t axis = proto_int(n->proto, "axis", 1), dims[2] = { 1, 1 };

	(void)func;
	if (axis < 0)
		axis += x->view.rank;
	if (axis < 0 || axis > x->view.rank)
		return ir_fail(g, "axis %lld is out of range for %u dimensions", (long long)axis, x->view.rank);
	for (uint32_t d = 0; d < x->view.rank; d++)
		dims[d >= axis] *= x->view.dims[d];
	return reshaped(g, n, 2, dims);
}

/* Axes as a bit mask. Return: 0 or -1; @given is false where the node names none */
static int axes_mask(struct ir_graph *g, const struct ir_node *n, uint32_t rank, uint32_t *mask, bool *given)
{
	int64_t axes[ONSRAM_MAX_RANK];
	int nr = lower_ints(g, n, "axes", 1, axes, ONSRAM_MAX_RANK);

	*mask = 0;
	*given = nr != -2;
	if (nr == -1)
		return -1;
	for (int i = 0; i < nr; i++) {
		int axis = lower_axis(g, axes[i], rank);

		if (axis < 0)
			return -1;
		if (*mask & (1u << axis))
			return ir_fail(g, "axis %d is named twice", axis);
		*mask |= 1u << axis;
	}
	return 0;
}

static int lower_unsqueeze(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int64_t axes[ONSRAM_MAX_RANK], dims[ONSRAM_MAX_RANK];
	uint32_t mask, rank, from = 0;
	bool given;
	int nr;

	(void)func;
	nr = lower_ints(g, n, "axes", 1, axes, ONSRAM_MAX_RANK);
	if (nr == -2)
		return ir_fail(g, "axes are missing");
	if (nr < 0)
		return -1;
	rank = x->view.rank + nr;
	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "output has %u dimensions; at most %d are supported", rank, ONSRAM_MAX_RANK);
	if (axes_mask(g, n, rank, &mask, &given))
		return -1;
	for (uint32_t d = 0; d < rank; d++)
		dims[d] = mask & (1u << d) ? 1 : x->view.dims[from++];
	return reshaped(g, n, rank, dims);
}

static int lower_squeeze(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t mask, rank = 0;
	bool given;

	(void)func;
	if (axes_mask(g, n, x->view.rank, &mask, &given))
		return -1;
	for (uint32_t d = 0; d < x->view.rank; d++) {
		bool drop = given ? mask & (1u << d) : x->view.dims[d] == 1;

		if (drop && x->view.dims[d] != 1)
			return ir_fail(g, "dimension %u is %u, not 1", d, x->view.dims[d]);
		if (!drop)
			dims[rank++] = x->view.dims[d];
	}
	return reshaped(g, n, rank, dims);
}

static int lower_transpose(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *perm = proto_attr(n->proto, "perm");
	const ir_value *x = &n->in[0];
	uint32_t rank = x->view.rank, seen = 0;
	ir_value out = *x;

	(void)func;
	if (perm && perm->n_ints && perm->n_ints != rank)
		return ir_fail(g, "perm has %zu elements, input %u dimensions", perm->n_ints, rank);
	for (uint32_t d = 0; d < rank; d++) {
		int64_t from = perm && perm->n_ints ? perm->ints[d] : rank - 1 - d;

		if (from < 0 || from >= rank || seen & (1u << from))
			return ir_fail(g, "perm is not a permutation of %u dimensions", rank);
		seen |= 1u << from;
		out.view.dims[d] = x->view.dims[from];
		out.view.strides[d] = x->view.strides[from];
	}
	return lower_bind(g, n, 0, &out);
}

int lower_slice_view(struct ir_graph *g, ir_value *v, uint32_t axis, int64_t start, int64_t end, int64_t step)
{
	int64_t dim = v->view.dims[axis], last = step > 0 ? dim : dim - 1, first = step > 0 ? 0 : -1;
	int64_t stride, nr = 0;

	if (!step || step <= INT32_MIN || step > INT32_MAX)
		return ir_fail(g, "step %lld is out of range", (long long)step);
	if (start < 0)
		start = start < -dim ? -1 - dim : start;
	if (start < 0)
		start += dim;
	if (end < 0)
		end = end < -dim ? -1 - dim : end;
	if (end < 0)
		end += dim;
	start = start < 0 ? 0 : start > last ? last : start;
	end = end < first ? first : end > dim ? dim : end;
	if (step > 0 && start < end)
		nr = (end - start + step - 1) / step;
	else if (step < 0 && start > end)
		nr = (start - end - step - 1) / -step;
	stride = v->view.strides[axis] * step;
	if (nr > 1 && (stride > INT32_MAX || stride < INT32_MIN))
		return ir_fail(g, "step %lld is out of range", (long long)step);
	if (nr)
		v->offset += start * v->view.strides[axis];
	v->view.dims[axis] = nr;
	v->view.strides[axis] = nr > 1 ? stride : 0;
	return 0;
}

static int lower_slice(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t starts[ONSRAM_MAX_RANK], ends[ONSRAM_MAX_RANK], axes[ONSRAM_MAX_RANK], steps[ONSRAM_MAX_RANK];
	int nr = lower_ints(g, n, "starts", 1, starts, ONSRAM_MAX_RANK);
	int nr_ends = lower_ints(g, n, "ends", 2, ends, ONSRAM_MAX_RANK);
	int nr_axes = lower_ints(g, n, "axes", 3, axes, ONSRAM_MAX_RANK);
	int nr_steps = lower_ints(g, n, "steps", 4, steps, ONSRAM_MAX_RANK);
	ir_value out = n->in[0];

	(void)func;
	if (nr == -1 || nr_ends == -1 || nr_axes == -1 || nr_steps == -1)
		return -1;
	if (nr < 0 || nr_ends != nr || (nr_axes >= 0 && nr_axes != nr) || (nr_steps >= 0 && nr_steps != nr))
		return ir_fail(g, "starts, ends, axes and steps do not have the same number of elements");
	for (int i = 0; i < nr; i++) {
		int axis = lower_axis(g, nr_axes >= 0 ? axes[i] : i, out.view.rank);

		if (axis < 0 || lower_slice_view(g, &out, axis, starts[i], ends[i], nr_steps >= 0 ? steps[i] : 1))
			return -1;
	}
	return lower_bind(g, n, 0, &out);
}

static int lower_split(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int axis = lower_axis(g, proto_int(n->proto, "axis", 0), x->view.rank);
	uint32_t parts = n->proto->n_output;
	int64_t sizes[64], at = 0, each;
	int nr = lower_ints(g, n, "split", 1, sizes, 64);

	(void)func;
	if (axis < 0 || nr == -1)
		return -1;
	if (nr >= 0 && nr != (int)parts)
		return ir_fail(g, "split has %d elements, the node %u outputs", nr, parts);
	each = (x->view.dims[axis] + (int64_t)parts - 1) / parts;
	for (uint32_t i = 0; i < parts; i++) {
		int64_t left = x->view.dims[axis] - at, size = nr >= 0 ? sizes[i] : left < each ? left : each;
		ir_value out = *x;

		if (size < 0 || size > left)
			return ir_fail(g, "part %u of %lld elements does not fit in the %lld left", i,
				       (long long)size, (long long)left);
		if (lower_slice_view(g, &out, axis, at, at + size, 1) || lower_bind(g, n, i, &out))
			return -1;
		at += size;
	}
	if (at != x->view.dims[axis])
		return ir_fail(g, "the parts have %lld elements together, the dimension %u", (long long)at,
			       x->view.dims[axis]);
	return 0;
}

static int lower_expand(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t extents[ONSRAM_MAX_RANK];
	ir_value to = { .view.dtype = x->view.dtype }, out = *x;
	const ir_value *const both[] = { x, &to };
	int rank = ir_ints(g, &n->in[1], "shape", dims, ONSRAM_MAX_RANK);
	uint64_t count = 1;

	(void)func;
	if (rank < 0)
		return -1;
	to.view.rank = rank;
	for (int d = 0; d < rank; d++) {
		if (dims[d] < 1 || (uint64_t)dims[d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "dimension %d of the shape is %lld, out of range", d, (long long)dims[d]);
		to.view.dims[d] = dims[d];
	}
	rank = lower_broadcast(g, both, 2, dims);
	for (int d = 0; d < rank; d++) {
		extents[d] = dims[d];
		count *= dims[d];
		if (count > IR_MAX_ELEMENTS)
			return ir_fail(g, "output has more than %u elements", IR_MAX_ELEMENTS);
	}
	if (rank < 0)
		return -1;
	if (!view_broadcast(&x->view, rank, extents, rank - x->view.rank, &out.view))
		return ir_fail(g, "input does not broadcast to the shape");
	return lower_bind(g, n, 0, &out);
}

static int lower_concat(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0];
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY };
	const Onnx__AttributeProto *attr = proto_attr(n->proto, "axis");
	int64_t dims[ONSRAM_MAX_RANK], at = 0;
	ir_value out;
	int axis;

	(void)func;
	if (!attr && g->opset >= 4)
		return ir_fail(g, "axis is missing");
	axis = lower_axis(g, attr ? attr->i : 1, x->view.rank);
	if (axis < 0)
		return -1;
	if (n->nr_in == 1)
		return lower_bind(g, n, 0, x);
	for (uint32_t d = 0; d < x->view.rank; d++)
		dims[d] = x->view.dims[d];
	for (uint32_t i = 1; i < n->nr_in; i++) {
		const struct onsram_view *v = &n->in[i].view;

		if (!v->dtype)
			return ir_fail(g, "input %u is missing", i);
		if (v->dtype != x->view.dtype || v->rank != x->view.rank)
			return ir_fail(g, "input %u has another type or number of dimensions than input 0", i);
		for (uint32_t d = 0; d < v->rank; d++)
			if (d != (uint32_t)axis && v->dims[d] != x->view.dims[d])
				return ir_fail(g, "dimension %u is %u in input %u and %u in input 0", d,
					       v->dims[d], i, x->view.dims[d]);
		dims[axis] += v->dims[axis];
	}
	if (lower_new(g, n, 0, x->view.dtype, x->view.rank, dims, &out))
		return -1;
	for (uint32_t i = 0; i < n->nr_in; i++) {
		op.operand[1] = n->in[i];
		op.operand[0] = out;
		if (lower_slice_view(g, &op.operand[0], axis, at, at + n->in[i].view.dims[axis], 1) || ir_push(g, &op))
			return -1;
		at += n->in[i].view.dims[axis];
	}
	return 0;
}

const struct lower_rule lower_layout_rules[] = {
	RULE("Concat", 1, NOW, 1, LOWER_MANY, lower_concat, 0),
	RULE("Dropout", 1, NOW, 1, 3, lower_dropout, 0),
	RULE("Expand", 8, NOW, 2, 2, lower_expand, 0),
	RULE("Flatten", 1, NOW, 1, 1, lower_flatten, 0),
	RULE("Identity", 1, NOW, 1, 1, lower_alias, 0),
	RULE("Reshape", 1, NOW, 1, 2, lower_reshape, 0),
	RULE("Slice", 1, NOW, 1, 5, lower_slice, 0),
	RULE("Split", 1, NOW, 1, 2, lower_split, 0),
	RULE("Squeeze", 1, NOW, 1, 2, lower_squeeze, 0),
	RULE("Transpose", 1, NOW, 1, 1, lower_transpose, 0),
	RULE("Unsqueeze", 1, NOW, 1, 2, lower_unsqueeze, 0),
	{ 0 }
};
