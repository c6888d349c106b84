// SPDX-License-Identifier: MIT
/*
 * Functional execution against references in double precision: operations
 * that sum over many elements.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec-fixture.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct onsram_exec *ctx;

static double activated(const struct onsram_attr *attr, double x)
{
	float lo, hi;

	memcpy(&lo, &attr->act_param[0], sizeof(lo));
	memcpy(&hi, &attr->act_param[1], sizeof(hi));
	switch (attr->act) {
	case ONSRAM_ACT_RELU: return fmax(x, 0);
	case ONSRAM_ACT_CLIP: return fmin(fmax(x, lo), hi);
	case ONSRAM_ACT_LEAKY_RELU: return x < 0 ? lo * x : x;
	case ONSRAM_ACT_SIGMOID: return 1 / (1 + exp(-x));
	case ONSRAM_ACT_TANH: return tanh(x);
	default: return x;
	}
}

static void set_act(struct onsram_attr *attr, uint32_t act)
{
	attr->act = act;
	if (act == ONSRAM_ACT_CLIP || act == ONSRAM_ACT_LEAKY_RELU)
		attr->act_param[0] = float_bits(act == ONSRAM_ACT_CLIP ? -0.3f : 0.1f);
	if (act == ONSRAM_ACT_CLIP)
		attr->act_param[1] = float_bits(0.6f);
}

static double multiplied(const struct operands *o, const struct onsram_attr *attr,
			 const uint32_t *index)
{
	uint32_t r = o->tensor[0].view.rank, k, depth = o->tensor[1].view.dims[r - 1];
	uint32_t a[ONSRAM_MAX_RANK], b[ONSRAM_MAX_RANK];
	double sum = 0;
	float alpha, beta;

	memcpy(&alpha, &attr->param[0], sizeof(alpha));
	memcpy(&beta, &attr->param[1], sizeof(beta));
	memcpy(a, index, sizeof(a));
	memcpy(b, index, sizeof(b));
	for (k = 0; k < depth; k++) {
		a[r - 1] = k;
		b[r - 2] = k;
		sum += element(&o->tensor[1], a) * element(&o->tensor[2], b);
	}
	sum *= alpha;
	if (o->tensor[3].view.dtype)
		sum += beta * element(&o->tensor[3], index);
	if (o->tensor[4].view.dtype)
		sum += element(&o->tensor[4], index);
	return activated(attr, sum);
}

static void gemm_case(uint32_t rank, const uint32_t *batch, uint32_t m, uint32_t n, uint32_t k,
		      uint32_t variant)
{
	struct onsram_attr attr = { .param = { float_bits(0.5f), float_bits(-2) } };
	uint32_t out[ONSRAM_MAX_RANK], a[ONSRAM_MAX_RANK], b[ONSRAM_MAX_RANK], i;
	uint32_t dtype = variant & 1 ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32;
	struct operands o = { 0 };

	for (i = 0; i < rank - 2; i++)
		out[i] = a[i] = b[i] = batch[i];
	out[rank - 2] = a[rank - 2] = m;
	out[rank - 1] = b[rank - 1] = n;
	a[rank - 1] = b[rank - 2] = k;
	set_act(&attr, variant % ONSRAM_ACT_COUNT);
	operand_make(&o, 0, dtype, variant / 3 % LAYOUT_COUNT, rank, out, ~0u);
	operand_make(&o, 1, ONSRAM_DTYPE_F32, variant / 5 % LAYOUT_COUNT, rank, a, ~0u);
	/* B may be one matrix for the whole batch */
	operand_make(&o, 2, variant & 8 ? dtype : ONSRAM_DTYPE_F32, variant / 2 % LAYOUT_COUNT,
		     rank, b, variant & 4 ? ~0u : 3u << (rank - 2));
	if (variant & 16)
		operand_make(&o, 3, ONSRAM_DTYPE_F32, LAYOUT_DENSE, rank, out, 1u << (rank - 1));
	if (variant & 2)
		operand_make(&o, 4, dtype, variant % LAYOUT_COUNT, rank, out, ~0u);
	run_and_compare(ctx, ONSRAM_OP_GEMM, &attr, &o, multiplied, 1e-5);
	operands_free(&o);
}

