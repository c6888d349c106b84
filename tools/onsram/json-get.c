// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json-get.h"
#include "save.h"

struct json_object *json_get(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &value) ? value : NULL;
}

size_t json_items(struct json_object *o)
{
	return json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
}

struct json_object *json_item(struct json_object *o, size_t i)
{
	return json_object_array_get_idx(o, i);
}

uint64_t json_number(struct json_object *o, const char *key)
{
	struct json_object *value = json_get(o, key);

	if (json_object_is_type(value, json_type_int))
		return json_object_get_uint64(value);
	return json_object_is_type(value, json_type_double) && json_object_get_double(value) > 0 &&
	       json_object_get_double(value) < 1e19 ? (uint64_t)json_object_get_double(value) : 0;
}

const char *json_text(struct json_object *o, const char *key)
{
	struct json_object *value = json_get(o, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

int json_load(const char *cmd, const char *path, struct json_object **o)
{
	struct json_tokener *tok = json_tokener_new();
	enum json_tokener_error wrong;
	char *text;
	size_t size;

	*o = NULL;
	if (!tok)
		return failure(cmd, "out of memory");
	text = file_text(path, &size);
	if (!text) {
		json_tokener_free(tok);
		return failure(cmd, "%s: %s", path, strerror(errno));
	}
	/* With the NUL behind it, so that a number may end there */
	if (size < INT32_MAX)
		*o = json_tokener_parse_ex(tok, text, (int)size + 1);
	wrong = json_tokener_get_error(tok);
	json_tokener_free(tok);
	free(text);
	if (*o)
		return 0;
	return failure(cmd, "%s: no JSON: %s", path,
		       size < INT32_MAX ? json_tokener_error_desc(wrong) : "larger than 2 GiB");
}
