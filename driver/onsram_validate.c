// SPDX-License-Identifier: GPL-2.0-only
/*
 * Validation of operations: operands, views and extents.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "onsram_validate.h"
#include "onsram_validate_op.h"

/* Most steps the search for a common byte of two views may take */
#define ONSRAM_OVERLAP_STEPS	512

u32 onsram_dtype_bytes(u32 dtype)
{
	switch (dtype) {
	case ONSRAM_DTYPE_I64:
		return 8;
	case ONSRAM_DTYPE_F32:
	case ONSRAM_DTYPE_I32:
		return 4;
	case ONSRAM_DTYPE_F16:
		return 2;
	case ONSRAM_DTYPE_BOOL:
		return 1;
	default:
		return 0;
	}
}

u64 onsram_elements_of(const struct onsram_view *view)
{
	u64 elements = 1;
	u32 d;

	for (d = 0; d < view->rank; d++)
		elements *= view->dims[d];
	return elements;
}

static u64 onsram_stride_abs(s32 stride)
{
	return stride < 0 ? -(s64)stride : stride;
}

static int onsram_check_view(const struct onsram_view *view, int slot,
			     struct onsram_validate_error *err)
{
	u64 elements = 1;
	u32 d;

	if (view->dtype >= ONSRAM_DTYPE_COUNT)
		return onsram_refuse(err, slot, "unknown dtype");
	if (view->rank > ONSRAM_MAX_RANK)
		return onsram_refuse(err, slot, "rank above ONSRAM_MAX_RANK");
	for (d = 0; d < view->rank; d++) {
		if (!view->dims[d])
			return onsram_refuse(err, slot, "dimension of extent 0");
		elements *= view->dims[d];
		if (elements > ONSRAM_MAX_ELEMENTS)
			return onsram_refuse(err, slot, "more than ONSRAM_MAX_ELEMENTS elements");
	}
	for (; d < ONSRAM_MAX_RANK; d++)
		if (view->dims[d] || view->strides[d])
			return onsram_refuse(err, slot,
					     "dims and strides beyond the rank must be 0");
	return 0;
}

/*
 * How far a view goes in front of its first element and behind it, in elements.
 * The sums cannot overflow: with at most 2^28 elements and strides of 32 bits,
 * each of the six terms is below 2^59.
 */
static void onsram_view_reach(const struct onsram_view *view, s64 *low, s64 *high)
{
	u32 d;

	*low = 0;
	*high = 0;
	for (d = 0; d < view->rank; d++) {
		s64 reach = (s64)view->strides[d] * (view->dims[d] - 1);

		if (reach < 0)
			*low += reach;
		else
			*high += reach;
	}
}

struct onsram_extent onsram_extent_of_view(const struct onsram_view *view, u64 offset)
{
	u32 bytes = onsram_dtype_bytes(view->dtype);
	s64 low, high;

	onsram_view_reach(view, &low, &high);
	return (struct onsram_extent) {
		.base = offset,
		.begin = offset + low * bytes,
		.end = offset + (high + 1) * bytes,
	};
}

static int onsram_check_extent(const struct drm_onsram_operand *operand, u64 size, int slot,
			       struct onsram_extent *ext, struct onsram_validate_error *err)
{
	const struct onsram_view *view = &operand->view;
	u32 bytes = onsram_dtype_bytes(view->dtype);
	s64 low, high;

	onsram_view_reach(view, &low, &high);
	if (high - low >= (s64)(ONSRAM_MAX_EXTENT / bytes))
		return onsram_refuse(err, slot, "view spans more than ONSRAM_MAX_EXTENT");
	if (operand->offset % bytes)
		return onsram_refuse(err, slot, "offset is not a multiple of the element size");
	if (operand->offset >= size)
		return onsram_refuse(err, slot, "offset outside the buffer");
	/* offset is below the size of a buffer, the reach below ONSRAM_MAX_EXTENT */
	if (size > S64_MAX - ONSRAM_MAX_EXTENT)
		return onsram_refuse(err, slot, "buffer too large");
	*ext = onsram_extent_of_view(view, operand->offset);
	if (ext->begin < 0)
		return onsram_refuse(err, slot, "view begins before the buffer");
	if (ext->end > (s64)size)
		return onsram_refuse(err, slot, "view ends behind the buffer");
	return 0;
}

