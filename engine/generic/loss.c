// SPDX-License-Identifier: Apache-2.0
// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: how far scores of classes are from the right ones.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <math.h>
#include <string.h>

typedef enum loss_reduction { LOSS_NONE, LOSS_SUM, LOSS_MEAN } loss_reduction;

typedef struct loss_params {
    loss_reduction reduction;
    bool has_ignored;
    int64_t ignored; // targets of this class count nothing
} loss_params;

typedef struct loss_spec {
    loss_params p;
    bool is_softmax;
    uint64_t classes, inner, targets; // scores are batch x classes x inner, targets batch x inner
} loss_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    static const char *const names[] = {"none", "sum", "mean"};
    const char *text;
    unsigned choice = 0;
    loss_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_string(a, "reduction", "mean", &text, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "ignore_index", 0, &p->ignored, err);
    if (status) return status;
    p->has_ignored = attrs_has(a, "ignore_index");
    while (choice < 3 && strcmp(names[choice], text) != 0) choice++;
    p->reduction = (loss_reduction)choice;
    if (choice < 3) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "reduction is \"%.40s\"; it is none, sum or mean", text);
}

static bool fits(const graph *g, const graph_node *n) {
    const graph_shape *x = &graph_input(g, n, 0)->shape, *target = &graph_input(g, n, 1)->shape;
    const graph_value *weight = graph_input(g, n, 2);
    if (x->rank < 2 || target->rank != x->rank - 1) return false;
    for (uint32_t i = 0; i < target->rank; i++) {
        if (target->dims[i] != x->dims[i ? i + 1 : 0]) return false;
    }
    return !weight || (weight->shape.rank == 1 && weight->shape.dims[0] == x->dims[1]);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_types(g, n, 0, OP_FLOATS, err);
    if (!status) status = op_want_types(g, n, 1, OP_TYPE(DSC_I32) | OP_TYPE(DSC_I64), err);
    if (!status && graph_input(g, n, 2)) status = op_want_dtype(g, n, 2, graph_input(g, n, 0)->dtype, err);
    loss_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    if (!fits(g, n)) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "scores must be batch x classes x ..., targets batch x ... and weights as "
                        "many as classes");
    }
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    const graph_shape x = graph_input(g, n, 0)->shape, target = graph_input(g, n, 1)->shape, one = {0};
    s->p = *(const loss_params *)n->params;
    s->is_softmax = strcmp(n->op->type, "SoftmaxCrossEntropyLoss") == 0;
    s->classes = (uint64_t)x.dims[1];
    s->inner = common_dims(&x, 2, x.rank);
    if (!graph_shape_count(&target, &s->targets)) return op_error(n, err, DSC_TOO_LARGE, "it has too many targets");
    status = op_set_output(g, n, 0, dtype, s->p.reduction == LOSS_NONE ? &target : &one, err);
    return status ? status : op_set_output(g, n, 1, dtype, &x, err);
}

// The logarithm of the sum of exponentials of one target's scores, by the largest of them so that none overflows.
static double log_of_sum(const op_call *c, uint64_t first) {
    const loss_spec *s = c->spec;
    double most = -HUGE_VAL, sum = 0;
    for (uint64_t k = 0; k < s->classes; k++) most = fmax(most, numbers_get(&c->inputs[0], first + k * s->inner));
    for (uint64_t k = 0; k < s->classes; k++) sum += exp(numbers_get(&c->inputs[0], first + k * s->inner) - most);
    return most + log(sum);
}

static void write_logs(const op_call *c, uint64_t first, double base) {
    const loss_spec *s = c->spec;
    if (c->output_count < 2 || !c->outputs[1].out) return;
    for (uint64_t k = 0; k < s->classes; k++) {
        uint64_t at = first + k * s->inner;
        numbers_put(&c->outputs[1], at, numbers_get(&c->inputs[0], at) - base);
    }
}

static const char *evaluate(const op_call *c) {
    const loss_spec *s = c->spec;
    bool has_weights = c->input_count > 2 && c->inputs[2].data;
    double sum = 0, weights = 0;
    for (uint64_t i = 0; i < s->targets; i++) {
        uint64_t first = i / s->inner * s->classes * s->inner + i % s->inner;
        int64_t class = integers_get(&c->inputs[1], i);
        double base = s->is_softmax ? log_of_sum(c, first) : 0, weight = 0, loss = 0;
        if (s->is_softmax) write_logs(c, first, base);
        if (!s->p.has_ignored || class != s->p.ignored) {
            if (class < 0 || (uint64_t) class >= s->classes) return "a target is not one of the classes";
            weight = has_weights ? numbers_get(&c->inputs[2], (uint64_t) class) : 1;
            loss = weight * (base - numbers_get(&c->inputs[0], first + (uint64_t) class * s->inner));
        }
        if (s->p.reduction == LOSS_NONE) numbers_put(&c->outputs[0], i, loss);
        sum += loss;
        weights += weight;
    }
    if (s->p.reduction == LOSS_SUM) numbers_put(&c->outputs[0], 0, sum);
    if (s->p.reduction == LOSS_MEAN) numbers_put(&c->outputs[0], 0, sum / weights);
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_OTHER;
    (void)graph_shape_count(&graph_input(g, n, 0)->shape, &out->elementwise);
}

#define LOSS(name, outputs)                                                                                            \
    {                                                                                                                  \
        .type = name, .inputs_min = 2, .inputs_max = 3, .outputs_max = outputs, .opset_first = 12,                     \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = infer, .cost = cost, .evaluate = evaluate,            \
    }

const op op_negative_log_likelihood_loss = LOSS("NegativeLogLikelihoodLoss", 1);
const op op_softmax_cross_entropy_loss = LOSS("SoftmaxCrossEntropyLoss", 2);
