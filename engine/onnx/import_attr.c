// SPDX-License-Identifier: Apache-2.0
// Attributes, and the node "Constant", which is nothing but one.
#include "engine/base/error.h"
#include "engine/base/utf8.h"
#include "engine/onnx/importer.h"

#include <stdio.h>
#include <string.h>

#define ATTRIBUTES_MAX 256u // of one node; they are searched in a row. No operator has a tenth of that

// AttributeProto.type
enum { TYPE_FLOAT = 1, TYPE_INT, TYPE_STRING, TYPE_TENSOR, TYPE_GRAPH, TYPE_FLOATS, TYPE_INTS };

// Files of the first ONNX versions may leave the type out: then the field that is there tells it.
static attr_type type_of(const Onnx__AttributeProto *a) {
    switch (a->type) {
        case TYPE_FLOAT: return ATTR_FLOAT;
        case TYPE_INT: return ATTR_INT;
        case TYPE_STRING: return ATTR_STRING;
        case TYPE_TENSOR: return ATTR_TENSOR;
        case TYPE_FLOATS: return ATTR_FLOATS;
        case TYPE_INTS: return ATTR_INTS;
        case 0: break;
        default: return ATTR_OTHER;
    }
    if (a->has_f) return ATTR_FLOAT;
    if (a->has_i) return ATTR_INT;
    if (a->has_s) return ATTR_STRING;
    if (a->t) return ATTR_TENSOR;
    if (a->n_floats) return ATTR_FLOATS;
    return a->n_ints ? ATTR_INTS : ATTR_OTHER;
}

static dsc_status read_tensor(importer *im, const import_node *node, const Onnx__AttributeProto *from, attr *to,
                              dsc_error *err) {
    char label[280];
    if (!from->t) return import_node_error(node, err, DSC_BAD_MODEL, "attribute \"%.60s\" lacks its tensor", to->name);
    snprintf(label, sizeof label, "node \"%.100s\" (%.60s): the tensor in attribute \"%.60s\"", node->name,
             node->proto->op_type, to->name);
    const char *name = arena_printf(&im->g->memory, "%s.%s", node->name, to->name);
    return name ? import_tensor(im, from->t, name, label, &to->tensor, err) : import_no_memory(err);
}

static dsc_status read_attr(importer *im, const import_node *node, const Onnx__AttributeProto *from, attr *to,
                            dsc_error *err) {
    if (from->name) utf8_clean(from->name); // it will stand in sentences
    *to = (attr){.name = from->name, .type = type_of(from), .i = from->i, .f = from->f, .tensor = GRAPH_NONE};
    if (!to->name || !*to->name) return import_node_error(node, err, DSC_BAD_MODEL, "an attribute has no name");
    if (from->ref_attr_name && *from->ref_attr_name) {
        return import_node_error(
            node, err, DSC_UNSUPPORTED,
            "attribute \"%.60s\" refers to an attribute of a function; functions are not supported", to->name);
    }
    if (to->type == ATTR_INTS) {
        to->count = from->n_ints;
        to->ints = from->ints;
    } else if (to->type == ATTR_FLOATS) {
        to->count = from->n_floats;
        to->floats = from->floats;
    } else if (to->type == ATTR_STRING) {
        to->s = arena_string(&im->g->memory, (const char *)from->s.data, from->s.len);
        if (!to->s) return import_no_memory(err);
    } else if (to->type == ATTR_TENSOR) {
        return read_tensor(im, node, from, to, err);
    }
    return DSC_OK;
}

dsc_status import_attrs(importer *im, const import_node *node, attrs *out, dsc_error *err) {
    const Onnx__NodeProto *proto = node->proto;
    if (proto->n_attribute > ATTRIBUTES_MAX) {
        return import_node_error(node, err, DSC_UNSUPPORTED, "it has %zu attributes; at most %u are supported",
                                 proto->n_attribute, ATTRIBUTES_MAX);
    }
    *out = (attrs){.node = node->name, .op = proto->op_type};
    out->list = arena_alloc(&im->scratch, proto->n_attribute + 1, sizeof *out->list);
    if (!out->list) return import_no_memory(err);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        attr *next = &out->list[out->count];
        dsc_status status = read_attr(im, node, proto->attribute[i], next, err);
        if (status != DSC_OK) return status;
        if (attrs_has(out, next->name)) {
            return import_node_error(node, err, DSC_BAD_MODEL, "attribute \"%.60s\" is there twice", next->name);
        }
        out->count++;
    }
    return DSC_OK;
}

// The value of Constant by the attribute that is there.
static dsc_status constant_of(importer *im, const import_node *node, const attr *a, const char *name, uint32_t *out,
                              dsc_error *err) {
    import_numbers numbers = {0};
    if (strcmp(a->name, "value") == 0 && a->type == ATTR_TENSOR) {
        im->g->values[a->tensor].name = name;
        *out = a->tensor;
        return DSC_OK;
    }
    if (strcmp(a->name, "value_int") == 0 && a->type == ATTR_INT) {
        numbers = (import_numbers){.dtype = DSC_I64, .data = &a->i};
    } else if (strcmp(a->name, "value_float") == 0 && a->type == ATTR_FLOAT) {
        numbers = (import_numbers){.dtype = DSC_F32, .data = &a->f};
    } else if (strcmp(a->name, "value_ints") == 0 && a->type == ATTR_INTS) {
        numbers = (import_numbers){DSC_I64, {.rank = 1, .dims = {(int64_t)a->count}}, a->ints};
    } else if (strcmp(a->name, "value_floats") == 0 && a->type == ATTR_FLOATS) {
        numbers = (import_numbers){DSC_F32, {.rank = 1, .dims = {(int64_t)a->count}}, a->floats};
    }
    if (numbers.dtype) return import_list(im, name, &numbers, out, err);
    return import_node_error(node, err, DSC_UNSUPPORTED,
                             "attribute \"%.60s\" is not supported, or not as it is written here; \"value\", "
                             "\"value_int\", \"value_ints\", \"value_float\" and \"value_floats\" are",
                             a->name);
}

dsc_status import_constant(importer *im, const import_node *node, const char *name, uint32_t *out, dsc_error *err) {
    attrs all = {0};
    dsc_status status = import_attrs(im, node, &all, err);
    if (status != DSC_OK) return status;
    if (all.count != 1 || node->proto->n_input) {
        return import_node_error(node, err, DSC_BAD_MODEL,
                                 "it has %u attributes and %zu inputs; it must have one attribute, its value, and no "
                                 "input",
                                 all.count, node->proto->n_input);
    }
    return constant_of(im, node, &all.list[0], name, out, err);
}
