// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: device page tables, walked as the device walks them: by bus addresses.
 */
#include <kunit/test.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "onsram_mmu.h"

#define MAX_TABLES	32
#define TABLE_DMA(i)	(0x100000000ull + (u64)(i) * SZ_4K)

/**
 * struct mmu_test - tables by made-up bus addresses
 * @table: memory of each, NULL once freed
 * @nr: tables ever allocated
 * @limit: allocations that succeed
 * @pt: what is tested
 */
struct mmu_test {
	__le64 *table[MAX_TABLES];
	u32 nr;
	u32 limit;
	struct onsram_page_table pt;
};

static __le64 *mmu_test_alloc(void *priv, dma_addr_t *dma)
{
	struct mmu_test *m = priv;

	if (m->nr == m->limit)
		return NULL;
	m->table[m->nr] = kzalloc(SZ_4K, GFP_KERNEL);
	*dma = TABLE_DMA(m->nr);
	return m->table[m->nr++];
}

static void mmu_test_free(void *priv, __le64 *entry, dma_addr_t dma)
{
	struct mmu_test *m = priv;
	u32 i = (dma - TABLE_DMA(0)) / SZ_4K;

	if (i < m->nr && m->table[i] == entry)
		m->table[i] = NULL;
	kfree(entry);
}

static const struct onsram_pt_ops mmu_test_ops = { mmu_test_alloc, mmu_test_free };

/* What the device finds, 0 where an entry on the way is not valid */
static u64 mmu_test_translate(struct kunit *test, struct mmu_test *m, u64 va)
{
	u64 entry = m->pt.root->dma | ONSRAM_PTE_VALID;
	int level;

	for (level = ONSRAM_PT_LEVELS - 1; level >= 0; level--) {
		u64 dma = entry & ONSRAM_PTE_ADDR;
		u32 i = (dma - TABLE_DMA(0)) / SZ_4K;

		KUNIT_ASSERT_LT(test, i, m->nr);
		KUNIT_ASSERT_NOT_NULL(test, m->table[i]);
		entry = le64_to_cpu(m->table[i][(va >> (ONSRAM_PAGE_SHIFT + 9 * level)) & 511]);
		if (!(entry & ONSRAM_PTE_VALID))
			return 0;
	}
	return entry;
}

static int mmu_test_init(struct kunit *test)
{
	struct mmu_test *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->limit = MAX_TABLES;
	KUNIT_ASSERT_EQ(test, onsram_pt_init(&m->pt, &mmu_test_ops, m), 0);
	test->priv = m;
	return 0;
}

static void mmu_test_exit(struct kunit *test)
{
	struct mmu_test *m = test->priv;
	u32 i;

	if (!m)
		return;
	onsram_pt_fini(&m->pt);
	for (i = 0; i < m->nr; i++)
		KUNIT_EXPECT_NULL(test, m->table[i]);
}

static void onsram_mmu_maps(struct kunit *test)
{
	struct mmu_test *m = test->priv;
	/* across a leaf table's and a middle table's end */
	u64 va = SZ_1G - SZ_8K, pa = 0x12345000;
	u32 page;

	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, va), 0);
	KUNIT_ASSERT_EQ(test, onsram_pt_map(&m->pt, va, pa, SZ_16K, true), 0);
	for (page = 0; page < 4; page++) {
		u64 entry = mmu_test_translate(test, m, va + page * SZ_4K);

		KUNIT_EXPECT_EQ(test, entry,
				(pa + page * SZ_4K) | ONSRAM_PTE_VALID | ONSRAM_PTE_WRITE);
	}
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, va - SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, va + SZ_16K), 0);
}

static void onsram_mmu_protects(struct kunit *test)
{
	struct mmu_test *m = test->priv;

	KUNIT_ASSERT_EQ(test, onsram_pt_map(&m->pt, SZ_1M, SZ_2M, SZ_4K, false), 0);
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, SZ_1M), SZ_2M | ONSRAM_PTE_VALID);
	/* what is mapped stays what it is */
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, SZ_1M, SZ_4M, SZ_4K, true), -EEXIST);
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, SZ_1M), SZ_2M | ONSRAM_PTE_VALID);
}

static void onsram_mmu_refuses(struct kunit *test)
{
	struct mmu_test *m = test->priv;

	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, 1, SZ_2M, SZ_4K, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, SZ_4K, 1, SZ_4K, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, SZ_4K, SZ_2M, SZ_4K + 1, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, ONSRAM_VA_SIZE, SZ_2M, SZ_4K, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, ONSRAM_VA_SIZE - SZ_4K, SZ_2M, SZ_8K, true),
			-EINVAL);
	/* the last page there is */
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, ONSRAM_VA_SIZE - SZ_4K, SZ_2M, SZ_4K, true), 0);
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, ONSRAM_VA_SIZE - SZ_4K),
			SZ_2M | ONSRAM_PTE_VALID | ONSRAM_PTE_WRITE);
}

static void onsram_mmu_unmaps(struct kunit *test)
{
	struct mmu_test *m = test->priv;
	u32 tables;

	KUNIT_ASSERT_EQ(test, onsram_pt_map(&m->pt, SZ_2M - SZ_8K, SZ_1M, SZ_16K, true), 0);
	onsram_pt_unmap(&m->pt, SZ_2M - SZ_4K, SZ_8K);
	KUNIT_EXPECT_NE(test, mmu_test_translate(test, m, SZ_2M - SZ_8K), 0);
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, SZ_2M - SZ_4K), 0);
	KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, SZ_2M), 0);
	KUNIT_EXPECT_NE(test, mmu_test_translate(test, m, SZ_2M + SZ_4K), 0);
	/* where nothing ever was */
	onsram_pt_unmap(&m->pt, 3ull * SZ_1G, SZ_16K);
	/* the tables are still there for the next one */
	tables = m->nr;
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, SZ_2M - SZ_4K, SZ_8M, SZ_8K, true), 0);
	KUNIT_EXPECT_EQ(test, m->nr, tables);
}

static void onsram_mmu_without_memory(struct kunit *test)
{
	struct mmu_test *m = test->priv;

	for (m->limit = 1; m->limit < 3; m->limit++) {
		KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, SZ_1M, SZ_2M, SZ_4K, true), -ENOMEM);
		KUNIT_EXPECT_EQ(test, mmu_test_translate(test, m, SZ_1M), 0);
	}
	KUNIT_EXPECT_EQ(test, onsram_pt_map(&m->pt, SZ_1M, SZ_2M, SZ_4K, true), 0);
}

static struct kunit_case onsram_mmu_test_cases[] = {
	KUNIT_CASE(onsram_mmu_maps),
	KUNIT_CASE(onsram_mmu_protects),
	KUNIT_CASE(onsram_mmu_refuses),
	KUNIT_CASE(onsram_mmu_unmaps),
	KUNIT_CASE(onsram_mmu_without_memory),
	{}
};

static struct kunit_suite onsram_mmu_test_suite = {
	.name = "onsram_mmu",
	.init = mmu_test_init,
	.exit = mmu_test_exit,
	.test_cases = onsram_mmu_test_cases,
};

kunit_test_suite(onsram_mmu_test_suite);
