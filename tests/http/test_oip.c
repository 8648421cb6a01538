// SPDX-License-Identifier: Apache-2.0
//
// What the Open Inference Protocol says must be, sentence by sentence, on a model of two inputs and two outputs.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "tests/support/onnx_writer.h"

#define INFER "/v2/models/sum/infer"

// c = a + b and d = a * b, of N x 2 each.
static void serve_sum(void) {
    onnx_writer *w = onnx_writer_create(13, 8, "sum");
    cr_assert(w != NULL);
    onnx_writer_input(w, "a", ONNX_F32, "N,2");
    onnx_writer_input(w, "b", ONNX_F32, "N,2");
    onnx_writer_node(w, "Add", "sum", "a,b", "c");
    onnx_writer_node(w, "Mul", "product", "a,b", "d");
    onnx_writer_output(w, "c", ONNX_F32, "N,2");
    onnx_writer_output(w, "d", ONNX_F32, "N,2");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "sum.onnx")));
    onnx_writer_free(w);
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "sum.onnx"), "--threads", "1")));
}

#define INPUT(name, rest) "{\"name\":\"" name "\",\"shape\":[2,2],\"datatype\":\"FP32\"," rest "}"
#define A                 INPUT("a", "\"data\":[1,2,3,4]")
#define B                 INPUT("b", "\"data\":[[5,6],[7,8]]")
#define C_ANSWER          "{\"name\":\"c\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":[6,8,10,12]}"
#define D_ANSWER          "{\"name\":\"d\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":[5,12,21,32]}"

static http_reply post(const char *body) {
    return http_post(server.port, INFER, "", body, strlen(body));
}

static void check_text(const char *body, const char *wanted) {
    http_reply r = post(body);
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Content-Type", "application/json"));
    cr_assert(http_has_text(&r, wanted), "%s is not in %s", wanted, r.body);
    http_reply_free(&r);
}

HTTP_TEST(oip, inputs_and_outputs) {
    serve_sum();
    // Flat or nested; in any order; all outputs where none is named, in the model's order.
    check_text("{\"inputs\":[" A "," B "]}", "\"outputs\":[" C_ANSWER "," D_ANSWER "]");
    check_text("{\"inputs\":[" B "," A "],\"outputs\":[]}", "\"outputs\":[" C_ANSWER "," D_ANSWER "]");
    // Those that are named, in that order.
    check_text("{\"inputs\":[" A "," B "],\"outputs\":[{\"name\":\"d\"}]}", "\"outputs\":[" D_ANSWER "]");
    check_text("{\"inputs\":[" A "," B "],\"outputs\":[{\"name\":\"d\"},{\"name\":\"c\"}]}",
               "\"outputs\":[" D_ANSWER "," C_ANSWER "]");
    // The model's name and version; the id where one was given, and only then.
    check_text("{\"id\":\"4\\u00e4\\\"2\",\"inputs\":[" A "," B "]}",
               "{\"model_name\":\"sum\",\"model_version\":\"1\",\"id\":\"4\xc3\xa4\\\"2\",\"outputs\"");
    check_text("{\"inputs\":[" A "," B "]}", "{\"model_name\":\"sum\",\"model_version\":\"1\",\"outputs\"");
    // What is not set is null with some clients, and the model's name stands in the body with others.
    check_text("{\"id\":null,\"model_name\":\"sum\",\"parameters\":null,\"outputs\":null,\"inputs\":[{\"name\":\"a\","
               "\"shape\":"
               "[2,2],\"datatype\":\"FP32\",\"parameters\":null,\"data\":[1,2,3,4]}," B "]}",
               "{\"model_name\":\"sum\",\"model_version\":\"1\",\"outputs\":[" C_ANSWER "," D_ANSWER "]");
    STOPS_CLEANLY();
}

