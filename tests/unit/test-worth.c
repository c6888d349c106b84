// SPDX-License-Identifier: MIT
/* What stays are worth, against plans priced with and without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <linux/onsram_netlink.h>

#include "graphs.h"

static struct graph graph;
static struct onsram_worth worth[GRAPH_MAX_TENSORS];

static uint64_t price(const struct onsram_model *m, const struct onsram_plan_graph *g,
		      const struct onsram_interval *iv, uint32_t n, uint32_t tensor, uint64_t *dram)
{
	struct onsram_interval *rest = calloc(n + 1, sizeof(*rest));
	struct onsram_price p;
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++)
		if (iv[i].tensor != tensor)
			rest[k++] = iv[i];
	assert_int_equal(onsram_plan_price(m, g, rest, k, false, &p), 0);
	free(rest);
	*dram = p.dram_read_bytes + p.dram_write_bytes;
	return p.time_ps;
}

static void check(const struct onsram_model *m, const struct onsram_plan_graph *g)
{
	struct onsram_plan *plan = onsram_plan_static(m, g, NULL);
	uint64_t dram, all = price(m, g, plan->intervals, plan->nr_intervals, UINT32_MAX, &dram);

	assert_int_equal(onsram_plan_worth(m, g, plan->intervals, plan->nr_intervals, false, worth), 0);
	for (uint32_t t = 0; t < g->nr_tensors; t++) {
		const struct onsram_worth *w = &worth[t];
		uint64_t bytes, time = price(m, g, plan->intervals, plan->nr_intervals, t, &bytes), freed = 0;

		assert_int_equal(w->saves_ps, (int64_t)(time - all));
		assert_int_equal(w->saves_bytes, (int64_t)(bytes - dram));
		for (uint32_t i = 0; i < w->nr_displaced; i++) {
			uint32_t there = 0;

			assert_int_not_equal(w->displaced[i], t);
			for (uint32_t k = 0; k < plan->nr_intervals; k++)
				if (plan->intervals[k].tensor == w->displaced[i] &&
				    plan->intervals[k].reserve_op <= w->full_op &&
				    plan->intervals[k].release_op > w->full_op)
					there += plan->intervals[k].bytes;
			assert_true(there > 0);
			freed += there;
		}
		if (!w->missing_bytes)
			assert_int_equal(w->nr_displaced, 0);
		else
			assert_true(freed >= w->missing_bytes || w->nr_displaced > 0);
	}
	onsram_plan_free(plan);
}

static void test_random(void **state)
{
	struct onsram_model m;
	uint32_t seed = 4242;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.spm_size = 384 << 10;
	for (int i = 0; i < 25; i++) {
		random_graph(&graph, 3 + rnd(&seed) % 30, 250, &seed);
		check(&m, &(struct onsram_plan_graph){ graph.ops, graph.nr_ops, graph.tensors, graph.nr_tensors });
	}
}

/* a and b are read at the end: room for one of them */
static void test_displaced(void **state)
{
	struct onsram_model m;
	uint32_t x, a, b, y;
	struct onsram_interval iv = { .first_op = 0, .last_op = 3, .release_op = 4 };
	struct onsram_plan_graph g;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	m.spm_size = ONSRAM_STAGING_MIN + (100 << 10);
	memset(&graph, 0, sizeof(graph));
	x = add_tensor(&graph, 96 << 10, 0);
	a = add_binary(&graph, x, x, 48 << 10, DRM_ONSRAM_TENSOR_TRANSIENT);
	b = add_binary(&graph, x, x, 40 << 10, DRM_ONSRAM_TENSOR_TRANSIENT);
	y = add_binary(&graph, x, b, 40 << 10, DRM_ONSRAM_TENSOR_TRANSIENT);
	add_binary(&graph, a, y, 40 << 10, 0);
	g = graph_of(&graph);
	iv.tensor = a;
	iv.bytes = 96 << 10;
	assert_int_equal(onsram_plan_worth(&m, &g, &iv, 1, false, worth), 0);
	assert_true(worth[a].saves_ps > 0);
	/* written and read once each over DRAM: all but a sixth of it is read again */
	assert_int_equal(worth[a].saves_bytes, (96 + 80) << 10);
	assert_int_equal(worth[a].would_save_ps, 0);
	assert_true(worth[b].would_save_ps > 0);
	assert_int_equal(worth[b].missing_bytes, (96 + 80 - 100) << 10);
	assert_int_equal(worth[b].full_op, 1);
	assert_int_equal(worth[b].nr_displaced, 1);
	assert_int_equal(worth[b].displaced[0], a);
	/* nothing uses it twice */
	assert_int_equal(worth[graph.nr_tensors - 1].would_save_ps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_displaced) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
