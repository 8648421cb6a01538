// SPDX-License-Identifier: Apache-2.0
//
// A model that is over in microseconds, and one that takes long.
#include "tests/support/small_models.h"

#include "tests/support/onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>

bool small_model_save(const char *path) {
    static const float weights[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1};
    onnx_writer *w = onnx_writer_create(13, 8, "small");
    if (w == NULL) return false;
    onnx_writer_input(w, "input", ONNX_F32, "N,3,8,8");
    onnx_writer_floats(w, "weights", "4,3,1,1", weights);
    onnx_writer_node(w, "GlobalAveragePool", "mean", "input", "means");
    onnx_writer_node(w, "Conv", "classes", "means,weights", "maps");
    onnx_writer_node(w, "Flatten", "flat", "maps", "scores");
    onnx_writer_output(w, "scores", ONNX_F32, "N,4");
    bool is_ok = onnx_writer_save(w, path);
    onnx_writer_free(w);
    return is_ok;
}

static void add_convolutions(onnx_writer *w, int layers) {
    static const int64_t pads[4] = {1, 1, 1, 1};
    char input[32] = "wide", output[32], inputs[64];
    for (int i = 0; i < layers; i++) {
        (void)snprintf(output, sizeof output, "map_%d", i);
        (void)snprintf(inputs, sizeof inputs, "%s,weights", input);
        onnx_writer_node(w, "Conv", output, inputs, output);
        onnx_writer_attr_ints(w, "pads", 4, pads);
        (void)snprintf(input, sizeof input, "%s", output);
    }
    onnx_writer_node(w, "GlobalAveragePool", "mean", input, "means");
}

bool slow_model_save(const char *path, int layers) {
    const size_t count = 256 * 256 * 9;
    float *weights = malloc(count * sizeof *weights);
    onnx_writer *w = onnx_writer_create(13, 8, "slow");
    bool is_ok = false;
    if (weights != NULL && w != NULL) {
        for (size_t i = 0; i < count; i++) weights[i] = (float)(i % 7) * 1e-4f;
        onnx_writer_input(w, "input", ONNX_F32, "1,1,128,128");
        onnx_writer_floats(w, "widen", "256,1,1,1", weights);
        onnx_writer_floats(w, "weights", "256,256,3,3", weights);
        onnx_writer_node(w, "Conv", "widening", "input,widen", "wide");
        add_convolutions(w, layers);
        onnx_writer_node(w, "Flatten", "flat", "means", "output");
        onnx_writer_output(w, "output", ONNX_F32, "1,256");
        is_ok = onnx_writer_save(w, path);
    }
    onnx_writer_free(w);
    free(weights);
    return is_ok;
}
