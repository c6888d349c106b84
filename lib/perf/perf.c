/*
 * onsram performance model: what an operation costs
 *
 * SPDX-License-Identifier: MIT
 */
#ifdef ONSRAM_IN_QEMU
#include "qemu/osdep.h"
#endif
#include "perf.h"
#include "perf-math.h"

/* Vector FLOPs per element of operations that no function table prices */
enum {
    FLOPS_SOFTMAX = 6,      /* maximum, subtract, exp (2), sum, divide */
    FLOPS_BATCH_NORM = 2,   /* x * a + b, a and b being per channel */
    FLOPS_LRN = 10,         /* square, slide the sum (2), scale and offset (2),
                               power (4), divide */
    FLOPS_LAYER_NORM = 8,   /* mean, deviation, square, sum, then centre,
                               normalise, scale, offset */
};

uint32_t onsram_dtype_size(uint32_t dtype)
{
    switch (dtype) {
    case ONSRAM_DTYPE_F32:
    case ONSRAM_DTYPE_I32:
        return 4;
    case ONSRAM_DTYPE_F16:
        return 2;
    case ONSRAM_DTYPE_I64:
        return 8;
    case ONSRAM_DTYPE_BOOL:
        return 1;
    default:
        return 0;
    }
}

uint64_t onsram_view_elements(const struct onsram_view *v)
{
    uint64_t n = 1;

    for (unsigned d = 0; d < v->rank && d < ONSRAM_MAX_RANK; d++) {
        n = onsram_sat_mul(n, v->dims[d]);
    }
    return n;
}

uint64_t onsram_view_bytes(const struct onsram_view *v)
{
    uint64_t n = onsram_dtype_size(v->dtype);

    for (unsigned d = 0; d < v->rank && d < ONSRAM_MAX_RANK; d++) {
        if (v->strides[d]) {
            n = onsram_sat_mul(n, v->dims[d]);
        }
    }
    return n;
}

uint64_t onsram_slot_resident(const struct onsram_view *v, uint64_t first,
                              uint64_t win_begin, uint64_t win_bytes)
{
    uint64_t bytes = onsram_view_bytes(v);
    onsram_s128 size = onsram_dtype_size(v->dtype);
    onsram_s128 begin = first;
    onsram_s128 end = begin + size;
    onsram_s128 win_end = (onsram_s128)win_begin + win_bytes;
    onsram_s128 from, to;

    for (unsigned d = 0; d < v->rank && d < ONSRAM_MAX_RANK; d++) {
        onsram_s128 reach = size * v->strides[d] *
                         (v->dims[d] ? v->dims[d] - 1 : 0);

        begin += reach < 0 ? reach : 0;
        end += reach > 0 ? reach : 0;
    }
    from = begin > win_begin ? begin : win_begin;
    to = end < win_end ? end : win_end;
    if (from >= to) {
        return 0;
    }
    return (uint64_t)((onsram_u128)bytes * (onsram_u128)(to - from) /
                      (onsram_u128)(end - begin));
}

static uint32_t dim_or_1(const struct onsram_view *v, int d)
{
    return d >= 0 && d < (int)v->rank && d < ONSRAM_MAX_RANK ? v->dims[d] : 1;
}

/*
 * GEMM and CONV as the matrix unit sees them: @problems independent products
 * of [rows x depth] by [depth x cols].
 */
struct matrix_shape {
    uint64_t problems;
    uint64_t rows;
    uint64_t depth;
    uint64_t cols;
};

static bool matrix_shape(const struct onsram_perf_op *op,
                         struct matrix_shape *s)
{
    const struct onsram_view *out = &op->view[0];
    const struct onsram_view *w = &op->view[2];

