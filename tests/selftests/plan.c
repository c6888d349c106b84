// SPDX-License-Identifier: MIT
#include "plan.h"

struct interval interval(uint32_t tensor, uint32_t first, uint32_t last, uint32_t flags, uint32_t offset)
{
	return (struct interval){ .field = {
		[ONSRAM_A_INTERVAL_TENSOR] = tensor, [ONSRAM_A_INTERVAL_FIRST_OP] = first,
		[ONSRAM_A_INTERVAL_LAST_OP] = last, [ONSRAM_A_INTERVAL_FLAGS] = flags,
		[ONSRAM_A_INTERVAL_OFFSET] = offset, [ONSRAM_A_INTERVAL_BYTES] = PLACE,
		[ONSRAM_A_INTERVAL_RESERVE_OP] = first, [ONSRAM_A_INTERVAL_RELEASE_OP] = last + 1,
	} };
}

struct interval part(uint32_t tensor, uint32_t first, uint32_t last, uint32_t flags, uint32_t offset,
		     uint64_t begin, uint32_t bytes)
{
	struct interval iv = interval(tensor, first, last, flags, offset + (uint32_t)begin);

	iv.field[ONSRAM_A_INTERVAL_BYTES] = bytes;
	iv.begin = begin;
	return iv;
}

int set_plan(struct nl_sock *sock, int family, const struct client *c, uint32_t graph,
	     const struct interval *intervals, uint32_t nr)
{
	struct nl_msg *msg = request(family, ONSRAM_CMD_PLAN_SET, NLM_F_ACK);
	struct nlattr *nest;
	uint32_t i, a;

	nla_put_u32(msg, ONSRAM_A_DEVICE_ID, c->dev->index);
	nla_put_u32(msg, ONSRAM_A_GRAPH_ID, graph);
	for (i = 0; i < nr; i++) {
		nest = nla_nest_start(msg, ONSRAM_A_INTERVAL | NLA_F_NESTED);
		for (a = ONSRAM_A_INTERVAL_TENSOR; a <= ONSRAM_A_INTERVAL_MAX; a++) {
			if (a == intervals[i].leave_out || a == ONSRAM_A_INTERVAL_PAD)
				continue;
			if (a == ONSRAM_A_INTERVAL_BEGIN)
				nla_put_u64(msg, a, intervals[i].begin);
			else
				nla_put_u32(msg, a, intervals[i].field[a]);
		}
		nla_nest_end(msg, nest);
	}
	return ask(sock, msg, NULL);
}

int run_graph(struct client *c, uint32_t graph)
{
	struct drm_onsram_sync sync = { .flags = DRM_ONSRAM_SYNC_SIGNAL };
	int ret = onsram_sync_create(c->dev, &sync.handle);

	if (!ret)
		ret = onsram_graph_run(c->dev, graph, &sync, 1);
	return ret ? ret : onsram_sync_wait(c->dev, sync.handle, 0, WAIT_NS);
}
