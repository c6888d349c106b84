// SPDX-License-Identifier: MIT
/* What the importer must refuse, and how; no input may crash it or leak. */
#define _GNU_SOURCE

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host-run.h"
#include "model.h"

#define DIMS(...) sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (int64_t[]){ __VA_ARGS__ }

static const struct onsram_import_options fused = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 };

static void file_fails(const char *path, const char *word)
{
	char *err = NULL;

	assert_null(onsram_import(path, &fused, &err));
	assert_non_null(err);
	assert_non_null(strstr(err, path));
	if (!strstr(err, word))
		fail_msg("'%s' does not say '%s'", err, word);
	free(err);
}

/* Import fails with a message that has every one of the words; the model is freed. */
static void fails(Onnx__ModelProto *m, const char *word, const char *also)
{
	char *path = model_write(m);

	file_fails(path, word);
	if (also)
		file_fails(path, also);
	model_remove(path);
	model_free(m);
}

/* x [1, 4, 8, 8] -> one node -> y */
static Onnx__ModelProto *one(int64_t opset, const char *op, const char *in, Onnx__NodeProto **n)
{
	Onnx__ModelProto *m = model_new(opset);

	model_input(m, "x", DIMS(1, 4, 8, 8));
	model_output(m, "y");
	*n = model_node(m, op, in, "y");
	return m;
}

static void test_files(void **state)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m = one(13, "Relu", "x", &n);
	size_t size = onnx__model_proto__get_packed_size(m);
	uint8_t *data = malloc(size);
	uint8_t nested[6000];
	char *path;

	(void)state;
	assert_non_null(data);
	onnx__model_proto__pack(m, data);
	model_free(m);
	file_fails("/nonexistent.onnx", "No such file");
	file_fails("/tmp", "is not a regular file");
	path = model_write_bytes("", 0);
	file_fails(path, "is empty");
	model_remove(path);
	for (size_t cut = 1; cut < size; cut++) {
		path = model_write_bytes(data, cut);
		/* Cut between two fields, a file is whole, but lacks what we need. */
		file_fails(path, "");
		model_remove(path);
	}
	free(data);
	path = model_write_bytes("This is not a model.", 20);
	file_fails(path, "damaged");
	model_remove(path);
	/* A graph in an attribute of a node of a graph in an attribute ..., deeper than any model. */
	for (size_t i = 0; i < sizeof(nested); i += 3) {
		static const uint8_t fields[] = { 6, 1, 5 };
		size_t left = sizeof(nested) - i - 3;

		nested[i] = (i ? fields[i / 3 % 3] : 7) << 3 | 2;
		nested[i + 1] = 0x80 | (left & 0x7f);
		nested[i + 2] = left >> 7;
	}
	path = model_write_bytes(nested, sizeof(nested));
	file_fails(path, "damaged");
	model_remove(path);
}

