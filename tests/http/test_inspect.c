// SPDX-License-Identifier: Apache-2.0
//
// dscd inspect on models that cannot run: all reasons at once, grouped.
#define _GNU_SOURCE
#include "tests/http/http_test.h"
#include "tests/support/onnx_writer.h"

// Twelve nodes of an operator that does not exist, two of another, one with an attribute too many, a Concat of maps
// that do not go together, and a node that reads what nobody makes; behind all of them is a Relu that is fine.
static void save_broken(void) {
    onnx_writer *w = onnx_writer_create(13, 8, "broken");
    cr_assert(w != NULL);
    onnx_writer_input(w, "x", ONNX_F32, "1,3,H,W");
    onnx_writer_input(w, "z", ONNX_F32, "1,2,5");
    for (int i = 0; i < 12; i++) {
        char name[16], out[16];
        (void)snprintf(name, sizeof name, "w%d", i);
        (void)snprintf(out, sizeof out, "o%d", i);
        onnx_writer_node(w, "Wobble", name, "x", out);
    }
    onnx_writer_node(w, "Wibble", "first", "x", "p");
    onnx_writer_node(w, "Wibble", "second", "p", "q");
    onnx_writer_node(w, "Relu", "odd", "x", "r");
    onnx_writer_attr_int(w, "strange", 1);
    onnx_writer_node(w, "Concat", "join", "x,z", "s");
    onnx_writer_attr_int(w, "axis", 1);
    onnx_writer_node(w, "Add", "lost", "x,nowhere", "t");
    onnx_writer_node(w, "Relu", "fine", "x", "y");
    onnx_writer_output(w, "y", ONNX_F32, "1,3,H,W");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "broken.onnx")));
    onnx_writer_free(w);
}

static char *inspect(const char *file, const char *form, const char *stream) {
    const char *model = dscd_path(&server, file);
    cr_assert_eq(form != NULL ? dscd_run(&server, OPTIONS("inspect", model, form))
                              : dscd_run(&server, OPTIONS("inspect", model)),
                 1);
    char *text = dscd_read_file(&server, stream);
    cr_assert_not_null(text);
    return text;
}

static void check_parts(char *text, const char *const *parts) {
    const char *at = text;
    for (; *parts != NULL; parts++) {
        const char *found = strstr(at, *parts);
        cr_assert(found != NULL, "no %s, or not there, in %s", *parts, text);
        at = found + strlen(*parts);
    }
    free(text);
}

HTTP_TEST(inspect, all_reasons_grouped) {
    save_broken();
    char *text = inspect("broken.onnx", NULL, "stderr");
    int lines = 0;
    for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
    cr_assert_eq(lines, 5, "%s", text);
    check_parts(text,
                OPTIONS("dscd inspect: operator Wobble is not supported: 12 nodes (w0, w1, w2, w3, w4, w5, w6, w7, "
                        "...)\n",
                        "operator Wibble is not supported: 2 nodes (first, second)\n",
                        "operator Add: its input 1, \"nowhere\", is not defined", "1 node (lost)\n",
                        "operator Relu: ", "\"strange\"", "1 node (odd)\n", "operator Concat: ", "1 node (join)\n"));
}

HTTP_TEST(inspect, all_reasons_as_json) {
    save_broken();
    char *text = inspect("broken.onnx", "--json", "stdout");
    check_parts(text, OPTIONS("{\"runs\":false,\"reasons\":[{\"operator\":\"Wobble\",\"reason\":\"the operator is not "
                              "supported\",\"status\":\"",
                              "\",\"count\":12,\"nodes\":[\"w0\",\"w1\"", "\"w11\"]},{\"operator\":\"Wibble\"",
                              "\"nodes\":[\"lost\"]}", "\"nodes\":[\"odd\"]}", "\"nodes\":[\"join\"]}]}\n"));
    text = dscd_read_file(&server, "stderr");
    cr_assert_str_eq(text, "");
    free(text);
}

// Reasons that are about no node.
HTTP_TEST(inspect, reasons_without_a_node) {
    cr_assert(dscd_write_file(&server, "text.onnx", "hello"));
    check_parts(inspect("text.onnx", "--json", "stdout"),
                OPTIONS("{\"runs\":false,\"reasons\":[{\"reason\":\"not a valid ONNX file", "\"count\":1}]}\n"));
    check_parts(inspect("absent.onnx", "--json", "stdout"), OPTIONS("[{\"reason\":\"", "No such file"));
    check_parts(inspect("absent.onnx", "--csv", "stderr"), OPTIONS("dscd inspect: ", "No such file"));
}

HTTP_TEST(inspect, a_model_that_runs_says_so) {
    cr_assert(small_model_save(dscd_path(&server, "small.onnx")));
    cr_assert_eq(dscd_run(&server, OPTIONS("inspect", dscd_path(&server, "small.onnx"), "--json")), 0);
    check_parts(dscd_read_file(&server, "stdout"), OPTIONS("{\"runs\":true,\"opset\":13"));
}
