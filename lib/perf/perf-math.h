/*
 * onsram performance model: saturating integer arithmetic
 *
 * Views a guest may submit can claim up to 2^192 elements (stride 0 costs
 * nothing to write down), so every product saturates instead of wrapping.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ONSRAM_PERF_MATH_H
#define ONSRAM_PERF_MATH_H

#include "perf.h"

/*
 * Longest time of a part of an operation, ps (13 days): the fluid's twelfths of
 * a picosecond still fit 64 bits.  What is longer is beyond range.
 */
#define ONSRAM_TIME_MAX_PS      (1ull << 60)
#define ONSRAM_PS_PER_S         1000000000000ull

typedef unsigned __int128 onsram_u128;
typedef __int128 onsram_s128;

static inline uint64_t onsram_sat_mul(uint64_t a, uint64_t b)
{
    uint64_t r;

    return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static inline uint64_t onsram_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t onsram_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t onsram_ceil_div(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static inline uint64_t onsram_round_up(uint64_t a, uint64_t unit)
{
    return onsram_sat_mul(onsram_ceil_div(a, unit), unit);
}

/*
 * Picoseconds that @amount takes at @rate per second, rounded up; above
 * ONSRAM_TIME_MAX_PS, or of an amount that is, beyond range.
 */
static inline uint64_t onsram_time_ps(uint64_t amount, uint64_t rate)
{
    onsram_u128 ps;

    /* The usual case without a 128-bit division */
    if (amount <= (UINT64_MAX - rate) / ONSRAM_PS_PER_S) {
        ps = (amount * ONSRAM_PS_PER_S + rate - 1) / rate;
    } else {
        ps = ((onsram_u128)amount * ONSRAM_PS_PER_S + rate - 1) / rate;
    }
    return ps > ONSRAM_TIME_MAX_PS || amount == ONSRAM_BEYOND ? ONSRAM_BEYOND
                                                              : (uint64_t)ps;
}

/* Bytes an operand moves once; slot as in struct onsram_perf_op (perf.c) */
uint64_t onsram_slot_bytes(const struct onsram_perf_op *op, unsigned slot);

#endif