static void test_model(void **state)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m;
	int64_t wide[7] = { 1, 1, 1, 1, 1, 1, 1 };
	float f[4] = { 0 };

	(void)state;
	m = model_new(13);
	onnx__graph_proto__free_unpacked(m->graph, NULL);
	m->graph = NULL;
	fails(m, "no graph", NULL);
	m = one(13, "Relu", "x", &n);
	onnx__operator_set_id_proto__free_unpacked(m->opset_import[0], NULL);
	m->n_opset_import = 0;
	fails(m, "operator set", NULL);
	m = one(13, "Relu", "x", &n);
	onnx__value_info_proto__free_unpacked(m->graph->output[0], NULL);
	m->graph->n_output = 0;
	fails(m, "no output", NULL);
	m = one(13, "Relu", "x", &n);
	model_output(m, "z");
	fails(m, "'z'", "produced by no node");
	m = one(13, "Relu", "x", &n);
	model_output(m, "y");
	fails(m, "'y'", "twice");
	m = one(13, "Relu", "x", &n);
	model_input(m, "x", DIMS(1));
	fails(m, "'x'", "second time");
	m = one(13, "Relu", "x", &n);
	model_node(m, "Tanh", "x", "y");
	fails(m, "'y'", "second time");
	m = one(13, "Relu", "x", &n);
	m->graph->input[0]->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
	fails(m, "'x'", "uint8");
	m = one(13, "Relu", "x", &n);
	onnx__type_proto__free_unpacked(m->graph->input[0]->type, NULL);
	m->graph->input[0]->type = NULL;
	fails(m, "'x'", "not a tensor");
	m = one(13, "Relu", "x", &n);
	onnx__tensor_shape_proto__free_unpacked(m->graph->input[0]->type->tensor_type->shape, NULL);
	m->graph->input[0]->type->tensor_type->shape = NULL;
	fails(m, "'x'", "no shape");
	m = one(13, "Relu", "x", &n);
	model_input(m, "w", 7, wide);
	fails(m, "'w'", "dimensions");
	m = one(13, "Relu", "x", &n);
	model_input(m, "w", DIMS(2, -3));
	fails(m, "'w'", "negative");
	m = one(13, "Relu", "x", &n);
	model_input(m, "w", DIMS(1 << 20, 1 << 20, 1 << 20, 1 << 20));
	fails(m, "'w'", "elements");
	m = one(13, "Relu", "x", &n);
	model_floats(m, "w", DIMS(4), f);
	m->graph->initializer[0]->dims[0] = 5;
	fails(m, "'w'", "size");
	m = one(13, "Identity", "x", &n);
	model_floats(m, "w", DIMS(4), f);
	m->graph->initializer[0]->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__STRING;
	fails(m, "'w'", "string");
}

static void test_nodes(void **state)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m;

	(void)state;
	m = one(13, "NonZero", "x", &n);
	n->name = strdup("attention_7");
	fails(m, "NonZero node 'attention_7'", "not supported");
	fails(one(13, "NonZero", "x", &n), "NonZero node 'y'", "not supported");
	fails(one(13, "Gelu", "x", &n), "Gelu node 'y'", "operator set 13 does not have");
	fails(one(10, "Upsample", "x x", &n), "Upsample node 'y'", "operator set 10 does not have");
	m = one(13, "Relu", "x", &n);
	n->domain = strdup("com.example");
	fails(m, "Relu node 'y'", "com.example");
	fails(one(13, "Relu", "nobody", &n), "Relu node 'y'", "'nobody' is neither");
	fails(one(13, "Relu", "x x", &n), "2 inputs", "expected 1 to 1");
	fails(one(13, "Conv", "x", &n), "1 inputs", "expected 2");
	fails(one(13, "Conv", "- x", &n), "Conv node 'y'", "input 0 is missing");
	fails(one(13, "Add", "x y", &n), "Add node 'y'", "cycle");
	m = model_new(13);
	model_input(m, "x", DIMS(4));
	model_output(m, "a");
	model_node(m, "Add", "x b", "a");
	model_node(m, "Relu", "a", "b");
	fails(m, "Add node 'a'", "cycle");
	m = model_new(13);
	model_input(m, "x", DIMS(4));
	model_output(m, "x");
	free(m->graph->output[0]->name);
	m->graph->output[0]->name = strdup("y");
	n = model_node(m, "Relu", "x", "");
	fails(m, "has no output", NULL);
	m = one(13, "Relu", "x", &n);
	model_output(m, "mask");
	n->output = realloc(n->output, 2 * sizeof(*n->output));
	n->output[n->n_output++] = strdup("mask");
	fails(m, "'mask'", NULL);
}

static void conv_fails(int64_t o, int64_t c, int64_t k, int64_t group, const char *word)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m = one(13, "Conv", "x w", &n);

	model_floats(m, "w", DIMS(o, c, k, k), NULL);
	node_int(n, "group", group);
	fails(m, "Conv node 'y'", word);
}

