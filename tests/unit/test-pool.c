// SPDX-License-Identifier: MIT
/*
 * Pooling against its definition: all combinations of kernel, stride, dilation,
 * asymmetric pads, auto_pad, ceil_mode and count_include_pad, in one to three
 * spatial dimensions, stored as fp32 and fp16.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host-run.h"
#include "model.h"

#define CHANNELS 2

static const char *const auto_pads[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID" };

/* What a pool does along one dimension. */
struct along {
	int64_t in, kernel, stride, dilation, begin, end, out;
};

struct pool {
	struct along d[3];	/* outermost first; those that the rank does not have are of extent 1 */
	uint32_t spatial;
	uint32_t auto_pad;
	bool max, ceil, include_pad;
};

/* ONNX's output size, and the pads that auto_pad stands for. Return: false where no window fits */
static bool resolve(struct along *a, uint32_t auto_pad, bool ceil)
{
	int64_t window = (a->kernel - 1) * a->dilation + 1, room;

	if (auto_pad)
		a->begin = a->end = 0;
	if (auto_pad == 1 || auto_pad == 2) {
		int64_t out = (a->in + a->stride - 1) / a->stride;
		int64_t pad = (out - 1) * a->stride + window - a->in;

		if (pad > 0) {
			a->begin = auto_pad == 1 ? pad / 2 : (pad + 1) / 2;
			a->end = pad - a->begin;
		}
	}
	room = a->in + a->begin + a->end - window;
	if (room < 0)
		return false;
	a->out = room / a->stride + 1;
	/* A window more, if it begins before the padding at the end. */
	if (ceil && room % a->stride && a->out * a->stride < a->in + a->begin)
		a->out++;
	return true;
}

/* One output element, straight from the definition. */
static float reference(const struct pool *p, const float *x, const int64_t *at)
{
	const struct along *d = p->d;
	double sum = 0, max = -INFINITY;
	int64_t divisor = 0;

	for (int64_t i = 0; i < d[0].kernel; i++)
		for (int64_t j = 0; j < d[1].kernel; j++)
			for (int64_t k = 0; k < d[2].kernel; k++) {
				int64_t tap[3] = { i, j, k }, index = 0;
				bool inside = true, padded = true;

				for (int n = 0; n < 3; n++) {
					int64_t pos = at[n] * d[n].stride + tap[n] * d[n].dilation - d[n].begin;

					inside = inside && pos >= 0 && pos < d[n].in;
					padded = padded && pos < d[n].in + d[n].end;
					index = index * d[n].in + pos;
				}
				divisor += p->include_pad ? padded : inside;
				if (!inside)
					continue;
				sum += x[index];
				max = fmax(max, x[index]);
			}
	return p->max ? max : divisor ? sum / divisor : 0;
}

static Onnx__ModelProto *build(const struct pool *p, int64_t *elements)
{
	Onnx__ModelProto *m = model_new(19);
	int64_t dims[5] = { 1, CHANNELS }, kernel[3], stride[3], dilation[3], pads[6];
	const struct along *d = p->d + 3 - p->spatial;
	Onnx__NodeProto *n;

	*elements = CHANNELS;
	for (uint32_t i = 0; i < p->spatial; i++) {
		dims[2 + i] = d[i].in;
		*elements *= d[i].in;
		kernel[i] = d[i].kernel;
		stride[i] = d[i].stride;
		dilation[i] = d[i].dilation;
		pads[i] = d[i].begin;
		pads[p->spatial + i] = d[i].end;
	}
	model_input(m, "x", 2 + p->spatial, dims);
	model_output(m, "y");
	n = model_node(m, p->max ? "MaxPool" : "AveragePool", "x", "y");
	node_ints(n, "kernel_shape", p->spatial, kernel);
	node_ints(n, "strides", p->spatial, stride);
	node_ints(n, "dilations", p->spatial, dilation);
	node_int(n, "ceil_mode", p->ceil);
	if (!p->max)
		node_int(n, "count_include_pad", p->include_pad);
	if (p->auto_pad)
		node_string(n, "auto_pad", auto_pads[p->auto_pad]);
	else
		node_ints(n, "pads", 2 * p->spatial, pads);
	return m;
}

