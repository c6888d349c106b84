// SPDX-License-Identifier: MIT
/* Fourier transforms: products with a matrix of roots of unity, real and imaginary parts side by side. */
#include <math.h>
#include <stdlib.h>

#include "lower.h"

/* What is transformed: @n elements of @parts (real, or real and imaginary) to @m complex ones, of @length in all. */
struct transform {
	uint32_t n, m, parts;
	int64_t length;
	bool inverse;
};

static int roots(struct ir_graph *g, const struct transform *t, ir_value *out)
{
	int64_t dims[2] = { (int64_t)t->n * t->parts, (int64_t)t->m * 2 };
	uint64_t count = (uint64_t)dims[0] * dims[1];
	float *data;

	if (ir_charge(g, count))
		return -1;
	data = calloc(count + 1, sizeof(*data));
	if (!data)
		return ir_nomem(g);
	for (uint32_t i = 0; i < t->n; i++)
		for (uint32_t k = 0; k < t->m; k++) {
			double angle = 2 * M_PI * (double)((uint64_t)i * k % t->length) / t->length * (t->inverse ? 1 : -1);
			double scale = t->inverse ? 1.0 / t->length : 1;
			float *row = data + ((uint64_t)i * t->parts * t->m + k) * 2;

			row[0] = cos(angle) * scale;
			row[1] = sin(angle) * scale;
			if (t->parts == 1)
				continue;
			row += (uint64_t)t->m * 2;
			row[0] = -sin(angle) * scale;
			row[1] = cos(angle) * scale;
		}
	return ir_const_new(g, "roots", ONSRAM_DTYPE_F32, 2, dims, data, out);
}

/* Transform the last two dimensions of @x, elements and parts. */
static int transform(struct ir_graph *g, const struct ir_node *n, const struct transform *t, const ir_value *x, ir_value *out)
{
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t rank = x->view.rank;
	ir_value matrix, flat;

	for (uint32_t d = 0; d < rank; d++)
		dims[d] = x->view.dims[d];
	dims[rank - 2] *= dims[rank - 1];
	if (roots(g, t, &matrix) || ir_reshape(g, x, rank - 1, dims, &flat) ||
	    lower_matrix_product(g, n, &flat, &matrix, out))
		return -1;
	dims[rank - 2] = t->m;
	dims[rank - 1] = 2;
	return ir_reshape(g, out, rank, dims, out);
}

/* A constant positive number that may be absent. Return: 0 or -1 */
static int length_of(struct ir_graph *g, const ir_value *v, const char *what, int64_t *out)
{
	if (!v->view.dtype)
		return 0;
	if (ir_ints(g, v, what, out, 1) != 1)
		return g->err ? -1 : ir_fail(g, "%s is empty", what);
	if (*out < 1 || *out > IR_MAX_ELEMENTS)
		return ir_fail(g, "%s %lld is out of range", what, (long long)*out);
	return 0;
}

static int lower_dft(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	bool onesided = proto_int(n->proto, "onesided", 0);
	struct transform t = { .inverse = proto_int(n->proto, "inverse", 0) };
	int64_t at = g->opset < 20 ? proto_int(n->proto, "axis", 1) : -2;
	ir_value x = n->in[0], out;
	uint32_t rank = x.view.rank;
	int axis;

	(void)func;
	if (lower_float(g, &x, "input"))
		return -1;
	if (rank < 2 || (x.view.dims[rank - 1] != 1 && x.view.dims[rank - 1] != 2))
		return ir_fail(g, "the last dimension of the input is not 1 or 2");
	if (n->in[2].view.dtype && ir_ints(g, &n->in[2], "axis", &at, 1) < 0)
		return -1;
	axis = lower_axis(g, at, rank);
	if (axis < 0)
		return -1;
	if ((uint32_t)axis == rank - 1)
		return ir_fail(g, "axis is that of the parts");
	t.length = x.view.dims[axis];
	if (length_of(g, &n->in[1], "dft_length", &t.length))
		return -1;
	if (!t.length)
		return ir_fail(g, "the dimension is empty");
	t.n = t.length < x.view.dims[axis] ? t.length : x.view.dims[axis];
	t.m = onesided ? t.length / 2 + 1 : t.length;
	t.parts = x.view.dims[rank - 1];
	/* What the transform has beyond the input is zero: it needs no row. */
	if (lower_slice_view(g, &x, axis, 0, t.n, 1))
		return -1;
	view_swap(&x.view, axis, rank - 2);
	if (transform(g, n, &t, &x, &out))
		return -1;
	view_swap(&out.view, axis, rank - 2);
	return lower_bind(g, n, 0, &out);
}

/* Frames are a view in which elements occur in more than one. */
static int lower_stft(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *window = &n->in[2];
	ir_value x = n->in[0], shaped = *window, out;
	struct transform t = { 0 };
	int64_t step = 0, frames, stride;

	(void)func;
	if (lower_float(g, &x, "signal") || (window->view.dtype && lower_float(g, window, "window")))
		return -1;
	if (x.view.rank != 3 || (x.view.dims[2] != 1 && x.view.dims[2] != 2) || window->view.rank > 1)
		return ir_fail(g, "signal is not [batch, length, 1 or 2], or window no vector");
	t.length = window->view.dtype ? window->view.dims[0] : 0;
	if (length_of(g, &n->in[1], "frame_step", &step) || length_of(g, &n->in[3], "frame_length", &t.length))
		return -1;
	if (!t.length || t.length > x.view.dims[1] || (window->view.dtype && window->view.dims[0] != t.length))
		return ir_fail(g, "frames of %lld elements do not fit the signal or the window", (long long)t.length);
	stride = step * x.view.strides[1];
	frames = (x.view.dims[1] - t.length) / step + 1;
	if (stride > INT32_MAX || stride < INT32_MIN)
		return ir_fail(g, "frame_step %lld is out of range", (long long)step);
	t.n = t.length;
	t.m = proto_int(n->proto, "onesided", 1) ? t.length / 2 + 1 : t.length;
	t.parts = x.view.dims[2];
	x.view.rank = 4;
	x.view.dims[3] = x.view.dims[2];
	x.view.strides[3] = x.view.strides[2];
	x.view.dims[2] = t.length;
	x.view.strides[2] = x.view.strides[1];
	x.view.dims[1] = frames;
	x.view.strides[1] = stride;
	if (window->view.dtype) {
		shaped.view.rank = 2;
		shaped.view.dims[1] = 1;
		shaped.view.strides[1] = 0;
		if (lower_expression(g, n, "x y mul", (ir_value[]){ x, shaped }, &x))
			return -1;
	}
	if (transform(g, n, &t, &x, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_signal_rules[] = {
	RULE("DFT", 17, NOW, 1, 3, lower_dft, 0),
	RULE("STFT", 17, NOW, 2, 4, lower_stft, 0),
	{ 0 }
};
