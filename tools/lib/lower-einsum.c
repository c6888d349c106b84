// SPDX-License-Identifier: MIT
/*
 * Einstein sums: diagonals and transpositions are views, what only one operand
 * has is summed first, and each pair of operands becomes a batched product.
 */
#include <string.h>

#include "lower.h"

/* Dimensions of an ellipsis are labels, too: the last one is ELLIPSIS, the one before it a number less. */
#define ELLIPSIS 127
#define MAX_OPERANDS 16

/* A value whose dimensions have labels, each once. */
struct labelled {
	ir_value v;
	uint8_t label[ONSRAM_MAX_RANK];
};

/* A set of labels. */
struct labels {
	bool in[ELLIPSIS + 1];
};

static int find(const struct labelled *x, uint8_t label)
{
	for (uint32_t d = 0; d < x->v.view.rank; d++)
		if (x->label[d] == label)
			return d;
	return -1;
}

static void drop(struct labelled *x, uint32_t at)
{
	struct onsram_view *v = &x->v.view;

	v->rank--;
	for (uint32_t d = at; d < v->rank; d++) {
		v->dims[d] = v->dims[d + 1];
		v->strides[d] = v->strides[d + 1];
		x->label[d] = x->label[d + 1];
	}
}

/* The labels of a term of @rank dimensions. Return: where the term ends, or NULL */
static const char *parse_term(struct ir_graph *g, const char *p, uint32_t rank, uint8_t *label)
{
	uint32_t nr = 0, letters = 0;

	for (const char *c = p; *c && *c != ',' && *c != '-'; c++)
		letters += *c != ' ' && *c != '.';
	for (; *p && *p != ',' && *p != '-'; p++) {
		if (*p == ' ')
			continue;
		if (!strncmp(p, "...", 3) && letters <= rank) {
			for (uint32_t i = rank - letters; i-- > 0 && nr < rank;)
				label[nr++] = ELLIPSIS - i;
			p += 2;
		} else if (((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) && nr < rank) {
			label[nr++] = *p;
		} else {
			ir_fail(g, "the equation does not fit an operand of %u dimensions", rank);
			return NULL;
		}
	}
	if (nr == rank)
		return p;
	ir_fail(g, "the equation does not fit an operand of %u dimensions", rank);
	return NULL;
}

/* A label that occurs twice means the diagonal: one dimension with both strides. */
static int take_diagonals(struct ir_graph *g, struct labelled *x)
{
	for (uint32_t a = 0; a < x->v.view.rank; a++)
		for (uint32_t b = a + 1; b < x->v.view.rank;) {
			int64_t stride = (int64_t)x->v.view.strides[a] + x->v.view.strides[b];

			if (x->label[a] != x->label[b]) {
				b++;
				continue;
			}
			if (x->v.view.dims[a] != x->v.view.dims[b] || stride > INT32_MAX || stride < INT32_MIN)
				return ir_fail(g, "dimensions of label '%c' differ", x->label[a]);
			x->v.view.strides[a] = stride;
			drop(x, b);
		}
	return 0;
}

/* Sum over the labels that are not in @keep. */
static int sum_out(struct ir_graph *g, const struct ir_node *n, struct labelled *x, const struct labels *keep)
{
	uint32_t mask = 0;

	for (uint32_t d = 0; d < x->v.view.rank; d++)
		mask |= keep->in[x->label[d]] ? 0 : 1u << d;
	if (!mask)
		return 0;
	if (lower_reduce_op(g, n, ONSRAM_REDUCE_SUM, &x->v, mask, &x->v))
		return -1;
	for (uint32_t d = x->v.view.rank; d-- > 0;)
		if (mask & (1u << d))
			drop(x, d);
	return 0;
}

/* Repeat dimensions of extent 1 where the other operand has more. */
static int match(struct ir_graph *g, struct labelled *a, struct labelled *b)
{
	for (uint32_t d = 0; d < a->v.view.rank; d++) {
		int e = find(b, a->label[d]);

		if (e < 0 || a->v.view.dims[d] == b->v.view.dims[e])
			continue;
		if (a->v.view.dims[d] == 1) {
			a->v.view.dims[d] = b->v.view.dims[e];
			a->v.view.strides[d] = 0;
		} else if (b->v.view.dims[e] == 1) {
			b->v.view.dims[e] = a->v.view.dims[d];
			b->v.view.strides[e] = 0;
		} else {
			return ir_fail(g, "dimensions of one label are %u and %u", a->v.view.dims[d], b->v.view.dims[e]);
		}
	}
	return 0;
}

/* The dimensions of @x in the order of @order, joined to three: @first of them, then @second, then the rest. */
static int join(struct ir_graph *g, const struct labelled *x, const uint8_t *order, uint32_t first, uint32_t second,
		ir_value *out)
{
	int64_t dims[3] = { 1, 1, 1 };
	ir_value v = x->v;

	for (uint32_t d = 0; d < v.view.rank; d++) {
		int from = find(x, order[d]);

		v.view.dims[d] = x->v.view.dims[from];
		v.view.strides[d] = x->v.view.strides[from];
		dims[d < first ? 0 : d < first + second ? 1 : 2] *= v.view.dims[d];
	}
	return ir_reshape(g, &v, 3, dims, out);
}

/* @a becomes the sum of products of both over the labels that are not in @keep. */
static int contract(struct ir_graph *g, const struct ir_node *n, struct labelled *a, struct labelled *b,
		    const struct labels *keep)
{
	struct labels in_a = *keep, in_b = *keep;
	uint8_t left[ONSRAM_MAX_RANK], right[ONSRAM_MAX_RANK], result[2 * ONSRAM_MAX_RANK];
	uint32_t batch = 0, rows = 0, inner = 0, columns = 0, rank;
	int64_t dims[2 * ONSRAM_MAX_RANK];
	ir_value x, y;

	for (uint32_t d = 0; d < b->v.view.rank; d++)
		in_a.in[b->label[d]] = true;
	for (uint32_t d = 0; d < a->v.view.rank; d++)
		in_b.in[a->label[d]] = true;
	if (sum_out(g, n, a, &in_a) || sum_out(g, n, b, &in_b) || match(g, a, b))
		return -1;
	for (uint32_t d = 0; d < a->v.view.rank; d++)
		if (find(b, a->label[d]) >= 0 && keep->in[a->label[d]])
			left[batch++] = a->label[d];
	for (uint32_t d = 0; d < a->v.view.rank; d++)
		if (find(b, a->label[d]) < 0)
			left[batch + rows++] = a->label[d];
	for (uint32_t d = 0; d < a->v.view.rank; d++)
		if (find(b, a->label[d]) >= 0 && !keep->in[a->label[d]])
			left[batch + rows + inner++] = a->label[d];
	memcpy(right, left, batch);
	memcpy(right + batch, left + batch + rows, inner);
	for (uint32_t d = 0; d < b->v.view.rank; d++)
		if (find(a, b->label[d]) < 0)
			right[batch + inner + columns++] = b->label[d];
	memcpy(result, left, batch + rows);
	memcpy(result + batch + rows, right + batch + inner, columns);
	rank = batch + rows + columns;
	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "needs %u dimensions; at most %d are supported", rank, ONSRAM_MAX_RANK);
	for (uint32_t d = 0; d < rank; d++) {
		int at = find(a, result[d]);

		dims[d] = at >= 0 ? a->v.view.dims[at] : b->v.view.dims[find(b, result[d])];
	}
	if (join(g, a, left, batch, rows, &x) || join(g, b, right, batch, inner, &y) ||
	    lower_matrix_product(g, n, &x, &y, &a->v) || ir_reshape(g, &a->v, rank, dims, &a->v))
		return -1;
	memcpy(a->label, result, rank);
	return 0;
}

