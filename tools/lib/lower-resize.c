// SPDX-License-Identifier: MIT
/*
 * Resize: one dimension after the other.  Picking the nearest element is a
 * GATHER; interpolation is a product with the matrix of its weights.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

enum coordinates {
	HALF_PIXEL, HALF_PIXEL_SYMMETRIC, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, TF_CROP_AND_RESIZE,
};

static const char *const coordinate_modes[] = {
	"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
	"tf_crop_and_resize", NULL
};

enum mode { NEAREST, LINEAR, CUBIC };

static const char *const modes[] = { "nearest", "linear", "cubic", NULL };

enum rounding { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR, CEIL };

static const char *const roundings[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL };

enum policy { STRETCH, NOT_LARGER, NOT_SMALLER };

static const char *const policies[] = { "stretch", "not_larger", "not_smaller", NULL };

/* What one dimension becomes. */
struct resize_axis {
	double scale;
	double from, to;	/* of the region of interest, as parts of the dimension */
	uint32_t in, out;
};

struct resize {
	enum mode mode;
	enum coordinates coordinates;
	enum rounding rounding;
	double cubic_a;
	bool exclude_outside;
	bool antialias;
	double outside;		/* value for what is cropped beyond the input */
	struct resize_axis axis[ONSRAM_MAX_RANK];
};

/* Which of @names the attribute is. Return: its index, or -1 */
static int choice(struct ir_graph *g, const struct ir_node *n, const char *attr, const char *def, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (proto_is(n->proto, attr, def, names[i]))
			return i;
	return ir_fail(g, "%s has an unknown value", attr);
}

static double coordinate(const struct resize *r, const struct resize_axis *a, uint32_t x)
{
	double whole = a->scale * a->in;

	switch (r->coordinates) {
	case HALF_PIXEL_SYMMETRIC:
		return a->in / 2.0 * (1 - a->out / whole) + (x + 0.5) / a->scale - 0.5;
	case PYTORCH_HALF_PIXEL:
		return a->out > 1 ? (x + 0.5) / a->scale - 0.5 : 0;
	case ALIGN_CORNERS:
		return whole == 1 ? 0 : x * (a->in - 1.0) / (whole - 1);
	case ASYMMETRIC:
		return x / a->scale;
	case TF_CROP_AND_RESIZE:
		if (a->out == 1)
			return 0.5 * (a->from + a->to) * (a->in - 1.0);
		return a->from * (a->in - 1.0) + x * (a->to - a->from) * (a->in - 1.0) / (a->out - 1.0);
	case HALF_PIXEL:
		break;
	}
	return (x + 0.5) / a->scale - 0.5;
}

static int64_t clamp(int64_t at, uint32_t extent)
{
	return at < 0 ? 0 : at >= extent ? extent - 1 : at;
}

static int64_t nearest(const struct resize *r, const struct resize_axis *a, double x)
{
	switch (r->rounding) {
	case ROUND_PREFER_FLOOR:
		x = ceil(x - 0.5);
		break;
	case ROUND_PREFER_CEIL:
		x = floor(x + 0.5);
		break;
	case FLOOR:
		x = floor(x);
		break;
	case CEIL:
		x = ceil(x);
		break;
	}
	return clamp(x, a->in);
}

