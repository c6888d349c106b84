// SPDX-License-Identifier: MIT
/*
 * Recurrent layers, unrolled: the products with the input for all steps at
 * once, then a product with the state, and the gates, for every step.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lower.h"

/* Steps of a sequence; the limit of operations ends others before. */
#define MAX_STEPS 4096

/**
 * struct layer - a recurrent layer, its dimensions in the order of layout 0
 * @x: [steps, batch, inputs]
 * @initial: [directions, batch, hidden], or absent
 * @lengths: int64 [batch], or absent: the sequences are of full length
 */
struct layer {
	uint32_t gates, directions, hidden, steps, batch;
	bool reverse_only, batch_first, linear_before_reset;
	float clip;
	ir_value x, initial, lengths;
	char activation[4][64];
};

/* One direction of it: weights [gates * hidden, inputs or hidden], biases [gates * hidden]. */
struct direction {
	uint32_t index;
	bool reverse;
	ir_value w, r, wb, rb;
	ir_value state;		/* [batch, hidden] */
	ir_value inputs;	/* of all steps: [steps, batch, gates * hidden] */
};

/* Rows @from to @from + @nr of dimension @axis. */
static ir_value part(const ir_value *v, uint32_t axis, uint32_t from, uint32_t nr)
{
	ir_value out = *v;

	out.offset += (int64_t)from * v->view.strides[axis];
	out.view.dims[axis] = nr;
	return out;
}

static ir_value at(const ir_value *v, uint32_t axis, uint32_t index)
{
	ir_value out = *v;

	lower_pick_view(&out, axis, index);
	return out;
}

/* Parameters of activations are listed for those that have some, in their order: @alphas and @betas are taken already. */
struct parameters {
	uint32_t alphas, betas;
};

/* The next of the list @attr, or @def where it has no more. */
static double next_parameter(const struct ir_node *n, const char *attr, double def, uint32_t *taken)
{
	const Onnx__AttributeProto *a = proto_attr(n->proto, attr);
	uint32_t i = (*taken)++;

	return a && i < a->n_floats ? a->floats[i] : def;
}

/* Activation @i as a formula, by its ONNX name, @def where the node names none. */
static int activation(struct ir_graph *g, const struct ir_node *n, uint32_t i, const char *def, struct parameters *taken,
		      char *formula, size_t size)
{
	static const struct {
		const char *name, *formula;
		bool has_alpha, has_beta;
		double alpha, beta;
	} known[] = {
		{ "Affine", "x %.9g mul %.9g add", true, true, 1, 0 },
		{ "Elu", "x 0 min exp -1 add %.9g mul x relu add", true, false, 1, 0 },
		{ "HardSigmoid", "x %.9g %.9g hard_sigmoid", true, true, 0.2, 0.5 },
		{ "LeakyRelu", "x %.9g leaky_relu", true, false, 0.01, 0 },
		{ "Relu", "x relu", false, false, 0, 0 }, { "Sigmoid", "x sigmoid", false, false, 0, 0 },
		{ "Softplus", "x abs neg exp 1 add log x relu add", false, false, 0, 0 },
		{ "Softsign", "x x abs 1 add div", false, false, 0, 0 }, { "Tanh", "x tanh", false, false, 0, 0 },
		{ "ThresholdedRelu", "x %.9g greater x 0 where", true, false, 1, 0 },
	};
	const Onnx__AttributeProto *names = proto_attr(n->proto, "activations");
	size_t length = names && i < names->n_strings ? names->strings[i].len : strlen(def);
	const char *name = names && i < names->n_strings ? (const char *)names->strings[i].data : def;

	if (names && names->n_strings && i >= names->n_strings)
		return ir_fail(g, "activations has %zu elements", names->n_strings);
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		double alpha = 0, beta = 0;

		if (strlen(known[k].name) != length || strncasecmp(known[k].name, name, length))
			continue;
		if (known[k].has_alpha)
			alpha = next_parameter(n, "activation_alpha", known[k].alpha, &taken->alphas);
		if (known[k].has_beta)
			beta = next_parameter(n, "activation_beta", known[k].beta, &taken->betas);
		snprintf(formula, size, known[k].formula, alpha, beta);
		return 0;
	}
	return ir_fail(g, "activation '%.*s' is not supported", (int)length, name);
}

