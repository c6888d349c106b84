/*
 * onsram performance model: modelled time, traffic and energy of operations
 *
 * Plain C, integers only, the same result on every host.  The device, the
 * policy daemon and the tools link this library; it includes no QEMU header.
 * docs/specs/onsram.rst holds the formulas with their sources.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ONSRAM_PERF_H
#define ONSRAM_PERF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef ONSRAM_IN_QEMU
#include "standard-headers/drm/onsram_op.h"
#else
#include <drm/onsram_op.h>
#endif

/*
 * What an operation is, as far as its cost goes: the operand views in their
 * slots (dtype NONE: absent) and its attributes.
 */
struct onsram_perf_op {
    uint32_t opcode;            /* enum onsram_opcode */
    struct onsram_attr attr;
    struct onsram_view view[ONSRAM_MAX_OPERANDS];
};

/*
 * A time, an energy or a number of bytes that is beyond range: sums that outgrow
 * 64 bits come to it and stay there, so that it marks every figure it went into.
 */
#define ONSRAM_BEYOND UINT64_MAX

/* A sum of such figures */
static inline uint64_t onsram_sat_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? ONSRAM_BEYOND : a + b;
}

/* What an operation costs, before contention for DRAM */
struct onsram_cost {
    uint64_t overhead_ps;       /* command overhead, and DRAM latency where it touches DRAM */
    uint64_t compute_ps;        /* arithmetic */
    uint64_t spm_ps;            /* (SPM bytes + DRAM bytes staged) / spm-bw */
    uint64_t dram_ps;           /* DRAM traffic / dram-bw, alone on the channel */
    uint64_t time_ps;           /* overhead + max(compute, spm, dram) */
    uint64_t dram_read_bytes;
    uint64_t dram_write_bytes;
    uint64_t spm_bytes;         /* to and from resident operands */
    uint64_t macs;
    uint64_t flops;             /* on the vector unit */
    uint64_t energy_fj;         /* without static power */
};

/* Defaults: the paper's system (3 TFLOP/s, 2 MiB, 32 GB/s); spm_size etc. may then be changed */
void onsram_model_init(struct onsram_model *m, enum onsram_preset preset);

/* NULL if the parameters are usable, else what is wrong (static text) */
const char *onsram_model_check(const struct onsram_model *m);

/* 64-bit FNV-1a over the parameters in order; names a configuration in results */
uint64_t onsram_model_hash(const struct onsram_model *m);

/* Bytes of one element; 0 for NONE and unknown types */
uint32_t onsram_dtype_size(uint32_t dtype);

/* Elements of a view: the product of its dims (1 for rank 0) */
uint64_t onsram_view_elements(const struct onsram_view *v);

/* Distinct bytes a view touches: stride-0 dimensions count once */
uint64_t onsram_view_bytes(const struct onsram_view *v);

/* Multiply-accumulates of GEMM and CONV, 0 of others; and vector FLOPs */
uint64_t onsram_op_macs(const struct onsram_perf_op *op);
uint64_t onsram_op_flops(const struct onsram_perf_op *op);

/*
 * How many of a view's bytes lie in the SPM when of its tensor the bytes at
 * [@win_begin, @win_begin + @win_bytes) do and the view's element (0, 0, ...) is
 * at @first, all in one address space: onsram_view_bytes() times the share of
 * the window in the view's extent (first to last byte addressed), rounded down.
 */
uint64_t onsram_slot_resident(const struct onsram_view *v, uint64_t first,
                              uint64_t win_begin, uint64_t win_bytes);

/* Residency of whole operands: every byte of the slots in @slots (bit mask) */
static inline void onsram_resident_slots(uint64_t resident[ONSRAM_MAX_OPERANDS], uint32_t slots)
{
    for (unsigned s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
        resident[s] = slots & (1u << s) ? UINT64_MAX : 0;
    }
}

/*
 * Cost of @op when of each operand slot's onsram_view_bytes() @resident lie in
 * the SPM (more counts as all; NULL: none of any slot) and @staging bytes of SPM
 * are left as staging window (raised to ONSRAM_STAGING_MIN).  @op must be valid.
 */
void onsram_op_cost(const struct onsram_model *m, const struct onsram_perf_op *op,
                    const uint64_t resident[ONSRAM_MAX_OPERANDS], uint64_t staging,
                    struct onsram_cost *cost);

/* Cost of copying @bytes between DRAM and SPM: to the SPM, or (write-back) from it */
void onsram_copy_cost(const struct onsram_model *m, uint64_t bytes, bool writeback,
                      struct onsram_cost *cost);

/* Energy of @time_ps of static power, femtojoules */
uint64_t onsram_static_energy_fj(const struct onsram_model *m, uint64_t time_ps);

/*
 * The DRAM channel as a fluid shared by engines, event by event and exact.
 *
 * An engine runs one task at a time: overhead, then compute/SPM work and DRAM
 * traffic side by side; the task ends when all are through.  Compute engines
 * share the channel fairly, the copy engine (the last) gets what they leave.
 * The channel's progress is kept in units that divide exactly, so that no
 * rounding accumulates: a task's end is rounded up to the next picosecond.
 */
#define ONSRAM_FLUID_ENGINES 5

struct onsram_fluid_task {
    bool active;
    uint64_t start_ps;
    uint64_t ready_ps;          /* overhead is over: traffic may flow */
    uint64_t floor_ps;          /* earliest end: ready + max(compute, spm) */
    uint64_t left;              /* DRAM work left, 1/12 ps of the channel */
};

struct onsram_fluid {
    struct onsram_model model;
    uint32_t engines;           /* compute + copy */
    uint64_t now_ps;
    struct onsram_fluid_task task[ONSRAM_FLUID_ENGINES];
};

void onsram_fluid_init(struct onsram_fluid *f, const struct onsram_model *m);
/* Begin a task on an idle engine at f->now_ps */
void onsram_fluid_start(struct onsram_fluid *f, uint32_t engine, const struct onsram_cost *cost);
/* Drop an engine's task (reset) */
void onsram_fluid_cancel(struct onsram_fluid *f, uint32_t engine);
/*
 * Advance to the next end of a task, lowest engine first where several end
 * together.  Returns its engine, or -1 where nothing runs; now_ps is its end.
 * A clock that is beyond range stands still; tasks end all the same.
 */
int onsram_fluid_next(struct onsram_fluid *f);

/*
 * Lower bound of any residency and prefetch plan for a given order of
 * operations.  Per operation: the floor (overhead + max(compute, SPM time with
 * every operand resident)) and the tensors it uses.  A tensor that is a
 * constant or a graph input must be read, one that is a graph output must be
 * written; others need not cross DRAM.
 */
enum onsram_bound_kind { ONSRAM_BOUND_INTERNAL, ONSRAM_BOUND_SOURCE, ONSRAM_BOUND_OUTPUT };

struct onsram_bound_op {
    struct onsram_perf_op op;
    uint32_t tensor[ONSRAM_MAX_OPERANDS]; /* index of each slot's tensor, UINT32_MAX: absent */
};

struct onsram_bound_tensor {
    uint64_t bytes;
    enum onsram_bound_kind kind;
};

/* Picoseconds; 0 for no operations; UINT64_MAX when memory runs out */
uint64_t onsram_bound(const struct onsram_model *m, const struct onsram_bound_op *ops, size_t nops,
                      const struct onsram_bound_tensor *tensors, size_t ntensors);

#endif
