/*
 * onsram accelerator: the PCI function
 *
 * A deep learning accelerator with a software-managed scratch-pad memory.  See
 * docs/specs/onsram.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "hw/qdev-properties.h"
#include "system/runstate.h"
#include "onsram.h"
#include "trace.h"

#define PM_OFFSET       0x40
#define EXPRESS_OFFSET  0x80
#define AER_OFFSET      0x100
/* A property that was not given: the model preset's value stands */
#define UNSET           UINT64_MAX

static void set_pause(OnsramState *s, uint32_t reason, bool on)
{
    bool paused = s->pause;

    if (!!(s->pause & reason) == on) {
        return;
    }
    s->pause ^= reason;
    trace_onsram_pause(s->pause);
    for (uint32_t e = 0; e < s->engines && !paused; e++) {
        onsram_engine_pause(s, e);
    }
    onsram_schedule(s);
}

static void pace_timer_expired(void *opaque)
{
    onsram_schedule(opaque);
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    set_pause(opaque, ONSRAM_PAUSE_VM, !running);
}

void onsram_update_power(OnsramState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);
    uint16_t pmcsr = pci_get_word(dev->config + dev->pm_cap + PCI_PM_CTRL);
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);

    set_pause(s, ONSRAM_PAUSE_POWER, (pmcsr & PCI_PM_CTRL_STATE_MASK) ||
                                     !(command & PCI_COMMAND_MASTER));
}

static void onsram_write_config(PCIDevice *dev, uint32_t addr, uint32_t val,
                                int len)
{
    pci_default_write_config(dev, addr, val, len);
    pcie_cap_flr_write_config(dev, addr, val, len);
    pcie_aer_write_config(dev, addr, val, len);
    onsram_update_power(ONSRAM(dev));
}

void onsram_reset(OnsramState *s)
{
    trace_onsram_reset();
    for (uint32_t e = 0; e < s->engines; e++) {
        OnsramEngine *eng = &s->engine[e];

        onsram_engine_reset(s, e);
        eng->ring_base = 0;
        eng->cpl_base = 0;
        eng->head_base = 0;
        eng->win_base = 0;
        eng->ring_size = 0;
        eng->head = 0;
        eng->tail = 0;
    }
    s->enabled = false;
    s->ctx_table = 0;
    onsram_mmu_invalidate_all(s);
    s->intr_status = 0;
    s->irq_pending = 0;
    memset(s->sem, 0, sizeof(s->sem));
    s->fault_first = 0;
    s->fault_count = 0;
    s->fault_lost = 0;
    onsram_fluid_init(&s->fluid, &s->model);
    s->static_from_ps = 0;
    onsram_spm_reset(s);
}

static void onsram_reset_hold(Object *obj, ResetType type)
{
    onsram_reset(ONSRAM(obj));
}

static bool take_preset(OnsramState *s, Error **errp)
{
    const char *name = s->prop.model ?: "default";

    if (!strcmp(name, "default")) {
        onsram_model_init(&s->model, ONSRAM_PRESET_DEFAULT);
    } else if (!strcmp(name, "paper")) {
        onsram_model_init(&s->model, ONSRAM_PRESET_PAPER);
    } else {
        error_setg(errp, "model must be 'default' or 'paper', not '%s'", name);
        return false;
    }
    return true;
}

static bool take_properties(OnsramState *s, Error **errp)
{
    const char *pacing = s->prop.pacing ?: "fast";
    const char *why;

    if (!take_preset(s, errp)) {
        return false;
    }
#define TAKE(field)                                 \
    if (s->prop.field != UNSET) {                   \
        s->model.field = s->prop.field;             \
    }
    TAKE(spm_size)
    TAKE(peak_flops)
    TAKE(vector_flops)
    TAKE(dram_bw)
    TAKE(spm_bw)
    TAKE(compute_engines)
    TAKE(mac_rows)
    TAKE(mac_cols)
#undef TAKE
    if (s->prop.dram_latency_ns != UNSET) {
        s->model.dram_latency_ps = MIN(s->prop.dram_latency_ns,
                                       UINT64_MAX / 1000) * 1000;
    }
    why = onsram_model_check(&s->model);
    if (why) {
        error_setg(errp, "%s", why);
        return false;
    }
    if (strcmp(pacing, "fast") && strcmp(pacing, "modelled")) {
        error_setg(errp, "pacing must be 'fast' or 'modelled', not '%s'",
                   pacing);
        return false;
    }
    if (!s->prop.max_op_work) {
        error_setg(errp, "max-op-work is 0: no operation could run");
        return false;
    }
    s->paced = !strcmp(pacing, "modelled");
    s->model_hash = onsram_model_hash(&s->model);
    s->engines = s->model.compute_engines + 1;
    s->granules = s->model.spm_size / ONSRAM_SPM_GRANULE;
    return true;
}