/* Weight of an element at distance @x. */
static double kernel(const struct resize *r, double x)
{
	double a = r->cubic_a;

	x = fabs(x);
	if (r->mode == LINEAR)
		return x < 1 ? 1 - x : 0;
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* Add the weights of output @x to @column, one entry per input element, @step apart. */
static void weigh(const struct resize *r, const struct resize_axis *a, double x, float *column, size_t step)
{
	double shrink = r->antialias && a->scale < 1 ? a->scale : 1, sum = 0;
	double base = ceil(x) - 1, ratio = x - base;
	int64_t first = floor((r->mode == LINEAR ? -1 : -2) / shrink) + 1;

	for (int pass = 0; pass < 2; pass++)
		for (int64_t tap = first; tap <= 1 - first; tap++) {
			int64_t at = base + tap;
			double weight = kernel(r, (tap - ratio) * shrink);

			if (r->exclude_outside && (at < 0 || at >= a->in))
				continue;
			if (!pass)
				sum += weight;
			else
				column[clamp(at, a->in) * step] += weight / sum;
		}
}

/* Let output elements that lie outside be the value that is meant for them. */
static int replace_outside(struct ir_graph *g, const struct ir_node *n, const struct resize *r,
			   const struct resize_axis *a, uint32_t axis, ir_value *v)
{
	int64_t dims[ONSRAM_MAX_RANK] = { 1, 1, 1, 1, 1, 1 };
	ir_value in[3] = { [2] = *v };
	bool some = false;
	uint8_t *outside;

	if (r->coordinates != TF_CROP_AND_RESIZE)
		return 0;
	if (ir_charge(g, a->out))
		return -1;
	outside = calloc(a->out, 1);
	if (!outside)
		return ir_nomem(g);
	for (uint32_t x = 0; x < a->out; x++) {
		double place = coordinate(r, a, x);

		outside[x] = place < 0 || place > a->in - 1.0;
		some = some || outside[x];
	}
	if (!some) {
		free(outside);
		return 0;
	}
	dims[axis] = a->out;
	if (ir_const_new(g, "outside", ONSRAM_DTYPE_BOOL, v->view.rank, dims, outside, &in[0]) ||
	    lower_scalar(g, v->view.dtype, r->outside, &in[1]))
		return -1;
	return lower_expression(g, n, "x y z where", in, v);
}

static int pick(struct ir_graph *g, const struct ir_node *n, const struct resize *r, const struct resize_axis *a,
		uint32_t axis, ir_value *v)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER, .attr.axis = axis, .operand = { [1] = *v } };
	int64_t dims[ONSRAM_MAX_RANK], nr = a->out, *at;

	if (ir_charge(g, nr))
		return -1;
	at = malloc(nr * sizeof(*at));
	if (!at)
		return ir_nomem(g);
	for (uint32_t x = 0; x < a->out; x++)
		at[x] = nearest(r, a, coordinate(r, a, x));
	for (uint32_t d = 0; d < v->view.rank; d++)
		dims[d] = d == axis ? a->out : v->view.dims[d];
	if (ir_const_new(g, "nearest", ONSRAM_DTYPE_I64, 1, &nr, at, &op.operand[2]) ||
	    ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, v->view.dtype, v->view.rank, dims, v))
		return -1;
	op.operand[0] = *v;
	return ir_push(g, &op);
}

static int interpolate(struct ir_graph *g, const struct ir_node *n, const struct resize *r, const struct resize_axis *a,
		       uint32_t axis, ir_value *v)
{
	int64_t dims[2] = { a->in, a->out };
	ir_value matrix, x = *v;
	float *weights;

	if (ir_charge(g, (uint64_t)a->in * a->out))
		return -1;
	weights = calloc((size_t)a->in * a->out, sizeof(*weights));
	if (!weights)
		return ir_nomem(g);
	for (uint32_t i = 0; i < a->out; i++)
		weigh(r, a, coordinate(r, a, i), weights + i, a->out);
	view_swap(&x.view, axis, x.view.rank - 1);
	if (ir_const_new(g, "weights", ONSRAM_DTYPE_F32, 2, dims, weights, &matrix) ||
	    lower_matrix_product(g, n, &x, &matrix, v))
		return -1;
	view_swap(&v->view, axis, v->view.rank - 1);
	return 0;
}

/* The device's own RESIZE, which does all dimensions at once. */
static bool is_native(const struct resize *r, uint32_t rank)
{
	for (uint32_t d = 0; d < rank; d++)
		if (r->axis[d].scale != (double)r->axis[d].out / r->axis[d].in)
			return false;
	if (r->antialias || r->exclude_outside)
		return false;
	return (r->mode == LINEAR && r->coordinates == HALF_PIXEL) ||
	       (r->mode == NEAREST && r->coordinates == ASYMMETRIC && r->rounding == FLOOR);
}

static int native(struct ir_graph *g, const struct ir_node *n, const struct resize *r)
{
	struct drm_onsram_op op = {
		.opcode = ONSRAM_OP_RESIZE, .operand = { [1] = n->in[0] },
		.attr.func = r->mode == LINEAR ? ONSRAM_RESIZE_LINEAR : ONSRAM_RESIZE_NEAREST,
	};
	int64_t dims[ONSRAM_MAX_RANK];

	for (uint32_t d = 0; d < n->in[0].view.rank; d++)
		dims[d] = r->axis[d].out;
	if (lower_new(g, n, 0, n->in[0].view.dtype, n->in[0].view.rank, dims, &op.operand[0]))
		return -1;
	return ir_push(g, &op);
}

