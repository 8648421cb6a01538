// SPDX-License-Identifier: Apache-2.0
//
// Writes ONNX files without a protobuf library: for the network generator, and for unit tests that want a small
// model in memory. It writes what it is told and checks nothing about the network, so that tests of bad input can
// leave out inputs, give negative dimensions, false sizes or unknown types.
//
//     onnx_writer *w = onnx_writer_create(13, 8, "little");
//     onnx_writer_input(w, "x", ONNX_F32, "N,3,8,8");
//     onnx_writer_floats(w, "weight", "4,3,1,1", values);
//     onnx_writer_node(w, "Conv", "conv_1", "x,weight", "y");
//     onnx_writer_attr_ints(w, "kernel_shape", 2, (int64_t[]){1, 1});      // belongs to the node above
//     onnx_writer_output(w, "y", ONNX_F32, "N,4,8,8");
//     size_t size = 0;
//     uint8_t *bytes = onnx_writer_finish(w, &size);                       // free(bytes) when done
//     onnx_writer_free(w);
//
// Dimensions are text, separated by commas: numbers (negative ones too), names ("N"), or "?" for a dimension that
// is present but says nothing. "" is a scalar. Lists of tensor names are text too: "x,,b" has an empty second name.
//
// Ownership: every argument is copied, nothing is kept. Errors: the only ones are memory and the file; they are
// remembered, the calls in between do nothing, and finish and save report them. Threads: one writer, one thread.
// The machine must be little-endian, as raw tensor data is.
#ifndef DSC_TESTS_ONNX_WRITER_H
#define DSC_TESTS_ONNX_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Element types, numbered as in the file format.
enum onnx_dtype {
    ONNX_F32 = 1,
    ONNX_U8 = 2,
    ONNX_I8 = 3,
    ONNX_U16 = 4,
    ONNX_I16 = 5,
    ONNX_I32 = 6,
    ONNX_I64 = 7,
    ONNX_STRING = 8,
    ONNX_BOOL = 9,
    ONNX_F16 = 10,
    ONNX_F64 = 11,
    ONNX_U32 = 12,
    ONNX_U64 = 13,
    ONNX_BF16 = 16
};

// A tensor in full, where onnx_writer_floats and onnx_writer_ints are not enough.
typedef struct onnx_tensor {
    const char *name;     // may be NULL (a tensor inside an attribute)
    int dtype;            // enum onnx_dtype, or any other number
    const char *dims;     // numbers only; need not agree with `bytes`
    const void *data;     // little-endian elements; may be NULL if bytes is 0
    size_t bytes;         // how much of data is written; typed fields take whole elements only
    bool typed;           // false: raw_data; true: float_data, int32_data, ... whichever the type asks for
    const char *external; // not NULL: no data here, but in this file beside the model, from byte external_offset
    int64_t external_offset;
    int64_t external_length; // bytes; negative leaves the key out
} onnx_tensor;

// Where onnx_writer_raw puts its bytes.
enum onnx_place { ONNX_IN_MODEL, ONNX_IN_GRAPH, ONNX_IN_NODE };

typedef struct onnx_writer onnx_writer;

// A new writer, NULL without memory. `opset` is the version of the default operator set.
onnx_writer *onnx_writer_create(int64_t opset, int64_t ir_version, const char *graph_name);
void onnx_writer_free(onnx_writer *w);

// producer_name and producer_version of the model; nothing is written without this call.
void onnx_writer_producer(onnx_writer *w, const char *name, const char *version);
// Imports one more operator set, such as "com.microsoft" 1.
void onnx_writer_import(onnx_writer *w, const char *domain, int64_t version);

// Graph inputs, outputs and known shapes of tensors between. dims NULL leaves the shape out altogether.
void onnx_writer_input(onnx_writer *w, const char *name, int dtype, const char *dims);
void onnx_writer_output(onnx_writer *w, const char *name, int dtype, const char *dims);
void onnx_writer_value(onnx_writer *w, const char *name, int dtype, const char *dims);

// Initializers. The first two write raw data and take as many elements as the dimensions multiply to (none if one of
// them is negative): for dimensions that are lies, use onnx_writer_tensor, which writes what the struct says.
void onnx_writer_floats(onnx_writer *w, const char *name, const char *dims, const float *data);
void onnx_writer_ints(onnx_writer *w, const char *name, const char *dims, const int64_t *data);
void onnx_writer_tensor(onnx_writer *w, const onnx_tensor *tensor);

// A node; inputs and outputs are lists of names ("" is an empty list). The calls with attr in their name, and
// onnx_writer_domain, add to the node that was begun last; there must be one. name may be NULL.
void onnx_writer_node(onnx_writer *w, const char *op, const char *name, const char *inputs, const char *outputs);
void onnx_writer_domain(onnx_writer *w, const char *domain);
void onnx_writer_attr_int(onnx_writer *w, const char *name, int64_t value);
void onnx_writer_attr_float(onnx_writer *w, const char *name, float value);
void onnx_writer_attr_string(onnx_writer *w, const char *name, const char *value);
void onnx_writer_attr_ints(onnx_writer *w, const char *name, size_t count, const int64_t *values);
void onnx_writer_attr_floats(onnx_writer *w, const char *name, size_t count, const float *values);
void onnx_writer_attr_tensor(onnx_writer *w, const char *name, const onnx_tensor *tensor);
// The graph of another writer as attribute (the bodies of If and Loop); `graph` stays the caller's and usable.
void onnx_writer_attr_graph(onnx_writer *w, const char *name, onnx_writer *graph);

// Bytes as they are, in the model, the graph or the current node: for unknown fields and broken encodings.
void onnx_writer_raw(onnx_writer *w, enum onnx_place place, const void *bytes, size_t count);

// The model so far. finish: a block that the caller frees, NULL (and *size unchanged) without memory. save: false
// when the memory or the file failed, errno then says why. The writer can go on, and finish again, afterwards.
uint8_t *onnx_writer_finish(onnx_writer *w, size_t *size);
bool onnx_writer_save(onnx_writer *w, const char *path);

#endif
