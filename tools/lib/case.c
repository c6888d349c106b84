// SPDX-License-Identifier: MIT
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"

/* Folders nest this deep at most: a link may lead back up. */
#define MAX_DEPTH 8
#define MAX_ARRAYS 64

/* Cases whose expected output is not what the operator's definition gives. */
static const struct {
	const char *name;
	const char *why;
} disputed[] = {
	{ "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
	  "the expected average counts cells beyond the padded input, which the definition does not" },
	{ "test_dft_inverse", "where zeros are right, rounding errors beyond the tolerance are expected" },
	{ "test_dft_inverse_opset19", "where zeros are right, rounding errors beyond the tolerance are expected" },
};

static void *no_memory(char **err)
{
	*err = strdup("out of memory");
	return NULL;
}

static int add(struct onsram_cases *cases, const char *name, const char *model, char **err)
{
	struct onsram_case *list = reallocarray(cases->list, cases->nr + 1, sizeof(*list));
	struct onsram_case c = { .name = strdup(*name ? name : "."), .model = strdup(model) };

	if (list)
		cases->list = list;
	if (list && c.name && c.model) {
		list[cases->nr++] = c;
		return 0;
	}
	free(c.name);
	free(c.model);
	no_memory(err);
	return -1;
}

/* NAME.onnx is a case where NAME_output_0.pb is beside it. */
static int add_file(struct onsram_cases *cases, const char *path, const char *name, char **err)
{
	size_t length = strlen(path), end = strlen(name);
	char *output;
	int ret = 0;

	if (length < 5 || strcmp(path + length - 5, ".onnx"))
		return 0;
	if (asprintf(&output, "%.*s_output_0.pb", (int)length - 5, path) < 0) {
		no_memory(err);
		return -1;
	}
	if (!access(output, R_OK)) {
		char *stem = strndup(name, end - 5);

		ret = stem ? add(cases, stem, path, err) : -1;
		free(stem);
	}
	free(output);
	return ret;
}

static int find(struct onsram_cases *cases, const char *dir, const char *name, int depth, char **err)
{
	struct dirent **entries;
	int nr = scandir(dir, &entries, NULL, alphasort), ret = 0;

	if (nr < 0) {
		if (depth && errno == ENOTDIR)
			return add_file(cases, dir, name, err);
		if (asprintf(err, "%s: %s", dir, strerror(errno)) < 0)
			*err = NULL;
		return -1;
	}
	for (int i = 0; i < nr; i++) {
		const char *entry = entries[i]->d_name;
		char *path = NULL, *below = NULL;

		if (!ret && *entry != '.' && depth < MAX_DEPTH) {
			if (asprintf(&path, "%s/%s", dir, entry) < 0 ||
			    asprintf(&below, "%s%s%s", name, *name ? "/" : "", entry) < 0) {
				no_memory(err);
				ret = -1;
			} else if (!strcmp(entry, "model.onnx")) {
				ret = add(cases, name, path, err);
			} else if (strncmp(entry, "test_data_set_", 14)) {
				ret = find(cases, path, below, depth + 1, err);
			}
			free(path);
			free(below);
		}
		free(entries[i]);
	}
	free(entries);
	return ret;
}

int onsram_cases_find(const char *dir, struct onsram_cases *cases, char **err)
{
	memset(cases, 0, sizeof(*cases));
	*err = NULL;
	if (!find(cases, dir, "", 0, err))
		return 0;
	onsram_cases_release(cases);
	return -1;
}

void onsram_cases_release(struct onsram_cases *cases)
{
	for (uint32_t i = 0; i < cases->nr; i++) {
		free(cases->list[i].name);
		free(cases->list[i].model);
	}
	free(cases->list);
	memset(cases, 0, sizeof(*cases));
}

struct arrays {
	struct onsram_array a[MAX_ARRAYS];
	uint32_t nr;
};

