// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "draw.h"
#include "explain.h"
#include "perf.h"
#include "plan-csv.h"
#include "policy.h"
#include "record-plan.h"

#define CMD "plan"
#define MAX_INPUTS 64

struct options {
	const char *model;
	const char *csv;
	const char *output;
	uint64_t capacity;
	bool has_capacity;
	uint64_t seconds;
	bool has_seconds;
	uint64_t spm_size;
	bool has_spm_size;
	uint64_t spm_bw;
	uint64_t vector_flops;
	const struct policy *policy;
	enum onsram_preset preset;
	struct shape_list shapes;
	struct onsram_array inputs[MAX_INPUTS];
	struct onsram_import_options import;
	struct onsram_plan_options plan;
	const char *svg;
	const char *trace;
	bool explain;
	bool json;
};

static void help(void)
{
	printf("usage: onsram plan MODEL.onnx [OPTIONS]\n"
	       "       onsram plan --csv PROBLEM.csv --capacity N --output SOLUTION.csv\n\n"
	       "Plan which tensors of a network stay in the SPM, when and where. No device is needed.\n\n"
	       "  --spm-size N     bytes, suffix K, M or G (default 2M)\n"
	       "  --spm-bw N, --vector-flops N\n"
	       "                   bytes and FLOPs per second (default 384000000000, 375000000000)\n"
	       "  --policy P       static (default), static-paper (OnSRAM-Static as published), none\n"
	       "                   (nothing held) or ideal (an SPM without an end: times only)\n"
	       "  --graph LIST     the graph as other frameworks have it: groups=split (a split, a\n"
	       "                   convolution per group, a concatenation), norm=split (BatchNorm as a\n"
	       "                   multiplication and an addition), norm=fold (into the weights),\n"
	       "                   bias=fold (biases and residuals into the operation before),\n"
	       "                   copies=fold (concatenation costs nothing)\n"
	       "  --model M        preset of the performance model: default, or paper: as the\n"
	       "                   publication models it\n"
	       "  --dtype T        fp32 (default) or fp16\n"
	       "  --fuse on|off    fold BatchNorm, bias and activation (default on)\n"
	       "  --shape NAME=D,..  dimensions of input NAME where the model leaves them open; also the\n"
	       "                   size of a named dimension: N=4\n"
	       "  --input F.pb     the next input in the model's order, as an ONNX TensorProto file, for\n"
	       "                   models whose shapes depend on it; may be repeated\n"
	       "  --without LIST   plan without any of: parts (of tensors), overlap (of transfers and\n"
	       "                   compute), constants, overwriting (of what dies); separated by commas\n"
	       "  --effort N       look N times as long (default 1)\n"
	       "  --explain        every tensor: where it stays, when, and what that saves, or why it does\n"
	       "                   not; with --json, too\n"
	       "  --svg F          draw it: the SPM's map above the engines' time line\n"
	       "  --trace F        its run as a trace for Perfetto or Chrome\n"
	       "  --json           the plan as JSON\n\n"
	       "The second form only allocates: PROBLEM.csv has the columns id,lower,upper,size (a\n"
	       "buffer of that size lives in [lower, upper)); SOLUTION.csv gets an offset for each.\n"
	       "  --capacity N     bytes, suffix K, M or G\n"
	       "  --seconds N      how long to look (default 10); exit status 3 where nothing fits by\n"
	       "                   then, and the lowest placement found is written\n");
}

static int parse_policy(struct options *opt, const char *text)
{
	opt->policy = policy_find(text, strlen(text));
	if (!opt->policy || !opt->policy->plan)
		return usage_error(CMD, "--policy is none, static-paper, static or ideal, not \"%s\": others make no plan",
				   text);
	return 0;
}

