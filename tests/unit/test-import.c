// SPDX-License-Identifier: MIT
/* What imported models compute, fused and not, and how many operations that takes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import-fixture.h"

/* Convolution, bias, batch norm, scale and shift, residual, activation: one operation. */
static void test_conv_chain(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 2, 2, 2));

	(void)state;
	model_floats(m, "w", DIMS(2, 2, 1, 1), FLOATS(1, 1, 1, 1));
	model_floats(m, "b", DIMS(2), FLOATS(1, 2));
	model_floats(m, "scale", DIMS(2), FLOATS(2, -4));
	model_floats(m, "shift", DIMS(2), FLOATS(0.5f, 0));
	model_floats(m, "mean", DIMS(2), FLOATS(1, 0));
	model_floats(m, "var", DIMS(2), FLOATS(1, 4));
	model_floats(m, "mul", DIMS(2, 1, 1), FLOATS(1, 3));
	model_floats(m, "add", DIMS(2, 1, 1), FLOATS(3.5f, 1));
	model_node(m, "Conv", "x w b", "a");
	node_float(model_node(m, "BatchNormalization", "a scale shift mean var", "c"), "epsilon", 0);
	model_node(m, "Mul", "c mul", "d");
	model_node(m, "Add", "add d", "e");
	model_node(m, "Sum", "x e", "f");
	model_node(m, "Relu", "f", "y");
	/*
	 * With s = 4, 6, 8, 10, the sums over the channels: 2 s + 0.5 + 3.5 + x
	 * and -2 (s + 2) * 3 + 1 + x.
	 */
	expect(m, 1, DIMS(1, 2, 2, 2), FLOATS(12, 17, 22, 27, 0, 0, 0, 0));
}

/* The graph as other frameworks have it: other operations, the same results. */
static void test_variants(void **state)
{
	static const struct {
		struct onsram_graph_options graph;
		uint32_t ops;
	} variants[] = {
		{ { 0 }, 5 },
		/* Of two groups each is copied out, convolved and copied back; depthwise stays */
		{ { .split_groups = true }, 4 + 6 },
		{ { .split_norm = true }, 5 + 1 },
		{ { .split_groups = true, .split_norm = true }, 4 + 6 + 1 },
		/* The bias is a shift, too */
		{ { .fold_norm = true }, 5 - 2 },
		{ { .fold_bias = true }, 5 - 1 },
		/* The convolutions write where the copies back would */
		{ { .split_groups = true, .fold_copies = true }, 4 + 6 - 2 },
	};
	Onnx__ModelProto *m = start(13, DIMS(1, 4, 5, 5));
	struct onsram_array plain = { 0 };
	Onnx__NodeProto *n;

	(void)state;
	model_floats(m, "w", DIMS(4, 2, 3, 3), NULL);
	model_floats(m, "b", DIMS(4), FLOATS(1, -2, 3, -4));
	model_floats(m, "scale", DIMS(4), FLOATS(0.01f, -0.02f, 0.03f, 0.5f));
	model_floats(m, "shift", DIMS(4), FLOATS(0.5f, 0, -1, 2));
	model_floats(m, "mean", DIMS(4), FLOATS(100, 0, 10, -10));
	model_floats(m, "var", DIMS(4), FLOATS(1, 4, 9, 16));
	model_floats(m, "d", DIMS(4, 1, 3, 3), NULL);
	n = model_node(m, "Conv", "x w b", "p");
	node_int(n, "group", 2);
	node_ints(n, "pads", 4, (int64_t[]){ 1, 1, 1, 1 });
	model_node(m, "BatchNormalization", "p scale shift mean var", "q");
	model_node(m, "Relu", "q", "r");
	node_int(model_node(m, "Conv", "r d", "y"), "group", 4);
	for (size_t v = 0; v < sizeof(variants) / sizeof(variants[0]); v++) {
		const struct onsram_import_options opt = {
			.graph = variants[v].graph, .dtype = ONSRAM_DTYPE_F32,
		};
		struct onsram_program *p = import_as(m, &opt);
		struct onsram_array out;

		run_model(p, &out);
		assert_int_equal(p->nr_ops, variants[v].ops);
		if (!v)
			plain = out;
		else
			must_be(&out, plain.data);
		if (v)
			onsram_array_release(&out);
		onsram_program_free(p);
	}
	onsram_array_release(&plain);
	model_free(m);
}

