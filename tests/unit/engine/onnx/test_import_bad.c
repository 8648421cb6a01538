// SPDX-License-Identifier: Apache-2.0
// Models that are refused, and what is said about them.
#include "engine/onnx/import.h"
#include "tests/unit/engine/onnx/onnx_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- not a model ---------------------------------------------------------------------------------------------

static void refuse_bytes(const void *bytes, size_t size, const char *part) {
    graph *g = NULL;
    dsc_error err = {0};
    cr_assert_eq(onnx_import(NULL, bytes, size, NULL, &g, &err), DSC_BAD_MODEL, "%s", err.text);
    cr_assert_null(g);
    cr_expect_not_null(strstr(err.text, part), "the sentence is: %s\nit lacks: %s", err.text, part);
}

Test(onnx_import_bad, files_of_another_kind) {
    refuse_bytes("", 0, "empty");
    refuse_bytes("version https://git-lfs.github.com/spec/v1\n", 43, "git lfs pull");
    refuse_bytes("\xff\xd8\xff\xe0....", 8, "JPEG");
    refuse_bytes("\x89PNG\r\n\x1a\n", 8, "PNG");
    refuse_bytes("PK\x03\x04....", 8, "ZIP");
    refuse_bytes("\x89HDF\r\n\x1a\n", 8, "HDF5");
    refuse_bytes("\x1c\0\0\0TFL3", 8, "TensorFlow Lite");
    refuse_bytes("\x1f\x8b\x08", 3, "gzip");
    refuse_bytes("<!DOCTYPE html>", 15, "web page");
    refuse_bytes("some text", 9, "not a valid ONNX file");
    refuse_bytes("\x08\x08", 2, "no graph");
    refuse_bytes("\x3a\x00", 2, "no IR version");
}

Test(onnx_import_bad, versions) {
    onnx_writer *w = onnx_writer_create(13, 99, "g");
    onnx_writer_output(w, "y", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "IR version 99 is not supported; 1 to 13 are");
    w = onnx_writer_create(999, 8, "g");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "opset 999 is not supported; 1 to");
    w = onnx_writer_create(0, 8, "g");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "opset 0 is not supported; 1 to");
    w = onnx_writer_create(13, 8, "g");
    onnx_writer_import(w, "", 12);
    case_refuse(w, NULL, DSC_BAD_MODEL, "opsets 13 and 12 at once");
}

Test(onnx_import_bad, no_opset) {
    static const uint8_t bytes[] = {0x08, 0x08, 0x3a, 0x00}; // ir_version 8, an empty graph
    refuse_bytes(bytes, sizeof bytes, "opset");
}

// ---- inputs and outputs --------------------------------------------------------------------------------------

static onnx_writer *with_input(int dtype, const char *dims) {
    onnx_writer *w = onnx_writer_create(13, 8, "g");
    onnx_writer_input(w, "x", dtype, dims);
    onnx_writer_node(w, "Relu", "act", "x", "y");
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    return w;
}

Test(onnx_import_bad, inputs) {
    case_refuse(with_input(ONNX_STRING, "1"), NULL, DSC_UNSUPPORTED, "input \"x\" has the element type STRING (8)");
    case_refuse(with_input(99, "1"), NULL, DSC_UNSUPPORTED, "unknown (99)");
    case_refuse(with_input(-1, "1"), NULL, DSC_UNSUPPORTED, "unknown (-1)");
    case_refuse(with_input(ONNX_F32, NULL), NULL, DSC_UNSUPPORTED, "input \"x\" has no shape");
    case_refuse(with_input(ONNX_F32, "1,-2"), NULL, DSC_BAD_MODEL, "input \"x\": its dimension 1 is -2");
    case_refuse(with_input(ONNX_F32, "1,1,1,1,1,1,1,1,1"), NULL, DSC_TOO_LARGE, "the limit \"rank\" is 8");
    case_refuse(with_input(ONNX_F32, "1099511627776,3,224,224"), NULL, DSC_TOO_LARGE, "\"tensor_bytes\"");
    case_refuse(with_input(ONNX_F32, "N,4294967296,4294967296"), NULL, DSC_TOO_LARGE, "?x4294967296x4294967296");
}

Test(onnx_import_bad, input_that_is_no_tensor) {
    onnx_writer *w = case_relu();
    static const uint8_t sequence[] = {0x5a, 0x07, 0x0a, 0x01, 's', 0x12, 0x02, 0x22, 0x00}; // input "s": type 4
    onnx_writer_raw(w, ONNX_IN_GRAPH, sequence, sizeof sequence);
    case_refuse(w, NULL, DSC_UNSUPPORTED, "input \"s\" is not a tensor");
}

