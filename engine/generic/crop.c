// SPDX-License-Identifier: Apache-2.0
// CenterCropPad: axes cut, or filled up with zeros, on both sides. An odd element goes, or comes, at the end.
#include "engine/generic/common.h"
#include "engine/generic/flat.h"

#include <inttypes.h>
#include <string.h>

typedef struct crop_spec {
    int64_t shift[DSC_MAX_RANK]; // element 0 of the output is this one of the input
} crop_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    common_axes *axes = common_params(g, n, sizeof *axes, err);
    return axes ? common_axes_import(a, axes, err) : DSC_NO_MEMORY;
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const common_axes *axes = n->params;
    common_list list;
    bool chosen[DSC_MAX_RANK];
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = common_ints(g, n, 1, DSC_MAX_RANK, &list, err);
    crop_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    graph_shape y = graph_input(g, n, 0)->shape;
    status = common_axes_resolve(n, axes, y.rank, chosen, err);
    if (status) return status;
    uint32_t wanted = axes->is_given ? axes->count : y.rank;
    if (list.count != wanted) {
        return op_error(n, err, DSC_BAD_MODEL, "it has %u sizes for %u axes", list.count, wanted);
    }
    for (uint32_t i = 0; i < list.count; i++) {
        int64_t axis = axes->is_given ? axes->values[i] : (int64_t)i, size = list.values[i];
        if (axis < 0) axis += y.rank;
        if (size < 0) return op_error(n, err, DSC_BAD_MODEL, "axis %" PRId64 " cannot have %" PRId64, axis, size);
        int64_t from = y.dims[axis];
        s->shift[axis] = size < from ? (from - size) / 2 : -((size - from) / 2);
        y.dims[axis] = size;
    }
    return op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, &y, err);
}

static const char *evaluate(const op_call *c) {
    const crop_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    size_t bytes = dsc_dtype_bytes(x->dtype);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t rest = i, from = 0, stride = 1;
        bool is_inside = true;
        for (uint32_t d = y->shape->rank; d-- > 0; rest /= (uint64_t)y->shape->dims[d]) {
            int64_t at = (int64_t)(rest % (uint64_t)y->shape->dims[d]) + s->shift[d];
            is_inside &= at >= 0 && at < x->shape->dims[d];
            from += (uint64_t)at * stride;
            stride *= (uint64_t)x->shape->dims[d];
        }
        if (is_inside) {
            memcpy((char *)y->out + i * bytes, (const char *)x->data + from * bytes, bytes);
        } else {
            memset((char *)y->out + i * bytes, 0, bytes);
        }
    }
    return NULL;
}

const op op_center_crop_pad = {
    .type = "CenterCropPad",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 18,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = common_cost_copy,
    .evaluate = evaluate,
    .has_ranges = true,
    .deciding_inputs = 1u << 1,
};
