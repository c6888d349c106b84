/*
 * onsram accelerator: state of the device
 *
 * Locking.  The worker thread never takes the big QEMU lock and MMIO handlers,
 * which hold it, take @lock for a short time: the order is BQL, then @lock.
 * Guest memory is only written with @lock held, after checking that the engine
 * was not reset (@gen) since, so that a reset has nothing to wait for.  Address
 * translation may end in an IOMMU's fault interrupt, which takes the BQL;
 * so the worker maps memory with @lock dropped and writes through the mapping.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ONSRAM_H
#define ONSRAM_H

#define ONSRAM_IN_QEMU
#include "hw/pci/pci_device.h"
#include "hw/misc/onsram_hw.h"
#include "qemu/thread.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "perf.h"
#include "exec.h"

#define TYPE_ONSRAM "onsram"
OBJECT_DECLARE_SIMPLE_TYPE(OnsramState, ONSRAM)

#define ONSRAM_OWNER_NONE 0xffff
#define ONSRAM_KNOB_OFF (-1)
#define ONSRAM_ECC_NONE UINT64_MAX
#define ONSRAM_TLB_ENTRIES 8192

/* DMA of the device goes to RAM only; anything else is a bus error */
#define ONSRAM_DMA_ATTRS ((MemTxAttrs) { .memory = 1 })

/* Why no engine may run */
enum {
    ONSRAM_PAUSE_VM = 1 << 0,       /* the machine is stopped */
    ONSRAM_PAUSE_POWER = 1 << 1,    /* D3hot, or no bus mastering */
};

typedef enum OnsramEngineState {
    ONSRAM_ENGINE_IDLE,     /* between commands */
    ONSRAM_ENGINE_EXEC,     /* the worker computes; nothing is visible yet */
    ONSRAM_ENGINE_RUN,      /* results are written, modelled time passes */
    ONSRAM_ENGINE_DONE,     /* modelled end reached, record not written yet */
} OnsramEngineState;

typedef struct OnsramEngine {
    uint64_t ring_base;
    uint64_t cpl_base;
    uint64_t head_base;
    uint32_t ring_size;
    uint32_t head;
    uint32_t tail;
    bool enabled;
    bool hung;
    uint32_t state;         /* OnsramEngineState */

    uint32_t gen;           /* resets so far: a change voids work under way */
    uint32_t starts;        /* times enabled: a change voids a fetch under way */
    bool fetched;           /* @cmd is the command at @head */
    struct onsram_hw_cmd cmd;

    /* Of the command in state RUN or DONE */
    struct onsram_hw_cpl cpl;
    uint16_t cmd_flags;
    uint16_t signal_sem;
    uint32_t asid;
    uint64_t signal_value;
    int64_t deliver_ns;     /* pacing=modelled: virtual time of the record */
} OnsramEngine;

typedef struct OnsramFault {
    uint32_t cause;
    uint32_t ctx;
    uint32_t engine;
    uint32_t seq;
    uint64_t addr;
} OnsramFault;

typedef struct OnsramTlbEntry {
    uint64_t vpn;
    uint64_t pte;
    uint32_t asid;
    uint32_t gen;           /* of the asid when filled; 0: empty */
} OnsramTlbEntry;

/* A piece of the output's memory, mapped */
typedef struct OnsramRun {
    uint8_t *host;
    uint64_t len;
} OnsramRun;

typedef struct OnsramOperand {
    bool present;
    bool spm;
    uint64_t start;         /* first byte touched: virtual address or offset */
    uint64_t len;           /* bytes from there to behind the last one */
    uint64_t first;         /* element (0, 0, ...) relative to @start */
    uint8_t *buf;           /* host copy of the bytes */
    uint64_t room;          /* allocated at @buf */
} OnsramOperand;

/* The one command the worker executes; the worker's alone */
typedef struct OnsramWork {
    struct onsram_hw_cmd cmd;
    OnsramOperand operand[ONSRAM_MAX_OPERANDS];
    GArray *runs;           /* of OnsramRun: the output in DRAM */
    uint64_t fault_addr;
} OnsramWork;

struct OnsramState {
    PCIDevice parent_obj;

    MemoryRegion regs;
    MemoryRegion spm_bar;   /* a power of two, holds @spm */
    MemoryRegion spm;
    uint8_t *spm_ptr;

    struct {
        uint64_t spm_size, peak_flops, vector_flops, dram_bw, spm_bw;
        uint64_t dram_latency_ns, compute_engines, mac_rows, mac_cols;
        uint64_t max_op_work;
        char *model;
        char *pacing;
        bool functional;
    } prop;
    struct onsram_model model;
    uint64_t model_hash;
    bool paced;
    uint32_t engines;       /* compute + copy */

    QemuMutex lock;
    QemuCond wake;          /* work for the worker */
    QemuCond settled;       /* @committing was cleared */
    QemuThread worker;
    QEMUBH *irq_bh;
    QEMUTimer *pace_timer;
    VMChangeStateEntry *vmstate_entry;
    bool stopping;
    bool committing;        /* the worker writes an output, lock may be free */
    uint32_t pause;         /* ONSRAM_PAUSE_* */

