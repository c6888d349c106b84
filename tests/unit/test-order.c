// SPDX-License-Identifier: MIT
/*
 * Order between engines and what is known of contents, model-checked: random
 * programs over several engines, run in every order that the semaphores allow, and
 * with every command given up in turn.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/bits.h>

#include "ring-sim.h"

#define MAX_NODES	60000

static struct ring_sim sim;

/* A point that the engines can reach together */
struct node {
	bool reached;
	struct ring_memory memory;
};

/* Positions of an engine from where it is to its ring's end */
static u32 positions(u32 e)
{
	return sim.engine[e].pushed - sim.engine[e].run + 1;
}

static u32 nr_nodes(void)
{
	u32 n = 1;

	for (u32 e = 0; e < sim.nr_engines; e++)
		n *= positions(e);
	return n;
}

static void position(u32 index, u32 *run)
{
	for (u32 e = 0; e < sim.nr_engines; e++) {
		run[e] = sim.engine[e].run + index % positions(e);
		index /= positions(e);
	}
}

/* Commands that wait for another engine, over all rings */
static u32 nr_waits(void)
{
	u32 waits = 0;

	for (u32 e = 0; e < sim.nr_engines; e++)
		for (u32 i = 0; i < sim.engine[e].pushed; i++)
			waits += !!(sim.engine[e].ring[i].cmd.flags & ONSRAM_CMDF_WAIT);
	return waits;
}

/*
 * Every order at once: whatever the way to a point, memory is the same there, each
 * operation has read what it should, and nobody waits for ever.
 */
static u32 check_all_orders(void)
{
	u32 n = nr_nodes(), stride[ONSRAM_MAX_ENGINES], visited = 0;
	struct node *nodes;

	nodes = calloc(n, sizeof(*nodes));
	assert_non_null(nodes);
	stride[0] = 1;
	for (u32 e = 1; e < sim.nr_engines; e++)
		stride[e] = stride[e - 1] * positions(e - 1);
	nodes[0].reached = true;
	nodes[0].memory = sim.memory;
	for (u32 i = 0; i < n; i++) {
		u32 run[ONSRAM_MAX_ENGINES], next = 0;

		if (!nodes[i].reached)
			continue;
		visited++;
		position(i, run);
		for (u32 e = 0; e < sim.nr_engines; e++) {
			struct node *to = &nodes[i + stride[e]];
			const struct ring_cmd *c = &sim.engine[e].ring[run[e]];
			struct ring_memory memory = nodes[i].memory;
			u64 inputs = 0;

			if (!ring_runnable(&sim, run, e))
				continue;
			next++;
			assert_true(ring_execute(&sim, &memory, c, &inputs));
			assert_true(inputs == c->expect);
			if (to->reached)
				assert_memory_equal(&to->memory, &memory, sizeof(memory));
			to->reached = true;
			to->memory = memory;
		}
		assert_true(next || i == n - 1);
	}
	assert_true(nodes[n - 1].reached);
	assert_memory_equal(&nodes[n - 1].memory, &sim.truth, sizeof(sim.truth));
	free(nodes);
	return visited;
}

static void test_every_order(void **state)
{
	u32 programs = 0, points = 0, waits = 0, commands = 0, windows = 0, over = 0;

	(void)state;
	for (u32 seed = 1; programs < 400; seed++) {
		ring_init(&sim, 2 + seed % 3, seed);
		sim.lives = true;
		/* part of the program may have run, and been accounted for, before the rest is pushed */
		for (u32 jobs = ring_upto(&sim, 6); jobs; jobs--)
			ring_job(&sim);
		for (u32 steps = ring_upto(&sim, 60); steps && ring_step(&sim); steps--)
			;
		while (nr_nodes() < MAX_NODES / 8)
			ring_job(&sim);
		if (nr_nodes() > MAX_NODES) {
			ring_fini(&sim);
			continue;
		}
		for (u32 e = 0; e < sim.nr_engines; e++)
			commands += sim.engine[e].pushed;
		waits += nr_waits();
		points += check_all_orders();
		windows += sim.windows;
		over += sim.over;
		programs++;
		ring_fini(&sim);
	}
	/* there was something to wait for, and much that need not wait */
	print_message("# %u programs, %u commands, %u waits, %u points\n", programs, commands, waits, points);
	assert_true(waits > programs && waits < commands);
	assert_true(points > programs * 100);
	assert_true(windows > programs / 2);
	assert_true(over > programs);
}

