// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_KERNELS_GEMM_EVEN_H
#define DSC_KERNELS_GEMM_EVEN_H

#include "engine/kernels/gemm.h"

// Rows m0 <= m < m1 of a panel of nr = 16 or 32 channels, where they lie at equal distances in whole tiles of 28 or 14
// rows; else false, and nothing is done. No residual, no targets, and of activations only those that need few
// registers.
bool gemm_even_avx512(const gemm_args *g, uint32_t m0, uint32_t m1, uint32_t nr);

#endif