/* A variance of 0 without epsilon cannot be folded: the operation stays, and says so by its result. */
static void test_no_fold(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 1, 1, 2));
	struct onsram_program *p;
	struct onsram_array out;

	(void)state;
	model_floats(m, "w", DIMS(1, 1, 1, 1), FLOATS(1));
	model_floats(m, "one", DIMS(1), FLOATS(1));
	model_floats(m, "zero", DIMS(1), FLOATS(0));
	model_node(m, "Conv", "x w", "a");
	node_float(model_node(m, "BatchNormalization", "a one zero zero zero", "y"), "epsilon", 0);
	p = import_model(m, true, ONSRAM_DTYPE_F32);
	assert_int_equal(p->nr_ops, 2);
	run_model(p, &out);
	assert_true(isnan(((float *)out.data)[0]) && isinf(((float *)out.data)[1]));
	onsram_array_release(&out);
	onsram_program_free(p);
	/* In half precision a weight of 1e-3 scaled by 1e-3 loses its digits. */
	m->graph->initializer[0]->raw_data.data[0] = 0x6f;
	m->graph->initializer[0]->raw_data.data[1] = 0x12;
	m->graph->initializer[0]->raw_data.data[2] = 0x83;
	m->graph->initializer[0]->raw_data.data[3] = 0x3a;
	m->graph->node[1]->attribute[0]->f = 1e6f;
	p = import_model(m, true, ONSRAM_DTYPE_F16);
	assert_int_equal(p->nr_ops, 2);
	onsram_program_free(p);
	p = import_model(m, true, ONSRAM_DTYPE_F32);
	assert_int_equal(p->nr_ops, 1);
	onsram_program_free(p);
	model_free(m);
}

/* A weight that two convolutions share is folded for one of them only. */
static void test_shared_weight(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 1, 1, 2));

	(void)state;
	model_floats(m, "w", DIMS(1, 1, 1, 1), FLOATS(2));
	model_floats(m, "three", DIMS(1, 1, 1), FLOATS(3));
	model_node(m, "Conv", "x w", "a");
	model_node(m, "Mul", "a three", "b");
	model_node(m, "Conv", "x w", "c");
	model_node(m, "Sub", "b c", "y");
	expect(m, 3, DIMS(1, 1, 1, 2), FLOATS(0, 4));
}

/* What else reads a result keeps it from being folded away. */
static void test_second_reader(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 1, 1, 2));
	struct onsram_array out[2];
	struct onsram_program *p;

	(void)state;
	model_floats(m, "w", DIMS(1, 1, 1, 1), FLOATS(-1));
	model_node(m, "Conv", "x w", "a");
	model_node(m, "Relu", "a", "y");
	model_output(m, "a");
	p = import_model(m, true, ONSRAM_DTYPE_F32);
	assert_int_equal(p->nr_ops, 2);
	run_model(p, out);
	must_be(&out[0], FLOATS(0, 0));
	must_be(&out[1], FLOATS(0, -1));
	assert_string_equal(out[0].name, "y");
	assert_string_equal(out[1].name, "a");
	onsram_array_release(&out[0]);
	onsram_array_release(&out[1]);
	onsram_program_free(p);
	model_free(m);
}

/* The addition waits for the operand that is made last. */
static void test_residual_order(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 1, 1, 2));

	(void)state;
	model_floats(m, "w", DIMS(1, 1, 1, 1), FLOATS(2));
	model_node(m, "Conv", "x w", "a");
	model_node(m, "Abs", "x", "b");
	model_node(m, "Neg", "b", "c");
	model_node(m, "Add", "a c", "y");
	expect(m, 3, DIMS(1, 1, 1, 2), FLOATS(0, 1));
}

