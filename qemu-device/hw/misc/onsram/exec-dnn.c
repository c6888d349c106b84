/*
 * onsram functional execution: convolution and matrix products
 *
 * The only file that knows oneDNN; it builds with versions 2 and 3.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dnnl.h>

#include "exec-internal.h"

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t md_ref;
#else
typedef const dnnl_memory_desc_t *md_ref;
#endif

/* Convolutions kept ready to run; the least recently used one gives way */
#define CACHE_SIZE 256

/* What a convolution primitive is made for */
struct conv_key {
    uint32_t rank;
    uint32_t x[ONSRAM_MAX_RANK], w[ONSRAM_MAX_RANK], o[ONSRAM_MAX_RANK];
    uint32_t groups;
    uint32_t has_bias;
    uint32_t act;               /* fused into the primitive */
    uint32_t act_param[2];
    uint16_t stride[ONSRAM_MAX_SPATIAL];
    uint16_t dilation[ONSRAM_MAX_SPATIAL];
    uint16_t pad_begin[ONSRAM_MAX_SPATIAL];
    uint16_t pad_end[ONSRAM_MAX_SPATIAL];
};

/* An operand as the caller has it and as the primitive wants it */
struct conv_operand {
    dnnl_memory_t plain;
    dnnl_memory_t native;       /* NULL: the plain layout is the native one */
    dnnl_primitive_t reorder;
    size_t native_size;
};

struct conv {
    struct conv_key key;
    uint64_t used;              /* exec_dnn.clock at the last use; 0: empty */
    dnnl_primitive_t primitive;
    struct conv_operand src, weights, dst;
    dnnl_memory_t bias, scratchpad;
    size_t scratchpad_size;
};

struct exec_dnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    uint64_t clock;
    struct conv conv[CACHE_SIZE];
};

struct exec_dnn *exec_dnn_create(void)
{
    struct exec_dnn *dnn = calloc(1, sizeof(*dnn));

    if (!dnn) {
        return NULL;
    }
    /* The cache above is enough; the library's own would keep what it drops */
    dnnl_set_primitive_cache_capacity(0);
    if (dnnl_engine_create(&dnn->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&dnn->stream, dnn->engine,
                           dnnl_stream_default_flags) != dnnl_success) {
        exec_dnn_destroy(dnn);
        return NULL;
    }
    return dnn;
}

static void conv_operand_free(struct conv_operand *operand)
{
    dnnl_primitive_destroy(operand->reorder);
    dnnl_memory_destroy(operand->native);
    dnnl_memory_destroy(operand->plain);
}

static void conv_free(struct conv *conv)
{
    conv_operand_free(&conv->src);
    conv_operand_free(&conv->weights);
    conv_operand_free(&conv->dst);
    dnnl_memory_destroy(conv->bias);
    dnnl_memory_destroy(conv->scratchpad);
    dnnl_primitive_destroy(conv->primitive);
    memset(conv, 0, sizeof(*conv));
}

void exec_dnn_destroy(struct exec_dnn *dnn)
{
    int i;

    for (i = 0; i < CACHE_SIZE; i++) {
        conv_free(&dnn->conv[i]);
    }
    dnnl_stream_destroy(dnn->stream);
    dnnl_engine_destroy(dnn->engine);
    free(dnn);
}

/*
 * Memory descriptors: a plain row-major one, or one whose layout the library
 * chooses.  Version 2 has them as values, version 3 as objects.
 */
struct md {
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_t desc;
#else
    dnnl_memory_desc_t value;
#endif
};

static md_ref md_get(const struct md *md)
{
#if DNNL_VERSION_MAJOR >= 3
    return md->desc;
#else
    return &md->value;
#endif
}

static void md_free(struct md *md)
{
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_destroy(md->desc);
    md->desc = NULL;
#else
    (void)md;
#endif
}

