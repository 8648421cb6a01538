// SPDX-License-Identifier: Apache-2.0
// A node whose inputs are all constants is run once, while planning, by the very steps that would run later.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/ops/conv.h"
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

// The output's elements in the graph's memory. What cannot be run here stays a node; only memory that is out now would
// be blamed on the model later.
static dsc_status fold(graph *g, uint32_t i, weights_store *weights, dsc_error *err) {
    program p;
    uint64_t none = 0;
    char *block = NULL;
    const buffer *out = NULL;
    const graph_node *n = &g->nodes[i];
    program_init(&p, (uint64_t)1 << 28, g->limits.arena_bytes);
    lowering l = {.g = g, .p = &p, .weights = weights, .isa = DSC_ISA_REF, .node = n, .row = UINT32_MAX};
    uint64_t *vanilla = mem_calloc(g->node_count, sizeof *vanilla);
    l.vanilla = vanilla ? vanilla : &none;
    l.values = mem_calloc(g->value_count, sizeof *l.values);
    dsc_status status = vanilla && l.values ? DSC_OK : error_no_memory(err, g->value_count * sizeof *l.values);
    if (status == DSC_OK && n->op == &op_conv) (void)conv_border(g, n, &l.values[n->inputs[0]].pads);
    dsc_status ran = status == DSC_OK ? run_node(&l, n, &out, &block, err) : status;
    if (ran == DSC_NO_MEMORY) status = ran;
    if (ran == DSC_OK) {
        graph_value *v = &g->values[n->outputs[0]];
        size_t bytes = (size_t)out->count * dsc_dtype_bytes(v->dtype);
        void *data = arena_alloc(&g->memory, bytes ? bytes : 1, 1);
        if (data) {
            memcpy(data, buffer_data(out, block), bytes);
            v->data = data;
            v->producer = GRAPH_NONE;
            g->nodes[i].is_removed = true;
        } else {
            status = error_no_memory(err, bytes);
        }
    }
    mem_free(block);
    mem_free(vanilla);
    mem_free(l.values);
    program_close(&p);
    return status;
}

dsc_status pass_fold_constants(rewrite *r, dsc_error *err) {
    graph *g = r->g;
    dsc_error ignored;
    uint64_t work = WORK_MAX;
    dsc_status status = DSC_OK;
    weights_store *weights = weights_create(g->limits.weights_bytes);
    if (!weights) return error_no_memory(err, 0);
    for (uint32_t i = 0; i < g->node_count && status == DSC_OK; i++) {
        const graph_node *n = &g->nodes[i];
        if (is_constant(g, n) && is_affordable(g, n, &work)) status = fold(g, i, weights, err ? err : &ignored);
    }
    weights_free(weights);
    return status;
}