static void test_shapes(void **state)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m;

	(void)state;
	conv_fails(8, 3, 3, 1, "3 input channels");
	conv_fails(8, 1, 3, 3, "group 3");
	conv_fails(6, 1, 3, 4, "group 4");
	conv_fails(8, 4, 3, 0, "group 0");
	conv_fails(8, 4, 3, -4, "group -4");
	conv_fails(8, 4, 9, 1, "does not fit");
	m = one(13, "Conv", "x w b", &n);
	model_floats(m, "w", DIMS(2, 4, 1, 1), NULL);
	model_floats(m, "b", DIMS(3), NULL);
	fails(m, "bias", "2 elements");
	m = one(13, "Conv", "x w", &n);
	model_floats(m, "w", DIMS(2, 4, 1), NULL);
	fails(m, "weight has 3 dimensions", NULL);
	m = one(13, "Conv", "x w", &n);
	model_floats(m, "w", DIMS(2, 4, 1, 1), NULL);
	node_ints(n, "strides", DIMS(1, 0));
	fails(m, "strides[1] is 0", NULL);
	m = one(13, "Conv", "x w", &n);
	model_floats(m, "w", DIMS(2, 4, 1, 1), NULL);
	node_ints(n, "pads", DIMS(1, 1, 1));
	fails(m, "pads has 3 elements", NULL);
	m = one(13, "MaxPool", "x", &n);
	fails(m, "kernel_shape", NULL);
	m = one(13, "MaxPool", "x", &n);
	node_ints(n, "kernel_shape", DIMS(2, 2));
	node_string(n, "auto_pad", "SOMEHOW");
	fails(m, "auto_pad", NULL);
	m = one(13, "Add", "x w", &n);
	model_floats(m, "w", DIMS(3, 1, 1), NULL);
	fails(m, "do not broadcast", NULL);
	m = one(6, "Add", "x w", &n);
	model_floats(m, "w", DIMS(4), NULL);
	fails(m, "broadcast is not set", NULL);
	fails(one(13, "MatMul", "x x2", &n), "'x2'", NULL);
	m = one(13, "MatMul", "x w", &n);
	model_floats(m, "w", DIMS(7, 3), NULL);
	fails(m, "inner dimensions are 8 and 7", NULL);
	m = one(13, "Gemm", "x w", &n);
	model_floats(m, "w", DIMS(7, 3), NULL);
	fails(m, "A has 4 dimensions", NULL);
	m = one(13, "Softmax", "x", &n);
	node_int(n, "axis", 4);
	fails(m, "axis 4 is out of range", NULL);
	m = one(13, "Concat", "x w", &n);
	model_floats(m, "w", DIMS(1, 4, 8, 7), NULL);
	node_int(n, "axis", 1);
	fails(m, "dimension 3 is 7 in input 1 and 8 in input 0", NULL);
	m = one(9, "BatchNormalization", "x a a a", &n);
	model_floats(m, "a", DIMS(4), NULL);
	fails(m, "4 inputs", NULL);
	m = one(9, "BatchNormalization", "x a a a a", &n);
	model_floats(m, "a", DIMS(5), NULL);
	fails(m, "scale", "4 elements");
	m = one(6, "BatchNormalization", "x a a a a", &n);
	model_floats(m, "a", DIMS(4), NULL);
	fails(m, "training", NULL);
}

static void reshape_fails(uint32_t nr, const int64_t *shape, const char *word)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m = one(13, "Reshape", "x s", &n);

	model_ints(m, "s", nr, shape);
	fails(m, "Reshape node 'y'", word);
}

