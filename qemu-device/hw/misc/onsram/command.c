/*
 * onsram accelerator: what a command does
 *
 * Commands come from guest memory: every field is checked here, whatever the
 * driver has checked before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/log.h"
#include "qemu/units.h"
#include "onsram.h"
#include "perf-math.h"
#include "trace.h"

/* Host memory one command may need for its operands */
#define WORK_BYTES_MAX  (4 * GiB)

void onsram_command_from_le(struct onsram_hw_cmd *cmd)
{
    struct onsram_attr *a = &cmd->attr;

    le16_to_cpus(&cmd->opcode);
    le16_to_cpus(&cmd->flags);
    le32_to_cpus(&cmd->asid);
    le64_to_cpus(&cmd->seq);
    le16_to_cpus(&cmd->wait_sem);
    le16_to_cpus(&cmd->signal_sem);
    le32_to_cpus(&cmd->reserved0);
    le64_to_cpus(&cmd->wait_value);
    le64_to_cpus(&cmd->signal_value);
    le32_to_cpus(&a->func);
    le32_to_cpus(&a->groups);
    le32_to_cpus(&a->axis);
    le32_to_cpus(&a->act);
    for (unsigned i = 0; i < ONSRAM_MAX_SPATIAL; i++) {
        le16_to_cpus(&a->kernel[i]);
        le16_to_cpus(&a->stride[i]);
        le16_to_cpus(&a->dilation[i]);
        le16_to_cpus(&a->pad_begin[i]);
        le16_to_cpus(&a->pad_end[i]);
    }
    le16_to_cpus(&a->reserved);
    for (unsigned i = 0; i < ARRAY_SIZE(a->param); i++) {
        le32_to_cpus(&a->param[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(a->act_param); i++) {
        le32_to_cpus(&a->act_param[i]);
    }
    if (onsram_command_is_control(cmd)) {
        for (unsigned i = 0; i < ARRAY_SIZE(cmd->arg); i++) {
            le64_to_cpus(&cmd->arg[i]);
        }
        return;
    }
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        struct onsram_hw_operand *o = &cmd->operand[i];

        le64_to_cpus(&o->addr);
        le32_to_cpus(&o->view.dtype);
        le32_to_cpus(&o->view.rank);
        for (unsigned d = 0; d < ONSRAM_MAX_RANK; d++) {
            le32_to_cpus(&o->view.dims[d]);
            le32_to_cpus((uint32_t *)&o->view.strides[d]);
        }
    }
}

void onsram_windows_from_le(struct onsram_hw_windows *windows)
{
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        le64_to_cpus(&windows->slot[i].va);
        le32_to_cpus(&windows->slot[i].bytes);
        le32_to_cpus(&windows->slot[i].spm);
    }
}

void onsram_cpl_to_le(struct onsram_hw_cpl *cpl)
{
    cpu_to_le64s(&cpl->seq);
    cpu_to_le64s(&cpl->start_ps);
    cpu_to_le64s(&cpl->end_ps);
    cpu_to_le64s(&cpl->compute_ps);
    cpu_to_le64s(&cpl->dram_read_bytes);
    cpu_to_le64s(&cpl->dram_write_bytes);
    cpu_to_le64s(&cpl->spm_bytes);
    cpu_to_le64s(&cpl->macs);
    cpu_to_le64s(&cpl->energy_fj);
    cpu_to_le64s(&cpl->fault_addr);
    cpu_to_le32s(&cpl->engine);
    cpu_to_le32s(&cpl->status);
}

bool onsram_command_is_control(const struct onsram_hw_cmd *cmd)
{
    return cmd->opcode >= ONSRAM_CMD_NOP;
}

static uint32_t refuse(const struct onsram_hw_cmd *cmd, const char *why)
{
    trace_onsram_bad_command(cmd->seq, cmd->opcode, why);
    qemu_log_mask(LOG_GUEST_ERROR, "onsram: command %" PRIu64 ", opcode 0x%x: "
                  "%s\n", (uint64_t)cmd->seq, cmd->opcode, why);
    return ONSRAM_ST_BAD_COMMAND;
}

