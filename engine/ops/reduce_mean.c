// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/reduce_mean.h"

#include "engine/generic/reduce.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    reduce_any_params *p = common_params(g, n, sizeof *p, err);
    return p ? reduce_any_import(n, a, p, err) : DSC_NO_MEMORY;
}

dsc_status reduce_mean_axes(const graph *g, const graph_node *n, bool chosen[DSC_MAX_RANK], dsc_error *err) {
    return reduce_any_axes(g, n, n->params, chosen, err);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const reduce_any_params *p = n->params;
    bool chosen[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = reduce_mean_axes(g, n, chosen, err);
    return status ? status : reduce_any_infer(g, n, chosen, p->keeps_dims, err);
}

static bool is_fast(const graph *g, const graph_node *n) {
    return graph_input(g, n, 0)->dtype == DSC_F32;
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
    .evaluate = reduce_any_evaluate,
    .has_ranges = true,
    .lower = lower,
    .is_fast = is_fast,
    .deciding_inputs = 1u << 1,
};
