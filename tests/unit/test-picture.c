// SPDX-License-Identifier: MIT
/* What pictures are made of: levels, rates and rows of a record, and text as files have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "format.h"
#include "perf-ops.h"
#include "picture.h"

#define K 1024u

static struct onsram_record_tensor tensors[] = {
	{ "a\"<\\", ONSRAM_RECORD_ACTIVATION, 4 * K }, { "w\xff", ONSRAM_RECORD_WEIGHT, 8 * K },
	{ "\xc3\xa9", ONSRAM_RECORD_OUTPUT, 4 * K },
};
static struct onsram_record_task tasks[] = {
	{ ONSRAM_RECORD_OPERATION, 0, "one", ONSRAM_RECORD_NONE, 0, 1000999, 10, 3000, 0, 0 },
	{ ONSRAM_RECORD_FETCH, 1, NULL, 1, 500000, 1500000, 0, 1000, 0, 1000 },
	{ ONSRAM_RECORD_OPERATION, 0, "two & more", ONSRAM_RECORD_NONE, 1000999, 3000000, 10, 0, 500, 9 },
	{ ONSRAM_RECORD_WRITEBACK, 1, NULL, 2, 1500000, 1500300, 0, 0, 700, 700 },
	{ ONSRAM_RECORD_OPERATION, 0, "three", ONSRAM_RECORD_NONE, 3000000, 3000000, 0, 0, 0, 0 },
};
static struct onsram_record_stay stays[] = {
	{ 0, 0, 0, 4 * K, 0, 0, 0, 1, 0, 1000999 },
	{ 1, 4 * K, 8 * K, 4 * K, 0, 1, 2, 3, 500000, 3000000 },
	/* takes the place of the first over, a part of it */
	{ 2, 0, 2 * K, 4 * K, 0, 0, 1, 2, 0, 3000000 },
	{ ONSRAM_RECORD_NONE, 0, 14 * K, 2 * K, 1, 1, 1, 2, 1000999, 3000000 },
};
static const struct onsram_record record = {
	.network = "n", .policy = "static", .origin = "planned", .spm_size = 16 * K, .dram_bw = 32000000000,
	.engines = 2, .nr_ops = 3, .tensors = tensors, .nr_tensors = 3, .tasks = tasks, .nr_tasks = 5,
	.stays = stays, .nr_stays = 4, .time_ps = 3000000, .baseline_ps = 5000000, .bound_ps = 1,
};

static void test_levels(void **state)
{
	struct onsram_record_level *level = onsram_record_levels(&record);

	(void)state;
	/* 0 to 6 K once though two are there, 8 to 12 K */
	assert_int_equal(level[0].held, 10 * K);
	assert_int_equal(level[0].free_largest, 4 * K);
	assert_int_equal(level[1].held, 10 * K);
	assert_int_equal(level[1].free_largest, 2 * K);
	assert_int_equal(level[2].held, 4 * K);
	assert_int_equal(level[2].free_largest, 8 * K);
	free(level);
}

static void test_steps(void **state)
{
	uint32_t n;
	struct onsram_record_step *step = onsram_record_bandwidth(&record, &n);

	(void)state;
	assert_int_equal(n, 6);
	assert_int_equal(step[0].ps, 0);
	assert_true(step[0].value > 2.99e9 && step[0].value < 3.0e9);
	assert_int_equal(step[1].ps, 500000);
	assert_true(step[1].value > 3.99e9 && step[1].value < 4.0e9);
	assert_int_equal(step[5].ps, 3000000);
	assert_true(step[5].value == 0);
	free(step);
	step = onsram_record_occupancy(&record, &n);
	assert_int_equal(n, 4);
	assert_true(step[0].value == 8 * K);
	assert_true(step[1].value == 12 * K);
	assert_true(step[2].value == 10 * K);
	assert_true(step[3].value == 0);
	free(step);
}

static void test_lanes(void **state)
{
	uint32_t lane[4];

	(void)state;
	assert_int_equal(onsram_record_lanes(&record, lane), 3);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			assert_true(lane[i] != lane[k] || stays[i].to_ps <= stays[k].from_ps ||
				    stays[k].to_ps <= stays[i].from_ps);
}

