/*
 * onsram functional execution: which operations are well formed
 *
 * The rules are the list in onsram_op.h.  The input comes from a guest:
 * every field may hold anything.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "exec-internal.h"

#define SLOT(s) (1u << (s))

struct op_info {
    uint32_t required;
    uint32_t optional;
    uint32_t functions;
};

static const struct op_info op_info[ONSRAM_OP_COUNT] = {
#define ONSRAM_X(name, value, req, opt, funcs) [value] = { req, opt, funcs },
    ONSRAM_OPERATIONS(ONSRAM_X)
#undef ONSRAM_X
};

struct ew_info {
    uint32_t inputs;
    uint32_t takes;
    uint32_t params;
};

static const struct ew_info ew_info[ONSRAM_EW_COUNT] = {
#define ONSRAM_X(name, value, inputs, flops, takes, params)                  \
    [value] = { inputs, ONSRAM_EW_TAKES_##takes, params },
    ONSRAM_ELEMENTWISE_FUNCTIONS(ONSRAM_X)
#undef ONSRAM_X
};

static bool is_float(const struct onsram_view *v)
{
    return v->dtype == ONSRAM_DTYPE_F32 || v->dtype == ONSRAM_DTYPE_F16;
}

static bool is_int(const struct onsram_view *v)
{
    return v->dtype == ONSRAM_DTYPE_I64 || v->dtype == ONSRAM_DTYPE_I32;
}

static bool is_present(const struct onsram_view *v)
{
    return v->dtype != ONSRAM_DTYPE_NONE;
}

static bool all_float(const struct onsram_view *views)
{
    int s;

    for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
        if (is_present(&views[s]) && !is_float(&views[s])) {
            return false;
        }
    }
    return true;
}

static bool same_dims(const struct onsram_view *a, const struct onsram_view *b)
{
    return a->rank == b->rank && !memcmp(a->dims, b->dims, sizeof(a->dims));
}

static bool is_vector_of(const struct onsram_view *v, uint32_t extent)
{
    return v->rank == 1 && v->dims[0] == extent;
}

/* Fields of struct onsram_attr an operation may use */
enum {
    USE_GROUPS = 1 << 0,
    USE_AXIS = 1 << 1,
    USE_ACT = 1 << 2,
    USE_KERNEL = 1 << 3,
    USE_WINDOW = 1 << 4,        /* stride, dilation, pads */
};

/* Bits of param[] the operation does not use must be clear, too */
static const char *check_unused(const struct onsram_attr *attr, unsigned use,
                                unsigned params, unsigned spatial)
{
    unsigned i, act_params;

    if (!(use & USE_GROUPS) && attr->groups) {
        return "groups must be 0";
    }
    if (!(use & USE_AXIS) && attr->axis) {
        return "axis must be 0";
    }
    if (!(use & USE_ACT) && attr->act) {
        return "act must be 0";
    }
    if (attr->act >= ONSRAM_ACT_COUNT) {
        return "unknown act";
    }
    if (attr->reserved) {
        return "reserved attribute must be 0";
    }
    for (i = params; i < 4; i++) {
        if (attr->param[i]) {
            return "unused param must be 0";
        }
    }
    act_params = attr->act == ONSRAM_ACT_CLIP ? 2 :
                 attr->act == ONSRAM_ACT_LEAKY_RELU ? 1 : 0;
    for (i = act_params; i < 2; i++) {
        if (attr->act_param[i]) {
            return "unused act_param must be 0";
        }
    }
    for (i = 0; i < ONSRAM_MAX_SPATIAL; i++) {
        if ((!(use & USE_KERNEL) || i >= spatial) && attr->kernel[i]) {
            return "unused kernel extent must be 0";
        }
        if ((!(use & USE_WINDOW) || i >= spatial) &&
            (attr->stride[i] || attr->dilation[i] || attr->pad_begin[i] ||
             attr->pad_end[i])) {
            return "unused stride, dilation or padding must be 0";
        }
    }
    return NULL;
}

