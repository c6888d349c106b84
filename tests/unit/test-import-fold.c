// SPDX-License-Identifier: MIT
/* Constants computed at import. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import-fixture.h"

static void test_fold(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(2, 3));

	(void)state;
	model_ints(m, "one", DIMS(1));
	model_ints(m, "zero", DIMS(0));
	model_ints(m, "two", DIMS(2));
	model_node(m, "Shape", "x", "s");
	model_node(m, "Gather", "s one", "a");		/* 3 */
	model_node(m, "Mul", "a two", "b");		/* 6 */
	model_node(m, "Sub", "b one", "c");		/* 5 */
	model_node(m, "Add", "c one", "d");		/* 6 */
	node_int(model_node(m, "Concat", "one d", "e"), "axis", 0);
	model_node(m, "Reshape", "x e", "f");
	model_node(m, "Neg", "f", "y");
	expect(m, 1, DIMS(1, 6), FLOATS(0, -1, -2, -3, -4, -5));
	/* the exporters' Expand: where(shape == -1, 1, shape) */
	m = start(13, DIMS(1, 2));
	model_ints(m, "shape", DIMS(2, -1));
	model_ints(m, "minus", DIMS(-1));
	model_ints(m, "ones", DIMS(1, 1));
	model_node(m, "Equal", "shape minus", "a");
	model_node(m, "Where", "a ones shape", "b");
	model_node(m, "Expand", "x b", "c");
	model_node(m, "Neg", "c", "y");
	expect(m, 1, DIMS(2, 2), FLOATS(0, -1, 0, -1));
}

/* Constants and activations in one tensor, and what becomes of nothing. */
static void test_partly_constant(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(2));

	(void)state;
	model_floats(m, "w", DIMS(2), FLOATS(7, 8));
	model_node(m, "Neg", "w", "v");
	node_int(model_node(m, "Concat", "v x w", "y"), "axis", 0);
	expect(m, 3, DIMS(6), FLOATS(-7, -8, 0, 1, 7, 8));
	/* only constants: joined here, and brought to the output */
	m = start(13, DIMS(2));
	model_floats(m, "w", DIMS(2), FLOATS(7, 8));
	node_int(model_node(m, "Concat", "w w", "a"), "axis", 0);
	model_node(m, "ReduceMean", "a", "y");
	expect(m, 1, DIMS(1), FLOATS(7.5f));
	m = start(13, DIMS(2));
	model_ints(m, "from", DIMS(2));
	model_ints(m, "to", DIMS(5));
	model_node(m, "Slice", "x from to", "none");
	node_int(model_node(m, "Concat", "none x none", "a"), "axis", 0);
	model_node(m, "ReduceProd", "none", "b");
	model_node(m, "Add", "a b", "y");
	expect(m, 2, DIMS(2), FLOATS(1, 2));
}

/* A chain of constants stops being computed here where it would take too much memory. */
static void test_fold_limit(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1));
	struct onsram_program *p;
	char from[16] = "w", to[16];

	(void)state;
	model_floats(m, "w", DIMS(65536), NULL);
	for (int i = 0; i < 300; i++) {
		snprintf(to, sizeof(to), "t%d", i);
		model_node(m, "Neg", from, to);
		memcpy(from, to, sizeof(from));
	}
	model_node(m, "Mul", "x t299", "y");
	p = import_model(m, true, ONSRAM_DTYPE_F32);
	assert_int_equal(p->nr_ops, 300 - 256 + 1);
	onsram_program_free(p);
	model_free(m);
}

/* Weights of one value never exist on the host, folded or not. */
static void test_filled(void **state)
{
	Onnx__ModelProto *m = start(13, DIMS(1, 16, 4, 4));
	struct onsram_program *p;
	bool found = false;

	(void)state;
	model_ints(m, "s", DIMS(16384, 16, 32, 16));
	model_ints(m, "v", DIMS(16384));
	node_value(model_node(m, "ConstantOfShape", "s", "w"), 0.5f);
	node_value(model_node(m, "ConstantOfShape", "v", "two"), 2);
	node_ints(model_node(m, "Conv", "x w", "a"), "pads", DIMS(14, 6, 14, 6));
	node_float(model_node(m, "BatchNormalization", "a two two two two", "y"), "epsilon", 2);
	p = import_model(m, true, ONSRAM_DTYPE_F16);
	assert_int_equal(p->nr_ops, 1);
	for (uint32_t i = 0; i < p->nr_tensors; i++) {
		const struct onsram_tensor *t = &p->tensors[i];

		if (t->role != ONSRAM_ROLE_WEIGHT)
			continue;
		assert_true(t->filled);
		assert_null(t->data);
		if (t->view.rank != 4)
			continue;
		found = true;
		assert_int_equal(t->view.dtype, ONSRAM_DTYPE_F16);
		assert_int_equal(t->bytes, 16384ull * 16 * 32 * 16 * 2);
		/* 0.5 * 2 / sqrt(2 + 2), as FILL takes it */
		assert_int_equal(t->fill[0], 0x3f000000);
	}
	assert_true(found);
	onsram_program_free(p);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_partly_constant),
		cmocka_unit_test(test_fold_limit),
		cmocka_unit_test(test_filled),
	};

	return cmocka_run_group_tests_name("constants", tests, NULL, NULL);
}
