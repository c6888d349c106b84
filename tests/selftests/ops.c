// SPDX-License-Identifier: MIT
#include <string.h>

#include "ops.h"

struct onsram_view dense(uint32_t dtype, const uint32_t *dims)
{
	struct onsram_view v = { .dtype = dtype };
	int32_t step = 1;
	uint32_t i;

	while (dims[v.rank]) {
		v.dims[v.rank] = dims[v.rank];
		v.rank++;
	}
	for (i = v.rank; i--;) {
		v.strides[i] = step;
		step *= (int32_t)v.dims[i];
	}
	return v;
}

void set_operand(struct drm_onsram_op *op, uint32_t slot, struct onsram_view view)
{
	op->operand[slot].bo = slot;
	op->operand[slot].view = view;
}

uint32_t f32_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

struct drm_onsram_op copy_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY };

	set_operand(&op, 0, DENSE(F32, 4, 6));
	set_operand(&op, 1, DENSE(F32, 4, 6));
	return op;
}

struct drm_onsram_op fill_op(float value)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_FILL };

	op.attr.param[0] = f32_bits(value);
	set_operand(&op, 0, DENSE(F32, 4, 6));
	return op;
}

struct drm_onsram_op fill_all_op(float value)
{
	struct drm_onsram_op op = fill_op(value);

	op.operand[0].view = DENSE(F32, BUFFER_BYTES / sizeof(float));
	return op;
}

struct drm_onsram_op gemm_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GEMM };

	op.attr.param[0] = f32_bits(1);
	op.attr.param[1] = f32_bits(1);
	set_operand(&op, 0, DENSE(F32, 4, 5));
	set_operand(&op, 1, DENSE(F32, 4, 6));
	set_operand(&op, 2, DENSE(F32, 6, 5));
	set_operand(&op, 3, DENSE(F32, 4, 5));
	op.operand[3].view.strides[0] = 0;
	return op;
}

struct drm_onsram_op conv_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_CONV };
	int i;

	op.attr.groups = 1;
	for (i = 0; i < 2; i++) {
		op.attr.stride[i] = 1;
		op.attr.dilation[i] = 1;
		op.attr.pad_begin[i] = 1;
		op.attr.pad_end[i] = 1;
	}
	set_operand(&op, 0, DENSE(F32, 1, 4, 5, 5));
	set_operand(&op, 1, DENSE(F32, 1, 2, 5, 5));
	set_operand(&op, 2, DENSE(F32, 4, 2, 3, 3));
	set_operand(&op, 3, DENSE(F32, 4));
	return op;
}

struct drm_onsram_op pool_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_POOL };
	int i;

	op.attr.func = ONSRAM_POOL_MAX;
	for (i = 0; i < 2; i++) {
		op.attr.kernel[i] = 2;
		op.attr.stride[i] = 2;
		op.attr.dilation[i] = 1;
	}
	set_operand(&op, 0, DENSE(F32, 1, 2, 3, 3));
	set_operand(&op, 1, DENSE(F32, 1, 2, 6, 6));
	return op;
}

struct drm_onsram_op add_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_ELEMENTWISE };

	op.attr.func = ONSRAM_EW_ADD;
	set_operand(&op, 0, DENSE(F32, 4, 6));
	set_operand(&op, 1, DENSE(F32, 4, 6));
	set_operand(&op, 2, DENSE(F32, 4, 6));
	return op;
}

struct drm_onsram_op reduce_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_REDUCE };

	op.attr.func = ONSRAM_REDUCE_MEAN;
	op.attr.axis = 1u << 1;
	set_operand(&op, 0, DENSE(F32, 4, 1));
	set_operand(&op, 1, DENSE(F32, 4, 6));
	return op;
}

struct drm_onsram_op softmax_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_SOFTMAX };

	op.attr.axis = 1;
	set_operand(&op, 0, DENSE(F32, 4, 6));
	set_operand(&op, 1, DENSE(F32, 4, 6));
	return op;
}

struct drm_onsram_op batch_norm_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_NORM };
	uint32_t slot;

	op.attr.func = ONSRAM_NORM_BATCH;
	op.attr.param[0] = f32_bits(1e-5f);
	set_operand(&op, 0, DENSE(F32, 1, 3, 4, 4));
	set_operand(&op, 1, DENSE(F32, 1, 3, 4, 4));
	for (slot = 2; slot < 6; slot++)
		set_operand(&op, slot, DENSE(F32, 3));
	return op;
}

struct drm_onsram_op lrn_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_NORM };

	op.attr.func = ONSRAM_NORM_LRN;
	op.attr.kernel[0] = 3;
	op.attr.param[0] = f32_bits(0.5f);
	op.attr.param[1] = f32_bits(0.75f);
	op.attr.param[2] = f32_bits(1);
	set_operand(&op, 0, DENSE(F32, 1, 6, 2, 2));
	set_operand(&op, 1, DENSE(F32, 1, 6, 2, 2));
	return op;
}

struct drm_onsram_op gather_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER };

	set_operand(&op, 0, DENSE(F32, 3, 6));
	set_operand(&op, 1, DENSE(F32, 4, 6));
	set_operand(&op, 2, DENSE(I32, 3));
	return op;
}

struct drm_onsram_op resize_op(void)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_RESIZE };

	op.attr.func = ONSRAM_RESIZE_NEAREST;
	set_operand(&op, 0, DENSE(F32, 1, 2, 4, 4));
	set_operand(&op, 1, DENSE(F32, 1, 2, 2, 2));
	return op;
}
