// SPDX-License-Identifier: MIT
/*
 * Sampling at computed places: the elements around each place are gathered, and
 * added with the weights of their distance.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

#define MAX_TAPS 4

enum mode { NEAREST, LINEAR, CUBIC };
enum padding { ZEROS, BORDER, REFLECTION };

/* One spatial dimension: per tap, the element's place [places, 1] as int64, and its weight; weights may be absent. */
struct sample_axis {
	uint32_t extent;
	ir_value index[MAX_TAPS];
	ir_value weight[MAX_TAPS];
};

struct sample {
	enum mode mode;
	enum padding padding;
	bool align_corners;
	uint32_t axes, taps;
	struct sample_axis axis[ONSRAM_MAX_SPATIAL];
};

__attribute__((format(printf, 5, 6)))
static int compute(struct ir_graph *g, const struct ir_node *n, const ir_value *in, ir_value *out, const char *format, ...)
{
	char formula[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(formula, sizeof(formula), format, ap);
	va_end(ap);
	return lower_expression(g, n, formula, in, out);
}

/* Bring a coordinate back between the borders by mirroring it there as often as it takes: a triangular wave. */
static int reflect(struct ir_graph *g, const struct ir_node *n, const struct sample *s, uint32_t extent, ir_value *x)
{
	double low = s->align_corners ? 0 : -0.5, span = s->align_corners ? extent - 1.0 : extent;

	if (!span)
		return compute(g, n, x, x, "x 0 mul");
	return compute(g, n, x, x, "x %.9g add %.9g mod %.9g sub abs neg %.9g add", -low, 2 * span, span, span + low);
}

/* Places of elements that may lie outside, as indices, and whether they count. */
static int pixel(struct ir_graph *g, const struct ir_node *n, const struct sample *s, uint32_t extent, const ir_value *place,
		 ir_value *index, ir_value *weight)
{
	ir_value x = *place;

	if (s->padding == ZEROS && (compute(g, n, &x, &x, "x 0 less x %u greater max 0 equal float", extent - 1) ||
				    (weight->view.dtype ? lower_expression(g, n, "x y mul", (ir_value[]){ x, *weight }, weight) :
							  (*weight = x, 0))))
		return -1;
	x = *place;
	if (s->padding == REFLECTION && s->mode == CUBIC && reflect(g, n, s, extent, &x))
		return -1;
	return compute(g, n, &x, index, "x 0 %u clip int", extent - 1);
}

/* Coefficient of tap @k of four at distance @t in [0, 1) from the second. */
static int cubic_weight(struct ir_graph *g, const struct ir_node *n, int k, const ir_value *t, ir_value *out)
{
	/* a = -0.75: ((a d - 5a) d + 8a) d - 4a beyond 1, ((a + 2) d - (a + 3)) d^2 + 1 within */
	static const char *const far = "x -0.75 mul 3.75 add x mul -6 add x mul 3 add";
	static const char *const near = "x 1.25 mul -2.25 add x mul x mul 1 add";
	ir_value d;

	if (compute(g, n, t, &d, k == 0 ? "x 1 add" : k == 1 ? "x 1 mul" : k == 2 ? "1 x sub" : "2 x sub"))
		return -1;
	return lower_expression(g, n, k == 1 || k == 2 ? near : far, &d, out);
}

/* Coordinates @c [places, 1] in [-1, 1] along one dimension. */
static int read_axis(struct ir_graph *g, const struct ir_node *n, const struct sample *s, const ir_value *c,
		     struct sample_axis *a)
{
	double scale = s->align_corners ? (a->extent - 1) / 2.0 : a->extent / 2.0;
	double shift = s->align_corners ? scale : scale - 0.5;
	ir_value x, base, t;

	if (compute(g, n, c, &x, s->mode == NEAREST ? "x %.9g %.9g affine round" : "x %.9g %.9g affine", scale, shift))
		return -1;
	if (s->padding == BORDER && compute(g, n, &x, &x, "x 0 %u clip", a->extent - 1))
		return -1;
	if (s->padding == REFLECTION && reflect(g, n, s, a->extent, &x))
		return -1;
	if (s->mode == NEAREST)
		return pixel(g, n, s, a->extent, &x, &a->index[0], &a->weight[0]);
	if (lower_expression(g, n, "x floor", &x, &base) || lower_expression(g, n, "x y sub", (ir_value[]){ x, base }, &t))
		return -1;
	for (uint32_t k = 0; k < s->taps; k++) {
		ir_value place;

		if (s->mode == CUBIC ? cubic_weight(g, n, k, &t, &a->weight[k]) :
				       compute(g, n, &t, &a->weight[k], k ? "x 1 mul" : "1 x sub"))
			return -1;
		if (compute(g, n, &base, &place, "x %d add", (int)k - (s->mode == CUBIC)) ||
		    pixel(g, n, s, a->extent, &place, &a->index[k], &a->weight[k]))
			return -1;
	}
	return 0;
}

/* Add the elements at one combination of taps, one per dimension, to @sum. */
static int add_tap(struct ir_graph *g, const struct ir_node *n, const struct sample *s, const uint32_t *tap,
		   const ir_value *rows, const ir_value *batch, ir_value *sum)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER, .operand = { [1] = *rows } };
	int64_t dims[2] = { batch->view.dims[0], rows->view.dims[1] }, flat = dims[0];
	ir_value at = s->axis[0].index[tap[0]], weight = s->axis[0].weight[tap[0]];

	for (uint32_t d = 1; d < s->axes; d++) {
		ir_value next = s->axis[d].weight[tap[d]];

		if (compute(g, n, (ir_value[]){ at, s->axis[d].index[tap[d]] }, &at, "x %u mul y add", s->axis[d].extent) ||
		    (weight.view.dtype && lower_expression(g, n, "x y mul", (ir_value[]){ weight, next }, &weight)))
			return -1;
	}
	if (lower_expression(g, n, "x y add", (ir_value[]){ at, *batch }, &at) ||
	    ir_reshape(g, &at, 1, &flat, &op.operand[2]) ||
	    ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, ONSRAM_DTYPE_F32, 2, dims, &op.operand[0]) ||
	    ir_push(g, &op))
		return -1;
	if (!sum->view.dtype) {
		*sum = op.operand[0];
		return weight.view.dtype ? lower_expression(g, n, "x y mul", (ir_value[]){ *sum, weight }, sum) : 0;
	}
	return lower_expression(g, n, "x y z mul_add", (ir_value[]){ op.operand[0], weight, *sum }, sum);
}

