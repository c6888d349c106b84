/*
 * onsram performance model: engines that share the DRAM channel
 *
 * Work is counted in twelfths of a picosecond of the whole channel: 12 divides
 * by every number of compute engines that can share it, so that each gets a
 * whole number of units per picosecond and nothing is ever rounded but the end
 * of a task, up to the next picosecond.
 *
 * SPDX-License-Identifier: MIT
 */
#ifdef ONSRAM_IN_QEMU
#include "qemu/osdep.h"
#endif
#include "perf.h"
#include "perf-math.h"

#define UNITS_PER_PS    12

void onsram_fluid_init(struct onsram_fluid *f, const struct onsram_model *m)
{
    *f = (struct onsram_fluid) {
        .model = *m,
        .engines = (uint32_t)onsram_min(m->compute_engines + 1,
                                        ONSRAM_FLUID_ENGINES),
    };
}

void onsram_fluid_start(struct onsram_fluid *f, uint32_t engine,
                        const struct onsram_cost *cost)
{
    struct onsram_fluid_task *t = &f->task[engine];

    t->active = true;
    t->start_ps = f->now_ps;
    t->ready_ps = onsram_sat_add(f->now_ps, cost->overhead_ps);
    t->floor_ps = onsram_sat_add(t->ready_ps,
                                 onsram_max(cost->compute_ps, cost->spm_ps));
    if (cost->dram_ps == ONSRAM_BEYOND) {
        t->left = 0;
        t->floor_ps = ONSRAM_BEYOND;
    } else {
        t->left = cost->dram_ps * UNITS_PER_PS;
    }
}

void onsram_fluid_cancel(struct onsram_fluid *f, uint32_t engine)
{
    f->task[engine].active = false;
}

static bool streams(const struct onsram_fluid *f, uint32_t e)
{
    const struct onsram_fluid_task *t = &f->task[e];

    return t->active && t->left && t->ready_ps <= f->now_ps;
}

/* Units per picosecond that engine @e gets now */
static uint64_t rate(const struct onsram_fluid *f, uint32_t e)
{
    uint32_t copy = f->engines - 1;
    uint64_t sharers = 0;

    if (!streams(f, e)) {
        return 0;
    }
    for (uint32_t i = 0; i < copy; i++) {
        sharers += streams(f, i);
    }
    if (e == copy) {
        return sharers ? 0 : UNITS_PER_PS;
    }
    return UNITS_PER_PS / sharers;
}

static bool ended(const struct onsram_fluid *f, uint32_t e)
{
    const struct onsram_fluid_task *t = &f->task[e];

    return t->active && !t->left && t->ready_ps <= f->now_ps &&
           t->floor_ps <= f->now_ps;
}

/* Whether something will change for engine @e, and after how many picoseconds */
static bool will_change(const struct onsram_fluid *f, uint32_t e,
                        uint64_t *after)
{
    const struct onsram_fluid_task *t = &f->task[e];
    uint64_t r;

    if (!t->active) {
        return false;
    }
    if (t->ready_ps > f->now_ps) {
        *after = t->ready_ps - f->now_ps;
        return true;
    }
    if (!t->left) {
        *after = t->floor_ps - f->now_ps;
        return true;
    }
    r = rate(f, e);
    *after = r ? onsram_ceil_div(t->left, r) : 0;
    return r;
}

int onsram_fluid_next(struct onsram_fluid *f)
{
    for (;;) {
        uint64_t step = UINT64_MAX, after;
        uint64_t take[ONSRAM_FLUID_ENGINES];
        bool changes = false;

        for (uint32_t e = 0; e < f->engines; e++) {
            if (ended(f, e)) {
                f->task[e].active = false;
                return (int)e;
            }
        }
        for (uint32_t e = 0; e < f->engines; e++) {
            if (will_change(f, e, &after)) {
                step = onsram_min(step, after);
                changes = true;
            }
            take[e] = rate(f, e);
        }
        if (!changes) {
            return -1;
        }
        for (uint32_t e = 0; e < f->engines; e++) {
            f->task[e].left -= onsram_min(f->task[e].left,
                                          onsram_sat_mul(step, take[e]));
        }
        f->now_ps = onsram_sat_add(f->now_ps, step);
    }
}
