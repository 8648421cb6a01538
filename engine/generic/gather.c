// SPDX-License-Identifier: Apache-2.0
// Elements by index: Gather, GatherElements and GatherND. An index may be negative, then it counts from the end; one
// out of range is a fault of the values, not of the model.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/extent.h"

#include <string.h>

typedef struct gather_params {
    int64_t axis, batch_dims;
} gather_params;

typedef struct gather_spec {
    uint32_t axis, batch_dims, depth; // depth: GatherND, indices to one place
    // Gather: outer x size x inner elements. GatherND: inner elements are one slice.
    uint64_t outer, size, inner;
} gather_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    gather_params *p = common_params(g, n, sizeof *p, err);
    return p ? attrs_int(a, "axis", 0, &p->axis, err) : DSC_NO_MEMORY;
}

static dsc_status check(const graph *g, const graph_node *n, uint32_t *axis, dsc_error *err) {
    const gather_params *p = n->params;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 1, OP_TYPE(DSC_I32) | OP_TYPE(DSC_I64), err);
    return status ? status : op_axis(n, p->axis, graph_input(g, n, 0)->shape.rank, false, axis, err);
}

// Constant indices are looked at beforehand, so that a wrong model is refused when it is loaded.
static dsc_status check_constant(const graph *g, const graph_node *n, uint64_t size, dsc_error *err) {
    const graph_value *v = graph_input(g, n, 1);
    op_tensor at = {.dtype = v->dtype, .shape = &v->shape, .data = v->data};
    if (!v->data || !graph_shape_count(&v->shape, &at.count)) return DSC_OK;
    for (uint64_t i = 0; i < at.count; i++) {
        int64_t index = integers_get(&at, i);
        if (common_index(&index, size)) continue;
        return op_error(n, err, DSC_BAD_MODEL, "index %lld is outside of an axis of %llu elements",
                        (long long)integers_get(&at, i), (unsigned long long)size);
    }
    return DSC_OK;
}

// ---- Gather ---------------------------------------------------------------------------------------------------------

static dsc_status gather_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    dsc_status status = check(g, n, &axis, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape *i = &graph_input(g, n, 1)->shape;
    graph_shape y = {.rank = x->shape.rank - 1 + i->rank};
    if (y.rank > DSC_MAX_RANK) return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u", y.rank);
    memcpy(y.dims, x->shape.dims, axis * sizeof *y.dims);
    memcpy(y.dims + axis, i->dims, i->rank * sizeof *y.dims);
    memcpy(y.dims + axis + i->rank, x->shape.dims + axis + 1, (x->shape.rank - axis - 1) * sizeof *y.dims);
    gather_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    s->outer = common_dims(&x->shape, 0, axis);
    s->size = (uint64_t)x->shape.dims[axis];
    s->inner = common_dims(&x->shape, axis + 1, x->shape.rank);
    status = check_constant(g, n, s->size, err);
    if (status) return status;
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static const char *gather_evaluate(const op_call *c) {
    const gather_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *at = &c->inputs[1], *y = &c->outputs[0];
    size_t bytes = s->inner * dsc_dtype_bytes(x->dtype);
    for (uint64_t k = 0; k < at->count; k++) {
        int64_t index = integers_get(at, k);
        if (!common_index(&index, s->size)) return common_index_fault;
        for (uint64_t o = 0; o < s->outer; o++) {
            memcpy((char *)y->out + (o * at->count + k) * bytes,
                   (const char *)x->data + (o * s->size + (uint64_t)index) * bytes, bytes);
        }
    }
    return NULL;
}

// As many as there are indices, or as the data is beside the axis; along the axis an index could mean what is not
// there.
static dsc_status gather_pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    const graph_value *x = graph_input(g, n, 0), *at = graph_input(g, n, 1);
    int64_t given = ((const gather_params *)n->params)->axis;
    uint32_t axis = (uint32_t)(given < 0 ? given + x->shape.rank : given), place = x->extent_axis;
    if (!x->has_extent) return extent_pass(g, n, 1, axis + at->extent_axis);
    if (at->has_extent || place == axis) return extent_refuse(g, n, 0, "its elements cannot be taken by index", err);
    return extent_pass(g, n, 0, place < axis ? place : place + at->shape.rank - 1);
}

// ---- GatherElements -------------------------------------------------------------------------------------------------

