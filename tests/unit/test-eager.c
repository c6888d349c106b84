// SPDX-License-Identifier: MIT
/* OnSRAM-Eager learns from synthetic histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eager.h"
#include "perf-ops.h"

#define ABSENT	UINT32_MAX
#define ELEMENTS 1000

static struct onsram_eager *eager;

static int set_up(void **state)
{
	(void)state;
	eager = onsram_eager_new();
	return eager ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	onsram_eager_free(eager);
	return 0;
}

/* out = a + b on vectors, or of @a alone */
static void run_on(uint32_t client, uint64_t key, uint32_t out, uint32_t a, uint32_t b)
{
	struct onsram_retired r = { .client_id = client, .key = key };

	r.op.opcode = ONSRAM_OP_ELEMENTWISE;
	r.op.attr.func = b == ABSENT ? ONSRAM_EW_RELU : ONSRAM_EW_ADD;
	for (int s = 0; s < 3; s++) {
		if (s == 2 && b == ABSENT)
			continue;
		r.op.operand[s].bo = s == 0 ? out : s == 1 ? a : b;
		r.op.operand[s].view = dense(ONSRAM_DTYPE_F16, 1, ELEMENTS);
	}
	onsram_eager_observe(eager, &r);
}

static void run(uint64_t key, uint32_t out, uint32_t a)
{
	run_on(1, key, out, a, ABSENT);
}

/* The rule last told for @key among all that are pending; drains them */
static bool rule_of(uint64_t key, struct onsram_rule *rule)
{
	struct onsram_rule r;
	bool found = false;

	while (onsram_eager_next_rule(eager, &r)) {
		if (r.key == key) {
			*rule = r;
			found = true;
		}
	}
	return found;
}

/* What is read is held where it is written, and that is told once */
static void test_read(void **state)
{
	struct onsram_rule r;

	(void)state;
	run(1, 10, 11);
	assert_false(onsram_eager_next_rule(eager, &r));
	run(2, 12, 10);
	assert_true(rule_of(1, &r));
	assert_int_equal(r.actions, ONSRAM_RULE_HOLD(0));
	assert_int_equal(r.priority, 0);
	assert_int_equal(r.state, 0);
	assert_false(r.gone);
	for (int i = 0; i < 20; i++) {
		run(1, 10, 11);
		run(2, 12, 10);
		onsram_eager_died(eager, 10);
	}
	assert_false(rule_of(1, &r));
}

/* What is only ever overwritten, or dies unread, is not */
static void test_unread(void **state)
{
	struct onsram_rule r;

	(void)state;
	run(1, 10, 11);
	run(1, 10, 11);
	run(2, 20, 11);
	onsram_eager_died(eager, 20);
	assert_true(rule_of(1, &r));
	assert_int_equal(r.actions, 0);
	onsram_eager_retell(eager);
	assert_true(rule_of(2, &r));
	assert_int_equal(r.actions, 0);
}

/* A program that changes is followed within a few outcomes */
static void test_change(void **state)
{
	struct onsram_rule r = { 0 };

	(void)state;
	for (int i = 0; i < 50; i++) {
		run(1, 10, 11);
		run(2, 12, 10);
	}
	rule_of(1, &r);
	assert_int_equal(r.actions, ONSRAM_RULE_HOLD(0));
	for (int i = 0; i < 4; i++)
		run(1, 10, 11);
	assert_true(rule_of(1, &r));
	assert_int_equal(r.actions, 0);
}

/* Slices of one buffer are one output, whose end the last writer answers for */
static void test_slices(void **state)
{
	struct onsram_retired r = { .client_id = 1 };
	struct onsram_rule rule;

	(void)state;
	r.op.opcode = ONSRAM_OP_FILL;
	r.op.operand[0].bo = 10;
	r.op.operand[0].view = dense(ONSRAM_DTYPE_F16, 1, ELEMENTS);
	for (uint32_t i = 0; i < 3; i++) {
		r.key = 1 + i;
		r.op.operand[0].offset = 2 * i * ELEMENTS;
		onsram_eager_observe(eager, &r);
	}
	run(9, 12, 10);
	assert_true(rule_of(3, &rule));
	assert_int_equal(rule.actions, ONSRAM_RULE_HOLD(0));
	/* Nothing is known of those that wrote the others */
	onsram_eager_retell(eager);
	assert_false(rule_of(1, &rule));
}

/* An operation that reads what it writes goes on with it */
static void test_in_place(void **state)
{
	struct onsram_rule r;

	(void)state;
	run(1, 10, 11);
	run_on(1, 2, 10, 10, 11);
	assert_true(rule_of(1, &r));
	assert_int_equal(r.actions, ONSRAM_RULE_HOLD(0));
	onsram_eager_died(eager, 10);
	assert_true(rule_of(2, &r));
	assert_int_equal(r.actions, 0);
}

/* Behind a gap nothing is concluded from what was open before it */
static void test_gap(void **state)
{
	struct onsram_rule r;

	(void)state;
	run(1, 10, 11);
	onsram_eager_gap(eager);
	run(2, 12, 10);
	run(3, 10, 11);
	assert_false(onsram_eager_next_rule(eager, &r));
}

/* The buffers of a client that is gone are dead, another's are not */
static void test_client_gone(void **state)
{
	struct onsram_rule r;

	(void)state;
	run_on(1, 1, 10, 11, ABSENT);
	run_on(2, 2, 20, 21, ABSENT);
	onsram_eager_client_gone(eager, 1);
	assert_true(onsram_eager_next_rule(eager, &r));
	assert_int_equal(r.key, 1);
	assert_int_equal(r.actions, 0);
	assert_false(onsram_eager_next_rule(eager, &r));
}

/* More operations than there is memory for: rules of those not seen for longest are deleted */
static void test_bounded(void **state)
{
	struct onsram_rule r;
	uint32_t set = 0, gone = 0;

	(void)state;
	for (uint64_t key = 1; key <= 6000; key++) {
		run(key, 10, 11);
		run(1000000, 12, 10);
		while (onsram_eager_next_rule(eager, &r)) {
			set += !r.gone;
			gone += r.gone;
			assert_true(set - gone <= 4096);
		}
	}
	assert_true(set >= 6000);
	assert_true(gone >= 6000 - 4096);
	/* And more buffers */
	for (uint32_t bo = 0; bo < 20000; bo++)
		run(1, bo, bo + 1);
}

/* Rules of a history that ends are deleted; after a refusal all are told again */
static void test_withdraw_and_retell(void **state)
{
	struct onsram_rule r, told;
	int nr = 0;

	(void)state;
	run(1, 10, 11);
	run(2, 12, 10);
	assert_true(rule_of(1, &told));
	assert_false(onsram_eager_next_rule(eager, &r));
	onsram_eager_retell(eager);
	assert_true(rule_of(1, &r));
	assert_memory_equal(&r, &told, sizeof(r));
	onsram_eager_withdraw(eager);
	while (onsram_eager_next_rule(eager, &r)) {
		assert_true(r.gone);
		nr++;
	}
	assert_int_equal(nr, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_read), T(test_unread), T(test_change), T(test_slices), T(test_in_place),
		T(test_gap), T(test_client_gone), T(test_bounded), T(test_withdraw_and_retell),
	};

	return cmocka_run_group_tests_name("eager", tests, NULL, NULL);
}
