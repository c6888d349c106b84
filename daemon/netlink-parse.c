// SPDX-License-Identifier: MIT
/* Messages of the family, checked and turned into structures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "netlink.h"

static struct nla_policy top_policy[ONSRAM_A_MAX + 1] = {
	[ONSRAM_A_DEVICE_ID] = { .type = NLA_U32 },
	[ONSRAM_A_DEVICE_NAME] = { .type = NLA_STRING, .maxlen = ONSRAM_NL_NAME_MAX },
	[ONSRAM_A_MODEL] = { .minlen = sizeof(struct onsram_model) },
	[ONSRAM_A_POLICY] = { .type = NLA_U32 },
	[ONSRAM_A_POLICY_NAME] = { .type = NLA_NUL_STRING },
	[ONSRAM_A_FALLBACK_POLICY] = { .type = NLA_U32 },
	[ONSRAM_A_AGENT_ATTACHED] = { .type = NLA_U8 },
	[ONSRAM_A_CLIENT_ID] = { .type = NLA_U32 },
	[ONSRAM_A_GRAPH_ID] = { .type = NLA_U32 },
	[ONSRAM_A_NR_OPS] = { .type = NLA_U32 },
	[ONSRAM_A_NR_TENSORS] = { .type = NLA_U32 },
	[ONSRAM_A_HAS_PLAN] = { .type = NLA_U8 },
	[ONSRAM_A_OP] = { .minlen = sizeof(struct drm_onsram_op),
			  .maxlen = sizeof(struct drm_onsram_op) },
	[ONSRAM_A_TENSOR] = { .type = NLA_NESTED },
	[ONSRAM_A_RETIRED] = { .type = NLA_NESTED },
	[ONSRAM_A_LOST] = { .type = NLA_U32 },
	[ONSRAM_A_DIED] = { .type = NLA_NESTED },
	[ONSRAM_A_SYNC] = { .type = NLA_U64 },
	[ONSRAM_A_PRIVATE] = { .type = NLA_FLAG },
};

static struct nla_policy tensor_policy[ONSRAM_A_TENSOR_MAX + 1] = {
	[ONSRAM_A_TENSOR_INDEX] = { .type = NLA_U32 },
	[ONSRAM_A_TENSOR_FLAGS] = { .type = NLA_U32 },
	[ONSRAM_A_TENSOR_BYTES] = { .type = NLA_U64 },
};

static struct nla_policy retired_policy[ONSRAM_A_RETIRED_MAX + 1] = {
	[ONSRAM_A_RETIRED_CLIENT_ID] = { .type = NLA_U32 },
	[ONSRAM_A_RETIRED_KEY] = { .type = NLA_U64 },
	[ONSRAM_A_RETIRED_OP] = { .minlen = sizeof(struct drm_onsram_op),
				  .maxlen = sizeof(struct drm_onsram_op) },
	[ONSRAM_A_RETIRED_RESIDENT] = { .type = NLA_U32 },
	[ONSRAM_A_RETIRED_TIME] = { .type = NLA_U64 },
	[ONSRAM_A_RETIRED_SIGNATURE] = { .type = NLA_U64 },
	[ONSRAM_A_RETIRED_BYTES] = { .minlen = ONSRAM_MAX_OPERANDS * sizeof(uint64_t),
				     .maxlen = ONSRAM_MAX_OPERANDS * sizeof(uint64_t) },
};

static struct nla_policy died_policy[ONSRAM_A_DIED_MAX + 1] = {
	[ONSRAM_A_DIED_CLIENT_ID] = { .type = NLA_U32 },
	[ONSRAM_A_DIED_BUFFERS] = { .minlen = sizeof(uint32_t) },
};

static int parse_top(struct nlmsghdr *nlh, struct nlattr **tb)
{
	if (!genlmsg_valid_hdr(nlh, 0))
		return -EINVAL;
	/* Of attributes that repeat, tb has the last one; each is checked nevertheless */
	return genlmsg_parse(nlh, 0, tb, ONSRAM_A_MAX, top_policy) ? -EINVAL : 0;
}

