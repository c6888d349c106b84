// SPDX-License-Identifier: MIT
/* What operators refuse: a row per attribute or input that can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

#define MAX_ATTRS 4
#define MAX_INTS 8

/* An attribute: a string, a float, integers; an integer where @list is not set. */
struct attr {
	const char *name;
	const char *s;
	float f;
	bool list;
	uint32_t nr;
	int64_t ints[MAX_INTS];
};

#define S(name_, value) { .name = name_, .s = value }
#define I(name_, value) { .name = name_, .nr = 1, .ints = { value } }
#define L(name_, ...) { \
	.name = name_, .list = true, .nr = sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), .ints = { __VA_ARGS__ } \
}

/*
 * One node on these: x [1, 4, 8, 8], v [4], m [4, 8], column [4, 1] are float inputs; w [4, 2, 3, 3], x2 [2, 4, 8] and scales [4]
 * float constants; i1 [2], i2 [2] and big [2] integer constants; idx [4, 8] an integer input.
 */
static const struct {
	const char *op, *in, *word;
	struct attr attrs[MAX_ATTRS];
} cases[] = {
	/* products */
	{ "Einsum", "m", "equation is missing", { { 0 } } },
	{ "Einsum", "m", "does not fit an operand of 2", { S("equation", "abc->a") } },
	{ "Einsum", "m", "does not fit an operand of 2", { S("equation", "a1") } },
	{ "Einsum", "m v", "a term for every input", { S("equation", "ab->a") } },
	{ "Einsum", "m", "a term for every input", { S("equation", "ab,a->a") } },
	{ "Einsum", "m", "malformed", { S("equation", "ab-a") } },
	{ "Einsum", "m", "in no operand, or there twice", { S("equation", "ab->c") } },
	{ "Einsum", "m", "in no operand, or there twice", { S("equation", "ab->aa") } },
	{ "Einsum", "m", "label 'a' differ", { S("equation", "aa->a") } },
	{ "Einsum", "m v", "dimensions of one label are 8 and 4", { S("equation", "ab,b->a") } },
	/* windows */
	{ "ConvTranspose", "x v", "weight does not fit", { { 0 } } },
	{ "ConvTranspose", "x w", "group 3", { I("group", 3) } },
	{ "ConvTranspose", "x w", "auto_pad", { S("auto_pad", "ALL") } },
	{ "ConvTranspose", "x w", "strides[0] is 0", { L("strides", 0, 1) } },
	{ "ConvTranspose", "x w", "dilations has 3 elements", { L("dilations", 1, 1, 1) } },
	{ "ConvTranspose", "x w", "output_padding[1] is -1", { L("output_padding", 0, -1) } },
	{ "ConvTranspose", "x w", "output_shape has 3", { L("output_shape", 9, 9, 9) } },
	{ "ConvTranspose", "x w", "dimension 0 of the output is -2", { L("pads", 6, 0, 6, 0) } },
	{ "ConvTranspose", "x w v", "bias is not a vector of 2", { { 0 } } },
	{ "Col2Im", "m i2 i2", "wrong number", { { 0 } } },
	{ "Col2Im", "x2 i1 i2", "out of range", { { 0 } } },
	{ "Col2Im", "x2 i2 i2", "not columns of 2 elements for 1 windows", { { 0 } } },
	{ "LpPool", "x", "kernel_shape", { { 0 } } },
	{ "LpPool", "x", "kernel_shape[1] is 0", { L("kernel_shape", 2, 0) } },
	{ "LpPool", "x", "p is 0", { L("kernel_shape", 2, 2), I("p", 0) } },
	{ "GlobalLpPool", "m", "2 dimensions", { { 0 } } },
	{ "MaxPool", "x", NULL, { L("kernel_shape", 2, 2), I("storage_order", 1) } },
	{ "MaxUnpool", "m idx", "2 dimensions", { { 0 } } },
	{ "MaxUnpool", "x v", "input's shape", { L("kernel_shape", 2, 2) } },
	{ "MaxUnpool", "x x", "not integers", { L("kernel_shape", 2, 2) } },
	{ "MaxUnpool", "x x", "kernel_shape", { L("strides", 2, 2) } },
	{ "MaxUnpool", "x x", "strides is out of range", { L("kernel_shape", 2, 2), L("strides", 0, 2) } },
	{ "MaxUnpool", "x x i1", "output_shape has 2", { L("kernel_shape", 2, 2) } },
	/* resampling */
	{ "Resize", "x - scales", "mode has an unknown value", { S("mode", "lanczos") } },
	{ "Resize", "x - scales", "coordinate_transformation_mode", { S("coordinate_transformation_mode", "x") } },
	{ "Resize", "x - scales", "nearest_mode", { S("nearest_mode", "up") } },
	{ "Resize", "x - - i1", "an element per dimension", { { 0 } } },
	{ "Resize", "x - - i1", "keep_aspect_ratio_policy", { L("axes", 2, 3), S("keep_aspect_ratio_policy", "maybe") } },
	{ "Resize", "x - - i1", "size -3 is out of range", { L("axes", 2, 3) } },
	{ "Resize", "x - - i2", "axis 4 is out of range", { L("axes", 2, 4) } },
	{ "Resize", "x - v", "scales is not constant", { { 0 } } },
	{ "GridSample", "x m", "grid does not fit", { { 0 } } },
	{ "GridSample", "x m", "mode or padding_mode", { S("mode", "best") } },
	{ "GridSample", "x m", "mode or padding_mode", { S("padding_mode", "best") } },
	{ "AffineGrid", "m i2", "theta does not fit", { { 0 } } },
	/* indices */
	{ "GatherElements", "m v", "not integers", { { 0 } } },
	{ "GatherElements", "m i1", "indices have 1 dimensions", { { 0 } } },
	{ "GatherElements", "m idx", "axis 2 is out of range", { I("axis", 2) } },
	{ "GatherND", "m big", "batch_dims 1", { I("batch_dims", 1) } },
	{ "GatherND", "m big", "an index is out of range", { { 0 } } },
	{ "GatherND", "m i1", "batch_dims 2", { I("batch_dims", 2) } },
	{ "ScatterElements", "m idx m", "indices is not constant", { { 0 } } },
	{ "ScatterElements", "v i1 v", "same shape", { { 0 } } },
	{ "ScatterElements", "m idx m", "reduction", { S("reduction", "sub") } },
	{ "ScatterND", "m idx m", "tuples of 8", { { 0 } } },
	{ "ScatterND", "m i1 v", "updates have 4 elements, expected 1", { { 0 } } },
	{ "Compress", "m v", "not a vector of bool", { { 0 } } },
	{ "ReverseSequence", "m idx", "one element per sequence", { { 0 } } },
	{ "ReverseSequence", "m i1", "batch_axis and time_axis", { I("batch_axis", 0), I("time_axis", 2) } },
	{ "TopK", "m i1", "k has 2 elements", { { 0 } } },
	{ "OneHot", "idx i1 m", "values are not two", { { 0 } } },
	{ "OneHot", "idx i1 i2", "depth is not one number", { { 0 } } },
	{ "Trilu", "v", "no matrices", { { 0 } } },
	{ "EyeLike", "v", "expected 2", { { 0 } } },
	{ "EyeLike", "m", "element type string", { I("dtype", 8) } },
	/* blocks and padding */
	{ "Tile", "m big", "repeated", { { 0 } } },
	{ "Tile", "x i1", "repeats has 2 elements", { { 0 } } },
	{ "DepthToSpace", "m", "expected 4", { I("blocksize", 2) } },
	{ "DepthToSpace", "x", "blocksize 0", { { 0 } } },
	{ "DepthToSpace", "x", "4 channels", { I("blocksize", 3) } },
	{ "DepthToSpace", "x", "mode", { I("blocksize", 2), S("mode", "RCD") } },
	{ "SpaceToDepth", "x", "blocks of 3x3", { I("blocksize", 3) } },
	{ "CenterCropPad", "x i2", "one element per axis", { { 0 } } },
	{ "CenterCropPad", "m i1", "would be -3", { { 0 } } },
	/* reductions and norms */
	{ "CumSum", "m none", "axis is empty", { { 0 } } },
	{ "CumSum", "m i1", "axis has 2 elements", { { 0 } } },
	{ "ArgMax", "m", "axis 2 is out of range", { I("axis", 2) } },
	{ "Hardmax", "m", "axis 5 is out of range", { I("axis", 5) } },
	{ "ReduceL1", "m", "axis 3 is out of range", { L("axes", 3) } },
	{ "LayerNormalization", "m v", "scale does not have the shape", { { 0 } } },
	{ "RMSNormalization", "m v", "scale does not have the shape", { { 0 } } },
	{ "GroupNormalization", "x v v", "num_groups 3", { I("num_groups", 3) } },
	{ "LpNormalization", "m", "p is 3", { I("p", 3) } },
	{ "MeanVarianceNormalization", "m", "axis 2 is out of range", { L("axes", 2) } },
	{ "NegativeLogLikelihoodLoss", "m idx", "input has 2 dimensions, target 2", { { 0 } } },
	{ "NegativeLogLikelihoodLoss", "m i1", "dimension 0 of target is 2", { S("reduction", "sum") } },
	{ "NegativeLogLikelihoodLoss", "m i1", "reduction", { S("reduction", "max") } },
	{ "SoftmaxCrossEntropyLoss", "v i1", "no classes", { { 0 } } },
	/* elementwise */
	{ "Gelu", "m", "approximate", { S("approximate", "sinh") } },
	{ "PRelu", "v x", "do not broadcast", { { 0 } } },
	{ "PRelu", "m x2", "slope does not broadcast", { { 0 } } },
	{ "Pow", "idx m", "a base that is int64", { { 0 } } },
	{ "IsInf", "idx", "only float", { { 0 } } },
	{ "Sin", "idx", "int64 is not supported", { { 0 } } },
	{ "BitwiseAnd", "m m", "float32 is not supported", { { 0 } } },
	{ "Range", "v v v", "start is not constant", { { 0 } } },
	{ "Dropout", "m - -", NULL, { { 0 } } },	/* the machinery works: this is fine */
	{ "DFT", "m", "not 1 or 2", { { 0 } } },
	{ "DFT", "column", "axis is that of the parts", { I("axis", 1) } },
	{ "DFT", "column i1", "dft_length has 2 elements", { I("axis", 0) } },
	{ "STFT", "m i2", "signal is not", { { 0 } } },
	/* recurrent layers and control */
	{ "GRU", "m m m", "expected 3", { { 0 } } },
	{ "RNN", "x x x", "expected 3", { { 0 } } },
	{ "RNN", "x x x", "direction", { S("direction", "sideways") } },
	{ "LSTM", "steps lstm_w x2", "R does not have the shape", { { 0 } } },
	{ "LSTM", "steps lstm_w lstm_r x2", "B does not have the shape", { { 0 } } },
	{ "LSTM", "steps lstm_w lstm_r - i1", "sequence_lens does not have one element", { { 0 } } },
	{ "LSTM", "steps lstm_w lstm_r - - x2", "initial_h does not have the shape", { { 0 } } },
	{ "LSTM", "steps lstm_w lstm_r - - - x2", "initial_c does not have the shape", { { 0 } } },
	{ "LSTM", "steps lstm_w lstm_r - - - - x2", "P does not have the shape", { { 0 } } },
	{ "If", "m", "the condition is not constant", { { 0 } } },
	{ "Loop", "i1", "the trip count has 2 elements", { { 0 } } },
	{ "Loop", "- -", "body is missing", { { 0 } } },
	{ "Scan", "m", "num_scan_inputs is 0", { { 0 } } },
	{ "Scan", "m", "body is missing", { I("num_scan_inputs", 1) } },
};

