// SPDX-License-Identifier: MIT
/* A run with a plan, step by step. */
#include <stdlib.h>

#include "price.h"

static int harvest(const struct onsram_pricer *p, struct onsram_plan_run *run)
{
	uint32_t nr_ops = p->f->g->nr_ops;

	run->steps = calloc((size_t)nr_ops + 1, sizeof(*run->steps));
	run->moves = calloc((size_t)p->nr_transfers + 1, sizeof(*run->moves));
	if (!run->steps || !run->moves)
		return -1;
	for (uint32_t i = 0; i < nr_ops; i++)
		run->steps[i] = (struct onsram_plan_step){ p->start_ps[i], p->end_ps[i], p->cost[i] };
	for (uint32_t k = 0; k < p->nr_transfers; k++) {
		const struct onsram_transfer *t = &p->transfer[k];
		struct onsram_plan_move *move = &run->moves[run->nr_moves++];

		*move = (struct onsram_plan_move){
			.interval = t->interval, .writeback = t->writeback,
			.start_ps = t->start_ps, .end_ps = t->end_ps,
		};
		onsram_copy_cost(p->f->m, t->bytes, t->writeback, &move->cost);
	}
	return 0;
}

int onsram_plan_carry_out(const struct onsram_model *m, const struct onsram_plan_graph *g,
			  const struct onsram_interval *iv, uint32_t n, bool again,
			  struct onsram_plan_run *run)
{
	struct onsram_pricer p = { 0 };
	struct onsram_flow f;
	int ret = -1;

	*run = (struct onsram_plan_run){ 0 };
	if (!onsram_flow_init(&f, m, g) && !onsram_pricer_init(&p, &f) &&
	    !onsram_pricer_run(&p, iv, n, again, &run->price))
		ret = harvest(&p, run);
	onsram_pricer_fini(&p);
	onsram_flow_fini(&f);
	return ret;
}

void onsram_plan_run_release(struct onsram_plan_run *run)
{
	free(run->steps);
	free(run->moves);
}