Test(onnx_import_bad, names_of_the_graph) {
    onnx_writer *w = case_relu();
    onnx_writer_input(w, "x", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_BAD_MODEL, "tensor \"x\" is defined twice");
    w = case_relu();
    onnx_writer_input(w, "", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_BAD_MODEL, "an input of the graph has no name");
    w = case_relu();
    onnx_writer_output(w, "", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_BAD_MODEL, "an output of the graph has no name");
    w = case_relu();
    onnx_writer_output(w, "z", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_BAD_MODEL, "output \"z\" is not defined");
    w = case_relu();
    onnx_writer_output(w, "y", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_BAD_MODEL, "output \"y\" is listed twice");
    w = onnx_writer_create(13, 8, "g");
    case_refuse(w, NULL, DSC_BAD_MODEL, "the model has no output");
}

// ---- nodes ---------------------------------------------------------------------------------------------------

Test(onnx_import_bad, operators) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Wobble", "n", "x", "y");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "node \"n\" (Wobble): the operator is not supported");
    w = case_begin();
    onnx_writer_node(w, "Relu", "n", "x", "y");
    onnx_writer_domain(w, "com.microsoft");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "node \"n\" (Relu): the operator's domain \"com.microsoft\"");
    w = case_begin();
    onnx_writer_node(w, "", "n", "x", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node 0 of the file does not say which operator");
    w = onnx_writer_create(12, 8, "g"); // HardSwish came with opset 14
    onnx_writer_input(w, "x", ONNX_F32, "1");
    onnx_writer_node(w, "HardSwish", "n", "x", "y");
    onnx_writer_output(w, "y", ONNX_F32, "1");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "node \"n\" (HardSwish): the operator is not supported in opset 12");
}

Test(onnx_import_bad, counts_of_inputs_and_outputs) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Conv", "n", "x", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"n\" (Conv): it has 1 inputs; it must have at least 2 and at most 3");
    w = case_begin();
    onnx_writer_node(w, "Relu", "n", "x,x", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "at least 1 and at most 1");
    w = case_begin();
    onnx_writer_node(w, "Add", "n", ",x", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"n\" (Add): its input 0 must not be left out");
    w = case_begin();
    onnx_writer_node(w, "Relu", "n", "x", "y,z");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "it has 2 outputs; at most 1 are supported");
    w = case_begin();
    onnx_writer_node(w, "Relu", "n", "x", "");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"n\" (Relu): it lacks its first output");
}

Test(onnx_import_bad, edges) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Add", "n", "x,nope", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"n\" (Add): its input 1, \"nope\", is not defined");
    w = case_relu();
    onnx_writer_node(w, "Sigmoid", "n", "x", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "tensor \"y\" is defined twice");
    w = case_relu();
    onnx_writer_node(w, "Sigmoid", "n", "y", "x");
    case_refuse(w, NULL, DSC_BAD_MODEL, "tensor \"x\" is defined twice");
    w = case_begin();
    onnx_writer_node(w, "Relu", "loop", "b", "a");
    onnx_writer_node(w, "Relu", "back", "a", "b");
    onnx_writer_node(w, "Add", "end", "x,a", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "(Relu): it is part of a cycle");
    w = case_begin();
    onnx_writer_node(w, "Relu", "self", "y", "y");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"self\" (Relu): it is part of a cycle");
}

Test(onnx_import_bad, attributes) {
    onnx_writer *w = case_relu();
    onnx_writer_attr_float(w, "slope", 1);
    case_refuse(w, NULL, DSC_UNSUPPORTED, "node \"act\" (Relu): attribute \"slope\" is not supported");
    w = case_relu();
    onnx_writer_attr_float(w, "", 1);
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"act\" (Relu): an attribute has no name");
    w = case_relu();
    onnx_writer_attr_float(w, "a", 1);
    onnx_writer_attr_float(w, "a", 1);
    case_refuse(w, NULL, DSC_BAD_MODEL, "attribute \"a\" is there twice");
    w = case_relu();
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%d", i);
        onnx_writer_attr_int(w, name, 1);
    }
    case_refuse(w, NULL, DSC_UNSUPPORTED, "it has 300 attributes; at most 256");
    w = case_begin();
    onnx_writer_floats(w, "w", "3,3,1,1", (float[9]){0});
    onnx_writer_node(w, "Conv", "n", "x,w", "y");
    onnx_writer_attr_string(w, "strides", "two");
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"n\" (Conv): attribute \"strides\" is a string");
}

