// SPDX-License-Identifier: GPL-2.0-only
/*
 * Graphs: networks registered once and run many times.
 */

#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_drv.h>

#include "onsram_account.h"
#include "onsram_ioctl.h"
#include "onsram_job.h"
#include "onsram_netlink.h"
#include "onsram_plan.h"
#include "onsram_sync.h"

void onsram_graph_get(struct onsram_graph *graph)
{
	kref_get(&graph->ref);
}

static void onsram_graph_free(struct onsram_graph *graph)
{
	u32 i;

	for (i = 0; graph->bos && i < graph->nr_tensors; i++)
		if (graph->bos[i])
			drm_gem_object_put(&graph->bos[i]->base.base);
	onsram_plan_put(graph->plan);
	mutex_destroy(&graph->lock);
	kvfree(graph->bos);
	kvfree(graph->tensor_flags);
	kvfree(graph->uops);
	kvfree(graph->ops);
	onsram_uncharge(graph->ctx, graph->cost);
	onsram_context_put(graph->ctx);
	kfree(graph);
}

static void onsram_graph_release(struct kref *ref)
{
	onsram_graph_free(container_of(ref, struct onsram_graph, ref));
}

void onsram_graph_put(struct onsram_graph *graph)
{
	kref_put(&graph->ref, onsram_graph_release);
}

struct onsram_graph *onsram_graph_lookup(struct onsram_device *odev, u32 id)
{
	struct onsram_graph *graph;

	xa_lock(&odev->graphs);
	graph = xa_load(&odev->graphs, id);
	if (graph)
		onsram_graph_get(graph);
	xa_unlock(&odev->graphs);
	return graph;
}

struct onsram_graph *onsram_graph_next(struct onsram_device *odev, u32 id)
{
	struct onsram_graph *graph;
	unsigned long index = id;

	xa_lock(&odev->graphs);
	graph = xa_find(&odev->graphs, &index, U32_MAX, XA_PRESENT);
	if (graph)
		onsram_graph_get(graph);
	xa_unlock(&odev->graphs);
	return graph;
}

/* A reference to a graph of this file */
static struct onsram_graph *onsram_graph_own(struct drm_file *file, u32 id)
{
	struct onsram_context *ctx = file->driver_priv;
	struct onsram_graph *graph = onsram_graph_lookup(ctx->odev, id);

	if (graph && graph->ctx != ctx) {
		onsram_graph_put(graph);
		graph = NULL;
	}
	return graph;
}

void onsram_graph_set_plan(struct onsram_graph *graph, struct onsram_plan *plan)
{
	struct onsram_plan *old;

	mutex_lock(&graph->lock);
	old = graph->plan;
	WRITE_ONCE(graph->plan, plan);
	mutex_unlock(&graph->lock);
	onsram_plan_put(old);
	onsram_agent_wake(graph->odev);
}

/* Where TRANSIENT tensors begin and end */
static int onsram_graph_analyse(struct onsram_graph *graph)
{
	unsigned long *seen = bitmap_zalloc(graph->nr_tensors, GFP_KERNEL);
	u32 i, s;

	if (!seen)
		return -ENOMEM;
	for (i = 0; i < graph->nr_ops; i++) {
		struct onsram_op *op = &graph->ops[i];

		for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			u32 t = op->bo_index[s];

			if (op->bo[s] && graph->tensor_flags[t] & DRM_ONSRAM_TENSOR_TRANSIENT &&
			    !test_bit(t, seen))
				op->born |= BIT(s);
		}
		for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (op->bo[s])
				__set_bit(op->bo_index[s], seen);
	}

	bitmap_zero(seen, graph->nr_tensors);
	for (i = graph->nr_ops; i--;) {
		struct onsram_op *op = &graph->ops[i];

		for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			u32 t = op->bo_index[s];

			if (op->bo[s] && graph->tensor_flags[t] & DRM_ONSRAM_TENSOR_TRANSIENT &&
			    !test_bit(t, seen))
				op->dies |= BIT(s);
		}
		for (s = 0; s < ONSRAM_MAX_OPERANDS; s++)
			if (op->bo[s])
				__set_bit(op->bo_index[s], seen);
	}
	bitmap_free(seen);
	return 0;
}

