/* SPDX-License-Identifier: MIT */
/* Graphs as tests of the planner build them. */
#ifndef TESTS_GRAPHS_H
#define TESTS_GRAPHS_H

#include <assert.h>
#include <string.h>

#include "perf-ops.h"
#include "planner.h"

#define GRAPH_MAX_OPS		2048
#define GRAPH_MAX_TENSORS	4096

/** struct graph - a graph under construction */
struct graph {
	struct drm_onsram_op ops[GRAPH_MAX_OPS];
	struct onsram_plan_tensor tensors[GRAPH_MAX_TENSORS];
	uint32_t nr_ops;
	uint32_t nr_tensors;
};

static inline struct onsram_plan_graph graph_of(const struct graph *g)
{
	return (struct onsram_plan_graph){ g->ops, g->nr_ops, g->tensors, g->nr_tensors };
}

static inline uint32_t add_tensor(struct graph *g, uint64_t bytes, uint32_t flags)
{
	assert(g->nr_tensors < GRAPH_MAX_TENSORS);
	g->tensors[g->nr_tensors] = (struct onsram_plan_tensor){ bytes, flags };
	return g->nr_tensors++;
}

/** add_op() - an operation on tensors given per slot; UINT32_MAX or a view of dtype NONE: slot not used */
static inline struct drm_onsram_op *add_op(struct graph *g, const struct onsram_perf_op *op,
					   const uint32_t *tensor)
{
	struct drm_onsram_op *o = &g->ops[g->nr_ops];

	assert(g->nr_ops < GRAPH_MAX_OPS);
	memset(o, 0, sizeof(*o));
	o->opcode = op->opcode;
	o->attr = op->attr;
	for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		if (op->view[s].dtype == ONSRAM_DTYPE_NONE || tensor[s] == UINT32_MAX)
			continue;
		o->operand[s].view = op->view[s];
		o->operand[s].bo = tensor[s];
	}
	g->nr_ops++;
	return o;
}

/** add_conv() - a convolution with weights of its own; returns its output, of @flags */
static inline uint32_t add_conv(struct graph *g, uint32_t x, uint32_t c, uint32_t hw, uint32_t o,
				uint32_t k, uint32_t flags)
{
	struct onsram_perf_op op = conv(ONSRAM_DTYPE_F16, c, hw, o, k, 1);
	uint32_t t[ONSRAM_MAX_OPERANDS] = { 0, x, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX };

	t[2] = add_tensor(g, onsram_view_bytes(&op.view[2]), DRM_ONSRAM_TENSOR_CONST);
	t[0] = add_tensor(g, onsram_view_bytes(&op.view[0]), flags);
	add_op(g, &op, t);
	return t[0];
}

/** add_binary() - a + b elementwise on @elements */
static inline uint32_t add_binary(struct graph *g, uint32_t a, uint32_t b, uint32_t elements,
				  uint32_t flags)
{
	struct onsram_perf_op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr.func = ONSRAM_EW_ADD };
	uint32_t t[ONSRAM_MAX_OPERANDS] = { 0, a, b, UINT32_MAX, UINT32_MAX, UINT32_MAX };

	op.view[0] = dense(ONSRAM_DTYPE_F16, 1, elements);
	op.view[1] = op.view[0];
	op.view[2] = op.view[0];
	t[0] = add_tensor(g, 2ull * elements, flags);
	add_op(g, &op, t);
	return t[0];
}

/** random_graph() - @n operations on vectors: chains, forks, joins, shared weights, outputs on the way */
static inline void random_graph(struct graph *g, uint32_t n, uint32_t most_kib, uint32_t *seed)
{
	uint32_t live[GRAPH_MAX_TENSORS], size[GRAPH_MAX_TENSORS], k = 0;

	memset(g, 0, sizeof(*g));
	for (int i = 0; i < 3; i++) {
		size[k] = 512 * (1 + rnd(seed) % most_kib);
		live[k++] = add_tensor(g, 2ull * size[i], i ? DRM_ONSRAM_TENSOR_CONST : 0);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t a = rnd(seed) % 3 ? k - 1 : rnd(seed) % k, b = rnd(seed) % k;
		uint32_t flags = rnd(seed) % 6 && i + 1 < n ? DRM_ONSRAM_TENSOR_TRANSIENT : 0;
		uint32_t elements = size[a] < size[b] ? size[a] : size[b];

		size[k] = elements;
		live[k] = add_binary(g, live[a], live[b], elements, flags);
		k++;
	}
}

/** densenet() - DenseNet-121's operations, unfused: concatenations are copies into slices */
static inline void densenet(struct graph *g)
{
	static const uint32_t layers[4] = { 6, 12, 24, 16 };
	uint32_t c = 64, hw = 56, x;

	memset(g, 0, sizeof(*g));
	x = add_tensor(g, 2ull * c * hw * hw, 0);
	for (int b = 0; b < 4; b++) {
		for (uint32_t l = 0; l < layers[b]; l++) {
			uint32_t t = DRM_ONSRAM_TENSOR_TRANSIENT, n = c * hw * hw, y, z;
			struct onsram_perf_op op = { .opcode = ONSRAM_OP_COPY };
			struct drm_onsram_op *o;

			y = add_binary(g, x, x, n, t);
			y = add_binary(g, y, y, n, t);
			y = add_conv(g, y, c, hw, 128, 1, t);
			y = add_binary(g, y, y, 128 * hw * hw, t);
			y = add_binary(g, y, y, 128 * hw * hw, t);
			y = add_conv(g, y, 128, hw, 32, 3, t);
			z = add_tensor(g, 2ull * (c + 32) * hw * hw, t);
			op.view[0] = op.view[1] = dense(ONSRAM_DTYPE_F16, 1, n);
			add_op(g, &op, (uint32_t[6]){ z, x });
			op.view[0] = op.view[1] = dense(ONSRAM_DTYPE_F16, 1, 32 * hw * hw);
			o = add_op(g, &op, (uint32_t[6]){ z, y });
			o->operand[0].offset = 2ull * n;
			x = z;
			c += 32;
		}
		x = add_conv(g, x, c, hw, c / 2, 1, b == 3 ? 0 : DRM_ONSRAM_TENSOR_TRANSIENT);
		c /= 2;
		/* The pool's geometry is of no concern here: a copy of a quarter */
		if (b < 3) {
			struct onsram_perf_op op = { .opcode = ONSRAM_OP_COPY };
			uint32_t y;

			hw /= 2;
			y = add_tensor(g, 2ull * c * hw * hw, DRM_ONSRAM_TENSOR_TRANSIENT);
			op.view[0] = op.view[1] = dense(ONSRAM_DTYPE_F16, 1, c * hw * hw);
			add_op(g, &op, (uint32_t[6]){ y, x });
			x = y;
		}
	}
}

#endif
