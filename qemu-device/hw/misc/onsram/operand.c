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
#define COMMIT_BYTES    (1 * MiB)   /* written per lock hold ... */
#define COMMIT_ROWS     4096        /* ... and in at most so many pieces */

/* Rows of a view in ascending address order: contiguous bytes, repeated */
typedef struct Rows {
    uint64_t bytes;                     /* of a row */
    unsigned rank;
    uint64_t count[ONSRAM_MAX_RANK];    /* innermost first */
    uint64_t step[ONSRAM_MAX_RANK];     /* bytes */
    uint64_t at[ONSRAM_MAX_RANK];
    uint64_t offset;                    /* of the current row */
} Rows;

uint32_t onsram_operand_resolve(OnsramState *s, unsigned slot)
{
    OnsramOperand *op = &s->work.operand[slot];
    const struct onsram_hw_operand *o = &s->work.cmd.operand[slot];
    int64_t begin, end;

    op->present = o->view.dtype != ONSRAM_DTYPE_NONE;
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
    if ((o->addr & ~ONSRAM_ADDR_SPM) < op->first) {
        s->work.fault_addr = o->addr;
        return op->spm ? ONSRAM_ST_SPM_RANGE : ONSRAM_ST_PAGE_FAULT;
    }
    return ONSRAM_ST_OK;
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

uint32_t onsram_operand_load(OnsramState *s, unsigned slot)
{
    OnsramOperand *op = &s->work.operand[slot];
    uint32_t asid = s->work.cmd.asid;
    uint32_t status;

    if (op->spm) {
        status = onsram_spm_check(s, asid, op->start, op->len, true,
                                  &s->work.fault_addr);
        if (status == ONSRAM_ST_OK && s->prop.functional) {
            memcpy(op->buf, s->spm_ptr + op->start, op->len);
        }
        return status;
    }
    for (uint64_t done = 0; done < op->len; ) {
        uint64_t bus, run;

        status = onsram_mmu_translate(s, asid, op->start + done, op->len - done,
                                      false, &bus, &run, &s->work.fault_addr);
        if (status != ONSRAM_ST_OK) {
            return status;
        }
        if (s->prop.functional &&
            !onsram_dma_read(s, bus, op->buf + done, run)) {
            s->work.fault_addr = op->start + done;
            return ONSRAM_ST_BUS;
        }
        done += run;
    }
    return ONSRAM_ST_OK;
}

uint32_t onsram_operand_map(OnsramState *s)
{
    OnsramOperand *op = &s->work.operand[0];
    uint32_t asid = s->work.cmd.asid;
    uint32_t status;

    if (op->spm) {
        OnsramRun run = { .len = op->len };

        status = onsram_spm_check(s, asid, op->start, op->len, false,
                                  &s->work.fault_addr);
        if (status == ONSRAM_ST_OK) {
            run.host = s->spm_ptr + op->start;
            g_array_append_val(s->work.runs, run);
        }
        return status;
    }
    for (uint64_t done = 0; done < op->len; ) {
        OnsramRun run;
        uint64_t bus;

        status = onsram_mmu_translate(s, asid, op->start + done, op->len - done,
                                      true, &bus, &run.len,
                                      &s->work.fault_addr);
        if (status != ONSRAM_ST_OK) {
            return status;
        }
        if (s->prop.functional) {
            run.host = onsram_dma_map(s, bus, &run.len);
            if (!run.host) {
                s->work.fault_addr = op->start + done;
                return ONSRAM_ST_BUS;
            }
            g_array_append_val(s->work.runs, run);
        }
        done += run.len;
    }
    return ONSRAM_ST_OK;
}

/*
 * The output's rows.  Its strides address every element once, so the sign of
 * a stride does not matter to which bytes are touched, and by ascending stride
 * each dimension lies wholly within a step of the next.
 */
static void rows_init(Rows *r, const struct onsram_view *v)
{
    uint64_t size = onsram_dtype_size(v->dtype);
    unsigned n = 0;

    *r = (Rows) { .bytes = size };
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

static bool rows_next(Rows *r)
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

bool onsram_operand_commit(OnsramState *s, OnsramEngine *eng, uint32_t gen)
{
    OnsramOperand *op = &s->work.operand[0];
    OnsramRun *run = &g_array_index(s->work.runs, OnsramRun, 0);
    uint64_t run_at = 0;        /* offset where @run begins */
    uint64_t written = 0;
    unsigned pieces = 0;
    bool ok = true;
    Rows r;

    rows_init(&r, &s->work.cmd.operand[0].view);
    s->committing = true;
    do {
        if (op->spm) {
            onsram_spm_written(s, op->start + r.offset, r.bytes);
        }
        for (uint64_t done = 0; done < r.bytes && ok; ) {
            uint64_t at = r.offset + done;
            uint64_t n;

            while (at >= run_at + run->len) {
                run_at += run->len;
                run++;
            }
            n = MIN(MIN(r.bytes - done, run_at + run->len - at), COMMIT_BYTES);
            memcpy(run->host + (at - run_at), op->buf + at, n);
            done += n;
            written += n;
            if (written >= COMMIT_BYTES || ++pieces >= COMMIT_ROWS) {
                written = 0;
                pieces = 0;
                qemu_mutex_unlock(&s->lock);
                qemu_mutex_lock(&s->lock);
                ok = eng->gen == gen;
            }
        }
    } while (ok && rows_next(&r));
    onsram_operands_release(s, true);
    s->committing = false;
    qemu_cond_broadcast(&s->settled);
    return ok;
}

/* Drop the output's mapping, and host copies too large to keep */
void onsram_operands_release(OnsramState *s, bool written)
{
    OnsramOperand *out = &s->work.operand[0];

    for (unsigned i = 0; i < s->work.runs->len; i++) {
        OnsramRun *run = &g_array_index(s->work.runs, OnsramRun, i);

        if (!out->spm) {
            onsram_dma_unmap(s, run->host, run->len, written);
        } else if (written) {
            memory_region_set_dirty(&s->spm, out->start, out->len);
        }
    }
    g_array_set_size(s->work.runs, 0);
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        OnsramOperand *op = &s->work.operand[i];

        if (op->room > KEEP_BYTES) {
            qemu_vfree(op->buf);
            op->buf = NULL;
            op->room = 0;
        }
    }
}

void onsram_operands_free(OnsramState *s)
{
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        qemu_vfree(s->work.operand[i].buf);
    }
    g_array_free(s->work.runs, true);
}
