// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/err.h>

#include "onsram_plan.h"
#include "onsram_residency.h"
#include "onsram_validate.h"

#include "plan-device.h"

int unit_allocs_left = -1;

struct op {
	struct onsram_perf_op perf;
	struct onsram_hw_cmd cmd;
	struct onsram_residency_op residency;
};

struct plan_device {
	struct onsram_emit emit;
	struct onsram_spm spm;
	struct onsram_residency_client client;
	struct drm_onsram_stats stats;
	struct onsram_residency_run run;
	struct onsram_model m;
	struct onsram_plan_graph graph;
	struct onsram_plan_tensor *tensors;
	struct onsram_residence *res;
	struct op *ops;
	bool *assigned;			/* per granule */
	const struct op *op;		/* being pushed */
	struct plan_device_run *result;
};

static void charge(struct plan_device *d, const struct onsram_cost *cost)
{
	d->result->time_ps += cost->time_ps;
	d->result->dram_read_bytes += cost->dram_read_bytes;
	d->result->dram_write_bytes += cost->dram_write_bytes;
}

static uint64_t staging(const struct plan_device *d)
{
	uint64_t free = 0;

	for (uint32_t g = 0; g < d->spm.granules; g++)
		free += d->assigned[g] ? 0 : ONSRAM_SPM_GRANULE;
	return free;
}

static void push_op(struct plan_device *d, const struct onsram_hw_cmd *cmd,
		    const struct onsram_hw_windows *windows)
{
	uint64_t resident[ONSRAM_MAX_OPERANDS] = { 0 };
	struct onsram_cost cost;

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct onsram_hw_operand *o = &cmd->operand[s];

		if (o->addr & ONSRAM_ADDR_SPM)
			resident[s] = UINT64_MAX;
		else if (windows && windows->slot[s].bytes)
			resident[s] = onsram_slot_resident(&o->view, o->addr, windows->slot[s].va,
							   windows->slot[s].bytes);
		d->result->parts += windows && windows->slot[s].bytes;
	}
	onsram_op_cost(&d->m, &d->op->perf, resident, staging(d), &cost);
	charge(d, &cost);
}

static void push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		 const struct onsram_hw_windows *windows, const struct onsram_action *action)
{
	struct plan_device *d = container_of(emit, struct plan_device, emit);
	struct onsram_cost cost;

	switch (action->kind) {
	case ONSRAM_PUSH_ASSIGN:
		for (uint32_t g = 0; g < action->granules; g++)
			d->assigned[action->start + g] = !(cmd->arg[2] & ONSRAM_ASSIGN_RELEASE);
		break;
	case ONSRAM_PUSH_WRITEBACK:
	case ONSRAM_PUSH_FETCH:
		onsram_copy_cost(&d->m, cmd->operand[0].view.dims[0] * 4ull,
				 action->kind == ONSRAM_PUSH_WRITEBACK, &cost);
		charge(d, &cost);
		break;
	case ONSRAM_PUSH_OP:
		push_op(d, cmd, windows);
		break;
	default:
		/* One engine waits for nobody */
		fail();
	}
}

static struct onsram_residence *tensor_at(const struct onsram_residency_run *run, u32 index)
{
	return &container_of(run, struct plan_device, run)->res[index];
}

/* As the driver prepares a graph's operations */
static void prepare(struct plan_device *d)
{
	bool *seen = calloc(d->graph.nr_tensors, sizeof(*seen));

	assert_non_null(seen);
	for (uint32_t i = 0; i < d->graph.nr_ops; i++) {
		const struct drm_onsram_op *u = &d->graph.ops[i];
		struct op *op = &d->ops[i];

		op->perf = (struct onsram_perf_op){ .opcode = u->opcode, .attr = u->attr };
		op->cmd.opcode = u->opcode;
		op->residency = (struct onsram_residency_op){ .cmd = &op->cmd, .index = i };
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			const struct drm_onsram_operand *o = &u->operand[s];

			op->perf.view[s] = o->view;
			if (!o->view.dtype)
				continue;
			op->residency.res[s] = &d->res[o->bo];
			op->residency.offset[s] = o->offset;
			op->cmd.operand[s].view = o->view;
			op->cmd.operand[s].addr = d->res[o->bo].va + o->offset;
			if (d->tensors[o->bo].flags & DRM_ONSRAM_TENSOR_TRANSIENT && !seen[o->bo])
				op->residency.born |= 1u << s;
		}
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (u->operand[s].view.dtype)
				seen[u->operand[s].bo] = true;
		op->residency.writes_all = onsram_op_writes_all(u, d->tensors[u->operand[0].bo].bytes);
	}
	memset(seen, 0, d->graph.nr_tensors * sizeof(*seen));
	for (uint32_t i = d->graph.nr_ops; i-- > 0;) {
		const struct drm_onsram_op *u = &d->graph.ops[i];

		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (u->operand[s].view.dtype && !seen[u->operand[s].bo] &&
			    d->tensors[u->operand[s].bo].flags & DRM_ONSRAM_TENSOR_TRANSIENT)
				d->ops[i].residency.dies |= 1u << s;
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (u->operand[s].view.dtype)
				seen[u->operand[s].bo] = true;
	}
	free(seen);
}

