/*
 * QTest harness for the onsram accelerator: what a driver would do
 *
 * A fixed layout of guest memory: rings, completion records, heads, page tables
 * and data each have their place, see below.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ONSRAM_HARNESS_H
#define ONSRAM_HARNESS_H

#define ONSRAM_IN_QEMU
#include "libqtest.h"
#include "libqos/malloc-pc.h"
#include "libqos/pci-pc.h"
#include "hw/misc/onsram_hw.h"
#include "hw/pci/pci_regs.h"
#include "qemu/units.h"

#define DEVFN           QPCI_DEVFN(4, 0)
#define RING_ENTRIES    16
#define COMPUTE         0

/* Bus addresses */
#define RING(e)         (16 * MiB + (e) * 64 * KiB)
#define CPL(e)          (17 * MiB + (e) * 64 * KiB)
#define HEAD(e)         (18 * MiB + (e) * 64)
#define WIN(e)          (18 * MiB + 64 * KiB + (e) * 64 * KiB)
#define CTX_TABLE       (19 * MiB)
#define PT_POOL         (20 * MiB)
#define DATA            (32 * MiB)

/* The virtual address where harness_map() puts DATA */
#define VA              0x1200000000ull
#define SPM(offset)     (ONSRAM_ADDR_SPM | (offset))

typedef struct Harness {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *dev;
    QPCIBar regs;
    QPCIBar spm;
    QGuestAllocator alloc;
    uint64_t pt_next;
    uint32_t copy;              /* the copy engine */
    uint32_t tail[ONSRAM_MAX_ENGINES];
    uint64_t seq;
} Harness;

static inline uint32_t rd(Harness *h, uint64_t reg)
{
    return qpci_io_readl(h->dev, h->regs, reg);
}

static inline uint64_t rd64(Harness *h, uint64_t reg)
{
    return qpci_io_readq(h->dev, h->regs, reg);
}

static inline void wr(Harness *h, uint64_t reg, uint32_t value)
{
    qpci_io_writel(h->dev, h->regs, reg, value);
}

static inline void wr64(Harness *h, uint64_t reg, uint64_t value)
{
    qpci_io_writeq(h->dev, h->regs, reg, value);
}

static inline uint32_t eng_rd(Harness *h, uint32_t e, uint32_t reg)
{
    return rd(h, ONSRAM_REG_ENGINE(e) + reg);
}

static inline void eng_wr(Harness *h, uint32_t e, uint32_t reg, uint32_t value)
{
    wr(h, ONSRAM_REG_ENGINE(e) + reg, value);
}

static inline void knob(Harness *h, const char *name, int64_t value)
{
    qtest_qmp_assert_success(h->qts,
        "{ 'execute': 'qom-set', 'arguments': {"
        "  'path': '/machine/peripheral/acc', 'property': %s,"
        "  'value': %" PRId64 " } }", name, value);
}

static inline void harness_attach(Harness *h, int devfn)
{
    h->dev = qpci_device_find(h->bus, devfn);
    g_assert_nonnull(h->dev);
    qpci_device_enable(h->dev);
    h->regs = qpci_iomap(h->dev, ONSRAM_BAR_REGS, NULL);
    h->spm = qpci_iomap(h->dev, ONSRAM_BAR_SPM, NULL);
    h->copy = rd(h, ONSRAM_REG_ENGINES) - 1;
}

/* A machine with a device as it comes out of reset; @options of the device */
static inline Harness *harness_boot(const char *options, const char *machine)
{
    Harness *h = g_new0(Harness, 1);

    h->qts = qtest_initf("-M q35 -nodefaults -device onsram,id=acc,addr=04.0%s "
                         "%s", options, machine);
    pc_alloc_init(&h->alloc, h->qts, ALLOC_NO_FLAGS);
    h->bus = qpci_new_pc(h->qts, &h->alloc);
    h->pt_next = PT_POOL;
    harness_attach(h, DEVFN);
    return h;
}

static inline void harness_quit(Harness *h)
{
    g_free(h->dev);
    qpci_free_pc(h->bus);
    alloc_destroy(&h->alloc);
    qtest_quit(h->qts);
    g_free(h);
}

