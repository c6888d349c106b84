/*
 * onsram accelerator: the engines
 *
 * One worker thread carries commands out in the order of modelled time.  What
 * can start does, at the present modelled time: its results are computed and
 * written, and its cost enters the fluid model of the DRAM channel.  When
 * nothing more can start, time advances to the next end of a command, which is
 * then reported; that may let others start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "onsram.h"
#include "trace.h"

static bool has_command(OnsramState *s, const OnsramEngine *eng)
{
    return s->enabled && eng->enabled && !eng->hung && eng->tail != eng->head;
}

bool onsram_engine_busy(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    return eng->hung || eng->state != ONSRAM_ENGINE_IDLE ||
           has_command(s, eng);
}

static bool wait_is_over(OnsramState *s, const struct onsram_hw_cmd *cmd)
{
    return !(cmd->flags & ONSRAM_CMDF_WAIT) ||
           cmd->wait_sem >= ONSRAM_NUM_SEMAPHORES ||
           s->sem[cmd->wait_sem] >= cmd->wait_value;
}

static bool startable(OnsramState *s, OnsramEngine *eng)
{
    return eng->state == ONSRAM_ENGINE_IDLE && has_command(s, eng) &&
           (!eng->fetched || wait_is_over(s, &eng->cmd));
}

/* The ring or the records cannot be reached: nothing sensible is left to do */
static void ring_error(OnsramState *s, uint32_t e, uint64_t bus)
{
    OnsramEngine *eng = &s->engine[e];

    trace_onsram_ring_error(e, bus);
    eng->enabled = false;
    eng->state = ONSRAM_ENGINE_IDLE;
    eng->fetched = false;
    onsram_fault(s, e, ONSRAM_ST_BUS, 0, bus, 0);
}

static void fetch(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    uint32_t gen = eng->gen;
    uint32_t starts = eng->starts;
    uint64_t bus = eng->ring_base + (uint64_t)(eng->head % eng->ring_size) *
                                    sizeof(eng->cmd);
    struct onsram_hw_cmd cmd;
    bool ok;

    qemu_mutex_unlock(&s->lock);
    ok = onsram_dma_read(s, bus, &cmd, sizeof(cmd));
    qemu_mutex_lock(&s->lock);
    if (eng->gen != gen || eng->starts != starts || !eng->enabled) {
        return;
    }
    if (!ok) {
        ring_error(s, e, bus);
        return;
    }
    onsram_command_from_le(&cmd);
    eng->cmd = cmd;
    eng->fetched = true;
}

static bool nothing_under_way(OnsramState *s)
{
    for (uint32_t e = 0; e < s->engines; e++) {
        if (s->engine[e].state == ONSRAM_ENGINE_RUN ||
            s->engine[e].state == ONSRAM_ENGINE_DONE) {
            return false;
        }
    }
    return true;
}

/* Modelled time starts for a command whose effects are all in place */
static void begin(OnsramState *s, uint32_t e, uint32_t status,
                  const struct onsram_cost *cost, uint64_t fault_addr)
{
    OnsramEngine *eng = &s->engine[e];
    const struct onsram_hw_cmd *cmd = &eng->cmd;

    if (s->paced && nothing_under_way(s)) {
        s->anchor_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        s->anchor_ps = s->fluid.now_ps;
    }
    eng->cpl = (struct onsram_hw_cpl) {
        .seq = cmd->seq,
        .start_ps = s->fluid.now_ps,
        .compute_ps = cost->compute_ps,
        .dram_read_bytes = cost->dram_read_bytes,
        .dram_write_bytes = cost->dram_write_bytes,
        .spm_bytes = cost->spm_bytes,
        .macs = cost->macs,
        .energy_fj = cost->energy_fj,
        .fault_addr = fault_addr,
        .engine = e,
        .status = status,
    };
    eng->cmd_flags = cmd->flags;
    eng->signal_sem = cmd->signal_sem;
    eng->signal_value = cmd->signal_value;
    eng->asid = cmd->asid;
    eng->fetched = false;
    eng->state = ONSRAM_ENGINE_RUN;
    trace_onsram_command_cost(e, cmd->seq, cost->compute_ps, cost->dram_ps,
                              cost->spm_ps);
    onsram_fluid_start(&s->fluid, e, cost);
}