/* All combinations of taps; @rows are the elements' channels, [batch * elements, channels]. */
static int add_taps(struct ir_graph *g, const struct ir_node *n, const struct sample *s, const ir_value *rows,
		    const ir_value *batch, ir_value *sum)
{
	uint32_t tap[ONSRAM_MAX_SPATIAL] = { 0 }, d;

	for (;;) {
		if (add_tap(g, n, s, tap, rows, batch, sum))
			return -1;
		for (d = 0; d < s->axes && ++tap[d] == s->taps; d++)
			tap[d] = 0;
		if (d == s->axes)
			return 0;
	}
}

/* Where the elements of each place's image begin: int64 [places, 1]. */
static int batch_starts(struct ir_graph *g, const struct ir_node *n, uint32_t images, uint64_t places, uint64_t elements,
			ir_value *out)
{
	int64_t column[2] = { images * places, 1 };

	if (lower_iota(g, n, ONSRAM_DTYPE_I64, images, 2, 0, out) ||
	    compute(g, n, out, out, "x %llu mul", (unsigned long long)elements))
		return -1;
	out->view.dims[1] = places;
	out->view.strides[1] = 0;
	return ir_reshape(g, out, 2, column, out);
}

static int sample(struct ir_graph *g, const struct ir_node *n, struct sample *s)
{
	const ir_value *x = &n->in[0], *grid = &n->in[1];
	uint32_t rank = x->view.rank, images = x->view.dims[0], channels = x->view.dims[1];
	uint64_t elements = 1, places = 1;
	int64_t dims[ONSRAM_MAX_RANK], flat[2];
	ir_value rows = *x, column, batch, sum = { 0 };

	for (uint32_t d = 2; d < rank; d++) {
		elements *= x->view.dims[d];
		places *= grid->view.dims[d - 1];
	}
	/* Channels last: a place's are a row. */
	for (uint32_t d = 1; d + 1 < rank; d++)
		view_swap(&rows.view, d, d + 1);
	flat[0] = images * elements;
	flat[1] = channels;
	if (ir_reshape(g, &rows, 2, flat, &rows))
		return -1;
	flat[0] = images * places;
	flat[1] = 1;
	for (uint32_t d = 0; d < s->axes; d++) {
		column = *grid;
		/* The grid names the innermost dimension first. */
		column.offset += (int64_t)(s->axes - 1 - d) * grid->view.strides[rank - 1];
		column.view.dims[rank - 1] = 1;
		s->axis[d].extent = x->view.dims[2 + d];
		if (ir_reshape(g, &column, 2, flat, &column) || read_axis(g, n, s, &column, &s->axis[d]))
			return -1;
	}
	if (batch_starts(g, n, images, places, elements, &batch) || add_taps(g, n, s, &rows, &batch, &sum))
		return -1;
	dims[0] = images;
	for (uint32_t d = 1; d + 1 < rank; d++)
		dims[d] = grid->view.dims[d];
	dims[rank - 1] = channels;
	if (ir_reshape(g, &sum, rank, dims, &sum))
		return -1;
	for (uint32_t d = rank - 1; d > 1; d--)
		view_swap(&sum.view, d, d - 1);
	return lower_bind(g, n, 0, &sum);
}