/* Densely connected: every concatenation lies inside the last. */
static void test_concat(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 1, 2));

	(void)state;
	model_node(m, "Neg", "x", "a");
	node_int(model_node(m, "Concat", "x a", "b"), "axis", 1);
	model_node(m, "Abs", "b", "c");
	node_int(model_node(m, "Concat", "b c", "d"), "axis", 1);
	model_node(m, "Neg", "d", "e");
	node_int(model_node(m, "Concat", "d e", "y"), "axis", -2);
	/* the one copy left brings in the graph's input */
	expect(m, 4, DIMS(1, 8, 2), FLOATS(0, 1, 0, -1, 0, 1, 0, 1, 0, -1, 0, 1, 0, -1, 0, -1));
	/* the same tensor twice, along an axis that is not the outermost */
	m = start(13, DIMS(2, 2));
	model_node(m, "Neg", "x", "a");
	node_int(model_node(m, "Concat", "a a", "y"), "axis", 1);
	expect(m, 3, DIMS(2, 4), FLOATS(0, -1, 0, -1, -2, -3, -2, -3));
	/* interleaved rows, written in place */
	m = start(13, DIMS(2, 2));
	model_node(m, "Neg", "x", "a");
	model_node(m, "Abs", "x", "b");
	node_int(model_node(m, "Concat", "a b", "y"), "axis", 1);
	expect(m, 2, DIMS(2, 4), FLOATS(0, -1, 0, 1, -2, -3, 2, 3));
	/* b reads a: in place it would write among what it reads */
	m = start(13, DIMS(2, 2));
	model_node(m, "Neg", "x", "a");
	model_node(m, "Abs", "a", "b");
	node_int(model_node(m, "Concat", "a b", "y"), "axis", 1);
	expect(m, 3, DIMS(2, 4), FLOATS(0, -1, 0, 1, -2, -3, 2, 3));
}

/* Reshapes, slices and transposes are views until strides no longer do. */
static void test_views(void **state)
{
	Onnx__ModelProto *m = start(9, DIMS(1, 4, 1, 2));
	Onnx__NodeProto *n;

	(void)state;
	model_ints(m, "five", DIMS(1, 2, 2, 1, 2));
	model_ints(m, "four", DIMS(0, -1, 1, 2));
	model_node(m, "Reshape", "x five", "a");
	n = model_node(m, "Transpose", "a", "b");
	node_ints(n, "perm", DIMS(0, 2, 1, 3, 4));
	model_node(m, "Reshape", "b four", "c");
	model_node(m, "Neg", "c", "y");
	expect(m, 2, DIMS(1, 4, 1, 2), FLOATS(0, -1, -4, -5, -2, -3, -6, -7));
	m = start(9, DIMS(3, 4));
	n = model_node(m, "Slice", "x", "a");
	node_ints(n, "starts", DIMS(-2, 1));
	node_ints(n, "ends", DIMS(INT64_MAX, 3));
	model_node(m, "Neg", "a", "y");
	expect(m, 1, DIMS(2, 2), FLOATS(-5, -6, -9, -10));
	m = start(13, DIMS(5));
	model_ints(m, "s", DIMS(-1));
	model_ints(m, "e", DIMS(INT64_MIN));
	model_ints(m, "a", DIMS(0));
	model_ints(m, "t", DIMS(-2));
	model_node(m, "Slice", "x s e a t", "b");
	model_node(m, "Neg", "b", "y");
	expect(m, 1, DIMS(3), FLOATS(-4, -2, 0));
	m = start(13, DIMS(2, 3));
	model_node(m, "Transpose", "x", "y");
	expect(m, 1, DIMS(3, 2), FLOATS(0, 3, 1, 4, 2, 5));
}

/* An output that is an input, a constant, or another output's data still is a tensor of its own. */
static void test_output_aliases(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(2));
	struct onsram_array out[4];
	struct onsram_program *p;

	(void)state;
	model_floats(m, "w", DIMS(2), FLOATS(5, 6));
	model_node(m, "Identity", "x", "y");
	model_node(m, "Neg", "x", "a");
	model_node(m, "Identity", "a", "b");
	model_output(m, "w");
	model_output(m, "a");
	model_output(m, "b");
	p = import_model(m, true, ONSRAM_DTYPE_F32);
	assert_int_equal(p->nr_outputs, 4);
	run_model(p, out);
	must_be(&out[0], FLOATS(0, 1));
	must_be(&out[1], FLOATS(5, 6));
	must_be(&out[2], FLOATS(0, -1));
	must_be(&out[3], FLOATS(0, -1));
	for (int i = 0; i < 4; i++) {
		for (uint32_t t = 0; t < p->nr_tensors; t++)
			assert_true(t == p->outputs[i] || strcmp(p->tensors[t].name, out[i].name));
		onsram_array_release(&out[i]);
	}
	onsram_program_free(p);
	model_free(m);
}

