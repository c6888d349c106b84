// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "command.h"
#include "job.h"
#include "job-names.h"
#include "perf.h"
#include "policy.h"

struct parser {
	const char *path;
	struct job *job;
	char **err;
};

__attribute__((format(printf, 2, 3)))
static int bad(struct parser *p, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || asprintf(p->err, "%s: %s", p->path, text) < 0)
		*p->err = NULL;
	free(text);
	return -1;
}

void dense_strides(const uint32_t *dims, uint32_t rank, int32_t *strides)
{
	int32_t step = 1;

	while (rank--) {
		strides[rank] = step;
		step = (int32_t)((uint32_t)step * dims[rank]);
	}
}

/* An integer or one of a name's values; @name may be NULL where names are not allowed */
static int get_number(struct parser *p, struct json_object *o, const char *key, const char *where,
		      int64_t (*by_name)(const char *), int64_t min, int64_t max, int64_t *value)
{
	if (json_object_is_type(o, json_type_string) && by_name) {
		*value = by_name(json_object_get_string(o));
		if (*value < 0)
			return bad(p, "%s: unknown %s \"%s\"", where, key,
				   json_object_get_string(o));
		return 0;
	}
	if (!json_object_is_type(o, json_type_int))
		return bad(p, "%s: %s is no whole number", where, key);
	*value = json_object_get_int64(o);
	if (*value < min || *value > max)
		return bad(p, "%s: %s is not from %lld to %lld", where, key, (long long)min,
			   (long long)max);
	return 0;
}

/* Return: entries of the array, 0 where @key is missing, or -1 */
static int get_array(struct parser *p, struct json_object *o, const char *key, const char *where,
		     int64_t min, int64_t max, int limit, int64_t *values)
{
	struct json_object *array;
	int n, i;

	if (!json_object_object_get_ex(o, key, &array))
		return 0;
	if (!json_object_is_type(array, json_type_array))
		return bad(p, "%s: %s is no array", where, key);
	n = json_object_array_length(array);
	if (n > limit)
		return bad(p, "%s: %s has more than %d entries", where, key, limit);
	for (i = 0; i < n; i++)
		if (get_number(p, json_object_array_get_idx(array, i), key, where, NULL, min, max,
			       &values[i]))
			return -1;
	return n;
}

static int check_keys(struct parser *p, struct json_object *o, const char *where,
		      const char *const *allowed)
{
	int i;

	json_object_object_foreach(o, key, value) {
		(void)value;
		for (i = 0; allowed[i] && strcmp(allowed[i], key); i++)
			;
		if (!allowed[i])
			return bad(p, "%s: unknown key \"%s\"", where, key);
	}
	return 0;
}

static void set_element(struct onsram_array *a, uint64_t i, struct json_object *value)
{
	switch (a->dtype) {
	case ONSRAM_DTYPE_I64:
		((int64_t *)a->data)[i] = json_object_get_int64(value);
		break;
	case ONSRAM_DTYPE_I32:
		((int32_t *)a->data)[i] = json_object_get_int(value);
		break;
	case ONSRAM_DTYPE_BOOL:
		((uint8_t *)a->data)[i] = json_object_get_boolean(value);
		break;
	default:
		((float *)a->data)[i] = (float)json_object_get_double(value);
	}
}

static bool is_scalar(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	       json_object_is_type(value, json_type_double) ||
	       json_object_is_type(value, json_type_boolean);
}

static int set_contents(struct parser *p, struct json_object *o, struct onsram_array *a,
			uint64_t elements)
{
	struct json_object *data, *value;
	uint64_t i;

	if (json_object_object_get_ex(o, "fill", &value)) {
		if (!is_scalar(value))
			return bad(p, "tensor \"%s\": fill is no number", a->name);
		for (i = 0; i < elements; i++)
			set_element(a, i, value);
	}
	if (!json_object_object_get_ex(o, "data", &data))
		return 0;
	if (!json_object_is_type(data, json_type_array) ||
	    json_object_array_length(data) != elements)
		return bad(p, "tensor \"%s\": data is no array of %llu numbers", a->name,
			   (unsigned long long)elements);
	for (i = 0; i < elements; i++) {
		value = json_object_array_get_idx(data, i);
		if (!is_scalar(value))
			return bad(p, "tensor \"%s\": data[%llu] is no number", a->name,
				   (unsigned long long)i);
		set_element(a, i, value);
	}
	return 0;
}

