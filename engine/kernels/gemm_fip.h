// SPDX-License-Identifier: Apache-2.0
// Winograd's inner product (S. Winograd, "A new algorithm for inner product", IEEE Trans. Comp. C-17, 1968): two
// products of a sum are made by one multiplication and two additions,
//
//   x1 y1 + x2 y2 = (x1 + y2) (x2 + y1) - x1 x2 - y1 y2,
//
// where the sums of x1 x2 belong to a row of inputs and those of y1 y2 to a column of weights: both are made once. On
// CPUs that add beside their multiply-adds (AMD from Zen 4 on has two units for each) four products cost six additions'
// and multiplications' time instead of eight. Of every four k the first two are such a pair and the others plain
// products; a sum takes them in the order of k. In every other four the pair is (x1 - y2) (x2 - y1), subtracted, so
// that the sums of x1 x2 and y1 y2 stay short.
//
// Errors follow the sizes of x and y that are added, not their products (R. P. Brent, "Error analysis of algorithms for
// matrix multiplication", 1970), so both must be alike:
//
//   - every column of weights is scaled by a power of two to the Euclidean length of k numbers of size 1, exactly; the
//     sum starts at the scaled bias and is scaled back;
//   - rows of inputs whose mean square lies outside [1/64, 64] are summed from plain products, as by the f32 form of
//   the
//     tier avx512 and with its bits: from the scaled weights, scaled back in the end, or, where mean squares are beyond
//     2^40 or below 2^-40 or not finite, from weights that are scaled back one by one. What is done with a row depends
//     on its own numbers only.
//
// Exactly: but for weights that are 2^-100 of their column's length, or less. Columns shorter than 2^-64 are not scaled
// to their full length, and biases of 2^64 and more may become infinite. What is not finite in a row or in a column
// makes its sums infinite or NaN, and no others. Segments are multiples of 8 but for the last one (see fip_suits() in
// ops/conv/conv_gemm.c).
#ifndef DSC_KERNELS_GEMM_FIP_H
#define DSC_KERNELS_GEMM_FIP_H

#include <stddef.h>
#include <stdint.h>

#define FIP_HEAD         3 // rows of nr floats before the weights [k][nr]: to unscale sums, to scale biases, sums of y1 y2
#define FIP_FACTOR       64.0f   // a row of mean square 1 times or over this is the last that is summed by pairs
#define FIP_PLAIN_FACTOR 0x1p40f // ... from plain products of scaled weights

static inline const float *gemm_fip_scale(const float *b, uint32_t nr) {
    return b + nr;
}

static inline const float *gemm_fip_less(const float *b, uint32_t nr) {
    return b + 2 * (size_t)nr;
}

static inline const float *gemm_fip_weights(const float *b, uint32_t nr) {
    return b + FIP_HEAD * (size_t)nr;
}

#endif