static void test_gemm(void **state)
{
	static const uint32_t batches[][4] = { { 1, 1, 1, 1 }, { 3, 2, 2, 1 } };
	static const uint32_t sizes[][3] = {
		{ 1, 1, 1 }, { 1, 37, 64 }, { 17, 1, 9 }, { 8, 16, 1 }, { 33, 47, 129 },
	};
	uint32_t rank, b, s, variant;

	(void)state;
	for (rank = 2; rank <= ONSRAM_MAX_RANK; rank++)
		for (b = 0; b < ARRAY_SIZE(batches); b++)
			for (s = 0; s < ARRAY_SIZE(sizes) - (rank > 3); s++)
				for (variant = 0; variant < 32; variant++)
					gemm_case(rank, batches[b], sizes[s][0], sizes[s][1],
						  sizes[s][2], variant);
}

/* A convolution: input, window and geometry per spatial dimension */
struct window_case {
	uint32_t n, c, o, groups, spatial;
	uint32_t in[3], kernel[3];
	uint16_t stride[3], dilation[3], begin[3], end[3];
};

static void window_attr(struct onsram_attr *attr, const struct window_case *c)
{
	memcpy(attr->stride, c->stride, sizeof(attr->stride));
	memcpy(attr->dilation, c->dilation, sizeof(attr->dilation));
	memcpy(attr->pad_begin, c->begin, sizeof(attr->pad_begin));
	memcpy(attr->pad_end, c->end, sizeof(attr->pad_end));
}

static uint32_t window_out(const struct window_case *c, uint32_t i)
{
	return (c->in[i] + c->begin[i] + c->end[i] - c->dilation[i] * (c->kernel[i] - 1) - 1) /
	       c->stride[i] + 1;
}

/* Position in the input of element @k of an output's window; false: padding */
static bool window_position(const struct onsram_attr *attr, const struct onsram_view *x,
			    const uint32_t *index, const uint32_t *k, uint32_t *at)
{
	uint32_t i;

	for (i = 0; i + 2 < x->rank; i++) {
		int64_t p = (int64_t)index[2 + i] * attr->stride[i] + k[i] * attr->dilation[i] -
			    attr->pad_begin[i];

		if (p < 0 || p >= x->dims[2 + i])
			return false;
		at[2 + i] = p;
	}
	return true;
}

static double convolved(const struct operands *o, const struct onsram_attr *attr,
			const uint32_t *index)
{
	const struct onsram_view *x = &o->tensor[1].view, *w = &o->tensor[2].view;
	uint32_t per_group = o->tensor[0].view.dims[1] / attr->groups, c;
	uint32_t at[ONSRAM_MAX_RANK] = { index[0] }, k[ONSRAM_MAX_RANK] = { index[1] };
	double sum = 0;

	for (c = 0; c < w->dims[1]; c++) {
		uint32_t kernel[3] = { 0 };

		at[1] = index[1] / per_group * w->dims[1] + c;
		k[1] = c;
		do {
			memcpy(k + 2, kernel, sizeof(kernel));
			if (window_position(attr, x, index, kernel, at))
				sum += element(&o->tensor[1], at) * element(&o->tensor[2], k);
		} while (next_index(kernel, x->rank - 2, w->dims + 2));
	}
	if (o->tensor[3].view.dtype)
		sum += element(&o->tensor[3], &index[1]);
	if (o->tensor[4].view.dtype)
		sum += element(&o->tensor[4], index);
	return activated(attr, sum);
}

