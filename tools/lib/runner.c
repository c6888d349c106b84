// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf.h"
#include "runner.h"

/* Operations of one job that fills weights: long enough to hide a submission, short enough to show progress */
#define FILLS_PER_JOB 16
/* How often a wait looks up to report progress */
#define TICK_NS 200000000
/* From when on a wait for the policy daemon is told */
#define QUIET_NS 1000000000ll

struct onsram_runner {
	struct onsram_device *dev;
	const struct onsram_program *program;
	struct onsram_runner_options opt;
	struct onsram_bo *bos;		/* per tensor */
	uint32_t *last_use;		/* per tensor: last operation with it as an operand */
	uint32_t sync;			/* timeline: a point per job */
	uint64_t point;			/* of the last job */
	uint64_t errors;		/* failed jobs before the last pass */
	uint32_t graph;			/* unless eager */
	bool has_graph;
	bool noticed;			/* a wait for the daemon was told */
	bool warned;			/* that there is none was told */
};

__attribute__((format(printf, 2, 3)))
static int fail(char **err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(err, fmt, ap) < 0)
		*err = NULL;
	va_end(ap);
	return -1;
}

static void progress(struct onsram_runner *r, const char *what, uint64_t done, uint64_t total)
{
	if (r->opt.progress)
		r->opt.progress(r->opt.ctx, what, done, total);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct drm_onsram_sync next_point(struct onsram_runner *r)
{
	return (struct drm_onsram_sync){
		.handle = r->sync,
		.flags = DRM_ONSRAM_SYNC_SIGNAL,
		.point = ++r->point,
	};
}

/* Wait for the jobs queued so far; a job that failed is told by the statistics */
static int wait_jobs(struct onsram_runner *r, const char *what, char **err)
{
	struct drm_onsram_stats stats;
	int ret;

	if (!r->point)
		return 0;
	while ((ret = onsram_sync_wait(r->dev, r->sync, r->point, TICK_NS)) == -ETIME)
		progress(r, what, 0, 0);
	if (ret)
		return fail(err, "waiting for the device failed: %s", strerror(-ret));
	ret = onsram_device_stats(r->dev, &stats);
	if (ret)
		return fail(err, "reading the statistics failed: %s", strerror(-ret));
	if (stats.errors != r->errors) {
		uint64_t n = stats.errors - r->errors;

		r->errors = stats.errors;
		return fail(err, "%llu job(s) failed on the device while %s; the kernel log tells why",
			    (unsigned long long)n, what);
	}
	return 0;
}

/*
 * Queue operations of the program's own numbering as one job: the job names
 * only the buffers that they use.
 */
static int submit(struct onsram_runner *r, struct drm_onsram_op *ops, uint32_t nr_ops)
{
	uint32_t handles[FILLS_PER_JOB * ONSRAM_MAX_OPERANDS];
	struct drm_onsram_sync sync = next_point(r);
	uint32_t nr = 0, i, slot, h;
	int ret;

	for (i = 0; i < nr_ops; i++) {
		for (slot = 0; slot < ONSRAM_MAX_OPERANDS; slot++) {
			struct drm_onsram_operand *o = &ops[i].operand[slot];
			uint32_t handle;

			if (o->view.dtype == ONSRAM_DTYPE_NONE)
				continue;
			handle = r->bos[o->bo].handle;
			for (h = 0; h < nr && handles[h] != handle; h++)
				;
			if (h == nr)
				handles[nr++] = handle;
			o->bo = h;
		}
	}
	ret = onsram_submit(r->dev, ops, nr_ops, handles, nr, &sync, 1);
	if (ret)
		r->point--;
	return ret;
}

static int create_buffers(struct onsram_runner *r, char **err)
{
	const struct onsram_program *p = r->program;
	uint32_t i;
	int ret;

	for (i = 0; i < p->nr_tensors; i++) {
		ret = onsram_bo_create(r->dev, p->tensors[i].bytes ? p->tensors[i].bytes : 1, &r->bos[i]);
		if (ret)
			return fail(err, "tensor \"%s\": no buffer of %llu bytes: %s%s",
				    p->tensors[i].name, (unsigned long long)p->tensors[i].bytes,
				    strerror(-ret), ret == -ENOSPC ?
				    " (the network needs more memory than the parameters client_mem_percent"
				    " and device_mem_percent of onsram.ko leave it)" : "");
	}
	return 0;
}

/* Nobody has written them: like a framework's empty(), their contents are not wanted */
static int forget_activations(struct onsram_runner *r, char **err)
{
	const struct onsram_program *p = r->program;
	uint32_t i;
	int ret;

	for (i = 0; i < p->nr_tensors; i++) {
		if (p->tensors[i].role != ONSRAM_ROLE_ACTIVATION)
			continue;
		ret = onsram_bo_advise(r->dev, &r->bos[i], DRM_ONSRAM_ADVICE_DEAD);
		if (ret)
			return fail(err, "tensor \"%s\": %s", p->tensors[i].name, strerror(-ret));
	}
	return 0;
}

static int upload(struct onsram_runner *r, uint32_t i, const void *data, char **err)
{
	const struct onsram_tensor *t = &r->program->tensors[i];
	int ret = onsram_bo_write(r->dev, &r->bos[i], data, t->bytes);

	if (ret)
		return fail(err, "tensor \"%s\": writing it failed: %s", t->name, strerror(-ret));
	return 0;
}

static struct drm_onsram_op fill_op(const struct onsram_tensor *t, uint32_t index)
{
	struct drm_onsram_op op = { .opcode = ONSRAM_OP_FILL };

	memcpy(op.attr.param, t->fill, sizeof(t->fill));
	op.operand[0].bo = index;
	op.operand[0].view = t->view;
	return op;
}

static int load_weights(struct onsram_runner *r, char **err)
{
	const struct onsram_program *p = r->program;
	struct drm_onsram_op fills[FILLS_PER_JOB];
	uint64_t total = 0, done = 0;
	uint32_t i, nr = 0;
	int ret;

	for (i = 0; i < p->nr_tensors; i++)
		if (p->tensors[i].role == ONSRAM_ROLE_WEIGHT)
			total += p->tensors[i].bytes;
	/* Nobody will ever look at them */
	if (!(r->dev->info.caps & DRM_ONSRAM_CAP_FUNCTIONAL))
		return 0;
	/* Filling must not disturb what the policy's statistics tell. */
	ret = onsram_device_set_policy(r->dev, "none");
	if (ret)
		return fail(err, "setting the policy failed: %s", strerror(-ret));
	for (i = 0; i < p->nr_tensors; i++) {
		const struct onsram_tensor *t = &p->tensors[i];

		if (t->role != ONSRAM_ROLE_WEIGHT)
			continue;
		progress(r, "loading weights", done, total);
		done += t->bytes;
		if (t->filled)
			fills[nr++] = fill_op(t, i);
		else if (upload(r, i, t->data, err))
			return -1;
		if (nr == FILLS_PER_JOB || (nr && done == total)) {
			ret = submit(r, fills, nr);
			if (ret)
				return fail(err, "filling weights failed: %s", strerror(-ret));
			nr = 0;
		}
	}
	return wait_jobs(r, "loading weights", err);
}

static void find_last_uses(struct onsram_runner *r)
{
	const struct onsram_program *p = r->program;
	uint32_t i, slot;

	for (i = 0; i < p->nr_ops; i++)
		for (slot = 0; slot < ONSRAM_MAX_OPERANDS; slot++) {
			const struct drm_onsram_operand *o = &p->ops[i].op.operand[slot];

			if (o->view.dtype != ONSRAM_DTYPE_NONE)
				r->last_use[o->bo] = i;
		}
}

static void warn(struct onsram_runner *r, const char *text)
{
	if (r->opt.warn)
		r->opt.warn(r->opt.ctx, text);
}

/* Whether a policy daemon is there is told once */
static void warn_of_agent(struct onsram_runner *r, int ret)
{
	if (!ret || r->warned)
		return;
	r->warned = true;
	if (ret == -ENOTCONN)
		warn(r, "no policy daemon is attached (is onsramd running?); the driver's fallback policy acts where it has decided nothing");
	else if (ret == -EHOSTDOWN)
		warn(r, "the policy daemon is stalled (sysfs spm/agent); the driver's fallback policy acts where it has decided nothing");
	else
		warn(r, "the policy daemon has not decided in time; the driver's fallback policy acts until it does");
}

/* A wait that lasts is told, once for all passes */
static void wait_agent(struct onsram_runner *r, const char *notice,
		       int (*wait)(struct onsram_runner *r, int64_t timeout_ns))
{
	int64_t quiet = r->opt.agent_timeout_ns < QUIET_NS ? r->opt.agent_timeout_ns : QUIET_NS;
	int ret = wait(r, quiet);

	if (ret == -ETIME && quiet < r->opt.agent_timeout_ns) {
		if (!r->noticed)
			warn(r, notice);
		r->noticed = true;
		ret = wait(r, r->opt.agent_timeout_ns - quiet);
	}
	warn_of_agent(r, ret);
}

static int wait_plan(struct onsram_runner *r, int64_t timeout_ns)
{
	return onsram_graph_wait_plan(r->dev, r->graph, timeout_ns);
}

/* What one pass taught is in force before the next begins, and nothing changes within one */
static int wait_digested(struct onsram_runner *r, int64_t timeout_ns)
{
	return onsram_agent_sync(r->dev, DRM_ONSRAM_AGENT_SYNC_PRIVATE, timeout_ns);
}

static int create_graph(struct onsram_runner *r, char **err)
{
	const struct onsram_program *p = r->program;
	struct drm_onsram_tensor *tensors = calloc(p->nr_tensors, sizeof(*tensors));
	struct drm_onsram_op *ops = calloc(p->nr_ops, sizeof(*ops));
	uint32_t i;
	int ret = -ENOMEM;

	if (!tensors || !ops)
		goto out;
	for (i = 0; i < p->nr_ops; i++)
		ops[i] = p->ops[i].op;
	for (i = 0; i < p->nr_tensors; i++) {
		tensors[i].handle = r->bos[i].handle;
		if (p->tensors[i].role == ONSRAM_ROLE_WEIGHT)
			tensors[i].flags = DRM_ONSRAM_TENSOR_CONST;
		else if (p->tensors[i].role == ONSRAM_ROLE_ACTIVATION)
			tensors[i].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
	}
	ret = onsram_graph_create(r->dev, ops, p->nr_ops, tensors, p->nr_tensors, &r->graph);
	r->has_graph = !ret;
out:
	free(ops);
	free(tensors);
	return ret ? fail(err, "the driver did not take the network: %s", strerror(-ret)) : 0;
}

static int check_limits(struct onsram_device *dev, const struct onsram_program *p, char **err)
{
	if (p->nr_ops > dev->info.max_ops)
		return fail(err, "the network has %u operations; the device takes %u", p->nr_ops,
			    dev->info.max_ops);
	if (p->nr_tensors > dev->info.max_bos)
		return fail(err, "the network has %u tensors; the device takes %u", p->nr_tensors,
			    dev->info.max_bos);
	return 0;
}

static int set_up(struct onsram_runner *r, char **err)
{
	int ret;

	ret = onsram_sync_create(r->dev, &r->sync);
	if (ret)
		return fail(err, "creating a syncobj failed: %s", strerror(-ret));
	if (create_buffers(r, err) || load_weights(r, err))
		return -1;
	find_last_uses(r);
	ret = onsram_device_set_policy(r->dev, r->opt.policy);
	if (ret == -ENOENT)
		return fail(err, "the policy daemon has no policy \"%s\"", r->opt.policy);
	if (ret)
		return fail(err, "setting the policy failed: %s", strerror(-ret));
	if (r->opt.mode == ONSRAM_RUN_EAGER)
		return forget_activations(r, err);
	if (!r->program->nr_ops)
		return 0;
	if (create_graph(r, err))
		return -1;
	if (r->opt.mode == ONSRAM_RUN_PLANNED)
		wait_agent(r, "waiting for the policy daemon's plan", wait_plan);
	return 0;
}

struct onsram_runner *onsram_runner_create(struct onsram_device *dev,
					   const struct onsram_program *program,
					   const struct onsram_runner_options *opt, char **err)
{
	struct onsram_runner *r;

	*err = NULL;
	if (check_limits(dev, program, err))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r) {
		r->dev = dev;
		r->program = program;
		r->opt = *opt;
		r->bos = calloc(program->nr_tensors, sizeof(*r->bos));
		r->last_use = calloc(program->nr_tensors, sizeof(*r->last_use));
	}
	if (!r || !r->bos || !r->last_use)
		fail(err, "out of memory");
	else if (!set_up(r, err))
		return r;
	onsram_runner_destroy(r);
	return NULL;
}

