// SPDX-License-Identifier: Apache-2.0
//
// Answers of a model whose outputs are as long as values make them.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "tests/support/onnx_writer.h"

#define INFER "/v2/models/places/infer"

// "places": where x, 4 numbers, is not 0; "taken": those numbers.
static void serve_places(void) {
    static const int64_t axes[] = {0};
    onnx_writer *w = onnx_writer_create(13, 8, "places");
    cr_assert(w != NULL);
    onnx_writer_input(w, "x", ONNX_F32, "4");
    onnx_writer_ints(w, "axes", "1", axes);
    onnx_writer_node(w, "NonZero", "find", "x", "places");
    onnx_writer_node(w, "Squeeze", "flat", "places,axes", "rows");
    onnx_writer_node(w, "Gather", "take", "x,rows", "taken");
    onnx_writer_output(w, "places", ONNX_I64, "1,N");
    onnx_writer_output(w, "taken", ONNX_F32, "N");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "places.onnx")));
    onnx_writer_free(w);
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "places.onnx"), "--threads", "1")));
}

static void check_answer(const char *headers, const char *body, const char *wanted) {
    http_reply r = http_post(server.port, INFER, headers, body, strlen(body));
    check_status(&r, 200);
    cr_assert(http_has_text(&r, wanted), "%s is not in %s", wanted, r.body);
    http_reply_free(&r);
}

#define BODY(numbers, rest)                                                                                            \
    "{\"inputs\":[{\"name\":\"x\",\"shape\":[4],\"datatype\":\"FP32\",\"data\":[" numbers "]}]" rest "}"

HTTP_TEST(lengths, answers_are_as_long_as_what_was_found) {
    serve_places();
    check_answer("", BODY("0,5,0,-7", ""),
                 "{\"name\":\"places\",\"datatype\":\"INT64\",\"shape\":[1,2],\"data\":[1,3]},"
                 "{\"name\":\"taken\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[5,-7]}");
    check_answer("", BODY("1,2,3,4", ""), "\"shape\":[4],\"data\":[1,2,3,4]}");
    check_answer("", BODY("0,0,0,0", ""), "\"shape\":[1,0],\"data\":[]}");
    check_answer("", BODY("0,0,9,0", ",\"outputs\":[{\"name\":\"taken\"}]"), "\"shape\":[1],\"data\":[9]}");
    // The binary form and NumPy's say the same.
    check_answer("", BODY("0,5,0,-7", ",\"outputs\":[{\"name\":\"places\",\"parameters\":{\"binary_data\":true}}]"),
                 "\"shape\":[1,2],\"parameters\":{\"binary_data_size\":16}");
    http_reply r = http_post(server.port, INFER, "Accept: application/x-npy\r\n", BODY("0,5,0,-7", ""),
                             strlen(BODY("0,5,0,-7", "")));
    check_status(&r, 200);
    cr_assert(memmem(r.body, r.size, "'shape': (1, 2)", 15) != NULL);
    http_reply_free(&r);
    STOPS_CLEANLY();
}

// Metadata cannot know it.
HTTP_TEST(lengths, metadata_says_that_a_length_is_open) {
    serve_places();
    http_reply r = http_request(server.port, "GET", "/v2/models/places", "");
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"name\":\"places\",\"datatype\":\"INT64\",\"shape\":[1,-1]"), "%s", r.body);
    cr_assert(http_has_text(&r, "\"name\":\"taken\",\"datatype\":\"FP32\",\"shape\":[-1]"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
