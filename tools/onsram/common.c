// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "perf.h"

static void message(const char *cmd, const char *fmt, va_list ap)
{
	progress_end();
	fprintf(stderr, "onsram%s%s: ", *cmd ? " " : "", cmd);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int usage_error(const char *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(cmd, fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try 'onsram%s%s --help'.\n", *cmd ? " " : "", cmd);
	return STATUS_USAGE;
}

int failure(const char *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(cmd, fmt, ap);
	va_end(ap);
	return STATUS_FAILURE;
}

int failure_text(const char *cmd, char *err)
{
	failure(cmd, "%s", err ? err : "out of memory");
	free(err);
	return STATUS_FAILURE;
}

void warning(const char *cmd, const char *text)
{
	failure(cmd, "warning: %s", text);
}

int bad_option(const char *cmd, int answer, char **argv)
{
	const char *arg = argv[optind - 1];

	if (answer == ':')
		return usage_error(cmd, "%s needs an argument", arg);
	return usage_error(cmd, "unknown option, or an argument where none is taken: %s", arg);
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno || *end || *value < min || *value > max ? -1 : 0;
}

int parse_size(const char *text, uint64_t *value)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	unsigned int shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno)
		return -1;
	if (*end) {
		suffix = strchr(suffixes, *end);
		if (!suffix || end[1])
			return -1;
		shift = 10 * (suffix - suffixes + 1);
	}
	if (*value > UINT64_MAX >> shift)
		return -1;
	*value <<= shift;
	return 0;
}

int parse_dtype(const char *cmd, const char *text, uint32_t *dtype)
{
	if (!strcmp(text, "fp32"))
		*dtype = ONSRAM_DTYPE_F32;
	else if (!strcmp(text, "fp16"))
		*dtype = ONSRAM_DTYPE_F16;
	else
		return usage_error(cmd, "--dtype is fp32 or fp16, not \"%s\"", text);
	return 0;
}

int parse_fuse(const char *cmd, const char *text, bool *fuse)
{
	if (strcmp(text, "on") && strcmp(text, "off"))
		return usage_error(cmd, "--fuse is on or off, not \"%s\"", text);
	*fuse = !strcmp(text, "on");
	return 0;
}

int parse_graph(const char *cmd, const char *text, struct onsram_graph_options *graph)
{
	const struct {
		const char *name;
		bool *on;
	} words[] = {
		{ "groups=split", &graph->split_groups }, { "norm=split", &graph->split_norm },
		{ "norm=fold", &graph->fold_norm }, { "bias=fold", &graph->fold_bias },
		{ "copies=fold", &graph->fold_copies },
	};

	for (;;) {
		size_t len = strcspn(text, ","), i, n = sizeof(words) / sizeof(words[0]);

		for (i = 0; i < n; i++)
			if (strlen(words[i].name) == len && !memcmp(words[i].name, text, len))
				break;
		if (i == n)
			return usage_error(cmd, "--graph takes groups=split, norm=split, norm=fold, bias=fold and copies=fold, not \"%.*s\"",
					   (int)len, text);
		*words[i].on = true;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

int parse_preset(const char *cmd, const char *text, enum onsram_preset *preset)
{
	if (strcmp(text, "default") && strcmp(text, "paper"))
		return usage_error(cmd, "--model is default or paper, not \"%s\"", text);
	*preset = strcmp(text, "paper") ? ONSRAM_PRESET_DEFAULT : ONSRAM_PRESET_PAPER;
	return 0;
}

int parse_shape(const char *cmd, char *text, struct shape_list *list, struct onsram_import_options *import)
{
	struct onsram_shape *s = &list->shape[list->nr];
	char *equal = strrchr(text, '='), *p = equal;

	if (!equal || equal == text)
		return usage_error(cmd, "--shape is NAME=D,D,..., not \"%s\"", text);
	if (list->nr == MAX_SHAPES)
		return usage_error(cmd, "--shape is given more than %d times", MAX_SHAPES);
	*equal = 0;
	*s = (struct onsram_shape){ .name = text };
	while (p) {
		char *number = p + 1;
		uint64_t dim;

		p = strchr(number, ',');
		if (p)
			*p = 0;
		if (s->rank == ONSRAM_MAX_RANK)
			return usage_error(cmd, "--shape %s has more than %d dimensions", text, ONSRAM_MAX_RANK);
		if (parse_u64(number, 1, ONSRAM_MAX_ELEMENTS, &dim))
			return usage_error(cmd, "--shape %s: a dimension is a number from 1 to %u, not \"%s\"", text,
					   ONSRAM_MAX_ELEMENTS, number);
		s->dims[s->rank++] = dim;
	}
	list->nr++;
	import->shapes = list->shape;
	import->nr_shapes = list->nr;
	return 0;
}

const char *dtype_name(uint32_t dtype)
{
	static const char *const names[ONSRAM_DTYPE_COUNT] = {
		[ONSRAM_DTYPE_NONE] = "none", [ONSRAM_DTYPE_F32] = "f32",
		[ONSRAM_DTYPE_F16] = "f16", [ONSRAM_DTYPE_I64] = "i64",
		[ONSRAM_DTYPE_I32] = "i32", [ONSRAM_DTYPE_BOOL] = "bool",
	};

	return dtype < ONSRAM_DTYPE_COUNT ? names[dtype] : "unknown";
}

void print_json(struct json_object *root)
{
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
						  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

void json_add_u64(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key,
			       value == ONSRAM_BEYOND ? NULL : json_object_new_uint64(value));
}

void json_add_hash(struct json_object *object, const char *key, uint64_t hash)
{
	char text[17];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
	json_object_object_add(object, key, json_object_new_string(text));
}

void sha256_hex(const struct onsram_array *arrays, uint32_t n, char hex[65])
{
	unsigned char digest[32] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int i;

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		abort();
	for (i = 0; i < n; i++)
		EVP_DigestUpdate(ctx, arrays[i].data, arrays[i].bytes);
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_MD_CTX_free(ctx);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int plan_input_init(struct plan_input *in, const struct onsram_program *p)
{
	uint32_t i;

	in->ops = calloc(p->nr_ops + 1, sizeof(*in->ops));
	in->tensors = calloc(p->nr_tensors + 1, sizeof(*in->tensors));
	if (!in->ops || !in->tensors) {
		plan_input_release(in);
		return -1;
	}
	for (i = 0; i < p->nr_ops; i++)
		in->ops[i] = p->ops[i].op;
	for (i = 0; i < p->nr_tensors; i++) {
		in->tensors[i].bytes = p->tensors[i].bytes;
		if (p->tensors[i].role == ONSRAM_ROLE_WEIGHT)
			in->tensors[i].flags = DRM_ONSRAM_TENSOR_CONST;
		else if (p->tensors[i].role == ONSRAM_ROLE_ACTIVATION)
			in->tensors[i].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	}
	in->graph = (struct onsram_plan_graph){
		.ops = in->ops,
		.nr_ops = p->nr_ops,
		.tensors = in->tensors,
		.nr_tensors = p->nr_tensors,
	};
	return 0;
}

void plan_input_release(struct plan_input *in)
{
	free(in->tensors);
	free(in->ops);
}
