// SPDX-License-Identifier: Apache-2.0
// What every operator computes, against the double-precision reference: in the model's own order and in panels, with
// and without passes, in the plain tier and the best one. Sizes are such that maps have more than one panel, the last
// one partly filled, and flat tensors more than one tile.
#include "tests/unit/engine/ops/op_model.h"

#include <criterion/criterion.h>
#include <string.h>

// Sums of dozens of products with both signs lose more than the others.
static double tolerance(const op_model *m) {
    bool is_product = strcmp(m->op, "Conv") == 0 || strcmp(m->op, "Gemm") == 0 || strcmp(m->op, "MatMul") == 0;
    return is_product ? 1e-5 : 2e-6;
}

static void check(const op_model *m) {
    static const dsc_isa tiers[] = {DSC_ISA_REF, DSC_ISA_BEST};
    for (int i = 0; i < 4; i++) {
        dsc_error err = {0};
        uint32_t passes = i & 1 ? DSC_PASSES_ALL : 0;
        double difference = op_model_difference(m, passes, tiers[i / 2], &err);
        cr_expect(difference >= 0 && difference <= tolerance(m), "%s-%d(%s) %s, %s, passes %x, tier %d: %g %s", m->op,
                  m->opset, m->inputs, m->attrs, m->is_in_panels ? "panels" : "flat", passes, i / 2, difference,
                  err.text);
    }
}

// Each row both flat and behind a convolution, where its maps are held in panels.
static void check_both(const op_model *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        op_model m = rows[i];
        check(&m);
        m.is_in_panels = true;
        check(&m);
    }
}
#define CHECK(rows) check_both(rows, sizeof(rows) / sizeof *(rows))

Test(ops_values, activations) {
    static const op_model rows[] = {
        {.op = "Relu", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "Relu", .opset = 13, .inputs = ""},
        {.op = "Relu", .opset = 13, .inputs = "3,40,50,11"}, // several tiles
        {.op = "Clip", .opset = 10, .inputs = "2,24,9,7", .attrs = "min=-1.0;max=1.5"},
        {.op = "Clip", .opset = 13, .inputs = "2,24,9,7|n -1.0|n 1.5"},
        {.op = "Clip", .opset = 13, .inputs = "2,24,9,7|_|n 0.5"},
        {.op = "Clip", .opset = 13, .inputs = "2,24,9,7||n 2.5"},
        {.op = "Clip", .opset = 13, .inputs = "2,24,9,7|n 2.0|n 1.0"}, // the upper bound wins
        {.op = "HardSigmoid", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "HardSigmoid", .opset = 13, .inputs = "1,16,4,4", .attrs = "alpha=0.16666667;beta=0.5"},
        {.op = "HardSwish", .opset = 14, .inputs = "2,24,9,7"},
        {.op = "Sigmoid", .opset = 13, .inputs = "2,24,9,7"},
    };
    CHECK(rows);
}

Test(ops_values, arithmetic) {
    static const op_model rows[] = {
        {.op = "Add", .opset = 13, .inputs = "2,24,9,7|2,24,9,7"},
        {.op = "Mul", .opset = 13, .inputs = "2,24,9,7|2,24,9,7"},
        {.op = "Sub", .opset = 13, .inputs = "2,24,9,7|2,24,9,7"},
        {.op = "Div", .opset = 13, .inputs = "2,24,9,7|w 2,24,9,7"},
        {.op = "Mul", .opset = 13, .inputs = "2,24,9,7|2,24,1,1"},
        {.op = "Mul", .opset = 13, .inputs = "2,24,1,1|2,24,9,7"},
        {.op = "Mul", .opset = 13, .inputs = "2,24,9,7|1,24,1,1"},
        {.op = "Mul", .opset = 13, .inputs = "1,24,9,7|2,24,1,1"}, // the map is stretched, too
        {.op = "Add", .opset = 13, .inputs = "2,24,9,7|2,24,1,1"},
        {.op = "Add", .opset = 13, .inputs = "2,24,9,7|w 24,1,1"},
        {.op = "Mul", .opset = 13, .inputs = "w 1,24,1,1|2,24,9,7"},
        {.op = "Add", .opset = 13, .inputs = "2,24,9,7|n 3.0"},
        {.op = "Mul", .opset = 13, .inputs = "n 0.1666|2,24,9,7"},
        {.op = "Sub", .opset = 13, .inputs = "2,24,9,7|n 3.0"},
        {.op = "Sub", .opset = 13, .inputs = "n 3.0|2,24,9,7"},
        {.op = "Div", .opset = 13, .inputs = "2,24,9,7|n 6.0"},
        {.op = "Div", .opset = 13, .inputs = "n 6.0|w 2,24,9,7"},
        {.op = "Add", .opset = 13, .inputs = "2,24,9,7|"},
        {.op = "Add", .opset = 13, .inputs = "2,24,9,7|9,1"},
        {.op = "Mul", .opset = 13, .inputs = "2,24,9,7|7"},
        {.op = "Mul", .opset = 13, .inputs = "3,1,5,1|1,4,1,6"},
        {.op = "Add", .opset = 13, .inputs = "2,1,3,1,2,1|4,3,2,2,1"},
        {.op = "Mul", .opset = 13, .inputs = "40,50,30|50,1"}, // several tiles
    };
    CHECK(rows);
}

