// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools by definition: one and three dimensions, integers, the places of maxima, refusals.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_windows, convolutions) {
    static const op_case rows[] = {
        {"Conv", 11, "f32 1,1,4: 1 2 3 4 | f32 1,1,2: 1 10", NULL, "f32 1,1,3: 21 32 43"},
        {"Conv", 11, "f32 1,1,4: 1 2 3 4 | f32 1,1,2: 1 10 | f32 1: 0.5", "pads=[1,0];strides=[2]",
         "f32 1,1,2: 10.5 32.5"},
        {"Conv", 11, "f32 1,2,3: 1 2 3 4 5 6 | f32 2,1,2: 1 1 1 -1", "group=2", "f32 1,2,2: 3 5 -1 -1"},
        {"Conv", 11, "f32 1,1,5: 1 2 3 4 5 | f32 1,1,2: 1 1", "dilations=[3]", "f32 1,1,2: 5 7"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,2: 1 1", "auto_pad='SAME_UPPER'", "f32 1,1,3: 3 5 3"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,2: 1 1", "auto_pad='SAME_LOWER'", "f32 1,1,3: 1 3 5"},
        {"Conv", 11, "f32 1,1,1,2,2: 1 2 3 4 | f32 1,1,1,2,2: 1 1 1 1", NULL, "f32 1,1,1,1,1: 10"},
        {"Conv", 11, "f32 1,1,2,1,2: 1 2 3 4 | f32 1,1,2,1,1: 1 10", NULL, "f32 1,1,1,1,2: 31 42"},
        {"Conv", 11, "f64 1,1,1,3: 1 2 3 | f64 1,1,1,2: 1 10", NULL, "f64 1,1,1,2: 21 32"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,4: 1 1 1 1", NULL, "bad model: reaches over"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,2,1: 1 1", NULL, "bad model: channels"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,1,1: 1", NULL, "bad model: rank"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,1: 1", "kernel_shape=[2]", "bad model: kernel_shape"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,1: 1", "group=0", "bad model: group"},
        {"Conv", 11, "f32 1,1,3: 1 2 3 | f32 1,1,1: 1", "strides=[70000]", "too large: strides"},
        {"Conv", 11, "i32 1,1,1: 1 | i32 1,1,1: 1", NULL, "unsupported: INT32"},
        {"ConvInteger", 10, "u8 1,1,3: 2 3 4 | u8 1,1,2: 1 1 | u8 : 1", NULL, "i32 1,1,2: 3 5"},
        {"ConvInteger", 10, "u8 1,1,2: 2 3 | i8 2,1,1: 1 -1 | u8 : 1 | i8 2: 0 1", "pads=[1,0]",
         "i32 1,2,3: 0 1 2 0 -2 -4"},
        {"ConvInteger", 10, "f32 1,1,1: 1 | u8 1,1,1: 1", NULL, "unsupported: FP32"},
        {"QLinearConv", 10,
         "u8 1,1,2: 12 14 | f32 : 0.5 | u8 : 10 | i8 1,1,1: 3 | f32 1: 2.0 | i8 1: 1 | f32 : 0.25 | u8 : 5 | i32 1: 1",
         NULL, "u8 1,1,2: 25 41"},
        {"QLinearConv", 10,
         "u8 1,1,1: 255 | f32 : 1.0 | u8 : 0 | i8 1,1,1: 100 | f32 1: 1.0 | i8 1: 0 | f32 : 1.0 | u8 : 0", NULL,
         "u8 1,1,1: 255"},
        {"QLinearConv", 10,
         "u8 1,1,1: 1 | f32 2: 1.0 1.0 | u8 : 0 | i8 1,1,1: 1 | f32 1: 1.0 | i8 1: 0 | f32 : 1.0 | u8 : 0", NULL,
         "bad model: input 1 must have one number"},
    };
    OP_CASES(rows);
}

