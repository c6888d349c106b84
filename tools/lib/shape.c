// SPDX-License-Identifier: MIT
/* Shapes and types that operators share. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

int lower_bind(struct ir_graph *g, const struct ir_node *n, uint32_t i, const ir_value *v)
{
	if (i >= n->proto->n_output || !*n->proto->output[i])
		return 0;
	return ir_bind(g, n->proto->output[i], v);
}

int lower_new(struct ir_graph *g, const struct ir_node *n, uint32_t i, uint32_t dtype,
	      uint32_t rank, const int64_t *dims, ir_value *out)
{
	const char *name = i < n->proto->n_output ? n->proto->output[i] : n->proto->output[0];

	if (ir_tensor_new(g, name, ONSRAM_ROLE_ACTIVATION, dtype, rank, dims, out))
		return -1;
	return lower_bind(g, n, i, out);
}

int lower_temp(struct ir_graph *g, const struct ir_node *n, const char *suffix, uint32_t dtype,
	       uint32_t rank, const int64_t *dims, ir_value *out)
{
	char *name;
	int ret;

	if (asprintf(&name, "%s/%s", n->proto->output[0], suffix) < 0)
		return ir_nomem(g);
	ret = ir_tensor_new(g, name, ONSRAM_ROLE_ACTIVATION, dtype, rank, dims, out);
	free(name);
	return ret;
}

int lower_axis(struct ir_graph *g, int64_t axis, uint32_t rank)
{
	if (axis < -(int64_t)rank || axis >= (int64_t)rank)
		return ir_fail(g, "axis %lld is out of range for %u dimensions", (long long)axis, rank);
	return axis < 0 ? axis + rank : axis;
}

int lower_ints(struct ir_graph *g, const struct ir_node *n, const char *attr, uint32_t in,
	       int64_t *out, uint32_t max)
{
	const Onnx__AttributeProto *a = attr ? proto_attr(n->proto, attr) : NULL;

	if (in < n->nr_in && n->in[in].view.dtype)
		return ir_ints(g, &n->in[in], attr ? attr : n->proto->input[in], out, max);
	if (!a)
		return -2;
	if (a->n_ints > max)
		return ir_fail(g, "%s has %zu elements; at most %u are supported", attr, a->n_ints, max);
	if (a->n_ints)
		memcpy(out, a->ints, a->n_ints * sizeof(*out));
	return a->n_ints;
}

int lower_float(struct ir_graph *g, const ir_value *v, const char *what)
{
	if (v->view.dtype == ONSRAM_DTYPE_F32)
		return 0;
	return ir_fail(g, "%s is %s; only float is supported", what, view_dtype_name(v->view.dtype));
}

int lower_broadcast(struct ir_graph *g, const ir_value *const *v, uint32_t nr, int64_t *dims)
{
	uint32_t rank = 0;

	for (uint32_t i = 0; i < nr; i++)
		if (v[i]->view.rank > rank)
			rank = v[i]->view.rank;
	for (uint32_t d = 0; d < rank; d++) {
		dims[d] = 1;
		for (uint32_t i = 0; i < nr; i++) {
			uint32_t skip = rank - v[i]->view.rank;
			int64_t dim = d < skip ? 1 : v[i]->view.dims[d - skip];

			if (dim == 1 || dim == dims[d])
				continue;
			if (dims[d] != 1)
				return ir_fail(g, "shapes do not broadcast: dimension %u is %lld and %lld", d,
					       (long long)dims[d], (long long)dim);
			dims[d] = dim;
		}
	}
	return rank;
}

/* A spatial attribute of one number per dimension, @def where it is not given. */
static int spatial(struct ir_graph *g, const struct ir_node *n, const char *attr, uint32_t nr,
		   int64_t min, int64_t def, uint16_t *out)
{
	const Onnx__AttributeProto *a = proto_attr(n->proto, attr);

	if (a && a->n_ints && a->n_ints != nr)
		return ir_fail(g, "%s has %zu elements, expected %u", attr, a->n_ints, nr);
	for (uint32_t d = 0; d < nr; d++) {
		int64_t v = a && a->n_ints ? a->ints[d] : def;

		if (v < min || v > UINT16_MAX)
			return ir_fail(g, "%s[%u] is %lld, out of range", attr, d, (long long)v);
		out[d] = v;
	}
	return 0;
}

int lower_window(struct ir_graph *g, const struct ir_node *n, const ir_value *x,
		 const uint32_t *kernel, struct onsram_attr *attr, int64_t *dims)
{
	bool same_upper = proto_is(n->proto, "auto_pad", "NOTSET", "SAME_UPPER");
	bool same_lower = proto_is(n->proto, "auto_pad", "NOTSET", "SAME_LOWER");
	bool valid = proto_is(n->proto, "auto_pad", "NOTSET", "VALID");
	bool explicit = proto_is(n->proto, "auto_pad", "NOTSET", "NOTSET");
	bool ceil = proto_int(n->proto, "ceil_mode", 0);
	uint32_t nr = x->view.rank - 2;
	uint16_t pads[2 * ONSRAM_MAX_SPATIAL] = { 0 };

	if (!same_upper && !same_lower && !valid && !explicit)
		return ir_fail(g, "auto_pad has an unknown value");
	if (spatial(g, n, "strides", nr, 1, 1, attr->stride) ||
	    spatial(g, n, "dilations", nr, 1, 1, attr->dilation) ||
	    (explicit && spatial(g, n, "pads", 2 * nr, 0, 0, pads)))
		return -1;
	for (uint32_t d = 0; d < nr; d++) {
		int64_t in = x->view.dims[d + 2], stride = attr->stride[d];
		int64_t window = attr->dilation[d] * ((int64_t)kernel[d] - 1) + 1, padded;

		attr->pad_begin[d] = pads[d];
		attr->pad_end[d] = pads[nr + d];
		if (same_upper || same_lower) {
			int64_t pad = ((in + stride - 1) / stride - 1) * stride + window - in;

			if (pad < 0)
				pad = 0;
			if (pad > UINT16_MAX)
				return ir_fail(g, "padding of dimension %u is out of range", d);
			attr->pad_begin[d] = same_upper ? pad / 2 : pad - pad / 2;
			attr->pad_end[d] = pad - attr->pad_begin[d];
		}
		padded = in + attr->pad_begin[d] + attr->pad_end[d];
		if (padded < window)
			return ir_fail(g, "window of %lld does not fit in spatial dimension %u, %lld with padding",
				       (long long)window, d, (long long)padded);
		dims[d + 2] = (padded - window) / stride + 1;
		if (ceil && (padded - window) % stride && dims[d + 2] * stride < in + attr->pad_begin[d])
			dims[d + 2]++;
	}
	return 0;
}
