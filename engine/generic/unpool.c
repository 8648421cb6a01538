// SPDX-License-Identifier: Apache-2.0
// What undoes windows: MaxUnpool puts elements back to where MaxPool took them from, Col2Im adds columns of blocks up
// to an image.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/generic/windows.h"

#include <inttypes.h>
#include <string.h>

// ---- MaxUnpool ------------------------------------------------------------------------------------------------------

typedef struct unpool_spec {
    graph_shape inner; // that indices speak of: what MaxPool's input must have been; it lies at the output's beginning
    uint64_t count;
} unpool_spec;

static dsc_status unpool_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    windows *w = common_params(g, n, sizeof *w, err);
    dsc_status status = w ? windows_import(n, a, 0, w, err) : DSC_NO_MEMORY;
    if (status || w->has_kernel) return status;
    return op_error(n, err, DSC_BAD_MODEL, "kernel_shape is missing");
}

static dsc_status undo_windows(const graph_node *n, const graph_shape *x, graph_shape *out, dsc_error *err) {
    const windows *w = n->params;
    *out = *x;
    if (x->rank != w->dims + 2) {
        return op_error(n, err, DSC_BAD_MODEL, "the input has rank %u and the windows %u dimensions", x->rank, w->dims);
    }
    for (uint32_t i = 0; i < w->dims; i++) {
        if (x->dims[2 + i] > INT32_MAX) return op_error(n, err, DSC_TOO_LARGE, "axis %u is too long", 2 + i);
        out->dims[2 + i] = (x->dims[2 + i] - 1) * w->stride[i] + w->kernel[i] - w->pads[i] - w->pads[w->dims + i];
        if (out->dims[2 + i] >= 0) continue;
        return op_error(n, err, DSC_BAD_MODEL, "its padding takes all of axis %u", 2 + i);
    }
    return DSC_OK;
}

static dsc_status unpool_infer(graph *g, graph_node *n, dsc_error *err) {
    common_list list;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_dtype(g, n, 1, DSC_I64, err);
    unpool_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    if (!graph_shape_equal(&x->shape, &graph_input(g, n, 1)->shape)) {
        return op_error(n, err, DSC_BAD_MODEL, "its indices have another shape than its input");
    }
    status = undo_windows(n, &x->shape, &s->inner, err);
    if (status) return status;
    graph_shape y = s->inner;
    if (graph_input(g, n, 2)) {
        status = common_ints(g, n, 2, DSC_MAX_RANK, &list, err);
        if (status) return status;
        bool fits = list.count == y.rank;
        for (uint32_t i = 0; fits && i < y.rank; i++) {
            fits = i < 2 ? list.values[i] == y.dims[i] : list.values[i] >= y.dims[i];
            y.dims[i] = list.values[i];
        }
        if (!fits) return op_error(n, err, DSC_BAD_MODEL, "the output_shape is smaller than what its windows reach");
    }
    if (!graph_shape_count(&s->inner, &s->count)) return op_error(n, err, DSC_TOO_LARGE, "its output is too large");
    return op_set_output(g, n, 0, graph_input(g, n, 0)->dtype, &y, err);
}

static const char *unpool_evaluate(const op_call *c) {
    const unpool_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    size_t bytes = dsc_dtype_bytes(x->dtype);
    memset(y->out, 0, y->count * bytes);
    for (uint64_t i = 0; i < x->count; i++) {
        int64_t index = integers_get(&c->inputs[1], i);
        if (index < 0 || (uint64_t)index >= s->count) return common_index_fault;
        uint64_t rest = (uint64_t)index, to = 0, stride = 1;
        for (uint32_t d = y->shape->rank; d-- > 0;) {
            to += rest % (uint64_t)s->inner.dims[d] * stride;
            rest /= (uint64_t)s->inner.dims[d];
            stride *= (uint64_t)y->shape->dims[d];
        }
        memcpy((char *)y->out + to * bytes, (const char *)x->data + i * bytes, bytes);
    }
    return NULL;
}

