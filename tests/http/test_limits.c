// SPDX-License-Identifier: Apache-2.0
//
// Models that leave batch, height and width free: every size by every kind of body, and the limits of config.json.
#define _GNU_SOURCE
#include "tests/http/http_test.h"
#include "tests/support/npy_file.h"
#include "tests/support/onnx_writer.h"

#define INFER "/v2/models/free/infer"

// y = 2 x, by a depthwise convolution of 1x1: N x 1 x H x W, or only W is free.
static bool save_free(const char *path, const char *dims) {
    static const float two = 2;
    onnx_writer *w = onnx_writer_create(13, 8, "free");
    onnx_writer_input(w, "x", ONNX_F32, dims);
    onnx_writer_floats(w, "w", "1,1,1,1", &two);
    onnx_writer_node(w, "Conv", "conv", "x,w", "y");
    onnx_writer_output(w, "y", ONNX_F32, "A,B,C,D");
    bool is_ok = onnx_writer_save(w, path);
    onnx_writer_free(w);
    return is_ok;
}

static void serve(const char *dims, const char *config) {
    cr_assert(dscd_write_file(&server, "free/config.json", config));
    cr_assert(save_free(dscd_path(&server, "free/model.onnx"), dims));
    cr_assert(dscd_start(&server, OPTIONS("--model-repository", server.folder, "--threads", "2", "--plan-cache", "2")));
}

static const float numbers[24] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                  13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};

static void check_reply(http_reply r, const char *shape) {
    char wanted[120];
    check_status(&r, 200);
    (void)snprintf(wanted, sizeof wanted, "\"shape\":[%s],\"data\":[2,4,6,8", shape);
    cr_assert(http_has_text(&r, wanted), "no %s in %s", wanted, r.body);
    http_reply_free(&r);
}

static http_reply post_shape(const char *shape, int elements) {
    char *body = malloc(400 + 8 * (size_t)elements);
    cr_assert_not_null(body);
    size_t used =
        (size_t)sprintf(body, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[%s],\"data\":[", shape);
    for (int i = 0; i < elements; i++) used += (size_t)sprintf(body + used, i ? ",%d" : "%d", i % 1000 + 1);
    used += (size_t)sprintf(body + used, "]}]}");
    http_reply r = http_post(server.port, INFER, "", body, used);
    free(body);
    return r;
}

static http_reply post_npy(const char *shape) {
    size_t size = 0;
    cr_assert(npy_file_write(dscd_path(&server, "x.npy"), "<f4", shape, numbers, sizeof numbers));
    FILE *file = fopen(dscd_path(&server, "x.npy"), "rb");
    char bytes[1024];
    if (file != NULL) size = fread(bytes, 1, sizeof bytes, file);
    if (file != NULL) (void)fclose(file);
    return http_post(server.port, INFER, "", bytes, size);
}

HTTP_TEST(limits, sizes_change_with_every_request) {
    serve("N,1,H,W", "{}");
    for (int round = 0; round < 2; round++) { // more sizes than plans are kept
        check_reply(post_shape("2,1,3,4", 24), "2,1,3,4");
        check_reply(post_shape("1,1,24,1", 24), "1,1,24,1");
        check_reply(post_shape("1,1,2,5", 10), "1,1,2,5");
        check_reply(post_shape("3,1,2,2", 12), "3,1,2,2");
        check_reply(post_npy("(1, 1, 4, 6)"), "1,1,4,6");
        check_reply(post_npy("(1, 6, 4)"), "1,1,6,4"); // without its batch
        check_reply(post_npy("(4, 1, 2, 3)"), "4,1,2,3");
    }
    // A raw tensor says nothing of its sizes: only one may be free.
    http_reply r = http_post(server.port, INFER, RAW, numbers, sizeof numbers);
    check_status(&r, 400);
    http_reply_free(&r);
    r = http_post(server.port, INFER, "Inference-Header-Content-Length: 0\r\n", numbers, sizeof numbers);
    check_status(&r, 400);
    cr_assert(http_has_text(&r, "[-1,1,-1,-1]"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

HTTP_TEST(limits, raw_tensor_with_one_free_size) {
    serve("1,1,2,W", "{}");
    check_reply(http_post(server.port, INFER, RAW, numbers, sizeof numbers), "1,1,2,12");
    check_reply(http_post(server.port, INFER, RAW, numbers, 8 * sizeof numbers[0]), "1,1,2,4");
    http_reply r = http_post(server.port, INFER, RAW, numbers, 7 * sizeof numbers[0]);
    check_status(&r, 400);
    http_reply_free(&r);
    // JSON stays JSON, whatever its length and its type.
    char body[] =
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1,2,2],\"data\":[1,2,3,4]}]}         ";
    for (size_t size = strlen(body) - 8; size <= strlen(body); size++) {
        check_reply(http_post(server.port, INFER, RAW, body, size), "1,1,2,2");
    }
    STOPS_CLEANLY();
}

static void check_limit(const char *config, const char *name) {
    char quoted[64];
    serve("N,1,H,W", config);
    check_reply(post_shape("1,1,10,10", 100), "1,1,10,10");
    http_reply r = post_shape("1,1,100,200", 20000);
    check_status(&r, 413);
    (void)snprintf(quoted, sizeof quoted, "limit \\\"%s\\\" of ", name);
    cr_assert(http_has_text(&r, quoted), "no %s in %s", quoted, r.body);
    http_reply_free(&r);
    check_reply(post_shape("1,1,10,10", 100), "1,1,10,10");
    STOPS_CLEANLY();
}

HTTP_TEST(limits, tensor_bytes) {
    check_limit("{\"limits\": {\"tensor_bytes\": 40000}}", "tensor_bytes");
}

HTTP_TEST(limits, arena_bytes) {
    check_limit("{\"limits\": {\"arena_bytes\": 40000}}", "arena_bytes");
}

HTTP_TEST(limits, multiplications) {
    check_limit("{\"limits\": {\"multiplications\": 5000}}", "multiplications");
}

HTTP_TEST(limits, images_want_a_size) {
    serve("N,1,H,W", "{}");
    static const unsigned char jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0};
    http_reply r = http_post(server.port, INFER, "", jpeg, sizeof jpeg);
    check_status(&r, 415);
    cr_assert(http_has_text(&r, "its height or width is free"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
