// SPDX-License-Identifier: Apache-2.0
// Slice: a range of every axis, with a pace. Starts, ends and axes are attributes before operator set 10.
#include "engine/generic/common.h"
#include "engine/generic/view.h"
#include "engine/graph/extent.h"

#include <inttypes.h>

typedef struct slice_params {
    common_list starts, ends;
    common_axes axes;
} slice_params;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    slice_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    if (n->opset >= 10) {
        if (n->input_count >= 3) return DSC_OK;
        return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; starts and ends are needed", n->input_count);
    }
    if (n->input_count > 1 || !attrs_has(a, "starts") || !attrs_has(a, "ends")) {
        return op_error(n, err, DSC_BAD_MODEL, "before operator set 10 starts and ends are attributes");
    }
    dsc_status status = attrs_ints(a, "starts", p->starts.values, DSC_MAX_RANK, &p->starts.count, err);
    if (!status) status = attrs_ints(a, "ends", p->ends.values, DSC_MAX_RANK, &p->ends.count, err);
    return status ? status : common_axes_import(a, &p->axes, err);
}

typedef struct slice_ranges {
    common_list starts, ends, steps;
    common_axes axes;
} slice_ranges;

static dsc_status read_ranges(const graph *g, const graph_node *n, slice_ranges *out, dsc_error *err) {
    const slice_params *p = n->params;
    *out = (slice_ranges){p->starts, p->ends, {0}, p->axes};
    dsc_status status = DSC_OK;
    if (n->opset >= 10) status = common_ints(g, n, 1, DSC_MAX_RANK, &out->starts, err);
    if (!status && n->opset >= 10) status = common_ints(g, n, 2, DSC_MAX_RANK, &out->ends, err);
    if (!status && graph_input(g, n, 4)) status = common_ints(g, n, 4, DSC_MAX_RANK, &out->steps, err);
    if (!status) status = common_axes_read(g, n, &p->axes, 3, &out->axes, err);
    if (status) return status;
    uint32_t count = out->starts.count;
    if (!out->axes.is_given) {
        out->axes.count = count;
        for (uint32_t i = 0; i < count; i++) out->axes.values[i] = i;
    }
    if (!graph_input(g, n, 4)) {
        out->steps.count = count;
        for (uint32_t i = 0; i < count; i++) out->steps.values[i] = 1;
    }
    if (out->ends.count == count && out->axes.count == count && out->steps.count == count) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "starts, ends, axes and steps have %u, %u, %u and %u values", count,
                    out->ends.count, out->axes.count, out->steps.count);
}

static int64_t clamp(int64_t at, int64_t low, int64_t high) {
    return at < low ? low : at > high ? high : at;
}

// A bound as it is meant: from the end where it is negative. Never overflows: size is not negative.
static int64_t from_end(int64_t at, int64_t size) {
    return at < 0 ? at + size : at;
}

// The output so far, and where its elements lie in the input.
typedef struct slicing {
    graph_shape shape;
    int64_t strides[DSC_MAX_RANK];
    int64_t first;
} slicing;

static dsc_status apply(const graph_node *n, const slice_ranges *r, uint32_t i, slicing *to, dsc_error *err) {
    uint32_t axis;
    dsc_status status = op_axis(n, r->axes.values[i], to->shape.rank, false, &axis, err);
    if (status) return status;
    int64_t size = to->shape.dims[axis], step = r->steps.values[i], *stride = &to->strides[axis];
    if (step == 0) return op_error(n, err, DSC_BAD_MODEL, "a step is 0");
    if (step < -INT64_MAX) step = -INT64_MAX;
    bool is_forward = step > 0;
    int64_t start = clamp(from_end(r->starts.values[i], size), 0, is_forward ? size : size - 1);
    int64_t end = clamp(from_end(r->ends.values[i], size), is_forward ? 0 : -1, size);
    int64_t span = is_forward ? end - start : start - end, pace = is_forward ? step : -step;
    int64_t count = span > 0 ? (span - 1) / pace + 1 : 0;
    to->shape.dims[axis] = count;
    if (count == 0) return DSC_OK;
    to->first += start * *stride;
    *stride = count == 1 ? 0 : *stride * step; // a huge step that leads nowhere must not be multiplied
    return DSC_OK;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    slice_ranges ranges;
    slicing s = {.first = 0};
    bool chosen[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = read_ranges(g, n, &ranges, err);
    if (status) return status;
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    s.shape = graph_input(g, n, 0)->shape;
    status = common_axes_resolve(n, &ranges.axes, s.shape.rank, chosen, err); // none twice
    if (status) return status;
    flat_strides(&s.shape, s.strides);
    for (uint32_t i = 0; i < ranges.axes.count && !status; i++) status = apply(n, &ranges, i, &s, err);
    view *v = status ? NULL : view_spec(g, n, 1, err);
    if (!v) return status ? status : DSC_NO_MEMORY;
    v->first = s.first;
    view_add_shape(v, &s.shape, s.strides);
    return op_set_output(g, n, 0, dtype, &s.shape, err);
}

static dsc_status pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    slice_ranges ranges;
    bool chosen[DSC_MAX_RANK];
    const graph_value *x = graph_input(g, n, 0);
    dsc_status status = read_ranges(g, n, &ranges, err);
    if (!status) status = common_axes_resolve(n, &ranges.axes, x->shape.rank, chosen, err);
    if (status) return status;
    if (chosen[x->extent_axis]) return extent_refuse(g, n, 0, "it cannot be cut along that axis", err);
    return extent_pass_same(g, n, err);
}

const op op_slice = {
    .type = "Slice",
    .inputs_min = 1,
    .inputs_max = 5,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .pass_extent = pass_extent,
    .cost = common_cost_copy,
    .evaluate = view_evaluate,
    .has_ranges = true,
    .deciding_inputs = 15u << 1,
};
