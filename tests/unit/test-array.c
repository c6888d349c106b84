// SPDX-License-Identifier: MIT
/* Tensor contents on the host: files, element types, comparison. */
#define _GNU_SOURCE

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct onsram_array array(uint32_t dtype, uint32_t nr, const void *data, size_t bytes)
{
	struct onsram_array a = { .name = strdup("x"), .dtype = dtype, .rank = 1, .dims = { nr }, .bytes = bytes };

	a.data = malloc(bytes ? bytes : 1);
	assert_non_null(a.data);
	memcpy(a.data, data, bytes);
	return a;
}

static struct onsram_array floats(uint32_t nr, const float *data)
{
	return array(ONSRAM_DTYPE_F32, nr, data, nr * sizeof(*data));
}

/* What is written reads back the same, in every type. */
static void test_file(void **state)
{
	static const uint32_t dtypes[] = {
		ONSRAM_DTYPE_F32, ONSRAM_DTYPE_F16, ONSRAM_DTYPE_I64, ONSRAM_DTYPE_I32, ONSRAM_DTYPE_BOOL,
	};
	static const size_t sizes[] = { 4, 2, 8, 4, 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(dtypes); i++) {
		uint8_t bytes[6 * 8];
		struct onsram_array a, b;
		char *path = model_write_bytes("", 0), *err;

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = dtypes[i] == ONSRAM_DTYPE_BOOL ? k & 1 : 7 * k + 1;
		a = array(dtypes[i], 2, bytes, 6 * sizes[i]);
		a.rank = 2;
		a.dims[1] = 3;
		assert_int_equal(onsram_array_save(path, &a, &err), 0);
		assert_int_equal(onsram_array_load(path, &b, &err), 0);
		assert_string_equal(b.name, "x");
		assert_int_equal(b.dtype, a.dtype);
		assert_int_equal(b.rank, 2);
		assert_memory_equal(b.dims, a.dims, sizeof(a.dims));
		assert_int_equal(b.bytes, a.bytes);
		assert_memory_equal(b.data, a.data, a.bytes);
		onsram_array_release(&a);
		onsram_array_release(&b);
		model_remove(path);
	}
}

/* Files that hold their elements in the typed fields instead of raw bytes. */
static void test_typed_fields(void **state)
{
	Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
	int32_t ints[] = { 0x3c00, 0xc000, 1 };
	int64_t dims[] = { 3 };
	struct onsram_array a;
	char *err = NULL;

	(void)state;
	t.n_dims = 1;
	t.dims = dims;
	t.n_int32_data = 3;
	t.int32_data = ints;
	t.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
	assert_int_equal(proto_tensor(&t, &a, &err), 0);
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_F32), 0);
	assert_true(((float *)a.data)[0] == 1.0f && ((float *)a.data)[1] == -2.0f);
	assert_true(((float *)a.data)[2] == 0x1p-24f);
	onsram_array_release(&a);
	t.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
	assert_int_equal(proto_tensor(&t, &a, &err), 0);
	assert_int_equal(((uint8_t *)a.data)[0], 1);
	onsram_array_release(&a);
	dims[0] = 4;
	assert_int_equal(proto_tensor(&t, &a, &err), -1);
	assert_non_null(err);
	free(err);
}

/* Doubles are held as floats, as far as floats hold them. */
static void test_doubles(void **state)
{
	double data[] = { 0.1, -INFINITY, 1e-50, 3e38 };
	int64_t dims[] = { 4 };
	Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
	struct onsram_array a;
	char *err = NULL;

	(void)state;
	t.n_dims = 1;
	t.dims = dims;
	t.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
	for (int raw = 0; raw < 2; raw++) {
		t.n_double_data = raw ? 0 : 4;
		t.double_data = raw ? NULL : data;
		t.has_raw_data = raw;
		t.raw_data = (ProtobufCBinaryData){ .len = sizeof(data), .data = (uint8_t *)data };
		assert_int_equal(proto_tensor(&t, &a, &err), 0);
		assert_int_equal(a.dtype, ONSRAM_DTYPE_F32);
		assert_int_equal(a.bytes, 4 * sizeof(float));
		assert_true(((float *)a.data)[0] == 0.1f && isinf(((float *)a.data)[1]));
		assert_true(((float *)a.data)[2] == 0 && ((float *)a.data)[3] == 3e38f);
		onsram_array_release(&a);
	}
	data[3] = 1e39;
	assert_int_equal(proto_tensor(&t, &a, &err), -1);
	assert_non_null(strstr(err, "float32 cannot hold"));
	free(err);
}

static void load_fails(const void *data, size_t size, const char *word)
{
	char *path = model_write_bytes(data, size), *err = NULL;
	struct onsram_array a;

	assert_int_equal(onsram_array_load(path, &a, &err), -1);
	assert_non_null(err);
	assert_non_null(strstr(err, path));
	if (!strstr(err, word))
		fail_msg("'%s' does not say '%s'", err, word);
	free(err);
	model_remove(path);
}

