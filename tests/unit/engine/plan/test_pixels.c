// SPDX-License-Identifier: Apache-2.0
// dsc_session_input_pixels(): numbers that the caller puts where the first layer reads them give the bits that the
// tensor gives, hold for one run, and are offered only where nobody else reads the input.
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 2, CHANNELS = 3, HEIGHT = 9, WIDTH = 11, COUNT = IMAGES * CHANNELS * HEIGHT * WIDTH };

typedef enum extra { NOTHING, SECOND_READER, IS_OUTPUT, TWO_INPUTS } extra;

typedef struct fixture {
    dsc_model *model;
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
} fixture;

static uint8_t *write_network(extra with, size_t *size) {
    float numbers[20 * CHANNELS * 9];
    for (int i = 0; i < 20 * CHANNELS * 9; i++) numbers[i] = (float)(i * 7 % 29 - 14) / 16;
    onnx_writer *w = onnx_writer_create(14, 8, "first");
    onnx_writer_input(w, "x", ONNX_F32, "2,3,9,11");
    if (with == TWO_INPUTS) onnx_writer_input(w, "z", ONNX_F32, "2,3,9,11");
    onnx_writer_floats(w, "w", "20,3,3,3", numbers);
    onnx_writer_node(w, "Conv", "conv", "x,w", "c");
    onnx_writer_attr_ints(w, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    if (with == TWO_INPUTS) onnx_writer_node(w, "Conv", "other", "z,w", "d");
    if (with == SECOND_READER) onnx_writer_node(w, "Softmax", "soft", "x", "d");
    if (with == IS_OUTPUT) onnx_writer_node(w, "Identity", "same", "x", "d");
    onnx_writer_node(w, "Relu", "relu", "c", "y");
    onnx_writer_output(w, "y", ONNX_F32, NULL);
    if (with != NOTHING) onnx_writer_output(w, "d", ONNX_F32, NULL);
    uint8_t *bytes = onnx_writer_finish(w, size);
    onnx_writer_free(w);
    return bytes;
}

static fixture make(extra with, bool keep_values) {
    fixture f = {0};
    size_t size;
    dsc_error err = {DSC_OK, ""};
    uint8_t *bytes = write_network(with, &size);
    const dsc_plan_options options = {.passes = DSC_PASSES_ALL, .keep_values = keep_values};
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &f.model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    cr_assert_eq(dsc_weights_create(f.model, DSC_ISA_BEST, &f.weights, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_plan_create(f.weights, NULL, 0, &options, &f.plan, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_session_create(f.plan, &f.session, &err), DSC_OK);
    return f;
}

static void drop(fixture *f) {
    dsc_session_free(f->session);
    dsc_plan_free(f->plan);
    dsc_weights_free(f->weights);
    dsc_model_free(f->model);
}

static float number_at(int seed, int i) {
    return (float)((i * 37 + seed * 11) % 101) / 50 - 1;
}

static void fill_tensor(fixture *f, uint32_t index, int seed) {
    float *x = dsc_session_input(f->session, index);
    for (int i = 0; i < COUNT; i++) x[i] = number_at(seed, i);
}

// The same numbers, a pixel's channels side by side.
static void fill_pixels(fixture *f, uint32_t index, int seed) {
    for (int i = 0; i < COUNT; i++) {
        int image = i / (CHANNELS * HEIGHT * WIDTH), c = i / (HEIGHT * WIDTH) % CHANNELS, y = i / WIDTH % HEIGHT;
        ptrdiff_t row = 0;
        float *pixels = dsc_session_input_pixels(f->session, index, (uint32_t)image, &row);
        cr_assert(pixels && row >= WIDTH * CHANNELS);
        pixels[y * row + i % WIDTH * CHANNELS + c] = number_at(seed, i);
    }
}

static void run(fixture *f) {
    dsc_error err;
    cr_assert_eq(dsc_session_run(f->session, NULL, NULL, &err), DSC_OK, "%s", err.text);
}

static float *outputs_of(const fixture *f, uint32_t index) {
    dsc_tensor_info info = dsc_plan_output(f->plan, index);
    float *copy = malloc(dsc_tensor_bytes(&info));
    memcpy(copy, dsc_session_output(f->session, index), dsc_tensor_bytes(&info));
    return copy;
}

static bool is_output(const fixture *f, uint32_t index, const float *wanted) {
    dsc_tensor_info info = dsc_plan_output(f->plan, index);
    return memcmp(wanted, dsc_session_output(f->session, index), dsc_tensor_bytes(&info)) == 0;
}

Test(pixels, give_the_bits_of_the_tensor_for_one_run) {
    fixture f = make(NOTHING, false);
    fill_tensor(&f, 0, 1);
    run(&f);
    float *first = outputs_of(&f, 0);
    fill_tensor(&f, 0, 2);
    run(&f);
    float *second = outputs_of(&f, 0);
    cr_assert(!is_output(&f, 0, first));
    fill_pixels(&f, 0, 1);
    run(&f);
    cr_expect(is_output(&f, 0, first), "pixels and tensor differ");
    run(&f);
    cr_expect(is_output(&f, 0, second), "the tensor counts again");
    fill_pixels(&f, 0, 1);
    (void)dsc_session_input(f.session, 0);
    run(&f);
    cr_expect(is_output(&f, 0, second), "dsc_session_input() takes the pixels back");
    free(first);
    free(second);
    drop(&f);
}

Test(pixels, outlast_a_run_that_a_deadline_ended) {
    fixture f = make(NOTHING, false);
    dsc_error err;
    fill_tensor(&f, 0, 1);
    run(&f);
    float *first = outputs_of(&f, 0);
    fill_pixels(&f, 0, 2);
    const dsc_run_options late = {.deadline_ns = 1};
    cr_assert_eq(dsc_session_run(f.session, NULL, &late, &err), DSC_DEADLINE);
    run(&f);
    cr_expect(is_output(&f, 0, first), "what that run was given is over with it");
    free(first);
    drop(&f);
}

Test(pixels, are_not_offered_where_the_input_is_read_besides) {
    static const extra others[] = {SECOND_READER, IS_OUTPUT};
    ptrdiff_t row;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        fixture f = make(others[i], false);
        cr_expect_null(dsc_session_input_pixels(f.session, 0, 0, &row), "case %zu", i);
        fill_tensor(&f, 0, 1);
        run(&f);
        drop(&f);
    }
    fixture kept = make(NOTHING, true);
    cr_expect_null(dsc_session_input_pixels(kept.session, 0, 0, &row), "its values are kept");
    drop(&kept);
}

Test(pixels, are_offered_for_the_input_of_the_first_step) {
    fixture f = make(TWO_INPUTS, false);
    ptrdiff_t row;
    fill_tensor(&f, 0, 1);
    fill_tensor(&f, 1, 2);
    run(&f);
    float *of_x = outputs_of(&f, 0), *of_z = outputs_of(&f, 1);
    fill_tensor(&f, 0, 3); // not read
    fill_pixels(&f, 0, 1);
    cr_expect_null(dsc_session_input_pixels(f.session, 1, 0, &row));
    fill_tensor(&f, 1, 2);
    run(&f);
    cr_expect(is_output(&f, 0, of_x) && is_output(&f, 1, of_z));
    free(of_x);
    free(of_z);
    drop(&f);
}
