/*
 * onsram accelerator: registers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/log.h"
#include "onsram.h"
#include "trace.h"

#define ENGINE_STRIDE   (ONSRAM_REG_ENGINE(1) - ONSRAM_REG_ENGINE(0))
#define RING_MIN        16
#define BASE_MASK       0xfffull

static void guest_error(const char *what, uint64_t addr, uint64_t value)
{
    qemu_log_mask(LOG_GUEST_ERROR, "onsram: register 0x%" PRIx64 " = 0x%" PRIx64
                  ": %s\n", addr, value, what);
}

/* The engine @addr belongs to, and the offset in its block */
static OnsramEngine *engine_at(OnsramState *s, hwaddr addr, hwaddr *offset)
{
    uint64_t e;

    if (addr < ONSRAM_REG_ENGINE(0)) {
        return NULL;
    }
    e = (addr - ONSRAM_REG_ENGINE(0)) / ENGINE_STRIDE;
    *offset = (addr - ONSRAM_REG_ENGINE(0)) % ENGINE_STRIDE;
    return e < s->engines ? &s->engine[e] : NULL;
}

static bool in_block(hwaddr addr, hwaddr base, unsigned count)
{
    return addr >= base && addr < base + 8 * count;
}

/* Whether the 8-byte aligned @addr is a 64-bit register, and its value */
static bool read64(OnsramState *s, hwaddr addr, uint64_t *value)
{
    hwaddr offset;
    OnsramEngine *eng = engine_at(s, addr, &offset);

    if (in_block(addr, ONSRAM_REG_MODEL, sizeof(s->model) / 8)) {
        *value = ((const uint64_t *)&s->model)[(addr - ONSRAM_REG_MODEL) / 8];
        return true;
    }
    if (in_block(addr, ONSRAM_REG_SEM(0), ONSRAM_NUM_SEMAPHORES)) {
        *value = s->sem[(addr - ONSRAM_REG_SEM(0)) / 8];
        return true;
    }
    if (eng) {
        switch (offset) {
        case ONSRAM_ENG_RING_BASE:
            *value = eng->ring_base;
            return true;
        case ONSRAM_ENG_CPL_BASE:
            *value = eng->cpl_base;
            return true;
        case ONSRAM_ENG_HEAD_BASE:
            *value = eng->head_base;
            return true;
        case ONSRAM_ENG_WIN_BASE:
            *value = eng->win_base;
            return true;
        }
        return false;
    }
    switch (addr) {
    case ONSRAM_REG_CTX_TABLE:
        *value = s->ctx_table;
        return true;
    case ONSRAM_REG_TIME:
        *value = s->fluid.now_ps;
        return true;
    case ONSRAM_REG_MAX_OP_WORK:
        *value = s->prop.max_op_work;
        return true;
    case ONSRAM_REG_FAULT_ADDR:
        *value = s->fault_count ? s->fault[s->fault_first].addr : 0;
        return true;
    }
    return false;
}

static uint32_t read_engine(OnsramState *s, OnsramEngine *eng, hwaddr offset)
{
    switch (offset) {
    case ONSRAM_ENG_RING_SIZE:
        return eng->ring_size;
    case ONSRAM_ENG_CTRL:
        return eng->enabled ? ONSRAM_ENG_ENABLE : 0;
    case ONSRAM_ENG_STATUS:
        return (onsram_engine_busy(s, eng - s->engine) ? ONSRAM_ENG_BUSY : 0) |
               (eng->hung ? ONSRAM_ENG_HUNG : 0);
    case ONSRAM_ENG_DOORBELL:
        return eng->tail;
    case ONSRAM_ENG_HEAD:
        return eng->head;
    default:
        return 0;
    }
}

