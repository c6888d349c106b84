/* SPDX-License-Identifier: MIT */
/*
 * A device that exists only in the test: open(2), close(2), ioctl(2) and mmap(2) are
 * replaced at link time.  It keeps buffers, checks what it is given as the driver
 * does, and records every call.
 */
#ifndef ONSRAM_MOCK_DEVICE_H
#define ONSRAM_MOCK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drm/onsram_accel.h>

#define MOCK_FD		4242
#define MOCK_MAX_CALLS	4096
#define MOCK_MAX_BOS	128

struct mock_call {
	unsigned long request;
	uint32_t handle;	/* of a buffer call; SUBMIT: of the output */
	uint32_t value;		/* advice, policy, opcode, prep flags */
	uint64_t point;		/* signalled by SUBMIT, GRAPH_RUN */
};

/* What the test arranges (top) and finds (bottom) */
struct mock {
	int node;			/* N of the accelN that is onsram's, -1: none */
	int other_node;			/* one of another driver, -1: none */
	int open_error;			/* errno of open(2) for node, 0: opens */
	unsigned long fail_request;	/* this ioctl fails ... */
	int fail_errno;			/* ... like this ... */
	int fail_after;			/* ... after so many good ones, once */
	int interrupt;			/* so many EINTR before each ioctl */
	int plan;			/* result of GRAPH_WAIT_PLAN: errno or 0 */
	int agent;			/* result of AGENT_SYNC: errno or 0 */
	bool jobs_fail;			/* every job ends in an error */

	struct mock_call call[MOCK_MAX_CALLS];
	uint32_t nr_calls;
	uint32_t open_fds;
	struct { uint64_t size; void *data; bool open; } bo[MOCK_MAX_BOS];	/* by handle */
	uint32_t nr_bos;
	struct drm_onsram_tensor tensor[MOCK_MAX_BOS];	/* of the last graph */
	uint32_t nr_tensors;
	uint32_t nr_ops;
	uint32_t graphs_alive;
	uint32_t syncs_alive;
	uint64_t point;
	struct drm_onsram_stats stats;
};

extern struct mock mock;

/** mock_reset() - no device, nothing recorded */
void mock_reset(void);
/** mock_find() - index of the @nr-th call of @request, or -1 */
int mock_find(unsigned long request, uint32_t nr);
/** mock_count() - calls of @request */
uint32_t mock_count(unsigned long request);
/** mock_bos_open() - buffers that were not closed */
uint32_t mock_bos_open(void);

#endif
