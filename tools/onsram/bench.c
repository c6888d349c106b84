// SPDX-License-Identifier: MIT
/* The policies on a suite of networks. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench-draw.h"
#include "save.h"

#define CMD "bench"
#define MAX_PASSES 1000
#define FOLDER "/models"

struct options {
	struct bench_suite suite;
	const char *folder;
	const char *names[256];
	uint32_t nr_names;
	uint64_t passes;
	bool has_preset;
	enum onsram_preset preset;
	const char *csv;
	const char *svg;
	bool json;
};

struct context {
	struct options opt;
	struct bench_report report;
	uint64_t start_ns;
	uint64_t done;	/* weight of the networks measured so far */
	uint64_t all;
};

static void help(void)
{
	printf("usage: onsram bench [OPTIONS]\n\n"
	       "Run networks under every policy on the device and compare what they cost.\n\n"
	       "  --suite S ...      onsram16 (default), onsram12, or model files\n"
	       "  --folder DIR       where the suites are: DIR/suites/S (default " FOLDER ")\n"
	       "  --policies LIST    a comma list of %s;\n"
	       "                     the last of them is priced by the performance model (default:\n"
	       "                     all)\n"
	       "  --passes N         passes under each policy (default 4); the first and the last are\n"
	       "                     shown\n"
	       "  --dtype T          fp16 (default) or fp32: how floats are stored on the device\n"
	       "  --fuse on|off      fold BatchNorm, bias and activation into the operation before\n"
	       "                     them (default on)\n"
	       "  --graph LIST     the graph as other frameworks have it: groups=split (a split, a\n"
	       "                   convolution per group, a concatenation), norm=split (BatchNorm as a\n"
	       "                   multiplication and an addition), norm=fold (into the weights),\n"
	       "                   bias=fold (biases and residuals into the operation before),\n"
	       "                   copies=fold (concatenation costs nothing)\n"
	       "  --model M          default or paper: fail where the device has another performance\n"
	       "                     model\n"
	       "  --json             report as JSON\n"
	       "  --csv F            a line per pass into F, too\n"
	       "  --svg F            a picture: how many times faster, beside what was published\n\n"
	       "Exit status 1 where a network fails; the others are measured all the same.\n", POLICY_NAMES);
}

static int add_name(struct options *opt, const char *name)
{
	if (opt->nr_names == sizeof(opt->names) / sizeof(opt->names[0]))
		return usage_error(CMD, "more than %u suites and files", opt->nr_names);
	opt->names[opt->nr_names++] = name;
	return 0;
}

