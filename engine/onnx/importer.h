// SPDX-License-Identifier: Apache-2.0
// What the files of this room share while one model is imported.
#ifndef DSC_ONNX_IMPORTER_H
#define DSC_ONNX_IMPORTER_H

#include "engine/graph/attrs.h"
#include "engine/graph/graph.h"
#include "engine/onnx/names.h"
#include "engine/onnx/unpack.h"

#define IMPORT_IR_FIRST    1
#define IMPORT_IR_LAST     13
#define IMPORT_OPSET_FIRST 1

typedef struct importer {
    graph *g;
    unpack file;
    arena scratch; // lists that are not needed afterwards
    dsc_limits limits;
    const dsc_source *source; // of external data, or NULL
    dsc_report_fn report;
    void *report_context;
    dsc_error first;              // of the problems so far
    names values;                 // name of a tensor -> value of the graph
    uint64_t weights_bytes;       // of all constants so far
    struct import_file *files;    // external data that was read
    names file_names;             // name of a file, as the model has it -> its place among them
    uint64_t external_bytes_read; // of these
} importer;

// What to do about the problem of one tensor or node: with a report, it goes there and DSC_OK says to look for the
// next one; else its status, to stop with.
dsc_status import_problem(importer *im, dsc_status status, dsc_error *e);
// The same about a node.
struct import_node;
dsc_status import_node_problem(importer *im, const struct import_node *node, dsc_status status, dsc_error *e);

// A name of the file in the graph's memory, its length checked and its bytes made UTF-8. `what` says whose name it is,
// e.g. "tensor". NULL with a sentence.
const char *import_name(importer *im, const char *what, const char *name, dsc_error *err);
// Makes `name` (the file's own bytes) mean `value`; DSC_BAD_MODEL where it means another already.
dsc_status import_declare(importer *im, const char *name, uint32_t value, dsc_error *err);
// A value without data under that name: for what could not be read, so that its readers are not blamed too.
dsc_status import_placeholder(importer *im, const char *name, dsc_error *err);
dsc_status import_no_memory(dsc_error *err); // the sentence where the graph could not grow

// ---- import_tensor.c: constants

// Adds the tensor's contents to the graph as a constant called `name`. `label` begins the sentences, for instance
// `initializer "w"`.
dsc_status import_tensor(importer *im, Onnx__TensorProto *tensor, const char *name, const char *label, uint32_t *out,
                         dsc_error *err);
// Numbers that are in memory already: a scalar, or a list in one dimension.
typedef struct import_numbers {
    dsc_dtype dtype;
    graph_shape shape;
    const void *data;
} import_numbers;
// Adds a copy of them to the graph as a constant called `name`.
dsc_status import_list(importer *im, const char *name, const import_numbers *numbers, uint32_t *out, dsc_error *err);

// ---- import_external.c: files beside the model

// Lends `size` bytes (nothing where that is 0) at the place that the tensor names; the file is read once, however many
// tensors it holds.
dsc_status import_external(importer *im, const Onnx__TensorProto *tensor, const char *label, size_t size,
                           const uint8_t **out, dsc_error *err);
void import_external_close(importer *im);

// ---- import_attr.c: attributes

typedef struct import_node {
    const Onnx__NodeProto *proto;
    const char *name; // unique, never empty
    uint32_t input_count, output_count;
    uint32_t *inputs, *outputs; // values, GRAPH_NONE where left out
    bool is_bad;                // a problem was found, do not look for more
    uint32_t cursor, state;     // of import_order
} import_node;

// The node's attributes, in scratch memory.
dsc_status import_attrs(importer *im, const import_node *node, attrs *out, dsc_error *err);
// The value of a node "Constant", under the name of its output.
dsc_status import_constant(importer *im, const import_node *node, const char *name, uint32_t *out, dsc_error *err);

// ---- import_order.c

// Fills `order` with the indices of `nodes`: producers before consumers, in the file's order wherever that allows.
// `producers` says for every value which node makes it, or GRAPH_NONE. DSC_BAD_MODEL names a node of a cycle.
dsc_status import_order(importer *im, import_node *nodes, uint32_t count, const uint32_t *producers, uint32_t *order,
                        dsc_error *err);

// ---- import_node.c

dsc_status import_nodes(importer *im, const Onnx__GraphProto *from, dsc_error *err);
// A sentence that begins with the node and its operator.
dsc_status import_node_error(const import_node *node, dsc_error *err, dsc_status status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