static void test_old_broadcast(void **state)
{
	Onnx__ModelProto *m = start(6, DIMS(1, 2, 2));
	Onnx__NodeProto *n;

	(void)state;
	model_floats(m, "w", DIMS(2), FLOATS(10, 20));
	n = model_node(m, "Add", "x w", "y");
	node_int(n, "broadcast", 1);
	node_int(n, "axis", 1);
	expect(m, 1, DIMS(1, 2, 2), FLOATS(10, 11, 22, 23));
}

/* Before set 13 everything from axis on is one distribution. */
static void test_softmax(void **state)
{
	Onnx__ModelProto *m = start(11, DIMS(2, 2, 1));
	float a = 1 / (1 + expf(1));

	(void)state;
	node_int(model_node(m, "Softmax", "x", "y"), "axis", 1);
	expect(m, 1, DIMS(2, 2, 1), FLOATS(a, 1 - a, a, 1 - a));
	m = start(13, DIMS(2, 2, 1));
	node_int(model_node(m, "Softmax", "x", "y"), "axis", -1);
	expect(m, 1, DIMS(2, 2, 1), FLOATS(1, 1, 1, 1));
	m = start(11, DIMS(2, 2, 1));
	node_int(model_node(m, "Softmax", "x", "y"), "axis", 0);
	expect(m, 1, DIMS(2, 2, 1), FLOATS(0.0320586f, 0.0871443f, 0.2368828f, 0.6439143f));
}

static void test_pad(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 1, 1, 3));

	(void)state;
	/* folded into the convolution */
	model_ints(m, "pads", DIMS(0, 0, 0, 1, 0, 0, 0, 2));
	model_floats(m, "w", DIMS(1, 1, 1, 2), FLOATS(1, 10));
	model_node(m, "Pad", "x pads", "a");
	model_node(m, "Conv", "a w", "y");
	expect(m, 1, DIMS(1, 1, 1, 5), FLOATS(0, 10, 21, 2, 0));
	/* a value other than zero is not what a convolution pads with */
	m = start(13, DIMS(1, 1, 1, 3));
	model_ints(m, "pads", DIMS(0, 0, 0, 1, 0, 0, 0, 0));
	model_floats(m, "v", 0, NULL, FLOATS(7));
	model_floats(m, "w", DIMS(1, 1, 1, 2), FLOATS(1, 10));
	model_node(m, "Pad", "x pads v", "a");
	model_node(m, "Conv", "a w", "y");
	expect(m, 3, DIMS(1, 1, 1, 3), FLOATS(7, 10, 21));
	/* a negative pad crops */
	m = start(13, DIMS(2, 3));
	model_ints(m, "pads", DIMS(0, -1, 1, 1));
	model_node(m, "Pad", "x pads", "y");
	expect(m, 2, DIMS(3, 3), FLOATS(1, 2, 0, 4, 5, 0, 0, 0, 0));
	/* padded, then joined: the fill must not come after what shares the tensor */
	m = start(13, DIMS(1, 2));
	model_ints(m, "pads", DIMS(0, 1, 0, 0));
	model_node(m, "Pad", "x pads", "a");
	model_node(m, "Neg", "x", "b");
	node_int(model_node(m, "Concat", "b a", "y"), "axis", 1);
	expect(m, 3, DIMS(1, 5), FLOATS(0, -1, 0, 0, 1));
	/* padded with a number that is computed: nothing may be in the tensor before that, either */
	m = start(13, DIMS(1, 2));
	model_ints(m, "pads", DIMS(0, 1, 0, 1));
	model_node(m, "ReduceMax", "x", "v");
	model_node(m, "Neg", "x", "b");
	model_node(m, "Pad", "b pads v", "y");
	node_int(m->graph->node[0], "keepdims", 0);
	expect(m, 4, DIMS(1, 4), FLOATS(1, 0, -1, 1));
}

static void test_global_pool(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 2, 2));

	(void)state;
	model_node(m, "GlobalAveragePool", "x", "y");
	expect(m, 1, DIMS(1, 2, 1), FLOATS(0.5f, 2.5f));
}

