// SPDX-License-Identifier: Apache-2.0
//
// Every datatype as an input and an output, as JSON and in binary; and a network of quantised integers.
#define _GNU_SOURCE
#include "tests/http/http_test.h"
#include "tests/support/onnx_writer.h"

#define INFER "/v2/models/twice/infer"

typedef struct datatype {
    int onnx;
    const char *name;
    const char *sent, *answered; // three elements as JSON, and as they come back
    const void *bytes;           // the same, little-endian
    size_t size;
} datatype;

// y = x with itself behind.
static void serve_twice(const datatype *d) {
    onnx_writer *w = onnx_writer_create(13, 8, "twice");
    cr_assert(w != NULL);
    onnx_writer_input(w, "x", d->onnx, "N");
    onnx_writer_node(w, "Concat", "twice", "x,x", "y");
    onnx_writer_attr_int(w, "axis", 0);
    onnx_writer_output(w, "y", d->onnx, "M");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "twice.onnx")));
    onnx_writer_free(w);
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "twice.onnx"), "--threads", "1")));
}

static void check_json(const datatype *d) {
    char body[512], wanted[512];
    (void)snprintf(body, sizeof body, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":[3],\"data\":[%s]}]}",
                   d->name, d->sent);
    (void)snprintf(wanted, sizeof wanted, "{\"name\":\"y\",\"datatype\":\"%s\",\"shape\":[6],\"data\":[%s,%s]}",
                   d->name, d->answered, d->answered);
    http_reply r = http_post(server.port, INFER, "", body, strlen(body));
    check_status(&r, 200);
    cr_assert(http_has_text(&r, wanted), "no %s in %s", wanted, r.body);
    http_reply_free(&r);
}

static void check_binary(const datatype *d) {
    char body[512], headers[80];
    int json = snprintf(body, sizeof body,
                        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":[3],"
                        "\"parameters\":{\"binary_data_size\":%zu}}],\"parameters\":{\"binary_data_output\":true}}",
                        d->name, d->size);
    memcpy(body + json, d->bytes, d->size);
    (void)snprintf(headers, sizeof headers, "Inference-Header-Content-Length: %d\r\n", json);
    http_reply r = http_post(server.port, INFER, headers, body, (size_t)json + d->size);
    check_status(&r, 200);
    size_t header = (size_t)http_number_after(r.head, "Inference-Header-Content-Length: ");
    cr_assert_eq(r.size, header + 2 * d->size);
    cr_assert_eq(memcmp(r.body + header, d->bytes, d->size), 0);
    cr_assert_eq(memcmp(r.body + header + d->size, d->bytes, d->size), 0);
    http_reply_free(&r);
}

// An element that the type cannot hold, and a type that is not the model's.
static void check_refusals(const datatype *d, const char *too_much) {
    char body[512];
    const char *other = strcmp(d->name, "INT32") == 0 ? "INT64" : "INT32";
    (void)snprintf(body, sizeof body, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":[1],\"data\":[%s]}]}",
                   d->name, too_much);
    check_post(INFER, "", body, 400);
    (void)snprintf(body, sizeof body, "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"%s\",\"shape\":[1],\"data\":[1]}]}",
                   other);
    check_post(INFER, "", body, 400);
}

#define DATATYPE(test, onnx, json, type, sent, answered, too_much, ...)                                                \
    HTTP_TEST(datatypes, test) {                                                                                       \
        static const type bytes[3] = {__VA_ARGS__};                                                                    \
        const datatype d = {onnx, json, sent, answered, bytes, sizeof bytes};                                          \
        serve_twice(&d);                                                                                               \
        check_json(&d);                                                                                                \
        check_binary(&d);                                                                                              \
        check_refusals(&d, too_much);                                                                                  \
        STOPS_CLEANLY();                                                                                               \
    }

DATATYPE(fp32, ONNX_F32, "FP32", float, "0.1,-3e38,16777217", "0.1,-3e38,16777216", "\"1\"", 0.1f, -3e38f, 16777216)
DATATYPE(fp64, ONNX_F64, "FP64", double, "0.1,-3e300,9007199254740993", "0.1,-3e+300,9007199254740992", "[1]", 0.1,
         -3e300, 9007199254740992)
