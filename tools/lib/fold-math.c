// SPDX-License-Identifier: MIT
/* The device's functions of one element, as far as constants need them. */
#include <math.h>

#include "fold.h"

static float clip(float x, float lo, float hi)
{
	x = x > lo ? x : lo;
	return x < hi ? x : hi;
}

bool fold_float(const struct onsram_attr *attr, const float in[FOLD_INPUTS], float *out)
{
	float a = in[0], b = in[1], c = in[2];
	float p0 = bits_float(attr->param[0]), p1 = bits_float(attr->param[1]);

	switch (attr->func) {
	case ONSRAM_EW_IDENTITY:
		*out = a;
		return true;
	case ONSRAM_EW_RELU:
		*out = a > 0 ? a : 0;
		return true;
	case ONSRAM_EW_CLIP:
		*out = clip(a, p0, p1);
		return true;
	case ONSRAM_EW_LOG:
		*out = logf(a);
		return true;
	case ONSRAM_EW_SQRT:
		*out = sqrtf(a);
		return true;
	case ONSRAM_EW_NEG:
		*out = -a;
		return true;
	case ONSRAM_EW_ABS:
		*out = fabsf(a);
		return true;
	case ONSRAM_EW_EXP:
		*out = expf(a);
		return true;
	case ONSRAM_EW_AFFINE:
		*out = p0 * a + p1;
		return true;
	case ONSRAM_EW_RECIPROCAL:
		*out = 1.0f / a;
		return true;
	case ONSRAM_EW_ADD:
		*out = a + b;
		return true;
	case ONSRAM_EW_SUB:
		*out = a - b;
		return true;
	case ONSRAM_EW_MUL:
		*out = a * b;
		return true;
	case ONSRAM_EW_DIV:
		*out = a / b;
		return true;
	case ONSRAM_EW_MAX:
		*out = a > b ? a : b;
		return true;
	case ONSRAM_EW_MIN:
		*out = a < b ? a : b;
		return true;
	case ONSRAM_EW_POW:
		*out = powf(a, b);
		return true;
	case ONSRAM_EW_FLOOR:
		*out = floorf(a);
		return true;
	case ONSRAM_EW_CEIL:
		*out = ceilf(a);
		return true;
	case ONSRAM_EW_ROUND:
		*out = rintf(a);
		return true;
	case ONSRAM_EW_MUL_ADD:
		*out = a * b + c;
		return true;
	}
	return false;
}

bool fold_compare(uint32_t func, const float in[FOLD_INPUTS], uint8_t *out)
{
	switch (func) {
	case ONSRAM_EW_EQUAL:
		*out = in[0] == in[1];
		return true;
	case ONSRAM_EW_LESS:
		*out = in[0] < in[1];
		return true;
	case ONSRAM_EW_GREATER:
		*out = in[0] > in[1];
		return true;
	}
	return false;
}

bool fold_int(uint32_t func, const int64_t in[FOLD_INPUTS], int64_t *out)
{
	int64_t a = in[0], b = in[1];

	switch (func) {
	case ONSRAM_EW_IDENTITY:
		*out = a;
		return true;
	case ONSRAM_EW_RELU:
		*out = a > 0 ? a : 0;
		return true;
	case ONSRAM_EW_NEG:
		*out = (int64_t)(0 - (uint64_t)a);
		return true;
	case ONSRAM_EW_ABS:
		*out = a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
		return true;
	case ONSRAM_EW_ADD:
		*out = (int64_t)((uint64_t)a + (uint64_t)b);
		return true;
	case ONSRAM_EW_SUB:
		*out = (int64_t)((uint64_t)a - (uint64_t)b);
		return true;
	case ONSRAM_EW_MUL:
		*out = (int64_t)((uint64_t)a * (uint64_t)b);
		return true;
	case ONSRAM_EW_DIV:
		*out = !b ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
		return true;
	case ONSRAM_EW_MAX:
		*out = a > b ? a : b;
		return true;
	case ONSRAM_EW_MIN:
		*out = a < b ? a : b;
		return true;
	case ONSRAM_EW_EQUAL:
		*out = a == b;
		return true;
	case ONSRAM_EW_LESS:
		*out = a < b;
		return true;
	case ONSRAM_EW_GREATER:
		*out = a > b;
		return true;
	case ONSRAM_EW_MUL_ADD:
		*out = (int64_t)((uint64_t)a * (uint64_t)b + (uint64_t)in[2]);
		return true;
	case ONSRAM_EW_SIGN:
		*out = (a > 0) - (a < 0);
		return true;
	case ONSRAM_EW_MOD:
	case ONSRAM_EW_REM:
		*out = !b || b == -1 ? 0 : a % b;
		if (func == ONSRAM_EW_MOD && *out && (*out < 0) != (b < 0))
			*out += b;
		return true;
	}
	return false;
}

/* Integers wrap: their arithmetic is unsigned. */
#define FOLD_REDUCE(name, type, wide)							\
bool name(uint32_t func, type v, bool seen, type *acc)					\
{											\
	switch (func) {									\
	case ONSRAM_REDUCE_SUM:								\
	case ONSRAM_REDUCE_MEAN:							\
		*acc = (type)((wide)*acc + (wide)v);					\
		return true;								\
	case ONSRAM_REDUCE_SUM_SQUARE:							\
		*acc = (type)((wide)*acc + (wide)v * (wide)v);				\
		return true;								\
	case ONSRAM_REDUCE_PROD:							\
		*acc = seen ? (type)((wide)*acc * (wide)v) : v;				\
		return true;								\
	case ONSRAM_REDUCE_MAX:								\
		*acc = seen && *acc > v ? *acc : v;					\
		return true;								\
	case ONSRAM_REDUCE_MIN:								\
		*acc = seen && *acc < v ? *acc : v;					\
		return true;								\
	}										\
	return false;									\
}

FOLD_REDUCE(fold_reduce_float, double, double)
FOLD_REDUCE(fold_reduce_int, int64_t, uint64_t)

bool fold_reduce_nothing(uint32_t func, uint32_t dtype, uint32_t *param)
{
	bool is_float = dtype == ONSRAM_DTYPE_F32;
	int64_t v;

	switch (func) {
	case ONSRAM_REDUCE_SUM:
	case ONSRAM_REDUCE_SUM_SQUARE:
		return true;
	case ONSRAM_REDUCE_PROD:
		param[0] = is_float ? float_bits(1) : 1;
		return true;
	case ONSRAM_REDUCE_MAX:
	case ONSRAM_REDUCE_MIN:
		if (is_float) {
			param[0] = float_bits(func == ONSRAM_REDUCE_MAX ? -INFINITY : INFINITY);
			return true;
		}
		v = dtype == ONSRAM_DTYPE_I64 ? INT64_MIN : INT32_MIN;
		v = func == ONSRAM_REDUCE_MAX ? v : ~v;
		param[0] = v;
		param[1] = dtype == ONSRAM_DTYPE_I64 ? v >> 32 : 0;
		return true;
	}
	return false;
}