static void must_be_reference(const struct pool *p, const float *x, const struct onsram_array *got, double tolerance)
{
	const struct along *d = p->d;
	const float *y = got->data;
	int64_t plane = d[0].in * d[1].in * d[2].in, at[3];

	for (uint32_t i = 0; i < p->spatial; i++)
		assert_int_equal(got->dims[2 + i], d[3 - p->spatial + i].out);
	for (int c = 0; c < CHANNELS; c++)
		for (at[0] = 0; at[0] < d[0].out; at[0]++)
			for (at[1] = 0; at[1] < d[1].out; at[1]++)
				for (at[2] = 0; at[2] < d[2].out; at[2]++, y++) {
					float want = reference(p, x + c * plane, at);

					if (*y == want || fabs(*y - want) <= tolerance * (1 + fabs(want)))
						continue;
					fail_msg("%s of %u dimensions, auto_pad %s, ceil %d, include_pad %d, at %d %d %d: %g, expected %g",
						 p->max ? "maximum" : "average", p->spatial,
						 auto_pads[p->auto_pad], p->ceil, p->include_pad,
						 (int)at[0], (int)at[1], (int)at[2], *y, want);
				}
}

static void run_pool(const struct pool *p, uint32_t dtype)
{
	struct onsram_import_options opt = { .dtype = dtype };
	struct onsram_array in, out;
	struct onsram_program *program;
	int64_t elements;
	Onnx__ModelProto *m = build(p, &elements);
	char *path = model_write(m), *err = NULL;
	float x[CHANNELS * 512];

	model_free(m);
	program = onsram_import(path, &opt, &err);
	if (!program)
		fail_msg("%s", err ? err : "out of memory");
	model_remove(path);
	assert_int_equal(onsram_default_input(program, 0, &in, &err), 0);
	assert_int_equal(onsram_array_convert(&in, ONSRAM_DTYPE_F32), 0);
	/* Small whole numbers, of which fp16 sums and compares exactly: only the division rounds. */
	for (int64_t i = 0; i < elements; i++)
		x[i] = ((float *)in.data)[i] = i * 7 % 19 - 9;
	assert_int_equal(onsram_array_convert(&in, dtype), 0);
	assert_int_equal(host_run(program, &in, &out, &err), 0);
	assert_int_equal(onsram_array_convert(&out, ONSRAM_DTYPE_F32), 0);
	must_be_reference(p, x, &out, dtype == ONSRAM_DTYPE_F16 ? 1e-3 : 1e-6);
	onsram_array_release(&in);
	onsram_array_release(&out);
	onsram_program_free(program);
}

/* The kinds of pool: maximum; average without and with padding in the divisor; ceil_mode. Return: those run */
static uint32_t run_kinds(struct pool p)
{
	uint32_t nr = 0;

	for (int kind = 0; kind < 6; kind++) {
		bool fits = true;

		p.max = kind < 2;
		p.include_pad = kind >= 4;
		p.ceil = kind & 1;
		for (uint32_t i = 3 - p.spatial; i < 3; i++)
			fits = resolve(&p.d[i], p.auto_pad, p.ceil) && fits;
		if (!fits)
			continue;
		run_pool(&p, ONSRAM_DTYPE_F32);
		run_pool(&p, ONSRAM_DTYPE_F16);
		nr++;
	}
	return nr;
}

static const struct along none = { .in = 1, .kernel = 1, .stride = 1, .dilation = 1, .out = 1 };

/* Every combination of small numbers. */
static void test_one_dimension(void **state)
{
	struct pool p = { .d = { none, none }, .spatial = 1 };
	struct along *a = &p.d[2];
	uint32_t nr = 0;

	(void)state;
	for (a->in = 4; a->in <= 7; a->in++)
		for (a->kernel = 1; a->kernel <= 3; a->kernel++)
			for (a->stride = 1; a->stride <= 4; a->stride++)
				for (a->dilation = 1; a->dilation <= 2; a->dilation++) {
					for (int pads = 0; pads < 9; pads++) {
						p.auto_pad = 0;
						a->begin = pads % 3;
						a->end = pads / 3;
						nr += run_kinds(p);
					}
					for (p.auto_pad = 1; p.auto_pad < 4; p.auto_pad++)
						nr += run_kinds(p);
				}
	assert_in_range(nr, 5000, 8000);
}

/* Dimensions that differ from each other in everything, so that none is taken for another. */
static void test_more_dimensions(void **state)
{
	uint64_t rng = 0x2545f4914f6cdd1dull;
	uint32_t nr = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct pool p = { .d = { none, none, none }, .spatial = 2 + i % 2, .auto_pad = i % 5 % 4 };

		for (uint32_t n = 3 - p.spatial; n < 3; n++)
			p.d[n] = (struct along){
				.in = 3 + random_next(&rng) % 5, .kernel = 1 + random_next(&rng) % 3,
				.stride = 1 + random_next(&rng) % 3, .dilation = 1 + random_next(&rng) % 2,
				.begin = random_next(&rng) % 3, .end = random_next(&rng) % 3,
			};
		nr += run_kinds(p);
	}
	assert_in_range(nr, 1500, 2400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_dimension),
		cmocka_unit_test(test_more_dimensions),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
