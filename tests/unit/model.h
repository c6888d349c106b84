/* SPDX-License-Identifier: MIT */
/* ONNX models made by tests. */
#ifndef ONSRAM_TEST_MODEL_H
#define ONSRAM_TEST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto.h"

/** model_new() - an empty model for that operator set; it aborts where memory runs out, as all of these do */
Onnx__ModelProto *model_new(int64_t opset);
/** model_free() - also for models read from a file */
void model_free(Onnx__ModelProto *m);
/** model_write() - into a new file. Return: its path, which model_remove() takes */
char *model_write(const Onnx__ModelProto *m);
/** model_write_bytes() - like model_write() for what need not be a model */
char *model_write_bytes(const void *data, size_t size);
/** model_remove() - delete and free */
void model_remove(char *path);

/** model_input() - add a float input */
Onnx__ValueInfoProto *model_input(Onnx__ModelProto *m, const char *name, uint32_t rank, const int64_t *dims);
/** model_dim() - give dimension @d of an input a name instead of a number, or with NULL neither */
void model_dim(Onnx__ValueInfoProto *input, uint32_t d, const char *name);
void model_output(Onnx__ModelProto *m, const char *name);
/** model_floats() - add a float initializer; @data NULL: 0, 1, 2, ... */
void model_floats(Onnx__ModelProto *m, const char *name, uint32_t rank, const int64_t *dims, const float *data);
/** model_ints() - add an int64 initializer of one dimension */
void model_ints(Onnx__ModelProto *m, const char *name, uint32_t nr, const int64_t *data);
/** model_node() - add a node; @in and @out are names with blanks between, "-" an absent one */
Onnx__NodeProto *model_node(Onnx__ModelProto *m, const char *op, const char *in, const char *out);
void node_int(Onnx__NodeProto *n, const char *name, int64_t value);
void node_float(Onnx__NodeProto *n, const char *name, float value);
void node_string(Onnx__NodeProto *n, const char *name, const char *value);
void node_ints(Onnx__NodeProto *n, const char *name, uint32_t nr, const int64_t *data);
/** node_graph() - attribute with the graph of @body, which is freed */
void node_graph(Onnx__NodeProto *n, const char *name, Onnx__ModelProto *body);
/** node_reference() - attribute that stands for attribute @of of the call of the function around */
void node_reference(Onnx__NodeProto *n, const char *name, const char *of);
/** model_function() - a function of @m in domain "test" with the nodes, inputs and outputs of @body, which is freed */
void model_function(Onnx__ModelProto *m, const char *name, Onnx__ModelProto *body);
/** node_value() - attribute "value", a float tensor of one element */
void node_value(Onnx__NodeProto *n, float value);

/** model_randomize() - replace ConstantOfShape weights of up to @max elements by pseudo-random ones of sensible scale */
void model_randomize(Onnx__ModelProto *m, uint64_t max);

/** model_drop_softmax() - where Softmax is the last node, end before it: it hides differences */
void model_drop_softmax(Onnx__ModelProto *m);

/** onnx_cases_folder() - where ONNX's backend test cases lie; the caller frees it */
char *onnx_cases_folder(void);

/** random_next() - the tests' own generator, so that every host sees the same numbers */
uint32_t random_next(uint64_t *state);

#endif