static int parse_tensor(struct parser *p, const char *name, struct json_object *o,
			struct onsram_array *a)
{
	static const char *const keys[] = { "dtype", "dims", "data", "fill", "file", NULL };
	struct json_object *value;
	int64_t dtype, dims[ONSRAM_MAX_RANK];
	uint64_t elements = 1;
	char where[128];
	int i, rank;

	snprintf(where, sizeof(where), "tensor \"%.100s\"", name);
	if (!json_object_is_type(o, json_type_object))
		return bad(p, "%s is no object", where);
	if (check_keys(p, o, where, keys))
		return -1;
	if (json_object_object_get_ex(o, "file", &value)) {
		if (json_object_object_length(o) != 1 ||
		    !json_object_is_type(value, json_type_string))
			return bad(p, "%s: file is a path and excludes the other keys", where);
		if (onsram_array_load(json_object_get_string(value), a, p->err))
			return -1;
		free(a->name);
		a->name = strdup(name);
		return a->name ? 0 : bad(p, "out of memory");
	}
	if (!json_object_object_get_ex(o, "dtype", &value))
		return bad(p, "%s: no dtype", where);
	if (get_number(p, value, "dtype", where, dtype_by_name, 1, ONSRAM_DTYPE_COUNT - 1, &dtype))
		return -1;
	rank = get_array(p, o, "dims", where, 1, INT32_MAX, ONSRAM_MAX_RANK, dims);
	if (rank < 0)
		return -1;
	for (i = 0; i < rank; i++) {
		a->dims[i] = dims[i];
		elements *= dims[i];
		if (elements > ONSRAM_MAX_ELEMENTS)
			return bad(p, "%s: more than %u elements", where, ONSRAM_MAX_ELEMENTS);
	}
	a->rank = rank;
	a->name = strdup(name);
	/* Numbers of the file are floats first; f16 is made from them. */
	a->dtype = dtype == ONSRAM_DTYPE_F16 ? ONSRAM_DTYPE_F32 : dtype;
	a->bytes = elements * onsram_dtype_size(a->dtype);
	a->data = calloc(1, a->bytes);
	if (!a->name || !a->data)
		return bad(p, "out of memory");
	if (set_contents(p, o, a, elements))
		return -1;
	if (a->dtype != dtype && onsram_array_convert(a, dtype))
		return bad(p, "out of memory");
	return 0;
}

static int parse_operand(struct parser *p, struct json_object *o, const char *where,
			 struct drm_onsram_operand *operand)
{
	static const char *const keys[] = { "tensor", "offset", "dims", "strides", NULL };
	int64_t offset = 0, dims[ONSRAM_MAX_RANK], strides[ONSRAM_MAX_RANK];
	struct json_object *name = o, *value;
	const struct onsram_array *a = NULL;
	int i, rank = 0, n = 0;

	if (!o)
		return 0;	/* null: left out */
	if (json_object_is_type(o, json_type_object)) {
		if (check_keys(p, o, where, keys))
			return -1;
		if (!json_object_object_get_ex(o, "tensor", &name))
			return bad(p, "%s: an operand without a tensor", where);
		if (json_object_object_get_ex(o, "offset", &value) &&
		    get_number(p, value, "offset", where, NULL, 0, INT64_MAX, &offset))
			return -1;
		rank = get_array(p, o, "dims", where, 0, UINT32_MAX, ONSRAM_MAX_RANK, dims);
		n = get_array(p, o, "strides", where, INT32_MIN, INT32_MAX, ONSRAM_MAX_RANK, strides);
		if (rank < 0 || n < 0)
			return -1;
	}
	if (!json_object_is_type(name, json_type_string))
		return bad(p, "%s: an operand is a tensor's name, a view or null", where);
	for (i = 0; i < (int)p->job->nr_tensors && !a; i++)
		if (!strcmp(p->job->tensors[i].contents.name, json_object_get_string(name)))
			a = &p->job->tensors[i].contents;
	if (!a)
		return bad(p, "%s: no tensor \"%s\"", where, json_object_get_string(name));
	operand->bo = i - 1;
	operand->offset = offset;
	operand->view.dtype = a->dtype;
	operand->view.rank = rank ? (uint32_t)rank : a->rank;
	for (i = 0; i < (int)operand->view.rank; i++)
		operand->view.dims[i] = rank ? (uint32_t)dims[i] : a->dims[i];
	dense_strides(operand->view.dims, operand->view.rank, operand->view.strides);
	for (i = 0; i < n; i++)
		operand->view.strides[i] = strides[i];
	return 0;
}

