/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_ONNX_H
#define ONSRAM_ONNX_H

#include "ir.h"
#include "proto.h"

/** onnx_to_graph() - lower every node of @model, unfused. Return: 0, or -1 with @g->err set */
int onnx_to_graph(struct ir_graph *g, const Onnx__ModelProto *model);

#endif
