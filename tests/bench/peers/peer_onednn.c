// SPDX-License-Identifier: Apache-2.0
// oneDNN among the rivals, as whole networks; see peer.h. oneDNN computes layers and reads no files: the graph comes
// from our own importer after our own passes (batch norms folded, activations and residual sums joined to the layer
// before), and every node becomes one primitive of oneDNN's C API with these as post-ops. oneDNN chooses the layout of
// every convolution and dense layer; weights are brought into it while loading; what a layer does not find in the
// layout that it wants is reordered, in the measured time. Memory is used again once its last reader is done; sums and
// element-wise layers happen in place.
#define _GNU_SOURCE
#include "engine/graph/graph.h"
#include "engine/model.h"
#include "engine/ops/activation.h"
#include "engine/ops/conv/conv.h"
#include "engine/ops/matmul.h"
#include "engine/ops/pool.h"
#include "engine/passes/passes.h"
#include "tests/bench/peers/peer.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

enum { CALLS_MAX = 1024, BLOCKS_MAX = 256, SCRATCH_MAX = 4, ARGS_MAX = 5 };

typedef struct call {
    dnnl_primitive_t primitive;
    int count;
    dnnl_exec_arg_t args[ARGS_MAX];
} call;

typedef struct block {
    void *data;
    size_t bytes;
    bool is_free;
} block;

// What a value of the graph is held in. Values that are the same elements (reshapes) share a holder.
typedef struct holder {
    dnnl_memory_desc_t md;
    uint32_t block, readers; // still to come
} holder;

typedef struct network {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    graph *g;
    holder *holders;
    uint32_t *holder_of; // a value's
    block blocks[BLOCKS_MAX];
    call calls[CALLS_MAX];
    uint32_t block_count, call_count, scratch_count;
    uint32_t scratch[SCRATCH_MAX]; // blocks that the node at hand needs beside its values
    uint64_t multiplications;
} network;

static void must(dnnl_status_t status, const char *what) {
    if (status != dnnl_success) peer_fail("oneDNN refuses", what);
}

static dnnl_memory_desc_t describe(int rank, const dnnl_dim_t *dims, dnnl_format_tag_t tag) {
    dnnl_memory_desc_t md;
    dnnl_dims_t whole = {0}; // oneDNN's type is longer than the arrays it is given here
    memcpy(whole, dims, (size_t)rank * sizeof *dims);
    must(dnnl_memory_desc_init_by_tag(&md, rank, whole, dnnl_f32, tag), "a tensor");
    return md;
}

// Row-major, of the same dimensions.
static dnnl_memory_desc_t plain(int rank, const dnnl_dim_t *dims) {
    static const dnnl_format_tag_t tags[] = {0, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde};
    return describe(rank, dims, tags[rank]);
}

static dnnl_memory_desc_t any(int rank, const dnnl_dim_t *dims) {
    return describe(rank, dims, dnnl_format_tag_any);
}

// ---- memory ---------------------------------------------------------------------------------------------------------

static dnnl_memory_t memory(const network *t, const dnnl_memory_desc_t *md, void *data) {
    dnnl_memory_t m;
    must(dnnl_memory_create(&m, md, t->engine, data), "memory");
    return m;
}

// The smallest free block that is large enough, or a new one.
static uint32_t take_block(network *t, size_t bytes) {
    uint32_t best = t->block_count;
    for (uint32_t i = 0; i < t->block_count; i++) {
        const block *b = &t->blocks[i];
        if (b->is_free && b->bytes >= bytes && (best == t->block_count || b->bytes < t->blocks[best].bytes)) best = i;
    }
    if (best == t->block_count) {
        if (best == BLOCKS_MAX) peer_fail("oneDNN", "too many blocks of memory");
        t->blocks[t->block_count++] = (block){.data = aligned_alloc(64, (bytes + 63) / 64 * 64), .bytes = bytes};
        if (!t->blocks[best].data) peer_fail("memory", "is out");
        memset(t->blocks[best].data, 0, bytes);
    }
    t->blocks[best].is_free = false;
    return best;
}

static holder *held(const network *t, uint32_t value) {
    return &t->holders[t->holder_of[value]];
}

static dnnl_memory_t value_memory(const network *t, uint32_t value) {
    const holder *h = held(t, value);
    return memory(t, &h->md, t->blocks[h->block].data);
}

