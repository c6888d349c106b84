// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec-fixture.h"

#define GUARD 0xa5
#define GUARD_BYTES 64

static uint64_t random_state = 1;

double random_in(double lo, double hi)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return lo + (hi - lo) * (double)(random_state >> 33) / (double)(1ull << 31);
}

uint32_t float_bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	return u;
}

static size_t dtype_size(uint32_t dtype)
{
	switch (dtype) {
	case ONSRAM_DTYPE_I64:
		return 8;
	case ONSRAM_DTYPE_F16:
		return 2;
	case ONSRAM_DTYPE_BOOL:
		return 1;
	default:
		return 4;
	}
}

bool next_index(uint32_t *index, uint32_t rank, const uint32_t *dims)
{
	while (rank--) {
		if (++index[rank] < dims[rank])
			return true;
		index[rank] = 0;
	}
	return false;
}

static uint8_t *element_address(const struct onsram_exec_tensor *t, const uint32_t *index)
{
	ptrdiff_t at = 0;
	uint32_t i;

	for (i = 0; i < t->view.rank; i++)
		at += (ptrdiff_t)index[i] * t->view.strides[i];
	return (uint8_t *)t->data + at * (ptrdiff_t)dtype_size(t->view.dtype);
}

/* Half precision from its definition */
static double half_to_double(uint16_t h)
{
	int exponent = h >> 10 & 31, mantissa = h & 1023;
	double magnitude;

	if (exponent == 31)
		magnitude = mantissa ? NAN : INFINITY;
	else if (exponent)
		magnitude = ldexp(1024 + mantissa, exponent - 25);
	else
		magnitude = ldexp(mantissa, -24);
	return h >> 15 ? -magnitude : magnitude;
}

/* Bisects: the half-precision numbers ascend with their bits; rounds up */
static uint16_t half_from_double(double value)
{
	uint16_t lo = 0, hi = 0x7c00;

	while (lo < hi) {
		uint16_t middle = (lo + hi) / 2;

		if (half_to_double(middle) < fabs(value))
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo | (value < 0 ? 0x8000 : 0);
}

double element(const struct onsram_exec_tensor *t, const uint32_t *index)
{
	const uint8_t *at = element_address(t, index);
	uint16_t f16;
	int64_t i64;
	int32_t i32;
	float f32;

	switch (t->view.dtype) {
	case ONSRAM_DTYPE_F32:
		memcpy(&f32, at, sizeof(f32));
		return f32;
	case ONSRAM_DTYPE_F16:
		memcpy(&f16, at, sizeof(f16));
		return half_to_double(f16);
	case ONSRAM_DTYPE_I64:
		memcpy(&i64, at, sizeof(i64));
		return (double)i64;
	case ONSRAM_DTYPE_I32:
		memcpy(&i32, at, sizeof(i32));
		return i32;
	default:
		return *at;
	}
}

void set_element(const struct onsram_exec_tensor *t, const uint32_t *index, double value)
{
	uint8_t *at = element_address(t, index);
	uint16_t f16 = 0;
	int64_t i64;
	int32_t i32;
	float f32;

	switch (t->view.dtype) {
	case ONSRAM_DTYPE_F32:
		f32 = (float)value;
		memcpy(at, &f32, sizeof(f32));
		break;
	case ONSRAM_DTYPE_F16:
		f16 = half_from_double(value);
		memcpy(at, &f16, sizeof(f16));
		break;
	case ONSRAM_DTYPE_I64:
		i64 = (int64_t)value;
		memcpy(at, &i64, sizeof(i64));
		break;
	case ONSRAM_DTYPE_I32:
		i32 = (int32_t)value;
		memcpy(at, &i32, sizeof(i32));
		break;
	default:
		*at = value != 0;
	}
}

static double random_value(uint32_t dtype)
{
	switch (dtype) {
	case ONSRAM_DTYPE_F32:
		return random_in(-1, 1);
	case ONSRAM_DTYPE_F16:
		return floor(random_in(-64, 64)) / 64;
	case ONSRAM_DTYPE_BOOL:
		return floor(random_in(0, 2));
	default:
		return floor(random_in(-9, 10));
	}
}

void operand_make(struct operands *o, int s, uint32_t dtype,
		  enum layout layout, uint32_t rank, const uint32_t *dims,
		  uint32_t keep)
{
	struct onsram_exec_tensor *t = &o->tensor[s];
	uint32_t index[ONSRAM_MAX_RANK] = { 0 }, i, k;
	int64_t begin, end, stride = 1;

	memset(t, 0, sizeof(*t));
	t->view.dtype = dtype;
	t->view.rank = rank;
	for (k = 0; k < rank; k++) {
		i = layout == LAYOUT_REVERSED ? k : rank - 1 - k;
		t->view.dims[i] = dims[i];
		if (!(keep >> i & 1))
			continue;
		if (layout >= LAYOUT_GAPS)
			stride += k ? 3 : 1;
		t->view.strides[i] = layout == LAYOUT_NEGATIVE && (i & 1) ? -stride : stride;
		stride *= dims[i];
	}
	assert_true(onsram_view_extent(&t->view, &begin, &end));
	o->bytes[s] = end - begin + 2 * GUARD_BYTES;
	o->memory[s] = malloc(o->bytes[s]);
	assert_non_null(o->memory[s]);
	memset(o->memory[s], GUARD, o->bytes[s]);
	t->data = o->memory[s] + GUARD_BYTES - begin;
	do
		set_element(t, index, random_value(dtype));
	while (next_index(index, rank, dims));
}

void operands_free(struct operands *o)
{
	int s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		free(o->memory[s]);
	memset(o, 0, sizeof(*o));
}

/* Overwrites the elements of the output, so that only what lies between remains */
static void assert_nothing_else_written(struct operands *o)
{
	struct onsram_exec_tensor *t = &o->tensor[0];
	uint32_t index[ONSRAM_MAX_RANK] = { 0 };
	size_t i;

	do
		memset(element_address(t, index), GUARD, dtype_size(t->view.dtype));
	while (next_index(index, t->view.rank, t->view.dims));
	for (i = 0; i < o->bytes[0]; i++)
		assert_int_equal(o->memory[0][i], GUARD);
}

void run_and_compare(struct onsram_exec *ctx, uint32_t opcode, const struct onsram_attr *attr,
		     struct operands *o, reference_fn *reference, double tolerance)
{
	struct onsram_view views[ONSRAM_MAX_OPERANDS];
	const struct onsram_view *v = &o->tensor[0].view;
	uint32_t index[ONSRAM_MAX_RANK] = { 0 };
	const char *error;
	int s;

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		views[s] = o->tensor[s].view;
	error = onsram_exec_check(opcode, attr, views);
	if (error)
		fail_msg("opcode %u func %u: %s", opcode, attr->func, error);
	assert_int_equal(onsram_exec_run(ctx, opcode, attr, o->tensor), 0);
	do {
		double want = reference(o, attr, index);
		double got = element(&o->tensor[0], index);
		double slack = tolerance * (fabs(want) > 1 ? fabs(want) : 1);

		if (v->dtype == ONSRAM_DTYPE_F16)
			slack += fabs(want) / 1024;
		if (got == want || fabs(got - want) <= slack)
			continue;
		fail_msg("opcode %u func %u: element %u,%u,%u,%u,%u,%u is %.9g, not %.9g",
			 opcode, attr->func, index[0], index[1], index[2], index[3],
			 index[4], index[5], got, want);
	} while (next_index(index, v->rank, v->dims));
	assert_nothing_else_written(o);
}
