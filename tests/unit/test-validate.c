// SPDX-License-Identifier: MIT
/* The driver's validator: every field it rejects, by the reason it gives. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver-ops.h"

#define NO_SLOT		ONSRAM_VALIDATE_NO_SLOT
#define BO_SIZE		8192

static const struct onsram_validate_bo bos[6] = {
	{ BO_SIZE }, { BO_SIZE }, { BO_SIZE }, { BO_SIZE }, { BO_SIZE }, { BO_SIZE },
};

static void accept(const struct drm_onsram_op *op)
{
	struct onsram_validate_error err = {};

	if (onsram_validate_op(op, bos, 6, U64_MAX, &err))
		fail_msg("opcode %u func %u refused: slot %d: %s", op->opcode, op->attr.func, err.slot, err.why);
}

static void refuse(const struct drm_onsram_op *op, int slot, const char *why)
{
	struct onsram_validate_error err = { .slot = 99 };

	assert_int_equal(onsram_validate_op(op, bos, 6, U64_MAX, &err), -EINVAL);
	assert_string_equal(err.why, why);
	assert_int_equal(err.slot, slot);
}

/* @base with the change that follows is refused for @why at @slot */
#define REFUSE(base, slot, why, ...) \
	do { \
		struct drm_onsram_op o = base; \
		struct onsram_attr *a = &o.attr; \
		struct drm_onsram_operand *v = o.operand; \
		(void)a; \
		(void)v; \
		__VA_ARGS__; \
		refuse(&o, slot, why); \
	} while (0)

#define ACCEPT(base, ...) \
	do { \
		struct drm_onsram_op o = base; \
		struct onsram_attr *a = &o.attr; \
		struct drm_onsram_operand *v = o.operand; \
		(void)a; \
		(void)v; \
		__VA_ARGS__; \
		accept(&o); \
	} while (0)

static void test_opcode(void **state)
{
	(void)state;
	REFUSE(copy_op(), NO_SLOT, "unknown opcode", o.opcode = 0);
	REFUSE(copy_op(), NO_SLOT, "unknown opcode", o.opcode = ONSRAM_OP_COUNT);
	REFUSE(copy_op(), NO_SLOT, "unknown opcode", o.opcode = 0x81);
	REFUSE(copy_op(), NO_SLOT, "unknown opcode", o.opcode = U32_MAX);
	REFUSE(copy_op(), NO_SLOT, "flags must be 0", o.flags = 1);
	REFUSE(copy_op(), NO_SLOT, "attr.reserved must be 0", a->reserved = 1);
	REFUSE(copy_op(), NO_SLOT, "attr.func out of range", a->func = 1);
	REFUSE(pool_op(4), NO_SLOT, "attr.func out of range", a->func = ONSRAM_POOL_COUNT);
	REFUSE(ew_op(0), NO_SLOT, "attr.func out of range", a->func = ONSRAM_EW_COUNT);
	REFUSE(reduce_op(), NO_SLOT, "attr.func out of range", a->func = ONSRAM_REDUCE_COUNT);
	REFUSE(softmax_op(), NO_SLOT, "attr.func out of range", a->func = 2);
	REFUSE(norm_op(0), NO_SLOT, "attr.func out of range", a->func = ONSRAM_NORM_COUNT);
	REFUSE(resize_op(0), NO_SLOT, "attr.func out of range", a->func = ONSRAM_RESIZE_COUNT);
}

