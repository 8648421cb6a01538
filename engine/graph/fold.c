// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/fold.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/graph/extent.h"

static op_tensor tensor_of(const graph_value *v) {
    op_tensor t = {0};
    if (!v) return t;
    t = (op_tensor){.dtype = v->dtype, .shape = &v->shape, .data = v->data};
    if (!graph_shape_count(&v->shape, &t.count)) t.count = 0;
    return t;
}

op_call fold_call(const graph *g, const graph_node *n, const fold_room *room) {
    for (uint32_t i = 0; i < n->input_count; i++) room->inputs[i] = tensor_of(graph_input(g, n, i));
    for (uint32_t i = 0; i < n->output_count; i++) room->outputs[i] = tensor_of(graph_output(g, n, i));
    return (op_call){.spec = n->spec,
                     .input_count = n->input_count,
                     .output_count = n->output_count,
                     .inputs = room->inputs,
                     .outputs = room->outputs,
                     .end = n->output_count ? room->outputs[0].count : 0};
}

static bool is_small(const graph_value *v, uint64_t *work) {
    uint64_t count;
    if (!v) return true;
    if (!graph_shape_count(&v->shape, &count) || count > FOLD_ELEMENTS) return false;
    *work += count + 1;
    return true;
}

static bool can_fold(const graph *g, const graph_node *n, uint64_t *work) {
    op_cost cost = {0};
    uint64_t needed = 0;
    if (!n->op->evaluate || n->is_removed || n->residual != GRAPH_NONE || n->act != GRAPH_ACT_NONE) return false;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const graph_value *v = graph_input(g, n, i);
        if (v && !v->data && !n->op->ignores_values) return false;
        if (!n->op->ignores_values && !is_small(v, &needed)) return false;
    }
    for (uint32_t i = 0; i < n->output_count; i++) {
        if (!is_small(graph_output(g, n, i), &needed)) return false;
    }
    n->op->cost(g, n, &cost);
    if (cost.kind <= DSC_KIND_POOL) return false; // worth a kernel: the pass folds it by its steps
    if (cost.multiplications > FOLD_WORK || cost.elementwise > FOLD_WORK) return false;
    needed += cost.multiplications + cost.elementwise;
    if (needed > *work) return false;
    *work -= needed;
    return true;
}

// A constant is as long as was found.
static void settle_extent(graph_value *v, const op_tensor *t) {
    if (!v->has_extent) return;
    extent_pack(t->out, t->out, &v->shape, v->extent_axis, *t->extent, dsc_dtype_bytes(t->dtype));
    v->shape.dims[v->extent_axis] = *t->extent;
    v->has_extent = false;
}

static dsc_status compute(graph *g, const graph_node *n, const fold_room *room, dsc_error *err) {
    op_call call = fold_call(g, n, room);
    for (uint32_t i = 0; i < n->output_count; i++) {
        room->outputs[i].extent = &room->extents[i];
        size_t bytes = (size_t)room->outputs[i].count * dsc_dtype_bytes(room->outputs[i].dtype);
        if (!graph_output(g, n, i)) continue;
        room->outputs[i].out = arena_alloc(&g->memory, bytes ? bytes : 1, 1);
        if (!room->outputs[i].out) return error_no_memory(err, bytes);
    }
    const char *fault = n->op->evaluate(&call);
    return fault ? op_error(n, err, DSC_BAD_VALUE, "%s", fault) : DSC_OK;
}

dsc_status fold_node(graph *g, uint32_t i, uint64_t *work, dsc_error *err) {
    graph_node *n = &g->nodes[i];
    if (!can_fold(g, n, work)) return DSC_OK;
    size_t tensors = (size_t)n->input_count + n->output_count + 1;
    op_tensor *list = mem_calloc(tensors, sizeof *list + sizeof(int64_t));
    if (!list) return error_no_memory(err, tensors * sizeof *list);
    fold_room room = {list, list + n->input_count, (int64_t *)(list + tensors)};
    dsc_status status = compute(g, n, &room, err);
    for (uint32_t k = 0; k < n->output_count && status == DSC_OK; k++) {
        graph_value *v = graph_output(g, n, k);
        if (!v) continue;
        settle_extent(v, &room.outputs[k]);
        v->data = room.outputs[k].out;
        v->is_specific = op_is_specific(g, n);
        v->producer = GRAPH_NONE;
        n->is_removed = true;
    }
    mem_free(list);
    return status;
}
