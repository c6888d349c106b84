// SPDX-License-Identifier: MIT
/* The command line of `onsram run`. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define CMD "run"
#define MAX_REPEAT 1000000

static void help(void)
{
	printf("usage: onsram run MODEL.onnx [OPTIONS]\n\n"
	       "Run a network on the device and report its modelled cost.\n\n"
	       "  --policy P         none, lru, static-paper, static (default), eager; ideal, which is the\n"
	       "                     performance model's alone; a comma list, or \"all\" that the device\n"
	       "                     runs, compares them\n"
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
	       "  --svg F            draw the last pass: the SPM's map above the engines' time line; of\n"
	       "                     one policy\n"
	       "  --trace F          the last pass as a trace for Perfetto or Chrome, likewise\n"
	       "  --explain          every tensor of the last pass: where it stayed, when, and what that\n"
	       "                     saves by the performance model; likewise, with --json, too\n"
	       "  --json             report as JSON: an object, or an array for several policies\n");
}

static int parse_tolerance(const char *option, const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *end || !(*value >= 0 && *value <= 1e30))
		return usage_error(CMD, "%s is a number of at least 0, not \"%s\"", option, text);
	return 0;
}

static int add_file(struct run_files *files, const char *path)
{
	if (files->nr == RUN_MAX_FILES)
		return usage_error(CMD, "more than %d files", RUN_MAX_FILES);
	files->path[files->nr++] = path;
	return 0;
}

int run_options(struct run_options *opt, int argc, char **argv, bool *helped)
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
		{ "svg", required_argument, NULL, 'v' },
		{ "trace", required_argument, NULL, 't' },
		{ "explain", no_argument, NULL, 'x' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct run_files *list = NULL;	/* which takes the file names that follow */
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
			status = parse_policies(CMD, optarg, &opt->policies);
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
		case 'v':
			opt->svg = optarg;
			break;
		case 't':
			opt->trace = optarg;
			break;
		case 'x':
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
	if (!status && !opt->model)
		status = usage_error(CMD, "which model?");
	if (!status && run_records(opt) &&
	    (opt->policies.nr != 1 || opt->policies.policy[0]->plan == onsram_plan_ideal))
		status = usage_error(CMD, "--svg, --trace and --explain show one policy's places in the SPM: name one, and not ideal");
	return status;
}
