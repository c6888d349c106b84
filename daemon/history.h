/* SPDX-License-Identifier: MIT */
/*
 * What has been learnt on a device: a history that its clients share, one of its own
 * for each client that wants to be measured, and a record of what each did last.
 */
#ifndef ONSRAM_HISTORY_H
#define ONSRAM_HISTORY_H

#include "eager.h"
#include "sequence.h"

/* A client takes 3 MB, 4 with a history of its own; of more, those not heard of for longest go */
#define ONSRAM_HISTORY_CLIENTS	12

/**
 * struct onsram_client - a client; @recorder NULL: none
 * @id: its number
 * @recorder: what it did last
 * @own: its own history, NULL: it shares
 * @used: when it was heard of last
 */
struct onsram_client {
	uint32_t id;
	struct onsram_recorder *recorder;
	struct onsram_eager *own;
	uint64_t used;
};

/**
 * struct onsram_history - a device's
 * @shared: of all clients without their own; NULL without memory
 * @client: those heard of last
 * @clock: counts uses of @client
 */
struct onsram_history {
	struct onsram_eager *shared;
	struct onsram_client client[ONSRAM_HISTORY_CLIENTS];
	uint64_t clock;
};

/** onsram_history_init() - empty. Return: 0 or -1 without memory */
int onsram_history_init(struct onsram_history *h);
/** onsram_history_free() - all of it */
void onsram_history_free(struct onsram_history *h);
/**
 * onsram_history_client() - a client, which begins here where it is new
 * @evicted: own history of a client that made room: its rules are to be deleted, then it is to be
 *	freed; or NULL
 *
 * Return: NULL without memory
 */
struct onsram_client *onsram_history_client(struct onsram_history *h, uint32_t id,
					    struct onsram_eager **evicted);
/** onsram_history_own() - begin a history of its own where the client has none; without memory it shares */
void onsram_history_own(struct onsram_client *c);
/** onsram_history_of() - the one that its operations enter; @c may be NULL */
struct onsram_eager *onsram_history_of(struct onsram_history *h, const struct onsram_client *c);
/** onsram_history_end() - a client is no more. Return: its own history, which the caller frees, or NULL */
struct onsram_eager *onsram_history_end(struct onsram_history *h, uint32_t id);
/** onsram_history_gap() - operations were lost */
void onsram_history_gap(struct onsram_history *h);
/** onsram_history_retell() - no rule is in force: tell them all anew */
void onsram_history_retell(struct onsram_history *h);

#endif
