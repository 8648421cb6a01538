// SPDX-License-Identifier: Apache-2.0
// Operators that put elements to places: by index, by diagonal, by region and by grid.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_places, scatters_by_index) {
    static const op_case rows[] = {
        {"ScatterElements", 11, "f32 1,5: 1 2 3 4 5 | i64 1,2: 1 3 | f32 1,2: 1.5 2.5", "axis=1",
         "f32 1,5: 1 1.5 3 2.5 5"},
        {"ScatterElements", 18, "f32 1,5: 1 2 3 4 5 | i32 1,2: 1 -4 | f32 1,2: 1.5 2.5", "axis=1;reduction='add'",
         "f32 1,5: 1 6 3 4 5"},
        {"ScatterElements", 16, "i64 2,2: 1 2 3 4 | i64 1,2: 1 1 | i64 1,2: 5 7", "reduction='mul'",
         "i64 2,2: 1 2 15 28"},
        {"ScatterElements", 18, "u8 3: 1 2 3 | i64 2: 0 2 | u8 2: 9 1", "reduction='max'", "u8 3: 9 2 3"},
        {"ScatterElements", 18, "f32 3: 1 2 nan | i64 3: 0 1 2 | f32 3: -9 9 1", "reduction='min'", "f32 3: -9 2 nan"},
        {"Scatter", 9, "bool 2,1: 1 1 | i64 1,1: 1 | bool 1,1: 0", NULL, "bool 2,1: 1 0"},
        {"ScatterElements", 18, "f32 2: 1 2 | i64 1: 2 | f32 1: 0", NULL, "bad value: index"},
        {"ScatterElements", 18, "f32 2: 1 2 | i64 1: 1 | f32 2: 0 0", NULL, "bad model: indices and updates"},
        {"ScatterElements", 18, "f32 2: 1 2 | i64 1: 1 | f64 1: 0", NULL, "bad model: one type"},
        {"ScatterElements", 16, "f32 2: 1 2 | i64 1: 1 | f32 1: 0", "reduction='max'", "bad model: operator set 16"},
        {"ScatterElements", 18, "f32 2: 1 2 | i64 1: 1 | f32 1: 0", "axis=1", "bad model: axis"},
        {"ScatterND", 18, "f32 8: 1 2 3 4 5 6 7 8 | i64 4,1: 4 3 1 7 | f32 4: 9 10 11 12", NULL,
         "f32 8: 1 11 3 10 9 6 7 12"},
        {"ScatterND", 16, "i32 2,2: 1 2 3 4 | i64 2,1: 1 -1 | i32 2,2: 10 20 30 40", "reduction='add'",
         "i32 2,2: 1 2 43 64"},
        {"ScatterND", 11, "u8 2,2: 1 2 3 4 | i64 1,2: 0 1 | u8 1: 9", NULL, "u8 2,2: 1 9 3 4"},
        {"ScatterND", 18, "f16 2: 2 3 | i64 1,1: 1 | f16 1: 4", "reduction='mul'", "f16 2: 2 12"},
        {"ScatterND", 18, "u8 2: 1 2 | i64 1,1: 2 | u8 1: 9", NULL, "bad value: index"},
        {"ScatterND", 18, "u8 2: 1 2 | i64 1,2: 0 0 | u8 1: 9", NULL, "bad model: do not fit"},
        {"ScatterND", 18, "u8 2: 1 2 | i64 1,1: 0 | u8 2: 9 9", NULL, "bad model: do not fit"},
    };
    OP_CASES(rows);
}

