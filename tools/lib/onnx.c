// SPDX-License-Identifier: MIT
/* From an ONNX model to the importer's graph. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "onnx.h"

static const char *text(const char *s)
{
	return s ? s : "";
}

/* The default operator set; set 1 before models could name one, or where they name others only. */
static int64_t find_opset(const Onnx__ModelProto *m)
{
	int64_t opset = 1;

	for (size_t i = 0; i < m->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *o = m->opset_import[i];

		if (!*text(o->domain) || !strcmp(o->domain, "ai.onnx"))
			opset = o->version;
	}
	return opset;
}

static int add_initializer(struct ir_graph *g, Onnx__TensorProto *t)
{
	int64_t dims[ONSRAM_MAX_RANK];
	struct onsram_array a;
	char *err = NULL;
	ir_value v;
	int ret;

	if (proto_tensor(t, &a, &err)) {
		ir_fail(g, "%s", err ? err : "out of memory");
		free(err);
		return -1;
	}
	g->narrowed = g->narrowed || t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
	/* Weights are large, and the model's copy has served. */
	free(t->raw_data.data);
	t->raw_data = (ProtobufCBinaryData){ 0 };
	/* Inside the graph a float is a float: the program stores all of them alike. */
	if (a.dtype == ONSRAM_DTYPE_F16 && onsram_array_convert(&a, ONSRAM_DTYPE_F32)) {
		onsram_array_release(&a);
		return ir_nomem(g);
	}
	for (uint32_t d = 0; d < a.rank; d++)
		dims[d] = a.dims[d];
	ret = ir_const_new(g, a.name, a.dtype, a.rank, dims, a.data, &v);
	a.data = NULL;
	if (!ret)
		ret = ir_bind(g, a.name, &v);
	onsram_array_release(&a);
	return ret;
}

static bool produced_later(const Onnx__GraphProto *graph, size_t node, const char *name)
{
	for (; node < graph->n_node; node++)
		for (size_t i = 0; i < graph->node[node]->n_output; i++)
			if (!strcmp(graph->node[node]->output[i], name))
				return true;
	return false;
}

static int get_inputs(struct ir_graph *g, const Onnx__GraphProto *graph, size_t index, struct ir_node *n)
{
	for (size_t i = 0; i < n->proto->n_input; i++) {
		const char *name = n->proto->input[i];
		const ir_value *v;

		if (!*name) {
			if (i < n->nr_in)
				continue;
			return 0;
		}
		v = ir_lookup(g, name);
		if (!v && produced_later(graph, index, name))
			return ir_fail(g, "input '%s' is produced only by this or a later node: the graph has a cycle, or its nodes are not in order", name);
		if (!v)
			return ir_fail(g, "input '%s' is neither an input of the graph, nor an initializer, nor a supported output of a node before", name);
		n->in[i] = *v;
	}
	return 0;
}

static int add_node(struct ir_graph *g, const Onnx__GraphProto *graph, size_t index)
{
	const Onnx__NodeProto *proto = graph->node[index];
	const char *domain = text(proto->domain);
	const struct lower_rule *rule;
	struct ir_node n = { .proto = proto, .nr_in = proto->n_input };
	int ret = -1;

	g->node_op = text(proto->op_type);
	g->node_name = *text(proto->name) ? proto->name : proto->n_output ? proto->output[0] : "";
	if (*domain && strcmp(domain, "ai.onnx"))
		return ir_fail(g, "operator of domain '%s' is not supported", domain);
	rule = lower_find(g->node_op);
	if (!rule)
		return ir_fail(g, "operator is not supported");
	n.rule = rule;
	if (!proto->n_output || !*proto->output[0])
		return ir_fail(g, "has no output");
	while (n.nr_in && !*proto->input[n.nr_in - 1])
		n.nr_in--;
	if (n.nr_in < rule->min_in || n.nr_in > rule->max_in)
		return ir_fail(g, "has %u inputs, expected %u to %u", n.nr_in, rule->min_in, rule->max_in);
	for (uint32_t i = 0; i < rule->min_in; i++)
		if (!*proto->input[i])
			return ir_fail(g, "input %u is missing", i);
	n.in = calloc(n.nr_in + LOWER_SPARE_INPUTS, sizeof(*n.in));
	if (!n.in)
		return ir_nomem(g);
	if (!get_inputs(g, graph, index, &n))
		ret = rule->lower(g, &n, rule->func);
	free(n.in);
	g->node_op = NULL;
	g->node_name = NULL;
	return ret;
}

/* A graph output is a tensor of its own, dense and whole. */
static int add_output(struct ir_graph *g, const Onnx__ValueInfoProto *info)
{
	const char *name = text(info->name);
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
	g->opset = find_opset(model);
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
		if (add_initializer(g, graph->initializer[i]))
			return -1;
	if (inputs_add(g, graph))
		return -1;
	for (size_t i = 0; i < graph->n_node; i++)
		if (add_node(g, graph, i))
			return -1;
	for (size_t i = 0; i < graph->n_output; i++)
		if (add_output(g, graph->output[i]))
			return -1;
	return 0;
}
