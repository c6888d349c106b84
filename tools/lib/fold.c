// SPDX-License-Identifier: MIT
/*
 * Operations on constants, computed on the host: what shapes are made of, and
 * small weights.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

/* A dense copy of an operand. */
struct arg {
	void *data;
	uint32_t dtype;
};

static int64_t arg_int(const struct arg *a, uint64_t i)
{
	switch (a->dtype) {
	case ONSRAM_DTYPE_I64:
		return ((int64_t *)a->data)[i];
	case ONSRAM_DTYPE_I32:
		return ((int32_t *)a->data)[i];
	}
	return ((uint8_t *)a->data)[i];
}

static void store_int(void *data, uint32_t dtype, uint64_t i, int64_t v)
{
	if (dtype == ONSRAM_DTYPE_I64)
		((int64_t *)data)[i] = v;
	else if (dtype == ONSRAM_DTYPE_I32)
		((int32_t *)data)[i] = (int32_t)v;
	else
		((uint8_t *)data)[i] = v != 0;
}

/* An element of an elementwise function. Return: false where the host does not compute it */
static bool elementwise(const struct onsram_attr *attr, const struct arg *in, uint32_t nr, uint32_t dtype,
			uint64_t i, void *out)
{
	float f[FOLD_INPUTS] = { 0 };
	int64_t v[FOLD_INPUTS] = { 0 };
	int64_t result;

	if (attr->func == ONSRAM_EW_WHERE) {
		const struct arg *from = &in[arg_int(&in[0], i) ? 1 : 2];
		size_t size = view_dtype_size(dtype);

		memcpy((char *)out + i * size, (char *)from->data + i * size, size);
		return true;
	}
	if (in[0].dtype != ONSRAM_DTYPE_F32) {
		for (uint32_t k = 0; k < nr; k++)
			v[k] = arg_int(&in[k], i);
		if (!fold_int(attr->func, v, &result))
			return false;
		store_int(out, dtype, i, result);
		return true;
	}
	for (uint32_t k = 0; k < nr; k++)
		f[k] = ((float *)in[k].data)[i];
	if (dtype == ONSRAM_DTYPE_F32)
		return fold_float(attr, f, (float *)out + i);
	return fold_compare(attr->func, f, (uint8_t *)out + i);
}

/* An element converted as COPY does; out of range has no defined result: saturate. */
static void convert(const struct arg *in, uint32_t dtype, uint64_t i, void *out)
{
	if (in->dtype == ONSRAM_DTYPE_F32 && dtype == ONSRAM_DTYPE_F32) {
		((float *)out)[i] = ((float *)in->data)[i];
	} else if (dtype == ONSRAM_DTYPE_F32) {
		((float *)out)[i] = arg_int(in, i);
	} else if (in->dtype == ONSRAM_DTYPE_F32) {
		float f = ((float *)in->data)[i];

		if (dtype == ONSRAM_DTYPE_BOOL)
			((uint8_t *)out)[i] = f != 0;
		else
			store_int(out, dtype, i, !(f > -9.2e18f) ? INT64_MIN : f >= 9.2e18f ? INT64_MAX : (int64_t)f);
	} else {
		store_int(out, dtype, i, arg_int(in, i));
	}
}

static bool gather(struct ir_graph *g, const struct drm_onsram_op *op, const struct arg *in, void *out)
{
	const struct onsram_view *data = &op->operand[1].view;
	size_t block = view_dtype_size(data->dtype);
	uint64_t outer = 1, extent = data->dims[op->attr.axis], picks = view_count(&op->operand[2].view);

	for (uint32_t d = 0; d < data->rank; d++) {
		if (d < op->attr.axis)
			outer *= data->dims[d];
		else if (d > op->attr.axis)
			block *= data->dims[d];
	}
	for (uint64_t p = 0; p < picks; p++) {
		int64_t i = arg_int(&in[1], p);

		if (i < 0)
			i += extent;
		if (i < 0 || (uint64_t)i >= extent) {
			ir_fail(g, "index %lld is out of range for %llu elements", (long long)arg_int(&in[1], p),
				(unsigned long long)extent);
			return false;
		}
		for (uint64_t o = 0; o < outer; o++)
			memcpy((char *)out + (o * picks + p) * block,
			       (char *)in[0].data + (o * extent + i) * block, block);
	}
	return true;
}