static void test_products(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(2, 2));
	Onnx__NodeProto *n;

	(void)state;
	/* 0.5 * x^T w + 2 c, x^T = [0 2; 1 3] */
	model_floats(m, "w", DIMS(2, 2), FLOATS(2, 4, 6, 8));
	model_floats(m, "c", DIMS(2, 1), FLOATS(1, 10));
	n = model_node(m, "Gemm", "x w c", "y");
	node_int(n, "transA", 1);
	node_float(n, "alpha", 0.5f);
	node_float(n, "beta", 2);
	expect(m, 1, DIMS(2, 2), FLOATS(8, 10, 30, 34));
	/* a plain bias and a clip fuse */
	m = start(13, DIMS(1, 2));
	model_floats(m, "w", DIMS(2, 2), FLOATS(2, 4, 6, 8));
	model_floats(m, "c", DIMS(2), FLOATS(1, 10));
	model_floats(m, "max", 0, NULL, FLOATS(9));
	model_node(m, "Gemm", "x w c", "a");
	model_node(m, "Clip", "a - max", "y");
	expect(m, 1, DIMS(1, 2), FLOATS(7, 9));
	/* with a single row the bias is as large as the result, and still leaves room for a residual */
	m = start(13, DIMS(1, 2));
	model_floats(m, "w", DIMS(2, 2), FLOATS(2, 4, 6, 8));
	model_floats(m, "c", DIMS(2), FLOATS(1, 10));
	model_node(m, "Gemm", "x w c", "a");
	model_node(m, "Add", "a x", "b");
	model_node(m, "Sigmoid", "b", "c1");
	model_node(m, "Neg", "c1", "y");
	expect(m, 2, DIMS(1, 2), FLOATS(-1 / (1 + expf(-7)), -1 / (1 + expf(-19))));
	/* a batch against one matrix, and vectors */
	m = start(13, DIMS(2, 1, 2));
	model_floats(m, "w", DIMS(2, 2), FLOATS(1, 0, 0, 2));
	model_floats(m, "v", DIMS(2), FLOATS(1, 1));
	model_node(m, "MatMul", "x w", "a");
	model_node(m, "MatMul", "a v", "y");
	expect(m, 2, DIMS(2, 1), FLOATS(2, 8));
	m = start(13, DIMS(2, 2, 2));
	model_floats(m, "w", DIMS(1, 2, 2), FLOATS(0, 1, 1, 0));
	model_node(m, "MatMul", "w x", "y");
	expect(m, 1, DIMS(2, 2, 2), FLOATS(2, 3, 0, 1, 6, 7, 4, 5));
}

/* Shapes computed by nodes are computed at import. */
static void test_inputs(void **state)
{
	static const float quarters[] = { 0, 0.25f, 0.5f, 0.75f };
	Onnx__ModelProto *m = start(9, DIMS(1, 4));
	struct onsram_program *p;
	struct onsram_array a;
	char *err;

	(void)state;
	/* an initializer listed as input, as old models do, and an input that nobody reads */
	model_input(m, "w", DIMS(4));
	model_floats(m, "w", DIMS(4), NULL);
	model_input(m, "unused", DIMS(7))->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
	model_node(m, "Add", "x w", "y");
	p = import_model(m, true, ONSRAM_DTYPE_F16);
	assert_int_equal(p->nr_inputs, 2);
	assert_string_equal(p->tensors[p->inputs[0]].name, "x");
	assert_string_equal(p->tensors[p->inputs[1]].name, "unused");
	assert_int_equal(p->tensors[p->inputs[1]].view.dtype, ONSRAM_DTYPE_I64);
	assert_int_equal(onsram_default_input(p, 0, &a, &err), 0);
	assert_int_equal(a.dtype, ONSRAM_DTYPE_F16);
	assert_int_equal(a.rank, 2);
	assert_int_equal(a.dims[0], 1);
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_F32), 0);
	assert_memory_equal(a.data, quarters, sizeof(quarters));
	onsram_array_release(&a);
	assert_int_equal(onsram_default_input(p, 1, &a, &err), -1);
	assert_non_null(strstr(err, "'unused' is int64"));
	free(err);
	assert_int_equal(onsram_default_input(p, 2, &a, &err), -1);
	free(err);
	onsram_program_free(p);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conv_chain),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_no_fold),
		cmocka_unit_test(test_shared_weight),
		cmocka_unit_test(test_second_reader),
		cmocka_unit_test(test_residual_order),
		cmocka_unit_test(test_concat),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_output_aliases),
		cmocka_unit_test(test_old_broadcast),
		cmocka_unit_test(test_softmax),
		cmocka_unit_test(test_pad),
		cmocka_unit_test(test_global_pool),
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_inputs),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