HTTP_TEST(oip, names_are_case_sensitive) {
    serve_sum();
    static const struct {
        const char *path, *body;
        int status;
    } rows[] = {
        {"/v2/models/Sum/infer", "{\"inputs\":[" A "," B "]}", 404},
        {INFER, "{\"Inputs\":[" A "," B "]}", 400},
        {INFER, "{\"inputs\":[" INPUT("A", "\"data\":[1,2,3,4]") "," B "]}", 400},
        {INFER, "{\"inputs\":[" A "," B "],\"outputs\":[{\"name\":\"C\"}]}", 400},
        {INFER, "{\"inputs\":[{\"name\":\"a\",\"shape\":[2,2],\"datatype\":\"fp32\",\"data\":[1,2,3,4]}," B "]}", 400},
        {"/v2/models/sum/versions/2/infer", "{\"inputs\":[" A "," B "]}", 404},
        {"/v2/models/sum/versions/01/infer", "{\"inputs\":[" A "," B "]}", 404},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_post(rows[i].path, "", rows[i].body, rows[i].status);
    STOPS_CLEANLY();
}

// One input as JSON and one in binary; one output as JSON and one in binary.
HTTP_TEST(oip, json_and_binary_mixed) {
    serve_sum();
    static const char json[] = "{\"inputs\":[" A "," INPUT(
        "b", "\"parameters\":{\"binary_data_size\":16}") "],"
                                                         "\"outputs\":[{\"name\":\"c\",\"parameters\":{\"binary_data\":"
                                                         "false}},"
                                                         "{\"name\":\"d\",\"parameters\":{\"binary_data\":true}}]}";
    static const float b[4] = {5, 6, 7, 8}, product[4] = {5, 12, 21, 32};
    char body[sizeof json + 16], headers[80];
    memcpy(body, json, sizeof json - 1);
    memcpy(body + sizeof json - 1, b, 16);
    (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %zu\r\n", sizeof json - 1);
    http_reply r = http_post(server.port, INFER, headers, body, sizeof json - 1 + 16);
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Content-Type", "application/octet-stream"));
    size_t size = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
    cr_assert(r.size == size + 16 && memcmp(r.body + size, product, 16) == 0);
    cr_assert(http_has_text(&r, C_ANSWER) && http_has_text(&r, "\"name\":\"d\",\"datatype\":\"FP32\",\"shape\":[2,2],"
                                                               "\"parameters\":{\"binary_data_size\":16}}"));
    http_reply_free(&r);
    static const struct {
        size_t header, size;
    } wrong[] = {{sizeof json - 1, sizeof json - 2 + 16}, // a byte too few
                 {sizeof json - 1, sizeof json + 15},     // ... and the same, cut ahead of the end
                 {sizeof json - 2, sizeof json - 1 + 16}, // the header is cut off
                 {sizeof json + 100, sizeof json - 1 + 16}};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %zu\r\n", wrong[i].header);
        r = http_post(server.port, INFER, headers, body, wrong[i].size - (i == 1));
        check_status(&r, 400);
        http_reply_free(&r);
    }
    // The request's wish for all outputs, and an output's own that goes against it.
    static const char all[] = "{\"inputs\":[" A "," B "],\"parameters\":{\"binary_data_output\":true},\"outputs\":["
                              "{\"name\":\"c\"},{\"name\":\"d\",\"parameters\":{\"binary_data\":false}}]}";
    r = post(all);
    check_status(&r, 200);
    size = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
    cr_assert(r.size == size + 16 && http_has_text(&r, D_ANSWER));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// Clients that say nothing of the content, or something wrong.
HTTP_TEST(oip, content_types) {
    serve_sum();
    static const char *const types[] = {
        "", "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: text/plain\r\n",
        "Content-Type: application/json; charset=utf-8\r\n", "Content-Type: application/octet-stream\r\n"};
    static const char body[] = " \r\n{\"inputs\":[" A "," B "]}\n";
    for (size_t i = 0; i < 5; i++) check_post(INFER, types[i], body, 200);
    check_post(INFER, "", "\xef\xbb\xbf{\"inputs\":[" A "," B "]}", 200); // a byte order mark
    check_post("/v1/models/sum:predict", "", "\xef\xbb\xbf{\"inputs\":{\"a\":[[1,2]],\"b\":[[1,2]]}}", 200);
    check_post("/v2/repository/index", "", "\xef\xbb\xbf{\"ready\":true}", 200);
    http_connection c = http_connect(server.port);
    char head[200];
    (void)snprintf(head, sizeof head, "POST " INFER " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                   sizeof body - 1);
    cr_assert(http_send_text(&c, head) && http_send_text(&c, body) && http_send_text(&c, "\r\n0\r\n\r\n"));
    http_reply r = http_read(&c, true);
    check_status(&r, 200);
    http_reply_free(&r);
    http_close(&c);
    STOPS_CLEANLY();
}

HTTP_TEST(oip, not_ready_has_a_body) {
    SERVE_SMALL("--threads", "1", "--drain-delay-s", "2");
    dscd_signal(&server, SIGTERM);
    http_reply r = {0};
    for (int i = 0; i < 1000 && r.status != 503; i++) {
        http_reply_free(&r);
        r = http_request(server.port, "GET", "/v2/health/ready", "");
    }
    check_status(&r, 503);
    cr_assert(http_has_text(&r, "\"ready\":false") && http_has_header(&r, "Retry-After", ""));
    http_reply_free(&r);
    check_get("/v2/health/live", 200);
    cr_assert_eq(dscd_wait(&server, 20), 0);
}
