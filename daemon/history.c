// SPDX-License-Identifier: MIT
#include <stddef.h>

#include "history.h"

int onsram_history_init(struct onsram_history *h)
{
	*h = (struct onsram_history){ .shared = onsram_eager_new() };
	return h->shared ? 0 : -1;
}

void onsram_history_free(struct onsram_history *h)
{
	for (int i = 0; i < ONSRAM_HISTORY_CLIENTS; i++) {
		onsram_recorder_free(h->client[i].recorder);
		onsram_eager_free(h->client[i].own);
	}
	onsram_eager_free(h->shared);
	*h = (struct onsram_history){ 0 };
}

static struct onsram_client *find(struct onsram_history *h, uint32_t id)
{
	for (int i = 0; i < ONSRAM_HISTORY_CLIENTS; i++)
		if (h->client[i].recorder && h->client[i].id == id)
			return &h->client[i];
	return NULL;
}

struct onsram_client *onsram_history_client(struct onsram_history *h, uint32_t id,
					    struct onsram_eager **evicted)
{
	struct onsram_client *c = find(h, id);
	struct onsram_recorder *recorder;

	*evicted = NULL;
	if (!c) {
		recorder = onsram_recorder_new();
		if (!recorder)
			return NULL;
		c = h->client;
		for (int i = 1; i < ONSRAM_HISTORY_CLIENTS; i++)
			if (h->client[i].used < c->used)
				c = &h->client[i];
		onsram_recorder_free(c->recorder);
		*evicted = c->own;
		*c = (struct onsram_client){ .id = id, .recorder = recorder };
	}
	c->used = ++h->clock;
	return c;
}

void onsram_history_own(struct onsram_client *c)
{
	if (!c->own)
		c->own = onsram_eager_new();
}

struct onsram_eager *onsram_history_of(struct onsram_history *h, const struct onsram_client *c)
{
	return c && c->own ? c->own : h->shared;
}

struct onsram_eager *onsram_history_end(struct onsram_history *h, uint32_t id)
{
	struct onsram_client *c = find(h, id);
	struct onsram_eager *own;

	onsram_eager_client_gone(h->shared, id);
	if (!c)
		return NULL;
	own = c->own;
	onsram_recorder_free(c->recorder);
	*c = (struct onsram_client){ 0 };
	return own;
}

void onsram_history_gap(struct onsram_history *h)
{
	onsram_eager_gap(h->shared);
	for (int i = 0; i < ONSRAM_HISTORY_CLIENTS; i++) {
		if (h->client[i].own)
			onsram_eager_gap(h->client[i].own);
		if (h->client[i].recorder)
			onsram_recorder_gap(h->client[i].recorder);
	}
}

void onsram_history_retell(struct onsram_history *h)
{
	onsram_eager_retell(h->shared);
	for (int i = 0; i < ONSRAM_HISTORY_CLIENTS; i++)
		if (h->client[i].own)
			onsram_eager_retell(h->client[i].own);
}
