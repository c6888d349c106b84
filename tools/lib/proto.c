// SPDX-License-Identifier: MIT
/* ONNX's protocol buffers: files, tensors, attributes. */
#define _GNU_SOURCE

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto.h"

/* Messages nest this deep at most: a graph's types and subgraphs, with room to spare. */
#define MAX_DEPTH 32
/* Protocol buffers hold no more. */
#define MAX_FILE (1u << 31)

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	for (int shift = 0; shift < 70 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = v;
			return true;
		}
	}
	return false;
}

/*
 * The unpacker recurses per nested message without a limit, so a small file
 * could exhaust the stack: walk the nesting first.
 */
static bool nesting_ok(const ProtobufCMessageDescriptor *type, const uint8_t *p, size_t size, int depth)
{
	const uint8_t *end = p + size;

	if (depth > MAX_DEPTH)
		return false;
	while (p < end) {
		const ProtobufCFieldDescriptor *field;
		uint64_t key, n;

		if (!varint(&p, end, &key))
			return false;
		switch (key & 7) {
		case 0:
			if (!varint(&p, end, &n))
				return false;
			continue;
		case 1:
			n = 8;
			break;
		case 2:
			if (!varint(&p, end, &n))
				return false;
			break;
		case 5:
			n = 4;
			break;
		default:
			return false;
		}
		if (n > (uint64_t)(end - p))
			return false;
		field = protobuf_c_message_descriptor_get_field(type, key >> 3);
		if ((key & 7) == 2 && field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
		    !nesting_ok(field->descriptor, p, n, depth + 1))
			return false;
		p += n;
	}
	return true;
}

static int fail(char **err, const char *path, const char *what)
{
	if (asprintf(err, "%s: %s", path, what) < 0)
		*err = NULL;
	return -1;
}

static int read_all(const char *path, uint8_t **data, size_t *size, char **err)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	int ret = -1;

	*data = NULL;
	if (!f)
		return fail(err, path, strerror(errno));
	if (fstat(fileno(f), &st)) {
		fail(err, path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fail(err, path, "is not a regular file");
	} else if (!st.st_size) {
		fail(err, path, "is empty");
	} else if (st.st_size > MAX_FILE) {
		fail(err, path, "is larger than 2 GiB, which ONNX does not allow");
	} else {
		*size = st.st_size;
		*data = malloc(*size);
		if (!*data)
			fail(err, path, "out of memory");
		else if (fread(*data, 1, *size, f) != *size)
			fail(err, path, ferror(f) ? strerror(errno) : "became shorter while it was read");
		else
			ret = 0;
	}
	fclose(f);
	if (ret) {
		free(*data);
		*data = NULL;
	}
	return ret;
}

ProtobufCMessage *proto_read(const char *path, const ProtobufCMessageDescriptor *type, char **err)
{
	ProtobufCMessage *m = NULL;
	uint8_t *data;
	size_t size;

	if (read_all(path, &data, &size, err))
		return NULL;
	if (nesting_ok(type, data, size, 0))
		m = protobuf_c_message_unpack(type, NULL, size, data);
	if (!m && asprintf(err, "%s: is not an ONNX %s, or is damaged or incomplete", path, type->short_name) < 0)
		*err = NULL;
	free(data);
	return m;
}

static const struct {
	const char *name;
	uint32_t dtype;
	size_t size;
} types[] = {
	[ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED] = { "undefined", 0, 0 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT] = { "float32", ONSRAM_DTYPE_F32, 4 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT8] = { "uint8", 0, 1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT8] = { "int8", 0, 1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT16] = { "uint16", 0, 2 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT16] = { "int16", 0, 2 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT32] = { "int32", ONSRAM_DTYPE_I32, 4 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__INT64] = { "int64", ONSRAM_DTYPE_I64, 8 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__STRING] = { "string", 0, 0 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__BOOL] = { "bool", ONSRAM_DTYPE_BOOL, 1 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16] = { "float16", ONSRAM_DTYPE_F16, 2 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE] = { "float64", ONSRAM_DTYPE_F32, 8 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT32] = { "uint32", 0, 4 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__UINT64] = { "uint64", 0, 8 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX64] = { "complex64", 0, 8 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX128] = { "complex128", 0, 16 },
	[ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16] = { "bfloat16", 0, 2 },
	/* Newer than the schema at hand may be. */
	[17] = { "float8e4m3fn", 0, 1 },
	[18] = { "float8e4m3fnuz", 0, 1 },
	[19] = { "float8e5m2", 0, 1 },
	[20] = { "float8e5m2fnuz", 0, 1 },
	[21] = { "uint4", 0, 0 },
	[22] = { "int4", 0, 0 },
	[23] = { "float4e2m1", 0, 0 },
};

#define NR_TYPES ((int32_t)(sizeof(types) / sizeof(types[0])))

uint32_t proto_dtype(int32_t elem_type)
{
	return elem_type >= 0 && elem_type < NR_TYPES ? types[elem_type].dtype : ONSRAM_DTYPE_NONE;
}

const char *proto_dtype_name(int32_t elem_type)
{
	return elem_type >= 0 && elem_type < NR_TYPES ? types[elem_type].name : "unknown";
}

static int tensor_fail(char **err, const Onnx__TensorProto *t, const char *what)
{
	if (asprintf(err, "tensor '%s': %s", t->name ? t->name : "", what) < 0)
		*err = NULL;
	return -1;
}

