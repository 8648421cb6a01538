// SPDX-License-Identifier: Apache-2.0
//
// Tensors of every type there and back, and the texts of numbers that JSON, or a type, does not have. The networks hand
// on what they get.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include "tests/support/onnx_writer.h"

static const struct {
    const char *name; // of the model, and of the type as the protocol has it
    int dtype;
    size_t bytes;
} types[] = {{"FP32", ONNX_F32, 4},   {"FP64", ONNX_F64, 8},  {"FP16", ONNX_F16, 2},   {"INT64", ONNX_I64, 8},
             {"INT32", ONNX_I32, 4},  {"INT8", ONNX_I8, 1},   {"UINT8", ONNX_U8, 1},   {"BOOL", ONNX_BOOL, 1},
             {"UINT16", ONNX_U16, 2}, {"INT16", ONNX_I16, 2}, {"UINT32", ONNX_U32, 4}, {"UINT64", ONNX_U64, 8},
             {"BF16", ONNX_BF16, 2}};
#define TYPE_COUNT (sizeof types / sizeof types[0])

static void serve_types(void) {
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/config.json", types[i].name);
        cr_assert(dscd_write_file(&server, path, "{}")); // makes the folder
        (void)snprintf(path, sizeof path, "%s/model.onnx", types[i].name);
        onnx_writer *w = onnx_writer_create(13, 8, types[i].name);
        cr_assert(w != NULL);
        onnx_writer_input(w, "x", types[i].dtype, "N,3");
        onnx_writer_node(w, "Identity", "same", "x", "y");
        onnx_writer_output(w, "y", types[i].dtype, "N,3");
        cr_assert(onnx_writer_save(w, dscd_path(&server, path)));
        onnx_writer_free(w);
    }
    cr_assert(dscd_start(&server, OPTIONS("--model-repository", server.folder, "--threads", "1")));
}

static http_reply send_data(const char *type, const char *shape, const char *data) {
    char path[64], body[400];
    (void)snprintf(path, sizeof path, "/v2/models/%s/infer?profile=none", type);
    (void)snprintf(body, sizeof body, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":%s,\"data\":%s}]}",
                   type, shape, data);
    return http_post(server.port, path, "", body, strlen(body));
}