static int emit(struct ir_graph *g, const struct ir_node *n, const struct resize *r)
{
	ir_value v = n->in[0];
	uint32_t rank = v.view.rank;

	for (uint32_t d = 0; d < rank; d++)
		if (!r->axis[d].in || r->axis[d].out < 1)
			return ir_fail(g, "dimension %u has %u elements and would have %u", d, r->axis[d].in, r->axis[d].out);
	if (r->mode != NEAREST && lower_float(g, &v, "input"))
		return -1;
	if (rank && is_native(r, rank))
		return native(g, n, r);
	for (uint32_t d = 0; d < rank; d++) {
		const struct resize_axis *a = &r->axis[d];

		if (a->in == a->out && a->scale == 1 && (r->coordinates != TF_CROP_AND_RESIZE || (!a->from && a->to == 1)))
			continue;
		if (r->mode == NEAREST ? pick(g, n, r, a, d, &v) : interpolate(g, n, r, a, d, &v))
			return -1;
		if (replace_outside(g, n, r, a, d, &v))
			return -1;
	}
	return lower_bind(g, n, 0, &v);
}

/* A constant vector of floats. Return: number of elements, 0 where it is not given or empty, or -1 */
static int floats(struct ir_graph *g, const ir_value *v, const char *what, float *out, uint32_t max)
{
	uint64_t nr = v->view.dtype ? view_count(&v->view) : 0;
	float *data;

	if (!nr)
		return 0;
	if (lower_float(g, v, what) || ir_need_const(g, v, what))
		return -1;
	if (v->view.rank != 1 || nr > max)
		return ir_fail(g, "%s is not a vector of at most %u elements", what, max);
	data = ir_const_read(g, v);
	if (!data)
		return -1;
	memcpy(out, data, nr * sizeof(*out));
	free(data);
	return nr;
}

/* The dimensions that roi, scales and sizes are about. Return: their number, or -1 */
static int resized_axes(struct ir_graph *g, const struct ir_node *n, int *axes)
{
	const Onnx__AttributeProto *attr = proto_attr(n->proto, "axes");
	uint32_t rank = n->in[0].view.rank, nr = attr ? attr->n_ints : rank;

	if (nr > rank)
		return ir_fail(g, "axes has %u elements for %u dimensions", nr, rank);
	for (uint32_t i = 0; i < nr; i++) {
		axes[i] = attr ? lower_axis(g, attr->ints[i], rank) : (int)i;
		if (axes[i] < 0)
			return -1;
	}
	return nr;
}

static int sizes_by_scale(struct ir_graph *g, struct resize *r, const int *axes, int nr, const float *scales)
{
	for (int i = 0; i < nr; i++) {
		struct resize_axis *a = &r->axis[axes[i]];
		double part = r->coordinates == TF_CROP_AND_RESIZE ? a->to - a->from : 1, size;

		size = floor((double)a->in * part * (double)scales[i]);
		if (!(scales[i] > 0 && size <= IR_MAX_ELEMENTS && size >= 0))
			return ir_fail(g, "scale %g is out of range", scales[i]);
		a->scale = scales[i];
		a->out = size;
	}
	return 0;
}

static int scales_by_size(struct ir_graph *g, const struct ir_node *n, struct resize *r, const int *axes, int nr,
			  const int64_t *sizes)
{
	int policy = choice(g, n, "keep_aspect_ratio_policy", "stretch", policies);
	double all = 0;

	if (policy < 0)
		return -1;
	for (int i = 0; i < nr; i++) {
		struct resize_axis *a = &r->axis[axes[i]];

		if (sizes[i] < 1 || sizes[i] > IR_MAX_ELEMENTS || !a->in)
			return ir_fail(g, "size %lld is out of range", (long long)sizes[i]);
		a->out = sizes[i];
		a->scale = (double)a->out / a->in;
		if (!i || (policy == NOT_LARGER ? a->scale < all : a->scale > all))
			all = a->scale;
	}
	for (int i = 0; i < nr && policy != STRETCH; i++) {
		struct resize_axis *a = &r->axis[axes[i]];

		a->scale = all;
		a->out = floor(a->in * all + 0.5);
	}
	return 0;
}

