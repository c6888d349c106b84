// SPDX-License-Identifier: MIT
/* Tensor contents on the host: files, element types, comparison. */
#define _GNU_SOURCE

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir.h"
#include "proto.h"

void onsram_array_release(struct onsram_array *a)
{
	free(a->name);
	free(a->data);
	memset(a, 0, sizeof(*a));
}

static uint64_t array_count(const struct onsram_array *a)
{
	uint64_t n = 1;

	for (uint32_t d = 0; d < a->rank; d++)
		n *= a->dims[d];
	return n;
}

int onsram_array_load(const char *path, struct onsram_array *a, char **err)
{
	ProtobufCMessage *m;
	char *what = NULL;
	int ret;

	memset(a, 0, sizeof(*a));
	*err = NULL;
	m = proto_read(path, &onnx__tensor_proto__descriptor, err);
	if (!m)
		return -1;
	ret = proto_tensor((Onnx__TensorProto *)m, a, &what);
	protobuf_c_message_free_unpacked(m, NULL);
	if (ret && asprintf(err, "%s: %s", path, what ? what : "out of memory") < 0)
		*err = NULL;
	free(what);
	return ret;
}

static int save_fail(char **err, const char *path, const char *what)
{
	if (asprintf(err, "%s: %s", path, what) < 0)
		*err = NULL;
	return -1;
}

