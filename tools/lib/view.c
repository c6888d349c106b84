// SPDX-License-Identifier: MIT
/* Arithmetic on strided views. */
#include <string.h>

#include "ir.h"

size_t view_dtype_size(uint32_t dtype)
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
	}
	return 0;
}

const char *view_dtype_name(uint32_t dtype)
{
	static const char *const names[ONSRAM_DTYPE_COUNT] = {
		"none", "float32", "float16", "int64", "int32", "bool"
	};

	return dtype < ONSRAM_DTYPE_COUNT ? names[dtype] : "unknown";
}

uint64_t view_count(const struct onsram_view *v)
{
	uint64_t n = 1;

	for (uint32_t d = 0; d < v->rank; d++)
		n *= v->dims[d];
	return n;
}

void view_dense(struct onsram_view *v, uint32_t dtype, uint32_t rank, const uint32_t *dims)
{
	struct onsram_view out = { .dtype = dtype, .rank = rank };
	int64_t stride = 1;

	for (uint32_t d = rank; d-- > 0;) {
		out.dims[d] = dims[d];
		out.strides[d] = stride;
		stride *= dims[d];
	}
	*v = out;
}

bool view_is_dense(const struct onsram_view *v)
{
	int64_t stride = 1;

	for (uint32_t d = v->rank; d-- > 0;) {
		if (v->dims[d] != 1 && v->strides[d] != stride)
			return false;
		stride *= v->dims[d];
	}
	return true;
}

bool view_same_dims(const struct onsram_view *a, const struct onsram_view *b)
{
	return a->rank == b->rank && !memcmp(a->dims, b->dims, sizeof(a->dims));
}

bool view_equal(const struct onsram_view *a, const struct onsram_view *b)
{
	if (a->dtype != b->dtype || !view_same_dims(a, b))
		return false;
	for (uint32_t d = 0; d < a->rank; d++)
		if (a->dims[d] != 1 && a->strides[d] != b->strides[d])
			return false;
	return true;
}

void view_swap(struct onsram_view *v, uint32_t a, uint32_t b)
{
	uint32_t dim = v->dims[a];
	int32_t stride = v->strides[a];

	v->dims[a] = v->dims[b];
	v->strides[a] = v->strides[b];
	v->dims[b] = dim;
	v->strides[b] = stride;
}

bool view_reshape(const struct onsram_view *v, uint32_t rank, const uint32_t *dims, struct onsram_view *out)
{
	uint32_t from[ONSRAM_MAX_RANK], nr = 0, i = 0, j = 0;
	int32_t strides[ONSRAM_MAX_RANK];
	struct onsram_view r;

	view_dense(&r, v->dtype, rank, dims);
	for (uint32_t d = 0; d < v->rank; d++) {
		if (v->dims[d] == 1)
			continue;
		from[nr] = v->dims[d];
		strides[nr++] = v->strides[d];
	}
	/* Match runs of old dimensions with runs of new ones of the same size. */
	while (i < nr && j < rank) {
		uint32_t i0 = i, j0 = j;
		uint64_t old = from[i++], new = dims[j++];
		int64_t stride;

		while (old != new) {
			if (new < old) {
				if (j == rank)
					return false;
				new *= dims[j++];
			} else {
				if (i == nr)
					return false;
				old *= from[i++];
			}
		}
		for (uint32_t k = i0; k + 1 < i; k++)
			if (strides[k] != (int64_t)strides[k + 1] * from[k + 1])
				return false;
		stride = strides[i - 1];
		for (uint32_t k = j; k-- > j0;) {
			if (stride > INT32_MAX || stride < INT32_MIN)
				return false;
			r.strides[k] = stride;
			stride *= dims[k];
		}
	}
	*out = r;
	return true;
}

bool view_broadcast(const struct onsram_view *v, uint32_t rank, const uint32_t *dims, uint32_t at,
		    struct onsram_view *out)
{
	struct onsram_view r = { .dtype = v->dtype, .rank = rank };

	if (at + v->rank > rank)
		return false;
	for (uint32_t d = 0; d < rank; d++) {
		r.dims[d] = dims[d];
		if (d < at || d >= at + v->rank || v->dims[d - at] == 1)
			continue;
		if (v->dims[d - at] != dims[d])
			return false;
		r.strides[d] = v->strides[d - at];
	}
	*out = r;
	return true;
}

void view_extent(const ir_value *v, int64_t *lo, int64_t *hi)
{
	*lo = *hi = v->offset;
	for (uint32_t d = 0; d < v->view.rank; d++) {
		int64_t span = (int64_t)v->view.strides[d] * (v->view.dims[d] - 1);

		if (span < 0)
			*lo += span;
		else
			*hi += span;
	}
}

void view_iter_start(struct view_iter *it, const struct onsram_view *v)
{
	memset(it, 0, sizeof(*it));
	it->view = v;
}

void view_iter_next(struct view_iter *it)
{
	const struct onsram_view *v = it->view;

	for (uint32_t d = v->rank; d-- > 0;) {
		it->at += v->strides[d];
		if (++it->index[d] < v->dims[d])
			return;
		it->at -= (int64_t)v->strides[d] * v->dims[d];
		it->index[d] = 0;
	}
}