static void release(struct arrays *arrays)
{
	for (uint32_t i = 0; i < arrays->nr; i++)
		onsram_array_release(&arrays->a[i]);
	arrays->nr = 0;
}

/* Load PREFIX0.pb, PREFIX1.pb, ... as far as there are. Return: 0, or -1 with *@err set */
static int load(const char *prefix, struct arrays *arrays, char **err)
{
	for (arrays->nr = 0; arrays->nr < MAX_ARRAYS; arrays->nr++) {
		char *path;
		bool there;
		int ret = 0;

		if (asprintf(&path, "%s%u.pb", prefix, arrays->nr) < 0) {
			no_memory(err);
			return -1;
		}
		there = !access(path, F_OK);
		if (there)
			ret = onsram_array_load(path, &arrays->a[arrays->nr], err);
		free(path);
		if (ret || !there)
			return ret;
	}
	return 0;
}

/* Inputs that fit the program: those of the case, or the default where it has no data sets. */
static int fit_inputs(const struct onsram_program *p, struct arrays *in, bool made_up, char **err)
{
	if (made_up)
		for (; in->nr < p->nr_inputs && in->nr < MAX_ARRAYS; in->nr++)
			if (onsram_default_input(p, in->nr, &in->a[in->nr], err))
				return -1;
	if (in->nr != p->nr_inputs) {
		if (asprintf(err, "%u inputs are given, the model has %u", in->nr, p->nr_inputs) < 0)
			*err = NULL;
		return -1;
	}
	for (uint32_t i = 0; i < in->nr; i++)
		if (onsram_array_fit(&in->a[i], &p->tensors[p->inputs[i]], err))
			return -1;
	return 0;
}

static enum onsram_verdict compare(const struct onsram_case_options *opt, const struct onsram_program *p,
				   struct onsram_array *got, const struct arrays *want, char **reason)
{
	char *why = NULL;

	if (want->nr != p->nr_outputs) {
		if (asprintf(reason, "%u outputs are expected, the model has %u", want->nr, p->nr_outputs) < 0)
			*reason = NULL;
		return ONSRAM_CASE_FAILED;
	}
	for (uint32_t i = 0; i < want->nr; i++) {
		if (onsram_array_as(&got[i], want->a[i].dtype)) {
			no_memory(reason);
			return ONSRAM_CASE_FAILED;
		}
		if (onsram_array_close(&got[i], &want->a[i], opt->rtol, opt->atol, &why))
			continue;
		if (asprintf(reason, "output '%s': %s", got[i].name, why ? why : "out of memory") < 0)
			*reason = NULL;
		free(why);
		return ONSRAM_CASE_FAILED;
	}
	return onsram_program_reads_input(p) ? ONSRAM_CASE_PASSED : ONSRAM_CASE_FOLDED;
}

static enum onsram_verdict run(const struct onsram_case_options *opt, const struct onsram_program *p,
			       const struct arrays *in, const struct arrays *want, char **reason)
{
	struct onsram_array *got = calloc(p->nr_outputs, sizeof(*got));
	enum onsram_verdict verdict = ONSRAM_CASE_FAILED;

	if (!got)
		no_memory(reason);
	else if (!opt->run(opt->ctx, p, in->a, got, reason))
		verdict = compare(opt, p, got, want, reason);
	for (uint32_t i = 0; got && i < p->nr_outputs; i++)
		onsram_array_release(&got[i]);
	free(got);
	return verdict;
}

/* The name of a case tells already where its files are. */
static void strip_folder(char *reason, const char *model)
{
	const char *slash = strrchr(model, '/');
	size_t length = slash ? slash + 1 - model : 0;
	char *rest;

	if (!reason || strncmp(reason, model, length))
		return;
	rest = reason + length;
	if (!strncmp(rest, model + length, strlen(model + length)) && !strncmp(rest + strlen(model + length), ": ", 2))
		rest += strlen(model + length) + 2;
	memmove(reason, rest, strlen(rest) + 1);
}