static int onsram_cmp_ptr(const void *a, const void *b)
{
	const void *const *pa = a, *const *pb = b;

	return *pa < *pb ? -1 : *pa > *pb;
}

static int onsram_graph_tensors(struct onsram_graph *graph, struct drm_file *file,
				const struct drm_onsram_graph_create *args)
{
	struct drm_onsram_tensor *tensors;
	void **sorted = NULL;
	u32 i;
	int ret = -ENOMEM;

	tensors = onsram_copy_array(args->tensors, args->nr_tensors, args->tensor_stride,
				    sizeof(*tensors));
	if (IS_ERR(tensors))
		return PTR_ERR(tensors);
	graph->nr_tensors = args->nr_tensors;
	graph->bos = kvcalloc(args->nr_tensors, sizeof(*graph->bos), GFP_KERNEL_ACCOUNT);
	graph->tensor_flags = kvcalloc(args->nr_tensors, sizeof(u32), GFP_KERNEL_ACCOUNT);
	sorted = kvmalloc_array(args->nr_tensors, sizeof(*sorted), GFP_KERNEL);
	if (!graph->bos || !graph->tensor_flags || !sorted)
		goto out;

	for (i = 0; i < args->nr_tensors; i++) {
		u32 flags = tensors[i].flags;

		ret = -EINVAL;
		if (flags && flags != DRM_ONSRAM_TENSOR_CONST &&
		    flags != DRM_ONSRAM_TENSOR_TRANSIENT)
			goto out;
		ret = -ENOENT;
		graph->bos[i] = onsram_bo_lookup(file, tensors[i].handle);
		if (!graph->bos[i])
			goto out;
		graph->tensor_flags[i] = flags;
		sorted[i] = graph->bos[i];
	}

	/* A buffer that is two tensors would have two lives */
	sort(sorted, args->nr_tensors, sizeof(*sorted), onsram_cmp_ptr, NULL);
	ret = 0;
	for (i = 1; i < args->nr_tensors; i++)
		if (sorted[i] == sorted[i - 1])
			ret = -EINVAL;
out:
	kvfree(sorted);
	kvfree(tensors);
	return ret;
}

static int onsram_graph_ops(struct onsram_graph *graph,
			    const struct drm_onsram_graph_create *args)
{
	struct onsram_op *ops;
	u32 i;

	graph->uops = onsram_copy_array(args->ops, args->nr_ops, args->op_stride,
					sizeof(*graph->uops));
	if (IS_ERR(graph->uops)) {
		int ret = PTR_ERR(graph->uops);

		graph->uops = NULL;
		return ret;
	}
	ops = onsram_ops_build(graph->ctx, graph->uops, args->nr_ops, graph->bos,
			       graph->nr_tensors);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	graph->ops = ops;
	graph->nr_ops = args->nr_ops;

	for (i = 0; i < graph->nr_ops; i++)
		if (graph->tensor_flags[ops[i].bo_index[0]] & DRM_ONSRAM_TENSOR_CONST)
			return -EINVAL;
	return onsram_graph_analyse(graph);
}

static u64 onsram_graph_cost(const struct drm_onsram_graph_create *args)
{
	return sizeof(struct onsram_graph) +
	       (u64)args->nr_ops * (sizeof(struct onsram_op) + sizeof(struct drm_onsram_op)) +
	       (u64)args->nr_tensors * (sizeof(struct onsram_bo *) + sizeof(u32));
}

