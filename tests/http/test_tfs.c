// SPDX-License-Identifier: Apache-2.0
//
// TensorFlow Serving's REST form, which KServe's v1 shares: status, metadata, :predict by rows and by columns,
// :classify.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "tests/support/onnx_writer.h"

#define PREDICT "/v1/models/sum:predict"

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

static void check_answer(const char *path, const char *body, const char *wanted) {
    http_reply r = http_post(server.port, path, "", body, strlen(body));
    check_status(&r, 200);
    cr_assert(http_has_header(&r, "Content-Type", "application/json"));
    cr_assert(strcmp(r.body, wanted) == 0, "%s to %s instead of %s", r.body, body, wanted);
    http_reply_free(&r);
}

HTTP_TEST(tfs, several_inputs_and_outputs) {
    serve_sum();
    check_answer(PREDICT, "{\"instances\":[{\"a\":[1,2],\"b\":[3,4]},{\"b\":[0.5,-1],\"a\":[1e1,2]}]}",
                 "{\"predictions\":[{\"c\":[4,6],\"d\":[3,8]},{\"c\":[10.5,1],\"d\":[5,-2]}]}\n");
    check_answer(PREDICT,
                 " {\"signature_name\" : \"serving_default\", \"inputs\": {\"a\": [[1,2]], \"b\": [ [3,4] ] } } ",
                 "{\"outputs\":{\"c\":[[4,6]],\"d\":[[3,8]]}}\n");
    check_answer("/v1/models/sum/versions/1:predict",
                 "{\"ignored\":{\"x\":[{\"y\":[1]}]},\"instances\":[{\"a\":[1,2],\"b\":[3,4]}]}",
                 "{\"predictions\":[{\"c\":[4,6],\"d\":[3,8]}]}\n");
    check_answer(PREDICT, "{\"instances\":[{\"a\":[NaN,1],\"b\":[Infinity,-Infinity]}]}",
                 "{\"predictions\":[{\"c\":[null,null],\"d\":[null,null]}]}\n");
    STOPS_CLEANLY();
}

// An input without dimensions: its value stands by itself.
HTTP_TEST(tfs, scalars) {
    onnx_writer *w = onnx_writer_create(13, 8, "scaled");
    cr_assert(w != NULL);
    onnx_writer_input(w, "x", ONNX_F32, "2");
    onnx_writer_input(w, "factor", ONNX_F32, "");
    onnx_writer_node(w, "Mul", "product", "x,factor", "y");
    onnx_writer_node(w, "Identity", "same", "factor", "f");
    onnx_writer_output(w, "y", ONNX_F32, "2");
    onnx_writer_output(w, "f", ONNX_F32, "");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "scaled.onnx")));
    onnx_writer_free(w);
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "scaled.onnx"), "--threads", "1")));
    static const char path[] = "/v1/models/scaled:predict";
    check_answer(path, "{\"inputs\":{\"factor\":3,\"x\":[1,2]}}", "{\"outputs\":{\"y\":[3,6],\"f\":3}}\n");
    check_post(path, "", "{\"inputs\":{\"factor\":\"3\",\"x\":[1,2]}}", 400);
    check_post(path, "", "{\"inputs\":{\"factor\":[3],\"x\":[1,2]}}", 400);
    check_post(path, "", "{\"inputs\":{\"factor\":3,\"x\":2}}", 400);
    STOPS_CLEANLY();
}