// Memory for a node's output.
static dnnl_memory_t hold(network *t, uint32_t value, const dnnl_memory_desc_t *md) {
    holder *h = held(t, value);
    h->md = *md;
    h->block = take_block(t, dnnl_memory_desc_get_size(md));
    return value_memory(t, value);
}

// The output is what `other` was before: the same memory, and those who read either keep it.
static void share(network *t, uint32_t value, uint32_t other) {
    uint32_t readers = held(t, value)->readers;
    t->holder_of[value] = t->holder_of[other];
    held(t, value)->readers += readers;
}

static void release(network *t, uint32_t value) {
    if (value == GRAPH_NONE || t->g->values[value].data) return;
    holder *h = held(t, value);
    if (--h->readers == 0) t->blocks[h->block].is_free = true;
}

// ---- calls ----------------------------------------------------------------------------------------------------------

static void add_call(network *t, dnnl_primitive_desc_t pd, int count, const dnnl_exec_arg_t *args) {
    if (t->call_count == CALLS_MAX) peer_fail("oneDNN", "the network has too many layers");
    call *c = &t->calls[t->call_count++];
    must(dnnl_primitive_create(&c->primitive, pd), "a primitive");
    dnnl_primitive_desc_destroy(pd);
    c->count = count;
    memcpy(c->args, args, (size_t)count * sizeof *args);
}

static dnnl_primitive_desc_t create_pd(const network *t, const_dnnl_op_desc_t layer, dnnl_primitive_attr_t with,
                                       const graph_node *n) {
    dnnl_primitive_desc_t pd;
    must(dnnl_primitive_desc_create(&pd, layer, with, t->engine, NULL), n->name);
    if (with) dnnl_primitive_attr_destroy(with);
    return pd;
}

static dnnl_primitive_desc_t reorder_pd(const network *t, const dnnl_memory_desc_t *from,
                                        const dnnl_memory_desc_t *to) {
    dnnl_primitive_desc_t pd;
    must(dnnl_reorder_primitive_desc_create(&pd, from, t->engine, to, t->engine, NULL), "a reorder");
    return pd;
}

// The value in this layout; where it has another, a reorder becomes part of the network.
static dnnl_memory_t arrange(network *t, uint32_t value, const dnnl_memory_desc_t *md) {
    if (dnnl_memory_desc_equal(&held(t, value)->md, md)) return value_memory(t, value);
    if (t->scratch_count == SCRATCH_MAX) peer_fail("oneDNN", "a layer needs too much reordering");
    uint32_t at = t->scratch[t->scratch_count++] = take_block(t, dnnl_memory_desc_get_size(md));
    dnnl_memory_t to = memory(t, md, t->blocks[at].data);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, value_memory(t, value)}, {DNNL_ARG_TO, to}};
    add_call(t, reorder_pd(t, &held(t, value)->md, md), 2, args);
    return to;
}

// A constant in this layout, once and for all.
static dnnl_memory_t constant(const network *t, const graph_value *v, const dnnl_memory_desc_t *from,
                              const dnnl_memory_desc_t *to) {
    dnnl_primitive_t reorder;
    dnnl_primitive_desc_t pd = reorder_pd(t, from, to);
    dnnl_memory_t m = memory(t, to, DNNL_MEMORY_ALLOCATE);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, memory(t, from, (void *)(uintptr_t)v->data)}, {DNNL_ARG_TO, m}};
    must(dnnl_primitive_create(&reorder, pd), "a reorder");
    must(dnnl_primitive_execute(reorder, t->stream, 2, args), "a reorder");
    must(dnnl_stream_wait(t->stream), "a reorder");
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(pd);
    return m;
}

// ---- post-ops -------------------------------------------------------------------------------------------------------

static void append(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta) {
    must(dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, beta), "an activation");
}

static void append_activation(dnnl_post_ops_t ops, graph_act kind, float a, float b) {
    switch (kind) {
        case GRAPH_ACT_NONE: break;
        case GRAPH_ACT_RELU: append(ops, dnnl_eltwise_relu, 0, 0); break;
        case GRAPH_ACT_CLAMP: append(ops, dnnl_eltwise_clip, a, b); break;
        case GRAPH_ACT_HARDSIGMOID:
            append(ops, dnnl_eltwise_linear, a, b);
            append(ops, dnnl_eltwise_clip, 0, 1);
            break;
        case GRAPH_ACT_HARDSWISH: append(ops, dnnl_eltwise_hardswish, 0, 0); break;
        case GRAPH_ACT_SIGMOID: append(ops, dnnl_eltwise_logistic, 0, 0); break;
        case GRAPH_ACT_SILU: append(ops, dnnl_eltwise_swish, 1, 0); break;
    }
}

