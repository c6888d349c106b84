// SPDX-License-Identifier: MIT
/* ONNX's backend test cases on the device: what passes, and why the rest does not. */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "command.h"
#include "policy.h"
#include "runner.h"

#define CMD "conformance"
#define AGENT_TIMEOUT_NS 60000000000ll

static const char *const verdicts[] = {
	[ONSRAM_CASE_PASSED] = "passed",
	[ONSRAM_CASE_FOLDED] = "folded",
	[ONSRAM_CASE_UNSUPPORTED] = "unsupported",
	[ONSRAM_CASE_FAILED] = "failed",
};

#define NR_VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

enum format { TEXT, JSON, MARKDOWN };

struct options {
	const char *dir;
	const char *filter;
	uint64_t part;
	uint64_t parts;
	const struct policy *policy;
	struct onsram_case_options cases;
	enum format format;
};

struct result {
	const char *name;
	enum onsram_verdict verdict;
	char *reason;
};

struct results {
	struct result *list;
	uint32_t nr;
	uint32_t counts[NR_VERDICTS];
};

static void help(void)
{
	printf("usage: onsram conformance DIR [OPTIONS]\n\n"
	       "Run the cases in and below DIR on the device: folders with model.onnx and\n"
	       "test_data_set_N/{input,output}_K.pb, and NAME.onnx beside NAME_output_K.pb.\n"
	       "A case passes, is folded (as expected, but nothing that the device did depends on\n"
	       "an input), is unsupported (refused before anything ran) or fails.\n\n"
	       "  --filter G       only cases whose path below DIR matches the pattern, as 'node/test_re*'\n"
	       "  --part K/N       only every Nth case, beginning with the Kth\n"
	       "  --policy P       none, lru (default), static or eager\n"
	       "  --dtype T        fp32 (default) or fp16; the latter compares within 1e-2\n"
	       "  --fuse on|off    fold BatchNorm, bias and activation (default on)\n"
	       "  --json           a report as JSON\n"
	       "  --markdown       what is not passed, by reason, as a page\n\n"
	       "Exit status 1 where a case fails or none was found.\n");
}

static int parse_part(struct options *opt, const char *text)
{
	char number[24];
	const char *slash = strchr(text, '/');

	snprintf(number, sizeof(number), "%.*s", slash ? (int)(slash - text) : 0, text);
	if (!slash || parse_u64(slash + 1, 1, UINT32_MAX, &opt->parts) ||
	    parse_u64(number, 1, opt->parts, &opt->part))
		return usage_error(CMD, "--part is K/N with K from 1 to N, not \"%s\"", text);
	return 0;
}

