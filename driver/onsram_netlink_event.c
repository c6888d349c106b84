// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink family "onsram": events.
 */

#include "onsram_link.h"
#include "onsram_netlink.h"

static bool onsram_nl_listened(void)
{
	return genl_has_listeners(&onsram_genl_family, &init_net, ONSRAM_GROUP_EVENTS);
}

/* Begins an event of a device; NULL where nobody listens or memory is short */
static struct sk_buff *onsram_nl_event(struct onsram_device *odev, u8 cmd, size_t size, void **hdr)
{
	struct sk_buff *skb;

	if (!onsram_nl_listened())
		return NULL;
	skb = genlmsg_new(size, GFP_KERNEL);
	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &onsram_genl_family, 0, cmd);
	if (!*hdr || nla_put_u32(skb, ONSRAM_A_DEVICE_ID, odev->drm.accel->index)) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

static void onsram_nl_event_send(struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
	genlmsg_multicast(&onsram_genl_family, skb, 0, ONSRAM_GROUP_EVENTS, GFP_KERNEL);
}

/* An event that names one thing by its number */
static void onsram_nl_event_id(struct onsram_device *odev, u8 cmd, int attr, u32 id)
{
	struct sk_buff *skb;
	void *hdr;

	skb = onsram_nl_event(odev, cmd, NLMSG_GOODSIZE, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, attr, id)) {
		nlmsg_free(skb);
		return;
	}
	onsram_nl_event_send(skb, hdr);
}

void onsram_nl_graph_created(struct onsram_graph *graph)
{
	struct onsram_policy policy;
	struct sk_buff *skb;
	void *hdr;

	atomic_inc(&graph->odev->link->sequence);
	onsram_context_policy(graph->ctx, &policy);
	skb = onsram_nl_event(graph->odev, ONSRAM_CMD_GRAPH_CREATED, NLMSG_GOODSIZE, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, ONSRAM_A_GRAPH_ID, graph->id) ||
	    nla_put_u32(skb, ONSRAM_A_CLIENT_ID, graph->ctx->client.id) ||
	    onsram_nl_put_policy(skb, &policy) ||
	    nla_put_u32(skb, ONSRAM_A_NR_OPS, graph->nr_ops) ||
	    nla_put_u32(skb, ONSRAM_A_NR_TENSORS, graph->nr_tensors)) {
		nlmsg_free(skb);
		return;
	}
	onsram_nl_event_send(skb, hdr);
}

void onsram_nl_graph_destroyed(struct onsram_device *odev, u32 id)
{
	atomic_inc(&odev->link->sequence);
	onsram_nl_event_id(odev, ONSRAM_CMD_GRAPH_DESTROYED, ONSRAM_A_GRAPH_ID, id);
}

void onsram_nl_client_gone(struct onsram_device *odev, u32 client_id)
{
	/* What it did is told before */
	onsram_events_flush(&odev->link->events);
	onsram_nl_event_id(odev, ONSRAM_CMD_CLIENT_GONE, ONSRAM_A_CLIENT_ID, client_id);
}

void onsram_nl_sync(struct onsram_context *ctx, u64 seq)
{
	struct sk_buff *skb;
	void *hdr;

	skb = onsram_nl_event(ctx->odev, ONSRAM_CMD_SYNC, NLMSG_GOODSIZE, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, ONSRAM_A_CLIENT_ID, ctx->client.id) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_SYNC, seq, ONSRAM_A_PAD) ||
	    (READ_ONCE(ctx->salt) && nla_put_flag(skb, ONSRAM_A_PRIVATE))) {
		nlmsg_free(skb);
		return;
	}
	onsram_nl_event_send(skb, hdr);
}

void onsram_nl_op_retired(struct onsram_context *ctx, const struct onsram_op *op,
			  u32 resident, u64 time_ps)
{
	struct onsram_event ev = {
		.client_id = ctx->client.id,
		.op.key = op->key,
		.op.signature = op->signature,
		.op.time_ps = time_ps,
		.op.resident = resident,
		.op.op.opcode = op->cmd.opcode,
		.op.op.attr = op->cmd.attr,
	};
	int s;

	if (!onsram_nl_listened())
		return;
	for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct drm_onsram_operand *operand = &ev.op.op.operand[s];

		if (!op->bo[s])
			continue;
		operand->bo = op->bo[s]->id;
		ev.op.bytes[s] = op->bo[s]->bytes;
		operand->offset = op->offset[s];
		operand->view = op->cmd.operand[s].view;
	}
	onsram_events_push(&ctx->odev->link->events, &ev);
}