// The node's residual sum and activation.
static dnnl_primitive_attr_t post_ops(const graph_node *n) {
    dnnl_primitive_attr_t made;
    dnnl_post_ops_t ops;
    must(dnnl_primitive_attr_create(&made), "attributes");
    must(dnnl_post_ops_create(&ops), "post-ops");
    if (n->residual != GRAPH_NONE) must(dnnl_post_ops_append_sum(ops, 1), "a sum");
    append_activation(ops, n->act, n->act_low, n->act_high);
    must(dnnl_primitive_attr_set_post_ops(made, ops), "post-ops");
    dnnl_post_ops_destroy(ops);
    return made;
}

// ---- layers ---------------------------------------------------------------------------------------------------------

static void refuse(const graph_node *n, const char *why) {
    fprintf(stderr, "%s (%s): ", n->name, n->op->type);
    peer_fail("not for oneDNN", why);
}

static const dnnl_memory_desc_t *wanted(dnnl_primitive_desc_t pd, dnnl_query_t what) {
    return dnnl_primitive_desc_query_md(pd, what, 0);
}

// The output of a layer that may add to a residual value, which then holds the sum.
static dnnl_memory_t hold_sum(network *t, const graph_node *n, const dnnl_memory_desc_t *md) {
    if (n->residual == GRAPH_NONE) return hold(t, n->outputs[0], md);
    if (held(t, n->residual)->readers != 1) refuse(n, "its residual is read later, too");
    share(t, n->outputs[0], n->residual);
    return value_memory(t, n->outputs[0]);
}

static void add_weighted(network *t, const graph_node *n, dnnl_primitive_desc_t pd,
                         const dnnl_memory_desc_t *plain_weights) {
    const graph_value *bias = n->input_count > 2 ? graph_input(t->g, n, 2) : NULL;
    dnnl_memory_t src = arrange(t, n->inputs[0], wanted(pd, dnnl_query_src_md));
    dnnl_exec_arg_t args[ARGS_MAX] = {
        {DNNL_ARG_SRC, src},
        {DNNL_ARG_WEIGHTS, constant(t, graph_input(t->g, n, 1), plain_weights, wanted(pd, dnnl_query_weights_md))},
        {DNNL_ARG_DST, hold_sum(t, n, wanted(pd, dnnl_query_dst_md))}};
    int count = 3;
    if (bias) {
        dnnl_memory_desc_t md = plain(1, (dnnl_dims_t){bias->shape.dims[0]});
        args[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, constant(t, bias, &md, &md)};
    }
    add_call(t, pd, count, args);
}

static void add_conv(network *t, const graph_node *n) {
    conv_shape s;
    dnnl_convolution_desc_t desc;
    if (conv_resolve(t->g, n, &s, NULL) != DSC_OK) refuse(n, "its shape");
    int rank = s.groups > 1 ? 5 : 4;
    dnnl_dims_t grouped = {s.groups, s.out_c / s.groups, s.in_c / s.groups, s.window.kernel[0], s.window.kernel[1]};
    const dnnl_dim_t *weight_dims = rank == 5 ? grouped : grouped + 1;
    dnnl_memory_desc_t src = any(4, (dnnl_dims_t){s.n, s.in_c, s.in_h, s.in_w}), weights = any(rank, weight_dims);
    dnnl_memory_desc_t dst = any(4, (dnnl_dims_t){s.n, s.out_c, s.out_h, s.out_w}), b = any(1, (dnnl_dims_t){s.out_c});
    if (n->residual != GRAPH_NONE) dst = held(t, n->residual)->md;
    dnnl_dims_t strides = {s.window.stride[0], s.window.stride[1]};
    dnnl_dims_t dilations = {s.window.dilation[0] - 1, s.window.dilation[1] - 1};
    dnnl_dims_t begin = {s.pads.pad_top, s.pads.pad_left}, end = {s.pads.pad_bottom, s.pads.pad_right};
    must(dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct, &src,
                                                    &weights, n->input_count > 2 ? &b : NULL, &dst, strides, dilations,
                                                    begin, end),
         n->name);
    dnnl_memory_desc_t from = plain(rank, weight_dims);
    add_weighted(t, n, create_pd(t, &desc, post_ops(n), n), &from);
    t->multiplications +=
        (uint64_t)s.n * s.out_c * s.out_h * s.out_w * (s.in_c / s.groups) * s.window.kernel[0] * s.window.kernel[1];
}

