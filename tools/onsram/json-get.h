/* SPDX-License-Identifier: MIT */
/* Looking into reports that were printed before. */
#ifndef ONSRAM_JSON_GET_H
#define ONSRAM_JSON_GET_H

#include <json-c/json.h>
#include <stdint.h>

/** json_get() - a member of an object; NULL where there is none, or @o is no object */
struct json_object *json_get(struct json_object *o, const char *key);
/** json_items() - how many elements an array has, 0 where @o is none */
size_t json_items(struct json_object *o);
/** json_item() - an element of an array */
struct json_object *json_item(struct json_object *o, size_t i);
/** json_number() - a member that is a number of at least 0, else 0 */
uint64_t json_number(struct json_object *o, const char *key);
/** json_text() - a member that is a string, else "" */
const char *json_text(struct json_object *o, const char *key);
/**
 * json_load() - a file's one JSON value; caller releases
 * Return: 0, or the exit status
 */
int json_load(const char *cmd, const char *path, struct json_object **o);

#endif
