// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans: checked against the graph they are for, then indexed by operation.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_mm.h>

#include "onsram_plan.h"
#include "onsram_validate.h"

/* Is a tensor an input in a slot before @end? */
static bool onsram_op_reads(const struct drm_onsram_op *op, u32 tensor, u32 end)
{
	u32 s;

	for (s = 1; s < end; s++)
		if (op->operand[s].view.dtype != ONSRAM_DTYPE_NONE && op->operand[s].bo == tensor)
			return true;
	return false;
}

/* First and last operation that name a tensor, nr_ops and 0 where none does */
struct onsram_plan_use {
	u32 first;
	u32 last;
};

static struct onsram_plan_use *onsram_plan_uses(const struct onsram_plan_graph *graph)
{
	struct onsram_plan_use *use;
	u32 t, i, s;

	use = kvcalloc(graph->nr_tensors, sizeof(*use), GFP_KERNEL);
	if (!use)
		return NULL;
	for (t = 0; t < graph->nr_tensors; t++)
		use[t].first = graph->nr_ops;
	for (i = 0; i < graph->nr_ops; i++) {
		for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			const struct drm_onsram_operand *o = &graph->ops[i].operand[s];

			if (o->view.dtype == ONSRAM_DTYPE_NONE)
				continue;
			use[o->bo].first = min(use[o->bo].first, i);
			use[o->bo].last = i;
		}
	}
	return use;
}

static const char *onsram_plan_check_interval(const struct onsram_plan_interval *iv,
					      const struct onsram_plan_graph *graph,
					      const struct onsram_plan_use *use, u64 spm_size)
{
	const struct onsram_plan_tensor *tensor;
	const struct drm_onsram_op *op;
	bool born, made;

	if (iv->tensor >= graph->nr_tensors)
		return "interval names a tensor the graph does not have";
	if (iv->last_op >= graph->nr_ops)
		return "interval names an operation the graph does not have";
	if (iv->first_op > iv->last_op)
		return "interval ends before it begins";
	if (iv->reserve_op > iv->first_op)
		return "interval is reserved behind its first operation";
	if (iv->release_op <= iv->last_op || iv->release_op > graph->nr_ops)
		return "interval is released before its last operation has ended, or never";
	if (iv->flags & ~(ONSRAM_INTERVAL_FETCH | ONSRAM_INTERVAL_KEEP |
			  ONSRAM_INTERVAL_OVERWRITE))
		return "unknown interval flag";
	if (iv->offset % ONSRAM_SPM_GRANULE)
		return "offset is not a multiple of the granule";
	if (iv->begin % ONSRAM_SPM_GRANULE || iv->bytes % ONSRAM_SPM_GRANULE || !iv->bytes)
		return "part of a tensor is not in granules";

	tensor = &graph->tensors[iv->tensor];
	if (iv->begin >= tensor->bytes ||
	    iv->bytes > round_up(tensor->bytes - iv->begin, (u64)ONSRAM_SPM_GRANULE))
		return "interval names a part the tensor does not have";
	if ((u64)iv->offset + iv->bytes > spm_size)
		return "interval ends behind the SPM";
	if (iv->flags & ONSRAM_INTERVAL_KEEP && iv->last_op != graph->nr_ops - 1)
		return "only an interval up to the last operation can be kept";
	if (!(iv->flags & ONSRAM_INTERVAL_FETCH) && iv->reserve_op != iv->first_op)
		return "interval without FETCH is reserved ahead";
	op = &graph->ops[iv->first_op];
	born = tensor->flags & DRM_ONSRAM_TENSOR_TRANSIENT && use[iv->tensor].first == iv->first_op;
	made = born && op->operand[0].bo == iv->tensor &&
	       !onsram_op_reads(op, iv->tensor, ONSRAM_MAX_OPERANDS);
	if (iv->flags & ONSRAM_INTERVAL_OVERWRITE &&
	    (iv->flags & (ONSRAM_INTERVAL_FETCH | ONSRAM_INTERVAL_KEEP) || !made))
		return "only a TRANSIENT tensor that its first use makes can overwrite others";
	if (iv->flags & ONSRAM_INTERVAL_FETCH || born)
		return NULL;
	if (op->operand[0].bo == iv->tensor && onsram_op_writes_all(op, tensor->bytes) &&
	    !onsram_op_reads(op, iv->tensor, ONSRAM_MAX_OPERANDS))
		return NULL;
	return "interval begins without FETCH where the tensor's contents are wanted";
}

static u32 onsram_plan_when(const struct onsram_plan_interval *iv, enum onsram_plan_event event)
{
	switch (event) {
	case ONSRAM_PLAN_RESERVE:
		return iv->reserve_op;
	case ONSRAM_PLAN_FIRST:
		return iv->first_op;
	case ONSRAM_PLAN_LAST:
		return iv->last_op;
	default:
		return iv->release_op;
	}
}

