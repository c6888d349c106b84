// SPDX-License-Identifier: MIT
/*
 * Functional execution against references in double precision: operations
 * that move, combine or select single elements.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "exec-fixture.h"

static struct onsram_exec *ctx;

static const uint32_t shapes[][ONSRAM_MAX_RANK + 1] = {
	{ 0 }, { 1, 1 }, { 1, 7 }, { 1, 1500 }, { 2, 3, 5 }, { 3, 2, 1, 9 },
	{ 4, 2, 3, 4, 5 }, { 5, 2, 1, 3, 2, 4 }, { 6, 2, 3, 1, 2, 2, 3 },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static double copied(const struct operands *o, const struct onsram_attr *attr,
		     const uint32_t *index)
{
	double x = element(&o->tensor[1], index);

	(void)attr;
	switch (o->tensor[0].view.dtype) {
	case ONSRAM_DTYPE_BOOL:
		return x != 0;
	case ONSRAM_DTYPE_I32:
	case ONSRAM_DTYPE_I64:
		return trunc(x);
	default:
		return x;
	}
}

static void test_copy(void **state)
{
	struct onsram_attr attr = { 0 };
	uint32_t to, from, in, out, s;

	(void)state;
	for (to = 1; to < ONSRAM_DTYPE_COUNT; to++)
		for (from = 1; from < ONSRAM_DTYPE_COUNT; from++)
			for (s = 0; s < ARRAY_SIZE(shapes); s++)
				for (in = 0; in < LAYOUT_COUNT; in++)
					for (out = 0; out < LAYOUT_COUNT; out++) {
						const uint32_t *d = shapes[s];
						struct operands o = { 0 };

						operand_make(&o, 0, to, out, d[0], d + 1, ~0u);
						operand_make(&o, 1, from, in, d[0], d + 1,
							     in == out ? ~0u : ~2u);
						run_and_compare(ctx, ONSRAM_OP_COPY, &attr, &o,
								copied, 1e-6);
						operands_free(&o);
					}
}

static uint16_t halve(float f)
{
	struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
	struct onsram_attr attr = { 0 };
	uint16_t h;

	t[0].view.dtype = ONSRAM_DTYPE_F16;
	t[0].data = &h;
	t[1].view.dtype = ONSRAM_DTYPE_F32;
	t[1].data = &f;
	assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_COPY, &attr, t), 0);
	return h;
}

static float widen(uint16_t h)
{
	struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
	struct onsram_attr attr = { 0 };
	float f;

	t[0].view.dtype = ONSRAM_DTYPE_F32;
	t[0].data = &f;
	t[1].view.dtype = ONSRAM_DTYPE_F16;
	t[1].data = &h;
	assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_COPY, &attr, t), 0);
	return f;
}

/* Every half survives the way to single and back; midpoints go to even */
static void test_half(void **state)
{
	uint32_t h;

	(void)state;
	for (h = 0; h < 0x10000; h++) {
		uint32_t magnitude = h & 0x7fff;
		float f = widen(h), next, middle;

		if (magnitude > 0x7c00) {
			assert_true(isnan(f));
			assert_int_equal(halve(f) & 0x7fff, 0x7e00);
			continue;
		}
		assert_int_equal(halve(f), h);
		if (magnitude < 0x400)
			assert_true(fabsf(f) == ldexpf(magnitude, -24));
		if (magnitude >= 0x7bff)
			continue;
		next = widen(h + 1);
		middle = f + (next - f) / 2;
		assert_int_equal(halve(middle), h & 1 ? h + 1 : h);
		assert_int_equal(halve(nextafterf(middle, f)), h);
		assert_int_equal(halve(nextafterf(middle, next)), h + 1);
	}
	assert_int_equal(halve(65519.996f), 0x7bff);
	assert_int_equal(halve(65520.0f), 0x7c00);
	assert_int_equal(halve(3e38f), 0x7c00);
	assert_int_equal(halve(-INFINITY), 0xfc00);
	assert_int_equal(halve(1e-30f), 0);
}

static double filled(const struct operands *o, const struct onsram_attr *attr,
		     const uint32_t *index)
{
	float f;

	(void)index;
	switch (o->tensor[0].view.dtype) {
	case ONSRAM_DTYPE_I64:
		return (double)(int64_t)((uint64_t)attr->param[1] << 32 | attr->param[0]);
	case ONSRAM_DTYPE_I32:
		return (int32_t)attr->param[0];
	case ONSRAM_DTYPE_BOOL:
		return attr->param[0];
	default:
		memcpy(&f, &attr->param[0], sizeof(f));
		return f;
	}
}

