// SPDX-License-Identifier: MIT
/* The importer's graph: storage, named values, operations, failures. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "proto.h"

int ir_fail(struct ir_graph *g, const char *fmt, ...)
{
	char *what;
	va_list ap;

	if (g->err)
		return -1;
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (!what || !g->node_op) {
		g->err = what;
		return -1;
	}
	if (asprintf(&g->err, "%s node '%s': %s", g->node_op, g->node_name, what) < 0)
		g->err = NULL;
	free(what);
	return -1;
}

int ir_nomem(struct ir_graph *g)
{
	return ir_fail(g, "out of memory");
}

void ir_free(struct ir_graph *g)
{
	for (uint32_t i = 0; i < g->nr_tensors; i++) {
		free(g->tensors[i].name);
		free(g->tensors[i].data);
	}
	for (uint32_t i = 0; i < g->nr_ops; i++)
		free(g->ops[i].name);
	free(g->tensors);
	free(g->ops);
	while (g->scope)
		ir_scope_leave(g);
	free(g->inputs);
	free(g->outputs);
	free(g->symbols);
	free(g->err);
	memset(g, 0, sizeof(*g));
}

/* Room for one more element: arrays grow when their length is a power of two. */
static void *grow(void *array, uint32_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	if (nr > UINT32_MAX / 4)
		return NULL;
	return reallocarray(array, nr ? nr * 2 : 1, size);
}

int ir_scope_enter(struct ir_graph *g, const Onnx__FunctionProto *function, const Onnx__NodeProto *call)
{
	struct ir_scope *scope = calloc(1, sizeof(*scope));

	if (!scope)
		return ir_nomem(g);
	scope->outer = g->scope;
	scope->depth = g->scope ? g->scope->depth + 1 : 0;
	scope->function = function;
	scope->call = call;
	g->scope = scope;
	return 0;
}

void ir_scope_leave(struct ir_graph *g)
{
	struct ir_scope *scope = g->scope;

	g->scope = scope->outer;
	names_release(&scope->names);
	free(scope);
}

int ir_bind(struct ir_graph *g, const char *name, const ir_value *v)
{
	int ret = names_add(&g->scope->names, name, v);

	if (ret == -ENOMEM)
		return ir_nomem(g);
	return ret ? ir_fail(g, "'%s' is defined a second time", name) : 0;
}

const ir_value *ir_lookup(const struct ir_graph *g, const char *name)
{
	const struct ir_scope *scope = g->scope;
	const ir_value *v;

	do {
		v = names_find(&scope->names, name);
		if (v || scope->function)
			return v;
		scope = scope->outer;
	} while (scope);
	return NULL;
}

int ir_tensor_new(struct ir_graph *g, const char *name, enum onsram_tensor_role role,
		  uint32_t dtype, uint32_t rank, const int64_t *dims, ir_value *out)
{
	uint32_t extents[ONSRAM_MAX_RANK];
	struct ir_tensor *t;
	uint64_t count = 1;

	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "'%s' has %u dimensions; at most %d are supported", name, rank, ONSRAM_MAX_RANK);
	for (uint32_t d = 0; d < rank; d++) {
		if (dims[d] < 0)
			return ir_fail(g, "dimension %u of '%s' is negative (%lld)", d, name, (long long)dims[d]);
		if ((uint64_t)dims[d] > IR_MAX_ELEMENTS || count * dims[d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "'%s' has more than %llu elements", name, (unsigned long long)IR_MAX_ELEMENTS);
		count *= dims[d];
		extents[d] = dims[d];
	}
	if (count * view_dtype_size(dtype) > DRM_ONSRAM_MAX_BO_SIZE)
		return ir_fail(g, "'%s' is larger than %llu bytes", name, (unsigned long long)DRM_ONSRAM_MAX_BO_SIZE);
	t = grow(g->tensors, g->nr_tensors, sizeof(*t));
	if (!t)
		return ir_nomem(g);
	g->tensors = t;
	t += g->nr_tensors;
	memset(t, 0, sizeof(*t));
	t->name = strdup(name);
	if (!t->name)
		return ir_nomem(g);
	t->role = role;
	view_dense(&t->view, dtype, rank, extents);
	*out = (ir_value){ .bo = g->nr_tensors++, .view = t->view };
	return 0;
}

