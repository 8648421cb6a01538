// SPDX-License-Identifier: Apache-2.0
// Conv: vanilla, grouped, depthwise and pointwise convolution of maps (N, C, H, W).
#include "engine/ops/conv/conv.h"

#include "engine/base/error.h"
#include "engine/generic/common.h"
#include "engine/ops/conv/conv_stem.h"
#include "engine/ops/ops.h"

static dsc_status conv_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    uint32_t dims = windows_count_dims(a);
    conv_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? DSC_OK : DSC_NO_MEMORY;
    if (status == DSC_OK && (dims == 0 || dims == 2)) {
        status = window_import(n, a, WINDOW_HAS_DILATIONS, &p->window, err);
    }
    if (status == DSC_OK) status = conv_any_import(n, a, &p->any, err);
    if (status != DSC_OK) return status;
    if (dims == 1) window_from_line(&p->any.windows, &p->window);
    p->groups = (uint32_t)p->any.groups;
    return DSC_OK;
}

graph_shape conv_as_map(const graph_shape *shape) {
    graph_shape map = *shape;
    if (shape->rank != 3) return map;
    map.rank = 4;
    map.dims[3] = map.dims[2];
    map.dims[2] = 1;
    return map;
}

// Maps and lines of FP32 whose weights are known; the rest is computed by definition.
static bool is_fast(const graph *g, const graph_node *n) {
    const graph_value *x = graph_input(g, n, 0), *w = graph_input(g, n, 1), *b = graph_input(g, n, 2);
    uint32_t rank = x->shape.rank;
    bool is_f32 = x->dtype == DSC_F32 && w->dtype == DSC_F32 && (!b || b->dtype == DSC_F32);
    return is_f32 && (rank == 3 || rank == 4) && w->shape.rank == rank && conv_has_constants(g, n);
}

static dsc_status check_kernel(const graph_node *n, conv_shape *s, const graph_value *w, dsc_error *err) {
    const graph_shape weights = conv_as_map(&w->shape);
    for (uint32_t i = 0; i < WINDOW_DIMS; i++) {
        int64_t size = weights.dims[2 + i];
        uint32_t given = s->window.kernel[i];
        if (size < 1 || size > WINDOW_LIMIT || (given && given != size)) {
            return op_error(n, err, DSC_BAD_MODEL, "\"kernel_shape\" says %u and its weights have %lld", given,
                            (long long)size);
        }
        s->window.kernel[i] = (uint32_t)size;
    }
    return DSC_OK;
}

static dsc_status check_channels(const graph *g, const graph_node *n, const conv_shape *s, dsc_error *err) {
    const graph_value *w = graph_input(g, n, 1), *b = graph_input(g, n, 2);
    if (s->in_c % s->groups || s->out_c % s->groups) {
        return op_error(n, err, DSC_BAD_MODEL, "%u input and %u output channels cannot be split into %u groups",
                        s->in_c, s->out_c, s->groups);
    }
    if (w->shape.dims[1] != s->in_c / s->groups) {
        return op_error(n, err, DSC_BAD_MODEL, "its weights are for %lld input channels a group; its input has %u",
                        (long long)w->shape.dims[1], s->in_c / s->groups);
    }
    if (b && (b->shape.rank != 1 || b->shape.dims[0] != s->out_c)) {
        return op_error(n, err, DSC_BAD_MODEL, "its bias must have %u numbers", s->out_c);
    }
    return DSC_OK;
}

dsc_status conv_resolve(const graph *g, const graph_node *n, conv_shape *out, dsc_error *err) {
    const conv_params *p = n->params;
    const graph_value *x = graph_input(g, n, 0), *w = graph_input(g, n, 1);
    const graph_shape map = conv_as_map(&x->shape), weights = conv_as_map(&w->shape);
    if (x->dtype != DSC_F32 || w->dtype != DSC_F32) {
        return op_error(n, err, DSC_UNSUPPORTED, "only FP32 is computed fast");
    }
    if (map.rank != 4 || weights.rank != 4 || x->shape.rank != w->shape.rank) {
        return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u and its weights rank %u", x->shape.rank,
                        w->shape.rank);
    }
    if (p->any.windows.dims && p->any.windows.dims + 2 != x->shape.rank) {
        return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u and its window %u dimensions", x->shape.rank,
                        p->any.windows.dims);
    }
    for (int i = 0; i < 4; i++) {
        if (map.dims[i] < 1 || map.dims[i] > INT32_MAX || weights.dims[i] < 1 || weights.dims[i] > INT32_MAX) {
            return op_error(n, err, DSC_TOO_LARGE, "an input has an impossible size");
        }
    }
    *out = (conv_shape){.n = (uint32_t)map.dims[0],
                        .in_c = (uint32_t)map.dims[1],
                        .in_h = (uint32_t)map.dims[2],
                        .in_w = (uint32_t)map.dims[3],
                        .out_c = (uint32_t)weights.dims[0],
                        .groups = p->groups,
                        .window = p->window};
    dsc_status status = check_kernel(n, out, w, err);
    if (status == DSC_OK) status = check_channels(g, n, out, err);
    if (status == DSC_OK) status = window_resolve(n, &out->window, out->in_h, out->in_w, &out->pads, err);
    if (status != DSC_OK) return status;
    if (out->pads.out_h > INT32_MAX || out->pads.out_w > INT32_MAX) {
        return op_error(n, err, DSC_TOO_LARGE, "its output would be too large");
    }
    out->out_h = (uint32_t)out->pads.out_h;
    out->out_w = (uint32_t)out->pads.out_w;
    return DSC_OK;
}

