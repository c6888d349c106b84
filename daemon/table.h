/* SPDX-License-Identifier: MIT */
/*
 * A bounded hash table that knows which entry has not been touched for longest.
 * Entries are indices; their contents are the user's own array.
 */
#ifndef ONSRAM_TABLE_H
#define ONSRAM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/** NONE - no entry */
#define NONE	UINT32_MAX

/** struct node - an entry: its key, and links of hash chain and age list */
struct node {
	uint64_t key;
	uint32_t chain;
	uint32_t newer;
	uint32_t older;
	bool used;
};

/**
 * struct table - the table
 * @node: entries
 * @bucket: first entry of each hash chain
 * @size: number of entries and of buckets, a power of two
 * @newest: entry touched last
 * @oldest: entry not touched for longest
 * @unused: chain of free entries; NONE: the table is full
 */
struct table {
	struct node *node;
	uint32_t *bucket;
	uint32_t size;
	uint32_t newest;
	uint32_t oldest;
	uint32_t unused;
};

/** table_init() - an empty table. Return: 0, or -1 without memory (table_fini() is due nevertheless) */
int table_init(struct table *t, uint32_t size);
/** table_fini() - free the table */
void table_fini(struct table *t);
/** table_find() - entry of a key, or NONE */
uint32_t table_find(const struct table *t, uint64_t key);
/** table_add() - a new entry; the caller has made sure that the table is not full */
uint32_t table_add(struct table *t, uint64_t key);
/** table_touch() - make an entry the newest */
void table_touch(struct table *t, uint32_t i);
/** table_remove() - free an entry */
void table_remove(struct table *t, uint32_t i);

#endif