    switch (op->opcode) {
    case ONSRAM_OP_GEMM:
        s->cols = dim_or_1(out, (int)out->rank - 1);
        s->rows = dim_or_1(out, (int)out->rank - 2);
        s->depth = dim_or_1(&op->view[1], (int)op->view[1].rank - 1);
        s->problems = 1;
        for (int d = 0; d < (int)out->rank - 2; d++) {
            s->problems = onsram_sat_mul(s->problems, dim_or_1(out, d));
        }
        return true;
    case ONSRAM_OP_CONV:
        s->problems = op->attr.groups ? op->attr.groups : 1;
        s->cols = onsram_ceil_div(dim_or_1(w, 0), s->problems);
        s->rows = dim_or_1(out, 0);
        for (int d = 2; d < (int)out->rank; d++) {
            s->rows = onsram_sat_mul(s->rows, dim_or_1(out, d));
        }
        s->depth = 1;
        for (int d = 1; d < (int)w->rank; d++) {
            s->depth = onsram_sat_mul(s->depth, dim_or_1(w, d));
        }
        return true;
    default:
        return false;
    }
}

static uint64_t matrix_volume(const struct matrix_shape *s)
{
    return onsram_sat_mul(onsram_sat_mul(s->problems, s->rows),
                          onsram_sat_mul(s->depth, s->cols));
}

uint64_t onsram_op_macs(const struct onsram_perf_op *op)
{
    struct matrix_shape s;

    return matrix_shape(op, &s) ? matrix_volume(&s) : 0;
}

static uint64_t elementwise_flops(uint32_t func)
{
    switch (func) {
#define ONSRAM_X(name, value, inputs, flops, takes, params) case value: return flops;
    ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
    default:
        return 1;
    }
}

/* FLOPs per output element of the epilogue of GEMM and CONV */
static uint64_t epilogue_flops(const struct onsram_perf_op *op)
{
    uint64_t n = (op->view[3].dtype != ONSRAM_DTYPE_NONE) +
                 (op->view[4].dtype != ONSRAM_DTYPE_NONE);

    switch (op->attr.act) {
    case ONSRAM_ACT_RELU:
        return n + elementwise_flops(ONSRAM_EW_RELU);
    case ONSRAM_ACT_CLIP:
        return n + elementwise_flops(ONSRAM_EW_CLIP);
    case ONSRAM_ACT_LEAKY_RELU:
        return n + elementwise_flops(ONSRAM_EW_LEAKY_RELU);
    case ONSRAM_ACT_SIGMOID:
        return n + elementwise_flops(ONSRAM_EW_SIGMOID);
    case ONSRAM_ACT_TANH:
        return n + elementwise_flops(ONSRAM_EW_TANH);
    default:
        return n;
    }
}

static uint64_t resize_flops(const struct onsram_perf_op *op)
{
    uint64_t n = 1;

    if (op->attr.func != ONSRAM_RESIZE_LINEAR) {
        return 1;
    }
    /* A weighted sum of two neighbours per resized dimension */
    for (unsigned d = 0; d < op->view[0].rank && d < ONSRAM_MAX_RANK; d++) {
        if (op->view[0].dims[d] != op->view[1].dims[d]) {
            n *= 2;
        }
    }
    return 2 * n;
}

uint64_t onsram_op_flops(const struct onsram_perf_op *op)
{
    uint64_t out = onsram_view_elements(&op->view[0]);
    uint64_t per = 0;

    switch (op->opcode) {
    case ONSRAM_OP_GEMM:
    case ONSRAM_OP_CONV:
        per = epilogue_flops(op);
        break;
    case ONSRAM_OP_POOL:
        per = 1;
        for (unsigned d = 0; d < ONSRAM_MAX_SPATIAL; d++) {
            if (op->attr.kernel[d]) {
                per *= op->attr.kernel[d];
            }
        }
        break;
    case ONSRAM_OP_ELEMENTWISE:
        per = elementwise_flops(op->attr.func);
        break;
    case ONSRAM_OP_REDUCE:
        return onsram_sat_mul(onsram_view_elements(&op->view[1]),
                              op->attr.func == ONSRAM_REDUCE_SUM_SQUARE ?
                              2 : 1);
    case ONSRAM_OP_SOFTMAX:
        per = FLOPS_SOFTMAX;
        break;
    case ONSRAM_OP_NORM:
        per = op->attr.func == ONSRAM_NORM_BATCH ? FLOPS_BATCH_NORM :
              op->attr.func == ONSRAM_NORM_LRN ? FLOPS_LRN :
              FLOPS_LAYER_NORM;
        break;
    case ONSRAM_OP_RESIZE:
        per = resize_flops(op);
        break;
    default:
        break;
    }
    return onsram_sat_mul(out, per);
}

