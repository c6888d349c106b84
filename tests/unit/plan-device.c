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

#define COMPUTE	0
#define COPY	1
#define ENGINES	2

struct command {
	struct onsram_hw_cmd cmd;
	struct onsram_hw_windows windows;
	enum onsram_push kind;
	const struct op *op;
};

/* A ring: @run of the @pushed commands have completed, or all but the one under way */
struct ring {
	struct command *command;
	uint32_t pushed;
	uint32_t run;
	bool busy;
	uint64_t sem;
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
	struct ring ring[ENGINES];
	uint32_t most;			/* commands a ring has room for */
	struct onsram_fluid fluid;
	uint64_t scrub_ps;
	struct plan_device_run *result;
};

static uint64_t staging(const struct plan_device *d)
{
	uint64_t free = 0;

	for (uint32_t g = 0; g < d->spm.granules; g++)
		free += d->assigned[g] ? 0 : ONSRAM_SPM_GRANULE;
	return free;
}

static void op_cost(struct plan_device *d, const struct command *c, struct onsram_cost *cost)
{
	uint64_t resident[ONSRAM_MAX_OPERANDS] = { 0 };

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct onsram_hw_operand *o = &c->cmd.operand[s];
		const struct onsram_hw_window *w = &c->windows.slot[s];

		if (o->addr & ONSRAM_ADDR_SPM)
			resident[s] = UINT64_MAX;
		else if (w->bytes)
			resident[s] = onsram_slot_resident(&o->view, o->addr, w->va, w->bytes);
		d->result->parts += !!w->bytes;
	}
	onsram_op_cost(&d->m, &c->op->perf, resident, staging(d), cost);
}

/* Return: whether it takes time */
static bool begin(struct plan_device *d, uint32_t engine, const struct command *c)
{
	struct onsram_cost cost;

	switch (c->kind) {
	case ONSRAM_PUSH_ASSIGN:
		for (u64 at = 0; at < c->cmd.arg[1]; at += ONSRAM_SPM_GRANULE)
			d->assigned[(c->cmd.arg[0] + at) / ONSRAM_SPM_GRANULE] = !(c->cmd.arg[2] & ONSRAM_ASSIGN_RELEASE);
		if (!(c->cmd.arg[2] & ONSRAM_ASSIGN_SCRUB))
			return false;
		cost = (struct onsram_cost){
			.spm_ps = (c->cmd.arg[1] * 1000000000000 + d->m.spm_bw - 1) / d->m.spm_bw,
		};
		d->scrub_ps += cost.spm_ps;
		break;
	case ONSRAM_PUSH_WAIT:
		return false;
	case ONSRAM_PUSH_OP:
		op_cost(d, c, &cost);
		break;
	default:
		onsram_copy_cost(&d->m, c->cmd.operand[0].view.dims[0] * 4ull,
				 c->kind == ONSRAM_PUSH_WRITEBACK, &cost);
		/* beside an operation */
		d->result->beside += d->ring[!engine].busy;
	}
	d->result->dram_read_bytes += cost.dram_read_bytes;
	d->result->dram_write_bytes += cost.dram_write_bytes;
	onsram_fluid_start(&d->fluid, engine, &cost);
	return true;
}

static bool startable(const struct plan_device *d, uint32_t engine)
{
	const struct ring *ring = &d->ring[engine];
	const struct onsram_hw_cmd *cmd = &ring->command[ring->run].cmd;

	if (ring->busy || ring->run == ring->pushed)
		return false;
	return !(cmd->flags & ONSRAM_CMDF_WAIT) || d->ring[cmd->wait_sem].sem >= cmd->wait_value;
}

static void complete(struct ring *ring)
{
	ring->busy = false;
	ring->sem = ring->command[ring->run++].cmd.seq;
}

/* As the device does: whatever can start at a time does, then time goes on */
static void run_rings(struct plan_device *d)
{
	int engine = 0;

	onsram_fluid_init(&d->fluid, &d->m);
	while (engine >= 0) {
		bool more = true;

		while (more) {
			more = false;
			for (uint32_t e = 0; e < ENGINES; e++) {
				struct ring *ring = &d->ring[e];

				if (!startable(d, e))
					continue;
				more = true;
				ring->busy = begin(d, e, &ring->command[ring->run]);
				if (!ring->busy)
					complete(ring);
			}
		}
		engine = onsram_fluid_next(&d->fluid);
		if (engine >= 0)
			complete(&d->ring[engine]);
	}
	d->result->time_ps = d->fluid.now_ps - d->scrub_ps;
	d->scrub_ps = 0;
	for (uint32_t e = 0; e < ENGINES; e++) {
		assert_int_equal(d->ring[e].run, d->ring[e].pushed);
		d->spm.order.done[e] = d->spm.order.seq[e];
		d->ring[e].run = 0;
		d->ring[e].pushed = 0;
	}
}

static void push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		 const struct onsram_hw_windows *windows, const struct onsram_action *action)
{
	struct plan_device *d = container_of(emit, struct plan_device, emit);
	struct ring *ring = &d->ring[action->engine];
	struct command *c;

	assert_true(ring->pushed < d->most);
	c = &ring->command[ring->pushed++];
	*c = (struct command){ .cmd = *cmd, .kind = action->kind, .op = d->op };
	if (windows)
		c->windows = *windows;
}

/* As the driver puts a job's first and last command down */
static void push_nop(struct plan_device *d, uint64_t copied)
{
	struct onsram_hw_cmd nop = { .opcode = ONSRAM_CMD_NOP };
	struct onsram_action action = { .kind = ONSRAM_PUSH_WAIT, .engine = COMPUTE };
	const struct onsram_needs needs = { .seq[COPY] = copied };

	onsram_order_push(&d->spm.order, &d->emit, &nop, NULL, &action, &needs);
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
	d->emit.engine = COMPUTE;
	d->emit.mover = COPY;
	d->most = 64 * nr_ops + 20000;
	for (uint32_t e = 0; e < ENGINES; e++) {
		d->ring[e].command = calloc(d->most, sizeof(*d->ring[e].command));
		assert_non_null(d->ring[e].command);
	}
	d->client = (struct onsram_residency_client){ .id = 1, .asid = 1, .stats = &d->stats };
	assert_int_equal(onsram_spm_init(&d->spm, m->spm_size, ENGINES), 0);
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

void plan_device_hand_over(struct plan_device *d)
{
	for (uint32_t t = 0; t < d->graph.nr_tensors; t++)
		onsram_residency_discard(&d->spm, &d->res[t]);
	for (uint32_t g = 0; g < d->spm.granules; g++)
		d->spm.owner[g] = d->client.id + 1;
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
			.begin = iv[k].begin, .reserve_op = iv[k].reserve_op,
			.release_op = iv[k].release_op,
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
	push_nop(d, 0);
	for (uint32_t i = 0; i < d->graph.nr_ops; i++) {
		d->op = &d->ops[i];
		onsram_residency_op(&d->spm, &d->emit, &d->run, &d->ops[i].residency);
	}
	push_nop(d, d->spm.order.seq[COPY]);
	run_rings(d);
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
	for (uint32_t e = 0; e < ENGINES; e++)
		free(d->ring[e].command);
	free(d);
}