static int parse_options(struct options *opt, int argc, char **argv, bool *helped)
{
	static const struct option options[] = {
		{ "filter", required_argument, NULL, 'g' },
		{ "part", required_argument, NULL, 'k' },
		{ "policy", required_argument, NULL, 'p' },
		{ "dtype", required_argument, NULL, 'd' },
		{ "fuse", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "markdown", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, status = 0;

	opterr = 0;
	while (!status && (c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 'g':
			opt->filter = optarg;
			break;
		case 'k':
			status = parse_part(opt, optarg);
			break;
		case 'p':
			opt->policy = policy_find(optarg, strlen(optarg));
			if (!opt->policy)
				status = usage_error(CMD, "unknown policy \"%s\" (%s)", optarg, POLICY_NAMES);
			break;
		case 'd':
			status = parse_dtype(CMD, optarg, &opt->cases.import.dtype);
			break;
		case 'f':
			status = parse_fuse(CMD, optarg, &opt->cases.import.fuse);
			break;
		case 'j':
			opt->format = JSON;
			break;
		case 'm':
			opt->format = MARKDOWN;
			break;
		case 'h':
			help();
			*helped = true;
			return 0;
		default:
			status = bad_option(CMD, c, argv);
		}
	}
	if (status)
		return status;
	if (optind == argc)
		return usage_error(CMD, "which folder?");
	opt->dir = argv[optind++];
	if (optind < argc)
		return usage_error(CMD, "one folder at a time, not \"%s\" too", argv[optind]);
	return 0;
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	warning(CMD, text);
}

/* Every case has an open file of its own, as every user of the device has. */
static int run_on_device(void *ctx, const struct onsram_program *p, const struct onsram_array *in,
			 struct onsram_array *out, char **err)
{
	const struct options *opt = ctx;
	struct onsram_runner_options how = {
		.policy = opt->policy->name, .mode = opt->policy->mode, .agent_timeout_ns = AGENT_TIMEOUT_NS, .warn = warn,
	};
	struct onsram_device *dev = onsram_device_open(err);
	struct onsram_runner *r = dev ? onsram_runner_create(dev, p, &how, err) : NULL;
	struct onsram_pass pass;
	int ret = r ? 0 : -1;

	for (uint32_t i = 0; i < p->nr_inputs && !ret; i++)
		ret = onsram_runner_set_input(r, i, &in[i], err);
	if (!ret)
		ret = onsram_runner_pass(r, &pass, err);
	for (uint32_t i = 0; i < p->nr_outputs && !ret; i++)
		ret = onsram_runner_get_output(r, i, &out[i], err);
	onsram_runner_destroy(r);
	if (dev)
		onsram_device_close(dev);
	return ret;
}

static int run_cases(struct options *opt, const struct onsram_cases *cases, struct results *results)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < cases->nr; i++) {
		struct result *r = &results->list[results->nr];

		if (opt->filter && fnmatch(opt->filter, cases->list[i].name, 0))
			continue;
		if (at++ % opt->parts != opt->part - 1)
			continue;
		progress_update(CMD, "cases", i, cases->nr);
		r->name = cases->list[i].name;
		r->verdict = onsram_case_run(&cases->list[i], &opt->cases, &r->reason);
		results->counts[r->verdict]++;
		results->nr++;
	}
	progress_end();
	if (!results->nr)
		return failure(CMD, "%s: no case%s", opt->dir, opt->filter ? " that matches" : "");
	return results->counts[ONSRAM_CASE_FAILED] ? STATUS_FAILURE : 0;
}

static void print_json_report(const struct results *results)
{
	struct json_object *root = json_object_new_object(), *cases = json_object_new_array();

	for (uint32_t v = 0; v < NR_VERDICTS; v++)
		json_add_u64(root, verdicts[v], results->counts[v]);
	json_object_object_add(root, "cases", cases);
	for (uint32_t i = 0; i < results->nr; i++) {
		const struct result *r = &results->list[i];
		struct json_object *c = json_object_new_object();

		json_object_object_add(c, "name", json_object_new_string(r->name));
		json_object_object_add(c, "result", json_object_new_string(verdicts[r->verdict]));
		json_object_object_add(c, "reason", r->reason ? json_object_new_string(r->reason) : NULL);
		json_object_array_add(cases, c);
	}
	print_json(root);
}

static void print_text(const struct results *results)
{
	for (uint32_t i = 0; i < results->nr; i++) {
		const struct result *r = &results->list[i];

		if (r->verdict != ONSRAM_CASE_PASSED)
			printf("%-11s %s%s%s\n", verdicts[r->verdict], r->name, r->reason ? ": " : "",
			       r->reason ? r->reason : "");
	}
	for (uint32_t v = 0; v < NR_VERDICTS; v++)
		printf("%u %s%s", results->counts[v], verdicts[v], v + 1 < NR_VERDICTS ? ", " : "\n");
}