int onsram_array_save(const char *path, const struct onsram_array *a, char **err)
{
	static const int32_t types[ONSRAM_DTYPE_COUNT] = {
		[ONSRAM_DTYPE_F32] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
		[ONSRAM_DTYPE_F16] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16,
		[ONSRAM_DTYPE_I64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
		[ONSRAM_DTYPE_I32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
		[ONSRAM_DTYPE_BOOL] = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
	};
	Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
	int64_t dims[ONSRAM_MAX_RANK];
	uint8_t *out;
	size_t size;
	int ret = 0;
	FILE *f;

	*err = NULL;
	if (!a->dtype || a->dtype >= ONSRAM_DTYPE_COUNT)
		return save_fail(err, path, "the array has no element type that ONNX knows");
	for (uint32_t d = 0; d < a->rank; d++)
		dims[d] = a->dims[d];
	t.n_dims = a->rank;
	t.dims = dims;
	t.has_data_type = true;
	t.data_type = types[a->dtype];
	t.name = a->name;
	t.has_raw_data = true;
	t.raw_data.len = a->bytes;
	t.raw_data.data = a->data;
	out = malloc(onnx__tensor_proto__get_packed_size(&t));
	if (!out)
		return save_fail(err, path, "out of memory");
	size = onnx__tensor_proto__pack(&t, out);
	f = fopen(path, "wb");
	if (!f) {
		ret = save_fail(err, path, strerror(errno));
	} else {
		bool written = fwrite(out, 1, size, f) == size;

		if (fclose(f) || !written)
			ret = save_fail(err, path, strerror(errno));
	}
	free(out);
	return ret;
}

static bool is_float(uint32_t dtype)
{
	return dtype == ONSRAM_DTYPE_F32 || dtype == ONSRAM_DTYPE_F16;
}

int onsram_array_convert(struct onsram_array *a, uint32_t dtype)
{
	uint64_t n = array_count(a);
	size_t size = view_dtype_size(dtype);
	void *data;

	if (a->dtype == dtype)
		return 0;
	if (!size || is_float(a->dtype) != is_float(dtype))
		return -1;
	data = malloc(n ? n * size : 1);
	if (!data)
		return -1;
	if (dtype == ONSRAM_DTYPE_F16) {
		for (uint64_t i = 0; i < n; i++)
			((_Float16 *)data)[i] = (_Float16)((float *)a->data)[i];
	} else if (dtype == ONSRAM_DTYPE_F32) {
		for (uint64_t i = 0; i < n; i++)
			((float *)data)[i] = ((_Float16 *)a->data)[i];
	} else {
		for (uint64_t i = 0; i < n; i++) {
			int64_t v = a->dtype == ONSRAM_DTYPE_I64 ? ((int64_t *)a->data)[i] :
				    a->dtype == ONSRAM_DTYPE_I32 ? ((int32_t *)a->data)[i] : ((uint8_t *)a->data)[i];

			if (dtype == ONSRAM_DTYPE_I64)
				((int64_t *)data)[i] = v;
			else if (dtype == ONSRAM_DTYPE_I32)
				((int32_t *)data)[i] = (int32_t)v;
			else
				((uint8_t *)data)[i] = v != 0;
		}
	}
	free(a->data);
	a->data = data;
	a->dtype = dtype;
	a->bytes = n * size;
	return 0;
}

void onsram_shape_text(const uint32_t *dims, uint32_t rank, char *text, size_t size)
{
	size_t n = 0;

	snprintf(text, size, "scalar");
	for (uint32_t i = 0; i < rank && n < size; i++)
		n += snprintf(text + n, size - n, "%s%u", i ? "x" : "", dims[i]);
}

int onsram_array_as(struct onsram_array *a, uint32_t dtype)
{
	if (a->dtype == dtype || !is_float(a->dtype) || !is_float(dtype))
		return 0;
	return onsram_array_convert(a, dtype);
}

int onsram_array_fit(struct onsram_array *a, const struct onsram_tensor *t, char **err)
{
	char got[96], want[96];
	int n = -1;

	if (a->rank != t->view.rank || memcmp(a->dims, t->view.dims, a->rank * sizeof(a->dims[0]))) {
		onsram_shape_text(a->dims, a->rank, got, sizeof(got));
		onsram_shape_text(t->view.dims, t->view.rank, want, sizeof(want));
		n = asprintf(err, "the shape given for \"%s\" is %s, not %s", t->name, got, want);
	} else if (onsram_array_as(a, t->view.dtype)) {
		n = asprintf(err, "out of memory");
	} else if (a->dtype != t->view.dtype) {
		n = asprintf(err, "the elements given for \"%s\" are %s, not %s", t->name,
			     view_dtype_name(a->dtype), view_dtype_name(t->view.dtype));
	} else {
		return 0;
	}
	if (n < 0)
		*err = NULL;
	return -1;
}

static double element(const struct onsram_array *a, uint64_t i)
{
	switch (a->dtype) {
	case ONSRAM_DTYPE_F32:
		return ((float *)a->data)[i];
	case ONSRAM_DTYPE_F16:
		return ((_Float16 *)a->data)[i];
	case ONSRAM_DTYPE_I64:
		return ((int64_t *)a->data)[i];
	case ONSRAM_DTYPE_I32:
		return ((int32_t *)a->data)[i];
	}
	return ((uint8_t *)a->data)[i];
}

static bool close_enough(double got, double want, double rtol, double atol)
{
	if (isnan(got) || isnan(want))
		return isnan(got) && isnan(want);
	if (isinf(got) || isinf(want))
		return got == want;
	return fabs(got - want) <= atol + rtol * fabs(want);
}

/* @text as the caller's, whether there was memory for it or not. */
static bool differ(char **why, char *text)
{
	if (why)
		*why = text;
	else
		free(text);
	return false;
}

bool onsram_array_close(const struct onsram_array *got, const struct onsram_array *want,
			double rtol, double atol, char **why)
{
	uint64_t n = array_count(got), bad = 0, first = 0;
	char *text = NULL;

	if (why)
		*why = NULL;
	if (got->dtype != want->dtype) {
		if (asprintf(&text, "element type is %s, expected %s",
			     view_dtype_name(got->dtype), view_dtype_name(want->dtype)) < 0)
			text = NULL;
		return differ(why, text);
	}
	if (got->rank != want->rank) {
		if (asprintf(&text, "has %u dimensions, expected %u", got->rank, want->rank) < 0)
			text = NULL;
		return differ(why, text);
	}
	for (uint32_t d = 0; d < got->rank; d++) {
		if (got->dims[d] == want->dims[d])
			continue;
		if (asprintf(&text, "dimension %u is %u, expected %u", d, got->dims[d], want->dims[d]) < 0)
			text = NULL;
		return differ(why, text);
	}
	for (uint64_t i = 0; i < n; i++)
		if (!close_enough(element(got, i), element(want, i), rtol, atol) && !bad++)
			first = i;
	if (!bad)
		return true;
	if (asprintf(&text, "%llu of %llu elements differ, first element %llu: got %.9g, expected %.9g",
		     (unsigned long long)bad, (unsigned long long)n, (unsigned long long)first,
		     element(got, first), element(want, first)) < 0)
		text = NULL;
	return differ(why, text);
}
