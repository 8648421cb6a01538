// SPDX-License-Identifier: Apache-2.0
// Weights that were given back: plans go on, a plan for another shape reads the file again, and a file that is gone or
// has changed is told.
#define _GNU_SOURCE
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNELS 96 // 36 KB of weights: whole pages of them can go

static void write_model(const char *path, float scale) {
    static float w[CHANNELS * CHANNELS];
    size_t size;
    for (int i = 0; i < CHANNELS * CHANNELS; i++) w[i] = scale * (float)(i % 23 - 11);
    onnx_writer *writer = onnx_writer_create(13, 8, "one");
    onnx_writer_input(writer, "x", ONNX_F32, "1,96,H,W");
    onnx_writer_floats(writer, "w", "96,96,1,1", w);
    onnx_writer_node(writer, "Conv", "y", "x,w", "y");
    onnx_writer_output(writer, "y", ONNX_F32, NULL);
    uint8_t *bytes = onnx_writer_finish(writer, &size);
    onnx_writer_free(writer);
    FILE *file = fopen(path, "wb");
    cr_assert(bytes && file && fwrite(bytes, 1, size, file) == size);
    fclose(file);
    free(bytes);
}

// Runs the model on a map of that size; the sum of its outputs.
static dsc_status run(dsc_weights *weights, int64_t size, double *sum, dsc_error *err) {
    const dsc_shape shape = {.name = "x", .rank = 4, .dims = {1, CHANNELS, size, size}};
    dsc_plan *plan = NULL;
    dsc_session *session = NULL;
    dsc_status status = dsc_plan_create(weights, &shape, 1, NULL, &plan, err);
    if (status != DSC_OK) return status;
    cr_assert_eq(dsc_session_create(plan, &session, err), DSC_OK);
    float *x = dsc_session_input(session, 0);
    for (int i = 0; i < CHANNELS * size * size; i++) x[i] = (float)(i % 7);
    cr_assert_eq(dsc_session_run(session, NULL, NULL, err), DSC_OK);
    const float *y = dsc_session_output(session, 0);
    *sum = 0;
    for (int i = 0; i < CHANNELS * size * size; i++) *sum += (double)y[i] * (i % 13 + 1);
    dsc_session_free(session);
    dsc_plan_free(plan);
    return status;
}

Test(release, plans_for_new_shapes_read_the_file_again) {
    char path[] = "/tmp/dsc-release-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && close(fd) == 0);
    write_model(path, 0.5f);
    dsc_model *model;
    dsc_weights *weights, *again;
    dsc_error err = {DSC_OK, ""};
    double wanted[2], got[2];
    cr_assert_eq(dsc_model_load_file(path, NULL, &model, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_REF, &weights, &err), DSC_OK);
    for (int i = 0; i < 2; i++) cr_assert_eq(run(weights, 3 + i, &wanted[i], &err), DSC_OK);
    dsc_weights_free(weights);
    dsc_model_release_weights(model);
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_REF, &again, &err), DSC_OK); // nothing packed
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(run(again, 3 + i, &got[i], &err), DSC_OK, "%s", err.text);
        cr_assert(got[i] == wanted[i] && got[i] != 0);
    }
    write_model(path, 0.25f);
    cr_assert_eq(run(again, 6, &got[0], &err), DSC_IO);
    cr_assert(strstr(err.text, "has changed"), "%s", err.text);
    unlink(path);
    cr_assert_eq(run(again, 6, &got[0], &err), DSC_IO);
    cr_assert(strstr(err.text, path), "%s", err.text);
    write_model(path, 0.5f);
    cr_assert_eq(run(again, 4, &got[1], &err), DSC_OK, "%s", err.text);
    cr_assert(got[1] == wanted[1]);
    unlink(path);
    dsc_weights_free(again);
    dsc_model_free(model);
}