static dnnl_status_t md_init(struct md *md, int rank, const dnnl_dims_t dims,
                             bool any)
{
    static const dnnl_format_tag_t plain[] = {
        dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd,
        dnnl_abcde, dnnl_abcdef,
    };
    dnnl_format_tag_t tag = any ? dnnl_format_tag_any : plain[rank];

#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_tag(&md->desc, rank, dims, dnnl_f32,
                                            tag);
#else
    return dnnl_memory_desc_init_by_tag(&md->value, rank, dims, dnnl_f32, tag);
#endif
}

enum { MD_SRC, MD_WEIGHTS, MD_DST, MD_COUNT };

struct conv_shape {
    int rank[MD_COUNT];
    dnnl_dims_t dims[MD_COUNT];
    dnnl_dims_t stride, dilation, begin, end;
};

static void conv_shape_init(struct conv_shape *s, const struct conv_key *key)
{
    bool grouped = key->groups > 1;
    uint32_t i;

    s->rank[MD_SRC] = s->rank[MD_DST] = key->rank;
    s->rank[MD_WEIGHTS] = key->rank + grouped;
    for (i = 0; i < key->rank; i++) {
        s->dims[MD_SRC][i] = key->x[i];
        s->dims[MD_DST][i] = key->o[i];
        s->dims[MD_WEIGHTS][i + grouped] = key->w[i];
    }
    if (grouped) {
        s->dims[MD_WEIGHTS][0] = key->groups;
        s->dims[MD_WEIGHTS][1] = key->w[0] / key->groups;
    }
    for (i = 0; i < ONSRAM_MAX_SPATIAL; i++) {
        s->stride[i] = key->stride[i];
        s->dilation[i] = key->dilation[i] - 1;
        s->begin[i] = key->pad_begin[i];
        s->end[i] = key->pad_end[i];
    }
}

static dnnl_status_t append_act(dnnl_post_ops_t ops, const struct conv_key *key)
{
    float alpha = exec_param(key->act_param[0]);
    float beta = exec_param(key->act_param[1]);
    dnnl_alg_kind_t kind = dnnl_eltwise_relu;

    if (key->act == ONSRAM_ACT_NONE) {
        return dnnl_success;
    }
    if (key->act == ONSRAM_ACT_CLIP) {
        kind = dnnl_eltwise_clip;
    }
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(ops, kind, alpha, beta);
#else
    return dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, beta);
#endif
}

static dnnl_status_t attr_create(dnnl_primitive_attr_t *attr,
                                 const struct conv_key *key)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t st = dnnl_primitive_attr_create(attr);

    if (st == dnnl_success) {
        st = dnnl_primitive_attr_set_scratchpad_mode(*attr,
                                                     dnnl_scratchpad_mode_user);
    }
    if (st == dnnl_success) {
        st = dnnl_post_ops_create(&ops);
    }
    if (st == dnnl_success) {
        st = append_act(ops, key);
    }
    if (st == dnnl_success) {
        st = dnnl_primitive_attr_set_post_ops(*attr, ops);
    }
    dnnl_post_ops_destroy(ops);
    return st;
}

