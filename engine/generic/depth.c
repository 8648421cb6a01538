// SPDX-License-Identifier: Apache-2.0
// DepthToSpace and SpaceToDepth: blocks of pixels become channels and back.
#include "engine/generic/common.h"
#include "engine/generic/view.h"

#include <inttypes.h>
#include <string.h>

#define BLOCK_LIMIT 65535

typedef struct depth_params {
    int64_t block;
    bool is_column_row_depth; // DepthToSpace, mode CRD: the channel is the slowest, not the fastest
} depth_params;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    const char *mode = "DCR";
    depth_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = attrs_int(a, "blocksize", 0, &p->block, err);
    bool has_mode = n->opset >= 11 && strcmp(n->op->type, "DepthToSpace") == 0;
    if (!status && has_mode) status = attrs_string(a, "mode", "DCR", &mode, err);
    if (status) return status;
    p->is_column_row_depth = strcmp(mode, "CRD") == 0;
    if (p->block < 1 || p->block > BLOCK_LIMIT) {
        return op_error(n, err, DSC_BAD_MODEL, "blocksize is %" PRId64 "; it must be 1 to %d", p->block, BLOCK_LIMIT);
    }
    if (p->is_column_row_depth || strcmp(mode, "DCR") == 0) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "mode is \"%.40s\"; it is DCR or CRD", mode);
}

static dsc_status want_map(const graph *g, const graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (status || graph_input(g, n, 0)->shape.rank == 4) return status;
    return op_error(n, err, DSC_BAD_MODEL, "its input has rank %u; it must be 4", graph_input(g, n, 0)->shape.rank);
}

static dsc_status to_space_infer(graph *g, graph_node *n, dsc_error *err) {
    const depth_params *p = n->params;
    int64_t s[DSC_MAX_RANK], b = p->block;
    dsc_status status = want_map(g, n, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape from = x->shape;
    if (from.dims[1] % (b * b)) {
        return op_error(n, err, DSC_BAD_MODEL, "%" PRId64 " channels are no multiple of blocks of %" PRId64,
                        from.dims[1], b * b);
    }
    int64_t channels = from.dims[1] / (b * b), width, height;
    if (__builtin_mul_overflow(from.dims[2], b, &height) || __builtin_mul_overflow(from.dims[3], b, &width)) {
        return op_error(n, err, DSC_TOO_LARGE, "its output would be too large");
    }
    graph_shape y = {4, {from.dims[0], channels, height, width}};
    status = op_set_output(g, n, 0, x->dtype, &y, err);
    view *v = status ? NULL : view_spec(g, n, 1, err);
    if (!v) return status ? status : DSC_NO_MEMORY;
    flat_strides(&from, s);
    // The channel of the input holds, slowest first: DCR block row, block column, channel; CRD channel, row, column.
    int64_t row = p->is_column_row_depth ? b : b * channels, column = p->is_column_row_depth ? 1 : channels;
    view_add(v, from.dims[0], s[0]);
    view_add(v, channels, s[1] * (p->is_column_row_depth ? b * b : 1));
    view_add(v, from.dims[2], s[2]);
    view_add(v, b, s[1] * row);
    view_add(v, from.dims[3], s[3]);
    view_add(v, b, s[1] * column);
    return DSC_OK;
}

static dsc_status to_depth_infer(graph *g, graph_node *n, dsc_error *err) {
    const depth_params *p = n->params;
    int64_t s[DSC_MAX_RANK], b = p->block, channels;
    dsc_status status = want_map(g, n, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape from = x->shape;
    if (from.dims[2] % b || from.dims[3] % b || __builtin_mul_overflow(from.dims[1], b * b, &channels)) {
        return op_error(n, err, DSC_BAD_MODEL, "%" PRId64 "x%" PRId64 " pixels are no multiple of blocks of %" PRId64,
                        from.dims[2], from.dims[3], b);
    }
    graph_shape y = {4, {from.dims[0], channels, from.dims[2] / b, from.dims[3] / b}};
    status = op_set_output(g, n, 0, x->dtype, &y, err);
    view *v = status ? NULL : view_spec(g, n, 1, err);
    if (!v) return status ? status : DSC_NO_MEMORY;
    flat_strides(&from, s);
    view_add(v, from.dims[0], s[0]);
    view_add(v, b, s[2]);
    view_add(v, b, s[3]);
    view_add(v, from.dims[1], s[1]);
    view_add(v, y.dims[2], s[2] * b);
    view_add(v, y.dims[3], s[3] * b);
    return DSC_OK;
}

#define DEPTH(name, inferrer)                                                                                          \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = 1, .outputs_max = 1, .opset_first = 1,                            \
        .opset_last = OPS_OPSET_LAST, .import = import, .infer = inferrer, .cost = common_cost_copy,                   \
        .evaluate = view_evaluate, .has_ranges = true,                                                                 \
    }

const op op_depth_to_space = DEPTH("DepthToSpace", to_space_infer);
const op op_space_to_depth = DEPTH("SpaceToDepth", to_depth_infer);