/* What an interval takes over has been placed before */
static bool onsram_plan_is_over(const struct onsram_plan_interval *iv,
				enum onsram_plan_event event)
{
	return event == ONSRAM_PLAN_RESERVE && iv->flags & ONSRAM_INTERVAL_OVERWRITE;
}

/*
 * Counting sort, which keeps the order of what happens at the same operation, but that
 * what overwrites is placed last
 */
static void onsram_plan_index(struct onsram_plan *plan, enum onsram_plan_event event)
{
	u32 *at = plan->event[event].at, i, k, over;

	for (k = 0; k < plan->nr_intervals; k++)
		at[onsram_plan_when(&plan->interval[k], event) + 1]++;
	for (i = 0; i <= plan->nr_ops; i++)
		at[i + 1] += at[i];
	/* at[i] moves on as its intervals are put down, and is moved back behind */
	for (over = 0; over < 2; over++)
		for (k = 0; k < plan->nr_intervals; k++)
			if (onsram_plan_is_over(&plan->interval[k], event) == over)
				plan->event[event].which[at[onsram_plan_when(&plan->interval[k],
									     event)]++] = k;
	memmove(at + 1, at, (plan->nr_ops + 1) * sizeof(*at));
	at[0] = 0;
}

/**
 * struct onsram_plan_play - a plan being played
 * @plan: plan
 * @graph: what it is for
 * @uses: of its tensors
 * @mm: places that are taken
 * @nodes: of each interval
 * @held: per tensor: an interval that has a place, or U32_MAX
 * @next: per interval: another one of the same tensor, or U32_MAX
 * @used: bytes taken
 * @shared: bytes of them that are counted twice: those that the operation overwrites
 */
struct onsram_plan_play {
	struct onsram_plan *plan;
	const struct onsram_plan_graph *graph;
	const struct onsram_plan_use *uses;
	struct drm_mm mm;
	struct drm_mm_node *nodes;
	u32 *held;
	u32 *next;
	u64 used;
	u64 shared;
};

