// SPDX-License-Identifier: Apache-2.0
// Identity, and Dropout as it is after training: the input unchanged.
#include "engine/generic/common.h"
#include "engine/graph/extent.h"
#include "engine/ops/lowering.h"
#include "engine/ops/ops.h"

#include <string.h>

static dsc_status identity_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    return op_set_output(g, n, 0, x->dtype, &x->shape, err);
}

// The ratio is an attribute until operator set 11; from 12 on it is an input, as is training_mode.
static dsc_status dropout_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    (void)g;
    attrs_ignore(a, n->opset < 12 ? "ratio" : "seed"); // only training uses them
    common_ignore_legacy(n, a);
    if (n->opset < 7) { // since then inference is what the operator means
        int64_t is_test;
        dsc_status status = attrs_int(a, "is_test", 0, &is_test, err);
        if (status) return status;
        if (!is_test) return op_error(n, err, DSC_UNSUPPORTED, "is_test = 0 (training) is not supported");
    }
    if (n->opset < 12 && n->input_count > 1) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u inputs; before operator set 12 the ratio is an attribute",
                        n->input_count);
    }
    return DSC_OK;
}

// Training mode is fine where nothing would be dropped.
static dsc_status check_mode(const graph *g, const graph_node *n, dsc_error *err) {
    float ratio = 0.5f;
    uint64_t count;
    const graph_value *mode = graph_input(g, n, 2), *given = graph_input(g, n, 1);
    if (!mode) return DSC_OK;
    if (mode->dtype != DSC_BOOL || !graph_shape_count(&mode->shape, &count) || count != 1) {
        return op_error(n, err, DSC_BAD_MODEL, "training_mode must be one BOOL value");
    }
    if (!mode->data) return op_error(n, err, DSC_UNSUPPORTED, "training_mode must be a constant");
    if (!*(const uint8_t *)mode->data) return DSC_OK;
    bool is_known = !given || graph_constant_float(given, &ratio, NULL) == DSC_OK;
    if (is_known && !(ratio > 0 || ratio < 0)) return DSC_OK;
    return op_error(n, err, DSC_UNSUPPORTED, "training_mode = true is not supported; export the model for inference");
}

static dsc_status dropout_infer(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = identity_infer(g, n, err);
    if (!status) status = check_mode(g, n, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    if (n->opset < 10 && x->dtype != DSC_F32 && graph_output(g, n, 1)) return op_want_dtype(g, n, 0, DSC_F32, err);
    return op_set_output(g, n, 1, n->opset < 10 ? x->dtype : DSC_BOOL, &x->shape, err); // the mask
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_COPY;
}

static dsc_status identity_lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    return lowering_alias(l, n, 0, n->inputs[0], err);
}

// The mask says that everything was kept.
static void mask_tile(const void *args, char *block, uint32_t tile) {
    const buffer *const *mask = args;
    (void)tile;
    if ((*mask)->dtype == DSC_F32) {
        float *out = buffer_data(*mask, block);
        for (uint64_t i = 0; i < (*mask)->count; i++) out[i] = 1;
    } else {
        memset(buffer_data(*mask, block), 1, (*mask)->count);
    }
}

static dsc_status dropout_lower(struct lowering *l, const graph_node *n, dsc_error *err) {
    dsc_status status = identity_lower(l, n, err);
    if (status || !graph_output(l->g, n, 1)) return status;
    buffer *mask = lowering_out_flat(l, n, 1, err);
    buffer **args = mask ? lowering_alloc(l, 1, sizeof(buffer *), err) : NULL;
    if (!args) return err->status;
    *args = mask;
    return lowering_step(l, &(lowering_step_args){mask_tile, args, 1, "dropout_mask_ref", {mask}, 0}, err);
}

const op op_identity = {
    .type = "Identity",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_max = 1,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = common_no_params,
    .infer = identity_infer,
    .pass_extent = extent_pass_same,
    .cost = cost,
    .evaluate = common_copy_evaluate,
    .lower = identity_lower,
};

const op op_dropout = {
    .type = "Dropout",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_max = 2,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = dropout_import,
    .infer = dropout_infer,
    .cost = cost,
    .lower = dropout_lower,
    .deciding_inputs = 3u << 1,
};
