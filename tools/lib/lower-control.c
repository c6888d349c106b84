// SPDX-License-Identifier: MIT
/*
 * Control flow, as far as it is known at import: the branch that is taken, and
 * loops unrolled.
 */
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "onnx.h"

/* Passes of a loop; the limit of operations ends others before. */
#define MAX_TRIPS 65536

static const Onnx__GraphProto *body_of(struct ir_graph *g, const struct ir_node *n, const char *attr)
{
	const Onnx__AttributeProto *a = proto_attr(n->proto, attr);

	if (!a || !a->g)
		ir_fail(g, "%s is missing", attr);
	return a ? a->g : NULL;
}

/* A constant bool. Return: 0 or 1, or -1 */
static int truth(struct ir_graph *g, const ir_value *v, const char *what)
{
	uint8_t *data;
	int ret;

	if (ir_need_const(g, v, what))
		return -1;
	if (v->view.dtype != ONSRAM_DTYPE_BOOL || view_count(&v->view) != 1)
		return ir_fail(g, "%s is not one bool", what);
	data = ir_const_read(g, v);
	if (!data)
		return -1;
	ret = *data;
	free(data);
	return ret;
}

/* Initializers of a body, in a scope of their own: they serve every pass. Return: 0 or -1, then without that scope */
static int enter(struct ir_graph *g, const Onnx__GraphProto *body)
{
	if (ir_scope_enter(g, NULL, NULL))
		return -1;
	for (size_t i = 0; i < body->n_initializer; i++)
		if (initializer_again(g, body->initializer[i])) {
			ir_scope_leave(g);
			return -1;
		}
	return 0;
}

/* One pass through @body: @in are its @nr inputs, @out gets its outputs. */
static int pass(struct ir_graph *g, const Onnx__GraphProto *body, const ir_value *in, uint32_t nr, ir_value *out)
{
	int ret = 0;

	if (ir_scope_enter(g, NULL, NULL))
		return -1;
	for (uint32_t i = 0; i < nr && !ret; i++)
		ret = ir_bind(g, proto_text(body->input[i]->name), &in[i]);
	if (!ret)
		ret = nodes_lower(g, body->node, body->n_node);
	for (size_t i = 0; i < body->n_output && !ret; i++) {
		const ir_value *v = ir_lookup(g, proto_text(body->output[i]->name));

		if (!v)
			ret = ir_fail(g, "output '%s' of the body is produced by no node", proto_text(body->output[i]->name));
		else
			out[i] = *v;
	}
	ir_scope_leave(g);
	return ret;
}

static int lower_if(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__GraphProto *body;
	int taken = truth(g, &n->in[0], "the condition"), ret = 0;
	ir_value *out;

	(void)func;
	if (taken < 0)
		return -1;
	body = body_of(g, n, taken ? "then_branch" : "else_branch");
	if (!body)
		return -1;
	if (body->n_output < n->proto->n_output)
		return ir_fail(g, "the branch has %zu outputs, the node %zu", body->n_output, n->proto->n_output);
	out = calloc(body->n_output + 1, sizeof(*out));
	if (!out)
		return ir_nomem(g);
	ret = enter(g, body);
	if (!ret) {
		ret = pass(g, body, NULL, 0, out);
		ir_scope_leave(g);
	}
	for (size_t i = 0; i < n->proto->n_output && !ret; i++)
		ret = lower_bind(g, n, i, &out[i]);
	free(out);
	return ret;
}

/**
 * struct loop - a Loop or Scan being unrolled
 * @fixed: inputs of the body before the carried values, and outputs (Loop: the counter and condition; the condition)
 * @carried: values that one pass hands to the next
 * @collected: outputs of which every pass makes a part
 * @in: of the body
 * @out: likewise
 * @parts: collected so far, @collected for each pass
 */
struct loop {
	const Onnx__GraphProto *body;
	uint32_t fixed_in, fixed_out, carried, collected, scanned;
	ir_value *in, *out, *parts;
	uint32_t trips;
};

static void loop_release(struct loop *l)
{
	free(l->in);
	free(l->out);
	free(l->parts);
}

