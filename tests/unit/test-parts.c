// SPDX-License-Identifier: MIT
/* Parts of tensors in the SPM: what moves when they grow, shrink and move, and what counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/err.h>

#include "onsram_spm.h"
#include "spm-sim.h"

#define K		1024
#define MAX_OPS		4
#define FETCH		ONSRAM_INTERVAL_FETCH
#define KEEP		ONSRAM_INTERVAL_KEEP

static struct sim sim;
static struct sim_slice slices[MAX_OPS][ONSRAM_MAX_OPERANDS + 1];
static struct onsram_plan *plan;
static u32 a, x, y;

static struct onsram_residence *tensor_at(const struct onsram_residency_run *run, u32 index)
{
	(void)run;
	return &sim.tensor[index].res;
}

static int set_up(void **state)
{
	(void)state;
	sim_init(&sim, 16);
	a = sim_tensor(&sim, 0, 8 * K);
	x = sim_tensor(&sim, 0, 8 * K);
	y = sim_tensor(&sim, 0, 8 * K);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	onsram_plan_put(plan);
	sim_check(&sim);
	sim_fini(&sim);
	return 0;
}

/* A graph of operations out = f(in), given in pairs, with a plan */
static void set_plan(const u32 (*ops)[2], u32 nr_ops, const struct onsram_plan_interval *iv, u32 n)
{
	struct onsram_plan_tensor tensors[SIM_TENSORS] = {};
	struct drm_onsram_op uops[MAX_OPS];
	struct onsram_plan_graph graph = { uops, nr_ops, tensors, sim.nr_tensors };
	const char *why;

	for (u32 t = 0; t < sim.nr_tensors; t++)
		tensors[t].bytes = sim.tensor[t].bytes;
	for (u32 i = 0; i < nr_ops; i++) {
		uops[i] = make_op(ONSRAM_OP_COPY, 0);
		for (u32 s = 0; s < 2; s++) {
			operand(&uops[i], s, VIEW(I32, sim.tensor[ops[i][s]].bytes / 4));
			uops[i].operand[s].bo = ops[i][s];
			slices[i][s] = (struct sim_slice){ .tensor = ops[i][s] };
		}
		slices[i][2].tensor = -1;
	}
	plan = onsram_plan_build(iv, n, &graph, (u64)sim.spm.granules * K, &why);
	if (IS_ERR(plan))
		fail_msg("plan refused: %s", why);
}

/* KiB that an operation, and what was placed for it, moved and found */
struct moved {
	u32 fetched;
	u32 written_back;
	u32 avoided;
	u32 resident;
};

static struct moved step(u32 i)
{
	struct onsram_residency_run run = {
		.client = &sim.client[0].base, .policy = DRM_ONSRAM_POLICY_AGENT,
		.fallback = DRM_ONSRAM_POLICY_NONE, .plan = plan, .tensor = tensor_at,
	};
	u64 fetched = sim.moved[ONSRAM_PUSH_FETCH], written_back = sim.moved[ONSRAM_PUSH_WRITEBACK];
	u64 avoided = sim.spm.stats.dram_avoided_bytes;
	struct onsram_residency_op op = { .index = i };

	sim_op(&sim, &run, ONSRAM_OP_CONV, slices[i], &op);
	sim_check(&sim);
	return (struct moved){
		.fetched = (u32)(sim.moved[ONSRAM_PUSH_FETCH] - fetched) / K,
		.written_back = (u32)(sim.moved[ONSRAM_PUSH_WRITEBACK] - written_back) / K,
		.avoided = (u32)(sim.spm.stats.dram_avoided_bytes - avoided) / K,
		.resident = op.resident,
	};
}

#define STEP(i, ...) do { \
	const struct moved is_ = step(i), want_ = { __VA_ARGS__ }; \
	assert_memory_equal(&is_, &want_, sizeof(is_)); \
} while (0)

static void check_extent(u32 t, u64 begin, u64 bytes, u64 offset)
{
	assert_int_equal(onsram_residency_bytes(&sim.tensor[t].res), bytes);
	if (!bytes)
		return;
	assert_int_equal(sim.tensor[t].res.begin, begin);
	assert_int_equal(onsram_residency_offset(&sim.tensor[t].res), offset);
}

/* What was written and leaves goes home, what comes back from there is clean */
static void test_shrinks_and_grows(void **state)
{
	const u32 ops[][2] = { { a, x }, { y, a }, { y, a }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 3, 0, 4 * K, 4 * K, 2 * K, 0, 4 }, { a, 0, 0, 0, 2 * K, 2 * K, 0, 0, 1 },
		{ a, 2, 3, FETCH, 8 * K, 2 * K, 6 * K, 2, 4 },
	};

	(void)state;
	set_plan(ops, 4, iv, 3);
	/* its place is given up in front of the next operation */
	STEP(0, .written_back = 2, .avoided = 6, .resident = 1);
	check_extent(a, 0, 6 * K, 2 * K);
	STEP(1, .avoided = 4, .resident = 2);
	check_extent(a, 2 * K, 4 * K, 4 * K);
	/* an operand that is in part fetched for the operation is a miss */
	STEP(2, .fetched = 2, .resident = 2);
	check_extent(a, 2 * K, 6 * K, 4 * K);
	STEP(3, .avoided = 6, .written_back = 4, .resident = 2);
	check_extent(a, 0, 0, 0);
}

