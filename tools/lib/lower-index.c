// SPDX-License-Identifier: MIT
/* Operators that pick or place elements by index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

/* An offset beyond any tensor, also when a few are added or one is taken away. */
#define BEYOND (1ll << 40)
/* Updates of one element that a reducing scatter may have. */
#define MAX_ROUNDS 64

static int need_ints(struct ir_graph *g, const ir_value *v, const char *what)
{
	if (v->view.dtype == ONSRAM_DTYPE_I64 || v->view.dtype == ONSRAM_DTYPE_I32)
		return 0;
	return ir_fail(g, "%s are %s, not integers", what, view_dtype_name(v->view.dtype));
}

/*
 * Places along a dimension of @extent as offsets in steps of @stride; those
 * behind the end, and before the beginning counted from the end, go beyond.
 */
static int offsets(struct ir_graph *g, const struct ir_node *n, const ir_value *places, uint32_t extent,
		   uint64_t stride, ir_value *out)
{
	char formula[96];

	if (lower_convert(g, n, places, ONSRAM_DTYPE_I64, out))
		return -1;
	snprintf(formula, sizeof(formula), "x 0 less x %u add x where", extent);
	if (lower_expression(g, n, formula, out, out))
		return -1;
	snprintf(formula, sizeof(formula), "x 0 less x %u less 0 equal max %lld x %llu mul where", extent, BEYOND,
		 (unsigned long long)stride);
	return lower_expression(g, n, formula, out, out);
}

int64_t *lower_read_ints(struct ir_graph *g, const ir_value *v, const char *what)
{
	uint64_t count = view_count(&v->view);
	int64_t *out;
	void *data;

	if (need_ints(g, v, what) || ir_need_const(g, v, what))
		return NULL;
	if (!ir_may_fold(g, count)) {
		ir_fail(g, "%s have more elements than are supported", what);
		return NULL;
	}
	data = ir_const_read(g, v);
	out = data ? malloc((count + 1) * sizeof(*out)) : NULL;
	if (data && !out)
		ir_nomem(g);
	for (uint64_t i = 0; i < count && out; i++)
		out[i] = v->view.dtype == ONSRAM_DTYPE_I64 ? ((int64_t *)data)[i] : ((int32_t *)data)[i];
	free(data);
	return out;
}

/* Refuse constant @rows that are not below @extent; others fail when they run. */
static int check_rows(struct ir_graph *g, const ir_value *rows, uint64_t extent)
{
	int64_t *at;
	int ret = 0;

	if (!ir_is_const(g, rows) || view_count(&rows->view) > IR_FOLD_ELEMENTS)
		return 0;
	at = ir_const_read(g, rows);
	if (!at)
		return -1;
	for (uint64_t i = 0; i < view_count(&rows->view) && !ret; i++)
		if (at[i] < 0 || (uint64_t)at[i] >= extent)
			ret = ir_fail(g, "an index is out of range");
	free(at);
	return ret;
}

/* Rows @rows of @data seen as rows of @row elements: out[i] = data[rows[i]], in the shape @rank, @dims. */
static int pick_rows(struct ir_graph *g, const struct ir_node *n, const ir_value *data, uint64_t row,
		     const ir_value *rows, uint32_t rank, const int64_t *dims, ir_value *out)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER };
	uint64_t count = view_count(&data->view), picks = view_count(&rows->view);
	int64_t from[2] = { row ? count / row : 0, row }, flat = picks, to[2] = { picks, row };

	if (check_rows(g, rows, from[0]))
		return -1;
	if (ir_reshape(g, data, 2, from, &op.operand[1]) || ir_reshape(g, rows, 1, &flat, &op.operand[2]) ||
	    ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, data->view.dtype, 2, to, &op.operand[0]) ||
	    ir_push(g, &op))
		return -1;
	return ir_reshape(g, &op.operand[0], rank, dims, out);
}

static void dims_of(const ir_value *v, int64_t *dims)
{
	for (uint32_t d = 0; d < v->view.rank; d++)
		dims[d] = v->view.dims[d];
}

