// SPDX-License-Identifier: Apache-2.0
// Cast and CastLike: the same numbers in another type.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/graph/extent.h"
#include "engine/graph/onnx_type.h"

#include <string.h>

typedef struct cast_params {
    dsc_dtype to;
} cast_params;

// Before operator set 6 the type is a word: "FLOAT".
static dsc_status cast_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    int64_t number = 0;
    const char *name = "";
    cast_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    attrs_ignore(a, "saturate"); // of 8-bit floats, which are refused
    attrs_ignore(a, "round_mode");
    dsc_status status = n->opset < 6 ? attrs_string(a, "to", "", &name, err) : attrs_int(a, "to", 0, &number, err);
    if (status) return status;
    bool is_known = n->opset < 6 ? onnx_type_named(name, &p->to) : onnx_type_find(number, &p->to, &name);
    if (is_known) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "the type %.40s (attribute \"to\") is not supported", name);
}

static dsc_status cast_infer(graph *g, graph_node *n, dsc_error *err) {
    const cast_params *p = n->params;
    dsc_status status = common_check(g, n, 1, err);
    return status ? status : op_set_output(g, n, 0, p->to, &graph_input(g, n, 0)->shape, err);
}

static dsc_status cast_pass_extent(graph *g, const graph_node *n, dsc_error *err) {
    const dsc_dtype from = graph_input(g, n, 0)->dtype, to = graph_output(g, n, 0)->dtype;
    bool is_number = from == DSC_BOOL || numbers_is_float(from);
    if (is_number && !numbers_is_float(to) && to != DSC_BOOL) {
        return extent_refuse(g, n, 0, "only integers may become integers then", err); // see extent_pass_elementwise()
    }
    return extent_pass_same(g, n, err);
}

static dsc_status like_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    (void)g, (void)n, (void)err;
    attrs_ignore(a, "saturate");
    attrs_ignore(a, "round_mode");
    return DSC_OK;
}

static dsc_status like_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 2, err);
    return status ? status : op_set_output(g, n, 0, graph_input(g, n, 1)->dtype, &graph_input(g, n, 0)->shape, err);
}

static const char *evaluate(const op_call *c) {
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    double real[NUMBERS_BLOCK];
    int64_t whole[NUMBERS_BLOCK];
    for (uint64_t at = c->begin, count; at < c->end; at += count) {
        count = numbers_block(at, c->end);
        if (numbers_is_float(x->dtype) || (x->dtype == DSC_U64 && numbers_is_float(y->dtype))) {
            numbers_load(real, x, (int64_t)at, 1, count);
            numbers_store(y, at, real, count);
        } else {
            integers_load(whole, x, (int64_t)at, 1, count);
            integers_store(y, at, whole, count);
        }
    }
    return NULL;
}

const op op_cast = {
    .type = "Cast",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = cast_import,
    .infer = cast_infer,
    .pass_extent = cast_pass_extent,
    .cost = common_cost_copy,
    .evaluate = evaluate,
    .has_ranges = true,
};

const op op_cast_like = {
    .type = "CastLike",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 15,
    .opset_last = OPS_OPSET_LAST,
    .import = like_import,
    .infer = like_infer,
    .cost = common_cost_copy,
    .evaluate = evaluate,
    .has_ranges = true,
};
