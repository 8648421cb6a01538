// SPDX-License-Identifier: Apache-2.0
// Operators that have one definition only, their `evaluate`: it computes in doubles here, wherever the model has other
// floating-point numbers, and in the model's own types where these are integers. What a definition means is held by
// ONNX's own cases; what the reference adds is a run without plan, passes and layouts.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/generic/numbers.h"
#include "engine/verify/reference_store.h"

static dsc_dtype type_in_doubles(dsc_dtype dtype) {
    return numbers_is_float(dtype) ? DSC_F64 : dtype;
}

static void *allocate(const op_tensor *t, dsc_error *err) {
    size_t bytes;
    bool fits = mem_mul((size_t)t->count, dsc_dtype_bytes(t->dtype), &bytes);
    void *memory = fits ? mem_calloc(bytes ? bytes : 1, 1) : NULL;
    if (!memory) error_no_memory(err, bytes);
    return memory;
}

// Doubles as the tensor's own type; NULL with a sentence where memory is out.
static void *converted(const op_tensor *t, const double *from, dsc_error *err) {
    op_tensor to = *t;
    to.out = allocate(t, err);
    if (to.out) numbers_store(&to, 0, from, t->count);
    return to.out;
}

static dsc_status set_tensor(const reference_slot *slot, const graph_value *v, op_tensor *t) {
    *t = (op_tensor){.dtype = type_in_doubles(v->dtype), .shape = &v->shape, .data = slot->data};
    return graph_shape_count(&v->shape, &t->count) ? DSC_OK : DSC_BAD_MODEL;
}

static dsc_status set_input(dsc_reference *r, const graph *g, uint32_t value, op_tensor *t, dsc_error *err) {
    const graph_value *v = &g->values[value];
    dsc_status status = set_tensor(&r->slots[value], v, t);
    if (status != DSC_OK || t->dtype == DSC_F64) return status;
    t->data = converted(t, r->slots[value].data, err);
    return t->data ? DSC_OK : DSC_NO_MEMORY;
}

static dsc_status set_output(dsc_reference *r, const graph *g, uint32_t value, op_tensor *t, dsc_error *err) {
    const graph_value *v = &g->values[value];
    dsc_status status = set_tensor(&r->slots[value], v, t);
    t->extent = &r->slots[value].extent;
    t->out = t->dtype == DSC_F64 ? r->slots[value].data : allocate(t, err);
    return t->out ? status : DSC_NO_MEMORY;
}

static void release(op_tensor *t, uint32_t count) {
    union {
        const void *in;
        void *out;
    } memory;
    for (uint32_t i = 0; i < count; i++) {
        if (t[i].dtype == DSC_F64) continue; // a slot's own
        memory.in = t[i].out ? t[i].out : t[i].data;
        mem_free(memory.out);
    }
}

static dsc_status evaluate(dsc_reference *r, const graph *g, const graph_node *n, op_tensor *list, dsc_error *err) {
    op_tensor *outputs = list + n->input_count;
    dsc_status status = DSC_OK;
    for (uint32_t i = 0; i < n->input_count && status == DSC_OK; i++) {
        if (n->inputs[i] != GRAPH_NONE) status = set_input(r, g, n->inputs[i], &list[i], err);
    }
    for (uint32_t i = 0; i < n->output_count && status == DSC_OK; i++) {
        outputs[i].data = NULL;
        if (n->outputs[i] != GRAPH_NONE) status = set_output(r, g, n->outputs[i], &outputs[i], err);
    }
    if (status != DSC_OK) return status;
    op_call call = {.spec = n->spec,
                    .input_count = n->input_count,
                    .output_count = n->output_count,
                    .inputs = list,
                    .outputs = outputs,
                    .end = outputs[0].count};
    const char *fault = n->op->evaluate(&call);
    if (fault) return op_error(n, err, DSC_BAD_VALUE, "%s", fault);
    for (uint32_t i = 0; i < n->output_count; i++) {
        if (n->outputs[i] == GRAPH_NONE || outputs[i].dtype == DSC_F64) continue;
        reference_convert(r->slots[n->outputs[i]].data, outputs[i].out, outputs[i].dtype, outputs[i].count);
    }
    return DSC_OK;
}

dsc_status reference_evaluate(dsc_reference *r, const graph *g, const graph_node *n, dsc_error *err) {
    op_cost cost = {0};
    size_t tensors = (size_t)n->input_count + n->output_count + 1;
    n->op->cost(g, n, &cost);
    if (cost.multiplications > g->limits.multiplications) {
        return op_error(n, err, DSC_TOO_LARGE, "its reference exceeds the limit \"multiplications\" of %llu",
                        (unsigned long long)g->limits.multiplications);
    }
    op_tensor *list = mem_calloc(tensors, sizeof *list);
    if (!list) return error_no_memory(err, tensors * sizeof *list);
    for (size_t i = 0; i < tensors; i++) list[i].dtype = DSC_F64;
    dsc_status status = evaluate(r, g, n, list, err);
    release(list, (uint32_t)tensors);
    mem_free(list);
    if (status == DSC_OK) r->multiplications += cost.multiplications;
    return status;
}
