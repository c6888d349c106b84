/*
 * onsram accelerator: operands, between guest memory or SPM and the host
 *
 * An operation computes on host copies: what the guest does to its memory
 * meanwhile cannot hurt, an operation may overwrite its own input, and one that
 * fails or is reset has written nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/memalign.h"
#include "qemu/units.h"
#include "onsram.h"

/* Larger buffers are given back after the command */
#define KEEP_BYTES      (16 * MiB)
/* Mapped in one go: a stretch of the main loop */
#define MAP_RUNS        256
#define MAP_BYTES       (16 * MiB)

static uint32_t resolve(OnsramWork *w, unsigned slot)
{
    OnsramOperand *op = &w->operand[slot];
    const struct onsram_hw_operand *o = &w->cmd.operand[slot];
    int64_t begin, end;

    op->present = o->view.dtype != ONSRAM_DTYPE_NONE;
    op->mapped = 0;
    op->len = 0;
    if (!op->present) {
        return ONSRAM_ST_OK;
    }
    if (!onsram_view_extent(&o->view, &begin, &end)) {
        return ONSRAM_ST_BAD_COMMAND;
    }
    op->spm = o->addr & ONSRAM_ADDR_SPM;
    op->first = -begin;
    op->len = end - begin;
    op->start = (o->addr & ~ONSRAM_ADDR_SPM) - op->first;
    op->window = w->windows.slot[slot];
    if ((o->addr & ~ONSRAM_ADDR_SPM) < op->first) {
        w->fault_addr = o->addr;
        return op->spm ? ONSRAM_ST_SPM_RANGE : ONSRAM_ST_PAGE_FAULT;
    }
    return ONSRAM_ST_OK;
}

uint32_t onsram_operands_resolve(OnsramWork *w)
{
    uint32_t status = ONSRAM_ST_OK;

    w->mapping = 0;
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS && status == ONSRAM_ST_OK;
         i++) {
        status = resolve(w, i);
    }
    return status;
}

uint64_t onsram_operands_bytes(const OnsramWork *w)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        bytes += w->operand[i].len;
    }
    return bytes;
}

/* The next @len bytes, at @offset */
static uint32_t map_spm(OnsramState *s, OnsramWork *w, OnsramOperand *op,
                        uint64_t offset, uint64_t len, bool write)
{
    OnsramRun run = { .len = len, .spm = true, .spm_offset = offset };
    uint32_t status = onsram_spm_check(s, w->cmd.asid, offset, len, !write,
                                       &w->fault_addr);

    if (status == ONSRAM_ST_OK) {
        run.host = s->spm_ptr + offset;
        g_array_append_val(op->runs, run);
        op->mapped += len;
    }
    return status;
}

/* Of the next @len bytes those that lie together */
static uint32_t map_dram(OnsramState *s, OnsramWork *w, OnsramOperand *op,
                         uint64_t va, uint64_t len, bool write)
{
    OnsramRun run = { 0 };
    uint64_t bus;
    uint32_t status = onsram_mmu_translate(s, w->cmd.asid, va,
                                           MIN(len, MAP_BYTES), write, &bus,
                                           &run.len, &w->fault_addr);

    if (status != ONSRAM_ST_OK) {
        return status;
    }
    if (s->prop.functional) {
        run.host = onsram_dma_map(s, bus, &run.len, write);
        if (!run.host) {
            w->fault_addr = va;
            return ONSRAM_ST_BUS;
        }
        g_array_append_val(op->runs, run);
    }
    op->mapped += run.len;
    return ONSRAM_ST_OK;
}

/* The next bytes, up to where another memory begins */
static uint32_t map_some(OnsramState *s, OnsramWork *w, OnsramOperand *op,
                         bool write)
{
    const struct onsram_hw_window *win = &op->window;
    uint64_t at = op->start + op->mapped, len = op->len - op->mapped;

    if (op->spm) {
        return map_spm(s, w, op, at, len, write);
    }
    if (at >= win->va && at - win->va < win->bytes) {
        uint64_t in = at - win->va;

        return map_spm(s, w, op, win->spm + in, MIN(len, win->bytes - in),
                       write);
    }
    if (win->bytes && at < win->va) {
        len = MIN(len, win->va - at);
    }
    return map_dram(s, w, op, at, len, write);
}

uint32_t onsram_operands_map(OnsramState *s, OnsramWork *w)
{
    unsigned runs = 0;

    for (; w->mapping < ONSRAM_MAX_OPERANDS; w->mapping++) {
        OnsramOperand *op = &w->operand[w->mapping];
        bool write = w->mapping == 0;

        while (op->mapped < op->len) {
            uint32_t status;

            if (runs++ == MAP_RUNS) {
                return ONSRAM_ST_NONE;
            }
            status = map_some(s, w, op, write);
            if (status != ONSRAM_ST_OK) {
                return status;
            }
        }
    }
    return ONSRAM_ST_OK;
}

void onsram_operands_unmap(OnsramState *s, OnsramWork *w, bool written)
{
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        OnsramOperand *op = &w->operand[i];

        for (unsigned k = 0; k < op->runs->len; k++) {
            OnsramRun *run = &g_array_index(op->runs, OnsramRun, k);

            if (!run->spm) {
                onsram_dma_unmap(s, run->host, run->len, !i, written && !i);
            } else if (written && !i) {
                memory_region_set_dirty(&s->spm, run->spm_offset, run->len);
            }
        }
        g_array_set_size(op->runs, 0);
        if (op->room > KEEP_BYTES) {
            qemu_vfree(op->buf);
            op->buf = NULL;
            op->room = 0;
        }
    }
}

bool onsram_operand_reserve(OnsramOperand *op)
{
    if (op->room < op->len) {
        qemu_vfree(op->buf);
        op->room = 0;
        op->buf = qemu_try_memalign(64, op->len);
        if (!op->buf) {
            return false;
        }
        op->room = op->len;
    }
    return true;
}

/*
 * The output's rows.  Its strides address every element once, so the sign of
 * a stride does not matter to which bytes are touched, and by ascending stride
 * each dimension lies wholly within a step of the next.
 */
void onsram_rows_init(OnsramRows *r, const struct onsram_view *v)
{
    uint64_t size = onsram_dtype_size(v->dtype);
    unsigned n = 0;

    *r = (OnsramRows) { .bytes = size };
    for (unsigned d = 0; d < v->rank; d++) {
        uint64_t step = (uint64_t)llabs((long long)v->strides[d]) * size;
        unsigned i;

        if (v->dims[d] == 1) {
            continue;
        }
        for (i = n++; i > 0 && r->step[i - 1] > step; i--) {
            r->step[i] = r->step[i - 1];
            r->count[i] = r->count[i - 1];
        }
        r->step[i] = step;
        r->count[i] = v->dims[d];
    }
    while (r->rank < n && r->step[r->rank] == r->bytes) {
        r->bytes *= r->count[r->rank++];
    }
    n -= r->rank;
    memmove(r->step, r->step + r->rank, n * sizeof(r->step[0]));
    memmove(r->count, r->count + r->rank, n * sizeof(r->count[0]));
    r->rank = n;
}

bool onsram_rows_next(OnsramRows *r)
{
    for (unsigned d = 0; d < r->rank; d++) {
        if (++r->at[d] < r->count[d]) {
            r->offset += r->step[d];
            return true;
        }
        r->offset -= r->step[d] * (r->count[d] - 1);
        r->at[d] = 0;
    }
    return false;
}