Test(onnx_import_bad, attributes_of_unread_kinds) {
    onnx_writer *body = case_relu();
    onnx_writer *w = case_relu();
    onnx_writer_attr_graph(w, "body", body);
    onnx_writer_free(body);
    case_refuse(w, NULL, DSC_UNSUPPORTED, "attribute \"body\" is not supported");
    static const uint8_t reference[] = {0x2a, 0x0b, 0x0a, 0x01, 'a', 0xaa, 0x01, 0x01, 'b', 0xa0, 0x01, 0x01, 0x00};
    w = case_relu();
    onnx_writer_raw(w, ONNX_IN_NODE, reference, 12); // attribute "a", ref_attr_name "b", the type cut off:
    case_refuse(w, NULL, DSC_BAD_MODEL, "not a valid ONNX file");
    static const uint8_t whole[] = {0x2a, 0x0a, 0x0a, 0x01, 'a', 0xaa, 0x01, 0x01, 'b', 0xa0, 0x01, 0x01};
    w = case_relu();
    onnx_writer_raw(w, ONNX_IN_NODE, whole, sizeof whole);
    case_refuse(w, NULL, DSC_UNSUPPORTED, "attribute \"a\" refers to an attribute of a function");
    static const uint8_t no_tensor[] = {0x2a, 0x06, 0x0a, 0x01, 'a', 0xa0, 0x01, 0x04};
    w = case_relu();
    onnx_writer_raw(w, ONNX_IN_NODE, no_tensor, sizeof no_tensor);
    case_refuse(w, NULL, DSC_BAD_MODEL, "attribute \"a\" lacks its tensor");
}

static onnx_writer *with_constant(const char *inputs, const char *outputs) {
    onnx_writer *w = case_relu();
    onnx_writer_node(w, "Constant", "k", inputs, outputs);
    return w;
}

Test(onnx_import_bad, constants) {
    case_refuse(with_constant("", "c"), NULL, DSC_BAD_MODEL, "node \"k\" (Constant): it has 0 attributes");
    case_refuse(with_constant("", ""), NULL, DSC_BAD_MODEL, "node \"k\" (Constant): it must have one output");
    case_refuse(with_constant("", "c,d"), NULL, DSC_BAD_MODEL, "it must have one output");
    onnx_writer *w = with_constant("x", "c");
    onnx_writer_attr_int(w, "value_int", 1);
    case_refuse(w, NULL, DSC_BAD_MODEL, "1 inputs");
    w = with_constant("", "c");
    onnx_writer_attr_string(w, "value_string", "s");
    case_refuse(w, NULL, DSC_UNSUPPORTED, "attribute \"value_string\"");
    w = with_constant("", "c");
    onnx_writer_attr_float(w, "value_int", 1);
    case_refuse(w, NULL, DSC_UNSUPPORTED, "attribute \"value_int\"");
    w = with_constant("", "y");
    onnx_writer_attr_int(w, "value_int", 1);
    case_refuse(w, NULL, DSC_BAD_MODEL, "tensor \"y\" is defined twice");
    onnx_tensor bad = {.dtype = ONNX_F32, .dims = "4", .data = "1234", .bytes = 4};
    w = with_constant("", "c");
    onnx_writer_attr_tensor(w, "value", &bad);
    case_refuse(w, NULL, DSC_BAD_MODEL, "node \"k\" (Constant): the tensor in attribute \"value\" holds 4 bytes");
}

// ---- limits --------------------------------------------------------------------------------------------------

static void refuse_by(onnx_writer *w, dsc_limits limits, const char *part) {
    dsc_load_options options = {.limits = &limits};
    onnx_case with = {.options = &options};
    case_refuse(w, &with, DSC_TOO_LARGE, part);
}

static onnx_writer *with_weights(void) {
    onnx_writer *w = case_begin();
    onnx_writer_floats(w, "a", "4", (float[4]){0});
    onnx_writer_floats(w, "b", "2,2", (float[4]){0});
    onnx_writer_node(w, "Constant", "k", "", "c");
    onnx_writer_attr_floats(w, "value_floats", 4, (float[4]){0});
    onnx_writer_node(w, "Relu", "act", "x", "y");
    return w;
}

