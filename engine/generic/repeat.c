// SPDX-License-Identifier: Apache-2.0
// Expand and Tile: elements that repeat.
#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/generic/view.h"

#include <inttypes.h>

static dsc_status expand_infer(graph *g, graph_node *n, dsc_error *err) {
    common_list list;
    graph_shape wanted, y;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = common_ints(g, n, 1, DSC_MAX_RANK, &list, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    wanted.rank = list.count;
    for (uint32_t i = 0; i < list.count; i++) {
        wanted.dims[i] = list.values[i];
        if (list.values[i] >= 0) continue;
        return op_error(n, err, DSC_BAD_MODEL, "the shape has the dimension %" PRId64, list.values[i]);
    }
    if (!broadcast_shapes(&x->shape, &wanted, &y)) {
        return op_error(n, err, DSC_BAD_MODEL, "its input cannot be stretched to the shape that it is given");
    }
    status = op_set_output(g, n, 0, x->dtype, &y, err);
    view *v = status ? NULL : view_spec(g, n, 1, err);
    if (!v) return status ? status : DSC_NO_MEMORY;
    v->walk.rank = y.rank;
    for (uint32_t i = 0; i < y.rank; i++) v->walk.dims[i] = (uint64_t)y.dims[i];
    flat_broadcast(&v->walk, 0, &graph_input(g, n, 0)->shape);
    return DSC_OK;
}

// Every axis becomes two: the repeats, which stand still in the input, and the axis itself.
static dsc_status tile_infer(graph *g, graph_node *n, dsc_error *err) {
    common_list list;
    int64_t strides[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = common_ints(g, n, 1, DSC_MAX_RANK, &list, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape from = x->shape;
    graph_shape y = from;
    if (list.count != y.rank) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u repeats for an input of rank %u", list.count, y.rank);
    }
    for (uint32_t i = 0; i < y.rank; i++) {
        if (list.values[i] < 0 || __builtin_mul_overflow(y.dims[i], list.values[i], &y.dims[i])) {
            return op_error(n, err, list.values[i] < 0 ? DSC_BAD_MODEL : DSC_TOO_LARGE,
                            "axis %u cannot be repeated %" PRId64 " times", i, list.values[i]);
        }
    }
    status = op_set_output(g, n, 0, x->dtype, &y, err);
    view *v = status ? NULL : view_spec(g, n, 1, err);
    if (!v) return status ? status : DSC_NO_MEMORY;
    flat_strides(&from, strides);
    for (uint32_t i = 0; i < y.rank; i++) {
        view_add(v, list.values[i], 0);
        view_add(v, from.dims[i], strides[i]);
    }
    return DSC_OK;
}

#define REPEAT(name, first, inferrer)                                                                                  \
    {                                                                                                                  \
        .type = name, .inputs_min = 2, .inputs_max = 2, .outputs_max = 1, .opset_first = first,                        \
        .opset_last = OPS_OPSET_LAST, .import = common_no_params, .infer = inferrer, .cost = common_cost_copy,         \
        .evaluate = view_evaluate, .has_ranges = true, .deciding_inputs = 1u << 1,                                     \
    }

const op op_expand = REPEAT("Expand", 8, expand_infer);
const op op_tile = REPEAT("Tile", 6, tile_infer);
