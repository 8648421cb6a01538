// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/generic.h"

#include "engine/base/error.h"
#include "engine/generic/common.h"
#include "engine/generic/flat.h"

#include <string.h>

// One tensor of the node; no buffer where it is left out.
typedef struct generic_tensor {
    const buffer *buffer;
    const buffer *extent; // of an output whose length depends on values, else NULL
    graph_shape shape;
    op_tensor tensor;
} generic_tensor;

typedef struct generic_args {
    const op *op;
    const void *spec;
    uint32_t input_count, output_count;
    generic_tensor *tensors; // inputs, then outputs
    const buffer *fault;
    uint64_t count, per_tile;
} generic_args;

static void run_tile(const void *args, char *block, uint32_t tile) {
    const generic_args *a = args;
    op_tensor tensors[OP_TENSORS_MAX];
    for (uint32_t i = 0; i < a->input_count + a->output_count; i++) {
        const generic_tensor *t = &a->tensors[i];
        tensors[i] = t->tensor;
        if (!t->buffer) continue;
        void *bytes = buffer_data(t->buffer, block);
        if (i < a->input_count) {
            tensors[i].data = bytes;
        } else {
            tensors[i].out = bytes;
            if (t->extent) tensors[i].extent = buffer_data(t->extent, block);
        }
    }
    uint64_t begin = tile * a->per_tile, left = a->count - begin;
    op_call call = {.spec = a->spec,
                    .input_count = a->input_count,
                    .output_count = a->output_count,
                    .inputs = tensors,
                    .outputs = tensors + a->input_count,
                    .begin = begin,
                    .end = begin + (left < a->per_tile ? left : a->per_tile)};
    const char *fault = a->op->evaluate(&call);
    if (fault) program_set_fault(a->fault, block, fault);
}

static dsc_status add_extent(lowering *l, uint32_t value, generic_tensor *t, dsc_error *err) {
    const graph_value *v = &l->g->values[value];
    if (!v->has_extent || v->extent_of != value) return DSC_OK;
    buffer *b = l->values[value].extent = program_flat(l->p, DSC_I64, 1);
    if (!b) return error_no_memory(err, sizeof *b);
    b->is_kept = true;
    t->extent = b;
    return DSC_OK;
}

static dsc_status add_tensors(lowering *l, const graph_node *n, generic_args *a, buffer **uses, dsc_error *err) {
    for (uint32_t i = 0; i < a->input_count + a->output_count; i++) {
        bool is_input = i < a->input_count;
        uint32_t index = is_input ? i : i - a->input_count;
        uint32_t value = is_input ? n->inputs[index] : n->outputs[index];
        generic_tensor *t = &a->tensors[i];
        if (value == GRAPH_NONE) continue;
        uses[i] = is_input ? lowering_flat(l, value, err) : lowering_out_flat(l, n, index, err);
        if (!uses[i]) return err->status;
        t->buffer = uses[i];
        t->shape = l->g->values[value].shape;
        t->tensor = (op_tensor){.dtype = uses[i]->dtype, .shape = &t->shape, .count = uses[i]->count};
        dsc_status status = is_input ? DSC_OK : add_extent(l, value, t, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

// Pieces that threads share, by the work in them.
static dsc_status cut(const lowering *l, const graph_node *n, generic_args *a, uint32_t *tiles, dsc_error *err) {
    op_cost cost = {0};
    *tiles = 1;
    a->per_tile = a->count;
    if (!n->op->has_ranges || !a->count) return DSC_OK;
    n->op->cost(l->g, n, &cost);
    uint64_t work = cost.multiplications > cost.elementwise ? cost.multiplications : cost.elementwise;
    return flat_tiles(a->count, work / a->count, tiles, &a->per_tile) ? DSC_OK : common_too_many(n, err);
}

static dsc_status lower_evaluate(lowering *l, const graph_node *n, dsc_error *err) {
    uint32_t count = n->input_count + n->output_count;
    generic_args *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!a) return err->status;
    if (count > OP_TENSORS_MAX) return op_error(n, err, DSC_UNSUPPORTED, "it has more than %d tensors", OP_TENSORS_MAX);
    *a = (generic_args){.op = n->op, .input_count = n->input_count, .output_count = n->output_count};
    a->tensors = lowering_alloc(l, count, sizeof *a->tensors, err);
    void *spec = lowering_alloc(l, n->spec_bytes + 1, 1, err);
    buffer *uses[OP_TENSORS_MAX + 1] = {NULL};
    if (!a->tensors || !spec) return err->status;
    if (n->spec_bytes) memcpy(spec, n->spec, n->spec_bytes);
    a->spec = spec;
    dsc_status status = add_tensors(l, n, a, uses, err);
    buffer *fault = status == DSC_OK ? program_fault(l->p) : NULL;
    if (status != DSC_OK) return status;
    if (!fault) return error_no_memory(err, sizeof *fault);
    a->fault = fault;
    a->count = a->tensors[n->input_count].tensor.count;
    uses[count] = fault;
    lowering_step_args s = {.run = run_tile, .args = a, .kernel = "generic_ref"};
    status = cut(l, n, a, &s.tiles, err);
    if (status == DSC_OK) status = lowering_step(l, &s, err);
    if (status == DSC_OK) lowering_uses(l, uses, count + 1);
    return status;
}

static bool is_empty(const graph_value *v) {
    uint64_t count;
    return v && graph_shape_count(&v->shape, &count) && count == 0;
}

static dsc_status lower_empty(lowering *l, const graph_node *n, dsc_error *err) {
    for (uint32_t i = 0; i < n->output_count; i++) {
        if (n->outputs[i] != GRAPH_NONE && !lowering_out_flat(l, n, i, err)) return err->status;
    }
    return DSC_OK;
}

dsc_status generic_lower(lowering *l, dsc_error *err) {
    const graph_node *n = l->node;
    bool has_empty = false, is_all_empty = true;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *v = graph_input(l->g, n, i);
        has_empty |= is_empty(v) && (!v->data || v->dtype != DSC_I64); // no axes: `infer` has read that
    }
    for (uint32_t i = 0; i < n->output_count; i++) {
        const graph_value *v = graph_output(l->g, n, i);
        is_all_empty &= !v || (is_empty(v) && !v->has_extent);
    }
    if (is_all_empty) return lower_empty(l, n, err);
    if (n->op->evaluate && (has_empty || !op_is_fast(l->g, n))) return lower_evaluate(l, n, err);
    if (!has_empty) return n->op->lower(l, n, err);
    return op_error(n, err, DSC_UNSUPPORTED, "an input is empty, which is not supported for this operator");
}