static int need_shape(struct ir_graph *g, const ir_value *v, const char *what, uint32_t rank, const uint32_t *dims)
{
	if (lower_float(g, v, what))
		return -1;
	if (v->view.rank != rank || memcmp(v->view.dims, dims, rank * sizeof(*dims)))
		return ir_fail(g, "%s does not have the shape that the other inputs ask for", what);
	return 0;
}

static int read_layer(struct ir_graph *g, const struct ir_node *n, uint32_t gates, struct layer *l)
{
	bool forward = proto_is(n->proto, "direction", "forward", "forward");
	bool both = proto_is(n->proto, "direction", "forward", "bidirectional");
	const ir_value *w = &n->in[1];
	uint32_t per_direction = gates == 1 ? 1 : 2;
	struct parameters taken = { 0 };

	l->gates = gates;
	l->directions = both ? 2 : 1;
	l->reverse_only = proto_is(n->proto, "direction", "forward", "reverse");
	l->batch_first = proto_int(n->proto, "layout", 0);
	l->linear_before_reset = proto_int(n->proto, "linear_before_reset", 0);
	l->clip = proto_float(n->proto, "clip", 0);
	l->x = n->in[0];
	l->initial = n->in[5];
	l->lengths = n->in[4];
	if (!forward && !both && !l->reverse_only)
		return ir_fail(g, "direction has an unknown value");
	if (lower_float(g, &l->x, "X") || lower_float(g, w, "W"))
		return -1;
	if (l->x.view.rank != 3 || w->view.rank != 3 || !w->view.dims[1] || w->view.dims[1] % gates)
		return ir_fail(g, "X has %u dimensions and W %u, expected 3", l->x.view.rank, w->view.rank);
	if (l->batch_first) {
		view_swap(&l->x.view, 0, 1);
		if (l->initial.view.dtype && l->initial.view.rank == 3)
			view_swap(&l->initial.view, 0, 1);
	}
	l->steps = l->x.view.dims[0];
	l->batch = l->x.view.dims[1];
	l->hidden = w->view.dims[1] / gates;
	if (!l->steps || l->steps > MAX_STEPS || !l->batch)
		return ir_fail(g, "%u steps of %u sequences are not supported", l->steps, l->batch);
	if (need_shape(g, w, "W", 3, (uint32_t[]){ l->directions, gates * l->hidden, l->x.view.dims[2] }) ||
	    need_shape(g, &n->in[2], "R", 3, (uint32_t[]){ l->directions, gates * l->hidden, l->hidden }) ||
	    (n->in[3].view.dtype && need_shape(g, &n->in[3], "B", 2, (uint32_t[]){ l->directions, 2 * gates * l->hidden })) ||
	    (l->initial.view.dtype &&
	     need_shape(g, &l->initial, "initial_h", 3, (uint32_t[]){ l->directions, l->batch, l->hidden })))
		return -1;
	if (l->lengths.view.dtype) {
		if (l->lengths.view.rank != 1 || l->lengths.view.dims[0] != l->batch)
			return ir_fail(g, "sequence_lens does not have one element per sequence");
		if (lower_convert(g, n, &l->lengths, ONSRAM_DTYPE_I64, &l->lengths))
			return -1;
	}
	for (uint32_t i = 0; i < l->directions * per_direction; i++)
		if (activation(g, n, i, gates > 1 && i % 2 == 0 ? "Sigmoid" : "Tanh", &taken, l->activation[i],
			       sizeof(l->activation[i])))
			return -1;
	return 0;
}

/* @v, clipped if the layer asks for it, through its function @i. */
static int activate(struct ir_graph *g, const struct ir_node *n, const struct layer *l, uint32_t i, const ir_value *v,
		    ir_value *out)
{
	char clip[48];

	*out = *v;
	snprintf(clip, sizeof(clip), "x %.9g %.9g clip", -l->clip, l->clip);
	if (l->clip > 0 && lower_expression(g, n, clip, out, out))
		return -1;
	return lower_expression(g, n, l->activation[i], out, out);
}

