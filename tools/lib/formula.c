// SPDX-License-Identifier: MIT
/*
 * Operators that are a formula of elementwise functions, in postfix notation:
 *
 *	x y z		the node's inputs
 *	0.5 inf		numbers, of the type of what they meet
 *	$alpha=1	an attribute of the node, or that number where it has none
 *	float int like	convert to float32, to int64, to the type of x; int32 likewise
 *	add exp where	a function of the device; those with parameters take them
 *			from the numbers before: "x 0 6 clip"
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

#define MAX_DEPTH 8
#define MAX_WORD 48

/* A number, or a value. */
struct item {
	bool is_number;
	double number;
	ir_value v;
};

struct stack {
	struct item items[MAX_DEPTH];
	uint32_t nr;
};

static const struct {
	const char *name;
	uint32_t inputs;
	uint32_t params;
} functions[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params) [value] = { #name, inputs, params },
	ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

static uint32_t function(const char *word)
{
	for (uint32_t f = 0; f < ONSRAM_EW_COUNT; f++) {
		const char *a = functions[f].name, *b = word;

		while (*a && tolower((unsigned char)*a) == *b) {
			a++;
			b++;
		}
		if (!*a && !*b)
			return f;
	}
	return ONSRAM_EW_COUNT;
}

int lower_scalar(struct ir_graph *g, uint32_t dtype, double number, ir_value *out)
{
	uint32_t fill[2] = { 0 };
	int64_t v = number;

	if (dtype == ONSRAM_DTYPE_F32)
		fill[0] = float_bits(number);
	else if (dtype == ONSRAM_DTYPE_BOOL)
		fill[0] = number != 0;
	else
		memcpy(fill, &v, view_dtype_size(dtype));
	return ir_filled_new(g, "number", dtype, 0, NULL, fill, out);
}

/* A function of a value and a number that needs no tensor for the number. */
static bool with_number(uint32_t *func, const struct item *in, struct onsram_attr *attr)
{
	const struct item *number = in[0].is_number ? &in[0] : &in[1];
	const struct item *other = in[0].is_number ? &in[1] : &in[0];
	double scale = 1, shift = 0;

	if (!number->is_number || other->v.view.dtype != ONSRAM_DTYPE_F32)
		return false;
	switch (*func) {
	case ONSRAM_EW_ADD:
		shift = number->number;
		break;
	case ONSRAM_EW_SUB:
		scale = in[0].is_number ? -1 : 1;
		shift = in[0].is_number ? number->number : -number->number;
		break;
	case ONSRAM_EW_MUL:
		scale = number->number;
		break;
	case ONSRAM_EW_MAX:
	case ONSRAM_EW_MIN:
		attr->param[0] = float_bits(*func == ONSRAM_EW_MAX ? number->number : -INFINITY);
		attr->param[1] = float_bits(*func == ONSRAM_EW_MIN ? number->number : INFINITY);
		*func = ONSRAM_EW_CLIP;
		return true;
	default:
		return false;
	}
	attr->param[0] = float_bits(scale);
	attr->param[1] = float_bits(shift);
	*func = ONSRAM_EW_AFFINE;
	return true;
}

/* The type that numbers among @in are to have. */
static uint32_t number_dtype(const struct item *in, uint32_t nr)
{
	for (uint32_t i = nr; i-- > 0;)
		if (!in[i].is_number)
			return in[i].v.view.dtype;
	return ONSRAM_DTYPE_F32;
}

static int apply(struct ir_graph *g, const struct ir_node *n, uint32_t func, struct stack *s)
{
	uint32_t nr = functions[func].inputs, params = functions[func].params, dtype;
	struct onsram_attr attr = { 0 };
	ir_value args[3];
	struct item *in;

	s->nr -= params;
	for (uint32_t i = 0; i < params; i++)
		attr.param[i] = float_bits(s->items[s->nr + i].number);
	s->nr -= nr;
	in = &s->items[s->nr++];
	if (nr == 1 && in->is_number) {
		in->number = func == ONSRAM_EW_NEG ? -in->number : 1 / in->number;
		return 0;
	}
	if (nr == 2 && with_number(&func, in, &attr)) {
		if (in[0].is_number)
			in[0] = in[1];
		nr = 1;
	}
	/* The condition of WHERE has a type of its own. */
	dtype = func == ONSRAM_EW_WHERE ? number_dtype(in + 1, 2) : number_dtype(in, nr);
	if (func == ONSRAM_EW_WHERE && in[1].is_number && in[2].is_number)
		dtype = n->in[0].view.dtype;
	for (uint32_t i = 0; i < nr; i++) {
		if (!in[i].is_number)
			args[i] = in[i].v;
		else if (lower_scalar(g, dtype, in[i].number, &args[i]))
			return -1;
	}
	attr.func = func;
	in->is_number = false;
	return lower_elementwise(g, n, &attr, args, nr, &in->v);
}

static int attribute(struct ir_graph *g, const struct ir_node *n, char *word, double *number)
{
	char *equal = strchr(word, '=');
	const Onnx__AttributeProto *a;

	*equal = 0;
	a = proto_attr(n->proto, word + 1);
	*number = a && a->has_f ? a->f : strtod(equal + 1, NULL);
	if (a && !a->has_f)
		return ir_fail(g, "attribute %s is not a float", word + 1);
	return 0;
}

static int step(struct ir_graph *g, const struct ir_node *n, const ir_value *in, char *word, struct stack *s)
{
	struct item *top = &s->items[s->nr];
	uint32_t func = function(word);

	if (func < ONSRAM_EW_COUNT)
		return apply(g, n, func, s);
	if (!strcmp(word, "float"))
		return lower_convert(g, n, &top[-1].v, ONSRAM_DTYPE_F32, &top[-1].v);
	if (!strcmp(word, "int"))
		return lower_convert(g, n, &top[-1].v, ONSRAM_DTYPE_I64, &top[-1].v);
	if (!strcmp(word, "int32"))
		return lower_convert(g, n, &top[-1].v, ONSRAM_DTYPE_I32, &top[-1].v);
	if (!strcmp(word, "like"))
		return lower_convert(g, n, &top[-1].v, in[0].view.dtype, &top[-1].v);
	s->nr++;
	*top = (struct item){ .is_number = true };
	if (*word == '$')
		return attribute(g, n, word, &top->number);
	if (*word >= 'x' && *word <= 'z' && !word[1]) {
		top->is_number = false;
		top->v = in[*word - 'x'];
		return 0;
	}
	top->number = strtod(word, NULL);
	return 0;
}

int lower_expression(struct ir_graph *g, const struct ir_node *n, const char *formula, const ir_value *in, ir_value *out)
{
	struct stack s = { 0 };

	while (*formula) {
		char word[MAX_WORD];
		size_t length = strcspn(formula, " ");

		memcpy(word, formula, length);
		word[length] = 0;
		formula += length + strspn(formula + length, " ");
		if (step(g, n, in, word, &s))
			return -1;
	}
	*out = s.items[0].v;
	return 0;
}

int lower_formula(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	ir_value in[3] = { n->in[0], n->in[1], n->in[2] }, out;

	(void)func;
	if (n->nr_in == 2 && lower_align(g, n, &in[0], &in[1]))
		return -1;
	if (lower_expression(g, n, n->rule->formula, in, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}
