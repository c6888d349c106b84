// SPDX-License-Identifier: MIT
/* Constants computed on the host: what shapes are made of, and small weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"

static bool eval_float(const struct onsram_attr *attr, const float *v, float *out)
{
	float a = v[0], b = v[1], p0 = bits_float(attr->param[0]), p1 = bits_float(attr->param[1]);

	switch (attr->func) {
	case ONSRAM_EW_IDENTITY:
		*out = a;
		return true;
	case ONSRAM_EW_RELU:
		*out = a > 0 ? a : 0;
		return true;
	case ONSRAM_EW_CLIP:
		*out = fminf(fmaxf(a, p0), p1);
		return true;
	case ONSRAM_EW_SQRT:
		*out = sqrtf(a);
		return true;
	case ONSRAM_EW_NEG:
		*out = -a;
		return true;
	case ONSRAM_EW_ABS:
		*out = fabsf(a);
		return true;
	case ONSRAM_EW_EXP:
		*out = expf(a);
		return true;
	case ONSRAM_EW_RECIPROCAL:
		*out = 1.0f / a;
		return true;
	case ONSRAM_EW_ADD:
		*out = a + b;
		return true;
	case ONSRAM_EW_SUB:
		*out = a - b;
		return true;
	case ONSRAM_EW_MUL:
		*out = a * b;
		return true;
	case ONSRAM_EW_DIV:
		*out = a / b;
		return true;
	case ONSRAM_EW_POW:
		*out = powf(a, b);
		return true;
	}
	return false;
}

/* Integers wrap, a division by 0 gives 0: as on the device. */
static bool eval_int(uint32_t func, int64_t a, int64_t b, int64_t *out)
{
	switch (func) {
	case ONSRAM_EW_IDENTITY:
		*out = a;
		return true;
	case ONSRAM_EW_NEG:
		*out = (int64_t)(0 - (uint64_t)a);
		return true;
	case ONSRAM_EW_ADD:
		*out = (int64_t)((uint64_t)a + (uint64_t)b);
		return true;
	case ONSRAM_EW_SUB:
		*out = (int64_t)((uint64_t)a - (uint64_t)b);
		return true;
	case ONSRAM_EW_MUL:
		*out = (int64_t)((uint64_t)a * (uint64_t)b);
		return true;
	case ONSRAM_EW_DIV:
		*out = !b ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
		return true;
	case ONSRAM_EW_MAX:
		*out = a > b ? a : b;
		return true;
	case ONSRAM_EW_MIN:
		*out = a < b ? a : b;
		return true;
	}
	return false;
}

struct arg {
	void *data;
	uint32_t dtype;
};

static int64_t arg_int(const struct arg *a, uint64_t i)
{
	switch (a->dtype) {
	case ONSRAM_DTYPE_I64:
		return ((int64_t *)a->data)[i];
	case ONSRAM_DTYPE_I32:
		return ((int32_t *)a->data)[i];
	}
	return ((uint8_t *)a->data)[i];
}

static void store_int(void *data, uint32_t dtype, uint64_t i, int64_t v)
{
	if (dtype == ONSRAM_DTYPE_I64)
		((int64_t *)data)[i] = v;
	else if (dtype == ONSRAM_DTYPE_I32)
		((int32_t *)data)[i] = (int32_t)v;
	else
		((uint8_t *)data)[i] = v != 0;
}

