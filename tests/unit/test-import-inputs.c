// SPDX-License-Identifier: MIT
/* Inputs whose dimensions the model leaves open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

#define DIMS(...) sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (int64_t[]){ __VA_ARGS__ }
#define SHAPE(name_, ...) { \
	.name = name_, .rank = sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), .dims = { __VA_ARGS__ } \
}

/* y = x + z with x [N, 3] and z [N, M]; M may be 1 or 3. */
static char *model(bool no_shape)
{
	Onnx__ModelProto *m = model_new(13);
	Onnx__ValueInfoProto *x = model_input(m, "x", DIMS(1, 3)), *z = model_input(m, "z", DIMS(1, 1));
	char *path;

	model_dim(x, 0, "N");
	model_dim(z, 0, "N");
	model_dim(z, 1, "M");
	model_output(m, "y");
	model_node(m, "Add", "x z", "y");
	if (no_shape) {
		onnx__tensor_shape_proto__free_unpacked(x->type->tensor_type->shape, NULL);
		x->type->tensor_type->shape = NULL;
	}
	path = model_write(m);
	model_free(m);
	return path;
}

static void yields(const struct onsram_import_options *opt, bool no_shape, uint32_t n)
{
	char *path = model(no_shape), *err = NULL;
	struct onsram_program *p = onsram_import(path, opt, &err);

	if (!p)
		fail_msg("%s", err ? err : "out of memory");
	assert_int_equal(p->nr_inputs, 2);
	assert_int_equal(p->tensors[p->inputs[0]].view.dims[0], n);
	assert_int_equal(p->tensors[p->inputs[1]].view.dims[0], n);
	assert_int_equal(p->tensors[p->outputs[0]].view.dims[0], n);
	assert_int_equal(p->tensors[p->outputs[0]].view.dims[1], 3);
	onsram_program_free(p);
	model_remove(path);
}

/* Import fails with a message that has both words. */
static void fails(const struct onsram_import_options *opt, bool no_shape, const char *word, const char *also)
{
	char *path = model(no_shape), *err = NULL;

	assert_null(onsram_import(path, opt, &err));
	assert_non_null(err);
	if (!strstr(err, word) || !strstr(err, also))
		fail_msg("'%s' does not say '%s' and '%s'", err, word, also);
	free(err);
	model_remove(path);
}

static struct onsram_import_options with_shapes(const struct onsram_shape *shapes, uint32_t nr)
{
	return (struct onsram_import_options){ .dtype = ONSRAM_DTYPE_F32, .shapes = shapes, .nr_shapes = nr };
}

static struct onsram_import_options with_inputs(const struct onsram_array *inputs, uint32_t nr)
{
	return (struct onsram_import_options){ .dtype = ONSRAM_DTYPE_F32, .inputs = inputs, .nr_inputs = nr };
}

static void test_shapes(void **state)
{
	const struct onsram_shape shapes[] = { SHAPE("x", 5, 3), SHAPE("M", 1) };
	const struct onsram_shape both[] = { SHAPE("z", 4, 1), SHAPE("x", 4, 3) };
	const struct onsram_shape names[] = { SHAPE("M", 3), SHAPE("N", 7) };
	struct onsram_import_options opt = with_shapes(shapes, 2);

	(void)state;
	/* N of z is that of x */
	yields(&opt, false, 5);
	opt = with_shapes(both, 2);
	yields(&opt, false, 4);
	yields(&opt, true, 4);
	opt = with_shapes(names, 2);
	yields(&opt, false, 7);
}

static void test_contents(void **state)
{
	float data[12] = { 0 };
	const struct onsram_array inputs[] = {
		{ .dtype = ONSRAM_DTYPE_F32, .rank = 2, .dims = { 4, 3 }, .bytes = 48, .data = data },
		{ .dtype = ONSRAM_DTYPE_F32, .rank = 2, .dims = { 4, 1 }, .bytes = 16, .data = data },
	};
	const struct onsram_shape same = SHAPE("x", 4, 3), other = SHAPE("x", 5, 3), name = SHAPE("N", 5);
	struct onsram_import_options opt = with_inputs(inputs, 2);

	(void)state;
	yields(&opt, false, 4);
	yields(&opt, true, 4);
	opt.shapes = &same;
	opt.nr_shapes = 1;
	yields(&opt, false, 4);
	opt.shapes = &other;
	fails(&opt, false, "'x'", "is not that of the contents");
	opt.shapes = &name;
	fails(&opt, false, "dimension 'N' is 5 by 'N' and 4 by 'x'", "one size");
	opt = with_inputs(inputs, 1);
	fails(&opt, false, "input 'z': dimension 1, 'M'", "--shape z=");
}

static void test_unresolved(void **state)
{
	struct onsram_import_options opt = with_shapes(NULL, 0);

	(void)state;
	fails(&opt, false, "input 'x': dimension 0, 'N', has no size", "--shape x=");
	fails(&opt, true, "input 'x' has no shape", "--shape x=");
}

