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
	(void)state;
	return onsram_history_init(&h);
}

static int tear_down(void **state)
{
	(void)state;
	onsram_history_free(&h);
	return 0;
}

static struct onsram_client *client(uint32_t id)
{
	struct onsram_eager *evicted;
	struct onsram_client *c = onsram_history_client(&h, id, &evicted);

	assert_non_null(c);
	assert_null(evicted);
	return c;
}

static void test_own(void **state)
{
	struct onsram_client *one = client(1), *two = client(2);
	struct onsram_eager *own;

	(void)state;
	assert_ptr_equal(client(1), one);
	assert_ptr_equal(onsram_history_of(&h, one), h.shared);
	onsram_history_own(one);
	own = onsram_history_of(&h, one);
	assert_ptr_not_equal(own, h.shared);
	onsram_history_own(one);
	assert_ptr_equal(onsram_history_of(&h, one), own);
	assert_ptr_equal(onsram_history_of(&h, two), h.shared);
	assert_ptr_equal(onsram_history_of(&h, NULL), h.shared);
	assert_ptr_equal(onsram_history_end(&h, 1), own);
	assert_null(onsram_history_end(&h, 1));
	assert_null(onsram_history_end(&h, 2));
	assert_ptr_equal(onsram_history_of(&h, client(1)), h.shared);
	onsram_eager_free(own);
}

/* Of more clients than there is memory for, the one not heard of for longest begins anew */
static void test_bounded(void **state)
{
	struct onsram_eager *evicted, *second;
	uint32_t i;

	(void)state;
	for (i = 0; i < ONSRAM_HISTORY_CLIENTS; i++)
		onsram_history_own(client(i));
	second = onsram_history_of(&h, client(1));
	for (i = 0; i < ONSRAM_HISTORY_CLIENTS; i++)
		if (i != 1)
			client(i);
	assert_non_null(onsram_history_client(&h, 100, &evicted));
	assert_ptr_equal(evicted, second);
	onsram_eager_free(evicted);
	assert_ptr_not_equal(onsram_history_of(&h, client(0)), h.shared);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_own), T(test_bounded) };

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
