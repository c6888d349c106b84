// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>

#include <drm/onsram_op.h>

#include "job-names.h"

struct name {
	const char *name;
	uint32_t value;
};

static const struct name opcodes[] = {
#define ONSRAM_X(name, value, required, optional, funcs) { #name, value },
	ONSRAM_OPERATIONS(ONSRAM_X)
#undef ONSRAM_X
	{ NULL, 0 },
};

static const struct name elementwise[] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params) { #name, value },
	ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
	{ NULL, 0 },
};

static const struct name pools[] = {
	{ "MAX", ONSRAM_POOL_MAX }, { "AVG", ONSRAM_POOL_AVG },
	{ "AVG_PAD", ONSRAM_POOL_AVG_PAD }, { NULL, 0 },
};

static const struct name reductions[] = {
	{ "SUM", ONSRAM_REDUCE_SUM }, { "MEAN", ONSRAM_REDUCE_MEAN },
	{ "MAX", ONSRAM_REDUCE_MAX }, { "MIN", ONSRAM_REDUCE_MIN },
	{ "PROD", ONSRAM_REDUCE_PROD }, { "SUM_SQUARE", ONSRAM_REDUCE_SUM_SQUARE },
	{ NULL, 0 },
};

static const struct name norms[] = {
	{ "BATCH", ONSRAM_NORM_BATCH }, { "LRN", ONSRAM_NORM_LRN },
	{ "LAYER", ONSRAM_NORM_LAYER }, { "GROUP", ONSRAM_NORM_GROUP }, { NULL, 0 },
};

static const struct name resizes[] = {
	{ "NEAREST", ONSRAM_RESIZE_NEAREST }, { "LINEAR", ONSRAM_RESIZE_LINEAR }, { NULL, 0 },
};

static const struct name softmaxes[] = {
	{ "SOFTMAX", 0 }, { "LOG", 1 }, { NULL, 0 },
};

static const struct name acts[] = {
	{ "NONE", ONSRAM_ACT_NONE }, { "RELU", ONSRAM_ACT_RELU }, { "CLIP", ONSRAM_ACT_CLIP },
	{ "LEAKY_RELU", ONSRAM_ACT_LEAKY_RELU }, { "SIGMOID", ONSRAM_ACT_SIGMOID },
	{ "TANH", ONSRAM_ACT_TANH }, { NULL, 0 },
};

static const struct name dtypes[] = {
	{ "f32", ONSRAM_DTYPE_F32 }, { "f16", ONSRAM_DTYPE_F16 }, { "i64", ONSRAM_DTYPE_I64 },
	{ "i32", ONSRAM_DTYPE_I32 }, { "bool", ONSRAM_DTYPE_BOOL }, { NULL, 0 },
};

static int64_t find(const struct name *n, const char *name)
{
	for (; n && n->name; n++)
		if (!strcmp(n->name, name))
			return n->value;
	return -1;
}

int64_t opcode_by_name(const char *name)
{
	return find(opcodes, name);
}

int64_t func_by_name(uint32_t opcode, const char *name)
{
	static const struct name *const tables[ONSRAM_OP_COUNT] = {
		[ONSRAM_OP_POOL] = pools,
		[ONSRAM_OP_ELEMENTWISE] = elementwise,
		[ONSRAM_OP_REDUCE] = reductions,
		[ONSRAM_OP_SOFTMAX] = softmaxes,
		[ONSRAM_OP_NORM] = norms,
		[ONSRAM_OP_RESIZE] = resizes,
	};

	return opcode < ONSRAM_OP_COUNT ? find(tables[opcode], name) : -1;
}

int64_t act_by_name(const char *name)
{
	return find(acts, name);
}

int64_t dtype_by_name(const char *name)
{
	return find(dtypes, name);
}
