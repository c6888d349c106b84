// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run.h"

#define CMD "run"
/* The driver notices a daemon that is stalled: this is for one that works */
#define AGENT_TIMEOUT_NS 60000000000ll
#define MAX_FILES 256
#define MAX_REPEAT 1000000

struct files {
	const char *path[MAX_FILES];
	uint32_t nr;
};

struct options {
	const char *model;
	const struct policy *policies[NR_POLICIES];
	uint32_t nr_policies;
	uint64_t repeat;
	struct files input;
	struct files expect;
	struct shape_list shapes;
	struct onsram_import_options import;
	const char *output_dir;
	double rtol;
	double atol;
	bool json;
};

struct context {
	struct options opt;
	struct onsram_program *program;
	struct onsram_array *inputs;
	uint32_t nr_inputs;
	struct onsram_array *expect;
	struct run_report report;
};

static void help(void)
{
	printf("usage: onsram run MODEL.onnx [OPTIONS]\n\n"
	       "Run a network on the device and report its modelled cost.\n\n"
	       "  --policy P         none, lru, static (default) or eager; a comma list or \"all\" runs\n"
	       "                     each in turn and compares them\n"
	       "  --repeat N         passes over the network under each policy (default 1)\n"
	       "  --input F.pb ...   inputs in the model's order, as ONNX TensorProto files;\n"
	       "                     default: what ONNX's backend test runner gives such models\n"
	       "  --shape NAME=D,... dimensions of input NAME where the model leaves them open and no\n"
	       "                     --input tells; also the size of a named dimension: N=4\n"
	       "  --expect F.pb ...  expected outputs in the model's order; exit status 1 where\n"
	       "                     |output - expected| > atol + rtol * |expected|\n"
	       "  --rtol R, --atol A tolerances of --expect (default 1e-3 and 1e-7)\n"
	       "  --dtype T          fp32 (default) or fp16: how floats are stored on the device\n"
	       "  --fuse on|off      fold BatchNorm, bias and activation into the operation before\n"
	       "                     them (default on)\n"
	       "  --output-dir DIR   write each output to DIR/NAME.pb\n"
	       "  --json             report as JSON: an object, or an array for several policies\n");
}

static int parse_policies(struct options *opt, const char *list)
{
	const char *p = list;

	opt->nr_policies = 0;
	if (!strcmp(list, "all")) {
		for (uint32_t i = 0; i < NR_POLICIES; i++)
			if (!policies[i].modelled)
				opt->policies[opt->nr_policies++] = &policies[i];
		return 0;
	}
	for (;;) {
		size_t len = strcspn(p, ",");
		const struct policy *policy = policy_find(p, len);
		uint32_t i;

		if (!policy)
			return usage_error(CMD, "unknown policy \"%.*s\" (%s, or all)", (int)len, p,
					   POLICY_NAMES);
		if (policy->modelled)
			return usage_error(CMD, "policy %s is the model's alone: onsram plan tells what it is worth",
					   policy->name);
		for (i = 0; i < opt->nr_policies; i++)
			if (opt->policies[i] == policy)
				return usage_error(CMD, "policy %s is named twice", policy->name);
		opt->policies[opt->nr_policies++] = policy;
		if (!p[len])
			return 0;
		p += len + 1;
	}
}

static int parse_tolerance(const char *option, const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !(*value >= 0 && *value <= 1e30))
		return usage_error(CMD, "%s is a number of at least 0, not \"%s\"", option, text);
	return 0;
}

static int add_file(struct files *files, const char *path)
{
	if (files->nr == MAX_FILES)
		return usage_error(CMD, "more than %d files", MAX_FILES);
	files->path[files->nr++] = path;
	return 0;
}

