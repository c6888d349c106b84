// SPDX-License-Identifier: MIT
/* Matrix products. */
#include <string.h>

#include "lower.h"

static int lower_gemm(struct ir_graph *g, const struct ir_node *n, uint32_t func)
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
		view_swap(&a.view, 0, 1);
	if (proto_int(n->proto, "transB", 0))
		view_swap(&b.view, 0, 1);
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

int lower_matrix_product(struct ir_graph *g, const struct ir_node *n, const ir_value *left, const ir_value *right,
			 ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GEMM };
	ir_value a = *left, b = *right;
	int64_t dims[ONSRAM_MAX_RANK], out_dims[ONSRAM_MAX_RANK];
	bool vector_a = a.view.rank == 1, vector_b = b.view.rank == 1;
	uint32_t rank, extents[ONSRAM_MAX_RANK], out_rank = 0;
	ir_value batch_a, batch_b;
	const ir_value *const both[] = { &batch_a, &batch_b };
	int batch;

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
	    ir_push(g, &op))
		return -1;
	return ir_reshape(g, &op.operand[0], out_rank, out_dims, out);
}

static int lower_matmul(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value out;

	(void)func;
	if (lower_matrix_product(g, n, &n->in[0], &n->in[1], &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_product_rules[] = {
	RULE("Gemm", 1, NOW, 2, 3, lower_gemm, 0),
	RULE("MatMul", 1, NOW, 2, 2, lower_matmul, 0),
	{ 0 }
};
