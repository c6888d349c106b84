/* SPDX-License-Identifier: MIT */
/*
 * Well-formed operations of every kind, and random damage to them, for the tests
 * of what is refused.
 */
#ifndef ONSRAM_TEST_EXEC_OPS_H
#define ONSRAM_TEST_EXEC_OPS_H

#include <stdint.h>

#include <drm/onsram_op.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct op {
	uint32_t opcode;
	struct onsram_attr attr;
	struct onsram_view view[ONSRAM_MAX_OPERANDS];
};

/* Give slot @s a row-major view */
void op_view(struct op *op, int s, uint32_t dtype, uint32_t rank, const uint32_t *dims);

#define F32(op, s, ...)								\
	do {									\
		const uint32_t dims[] = { __VA_ARGS__ };			\
		op_view(op, s, ONSRAM_DTYPE_F32, ARRAY_SIZE(dims), dims);		\
	} while (0)

/* A small well-formed operation of each opcode and norm */
enum base {
	COPY, FILL, GEMM, CONV, POOL, ADD, CLIP, EQUAL, WHERE, REDUCE, SOFTMAX,
	BATCH, LRN, LAYER, GROUP, GATHER, RESIZE, BASES
};

struct op op_make(enum base base);

/* Changes one to three words of @op; what results may be well formed or not */
void op_damage(struct op *op);

#endif
