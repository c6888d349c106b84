// SPDX-License-Identifier: MIT
/* Nodes in their order: of the graph, of branch and loop bodies, of functions. */
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "onnx.h"

/* Bodies and functions nest this deep at most: a function may not call itself. */
#define MAX_DEPTH 32

int64_t find_opset(Onnx__OperatorSetIdProto *const *sets, size_t nr)
{
	int64_t opset = 1;

	for (size_t i = 0; i < nr; i++)
		if (!*proto_text(sets[i]->domain) || !strcmp(sets[i]->domain, "ai.onnx"))
			opset = sets[i]->version;
	return opset;
}

static bool produced_later(Onnx__NodeProto *const *nodes, size_t nr, size_t from, const char *name)
{
	for (; from < nr; from++)
		for (size_t i = 0; i < nodes[from]->n_output; i++)
			if (!strcmp(nodes[from]->output[i], name))
				return true;
	return false;
}

static int get_inputs(struct ir_graph *g, Onnx__NodeProto *const *nodes, size_t nr, size_t index, struct ir_node *n)
{
	for (size_t i = 0; i < n->nr_in; i++) {
		const char *name = n->proto->input[i];
		const ir_value *v;

		if (!*name)
			continue;
		v = ir_lookup(g, name);
		if (!v && produced_later(nodes, nr, index, name))
			return ir_fail(g, "input '%s' is produced only by this or a later node: the graph has a cycle, or its nodes are not in order", name);
		if (!v)
			return ir_fail(g, "input '%s' is neither an input of the graph, nor an initializer, nor a supported output of a node before", name);
		n->in[i] = *v;
	}
	return 0;
}

static const Onnx__FunctionProto *find_function(const struct ir_graph *g, const Onnx__NodeProto *n)
{
	const Onnx__ModelProto *m = g->model;

	for (size_t i = 0; i < m->n_functions; i++)
		if (!strcmp(proto_text(m->functions[i]->name), proto_text(n->op_type)) &&
		    !strcmp(proto_text(m->functions[i]->domain), proto_text(n->domain)))
			return m->functions[i];
	return NULL;
}

/* The innermost function around. */
static const struct ir_scope *function_scope(const struct ir_graph *g)
{
	const struct ir_scope *scope = g->scope;

	while (scope && !scope->function)
		scope = scope->outer;
	return scope;
}

/*
 * Attributes of a node in a function that stand for those of the call get its
 * values; those that the call does not have are absent. @own is a copy of the
 * node whose attributes the caller frees.
 */
static int take_attributes(struct ir_graph *g, const Onnx__NodeProto *n, Onnx__NodeProto *own, Onnx__AttributeProto *copies)
{
	const struct ir_scope *scope = function_scope(g);
	size_t nr = 0;

	*own = *n;
	own->attribute = calloc(n->n_attribute + 1, sizeof(*own->attribute));
	if (!own->attribute)
		return ir_nomem(g);
	for (size_t i = 0; i < n->n_attribute; i++) {
		Onnx__AttributeProto *a = n->attribute[i];
		const Onnx__AttributeProto *given;

		if (!*proto_text(a->ref_attr_name)) {
			own->attribute[nr++] = a;
			continue;
		}
		given = scope ? proto_attr(scope->call, a->ref_attr_name) : NULL;
		if (!given)
			continue;
		copies[i] = *given;
		copies[i].name = a->name;
		own->attribute[nr++] = &copies[i];
	}
	own->n_attribute = nr;
	return 0;
}