/* Both ends at once; in one piece what is one */
static void test_ends(void **state)
{
	const u32 ops[][2] = { { y, a }, { y, a }, { y, x }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 3, FETCH, 5 * K, K, 3 * K, 0, 4 }, { a, 1, 2, FETCH, 3 * K, 2 * K, K, 1, 3 },
		{ a, 1, 2, FETCH, 2 * K, K, 0, 1, 3 }, { a, 1, 2, FETCH, 6 * K, 4 * K, 4 * K, 1, 3 },
	};

	(void)state;
	set_plan(ops, 4, iv, 4);
	STEP(0, .fetched = 1, .resident = 2);
	STEP(1, .fetched = 7, .resident = 2);
	assert_int_equal(sim.count[ONSRAM_PUSH_FETCH], 3);
	check_extent(a, 0, 8 * K, 2 * K);
	STEP(2, 0);
	STEP(3, .avoided = 1, .resident = 2);
	assert_int_equal(sim.count[ONSRAM_PUSH_WRITEBACK], 0);
	check_extent(a, 0, 0, 0);
}

/* What an operation overwrites is not fetched, nor carried along, however it lies */
static void test_overwritten(void **state)
{
	const u32 ops[][2] = { { a, x }, { y, a }, { a, y }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 3, 0, 2 * K, 2 * K, 2 * K, 0, 4 }, { a, 2, 3, 0, 4 * K, 4 * K, 4 * K, 2, 4 },
	};

	(void)state;
	set_plan(ops, 4, iv, 2);
	STEP(0, .avoided = 2, .resident = 1);
	STEP(1, .avoided = 2, .resident = 2);
	STEP(2, .avoided = 6, .resident = 1);
	check_extent(a, 2 * K, 6 * K, 2 * K);
	STEP(3, .avoided = 6, .written_back = 6, .resident = 2);
}

/* What a run keeps is there for the next, which takes on the rest anew */
static void test_kept(void **state)
{
	const u32 ops[][2] = { { x, a }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 1, FETCH | KEEP, K, 3 * K, K, 0, 2 }, { a, 1, 1, FETCH, 4 * K, 4 * K, 4 * K, 1, 2 },
	};

	(void)state;
	set_plan(ops, 2, iv, 2);
	for (u32 run = 0; run < 3; run++) {
		STEP(0, .fetched = run ? 0 : 3, .avoided = run ? 3 : 0, .resident = 2);
		STEP(1, .fetched = 4, .resident = 2);
		check_extent(a, K, 3 * K, K);
	}
}

/* Written back behind its last operation, in its place until later; there before its first one */
static void test_ahead_and_late(void **state)
{
	const u32 ops[][2] = { { a, x }, { y, x }, { y, x }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 0, 0, 0, 4 * K, 0, 0, 2 }, { a, 3, 3, FETCH, 8 * K, 4 * K, 4 * K, 2, 4 },
	};

	(void)state;
	set_plan(ops, 4, iv, 2);
	for (u32 run = 0; run < 2; run++) {
		STEP(0, .written_back = 4, .avoided = 4, .resident = 1);
		assert_int_equal(sim.tensor[a].res.state, DRM_ONSRAM_RESIDENCY_CLEAN);
		STEP(1, 0);
		check_extent(a, 0, 4 * K, 0);
		STEP(2, .fetched = 4);
		check_extent(a, 4 * K, 4 * K, 8 * K);
		STEP(3, .avoided = 4, .resident = 2);
		check_extent(a, 0, 0, 0);
	}
}

/* Without room on the ring it stays as it is: too much, or too little */
static void test_no_room(void **state)
{
	const u32 ops[][2] = { { a, x }, { y, a }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 2, 0, K, K, K, 0, 3 }, { a, 0, 0, 0, 2 * K, 2 * K, 2 * K, 0, 1 },
		{ a, 2, 2, FETCH, 2 * K, 6 * K, 2 * K, 2, 3 },
	};

	(void)state;
	set_plan(ops, 3, iv, 3);
	/* for an assignment, but no write-back */
	sim_room(&sim, 1);
	STEP(0, .avoided = 3, .resident = 1);
	check_extent(a, K, 3 * K, K);
	STEP(1, .avoided = 3, .resident = 2);
	STEP(2, .avoided = 3, .resident = 2);
	check_extent(a, K, 3 * K, K);
	assert_int_equal(sim.tensor[a].res.state, DRM_ONSRAM_RESIDENCY_DIRTY);
	sim_room(&sim, 100);
}

/* Who is in the way of a part that grows leaves, but for whom the plan holds */
static void test_in_the_way(void **state)
{
	const u32 ops[][2] = { { y, a }, { y, a } };
	const struct onsram_plan_interval iv[] = {
		{ a, 0, 1, FETCH, 0, K, 0, 0, 2 }, { a, 1, 1, FETCH, K, K, K, 1, 2 },
	};
	struct onsram_placement place = {
		.res = &sim.tensor[x].res, .granules = 8, .fixed = true, .start = 1,
	};

	(void)state;
	set_plan(ops, 2, iv, 2);
	for (u32 held = 0; held < 2; held++) {
		STEP(0, .fetched = 1, .resident = 2);
		onsram_spm_place(&sim.spm, &sim.emit, &place);
		check_extent(x, 0, 8 * K, K);
		if (held)
			sim.tensor[x].res.held_by = sim.spm.run;
		step(1);
		check_extent(x, 0, held ? 8 * K : 0, K);
	}
	assert_int_equal(sim.spm.stats.evictions, 1);
}

#define test(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_shrinks_and_grows),
		test(test_ends),
		test(test_overwritten),
		test(test_kept),
		test(test_ahead_and_late),
		test(test_no_room),
		test(test_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