static void test_bad_files(void **state)
{
	Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
	int64_t dims[8] = { 2, 2 };
	uint8_t packed[256];
	struct onsram_array a;
	uint8_t raw[16] = { 0 };
	size_t size;
	char *err;

	(void)state;
	load_fails("", 0, "empty");
	load_fails("\xff\xff\xff\xff", 4, "damaged");
	t.n_dims = 2;
	t.dims = dims;
	t.has_data_type = true;
	t.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	t.has_raw_data = true;
	t.raw_data.data = raw;
	t.raw_data.len = 16;
	size = onnx__tensor_proto__pack(&t, packed);
	load_fails(packed, size - 1, "incomplete");
	t.raw_data.len = 15;
	load_fails(packed, onnx__tensor_proto__pack(&t, packed), "size");
	t.raw_data.len = 16;
	dims[1] = -2;
	load_fails(packed, onnx__tensor_proto__pack(&t, packed), "negative");
	dims[1] = INT64_MAX;
	load_fails(packed, onnx__tensor_proto__pack(&t, packed), "too many elements");
	t.n_dims = 8;
	load_fails(packed, onnx__tensor_proto__pack(&t, packed), "dimensions");
	t.n_dims = 2;
	dims[1] = 2;
	t.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX64;
	load_fails(packed, onnx__tensor_proto__pack(&t, packed), "complex64");
	t.data_type = 12345;
	load_fails(packed, onnx__tensor_proto__pack(&t, packed), "not supported");
	assert_int_equal(onsram_array_load("/nonexistent/x.pb", &a, &err), -1);
	assert_non_null(strstr(err, "No such file"));
	free(err);
	a = floats(4, (float[4]){ 0 });
	assert_int_equal(onsram_array_save("/nonexistent/x.pb", &a, &err), -1);
	assert_non_null(strstr(err, "No such file"));
	free(err);
	onsram_array_release(&a);
}

static void test_convert(void **state)
{
	/* ties to even, overflow, smallest subnormal, rounding to zero, not a number */
	static const float in[] = { 2049, 2051, 65519, 65520, -1e9f, 0x1p-24f, 0x1p-26f, NAN };
	static const float want[] = { 2048, 2052, 65504, INFINITY, -INFINITY, 0x1p-24f, 0, NAN };
	struct onsram_array a = floats(COUNT(in), in);
	int64_t big = 1ll << 40 | 5;

	(void)state;
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_F16), 0);
	assert_int_equal(a.bytes, 2 * COUNT(in));
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_F32), 0);
	for (size_t i = 0; i + 1 < COUNT(in); i++)
		assert_true(((float *)a.data)[i] == want[i]);
	assert_true(isnan(((float *)a.data)[COUNT(in) - 1]));
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_I64), -1);
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_NONE), -1);
	onsram_array_release(&a);
	a = array(ONSRAM_DTYPE_I64, 1, &big, sizeof(big));
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_I32), 0);
	assert_int_equal(*(int32_t *)a.data, 5);
	assert_int_equal(onsram_array_convert(&a, ONSRAM_DTYPE_BOOL), 0);
	assert_int_equal(*(uint8_t *)a.data, 1);
	onsram_array_release(&a);
}

static bool is_close(float got, float want, double rtol, double atol)
{
	struct onsram_array a = floats(1, &got), b = floats(1, &want);
	char *why = NULL;
	bool same = onsram_array_close(&a, &b, rtol, atol, &why);

	assert_true(same == !why);
	free(why);
	onsram_array_release(&a);
	onsram_array_release(&b);
	return same;
}

static void test_close(void **state)
{
	float two[2] = { 1, 2 };
	struct onsram_array a = floats(2, two), b = floats(2, two);
	char *why = NULL;

	(void)state;
	assert_true(is_close(1.001f, 1, 1e-2, 0));
	assert_false(is_close(1.02f, 1, 1e-2, 0));
	/* the tolerance hangs on what is expected, not on what is got */
	assert_true(is_close(0.5f, 1, 0.5, 0));
	assert_false(is_close(1, 0.5f, 0.5, 0));
	assert_true(is_close(1e-8f, 0, 0, 1e-7));
	assert_false(is_close(1e-6f, 0, 0, 1e-7));
	assert_true(is_close(NAN, NAN, 0, 0));
	assert_false(is_close(NAN, 1, 1, 1));
	assert_false(is_close(1, NAN, 1, 1));
	assert_true(is_close(INFINITY, INFINITY, 0, 0));
	assert_false(is_close(INFINITY, -INFINITY, 1, 1));
	assert_false(is_close(1, INFINITY, 1, 1));
	((float *)a.data)[1] = 7;
	assert_false(onsram_array_close(&a, &b, 1e-3, 1e-7, &why));
	assert_string_equal(why, "1 of 2 elements differ, first element 1: got 7, expected 2");
	free(why);
	a.dims[0] = 1;
	assert_false(onsram_array_close(&a, &b, 1e-3, 1e-7, &why));
	assert_string_equal(why, "dimension 0 is 1, expected 2");
	free(why);
	a.rank = 2;
	assert_false(onsram_array_close(&a, &b, 1e-3, 1e-7, NULL));
	a.rank = 1;
	a.dtype = ONSRAM_DTYPE_I32;
	assert_false(onsram_array_close(&a, &b, 1e-3, 1e-7, &why));
	assert_string_equal(why, "element type is int32, expected float32");
	free(why);
	onsram_array_release(&a);
	onsram_array_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_typed_fields),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_convert),
		cmocka_unit_test(test_close),
	};

	return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
