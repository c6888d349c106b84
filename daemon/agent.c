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
	onsram_worker_free(dev->worker);
	onsram_history_free(&dev->history);
	*dev = a->device[--a->nr_devices];
}

/* --- rules ---------------------------------------------------------------------- */

static int send_rules(struct onsram_agent *a, struct onsram_agent_device *dev,
		      const struct onsram_rule *rules, uint32_t n, bool gone)
{
	int ret = n ? onsram_nl_set_rules(a->nl, dev->info.id, rules, n, gone) : 0;

	if (ret && ret != -ENODEV)
		onsram_error("accel%u: rules refused: %s %s", dev->info.id, strerror(-ret),
			     onsram_nl_why());
	return ret;
}

/* Tells the kernel what a history concludes; deletions first, they make room */
static int tell_rules(struct onsram_agent *a, struct onsram_agent_device *dev,
		      struct onsram_eager *e)
{
	struct onsram_rule rules[RULES_BATCH], rule;
	bool gone = false;
	uint32_t n = 0;
	int ret = 0;

	while (!ret && onsram_eager_next_rule(e, &rule)) {
		if (n == RULES_BATCH || (n && rule.gone != gone)) {
			ret = send_rules(a, dev, rules, n, gone);
			n = 0;
		}
		gone = rule.gone;
		rules[n++] = rule;
	}
	return ret ? ret : send_rules(a, dev, rules, n, gone);
}

/* A batch that is refused changes nothing: what the kernel has is not what was told, so all anew */
static void flush_rules(struct onsram_agent *a, struct onsram_agent_device *dev,
			struct onsram_eager *e)
{
	if (!tell_rules(a, dev, e))
		return;
	if (onsram_nl_set_rules(a->nl, dev->info.id, NULL, 0, true))
		return;
	onsram_history_retell(&dev->history);
	onsram_worker_retell(dev->worker);
	tell_rules(a, dev, e);
}

/* A history that nobody adds to any more, with its rules */
static void end_history(struct onsram_agent *a, struct onsram_agent_device *dev,
			struct onsram_eager *e)
{
	if (!e)
		return;
	onsram_eager_withdraw(e);
	flush_rules(a, dev, e);
	onsram_eager_free(e);
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
			     strerror(-ret), onsram_nl_why());
		return ret;
	}
	if (onsram_history_init(&dev->history)) {
		onsram_error("not enough memory for accel%u", info->id);
		return -ENOMEM;
	}
	dev->worker = onsram_worker_new(a->nl, &dev->info);
	if (!dev->worker) {
		onsram_error("accel%u: no thread to plan in", info->id);
		onsram_history_free(&dev->history);
		return -ENOMEM;
	}
	a->nr_devices++;
	onsram_info("accel%u (%s): attached", info->id, info->name);
	return 0;
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
		onsram_error("cannot list devices: %s %s", strerror(-ret), onsram_nl_why());
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
	struct onsram_agent_device *dev = find(arg, device);

	if (dev)
		onsram_worker_plan(dev->worker, graph);
}

static void on_graph_destroyed(void *arg, uint32_t device, uint32_t graph)
{
	struct onsram_agent_device *dev = find(arg, device);

	if (dev)
		onsram_worker_cancel(dev->worker, graph);
}

static struct onsram_client *client_of(struct onsram_agent *a, struct onsram_agent_device *dev,
				       uint32_t client_id)
{
	struct onsram_eager *evicted;
	struct onsram_client *c = onsram_history_client(&dev->history, client_id, &evicted);

	end_history(a, dev, evicted);
	return c;
}

static void learn(struct onsram_agent_device *dev, struct onsram_client *c)
{
	struct onsram_sequence *s = onsram_recorder_take(c->recorder);

	if (s)
		onsram_worker_learn(dev->worker, s, c->id, c->own);
}