    bool enabled;           /* ONSRAM_CTRL_ENABLE */
    uint64_t ctx_table;
    uint32_t intr_status;
    uint32_t irq_pending;   /* vectors the bottom half has to notify */
    uint64_t sem[ONSRAM_NUM_SEMAPHORES];
    OnsramEngine engine[ONSRAM_MAX_ENGINES];

    OnsramFault fault[ONSRAM_FAULT_DEPTH];
    uint32_t fault_first;
    uint32_t fault_count;
    uint32_t fault_lost;

    struct onsram_fluid fluid;
    uint64_t static_from_ps;    /* static energy is accounted up to here */
    int64_t anchor_ns;          /* pacing: virtual time of ... */
    uint64_t anchor_ps;         /* ... this modelled time */

    uint16_t *owner;            /* per granule: asid or ONSRAM_OWNER_NONE */
    uint32_t granules;
    uint32_t owned;             /* granules that have an owner */
    uint64_t ecc_offset;        /* poisoned word, or ONSRAM_ECC_NONE */

    /* Armed faults: engine they wait for, or ONSRAM_KNOB_OFF */
    int32_t hang_next;
    int32_t error_next;
    int32_t corrupt_status_next;
    int32_t drop_irq_next;      /* vector */

    OnsramTlbEntry *tlb;        /* the worker's */
    uint32_t tlb_gen[ONSRAM_MAX_CONTEXTS]; /* never 0; atomic */

    OnsramWork work;
    struct onsram_exec *exec;
};

/* regs.c */
extern const MemoryRegionOps onsram_regs_ops;

/* engine.c: the worker thread.  The others are called with @lock held. */
void *onsram_worker(void *opaque);
void onsram_engine_reset(OnsramState *s, uint32_t e);
bool onsram_engine_busy(OnsramState *s, uint32_t e);
void onsram_pace_timer(void *opaque);

/*
 * command.c: carry out @s->work.cmd but for writing its output.  Called
 * without @lock.  Returns the status; work.fault_addr is set where it failed.
 */
uint32_t onsram_command_execute(OnsramState *s);
bool onsram_command_is_control(const struct onsram_hw_cmd *cmd);
/* With @lock held: a control command, whose modelled cost is in @cost */
uint32_t onsram_command_control(OnsramState *s, const struct onsram_hw_cmd *cmd,
                                struct onsram_cost *cost, uint64_t *fault_addr);
void onsram_command_cost(OnsramState *s, const struct onsram_hw_cmd *cmd,
                         struct onsram_cost *cost);
void onsram_command_from_le(struct onsram_hw_cmd *cmd);
void onsram_cpl_to_le(struct onsram_hw_cpl *cpl);

/* operand.c: onsram_operand_load reads an input, _map prepares the output */
uint32_t onsram_operand_resolve(OnsramState *s, unsigned slot);
uint32_t onsram_operand_load(OnsramState *s, unsigned slot);
uint32_t onsram_operand_map(OnsramState *s);
bool onsram_operand_reserve(OnsramOperand *op);
void onsram_operands_release(OnsramState *s, bool written);
void onsram_operands_free(OnsramState *s);
/*
 * Write the output from its host copy.  @lock is held, and dropped now and
 * then; false where the engine was reset meanwhile.
 */
bool onsram_operand_commit(OnsramState *s, OnsramEngine *eng, uint32_t gen);

/* mmu.c */
uint32_t onsram_mmu_translate(OnsramState *s, uint32_t asid, uint64_t va,
                              uint64_t len, bool write, uint64_t *bus,
                              uint64_t *run, uint64_t *fault_addr);
void onsram_mmu_invalidate(OnsramState *s, uint32_t asid);
void onsram_mmu_invalidate_all(OnsramState *s);
/* Map for writing with RAM behind it, or NULL; at most *@len bytes */
void *onsram_dma_map(OnsramState *s, uint64_t bus, uint64_t *len);
void onsram_dma_unmap(OnsramState *s, void *host, uint64_t len, bool written);
bool onsram_dma_read(OnsramState *s, uint64_t bus, void *buf, uint64_t len);

/* spm.c */
uint32_t onsram_spm_check(OnsramState *s, uint32_t asid, uint64_t offset,
                          uint64_t len, bool read, uint64_t *fault_addr);
void onsram_spm_assign(OnsramState *s, uint64_t offset, uint64_t len,
                       uint16_t owner);
void onsram_spm_written(OnsramState *s, uint64_t offset, uint64_t len);
void onsram_spm_scrub(OnsramState *s, uint64_t offset, uint64_t len);
void onsram_spm_reset(OnsramState *s);
uint64_t onsram_spm_staging(OnsramState *s);

/* intr.c: with @lock held */
void onsram_raise(OnsramState *s, unsigned vector);
void onsram_fault(OnsramState *s, uint32_t engine, uint32_t cause,
                  uint32_t asid, uint64_t addr, uint64_t seq);
void onsram_irq_bh(void *opaque);
void onsram_intx_update(OnsramState *s);

/* migrate.c */
extern const VMStateDescription onsram_vmstate;

/* onsram.c: the reasons, with @lock not held */
void onsram_update_power(OnsramState *s);
/* With @lock held: everything but configuration space back to power-on */
void onsram_reset_locked(OnsramState *s);

#endif
