/*
 * onsram accelerator: interrupts and fault records
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "onsram.h"
#include "trace.h"

/* @vector is an engine's, or behind the last engine's the fault vector */
void onsram_raise(OnsramState *s, unsigned vector)
{
    s->intr_status |= vector == s->engines ? ONSRAM_INTR_FAULT : 1u << vector;
    if (s->drop_irq_next == vector) {
        s->drop_irq_next = ONSRAM_KNOB_OFF;
        trace_onsram_interrupt_dropped(vector);
        return;
    }
    s->irq_pending |= 1u << vector;
}

void onsram_fault(OnsramState *s, uint32_t engine, uint32_t cause,
                  uint32_t asid, uint64_t addr, uint64_t seq)
{
    trace_onsram_fault(engine, cause, asid, addr, seq);
    if (s->fault_count == ONSRAM_FAULT_DEPTH) {
        s->fault_lost++;
    } else {
        uint32_t i = (s->fault_first + s->fault_count++) % ONSRAM_FAULT_DEPTH;

        s->fault[i] = (OnsramFault) {
            .cause = cause, .ctx = asid, .engine = engine,
            .seq = (uint32_t)seq, .addr = addr,
        };
    }
    onsram_raise(s, s->engines);
}

/* Without MSI-X: the pin is asserted while anything is latched */
void onsram_intx_update(OnsramState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    pci_set_irq(dev, s->intr_status && !msix_enabled(dev));
}

void onsram_notify(OnsramState *s)
{
    /* A stopped machine keeps them; they are sent when it goes on */
    uint32_t vectors = s->pause & ONSRAM_PAUSE_VM ? 0 : s->irq_pending;

    s->irq_pending &= ~vectors;
    if (!msix_enabled(PCI_DEVICE(s))) {
        if (vectors) {
            onsram_intx_update(s);
        }
        return;
    }
    for (unsigned v = 0; v <= s->engines; v++) {
        if (vectors & (1u << v)) {
            trace_onsram_interrupt(v);
            msix_notify(PCI_DEVICE(s), v);
        }
    }
}
