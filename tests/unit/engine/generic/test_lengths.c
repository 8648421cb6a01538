// SPDX-License-Identifier: Apache-2.0
// Operators whose outputs are as long as values make them.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_lengths, boxes_that_stay) {
    static const op_case rows[] = {
        // The second box overlaps the first by 9 of 11 tenths; the third stands apart.
        {"NonMaxSuppression", 11,
         "f32 1,3,4: 0 0 1 1  0 0.1 1 1.1  0 10 1 11 | f32 1,1,3: 0.9 0.75 0.6 | i64 1: 3 | f32 1: 0.5", NULL,
         "i64 2,3: 0 0 0  0 0 2"},
        {"NonMaxSuppression", 11,
         "f32 1,3,4: 0 0 1 1  0 0.1 1 1.1  0 10 1 11 | f32 1,1,3: 0.9 0.75 0.6 | i64 1: 3 | f32 1: 0.9", NULL,
         "i64 3,3: 0 0 0  0 0 1  0 0 2"},
        // Corners in any order, the best score first, of equal scores the first box.
        {"NonMaxSuppression", 11,
         "f32 1,4,4: 1 1 0 0  1 1.1 0 0.1  1 10 0 11  1 20 0 21 | f32 1,1,4: 0.5 0.75 0.6 0.6 | i64 : 9 | f32 : 0.5",
         NULL, "i64 3,3: 0 0 1  0 0 2  0 0 3"},
        // The threshold of scores must be exceeded; the number of boxes is for a class of a batch.
        {"NonMaxSuppression", 10,
         "f32 1,3,4: 0 0 1 1  0 5 1 6  0 10 1 11 | f32 1,2,3: 0.9 0.5 0.25  0.25 0.5 0.75 | i64 1: 1 | f32 1: 0.5 | "
         "f32 1: 0.25",
         NULL, "i64 2,3: 0 0 0  0 1 2"},
        {"NonMaxSuppression", 11,
         "f32 2,2,4: 0 0 1 1  0 5 1 6  0 0 1 1  0 0 1 1 | f32 2,1,2: 0.5 0.9  0.5 0.5 | i64 1: 2 | _ | f32 1: 0.5",
         NULL, "i64 1,3: 0 0 1"},
        {"NonMaxSuppression", 11,
         "f32 2,2,4: 0 0 1 1  0 5 1 6  0 0 1 1  0 0 1 1 | f32 2,1,2: 0.5 0.9  0.5 0.5 | i64 1: 2", NULL,
         "i64 3,3: 0 0 1  0 0 0  1 0 0"},
        // Centre and size.
        {"NonMaxSuppression", 11,
         "f32 1,3,4: 0.5 0.5 1 1  0.5 0.6 1 1  10.5 0.5 1 1 | f32 1,1,3: 0.9 0.95 0.6 | i64 1: 3 | f32 1: 0.5",
         "center_point_box=1", "i64 2,3: 0 0 1  0 0 2"},
        // None: no number, 0, less than 0.
        {"NonMaxSuppression", 11, "f32 1,1,4: 0 0 1 1 | f32 1,1,1: 1", NULL, "i64 0,3:"},
        {"NonMaxSuppression", 11, "f32 1,1,4: 0 0 1 1 | f32 1,1,1: 1 | i64 1: -4", NULL, "i64 0,3:"},
        {"NonMaxSuppression", 11, "f32 1,1,4: 0 0 1 1 | f32 1,1,1: 1 | i64 0:", NULL, "i64 0,3:"},
        {"NonMaxSuppression", 11, "f32 1,2,4: 0 0 1 1 0 2 1 3 | f32 1,1,2: nan nan | i64 1: 2", NULL, "i64 0,3:"},
        {"NonMaxSuppression", 11, "f32 1,2,3: 0 0 1 1 0 2 | f32 1,1,2: 1 1", NULL, "bad model: batches x boxes x 4"},
        {"NonMaxSuppression", 11, "f32 1,1,4: 0 0 1 1 | f32 1,1,2: 1 1", NULL, "bad model: batches x classes"},
        {"NonMaxSuppression", 11, "f32 1,1,4: 0 0 1 1 | f32 1,1,1: 1 | i64 2: 1 1", NULL, "bad model: one number"},
        {"NonMaxSuppression", 11, "f64 1,1,4: 0 0 1 1 | f32 1,1,1: 1", NULL, "unsupported: FP32"},
        {"NonMaxSuppression", 11, "f32 1,1,4: 0 0 1 1 | f32 1,1,1: 1", "center_point_box=2", "bad model: 0 or 1"},
    };
    OP_CASES(rows);
}

