// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "log.h"
#include "policy.h"

/* A predecessor's socket may take a moment to close */
#define ATTACH_TRIES	20
#define ATTACH_PAUSE_NS	100000000
/* A list of graphs that keeps changing is read again so often */
#define LIST_TRIES	10
#define RULES_BATCH	256

static struct onsram_agent_device *find(struct onsram_agent *a, uint32_t id)
{
	for (uint32_t i = 0; i < a->nr_devices; i++)
		if (a->device[i].info.id == id)
			return &a->device[i];
	return NULL;
}

static void forget(struct onsram_agent *a, struct onsram_agent_device *dev)
{
	onsram_info("accel%u: no longer attached", dev->info.id);
	onsram_eager_free(dev->eager);
	*dev = a->device[--a->nr_devices];
}

/* --- graphs --------------------------------------------------------------------- */

/**
 * struct backlog - graphs that wait for a plan
 * @graph: graphs
 * @n: how many
 * @room: of @graph
 * @failed: memory ran out
 */
struct backlog {
	struct onsram_nl_graph *graph;
	uint32_t n;
	uint32_t room;
	bool failed;
};

static void note_graph(void *arg, const struct onsram_nl_graph *graph)
{
	struct backlog *b = arg;

	if (graph->has_plan)
		return;
	if (b->n == b->room) {
		uint32_t room = b->room ? 2 * b->room : 16;
		struct onsram_nl_graph *graphs = realloc(b->graph, room * sizeof(*graphs));

		if (!graphs) {
			b->failed = true;
			return;
		}
		b->graph = graphs;
		b->room = room;
	}
	b->graph[b->n++] = *graph;
}

/* Plans every graph that should have a plan and has none */
static int catch_up(struct onsram_agent *a, const struct onsram_agent_device *dev)
{
	struct backlog b = { 0 };
	int ret = -EAGAIN;

	for (int i = 0; i < LIST_TRIES && ret == -EAGAIN; i++) {
		b.n = 0;
		ret = onsram_nl_graphs(a->nl, dev->info.id, note_graph, &b);
	}
	if (!ret && b.failed)
		ret = -ENOMEM;
	/* A list that changes all the time: what is missing in it comes as events */
	if (ret == -EAGAIN)
		ret = 0;
	if (ret)
		onsram_error("accel%u: cannot list graphs: %s %s", dev->info.id, strerror(-ret),
			     onsram_nl_why(a->nl));
	/* One graph that cannot be planned runs under the fallback policy; the others do not suffer */
	for (uint32_t i = 0; i < b.n; i++)
		onsram_static_plan(a->nl, &dev->info, &b.graph[i]);
	free(b.graph);
	return ret;
}

/* --- rules ---------------------------------------------------------------------- */

static void send_rules(struct onsram_agent *a, struct onsram_agent_device *dev,
		       const struct onsram_rule *rules, uint32_t n, bool gone)
{
	int ret;

	if (!n)
		return;
	ret = onsram_nl_set_rules(a->nl, dev->info.id, rules, n, gone);
	/* A rule that is not there any more need not be deleted */
	if (ret && !(gone && ret == -ENOENT))
		onsram_error("accel%u: rules refused: %s %s", dev->info.id, strerror(-ret),
			     onsram_nl_why(a->nl));
}

/* Tells the kernel what the history concludes; deletions first, they make room */
static void flush_rules(struct onsram_agent *a, struct onsram_agent_device *dev)
{
	struct onsram_rule rules[RULES_BATCH];
	bool gone = false;
	uint32_t n = 0;

	while (onsram_eager_next_rule(dev->eager, &rules[n])) {
		if (n && rules[n].gone != gone) {
			struct onsram_rule next = rules[n];

			send_rules(a, dev, rules, n, gone);
			rules[0] = next;
			n = 0;
		}
		gone = rules[n].gone;
		if (++n == RULES_BATCH) {
			send_rules(a, dev, rules, n, gone);
			n = 0;
		}
	}
	send_rules(a, dev, rules, n, gone);
}

/* --- devices -------------------------------------------------------------------- */

static int attach(struct onsram_agent *a, const struct onsram_nl_device *info)
{
	const struct timespec pause = { .tv_nsec = ATTACH_PAUSE_NS };
	struct onsram_agent_device *dev = &a->device[a->nr_devices];
	const char *policies[ONSRAM_NR_POLICIES];
	int ret = -EBUSY;

	for (int i = 0; i < ONSRAM_NR_POLICIES; i++)
		policies[i] = onsram_policies[i].name;
	for (int i = 0; i < ATTACH_TRIES && ret == -EBUSY; i++) {
		if (i)
			nanosleep(&pause, NULL);
		ret = onsram_nl_attach(a->nl, info->id, policies, ONSRAM_NR_POLICIES, &dev->info);
	}
	if (ret) {
		onsram_error("accel%u (%s): cannot attach: %s %s", info->id, info->name,
			     strerror(-ret), onsram_nl_why(a->nl));
		return ret;
	}
	dev->eager = onsram_eager_new(&dev->info.model);
	if (!dev->eager) {
		onsram_error("not enough memory for accel%u", info->id);
		return -ENOMEM;
	}
	a->nr_devices++;
	ret = catch_up(a, dev);
	if (!ret)
		ret = onsram_nl_done(a->nl, info->id);
	if (!ret)
		onsram_info("accel%u (%s): attached", info->id, info->name);
	return ret;
}

