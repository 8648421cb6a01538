// SPDX-License-Identifier: Apache-2.0
// Order along one axis: ArgMax, ArgMin, TopK; and CumSum.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <string.h>

typedef struct rank_params {
    int64_t axis, k;
    bool keeps_dims, takes_last, is_least, is_exclusive, is_reverse;
} rank_params;

typedef struct rank_spec {
    rank_params p;
    uint64_t outer, size, inner, k; // lines of `size` elements, `inner` apart
} rank_spec;

static rank_spec *prepare(graph *g, graph_node *n, int64_t given, dsc_error *err) {
    uint32_t axis;
    if (common_check(g, n, 1, err) || op_want_types(g, n, 0, OP_NUMBERS, err)) return NULL;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    if (op_axis(n, given, x->rank, false, &axis, err)) return NULL;
    rank_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return NULL;
    s->p = *(const rank_params *)n->params;
    s->p.axis = axis;
    s->outer = common_dims(x, 0, axis);
    s->size = (uint64_t)x->dims[axis];
    s->inner = common_dims(x, axis + 1, x->rank);
    return s;
}

static uint64_t line_start(const rank_spec *s, uint64_t line, uint64_t length) {
    return line / s->inner * s->inner * length + line % s->inner;
}

// ---- ArgMax, ArgMin
// ---------------------------------------------------------------------------------------------------

static dsc_status arg_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t keeps_dims = 1, takes_last = 0;
    rank_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "axis", 0, &p->axis, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "keepdims", 1, &keeps_dims, err);
    if (!status && n->opset >= 12) status = attrs_int(a, "select_last_index", 0, &takes_last, err);
    if (status) return status;
    p->keeps_dims = keeps_dims != 0;
    p->takes_last = takes_last != 0;
    p->is_least = strcmp(n->op->type, "ArgMin") == 0;
    return DSC_OK;
}

static dsc_status arg_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_error reason = {0};
    const rank_spec *s = prepare(g, n, ((const rank_params *)n->params)->axis, &reason);
    if (!s) {
        if (err) *err = reason;
        return reason.status;
    }
    const graph_shape x = graph_input(g, n, 0)->shape;
    graph_shape y = {0};
    if (s->size == 0) return op_error(n, err, DSC_BAD_MODEL, "axis %" PRId64 " has no elements", s->p.axis);
    for (uint32_t i = 0; i < x.rank; i++) {
        if (i != s->p.axis || s->p.keeps_dims) y.dims[y.rank++] = i == s->p.axis ? 1 : x.dims[i];
    }
    return op_set_output(g, n, 0, DSC_I64, &y, err);
}

static const char *arg_evaluate(const op_call *c) {
    const rank_spec *s = c->spec;
    for (uint64_t line = c->begin; line < c->end; line++) {
        uint64_t first = line_start(s, line, s->size), best = 0;
        for (uint64_t i = 1; i < s->size; i++) {
            int order = numbers_compare(&c->inputs[0], first + i * s->inner, first + best * s->inner);
            if (s->p.is_least) order = -order;
            if (order > 0 || (order == 0 && s->p.takes_last)) best = i;
        }
        integers_put(&c->outputs[0], line, (int64_t)best);
    }
    return NULL;
}

// ---- TopK
// ---------------------------------------------------------------------------------------------------------------

// k is an attribute before operator set 10; then the largest are meant, in order.
static dsc_status top_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t largest = 1;
    rank_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "axis", -1, &p->axis, err) : DSC_NO_MEMORY;
    if (!status && n->opset < 10) status = attrs_int(a, "k", -1, &p->k, err);
    if (!status && n->opset >= 11) status = attrs_int(a, "largest", 1, &largest, err);
    if (status) return status;
    if (n->opset >= 11) attrs_ignore(a, "sorted"); // in order is one of the orders that "any" allows
    p->is_least = largest == 0;
    if (n->opset >= 10 && n->input_count < 2) return op_error(n, err, DSC_BAD_MODEL, "the input k is missing");
    return DSC_OK;
}

static dsc_status top_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_error reason = {0};
    common_list k = {1, {((const rank_params *)n->params)->k}};
    if (n->opset >= 10) {
        dsc_status status = common_ints(g, n, 1, 1, &k, err);
        if (status) return status;
    }
    rank_spec *s = prepare(g, n, ((const rank_params *)n->params)->axis, &reason);
    if (!s) {
        if (err) *err = reason;
        return reason.status;
    }
    if (k.count != 1 || k.values[0] < 0 || (uint64_t)k.values[0] > s->size) {
        return op_error(n, err, DSC_BAD_MODEL, "k must be one number from 0 to the %" PRIu64 " elements of its axis",
                        s->size);
    }
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    graph_shape y = graph_input(g, n, 0)->shape;
    s->k = (uint64_t)k.values[0];
    y.dims[s->p.axis] = k.values[0];
    dsc_status status = op_set_output(g, n, 0, dtype, &y, err);
    return status ? status : op_set_output(g, n, 1, DSC_I64, &y, err);
}

