// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "draw.h"
#include "record-plan.h"
#include "run.h"

#define CMD "run"

struct context {
	struct run_options opt;
	struct onsram_program *program;
	struct onsram_array *inputs;
	uint32_t nr_inputs;
	struct onsram_array *expect;
	bool saved;
	struct run_report report;
	struct explanation explanation;
	struct onsram_program ordered;
	struct onsram_interval *stays;
};

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

static void compare(const struct context *c, const struct policy *policy, enum expect_result *result,
		    struct onsram_array *outputs)
{
	uint32_t i;

	if (*result == EXPECT_NONE)
		*result = EXPECT_PASS;
	for (i = 0; i < c->program->nr_outputs; i++) {
		struct onsram_array *got = &outputs[i];
		char *why = NULL;

		if (onsram_array_as(got, c->expect[i].dtype)) {
			*result = EXPECT_FAIL;
			failure(CMD, "out of memory");
			return;
		}
		if (!onsram_array_close(got, &c->expect[i], c->opt.rtol, c->opt.atol, &why)) {
			*result = EXPECT_FAIL;
			failure(CMD, "policy %s: output \"%s\" is not as expected: %s",
				policy->name, got->name, why ? why : "");
		}
		free(why);
	}
}

static int save_outputs(const struct context *c, const struct onsram_array *outputs, char **err)
{
	const char *dir = c->opt.output_dir;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		if (asprintf(err, "%s: %s", dir, strerror(errno)) < 0)
			*err = NULL;
		return -1;
	}
	for (uint32_t i = 0; i < c->program->nr_outputs; i++) {
		char *path, *p;
		int ret;

		if (asprintf(&path, "%s/%s.pb", dir, outputs[i].name) < 0)
			return -1;
		for (p = path + strlen(dir) + 1; *p; p++)
			if (*p == '/')
				*p = '_';
		ret = onsram_array_save(path, &outputs[i], err);
		free(path);
		if (ret)
			return -1;
	}
	return 0;
}

/* What a pass gave: outputs are the same under every policy, so the first one writes the files. */
static int on_outputs(void *ctx, const struct measurement *m, struct onsram_array *outputs, char **err)
{
	const struct measure_pass *pass = &m->passes[m->nr_passes - 1];
	struct context *c = ctx;

	if (c->opt.output_dir && !c->saved && save_outputs(c, outputs, err))
		return -1;
	c->saved = true;
	if (c->opt.expect.nr && (m->nr_passes == 1 || strcmp(pass->sha256, pass[-1].sha256)))
		compare(c, m->policy, &c->report.expect[m - c->report.results], outputs);
	return 0;
}

static int run_all(struct context *c)
{
	const struct measure w = {
		.cmd = CMD, .program = c->program, .inputs = c->inputs, .passes = c->opt.repeat,
		.outputs = on_outputs, .ctx = c,
		.record = run_records(&c->opt) ? &c->report.record : NULL,
	};
	struct run_report *report = &c->report;
	char *err;

	for (uint32_t i = 0; i < c->opt.policies.nr; i++)
		if (measure(&w, c->opt.policies.policy[i], &report->results[report->nr_results++],
			    &report->config, &err))
			return failure_text(CMD, err);
	if (measure_bound(c->program, &report->config, &report->bound_ps, &err))
		return failure_text(CMD, err);
	return 0;
}

static int verdict(const struct context *c)
{
	const struct run_report *report = &c->report;

	for (uint32_t i = 0; i < report->nr_results; i++)
		if (report->expect[i] == EXPECT_FAIL)
			return STATUS_FAILURE;
	if (!measure_agree(report->results, report->nr_results))
		return failure(CMD, "the outputs are not the same in all passes");
	return 0;
}

static int explain(struct context *c)
{
	struct explanation *e = &c->explanation;

	/* In the order that it ran in */
	if (policy_program(c->opt.policies.policy[0], &c->report.config, c->program, &c->ordered))
		return -1;
	e->program = &c->ordered;
	c->stays = explain_stays(&c->report.record, &e->nr_intervals);
	e->intervals = c->stays;
	c->report.explanation = e;
	return c->stays ? explain_worth(e, &c->report.config, true) : -1;
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
	c->report.record = (struct onsram_record){
		.network = c->program->name, .policy = c->opt.policies.policy[0]->name,
		.origin = c->opt.policies.policy[0]->modelled ? "planned" : "ran on the device",
	};
	status = run_all(c);
	if (status)
		return status;
	progress_end();
	c->report.record.bound_ps = c->report.bound_ps;
	status = draw_record(CMD, &c->report.record, c->opt.svg, c->opt.trace);
	if (status)
		return status;
	if (c->opt.explain && explain(c))
		return failure(CMD, "out of memory");
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
	record_release(&c->report.record);
	free(c->explanation.worth);
	free(c->stays);
	free(c->ordered.ops);
	onsram_program_free(c->program);
}

int cmd_run(int argc, char **argv)
{
	struct context c = {
		.opt = {
			.policies = { { policy_find("static", 6) }, 1 },
			.repeat = 1,
			.import = { .fuse = true, .dtype = ONSRAM_DTYPE_F32 },
			.rtol = 1e-3,
			.atol = 1e-7,
		},
	};
	bool helped = false;
	int status = run_options(&c.opt, argc, argv, &helped);

	if (!status && !helped) {
		status = run_model(&c);
		release(&c);
	}
	return status;
}