/* Lower the nodes of @f as called by @n. */
static int call(struct ir_graph *g, const struct ir_node *n, const Onnx__FunctionProto *f)
{
	int64_t opset = g->opset;
	ir_value *out = calloc(f->n_output + 1, sizeof(*out));
	int ret = 0;

	if (!out)
		return ir_nomem(g);
	if (n->nr_in > f->n_input || n->proto->n_output > f->n_output)
		ret = ir_fail(g, "has more inputs or outputs than the function");
	if (ret || ir_scope_enter(g, f, n->proto)) {
		free(out);
		return -1;
	}
	if (f->n_opset_import)
		g->opset = find_opset(f->opset_import, f->n_opset_import);
	for (size_t i = 0; i < n->nr_in && !ret; i++)
		if (n->in[i].view.dtype)
			ret = ir_bind(g, f->input[i], &n->in[i]);
	if (!ret)
		ret = nodes_lower(g, f->node, f->n_node);
	for (size_t i = 0; i < n->proto->n_output && !ret; i++) {
		const ir_value *v = ir_lookup(g, f->output[i]);

		if (v)
			out[i] = *v;
		else if (*n->proto->output[i])
			ret = ir_fail(g, "output '%s' of the function is produced by no node", f->output[i]);
	}
	ir_scope_leave(g);
	g->opset = opset;
	for (size_t i = 0; i < n->proto->n_output && !ret; i++)
		ret = lower_bind(g, n, i, &out[i]);
	free(out);
	return ret;
}

static int lower_node(struct ir_graph *g, struct ir_node *n)
{
	const Onnx__FunctionProto *f = find_function(g, n->proto);
	const char *domain = proto_text(n->proto->domain);
	bool known;

	if (f)
		return call(g, n, f);
	if (*domain && strcmp(domain, "ai.onnx"))
		return ir_fail(g, "operator of domain '%s' is not supported", domain);
	n->rule = lower_find(proto_text(n->proto->op_type), g->opset, &known);
	if (!n->rule && known)
		return ir_fail(g, "operator set %lld does not have this operator", (long long)g->opset);
	if (!n->rule)
		return ir_fail(g, "operator is not supported");
	if (n->nr_in < n->rule->min_in || n->nr_in > n->rule->max_in)
		return ir_fail(g, "has %u inputs, expected %u to %u", n->nr_in, n->rule->min_in, n->rule->max_in);
	for (uint32_t i = 0; i < n->rule->min_in; i++)
		if (!*n->proto->input[i])
			return ir_fail(g, "input %u is missing", i);
	return n->rule->lower(g, n, n->rule->func);
}

static bool has_output(const Onnx__NodeProto *n)
{
	for (size_t i = 0; i < n->n_output; i++)
		if (*n->output[i])
			return true;
	return false;
}

static int add_node(struct ir_graph *g, Onnx__NodeProto *const *nodes, size_t nr, size_t index)
{
	const Onnx__NodeProto *proto = nodes[index];
	Onnx__AttributeProto *copies = calloc(proto->n_attribute + 1, sizeof(*copies));
	Onnx__NodeProto own = { 0 };
	struct ir_node n = { .proto = &own, .nr_in = proto->n_input };
	int ret = -1;

	g->node_op = proto_text(proto->op_type);
	g->node_name = *proto_text(proto->name) ? proto->name : proto->n_output ? proto->output[0] : "";
	while (n.nr_in && !*proto->input[n.nr_in - 1])
		n.nr_in--;
	n.in = calloc(n.nr_in + LOWER_SPARE_INPUTS, sizeof(*n.in));
	if (!copies || !n.in)
		ir_nomem(g);
	else if (!has_output(proto))
		ir_fail(g, "has no output");
	else if (!take_attributes(g, proto, &own, copies) && !get_inputs(g, nodes, nr, index, &n))
		ret = lower_node(g, &n);
	free(own.attribute);
	free(copies);
	free(n.in);
	return ret;
}

int nodes_lower(struct ir_graph *g, Onnx__NodeProto *const *nodes, size_t nr)
{
	const char *op = g->node_op, *name = g->node_name;

	if (g->scope->depth > MAX_DEPTH)
		return ir_fail(g, "bodies and functions nest too deep; a function may not call itself");
	for (size_t i = 0; i < nr; i++)
		if (add_node(g, nodes, nr, i))
			return -1;
	g->node_op = op;
	g->node_name = name;
	return 0;
}