// Whether element `a` of the line stands before `b`: the better one, of equals the earlier.
static bool stands_before(const rank_spec *s, const op_tensor *x, uint64_t first, uint64_t a, uint64_t b) {
    int order = numbers_compare(x, first + a * s->inner, first + b * s->inner);
    if (s->p.is_least) order = -order;
    return order > 0 || (order == 0 && a < b);
}

// One line after the other, each k times over what is left behind the last one taken: no memory, k * size looks.
static const char *top_evaluate(const op_call *c) {
    const rank_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *places = c->output_count > 1 ? &c->outputs[1] : NULL;
    size_t bytes = dsc_dtype_bytes(x->dtype);
    for (uint64_t line = 0; line < s->outer * s->inner; line++) {
        uint64_t first = line_start(s, line, s->size), to = line_start(s, line, s->k), last = UINT64_MAX;
        for (uint64_t j = 0; j < s->k; j++) {
            uint64_t best = UINT64_MAX;
            for (uint64_t i = 0; i < s->size; i++) {
                bool is_left = last == UINT64_MAX || stands_before(s, x, first, last, i);
                if (is_left && i != last && (best == UINT64_MAX || stands_before(s, x, first, i, best))) best = i;
            }
            uint64_t at = to + j * s->inner;
            if (c->outputs[0].out) {
                memcpy((char *)c->outputs[0].out + at * bytes,
                       (const char *)x->data + (first + best * s->inner) * bytes, bytes);
            }
            if (places && places->out) integers_put(places, at, (int64_t)best);
            last = best;
        }
    }
    return NULL;
}

static void top_cost(const graph *g, const graph_node *n, op_cost *out) {
    const rank_spec *s = n->spec;
    uint64_t count = 0;
    out->kind = DSC_KIND_OTHER;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &count);
    out->elementwise = common_product(count, s->k);
}

// ---- CumSum
// -------------------------------------------------------------------------------------------------------------

static dsc_status sum_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t is_exclusive, is_reverse;
    rank_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "exclusive", 0, &is_exclusive, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "reverse", 0, &is_reverse, err);
    if (status) return status;
    p->is_exclusive = is_exclusive != 0;
    p->is_reverse = is_reverse != 0;
    return DSC_OK;
}

static dsc_status sum_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_error reason = {0};
    common_list axis;
    dsc_status status = common_ints(g, n, 1, 1, &axis, err);
    if (status) return status;
    if (axis.count != 1) return op_error(n, err, DSC_BAD_MODEL, "the axis must be one number");
    if (prepare(g, n, axis.values[0], &reason)) return common_infer_same(g, n, err);
    if (err) *err = reason;
    return reason.status;
}

static const char *sum_evaluate(const op_call *c) {
    const rank_spec *s = c->spec;
    bool is_real = numbers_is_float(c->inputs[0].dtype);
    for (uint64_t line = 0; line < s->outer * s->inner; line++) {
        uint64_t first = line_start(s, line, s->size), whole = 0;
        double real = 0;
        for (uint64_t i = 0; i < s->size; i++) {
            uint64_t at = first + (s->p.is_reverse ? s->size - 1 - i : i) * s->inner;
            double before = real;
            uint64_t whole_before = whole;
            if (is_real) {
                real += numbers_get(&c->inputs[0], at);
                numbers_put(&c->outputs[0], at, s->p.is_exclusive ? before : real);
            } else {
                whole += (uint64_t)integers_get(&c->inputs[0], at);
                integers_put(&c->outputs[0], at, (int64_t)(s->p.is_exclusive ? whole_before : whole));
            }
        }
    }
    return NULL;
}

static void line_cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_OTHER;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &out->elementwise);
}

#define ARG(name)                                                                                                      \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 1, .outputs_max = 1, .opset_first = 1,                            \
        .opset_last = OPS_OPSET_LAST, .import = arg_import, .infer = arg_infer, .cost = line_cost,                     \
        .evaluate = arg_evaluate, .has_ranges = true,                                                                  \
    }

const op op_arg_max = ARG("ArgMax");
const op op_arg_min = ARG("ArgMin");

const op op_top_k = {
    .type = "TopK",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_max = 2,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = top_import,
    .infer = top_infer,
    .cost = top_cost,
    .evaluate = top_evaluate,
    .deciding_inputs = 1u << 1,
};

const op op_cum_sum = {
    .type = "CumSum",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 11,
    .opset_last = OPS_OPSET_LAST,
    .import = sum_import,
    .infer = sum_infer,
    .cost = line_cost,
    .evaluate = sum_evaluate,
    .deciding_inputs = 1u << 1,
};
