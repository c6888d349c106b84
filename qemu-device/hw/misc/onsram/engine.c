/*
 * onsram accelerator: the engines
 *
 * The main loop takes commands in the order of modelled time: what can start
 * does, at the present modelled time.  Its operands are mapped, its cost enters
 * the fluid model of the DRAM channel, and the engine's thread computes and
 * writes its results.  When nothing more can start, and the command that ends
 * next has its results in place, time advances to that end; it is reported, and
 * that may let others start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "onsram.h"
#include "trace.h"

/* Steps taken in one go: a stretch of the main loop */
#define STEPS_MAX   64

void onsram_schedule(OnsramState *s)
{
    qemu_bh_schedule(s->step_bh);
}

static bool has_command(OnsramState *s, const OnsramEngine *eng)
{
    return s->enabled && eng->enabled && !eng->hung && eng->tail != eng->head;
}

bool onsram_engine_busy(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    return eng->hung || eng->state != ONSRAM_ENGINE_IDLE || eng->work.busy ||
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
    eng->results = ONSRAM_RESULTS_DONE;
    onsram_fault(s, e, ONSRAM_ST_BUS, 0, bus, 0);
}

static bool fetch_windows(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    uint64_t bus = eng->win_base + (uint64_t)(eng->head % eng->ring_size) *
                                   sizeof(eng->windows);

    if (!(eng->cmd.flags & ONSRAM_CMDF_WINDOWS)) {
        memset(&eng->windows, 0, sizeof(eng->windows));
        return true;
    }
    if (!onsram_dma_read(s, bus, &eng->windows, sizeof(eng->windows))) {
        ring_error(s, e, bus);
        return false;
    }
    onsram_windows_from_le(&eng->windows);
    return true;
}

