// SPDX-License-Identifier: MIT
/*
 * Inputs of the graph.  A dimension without a number takes its size from the
 * shape or the contents given for the input, or from its name, which has one
 * size in the whole model.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx.h"

/*
 * struct input - an input of the graph that is no initializer
 * @shape: as the model declares it, NULL where it does not
 * @given: contents given, or NULL
 * @sizes: shape given, or NULL
 */
struct input {
	const char *name;
	const Onnx__TensorShapeProto *shape;
	const struct onsram_array *given;
	const struct onsram_shape *sizes;
	uint32_t dtype;
};

typedef Onnx__TensorShapeProto__Dimension dimension;

static bool has_number(const dimension *d)
{
	return d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
}

/* The dimension's name, "" where it has none. */
static const char *symbol_name(const dimension *d)
{
	return d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param ?
	       d->dim_param : "";
}

static const struct ir_symbol *find_symbol(const struct ir_graph *g, const char *name)
{
	for (uint32_t i = 0; i < g->nr_symbols; i++)
		if (!strcmp(g->symbols[i].name, name))
			return &g->symbols[i];
	return NULL;
}

/* Dimension @name, if it has one, is of @size by what @from says. */
static int set_symbol(struct ir_graph *g, const char *name, uint32_t size, const char *from)
{
	const struct ir_symbol *known = find_symbol(g, name);
	struct ir_symbol *symbols;

	if (!*name || (known && known->size == size))
		return 0;
	if (known)
		return ir_fail(g, "dimension '%s' is %u by '%s' and %u by '%s': it has one size in the whole model",
			       name, known->size, known->from, size, from);
	symbols = reallocarray(g->symbols, g->nr_symbols + 1, sizeof(*symbols));
	if (!symbols)
		return ir_nomem(g);
	g->symbols = symbols;
	symbols[g->nr_symbols++] = (struct ir_symbol){ .name = name, .from = from, .size = size };
	return 0;
}

/* Shape @rank, @dims of @in against the model's, which learns from it. */
static int settle(struct ir_graph *g, const struct input *in, const char *what, uint32_t rank, const uint32_t *dims)
{
	if (!in->shape)
		return 0;
	if (in->shape->n_dim != rank)
		return ir_fail(g, "input '%s' has %zu dimensions in the model, %u in the %s given", in->name,
			       in->shape->n_dim, rank, what);
	for (uint32_t d = 0; d < rank; d++) {
		const dimension *dim = in->shape->dim[d];

		if (has_number(dim) && dim->dim_value != dims[d])
			return ir_fail(g, "input '%s': dimension %u is %lld in the model, %u in the %s given", in->name,
				       d, (long long)dim->dim_value, dims[d], what);
		if (set_symbol(g, symbol_name(dim), dims[d], in->name))
			return -1;
	}
	return 0;
}

static int settle_given(struct ir_graph *g, const struct input *in)
{
	const struct onsram_shape *s = in->sizes;
	const struct onsram_array *a = in->given;

	if (s && a && (s->rank != a->rank || memcmp(s->dims, a->dims, s->rank * sizeof(s->dims[0]))))
		return ir_fail(g, "input '%s': the shape given is not that of the contents given", in->name);
	if (s && settle(g, in, "shape", s->rank, s->dims))
		return -1;
	return a ? settle(g, in, "contents", a->rank, a->dims) : 0;
}

/* The sizes of @in: as given, as declared, by name. Return: their number, or -1 */
static int resolve(struct ir_graph *g, const struct input *in, int64_t *dims)
{
	const uint32_t *given = in->given ? in->given->dims : in->sizes ? in->sizes->dims : NULL;
	uint32_t rank = in->shape ? in->shape->n_dim : in->given ? in->given->rank : in->sizes ? in->sizes->rank : 0;

	if (!in->shape && !given)
		return ir_fail(g, "input '%s' has no shape: give its contents (--input) or its shape (--shape %s=...)",
			       in->name, in->name);
	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "input '%s' has %u dimensions; at most %d are supported", in->name, rank,
			       ONSRAM_MAX_RANK);
	for (uint32_t d = 0; d < rank; d++) {
		const dimension *dim = in->shape ? in->shape->dim[d] : NULL;
		const struct ir_symbol *symbol = dim ? find_symbol(g, symbol_name(dim)) : NULL;

		if (given)
			dims[d] = given[d];
		else if (has_number(dim))
			dims[d] = dim->dim_value;
		else if (symbol)
			dims[d] = symbol->size;
		else
			return ir_fail(g, "input '%s': dimension %u, '%s', has no size: give the input's contents (--input) or its shape (--shape %s=...)",
				       in->name, d, symbol_name(dim), in->name);
	}
	return rank;
}