static int parse_options(struct options *opt, int argc, char **argv, bool *helped)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "repeat", required_argument, NULL, 'n' },
		{ "input", required_argument, NULL, 'i' },
		{ "expect", required_argument, NULL, 'e' },
		{ "shape", required_argument, NULL, 's' },
		{ "rtol", required_argument, NULL, 'r' },
		{ "atol", required_argument, NULL, 'a' },
		{ "dtype", required_argument, NULL, 'd' },
		{ "fuse", required_argument, NULL, 'f' },
		{ "output-dir", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct files *list = NULL;	/* which takes the file names that follow */
	int c, status = 0;

	opterr = 0;
	while (!status && (c = getopt_long(argc, argv, "-:", options, NULL)) != -1) {
		if (c == 1) {
			size_t len = strlen(optarg);

			if (list && (opt->model || (len > 3 && !strcmp(optarg + len - 3, ".pb"))))
				status = add_file(list, optarg);
			else if (opt->model)
				status = usage_error(CMD, "one model at a time, not \"%s\" too",
						     optarg);
			else
				opt->model = optarg;
			continue;
		}
		list = NULL;
		switch (c) {
		case 'p':
			status = parse_policies(opt, optarg);
			break;
		case 'n':
			if (parse_u64(optarg, 1, MAX_REPEAT, &opt->repeat))
				status = usage_error(CMD, "--repeat is a number from 1 to %d, not \"%s\"",
						     MAX_REPEAT, optarg);
			break;
		case 'i':
			list = &opt->input;
			status = add_file(list, optarg);
			break;
		case 'e':
			list = &opt->expect;
			status = add_file(list, optarg);
			break;
		case 's':
			status = parse_shape(CMD, optarg, &opt->shapes, &opt->import);
			break;
		case 'r':
			status = parse_tolerance("--rtol", optarg, &opt->rtol);
			break;
		case 'a':
			status = parse_tolerance("--atol", optarg, &opt->atol);
			break;
		case 'd':
			status = parse_dtype(CMD, optarg, &opt->import.dtype);
			break;
		case 'f':
			status = parse_fuse(CMD, optarg, &opt->import.fuse);
			break;
		case 'o':
			opt->output_dir = optarg;
			break;
		case 'j':
			opt->json = true;
			break;
		case 'h':
			help();
			*helped = true;
			return 0;
		default:
			status = bad_option(CMD, c, argv);
		}
	}
	if (!status && !opt->model)
		status = usage_error(CMD, "which model?");
	return status;
}

static void on_progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	(void)ctx;
	progress_update(CMD, what, done, total);
}

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	warning(CMD, text);
}

static int failure_at(const char *path, char *err)
{
	failure(CMD, "%s: %s", path, err ? err : "out of memory");
	free(err);
	return STATUS_FAILURE;
}

static int read_inputs(struct context *c)
{
	uint32_t nr = c->opt.input.nr;
	char *err;

	c->inputs = calloc(nr + 1, sizeof(*c->inputs));
	if (!c->inputs)
		return failure(CMD, "out of memory");
	for (c->nr_inputs = 0; c->nr_inputs < nr; c->nr_inputs++)
		if (onsram_array_load(c->opt.input.path[c->nr_inputs], &c->inputs[c->nr_inputs], &err))
			return failure_text(CMD, err);
	c->opt.import.inputs = c->inputs;
	c->opt.import.nr_inputs = nr;
	return 0;
}

/* Inputs that fit the program: those given, or the default */
static int fit_inputs(struct context *c)
{
	const struct onsram_program *p = c->program;
	char *err;
	uint32_t i;

	if (c->nr_inputs && c->nr_inputs != p->nr_inputs)
		return usage_error(CMD, "%u --input files for a model with %u inputs", c->nr_inputs, p->nr_inputs);
	for (i = 0; i < c->nr_inputs; i++)
		if (onsram_array_fit(&c->inputs[i], &p->tensors[p->inputs[i]], &err))
			return failure_at(c->opt.input.path[i], err);
	if (c->nr_inputs || !p->nr_inputs)
		return 0;
	free(c->inputs);
	c->inputs = calloc(p->nr_inputs, sizeof(*c->inputs));
	if (!c->inputs)
		return failure(CMD, "out of memory");
	for (; c->nr_inputs < p->nr_inputs; c->nr_inputs++)
		if (onsram_default_input(p, c->nr_inputs, &c->inputs[c->nr_inputs], &err))
			return failure_text(CMD, err);
	return 0;
}

