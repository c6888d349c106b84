// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "table.h"

static uint32_t hash(const struct table *t, uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (t->size - 1);
}

int table_init(struct table *t, uint32_t size)
{
	t->size = size;
	t->node = calloc(size, sizeof(*t->node));
	t->bucket = calloc(size, sizeof(*t->bucket));
	if (!t->node || !t->bucket)
		return -1;
	for (uint32_t i = 0; i < size; i++) {
		t->bucket[i] = NONE;
		t->node[i].chain = i + 1 < size ? i + 1 : NONE;
	}
	t->newest = NONE;
	t->oldest = NONE;
	t->unused = 0;
	return 0;
}

static void unlink_age(struct table *t, uint32_t i)
{
	struct node *n = &t->node[i];

	if (n->newer == NONE)
		t->newest = n->older;
	else
		t->node[n->newer].older = n->older;
	if (n->older == NONE)
		t->oldest = n->newer;
	else
		t->node[n->older].newer = n->newer;
}

static void link_newest(struct table *t, uint32_t i)
{
	struct node *n = &t->node[i];

	n->newer = NONE;
	n->older = t->newest;
	if (t->newest == NONE)
		t->oldest = i;
	else
		t->node[t->newest].newer = i;
	t->newest = i;
}

void table_fini(struct table *t)
{
	free(t->node);
	free(t->bucket);
}

uint32_t table_find(const struct table *t, uint64_t key)
{
	uint32_t i = t->bucket[hash(t, key)];

	while (i != NONE && t->node[i].key != key)
		i = t->node[i].chain;
	return i;
}

void table_remove(struct table *t, uint32_t i)
{
	uint32_t *link = &t->bucket[hash(t, t->node[i].key)];

	while (*link != i)
		link = &t->node[*link].chain;
	*link = t->node[i].chain;
	unlink_age(t, i);
	t->node[i].used = false;
	t->node[i].chain = t->unused;
	t->unused = i;
}

uint32_t table_add(struct table *t, uint64_t key)
{
	uint32_t i = t->unused, *bucket = &t->bucket[hash(t, key)];

	t->unused = t->node[i].chain;
	t->node[i].key = key;
	t->node[i].used = true;
	t->node[i].chain = *bucket;
	*bucket = i;
	link_newest(t, i);
	return i;
}

void table_touch(struct table *t, uint32_t i)
{
	unlink_age(t, i);
	link_newest(t, i);
}
