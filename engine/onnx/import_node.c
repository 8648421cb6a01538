// SPDX-License-Identifier: Apache-2.0
// Nodes. First everything that has a name is declared, because a node may read what a later one makes; then the names
// of inputs become values, the nodes are put in order, and each operator imports its attributes.
#include "engine/base/error.h"
#include "engine/base/utf8.h"
#include "engine/onnx/importer.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct node_list {
    const Onnx__GraphProto *from;
    uint32_t count; // without constants
    import_node *nodes;
    uint32_t *producers, *order;
} node_list;

dsc_status import_node_error(const import_node *node, dsc_error *err, dsc_status status, const char *format, ...) {
    char text[360];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0) text[0] = '\0';
    va_end(args);
    return error_set(err, status, "node \"%.100s\" (%.60s): %s", node->name, node->proto->op_type, text);
}

// ---- names of nodes ------------------------------------------------------------------------------------------

// A name that no other node has, made of `base`, the node's place in the file and, where that is taken, a number.
static const char *unique_name(importer *im, names *taken, const char *base, uint32_t index, dsc_error *err) {
    for (uint32_t attempt = 0;; attempt++) {
        char *name = attempt ? arena_printf(&im->g->memory, "%.400s_%" PRIu32 "_%" PRIu32, base, index, attempt)
                             : arena_printf(&im->g->memory, "%.400s_%" PRIu32, base, index);
        if (name) utf8_clean(name);
        names_result result = name ? names_add(taken, name, index) : NAMES_NO_MEMORY;
        if (result == NAMES_ADDED) return name;
        if (result == NAMES_NO_MEMORY) {
            import_no_memory(err);
            return NULL;
        }
    }
}

// Names that the file gives come first, so that made-up ones give way to them.
static dsc_status name_nodes(importer *im, const node_list *list, names *taken, dsc_error *err) {
    for (uint32_t i = 0; i < list->from->n_node; i++) {
        const Onnx__NodeProto *proto = list->from->node[i];
        if (!proto->name || !*proto->name) continue;
        const char *name = import_name(im, "node", proto->name, err);
        if (!name) return err->status;
        list->nodes[i].name = name;
        names_result result = names_add(taken, name, i);
        if (result == NAMES_NO_MEMORY) return import_no_memory(err);
    }
    for (uint32_t i = 0; i < list->from->n_node; i++) {
        const char *name = list->nodes[i].name;
        if (name && names_get(taken, name) == i) continue;
        list->nodes[i].name = unique_name(im, taken, name ? name : list->from->node[i]->op_type, i, err);
        if (!list->nodes[i].name) return err->status;
    }
    return DSC_OK;
}

// ---- outputs and constants are declared ----------------------------------------------------------------------

static dsc_status declare_constant(importer *im, import_node *node, dsc_error *err) {
    const Onnx__NodeProto *proto = node->proto;
    uint32_t value = GRAPH_NONE;
    if (proto->n_output != 1 || !*proto->output[0]) {
        return import_node_error(node, err, DSC_BAD_MODEL, "it must have one output");
    }
    const char *name = import_name(im, "tensor", proto->output[0], err);
    if (!name) return err->status;
    dsc_status status = import_constant(im, node, name, &value, err);
    if (status == DSC_OK) return import_declare(im, proto->output[0], value, err);
    if (im->report) import_placeholder(im, proto->output[0], NULL);
    return status;
}

static size_t trimmed(char *const *list, size_t count) {
    while (count && !*list[count - 1]) count--;
    return count;
}

static dsc_status declare_outputs(importer *im, import_node *node, dsc_error *err) {
    const Onnx__NodeProto *proto = node->proto;
    node->output_count = (uint32_t)trimmed(proto->output, proto->n_output);
    node->outputs = arena_alloc(&im->scratch, node->output_count + 1u, sizeof *node->outputs);
    if (!node->outputs) return import_no_memory(err);
    for (uint32_t i = 0; i < node->output_count; i++) {
        node->outputs[i] = GRAPH_NONE;
        if (!*proto->output[i]) continue;
        const char *name = import_name(im, "tensor", proto->output[i], err);
        if (!name) return err->status;
        node->outputs[i] = graph_add_value(im->g, name);
        if (node->outputs[i] == GRAPH_NONE) return import_no_memory(err);
        dsc_status status = import_declare(im, proto->output[i], node->outputs[i], err);
        if (status != DSC_OK) return status;
    }
    if (node->output_count && node->outputs[0] != GRAPH_NONE) return DSC_OK;
    return import_node_error(node, err, DSC_BAD_MODEL, "it lacks its first output");
}

