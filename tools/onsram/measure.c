// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "measure.h"
#include "record-plan.h"
#include "recorder.h"

/* The driver notices a daemon that is stalled: this is for one that works */
#define AGENT_TIMEOUT_NS 60000000000ll

static int fail(char **err, const char *text)
{
	*err = strdup(text);
	return -1;
}

static void on_progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	const struct measure *w = ctx;

	progress_update(w->cmd, what, done, total);
}

static void on_warning(void *ctx, const char *text)
{
	const struct measure *w = ctx;

	warning(w->cmd, text);
}

/* The recorder sees every pass, so that it knows what stays from one to the next */
static int pass_on(const struct measure *w, struct onsram_runner *r, struct recorder *rec,
		   struct measurement *m, char **err)
{
	struct measure_pass *pass = &m->passes[m->nr_passes];

	if (rec && recorder_begin(rec, err))
		return -1;
	if (onsram_runner_pass(r, &pass->cost, err))
		return -1;
	return rec && m->nr_passes + 1 == w->passes ? recorder_end(rec, w->record, err) : 0;
}

static int one_pass(const struct measure *w, struct onsram_runner *r, struct recorder *rec,
		    struct measurement *m, struct onsram_array *outputs, char **err)
{
	struct measure_pass *pass = &m->passes[m->nr_passes];

	if (pass_on(w, r, rec, m, err))
		return -1;
	for (uint32_t i = 0; i < w->program->nr_outputs; i++)
		if (onsram_runner_get_output(r, i, &outputs[i], err))
			return -1;
	sha256_hex(outputs, w->program->nr_outputs, pass->sha256);
	m->spm_peak_bytes = pass->cost.stats.peak_bytes;
	m->nr_passes++;
	return w->outputs ? w->outputs(w->ctx, m, outputs, err) : 0;
}

static int run_passes(const struct measure *w, struct onsram_runner *r, struct recorder *rec,
		      struct measurement *m, char **err)
{
	uint32_t nr = w->program->nr_outputs;
	int ret = 0;

	while (!ret && m->nr_passes < w->passes) {
		struct onsram_array *outputs = calloc(nr + 1, sizeof(*outputs));

		if (!outputs)
			return fail(err, "out of memory");
		ret = one_pass(w, r, rec, m, outputs, err);
		for (uint32_t i = 0; i < nr; i++)
			onsram_array_release(&outputs[i]);
		free(outputs);
	}
	return ret;
}

static int run(const struct measure *w, struct onsram_device *dev, const struct onsram_program *program,
	       struct measurement *m, char **err)
{
	const struct onsram_runner_options opt = {
		.policy = m->policy->name,
		.mode = m->policy->mode,
		.agent_timeout_ns = AGENT_TIMEOUT_NS,
		.progress = on_progress,
		.warn = on_warning,
		.ctx = (void *)w,
	};
	struct recorder *rec = w->record ? recorder_open(program, err) : NULL;
	struct onsram_runner *r = w->record && !rec ? NULL : onsram_runner_create(dev, program, &opt, err);
	int ret = r ? 0 : -1;

	for (uint32_t i = 0; !ret && i < program->nr_inputs; i++)
		ret = onsram_runner_set_input(r, i, &w->inputs[i], err);
	if (!ret)
		ret = run_passes(w, r, rec, m, err);
	onsram_runner_destroy(r);
	recorder_close(rec);
	return ret;
}

static int record_priced(const struct measure *w, const struct onsram_model *config,
			 const struct onsram_program *program, const struct policy *policy,
			 const struct onsram_plan_graph *g)
{
	struct onsram_plan *plan = policy->plan(config, g, NULL);
	int ret = plan ? record_plan(w->record, config, program, plan) : -1;

	onsram_plan_free(plan);
	return ret;
}

/* Modelled passes are all alike but for what stays from the first one on */
static int price(const struct measure *w, const struct onsram_model *config,
		 const struct onsram_program *program, struct measurement *m, char **err)
{
	struct plan_input in;
	int ret = plan_input_init(&in, program);

	if (ret)
		return fail(err, "out of memory");
	for (; !ret && m->nr_passes < w->passes; m->nr_passes++) {
		struct drm_onsram_stats *s = &m->passes[m->nr_passes].cost.stats;
		struct onsram_price p;

		ret = policy_price(m->policy, config, &in.graph, m->nr_passes > 0, &p, &m->spm_peak_bytes);
		s->time_ps = p.time_ps;
		s->compute_ps = p.compute_ps;
		s->dram_read_bytes = p.dram_read_bytes;
		s->dram_write_bytes = p.dram_write_bytes;
		s->energy_pj = p.energy_fj / 1000;
	}
	if (!ret && w->record)
		ret = record_priced(w, config, program, m->policy, &in.graph);
	plan_input_release(&in);
	return ret ? fail(err, "out of memory") : 0;
}

int measure(const struct measure *w, const struct policy *policy, struct measurement *m,
	    struct onsram_model *config, char **err)
{
	struct onsram_program ordered;
	struct onsram_device *dev;
	int ret;

	*err = NULL;
	*m = (struct measurement){ .policy = policy };
	m->passes = calloc(w->passes, sizeof(*m->passes));
	if (!m->passes)
		return fail(err, "out of memory");
	dev = onsram_device_open(err);
	if (!dev)
		return -1;
	*config = dev->info.model;
	if (policy_program(policy, config, w->program, &ordered)) {
		ret = fail(err, "out of memory");
	} else if (w->record && record_program(w->record, config, &ordered)) {
		ret = fail(err, "out of memory");
		free(ordered.ops);
	} else {
		ret = policy->modelled ? price(w, config, &ordered, m, err) : run(w, dev, &ordered, m, err);
		free(ordered.ops);
	}
	onsram_device_close(dev);
	return ret;
}

int measure_bound(const struct onsram_program *p, const struct onsram_model *config, uint64_t *bound_ps,
		  char **err)
{
	struct onsram_plan *plan = NULL;
	struct plan_input in;

	if (!plan_input_init(&in, p)) {
		plan = onsram_plan_none(config, &in.graph, NULL);
		plan_input_release(&in);
	}
	if (!plan)
		return fail(err, "out of memory");
	*bound_ps = plan->bound_ps;
	onsram_plan_free(plan);
	return 0;
}

bool measure_agree(const struct measurement *m, uint32_t n)
{
	const char *first = NULL;

	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; !m[i].policy->modelled && k < m[i].nr_passes; k++) {
			if (!first)
				first = m[i].passes[k].sha256;
			if (strcmp(first, m[i].passes[k].sha256))
				return false;
		}
	}
	return true;
}
