// SPDX-License-Identifier: MIT
/* onsram_allocate(): valid, tight where it must be, honest where there is no solution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pack.h"
#include "perf-ops.h"
#include "planner.h"

#define MOST	100000

static struct onsram_rect r[MOST];
static size_t n;

/* --- the checker: events in time, with nothing of the solver's --------------------- */

struct event {
	uint64_t time;
	bool begins;
	size_t rect;
};

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	/* Lifetimes are half open: what ends makes room for what begins */
	return x->begins - y->begins;
}

static struct event *events(void)
{
	struct event *e = calloc(2 * n + 1, sizeof(*e));

	assert_non_null(e);
	for (size_t i = 0; i < n; i++) {
		e[2 * i] = (struct event){ r[i].lower, true, i };
		e[2 * i + 1] = (struct event){ r[i].upper, false, i };
	}
	qsort(e, 2 * n, sizeof(*e), by_time);
	return e;
}

/* Keeps what lives in order of offsets: who begins must fit between its neighbours */
static void check_packing(uint64_t capacity)
{
	size_t *live = calloc(n + 1, sizeof(*live)), nr = 0;
	struct event *e = events();

	assert_non_null(live);
	for (size_t k = 0; k < 2 * n; k++) {
		const struct onsram_rect *b = &r[e[k].rect];
		size_t low = 0, high = nr;

		if (!b->size)
			continue;
		while (low < high) {
			size_t mid = (low + high) / 2;

			if (r[live[mid]].offset < b->offset)
				low = mid + 1;
			else
				high = mid;
		}
		if (!e[k].begins) {
			assert_true(low < nr && live[low] == e[k].rect);
			memmove(live + low, live + low + 1, (--nr - low) * sizeof(*live));
			continue;
		}
		assert_true(b->offset <= capacity && b->size <= capacity - b->offset);
		if (low < nr)
			assert_true(b->offset + b->size <= r[live[low]].offset);
		if (low)
			assert_true(r[live[low - 1]].offset + r[live[low - 1]].size <= b->offset);
		memmove(live + low + 1, live + low, (nr++ - low) * sizeof(*live));
		live[low] = e[k].rect;
	}
	assert_int_equal(nr, 0);
	free(e);
	free(live);
}

static uint64_t peak_load(void)
{
	struct event *e = events();
	uint64_t load = 0, most = 0;

	for (size_t k = 0; k < 2 * n; k++) {
		load += e[k].begins ? r[e[k].rect].size : -r[e[k].rect].size;
		most = load > most ? load : most;
	}
	free(e);
	return most;
}

/* A clock that stops after so many questions, so that every run does the same */
static bool count_down(void *left)
{
	return (*(uint32_t *)left)-- > 0;
}

static enum onsram_allocated allocate(uint64_t capacity, uint32_t questions)
{
	const struct onsram_clock clock = { count_down, &questions };
	uint64_t height, top = 0;
	enum onsram_allocated ret = onsram_allocate(r, n, capacity, &clock, &height);

	if (ret == ONSRAM_ALLOCATE_INVALID)
		return ret;
	for (size_t i = 0; i < n; i++)
		top = r[i].offset + r[i].size > top ? r[i].offset + r[i].size : top;
	assert_true(height == top);
	assert_true((ret == ONSRAM_ALLOCATED) == (height <= capacity));
	check_packing(height);
	return ret;
}

/* --- problems --------------------------------------------------------------------- */

