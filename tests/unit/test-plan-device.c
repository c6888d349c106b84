// SPDX-License-Identifier: MIT
/*
 * Plans as the driver carries them out: a run costs what the planner says, to the
 * picosecond, the first one and each one after it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/onsram_netlink.h>

#include "graphs.h"
#include "plan-device.h"

static struct graph g;

static void check_run(struct plan_device *d, const struct onsram_model *m, const struct onsram_plan *p,
		      bool again, struct plan_device_run *sum)
{
	struct onsram_plan_graph pg = graph_of(&g);
	struct plan_device_run run = plan_device_run(d);
	struct onsram_price price;

	assert_int_equal(onsram_plan_price(m, &pg, p->intervals, p->nr_intervals, again, &price), 0);
	assert_int_equal(price.time_ps, again ? p->time_ps_again : p->time_ps);
	assert_int_equal(run.dram_read_bytes, price.dram_read_bytes);
	assert_int_equal(run.dram_write_bytes, price.dram_write_bytes);
	assert_int_equal(run.time_ps, price.time_ps);
	sum->parts += run.parts;
	sum->beside += run.beside;
}

/* What its runs come to is added to @sum */
static void carry_out_plan(const struct onsram_model *m, struct onsram_plan *p,
			   struct plan_device_run *sum)
{
	struct plan_device_interval *iv;
	struct plan_device_tensor *tensors = calloc(g.nr_tensors, sizeof(*tensors));
	struct plan_device *d;

	assert_non_null(p);
	iv = calloc(p->nr_intervals + 1, sizeof(*iv));
	assert_true(tensors && iv);
	for (uint32_t t = 0; t < g.nr_tensors; t++)
		tensors[t] = (struct plan_device_tensor){ g.tensors[t].bytes, g.tensors[t].flags };
	for (uint32_t k = 0; k < p->nr_intervals; k++) {
		const struct onsram_interval *i = &p->intervals[k];

		iv[k] = (struct plan_device_interval){
			i->tensor, i->first_op, i->last_op, i->flags, i->offset, i->bytes, i->begin,
			i->reserve_op, i->release_op,
		};
	}
	d = plan_device_new(m, g.ops, g.nr_ops, tensors, g.nr_tensors);
	plan_device_plan(d, iv, p->nr_intervals);
	for (uint32_t run = 0; run < 3; run++)
		check_run(d, m, p, run, sum);
	/* and behind another client */
	plan_device_hand_over(d);
	check_run(d, m, p, false, sum);
	plan_device_free(d);
	onsram_plan_free(p);
	free(tensors);
	free(iv);
}

static void carry_out(const struct onsram_model *m, const struct onsram_plan_options *opt,
		      struct plan_device_run *sum)
{
	struct onsram_plan_graph pg = graph_of(&g);

	carry_out_plan(m, onsram_plan_static(m, &pg, opt), sum);
}

static const struct onsram_plan_options options[] = {
	{ 0 }, { .whole = true }, { .synchronous = true }, { .synchronous = true, .whole = true },
};

/* All kinds of plans */
static void carry_out_all(const struct onsram_model *m, struct plan_device_run *sum)
{
	for (uint32_t i = 0; i < 4; i++)
		carry_out(m, &options[i], &sum[i]);
}

static void check_sums(const struct plan_device_run *sum, uint32_t parts, uint32_t beside)
{
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(sum[i].parts > parts, !options[i].whole);
		assert_int_equal(sum[i].beside > beside, !options[i].synchronous);
	}
}

/* Return: stays over what dies */
static uint32_t carry_out_published(const struct onsram_model *m)
{
	struct onsram_plan_graph pg = graph_of(&g);
	struct onsram_plan *p = onsram_plan_paper(m, &pg, NULL);
	struct plan_device_run sum = { 0 };
	uint32_t over = 0;

	assert_non_null(p);
	for (uint32_t k = 0; k < p->nr_intervals; k++)
		over += !!(p->intervals[k].flags & ONSRAM_INTERVAL_OVERWRITE);
	carry_out_plan(m, p, &sum);
	assert_int_equal(sum.parts, 0);
	return over;
}

static void test_random(void **state)
{
	struct plan_device_run sum[4] = { 0 };
	struct onsram_model m;
	uint32_t seed = 99, over = 0;

	(void)state;
	for (uint32_t round = 0; round < 250; round++) {
		onsram_model_init(&m, rnd(&seed) % 4 ? ONSRAM_PRESET_DEFAULT : ONSRAM_PRESET_PAPER);
		m.spm_size = 1024 * (160 + rnd(&seed) % 1500);
		random_graph(&g, 1 + rnd(&seed) % 40, 1 + rnd(&seed) % 700, &seed);
		carry_out_all(&m, sum);
		over += carry_out_published(&m);
	}
	check_sums(sum, 500, 500);
	assert_true(over > 100);
}

/* Tensors that end within a word; an output that is read on, and leaves and comes back */
static void test_odd(void **state)
{
	struct plan_device_run sum[4] = { 0 };
	struct onsram_model m;
	uint32_t x, y, z;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	for (uint32_t elements = 50001; elements < 900000; elements += 77778) {
		memset(&g, 0, sizeof(g));
		x = add_tensor(&g, 2ull * elements, DRM_ONSRAM_TENSOR_CONST);
		y = add_binary(&g, x, x, elements, 0);
		z = add_binary(&g, y, x, elements, DRM_ONSRAM_TENSOR_TRANSIENT);
		for (uint32_t i = 0; i < 6; i++)
			z = add_binary(&g, z, i % 3 ? z : y, elements, DRM_ONSRAM_TENSOR_TRANSIENT);
		add_binary(&g, z, y, elements, 0);
		m.spm_size = (512 + 100 * (elements % 7)) << 10;
		carry_out_all(&m, sum);
	}
	assert_true(sum[0].parts > 0);
}

static void test_densenet(void **state)
{
	struct plan_device_run sum[4] = { 0 };
	struct onsram_model m;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	densenet(&g);
	for (m.spm_size = 512 << 10; m.spm_size <= 8 << 20; m.spm_size *= 2)
		carry_out_all(&m, sum);
	check_sums(sum, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_densenet),
	};

	return cmocka_run_group_tests_name("plan-device", tests, NULL, NULL);
}
