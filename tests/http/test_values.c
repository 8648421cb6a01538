// SPDX-License-Identifier: Apache-2.0
//
// Inputs whose values decide shapes: a Reshape's target and a Slice's bounds that come with each request.
#define _GNU_SOURCE
#include "tests/http/http_test.h"
#include "tests/support/npy_file.h"
#include "tests/support/onnx_writer.h"

#define INFER "/v2/models/shaper/infer"

// y = slice(reshape(x, target), 0, end) of twelve numbers.
static void save_shaper(void) {
    static const int64_t zero = 0;
    onnx_writer *w = onnx_writer_create(13, 8, "shaper");
    cr_assert(w != NULL);
    onnx_writer_input(w, "x", ONNX_F32, "12");
    onnx_writer_input(w, "target", ONNX_I64, "R");
    onnx_writer_input(w, "end", ONNX_I64, "1");
    onnx_writer_ints(w, "zero", "1", &zero);
    onnx_writer_node(w, "Reshape", "form", "x,target", "formed");
    onnx_writer_node(w, "Slice", "cut", "formed,zero,end", "y");
    onnx_writer_output(w, "y", ONNX_F32, "A,B");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "shaper.onnx")));
    onnx_writer_free(w);
}

static http_reply post(const char *target_shape, const char *target, const char *end) {
    char body[1024];
    (void)snprintf(body, sizeof body,
                   "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[12],"
                   "\"data\":[0,1,2,3,4,5,6,7,8,9,10,11]},"
                   "{\"name\":\"target\",\"datatype\":\"INT64\",\"shape\":%s,\"data\":%s},"
                   "{\"name\":\"end\",\"datatype\":\"INT64\",\"shape\":[1],\"data\":[%s]}]}",
                   target_shape, target, end);
    return http_post(server.port, INFER, "", body, strlen(body));
}

static void check(const char *target_shape, const char *target, const char *end, const char *wanted) {
    http_reply r = post(target_shape, target, end);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, wanted), "no %s in %s", wanted, r.body);
    http_reply_free(&r);
}

static void check_refused(const char *target_shape, const char *target, const char *end, const char *words) {
    http_reply r = post(target_shape, target, end);
    check_status(&r, 400);
    cr_assert(http_has_text(&r, words), "no %s in %s", words, r.body);
    http_reply_free(&r);
}

HTTP_TEST(values, decide_the_plan) {
    save_shaper();
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "shaper.onnx"), "--threads", "2", "--plan-cache", "2")));
    // More of them than plans are kept, twice round.
    for (int round = 0; round < 2; round++) {
        check("[2]", "[3,4]", "2", "\"shape\":[2,4],\"data\":[0,1,2,3,4,5,6,7]");
        check("[2]", "[4,3]", "2", "\"shape\":[2,3],\"data\":[0,1,2,3,4,5]");
        check("[2]", "[-1,2]", "1", "\"shape\":[1,2],\"data\":[0,1]");
        check("[2]", "[3,4]", "1", "\"shape\":[1,4],\"data\":[0,1,2,3]");
        check("[3]", "[1,6,2]", "9", "\"shape\":[1,6,2],\"data\":[0,1,2,3,4,5,6,7,8,9,10,11]");
        check("[1]", "[12]", "-10", "\"shape\":[2],\"data\":[0,1]");
    }
    STOPS_CLEANLY();
}

HTTP_TEST(values, binary) {
    save_shaper();
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "shaper.onnx"), "--threads", "1")));
    static const char json[] =
        "{\"inputs\":[{\"name\":\"target\",\"datatype\":\"INT64\",\"shape\":[2],\"parameters\":{\"binary_data_size\":"
        "16}},"
        "{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[12],\"data\":[0,1,2,3,4,5,6,7,8,9,10,11]},"
        "{\"name\":\"end\",\"datatype\":\"INT64\",\"shape\":[1],\"parameters\":{\"binary_data_size\":8}}]}";
    static const int64_t numbers[3] = {6, 2, 3};
    char body[sizeof json + sizeof numbers], headers[80];
    memcpy(body, json, sizeof json - 1);
    memcpy(body + sizeof json - 1, numbers, sizeof numbers);
    (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %zu\r\n", sizeof json - 1);
    http_reply r = http_post(server.port, INFER, headers, body, sizeof json - 1 + sizeof numbers);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"shape\":[3,2],\"data\":[0,1,2,3,4,5]"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(values, bad_ones_are_named) {
    save_shaper();
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "shaper.onnx"), "--threads", "1")));
    check_refused("[2]", "[5,3]", "1", "\\\"target\\\" = [5,3]");
    check_refused("[2]", "[-1,-1]", "1", "\\\"target\\\" = [-1,-1]");
    check_refused("[2]", "[-2,6]", "1", "\\\"target\\\" = [-2,6]");
    check_refused("[1]", "[9223372036854775807]", "1", "\\\"target\\\"");
    check_refused("[2]", "[3,\"4\"]", "1", "\\\"target\\\"");
    check_refused("[9]", "[1,1,1,1,1,1,1,1,12]", "1", "\\\"target\\\"");
    check_refused("[513]", "[1]", "1", "\\\"target\\\"");
    check("[2]", "[3,4]", "1", "\"shape\":[1,4]");
    STOPS_CLEANLY();
}