static int read_input(struct ir_graph *g, const Onnx__ValueInfoProto *info, uint32_t index, struct input *in)
{
	const Onnx__TypeProto *type = info->type;
	char what[80];

	if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return ir_fail(g, "input '%s' is not a tensor", in->name);
	snprintf(what, sizeof(what), "input '%.64s'", in->name);
	in->dtype = ir_dtype(g, type->tensor_type->elem_type, what);
	if (!in->dtype)
		return -1;
	in->shape = type->tensor_type->shape;
	if (index < g->opt.nr_inputs)
		in->given = &g->opt.inputs[index];
	for (uint32_t i = 0; i < g->opt.nr_shapes; i++)
		if (!strcmp(g->opt.shapes[i].name, in->name))
			in->sizes = &g->opt.shapes[i];
	return 0;
}

static bool names_dimension(const struct input *in, uint32_t nr, const char *name)
{
	for (uint32_t i = 0; i < nr; i++)
		for (size_t d = 0; in[i].shape && d < in[i].shape->n_dim; d++)
			if (!strcmp(symbol_name(in[i].shape->dim[d]), name))
				return true;
	return false;
}

/* A shape given names an input, or a dimension of one. */
static int settle_shape(struct ir_graph *g, const struct input *in, uint32_t nr, const struct onsram_shape *s)
{
	for (uint32_t i = 0; i < nr; i++)
		if (in[i].sizes == s)
			return 0;
		else if (in[i].sizes && !strcmp(in[i].sizes->name, s->name))
			return ir_fail(g, "two shapes are given for '%s'", s->name);
	if (!names_dimension(in, nr, s->name))
		return ir_fail(g, "a shape is given for '%s', which is neither an input of the model nor a dimension of one",
			       s->name);
	if (s->rank != 1)
		return ir_fail(g, "%u sizes are given for dimension '%s'", s->rank, s->name);
	return set_symbol(g, s->name, s->dims[0], s->name);
}

/* The contents given for @in as a constant. */
static int add_constant(struct ir_graph *g, const struct input *in, uint32_t rank, const int64_t *dims, ir_value *v)
{
	struct onsram_array a = *in->given;

	a.data = malloc(a.bytes ? a.bytes : 1);
	if (!a.data)
		return ir_nomem(g);
	if (a.bytes)
		memcpy(a.data, in->given->data, a.bytes);
	if (a.dtype == ONSRAM_DTYPE_F16 && onsram_array_convert(&a, ONSRAM_DTYPE_F32)) {
		free(a.data);
		return ir_nomem(g);
	}
	if (a.dtype != in->dtype) {
		free(a.data);
		return ir_fail(g, "input '%s' is %s in the model, the contents given are %s", in->name,
			       view_dtype_name(in->dtype), view_dtype_name(a.dtype));
	}
	return ir_const_new(g, in->name, a.dtype, rank, dims, a.data, v);
}

static int add_input(struct ir_graph *g, const struct input *in)
{
	uint32_t index = g->nr_inputs;
	int64_t dims[ONSRAM_MAX_RANK];
	int rank = resolve(g, in, dims);
	ir_value v;

	if (rank < 0 || ir_tensor_new(g, in->name, ONSRAM_ROLE_INPUT, in->dtype, rank, dims, &v))
		return -1;
	g->inputs[g->nr_inputs++] = v.bo;
	if (in->given && g->pinned[index]) {
		g->tensors[v.bo].given = in->given;
		if (add_constant(g, in, rank, dims, &v))
			return -1;
	}
	return ir_bind(g, in->name, &v);
}

static int add_all(struct ir_graph *g, const struct input *in, uint32_t nr)
{
	for (uint32_t i = 0; i < g->opt.nr_shapes; i++)
		if (settle_shape(g, in, nr, &g->opt.shapes[i]))
			return -1;
	for (uint32_t i = 0; i < nr; i++)
		if (settle_given(g, &in[i]))
			return -1;
	for (uint32_t i = 0; i < nr; i++)
		if (add_input(g, &in[i]))
			return -1;
	return 0;
}

int inputs_add(struct ir_graph *g, const Onnx__GraphProto *graph)
{
	struct input *in = calloc(graph->n_input ? graph->n_input : 1, sizeof(*in));
	uint32_t nr = 0;
	int ret = 0;

	g->inputs = calloc(graph->n_input ? graph->n_input : 1, sizeof(*g->inputs));
	if (!in || !g->inputs)
		ret = ir_nomem(g);
	for (size_t i = 0; i < graph->n_input && !ret; i++) {
		const char *name = graph->input[i]->name ? graph->input[i]->name : "";

		/* Old models list initializers among the inputs; those are no inputs to us. */
		if (ir_lookup(g, name))
			continue;
		in[nr].name = name;
		ret = read_input(g, graph->input[i], nr, &in[nr]);
		nr++;
	}
	if (!ret)
		ret = add_all(g, in, nr);
	free(in);
	return ret;
}
