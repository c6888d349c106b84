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

/* By the number of their gates, which the table of operators gives. */
enum { RNN = 1, GRU = 3, LSTM = 4 };

/* A layer's state: of LSTM the output and the cell, of others the output alone. */
enum { OUTPUT, CELL, STATES };

/**
 * struct layer - a recurrent layer, its dimensions in the order of layout 0
 * @functions: activation functions of a direction
 * @states: of STATES
 * @x: [steps, batch, inputs]
 * @initial: [directions, batch, hidden], or absent: zeros
 * @lengths: int64 [batch], or absent: the sequences are of full length
 * @peepholes: [directions, 3 * hidden], or absent
 */
struct layer {
	uint32_t gates, functions, states, directions, hidden, steps, batch;
	bool reverse_only, batch_first, linear_before_reset, input_forget;
	float clip;
	ir_value x, initial[STATES], lengths, peepholes;
	char activation[6][64];
};

/* One direction of it: weights [gates * hidden, inputs or hidden], biases [gates * hidden]. */
struct direction {
	uint32_t index;
	bool reverse;
	ir_value w, r, wb, rb;
	ir_value peepholes;	/* [3 * hidden], or absent */
	ir_value state[STATES];	/* each [batch, hidden] */
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

static const struct function {
	const char *name, *formula;	/* of alpha and beta */
	uint32_t params;
	float alpha, beta;
} functions[] = {
	{ "Affine", "x %.9g mul %.9g add", 2, 1, 0 },
	{ "Elu", "x 0 min exp -1 add %.9g mul x relu add", 1, 1, 0 },
	{ "HardSigmoid", "x %.9g %.9g hard_sigmoid", 2, 0.2f, 0.5f },
	{ "LeakyRelu", "x %.9g leaky_relu", 1, 0.01f, 0 },
	{ "Relu", "x relu", 0, 0, 0 },
	{ "ScaledTanh", "x %2$.9g mul tanh %1$.9g mul", 2, 1, 1 },
	{ "Sigmoid", "x sigmoid", 0, 0, 0 },
	{ "Softplus", "x abs neg exp 1 add log x relu add", 0, 0, 0 },
	{ "Softsign", "x x abs 1 add div", 0, 0, 0 },
	{ "Tanh", "x tanh", 0, 0, 0 },
	{ "ThresholdedRelu", "x %.9g greater x 0 where", 1, 1, 0 },
};

static const struct function *find_function(const char *name, size_t length)
{
	for (size_t k = 0; k < sizeof(functions) / sizeof(functions[0]); k++)
		if (strlen(functions[k].name) == length && !strncasecmp(functions[k].name, name, length))
			return &functions[k];
	return NULL;
}

/* The activation functions of all directions as formulas; each takes the next alpha and beta if it has them. */
static int read_activations(struct ir_graph *g, const struct ir_node *n, struct layer *l)
{
	const Onnx__AttributeProto *names = proto_attr(n->proto, "activations");
	const Onnx__AttributeProto *alphas = proto_attr(n->proto, "activation_alpha");
	const Onnx__AttributeProto *betas = proto_attr(n->proto, "activation_beta");
	uint32_t nr = l->directions * l->functions, alpha = 0, beta = 0;

	if (names && names->n_strings && names->n_strings != nr)
		return ir_fail(g, "activations has %zu elements, expected %u", names->n_strings, nr);
	for (uint32_t i = 0; i < nr; i++) {
		const char *name = l->gates != RNN && i % l->functions == 0 ? "Sigmoid" : "Tanh";
		size_t length = strlen(name);
		const struct function *f;

		if (names && names->n_strings) {
			name = (const char *)names->strings[i].data;
			length = names->strings[i].len;
		}
		f = find_function(name, length);
		if (!f)
			return ir_fail(g, "activation '%.*s' is not supported", (int)length, name);
		snprintf(l->activation[i], sizeof(l->activation[i]), f->formula,
			 f->params && alphas && alpha < alphas->n_floats ? alphas->floats[alpha] : f->alpha,
			 f->params > 1 && betas && beta < betas->n_floats ? betas->floats[beta] : f->beta);
		alpha += f->params > 0;
		beta += f->params > 1;
	}
	return 0;
}

static int need_shape(struct ir_graph *g, const ir_value *v, const char *what, uint32_t rank, const uint32_t *dims)
{
	if (lower_float(g, v, what))
		return -1;
	if (v->view.rank != rank || memcmp(v->view.dims, dims, rank * sizeof(*dims)))
		return ir_fail(g, "%s does not have the shape that the other inputs ask for", what);
	return 0;
}

static int read_states(struct ir_graph *g, const struct ir_node *n, struct layer *l)
{
	static const char *const names[] = { "initial_h", "initial_c" };
	uint32_t dims[3] = { l->directions, l->batch, l->hidden };

	for (uint32_t i = 0; i < l->states; i++) {
		ir_value *v = &l->initial[i];

		*v = n->in[5 + i];
		if (!v->view.dtype)
			continue;
		if (l->batch_first && v->view.rank == 3)
			view_swap(&v->view, 0, 1);
		if (need_shape(g, v, names[i], 3, dims))
			return -1;
	}
	return 0;
}

static int read_layer(struct ir_graph *g, const struct ir_node *n, uint32_t gates, struct layer *l)
{
	bool forward = proto_is(n->proto, "direction", "forward", "forward");
	bool both = proto_is(n->proto, "direction", "forward", "bidirectional");
	const ir_value *w = &n->in[1];

	l->gates = gates;
	l->functions = gates == LSTM ? 3 : gates == GRU ? 2 : 1;
	l->states = gates == LSTM ? 2 : 1;
	l->directions = both ? 2 : 1;
	l->reverse_only = proto_is(n->proto, "direction", "forward", "reverse");
	l->batch_first = proto_int(n->proto, "layout", 0);
	l->linear_before_reset = proto_int(n->proto, "linear_before_reset", 0);
	l->input_forget = proto_int(n->proto, "input_forget", 0);
	l->clip = proto_float(n->proto, "clip", 0);
	l->x = n->in[0];
	l->lengths = n->in[4];
	l->peepholes = n->in[7];
	if (!forward && !both && !l->reverse_only)
		return ir_fail(g, "direction has an unknown value");
	if (lower_float(g, &l->x, "X") || lower_float(g, w, "W"))
		return -1;
	if (l->x.view.rank != 3 || w->view.rank != 3 || !w->view.dims[1] || w->view.dims[1] % gates)
		return ir_fail(g, "X has %u dimensions and W %u, expected 3", l->x.view.rank, w->view.rank);
	if (l->batch_first)
		view_swap(&l->x.view, 0, 1);
	l->steps = l->x.view.dims[0];
	l->batch = l->x.view.dims[1];
	l->hidden = w->view.dims[1] / gates;
	if (!l->steps || l->steps > MAX_STEPS || !l->batch)
		return ir_fail(g, "%u steps of %u sequences are not supported", l->steps, l->batch);
	if (need_shape(g, w, "W", 3, (uint32_t[]){ l->directions, gates * l->hidden, l->x.view.dims[2] }) ||
	    need_shape(g, &n->in[2], "R", 3, (uint32_t[]){ l->directions, gates * l->hidden, l->hidden }) ||
	    (n->in[3].view.dtype && need_shape(g, &n->in[3], "B", 2, (uint32_t[]){ l->directions, 2 * gates * l->hidden })) ||
	    (l->peepholes.view.dtype &&
	     need_shape(g, &l->peepholes, "P", 2, (uint32_t[]){ l->directions, 3 * l->hidden })) ||
	    read_states(g, n, l))
		return -1;
	if (l->lengths.view.dtype) {
		if (l->lengths.view.rank != 1 || l->lengths.view.dims[0] != l->batch)
			return ir_fail(g, "sequence_lens does not have one element per sequence");
		if (lower_convert(g, n, &l->lengths, ONSRAM_DTYPE_I64, &l->lengths))
			return -1;
	}
	return read_activations(g, n, l);
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

/* Gate @gate of LSTM before its function, with what its peephole sees of the @cell. */
static int lstm_gate(struct ir_graph *g, const struct ir_node *n, const struct layer *l, const struct direction *d,
		     const ir_value *gates, uint32_t gate, const ir_value *cell, ir_value *out)
{
	ir_value v = part(gates, 1, gate * l->hidden, l->hidden);

	if (d->peepholes.view.dtype &&
	    lower_expression(g, n, "x y mul z add",
			     (ir_value[]){ *cell, part(&d->peepholes, 0, gate * l->hidden, l->hidden), v }, &v))
		return -1;
	return activate(g, n, l, 3 * d->index, &v, out);
}

/* The states after a step of LSTM: gates i (input), o (output), f (forget) and c (cell), in this order. */
static int lstm_step(struct ir_graph *g, const struct ir_node *n, const struct layer *l, const struct direction *d,
		     const ir_value *x, ir_value *h, ir_value *cell)
{
	uint32_t size = l->hidden;
	ir_value gates, three, i, o, f, c;

	if (product(g, n, h, &d->r, &d->rb, &gates) || lower_expression(g, n, "x y add", (ir_value[]){ gates, *x }, &gates))
		return -1;
	c = part(&gates, 1, 3 * size, size);
	if (activate(g, n, l, 3 * d->index + 1, &c, &c))
		return -1;
	if (d->peepholes.view.dtype) {
		if (lstm_gate(g, n, l, d, &gates, 0, cell, &i) || lstm_gate(g, n, l, d, &gates, 2, cell, &f))
			return -1;
	} else {
		three = part(&gates, 1, 0, 3 * size);
		if (activate(g, n, l, 3 * d->index, &three, &three))
			return -1;
		i = part(&three, 1, 0, size);
		o = part(&three, 1, size, size);
		f = part(&three, 1, 2 * size, size);
	}
	if (l->input_forget && lower_expression(g, n, "1 x sub", &i, &f))
		return -1;
	if (lower_expression(g, n, "x y mul", (ir_value[]){ i, c }, &c) ||
	    lower_expression(g, n, "x y mul z add", (ir_value[]){ f, *cell, c }, cell))
		return -1;
	if (d->peepholes.view.dtype && lstm_gate(g, n, l, d, &gates, 1, cell, &o))
		return -1;
	/* What clips the gates leaves the cell alone. */
	if (lower_expression(g, n, l->activation[3 * d->index + 2], cell, &c))
		return -1;
	return lower_expression(g, n, "x y mul", (ir_value[]){ o, c }, h);
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
	if (l->peepholes.view.dtype)
		d->peepholes = at(&l->peepholes, 0, index);
	for (uint32_t i = 0; i < l->states; i++) {
		if (l->initial[i].view.dtype)
			d->state[i] = at(&l->initial[i], 0, index);
		else if (ir_filled_new(g, "initial", ONSRAM_DTYPE_F32, 2, dims, fill, &d->state[i]))
			return -1;
	}
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

static int step(struct ir_graph *g, const struct ir_node *n, const struct layer *l, const struct direction *d,
		const ir_value *x, ir_value *state)
{
	if (l->gates == LSTM)
		return lstm_step(g, n, l, d, x, &state[OUTPUT], &state[CELL]);
	return l->gates == GRU ? gru_step(g, n, l, d, x, &state[OUTPUT]) : rnn_step(g, n, l, d, x, &state[OUTPUT]);
}

/* All steps of one direction; @y is [steps, batch, hidden], its part of output 0, if that is asked for. */
static int run_direction(struct ir_graph *g, const struct ir_node *n, const struct layer *l, struct direction *d,
			 const ir_value *y)
{
	for (uint32_t i = 0; i < l->steps; i++) {
		uint32_t t = d->reverse ? l->steps - 1 - i : i;
		ir_value x = at(&d->inputs, 0, t), next[STATES], shown, inside, place;

		memcpy(next, d->state, sizeof(next));
		if (step(g, n, l, d, &x, next))
			return -1;
		shown = next[OUTPUT];
		/* Beyond its end, a sequence keeps its state and has no output. */
		if (l->lengths.view.dtype) {
			if (in_sequence(g, n, l, t, &inside) ||
			    lower_expression(g, n, "x y 0 where", (ir_value[]){ inside, shown }, &shown))
				return -1;
			for (uint32_t k = 0; k < l->states; k++)
				if (lower_expression(g, n, "x y z where", (ir_value[]){ inside, next[k], d->state[k] },
						     &next[k]))
					return -1;
		}
		memcpy(d->state, next, sizeof(next));
		if (y->view.dtype) {
			place = at(y, 0, t);
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

/* Output 0, all steps' outputs, as @y [steps, directions, batch, hidden]. */
static int new_steps(struct ir_graph *g, const struct ir_node *n, const struct layer *l, ir_value *y)
{
	if (!l->batch_first)
		return lower_new(g, n, 0, ONSRAM_DTYPE_F32, 4,
				 (int64_t[]){ l->steps, l->directions, l->batch, l->hidden }, y);
	if (lower_new(g, n, 0, ONSRAM_DTYPE_F32, 4, (int64_t[]){ l->batch, l->steps, l->directions, l->hidden }, y))
		return -1;
	view_swap(&y->view, 0, 1);
	view_swap(&y->view, 1, 2);
	return 0;
}

/* Output @i, the last of a state, as @last [directions, batch, hidden]. */
static int new_last(struct ir_graph *g, const struct ir_node *n, const struct layer *l, uint32_t i, ir_value *last)
{
	if (!l->batch_first)
		return lower_new(g, n, i, ONSRAM_DTYPE_F32, 3, (int64_t[]){ l->directions, l->batch, l->hidden }, last);
	if (lower_new(g, n, i, ONSRAM_DTYPE_F32, 3, (int64_t[]){ l->batch, l->directions, l->hidden }, last))
		return -1;
	view_swap(&last->view, 0, 1);
	return 0;
}

static int lower_recurrent(struct ir_graph *g, const struct ir_node *n, uint32_t gates)
{
	ir_value y = { 0 }, last[STATES] = { 0 };
	struct layer l = { 0 };

	if (read_layer(g, n, gates, &l) || (has_output(n, 0) && new_steps(g, n, &l, &y)))
		return -1;
	for (uint32_t k = 0; k < l.states; k++)
		if (has_output(n, 1 + k) && new_last(g, n, &l, 1 + k, &last[k]))
			return -1;
	for (uint32_t i = 0; i < l.directions; i++) {
		ir_value place = { 0 };
		struct direction d;

		if (y.view.dtype)
			place = at(&y, 1, i);
		if (start_direction(g, n, &l, i, &d) || run_direction(g, n, &l, &d, &place))
			return -1;
		for (uint32_t k = 0; k < l.states; k++) {
			if (!last[k].view.dtype)
				continue;
			place = at(&last[k], 0, i);
			if (store(g, &d.state[k], &place))
				return -1;
		}
	}
	return 0;
}

const struct lower_rule lower_recurrent_rules[] = {
	RULE("GRU", 1, NOW, 3, 6, lower_recurrent, GRU),
	RULE("LSTM", 1, NOW, 3, 8, lower_recurrent, LSTM),
	RULE("RNN", 1, NOW, 3, 6, lower_recurrent, RNN),
	{ 0 }
};