Test(ops_values, batchnorm) {
    static const op_model rows[] = {
        {.op = "BatchNormalization", .opset = 15, .inputs = "2,24,9,7|w 24|w 24|w 24|w 24"},
        {.op = "BatchNormalization", .opset = 15, .inputs = "2,24,9,7|24|24|24|w 24", .attrs = "epsilon=0.1"},
        {.op = "BatchNormalization", .opset = 9, .inputs = "5,24|w 24|w 24|w 24|w 24"},
        {.op = "BatchNormalization", .opset = 9, .inputs = "2,3,4,5,6|w 3|w 3|w 3|w 3"},
    };
    CHECK(rows);
}

Test(ops_values, pools) {
    static const op_model rows[] = {
        {.op = "MaxPool",
         .opset = 12,
         .inputs = "2,24,9,7",
         .attrs = "kernel_shape=[3,3];strides=[2,2];pads=[1,1,1,1]"},
        {.op = "MaxPool",
         .opset = 12,
         .inputs = "2,24,9,7",
         .attrs = "kernel_shape=[2,3];dilations=[3,2];strides=[1,2]"},
        {.op = "MaxPool", .opset = 12, .inputs = "1,3,8,8", .attrs = "kernel_shape=[3,3];strides=[2,2];ceil_mode=1"},
        {.op = "MaxPool",
         .opset = 12,
         .inputs = "1,3,8,8",
         .attrs = "kernel_shape=[3,3];strides=[2,2];auto_pad='SAME_UPPER'"},
        {.op = "AveragePool",
         .opset = 11,
         .inputs = "2,24,9,7",
         .attrs = "kernel_shape=[3,3];strides=[2,2];pads=[1,0,1,2]"},
        {.op = "AveragePool",
         .opset = 11,
         .inputs = "2,24,9,7",
         .attrs = "kernel_shape=[3,3];strides=[2,2];pads=[1,0,1,2];count_include_pad=1"},
        {.op = "AveragePool",
         .opset = 11,
         .inputs = "1,5,8,8",
         .attrs = "kernel_shape=[3,3];strides=[2,2];pads=[1,1,0,0];ceil_mode=1;count_include_pad=1"},
        {.op = "AveragePool", .opset = 19, .inputs = "1,5,9,8", .attrs = "kernel_shape=[2,3];dilations=[2,2]"},
        {.op = "AveragePool", .opset = 11, .inputs = "1,5,9,8", .attrs = "kernel_shape=[2,2];auto_pad='SAME_LOWER'"},
        {.op = "GlobalAveragePool", .opset = 9, .inputs = "2,24,9,7"},
        {.op = "GlobalAveragePool", .opset = 9, .inputs = "2,24,30"},
        {.op = "GlobalMaxPool", .opset = 9, .inputs = "2,24,9,7"},
        {.op = "ReduceMean", .opset = 13, .inputs = "2,24,9,7", .attrs = "axes=[2,3]"},
        {.op = "ReduceMean", .opset = 13, .inputs = "2,24,9,7", .attrs = "axes=[2,3];keepdims=0"},
        {.op = "ReduceMean", .opset = 13, .inputs = "2,24,9,7", .attrs = "axes=[1,3];keepdims=0"},
        {.op = "ReduceMean", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "ReduceMean", .opset = 18, .inputs = "30,40,50|= 1"},
        {.op = "ReduceMean", .opset = 18, .inputs = "2,24,9,7|=", .attrs = "noop_with_empty_axes=1"},
    };
    CHECK(rows);
}