int ir_const_new(struct ir_graph *g, const char *name, uint32_t dtype, uint32_t rank,
		 const int64_t *dims, void *data, ir_value *out)
{
	if (ir_tensor_new(g, name, ONSRAM_ROLE_WEIGHT, dtype, rank, dims, out)) {
		free(data);
		return -1;
	}
	g->tensors[out->bo].data = data;
	return 0;
}

int ir_filled_new(struct ir_graph *g, const char *name, uint32_t dtype, uint32_t rank,
		  const int64_t *dims, const uint32_t fill[2], ir_value *out)
{
	if (ir_tensor_new(g, name, ONSRAM_ROLE_WEIGHT, dtype, rank, dims, out))
		return -1;
	g->tensors[out->bo].filled = true;
	g->tensors[out->bo].fill[0] = fill[0];
	g->tensors[out->bo].fill[1] = fill[1];
	return 0;
}

/* Nothing to do, or a reduction of nothing. Return: 1 when done, 0 where nothing is empty, -1 on failure */
static int push_empty(struct ir_graph *g, const struct drm_onsram_op *op)
{
	struct drm_onsram_op fill = { .opcode = ONSRAM_OP_FILL, .operand = { op->operand[0] } };
	struct ir_tensor *t = &g->tensors[op->operand[0].bo];

	if (!view_count(&t->view)) {
		/* What has no element is known. */
		t->role = t->role == ONSRAM_ROLE_ACTIVATION ? ONSRAM_ROLE_WEIGHT : t->role;
		t->filled = true;
	}
	if (!view_count(&op->operand[0].view))
		return 1;
	for (int i = 1; i < ONSRAM_MAX_OPERANDS; i++) {
		if (!op->operand[i].view.dtype || view_count(&op->operand[i].view))
			continue;
		if (op->opcode != ONSRAM_OP_REDUCE || !fold_reduce_nothing(op->attr.func, fill.operand[0].view.dtype,
									   fill.attr.param))
			return ir_fail(g, "works on an empty tensor, which is not supported");
		return ir_push(g, &fill) ? -1 : 1;
	}
	return 0;
}

int ir_push(struct ir_graph *g, const struct drm_onsram_op *op)
{
	uint32_t tensor = op->operand[0].bo;
	struct ir_op *ops;
	int ret = push_empty(g, op);

	if (ret)
		return ret < 0 ? -1 : 0;
	if (g->nr_ops == IR_MAX_OPS)
		return ir_fail(g, "the network has more than %d operations", IR_MAX_OPS);
	ops = grow(g->ops, g->nr_ops, sizeof(*ops));
	if (!ops)
		return ir_nomem(g);
	g->ops = ops;
	ops += g->nr_ops;
	memset(ops, 0, sizeof(*ops));
	ops->op = *op;
	ops->name = strdup(g->node_name ? g->node_name : g->tensors[tensor].name);
	if (!ops->name)
		return ir_nomem(g);
	g->nr_ops++;
	ret = fold(g, op);
	if (ret < 0)
		return -1;
	ops->folded = ops->dead = ret;
	if (!ret && g->tensors[tensor].made)
		unfold(g, tensor);
	g->tensors[tensor].written = true;
	return 0;
}

int ir_keep(struct ir_graph *g, const struct ir_op *op)
{
	struct ir_op *ops = grow(g->ops, g->nr_ops, sizeof(*ops));

	if (!ops) {
		free(op->name);
		return ir_nomem(g);
	}
	g->ops = ops;
	g->ops[g->nr_ops++] = *op;
	return 0;
}