/* What @over meets of a tensor that its operation is the last to use gives way to it */
static void onsram_plan_give_way(struct onsram_plan_play *play, u32 tensor,
				 const struct onsram_plan_interval *over)
{
	u32 op = over->first_op, k;
	u64 from, to;

	if (!(play->graph->tensors[tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT) ||
	    play->uses[tensor].last != op)
		return;
	for (k = play->held[tensor]; k != U32_MAX; k = play->next[k]) {
		const struct onsram_plan_interval *iv = &play->plan->interval[k];

		from = max(iv->offset, over->offset);
		to = min((u64)iv->offset + iv->bytes, (u64)over->offset + over->bytes);
		if (iv->last_op != op || iv->flags & ONSRAM_INTERVAL_KEEP || from >= to)
			continue;
		play->shared += to - from;
		if (drm_mm_node_allocated(&play->nodes[k]))
			drm_mm_remove_node(&play->nodes[k]);
	}
}

static void onsram_plan_overwrite(struct onsram_plan_play *play,
				  const struct onsram_plan_interval *iv)
{
	const struct drm_onsram_op *op = &play->graph->ops[iv->first_op];
	u32 s;

	for (s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->operand[s].view.dtype != ONSRAM_DTYPE_NONE &&
		    !onsram_op_reads(op, op->operand[s].bo, s))
			onsram_plan_give_way(play, op->operand[s].bo, iv);
}

static const char *onsram_plan_begin(struct onsram_plan_play *play, u32 k)
{
	const struct onsram_plan_interval *iv = &play->plan->interval[k];

	if (iv->flags & ONSRAM_INTERVAL_OVERWRITE)
		onsram_plan_overwrite(play, iv);
	play->nodes[k].start = iv->offset;
	play->nodes[k].size = iv->bytes;
	if (drm_mm_reserve_node(&play->mm, &play->nodes[k]))
		return "two intervals overlap in time and place";
	play->used += iv->bytes;
	play->next[k] = play->held[iv->tensor];
	play->held[iv->tensor] = k;
	return NULL;
}

static void onsram_plan_end(struct onsram_plan_play *play, u32 k)
{
	const struct onsram_plan_interval *iv = &play->plan->interval[k];
	u32 *link = &play->held[iv->tensor];

	while (*link != k)
		link = &play->next[*link];
	*link = play->next[k];
	if (drm_mm_node_allocated(&play->nodes[k]))
		drm_mm_remove_node(&play->nodes[k]);
	play->used -= iv->bytes;
}

/* What has a place of a tensor: one extent, whose bytes are one range of the SPM */
static const char *onsram_plan_extent(const struct onsram_plan_play *play, u32 tensor,
				      struct onsram_plan_extent *ext)
{
	const struct onsram_plan_interval *iv, *first;
	u64 low = U64_MAX, high = 0, sum = 0;
	u32 k = play->held[tensor];

	*ext = (struct onsram_plan_extent) {};
	if (k == U32_MAX)
		return NULL;
	first = &play->plan->interval[k];
	for (; k != U32_MAX; k = play->next[k]) {
		iv = &play->plan->interval[k];
		if (iv->offset - iv->begin != first->offset - first->begin)
			return "parts of a tensor held at once do not follow each other in the SPM";
		low = min(low, iv->begin);
		high = max(high, iv->begin + iv->bytes);
		sum += iv->bytes;
	}
	if (high - low != sum)
		return "parts of a tensor held at once do not follow each other in the tensor";
	ext->begin = low;
	ext->bytes = sum;
	ext->offset = first->offset - (u32)(first->begin - low);
	return NULL;
}

/* What of a tensor stays behind operation @i: the least extent that has it all */
static void onsram_plan_stays(const struct onsram_plan_play *play, u32 tensor, u32 i,
			      struct onsram_plan_extent *ext)
{
	u64 low = U64_MAX, high = 0;
	u32 k;

	*ext = (struct onsram_plan_extent) {};
	for (k = play->held[tensor]; k != U32_MAX; k = play->next[k]) {
		const struct onsram_plan_interval *iv = &play->plan->interval[k];

		if (iv->last_op <= i && !(iv->flags & ONSRAM_INTERVAL_KEEP))
			continue;
		low = min(low, iv->begin);
		high = max(high, iv->begin + iv->bytes);
		ext->offset = iv->offset - (u32)(iv->begin - low);
	}
	if (high) {
		ext->begin = low;
		ext->bytes = high - low;
	}
}

/* Places are given back, then taken. Return: NULL, or what is wrong */
static const char *onsram_plan_move(struct onsram_plan_play *play, u32 i)
{
	const struct onsram_plan_index *release = &play->plan->event[ONSRAM_PLAN_RELEASE];
	const struct onsram_plan_index *reserve = &play->plan->event[ONSRAM_PLAN_RESERVE];
	const struct onsram_plan_interval *iv = play->plan->interval;
	const char *why = NULL;
	u32 k;

	for (k = release->at[i]; k < release->at[i + 1]; k++)
		if (!(iv[release->which[k]].flags & ONSRAM_INTERVAL_KEEP))
			onsram_plan_end(play, release->which[k]);
	for (k = release->at[i]; k < release->at[i + 1] && !why; k++)
		why = onsram_plan_extent(play, iv[release->which[k]].tensor, &release->extent[k]);
	for (k = reserve->at[i]; k < reserve->at[i + 1] && !why; k++)
		why = onsram_plan_begin(play, reserve->which[k]);
	for (k = reserve->at[i]; k < reserve->at[i + 1] && !why; k++)
		why = onsram_plan_extent(play, iv[reserve->which[k]].tensor, &reserve->extent[k]);
	return why;
}

/* Plays the plan: no two intervals share time and place, a tensor has one extent at a time */
static int onsram_plan_play(struct onsram_plan_play *play, u64 spm_size, const char **why)
{
	const struct onsram_plan_index *last = &play->plan->event[ONSRAM_PLAN_LAST];
	u32 i, k;

	for (i = 0; i <= play->plan->nr_ops; i++) {
		play->shared = 0;
		*why = onsram_plan_move(play, i);
		if (*why)
			return -EINVAL;
		if (play->used - play->shared + ONSRAM_STAGING_MIN > spm_size) {
			*why = "more held at once than the SPM less the staging window";
			return -ENOSPC;
		}
		for (k = last->at[i]; k < last->at[i + 1]; k++)
			onsram_plan_stays(play, play->plan->interval[last->which[k]].tensor, i,
					  &last->extent[k]);
	}
	return 0;
}

static int onsram_plan_check_placement(struct onsram_plan *plan,
				       const struct onsram_plan_graph *graph,
				       const struct onsram_plan_use *uses, u64 spm_size,
				       const char **why)
{
	struct onsram_plan_play play = { .plan = plan, .graph = graph, .uses = uses };
	struct drm_mm_node *node, *next;
	int ret = -ENOMEM;

	play.nodes = kvcalloc(plan->nr_intervals, sizeof(*play.nodes), GFP_KERNEL);
	play.next = kvmalloc_array(plan->nr_intervals, sizeof(*play.next), GFP_KERNEL);
	play.held = kvmalloc_array(graph->nr_tensors, sizeof(*play.held), GFP_KERNEL);
	if (play.nodes && play.next && play.held) {
		memset(play.held, 0xff, graph->nr_tensors * sizeof(*play.held));
		drm_mm_init(&play.mm, 0, spm_size);
		ret = onsram_plan_play(&play, spm_size, why);
		drm_mm_for_each_node_safe(node, next, &play.mm)
			drm_mm_remove_node(node);
		drm_mm_takedown(&play.mm);
	}
	kvfree(play.nodes);
	kvfree(play.next);
	kvfree(play.held);
	return ret;
}

static void onsram_plan_free(struct onsram_plan *plan)
{
	u32 e;

	for (e = 0; e < ONSRAM_PLAN_EVENTS; e++) {
		kvfree(plan->event[e].at);
		kvfree(plan->event[e].which);
		kvfree(plan->event[e].extent);
	}
	kvfree(plan->interval);
	kfree(plan);
}

static bool onsram_plan_alloc_event(struct onsram_plan_index *event, u32 nr_ops, u32 n)
{
	event->at = kvcalloc(nr_ops + 2, sizeof(*event->at), GFP_KERNEL);
	if (n) {
		event->which = kvcalloc(n, sizeof(*event->which), GFP_KERNEL);
		event->extent = kvcalloc(n, sizeof(*event->extent), GFP_KERNEL);
	}
	return event->at && (!n || (event->which && event->extent));
}

static struct onsram_plan *onsram_plan_alloc(u32 nr_ops, const struct onsram_plan_interval *iv,
					     u32 n)
{
	struct onsram_plan *plan = kzalloc(sizeof(*plan), GFP_KERNEL);
	bool good = true;
	u32 e, k;

	if (!plan)
		return NULL;
	kref_init(&plan->ref);
	plan->nr_ops = nr_ops;
	plan->nr_intervals = n;
	for (e = 0; e < ONSRAM_PLAN_EVENTS && good; e++)
		good = onsram_plan_alloc_event(&plan->event[e], nr_ops, n);
	if (n && good) {
		plan->interval = kvcalloc(n, sizeof(*plan->interval), GFP_KERNEL);
		good = plan->interval;
	}
	if (!good) {
		onsram_plan_free(plan);
		return NULL;
	}
	if (n)
		memcpy(plan->interval, iv, n * sizeof(*iv));
	for (e = 0; e < ONSRAM_PLAN_EVENTS; e++)
		onsram_plan_index(plan, e);
	plan->low = n ? iv->offset : 0;
	for (k = 0; k < n; k++) {
		plan->low = min_t(u64, plan->low, iv[k].offset);
		plan->high = max(plan->high, (u64)iv[k].offset + iv[k].bytes);
	}
	return plan;
}

static struct onsram_plan *onsram_plan_make(const struct onsram_plan_interval *iv, u32 n,
					    const struct onsram_plan_graph *graph,
					    const struct onsram_plan_use *uses, u64 spm_size,
					    const char **why)
{
	struct onsram_plan *plan;
	int ret = 0;
	u32 k;

	for (k = 0; k < n && !*why; k++)
		*why = onsram_plan_check_interval(&iv[k], graph, uses, spm_size);
	if (*why)
		return ERR_PTR(-EINVAL);

	plan = onsram_plan_alloc(graph->nr_ops, iv, n);
	if (!plan)
		return ERR_PTR(-ENOMEM);
	if (n)
		ret = onsram_plan_check_placement(plan, graph, uses, spm_size, why);
	if (ret) {
		onsram_plan_free(plan);
		return ERR_PTR(ret);
	}
	return plan;
}

struct onsram_plan *onsram_plan_build(const struct onsram_plan_interval *iv, u32 n,
				      const struct onsram_plan_graph *graph, u64 spm_size,
				      const char **why)
{
	struct onsram_plan_use *uses;
	struct onsram_plan *plan;

	*why = NULL;
	if (n > ONSRAM_PLAN_MAX_INTERVALS) {
		*why = "more than ONSRAM_PLAN_MAX_INTERVALS intervals";
		return ERR_PTR(-EINVAL);
	}
	uses = onsram_plan_uses(graph);
	if (!uses)
		return ERR_PTR(-ENOMEM);
	plan = onsram_plan_make(iv, n, graph, uses, spm_size, why);
	kvfree(uses);
	return plan;
}

struct onsram_plan *onsram_plan_get(struct onsram_plan *plan)
{
	if (plan)
		kref_get(&plan->ref);
	return plan;
}

static void onsram_plan_release(struct kref *ref)
{
	onsram_plan_free(container_of(ref, struct onsram_plan, ref));
}

void onsram_plan_put(struct onsram_plan *plan)
{
	if (plan)
		kref_put(&plan->ref, onsram_plan_release);
}
