// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/plan.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/graph/cost.h"
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv.h"
#include "engine/ops/conv/conv_chain.h"
#include "engine/ops/generic.h"
#include "engine/ops/ops.h"
#include "engine/ops/reduce_mean.h"

#include <string.h>

#define PROGRAM_BYTES ((uint64_t)1 << 30) // of steps, arguments and offset tables

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

// The border of a map is what the most demanding convolution among its readers needs.
static void collect_borders(lowering *l) {
    for (uint32_t i = 0; i < l->g->node_count; i++) {
        const graph_node *n = &l->g->nodes[i];
        buffer_pads wanted;
        if (n->op != &op_conv || !conv_border(l->g, n, &wanted)) continue;
        buffer_pads *pads = &l->values[n->inputs[0]].pads;
        pads->top = larger(pads->top, wanted.top);
        pads->left = larger(pads->left, wanted.left);
        pads->bottom = larger(pads->bottom, wanted.bottom);
        pads->right = larger(pads->right, wanted.right);
    }
}

static void collect_averages(lowering *l) {
    for (uint32_t i = 0; i < l->g->node_count; i++) {
        const graph_node *n = &l->g->nodes[i];
        if (reduce_is_map_mean(l->g, n)) l->values[n->inputs[0]].is_averaged = true;
    }
}

static dsc_tensor_info describe(const graph_value *v) {
    dsc_tensor_info info = {.name = v->name, .dtype = v->dtype, .rank = v->shape.rank};
    memcpy(info.dims, v->shape.dims, sizeof info.dims);
    return info;
}

static dsc_status plan_inputs(struct plan *p, lowering *l, dsc_error *err) {
    for (uint32_t i = 0; i < l->g->input_count; i++) {
        uint32_t value = l->g->inputs[i];
        const graph_value *v = &l->g->values[value];
        uint64_t count;
        buffer *b = graph_shape_count(&v->shape, &count) ? program_flat(l->p, v->dtype, count) : NULL;
        if (!b) return error_no_memory(err, count);
        b->is_kept = true;
        p->inputs[i] = (plan_tensor){.info = describe(v), .buffer = b};
        if (!v->data) l->values[value].flat = b; // an input that was given by value is a constant
    }
    return DSC_OK;
}

#define MANY (UINT32_MAX - 1) // readers, while they are counted

// The value's only reader, where a node alone reads it once and it is no output.
static void find_only_readers(const graph *g, uint32_t *readers) {
    for (uint32_t i = 0; i < g->value_count; i++) readers[i] = GRAPH_NONE;
    for (uint32_t i = 0; i < g->output_count; i++) readers[g->outputs[i]] = MANY;
    for (uint32_t i = 0; i < g->node_count; i++) {
        const graph_node *n = &g->nodes[i];
        for (uint32_t k = 0; k <= n->input_count; k++) {
            uint32_t read = k < n->input_count ? n->inputs[k] : n->residual;
            if (read != GRAPH_NONE) readers[read] = readers[read] == GRAPH_NONE ? i : MANY;
        }
    }
    for (uint32_t i = 0; i < g->value_count; i++) readers[i] = readers[i] == MANY ? GRAPH_NONE : readers[i];
}

// Which nodes run as part of a chain: chains[i] is the chain whose last member is node i.
typedef struct chain_map {
    conv_chain *chains; // without a depthwise member: none ends here
    bool *is_inside;    // the node belongs to a chain and is not its last
} chain_map;

static void find_chains(const lowering *l, chain_map *map) {
    const graph *g = l->g;
    for (uint32_t i = 0; i < g->node_count; i++) {
        conv_chain c;
        if (!conv_chain_find(l, &g->nodes[i], &c)) continue;
        size_t before = c.expand ? (size_t)(c.expand - g->nodes) : 0;
        if (c.expand && (map->is_inside[before] || map->chains[before].depthwise)) c.expand = NULL;
        if (!c.expand && !c.project) continue;
        if (c.expand) map->is_inside[c.expand - g->nodes] = true;
        if (c.project) map->is_inside[i] = true;
        map->chains[c.project ? c.project - g->nodes : i] = c;
    }
}