// Gemm and MatMul with constant weights; the input may still have a map's rank with one pixel.
static void add_dense(network *t, const graph_node *n) {
    matmul_shape s;
    dnnl_inner_product_desc_t desc;
    matmul_get_shape(t->g, n, &s);
    const gemm_params *p = strcmp(n->op->type, "Gemm") == 0 ? n->params : NULL;
    bool is_scaled = p && (p->alpha < 1 || p->alpha > 1 || p->beta < 1 || p->beta > 1);
    if (!graph_input(t->g, n, 1)->data || s.batches != 1 || is_scaled) refuse(n, "only plain dense layers");
    const dnnl_memory_desc_t *in = &held(t, n->inputs[0])->md;
    dnnl_dim_t m = (dnnl_dim_t)s.m, outputs = (dnnl_dim_t)s.n, inputs = (dnnl_dim_t)s.k;
    dnnl_memory_desc_t src = any(in->ndims, in->dims), weights = any(in->ndims, (dnnl_dims_t){outputs, inputs, 1, 1});
    dnnl_memory_desc_t dst = any(2, (dnnl_dims_t){m, outputs}), b = any(1, (dnnl_dims_t){outputs}), from;
    must(dnnl_inner_product_forward_desc_init(&desc, dnnl_forward_inference, &src, &weights,
                                              n->input_count > 2 ? &b : NULL, &dst),
         n->name);
    must(dnnl_memory_desc_init_by_strides(&from, in->ndims, weights.dims, dnnl_f32,
                                          (dnnl_dims_t){s.b_column, s.b_row, 1, 1}),
         n->name);
    add_weighted(t, n, create_pd(t, &desc, post_ops(n), n), &from);
    t->multiplications += s.m * s.n * s.k;
}

static void add_pool(network *t, const graph_node *n, bool is_global) {
    dnnl_pooling_desc_t desc;
    const dnnl_memory_desc_t *in = &held(t, n->inputs[0])->md;
    dnnl_dims_t kernel = {in->dims[2], in->dims[3]}, strides = {1, 1}, begin = {0}, end = {0}, out = {1, 1};
    if (!is_global) {
        const pool_params *p = n->params;
        window_resolved pads;
        if (window_resolve(n, &p->window, in->dims[2], in->dims[3], &pads, NULL) != DSC_OK) refuse(n, "its window");
        memcpy(begin, (dnnl_dims_t){pads.pad_top, pads.pad_left}, sizeof begin);
        memcpy(end, (dnnl_dims_t){pads.pad_bottom, pads.pad_right}, sizeof end);
        for (int i = 0; i < 2; i++) {
            kernel[i] = p->window.kernel[i];
            strides[i] = p->window.stride[i];
        }
        out[0] = pads.out_h;
        out[1] = pads.out_w;
    }
    dnnl_memory_desc_t dst = any(4, (dnnl_dims_t){in->dims[0], in->dims[1], out[0], out[1]});
    must(dnnl_pooling_forward_desc_init(&desc, dnnl_forward_inference,
                                        is_global ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_max, in, &dst,
                                        strides, kernel, begin, end),
         n->name);
    dnnl_primitive_desc_t pd = create_pd(t, &desc, NULL, n);
    dnnl_memory_t from = value_memory(t, n->inputs[0]);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, from},
                              {DNNL_ARG_DST, hold(t, n->outputs[0], wanted(pd, dnnl_query_dst_md))}};
    add_call(t, pd, 2, args);
}

// The output of an element-wise layer: its input's memory where nobody reads that any more.
static dnnl_memory_t hold_like(network *t, const graph_node *n, uint32_t input) {
    const holder *h = held(t, input);
    if (h->readers != 1) return hold(t, n->outputs[0], &h->md);
    share(t, n->outputs[0], input);
    return value_memory(t, input);
}