uint64_t onsram_slot_bytes(const struct onsram_perf_op *op, unsigned slot)
{
    uint64_t bytes = onsram_view_bytes(&op->view[slot]);

    /* Only the rows that the indices name are fetched */
    if (op->opcode == ONSRAM_OP_GATHER && slot == 1) {
        return onsram_min(bytes, onsram_view_bytes(&op->view[0]));
    }
    return bytes;
}

/*
 * How many products of a GEMM share no operand bytes with each other: the
 * batch dimensions that both factors step through; of a CONV: its groups.
 */
static uint64_t traffic_problems(const struct onsram_perf_op *op)
{
    const struct onsram_view *a = &op->view[1];
    const struct onsram_view *b = &op->view[2];
    uint64_t n = 1;

    if (op->opcode == ONSRAM_OP_CONV) {
        return op->attr.groups ? op->attr.groups : 1;
    }
    if (a->rank != b->rank) {
        return 1;
    }
    for (int d = 0; d < (int)a->rank - 2 && d < ONSRAM_MAX_RANK; d++) {
        if (a->strides[d] && b->strides[d] && a->dims[d] == b->dims[d]) {
            n = onsram_sat_mul(n, a->dims[d]);
        }
    }
    return onsram_max(n, 1);
}

/*
 * Bytes read for the two factors of a product.  Half of the staging window
 * holds a part of one factor of a problem while the other streams past it, the
 * other half is the second buffer; the cheaper of the two ways round is taken.
 */
static uint64_t factor_traffic(uint64_t a, uint64_t w, uint64_t problems,
                               uint64_t half)
{
    uint64_t held = onsram_sat_mul(problems, half);
    uint64_t hold_w, hold_a;

    hold_w = onsram_sat_add(w, onsram_sat_mul(a,
                            onsram_max(onsram_ceil_div(w, held), 1)));
    hold_a = onsram_sat_add(a, onsram_sat_mul(w,
                            onsram_max(onsram_ceil_div(a, held), 1)));
    return onsram_min(hold_w, hold_a);
}

/* How the bytes an operation moves divide */
struct split {
    uint64_t spm[ONSRAM_MAX_OPERANDS];
    uint64_t dram[ONSRAM_MAX_OPERANDS];
};

static void split_slots(const struct onsram_perf_op *op,
                        const uint64_t resident[ONSRAM_MAX_OPERANDS],
                        struct split *split)
{
    for (unsigned s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
        uint64_t bytes = onsram_slot_bytes(op, s);
        uint64_t view = onsram_view_bytes(&op->view[s]);
        uint64_t held = resident ? onsram_min(resident[s], view) : 0;

        if (bytes != view) {
            /* Of a table that GATHER reads in part, each byte is as likely */
            held = (uint64_t)((onsram_u128)bytes * held / view);
        }
        split->spm[s] = held;
        split->dram[s] = bytes - held;
    }
}

static uint64_t read_traffic(const struct onsram_model *m,
                             const struct onsram_perf_op *op,
                             const uint64_t dram[ONSRAM_MAX_OPERANDS],
                             uint64_t staging)
{
    bool matrix = op->opcode == ONSRAM_OP_GEMM ||
                  op->opcode == ONSRAM_OP_CONV;
    unsigned s = 1;
    uint64_t sum = 0;

    if (matrix && m->preset != ONSRAM_PRESET_PAPER) {
        sum = factor_traffic(dram[1], dram[2], traffic_problems(op),
                             staging / 2);
        s = 3;
    }
    for (; s < ONSRAM_MAX_OPERANDS; s++) {
        sum = onsram_sat_add(sum, dram[s]);
    }
    return sum;
}