DATATYPE(fp16, ONNX_F16, "FP16", uint16_t, "1.5,-65504,0.33325195", "1.5,-65504,0.33325195", "null", 0x3e00, 0xfbff,
         0x3555)
DATATYPE(int8, ONNX_I8, "INT8", int8_t, "-128,127,-0", "-128,127,0", "128", -128, 127, 0)
DATATYPE(uint8, ONNX_U8, "UINT8", uint8_t, "0,255,7", "0,255,7", "256", 0, 255, 7)
DATATYPE(int32, ONNX_I32, "INT32", int32_t, "-2147483648,2147483647,5", "-2147483648,2147483647,5", "2147483648",
         INT32_MIN, INT32_MAX, 5)
DATATYPE(int64, ONNX_I64, "INT64", int64_t, "-9223372036854775808,9223372036854775807,9007199254740993",
         "-9223372036854775808,9223372036854775807,9007199254740993", "9223372036854775808", INT64_MIN, INT64_MAX,
         9007199254740993)
DATATYPE(bool, ONNX_BOOL, "BOOL", uint8_t, "true,false,1", "true,false,true", "2", 1, 0, 1)

// A 1x1 depthwise QLinearConv of bytes: y = round((x - 10) * 0.5 * w * 0.25 / 0.125) + 3, between 0 and 255.
HTTP_TEST(datatypes, quantised_network) {
    static const float x_scale = 0.5f, w_scale = 0.25f, y_scale = 0.125f;
    static const uint8_t x_zero = 10, y_zero = 3;
    static const int8_t w_zero = 0, weights[2] = {2, -3};
    const onnx_tensor tensors[] = {{.name = "xs", .dtype = ONNX_F32, .dims = "", .data = &x_scale, .bytes = 4},
                                   {.name = "xz", .dtype = ONNX_U8, .dims = "", .data = &x_zero, .bytes = 1},
                                   {.name = "w", .dtype = ONNX_I8, .dims = "2,1,1,1", .data = weights, .bytes = 2},
                                   {.name = "ws", .dtype = ONNX_F32, .dims = "", .data = &w_scale, .bytes = 4},
                                   {.name = "wz", .dtype = ONNX_I8, .dims = "", .data = &w_zero, .bytes = 1},
                                   {.name = "ys", .dtype = ONNX_F32, .dims = "", .data = &y_scale, .bytes = 4},
                                   {.name = "yz", .dtype = ONNX_U8, .dims = "", .data = &y_zero, .bytes = 1}};
    onnx_writer *w = onnx_writer_create(13, 8, "bytes");
    onnx_writer_input(w, "x", ONNX_U8, "N,2,1,2");
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) onnx_writer_tensor(w, &tensors[i]);
    onnx_writer_node(w, "QLinearConv", "conv", "x,xs,xz,w,ws,wz,ys,yz", "y");
    onnx_writer_attr_int(w, "group", 2);
    onnx_writer_node(w, "DequantizeLinear", "real", "y,ys,yz", "f");
    onnx_writer_output(w, "y", ONNX_U8, "N,2,1,2");
    onnx_writer_output(w, "f", ONNX_F32, "N,2,1,2");
    cr_assert(onnx_writer_save(w, dscd_path(&server, "bytes.onnx")));
    onnx_writer_free(w);
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "bytes.onnx"), "--threads", "2")));
    static const char body[] = "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"UINT8\",\"shape\":[1,2,1,2],"
                               "\"data\":[10,20,10,11]}]}";
    http_reply r = http_post(server.port, "/infer", "", body, sizeof body - 1);
    check_status(&r, 200);
    // (20 - 10) * 2 + 3, and (11 - 10) * -3 + 3.
    cr_assert(http_has_text(&r, "\"datatype\":\"UINT8\",\"shape\":[1,2,1,2],\"data\":[3,23,3,0]}"), "%s", r.body);
    cr_assert(http_has_text(&r, "\"datatype\":\"FP32\",\"shape\":[1,2,1,2],\"data\":[0,2.5,0,-0.375]}"), "%s", r.body);
    http_reply_free(&r);
    static const uint8_t raw[4] = {10, 20, 10, 11};
    r = http_post(server.port, "/infer", RAW, raw, 4);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"data\":[3,23,3,0]}"), "%s", r.body);
    http_reply_free(&r);
    STOPS_CLEANLY();
}
