/*
 * onsram accelerator: the hardware interface
 *
 * Registers, command ring, completion records and page tables, as the device
 * implements and the driver programs them.  All memory structures are little
 * endian.  docs/specs/onsram.rst is the prose to this header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_ONSRAM_HW_H
#define HW_MISC_ONSRAM_HW_H

#ifdef ONSRAM_IN_QEMU
#include "standard-headers/drm/onsram_op.h"
#else
#include <drm/onsram_op.h>
#endif

/* PCI identity: 1234 is the vendor id QEMU's own experimental devices use */
#define ONSRAM_PCI_VENDOR_ID        0x1234
#define ONSRAM_PCI_DEVICE_ID        0x5350
#define ONSRAM_PCI_CLASS            0x1200  /* processing accelerator */
#define ONSRAM_BAR_REGS             0
#define ONSRAM_BAR_SPM              2       /* 64-bit prefetchable RAM */
#define ONSRAM_BAR_MSIX             4
#define ONSRAM_BAR_REGS_SIZE        0x4000

/*
 * Engines: 0 .. compute_engines - 1 compute, then one copy engine.
 * MSI-X vector e serves engine e, vector compute_engines + 1 serves faults.
 */
#define ONSRAM_MAX_COMPUTE_ENGINES  4
#define ONSRAM_MAX_ENGINES          (ONSRAM_MAX_COMPUTE_ENGINES + 1)
#define ONSRAM_MAX_CONTEXTS         256
#define ONSRAM_NUM_SEMAPHORES       64

/* Device registers (32 bit unless noted; 64-bit ones also as two 32-bit halves) */
#define ONSRAM_REG_ID               0x000   /* ro: ONSRAM_ID_MAGIC */
#define   ONSRAM_ID_MAGIC           0x4d52534fu /* "OSRM" */
#define ONSRAM_REG_VERSION          0x004   /* ro: major << 16 | minor */
#define   ONSRAM_VERSION            0x00010000u
#define ONSRAM_REG_ENGINES          0x008   /* ro: engines in all (compute + copy) */
#define ONSRAM_REG_CAPS             0x00c   /* ro */
#define   ONSRAM_CAP_FUNCTIONAL     (1u << 0) /* computes results (functional=on) */
#define   ONSRAM_CAP_PACED          (1u << 1) /* pacing=modelled */
#define ONSRAM_REG_CTRL             0x010   /* rw */
#define   ONSRAM_CTRL_ENABLE        (1u << 0) /* engines may fetch commands */
#define   ONSRAM_CTRL_RESET         (1u << 1) /* wo: whole device; reads 0 when done */
#define ONSRAM_REG_STATUS           0x014   /* ro */
#define   ONSRAM_STATUS_READY       (1u << 0)
#define ONSRAM_REG_INTR_STATUS      0x018   /* w1c: bit e engine e, bit 31 fault; latched whether or not MSI-X is delivered; INTx while not 0, without MSI-X */
#define   ONSRAM_INTR_FAULT         (1u << 31)
#define ONSRAM_REG_CTX_TABLE        0x020   /* rw 64: bus address of the context table, 4 KiB aligned */
#define ONSRAM_REG_TIME             0x028   /* ro 64: modelled time, ps */
#define ONSRAM_REG_TLB_INVALIDATE   0x030   /* wo: asid whose translations are dropped before the write returns; the command running then may have used them */

/*
 * Fault FIFO (ONSRAM_FAULT_DEPTH deep): the registers show the oldest record,
 * writing 1 to FAULT_POP drops it.  Further faults are counted in FAULT_LOST.
 */