/* What a plan does without; @text is cut up */
static int parse_without(struct onsram_plan_options *plan, char *text)
{
	for (char *part = strtok(text, ","); part; part = strtok(NULL, ",")) {
		if (!strcmp(part, "parts"))
			plan->whole = true;
		else if (!strcmp(part, "overlap"))
			plan->synchronous = true;
		else if (!strcmp(part, "constants"))
			plan->activations_only = true;
		else if (!strcmp(part, "overwriting"))
			plan->apart = true;
		else
			return usage_error(CMD, "--without takes parts, overlap, constants and overwriting, not \"%s\"",
					   part);
	}
	return 0;
}

static int parse_effort(struct onsram_plan_options *plan, const char *text)
{
	uint64_t effort;

	if (parse_u64(text, 1, 1000, &effort))
		return usage_error(CMD, "--effort is a number from 1 to 1000, not \"%s\"", text);
	plan->effort = (uint32_t)effort;
	return 0;
}

static int add_input(struct options *opt, const char *path)
{
	char *err;

	if (opt->import.nr_inputs == MAX_INPUTS)
		return usage_error(CMD, "--input is given more than %d times", MAX_INPUTS);
	if (onsram_array_load(path, &opt->inputs[opt->import.nr_inputs], &err))
		return failure_text(CMD, err);
	opt->import.inputs = opt->inputs;
	opt->import.nr_inputs++;
	return 0;
}

static int parse_bytes(const char *option, const char *text, uint64_t *value)
{
	if (parse_size(text, value))
		return usage_error(CMD, "%s is a number of bytes such as 2097152, 2048K or 2M, not \"%s\"",
				   option, text);
	return 0;
}

static int parse_rate(const char *option, const char *text, uint64_t *value)
{
	if (parse_u64(text, 1, UINT64_MAX, value))
		return usage_error(CMD, "%s is a whole number per second, not \"%s\"", option, text);
	return 0;
}

static int check_options(const struct options *opt)
{
	if (opt->csv) {
		if (opt->model)
			return usage_error(CMD, "--csv takes no model");
		if (!opt->has_capacity)
			return usage_error(CMD, "--csv needs --capacity");
		if (!opt->capacity)
			return usage_error(CMD, "--capacity is at least 1");
		if (!opt->output)
			return usage_error(CMD, "--csv needs --output");
		if (opt->svg || opt->trace)
			return usage_error(CMD, "--svg and --trace go with a model");
		return 0;
	}
	if (opt->has_capacity || opt->output || opt->has_seconds)
		return usage_error(CMD, "--capacity, --output and --seconds go with --csv");
	if (!opt->model)
		return usage_error(CMD, "which model?");
	if ((opt->svg || opt->trace) && opt->policy->plan == onsram_plan_ideal)
		return usage_error(CMD, "--svg and --trace show places, which an SPM without an end does not have");
	return 0;
}