static bool init_bars(OnsramState *s, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(s);
    uint64_t size = ROUND_UP(s->model.spm_size, 4 * KiB);

    memory_region_init_io(&s->regs, OBJECT(s), &onsram_regs_ops, s,
                          "onsram-regs", ONSRAM_BAR_REGS_SIZE);
    pci_register_bar(dev, ONSRAM_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->regs);

    if (!memory_region_init_ram(&s->spm, OBJECT(s), "onsram-spm", size, errp)) {
        return false;
    }
    s->spm_ptr = memory_region_get_ram_ptr(&s->spm);
    memory_region_init(&s->spm_bar, OBJECT(s), "onsram-spm-bar",
                       pow2ceil(size));
    memory_region_add_subregion(&s->spm_bar, 0, &s->spm);
    pci_register_bar(dev, ONSRAM_BAR_SPM,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->spm_bar);
    return true;
}

static bool init_capabilities(OnsramState *s, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(s);
    unsigned vectors = s->engines + 1;

    pci_config_set_interrupt_pin(dev->config, 1);
    if (pcie_endpoint_cap_init(dev, EXPRESS_OFFSET) < 0) {
        error_setg(errp, "no PCI Express capability");
        return false;
    }
    pcie_cap_deverr_init(dev);
    pcie_cap_flr_init(dev);
    if (pci_pm_init(dev, PM_OFFSET, errp) < 0) {
        return false;
    }
    pci_set_word(dev->config + PM_OFFSET + PCI_PM_PMC, PCI_PM_CAP_VER_1_2);
    pci_set_word(dev->config + PM_OFFSET + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(dev->wmask + PM_OFFSET + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);

    if (pcie_aer_init(dev, PCI_ERR_VER, AER_OFFSET, PCI_ERR_SIZEOF, errp) < 0) {
        return false;
    }
    if (msix_init_exclusive_bar(dev, vectors, ONSRAM_BAR_MSIX, errp)) {
        pcie_aer_exit(dev);
        return false;
    }
    for (unsigned v = 0; v < vectors; v++) {
        msix_vector_use(dev, v);
    }
    return true;
}

static void init_state(OnsramState *s)
{
    DeviceState *dev = DEVICE(s);

    s->owner = g_new(uint16_t, s->granules);
    memset(s->owner, 0xff, s->granules * sizeof(*s->owner));
    s->ecc_offset = ONSRAM_ECC_NONE;
    s->tlb = g_new0(OnsramTlbEntry, ONSRAM_TLB_ENTRIES);
    onsram_mmu_invalidate_all(s);
    onsram_fluid_init(&s->fluid, &s->model);

    s->pause = ONSRAM_PAUSE_POWER | (runstate_is_running() ? 0
                                                           : ONSRAM_PAUSE_VM);
    s->step_bh = qemu_bh_new_guarded(onsram_step_bh, s,
                                     &dev->mem_reentrancy_guard);
    s->pace_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, pace_timer_expired, s);
    s->vmstate_entry = qdev_add_vm_change_state_handler(dev, vm_state_changed,
                                                        s);
}

static void stop_workers(OnsramState *s, uint32_t count)
{
    for (uint32_t e = 0; e < count; e++) {
        onsram_worker_stop(s, &s->engine[e].work);
    }
}

static bool start_workers(OnsramState *s, Error **errp)
{
    for (uint32_t e = 0; e < s->engines; e++) {
        if (!onsram_worker_start(&s->engine[e].work, s->step_bh)) {
            error_setg(errp, "no memory for the engines");
            stop_workers(s, e);
            return false;
        }
    }
    return true;
}

static void release(OnsramState *s)
{
    qemu_del_vm_change_state_handler(s->vmstate_entry);
    timer_free(s->pace_timer);
    qemu_bh_delete(s->step_bh);
    g_free(s->tlb);
    g_free(s->owner);
    /* Else the region's reference to its owner, this device, would stay */
    memory_region_del_subregion(&s->spm_bar, &s->spm);
}

static void onsram_realize(PCIDevice *dev, Error **errp)
{
    OnsramState *s = ONSRAM(dev);

    if (!take_properties(s, errp) || !init_bars(s, errp)) {
        return;
    }
    init_state(s);
    if (!start_workers(s, errp)) {
        release(s);
        return;
    }
    if (!init_capabilities(s, errp)) {
        stop_workers(s, s->engines);
        release(s);
    }
}

static void onsram_exit(PCIDevice *dev)
{
    OnsramState *s = ONSRAM(dev);

    for (uint32_t e = 0; e < s->engines; e++) {
        onsram_engine_reset(s, e);
    }
    stop_workers(s, s->engines);
    release(s);
    msix_uninit_exclusive_bar(dev);
    pcie_aer_exit(dev);
    pcie_cap_exit(dev);
}

/* Faults on demand: an engine (or a vector) to wait for, -1 for none */
static const struct {
    const char *name;
    size_t offset;
    const char *description;
} knobs[] = {
    { "hang-next", offsetof(OnsramState, hang_next),
      "engine whose next command hangs, -1: none" },
    { "error-next", offsetof(OnsramState, error_next),
      "engine whose next command fails, -1: none" },
    { "corrupt-status-next", offsetof(OnsramState, corrupt_status_next),
      "engine whose next record has a corrupt status, -1: none" },
    { "drop-irq-next", offsetof(OnsramState, drop_irq_next),
      "vector whose next message is lost, -1: none" },
};

