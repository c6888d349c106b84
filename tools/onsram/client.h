/* SPDX-License-Identifier: MIT */
/* Clients of onsram devices, as /proc/PID/fdinfo has them. */
#ifndef ONSRAM_CLIENT_H
#define ONSRAM_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

/**
 * struct client - an open file of a device
 * @id: drm-client-id, unique on the machine
 * @pid: a process that has it open
 * @name: of that process
 * @compute_ns: modelled time on the compute engines
 * @copy_ns: modelled time on the copy engine
 * @memory_bytes: of its buffers
 * @spm_bytes: resident in the SPM
 */
struct client {
	uint64_t id;
	pid_t pid;
	char name[17];
	uint64_t compute_ns;
	uint64_t copy_ns;
	uint64_t memory_bytes;
	uint64_t spm_bytes;
};

/** struct clients - all of them, by id */
struct clients {
	struct client *client;
	uint32_t nr;
};

/** clients_take() - those of processes this user may look at. Return: 0, or -1 without memory */
int clients_take(struct clients *c);
void clients_release(struct clients *c);
/** clients_find() - by id, or NULL */
const struct client *clients_find(const struct clients *c, uint64_t id);

#endif