static void test_operand(void **state)
{
	struct drm_onsram_operand none = {};

	(void)state;
	ACCEPT(copy_op(), v[1].bo = 5);
	REFUSE(copy_op(), 0, "required operand is absent", v[0] = none);
	REFUSE(copy_op(), 1, "required operand is absent", v[1] = none);
	REFUSE(gemm_op(), 2, "required operand is absent", v[2] = none);
	REFUSE(copy_op(), 2, "the operation has no such operand", v[2] = v[1]);
	REFUSE(conv_op(), 5, "the operation has no such operand", v[5] = v[3]);
	REFUSE(copy_op(), 1, "operand.reserved must be 0", v[1].reserved = 1);
	REFUSE(copy_op(), 1, "operand.bo out of range", v[1].bo = 6);
	REFUSE(copy_op(), 0, "operand.bo out of range", v[0].bo = U32_MAX);
	REFUSE(copy_op(), 3, "operand of dtype NONE must be zero", v[3].bo = 1);
	REFUSE(copy_op(), 3, "operand of dtype NONE must be zero", v[3].offset = 4);
	REFUSE(copy_op(), 3, "operand of dtype NONE must be zero", v[3].reserved = 4);
	REFUSE(copy_op(), 3, "operand of dtype NONE must be zero", v[3].view.rank = 1);
	REFUSE(copy_op(), 5, "operand of dtype NONE must be zero", v[5].view.dims[0] = 1);
	REFUSE(copy_op(), 5, "operand of dtype NONE must be zero", v[5].view.strides[5] = 1);
}

static void test_view(void **state)
{
	(void)state;
	REFUSE(copy_op(), 1, "unknown dtype", v[1].view.dtype = ONSRAM_DTYPE_COUNT);
	REFUSE(copy_op(), 0, "unknown dtype", v[0].view.dtype = U32_MAX);
	REFUSE(copy_op(), 1, "rank above ONSRAM_MAX_RANK", v[1].view.rank = ONSRAM_MAX_RANK + 1);
	REFUSE(copy_op(), 1, "rank above ONSRAM_MAX_RANK", v[1].view.rank = U32_MAX);
	REFUSE(copy_op(), 1, "dimension of extent 0", v[1].view.dims[1] = 0);
	REFUSE(copy_op(), 1, "dimension of extent 0", v[1].view.rank = 3);
	REFUSE(copy_op(), 1, "dims and strides beyond the rank must be 0", v[1].view.dims[2] = 1);
	REFUSE(copy_op(), 1, "dims and strides beyond the rank must be 0", v[1].view.strides[5] = 1);
	REFUSE(copy_op(), 1, "more than ONSRAM_MAX_ELEMENTS elements", v[1].view.dims[0] = U32_MAX);
	REFUSE(copy_op(), 1, "more than ONSRAM_MAX_ELEMENTS elements",
	       v[1].view = VIEW(F32, 1, 1, 1); v[1].view.dims[0] = 1 << 14;
	       v[1].view.dims[1] = 1 << 14; v[1].view.dims[2] = 2; v[1].view.strides[2] = 0);
	REFUSE(copy_op(), 1, "view spans more than ONSRAM_MAX_EXTENT", v[1].view.strides[0] = INT_MAX);
	REFUSE(copy_op(), 1, "view spans more than ONSRAM_MAX_EXTENT", v[1].view.strides[0] = INT_MIN);
	REFUSE(copy_op(), 1, "view spans more than ONSRAM_MAX_EXTENT",
	       v[1].view.strides[0] = 1 << 29; v[1].view.strides[1] = -(1 << 28));
	/* scalars */
	ACCEPT(copy_op(), v[0].view = VIEW(F32, 0); v[1].view = VIEW(I64, 0));
}

static void test_extent(void **state)
{
	(void)state;
	ACCEPT(copy_op(), v[1].offset = BO_SIZE - 40);
	REFUSE(copy_op(), 1, "view ends behind the buffer", v[1].offset = BO_SIZE - 38);
	REFUSE(copy_op(), 1, "offset is not a multiple of the element size", v[1].offset = 1);
	REFUSE(copy_op(), 0, "offset is not a multiple of the element size", v[0].offset = 2);
	REFUSE(copy_op(), 1, "offset outside the buffer", v[1].offset = BO_SIZE);
	REFUSE(copy_op(), 1, "offset outside the buffer", v[1].offset = U64_MAX - 1);
	ACCEPT(copy_op(), v[1].view.strides[0] = 1019);
	REFUSE(copy_op(), 1, "view ends behind the buffer", v[1].view.strides[0] = 1365);
	/* backwards: from the last row to the first */
	ACCEPT(copy_op(), v[1].view.strides[0] = -5; v[1].offset = 30);
	REFUSE(copy_op(), 1, "view begins before the buffer", v[1].view.strides[0] = -5; v[1].offset = 28);
	/* a buffer nobody can have must not make the sums overflow */
	struct onsram_validate_bo huge[2] = { { U64_MAX }, { U64_MAX } };
	struct onsram_validate_error err;
	struct drm_onsram_op op = copy_op();

	op.operand[1].offset = U64_MAX - 1;
	assert_int_equal(onsram_validate_op(&op, huge, 2, U64_MAX, &err), -EINVAL);
	assert_string_equal(err.why, "buffer too large");
	/* no buffers at all */
	op = copy_op();
	assert_int_equal(onsram_validate_op(&op, NULL, 0, U64_MAX, &err), -EINVAL);
	assert_string_equal(err.why, "operand.bo out of range");
}

