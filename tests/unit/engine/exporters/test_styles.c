// SPDX-License-Identifier: Apache-2.0
// The same network as PyTorch, timm, Paddle2ONNX, Caffe2, TensorFlow and Keras write it, at operator sets 6 to 25:
// every file gives the answers of PyTorch's at operator set 13, as the double-precision reference computes them, on
// every instruction set with all passes and none.
#include "tests/unit/engine/exporters/style.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 2
#define AREA  (STYLE_HEIGHT * STYLE_WIDTH)

static dsc_model *load(const style_verbs *verbs, int opset, bool is_batch_free) {
    size_t size;
    dsc_error err;
    dsc_model *model = NULL;
    uint8_t *bytes = style_write(verbs, opset, is_batch_free, &size);
    dsc_status status = dsc_model_load_memory(bytes, size, NULL, &model, &err);
    cr_assert_eq(status, DSC_OK, "%s at operator set %d: %s", verbs->name, opset, err.text);
    free(bytes);
    return model;
}

// The images, with channels first or last.
static void fill_images(float *out, bool is_channels_last) {
    static float first[BATCH * 3 * AREA];
    style_numbers("images", 0, 2, BATCH * 3 * AREA, first);
    for (int n = 0; n < BATCH; n++) {
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < AREA; i++) {
                int at = is_channels_last ? (n * AREA + i) * 3 + c : (n * 3 + c) * AREA + i;
                out[at] = first[(n * 3 + c) * AREA + i];
            }
        }
    }
}

static dsc_shape batch_shape(bool is_channels_last) {
    dsc_shape shape = {.name = "image", .rank = 4, .dims = {BATCH, 3, STYLE_HEIGHT, STYLE_WIDTH}};
    if (is_channels_last) shape.dims[1] = STYLE_HEIGHT, shape.dims[2] = STYLE_WIDTH, shape.dims[3] = 3;
    return shape;
}

static void wanted_scores(double out[BATCH * STYLE_CLASSES]) {
    static float images[BATCH * 3 * AREA];
    dsc_error err;
    dsc_reference *reference;
    const double *data;
    dsc_model *model = load(&style_torch, 13, true);
    dsc_shape shape = batch_shape(false);
    fill_images(images, false);
    dsc_status status = dsc_reference_run(model, &shape, 1, (const void *[]){images}, &reference, &err);
    cr_assert_eq(status, DSC_OK, "%s", err.text);
    dsc_reference_output(reference, 0, &data);
    memcpy(out, data, BATCH * STYLE_CLASSES * sizeof *out);
    // Both images have scores of their own: else a network that lost its input would pass.
    double apart = 0;
    for (int c = 0; c < STYLE_CLASSES; c++) apart = fmax(apart, fabs(out[c] - out[STYLE_CLASSES + c]));
    cr_assert_gt(apart, 0.02, "the images' scores are only %g apart", apart);
    dsc_reference_free(reference);
    dsc_model_free(model);
}

static void check_run(dsc_model *model, const dsc_shape *shape, dsc_isa isa, uint32_t passes, const double *wanted,
                      const char *what) {
    dsc_error err = {DSC_OK, ""};
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_session *session = NULL;
    const dsc_plan_options options = {.passes = passes};
    dsc_status status = dsc_weights_create(model, isa, &weights, &err);
    if (!status) status = dsc_plan_create(weights, shape, 1, &options, &plan, &err);
    if (!status) status = dsc_session_create(plan, &session, &err);
    cr_assert_eq(status, DSC_OK, "%s: %s", what, err.text);
    fill_images(dsc_session_input(session, 0), shape->dims[3] == 3);
    cr_assert_eq(dsc_session_run(session, NULL, NULL, &err), DSC_OK, "%s: %s", what, err.text);
    dsc_tensor_info info = dsc_plan_output(plan, 0);
    cr_assert(info.rank == 2 && info.dims[0] == BATCH && info.dims[1] == STYLE_CLASSES, "%s: shape", what);
    const float *scores = dsc_session_output(session, 0);
    for (int i = 0; i < BATCH * STYLE_CLASSES; i++) {
        cr_assert_float_eq((double)scores[i], wanted[i], 2e-6, "%s, %s, passes %x: score %d is %g, not %g", what,
                           dsc_isa_name(isa), passes, i, (double)scores[i], wanted[i]);
    }
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
}

static void check(const style_verbs *verbs, int opset) {
    double wanted[BATCH * STYLE_CLASSES];
    char what[64];
    dsc_shape shape = batch_shape(verbs->is_channels_last);
    wanted_scores(wanted);
    snprintf(what, sizeof what, "%s at operator set %d", verbs->name, opset);
    for (int is_batch_free = 0; is_batch_free < 2; is_batch_free++) {
        dsc_model *model = load(verbs, opset, is_batch_free);
        for (int isa = DSC_ISA_REF; isa <= (int)dsc_isa_best(); isa++) {
            check_run(model, &shape, (dsc_isa)isa, 0, wanted, what);
            check_run(model, &shape, (dsc_isa)isa, DSC_PASSES_ALL, wanted, what);
        }
        dsc_model_free(model);
    }
}

Test(exporters, torch_at_every_operator_set) {
    for (int opset = 6; opset <= 25; opset++) check(&style_torch, opset);
}

Test(exporters, caffe2) {
    check(&style_caffe2, 6);
}

Test(exporters, paddle) {
    for (int opset = 7; opset <= 16; opset++) check(&style_paddle, opset);
}

Test(exporters, timm) {
    for (int opset = 13; opset <= 25; opset++) check(&style_timm, opset);
}

Test(exporters, tensorflow) {
    for (int opset = 8; opset <= 25; opset++) check(&style_tensorflow, opset);
}

Test(exporters, keras) {
    for (int opset = 9; opset <= 25; opset++) check(&style_keras, opset);
}