HTTP_TEST(numbers, that_json_has) {
    serve_types();
    static const struct {
        const char *type, *data, *answer;
    } rows[] = {
        {"FP32", "[0.1,-0,1e-45]", "[0.1,-0,1e-45]"},
        {"FP32", "[16777217,3.4028235e38,1E+2]", "[16777216,3.4028235e38,100]"},
        {"FP32", "[NaN,Infinity,-Infinity]", "[null,null,null]"}, // the documented rule
        {"FP64", "[0.1,1e308,4.9e-324]", "[0.1,1e+308,4.94065645841247e-324]"},
        {"FP64", "[NaN,-0.0,-Infinity]", "[null,-0,null]"},
        {"FP16", "[0.1,65504,-Infinity]", "[0.099975586,65504,null]"},
        {"INT64", "[9007199254740993,-9223372036854775808,9223372036854775807]",
         "[9007199254740993,-9223372036854775808,9223372036854775807]"},
        {"INT32", "[2147483647,-2147483648,-0]", "[2147483647,-2147483648,0]"},
        {"INT8", "[[127,-128,0]]", "[127,-128,0]"},
        {"UINT8", "[255,0,1]", "[255,0,1]"},
        {"UINT16", "[65535,0,1]", "[65535,0,1]"},
        {"INT16", "[32767,-32768,1]", "[32767,-32768,1]"},
        {"UINT32", "[4294967295,0,1]", "[4294967295,0,1]"},
        {"UINT64", "[18446744073709551615,0,1]", "[18446744073709551615,0,1]"},
        {"BF16", "[0.1,1,-Infinity]", "[0.100097656,1,null]"},
        {"BOOL", "[true,0,1]", "[true,false,true]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[200];
        http_reply r = send_data(rows[i].type, "[1,3]", rows[i].data);
        check_status(&r, 200);
        (void)snprintf(wanted, sizeof wanted, "\"datatype\":\"%s\",\"shape\":[1,3],\"data\":%s", rows[i].type,
                       rows[i].answer);
        cr_expect(http_has_text(&r, wanted), "%s %s: %s", rows[i].type, rows[i].data, r.body);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

HTTP_TEST(numbers, that_json_or_the_type_does_not_have) {
    serve_types();
    static const struct {
        const char *type, *data, *element;
    } rows[] = {
        {"FP32", "[1,2,1e39]", "1e39"},
        {"FP32", "[1,2,01]", "01"},
        {"FP32", "[1,2,1.]", "1."},
        {"FP32", "[1,2,.5]", ".5"},
        {"FP32", "[1,2,+1]", "+1"},
        {"FP32", "[1,2,nan]", "nan"},
        {"FP32", "[1,2,-NaN]", "-NaN"},
        {"FP32", "[1,2,null]", "null"},
        {"FP32", "[1,2,true]", "true"},
        {"FP64", "[1,2,1e999]", "1e999"},
        {"FP16", "[1,2,70000]", "70000"},
        {"INT64", "[1,2,9223372036854775808]", "9223372036854775808"},
        {"INT64", "[1,2,1e3]", "1e3"},
        {"INT64", "[1,2,1.0]", "1.0"},
        {"INT32", "[1,2,2147483648]", "2147483648"},
        {"INT8", "[1,2,128]", "128"},
        {"UINT8", "[1,2,300]", "300"},
        {"UINT8", "[1,2,-1]", "-1"},
        {"UINT16", "[1,2,65536]", "65536"},
        {"INT16", "[1,2,-32769]", "-32769"},
        {"UINT32", "[1,2,-1]", "-1"},
        {"UINT64", "[1,2,18446744073709551616]", "18446744073709551616"},
        {"BF16", "[1,2,3.4e38]", "3.4e38"},
        {"INT8", "[1,2,NaN]", "NaN"},
        {"BOOL", "[1,0,2]", "2"},
        {"BOOL", "[1,0,True]", "True"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[200];
        http_reply r = send_data(rows[i].type, "[1,3]", rows[i].data);
        check_status(&r, 400);
        (void)snprintf(wanted, sizeof wanted, "element 2 of data is \\\"%s\\\", which is not a %s in JSON",
                       rows[i].element, rows[i].type);
        cr_expect(http_has_text(&r, wanted), "%s %s: %s", rows[i].type, rows[i].data, r.body);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

// A shape is known before its tensor: none may make the server ask for memory that the request does not fill.
HTTP_TEST(numbers, of_shapes) {
    serve_types();
    static const char *const shapes[] = {"[-1,3]",
                                         "[1.5,3]",
                                         "[1e30,3]",
                                         "[\"1\",3]",
                                         "[0,3]",
                                         "[1]",
                                         "[1,3,1]",
                                         "[1,4]",
                                         "[2,3]",
                                         "[6148914691236517205,3]",
                                         "[3074457345618258602,3]",
                                         "[1000000000000,3]",
                                         "[1,1,1,1,1,1,1,1,1,1,1,1]",
                                         "{}",
                                         "null"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        http_reply r = send_data("FP32", shapes[i], "[1,2,3]");
        cr_assert_eq(r.status, 400, "%s: %d %s", shapes[i], r.status, r.body);
        check_status(&r, 400);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}

// The bits of a binary tensor come back as they were, denormals and NaNs among them.
HTTP_TEST(numbers, in_binary) {
    serve_types();
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        char path[64], headers[80], body[400];
        unsigned char tensor[2 * 3 * 8];
        size_t size = 6 * types[i].bytes;
        for (size_t k = 0; k < size; k++) tensor[k] = (unsigned char)(types[i].dtype == ONNX_BOOL ? k % 2 : k * 73 + 1);
        (void)snprintf(path, sizeof path, "/v2/models/%s/infer", types[i].name);
        int length = snprintf(body, sizeof body,
                              "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":[2,3],\"parameters\":"
                              "{\"binary_data_size\":%zu}}],\"parameters\":{\"binary_data_output\":true}}",
                              types[i].name, size);
        memcpy(body + length, tensor, size);
        (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %d\r\n", length);
        http_reply r = http_post(server.port, path, headers, body, (size_t)length + size);
        check_status(&r, 200);
        size_t json = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
        cr_assert(r.size == json + size && memcmp(r.body + json, tensor, size) == 0, "%s", types[i].name);
        http_reply_free(&r);
        // The raw form: the whole body is the tensor.
        r = http_post(server.port, path, "Inference-Header-Content-Length: 0\r\n", tensor, size);
        check_status(&r, 200);
        json = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
        cr_assert(r.size == json + size && memcmp(r.body + json, tensor, size) == 0, "%s", types[i].name);
        http_reply_free(&r);
    }
    STOPS_CLEANLY();
}
