// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/reduce.h"

#include "engine/generic/flat.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

typedef enum reduce_kind {
    REDUCE_SUM,
    REDUCE_MEAN,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_SUM_SQUARE,
    REDUCE_LOG_SUM,
    REDUCE_LOG_SUM_EXP,
} reduce_kind;

static const struct {
    const char *type;
    reduce_kind kind;
    unsigned types;
} rows[] = {
    {"GlobalAveragePool", REDUCE_MEAN, OP_FLOATS},
    {"GlobalMaxPool", REDUCE_MAX, OP_FLOATS},
    {"ReduceL1", REDUCE_L1, OP_NUMBERS},
    {"ReduceL2", REDUCE_L2, OP_NUMBERS},
    {"ReduceLogSum", REDUCE_LOG_SUM, OP_NUMBERS},
    {"ReduceLogSumExp", REDUCE_LOG_SUM_EXP, OP_NUMBERS},
    {"ReduceMax", REDUCE_MAX, OP_ANY},
    {"ReduceMean", REDUCE_MEAN, OP_NUMBERS},
    {"ReduceMin", REDUCE_MIN, OP_ANY},
    {"ReduceProd", REDUCE_PROD, OP_NUMBERS},
    {"ReduceSum", REDUCE_SUM, OP_NUMBERS},
    {"ReduceSumSquare", REDUCE_SUM_SQUARE, OP_NUMBERS},
};

typedef struct reduce_any_spec {
    reduce_kind kind;
    bool is_copy;           // no axis is reduced, and one element gives itself
    flat_walk outer, inner; // over the outputs, and over the elements that go into one
    uint64_t inner_count;
} reduce_any_spec;

static bool has_axes_input(const graph_node *n) {
    return n->opset >= (strcmp(n->op->type, "ReduceSum") == 0 ? 13 : 18);
}

dsc_status reduce_any_import(const graph_node *n, attrs *a, reduce_any_params *out, dsc_error *err) {
    int64_t keeps_dims, is_noop = 0;
    bool has_input = has_axes_input(n);
    *out = (reduce_any_params){0};
    if (!has_input && n->input_count > 1) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; before operator set %d the axes are an attribute",
                        n->input_count, strcmp(n->op->type, "ReduceSum") == 0 ? 13 : 18);
    }
    dsc_status status = attrs_int(a, "keepdims", 1, &keeps_dims, err);
    if (!status && !has_input) status = common_axes_import(a, &out->axes, err);
    if (!status && has_input) status = attrs_int(a, "noop_with_empty_axes", 0, &is_noop, err);
    out->keeps_dims = keeps_dims != 0;
    out->is_noop_without_axes = is_noop != 0;
    return status;
}

dsc_status reduce_any_axes(const graph *g, const graph_node *n, const reduce_any_params *p, bool chosen[DSC_MAX_RANK],
                           dsc_error *err) {
    uint32_t rank = graph_input(g, n, 0)->shape.rank;
    common_axes axes;
    dsc_status status = common_axes_read(g, n, &p->axes, 1, &axes, err);
    if (!status) status = common_axes_resolve(n, &axes, rank, chosen, err);
    if (status || axes.count || p->is_noop_without_axes) return status;
    for (uint32_t i = 0; i < rank; i++) chosen[i] = true;
    return DSC_OK;
}

// The others still square, take logarithms and so on where no axis is reduced.
static bool gives_itself(reduce_kind kind) {
    return kind == REDUCE_SUM || kind == REDUCE_MEAN || kind == REDUCE_MAX || kind == REDUCE_MIN || kind == REDUCE_PROD;
}

