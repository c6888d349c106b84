// SPDX-License-Identifier: MIT
/* Plans on a device: read a graph, plan it as its client wants, attach the plan. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent.h"
#include "log.h"
#include "policy.h"

static void tell(const struct onsram_nl_device *dev, const struct onsram_nl_graph *graph,
		 const struct onsram_plan *p)
{
	onsram_info("accel%u: graph %u: %s: %u stays, peak %" PRIu64 " bytes, %" PRIu64
		    " ns (baseline %" PRIu64 ", bound %" PRIu64 ")", dev->id, graph->id, graph->policy,
		    p->nr_intervals, p->peak_bytes, p->time_ps / 1000, p->baseline_ps / 1000,
		    p->bound_ps / 1000);
}

static int plan_graph(struct onsram_nl *nl, const struct onsram_nl_device *dev,
		      const struct onsram_nl_graph *graph, const struct onsram_policy *policy)
{
	struct onsram_nl_copy copy;
	struct onsram_plan_graph g;
	struct onsram_plan *plan = NULL;
	int ret = onsram_nl_read_graph(nl, dev->id, graph->id, &copy);

	/* Destroyed before we came to it, or the device is gone */
	if (ret == -ENOENT || ret == -ENODEV) {
		onsram_nl_copy_release(&copy);
		return 0;
	}
	if (ret) {
		onsram_error("accel%u: cannot read graph %u: %s %s", dev->id, graph->id,
			     strerror(-ret), onsram_nl_why());
		goto out;
	}
	g = (struct onsram_plan_graph){
		.ops = copy.ops, .nr_ops = copy.nr_ops,
		.tensors = copy.tensors, .nr_tensors = copy.nr_tensors,
	};
	plan = policy->plan(&dev->model, &g, NULL);
	if (!plan) {
		onsram_error("accel%u: not enough memory to plan graph %u", dev->id, graph->id);
		ret = -ENOMEM;
		goto out;
	}
	ret = onsram_nl_set_plan(nl, dev->id, graph->id, plan->intervals, plan->nr_intervals);
	if (ret == -ENOENT || ret == -ENODEV)
		ret = 0;
	else if (ret)
		onsram_error("accel%u: plan of graph %u refused: %s %s", dev->id, graph->id,
			     strerror(-ret), onsram_nl_why());
	else
		tell(dev, graph, plan);
out:
	onsram_plan_free(plan);
	onsram_nl_copy_release(&copy);
	return ret;
}

int onsram_static_plan(struct onsram_nl *nl, const struct onsram_nl_device *dev,
		       const struct onsram_nl_graph *graph)
{
	const struct onsram_policy *policy = onsram_policy_find(graph->policy);

	if (!policy && *graph->policy)
		onsram_error("accel%u: graph %u wants the policy \"%s\", which there is not: the driver's fallback policy runs it",
			     dev->id, graph->id, graph->policy);
	return policy && policy->plan ? plan_graph(nl, dev, graph, policy) : 0;
}