Test(generic_places, ones_and_diagonals) {
    static const op_case rows[] = {
        {"OneHot", 11, "i64 3: 0 2 -1 | f32 : 3 | i32 2: 7 9", NULL, "i32 3,3: 9 7 7  7 7 9  7 7 9"},
        {"OneHot", 9, "f32 2: 1 5 | i64 1: 2 | u8 2: 0 1", "axis=0", "u8 2,2: 0 0  1 0"},
        {"OneHot", 11, "i64 1: 0 | i64 : 0 | u8 2: 0 1", NULL, "bad model: must be positive"},
        {"OneHot", 11, "i64 1: 0 | i64 : 2 | u8 1: 0", NULL, "bad model: must be two"},
        {"OneHot", 11, "i64 1: 0 | i64 2: 2 2 | u8 2: 0 1", NULL, "bad model: one number"},
        {"OneHot", 11, "i64 1: 0 | i64 : 2 | u8 2: 0 1", "axis=2", "bad model: axis"},
        {"EyeLike", 9, "i32 2,3: 0 0 0 0 0 0", "k=1", "i32 2,3: 0 1 0 0 0 1"},
        {"EyeLike", 22, "i32 2,2: 0 0 0 0", "k=-1;dtype=11", "f64 2,2: 0 0 1 0"},
        {"EyeLike", 9, "i32 2: 0 0", NULL, "bad model: rank 1, not 2"},
        {"EyeLike", 9, "i32 1,1: 0", "dtype=8", "unsupported: STRING"},
        {"Trilu", 14, "i64 2,3: 1 2 3 4 5 6", NULL, "i64 2,3: 1 2 3 0 5 6"},
        {"Trilu", 14, "i64 2,3: 1 2 3 4 5 6", "upper=0", "i64 2,3: 1 0 0 4 5 0"},
        {"Trilu", 14, "f32 2,2,2: 1 2 3 4 5 6 7 8 | i64 : 1", NULL, "f32 2,2,2: 0 2 0 0 0 6 0 0"},
        {"Trilu", 14, "f32 2,2: 1 2 3 4 | i64 : -9223372036854775808", "upper=0", "f32 2,2: 0 0 0 0"},
        {"Trilu", 14, "f32 2: 1 2", NULL, "bad model: rank 2"},
        {"Trilu", 14, "f32 2,2: 1 2 3 4 | i64 2: 1 1", NULL, "bad model: one number"},
        {"ReverseSequence", 10, "f32 3,2: 1 2 3 4 5 6 | i64 2: 2 3", NULL, "f32 3,2: 3 6 1 4 5 2"},
        {"ReverseSequence", 10, "u8 2,3: 1 2 3 4 5 6 | i64 2: 1 3", "batch_axis=0;time_axis=1", "u8 2,3: 1 2 3 6 5 4"},
        {"ReverseSequence", 10, "u8 2,1: 1 2 | i64 1: 3", NULL, "bad value: sequence's length"},
        {"ReverseSequence", 10, "u8 2,1: 1 2 | i64 2: 1 1", NULL, "bad model: a length for each"},
        {"ReverseSequence", 10, "u8 2,1: 1 2 | i64 1: 1", "time_axis=1", "bad model: one must be 0"},
        {"CenterCropPad", 18, "u8 5: 1 2 3 4 5 | i64 1: 2", NULL, "u8 2: 2 3"},
        {"CenterCropPad", 18, "u8 2,3: 1 2 3 4 5 6 | i64 2: 5 1", NULL, "u8 5,1: 0 2 5 0 0"},
        {"CenterCropPad", 18, "f32 2,3: 1 2 3 4 5 6 | i64 1: 2", "axes=[-1]", "f32 2,2: 1 2 4 5"},
        {"CenterCropPad", 18, "u8 2: 1 2 | i64 2: 1 1", NULL, "bad model: 2 sizes for 1 axes"},
        {"CenterCropPad", 18, "u8 2: 1 2 | i64 1: -1", NULL, "bad model: cannot have"},
        {"CenterCropPad", 18, "u8 2: 1 2 | i64 1: 1", "axes=[1]", "bad model: axis"},
    };
    OP_CASES(rows);
}

Test(generic_places, windows_undone) {
    static const op_case rows[] = {
        {"MaxUnpool", 11, "f32 1,1,2,2: 5 6 7 8 | i64 1,1,2,2: 5 7 13 15", "kernel_shape=[2,2];strides=[2,2]",
         "f32 1,1,4,4: 0 0 0 0 0 5 0 6 0 0 0 0 0 7 0 8"},
        {"MaxUnpool", 9, "f32 1,1,2: 5 6 | i64 1,1,2: 1 2 | i64 3: 1 1 5", "kernel_shape=[2];strides=[2]",
         "f32 1,1,5: 0 5 6 0 0"},
        {"MaxUnpool", 11, "f32 1,1,2: 5 6 | i64 1,1,2: 1 4", "kernel_shape=[2];strides=[2]", "bad value: index"},
        {"MaxUnpool", 11, "f32 1,1,2: 5 6 | i64 1,1,2: 1 2 | i64 3: 1 1 3", "kernel_shape=[2];strides=[2]",
         "bad model: output_shape"},
        {"MaxUnpool", 11, "f32 1,1,2: 5 6 | i64 1,1,1: 1", "kernel_shape=[2]", "bad model: another shape"},
        {"MaxUnpool", 11, "f32 1,1,2: 5 6 | i64 1,1,2: 1 1", NULL, "bad model: kernel_shape"},
        {"MaxUnpool", 11, "f32 1,1,1: 5 | i64 1,1,1: 1", "kernel_shape=[1];pads=[1,1]", "bad model: takes all"},
        {"MaxUnpool", 11, "f32 1,1: 5 | i64 1,1: 1", "kernel_shape=[1]", "bad model: rank 2"},
        {"Col2Im", 18, "f32 1,2,2: 1 2 3 4 | i64 1: 3 | i64 1: 2", NULL, "f32 1,1,3: 1 5 4"},
        {"Col2Im", 18, "f32 1,1,4: 1 2 3 4 | i64 2: 2 2 | i64 2: 1 1", NULL, "f32 1,1,2,2: 1 2 3 4"},
        {"Col2Im", 18, "i32 1,2,4: 1 2 3 4 5 6 7 8 | i64 1: 3 | i64 1: 2", "pads=[1,1]", "i32 1,1,3: 7 9 11"},
        {"Col2Im", 18, "f32 1,3,2: 1 2 3 4 5 6 | i64 1: 3 | i64 1: 2", NULL, "bad model: blocks"},
        {"Col2Im", 18, "f32 1,2,2: 1 2 3 4 | i64 1: 3 | i64 1: 0", NULL, "bad model: positive"},
    };
    OP_CASES(rows);
}

