// SPDX-License-Identifier: MIT
/* Constants, shapes, indices and conversions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

/* A constant whose contents are at @data, copied. */
static int constant(struct ir_graph *g, const struct ir_node *n, uint32_t dtype, uint32_t rank,
		    const int64_t *dims, const void *data, size_t bytes)
{
	void *copy = malloc(bytes ? bytes : 1);
	ir_value v;

	if (!copy)
		return ir_nomem(g);
	if (bytes)
		memcpy(copy, data, bytes);
	if (ir_const_new(g, n->proto->output[0], dtype, rank, dims, copy, &v))
		return -1;
	return lower_bind(g, n, 0, &v);
}

/* Contents of a tensor attribute, floats as F32. */
static int attribute_tensor(struct ir_graph *g, const Onnx__TensorProto *t, struct onsram_array *a)
{
	char *err = NULL;

	if (proto_tensor(t, a, &err)) {
		ir_fail(g, "%s", err ? err : "out of memory");
		free(err);
		return -1;
	}
	if (a->dtype == ONSRAM_DTYPE_F16 && onsram_array_convert(a, ONSRAM_DTYPE_F32)) {
		onsram_array_release(a);
		return ir_nomem(g);
	}
	return 0;
}

static int lower_constant(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *a;
	int64_t dims[ONSRAM_MAX_RANK];
	struct onsram_array array;
	int ret;

	(void)func;
	a = proto_attr(n->proto, "value");
	if (a && a->t) {
		if (attribute_tensor(g, a->t, &array))
			return -1;
		for (uint32_t d = 0; d < array.rank; d++)
			dims[d] = array.dims[d];
		ret = constant(g, n, array.dtype, array.rank, dims, array.data, array.bytes);
		onsram_array_release(&array);
		return ret;
	}
	a = proto_attr(n->proto, "value_float");
	if (a)
		return constant(g, n, ONSRAM_DTYPE_F32, 0, NULL, &a->f, sizeof(a->f));
	a = proto_attr(n->proto, "value_int");
	if (a)
		return constant(g, n, ONSRAM_DTYPE_I64, 0, NULL, &a->i, sizeof(a->i));
	a = proto_attr(n->proto, "value_floats");
	if (a) {
		dims[0] = a->n_floats;
		return constant(g, n, ONSRAM_DTYPE_F32, 1, dims, a->floats, a->n_floats * sizeof(*a->floats));
	}
	a = proto_attr(n->proto, "value_ints");
	if (a) {
		dims[0] = a->n_ints;
		return constant(g, n, ONSRAM_DTYPE_I64, 1, dims, a->ints, a->n_ints * sizeof(*a->ints));
	}
	return ir_fail(g, "has no value of a supported kind");
}

static int lower_constant_of_shape(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *value = proto_attr(n->proto, "value");
	uint32_t dtype = ONSRAM_DTYPE_F32, fill[2] = { 0 };
	int64_t dims[ONSRAM_MAX_RANK];
	struct onsram_array array;
	ir_value v;
	int rank;

	(void)func;
	rank = ir_ints(g, &n->in[0], "shape", dims, ONSRAM_MAX_RANK);
	if (rank < 0)
		return -1;
	if (value && value->t) {
		if (attribute_tensor(g, value->t, &array))
			return -1;
		dtype = array.dtype;
		if (array.bytes == view_dtype_size(dtype))
			memcpy(fill, array.data, array.bytes);
		else
			ir_fail(g, "value does not have exactly one element");
		onsram_array_release(&array);
		if (g->err)
			return -1;
	}
	if (ir_filled_new(g, n->proto->output[0], dtype, rank, dims, fill, &v))
		return -1;
	return lower_bind(g, n, 0, &v);
}

static int lower_shape(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t rank = n->in[0].view.rank, start = proto_int(n->proto, "start", 0);
	int64_t end = proto_int(n->proto, "end", rank), dims[ONSRAM_MAX_RANK], nr = 0;

	(void)func;
	if (start < 0)
		start = start < -rank ? 0 : start + rank;
	if (end < 0)
		end = end < -rank ? 0 : end + rank;
	for (int64_t d = start; d < end && d < rank; d++)
		dims[nr++] = n->in[0].view.dims[d];
	return constant(g, n, ONSRAM_DTYPE_I64, 1, &nr, dims, nr * sizeof(*dims));
}

void lower_pick_view(ir_value *v, uint32_t axis, int64_t index)
{
	v->offset += index * v->view.strides[axis];
	v->view.rank--;
	for (uint32_t d = axis; d < v->view.rank; d++) {
		v->view.dims[d] = v->view.dims[d + 1];
		v->view.strides[d] = v->view.strides[d + 1];
	}
	v->view.dims[v->view.rank] = 0;
	v->view.strides[v->view.rank] = 0;
}

