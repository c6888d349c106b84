// SPDX-License-Identifier: MIT
/* The driver's sums of modelled figures, up to where 64 bits end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onsram_figure.h"

static u64 sum(u64 a, u64 b)
{
	onsram_figure_add(&a, b);
	return a;
}

static void test_add(void **state)
{
	(void)state;
	assert_true(sum(0, 0) == 0);
	assert_true(sum(2, 3) == 5);
	assert_true(sum(U64_MAX - 5, 4) == U64_MAX - 1);
	assert_true(sum(U64_MAX - 5, 5) == ONSRAM_BEYOND);
	assert_true(sum(U64_MAX - 5, 6) == ONSRAM_BEYOND);
	assert_true(sum(1ull << 63, 1ull << 63) == ONSRAM_BEYOND);
	assert_true(sum(ONSRAM_BEYOND, 0) == ONSRAM_BEYOND);
	assert_true(sum(ONSRAM_BEYOND, 1) == ONSRAM_BEYOND);
	assert_true(sum(1, ONSRAM_BEYOND) == ONSRAM_BEYOND);
	assert_true(sum(ONSRAM_BEYOND, ONSRAM_BEYOND) == ONSRAM_BEYOND);
}

/* A clock that stands beyond range does not tell how long anything took */
static void test_less(void **state)
{
	(void)state;
	assert_true(onsram_figure_less(7, 3) == 4);
	assert_true(onsram_figure_less(U64_MAX - 1, U64_MAX - 1) == 0);
	assert_true(onsram_figure_less(ONSRAM_BEYOND, 3) == ONSRAM_BEYOND);
	assert_true(onsram_figure_less(ONSRAM_BEYOND, ONSRAM_BEYOND) == ONSRAM_BEYOND);
}

static void test_thousandth(void **state)
{
	(void)state;
	assert_true(onsram_figure_thousandth(1999) == 1);
	assert_true(onsram_figure_thousandth(U64_MAX - 1) == (U64_MAX - 1) / 1000);
	assert_true(onsram_figure_thousandth(ONSRAM_BEYOND) == ONSRAM_BEYOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_less),
		cmocka_unit_test(test_thousandth),
	};

	return cmocka_run_group_tests_name("figure", tests, NULL, NULL);
}