static void test_fill(void **state)
{
	uint32_t dtype, layout, s;

	(void)state;
	for (dtype = 1; dtype < ONSRAM_DTYPE_COUNT; dtype++)
		for (layout = 0; layout < LAYOUT_COUNT; layout++)
			for (s = 0; s < ARRAY_SIZE(shapes); s++) {
				struct onsram_attr attr = { .param[0] = float_bits(-1.5f) };
				struct operands o = { 0 };

				if (dtype == ONSRAM_DTYPE_I64)
					attr.param[1] = 0xfffffffe;
				if (dtype == ONSRAM_DTYPE_BOOL)
					attr.param[0] = 1;
				operand_make(&o, 0, dtype, layout, shapes[s][0], shapes[s] + 1, ~0u);
				run_and_compare(ctx, ONSRAM_OP_FILL, &attr, &o, filled, 0);
				operands_free(&o);
			}
}

static double combined(const struct operands *o, const struct onsram_attr *attr,
		       const uint32_t *index)
{
	double in[3] = { 0 }, a, b, c, p0, p1;
	bool whole = o->tensor[1].view.dtype > ONSRAM_DTYPE_F16;
	float f;
	int s;

	for (s = 0; s < 3; s++)
		if (o->tensor[s + 1].view.dtype)
			in[s] = element(&o->tensor[s + 1], index);
	a = in[0];
	b = in[1];
	c = in[2];
	memcpy(&f, &attr->param[0], sizeof(f));
	p0 = f;
	memcpy(&f, &attr->param[1], sizeof(f));
	p1 = f;
	switch (attr->func) {
	case ONSRAM_EW_IDENTITY: return a;
	case ONSRAM_EW_RELU: return fmax(a, 0);
	case ONSRAM_EW_CLIP: return fmin(fmax(a, p0), p1);
	case ONSRAM_EW_LEAKY_RELU: return a < 0 ? p0 * a : a;
	case ONSRAM_EW_SIGMOID: return 1 / (1 + exp(-a));
	case ONSRAM_EW_TANH: return tanh(a);
	case ONSRAM_EW_EXP: return exp(a);
	case ONSRAM_EW_LOG: return log(a);
	case ONSRAM_EW_SQRT: return sqrt(a);
	case ONSRAM_EW_NEG: return -a;
	case ONSRAM_EW_ABS: return fabs(a);
	case ONSRAM_EW_ERF: return erf(a);
	case ONSRAM_EW_HARD_SIGMOID: return fmin(fmax(p0 * a + p1, 0), 1);
	case ONSRAM_EW_AFFINE: return p0 * a + p1;
	case ONSRAM_EW_RECIPROCAL: return 1 / a;
	case ONSRAM_EW_ADD: return a + b;
	case ONSRAM_EW_SUB: return a - b;
	case ONSRAM_EW_MUL: return a * b;
	case ONSRAM_EW_DIV: return whole ? (b ? trunc(a / b) : 0) : a / b;
	case ONSRAM_EW_MAX: return fmax(a, b);
	case ONSRAM_EW_MIN: return fmin(a, b);
	case ONSRAM_EW_POW: return pow(a, b);
	case ONSRAM_EW_FLOOR: return floor(a);
	case ONSRAM_EW_CEIL: return ceil(a);
	case ONSRAM_EW_ROUND: return nearbyint(a);
	case ONSRAM_EW_SIGN: return (a > 0) - (a < 0);
	case ONSRAM_EW_SIN: return sin(a);
	case ONSRAM_EW_COS: return cos(a);
	case ONSRAM_EW_TAN: return tan(a);
	case ONSRAM_EW_ASIN: return asin(a);
	case ONSRAM_EW_ACOS: return acos(a);
	case ONSRAM_EW_ATAN: return atan(a);
	case ONSRAM_EW_SINH: return sinh(a);
	case ONSRAM_EW_COSH: return cosh(a);
	case ONSRAM_EW_ASINH: return asinh(a);
	case ONSRAM_EW_ACOSH: return acosh(a);
	case ONSRAM_EW_ATANH: return atanh(a);
	case ONSRAM_EW_MOD: return b ? a - b * floor(a / b) : 0;
	case ONSRAM_EW_REM: return b ? fmod(a, b) : 0;
	case ONSRAM_EW_BIT_AND: return (int64_t)a & (int64_t)b;
	case ONSRAM_EW_BIT_OR: return (int64_t)a | (int64_t)b;
	case ONSRAM_EW_BIT_XOR: return (int64_t)a ^ (int64_t)b;
	case ONSRAM_EW_EQUAL: return a == b;
	case ONSRAM_EW_LESS: return a < b;
	case ONSRAM_EW_GREATER: return a > b;
	case ONSRAM_EW_MUL_ADD: return a * b + c;
	case ONSRAM_EW_WHERE: return a ? b : c;
	}
	fail();
	return 0;
}

