// SPDX-License-Identifier: MIT
/* From the importer's graph to the program the device runs. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "onnx.h"
#include "variant.h"

void onsram_program_free(struct onsram_program *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->nr_tensors; i++) {
		free(p->tensors[i].name);
		free(p->tensors[i].data);
	}
	for (uint32_t i = 0; i < p->nr_ops; i++)
		free(p->ops[i].name);
	free(p->tensors);
	free(p->ops);
	free(p->inputs);
	free(p->outputs);
	free(p->name);
	free(p);
}

bool onsram_program_reads_input(const struct onsram_program *p)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		for (int s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
			const struct drm_onsram_operand *o = &p->ops[i].op.operand[s];

			if (o->view.dtype && p->tensors[o->bo].role == ONSRAM_ROLE_INPUT)
				return true;
		}
	return false;
}

/*
 * Mark operations dead whose result nobody asks for, and number the tensors
 * that remain: @index gets each one's number, UINT32_MAX for the others.
 */
static uint32_t number_tensors(struct ir_graph *g, uint32_t *index)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < g->nr_tensors; i++) {
		bool fixed = g->tensors[i].role == ONSRAM_ROLE_INPUT || g->tensors[i].role == ONSRAM_ROLE_OUTPUT;

		index[i] = fixed ? 0 : UINT32_MAX;
	}
	for (uint32_t i = g->nr_ops; i-- > 0;) {
		const struct drm_onsram_op *op = &g->ops[i].op;

		if (index[op->operand[0].bo] == UINT32_MAX)
			g->ops[i].dead = true;
		if (g->ops[i].dead)
			continue;
		for (int s = 1; s < ONSRAM_MAX_OPERANDS; s++)
			if (op->operand[s].view.dtype)
				index[op->operand[s].bo] = 0;
	}
	for (uint32_t i = 0; i < g->nr_tensors; i++)
		if (!index[i])
			index[i] = nr++;
	return nr;
}

/* A name that no tensor has yet: @name, else with a number behind it. */
static char *unique_name(struct names *names, const char *name)
{
	char *out = strdup(name);
	ir_value none = { 0 };

	for (uint32_t i = 2; out && names_find(names, out); i++) {
		free(out);
		if (asprintf(&out, "%s#%u", name, i) < 0)
			out = NULL;
	}
	if (out && names_add(names, out, &none)) {
		free(out);
		out = NULL;
	}
	return out;
}

static uint32_t stored_dtype(const struct ir_graph *g, uint32_t dtype)
{
	return dtype == ONSRAM_DTYPE_F32 ? g->opt.dtype : dtype;
}

/* The contents given for an input, as it is stored. */
static int copy_given(const struct onsram_array *given, struct onsram_tensor *out)
{
	struct onsram_array a = *given;

	a.data = malloc(a.bytes ? a.bytes : 1);
	if (!a.data)
		return -1;
	if (a.bytes)
		memcpy(a.data, given->data, a.bytes);
	if (onsram_array_as(&a, out->view.dtype)) {
		free(a.data);
		return -1;
	}
	out->data = a.data;
	return 0;
}

static int make_tensor(struct ir_graph *g, struct names *names, struct ir_tensor *t, struct onsram_tensor *out)
{
	struct onsram_array a = { .dtype = t->view.dtype, .rank = t->view.rank, .data = t->data };

	out->name = unique_name(names, t->name);
	if (!out->name)
		return ir_nomem(g);
	out->role = t->role;
	out->view = t->view;
	out->view.dtype = stored_dtype(g, t->view.dtype);
	out->bytes = view_count(&t->view) * view_dtype_size(out->view.dtype);
	out->filled = t->filled;
	out->fill[0] = t->fill[0];
	out->fill[1] = t->fill[1];
	if (t->given && copy_given(t->given, out))
		return ir_nomem(g);
	if (t->data) {
		memcpy(a.dims, t->view.dims, sizeof(a.dims));
		if (onsram_array_convert(&a, out->view.dtype))
			return ir_nomem(g);
		out->data = a.data;
		t->data = NULL;
	}
	return 0;
}

static void make_op(const struct ir_graph *g, const struct drm_onsram_op *from, const uint32_t *index,
		    struct drm_onsram_op *to)
{
	*to = *from;
	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct drm_onsram_operand *o = &to->operand[s];

		if (!o->view.dtype) {
			memset(o, 0, sizeof(*o));
			continue;
		}
		o->bo = index[o->bo];
		o->view.dtype = stored_dtype(g, o->view.dtype);
		o->offset *= view_dtype_size(o->view.dtype);
		/* Whatever views were made of, nothing is left beyond the rank. */
		for (uint32_t d = o->view.rank; d < ONSRAM_MAX_RANK; d++) {
			o->view.dims[d] = 0;
			o->view.strides[d] = 0;
		}
		/* The distance to a neighbour that does not exist. */
		for (uint32_t d = 0; d < o->view.rank; d++)
			if (o->view.dims[d] == 1)
				o->view.strides[d] = 0;
	}
}

