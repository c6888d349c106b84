// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "record-plan.h"

static enum onsram_record_kind kind_of(const struct onsram_tensor *t)
{
	switch (t->role) {
	case ONSRAM_ROLE_WEIGHT: return ONSRAM_RECORD_WEIGHT;
	case ONSRAM_ROLE_INPUT: return ONSRAM_RECORD_INPUT;
	case ONSRAM_ROLE_OUTPUT: return ONSRAM_RECORD_OUTPUT;
	default: return ONSRAM_RECORD_ACTIVATION;
	}
}

int record_program(struct onsram_record *r, const struct onsram_model *m, const struct onsram_program *p)
{
	r->spm_size = m->spm_size;
	r->dram_bw = m->dram_bw;
	r->engines = (uint32_t)m->compute_engines + 1;
	r->nr_ops = p->nr_ops;
	r->tensors = calloc((size_t)p->nr_tensors + 1, sizeof(*r->tensors));
	if (!r->tensors)
		return -1;
	for (; r->nr_tensors < p->nr_tensors; r->nr_tensors++) {
		const struct onsram_tensor *t = &p->tensors[r->nr_tensors];

		r->tensors[r->nr_tensors] = (struct onsram_record_tensor){ t->name, kind_of(t), t->bytes };
	}
	return 0;
}

static struct onsram_record_task task_of(const struct onsram_cost *c, uint64_t start_ps, uint64_t end_ps)
{
	return (struct onsram_record_task){
		.start_ps = start_ps, .end_ps = end_ps, .compute_ps = c->compute_ps,
		.dram_read_bytes = c->dram_read_bytes, .dram_write_bytes = c->dram_write_bytes,
		.spm_bytes = c->spm_bytes, .tensor = ONSRAM_RECORD_NONE,
	};
}

static void add_stay(struct onsram_record *r, const struct onsram_plan_run *run, const struct onsram_interval *iv)
{
	r->stays[r->nr_stays++] = (struct onsram_record_stay){
		.tensor = iv->tensor, .begin = iv->begin, .offset = iv->offset, .bytes = iv->bytes,
		.reserve_op = iv->reserve_op, .first_op = iv->first_op, .last_op = iv->last_op,
		.release_op = iv->release_op, .from_ps = run->steps[iv->reserve_op].start_ps,
		.to_ps = iv->release_op < r->nr_ops ? run->steps[iv->release_op].start_ps : r->time_ps,
	};
}

int record_plan(struct onsram_record *r, const struct onsram_model *m, const struct onsram_program *p,
		const struct onsram_plan *plan)
{
	struct onsram_plan_run run = { 0 };
	struct plan_input in;
	int ret = -1;

	if (plan_input_init(&in, p))
		return -1;
	if (onsram_plan_carry_out(m, &in.graph, plan->intervals, plan->nr_intervals, false, &run))
		goto out;
	r->time_ps = run.price.time_ps;
	r->baseline_ps = plan->baseline_ps;
	r->bound_ps = plan->bound_ps;
	r->tasks = calloc((size_t)p->nr_ops + run.nr_moves + 1, sizeof(*r->tasks));
	r->stays = calloc((size_t)plan->nr_intervals + 1, sizeof(*r->stays));
	if (!r->tasks || !r->stays)
		goto out;
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		struct onsram_record_task *t = &r->tasks[r->nr_tasks++];

		*t = task_of(&run.steps[i].cost, run.steps[i].start_ps, run.steps[i].end_ps);
		t->name = p->ops[i].name;
	}
	for (uint32_t k = 0; k < run.nr_moves; k++) {
		const struct onsram_plan_move *move = &run.moves[k];
		struct onsram_record_task *t = &r->tasks[r->nr_tasks++];

		*t = task_of(&move->cost, move->start_ps, move->end_ps);
		t->what = move->writeback ? ONSRAM_RECORD_WRITEBACK : ONSRAM_RECORD_FETCH;
		t->engine = r->engines - 1;
		t->tensor = plan->intervals[move->interval].tensor;
	}
	for (uint32_t k = 0; k < plan->nr_intervals; k++)
		add_stay(r, &run, &plan->intervals[k]);
	ret = 0;
out:
	onsram_plan_run_release(&run);
	plan_input_release(&in);
	return ret;
}

void record_release(struct onsram_record *r)
{
	free(r->tensors);
	free(r->tasks);
	free(r->stays);
}
