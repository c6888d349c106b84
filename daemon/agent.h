/* SPDX-License-Identifier: MIT */
/*
 * The policy agent: the devices it is attached to, and what it does when
 * something happens there.  It keeps nothing that the kernel does not have or
 * that cannot be learnt again, so it may end at any moment.
 */
#ifndef ONSRAM_AGENT_H
#define ONSRAM_AGENT_H

#include "history.h"
#include "netlink.h"
#include "worker.h"

#define ONSRAM_AGENT_DEVICES	64

/**
 * struct onsram_agent_device - a device attached to
 * @info: as the kernel described it
 * @history: of what ran there
 * @worker: plans its graphs
 */
struct onsram_agent_device {
	struct onsram_nl_device info;
	struct onsram_history history;
	struct onsram_worker *worker;
};

/**
 * struct onsram_agent - the agent
 * @nl: link to the kernel, NULL while the driver is not loaded
 * @wanted: names or numbers of the devices to attach to; all where there are none
 * @nr_wanted: how many
 * @device: those attached to
 * @nr_devices: how many
 */
struct onsram_agent {
	struct onsram_nl *nl;
	char **wanted;
	uint32_t nr_wanted;
	struct onsram_agent_device device[ONSRAM_AGENT_DEVICES];
	uint32_t nr_devices;
};

/**
 * onsram_agent_connect() - find the driver and attach to every device that is wanted
 *
 * Return: 0; -ENOENT: no driver; -ENODEV: no such device; -EBUSY: another agent
 * is attached; or what else failed.  Has told why, but for -ENOENT.
 */
int onsram_agent_connect(struct onsram_agent *a);
/**
 * onsram_agent_rescan() - attach to devices that came, forget those that went
 *
 * Disconnects when the driver is gone. Return: as onsram_agent_connect()
 */
int onsram_agent_rescan(struct onsram_agent *a);
/** onsram_agent_disconnect() - detach from everything */
void onsram_agent_disconnect(struct onsram_agent *a);
/** onsram_agent_events() - handle what waits on the event socket; disconnects when the driver is gone */
void onsram_agent_events(struct onsram_agent *a);
/** onsram_agent_beat() - tell that the daemon is alive while it plans. Return: whether it does */
bool onsram_agent_beat(struct onsram_agent *a);

/**
 * onsram_static_plan() - plan a graph and attach the plan
 *
 * Does nothing where its client's policy is none of the agent's that plans.
 * Return: 0 or a negative errno, told
 */
int onsram_static_plan(struct onsram_nl *nl, const struct onsram_nl_device *dev,
		       const struct onsram_nl_graph *graph);

#endif
