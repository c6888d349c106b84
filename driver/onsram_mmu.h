/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device page tables: three levels of 512 entries, 4 KiB pages.
 *
 * The walk is apart from where tables come from and what bus address they
 * have, so that it can be tested without a device.
 */
#ifndef _ONSRAM_MMU_H_
#define _ONSRAM_MMU_H_

#include <linux/bits.h>
#include <linux/types.h>

#include "onsram_hwif.h"

#define ONSRAM_PAGE_SIZE	BIT_ULL(ONSRAM_PAGE_SHIFT)
#define ONSRAM_VA_SIZE		BIT_ULL(ONSRAM_VA_BITS)

/**
 * struct onsram_pt_page - a table and the driver's view of its children
 * @entry: what the device reads
 * @dma: bus address of @entry
 * @child: next level's tables, NULL in a leaf table
 */
struct onsram_pt_page {
	__le64 *entry;
	dma_addr_t dma;
	struct onsram_pt_page **child;
};

/**
 * struct onsram_pt_ops - where tables come from
 * @alloc: a zeroed page of entries and its bus address; NULL without memory
 * @free: gives it back
 */
struct onsram_pt_ops {
	__le64 *(*alloc)(void *priv, dma_addr_t *dma);
	void (*free)(void *priv, __le64 *entry, dma_addr_t dma);
};

/**
 * struct onsram_page_table - an address space
 * @ops: memory for tables
 * @priv: for @ops
 * @root: top level
 */
struct onsram_page_table {
	const struct onsram_pt_ops *ops;
	void *priv;
	struct onsram_pt_page *root;
};

/** onsram_pt_init() - an empty address space; -ENOMEM */
int onsram_pt_init(struct onsram_page_table *pt, const struct onsram_pt_ops *ops, void *priv);
/** onsram_pt_fini() - frees every table, mapped or not */
void onsram_pt_fini(struct onsram_page_table *pt);
/**
 * onsram_pt_map() - maps @bytes at @va to @pa, pages; -ENOMEM leaves what it mapped, -EINVAL,
 * -EEXIST
 */
int onsram_pt_map(struct onsram_page_table *pt, u64 va, dma_addr_t pa, u64 bytes, bool write);
/**
 * onsram_pt_unmap() - unmaps a range, mapped or not
 *
 * Tables stay until onsram_pt_fini(): the device may be walking them for
 * another buffer, and the driver reuses addresses.
 */
void onsram_pt_unmap(struct onsram_page_table *pt, u64 va, u64 bytes);

#endif
