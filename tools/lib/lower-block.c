// SPDX-License-Identifier: MIT
/* Operators that repeat elements, or move blocks of them between dimensions. */
#include "lower.h"

/* Repeat the whole of dimension @axis: a dimension of stride 0 before it, then both as one. */
static int repeat(struct ir_graph *g, uint32_t axis, int64_t times, ir_value *v)
{
	int64_t dims[ONSRAM_MAX_RANK];
	uint32_t rank = v->view.rank;

	if (times < 0 || times > IR_MAX_ELEMENTS)
		return ir_fail(g, "dimension %u is to be repeated %lld times", axis, (long long)times);
	if (times == 1)
		return 0;
	for (uint32_t d = 0; d < rank; d++)
		dims[d] = v->view.dims[d] * (d == axis ? times : 1);
	if (v->view.dims[axis] == 1) {
		v->view.dims[axis] = times;
		v->view.strides[axis] = 0;
		return 0;
	}
	if (rank == ONSRAM_MAX_RANK)
		return ir_fail(g, "repeats a dimension of %u; at most %d are supported", rank, ONSRAM_MAX_RANK - 1);
	for (uint32_t d = rank; d > axis; d--) {
		v->view.dims[d] = v->view.dims[d - 1];
		v->view.strides[d] = v->view.strides[d - 1];
	}
	v->view.dims[axis] = times;
	v->view.strides[axis] = 0;
	v->view.rank++;
	return ir_reshape(g, v, rank, dims, v);
}

static int lower_tile(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t repeats[ONSRAM_MAX_RANK], axis;
	ir_value v = n->in[0];
	int nr;

	(void)func;
	/* Set 1 repeats one axis: inputs tiles and axis. */
	if (g->opset < 6) {
		if (ir_ints(g, &n->in[1], "tiles", repeats, 1) < 1 || ir_ints(g, &n->in[2], "axis", &axis, 1) < 1)
			return g->err ? -1 : ir_fail(g, "tiles or axis is empty");
		nr = lower_axis(g, axis, v.view.rank);
		return nr < 0 || repeat(g, nr, repeats[0], &v) ? -1 : lower_bind(g, n, 0, &v);
	}
	nr = ir_ints(g, &n->in[1], "repeats", repeats, ONSRAM_MAX_RANK);
	if (nr < 0)
		return -1;
	if ((uint32_t)nr != v.view.rank)
		return ir_fail(g, "repeats has %d elements for %u dimensions", nr, v.view.rank);
	for (int d = nr; d-- > 0;)
		if (repeat(g, d, repeats[d], &v))
			return -1;
	return lower_bind(g, n, 0, &v);
}

/* @v of the six dimensions @dims, in the order of @perm, then of the four @to: output 0. */
static int shuffle(struct ir_graph *g, const struct ir_node *n, const int64_t *dims, const int *perm, const int64_t *to)
{
	ir_value six, v;

	if (ir_reshape(g, &n->in[0], 6, dims, &six))
		return -1;
	v = six;
	for (int d = 0; d < 6; d++) {
		v.view.dims[d] = six.view.dims[perm[d]];
		v.view.strides[d] = six.view.strides[perm[d]];
	}
	if (ir_reshape(g, &v, 4, to, &v))
		return -1;
	return lower_bind(g, n, 0, &v);
}

static int need_blocks(struct ir_graph *g, const struct ir_node *n, int64_t *block)
{
	*block = proto_int(n->proto, "blocksize", 0);
	if (n->in[0].view.rank != 4)
		return ir_fail(g, "input has %u dimensions, expected 4", n->in[0].view.rank);
	if (*block < 1 || *block > UINT16_MAX)
		return ir_fail(g, "blocksize %lld is out of range", (long long)*block);
	return 0;
}

static int lower_depth_to_space(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	static const int dcr[] = { 0, 3, 4, 1, 5, 2 }, crd[] = { 0, 1, 4, 2, 5, 3 };
	bool is_dcr = proto_is(n->proto, "mode", "DCR", "DCR");
	const uint32_t *d = n->in[0].view.dims;
	int64_t b;

	(void)func;
	if (!is_dcr && !proto_is(n->proto, "mode", "DCR", "CRD"))
		return ir_fail(g, "mode has an unknown value");
	if (need_blocks(g, n, &b))
		return -1;
	if (d[1] % (b * b))
		return ir_fail(g, "%u channels are not blocks of %lld", d[1], (long long)(b * b));
	return shuffle(g, n, is_dcr ? (int64_t[]){ d[0], b, b, d[1] / (b * b), d[2], d[3] } :
				      (int64_t[]){ d[0], d[1] / (b * b), b, b, d[2], d[3] },
		       is_dcr ? dcr : crd, (int64_t[]){ d[0], d[1] / (b * b), d[2] * b, d[3] * b });
}

static int lower_space_to_depth(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	static const int perm[] = { 0, 3, 5, 1, 2, 4 };
	const uint32_t *d = n->in[0].view.dims;
	int64_t b;

	(void)func;
	if (need_blocks(g, n, &b))
		return -1;
	if (d[2] % b || d[3] % b)
		return ir_fail(g, "%ux%u elements are not blocks of %lldx%lld", d[2], d[3], (long long)b, (long long)b);
	return shuffle(g, n, (int64_t[]){ d[0], d[1], d[2] / b, b, d[3] / b, b }, perm,
		       (int64_t[]){ d[0], d[1] * b * b, d[2] / b, d[3] / b });
}

const struct lower_rule lower_block_rules[] = {
	RULE("DepthToSpace", 1, NOW, 1, 1, lower_depth_to_space, 0),
	RULE("SpaceToDepth", 1, NOW, 1, 1, lower_space_to_depth, 0),
	RULE("Tile", 1, NOW, 2, 3, lower_tile, 0),
	{ 0 }
};