static const struct onsram_hw_cmd *last_on(u32 engine)
{
	return &sim.engine[engine].ring[sim.engine[engine].pushed - 1].cmd;
}

static void one_op(u32 engine, int out, int in)
{
	ring_begin(&sim, engine, ONSRAM_EMIT_WAITS);
	ring_op(&sim, out, in, -1);
}

static void small_tensors(u32 nr_engines)
{
	ring_init(&sim, nr_engines, 1);
	for (u32 t = 0; t < RING_TENSORS; t++) {
		sim.nr_parts[t] = 1;
		sim.res[t].bytes = ONSRAM_SPM_GRANULE;
	}
}

/* Engines with nothing in common run side by side: clients, a prefetch beside operations */
static void test_strangers_do_not_wait(void **state)
{
	(void)state;
	small_tensors(3);
	for (u32 i = 0; i < 8; i++) {
		one_op(0, 0, 2);
		one_op(1, 1, 3);
		one_op(0, 2, 0);
		one_op(1, 3, 1);
	}
	ring_fetch(&sim, 4);
	ring_fetch(&sim, 5);
	assert_int_equal(nr_waits(), 0);
	assert_int_equal(sim.engine[2].pushed, 4);
	ring_fini(&sim);
}

/* Who reads waits for who wrote, not for others who read; who writes waits for them all */
static void test_waits(void **state)
{
	(void)state;
	small_tensors(4);
	one_op(0, 0, -1);
	one_op(0, 2, -1);
	/* not for what the engine did after it */
	one_op(1, 4, 0);
	assert_int_equal(nr_waits(), 1);
	assert_true(last_on(1)->flags & ONSRAM_CMDF_WAIT);
	assert_int_equal(last_on(1)->wait_sem, 0);
	assert_int_equal(last_on(1)->wait_value, last_on(0)->seq - 2);
	one_op(2, 6, 0);
	assert_int_equal(nr_waits(), 2);
	assert_int_equal(last_on(2)->wait_sem, 0);
	/* the writer's own engine is in order; the readers' are two: a NOP and the command */
	one_op(0, 0, -1);
	assert_int_equal(nr_waits(), 4);
	/* what was waited for once is known */
	one_op(0, 0, -1);
	assert_int_equal(nr_waits(), 4);
	/* and what is accounted for needs no wait */
	while (ring_step(&sim))
		;
	one_op(1, 4, 2);
	assert_int_equal(nr_waits(), 4);
	ring_fini(&sim);
}

/* Two engines to wait for, twice: with little room the first wait is for all that there is */
static void test_short_of_waits(void **state)
{
	(void)state;
	for (u32 short_of = 0; short_of < 2; short_of++) {
		small_tensors(4);
		one_op(1, 2, -1);
		one_op(2, 4, -1);
		one_op(1, 0, -1);
		one_op(2, 6, -1);
		ring_begin(&sim, 0, short_of ? 2 * sim.nr_engines : ONSRAM_EMIT_WAITS);
		ring_op(&sim, 2, 2, 4);
		ring_op(&sim, 4, 0, 6);
		assert_int_equal(sim.nops, short_of ? 1 : 2);
		ring_fini(&sim);
	}
}