/**
 * struct listing - devices as the kernel lists them
 * @info: devices
 * @n: how many
 */
struct listing {
	struct onsram_nl_device info[ONSRAM_AGENT_DEVICES];
	uint32_t n;
};

static void note_device(void *arg, const struct onsram_nl_device *dev)
{
	struct listing *l = arg;

	if (l->n < ONSRAM_AGENT_DEVICES)
		l->info[l->n++] = *dev;
}

static bool names(const char *want, const struct onsram_nl_device *dev)
{
	char number[16], node[32];

	snprintf(number, sizeof(number), "%u", dev->id);
	snprintf(node, sizeof(node), "accel%u", dev->id);
	return !strcmp(want, number) || !strcmp(want, node) || !strcmp(want, dev->name);
}

static bool is_wanted(const struct onsram_agent *a, const struct onsram_nl_device *dev)
{
	for (uint32_t i = 0; i < a->nr_wanted; i++)
		if (names(a->wanted[i], dev))
			return true;
	return !a->nr_wanted;
}

static const struct onsram_nl_device *listed(const struct listing *l, uint32_t id)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->info[i].id == id)
			return &l->info[i];
	return NULL;
}

int onsram_agent_rescan(struct onsram_agent *a)
{
	struct listing l = { .n = 0 };
	int ret = onsram_nl_devices(a->nl, note_device, &l);
	uint32_t matched = 0;

	/* The family is not there any more */
	if (ret == -EPROTONOSUPPORT || ret == -ENOENT) {
		onsram_info("the driver was unloaded");
		onsram_agent_disconnect(a);
		return -ENOENT;
	}
	if (ret) {
		onsram_error("cannot list devices: %s %s", strerror(-ret), onsram_nl_why(a->nl));
		return ret;
	}
	/* Gone, or gone and come back: then nobody is attached to it */
	for (uint32_t i = a->nr_devices; i-- > 0;) {
		const struct onsram_nl_device *now = listed(&l, a->device[i].info.id);

		if (!now || !now->agent_attached)
			forget(a, &a->device[i]);
	}
	for (uint32_t i = 0; i < l.n; i++) {
		int err = 0;

		if (!is_wanted(a, &l.info[i]))
			continue;
		matched++;
		if (!find(a, l.info[i].id))
			err = attach(a, &l.info[i]);
		if (err && !ret)
			ret = err;
	}
	return ret ? ret : matched ? 0 : -ENODEV;
}

int onsram_agent_connect(struct onsram_agent *a)
{
	int ret = onsram_nl_open(&a->nl);

	if (ret == -ENOENT)
		return ret;
	if (ret) {
		onsram_error("cannot reach the driver: %s%s", strerror(-ret),
			     ret == -EPERM ? " (CAP_NET_ADMIN is needed: run as root)" : "");
		return ret;
	}
	ret = onsram_agent_rescan(a);
	if (ret && a->nl && !a->nr_devices && ret != -ENODEV)
		onsram_agent_disconnect(a);
	return ret;
}

void onsram_agent_disconnect(struct onsram_agent *a)
{
	while (a->nr_devices)
		forget(a, &a->device[a->nr_devices - 1]);
	onsram_nl_close(a->nl);
	a->nl = NULL;
}

/* --- events --------------------------------------------------------------------- */

static void on_graph_created(void *arg, uint32_t device, const struct onsram_nl_graph *graph)
{
	struct onsram_agent *a = arg;
	struct onsram_agent_device *dev = find(a, device);

	if (dev)
		onsram_static_plan(a->nl, &dev->info, graph);
}

static void on_retired(void *arg, uint32_t device, const struct onsram_retired *r)
{
	struct onsram_agent_device *dev = find(arg, device);

	if (dev)
		onsram_eager_observe(dev->eager, r);
}

static void on_lost(void *arg, uint32_t device, uint32_t count)
{
	struct onsram_agent_device *dev = find(arg, device);

	if (!dev)
		return;
	onsram_info("accel%u: %u retired operations were not reported", device, count);
	onsram_eager_gap(dev->eager);
}

static void on_client_gone(void *arg, uint32_t device, uint32_t client_id)
{
	struct onsram_agent_device *dev = find(arg, device);

	if (dev)
		onsram_eager_client_gone(dev->eager, client_id);
}

void onsram_agent_events(struct onsram_agent *a)
{
	const struct onsram_nl_handler handler = {
		.arg = a,
		.graph_created = on_graph_created,
		.retired = on_retired,
		.lost = on_lost,
		.client_gone = on_client_gone,
	};
	int ret = onsram_nl_read_events(a->nl, &handler);

	if (ret == -ENODEV) {
		onsram_info("the driver was unloaded");
		onsram_agent_disconnect(a);
		return;
	}
	if (ret == -ENOBUFS) {
		onsram_info("events were lost: looking at everything anew");
		for (uint32_t i = 0; i < a->nr_devices; i++) {
			onsram_eager_gap(a->device[i].eager);
			catch_up(a, &a->device[i]);
		}
	} else if (ret) {
		onsram_error("cannot read events: %s", strerror(-ret));
	}
	for (uint32_t i = 0; i < a->nr_devices; i++)
		flush_rules(a, &a->device[i]);
}