void onsram_runner_destroy(struct onsram_runner *r)
{
	uint32_t i;

	if (!r)
		return;
	if (r->has_graph)
		onsram_graph_destroy(r->dev, r->graph);
	if (r->sync)
		onsram_sync_destroy(r->dev, r->sync);
	for (i = 0; r->bos && i < r->program->nr_tensors; i++)
		onsram_bo_destroy(r->dev, &r->bos[i]);
	free(r->last_use);
	free(r->bos);
	free(r);
}

int onsram_runner_set_input(struct onsram_runner *r, uint32_t i, const struct onsram_array *a,
			    char **err)
{
	uint32_t tensor = r->program->inputs[i];
	const struct onsram_view *v = &r->program->tensors[tensor].view;

	if (a->dtype != v->dtype || a->rank != v->rank ||
	    memcmp(a->dims, v->dims, v->rank * sizeof(v->dims[0])) ||
	    a->bytes != r->program->tensors[tensor].bytes)
		return fail(err, "input \"%s\": shape or type is not the model's",
			    r->program->tensors[tensor].name);
	if (r->program->tensors[tensor].data && memcmp(r->program->tensors[tensor].data, a->data, a->bytes))
		return fail(err, "input \"%s\": shapes depend on it, and the program was made for other contents",
			    r->program->tensors[tensor].name);
	return upload(r, tensor, a->data, err);
}

