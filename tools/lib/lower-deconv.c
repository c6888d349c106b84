// SPDX-License-Identifier: MIT
/*
 * Transposed convolution: the input with zeros between its elements, convolved
 * with the weight, whose channels are exchanged and whose windows are reversed.
 */
#include <stdlib.h>

#include "lower.h"

/* Sizes and pads per spatial dimension. */
struct deconv {
	int64_t group;
	int64_t stride[ONSRAM_MAX_SPATIAL], dilation[ONSRAM_MAX_SPATIAL];
	int64_t begin[ONSRAM_MAX_SPATIAL], end[ONSRAM_MAX_SPATIAL];	/* zeros around the input; negative: cut off */
};

/* Number @d of a spatial attribute. Return: 0, or -1 where it is below @min or too large */
static int spatial(struct ir_graph *g, const struct ir_node *n, const char *attr, uint32_t nr, uint32_t d, int64_t min,
		   int64_t def, int64_t *out)
{
	const Onnx__AttributeProto *a = proto_attr(n->proto, attr);

	if (a && a->n_ints && a->n_ints != nr)
		return ir_fail(g, "%s has %zu elements, expected %u", attr, a->n_ints, nr);
	*out = a && a->n_ints ? a->ints[d] : def;
	if (*out < min || *out > UINT16_MAX)
		return ir_fail(g, "%s[%u] is %lld, out of range", attr, d, (long long)*out);
	return 0;
}

static int sizes(struct ir_graph *g, const struct ir_node *n, struct deconv *c, int64_t *dims)
{
	const struct onsram_view *x = &n->in[0].view, *w = &n->in[1].view;
	bool upper = proto_is(n->proto, "auto_pad", "NOTSET", "SAME_UPPER");
	bool lower = proto_is(n->proto, "auto_pad", "NOTSET", "SAME_LOWER");
	const Onnx__AttributeProto *shape = proto_attr(n->proto, "output_shape");
	uint32_t nr = x->rank - 2;

	if (!upper && !lower && !proto_is(n->proto, "auto_pad", "NOTSET", "NOTSET") &&
	    !proto_is(n->proto, "auto_pad", "NOTSET", "VALID"))
		return ir_fail(g, "auto_pad has an unknown value");
	for (uint32_t d = 0; d < nr; d++) {
		int64_t more, window, begin, end, full, out;

		if (spatial(g, n, "strides", nr, d, 1, 1, &c->stride[d]) ||
		    spatial(g, n, "dilations", nr, d, 1, 1, &c->dilation[d]) ||
		    spatial(g, n, "output_padding", nr, d, 0, 0, &more) ||
		    spatial(g, n, "pads", 2 * nr, d, 0, 0, &begin) ||
		    spatial(g, n, "pads", 2 * nr, nr + d, 0, 0, &end))
			return -1;
		window = c->dilation[d] * ((int64_t)w->dims[d + 2] - 1) + 1;
		full = c->stride[d] * ((int64_t)x->dims[d + 2] - 1) + window + more;
		out = full - begin - end;
		if (shape && shape->n_ints) {
			/* ONNX allows all dimensions here, too. */
			if (shape->n_ints != nr && shape->n_ints != x->rank)
				return ir_fail(g, "output_shape has %zu elements", shape->n_ints);
			out = shape->ints[d + shape->n_ints - nr];
		} else if (upper || lower) {
			out = c->stride[d] * x->dims[d + 2];
		}
		if (out < 1 || out > IR_MAX_ELEMENTS)
			return ir_fail(g, "spatial dimension %u of the output is %lld, out of range", d, (long long)out);
		if ((shape && shape->n_ints) || upper || lower) {
			int64_t total = full - out;

			if (total < 0) {
				more -= total;
				total = 0;
			}
			begin = upper ? total / 2 : total - total / 2;
			end = total - begin;
		}
		c->begin[d] = window - 1 - begin;
		c->end[d] = window - 1 - end + more;
		dims[d + 2] = out;
	}
	return 0;
}

