// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device page tables: the walk.
 */

#include <linux/slab.h>

#include "onsram_mmu.h"

#define ONSRAM_PT_BITS		9
#define ONSRAM_PT_LEAF		(ONSRAM_PT_LEVELS - 1)

static u32 onsram_pt_index(u64 va, u32 level)
{
	u32 shift = ONSRAM_PAGE_SHIFT + ONSRAM_PT_BITS * (ONSRAM_PT_LEAF - level);

	return (va >> shift) & (ONSRAM_PT_ENTRIES - 1);
}

static struct onsram_pt_page *onsram_pt_page_new(struct onsram_page_table *pt, u32 level)
{
	struct onsram_pt_page *page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);

	if (!page)
		return NULL;
	if (level < ONSRAM_PT_LEAF) {
		page->child = kcalloc(ONSRAM_PT_ENTRIES, sizeof(*page->child),
				      GFP_KERNEL_ACCOUNT);
		if (!page->child)
			goto err_page;
	}
	page->entry = pt->ops->alloc(pt->priv, &page->dma);
	if (!page->entry)
		goto err_child;
	return page;

err_child:
	kfree(page->child);
err_page:
	kfree(page);
	return NULL;
}

static void onsram_pt_page_free(struct onsram_page_table *pt, struct onsram_pt_page *page)
{
	u32 i;

	for (i = 0; page->child && i < ONSRAM_PT_ENTRIES; i++)
		if (page->child[i])
			onsram_pt_page_free(pt, page->child[i]);
	pt->ops->free(pt->priv, page->entry, page->dma);
	kfree(page->child);
	kfree(page);
}

int onsram_pt_init(struct onsram_page_table *pt, const struct onsram_pt_ops *ops, void *priv)
{
	pt->ops = ops;
	pt->priv = priv;
	pt->root = onsram_pt_page_new(pt, 0);
	return pt->root ? 0 : -ENOMEM;
}

void onsram_pt_fini(struct onsram_page_table *pt)
{
	if (pt->root)
		onsram_pt_page_free(pt, pt->root);
	pt->root = NULL;
}

/* The leaf table that holds @va, made where it is missing */
static struct onsram_pt_page *onsram_pt_leaf(struct onsram_page_table *pt, u64 va)
{
	struct onsram_pt_page *page = pt->root;
	u32 level;

	for (level = 0; level < ONSRAM_PT_LEAF; level++) {
		u32 i = onsram_pt_index(va, level);

		if (!page->child[i]) {
			struct onsram_pt_page *child = onsram_pt_page_new(pt, level + 1);

			if (!child)
				return NULL;
			page->child[i] = child;
			WRITE_ONCE(page->entry[i], cpu_to_le64(child->dma | ONSRAM_PTE_VALID));
		}
		page = page->child[i];
	}
	return page;
}

static bool onsram_pt_range_ok(u64 va, u64 bytes)
{
	return bytes && IS_ALIGNED(va | bytes, ONSRAM_PAGE_SIZE) &&
	       va < ONSRAM_VA_SIZE && bytes <= ONSRAM_VA_SIZE - va;
}

int onsram_pt_map(struct onsram_page_table *pt, u64 va, dma_addr_t pa, u64 bytes, bool write)
{
	u64 flags = ONSRAM_PTE_VALID | (write ? ONSRAM_PTE_WRITE : 0);

	if (!onsram_pt_range_ok(va, bytes) || (pa & ~ONSRAM_PTE_ADDR) ||
	    bytes - 1 > ONSRAM_PTE_ADDR - pa)
		return -EINVAL;

	while (bytes) {
		struct onsram_pt_page *leaf = onsram_pt_leaf(pt, va);
		u32 i = onsram_pt_index(va, ONSRAM_PT_LEAF);

		if (!leaf)
			return -ENOMEM;
		for (; bytes && i < ONSRAM_PT_ENTRIES; i++) {
			if (leaf->entry[i])
				return -EEXIST;
			WRITE_ONCE(leaf->entry[i], cpu_to_le64(pa | flags));
			pa += ONSRAM_PAGE_SIZE;
			va += ONSRAM_PAGE_SIZE;
			bytes -= ONSRAM_PAGE_SIZE;
		}
	}
	return 0;
}

void onsram_pt_unmap(struct onsram_page_table *pt, u64 va, u64 bytes)
{
	struct onsram_pt_page *page;
	u64 end = va + bytes;
	u32 level;

	if (!onsram_pt_range_ok(va, bytes))
		return;
	while (va < end) {
		page = pt->root;
		for (level = 0; page && level < ONSRAM_PT_LEAF; level++)
			page = page->child[onsram_pt_index(va, level)];
		if (page)
			WRITE_ONCE(page->entry[onsram_pt_index(va, ONSRAM_PT_LEAF)], 0);
		va += ONSRAM_PAGE_SIZE;
	}
}
