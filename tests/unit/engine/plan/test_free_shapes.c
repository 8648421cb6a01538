// SPDX-License-Identifier: Apache-2.0
// Models that leave height and width free: they load although one pixel is too small for them, run at the sizes that
// are asked for, and refuse those that do not fit.
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

// A 3 x 3 convolution without padding of a map 1 x 2 x H x W: every output is the sum of its 18 inputs.
static dsc_model *load_valid_convolution(const char *dims, uint64_t multiplications) {
    size_t size;
    const dsc_limits limits = {.multiplications = multiplications};
    const dsc_load_options options = {.limits = &limits};
    float ones[18];
    for (int i = 0; i < 18; i++) ones[i] = 1;
    onnx_writer *w = onnx_writer_create(13, 8, "free");
    onnx_writer_input(w, "x", ONNX_F32, dims);
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    onnx_writer_floats(w, "w", "1,2,3,3", ones);
    onnx_writer_node(w, "Conv", "conv", "x,w", "y");
    uint8_t *bytes = onnx_writer_finish(w, &size);
    cr_assert(bytes != NULL);
    onnx_writer_free(w);
    dsc_model *model = NULL;
    dsc_error err = {DSC_OK, ""};
    cr_assert_eq(dsc_model_load_memory(bytes, size, &options, &model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    return model;
}

Test(free_shapes, a_size_that_fits_runs_and_others_are_refused) {
    dsc_model *model = load_valid_convolution("1,2,H,W", 0);
    dsc_tensor_info output = dsc_model_output(model, 0);
    cr_assert(output.rank == 4 && output.dims[0] == 1 && output.dims[2] == -1 && output.dims[3] == -1);
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
    dsc_error err;
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    cr_assert_neq(dsc_plan_create(weights, NULL, 0, NULL, &plan, &err), DSC_OK); // 1 x 1
    cr_assert_neq(err.text[0], '\0');
    const dsc_shape shape = {.name = "x", .rank = 4, .dims = {1, 2, 5, 4}};
    cr_assert_eq(dsc_plan_create(weights, &shape, 1, NULL, &plan, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
    float *x = dsc_session_input(session, 0);
    for (int i = 0; i < 40; i++) x[i] = (float)i;
    cr_assert_eq(dsc_session_run(session, NULL, NULL, NULL), DSC_OK);
    const float *y = dsc_session_output(session, 0);
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 2; column++) {
            int first = row * 4 + column; // 9 numbers around first + 5, twice, the second map 20 further on
            cr_assert(y[row * 2 + column] == (float)(9 * (first + 5) + 9 * (first + 25)));
        }
    }
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

// The sizes of photos are tried with one photo: 224 of them would be more multiplications than the limit.
Test(free_shapes, a_free_batch_is_not_tried_at_the_size_of_photos) {
    dsc_model *model = load_valid_convolution("N,2,H,W", 10 * 18 * 224 * 224);
    dsc_tensor_info output = dsc_model_output(model, 0);
    cr_assert(output.rank == 4 && output.dims[0] == -1 && output.dims[1] == 1 && output.dims[2] == -1);
    dsc_model_free(model);
}

// Nor need a free first dimension be a batch: here it is the height.
Test(free_shapes, a_free_first_dimension_may_be_large) {
    size_t size;
    dsc_error err = {DSC_OK, ""};
    dsc_model *model = NULL;
    float ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    onnx_writer *w = onnx_writer_create(13, 8, "free");
    onnx_writer_input(w, "x", ONNX_F32, "H,W");
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    onnx_writer_floats(w, "w", "1,1,3,3", ones);
    onnx_writer_ints(w, "axes", "2", (int64_t[]){0, 1});
    onnx_writer_node(w, "Unsqueeze", "map", "x,axes", "m");
    onnx_writer_node(w, "Conv", "conv", "m,w", "y");
    uint8_t *bytes = onnx_writer_finish(w, &size);
    cr_assert(bytes != NULL);
    onnx_writer_free(w);
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    dsc_tensor_info output = dsc_model_output(model, 0);
    cr_assert(output.rank == 4 && output.dims[0] == 1 && output.dims[2] == -1 && output.dims[3] == -1);
    dsc_model_free(model);
}