static int parse_floats(struct parser *p, struct json_object *o, const char *key,
			const char *where, uint32_t limit, uint32_t *bits)
{
	struct json_object *array, *value;
	uint32_t i;
	float f;

	if (!json_object_object_get_ex(o, key, &array))
		return 0;
	if (!json_object_is_type(array, json_type_array) ||
	    json_object_array_length(array) > limit)
		return bad(p, "%s: %s is no array of at most %u numbers", where, key, limit);
	for (i = 0; i < json_object_array_length(array); i++) {
		value = json_object_array_get_idx(array, i);
		if (!is_scalar(value))
			return bad(p, "%s: %s[%u] is no number", where, key, i);
		f = (float)json_object_get_double(value);
		memcpy(&bits[i], &f, sizeof(f));
	}
	return 0;
}

static int parse_spatial(struct parser *p, struct json_object *o, const char *key,
			 const char *where, uint16_t *field)
{
	int64_t values[ONSRAM_MAX_SPATIAL];
	int n = get_array(p, o, key, where, 0, UINT16_MAX, ONSRAM_MAX_SPATIAL, values), i;

	for (i = 0; i < n; i++)
		field[i] = values[i];
	return n < 0 ? -1 : 0;
}

static int parse_func(struct parser *p, struct json_object *o, const char *where,
		      struct drm_onsram_op *op)
{
	struct json_object *value;
	int64_t func;

	if (!json_object_object_get_ex(o, "func", &value))
		return 0;
	if (json_object_is_type(value, json_type_string)) {
		func = func_by_name(op->opcode, json_object_get_string(value));
		if (func < 0)
			return bad(p, "%s: unknown func \"%s\" of this operation", where,
				   json_object_get_string(value));
	} else if (get_number(p, value, "func", where, NULL, 0, UINT32_MAX, &func)) {
		return -1;
	}
	op->attr.func = func;
	return 0;
}

static int parse_word(struct parser *p, struct json_object *o, const char *key, const char *where,
		      int64_t (*by_name)(const char *), uint32_t *word)
{
	struct json_object *value;
	int64_t number;

	if (!json_object_object_get_ex(o, key, &value))
		return 0;
	if (get_number(p, value, key, where, by_name, 0, UINT32_MAX, &number))
		return -1;
	*word = number;
	return 0;
}

/* FILL's element, as attr.param takes it for the output's type */
static int parse_value(struct parser *p, struct json_object *o, const char *where,
		       struct drm_onsram_op *op)
{
	struct json_object *value;
	int64_t number;
	float f;

	if (!json_object_object_get_ex(o, "value", &value))
		return 0;
	if (op->opcode != ONSRAM_OP_FILL || !is_scalar(value))
		return bad(p, "%s: value is a number, of FILL only", where);
	f = (float)json_object_get_double(value);
	number = json_object_get_int64(value);
	switch (op->operand[0].view.dtype) {
	case ONSRAM_DTYPE_F32:
	case ONSRAM_DTYPE_F16:
		memcpy(op->attr.param, &f, sizeof(f));
		break;
	case ONSRAM_DTYPE_I64:
		op->attr.param[1] = (uint64_t)number >> 32;
		/* fall through */
	default:
		op->attr.param[0] = (uint32_t)number;
	}
	return 0;
}

static int parse_operation(struct parser *p, struct json_object *o, uint32_t index,
			   struct drm_onsram_op *op)
{
	static const char *const keys[] = {
		"op", "operands", "func", "groups", "axis", "act", "kernel", "stride", "dilation",
		"pad_begin", "pad_end", "param", "act_param", "value", NULL
	};
	struct onsram_attr *attr = &op->attr;
	struct json_object *operands;
	char where[32];
	uint32_t i;