static void test_output(void **state)
{
	(void)state;
	REFUSE(copy_op(), 0, "output addresses an element twice", v[0].view.strides[0] = 0);
	REFUSE(copy_op(), 0, "output addresses an element twice", v[0].view.strides[0] = 4);
	REFUSE(copy_op(), 0, "output addresses an element twice", v[0].view.strides[0] = 1);
	ACCEPT(copy_op(), v[0].view.strides[0] = -5; v[0].offset = 60);
	/* transposed, padded rows */
	ACCEPT(copy_op(), v[0].view.strides[0] = 1; v[0].view.strides[1] = 4);
	ACCEPT(copy_op(), v[0].view.strides[0] = 8);
	/* a dimension of extent 1 may have any stride */
	ACCEPT(copy_op(), v[0].view.dims[0] = 1; v[0].view.strides[0] = 0; v[1].view.dims[0] = 1);
}

static void test_overlap(void **state)
{
	(void)state;
	REFUSE(copy_op(), 1, "input overlaps the output", v[1].bo = 0);
	ACCEPT(copy_op(), v[1].bo = 0; v[1].offset = 80);
	REFUSE(copy_op(), 1, "input overlaps the output", v[1].bo = 0; v[1].offset = 78);
	/* the left and the right half of the same rows share an extent, not a byte */
	ACCEPT(copy_op(), v[1].view.dtype = ONSRAM_DTYPE_F32; v[0].view.strides[0] = 10;
	       v[1].view.strides[0] = 10; v[1].bo = 0; v[1].offset = 20);
	REFUSE(copy_op(), 1, "input overlaps the output", v[1].view.dtype = ONSRAM_DTYPE_F32;
	       v[0].view.strides[0] = 10; v[1].view.strides[0] = 10; v[1].bo = 0; v[1].offset = 16);
	/* in place: elementwise, and the same view only */
	ACCEPT(ew_op(ONSRAM_EW_ADD), v[1].bo = 0);
	ACCEPT(ew_op(ONSRAM_EW_ADD), v[1].bo = 0; v[2].bo = 0);
	REFUSE(ew_op(ONSRAM_EW_ADD), 2, "input overlaps the output", v[2].bo = 0; v[2].offset = 4);
	REFUSE(ew_op(ONSRAM_EW_ADD), 2, "input overlaps the output", v[2].bo = 0;
	       v[2].view.strides[0] = 1; v[2].view.strides[1] = 4);
	REFUSE(softmax_op(), 1, "input overlaps the output", v[1].bo = 0);
}

