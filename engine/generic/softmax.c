// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/softmax.h"

#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

typedef enum softmax_kind { SOFTMAX, LOG_SOFTMAX, HARDMAX } softmax_kind;

typedef struct softmax_spec {
    softmax_kind kind;
    uint64_t rows, width, inner; // elements of a sum are `inner` apart
} softmax_spec;

// Until operator set 12 all dimensions from the axis on share a sum, from 13 on only the axis does.
dsc_status softmax_any_infer(graph *g, graph_node *n, int64_t given, dsc_error *err) {
    uint32_t axis;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    softmax_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_shape *x = &graph_input(g, n, 0)->shape;
    status = op_axis(n, given, x->rank, false, &axis, err);
    if (status) return status;
    uint32_t end = n->opset < 13 ? x->rank : axis + 1;
    s->kind = strcmp(n->op->type, "Hardmax") == 0      ? HARDMAX
              : strcmp(n->op->type, "LogSoftmax") == 0 ? LOG_SOFTMAX
                                                       : SOFTMAX;
    s->width = common_dims(x, axis, end);
    s->inner = common_dims(x, end, x->rank);
    s->rows = common_dims(x, 0, axis) * s->inner;
    return common_infer_same(g, n, err);
}

typedef struct softmax_row {
    const op_tensor *x, *y;
    uint64_t first, width, stride;
} softmax_row;

static void compute_row(const softmax_row *r, softmax_kind kind) {
    double most = -(double)INFINITY, sum = 0;
    uint64_t place = 0;
    for (uint64_t i = 0; i < r->width; i++) {
        double value = numbers_get(r->x, r->first + i * r->stride);
        if (!(value > most) && !isnan(value)) continue;
        most = value;
        place = i;
    }
    for (uint64_t i = 0; i < r->width && kind != HARDMAX; i++) {
        sum += exp(numbers_get(r->x, r->first + i * r->stride) - most);
    }
    for (uint64_t i = 0; i < r->width; i++) {
        uint64_t at = r->first + i * r->stride;
        double value = numbers_get(r->x, at) - most;
        double result = kind == HARDMAX       ? (i == place ? 1 : 0)
                        : kind == LOG_SOFTMAX ? value - log(sum)
                                              : exp(value) / sum;
        numbers_put(r->y, at, result);
    }
}

const char *softmax_any_evaluate(const op_call *c) {
    const softmax_spec *s = c->spec;
    for (uint64_t row = 0; row < s->rows; row++) {
        uint64_t first = row / s->inner * s->inner * s->width + row % s->inner;
        compute_row(&(softmax_row){&c->inputs[0], &c->outputs[0], first, s->width, s->inner}, s->kind);
    }
    return NULL;
}

typedef struct softmax_any_params {
    int64_t axis;
} softmax_any_params;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    softmax_any_params *p = common_params(g, n, sizeof *p, err);
    return p ? attrs_int(a, "axis", n->opset < 13 ? 1 : -1, &p->axis, err) : DSC_NO_MEMORY;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    return softmax_any_infer(g, n, ((const softmax_any_params *)n->params)->axis, err);
}

#define SOFTMAX_LIKE(name)                                                                                             \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 1, .outputs_max = 1, .opset_first = 1,                            \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = infer, .cost = common_cost_elementwise,               \
        .evaluate = softmax_any_evaluate,                                                                              \
    }

const op op_log_softmax = SOFTMAX_LIKE("LogSoftmax");
const op op_hardmax = SOFTMAX_LIKE("Hardmax");