/* An eager framework frees an activation when its last consumer has been submitted. */
static int free_activations(struct onsram_runner *r, uint32_t i)
{
	const struct onsram_program *p = r->program;
	uint32_t slot;
	int ret;

	for (slot = 0; slot < ONSRAM_MAX_OPERANDS; slot++) {
		const struct drm_onsram_operand *o = &p->ops[i].op.operand[slot];

		if (o->view.dtype == ONSRAM_DTYPE_NONE || r->last_use[o->bo] != i ||
		    p->tensors[o->bo].role != ONSRAM_ROLE_ACTIVATION)
			continue;
		ret = onsram_bo_advise(r->dev, &r->bos[o->bo], DRM_ONSRAM_ADVICE_DEAD);
		if (ret)
			return ret;
	}
	return 0;
}

static int queue_eager(struct onsram_runner *r, char **err)
{
	const struct onsram_program *p = r->program;
	uint32_t i;
	int ret;

	for (i = 0; i < p->nr_ops; i++) {
		struct drm_onsram_op op = p->ops[i].op;

		progress(r, "submitting operations", i, p->nr_ops);
		ret = submit(r, &op, 1);
		if (!ret)
			ret = free_activations(r, i);
		if (ret)
			return fail(err, "operation %u, \"%s\": the driver did not take it: %s", i,
				    p->ops[i].name, strerror(-ret));
	}
	return 0;
}

