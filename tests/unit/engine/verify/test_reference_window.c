// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools of the reference against numbers worked out by hand.
#include "tests/unit/engine/verify/reference_case.h"

#include <criterion/criterion.h>

static const float nine[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const float ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static void ints(onnx_writer *w, const char *name, int64_t a, int64_t b) {
    onnx_writer_attr_ints(w, name, 2, (int64_t[]){a, b});
}

static void pads(onnx_writer *w, int64_t top, int64_t left, int64_t bottom, int64_t right) {
    onnx_writer_attr_ints(w, "pads", 4, (int64_t[]){top, left, bottom, right});
}

// Padded taps are multiplied, too: 4 x 4 outputs of 4 taps.
Test(reference_window, convolution_with_padding) {
    onnx_writer *w = reference_case_begin(13, "1,1,3,3");
    onnx_writer_floats(w, "w", "1,1,2,2", ones);
    onnx_writer_node(w, "Conv", "c", "x,w", "y");
    pads(w, 1, 1, 1, 1);
    reference_case_expect(
        w, nine,
        &(reference_want){"1x1x4x4", REFERENCE_VALUES(1, 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9), 64});
}

Test(reference_window, convolution_is_no_flipped_correlation) {
    onnx_writer *w = reference_case_begin(13, "1,1,3,3");
    onnx_writer_floats(w, "w", "1,1,2,2", (float[]){1, 10, 100, 1000});
    onnx_writer_floats(w, "b", "1", (float[]){0.5f});
    onnx_writer_node(w, "Conv", "c", "x,w,b", "y");
    reference_case_expect(w, nine, &(reference_want){"1x1x2x2", REFERENCE_VALUES(5421.5, 6532.5, 8754.5, 9865.5), 16});
}

// Every dimension differs, so that no two can be mixed up: 2 images, 2 channels of 2 x 3, 3 output channels.
Test(reference_window, convolution_sums_over_channels) {
    onnx_writer *w = reference_case_begin(13, "2,2,2,3");
    float x[24];
    for (int i = 0; i < 24; i++) x[i] = (float)i;
    onnx_writer_floats(w, "w", "3,2,1,1", (float[]){1, 0, 0, 1, 1, -1});
    onnx_writer_floats(w, "b", "3", (float[]){0, 100, 0});
    onnx_writer_node(w, "Conv", "c", "x,w,b", "y");
    double want[36];
    for (int n = 0; n < 2; n++) {
        for (int i = 0; i < 6; i++) {
            want[n * 18 + i] = n * 12 + i;
            want[n * 18 + 6 + i] = n * 12 + 6 + i + 100;
            want[n * 18 + 12 + i] = -6;
        }
    }
    reference_case_expect(w, x, &(reference_want){"2x3x2x3", .count = 36, .values = want, .multiplications = 72});
}

// Groups with two outputs each, strides that differ, a kernel that is not square.
Test(reference_window, convolution_with_groups_and_strides) {
    onnx_writer *w = reference_case_begin(13, "1,2,3,4");
    float x[24];
    for (int i = 0; i < 24; i++) x[i] = (float)i;
    onnx_writer_floats(w, "w", "4,1,1,2", (float[]){1, 1, 1, -1, 2, 0, 0, 1});
    onnx_writer_node(w, "Conv", "c", "x,w", "y");
    onnx_writer_attr_int(w, "group", 2);
    ints(w, "strides", 2, 1);
    reference_case_expect(w, x,
                          &(reference_want){"1x4x2x3",
                                            REFERENCE_VALUES(1, 3, 5, 17, 19, 21, -1, -1, -1, -1, -1, -1, 24, 26, 28,
                                                             40, 42, 44, 13, 14, 15, 21, 22, 23),
                                            48});
}

Test(reference_window, convolution_with_dilation) {
    onnx_writer *w = reference_case_begin(13, "1,1,3,3");
    onnx_writer_floats(w, "w", "1,1,2,2", ones);
    onnx_writer_node(w, "Conv", "c", "x,w", "y");
    ints(w, "dilations", 2, 2);
    reference_case_expect(w, nine, &(reference_want){"1x1x1x1", REFERENCE_VALUES(20), 4});
}

static void expect_auto_pad(const char *mode, int64_t stride, const reference_want *want) {
    onnx_writer *w = reference_case_begin(13, "1,1,1,4");
    onnx_writer_floats(w, "w", "1,1,1,2", (float[]){1, 10});
    onnx_writer_node(w, "Conv", "c", "x,w", "y");
    onnx_writer_attr_string(w, "auto_pad", mode);
    ints(w, "strides", 1, stride);
    reference_case_expect(w, nine, want);
}

Test(reference_window, convolution_with_auto_pad) {
    expect_auto_pad("SAME_UPPER", 1, &(reference_want){"1x1x1x4", REFERENCE_VALUES(21, 32, 43, 4), 8});
    expect_auto_pad("SAME_LOWER", 1, &(reference_want){"1x1x1x4", REFERENCE_VALUES(10, 21, 32, 43), 8});
    expect_auto_pad("VALID", 1, &(reference_want){"1x1x1x3", REFERENCE_VALUES(21, 32, 43), 6});
    expect_auto_pad("SAME_UPPER", 3, &(reference_want){"1x1x1x2", REFERENCE_VALUES(21, 4), 4});
    expect_auto_pad("VALID", 2, &(reference_want){"1x1x1x2", REFERENCE_VALUES(21, 43), 4});
}

// ---- pools --------------------------------------------------------------------------------------------------------

static onnx_writer *pool(const char *op, int64_t kernel) {
    onnx_writer *w = reference_case_begin(19, "1,1,3,3");
    onnx_writer_node(w, op, "p", "x", "y");
    ints(w, "kernel_shape", kernel, kernel);
    return w;
}

Test(reference_window, average_pool_leaves_padding_out_of_the_mean) {
    onnx_writer *w = pool("AveragePool", 2);
    pads(w, 1, 1, 0, 0);
    reference_case_expect(
        w, nine,
        &(reference_want){"1x1x3x3", REFERENCE_VALUES(1, 1.5, 2.5, 2.5, 3, 4, 5.5, 6, 7), .multiplications = 0});
}

Test(reference_window, average_pool_counts_padding_where_told) {
    onnx_writer *w = pool("AveragePool", 2);
    pads(w, 1, 1, 0, 0);
    onnx_writer_attr_int(w, "count_include_pad", 1);
    reference_case_expect(w, nine,
                          &(reference_want){"1x1x3x3", REFERENCE_VALUES(0.25, 0.75, 1.25, 1.25, 3, 4, 2.75, 6, 7)});
}

// The last windows of ceil_mode hang over the edge; what is outside of the padding too counts in no mean.
Test(reference_window, average_pool_with_ceil_mode) {
    onnx_writer *w = pool("AveragePool", 2);
    ints(w, "strides", 2, 2);
    onnx_writer_attr_int(w, "ceil_mode", 1);
    onnx_writer_attr_int(w, "count_include_pad", 1);
    reference_case_expect(w, nine, &(reference_want){"1x1x2x2", REFERENCE_VALUES(3, 4.5, 7.5, 9)});
}

// 3 + 1 of padding at the end, windows of 2 at 0, 2: a third would begin outside of map and padding in front.
Test(reference_window, ceil_mode_begins_no_window_in_the_padding_at_the_end) {
    onnx_writer *w = pool("MaxPool", 1);
    ints(w, "strides", 3, 3);
    pads(w, 0, 0, 1, 1);
    onnx_writer_attr_int(w, "ceil_mode", 1);
    reference_case_expect(w, nine, &(reference_want){"1x1x1x1", REFERENCE_VALUES(1)});
}

Test(reference_window, max_pool_of_negative_numbers_ignores_padding) {
    static const float negative[] = {-1, -2, -3, -4, -5, -6, -7, -8, -9};
    onnx_writer *w = pool("MaxPool", 2);
    pads(w, 0, 0, 1, 1);
    reference_case_expect(w, negative,
                          &(reference_want){"1x1x3x3", REFERENCE_VALUES(-1, -2, -3, -4, -5, -6, -7, -8, -9)});
}

Test(reference_window, max_pool_with_dilation) {
    onnx_writer *w = pool("MaxPool", 2);
    ints(w, "dilations", 2, 2);
    reference_case_expect(w, nine, &(reference_want){"1x1x1x1", REFERENCE_VALUES(9)});
}

Test(reference_window, global_pools) {
    onnx_writer *w = reference_case_begin(13, "1,2,1,4");
    static const float x[] = {1, 2, 3, 6, -1, -2, -3, -4};
    onnx_writer_node(w, "GlobalAveragePool", "a", "x", "m");
    onnx_writer_node(w, "GlobalMaxPool", "b", "x", "n");
    onnx_writer_node(w, "Concat", "c", "m,n", "y");
    onnx_writer_attr_int(w, "axis", 1);
    reference_case_expect(w, x, &(reference_want){"1x4x1x1", REFERENCE_VALUES(3, -2.5, 6, -1)});
}
