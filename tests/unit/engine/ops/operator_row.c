// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/ops/operator_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 32

typedef struct asked {
    uint32_t count;
    char names[NAMES_MAX][40];
} asked;

static void note(void *context, const char *name) {
    asked *a = context;
    for (uint32_t i = 0; i < a->count; i++) {
        if (strcmp(a->names[i], name) == 0) return;
    }
    if (a->count < NAMES_MAX) snprintf(a->names[a->count++], sizeof a->names[0], "%s", name);
}

// Imports a node with those attributes that some operators must have; that this may fail does not matter.
static void ask(const op *o, int64_t opset, uint32_t inputs, asked *a) {
    dsc_limits limits = dsc_limits_default();
    graph *g = graph_create(&limits);
    uint32_t i = g ? graph_add_node(g, o, "node", inputs, 1) : GRAPH_NONE;
    static const int64_t ones[] = {1, 1};
    attr needed[] = {{.name = "kernel_shape", .type = ATTR_INTS, .count = 2, .ints = ones},
                     {.name = "is_test", .type = ATTR_INT, .i = 1},
                     {.name = "num_groups", .type = ATTR_INT, .i = 1},
                     {.name = "size", .type = ATTR_INT, .i = 1}};
    attrs list = {.node = "node", .op = o->type, .count = 4, .list = needed, .note = note, .note_context = a};
    if (i != GRAPH_NONE) {
        g->nodes[i].opset = opset;
        (void)o->import(g, &g->nodes[i], &list, NULL);
    }
    graph_free(g);
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

const char *operator_row(const op *o, char *text, size_t size) {
    asked a = {0};
    const char *how = !o->evaluate ? "fast" : !o->lower ? "by definition" : "fast, by definition";
    for (int64_t opset = o->opset_first < 6 ? 6 : o->opset_first; opset <= o->opset_last; opset++) {
        ask(o, opset, o->inputs_min, &a);
        if (o->inputs_max > o->inputs_min) ask(o, opset, o->inputs_min + 1, &a);
    }
    qsort(a.names, a.count, sizeof a.names[0], by_name);
    int used = snprintf(text, size, "| %s | %lld to %lld | %s |", o->type, (long long)o->opset_first,
                        (long long)o->opset_last, how);
    for (uint32_t i = 0; i < a.count && used > 0 && (size_t)used < size; i++) {
        used += snprintf(text + used, size - (size_t)used, "%s `%s`", i ? "," : "", a.names[i]);
    }
    if (used > 0 && (size_t)used < size) snprintf(text + used, size - (size_t)used, " |");
    return text;
}