static const struct {
	uint32_t inputs;
	uint32_t takes;
	uint32_t params;
} functions[] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params) [value] = { inputs, ONSRAM_EW_TAKES_##takes, params },
	ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

/* Bring operands to where a function is defined and steady: [shift, shift + scale) */
static void confine(struct operands *o, double scale, double shift)
{
	int s;

	for (s = 1; s <= 2; s++) {
		struct onsram_exec_tensor *t = &o->tensor[s];
		uint32_t index[ONSRAM_MAX_RANK] = { 0 };

		if (!t->view.dtype)
			continue;
		do
			set_element(t, index, fabs(fmod(element(t, index), 1)) * scale + shift);
		while (next_index(index, t->view.rank, t->view.dims));
	}
}

static void elementwise_case(uint32_t func, uint32_t dtype, uint32_t layout, uint32_t shape)
{
	struct onsram_attr attr = { .func = func };
	const uint32_t *d = shapes[shape];
	struct operands o = { 0 };
	uint32_t s;

	if (functions[func].params > 0)
		attr.param[0] = float_bits(func == ONSRAM_EW_CLIP ? -0.5f : 0.25f);
	if (functions[func].params > 1)
		attr.param[1] = float_bits(0.5f);
	operand_make(&o, 0, functions[func].takes & ONSRAM_EW_COMPARES ? ONSRAM_DTYPE_BOOL : dtype,
		     layout, d[0], d + 1, ~0u);
	for (s = 1; s <= functions[func].inputs; s++) {
		bool condition = func == ONSRAM_EW_WHERE && s == 1;

		operand_make(&o, s, condition ? ONSRAM_DTYPE_BOOL : dtype,
			     (layout + s - 1) % LAYOUT_COUNT, d[0], d + 1, s == 2 ? ~5u : ~0u);
	}
	switch (func) {
	case ONSRAM_EW_LOG:
	case ONSRAM_EW_SQRT:
	case ONSRAM_EW_RECIPROCAL:
	case ONSRAM_EW_POW:
		confine(&o, 1, 0.25);
		break;
	case ONSRAM_EW_DIV:
	case ONSRAM_EW_MOD:
	case ONSRAM_EW_REM:
		if (dtype <= ONSRAM_DTYPE_F16)
			confine(&o, 1, 0.25);
		break;
	case ONSRAM_EW_TAN:
	case ONSRAM_EW_ASIN:
	case ONSRAM_EW_ACOS:
	case ONSRAM_EW_ATANH:
		confine(&o, 0.75, 0.125);
		break;
	case ONSRAM_EW_ACOSH:
		confine(&o, 4, 1.5);
		break;
	}
	run_and_compare(ctx, ONSRAM_OP_ELEMENTWISE, &attr, &o, combined, 2e-6);
	operands_free(&o);
}

static bool takes_dtype(uint32_t func, uint32_t dtype)
{
	return functions[func].takes & (dtype <= ONSRAM_DTYPE_F16 ? ONSRAM_EW_FLOAT :
					dtype == ONSRAM_DTYPE_BOOL ? ONSRAM_EW_BOOL : ONSRAM_EW_INT);
}

static void test_elementwise(void **state)
{
	uint32_t func, dtype, layout, s;

	(void)state;
	for (func = 0; func < ONSRAM_EW_COUNT; func++)
		for (dtype = 1; dtype < ONSRAM_DTYPE_COUNT; dtype++)
			for (layout = 0; layout < LAYOUT_COUNT; layout++)
				for (s = 0; s < ARRAY_SIZE(shapes); s++)
					if (takes_dtype(func, dtype))
						elementwise_case(func, dtype, layout, s);
}

/* The output may be an input: out = out + b */
static void test_in_place(void **state)
{
	struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
	struct onsram_attr attr = { .func = ONSRAM_EW_ADD };
	float a[2000], b = 3;
	int i;

	(void)state;
	for (i = 0; i < 2000; i++)
		a[i] = i;
	t[0].view = (struct onsram_view) { ONSRAM_DTYPE_F32, 1, { 1000 }, { 2 } };
	t[0].data = a;
	t[1] = t[0];
	t[2].view = (struct onsram_view) { ONSRAM_DTYPE_F32, 1, { 1000 }, { 0 } };
	t[2].data = &b;
	assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_ELEMENTWISE, &attr, t), 0);
	for (i = 0; i < 2000; i++)
		assert_true(a[i] == (i & 1 ? i : i + 3));
}