/* The input with @c->stride - 1 zeros between its elements. */
static int spread(struct ir_graph *g, const struct ir_node *n, const struct deconv *c, ir_value *out)
{
	struct drm_onsram_op fill = { .opcode = ONSRAM_OP_FILL };
	struct drm_onsram_op copy = { .opcode = ONSRAM_OP_COPY, .operand = { [1] = n->in[0] } };
	int64_t dims[ONSRAM_MAX_RANK];
	bool spread = false;

	*out = n->in[0];
	for (uint32_t d = 0; d < out->view.rank; d++) {
		dims[d] = out->view.dims[d];
		if (d < 2)
			continue;
		dims[d] = (dims[d] - 1) * c->stride[d - 2] + 1;
		spread = spread || dims[d] != out->view.dims[d];
	}
	if (!spread)
		return 0;
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, out->view.rank, dims, out))
		return -1;
	fill.operand[0] = copy.operand[0] = *out;
	for (uint32_t d = 2; d < out->view.rank; d++)
		if (lower_slice_view(g, &copy.operand[0], d, 0, dims[d], c->stride[d - 2]))
			return -1;
	return ir_push(g, &fill) || ir_push(g, &copy) ? -1 : 0;
}

/* The weight [C, M / group, window] as [M, C / group, reversed window]. */
static int turn(struct ir_graph *g, const struct ir_node *n, int64_t group, ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t rank = n->in[1].view.rank;
	ir_value w = n->in[1];

	for (uint32_t d = 2; d < rank; d++)
		if (lower_slice_view(g, &w, d, -1, INT64_MIN, -1))
			return -1;
	for (uint32_t d = 0; d < rank; d++)
		dims[d] = w.view.dims[d];
	if (group == 1) {
		view_swap(&w.view, 0, 1);
		*out = w;
		return 0;
	}
	for (uint32_t d = rank; d > 0; d--)
		dims[d] = dims[d - 1];
	dims[0] = group;
	dims[1] /= group;
	if (ir_reshape(g, &w, rank + 1, dims, &w))
		return -1;
	view_swap(&w.view, 1, 2);
	for (uint32_t d = 1; d < rank; d++)
		dims[d] = w.view.dims[d + 1];
	dims[0] = group * w.view.dims[1];
	return ir_reshape(g, &w, rank, dims, out);
}

static int lower_conv_transpose(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *x = &n->in[0], *w = &n->in[1], *bias = &n->in[2];
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_CONV };
	struct deconv c = { .group = proto_int(n->proto, "group", 1) };
	int64_t dims[ONSRAM_MAX_RANK];

	(void)func;
	if (lower_spatial(g, x) || lower_float(g, w, "weight"))
		return -1;
	if (w->view.rank != x->view.rank || w->view.dims[0] != x->view.dims[1])
		return ir_fail(g, "weight does not fit the input");
	if (c.group < 1 || c.group > x->view.dims[1] || x->view.dims[1] % c.group)
		return ir_fail(g, "group %lld does not divide %u channels", (long long)c.group, x->view.dims[1]);
	dims[0] = x->view.dims[0];
	dims[1] = w->view.dims[1] * c.group;
	if (sizes(g, n, &c, dims) || spread(g, n, &c, &op.operand[1]) || turn(g, n, c.group, &op.operand[2]))
		return -1;
	for (uint32_t d = 0; d < x->view.rank - 2; d++) {
		int64_t cut_begin = c.begin[d] < 0 ? -c.begin[d] : 0, cut_end = c.end[d] < 0 ? -c.end[d] : 0;
		int64_t extent = op.operand[1].view.dims[d + 2];

		if (cut_begin + cut_end >= extent || c.begin[d] > UINT16_MAX || c.end[d] > UINT16_MAX)
			return ir_fail(g, "padding of dimension %u is out of range", d);
		if (lower_slice_view(g, &op.operand[1], d + 2, cut_begin, extent - cut_end, 1))
			return -1;
		op.attr.pad_begin[d] = c.begin[d] < 0 ? 0 : c.begin[d];
		op.attr.pad_end[d] = c.end[d] < 0 ? 0 : c.end[d];
		op.attr.stride[d] = 1;
		op.attr.dilation[d] = c.dilation[d];
	}
	op.attr.groups = c.group;
	if (!bias->view.dtype) {
		if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, x->view.rank, dims, &op.operand[0]))
			return -1;
		return ir_push(g, &op);
	}
	if (lower_channels(g, bias, "bias", dims[1]) ||
	    lower_temp(g, n, "conv", ONSRAM_DTYPE_F32, x->view.rank, dims, &op.operand[0]) || ir_push(g, &op))
		return -1;
	return lower_add_bias(g, n, &op.operand[0], bias, dims);
}