static int onsram_check_absent(const struct drm_onsram_operand *operand, int slot,
			       struct onsram_validate_error *err)
{
	static const struct drm_onsram_operand zero;

	if (memcmp(operand, &zero, sizeof(zero)))
		return onsram_refuse(err, slot, "operand of dtype NONE must be zero");
	return 0;
}

/* Addresses no element twice: every stride steps over all that lies below it */
static bool onsram_view_is_injective(const struct onsram_view *view)
{
	bool done[ONSRAM_MAX_RANK] = {};
	u64 below = 0;
	u32 n;

	for (n = 0; n < view->rank; n++) {
		u64 best = U64_MAX;
		u32 pick = 0, d;

		for (d = 0; d < view->rank; d++) {
			if (!done[d] && onsram_stride_abs(view->strides[d]) < best) {
				best = onsram_stride_abs(view->strides[d]);
				pick = d;
			}
		}
		done[pick] = true;
		if (view->dims[pick] == 1)
			continue;
		if (best <= below)
			return false;
		below += best * (view->dims[pick] - 1);
	}
	return true;
}

/**
 * struct onsram_grid - the distances between elements of two views
 * @n: number of steps
 * @step: bytes, positive and descending
 * @low: least multiple of each step
 * @high: largest multiple of each step
 *
 * A distance is a sum of one multiple of each step.
 */
struct onsram_grid {
	u32 n;
	s64 step[2 * ONSRAM_MAX_RANK];
	s64 low[2 * ONSRAM_MAX_RANK];
	s64 high[2 * ONSRAM_MAX_RANK];
};

static void onsram_grid_add(struct onsram_grid *grid, const struct onsram_view *view, bool minus)
{
	s64 bytes = onsram_dtype_bytes(view->dtype);
	u32 d, i, k;

	for (d = 0; d < view->rank; d++) {
		s64 step = onsram_stride_abs(view->strides[d]) * bytes;
		s64 m = view->dims[d] - 1;

		if (!m || !step)
			continue;
		for (i = 0; i < grid->n && grid->step[i] > step; i++)
			;
		if (i == grid->n || grid->step[i] != step) {
			for (k = grid->n++; k > i; k--) {
				grid->step[k] = grid->step[k - 1];
				grid->low[k] = grid->low[k - 1];
				grid->high[k] = grid->high[k - 1];
			}
			grid->step[i] = step;
			grid->low[i] = 0;
			grid->high[i] = 0;
		}
		if (view->strides[d] < 0 ? !minus : minus)
			grid->low[i] -= m;
		else
			grid->high[i] += m;
	}
}