void onsram_nl_died(struct onsram_context *ctx, const struct onsram_event_died *died)
{
	struct onsram_event ev = {
		.client_id = ctx->client.id,
		.is_died = true,
		.died = *died,
	};

	if (onsram_nl_listened())
		onsram_events_push(&ctx->odev->link->events, &ev);
}

static int onsram_nl_put_retired(struct sk_buff *skb, u32 client_id,
				 const struct onsram_event_op *op)
{
	if (nla_put_u32(skb, ONSRAM_A_RETIRED_CLIENT_ID, client_id) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RETIRED_KEY, op->key, ONSRAM_A_RETIRED_PAD) ||
	    nla_put(skb, ONSRAM_A_RETIRED_OP, sizeof(op->op), &op->op) ||
	    nla_put_u32(skb, ONSRAM_A_RETIRED_RESIDENT, op->resident) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RETIRED_TIME, op->time_ps, ONSRAM_A_RETIRED_PAD) ||
	    nla_put_u64_64bit(skb, ONSRAM_A_RETIRED_SIGNATURE, op->signature,
			      ONSRAM_A_RETIRED_PAD) ||
	    nla_put_64bit(skb, ONSRAM_A_RETIRED_BYTES, sizeof(op->bytes), op->bytes,
			  ONSRAM_A_RETIRED_PAD))
		return -EMSGSIZE;
	return 0;
}

static int onsram_nl_put_died(struct sk_buff *skb, u32 client_id,
			      const struct onsram_event_died *died)
{
	if (nla_put_u32(skb, ONSRAM_A_DIED_CLIENT_ID, client_id) ||
	    nla_put(skb, ONSRAM_A_DIED_BUFFERS, died->nr * sizeof(died->bo[0]), died->bo))
		return -EMSGSIZE;
	return 0;
}

static int onsram_nl_put_entry(struct sk_buff *skb, const struct onsram_event *ev)
{
	struct nlattr *nest = nla_nest_start(skb, ev->is_died ? ONSRAM_A_DIED : ONSRAM_A_RETIRED);
	int ret = -EMSGSIZE;

	if (nest)
		ret = ev->is_died ? onsram_nl_put_died(skb, ev->client_id, &ev->died) :
				    onsram_nl_put_retired(skb, ev->client_id, &ev->op);
	if (!ret)
		nla_nest_end(skb, nest);
	return ret;
}

/* Return: whether there was memory for it, or nobody to send it to */
static bool onsram_link_send_batch(struct onsram_link *link, const struct onsram_event *ev, u32 n,
				   u32 lost)
{
	struct sk_buff *skb;
	void *hdr;
	u32 i;

	/* A nest is an entry and at most 128 bytes of numbers and headers */
	skb = onsram_nl_event(link->odev, ONSRAM_CMD_OP_RETIRED, 64 + n * (sizeof(*ev) + 128),
			      &hdr);
	if (!skb)
		return !onsram_nl_listened();
	if (nla_put_u32(skb, ONSRAM_A_LOST, lost))
		goto drop;
	for (i = 0; i < n; i++) {
		if (onsram_nl_put_entry(skb, &ev[i]))
			goto drop;
	}
	onsram_nl_event_send(skb, hdr);
	return true;
drop:
	nlmsg_free(skb);
	return false;
}

void onsram_link_send_retired(struct work_struct *work)
{
	struct onsram_link *link = container_of(to_delayed_work(work), struct onsram_link,
						events.work);
	struct onsram_event_queue *q = &link->events;
	u32 n, lost;

	while ((n = onsram_events_pop(q, q->batch, ONSRAM_EVENT_BATCH, &lost)) || lost) {
		if (!onsram_link_send_batch(link, q->batch, n, lost)) {
			/* Told with the next batch for which there is memory */
			onsram_events_lose(q, n, lost);
			return;
		}
	}
}