#define ONSRAM_FAULT_DEPTH          16
#define ONSRAM_REG_FAULT_COUNT      0x040   /* ro: records held */
#define ONSRAM_REG_FAULT_CAUSE      0x044   /* ro: enum onsram_status */
#define ONSRAM_REG_FAULT_ADDR       0x048   /* ro 64: virtual address or SPM offset | ONSRAM_ADDR_SPM */
#define ONSRAM_REG_FAULT_CTX        0x050   /* ro: asid */
#define ONSRAM_REG_FAULT_ENGINE     0x054   /* ro */
#define ONSRAM_REG_FAULT_SEQ        0x058   /* ro: low word of the command's sequence */
#define ONSRAM_REG_FAULT_POP        0x05c   /* wo */
#define ONSRAM_REG_FAULT_LOST       0x060   /* ro */
#define ONSRAM_REG_MAX_OP_WORK      0x068   /* ro 64: most work of an operation, see onsram_op.h; a command with more is BAD_COMMAND */

/* struct onsram_model as an array of 64-bit read-only registers, in its order */
#define ONSRAM_REG_MODEL            0x400

/* Semaphores: 64-bit monotonic values, writable by the driver for set-up */
#define ONSRAM_REG_SEM(i)           (0x800 + 8 * (i))

/* Engine registers */
#define ONSRAM_REG_ENGINE(e)        (0x1000 + 0x100 * (e))
#define ONSRAM_ENG_RING_BASE        0x00    /* rw 64: bus address of the commands, 4 KiB aligned */
#define ONSRAM_ENG_CPL_BASE         0x08    /* rw 64: bus address of the completion records, 4 KiB aligned */
#define ONSRAM_ENG_HEAD_BASE        0x10    /* rw 64: bus address the head is written to (u32), 8-byte aligned; 0: not written */
#define ONSRAM_ENG_RING_SIZE        0x18    /* rw: entries, a power of two, 16 .. ONSRAM_RING_MAX; writing it resets head and tail to 0 */
#define ONSRAM_ENG_CTRL             0x1c    /* rw */
#define   ONSRAM_ENG_ENABLE         (1u << 0)
#define   ONSRAM_ENG_RESET          (1u << 1) /* wo: abandon the current command without completing it; head stays on it, engine stops (ENABLE and HUNG clear) */
#define ONSRAM_ENG_STATUS           0x20    /* ro */
#define   ONSRAM_ENG_BUSY           (1u << 0) /* has a command to run, or is still giving up one that was reset */
#define   ONSRAM_ENG_HUNG           (1u << 1) /* a hang was injected; for diagnosis */
#define ONSRAM_ENG_DOORBELL         0x24    /* rw: tail, the index behind the last command to run (free running, taken modulo the size) */
#define ONSRAM_ENG_HEAD             0x28    /* rw while stopped: free-running index of the next command to complete */
#define ONSRAM_ENG_WIN_BASE         0x30    /* rw 64: bus address of the windows, a record per slot, 4 KiB aligned */
#define ONSRAM_RING_MAX             8192

/*
 * Context table: ONSRAM_MAX_CONTEXTS entries of u64; entry: bus address of the
 * root page table | ONSRAM_PTE_VALID.  Page tables: three levels of 512 u64
 * entries, 9 bits each, 4 KiB pages: 39-bit virtual addresses.
 */
#define ONSRAM_VA_BITS              39
#define ONSRAM_PAGE_SHIFT           12
#define ONSRAM_PT_LEVELS            3
#define ONSRAM_PT_ENTRIES           512
#define ONSRAM_PTE_VALID            (1ull << 0)
#define ONSRAM_PTE_WRITE            (1ull << 1) /* leaf entries */
#define ONSRAM_PTE_ADDR             0x000ffffffffff000ull

/* Address of an operand: a virtual address of the context, or an SPM offset */
#define ONSRAM_ADDR_SPM             (1ull << 63)

/* Commands that are not operations */
#define ONSRAM_CMD_NOP              0x80    /* waits and signals only */
#define ONSRAM_CMD_SPM_ASSIGN       0x81    /* arg[0] offset, arg[1] bytes (granules), arg[2] flags; owner becomes asid */
#define   ONSRAM_ASSIGN_RELEASE     (1u << 0) /* nobody owns the range afterwards */
#define   ONSRAM_ASSIGN_SCRUB       (1u << 1) /* fill with zeros first; charged as SPM traffic */
#define ONSRAM_CMD_TLB_INVALIDATE   0x82    /* drops all translations of asid */

