// SPDX-License-Identifier: MIT
/*
 * Constants that stay for the next run.  A kept part has its place at all times,
 * so only what no other interval ever has is there for it.  Later runs spare its
 * fetch; the first one must not be slower for it.
 */
#include <stdlib.h>
#include <string.h>

#include "keep.h"

/* Constants that are tried */
#define TRIES	64

struct tried {
	uint32_t tensor;
	uint64_t bytes;
};

/* A plan, and one that may replace it; what both take */
struct keeping {
	struct onsram_pricer *p;
	struct onsram_interval *have;
	struct onsram_interval *next;
	uint32_t nr_have;
	uint32_t nr_next;
	struct onsram_price first;
	struct onsram_price again;
	int64_t *held;
};

static int by_bytes(const void *a, const void *b)
{
	const struct tried *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

static int by_offset(const void *a, const void *b)
{
	const struct onsram_interval *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static uint32_t list(const struct onsram_flow *f, struct tried *tried)
{
	uint32_t n = 0;

	for (uint32_t t = 0; t < f->g->nr_tensors; t++)
		if ((f->g->tensors[t].flags & DRM_ONSRAM_TENSOR_CONST) && f->first[t + 1] > f->first[t])
			tried[n++] = (struct tried){ t, f->g->tensors[t].bytes };
	qsort(tried, n, sizeof(*tried), by_bytes);
	return n < TRIES ? n : TRIES;
}

/* The longest range that none of the next plan's intervals ever has */
static uint64_t free_range(struct keeping *k, uint64_t *offset)
{
	uint64_t at = 0, most = 0;

	qsort(k->next, k->nr_next, sizeof(*k->next), by_offset);
	for (uint32_t i = 0; i <= k->nr_next; i++) {
		uint64_t end = i < k->nr_next ? k->next[i].offset : k->p->f->m->spm_size;

		if (end > at && end - at > most) {
			most = end - at;
			*offset = at;
		}
		if (i < k->nr_next && (uint64_t)k->next[i].offset + k->next[i].bytes > at)
			at = (uint64_t)k->next[i].offset + k->next[i].bytes;
	}
	return most;
}

/* Bytes that may be taken beside the next plan's intervals at any time */
static uint64_t free_bytes(struct keeping *k)
{
	int64_t free = (int64_t)onsram_staging(k->p->f->m, ONSRAM_STAGING_MIN), sum = 0, most = 0;
	uint32_t nr_ops = k->p->f->g->nr_ops;

	memset(k->held, 0, ((size_t)nr_ops + 1) * sizeof(*k->held));
	for (uint32_t i = 0; i < k->nr_next; i++) {
		bool kept = k->next[i].flags & ONSRAM_INTERVAL_KEEP;

		k->held[kept ? 0 : k->next[i].reserve_op] += k->next[i].bytes;
		k->held[k->next[i].release_op] -= k->next[i].bytes;
	}
	for (uint32_t i = 0; i < nr_ops; i++) {
		sum += k->held[i];
		most = sum > most ? sum : most;
	}
	return most < free ? (uint64_t)(free - most) : 0;
}

/*
 * Keep a constant, instead of what intervals it has; its fetch may start at the
 * operation at which it did, or at first.  Returns -1 without memory.
 */
static int keep(struct keeping *k, uint32_t tensor, bool at_first, const struct onsram_plan_options *opt)
{
	const struct onsram_flow *f = k->p->f;
	uint64_t size = onsram_granules(f->g->tensors[tensor].bytes), offset = 0, bytes, free;
	uint32_t reserve = opt->synchronous ? 0 : f->use[f->first[tensor]].op;
	struct onsram_price first, again;
	struct onsram_interval *other;

	k->nr_next = 0;
	for (uint32_t i = 0; i < k->nr_have; i++) {
		if (k->have[i].tensor != tensor)
			k->next[k->nr_next++] = k->have[i];
		else if (k->have[i].reserve_op < reserve)
			reserve = k->have[i].reserve_op;
		if (k->have[i].tensor == tensor && (k->have[i].flags & ONSRAM_INTERVAL_KEEP))
			return 0;
	}
	bytes = free_range(k, &offset);
	free = free_bytes(k);
	bytes = bytes < free ? bytes : free;
	bytes = bytes < size ? bytes / ONSRAM_SPM_GRANULE * ONSRAM_SPM_GRANULE : size;
	if (!bytes || (opt->whole && bytes < size))
		return 0;
	k->next[k->nr_next++] = (struct onsram_interval){
		.tensor = tensor, .flags = ONSRAM_INTERVAL_FETCH | ONSRAM_INTERVAL_KEEP,
		.bytes = (uint32_t)bytes, .offset = (uint32_t)offset,
		.reserve_op = at_first ? 0 : reserve,
		.first_op = opt->synchronous ? 0 : f->use[f->first[tensor]].op,
		.last_op = f->g->nr_ops - 1, .release_op = f->g->nr_ops,
	};
	qsort(k->next, k->nr_next, sizeof(*k->next), onsram_by_reserve);
	if (onsram_pricer_run(k->p, k->next, k->nr_next, false, &first) ||
	    onsram_pricer_run(k->p, k->next, k->nr_next, true, &again))
		return -1;
	if (first.time_ps > k->first.time_ps || !onsram_price_better(&again, &k->again))
		return 0;
	other = k->have;
	k->have = k->next;
	k->next = other;
	k->nr_have = k->nr_next;
	k->first = first;
	k->again = again;
	return 0;
}

int onsram_keep(struct onsram_pricer *p, struct onsram_interval **iv, uint32_t *n,
		const struct onsram_plan_options *opt)
{
	struct keeping k = { .p = p, .nr_have = *n };
	struct tried *tried = calloc((size_t)p->f->g->nr_tensors + 1, sizeof(*tried));
	uint32_t tries;
	int ret = -1;

	k.have = calloc((size_t)*n + TRIES, sizeof(*k.have));
	k.next = calloc((size_t)*n + TRIES, sizeof(*k.next));
	k.held = calloc((size_t)p->f->g->nr_ops + 1, sizeof(*k.held));
	if (!tried || !k.have || !k.next || !k.held)
		goto out;
	if (*n)
		memcpy(k.have, *iv, *n * sizeof(*k.have));
	if (onsram_pricer_run(p, k.have, k.nr_have, false, &k.first) ||
	    onsram_pricer_run(p, k.have, k.nr_have, true, &k.again))
		goto out;
	tries = list(p->f, tried);
	for (uint32_t i = 0; i < tries; i++)
		if (keep(&k, tried[i].tensor, false, opt) || keep(&k, tried[i].tensor, true, opt))
			goto out;
	free(*iv);
	*iv = k.have;
	*n = k.nr_have;
	k.have = NULL;
	ret = 0;
out:
	free(tried);
	free(k.have);
	free(k.next);
	free(k.held);
	return ret;
}
