// SPDX-License-Identifier: MIT
/*
 * Pools against a plain reference, all ways that window, stride, dilation, pads
 * on either side, ceil mode and the kind of divisor can meet: of one dimension
 * every combination of small extents, of two and three random ones.
 */
#include <math.h>

#include "exec-fixture.h"
#include "exec-ops.h"

static struct onsram_exec *ctx;

/* One spatial dimension */
struct axis {
	uint32_t in, kernel, stride, dilation, begin, end;
	bool ceil;
};

/* What has been met: windows partly and wholly outside the input, at either side */
static uint32_t met[4];

/* Outputs; 0 where the window does not fit */
static uint32_t axis_out(const struct axis *a)
{
	uint32_t padded = a->begin + a->in + a->end, window = a->dilation * (a->kernel - 1) + 1;
	uint32_t n = 0, first;

	if (window > padded)
		return 0;
	for (first = 0; first + window <= padded; first += a->stride)
		n++;
	/* One more that begins inside but does not end there, unless the last one ends just there */
	if (a->ceil && (padded - window) % a->stride && first < padded)
		n++;
	return n;
}

static void note(const struct axis *a, uint32_t out)
{
	int64_t first = -(int64_t)a->begin, last = (int64_t)(out - 1) * a->stride - a->begin;

	met[0] |= first < 0 && first + a->dilation * (a->kernel - 1) >= 0;
	met[1] |= first + (int64_t)a->dilation * (a->kernel - 1) < 0;
	met[2] |= last < a->in && last + a->dilation * (a->kernel - 1) >= a->in;
	met[3] |= last >= a->in;
}

/* Element by element, in the coordinates of the input */
static double reference(const struct operands *o, const struct onsram_attr *attr,
			const uint32_t *index)
{
	const struct onsram_view *x = &o->tensor[1].view;
	uint32_t at[ONSRAM_MAX_RANK] = { index[0], index[1] }, k[ONSRAM_MAX_SPATIAL] = { 0 };
	uint32_t kernel[ONSRAM_MAX_SPATIAL], spatial = x->rank - 2, d;
	double sum = 0, max = -INFINITY, value;
	uint32_t real = 0, with_padding = 0;

	for (d = 0; d < spatial; d++)
		kernel[d] = attr->kernel[d];
	do {
		bool in_input = true, in_padded = true;

		for (d = 0; d < spatial; d++) {
			int64_t in = x->dims[2 + d], end = in + attr->pad_end[d];
			int64_t pos = (int64_t)index[2 + d] * attr->stride[d] +
				      (int64_t)k[d] * attr->dilation[d] - attr->pad_begin[d];

			in_input &= pos >= 0 && pos < in;
			in_padded &= pos < end;
			at[2 + d] = (uint32_t)pos;
		}
		with_padding += in_padded;
		if (!in_input)
			continue;
		value = element(&o->tensor[1], at);
		real++;
		sum += value;
		max = value > max ? value : max;
	} while (next_index(k, spatial, kernel));
	switch (attr->func) {
	case ONSRAM_POOL_MAX:
		return max;
	case ONSRAM_POOL_AVG:
		return real ? sum / real : 0;
	default:
		return sum / with_padding;
	}
}

/* Every function in both types; false where the windows do not fit */
static bool check(const struct axis *axis, uint32_t spatial)
{
	uint32_t in[ONSRAM_MAX_RANK] = { 2, 2 }, out[ONSRAM_MAX_RANK] = { 2, 2 };
	struct onsram_attr attr = { 0 };
	uint32_t d, variant;

	for (d = 0; d < spatial; d++) {
		in[2 + d] = axis[d].in;
		out[2 + d] = axis_out(&axis[d]);
		if (!out[2 + d])
			return false;
		note(&axis[d], out[2 + d]);
		attr.kernel[d] = (uint16_t)axis[d].kernel;
		attr.stride[d] = (uint16_t)axis[d].stride;
		attr.dilation[d] = (uint16_t)axis[d].dilation;
		attr.pad_begin[d] = (uint16_t)axis[d].begin;
		attr.pad_end[d] = (uint16_t)axis[d].end;
	}
	for (variant = 0; variant < 2 * ONSRAM_POOL_COUNT; variant++) {
		uint32_t dtype = variant % 2 ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32;
		struct operands o = { 0 };

		attr.func = variant / 2;
		operand_make(&o, 0, dtype, variant % LAYOUT_COUNT, 2 + spatial, out, ~0u);
		operand_make(&o, 1, dtype, (variant + 1) % LAYOUT_COUNT, 2 + spatial, in, ~0u);
		run_and_compare(ctx, ONSRAM_OP_POOL, &attr, &o, reference, 1e-6);
		operands_free(&o);
	}
	return true;
}

static void test_one_dimension(void **state)
{
	uint32_t cases = 0;
	struct axis a;

	(void)state;
	memset(met, 0, sizeof(met));
	for (a.in = 1; a.in <= 5; a.in++)
		for (a.kernel = 1; a.kernel <= 4; a.kernel++)
			for (a.stride = 1; a.stride <= 4; a.stride++)
				for (a.dilation = 1; a.dilation <= 3; a.dilation++)
					for (a.begin = 0; a.begin <= 3; a.begin++)
						for (a.end = 0; a.end <= 5; a.end++)
							for (int c = 0; c < 2; c++) {
								a.ceil = c;
								cases += check(&a, 1);
							}
	assert_true(cases > 8000);
	assert_true(met[0] && met[1] && met[2] && met[3]);
}

static void test_more_dimensions(void **state)
{
	uint32_t spatial, d, cases = 0;

	(void)state;
	for (spatial = 2; spatial <= ONSRAM_MAX_SPATIAL; spatial++) {
		memset(met, 0, sizeof(met));
		for (uint32_t i = 0; i < 2000; i++) {
			struct axis a[ONSRAM_MAX_SPATIAL];

			for (d = 0; d < spatial; d++)
				a[d] = (struct axis){
					.in = random_in(1, 5), .kernel = random_in(1, 4),
					.stride = random_in(1, 4), .dilation = random_in(1, 4),
					.begin = random_in(0, 4), .end = random_in(0, 6),
					.ceil = random_in(0, 2) >= 1,
				};
			cases += check(a, spatial);
		}
		assert_true(met[0] && met[1] && met[2] && met[3]);
	}
	assert_true(cases > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_dimension),
		cmocka_unit_test(test_more_dimensions),
	};
	int failed;

	ctx = onsram_exec_create();
	failed = cmocka_run_group_tests_name("exec-pool", tests, NULL, NULL);
	onsram_exec_destroy(ctx);
	return failed;
}