static int load_expected(struct context *c)
{
	const struct onsram_program *p = c->program;
	char *err = NULL;
	uint32_t i;

	if (!c->opt.expect.nr)
		return 0;
	if (c->opt.expect.nr != p->nr_outputs)
		return usage_error(CMD, "%u --expect files for a model with %u outputs",
				   c->opt.expect.nr, p->nr_outputs);
	for (i = 0; i < p->nr_outputs; i++)
		if (onsram_array_load(c->opt.expect.path[i], &c->expect[i], &err))
			return failure_text(CMD, err);
	return 0;
}

static void compare(struct context *c, struct run_result *result, struct onsram_array *outputs)
{
	uint32_t i;

	if (result->expect == EXPECT_NONE)
		result->expect = EXPECT_PASS;
	for (i = 0; i < c->program->nr_outputs; i++) {
		struct onsram_array *got = &outputs[i];
		char *why = NULL;

		if (onsram_array_as(got, c->expect[i].dtype)) {
			result->expect = EXPECT_FAIL;
			failure(CMD, "out of memory");
			return;
		}
		if (!onsram_array_close(got, &c->expect[i], c->opt.rtol, c->opt.atol, &why)) {
			result->expect = EXPECT_FAIL;
			failure(CMD, "policy %s: output \"%s\" is not as expected: %s",
				result->policy->name, got->name, why ? why : "");
		}
		free(why);
	}
}

static int save_outputs(struct context *c, const struct onsram_array *outputs)
{
	uint32_t i;

	if (mkdir(c->opt.output_dir, 0777) && errno != EEXIST)
		return failure(CMD, "%s: %s", c->opt.output_dir, strerror(errno));
	for (i = 0; i < c->program->nr_outputs; i++) {
		char *path, *p, *err = NULL;
		int ret;

		if (asprintf(&path, "%s/%s.pb", c->opt.output_dir, outputs[i].name) < 0)
			return failure(CMD, "out of memory");
		for (p = path + strlen(c->opt.output_dir) + 1; *p; p++)
			if (*p == '/')
				*p = '_';
		ret = onsram_array_save(path, &outputs[i], &err);
		free(path);
		if (ret)
			return failure_text(CMD, err);
	}
	return 0;
}

static int one_pass(struct context *c, struct onsram_runner *r, struct run_result *result,
		    struct onsram_array *outputs)
{
	struct run_pass *pass = &result->passes[result->nr_passes];
	char *err;
	uint32_t i;

	if (onsram_runner_pass(r, &pass->cost, &err))
		return failure_text(CMD, err);
	for (i = 0; i < c->program->nr_outputs; i++)
		if (onsram_runner_get_output(r, i, &outputs[i], &err))
			return failure_text(CMD, err);
	sha256_hex(outputs, c->program->nr_outputs, pass->sha256);
	/* Outputs are the same under every policy: the first pass writes the files. */
	if (c->opt.output_dir && result == c->report.results && !result->nr_passes &&
	    save_outputs(c, outputs))
		return STATUS_FAILURE;
	if (c->opt.expect.nr && (!result->nr_passes || strcmp(pass->sha256, pass[-1].sha256)))
		compare(c, result, outputs);
	result->nr_passes++;
	return 0;
}

static int run_passes(struct context *c, struct onsram_runner *r, struct run_result *result)
{
	uint32_t nr = c->program->nr_outputs, i;
	struct onsram_array *outputs;
	int status = 0;

	while (!status && result->nr_passes < c->opt.repeat) {
		outputs = calloc(nr + 1, sizeof(*outputs));
		if (!outputs)
			return failure(CMD, "out of memory");
		status = one_pass(c, r, result, outputs);
		for (i = 0; i < nr; i++)
			onsram_array_release(&outputs[i]);
		free(outputs);
	}
	result->spm_peak_bytes = status ? 0 : result->passes[result->nr_passes - 1].cost.stats.peak_bytes;
	return status;
}

static int price_bound(struct run_report *report)
{
	struct onsram_plan *plan;
	struct plan_input in;

	if (plan_input_init(&in, report->program))
		return failure(CMD, "out of memory");
	plan = onsram_plan_none(&report->config, &in.graph, NULL);
	plan_input_release(&in);
	if (!plan)
		return failure(CMD, "out of memory");
	report->bound_ps = plan->bound_ps;
	onsram_plan_free(plan);
	return 0;
}

