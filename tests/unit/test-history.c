// SPDX-License-Identifier: MIT
/* Who learns from whom: one history for all, one of its own for each client that is measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "history.h"

static struct onsram_history h;

static int set_up(void **state)
{
	struct onsram_model m;

	(void)state;
	onsram_model_init(&m, ONSRAM_PRESET_DEFAULT);
	return onsram_history_init(&h, &m);
}

static int tear_down(void **state)
{
	(void)state;
	onsram_history_free(&h);
	return 0;
}

static struct onsram_eager *give(uint32_t client)
{
	struct onsram_eager *evicted, *e = onsram_history_give(&h, client, &evicted);

	assert_null(evicted);
	return e;
}

static void test_own(void **state)
{
	struct onsram_eager *one = give(1), *two = give(2);

	(void)state;
	assert_ptr_not_equal(one, two);
	assert_ptr_not_equal(one, h.shared);
	assert_ptr_equal(give(1), one);
	assert_ptr_equal(onsram_history_of(&h, 2), two);
	assert_ptr_equal(onsram_history_of(&h, 3), h.shared);
	assert_ptr_equal(onsram_history_take(&h, 1), one);
	assert_null(onsram_history_take(&h, 1));
	assert_ptr_equal(onsram_history_of(&h, 1), h.shared);
	onsram_eager_free(one);
}

/* Of more clients than there is memory for, the one not heard of for longest shares */
static void test_bounded(void **state)
{
	struct onsram_eager *evicted, *second;
	uint32_t i;

	(void)state;
	for (i = 0; i < ONSRAM_HISTORY_OWN; i++)
		give(i);
	second = onsram_history_of(&h, 1);
	give(0);
	assert_ptr_not_equal(onsram_history_give(&h, 100, &evicted), h.shared);
	assert_ptr_equal(evicted, second);
	onsram_eager_free(evicted);
	assert_ptr_equal(onsram_history_of(&h, 1), h.shared);
	assert_ptr_not_equal(onsram_history_of(&h, 0), h.shared);
}

static int visits;

static void visit(struct onsram_eager *e)
{
	assert_non_null(e);
	visits++;
}

static void test_each(void **state)
{
	(void)state;
	give(1);
	give(2);
	visits = 0;
	onsram_history_for_each(&h, visit);
	assert_int_equal(visits, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_own), T(test_bounded), T(test_each) };

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
