// SPDX-License-Identifier: MIT
/* Where in the input the largest element of each window is, and the way back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lower.h"

/* Elements of a window, each of which takes a few operations. */
#define MAX_WINDOW 1024

/* A window's element: its place along each spatial dimension. */
struct tap {
	uint32_t at[ONSRAM_MAX_SPATIAL];
};

/* Distances between neighbours of the spatial dimensions in the flat input. Return: elements of all of them */
static int64_t distances(const struct onsram_view *x, bool column_major, int64_t *step)
{
	uint32_t nr = x->rank - 2;
	int64_t total = 1;

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t d = column_major ? i : nr - 1 - i;

		step[d] = total;
		total *= x->dims[2 + d];
	}
	return total;
}

/* The place of each window's first element, of every image and channel; int64 of the output's shape, broadcast. */
static int first_places(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr, const ir_value *y,
			const int64_t *step, int64_t plane, ir_value *out)
{
	const struct onsram_view *v = &y->view;
	char formula[64];
	ir_value in[2];

	if (lower_iota(g, n, ONSRAM_DTYPE_I64, v->dims[0], v->rank, 0, &in[0]) ||
	    lower_iota(g, n, ONSRAM_DTYPE_I64, v->dims[1], v->rank, 1, &in[1]))
		return -1;
	snprintf(formula, sizeof(formula), "x %u mul y add %lld mul", v->dims[1], (long long)plane);
	if (lower_expression(g, n, formula, in, out))
		return -1;
	for (uint32_t d = 0; d < v->rank - 2; d++) {
		in[0] = *out;
		snprintf(formula, sizeof(formula), "x y %u mul %u sub %lld mul add", attr->stride[d], attr->pad_begin[d],
			 (long long)step[d]);
		if (lower_iota(g, n, ONSRAM_DTYPE_I64, v->dims[2 + d], v->rank, 2 + d, &in[1]) ||
		    lower_expression(g, n, formula, in, out))
			return -1;
	}
	return 0;
}

/* The input with minus infinity wherever a window reaches beyond it. */
static int pad_input(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr, const ir_value *y,
		     ir_value *x)
{
	int64_t begin[ONSRAM_MAX_RANK] = { 0 }, end[ONSRAM_MAX_RANK] = { 0 };
	ir_value value;
	bool grows = false;

	for (uint32_t d = 0; d < x->view.rank - 2; d++) {
		int64_t reach = (int64_t)(y->view.dims[2 + d] - 1) * attr->stride[d] + attr->dilation[d] * (attr->kernel[d] - 1) + 1;

		begin[2 + d] = attr->pad_begin[d];
		end[2 + d] = reach - begin[2 + d] - x->view.dims[2 + d];
		end[2 + d] = end[2 + d] > 0 ? end[2 + d] : 0;
		grows = grows || begin[2 + d] || end[2 + d];
	}
	if (!grows)
		return 0;
	return lower_scalar(g, ONSRAM_DTYPE_F32, -INFINITY, &value) || lower_surround(g, n, begin, end, &value, x) ? -1 : 0;
}

/* Let @places be @first + @offset where the element at @tap of each window is the largest, as earlier ones are. */
static int visit(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr, const ir_value *x,
		 const ir_value *y, const struct tap *tap, int64_t offset, const ir_value *first, ir_value *places)
{
	ir_value element = *x, in[3];
	char formula[48];

	for (uint32_t d = 0; d < x->view.rank - 2; d++) {
		int64_t from = (int64_t)tap->at[d] * attr->dilation[d];

		if (lower_slice_view(g, &element, 2 + d, from, from + (int64_t)(y->view.dims[2 + d] - 1) * attr->stride[d] + 1,
				     attr->stride[d]))
			return -1;
	}
	snprintf(formula, sizeof(formula), "x %lld add", (long long)offset);
	if (lower_expression(g, n, "x y equal", (ir_value[]){ element, *y }, &in[0]) ||
	    lower_expression(g, n, formula, first, &in[1]))
		return -1;
	in[2] = *places;
	return lower_expression(g, n, "x y z where", in, places);
}