/* As the equation says, or the ellipsis and all labels that occur once, in order. Return: their number, or -1 */
static int result_labels(struct ir_graph *g, const char *p, const struct labelled *x, uint32_t nr, uint8_t *label)
{
	uint32_t counts[ELLIPSIS + 1] = { 0 }, dots = 0, rank = 0;

	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t d = 0; d < x[i].v.view.rank; d++)
			counts[x[i].label[d]]++;
	for (uint8_t l = ELLIPSIS; l > ELLIPSIS - ONSRAM_MAX_RANK; l--)
		dots += counts[l] > 0;
	if (*p) {
		for (const char *c = p; *c; c++)
			rank += *c != ' ' && *c != '.';
		rank += strstr(p, "...") ? dots : 0;
		if (rank > ONSRAM_MAX_RANK)
			return ir_fail(g, "the result has %u dimensions; at most %d are supported", rank, ONSRAM_MAX_RANK);
		if (!parse_term(g, p, rank, label))
			return -1;
		for (uint32_t d = 0; d < rank; d++)
			if (!counts[label[d]] || memchr(label, label[d], d))
				return ir_fail(g, "label '%c' of the result is in no operand, or there twice", label[d]);
		return rank;
	}
	for (uint32_t i = dots; i-- > 0;)
		label[rank++] = ELLIPSIS - i;
	for (uint8_t l = 'A'; l <= 'z'; l++) {
		if (counts[l] != 1)
			continue;
		if (rank == ONSRAM_MAX_RANK)
			return ir_fail(g, "the result has more than %d dimensions", ONSRAM_MAX_RANK);
		label[rank++] = l;
	}
	return rank;
}

