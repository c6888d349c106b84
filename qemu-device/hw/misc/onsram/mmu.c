/*
 * onsram accelerator: address translation and access to guest memory
 *
 * An invalidation of the translation look-aside buffer only advances the
 * generation of its context.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "onsram.h"
#include "trace.h"

#define PAGE_SIZE   (1ull << ONSRAM_PAGE_SHIFT)
#define LEVEL_BITS  9
/* Entries of a last-level table read at once: 64 cover 256 KiB */
#define WALK_AHEAD  64

bool onsram_dma_read(OnsramState *s, uint64_t bus, void *buf, uint64_t len)
{
    return dma_memory_read(pci_get_address_space(PCI_DEVICE(s)), bus, buf, len,
                           ONSRAM_DMA_ATTRS) == MEMTX_OK;
}

static DMADirection direction(bool write)
{
    return write ? DMA_DIRECTION_FROM_DEVICE : DMA_DIRECTION_TO_DEVICE;
}

void *onsram_dma_map(OnsramState *s, uint64_t bus, uint64_t *len, bool write)
{
    dma_addr_t l = *len;
    ram_addr_t offset;
    void *host = dma_memory_map(pci_get_address_space(PCI_DEVICE(s)), bus, &l,
                                direction(write), ONSRAM_DMA_ATTRS);

    if (!host) {
        return NULL;
    }
    /* A bounce buffer: this is not RAM.  Unmapped, it writes nothing. */
    if (!memory_region_from_host(host, &offset)) {
        onsram_dma_unmap(s, host, l, write, false);
        return NULL;
    }
    *len = l;
    return host;
}

void onsram_dma_unmap(OnsramState *s, void *host, uint64_t len, bool write,
                      bool written)
{
    dma_memory_unmap(pci_get_address_space(PCI_DEVICE(s)), host, len,
                     direction(write), written ? len : 0);
}

static void drop_translations(OnsramState *s, uint32_t asid)
{
    uint32_t gen = s->tlb_gen[asid] + 1;

    s->tlb_gen[asid] = gen ? gen : 1;
}

void onsram_mmu_invalidate(OnsramState *s, uint32_t asid)
{
    trace_onsram_tlb_invalidate(asid);
    drop_translations(s, asid);
}

void onsram_mmu_invalidate_all(OnsramState *s)
{
    for (uint32_t asid = 0; asid < ONSRAM_MAX_CONTEXTS; asid++) {
        drop_translations(s, asid);
    }
}

static OnsramTlbEntry *tlb_slot(OnsramState *s, uint32_t asid, uint64_t vpn)
{
    return &s->tlb[(vpn + asid * 1031) % ONSRAM_TLB_ENTRIES];
}

static bool read_entry(OnsramState *s, uint64_t bus, uint64_t *pte)
{
    if (!onsram_dma_read(s, bus, pte, sizeof(*pte))) {
        return false;
    }
    *pte = le64_to_cpu(*pte);
    return true;
}

/* Fill the TLB from @vpn on, for at most @pages pages */
static uint32_t walk(OnsramState *s, uint32_t asid, uint64_t vpn,
                     uint64_t pages)
{
    uint32_t gen = s->tlb_gen[asid];
    uint64_t root = s->ctx_table;
    uint64_t leaf[WALK_AHEAD];
    uint64_t pte;
    unsigned index, n;

    if (!root) {
        return ONSRAM_ST_BAD_CONTEXT;
    }
    if (!read_entry(s, root + asid * sizeof(pte), &pte)) {
        return ONSRAM_ST_BUS;
    }
    if (!(pte & ONSRAM_PTE_VALID)) {
        return ONSRAM_ST_BAD_CONTEXT;
    }
    for (int level = ONSRAM_PT_LEVELS - 1; level > 0; level--) {
        index = (vpn >> (level * LEVEL_BITS)) % ONSRAM_PT_ENTRIES;
        if (!read_entry(s, (pte & ONSRAM_PTE_ADDR) + index * sizeof(pte),
                        &pte)) {
            return ONSRAM_ST_BUS;
        }
        if (!(pte & ONSRAM_PTE_VALID)) {
            return ONSRAM_ST_PAGE_FAULT;
        }
    }
    index = vpn % ONSRAM_PT_ENTRIES;
    n = MIN(MIN(pages, WALK_AHEAD), ONSRAM_PT_ENTRIES - index);
    if (!onsram_dma_read(s, (pte & ONSRAM_PTE_ADDR) + index * sizeof(pte),
                         leaf, n * sizeof(pte))) {
        return ONSRAM_ST_BUS;
    }
    trace_onsram_walk(asid, vpn, n);
    for (unsigned i = 0; i < n; i++) {
        pte = le64_to_cpu(leaf[i]);
        if (!(pte & ONSRAM_PTE_VALID)) {
            return i ? ONSRAM_ST_OK : ONSRAM_ST_PAGE_FAULT;
        }
        *tlb_slot(s, asid, vpn + i) = (OnsramTlbEntry) {
            .vpn = vpn + i, .pte = pte, .asid = asid, .gen = gen,
        };
    }
    return ONSRAM_ST_OK;
}

static uint32_t lookup(OnsramState *s, uint32_t asid, uint64_t vpn,
                       uint64_t pages, uint64_t *pte)
{
    OnsramTlbEntry *t = tlb_slot(s, asid, vpn);
    uint32_t status;

    if (t->vpn != vpn || t->asid != asid ||
        t->gen != s->tlb_gen[asid]) {
        status = walk(s, asid, vpn, pages);
        if (status != ONSRAM_ST_OK) {
            return status;
        }
    }
    *pte = t->pte;
    return ONSRAM_ST_OK;
}

/*
 * Translate @va: *@bus, of which *@run bytes (at most @len) are contiguous.
 */
uint32_t onsram_mmu_translate(OnsramState *s, uint32_t asid, uint64_t va,
                              uint64_t len, bool write, uint64_t *bus,
                              uint64_t *run, uint64_t *fault_addr)
{
    uint64_t done = 0;
    uint64_t in_page = va % PAGE_SIZE;

    while (done < len) {
        uint64_t at = va + done;
        uint64_t pages = ((at + (len - done) - 1) >> ONSRAM_PAGE_SHIFT) -
                         (at >> ONSRAM_PAGE_SHIFT) + 1;
        uint32_t status = ONSRAM_ST_PAGE_FAULT;
        uint64_t pte = 0;

        if (at < (1ull << ONSRAM_VA_BITS)) {
            status = lookup(s, asid, at >> ONSRAM_PAGE_SHIFT, pages, &pte);
        }
        if (status == ONSRAM_ST_OK && write && !(pte & ONSRAM_PTE_WRITE)) {
            status = ONSRAM_ST_WRITE_FAULT;
        }
        if (status != ONSRAM_ST_OK) {
            /* What precedes is good: the next call meets the fault */
            if (done) {
                break;
            }
            *fault_addr = at;
            return status;
        }
        if (!done) {
            *bus = (pte & ONSRAM_PTE_ADDR) + in_page;
            done = PAGE_SIZE - in_page;
        } else if ((pte & ONSRAM_PTE_ADDR) == *bus + done) {
            done += PAGE_SIZE;
        } else {
            break;
        }
    }
    *run = MIN(done, len);
    return ONSRAM_ST_OK;
}
