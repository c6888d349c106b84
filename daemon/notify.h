/* SPDX-License-Identifier: MIT */
/* Readiness, told to a service manager. */
#ifndef ONSRAM_NOTIFY_H
#define ONSRAM_NOTIFY_H

/**
 * onsram_notify_ready() - tell the service manager, where there is one, that the service is up
 *
 * sd_notify(3)'s protocol: a datagram to the socket that NOTIFY_SOCKET names.
 */
void onsram_notify_ready(void);

#endif
