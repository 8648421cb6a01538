// SPDX-License-Identifier: Apache-2.0
// Shapes as values, and tensors made from numbers: Shape, Size, ConstantOfShape, Range.
#include "engine/base/error.h"
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// ---- Shape and Size: known as soon as shapes are
// ------------------------------------------------------------------------

typedef struct shape_params {
    int64_t start, end;
} shape_params;

typedef struct shape_spec {
    uint32_t first, count;
} shape_spec;

static dsc_status shape_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    shape_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    p->end = INT64_MAX;
    if (n->opset < 15) return DSC_OK;
    dsc_status status = attrs_int(a, "start", 0, &p->start, err);
    return status ? status : attrs_int(a, "end", INT64_MAX, &p->end, err);
}

static int64_t clamp(int64_t at, int64_t rank) {
    if (at < 0) at += rank;
    return at < 0 ? 0 : at > rank ? rank : at;
}

static dsc_status shape_infer(graph *g, graph_node *n, dsc_error *err) {
    const shape_params *p = n->params;
    dsc_status status = common_check(g, n, 1, err);
    shape_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    int64_t rank = graph_input(g, n, 0)->shape.rank, first = clamp(p->start, rank), end = clamp(p->end, rank);
    s->first = (uint32_t)first;
    s->count = end > first ? (uint32_t)(end - first) : 0;
    return op_set_output(g, n, 0, DSC_I64, &(graph_shape){1, {s->count}}, err);
}

static const char *shape_evaluate(const op_call *c) {
    const shape_spec *s = c->spec;
    memcpy(c->outputs[0].out, c->inputs[0].shape->dims + s->first, s->count * sizeof(int64_t));
    return NULL;
}

static dsc_status size_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    return status ? status : op_set_output(g, n, 0, DSC_I64, &(graph_shape){0}, err);
}

static const char *size_evaluate(const op_call *c) {
    int64_t count = (int64_t)c->inputs[0].count;
    memcpy(c->outputs[0].out, &count, sizeof count);
    return NULL;
}

// ---- ConstantOfShape
// ------------------------------------------------------------------------------------------------------

typedef struct fill {
    dsc_dtype dtype;
    char bytes[8];
} fill;

static dsc_status fill_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    uint32_t value;
    uint64_t count;
    fill *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_tensor(a, "value", &value, err) : DSC_NO_MEMORY;
    if (status) return status;
    p->dtype = DSC_F32;
    if (value == GRAPH_NONE) return DSC_OK;
    const graph_value *v = &g->values[value];
    if (!graph_shape_count(&v->shape, &count) || count != 1) {
        return op_error(n, err, DSC_BAD_MODEL, "the attribute value must be one number");
    }
    p->dtype = v->dtype;
    memcpy(p->bytes, v->data, dsc_dtype_bytes(v->dtype));
    return DSC_OK;
}

static dsc_status fill_infer(graph *g, graph_node *n, dsc_error *err) {
    const fill *p = n->params;
    common_list list;
    graph_shape y;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = common_ints(g, n, 0, DSC_MAX_RANK, &list, err);
    fill *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    *s = *p;
    y.rank = list.count;
    for (uint32_t i = 0; i < list.count; i++) {
        y.dims[i] = list.values[i];
        if (list.values[i] < 0) {
            return op_error(n, err, DSC_BAD_MODEL, "the shape has the dimension %" PRId64, list.values[i]);
        }
    }
    return op_set_output(g, n, 0, p->dtype, &y, err);
}

static const char *fill_evaluate(const op_call *c) {
    const fill *s = c->spec;
    graph_shape one = {0};
    op_tensor value = {.dtype = s->dtype, .shape = &one, .count = 1, .data = s->bytes};
    double real = numbers_get(&value, 0);
    int64_t whole = integers_get(&value, 0);
    for (uint64_t i = c->begin; i < c->end; i++) {
        if (numbers_is_float(s->dtype)) {
            numbers_put(&c->outputs[0], i, real);
        } else {
            integers_put(&c->outputs[0], i, whole);
        }
    }
    return NULL;
}

