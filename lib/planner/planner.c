// SPDX-License-Identifier: MIT
/*
 * OnSRAM-Static: chooses what stays (choice.c) in a relaxed run (relax.c), then
 * gives transfers their times (transfers.c), everything its place (places.c), and
 * prices the outcome as the device will carry it out (price.c).  Restrictions
 * only ever cost: every plan is also made under the stricter ones and for smaller
 * SPMs, and the best one is taken, or what lru (recent.c) or the published plan (paper.c)
 * holds where that is better.
 */
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "draft.h"
#include "explain.h"
#include "keep.h"
#include "price.h"
#include "recent.h"

/* Plans for an SPM of one size */
struct level {
	struct onsram_model m;
	struct onsram_flow f;
	struct onsram_pricer pricer;
	struct onsram_interval *iv;
	uint32_t n;
	struct onsram_price price;
};

struct planning {
	struct onsram_flow f;
	struct onsram_pricer pricer;
	struct onsram_plan_options opt;
	struct onsram_interval *iv;
	uint32_t n;
	struct onsram_price price;
	enum onsram_reason *reason;
};

/* A plan under restrictions; it becomes the level's where it is better */
static int attempt(struct planning *p, struct level *l, bool whole, bool synchronous)
{
	struct onsram_draft d = { 0 };
	struct onsram_relax r = { 0 };
	struct onsram_interval *iv;
	struct onsram_price price;
	int ret = -1;

	if (onsram_relax_init(&r, &l->f, synchronous, !p->opt.activations_only) ||
	    onsram_choose(&r, !whole, p->opt.effort) || onsram_draft_init(&d, &r, !whole) ||
	    onsram_draft_place(&d))
		goto out;
	onsram_draft_intervals(&d);
	qsort(d.intervals, d.nr_intervals, sizeof(*d.intervals), onsram_by_reserve);
	if (onsram_pricer_run(&l->pricer, d.intervals, d.nr_intervals, false, &price))
		goto out;
	if (onsram_price_better(&price, &l->price)) {
		iv = l->iv;
		l->iv = d.intervals;
		d.intervals = iv;
		l->n = d.nr_intervals;
		l->price = price;
		if (l->m.spm_size == p->f.m->spm_size)
			onsram_explain(&d, p->reason);
	}
	ret = 0;
out:
	onsram_draft_fini(&d);
	onsram_relax_fini(&r);
	return ret;
}

/* What lru would hold, which is a plan under any restriction; it becomes the level's where it is better */
static int attempt_recent(struct level *l)
{
	struct onsram_interval *iv = calloc((size_t)l->f.first[l->f.g->nr_tensors] + 1, sizeof(*iv)), *other;
	struct onsram_price price;
	uint32_t n;
	int ret = -1;

	if (!iv || onsram_recent_choose(&l->f, iv, &n))
		goto out;
	qsort(iv, n, sizeof(*iv), onsram_by_reserve);
	if (onsram_pricer_run(&l->pricer, iv, n, false, &price))
		goto out;
	if (onsram_price_better(&price, &l->price)) {
		other = l->iv;
		l->iv = iv;
		iv = other;
		l->n = n;
		l->price = price;
	}
	ret = 0;
out:
	free(iv);
	return ret;
}

/* The published plan, which lets outputs lie over inputs; it becomes the level's where it is better */
static int attempt_published(struct planning *p, struct level *l)
{
	struct onsram_plan *paper = onsram_plan_paper(&l->m, p->f.g, NULL);
	struct onsram_price have, price;
	int ret = -1;

	if (!paper || (!p->opt.activations_only &&
		       onsram_keep(&l->pricer, &paper->intervals, &paper->nr_intervals, &p->opt)))
		goto out;
	qsort(paper->intervals, paper->nr_intervals, sizeof(*paper->intervals), onsram_by_reserve);
	if (onsram_pricer_run(&l->pricer, l->iv, l->n, false, &have) ||
	    onsram_pricer_run(&l->pricer, paper->intervals, paper->nr_intervals, false, &price))
		goto out;
	ret = 0;
	if (!onsram_price_better(&price, &have))
		goto out;
	free(l->iv);
	l->iv = paper->intervals;
	paper->intervals = NULL;
	l->n = paper->nr_intervals;
	if (l->m.spm_size != p->f.m->spm_size)
		goto out;
	for (uint32_t t = 0; t < p->f.g->nr_tensors; t++)
		if (p->reason[t] == ONSRAM_REASON_HELD || paper->reason[t] != ONSRAM_REASON_NO_ACTIVATION)
			p->reason[t] = paper->reason[t];
out:
	onsram_plan_free(paper);
	return ret;
}

