// SPDX-License-Identifier: MIT
/* Functions of a model, branches and loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host-run.h"
#include "model.h"

#define DIMS(...) sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (int64_t[]){ __VA_ARGS__ }
#define FLOATS(...) (float[]){ __VA_ARGS__ }

static const struct onsram_import_options plain = { .dtype = ONSRAM_DTYPE_F32 };

static Onnx__ModelProto *start(uint32_t rank, const int64_t *dims)
{
	Onnx__ModelProto *m = model_new(16);

	model_input(m, "x", rank, dims);
	model_output(m, "y");
	return m;
}

/* Output 0 for the inputs 0, 1, 2, ...; the model is freed. */
static void yields(Onnx__ModelProto *m, uint32_t rank, const int64_t *dims, const float *want)
{
	char *path = model_write(m), *err = NULL;
	struct onsram_program *p = onsram_import(path, &plain, &err);
	struct onsram_array in, out[4];

	if (!p)
		fail_msg("%s", err ? err : "out of memory");
	assert_int_equal(p->nr_inputs, 1);
	assert_int_equal(onsram_default_input(p, 0, &in, &err), 0);
	for (uint64_t i = 0; i < in.bytes / sizeof(float); i++)
		((float *)in.data)[i] = i;
	if (host_run(p, &in, out, &err))
		fail_msg("%s", err ? err : "out of memory");
	assert_int_equal(out[0].rank, rank);
	for (uint32_t d = 0; d < rank; d++)
		assert_int_equal(out[0].dims[d], dims[d]);
	for (uint64_t i = 0; i < out[0].bytes / sizeof(float); i++)
		if (!(fabsf(((float *)out[0].data)[i] - want[i]) <= 1e-5f))
			fail_msg("element %d is %g, expected %g", (int)i, ((float *)out[0].data)[i], want[i]);
	for (uint32_t i = 0; i < p->nr_outputs; i++)
		onsram_array_release(&out[i]);
	onsram_array_release(&in);
	onsram_program_free(p);
	model_remove(path);
	model_free(m);
}

static void fails(Onnx__ModelProto *m, const char *word)
{
	char *path = model_write(m), *err = NULL;

	assert_null(onsram_import(path, &plain, &err));
	assert_non_null(err);
	if (!strstr(err, word))
		fail_msg("'%s' does not say '%s'", err, word);
	free(err);
	model_remove(path);
	model_free(m);
}

static Onnx__NodeProto *test_call(Onnx__ModelProto *m, const char *name, const char *in, const char *out)
{
	Onnx__NodeProto *n = model_node(m, name, in, out);

	n->domain = strdup("test");
	return n;
}

/* leak(a) = LeakyRelu(-a) with the call's slope, or that of the operator; inside, "x" is nobody's. */
static void add_leak(Onnx__ModelProto *m)
{
	Onnx__ModelProto *f = model_new(16);

	model_input(f, "a", 0, NULL);
	model_output(f, "b");
	model_node(f, "Neg", "a", "t");
	node_reference(model_node(f, "LeakyRelu", "t", "b"), "alpha", "slope");
	model_function(m, "leak", f);
}

static void test_function(void **state)
{
	Onnx__ModelProto *m = start(DIMS(3)), *f;

	(void)state;
	add_leak(m);
	node_float(test_call(m, "leak", "x", "t"), "slope", 0.5f);
	test_call(m, "leak", "t", "y");
	/* -x / 2, which the second call turns to x / 2 */
	yields(m, DIMS(3), FLOATS(0, 0.5f, 1));
	m = start(DIMS(3));
	add_leak(m);
	test_call(m, "leak", "x", "y");
	yields(m, DIMS(3), FLOATS(0, -0.01f, -0.02f));
	/* a function sees no names but its own, and does not end in itself */
	m = start(DIMS(3));
	f = model_new(16);
	model_output(f, "b");
	model_node(f, "Neg", "x", "b");
	model_function(m, "peek", f);
	test_call(m, "peek", "", "y");
	fails(m, "'x' is neither");
	m = start(DIMS(3));
	f = model_new(16);
	model_input(f, "a", 0, NULL);
	model_output(f, "b");
	test_call(f, "again", "a", "b");
	model_function(m, "again", f);
	test_call(m, "again", "x", "y");
	fails(m, "may not call itself");
	m = start(DIMS(3));
	add_leak(m);
	test_call(m, "leak", "x x", "y");
	fails(m, "more inputs");
	m = start(DIMS(3));
	test_call(m, "nowhere", "x", "y");
	fails(m, "domain 'test'");
}