/* Reduce integers and floats alike, in double precision where they are floats. */
static bool reduce(const struct drm_onsram_op *op, const struct arg *in, uint64_t n, void *out)
{
	const struct onsram_view *x = &op->operand[1].view;
	uint64_t count = view_count(x);
	bool is_float = x->dtype == ONSRAM_DTYPE_F32;
	struct onsram_view to = op->operand[0].view;
	struct view_iter it;
	double *f = calloc(n, sizeof(*f));
	int64_t *v = calloc(n, sizeof(*v));
	bool *seen = calloc(n, sizeof(*seen));
	bool known = f && v && seen;

	view_dense(&to, to.dtype, to.rank, to.dims);
	for (uint32_t d = 0; d < to.rank; d++)
		if (op->attr.axis & (1u << d)) {
			to.dims[d] = x->dims[d];
			to.strides[d] = 0;
		}
	view_iter_start(&it, &to);
	for (uint64_t i = 0; i < count && known; i++, view_iter_next(&it)) {
		if (is_float)
			known = fold_reduce_float(op->attr.func, ((float *)in->data)[i], seen[it.at], &f[it.at]);
		else
			known = fold_reduce_int(op->attr.func, arg_int(in, i), seen[it.at], &v[it.at]);
		seen[it.at] = true;
	}
	for (uint64_t i = 0; i < n && known; i++) {
		bool mean = op->attr.func == ONSRAM_REDUCE_MEAN;

		if (is_float)
			((float *)out)[i] = mean ? f[i] / (count / n) : f[i];
		else
			store_int(out, to.dtype, i, mean ? v[i] / (int64_t)(count / n) : v[i]);
	}
	free(f);
	free(v);
	free(seen);
	return known;
}

/* Compute @n elements of @op, dense, into @out. Return: false where the host does not */
static bool compute(struct ir_graph *g, const struct drm_onsram_op *op, const struct arg *in, uint32_t nr,
		    uint64_t n, void *out)
{
	uint32_t dtype = op->operand[0].view.dtype;
	size_t size = view_dtype_size(dtype);
	bool known = true;

	switch (op->opcode) {
	case ONSRAM_OP_COPY:
		for (uint64_t i = 0; i < n; i++)
			convert(in, dtype, i, out);
		return true;
	case ONSRAM_OP_FILL:
		for (uint64_t i = 0; i < n; i++)
			memcpy((char *)out + i * size, op->attr.param, size);
		return true;
	case ONSRAM_OP_ELEMENTWISE:
		for (uint64_t i = 0; i < n && known; i++)
			known = elementwise(&op->attr, in, nr, dtype, i, out);
		return known;
	case ONSRAM_OP_REDUCE:
		return reduce(op, in, n, out);
	case ONSRAM_OP_GATHER:
		return gather(g, op, in, out);
	}
	return false;
}

/* @op on dense copies of its inputs. Return: 1 when @out has the result, 0 where the host does not compute it, -1 */
static int run(struct ir_graph *g, const struct drm_onsram_op *op, uint64_t n, void *out)
{
	struct arg in[ONSRAM_MAX_OPERANDS] = { 0 };
	uint32_t nr = 0;
	int ret = 1;

	for (int s = 1; s < ONSRAM_MAX_OPERANDS && op->operand[s].view.dtype && ret > 0; s++) {
		in[nr].dtype = op->operand[s].view.dtype;
		in[nr].data = ir_const_read(g, &op->operand[s]);
		if (!in[nr++].data)
			ret = -1;
	}
	if (ret > 0 && !compute(g, op, in, nr, n, out))
		ret = g->err ? -1 : 0;
	while (nr)
		free(in[--nr].data);
	return ret;
}

