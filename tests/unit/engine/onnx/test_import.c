// SPDX-License-Identifier: Apache-2.0
// Models that are imported: what becomes of inputs, outputs, constants, names, attributes and the order of nodes.
#include "engine/base/mem.h"
#include "engine/graph/check.h"
#include "engine/onnx/import.h"
#include "engine/ops/ops.h"
#include "tests/unit/engine/onnx/onnx_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static onnx_writer *conv_model(void) {
    static const float weight[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    onnx_writer *w = onnx_writer_create(13, 8, "conv");
    onnx_writer_producer(w, "tests", "1");
    onnx_writer_input(w, "image", ONNX_F32, "N,3,8,8");
    onnx_writer_floats(w, "weight", "4,3,1,1", weight);
    onnx_writer_node(w, "Conv", "conv", "image,weight", "sum");
    onnx_writer_attr_ints(w, "kernel_shape", 2, (int64_t[]){1, 1});
    onnx_writer_node(w, "Relu", "act", "sum", "out");
    onnx_writer_output(w, "out", ONNX_F32, "N,4,8,8");
    return w;
}

Test(onnx_import, convolution) {
    graph *g = case_import(conv_model(), NULL);
    cr_expect_str_eq(g->producer, "tests");
    cr_expect_eq(g->opset, 13);
    cr_assert_eq(g->node_count, 2u);
    cr_expect_str_eq(g->nodes[0].name, "conv");
    cr_expect_eq(g->nodes[0].op, op_find("Conv"));
    cr_expect_str_eq(g->nodes[1].name, "act");
    cr_assert_eq(g->input_count, 1u);
    const graph_value *x = &g->values[g->inputs[0]];
    cr_expect_str_eq(x->name, "image");
    cr_expect(x->is_input && x->has_shape && x->dtype == DSC_F32);
    cr_expect_eq(x->shape.rank, 4u);
    cr_expect_eq(x->shape.dims[0], -1);
    cr_expect_eq(x->shape.dims[1], 3);
    const graph_value *weight = case_value(g, "weight");
    cr_assert_not_null(weight->data);
    cr_expect_eq(((const float *)weight->data)[11], 12.0f);
    cr_expect_eq(weight->shape.dims[0], 4);
    cr_expect_eq(case_value(g, "sum")->producer, 0u);
    cr_assert_eq(g->output_count, 1u);
    cr_expect_str_eq(g->values[g->outputs[0]].name, "out");
    cr_expect(g->values[g->outputs[0]].is_output);
    graph_free(g);
}

Test(onnx_import, free_dimensions) {
    onnx_writer *w = onnx_writer_create(13, 8, "free");
    onnx_writer_input(w, "x", ONNX_F32, "batch,?,-1,8");
    onnx_writer_node(w, "Relu", "", "x", "y");
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    graph *g = case_import(w, NULL);
    const graph_shape *shape = &g->values[g->inputs[0]].shape;
    for (int i = 0; i < 3; i++) cr_expect_eq(shape->dims[i], -1);
    cr_expect_eq(shape->dims[3], 8);
    graph_free(g);
}

// Up to IR 3 every initializer had to be listed among the graph's inputs.
Test(onnx_import, initializers_among_inputs) {
    onnx_writer *w = case_begin();
    onnx_writer_floats(w, "b", "1", (float[]){2});
    onnx_writer_input(w, "b", ONNX_F32, "1");
    onnx_writer_node(w, "Add", "sum", "x,b", "y");
    graph *g = case_import(w, NULL);
    cr_expect_eq(g->input_count, 1u);
    cr_expect_not_null(case_value(g, "b")->data);
    graph_free(g);
}

Test(onnx_import, output_is_an_input_and_no_nodes) {
    onnx_writer *w = onnx_writer_create(13, 8, "nothing");
    onnx_writer_input(w, "x", ONNX_F32, "1,2");
    onnx_writer_output(w, "x", ONNX_F32, "1,2");
    graph *g = case_import(w, NULL);
    cr_expect_eq(g->node_count, 0u);
    cr_expect_eq(g->inputs[0], g->outputs[0]);
    graph_free(g);
}

Test(onnx_import, nodes_without_or_with_equal_names) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Relu", "", "x", "a");
    onnx_writer_node(w, "Relu", "n", "a", "b");
    onnx_writer_node(w, "Relu", "n", "b", "c");
    onnx_writer_node(w, "Relu", "Relu_0", "c", "d");
    onnx_writer_node(w, "Relu", NULL, "d", "y");
    graph *g = case_import(w, NULL);
    static const char *const expected[] = {"Relu_0_1", "n", "n_2", "Relu_0", "Relu_4"};
    for (uint32_t i = 0; i < 5; i++) cr_expect_str_eq(g->nodes[i].name, expected[i]);
    graph_free(g);
}

Test(onnx_import, unsorted_nodes_are_sorted) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Relu", "third", "b", "y");
    onnx_writer_node(w, "Relu", "first", "x", "a");
    onnx_writer_node(w, "Relu", "second", "a", "b");
    graph *g = case_import(w, NULL);
    cr_expect_str_eq(g->nodes[0].name, "first");
    cr_expect_str_eq(g->nodes[1].name, "second");
    cr_expect_str_eq(g->nodes[2].name, "third");
    cr_expect_eq(case_value(g, "b")->producer, 1u);
    graph_free(g);
}