static void conv_case(const struct window_case *c, uint32_t variant)
{
	uint32_t dims[3][ONSRAM_MAX_RANK] = {
		{ c->n, c->o }, { c->n, c->c }, { c->o, c->c / c->groups },
	};
	uint32_t dtype = variant & 1 ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32;
	struct onsram_attr attr = { .groups = c->groups };
	struct operands o = { 0 };
	uint32_t i, s;

	window_attr(&attr, c);
	set_act(&attr, variant % ONSRAM_ACT_COUNT);
	for (i = 0; i < c->spatial; i++) {
		dims[0][2 + i] = window_out(c, i);
		dims[1][2 + i] = c->in[i];
		dims[2][2 + i] = c->kernel[i];
	}
	for (s = 0; s < 3; s++)
		operand_make(&o, s, s == 2 ? ONSRAM_DTYPE_F32 : dtype,
			     (variant / 2 + s) % LAYOUT_COUNT, 2 + c->spatial, dims[s], ~0u);
	if (variant & 2)
		operand_make(&o, 3, dtype, LAYOUT_GAPS, 1, &c->o, ~0u);
	if (variant & 4)
		operand_make(&o, 4, dtype, variant % LAYOUT_COUNT, 2 + c->spatial, dims[0], ~0u);
	run_and_compare(ctx, ONSRAM_OP_CONV, &attr, &o, convolved, 1e-5);
	operands_free(&o);
}

