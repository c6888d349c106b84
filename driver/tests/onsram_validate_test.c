// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the validator as the kernel builds it.  The exhaustive cases run on the
 * host; these show that the kernel's helpers mean the same.
 */
#include <kunit/test.h>

#include "onsram_validate.h"

#define BO_SIZE	4096

static struct onsram_view test_view(u32 dtype, u32 rows, u32 cols)
{
	return (struct onsram_view){
		.dtype = dtype, .rank = 2, .dims = { rows, cols }, .strides = { cols, 1 },
	};
}

/* slot 0 = slot 1 x slot 2 */
static void test_gemm(struct drm_onsram_op *op)
{
	memset(op, 0, sizeof(*op));
	op->opcode = ONSRAM_OP_GEMM;
	op->attr.param[0] = 0x3f800000;
	op->operand[0].view = test_view(ONSRAM_DTYPE_F32, 4, 6);
	op->operand[1].view = test_view(ONSRAM_DTYPE_F32, 4, 5);
	op->operand[2].view = test_view(ONSRAM_DTYPE_F32, 5, 6);
	op->operand[1].bo = 1;
	op->operand[2].bo = 2;
}

struct onsram_validate_case {
	const char *name;
	void (*damage)(struct drm_onsram_op *op);
	int slot;
	const char *why;
};

#define CASE(what, slot, why) { #what, damage_##what, slot, why }
#define DAMAGE(what, change) \
	static void damage_##what(struct drm_onsram_op *op) { change; }

DAMAGE(opcode, op->opcode = 0)
DAMAGE(opcode_large, op->opcode = U32_MAX)
DAMAGE(flags, op->flags = 1)
DAMAGE(reserved, op->attr.reserved = 1)
DAMAGE(func, op->attr.func = 1)
DAMAGE(absent, memset(&op->operand[2], 0, sizeof(op->operand[2])))
DAMAGE(extra, op->operand[5] = op->operand[1])
DAMAGE(padding, op->operand[1].reserved = 1)
DAMAGE(bo, op->operand[2].bo = 3)
DAMAGE(none, op->operand[3].offset = 8)
DAMAGE(dtype, op->operand[1].view.dtype = ONSRAM_DTYPE_COUNT)
DAMAGE(rank, op->operand[1].view.rank = U32_MAX)
DAMAGE(dim, op->operand[1].view.dims[0] = 0)
DAMAGE(beyond, op->operand[1].view.strides[4] = 1)
DAMAGE(elements, op->operand[1].view.dims[0] = U32_MAX)
DAMAGE(span, op->operand[1].view.strides[0] = S32_MIN)
DAMAGE(unaligned, op->operand[1].offset = 2)
DAMAGE(offset, op->operand[1].offset = BO_SIZE)
DAMAGE(end, op->operand[1].offset = BO_SIZE - 76)
DAMAGE(begin, op->operand[1].view.strides[0] = -5)
DAMAGE(twice, op->operand[0].view.strides[0] = 5)
DAMAGE(shape, op->operand[2].view.dims[0] = 4)
DAMAGE(unused, op->attr.kernel[0] = 1)
DAMAGE(overlap, op->operand[1].bo = 0)

static const struct onsram_validate_case validate_cases[] = {
	CASE(opcode, -1, "unknown opcode"),
	CASE(opcode_large, -1, "unknown opcode"),
	CASE(flags, -1, "flags must be 0"),
	CASE(reserved, -1, "attr.reserved must be 0"),
	CASE(func, -1, "attr.func out of range"),
	CASE(absent, 2, "required operand is absent"),
	CASE(extra, 5, "the operation has no such operand"),
	CASE(padding, 1, "operand.reserved must be 0"),
	CASE(bo, 2, "operand.bo out of range"),
	CASE(none, 3, "operand of dtype NONE must be zero"),
	CASE(dtype, 1, "unknown dtype"),
	CASE(rank, 1, "rank above ONSRAM_MAX_RANK"),
	CASE(dim, 1, "dimension of extent 0"),
	CASE(beyond, 1, "dims and strides beyond the rank must be 0"),
	CASE(elements, 1, "more than ONSRAM_MAX_ELEMENTS elements"),
	CASE(span, 1, "view spans more than ONSRAM_MAX_EXTENT"),
	CASE(unaligned, 1, "offset is not a multiple of the element size"),
	CASE(offset, 1, "offset outside the buffer"),
	CASE(end, 1, "view ends behind the buffer"),
	CASE(begin, 1, "view begins before the buffer"),
	CASE(twice, 0, "output addresses an element twice"),
	CASE(shape, 2, "K differs from A's"),
	CASE(unused, -1, "attr.kernel is not used and must be 0"),
	CASE(overlap, 1, "input overlaps the output"),
};

static void validate_case_desc(const struct onsram_validate_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(validate, validate_cases, validate_case_desc);

static const struct onsram_validate_bo test_bos[3] = { { BO_SIZE }, { BO_SIZE }, { BO_SIZE } };

static void onsram_validate_accepts(struct kunit *test)
{
	struct onsram_validate_error err;
	struct drm_onsram_op op;

	test_gemm(&op);
	KUNIT_EXPECT_EQ(test, onsram_validate_op(&op, test_bos, 3, U64_MAX, &err), 0);
	/* right up to the end of the buffer */
	op.operand[1].offset = BO_SIZE - 80;
	KUNIT_EXPECT_EQ(test, onsram_validate_op(&op, test_bos, 3, U64_MAX, &err), 0);
	KUNIT_EXPECT_TRUE(test, onsram_op_writes_all(&op, 96));
	KUNIT_EXPECT_FALSE(test, onsram_op_writes_all(&op, BO_SIZE));
}

static void onsram_validate_refuses(struct kunit *test)
{
	const struct onsram_validate_case *c = test->param_value;
	struct onsram_validate_error err = {};
	struct drm_onsram_op op;

	test_gemm(&op);
	c->damage(&op);
	KUNIT_ASSERT_EQ(test, onsram_validate_op(&op, test_bos, 3, U64_MAX, &err), -EINVAL);
	KUNIT_EXPECT_EQ(test, err.slot, c->slot);
	KUNIT_EXPECT_STREQ(test, err.why, c->why);
}

static struct kunit_case onsram_validate_test_cases[] = {
	KUNIT_CASE(onsram_validate_accepts),
	KUNIT_CASE_PARAM(onsram_validate_refuses, validate_gen_params),
	{}
};

static struct kunit_suite onsram_validate_test_suite = {
	.name = "onsram_validate",
	.test_cases = onsram_validate_test_cases,
};

kunit_test_suite(onsram_validate_test_suite);
