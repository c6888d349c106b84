/*
 * onsram accelerator: what an engine computes, in a thread of its own
 *
 * The main loop maps a command's operands and hands it over; the thread copies
 * the inputs, computes, and writes the output through the mapping.  It needs
 * neither the big QEMU lock nor the device's state, so that the main loop may
 * wait for it: it gives up within milliseconds when it is told to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/memalign.h"
#include "qemu/units.h"
#include "onsram.h"

/* Copied between two looks at whether to go on; written per lock hold */
#define COPY_BYTES      (1 * MiB)
/* Pieces written per lock hold */
#define COMMIT_PIECES   4096

static bool abandoned(OnsramWork *w)
{
    return qatomic_read(&w->abandoned);
}

static int load(OnsramWork *w, OnsramOperand *op)
{
    uint64_t done = 0;

    if (!onsram_operand_reserve(op)) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < op->runs->len; i++) {
        const OnsramRun *run = &g_array_index(op->runs, OnsramRun, i);
        uint64_t n;

        for (uint64_t at = 0; at < run->len; at += n) {
            if (abandoned(w)) {
                return -ECANCELED;
            }
            n = MIN(run->len - at, COPY_BYTES);
            memcpy(op->buf + done, run->host + at, n);
            done += n;
        }
    }
    return 0;
}

/* Bytes that are written in one go: a whole new word has good check bits */
static void written(OnsramWork *w, const OnsramRun *run, uint64_t at,
                    uint64_t n)
{
    if (run->spm && w->ecc_offset != ONSRAM_ECC_NONE &&
        run->spm_offset + at <= w->ecc_offset &&
        w->ecc_offset + ONSRAM_ECC_WORD <= run->spm_offset + at + n) {
        w->ecc_rewritten = true;
    }
}

/* Write the output's elements, unless the work is abandoned meanwhile */
static int commit(OnsramWork *w)
{
    OnsramOperand *op = &w->operand[0];
    const OnsramRun *run = &g_array_index(op->runs, OnsramRun, 0);
    uint64_t run_at = 0;        /* offset where @run begins */
    uint64_t bytes = 0;
    unsigned pieces = 0;
    int ret = 0;
    OnsramRows r;

    onsram_rows_init(&r, &w->cmd.operand[0].view);
    qemu_mutex_lock(&w->lock);
    w->committing = true;
    do {
        for (uint64_t done = 0; done < r.bytes; ) {
            uint64_t at = r.offset + done;
            uint64_t left, n;

            while (at >= run_at + run->len) {
                run_at += run->len;
                run++;
            }
            if (abandoned(w)) {
                ret = -ECANCELED;
                break;
            }
            left = MIN(r.bytes - done, run_at + run->len - at);
            n = MIN(left, COPY_BYTES);
            memcpy(run->host + (at - run_at), op->buf + at, n);
            written(w, run, at - run_at, left);
            done += n;
            bytes += n;
            if (bytes >= COPY_BYTES || ++pieces >= COMMIT_PIECES) {
                bytes = 0;
                pieces = 0;
                qemu_mutex_unlock(&w->lock);
                qemu_mutex_lock(&w->lock);
            }
        }
    } while (!ret && onsram_rows_next(&r));
    qemu_mutex_unlock(&w->lock);
    return ret;
}

static int compute(OnsramWork *w)
{
    struct onsram_exec_tensor tensor[ONSRAM_MAX_OPERANDS];
    int ret = 0;

    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS && !ret; i++) {
        OnsramOperand *op = &w->operand[i];

        tensor[i] = (struct onsram_exec_tensor) {
            .view = w->cmd.operand[i].view,
        };
        if (!op->present) {
            continue;
        }
        ret = i ? load(w, op) : onsram_operand_reserve(op) ? 0 : -ENOMEM;
        tensor[i].data = op->buf + op->first;
    }
    if (!ret) {
        ret = onsram_exec_run(w->exec, w->cmd.opcode, &w->cmd.attr, tensor);
    }
    return ret ?: commit(w);
}

static void *worker_thread(void *opaque)
{
    OnsramWork *w = opaque;

    qemu_mutex_lock(&w->lock);
    while (!w->stopping) {
        int ret;

        if (!w->todo) {
            qemu_cond_wait(&w->wake, &w->lock);
            continue;
        }
        qemu_mutex_unlock(&w->lock);
        ret = compute(w);
        qemu_mutex_lock(&w->lock);
        w->ret = ret;
        w->todo = false;
        w->committing = false;
        qemu_cond_broadcast(&w->settled);
        qemu_bh_schedule(w->bh);
    }
    qemu_mutex_unlock(&w->lock);
    return NULL;
}

bool onsram_worker_start(OnsramWork *w, QEMUBH *bh)
{
    w->exec = onsram_exec_create();
    if (!w->exec) {
        return false;
    }
    w->bh = bh;
    qemu_mutex_init(&w->lock);
    qemu_cond_init(&w->wake);
    qemu_cond_init(&w->settled);
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        w->operand[i].runs = g_array_new(false, false, sizeof(OnsramRun));
    }
    qemu_thread_create(&w->thread, "onsram", worker_thread, w,
                       QEMU_THREAD_JOINABLE);
    return true;
}

void onsram_worker_stop(OnsramState *s, OnsramWork *w)
{
    onsram_worker_abandon(w);
    WITH_QEMU_LOCK_GUARD(&w->lock) {
        w->stopping = true;
        qemu_cond_signal(&w->wake);
    }
    qemu_thread_join(&w->thread);
    onsram_operands_unmap(s, w, true);
    for (unsigned i = 0; i < ONSRAM_MAX_OPERANDS; i++) {
        qemu_vfree(w->operand[i].buf);
        g_array_free(w->operand[i].runs, true);
    }
    onsram_exec_destroy(w->exec);
    qemu_cond_destroy(&w->settled);
    qemu_cond_destroy(&w->wake);
    qemu_mutex_destroy(&w->lock);
}

void onsram_worker_hand_over(OnsramWork *w, uint64_t ecc_offset)
{
    QEMU_LOCK_GUARD(&w->lock);
    w->busy = true;
    w->todo = true;
    w->ecc_offset = ecc_offset;
    w->ecc_rewritten = false;
    qatomic_set(&w->abandoned, false);
    onsram_exec_cancel(w->exec, false);
    qemu_cond_signal(&w->wake);
}

bool onsram_worker_take_back(OnsramWork *w, int *ret)
{
    QEMU_LOCK_GUARD(&w->lock);
    if (!w->busy || w->todo) {
        return false;
    }
    w->busy = false;
    *ret = w->ret;
    return true;
}

void onsram_worker_abandon(OnsramWork *w)
{
    QEMU_LOCK_GUARD(&w->lock);
    qatomic_set(&w->abandoned, true);
    onsram_exec_cancel(w->exec, true);
}

void onsram_worker_settle(OnsramWork *w)
{
    QEMU_LOCK_GUARD(&w->lock);
    while (w->committing && w->todo) {
        qemu_cond_wait(&w->settled, &w->lock);
    }
}