Test(generic_places, regions) {
    static const op_case rows[] = {
        {"RoiAlign", 10, "f32 1,1,2,2: 1 2 3 4 | f32 1,4: 0 0 2 2 | i64 1: 0", "sampling_ratio=1", "f32 1,1,1,1: 4"},
        {"RoiAlign", 16, "f32 1,1,2,2: 1 2 3 4 | f32 1,4: 0 0 2 2 | i64 1: 0", "sampling_ratio=1", "f32 1,1,1,1: 2.5"},
        {"RoiAlign", 16, "f32 1,1,2,2: 1 2 3 4 | f32 1,4: 0 0 2 2 | i64 1: 0", "output_height=2;output_width=2",
         "f32 1,1,2,2: 1 2 3 4"},
        {"RoiAlign", 16, "f32 1,1,2,2: 1 2 3 4 | f32 1,4: 0 0 2 2 | i64 1: 0", "sampling_ratio=1;mode='max'",
         "f32 1,1,1,1: 1"},
        {"RoiAlign", 16, "f32 2,1,1,2: 1 2 3 4 | f32 2,4: 0 0 4 2 9 9 11 11 | i64 2: 1 0",
         "spatial_scale=0.5;coordinate_transformation_mode='output_half_pixel'", "f32 2,1,1,1: 3.75 0"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: 0 0 1 1 | i64 1: 1", NULL, "bad value: batch index"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: nan 0 1 1 | i64 1: 0", NULL, "bad value: not finite"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: 0 0 900000 900000 | i64 1: 0", NULL, "bad value: too large"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,3: 0 0 1 | i64 1: 0", NULL, "bad model: regions of 4"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: 0 0 1 1 | i64 2: 0 0", NULL, "bad model: for each region"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: 0 0 1 1 | i64 1: 0", "mode='sum'", "bad model: avg or max"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: 0 0 1 1 | i64 1: 0", "coordinate_transformation_mode='x'",
         "bad model: half_pixel or"},
        {"RoiAlign", 16, "f32 1,1,1,1: 1 | f32 1,4: 0 0 1 1 | i64 1: 0", "output_height=0", "bad model: positive"},
        {"MaxRoiPool", 1, "f32 1,1,2,2: 1 2 3 4 | f32 2,5: 0 0 0 1 1 0 0 0 0 1", "pooled_shape=[1,1]",
         "f32 2,1,1,1: 4 3"},
        {"MaxRoiPool", 1, "f32 1,1,2,2: 1 2 3 4 | f32 1,5: 0 0 0 2 2", "pooled_shape=[2,2];spatial_scale=0.5",
         "f32 1,1,2,2: 1 2 3 4"},
        {"MaxRoiPool", 1, "f32 1,1,1,1: 1 | f32 1,5: 1 0 0 1 1", "pooled_shape=[1,1]", "bad value: batch index"},
        {"MaxRoiPool", 1, "f32 1,1,1,1: 1 | f32 1,5: 0 0 nan 1 1", "pooled_shape=[1,1]", "bad value: not finite"},
        {"MaxRoiPool", 1, "f32 1,1,1,1: 1 | f32 1,5: 0 0 0 1 1", NULL, "bad model: positive"},
    };
    OP_CASES(rows);
}