/* A reason without the names that it quotes, which differ from model to model, and the blanks around them. */
static void strip_names(char *reason)
{
	char *to = reason;
	bool quoted = false;

	for (const char *from = reason; *from; from++) {
		if (*from == '\'') {
			quoted = !quoted;
			continue;
		}
		if (quoted || (*from == ' ' && to > reason && to[-1] == ' '))
			continue;
		if ((*from == ':' || *from == ',') && to > reason && to[-1] == ' ')
			to--;
		*to++ = *from;
	}
	*to = 0;
}

static int by_reason(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	int order = strcmp(x->reason ? x->reason : "", y->reason ? y->reason : "");

	return order ? order : strcmp(x->name, y->name);
}

static void print_markdown(struct results *results)
{
	uint32_t end;

	printf("<!-- SPDX-License-Identifier: MIT -->\n<!-- Made by `onsram conformance DIR --markdown`. -->\n"
	       "# ONNX's backend test cases\n\n"
	       "Of %u cases %u pass, %u are folded (their outputs are as expected, but nothing that the device\n"
	       "did depends on an input), %u are refused before anything runs and %u fail. What is refused, by reason:\n\n"
	       "| reason | cases | the first |\n|---|---|---|\n",
	       results->nr, results->counts[ONSRAM_CASE_PASSED], results->counts[ONSRAM_CASE_FOLDED],
	       results->counts[ONSRAM_CASE_UNSUPPORTED], results->counts[ONSRAM_CASE_FAILED]);
	for (uint32_t i = 0; i < results->nr; i++)
		if (results->list[i].reason)
			strip_names(results->list[i].reason);
	qsort(results->list, results->nr, sizeof(*results->list), by_reason);
	for (uint32_t i = 0; i < results->nr; i = end) {
		const char *reason = results->list[i].reason;

		for (end = i + 1; end < results->nr && reason && results->list[end].reason &&
				  !strcmp(results->list[end].reason, reason); end++)
			;
		if (results->list[i].verdict != ONSRAM_CASE_PASSED && results->list[i].verdict != ONSRAM_CASE_FOLDED)
			printf("| %s | %u | %s |\n", reason ? reason : "", end - i, results->list[i].name);
	}
	printf("\nFolded:");
	for (uint32_t i = 0; i < results->nr; i++)
		if (results->list[i].verdict == ONSRAM_CASE_FOLDED)
			printf("\n%s", results->list[i].name);
	printf(".\n");
}

static int run_folder(struct options *opt)
{
	struct results results = { 0 };
	struct onsram_device *dev;
	struct onsram_cases cases;
	char *err;
	int status;

	if (onsram_cases_find(opt->dir, &cases, &err))
		return failure_text(CMD, err);
	dev = cases.nr ? onsram_device_open(&err) : NULL;
	if (cases.nr && !dev) {
		onsram_cases_release(&cases);
		return failure_text(CMD, err);
	}
	if (dev)
		onsram_device_close(dev);
	results.list = calloc(cases.nr + 1, sizeof(*results.list));
	status = results.list ? run_cases(opt, &cases, &results) : failure(CMD, "out of memory");
	if (results.nr && opt->format == JSON)
		print_json_report(&results);
	else if (results.nr && opt->format == MARKDOWN)
		print_markdown(&results);
	else if (results.nr)
		print_text(&results);
	for (uint32_t i = 0; i < results.nr; i++)
		free(results.list[i].reason);
	free(results.list);
	onsram_cases_release(&cases);
	return status;
}

int cmd_conformance(int argc, char **argv)
{
	struct options opt = {
		.part = 1,
		.parts = 1,
		.policy = policy_find("lru", 3),
		.cases = {
			.import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 },
			.rtol = 1e-3,
			.atol = 1e-7,
			.run = run_on_device,
		},
	};
	bool helped = false;
	int status = parse_options(&opt, argc, argv, &helped);

	if (status || helped)
		return status;
	if (opt.cases.import.dtype == ONSRAM_DTYPE_F16)
		opt.cases.rtol = opt.cases.atol = 1e-2;
	opt.cases.ctx = &opt;
	return run_folder(&opt);
}
