// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/onnx/onnx_case.h"

#include "engine/onnx/import.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dsc_status import(onnx_writer *w, const onnx_case *with, graph **g, dsc_error *err) {
    onnx_case none = {0};
    size_t size = 0;
    uint8_t *bytes = onnx_writer_finish(w, &size);
    cr_assert_not_null(bytes);
    onnx_writer_free(w);
    if (!with) with = &none;
    dsc_status status = onnx_import(with->source, bytes, size, with->options, g, err);
    free(bytes);
    return status;
}

graph *case_import(onnx_writer *w, const onnx_case *with) {
    graph *g = NULL;
    dsc_error err = {0};
    dsc_status status = import(w, with, &g, &err);
    cr_assert_eq(status, DSC_OK, "refused: %s", err.text);
    cr_assert_not_null(g);
    return g;
}

void case_refuse(onnx_writer *w, const onnx_case *with, dsc_status status, const char *part) {
    graph *g = NULL;
    dsc_error err = {0};
    dsc_status got = import(w, with, &g, &err);
    cr_assert_neq(got, DSC_OK, "was not refused; expected: %s", part);
    cr_assert_null(g);
    cr_assert_eq(err.status, got);
    cr_expect_eq(got, status, "%s instead of %s: %s", dsc_status_name(got), dsc_status_name(status), err.text);
    cr_expect_not_null(strstr(err.text, part), "the sentence is: %s\nit lacks: %s", err.text, part);
}

onnx_writer *case_begin(void) {
    onnx_writer *w = onnx_writer_create(13, 8, "test");
    cr_assert_not_null(w);
    onnx_writer_input(w, "x", ONNX_F32, "1,3,8,8");
    onnx_writer_output(w, "y", ONNX_F32, "1,3,8,8");
    return w;
}

onnx_writer *case_relu(void) {
    onnx_writer *w = case_begin();
    onnx_writer_node(w, "Relu", "act", "x", "y");
    return w;
}

const graph_value *case_value(const graph *g, const char *name) {
    for (uint32_t i = 0; i < g->value_count; i++) {
        if (strcmp(g->values[i].name, name) == 0) return &g->values[i];
    }
    cr_assert_fail("no value is called %s", name);
    return NULL;
}

void case_line(void *lines, const dsc_problem *problem) {
    case_lines *l = lines;
    size_t used = strlen(l->text);
    l->count++;
    snprintf(l->text + used, sizeof l->text - used, "%s\n", problem->sentence);
}