static inline void engine_setup(Harness *h, uint32_t e)
{
    wr64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_RING_BASE, RING(e));
    wr64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_CPL_BASE, CPL(e));
    wr64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_HEAD_BASE, HEAD(e));
    wr64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_WIN_BASE, WIN(e));
    qtest_memset(h->qts, CPL(e), 0,
                 RING_ENTRIES * sizeof(struct onsram_hw_cpl));
    qtest_writel(h->qts, HEAD(e), 0);
    eng_wr(h, e, ONSRAM_ENG_RING_SIZE, RING_ENTRIES);
    eng_wr(h, e, ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
    h->tail[e] = 0;
}

static inline uint64_t table_entry(Harness *h, uint64_t at)
{
    uint64_t entry = qtest_readq(h->qts, at);

    if (!(entry & ONSRAM_PTE_VALID)) {
        entry = h->pt_next | ONSRAM_PTE_VALID;
        h->pt_next += 4 * KiB;
        g_assert_cmphex(h->pt_next, <=, DATA);
        qtest_memset(h->qts, entry & ONSRAM_PTE_ADDR, 0, 4 * KiB);
        qtest_writeq(h->qts, at, entry);
    }
    return entry & ONSRAM_PTE_ADDR;
}

static inline uint64_t pte_at(Harness *h, uint32_t asid, uint64_t va)
{
    uint64_t table = table_entry(h, CTX_TABLE + 8 * asid);

    table = table_entry(h, table + 8 * ((va >> 30) % 512));
    table = table_entry(h, table + 8 * ((va >> 21) % 512));
    return table + 8 * ((va >> 12) % 512);
}

static inline void map(Harness *h, uint32_t asid, uint64_t va, uint64_t bus,
                       uint64_t bytes, bool write)
{
    for (uint64_t at = 0; at < bytes; at += 4 * KiB) {
        qtest_writeq(h->qts, pte_at(h, asid, va + at), (bus + at) |
                     ONSRAM_PTE_VALID | (write ? ONSRAM_PTE_WRITE : 0));
    }
}

/* All engines running, asid 1 maps VA to DATA (8 MiB, writable) */
static inline void harness_setup(Harness *h)
{
    qtest_memset(h->qts, CTX_TABLE, 0, 4 * KiB);
    h->pt_next = PT_POOL;
    map(h, 1, VA, DATA, 8 * MiB, true);
    wr64(h, ONSRAM_REG_CTX_TABLE, CTX_TABLE);
    for (uint32_t e = 0; e <= h->copy; e++) {
        engine_setup(h, e);
    }
    wr(h, ONSRAM_REG_CTRL, ONSRAM_CTRL_ENABLE);
}

static inline Harness *harness_new(const char *options)
{
    Harness *h = harness_boot(options, "");

    harness_setup(h);
    return h;
}

/* Put a command on the ring, without the doorbell */
static inline uint32_t queue(Harness *h, uint32_t e, struct onsram_hw_cmd *cmd)
{
    uint32_t slot = h->tail[e]++ % RING_ENTRIES;

    cmd->seq = ++h->seq;
    qtest_memset(h->qts, CPL(e) + slot * sizeof(struct onsram_hw_cpl), 0,
                 sizeof(struct onsram_hw_cpl));
    qtest_memwrite(h->qts, RING(e) + slot * sizeof(*cmd), cmd, sizeof(*cmd));
    return slot;
}

/* The same with windows, which are an array by operand slot */
static inline uint32_t queue_windows(Harness *h, uint32_t e,
                                     struct onsram_hw_cmd *cmd,
                                     const struct onsram_hw_windows *windows)
{
    uint32_t slot;

    cmd->flags |= ONSRAM_CMDF_WINDOWS;
    slot = queue(h, e, cmd);
    qtest_memwrite(h->qts, WIN(e) + slot * sizeof(*windows), windows,
                   sizeof(*windows));
    return slot;
}

static inline void ring_bell(Harness *h, uint32_t e)
{
    eng_wr(h, e, ONSRAM_ENG_DOORBELL, h->tail[e]);
}

/* 20 s: a loaded host may take long, an engine that is stuck takes for ever */
static inline void wait_head(Harness *h, uint32_t e, uint32_t head)
{
    for (int i = 0; i < 200000; i++) {
        if (eng_rd(h, e, ONSRAM_ENG_HEAD) == head) {
            return;
        }
        g_usleep(100);
    }
    g_assert_not_reached();
}

/* Until modelled time has passed @ps, completed or not */
static inline void wait_time(Harness *h, uint64_t ps)
{
    for (int i = 0; i < 200000; i++) {
        if (rd64(h, ONSRAM_REG_TIME) > ps) {
            return;
        }
        g_usleep(100);
    }
    g_assert_not_reached();
}

