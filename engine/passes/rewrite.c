// SPDX-License-Identifier: Apache-2.0
#include "engine/passes/rewrite.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

static void count_reader(rewrite *r, uint32_t value, uint32_t node) {
    if (value == GRAPH_NONE) return;
    if (r->reader_count[value]++ == 0) r->first_reader[value] = node;
}

dsc_status rewrite_init(rewrite *r, graph *g, dsc_error *err) {
    *r = (rewrite){.g = g, .value_capacity = g->value_count};
    r->reader_count = mem_calloc(g->value_count + 1, sizeof(uint32_t));
    r->first_reader = mem_calloc(g->value_count + 1, sizeof(uint32_t));
    r->replacement = mem_calloc(g->value_count + 1, sizeof(uint32_t));
    if (!r->reader_count || !r->first_reader || !r->replacement) {
        mem_free(r->reader_count);
        mem_free(r->first_reader);
        mem_free(r->replacement);
        return error_no_memory(err, (size_t)g->value_count * 3 * sizeof(uint32_t));
    }
    for (uint32_t i = 0; i < g->value_count; i++) {
        r->replacement[i] = i;
        r->first_reader[i] = GRAPH_NONE;
    }
    for (uint32_t i = 0; i < g->node_count; i++) {
        const graph_node *n = &g->nodes[i];
        for (uint32_t k = 0; k < n->input_count; k++) count_reader(r, n->inputs[k], i);
        count_reader(r, n->residual, i);
    }
    for (uint32_t i = 0; i < g->output_count; i++) count_reader(r, g->outputs[i], GRAPH_NONE);
    return DSC_OK;
}

// Follows chains of replacements and shortens them, so that a sweep over all values is linear.
static uint32_t resolve(rewrite *r, uint32_t value) {
    if (value == GRAPH_NONE || value >= r->value_capacity) return value;
    uint32_t end = value;
    while (end < r->value_capacity && r->replacement[end] != end) end = r->replacement[end];
    while (value < r->value_capacity && r->replacement[value] != end && value != end) {
        uint32_t next = r->replacement[value];
        r->replacement[value] = end;
        value = next;
    }
    return end;
}

// Backwards, so that a node that only removed nodes read goes, too.
static void remove_unread(rewrite *r) {
    graph *g = r->g;
    bool *is_read = mem_calloc(g->value_count + 1, sizeof *is_read);
    if (!is_read) return; // unread nodes cost time, nothing else
    for (uint32_t i = 0; i < g->output_count; i++) is_read[g->outputs[i]] = true;
    for (uint32_t i = g->node_count; i-- > 0;) {
        graph_node *n = &g->nodes[i];
        bool is_needed = false;
        for (uint32_t k = 0; k < n->output_count; k++)
            is_needed |= n->outputs[k] != GRAPH_NONE && is_read[n->outputs[k]];
        if (n->is_removed || !is_needed) {
            n->is_removed = true;
            continue;
        }
        for (uint32_t k = 0; k < n->input_count; k++) {
            if (n->inputs[k] != GRAPH_NONE) is_read[n->inputs[k]] = true;
        }
        if (n->residual != GRAPH_NONE) is_read[n->residual] = true;
    }
    mem_free(is_read);
}

void rewrite_close(rewrite *r) {
    graph *g = r->g;
    for (uint32_t i = 0; i < g->node_count; i++) {
        graph_node *n = &g->nodes[i];
        for (uint32_t k = 0; k < n->input_count; k++) n->inputs[k] = resolve(r, n->inputs[k]);
        n->residual = resolve(r, n->residual);
    }
    for (uint32_t i = 0; i < g->output_count; i++) g->outputs[i] = resolve(r, g->outputs[i]);
    remove_unread(r);
    graph_compact(g);
    mem_free(r->reader_count);
    mem_free(r->first_reader);
    mem_free(r->replacement);
}

graph_node *rewrite_only_reader(const rewrite *r, uint32_t i) {
    uint32_t value = r->g->nodes[i].outputs[0];
    if (value == GRAPH_NONE || value >= r->value_capacity || r->reader_count[value] != 1) return NULL;
    uint32_t reader = r->first_reader[value];
    if (reader == GRAPH_NONE || r->g->nodes[reader].is_removed) return NULL;
    return &r->g->nodes[reader];
}

void rewrite_replace(rewrite *r, uint32_t from, uint32_t to) {
    r->replacement[from] = to;
    r->reader_count[to] += r->reader_count[from] - 1; // the removed node was one reader
    if (r->reader_count[to] == 1) r->first_reader[to] = r->first_reader[from];
}

void rewrite_take_output(rewrite *r, uint32_t keep, uint32_t gone) {
    graph *g = r->g;
    g->nodes[keep].outputs[0] = g->nodes[gone].outputs[0];
    g->values[g->nodes[keep].outputs[0]].producer = keep;
    g->nodes[gone].is_removed = true;
}

void rewrite_move_into(rewrite *r, uint32_t keep, uint32_t gone) {
    graph *g = r->g;
    graph_node merged = g->nodes[keep];
    uint32_t *outputs = g->nodes[gone].outputs;
    g->nodes[keep].is_removed = true;
    merged.outputs = outputs;
    merged.output_count = 1;
    for (uint32_t k = 0; k < merged.input_count; k++) {
        uint32_t value = merged.inputs[k];
        bool is_first = value != GRAPH_NONE && value < r->value_capacity && r->first_reader[value] == keep;
        if (is_first) r->first_reader[value] = gone;
    }
    g->nodes[gone] = merged;
}

dsc_status rewrite_note_fused(rewrite *r, uint32_t keep, const char *type, uint64_t elementwise, dsc_error *err) {
    graph_node *n = &r->g->nodes[keep];
    n->fused = arena_printf(&r->g->memory, "%s%s%s", n->fused, *n->fused ? "+" : "", type);
    n->fused_elementwise += elementwise;
    return n->fused ? DSC_OK : error_no_memory(err, 64);
}