static void test_integer_edges(void **state)
{
	static const struct {
		uint32_t func;
		int64_t a, b, want;
	} cases[] = {
		{ ONSRAM_EW_DIV, INT64_MIN, -1, INT64_MIN },
		{ ONSRAM_EW_DIV, 5, 0, 0 },
		{ ONSRAM_EW_DIV, -7, 2, -3 },
		{ ONSRAM_EW_ADD, INT64_MAX, 1, INT64_MIN },
		{ ONSRAM_EW_MUL, INT64_MAX, 2, -2 },
		{ ONSRAM_EW_SUB, INT64_MIN, 1, INT64_MAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
		struct onsram_attr attr = { .func = cases[i].func };
		int64_t a = cases[i].a, b = cases[i].b, out;
		int s;

		for (s = 0; s < 3; s++)
			t[s].view.dtype = ONSRAM_DTYPE_I64;
		t[0].data = &out;
		t[1].data = &a;
		t[2].data = &b;
		assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_ELEMENTWISE, &attr, t), 0);
		assert_true(out == cases[i].want);
	}
}

static double gathered(const struct operands *o, const struct onsram_attr *attr,
		       const uint32_t *index)
{
	const struct onsram_view *data = &o->tensor[1].view;
	uint32_t rank = o->tensor[2].view.rank, at[ONSRAM_MAX_RANK] = { 0 }, i;
	double picked = element(&o->tensor[2], index + attr->axis);

	for (i = 0; i < data->rank; i++)
		if (i != attr->axis)
			at[i] = index[i < attr->axis ? i : i + rank - 1];
	at[attr->axis] = picked < 0 ? picked + data->dims[attr->axis] : picked;
	return element(&o->tensor[1], at);
}

static void gather_case(uint32_t dtype, uint32_t index_dtype, uint32_t axis,
			uint32_t index_rank, enum layout layout)
{
	static const uint32_t data[] = { 4, 10, 3 }, indices[] = { 2, 5 };
	struct onsram_attr attr = { .axis = axis };
	uint32_t out[ONSRAM_MAX_RANK], n = 0, i, index[2] = { 0 };
	struct operands o = { 0 };

	for (i = 0; i < axis; i++)
		out[n++] = data[i];
	for (i = 0; i < index_rank; i++)
		out[n++] = indices[i];
	for (i = axis + 1; i < 3; i++)
		out[n++] = data[i];
	operand_make(&o, 0, dtype, layout, n, out, ~0u);
	operand_make(&o, 1, dtype, (layout + 1) % LAYOUT_COUNT, 3, data, ~0u);
	operand_make(&o, 2, index_dtype, (layout + 2) % LAYOUT_COUNT, index_rank, indices, ~0u);
	do {
		double limit = data[axis];

		set_element(&o.tensor[2], index, floor(random_in(-limit, limit)));
	} while (next_index(index, index_rank, indices));
	run_and_compare(ctx, ONSRAM_OP_GATHER, &attr, &o, gathered, 0);

	/* An index out of range leaves the output alone, either side */
	memset(index, 0, sizeof(index));
	memset(o.memory[0], 0x5a, o.bytes[0]);
	set_element(&o.tensor[2], index, data[axis]);
	assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_GATHER, &attr, o.tensor), -ERANGE);
	set_element(&o.tensor[2], index, -1.0 - data[axis]);
	assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_GATHER, &attr, o.tensor), -ERANGE);
	for (i = 0; i < o.bytes[0]; i++)
		assert_int_equal(o.memory[0][i], 0x5a);
	operands_free(&o);
}

