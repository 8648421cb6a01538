// SPDX-License-Identifier: Apache-2.0
// The way through a model file: what it is -> unpacked -> versions -> initializers -> inputs -> nodes -> outputs.
#include "engine/onnx/import.h"
#include "engine/graph/check.h"
#include "engine/graph/onnx_type.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/base/utf8.h"
#include "engine/onnx/importer.h"
#include "engine/ops/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- what all files of this room use --------------------------------------------------------------------------

dsc_status import_no_memory(dsc_error *err) {
    return error_set(err, DSC_NO_MEMORY, "out of memory while the model was read");
}

static void note(importer *im, const import_node *node, dsc_status status, dsc_error *e) {
    e->status = status;
    if (im->first.status == DSC_OK) im->first = *e;
    if (!im->report) return;
    graph_report_one(im->report, im->report_context, node ? node->name : NULL, node ? node->proto->op_type : NULL, e);
}

dsc_status import_node_problem(importer *im, const import_node *node, dsc_status status, dsc_error *e) {
    if (!im->report || status == DSC_NO_MEMORY) return status;
    note(im, node, status, e);
    return DSC_OK;
}

dsc_status import_problem(importer *im, dsc_status status, dsc_error *e) {
    return import_node_problem(im, NULL, status, e);
}

const char *import_name(importer *im, const char *what, const char *name, dsc_error *err) {
    size_t length = strlen(name);
    if (length > im->limits.name_bytes) {
        error_set(err, DSC_TOO_LARGE,
                  "the name of a %s has %zu bytes; the limit \"name_bytes\" is %" PRIu64 ". It begins \"%.40s\"", what,
                  length, im->limits.name_bytes, name);
        return NULL;
    }
    char *copy = arena_string(&im->g->memory, name, length);
    if (copy) {
        utf8_clean(copy);
    } else {
        import_no_memory(err);
    }
    return copy;
}

dsc_status import_declare(importer *im, const char *name, uint32_t value, dsc_error *err) {
    names_result result = names_add(&im->values, name, value);
    if (result == NAMES_NO_MEMORY) return import_no_memory(err);
    if (result == NAMES_ADDED) return DSC_OK;
    return error_set(err, DSC_BAD_MODEL,
                     "tensor \"%.100s\" is defined twice: every graph input, initializer and node output needs a name "
                     "of its own",
                     name);
}

dsc_status import_placeholder(importer *im, const char *name, dsc_error *err) {
    uint32_t value = graph_add_value(im->g, "");
    return value == GRAPH_NONE ? import_no_memory(err) : import_declare(im, name, value, err);
}

// ---- what the file is -----------------------------------------------------------------------------------------

// Files that people give by mistake.
static const struct {
    const char *bytes;
    size_t offset, size;
    const char *what;
} mistakes[] = {
    {"version https://git-lfs", 0, 23, "a Git LFS pointer, not the model itself: fetch it with \"git lfs pull\""},
    {"\xff\xd8\xff", 0, 3, "a JPEG picture"},
    {"\x89PNG", 0, 4, "a PNG picture"},
    {"PK\x03\x04", 0, 4, "a ZIP archive (PyTorch and Keras checkpoints are): export the model to ONNX"},
    {"\x89HDF", 0, 4, "an HDF5 file (Keras): export the model to ONNX"},
    {"TFL3", 4, 4, "a TensorFlow Lite model: convert it to ONNX"},
    {"\x1f\x8b", 0, 2, "compressed with gzip: unpack it first"},
    {"<!DOCTYPE", 0, 9, "a web page"},
    {"<html", 0, 5, "a web page"},
};

static dsc_status check_kind(const char *bytes, size_t size, dsc_error *err) {
    if (size == 0) return error_set(err, DSC_BAD_MODEL, "the model file is empty");
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        if (size < mistakes[i].offset + mistakes[i].size) continue;
        if (memcmp(bytes + mistakes[i].offset, mistakes[i].bytes, mistakes[i].size) != 0) continue;
        return error_set(err, DSC_BAD_MODEL, "not an ONNX model: this is %s", mistakes[i].what);
    }
    return DSC_OK;
}