dsc_status reduce_any_infer(graph *g, graph_node *n, const bool chosen[DSC_MAX_RANK], bool keeps_dims, dsc_error *err) {
    size_t row = 0;
    int64_t strides[DSC_MAX_RANK];
    while (strcmp(rows[row].type, n->op->type) != 0) row++;
    dsc_status status = op_want_types(g, n, 0, rows[row].types, err);
    reduce_any_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    graph_shape y = {0};
    s->kind = rows[row].kind;
    s->is_copy = gives_itself(s->kind);
    s->inner_count = 1;
    flat_strides(&x->shape, strides);
    for (uint32_t i = 0; i < x->shape.rank; i++) {
        flat_walk *walk = chosen[i] ? &s->inner : &s->outer;
        walk->strides[0][walk->rank] = strides[i];
        walk->dims[walk->rank++] = (uint64_t)x->shape.dims[i];
        s->is_copy &= !chosen[i];
        if (chosen[i]) s->inner_count *= (uint64_t)x->shape.dims[i];
        if (!chosen[i] || keeps_dims) y.dims[y.rank++] = chosen[i] ? 1 : x->shape.dims[i];
    }
    flat_collapse(&s->inner);
    flat_collapse(&s->outer);
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

// ---- evaluate -------------------------------------------------------------------------------------------------------

typedef struct reduced {
    double sum, most, least, product;
    int64_t whole_sum, whole_most, whole_least, whole_product;
} reduced;

static void add_real(reduced *r, reduce_kind kind, double most, const double *x, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        double value = x[i];
        switch (kind) {
            case REDUCE_L1: value = fabs(value); break;
            case REDUCE_L2:
            case REDUCE_SUM_SQUARE: value *= value; break;
            case REDUCE_LOG_SUM_EXP: value = isinf(most) ? exp(value) : exp(value - most); break;
            case REDUCE_SUM:
            case REDUCE_MEAN:
            case REDUCE_MAX:
            case REDUCE_MIN:
            case REDUCE_PROD:
            case REDUCE_LOG_SUM: break;
        }
        r->sum += value;
        r->product *= x[i];
        if (x[i] > r->most || isnan(x[i])) r->most = x[i];
        if (x[i] < r->least || isnan(x[i])) r->least = x[i];
    }
}

static void add_whole(reduced *r, reduce_kind kind, const int64_t *x, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = (uint64_t)x[i];
        if (kind == REDUCE_L1 && x[i] < 0) value = 0 - value;
        if (kind == REDUCE_SUM_SQUARE) value *= value;
        r->whole_sum = (int64_t)((uint64_t)r->whole_sum + value);
        r->whole_product = (int64_t)((uint64_t)r->whole_product * (uint64_t)x[i]);
        if (x[i] > r->whole_most) r->whole_most = x[i];
        if (x[i] < r->whole_least) r->whole_least = x[i];
    }
}

// U64 is read as its bits; with the upper one turned round they are ordered as integers with a sign are.
static void order_unsigned(int64_t *x, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) x[i] = (int64_t)((uint64_t)x[i] ^ (uint64_t)1 << 63);
}

// All elements of one output. `most`: what log-sum-exp takes off, so that no power overflows.
static reduced walk(const reduce_any_spec *s, const op_tensor *x, int64_t first, double most, bool is_whole) {
    double real[NUMBERS_BLOCK];
    int64_t whole[NUMBERS_BLOCK], stride = s->inner.strides[0][s->inner.rank - 1];
    reduced r = {.most = -(double)INFINITY, .least = (double)INFINITY, .product = 1};
    r.whole_most = INT64_MIN, r.whole_least = INT64_MAX, r.whole_product = 1;
    flat_cursor at;
    uint64_t count;
    flat_start(&s->inner, 0, s->inner_count, &at);
    while ((count = flat_run(&s->inner, &at)) > 0) {
        if (count > NUMBERS_BLOCK) count = NUMBERS_BLOCK;
        if (is_whole) {
            integers_load(whole, x, first + at.offset[0], stride, count);
            if (x->dtype == DSC_U64 && (s->kind == REDUCE_MAX || s->kind == REDUCE_MIN)) order_unsigned(whole, count);
            add_whole(&r, s->kind, whole, count);
        } else {
            numbers_load(real, x, first + at.offset[0], stride, count);
            add_real(&r, s->kind, most, real, count);
        }
        flat_advance(&s->inner, &at, count);
    }
    return r;
}

static double real_result(const reduce_any_spec *s, const op_tensor *x, int64_t first) {
    reduced r = walk(s, x, first, 0, false);
    double most = r.most;
    switch (s->kind) {
        case REDUCE_SUM:
        case REDUCE_L1:
        case REDUCE_SUM_SQUARE: return r.sum;
        case REDUCE_MEAN: return r.sum / (double)s->inner_count;
        case REDUCE_MAX: return r.most;
        case REDUCE_MIN: return r.least;
        case REDUCE_PROD: return r.product;
        case REDUCE_L2: return sqrt(r.sum);
        case REDUCE_LOG_SUM: return log(r.sum);
        case REDUCE_LOG_SUM_EXP:
            if (isinf(most)) return log(r.sum);
            return most + log(walk(s, x, first, most, false).sum);
    }
    return 0;
}

