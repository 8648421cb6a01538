// SPDX-License-Identifier: Apache-2.0
// Walks a graph in order and hands every node to the reference of its operator.
#include "engine/verify/reference.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/graph/extent.h"
#include "engine/ops/ops.h"
#include "engine/verify/reference_job.h"
#include "engine/verify/reference_store.h"

typedef struct reference_row {
    const op *op;
    reference_fn run;
} reference_row;

static const reference_row rows[] = {
#define REFERENCE(op, function) {&op, function},
#include "engine/verify/reference_list.inc"
#undef REFERENCE
};

static reference_fn find(const op *wanted) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].op == wanted) return rows[i].run;
    }
    return NULL;
}

bool reference_has(const op *wanted) {
    return wanted->evaluate || find(wanted);
}

static dsc_status load(dsc_reference *r, const graph *g, uint32_t value, const void *bytes, dsc_error *err) {
    uint64_t count;
    const graph_value *v = &g->values[value];
    dsc_status status = reference_alloc(r, g, value, err);
    if (status != DSC_OK) return status;
    if (graph_shape_count(&v->shape, &count)) reference_convert(r->slots[value].data, bytes, v->dtype, count);
    return DSC_OK;
}

static dsc_status load_inputs(dsc_reference *r, const graph *g, const void *const *inputs, dsc_error *err) {
    for (uint32_t i = 0; i < g->input_count; i++) {
        const graph_value *v = &g->values[g->inputs[i]];
        const void *bytes = v->data ? v->data : inputs ? inputs[i] : NULL;
        if (!bytes) return error_set(err, DSC_BAD_ARGUMENT, "input \"%.100s\" has no values", v->name);
        if (v->data) continue; // a constant, loaded where it is used
        dsc_status status = load(r, g, g->inputs[i], bytes, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

// Constants become doubles for the time of one node, so that a large model's weights are not held a second time.
static dsc_status load_constant(dsc_reference *r, const graph *g, uint32_t value, dsc_error *err) {
    const graph_value *v = &g->values[value];
    if (r->slots[value].data) return DSC_OK;
    if (!v->data) return error_set(err, DSC_BAD_MODEL, "the value \"%.100s\" is read but never computed", v->name);
    return load(r, g, value, v->data, err);
}

static dsc_status gather(dsc_reference *r, reference_job *j, dsc_error *err) {
    for (uint32_t i = 0; i < j->input_count; i++) {
        uint32_t value = j->n->inputs[i];
        if (value == GRAPH_NONE) continue;
        dsc_status status = load_constant(r, j->g, value, err);
        if (status != DSC_OK) return status;
        j->inputs[i].data = r->slots[value].data;
        j->inputs[i].shape = &j->g->values[value].shape;
        if (!graph_shape_count(j->inputs[i].shape, &j->inputs[i].count)) return DSC_BAD_MODEL;
    }
    return DSC_OK;
}

static dsc_status add_outputs(dsc_reference *r, reference_job *j, dsc_error *err) {
    for (uint32_t i = 0; i < j->n->output_count; i++) {
        uint32_t value = j->n->outputs[i];
        if (value == GRAPH_NONE) continue;
        dsc_status status = reference_alloc(r, j->g, value, err);
        if (status != DSC_OK) return status;
        r->order[r->order_count++] = value;
        if (i == 1) j->second = r->slots[value].data;
        if (i > 0) continue;
        j->out = r->slots[value].data;
        j->shape = &j->g->values[value].shape;
        if (!graph_shape_count(j->shape, &j->count)) return DSC_BAD_MODEL;
    }
    return j->out ? DSC_OK : op_error(j->n, err, DSC_BAD_MODEL, "output 0 is missing");
}

// The operator's own definition in doubles, where the node is one that a plan computes fast: the second truth. NULL:
// its `evaluate` is the only one.
static reference_fn choose(const graph *g, const graph_node *n) {
    reference_fn own = find(n->op);
    return n->op->evaluate && !op_is_fast(g, n) ? NULL : own;
}

static dsc_status run_node(dsc_reference *r, const graph *g, const graph_node *n, dsc_error *err) {
    reference_job j = {.g = g, .n = n, .input_count = n->input_count};
    reference_fn run = choose(g, n);
    bool is_known = run ? n->output_count <= 2 : n->op->evaluate != NULL;
    if (!is_known || n->act != GRAPH_ACT_NONE || n->residual != GRAPH_NONE) {
        return op_error(n, err, DSC_UNSUPPORTED, "there is no reference for this operator, or a pass has changed it");
    }
    j.inputs = mem_calloc(n->input_count + 1u, sizeof *j.inputs);
    if (!j.inputs) return error_no_memory(err, n->input_count * sizeof *j.inputs);
    dsc_status status = gather(r, &j, err);
    if (status == DSC_OK) status = add_outputs(r, &j, err);
    if (status == DSC_OK) status = run ? run(&j, err) : reference_evaluate(r, g, n, err);
    r->multiplications += j.multiplications;
    for (uint32_t i = 0; i < n->input_count; i++) {
        uint32_t value = n->inputs[i];
        if (value != GRAPH_NONE && g->values[value].data && r->slots[value].data) reference_drop(r, g, value);
    }
    mem_free(j.inputs);
    return status;
}

// What goes out is as long as was found; the second time, where two outputs are one value, it is so already.
static void settle_extent(dsc_reference *r, const graph *g, uint32_t value) {
    const graph_value *v = &g->values[value];
    reference_slot *slot = &r->slots[value];
    if (!v->has_extent || slot->info.dims[v->extent_axis] != v->shape.dims[v->extent_axis]) return;
    int64_t length = r->slots[v->extent_of].extent;
    extent_pack(slot->data, slot->data, &v->shape, v->extent_axis, length, sizeof *slot->data);
    slot->info.dims[v->extent_axis] = length;
}

dsc_status reference_run(const graph *g, const void *const *inputs, dsc_reference **out, dsc_error *err) {
    dsc_reference *r = reference_create(g);
    if (!r) return error_no_memory(err, sizeof *r);
    dsc_status status = load_inputs(r, g, inputs, err);
    for (uint32_t i = 0; i < g->node_count && status == DSC_OK; i++) {
        if (!g->nodes[i].is_removed) status = run_node(r, g, &g->nodes[i], err);
    }
    for (uint32_t i = 0; i < g->output_count && status == DSC_OK; i++) {
        status = load_constant(r, g, g->outputs[i], err);
        if (status == DSC_OK) settle_extent(r, g, g->outputs[i]);
    }
    if (status != DSC_OK) {
        dsc_reference_free(r);
        return status;
    }
    *out = r;
    return DSC_OK;
}