static void add_attr(Onnx__NodeProto *n, const struct attr *a)
{
	if (a->s)
		node_string(n, a->name, a->s);
	else if (a->list)
		node_ints(n, a->name, a->nr, a->ints);
	else
		node_int(n, a->name, a->ints[0]);
}

#define DIMS(...) sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (int64_t[]){ __VA_ARGS__ }

static Onnx__ModelProto *build(size_t i)
{
	/* The axis of DFT is an attribute up to set 19. */
	Onnx__ModelProto *m = model_new(strcmp(cases[i].op, "DFT") ? 24 : 19);
	Onnx__NodeProto *n;

	model_input(m, "x", DIMS(1, 4, 8, 8));
	model_input(m, "v", DIMS(4));
	model_input(m, "m", DIMS(4, 8));
	model_input(m, "column", DIMS(4, 1));
	model_input(m, "idx", DIMS(4, 8))->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
	model_floats(m, "x2", DIMS(2, 4, 8), NULL);
	model_floats(m, "w", DIMS(4, 2, 3, 3), NULL);
	model_floats(m, "steps", DIMS(3, 1, 4), NULL);
	model_floats(m, "lstm_w", DIMS(1, 8, 4), NULL);
	model_floats(m, "lstm_r", DIMS(1, 8, 2), NULL);
	model_floats(m, "scales", DIMS(4), (float[]){ 1, 1, 2, 2 });
	model_ints(m, "i1", DIMS(2, -3));
	model_ints(m, "i2", DIMS(1, 2));
	model_ints(m, "none", 0, NULL);
	model_ints(m, "big", DIMS(1ll << 40, 0));
	model_output(m, "y");
	n = model_node(m, cases[i].op, cases[i].in, "y");
	for (int k = 0; k < MAX_ATTRS && cases[i].attrs[k].name; k++)
		add_attr(n, &cases[i].attrs[k]);
	return m;
}

static void test_refused(void **state)
{
	const struct onsram_import_options opt = { .dtype = ONSRAM_DTYPE_F32 };

	uint32_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Onnx__ModelProto *m = build(i);
		char *path = model_write(m), *err = NULL;
		struct onsram_program *p = onsram_import(path, &opt, &err);

		if (!p != !!cases[i].word || (!p && (!strstr(err, cases[i].word) || !strstr(err, cases[i].op)))) {
			print_error("%s of %s: '%s' does not say '%s'\n", cases[i].op, cases[i].in,
				    err ? err : "accepted", cases[i].word ? cases[i].word : "");
			wrong++;
		}
		onsram_program_free(p);
		free(err);
		model_remove(path);
		model_free(m);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("refused operators", tests, NULL, NULL);
}