static bool fetch(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    uint64_t bus = eng->ring_base + (uint64_t)(eng->head % eng->ring_size) *
                                    sizeof(eng->cmd);

    if (!eng->fetched) {
        if (!onsram_dma_read(s, bus, &eng->cmd, sizeof(eng->cmd))) {
            ring_error(s, e, bus);
            return false;
        }
        onsram_command_from_le(&eng->cmd);
        if (!fetch_windows(s, e)) {
            return false;
        }
        eng->fetched = true;
    }
    return true;
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

/* Modelled time starts for a command */
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

/* Whether it takes the arithmetic to tell if the operation fails */
static bool may_fail_late(const struct onsram_hw_cmd *cmd)
{
    return cmd->opcode == ONSRAM_OP_GATHER;
}

/* An operation's operands: where they are, then as far as one go gets */
static void map_operands(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    OnsramWork *w = &eng->work;
    bool begun = eng->state != ONSRAM_ENGINE_PREPARE;
    uint32_t status = ONSRAM_ST_OK;

    if (eng->results == ONSRAM_RESULTS_WANTED) {
        if (!fetch(s, e)) {
            onsram_fluid_cancel(&s->fluid, e);
            return;
        }
        w->cmd = eng->cmd;
        w->windows = eng->windows;
        w->fault_addr = 0;
        status = onsram_command_check(s, w);
        eng->results = ONSRAM_RESULTS_MAPPING;
    }
    if (status == ONSRAM_ST_OK) {
        status = onsram_operands_map(s, w);
    }
    if (status == ONSRAM_ST_NONE) {
        return;
    }
    if (status == ONSRAM_ST_OK && !begun &&
        !(s->prop.functional && may_fail_late(&w->cmd))) {
        begin(s, e, ONSRAM_ST_OK, &eng->cost, 0);
    }
    if (status == ONSRAM_ST_OK && s->prop.functional) {
        eng->results = ONSRAM_RESULTS_COMPUTED;
        onsram_worker_hand_over(w, s->ecc_offset);
        return;
    }
    onsram_operands_unmap(s, w, false);
    eng->results = ONSRAM_RESULTS_DONE;
    if (status != ONSRAM_ST_OK && begun) {
        eng->cpl.status = status;
        eng->cpl.fault_addr = w->fault_addr;
    } else if (status != ONSRAM_ST_OK) {
        begin_failed(s, e, status, w->fault_addr);
    }
}

static void start(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    struct onsram_cost cost;
    uint64_t fault_addr = 0;
    uint32_t status;

    if (!fetch(s, e) || !wait_is_over(s, &eng->cmd)) {
        return;
    }
    trace_onsram_command_start(e, eng->cmd.seq, eng->cmd.opcode, eng->cmd.asid,
                               s->fluid.now_ps);
    if (s->hang_next == (int32_t)e) {
        trace_onsram_hang(e, eng->cmd.seq);
        s->hang_next = ONSRAM_KNOB_OFF;
        eng->hung = true;
    } else if (s->error_next == (int32_t)e) {
        s->error_next = ONSRAM_KNOB_OFF;
        begin_failed(s, e, ONSRAM_ST_INJECTED, 0);
    } else if (!onsram_command_is_control(&eng->cmd)) {
        eng->state = ONSRAM_ENGINE_PREPARE;
        eng->results = ONSRAM_RESULTS_WANTED;
        onsram_command_cost(s, &eng->cmd, &eng->windows, &eng->cost);
    } else {
        status = onsram_command_control(s, &eng->cmd, &cost, &fault_addr);
        if (status != ONSRAM_ST_OK) {
            begin_failed(s, e, status, fault_addr);
        } else {
            begin(s, e, status, &cost, 0);
        }
    }
}

/* The thread is through with a command, or has given it up */
static bool take_back(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];
    OnsramWork *w = &eng->work;
    uint32_t status = ONSRAM_ST_OK;
    int ret;

    if (!onsram_worker_take_back(w, &ret)) {
        return false;
    }
    if (w->ecc_rewritten && s->ecc_offset == w->ecc_offset) {
        s->ecc_offset = ONSRAM_ECC_NONE;
    }
    /* An output given up half way is written, too */
    onsram_operands_unmap(s, w, true);
    if (eng->results != ONSRAM_RESULTS_COMPUTED) {
        trace_onsram_command_abandoned(e, w->cmd.seq);
        return true;
    }
    eng->results = ONSRAM_RESULTS_DONE;
    if (ret) {
        status = onsram_command_failed(w, ret);
    }
    if (eng->state == ONSRAM_ENGINE_PREPARE && ret) {
        begin_failed(s, e, status, w->fault_addr);
    } else if (eng->state == ONSRAM_ENGINE_PREPARE) {
        begin(s, e, status, &eng->cost, 0);
    } else {
        eng->cpl.status = status;
        eng->cpl.fault_addr = w->fault_addr;
    }
    return true;
}

/* Whether something is due at the present modelled time */
static bool time_stands(OnsramState *s)
{
    for (uint32_t e = 0; e < s->engines; e++) {
        OnsramEngine *eng = &s->engine[e];

        if (eng->state == ONSRAM_ENGINE_PREPARE ||
            eng->state == ONSRAM_ENGINE_DONE || startable(s, eng)) {
            return true;
        }
    }
    return false;
}

/*
 * Advance modelled time to the next end of a command, but not before its results
 * are in place: meanwhile other engines may be given work.
 */
