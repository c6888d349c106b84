// SPDX-License-Identifier: MIT
/*
 * Every way in which an operation can be malformed, through SUBMIT and through
 * GRAPH_CREATE.  A variant breaks one thing in a valid operation; the
 * call must refuse it and queue nothing, and take the unbroken operation after.
 */
#include "kselftest_harness.h"

#include "client.h"

typedef struct drm_onsram_op op_t;

FIXTURE(bad_op) {
	struct client client;
};

FIXTURE_VARIANT(bad_op) {
	op_t (*good)(void);
	void (*spoil)(op_t *op);
};

FIXTURE_SETUP(bad_op)
{
	ASSERT_EQ(0, client_open(&self->client));
}

FIXTURE_TEARDOWN(bad_op)
{
	client_close(&self->client);
}

static int create_graph(struct client *c, const op_t *op, uint32_t *id)
{
	struct drm_onsram_tensor tensors[NR_BUFFERS];
	uint32_t i;

	for (i = 0; i < NR_BUFFERS; i++)
		tensors[i] = (struct drm_onsram_tensor){ .handle = c->handle[i] };
	return onsram_graph_create(c->dev, op, 1, tensors, NR_BUFFERS, id);
}

TEST_F(bad_op, refused)
{
	struct client *c = &self->client;
	struct drm_onsram_stats before, after;
	op_t good = variant->good(), bad = good;
	uint32_t id = 0;

	variant->spoil(&bad);
	ASSERT_NE(0, memcmp(&good, &bad, sizeof(good)));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &before));
	EXPECT_EQ(-EINVAL, onsram_submit(c->dev, &bad, 1, c->handle, NR_BUFFERS, NULL, 0));
	EXPECT_EQ(-EINVAL, create_graph(c, &bad, &id));
	EXPECT_EQ(0, id);

	/* In second place, too, and then the first must not have been queued. */
	EXPECT_EQ(-EINVAL, onsram_submit(c->dev, (op_t[]){ good, bad }, 2, c->handle, NR_BUFFERS,
					 NULL, 0));
	EXPECT_EQ(0, create_graph(c, &good, &id));
	EXPECT_EQ(0, run_ops(c, &good, 1));
	ASSERT_EQ(0, onsram_device_stats(c->dev, &after));
	EXPECT_EQ(before.jobs + 1, after.jobs);
	EXPECT_EQ(before.ops + 1, after.ops);
}