static void test_layout(void **state)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m;

	(void)state;
	m = one(13, "Reshape", "x x", &n);
	fails(m, "shape is not constant", NULL);
	m = one(13, "Reshape", "x s", &n);
	model_floats(m, "s", DIMS(1), NULL);
	fails(m, "float32, not int64", NULL);
	m = one(13, "Reshape", "x s", &n);
	model_input(m, "s", DIMS(2));
	fails(m, "shape is not constant", NULL);
	reshape_fails(DIMS(3, 5), "cannot reshape 256 elements to 15");
	reshape_fails(DIMS(-1, 7), "rows of 7");
	reshape_fails(DIMS(-1, -1), "-1");
	reshape_fails(DIMS(-2, 4), "-2");
	reshape_fails(DIMS(1, 1, 1, 1, 0), "copies one");
	reshape_fails(DIMS(INT64_MAX, INT64_MAX), "out of range");
	reshape_fails(DIMS(1, 1, 1, 1, 1, 1, 256), "7 elements");
	m = one(13, "Transpose", "x", &n);
	node_ints(n, "perm", DIMS(0, 1, 1, 2));
	fails(m, "not a permutation", NULL);
	m = one(13, "Squeeze", "x s", &n);
	model_ints(m, "s", DIMS(1));
	fails(m, "dimension 1 is 4, not 1", NULL);
	m = one(13, "Unsqueeze", "x s", &n);
	model_ints(m, "s", DIMS(0, 0));
	fails(m, "twice", NULL);
	m = one(13, "Slice", "x s s a", &n);
	model_ints(m, "s", DIMS(0, 1));
	model_ints(m, "a", DIMS(1));
	fails(m, "same number", NULL);
	m = one(13, "Slice", "x s s", &n);
	model_ints(m, "s", DIMS(2, 2));
	fails(m, "computes nothing", "empty");
	m = one(13, "Pad", "x s", &n);
	model_ints(m, "s", DIMS(0, 0, 1, 1));
	fails(m, "two elements per dimension", NULL);
	m = one(13, "Pad", "x s", &n);
	model_ints(m, "s", DIMS(0, 0, INT64_MIN, 1, 0, 0, 1, 1));
	fails(m, "out of range", NULL);
	m = one(13, "Pad", "x s", &n);
	model_ints(m, "s", DIMS(0, 0, 1, 1, 0, 0, 1, 1));
	node_string(n, "mode", "mirror");
	fails(m, "mode", NULL);
	m = one(13, "Gather", "s i", &n);
	model_ints(m, "s", DIMS(1, 2, 3));
	model_ints(m, "i", DIMS(3));
	fails(m, "index 3 is out of range", NULL);
	m = one(13, "ConstantOfShape", "s", &n);
	model_ints(m, "s", DIMS(4, -1));
	fails(m, "negative", NULL);
	m = one(13, "Split", "x s", &n);
	model_ints(m, "s", DIMS(5));
	node_int(n, "axis", 1);
	fails(m, "does not fit", NULL);
}

static void test_dropout(void **state)
{
	Onnx__NodeProto *n;
	Onnx__ModelProto *m = one(13, "Dropout", "x - t", &n);
	Onnx__TensorProto *t;

	(void)state;
	model_floats(m, "t", 0, NULL, NULL);
	fails(m, "training_mode is not one bool", NULL);
	m = one(13, "Dropout", "x - t", &n);
	model_floats(m, "t", 0, NULL, NULL);
	t = m->graph->initializer[0];
	t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
	t->raw_data.len = 1;
	t->raw_data.data[0] = 1;
	fails(m, "training mode is not supported", NULL);
}

/* Too many operations for the device. */
static void test_too_large(void **state)
{
	Onnx__ModelProto *m = model_new(13);
	char from[16] = "x", to[16];

	(void)state;
	model_input(m, "x", DIMS(4));
	for (int i = 0; i <= DRM_ONSRAM_MAX_OPS; i++) {
		snprintf(to, sizeof(to), "t%d", i);
		model_node(m, "Abs", from, to);
		memcpy(from, to, sizeof(from));
	}
	model_output(m, to);
	fails(m, "4096 operations", NULL);
	m = model_new(13);
	model_input(m, "x", DIMS(4));
	for (int i = 0; i < 5 * DRM_ONSRAM_MAX_OPS; i++) {
		snprintf(to, sizeof(to), "t%d", i);
		model_node(m, "Abs", "x", to);
	}
	model_output(m, to);
	fails(m, "more than 16380 operations", NULL);
}