/* The best plan for an SPM of that size, which becomes the plan where it is better */
static int plan_level(struct planning *p, uint64_t spm_size)
{
	const struct onsram_plan_options *opt = &p->opt;
	struct level l = { .m = *p->f.m, .f = p->f };
	struct onsram_price price;
	int ret = -1;

	l.m.spm_size = spm_size;
	/* Transfers pass the SPM's port twice: DRAM that is faster changes nothing for them */
	if (l.m.dram_bw > l.m.spm_bw / 2)
		l.m.dram_bw = l.m.spm_bw / 2;
	l.f.m = &l.m;
	if (onsram_pricer_init(&l.pricer, &l.f) || onsram_pricer_run(&l.pricer, NULL, 0, false, &l.price))
		goto out;
	for (int whole = opt->whole; whole < 2; whole++)
		for (int synchronous = opt->synchronous; synchronous < 2; synchronous++)
			if (attempt(p, &l, whole, synchronous))
				goto out;
	if (attempt_recent(&l))
		goto out;
	if (!opt->activations_only && onsram_keep(&l.pricer, &l.iv, &l.n, opt))
		goto out;
	if (!opt->apart && attempt_published(p, &l))
		goto out;
	if (onsram_pricer_run(&p->pricer, l.iv, l.n, false, &price))
		goto out;
	if (onsram_price_better(&price, &p->price)) {
		free(p->iv);
		p->iv = l.iv;
		l.iv = NULL;
		p->n = l.n;
		p->price = price;
	}
	ret = 0;
out:
	onsram_pricer_fini(&l.pricer);
	free(l.iv);
	return ret;
}

/* Every size by itself, so that its plan is there for all larger ones */
static int plan_levels(struct planning *p)
{
	for (uint64_t s = p->f.m->spm_size, smaller; s > ONSRAM_STAGING_MIN; s = smaller) {
		if (plan_level(p, s))
			return -1;
		/* The powers of two below */
		for (smaller = ONSRAM_STAGING_MIN; 2 * smaller < s;)
			smaller *= 2;
	}
	return 0;
}

static struct onsram_plan *plan_alloc(const struct onsram_plan_graph *g)
{
	struct onsram_plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->reason = calloc((size_t)g->nr_tensors + 1, sizeof(*p->reason));
	if (!p->reason) {
		free(p);
		return NULL;
	}
	return p;
}

void onsram_plan_free(struct onsram_plan *p)
{
	if (!p)
		return;
	free(p->intervals);
	free(p->reason);
	free(p);
}

/* The plan of what has been found; @p keeps nothing of it */
static struct onsram_plan *harvest(struct planning *p, uint64_t baseline_ps)
{
	struct onsram_plan *plan = plan_alloc(p->f.g);
	struct onsram_price again;

	if (!plan)
		return NULL;
	plan->intervals = p->iv;
	plan->nr_intervals = p->n;
	p->iv = NULL;
	plan->time_ps = p->price.time_ps;
	plan->baseline_ps = baseline_ps;
	plan->bound_ps = onsram_flow_bound(&p->f);
	memcpy(plan->reason, p->reason, p->f.g->nr_tensors * sizeof(*plan->reason));
	for (uint32_t k = 0; k < plan->nr_intervals; k++)
		plan->reason[plan->intervals[k].tensor] = ONSRAM_REASON_HELD;
	if (onsram_pricer_run(&p->pricer, plan->intervals, plan->nr_intervals, true, &again)) {
		onsram_plan_free(plan);
		return NULL;
	}
	plan->time_ps_again = again.time_ps;
	for (uint32_t i = 0; i < p->f.g->nr_ops; i++)
		plan->peak_bytes = p->pricer.held[i] > plan->peak_bytes ? p->pricer.held[i] : plan->peak_bytes;
	return plan;
}

static struct onsram_plan *make(const struct onsram_model *m, const struct onsram_plan_graph *g,
				const struct onsram_plan_options *opt, bool nothing)
{
	struct planning p = { .opt = opt ? *opt : (struct onsram_plan_options){ 0 } };
	struct onsram_plan *plan = NULL;
	uint64_t baseline_ps;

	if (!p.opt.effort)
		p.opt.effort = 1;
	p.reason = calloc((size_t)g->nr_tensors + 1, sizeof(*p.reason));
	if (!p.reason || onsram_flow_init(&p.f, m, g) || onsram_pricer_init(&p.pricer, &p.f) ||
	    onsram_pricer_run(&p.pricer, NULL, 0, false, &p.price))
		goto out;
	baseline_ps = p.price.time_ps;
	onsram_explain_none(&p.f, p.reason);
	if (!nothing && plan_levels(&p))
		goto out;
	plan = harvest(&p, baseline_ps);
out:
	onsram_pricer_fini(&p.pricer);
	onsram_flow_fini(&p.f);
	free(p.iv);
	free(p.reason);
	return plan;
}

struct onsram_plan *onsram_plan_static(const struct onsram_model *m, const struct onsram_plan_graph *g,
				       const struct onsram_plan_options *opt)
{
	return make(m, g, opt, false);
}

struct onsram_plan *onsram_plan_none(const struct onsram_model *m, const struct onsram_plan_graph *g,
				     const struct onsram_plan_options *opt)
{
	return make(m, g, opt, true);
}