// ---- Range
// ------------------------------------------------------------------------------------------------------------------

static op_tensor constant(const graph_value *v) {
    return (op_tensor){.dtype = v->dtype, .shape = &v->shape, .count = 1, .data = v->data};
}

static dsc_status range_check(const graph *g, const graph_node *n, dsc_error *err) {
    static const char *const names[] = {"start", "limit", "delta"};
    uint64_t count;
    dsc_status status = common_check(g, n, 3, err);
    for (uint32_t i = 0; i < 3 && !status; i++) {
        const graph_value *v = graph_input(g, n, i);
        status = op_want_types(g, n, i, OP_NUMBERS, err);
        if (status) return status;
        if (!graph_shape_count(&v->shape, &count) || count != 1) {
            return op_error(n, err, DSC_BAD_MODEL, "%s must be one number", names[i]);
        }
        if (!v->data) return op_error(n, err, DSC_UNSUPPORTED, "%s must be a constant", names[i]);
    }
    return status ? status : common_one_type(g, n, 3, err);
}

static dsc_status range_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = range_check(g, n, err);
    if (status) return status;
    op_tensor in[3];
    for (uint32_t i = 0; i < 3; i++) in[i] = constant(graph_input(g, n, i));
    double count;
    if (numbers_is_float(in[0].dtype)) {
        double delta = numbers_get(&in[2], 0);
        count = ceil((numbers_get(&in[1], 0) - numbers_get(&in[0], 0)) / delta);
    } else { // the difference of two int64 may need 65 bits: doubles tell well enough what is too large
        int64_t start = integers_get(&in[0], 0), limit = integers_get(&in[1], 0), delta = integers_get(&in[2], 0);
        int64_t span;
        bool fits = delta != 0 && delta > INT64_MIN && !__builtin_sub_overflow(limit, start, &span);
        count = !fits ? (double)NAN : (delta > 0) == (span > 0) ? (double)(span / delta + (span % delta != 0)) : 0;
    }
    if (isnan(count) || count > 0x1p53) {
        return op_error(n, err, DSC_BAD_MODEL, "start, limit and delta give no range that can be counted");
    }
    graph_shape y = {1, {count > 0 ? (int64_t)count : 0}};
    return op_set_output(g, n, 0, in[0].dtype, &y, err);
}

static const char *range_evaluate(const op_call *c) {
    bool is_real = numbers_is_float(c->outputs[0].dtype);
    double start = numbers_get(&c->inputs[0], 0), delta = numbers_get(&c->inputs[2], 0);
    uint64_t first = (uint64_t)integers_get(&c->inputs[0], 0), step = (uint64_t)integers_get(&c->inputs[2], 0);
    for (uint64_t i = c->begin; i < c->end; i++) {
        if (is_real) {
            numbers_put(&c->outputs[0], i, start + (double)i * delta);
        } else {
            integers_put(&c->outputs[0], i, (int64_t)(first + i * step));
        }
    }
    return NULL;
}

#define MAKER(name, count, first, importer, inferrer, evaluator)                                                       \
    .type = name, .inputs_min = count, .inputs_max = count, .outputs_max = 1, .opset_first = first,                    \
    .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = common_cost_copy,                     \
    .evaluate = evaluator

const op op_shape = {MAKER("Shape", 1, 1, shape_import, shape_infer, shape_evaluate), .ignores_values = true};
const op op_size = {MAKER("Size", 1, 1, common_no_params, size_infer, size_evaluate), .ignores_values = true};
const op op_constant_of_shape = {MAKER("ConstantOfShape", 1, 9, fill_import, fill_infer, fill_evaluate),
                                 .has_ranges = true, .deciding_inputs = 1u};
const op op_range = {MAKER("Range", 3, 11, common_no_params, range_infer, range_evaluate), .has_ranges = true,
                     .deciding_inputs = 7u};