HTTP_TEST(tfs, malformed_predictions) {
    serve_sum();
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"", 400},
        {"[]", 415},
        {"{}", 400},
        {"{\"instances\":[]}", 400},
        {"{\"instances\":{}}", 400},
        {"{\"instances\":5}", 400},
        {"{\"instances\":[[1,2]]}", 400}, // which of the two inputs?
        {"{\"instances\":[{\"a\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2],\"a\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2],\"x\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]},{\"a\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2,3]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]},{\"a\":[1,2,3],\"b\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]},{\"a\":[1],\"b\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,\"2\"],\"b\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":7}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]}],\"inputs\":{\"a\":[[1,2]],\"b\":[[1,2]]}}", 400},
        {"{\"inputs\":{\"a\":[[1,2]]}}", 400},
        {"{\"inputs\":{\"a\":[[1,2]],\"b\":[[1,2]],\"a\":[[1,2]]}}", 400},
        {"{\"inputs\":{\"a\":[[1,2]],\"b\":[[1,2],[3]]}}", 400},
        {"{\"inputs\":{\"a\":[[[1,2]]],\"b\":[[1,2]]}}", 400},
        {"{\"inputs\":{\"a\":5,\"b\":[[1,2]]}}", 400},
        {"{\"inputs\":[[1,2]]}", 400},
        {"{\"signature_name\":\"other\",\"instances\":[{\"a\":[1,2],\"b\":[1,2]}]}", 400},
        {"{\"signature_name\":5,\"instances\":[{\"a\":[1,2],\"b\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]}]} x", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]}", 400},
        {"{\"instances\":[{\"a\":[1,2],\"b\":[1,2]},]}", 400},
        {"{\"instances\":[{\"a\":[1,2] \"b\":[1,2]}]}", 400},
        {"{\"instances\":[{a:[1,2],\"b\":[1,2]}]}", 400},
        {"{\"instances\":[{\"a\":{\"b64\":\"/9j/\"},\"b\":[1,2]}]}", 400},
        {"{\"instances\":[{\"b64\":\"/9j/\"}]}", 415}, // an image for a model that takes none
        {"{\"x\":tru,\"instances\":[]}", 400},
        {"{\"x\":\"\\u0000\",\"instances\":[]}", 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_reply r = http_post(server.port, PREDICT, "", rows[i].body, strlen(rows[i].body));
        cr_assert_eq(r.status, rows[i].status, "%s: %d %s", rows[i].body, r.status, r.body);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

HTTP_TEST(tfs, hostile_predictions) {
    serve_sum();
    char deep[400] = "{\"x\":";
    memset(deep + 5, '[', 200);
    deep[205] = '}';
    check_post(PREDICT, "", deep, 413);
    for (size_t i = 0; i < 60; i++) memcpy(deep + 5 + 5 * i, "{\"a\":", 5);
    check_post(PREDICT, "", deep, 400); // deep enough, but cut off
    static const char zero[] = "{\"inputs\":{\"a\":[[1,\0]],\"b\":[[1,\0]]}}";
    http_reply zeros = http_post(server.port, PREDICT, "", zero, sizeof zero - 1);
    check_status(&zeros, 400);
    http_reply_free(&zeros);
    check_post("/v1/models/other:predict", "", "{\"instances\":[1]}", 404);
    check_post("/v1/models/sum/versions/2:predict", "", "{\"instances\":[1]}", 404);
    check_post("/v1/models/sum:regress", "", "{\"examples\":[{}]}", 404);
    check_post("/v1/models/sum/labels/stable:predict", "", "{\"instances\":[1]}", 404);
    check_get(PREDICT, 405);
    STOPS_CLEANLY();
}

// The small model: one input, so values need no name.
static void append_image(char *body, size_t *at, int base) {
    for (int c = 0; c < 3; c++) {
        *at += (size_t)sprintf(body + *at, c == 0 ? "[[" : ",[");
        for (int y = 0; y < 8; y++) {
            int v = base + c;
            *at += (size_t)sprintf(body + *at, "%s[%d,%d,%d,%d,%d,%d,%d,%d]", y > 0 ? "," : "", v, v, v, v, v, v, v, v);
        }
        *at += (size_t)sprintf(body + *at, "]");
    }
    *at += (size_t)sprintf(body + *at, "]");
}

HTTP_TEST(tfs, one_input_without_a_name) {
    SERVE_SMALL("--threads", "1");
    static char body[20000];
    static const char *const heads[] = {"{\"instances\":[", "{\"inputs\":[", "{\"inputs\":{\"input\":["};
    static const char *const tails[] = {"]}", "]}", "]}}"};
    static const char *const wanted[] = {"{\"predictions\":[[0,1,2,3],[5,6,7,18]]}\n",
                                         "{\"outputs\":[[0,1,2,3],[5,6,7,18]]}\n",
                                         "{\"outputs\":[[0,1,2,3],[5,6,7,18]]}\n"};
    for (size_t i = 0; i < 3; i++) {
        size_t at = (size_t)sprintf(body, "%s", heads[i]);
        append_image(body, &at, 0);
        body[at++] = ',';
        append_image(body, &at, 5);
        (void)sprintf(body + at, "%s", tails[i]);
        check_answer("/v1/models/small:predict", body, wanted[i]);
    }
    // The same rows on the other paths are answered in their way.
    size_t at = (size_t)sprintf(body, "{\"parameters\":{\"x\":1},\"instances\":[");
    append_image(body, &at, 5);
    (void)sprintf(body + at, "]}");
    http_reply r = http_post(server.port, "/infer?profile=none", "", body, strlen(body));
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"shape\":[1,4],\"data\":[5,6,7,18]"), "%s", r.body);
    http_reply_free(&r);
    r = http_post(server.port, "/v1/models/small:predict", "Accept: text/plain\r\n", body, strlen(body));
    cr_assert(r.status == 200 && http_has_header(&r, "Content-Type", "text/plain; charset=utf-8"));
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(tfs, classify) {
    SERVE_SMALL("--threads", "1");
    static char body[20000];
    size_t at = (size_t)sprintf(body, "{\"examples\":[{\"input\":[0");
    for (int i = 1; i < 192; i++) at += (size_t)sprintf(body + at, ",%d", i / 64); // flat, as features are
    (void)sprintf(body + at, "]}]}");
    check_answer("/v1/models/small:classify?topk=2", body, "{\"result\":[[[\"3\",3],[\"2\",2]]]}\n");
    check_answer("/v1/models/small/versions/1:classify?topk=1", body, "{\"result\":[[[\"3\",3]]]}\n");
    check_post("/v1/models/small:classify?topk=0", "", body, 400);
    check_post("/v1/models/small:classify", "", "{\"instances\":[[1]]}", 400);
    check_post("/v1/models/small:classify", "", "{\"context\":{\"x\":1},\"examples\":[{\"input\":[1]}]}", 400);
    check_post("/v1/models/small:classify", "", "{\"examples\":[{\"input\":[1]}]}", 400);
    STOPS_CLEANLY();
}

