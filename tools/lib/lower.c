// SPDX-License-Identifier: MIT
/* The operators the importer knows. */
#include <string.h>

#include "lower.h"

#define MANY UINT32_MAX

static const struct lower_rule rules[] = {
	{ "Abs", 1, 1, lower_unary, ONSRAM_EW_ABS },
	{ "Add", 2, 2, lower_binary, ONSRAM_EW_ADD },
	{ "AveragePool", 1, 1, lower_pool, ONSRAM_POOL_AVG },
	{ "BatchNormalization", 5, 5, lower_batch_norm, ONSRAM_NORM_BATCH },
	{ "Cast", 1, 1, lower_cast, 0 },
	{ "Clip", 1, 3, lower_clip, ONSRAM_EW_CLIP },
	{ "Concat", 1, MANY, lower_concat, 0 },
	{ "Constant", 0, 0, lower_constant, 0 },
	{ "ConstantOfShape", 1, 1, lower_constant_of_shape, 0 },
	{ "Conv", 2, 3, lower_conv, 0 },
	{ "Div", 2, 2, lower_binary, ONSRAM_EW_DIV },
	{ "Dropout", 1, 3, lower_dropout, 0 },
	{ "Equal", 2, 2, lower_binary, ONSRAM_EW_EQUAL },
	{ "Erf", 1, 1, lower_unary, ONSRAM_EW_ERF },
	{ "Exp", 1, 1, lower_unary, ONSRAM_EW_EXP },
	{ "Expand", 2, 2, lower_expand, 0 },
	{ "Flatten", 1, 1, lower_flatten, 0 },
	{ "Gather", 2, 2, lower_gather, 0 },
	{ "Gemm", 2, 3, lower_gemm, 0 },
	{ "GlobalAveragePool", 1, 1, lower_global_pool, ONSRAM_POOL_AVG },
	{ "GlobalMaxPool", 1, 1, lower_global_pool, ONSRAM_POOL_MAX },
	{ "Greater", 2, 2, lower_binary, ONSRAM_EW_GREATER },
	{ "HardSigmoid", 1, 1, lower_unary, ONSRAM_EW_HARD_SIGMOID },
	{ "Identity", 1, 1, lower_alias, 0 },
	{ "InstanceNormalization", 3, 3, lower_instance_norm, ONSRAM_NORM_GROUP },
	{ "LRN", 1, 1, lower_lrn, ONSRAM_NORM_LRN },
	{ "LayerNormalization", 2, 3, lower_layer_norm, ONSRAM_NORM_LAYER },
	{ "LeakyRelu", 1, 1, lower_unary, ONSRAM_EW_LEAKY_RELU },
	{ "Less", 2, 2, lower_binary, ONSRAM_EW_LESS },
	{ "Log", 1, 1, lower_unary, ONSRAM_EW_LOG },
	{ "LogSoftmax", 1, 1, lower_softmax, 1 },
	{ "MatMul", 2, 2, lower_matmul, 0 },
	{ "Max", 1, MANY, lower_variadic, ONSRAM_EW_MAX },
	{ "MaxPool", 1, 1, lower_pool, ONSRAM_POOL_MAX },
	{ "Min", 1, MANY, lower_variadic, ONSRAM_EW_MIN },
	{ "Mul", 2, 2, lower_binary, ONSRAM_EW_MUL },
	{ "Neg", 1, 1, lower_unary, ONSRAM_EW_NEG },
	{ "Pad", 1, 4, lower_pad, 0 },
	{ "Pow", 2, 2, lower_binary, ONSRAM_EW_POW },
	{ "Reciprocal", 1, 1, lower_unary, ONSRAM_EW_RECIPROCAL },
	{ "ReduceMax", 1, 2, lower_reduce, ONSRAM_REDUCE_MAX },
	{ "ReduceMean", 1, 2, lower_reduce, ONSRAM_REDUCE_MEAN },
	{ "ReduceMin", 1, 2, lower_reduce, ONSRAM_REDUCE_MIN },
	{ "ReduceProd", 1, 2, lower_reduce, ONSRAM_REDUCE_PROD },
	{ "ReduceSum", 1, 2, lower_reduce, ONSRAM_REDUCE_SUM },
	{ "ReduceSumSquare", 1, 2, lower_reduce, ONSRAM_REDUCE_SUM_SQUARE },
	{ "Relu", 1, 1, lower_unary, ONSRAM_EW_RELU },
	{ "Reshape", 1, 2, lower_reshape, 0 },
	{ "Shape", 1, 1, lower_shape, 0 },
	{ "Sigmoid", 1, 1, lower_unary, ONSRAM_EW_SIGMOID },
	{ "Slice", 1, 5, lower_slice, 0 },
	{ "Softmax", 1, 1, lower_softmax, 0 },
	{ "Split", 1, 2, lower_split, 0 },
	{ "Sqrt", 1, 1, lower_unary, ONSRAM_EW_SQRT },
	{ "Squeeze", 1, 2, lower_squeeze, 0 },
	{ "Sub", 2, 2, lower_binary, ONSRAM_EW_SUB },
	{ "Sum", 1, MANY, lower_variadic, ONSRAM_EW_ADD },
	{ "Tanh", 1, 1, lower_unary, ONSRAM_EW_TANH },
	{ "Transpose", 1, 1, lower_transpose, 0 },
	{ "Unsqueeze", 1, 2, lower_unsqueeze, 0 },
	{ "Where", 3, 3, lower_where, ONSRAM_EW_WHERE },
};

const struct lower_rule *lower_find(const char *op_type)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(rules[i].op_type, op_type))
			return &rules[i];
	return NULL;
}
