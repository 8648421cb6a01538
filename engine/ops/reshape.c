// SPDX-License-Identifier: Apache-2.0
// Reshape, Flatten, Squeeze and Unsqueeze: the same elements in the same order under another shape.
#include "engine/generic/common.h"
#include "engine/graph/extent.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <string.h>

typedef struct reshape_params {
    bool allows_zero; // Reshape: a 0 is a dimension of 0 and copies nothing
    int64_t axis;     // Flatten
    common_axes axes; // Squeeze, Unsqueeze: the attribute
} reshape_params;

static dsc_status reshape_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t allows_zero = 0;
    reshape_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = n->opset >= 14 ? attrs_int(a, "allowzero", 0, &allows_zero, err) : DSC_OK;
    p->allows_zero = allows_zero != 0;
    return status;
}

static dsc_status flatten_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    reshape_params *p = common_params(g, n, sizeof *p, err);
    return p ? attrs_int(a, "axis", 1, &p->axis, err) : DSC_NO_MEMORY;
}

// Axes are an attribute until operator set 12 and an input from 13 on.
static dsc_status axes_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    reshape_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    if (n->opset >= 13) return DSC_OK;
    if (n->input_count > 1) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; before operator set 13 the axes are an attribute",
                        n->input_count);
    }
    return common_axes_import(a, &p->axes, err);
}

static dsc_status set_output(graph *g, graph_node *n, const graph_shape *shape, dsc_error *err) {
    return op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, shape, err);
}

// Dims with 0 replaced by the input's and -1 left as it is; *open is the place of the -1, or the rank.
static dsc_status read_target(const graph *g, const graph_node *n, graph_shape *y, uint32_t *open, dsc_error *err) {
    const reshape_params *p = n->params;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    bool has_zero = false;
    common_list list;
    dsc_status status = common_ints(g, n, 1, DSC_MAX_RANK, &list, err);
    if (status) return status;
    y->rank = list.count;
    memcpy(y->dims, list.values, list.count * sizeof *y->dims);
    *open = y->rank;
    for (uint32_t i = 0; i < y->rank; i++) {
        if (y->dims[i] < -1) return op_error(n, err, DSC_BAD_MODEL, "the shape has the dimension %" PRId64, y->dims[i]);
        if (y->dims[i] == -1 && *open != y->rank) {
            return op_error(n, err, DSC_BAD_MODEL, "the shape has more than one dimension of -1");
        }
        if (y->dims[i] == -1) *open = i;
        if (y->dims[i] != 0) continue;
        has_zero = true;
        if (p->allows_zero) continue;
        if (i >= x->rank) {
            return op_error(n, err, DSC_BAD_MODEL, "the shape copies dimension %u of an input of rank %u", i, x->rank);
        }
        y->dims[i] = x->dims[i];
    }
    if (p->allows_zero && has_zero && *open != y->rank) {
        return op_error(n, err, DSC_BAD_MODEL, "with allowzero = 1 the shape cannot have both 0 and -1");
    }
    return DSC_OK;
}

static dsc_status reshape_infer(graph *g, graph_node *n, dsc_error *err) {
    char from[96], to[96];
    graph_shape y = {0};
    uint32_t open;
    uint64_t count = 0, known = 0;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = read_target(g, n, &y, &open, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    bool has_open = open < y.rank;
    if (has_open) y.dims[open] = 1;
    bool fits = graph_shape_count(x, &count) && graph_shape_count(&y, &known);
    if (fits && has_open) {
        fits = known && count % known == 0;
        y.dims[open] = fits ? (int64_t)(count / known) : -1;
    } else {
        fits = fits && count == known;
    }
    if (fits) return set_output(g, n, &y, err);
    return op_error(n, err, DSC_BAD_MODEL, "%s has not the elements of %s", graph_shape_print(x, from, sizeof from),
                    graph_shape_print(&y, to, sizeof to));
}

static dsc_status flatten_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    const reshape_params *p = n->params;
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    status = op_axis(n, p->axis, x->rank, true, &axis, err);
    if (status) return status;
    graph_shape y = {.rank = 2};
    y.dims[0] = (int64_t)common_dims(x, 0, axis);
    y.dims[1] = (int64_t)common_dims(x, axis, x->rank);
    return set_output(g, n, &y, err);
}