struct plan_device *plan_device_new(const struct onsram_model *m, const struct drm_onsram_op *ops,
				    uint32_t nr_ops, const struct plan_device_tensor *tensors,
				    uint32_t nr_tensors)
{
	struct plan_device *d = calloc(1, sizeof(*d));
	u64 va = 1 << 20;

	assert_non_null(d);
	d->m = *m;
	d->emit.push = push;
	d->client = (struct onsram_residency_client){ .id = 1, .asid = 1, .stats = &d->stats };
	assert_int_equal(onsram_spm_init(&d->spm, m->spm_size, 1), 0);
	d->tensors = calloc(nr_tensors, sizeof(*d->tensors));
	d->res = calloc(nr_tensors, sizeof(*d->res));
	d->ops = calloc(nr_ops, sizeof(*d->ops));
	d->assigned = calloc(d->spm.granules, sizeof(*d->assigned));
	assert_true(d->tensors && d->res && d->ops && d->assigned);
	for (uint32_t t = 0; t < nr_tensors; t++) {
		d->tensors[t] = (struct onsram_plan_tensor){ tensors[t].bytes, tensors[t].flags };
		onsram_residence_init(&d->res[t], &d->client, va, tensors[t].bytes);
		va += (tensors[t].bytes + 4095) / 4096 * 4096;
	}
	d->graph = (struct onsram_plan_graph){ ops, nr_ops, d->tensors, nr_tensors };
	prepare(d);
	d->run = (struct onsram_residency_run){
		.client = &d->client, .policy = DRM_ONSRAM_POLICY_AGENT,
		.fallback = DRM_ONSRAM_POLICY_NONE, .tensor = tensor_at,
	};
	return d;
}

void plan_device_plan(struct plan_device *d, const struct plan_device_interval *iv, uint32_t n)
{
	struct onsram_plan_interval *copy = calloc(n + 1, sizeof(*copy));
	struct onsram_plan *plan;
	const char *why;

	assert_non_null(copy);
	for (uint32_t k = 0; k < n; k++)
		copy[k] = (struct onsram_plan_interval){
			.tensor = iv[k].tensor, .first_op = iv[k].first_op, .last_op = iv[k].last_op,
			.flags = iv[k].flags, .offset = iv[k].offset, .bytes = iv[k].bytes,
			.begin = iv[k].begin,
		};
	plan = onsram_plan_build(copy, n, &d->graph, d->m.spm_size, &why);
	if (IS_ERR(plan))
		fail_msg("the driver refuses the plan: %s", why ? why : "no memory");
	d->run.plan = plan;
	free(copy);
}

struct plan_device_run plan_device_run(struct plan_device *d)
{
	struct plan_device_run result = { 0 };

	d->result = &result;
	d->emit.waits = ONSRAM_EMIT_WAITS;
	d->emit.room = 100000;
	for (uint32_t i = 0; i < d->graph.nr_ops; i++) {
		d->op = &d->ops[i];
		onsram_residency_op(&d->spm, &d->emit, &d->run, &d->ops[i].residency);
	}
	assert_int_equal(d->stats.fallbacks, 0);
	return result;
}

void plan_device_free(struct plan_device *d)
{
	for (uint32_t t = 0; t < d->graph.nr_tensors; t++)
		onsram_residency_discard(&d->spm, &d->res[t]);
	onsram_plan_put((struct onsram_plan *)d->run.plan);
	onsram_spm_fini(&d->spm);
	free(d->tensors);
	free(d->res);
	free(d->ops);
	free(d->assigned);
	free(d);
}