static void add_activation(network *t, const graph_node *n, const activation_params *p) {
    dnnl_eltwise_desc_t desc;
    if (p->act != GRAPH_ACT_RELU) refuse(n, "it should have been joined to the layer before");
    const dnnl_memory_desc_t *md = &held(t, n->inputs[0])->md;
    must(dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, dnnl_eltwise_relu, md, 0, 0), n->name);
    dnnl_primitive_desc_t pd = create_pd(t, &desc, NULL, n);
    dnnl_memory_t src = value_memory(t, n->inputs[0]);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, hold_like(t, n, n->inputs[0])}};
    add_call(t, pd, 2, args);
}

static int64_t elements(const graph_value *v) {
    int64_t count = 1;
    for (uint32_t i = 0; i < v->shape.rank; i++) count *= v->shape.dims[i];
    return count;
}

// Sums and gates. The second input may be a constant, or one number a channel.
static void add_binary(network *t, const graph_node *n, dnnl_alg_kind_t kind) {
    dnnl_binary_desc_t desc;
    const graph_value *a = graph_input(t->g, n, 0), *b = graph_input(t->g, n, 1);
    bool is_turned = a->data || elements(a) < elements(b);
    uint32_t large = n->inputs[is_turned], small = n->inputs[!is_turned];
    const graph_value *v = &t->g->values[small];
    dnnl_memory_desc_t md = held(t, large)->md, other;
    if (v->data) {
        if (md.ndims != 2 || elements(v) != md.dims[1]) refuse(n, "its constant is no vector of the other's length");
        other = plain(2, (dnnl_dims_t){1, md.dims[1]});
    } else {
        other = held(t, small)->md;
    }
    must(dnnl_binary_desc_init(&desc, kind, &md, &other, &md), n->name);
    dnnl_primitive_desc_t pd = create_pd(t, &desc, post_ops(n), n);
    dnnl_memory_t first = value_memory(t, large);
    dnnl_memory_t second = v->data ? constant(t, v, &other, &other) : value_memory(t, small);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC_0, first}, {DNNL_ARG_SRC_1, second}, {DNNL_ARG_DST, hold_like(t, n, large)}};
    add_call(t, pd, 3, args);
}

static void add_softmax(network *t, const graph_node *n) {
    dnnl_softmax_v2_desc_t desc;
    dnnl_memory_desc_t md = plain(held(t, n->inputs[0])->md.ndims, held(t, n->inputs[0])->md.dims);
    must(dnnl_softmax_v2_forward_desc_init(&desc, dnnl_forward_inference, dnnl_softmax_accurate, &md, &md, 1), n->name);
    dnnl_primitive_desc_t pd = create_pd(t, &desc, NULL, n);
    dnnl_memory_t from = arrange(t, n->inputs[0], &md);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, hold(t, n->outputs[0], &md)}};
    add_call(t, pd, 2, args);
}

// Only between shapes that are one row of channels; dense layers and softmax take either form.
static void add_reshape(network *t, const graph_node *n) {
    const dnnl_memory_desc_t *md = &held(t, n->inputs[0])->md;
    if (md->ndims == 4 && md->dims[2] * md->dims[3] != 1) refuse(n, "only reshapes of single pixels");
    share(t, n->outputs[0], n->inputs[0]);
}

static void add_node(network *t, const graph_node *n) {
    const char *type = n->op->type;
    activation_params params;
    if (strcmp(type, "Conv") == 0) {
        add_conv(t, n);
    } else if (strcmp(type, "Gemm") == 0 || strcmp(type, "MatMul") == 0) {
        add_dense(t, n);
    } else if (strcmp(type, "GlobalAveragePool") == 0 || strcmp(type, "ReduceMean") == 0) {
        add_pool(t, n, true);
    } else if (strcmp(type, "MaxPool") == 0) {
        add_pool(t, n, false);
    } else if (strcmp(type, "Add") == 0 || strcmp(type, "Mul") == 0) {
        add_binary(t, n, *type == 'A' ? dnnl_binary_add : dnnl_binary_mul);
    } else if (strcmp(type, "Softmax") == 0) {
        add_softmax(t, n);
    } else if (strcmp(type, "Reshape") == 0 || strcmp(type, "Flatten") == 0) {
        add_reshape(t, n);
    } else if (activation_find(t->g, n, &params)) {
        add_activation(t, n, &params);
    } else {
        refuse(n, "there is no such layer in the seven networks");
    }
    for (uint32_t i = 0; i < n->input_count; i++) release(t, n->inputs[i]);
    release(t, n->residual);
    while (t->scratch_count > 0) t->blocks[t->scratch[--t->scratch_count]].is_free = true;
}