static int lower_grid_sample(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	static const char *const modes[][2] = { { "nearest", "nearest" }, { "linear", "bilinear" }, { "cubic", "bicubic" } };
	static const char *const paddings[] = { "zeros", "border", "reflection" };
	const ir_value *x = &n->in[0], *grid = &n->in[1];
	struct sample s = { .align_corners = proto_int(n->proto, "align_corners", 0), .axes = x->view.rank - 2 };
	int mode = -1, padding = -1;

	(void)func;
	for (int i = 0; i < 3; i++) {
		if (proto_is(n->proto, "mode", "linear", modes[i][0]) || proto_is(n->proto, "mode", "linear", modes[i][1]))
			mode = i;
		if (proto_is(n->proto, "padding_mode", "zeros", paddings[i]))
			padding = i;
	}
	if (mode < 0 || padding < 0)
		return ir_fail(g, "mode or padding_mode has an unknown value");
	if (lower_spatial(g, x) || lower_float(g, grid, "grid"))
		return -1;
	if (grid->view.rank != x->view.rank || grid->view.dims[0] != x->view.dims[0] ||
	    grid->view.dims[x->view.rank - 1] != s.axes)
		return ir_fail(g, "grid does not fit the input");
	if (!view_count(&x->view) || !view_count(&grid->view))
		return ir_fail(g, "an input is empty");
	s.mode = mode;
	s.padding = padding;
	s.taps = mode == NEAREST ? 1 : mode == LINEAR ? 2 : 4;
	return sample(g, n, &s);
}

/* Coordinates -1 to 1 along a dimension, at the centres of its elements or at its corners. */
static float centre(uint32_t i, uint32_t extent, bool align_corners)
{
	if (align_corners)
		return extent == 1 ? 0 : 2.0 * i / (extent - 1) - 1;
	return (2.0 * i + 1) / extent - 1;
}

/* The product of homogeneous coordinates, which are constant, with each image's matrix. */
static int lower_affine_grid(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	bool align_corners = proto_int(n->proto, "align_corners", 0);
	int64_t size[ONSRAM_MAX_RANK], dims[ONSRAM_MAX_RANK], base_dims[2];
	int rank = ir_ints(g, &n->in[1], "size", size, ONSRAM_MAX_RANK), axes = rank - 2;
	const ir_value *theta = &n->in[0];
	ir_value base, turned = *theta, out;
	uint64_t places = 1;
	float *data;

	(void)func;
	if (rank < 0 || lower_float(g, theta, "theta"))
		return -1;
	if (rank < 4 || rank > 5 || theta->view.rank != 3 || theta->view.dims[0] != size[0] ||
	    theta->view.dims[1] != (uint32_t)axes || theta->view.dims[2] != (uint32_t)axes + 1)
		return ir_fail(g, "theta does not fit size");
	dims[0] = size[0];
	for (int d = 0; d < axes; d++) {
		dims[1 + d] = size[2 + d];
		if (size[2 + d] < 1 || size[2 + d] > IR_FOLD_ELEMENTS || (places *= size[2 + d]) > IR_FOLD_TOTAL)
			return ir_fail(g, "size[%d] is %lld, out of range", 2 + d, (long long)size[2 + d]);
	}
	dims[1 + axes] = axes;
	base_dims[0] = places;
	base_dims[1] = axes + 1;
	if (ir_charge(g, places * (axes + 1)))
		return -1;
	data = malloc(places * (axes + 1) * sizeof(*data));
	if (!data)
		return ir_nomem(g);
	for (uint64_t i = 0; i < places; i++) {
		uint64_t rest = i;

		for (int d = axes - 1; d >= 0; d--) {
			data[i * (axes + 1) + axes - 1 - d] = centre(rest % size[2 + d], size[2 + d], align_corners);
			rest /= size[2 + d];
		}
		data[i * (axes + 1) + axes] = 1;
	}
	view_swap(&turned.view, 1, 2);
	if (ir_const_new(g, "coordinates", ONSRAM_DTYPE_F32, 2, base_dims, data, &base) ||
	    lower_matrix_product(g, n, &base, &turned, &out) || ir_reshape(g, &out, rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_sample_rules[] = {
	RULE("AffineGrid", 20, NOW, 2, 2, lower_affine_grid, 0),
	RULE("GridSample", 16, NOW, 2, 2, lower_grid_sample, 0),
	{ 0 }
};