Test(onnx_import, sorted_nodes_keep_their_order) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Relu", "one", "x", "a");
    onnx_writer_node(w, "Sigmoid", "two", "x", "b");
    onnx_writer_node(w, "Relu", "three", "x", "c");
    onnx_writer_node(w, "Add", "four", "c,a", "d");
    onnx_writer_node(w, "Add", "five", "d,b", "y");
    graph *g = case_import(w, NULL);
    static const char *const expected[] = {"one", "two", "three", "four", "five"};
    for (uint32_t i = 0; i < 5; i++) cr_expect_str_eq(g->nodes[i].name, expected[i]);
    graph_free(g);
}

Test(onnx_import, optional_inputs_and_outputs_left_out) {
    onnx_writer *w = case_begin();
    onnx_writer_floats(w, "high", "", (float[]){6});
    onnx_writer_node(w, "Clip", "clip", "x,,high", "c,");
    onnx_writer_node(w, "Relu", "act", "c,", "y");
    graph *g = case_import(w, NULL);
    cr_assert_eq(g->nodes[0].input_count, 3u);
    cr_expect_eq(g->nodes[0].inputs[1], GRAPH_NONE);
    cr_expect_eq(g->nodes[0].output_count, 1u);
    cr_expect_eq(g->nodes[1].input_count, 1u);
    graph_free(g);
}

Test(onnx_import, default_domain_by_name) {
    onnx_writer *w = case_relu();
    onnx_writer_domain(w, "ai.onnx");
    onnx_writer_import(w, "com.example", 1); // imported and not used
    graph_free(case_import(w, NULL));
}

Test(onnx_import, names_become_utf8) {
    onnx_writer *w = onnx_writer_create(13, 8, "names");
    onnx_writer_input(w, "x\xff\xc3\xa9", ONNX_F32, "1,2");
    onnx_writer_node(w, "Relu", "n\xc3", "x\xff\xc3\xa9", "<b>\n");
    onnx_writer_output(w, "<b>\n", ONNX_F32, "1,2");
    graph *g = case_import(w, NULL);
    cr_expect_str_eq(g->values[g->inputs[0]].name, "x?\xc3\xa9");
    cr_expect_str_eq(g->nodes[0].name, "n?");
    cr_expect_str_eq(g->values[g->outputs[0]].name, "<b>\n");
    graph_free(g);
}

// ---- Constant ------------------------------------------------------------------------------------------------

static graph *constant_model(void (*attribute)(onnx_writer *)) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Constant", "k", "", "c");
    attribute(w);
    onnx_writer_node(w, "Relu", "act", "x", "y");
    graph *g = case_import(w, NULL);
    cr_expect_eq(g->node_count, 1u, "a constant is a value, not a node");
    return g;
}

static void add_tensor(onnx_writer *w) {
    onnx_tensor t = {.dtype = ONNX_I64, .dims = "2", .data = (int64_t[]){5, -1}, .bytes = 16, .typed = true};
    onnx_writer_attr_tensor(w, "value", &t);
}
static void add_float(onnx_writer *w) {
    onnx_writer_attr_float(w, "value_float", 2.5f);
}
static void add_floats(onnx_writer *w) {
    onnx_writer_attr_floats(w, "value_floats", 2, (float[]){1, 2});
}
static void add_int(onnx_writer *w) {
    onnx_writer_attr_int(w, "value_int", -7);
}
static void add_ints(onnx_writer *w) {
    onnx_writer_attr_ints(w, "value_ints", 3, (int64_t[]){1, 2, 3});
}

Test(onnx_import, constants) {
    graph *g = constant_model(add_tensor);
    const graph_value *c = case_value(g, "c");
    cr_expect(c->dtype == DSC_I64 && c->shape.rank == 1 && c->shape.dims[0] == 2);
    cr_expect_eq(((const int64_t *)c->data)[1], -1);
    graph_free(g);
    g = constant_model(add_float);
    c = case_value(g, "c");
    cr_expect(c->dtype == DSC_F32 && c->shape.rank == 0 && *(const float *)c->data == 2.5f);
    graph_free(g);
    g = constant_model(add_floats);
    c = case_value(g, "c");
    cr_expect(c->dtype == DSC_F32 && c->shape.dims[0] == 2 && ((const float *)c->data)[1] == 2);
    graph_free(g);
    g = constant_model(add_int);
    c = case_value(g, "c");
    cr_expect(c->dtype == DSC_I64 && c->shape.rank == 0 && *(const int64_t *)c->data == -7);
    graph_free(g);
    g = constant_model(add_ints);
    c = case_value(g, "c");
    cr_expect(c->dtype == DSC_I64 && c->shape.dims[0] == 3 && ((const int64_t *)c->data)[2] == 3);
    graph_free(g);
}

// ---- memory ---------------------------------------------------------------------------------------------------

// Every allocation fails once; the import says so and, under the leak checker, gives everything back.
Test(onnx_import, every_allocation_fails_once) {
    size_t size = 0;
    onnx_writer *w = conv_model();
    onnx_writer_node(w, "Constant", "k", "", "c");
    onnx_writer_attr_float(w, "value_float", 1);
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    unsigned failures = 0;
    for (uint64_t n = 1; n < 1000; n++) {
        graph *g = NULL;
        dsc_error err = {0};
        mem_fail_at(n);
        dsc_status status = onnx_import(NULL, bytes, size, NULL, &g, &err);
        mem_fail_at(0);
        if (status == DSC_OK) {
            graph_free(g);
            break;
        }
        failures++;
        cr_assert_eq(status, DSC_NO_MEMORY, "allocation %u: %s", (unsigned)n, err.text);
        cr_assert_null(g);
        cr_assert(strlen(err.text) > 10);
    }
    cr_expect(failures > 5 && failures < 999, "%u failures", failures);
    free(bytes);
}