static const char *check_window(const struct onsram_attr *attr, unsigned i,
                                uint32_t in, uint32_t kernel, uint32_t out,
                                bool ceil_mode)
{
    uint64_t padded, window, steps;

    if (!attr->stride[i] || !attr->dilation[i] || !kernel) {
        return "kernel, stride and dilation must be at least 1";
    }
    padded = (uint64_t)in + attr->pad_begin[i] + attr->pad_end[i];
    window = (uint64_t)attr->dilation[i] * (kernel - 1) + 1;
    if (window > padded) {
        return "window larger than the padded input";
    }
    steps = (padded - window) / attr->stride[i];
    if (out == steps + 1) {
        return NULL;
    }
    if (ceil_mode && out == steps + 2 &&
        (padded - window) % attr->stride[i] &&
        (steps + 1) * attr->stride[i] < padded) {
        return NULL;
    }
    return "output extent disagrees with window, stride and padding";
}

static const char *check_copy(const struct onsram_attr *attr,
                              const struct onsram_view *v)
{
    return same_dims(&v[0], &v[1]) ? check_unused(attr, 0, 0, 0) :
           "source and output shapes differ";
}

static const char *check_fill(const struct onsram_attr *attr,
                              const struct onsram_view *v)
{
    if (v[0].dtype == ONSRAM_DTYPE_BOOL && attr->param[0] > 1) {
        return "BOOL is filled with 0 or 1";
    }
    return check_unused(attr, 0, v[0].dtype == ONSRAM_DTYPE_I64 ? 2 : 1, 0);
}

static const char *check_gemm(const struct onsram_attr *attr,
                              const struct onsram_view *v)
{
    uint32_t r = v[0].rank, i;

    if (!all_float(v)) {
        return "GEMM takes float operands";
    }
    if (r < 2 || v[1].rank != r || v[2].rank != r) {
        return "GEMM operands need one rank of at least 2";
    }
    for (i = 0; i < r - 2; i++) {
        if (v[1].dims[i] != v[0].dims[i] || v[2].dims[i] != v[0].dims[i]) {
            return "batch dimensions differ";
        }
    }
    if (v[1].dims[r - 2] != v[0].dims[r - 2] ||
        v[2].dims[r - 1] != v[0].dims[r - 1] ||
        v[1].dims[r - 1] != v[2].dims[r - 2]) {
        return "M, N or K disagree";
    }
    for (i = 3; i <= 4; i++) {
        if (is_present(&v[i]) && !same_dims(&v[i], &v[0])) {
            return "bias or residual has not the output's shape";
        }
    }
    return check_unused(attr, USE_ACT, 2, 0);
}

static const char *check_conv(const struct onsram_attr *attr,
                              const struct onsram_view *v)
{
    const struct onsram_view *o = &v[0], *x = &v[1], *w = &v[2];
    uint32_t i, spatial = o->rank - 2;
    const char *error;

    if (!all_float(v)) {
        return "CONV takes float operands";
    }
    if (o->rank < 3 || o->rank > 2 + ONSRAM_MAX_SPATIAL ||
        x->rank != o->rank || w->rank != o->rank) {
        return "CONV operands need one rank of 3 to 5";
    }
    if (!attr->groups || x->dims[1] % attr->groups ||
        o->dims[1] % attr->groups) {
        return "groups must divide the channels";
    }
    if (o->dims[0] != x->dims[0] || o->dims[1] != w->dims[0] ||
        w->dims[1] != x->dims[1] / attr->groups) {
        return "batch or channels disagree";
    }
    if (is_present(&v[3]) && !is_vector_of(&v[3], o->dims[1])) {
        return "bias has not one element per output channel";
    }
    if (is_present(&v[4]) && !same_dims(&v[4], o)) {
        return "residual has not the output's shape";
    }
    for (i = 0; i < spatial; i++) {
        error = check_window(attr, i, x->dims[2 + i], w->dims[2 + i],
                             o->dims[2 + i], false);
        if (error) {
            return error;
        }
    }
    return check_unused(attr, USE_GROUPS | USE_ACT | USE_WINDOW, 0, spatial);
}

static const char *check_pool(const struct onsram_attr *attr,
                              const struct onsram_view *v)
{
    uint32_t i, spatial = v[0].rank - 2;
    const char *error;

    if (!all_float(v)) {
        return "POOL takes float operands";
    }
    if (v[0].rank < 3 || v[0].rank > 2 + ONSRAM_MAX_SPATIAL ||
        v[1].rank != v[0].rank) {
        return "POOL operands need one rank of 3 to 5";
    }
    if (v[0].dims[0] != v[1].dims[0] || v[0].dims[1] != v[1].dims[1]) {
        return "batch or channels disagree";
    }
    for (i = 0; i < spatial; i++) {
        error = check_window(attr, i, v[1].dims[2 + i], attr->kernel[i],
                             v[0].dims[2 + i], true);
        if (error) {
            return error;
        }
    }
    return check_unused(attr, USE_KERNEL | USE_WINDOW, 0, spatial);
}

