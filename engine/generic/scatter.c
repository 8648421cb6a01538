// SPDX-License-Identifier: Apache-2.0
// Elements to places by index: ScatterElements (Scatter before operator set 11) and ScatterND. The output is the data
// with updates in it; with a reduction they are added to, multiplied with or compared to what is there.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

typedef enum scatter_reduction { SCATTER_NONE, SCATTER_ADD, SCATTER_MUL, SCATTER_MAX, SCATTER_MIN } scatter_reduction;

typedef struct scatter_params {
    int64_t axis;
    scatter_reduction reduction;
} scatter_params;

typedef struct scatter_spec {
    scatter_reduction reduction;
    uint32_t axis, depth; // depth: ScatterND, indices to one place
    uint64_t inner;       // ScatterND: elements of one slice
} scatter_spec;

// ---- import ---------------------------------------------------------------------------------------------------------

static dsc_status import_reduction(const graph_node *n, attrs *a, scatter_reduction *out, dsc_error *err) {
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const char *text = "none";
    unsigned choice = 0, known = n->opset >= 18 ? 5 : 3;
    dsc_status status = n->opset >= 16 ? attrs_string(a, "reduction", "none", &text, err) : DSC_OK;
    if (status) return status;
    while (choice < known && strcmp(names[choice], text) != 0) choice++;
    *out = (scatter_reduction)choice;
    if (choice < known) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "reduction \"%.40s\" is unknown in operator set %lld", text,
                    (long long)n->opset);
}

static dsc_status elements_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    scatter_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "axis", 0, &p->axis, err) : DSC_NO_MEMORY;
    if (status || strcmp(n->op->type, "Scatter") == 0) return status;
    return import_reduction(n, a, &p->reduction, err);
}

static dsc_status nd_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    scatter_params *p = common_params(g, n, sizeof *p, err);
    return p ? import_reduction(n, a, &p->reduction, err) : DSC_NO_MEMORY;
}

// ---- infer ----------------------------------------------------------------------------------------------------------

static dsc_status check(graph *g, graph_node *n, unsigned index_types, dsc_error *err) {
    const scatter_params *p = n->params;
    dsc_status status = common_check(g, n, 3, err);
    if (!status) status = op_want_types(g, n, 1, index_types, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0), *updates = graph_input(g, n, 2);
    if (x->dtype != updates->dtype) {
        return op_error(n, err, DSC_BAD_MODEL, "input 2 is %s and input 0 is %s; they must be of one type",
                        dsc_dtype_name(updates->dtype), dsc_dtype_name(x->dtype));
    }
    return p->reduction ? op_want_types(g, n, 0, OP_NUMBERS, err) : DSC_OK;
}

static dsc_status elements_infer(graph *g, graph_node *n, dsc_error *err) {
    const scatter_params *p = n->params;
    uint32_t axis;
    dsc_status status = check(g, n, OP_TYPE(DSC_I32) | OP_TYPE(DSC_I64), err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *at = &graph_input(g, n, 1)->shape;
    status = op_axis(n, p->axis, x->rank, false, &axis, err);
    if (status) return status;
    bool fits = at->rank == x->rank && graph_shape_equal(at, &graph_input(g, n, 2)->shape);
    for (uint32_t i = 0; fits && i < at->rank; i++) fits = i == axis || at->dims[i] <= x->dims[i];
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL, "indices and updates must have one shape that fits into the data's");
    }
    scatter_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    *s = (scatter_spec){.reduction = p->reduction, .axis = axis};
    return common_infer_same(g, n, err);
}

static dsc_status nd_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = check(g, n, OP_TYPE(DSC_I64), err);
    if (status) return status;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *at = &graph_input(g, n, 1)->shape;
    const graph_shape *updates = &graph_input(g, n, 2)->shape;
    int64_t depth = at->rank ? at->dims[at->rank - 1] : 0;
    bool fits =
        x->rank > 0 && depth >= 1 && depth <= x->rank && updates->rank + (uint32_t)depth + 1 == at->rank + x->rank;
    for (uint32_t i = 0; fits && i < updates->rank; i++) {
        bool is_place = i < at->rank - 1;
        fits = updates->dims[i] == (is_place ? at->dims[i] : x->dims[i - (at->rank - 1) + (uint32_t)depth]);
    }
    if (!fits) return op_error(n, err, DSC_BAD_MODEL, "the shapes of its data, indices and updates do not fit");
    scatter_spec *s = op_spec(g, n, sizeof *s, err);
    if (!s) return DSC_NO_MEMORY;
    s->reduction = ((const scatter_params *)n->params)->reduction;
    s->depth = (uint32_t)depth;
    s->inner = common_dims(x, s->depth, x->rank);
    return common_infer_same(g, n, err);
}