static dnnl_status_t conv_pd_create(struct exec_dnn *dnn,
                                    const struct conv_key *key,
                                    const struct conv_shape *s,
                                    dnnl_primitive_desc_t *pd)
{
    struct md md[MD_COUNT] = { 0 }, bias = { 0 };
    dnnl_dims_t channels = { key->o[1] };
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t st = attr_create(&attr, key);
    int i;

    for (i = 0; i < MD_COUNT && st == dnnl_success; i++) {
        st = md_init(&md[i], s->rank[i], s->dims[i], true);
    }
    if (st == dnnl_success) {
        st = md_init(&bias, 1, channels, false);
    }
    if (st == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
        st = dnnl_convolution_forward_primitive_desc_create(pd, dnn->engine,
                dnnl_forward_inference, dnnl_convolution_direct,
                md_get(&md[MD_SRC]), md_get(&md[MD_WEIGHTS]),
                key->has_bias ? md_get(&bias) : NULL, md_get(&md[MD_DST]),
                s->stride, s->dilation, s->begin, s->end, attr);
#else
        dnnl_convolution_desc_t desc;

        st = dnnl_dilated_convolution_forward_desc_init(&desc,
                dnnl_forward_inference, dnnl_convolution_direct,
                md_get(&md[MD_SRC]), md_get(&md[MD_WEIGHTS]),
                key->has_bias ? md_get(&bias) : NULL, md_get(&md[MD_DST]),
                s->stride, s->dilation, s->begin, s->end);
        if (st == dnnl_success) {
            st = dnnl_primitive_desc_create(pd, &desc, attr, dnn->engine,
                                            NULL);
        }
#endif
    }
    for (i = 0; i < MD_COUNT; i++) {
        md_free(&md[i]);
    }
    md_free(&bias);
    dnnl_primitive_attr_destroy(attr);
    return st;
}

/* Reorders run towards the primitive for inputs, away from it for the output */
static dnnl_status_t conv_operand_init(struct exec_dnn *dnn,
                                       struct conv_operand *operand,
                                       const struct conv_shape *s, int which,
                                       md_ref native)
{
    dnnl_primitive_desc_t pd = NULL;
    struct md plain = { 0 };
    bool out = which == MD_DST;
    dnnl_status_t st = md_init(&plain, s->rank[which], s->dims[which], false);
    md_ref from = out ? native : md_get(&plain);
    md_ref to = out ? md_get(&plain) : native;

    if (st == dnnl_success) {
        st = dnnl_memory_create(&operand->plain, md_get(&plain), dnn->engine,
                                NULL);
    }
    if (st == dnnl_success && !dnnl_memory_desc_equal(md_get(&plain), native)) {
        operand->native_size = dnnl_memory_desc_get_size(native);
        st = dnnl_memory_create(&operand->native, native, dnn->engine, NULL);
        if (st == dnnl_success) {
            st = dnnl_reorder_primitive_desc_create(&pd, from, dnn->engine, to,
                                                    dnn->engine, NULL);
        }
        if (st == dnnl_success) {
            st = dnnl_primitive_create(&operand->reorder, pd);
        }
        dnnl_primitive_desc_destroy(pd);
    }
    md_free(&plain);
    return st;
}

static dnnl_status_t conv_init(struct exec_dnn *dnn, struct conv *conv,
                               const struct conv_key *key)
{
    dnnl_primitive_desc_t pd = NULL;
    struct conv_shape shape = { 0 };
    md_ref scratchpad;
    dnnl_status_t st;

    conv->key = *key;
    conv_shape_init(&shape, key);
    st = conv_pd_create(dnn, key, &shape, &pd);
    if (st != dnnl_success) {
        return st;
    }
    st = dnnl_primitive_create(&conv->primitive, pd);
    if (st == dnnl_success) {
        st = conv_operand_init(dnn, &conv->src, &shape, MD_SRC,
                               dnnl_primitive_desc_query_md(pd,
                                       dnnl_query_src_md, 0));
    }
    if (st == dnnl_success) {
        st = conv_operand_init(dnn, &conv->weights, &shape, MD_WEIGHTS,
                               dnnl_primitive_desc_query_md(pd,
                                       dnnl_query_weights_md, 0));
    }
    if (st == dnnl_success) {
        st = conv_operand_init(dnn, &conv->dst, &shape, MD_DST,
                               dnnl_primitive_desc_query_md(pd,
                                       dnnl_query_dst_md, 0));
    }
    if (st == dnnl_success && key->has_bias) {
        st = dnnl_memory_create(&conv->bias,
                                dnnl_primitive_desc_query_md(pd,
                                        dnnl_query_weights_md, 1),
                                dnn->engine, NULL);
    }
    if (st == dnnl_success) {
        scratchpad = dnnl_primitive_desc_query_md(pd,
                                                  dnnl_query_scratchpad_md, 0);
        conv->scratchpad_size = dnnl_memory_desc_get_size(scratchpad);
        st = dnnl_memory_create(&conv->scratchpad, scratchpad, dnn->engine,
                                NULL);
    }
    dnnl_primitive_desc_destroy(pd);
    return st;
}