static void test_unused(void **state)
{
	(void)state;
	REFUSE(copy_op(), NO_SLOT, "attr.groups is not used and must be 0", a->groups = 1);
	REFUSE(copy_op(), NO_SLOT, "attr.axis is not used and must be 0", a->axis = 1);
	REFUSE(copy_op(), NO_SLOT, "attr.act is not used and must be 0", a->act = ONSRAM_ACT_RELU);
	REFUSE(gemm_op(), NO_SLOT, "attr.act out of range", a->act = ONSRAM_ACT_COUNT);
	REFUSE(copy_op(), NO_SLOT, "attr.act_param is not used and must be 0", a->act_param[0] = 1);
	REFUSE(conv_op(), NO_SLOT, "attr.act_param is not used and must be 0", a->act_param[1] = 1);
	REFUSE(gemm_op(), NO_SLOT, "attr.act_param is not used and must be 0", a->act = ONSRAM_ACT_TANH);
	REFUSE(conv_op(), NO_SLOT, "attr.kernel is not used and must be 0", a->kernel[0] = 3);
	REFUSE(pool_op(4), NO_SLOT, "attr.kernel is not used and must be 0", a->kernel[1] = 3);
	REFUSE(norm_op(ONSRAM_NORM_LRN), NO_SLOT, "attr.kernel is not used and must be 0", a->kernel[1] = 3);
	REFUSE(copy_op(), NO_SLOT, "attr.stride is not used and must be 0", a->stride[0] = 1);
	REFUSE(conv_op(), NO_SLOT, "attr.stride is not used and must be 0", a->stride[2] = 1);
	REFUSE(conv_op(), NO_SLOT, "attr.dilation is not used and must be 0", a->dilation[2] = 1);
	REFUSE(conv_op(), NO_SLOT, "attr.pad_begin is not used and must be 0", a->pad_begin[2] = 1);
	REFUSE(conv_op(), NO_SLOT, "attr.pad_end is not used and must be 0", a->pad_end[2] = 1);
	REFUSE(copy_op(), NO_SLOT, "attr.param is not used and must be 0", a->param[0] = 1);
	REFUSE(gemm_op(), NO_SLOT, "attr.param is not used and must be 0", a->param[2] = 1);
	REFUSE(norm_op(ONSRAM_NORM_LRN), NO_SLOT, "attr.param is not used and must be 0", a->param[3] = 1);
	REFUSE(ew_op(ONSRAM_EW_RELU), NO_SLOT, "attr.param is not used and must be 0", a->param[0] = 1);
	REFUSE(ew_op(ONSRAM_EW_LEAKY_RELU), NO_SLOT, "attr.param is not used and must be 0", a->param[1] = 1);
	ACCEPT(ew_op(ONSRAM_EW_LEAKY_RELU), a->param[0] = 1);
	ACCEPT(ew_op(ONSRAM_EW_CLIP), a->param[1] = 1);
	ACCEPT(ew_op(ONSRAM_EW_HARD_SIGMOID), a->param[1] = 1);
	ACCEPT(ew_op(ONSRAM_EW_AFFINE), a->param[1] = 1);
	REFUSE(resize_op(0), NO_SLOT, "attr.axis is not used and must be 0", a->axis = 1);
	REFUSE(norm_op(ONSRAM_NORM_BATCH), NO_SLOT, "attr.groups is not used and must be 0", a->groups = 1);
	REFUSE(norm_op(ONSRAM_NORM_LAYER), NO_SLOT, "attr.groups is not used and must be 0", a->groups = 1);
}

static void test_copy_fill(void **state)
{
	(void)state;
	ACCEPT(copy_op(), v[1].view.strides[0] = 0);
	REFUSE(copy_op(), 1, "dims differ from the output's", v[1].view.dims[0] = 3);
	REFUSE(copy_op(), 1, "dims differ from the output's", v[1].view = VIEW(F32, 4, 5, 1));
	ACCEPT(fill_op());
	ACCEPT(fill_op(), v[0].view.dtype = ONSRAM_DTYPE_I64; a->param[1] = 7);
	REFUSE(fill_op(), NO_SLOT, "attr.param is not used and must be 0", a->param[1] = 7);
	ACCEPT(fill_op(), v[0].view.dtype = ONSRAM_DTYPE_BOOL; a->param[0] = 1);
	REFUSE(fill_op(), NO_SLOT, "attr.param[0] of a BOOL is 0 or 1",
	       v[0].view.dtype = ONSRAM_DTYPE_BOOL; a->param[0] = 2);
}

