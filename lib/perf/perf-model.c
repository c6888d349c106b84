/*
 * onsram performance model: parameters
 *
 * SPDX-License-Identifier: MIT
 */
#ifdef ONSRAM_IN_QEMU
#include "qemu/osdep.h"
#endif
#include "perf.h"
#include "perf-math.h"

/* A larger SPM would not fit the 32-bit offsets of a plan */
#define SPM_SIZE_MAX    (1ull << 31)
/* Rates beyond this serve no purpose and would make rounding visible */
#define RATE_MAX        1000000000000000000ull
/* Below these every figure would be out of all proportion */
#define FLOPS_MIN       1000000ull
#define FILL_SECONDS    1000
#define ARRAY_MAX       65536

void onsram_model_init(struct onsram_model *m, enum onsram_preset preset)
{
    *m = (struct onsram_model) {
        .spm_size = 2 * 1024 * 1024,
        .peak_flops = 3000000000000ull,
        .vector_flops = 375000000000ull,
        .dram_bw = 32000000000ull,
        .spm_bw = 384000000000ull,
        .dram_latency_ps = 100000,
        .cmd_overhead_ps = 133333,
        .mac_rows = 8,
        .mac_cols = 64,
        .compute_engines = 1,
        .preset = preset,
        .mac_fj = 1500,
        .spm_byte_fj = 1600,
        .dram_byte_fj = 64000,
        .static_uw = 0,
    };
    if (preset == ONSRAM_PRESET_PAPER) {
        m->dram_latency_ps = 0;
        m->cmd_overhead_ps = 0;
        m->mac_rows = 1;
        m->mac_cols = 1;
    }
}

const char *onsram_model_check(const struct onsram_model *m)
{
    if (m->spm_size < ONSRAM_STAGING_MIN) {
        return "spm-size is below the staging window of 128 KiB";
    }
    if (m->spm_size > SPM_SIZE_MAX) {
        return "spm-size is above 2 GiB";
    }
    if (m->spm_size % ONSRAM_SPM_GRANULE) {
        return "spm-size is not a multiple of 1 KiB";
    }
    if (m->peak_flops < FLOPS_MIN || m->peak_flops > RATE_MAX) {
        return "peak-flops is outside 1e6 .. 1e18";
    }
    if (m->vector_flops < FLOPS_MIN || m->vector_flops > RATE_MAX) {
        return "vector-flops is outside 1e6 .. 1e18";
    }
    if (!m->dram_bw || m->dram_bw > RATE_MAX) {
        return "dram-bw is outside 1 .. 1e18";
    }
    if (!m->spm_bw || m->spm_bw > RATE_MAX) {
        return "spm-bw is outside 1 .. 1e18";
    }
    if (m->spm_size / m->dram_bw > FILL_SECONDS) {
        return "spm-size is so large, or dram-bw so low, that filling the SPM would take over 1000 s";
    }
    if (m->spm_size / m->spm_bw > FILL_SECONDS) {
        return "spm-size is so large, or spm-bw so low, that reading the SPM would take over 1000 s";
    }
    if (m->dram_latency_ps > ONSRAM_PS_PER_S) {
        return "dram-latency is above a second";
    }
    if (m->cmd_overhead_ps > ONSRAM_PS_PER_S) {
        return "the command overhead is above a second";
    }
    if (!m->mac_rows || m->mac_rows > ARRAY_MAX ||
        !m->mac_cols || m->mac_cols > ARRAY_MAX) {
        return "mac-rows and mac-cols are outside 1 .. 65536";
    }
    if (!m->compute_engines ||
        m->compute_engines >= ONSRAM_FLUID_ENGINES) {
        return "compute-engines is outside 1 .. 4";
    }
    if (m->preset != ONSRAM_PRESET_DEFAULT &&
        m->preset != ONSRAM_PRESET_PAPER) {
        return "model is neither default nor paper";
    }
    return NULL;
}

uint64_t onsram_model_hash(const struct onsram_model *m)
{
    uint64_t h = 0xcbf29ce484222325ull;

    /* Byte by byte, low byte first, so that every host agrees */
#define ONSRAM_X(field, what)                                           \
    for (unsigned i = 0; i < 64; i += 8) {                              \
        h = (h ^ ((m->field >> i) & 0xff)) * 0x100000001b3ull;          \
    }
    ONSRAM_MODEL_PARAMS(ONSRAM_X)
#undef ONSRAM_X
    return h;
}

uint64_t onsram_static_energy_fj(const struct onsram_model *m,
                                 uint64_t time_ps)
{
    /* uW * ps = 1e-18 J */
    onsram_u128 fj = (onsram_u128)m->static_uw * time_ps / 1000;

    return fj > UINT64_MAX ? UINT64_MAX : (uint64_t)fj;
}