static uint64_t compute_time(const struct onsram_model *m,
                             const struct onsram_perf_op *op,
                             uint64_t macs, uint64_t flops)
{
    uint64_t vector = onsram_time_ps(flops, m->vector_flops);
    uint64_t matrix;
    struct matrix_shape s;

    if (!matrix_shape(op, &s)) {
        return vector;
    }
    if (m->preset != ONSRAM_PRESET_PAPER) {
        s.depth = onsram_round_up(s.depth, m->mac_rows);
        s.cols = onsram_round_up(s.cols, m->mac_cols);
    }
    /* The epilogue works on what the array puts out, in step with it */
    matrix = onsram_max(vector,
                        onsram_time_ps(onsram_sat_mul(matrix_volume(&s), 2),
                                       m->peak_flops));
    if (op->opcode == ONSRAM_OP_CONV && op->attr.groups > 1) {
        uint64_t all = onsram_sat_add(onsram_sat_mul(macs, 2), flops);

        return onsram_min(matrix, onsram_time_ps(all, m->vector_flops));
    }
    return matrix;
}

static uint64_t energy(const struct onsram_model *m,
                       const struct onsram_cost *c)
{
    uint64_t dram = onsram_sat_add(c->dram_read_bytes, c->dram_write_bytes);
    uint64_t fj;

    fj = onsram_sat_mul(onsram_sat_add(c->macs, c->flops / 2), m->mac_fj);
    fj = onsram_sat_add(fj, onsram_sat_mul(c->spm_bytes, m->spm_byte_fj));
    return onsram_sat_add(fj, onsram_sat_mul(dram, m->dram_byte_fj));
}

/*
 * The times and the energy that follow from a cost's amounts.  What streams
 * from DRAM passes the SPM's port beside what is resident; otherwise one more
 * resident operand could slow an operation down.
 */
static void finish(const struct onsram_model *m, struct onsram_cost *c)
{
    uint64_t dram = onsram_sat_add(c->dram_read_bytes, c->dram_write_bytes);
    uint64_t work;

    c->dram_ps = onsram_time_ps(dram, m->dram_bw);
    c->spm_ps = onsram_time_ps(onsram_sat_add(c->spm_bytes, dram), m->spm_bw);
    c->overhead_ps = 0;
    if (m->preset != ONSRAM_PRESET_PAPER) {
        c->overhead_ps = m->cmd_overhead_ps + (dram ? m->dram_latency_ps : 0);
    }
    work = onsram_max(c->compute_ps, onsram_max(c->dram_ps, c->spm_ps));
    c->time_ps = onsram_sat_add(c->overhead_ps, work);
    c->energy_fj = energy(m, c);
}

void onsram_op_cost(const struct onsram_model *m,
                    const struct onsram_perf_op *op,
                    const uint64_t resident[ONSRAM_MAX_OPERANDS],
                    uint64_t staging, struct onsram_cost *cost)
{
    struct split split;

    *cost = (struct onsram_cost) { 0 };
    staging = onsram_max(staging, ONSRAM_STAGING_MIN);
    split_slots(op, resident, &split);

    cost->macs = onsram_op_macs(op);
    cost->flops = onsram_op_flops(op);
    cost->compute_ps = compute_time(m, op, cost->macs, cost->flops);
    cost->dram_read_bytes = read_traffic(m, op, split.dram, staging);
    cost->dram_write_bytes = split.dram[0];
    for (unsigned s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
        cost->spm_bytes = onsram_sat_add(cost->spm_bytes, split.spm[s]);
    }
    finish(m, cost);
}

void onsram_copy_cost(const struct onsram_model *m, uint64_t bytes,
                      bool writeback, struct onsram_cost *cost)
{
    *cost = (struct onsram_cost) { 0 };
    cost->spm_bytes = bytes;
    if (writeback) {
        cost->dram_write_bytes = bytes;
    } else {
        cost->dram_read_bytes = bytes;
    }
    finish(m, cost);
}