static dsc_status squeeze_infer(graph *g, graph_node *n, dsc_error *err) {
    const reshape_params *p = n->params;
    common_axes axes;
    bool chosen[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    status = common_axes_read(g, n, &p->axes, 1, &axes, err);
    if (!status) status = common_axes_resolve(n, &axes, x->rank, chosen, err);
    if (status) return status;
    graph_shape y = {0};
    for (uint32_t i = 0; i < x->rank; i++) {
        bool is_taken = axes.is_given ? chosen[i] : x->dims[i] == 1;
        if (is_taken && x->dims[i] != 1) {
            return op_error(n, err, DSC_BAD_MODEL, "dimension %u is %" PRId64 "; only dimensions of 1 can be squeezed",
                            i, x->dims[i]);
        }
        if (!is_taken) y.dims[y.rank++] = x->dims[i];
    }
    return set_output(g, n, &y, err);
}

static dsc_status unsqueeze_infer(graph *g, graph_node *n, dsc_error *err) {
    const reshape_params *p = n->params;
    common_axes axes;
    bool chosen[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = common_axes_read(g, n, &p->axes, 1, &axes, err);
    if (status) return status;
    if (!axes.is_given) return op_error(n, err, DSC_BAD_MODEL, "the axes are missing");
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    graph_shape y = {.rank = x->rank + axes.count};
    if (y.rank > DSC_MAX_RANK) {
        return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u; at most %d is supported", y.rank,
                        DSC_MAX_RANK);
    }
    status = common_axes_resolve(n, &axes, y.rank, chosen, err);
    if (status) return status;
    for (uint32_t i = 0, from = 0; i < y.rank; i++) y.dims[i] = chosen[i] ? 1 : x->dims[from++];
    return set_output(g, n, &y, err);
}

static dsc_status squeeze_pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    common_axes axes;
    bool chosen[DSC_MAX_RANK];
    uint32_t axis = 0;
    const graph_value *x = graph_input(g, n, 0);
    dsc_status status = common_axes_read(g, n, &((const reshape_params *)n->params)->axes, 1, &axes, err);
    if (!status) status = common_axes_resolve(n, &axes, x->shape.rank, chosen, err);
    if (status) return status;
    for (uint32_t i = 0; i < x->shape.rank; i++) {
        bool is_taken = axes.is_given ? chosen[i] : x->shape.dims[i] == 1;
        if (i == x->extent_axis && is_taken) return extent_refuse(g, n, 0, "that axis cannot be squeezed", err);
        axis += i < x->extent_axis && !is_taken;
    }
    return extent_pass(g, n, 0, axis);
}

static dsc_status unsqueeze_pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    common_axes axes;
    bool chosen[DSC_MAX_RANK];
    const graph_value *x = graph_input(g, n, 0);
    dsc_status status = common_axes_read(g, n, &((const reshape_params *)n->params)->axes, 1, &axes, err);
    if (!status) status = common_axes_resolve(n, &axes, graph_output(g, n, 0)->shape.rank, chosen, err);
    if (status) return status;
    uint32_t axis = 0;
    for (uint32_t from = 0; chosen[axis] || from < x->extent_axis; axis++) from += !chosen[axis];
    return extent_pass(g, n, 0, axis);
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_RESHAPE;
}

static dsc_status lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    return lowering_alias(l, n, 0, n->inputs[0], err);
}

#define RESHAPE(name, most_inputs, importer, inferrer, passer)                                                         \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = most_inputs, .outputs_max = 1, .opset_first = 1,                  \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = cost, .lower = lower,             \
        .evaluate = common_copy_evaluate, .pass_extent = passer, .deciding_inputs = 1u << 1,                           \
    }

const op op_flatten = RESHAPE("Flatten", 1, flatten_import, flatten_infer, NULL);
const op op_squeeze = RESHAPE("Squeeze", 2, axes_import, squeeze_infer, squeeze_pass_extent);
const op op_unsqueeze = RESHAPE("Unsqueeze", 2, axes_import, unsqueeze_infer, unsqueeze_pass_extent);

const op op_reshape = {
    .type = "Reshape",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 5,
    .opset_last = OPS_OPSET_LAST,
    .import = reshape_import,
    .infer = reshape_infer,
    .cost = cost,
    .evaluate = common_copy_evaluate,
    .lower = lower,
    .deciding_inputs = 1u << 1,
};