static struct conv *conv_find(struct exec_dnn *dnn, const struct conv_key *key)
{
    struct conv *victim = &dnn->conv[0];
    int i;

    for (i = 0; i < CACHE_SIZE; i++) {
        struct conv *conv = &dnn->conv[i];

        if (conv->used && !memcmp(&conv->key, key, sizeof(*key))) {
            conv->used = ++dnn->clock;
            return conv;
        }
        if (conv->used < victim->used) {
            victim = conv;
        }
    }
    conv_free(victim);
    if (conv_init(dnn, victim, key) != dnnl_success) {
        conv_free(victim);
        return NULL;
    }
    victim->used = ++dnn->clock;
    return victim;
}

/*
 * The primitive applies a bias and an activation that is a comparison or a
 * product; what a residual follows, or what needs a function, is left to the
 * epilogue, so that a function has one implementation.
 */
static bool act_is_fused(const struct onsram_attr *attr,
                         const struct onsram_exec_tensor *tensors)
{
    return !exec_present(&tensors[4]) &&
           (attr->act == ONSRAM_ACT_RELU || attr->act == ONSRAM_ACT_CLIP ||
            attr->act == ONSRAM_ACT_LEAKY_RELU);
}

static void conv_key_init(struct conv_key *key, const struct onsram_attr *attr,
                          const struct onsram_exec_tensor *tensors, bool fused)
{
    uint32_t i, spatial = tensors[0].view.rank - 2;

    memset(key, 0, sizeof(*key));
    key->rank = tensors[0].view.rank;
    memcpy(key->o, tensors[0].view.dims, sizeof(key->o));
    memcpy(key->x, tensors[1].view.dims, sizeof(key->x));
    memcpy(key->w, tensors[2].view.dims, sizeof(key->w));
    key->groups = attr->groups;
    key->has_bias = exec_present(&tensors[3]);
    if (fused) {
        key->act = attr->act;
        memcpy(key->act_param, attr->act_param, sizeof(key->act_param));
    }
    for (i = 0; i < spatial; i++) {
        key->stride[i] = attr->stride[i];
        key->dilation[i] = attr->dilation[i];
        key->pad_begin[i] = attr->pad_begin[i];
        key->pad_end[i] = attr->pad_end[i];
    }
}

static int run_primitive(struct exec_dnn *dnn, dnnl_primitive_t primitive,
                         int n, const dnnl_exec_arg_t *args)
{
    if (dnnl_primitive_execute(primitive, dnn->stream, n, args) !=
        dnnl_success || dnnl_stream_wait(dnn->stream) != dnnl_success) {
        return -EIO;
    }
    return 0;
}

static int reorder(struct exec_dnn *dnn, dnnl_primitive_t primitive,
                   dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_exec_arg_t args[] = {
        { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to },
    };

    return run_primitive(dnn, primitive, 2, args);
}

/*
 * Points an operand at @data, its native form at scratch memory.  Returns the
 * memory the primitive works on; NULL: no memory.
 */
static dnnl_memory_t conv_bind(struct onsram_exec *ctx,
                               struct conv_operand *operand, const void *data,
                               int scratch)
{
    void *native;

    if (!data) {
        return NULL;
    }
    dnnl_memory_set_data_handle(operand->plain, (void *)data);
    if (!operand->native) {
        return operand->plain;
    }
    native = exec_scratch(ctx, scratch, operand->native_size);
    if (!native) {
        return NULL;
    }
    dnnl_memory_set_data_handle(operand->native, native);
    return operand->native;
}

