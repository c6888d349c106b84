/* SPDX-License-Identifier: MIT */
/*
 * What has been learnt on a device: one history that its clients share, and one of
 * its own for each client that wants to be measured.
 */
#ifndef ONSRAM_HISTORY_H
#define ONSRAM_HISTORY_H

#include "eager.h"

/* A history is some 5 MB; of more clients the one that was not heard of for longest shares */
#define ONSRAM_HISTORY_OWN	8

/**
 * struct onsram_history - a device's
 * @model: of the device
 * @shared: of all clients without their own; NULL without memory
 * @own: of one client each, where .eager is not NULL
 * @clock: counts uses of @own
 */
struct onsram_history {
	struct onsram_model model;
	struct onsram_eager *shared;
	struct {
		struct onsram_eager *eager;
		uint32_t client_id;
		uint64_t used;
	} own[ONSRAM_HISTORY_OWN];
	uint64_t clock;
};

/** onsram_history_init() - empty. Return: 0 or -1 without memory */
int onsram_history_init(struct onsram_history *h, const struct onsram_model *model);
/** onsram_history_free() - all of them */
void onsram_history_free(struct onsram_history *h);
/** onsram_history_of() - the one that a client's operations enter */
struct onsram_eager *onsram_history_of(struct onsram_history *h, uint32_t client_id);
/**
 * onsram_history_give() - a client's own, begun empty where it has none yet
 * @evicted: one that made room: its rules are to be deleted, then it is to be freed; or NULL
 *
 * Return: the history; the shared one without memory
 */
struct onsram_eager *onsram_history_give(struct onsram_history *h, uint32_t client_id,
					 struct onsram_eager **evicted);
/** onsram_history_take() - ends a client's own, which is returned, or NULL where it has none */
struct onsram_eager *onsram_history_take(struct onsram_history *h, uint32_t client_id);
/** onsram_history_for_each() - each of them */
void onsram_history_for_each(struct onsram_history *h, void (*fn)(struct onsram_eager *e));

#endif