static int evaluate(struct ir_graph *g, const struct ir_node *n, const char *equation)
{
	struct labelled x[MAX_OPERANDS] = { 0 };
	uint8_t result[ONSRAM_MAX_RANK];
	struct labels keep;
	const char *p = equation;
	ir_value out;
	int rank;

	if (n->nr_in > MAX_OPERANDS)
		return ir_fail(g, "has %u inputs; at most %d are supported", n->nr_in, MAX_OPERANDS);
	for (uint32_t i = 0; i < n->nr_in; i++) {
		if (lower_float(g, &n->in[i], "an input"))
			return -1;
		x[i].v = n->in[i];
		p = parse_term(g, p, x[i].v.view.rank, x[i].label);
		if (!p)
			return -1;
		if ((*p == ',') != (i + 1 < n->nr_in))
			return ir_fail(g, "the equation does not have a term for every input");
		p += *p == ',';
	}
	if (*p && strncmp(p, "->", 2))
		return ir_fail(g, "the equation is malformed");
	/* "->" alone asks for the sum of all. */
	rank = *p && !p[2 + strspn(p + 2, " ")] ? 0 : result_labels(g, *p ? p + 2 : p, x, n->nr_in, result);
	for (uint32_t i = 0; i < n->nr_in && rank >= 0; i++)
		if (take_diagonals(g, &x[i]))
			return -1;
	for (uint32_t i = 1; i <= n->nr_in && rank >= 0; i++) {
		memset(&keep, 0, sizeof(keep));
		for (int d = 0; d < rank; d++)
			keep.in[result[d]] = true;
		for (uint32_t k = i + 1; k < n->nr_in; k++)
			for (uint32_t d = 0; d < x[k].v.view.rank; d++)
				keep.in[x[k].label[d]] = true;
		if (i < n->nr_in ? contract(g, n, &x[0], &x[i], &keep) : sum_out(g, n, &x[0], &keep))
			return -1;
	}
	if (rank < 0)
		return -1;
	out = x[0].v;
	for (int d = 0; d < rank; d++) {
		int from = find(&x[0], result[d]);

		out.view.dims[d] = x[0].v.view.dims[from];
		out.view.strides[d] = x[0].v.view.strides[from];
	}
	return lower_bind(g, n, 0, &out);
}

static int lower_einsum(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const Onnx__AttributeProto *a = proto_attr(n->proto, "equation");
	char equation[256];

	(void)func;
	if (!a || !a->s.len || a->s.len >= sizeof(equation) || memchr(a->s.data, 0, a->s.len))
		return ir_fail(g, "equation is missing or too long");
	memcpy(equation, a->s.data, a->s.len);
	equation[a->s.len] = 0;
	return evaluate(g, n, equation);
}

const struct lower_rule lower_einsum_rules[] = {
	RULE("Einsum", 12, NOW, 1, LOWER_MANY, lower_einsum, 0),
	{ 0 }
};