static int lower_gather(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER };
	const ir_value *data = &n->in[0], *indices = &n->in[1];
	int64_t dims[2 * ONSRAM_MAX_RANK], index;
	uint32_t rank = 0;
	ir_value out = *data;
	int axis;

	(void)func;
	if (indices->view.dtype != ONSRAM_DTYPE_I64 && indices->view.dtype != ONSRAM_DTYPE_I32)
		return ir_fail(g, "indices are %s, not integers", view_dtype_name(indices->view.dtype));
	axis = lower_axis(g, proto_int(n->proto, "axis", 0), data->view.rank);
	if (axis < 0)
		return -1;
	for (int d = 0; d < axis; d++)
		dims[rank++] = data->view.dims[d];
	for (uint32_t d = 0; d < indices->view.rank; d++)
		dims[rank++] = indices->view.dims[d];
	for (uint32_t d = axis + 1; d < data->view.rank; d++)
		dims[rank++] = data->view.dims[d];
	if (ir_is_const(g, indices) && !indices->view.rank) {
		if (ir_ints(g, indices, "indices", &index, 1) < 0)
			return -1;
		if (index < 0)
			index += data->view.dims[axis];
		if (index < 0 || index >= data->view.dims[axis])
			return ir_fail(g, "the index is out of range for %u elements", data->view.dims[axis]);
		lower_pick_view(&out, axis, index);
		return lower_bind(g, n, 0, &out);
	}
	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "output has %u dimensions; at most %d are supported", rank, ONSRAM_MAX_RANK);
	op.attr.axis = axis;
	op.operand[1] = *data;
	op.operand[2] = *indices;
	if (lower_new(g, n, 0, data->view.dtype, rank, dims, &op.operand[0]))
		return -1;
	return ir_push(g, &op);
}

int lower_iota(struct ir_graph *g, const struct ir_node *n, uint32_t dtype, uint32_t nr, uint32_t rank, uint32_t axis,
	       ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK] = { 1, 1, 1, 1, 1, 1 };
	size_t size = view_dtype_size(dtype);
	char *data;

	if (ir_charge(g, nr))
		return -1;
	data = malloc(nr ? nr * size : 1);
	if (!data)
		return ir_nomem(g);
	for (uint32_t i = 0; i < nr; i++) {
		int64_t v = i;
		int32_t narrow = i;
		float f = i;

		memcpy(data + i * size, dtype == ONSRAM_DTYPE_F32 ? (void *)&f : size == 4 ? (void *)&narrow : (void *)&v, size);
	}
	dims[axis] = nr;
	return ir_const_new(g, n->proto->output[0], dtype, rank, dims, data, out);
}

int lower_convert(struct ir_graph *g, const struct ir_node *n, const ir_value *v, uint32_t dtype, ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY, .operand = { [1] = *v } };
	int64_t dims[ONSRAM_MAX_RANK];

	if (dtype == v->view.dtype) {
		*out = *v;
		return 0;
	}
	for (uint32_t d = 0; d < v->view.rank; d++)
		dims[d] = v->view.dims[d];
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, dtype, v->view.rank, dims, out))
		return -1;
	op.operand[0] = *out;
	return ir_push(g, &op);
}

static int lower_cast(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	uint32_t dtype = ir_dtype(g, proto_int(n->proto, "to", 0), "to");
	ir_value out;

	(void)func;
	if (!dtype)
		return -1;
	if (lower_convert(g, n, &n->in[0], dtype, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_cast_like(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value out;

	(void)func;
	if (lower_convert(g, n, &n->in[0], n->in[1].view.dtype, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_size(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t count = view_count(&n->in[0].view);

	(void)func;
	return constant(g, n, ONSRAM_DTYPE_I64, 0, NULL, &count, sizeof(count));
}

/* A constant scalar as double, of integers or floats. */
static int number(struct ir_graph *g, const ir_value *v, const char *what, double *out)
{
	int64_t i;
	float f;

	if (v->view.dtype == ONSRAM_DTYPE_F32) {
		if (ir_float(g, v, what, &f))
			return -1;
		*out = f;
		return 0;
	}
	if (ir_ints(g, v, what, &i, 1) != 1)
		return g->err ? -1 : ir_fail(g, "%s is empty", what);
	*out = i;
	return 0;
}

static int lower_range(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	uint32_t dtype = n->in[0].view.dtype;
	double start, limit, delta, count;
	struct onsram_attr attr = { .func = ONSRAM_EW_MUL_ADD };
	ir_value in[3], out;

	(void)func;
	if (number(g, &n->in[0], "start", &start) || number(g, &n->in[1], "limit", &limit) ||
	    number(g, &n->in[2], "delta", &delta))
		return -1;
	count = ceil((limit - start) / delta);
	if (!(count <= IR_FOLD_ELEMENTS))
		return ir_fail(g, "the range has %g elements; at most %u are supported", count, IR_FOLD_ELEMENTS);
	if (lower_iota(g, n, dtype, count > 0 ? count : 0, 1, 0, &in[0]))
		return -1;
	in[1] = n->in[2];
	in[2] = n->in[0];
	in[1].view.rank = in[2].view.rank = 0;
	if (lower_elementwise(g, n, &attr, in, 3, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_data_rules[] = {
	RULE("Cast", 1, NOW, 1, 1, lower_cast, 0),
	RULE("CastLike", 15, NOW, 2, 2, lower_cast_like, 0),
	RULE("Constant", 1, NOW, 0, 0, lower_constant, 0),
	RULE("ConstantOfShape", 9, NOW, 1, 1, lower_constant_of_shape, 0),
	RULE("Gather", 1, NOW, 2, 2, lower_gather, 0),
	RULE("Range", 11, NOW, 3, 3, lower_range, 0),
	RULE("Shape", 1, NOW, 1, 1, lower_shape, 0),
	RULE("Size", 1, NOW, 1, 1, lower_size, 0),
	{ 0 }
};