/* A command that fails before it does anything has cost its overhead */
static void begin_failed(OnsramState *s, uint32_t e, uint32_t status,
                         uint64_t fault_addr)
{
    struct onsram_cost cost = {
        .overhead_ps = s->model.cmd_overhead_ps,
        .time_ps = s->model.cmd_overhead_ps,
    };

    begin(s, e, status, &cost, fault_addr);
}

static void run_operation(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    uint32_t gen = eng->gen;
    struct onsram_cost cost;
    uint32_t status;

    eng->state = ONSRAM_ENGINE_EXEC;
    s->work.cmd = eng->cmd;
    qemu_mutex_unlock(&s->lock);
    status = onsram_command_execute(s);
    qemu_mutex_lock(&s->lock);

    if (eng->gen != gen || s->pause) {
        /* Reset, or to be run again when the machine goes on */
        trace_onsram_command_abandoned(e, s->work.cmd.seq);
        onsram_operands_release(s, false);
        if (eng->gen == gen) {
            eng->state = ONSRAM_ENGINE_IDLE;
        }
        return;
    }
    if (status != ONSRAM_ST_OK) {
        onsram_operands_release(s, false);
        begin_failed(s, e, status, s->work.fault_addr);
        return;
    }
    if (!s->prop.functional) {
        onsram_operands_release(s, false);
    } else if (!onsram_operand_commit(s, eng, gen)) {
        trace_onsram_command_abandoned(e, s->work.cmd.seq);
        return;
    }
    onsram_command_cost(s, &eng->cmd, &cost);
    begin(s, e, ONSRAM_ST_OK, &cost, 0);
}

static void start(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    struct onsram_cost cost;
    uint64_t fault_addr = 0;
    uint32_t status;

    if (!eng->fetched) {
        fetch(s, e);
        /* Anything may have changed with the lock dropped: look again */
        return;
    }
    trace_onsram_command_start(e, eng->cmd.seq, eng->cmd.opcode, eng->cmd.asid,
                               s->fluid.now_ps);
    if (s->hang_next == (int32_t)e) {
        trace_onsram_hang(e, eng->cmd.seq);
        s->hang_next = ONSRAM_KNOB_OFF;
        eng->hung = true;
        return;
    }
    if (s->error_next == (int32_t)e) {
        s->error_next = ONSRAM_KNOB_OFF;
        begin_failed(s, e, ONSRAM_ST_INJECTED, 0);
        return;
    }
    if (!onsram_command_is_control(&eng->cmd)) {
        run_operation(s, e);
        return;
    }
    status = onsram_command_control(s, &eng->cmd, &cost, &fault_addr);
    if (status != ONSRAM_ST_OK) {
        begin_failed(s, e, status, fault_addr);
    } else {
        begin(s, e, status, &cost, 0);
    }
}

/* Advance modelled time to the next end of a command */
static bool advance(OnsramState *s)
{
    int e = onsram_fluid_next(&s->fluid);
    OnsramEngine *eng;
    uint64_t now = s->fluid.now_ps;

    if (e < 0) {
        return false;
    }
    eng = &s->engine[e];
    eng->state = ONSRAM_ENGINE_DONE;
    eng->cpl.end_ps = now;
    /* Static power is charged to whoever ends an interval of modelled time */
    eng->cpl.energy_fj += onsram_static_energy_fj(&s->model,
                                                  now - s->static_from_ps);
    s->static_from_ps = now;
    eng->deliver_ns = s->paced ?
        s->anchor_ns + DIV_ROUND_UP(now - s->anchor_ps, 1000) : 0;
    return true;
}

static bool deliverable(OnsramState *s, OnsramEngine *eng)
{
    if (!s->paced ||
        qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) >= eng->deliver_ns) {
        return true;
    }
    timer_mod(s->pace_timer, eng->deliver_ns);
    return false;
}

void onsram_pace_timer(void *opaque)
{
    OnsramState *s = opaque;

    QEMU_LOCK_GUARD(&s->lock);
    qemu_cond_signal(&s->wake);
}