Test(ops_values, matrices) {
    static const op_model rows[] = {
        {.op = "Gemm", .opset = 13, .inputs = "1,70|w 70,50|w 50"},
        {.op = "Gemm", .opset = 13, .inputs = "1,70|w 48,70|w 48", .attrs = "transB=1;alpha=0.5;beta=2.0"},
        {.op = "Gemm", .opset = 13, .inputs = "70,90|w 33,90|n 1.5", .attrs = "transB=1;beta=0.25"},
        {.op = "Gemm", .opset = 13, .inputs = "5,70|w 70,50|w 5,1"},
        {.op = "Gemm", .opset = 13, .inputs = "5,70|w 70,50|w 5,50", .attrs = "alpha=0.5;beta=0.5"},
        {.op = "Gemm", .opset = 13, .inputs = "5,70|70,50|1,50"},
        {.op = "Gemm", .opset = 13, .inputs = "70,5|w 50,70", .attrs = "transA=1;transB=1"},
        {.op = "Gemm", .opset = 13, .inputs = "70,5|50,70|5,50", .attrs = "transA=1;transB=1;alpha=2.0"},
        {.op = "Gemm", .opset = 13, .inputs = "1,20|w 20,1|w 1"},
        {.op = "MatMul", .opset = 13, .inputs = "1,70|w 70,50"},
        {.op = "MatMul", .opset = 13, .inputs = "3,4,5,20|w 20,17"},
        {.op = "MatMul", .opset = 13, .inputs = "20|w 20,17"},
        {.op = "MatMul", .opset = 13, .inputs = "4,20|w 20"},
        {.op = "MatMul", .opset = 13, .inputs = "20|w 20"},
        {.op = "MatMul", .opset = 13, .inputs = "3,1,5,20|4,20,7"},
        {.op = "MatMul", .opset = 13, .inputs = "20|3,20,7"},
        {.op = "MatMul", .opset = 13, .inputs = "w 2,6,20|20,7"},
    };
    CHECK(rows);
}

Test(ops_values, movers) {
    static const op_model rows[] = {
        {.op = "Transpose", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "Transpose", .opset = 13, .inputs = "2,24,9,7", .attrs = "perm=[0,2,3,1]"},
        {.op = "Transpose", .opset = 13, .inputs = "2,9,7,24", .attrs = "perm=[0,3,1,2]"},
        {.op = "Transpose", .opset = 13, .inputs = "30,40,50", .attrs = "perm=[1,0,2]"},
        {.op = "Concat", .opset = 13, .inputs = "2,24,9,7|2,16,9,7", .attrs = "axis=1"},
        {.op = "Concat", .opset = 13, .inputs = "2,16,9,7|2,32,9,7|2,5,9,7", .attrs = "axis=1"}, // whole panels
        {.op = "Concat", .opset = 13, .inputs = "2,16,9,7|2,16,9,3", .attrs = "axis=3"},
        {.op = "Concat", .opset = 13, .inputs = "2,3,4|1,3,4|w 2,3,4", .attrs = "axis=0"},
        {.op = "Softmax", .opset = 13, .inputs = "5,70"},
        {.op = "Softmax", .opset = 13, .inputs = "2,24,9,7", .attrs = "axis=1"},
        {.op = "Softmax", .opset = 11, .inputs = "2,24,9,7", .attrs = "axis=2"},
        {.op = "Softmax", .opset = 9, .inputs = "2,24,9,7"},
        {.op = "Pad", .opset = 13, .inputs = "2,24,9,7|= 0,0,1,2,0,0,3,0|n 0.5"},
        {.op = "Pad", .opset = 13, .inputs = "2,24,9,7|= 0,0,1,2,0,0,3,0"},
        {.op = "Pad", .opset = 13, .inputs = "2,24,9,7|= 0,0,-1,2,0,0,3,-2"},
        {.op = "Pad", .opset = 13, .inputs = "2,24,9,7|= 0,0,8,2,0,0,3,6", .attrs = "mode='reflect'"},
        {.op = "Pad", .opset = 13, .inputs = "2,24,9,7|= 0,0,1,12,0,0,3,0", .attrs = "mode='edge'"},
        {.op = "Pad", .opset = 19, .inputs = "2,24,9,7|= 0,0,1,16,0,0,3,8", .attrs = "mode='wrap'"},
        {.op = "Pad", .opset = 13, .inputs = "2,24,9,7|= 1,2,3,4,0,1,2,3|n -1.0"},
        {.op = "Pad", .opset = 18, .inputs = "3,4,5|= 1,2|_|= 1", .attrs = "mode='reflect'"},
        {.op = "Reshape", .opset = 13, .inputs = "2,24,9,7|= 0,-1"},
        {.op = "Reshape", .opset = 13, .inputs = "2,24,9,7|= 2,9,24,7"},
        {.op = "Flatten", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "Flatten", .opset = 13, .inputs = "2,24,1,1"},
        {.op = "Squeeze", .opset = 13, .inputs = "2,24,1,1"},
        {.op = "Unsqueeze", .opset = 13, .inputs = "2,24|= 2,3"},
        {.op = "Identity", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "Dropout", .opset = 13, .inputs = "2,24,9,7"},
        {.op = "Dropout", .opset = 13, .inputs = "2,24,9,7", .outputs = 2},
    };
    CHECK(rows);
}