/* Every policy has an open file of its own: statistics and residency start from nothing. */
static int run_policy(struct context *c, struct onsram_device *dev, const struct policy *policy)
{
	struct run_result *result = &c->report.results[c->report.nr_results++];
	struct onsram_runner_options opt = {
		.policy = policy->name,
		.mode = policy->mode,
		.agent_timeout_ns = AGENT_TIMEOUT_NS,
		.progress = on_progress,
		.warn = on_warning,
	};
	struct onsram_runner *r;
	int status = 0;
	char *err;
	uint32_t i;

	result->policy = policy;
	result->passes = calloc(c->opt.repeat, sizeof(*result->passes));
	if (!result->passes)
		return failure(CMD, "out of memory");
	r = onsram_runner_create(dev, c->program, &opt, &err);
	if (!r)
		return failure_text(CMD, err);
	for (i = 0; !status && i < c->nr_inputs; i++)
		if (onsram_runner_set_input(r, i, &c->inputs[i], &err))
			status = failure_text(CMD, err);
	if (!status)
		status = run_passes(c, r, result);
	onsram_runner_destroy(r);
	return status;
}

static int run_all(struct context *c)
{
	struct onsram_device *dev;
	uint32_t i;
	int status;
	char *err;

	for (i = 0; i < c->opt.nr_policies; i++) {
		dev = onsram_device_open(&err);
		if (!dev)
			return failure_text(CMD, err);
		c->report.config = dev->info.model;
		status = run_policy(c, dev, c->opt.policies[i]);
		onsram_device_close(dev);
		if (status)
			return status;
	}
	return price_bound(&c->report);
}

static int verdict(const struct context *c)
{
	const struct run_report *report = &c->report;
	uint32_t i;

	for (i = 0; i < report->nr_results; i++)
		if (report->results[i].expect == EXPECT_FAIL)
			return STATUS_FAILURE;
	if (!run_outputs_identical(report))
		return failure(CMD, "the outputs are not the same in all passes");
	return 0;
}

static int run_model(struct context *c)
{
	char *err = NULL;
	int status;

	status = read_inputs(c);
	if (status)
		return status;
	progress_update(CMD, "reading the model", 0, 0);
	c->program = onsram_import(c->opt.model, &c->opt.import, &err);
	if (!c->program)
		return failure_text(CMD, err);
	if (c->program->narrowed)
		warning(CMD, "the model has float64, which is computed and stored as float32");
	c->expect = calloc(c->program->nr_outputs + 1, sizeof(*c->expect));
	if (!c->expect)
		return failure(CMD, "out of memory");
	status = fit_inputs(c);
	if (!status)
		status = load_expected(c);
	if (status)
		return status;
	c->report.model = c->opt.model;
	c->report.program = c->program;
	c->report.dtype = c->opt.import.dtype;
	status = run_all(c);
	if (status)
		return status;
	progress_end();
	if (c->opt.json)
		run_report_json(&c->report);
	else
		run_report_text(&c->report);
	return verdict(c);
}

static void release(struct context *c)
{
	uint32_t i;

	for (i = 0; i < c->nr_inputs; i++)
		onsram_array_release(&c->inputs[i]);
	for (i = 0; c->expect && i < c->program->nr_outputs; i++)
		onsram_array_release(&c->expect[i]);
	for (i = 0; i < c->report.nr_results; i++)
		free(c->report.results[i].passes);
	free(c->inputs);
	free(c->expect);
	onsram_program_free(c->program);
}

int cmd_run(int argc, char **argv)
{
	struct context c = {
		.opt = {
			.policies = { policy_find("static", 6) },
			.nr_policies = 1,
			.repeat = 1,
			.import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 },
			.rtol = 1e-3,
			.atol = 1e-7,
		},
	};
	bool helped = false;
	int status = parse_options(&c.opt, argc, argv, &helped);

	if (!status && !helped) {
		status = run_model(&c);
		release(&c);
	}
	return status;
}
