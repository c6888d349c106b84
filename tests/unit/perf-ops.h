/* SPDX-License-Identifier: MIT */
/* Operations as tests of the performance model and of the planner build them. */
#ifndef TESTS_PERF_OPS_H
#define TESTS_PERF_OPS_H

#include <stdarg.h>
#include <stdint.h>

#include "perf.h"

/** rnd() - xorshift32, so that every run tests the same; @seed must not be 0 */
static inline uint32_t rnd(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/** dense() - a row-major view of @rank dimensions given behind it */
static inline struct onsram_view dense(uint32_t dtype, uint32_t rank, ...)
{
	struct onsram_view v = { .dtype = dtype, .rank = rank };
	int32_t stride = 1;
	va_list ap;

	va_start(ap, rank);
	for (uint32_t d = 0; d < rank; d++)
		v.dims[d] = va_arg(ap, uint32_t);
	va_end(ap);
	for (uint32_t d = rank; d-- > 0;) {
		v.strides[d] = stride;
		stride *= (int32_t)v.dims[d];
	}
	return v;
}

/** gemm() - [b, m, k] x [b, k, n] */
static inline struct onsram_perf_op gemm(uint32_t dtype, uint32_t b, uint32_t m, uint32_t k,
					 uint32_t n)
{
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_GEMM };

	op.view[0] = dense(dtype, 3, b, m, n);
	op.view[1] = dense(dtype, 3, b, m, k);
	op.view[2] = dense(dtype, 3, b, k, n);
	return op;
}

/** conv() - @c channels of @hw x @hw to @o channels, kernel @k, stride 1, padded to the same size */
static inline struct onsram_perf_op conv(uint32_t dtype, uint32_t c, uint32_t hw, uint32_t o,
					 uint32_t k, uint32_t groups)
{
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_CONV, .attr.groups = groups };

	op.view[0] = dense(dtype, 4, 1, o, hw, hw);
	op.view[1] = dense(dtype, 4, 1, c, hw, hw);
	op.view[2] = dense(dtype, 4, o, c / groups, k, k);
	for (int d = 0; d < 2; d++) {
		op.attr.stride[d] = 1;
		op.attr.dilation[d] = 1;
		op.attr.pad_begin[d] = (uint16_t)(k / 2);
		op.attr.pad_end[d] = (uint16_t)(k - 1 - k / 2);
	}
	return op;
}

/** cost() - onsram_op_cost() with the operand slots in @resident (mask) wholly in the SPM */
static inline void cost(const struct onsram_model *m, const struct onsram_perf_op *op,
			uint32_t resident, uint64_t staging, struct onsram_cost *c)
{
	uint64_t bytes[ONSRAM_MAX_OPERANDS];

	onsram_resident_slots(bytes, resident);
	onsram_op_cost(m, op, bytes, staging, c);
}

#endif