/* @x times the transpose of @w, plus @bias where there is one. */
static int product(struct ir_graph *g, const struct ir_node *n, const ir_value *x, const ir_value *w, const ir_value *bias,
		   ir_value *out)
{
	ir_value turned = *w;

	view_swap(&turned.view, 0, 1);
	if (lower_matrix_product(g, n, x, &turned, out))
		return -1;
	return bias->view.dtype ? lower_expression(g, n, "x y add", (ir_value[]){ *out, *bias }, out) : 0;
}

/* The state after a step of RNN: f(x W' + h R' + both biases). */
static int rnn_step(struct ir_graph *g, const struct ir_node *n, const struct layer *l, const struct direction *d,
		    const ir_value *x, ir_value *h)
{
	ir_value sum;

	if (product(g, n, h, &d->r, &d->rb, &sum) ||
	    lower_expression(g, n, "x y add", (ir_value[]){ sum, *x }, &sum))
		return -1;
	return activate(g, n, l, d->index, &sum, h);
}

/* The state after a step of GRU: gates z (update), r (reset) and h (hidden), in this order. */
static int gru_step(struct ir_graph *g, const struct ir_node *n, const struct layer *l, const struct direction *d,
		    const ir_value *x, ir_value *h)
{
	uint32_t size = l->hidden, f = 2 * d->index;
	ir_value gates, hidden, z, r, w = part(&d->r, 0, 0, 2 * size), b = d->rb;
	ir_value w_hidden = part(&d->r, 0, 2 * size, size), b_hidden = b, x_hidden = part(x, 1, 2 * size, size);

	if (b.view.dtype) {
		b = part(&d->rb, 0, 0, 2 * size);
		b_hidden = part(&d->rb, 0, 2 * size, size);
	}
	if (product(g, n, h, &w, &b, &gates) ||
	    lower_expression(g, n, "x y add", (ir_value[]){ gates, part(x, 1, 0, 2 * size) }, &gates) ||
	    activate(g, n, l, f, &gates, &gates))
		return -1;
	z = part(&gates, 1, 0, size);
	r = part(&gates, 1, size, size);
	if (l->linear_before_reset) {
		if (product(g, n, h, &w_hidden, &b_hidden, &hidden) ||
		    lower_expression(g, n, "x y mul z add", (ir_value[]){ hidden, r, x_hidden }, &hidden))
			return -1;
	} else if (lower_expression(g, n, "x y mul", (ir_value[]){ *h, r }, &hidden) ||
		   product(g, n, &hidden, &w_hidden, &b_hidden, &hidden) ||
		   lower_expression(g, n, "x y add", (ir_value[]){ hidden, x_hidden }, &hidden)) {
		return -1;
	}
	if (activate(g, n, l, f + 1, &hidden, &hidden))
		return -1;
	/* (1 - z) * hidden + z * h */
	return lower_expression(g, n, "x 1 z sub mul z y mul add", (ir_value[]){ hidden, *h, z }, h);
}

static int start_direction(struct ir_graph *g, const struct ir_node *n, const struct layer *l, uint32_t index,
			   struct direction *d)
{
	uint32_t fill[2] = { 0 }, size = l->gates * l->hidden;
	int64_t dims[2] = { l->batch, l->hidden };

	*d = (struct direction){
		.index = index, .reverse = l->reverse_only || index, .w = at(&n->in[1], 0, index), .r = at(&n->in[2], 0, index),
	};
	if (n->in[3].view.dtype) {
		ir_value bias = at(&n->in[3], 0, index);

		d->wb = part(&bias, 0, 0, size);
		d->rb = part(&bias, 0, size, size);
	}
	if (l->initial.view.dtype)
		d->state = at(&l->initial, 0, index);
	else if (ir_filled_new(g, "initial", ONSRAM_DTYPE_F32, 2, dims, fill, &d->state))
		return -1;
	return product(g, n, &l->x, &d->w, &d->wb, &d->inputs);
}

