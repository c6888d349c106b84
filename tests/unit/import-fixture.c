// SPDX-License-Identifier: MIT
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host-run.h"
#include "import-fixture.h"

struct onsram_program *import_as(const Onnx__ModelProto *m, const struct onsram_import_options *opt)
{
	char *path = model_write(m), *err = NULL;
	struct onsram_program *p = onsram_import(path, opt, &err);

	if (!p)
		fail_msg("%s", err ? err : "out of memory");
	model_remove(path);
	return p;
}

struct onsram_program *import_model(const Onnx__ModelProto *m, bool fuse, uint32_t dtype)
{
	const struct onsram_import_options opt = { .fuse = fuse, .dtype = dtype };

	return import_as(m, &opt);
}

void run_model(const struct onsram_program *p, struct onsram_array *out)
{
	struct onsram_array in[4] = { 0 };
	char *err = NULL;

	for (uint32_t i = 0; i < p->nr_inputs; i++) {
		uint64_t n;

		assert_int_equal(onsram_default_input(p, i, &in[i], &err), 0);
		n = in[i].bytes / sizeof(float);
		for (uint64_t e = 0; e < n; e++)
			((float *)in[i].data)[e] = e;
	}
	if (host_run(p, in, out, &err))
		fail_msg("%s", err ? err : "out of memory");
	for (uint32_t i = 0; i < p->nr_inputs; i++)
		onsram_array_release(&in[i]);
}

void must_be(const struct onsram_array *got, const float *want)
{
	for (uint64_t e = 0; e < got->bytes / sizeof(float); e++)
		if (!(fabs(((float *)got->data)[e] - want[e]) <= 1e-5 + 1e-5 * fabs(want[e])))
			fail_msg("element %llu is %g, expected %g", (unsigned long long)e,
				 ((float *)got->data)[e], want[e]);
}

void expect(Onnx__ModelProto *m, uint32_t ops, uint32_t rank, const int64_t *dims, const float *want)
{
	for (int fuse = 0; fuse < 2; fuse++) {
		struct onsram_program *p = import_model(m, fuse, ONSRAM_DTYPE_F32);
		struct onsram_array out;

		run_model(p, &out);
		assert_int_equal(out.rank, rank);
		for (uint32_t d = 0; d < rank; d++)
			assert_int_equal(out.dims[d], dims[d]);
		must_be(&out, want);
		if (fuse)
			assert_int_equal(p->nr_ops, ops);
		else
			assert_in_range(p->nr_ops, ops, UINT32_MAX);
		onsram_array_release(&out);
		onsram_program_free(p);
	}
	model_free(m);
}

Onnx__ModelProto *start(int64_t opset, uint32_t rank, const int64_t *dims)
{
	Onnx__ModelProto *m = model_new(opset);

	model_input(m, "x", rank, dims);
	model_output(m, "y");
	return m;
}