static inline void wait_idle(Harness *h, uint32_t e)
{
    wait_head(h, e, h->tail[e]);
}

/* Reset, an engine gives its command up soon, also where that takes minutes */
static inline void wait_stopped(Harness *h, uint32_t e)
{
    for (int i = 0; i < 2000; i++) {
        if (eng_rd(h, e, ONSRAM_ENG_STATUS) == 0) {
            return;
        }
        g_usleep(1000);
    }
    g_assert_not_reached();
}

static inline struct onsram_hw_cpl record(Harness *h, uint32_t e, uint32_t slot)
{
    struct onsram_hw_cpl cpl;

    qtest_memread(h->qts, CPL(e) + slot * sizeof(cpl), &cpl, sizeof(cpl));
    return cpl;
}

/* One command from doorbell to completion */
static inline struct onsram_hw_cpl run(Harness *h, uint32_t e,
                                       struct onsram_hw_cmd cmd)
{
    uint32_t slot = queue(h, e, &cmd);
    struct onsram_hw_cpl cpl;

    ring_bell(h, e);
    wait_idle(h, e);
    cpl = record(h, e, slot);
    g_assert_cmpuint(cpl.seq, ==, cmd.seq);
    g_assert_cmpuint(cpl.engine, ==, e);
    return cpl;
}

static inline void run_ok(Harness *h, uint32_t e, struct onsram_hw_cmd cmd)
{
    g_assert_cmpuint(run(h, e, cmd).status, ==, ONSRAM_ST_OK);
}

/* A dense row-major operand */
static inline struct onsram_hw_operand dense(uint64_t addr, uint32_t dtype,
                                             const uint32_t *dims,
                                             uint32_t rank)
{
    struct onsram_hw_operand o = {
        .addr = addr, .view = { .dtype = dtype, .rank = rank },
    };
    int32_t stride = 1;

    for (int d = rank - 1; d >= 0; d--) {
        o.view.dims[d] = dims[d];
        o.view.strides[d] = stride;
        stride *= dims[d];
    }
    return o;
}

#define F32(addr, ...) \
    dense(addr, ONSRAM_DTYPE_F32, (const uint32_t[]) { __VA_ARGS__ }, \
          sizeof((const uint32_t[]) { __VA_ARGS__ }) / sizeof(uint32_t))

static inline uint32_t f32_bits(float f)
{
    uint32_t u;

    memcpy(&u, &f, sizeof(u));
    return u;
}

static inline struct onsram_hw_cmd cmd_nop(void)
{
    return (struct onsram_hw_cmd) { .opcode = ONSRAM_CMD_NOP };
}

static inline struct onsram_hw_cmd cmd_assign(uint32_t asid, uint64_t offset,
                                              uint64_t bytes, uint64_t flags)
{
    return (struct onsram_hw_cmd) {
        .opcode = ONSRAM_CMD_SPM_ASSIGN, .asid = asid,
        .arg = { offset, bytes, flags },
    };
}

static inline struct onsram_hw_cmd cmd_fill(struct onsram_hw_operand out,
                                            float value)
{
    return (struct onsram_hw_cmd) {
        .opcode = ONSRAM_OP_FILL, .asid = 1,
        .attr.param = { f32_bits(value) }, .operand = { out },
    };
}

static inline struct onsram_hw_cmd cmd_copy(struct onsram_hw_operand out,
                                            struct onsram_hw_operand in)
{
    return (struct onsram_hw_cmd) {
        .opcode = ONSRAM_OP_COPY, .asid = 1, .operand = { out, in },
    };
}

static inline struct onsram_hw_cmd cmd_gemm(struct onsram_hw_operand out,
                                            struct onsram_hw_operand a,
                                            struct onsram_hw_operand b)
{
    return (struct onsram_hw_cmd) {
        .opcode = ONSRAM_OP_GEMM, .asid = 1,
        .attr.param = { f32_bits(1), 0 }, .operand = { out, a, b },
    };
}

static inline struct onsram_hw_cmd cmd_add(struct onsram_hw_operand out,
                                           struct onsram_hw_operand a,
                                           struct onsram_hw_operand b)
{
    return (struct onsram_hw_cmd) {
        .opcode = ONSRAM_OP_ELEMENTWISE, .asid = 1,
        .attr.func = ONSRAM_EW_ADD, .operand = { out, a, b },
    };
}

#endif
