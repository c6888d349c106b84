/*
 * onsram accelerator: saved state
 *
 * The machine is stopped when it is saved, so no thread is between reading its
 * inputs and having written its output: what one computes at that moment leaves
 * no trace and is computed anew afterwards.  A command that runs in modelled time
 * is saved with its completion record, and whether its results are in place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/pci/msix.h"
#include "migration/vmstate.h"
#include "onsram.h"

static const VMStateDescription vmstate_cpl = {
    .name = "onsram/completion",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(seq, struct onsram_hw_cpl),
        VMSTATE_UINT64(start_ps, struct onsram_hw_cpl),
        VMSTATE_UINT64(end_ps, struct onsram_hw_cpl),
        VMSTATE_UINT64(compute_ps, struct onsram_hw_cpl),
        VMSTATE_UINT64(dram_read_bytes, struct onsram_hw_cpl),
        VMSTATE_UINT64(dram_write_bytes, struct onsram_hw_cpl),
        VMSTATE_UINT64(spm_bytes, struct onsram_hw_cpl),
        VMSTATE_UINT64(macs, struct onsram_hw_cpl),
        VMSTATE_UINT64(energy_fj, struct onsram_hw_cpl),
        VMSTATE_UINT64(fault_addr, struct onsram_hw_cpl),
        VMSTATE_UINT32(engine, struct onsram_hw_cpl),
        VMSTATE_UINT32(status, struct onsram_hw_cpl),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_engine = {
    .name = "onsram/engine",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(ring_base, OnsramEngine),
        VMSTATE_UINT64(cpl_base, OnsramEngine),
        VMSTATE_UINT64(head_base, OnsramEngine),
        VMSTATE_UINT64(win_base, OnsramEngine),
        VMSTATE_UINT32(ring_size, OnsramEngine),
        VMSTATE_UINT32(head, OnsramEngine),
        VMSTATE_UINT32(tail, OnsramEngine),
        VMSTATE_BOOL(enabled, OnsramEngine),
        VMSTATE_BOOL(hung, OnsramEngine),
        VMSTATE_UINT32(state, OnsramEngine),
        VMSTATE_UINT32(results, OnsramEngine),
        VMSTATE_STRUCT(cpl, OnsramEngine, 1, vmstate_cpl,
                       struct onsram_hw_cpl),
        VMSTATE_UINT16(cmd_flags, OnsramEngine),
        VMSTATE_UINT16(signal_sem, OnsramEngine),
        VMSTATE_UINT32(asid, OnsramEngine),
        VMSTATE_UINT64(signal_value, OnsramEngine),
        VMSTATE_INT64(deliver_ns, OnsramEngine),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_fault = {
    .name = "onsram/fault",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(cause, OnsramFault),
        VMSTATE_UINT32(ctx, OnsramFault),
        VMSTATE_UINT32(engine, OnsramFault),
        VMSTATE_UINT32(seq, OnsramFault),
        VMSTATE_UINT64(addr, OnsramFault),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_task = {
    .name = "onsram/task",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(active, struct onsram_fluid_task),
        VMSTATE_UINT64(start_ps, struct onsram_fluid_task),
        VMSTATE_UINT64(ready_ps, struct onsram_fluid_task),
        VMSTATE_UINT64(floor_ps, struct onsram_fluid_task),
        VMSTATE_UINT64(left, struct onsram_fluid_task),
        VMSTATE_END_OF_LIST()
    }
};

static bool engine_is_valid(OnsramState *s, uint32_t e)
{
    const OnsramEngine *eng = &s->engine[e];

    if (eng->ring_size) {
        if (!is_power_of_2(eng->ring_size) ||
            eng->ring_size > ONSRAM_RING_MAX) {
            return false;
        }
    } else if (eng->enabled || eng->state != ONSRAM_ENGINE_IDLE) {
        return false;
    }
    return eng->tail - eng->head <= eng->ring_size &&
           eng->state <= ONSRAM_ENGINE_DONE &&
           eng->state != ONSRAM_ENGINE_PREPARE &&
           (eng->results == ONSRAM_RESULTS_DONE ||
            (eng->state == ONSRAM_ENGINE_RUN &&
             eng->results == ONSRAM_RESULTS_WANTED)) &&
           (eng->state == ONSRAM_ENGINE_RUN) == s->fluid.task[e].active;
}

static int post_load(void *opaque, int version_id)
{
    OnsramState *s = opaque;

    for (uint32_t e = 0; e < s->engines; e++) {
        if (!engine_is_valid(s, e)) {
            error_report("onsram: saved engine %u is invalid", e);
            return -EINVAL;
        }
        s->engine[e].fetched = false;
    }
    if (s->fault_first >= ONSRAM_FAULT_DEPTH ||
        s->fault_count > ONSRAM_FAULT_DEPTH) {
        error_report("onsram: saved fault records are invalid");
        return -EINVAL;
    }
    s->owned = 0;
    for (uint32_t g = 0; g < s->granules; g++) {
        s->owned += s->owner[g] != ONSRAM_OWNER_NONE;
    }
    onsram_mmu_invalidate_all(s);
    /* Pause reasons follow configuration space, which is loaded */
    onsram_update_power(s);
    return 0;
}

const VMStateDescription onsram_vmstate = {
    .name = "onsram",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, OnsramState),
        VMSTATE_MSIX(parent_obj, OnsramState),
        VMSTATE_UINT64_EQUAL(model_hash, OnsramState,
                             "the accelerator's properties differ"),
        VMSTATE_UINT32_EQUAL(granules, OnsramState, "spm-size differs"),
        VMSTATE_UINT64_EQUAL(prop.max_op_work, OnsramState,
                             "max-op-work differs"),
        VMSTATE_BOOL(enabled, OnsramState),
        VMSTATE_UINT64(ctx_table, OnsramState),
        VMSTATE_UINT32(intr_status, OnsramState),
        VMSTATE_UINT32(irq_pending, OnsramState),
        VMSTATE_UINT64_ARRAY(sem, OnsramState, ONSRAM_NUM_SEMAPHORES),
        VMSTATE_STRUCT_ARRAY(engine, OnsramState, ONSRAM_MAX_ENGINES, 1,
                             vmstate_engine, OnsramEngine),
        VMSTATE_STRUCT_ARRAY(fault, OnsramState, ONSRAM_FAULT_DEPTH, 1,
                             vmstate_fault, OnsramFault),
        VMSTATE_UINT32(fault_first, OnsramState),
        VMSTATE_UINT32(fault_count, OnsramState),
        VMSTATE_UINT32(fault_lost, OnsramState),
        VMSTATE_UINT64(fluid.now_ps, OnsramState),
        VMSTATE_STRUCT_ARRAY(fluid.task, OnsramState, ONSRAM_FLUID_ENGINES, 1,
                             vmstate_task, struct onsram_fluid_task),
        VMSTATE_UINT64(static_from_ps, OnsramState),
        VMSTATE_INT64(anchor_ns, OnsramState),
        VMSTATE_UINT64(anchor_ps, OnsramState),
        VMSTATE_VARRAY_UINT32(owner, OnsramState, granules, 1,
                              vmstate_info_uint16, uint16_t),
        VMSTATE_UINT64(ecc_offset, OnsramState),
        VMSTATE_INT32(hang_next, OnsramState),
        VMSTATE_INT32(error_next, OnsramState),
        VMSTATE_INT32(corrupt_status_next, OnsramState),
        VMSTATE_INT32(drop_irq_next, OnsramState),
        VMSTATE_END_OF_LIST()
    }
};
