// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/reduce_mean.h"

#include "engine/generic/common.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"

typedef struct reduce_params {
    bool keeps_dims, is_noop_without_axes;
    common_axes axes; // the attribute
} reduce_params;

// Axes are an attribute until operator set 17 and an input from 18 on.
static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t keeps_dims, is_noop = 0;
    reduce_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    if (n->opset < 18 && n->input_count > 1) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; before operator set 18 the axes are an attribute",
                        n->input_count);
    }
    dsc_status status = attrs_int(a, "keepdims", 1, &keeps_dims, err);
    if (!status && n->opset < 18) status = common_axes_import(a, &p->axes, err);
    if (!status && n->opset >= 18) status = attrs_int(a, "noop_with_empty_axes", 0, &is_noop, err);
    if (status) return status;
    p->keeps_dims = keeps_dims != 0;
    p->is_noop_without_axes = is_noop != 0;
    return DSC_OK;
}

dsc_status reduce_mean_axes(const graph *g, const graph_node *n, bool chosen[DSC_MAX_RANK], dsc_error *err) {
    const reduce_params *p = n->params;
    uint32_t rank = graph_input(g, n, 0)->shape.rank;
    common_axes axes;
    dsc_status status = common_axes_read(g, n, &p->axes, 1, &axes, err);
    if (!status) status = common_axes_resolve(n, &axes, rank, chosen, err);
    if (status || axes.count || p->is_noop_without_axes) return status;
    for (uint32_t i = 0; i < rank; i++) chosen[i] = true;
    return DSC_OK;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const reduce_params *p = n->params;
    bool chosen[DSC_MAX_RANK];
    graph_shape y = {0};
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_dtype(g, n, 0, DSC_F32, err);
    if (!status) status = reduce_mean_axes(g, n, chosen, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    for (uint32_t i = 0; i < x->rank; i++) {
        if (!chosen[i] || p->keeps_dims) y.dims[y.rank++] = chosen[i] ? 1 : x->dims[i];
    }
    return op_set_output(g, n, 0, DSC_F32, &y, err);
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_POOL;
    out->elementwise = common_elements(g, n); // the division
}

static bool is_spatial(const bool chosen[DSC_MAX_RANK]) {
    return !chosen[0] && !chosen[1] && chosen[2] && chosen[3];
}

bool reduce_is_map_mean(const graph *g, const graph_node *n) {
    bool chosen[DSC_MAX_RANK];
    if (n->op != &op_global_average_pool && n->op != &op_reduce_mean) return false;
    if (graph_input(g, n, 0)->shape.rank != 4) return false;
    return n->op == &op_global_average_pool || (reduce_mean_axes(g, n, chosen, NULL) == DSC_OK && is_spatial(chosen));
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    bool chosen[DSC_MAX_RANK], is_any = false;
    dsc_status status = reduce_mean_axes(l->g, n, chosen, err);
    if (status) return status;
    for (uint32_t i = 0; i < DSC_MAX_RANK; i++) is_any |= chosen[i];
    if (!is_any) return lowering_alias(l, n, 0, n->inputs[0], err);
    bool is_maps = graph_input(l->g, n, 0)->shape.rank == 4 && is_spatial(chosen);
    if (is_maps && lowering_has_panels(l, n->inputs[0])) return reduce_lower_maps(l, n, err);
    return reduce_lower_flat(l, n, chosen, false, err);
}

const op op_reduce_mean = {
    .type = "ReduceMean",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = cost,
    .lower = lower,
};