static bool advance(OnsramState *s)
{
    struct onsram_fluid fluid = s->fluid;
    int e = onsram_fluid_next(&fluid);
    uint64_t now = fluid.now_ps;
    OnsramEngine *eng;

    if (e < 0 || s->engine[e].results != ONSRAM_RESULTS_DONE) {
        return false;
    }
    s->fluid = fluid;
    eng = &s->engine[e];
    eng->state = ONSRAM_ENGINE_DONE;
    eng->cpl.end_ps = now;
    /* Static power is charged to whoever ends an interval of modelled time */
    eng->cpl.energy_fj = onsram_sat_add(eng->cpl.energy_fj,
        onsram_static_energy_fj(&s->model, now - s->static_from_ps));
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

static void completed(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    trace_onsram_command_complete(e, eng->cpl.seq, eng->cpl.status,
                                  eng->cpl.end_ps);
    eng->head++;
    eng->fetched = false;
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
    uint64_t record_bus = eng->cpl_base +
                          (uint64_t)(eng->head % eng->ring_size) *
                          sizeof(struct onsram_hw_cpl);
    uint64_t head_bus = eng->head_base;
    uint64_t record_len = sizeof(struct onsram_hw_cpl);
    uint64_t head_len = sizeof(uint32_t);
    void *record = onsram_dma_map(s, record_bus, &record_len, true);
    void *head = head_bus ? onsram_dma_map(s, head_bus, &head_len, true) : NULL;
    bool mapped = record && record_len == sizeof(struct onsram_hw_cpl) &&
                  (!head_bus || (head && head_len == sizeof(uint32_t)));

    if (mapped) {
        store_record(s, e, record);
        if (head) {
            /* Who sees the head sees the records before it */
            smp_wmb();
            qatomic_set((uint32_t *)head, cpu_to_le32(eng->head + 1));
        }
        completed(s, e);
    } else {
        ring_error(s, e, record ? head_bus : record_bus);
    }
    if (record) {
        onsram_dma_unmap(s, record, record_len, true, mapped);
    }
    if (head) {
        onsram_dma_unmap(s, head, head_len, true, mapped);
    }
}

/* Operands to be mapped, by a thread that is free for them */
static bool is_mapping(const OnsramEngine *eng)
{
    return !eng->work.busy && (eng->results == ONSRAM_RESULTS_WANTED ||
                               eng->results == ONSRAM_RESULTS_MAPPING);
}

/* One thing to do, or false for none */
static bool step(OnsramState *s)
{
    for (uint32_t e = 0; e < s->engines; e++) {
        if (take_back(s, e)) {
            return true;
        }
    }
    if (s->pause) {
        return false;
    }
    for (uint32_t e = 0; e < s->engines; e++) {
        OnsramEngine *eng = &s->engine[e];

        if (eng->state == ONSRAM_ENGINE_DONE && deliverable(s, eng)) {
            publish(s, e);
            return true;
        }
    }
    for (uint32_t e = 0; e < s->engines; e++) {
        if (startable(s, &s->engine[e])) {
            start(s, e);
            return true;
        }
    }
    for (uint32_t e = 0; e < s->engines; e++) {
        if (is_mapping(&s->engine[e])) {
            map_operands(s, e);
            return true;
        }
    }
    return !time_stands(s) && advance(s);
}

void onsram_step_bh(void *opaque)
{
    OnsramState *s = opaque;

    for (unsigned i = 0; i < STEPS_MAX; i++) {
        if (!step(s)) {
            onsram_notify(s);
            return;
        }
    }
    onsram_notify(s);
    onsram_schedule(s);
}

/* Nothing of the command under way is written any more */
static void give_up(OnsramState *s, OnsramEngine *eng)
{
    if (eng->work.busy) {
        onsram_worker_abandon(&eng->work);
    } else {
        onsram_operands_unmap(s, &eng->work, false);
    }
}

void onsram_engine_pause(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    if (eng->results == ONSRAM_RESULTS_COMPUTED) {
        onsram_worker_settle(&eng->work);
        take_back(s, e);
    }
    if (eng->results == ONSRAM_RESULTS_DONE) {
        return;
    }
    give_up(s, eng);
    eng->results = ONSRAM_RESULTS_WANTED;
    if (eng->state == ONSRAM_ENGINE_PREPARE) {
        /* Not begun: it starts anew */
        eng->state = ONSRAM_ENGINE_IDLE;
        eng->results = ONSRAM_RESULTS_DONE;
    }
}

void onsram_engine_reset(OnsramState *s, uint32_t e)
{
    OnsramEngine *eng = &s->engine[e];

    trace_onsram_engine_reset(e, eng->head);
    onsram_fluid_cancel(&s->fluid, e);
    give_up(s, eng);
    eng->results = ONSRAM_RESULTS_DONE;
    eng->enabled = false;
    eng->hung = false;
    eng->fetched = false;
    eng->state = ONSRAM_ENGINE_IDLE;
    onsram_schedule(s);
}