Test(generic_windows, transposed_convolutions) {
    static const op_case rows[] = {
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,2: 1 10", NULL, "f32 1,1,3: 1 12 20"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,2: 1 10 | f32 1: 100", "strides=[2]",
         "f32 1,1,4: 101 110 102 120"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,2: 1 10", "strides=[2];output_padding=[1]",
         "f32 1,1,5: 1 10 2 20 0"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,2: 1 10", "pads=[1,0]", "f32 1,1,2: 12 20"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,2: 1 10", "dilations=[2]", "f32 1,1,4: 1 2 10 20"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,3: 1 10 100", "output_shape=[3]", "f32 1,1,3: 12 120 200"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,3: 1 10 100", "output_shape=[3];auto_pad='SAME_UPPER'",
         "f32 1,1,3: 1 12 120"},
        {"ConvTranspose", 11, "f32 1,2,1: 1 2 | f32 2,1,1: 3 4", "group=2", "f32 1,2,1: 3 8"},
        {"ConvTranspose", 11, "f32 1,2,1: 1 2 | f32 2,2,1: 1 10 100 1000", NULL, "f32 1,2,1: 201 2010"},
        {"ConvTranspose", 11, "f32 1,1,1,2: 1 2 | f32 1,1,2,1: 1 10", NULL, "f32 1,1,2,2: 1 2 10 20"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 2,1,1: 1 1", NULL, "bad model: do not fit"},
        {"ConvTranspose", 11, "f32 1,1,2: 1 2 | f32 1,1,1: 1", "pads=[1,1]", "bad model: elements"},
    };
    OP_CASES(rows);
}

Test(generic_windows, pools) {
    static const op_case rows[] = {
        {"MaxPool", 12, "f32 1,1,4: 1 3 2 4", "kernel_shape=[2]", "f32 1,1,3: 3 3 4"},
        {"MaxPool", 12, "f32 1,1,2,2: 1 3 2 4", "kernel_shape=[2,1]", "f32 1,1,1,2: 2 4 | i64 1,1,1,2: 2 3"},
        {"MaxPool", 12, "f32 1,1,2,3: 1 9 2 4 3 5", "kernel_shape=[2,2];storage_order=1",
         "f32 1,1,1,2: 9 9 | i64 1,1,1,2: 2 2"},
        {"MaxPool", 12, "u8 1,1,3: 1 200 2", "kernel_shape=[2]", "u8 1,1,2: 200 200"},
        {"MaxPool", 12, "f32 1,1,2,2,1: 1 2 3 4", "kernel_shape=[2,2,1]", "f32 1,1,1,1,1: 4"},
        {"MaxPool", 12, "f32 1,1,5: 1 2 3 4 5", "kernel_shape=[2];strides=[3];ceil_mode=1", "f32 1,1,2: 2 5"},
        {"MaxPool", 12, "f32 1,1,5: 5 1 3 1 1", "kernel_shape=[2];dilations=[2]", "f32 1,1,3: 5 1 3"},
        {"AveragePool", 11, "f32 1,1,3: 1 2 6", "kernel_shape=[2]", "f32 1,1,2: 1.5 4"},
        {"AveragePool", 11, "f32 1,1,2: 2 4", "kernel_shape=[2];pads=[1,0]", "f32 1,1,2: 2 3"},
        {"AveragePool", 11, "f32 1,1,2: 2 4", "kernel_shape=[2];pads=[1,0];count_include_pad=1", "f32 1,1,2: 1 3"},
        {"AveragePool", 11, "f64 1,1,1,2,1: 2 4", "kernel_shape=[1,2,1]", "f64 1,1,1,1,1: 3"},
        {"LpPool", 18, "f32 1,1,3: 3 4 0", "kernel_shape=[2]", "f32 1,1,2: 5 4"},
        {"LpPool", 18, "f32 1,1,2: -3 4", "kernel_shape=[2];p=1", "f32 1,1,1: 7"},
        {"GlobalLpPool", 2, "f32 1,2,2: 3 4 6 8", NULL, "f32 1,2,1: 5 10"},
        {"GlobalAveragePool", 1, "f64 1,2,2: 1 2 3 5", NULL, "f64 1,2,1: 1.5 4"},
        {"GlobalMaxPool", 1, "f16 1,1,2: 1 2", NULL, "f16 1,1,1: 2"},
        {"MaxPool", 12, "f32 1,1,2: 1 2", NULL, "bad model: kernel_shape"},
        {"MaxPool", 12, "f32 1,1,2: 1 2", "kernel_shape=[1];pads=[1,0]", "bad model: padding altogether"},
        {"MaxPool", 12, "f32 1,1,2: 1 2", "kernel_shape=[3]", "bad model: reaches over"},
        {"MaxPool", 12, "f32 1,1,2: 1 2", "kernel_shape=[1,1]", "bad model: rank 3"},
        {"MaxPool", 12, "i32 1,1,2: 1 2", "kernel_shape=[1]", "unsupported: INT32"},
        {"LpPool", 18, "f32 1,1,2: 1 2", "kernel_shape=[1];p=0", "bad model: p is 0"},
    };
    OP_CASES(rows);
}