Test(generic_places, grids) {
    static const op_case rows[] = {
        {"GridSample", 16, "f32 1,1,2,2: 1 2 3 4 | f32 1,1,3,2: 0 0 -1 -1 1 0", NULL, "f32 1,1,1,3: 2.5 0.25 1.5"},
        {"GridSample", 20, "f32 1,1,2,2: 1 2 3 4 | f32 1,1,3,2: 0 0 -1 -1 1 0", "align_corners=1",
         "f32 1,1,1,3: 2.5 1 3"},
        {"GridSample", 20, "f32 1,1,2,2: 1 2 3 4 | f32 1,1,2,2: -2 -2 2 0", "padding_mode='border'",
         "f32 1,1,1,2: 1 3"},
        {"GridSample", 20, "f32 1,1,1,3: 1 2 4 | f32 1,1,2,2: -1.5 0 2 0", "padding_mode='reflection';align_corners=1",
         "f32 1,1,1,2: 1.5 2"},
        {"GridSample", 20, "f32 1,1,3: 1 2 4 | f32 1,4,1: -1 -0.5 0.9 2", "mode='nearest';align_corners=1",
         "f32 1,1,4: 1 1 4 0"},
        {"GridSample", 16, "f32 1,1,1,4: 1 1 1 1 | f32 1,1,1,2: 0.25 0", "mode='bicubic';padding_mode='border'",
         "f32 1,1,1,1: 1"},
        {"GridSample", 20, "f32 1,1,4: 0 1 2 3 | f32 1,1,1: 0", "mode='cubic';align_corners=1", "f32 1,1,1: 1.5"},
        {"GridSample", 20, "f32 1,1,1,1,2: 1 3 | f32 1,1,1,1,3: 0 0 0", NULL, "f32 1,1,1,1,1: 2"},
        {"GridSample", 20, "f32 1,1,1,1: 1 | f32 1,1,2,2: nan nan 1e30 0", NULL, "f32 1,1,1,2: 0 0"},
        {"GridSample", 20, "f32 1,1,1: 5 | f32 1,1,1: 3", "padding_mode='reflection';align_corners=1", "f32 1,1,1: 5"},
        {"GridSample", 20, "f32 1,1,1,1: 1 | f32 1,1,1,3: 0 0 0", NULL, "bad model: its grid"},
        {"GridSample", 20, "f32 1,1,1,1: 1 | f32 1,1,1,2: 0 0", "mode='bilinear'", "bad model: nearest, linear"},
        {"GridSample", 20, "f32 1,1,1,1: 1 | f32 1,1,1,2: 0 0", "padding_mode='edge'", "bad model: zeros, border"},
        {"AffineGrid", 20, "f32 1,2,3: 1 0 0 0 1 0 | i64 4: 1 1 2 2", NULL,
         "f32 1,2,2,2: -0.5 -0.5 0.5 -0.5 -0.5 0.5 0.5 0.5"},
        {"AffineGrid", 20, "f32 1,2,3: 2 0 1 0 1 0 | i64 4: 1 1 1 2", "align_corners=1", "f32 1,1,2,2: -1 -1 3 -1"},
        {"AffineGrid", 20, "f64 1,3,4: 1 0 0 0 0 1 0 0 0 0 1 5 | i64 5: 1 1 1 1 2", NULL,
         "f64 1,1,1,2,3: -0.5 0 5 0.5 0 5"},
        {"AffineGrid", 20, "f32 1,2,3: 1 0 0 0 1 0 | i64 4: 2 1 2 2", NULL, "bad model: N x 2 x 3"},
        {"AffineGrid", 20, "f32 1,2,3: 1 0 0 0 1 0 | i64 4: 1 1 0 2", NULL, "bad model: N x 2 x 3"},
        {"DeformConv", 19, "f32 1,1,2,2: 1 2 3 4 | f32 1,1,1,1: 2 | f32 1,2,2,2: 0 0 0 0 0 0 0 0 | f32 1: 1", NULL,
         "f32 1,1,2,2: 3 5 7 9"},
        {"DeformConv", 19, "f32 1,1,1,2: 1 2 | f32 1,1,1,1: 1 | f32 1,2,1,2: 0 0.5 0.5 0 | _ | f32 1,1,1,2: 1 0.5",
         NULL, "f32 1,1,1,2: 1.5 0.5"},
        {"DeformConv", 19, "f32 1,1,1,2: 1 2 | f32 1,1,1,1: 1 | f32 1,2,1,1: 0 0", NULL, "bad model: its offsets"},
        {"DeformConv", 19, "f32 1,1,1,1: 1 | f32 1,1,1,1: 1 | f32 1,2,1,1: 0 0 | f32 2: 0 0", NULL, "bad model: bias"},
        {"DeformConv", 19, "f32 1,1,1,1: 1 | f32 1,1,1,1: 1 | f32 1,2,1,1: 0 0 | _ | f32 1,2,1,1: 1 1", NULL,
         "bad model: its mask"},
        {"DeformConv", 19, "f32 1,1,1: 1 | f32 1,1,1: 1 | f32 1,2,1: 0 0", NULL, "unsupported: rank 3"},
        {"DeformConv", 19, "f32 1,1,1,1: 1 | f32 1,1,1,1: 1 | f32 1,2,1,1: 0 0", "group=2", "bad model: do not fit"},
        {"DeformConv", 19, "f32 1,1,1,1: 1 | f32 1,1,1,1: 1 | f32 1,2,1,1: 0 0", "group=0", "bad model: positive"},
    };
    OP_CASES(rows);
}