static int parse_options(struct options *opt, int argc, char **argv, bool *helped)
{
	static const struct option options[] = {
		{ "spm-size", required_argument, NULL, 's' },
		{ "policy", required_argument, NULL, 'p' },
		{ "spm-bw", required_argument, NULL, 'b' },
		{ "vector-flops", required_argument, NULL, 'v' },
		{ "model", required_argument, NULL, 'm' },
		{ "graph", required_argument, NULL, 'g' },
		{ "dtype", required_argument, NULL, 'd' },
		{ "fuse", required_argument, NULL, 'f' },
		{ "shape", required_argument, NULL, 'S' },
		{ "input", required_argument, NULL, 'i' },
		{ "csv", required_argument, NULL, 'c' },
		{ "capacity", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 'T' },
		{ "output", required_argument, NULL, 'o' },
		{ "without", required_argument, NULL, 'w' },
		{ "effort", required_argument, NULL, 'E' },
		{ "svg", required_argument, NULL, 'V' },
		{ "trace", required_argument, NULL, 't' },
		{ "explain", no_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, status = 0;

	opterr = 0;
	while (!status && (c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 's':
			status = parse_bytes("--spm-size", optarg, &opt->spm_size);
			opt->has_spm_size = true;
			break;
		case 'p':
			status = parse_policy(opt, optarg);
			break;
		case 'g':
			status = parse_graph(CMD, optarg, &opt->import.graph);
			break;
		case 'b':
			status = parse_rate("--spm-bw", optarg, &opt->spm_bw);
			break;
		case 'v':
			status = parse_rate("--vector-flops", optarg, &opt->vector_flops);
			break;
		case 'm':
			status = parse_preset(CMD, optarg, &opt->preset);
			break;
		case 'd':
			status = parse_dtype(CMD, optarg, &opt->import.dtype);
			break;
		case 'f':
			status = parse_fuse(CMD, optarg, &opt->import.fuse);
			break;
		case 'i':
			status = add_input(opt, optarg);
			break;
		case 'S':
			status = parse_shape(CMD, optarg, &opt->shapes, &opt->import);
			break;
		case 'w':
			status = parse_without(&opt->plan, optarg);
			break;
		case 'E':
			status = parse_effort(&opt->plan, optarg);
			break;
		case 'c':
			opt->csv = optarg;
			break;
		case 'n':
			status = parse_bytes("--capacity", optarg, &opt->capacity);
			opt->has_capacity = true;
			break;
		case 'T':
			if (parse_u64(optarg, 1, 1000000, &opt->seconds))
				status = usage_error(CMD, "--seconds is a number from 1 to 1000000, not \"%s\"",
						     optarg);
			opt->has_seconds = true;
			break;
		case 'o':
			opt->output = optarg;
			break;
		case 'V':
			opt->svg = optarg;
			break;
		case 't':
			opt->trace = optarg;
			break;
		case 'e':
			opt->explain = true;
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
	if (status)
		return status;
	if (optind < argc)
		opt->model = argv[optind++];
	if (optind < argc)
		return usage_error(CMD, "one model at a time, not \"%s\" too", argv[optind]);
	return check_options(opt);
}

static void print_plan_json(const struct options *opt, const struct onsram_model *m,
			    const struct explanation *e, const struct onsram_plan *plan,
			    uint64_t plan_ns)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "model", json_object_new_string(opt->model));
	json_object_object_add(o, "policy", json_object_new_string(opt->policy->name));
	json_add_hash(o, "config_hash", onsram_model_hash(m));
	json_add_u64(o, "operations", e->program->nr_ops);
	json_add_u64(o, "spm_size_bytes", m->spm_size);
	json_add_u64(o, "spm_peak_bytes", plan->peak_bytes);
	json_add_u64(o, "time_ps", plan->time_ps);
	json_add_u64(o, "time_ps_pass2", plan->time_ps_again);
	json_add_u64(o, "baseline_ps", plan->baseline_ps);
	json_add_u64(o, "bound_ps", plan->bound_ps);
	json_add_u64(o, "plan_ns", plan_ns);
	json_object_object_add(o, "tensors", explain_json(e));
	print_json(o);
}

static void print_plan_text(const struct options *opt, const struct onsram_model *m,
			    const struct explanation *e, const struct onsram_plan *plan)
{
	char text[4][24], spm[24], peak[24];

	format_bytes(m->spm_size, spm, sizeof(spm));
	format_bytes(plan->peak_bytes, peak, sizeof(peak));
	format_time(plan->time_ps, text[0], sizeof(text[0]));
	format_time(plan->time_ps_again, text[1], sizeof(text[1]));
	format_time(plan->baseline_ps, text[2], sizeof(text[2]));
	format_time(plan->bound_ps, text[3], sizeof(text[3]));
	printf("%s: %u operations, %u tensors, policy %s, SPM %s\n", opt->model, e->program->nr_ops,
	       e->program->nr_tensors, opt->policy->name, spm);
	printf("  stays            %u, at most %s at once\n", plan->nr_intervals, peak);
	printf("  first run        %s (%.2fx of nothing held)\n", text[0],
	       plan->time_ps ? (double)plan->baseline_ps / plan->time_ps : 1);
	printf("  later runs       %s\n", text[1]);
	printf("  nothing held     %s\n", text[2]);
	printf("  lower bound      %s\n", text[3]);
	if (opt->explain)
		explain_text(e);
}

static int report(const struct options *opt, const struct onsram_model *m, const struct onsram_program *p,
		  const struct onsram_plan *plan, uint64_t plan_ns)
{
	struct explanation e = {
		.program = p, .intervals = plan->intervals, .nr_intervals = plan->nr_intervals, .reason = plan->reason,
	};
	int status = 0;

	if (opt->explain && explain_worth(&e, m, false))
		status = failure(CMD, "out of memory");
	else if (opt->json)
		print_plan_json(opt, m, &e, plan, plan_ns);
	else
		print_plan_text(opt, m, &e, plan);
	free(e.worth);
	return status;
}

static int draw(const struct options *opt, const struct onsram_model *m, const struct onsram_program *p,
		const struct onsram_plan *plan)
{
	struct onsram_record r = { .network = p->name, .policy = opt->policy->name, .origin = "planned" };
	int status;

	if (record_program(&r, m, p) || record_plan(&r, m, p, plan))
		status = failure(CMD, "out of memory");
	else
		status = draw_record(CMD, &r, opt->svg, opt->trace);
	record_release(&r);
	return status;
}

static int plan_program(const struct options *opt, const struct onsram_model *m,
			const struct onsram_program *p)
{
	struct onsram_plan *plan;
	struct plan_input in;
	uint64_t plan_ns;
	int status = 0;

	if (plan_input_init(&in, p))
		return failure(CMD, "out of memory");
	progress_update(CMD, "planning", 0, 0);
	plan_ns = now_ns();
	plan = opt->policy->plan(m, &in.graph, &opt->plan);
	plan_ns = now_ns() - plan_ns;
	progress_end();
	if (!plan) {
		plan_input_release(&in);
		return failure(CMD, "out of memory");
	}
	if (opt->svg || opt->trace)
		status = draw(opt, m, p, plan);
	if (!status)
		status = report(opt, m, p, plan, plan_ns);
	onsram_plan_free(plan);
	plan_input_release(&in);
	return status;
}

static int plan_model(const struct options *opt)
{
	struct onsram_program *p, ordered;
	struct onsram_model m;
	const char *wrong;
	char *err = NULL;
	int status;

	onsram_model_init(&m, opt->preset);
	if (opt->has_spm_size)
		m.spm_size = opt->spm_size;
	if (opt->spm_bw)
		m.spm_bw = opt->spm_bw;
	if (opt->vector_flops)
		m.vector_flops = opt->vector_flops;
	wrong = onsram_model_check(&m);
	if (wrong)
		return failure(CMD, "such a device cannot be planned for: %s", wrong);
	progress_update(CMD, "reading the model", 0, 0);
	p = onsram_import(opt->model, &opt->import, &err);
	if (!p)
		return failure_text(CMD, err);
	if (policy_program(opt->policy, &m, p, &ordered)) {
		status = failure(CMD, "out of memory");
	} else {
		status = plan_program(opt, &m, &ordered);
		free(ordered.ops);
	}
	onsram_program_free(p);
	return status;
}

int cmd_plan(int argc, char **argv)
{
	struct options opt = {
		.seconds = 10,
		.policy = policy_find("static", 6),
		.preset = ONSRAM_PRESET_DEFAULT,
		.import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 },
	};
	bool helped = false;
	int status = parse_options(&opt, argc, argv, &helped);

	if (!status && !helped)
		status = opt.csv ? plan_csv(CMD, opt.csv, opt.capacity, opt.seconds, opt.output) :
				   plan_model(&opt);
	while (opt.import.nr_inputs)
		onsram_array_release(&opt.inputs[--opt.import.nr_inputs]);
	return status;
}