static void test_conflicts(void **state)
{
	static const struct {
		struct onsram_shape shapes[2];
		const char *word, *also;
	} cases[] = {
		{ { SHAPE("x", 2, 3), SHAPE("z", 4, 1) }, "dimension 'N' is 2 by 'x' and 4 by 'z'", "one size" },
		{ { SHAPE("N", 2), SHAPE("z", 4, 1) }, "dimension 'N' is 2 by 'N' and 4 by 'z'", "one size" },
		{ { SHAPE("x", 2, 5), SHAPE("M", 1) }, "dimension 1 is 3 in the model", "5 in the shape" },
		{ { SHAPE("x", 2, 3, 1), SHAPE("M", 1) }, "2 dimensions in the model", "3 in the shape" },
		{ { SHAPE("q", 2), SHAPE("M", 1) }, "'q'", "neither an input" },
		{ { SHAPE("N", 2, 2), SHAPE("M", 1) }, "2 sizes", "dimension 'N'" },
		{ { SHAPE("x", 2, 3), SHAPE("x", 3, 3) }, "two shapes", "'x'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct onsram_import_options opt = with_shapes(cases[i].shapes, 2);

		fails(&opt, false, cases[i].word, cases[i].also);
	}
}

/* y = x reshaped as input s says, of which one element goes a long way through the graph. */
static void test_values(void **state)
{
	const struct onsram_array given[] = {
		{ .dtype = ONSRAM_DTYPE_F32, .rank = 1, .dims = { 6 }, .bytes = 24, .data = (float[6]){ 0 } },
		{ .dtype = ONSRAM_DTYPE_I64, .rank = 1, .dims = { 1 }, .bytes = 8, .data = (int64_t[]){ 2 } },
	};
	struct onsram_import_options opt = with_inputs(given, 2);
	Onnx__ModelProto *m = model_new(13);
	Onnx__ValueInfoProto *s;
	struct onsram_program *p;
	char *path, *err;

	(void)state;
	model_input(m, "x", DIMS(6));
	s = model_input(m, "s", DIMS(1));
	s->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
	model_ints(m, "one", DIMS(1));
	model_output(m, "y");
	model_node(m, "Add", "s one", "a");
	node_int(model_node(m, "Concat", "s a", "b"), "axis", 0);
	model_node(m, "Reshape", "x b", "c");
	model_node(m, "Neg", "c", "y");
	path = model_write(m);
	p = onsram_import(path, &opt, &err);
	if (!p)
		fail_msg("%s", err ? err : "out of memory");
	assert_int_equal(p->nr_ops, 1);
	assert_int_equal(p->tensors[p->outputs[0]].view.dims[0], 2);
	assert_int_equal(p->tensors[p->outputs[0]].view.dims[1], 3);
	/* the program is for these contents of s only, and for any of x */
	assert_null(p->tensors[p->inputs[0]].data);
	assert_int_equal(*(int64_t *)p->tensors[p->inputs[1]].data, 2);
	onsram_program_free(p);
	opt.nr_inputs = 1;
	assert_null(onsram_import(path, &opt, &err));
	assert_non_null(strstr(err, "Reshape node 'c': shape is not constant"));
	assert_non_null(strstr(err, "contents of input 's'"));
	free(err);
	model_remove(path);
	/* what is given is not of the model's type */
	s->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
	path = model_write(m);
	opt.nr_inputs = 2;
	assert_null(onsram_import(path, &opt, &err));
	assert_non_null(err);
	free(err);
	model_remove(path);
	model_free(m);
}

/* A float that shapes depend on is kept as the input is stored, whatever the file has. */
static void test_float_values(void **state)
{
	const struct onsram_array given[] = {
		{ .dtype = ONSRAM_DTYPE_F32, .rank = 3, .dims = { 1, 1, 2 }, .bytes = 8, .data = (float[2]){ 0 } },
		{ .dtype = ONSRAM_DTYPE_F32, .rank = 1, .dims = { 3 }, .bytes = 12, .data = (float[]){ 1, 1, 2 } },
	};
	struct onsram_import_options opt = with_inputs(given, 2);
	Onnx__ModelProto *m = model_new(13);
	char *path, *err;

	(void)state;
	model_input(m, "x", DIMS(1, 1, 2));
	model_input(m, "scales", DIMS(3));
	model_output(m, "y");
	model_node(m, "Resize", "x - scales", "y");
	path = model_write(m);
	for (int half = 0; half < 2; half++) {
		struct onsram_program *p;

		opt.dtype = half ? ONSRAM_DTYPE_F16 : ONSRAM_DTYPE_F32;
		p = onsram_import(path, &opt, &err);
		if (!p)
			fail_msg("%s", err ? err : "out of memory");
		assert_int_equal(p->tensors[p->outputs[0]].view.dims[2], 4);
		if (half)
			assert_int_equal(((uint16_t *)p->tensors[p->inputs[1]].data)[2], 0x4000);
		else
			assert_true(((float *)p->tensors[p->inputs[1]].data)[2] == 2);
		onsram_program_free(p);
	}
	model_remove(path);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_float_values),
	};

	return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
