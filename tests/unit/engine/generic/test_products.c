// SPDX-License-Identifier: Apache-2.0
// Sums of products by an equation, determinants, transforms, window functions and losses.
#include "tests/unit/engine/generic/op_case.h"

#include <criterion/criterion.h>

Test(generic_products, equations) {
    static const op_case rows[] = {
        {"Einsum", 12, "f32 2,2: 1 2 3 4 | f32 2,2: 5 6 7 8", "equation='ij,jk->ik'", "f32 2,2: 19 22 43 50"},
        {"Einsum", 12, "f32 2,3: 1 2 3 4 5 6", "equation='ij->ji'", "f32 3,2: 1 4 2 5 3 6"},
        {"Einsum", 12, "f64 2,2: 1 2 3 4", "equation='ii'", "f64 : 5"},
        {"Einsum", 12, "f32 2,2: 1 2 3 4", "equation='ii->i'", "f32 2: 1 4"},
        {"Einsum", 12, "i64 3: 1 2 3 | i64 3: 4 5 6", "equation='i,i'", "i64 : 32"},
        {"Einsum", 12, "f32 2,1,2: 1 2 3 4 | f32 2,2: 1 0 0 2", "equation='...ij, ...jk -> ...ik'",
         "f32 2,1,2: 1 4 3 8"},
        {"Einsum", 12, "f32 2,2: 1 2 3 4", "equation='... j -> ...'", "f32 2: 3 7"},
        {"Einsum", 12, "f32 2,1: 1 2 | f32 1,2: 3 4", "equation='...,...'", "f32 2,2: 3 4 6 8"},
        {"Einsum", 12, "f32 2: 1 2 | f32 2: 3 4 | f32 2: 5 6", "equation='i,j,i->j'", "f32 2: 51 68"},
        {"Einsum", 12, "f32 2: 1 2 | f32 2: 3 4", "equation='ba'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2", "equation='i->j'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2", "equation='i->ii'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2", "equation='ij->i'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2", "equation='ijk...->i'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2", "equation='1->1'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2 | f32 3: 1 2 3", "equation='i,i->i'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2 | f32 1: 1", "equation='i,i->i'", "bad model: does not fit"},
        {"Einsum", 12, "f32 2: 1 2 | f64 2: 1 2", "equation='i,i->i'", "bad model: one type"},
        {"Det", 11, "f32 2,2: 0 1 2 3", NULL, "f32 : -2"},
        {"Det", 22, "f64 2,2,2: 1 2 3 4 1 2 2 4", NULL, "f64 2: -2 0"},
        {"Det", 11, "f32 3,3: 2 0 1 1 3 2 1 1 1", NULL, "f32 : 0"},
        {"Det", 11, "f32 2,3: 0 1 2 3 4 5", NULL, "bad model: square"},
    };
    OP_CASES(rows);
}

Test(generic_products, transforms) {
    static const op_case rows[] = {
        {"DFT", 17, "f32 1,4,1: 1 2 3 4", NULL, "f32 1,4,2: 10 0 -2 2 -2 0 -2 -2"},
        {"DFT", 17, "f32 1,4,1: 1 2 3 4", "onesided=1", "f32 1,3,2: 10 0 -2 2 -2 0"},
        {"DFT", 20, "f32 1,4,2: 10 0 -2 2 -2 0 -2 -2", "inverse=1", "f32 1,4,2: 1 0 2 0 3 0 4 0"},
        {"DFT", 20, "f32 1,3,2: 10 0 -2 2 -2 0", "inverse=1;onesided=1", "f32 1,4,1: 1 2 3 4"},
        {"DFT", 17, "f32 1,3,2: 10 0 -2 2 -2 0", "inverse=1;onesided=1", "f32 1,4,1: 1 2 3 4"},
        {"DFT", 20, "f32 2,2: 6 0 -1.5 0.866025 | i64 : 3", "inverse=1;onesided=1", "f32 3,1: 1 2 3"},
        {"DFT", 20, "f32 2,2: 6 0 -1.5 0.866025 | i64 : 1", "inverse=1;onesided=1", "f32 1,1: 6"},
        {"DFT", 20, "f32 2,1: 6 0", "inverse=1;onesided=1", "bad model: complex"},
        {"DFT", 20, "f32 1,2: 6 0", "inverse=1;onesided=1", "bad model: must be positive"},
        {"DFT", 20, "f64 2,2,1: 1 2 3 4 | _ | i64 : 0", NULL, "f64 2,2,2: 4 0 6 0 -2 0 -2 0"},
        {"DFT", 20, "f32 2,1: 1 2 | i64 : 4", NULL, "f32 4,2: 3 0 1 -2 -1 0 1 2"},
        {"DFT", 20, "f32 3,1: 1 2 9 | i64 : 2", NULL, "f32 2,2: 3 0 -1 0"},
        {"DFT", 20, "f32 2,3: 1 2 3 4 5 6", NULL, "bad model: 1 or 2"},
        {"DFT", 20, "f32 2,1: 1 2 | i64 : 0", NULL, "bad model: must be positive"},
        {"DFT", 20, "f32 2,1: 1 2 | i64 2: 1 1", NULL, "bad model: at most 1"},
        {"DFT", 17, "f32 2,1: 1 2", "axis=1", "bad model: real and imaginary"},
        {"DFT", 17, "f32 2,1: 1 2", "axis=2", "bad model: axis"},
        {"STFT", 17, "f32 1,4,1: 1 2 3 4 | i64 : 2 | f32 2: 1 1", NULL, "f32 1,2,2,2: 3 0 -1 0 7 0 -1 0"},
        {"STFT", 17, "f32 1,3,1: 1 2 3 | i64 : 1 | f32 2: 2 0 | i64 : 2", "onesided=0", "f32 1,2,2,2: 2 0 2 0 4 0 4 0"},
        {"STFT", 17, "f32 1,4,1: 1 2 3 4 | i64 : 2 | _ | i64 : 2", NULL, "f32 1,2,2,2: 3 0 -1 0 7 0 -1 0"},
        {"STFT", 17, "f32 1,4,1: 1 2 3 4 | i64 : 0", NULL, "bad model: frame_step"},
        {"STFT", 17, "f32 1,4,1: 1 2 3 4 | i64 : 1 | _ | i64 : 5", NULL, "bad model: frame_step"},
        {"STFT", 17, "f32 4,1: 1 2 3 4 | i64 : 1", NULL, "bad model: rank 2, not 3"},
    };
    OP_CASES(rows);
}