static int queue_graph(struct onsram_runner *r, char **err)
{
	struct drm_onsram_sync sync;
	int ret;

	if (!r->has_graph)
		return 0;
	sync = next_point(r);
	ret = onsram_graph_run(r->dev, r->graph, &sync, 1);
	if (ret) {
		r->point--;
		return fail(err, "running the network failed: %s", strerror(-ret));
	}
	return 0;
}

/* What a total has grown by; a total that is beyond range does not tell */
static uint64_t since(uint64_t after, uint64_t before)
{
	return after == ONSRAM_BEYOND ? ONSRAM_BEYOND : after - before;
}

static void subtract_stats(struct drm_onsram_stats *after, const struct drm_onsram_stats *before)
{
	after->time_ps = since(after->time_ps, before->time_ps);
	after->compute_ps = since(after->compute_ps, before->compute_ps);
	after->dram_read_bytes = since(after->dram_read_bytes, before->dram_read_bytes);
	after->dram_write_bytes = since(after->dram_write_bytes, before->dram_write_bytes);
	after->dram_avoided_bytes = since(after->dram_avoided_bytes, before->dram_avoided_bytes);
	after->spm_bytes = since(after->spm_bytes, before->spm_bytes);
	after->macs = since(after->macs, before->macs);
	after->energy_pj = since(after->energy_pj, before->energy_pj);
	after->hits = since(after->hits, before->hits);
	after->misses = since(after->misses, before->misses);
	after->evictions = since(after->evictions, before->evictions);
	after->writebacks = since(after->writebacks, before->writebacks);
	after->prefetches = since(after->prefetches, before->prefetches);
	after->fallbacks = since(after->fallbacks, before->fallbacks);
	after->scrubs = since(after->scrubs, before->scrubs);
	after->jobs = since(after->jobs, before->jobs);
	after->ops = since(after->ops, before->ops);
	after->errors = since(after->errors, before->errors);
}