Test(generic_windows, resizing) {
    static const op_case rows[] = {
        {"Resize", 13, "f32 1,1,1,2: 1 2 | _ | f32 4: 1.0 1.0 1.0 2.0", NULL, "f32 1,1,1,4: 1 1 2 2"},
        {"Resize", 13, "f32 2: 0 4 | _ | _ | i64 1: 4", "mode='linear'", "f32 4: 0 1 3 4"},
        {"Resize", 10, "f32 5: 1 2 3 4 5 | f32 1: 1.8", NULL, "f32 9: 1 1 2 2 3 3 4 4 5"},
        {"Resize", 13, "f32 2: 0 3 | _ | _ | i64 1: 4", "mode='linear';coordinate_transformation_mode='align_corners'",
         "f32 4: 0 1 2 3"},
        {"Resize", 13, "f32 4: 1 2 3 4 | _ | f32 1: 0.6",
         "mode='linear';coordinate_transformation_mode='align_corners'", "f32 2: 1 3.142857"},
        {"Resize", 13, "f32 2: 0 4 | _ | _ | i64 1: 4", "mode='linear';coordinate_transformation_mode='asymmetric'",
         "f32 4: 0 2 4 4"},
        {"Resize", 13, "f32 4: 0 1 2 3 | _ | f32 1: 0.5", "mode='linear'", "f32 2: 0.5 2.5"},
        {"Resize", 18, "f32 4: 0 2 4 6 | _ | f32 1: 0.5", "mode='linear';antialias=1", "f32 2: 1.25 4.75"},
        {"Resize", 13, "f32 4: 1 2 3 4 | _ | f32 1: 2.0", "mode='cubic'",
         "f32 8: 0.894531 1.191406 1.667969 2.296875 2.703125 3.332031 3.808594 4.105469"},
        {"Resize", 13, "f32 4: 1 2 3 4 | _ | _ | i64 1: 3",
         "nearest_mode='floor';coordinate_transformation_mode='asymmetric'", "f32 3: 1 2 3"},
        {"Resize", 13, "f32 4: 1 2 3 4 | f32 2: 0.5 2.0 | _ | i64 1: 2",
         "mode='linear';coordinate_transformation_mode='tf_crop_and_resize';extrapolation_value=9.0", "f32 2: 2.5 9"},
        {"Resize", 18, "f32 2,4: 1 2 3 4 5 6 7 8 | _ | _ | i64 2: 1 3",
         "keep_aspect_ratio_policy='not_larger';nearest_mode='floor';coordinate_transformation_mode='asymmetric'",
         "f32 1,2: 1 3"},
        {"Resize", 18, "f32 1,2: 1 2 | _ | f32 1: 2.0", "axes=[1]", "f32 1,4: 1 1 2 2"},
        {"Resize", 10, "f32 2: 1 2 | f32 1: 1.5", NULL, "f32 3: 1 1 2"},
        {"Resize", 13, "u8 2: 1 2 | _ | f32 1: 2.0", NULL, "u8 4: 1 1 2 2"},
        {"Upsample", 9, "f32 2: 1 2 | f32 1: 2.0", NULL, "f32 4: 1 1 2 2"},
        {"Upsample", 7, "f32 2: 1 2", "scales=[2.0]", "f32 4: 1 1 2 2"},
        {"Upsample", 1, "f32 1,1,1,2: 1 2", "height_scale=1.0;width_scale=2.0;mode='nearest'", "f32 1,1,1,4: 1 1 2 2"},
        {"Resize", 13, "f32 2: 1 2", NULL, "bad model: either scales or sizes"},
        {"Resize", 13, "f32 2: 1 2 | _ | f32 1: 0", NULL, "bad model: above 0"},
        {"Resize", 13, "f32 2: 1 2 | _ | f32 1: 1e30", NULL, "too large: elements"},
        {"Resize", 13, "f32 2: 1 2 | _ | f32 2: 1.0 1.0", NULL, "bad model: 2 scales or sizes for 1 axes"},
        {"Resize", 13, "f32 2: 1 2 | _ | _ | i64 1: -1", NULL, "bad model: above 0"},
        {"Resize", 13, "f32 2: 1 2 | _ | f32 1: 2.0", "mode='area'", "unsupported: mode = \"area\""},
        {"Resize", 13, "f32 2: 1 2 | _ | f32 1: 2.0", "coordinate_transformation_mode='other'", "unsupported: other"},
        {"Upsample", 10, "f32 2: 1 2 | f32 1: 2.0", NULL, "unsupported: opset 10"},
    };
    OP_CASES(rows);
}