static int loop_start(struct ir_graph *g, const struct ir_node *n, struct loop *l)
{
	uint32_t in = l->fixed_in + l->carried + l->scanned;

	l->body = body_of(g, n, "body");
	if (!l->body)
		return -1;
	if (l->body->n_input != in || l->body->n_output < l->fixed_out + l->carried ||
	    l->body->n_output - l->fixed_out < n->proto->n_output)
		return ir_fail(g, "the body has %zu inputs and %zu outputs, which do not fit the node's", l->body->n_input,
			       l->body->n_output);
	l->collected = l->body->n_output - l->fixed_out - l->carried;
	l->in = calloc(in + 1, sizeof(*l->in));
	l->out = calloc(l->body->n_output + 1, sizeof(*l->out));
	return l->in && l->out ? 0 : ir_nomem(g);
}

/* One pass; what it hands on becomes input, what is collected is kept. */
static int loop_pass(struct ir_graph *g, struct loop *l)
{
	ir_value *parts = reallocarray(l->parts, (size_t)(l->trips + 1) * l->collected + 1, sizeof(*parts));

	if (!parts)
		return ir_nomem(g);
	l->parts = parts;
	if (l->trips == MAX_TRIPS)
		return ir_fail(g, "makes more than %d passes", MAX_TRIPS);
	if (pass(g, l->body, l->in, l->fixed_in + l->carried + l->scanned, l->out))
		return -1;
	memcpy(l->in + l->fixed_in, l->out + l->fixed_out, l->carried * sizeof(*l->in));
	memcpy(l->parts + (size_t)l->trips * l->collected, l->out + l->fixed_out + l->carried,
	       l->collected * sizeof(*l->parts));
	l->trips++;
	return 0;
}

/* The parts of collected output @c side by side along @axis, the last pass first if @reverse. */
static int collect(struct ir_graph *g, const struct ir_node *n, const struct loop *l, uint32_t c, int64_t axis, bool reverse,
		   ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY };
	const ir_value *first = &l->parts[c];
	int64_t dims[ONSRAM_MAX_RANK + 1];
	uint32_t from = 0;
	int at;

	if (!l->trips)
		return ir_fail(g, "makes no pass, so that output %u has no shape", l->carried + c);
	if (first->view.rank == ONSRAM_MAX_RANK)
		return ir_fail(g, "output %u has more than %d dimensions", l->carried + c, ONSRAM_MAX_RANK);
	at = lower_axis(g, axis, first->view.rank + 1);
	if (at < 0)
		return -1;
	for (uint32_t d = 0; d <= first->view.rank; d++)
		dims[d] = (int)d == at ? l->trips : first->view.dims[from++];
	if (ir_tensor_new(g, n->proto->output[l->carried + c], ONSRAM_ROLE_ACTIVATION, first->view.dtype,
			  first->view.rank + 1, dims, out))
		return -1;
	for (uint32_t t = 0; t < l->trips; t++) {
		const ir_value *part = &l->parts[(size_t)t * l->collected + c];
		int64_t place = reverse ? l->trips - 1 - t : t;

		if (!view_same_dims(&part->view, &first->view) || part->view.dtype != first->view.dtype)
			return ir_fail(g, "output %u has another shape in every pass", l->carried + c);
		op.operand[0] = *out;
		op.operand[1] = *part;
		lower_pick_view(&op.operand[0], at, place);
		if (ir_push(g, &op))
			return -1;
	}
	return 0;
}

static int loop_carried(struct ir_graph *g, const struct ir_node *n, const struct loop *l)
{
	for (uint32_t i = 0; i < l->carried; i++)
		if (lower_bind(g, n, i, &l->in[l->fixed_in + i]))
			return -1;
	return 0;
}

static int run_loop(struct ir_graph *g, const struct ir_node *n, struct loop *l, int64_t trips, bool endless)
{
	int go = n->in[1].view.dtype ? truth(g, &n->in[1], "the condition") : 1;
	ir_value out;

	if (go < 0 || enter(g, l->body))
		return -1;
	while (go > 0 && (endless || l->trips < trips)) {
		/* A scalar, whatever the body does with it. */
		if (lower_scalar(g, ONSRAM_DTYPE_I64, l->trips, &l->in[0]) ||
		    lower_scalar(g, ONSRAM_DTYPE_BOOL, 1, &l->in[1]) || loop_pass(g, l))
			go = -1;
		else
			go = truth(g, &l->out[0], "the condition after a pass");
	}
	ir_scope_leave(g);
	if (go < 0 || loop_carried(g, n, l))
		return -1;
	for (uint32_t c = 0; l->carried + c < n->proto->n_output; c++)
		if (collect(g, n, l, c, 0, false, &out) || lower_bind(g, n, l->carried + c, &out))
			return -1;
	return 0;
}

