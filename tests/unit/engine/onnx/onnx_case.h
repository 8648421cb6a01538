// SPDX-License-Identifier: Apache-2.0
// What the importer's tests share: a model from a writer is imported, or must be refused with a certain sentence.
#ifndef DSC_TESTS_ONNX_CASE_H
#define DSC_TESTS_ONNX_CASE_H

#include "engine/graph/graph.h"
#include "tests/support/onnx_writer.h"

typedef struct onnx_case {
    const dsc_source *source;
    const dsc_load_options *options;
} onnx_case;

// Both free the writer. The graph is the caller's. A refusal must have `status` and a sentence with `part` in it.
graph *case_import(onnx_writer *w, const onnx_case *with);
void case_refuse(onnx_writer *w, const onnx_case *with, dsc_status status, const char *part);

// A writer with an input "x" of 1x3x8x8 floats and an output "y", opset 13.
onnx_writer *case_begin(void);
// The same with the node "act", Relu, from x to y.
onnx_writer *case_relu(void);
// The value of that name; the test fails where there is none.
const graph_value *case_value(const graph *g, const char *name);

// Collects the sentences of a report, each on a line.
typedef struct case_lines {
    unsigned count;
    char text[4096];
} case_lines;
void case_line(void *lines, const dsc_problem *problem);

#endif