static dsc_status elements_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    dsc_status status = check(g, n, &axis, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape y = graph_input(g, n, 1)->shape;
    bool fits = y.rank == x->shape.rank;
    for (uint32_t i = 0; i < y.rank && fits; i++) fits = i == axis || y.dims[i] <= x->shape.dims[i];
    if (!fits) return op_error(n, err, DSC_BAD_MODEL, "the shape of its indices does not fit into that of its data");
    gather_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    s->axis = axis;
    status = check_constant(g, n, (uint64_t)x->shape.dims[axis], err);
    if (status) return status;
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static const char *elements_evaluate(const op_call *c) {
    const gather_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *at = &c->inputs[1], *y = &c->outputs[0];
    size_t bytes = dsc_dtype_bytes(x->dtype);
    for (uint64_t k = c->begin; k < c->end; k++) {
        uint64_t rest = k, stride = 1, from = 0;
        for (uint32_t d = y->shape->rank; d-- > 0;) {
            int64_t index = (int64_t)(rest % (uint64_t)y->shape->dims[d]);
            rest /= (uint64_t)y->shape->dims[d];
            if (d == s->axis) index = integers_get(at, k);
            if (!common_index(&index, (uint64_t)x->shape->dims[d])) return common_index_fault;
            from += (uint64_t)index * stride;
            stride *= (uint64_t)x->shape->dims[d];
        }
        memcpy((char *)y->out + k * bytes, (const char *)x->data + from * bytes, bytes);
    }
    return NULL;
}

// ---- GatherND -------------------------------------------------------------------------------------------------------

static dsc_status nd_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    gather_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    return n->opset >= 12 ? attrs_int(a, "batch_dims", 0, &p->batch_dims, err) : DSC_OK;
}

static dsc_status nd_infer(graph *g, graph_node *n, dsc_error *err) {
    const gather_params *p = n->params;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_dtype(g, n, 1, DSC_I64, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape *at = &graph_input(g, n, 1)->shape;
    int64_t batch = p->batch_dims, depth = at->rank ? at->dims[at->rank - 1] : 0;
    bool fits = at->rank > 0 && batch >= 0 && batch < at->rank && batch < x->shape.rank && depth >= 1 &&
                batch + depth <= x->shape.rank;
    for (uint32_t i = 0; fits && i < batch; i++) fits = at->dims[i] == x->shape.dims[i];
    if (!fits) return op_error(n, err, DSC_BAD_MODEL, "its indices and batch_dims do not fit its data");
    uint32_t first = (uint32_t)(batch + depth);
    graph_shape y = {.rank = at->rank - 1 + x->shape.rank - first};
    if (y.rank > DSC_MAX_RANK) return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u", y.rank);
    memcpy(y.dims, at->dims, (at->rank - 1) * sizeof *y.dims);
    memcpy(y.dims + at->rank - 1, x->shape.dims + first, (x->shape.rank - first) * sizeof *y.dims);
    gather_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    s->batch_dims = (uint32_t)batch;
    s->depth = (uint32_t)depth;
    s->outer = common_dims(&x->shape, 0, s->batch_dims);
    s->inner = common_dims(&x->shape, first, x->shape.rank);
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static const char *nd_evaluate(const op_call *c) {
    const gather_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *at = &c->inputs[1], *y = &c->outputs[0];
    size_t bytes = s->inner * dsc_dtype_bytes(x->dtype);
    uint64_t places = at->count / s->depth, each = s->outer ? places / s->outer : 0;
    for (uint64_t k = 0; k < places; k++) {
        uint64_t from = k / each;
        for (uint32_t d = 0; d < s->depth; d++) {
            uint64_t size = (uint64_t)x->shape->dims[s->batch_dims + d];
            int64_t index = integers_get(at, k * s->depth + d);
            if (!common_index(&index, size)) return common_index_fault;
            from = from * size + (uint64_t)index;
        }
        memcpy((char *)y->out + k * bytes, (const char *)x->data + from * bytes, bytes);
    }
    return NULL;
}

static dsc_status nd_pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    const graph_value *at = graph_input(g, n, 1);
    if (graph_input(g, n, 0)->has_extent) return extent_refuse(g, n, 0, "its elements cannot be taken by index", err);
    if (at->extent_axis + 1 < at->shape.rank) return extent_pass(g, n, 1, at->extent_axis);
    return extent_refuse(g, n, 1, "it must be so in the number of places", err);
}

#define GATHER(name, first, importer, inferrer, evaluator)                                                             \
    .type = name, .inputs_min = 2, .inputs_max = 2, .outputs_max = 1, .opset_first = first,                            \
    .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = common_cost_copy,                     \
    .evaluate = evaluator

const op op_gather = {GATHER("Gather", 1, import, gather_infer, gather_evaluate), .pass_extent = gather_pass_extent};
const op op_gather_elements = {GATHER("GatherElements", 11, import, elements_infer, elements_evaluate),
                               .has_ranges = true};
const op op_gather_nd = {GATHER("GatherND", 11, nd_import, nd_infer, nd_evaluate), .pass_extent = nd_pass_extent};