static dsc_status conv_infer(graph *g, graph_node *n, dsc_error *err) {
    conv_shape s;
    dsc_status status = common_check(g, n, 2, err);
    if (status != DSC_OK) return status;
    if (!is_fast(g, n)) return conv_any_infer(g, n, &((const conv_params *)n->params)->any, err);
    status = conv_resolve(g, n, &s, err);
    if (status != DSC_OK) return status;
    graph_shape map = {4, {s.n, s.out_c, s.out_h, s.out_w}}, line = {3, {s.n, s.out_c, s.out_w}};
    return op_set_output(g, n, 0, DSC_F32, graph_input(g, n, 0)->shape.rank == 3 ? &line : &map, err);
}

bool conv_has_constants(const graph *g, const graph_node *n) {
    const graph_value *w = graph_input(g, n, 1), *b = graph_input(g, n, 2);
    return w->data && (!b || b->data);
}

bool conv_is_depthwise(const conv_shape *s) {
    return s->groups == s->in_c && s->out_c == s->in_c && s->groups > 1;
}

bool conv_is_plain_pointwise(const conv_shape *s) {
    const window *w = &s->window;
    const window_resolved *p = &s->pads;
    bool is_one = w->kernel[0] == 1 && w->kernel[1] == 1 && w->stride[0] == 1 && w->stride[1] == 1;
    return s->groups == 1 && is_one && !p->pad_top && !p->pad_left && !p->pad_bottom && !p->pad_right;
}

dsc_status conv_set_gate(graph *g, graph_node *n, uint32_t map, uint32_t gate, dsc_error *err) {
    uint32_t *inputs = arena_alloc(&g->memory, CONV_GATE + 1, sizeof *inputs);
    if (!inputs) return error_no_memory(err, (CONV_GATE + 1) * sizeof *inputs);
    for (uint32_t i = 0; i < CONV_GATE; i++) inputs[i] = i < n->input_count ? n->inputs[i] : GRAPH_NONE;
    inputs[0] = map;
    inputs[CONV_GATE] = gate;
    n->inputs = inputs;
    n->input_count = CONV_GATE + 1;
    return DSC_OK;
}

conv_params *conv_own_params(graph *g, graph_node *n, dsc_error *err) {
    conv_params *params = arena_alloc(&g->memory, 1, sizeof *params);
    if (!params) {
        error_no_memory(err, sizeof *params);
        return NULL;
    }
    *params = *(const conv_params *)n->params;
    n->params = params;
    return params;
}

dsc_status conv_set_reads_relu(graph *g, graph_node *n, uint32_t map, dsc_error *err) {
    conv_params *params = conv_own_params(g, n, err);
    if (!params) return DSC_NO_MEMORY;
    params->reads_relu = true;
    n->inputs[0] = map;
    return DSC_OK;
}

static bool is_pointwise(const conv_shape *s) {
    return s->groups == 1 && s->window.kernel[0] == 1 && s->window.kernel[1] == 1;
}

// Padded taps count: N * M / groups * D_K^2 * D_G^2, for every image.
static void conv_cost(const graph *g, const graph_node *n, op_cost *cost) {
    conv_shape s;
    if (!is_fast(g, n)) {
        conv_any_cost(g, n, cost);
        return;
    }
    if (conv_resolve(g, n, &s, NULL) != DSC_OK) return;
    uint64_t taps = (uint64_t)s.window.kernel[0] * s.window.kernel[1];
    uint64_t outputs = common_product(common_product(s.n, s.out_c), common_product(s.out_h, s.out_w));
    cost->multiplications = common_product(outputs, common_product(s.in_c / s.groups, taps));
    cost->parameters = common_parameters(g, n, 1);
    cost->kind = DSC_KIND_CONVOLUTION;
    if (is_pointwise(&s)) cost->kind = DSC_KIND_POINTWISE;
    if (s.groups == s.in_c && s.groups > 1) cost->kind = DSC_KIND_DEPTHWISE; // a channel multiplier is depthwise, too
    if (conv_is_depthwise(&s)) cost->depthwise_taps = taps;
}

bool conv_border(const graph *g, const graph_node *n, buffer_pads *pads) {
    conv_shape s;
    if (!is_fast(g, n) || conv_resolve(g, n, &s, NULL) != DSC_OK) return false;
    *pads = (buffer_pads){s.pads.pad_top, s.pads.pad_left, s.pads.pad_bottom, s.pads.pad_right};
    return true;
}

static dsc_status conv_lower(lowering *l, const graph_node *n, dsc_error *err) {
    conv_shape s;
    dsc_status status = conv_resolve(l->g, n, &s, err);
    if (status != DSC_OK) return status;
    if (conv_gate(n) != GRAPH_NONE) return conv_lower_gated(l, n, &s, err);
    if (conv_uses_strassen(l, n, &s)) return conv_lower_strassen(l, n, &s, err);
    if (stem_stage_suits(l, n, &s)) return conv_lower_stem(l, n, &s, err);
    if (s.groups == 1) return conv_lower_gemm(l, n, &s, err);
    if (conv_is_depthwise(&s)) return conv_lower_depthwise(l, n, &s, err);
    return conv_lower_grouped(l, n, &s, err);
}

const op op_conv = {
    .type = "Conv",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = conv_import,
    .infer = conv_infer,
    .cost = conv_cost,
    .evaluate = conv_any_evaluate,
    .has_ranges = true,
    .lower = conv_lower,
    .is_fast = is_fast,
};
