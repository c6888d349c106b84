/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_ONNX_H
#define ONSRAM_ONNX_H

#include "ir.h"
#include "proto.h"

/**
 * onnx_to_graph() - lower every node of @model, unfused
 *
 * The contents of its initializers are released on the way, to hold them in memory only once.
 * Return: 0, or -1 with @g->err set
 */
int onnx_to_graph(struct ir_graph *g, Onnx__ModelProto *model);

/** find_opset() - the default operator set; set 1 before models could name one, or where they name others only */
int64_t find_opset(Onnx__OperatorSetIdProto *const *sets, size_t nr);
/** initializer_add() - make a constant of @t, whose contents are released, and bind its name. Return: 0 or -1 */
int initializer_add(struct ir_graph *g, Onnx__TensorProto *t);
/** initializer_again() - likewise, but for one that is needed more than once: @t stays. Return: 0 or -1 */
int initializer_again(struct ir_graph *g, const Onnx__TensorProto *t);
/** nodes_lower() - lower nodes in their order, in the current scope. Return: 0, or -1 with @g->err set */
int nodes_lower(struct ir_graph *g, Onnx__NodeProto *const *nodes, size_t nr);

/** inputs_add() - make tensors of the inputs of @graph that are no initializers. Return: 0, or -1 with @g->err set */
int inputs_add(struct ir_graph *g, const Onnx__GraphProto *graph);

#endif