int ir_copy(struct ir_graph *g, const ir_value *v, ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY, .operand = { [1] = *v } };
	int64_t dims[ONSRAM_MAX_RANK];
	char *name;
	int ret;

	for (uint32_t d = 0; d < v->view.rank; d++)
		dims[d] = v->view.dims[d];
	if (asprintf(&name, "%s/dense", g->tensors[v->bo].name) < 0)
		return ir_nomem(g);
	/* From here on @v may be gone: it can be @out. */
	ret = ir_tensor_new(g, name, ONSRAM_ROLE_ACTIVATION, v->view.dtype, v->view.rank, dims, out);
	free(name);
	if (ret)
		return -1;
	op.operand[0] = *out;
	return ir_push(g, &op);
}

int ir_reshape(struct ir_graph *g, const ir_value *v, uint32_t rank, const int64_t *dims, ir_value *out)
{
	uint32_t extents[ONSRAM_MAX_RANK];
	struct onsram_view view;
	uint64_t count = 1;
	ir_value from = *v;

	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "reshapes to %u dimensions; at most %d are supported", rank, ONSRAM_MAX_RANK);
	for (uint32_t d = 0; d < rank; d++) {
		if (dims[d] < 0 || (uint64_t)dims[d] > IR_MAX_ELEMENTS || count * dims[d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "dimension %u of the new shape is out of range (%lld)", d, (long long)dims[d]);
		extents[d] = dims[d];
		count *= dims[d];
	}
	if (count != view_count(&v->view))
		return ir_fail(g, "cannot reshape %llu elements to %llu",
			       (unsigned long long)view_count(&v->view), (unsigned long long)count);
	if (!view_reshape(&v->view, rank, extents, &view)) {
		if (ir_copy(g, v, &from))
			return -1;
		view_dense(&view, from.view.dtype, rank, extents);
	}
	*out = from;
	out->view = view;
	return 0;
}

bool ir_may_fold(struct ir_graph *g, uint64_t n)
{
	if (n > IR_FOLD_ELEMENTS || g->folded + n > IR_FOLD_TOTAL)
		return false;
	g->folded += n;
	return true;
}

int ir_charge(struct ir_graph *g, uint64_t n)
{
	if (n > IR_FOLD_TOTAL - g->folded)
		return ir_fail(g, "needs constants of more elements than are supported, which the model does not have");
	g->folded += n;
	return 0;
}

bool ir_is_const(const struct ir_graph *g, const ir_value *v)
{
	return v->view.dtype && g->tensors[v->bo].role == ONSRAM_ROLE_WEIGHT;
}

bool ir_is_uniform(const struct ir_graph *g, const ir_value *v)
{
	return ir_is_const(g, v) && (g->tensors[v->bo].filled || view_count(&g->tensors[v->bo].view) == 1);
}

void *ir_const_read(struct ir_graph *g, const ir_value *v)
{
	const struct ir_tensor *t = &g->tensors[v->bo];
	size_t size = view_dtype_size(v->view.dtype);
	uint64_t n = view_count(&v->view);
	uint8_t one = t->fill[0] != 0;
	const void *element = v->view.dtype == ONSRAM_DTYPE_BOOL ? (const void *)&one : t->fill;
	char *data = malloc(n ? n * size : 1);
	struct view_iter it;

	if (!data) {
		ir_nomem(g);
		return NULL;
	}
	if (!t->filled && view_is_dense(&v->view)) {
		memcpy(data, (const char *)t->data + v->offset * size, n * size);
		return data;
	}
	view_iter_start(&it, &v->view);
	for (uint64_t i = 0; i < n; i++, view_iter_next(&it)) {
		if (!t->filled)
			element = (const char *)t->data + (v->offset + it.at) * size;
		memcpy(data + i * size, element, size);
	}
	return data;
}

int ir_uniform_bits(struct ir_graph *g, const ir_value *v, uint32_t *param)
{
	ir_value one = *v;
	void *data;

	one.view.rank = 0;
	data = ir_const_read(g, &one);
	if (!data)
		return -1;
	memcpy(param, data, view_dtype_size(v->view.dtype));
	free(data);
	return 0;
}

