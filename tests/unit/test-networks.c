// SPDX-License-Identifier: MIT
/*
 * The networks of ONNX's own backend test, imported and run on the host by the
 * device's arithmetic, against the outputs that come with them.
 */
#define _GNU_SOURCE

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host-run.h"
#include "model.h"

/* Tolerances of ONNX's backend test runner. */
#define RTOL 1e-3
#define ATOL 1e-7

/* Larger weights stay as they are in the randomized networks: the file is written once per test. */
#define RANDOM_MAX (4u << 20)

/* Operations of the program. Fewer would be welcome, more is a regression. */
struct network {
	const char *name;
	uint32_t fused;
	uint32_t unfused;
	bool half;	/* its activations stay within what fp16 holds */
	bool quick;	/* fast enough for a sanitized build, which runs no others */
};

static const struct network networks[] = {
	{ "bvlc_alexnet", 14, 29, false, false },
	{ "densenet121", 250, 727, true, false },
	{ "inception_v1", 75, 226, true, false },
	{ "inception_v2", 84, 399, true, false },
	{ "resnet50", 57, 176, true, false },
	{ "shufflenet", 75, 175, true, true },
	{ "squeezenet", 31, 99, true, true },
	{ "vgg19", 25, 62, false, false },
	{ "zfnet512", 14, 29, true, false },
};

static char *data_file(const char *network, const char *suffix)
{
	const char *cache = getenv("ONSRAM_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *base = NULL, *path = NULL;
	int n;

	if (cache)
		n = asprintf(&base, "%s", cache);
	else if (xdg)
		n = asprintf(&base, "%s/onsram", xdg);
	else
		n = asprintf(&base, "%s/.cache/onsram", home ? home : "");
	assert_true(n >= 0);
	assert_true(asprintf(&path, "%s/onnx-testdata/data/light/light_%s%s", base, network, suffix) >= 0);
	free(base);
	if (access(path, R_OK))
		fail_msg("%s is missing: scripts/fetch-trixie fetches it", path);
	return path;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Output of the model at @path for the default inputs. Return: operations of its program */
static uint32_t run_model(const char *path, bool fuse, uint32_t dtype, struct onsram_array *out)
{
	struct onsram_import_options opt = { .fuse = fuse, .dtype = dtype };
	struct onsram_array in[4];
	struct onsram_program *p;
	double start = seconds(), imported;
	char *err = NULL;
	uint32_t ops;

	p = onsram_import(path, &opt, &err);
	imported = seconds();
	if (!p)
		fail_msg("%s", err ? err : "out of memory");
	assert_in_range(p->nr_inputs, 1, 4);
	assert_int_equal(p->nr_outputs, 1);
	for (uint32_t i = 0; i < p->nr_inputs; i++)
		assert_int_equal(onsram_default_input(p, i, &in[i], &err), 0);
	if (host_run(p, in, out, &err))
		fail_msg("%s", err ? err : "out of memory");
	ops = p->nr_ops;
	print_message("# fuse %s, %s: %u operations, import %.3f s, run %.2f s\n", fuse ? "on" : "off",
		      dtype == ONSRAM_DTYPE_F32 ? "fp32" : "fp16", ops, imported - start, seconds() - imported);
	assert_int_equal(onsram_array_convert(out, ONSRAM_DTYPE_F32), 0);
	for (uint32_t i = 0; i < p->nr_inputs; i++)
		onsram_array_release(&in[i]);
	onsram_program_free(p);
	return ops;
}

static void must_be_close(const struct onsram_array *got, const struct onsram_array *want, double rtol, double atol)
{
	char *why = NULL;

	if (!onsram_array_close(got, want, rtol, atol, &why))
		fail_msg("%s", why ? why : "out of memory");
}

/* The largest magnitude: rounding errors are to be seen beside it. */
static double largest(const struct onsram_array *a)
{
	double max = 0;

	for (uint64_t i = 0; i < a->bytes / sizeof(float); i++)
		max = fmax(max, fabs(((float *)a->data)[i]));
	print_message("# largest output %g\n", max);
	return max;
}

static void run_network(const struct network *net, bool fuse)
{
	struct onsram_array out, want;
	char *path, *err = NULL;
	uint32_t ops;

	path = data_file(net->name, ".onnx");
	ops = run_model(path, fuse, ONSRAM_DTYPE_F32, &out);
	free(path);
	path = data_file(net->name, "_output_0.pb");
	if (onsram_array_load(path, &want, &err))
		fail_msg("%s", err ? err : "out of memory");
	free(path);
	must_be_close(&out, &want, RTOL, ATOL);
	assert_in_range(ops, 1, fuse ? net->fused : net->unfused);
	onsram_array_release(&out);
	onsram_array_release(&want);
}

static void test_fused(void **state)
{
	run_network(*state, true);
}

static void test_unfused(void **state)
{
	run_network(*state, false);
}

/*
 * The package's weights are all alike, so that most expected outputs are 1000
 * equal numbers. With weights that differ, whatever fusion does wrong shows.
 */
static void test_random(void **state)
{
	const struct network *net = *state;
	struct onsram_array fused, unfused, half;
	Onnx__ModelProto *m;
	char *path, *err = NULL;

	path = data_file(net->name, ".onnx");
	m = (Onnx__ModelProto *)proto_read(path, &onnx__model_proto__descriptor, &err);
	assert_non_null(m);
	free(path);
	model_drop_softmax(m);
	model_randomize(m, RANDOM_MAX);
	path = model_write(m);
	model_free(m);
	run_model(path, false, ONSRAM_DTYPE_F32, &unfused);
	run_model(path, true, ONSRAM_DTYPE_F32, &fused);
	if (net->half)
		run_model(path, true, ONSRAM_DTYPE_F16, &half);
	model_remove(path);
	must_be_close(&fused, &unfused, 0, 1e-4 * largest(&unfused));
	if (net->half) {
		must_be_close(&half, &unfused, 0, 2e-2 * largest(&unfused));
		onsram_array_release(&half);
	}
	onsram_array_release(&fused);
	onsram_array_release(&unfused);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(void **state);
	} kinds[] = {
		{ "fused", test_fused }, { "unfused", test_unfused }, { "random weights", test_random },
	};
	enum { NR = sizeof(networks) / sizeof(networks[0]), KINDS = sizeof(kinds) / sizeof(kinds[0]) };
	struct CMUnitTest tests[NR * KINDS];
	size_t nr = 0;
	char names[NR * KINDS][64];

	for (int i = 0; i < NR * KINDS; i++) {
		const struct network *net = &networks[i / KINDS];

#ifdef __SANITIZE_ADDRESS__
		if (!net->quick)
			continue;
#endif
		snprintf(names[nr], sizeof(names[nr]), "%s, %s", net->name, kinds[i % KINDS].name);
		tests[nr] = (struct CMUnitTest){
			.name = names[nr], .test_func = kinds[i % KINDS].test, .initial_state = (void *)net,
		};
		nr++;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests("networks", tests, nr, NULL, NULL);
}