static bool is_default_domain(const char *domain) {
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

// Constants become values at once; the other nodes close ranks.
static dsc_status declare(importer *im, node_list *list, dsc_error *err) {
    for (uint32_t i = 0; i < list->from->n_node; i++) {
        import_node *node = &list->nodes[i];
        bool is_constant = strcmp(node->proto->op_type, "Constant") == 0 && is_default_domain(node->proto->domain);
        dsc_status status = is_constant ? declare_constant(im, node, err) : declare_outputs(im, node, err);
        node->is_bad = status != DSC_OK;
        if (status != DSC_OK) status = import_node_problem(im, node, status, err);
        if (status != DSC_OK) return status;
        if (!is_constant) list->nodes[list->count++] = *node;
    }
    return DSC_OK;
}

// ---- inputs --------------------------------------------------------------------------------------------------

static dsc_status resolve_inputs(importer *im, import_node *node, dsc_error *err) {
    const Onnx__NodeProto *proto = node->proto;
    node->input_count = (uint32_t)trimmed(proto->input, proto->n_input);
    node->inputs = arena_alloc(&im->scratch, node->input_count + 1u, sizeof *node->inputs);
    if (!node->inputs) return import_no_memory(err);
    for (uint32_t i = 0; i < node->input_count; i++) node->inputs[i] = GRAPH_NONE;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (!*proto->input[i]) continue;
        node->inputs[i] = names_get(&im->values, proto->input[i]);
        if (node->inputs[i] != NAMES_NONE) continue;
        return import_node_error(node, err, DSC_BAD_MODEL,
                                 "its input %" PRIu32 ", \"%.100s\", is not defined: no graph input, initializer or "
                                 "node output has that name",
                                 i, proto->input[i]);
    }
    return DSC_OK;
}

static dsc_status connect(importer *im, node_list *list, dsc_error *err) {
    for (uint32_t i = 0; i < list->count; i++) {
        dsc_status status = resolve_inputs(im, &list->nodes[i], err);
        if (status == DSC_OK) continue;
        list->nodes[i].is_bad = true;
        status = import_node_problem(im, &list->nodes[i], status, err);
        if (status != DSC_OK) return status;
    }
    list->producers = arena_alloc(&im->scratch, im->g->value_count + 1u, sizeof *list->producers);
    if (!list->producers) return import_no_memory(err);
    for (uint32_t i = 0; i < im->g->value_count; i++) list->producers[i] = GRAPH_NONE;
    for (uint32_t i = 0; i < list->count; i++) {
        for (uint32_t k = 0; k < list->nodes[i].output_count; k++) {
            uint32_t value = list->nodes[i].outputs[k];
            if (value != GRAPH_NONE) list->producers[value] = i;
        }
    }
    return DSC_OK;
}

// ---- operators -----------------------------------------------------------------------------------------------

static dsc_status find_op(const importer *im, const import_node *node, const op **out, dsc_error *err) {
    const Onnx__NodeProto *proto = node->proto;
    if (!is_default_domain(proto->domain)) {
        return import_node_error(node, err, DSC_UNSUPPORTED,
                                 "the operator's domain \"%.60s\" is not supported; only ONNX's own operators are",
                                 proto->domain);
    }
    const op *found = op_find(proto->op_type);
    if (!found) return import_node_error(node, err, DSC_UNSUPPORTED, "the operator is not supported");
    int64_t opset = im->g->opset;
    if (opset < found->opset_first || opset > found->opset_last) {
        return import_node_error(node, err, DSC_UNSUPPORTED,
                                 "the operator is not supported in opset %" PRId64 "; opsets %" PRId64 " to %" PRId64
                                 " are",
                                 opset, found->opset_first, found->opset_last);
    }
    *out = found;
    return DSC_OK;
}

