// SPDX-License-Identifier: MIT
/* Elementwise functions, matrix products, softmax and reductions. */
#include <string.h>

#include "lower.h"

static bool compares(uint32_t func)
{
	return func == ONSRAM_EW_EQUAL || func == ONSRAM_EW_LESS || func == ONSRAM_EW_GREATER;
}

/* What of the integers the device computes; onsram_op.h lists it. */
static bool takes_ints(uint32_t func)
{
	switch (func) {
	case ONSRAM_EW_IDENTITY:
	case ONSRAM_EW_RELU:
	case ONSRAM_EW_NEG:
	case ONSRAM_EW_ABS:
	case ONSRAM_EW_ADD:
	case ONSRAM_EW_SUB:
	case ONSRAM_EW_MUL:
	case ONSRAM_EW_DIV:
	case ONSRAM_EW_MAX:
	case ONSRAM_EW_MIN:
	case ONSRAM_EW_MUL_ADD:
	case ONSRAM_EW_WHERE:
		return true;
	}
	return compares(func);
}

/*
 * @attr's function of @in, which have their final shape @dims or broadcast to it;
 * @out is bound to no name.
 */
static int elementwise(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr,
		       const ir_value *in, uint32_t nr, uint32_t rank, const int64_t *dims, ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr = *attr };
	uint32_t extents[ONSRAM_MAX_RANK] = { 0 }, dtype = in[nr - 1].view.dtype;
	ir_value args[3];

	if (dtype != ONSRAM_DTYPE_F32 && (!takes_ints(attr->func) || dtype == ONSRAM_DTYPE_BOOL) &&
	    attr->func != ONSRAM_EW_WHERE && !(dtype == ONSRAM_DTYPE_BOOL && compares(attr->func)))
		return ir_fail(g, "%s is not supported", view_dtype_name(dtype));
	for (uint32_t d = 0; d < rank; d++)
		extents[d] = dims[d];
	for (uint32_t i = 0; i < nr; i++) {
		bool condition = attr->func == ONSRAM_EW_WHERE && !i;

		if (in[i].view.dtype != (condition ? (uint32_t)ONSRAM_DTYPE_BOOL : dtype))
			return ir_fail(g, "input %u is %s, expected %s", i, view_dtype_name(in[i].view.dtype),
				       view_dtype_name(condition ? (uint32_t)ONSRAM_DTYPE_BOOL : dtype));
		args[i] = in[i];
		if (!view_broadcast(&in[i].view, rank, extents, rank - in[i].view.rank, &args[i].view))
			return ir_fail(g, "input %u does not broadcast to the output", i);
		op.operand[1 + i] = args[i];
	}
	if (compares(attr->func))
		dtype = ONSRAM_DTYPE_BOOL;
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, dtype, rank, dims, out))
		return -1;
	op.operand[0] = *out;
	return ir_push(g, &op);
}

