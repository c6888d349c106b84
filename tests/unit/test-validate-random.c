// SPDX-License-Identifier: MIT
/*
 * The driver's validator against two oracles: the device's own check, and the
 * list of bytes that a view addresses.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver-ops.h"
#include "exec.h"

#define BO_SIZE		256
#define ROUNDS		200000

static struct drm_onsram_op base_op(u32 *seed)
{
	switch (rnd(seed) % 12) {
	case 0:
		return copy_op();
	case 1:
		return fill_op();
	case 2:
		return gemm_op();
	case 3:
		return conv_op();
	case 4:
		return pool_op(4 + rnd(seed) % 2);
	case 5:
	case 6:
		return ew_op(rnd(seed) % ONSRAM_EW_COUNT);
	case 7:
		return reduce_op();
	case 8:
		return softmax_op();
	case 9:
		return norm_op(rnd(seed) % ONSRAM_NORM_COUNT);
	case 10:
		return gather_op();
	default:
		return resize_op(rnd(seed) % ONSRAM_RESIZE_COUNT);
	}
}

/* A value near what fields hold, or anything */
static u32 some_value(u32 *seed)
{
	switch (rnd(seed) % 4) {
	case 0:
		return rnd(seed);
	case 1:
		return -(rnd(seed) % 8);
	default:
		return rnd(seed) % 8;
	}
}

static void mutate(struct drm_onsram_op *op, u32 *seed)
{
	struct drm_onsram_operand *v = &op->operand[rnd(seed) % ONSRAM_MAX_OPERANDS];
	struct onsram_attr *a = &op->attr;
	u32 d = rnd(seed) % ONSRAM_MAX_RANK, s = rnd(seed) % ONSRAM_MAX_SPATIAL;
	u32 value = some_value(seed);

	switch (rnd(seed) % 16) {
	case 0:
		op->opcode = value;
		break;
	case 1:
		a->func = value;
		break;
	case 2:
		a->groups = value;
		break;
	case 3:
		a->axis = value;
		break;
	case 4:
		a->act = value;
		break;
	case 5:
		a->kernel[s] = value;
		break;
	case 6:
		a->stride[s] = value;
		break;
	case 7:
		a->dilation[s] = value;
		break;
	case 8:
		*(rnd(seed) % 2 ? &a->pad_begin[s] : &a->pad_end[s]) = value;
		break;
	case 9:
		*(rnd(seed) % 2 ? &a->param[d % 4] : &a->act_param[d % 2]) = value;
		break;
	case 10:
		v->view.dtype = value;
		break;
	case 11:
		v->view.rank = value;
		break;
	case 12:
	case 13:
		v->view.dims[d] = value;
		break;
	case 14:
		v->view.strides[d] = value;
		break;
	default:
		memset(v, 0, sizeof(*v));
		break;
	}
}

/*
 * The driver passes nothing that the device refuses; and with buffers that are
 * large enough and apart, it refuses nothing that the device takes.
 */
static void test_agrees_with_device(void **state)
{
	const u64 half = 1ull << 32;
	const struct onsram_validate_bo bos[6] = {
		{ 2 * half }, { 2 * half }, { 2 * half }, { 2 * half }, { 2 * half }, { 2 * half },
	};
	u32 seed = 1, taken = 0, refused = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		struct drm_onsram_op op = base_op(&seed);
		struct onsram_view views[ONSRAM_MAX_OPERANDS];
		struct onsram_validate_error err = {};
		const char *device;
		int ret;

		for (u32 n = rnd(&seed) % 4; n; n--)
			mutate(&op, &seed);
		for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			struct onsram_view zero = {};

			/* in the middle, so that views reach forwards and backwards */
			op.operand[s].bo = 0;
			op.operand[s].offset = 0;
			if (memcmp(&op.operand[s].view, &zero, sizeof(zero))) {
				op.operand[s].bo = s;
				op.operand[s].offset = half;
			}
			views[s] = op.operand[s].view;
		}
		ret = onsram_validate_op(&op, bos, 6, &err);
		device = onsram_exec_check(op.opcode, &op.attr, views);
		if (!ret && device)
			fail_msg("round %u opcode %u: the device refuses: %s", i, op.opcode, device);
		if (ret && !device)
			fail_msg("round %u opcode %u: the driver refuses slot %d: %s", i, op.opcode,
				 err.slot, err.why);
		taken += !ret;
		refused += !!ret;
	}
	assert_true(taken > ROUNDS / 10);
	assert_true(refused > ROUNDS / 10);
}

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
		ret = onsram_validate_op(&op, &bo, 1, &err);
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
		cmocka_unit_test(test_agrees_with_device),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
