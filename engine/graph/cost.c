// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/cost.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <string.h>

#define READERS_MAX 4  // a value inside a pair has at most a few readers
#define CHAIN_MAX   16 // nodes between a depthwise and its pointwise convolution, or inside a gate

// The first readers of every value.
typedef struct readers {
    uint32_t count;
    uint32_t nodes[READERS_MAX];
} readers;

static bool is_op(const graph_node *n, const char *type) {
    return strcmp(n->op->type, type) == 0;
}

static void add_reader(readers *all, uint32_t value, uint32_t node) {
    if (value == GRAPH_NONE) return;
    readers *r = &all[value];
    if (r->count < READERS_MAX) r->nodes[r->count] = node;
    r->count++;
}

static readers *find_readers(const graph *g) {
    readers *all = mem_calloc(g->value_count + 1, sizeof *all);
    if (!all) return NULL;
    for (uint32_t i = 0; i < g->node_count; i++) {
        const graph_node *n = &g->nodes[i];
        for (uint32_t k = 0; k < n->input_count; k++) add_reader(all, n->inputs[k], i);
        add_reader(all, n->residual, i);
    }
    for (uint32_t i = 0; i < g->output_count; i++) add_reader(all, g->outputs[i], GRAPH_NONE);
    return all;
}

static bool passes_on(const graph_node *n, const op_cost *cost) {
    return cost->kind == DSC_KIND_ACTIVATION || is_op(n, "BatchNormalization") || is_op(n, "Identity") ||
           is_op(n, "Dropout");
}

// Whether everything computed from node `from` ends in node `gate` and nowhere else, along a chain of single readers.
static bool leads_to(const graph *g, const readers *all, uint32_t from, uint32_t gate) {
    for (int i = 0; i < CHAIN_MAX; i++) {
        if (from == gate) return true;
        const readers *r = &all[g->nodes[from].outputs[0]];
        if (r->count == 2 && r->nodes[0] != GRAPH_NONE && r->nodes[1] != GRAPH_NONE) { // x * sigmoid(x) inside the gate
            const graph_node *second = &g->nodes[r->nodes[1]];
            const readers *inner = &all[g->nodes[r->nodes[0]].outputs[0]];
            bool is_meeting = is_op(second, "Mul") && inner->count == 1 && inner->nodes[0] == r->nodes[1];
            if (!is_meeting) return false;
            from = r->nodes[1];
        } else if (r->count == 1 && r->nodes[0] != GRAPH_NONE) {
            from = r->nodes[0];
        } else {
            return false;
        }
    }
    return false;
}

// A convolution with a fourth input multiplies by it first (passes/fuse_gate.c).
static bool is_product(const graph_node *n) {
    return is_op(n, "Mul") || (is_op(n, "Conv") && n->input_count > 3);
}

// The one node that everything read from `value` comes to: its only reader, or the product that its readers meet in.
static uint32_t next_of(const graph *g, const readers *all, uint32_t value) {
    const readers *r = &all[value];
    if (r->count == 1) return r->nodes[0];
    if (r->count == 0 || r->count > READERS_MAX) return GRAPH_NONE;
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t gate = r->nodes[i];
        if (gate == GRAPH_NONE || !is_product(&g->nodes[gate])) continue;
        uint32_t meeting = 0;
        for (uint32_t k = 0; k < r->count; k++) {
            meeting += r->nodes[k] != GRAPH_NONE && leads_to(g, all, r->nodes[k], gate);
        }
        if (meeting == r->count) return gate;
    }
    return GRAPH_NONE;
}

// The pointwise node that pairs with depthwise node `at`, or GRAPH_NONE.
static uint32_t find_pointwise(const graph *g, const readers *all, uint32_t at) {
    for (int i = 0; i < CHAIN_MAX; i++) {
        uint32_t value = g->nodes[at].outputs[0];
        uint32_t next = next_of(g, all, value);
        if (next == GRAPH_NONE || g->nodes[next].residual == value) return GRAPH_NONE;
        const graph_node *n = &g->nodes[next];
        op_cost cost = {0};
        n->op->cost(g, n, &cost);
        if (cost.kind == DSC_KIND_POINTWISE && n->inputs[0] == value) return next;
        bool is_gate = is_op(n, "Mul") && all[value].count > 1;
        bool is_gated = is_op(n, "Mul") && cost.kind == DSC_KIND_GATE && n->inputs[0] == value;
        if (!passes_on(n, &cost) && !is_gate && !is_gated) return GRAPH_NONE;
        if (n->residual != GRAPH_NONE) return GRAPH_NONE;
        at = next;
    }
    return GRAPH_NONE;
}

static dsc_status too_many(const graph *g, dsc_error *err) {
    return error_set(err, DSC_TOO_LARGE,
                     "one run would need more multiplications than the limit \"multiplications\" of %llu",
                     (unsigned long long)g->limits.multiplications);
}

dsc_status cost_vanilla(const graph *g, uint64_t *vanilla, dsc_error *err) {
    readers *all = find_readers(g);
    if (!all) return error_no_memory(err, g->value_count * sizeof *all);
    dsc_status status = DSC_OK;
    uint64_t total = 0;
    for (uint32_t i = 0; i < g->node_count && status == DSC_OK; i++) {
        op_cost cost = {0};
        g->nodes[i].op->cost(g, &g->nodes[i], &cost);
        vanilla[i] = cost.multiplications;
        bool is_over = __builtin_add_overflow(total, cost.multiplications, &total) ||
                       __builtin_add_overflow(total, cost.elementwise, &total);
        if (is_over || total > g->limits.multiplications) status = too_many(g, err);
    }
    for (uint32_t i = 0; i < g->node_count && status == DSC_OK; i++) {
        op_cost cost = {0};
        g->nodes[i].op->cost(g, &g->nodes[i], &cost);
        uint32_t pointwise = cost.depthwise_taps ? find_pointwise(g, all, i) : GRAPH_NONE;
        if (pointwise == GRAPH_NONE) continue;
        vanilla[i] = 0;
        if (__builtin_mul_overflow(vanilla[pointwise], cost.depthwise_taps, &vanilla[pointwise])) {
            status = too_many(g, err);
        }
    }
    mem_free(all);
    return status;
}
