// SPDX-License-Identifier: Apache-2.0
// ReverseSequence: the first elements of every sequence of a batch, so many as its length says, in reverse.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"

#include <inttypes.h>
#include <string.h>

typedef struct reverse_params {
    int64_t batch_axis, time_axis;
} reverse_params;

typedef struct reverse_spec {
    uint64_t batch_stride, batch_size, time_stride, time_size; // elements
} reverse_spec;

static dsc_status import(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    reverse_params *p = common_params(g, n, sizeof *p, err);
    dsc_status status = p ? attrs_int(a, "batch_axis", 1, &p->batch_axis, err) : DSC_NO_MEMORY;
    if (!status) status = attrs_int(a, "time_axis", 0, &p->time_axis, err);
    if (status || (p->batch_axis == 0 && p->time_axis == 1) || (p->batch_axis == 1 && p->time_axis == 0)) return status;
    return op_error(n, err, DSC_BAD_MODEL, "batch_axis is %" PRId64 " and time_axis %" PRId64 "; one must be 0, one 1",
                    p->batch_axis, p->time_axis);
}

static dsc_status infer(graph *g, graph_node *n, dsc_error *err) {
    const reverse_params *p = n->params;
    dsc_status status = common_check(g, n, 2, err);
    if (!status) status = op_want_dtype(g, n, 1, DSC_I64, err);
    reverse_spec *s = status ? NULL : op_spec(g, n, sizeof *s, err);
    if (!s) return status ? status : DSC_NO_MEMORY;
    const graph_shape *x = &graph_input(g, n, 0)->shape, *lengths = &graph_input(g, n, 1)->shape;
    if (x->rank < 2 || lengths->rank != 1 || lengths->dims[0] != x->dims[p->batch_axis]) {
        return op_error(n, err, DSC_BAD_MODEL, "it needs data of rank 2 or more and a length for each of its batch");
    }
    uint64_t inner = common_dims(x, 2, x->rank);
    s->batch_size = (uint64_t)x->dims[p->batch_axis];
    s->time_size = (uint64_t)x->dims[p->time_axis];
    s->batch_stride = p->batch_axis == 1 ? inner : inner * s->time_size;
    s->time_stride = p->time_axis == 1 ? inner : inner * s->batch_size;
    return common_infer_same(g, n, err);
}

static const char *evaluate(const op_call *c) {
    const reverse_spec *s = c->spec;
    const op_tensor *x = &c->inputs[0], *y = &c->outputs[0];
    size_t bytes = dsc_dtype_bytes(x->dtype);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t batch = i / s->batch_stride % s->batch_size, time = i / s->time_stride % s->time_size, from = time;
        int64_t length = integers_get(&c->inputs[1], batch);
        if (length < 0 || (uint64_t)length > s->time_size) return "a sequence's length is not one of its axis";
        if (time < (uint64_t)length) from = (uint64_t)length - 1 - time;
        uint64_t place = i - time * s->time_stride + from * s->time_stride;
        memcpy((char *)y->out + i * bytes, (const char *)x->data + place * bytes, bytes);
    }
    return NULL;
}

const op op_reverse_sequence = {
    .type = "ReverseSequence",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_max = 1,
    .opset_first = 10,
    .opset_last = OPS_OPSET_LAST,
    .import = import,
    .infer = infer,
    .cost = common_cost_copy,
    .evaluate = evaluate,
    .has_ranges = true,
};