static void test_gemm(void **state)
{
	struct drm_onsram_operand none = {};

	(void)state;
	ACCEPT(gemm_op());
	ACCEPT(gemm_op(), v[3] = none; v[4] = none);
	ACCEPT(gemm_op(), v[3].view.strides[1] = 0);
	REFUSE(gemm_op(), 2, "dtype must be F32 or F16", v[2].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(gemm_op(), 0, "dtype must be F32 or F16", v[0].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(gemm_op(), 0, "rank must be at least 2", v[0].view = VIEW(F32, 3));
	REFUSE(gemm_op(), 1, "rank differs from the output's", v[1].view = VIEW(F32, 3, 5));
	REFUSE(gemm_op(), 2, "rank differs from the output's", v[2].view = VIEW(F32, 5, 4));
	REFUSE(gemm_op(), 1, "batch extent differs from the output's", v[1].view.dims[0] = 1);
	REFUSE(gemm_op(), 2, "batch extent differs from the output's", v[2].view.dims[0] = 1);
	REFUSE(gemm_op(), 1, "M differs from the output's", v[1].view.dims[1] = 2);
	REFUSE(gemm_op(), 2, "N differs from the output's", v[2].view.dims[2] = 3);
	REFUSE(gemm_op(), 2, "K differs from A's", v[2].view.dims[1] = 4);
	REFUSE(gemm_op(), 3, "dims differ from the output's", v[3].view = VIEW(F32, 4));
	REFUSE(gemm_op(), 4, "dims differ from the output's", v[4].view.dims[0] = 1);
}

static void test_conv(void **state)
{
	struct drm_onsram_operand none = {};

	(void)state;
	ACCEPT(conv_op());
	ACCEPT(conv_op(), v[3] = none; v[4] = none);
	REFUSE(conv_op(), 1, "dtype must be F32 or F16", v[1].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(conv_op(), 0, "rank must be 3 to 5", v[0].view = VIEW(F32, 1, 6));
	REFUSE(conv_op(), 0, "rank must be 3 to 5", v[0].view.rank = 6; v[0].view.dims[4] = 1;
	       v[0].view.dims[5] = 1);
	REFUSE(conv_op(), 1, "rank differs from the output's", v[1].view = VIEW(F32, 1, 4, 9));
	REFUSE(conv_op(), 2, "rank differs from the output's", v[2].view = VIEW(F32, 6, 2, 3));
	REFUSE(conv_op(), 1, "batch extent differs from the output's", v[1].view.dims[0] = 2);
	REFUSE(conv_op(), 2, "output channels differ from the output's", v[2].view.dims[0] = 4);
	REFUSE(conv_op(), NO_SLOT, "attr.groups must divide the channels", a->groups = 0);
	REFUSE(conv_op(), NO_SLOT, "attr.groups must divide the channels", a->groups = 3);
	REFUSE(conv_op(), NO_SLOT, "attr.groups must divide the channels", a->groups = 4);
	REFUSE(conv_op(), 2, "input channels are not C / groups", a->groups = 1);
	REFUSE(conv_op(), 3, "rank must be 1", v[3].view = VIEW(F32, 6, 1));
	REFUSE(conv_op(), 3, "extent is not the number of channels", v[3].view.dims[0] = 5);
	REFUSE(conv_op(), 4, "dims differ from the output's", v[4].view.dims[3] = 3);
	REFUSE(conv_op(), NO_SLOT, "attr.stride must be at least 1", a->stride[1] = 0);
	REFUSE(conv_op(), NO_SLOT, "attr.dilation must be at least 1", a->dilation[0] = 0);
	REFUSE(conv_op(), 1, "window larger than the padded input", a->dilation[0] = 6);
	REFUSE(conv_op(), 0, "spatial extent does not follow from input, window, stride and pads",
	       a->stride[1] = 1);
	REFUSE(conv_op(), 0, "spatial extent does not follow from input, window, stride and pads",
	       a->pad_end[0] = 65535);
	/* 65535 elements of padding on both sides */
	REFUSE(conv_op(), 0, "spatial extent does not follow from input, window, stride and pads",
	       a->pad_begin[0] = 65535; a->pad_end[0] = 65535; a->stride[0] = 65535);
	/* (9 + 1 + 1 - 5) / 2 + 1 = 4 */
	ACCEPT(conv_op(), a->dilation[0] = 2; v[0].view = VIEW(F32, 1, 6, 4, 4); v[4].view = v[0].view);
	/* no ceil mode for convolutions: (9 + 2 + 1 - 3) / 2 has a remainder */
	REFUSE(conv_op(), 0, "spatial extent does not follow from input, window, stride and pads",
	       a->pad_end[0] = 2; v[0].view = VIEW(F32, 1, 6, 6, 4); v[4].view = v[0].view);
}

static void test_pool(void **state)
{
	(void)state;
	ACCEPT(pool_op(4));
	ACCEPT(pool_op(5));
	REFUSE(pool_op(6), 0, "spatial extent does not follow from input, window, stride and pads");
	REFUSE(pool_op(3), 0, "spatial extent does not follow from input, window, stride and pads");
	/* the extra window would begin behind the padded input: 8 >= 8 */
	REFUSE(pool_op(3), 0, "spatial extent does not follow from input, window, stride and pads",
	       v[1].view.dims[2] = 8; a->stride[0] = 4);
	/* no remainder, no extra window: (9 - 3) / 2 */
	REFUSE(pool_op(5), 0, "spatial extent does not follow from input, window, stride and pads",
	       v[1].view.dims[2] = 9);
	REFUSE(pool_op(4), 0, "dtype must be F32 or F16", v[0].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(pool_op(4), 0, "rank must be 3 to 5", v[0].view = VIEW(F32, 1, 6));
	REFUSE(pool_op(4), 1, "rank differs from the output's", v[1].view = VIEW(F32, 1, 6, 10, 1));
	REFUSE(pool_op(4), 1, "batch or channels differ from the output's", v[1].view.dims[0] = 2);
	REFUSE(pool_op(4), 1, "batch or channels differ from the output's", v[1].view.dims[1] = 5);
	REFUSE(pool_op(4), NO_SLOT, "attr.kernel must be at least 1", a->kernel[0] = 0);
	REFUSE(pool_op(4), NO_SLOT, "attr.stride must be at least 1", a->stride[0] = 0);
	REFUSE(pool_op(4), NO_SLOT, "attr.dilation must be at least 1", a->dilation[0] = 0);
	REFUSE(pool_op(4), 1, "window larger than the padded input", a->kernel[0] = 11);
}

static void set_dtypes(struct drm_onsram_op *op, u32 dtype)
{
	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->operand[s].view.dtype)
			op->operand[s].view.dtype = dtype;
}

static void test_elementwise(void **state)
{
	struct drm_onsram_operand none = {};

	(void)state;
	for (u32 func = 0; func < ONSRAM_EW_COUNT; func++) {
		ACCEPT(ew_op(func));
		REFUSE(ew_op(func), 1, "dims differ from the output's", v[1].view.dims[1] = 4);
	}
	REFUSE(ew_op(ONSRAM_EW_ADD), 2, "the function takes another number of inputs", v[2] = none);
	REFUSE(ew_op(ONSRAM_EW_RELU), 2, "the function takes another number of inputs", v[2] = v[1]);
	REFUSE(ew_op(ONSRAM_EW_WHERE), 3, "the function takes another number of inputs", v[3] = none);
	REFUSE(ew_op(ONSRAM_EW_ADD), 3, "the function takes another number of inputs", v[3] = v[1]);
	ACCEPT(ew_op(ONSRAM_EW_LESS), v[1].view.dtype = ONSRAM_DTYPE_I64; v[2].view.dtype = ONSRAM_DTYPE_I64);
	REFUSE(ew_op(ONSRAM_EW_EQUAL), 0, "a comparison writes BOOL", v[0].view.dtype = ONSRAM_DTYPE_F32);
	REFUSE(ew_op(ONSRAM_EW_GREATER), 2, "dtype differs from A's", v[2].view.dtype = ONSRAM_DTYPE_F16);
	REFUSE(ew_op(ONSRAM_EW_WHERE), 1, "the condition must be BOOL", v[1].view.dtype = ONSRAM_DTYPE_F32);
	REFUSE(ew_op(ONSRAM_EW_WHERE), 3, "dtype differs from the output's", v[3].view.dtype = ONSRAM_DTYPE_F16);
	ACCEPT(ew_op(ONSRAM_EW_ADD), v[2].view.dtype = ONSRAM_DTYPE_F16);
	ACCEPT(ew_op(ONSRAM_EW_ADD), set_dtypes(&o, ONSRAM_DTYPE_I32));
	ACCEPT(ew_op(ONSRAM_EW_MAX), set_dtypes(&o, ONSRAM_DTYPE_BOOL));
	REFUSE(ew_op(ONSRAM_EW_ADD), 1, "dtype must be F32 or F16", v[1].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(ew_op(ONSRAM_EW_ADD), 2, "dtype differs from the output's", set_dtypes(&o, ONSRAM_DTYPE_I32);
	       v[2].view.dtype = ONSRAM_DTYPE_I64);
	REFUSE(ew_op(ONSRAM_EW_BIT_OR), 0, "the function does not take this dtype",
	       set_dtypes(&o, ONSRAM_DTYPE_F32));
	ACCEPT(ew_op(ONSRAM_EW_BIT_OR), set_dtypes(&o, ONSRAM_DTYPE_BOOL));
	REFUSE(ew_op(ONSRAM_EW_SIGMOID), 0, "the function does not take this dtype",
	       set_dtypes(&o, ONSRAM_DTYPE_I32));
	REFUSE(ew_op(ONSRAM_EW_ADD), 0, "the function does not take this dtype",
	       set_dtypes(&o, ONSRAM_DTYPE_BOOL));
}

static void test_reduce_softmax(void **state)
{
	(void)state;
	ACCEPT(reduce_op());
	ACCEPT(reduce_op(), set_dtypes(&o, ONSRAM_DTYPE_I64));
	REFUSE(reduce_op(), 0, "dtypes must be float, or the same I64 or I32",
	       v[0].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(reduce_op(), 0, "dtypes must be float, or the same I64 or I32",
	       set_dtypes(&o, ONSRAM_DTYPE_BOOL));
	REFUSE(reduce_op(), 1, "rank differs from the output's", v[1].view = VIEW(F32, 4, 5));
	REFUSE(reduce_op(), NO_SLOT, "attr.axis names a dimension beyond the rank", a->axis = 8);
	REFUSE(reduce_op(), 0, "dims do not follow from input and axis", a->axis = 3);
	REFUSE(reduce_op(), 0, "dims do not follow from input and axis", a->axis = 0);
	ACCEPT(softmax_op());
	REFUSE(softmax_op(), 1, "dtype must be F32 or F16", v[1].view.dtype = ONSRAM_DTYPE_I32);
	REFUSE(softmax_op(), 1, "dims differ from the output's", v[1].view.dims[0] = 3);
	REFUSE(softmax_op(), NO_SLOT, "attr.axis beyond the rank", a->axis = 2);
}

static void test_norm(void **state)
{
	struct drm_onsram_operand none = {};

	(void)state;
	for (u32 func = 0; func < ONSRAM_NORM_COUNT; func++) {
		ACCEPT(norm_op(func));
		REFUSE(norm_op(func), 1, "dtype must be F32 or F16", v[1].view.dtype = ONSRAM_DTYPE_I32);
		REFUSE(norm_op(func), 1, "dims differ from the output's", v[1].view.dims[2] = 2);
		REFUSE(norm_op(func), 1, "rank must be at least 2", v[0].view = VIEW(F32, 6);
		       v[1].view = VIEW(F32, 6));
	}
	ACCEPT(norm_op(ONSRAM_NORM_LAYER), v[3] = none);
	ACCEPT(norm_op(ONSRAM_NORM_GROUP), v[3] = none);
	REFUSE(norm_op(ONSRAM_NORM_BATCH), 5, "required operand is absent", v[5] = none);
	REFUSE(norm_op(ONSRAM_NORM_LAYER), 2, "required operand is absent", v[2] = none);
	REFUSE(norm_op(ONSRAM_NORM_LRN), 2, "the function has no such operand", operand(&o, 2, VIEW(F32, 6)));
	REFUSE(norm_op(ONSRAM_NORM_GROUP), 4, "the function has no such operand", operand(&o, 4, VIEW(F32, 6)));
	REFUSE(norm_op(ONSRAM_NORM_BATCH), 4, "rank must be 1", v[4].view = VIEW(F32, 6, 1));
	REFUSE(norm_op(ONSRAM_NORM_BATCH), 4, "extent is not the number of channels", v[4].view.dims[0] = 5);
	REFUSE(norm_op(ONSRAM_NORM_LRN), NO_SLOT, "attr.kernel[0] must be at least 1", a->kernel[0] = 0);
	REFUSE(norm_op(ONSRAM_NORM_LAYER), NO_SLOT, "attr.axis beyond the rank", a->axis = 3);
	REFUSE(norm_op(ONSRAM_NORM_LAYER), 3, "rank is not that of the normalised dimensions",
	       v[3].view = VIEW(F32, 3));
	REFUSE(norm_op(ONSRAM_NORM_LAYER), 2, "dims are not the normalised ones", v[2].view.dims[0] = 5);
	REFUSE(norm_op(ONSRAM_NORM_GROUP), NO_SLOT, "attr.groups must divide the channels", a->groups = 0);
	REFUSE(norm_op(ONSRAM_NORM_GROUP), NO_SLOT, "attr.groups must divide the channels", a->groups = 4);
	REFUSE(norm_op(ONSRAM_NORM_GROUP), NO_SLOT, "attr.axis is not used and must be 0", a->axis = 1);
}

static void test_gather_resize(void **state)
{
	(void)state;
	ACCEPT(gather_op());
	REFUSE(gather_op(), 1, "dtype differs from the output's", v[1].view.dtype = ONSRAM_DTYPE_F16);
	REFUSE(gather_op(), 2, "indices must be I32 or I64", v[2].view.dtype = ONSRAM_DTYPE_F32);
	REFUSE(gather_op(), NO_SLOT, "attr.axis beyond the rank", a->axis = 3);
	REFUSE(gather_op(), 0, "rank does not follow from data and indices", v[2].view = VIEW(I64, 6));
	REFUSE(gather_op(), 0, "dims do not follow from data and indices", a->axis = 0);
	REFUSE(gather_op(), 0, "dims do not follow from data and indices", v[2].view = VIEW(I64, 3, 2));
	REFUSE(gather_op(), 0, "dims do not follow from data and indices", v[1].view.dims[2] = 5);
	/* a scalar index takes the dimension away */
	ACCEPT(gather_op(), v[2].view = VIEW(I32, 0); v[0].view = VIEW(F32, 4, 6));
	ACCEPT(resize_op(ONSRAM_RESIZE_LINEAR));
	ACCEPT(resize_op(ONSRAM_RESIZE_NEAREST), set_dtypes(&o, ONSRAM_DTYPE_BOOL));
	REFUSE(resize_op(ONSRAM_RESIZE_LINEAR), 0, "dtype must be F32 or F16",
	       set_dtypes(&o, ONSRAM_DTYPE_I32));
	REFUSE(resize_op(ONSRAM_RESIZE_NEAREST), 1, "dtype differs from the output's",
	       v[1].view.dtype = ONSRAM_DTYPE_F16);
	REFUSE(resize_op(ONSRAM_RESIZE_LINEAR), 1, "rank differs from the output's",
	       v[1].view = VIEW(F32, 3, 4, 5));
	REFUSE(resize_op(ONSRAM_RESIZE_LINEAR), 1, "rank must be at least 1", v[0].view = VIEW(F32, 0);
	       v[1].view = VIEW(F32, 0));
}

static void test_writes_all(void **state)
{
	struct drm_onsram_op op = copy_op();

	(void)state;
	assert_true(onsram_op_writes_all(&op, 80));
	assert_false(onsram_op_writes_all(&op, 84));
	op.operand[0].view.strides[0] = 1;
	op.operand[0].view.strides[1] = 4;
	assert_true(onsram_op_writes_all(&op, 80));
	op.operand[0].view.dims[1] = 4;
	assert_false(onsram_op_writes_all(&op, 80));
	assert_int_equal(onsram_dtype_bytes(ONSRAM_DTYPE_NONE), 0);
	assert_int_equal(onsram_dtype_bytes(ONSRAM_DTYPE_COUNT), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opcode),
		cmocka_unit_test(test_operand),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_extent),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_unused),
		cmocka_unit_test(test_copy_fill),
		cmocka_unit_test(test_gemm),
		cmocka_unit_test(test_conv),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_elementwise),
		cmocka_unit_test(test_reduce_softmax),
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_gather_resize),
		cmocka_unit_test(test_writes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