/* Mark the tensors that tensor @from is computed from. */
static bool *sources(const struct ir_graph *g, uint32_t from)
{
	bool *marked = calloc(g->nr_tensors, sizeof(*marked));

	if (!marked)
		return NULL;
	marked[from] = true;
	for (uint32_t i = g->nr_ops; i-- > 0;) {
		const struct drm_onsram_op *op = &g->ops[i].op;

		for (int s = 1; s < ONSRAM_MAX_OPERANDS && marked[op->operand[0].bo]; s++)
			if (op->operand[s].view.dtype)
				marked[op->operand[s].bo] = true;
	}
	return marked;
}

int ir_need_const(struct ir_graph *g, const ir_value *v, const char *what)
{
	const char *missing = NULL;
	bool *marked;

	if (ir_is_const(g, v))
		return 0;
	marked = sources(g, v->bo);
	if (!marked)
		return ir_nomem(g);
	for (uint32_t i = 0; i < g->nr_inputs; i++) {
		const struct ir_tensor *t = &g->tensors[g->inputs[i]];

		if (!marked[g->inputs[i]])
			continue;
		if (view_count(&t->view) > (t->view.dtype == ONSRAM_DTYPE_F32 ? IR_PIN_FLOATS : IR_PIN_INTS)) {
			free(marked);
			return ir_fail(g, "%s is not constant: it depends on the data in input '%s'", what, t->name);
		}
		if (i >= g->opt.nr_inputs) {
			missing = t->name;
		} else if (!g->pinned[i]) {
			g->pinned[i] = true;
			g->pins = true;
		}
	}
	free(marked);
	if (missing)
		return ir_fail(g, "%s is not constant, and the contents of input '%s', on which it depends, are not given",
			       what, missing);
	return ir_fail(g, "%s is not constant", what);
}

int ir_ints(struct ir_graph *g, const ir_value *v, const char *what, int64_t *out, uint32_t max)
{
	uint64_t n = view_count(&v->view);
	void *data;

	if (ir_need_const(g, v, what))
		return -1;
	if (v->view.dtype != ONSRAM_DTYPE_I64 && v->view.dtype != ONSRAM_DTYPE_I32)
		return ir_fail(g, "%s is %s, not int64", what, view_dtype_name(v->view.dtype));
	if (v->view.rank > 1)
		return ir_fail(g, "%s has %u dimensions, not one", what, v->view.rank);
	if (n > max)
		return ir_fail(g, "%s has %llu elements; at most %u are supported", what, (unsigned long long)n, max);
	data = ir_const_read(g, v);
	if (!data)
		return -1;
	for (uint64_t i = 0; i < n; i++)
		out[i] = v->view.dtype == ONSRAM_DTYPE_I64 ? ((int64_t *)data)[i] : ((int32_t *)data)[i];
	free(data);
	return n;
}

int ir_float(struct ir_graph *g, const ir_value *v, const char *what, float *out)
{
	float *data;

	if (ir_need_const(g, v, what))
		return -1;
	if (v->view.dtype != ONSRAM_DTYPE_F32 || view_count(&v->view) != 1)
		return ir_fail(g, "%s is not a float scalar", what);
	data = ir_const_read(g, v);
	if (!data)
		return -1;
	*out = *data;
	free(data);
	return 0;
}

uint32_t ir_dtype(struct ir_graph *g, int64_t elem_type, const char *what)
{
	int32_t type = elem_type > 0 && elem_type < INT32_MAX ? elem_type : 0;
	uint32_t dtype = proto_dtype(type);

	if (!dtype)
		ir_fail(g, "%s: element type %s is not supported", what, proto_dtype_name(type));
	g->narrowed = g->narrowed || type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
	return dtype == ONSRAM_DTYPE_F16 ? (uint32_t)ONSRAM_DTYPE_F32 : dtype;
}