static bool ew_dtypes_agree(const struct ew_info *f,
                            const struct onsram_view *v)
{
    uint32_t first = 1, s;

    if (f->takes & ONSRAM_EW_COMPARES) {
        return v[0].dtype == ONSRAM_DTYPE_BOOL && v[1].dtype == v[2].dtype;
    }
    if (f->takes & ONSRAM_EW_SELECTS) {
        if (v[1].dtype != ONSRAM_DTYPE_BOOL) {
            return false;
        }
        first = 2;
    } else if (all_float(v)) {
        return f->takes & ONSRAM_EW_FLOAT;
    }
    for (s = first; s <= f->inputs; s++) {
        if (v[s].dtype != v[0].dtype) {
            return false;
        }
    }
    if (v[0].dtype == ONSRAM_DTYPE_BOOL) {
        return f->takes & ONSRAM_EW_BOOL;
    }
    return f->takes & (is_int(&v[0]) ? ONSRAM_EW_INT : ONSRAM_EW_FLOAT);
}

static const char *check_elementwise(const struct onsram_attr *attr,
                                     const struct onsram_view *v)
{
    const struct ew_info *f = &ew_info[attr->func];
    uint32_t s;

    for (s = 1; s <= 3; s++) {
        if (is_present(&v[s]) != (s <= f->inputs)) {
            return "wrong number of inputs for the function";
        }
        if (is_present(&v[s]) && !same_dims(&v[s], &v[0])) {
            return "input has not the output's shape";
        }
    }
    if (!ew_dtypes_agree(f, v)) {
        return "dtypes do not suit the function";
    }
    return check_unused(attr, 0, f->params, 0);
}

static const char *check_reduce(const struct onsram_attr *attr,
                                const struct onsram_view *v)
{
    uint32_t i;

    if (!all_float(v) && (!is_int(&v[0]) || v[0].dtype != v[1].dtype)) {
        return "REDUCE takes float or equal integer operands";
    }
    if (v[0].rank != v[1].rank || attr->axis >> v[1].rank) {
        return "ranks differ or axis mask beyond the rank";
    }
    for (i = 0; i < v[1].rank; i++) {
        if (v[0].dims[i] != (attr->axis >> i & 1 ? 1 : v[1].dims[i])) {
            return "output shape disagrees with the reduced dimensions";
        }
    }
    return check_unused(attr, USE_AXIS, 0, 0);
}

static const char *check_softmax(const struct onsram_attr *attr,
                                 const struct onsram_view *v)
{
    if (!all_float(v)) {
        return "SOFTMAX takes float operands";
    }
    if (!same_dims(&v[0], &v[1]) || attr->axis >= v[0].rank) {
        return "shapes differ or axis beyond the rank";
    }
    return check_unused(attr, USE_AXIS, 0, 0);
}

static bool is_tail_of(const struct onsram_view *v, const struct onsram_view *x,
                       uint32_t axis)
{
    return v->rank == x->rank - axis &&
           !memcmp(v->dims, x->dims + axis, v->rank * sizeof(v->dims[0]));
}

static const char *check_norm(const struct onsram_attr *attr,
                              const struct onsram_view *v)
{
    unsigned present = 0, use = 0, params = 1, s;

    if (!all_float(v)) {
        return "NORM takes float operands";
    }
    if (!same_dims(&v[0], &v[1]) || v[1].rank < 2) {
        return "input and output need one shape of rank 2 or more";
    }
    for (s = 2; s < ONSRAM_MAX_OPERANDS; s++) {
        if (!is_present(&v[s])) {
            continue;
        }
        present |= SLOT(s);
        if (attr->func == ONSRAM_NORM_LAYER) {
            if (attr->axis >= v[1].rank ||
                !is_tail_of(&v[s], &v[1], attr->axis)) {
                return "scale or bias has not the normalised shape";
            }
        } else if (!is_vector_of(&v[s], v[1].dims[1])) {
            return "scale, bias, mean or variance is not one per channel";
        }
    }
    switch (attr->func) {
    case ONSRAM_NORM_BATCH:
        if (present != (SLOT(2) | SLOT(3) | SLOT(4) | SLOT(5))) {
            return "batch normalisation needs slots 2 to 5";
        }
        break;
    case ONSRAM_NORM_LRN:
        if (present || !attr->kernel[0]) {
            return "LRN needs a size and no slots beyond 1";
        }
        use = USE_KERNEL;
        params = 3;
        break;
    default:
        if ((present & ~SLOT(3)) != SLOT(2)) {
            return "normalisation needs slot 2 and takes slot 3";
        }
        if (attr->func == ONSRAM_NORM_LAYER) {
            use = USE_AXIS;
            break;
        }
        use = USE_GROUPS;
        if (!attr->groups || v[1].dims[1] % attr->groups) {
            return "groups must divide the channels";
        }
    }
    return check_unused(attr, use, params, 1);
}