/* Weight [C * window, C, window] that puts element t of a column at place t of its window. */
static int spreading_weight(struct ir_graph *g, uint32_t channels, uint32_t nr, const int64_t *block, ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK], window = 1;
	float *data;

	for (uint32_t d = 0; d < nr; d++) {
		dims[2 + d] = block[d];
		window *= block[d];
	}
	dims[0] = channels * window;
	dims[1] = channels;
	if (ir_charge(g, (uint64_t)dims[0] * channels * window))
		return -1;
	data = calloc((uint64_t)dims[0] * channels * window + 1, sizeof(*data));
	if (!data)
		return ir_nomem(g);
	for (int64_t c = 0; c < channels; c++)
		for (int64_t t = 0; t < window; t++)
			data[((c * window + t) * channels + c) * window + t] = 1;
	return ir_const_new(g, "spread", ONSRAM_DTYPE_F32, 2 + nr, dims, data, out);
}

/* Columns of windows, added up where windows overlap: a transposed convolution that spreads each column. */
static int lower_col2im(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t image[ONSRAM_MAX_SPATIAL], block[ONSRAM_MAX_SPATIAL], dims[ONSRAM_MAX_RANK], window = 1, columns = 1;
	int nr = ir_ints(g, &n->in[1], "image_shape", image, ONSRAM_MAX_SPATIAL);
	int nr_block = nr < 0 ? -1 : ir_ints(g, &n->in[2], "block_shape", block, ONSRAM_MAX_SPATIAL);
	ir_value in[2 + LOWER_SPARE_INPUTS] = { n->in[0] };
	struct ir_node spread = *n;

	if (nr_block < 0 || lower_float(g, &n->in[0], "input"))
		return -1;
	if (!nr || nr != nr_block || n->in[0].view.rank != 3)
		return ir_fail(g, "image_shape, block_shape or input has the wrong number of elements or dimensions");
	for (int d = 0; d < nr; d++) {
		int64_t stride, dilation, begin, end, room;

		if (spatial(g, n, "strides", nr, d, 1, 1, &stride) || spatial(g, n, "dilations", nr, d, 1, 1, &dilation) ||
		    spatial(g, n, "pads", 2 * nr, d, 0, 0, &begin) || spatial(g, n, "pads", 2 * nr, nr + d, 0, 0, &end))
			return -1;
		if (block[d] < 1 || block[d] > UINT16_MAX || image[d] < 1 || image[d] > IR_MAX_ELEMENTS)
			return ir_fail(g, "block_shape or image_shape is out of range");
		room = image[d] + begin + end - dilation * (block[d] - 1) - 1;
		if (room < 0 || room % stride)
			return ir_fail(g, "windows do not cover dimension %d of image_shape exactly", d);
		dims[2 + d] = room / stride + 1;
		columns *= dims[2 + d];
		window *= block[d];
		if (columns > IR_MAX_ELEMENTS || window > IR_MAX_ELEMENTS)
			return ir_fail(g, "block_shape or image_shape is out of range");
	}
	if (n->in[0].view.dims[1] % window || n->in[0].view.dims[2] != columns)
		return ir_fail(g, "input is not columns of %lld elements for %lld windows", (long long)window, (long long)columns);
	dims[0] = n->in[0].view.dims[0];
	dims[1] = n->in[0].view.dims[1];
	if (ir_reshape(g, &n->in[0], 2 + nr, dims, &in[0]) ||
	    spreading_weight(g, n->in[0].view.dims[1] / window, nr, block, &in[1]))
		return -1;
	spread.in = in;
	spread.nr_in = 2;
	return lower_conv_transpose(g, &spread, func);
}

const struct lower_rule lower_deconv_rules[] = {
	RULE("Col2Im", 18, NOW, 3, 3, lower_col2im, 0),
	RULE("ConvTranspose", 1, NOW, 2, 3, lower_conv_transpose, 0),
	{ 0 }
};
