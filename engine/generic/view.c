// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/view.h"

#include <string.h>

view *view_spec(graph *g, graph_node *n, uint32_t outputs, dsc_error *err) {
    return op_spec(g, n, outputs * sizeof(view), err);
}

void view_add(view *v, int64_t size, int64_t stride) {
    v->walk.dims[v->walk.rank] = (uint64_t)size;
    v->walk.strides[0][v->walk.rank++] = stride;
}

void view_add_shape(view *v, const graph_shape *shape, const int64_t strides[DSC_MAX_RANK]) {
    for (uint32_t i = 0; i < shape->rank; i++) view_add(v, shape->dims[i], strides[i]);
}

void view_copy(char *out, const char *in, uint64_t count, int64_t stride, size_t bytes) {
    if (stride == 1) {
        memcpy(out, in, count * bytes);
    } else if (bytes == 4) {
        for (uint64_t i = 0; i < count; i++) memcpy(out + i * 4, in + (int64_t)i * stride * 4, 4);
    } else {
        for (uint64_t i = 0; i < count; i++) memcpy(out + i * bytes, in + (int64_t)i * stride * (int64_t)bytes, bytes);
    }
}

static void copy_range(const view *v, const op_tensor *x, const op_tensor *y, uint64_t begin, uint64_t end) {
    size_t bytes = dsc_dtype_bytes(x->dtype);
    view merged = *v;
    flat_cursor at;
    uint64_t count;
    flat_collapse(&merged.walk);
    flat_start(&merged.walk, begin, end, &at);
    while ((count = flat_run(&merged.walk, &at)) > 0) {
        view_copy((char *)y->out + at.at * bytes, (const char *)x->data + (v->first + at.offset[0]) * (int64_t)bytes,
                  count, merged.walk.strides[0][merged.walk.rank - 1], bytes);
        flat_advance(&merged.walk, &at, count);
    }
}

const char *view_evaluate(const op_call *c) {
    const view *v = c->spec;
    for (uint32_t i = 0; i < c->output_count; i++) {
        const op_tensor *y = &c->outputs[i];
        if (y->out) copy_range(&v[i], &c->inputs[0], y, i ? 0 : c->begin, i ? y->count : c->end);
    }
    return NULL;
}
