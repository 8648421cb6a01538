// SPDX-License-Identifier: Apache-2.0
// Split: pieces of one axis, one for each output. Their sizes are an attribute until operator set 12 and an input from
// 13 on; from 18 on their number may be given, too.
#include "engine/generic/common.h"
#include "engine/generic/view.h"

#include <inttypes.h>

#define SPLIT_OUTPUTS_MAX 255

typedef struct split_params {
    int64_t axis, pieces; // pieces: num_outputs, 0 where absent
    uint32_t count;
    int64_t sizes[SPLIT_OUTPUTS_MAX];
} split_params;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    split_params *p = common_params(g, n, sizeof *p, err);
    if (!p) return DSC_NO_MEMORY;
    dsc_status status = attrs_int(a, "axis", 0, &p->axis, err);
    if (!status && n->opset >= 18) status = attrs_int(a, "num_outputs", 0, &p->pieces, err);
    if (!status && n->opset < 13) status = attrs_ints(a, "split", p->sizes, SPLIT_OUTPUTS_MAX, &p->count, err);
    if (status || n->opset < 2 || n->opset >= 13 || n->input_count == 1) return status;
    return op_error(n, err, DSC_BAD_MODEL, "it has 2 inputs; in operator sets 2 to 12 the sizes are an attribute");
}

// The sizes as given: input 1 or the attribute; count 0 where neither is there.
static dsc_status read_sizes(const graph *g, const graph_node *n, int64_t sizes[SPLIT_OUTPUTS_MAX], uint32_t *count,
                             dsc_error *err) {
    const split_params *p = n->params;
    dsc_error inner = {0};
    const graph_value *given = graph_input(g, n, 1);
    *count = p->count;
    for (uint32_t i = 0; i < p->count; i++) sizes[i] = p->sizes[i];
    if (!given) return DSC_OK;
    dsc_status status = graph_constant_ints(given, sizes, SPLIT_OUTPUTS_MAX, count, &inner);
    return status ? op_error(n, err, status, "input 1: %.240s", inner.text) : DSC_OK;
}

// Equal pieces; the last one is smaller where they do not come out even, from operator set 18 on.
static dsc_status share(const graph_node *n, int64_t size, int64_t sizes[SPLIT_OUTPUTS_MAX], dsc_error *err) {
    const split_params *p = n->params;
    int64_t count = n->output_count, piece = (size + count - 1) / count;
    if (p->pieces && p->pieces != count) {
        return op_error(n, err, DSC_BAD_MODEL, "num_outputs is %" PRId64 " and it has %" PRId64 " outputs", p->pieces,
                        count);
    }
    if (size % count && n->opset < 18) {
        return op_error(n, err, DSC_BAD_MODEL, "%" PRId64 " elements cannot be cut into %" PRId64 " equal pieces", size,
                        count);
    }
    if (piece * (count - 1) > size) {
        return op_error(n, err, DSC_BAD_MODEL, "%" PRId64 " elements are too few for %" PRId64 " pieces", size, count);
    }
    for (int64_t i = 0; i < count; i++) sizes[i] = i + 1 < count ? piece : size - piece * (count - 1);
    return DSC_OK;
}

static dsc_status check_sizes(const graph_node *n, const int64_t *sizes, uint32_t count, int64_t size, dsc_error *err) {
    int64_t left = size;
    if (count != n->output_count) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u sizes and %u outputs", count, n->output_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (sizes[i] < 0 || sizes[i] > left) left = -1;
        if (left >= 0) left -= sizes[i];
    }
    if (left == 0) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "the sizes of its pieces do not add up to %" PRId64, size);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const split_params *p = n->params;
    int64_t sizes[SPLIT_OUTPUTS_MAX], strides[DSC_MAX_RANK];
    uint32_t axis, count;
    dsc_status status = common_check(g, n, 1, err);
    if (!status) status = read_sizes(g, n, sizes, &count, err);
    if (status) return status;
    const dsc_dtype dtype = graph_input(g, n, 0)->dtype;
    graph_shape y = graph_input(g, n, 0)->shape;
    status = op_axis(n, p->axis, y.rank, false, &axis, err);
    if (status) return status;
    int64_t size = y.dims[axis], first = 0;
    status = count ? check_sizes(n, sizes, count, size, err) : share(n, size, sizes, err);
    view *v = status ? NULL : view_spec(g, n, n->output_count, err);
    if (!v) return status ? status : DSC_NO_MEMORY;
    flat_strides(&y, strides);
    for (uint32_t i = 0; i < n->output_count && !status; i++) {
        y.dims[axis] = sizes[i];
        v[i].first = first * strides[axis];
        view_add_shape(&v[i], &y, strides);
        status = op_set_output(g, n, i, dtype, &y, err);
        first += sizes[i];
    }
    return status;
}

const op op_split = {
    .type = "Split",
    .inputs_min = 1,
    .inputs_max = 2,
    .outputs_max = SPLIT_OUTPUTS_MAX,
    .opset_first = 1,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = common_cost_copy,
    .evaluate = view_evaluate,
    .deciding_inputs = 1u << 1,
};
