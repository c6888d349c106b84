/*
 * onsram performance model: a lower bound of every plan
 *
 * For a window of consecutive operations two things hold whatever the plan:
 * the operations take at least the sum of their floors, and the bytes that
 * cross DRAM meanwhile take their time on the channel.  Of the constants and
 * inputs used in the window at most an SPM full can have been there before it
 * began, of the outputs made in it at most an SPM full can still be unwritten
 * when it ends; before the first operation the SPM is empty, behind the last
 * one nothing may be left unwritten.  Windows of a partition follow each other
 * in time, so their bounds add up; the best partition is found by dynamic
 * programming over its last window.
 *
 * SPDX-License-Identifier: MIT
 */
#ifdef ONSRAM_IN_QEMU
#include "qemu/osdep.h"
#else
#include <stdlib.h>
#endif
#include "perf.h"
#include "perf-math.h"

/* A use of a source, or the last write of an output */
struct crossing {
    uint64_t bytes;
    size_t prev;        /* operation before which it counts: 1 + last use */
    bool output;
};

struct windows {
    struct crossing *crossing;
    size_t *first;      /* per operation: index of its first crossing */
    uint64_t *floor;    /* per operation, ps */
};

static uint64_t floor_ps(const struct onsram_model *m,
                         const struct onsram_perf_op *op)
{
    uint64_t all[ONSRAM_MAX_OPERANDS];
    struct onsram_cost c;

    onsram_resident_slots(all, UINT32_MAX);
    onsram_op_cost(m, op, all, m->spm_size, &c);
    return c.time_ps;
}

/*
 * @seen: per tensor, 1 + the operation that used it last.
 * Returns the number of crossings.
 */
static size_t collect(const struct onsram_model *m, struct windows *w,
                      const struct onsram_bound_op *ops, size_t nops,
                      const struct onsram_bound_tensor *tensors,
                      size_t ntensors, size_t *seen)
{
    size_t n = 0;

    for (size_t i = nops; i-- > 0;) {
        uint32_t t = ops[i].tensor[0];

        /* Only the last write of an output has to reach DRAM */
        if (t < ntensors && tensors[t].kind == ONSRAM_BOUND_OUTPUT &&
            !seen[t]) {
            seen[t] = i + 1;
        }
    }
    for (size_t i = 0; i < nops; i++) {
        w->first[i] = n;
        w->floor[i] = floor_ps(m, &ops[i].op);
        for (unsigned s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
            uint32_t t = ops[i].tensor[s];
            struct crossing c = { 0 };

            if (t >= ntensors ||
                ops[i].op.view[s].dtype == ONSRAM_DTYPE_NONE) {
                continue;
            }
            c.bytes = onsram_min(onsram_slot_bytes(&ops[i].op, s),
                                 tensors[t].bytes);
            if (s == 0 && tensors[t].kind == ONSRAM_BOUND_OUTPUT &&
                seen[t] == i + 1) {
                c.output = true;
            } else if (s && tensors[t].kind == ONSRAM_BOUND_SOURCE &&
                       seen[t] != i + 1) {
                c.prev = seen[t];
                seen[t] = i + 1;
            } else {
                continue;
            }
            w->crossing[n++] = c;
        }
    }
    w->first[nops] = n;
    return n;
}

static uint64_t beyond(uint64_t bytes, uint64_t spm)
{
    return bytes > spm ? bytes - spm : 0;
}

/* Bytes that cross DRAM in a window that begins at @first */
struct traffic {
    uint64_t in;
    uint64_t out;
};

static uint64_t crossing_bytes(const struct onsram_model *m,
                               const struct windows *w, struct traffic *t,
                               size_t first, size_t j, bool last)
{
    for (size_t k = w->first[j]; k < w->first[j + 1]; k++) {
        const struct crossing *c = &w->crossing[k];

        if (c->output) {
            t->out = onsram_sat_add(t->out, c->bytes);
        } else if (c->prev <= first) {
            t->in = onsram_sat_add(t->in, c->bytes);
        }
    }
    return onsram_sat_add(first ? beyond(t->in, m->spm_size) : t->in,
                          last ? t->out : beyond(t->out, m->spm_size));
}

static uint64_t solve(const struct onsram_model *m, const struct windows *w,
                      size_t nops, uint64_t *best)
{
    /* A byte's time rounded up, ps in 16.16: spares most of the divisions */
    uint64_t per_byte = onsram_sat_add(onsram_time_ps(1 << 16, m->dram_bw), 1);

    for (size_t i = 0; i <= nops; i++) {
        best[i] = 0;
    }
    for (size_t i = 0; i < nops; i++) {
        struct traffic t = { 0 };
        uint64_t floor = 0;

        for (size_t j = i; j < nops; j++) {
            uint64_t bytes = crossing_bytes(m, w, &t, i, j, j + 1 == nops);
            uint64_t need, window;

            floor = onsram_sat_add(floor, w->floor[j]);
            window = floor;
            need = best[j + 1] > best[i] ? best[j + 1] - best[i] : 0;
            if (((onsram_u128)bytes * per_byte >> 16) >=
                onsram_max(floor, need)) {
                window = onsram_max(floor, onsram_time_ps(bytes, m->dram_bw));
            }
            best[j + 1] = onsram_max(best[j + 1],
                                     onsram_sat_add(best[i], window));
        }
    }
    return best[nops];
}

uint64_t onsram_bound(const struct onsram_model *m,
                      const struct onsram_bound_op *ops, size_t nops,
                      const struct onsram_bound_tensor *tensors,
                      size_t ntensors)
{
    struct windows w = { 0 };
    uint64_t *best, bound = UINT64_MAX;
    size_t *seen;

    if (!nops) {
        return 0;
    }
    w.crossing = calloc(nops, ONSRAM_MAX_OPERANDS * sizeof(*w.crossing));
    w.first = calloc(nops + 1, sizeof(*w.first));
    w.floor = calloc(nops, sizeof(*w.floor));
    best = calloc(nops + 1, sizeof(*best));
    seen = calloc(ntensors ? ntensors : 1, sizeof(*seen));
    if (w.crossing && w.first && w.floor && best && seen) {
        collect(m, &w, ops, nops, tensors, ntensors, seen);
        bound = solve(m, &w, nops, best);
    }
    free(w.crossing);
    free(w.first);
    free(w.floor);
    free(best);
    free(seen);
    return bound;
}