static dsc_status lower_nodes(lowering *l, const chain_map *map, dsc_error *err) {
    for (uint32_t i = 0; i < l->g->node_count; i++) {
        const conv_chain *c = &map->chains[i];
        if (map->is_inside[i]) continue;
        l->node = &l->g->nodes[i];
        l->row = UINT32_MAX;
        dsc_status status = c->depthwise ? conv_chain_lower(l, c, err) : generic_lower(l, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

static dsc_status plan_outputs(struct plan *p, lowering *l, dsc_error *err) {
    for (uint32_t i = 0; i < l->g->output_count; i++) {
        uint32_t value = l->g->outputs[i];
        const graph_value *v = &l->g->values[value];
        buffer *extent = NULL,
               *b = v->has_extent ? lowering_packed(l, value, &extent, err) : lowering_flat(l, value, err);
        if (!b) return err->status;
        (b->view_of ? b->view_of : b)->is_kept = true;
        p->outputs[i] =
            (plan_tensor){.info = describe(v), .buffer = b, .extent = extent, .extent_axis = v->extent_axis};
    }
    return DSC_OK;
}

static bool is_output(const struct plan *p, const buffer *b) {
    for (uint32_t i = 0; i < p->output_count; i++) {
        if (p->outputs[i].buffer == b || p->outputs[i].buffer->view_of == b) return true;
    }
    return false;
}

// An input that the first step packs and nobody else reads: callers may do its work and write pixels where it would.
static void find_pixels(struct plan *p, const lowering *l) {
    for (uint32_t i = 0; i < p->input_count; i++) {
        const lowering_value *state = &l->values[l->g->inputs[i]];
        const buffer *flat = p->inputs[i].buffer;
        const buffer *panels = state->panels;
        if (state->flat != flat || !panels || panels->view_of || panels->lanes != panels->c) continue;
        if (p->inputs[i].info.rank != 4 || flat->last_step != 0 || is_output(p, flat)) continue;
        p->inputs[i].pixels = panels;
    }
}

static dsc_status keep_values(struct plan *p, const lowering *l, dsc_error *err) {
    p->kept = arena_alloc(&p->program.memory, l->g->value_count, sizeof *p->kept);
    if (!p->kept) return error_no_memory(err, l->g->value_count * sizeof *p->kept);
    for (uint32_t i = 0; i < l->g->value_count; i++) {
        const lowering_value *state = &l->values[i];
        const buffer *b = state->flat ? state->flat : state->panels;
        if (b && !l->g->values[i].data)
            p->kept[p->kept_count++] = (plan_tensor){.info = describe(&l->g->values[i]), .buffer = b};
    }
    return DSC_OK;
}

// Texts that passes made belong to the graph; rows keep copies.
static dsc_status copy_texts(program *p, dsc_error *err) {
    for (uint32_t i = 0; i < p->row_count; i++) {
        p->rows[i].fused = arena_string(&p->memory, p->rows[i].fused, strlen(p->rows[i].fused));
        if (!p->rows[i].fused) return error_no_memory(err, 1);
    }
    return DSC_OK;
}

// With values kept every map must be whole in the end: nothing is chained.
static dsc_status lower_graph(lowering *l, bool is_keeping, dsc_error *err) {
    const graph *g = l->g;
    uint32_t *readers = mem_calloc(g->value_count + 1, sizeof *readers);
    chain_map map = {mem_calloc(g->node_count + 1, sizeof *map.chains), mem_calloc(g->node_count + 1, sizeof(bool))};
    dsc_status status = DSC_OK;
    if (!readers || !map.chains || !map.is_inside) status = error_no_memory(err, g->node_count * sizeof *map.chains);
    if (status == DSC_OK) {
        find_only_readers(g, readers);
        l->only_reader = readers;
        if (!is_keeping) find_chains(l, &map);
        status = lower_nodes(l, &map, err);
    }
    mem_free(readers);
    mem_free(map.chains);
    mem_free(map.is_inside);
    return status;
}

static dsc_status build(struct plan *p, lowering *l, bool is_keeping, dsc_error *err) {
    collect_borders(l);
    collect_averages(l);
    dsc_status status = plan_inputs(p, l, err);
    if (status == DSC_OK) status = lower_graph(l, is_keeping, err);
    if (status == DSC_OK) status = plan_outputs(p, l, err);
    if (status == DSC_OK && is_keeping) status = keep_values(p, l, err);
    if (status == DSC_OK && !is_keeping) find_pixels(p, l);
    choice_find_rows(&p->program);
    if (status == DSC_OK) status = copy_texts(&p->program, err);
    if (status == DSC_OK) status = program_place_buffers(&p->program, is_keeping, err);
    return status;
}

dsc_status plan_init(struct plan *p, graph *g, weights_store *weights, const plan_options *options, dsc_error *err) {
    dsc_error reason = {DSC_OK, ""}; // lowering tells failures by it
    *p = (struct plan){.input_count = g->input_count, .output_count = g->output_count};
    program_init(&p->program, PROGRAM_BYTES, g->limits.arena_bytes);
    p->inputs = arena_alloc(&p->program.memory, g->input_count + 1, sizeof *p->inputs);
    p->outputs = arena_alloc(&p->program.memory, g->output_count + 1, sizeof *p->outputs);
    uint64_t *vanilla = mem_calloc(g->node_count + 1, sizeof *vanilla);
    p->own = weights_create(PROGRAM_BYTES);
    lowering l = {.g = g,
                  .p = &p->program,
                  .weights = weights,
                  .own = p->own,
                  .isa = options->isa,
                  .vanilla = vanilla,
                  .threads = options->threads,
                  .timings = options->timings,
                  .timing_count = options->timing_count};
    l.values = mem_calloc(g->value_count + 1, sizeof *l.values);
    dsc_status status = DSC_OK;
    if (!p->inputs || !p->outputs || !vanilla || !p->own || !l.values) {
        status = error_no_memory(&reason, g->value_count * sizeof *l.values);
    }
    if (status == DSC_OK) status = cost_vanilla(g, vanilla, &reason);
    if (status == DSC_OK) status = build(p, &l, options->keep_values, &reason);
    mem_free(vanilla);
    mem_free(l.values);
    if (status == DSC_OK) return DSC_OK;
    if (err) *err = reason;
    plan_close(p);
    return status;
}

void plan_close(struct plan *p) {
    program_close(&p->program);
    weights_free(p->own);
}

uint64_t plan_bytes(const struct plan *p) {
    return p->program.memory.used_bytes + weights_bytes(p->own);
}