/* Element @i of the function. Return: false where the host does not compute it */
static bool eval(const struct onsram_attr *attr, const struct arg *args, uint32_t nr, uint32_t dtype,
		 uint64_t i, void *out)
{
	float f[2] = { 0 };
	int64_t v;

	if (attr->func == ONSRAM_EW_WHERE) {
		const struct arg *from = &args[arg_int(&args[0], i) ? 1 : 2];
		size_t size = view_dtype_size(dtype);

		memcpy((char *)out + i * size, (char *)from->data + i * size, size);
		return true;
	}
	if (args[0].dtype == ONSRAM_DTYPE_F32) {
		for (uint32_t k = 0; k < nr && k < 2; k++)
			f[k] = ((float *)args[k].data)[i];
		if (attr->func == ONSRAM_EW_EQUAL)
			((uint8_t *)out)[i] = f[0] == f[1];
		else if (attr->func == ONSRAM_EW_LESS)
			((uint8_t *)out)[i] = f[0] < f[1];
		else if (attr->func == ONSRAM_EW_GREATER)
			((uint8_t *)out)[i] = f[0] > f[1];
		else
			return nr < 3 && eval_float(attr, f, (float *)out + i);
		return true;
	}
	v = arg_int(&args[0], i);
	if (attr->func == ONSRAM_EW_EQUAL)
		v = v == arg_int(&args[1], i);
	else if (attr->func == ONSRAM_EW_LESS)
		v = v < arg_int(&args[1], i);
	else if (attr->func == ONSRAM_EW_GREATER)
		v = v > arg_int(&args[1], i);
	else if (nr > 2 || !eval_int(attr->func, v, nr > 1 ? arg_int(&args[1], i) : 0, &v))
		return false;
	store_int(out, dtype, i, v);
	return true;
}

/* Make @out of the one element at @data, which is freed. */
static int filled(struct ir_graph *g, const char *name, uint32_t dtype, uint32_t rank, const int64_t *dims,
		  void *data, ir_value *out)
{
	uint32_t fill[2] = { 0 };

	memcpy(fill, data, view_dtype_size(dtype));
	free(data);
	return ir_filled_new(g, name, dtype, rank, dims, fill, out) ? -1 : 1;
}

int fold_elementwise(struct ir_graph *g, const char *name, const struct onsram_attr *attr,
		     const ir_value *in, uint32_t nr, uint32_t dtype, ir_value *out)
{
	uint64_t n = view_count(&in[0].view);
	struct arg args[3] = { 0 };
	int64_t dims[ONSRAM_MAX_RANK];
	bool uniform = n > 1, known = true;
	void *data;
	int ret = 0;

	for (uint32_t i = 0; i < nr; i++) {
		if (!ir_is_const(g, &in[i]))
			return 0;
		uniform = uniform && ir_is_uniform(g, &in[i]);
	}
	if (uniform)
		n = 1;
	if (!ir_may_fold(g, n))
		return 0;
	for (uint32_t d = 0; d < in[0].view.rank; d++)
		dims[d] = in[0].view.dims[d];
	data = malloc(n ? n * view_dtype_size(dtype) : 1);
	if (!data)
		return ir_nomem(g);
	for (uint32_t i = 0; i < nr && !ret; i++) {
		ir_value v = in[i];

		if (uniform)
			v.view.rank = 0;
		args[i].dtype = v.view.dtype;
		args[i].data = ir_const_read(g, &v);
		if (!args[i].data)
			ret = -1;
	}
	for (uint64_t i = 0; i < n && known && !ret; i++)
		known = eval(attr, args, nr, dtype, i, data);
	for (uint32_t i = 0; i < nr; i++)
		free(args[i].data);
	if (ret || !known) {
		free(data);
		return ret;
	}
	if (uniform)
		return filled(g, name, dtype, in[0].view.rank, dims, data, out);
	return ir_const_new(g, name, dtype, in[0].view.rank, dims, data, out) ? -1 : 1;
}

int fold_concat(struct ir_graph *g, const char *name, const ir_value *in, uint32_t nr,
		uint32_t axis, const int64_t *dims, ir_value *out)
{
	size_t size = view_dtype_size(in[0].view.dtype), row = size, done = 0;
	uint64_t outer = 1, n = 1;
	char *data;

	for (uint32_t d = 0; d < in[0].view.rank; d++) {
		n *= dims[d];
		if (d < axis)
			outer *= dims[d];
		else
			row *= dims[d];
	}
	for (uint32_t i = 0; i < nr; i++)
		if (!ir_is_const(g, &in[i]))
			return 0;
	if (!ir_may_fold(g, n))
		return 0;
	data = malloc(n ? n * size : 1);
	if (!data)
		return ir_nomem(g);
	for (uint32_t i = 0; i < nr; i++) {
		size_t part = outer ? view_count(&in[i].view) * size / outer : 0;
		char *from = ir_const_read(g, &in[i]);

		if (!from) {
			free(data);
			return -1;
		}
		for (uint64_t o = 0; o < outer; o++)
			memcpy(data + o * row + done, from + o * part, part);
		done += part;
		free(from);
	}
	return ir_const_new(g, name, in[0].view.dtype, in[0].view.rank, dims, data, out) ? -1 : 1;
}

