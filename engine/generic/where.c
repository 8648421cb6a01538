// SPDX-License-Identifier: Apache-2.0
// Where: elements of one tensor or of another, as a third one says.
#include "engine/generic/broadcast.h"
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    graph_shape y;
    dsc_status status = common_check(g, n, 3, err);
    if (!status) status = op_want_dtype(g, n, 0, DSC_BOOL, err);
    if (!status) status = broadcast_inputs(g, n, 0, 3, &y, err);
    if (status) return status;
    const graph_value *a = graph_input(g, n, 1), *b = graph_input(g, n, 2);
    if (a->dtype == b->dtype) return op_set_output(g, n, 0, a->dtype, &y, err);
    return op_error(n, err, DSC_BAD_MODEL, "inputs 1 and 2 are %s and %s; they must be of one type",
                    dsc_dtype_name(a->dtype), dsc_dtype_name(b->dtype));
}

static void real_block(const op_call *c, const broadcast *in, uint64_t at, uint64_t count) {
    int64_t chosen[NUMBERS_BLOCK];
    double x[NUMBERS_BLOCK], y[NUMBERS_BLOCK];
    broadcast_integers(&in[0], chosen, at, count);
    broadcast_numbers(&in[1], x, at, count);
    broadcast_numbers(&in[2], y, at, count);
    for (uint64_t i = 0; i < count; i++) x[i] = chosen[i] ? x[i] : y[i];
    numbers_store(&c->outputs[0], at, x, count);
}

static void whole_block(const op_call *c, const broadcast *in, uint64_t at, uint64_t count) {
    int64_t chosen[NUMBERS_BLOCK], x[NUMBERS_BLOCK], y[NUMBERS_BLOCK];
    broadcast_integers(&in[0], chosen, at, count);
    broadcast_integers(&in[1], x, at, count);
    broadcast_integers(&in[2], y, at, count);
    for (uint64_t i = 0; i < count; i++) x[i] = chosen[i] ? x[i] : y[i];
    integers_store(&c->outputs[0], at, x, count);
}

static const char *evaluate(const op_call *c) {
    broadcast in[3];
    for (int i = 0; i < 3; i++) in[i] = broadcast_make(&c->inputs[i], c->inputs[i].shape, c->outputs[0].shape);
    bool is_real = numbers_is_float(c->outputs[0].dtype);
    for (uint64_t at = c->begin, count; at < c->end; at += count) {
        count = numbers_block(at, c->end);
        if (is_real) {
            real_block(c, in, at, count);
        } else {
            whole_block(c, in, at, count);
        }
    }
    return NULL;
}

const op op_where = {
    .type = "Where",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_max = 1,
    .opset_first = 9,
    .opset_last = OPS_OPSET_LAST,
    .import = common_no_params,
    .infer = infer,
    .cost = common_cost_elementwise,
    .evaluate = evaluate,
    .has_ranges = true,
};
