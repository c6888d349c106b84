// SPDX-License-Identifier: MIT
/* Elementwise operators: functions of the device, and formulas of them. */
#include <float.h>
#include <stdlib.h>

#include "lower.h"

/* What the device's functions take, as its table says. */
static const uint32_t takes[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params) [value] = ONSRAM_EW_TAKES_##takes,
	ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

static uint32_t class_of(uint32_t dtype)
{
	return dtype == ONSRAM_DTYPE_F32 ? ONSRAM_EW_FLOAT : dtype == ONSRAM_DTYPE_BOOL ? ONSRAM_EW_BOOL : ONSRAM_EW_INT;
}

int lower_elementwise(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr,
		      const ir_value *in, uint32_t nr, ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_ELEMENTWISE, .attr = *attr };
	uint32_t extents[ONSRAM_MAX_RANK] = { 0 }, dtype = in[nr - 1].view.dtype;
	const ir_value *all[3] = { &in[0], &in[1], &in[2] };
	int64_t dims[ONSRAM_MAX_RANK];
	int rank = lower_broadcast(g, all, nr, dims);

	if (rank < 0)
		return -1;
	if (!(takes[attr->func] & class_of(dtype)))
		return ir_fail(g, "%s is not supported", view_dtype_name(dtype));
	for (int d = 0; d < rank; d++)
		extents[d] = dims[d];
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t want = takes[attr->func] & ONSRAM_EW_SELECTS && !i ? (uint32_t)ONSRAM_DTYPE_BOOL : dtype;

		if (in[i].view.dtype != want)
			return ir_fail(g, "input %u is %s, expected %s", i, view_dtype_name(in[i].view.dtype),
				       view_dtype_name(want));
		op.operand[1 + i] = in[i];
		if (!view_broadcast(&in[i].view, rank, extents, rank - in[i].view.rank, &op.operand[1 + i].view))
			return ir_fail(g, "input %u does not broadcast to the output", i);
	}
	if (takes[attr->func] & ONSRAM_EW_COMPARES)
		dtype = ONSRAM_DTYPE_BOOL;
	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, dtype, rank, dims, out))
		return -1;
	op.operand[0] = *out;
	return ir_push(g, &op);
}

int lower_align(struct ir_graph *g, const struct ir_node *n, const ir_value *a, ir_value *b)
{
	int64_t axis = (int64_t)a->view.rank - b->view.rank;

	/* Before set 7, B's dimensions stand at A's from "axis" on, and only if "broadcast" is set. */
	if (g->opset >= 7 || view_same_dims(&a->view, &b->view))
		return 0;
	axis = proto_int(n->proto, "axis", axis);
	if (!proto_int(n->proto, "broadcast", 0))
		return ir_fail(g, "shapes differ and broadcast is not set");
	if (axis < 0)
		axis += a->view.rank;
	if (axis < 0 || axis > a->view.rank ||
	    !view_broadcast(&b->view, a->view.rank, a->view.dims, axis, &b->view))
		return ir_fail(g, "second input does not fit the first at axis %lld", (long long)axis);
	return 0;
}

