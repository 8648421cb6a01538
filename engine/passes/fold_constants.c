// SPDX-License-Identifier: Apache-2.0
// A node whose inputs are all constants is run once, while planning, by the very steps that would run later.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/ops/conv/conv.h"
#include "engine/ops/generic.h"
#include "engine/ops/ops.h"
#include "engine/passes/passes.h"

#include <string.h>

#define WORK_MAX ((uint64_t)1 << 26) // multiplications of all nodes that are folded: some tenths of a second

// Whether there is work left for this node. A plan's limit of multiplications is for what runs, and what is folded does
// not: without a bound of its own a small file could keep a planner busy for hours.
static bool is_affordable(const graph *g, const graph_node *n, uint64_t *work) {
    op_cost cost = {0};
    n->op->cost(g, n, &cost);
    uint64_t wanted = cost.multiplications > cost.elementwise ? cost.multiplications : cost.elementwise;
    if (wanted > *work || cost.kind == DSC_KIND_POOL) return false; // a pool's cost does not tell its taps
    *work -= wanted;
    return true;
}

static bool is_constant(const graph *g, const graph_node *n) {
    if (n->output_count != 1 || n->input_count == 0 || n->outputs[0] == GRAPH_NONE) return false;
    if (g->values[n->outputs[0]].has_extent) return false; // a plan has room for the most
    for (uint32_t k = 0; k < n->input_count; k++) {
        const graph_value *v = graph_input(g, n, k);
        if (v && !v->data) return false;
    }
    return true;
}

static dsc_status run_node(lowering *l, const graph_node *n, const buffer **out, char **block, dsc_error *err) {
    dsc_status status = generic_lower(l, err);
    if (status == DSC_OK) *out = lowering_flat(l, n->outputs[0], err);
    if (status != DSC_OK || !*out) return err->status;
    status = program_place_buffers(l->p, true, err);
    if (status != DSC_OK) return status;
    *block = mem_calloc(1, l->p->block_bytes);
    if (!*block) return error_no_memory(err, l->p->block_bytes);
    for (uint32_t i = 0; i < l->p->step_count; i++) {
        const step *s = &l->p->steps[i];
        for (uint32_t tile = 0; tile < s->tiles; tile++) s->run(s->args, *block, tile);
    }
    const char *fault = program_get_fault(l->p, *block); // the block is zeroed: no fault to begin with
    return fault ? op_error(n, err, DSC_BAD_VALUE, "%s", fault) : DSC_OK;
}

// What lowering a node needs, made once for all nodes: one that was lowered leaves traces at its own values only.
typedef struct tables {
    weights_store *weights;
    uint64_t *vanilla;
    lowering_value *values;
} tables;

static void forget(const graph_node *n, lowering_value *values) {
    for (uint32_t k = 0; k < n->input_count; k++) {
        if (n->inputs[k] != GRAPH_NONE) values[n->inputs[k]] = (lowering_value){0};
    }
    for (uint32_t k = 0; k < n->output_count; k++) {
        if (n->outputs[k] != GRAPH_NONE) values[n->outputs[k]] = (lowering_value){0};
    }
}

static dsc_status keep_result(graph *g, uint32_t i, const buffer *out, char *block, dsc_error *err) {
    graph_value *v = &g->values[g->nodes[i].outputs[0]];
    size_t bytes = (size_t)out->count * dsc_dtype_bytes(v->dtype);
    void *data = arena_alloc(&g->memory, bytes ? bytes : 1, 1);
    if (!data) return error_no_memory(err, bytes);
    memcpy(data, buffer_data(out, block), bytes);
    v->data = data;
    v->is_specific = op_is_specific(g, &g->nodes[i]);
    v->producer = GRAPH_NONE;
    g->nodes[i].is_removed = true;
    return DSC_OK;
}

// The output's elements in the graph's memory. What cannot be run here stays a node; only memory that is out now would
// be blamed on the model later.
static dsc_status fold(graph *g, uint32_t i, const tables *t, dsc_error *err) {
    program p;
    char *block = NULL;
    const buffer *out = NULL;
    const graph_node *n = &g->nodes[i];
    program_init(&p, (uint64_t)1 << 28, g->limits.arena_bytes);
    lowering l = {.g = g,
                  .p = &p,
                  .weights = t->weights,
                  .isa = DSC_ISA_REF,
                  .node = n,
                  .row = UINT32_MAX,
                  .vanilla = t->vanilla,
                  .values = t->values};
    if (n->op == &op_conv) (void)conv_border(g, n, &l.values[n->inputs[0]].pads);
    dsc_status status = run_node(&l, n, &out, &block, err);
    if (status == DSC_OK) {
        status = keep_result(g, i, out, block, err);
    } else if (status != DSC_NO_MEMORY) {
        status = DSC_OK;
    }
    forget(n, t->values);
    mem_free(block);
    program_close(&p);
    return status;
}

dsc_status pass_fold_constants(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    dsc_error ignored;
    uint64_t work = WORK_MAX;
    dsc_status status = DSC_OK;
    tables t = {.weights = weights_create(g->limits.weights_bytes),
                .vanilla = mem_calloc((size_t)g->node_count + 1, sizeof *t.vanilla),
                .values = mem_calloc((size_t)g->value_count + 1, sizeof *t.values)};
    if (!t.weights || !t.vanilla || !t.values) status = error_no_memory(err, g->value_count * sizeof *t.values);
    for (uint32_t i = 0; i < g->node_count && status == DSC_OK; i++) {
        const graph_node *n = &g->nodes[i];
        if (is_constant(g, n) && is_affordable(g, n, &work)) status = fold(g, i, &t, err ? err : &ignored);
    }
    weights_free(t.weights);
    mem_free(t.vanilla);
    mem_free(t.values);
    return status;
}
