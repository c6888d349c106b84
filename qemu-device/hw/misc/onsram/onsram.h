/*
 * onsram accelerator: state of the device
 *
 * All state belongs to the main loop and is guarded by the big QEMU lock, but for
 * what an engine's thread computes (OnsramWork): that changes hands.
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
/* Error correction works on words of this many bytes */
#define ONSRAM_ECC_WORD 8
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
    ONSRAM_ENGINE_PREPARE,  /* an operation is checked; its time has not begun */
    ONSRAM_ENGINE_RUN,      /* modelled time passes */
    ONSRAM_ENGINE_DONE,     /* modelled end reached, record not written yet */
} OnsramEngineState;

/* How far the results of an operation under way are, in the host's time */
typedef enum OnsramResults {
    ONSRAM_RESULTS_DONE,    /* in place, or none to come */
    ONSRAM_RESULTS_WANTED,  /* nothing is done yet */
    ONSRAM_RESULTS_MAPPING, /* operands are being mapped */
    ONSRAM_RESULTS_COMPUTED, /* by the engine's thread */
} OnsramResults;

/* Bytes of an operand that lie together in host memory */
typedef struct OnsramRun {
    uint8_t *host;
    uint64_t len;
    bool spm;
    uint64_t spm_offset;
} OnsramRun;

typedef struct OnsramOperand {
    bool present;
    bool spm;
    uint64_t start;         /* first byte touched: virtual address or offset */
    struct onsram_hw_window window;
    uint64_t len;           /* bytes from there to behind the last one */
    uint64_t first;         /* element (0, 0, ...) relative to @start */
    uint64_t mapped;        /* bytes of @len that @runs holds */
    GArray *runs;           /* of OnsramRun */
    uint8_t *buf;           /* host copy of the bytes */
    uint64_t room;          /* allocated at @buf */
} OnsramOperand;

/*
 * A command, its operands, and the thread that computes it.  From
 * onsram_worker_hand_over() to onsram_worker_take_back() it is the thread's.
 */
typedef struct OnsramWork {
    QemuThread thread;
    QEMUBH *bh;             /* scheduled when the thread is through */
    struct onsram_exec *exec;

    /* The main loop's */
    bool busy;              /* handed over and not taken back */
    unsigned mapping;       /* operand whose turn it is */
    uint64_t fault_addr;    /* where the command failed */

    /* Whose turn it is's */
    struct onsram_hw_cmd cmd;
    struct onsram_hw_windows windows;
    OnsramOperand operand[ONSRAM_MAX_OPERANDS];
    uint64_t ecc_offset;    /* poisoned word when it was handed over */
    bool ecc_rewritten;
    int ret;

    QemuMutex lock;         /* of: */
    QemuCond wake;
    QemuCond settled;
    bool stopping;
    bool todo;
    bool committing;        /* the output is being written */
    bool abandoned;         /* nothing may be written; atomic */
} OnsramWork;

typedef struct OnsramEngine {
    uint64_t ring_base;
    uint64_t cpl_base;
    uint64_t head_base;
    uint64_t win_base;
    uint32_t ring_size;
    uint32_t head;
    uint32_t tail;
    bool enabled;
    bool hung;
    uint32_t state;         /* OnsramEngineState */

    uint32_t results;       /* OnsramResults */

    bool fetched;           /* @cmd and @windows are of the command at @head */
    struct onsram_hw_cmd cmd;
    struct onsram_hw_windows windows;
    struct onsram_cost cost; /* of the operation in state PREPARE */
    OnsramWork work;

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

/* Rows of a view in ascending address order: contiguous bytes, repeated */
typedef struct OnsramRows {
    uint64_t bytes;                     /* of a row */
    unsigned rank;
    uint64_t count[ONSRAM_MAX_RANK];    /* innermost first */
    uint64_t step[ONSRAM_MAX_RANK];     /* bytes */
    uint64_t at[ONSRAM_MAX_RANK];
    uint64_t offset;                    /* of the current row */
} OnsramRows;

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

    QEMUBH *step_bh;
    QEMUTimer *pace_timer;
    VMChangeStateEntry *vmstate_entry;
    uint32_t pause;         /* ONSRAM_PAUSE_* */

    bool enabled;           /* ONSRAM_CTRL_ENABLE */
    uint64_t ctx_table;
    uint32_t intr_status;
    uint32_t irq_pending;   /* vectors to be notified */
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

    OnsramTlbEntry *tlb;
    uint32_t tlb_gen[ONSRAM_MAX_CONTEXTS]; /* never 0 */
};

