/* SPDX-License-Identifier: MIT */
/*
 * The sequences that a device knows: planned once, their steps in the kernel until
 * others need the room.
 */
#ifndef ONSRAM_REPERTOIRE_H
#define ONSRAM_REPERTOIRE_H

#include "sequence.h"

#define ONSRAM_REPERTOIRE_MAX	16
/* Steps of all of them, of some 60 bytes here and 100 in the kernel; rules have the rest */
#define ONSRAM_REPERTOIRE_STEPS	(ONSRAM_RULES_MAX - 4096)

/**
 * struct onsram_known - a sequence
 * @hash: names it
 * @owner: client that alone has it, 0: nobody alone
 * @nr: steps; 0: it is not worth any
 * @steps: as planned for it
 * @whole: all of its steps are as planned for it: none is another sequence's
 * @used: when it was last seen, 0: no sequence here
 */
struct onsram_known {
	uint64_t hash;
	uint32_t owner;
	uint32_t nr;
	struct onsram_rule *steps;
	bool whole;
	uint64_t used;
};

/**
 * struct onsram_repertoire - a device's sequences
 * @model: of the device
 * @tell: sets (@gone: deletes) rules in the kernel. Return: 0 or a negative errno
 * @arg: for @tell
 * @known: sequences
 * @clock: counts uses
 */
struct onsram_repertoire {
	struct onsram_model model;
	int (*tell)(void *arg, const struct onsram_rule *steps, uint32_t n, bool gone);
	void *arg;
	struct onsram_known known[ONSRAM_REPERTOIRE_MAX];
	uint64_t clock;
};

/**
 * onsram_repertoire_learn() - a sequence was seen: planned and told where it is new
 *
 * Those not seen for longest make room.  Sequences that begin alike share steps, which
 * are as planned for the one that was first seen twice in a row.
 * Return: 1 where it is new, 0 where it is known, or not worth it, or a negative errno.
 */
int onsram_repertoire_learn(struct onsram_repertoire *r, const struct onsram_sequence *s,
			    uint32_t owner);
/** onsram_repertoire_forget() - a client's own are deleted */
void onsram_repertoire_forget(struct onsram_repertoire *r, uint32_t owner);
/** onsram_repertoire_retell() - the kernel has none of them any more: tell all anew */
void onsram_repertoire_retell(struct onsram_repertoire *r);
/** onsram_repertoire_free() - forgets everything, and tells nobody */
void onsram_repertoire_free(struct onsram_repertoire *r);

#endif