static dsc_status check_counts(const import_node *node, const op *type, dsc_error *err) {
    if (node->input_count < type->inputs_min || node->input_count > type->inputs_max) {
        return import_node_error(node, err, DSC_BAD_MODEL,
                                 "it has %" PRIu32 " inputs; it must have at least %" PRIu32 " and at most %" PRIu32,
                                 node->input_count, type->inputs_min, type->inputs_max);
    }
    for (uint32_t i = 0; i < type->inputs_min; i++) {
        if (node->inputs[i] != GRAPH_NONE) continue;
        return import_node_error(node, err, DSC_BAD_MODEL, "its input %" PRIu32 " must not be left out", i);
    }
    if (node->output_count <= type->outputs_max) return DSC_OK;
    return import_node_error(node, err, DSC_UNSUPPORTED,
                             "it has %" PRIu32 " outputs; at most %" PRIu32 " are supported", node->output_count,
                             type->outputs_max);
}

// Every attribute that the operator did not ask for is a problem of its own.
static dsc_status refuse_unused(importer *im, const import_node *node, attrs *a, dsc_error *err) {
    for (uint32_t i = 0; i < a->count; i++) {
        attrs one = {.node = a->node, .op = a->op, .count = 1, .list = &a->list[i]};
        dsc_status status = attrs_all_used(&one, err);
        if (status != DSC_OK) status = import_node_problem(im, node, status, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

static dsc_status add_node(importer *im, const import_node *node, const op *type, dsc_error *err) {
    graph *g = im->g;
    attrs all = {0};
    dsc_status status = import_attrs(im, node, &all, err);
    if (status != DSC_OK) return status;
    uint32_t index = graph_add_node(g, type, node->name, node->input_count, node->output_count);
    if (index == GRAPH_NONE) return import_no_memory(err);
    graph_node *n = &g->nodes[index];
    for (uint32_t i = 0; i < node->input_count; i++) n->inputs[i] = node->inputs[i];
    for (uint32_t i = 0; i < node->output_count; i++) {
        n->outputs[i] = node->outputs[i];
        if (node->outputs[i] != GRAPH_NONE) g->values[node->outputs[i]].producer = index;
    }
    status = type->import(g, n, &all, err);
    if (status == DSC_OK) return refuse_unused(im, node, &all, err);
    n->is_removed = true; // without parameters nothing can be inferred for it; a report goes on with the others
    return status;
}

static dsc_status import_one(importer *im, const import_node *node, dsc_error *err) {
    const op *type = NULL;
    dsc_status status = find_op(im, node, &type, err);
    if (status == DSC_OK) status = check_counts(node, type, err);
    return status == DSC_OK ? add_node(im, node, type, err) : status;
}

// ---- all ------------------------------------------------------------------------------------------------------

static dsc_status start(importer *im, node_list *list, dsc_error *err) {
    size_t count = list->from->n_node;
    if (count > im->limits.nodes || count >= GRAPH_NONE) {
        return error_set(err, DSC_TOO_LARGE, "the model has %zu nodes; the limit \"nodes\" is %" PRIu64, count,
                         im->limits.nodes);
    }
    list->nodes = arena_alloc(&im->scratch, count + 1, sizeof *list->nodes);
    list->order = arena_alloc(&im->scratch, count + 1, sizeof *list->order);
    if (!list->nodes || !list->order) return import_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        list->nodes[i].proto = list->from->node[i];
        char *type = list->from->node[i]->op_type;
        if (type) utf8_clean(type);
        if (type && *type) continue;
        return error_set(err, DSC_BAD_MODEL, "node %zu of the file does not say which operator it is", i);
    }
    return DSC_OK;
}

dsc_status import_nodes(importer *im, const Onnx__GraphProto *from, dsc_error *err) {
    node_list list = {.from = from};
    names taken = {0};
    dsc_status status = start(im, &list, err);
    if (status == DSC_OK) status = name_nodes(im, &list, &taken, err);
    names_close(&taken);
    if (status == DSC_OK) status = declare(im, &list, err);
    if (status == DSC_OK) status = connect(im, &list, err);
    if (status == DSC_OK) status = import_order(im, list.nodes, list.count, list.producers, list.order, err);
    for (uint32_t i = 0; status == DSC_OK && i < list.count; i++) {
        const import_node *node = &list.nodes[list.order[i]];
        if (!node->is_bad) status = import_one(im, node, err);
        if (status != DSC_OK) status = import_node_problem(im, node, status, err);
    }
    return status;
}