static void completed(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    trace_onsram_command_complete(e, eng->cpl.seq, eng->cpl.status,
                                  eng->cpl.end_ps);
    eng->head++;
    eng->state = ONSRAM_ENGINE_IDLE;
    if (eng->cmd_flags & ONSRAM_CMDF_SIGNAL &&
        eng->signal_sem < ONSRAM_NUM_SEMAPHORES) {
        s->sem[eng->signal_sem] = MAX(s->sem[eng->signal_sem],
                                      eng->signal_value);
    }
    if (eng->cpl.status != ONSRAM_ST_OK) {
        onsram_fault(s, e, eng->cpl.status, eng->asid, eng->cpl.fault_addr,
                     eng->cpl.seq);
    }
    if (eng->cmd_flags & ONSRAM_CMDF_IRQ) {
        onsram_raise(s, e);
    }
}

static void store_record(OnsramState *s, uint32_t e,
                         struct onsram_hw_cpl *record)
{
    struct onsram_hw_cpl cpl = s->engine[e].cpl;
    uint32_t status;

    if (s->corrupt_status_next == (int32_t)e) {
        s->corrupt_status_next = ONSRAM_KNOB_OFF;
        cpl.status = ~cpl.status;
    }
    onsram_cpl_to_le(&cpl);
    status = cpl.status;
    cpl.status = cpu_to_le32(ONSRAM_ST_NONE);
    memcpy(record, &cpl, sizeof(cpl));
    /* Who sees the status sees the record */
    smp_wmb();
    qatomic_set(&record->status, status);
}

/* Write the completion record, then the head, then tell of it */
static void publish(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    uint32_t gen = eng->gen;
    uint64_t record_bus = eng->cpl_base +
                          (uint64_t)(eng->head % eng->ring_size) *
                          sizeof(struct onsram_hw_cpl);
    uint64_t head_bus = eng->head_base;
    uint64_t record_len = sizeof(struct onsram_hw_cpl);
    uint64_t head_len = sizeof(uint32_t);
    void *record, *head = NULL;
    bool mapped, write;

    qemu_mutex_unlock(&s->lock);
    record = onsram_dma_map(s, record_bus, &record_len);
    if (head_bus) {
        head = onsram_dma_map(s, head_bus, &head_len);
    }
    mapped = record && record_len == sizeof(struct onsram_hw_cpl) &&
             (!head_bus || (head && head_len == sizeof(uint32_t)));
    qemu_mutex_lock(&s->lock);

    /* Paused meanwhile: the record is written when the machine goes on */
    write = mapped && eng->gen == gen && !s->pause;
    if (write) {
        store_record(s, e, record);
        if (head) {
            /* Who sees the head sees the records before it */
            smp_wmb();
            qatomic_set((uint32_t *)head, cpu_to_le32(eng->head + 1));
        }
        completed(s, e);
    } else if (!mapped && eng->gen == gen && !s->pause) {
        ring_error(s, e, record ? head_bus : record_bus);
    }
    if (record) {
        onsram_dma_unmap(s, record, record_len, write);
    }
    if (head) {
        onsram_dma_unmap(s, head, head_len, write);
    }
}

/* One thing to do, or false for none */
static bool step(OnsramState *s)
{
    bool held = false;

    if (s->pause) {
        return false;
    }
    for (uint32_t e = 0; e < s->engines; e++) {
        if (s->engine[e].state == ONSRAM_ENGINE_DONE) {
            if (deliverable(s, &s->engine[e])) {
                publish(s, e);
                return true;
            }
            held = true;
        }
    }
    for (uint32_t e = 0; e < s->engines; e++) {
        if (startable(s, &s->engine[e])) {
            start(s, e);
            return true;
        }
    }
    /* With an end still to be told of at its time, time does not go past it */
    return !held && advance(s);
}

void *onsram_worker(void *opaque)
{
    OnsramState *s = opaque;

    rcu_register_thread();
    qemu_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (!step(s)) {
            qemu_cond_wait(&s->wake, &s->lock);
        }
    }
    qemu_mutex_unlock(&s->lock);
    rcu_unregister_thread();
    return NULL;
}

void onsram_engine_reset(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    trace_onsram_engine_reset(e, eng->head);
    onsram_fluid_cancel(&s->fluid, e);
    eng->gen++;
    eng->enabled = false;
    eng->hung = false;
    eng->fetched = false;
    eng->state = ONSRAM_ENGINE_IDLE;
    qemu_cond_signal(&s->wake);
}