/* @scales, or if those are not given @sizes, and @roi are inputs of the node; an attribute may hold scales, too. */
static int resize(struct ir_graph *g, const struct ir_node *n, struct resize *r, const ir_value *roi,
		  const ir_value *scales, const ir_value *sizes)
{
	const Onnx__AttributeProto *attr = proto_attr(n->proto, "scales");
	float scale[ONSRAM_MAX_RANK], region[2 * ONSRAM_MAX_RANK];
	int axes[ONSRAM_MAX_RANK], nr = resized_axes(g, n, axes), nr_scales, nr_sizes = 0, nr_roi = 0;
	int64_t size[ONSRAM_MAX_RANK];

	if (nr < 0)
		return -1;
	for (uint32_t d = 0; d < n->in[0].view.rank; d++)
		r->axis[d] = (struct resize_axis){
			.scale = 1, .to = 1, .in = n->in[0].view.dims[d], .out = n->in[0].view.dims[d],
		};
	nr_scales = floats(g, scales, "scales", scale, ONSRAM_MAX_RANK);
	if (attr && !nr_scales && attr->n_floats <= ONSRAM_MAX_RANK) {
		nr_scales = attr->n_floats;
		memcpy(scale, attr->floats, nr_scales * sizeof(*scale));
	}
	if (!nr_scales && sizes->view.dtype)
		nr_sizes = ir_ints(g, sizes, "sizes", size, ONSRAM_MAX_RANK);
	if (r->coordinates == TF_CROP_AND_RESIZE)
		nr_roi = floats(g, roi, "roi", region, 2 * ONSRAM_MAX_RANK);
	if (nr_scales < 0 || nr_sizes < 0 || nr_roi < 0)
		return -1;
	if ((nr_scales ? nr_scales : nr_sizes) != nr || (nr_roi && nr_roi != 2 * nr))
		return ir_fail(g, "scales, sizes or roi do not have an element per dimension");
	for (int i = 0; i < nr_roi / 2; i++) {
		r->axis[axes[i]].from = region[i];
		r->axis[axes[i]].to = region[nr + i];
	}
	if (nr_scales ? sizes_by_scale(g, r, axes, nr, scale) : scales_by_size(g, n, r, axes, nr, size))
		return -1;
	return emit(g, n, r);
}

static int lower_resize(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	bool first = g->opset < 11;	/* set 10 had scales alone, and asymmetric coordinates */
	int mode = choice(g, n, "mode", "nearest", modes);
	int coordinates = choice(g, n, "coordinate_transformation_mode", first ? "asymmetric" : "half_pixel",
				 coordinate_modes);
	int rounding = choice(g, n, "nearest_mode", first ? "floor" : "round_prefer_floor", roundings);
	struct resize r = {
		.mode = mode, .coordinates = coordinates, .rounding = rounding,
		.cubic_a = proto_float(n->proto, "cubic_coeff_a", -0.75f),
		.exclude_outside = proto_int(n->proto, "exclude_outside", 0),
		.antialias = proto_int(n->proto, "antialias", 0),
		.outside = proto_float(n->proto, "extrapolation_value", 0),
	};

	(void)func;
	if (mode < 0 || coordinates < 0 || rounding < 0)
		return -1;
	return first ? resize(g, n, &r, &n->in[2], &n->in[1], &n->in[2]) :
		       resize(g, n, &r, &n->in[1], &n->in[2], &n->in[3]);
}

static int lower_upsample(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int mode = choice(g, n, "mode", "nearest", modes);
	struct resize r = { .mode = mode, .coordinates = ASYMMETRIC, .rounding = FLOOR };

	(void)func;
	if (mode < 0)
		return -1;
	return resize(g, n, &r, &n->in[2], &n->in[1], &n->in[2]);
}

const struct lower_rule lower_resize_rules[] = {
	RULE("Resize", 10, NOW, 1, 4, lower_resize, 0),
	RULE("Upsample", 1, 9, 1, 2, lower_upsample, 0),
	{ 0 }
};