int onsram_runner_pass(struct onsram_runner *r, struct onsram_pass *pass, char **err)
{
	struct drm_onsram_stats before;
	char *ignored = NULL;
	uint64_t start;
	int ret;

	*err = NULL;
	if (r->opt.mode != ONSRAM_RUN_GRAPH)
		wait_agent(r, "waiting for the policy daemon to digest what ran", wait_digested);
	ret = onsram_device_stats(r->dev, &before);
	if (ret)
		return fail(err, "reading the statistics failed: %s", strerror(-ret));
	start = now_ns();
	ret = r->opt.mode == ONSRAM_RUN_EAGER ? queue_eager(r, err) : queue_graph(r, err);
	if (ret) {
		/* What was queued before the error must end before its buffers are reused. */
		wait_jobs(r, "running the network", &ignored);
		free(ignored);
		return -1;
	}
	if (wait_jobs(r, "running the network", err))
		return -1;
	pass->host_wall_ns = now_ns() - start;
	ret = onsram_device_stats(r->dev, &pass->stats);
	if (ret)
		return fail(err, "reading the statistics failed: %s", strerror(-ret));
	subtract_stats(&pass->stats, &before);
	return 0;
}

int onsram_runner_get_output(struct onsram_runner *r, uint32_t i, struct onsram_array *a,
			     char **err)
{
	uint32_t index = r->program->outputs[i];
	const struct onsram_tensor *t = &r->program->tensors[index];
	int ret;

	*err = NULL;
	memset(a, 0, sizeof(*a));
	a->dtype = t->view.dtype;
	a->rank = t->view.rank;
	memcpy(a->dims, t->view.dims, sizeof(a->dims));
	a->bytes = t->bytes;
	a->name = strdup(t->name);
	a->data = malloc(t->bytes);
	if (!a->name || !a->data) {
		onsram_array_release(a);
		return fail(err, "out of memory");
	}
	ret = onsram_bo_read(r->dev, &r->bos[index], a->data, t->bytes);
	if (ret) {
		onsram_array_release(a);
		return fail(err, "output \"%s\": reading it failed: %s", t->name, strerror(-ret));
	}
	return 0;
}
