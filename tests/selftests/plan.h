/* SPDX-License-Identifier: MIT */
/*
 * Plans of a test that is the policy agent.
 */
#ifndef ONSRAM_TEST_PLAN_H
#define ONSRAM_TEST_PLAN_H

#include "agent.h"

#define PLACE	BUFFER_BYTES	/* a buffer is whole granules */

/** struct interval - of a plan; @leave_out: an attribute that is not sent, or 0 */
struct interval {
	uint32_t field[ONSRAM_A_INTERVAL_MAX + 1]; /* by attribute, but for the begin */
	uint64_t begin;
	uint32_t leave_out;
};

/** interval() - the whole of a buffer stays; nothing overlaps */
struct interval interval(uint32_t tensor, uint32_t first, uint32_t last, uint32_t flags, uint32_t offset);
/** part() - @bytes from @begin stay, where they were did the whole buffer lie at @offset */
struct interval part(uint32_t tensor, uint32_t first, uint32_t last, uint32_t flags, uint32_t offset,
		     uint64_t begin, uint32_t bytes);
/** set_plan() - Return: as ask() */
int set_plan(struct nl_sock *sock, int family, const struct client *c, uint32_t graph,
	     const struct interval *intervals, uint32_t nr);
/** run_graph() - and wait for it. Return: 0 or a negative errno */
int run_graph(struct client *c, uint32_t graph);

#endif