static int unary(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr)
{
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK];
	ir_value out;

	for (uint32_t d = 0; d < x->view.rank; d++)
		dims[d] = x->view.dims[d];
	if (elementwise(g, n, attr, x, 1, x->view.rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

int lower_unary(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct onsram_attr attr = { .func = func };

	if (func == ONSRAM_EW_LEAKY_RELU) {
		attr.param[0] = float_bits(proto_float(n->proto, "alpha", 0.01f));
	} else if (func == ONSRAM_EW_HARD_SIGMOID) {
		attr.param[0] = float_bits(proto_float(n->proto, "alpha", 0.2f));
		attr.param[1] = float_bits(proto_float(n->proto, "beta", 0.5f));
	}
	return unary(g, n, &attr);
}

int lower_clip(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	float lo = proto_float(n->proto, "min", -__FLT_MAX__);
	float hi = proto_float(n->proto, "max", __FLT_MAX__);
	struct onsram_attr attr = { .func = func };

	if (n->in[1].view.dtype && ir_float(g, &n->in[1], "min", &lo))
		return -1;
	if (n->in[2].view.dtype && ir_float(g, &n->in[2], "max", &hi))
		return -1;
	attr.param[0] = float_bits(lo);
	attr.param[1] = float_bits(hi);
	return unary(g, n, &attr);
}

static int pair(struct ir_graph *g, const struct ir_node *n, uint32_t func, const ir_value *a,
		const ir_value *b, ir_value *out)
{
	struct onsram_attr attr = { .func = func };
	const ir_value *const both[] = { a, b };
	ir_value in[2] = { *a, *b };
	int64_t dims[ONSRAM_MAX_RANK];
	int rank = lower_broadcast(g, both, 2, dims);

	if (rank < 0)
		return -1;
	return elementwise(g, n, &attr, in, 2, rank, dims, out);
}

int lower_binary(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *a = &n->in[0];
	ir_value b = n->in[1], out;

	/* Before set 7, B's dimensions stand at A's from "axis" on, and only if "broadcast" is set. */
	if (g->opset < 7 && !view_same_dims(&a->view, &b.view)) {
		int64_t axis = proto_int(n->proto, "axis", (int64_t)a->view.rank - b.view.rank);

		if (!proto_int(n->proto, "broadcast", 0))
			return ir_fail(g, "shapes differ and broadcast is not set");
		if (axis < 0)
			axis += a->view.rank;
		if (axis < 0 || axis > a->view.rank ||
		    !view_broadcast(&b.view, a->view.rank, a->view.dims, axis, &b.view))
			return ir_fail(g, "second input does not fit the first at axis %lld", (long long)axis);
	}
	if (pair(g, n, func, a, &b, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

int lower_variadic(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value sum = n->in[0];

	for (uint32_t i = 1; i < n->nr_in; i++)
		if (pair(g, n, func, &sum, &n->in[i], &sum))
			return -1;
	return lower_bind(g, n, 0, &sum);
}

int lower_where(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *const all[] = { &n->in[0], &n->in[1], &n->in[2] };
	struct onsram_attr attr = { .func = func };
	int64_t dims[ONSRAM_MAX_RANK];
	int rank = lower_broadcast(g, all, 3, dims);
	ir_value out;

	if (rank < 0 || elementwise(g, n, &attr, n->in, 3, rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* Swap the last two dimensions. */
static void swap(struct onsram_view *v)
{
	uint32_t dim = v->dims[v->rank - 1];
	int32_t stride = v->strides[v->rank - 1];

	v->dims[v->rank - 1] = v->dims[v->rank - 2];
	v->strides[v->rank - 1] = v->strides[v->rank - 2];
	v->dims[v->rank - 2] = dim;
	v->strides[v->rank - 2] = stride;
}

int lower_gemm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GEMM };
	struct drm_onsram_op add = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_ADD };
	ir_value a = n->in[0], b = n->in[1], c = n->in[2];
	float beta = proto_float(n->proto, "beta", 1.0f);
	uint32_t extents[2];
	int64_t dims[2];

	(void)func;
	if (lower_float(g, &a, "A") || lower_float(g, &b, "B"))
		return -1;
	if (a.view.rank != 2 || b.view.rank != 2)
		return ir_fail(g, "A has %u dimensions and B %u, expected 2", a.view.rank, b.view.rank);
	if (proto_int(n->proto, "transA", 0))
		swap(&a.view);
	if (proto_int(n->proto, "transB", 0))
		swap(&b.view);
	if (a.view.dims[1] != b.view.dims[0])
		return ir_fail(g, "A is %ux%u and B %ux%u", a.view.dims[0], a.view.dims[1],
			       b.view.dims[0], b.view.dims[1]);
	dims[0] = extents[0] = a.view.dims[0];
	dims[1] = extents[1] = b.view.dims[1];
	op.attr.param[0] = float_bits(proto_float(n->proto, "alpha", 1.0f));
	op.attr.param[1] = float_bits(1.0f);
	op.operand[1] = a;
	op.operand[2] = b;
	if (c.view.dtype) {
		/* Before set 7 an unequal C needed "broadcast"; where it fits, the meaning is the same. */
		if (lower_float(g, &c, "C"))
			return -1;
		if (c.view.rank > 2 ||
		    !view_broadcast(&c.view, 2, extents, 2 - c.view.rank, &c.view))
			return ir_fail(g, "C does not broadcast to %ux%u", extents[0], extents[1]);
	}
	/* A scaled C has no operation of its own. */
	if (c.view.dtype && beta != 1.0f) {
		op.attr.param[1] = float_bits(beta);
		op.operand[3] = c;
		c.view.dtype = ONSRAM_DTYPE_NONE;
	}
	if (!c.view.dtype) {
		if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, 2, dims, &op.operand[0]))
			return -1;
		return ir_push(g, &op);
	}
	if (lower_temp(g, n, "gemm", ONSRAM_DTYPE_F32, 2, dims, &op.operand[0]) || ir_push(g, &op))
		return -1;
	add.operand[1] = op.operand[0];
	add.operand[2] = c;
	if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, 2, dims, &add.operand[0]))
		return -1;
	return ir_push(g, &add);
}

/* Insert a dimension of extent 1 at @at. */
static void insert_one(struct onsram_view *v, uint32_t at)
{
	for (uint32_t d = v->rank; d > at; d--) {
		v->dims[d] = v->dims[d - 1];
		v->strides[d] = v->strides[d - 1];
	}
	v->dims[at] = 1;
	v->strides[at] = 0;
	v->rank++;
}

/*
 * A product with one matrix for the whole batch is one large product: fewer
 * and better filled than a batch of small ones.
 */
static bool merge_batch(ir_value *a, const ir_value *b)
{
	uint32_t dims[2] = { 1, a->view.dims[a->view.rank - 1] };

	if (b->view.rank != 2 || a->view.rank < 3)
		return false;
	for (uint32_t d = 0; d + 1 < a->view.rank; d++)
		dims[0] *= a->view.dims[d];
	return view_reshape(&a->view, 2, dims, &a->view);
}

int lower_matmul(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GEMM };
	ir_value a = n->in[0], b = n->in[1], bound;
	int64_t dims[ONSRAM_MAX_RANK], out_dims[ONSRAM_MAX_RANK];
	bool vector_a = a.view.rank == 1, vector_b = b.view.rank == 1;
	uint32_t rank, extents[ONSRAM_MAX_RANK], out_rank = 0;
	ir_value batch_a, batch_b;
	const ir_value *const both[] = { &batch_a, &batch_b };
	int batch;

	(void)func;
	if (lower_float(g, &a, "A") || lower_float(g, &b, "B"))
		return -1;
	if (!a.view.rank || !b.view.rank)
		return ir_fail(g, "an input is a scalar");
	if (vector_a)
		insert_one(&a.view, 0);
	if (vector_b)
		insert_one(&b.view, 1);
	if (a.view.dims[a.view.rank - 1] != b.view.dims[b.view.rank - 2])
		return ir_fail(g, "inner dimensions are %u and %u", a.view.dims[a.view.rank - 1],
			       b.view.dims[b.view.rank - 2]);
	batch_a = a;
	batch_b = b;
	batch_a.view.rank -= 2;
	batch_b.view.rank -= 2;
	batch = lower_broadcast(g, both, 2, dims);
	if (batch < 0)
		return -1;
	dims[batch] = a.view.dims[a.view.rank - 2];
	dims[batch + 1] = b.view.dims[b.view.rank - 1];
	for (int d = 0; d < batch + 2; d++)
		if (!(d == batch && vector_a) && !(d == batch + 1 && vector_b))
			out_dims[out_rank++] = dims[d];
	rank = batch + 2;
	if (merge_batch(&a, &b)) {
		dims[0] = a.view.dims[0];
		dims[1] = b.view.dims[1];
		rank = 2;
	}
	for (uint32_t d = 0; d < rank; d++)
		extents[d] = dims[d];
	op.operand[1] = a;
	op.operand[2] = b;
	extents[rank - 1] = a.view.dims[a.view.rank - 1];
	if (!view_broadcast(&a.view, rank, extents, rank - a.view.rank, &op.operand[1].view))
		return ir_fail(g, "A does not broadcast to the output");
	extents[rank - 2] = b.view.dims[b.view.rank - 2];
	extents[rank - 1] = b.view.dims[b.view.rank - 1];
	if (!view_broadcast(&b.view, rank, extents, rank - b.view.rank, &op.operand[2].view))
		return ir_fail(g, "B does not broadcast to the output");
	op.attr.param[0] = op.attr.param[1] = float_bits(1.0f);
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, rank, dims,
			  &op.operand[0]) ||
	    ir_push(g, &op) || ir_reshape(g, &op.operand[0], out_rank, out_dims, &bound))
		return -1;
	return lower_bind(g, n, 0, &bound);
}