// Thousands of bytes of values are refused before a plan is tried.
HTTP_TEST(values, many_are_refused) {
    save_shaper();
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "shaper.onnx"), "--threads", "1")));
    char *body = malloc(4096);
    size_t used =
        (size_t)sprintf(body, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[12],"
                              "\"data\":[0,1,2,3,4,5,6,7,8,9,10,11]},{\"name\":\"end\",\"datatype\":\"INT64\","
                              "\"shape\":[1],\"data\":[1]},"
                              "{\"name\":\"target\",\"datatype\":\"INT64\",\"shape\":[513],\"data\":[1");
    for (int i = 1; i < 513; i++) used += (size_t)sprintf(body + used, ",1");
    used += (size_t)sprintf(body + used, "]}]}");
    http_reply r = http_post(server.port, INFER, "", body, used);
    check_status(&r, 400);
    cr_assert(http_has_text(&r, "input \\\"target\\\" decides shapes and has 4104 bytes of values; at most 4096"), "%s",
              r.body);
    http_reply_free(&r);
    free(body);
    STOPS_CLEANLY();
}

// ---- the other verbs ----------------------------------------------------------------------------------------------

static void write_inputs(char x[128], char target[128], char end[128]) {
    float numbers[12];
    static const int64_t shape[2] = {4, 3}, rows = 2;
    for (int i = 0; i < 12; i++) numbers[i] = (float)i;
    (void)snprintf(x, 128, "x=%s", dscd_path(&server, "x.npy"));
    (void)snprintf(target, 128, "target=%s", dscd_path(&server, "target.npy"));
    (void)snprintf(end, 128, "end=%s", dscd_path(&server, "end.npy"));
    cr_assert(npy_file_write(x + 2, "<f4", "(12,)", numbers, sizeof numbers));
    cr_assert(npy_file_write(target + 7, "<i8", "(2,)", shape, sizeof shape));
    cr_assert(npy_file_write(end + 4, "<i8", "(1,)", &rows, sizeof rows));
}

static void check_words(const char *file, const char *words) {
    char *text = dscd_read_file(&server, file);
    cr_assert(text != NULL && strstr(text, words) != NULL, "no %s in %s", words, text);
    free(text);
}

HTTP_TEST(values, verbs_take_inputs_from_files) {
    char x[128], target[128], end[128], model[128], out[128];
    save_shaper();
    write_inputs(x, target, end);
    (void)snprintf(model, sizeof model, "%s", dscd_path(&server, "shaper.onnx"));
    (void)snprintf(out, sizeof out, "%s", dscd_path(&server, "out"));
    static const char *const verbs[] = {"run", "inspect", "bench"};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(dscd_run(&server, OPTIONS(verbs[i], model, "--input", target)), 1);
        check_words("stderr", "input \"end\" decides shapes: give its values by --input end=FILE.npy");
    }
    cr_assert_eq(
        dscd_run(&server, OPTIONS("run", model, "--input", x, "--input", target, "--input", end, "--output", out)), 0);
    size_t bytes = 0;
    float *y = npy_file_read(dscd_path(&server, "out/y.npy"), &bytes);
    cr_assert(y != NULL && bytes == 6 * sizeof *y);
    for (int i = 0; i < 6; i++) cr_assert(y[i] == (float)i);
    free(y);
    cr_assert_eq(dscd_run(&server, OPTIONS("inspect", model, "--input", target, "--input", end, "--json")), 0);
    check_words("stdout", "{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":[2,3]}");
    cr_assert_eq(dscd_run(&server, OPTIONS("bench", model, "--input", target, "--input", end, "--seconds", "1")), 0);
    cr_assert_eq(dscd_run(&server, OPTIONS("verify", model)), 1);
    check_words("stderr", "inputs \"target\", \"end\" decide shapes");
    cr_assert_eq(dscd_run(&server, OPTIONS("run", model, "--input", target, "--input", target)), 1);
    check_words("stderr", "--input target is there twice");
    cr_assert_eq(dscd_run(&server, OPTIONS("run", model, "--input", x, "--input", x)), 1);
}
