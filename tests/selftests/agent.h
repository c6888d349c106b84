/* SPDX-License-Identifier: MIT */
/*
 * A test as the policy agent: requests of the netlink family and their answers.
 */
#ifndef ONSRAM_TEST_AGENT_H
#define ONSRAM_TEST_AGENT_H

#include <linux/onsram_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "client.h"

#define MAX_ENTRIES	32

/* What the events told, in order: operations by key, deaths by buffer */
struct heard {
	struct { uint64_t key; uint64_t signature; uint32_t bo; } entry[MAX_ENTRIES];
	uint32_t nr;
	uint32_t lost;
	uint64_t sync;
	uint32_t client;
	bool private;
};

/** open_sockets() - one for requests, one that hears events. Return: 0 or -1 */
int open_sockets(struct nl_sock **sock, struct nl_sock **events, int *family);
/** hear_sync() - listen until a SYNC came. Return: its number, 0 where none came */
uint64_t hear_sync(struct nl_sock *events, struct heard *h);

/** request() - a message to be filled */
struct nl_msg *request(int family, uint8_t cmd, int flags);
/**
 * ask() - send and wait for the end of it
 * @messages: counts answers; -1 where answers precede the acknowledgement; may be NULL
 *
 * Return: 0 or the errno, positive
 */
int ask(struct nl_sock *sock, struct nl_msg *msg, int *messages);
/** simple() - a request that names the device alone. Return: as ask() */
int simple(struct nl_sock *sock, int family, uint8_t cmd, uint32_t device);
/** attach() - become the agent of the client's device. Return: as ask() */
int attach(struct nl_sock *sock, int family, const struct client *c);

#endif
