/* SPDX-License-Identifier: MIT */
#ifndef ONSRAM_VARIANT_H
#define ONSRAM_VARIANT_H

#include "ir.h"

/** variant() - rewrite the graph as opt.graph says, before anything is fused. Return: 0 or -1 */
int variant(struct ir_graph *g);

#endif