/* Elements of the typed fields, where the tensor has no raw data. */
static bool from_fields(const Onnx__TensorProto *t, uint64_t n, void *data)
{
	size_t have = t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? t->n_float_data :
		      t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE ? t->n_double_data :
		      t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 ? t->n_int64_data : t->n_int32_data;

	if (have != n)
		return false;
	switch (t->data_type) {
	case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
		if (n)
			memcpy(data, t->float_data, n * sizeof(float));
		break;
	case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
		if (n)
			memcpy(data, t->double_data, n * sizeof(double));
		break;
	case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
		if (n)
			memcpy(data, t->int64_data, n * sizeof(int64_t));
		break;
	case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
		if (n)
			memcpy(data, t->int32_data, n * sizeof(int32_t));
		break;
	case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
		for (uint64_t i = 0; i < n; i++)
			((uint16_t *)data)[i] = t->int32_data[i];
		break;
	default:
		for (uint64_t i = 0; i < n; i++)
			((uint8_t *)data)[i] = t->int32_data[i] != 0;
	}
	return true;
}

/* From double to float, in place. Return: false where a number would become infinite */
static bool narrow(struct onsram_array *a, uint64_t n)
{
	const char *from = a->data;
	char *to = a->data;

	for (uint64_t i = 0; i < n; i++) {
		double d;
		float f;

		memcpy(&d, from + i * sizeof(d), sizeof(d));
		f = d;
		if (isinf(f) && !isinf(d))
			return false;
		memcpy(to + i * sizeof(f), &f, sizeof(f));
	}
	a->bytes = n * sizeof(float);
	return true;
}

int proto_tensor(const Onnx__TensorProto *t, struct onsram_array *a, char **err)
{
	uint32_t dtype = proto_dtype(t->data_type);
	uint64_t n = 1, limit = ONSRAM_MAX_ELEMENTS;
	bool ok;

	memset(a, 0, sizeof(*a));
	if (!dtype) {
		if (asprintf(err, "tensor '%s': element type %s (%d) is not supported", t->name ? t->name : "",
			     proto_dtype_name(t->data_type), t->data_type) < 0)
			*err = NULL;
		return -1;
	}
	if (t->n_dims > ONSRAM_MAX_RANK)
		return tensor_fail(err, t, "has too many dimensions");
	if (t->n_external_data || t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
		return tensor_fail(err, t, "keeps its data in another file, which is not supported");
	for (size_t d = 0; d < t->n_dims; d++) {
		if (t->dims[d] < 0)
			return tensor_fail(err, t, "has a negative dimension");
		if ((uint64_t)t->dims[d] > limit || n * t->dims[d] > limit)
			return tensor_fail(err, t, "has too many elements");
		a->dims[d] = t->dims[d];
		n *= t->dims[d];
	}
	a->dtype = dtype;
	a->rank = t->n_dims;
	a->bytes = n * types[t->data_type].size;
	/* A file that claims more data than it holds must not make us allocate it. */
	if (t->has_raw_data && t->raw_data.len != a->bytes)
		return tensor_fail(err, t, "its data do not have the size that its dimensions ask for");
	if (!t->has_raw_data && n > t->n_float_data + t->n_double_data + t->n_int32_data + t->n_int64_data)
		return tensor_fail(err, t, "has fewer elements than its dimensions ask for");
	a->data = malloc(a->bytes ? a->bytes : 1);
	a->name = strdup(t->name ? t->name : "");
	if (!a->data || !a->name) {
		onsram_array_release(a);
		return tensor_fail(err, t, "out of memory");
	}
	ok = true;
	if (!t->has_raw_data)
		ok = from_fields(t, n, a->data);
	else if (a->bytes)
		memcpy(a->data, t->raw_data.data, a->bytes);
	if (!ok) {
		onsram_array_release(a);
		return tensor_fail(err, t, "does not have the number of elements that its dimensions ask for");
	}
	if (t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE && !narrow(a, n)) {
		onsram_array_release(a);
		return tensor_fail(err, t, "has a float64 element that float32 cannot hold");
	}
	/* Any byte but 0 is true in a file; here only 1 is. */
	if (dtype == ONSRAM_DTYPE_BOOL)
		for (uint64_t i = 0; i < n; i++)
			((uint8_t *)a->data)[i] = ((uint8_t *)a->data)[i] != 0;
	return 0;
}

const Onnx__AttributeProto *proto_attr(const Onnx__NodeProto *n, const char *name)
{
	for (size_t i = 0; i < n->n_attribute; i++)
		if (n->attribute[i]->name && !strcmp(n->attribute[i]->name, name))
			return n->attribute[i];
	return NULL;
}

int64_t proto_int(const Onnx__NodeProto *n, const char *name, int64_t def)
{
	const Onnx__AttributeProto *a = proto_attr(n, name);

	return a && a->has_i ? a->i : def;
}

float proto_float(const Onnx__NodeProto *n, const char *name, float def)
{
	const Onnx__AttributeProto *a = proto_attr(n, name);

	return a && a->has_f ? a->f : def;
}

bool proto_is(const Onnx__NodeProto *n, const char *name, const char *def, const char *value)
{
	const Onnx__AttributeProto *a = proto_attr(n, name);

	if (!a || !a->has_s || !a->s.len)
		return !strcmp(def, value);
	return a->s.len == strlen(value) && !memcmp(a->s.data, value, a->s.len);
}