static dsc_status find_opset(const Onnx__ModelProto *model, int64_t *opset, dsc_error *err) {
    bool is_found = false;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        if (set->domain && *set->domain && strcmp(set->domain, "ai.onnx") != 0) continue;
        if (is_found && set->version != *opset) {
            return error_set(err, DSC_BAD_MODEL, "the model asks for opsets %" PRId64 " and %" PRId64 " at once",
                             *opset, set->version);
        }
        *opset = set->version;
        is_found = true;
    }
    if (is_found) return DSC_OK;
    return error_set(err, DSC_BAD_MODEL, "the model does not say which version of ONNX's operators (opset) it means");
}

static dsc_status check_versions(const Onnx__ModelProto *model, int64_t *opset, dsc_error *err) {
    if (!model->has_ir_version || !model->graph) {
        return error_set(err, DSC_BAD_MODEL, "not an ONNX model: it has no %s", model->graph ? "IR version" : "graph");
    }
    if (model->ir_version < IMPORT_IR_FIRST || model->ir_version > IMPORT_IR_LAST) {
        return error_set(err, DSC_UNSUPPORTED, "IR version %" PRId64 " is not supported; %d to %d are",
                         model->ir_version, IMPORT_IR_FIRST, IMPORT_IR_LAST);
    }
    dsc_status status = find_opset(model, opset, err);
    if (status != DSC_OK) return status;
    if (*opset >= IMPORT_OPSET_FIRST && *opset <= OPS_OPSET_LAST) return DSC_OK;
    return error_set(err, DSC_UNSUPPORTED, "opset %" PRId64 " is not supported; %d to %d are", *opset,
                     IMPORT_OPSET_FIRST, OPS_OPSET_LAST);
}

// ---- initializers, inputs, outputs ----------------------------------------------------------------------------

static dsc_status import_initializer(importer *im, Onnx__TensorProto *tensor, dsc_error *err) {
    char label[160];
    uint32_t value = GRAPH_NONE;
    if (!tensor->name || !*tensor->name) return error_set(err, DSC_BAD_MODEL, "an initializer has no name");
    const char *name = import_name(im, "tensor", tensor->name, err);
    if (!name) return err->status;
    snprintf(label, sizeof label, "initializer \"%.100s\"", name);
    dsc_status status = import_tensor(im, tensor, name, label, &value, err);
    if (status == DSC_OK) return import_declare(im, tensor->name, value, err);
    if (im->report) import_placeholder(im, tensor->name, NULL);
    return status;
}