static int parse_options(struct context *c, int argc, char **argv, bool *helped)
{
	static const struct option options[] = {
		{ "suite", required_argument, NULL, 's' },
		{ "folder", required_argument, NULL, 'r' },
		{ "policies", required_argument, NULL, 'p' },
		{ "passes", required_argument, NULL, 'n' },
		{ "dtype", required_argument, NULL, 'd' },
		{ "fuse", required_argument, NULL, 'f' },
		{ "model", required_argument, NULL, 'm' },
		{ "graph", required_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },
		{ "csv", required_argument, NULL, 'c' },
		{ "svg", required_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options *opt = &c->opt;
	bool listing = false;	/* what follows are names of suites */
	int o, status = 0;

	opterr = 0;
	while (!status && (o = getopt_long(argc, argv, "-:", options, NULL)) != -1) {
		if (o == 1) {
			status = listing ? add_name(opt, optarg) :
					   usage_error(CMD, "\"%s\": models go behind --suite", optarg);
			continue;
		}
		listing = o == 's';
		switch (o) {
		case 's':
			status = add_name(opt, optarg);
			break;
		case 'r':
			opt->folder = optarg;
			break;
		case 'p':
			status = parse_policies(CMD, optarg, &c->report.policies);
			break;
		case 'n':
			if (parse_u64(optarg, 1, MAX_PASSES, &opt->passes))
				status = usage_error(CMD, "--passes is a number from 1 to %d, not \"%s\"",
						     MAX_PASSES, optarg);
			break;
		case 'd':
			status = parse_dtype(CMD, optarg, &c->report.import.dtype);
			break;
		case 'f':
			status = parse_fuse(CMD, optarg, &c->report.import.fuse);
			break;
		case 'g':
			status = parse_graph(CMD, optarg, &c->report.import.graph);
			break;
		case 'm':
			status = parse_preset(CMD, optarg, &opt->preset);
			opt->has_preset = true;
			break;
		case 'j':
			opt->json = true;
			break;
		case 'c':
			opt->csv = optarg;
			break;
		case 'v':
			opt->svg = optarg;
			break;
		case 'h':
			help();
			*helped = true;
			return 0;
		default:
			status = bad_option(CMD, o, argv);
		}
	}
	return status;
}

static int find_networks(struct context *c)
{
	struct options *opt = &c->opt;
	int status = 0;

	if (!opt->nr_names)
		status = add_name(opt, "onsram16");
	for (uint32_t i = 0; !status && i < opt->nr_names; i++)
		status = bench_suite_add(CMD, &opt->suite, opt->folder, opt->names[i]);
	for (uint32_t i = 0; i < opt->suite.nr; i++)
		c->all += opt->suite.network[i].weight;
	return status;
}

/* Whether the device is the one that was asked for */
static int check_device(struct context *c)
{
	char *err;
	struct onsram_device *dev = onsram_device_open(&err);
	bool paper;

	if (!dev)
		return failure_text(CMD, err);
	c->report.config = dev->info.model;
	c->report.functional = dev->info.caps & DRM_ONSRAM_CAP_FUNCTIONAL;
	onsram_device_close(dev);
	paper = c->report.config.preset == ONSRAM_PRESET_PAPER;
	if (c->opt.has_preset && paper != (c->opt.preset == ONSRAM_PRESET_PAPER))
		return failure(CMD, "the device's performance model is \"%s\"; the other one is a property of the device: make vm DEVICE=model=%s CMD='...'",
			       paper ? "paper" : "default", paper ? "default" : "paper");
	return 0;
}

static void tell(const struct context *c, uint32_t i)
{
	const struct bench_suite *s = &c->opt.suite;
	uint64_t spent = (now_ns() - c->start_ns) / 1000000000;

	progress_end();
	fprintf(stderr, "onsram bench: %s (%u of %u)", s->network[i].title, i + 1, s->nr);
	if (c->done)
		fprintf(stderr, ", about %.0f s left", (double)spent * (c->all - c->done) / c->done);
	fputc('\n', stderr);
}

/* Inputs from beside the model, as ONNX's test data lies there; NULL where there are none */
static struct onsram_array *read_inputs(const char *model, uint32_t *nr, char **err)
{
	int folder = (int)(strrchr(model, '/') ? strrchr(model, '/') - model : 0);
	struct onsram_array *inputs = NULL, *more;

	*err = NULL;
	for (*nr = 0;; ++*nr) {
		char *path;
		int ret;

		if (asprintf(&path, "%.*s%stest_data_set_0/input_%u.pb", folder, model, folder ? "/" : "",
			     *nr) < 0)
			break;
		if (access(path, F_OK)) {
			free(path);
			break;
		}
		more = realloc(inputs, (*nr + 1) * sizeof(*more));
		if (more)
			inputs = more;
		ret = more ? onsram_array_load(path, &inputs[*nr], err) : -1;
		free(path);
		if (ret) {
			for (uint32_t i = 0; i < *nr; i++)
				onsram_array_release(&inputs[i]);
			free(inputs);
			return NULL;
		}
	}
	return inputs;
}

static void release_inputs(struct onsram_array *inputs, uint32_t nr)
{
	for (uint32_t i = 0; inputs && i < nr; i++)
		onsram_array_release(&inputs[i]);
	free(inputs);
}

/* Those read, in the program's types, or ONNX's default ones */
static int fit_inputs(const struct onsram_program *p, struct onsram_array **inputs, uint32_t *nr, char **err)
{
	if (!*inputs) {
		*inputs = calloc(p->nr_inputs + 1, sizeof(**inputs));
		for (*nr = 0; *inputs && *nr < p->nr_inputs; ++*nr)
			if (onsram_default_input(p, *nr, &(*inputs)[*nr], err))
				return -1;
		return *inputs ? 0 : -1;
	}
	if (*nr != p->nr_inputs) {
		if (asprintf(err, "%u inputs beside a model with %u", *nr, p->nr_inputs) < 0)
			*err = NULL;
		return -1;
	}
	for (uint32_t i = 0; i < *nr; i++)
		if (onsram_array_fit(&(*inputs)[i], &p->tensors[p->inputs[i]], err))
			return -1;
	return 0;
}

static int measure_program(struct context *c, struct bench_row *row, const struct onsram_program *p,
			   const struct onsram_array *inputs, char **err)
{
	const struct measure w = {
		.cmd = CMD, .program = p, .inputs = inputs, .passes = (uint32_t)c->opt.passes,
	};
	struct bench_report *r = &c->report;

	row->operations = p->nr_ops;
	for (uint32_t i = 0; i < r->policies.nr; i++)
		if (measure(&w, r->policies.policy[i], &row->results[row->nr_results++], &r->config, err))
			return -1;
	if (!measure_agree(row->results, row->nr_results)) {
		*err = strdup("the outputs are not the same in all passes");
		return -1;
	}
	return measure_bound(p, &r->config, &row->bound_ps, err);
}

/* A row in any case: what went wrong is its error */
static void measure_network(struct context *c, struct bench_row *row)
{
	struct onsram_import_options import = c->report.import;
	struct onsram_program *p = NULL;
	struct onsram_array *inputs;
	char *err = NULL;
	uint32_t nr;

	inputs = read_inputs(row->network->path, &nr, &err);
	if (!err) {
		import.inputs = inputs;
		import.nr_inputs = inputs ? nr : 0;
		p = onsram_import(row->network->path, &import, &err);
	}
	if (!p || fit_inputs(p, &inputs, &nr, &err) || measure_program(c, row, p, inputs, &err))
		row->error = err ? err : strdup("out of memory");
	release_inputs(inputs, nr);
	onsram_program_free(p);
}

static int write_bars(FILE *out, const void *report)
{
	return bench_draw(out, (struct json_object *)report);
}

static int draw(const struct context *c)
{
	struct json_object *report = bench_report_object(&c->report);
	int status = save_file(CMD, c->opt.svg, write_bars, report);

	json_object_put(report);
	return status;
}

static int run(struct context *c)
{
	struct bench_report *r = &c->report;
	int status = 0;

	r->rows = calloc(c->opt.suite.nr + 1, sizeof(*r->rows));
	if (!r->rows)
		return failure(CMD, "out of memory");
	r->passes = (uint32_t)c->opt.passes;
	c->start_ns = now_ns();
	for (uint32_t i = 0; i < c->opt.suite.nr; i++) {
		struct bench_row *row = &r->rows[r->nr_rows++];

		row->network = &c->opt.suite.network[i];
		tell(c, i);
		measure_network(c, row);
		c->done += row->network->weight;
		if (row->error)
			status = failure(CMD, "%s: %s", row->network->title, row->error);
	}
	progress_end();
	if (c->opt.json)
		print_json(bench_report_object(r));
	else
		bench_report_text(r);
	if (c->opt.svg && draw(c))
		status = STATUS_FAILURE;
	if (c->opt.csv && bench_report_csv(r, c->opt.csv))
		status = failure(CMD, "%s: %s", c->opt.csv, strerror(errno));
	return status;
}

static void release(struct context *c)
{
	for (uint32_t i = 0; i < c->report.nr_rows; i++) {
		struct bench_row *row = &c->report.rows[i];

		for (uint32_t k = 0; k < row->nr_results; k++)
			free(row->results[k].passes);
		free(row->error);
	}
	free(c->report.rows);
	bench_suite_release(&c->opt.suite);
}

int cmd_bench(int argc, char **argv)
{
	struct context c = {
		.opt = { .folder = FOLDER, .passes = 4 },
		.report = { .import = { .fuse = true, .dtype = ONSRAM_DTYPE_F16 } },
	};
	bool helped = false;
	int status;

	for (uint32_t i = 0; i < NR_POLICIES; i++)
		c.report.policies.policy[c.report.policies.nr++] = &policies[i];
	status = parse_options(&c, argc, argv, &helped);
	if (!status && !helped)
		status = find_networks(&c);
	if (!status && !helped)
		status = check_device(&c);
	if (!status && !helped)
		status = run(&c);
	release(&c);
	return status;
}
