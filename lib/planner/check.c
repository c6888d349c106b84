// SPDX-License-Identifier: MIT
/* Whether a set of intervals is a plan that can be carried out. */
#include "flow.h"

/* Operations during which an interval's place is taken: [from, to) */
struct span {
	uint32_t from;
	uint32_t to;
};

static struct span taken(const struct onsram_interval *iv)
{
	return (struct span){ iv->flags & ONSRAM_INTERVAL_KEEP ? 0 : iv->reserve_op, iv->release_op };
}

static bool meet(struct span a, struct span b)
{
	return a.from < b.to && b.from < a.to;
}

static const char *check_numbers(const struct onsram_model *m, const struct onsram_plan_graph *g,
				 const struct onsram_interval *iv)
{
	if (iv->tensor >= g->nr_tensors)
		return "the graph has no such tensor";
	if (iv->flags & ~(ONSRAM_INTERVAL_FETCH | ONSRAM_INTERVAL_KEEP | ONSRAM_INTERVAL_OVERWRITE))
		return "unknown flags";
	if (iv->first_op > iv->last_op || iv->last_op >= g->nr_ops)
		return "the graph has no such operations";
	if (iv->reserve_op > iv->first_op)
		return "reserved behind its first operation";
	if (iv->release_op <= iv->last_op || iv->release_op > g->nr_ops)
		return "released before its last operation has completed, or never";
	if (!iv->bytes || iv->bytes % ONSRAM_SPM_GRANULE || iv->begin % ONSRAM_SPM_GRANULE ||
	    iv->offset % ONSRAM_SPM_GRANULE)
		return "part or place are not in granules";
	if (iv->begin >= g->tensors[iv->tensor].bytes ||
	    iv->bytes > onsram_granules(g->tensors[iv->tensor].bytes - iv->begin))
		return "the tensor has no such part";
	if ((uint64_t)iv->offset + iv->bytes > m->spm_size)
		return "beyond the SPM";
	if ((iv->flags & ONSRAM_INTERVAL_KEEP) && iv->last_op != g->nr_ops - 1)
		return "kept, but does not reach the last operation";
	return NULL;
}

/* What uses the tensor while a transfer of it may be under way */
static const char *check_contents(const struct onsram_flow *f, const struct onsram_interval *iv)
{
	bool fetches = onsram_flow_fetches(f, iv->tensor, iv->first_op);
	bool dirty = onsram_flow_dirties(f, iv->tensor, iv->first_op, iv->last_op);
	const struct onsram_use *use;
	uint32_t n = onsram_flow_uses(f, iv->tensor, &use);

	if (fetches && !(iv->flags & ONSRAM_INTERVAL_FETCH))
		return "begins without a fetch where the tensor's contents are wanted";
	for (uint32_t i = 0; i < n; i++) {
		if (fetches && use[i].op >= iv->reserve_op && use[i].op < iv->first_op)
			return "the tensor is used while it may be fetched";
		if (dirty && use[i].op > iv->last_op && use[i].op < iv->release_op)
			return "the tensor is used while it may be written back";
	}
	return NULL;
}

/* Two intervals of a tensor: @a before @b */
static const char *check_tensor(const struct onsram_flow *f, const struct onsram_interval *a,
				const struct onsram_interval *b)
{
	bool together = b->first_op <= a->last_op;
	bool parts = a->begin + a->bytes <= b->begin || b->begin + b->bytes <= a->begin;

	if (together && !parts)
		return "two intervals hold the same part at the same time";
	if (!together && !parts && a->last_op + 1 > b->reserve_op &&
	    onsram_flow_fetches(f, b->tensor, b->first_op) &&
	    onsram_flow_dirties(f, a->tensor, a->first_op, a->last_op))
		return "the part may be fetched before it is written back";
	return NULL;
}

/* The parts that serve an operation have to follow each other, in the tensor and in the SPM */
static const char *check_windows(const struct onsram_flow *f, const struct onsram_interval *iv,
				 uint32_t k)
{
	const struct onsram_use *use;
	uint32_t uses = onsram_flow_uses(f, iv[k].tensor, &use);

	for (uint32_t u = 0; u < uses; u++) {
		uint64_t low = UINT64_MAX, high = 0, sum = 0;

		if (use[u].op < iv[k].first_op || use[u].op > iv[k].last_op)
			continue;
		for (uint32_t j = 0; j <= k; j++) {
			const struct onsram_interval *o = &iv[j];

			if (o->tensor != iv[k].tensor || use[u].op < o->first_op ||
			    use[u].op > o->last_op)
				continue;
			if (o->offset - o->begin != iv[k].offset - iv[k].begin)
				return "the parts that an operation uses do not follow each other in the SPM";
			low = o->begin < low ? o->begin : low;
			high = o->begin + o->bytes > high ? o->begin + o->bytes : high;
			sum += o->bytes;
		}
		if (high - low != sum)
			return "the parts that an operation uses do not follow each other in the tensor";
	}
	return NULL;
}

static bool overwrites(const struct onsram_flow *f, const struct onsram_interval *a,
		       const struct onsram_interval *b)
{
	return b->flags & ONSRAM_INTERVAL_OVERWRITE && onsram_flow_overwrites(f, a, b);
}

static const char *check_pairs(const struct onsram_flow *f, const struct onsram_interval *iv,
			       uint32_t k)
{
	const char *why = NULL;

	for (uint32_t j = 0; j < k && !why; j++) {
		if (meet(taken(&iv[j]), taken(&iv[k])) && onsram_shared(&iv[j], &iv[k]) &&
		    !overwrites(f, &iv[j], &iv[k]) && !overwrites(f, &iv[k], &iv[j]))
			why = "two intervals have the same place at the same time";
		else if (iv[j].tensor == iv[k].tensor)
			why = iv[j].first_op <= iv[k].first_op ? check_tensor(f, &iv[j], &iv[k]) :
								 check_tensor(f, &iv[k], &iv[j]);
	}
	return why;
}

static const char *check_room(const struct onsram_flow *f, const struct onsram_interval *iv, uint32_t n,
			      uint32_t k)
{
	uint64_t held = 0;

	/* The most is held where an interval begins */
	for (uint32_t j = 0; j < n; j++) {
		struct span s = taken(&iv[j]);

		if (s.from <= taken(&iv[k]).from && taken(&iv[k]).from < s.to)
			held += iv[j].bytes - (overwrites(f, &iv[j], &iv[k]) ? onsram_shared(&iv[j], &iv[k]) : 0);
	}
	return held + ONSRAM_STAGING_MIN > f->m->spm_size ?
	       "more held at once than the SPM less the staging window" : NULL;
}

const char *onsram_plan_check(const struct onsram_model *m, const struct onsram_plan_graph *g,
			      const struct onsram_interval *iv, uint32_t n, uint32_t *wrong)
{
	const char *why = NULL;
	struct onsram_flow f;
	uint32_t k;

	for (k = 0; k < n && !why; k++)
		why = check_numbers(m, g, &iv[k]);
	if (!why) {
		if (onsram_flow_init(&f, m, g))
			why = "out of memory";
		for (k = 0; k < n && !why; k++) {
			why = check_contents(&f, &iv[k]);
			if (!why)
				why = check_pairs(&f, iv, k);
			if (!why)
				why = check_windows(&f, iv, k);
			if (!why)
				why = check_room(&f, iv, n, k);
		}
		onsram_flow_fini(&f);
	}
	if (wrong)
		*wrong = why && k ? k - 1 : 0;
	return why;
}