/* What holds for every command */
static const char *check_header(const struct onsram_hw_cmd *cmd)
{
    if (cmd->flags & ~(ONSRAM_CMDF_IRQ | ONSRAM_CMDF_WAIT |
                       ONSRAM_CMDF_SIGNAL | ONSRAM_CMDF_WINDOWS)) {
        return "unknown flag";
    }
    if (cmd->reserved0 || cmd->reserved1[0] || cmd->reserved1[1]) {
        return "reserved field is not 0";
    }
    if ((cmd->flags & ONSRAM_CMDF_WAIT &&
         cmd->wait_sem >= ONSRAM_NUM_SEMAPHORES) ||
        (cmd->flags & ONSRAM_CMDF_SIGNAL &&
         cmd->signal_sem >= ONSRAM_NUM_SEMAPHORES)) {
        return "no such semaphore";
    }
    return NULL;
}

static const char *check_windows(const struct onsram_hw_cmd *cmd,
                                 const struct onsram_hw_windows *windows)
{
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        const struct onsram_hw_window *w = &windows->slot[i];

        if (!w->bytes && (w->va || w->spm)) {
            return "a window of no bytes is not 0";
        }
        if (w->bytes && (cmd->operand[i].view.dtype == ONSRAM_DTYPE_NONE ||
                         cmd->operand[i].addr & ONSRAM_ADDR_SPM)) {
            return "a window of an operand that is absent, or in the SPM anyway";
        }
    }
    return buffer_is_zero(windows->reserved, sizeof(windows->reserved)) ? NULL :
           "reserved field is not 0";
}

/* A view's address field must be 0, too, where the view is absent */
static const char *check_operation(const OnsramState *s,
                                   const struct onsram_hw_cmd *cmd)
{
    struct onsram_view views[ONSRAM_MAX_OPERANDS];
    const char *why;

    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        views[i] = cmd->operand[i].view;
        if (views[i].dtype == ONSRAM_DTYPE_NONE && cmd->operand[i].addr) {
            return "absent operand has an address";
        }
    }
    why = onsram_exec_check(cmd->opcode, &cmd->attr, views);
    if (!why && onsram_exec_work(cmd->opcode, &cmd->attr, views) >
                s->prop.max_op_work) {
        why = "more work than max-op-work";
    }
    return why;
}

/* How many of a control command's arguments it uses, or -1 */
static int control_args(uint16_t opcode)
{
    switch (opcode) {
    case ONSRAM_CMD_NOP:
    case ONSRAM_CMD_TLB_INVALIDATE:
        return 0;
    case ONSRAM_CMD_SPM_ASSIGN:
        return 3;
    default:
        return -1;
    }
}

static const char *check_control(const struct onsram_hw_cmd *cmd)
{
    int args = control_args(cmd->opcode);
    const uint8_t *rest = (const uint8_t *)&cmd->arg[MAX(args, 0)];

    if (args < 0) {
        return "unknown opcode";
    }
    if (cmd->flags & ONSRAM_CMDF_WINDOWS) {
        return "a control command has no operands";
    }
    if (!buffer_is_zero(&cmd->attr, sizeof(cmd->attr)) ||
        !buffer_is_zero(rest, (const uint8_t *)(cmd + 1) - rest)) {
        return "unused field is not 0";
    }
    if (cmd->opcode == ONSRAM_CMD_SPM_ASSIGN &&
        (cmd->arg[2] & ~(uint64_t)(ONSRAM_ASSIGN_RELEASE |
                                   ONSRAM_ASSIGN_SCRUB))) {
        return "unknown assignment flag";
    }
    if (cmd->opcode == ONSRAM_CMD_SPM_ASSIGN &&
        (cmd->arg[0] % ONSRAM_SPM_GRANULE || cmd->arg[1] % ONSRAM_SPM_GRANULE ||
         !cmd->arg[1])) {
        return "range is not whole granules";
    }
    return NULL;
}