static int conv_run(struct onsram_exec *ctx, struct conv *conv, const float *x,
                    const float *w, const float *bias, float *out)
{
    struct exec_dnn *dnn = ctx->dnn;
    dnnl_memory_t src = conv_bind(ctx, &conv->src, x, EXEC_SCRATCH_DNN_SRC);
    dnnl_memory_t weights = conv_bind(ctx, &conv->weights, w,
                                      EXEC_SCRATCH_DNN_WEIGHTS);
    dnnl_memory_t dst = conv_bind(ctx, &conv->dst, out, EXEC_SCRATCH_DNN_DST);
    void *pad = exec_scratch(ctx, EXEC_SCRATCH_DNN_PAD, conv->scratchpad_size);
    dnnl_exec_arg_t args[] = {
        { DNNL_ARG_SRC, src }, { DNNL_ARG_WEIGHTS, weights },
        { DNNL_ARG_DST, dst }, { DNNL_ARG_SCRATCHPAD, conv->scratchpad },
        { DNNL_ARG_BIAS, conv->bias },
    };
    int ret = 0;

    if (!src || !weights || !dst || !pad || (conv->bias && !bias)) {
        return -ENOMEM;
    }
    dnnl_memory_set_data_handle(conv->scratchpad, pad);
    if (conv->bias) {
        dnnl_memory_set_data_handle(conv->bias, (void *)bias);
    }
    if (conv->src.reorder) {
        ret = reorder(dnn, conv->src.reorder, conv->src.plain, src);
    }
    if (!ret && conv->weights.reorder) {
        ret = reorder(dnn, conv->weights.reorder, conv->weights.plain, weights);
    }
    if (!ret) {
        ret = run_primitive(dnn, conv->primitive, conv->bias ? 5 : 4, args);
    }
    if (!ret && conv->dst.reorder) {
        ret = reorder(dnn, conv->dst.reorder, dst, conv->dst.plain);
    }
    return ret;
}

int exec_conv(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors)
{
    bool fused = act_is_fused(attr, tensors);
    bool residual = exec_present(&tensors[4]);
    struct onsram_exec_tensor acc;
    const float *bias = NULL;
    struct conv_key key;
    struct conv *conv;
    int ret;

    conv_key_init(&key, attr, tensors, fused);
    conv = conv_find(ctx->dnn, &key);
    if (!conv) {
        return -EIO;
    }
    if (exec_present(&tensors[3])) {
        bias = exec_input(ctx, tensors, 3, ONSRAM_DTYPE_F32);
    }
    acc.view = exec_dense_view(&tensors[0].view, ONSRAM_DTYPE_F32);
    acc.data = exec_output(ctx, tensors, ONSRAM_DTYPE_F32);
    ret = conv_run(ctx, conv, exec_input(ctx, tensors, 1, ONSRAM_DTYPE_F32),
                   exec_input(ctx, tensors, 2, ONSRAM_DTYPE_F32), bias,
                   acc.data);
    if (ret) {
        return ret;
    }
    if (residual || (attr->act != ONSRAM_ACT_NONE && !fused)) {
        exec_epilogue(&tensors[0], &acc, NULL, 0,
                      residual ? &tensors[4] : NULL, attr);
    } else {
        exec_output_done(tensors, acc.data, ONSRAM_DTYPE_F32);
    }
    return 0;
}

/* A matrix in a batch, as the library wants it */
struct matrix {
    const float *data;
    char transposed;            /* 'N' or 'T' */
    dnnl_dim_t ld;
    ptrdiff_t batch_stride[ONSRAM_MAX_RANK];
};

