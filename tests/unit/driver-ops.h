/* SPDX-License-Identifier: MIT */
/* Well-formed operations to start driver tests from. */
#ifndef TESTS_UNIT_DRIVER_OPS_H
#define TESTS_UNIT_DRIVER_OPS_H

#include <string.h>

#include <linux/types.h>

#include "onsram_validate.h"

/* xorshift: the same sequence on every host */
static inline u32 rnd(u32 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* A dense view; dims end at the first 0 */
static inline struct onsram_view dense(u32 dtype, u32 d0, u32 d1, u32 d2, u32 d3, u32 d4)
{
	u32 dims[] = { d0, d1, d2, d3, d4, 0 };
	struct onsram_view v = { .dtype = dtype };
	s32 stride = 1;

	while (dims[v.rank])
		v.rank++;
	for (u32 d = v.rank; d-- > 0;) {
		v.dims[d] = dims[d];
		v.strides[d] = stride;
		stride *= dims[d];
	}
	return v;
}

#define VIEW5(dtype, d0, d1, d2, d3, d4, ...)	dense(dtype, d0, d1, d2, d3, d4)
#define VIEW(dtype, ...)	VIEW5(ONSRAM_DTYPE_##dtype, __VA_ARGS__, 0, 0, 0, 0, 0)

static inline struct drm_onsram_op make_op(u32 opcode, u32 func)
{
	return (struct drm_onsram_op){ .opcode = opcode, .attr.func = func };
}

/* Slot s names buffer s */
static inline void operand(struct drm_onsram_op *op, u32 slot, struct onsram_view view)
{
	op->operand[slot] = (struct drm_onsram_operand){ .bo = slot, .view = view };
}

static inline struct drm_onsram_op copy_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_COPY, 0);

	operand(&op, 0, VIEW(F32, 4, 5));
	operand(&op, 1, VIEW(F16, 4, 5));
	return op;
}

static inline struct drm_onsram_op fill_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_FILL, 0);

	operand(&op, 0, VIEW(F32, 4, 5));
	op.attr.param[0] = 0x3f800000;
	return op;
}

static inline struct drm_onsram_op gemm_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_GEMM, 0);

	operand(&op, 0, VIEW(F32, 2, 3, 4));
	operand(&op, 1, VIEW(F32, 2, 3, 5));
	operand(&op, 2, VIEW(F16, 2, 5, 4));
	operand(&op, 3, VIEW(F32, 2, 3, 4));
	operand(&op, 4, VIEW(F32, 2, 3, 4));
	op.attr.param[0] = 0x3f800000;
	op.attr.param[1] = 0x3f800000;
	op.attr.act = ONSRAM_ACT_CLIP;
	op.attr.act_param[1] = 0x40c00000;
	return op;
}

/* 3x3, stride 2, one element of padding, two groups: 9x8 -> 5x4 */
static inline struct drm_onsram_op conv_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_CONV, 0);

	operand(&op, 0, VIEW(F32, 1, 6, 5, 4));
	operand(&op, 1, VIEW(F32, 1, 4, 9, 8));
	operand(&op, 2, VIEW(F32, 6, 2, 3, 3));
	operand(&op, 3, VIEW(F32, 6));
	operand(&op, 4, VIEW(F32, 1, 6, 5, 4));
	op.attr.groups = 2;
	op.attr.act = ONSRAM_ACT_LEAKY_RELU;
	op.attr.act_param[0] = 0x3dcccccd;
	for (u32 i = 0; i < 2; i++) {
		op.attr.stride[i] = 2;
		op.attr.dilation[i] = 1;
		op.attr.pad_begin[i] = 1;
		op.attr.pad_end[i] = 1;
	}
	return op;
}

/* 3 wide, stride 2: 10 -> 4, 5 in ceil mode */
static inline struct drm_onsram_op pool_op(u32 out)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_POOL, ONSRAM_POOL_AVG);

	operand(&op, 0, VIEW(F32, 1, 6, out));
	operand(&op, 1, VIEW(F32, 1, 6, 10));
	op.attr.kernel[0] = 3;
	op.attr.stride[0] = 2;
	op.attr.dilation[0] = 1;
	return op;
}

static inline struct drm_onsram_op ew_op(u32 func)
{
	static const struct {
		u8 inputs;
		u8 takes;
	} functions[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params) [value] = { inputs, ONSRAM_EW_TAKES_##takes },
		ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
	};
	struct drm_onsram_op op = make_op(ONSRAM_OP_ELEMENTWISE, func);

	for (u32 s = 0; s <= functions[func].inputs; s++) {
		operand(&op, s, VIEW(F32, 4, 5));
		if (!(functions[func].takes & ONSRAM_EW_FLOAT))
			op.operand[s].view.dtype = ONSRAM_DTYPE_I32;
	}
	if (functions[func].takes & ONSRAM_EW_SELECTS)
		op.operand[1].view.dtype = ONSRAM_DTYPE_BOOL;
	if (functions[func].takes & ONSRAM_EW_COMPARES)
		op.operand[0].view.dtype = ONSRAM_DTYPE_BOOL;
	return op;
}

static inline struct drm_onsram_op reduce_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_REDUCE, ONSRAM_REDUCE_MEAN);

	operand(&op, 0, VIEW(F32, 4, 1, 6));
	operand(&op, 1, VIEW(F32, 4, 5, 6));
	op.attr.axis = 2;
	return op;
}

static inline struct drm_onsram_op softmax_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_SOFTMAX, 1);

	operand(&op, 0, VIEW(F32, 4, 5));
	operand(&op, 1, VIEW(F32, 4, 5));
	op.attr.axis = 1;
	return op;
}

static inline struct drm_onsram_op norm_op(u32 func)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_NORM, func);

	operand(&op, 0, VIEW(F32, 2, 6, 3));
	operand(&op, 1, VIEW(F32, 2, 6, 3));
	op.attr.param[0] = 0x3727c5ac;
	switch (func) {
	case ONSRAM_NORM_BATCH:
		for (u32 s = 2; s < 6; s++)
			operand(&op, s, VIEW(F32, 6));
		break;
	case ONSRAM_NORM_LRN:
		op.attr.kernel[0] = 5;
		op.attr.param[2] = 0x3f800000;
		break;
	case ONSRAM_NORM_LAYER:
		op.attr.axis = 1;
		operand(&op, 2, VIEW(F32, 6, 3));
		operand(&op, 3, VIEW(F32, 6, 3));
		break;
	case ONSRAM_NORM_GROUP:
		op.attr.groups = 3;
		operand(&op, 2, VIEW(F32, 6));
		operand(&op, 3, VIEW(F32, 6));
		break;
	}
	return op;
}

static inline struct drm_onsram_op gather_op(void)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_GATHER, 0);

	operand(&op, 0, VIEW(F32, 4, 2, 3, 6));
	operand(&op, 1, VIEW(F32, 4, 5, 6));
	operand(&op, 2, VIEW(I64, 2, 3));
	op.attr.axis = 1;
	return op;
}

static inline struct drm_onsram_op resize_op(u32 func)
{
	struct drm_onsram_op op = make_op(ONSRAM_OP_RESIZE, func);

	operand(&op, 0, VIEW(F32, 1, 3, 8, 10));
	operand(&op, 1, VIEW(F32, 1, 3, 4, 5));
	return op;
}

#endif