static void on_retired(void *arg, uint32_t device, const struct onsram_retired *r)
{
	struct onsram_agent_device *dev = find(arg, device);
	struct onsram_client *c;

	if (!dev)
		return;
	c = client_of(arg, dev, r->client_id);
	onsram_eager_observe(onsram_history_of(&dev->history, c), r);
	/* A client with a history of its own says where its passes end */
	if (c && onsram_recorder_op(c->recorder, r) && !c->own)
		learn(dev, c);
}

static void on_died(void *arg, uint32_t device, uint32_t client_id, const uint32_t *bo, uint32_t n)
{
	struct onsram_agent_device *dev = find(arg, device);
	struct onsram_client *c;

	if (!dev)
		return;
	c = client_of(arg, dev, client_id);
	for (uint32_t i = 0; i < n; i++) {
		onsram_eager_died(onsram_history_of(&dev->history, c), bo[i]);
		if (c)
			onsram_recorder_died(c->recorder, bo[i]);
	}
}

static void on_lost(void *arg, uint32_t device, uint32_t count)
{
	struct onsram_agent_device *dev = find(arg, device);

	if (!dev)
		return;
	onsram_info("accel%u: %u retired operations were not reported", device, count);
	onsram_history_gap(&dev->history);
}

static void on_client_gone(void *arg, uint32_t device, uint32_t client_id)
{
	struct onsram_agent *a = arg;
	struct onsram_agent_device *dev = find(a, device);

	if (!dev)
		return;
	end_history(a, dev, onsram_history_end(&dev->history, client_id));
	onsram_worker_forget(dev->worker, client_id);
}

static void on_sync(void *arg, uint32_t device, uint32_t client_id, uint64_t seq, bool own)
{
	struct onsram_agent *a = arg;
	struct onsram_agent_device *dev = find(a, device);
	struct onsram_client *c;

	if (!dev)
		return;
	c = client_of(a, dev, client_id);
	if (c && own)
		onsram_history_own(c);
	if (c && onsram_recorder_mark(c->recorder))
		learn(dev, c);
	flush_rules(a, dev, onsram_history_of(&dev->history, c));
	onsram_worker_sync(dev->worker, seq);
}

/* Events were lost, perhaps a SYNC among them: the device tells the last one */
static void answer_missed(void *arg, const struct onsram_nl_device *info)
{
	struct onsram_agent_device *dev = find(arg, info->id);

	if (dev && info->sync)
		onsram_worker_sync(dev->worker, info->sync);
}

static void look_anew(struct onsram_agent *a)
{
	onsram_info("events were lost: looking at everything anew");
	for (uint32_t i = 0; i < a->nr_devices; i++) {
		onsram_history_gap(&a->device[i].history);
		onsram_worker_rescan(a->device[i].worker);
	}
	onsram_nl_devices(a->nl, answer_missed, a);
}

void onsram_agent_events(struct onsram_agent *a)
{
	const struct onsram_nl_handler handler = {
		.arg = a,
		.graph_created = on_graph_created,
		.graph_destroyed = on_graph_destroyed,
		.retired = on_retired,
		.died = on_died,
		.lost = on_lost,
		.client_gone = on_client_gone,
		.sync = on_sync,
	};
	int ret = onsram_nl_read_events(a->nl, &handler);

	if (ret == -ENODEV) {
		onsram_info("the driver was unloaded");
		onsram_agent_disconnect(a);
		return;
	}
	if (ret == -ENOBUFS)
		look_anew(a);
	else if (ret)
		onsram_error("cannot read events: %s", strerror(-ret));
	/* Clients with a history of their own get their rules when they ask for them */
	for (uint32_t i = 0; i < a->nr_devices; i++)
		flush_rules(a, &a->device[i], a->device[i].history.shared);
}

bool onsram_agent_beat(struct onsram_agent *a)
{
	bool busy = false;

	for (uint32_t i = 0; i < a->nr_devices; i++)
		busy |= onsram_worker_beat(a->device[i].worker);
	return busy;
}