/* Put @v into @out, a part of an output. */
static int store(struct ir_graph *g, const ir_value *v, const ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY, .operand = { *out, *v } };

	return ir_push(g, &op);
}

/* Whether step @t lies in each sequence: bool [batch, 1]. */
static int in_sequence(struct ir_graph *g, const struct ir_node *n, const struct layer *l, uint32_t t, ir_value *out)
{
	int64_t dims[2] = { l->batch, 1 };
	char formula[32];

	snprintf(formula, sizeof(formula), "x %u greater", t);
	return lower_expression(g, n, formula, &l->lengths, out) || ir_reshape(g, out, 2, dims, out) ? -1 : 0;
}

/* All steps of one direction; @y is [steps, batch, hidden], its part of output 0, if that is asked for. */
static int run_direction(struct ir_graph *g, const struct ir_node *n, const struct layer *l, struct direction *d,
			 const ir_value *y)
{
	for (uint32_t i = 0; i < l->steps; i++) {
		uint32_t t = d->reverse ? l->steps - 1 - i : i;
		ir_value x = at(&d->inputs, 0, t), h = d->state, in[3], shown;

		if (l->gates == 1 ? rnn_step(g, n, l, d, &x, &h) : gru_step(g, n, l, d, &x, &h))
			return -1;
		shown = h;
		/* Beyond its end, a sequence keeps its state and has no output. */
		if (l->lengths.view.dtype) {
			in[1] = h;
			in[2] = d->state;
			if (in_sequence(g, n, l, t, &in[0]) || lower_expression(g, n, "x y z where", in, &h) ||
			    lower_expression(g, n, "x y 0 where", in, &shown))
				return -1;
		}
		d->state = h;
		if (y->view.dtype) {
			ir_value place = at(y, 0, t);

			if (store(g, &shown, &place))
				return -1;
		}
	}
	return 0;
}

static bool has_output(const struct ir_node *n, uint32_t i)
{
	return i < n->proto->n_output && *n->proto->output[i];
}

static int lower_recurrent(struct ir_graph *g, const struct ir_node *n, uint32_t gates)
{
	ir_value y = { 0 }, last = { 0 }, y_out, last_out;
	struct layer l = { 0 };

	if (read_layer(g, n, gates, &l))
		return -1;
	if (has_output(n, 0)) {
		if (l.batch_first ? lower_new(g, n, 0, ONSRAM_DTYPE_F32, 4,
					      (int64_t[]){ l.batch, l.steps, l.directions, l.hidden }, &y_out) :
				    lower_new(g, n, 0, ONSRAM_DTYPE_F32, 4,
					      (int64_t[]){ l.steps, l.directions, l.batch, l.hidden }, &y_out))
			return -1;
		y = y_out;
		if (l.batch_first) {	/* to [steps, directions, batch, hidden] */
			view_swap(&y.view, 0, 1);
			view_swap(&y.view, 1, 2);
		}
	}
	if (has_output(n, 1)) {
		if (lower_new(g, n, 1, ONSRAM_DTYPE_F32, 3, l.batch_first ? (int64_t[]){ l.batch, l.directions, l.hidden } :
			      (int64_t[]){ l.directions, l.batch, l.hidden }, &last_out))
			return -1;
		last = last_out;
		if (l.batch_first)
			view_swap(&last.view, 0, 1);
	}
	for (uint32_t i = 0; i < l.directions; i++) {
		ir_value part_of_y = { 0 };
		struct direction d;

		if (y.view.dtype)
			part_of_y = at(&y, 1, i);
		if (start_direction(g, n, &l, i, &d) || run_direction(g, n, &l, &d, &part_of_y))
			return -1;
		if (last.view.dtype) {
			ir_value place = at(&last, 0, i);

			if (store(g, &d.state, &place))
				return -1;
		}
	}
	return 0;
}

const struct lower_rule lower_recurrent_rules[] = {
	RULE("GRU", 1, NOW, 3, 6, lower_recurrent, 3),
	RULE("RNN", 1, NOW, 3, 6, lower_recurrent, 1),
	{ 0 }
};