int lower_pool_places(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr, const ir_value *y)
{
	uint32_t nr = y->view.rank - 2, window = 1;
	ir_value x = n->in[0], first, places;
	int64_t step[ONSRAM_MAX_SPATIAL], plane;

	for (uint32_t d = 0; d < nr; d++)
		window = window > MAX_WINDOW ? window : window * attr->kernel[d];
	if (window > MAX_WINDOW)
		return ir_fail(g, "indices of windows of more than %d elements are not supported", MAX_WINDOW);
	plane = distances(&x.view, proto_int(n->proto, "storage_order", 0), step);
	if (first_places(g, n, attr, y, step, plane, &first) || pad_input(g, n, attr, y, &x))
		return -1;
	places = first;
	/* From the last to the first, so that of equal ones the first counts. */
	for (uint32_t i = window; i-- > 0;) {
		struct tap tap;
		int64_t offset = 0;
		uint32_t rest = i;

		for (uint32_t d = nr; d-- > 0;) {
			tap.at[d] = rest % attr->kernel[d];
			rest /= attr->kernel[d];
			offset += tap.at[d] * attr->dilation[d] * step[d];
		}
		if (visit(g, n, attr, &x, y, &tap, offset, &first, &places))
			return -1;
	}
	return lower_bind(g, n, 1, &places);
}

/* The size that a MaxPool with the node's window would have had as input. Return: 0 or -1 */
static int unpooled_size(struct ir_graph *g, const struct ir_node *n, int64_t *dims)
{
	static const char *const names[] = { "kernel_shape", "strides", "pads" };
	uint32_t nr = n->in[0].view.rank - 2;

	for (uint32_t d = 0; d < n->in[0].view.rank; d++)
		dims[d] = n->in[0].view.dims[d];
	for (uint32_t d = 0; d < nr; d++) {
		int64_t value[4] = { 0, 1, 0, 0 };	/* kernel, stride, pads */

		for (int i = 0; i < 3; i++) {
			const Onnx__AttributeProto *a = proto_attr(n->proto, names[i]);

			if ((!a && !i) || (a && a->n_ints != (i == 2 ? 2 * nr : nr)))
				return ir_fail(g, "%s does not have one element per spatial dimension", names[i]);
			if (a)
				value[i] = a->ints[d];
			if (a && i == 2)
				value[3] = a->ints[nr + d];
		}
		for (int i = 0; i < 4; i++)
			if (value[i] < (i < 2) || value[i] > UINT16_MAX)
				return ir_fail(g, "%s is out of range", names[i < 3 ? i : 2]);
		dims[2 + d] = (dims[2 + d] - 1) * value[1] + value[0] - value[2] - value[3];
		if (dims[2 + d] < 1 || dims[2 + d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "spatial dimension %u would be %lld", d, (long long)dims[2 + d]);
	}
	return 0;
}

/* Elements go back to where they came from, among zeros; a larger output has more of those behind. */
static int lower_max_unpool(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t dims[ONSRAM_MAX_RANK], end[ONSRAM_MAX_RANK] = { 0 }, none[ONSRAM_MAX_RANK] = { 0 }, *target;
	uint64_t count = view_count(&n->in[0].view), total = 1;
	uint32_t rank = n->in[0].view.rank, zero[2] = { 0 };
	ir_value data, value, out;
	int nr = 0;

	(void)func;
	if (lower_spatial(g, &n->in[0]))
		return -1;
	if (!view_same_dims(&n->in[0].view, &n->in[1].view))
		return ir_fail(g, "indices do not have the input's shape");
	if (n->in[2].view.dtype)
		nr = ir_ints(g, &n->in[2], "output_shape", end, ONSRAM_MAX_RANK);
	if (nr < 0 || unpooled_size(g, n, dims))
		return -1;
	if (nr && (uint32_t)nr != rank)
		return ir_fail(g, "output_shape has %d elements", nr);
	for (uint32_t d = 0; d < rank; d++) {
		total *= dims[d];
		if (total > IR_MAX_ELEMENTS)
			return ir_fail(g, "output has more than %u elements", IR_MAX_ELEMENTS);
		end[d] -= nr ? dims[d] : 0;
		if (end[d] < 0 || end[d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "output_shape is smaller than the windows ask for, or too large");
	}
	target = lower_read_ints(g, &n->in[1], "indices");
	for (uint64_t i = 0; target && i < count; i++)
		if (target[i] < 0 || (uint64_t)target[i] >= total) {
			free(target);
			return ir_fail(g, "an index is out of range");
		}
	if (!target || ir_filled_new(g, "zeros", ONSRAM_DTYPE_F32, rank, dims, zero, &data)) {
		free(target);
		return -1;
	}
	if (lower_scatter(g, n, &data, &n->in[0], target, NULL, &out) || lower_scalar(g, ONSRAM_DTYPE_F32, 0, &value) ||
	    (nr && lower_surround(g, n, none, end, &value, &out)))
		return -1;
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_maxpool_rules[] = {
	RULE("MaxUnpool", 9, NOW, 2, 3, lower_max_unpool, 0),
	{ 0 }
};