/* Each loss counts, as long as it is one: once until somebody is told, or it is written anew */
static void test_generation(void **state)
{
	(void)state;
	small_tensors(2);
	for (u32 losses = 1; losses < 4; losses++) {
		sim.fail_one_in = 1;
		for (u32 i = 0; i < 2; i++) {
			one_op(0, 0, -1);
			while (ring_step(&sim))
				;
			assert_int_equal(sim.res[0].generation, losses);
		}
		sim.fail_one_in = 0;
		one_op(0, 0, -1);
		while (ring_step(&sim))
			;
		ring_cpu_reads(&sim, 0);
		assert_false(onsram_residency_is_lost(&sim.res[0]));
	}
	ring_fini(&sim);
}

/* When nothing fails any more, and all is written anew, nothing is left of what went wrong */
static void recover(void)
{
	u64 generation[RING_TENSORS];

	while (ring_step(&sim))
		;
	sim.fail_at = 0;
	sim.fail_one_in = 0;
	for (u32 t = 0; t < RING_TENSORS; t++)
		ring_cpu_writes(&sim, t);
	for (u32 t = 0; t < RING_TENSORS; t++)
		generation[t] = sim.res[t].generation;
	for (u32 jobs = 0; jobs < 12; jobs++)
		ring_job(&sim);
	for (u32 t = 0; t < RING_TENSORS; t++) {
		ring_cpu_reads(&sim, t);
		assert_false(onsram_residency_is_lost(&sim.res[t]));
		assert_int_equal(sim.res[t].generation, generation[t]);
	}
}

/*
 * A program in which a command is given up, one in so many is, or the device is reset
 * before a step. Return: stamp of its last command
 */
static u64 run_program(u32 seed, u64 fail_at, u32 fail_one_in, u32 reset_at)
{
	u64 pushed;
	u32 step = 0;

	ring_init(&sim, 2 + seed % 3, seed);
	sim.fail_at = fail_at;
	sim.fail_one_in = fail_one_in;
	for (u32 jobs = 0; jobs < 12; jobs++) {
		ring_job(&sim);
		for (u32 steps = ring_upto(&sim, 8); steps; steps--) {
			if (++step == reset_at)
				ring_reset(&sim);
			if (!ring_step(&sim))
				break;
		}
		if (ring_upto(&sim, 4) == 0)
			ring_cpu_writes(&sim, ring_upto(&sim, RING_TENSORS));
		if (ring_upto(&sim, 4) == 0)
			ring_cpu_reads(&sim, ring_upto(&sim, RING_TENSORS));
	}
	if (reset_at > step)
		ring_reset(&sim);
	for (u32 t = 0; t < RING_TENSORS; t++)
		ring_cpu_reads(&sim, t);
	pushed = sim.spm.order.stamp;
	recover();
	if (!fail_at && !fail_one_in && !reset_at) {
		/* nothing went wrong, and nobody says so */
		assert_int_equal(sim.false_alarms, 0);
		for (u32 t = 0; t < RING_TENSORS; t++)
			assert_int_equal(sim.res[t].generation, 0);
	}
	ring_fini(&sim);
	return pushed;
}

static void test_given_up(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 150; seed++) {
		u64 pushed = run_program(seed, 0, 0, 0);

		/* stamps start behind 1 */
		for (u64 at = 2; at <= pushed; at++)
			run_program(seed, at, 0, 0);
	}
}

static void test_reset(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 150; seed++)
		for (u32 at = 1; at < 100; at++)
			run_program(seed, 0, 0, at);
}

static void test_everything_goes_wrong(void **state)
{
	(void)state;
	for (u32 seed = 1; seed <= 8000; seed++)
		run_program(seed, 0, 2 + seed % 30, seed % 3 ? 0 : 1 + seed % 97);
}

#define test(f)	cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_strangers_do_not_wait),
		test(test_waits),
		test(test_short_of_waits),
		test(test_generation),
		test(test_every_order),
		test(test_given_up),
		test(test_reset),
		test(test_everything_goes_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