uint32_t onsram_command_control(OnsramState *s, const struct onsram_hw_cmd *cmd,
                                struct onsram_cost *cost, uint64_t *fault_addr)
{
    const char *why = check_header(cmd) ?: check_control(cmd);
    uint64_t offset = cmd->arg[0];
    uint64_t bytes = cmd->arg[1];

    *cost = (struct onsram_cost) { 0 };
    if (why) {
        return refuse(cmd, why);
    }
    if (cmd->opcode == ONSRAM_CMD_NOP) {
        return ONSRAM_ST_OK;
    }
    if (cmd->asid >= ONSRAM_MAX_CONTEXTS) {
        return ONSRAM_ST_BAD_CONTEXT;
    }
    if (cmd->opcode == ONSRAM_CMD_TLB_INVALIDATE) {
        onsram_mmu_invalidate(s, cmd->asid);
        return ONSRAM_ST_OK;
    }
    if (offset >= s->model.spm_size || bytes > s->model.spm_size - offset) {
        *fault_addr = ONSRAM_ADDR_SPM | offset;
        return ONSRAM_ST_SPM_RANGE;
    }
    if (cmd->arg[2] & ONSRAM_ASSIGN_SCRUB) {
        onsram_spm_scrub(s, offset, bytes);
        cost->spm_bytes = bytes;
        cost->spm_ps = onsram_time_ps(bytes, s->model.spm_bw);
        cost->time_ps = cost->spm_ps;
        cost->energy_fj = onsram_sat_mul(bytes, s->model.spm_byte_fj);
    }
    onsram_spm_assign(s, offset, bytes, cmd->arg[2] & ONSRAM_ASSIGN_RELEASE ?
                      ONSRAM_OWNER_NONE : cmd->asid);
    return ONSRAM_ST_OK;
}

uint32_t onsram_command_check(OnsramState *s, OnsramWork *w)
{
    const char *why = check_header(&w->cmd) ?: check_operation(s, &w->cmd) ?:
                      check_windows(&w->cmd, &w->windows);
    uint32_t status;

    if (why) {
        return refuse(&w->cmd, why);
    }
    if (w->cmd.asid >= ONSRAM_MAX_CONTEXTS) {
        return ONSRAM_ST_BAD_CONTEXT;
    }
    status = onsram_operands_resolve(w);
    if (status == ONSRAM_ST_OK && onsram_operands_bytes(w) > WORK_BYTES_MAX) {
        return refuse(&w->cmd, "operands span more than 4 GiB");
    }
    return status;
}

uint32_t onsram_command_failed(OnsramWork *w, int ret)
{
    switch (ret) {
    case -ERANGE:
        w->fault_addr = w->cmd.operand[2].addr;
        return refuse(&w->cmd, "index out of range");
    case -ENOMEM:
        return refuse(&w->cmd, "the host has no memory for the operation");
    default:
        return refuse(&w->cmd, "the arithmetic library failed");
    }
}

void onsram_command_cost(OnsramState *s, const struct onsram_hw_cmd *cmd,
                         const struct onsram_hw_windows *windows,
                         struct onsram_cost *cost)
{
    struct onsram_perf_op op = { .opcode = cmd->opcode, .attr = cmd->attr };
    uint64_t resident[ONSRAM_MAX_OPERANDS];

    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        const struct onsram_hw_operand *o = &cmd->operand[i];

        op.view[i] = o->view;
        resident[i] = o->addr & ONSRAM_ADDR_SPM ? UINT64_MAX :
            onsram_slot_resident(&o->view, o->addr, windows->slot[i].va,
                                 windows->slot[i].bytes);
    }
    onsram_op_cost(&s->model, &op, resident, onsram_spm_staging(s), cost);
}