static int unary(struct ir_graph *g, const struct ir_node *n, const struct onsram_attr *attr)
{
	ir_value out;

	if (lower_elementwise(g, n, attr, n->in, 1, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_unary(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct onsram_attr attr = { .func = func };

	if (func == ONSRAM_EW_LEAKY_RELU) {
		attr.param[0] = float_bits(proto_float(n->proto, "alpha", 0.01f));
	} else if (func == ONSRAM_EW_HARD_SIGMOID) {
		attr.param[0] = float_bits(proto_float(n->proto, "alpha", 0.2f));
		attr.param[1] = float_bits(proto_float(n->proto, "beta", 0.5f));
	}
	return unary(g, n, &attr);
}

/* Whether @v, given or not, is known; if given, @bound is it. Return: 1, 0 or -1 */
static int known_bound(struct ir_graph *g, const ir_value *v, const char *what, float *bound)
{
	if (!v->view.dtype)
		return 1;
	if (!ir_is_const(g, v))
		return 0;
	return ir_float(g, v, what, bound) ? -1 : 1;
}

static int lower_clip(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	float lo = proto_float(n->proto, "min", -FLT_MAX), hi = proto_float(n->proto, "max", FLT_MAX);
	const ir_value *min = &n->in[1], *max = &n->in[2];
	struct onsram_attr attr = { .func = func };
	ir_value x = n->in[0];

	if (x.view.dtype == ONSRAM_DTYPE_F32) {
		int low = known_bound(g, min, "min", &lo), high = low < 0 ? -1 : known_bound(g, max, "max", &hi);

		if (high < 0)
			return -1;
		attr.param[0] = float_bits(lo);
		attr.param[1] = float_bits(hi);
		if (low && high)
			return unary(g, n, &attr);
	}
	if (min->view.dtype && lower_expression(g, n, "x y max", (ir_value[]){ x, *min }, &x))
		return -1;
	if (max->view.dtype && lower_expression(g, n, "x y min", (ir_value[]){ x, *max }, &x))
		return -1;
	return lower_bind(g, n, 0, &x);
}

static int lower_binary(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct onsram_attr attr = { .func = func };
	ir_value in[2] = { n->in[0], n->in[1] }, out;

	if (lower_align(g, n, &in[0], &in[1]) || lower_elementwise(g, n, &attr, in, 2, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* The function of the first two inputs, then of that and the third, and so on. */
static int combine(struct ir_graph *g, const struct ir_node *n, uint32_t func, ir_value *out)
{
	struct onsram_attr attr = { .func = func };
	ir_value in[2] = { n->in[0] };

	for (uint32_t i = 1; i < n->nr_in; i++) {
		in[1] = n->in[i];
		if (lower_elementwise(g, n, &attr, in, 2, &in[0]))
			return -1;
	}
	*out = in[0];
	return 0;
}

static int lower_variadic(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value out;

	if (combine(g, n, func, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_mean(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct onsram_attr scale = { .func = ONSRAM_EW_AFFINE, .param = { float_bits(1.0f / n->nr_in) } };
	ir_value out;

	if (combine(g, n, func, &out) || lower_elementwise(g, n, &scale, &out, 1, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_where(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct onsram_attr attr = { .func = func };
	ir_value out;

	if (lower_elementwise(g, n, &attr, n->in, 3, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* The base may be of another type than the exponent, and is that of the result. */
static int lower_pow(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value in[2] = { n->in[0], n->in[1] }, out;

	(void)func;
	if (in[0].view.dtype != ONSRAM_DTYPE_F32)
		return ir_fail(g, "a base that is %s is not supported", view_dtype_name(in[0].view.dtype));
	if (lower_align(g, n, &in[0], &in[1]) || lower_convert(g, n, &in[1], ONSRAM_DTYPE_F32, &in[1]) ||
	    lower_expression(g, n, "x y pow", in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_mod(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value out;

	(void)func;
	if (lower_expression(g, n, proto_int(n->proto, "fmod", 0) ? "x y rem" : "x y mod", n->in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_gelu(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	bool none = proto_is(n->proto, "approximate", "none", "none");
	ir_value out;

	(void)func;
	if (!none && !proto_is(n->proto, "approximate", "none", "tanh"))
		return ir_fail(g, "approximate has an unknown value");
	if (lower_expression(g, n, none ? "x 0.70710678118654752 mul erf 1 add x mul 0.5 mul" :
			     "x x mul x mul 0.044715 mul x add 0.79788456080286536 mul tanh 1 add x mul 0.5 mul",
			     n->in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

static int lower_is_inf(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	bool negative = proto_int(n->proto, "detect_negative", 1), positive = proto_int(n->proto, "detect_positive", 1);
	ir_value out;

	(void)func;
	if (lower_float(g, &n->in[0], "input"))
		return -1;
	if (lower_expression(g, n, negative && positive ? "x abs inf equal" : negative ? "x -inf equal" :
			     positive ? "x inf equal" : "x x less", n->in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* A slope per channel stands at dimension 1 before set 7. */
static int lower_prelu(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value in[2] = { n->in[0], n->in[1] }, out;

	(void)func;
	if (g->opset < 7 && in[1].view.rank == 1 && in[1].view.dims[0] > 1 &&
	    !view_broadcast(&in[1].view, in[0].view.rank, in[0].view.dims, 1, &in[1].view))
		return ir_fail(g, "slope does not have one element per channel");
	if (lower_expression(g, n, "x 0 less x y mul x where", in, &out))
		return -1;
	if (!view_same_dims(&out.view, &in[0].view))
		return ir_fail(g, "slope does not broadcast to the input");
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_elementwise_rules[] = {
	RULE("Abs", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_ABS),
	RULE("Acos", 7, NOW, 1, 1, lower_unary, ONSRAM_EW_ACOS),
	RULE("Acosh", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_ACOSH),
	RULE("Add", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_ADD),
	FORMULA("And", 1, NOW, 2, "x y min"),
	RULE("Asin", 7, NOW, 1, 1, lower_unary, ONSRAM_EW_ASIN),
	RULE("Asinh", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_ASINH),
	RULE("Atan", 7, NOW, 1, 1, lower_unary, ONSRAM_EW_ATAN),
	RULE("Atanh", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_ATANH),
	RULE("BitwiseAnd", 18, NOW, 2, 2, lower_binary, ONSRAM_EW_BIT_AND),
	FORMULA("BitwiseNot", 18, NOW, 1, "x -1 bit_xor"),
	RULE("BitwiseOr", 18, NOW, 2, 2, lower_binary, ONSRAM_EW_BIT_OR),
	RULE("BitwiseXor", 18, NOW, 2, 2, lower_binary, ONSRAM_EW_BIT_XOR),
	RULE("Ceil", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_CEIL),
	FORMULA("Celu", 12, NOW, 1, "x $alpha=1 reciprocal mul 0 min exp -1 add $alpha=1 mul x relu add"),
	RULE("Clip", 1, NOW, 1, 3, lower_clip, ONSRAM_EW_CLIP),
	RULE("Cos", 7, NOW, 1, 1, lower_unary, ONSRAM_EW_COS),
	RULE("Cosh", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_COSH),
	RULE("Div", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_DIV),
	FORMULA("Elu", 1, NOW, 1, "x 0 min exp -1 add $alpha=1 mul x relu add"),
	RULE("Equal", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_EQUAL),
	RULE("Erf", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_ERF),
	RULE("Exp", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_EXP),
	RULE("Floor", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_FLOOR),
	RULE("Gelu", 20, NOW, 1, 1, lower_gelu, 0),
	RULE("Greater", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_GREATER),
	FORMULA("GreaterOrEqual", 12, NOW, 2, "x y greater x y equal max"),
	RULE("HardSigmoid", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_HARD_SIGMOID),
	FORMULA("HardSwish", 14, NOW, 1, "x 0.16666666666666667 0.5 hard_sigmoid x mul"),
	RULE("IsInf", 10, NOW, 1, 1, lower_is_inf, 0),
	FORMULA("IsNaN", 9, NOW, 1, "x x equal 0 equal"),
	RULE("LeakyRelu", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_LEAKY_RELU),
	RULE("Less", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_LESS),
	FORMULA("LessOrEqual", 12, NOW, 2, "x y less x y equal max"),
	RULE("Log", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_LOG),
	RULE("Max", 1, NOW, 1, LOWER_MANY, lower_variadic, ONSRAM_EW_MAX),
	RULE("Mean", 1, NOW, 1, LOWER_MANY, lower_mean, ONSRAM_EW_ADD),
	RULE("Min", 1, NOW, 1, LOWER_MANY, lower_variadic, ONSRAM_EW_MIN),
	FORMULA("Mish", 18, NOW, 1, "x abs neg exp 1 add log x relu add tanh x mul"),
	RULE("Mod", 10, NOW, 2, 2, lower_mod, 0),
	RULE("Mul", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_MUL),
	RULE("Neg", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_NEG),
	FORMULA("Not", 1, NOW, 1, "x 0 equal"),
	FORMULA("Or", 1, NOW, 2, "x y max"),
	RULE("PRelu", 1, NOW, 2, 2, lower_prelu, 0),
	RULE("Pow", 1, NOW, 2, 2, lower_pow, 0),
	RULE("Reciprocal", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_RECIPROCAL),
	RULE("Relu", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_RELU),
	RULE("Round", 11, NOW, 1, 1, lower_unary, ONSRAM_EW_ROUND),
	FORMULA("Selu", 1, NOW, 1, "x 0 min exp -1 add $alpha=1.67326319217681884765625 mul x relu add $gamma=1.05070102214813232 mul"),
	FORMULA("Shrink", 9, NOW, 1, "x $lambd=0.5 greater x $bias=0 sub x $lambd=0.5 neg less x $bias=0 add 0 where where"),
	RULE("Sigmoid", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_SIGMOID),
	RULE("Sign", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_SIGN),
	RULE("Sin", 7, NOW, 1, 1, lower_unary, ONSRAM_EW_SIN),
	RULE("Sinh", 9, NOW, 1, 1, lower_unary, ONSRAM_EW_SINH),
	FORMULA("Softplus", 1, NOW, 1, "x abs neg exp 1 add log x relu add"),
	FORMULA("Softsign", 1, NOW, 1, "x x abs 1 add div"),
	RULE("Sqrt", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_SQRT),
	RULE("Sub", 1, NOW, 2, 2, lower_binary, ONSRAM_EW_SUB),
	RULE("Sum", 1, NOW, 1, LOWER_MANY, lower_variadic, ONSRAM_EW_ADD),
	FORMULA("Swish", 24, NOW, 1, "x $alpha=1 mul sigmoid x mul"),
	RULE("Tan", 7, NOW, 1, 1, lower_unary, ONSRAM_EW_TAN),
	RULE("Tanh", 1, NOW, 1, 1, lower_unary, ONSRAM_EW_TANH),
	FORMULA("ThresholdedRelu", 1, NOW, 1, "x $alpha=1 greater x 0 where"),
	RULE("Where", 9, NOW, 3, 3, lower_where, ONSRAM_EW_WHERE),
	FORMULA("Xor", 1, NOW, 2, "x y equal 0 equal"),
	{ 0 }
};
