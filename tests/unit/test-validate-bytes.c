// SPDX-License-Identifier: MIT
/* The driver's validator against a list of the bytes that each view addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver-ops.h"

#define BO_SIZE		256
#define ROUNDS		200000

/* Marks the bytes of @operand in @map. Return: how often a byte was marked already, or -1 outside */
static int mark(const struct drm_onsram_operand *operand, u8 *map)
{
	const struct onsram_view *v = &operand->view;
	u32 at[ONSRAM_MAX_RANK] = {}, bytes = onsram_dtype_bytes(v->dtype);
	int again = 0;

	for (;;) {
		s64 pos = operand->offset;
		u32 d;

		for (d = 0; d < v->rank; d++)
			pos += (s64)at[d] * v->strides[d] * bytes;
		if (pos < 0 || pos + bytes > BO_SIZE)
			return -1;
		for (u32 b = 0; b < bytes; b++)
			again += map[pos + b]++ != 0;
		for (d = 0; d < v->rank; d++) {
			if (++at[d] < v->dims[d])
				break;
			at[d] = 0;
		}
		if (d == v->rank)
			return again;
	}
}

static void random_operand(struct drm_onsram_operand *operand, const u32 *dims, u32 rank, u32 *seed)
{
	static const u32 dtypes[] = {
		ONSRAM_DTYPE_F32, ONSRAM_DTYPE_F16, ONSRAM_DTYPE_BOOL, ONSRAM_DTYPE_I64
	};
	struct onsram_view *v = &operand->view;
	s32 stride = 1;

	memset(operand, 0, sizeof(*operand));
	v->dtype = dtypes[rnd(seed) % 4];
	v->rank = rank;
	for (u32 d = rank; d-- > 0;) {
		v->dims[d] = dims[d];
		v->strides[d] = rnd(seed) % 4 ? stride : (s32)(rnd(seed) % 9);
		if (rnd(seed) % 8 == 0)
			v->strides[d] = -v->strides[d];
		stride *= dims[d] + (rnd(seed) % 4 == 0) * (rnd(seed) % 4);
	}
	operand->offset = rnd(seed) % (BO_SIZE / onsram_dtype_bytes(v->dtype)) *
			  onsram_dtype_bytes(v->dtype);
}

/* Inside the buffer, no element of the output twice, no byte both read and written: exactly */
static void test_bytes(void **state)
{
	const struct onsram_validate_bo bo = { BO_SIZE };
	u32 seed = 2, taken = 0, overlapping = 0, interleaved = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		struct drm_onsram_op op = make_op(ONSRAM_OP_COPY, 0);
		struct onsram_validate_error err = {};
		u32 rank = rnd(&seed) % 4, dims[3];
		u8 in[BO_SIZE] = {}, out[BO_SIZE] = {};
		int ret, twice, inside;
		bool both = false;

		for (u32 d = 0; d < rank; d++)
			dims[d] = 1 + rnd(&seed) % 4;
		random_operand(&op.operand[0], dims, rank, &seed);
		random_operand(&op.operand[1], dims, rank, &seed);
		if (rnd(&seed) % 2) {
			/* two slices of one layout */
			op.operand[1].view = op.operand[0].view;
			op.operand[1].offset &= ~7ull;
		}
		ret = onsram_validate_op(&op, &bo, 1, U64_MAX, &err);
		twice = mark(&op.operand[0], out);
		inside = mark(&op.operand[1], in);
		for (u32 b = 0; b < BO_SIZE; b++)
			both |= in[b] && out[b];
		if (!ret) {
			u32 first_in = BO_SIZE, last_in = 0, first_out = BO_SIZE, last_out = 0;

			assert_int_equal(twice, 0);
			assert_true(inside >= 0);
			assert_false(both);
			taken++;
			for (u32 b = 0; b < BO_SIZE; b++) {
				if (in[b]) {
					first_in = first_in < b ? first_in : b;
					last_in = b;
				}
				if (out[b]) {
					first_out = first_out < b ? first_out : b;
					last_out = b;
				}
			}
			interleaved += first_in < last_out && first_out < last_in;
		} else if (!strcmp(err.why, "input overlaps the output")) {
			assert_true(both);
			overlapping++;
		} else if (!strcmp(err.why, "view begins before the buffer") ||
			   !strcmp(err.why, "view ends behind the buffer")) {
			assert_int_equal(err.slot ? inside : twice, -1);
		}
	}
	assert_true(taken > ROUNDS / 20);
	assert_true(overlapping > ROUNDS / 50);
	assert_true(interleaved > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
