// SPDX-License-Identifier: MIT
#include <stddef.h>

#include "history.h"

int onsram_history_init(struct onsram_history *h, const struct onsram_model *model)
{
	*h = (struct onsram_history){ .model = *model, .shared = onsram_eager_new(model) };
	return h->shared ? 0 : -1;
}

void onsram_history_free(struct onsram_history *h)
{
	onsram_history_for_each(h, onsram_eager_free);
	*h = (struct onsram_history){ 0 };
}

static int find(struct onsram_history *h, uint32_t client_id)
{
	for (int i = 0; i < ONSRAM_HISTORY_OWN; i++)
		if (h->own[i].eager && h->own[i].client_id == client_id)
			return i;
	return -1;
}

struct onsram_eager *onsram_history_of(struct onsram_history *h, uint32_t client_id)
{
	int i = find(h, client_id);

	return i < 0 ? h->shared : h->own[i].eager;
}

struct onsram_eager *onsram_history_give(struct onsram_history *h, uint32_t client_id,
					 struct onsram_eager **evicted)
{
	int i = find(h, client_id);
	struct onsram_eager *e;

	*evicted = NULL;
	if (i < 0) {
		e = onsram_eager_new(&h->model);
		if (!e)
			return h->shared;
		i = 0;
		for (int k = 1; k < ONSRAM_HISTORY_OWN; k++)
			if (h->own[i].eager && (!h->own[k].eager || h->own[k].used < h->own[i].used))
				i = k;
		*evicted = h->own[i].eager;
		h->own[i].eager = e;
		h->own[i].client_id = client_id;
	}
	h->own[i].used = ++h->clock;
	return h->own[i].eager;
}

struct onsram_eager *onsram_history_take(struct onsram_history *h, uint32_t client_id)
{
	struct onsram_eager *e = NULL;
	int i = find(h, client_id);

	if (i >= 0) {
		e = h->own[i].eager;
		h->own[i].eager = NULL;
	}
	return e;
}

void onsram_history_for_each(struct onsram_history *h, void (*fn)(struct onsram_eager *e))
{
	fn(h->shared);
	for (int i = 0; i < ONSRAM_HISTORY_OWN; i++)
		if (h->own[i].eager)
			fn(h->own[i].eager);
}
