// SPDX-License-Identifier: Apache-2.0
// Producers before consumers. A valid file is sorted already and keeps its order: each node is visited in the file's
// order, after the producers that it still lacks. A stack of our own, because a chain may be 20,000 nodes long.
#include "engine/base/error.h"
#include "engine/onnx/importer.h"

enum { NEW = 0, OPEN, DONE };

typedef struct walk {
    import_node *nodes;
    const uint32_t *producers;
    uint32_t *stack, depth;
    uint32_t *order, done;
} walk;

// The next producer of node `n` that is not done yet, or GRAPH_NONE.
static uint32_t next_producer(const walk *w, import_node *n) {
    while (n->cursor < n->input_count) {
        uint32_t value = n->inputs[n->cursor++];
        uint32_t producer = value == GRAPH_NONE ? GRAPH_NONE : w->producers[value];
        if (producer != GRAPH_NONE && w->nodes[producer].state != DONE) return producer;
    }
    return GRAPH_NONE;
}

static void push(walk *w, uint32_t node) {
    w->nodes[node].state = OPEN;
    w->stack[w->depth++] = node;
}

static dsc_status visit(walk *w, uint32_t first, dsc_error *err) {
    push(w, first);
    while (w->depth) {
        uint32_t node = w->stack[w->depth - 1];
        uint32_t producer = next_producer(w, &w->nodes[node]);
        if (producer == GRAPH_NONE) {
            w->nodes[node].state = DONE;
            w->order[w->done++] = node;
            w->depth--;
        } else if (w->nodes[producer].state == OPEN) {
            return import_node_error(&w->nodes[producer], err, DSC_BAD_MODEL,
                                     "it is part of a cycle: its input depends on its own output");
        } else {
            push(w, producer);
        }
    }
    return DSC_OK;
}

dsc_status import_order(importer *im, import_node *nodes, uint32_t count, const uint32_t *producers, uint32_t *order,
                        dsc_error *err) {
    walk w = {.nodes = nodes, .producers = producers, .order = order};
    w.stack = arena_alloc(&im->scratch, count ? count : 1, sizeof *w.stack);
    if (!w.stack) return import_no_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i].state == DONE) continue;
        dsc_status status = visit(&w, i, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}
