// SPDX-License-Identifier: MIT
/* Fold a scale and shift per channel into the constants of the operation before. */
#define _GNU_SOURCE

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse.h"

/* struct affine - y = scale * x + shift for each of @nr channels */
struct affine {
	double *scale;
	double *shift;
	uint32_t nr;
};

/* Element of channel @c of a constant vector that lies along dimension @d of @v. */
static double channel(const struct ir_graph *g, const ir_value *v, uint32_t d, uint32_t c)
{
	const struct ir_tensor *t = &g->tensors[v->bo];

	if (t->filled)
		return bits_float(t->fill[0]);
	return ((float *)t->data)[v->offset + (int64_t)c * v->view.strides[d]];
}

/* Whether @v is a float constant which varies along dimension 1 only. */
static bool is_channel_const(const struct ir_graph *g, const ir_value *v)
{
	if (!ir_is_const(g, v) || v->view.dtype != ONSRAM_DTYPE_F32 || v->view.rank < 2)
		return false;
	for (uint32_t d = 0; d < v->view.rank; d++)
		if (d != 1 && v->view.dims[d] != 1 && v->view.strides[d])
			return false;
	return true;
}

/* What @next does to what it reads in @slot. Return: whether that is a scale and shift by constants */
static bool get_affine(const struct ir_graph *g, const struct drm_onsram_op *next, uint32_t slot,
		       struct affine *a)
{
	const ir_value *other = &next->operand[3 - slot % 3];

	if (next->opcode == ONSRAM_OP_NORM && next->attr.func == ONSRAM_NORM_BATCH && slot == 1) {
		double eps = bits_float(next->attr.param[0]);

		for (int s = 2; s < 6; s++)
			if (!ir_is_const(g, &next->operand[s]))
				return false;
		for (uint32_t c = 0; c < a->nr; c++) {
			double var = channel(g, &next->operand[5], 0, c) + eps;

			if (!(var > 0))
				return false;
			a->scale[c] = channel(g, &next->operand[2], 0, c) / sqrt(var);
			a->shift[c] = channel(g, &next->operand[3], 0, c) -
				      channel(g, &next->operand[4], 0, c) * a->scale[c];
		}
		return true;
	}
	if (next->opcode != ONSRAM_OP_ELEMENTWISE || slot > 2 || !is_channel_const(g, other))
		return false;
	for (uint32_t c = 0; c < a->nr; c++) {
		double v = channel(g, other, 1, c);

		a->scale[c] = 1;
		a->shift[c] = 0;
		if (next->attr.func == ONSRAM_EW_MUL)
			a->scale[c] = v;
		else if (next->attr.func == ONSRAM_EW_ADD)
			a->shift[c] = v;
		else if (next->attr.func == ONSRAM_EW_SUB && slot == 1)
			a->shift[c] = -v;
		else
			return false;
	}
	return true;
}

/*
 * Whether the element type the constants are stored in holds numbers of up to
 * @v: smaller ones among them then lose nothing that shows beside the largest.
 * Two of fp16's eleven bits may go: what lies below 2^-14 has a spacing of 2^-24.
 */
static bool holds(const struct ir_graph *g, double v)
{
	double max = g->opt.dtype == ONSRAM_DTYPE_F16 ? 65504.0 : (double)__FLT_MAX__;
	double min = g->opt.dtype == ONSRAM_DTYPE_F16 ? 0x1p-16 : (double)__FLT_MIN__;

	v = fabs(v);
	return v == 0 || (v >= min && v <= max);
}

/* A constant like @like with other elements, @data, which are taken over. */
static int new_const(struct ir_graph *g, const ir_value *like, float *data, uint64_t nr, ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t fill[2] = { float_bits(data[0]), 0 };
	bool uniform = true;
	char *name;
	int ret;

	for (uint32_t d = 0; d < like->view.rank; d++)
		dims[d] = like->view.dims[d];
	for (uint64_t i = 1; i < nr && uniform; i++)
		uniform = float_bits(data[i]) == fill[0];
	if (asprintf(&name, "%s/folded", g->tensors[like->bo].name) < 0) {
		free(data);
		return ir_nomem(g);
	}
	if (uniform) {
		free(data);
		ret = ir_filled_new(g, name, ONSRAM_DTYPE_F32, like->view.rank, dims, fill, out);
	} else {
		ret = ir_const_new(g, name, ONSRAM_DTYPE_F32, like->view.rank, dims, data, out);
	}
	free(name);
	return ret;
}

