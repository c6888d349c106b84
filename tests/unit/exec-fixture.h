/* SPDX-License-Identifier: MIT */
/*
 * Tensors for the tests of functional execution: random values in random
 * layouts, and their elements by index.
 */
#ifndef ONSRAM_TEST_EXEC_FIXTURE_H
#define ONSRAM_TEST_EXEC_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "exec.h"

enum layout {
	LAYOUT_DENSE,		/* row-major */
	LAYOUT_REVERSED,	/* column-major */
	LAYOUT_GAPS,		/* row-major with unused elements in between */
	LAYOUT_NEGATIVE,	/* row-major with gaps, every other dimension backwards */
	LAYOUT_COUNT
};

/* The operands of an operation with the memory behind them */
struct operands {
	struct onsram_exec_tensor tensor[ONSRAM_MAX_OPERANDS];
	uint8_t *memory[ONSRAM_MAX_OPERANDS];
	size_t bytes[ONSRAM_MAX_OPERANDS];
};

/* Deterministic random numbers, uniform in [lo, hi) */
double random_in(double lo, double hi);

/*
 * Give slot @s a tensor of dims @dims; a 0 bit in @keep makes a dimension a
 * broadcast one (stride 0).  Random values in [-1, 1), small integers, or bools.
 */
void operand_make(struct operands *o, int s, uint32_t dtype,
		  enum layout layout, uint32_t rank, const uint32_t *dims,
		  uint32_t keep);
void operands_free(struct operands *o);

/* The element at @index as the dtype tells it */
double element(const struct onsram_exec_tensor *t, const uint32_t *index);
void set_element(const struct onsram_exec_tensor *t, const uint32_t *index, double value);

/* Next index in row-major order; false behind the last one */
bool next_index(uint32_t *index, uint32_t rank, const uint32_t *dims);

/*
 * Check, run, and compare each element of the output with what @reference says
 * for its index; also that nothing but the output's elements was written.
 */
typedef double reference_fn(const struct operands *o, const struct onsram_attr *attr,
			    const uint32_t *index);
void run_and_compare(struct onsram_exec *ctx, uint32_t opcode, const struct onsram_attr *attr,
		     struct operands *o, reference_fn *reference, double tolerance);

uint32_t float_bits(float f);

#endif