/* Command flags */
#define ONSRAM_CMDF_IRQ             (1u << 0) /* raise the engine's interrupt on completion */
#define ONSRAM_CMDF_WAIT            (1u << 1) /* start when semaphore[wait_sem] >= wait_value */
#define ONSRAM_CMDF_SIGNAL          (1u << 2) /* semaphore[signal_sem] = max(itself, signal_value) on completion, also a failed one's */
#define ONSRAM_CMDF_WINDOWS         (1u << 3) /* operations: the slot's record at WIN_BASE counts */

/* An operand: where (a VA, or ONSRAM_ADDR_SPM | offset) and how */
struct onsram_hw_operand {
    __u64 addr;
    struct onsram_view view;
};

/*
 * A command: 512 bytes.  @staging of the performance model is not passed: the
 * device takes the SPM size less the granules that have an owner.
 */
struct onsram_hw_cmd {
    __u16 opcode;           /* enum onsram_opcode or ONSRAM_CMD_* */
    __u16 flags;            /* ONSRAM_CMDF_* */
    __u32 asid;
    __u64 seq;              /* echoed in the completion record */
    __u16 wait_sem;
    __u16 signal_sem;
    __u32 reserved0;        /* 0 */
    __u64 wait_value;
    __u64 signal_value;
    struct onsram_attr attr;
    __u64 reserved1[2];     /* 0 */
    union {
        struct onsram_hw_operand operand[ONSRAM_MAX_OPERANDS];
        __u64 arg[8];
    };
};

/*
 * Windows: which part of an operand lies in the SPM.  The bytes at virtual
 * addresses va .. va + bytes - 1 are at SPM offset spm .. instead, the others in
 * DRAM; bytes 0: none, the other fields are 0.
 */
struct onsram_hw_window {
    __u64 va;
    __u32 bytes;
    __u32 spm;
};

/* 128 bytes, in the slot of its command */
struct onsram_hw_windows {
    struct onsram_hw_window slot[ONSRAM_MAX_OPERANDS];
    __u64 reserved[4];      /* 0 */
};

/* Status of a completed command; also the cause in a fault record */
#define ONSRAM_STATUSES(X) \
    X(NONE,         0,  "not completed") \
    X(OK,           1,  "completed") \
    X(BAD_COMMAND,  2,  "unknown opcode, malformed operand or reserved bit") \
    X(PAGE_FAULT,   3,  "virtual address not mapped") \
    X(WRITE_FAULT,  4,  "virtual address not writable") \
    X(BAD_CONTEXT,  5,  "asid has no page table") \
    X(SPM_RANGE,    6,  "SPM operand outside the memory") \
    X(SPM_OWNER,    7,  "SPM range owned by another context, or by nobody") \
    X(ECC,          8,  "uncorrectable SPM error") \
    X(BUS,          9,  "bus error on a table, ring or page") \
    X(INJECTED,     10, "error injected for test")

enum onsram_status {
#define ONSRAM_X(name, value, what) ONSRAM_ST_##name = value,
    ONSRAM_STATUSES(ONSRAM_X)
#undef ONSRAM_X
    ONSRAM_ST_COUNT
};

/*
 * Completion record: 128 bytes, in the slot of its command.  @status is written
 * last.  A command that fails has moved no data into the output it names (its
 * inputs are read and checked first), and the engine goes on with the next one.
 */
struct onsram_hw_cpl {
    __u64 seq;
    __u64 start_ps;         /* modelled */
    __u64 end_ps;
    __u64 compute_ps;       /* time the arithmetic alone takes */
    __u64 dram_read_bytes;
    __u64 dram_write_bytes;
    __u64 spm_bytes;        /* moved to and from SPM-resident operands */
    __u64 macs;
    __u64 energy_fj;        /* femtojoules */
    __u64 fault_addr;
    __u64 reserved[5];
    __u32 engine;
    __u32 status;           /* enum onsram_status */
};

#endif
