// SPDX-License-Identifier: MIT
/*
 * The driver's validation and the device's accept the same operations: two
 * implementations of the rules in onsram_op.h against each other.
 */
#include <stdio.h>

#include "exec-fixture.h"
#include "exec-ops.h"
#include "onsram_validate.h"

/* A buffer for each operand, so large that only the rules of a view count */
#define BUFFER_SIZE	(1ull << 40)

static const char *driver_refuses(const struct op *op, uint64_t max_work)
{
	struct onsram_validate_bo bos[ONSRAM_MAX_OPERANDS];
	struct drm_onsram_op uop = { .opcode = op->opcode, .attr = op->attr };
	struct onsram_validate_error error = { 0 };
	int s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		bos[s].size = BUFFER_SIZE;
		uop.operand[s].view = op->view[s];
		if (op->view[s].dtype == ONSRAM_DTYPE_NONE)
			continue;
		uop.operand[s].bo = s;
		uop.operand[s].offset = BUFFER_SIZE / 2;
	}
	if (!onsram_validate_op(&uop, bos, ONSRAM_MAX_OPERANDS, max_work, &error))
		return NULL;
	assert_non_null(error.why);
	return error.why;
}

static void compare(const struct op *op, uint32_t round)
{
	const char *device = onsram_exec_check(op->opcode, &op->attr, op->view);
	const char *driver = driver_refuses(op, UINT64_MAX);

	if (!device != !driver)
		fail_msg("round %u, opcode %u func %u: device says %s, driver says %s", round,
			 op->opcode, op->attr.func, device ? device : "good",
			 driver ? driver : "good");
}

static void test_damaged(void **state)
{
	uint32_t round;

	(void)state;
	for (round = 0; round < 1000000; round++) {
		struct op op = op_make(round % BASES);

		op_damage(&op);
		compare(&op, round);
	}
}

/* Every value near the edges, in every word of every operation */
static void test_single_words(void **state)
{
	static const uint32_t values[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 26, 27, 0x7fff, 0x8000, 0xffff, 0x10000, 0x10001,
		0x20002, 1u << 28, (1u << 28) + 1, INT32_MAX, 0x80000000, ~0u, -120u, -5u,
	};
	uint32_t base, word, v;

	(void)state;
	for (base = 0; base < BASES; base++)
		for (word = 0; word < sizeof(struct op) / sizeof(uint32_t); word++)
			for (v = 0; v < ARRAY_SIZE(values); v++) {
				struct op op = op_make(base);

				((uint32_t *)&op)[word] = values[v];
				compare(&op, word);
			}
}

/* Views may be as long as the limits say, to the element */
static void test_limits(void **state)
{
	static const struct {
		uint32_t dtype, dim;
		int32_t stride;
		bool good;
	} cases[] = {
		{ ONSRAM_DTYPE_F32, 1u << 28, 4, true },
		{ ONSRAM_DTYPE_F32, 1u << 28, 5, false },
		{ ONSRAM_DTYPE_F32, (1u << 28) + 1, 0, false },
		{ ONSRAM_DTYPE_I64, 1u << 28, -2, true },
		{ ONSRAM_DTYPE_I64, 1u << 28, -3, false },
		{ ONSRAM_DTYPE_BOOL, 3, 0x7fffffff, true },
		{ ONSRAM_DTYPE_BOOL, 4, 0x7fffffff, false },
		{ ONSRAM_DTYPE_F16, 2, INT32_MIN, false },
		{ ONSRAM_DTYPE_F16, 2, INT32_MIN + 1, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct op op = op_make(FILL);

		op.view[0] = (struct onsram_view) {
			cases[i].dtype, 1, { cases[i].dim }, { cases[i].stride },
		};
		compare(&op, i);
		assert_int_equal(!driver_refuses(&op, UINT64_MAX), cases[i].good);
	}
}

/* The most work that is let through is the operation's own, to the unit */
static void assert_work(const struct op *op, uint64_t work)
{
	assert_null(onsram_exec_check(op->opcode, &op->attr, op->view));
	assert_true(onsram_exec_work(op->opcode, &op->attr, op->view) == work);
	assert_null(driver_refuses(op, work));
	assert_string_equal(driver_refuses(op, work - 1), "more work than max_op_work");
}

static void test_work(void **state)
{
	static const uint64_t work[BASES] = {
		[COPY] = 240, [FILL] = 240, [GEMM] = 30 * 4, [CONV] = 144 * 2 * 4,
		[POOL] = 96 * 4 * ONSRAM_WORK_WINDOW, [ADD] = 240, [CLIP] = 240, [EQUAL] = 240,
		[WHERE] = 240, [REDUCE] = 240, [SOFTMAX] = 240, [BATCH] = 240,
		[LRN] = 240 * 4 * ONSRAM_WORK_WINDOW, [LAYER] = 240, [GROUP] = 240,
		[GATHER] = 180, [RESIZE] = 240,
	};
	uint32_t base, d;
	struct op op;

	(void)state;
	for (base = 0; base < BASES; base++) {
		op = op_make(base);
		assert_work(&op, work[base]);
	}
	op = op_make(LRN);
	op.attr.kernel[0] = 3;
	assert_work(&op, 240 * 3 * ONSRAM_WORK_WINDOW);
	/* The largest window in padding: 2^28 elements of 65535^3, beyond 64 bits */
	op = (struct op){ .opcode = ONSRAM_OP_POOL };
	F32(&op, 0, 1 << 20, 256, 1, 1, 1);
	F32(&op, 1, 1 << 20, 256, 1, 1, 1);
	for (d = 0; d < 3; d++) {
		op.attr.kernel[d] = 65535;
		op.attr.stride[d] = op.attr.dilation[d] = 1;
		op.attr.pad_begin[d] = op.attr.pad_end[d] = 32767;
	}
	assert_work(&op, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_single_words),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