static uint32_t read32(OnsramState *s, hwaddr addr)
{
    static const OnsramFault no_fault;
    const OnsramFault *fault = s->fault_count ? &s->fault[s->fault_first]
                                              : &no_fault;
    hwaddr offset;
    OnsramEngine *eng = engine_at(s, addr, &offset);

    if (eng) {
        return read_engine(s, eng, offset);
    }
    switch (addr) {
    case ONSRAM_REG_ID:
        return ONSRAM_ID_MAGIC;
    case ONSRAM_REG_VERSION:
        return ONSRAM_VERSION;
    case ONSRAM_REG_ENGINES:
        return s->engines;
    case ONSRAM_REG_CAPS:
        return (s->prop.functional ? ONSRAM_CAP_FUNCTIONAL : 0) |
               (s->paced ? ONSRAM_CAP_PACED : 0);
    case ONSRAM_REG_CTRL:
        return s->enabled ? ONSRAM_CTRL_ENABLE : 0;
    case ONSRAM_REG_STATUS:
        return ONSRAM_STATUS_READY;
    case ONSRAM_REG_INTR_STATUS:
        return s->intr_status;
    case ONSRAM_REG_FAULT_COUNT:
        return s->fault_count;
    case ONSRAM_REG_FAULT_CAUSE:
        return fault->cause;
    case ONSRAM_REG_FAULT_CTX:
        return fault->ctx;
    case ONSRAM_REG_FAULT_ENGINE:
        return fault->engine;
    case ONSRAM_REG_FAULT_SEQ:
        return fault->seq;
    case ONSRAM_REG_FAULT_LOST:
        return s->fault_lost;
    default:
        return 0;
    }
}

static uint64_t regs_read(void *opaque, hwaddr addr, unsigned size)
{
    OnsramState *s = opaque;
    uint64_t value;

    if (read64(s, addr & ~7ull, &value)) {
        if (size == 4) {
            value = (uint32_t)(value >> (8 * (addr & 4)));
        }
    } else {
        value = read32(s, addr);
        if (size == 8) {
            value |= (uint64_t)read32(s, addr + 4) << 32;
        }
    }
    trace_onsram_reg_read(addr, size, value);
    return value;
}

/* Ring, records and head stay where they are while a command needs them */
static bool refuse_change(const OnsramEngine *eng, hwaddr addr, uint64_t value)
{
    if (!eng->enabled && eng->state == ONSRAM_ENGINE_IDLE) {
        return false;
    }
    guest_error("the engine is enabled or busy", addr, value);
    return true;
}

static void write_engine64(OnsramEngine *eng, hwaddr addr, hwaddr offset,
                           uint64_t value)
{
    if (refuse_change(eng, addr, value)) {
        return;
    }
    switch (offset) {
    case ONSRAM_ENG_RING_BASE:
        eng->ring_base = value & ~BASE_MASK;
        break;
    case ONSRAM_ENG_CPL_BASE:
        eng->cpl_base = value & ~BASE_MASK;
        break;
    case ONSRAM_ENG_HEAD_BASE:
        eng->head_base = value & ~7ull;
        break;
    case ONSRAM_ENG_WIN_BASE:
        eng->win_base = value & ~BASE_MASK;
        break;
    }
}

static void write64(OnsramState *s, hwaddr addr, uint64_t value)
{
    hwaddr offset;
    OnsramEngine *eng = engine_at(s, addr, &offset);

    if (eng) {
        write_engine64(eng, addr, offset, value);
    } else if (addr == ONSRAM_REG_CTX_TABLE) {
        s->ctx_table = value & ~BASE_MASK;
        onsram_mmu_invalidate_all(s);
    } else if (in_block(addr, ONSRAM_REG_SEM(0), ONSRAM_NUM_SEMAPHORES)) {
        s->sem[(addr - ONSRAM_REG_SEM(0)) / 8] = value;
        onsram_schedule(s);
    } else {
        guest_error("read-only register", addr, value);
    }
}

static void write_engine_ctrl(OnsramState *s, OnsramEngine *eng, hwaddr addr,
                              uint32_t value)
{
    if (value & ONSRAM_ENG_RESET) {
        onsram_engine_reset(s, eng - s->engine);
        return;
    }
    if (value & ONSRAM_ENG_ENABLE && !eng->ring_size) {
        guest_error("the engine has no ring", addr, value);
        return;
    }
    if (!eng->enabled && eng->state == ONSRAM_ENGINE_IDLE) {
        /* The driver may have changed the ring meanwhile */
        eng->fetched = false;
    }
    eng->enabled = value & ONSRAM_ENG_ENABLE;
    onsram_schedule(s);
}