static uint32_t get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

int onsram_nl_parse_device(struct nlmsghdr *nlh, struct onsram_nl_device *dev)
{
	struct nlattr *tb[ONSRAM_A_MAX + 1];

	*dev = (struct onsram_nl_device){ 0 };
	if (parse_top(nlh, tb) || !tb[ONSRAM_A_DEVICE_ID] || !tb[ONSRAM_A_MODEL])
		return -EINVAL;
	dev->id = nla_get_u32(tb[ONSRAM_A_DEVICE_ID]);
	if (tb[ONSRAM_A_DEVICE_NAME])
		nla_strlcpy(dev->name, tb[ONSRAM_A_DEVICE_NAME], sizeof(dev->name));
	memcpy(&dev->model, nla_data(tb[ONSRAM_A_MODEL]), sizeof(dev->model));
	/* Plans are priced with it: it must be one that makes sense */
	if (onsram_model_check(&dev->model))
		return -EINVAL;
	dev->policy = get_u32(tb, ONSRAM_A_POLICY);
	dev->fallback_policy = get_u32(tb, ONSRAM_A_FALLBACK_POLICY);
	dev->sync = tb[ONSRAM_A_SYNC] ? nla_get_u64(tb[ONSRAM_A_SYNC]) : 0;
	dev->agent_attached = tb[ONSRAM_A_AGENT_ATTACHED] && nla_get_u8(tb[ONSRAM_A_AGENT_ATTACHED]);
	return 0;
}

static int graph_from(struct nlattr **tb, struct onsram_nl_graph *graph)
{
	if (!tb[ONSRAM_A_GRAPH_ID] || !tb[ONSRAM_A_POLICY] || !tb[ONSRAM_A_NR_OPS] ||
	    !tb[ONSRAM_A_NR_TENSORS])
		return -EINVAL;
	*graph = (struct onsram_nl_graph){
		.id = nla_get_u32(tb[ONSRAM_A_GRAPH_ID]),
		.client_id = get_u32(tb, ONSRAM_A_CLIENT_ID),
		.nr_ops = nla_get_u32(tb[ONSRAM_A_NR_OPS]),
		.nr_tensors = nla_get_u32(tb[ONSRAM_A_NR_TENSORS]),
		.has_plan = tb[ONSRAM_A_HAS_PLAN] && nla_get_u8(tb[ONSRAM_A_HAS_PLAN]),
	};
	if (tb[ONSRAM_A_POLICY_NAME])
		nla_strlcpy(graph->policy, tb[ONSRAM_A_POLICY_NAME], sizeof(graph->policy));
	if (!graph->nr_ops || graph->nr_ops > DRM_ONSRAM_MAX_OPS ||
	    !graph->nr_tensors || graph->nr_tensors > DRM_ONSRAM_MAX_BOS)
		return -EINVAL;
	return 0;
}

int onsram_nl_parse_graph(struct nlmsghdr *nlh, struct onsram_nl_graph *graph, uint32_t *device)
{
	struct nlattr *tb[ONSRAM_A_MAX + 1];

	if (parse_top(nlh, tb) || !tb[ONSRAM_A_DEVICE_ID])
		return -EINVAL;
	if (device)
		*device = nla_get_u32(tb[ONSRAM_A_DEVICE_ID]);
	return graph_from(tb, graph);
}