// Groups that begin at a panel of the map, at half of one, and anywhere; several panels of weights for a group; several
// blocks of pixels; lanes that no channel uses; an input of fewer channels than a panel has.
Test(ops_values, grouped_convolutions) {
    static const op_model rows[] = {
        {.op = "Conv", .opset = 13, .inputs = "2,32,9,7|w 48,16,3,3|w 48", .attrs = "group=2;pads=[1,1,1,1]"},
        {.op = "Conv", .opset = 13, .inputs = "2,24,9,7|w 24,8,3,3|w 24", .attrs = "group=3;pads=[1,0,2,1]"},
        {.op = "Conv", .opset = 13, .inputs = "1,24,9,7|w 36,2,3,3", .attrs = "group=12;strides=[2,1]"},
        {.op = "Conv", .opset = 13, .inputs = "2,60,9,7|w 60,20,1,1|w 60", .attrs = "group=3"},
        {.op = "Conv",
         .opset = 13,
         .inputs = "1,46,9,7|w 14,23,5,3",
         .attrs = "group=2;dilations=[2,1];pads=[4,1,4,1]"},
        {.op = "Conv", .opset = 13, .inputs = "1,10,19,31|w 130,5,2,2|w 130", .attrs = "group=2"},
        {.op = "Conv", .opset = 13, .inputs = "2,6,9,7|w 18,1,3,3|w 18", .attrs = "group=6;strides=[2,2]"},
        {.op = "Conv", .opset = 13, .inputs = "1,40,1,1|w 40,4,1,1", .attrs = "group=10"},
    };
    CHECK(rows);
}

// Lines N, C, L are maps of height 1: dense, grouped, depthwise; with and without neighbours in panels.
Test(ops_values, lines) {
    static const op_model rows[] = {
        {.op = "Conv", .opset = 13, .inputs = "2,24,50|w 20,24,3|w 20", .attrs = "pads=[1,1];strides=[2]"},
        {.op = "Conv", .opset = 13, .inputs = "2,24,50|w 20,24,1"},
        {.op = "Conv", .opset = 13, .inputs = "2,24,50|w 24,1,5", .attrs = "group=24;pads=[4,0];dilations=[2]"},
        {.op = "Conv", .opset = 13, .inputs = "2,24,50|w 12,2,5", .attrs = "group=12;auto_pad='SAME_UPPER'"},
        {.op = "Conv", .opset = 13, .inputs = "2,3,4,5,6|w 2,3,2,2,2", .attrs = "pads=[1,0,1,0,1,0]"},
        {.op = "Conv", .opset = 13, .inputs = "1,3,9,9|2,3,2,2"}, // weights that are only known while running
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i]);
}

Test(ops_values, several_rows_share_a_weight_panel) {
    op_model m = {.op = "Gemm", .opset = 13, .inputs = "100,40|w 40,100|w 100"}; // several tiles both ways
    check(&m);
}
