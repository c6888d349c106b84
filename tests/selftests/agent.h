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
