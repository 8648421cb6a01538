// SPDX-License-Identifier: Apache-2.0
// Operators that move elements, and those that make tensors of shapes and numbers.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_movers, slices) {
    static const op_case rows[] = {
        {"Slice", 13, "f32 2,3: 1 2 3 4 5 6 | i64 2: 0 1 | i64 2: 1 3", NULL, "f32 1,2: 2 3"},
        {"Slice", 13, "i64 5: 1 2 3 4 5 | i64 1: -2 | i64 1: 99 | i64 1: 0", NULL, "i64 2: 4 5"},
        {"Slice", 13, "u8 5: 1 2 3 4 5 | i64 1: 4 | i64 1: 0 | i64 1: 0 | i64 1: -2", NULL, "u8 2: 5 3"},
        {"Slice", 13, "u8 5: 1 2 3 4 5 | i64 1: 99 | i64 1: -99 | i64 1: 0 | i64 1: -1", NULL, "u8 5: 5 4 3 2 1"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 1: 1 | i64 1: 1", NULL, "u8 0:"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 1: 2 | i64 1: -9223372036854775808 | i64 1: 0 | i64 1: -9223372036854775808",
         NULL, "u8 1: 3"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 1: 0 | i64 1: 9223372036854775807 | i64 1: 0 | i64 1: 9223372036854775807",
         NULL, "u8 1: 1"},
        {"Slice", 9, "f32 2,3: 1 2 3 4 5 6", "starts=[1];ends=[3];axes=[1]", "f32 2,2: 2 3 5 6"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 1: 0 | i64 1: 1 | i64 1: 0 | i64 1: 0", NULL, "bad model: step is 0"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 2: 0 0 | i64 1: 1", NULL, "bad model: starts, ends"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 2: 0 0 | i64 2: 1 1 | i64 2: 0 0", NULL, "bad model: given twice"},
        {"Slice", 13, "u8 3: 1 2 3 | i64 1: 0 | i64 1: 1 | i64 1: 1", NULL, "bad model: axis"},
        {"Slice", 9, "u8 3: 1 2 3", "starts=[1]", "bad model: attributes"},
        {"Slice", 13, "u8 3: 1 2 3", NULL, "bad model: starts and ends"},
    };
    OP_CASES(rows);
}

Test(generic_movers, splits) {
    static const op_case rows[] = {
        {"Split", 13, "f32 4: 1 2 3 4", NULL, "f32 2: 1 2 | f32 2: 3 4"},
        {"Split", 13, "f32 2,3: 1 2 3 4 5 6 | i64 2: 1 2", "axis=-1", "f32 2,1: 1 4 | f32 2,2: 2 3 5 6"},
        {"Split", 18, "f32 5: 1 2 3 4 5", "num_outputs=2", "f32 3: 1 2 3 | f32 2: 4 5"},
        {"Split", 11, "f32 3: 1 2 3", "split=[0,3]", "f32 0: | f32 3: 1 2 3"},
        {"Split", 13, "f32 3: 1 2 3 | i64 2: 1 2", NULL, "bad model: 2 sizes and 1 outputs"},
        {"Split", 13, "f32 3: 1 2 3 | i64 1: 2", NULL, "bad model: do not add up"},
        {"Split", 13, "f32 3: 1 2 3 | i64 1: -3", NULL, "bad model: do not add up"},
        {"Split", 18, "f32 3: 1 2 3", "num_outputs=2", "bad model: num_outputs"},
    };
    OP_CASES(rows);
}

Test(generic_movers, repeats) {
    static const op_case rows[] = {
        {"Expand", 13, "f32 2,1: 1 2 | i64 3: 2 1 2", NULL, "f32 2,2,2: 1 1 2 2 1 1 2 2"},
        {"Expand", 8, "u8 3: 1 2 3 | i64 1: 1", NULL, "u8 3: 1 2 3"},
        {"Expand", 13, "f32 2: 1 2 | i64 1: 3", NULL, "bad model: cannot be stretched"},
        {"Expand", 13, "f32 1: 1 | i64 1: -1", NULL, "bad model: dimension -1"},
        {"Expand", 13, "f32 1: 1 | i64 2: 4611686018427387904 4", NULL, "too large: tensor_bytes"},
        {"Tile", 13, "u8 2,2: 1 2 3 4 | i64 2: 2 2", NULL, "u8 4,4: 1 2 1 2 3 4 3 4 1 2 1 2 3 4 3 4"},
        {"Tile", 13, "f32 2: 1 2 | i64 1: 0", NULL, "f32 0:"},
        {"Tile", 13, "f32 2: 1 2 | i64 2: 1 1", NULL, "bad model: 2 repeats"},
        {"Tile", 13, "f32 2: 1 2 | i64 1: 9223372036854775807", NULL, "too large: cannot be repeated"},
        {"Tile", 13, "f32 2: 1 2 | i64 1: -1", NULL, "bad model: cannot be repeated"},
    };
    OP_CASES(rows);
}

