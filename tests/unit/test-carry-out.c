// SPDX-License-Identifier: MIT
/* A run of a plan step by step comes to what the plan was priced at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "graphs.h"

static struct graph graph;

static void check(const struct onsram_model *m, bool again)
{
	const struct onsram_plan_graph g = graph_of(&graph);
	struct onsram_plan *plan = onsram_plan_static(m, &g, NULL);
	struct onsram_plan_run run;
	uint64_t end = 0, read = 0, written = 0, compute = 0;
	struct onsram_price price;

	assert_non_null(plan);
	assert_int_equal(onsram_plan_price(m, &g, plan->intervals, plan->nr_intervals, again, &price), 0);
	assert_int_equal(onsram_plan_carry_out(m, &g, plan->intervals, plan->nr_intervals, again, &run), 0);
	assert_memory_equal(&run.price, &price, sizeof(price));
	for (uint32_t i = 0; i < g.nr_ops; i++) {
		const struct onsram_plan_step *s = &run.steps[i];

		assert_true(s->start_ps >= (i ? s[-1].end_ps : 0));
		/* with others on the channel not faster than alone */
		assert_true(s->end_ps - s->start_ps >= s->cost.time_ps);
		end = s->end_ps > end ? s->end_ps : end;
		read += s->cost.dram_read_bytes;
		written += s->cost.dram_write_bytes;
		compute += s->cost.compute_ps;
	}
	for (uint32_t k = 0; k < run.nr_moves; k++) {
		const struct onsram_plan_move *v = &run.moves[k];
		const struct onsram_interval *iv = &plan->intervals[v->interval];

		assert_true(v->start_ps >= (k ? v[-1].end_ps : 0));
		if (v->writeback) {
			assert_true(v->start_ps >= run.steps[iv->last_op].end_ps);
			assert_true(iv->release_op == g.nr_ops || v->end_ps <= run.steps[iv->release_op].start_ps);
		} else {
			assert_true(iv->reserve_op == 0 || v->start_ps >= run.steps[iv->reserve_op - 1].end_ps);
			assert_true(v->end_ps <= run.steps[iv->first_op].start_ps);
		}
		end = v->end_ps > end ? v->end_ps : end;
		read += v->cost.dram_read_bytes;
		written += v->cost.dram_write_bytes;
		compute += v->cost.compute_ps;
	}
	assert_int_equal(end, price.time_ps);
	assert_int_equal(read, price.dram_read_bytes);
	assert_int_equal(written, price.dram_write_bytes);
	assert_int_equal(compute, price.compute_ps);
	onsram_plan_run_release(&run);
	onsram_plan_free(plan);
}

static void test_random(void **state)
{
	struct onsram_model m;
	uint32_t seed = 99;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.spm_size = 512 << 10;
	for (int i = 0; i < 30; i++) {
		random_graph(&graph, 2 + rnd(&seed) % 40, 200, &seed);
		check(&m, i & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