int onsram_ioctl_graph_create(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct onsram_device *odev = to_onsram_device(drm);
	struct onsram_context *ctx = file->driver_priv;
	struct drm_onsram_graph_create *args = data;
	struct onsram_graph *graph;
	u64 cost;
	int ret;

	if (args->flags || !args->nr_ops || args->nr_ops > DRM_ONSRAM_MAX_OPS ||
	    !args->nr_tensors || args->nr_tensors > DRM_ONSRAM_MAX_BOS)
		return -EINVAL;
	cost = onsram_graph_cost(args);
	ret = onsram_charge(ctx, cost);
	if (ret)
		return ret;
	graph = kzalloc(sizeof(*graph), GFP_KERNEL_ACCOUNT);
	if (!graph) {
		onsram_uncharge(ctx, cost);
		return -ENOMEM;
	}
	kref_init(&graph->ref);
	mutex_init(&graph->lock);
	graph->odev = odev;
	graph->ctx = onsram_context_get(ctx);
	graph->cost = cost;

	ret = onsram_graph_tensors(graph, file, args);
	if (!ret)
		ret = onsram_graph_ops(graph, args);
	if (ret)
		goto err_free;

	/* Published by the final store, when the id is in place */
	ret = xa_alloc_cyclic(&odev->graphs, &graph->id, NULL, XA_LIMIT(1, INT_MAX),
			      &odev->next_graph, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	args->id = graph->id;
	onsram_graph_get(graph);
	xa_store(&odev->graphs, graph->id, graph, GFP_KERNEL);
	onsram_nl_graph_created(graph);
	onsram_graph_put(graph);
	return 0;

err_free:
	onsram_graph_free(graph);
	return ret;
}

/* Drops the reference of the table; false where somebody else did */
static bool onsram_graph_remove(struct onsram_graph *graph)
{
	struct onsram_device *odev = graph->odev;

	if (xa_cmpxchg(&odev->graphs, graph->id, graph, NULL, GFP_KERNEL) != graph)
		return false;
	mutex_lock(&graph->lock);
	WRITE_ONCE(graph->gone, true);
	mutex_unlock(&graph->lock);
	onsram_agent_wake(odev);
	onsram_nl_graph_destroyed(odev, graph->id);
	onsram_graph_put(graph);
	return true;
}

void onsram_graphs_close(struct onsram_context *ctx)
{
	struct onsram_graph *graph = onsram_graph_next(ctx->odev, 0);

	while (graph) {
		u32 id = graph->id;

		if (graph->ctx == ctx)
			onsram_graph_remove(graph);
		onsram_graph_put(graph);
		graph = onsram_graph_next(ctx->odev, id + 1);
	}
}

int onsram_ioctl_graph_destroy(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_graph_destroy *args = data;
	struct onsram_graph *graph;
	int ret;

	if (args->flags)
		return -EINVAL;
	graph = onsram_graph_own(file, args->id);
	if (!graph)
		return -ENOENT;
	ret = onsram_graph_remove(graph) ? 0 : -ENOENT;
	onsram_graph_put(graph);
	return ret;
}

int onsram_ioctl_graph_run(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_graph_run *args = data;
	struct onsram_syncs syncs;
	struct onsram_graph *graph;
	struct onsram_job *job;
	int ret;

	if (args->flags)
		return -EINVAL;
	graph = onsram_graph_own(file, args->id);
	if (!graph)
		return -ENOENT;
	ret = onsram_syncs_init(&syncs, file, args->syncs, args->nr_syncs, args->sync_stride);
	if (ret) {
		onsram_graph_put(graph);
		return ret;
	}
	job = onsram_job_new(graph->ctx, ONSRAM_JOB_OPS);
	if (IS_ERR(job)) {
		onsram_graph_put(graph);
		ret = PTR_ERR(job);
		goto out_syncs;
	}

	/* From here on the job owns the reference to the graph */
	job->graph = graph;
	job->ops = graph->ops;
	job->nr_ops = graph->nr_ops;
	job->bos = graph->bos;
	job->nr_bos = graph->nr_tensors;
	if (job->policy == DRM_ONSRAM_POLICY_AGENT) {
		mutex_lock(&graph->lock);
		job->plan = onsram_plan_get(graph->plan);
		mutex_unlock(&graph->lock);
	}
	ret = onsram_job_submit(job, file, &syncs);
out_syncs:
	onsram_syncs_fini(&syncs);
	return ret;
}

static bool onsram_graph_settled(const void *what)
{
	const struct onsram_graph *graph = what;

	return READ_ONCE(graph->plan) || READ_ONCE(graph->gone);
}

int onsram_ioctl_graph_wait_plan(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct drm_onsram_graph_wait_plan *args = data;
	struct onsram_graph *graph;
	int ret;

	if (args->flags)
		return -EINVAL;
	graph = onsram_graph_own(file, args->id);
	if (!graph)
		return -ENOENT;
	if (!onsram_graph_settled(graph))
		onsram_agent_probe(graph->ctx);
	ret = onsram_agent_wait(graph->odev, onsram_graph_settled, graph, args->timeout_ns);
	if (!ret && !READ_ONCE(graph->plan))
		ret = -ENOENT;
	onsram_graph_put(graph);
	return ret;
}
