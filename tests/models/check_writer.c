// SPDX-License-Identifier: Apache-2.0
//
// A test of the ONNX writer: a model with some of everything, against bytes put together by hand from the file format.
#include "tests/models/net.h"
#include "tests/support/onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUS_ONE 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01

// clang-format off
static const uint8_t expected[] = {
    0x08, 8, 0x12, 1, 'p', 0x1a, 1, '2',                              // ir_version, producer, its version
    0x3a, 0xac, 0x01,                                                 // graph of 172 bytes
    0x0a, 104,                                                        // node
    0x0a, 1, 'x', 0x0a, 0, 0x0a, 1, 'w', 0x12, 1, 'y',                // inputs x, none, w; output y
    0x1a, 1, 'n', 0x22, 2, 'O', 'p', 0x3a, 1, 'd',                    // name, type, domain
    0x2a, 17, 0x18, MINUS_ONE, 0x0a, 1, 'i', 0xa0, 0x01, 2,           // i = -1
    0x2a, 11, 0x15, 0, 0, 0xc0, 0x3f, 0x0a, 1, 'f', 0xa0, 0x01, 1,    // f = 1.5
    0x2a, 9, 0x22, 1, 't', 0x0a, 1, 's', 0xa0, 0x01, 3,               // s = "t"
    0x2a, 11, 0x40, 1, 0x40, 0xac, 0x02, 0x0a, 1, 'k', 0xa0, 0x01, 7, // k = 1, 300
    0x2a, 25, 0x2a, 17, 0x08, 2, 0x10, 3, 0x2a, 11, MINUS_ONE, 5,     // a tensor of int8: -1, 5, ...
    0x0a, 1, 'v', 0xa0, 0x01, 4,                                      // ... as v
    0x2a, 17, 0x08, 1, 0x10, 7, 0x42, 1, 'w',                         // initializer w, one int64, ...
    0x4a, 8, 2, 0, 0, 0, 0, 0, 0, 0,                                  // ... raw
    0x12, 1, 'g',                                                     // the graph's name
    0x5a, 31, 0x0a, 1, 'x', 0x12, 26, 0x0a, 24, 0x08, 1, 0x12, 20,    // input x: float ...
    0x0a, 3, 0x12, 1, 'N', 0x0a, 11, 0x08, MINUS_ONE, 0x0a, 0,        // ... of N, -1 and ?
    0x62, 9, 0x0a, 1, 'y', 0x12, 4, 0x0a, 2, 0x08, 7,                 // output y: int64, no shape
    0x42, 4, 0x0a, 0, 0x10, 13,                                       // operator set 13
};
// clang-format on

static onnx_writer *small_model(void) {
    static const int8_t bytes[2] = {-1, 5};
    onnx_writer *w = onnx_writer_create(13, 8, "g");
    if (w == NULL) return NULL;
    onnx_writer_producer(w, "p", "2");
    onnx_writer_input(w, "x", ONNX_F32, "N,-1,?");
    onnx_writer_output(w, "y", ONNX_I64, NULL);
    onnx_writer_ints(w, "w", "1", (int64_t[]){2});
    onnx_writer_node(w, "Op", "n", "x,,w", "y");
    onnx_writer_domain(w, "d");
    onnx_writer_attr_int(w, "i", -1);
    onnx_writer_attr_float(w, "f", 1.5f);
    onnx_writer_attr_string(w, "s", "t");
    onnx_writer_attr_ints(w, "k", 2, (int64_t[]){1, 300});
    onnx_writer_attr_tensor(
        w, "v", &(onnx_tensor){.dtype = ONNX_I8, .dims = "2", .data = bytes, .bytes = sizeof bytes, .typed = true});
    return w;
}

static bool is_expected(const uint8_t *bytes, size_t size) {
    if (size != sizeof expected) {
        fprintf(stderr, "check_writer: %zu bytes instead of %zu\n", size, sizeof expected);
        return false;
    }
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != expected[i]) {
            fprintf(stderr, "check_writer: byte %zu is 0x%02x instead of 0x%02x\n", i, bytes[i], expected[i]);
            return false;
        }
    return true;
}

bool check_writer(void) {
    size_t size = 0;
    onnx_writer *w = small_model();
    uint8_t *bytes = w != NULL ? onnx_writer_finish(w, &size) : NULL;
    bool right = bytes != NULL && is_expected(bytes, size);
    if (w != NULL && onnx_writer_save(w, "no/such/folder/x.onnx")) {
        fprintf(stderr, "check_writer: a file in a folder that is not there was written\n");
        right = false;
    }
    free(bytes);
    onnx_writer_free(w);
    puts(right ? "check_writer: ok" : "check_writer: FAILED");
    return right;
}
