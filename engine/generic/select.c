// SPDX-License-Identifier: Apache-2.0
// What is found among elements: NonZero, Compress and Unique. How much that is depends on values: see graph/extent.h.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/extent.h"

#include <math.h>
#include <string.h>

typedef struct select_params {
    bool has_axis, is_sorted;
    int64_t axis;
} select_params;

typedef struct select_spec {
    bool is_sorted;
    uint64_t outer, size, inner, kept; // lines along the axis, and their length in the output
} select_spec;

static void zero(const op_tensor *t) {
    if (t->out) memset(t->out, 0, t->count * dsc_dtype_bytes(t->dtype));
}

// ---- NonZero --------------------------------------------------------------------------------------------------------

static dsc_status nonzero_infer(graph *g, graph_node *n, dsc_error *err) {
    uint64_t count;
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    if (!graph_shape_count(x, &count)) return op_error(n, err, DSC_TOO_LARGE, "its input has too many elements");
    const graph_shape y = {.rank = 2, .dims = {x->rank, (int64_t)count}};
    status = op_set_output(g, n, 0, DSC_I64, &y, err);
    if (!status) extent_set(g, n, 0, 1);
    return status;
}

static bool is_zero(const op_tensor *x, uint64_t at) {
    if (!numbers_is_float(x->dtype)) return integers_get(x, at) == 0;
    double value = numbers_get(x, at);
    return !(value < 0 || value > 0 || isnan(value));
}

static const char *nonzero_evaluate(const op_call *c) {
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    uint64_t found = 0;
    zero(y);
    for (uint64_t i = 0; i < x->count; i++) {
        if (is_zero(x, i)) continue;
        uint64_t rest = i;
        for (uint32_t d = x->shape->rank; d-- > 0; rest /= (uint64_t)x->shape->dims[d]) {
            integers_put(y, d * x->count + found, (int64_t)(rest % (uint64_t)x->shape->dims[d]));
        }
        found++;
    }
    *y->extent = (int64_t)found;
    return NULL;
}

// ---- Compress -------------------------------------------------------------------------------------------------------

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t is_sorted = 1;
    select_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    p->has_axis = attrs_has(a, "axis");
    dsc_status status = attrs_int(a, "axis", 0, &p->axis, err);
    if (!status && strcmp(n->op->type, "Unique") == 0) status = attrs_int(a, "sorted", 1, &is_sorted, err);
    p->is_sorted = is_sorted != 0;
    return status;
}

// Lines along the axis; without one the elements in a row.
static dsc_status prepare(graph *g, graph_node *n, uint32_t *axis, graph_shape *y, dsc_error *err) {
    const select_params *p = n->params;
    select_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    *y = graph_input(g, n, 0)->shape;
    uint64_t count = common_dims(y, 0, y->rank);
    *axis = 0;
    if (!p->has_axis) *y = (graph_shape){.rank = 1, .dims = {(int64_t)count}};
    dsc_status status = p->has_axis ? op_axis(n, p->axis, y->rank, false, axis, err) : DSC_OK;
    if (status) return status;
    s->is_sorted = p->is_sorted;
    s->outer = common_dims(y, 0, *axis);
    s->size = s->kept = (uint64_t)y->dims[*axis];
    s->inner = common_dims(y, *axis + 1, y->rank);
    return DSC_OK;
}

static dsc_status compress_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    graph_shape y;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_dtype(g, n, 1, DSC_BOOL, err);
    if (!status) status = prepare(g, n, &axis, &y, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0), *condition = graph_input(g, n, 1);
    select_spec *s = n->spec;
    if (condition->shape.rank != 1 || (uint64_t)condition->shape.dims[0] > s->size) {
        return op_error(n, err, DSC_BAD_MODEL, "its condition must be a list of at most the %llu elements of the axis",
                        (unsigned long long)s->size);
    }
    s->kept = (uint64_t)condition->shape.dims[0];
    if (condition->data) { // then the length is known
        const uint8_t *is_taken = condition->data;
        uint64_t length = s->kept;
        for (uint64_t i = s->kept = 0; i < length; i++) s->kept += is_taken[i] != 0;
    }
    y.dims[axis] = (int64_t)s->kept;
    bool is_known = condition->data != NULL;
    status = op_set_output(g, n, 0, x->dtype, &y, err);
    if (!status && !is_known) extent_set(g, n, 0, axis);
    return status;
}

static void copy_line(const op_call *c, uint64_t from, uint64_t to) {
    const select_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    size_t bytes = s->inner * dsc_dtype_bytes(x->dtype);
    uint64_t outer = x->count ? s->outer : 0;
    for (uint64_t o = 0; o < outer; o++) {
        memcpy((char *)y->out + (o * s->kept + to) * bytes, (const char *)x->data + (o * s->size + from) * bytes,
               bytes);
    }
}