/* BAD(name, valid operation, what spoils it; "o" is the operation) */
#define BAD(name, template, ...) \
	static void spoil_##name(op_t *o) { __VA_ARGS__; } \
	FIXTURE_VARIANT_ADD(bad_op, name) { .good = template, .spoil = spoil_##name }

#define VIEW(slot)	(o->operand[slot].view)

/* Fields every operation has */
BAD(opcode_zero, copy_op, o->opcode = 0);
BAD(opcode_next, copy_op, o->opcode = ONSRAM_OP_COUNT);
BAD(opcode_max, copy_op, o->opcode = UINT32_MAX);
BAD(flags, copy_op, o->flags = 1);
BAD(flags_high, copy_op, o->flags = 1u << 31);
BAD(attr_reserved, copy_op, o->attr.reserved = 1);
BAD(operand_reserved, copy_op, o->operand[1].reserved = 1);
BAD(unused_func, copy_op, o->attr.func = 1);
BAD(unused_groups, copy_op, o->attr.groups = 1);
BAD(unused_axis, copy_op, o->attr.axis = 1);
BAD(unused_act, copy_op, o->attr.act = ONSRAM_ACT_RELU);
BAD(unused_kernel, copy_op, o->attr.kernel[0] = 1);
BAD(unused_stride, copy_op, o->attr.stride[2] = 1);
BAD(unused_dilation, copy_op, o->attr.dilation[0] = 1);
BAD(unused_pad_begin, copy_op, o->attr.pad_begin[1] = 1);
BAD(unused_pad_end, copy_op, o->attr.pad_end[1] = 1);
BAD(unused_param, copy_op, o->attr.param[3] = 1);
BAD(unused_act_param, copy_op, o->attr.act_param[0] = 1);

/* Operands: buffer, offset, extent */
BAD(bo_index, copy_op, o->operand[1].bo = NR_BUFFERS);
BAD(bo_index_max, copy_op, o->operand[0].bo = UINT32_MAX);
BAD(offset_beyond, copy_op, o->operand[1].offset = BUFFER_BYTES);
BAD(offset_last_element, copy_op, o->operand[1].offset = BUFFER_BYTES - 23 * 4);
BAD(offset_wraps, copy_op, o->operand[1].offset = UINT64_MAX - 3);
BAD(offset_negative, copy_op, o->operand[0].offset = (uint64_t)-96);
BAD(offset_unaligned, copy_op, o->operand[1].offset = 2);
BAD(output_beyond, copy_op, o->operand[0].offset = BUFFER_BYTES - 92);
BAD(stride_beyond, copy_op, VIEW(1).strides[0] = BUFFER_BYTES);
BAD(stride_before, copy_op, VIEW(1).strides[0] = -6);
BAD(stride_extremes, copy_op, VIEW(1).strides[0] = INT32_MIN);
BAD(output_broadcast, copy_op, VIEW(0).strides[0] = 0);
BAD(output_overlaps_itself, copy_op, VIEW(0).strides[0] = 5);
BAD(output_on_input, copy_op, o->operand[1].bo = 0; o->operand[1].offset = 4);
BAD(output_is_input, copy_op, o->operand[1].bo = 0);
BAD(add_partial_overlap, add_op, o->operand[2].bo = 0; o->operand[2].offset = 48);
BAD(required_slot_missing, copy_op, o->operand[1] = (struct drm_onsram_operand){ 0 });
BAD(output_missing, copy_op, o->operand[0] = (struct drm_onsram_operand){ 0 });
BAD(surplus_slot, copy_op, o->operand[2] = o->operand[1]);
BAD(unused_slot_bo, copy_op, o->operand[3].bo = 1);
BAD(unused_slot_offset, copy_op, o->operand[3].offset = 4);
BAD(unused_slot_dims, copy_op, VIEW(3).dims[0] = 1);
BAD(unused_slot_reserved, copy_op, o->operand[5].reserved = 1);

/* Views */
BAD(dtype_next, copy_op, VIEW(1).dtype = ONSRAM_DTYPE_COUNT);
BAD(dtype_max, copy_op, VIEW(1).dtype = UINT32_MAX);
BAD(rank_next, copy_op, VIEW(1).rank = ONSRAM_MAX_RANK + 1);
BAD(rank_max, copy_op, VIEW(1).rank = UINT32_MAX);
BAD(rank_differs, copy_op, VIEW(1) = DENSE(F32, 24));
BAD(dim_zero, copy_op, VIEW(1).dims[1] = 0);
BAD(dim_max, copy_op, VIEW(1).dims[0] = UINT32_MAX);
BAD(dims_beyond_rank, copy_op, VIEW(1).dims[2] = 1);
BAD(strides_beyond_rank, copy_op, VIEW(1).strides[2] = 1);
BAD(too_many_elements, copy_op, VIEW(0).dims[0] = VIEW(1).dims[0] = 1u << 30;
    VIEW(0).strides[0] = VIEW(1).strides[0] = 0);
BAD(elements_wrap, copy_op,
    VIEW(0) = VIEW(1) = DENSE(F32, 65536, 65536, 65536, 65536);
    memset(VIEW(1).strides, 0, sizeof(VIEW(1).strides)));

/* Each operation's own rules */
static op_t fill_one(void)
{
	return fill_op(1);
}

BAD(copy_dims, copy_op, VIEW(1) = DENSE(F32, 4, 5));
BAD(fill_second_word, fill_one, o->attr.param[1] = 1);
BAD(fill_input, fill_one, set_operand(o, 1, VIEW(0)));
BAD(fill_bool_value, fill_one, VIEW(0).dtype = ONSRAM_DTYPE_BOOL; o->attr.param[0] = 2);
BAD(gemm_integer, gemm_op, VIEW(1).dtype = ONSRAM_DTYPE_I32);
BAD(gemm_rank_one, gemm_op, VIEW(0) = DENSE(F32, 5));
BAD(gemm_m, gemm_op, VIEW(1) = DENSE(F32, 3, 6));
BAD(gemm_n, gemm_op, VIEW(2) = DENSE(F32, 6, 4));
BAD(gemm_k, gemm_op, VIEW(2) = DENSE(F32, 7, 5));
BAD(gemm_bias, gemm_op, VIEW(3) = DENSE(F32, 4, 4));
BAD(gemm_residual, gemm_op, set_operand(o, 4, DENSE(F32, 5, 4)));
BAD(gemm_act, gemm_op, o->attr.act = ONSRAM_ACT_COUNT);
BAD(gemm_act_param, gemm_op, o->attr.act = ONSRAM_ACT_RELU; o->attr.act_param[0] = 1);
BAD(gemm_leaky_second, gemm_op, o->attr.act = ONSRAM_ACT_LEAKY_RELU; o->attr.act_param[1] = 1);
BAD(gemm_func, gemm_op, o->attr.func = 1);
BAD(gemm_param, gemm_op, o->attr.param[2] = 1);
BAD(conv_rank, conv_op, VIEW(1) = DENSE(F32, 2, 5));
BAD(conv_rank_mixed, conv_op, VIEW(1) = DENSE(F32, 1, 2, 5));
BAD(conv_groups_zero, conv_op, o->attr.groups = 0);
BAD(conv_groups_divide, conv_op, o->attr.groups = 3);
BAD(conv_groups_weights, conv_op, o->attr.groups = 2);
BAD(conv_channels, conv_op, VIEW(1) = DENSE(F32, 1, 3, 5, 5));
BAD(conv_batch, conv_op, VIEW(1) = DENSE(F32, 2, 2, 5, 5));
BAD(conv_outputs, conv_op, VIEW(0) = DENSE(F32, 1, 5, 5, 5));
BAD(conv_out_height, conv_op, VIEW(0) = DENSE(F32, 1, 4, 4, 5));
BAD(conv_out_width, conv_op, VIEW(0) = DENSE(F32, 1, 4, 5, 6));
BAD(conv_bias, conv_op, VIEW(3) = DENSE(F32, 5));
BAD(conv_bias_rank, conv_op, VIEW(3) = DENSE(F32, 1, 4));
BAD(conv_residual, conv_op, set_operand(o, 4, DENSE(F32, 1, 4, 5, 4)));
BAD(conv_stride_zero, conv_op, o->attr.stride[0] = 0);
BAD(conv_stride, conv_op, o->attr.stride[1] = 2);
BAD(conv_dilation_zero, conv_op, o->attr.dilation[1] = 0);
BAD(conv_window, conv_op, o->attr.dilation[0] = 65535);
BAD(conv_pad, conv_op, o->attr.pad_end[0] = 65535);
BAD(conv_third_dimension, conv_op, o->attr.stride[2] = 1);
BAD(conv_kernel, conv_op, o->attr.kernel[0] = 3);
BAD(conv_integer, conv_op, VIEW(2).dtype = ONSRAM_DTYPE_I32);
/* 1024 channels of 64^3 by as many weights, all the same element, at 15^3 places */
BAD(conv_work, conv_op,
    VIEW(0) = DENSE(F32, 1, 1, 15, 15, 15);
    VIEW(1) = VIEW(2) = DENSE(F32, 1, 1024, 64, 64, 64);
    memset(VIEW(1).strides, 0, sizeof(VIEW(1).strides));
    memset(VIEW(2).strides, 0, sizeof(VIEW(2).strides));
    memset(&o->operand[3], 0, sizeof(o->operand[3]));
    for (int d = 0; d < 3; d++) {
	o->attr.stride[d] = o->attr.dilation[d] = 1;
	o->attr.pad_begin[d] = o->attr.pad_end[d] = 7;
    });
BAD(pool_func, pool_op, o->attr.func = ONSRAM_POOL_COUNT);
BAD(pool_kernel_zero, pool_op, o->attr.kernel[0] = 0);
BAD(pool_kernel_beyond, pool_op, o->attr.kernel[0] = 7);
BAD(pool_stride_zero, pool_op, o->attr.stride[1] = 0);
BAD(pool_dilation_zero, pool_op, o->attr.dilation[1] = 0);
BAD(pool_channels, pool_op, VIEW(1) = DENSE(F32, 1, 3, 6, 6));
BAD(pool_out, pool_op, VIEW(0) = DENSE(F32, 1, 2, 4, 3));
BAD(pool_rank, pool_op, VIEW(0) = VIEW(1) = DENSE(F32, 6, 6));
BAD(pool_groups, pool_op, o->attr.groups = 1);
BAD(pool_integer, pool_op, VIEW(0).dtype = VIEW(1).dtype = ONSRAM_DTYPE_I32);
BAD(pool_work, pool_op, for (int d = 0; d < 2; d++) {
	o->attr.kernel[d] = 60002;
	o->attr.pad_begin[d] = o->attr.pad_end[d] = 30000;
});
BAD(elementwise_func, add_op, o->attr.func = ONSRAM_EW_COUNT);
BAD(elementwise_few, add_op, o->operand[2] = (struct drm_onsram_operand){ 0 });
BAD(elementwise_many, add_op, o->attr.func = ONSRAM_EW_RELU);
BAD(elementwise_dims, add_op, VIEW(2) = DENSE(F32, 4, 1));
BAD(elementwise_mixed, add_op, VIEW(2).dtype = ONSRAM_DTYPE_I32);
BAD(elementwise_bool, add_op,
    VIEW(0).dtype = VIEW(1).dtype = VIEW(2).dtype = ONSRAM_DTYPE_BOOL);
BAD(elementwise_compare, add_op, o->attr.func = ONSRAM_EW_LESS);
BAD(elementwise_param, add_op, o->attr.param[0] = 1);
BAD(reduce_func, reduce_op, o->attr.func = ONSRAM_REDUCE_COUNT);
BAD(reduce_axis, reduce_op, o->attr.axis = 1u << 2);
BAD(reduce_other_axis, reduce_op, o->attr.axis = 1u << 0);
BAD(reduce_dims, reduce_op, VIEW(0) = DENSE(F32, 4, 6));
BAD(reduce_mixed, reduce_op, VIEW(0).dtype = ONSRAM_DTYPE_I64);
BAD(softmax_func, softmax_op, o->attr.func = 2);
BAD(softmax_axis, softmax_op, o->attr.axis = 2);
BAD(softmax_dims, softmax_op, VIEW(1) = DENSE(F32, 6, 4));
BAD(softmax_integer, softmax_op, VIEW(1).dtype = ONSRAM_DTYPE_I32);
BAD(norm_func, batch_norm_op, o->attr.func = ONSRAM_NORM_COUNT);
BAD(norm_missing_variance, batch_norm_op, o->operand[5] = (struct drm_onsram_operand){ 0 });
BAD(norm_scale, batch_norm_op, VIEW(2) = DENSE(F32, 4));
BAD(norm_dims, batch_norm_op, VIEW(1) = DENSE(F32, 1, 3, 4, 3));
BAD(norm_groups, batch_norm_op, o->attr.groups = 1);
BAD(norm_second_param, batch_norm_op, o->attr.param[1] = 1);
BAD(lrn_size_zero, lrn_op, o->attr.kernel[0] = 0);
BAD(lrn_scale, lrn_op, set_operand(o, 2, DENSE(F32, 6)));
BAD(lrn_rank_one, lrn_op, VIEW(0) = VIEW(1) = DENSE(F32, 24));
BAD(layer_norm_axis, batch_norm_op, o->attr.func = ONSRAM_NORM_LAYER; o->attr.axis = 4;
    memset(&o->operand[4], 0, 2 * sizeof(o->operand[4])));
BAD(group_norm_groups, batch_norm_op, o->attr.func = ONSRAM_NORM_GROUP; o->attr.groups = 2;
    memset(&o->operand[4], 0, 2 * sizeof(o->operand[4])));
BAD(gather_axis, gather_op, o->attr.axis = 2);
BAD(gather_indices, gather_op, VIEW(2).dtype = ONSRAM_DTYPE_F32);
BAD(gather_dtype, gather_op, VIEW(0).dtype = ONSRAM_DTYPE_F16);
BAD(gather_dims, gather_op, VIEW(0) = DENSE(F32, 2, 6));
BAD(gather_rank, gather_op, VIEW(0) = DENSE(F32, 18));
BAD(resize_func, resize_op, o->attr.func = ONSRAM_RESIZE_COUNT);
BAD(resize_rank, resize_op, VIEW(0) = DENSE(F32, 2, 4, 4));
BAD(resize_dtype, resize_op, VIEW(0).dtype = ONSRAM_DTYPE_F16);

TEST_HARNESS_MAIN