static const char *check_gather(const struct onsram_attr *attr,
                                const struct onsram_view *v)
{
    const struct onsram_view *data = &v[1], *index = &v[2];
    uint32_t axis = attr->axis, i, n = 0;

    if (v[0].dtype != data->dtype || !is_int(index)) {
        return "GATHER takes integer indices and keeps the dtype";
    }
    if (axis >= data->rank || v[0].rank != data->rank - 1 + index->rank) {
        return "axis beyond the rank or wrong output rank";
    }
    for (i = 0; i < axis; i++) {
        if (v[0].dims[n++] != data->dims[i]) {
            return "output shape disagrees with data and indices";
        }
    }
    for (i = 0; i < index->rank; i++) {
        if (v[0].dims[n++] != index->dims[i]) {
            return "output shape disagrees with data and indices";
        }
    }
    for (i = axis + 1; i < data->rank; i++) {
        if (v[0].dims[n++] != data->dims[i]) {
            return "output shape disagrees with data and indices";
        }
    }
    return check_unused(attr, USE_AXIS, 0, 0);
}

static const char *check_resize(const struct onsram_attr *attr,
                                const struct onsram_view *v)
{
    if (!v[0].rank || v[0].rank != v[1].rank) {
        return "RESIZE needs one rank of at least 1";
    }
    if (attr->func == ONSRAM_RESIZE_NEAREST ? v[0].dtype != v[1].dtype :
                                              !all_float(v)) {
        return "dtypes do not suit the function";
    }
    return check_unused(attr, 0, 0, 0);
}

typedef const char *check_fn(const struct onsram_attr *attr,
                             const struct onsram_view *v);

static check_fn * const op_check[ONSRAM_OP_COUNT] = {
    [ONSRAM_OP_COPY] = check_copy,
    [ONSRAM_OP_FILL] = check_fill,
    [ONSRAM_OP_GEMM] = check_gemm,
    [ONSRAM_OP_CONV] = check_conv,
    [ONSRAM_OP_POOL] = check_pool,
    [ONSRAM_OP_ELEMENTWISE] = check_elementwise,
    [ONSRAM_OP_REDUCE] = check_reduce,
    [ONSRAM_OP_SOFTMAX] = check_softmax,
    [ONSRAM_OP_NORM] = check_norm,
    [ONSRAM_OP_GATHER] = check_gather,
    [ONSRAM_OP_RESIZE] = check_resize,
};

const char *onsram_exec_check(uint32_t opcode, const struct onsram_attr *attr,
                              const struct onsram_view *views)
{
    static const struct onsram_view absent;
    const struct op_info *info;
    const char *error;
    uint32_t s;

    if (opcode >= ONSRAM_OP_COUNT || !op_check[opcode]) {
        return "unknown opcode";
    }
    info = &op_info[opcode];
    for (s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
        if (!is_present(&views[s])) {
            if (info->required & SLOT(s)) {
                return "required operand is missing";
            }
            if (memcmp(&views[s], &absent, sizeof(absent))) {
                return "absent operand must be 0";
            }
            continue;
        }
        if (!((info->required | info->optional) & SLOT(s))) {
            return "the operation does not take this operand";
        }
        error = exec_check_view(&views[s]);
        if (error) {
            return error;
        }
    }
    if (!exec_writes_each_once(&views[0])) {
        return "output strides overlap";
    }
    if (attr->func >= (info->functions ? info->functions : 1)) {
        return "unknown function";
    }
    return op_check[opcode](attr, views);
}