int lower_pick_elements(struct ir_graph *g, const struct ir_node *n, const ir_value *data, const ir_value *indices,
			uint32_t axis, ir_value *out)
{
	uint64_t stride = 1, at_axis = 1;
	int64_t dims[ONSRAM_MAX_RANK];
	ir_value in[2];
	char formula[40];

	for (uint32_t d = axis + 1; d < data->view.rank; d++)
		at_axis *= data->view.dims[d];
	if (offsets(g, n, indices, data->view.dims[axis], at_axis, &in[0]))
		return -1;
	for (uint32_t d = data->view.rank; d-- > 0;) {
		if (d != axis && indices->view.dims[d] > 1) {
			snprintf(formula, sizeof(formula), "x y %llu mul add", (unsigned long long)stride);
			if (lower_iota(g, n, ONSRAM_DTYPE_I64, indices->view.dims[d], data->view.rank, d, &in[1]) ||
			    lower_expression(g, n, formula, in, &in[0]))
				return -1;
		}
		stride *= data->view.dims[d];
	}
	dims_of(indices, dims);
	return pick_rows(g, n, data, 1, &in[0], indices->view.rank, dims, out);
}

static int lower_gather_elements(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *data = &n->in[0], *indices = &n->in[1];
	int axis = lower_axis(g, proto_int(n->proto, "axis", 0), data->view.rank);
	ir_value out;

	(void)func;
	if (axis < 0 || need_ints(g, indices, "indices"))
		return -1;
	if (indices->view.rank != data->view.rank)
		return ir_fail(g, "indices have %u dimensions, data %u", indices->view.rank, data->view.rank);
	for (uint32_t d = 0; d < data->view.rank; d++)
		if (d != (uint32_t)axis && indices->view.dims[d] > data->view.dims[d])
			return ir_fail(g, "dimension %u of indices is %u, of data %u", d, indices->view.dims[d],
				       data->view.dims[d]);
	if (lower_pick_elements(g, n, data, indices, axis, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* Row numbers from tuples of @width places in the dimensions of @data from @from on. */
static int tuple_rows(struct ir_graph *g, const struct ir_node *n, const ir_value *data, const ir_value *tuples,
		      uint32_t from, uint32_t width, ir_value *rows)
{
	uint32_t last = tuples->view.rank - 1;
	uint64_t stride = 1;
	ir_value in[2];

	for (uint32_t k = width; k-- > 0;) {
		ir_value column = *tuples;

		column.offset += (int64_t)k * tuples->view.strides[last];
		column.view.dims[last] = 1;
		if (offsets(g, n, &column, data->view.dims[from + k], stride, &in[0]))
			return -1;
		if (k + 1 < width && lower_expression(g, n, "x y add", in, &in[0]))
			return -1;
		in[1] = in[0];
		stride *= data->view.dims[from + k];
	}
	*rows = in[0];
	return 0;
}

static int lower_gather_nd(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *data = &n->in[0], *indices = &n->in[1];
	int64_t batch = proto_int(n->proto, "batch_dims", 0), dims[2 * ONSRAM_MAX_RANK];
	uint32_t width, rank = 0;
	uint64_t row = 1, stride = 1;
	ir_value in[2], out;

	(void)func;
	if (need_ints(g, indices, "indices"))
		return -1;
	if (batch < 0 || batch >= data->view.rank || batch >= indices->view.rank)
		return ir_fail(g, "batch_dims %lld is out of range", (long long)batch);
	width = indices->view.dims[indices->view.rank - 1];
	if (!width || batch + width > data->view.rank)
		return ir_fail(g, "indices are tuples of %u for %u dimensions", width, data->view.rank);
	for (int64_t d = 0; d < batch; d++)
		if (data->view.dims[d] != indices->view.dims[d])
			return ir_fail(g, "batch dimension %lld differs", (long long)d);
	for (uint32_t d = 0; d + 1 < indices->view.rank; d++)
		dims[rank++] = indices->view.dims[d];
	for (uint32_t d = batch + width; d < data->view.rank; d++) {
		dims[rank++] = data->view.dims[d];
		row *= data->view.dims[d];
	}
	if (rank > ONSRAM_MAX_RANK)
		return ir_fail(g, "output has %u dimensions; at most %d are supported", rank, ONSRAM_MAX_RANK);
	if (tuple_rows(g, n, data, indices, batch, width, &in[0]))
		return -1;
	for (uint32_t k = 0; k < width; k++)
		stride *= data->view.dims[batch + k];
	for (int64_t d = batch; d-- > 0;) {
		char formula[40];

		snprintf(formula, sizeof(formula), "x y %llu mul add", (unsigned long long)stride);
		if (lower_iota(g, n, ONSRAM_DTYPE_I64, data->view.dims[d], indices->view.rank, d, &in[1]) ||
		    lower_expression(g, n, formula, in, &in[0]))
			return -1;
		stride *= data->view.dims[d];
	}
	if (pick_rows(g, n, data, row, &in[0], rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

/* The elements of @a, then those of @b. */
static int join(struct ir_graph *g, const struct ir_node *n, const ir_value *a, const ir_value *b, ir_value *out)
{
	int64_t first = view_count(&a->view), second = view_count(&b->view), total = first + second;
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_COPY };

	if (ir_tensor_new(g, n->proto->output[0], ONSRAM_ROLE_ACTIVATION, a->view.dtype, 1, &total, out))
		return -1;
	op.operand[0] = *out;
	op.operand[0].view.dims[0] = first;
	if (ir_reshape(g, a, 1, &first, &op.operand[1]) || ir_push(g, &op))
		return -1;
	op.operand[0].view.dims[0] = second;
	op.operand[0].offset = first;
	return ir_reshape(g, b, 1, &second, &op.operand[1]) || ir_push(g, &op) ? -1 : 0;
}

static int reduction_of(struct ir_graph *g, const struct ir_node *n, const char **formula)
{
	static const struct {
		const char *name, *formula;
	} known[] = {
		{ "none", NULL }, { "add", "x y add" }, { "mul", "x y mul" }, { "max", "x y max" }, { "min", "x y min" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (proto_is(n->proto, "reduction", "none", known[i].name)) {
			*formula = known[i].formula;
			return 0;
		}
	return ir_fail(g, "reduction has an unknown value");
}

/*
 * In every round each element takes at most one update, by picking from data and
 * updates together: its own, or the update's.
 */
int lower_scatter(struct ir_graph *g, const struct ir_node *n, const ir_value *data, const ir_value *updates,
		  int64_t *target, const char *formula, ir_value *out)
{
	uint64_t size = view_count(&data->view), count = view_count(&updates->view), left = count;
	int64_t dims[ONSRAM_MAX_RANK], flat = size;
	ir_value now = *data, both, rows, taken, mask;
	int ret = 0;

	if (!ir_may_fold(g, size))
		ret = ir_fail(g, "data have more elements than are supported");
	dims_of(data, dims);
	for (int round = 0; left && !ret; round++) {
		int64_t *map = malloc(size * sizeof(*map));
		uint8_t *touched = calloc(size, 1);

		if (round == MAX_ROUNDS)
			ret = ir_fail(g, "one element has more than %d updates", MAX_ROUNDS);
		if (!map || !touched)
			ret = ir_nomem(g);
		for (uint64_t i = 0; i < size && !ret; i++)
			map[i] = i;
		for (uint64_t i = 0; i < count && !ret; i++) {
			if (target[i] < 0 || (formula && touched[target[i]]))
				continue;
			/* Without a reduction, the last update counts. */
			map[target[i]] = size + i;
			touched[target[i]] = 1;
			target[i] = -1;
			left--;
		}
		if (ret || ir_const_new(g, "updates", ONSRAM_DTYPE_I64, 1, &flat, map, &rows)) {
			free(ret ? map : NULL);
			free(touched);
			ret = -1;
			break;
		}
		if (ir_const_new(g, "updated", ONSRAM_DTYPE_BOOL, data->view.rank, dims, touched, &mask) ||
		    join(g, n, &now, updates, &both) ||
		    pick_rows(g, n, &both, 1, &rows, data->view.rank, dims, &taken))
			ret = -1;
		else if (!formula)
			now = taken;
		else if (lower_expression(g, n, formula, (ir_value[]){ now, taken }, &taken) ||
			 lower_expression(g, n, "x y z where", (ir_value[]){ mask, taken, now }, &now))
			ret = -1;
	}
	free(target);
	*out = now;
	return ret;
}

static int lower_scatter_elements(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *data = &n->in[0], *indices = &n->in[1], *updates = &n->in[2];
	int axis = lower_axis(g, proto_int(n->proto, "axis", 0), data->view.rank);
	struct view_iter it;
	const char *formula;
	int64_t *at;
	ir_value out;

	(void)func;
	if (axis < 0 || reduction_of(g, n, &formula))
		return -1;
	if (!view_same_dims(&indices->view, &updates->view) || indices->view.rank != data->view.rank)
		return ir_fail(g, "indices and updates do not have the same shape, or not the data's number of dimensions");
	at = lower_read_ints(g, indices, "indices");
	if (!at)
		return -1;
	view_iter_start(&it, &indices->view);
	for (uint64_t i = 0; i < view_count(&indices->view); i++, view_iter_next(&it)) {
		int64_t place = at[i] + (at[i] < 0 ? data->view.dims[axis] : 0), to = 0;
		bool inside = place >= 0 && place < data->view.dims[axis];

		for (uint32_t d = 0; d < data->view.rank; d++) {
			inside = inside && (d == (uint32_t)axis || it.index[d] < data->view.dims[d]);
			to = to * data->view.dims[d] + (d == (uint32_t)axis ? place : it.index[d]);
		}
		if (!inside) {
			free(at);
			return ir_fail(g, "an index is out of range");
		}
		at[i] = to;
	}
	return lower_scatter(g, n, data, updates, at, formula, &out) ? -1 : lower_bind(g, n, 0, &out);
}

static int lower_scatter_nd(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	const ir_value *data = &n->in[0], *indices = &n->in[1], *updates = &n->in[2];
	uint64_t row = 1, tuples, count = view_count(&updates->view);
	int64_t *at, *target;
	const char *formula;
	uint32_t width;
	ir_value out;

	(void)func;
	if (reduction_of(g, n, &formula))
		return -1;
	width = indices->view.rank ? indices->view.dims[indices->view.rank - 1] : 0;
	if (!width || width > data->view.rank)
		return ir_fail(g, "indices are tuples of %u for %u dimensions", width, data->view.rank);
	for (uint32_t d = width; d < data->view.rank; d++)
		row *= data->view.dims[d];
	tuples = view_count(&indices->view) / width;
	if (tuples * row != count)
		return ir_fail(g, "updates have %llu elements, expected %llu", (unsigned long long)count,
			       (unsigned long long)(tuples * row));
	if (!ir_may_fold(g, count))
		return ir_fail(g, "updates have more elements than are supported");
	at = lower_read_ints(g, indices, "indices");
	target = at ? malloc((count + 1) * sizeof(*target)) : NULL;
	if (!target) {
		free(at);
		return g->err ? -1 : ir_nomem(g);
	}
	for (uint64_t t = 0; t < tuples; t++) {
		int64_t to = 0;

		for (uint32_t k = 0; k < width; k++) {
			int64_t place = at[t * width + k], extent = data->view.dims[k];

			place += place < 0 ? extent : 0;
			if (place < 0 || place >= extent)
				ir_fail(g, "an index is out of range");
			to = to * extent + place;
		}
		for (uint64_t e = 0; e < row; e++)
			target[t * row + e] = to * row + e;
	}
	free(at);
	if (g->err) {
		free(target);
		return -1;
	}
	return lower_scatter(g, n, data, updates, target, formula, &out) ? -1 : lower_bind(g, n, 0, &out);
}

/* Rows along the axis, or elements, where a constant condition holds. */
static int lower_compress(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_GATHER, .operand = { [1] = n->in[0] } };
	const Onnx__AttributeProto *attr = proto_attr(n->proto, "axis");
	const ir_value *condition = &n->in[1];
	int64_t dims[ONSRAM_MAX_RANK], flat = view_count(&n->in[0].view), nr = 0, *rows;
	uint64_t count = view_count(&condition->view);
	uint8_t *on;
	int axis;

	(void)func;
	if (condition->view.dtype != ONSRAM_DTYPE_BOOL || condition->view.rank != 1)
		return ir_fail(g, "condition is not a vector of bool");
	if (ir_need_const(g, condition, "condition"))
		return -1;
	if (!attr && ir_reshape(g, &n->in[0], 1, &flat, &op.operand[1]))
		return -1;
	axis = lower_axis(g, attr ? attr->i : 0, op.operand[1].view.rank);
	if (axis < 0)
		return -1;
	if (count > op.operand[1].view.dims[axis])
		return ir_fail(g, "condition is longer than the dimension");
	if (!ir_may_fold(g, count))
		return ir_fail(g, "condition has more elements than are supported");
	on = ir_const_read(g, condition);
	rows = on ? malloc((count + 1) * sizeof(*rows)) : NULL;
	if (!rows) {
		free(on);
		return g->err ? -1 : ir_nomem(g);
	}
	for (uint64_t i = 0; i < count; i++)
		if (on[i])
			rows[nr++] = i;
	free(on);
	dims_of(&op.operand[1], dims);
	dims[axis] = nr;
	op.attr.axis = axis;
	if (ir_const_new(g, "rows", ONSRAM_DTYPE_I64, 1, &nr, rows, &op.operand[2]) ||
	    lower_new(g, n, 0, n->in[0].view.dtype, op.operand[1].view.rank, dims, &op.operand[0]))
		return -1;
	return ir_push(g, &op);
}

/* The first elements of every sequence, as many as it has, come in reverse. */
static int lower_reverse_sequence(struct ir_graph *g, const struct ir_node *n, uint32_t func)
{
	int64_t batch = proto_int(n->proto, "batch_axis", 1), time = proto_int(n->proto, "time_axis", 0);
	const ir_value *x = &n->in[0];
	int64_t dims[ONSRAM_MAX_RANK], *lengths, *rows, count;
	uint64_t row = 1;
	ir_value at, out;

	(void)func;
	if (x->view.rank < 2 || (batch != 0 && batch != 1) || time != !batch)
		return ir_fail(g, "batch_axis and time_axis are not the first two dimensions");
	if (n->in[1].view.rank != 1 || n->in[1].view.dims[0] != x->view.dims[batch])
		return ir_fail(g, "sequence_lens does not have one element per sequence");
	count = (int64_t)x->view.dims[0] * x->view.dims[1];
	if (!ir_may_fold(g, count))
		return ir_fail(g, "the sequences have more elements than are supported");
	lengths = lower_read_ints(g, &n->in[1], "sequence_lens");
	rows = lengths ? malloc((count + 1) * sizeof(*rows)) : NULL;
	if (!rows) {
		free(lengths);
		return g->err ? -1 : ir_nomem(g);
	}
	for (int64_t i = 0; i < count; i++) {
		int64_t index[2] = { i / x->view.dims[1], i % x->view.dims[1] }, length = lengths[index[batch]];

		if (length < 0 || length > x->view.dims[time])
			ir_fail(g, "a length of sequence_lens is out of range");
		if (index[time] < length)
			index[time] = length - 1 - index[time];
		rows[i] = index[0] * x->view.dims[1] + index[1];
	}
	free(lengths);
	for (uint32_t d = 2; d < x->view.rank; d++)
		row *= x->view.dims[d];
	dims_of(x, dims);
	if (g->err) {
		free(rows);
		return -1;
	}
	if (ir_const_new(g, "rows", ONSRAM_DTYPE_I64, 1, &count, rows, &at) ||
	    pick_rows(g, n, x, row, &at, x->view.rank, dims, &out))
		return -1;
	return lower_bind(g, n, 0, &out);
}

const struct lower_rule lower_index_rules[] = {
	RULE("Compress", 9, NOW, 2, 2, lower_compress, 0),
	RULE("GatherElements", 11, NOW, 2, 2, lower_gather_elements, 0),
	RULE("GatherND", 11, NOW, 2, 2, lower_gather_nd, 0),
	RULE("ReverseSequence", 10, NOW, 2, 2, lower_reverse_sequence, 0),
	RULE("Scatter", 9, 10, 3, 3, lower_scatter_elements, 0),
	RULE("ScatterElements", 11, NOW, 3, 3, lower_scatter_elements, 0),
	RULE("ScatterND", 11, NOW, 3, 3, lower_scatter_nd, 0),
	{ 0 }
};