/* Whether @op makes every element of its output the same, from inputs of one value. */
static bool is_uniform(const struct ir_graph *g, const struct drm_onsram_op *op)
{
	const struct ir_tensor *t = &g->tensors[op->operand[0].bo];

	if (t->data || op->operand[0].offset || !view_equal(&op->operand[0].view, &t->view))
		return false;
	if (op->opcode != ONSRAM_OP_FILL && op->opcode != ONSRAM_OP_COPY && op->opcode != ONSRAM_OP_ELEMENTWISE)
		return false;
	for (int s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->operand[s].view.dtype && !ir_is_uniform(g, &op->operand[s]))
			return false;
	return view_count(&t->view) > 1;
}

static int fold_uniform(struct ir_graph *g, const struct drm_onsram_op *op)
{
	struct ir_tensor *t = &g->tensors[op->operand[0].bo];
	struct drm_onsram_op one = *op;
	uint32_t fill[2] = { 0 };
	int ret;

	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		one.operand[s].view.rank = 0;
	ret = run(g, &one, 1, fill);
	if (ret > 0) {
		t->filled = true;
		memcpy(t->fill, fill, sizeof(fill));
	}
	return ret;
}

/* Storage for the tensor's elements, which it may have as one value so far. */
static int make_room(struct ir_graph *g, struct ir_tensor *t)
{
	uint64_t n = view_count(&t->view);
	size_t size = view_dtype_size(t->view.dtype);

	if (t->data)
		return 1;
	if (!ir_may_fold(g, n))
		return 0;
	t->data = calloc(n, size);
	if (!t->data)
		return ir_nomem(g);
	for (uint64_t i = 0; i < n && t->filled; i++)
		memcpy((char *)t->data + i * size, t->fill, size);
	t->filled = false;
	return 1;
}

static int fold_elements(struct ir_graph *g, const struct drm_onsram_op *op)
{
	struct ir_tensor *t = &g->tensors[op->operand[0].bo];
	size_t size = view_dtype_size(t->view.dtype);
	uint64_t n = view_count(&op->operand[0].view);
	struct view_iter it;
	char *result;
	int ret;

	for (int s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->operand[s].view.dtype && view_count(&op->operand[s].view) > IR_FOLD_ELEMENTS)
			return 0;
	ret = make_room(g, t);
	if (ret <= 0)
		return ret;
	result = malloc(n * size);
	if (!result)
		return ir_nomem(g);
	ret = run(g, op, n, result);
	view_iter_start(&it, &op->operand[0].view);
	for (uint64_t i = 0; i < n && ret > 0; i++, view_iter_next(&it))
		memcpy((char *)t->data + (op->operand[0].offset + it.at) * size, result + i * size, size);
	free(result);
	return ret;
}

int fold(struct ir_graph *g, const struct drm_onsram_op *op)
{
	struct ir_tensor *t = &g->tensors[op->operand[0].bo];
	int ret;

	if (!t->made && (t->written || t->role != ONSRAM_ROLE_ACTIVATION))
		return 0;
	for (int s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->operand[s].view.dtype && !ir_is_const(g, &op->operand[s]))
			return 0;
	ret = is_uniform(g, op) ? fold_uniform(g, op) : fold_elements(g, op);
	if (ret > 0) {
		t->made = true;
		t->role = ONSRAM_ROLE_WEIGHT;
	}
	return ret;
}

void unfold(struct ir_graph *g, uint32_t tensor)
{
	struct ir_tensor *t = &g->tensors[tensor];

	for (uint32_t i = 0; i < g->nr_ops; i++)
		if (g->ops[i].folded && g->ops[i].op.operand[0].bo == tensor)
			g->ops[i].folded = g->ops[i].dead = false;
	free(t->data);
	t->data = NULL;
	t->filled = false;
	t->made = false;
	t->role = ONSRAM_ROLE_ACTIVATION;
}