	snprintf(where, sizeof(where), "operation %u", index);
	if (!json_object_is_type(o, json_type_object))
		return bad(p, "%s is no object", where);
	if (check_keys(p, o, where, keys))
		return -1;
	if (!json_object_object_get_ex(o, "operands", &operands) ||
	    !json_object_is_type(operands, json_type_array) ||
	    json_object_array_length(operands) > ONSRAM_MAX_OPERANDS)
		return bad(p, "%s: operands is no array of at most %d", where, ONSRAM_MAX_OPERANDS);
	for (i = 0; i < json_object_array_length(operands); i++)
		if (parse_operand(p, json_object_array_get_idx(operands, i), where,
				  &op->operand[i]))
			return -1;
	if (parse_word(p, o, "op", where, opcode_by_name, &op->opcode) ||
	    parse_func(p, o, where, op) ||
	    parse_word(p, o, "groups", where, NULL, &attr->groups) ||
	    parse_word(p, o, "axis", where, NULL, &attr->axis) ||
	    parse_word(p, o, "act", where, act_by_name, &attr->act) ||
	    parse_spatial(p, o, "kernel", where, attr->kernel) ||
	    parse_spatial(p, o, "stride", where, attr->stride) ||
	    parse_spatial(p, o, "dilation", where, attr->dilation) ||
	    parse_spatial(p, o, "pad_begin", where, attr->pad_begin) ||
	    parse_spatial(p, o, "pad_end", where, attr->pad_end) ||
	    parse_floats(p, o, "param", where, 4, attr->param) ||
	    parse_floats(p, o, "act_param", where, 2, attr->act_param) ||
	    parse_value(p, o, where, op))
		return -1;
	if (op->operand[0].view.dtype != ONSRAM_DTYPE_NONE)
		p->job->tensors[op->operand[0].bo].written = true;
	return 0;
}

static int parse_tensors(struct parser *p, struct json_object *root)
{
	struct json_object *o;

	if (!json_object_object_get_ex(root, "tensors", &o) ||
	    !json_object_is_type(o, json_type_object) || !json_object_object_length(o))
		return bad(p, "\"tensors\" is no object with at least one tensor");
	p->job->tensors = calloc(json_object_object_length(o), sizeof(*p->job->tensors));
	if (!p->job->tensors)
		return bad(p, "out of memory");
	json_object_object_foreach(o, name, value)
		if (parse_tensor(p, name, value, &p->job->tensors[p->job->nr_tensors++].contents))
			return -1;
	return 0;
}

static int parse_operations(struct parser *p, struct json_object *root)
{
	struct json_object *o;
	uint32_t i, nr;

	if (!json_object_object_get_ex(root, "operations", &o) ||
	    !json_object_is_type(o, json_type_array) || !json_object_array_length(o))
		return bad(p, "\"operations\" is no array with at least one operation");
	nr = json_object_array_length(o);
	p->job->ops = calloc(nr, sizeof(*p->job->ops));
	if (!p->job->ops)
		return bad(p, "out of memory");
	p->job->nr_ops = nr;
	for (i = 0; i < nr; i++)
		if (parse_operation(p, json_object_array_get_idx(o, i), i, &p->job->ops[i]))
			return -1;
	return 0;
}

static int parse_job(struct parser *p, struct json_object *root)
{
	static const char *const keys[] = { "policy", "tensors", "operations", NULL };
	struct json_object *policy;

	if (!json_object_is_type(root, json_type_object))
		return bad(p, "the file is no JSON object");
	if (check_keys(p, root, "the file", keys))
		return -1;
	if (json_object_object_get_ex(root, "policy", &policy)) {
		const char *name = json_object_get_string(policy);
		const struct policy *known = name ? policy_find(name, strlen(name)) : NULL;

		if (!known)
			return bad(p, "unknown policy \"%s\" (%s)", name ? name : "null", POLICY_NAMES);
		p->job->policy = known->name;
	}
	return parse_tensors(p, root) || parse_operations(p, root) ? -1 : 0;
}

int job_load(const char *path, struct job *job, char **err)
{
	struct parser p = { .path = path, .job = job, .err = err };
	struct json_object *root;
	int ret;

	*job = (struct job){ 0 };
	*err = NULL;
	root = json_object_from_file(path);
	if (!root) {
		const char *why = json_util_get_last_err();
		size_t len = why ? strcspn(why, "\n") : 0;

		return bad(&p, "no JSON: %.*s", (int)len, why ? why : "");
	}
	ret = parse_job(&p, root);
	json_object_put(root);
	return ret;
}

void job_release(struct job *job)
{
	uint32_t i;

	for (i = 0; i < job->nr_tensors; i++)
		onsram_array_release(&job->tensors[i].contents);
	free(job->tensors);
	free(job->ops);
}