Test(generic_movers, blocks_of_pixels) {
    static const op_case rows[] = {
        {"DepthToSpace", 13, "f32 1,8,1,1: 0 1 2 3 4 5 6 7", "blocksize=2", "f32 1,2,2,2: 0 2 4 6 1 3 5 7"},
        {"DepthToSpace", 13, "f32 1,8,1,1: 0 1 2 3 4 5 6 7", "blocksize=2;mode='CRD'", "f32 1,2,2,2: 0 1 2 3 4 5 6 7"},
        {"SpaceToDepth", 13, "f32 1,2,2,2: 0 2 4 6 1 3 5 7", "blocksize=2", "f32 1,8,1,1: 0 1 2 3 4 5 6 7"},
        {"DepthToSpace", 13, "f32 1,3,1,1: 0 1 2", "blocksize=2", "bad model: no multiple"},
        {"DepthToSpace", 13, "f32 1,4,1,1: 0 1 2 3", NULL, "bad model: blocksize"},
        {"DepthToSpace", 13, "f32 1,4,1,1: 0 1 2 3", "blocksize=2;mode='X'", "bad model: mode"},
        {"SpaceToDepth", 13, "f32 1,1,2,1: 0 1", "blocksize=2", "bad model: no multiple"},
        {"SpaceToDepth", 13, "f32 2,2: 0 1 2 3", "blocksize=2", "bad model: rank 2"},
    };
    OP_CASES(rows);
}

Test(generic_movers, gathering) {
    static const op_case rows[] = {
        {"Gather", 13, "f32 3,2: 1 2 3 4 5 6 | i64 2: 2 -3", NULL, "f32 2,2: 5 6 1 2"},
        {"Gather", 13, "f32 2,3: 1 2 3 4 5 6 | i32 : 1", "axis=1", "f32 2: 2 5"},
        {"Gather", 13, "f32 3: 1 2 3 | i64 1: 3", NULL, "bad value: index"},
        {"Gather", 13, "f32 3: 1 2 3 | f32 1: 1", NULL, "unsupported: input 1 is FP32"},
        {"GatherElements", 13, "f32 2,2: 1 2 3 4 | i64 2,2: 0 0 1 -2", "axis=1", "f32 2,2: 1 1 4 3"},
        {"GatherElements", 13, "f32 2: 1 2 | i64 1: 2", NULL, "bad value: index"},
        {"GatherND", 13, "f32 2,2: 1 2 3 4 | i64 2,2: 0 1 1 -2", NULL, "f32 2: 2 3"},
        {"GatherND", 13, "f32 2,2: 1 2 3 4 | i64 1,1: 1", NULL, "f32 1,2: 3 4"},
        {"GatherND", 13, "f32 2,2,1: 1 2 3 4 | i64 2,1: 1 0", "batch_dims=1", "f32 2,1: 2 3"},
        {"GatherND", 13, "f32 2,2: 1 2 3 4 | i64 1,3: 0 0 0", NULL, "bad model: do not fit"},
        {"GatherND", 13, "f32 2,2: 1 2 3 4 | i64 1,2: 0 2", NULL, "bad value: index"},
    };
    OP_CASES(rows);
}

Test(generic_movers, shapes_and_numbers) {
    static const op_case rows[] = {
        {"Shape", 13, "f32 2,3: 1 2 3 4 5 6", NULL, "i64 2: 2 3"},
        {"Shape", 15, "u8 2,1,3: 1 2 3 4 5 6", "start=1;end=-1", "i64 1: 1"},
        {"Shape", 15, "u8 2,3: 1 2 3 4 5 6", "start=5", "i64 0:"},
        {"Shape", 15, "f32 : 1", NULL, "i64 0:"},
        {"Size", 13, "f32 2,3: 1 2 3 4 5 6", NULL, "i64 : 6"},
        {"ConstantOfShape", 9, "i64 2: 2 2", "value=i32 1: 7", "i32 2,2: 7 7 7 7"},
        {"ConstantOfShape", 9, "i64 1: 2", NULL, "f32 2: 0 0"},
        {"ConstantOfShape", 9, "i64 1: 0", NULL, "f32 0:"},
        {"ConstantOfShape", 9, "i64 0:", NULL, "f32 : 0"},
        {"ConstantOfShape", 9, "i64 1: -1", NULL, "bad model: dimension -1"},
        {"ConstantOfShape", 9, "i64 3: 2097152 2097152 2097152", NULL, "too large: tensor_bytes"},
        {"Range", 11, "i64 : 3 | i64 : 9 | i64 : 3", NULL, "i64 2: 3 6"},
        {"Range", 11, "i32 : 10 | i32 : 6 | i32 : -3", NULL, "i32 2: 10 7"},
        {"Range", 11, "f32 : 1 | f32 : 2 | f32 : 0.5", NULL, "f32 2: 1 1.5"},
        {"Range", 11, "i64 : 5 | i64 : 1 | i64 : 1", NULL, "i64 0:"},
        {"Range", 11, "i64 : 1 | i64 : 5 | i64 : 0", NULL, "bad model: range"},
        {"Range", 11, "i64 : 0 | i64 : 9223372036854775807 | i64 : 1", NULL, "bad model: range"},
        {"Range", 11, "i64 : 0 | i64 : 9007199254740992 | i64 : 1", NULL, "too large: tensor_bytes"},
        {"Concat", 13, "i64 2: 1 2 | i64 0: | i64 1: 3", "axis=0", "i64 3: 1 2 3"},
        {"Transpose", 13, "bool 2,2: 1 1 0 0", NULL, "bool 2,2: 1 0 1 0"},
        {"Reshape", 14, "f32 0,2: | i64 2: 0 -1", NULL, "bad model: elements"},
        {"Reshape", 14, "f32 0,3,4: | i64 3: 3 4 0", "allowzero=1", "f32 3,4,0:"},
        {"Identity", 13, "f16 2: 1 2", NULL, "f16 2: 1 2"},
        {"Flatten", 13, "u8 2,1,2: 1 2 3 4", NULL, "u8 2,2: 1 2 3 4"},
    };
    OP_CASES(rows);
}
