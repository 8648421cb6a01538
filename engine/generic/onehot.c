// SPDX-License-Identifier: Apache-2.0
// OneHot, EyeLike and Trilu: elements by where they stand.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/onnx_type.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// ---- OneHot ---------------------------------------------------------------------------------------------------------

typedef struct onehot_spec {
    int64_t depth;
    uint64_t inner;
} onehot_spec;

static dsc_status onehot_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t *axis = common_params(g, n, sizeof *axis, err);
    return axis ? attrs_int(a, "axis", -1, axis, err) : DSC_NO_MEMORY;
}

// The depth may be of any type, also a floating-point one.
static dsc_status read_depth(const graph *g, const graph_node *n, int64_t *out, dsc_error *err) {
    const graph_value *v = graph_input(g, n, 1);
    op_tensor t = {.dtype = v->dtype, .shape = &v->shape, .data = v->data};
    if (!v->data) {
        return op_error(n, err, DSC_UNSUPPORTED, "the depth, \"%.60s\", is computed while running, and decides a shape",
                        v->name);
    }
    if (!graph_shape_count(&v->shape, &t.count) || t.count != 1) {
        return op_error(n, err, DSC_BAD_MODEL, "the depth must be one number");
    }
    *out = integers_get(&t, 0);
    if (*out >= 1) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "the depth is %" PRId64 "; it must be positive", *out);
}

static dsc_status onehot_infer(graph *g, graph_node *n, dsc_error *err) {
    uint32_t axis;
    int64_t depth = 0;
    dsc_status status = common_check(g, n, 3, err);
    for (uint32_t i = 0; i < 2 && !status; i++) status = op_want_types(g, n, i, OP_NUMBERS, err);
    if (!status) status = read_depth(g, n, &depth, err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    const graph_value *values = graph_input(g, n, 2);
    if (values->shape.rank != 1 || values->shape.dims[0] != 2) {
        return op_error(n, err, DSC_BAD_MODEL, "its values must be two: for off and for on");
    }
    graph_shape y = {.rank = x->rank + 1};
    if (y.rank > DSC_MAX_RANK) return op_error(n, err, DSC_TOO_LARGE, "its output would have rank %u", y.rank);
    status = op_axis(n, *(const int64_t *)n->params, y.rank, false, &axis, err);
    onehot_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    for (uint32_t i = 0; i < y.rank; i++) y.dims[i] = i == axis ? depth : x->dims[i - (i > axis)];
    s->depth = depth;
    s->inner = common_dims(x, axis, x->rank);
    return op_set_output(g, n, 0, values->dtype, &y, err);
}

// An index out of range is no place: all off.
static const char *onehot_evaluate(const op_call *c) {
    const onehot_spec *s = c->spec;
    const op_tensor *values = &c->inputs[2], *y = &c->outputs[0];
    size_t bytes = dsc_dtype_bytes(y->dtype);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t at = i / s->inner / (uint64_t)s->depth * s->inner + i % s->inner;
        int64_t place = (int64_t)(i / s->inner % (uint64_t)s->depth), index = integers_get(&c->inputs[0], at);
        if (index < 0) index += s->depth;
        memcpy((char *)y->out + i * bytes, (const char *)values->data + (index == place ? bytes : 0), bytes);
    }
    return NULL;
}

// ---- EyeLike --------------------------------------------------------------------------------------------------------

typedef struct eye_params {
    bool has_dtype;
    dsc_dtype dtype;
    int64_t k; // the diagonal, to the right of the main one
} eye_params;

static dsc_status eye_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t number = 0;
    const char *name;
    eye_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "k", 0, &p->k, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "dtype", 0, &number, err);
    if (status) return status;
    p->has_dtype = attrs_has(a, "dtype");
    if (!p->has_dtype || onnx_type_find(number, &p->dtype, &name)) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "the type %.40s (attribute \"dtype\") is not supported", name);
}

static dsc_status eye_infer(graph *g, graph_node *n, dsc_error *err) {
    const eye_params *p = n->params;
    dsc_status status = common_check(g, n, 1, err);
    eye_params *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    if (x->shape.rank != 2) return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u, not 2", x->shape.rank);
    *s = *p;
    const graph_shape shape = x->shape;
    return op_set_output(g, n, 0, p->has_dtype ? p->dtype : x->dtype, &shape, err);
}

static const char *eye_evaluate(const op_call *c) {
    const eye_params *s = c->spec;
    const op_tensor *y = &c->outputs[0];
    int64_t columns = y->shape->dims[1];
    for (uint64_t i = c->begin; i < c->end; i++) {
        int64_t row = (int64_t)i / columns, column = (int64_t)i % columns;
        integers_put(y, i, column - row == s->k);
    }
    return NULL;
}

// ---- Trilu ----------------------------------------------------------------------------------------------------------

static dsc_status trilu_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t *is_upper = common_params(g, n, sizeof *is_upper, err);
    return is_upper ? attrs_int(a, "upper", 1, is_upper, err) : DSC_NO_MEMORY;
}

static dsc_status trilu_infer(graph *g, graph_node *n, dsc_error *err) {
    uint64_t count = 1;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_dtype(g, n, 1, DSC_I64, err);
    int64_t *is_upper = status ? NULL : op_spec(g, n, sizeof *is_upper, err);
    if (!is_upper) return status ? status : DSC_NO_MEMORY;
    *is_upper = *(const int64_t *)n->params != 0;
    const graph_value *k = graph_input(g, n, 1);
    if (k && (!graph_shape_count(&k->shape, &count) || count != 1)) {
        return op_error(n, err, DSC_BAD_MODEL, "the diagonal must be one number");
    }
    if (graph_input(g, n, 0)->shape.rank >= 2) return common_infer_same(g, n, err);
    return op_error(n, err, DSC_BAD_MODEL, "its input must have rank 2 or more");
}

static const char *trilu_evaluate(const op_call *c) {
    const int64_t *is_upper = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    bool has_diagonal = c->input_count > 1 && c->inputs[1].data;
    size_t bytes = dsc_dtype_bytes(x->dtype);
    int64_t k = has_diagonal ? integers_get(&c->inputs[1], 0) : 0;
    int64_t rows = x->shape->dims[x->shape->rank - 2], columns = x->shape->dims[x->shape->rank - 1];
    for (uint64_t i = c->begin; i < c->end; i++) {
        int64_t row = (int64_t)i / columns % rows, from_diagonal = (int64_t)i % columns - row;
        bool is_kept = *is_upper ? from_diagonal >= k : from_diagonal <= k;
        if (is_kept) {
            memcpy((char *)y->out + i * bytes, (const char *)x->data + i * bytes, bytes);
        } else {
            memset((char *)y->out + i * bytes, 0, bytes);
        }
    }
    return NULL;
}

#define PLACED(name, first, least, most, importer, inferrer, evaluator)                                                \
    .type = name, .inputs_min = least, .inputs_max = most, .outputs_max = 1, .opset_first = first,                     \
    .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = common_cost_copy,                     \
    .evaluate = evaluator, .has_ranges = true

const op op_eye_like = {PLACED("EyeLike", 9, 1, 1, eye_import, eye_infer, eye_evaluate), .ignores_values = true};
const op op_one_hot = {PLACED("OneHot", 9, 3, 3, onehot_import, onehot_infer, onehot_evaluate),
                       .deciding_inputs = 1u << 1};
const op op_trilu = {PLACED("Trilu", 14, 1, 2, trilu_import, trilu_infer, trilu_evaluate)};