// ---- Col2Im ---------------------------------------------------------------------------------------------------------

// Its windows have no kernel_shape: the block's is an input.
static dsc_status col2im_import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    windows *w = common_params(g, n, sizeof *w, err);
    return w ? windows_import(n, a, WINDOWS_HAS_DILATIONS, w, err) : DSC_NO_MEMORY;
}

static dsc_status read_sizes(const graph *g, const graph_node *n, common_list *image, common_list *block,
                             dsc_error *err) {
    dsc_status status = common_ints(g, n, 1, WINDOWS_DIMS, image, err);
    if (!status) status = common_ints(g, n, 2, WINDOWS_DIMS, block, err);
    if (status) return status;
    bool fits = image->count == block->count && image->count > 0;
    for (uint32_t i = 0; fits && i < image->count; i++) fits = image->values[i] >= 1 && block->values[i] >= 1;
    if (fits) return DSC_OK;
    return op_error(n, err, DSC_BAD_MODEL, "image and block must have positive sizes for the same dimensions");
}

static dsc_status col2im_infer(graph *g, graph_node *n, dsc_error *err) {
    common_list image, block;
    dsc_status status = common_check(g, n, 3, err);
    if (!status) status = op_want_types(g, n, 0, OP_NUMBERS, err);
    if (!status) status = read_sizes(g, n, &image, &block, err);
    windows_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_value *x = graph_input(g, n, 0);
    windows w = *(const windows *)n->params;
    graph_shape y = {.rank = image.count + 2, .dims = {x->shape.dims[0]}};
    if (w.dims == 0) w.dims = image.count;
    memcpy(y.dims + 2, image.values, image.count * sizeof *y.dims);
    status = windows_resolve(n, &w, &y, block.values, s, err);
    if (status) return status;
    bool fits =
        x->shape.rank == 3 && (uint64_t)x->shape.dims[1] % s->taps == 0 && (uint64_t)x->shape.dims[2] == s->out_count;
    if (!fits) {
        return op_error(n, err, DSC_BAD_MODEL, "its input must be N x (channels * %" PRIu64 ") x %" PRIu64 " blocks",
                        s->taps, s->out_count);
    }
    y.dims[1] = (int64_t)((uint64_t)x->shape.dims[1] / s->taps);
    return op_set_output(g, n, 0, x->dtype, &y, err);
}

static const char *col2im_evaluate(const op_call *c) {
    const windows_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0];
    op_tensor y = c->outputs[0];
    y.data = y.out;
    memset(y.out, 0, y.count * dsc_dtype_bytes(y.dtype));
    for (uint64_t i = 0; i < x->count; i++) {
        int64_t place[WINDOWS_DIMS];
        bool is_padded;
        uint64_t row = i / s->out_count;
        windows_place(s, i % s->out_count, place);
        int64_t at = windows_tap(s, place, row % s->taps, &is_padded);
        if (at < 0) continue;
        uint64_t to = row / s->taps * s->in_count + (uint64_t)at;
        if (numbers_is_float(y.dtype)) {
            numbers_put(&y, to, numbers_get(&y, to) + numbers_get(x, i));
        } else {
            integers_put(&y, to, (int64_t)((uint64_t)integers_get(&y, to) + (uint64_t)integers_get(x, i)));
        }
    }
    return NULL;
}

#define UNDO(name, first, least, most, decides, importer, inferrer, evaluator)                                         \
    {                                                                                                                  \
        .type = name, .inputs_min = least, .inputs_max = most, .outputs_max = 1, .opset_first = first,                 \
        .opset_last = OPS_OPSET_LAST, .import = importer, .infer = inferrer, .cost = common_cost_copy,                 \
        .evaluate = evaluator, .deciding_inputs = decides,                                                             \
    }

const op op_col2im = UNDO("Col2Im", 18, 3, 3, 3u << 1, col2im_import, col2im_infer, col2im_evaluate);
const op op_max_unpool = UNDO("MaxUnpool", 9, 2, 3, 1u << 2, unpool_import, unpool_infer, unpool_evaluate);