/* Random stays: no row holds two at a time, and there are as many rows as stays at once */
static void test_lanes_random(void **state)
{
	struct onsram_record_stay many[200] = { 0 };
	struct onsram_record r = { .stays = many, .nr_stays = 200 };
	uint32_t lane[200], lanes, seed = 7;

	(void)state;
	for (int round = 0; round < 20; round++) {
		uint32_t most = 0;

		for (int i = 0; i < 200; i++) {
			many[i].from_ps = rnd(&seed) % 1000;
			many[i].to_ps = many[i].from_ps + 1 + rnd(&seed) % 50;
		}
		lanes = onsram_record_lanes(&r, lane);
		for (int i = 0; i < 200; i++) {
			uint32_t now = 0;

			for (int k = 0; k < 200; k++) {
				now += many[k].from_ps <= many[i].from_ps && many[k].to_ps > many[i].from_ps;
				assert_true(k == i || lane[i] != lane[k] || many[i].to_ps <= many[k].from_ps ||
					    many[k].to_ps <= many[i].from_ps);
			}
			most = now > most ? now : most;
		}
		assert_int_equal(lanes, most);
	}
}

static char *written(int (*write)(FILE *, const struct onsram_record *), const struct onsram_record *r)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(write(f, r), 0);
	fclose(f);
	return text;
}

static void test_trace(void **state)
{
	char *text = written(picture_trace, &record);
	struct json_object *root = json_tokener_parse(text), *events;
	int slices = 0, instants = 0;

	(void)state;
	assert_non_null(root);
	assert_true(json_object_object_get_ex(root, "traceEvents", &events));
	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object *e = json_object_array_get_idx(events, i), *v;
		const char *ph;

		assert_true(json_object_object_get_ex(e, "ph", &v));
		ph = json_object_get_string(v);
		slices += *ph == 'X';
		instants += *ph == 'i';
		if (*ph != 'X' || !json_object_object_get_ex(e, "name", &v) ||
		    strcmp(json_object_get_string(v), "one"))
			continue;
		/* rounded down to nanoseconds: the end, not the duration */
		json_object_object_get_ex(e, "dur", &v);
		assert_string_equal(json_object_get_string(v), "1.000");
	}
	assert_int_equal(slices, 9);
	assert_int_equal(instants, 8);
	assert_non_null(strstr(text, "\"a\\\"\\u003c\\\\\""));
	assert_non_null(strstr(text, "\"w\xef\xbf\xbd\""));
	json_object_put(root);
	free(text);
}

static void test_map(void **state)
{
	struct onsram_record empty = { .network = "n", .policy = "none", .origin = "planned", .spm_size = 1, .engines = 1, .nr_ops = 1 };
	char *text = written(picture_map, &record);

	(void)state;
	assert_non_null(strstr(text, "a&quot;&lt;\\"));
	assert_null(strstr(text, "<script"));
	assert_non_null(strstr(text, "high water 16.00 KiB"));
	assert_non_null(strstr(text, "most held 10.00 KiB"));
	free(text);
	text = written(picture_map, &empty);
	assert_non_null(strstr(text, "</svg>"));
	free(text);
}

static const char *xml(const char *text, size_t most)
{
	static char out[256];
	FILE *f = fmemopen(out, sizeof(out), "w");

	write_xml(f, text, most);
	fclose(f);
	return out;
}

static void test_text(void **state)
{
	(void)state;
	assert_string_equal(xml("a<b>&\"'", 0), "a&lt;b&gt;&amp;&quot;&#39;");
	assert_string_equal(xml("abcdef", 3), "ab\xe2\x80\xa6");
	assert_string_equal(xml("abc", 3), "abc");
	assert_string_equal(xml("\xc3\xa9\xc3\xa9", 1), "\xe2\x80\xa6");
	/* cut short, overlong, a surrogate, beyond Unicode, control characters */
	assert_string_equal(xml("\xe2\x82", 0), "\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(xml("\xc0\xaf", 0), "\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(xml("\xed\xa0\x80", 0), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(xml("\xf4\x90\x80\x80", 0), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(xml("\x01\x1b", 0), "\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(xml("\xf0\x9f\x98\x80", 0), "\xf0\x9f\x98\x80");
	assert_int_equal(text_length("\xc3\xa9x\xff"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels), cmocka_unit_test(test_steps), cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_lanes_random), cmocka_unit_test(test_trace), cmocka_unit_test(test_map),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
