/* SPDX-License-Identifier: MIT */
/* Lowering: one function per ONNX operator, found by lower_find(). */
#ifndef ONSRAM_LOWER_H
#define ONSRAM_LOWER_H

#include "ir.h"
#include "proto.h"

/**
 * struct ir_node - the node being lowered
 * @in: its inputs; an optional one that is not given has view.dtype NONE
 */
struct ir_node {
	const Onnx__NodeProto *proto;
	ir_value *in;
	uint32_t nr_in;
};

/**
 * struct lower_rule - how an operator becomes device operations
 * @op_type: ONNX's name
 * @min_in: inputs that must be there
 * @max_in: inputs it may have
 * @lower: infers the outputs' shapes and types, folds constants, emits operations
 *	and binds the outputs; 0 or -1 after ir_fail()
 * @func: what @lower is to do where operators share it
 */
struct lower_rule {
	const char *op_type;
	uint32_t min_in;
	uint32_t max_in;
	int (*lower)(struct ir_graph *g, const struct ir_node *n, uint32_t func);
	uint32_t func;
};

const struct lower_rule *lower_find(const char *op_type);

/* lower-conv.c */
int lower_conv(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_pool(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_global_pool(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_batch_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_lrn(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_instance_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_layer_norm(struct ir_graph *g, const struct ir_node *n, uint32_t func);

/* lower-math.c */
int lower_unary(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_binary(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_variadic(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_where(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_clip(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_gemm(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_matmul(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_softmax(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_reduce(struct ir_graph *g, const struct ir_node *n, uint32_t func);

/* lower-layout.c */
int lower_alias(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_dropout(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_reshape(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_flatten(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_unsqueeze(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_squeeze(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_transpose(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_slice(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_split(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_expand(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_concat(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_pad(struct ir_graph *g, const struct ir_node *n, uint32_t func);

/* lower-data.c */
int lower_constant(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_constant_of_shape(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_shape(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_gather(struct ir_graph *g, const struct ir_node *n, uint32_t func);
int lower_cast(struct ir_graph *g, const struct ir_node *n, uint32_t func);

/* shape.c */
/** lower_new() - new dense tensor for output @i of the node, bound to its name. Return: 0 or -1 */
int lower_new(struct ir_graph *g, const struct ir_node *n, uint32_t i, uint32_t dtype,
	      uint32_t rank, const int64_t *dims, ir_value *out);
/** lower_temp() - new dense tensor inside the node, named after output 0 and @suffix. Return: 0 or -1 */
int lower_temp(struct ir_graph *g, const struct ir_node *n, const char *suffix, uint32_t dtype,
	       uint32_t rank, const int64_t *dims, ir_value *out);
/** lower_bind() - make @v output @i of the node, if the node has that output. Return: 0 or -1 */
int lower_bind(struct ir_graph *g, const struct ir_node *n, uint32_t i, const ir_value *v);
/** lower_axis() - axis @axis of @rank dimensions, negative from the end. Return: it, or -1 */
int lower_axis(struct ir_graph *g, int64_t axis, uint32_t rank);
/** lower_ints() - integers given as attribute @attr or, in newer operator sets, as input @in. Return: their number, -1 on failure, -2 where not given */
int lower_ints(struct ir_graph *g, const struct ir_node *n, const char *attr, uint32_t in,
	       int64_t *out, uint32_t max);
/** lower_float() - require @v to be float. Return: 0 or -1 */
int lower_float(struct ir_graph *g, const ir_value *v, const char *what);
/** lower_broadcast() - common shape of @nr values by multidirectional broadcasting. Return: its rank, or -1 */
int lower_broadcast(struct ir_graph *g, const ir_value *const *v, uint32_t nr, int64_t *dims);
/** lower_window() - kernel, strides, dilations and pads of a convolution or pool over @x into @attr, and the output's dims. Return: 0 or -1 */
int lower_window(struct ir_graph *g, const struct ir_node *n, const ir_value *x,
		 const uint32_t *kernel, struct onsram_attr *attr, int64_t *dims);

/* fuse.c */
/** fuse() - fold operations into those before them. Return: 0 or -1 */
int fuse(struct ir_graph *g);

#endif
