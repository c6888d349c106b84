/* SPDX-License-Identifier: MIT */
/* Lowering: one function per ONNX operator, found by lower_find(). */
#ifndef ONSRAM_LOWER_H
#define ONSRAM_LOWER_H

#include "ir.h"
#include "proto.h"

struct lower_rule;

/**
 * struct ir_node - the node being lowered
 * @rule: of its operator
 * @in: its inputs; an optional one that is not given has view.dtype NONE
 */
struct ir_node {
	const Onnx__NodeProto *proto;
	const struct lower_rule *rule;
	ir_value *in;
	uint32_t nr_in;
};

/** LOWER_SPARE_INPUTS - absent inputs behind the last one, so that nobody needs to ask for their number */
#define LOWER_SPARE_INPUTS 8
/** LOWER_MANY - any number of inputs */
#define LOWER_MANY UINT32_MAX

/**
 * struct lower_rule - how an operator becomes device operations
 * @op_type: ONNX's name
 * @since: first operator set that has it
 * @until: last one
 * @min_in: inputs that must be there
 * @max_in: inputs it may have
 * @lower: infers the outputs' shapes and types, emits operations and binds the
 *	outputs; 0 or -1 after ir_fail()
 * @func: what @lower is to do where operators share it
 * @formula: likewise for lower_formula()
 */
struct lower_rule {
	const char *op_type;
	int64_t since;
	int64_t until;
	uint32_t min_in;
	uint32_t max_in;
	int (*lower)(struct ir_graph *g, const struct ir_node *n, uint32_t func);
	uint32_t func;
	const char *formula;
};

/** NOW - an operator that the newest operator set still has */
#define NOW INT64_MAX

/** RULE() - a row of a table: name, operator sets, inputs, function, its argument. FORMULA() - one of lower_formula() */
#define RULE(name, first, last, min, max, function, arg) \
	{ .op_type = name, .since = first, .until = last, .min_in = min, .max_in = max, .lower = function, .func = arg }
#define FORMULA(name, first, last, inputs, text) { \
	.op_type = name, .since = first, .until = last, .min_in = inputs, .max_in = inputs, \
	.lower = lower_formula, .formula = text \
}

/** lower_find() - the row of an operator as of @opset; NULL where there is none. *@known: some set has it */
const struct lower_rule *lower_find(const char *op_type, int64_t opset, bool *known);

/* A table per family of operators, ended by an empty rule. */
extern const struct lower_rule lower_block_rules[], lower_control_rules[], lower_conv_rules[],
	lower_data_rules[], lower_deconv_rules[], lower_einsum_rules[], lower_elementwise_rules[],
	lower_index_rules[], lower_layout_rules[], lower_maxpool_rules[], lower_norm_rules[], lower_pad_rules[],
	lower_product_rules[], lower_recurrent_rules[], lower_reduce_rules[], lower_resize_rules[],
	lower_sample_rules[], lower_select_rules[], lower_signal_rules[];

/* formula.c */
/** lower_formula() - the operator whose rule has a formula, of one to three inputs */
int lower_formula(struct ir_graph *g, const struct ir_node *n, uint32_t func);
/** lower_expression() - @formula of @in, as formula.c describes it; @out may be one of @in. Return: 0 or -1 */
int lower_expression(struct ir_graph *g, const struct ir_node *n, const char *formula, const ir_value *in, ir_value *out);
/** lower_scalar() - a constant of no dimensions. Return: 0 or -1 */
int lower_scalar(struct ir_graph *g, uint32_t dtype, double number, ir_value *out);

/* lower-conv.c */
/** lower_spatial() - require float [N, C, one to three spatial dimensions]. Return: 0 or -1 */
int lower_spatial(struct ir_graph *g, const ir_value *x);
/** lower_add_bias() - output 0 of the node: @bias added to the channels of @sum, as an operation of its own. Return: 0 or -1 */
int lower_add_bias(struct ir_graph *g, const struct ir_node *n, const ir_value *sum, const ir_value *bias,
		   const int64_t *dims);

/* lower-elementwise.c */
/** lower_elementwise() - @attr's function of @nr values, broadcast to each other; bound to no name. Return: 0 or -1 */
int lower_elementwise(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr,
		      const ir_value *in, uint32_t nr, ir_value *out);
/** lower_align() - make @b broadcast to @a as operator sets before 7 say by attributes. Return: 0 or -1 */
int lower_align(struct ir_graph *g, const struct ir_node *n, const ir_value *a, ir_value *b);

/* lower-layout.c */
/** lower_slice_view() - elements @start, @start + @step, ... before @end of dimension @axis, clamped as ONNX says. Return: 0 or -1 */
int lower_slice_view(struct ir_graph *g, ir_value *v, uint32_t axis, int64_t start, int64_t end, int64_t step);

/* lower-maxpool.c */
/** lower_pool_places() - output 1 of MaxPool: where in the flat input the elements of @y come from. Return: 0 or -1 */
int lower_pool_places(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr, const ir_value *y);

/* lower-pad.c */
/** lower_surround() - @v becomes itself in the middle of @value; @begin and @end are not negative. Return: 0 or -1 */
int lower_surround(struct ir_graph *g, const struct ir_node *n, const int64_t *begin, const int64_t *end,
		   const ir_value *value, ir_value *v);

/* lower-norm.c */
/** lower_channels() - require a float vector of @channels elements. Return: 0 or -1 */
int lower_channels(struct ir_graph *g, const ir_value *v, const char *what, uint32_t channels);

/* lower-product.c */
/** lower_matrix_product() - MatMul of @a and @b, bound to no name. Return: 0 or -1 */
int lower_matrix_product(struct ir_graph *g, const struct ir_node *n, const ir_value *a, const ir_value *b,
			 ir_value *out);

/* lower-index.c */
/** lower_pick_elements() - GatherElements: the element of @data at each place but for @axis, whose place @indices tell. Return: 0 or -1 */
int lower_pick_elements(struct ir_graph *g, const struct ir_node *n, const ir_value *data, const ir_value *indices,
			uint32_t axis, ir_value *out);

/** lower_read_ints() - all elements of a constant of integers. Return: malloc'ed, or NULL with the failure recorded */
int64_t *lower_read_ints(struct ir_graph *g, const ir_value *v, const char *what);
/**
 * lower_scatter() - @data whose element @target[i] is element i of @updates, or @formula of both; @target
 *	is in range, and freed
 * Return: 0 or -1
 */
int lower_scatter(struct ir_graph *g, const struct ir_node *n, const ir_value *data, const ir_value *updates,
		  int64_t *target, const char *formula, ir_value *out);

/* lower-reduce.c */
/** lower_reduce_op() - REDUCE of the dimensions in @mask, which keep extent 1; bound to no name. Return: 0 or -1 */
int lower_reduce_op(struct ir_graph *g, const struct ir_node *n, uint32_t func, const ir_value *x, uint32_t mask,
		    ir_value *out);

/* lower-data.c */
/** lower_pick_view() - @v without dimension @axis, at its element @index */
void lower_pick_view(ir_value *v, uint32_t axis, int64_t index);
/** lower_convert() - @v's elements as @dtype; bound to no name. Return: 0 or -1 */
int lower_convert(struct ir_graph *g, const struct ir_node *n, const ir_value *v, uint32_t dtype, ir_value *out);
/** lower_iota() - the constant 0, 1, ... @nr - 1 along dimension @axis of @rank, the others of extent 1. Return: 0 or -1 */
int lower_iota(struct ir_graph *g, const struct ir_node *n, uint32_t dtype, uint32_t nr, uint32_t rank, uint32_t axis,
	       ir_value *out);

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