static const char *compress_evaluate(const op_call *c) {
    uint64_t found = 0;
    zero(&c->outputs[0]);
    for (uint64_t i = 0; i < c->inputs[1].count; i++) {
        if (integers_get(&c->inputs[1], i)) copy_line(c, i, found++);
    }
    if (c->outputs[0].extent) *c->outputs[0].extent = (int64_t)found;
    return NULL;
}

// ---- Unique ---------------------------------------------------------------------------------------------------------

static dsc_status unique_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    graph_shape y;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = prepare(g, n, &axis, &y, err);
    if (status) return status;
    const graph_shape places = {.rank = 1, .dims = {y.dims[axis]}};
    status = op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, &y, err);
    for (uint32_t i = 1; i < 4 && !status; i++) status = op_set_output(g, n, i, DSC_I64, &places, err);
    if (status) return status;
    extent_set(g, n, 0, axis);
    extent_set(g, n, 1, 0);
    extent_set(g, n, 3, 0);
    return DSC_OK;
}

// -1, 0, 1: how two slices compare by their first element that differs.
static int compare_slices(const op_call *c, uint64_t a, uint64_t b) {
    const select_spec *s = c->spec;
    for (uint64_t o = 0; o < s->outer; o++) {
        for (uint64_t i = 0; i < s->inner; i++) {
            uint64_t first = o * s->size * s->inner + i;
            int order = numbers_compare(&c->inputs[0], first + a * s->inner, first + b * s->inner);
            if (order) return order;
        }
    }
    return 0;
}

// The slice that comes next, the first of its equals: by value the least one behind `last`, else the first that none
// before it equals. UINT64_MAX: none is left; `last` is that at the beginning.
static uint64_t find_next(const op_call *c, uint64_t last) {
    const select_spec *s = c->spec;
    uint64_t best = UINT64_MAX;
    for (uint64_t i = s->is_sorted || last == UINT64_MAX ? 0 : last + 1; i < s->size; i++) {
        if (s->is_sorted) {
            bool is_left = last == UINT64_MAX || compare_slices(c, i, last) > 0;
            if (is_left && (best == UINT64_MAX || compare_slices(c, i, best) < 0)) best = i;
            continue;
        }
        uint64_t k = 0;
        while (k < i && compare_slices(c, k, i) != 0) k++;
        if (k == i) return i;
    }
    return best;
}

static const op_tensor *wanted(const op_call *c, uint32_t index) {
    return index < c->output_count && c->outputs[index].out ? &c->outputs[index] : NULL;
}

// Without memory of its own: every find looks through all slices again.
static const char *unique_evaluate(const op_call *c) {
    const select_spec *s = c->spec;
    const op_tensor *firsts = wanted(c, 1), *inverse = wanted(c, 2), *counts = wanted(c, 3);
    uint64_t found = 0, at = UINT64_MAX;
    for (uint32_t i = 0; i < c->output_count; i++) zero(&c->outputs[i]);
    if (c->inputs[0].count == 0 && s->size > 0) { // slices of nothing are equal
        found = 1;
        if (counts) integers_put(counts, 0, (int64_t)s->size);
    }
    while (c->inputs[0].count && found < s->size && (at = find_next(c, at)) != UINT64_MAX) {
        uint64_t equals = 0;
        copy_line(c, at, found);
        if (firsts) integers_put(firsts, found, (int64_t)at);
        for (uint64_t i = at; i < s->size && (inverse || counts); i++) {
            if (compare_slices(c, i, at) != 0) continue;
            if (inverse) integers_put(inverse, i, (int64_t)found);
            equals++;
        }
        if (counts) integers_put(counts, found, (int64_t)equals);
        found++;
    }
    *c->outputs[0].extent = (int64_t)found;
    if (firsts) *firsts->extent = (int64_t)found;
    if (counts) *counts->extent = (int64_t)found;
    return NULL;
}

static void input_cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_OTHER;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &out->elementwise);
}

static void unique_cost(const graph *g, const graph_node *n, op_cost *out) {
    const select_spec *s = n->spec;
    input_cost(g, n, out);
    out->elementwise = common_product(out->elementwise, s->size);
}

#define SELECT(name, first, inputs, outputs, importer, inferrer, coster, evaluator)                                    \
    {                                                                                                                  \
        .type = name, .inputs_min = inputs, .inputs_max = inputs, .outputs_max = outputs, .opset_first = first,        \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = coster, .evaluate = evaluator,    \
    }

const op op_compress = SELECT("Compress", 9, 2, 1, import, compress_infer, input_cost, compress_evaluate);
const op op_non_zero = SELECT("NonZero", 9, 1, 1, common_no_params, nonzero_infer, input_cost, nonzero_evaluate);
const op op_unique = SELECT("Unique", 11, 1, 4, import, unique_infer, unique_cost, unique_evaluate);
