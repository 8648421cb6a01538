// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/common.h"

#include "engine/base/error.h"

#include <inttypes.h>
#include <string.h>

void *common_params(graph *g, graph_node *n, size_t size, dsc_error *err) {
    n->params = arena_alloc(&g->memory, 1, size);
    if (!n->params) error_no_memory(err, size);
    return n->params;
}

dsc_status common_no_params(graph *g, graph_node *n, attrs *a, dsc_error *err) {
    (void)g, (void)n, (void)a, (void)err;
    return DSC_OK;
}

dsc_status common_check(const graph *g, const graph_node *n, uint32_t inputs, dsc_error *err) {
    for (uint32_t i = 0; i < inputs; i++) {
        if (!graph_input(g, n, i)) return op_error(n, err, DSC_BAD_MODEL, "input %u is missing", i);
    }
    return graph_output(g, n, 0) ? DSC_OK : op_error(n, err, DSC_BAD_MODEL, "output 0 is missing");
}

dsc_status common_ints(const graph *g, const graph_node *n, uint32_t index, uint32_t limit, common_list *out,
                       dsc_error *err) {
    dsc_error inner = {0};
    const graph_value *v = graph_input(g, n, index);
    if (!v) return op_error(n, err, DSC_BAD_MODEL, "input %u is missing", index);
    dsc_status status = graph_constant_ints(v, out->values, limit, &out->count, &inner);
    return status ? op_error(n, err, status, "input %u: %.240s", index, inner.text) : DSC_OK;
}

dsc_status common_axes_import(attrs *a, common_axes *out, dsc_error *err) {
    out->is_given = attrs_has(a, "axes");
    return attrs_ints(a, "axes", out->values, DSC_MAX_RANK, &out->count, err);
}

dsc_status common_axes_read(const graph *g, const graph_node *n, const common_axes *attribute, uint32_t index,
                            common_axes *out, dsc_error *err) {
    *out = *attribute;
    if (!graph_input(g, n, index)) return DSC_OK;
    common_list list;
    dsc_status status = common_ints(g, n, index, DSC_MAX_RANK, &list, err);
    if (status) return status;
    out->is_given = true;
    out->count = list.count;
    memcpy(out->values, list.values, sizeof out->values);
    return DSC_OK;
}

dsc_status common_axes_resolve(const graph_node *n, const common_axes *axes, uint32_t rank, bool chosen[DSC_MAX_RANK],
                               dsc_error *err) {
    memset(chosen, 0, DSC_MAX_RANK * sizeof *chosen);
    for (uint32_t i = 0; i < axes->count; i++) {
        uint32_t axis;
        dsc_status status = op_axis(n, axes->values[i], rank, false, &axis, err);
        if (status) return status;
        if (chosen[axis]) return op_error(n, err, DSC_BAD_MODEL, "axis %" PRId64 " is given twice", axes->values[i]);
        chosen[axis] = true;
    }
    return DSC_OK;
}

dsc_status common_too_many(const graph_node *n, dsc_error *err) {
    return op_error(n, err, DSC_TOO_LARGE, "it has more than 2^32 pieces of work");
}

uint64_t common_product(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

uint64_t common_dims(const graph_shape *shape, uint32_t first, uint32_t end) {
    uint64_t product = 1;
    for (uint32_t i = first; i < end; i++) product = common_product(product, (uint64_t)shape->dims[i]);
    return product;
}

uint64_t common_elements(const graph *g, const graph_node *n) {
    const graph_value *out = graph_output(g, n, 0);
    uint64_t count;
    return out && out->has_shape && graph_shape_count(&out->shape, &count) ? count : 0;
}

uint64_t common_parameters(const graph *g, const graph_node *n, uint32_t first) {
    uint64_t total = 0, count;
    for (uint32_t i = first; i < n->input_count; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (v && v->data && v->dtype == DSC_F32 && graph_shape_count(&v->shape, &count)) total += count;
    }
    return total;
}

void common_cost_copy(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_COPY;
}

void common_cost_reshape(const graph *g, const graph_node *n, op_cost *out) {
    (void)g, (void)n;
    out->kind = DSC_KIND_RESHAPE;
}

void common_cost_elementwise(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_ELEMENTWISE;
    out->elementwise = common_elements(g, n);
}

bool common_is_f32(const graph *g, const graph_node *n) {
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (v && v->dtype != DSC_F32) return false;
    }
    for (uint32_t i = 0; i < n->output_count; i++) {
        const graph_value *v = graph_output(g, n, i);
        if (v && v->dtype != DSC_F32) return false;
    }
    return true;
}

dsc_status common_infer_same(graph *g, graph_node *n, dsc_error *err) {
    dsc_status status = common_check(g, n, 1, err);
    if (status) return status;
    const graph_value *x = graph_input(g, n, 0);
    const graph_shape shape = x->shape;
    return op_set_output(g, n, 0, x->dtype, &shape, err);
}

dsc_status common_one_type(const graph *g, const graph_node *n, uint32_t count, dsc_error *err) {
    const graph_value *first = graph_input(g, n, 0);
    for (uint32_t i = 1; i < count; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (!v || v->dtype == first->dtype) continue;
        return op_error(n, err, DSC_BAD_MODEL, "input %u is %s and input 0 is %s; they must be of one type", i,
                        dsc_dtype_name(v->dtype), dsc_dtype_name(first->dtype));
    }
    return DSC_OK;
}

const char common_index_fault[] = "an index is outside of the axis that it is for";

bool common_index(int64_t *index, uint64_t size) {
    if (*index < 0) *index += (int64_t)size;
    return *index >= 0 && (uint64_t)*index < size;
}

void common_ignore_legacy(const graph_node *n, attrs *a) {
    if (n->opset < 6) attrs_ignore(a, "consumed_inputs");
}

const char *common_copy_evaluate(const op_call *c) {
    memcpy(c->outputs[0].out, c->inputs[0].data, (size_t)c->inputs[0].count * dsc_dtype_bytes(c->inputs[0].dtype));
    return NULL;
}
