/* SPDX-License-Identifier: MIT */
/* The link to the kernel, as the files that use its sockets see it. */
#ifndef ONSRAM_NETLINK_LINK_H
#define ONSRAM_NETLINK_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "netlink.h"

/**
 * struct onsram_nl - the link to the kernel
 * @req: requests; the agent of the devices attached to is this socket
 * @ev: events; a socket of its own, so that they never mix with answers
 * @family: id of the family
 * @lock: one request at a time; guards @req
 * @refs: users
 */
struct onsram_nl {
	struct nl_sock *req;
	struct nl_sock *ev;
	int family;
	pthread_mutex_t lock;
	atomic_uint refs;
};

/** onsram_nl_errno() - the negative errno for what the library returned */
int onsram_nl_errno(int err);

#endif