static int copy_tensor(struct onsram_nl_copy *copy, struct nlattr *nest)
{
	struct nlattr *tb[ONSRAM_A_TENSOR_MAX + 1];

	if (nla_parse_nested(tb, ONSRAM_A_TENSOR_MAX, nest, tensor_policy) ||
	    !tb[ONSRAM_A_TENSOR_INDEX] || !tb[ONSRAM_A_TENSOR_FLAGS] || !tb[ONSRAM_A_TENSOR_BYTES])
		return -EINVAL;
	if (copy->nr_tensors >= copy->graph.nr_tensors ||
	    nla_get_u32(tb[ONSRAM_A_TENSOR_INDEX]) != copy->nr_tensors)
		return -EINVAL;
	copy->tensors[copy->nr_tensors].bytes = nla_get_u64(tb[ONSRAM_A_TENSOR_BYTES]);
	copy->tensors[copy->nr_tensors].flags = nla_get_u32(tb[ONSRAM_A_TENSOR_FLAGS]);
	if (!copy->tensors[copy->nr_tensors].bytes ||
	    copy->tensors[copy->nr_tensors].bytes > DRM_ONSRAM_MAX_BO_SIZE)
		return -EINVAL;
	copy->nr_tensors++;
	return 0;
}

int onsram_nl_parse_copy(struct nlmsghdr *nlh, struct onsram_nl_copy *copy)
{
	struct nlattr *tb[ONSRAM_A_MAX + 1], *attr;
	int rem;

	if (parse_top(nlh, tb))
		return -EINVAL;
	if (!copy->headed) {
		if (graph_from(tb, &copy->graph))
			return -EINVAL;
		copy->ops = calloc(copy->graph.nr_ops, sizeof(*copy->ops));
		copy->tensors = calloc(copy->graph.nr_tensors, sizeof(*copy->tensors));
		if (!copy->ops || !copy->tensors)
			return -ENOMEM;
		copy->headed = true;
	}
	nla_for_each_attr(attr, genlmsg_attrdata(genlmsg_hdr(nlh), 0),
			  genlmsg_attrlen(genlmsg_hdr(nlh), 0), rem) {
		if (nla_type(attr) == ONSRAM_A_OP) {
			if (copy->nr_ops >= copy->graph.nr_ops ||
			    nla_len(attr) != (int)sizeof(*copy->ops))
				return -EINVAL;
			memcpy(&copy->ops[copy->nr_ops++], nla_data(attr), sizeof(*copy->ops));
		} else if (nla_type(attr) == ONSRAM_A_TENSOR) {
			if (copy_tensor(copy, attr))
				return -EINVAL;
		}
	}
	return 0;
}

int onsram_nl_copy_check(const struct onsram_nl_copy *copy)
{
	if (!copy->headed || copy->nr_ops != copy->graph.nr_ops ||
	    copy->nr_tensors != copy->graph.nr_tensors)
		return -EINVAL;
	for (uint32_t i = 0; i < copy->nr_ops; i++) {
		for (int s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			const struct drm_onsram_operand *o = &copy->ops[i].operand[s];

			if (o->view.dtype == ONSRAM_DTYPE_NONE)
				continue;
			if (o->view.dtype >= ONSRAM_DTYPE_COUNT || o->view.rank > ONSRAM_MAX_RANK ||
			    o->bo >= copy->nr_tensors)
				return -EINVAL;
		}
	}
	return 0;
}

void onsram_nl_copy_release(struct onsram_nl_copy *copy)
{
	free(copy->ops);
	free(copy->tensors);
	*copy = (struct onsram_nl_copy){ 0 };
}

static int parse_retired(struct nlattr *nest, struct onsram_retired *r)
{
	struct nlattr *tb[ONSRAM_A_RETIRED_MAX + 1];

	if (nla_parse_nested(tb, ONSRAM_A_RETIRED_MAX, nest, retired_policy))
		return -EINVAL;
	for (int i = ONSRAM_A_RETIRED_CLIENT_ID; i <= ONSRAM_A_RETIRED_MAX; i++)
		if (!tb[i])
			return -EINVAL;
	r->client_id = nla_get_u32(tb[ONSRAM_A_RETIRED_CLIENT_ID]);
	r->key = nla_get_u64(tb[ONSRAM_A_RETIRED_KEY]);
	memcpy(&r->op, nla_data(tb[ONSRAM_A_RETIRED_OP]), sizeof(r->op));
	r->resident = nla_get_u32(tb[ONSRAM_A_RETIRED_RESIDENT]);
	r->time_ps = nla_get_u64(tb[ONSRAM_A_RETIRED_TIME]);
	r->signature = nla_get_u64(tb[ONSRAM_A_RETIRED_SIGNATURE]);
	memcpy(r->bytes, nla_data(tb[ONSRAM_A_RETIRED_BYTES]), sizeof(r->bytes));
	return 0;
}