int lower_softmax(struct ir_graph *g, const struct ir_node *n, uint32_t func)
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

int lower_reduce(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_REDUCE, .attr.func = func };
	const ir_value *x = &n->in[0];
	int64_t axes[ONSRAM_MAX_RANK], full[ONSRAM_MAX_RANK], dims[ONSRAM_MAX_RANK];
	bool keep = proto_int(n->proto, "keepdims", 1);
	int nr = lower_ints(g, n, "axes", 1, axes, ONSRAM_MAX_RANK);
	uint32_t rank = 0;
	ir_value out;

	if (nr == -1 || (x->view.dtype == ONSRAM_DTYPE_BOOL && ir_fail(g, "bool is not supported")))
		return -1;
	if (nr <= 0 && proto_int(n->proto, "noop_with_empty_axes", 0))
		return lower_bind(g, n, 0, x);
	if (nr <= 0)
		op.attr.axis = (1u << x->view.rank) - 1;
	for (int i = 0; i < nr; i++) {
		int axis = lower_axis(g, axes[i], x->view.rank);

		if (axis < 0)
			return -1;
		op.attr.axis |= 1u << axis;
	}
	for (uint32_t d = 0; d < x->view.rank; d++) {
		bool reduced = op.attr.axis & (1u << d);

		full[d] = reduced ? 1 : x->view.dims[d];
		if (!reduced || keep)
			dims[rank++] = full[d];
	}
	op.operand[1] = *x;
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, x->view.dtype, x->view.rank, full,
			  &op.operand[0]) ||
	    ir_push(g, &op) || ir_reshape(g, &op.operand[0], rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}
