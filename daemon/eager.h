/* SPDX-License-Identifier: MIT */
/*
 * OnSRAM-Eager: rules learnt from operations that retired.
 *
 * Pure: no device, no netlink.  An operation is known by its key (its signature
 * in the context of the three before it).  Per key the history tells whether what
 * the operation writes is read before it dies or is overwritten: then it is held
 * like lru holds everything, else it is not.
 */
#ifndef ONSRAM_EAGER_H
#define ONSRAM_EAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drm/onsram_accel.h>
#include <linux/onsram_netlink.h>

#include "perf.h"

/** struct onsram_retired - an operation that completed; fields as enum onsram_attr_retired */
struct onsram_retired {
	uint32_t client_id;
	uint64_t key;
	struct drm_onsram_op op;
	uint32_t resident;
	uint64_t time_ps;
	uint64_t signature;
	uint64_t bytes[ONSRAM_MAX_OPERANDS];
};

/**
 * struct onsram_rule - a rule to be set, or (@gone) deleted; fields as enum onsram_attr_rule
 *
 * With @state it is a step of a sequence, else @next and @place mean nothing.
 */
struct onsram_rule {
	uint64_t key;
	uint32_t actions;
	uint32_t priority;
	bool gone;
	uint32_t state;
	uint32_t next;
	uint32_t place[ONSRAM_MAX_OPERANDS];
};

struct onsram_eager;

/** onsram_eager_new() - an empty history. Return: NULL without memory */
struct onsram_eager *onsram_eager_new(void);
/** onsram_eager_free() - NULL is allowed */
void onsram_eager_free(struct onsram_eager *e);
/** onsram_eager_observe() - learn from an operation; in the order they retired */
void onsram_eager_observe(struct onsram_eager *e, const struct onsram_retired *r);
/** onsram_eager_died() - nobody will read a buffer again; in order with what retired */
void onsram_eager_died(struct onsram_eager *e, uint32_t bo);
/** onsram_eager_retell() - no rule is in force: tell them all anew */
void onsram_eager_retell(struct onsram_eager *e);
/** onsram_eager_withdraw() - let next_rule() delete every rule that was told; before free */
void onsram_eager_withdraw(struct onsram_eager *e);
/** onsram_eager_gap() - operations were lost: what buffers were waiting for is unknown */
void onsram_eager_gap(struct onsram_eager *e);
/** onsram_eager_client_gone() - its buffers are no more */
void onsram_eager_client_gone(struct onsram_eager *e, uint32_t client_id);
/** onsram_eager_next_rule() - a rule that changed since it was last told. Return: false when there is none */
bool onsram_eager_next_rule(struct onsram_eager *e, struct onsram_rule *rule);

#endif