static void test_gather(void **state)
{
	uint32_t dtype, axis, index_rank, layout;

	(void)state;
	for (dtype = 1; dtype < ONSRAM_DTYPE_COUNT; dtype++)
		for (axis = 0; axis < 3; axis++)
			for (index_rank = 0; index_rank < 3; index_rank++)
				for (layout = 0; layout < LAYOUT_COUNT; layout++) {
					gather_case(dtype, ONSRAM_DTYPE_I64, axis, index_rank, layout);
					gather_case(dtype, ONSRAM_DTYPE_I32, axis, index_rank, layout);
				}
}

/* Interpolates recursively, dimension by dimension */
static double interpolate(const struct onsram_exec_tensor *x, const struct onsram_view *o,
			  const uint32_t *index, uint32_t *at, uint32_t i)
{
	double position, t, a, b;

	if (i == o->rank)
		return element(x, at);
	position = (index[i] + 0.5) * x->view.dims[i] / o->dims[i] - 0.5;
	position = fmax(0, fmin(position, x->view.dims[i] - 1));
	t = position - floor(position);
	at[i] = floor(position);
	a = interpolate(x, o, index, at, i + 1);
	at[i] = ceil(position);
	b = interpolate(x, o, index, at, i + 1);
	return a + (b - a) * t;
}

static double resized(const struct operands *o, const struct onsram_attr *attr,
		      const uint32_t *index)
{
	const struct onsram_view *to = &o->tensor[0].view, *from = &o->tensor[1].view;
	uint32_t at[ONSRAM_MAX_RANK] = { 0 }, i;

	if (attr->func == ONSRAM_RESIZE_LINEAR)
		return interpolate(&o->tensor[1], to, index, at, 0);
	for (i = 0; i < to->rank; i++)
		at[i] = (uint64_t)index[i] * from->dims[i] / to->dims[i];
	return element(&o->tensor[1], at);
}

static void test_resize(void **state)
{
	static const uint32_t from[][4] = { { 1, 2, 5, 7 }, { 2, 1, 4, 4 }, { 1, 3, 6, 1 } };
	static const uint32_t to[][4] = { { 1, 2, 10, 14 }, { 2, 3, 2, 7 }, { 1, 3, 3, 9 } };
	uint32_t c, dtype, layout, func;

	(void)state;
	for (c = 0; c < ARRAY_SIZE(from); c++)
		for (dtype = 1; dtype < ONSRAM_DTYPE_COUNT; dtype++)
			for (layout = 0; layout < LAYOUT_COUNT; layout++)
				for (func = 0; func < ONSRAM_RESIZE_COUNT; func++) {
					struct onsram_attr attr = { .func = func };
					struct operands o = { 0 };

					if (func && dtype > ONSRAM_DTYPE_F16)
						continue;
					operand_make(&o, 0, dtype, layout, 4, to[c], ~0u);
					operand_make(&o, 1, dtype, LAYOUT_COUNT - 1 - layout, 4,
						     from[c], ~0u);
					run_and_compare(ctx, ONSRAM_OP_RESIZE, &attr, &o, resized, 1e-6);
					operands_free(&o);
				}
}

/* An intermediate result larger than any memory is refused, not tried */
static void test_scratch_limit(void **state)
{
	struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
	struct onsram_attr attr = { .func = ONSRAM_RESIZE_LINEAR };
	float in[1] = { 1 }, *out = test_malloc((1 << 20) * sizeof(*out));

	(void)state;
	t[0].view = (struct onsram_view) { ONSRAM_DTYPE_F32, 2, { 1 << 20, 1 }, { 1, 1 } };
	t[0].data = out;
	t[1].view = (struct onsram_view) { ONSRAM_DTYPE_F32, 2, { 1, 1 << 12 }, { 1, 0 } };
	t[1].data = in;
	out[0] = 5;
	assert_int_equal(onsram_exec_run(ctx, ONSRAM_OP_RESIZE, &attr, t), -ENOMEM);
	assert_true(out[0] == 5);
	test_free(out);
}

static int set_up(void **state)
{
	(void)state;
	ctx = onsram_exec_create();
	return ctx ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	onsram_exec_destroy(ctx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_elementwise),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_integer_edges),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_scratch_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