// ---- evaluate -------------------------------------------------------------------------------------------------------

static double real_result(scatter_reduction how, double old, double update) {
    switch (how) {
        case SCATTER_ADD: return old + update;
        case SCATTER_MUL: return old * update;
        case SCATTER_MAX: return old > update || isnan(old) ? old : update;
        case SCATTER_MIN: return old < update || isnan(old) ? old : update;
        case SCATTER_NONE: break;
    }
    return update;
}

static int64_t whole_result(scatter_reduction how, int64_t old, int64_t update) {
    switch (how) {
        case SCATTER_ADD: return (int64_t)((uint64_t)old + (uint64_t)update);
        case SCATTER_MUL: return (int64_t)((uint64_t)old * (uint64_t)update);
        case SCATTER_MAX: return old > update ? old : update;
        case SCATTER_MIN: return old < update ? old : update;
        case SCATTER_NONE: break;
    }
    return update;
}

// `count` elements of the updates from `from` on, to the output from `to` on.
static void put(const op_call *c, uint64_t to, uint64_t from, uint64_t count) {
    const scatter_spec *s = c->spec;
    const op_tensor *updates = &c->inputs[2];
    op_tensor y = c->outputs[0];
    size_t bytes = dsc_dtype_bytes(y.dtype);
    y.data = y.out;
    if (s->reduction == SCATTER_NONE) {
        memcpy((char *)y.out + to * bytes, (const char *)updates->data + from * bytes, count * bytes);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (numbers_is_float(y.dtype)) {
            numbers_put(&y, to + i, real_result(s->reduction, numbers_get(&y, to + i), numbers_get(updates, from + i)));
        } else {
            int64_t old = integers_get(&y, to + i), update = integers_get(updates, from + i);
            integers_put(&y, to + i, whole_result(s->reduction, old, update));
        }
    }
}

static const char *elements_evaluate(const op_call *c) {
    const scatter_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *at = &c->inputs[1];
    (void)common_copy_evaluate(c);
    for (uint64_t k = 0; k < at->count; k++) {
        uint64_t rest = k, stride = 1, to = 0;
        for (uint32_t d = x->shape->rank; d-- > 0;) {
            int64_t index = (int64_t)(rest % (uint64_t)at->shape->dims[d]);
            rest /= (uint64_t)at->shape->dims[d];
            if (d == s->axis) index = integers_get(at, k);
            if (!common_index(&index, (uint64_t)x->shape->dims[d])) return common_index_fault;
            to += (uint64_t)index * stride;
            stride *= (uint64_t)x->shape->dims[d];
        }
        put(c, to, k, 1);
    }
    return NULL;
}

static const char *nd_evaluate(const op_call *c) {
    const scatter_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *at = &c->inputs[1];
    (void)common_copy_evaluate(c);
    for (uint64_t k = 0; k < at->count / s->depth; k++) {
        uint64_t to = 0;
        for (uint32_t d = 0; d < s->depth; d++) {
            int64_t index = integers_get(at, k * s->depth + d);
            if (!common_index(&index, (uint64_t)x->shape->dims[d])) return common_index_fault;
            to = to * (uint64_t)x->shape->dims[d] + (uint64_t)index;
        }
        put(c, to * s->inner, k * s->inner, s->inner);
    }
    return NULL;
}

#define SCATTER(name, first, last, importer, inferrer, evaluator)                                                      \
    {                                                                                                                  \
        .type = name, .inputs_min = 3, .inputs_max = 3, .outputs_max = 1, .opset_first = first, .opset_last = last,    \
        .import = importer, .infer = inferrer, .cost = common_cost_copy, .evaluate = evaluator,                        \
    }

const op op_scatter = SCATTER("Scatter", 9, 10, elements_import, elements_infer, elements_evaluate);
const op op_scatter_elements =
    SCATTER("ScatterElements", 11, OPS_OPSET_LAST, elements_import, elements_infer, elements_evaluate);
const op op_scatter_nd = SCATTER("ScatterND", 11, OPS_OPSET_LAST, nd_import, nd_infer, nd_evaluate);