static dsc_status import_initializers(importer *im, const Onnx__GraphProto *from, dsc_error *err) {
    if (from->n_sparse_initializer) {
        dsc_status status = error_set(err, DSC_UNSUPPORTED, "sparse initializers are not supported; the model has %zu",
                                      from->n_sparse_initializer);
        status = import_problem(im, status, err);
        if (status != DSC_OK) return status;
    }
    for (size_t i = 0; i < from->n_initializer; i++) {
        dsc_status status = import_initializer(im, from->initializer[i], err);
        if (status != DSC_OK) status = import_problem(im, status, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

static dsc_status read_dims(const importer *im, const char *name, const Onnx__TensorShapeProto *from, graph_shape *to,
                            dsc_error *err) {
    uint64_t limit = im->limits.rank < DSC_MAX_RANK ? im->limits.rank : DSC_MAX_RANK;
    if (from->n_dim > limit) {
        return error_set(err, DSC_TOO_LARGE, "input \"%.100s\" has %zu dimensions; the limit \"rank\" is %" PRIu64,
                         name, from->n_dim, limit);
    }
    to->rank = (uint32_t)from->n_dim;
    for (uint32_t i = 0; i < to->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = from->dim[i];
        to->dims[i] = dim->has_dim_value ? dim->dim_value : -1; // -1 in files, too, means that it is free
        if (to->dims[i] >= -1) continue;
        return error_set(err, DSC_BAD_MODEL, "input \"%.100s\": its dimension %" PRIu32 " is %" PRId64, name, i,
                         to->dims[i]);
    }
    return DSC_OK;
}

static dsc_status check_input_size(const importer *im, const graph_value *v, dsc_error *err) {
    char text[160];
    uint64_t count;
    size_t bytes;
    graph_shape least = v->shape;
    for (uint32_t i = 0; i < least.rank; i++) {
        if (least.dims[i] < 0) least.dims[i] = 1;
    }
    bool fits = graph_shape_count(&least, &count) && mem_mul((size_t)count, dsc_dtype_bytes(v->dtype), &bytes);
    if (fits && bytes <= im->limits.tensor_bytes) return DSC_OK;
    return error_set(err, DSC_TOO_LARGE,
                     "input \"%.100s\" has the shape %s, too large for the limit \"tensor_bytes\" of %" PRIu64, v->name,
                     graph_shape_print(&v->shape, text, sizeof text), im->limits.tensor_bytes);
}

static dsc_status read_input(importer *im, const Onnx__ValueInfoProto *info, graph_value *v, dsc_error *err) {
    const char *type_name;
    const Onnx__TypeProto__Tensor *type = info->type ? info->type->tensor_type : NULL;
    if (!type) return error_set(err, DSC_UNSUPPORTED, "input \"%.100s\" is not a tensor", v->name);
    if (!onnx_type_find(type->elem_type, &v->dtype, &type_name)) {
        return error_set(err, DSC_UNSUPPORTED,
                         "input \"%.100s\" has the element type %s (%" PRId32 "), which is not supported", v->name,
                         type_name, type->elem_type);
    }
    if (!type->shape) {
        return error_set(err, DSC_UNSUPPORTED,
                         "input \"%.100s\" has no shape: the number of its dimensions must be known", v->name);
    }
    v->has_shape = v->is_input = true;
    dsc_status status = read_dims(im, v->name, type->shape, &v->shape, err);
    return status == DSC_OK ? check_input_size(im, v, err) : status;
}

static dsc_status import_input(importer *im, const Onnx__ValueInfoProto *info, dsc_error *err) {
    graph *g = im->g;
    if (!info->name || !*info->name) return error_set(err, DSC_BAD_MODEL, "an input of the graph has no name");
    uint32_t known = names_get(&im->values, info->name);
    // Old files list initializers among the inputs; these stay constants.
    if (known != NAMES_NONE && !g->values[known].is_input) return DSC_OK;
    const char *name = import_name(im, "tensor", info->name, err);
    if (!name) return err->status;
    uint32_t value = graph_add_value(g, name);
    if (value == GRAPH_NONE) return import_no_memory(err);
    dsc_status status = import_declare(im, info->name, value, err);
    if (status != DSC_OK) return status;
    g->inputs[g->input_count++] = value;
    return read_input(im, info, &g->values[value], err);
}

static dsc_status import_inputs(importer *im, const Onnx__GraphProto *from, dsc_error *err) {
    im->g->inputs = arena_alloc(&im->g->memory, from->n_input + 1, sizeof *im->g->inputs);
    if (!im->g->inputs) return import_no_memory(err);
    for (size_t i = 0; i < from->n_input; i++) {
        dsc_status status = import_input(im, from->input[i], err);
        if (status != DSC_OK) status = import_problem(im, status, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

// What the file says of an output describes it until its shape is inferred, and is not believed.
static void note_declared(graph_value *v, const Onnx__TypeProto__Tensor *type) {
    const char *type_name;
    if (v->has_shape || !type || !onnx_type_find(type->elem_type, &v->dtype, &type_name)) return;
    const Onnx__TensorShapeProto *shape = type->shape;
    v->shape.rank = shape && shape->n_dim <= DSC_MAX_RANK ? (uint32_t)shape->n_dim : 0;
    for (uint32_t i = 0; i < v->shape.rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
        v->shape.dims[i] = dim->has_dim_value && dim->dim_value >= 0 ? dim->dim_value : -1;
    }
}

static dsc_status import_output(importer *im, const Onnx__ValueInfoProto *info, dsc_error *err) {
    graph *g = im->g;
    if (!info->name || !*info->name) return error_set(err, DSC_BAD_MODEL, "an output of the graph has no name");
    uint32_t value = names_get(&im->values, info->name);
    if (value == NAMES_NONE) {
        return error_set(err, DSC_BAD_MODEL, "output \"%.100s\" is not defined: no node makes it", info->name);
    }
    if (g->values[value].is_output) {
        return error_set(err, DSC_BAD_MODEL, "output \"%.100s\" is listed twice", info->name);
    }
    g->values[value].is_output = true;
    note_declared(&g->values[value], info->type ? info->type->tensor_type : NULL);
    g->outputs[g->output_count++] = value;
    return DSC_OK;
}

static dsc_status import_outputs(importer *im, const Onnx__GraphProto *from, dsc_error *err) {
    if (!from->n_output) return error_set(err, DSC_BAD_MODEL, "the model has no output");
    im->g->outputs = arena_alloc(&im->g->memory, from->n_output, sizeof *im->g->outputs);
    if (!im->g->outputs) return import_no_memory(err);
    for (size_t i = 0; i < from->n_output; i++) {
        dsc_status status = import_output(im, from->output[i], err);
        if (status != DSC_OK) status = import_problem(im, status, err);
        if (status != DSC_OK) return status;
    }
    return DSC_OK;
}

// ---- all ------------------------------------------------------------------------------------------------------

static dsc_status import_graph(importer *im, const Onnx__ModelProto *model, dsc_error *err) {
    int64_t opset = 0;
    dsc_status status = check_versions(model, &opset, err);
    if (status != DSC_OK) return status;
    im->g = graph_create(&im->limits);
    if (!im->g) return import_no_memory(err);
    im->g->opset = opset;
    if (model->producer_name) im->g->producer = import_name(im, "producer", model->producer_name, err);
    if (!im->g->producer) return err->status;
    status = import_initializers(im, model->graph, err);
    if (status == DSC_OK) status = import_inputs(im, model->graph, err);
    if (status == DSC_OK) status = import_nodes(im, model->graph, err);
    if (status == DSC_OK) status = import_outputs(im, model->graph, err);
    return status;
}

static void take_limits(importer *im, const dsc_limits *given) {
    dsc_limits l = dsc_limits_default();
    if (given) {
        if (given->file_bytes) l.file_bytes = given->file_bytes;
        if (given->nodes) l.nodes = given->nodes;
        if (given->tensor_bytes) l.tensor_bytes = given->tensor_bytes;
        if (given->weights_bytes) l.weights_bytes = given->weights_bytes;
        if (given->rank) l.rank = given->rank;
        if (given->name_bytes) l.name_bytes = given->name_bytes;
        if (given->arena_bytes) l.arena_bytes = given->arena_bytes;
        if (given->multiplications) l.multiplications = given->multiplications;
    }
    im->limits = l;
}

static dsc_status run(importer *im, const void *bytes, size_t size, dsc_error *err) {
    dsc_status status = check_kind(bytes, size, err);
    if (status == DSC_OK && size > im->limits.file_bytes) {
        return error_set(err, DSC_TOO_LARGE, "the model file has %zu bytes; the limit \"file_bytes\" is %" PRIu64, size,
                         im->limits.file_bytes);
    }
    if (status == DSC_OK) status = unpack_model(&im->file, bytes, size, &im->limits, err);
    return status == DSC_OK ? import_graph(im, im->file.model, err) : status;
}

dsc_status onnx_import(const dsc_source *source, const void *bytes, size_t size, const dsc_load_options *options,
                       graph **out, dsc_error *err) {
    importer im = {.source = source};
    dsc_error last = {0};
    take_limits(&im, options ? options->limits : NULL);
    if (options) {
        im.report = options->report;
        im.report_context = options->report_context;
    }
    arena_init(&im.scratch, SIZE_MAX); // what is in it is bounded by the counts that the scan allows
    dsc_status status = run(&im, bytes, size, &last);
    if (status != DSC_OK) note(&im, NULL, status, &last); // the one that ended it
    if (im.first.status != DSC_OK) {
        if (status == DSC_OK && graph_find_deciding(im.g)) graph_report(im.g, im.report, im.report_context);
        status = im.first.status;
        if (err) *err = im.first;
        graph_free(im.g);
    } else {
        *out = im.g;
    }
    names_close(&im.values);
    import_external_close(&im);
    arena_close(&im.scratch);
    unpack_close(&im.file);
    return status;
}