static void knob_get(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    OnsramState *s = ONSRAM(obj);
    size_t i = (uintptr_t)opaque;
    int32_t value;

    value = *(int32_t *)((char *)s + knobs[i].offset);
    visit_type_int32(v, name, &value, errp);
}

static void knob_set(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    OnsramState *s = ONSRAM(obj);
    size_t i = (uintptr_t)opaque;
    int32_t value;

    if (!visit_type_int32(v, name, &value, errp)) {
        return;
    }
    if (value < ONSRAM_KNOB_OFF || value > ONSRAM_MAX_ENGINES) {
        error_setg(errp, "%s takes an engine, 0 to %d, or -1", name,
                   ONSRAM_MAX_ENGINES);
        return;
    }
    trace_onsram_knob(name, value);
    *(int32_t *)((char *)s + knobs[i].offset) = value;
}

static void ecc_get(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    OnsramState *s = ONSRAM(obj);
    int64_t value;

    value = s->ecc_offset == ONSRAM_ECC_NONE ? -1 : s->ecc_offset;
    visit_type_int64(v, name, &value, errp);
}

static void ecc_set(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    OnsramState *s = ONSRAM(obj);
    int64_t value;

    if (!visit_type_int64(v, name, &value, errp)) {
        return;
    }
    if (value < -1 || (value >= 0 && value >= s->model.spm_size)) {
        error_setg(errp, "%s takes an offset in the SPM, or -1", name);
        return;
    }
    trace_onsram_knob(name, value);
    s->ecc_offset = value < 0 ? ONSRAM_ECC_NONE : QEMU_ALIGN_DOWN(value, 8);
}

static void onsram_instance_init(Object *obj)
{
    OnsramState *s = ONSRAM(obj);

    s->hang_next = ONSRAM_KNOB_OFF;
    s->error_next = ONSRAM_KNOB_OFF;
    s->corrupt_status_next = ONSRAM_KNOB_OFF;
    s->drop_irq_next = ONSRAM_KNOB_OFF;
    s->ecc_offset = ONSRAM_ECC_NONE;
}

static const Property onsram_properties[] = {
    DEFINE_PROP_SIZE("spm-size", OnsramState, prop.spm_size, UNSET),
    DEFINE_PROP_UINT64("peak-flops", OnsramState, prop.peak_flops, UNSET),
    DEFINE_PROP_UINT64("vector-flops", OnsramState, prop.vector_flops, UNSET),
    DEFINE_PROP_UINT64("dram-bw", OnsramState, prop.dram_bw, UNSET),
    DEFINE_PROP_UINT64("spm-bw", OnsramState, prop.spm_bw, UNSET),
    DEFINE_PROP_UINT64("dram-latency", OnsramState, prop.dram_latency_ns,
                       UNSET),
    DEFINE_PROP_UINT64("compute-engines", OnsramState, prop.compute_engines,
                       UNSET),
    DEFINE_PROP_UINT64("mac-rows", OnsramState, prop.mac_rows, UNSET),
    DEFINE_PROP_UINT64("mac-cols", OnsramState, prop.mac_cols, UNSET),
    DEFINE_PROP_UINT64("max-op-work", OnsramState, prop.max_op_work,
                       100000000000ull),
    DEFINE_PROP_STRING("model", OnsramState, prop.model),
    DEFINE_PROP_STRING("pacing", OnsramState, prop.pacing),
    DEFINE_PROP_BOOL("functional", OnsramState, prop.functional, true),
};

static void onsram_class_init(ObjectClass *class, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(class);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(class);
    ResettableClass *rc = RESETTABLE_CLASS(class);

    pc->realize = onsram_realize;
    pc->exit = onsram_exit;
    pc->vendor_id = ONSRAM_PCI_VENDOR_ID;
    pc->device_id = ONSRAM_PCI_DEVICE_ID;
    pc->class_id = ONSRAM_PCI_CLASS;
    pc->config_write = onsram_write_config;
    pc->revision = 1;
    rc->phases.hold = onsram_reset_hold;
    dc->desc = "deep learning accelerator with a managed scratch-pad memory";
    dc->vmsd = &onsram_vmstate;
    device_class_set_props(dc, onsram_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);

    for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
        object_class_property_add(class, knobs[i].name, "int32", knob_get,
                                  knob_set, NULL, (void *)(uintptr_t)i);
        object_class_property_set_description(class, knobs[i].name,
                                              knobs[i].description);
    }
    object_class_property_add(class, "ecc-offset", "int64", ecc_get, ecc_set,
                              NULL, NULL);
    object_class_property_set_description(class, "ecc-offset",
        "SPM offset of a word with an uncorrectable error, -1: none");
}

static const TypeInfo onsram_info = {
    .name = TYPE_ONSRAM,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(OnsramState),
    .instance_init = onsram_instance_init,
    .class_init = onsram_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { },
    },
};

static void onsram_register_types(void)
{
    type_register_static(&onsram_info);
}

type_init(onsram_register_types)