int fold_gather(struct ir_graph *g, const char *name, const ir_value *data, const ir_value *indices,
		uint32_t axis, uint32_t rank, const int64_t *dims, ir_value *out)
{
	size_t size = view_dtype_size(data->view.dtype), block = size;
	uint64_t outer = 1, extent = data->view.dims[axis], n = 1, picks = view_count(&indices->view);
	struct arg index = { .dtype = indices->view.dtype };
	char *from, *to;
	int ret = 1;

	for (uint32_t d = 0; d < rank; d++)
		n *= dims[d];
	if (!ir_is_const(g, data) || !ir_is_const(g, indices) || view_count(&data->view) > IR_FOLD_ELEMENTS ||
	    picks > IR_FOLD_ELEMENTS || !ir_may_fold(g, n))
		return 0;
	for (uint32_t d = 0; d < data->view.rank; d++) {
		if (d < axis)
			outer *= data->view.dims[d];
		else if (d > axis)
			block *= data->view.dims[d];
	}
	to = malloc(n ? n * size : 1);
	from = ir_const_read(g, data);
	index.data = ir_const_read(g, indices);
	if (!to || !from || !index.data)
		ret = ir_nomem(g);
	for (uint64_t p = 0; p < picks && ret > 0; p++) {
		int64_t i = arg_int(&index, p);

		if (i < 0)
			i += extent;
		if (i < 0 || (uint64_t)i >= extent) {
			ret = ir_fail(g, "index %lld is out of range for %llu elements",
				      (long long)arg_int(&index, p), (unsigned long long)extent);
			break;
		}
		for (uint64_t o = 0; o < outer; o++)
			memcpy(to + (o * picks + p) * block, from + (o * extent + i) * block, block);
	}
	free(from);
	free(index.data);
	if (ret < 0) {
		free(to);
		return -1;
	}
	return ir_const_new(g, name, data->view.dtype, rank, dims, to, out) ? -1 : 1;
}

int fold_cast(struct ir_graph *g, const char *name, const ir_value *in, uint32_t dtype, ir_value *out)
{
	uint64_t n = view_count(&in->view);
	struct arg a = { .dtype = in->view.dtype };
	int64_t dims[ONSRAM_MAX_RANK];
	void *data;

	if (!ir_is_const(g, in) || !ir_may_fold(g, n))
		return 0;
	a.data = ir_const_read(g, in);
	data = malloc(n ? n * view_dtype_size(dtype) : 1);
	if (!a.data || !data) {
		free(a.data);
		free(data);
		return ir_nomem(g);
	}
	for (uint32_t d = 0; d < in->view.rank; d++)
		dims[d] = in->view.dims[d];
	for (uint64_t i = 0; i < n; i++) {
		if (dtype == ONSRAM_DTYPE_F32) {
			((float *)data)[i] = arg_int(&a, i);
		} else if (a.dtype == ONSRAM_DTYPE_F32) {
			float f = ((float *)a.data)[i];

			if (dtype == ONSRAM_DTYPE_BOOL)
				((uint8_t *)data)[i] = f != 0;
			else	/* out of range has no defined result: saturate */
				store_int(data, dtype, i, !(f > -9.2e18f) ? INT64_MIN : f >= 9.2e18f ? INT64_MAX : (int64_t)f);
		} else {
			store_int(data, dtype, i, arg_int(&a, i));
		}
	}
	free(a.data);
	return ir_const_new(g, name, dtype, in->view.rank, dims, data, out) ? -1 : 1;
}
