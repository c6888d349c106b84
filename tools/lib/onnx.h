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

/** inputs_add() - make tensors of the inputs of @graph that are no initializers. Return: 0, or -1 with @g->err set */
int inputs_add(struct ir_graph *g, const Onnx__GraphProto *graph);

#endif