/* One set of data: the inputs' files begin with @in_prefix, if there are any, the outputs' with @out_prefix. */
static enum onsram_verdict run_set(const struct onsram_case *c, const struct onsram_case_options *opt,
				   const char *in_prefix, const char *out_prefix, char **reason)
{
	struct onsram_import_options import = opt->import;
	enum onsram_verdict verdict = ONSRAM_CASE_UNSUPPORTED;
	struct arrays *data = calloc(2, sizeof(*data));
	struct onsram_program *p = NULL;
	char *unread = NULL;

	if (!data) {
		no_memory(reason);
		return ONSRAM_CASE_FAILED;
	}
	/* What cannot be read is no tensor that a supported model has: the importer says so best. */
	if ((!in_prefix || !load(in_prefix, &data[0], &unread)) && !load(out_prefix, &data[1], &unread)) {
		import.inputs = data[0].a;
		import.nr_inputs = data[0].nr;
	}
	p = onsram_import(c->model, &import, reason);
	strip_folder(*reason, c->model);
	strip_folder(unread, c->model);
	if (p && unread) {
		*reason = unread;
		unread = NULL;
	} else if (p && !fit_inputs(p, &data[0], !in_prefix, reason)) {
		verdict = run(opt, p, &data[0], &data[1], reason);
	}
	onsram_program_free(p);
	free(unread);
	release(&data[0]);
	release(&data[1]);
	free(data);
	return verdict;
}

static enum onsram_verdict run_sets(const struct onsram_case *c, const struct onsram_case_options *opt, char **reason)
{
	enum onsram_verdict worst = ONSRAM_CASE_PASSED;
	size_t stem = strlen(c->model) - strlen("model.onnx");

	for (uint32_t set = 0;; set++) {
		char *folder, *in = NULL, *out = NULL, *why = NULL;
		enum onsram_verdict verdict = ONSRAM_CASE_FAILED;
		bool there;

		if (asprintf(&folder, "%.*stest_data_set_%u", (int)stem, c->model, set) < 0) {
			no_memory(reason);
			return ONSRAM_CASE_FAILED;
		}
		there = !access(folder, R_OK);
		if (there && asprintf(&in, "%s/input_", folder) >= 0 && asprintf(&out, "%s/output_", folder) >= 0)
			verdict = run_set(c, opt, in, out, &why);
		free(folder);
		free(in);
		free(out);
		if (!there && !set)
			*reason = strdup("has no test_data_set_0");
		if (!there)
			return set ? worst : ONSRAM_CASE_FAILED;
		if (verdict > worst) {
			worst = verdict;
			free(*reason);
			*reason = why;
			why = NULL;
		}
		free(why);
	}
}

enum onsram_verdict onsram_case_run(const struct onsram_case *c, const struct onsram_case_options *opt,
				    char **reason)
{
	size_t length = strlen(c->model), folder = strlen("/model.onnx");
	const char *name = strrchr(c->name, '/');
	enum onsram_verdict verdict;
	char *out;

	*reason = NULL;
	name = name ? name + 1 : c->name;
	if (length >= folder && !strcmp(c->model + length - folder, "/model.onnx")) {
		verdict = run_sets(c, opt, reason);
	} else if (asprintf(&out, "%.*s_output_", (int)length - 5, c->model) < 0) {
		no_memory(reason);
		return ONSRAM_CASE_FAILED;
	} else {
		verdict = run_set(c, opt, NULL, out, reason);
		free(out);
	}
	for (size_t i = 0; verdict == ONSRAM_CASE_FAILED && i < sizeof(disputed) / sizeof(disputed[0]); i++)
		if (!strcmp(name, disputed[i].name)) {
			free(*reason);
			*reason = strdup(disputed[i].why);
			return ONSRAM_CASE_UNSUPPORTED;
		}
	return verdict;
}
