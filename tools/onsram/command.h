/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of `onsram` share: messages, options, numbers.
 *
 * A subcommand returns the exit status: 0, 1 for a failure (no device, bad
 * file, results that differ), 2 for wrong usage.
 */
#ifndef ONSRAM_COMMAND_H
#define ONSRAM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <drm/onsram_accel.h>
#include <json-c/json.h>

#include "format.h"
#include "planner.h"
#include "program.h"

#define STATUS_FAILURE	1
#define STATUS_USAGE	2
/** STATUS_HIGHER - `plan --csv` found no placement within the capacity and wrote a higher one */
#define STATUS_HIGHER	3

int cmd_run(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_count(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_conformance(int argc, char **argv);
int cmd_submit(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_top(int argc, char **argv);

/** usage_error() - "onsram CMD: text" and a pointer to --help on stderr. Return: STATUS_USAGE */
__attribute__((format(printf, 2, 3)))
int usage_error(const char *cmd, const char *fmt, ...);
/** failure() - "onsram CMD: text" on stderr. Return: STATUS_FAILURE */
__attribute__((format(printf, 2, 3)))
int failure(const char *cmd, const char *fmt, ...);
/** failure_text() - the same with a library's message, which it frees; NULL means no memory */
int failure_text(const char *cmd, char *err);
/** warning() - "onsram CMD: warning: text" on stderr */
void warning(const char *cmd, const char *text);
/** bad_option() - usage_error() for what getopt_long() answered with '?' or ':' */
int bad_option(const char *cmd, int answer, char **argv);

/** parse_u64() - a whole number from @min to @max, decimal or 0x. Return: 0 or -1 */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);
/** parse_size() - bytes with an optional suffix K, M or G (powers of 1024). Return: 0 or -1 */
int parse_size(const char *text, uint64_t *value);
/** parse_dtype(), parse_fuse() - the argument of --dtype, --fuse. Return: 0, or the exit status */
int parse_dtype(const char *cmd, const char *text, uint32_t *dtype);
int parse_fuse(const char *cmd, const char *text, bool *fuse);
/**
 * parse_graph() - the argument of --graph: a comma list of groups=split, norm=split, norm=fold, bias=fold,
 * copies=fold
 * Return: 0, or the exit status
 */
int parse_graph(const char *cmd, const char *text, struct onsram_graph_options *graph);
/** parse_preset() - the argument of --model. Return: 0, or the exit status */
int parse_preset(const char *cmd, const char *text, enum onsram_preset *preset);

#define MAX_SHAPES 64

/** struct shape_list - the arguments of --shape */
struct shape_list {
	struct onsram_shape shape[MAX_SHAPES];
	uint32_t nr;
};

/**
 * parse_shape() - add an argument of --shape, NAME=D,D,..., to @list and point @import to it
 * @text: is cut; the names stay in it
 * Return: 0, or the exit status
 */
int parse_shape(const char *cmd, char *text, struct shape_list *list, struct onsram_import_options *import);

/** dtype_name() - f32, f16, i64, i32 or bool */
const char *dtype_name(uint32_t dtype);

/** print_json() - @root on stdout, released */
void print_json(struct json_object *root);
/** json_add_u64() - a number that may need 64 bits; null for ONSRAM_BEYOND */
void json_add_u64(struct json_object *object, const char *key, uint64_t value);
/** json_add_hash() - a 64-bit hash as 16 hex digits */
void json_add_hash(struct json_object *object, const char *key, uint64_t hash);

/** sha256_hex() - of @n arrays' contents one after the other */
void sha256_hex(const struct onsram_array *arrays, uint32_t n, char hex[65]);

/** struct plan_input - a program as the planner takes it */
struct plan_input {
	struct drm_onsram_op *ops;
	struct onsram_plan_tensor *tensors;
	struct onsram_plan_graph graph;
};

/** plan_input_init() - Return: 0, or -1 without memory */
int plan_input_init(struct plan_input *in, const struct onsram_program *p);
void plan_input_release(struct plan_input *in);

/**
 * progress_update() - tell on stderr what goes on: at once on a terminal,
 * otherwise when it takes more than two seconds; @total 0: no end known
 */
void progress_update(const char *cmd, const char *what, uint64_t done, uint64_t total);
/** now_ns() - CLOCK_MONOTONIC */
uint64_t now_ns(void);
/** progress_end() - clear the line on a terminal */
void progress_end(void);

#endif