static void add(uint64_t lower, uint64_t upper, uint64_t size)
{
	assert_true(n < MOST);
	r[n++] = (struct onsram_rect){ lower, upper, size, 0 };
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

/*
 * A rectangle of time and memory cut into @pieces at random: they fit, with nothing
 * to spare at any time.  @lengthwise: of how many cuts one is across time, so that
 * the more of them the longer buffers live; large pieces are cut more often, as
 * networks have a few buffers that live long beside many that do not.
 */
static void cut(uint64_t times, uint64_t capacity, size_t pieces, uint32_t lengthwise, uint32_t *seed)
{
	n = 0;
	add(0, times, capacity);
	while (n < pieces) {
		struct onsram_rect *b = &r[rnd(seed) % n];
		uint64_t area = (b->upper - b->lower) * b->size, at;

		if (rnd(seed) % (times * capacity) > 20 * area + times * capacity / 500)
			continue;
		if (rnd(seed) % lengthwise == 0) {
			if (b->upper - b->lower < 2)
				continue;
			at = b->lower + 1 + rnd(seed) % (b->upper - b->lower - 1);
			add(at, b->upper, b->size);
			b->upper = at;
		} else {
			if (b->size < 2)
				continue;
			at = 1 + rnd(seed) % (b->size - 1);
			add(b->lower, b->upper, b->size - at);
			b->size = at;
		}
	}
	shuffle(seed);
}

static void test_perfect(void **state)
{
	uint32_t seed = 77, solved = 0, rounds = 60;

	(void)state;
	for (uint32_t round = 0; round < rounds; round++) {
		uint64_t capacity = round % 2 ? 1024 : 1 << 20;

		cut(round % 4 == 2 ? 128 : 1024, capacity, 150 + rnd(&seed) % 351, 2 + round % 3, &seed);
		assert_true(peak_load() == capacity);
		solved += allocate(capacity, 500) == ONSRAM_ALLOCATED;
	}
	print_message("# %u of %u\n", solved, rounds);
	/* 95 of a hundred */
	assert_true(solved * 100 >= rounds * 95);
}

/*
 * Rectangles cut into five around one in the middle, each of them again: no cut goes
 * through, and pieces of one lifetime rarely follow those of another
 */
static void wheel(uint64_t from, uint64_t to, uint64_t size, uint32_t depth, uint32_t *seed)
{
	uint64_t t1, t2, s1, s2;

	if (!depth || to - from < 3 || size < 3) {
		add(from, to, size);
		return;
	}
	t1 = from + 1 + rnd(seed) % (to - from - 2);
	t2 = t1 + 1 + rnd(seed) % (to - t1 - 1);
	s1 = 1 + rnd(seed) % (size - 2);
	s2 = s1 + 1 + rnd(seed) % (size - s1 - 1);
	wheel(from, t2, s1, depth - 1, seed);
	wheel(t2, to, s2, depth - 1, seed);
	wheel(t1, to, size - s2, depth - 1, seed);
	wheel(from, t1, size - s1, depth - 1, seed);
	wheel(t1, t2, s2 - s1, depth - 1, seed);
}

static void test_wheels(void **state)
{
	uint32_t seed = 12;

	(void)state;
	for (uint32_t round = 0; round < 30; round++) {
		n = 0;
		wheel(0, 1000, 1 << 20, 1 + round % 3, &seed);
		shuffle(&seed);
		assert_true(peak_load() == 1 << 20);
		assert_int_equal(allocate(1 << 20, UINT32_MAX), ONSRAM_ALLOCATED);
	}
}

/* What finds no place at one time does not keep what lives at another from a good one */
static void test_apart(void **state)
{
	uint32_t seed = 8;
	uint64_t low = 0;
	size_t first;

	(void)state;
	cut(64, 1 << 20, 400, 2, &seed);
	n -= 40;
	first = n;
	for (size_t i = 0; i < 40; i++)
		add(100 + i, 102 + i, 100000 + rnd(&seed) % 300000);
	add(0, 64, (1 << 20) - 1);
	allocate(1 << 20, 300);
	for (size_t i = first; i < n - 1; i++)
		low = r[i].offset + r[i].size > low ? r[i].offset + r[i].size : low;
	assert_true(low <= 1 << 20);
}

/* Small ones: all of them */
static void test_small(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (uint32_t round = 0; round < 300; round++) {
		cut(50, 1000, 1 + round % 60, 2 + round % 3, &seed);
		assert_int_equal(allocate(1000, UINT32_MAX), ONSRAM_ALLOCATED);
	}
}

/* What is not full at all times is as hard: a tenth of the buffers is missing */
static void test_gaps(void **state)
{
	uint32_t seed = 99, solved = 0, rounds = 40;

	(void)state;
	for (uint32_t round = 0; round < rounds; round++) {
		cut(200, 1000, 60, 2, &seed);
		n -= n / 10;
		solved += allocate(peak_load(), 300) == ONSRAM_ALLOCATED;
	}
	print_message("# %u of %u\n", solved, rounds);
	assert_true(solved * 10 >= rounds * 9);
}

/* Against all placements there are: on small problems the answer is never wrong */
static bool exists(uint64_t capacity, size_t k)
{
	if (k == n)
		return true;
	for (uint64_t at = 0; at + r[k].size <= capacity; at++) {
		bool free = true;

		for (size_t j = 0; j < k && free; j++)
			free = r[j].upper <= r[k].lower || r[k].upper <= r[j].lower ||
			       r[j].offset + r[j].size <= at || at + r[k].size <= r[j].offset;
		r[k].offset = at;
		if (free && exists(capacity, k + 1))
			return true;
	}
	return false;
}

/* The search by itself, without the orders that are tried first */
static enum onsram_packed pack(uint64_t capacity)
{
	struct onsram_piece piece[16];
	enum onsram_packed ret;

	for (size_t i = 0; i < n; i++)
		piece[i] = (struct onsram_piece){ (uint32_t)r[i].lower, (uint32_t)r[i].upper, r[i].size, 0 };
	ret = onsram_pack(piece, (uint32_t)n, 16, capacity, UINT64_MAX, NULL);
	for (size_t i = 0; i < n; i++)
		r[i].offset = piece[i].offset;
	if (ret == ONSRAM_PACKED)
		check_packing(capacity);
	return ret;
}

static void test_brute_force(void **state)
{
	uint32_t seed = 4711, possible = 0, impossible = 0;

	(void)state;
	for (uint32_t round = 0; round < 400; round++) {
		uint64_t capacity;
		bool is;

		n = 0;
		for (size_t i = 0; i < 7; i++) {
			uint64_t from = rnd(&seed) % 8;

			add(from, from + 1 + rnd(&seed) % 5, 1 + rnd(&seed) % 4);
		}
		capacity = peak_load() - round % 2;
		is = exists(capacity, 0);
		*(is ? &possible : &impossible) += 1;
		assert_int_equal(allocate(capacity, UINT32_MAX),
				 is ? ONSRAM_ALLOCATED : ONSRAM_ALLOCATE_IMPOSSIBLE);
		assert_int_equal(pack(capacity), is ? ONSRAM_PACKED : ONSRAM_PACK_IMPOSSIBLE);
	}
	assert_true(possible && impossible);
}

static void test_impossible(void **state)
{
	uint32_t seed = 3;

	(void)state;
	n = 0;
	add(0, 10, 6);
	add(5, 15, 5);
	assert_int_equal(allocate(10, UINT32_MAX), ONSRAM_ALLOCATE_IMPOSSIBLE);
	assert_int_equal(allocate(11, UINT32_MAX), ONSRAM_ALLOCATED);
	/* One byte less than a perfect packing */
	for (int round = 0; round < 20; round++) {
		cut(20, 100, 32, 2, &seed);
		assert_int_equal(allocate(99, UINT32_MAX), ONSRAM_ALLOCATE_IMPOSSIBLE);
	}
}

/* Out of time: a placement all the same */
static void test_out_of_time(void **state)
{
	uint32_t seed = 5;

	(void)state;
	cut(1024, 1024, 400, 2, &seed);
	assert_int_equal(allocate(1024, 0), ONSRAM_ALLOCATED_HIGHER);
	assert_int_equal(allocate(1024, 3), ONSRAM_ALLOCATED_HIGHER);
}

static void test_malformed(void **state)
{
	uint64_t height;

	(void)state;
	assert_int_equal(onsram_allocate(r, 0, 0, NULL, &height), ONSRAM_ALLOCATED);
	n = 0;
	add(5, 5, 1);
	assert_int_equal(allocate(10, 9), ONSRAM_ALLOCATE_INVALID);
	n = 0;
	add(6, 5, 1);
	assert_int_equal(allocate(10, 9), ONSRAM_ALLOCATE_INVALID);
	n = 0;
	add(0, 1, UINT64_MAX);
	add(0, 1, UINT64_MAX);
	assert_int_equal(allocate(UINT64_MAX, 9), ONSRAM_ALLOCATE_INVALID);
	n = 0;
	add(0, 1, INT64_MAX);
	add(1, 2, 1);
	assert_int_equal(allocate(1000, 9), ONSRAM_ALLOCATE_INVALID);
	/* Lifetimes touch: the upper end is not part of them */
	n = 0;
	add(0, UINT64_MAX / 2, 10);
	add(UINT64_MAX / 2, UINT64_MAX, 10);
	assert_int_equal(allocate(10, 9), ONSRAM_ALLOCATED);
	/* Size 0 takes no room */
	n = 0;
	add(0, 5, 10);
	add(0, 5, 0);
	assert_int_equal(allocate(10, 9), ONSRAM_ALLOCATED);
}

/* Many buffers: a tenth above the load at most */
static void test_many(void **state)
{
	uint32_t seed = 31;
	uint64_t peak;

	(void)state;
	n = 0;
	for (size_t i = 0; i < MOST; i++) {
		uint64_t from = rnd(&seed) % 100000;

		add(from, from + 1 + rnd(&seed) % 60, 1 + rnd(&seed) % 1000);
	}
	peak = peak_load();
	assert_int_equal(allocate(peak + peak / 10, UINT32_MAX), ONSRAM_ALLOCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perfect),
		cmocka_unit_test(test_wheels),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_brute_force),
		cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_out_of_time),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("allocate", tests, NULL, NULL);
}