static void write_engine(OnsramState *s, OnsramEngine *eng, hwaddr addr,
                         hwaddr offset, uint32_t value)
{
    switch (offset) {
    case ONSRAM_ENG_RING_SIZE:
        if (refuse_change(eng, addr, value)) {
            break;
        }
        if (!is_power_of_2(value) || value < RING_MIN ||
                   value > ONSRAM_RING_MAX) {
            guest_error("not a ring size", addr, value);
        } else {
            eng->ring_size = value;
            eng->head = 0;
            eng->tail = 0;
            eng->fetched = false;
        }
        break;
    case ONSRAM_ENG_CTRL:
        write_engine_ctrl(s, eng, addr, value);
        break;
    case ONSRAM_ENG_DOORBELL:
        if (value - eng->head > eng->ring_size) {
            guest_error("the tail is beyond the ring", addr, value);
            break;
        }
        trace_onsram_doorbell(eng - s->engine, eng->head, value);
        eng->tail = value;
        onsram_schedule(s);
        break;
    case ONSRAM_ENG_HEAD:
        if (refuse_change(eng, addr, value)) {
            break;
        }
        if (eng->tail - value > eng->ring_size) {
            guest_error("the head is beyond the tail", addr, value);
        } else {
            eng->head = value;
            eng->fetched = false;
        }
        break;
    default:
        guest_error("read-only or no register", addr, value);
    }
}

static void write32(OnsramState *s, hwaddr addr, uint32_t value)
{
    hwaddr offset;
    OnsramEngine *eng = engine_at(s, addr, &offset);

    if (eng) {
        write_engine(s, eng, addr, offset, value);
        return;
    }
    switch (addr) {
    case ONSRAM_REG_CTRL:
        if (value & ONSRAM_CTRL_RESET) {
            onsram_reset(s);
            break;
        }
        s->enabled = value & ONSRAM_CTRL_ENABLE;
        onsram_schedule(s);
        break;
    case ONSRAM_REG_INTR_STATUS:
        s->intr_status &= ~value;
        break;
    case ONSRAM_REG_TLB_INVALIDATE:
        if (value < ONSRAM_MAX_CONTEXTS) {
            onsram_mmu_invalidate(s, value);
        } else {
            guest_error("no such context", addr, value);
        }
        break;
    case ONSRAM_REG_FAULT_POP:
        if (value == 1 && s->fault_count) {
            s->fault_first = (s->fault_first + 1) % ONSRAM_FAULT_DEPTH;
            s->fault_count--;
        }
        break;
    default:
        guest_error("read-only or no register", addr, value);
    }
}

static void write_any(OnsramState *s, hwaddr addr, uint64_t value,
                      unsigned size)
{
    uint64_t whole;

    if (read64(s, addr & ~7ull, &whole)) {
        if (size == 4) {
            value = deposit64(whole, 8 * (addr & 4), 32, value);
        }
        write64(s, addr & ~7ull, value);
        return;
    }
    write32(s, addr, value);
    if (size == 8) {
        write32(s, addr + 4, value >> 32);
    }
}

static void regs_write(void *opaque, hwaddr addr, uint64_t value,
                       unsigned size)
{
    OnsramState *s = opaque;

    trace_onsram_reg_write(addr, size, value);
    write_any(s, addr, value, size);
    /* The driver acknowledged, or reset all: the pin follows at once */
    if (addr / 8 == ONSRAM_REG_INTR_STATUS / 8 ||
        addr / 8 == ONSRAM_REG_CTRL / 8) {
        onsram_intx_update(s);
    }
}

const MemoryRegionOps onsram_regs_ops = {
    .read = regs_read,
    .write = regs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};