// Two images of the samples, given in the ways in which a value may stand.
HTTP_TEST(tfs, images) {
    static uint8_t bytes[20000];
    static char text[30000], body[70000];
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    FILE *file = fopen("config/models/fashion/samples/trouser.png", "rbe");
    cr_assert(file != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, file), length = 0;
    (void)fclose(file);
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) text[length++] = digits[bits >> shift & 63];
    }
    if (size % 3 != 0) memcpy(text + length - (3 - size % 3), "==", 3 - size % 3);
    cr_assert(dscd_start(&server, OPTIONS("--threads", "1")));
    static const char *const forms[] = {
        "{\"instances\":[{\"b64\":\"%s\"},{\"b64\":\"%s\"}]}",
        "{\"instances\":[{\"input\":{\"b64\":\"%s\"}},{\"input\":{\"b64\":\"%s\"}}]}",
        "{\"inputs\":[{\"b64\":\"%s\"},{\"b64\":\"%s\"}]}",
        "{\"inputs\":{\"input\":[{\"b64\":\"%s\"},{\"b64\":\"%s\"}]}}",
    };
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(body, sizeof body, forms[i], text, text);
        http_reply r = http_post(server.port, "/v1/models/fashion:predict", "", body, strlen(body));
        check_status(&r, 200);
        const char *second = strstr(r.body, "],[");
        cr_assert(http_has_text(&r, i < 2 ? "{\"predictions\":[[0." : "{\"outputs\":[[0.") && second != NULL);
        cr_assert(http_number_after(r.body, ",") > 0.9 && http_number_after(second + 2, ",") > 0.9, "%s", r.body);
        http_reply_free(&r);
    }
    (void)snprintf(body, sizeof body, "{\"inputs\":{\"b64\":\"%s\"}}", text);
    http_reply r = http_post(server.port, "/v1/models/fashion:predict", "", body, strlen(body));
    check_status(&r, 200);
    http_reply_free(&r);
    (void)snprintf(body, sizeof body, "{\"examples\":[{\"input\":{\"b64\":\"%s\"}}]}", text);
    r = http_post(server.port, "/v1/models/fashion:classify", "", body, strlen(body));
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "{\"result\":[[[\"Trouser\",0.9"), "%s", r.body);
    http_reply_free(&r);
    check_post("/v1/models/fashion:predict", "", "{\"instances\":[{\"b64\":\"!\"}]}", 400);
    check_post("/v1/models/fashion:predict", "", "{\"instances\":[{\"b64\":\"AAAA\"}]}", 415);
    check_post("/v1/models/fashion:predict", "", "{\"instances\":[{\"b64\":7}]}", 400);
    check_post("/v1/models/fashion:predict", "", "{\"inputs\":{\"b64\":\"AAAA\",\"more\":1}}", 400);
    STOPS_CLEANLY();
}

HTTP_TEST(tfs, status_and_metadata) {
    SERVE_SMALL("--threads", "1");
    static const char *const paths[] = {"/v1/models/small", "/v1/models/small/versions/1"};
    for (size_t i = 0; i < 2; i++) {
        http_reply r = http_request(server.port, "GET", paths[i], "");
        check_status(&r, 200);
        cr_assert_str_eq(r.body,
                         "{\"model_version_status\":[{\"version\":\"1\",\"state\":\"AVAILABLE\",\"status\":"
                         "{\"error_code\":\"OK\",\"error_message\":\"\"}}],\"name\":\"small\",\"ready\":true}\n");
        http_reply_free(&r);
    }
    http_reply r = http_request(server.port, "GET", "/v1/models", "");
    cr_assert(r.status == 200 && strcmp(r.body, "{\"models\":[\"small\"]}\n") == 0);
    http_reply_free(&r);
    static const char *const metadata[] = {"/v1/models/small/metadata", "/v1/models/small/versions/1/metadata"};
    for (size_t i = 0; i < 2; i++) {
        r = http_request(server.port, "GET", metadata[i], "");
        check_status(&r, 200);
        cr_assert(http_has_text(&r, "{\"model_spec\":{\"name\":\"small\",\"signature_name\":\"\",\"version\":\"1\"},"));
        cr_assert(http_has_text(&r,
                                "\"serving_default\":{\"inputs\":{\"input\":{\"dtype\":\"DT_FLOAT\",\"tensor_shape\":"
                                "{\"dim\":[{\"size\":\"-1\",\"name\":\"\"},{\"size\":\"3\",\"name\":\"\"},"));
        http_reply_free(&r);
    }
    check_get("/v1/models/other", 404);
    check_get("/v1/models/small/versions/2", 404);
    check_get("/v1/models/other/metadata", 404);
    check_get("/v1/models/small:unknown", 404);
    check_get("/v1/models/small%3Aunknown", 404);
    STOPS_CLEANLY();
}
