// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/graph.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <stdio.h>
#include <string.h>

#define GRAPH_OVERHEAD_BYTES ((size_t)256 << 20) // names, nodes and parameters beside the weights

graph *graph_create(const dsc_limits *limits) {
    graph *g = mem_calloc(1, sizeof *g);
    if (!g) return NULL;
    size_t budget;
    if (!mem_add((size_t)limits->weights_bytes, GRAPH_OVERHEAD_BYTES, &budget)) budget = SIZE_MAX;
    arena_init(&g->memory, budget);
    g->limits = *limits;
    g->producer = "";
    return g;
}

void graph_free(graph *g) {
    if (!g) return;
    arena_close(&g->memory);
    mem_free(g->values);
    mem_free(g->nodes);
    mem_free(g);
}

static uint32_t *copy_list(arena *memory, const uint32_t *list, uint32_t count) {
    uint32_t *copy = arena_alloc(memory, count ? count : 1, sizeof *copy);
    if (copy && count) memcpy(copy, list, count * sizeof *copy);
    return copy;
}

static bool clone_nodes(graph *g, const graph *original) {
    for (uint32_t i = 0; i < original->node_count; i++) {
        graph_node *n = &g->nodes[i];
        n->spec = NULL;
        n->inputs = copy_list(&g->memory, n->inputs, n->input_count);
        n->outputs = copy_list(&g->memory, n->outputs, n->output_count);
        if (!n->inputs || !n->outputs) return false;
    }
    return true;
}

graph *graph_clone(const graph *original) {
    graph *g = graph_create(&original->limits);
    if (!g) return NULL;
    g->producer = original->producer;
    g->opset = original->opset;
    g->values = mem_alloc(original->value_count * sizeof *g->values);
    g->nodes = mem_alloc(original->node_count * sizeof *g->nodes);
    g->inputs = copy_list(&g->memory, original->inputs, original->input_count);
    g->outputs = copy_list(&g->memory, original->outputs, original->output_count);
    if (!g->values || !g->nodes || !g->inputs || !g->outputs) goto fail;
    if (original->value_count) memcpy(g->values, original->values, original->value_count * sizeof *g->values);
    if (original->node_count) memcpy(g->nodes, original->nodes, original->node_count * sizeof *g->nodes);
    g->value_count = g->value_capacity = original->value_count;
    g->node_count = g->node_capacity = original->node_count;
    g->input_count = original->input_count;
    g->output_count = original->output_count;
    if (!clone_nodes(g, original)) goto fail;
    return g;
fail:
    graph_free(g);
    return NULL;
}

// Room for one more element of `size` bytes in a growing array.
static bool make_room(void **array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return true;
    if (*capacity > UINT32_MAX / 4) return false;
    uint32_t grown = *capacity ? *capacity * 2 : 64;
    void *larger = mem_calloc(grown, size);
    if (!larger) return false;
    if (count) memcpy(larger, *array, count * size);
    mem_free(*array);
    *array = larger;
    *capacity = grown;
    return true;
}

uint32_t graph_add_value(graph *g, const char *name) {
    void *array = g->values;
    if (!make_room(&array, g->value_count, &g->value_capacity, sizeof *g->values)) return GRAPH_NONE;
    g->values = array;
    g->values[g->value_count] = (graph_value){.name = name, .producer = GRAPH_NONE};
    return g->value_count++;
}

uint32_t graph_add_node(graph *g, const struct op *op, const char *name, uint32_t inputs, uint32_t outputs) {
    void *array = g->nodes;
    if (g->node_count >= g->limits.nodes) return GRAPH_NONE;
    if (!make_room(&array, g->node_count, &g->node_capacity, sizeof *g->nodes)) return GRAPH_NONE;
    g->nodes = array;
    graph_node n = {.name = name, .op = op, .opset = g->opset, .input_count = inputs, .output_count = outputs};
    n.residual = GRAPH_NONE;
    n.fused = "";
    n.inputs = arena_alloc(&g->memory, inputs ? inputs : 1, sizeof *n.inputs);
    n.outputs = arena_alloc(&g->memory, outputs ? outputs : 1, sizeof *n.outputs);
    if (!n.inputs || !n.outputs) return GRAPH_NONE;
    for (uint32_t i = 0; i < inputs; i++) n.inputs[i] = GRAPH_NONE;
    for (uint32_t i = 0; i < outputs; i++) n.outputs[i] = GRAPH_NONE;
    g->nodes[g->node_count] = n;
    return g->node_count++;
}

uint32_t graph_add_constant(graph *g, const char *name, dsc_dtype dtype, const graph_shape *shape, void **data) {
    uint64_t count;
    size_t bytes;
    if (!graph_shape_count(shape, &count)) return GRAPH_NONE;
    if (!mem_mul((size_t)count, dsc_dtype_bytes(dtype), &bytes) || bytes > g->limits.tensor_bytes) return GRAPH_NONE;
    *data = arena_alloc(&g->memory, bytes ? bytes : 1, 1);
    uint32_t value = *data ? graph_add_value(g, name) : GRAPH_NONE;
    if (value == GRAPH_NONE) return GRAPH_NONE;
    graph_value *v = &g->values[value];
    v->dtype = dtype;
    v->shape = *shape;
    v->has_shape = true;
    v->data = *data;
    return value;
}

graph_value *graph_input(const graph *g, const graph_node *n, uint32_t index) {
    if (index >= n->input_count || n->inputs[index] == GRAPH_NONE) return NULL;
    return &g->values[n->inputs[index]];
}

graph_value *graph_output(const graph *g, const graph_node *n, uint32_t index) {
    if (index >= n->output_count || n->outputs[index] == GRAPH_NONE) return NULL;
    return &g->values[n->outputs[index]];
}

bool graph_shape_count(const graph_shape *shape, uint64_t *count) {
    uint64_t product = 1;
    bool is_empty = false;
    for (uint32_t i = 0; i < shape->rank; i++) {
        if (shape->dims[i] < 0) return false;
        if (shape->dims[i] == 0) {
            is_empty = true;
        } else if (__builtin_mul_overflow(product, (uint64_t)shape->dims[i], &product) || product > INT64_MAX) {
            return false;
        }
    }
    *count = is_empty ? 0 : product;
    return true;
}

bool graph_shape_equal(const graph_shape *a, const graph_shape *b) {
    if (a->rank != b->rank) return false;
    for (uint32_t i = 0; i < a->rank; i++) {
        if (a->dims[i] != b->dims[i]) return false;
    }
    return true;
}

bool graph_shape_known(const graph_value *v) {
    uint64_t count;
    return v->has_shape && graph_shape_count(&v->shape, &count);
}

const char *graph_shape_print(const graph_shape *shape, char *text, size_t size) {
    size_t used = 0;
    if (size) text[0] = '\0';
    if (shape->rank == 0) snprintf(text, size, "scalar");
    for (uint32_t i = 0; i < shape->rank && used < size; i++) {
        const char *times = i ? "x" : "";
        int n = shape->dims[i] < 0 ? snprintf(text + used, size - used, "%s?", times)
                                   : snprintf(text + used, size - used, "%s%lld", times, (long long)shape->dims[i]);
        if (n < 0) break;
        used += (size_t)n;
    }
    return text;
}