static s64 onsram_floor_div(s64 a, s64 b)
{
	return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/*
 * Is there a distance from @from to @to?  Depth first, the largest step
 * first; what the smaller steps can reach bounds the choices.  Out of steps
 * counts as yes.
 */
static bool onsram_grid_hits(const struct onsram_grid *grid, s64 from, s64 to)
{
	s64 m[2 * ONSRAM_MAX_RANK + 1], last[2 * ONSRAM_MAX_RANK + 1];
	s64 lows[2 * ONSRAM_MAX_RANK + 1], highs[2 * ONSRAM_MAX_RANK + 1];
	s64 at[2 * ONSRAM_MAX_RANK + 1];
	u32 steps = ONSRAM_OVERLAP_STEPS;
	u32 n = grid->n, level;

	lows[n] = 0;
	highs[n] = 0;
	for (level = n; level-- > 0;) {
		lows[level] = lows[level + 1] + grid->step[level] * grid->low[level];
		highs[level] = highs[level + 1] + grid->step[level] * grid->high[level];
	}

	at[0] = 0;
	level = 0;
	for (;;) {
		if (!steps--)
			return true;
		if (level == n) {
			if (at[n] >= from && at[n] <= to)
				return true;
		} else {
			s64 step = grid->step[level];
			/* from <= at + m * step + (lows..highs of the rest) <= to */
			s64 least = -onsram_floor_div(-(from - at[level] - highs[level + 1]), step);
			s64 most = onsram_floor_div(to - at[level] - lows[level + 1], step);

			m[level] = max(least, grid->low[level]);
			last[level] = min(most, grid->high[level]);
			if (m[level] <= last[level]) {
				at[level + 1] = at[level] + m[level] * step;
				level++;
				continue;
			}
		}
		/* back to the innermost level that has another choice */
		do {
			if (!level)
				return false;
			level--;
		} while (m[level] == last[level]);
		m[level]++;
		at[level + 1] = at[level] + m[level] * grid->step[level];
		level++;
	}
}

static bool onsram_operands_overlap(const struct drm_onsram_operand *a,
				    const struct onsram_extent *ea,
				    const struct drm_onsram_operand *b,
				    const struct onsram_extent *eb)
{
	struct onsram_grid grid = {};
	s64 distance = eb->base - ea->base;

	if (a->bo != b->bo || ea->end <= eb->begin || eb->end <= ea->begin)
		return false;
	/* elements share a byte where -sizeof(a's) < a's address - b's < sizeof(b's) */
	onsram_grid_add(&grid, &a->view, false);
	onsram_grid_add(&grid, &b->view, true);
	return onsram_grid_hits(&grid, distance - (s64)onsram_dtype_bytes(a->view.dtype) + 1,
				distance + (s64)onsram_dtype_bytes(b->view.dtype) - 1);
}

static int onsram_check_overlap(const struct drm_onsram_op *op, const struct onsram_extent *ext,
				struct onsram_validate_error *err)
{
	const struct drm_onsram_operand *out = &op->operand[0];
	u32 s;

	for (s = 1; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct drm_onsram_operand *in = &op->operand[s];

		if (!onsram_operand_present(op, s))
			continue;
		if (op->opcode == ONSRAM_OP_ELEMENTWISE && in->bo == out->bo &&
		    in->offset == out->offset && !memcmp(&in->view, &out->view, sizeof(in->view)))
			continue;
		if (onsram_operands_overlap(out, &ext[0], in, &ext[s]))
			return onsram_refuse(err, s, "input overlaps the output");
	}
	return 0;
}

int onsram_validate_op(const struct drm_onsram_op *op, const struct onsram_validate_bo *bos,
		       u32 nr_bos, u64 max_work, struct onsram_validate_error *err)
{
	const struct onsram_op_rule *rule = onsram_op_rule(op->opcode);
	struct onsram_extent ext[ONSRAM_MAX_OPERANDS];
	u32 s, bo;
	int ret;

	if (!rule)
		return onsram_refuse(err, ONSRAM_VALIDATE_NO_SLOT, "unknown opcode");
	if (op->flags)
		return onsram_refuse(err, ONSRAM_VALIDATE_NO_SLOT, "flags must be 0");
	if (op->attr.reserved)
		return onsram_refuse(err, ONSRAM_VALIDATE_NO_SLOT, "attr.reserved must be 0");
	/* no functions means that func must be 0 */
	if (op->attr.func >= max(rule->funcs, 1u))
		return onsram_refuse(err, ONSRAM_VALIDATE_NO_SLOT, "attr.func out of range");

	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct drm_onsram_operand *operand = &op->operand[s];

		if (!onsram_operand_present(op, s)) {
			if (rule->required & (1u << s))
				return onsram_refuse(err, s, "required operand is absent");
			ret = onsram_check_absent(operand, s, err);
			if (ret)
				return ret;
			continue;
		}
		if (!((rule->required | rule->optional) & (1u << s)))
			return onsram_refuse(err, s, "the operation has no such operand");
		if (operand->reserved)
			return onsram_refuse(err, s, "operand.reserved must be 0");
		if (operand->bo >= nr_bos)
			return onsram_refuse(err, s, "operand.bo out of range");
		ret = onsram_check_view(&operand->view, s, err);
		if (ret)
			return ret;
		bo = array_index_nospec(operand->bo, nr_bos);
		ret = onsram_check_extent(operand, bos[bo].size, s, &ext[s], err);
		if (ret)
			return ret;
	}
	if (!onsram_view_is_injective(&op->operand[0].view))
		return onsram_refuse(err, 0, "output addresses an element twice");

	ret = rule->check(op, err);
	if (ret)
		return ret;
	if (onsram_op_work(op) > max_work)
		return onsram_refuse(err, ONSRAM_VALIDATE_NO_SLOT, "more work than max_op_work");
	return onsram_check_overlap(op, ext, err);
}

bool onsram_op_writes_all(const struct drm_onsram_op *op, u64 size)
{
	const struct onsram_view *out = &op->operand[0].view;

	/* no element twice and none outside: as many bytes as the buffer has are all of it */
	return onsram_elements_of(out) * onsram_dtype_bytes(out->dtype) == size;
}
