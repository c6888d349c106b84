// SPDX-License-Identifier: MIT
/* From an ONNX model to the importer's graph. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "onnx.h"

static int bind_array(struct ir_graph *g, struct onsram_array *a)
{
	int64_t dims[ONSRAM_MAX_RANK];
	ir_value v;

	/* Inside the graph a float is a float: the program stores all of them alike. */
	if (a->dtype == ONSRAM_DTYPE_F16 && onsram_array_convert(a, ONSRAM_DTYPE_F32))
		return ir_nomem(g);
	for (uint32_t d = 0; d < a->rank; d++)
		dims[d] = a->dims[d];
	if (ir_const_new(g, a->name, a->dtype, a->rank, dims, a->data, &v)) {
		a->data = NULL;
		return -1;
	}
	a->data = NULL;
	return ir_bind(g, a->name, &v);
}

int initializer_again(struct ir_graph *g, const Onnx__TensorProto *t)
{
	struct onsram_array a;
	char *err = NULL;
	int ret;

	if (proto_tensor(t, &a, &err)) {
		ir_fail(g, "%s", err ? err : "out of memory");
		free(err);
		return -1;
	}
	g->narrowed = g->narrowed || t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
	ret = bind_array(g, &a);
	onsram_array_release(&a);
	return ret;
}

int initializer_add(struct ir_graph *g, Onnx__TensorProto *t)
{
	int ret = initializer_again(g, t);

	/* Weights are large, and the model's copy has served. */
	free(t->raw_data.data);
	t->raw_data = (ProtobufCBinaryData){ 0 };
	return ret;
}

/* A graph output is a tensor of its own, dense and whole. */
static int add_output(struct ir_graph *g, const Onnx__ValueInfoProto *info)
{
	const char *name = proto_text(info->name);
	const ir_value *found = ir_lookup(g, name);
	struct drm_onsram_op copy = { .opcode = ONSRAM_OP_COPY };
	int64_t dims[ONSRAM_MAX_RANK];
	struct ir_tensor *t;
	ir_value v;

	if (!found)
		return ir_fail(g, "output '%s' of the graph is produced by no node", name);
	for (uint32_t i = 0; i < g->nr_outputs; i++)
		if (!strcmp(g->tensors[g->outputs[i]].name, name))
			return ir_fail(g, "output '%s' of the graph is declared twice", name);
	v = *found;
	t = &g->tensors[v.bo];
	if (t->role != ONSRAM_ROLE_ACTIVATION || v.offset || !view_is_dense(&v.view) ||
	    view_count(&v.view) != view_count(&t->view)) {
		for (uint32_t d = 0; d < v.view.rank; d++)
			dims[d] = v.view.dims[d];
		copy.operand[1] = v;
		if (ir_tensor_new(g, name, ONSRAM_ROLE_OUTPUT, v.view.dtype, v.view.rank, dims, &v))
			return -1;
		copy.operand[0] = v;
		if (ir_push(g, &copy))
			return -1;
		t = &g->tensors[v.bo];
	}
	free(t->name);
	t->name = strdup(name);
	if (!t->name)
		return ir_nomem(g);
	t->role = ONSRAM_ROLE_OUTPUT;
	view_dense(&t->view, v.view.dtype, v.view.rank, v.view.dims);
	g->outputs[g->nr_outputs++] = v.bo;
	return 0;
}

int onnx_to_graph(struct ir_graph *g, Onnx__ModelProto *model)
{
	const Onnx__GraphProto *graph = model->graph;

	if (!graph)
		return ir_fail(g, "the model has no graph");
	if (!model->n_opset_import && (!model->has_ir_version || model->ir_version >= 3))
		return ir_fail(g, "the model names no operator set");
	g->opset = find_opset(model->opset_import, model->n_opset_import);
	g->model = model;
	if (ir_scope_enter(g, NULL, NULL))
		return -1;
	if (graph->n_sparse_initializer)
		return ir_fail(g, "sparse initializers are not supported");
	if (!graph->n_output)
		return ir_fail(g, "the graph has no output");
	if (graph->n_output > DRM_ONSRAM_MAX_BOS)
		return ir_fail(g, "the graph has %zu outputs; at most %d are supported", graph->n_output,
			       DRM_ONSRAM_MAX_BOS);
	g->outputs = calloc(graph->n_output, sizeof(*g->outputs));
	if (!g->outputs)
		return ir_nomem(g);
	for (size_t i = 0; i < graph->n_initializer; i++)
		if (initializer_add(g, graph->initializer[i]))
			return -1;
	if (inputs_add(g, graph))
		return -1;
	if (nodes_lower(g, graph->node, graph->n_node))
		return -1;
	for (size_t i = 0; i < graph->n_output; i++)
		if (add_output(g, graph->output[i]))
			return -1;
	return 0;
}
