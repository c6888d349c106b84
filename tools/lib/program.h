/* SPDX-License-Identifier: MIT */
/*
 * A program: a network lowered to the device's operations.
 *
 * The importer makes it from an ONNX file, the runner puts it on the device and
 * the planner prices it.  A tensor of a program becomes one buffer object; an
 * operation's operand.bo indexes the program's tensors.
 */
#ifndef ONSRAM_PROGRAM_H
#define ONSRAM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drm/onsram_accel.h>

/** enum onsram_tensor_role - what a tensor is to the network */
enum onsram_tensor_role {
	ONSRAM_ROLE_ACTIVATION,	/* made and used inside: DRM_ONSRAM_TENSOR_TRANSIENT */
	ONSRAM_ROLE_WEIGHT,	/* constant: DRM_ONSRAM_TENSOR_CONST */
	ONSRAM_ROLE_INPUT,
	ONSRAM_ROLE_OUTPUT,
};

/**
 * struct onsram_tensor - a tensor of a program
 * @name: from the model, or derived from it; unique
 * @role: enum onsram_tensor_role
 * @view: dense shape and dtype as stored on the device
 * @bytes: size of its buffer
 * @data: WEIGHT: its contents, @bytes long, or NULL where @filled; INPUT: the only contents that
 *	the program is for, because shapes depend on them, else NULL
 * @filled: WEIGHT: every element is @fill (ConstantOfShape): the device writes it by a FILL
 * @fill: element as FILL's attr.param takes it
 */
struct onsram_tensor {
	char *name;
	enum onsram_tensor_role role;
	struct onsram_view view;
	uint64_t bytes;
	void *data;
	bool filled;
	uint32_t fill[2];
};

/** struct onsram_program_op - an operation and the node it came from */
struct onsram_program_op {
	struct drm_onsram_op op;
	char *name;	/* node name, or its first output's where the node has none */
};

/**
 * struct onsram_program - operations in execution order
 * @inputs: tensor indices in the order the model declares them (initialisers not counted)
 * @outputs: likewise
 * @narrowed: the model has float64, which is held as float32
 */
struct onsram_program {
	char *name;
	bool narrowed;
	struct onsram_tensor *tensors;
	uint32_t nr_tensors;
	struct onsram_program_op *ops;
	uint32_t nr_ops;
	uint32_t *inputs;
	uint32_t nr_inputs;
	uint32_t *outputs;
	uint32_t nr_outputs;
};

struct onsram_array;

/**
 * struct onsram_shape - a size that the model leaves open
 * @name: an input, or a named dimension, which then has one size in the whole model
 * @rank: dimensions of the input; 1 for a named dimension
 */
struct onsram_shape {
	const char *name;
	uint32_t rank;
	uint32_t dims[ONSRAM_MAX_RANK];
};

/**
 * struct onsram_graph_options - operations as other frameworks' graphs have them
 * @split_groups: a convolution in groups (but not depthwise) is a split, a convolution
 *	per group and a concatenation
 * @split_norm: batch normalisation by constants is a multiplication and an addition
 * @fold_norm: it is folded into the weights before it
 * @fold_bias: biases and residuals are added by the operation before
 * @fold_copies: what a copy would bring elsewhere is written there at once: a concatenation costs nothing
 */
struct onsram_graph_options {
	bool split_groups;
	bool split_norm;
	bool fold_norm;
	bool fold_bias;
	bool fold_copies;
};

/**
 * struct onsram_import_options - how a model is lowered
 * @fuse: fold BatchNorm, bias and activation into the operation before them, and Concat into its producers
 * @graph: the graph as it is read, before @fuse
 * @dtype: storage of float tensors, ONSRAM_DTYPE_F32 or ONSRAM_DTYPE_F16
 * @shapes: sizes of dimensions that the model leaves open
 * @inputs: contents of the first @nr_inputs inputs, in the order the model declares them
 *	(initialisers not counted); their shapes settle open dimensions, too
 */
struct onsram_import_options {
	bool fuse;
	struct onsram_graph_options graph;
	uint32_t dtype;
	const struct onsram_shape *shapes;
	uint32_t nr_shapes;
	const struct onsram_array *inputs;
	uint32_t nr_inputs;
};

/**
 * onsram_import() - read an ONNX file and lower it
 * @path: file
 * @opt: options
 * @err: on failure a message that names file, node and operator; caller frees
 * Return: a program, or NULL
 */
struct onsram_program *onsram_import(const char *path, const struct onsram_import_options *opt, char **err);

/** onsram_program_free() - release a program; NULL is allowed */
void onsram_program_free(struct onsram_program *p);

/** onsram_program_reads_input() - whether anything the device does depends on an input */
bool onsram_program_reads_input(const struct onsram_program *p);

/**
 * onsram_default_input() - an input as ONNX's backend test runner makes it up
 * @p: program
 * @i: index into @p->inputs
 * @a: out: n elements 0/n, 1/n, ... (n-1)/n in row major order, each divided in
 *	double precision, then rounded to float, in the type the input is stored in;
 *	caller releases
 * @err: on failure a message; caller frees.  Inputs that are not float have no default
 *
 * The runner feeds these to the models it has no input data for (those of
 * data/light).
 * Return: 0 or -1
 */
int onsram_default_input(const struct onsram_program *p, uint32_t i, struct onsram_array *a, char **err);

/** struct onsram_array - a tensor's contents on the host, dense, row major */
struct onsram_array {
	char *name;
	uint32_t dtype;		/* enum onsram_dtype; from a file: the file's own */
	uint32_t rank;
	uint32_t dims[ONSRAM_MAX_RANK];
	uint64_t bytes;
	void *data;
};

/** onsram_array_load() - read an ONNX TensorProto (.pb) file. Return: 0, or -1 with *@err set */
int onsram_array_load(const char *path, struct onsram_array *a, char **err);
/** onsram_array_save() - write an ONNX TensorProto file. Return: 0, or -1 with *@err set */
int onsram_array_save(const char *path, const struct onsram_array *a, char **err);
/** onsram_array_release() - free the contents */
void onsram_array_release(struct onsram_array *a);
/** onsram_array_convert() - change the element type in place (f32 <-> f16 rounds to nearest even). Return: 0 or -1 */
int onsram_array_convert(struct onsram_array *a, uint32_t dtype);

/** onsram_shape_text() - "1x3x224x224", "scalar" */
void onsram_shape_text(const uint32_t *dims, uint32_t rank, char *text, size_t size);

/** onsram_array_as() - onsram_array_convert() where both types are floats; other types stay. Return: 0 or -1 */
int onsram_array_as(struct onsram_array *a, uint32_t dtype);

/** onsram_array_fit() - bring contents to the type of tensor @t, whose shape they must have. Return: 0, or -1 with *@err set */
int onsram_array_fit(struct onsram_array *a, const struct onsram_tensor *t, char **err);

/**
 * onsram_array_close() - compare as ONNX's backend test runner does: |got - want| <= atol + rtol * |want|
 * @why: first mismatch in words; caller frees; may be NULL
 */
bool onsram_array_close(const struct onsram_array *got, const struct onsram_array *want,
			double rtol, double atol, char **why);

#endif