Test(generic_products, window_functions) {
    static const op_case rows[] = {
        {"HannWindow", 17, "i64 : 4", NULL, "f32 4: 0 0.5 1 0.5"},
        {"HannWindow", 17, "i32 : 3", "periodic=0;output_datatype=11", "f64 3: 0 1 0"},
        {"HammingWindow", 17, "i64 : 2", NULL, "f32 2: 0.0869565 1"},
        {"BlackmanWindow", 17, "i64 : 4", NULL, "f32 4: 0 0.34 1 0.34"},
        {"HannWindow", 17, "i64 : 1", "periodic=0", "f32 1: 0"},
        {"HannWindow", 17, "i64 : 0", NULL, "f32 0:"},
        {"HannWindow", 17, "i64 : -1", NULL, "bad model: from 0 on"},
        {"HannWindow", 17, "i64 : 1", "output_datatype=8", "unsupported: STRING"},
        {"MelWeightMatrix", 17, "i64 : 2 | i64 : 8 | i64 : 8000 | f32 : 0 | f32 : 4000", NULL,
         "f32 5,2: 1 0 0 1 0 0 0 0 0 0"},
        {"MelWeightMatrix", 17, "i64 : 2 | i64 : 0 | i64 : 8000 | f32 : 0 | f32 : 4000", NULL, "bad model: input 1"},
    };
    OP_CASES(rows);
}

Test(generic_products, losses) {
    static const op_case rows[] = {
        {"NegativeLogLikelihoodLoss", 13, "f32 2,2: -1 -2 -3 -4 | i64 2: 0 1", NULL, "f32 : 2.5"},
        {"NegativeLogLikelihoodLoss", 12, "f32 2,2: -1 -2 -3 -4 | i32 2: 0 1 | f32 2: 3 1", NULL, "f32 : 1.75"},
        {"NegativeLogLikelihoodLoss", 22, "f32 1,2,2: -1 -2 -3 -4 | i64 1,2: 1 0", "reduction='none'", "f32 1,2: 3 2"},
        {"NegativeLogLikelihoodLoss", 13, "f32 2,2: -1 -2 -3 -4 | i64 2: 0 -9 | f32 2: 2 1",
         "reduction='sum';ignore_index=-9", "f32 : 2"},
        {"NegativeLogLikelihoodLoss", 13, "f32 1,2: -1 -2 | i64 1: 2", NULL, "bad value: not one of the classes"},
        {"NegativeLogLikelihoodLoss", 13, "f32 1,2: -1 -2 | i64 2: 0 0", NULL, "bad model: targets batch"},
        {"NegativeLogLikelihoodLoss", 13, "f32 1,2: -1 -2 | i64 1: 0 | f32 1: 1", NULL,
         "bad model: as many as classes"},
        {"NegativeLogLikelihoodLoss", 13, "f32 1,2: -1 -2 | i64 1: 0", "reduction='max'",
         "bad model: none, sum or mean"},
        {"SoftmaxCrossEntropyLoss", 13, "f32 1,2: 0 0 | i64 1: 1", NULL,
         "f32 : 0.6931472 | f32 1,2: -0.6931472 -0.6931472"},
        {"SoftmaxCrossEntropyLoss", 12, "f64 2,2: 0 0 1000 0 | i32 2: 0 0 | f64 2: 2 1", "reduction='none'",
         "f64 2: 1.3862944 0"},
        {"SoftmaxCrossEntropyLoss", 13, "f32 2,2: 0 0 1 1 | i64 2: 0 7", "ignore_index=7", "f32 : 0.6931472"},
    };
    OP_CASES(rows);
}