static int make_program(struct ir_graph *g, const uint32_t *index, uint32_t nr, struct onsram_program *p)
{
	struct names names = { 0 };
	uint32_t nr_ops = 0;
	int ret = 0;

	for (uint32_t i = 0; i < g->nr_ops; i++)
		nr_ops += !g->ops[i].dead;
	if (!nr_ops)
		return ir_fail(g, "the graph computes nothing: its outputs are empty");
	if (nr_ops > DRM_ONSRAM_MAX_OPS)
		return ir_fail(g, "the network has %u operations; the device takes at most %d", nr_ops, DRM_ONSRAM_MAX_OPS);
	if (nr > DRM_ONSRAM_MAX_BOS)
		return ir_fail(g, "the network has %u tensors; the device takes at most %d", nr, DRM_ONSRAM_MAX_BOS);
	p->tensors = calloc(nr, sizeof(*p->tensors));
	p->ops = calloc(nr_ops, sizeof(*p->ops));
	p->inputs = calloc(g->nr_inputs ? g->nr_inputs : 1, sizeof(*p->inputs));
	p->outputs = calloc(g->nr_outputs, sizeof(*p->outputs));
	if (!p->tensors || !p->ops || !p->inputs || !p->outputs)
		return ir_nomem(g);
	p->nr_tensors = nr;
	p->narrowed = g->narrowed;
	/* Inputs and outputs keep the names the model gives them. */
	for (int pass = 0; pass < 2 && !ret; pass++) {
		for (uint32_t i = 0; i < g->nr_tensors && !ret; i++) {
			struct ir_tensor *t = &g->tensors[i];
			bool fixed = t->role == ONSRAM_ROLE_INPUT || t->role == ONSRAM_ROLE_OUTPUT;

			if (index[i] != UINT32_MAX && fixed == !pass)
				ret = make_tensor(g, &names, t, &p->tensors[index[i]]);
		}
	}
	names_release(&names);
	if (ret)
		return -1;
	for (uint32_t i = 0; i < g->nr_ops; i++) {
		if (g->ops[i].dead)
			continue;
		make_op(g, &g->ops[i].op, index, &p->ops[p->nr_ops].op);
		p->ops[p->nr_ops++].name = g->ops[i].name;
		g->ops[i].name = NULL;
	}
	for (uint32_t i = 0; i < g->nr_inputs; i++)
		p->inputs[p->nr_inputs++] = index[g->inputs[i]];
	for (uint32_t i = 0; i < g->nr_outputs; i++)
		p->outputs[p->nr_outputs++] = index[g->outputs[i]];
	return 0;
}

static struct onsram_program *graph_to_program(struct ir_graph *g, const char *name)
{
	struct onsram_program *p = calloc(1, sizeof(*p));
	uint32_t *index = calloc(g->nr_tensors ? g->nr_tensors : 1, sizeof(*index));
	int ret = -1;

	if (p)
		p->name = strdup(name ? name : "");
	if (!p || !p->name || !index)
		ir_nomem(g);
	else
		ret = make_program(g, index, number_tensors(g, index), p);
	free(index);
	if (ret) {
		onsram_program_free(p);
		p = NULL;
	}
	return p;
}

/* Import once. Return: 1 when it is to be done anew, with more of @pinned; else 0 */
static int import(const char *path, const struct onsram_import_options *opt, bool *pinned,
		  struct onsram_program **p, char **err)
{
	struct ir_graph g = { .opt = *opt, .pinned = pinned };
	Onnx__ModelProto *model = (Onnx__ModelProto *)proto_read(path, &onnx__model_proto__descriptor, err);
	int again;

	if (!model)
		return 0;
	if (!onnx_to_graph(&g, model) && !variant(&g) && !fuse(&g))
		*p = graph_to_program(&g, model->graph->name);
	protobuf_c_message_free_unpacked(&model->base, NULL);
	again = !*p && g.pins;
	if (!*p && !again && asprintf(err, "%s: %s", path, g.err ? g.err : "out of memory") < 0)
		*err = NULL;
	ir_free(&g);
	return again;
}

struct onsram_program *onsram_import(const char *path, const struct onsram_import_options *opt, char **err)
{
	struct onsram_program *p = NULL;
	bool *pinned;

	*err = NULL;
	if (opt->dtype != ONSRAM_DTYPE_F32 && opt->dtype != ONSRAM_DTYPE_F16) {
		if (asprintf(err, "%s: floats can be stored as float32 or float16 only", path) < 0)
			*err = NULL;
		return NULL;
	}
	pinned = calloc(opt->nr_inputs + 1, sizeof(*pinned));
	if (!pinned) {
		*err = strdup("out of memory");
		return NULL;
	}
	while (import(path, opt, pinned, &p, err))
		;
	free(pinned);
	return p;
}

int onsram_default_input(const struct onsram_program *p, uint32_t i, struct onsram_array *a, char **err)
{
	const struct onsram_tensor *t;
	uint64_t n;
	float *data;

	memset(a, 0, sizeof(*a));
	*err = NULL;
	if (i >= p->nr_inputs) {
		if (asprintf(err, "the network has no input %u", i) < 0)
			*err = NULL;
		return -1;
	}
	t = &p->tensors[p->inputs[i]];
	if (t->view.dtype != ONSRAM_DTYPE_F32 && t->view.dtype != ONSRAM_DTYPE_F16) {
		if (asprintf(err, "input '%s' is %s: there is a default only for floats, so it must be given", t->name,
			     view_dtype_name(t->view.dtype)) < 0)
			*err = NULL;
		return -1;
	}
	n = view_count(&t->view);
	a->name = strdup(t->name);
	a->dtype = ONSRAM_DTYPE_F32;
	a->rank = t->view.rank;
	memcpy(a->dims, t->view.dims, sizeof(a->dims));
	a->bytes = n * sizeof(float);
	a->data = data = malloc(a->bytes);
	if (a->name && data) {
		for (uint64_t e = 0; e < n; e++)
			data[e] = (double)e / n;
		if (!onsram_array_convert(a, t->view.dtype))
			return 0;
	}
	onsram_array_release(a);
	*err = strdup("out of memory");
	return -1;
}
