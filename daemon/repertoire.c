// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "repertoire.h"

static struct onsram_rule *find_step(struct onsram_known *k, uint32_t state, uint64_t key)
{
	for (uint32_t i = 0; i < k->nr; i++)
		if (k->steps[i].state == state && k->steps[i].key == key)
			return &k->steps[i];
	return NULL;
}

/* The step of another sequence than @but that begins in @state with @key */
static struct onsram_rule *find_other(struct onsram_repertoire *r, const struct onsram_known *but,
				      uint32_t state, uint64_t key)
{
	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++) {
		struct onsram_rule *step = find_step(&r->known[i], state, key);

		if (step && &r->known[i] != but)
			return step;
	}
	return NULL;
}

static void drop(struct onsram_known *k)
{
	free(k->steps);
	*k = (struct onsram_known){ 0 };
}

/* Deletes its steps, but for those that other sequences begin with, too */
static void delete(struct onsram_repertoire *r, struct onsram_known *k)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->nr; i++)
		if (!find_other(r, k, k->steps[i].state, k->steps[i].key))
			k->steps[n++] = k->steps[i];
	if (n)
		r->tell(r->arg, k->steps, n, true);
	drop(k);
}

static struct onsram_known *oldest(struct onsram_repertoire *r)
{
	struct onsram_known *old = NULL;

	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++)
		if (r->known[i].used && (!old || r->known[i].used < old->used))
			old = &r->known[i];
	return old;
}

/* A free entry, and room for @nr more steps */
static struct onsram_known *make_room(struct onsram_repertoire *r, uint32_t nr)
{
	for (;;) {
		struct onsram_known *unused = NULL;
		uint32_t steps = nr;

		for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++) {
			steps += r->known[i].nr;
			if (!r->known[i].used)
				unused = &r->known[i];
		}
		if (unused && steps <= ONSRAM_REPERTOIRE_STEPS)
			return unused;
		delete(r, oldest(r));
	}
}

/*
 * As long as it goes as another one went, it goes through that one's states.
 * Return: how many steps they share
 */
static uint32_t merge(struct onsram_repertoire *r, const struct onsram_known *k)
{
	uint32_t state = ONSRAM_STATE_START, i;

	for (i = 0; i < k->nr; i++) {
		struct onsram_rule *other = find_other(r, k, state, k->steps[i].key);

		k->steps[i].state = state;
		if (!other)
			break;
		/* Where the other one ends there is a state of its own to go on from */
		if (i + 1 < k->nr && other->next != ONSRAM_STATE_START)
			k->steps[i].next = other->next;
		state = k->steps[i].next;
	}
	return i;
}

/* Its steps, also those that it shares, are as planned for it from now on */
static int take_over(struct onsram_repertoire *r, struct onsram_known *k)
{
	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++)
		if (find_step(&r->known[i], ONSRAM_STATE_START, k->steps[0].key))
			r->known[i].whole = false;
	k->whole = true;
	return r->tell(r->arg, k->steps, k->nr, false);
}

int onsram_repertoire_learn(struct onsram_repertoire *r, const struct onsram_sequence *s,
			    uint32_t owner)
{
	struct onsram_known *k;
	uint32_t shared;
	int ret;

	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++) {
		k = &r->known[i];
		if (k->used && k->hash == s->hash && k->owner == owner) {
			if (k->used == r->clock && k->nr && !k->whole)
				take_over(r, k);
			k->used = ++r->clock;
			return 0;
		}
	}
	k = make_room(r, s->nr_ops);
	k->steps = calloc(s->nr_ops, sizeof(*k->steps));
	if (!k->steps)
		return -ENOMEM;
	/* States of its own: entry by entry, so that no two sequences share one unasked */
	ret = onsram_sequence_steps(s, &r->model,
				    (uint32_t)(k - r->known + 1) * ONSRAM_SEQUENCE_MAX, k->steps);
	if (ret < 0) {
		drop(k);
		return -ENOMEM;
	}
	k->hash = s->hash;
	k->owner = owner;
	k->used = ++r->clock;
	if (ret)
		return 0;
	k->nr = s->nr_ops;
	shared = merge(r, k);
	k->whole = !shared;
	ret = shared < k->nr ? r->tell(r->arg, k->steps + shared, k->nr - shared, false) : 0;
	if (ret)
		drop(k);
	return ret ? ret : 1;
}

void onsram_repertoire_forget(struct onsram_repertoire *r, uint32_t owner)
{
	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++)
		if (r->known[i].used && r->known[i].owner == owner)
			delete(r, &r->known[i]);
}

void onsram_repertoire_retell(struct onsram_repertoire *r)
{
	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++)
		if (r->known[i].nr && r->tell(r->arg, r->known[i].steps, r->known[i].nr, false))
			drop(&r->known[i]);
}

void onsram_repertoire_free(struct onsram_repertoire *r)
{
	for (uint32_t i = 0; i < ONSRAM_REPERTOIRE_MAX; i++)
		drop(&r->known[i]);
}
