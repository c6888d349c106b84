/* SPDX-License-Identifier: MIT */
/*
 * The generic netlink family of the driver, as the policy daemon uses it.
 *
 * Functions return 0 or a negative errno.  What the kernel said beyond that is
 * in onsram_nl_why().  Messages are checked in full before anything of them is
 * used.
 */
#ifndef ONSRAM_NETLINK_H
#define ONSRAM_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/msg.h>

#include <linux/onsram_netlink.h>

#include "eager.h"
#include "planner.h"

#define ONSRAM_NL_NAME_MAX	64

/** struct onsram_nl_device - a device; fields as the attributes of DEVICE_GET */
struct onsram_nl_device {
	uint32_t id;
	char name[ONSRAM_NL_NAME_MAX];
	struct onsram_model model;
	uint32_t policy;
	uint32_t fallback_policy;
	bool agent_attached;
	uint64_t sync;
};

/** struct onsram_nl_graph - a graph; @policy: which of the agent's its client wants, "" none of them */
struct onsram_nl_graph {
	uint32_t id;
	uint32_t client_id;
	char policy[DRM_ONSRAM_POLICY_NAME_LEN];
	uint32_t nr_ops;
	uint32_t nr_tensors;
	bool has_plan;
};

/**
 * struct onsram_nl_copy - a graph's operations and tensors as they arrive
 * @graph: from its first message
 * @headed: @graph is valid
 * @ops: @graph.nr_ops of them
 * @nr_ops: arrived so far
 * @tensors: @graph.nr_tensors of them
 * @nr_tensors: arrived so far
 */
struct onsram_nl_copy {
	struct onsram_nl_graph graph;
	bool headed;
	struct drm_onsram_op *ops;
	uint32_t nr_ops;
	struct onsram_plan_tensor *tensors;
	uint32_t nr_tensors;
};

/** struct onsram_nl_handler - who is told of events; @device is the accel index */
struct onsram_nl_handler {
	void *arg;
	void (*graph_created)(void *arg, uint32_t device, const struct onsram_nl_graph *graph);
	void (*graph_destroyed)(void *arg, uint32_t device, uint32_t graph);
	/* In order: @died are dead before the operation that is told next was submitted */
	void (*retired)(void *arg, uint32_t device, const struct onsram_retired *r);
	void (*died)(void *arg, uint32_t device, uint32_t client_id, const uint32_t *bo, uint32_t n);
	/* @count operations before those that follow were not reported */
	void (*lost)(void *arg, uint32_t device, uint32_t count);
	void (*client_gone)(void *arg, uint32_t device, uint32_t client_id);
	/* The client waits until everything before this is digested; see ONSRAM_CMD_SYNC */
	void (*sync)(void *arg, uint32_t device, uint32_t client_id, uint64_t seq, bool own);
};

/* --- messages (no socket; -EINVAL: malformed) -------------------------------- */

/** onsram_nl_parse_device() - DEVICE_GET, ATTACH */
int onsram_nl_parse_device(struct nlmsghdr *nlh, struct onsram_nl_device *dev);
/** onsram_nl_parse_graph() - an entry of the list of graphs, or GRAPH_CREATED; @device may be NULL */
int onsram_nl_parse_graph(struct nlmsghdr *nlh, struct onsram_nl_graph *graph, uint32_t *device);
/** onsram_nl_parse_copy() - the next message of one graph's dump. Return: also -ENOMEM */
int onsram_nl_parse_copy(struct nlmsghdr *nlh, struct onsram_nl_copy *copy);
/** onsram_nl_copy_check() - whether everything has arrived and operands name tensors of the graph */
int onsram_nl_copy_check(const struct onsram_nl_copy *copy);
/** onsram_nl_copy_release() - free what parsing allocated */
void onsram_nl_copy_release(struct onsram_nl_copy *copy);
/** onsram_nl_parse_event() - pass an event on; those that nobody handles are ignored */
int onsram_nl_parse_event(struct nlmsghdr *nlh, const struct onsram_nl_handler *handler);

/* --- requests, from any thread --------------------------------------------------- */

struct onsram_nl;

/**
 * onsram_nl_open() - sockets for requests and events
 *
 * Return: 0, -ENOENT where the driver is not loaded, -EPERM without CAP_NET_ADMIN.
 */
int onsram_nl_open(struct onsram_nl **nl);
/** onsram_nl_close() - ends being the agent of every device, and puts it; NULL is allowed */
void onsram_nl_close(struct onsram_nl *nl);
/** onsram_nl_get() - requests on a link that was closed meanwhile fail with ENODEV */
struct onsram_nl *onsram_nl_get(struct onsram_nl *nl);
void onsram_nl_put(struct onsram_nl *nl);
/** onsram_nl_why() - what the kernel said when this thread's last request failed, "" where nothing */
const char *onsram_nl_why(void);

/** onsram_nl_devices() - call @fn for every device */
int onsram_nl_devices(struct onsram_nl *nl, void (*fn)(void *arg, const struct onsram_nl_device *dev),
		      void *arg);
/** onsram_nl_attach() - become the agent, with policies of these names; -EBUSY where there is one */
int onsram_nl_attach(struct onsram_nl *nl, uint32_t device, const char *const *policies, uint32_t n,
		     struct onsram_nl_device *dev);
/** onsram_nl_done() - existing graphs have been read */
int onsram_nl_done(struct onsram_nl *nl, uint32_t device);
/** onsram_nl_graphs() - call @fn for every graph; -EAGAIN where the list changed meanwhile */
int onsram_nl_graphs(struct onsram_nl *nl, uint32_t device,
		     void (*fn)(void *arg, const struct onsram_nl_graph *graph), void *arg);
/** onsram_nl_read_graph() - all of a graph; release @copy also on failure */
int onsram_nl_read_graph(struct onsram_nl *nl, uint32_t device, uint32_t graph,
			 struct onsram_nl_copy *copy);
/** onsram_nl_set_plan() - attach a plan */
int onsram_nl_set_plan(struct onsram_nl *nl, uint32_t device, uint32_t graph,
		       const struct onsram_interval *iv, uint32_t n);
/** onsram_nl_set_rules() - set (@gone: delete) rules, all of them alike; none, @gone: delete all */
int onsram_nl_set_rules(struct onsram_nl *nl, uint32_t device, const struct onsram_rule *rules,
			uint32_t n, bool gone);

/** onsram_nl_sync_done() - everything up to @seq is digested and decided; see ONSRAM_CMD_SYNC_DONE */
int onsram_nl_sync_done(struct onsram_nl *nl, uint32_t device, uint64_t seq);

/** onsram_nl_event_fd() - readable when events wait */
int onsram_nl_event_fd(const struct onsram_nl *nl);
/**
 * onsram_nl_read_events() - handle all events that wait
 *
 * Return: 0; -ENOBUFS where events were lost: look at everything anew; -ENODEV
 * when the driver was unloaded.
 */
int onsram_nl_read_events(struct onsram_nl *nl, const struct onsram_nl_handler *handler);

#endif