/* A little of everything, so that a changed byte can hit much. */
static Onnx__ModelProto *seed_model(void)
{
	Onnx__ModelProto *m = model_new(9);
	Onnx__NodeProto *n;

	model_input(m, "x", DIMS(1, 4, 8, 8));
	model_floats(m, "w", DIMS(4, 2, 3, 3), NULL);
	model_floats(m, "c", DIMS(4), (float[]){ 1, 2, 3, 4 });
	model_ints(m, "shape", DIMS(1, 2, 4, 8, 8));
	model_ints(m, "flat", DIMS(0, -1));
	model_ints(m, "fc", DIMS(5, 512));
	n = model_node(m, "Conv", "x w c", "conv");
	node_int(n, "group", 2);
	node_ints(n, "pads", DIMS(1, 1, 1, 1));
	model_node(m, "BatchNormalization", "conv c c c c", "bn");
	model_node(m, "Relu", "bn", "relu");
	n = model_node(m, "Concat", "relu x", "cat");
	node_int(n, "axis", 1);
	model_node(m, "Reshape", "cat shape", "five");
	n = model_node(m, "Transpose", "five", "turned");
	node_ints(n, "perm", DIMS(0, 2, 1, 3, 4));
	model_node(m, "Reshape", "turned flat", "rows");
	n = model_node(m, "ConstantOfShape", "fc", "weights");
	node_value(n, 0.25f);
	n = model_node(m, "Gemm", "rows weights", "y");
	node_int(n, "transB", 1);
	n = model_node(m, "Slice", "cat", "z");
	node_ints(n, "starts", DIMS(1));
	node_ints(n, "ends", DIMS(-1));
	node_ints(n, "axes", DIMS(2));
	n = model_node(m, "MaxPool", "z", "p");
	node_ints(n, "kernel_shape", DIMS(3, 3));
	node_ints(n, "strides", DIMS(2, 2));
	model_node(m, "Softmax", "p", "s");
	model_output(m, "y");
	model_output(m, "s");
	return m;
}

/* A program, whatever it was made from, is one that the device accepts. */
static void check_program(const struct onsram_program *p)
{
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const char *why = host_refusal(p, i);

		if (why)
			fail_msg("operation %u, '%s': %s", i, p->ops[i].name, why);
	}
}

static void test_mutations(void **state)
{
	Onnx__ModelProto *m = seed_model();
	size_t size = onnx__model_proto__get_packed_size(m);
	uint8_t *good = malloc(size), *bad = malloc(size);
	uint64_t rng = 0x9e3779b97f4a7c15ull;
	uint32_t imported = 0;

	(void)state;
	assert_true(good && bad);
	onnx__model_proto__pack(m, good);
	model_free(m);
	for (int i = 0; i < 4000; i++) {
		struct onsram_import_options opt = {
			.fuse = i & 1, .dtype = i & 2 ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32,
		};
		size_t length = i % 16 ? size : random_next(&rng) % size + 1;
		uint32_t changes = i ? 1 + random_next(&rng) % 4 : 0;
		struct onsram_program *p;
		char *path, *err = NULL;

		memcpy(bad, good, size);
		while (changes--) {
			uint8_t *byte = &bad[random_next(&rng) % size];

			*byte = random_next(&rng) & 1 ? random_next(&rng) : *byte ^ 1u << random_next(&rng) % 8;
		}
		path = model_write_bytes(bad, i ? length : size);
		p = onsram_import(path, &opt, &err);
		assert_true(!p == !!err);
		if (p) {
			check_program(p);
			imported++;
		}
		assert_true(i || p);
		onsram_program_free(p);
		free(err);
		model_remove(path);
	}
	/* Neither all refused nor all let through: the changes reach what they should. */
	assert_in_range(imported, 400, 3600);
	free(good);
	free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_dropout),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("import, bad input", tests, NULL, NULL);
}