Test(generic_lengths, elements_that_are_not_zero) {
    static const op_case rows[] = {
        {"NonZero", 13, "bool 2,2: 1 0 1 1", NULL, "i64 2,3: 0 1 1  0 0 1"},
        {"NonZero", 9, "f32 2,3: 0 0 nan 0.5 0 -1", NULL, "i64 2,3: 0 1 1  2 0 2"},
        {"NonZero", 13, "i64 3: 0 0 0", NULL, "i64 1,0:"},
        {"NonZero", 13, "u8 3: 1 2 3", NULL, "i64 1,3: 0 1 2"},
        {"NonZero", 13, "i32 2,0:", NULL, "i64 2,0:"},
        {"NonZero", 13, "f16 : 2", NULL, "i64 0,1:"},
        {"NonZero", 13, "f16 : 0", NULL, "i64 0,0:"},
    };
    OP_CASES(rows);
}

Test(generic_lengths, elements_that_a_condition_takes) {
    static const op_case rows[] = {
        {"Compress", 11, "f32 3,2: 1 2 3 4 5 6 | bool 3: 0 1 1", "axis=0", "f32 2,2: 3 4 5 6"},
        {"Compress", 9, "f32 3,2: 1 2 3 4 5 6 | bool 2: 0 1", "axis=1", "f32 3,1: 2 4 6"},
        {"Compress", 11, "i64 3,2: 1 2 3 4 5 6 | bool 5: 0 1 0 0 1", NULL, "i64 2: 2 5"},
        {"Compress", 11, "u8 2,2: 1 2 3 4 | bool 2: 1 0", "axis=-1", "u8 2,1: 1 3"},
        {"Compress", 11, "u8 2,2: 1 2 3 4 | bool 2: 0 0", "axis=-1", "u8 2,0:"},
        {"Compress", 11, "u8 2,0: | bool 2: 0 1", "axis=0", "u8 1,0:"},
        {"Compress", 11, "u8 2: 1 2 | bool 3: 1 1 1", NULL, "bad model: at most the 2 elements"},
        {"Compress", 11, "u8 2: 1 2 | bool 1,1: 1", NULL, "bad model: must be a list"},
        {"Compress", 11, "u8 2: 1 2 | i64 1: 1", NULL, "unsupported: BOOL"},
        {"Compress", 11, "u8 2: 1 2 | bool 1: 1", "axis=1", "bad model: axis"},
    };
    OP_CASES(rows);
}

Test(generic_lengths, elements_that_differ) {
    static const op_case rows[] = {
        {"Unique", 11, "f32 6: 2 1 1 3 4 3", NULL,
         "f32 4: 1 2 3 4 | i64 4: 1 0 3 4 | i64 6: 1 0 0 2 3 2 | i64 4: 2 1 2 1"},
        {"Unique", 11, "f32 6: 2 1 1 3 4 3", "sorted=0",
         "f32 4: 2 1 3 4 | i64 4: 0 1 3 4 | i64 6: 0 1 1 2 3 2 | i64 4: 1 2 2 1"},
        {"Unique", 11, "f32 3,3: 1 0 0 1 0 0 2 3 4", "axis=0",
         "f32 2,3: 1 0 0 2 3 4 | i64 2: 0 2 | i64 3: 0 0 1 | i64 2: 2 1"},
        {"Unique", 11, "i64 2,4: 1 0 1 0  2 1 2 9223372036854775807", "axis=-1",
         "i64 2,3: 0 0 1  1 9223372036854775807 2"},
        {"Unique", 11, "u8 2,2: 3 1 3 1", NULL, "u8 2: 1 3"},
        {"Unique", 11, "u8 0:", NULL, "u8 0: | i64 0: | i64 0: | i64 0:"},
        {"Unique", 11, "u8 3,0:", "axis=0", "u8 1,0: | i64 1: 0 | i64 3: 0 0 0 | i64 1: 3"},
        {"Unique", 11, "u8 2: 1 2", "axis=1", "bad model: axis"},
    };
    OP_CASES(rows);
}