static int lower_loop(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct loop l = { .fixed_in = 2, .fixed_out = 1, .carried = n->nr_in > 2 ? n->nr_in - 2 : 0 };
	bool endless = !n->in[0].view.dtype;
	int64_t trips = 0;
	int ret;

	(void)func;
	if (!endless && ir_ints(g, &n->in[0], "the trip count", &trips, 1) < 1)
		return g->err ? -1 : ir_fail(g, "the trip count is empty");
	ret = loop_start(g, n, &l);
	for (uint32_t i = 0; i < l.carried && !ret; i++) {
		l.in[2 + i] = n->in[2 + i];
		if (!n->in[2 + i].view.dtype)
			ret = ir_fail(g, "input %u is missing", 2 + i);
	}
	if (!ret)
		ret = run_loop(g, n, &l, trips, endless);
	loop_release(&l);
	return ret;
}

static int64_t listed(const struct ir_node *n, const char *attr, uint32_t i)
{
	const Onnx__AttributeProto *a = proto_attr(n->proto, attr);

	return a && i < a->n_ints ? a->ints[i] : 0;
}

static int run_scan(struct ir_graph *g, const struct ir_node *n, struct loop *l)
{
	int64_t trips = -1;
	ir_value out;
	int ret = 0;

	for (uint32_t i = 0; i < l->scanned; i++) {
		const ir_value *x = &n->in[l->carried + i];
		int axis = lower_axis(g, listed(n, "scan_input_axes", i), x->view.rank);

		if (axis < 0)
			return -1;
		if (trips >= 0 && trips != x->view.dims[axis])
			return ir_fail(g, "scan inputs have %lld and %u elements", (long long)trips, x->view.dims[axis]);
		trips = x->view.dims[axis];
	}
	if (enter(g, l->body))
		return -1;
	for (int64_t t = 0; t < trips && !ret; t++) {
		for (uint32_t i = 0; i < l->scanned; i++) {
			const ir_value *x = &n->in[l->carried + i];
			int axis = lower_axis(g, listed(n, "scan_input_axes", i), x->view.rank);

			l->in[l->carried + i] = *x;
			lower_pick_view(&l->in[l->carried + i], axis, listed(n, "scan_input_directions", i) ? trips - 1 - t : t);
		}
		ret = loop_pass(g, l);
	}
	ir_scope_leave(g);
	if (ret || loop_carried(g, n, l))
		return -1;
	for (uint32_t c = 0; l->carried + c < n->proto->n_output; c++)
		if (collect(g, n, l, c, listed(n, "scan_output_axes", c), listed(n, "scan_output_directions", c), &out) ||
		    lower_bind(g, n, l->carried + c, &out))
			return -1;
	return 0;
}

static int lower_scan(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t scanned = proto_int(n->proto, "num_scan_inputs", 0);
	struct loop l = { 0 };
	int ret;

	(void)func;
	if (g->opset < 9)
		return ir_fail(g, "operator set %lld is not supported", (long long)g->opset);
	if (scanned < 1 || scanned > n->nr_in)
		return ir_fail(g, "num_scan_inputs is %lld", (long long)scanned);
	l.scanned = scanned;
	l.carried = n->nr_in - scanned;
	ret = loop_start(g, n, &l);
	for (uint32_t i = 0; i < n->nr_in && !ret; i++) {
		if (!n->in[i].view.dtype)
			ret = ir_fail(g, "input %u is missing", i);
		l.in[i] = n->in[i];
	}
	if (!ret)
		ret = run_scan(g, n, &l);
	loop_release(&l);
	return ret;
}

const struct lower_rule lower_control_rules[] = {
	RULE("If", 1, NOW, 1, 1, lower_if, 0),
	RULE("Loop", 1, NOW, 0, LOWER_MANY, lower_loop, 0),
	RULE("Scan", 8, NOW, 0, LOWER_MANY, lower_scan, 0),
	{ 0 }
};