/* @v as @a changes it, only scaled where @shift is false. Return: 1, 0 where that is not exact enough, -1 */
static int change_vector(struct ir_graph *g, const struct affine *a, const ir_value *v, bool shift,
			 const ir_value *like, ir_value *out)
{
	float *data = malloc(a->nr * sizeof(*data));

	if (!data)
		return ir_nomem(g);
	for (uint32_t c = 0; c < a->nr; c++) {
		double r = (v->view.dtype ? channel(g, v, 0, c) * a->scale[c] : 0) + (shift ? a->shift[c] : 0);

		if (!isfinite(r) || fabs(r) > (g->opt.dtype == ONSRAM_DTYPE_F16 ? 65504.0 : (double)__FLT_MAX__)) {
			free(data);
			return 0;
		}
		data[c] = r;
	}
	return new_const(g, like, data, a->nr, out) ? -1 : 1;
}

/* Weights [O, ...] scaled per O. Return: 1, 0 where that is not exact enough or too large, -1 */
static int scale_weights(struct ir_graph *g, const struct affine *a, const ir_value *w, ir_value *out)
{
	const struct ir_tensor *t = &g->tensors[w->bo];
	uint64_t count = view_count(&w->view), row = count / a->nr;
	bool one = true, same = true;
	float *data;

	for (uint32_t c = 0; c < a->nr; c++) {
		one = one && a->scale[c] == 1;
		same = same && a->scale[c] == a->scale[0];
	}
	*out = *w;
	if (one)
		return 1;
	if (t->filled && same) {
		double v = bits_float(t->fill[0]) * a->scale[0];

		if (!holds(g, v))
			return 0;
		/* One element stands for all: same extents, no contents. */
		data = malloc(sizeof(*data));
		if (!data)
			return ir_nomem(g);
		data[0] = v;
		return new_const(g, w, data, 1, out) ? -1 : 1;
	}
	if (t->filled && !ir_may_fold(g, count))
		return 0;
	data = ir_const_read(g, w);
	if (!data)
		return -1;
	for (uint32_t c = 0; c < a->nr; c++) {
		double max = 0;

		for (uint64_t i = c * row; i < (c + 1) * row; i++) {
			double v = data[i] * a->scale[c];

			max = fabs(v) > max || isnan(v) ? fabs(v) : max;
			data[i] = v;
		}
		if (!holds(g, max)) {
			free(data);
			return 0;
		}
	}
	return new_const(g, w, data, count, out) ? -1 : 1;
}

static int into_conv(struct ir_graph *g, struct drm_onsram_op *op, const struct affine *a)
{
	ir_value *bias = &op->operand[3], w, b;
	ir_value like = { .bo = op->operand[2].bo, .view = { .rank = 1, .dims = { a->nr } } };
	int ret;

	if (!ir_is_const(g, &op->operand[2]) || (bias->view.dtype && !ir_is_const(g, bias)) ||
	    op->operand[4].view.dtype)
		return 0;
	ret = scale_weights(g, a, &op->operand[2], &w);
	if (ret <= 0)
		return ret;
	if (bias->view.dtype)
		like.bo = bias->bo;
	ret = change_vector(g, a, bias, true, &like, &b);
	if (ret <= 0)
		return ret;
	op->operand[2] = w;
	op->operand[3] = b;
	return 1;
}

static int into_norm(struct ir_graph *g, struct drm_onsram_op *op, const struct affine *a)
{
	ir_value scale, bias;
	int ret;

	if (!ir_is_const(g, &op->operand[2]) || !ir_is_const(g, &op->operand[3]))
		return 0;
	ret = change_vector(g, a, &op->operand[2], false, &op->operand[2], &scale);
	if (ret > 0)
		ret = change_vector(g, a, &op->operand[3], true, &op->operand[3], &bias);
	if (ret > 0) {
		op->operand[2] = scale;
		op->operand[3] = bias;
	}
	return ret;
}

int fuse_norm(struct ir_graph *g, struct drm_onsram_op *op, const struct drm_onsram_op *next,
	      uint32_t slot)
{
	bool norm = op->opcode == ONSRAM_OP_NORM && op->attr.func == ONSRAM_NORM_BATCH;
	struct affine a = { .nr = op->operand[0].view.rank > 1 ? op->operand[0].view.dims[1] : 0 };
	int ret = 0;

	if (!a.nr || (op->opcode != ONSRAM_OP_CONV && !norm))
		return 0;
	a.scale = calloc(a.nr, sizeof(*a.scale));
	a.shift = calloc(a.nr, sizeof(*a.shift));
	if (!a.scale || !a.shift)
		ret = ir_nomem(g);
	else if (get_affine(g, next, slot, &a))
		ret = norm ? into_norm(g, op, &a) : into_conv(g, op, &a);
	free(a.scale);
	free(a.shift);
	return ret;
}