static const struct window_case convs[] = {
	{ 1, 3, 8, 1, 2, { 9, 11 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 } },
	{ 2, 16, 32, 1, 2, { 7, 7 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, { 0 } },
	{ 1, 32, 16, 1, 2, { 8, 9 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 0 }, { 0 } },
	{ 1, 3, 16, 1, 2, { 15, 14 }, { 7, 7 }, { 2, 2 }, { 1, 1 }, { 3, 3 }, { 3, 3 } },
	{ 1, 6, 10, 2, 2, { 6, 8 }, { 3, 2 }, { 2, 1 }, { 1, 1 }, { 1, 0 }, { 0, 1 } },
	{ 1, 32, 32, 32, 2, { 9, 9 }, { 3, 3 }, { 1, 2 }, { 1, 1 }, { 1, 1 }, { 1, 1 } },
	{ 1, 7, 14, 7, 2, { 5, 5 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0, 2 }, { 2, 0 } },
	{ 1, 16, 16, 1, 2, { 12, 12 }, { 3, 3 }, { 1, 1 }, { 3, 2 }, { 3, 1 }, { 2, 4 } },
	{ 1, 4, 4, 1, 2, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, { 4, 3 }, { 5, 2 } },
	{ 1, 64, 64, 4, 2, { 6, 6 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 } },
	{ 3, 5, 6, 1, 1, { 23 }, { 5 }, { 2 }, { 2 }, { 3 }, { 1 } },
	{ 1, 8, 8, 8, 1, { 12 }, { 3 }, { 1 }, { 1 }, { 2 }, { 0 } },
	{ 1, 4, 8, 1, 3, { 5, 6, 7 }, { 3, 2, 3 }, { 1, 2, 2 }, { 1, 1, 2 }, { 1, 0, 2 }, { 0, 1, 1 } },
	{ 2, 6, 6, 3, 3, { 4, 4, 4 }, { 2, 2, 2 }, { 1, 1, 1 }, { 1, 1, 1 }, { 0 }, { 1, 1, 1 } },
	{ 1, 17, 33, 1, 2, { 13, 5 }, { 5, 1 }, { 1, 1 }, { 1, 1 }, { 2, 0 }, { 2, 0 } },
};

static void test_conv(void **state)
{
	uint32_t c, variant;

	(void)state;
	for (c = 0; c < ARRAY_SIZE(convs); c++)
		for (variant = 0; variant < 24; variant++)
			conv_case(&convs[c], variant);
}

/* More shapes than the primitive cache holds, twice: eviction must not matter */
static void test_conv_cache(void **state)
{
	struct window_case c = convs[0];
	int pass;

	(void)state;
	for (pass = 0; pass < 2; pass++)
		for (c.in[0] = 3; c.in[0] < 280; c.in[0] += pass ? 46 : 1) {
			c.in[1] = 3;
			c.o = 2;
			conv_case(&c, 0);
		}
}

static double reduced(const struct operands *o, const struct onsram_attr *attr,
		      const uint32_t *index)
{
	const struct onsram_view *x = &o->tensor[1].view;
	uint32_t at[ONSRAM_MAX_RANK] = { 0 }, i;
	double sum = 0, squares = 0, product = 1, min = INFINITY, max = -INFINITY, count = 0;

	do {
		bool here = true;
		double v;

		for (i = 0; i < x->rank; i++)
			here &= (attr->axis >> i & 1) || at[i] == index[i];
		if (!here)
			continue;
		v = element(&o->tensor[1], at);
		sum += v;
		squares += v * v;
		product *= v;
		min = fmin(min, v);
		max = fmax(max, v);
		count++;
	} while (next_index(at, x->rank, x->dims));
	switch (attr->func) {
	case ONSRAM_REDUCE_SUM: return sum;
	case ONSRAM_REDUCE_MEAN: return x->dtype >= ONSRAM_DTYPE_I64 ? trunc(sum / count) : sum / count;
	case ONSRAM_REDUCE_MAX: return max;
	case ONSRAM_REDUCE_MIN: return min;
	case ONSRAM_REDUCE_PROD: return product;
	default: return squares;
	}
}

static void test_reduce(void **state)
{
	static const uint32_t x[] = { 2, 3, 4, 5 };
	uint32_t func, mask, dtype, layout, i, out[4];

	(void)state;
	for (func = 0; func < ONSRAM_REDUCE_COUNT; func++)
		for (mask = 0; mask < 16; mask++)
			for (dtype = 1; dtype <= ONSRAM_DTYPE_I32; dtype++)
				for (layout = 0; layout < LAYOUT_COUNT; layout++) {
					struct onsram_attr attr = { .func = func, .axis = mask };
					struct operands o = { 0 };

					/* a product of many integers leaves double's exact range */
					if (func == ONSRAM_REDUCE_PROD && dtype >= ONSRAM_DTYPE_I64 &&
					    mask != 4)
						continue;
					for (i = 0; i < 4; i++)
						out[i] = mask >> i & 1 ? 1 : x[i];
					operand_make(&o, 0, dtype, layout, 4, out, ~0u);
					operand_make(&o, 1, dtype, LAYOUT_COUNT - 1 - layout, 4, x, ~0u);
					run_and_compare(ctx, ONSRAM_OP_REDUCE, &attr, &o, reduced, 1e-6);
					operands_free(&o);
				}
}

static double softmaxed(const struct operands *o, const struct onsram_attr *attr,
			const uint32_t *index)
{
	const struct onsram_exec_tensor *x = &o->tensor[1];
	uint32_t at[ONSRAM_MAX_RANK];
	double sum = 0, v;

	memcpy(at, index, sizeof(at));
	for (at[attr->axis] = 0; at[attr->axis] < x->view.dims[attr->axis]; at[attr->axis]++)
		sum += exp(element(x, at));
	v = element(x, index);
	return attr->func ? v - log(sum) : exp(v) / sum;
}

static void test_softmax(void **state)
{
	static const uint32_t x[] = { 2, 3, 17, 5 };
	uint32_t func, axis, dtype, layout;

	(void)state;
	for (func = 0; func < 2; func++)
		for (axis = 0; axis < 4; axis++)
			for (dtype = 1; dtype <= ONSRAM_DTYPE_F16; dtype++)
				for (layout = 0; layout < LAYOUT_COUNT; layout++) {
					struct onsram_attr attr = { .func = func, .axis = axis };
					struct operands o = { 0 };

					operand_make(&o, 0, dtype, layout, 4, x, ~0u);
					operand_make(&o, 1, dtype, LAYOUT_COUNT - 1 - layout, 4, x, ~0u);
					run_and_compare(ctx, ONSRAM_OP_SOFTMAX, &attr, &o, softmaxed, 1e-6);
					operands_free(&o);
				}
}

static double parameter(const struct onsram_attr *attr, int i)
{
	float f;

	memcpy(&f, &attr->param[i], sizeof(f));
	return f;
}

static double batch_normed(const struct operands *o, const struct onsram_attr *attr,
			   const uint32_t *index)
{
	const struct onsram_exec_tensor *t = o->tensor;
	const uint32_t *c = &index[1];

	return (element(&t[1], index) - element(&t[4], c)) /
	       sqrt(element(&t[5], c) + parameter(attr, 0)) * element(&t[2], c) + element(&t[3], c);
}

static double response_normed(const struct operands *o, const struct onsram_attr *attr,
			      const uint32_t *index)
{
	const struct onsram_exec_tensor *x = &o->tensor[1];
	int size = attr->kernel[0], first = (int)index[1] - (size - 1) / 2, c;
	uint32_t at[ONSRAM_MAX_RANK];
	double sum = 0, v;

	memcpy(at, index, sizeof(at));
	for (c = first; c < first + size; c++) {
		if (c < 0 || c >= (int)x->view.dims[1])
			continue;
		at[1] = c;
		v = element(x, at);
		sum += v * v;
	}
	return element(x, index) /
	       pow(parameter(attr, 2) + parameter(attr, 0) / size * sum, parameter(attr, 1));
}

/* LAYER normalises what shares the leading indices, GROUP also a channel range */
static double moment_normed(const struct operands *o, const struct onsram_attr *attr,
			    const uint32_t *index)
{
	const struct onsram_exec_tensor *x = &o->tensor[1];
	bool layer = attr->func == ONSRAM_NORM_LAYER;
	uint32_t at[ONSRAM_MAX_RANK] = { 0 }, i;
	double sum = 0, squares = 0, count = 0, mean;
	const uint32_t *param = layer ? index + attr->axis : &index[1];

	do {
		uint32_t per_group = layer ? 1 : x->view.dims[1] / attr->groups;
		bool here = true;

		for (i = 0; layer && i < attr->axis; i++)
			here &= at[i] == index[i];
		if (!layer)
			here = at[0] == index[0] && at[1] / per_group == index[1] / per_group;
		if (!here)
			continue;
		sum += element(x, at);
		squares += element(x, at) * element(x, at);
		count++;
	} while (next_index(at, x->view.rank, x->view.dims));
	mean = sum / count;
	return (element(x, index) - mean) /
	       sqrt(squares / count - mean * mean + parameter(attr, 0)) *
	       element(&o->tensor[2], param) +
	       (o->tensor[3].view.dtype ? element(&o->tensor[3], param) : 0);
}

static const uint32_t normed[] = { 2, 6, 3, 5 };

static void norm_run(const struct onsram_attr *attr, struct operands *o, uint32_t variant,
		     reference_fn *reference)
{
	uint32_t dtype = variant & 4 ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32;

	operand_make(o, 0, dtype, variant % LAYOUT_COUNT, 4, normed, ~0u);
	operand_make(o, 1, dtype, (variant + 1) % LAYOUT_COUNT, 4, normed, ~0u);
	run_and_compare(ctx, ONSRAM_OP_NORM, attr, o, reference, 1e-5);
	operands_free(o);
}

static void test_norm(void **state)
{
	static const float betas[] = { 0.75f, 0.5f };
	uint32_t variant, i, s, channel;
	struct operands o = { 0 };

	(void)state;
	for (variant = 0; variant < 8; variant++) {
		struct onsram_attr attr = { .param[0] = float_bits(1e-3f) };

		for (s = 2; s < ONSRAM_MAX_OPERANDS; s++)
			operand_make(&o, s, ONSRAM_DTYPE_F32, variant % LAYOUT_COUNT, 1, normed + 1, ~0u);
		for (channel = 0; channel < normed[1]; channel++)
			set_element(&o.tensor[5], &channel, random_in(0.1, 2));
		norm_run(&attr, &o, variant, batch_normed);

		for (i = 0; i < 12; i++) {
			attr = (struct onsram_attr) { .func = ONSRAM_NORM_LRN, .kernel[0] = 1 + i / 2 };
			attr.param[0] = float_bits(0.5f);
			attr.param[1] = float_bits(betas[i & 1]);
			attr.param[2] = float_bits(1);
			norm_run(&attr, &o, variant, response_normed);
		}
		for (i = 0; i < 4; i++) {
			attr = (struct onsram_attr) { .func = ONSRAM_NORM_LAYER, .axis = i };
			attr.param[0] = float_bits(1e-3f);
			for (s = 2; s < (variant & 2 ? 4 : 3); s++)
				operand_make(&o, s, ONSRAM_DTYPE_F32, variant % LAYOUT_COUNT,
					     4 - i, normed + i, ~0u);
			norm_run(&attr, &o, variant, moment_normed);
		}
		for (i = 1; i <= normed[1]; i++) {
			if (normed[1] % i)
				continue;
			attr = (struct onsram_attr) { .func = ONSRAM_NORM_GROUP, .groups = i };
			attr.param[0] = float_bits(1e-3f);
			for (s = 2; s < (variant & 2 ? 4 : 3); s++)
				operand_make(&o, s, ONSRAM_DTYPE_F32, LAYOUT_GAPS, 1, normed + 1, ~0u);
			norm_run(&attr, &o, variant, moment_normed);
		}
	}
}

/* Same bits wherever the operands lie: every alignment of a float */
static void test_addresses_do_not_matter(void **state)
{
	const struct window_case *c = &convs[14];
	uint32_t x[] = { 1, 17, 13, 5 }, w[] = { 33, 17, 5, 1 }, i, shift, round;
	float *memory[3], *expected = test_malloc(33 * 65 * sizeof(float));
	size_t count[] = { 33 * 65, 17 * 65, 33 * 17 * 5 };

	(void)state;
	for (i = 0; i < 3; i++)
		memory[i] = test_malloc((count[i] + 64) * sizeof(float));
	for (round = 0; round < 2; round++)
		for (shift = 0; shift < 32; shift++) {
			struct onsram_exec_tensor t[ONSRAM_MAX_OPERANDS] = { 0 };
			struct onsram_attr attr = { 0 };
			uint32_t seed, dims[3][4] = { { 1, 33, 13, 5 } }, m[3][2] = {
				{ 33, 65 }, { 33, 17 }, { 17, 65 },
			};

			memcpy(dims[1], x, sizeof(x));
			memcpy(dims[2], w, sizeof(w));
			for (i = 0; i < 3; i++) {
				t[i].data = memory[i] + shift * (i + 1) % 37;
				t[i].view.dtype = ONSRAM_DTYPE_F32;
				t[i].view.rank = round ? 2 : 4;
				memcpy(t[i].view.dims, round ? m[i] : dims[i],
				       t[i].view.rank * sizeof(uint32_t));
				t[i].view.strides[t[i].view.rank - 1] = 1;
				for (seed = t[i].view.rank - 1; seed--; )
					t[i].view.strides[seed] = t[i].view.strides[seed + 1] *
								  t[i].view.dims[seed + 1];
				for (seed = 0; i && seed < count[i]; seed++)
					((float *)t[i].data)[seed] = sinf(seed * 1.7f + i);
			}
			if (round) {
				attr.param[0] = float_bits(1);
			} else {
				attr.groups = 1;
				window_attr(&attr, c);
			}
			assert_int_equal(onsram_exec_run(ctx, round ? ONSRAM_OP_GEMM : ONSRAM_OP_CONV,
							 &attr, t), 0);
			if (!shift)
				memcpy(expected, t[0].data, 33 * 65 * sizeof(float));
			assert_memory_equal(expected, t[0].data, 33 * 65 * sizeof(float));
		}
	for (i = 0; i < 3; i++)
		test_free(memory[i]);
	test_free(expected);
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
		cmocka_unit_test(test_gemm),
		cmocka_unit_test(test_conv),
		cmocka_unit_test(test_conv_cache),
		cmocka_unit_test(test_reduce),
		cmocka_unit_test(test_softmax),
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_addresses_do_not_matter),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