// The largest or the smallest of no elements: the end of the type that any element is better than.
static int64_t worst(dsc_dtype dtype, bool is_most) {
    uint64_t bits = 8 * (uint64_t)dsc_dtype_bytes(dtype);
    bool is_signed = dtype == DSC_I8 || dtype == DSC_I16 || dtype == DSC_I32 || dtype == DSC_I64;
    if (dtype == DSC_BOOL) return is_most ? 0 : 1;
    uint64_t highest = UINT64_MAX >> (64 - bits + is_signed);
    return (int64_t)(is_most ? (is_signed ? ~highest : 0) : highest);
}

static void whole_result(const reduce_any_spec *s, const op_call *c, uint64_t at, int64_t first) {
    dsc_dtype dtype = c->inputs[0].dtype;
    reduced r = walk(s, &c->inputs[0], first, 0, true);
    int64_t value = r.whole_sum;
    if (s->kind == REDUCE_MAX) value = r.whole_most;
    if (s->kind == REDUCE_MIN) value = r.whole_least;
    if (s->kind == REDUCE_PROD) value = r.whole_product;
    if (s->kind == REDUCE_MAX || s->kind == REDUCE_MIN) {
        if (dtype == DSC_U64) order_unsigned(&value, 1);
        if (s->inner_count == 0) value = worst(dtype, s->kind == REDUCE_MAX);
    }
    integers_put(&c->outputs[0], at, value);
}

// Whether the definition stays among the integers; the others are computed as real numbers and cut off.
static bool is_whole(const reduce_any_spec *s, dsc_dtype dtype) {
    if (numbers_is_float(dtype)) return false;
    return s->kind == REDUCE_SUM || s->kind == REDUCE_MAX || s->kind == REDUCE_MIN || s->kind == REDUCE_PROD ||
           s->kind == REDUCE_L1 || s->kind == REDUCE_SUM_SQUARE;
}

const char *reduce_any_evaluate(const op_call *c) {
    const reduce_any_spec *s = c->spec;
    flat_cursor at;
    bool whole = is_whole(s, c->inputs[0].dtype);
    if (s->is_copy) {
        size_t bytes = dsc_dtype_bytes(c->inputs[0].dtype);
        memcpy((char *)c->outputs[0].out + c->begin * bytes, (const char *)c->inputs[0].data + c->begin * bytes,
               (c->end - c->begin) * bytes);
        return NULL;
    }
    flat_start(&s->outer, c->begin, c->end, &at);
    while (at.at < at.end) {
        if (whole) {
            whole_result(s, c, at.at, at.offset[0]);
        } else {
            numbers_put(&c->outputs[0], at.at, real_result(s, &c->inputs[0], at.offset[0]));
        }
        flat_advance(&s->outer, &at, 1);
    }
    return NULL;
}

// ---- the operators
// ----------------------------------------------------------------------------------------------------

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    reduce_any_params *p = common_params(g, n, sizeof *p, err);
    return p ? reduce_any_import(n, a, p, err) : DSC_NO_MEMORY;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const reduce_any_params *p = n->params;
    bool chosen[DSC_MAX_RANK] = {false};
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = reduce_any_axes(g, n, p, chosen, err);
    return status ? status : reduce_any_infer(g, n, chosen, p->keeps_dims, err);
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_OTHER;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &out->elementwise);
}

#define REDUCE(name)                                                                                                   \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 2, .outputs_max = 1, .opset_first = 1,                            \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = infer, .cost = cost, .evaluate = reduce_any_evaluate, \
        .has_ranges = true, .deciding_inputs = 1u << 1,                                                                \
    }

const op op_reduce_l1 = REDUCE("ReduceL1");
const op op_reduce_l2 = REDUCE("ReduceL2");
const op op_reduce_log_sum = REDUCE("ReduceLogSum");
const op op_reduce_log_sum_exp = REDUCE("ReduceLogSumExp");
const op op_reduce_max = REDUCE("ReduceMax");
const op op_reduce_min = REDUCE("ReduceMin");
const op op_reduce_prod = REDUCE("ReduceProd");
const op op_reduce_sum = REDUCE("ReduceSum");
const op op_reduce_sum_square = REDUCE("ReduceSumSquare");