/* y = condition ? -x : x + one */
static Onnx__ModelProto *branches(void)
{
	Onnx__ModelProto *m = start(DIMS(2)), *yes = model_new(16), *no = model_new(16);
	Onnx__NodeProto *n;

	model_output(yes, "r");
	model_node(yes, "Neg", "x", "r");
	model_output(no, "r");
	model_floats(no, "one", 0, NULL, FLOATS(1));
	model_node(no, "Add", "x one", "r");
	model_ints(m, "two", DIMS(2));
	model_node(m, "Size", "x", "size");
	n = model_node(m, "If", "condition", "y");
	node_graph(n, "then_branch", yes);
	node_graph(n, "else_branch", no);
	return m;
}

/* Let the condition be made by @op, before the branch. */
static Onnx__ModelProto *decide(Onnx__ModelProto *m, const char *op, const char *in)
{
	Onnx__NodeProto *last;

	model_node(m, op, in, "condition");
	last = m->graph->node[m->graph->n_node - 1];
	m->graph->node[m->graph->n_node - 1] = m->graph->node[m->graph->n_node - 2];
	m->graph->node[m->graph->n_node - 2] = last;
	return m;
}

static void test_if(void **state)
{
	Onnx__ModelProto *m;

	(void)state;
	yields(decide(branches(), "Equal", "size two"), DIMS(2), FLOATS(0, -1));
	yields(decide(branches(), "Less", "size two"), DIMS(2), FLOATS(1, 2));
	m = branches();
	model_node(m, "Identity", "x", "condition");
	fails(m, "is produced only by");
	m = decide(branches(), "Less", "x x");
	fails(m, "the condition is not constant");
	/* what a branch binds is not seen behind it */
	m = decide(branches(), "Equal", "size two");
	model_output(m, "r");
	fails(m, "output 'r' of the graph is produced by no node");
}

/* body: (i, condition, v) -> (condition, v + v, v) */
static Onnx__ModelProto *loop(const char *trips, bool dynamic)
{
	Onnx__ModelProto *m = start(DIMS(2)), *body = model_new(16);
	char in[32];

	model_input(body, "i", 0, NULL);
	model_input(body, "c", 0, NULL);
	model_input(body, "v", 0, NULL);
	model_node(body, "Identity", "c", "c2");
	if (dynamic)
		model_node(body, "Less", "v v", "c3");
	model_node(body, "Add", "v v", "w");
	model_output(body, dynamic ? "c3" : "c2");
	model_output(body, "w");
	model_output(body, "v");
	model_ints(m, "three", DIMS(3));
	snprintf(in, sizeof(in), "%s - x", trips);
	node_graph(model_node(m, "Loop", in, "last y"), "body", body);
	return m;
}

static void test_loop(void **state)
{
	Onnx__ModelProto *m;
	Onnx__GraphProto *body;

	(void)state;
	/* y collects x, 2x, 4x */
	yields(loop("three", false), DIMS(3, 2), FLOATS(0, 1, 0, 2, 0, 4));
	fails(loop("three", true), "the condition after a pass is not constant");
	/* without a trip count, it goes on as long as the condition does */
	fails(loop("-", false), "more than");
	m = loop("three", false);
	body = m->graph->node[0]->attribute[0]->g;
	onnx__value_info_proto__free_unpacked(body->input[--body->n_input], NULL);
	fails(m, "the body has 2 inputs");
}

/* body: (sum, e) -> (sum + e, sum): sums over the rows of x, backwards */
static void test_scan(void **state)
{
	Onnx__ModelProto *m = start(DIMS(3, 2)), *body = model_new(16);
	static const int64_t backwards[] = { 1 };
	Onnx__NodeProto *n;

	(void)state;
	model_input(body, "s", 0, NULL);
	model_input(body, "e", 0, NULL);
	model_output(body, "t");
	model_output(body, "t2");
	model_node(body, "Add", "s e", "t");
	model_node(body, "Identity", "t", "t2");
	model_floats(m, "zero", DIMS(2), FLOATS(0, 0));
	n = model_node(m, "Scan", "zero x", "last y");
	node_graph(n, "body", body);
	node_int(n, "num_scan_inputs", 1);
	node_ints(n, "scan_input_directions", 1, backwards);
	/* rows 4 5, 2 3, 0 1 */
	yields(m, DIMS(3, 2), FLOATS(4, 5, 6, 8, 6, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_function),
		cmocka_unit_test(test_if),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests_name("functions and control flow", tests, NULL, NULL);
}
