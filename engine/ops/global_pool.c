// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePool and GlobalMaxPool: one number for each map.
#include "engine/generic/reduce.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"
#include "engine/ops/reduce_mean.h"

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    uint32_t rank = graph_input(g, n, 0)->shape.rank;
    if (rank < 3) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "the input has rank %u; batch, channels and a map are needed (rank 3 or more)", rank);
    }
    bool chosen[DSC_MAX_RANK] = {false};
    for (uint32_t i = 2; i < rank; i++) chosen[i] = true;
    return reduce_any_infer(g, n, chosen, true, err);
}

static void average_cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_POOL;
    out->elementwise = common_elements(g, n); // the division
}

static void max_cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_POOL;
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    bool chosen[DSC_MAX_RANK] = {false}, is_max = n->op == &op_global_max_pool;
    uint32_t rank = graph_input(l->g, n, 0)->shape.rank;
    if (!is_max && rank == 4 && lowering_has_panels(l, n->inputs[0])) return reduce_lower_maps(l, n, err);
    for (uint32_t i = 2; i < rank; i++) chosen[i] = true;
    return reduce_lower_flat(l, n, chosen, is_max, err);
}

#define GLOBAL_POOL(name, counter)                                                                                     \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 1, .outputs_max = 1, .opset_first = 1,                            \
        .opset_last = OPS_OPSET_LAST, .import = common_no_params, .infer = infer, .cost = counter, .lower = lower,     \
        .evaluate = reduce_any_evaluate, .has_ranges = true, .is_fast = common_is_f32,                                 \
    }

const op op_global_average_pool = GLOBAL_POOL("GlobalAveragePool", average_cost);
const op op_global_max_pool = GLOBAL_POOL("GlobalMaxPool", max_cost);