static bool matrix_fits(const struct onsram_view *v, char transposed,
                        dnnl_dim_t *ld)
{
    uint32_t row = v->rank - 2, column = v->rank - 1;

    if (transposed == 'T') {
        row = v->rank - 1;
        column = v->rank - 2;
    }
    if (v->dims[column] > 1 && v->strides[column] != 1) {
        return false;
    }
    *ld = v->dims[row] > 1 ? v->strides[row] : (int64_t)v->dims[column];
    return *ld >= (int64_t)v->dims[column];
}

/* In place where rows or columns are contiguous, else a row-major copy */
static bool matrix_init(struct onsram_exec *ctx, struct matrix *m,
                        const struct onsram_exec_tensor *tensors, int s)
{
    struct onsram_view v = tensors[s].view;
    uint32_t i;

    m->data = tensors[s].data;
    m->transposed = 'N';
    if (v.dtype != ONSRAM_DTYPE_F32 || !matrix_fits(&v, 'N', &m->ld)) {
        m->transposed = 'T';
        if (v.dtype != ONSRAM_DTYPE_F32 || !matrix_fits(&v, 'T', &m->ld)) {
            m->data = exec_input(ctx, tensors, s, ONSRAM_DTYPE_F32);
            v = exec_dense_view(&v, ONSRAM_DTYPE_F32);
            m->transposed = 'N';
            matrix_fits(&v, 'N', &m->ld);
        }
    }
    for (i = 0; i + 2 < v.rank; i++) {
        m->batch_stride[i] = v.strides[i];
    }
    return m->data;
}

/* C = alpha * A x B, every matrix of the batch */
static int gemm_batch(const struct onsram_view *o, const struct matrix *a,
                      const struct matrix *b, dnnl_dim_t k, float alpha,
                      float *out)
{
    uint32_t r = o->rank, index[ONSRAM_MAX_RANK] = { 0 }, i;
    dnnl_dim_t m = o->dims[r - 2], n = o->dims[r - 1];
    size_t batch = exec_dims_product(o, 0, r - 2);
    ptrdiff_t at_a = 0, at_b = 0;

    for (; batch; batch--, out += m * n) {
        if (dnnl_sgemm(a->transposed, b->transposed, m, n, k, alpha,
                       a->data + at_a, a->ld, b->data + at_b, b->ld, 0, out,
                       n) != dnnl_success) {
            return -EIO;
        }
        for (i = r - 2; i--; ) {
            at_a += a->batch_stride[i];
            at_b += b->batch_stride[i];
            if (++index[i] < o->dims[i]) {
                break;
            }
            at_a -= a->batch_stride[i] * o->dims[i];
            at_b -= b->batch_stride[i] * o->dims[i];
            index[i] = 0;
        }
    }
    return 0;
}

int exec_gemm(struct onsram_exec *ctx, const struct onsram_attr *attr,
              const struct onsram_exec_tensor *tensors)
{
    const struct onsram_view *o = &tensors[0].view;
    bool bias = exec_present(&tensors[3]);
    bool residual = exec_present(&tensors[4]);
    struct onsram_exec_tensor acc = {
        .view = exec_dense_view(o, ONSRAM_DTYPE_F32),
        .data = exec_output(ctx, tensors, ONSRAM_DTYPE_F32),
    };
    struct matrix a, b;
    int ret;

    if (!acc.data || !matrix_init(ctx, &a, tensors, 1) ||
        !matrix_init(ctx, &b, tensors, 2)) {
        return -ENOMEM;
    }
    ret = gemm_batch(o, &a, &b, tensors[1].view.dims[o->rank - 1],
                     exec_param(attr->param[0]), acc.data);
    if (ret) {
        return ret;
    }
    if (bias || residual || attr->act != ONSRAM_ACT_NONE) {
        exec_epilogue(&tensors[0], &acc, bias ? &tensors[3] : NULL,
                      exec_param(attr->param[1]),
                      residual ? &tensors[4] : NULL, attr);
    } else {
        exec_output_done(tensors, acc.data, ONSRAM_DTYPE_F32);
    }
    return 0;
}