/* regs.c */
extern const MemoryRegionOps onsram_regs_ops;

/* engine.c */
void onsram_schedule(OnsramState *s);
void onsram_step_bh(void *opaque);
bool onsram_engine_busy(OnsramState *s, uint32_t e);
void onsram_engine_reset(OnsramState *s, uint32_t e);
/* The machine stops or power goes: what has not been written will be later */
void onsram_engine_pause(OnsramState *s, uint32_t e);

/*
 * worker.c.  onsram_worker_take_back() is false while the thread is at it; *@ret
 * is 0 or an errno, ECANCELED where it was abandoned.  onsram_worker_settle()
 * waits for an output that is half written.
 */
bool onsram_worker_start(OnsramWork *w, QEMUBH *bh);
void onsram_worker_stop(OnsramState *s, OnsramWork *w);
void onsram_worker_hand_over(OnsramWork *w, uint64_t ecc_offset);
bool onsram_worker_take_back(OnsramWork *w, int *ret);
void onsram_worker_abandon(OnsramWork *w);
void onsram_worker_settle(OnsramWork *w);

/*
 * command.c: statuses; work.fault_addr is set where a command fails.
 * onsram_command_check() is all that does not need memory, and where the operands
 * are; onsram_command_failed() what an errno of the arithmetic means.
 */
uint32_t onsram_command_check(OnsramState *s, OnsramWork *w);
uint32_t onsram_command_failed(OnsramWork *w, int ret);
bool onsram_command_is_control(const struct onsram_hw_cmd *cmd);
/* A control command, whose modelled cost is in @cost */
uint32_t onsram_command_control(OnsramState *s, const struct onsram_hw_cmd *cmd,
                                struct onsram_cost *cost, uint64_t *fault_addr);
void onsram_command_cost(OnsramState *s, const struct onsram_hw_cmd *cmd,
                         const struct onsram_hw_windows *windows,
                         struct onsram_cost *cost);
void onsram_command_from_le(struct onsram_hw_cmd *cmd);
void onsram_windows_from_le(struct onsram_hw_windows *windows);
void onsram_cpl_to_le(struct onsram_hw_cpl *cpl);

/*
 * operand.c: onsram_operands_map() maps some more of the operands; NONE where
 * that was not all, else the status.
 */
uint32_t onsram_operands_resolve(OnsramWork *w);
uint64_t onsram_operands_bytes(const OnsramWork *w);
uint32_t onsram_operands_map(OnsramState *s, OnsramWork *w);
void onsram_operands_unmap(OnsramState *s, OnsramWork *w, bool written);
bool onsram_operand_reserve(OnsramOperand *op);
void onsram_rows_init(OnsramRows *r, const struct onsram_view *v);
bool onsram_rows_next(OnsramRows *r);

/* mmu.c */
uint32_t onsram_mmu_translate(OnsramState *s, uint32_t asid, uint64_t va,
                              uint64_t len, bool write, uint64_t *bus,
                              uint64_t *run, uint64_t *fault_addr);
void onsram_mmu_invalidate(OnsramState *s, uint32_t asid);
void onsram_mmu_invalidate_all(OnsramState *s);
/* Map what is RAM, or NULL; at most *@len bytes */
void *onsram_dma_map(OnsramState *s, uint64_t bus, uint64_t *len, bool write);
void onsram_dma_unmap(OnsramState *s, void *host, uint64_t len, bool write,
                      bool written);
bool onsram_dma_read(OnsramState *s, uint64_t bus, void *buf, uint64_t len);

/* spm.c */
uint32_t onsram_spm_check(OnsramState *s, uint32_t asid, uint64_t offset,
                          uint64_t len, bool read, uint64_t *fault_addr);
void onsram_spm_assign(OnsramState *s, uint64_t offset, uint64_t len,
                       uint16_t owner);
void onsram_spm_scrub(OnsramState *s, uint64_t offset, uint64_t len);
void onsram_spm_reset(OnsramState *s);
uint64_t onsram_spm_staging(OnsramState *s);

/* intr.c */
void onsram_raise(OnsramState *s, unsigned vector);
void onsram_fault(OnsramState *s, uint32_t engine, uint32_t cause,
                  uint32_t asid, uint64_t addr, uint64_t seq);
/* Send the messages of the vectors raised since the last time */
void onsram_notify(OnsramState *s);
void onsram_intx_update(OnsramState *s);

/* migrate.c */
extern const VMStateDescription onsram_vmstate;

/* onsram.c */
void onsram_update_power(OnsramState *s);
/* Everything but configuration space back to power-on */
void onsram_reset(OnsramState *s);

#endif