// ---- the network ----------------------------------------------------------------------------------------------------

static graph *load_graph(const char *path) {
    dsc_model *model;
    graph *g = NULL;
    uint32_t passes;
    dsc_error err;
    dsc_status status = dsc_model_load_file(path, NULL, &model, &err);
    if (status == DSC_OK) status = model_specialise(model, NULL, 0, &g, &err);
    if (status == DSC_OK) {
        status = dsc_passes_parse(
            "fold-constants,remove-identity,fuse-pad,fold-batchnorm,fuse-residual,fuse-activation", &passes, &err);
    }
    if (status == DSC_OK) status = passes_run(g, passes, &err);
    if (status != DSC_OK) peer_fail(path, err.text);
    return g;
}

static void count_readers(network *t) {
    t->holders = calloc(t->g->value_count, sizeof *t->holders);
    t->holder_of = calloc(t->g->value_count, sizeof *t->holder_of);
    if (!t->holders || !t->holder_of) peer_fail("memory", "is out");
    for (uint32_t i = 0; i < t->g->value_count; i++) {
        t->holder_of[i] = i;
        t->holders[i].readers = t->g->values[i].is_output ? 1 : 0;
    }
    for (uint32_t i = 0; i < t->g->node_count; i++) {
        const graph_node *n = &t->g->nodes[i];
        for (uint32_t j = 0; j < n->input_count; j++) {
            if (n->inputs[j] != GRAPH_NONE) t->holders[n->inputs[j]].readers++;
        }
        if (n->residual != GRAPH_NONE) t->holders[n->residual].readers++;
    }
}

// The input stays as it was given from run to run, so nothing is computed in place there.
static void build(network *t, const char *path, const float *input, size_t count) {
    must(dnnl_engine_create(&t->engine, dnnl_cpu, 0), "this CPU");
    must(dnnl_stream_create(&t->stream, t->engine, dnnl_stream_default_flags), "a stream");
    t->g = load_graph(path);
    count_readers(t);
    const graph_value *in = &t->g->values[t->g->inputs[0]];
    if (in->shape.rank != 4 || (size_t)elements(in) != count) peer_fail(path, "its input has another size");
    dnnl_memory_desc_t md = plain(4, in->shape.dims);
    held(t, t->g->inputs[0])->readers++;
    hold(t, t->g->inputs[0], &md);
    memcpy(t->blocks[held(t, t->g->inputs[0])->block].data, input, count * sizeof *input);
    for (uint32_t i = 0; i < t->g->node_count; i++) add_node(t, &t->g->nodes[i]);
}

static bool run(void *context) {
    const network *t = context;
    bool is_fine = true;
    for (uint32_t i = 0; i < t->call_count && is_fine; i++) {
        const call *c = &t->calls[i];
        is_fine = dnnl_primitive_execute(c->primitive, t->stream, c->count, c->args) == dnnl_success;
    }
    return is_fine && dnnl_stream_wait(t->stream) == dnnl_success;
}

int main(int argc, char **argv) {
    static network t; // OMP_NUM_THREADS says the threads
    char version[64];
    size_t count;
    if (argc != 5) peer_fail(argv[0], "MODEL.onnx THREADS INPUT OUTPUT");
    float *input = peer_read(argv[3], &count);
    build(&t, argv[1], input, count);
    uint32_t output = t.g->outputs[0];
    const holder *h = held(&t, output);
    dnnl_memory_desc_t md = plain(h->md.ndims, h->md.dims);
    dnnl_memory_t answer = arrange(&t, output, &md);
    void *data;
    must(dnnl_memory_get_data_handle(answer, &data), "its output");
    if (!run(&t)) peer_fail("oneDNN", "a layer failed");
    peer_write(argv[4], data, (size_t)elements(&t.g->values[output]));
    const dnnl_version_t *v = dnnl_version();
    snprintf(version, sizeof version, "oneDNN-%d.%d.%d", v->major, v->minor, v->patch);
    return peer_serve(&(peer){run, &t, NULL}, (double)t.multiplications, version);
}