Test(onnx_import_bad, limits) {
    refuse_by(case_relu(), (dsc_limits){.file_bytes = 40}, "the limit \"file_bytes\" is 40");
    refuse_by(with_weights(), (dsc_limits){.nodes = 1}, "the model has 2 nodes; the limit \"nodes\" is 1");
    refuse_by(with_weights(), (dsc_limits){.rank = 1}, "initializer \"b\" has 2 dimensions; the limit \"rank\" is 1");
    refuse_by(with_weights(), (dsc_limits){.tensor_bytes = 15}, "initializer \"a\" has the shape 4, too large");
    refuse_by(with_weights(), (dsc_limits){.weights_bytes = 31}, "initializer \"b\": with it the weights");
    refuse_by(with_weights(), (dsc_limits){.weights_bytes = 47}, "constant \"c\": with it the weights");
    refuse_by(case_relu(), (dsc_limits){.name_bytes = 2},
              "the name of a node has 3 bytes; the limit \"name_bytes\" is 2");
}

Test(onnx_import_bad, constant_above_the_tensor_limit) {
    onnx_writer *w = onnx_writer_create(13, 8, "g");
    onnx_writer_node(w, "Constant", "k", "", "y");
    onnx_writer_attr_floats(w, "value_floats", 4, (float[4]){0});
    onnx_writer_output(w, "y", ONNX_F32, "4");
    refuse_by(w, (dsc_limits){.tensor_bytes = 15}, "constant \"y\" is too large");
}

Test(onnx_import_bad, limits_are_inclusive) {
    dsc_limits limits = {.nodes = 2, .rank = 4, .weights_bytes = 48, .tensor_bytes = 768, .name_bytes = 3};
    dsc_load_options options = {.limits = &limits};
    onnx_case with = {.options = &options};
    graph_free(case_import(with_weights(), &with));
}

// ---- all reasons at once --------------------------------------------------------------------------------------

Test(onnx_import_bad, report_tells_every_reason) {
    case_lines lines = {0};
    dsc_load_options options = {.report = case_line, .report_context = &lines};
    onnx_case with = {.options = &options};
    onnx_writer *w = case_begin();
    onnx_tensor text = {.name = "words", .dtype = ONNX_STRING, .dims = "1"};
    onnx_writer_tensor(w, &text);
    onnx_writer_node(w, "Wobble", "a", "x,words", "p");
    onnx_writer_node(w, "Relu", "b", "p", "q");
    onnx_writer_attr_int(w, "one", 1);
    onnx_writer_attr_int(w, "two", 2);
    onnx_writer_node(w, "Add", "c", "q,missing", "r");
    onnx_writer_node(w, "Wibble", "d", "r", "y");
    onnx_writer_output(w, "elsewhere", ONNX_F32, "1");
    case_refuse(w, &with, DSC_UNSUPPORTED, "initializer \"words\" has the element type STRING");
    cr_expect_eq(lines.count, 7u, "%s", lines.text);
    static const char *const parts[] = {"\"words\"", "\"missing\"", "(Wobble)",     "\"one\"",
                                        "\"two\"",   "(Wibble)",    "\"elsewhere\""};
    for (size_t i = 0; i < 7; i++)
        cr_expect_not_null(strstr(lines.text, parts[i]), "%s lacks %s", lines.text, parts[i]);
}

// Found by the fuzzer: shapes were inferred for a node that had no parameters.
Test(onnx_import_bad, report_goes_on_after_an_attribute_that_cannot_be_read) {
    case_lines lines = {0};
    dsc_load_options options = {.report = case_line, .report_context = &lines};
    onnx_case with = {.options = &options};
    onnx_writer *w = case_begin();
    onnx_writer_floats(w, "five", "5", (float[5]){0});
    onnx_writer_node(w, "HardSigmoid", "bad", "x", "p");
    onnx_writer_attr_string(w, "beta", "much");
    onnx_writer_node(w, "Relu", "after", "p", "q");
    onnx_writer_node(w, "Add", "shapes", "x,five", "y");
    case_refuse(w, &with, DSC_BAD_MODEL, "attribute \"beta\" is a string");
    cr_expect_eq(lines.count, 2u, "%s", lines.text);
    cr_expect_not_null(strstr(lines.text, "\"shapes\" (Add)"), "%s", lines.text);
}

Test(onnx_import_bad, report_tells_what_ends_the_import) {
    case_lines lines = {0};
    dsc_load_options options = {.report = case_line, .report_context = &lines};
    onnx_case with = {.options = &options};
    case_refuse(onnx_writer_create(999, 8, "g"), &with, DSC_UNSUPPORTED, "opset 999");
    cr_expect_eq(lines.count, 1u);
    cr_expect_not_null(strstr(lines.text, "opset 999"));
}
