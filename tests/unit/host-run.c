// SPDX-License-Identifier: MIT
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"
#include "host-run.h"

static int fill(struct onsram_exec *exec, const struct onsram_tensor *t, void *data)
{
	struct onsram_exec_tensor operands[ONSRAM_MAX_OPERANDS] = { { .view = t->view, .data = data } };
	struct onsram_attr attr = { .param = { t->fill[0], t->fill[1] } };

	return onsram_exec_run(exec, ONSRAM_OP_FILL, &attr, operands);
}

/* Contents of a tensor before the first operation. Activations are poisoned, so that reading too early shows. */
static void *prepare(struct onsram_exec *exec, const struct onsram_program *p, uint32_t i,
		     const struct onsram_array *in)
{
	const struct onsram_tensor *t = &p->tensors[i];
	void *data = malloc(t->bytes);

	if (!data)
		return NULL;
	memset(data, 0xff, t->bytes);
	if (t->filled)
		return fill(exec, t, data) ? free(data), NULL : data;
	if (t->data)
		memcpy(data, t->data, t->bytes);
	for (uint32_t k = 0; k < p->nr_inputs; k++)
		if (p->inputs[k] == i)
			memcpy(data, in[k].data, t->bytes);
	return data;
}

const char *host_refusal(const struct onsram_program *p, uint32_t i)
{
	const struct drm_onsram_op *op = &p->ops[i].op;
	struct onsram_view views[ONSRAM_MAX_OPERANDS];

	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct drm_onsram_operand *o = &op->operand[s];
		int64_t begin, end;

		views[s] = o->view;
		if (!o->view.dtype)
			continue;
		if (o->bo >= p->nr_tensors || !onsram_view_extent(&o->view, &begin, &end) ||
		    begin + (int64_t)o->offset < 0 || end + o->offset > p->tensors[o->bo].bytes)
			return "an operand lies outside its tensor";
	}
	return onsram_exec_check(op->opcode, &op->attr, views);
}

static int run_op(struct onsram_exec *exec, const struct onsram_program *p, uint32_t i, void *const *data,
		  char **err)
{
	const struct drm_onsram_op *op = &p->ops[i].op;
	struct onsram_exec_tensor operands[ONSRAM_MAX_OPERANDS] = { 0 };
	const char *why = host_refusal(p, i);

	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct drm_onsram_operand *o = &op->operand[s];

		operands[s].view = o->view;
		if (o->view.dtype)
			operands[s].data = (char *)data[o->bo] + o->offset;
	}
	if (!why && onsram_exec_run(exec, op->opcode, &op->attr, operands))
		why = "execution failed";
	if (!why)
		return 0;
	if (asprintf(err, "operation %u (opcode %u, node '%s'): %s", i, op->opcode, p->ops[i].name, why) < 0)
		*err = NULL;
	return -1;
}

/* Whether operation @i is the last that touches tensor @t. */
static bool last_use(const struct onsram_program *p, uint32_t i, uint32_t t)
{
	while (++i < p->nr_ops)
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (p->ops[i].op.operand[s].view.dtype && p->ops[i].op.operand[s].bo == t)
				return false;
	return true;
}

int host_run(const struct onsram_program *p, const struct onsram_array *in, struct onsram_array *out,
	     char **err)
{
	struct onsram_exec *exec = onsram_exec_create();
	void **data = calloc(p->nr_tensors, sizeof(*data));
	int ret = 0;

	*err = NULL;
	for (uint32_t k = 0; k < p->nr_inputs; k++)
		if (in[k].bytes != p->tensors[p->inputs[k]].bytes)
			ret = -1;
	for (uint32_t i = 0; i < p->nr_ops && !ret; i++) {
		const struct drm_onsram_op *op = &p->ops[i].op;

		for (int s = 0; s < ONSRAM_MAX_OPERANDS && !ret; s++) {
			uint32_t t = op->operand[s].bo;

			if (!op->operand[s].view.dtype || data[t])
				continue;
			data[t] = prepare(exec, p, t, in);
			ret = data[t] ? 0 : -1;
		}
		if (!ret)
			ret = run_op(exec, p, i, data, err);
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			uint32_t t = op->operand[s].bo;

			if (!op->operand[s].view.dtype || p->tensors[t].role == ONSRAM_ROLE_OUTPUT || !last_use(p, i, t))
				continue;
			free(data[t]);
			data[t] = NULL;
		}
	}
	for (uint32_t k = 0; k < p->nr_outputs && !ret; k++) {
		const struct onsram_tensor *t = &p->tensors[p->outputs[k]];

		out[k] = (struct onsram_array){
			.name = strdup(t->name), .dtype = t->view.dtype, .rank = t->view.rank,
			.bytes = t->bytes, .data = data[p->outputs[k]],
		};
		memcpy(out[k].dims, t->view.dims, sizeof(out[k].dims));
		data[p->outputs[k]] = NULL;
	}
	for (uint32_t i = 0; i < p->nr_tensors; i++)
		free(data[i]);
	free(data);
	onsram_exec_destroy(exec);
	return ret;
}
