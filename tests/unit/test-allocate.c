// SPDX-License-Identifier: MIT
/* onsram_allocate(): valid, tight where it must be, honest where there is no solution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "perf-ops.h"
#include "planner.h"

#define MOST	512

static struct onsram_rect r[MOST];
static size_t n;

static void check_packing(uint64_t capacity)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(r[i].offset + r[i].size <= capacity);
		for (size_t j = 0; j < i; j++) {
			if (r[i].lower >= r[j].upper || r[j].lower >= r[i].upper)
				continue;
			assert_true(r[i].offset + r[i].size <= r[j].offset ||
				    r[j].offset + r[j].size <= r[i].offset);
		}
	}
}

static void add(uint64_t lower, uint64_t upper, uint64_t size)
{
	r[n++] = (struct onsram_rect){ lower, upper, size, 0 };
}

/* Cuts a rectangle of time and space into pieces: they fit, with nothing to spare */
static void cut(uint64_t lower, uint64_t upper, uint64_t size, int depth, uint32_t *seed)
{
	uint64_t k;

	if (!depth || (upper - lower < 2 && size < 2)) {
		add(lower, upper, size);
		return;
	}
	if (size < 2 || (upper - lower > 1 && rnd(seed) % 2)) {
		k = lower + 1 + rnd(seed) % (upper - lower - 1);
		cut(lower, k, size, depth - 1, seed);
		cut(k, upper, size, depth - 1, seed);
	} else {
		k = 1 + rnd(seed) % (size - 1);
		cut(lower, upper, k, depth - 1, seed);
		cut(lower, upper, size - k, depth - 1, seed);
	}
}

static void shuffle(uint32_t *seed)
{
	for (size_t i = n; i-- > 1;) {
		size_t j = rnd(seed) % (i + 1);
		struct onsram_rect t = r[i];

		r[i] = r[j];
		r[j] = t;
	}
}

static void test_perfect(void **state)
{
	uint32_t seed = 77;

	(void)state;
	for (int round = 0; round < 200; round++) {
		n = 0;
		cut(0, 50, 1000, 1 + round % 6, &seed);
		shuffle(&seed);
		assert_int_equal(onsram_allocate(r, n, 1000), 0);
		check_packing(1000);
	}
}

static void test_impossible(void **state)
{
	uint32_t seed = 3;

	(void)state;
	n = 0;
	add(0, 10, 6);
	add(5, 15, 5);
	assert_int_equal(onsram_allocate(r, n, 10), -1);
	assert_int_equal(onsram_allocate(r, n, 11), 0);
	check_packing(11);

	/* No slack at any moment */
	n = 0;
	add(0, 3, 1);
	add(0, 1, 1);
	add(1, 4, 2);
	add(3, 6, 1);
	add(4, 5, 2);
	add(5, 8, 2);
	add(6, 8, 1);
	assert_int_equal(onsram_allocate(r, n, 4), 0);
	check_packing(4);

	/* One byte less than a perfect packing */
	for (int round = 0; round < 20; round++) {
		n = 0;
		cut(0, 20, 100, 5, &seed);
		assert_int_equal(onsram_allocate(r, n, 99), -1);
	}
}

static void test_malformed(void **state)
{
	(void)state;
	assert_int_equal(onsram_allocate(r, 0, 0), 0);
	n = 0;
	add(5, 5, 1);
	assert_int_equal(onsram_allocate(r, n, 10), -1);
	n = 0;
	add(6, 5, 1);
	assert_int_equal(onsram_allocate(r, n, 10), -1);
	n = 0;
	add(0, 1, UINT64_MAX);
	add(0, 1, UINT64_MAX);
	assert_int_equal(onsram_allocate(r, n, UINT64_MAX), -1);
	assert_int_equal(onsram_allocate(r, n, 1000), -1);
	/* Lifetimes touch: the upper end is not part of them */
	n = 0;
	add(0, UINT64_MAX / 2, 10);
	add(UINT64_MAX / 2, UINT64_MAX, 10);
	assert_int_equal(onsram_allocate(r, n, 10), 0);
	check_packing(10);
	/* Size 0 takes no room */
	n = 0;
	add(0, 5, 10);
	add(0, 5, 0);
	assert_int_equal(onsram_allocate(r, n, 10), 0);
	check_packing(10);
}

static void test_random(void **state)
{
	uint32_t seed = 99;

	(void)state;
	for (int round = 0; round < 100; round++) {
		uint64_t most = 0;

		n = 0;
		for (size_t i = 0; i < 150; i++) {
			uint64_t from = rnd(&seed) % 200;

			add(from, from + 1 + rnd(&seed) % 30, 1 + rnd(&seed) % 100);
		}
		for (uint64_t t = 0; t < 230; t++) {
			uint64_t live = 0;

			for (size_t i = 0; i < n; i++)
				live += r[i].lower <= t && t < r[i].upper ? r[i].size : 0;
			most = live > most ? live : most;
		}
		/* A tenth above the load is found without a long search */
		assert_int_equal(onsram_allocate(r, n, most + most / 10), 0);
		check_packing(most + most / 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perfect),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("allocate", tests, NULL, NULL);
}