static int parse_died(struct nlattr *nest, uint32_t device, const struct onsram_nl_handler *handler)
{
	struct nlattr *tb[ONSRAM_A_DIED_MAX + 1], *list;

	if (nla_parse_nested(tb, ONSRAM_A_DIED_MAX, nest, died_policy))
		return -EINVAL;
	list = tb[ONSRAM_A_DIED_BUFFERS];
	if (!tb[ONSRAM_A_DIED_CLIENT_ID] || !list || nla_len(list) % (int)sizeof(uint32_t))
		return -EINVAL;
	handler->died(handler->arg, device, nla_get_u32(tb[ONSRAM_A_DIED_CLIENT_ID]), nla_data(list),
		      (uint32_t)nla_len(list) / sizeof(uint32_t));
	return 0;
}

static int parse_batch(struct nlmsghdr *nlh, uint32_t device, const struct onsram_nl_handler *handler)
{
	struct onsram_retired r;
	struct nlattr *attr;
	int rem;

	nla_for_each_attr(attr, genlmsg_attrdata(genlmsg_hdr(nlh), 0),
			  genlmsg_attrlen(genlmsg_hdr(nlh), 0), rem) {
		if (nla_type(attr) == ONSRAM_A_DIED && parse_died(attr, device, handler))
			return -EINVAL;
		if (nla_type(attr) != ONSRAM_A_RETIRED)
			continue;
		if (parse_retired(attr, &r))
			return -EINVAL;
		handler->retired(handler->arg, device, &r);
	}
	return 0;
}

int onsram_nl_parse_event(struct nlmsghdr *nlh, const struct onsram_nl_handler *handler)
{
	struct nlattr *tb[ONSRAM_A_MAX + 1];
	struct onsram_nl_graph graph;
	uint32_t device;

	if (parse_top(nlh, tb) || !tb[ONSRAM_A_DEVICE_ID])
		return -EINVAL;
	device = nla_get_u32(tb[ONSRAM_A_DEVICE_ID]);
	switch (genlmsg_hdr(nlh)->cmd) {
	case ONSRAM_CMD_GRAPH_CREATED:
		if (graph_from(tb, &graph))
			return -EINVAL;
		handler->graph_created(handler->arg, device, &graph);
		return 0;
	case ONSRAM_CMD_GRAPH_DESTROYED:
		if (!tb[ONSRAM_A_GRAPH_ID])
			return -EINVAL;
		handler->graph_destroyed(handler->arg, device, nla_get_u32(tb[ONSRAM_A_GRAPH_ID]));
		return 0;
	case ONSRAM_CMD_SYNC:
		if (!tb[ONSRAM_A_CLIENT_ID] || !tb[ONSRAM_A_SYNC])
			return -EINVAL;
		handler->sync(handler->arg, device, nla_get_u32(tb[ONSRAM_A_CLIENT_ID]),
			      nla_get_u64(tb[ONSRAM_A_SYNC]), tb[ONSRAM_A_PRIVATE]);
		return 0;
	case ONSRAM_CMD_OP_RETIRED:
		if (get_u32(tb, ONSRAM_A_LOST))
			handler->lost(handler->arg, device, get_u32(tb, ONSRAM_A_LOST));
		return parse_batch(nlh, device, handler);
	case ONSRAM_CMD_CLIENT_GONE:
		if (!tb[ONSRAM_A_CLIENT_ID])
			return -EINVAL;
		handler->client_gone(handler->arg, device, nla_get_u32(tb[ONSRAM_A_CLIENT_ID]));
		return 0;
	default:
		return 0;
	}
}
