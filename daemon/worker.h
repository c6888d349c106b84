/* SPDX-License-Identifier: MIT */
/*
 * Planning in the background: a thread for each device, so that a plan that takes
 * long holds up neither events nor other devices.  It plans graphs, and sequences of
 * operations that repeat.
 */
#ifndef ONSRAM_WORKER_H
#define ONSRAM_WORKER_H

#include "netlink.h"
#include "sequence.h"

/* Requests that can wait; where graphs find no room the worker lists them itself */
#define ONSRAM_WORKER_QUEUE	256

struct onsram_worker;

/**
 * onsram_worker_new() - a thread that begins with every graph that should have a plan and has none
 *
 * Return: NULL where there is no memory or no thread
 */
struct onsram_worker *onsram_worker_new(struct onsram_nl *nl, const struct onsram_nl_device *dev);
/** onsram_worker_free() - it ends when it has planned what it plans now; NULL is allowed */
void onsram_worker_free(struct onsram_worker *w);
/** onsram_worker_plan() - a graph should have a plan */
void onsram_worker_plan(struct onsram_worker *w, const struct onsram_nl_graph *graph);
/** onsram_worker_cancel() - a graph is no more */
void onsram_worker_cancel(struct onsram_worker *w, uint32_t graph);
/** onsram_worker_rescan() - there may be graphs that it has not been told of */
void onsram_worker_rescan(struct onsram_worker *w);
/** onsram_worker_learn() - a pass that a client's own (@own) or shared history found; takes it */
void onsram_worker_learn(struct onsram_worker *w, struct onsram_sequence *s, uint32_t client_id,
			 bool own);
/** onsram_worker_forget() - a client is no more: nor are sequences of its own */
void onsram_worker_forget(struct onsram_worker *w, uint32_t client_id);
/** onsram_worker_retell() - the kernel has no rules any more: steps of sequences are told anew */
void onsram_worker_retell(struct onsram_worker *w);
/** onsram_worker_sync() - answer SYNC_DONE when everything asked for so far is done */
void onsram_worker_sync(struct onsram_worker *w, uint64_t seq);
/** onsram_worker_beat() - while it works: tell the kernel that the daemon is alive. Return: whether it does */
bool onsram_worker_beat(struct onsram_worker *w);

#endif
