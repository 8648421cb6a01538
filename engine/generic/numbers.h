// SPDX-License-Identifier: Apache-2.0
// Elements of any type, a block at a time: as doubles where a definition is about real numbers (F32, F16 and I32 are
// exact in them), as int64 where it is about integers (U64: its bits).
//
// The pattern of an evaluate function over a range:
//   double x[NUMBERS_BLOCK];
//   for (uint64_t at = c->begin, count; at < c->end; at += count) {
//       count = numbers_block(at, c->end);
//       numbers_load(x, &c->inputs[0], (int64_t)at, 1, count);   ... compute ...
//       numbers_store(&c->outputs[0], at, x, count);
//   }
#ifndef DSC_GENERIC_NUMBERS_H
#define DSC_GENERIC_NUMBERS_H

#include "engine/graph/op.h"

#define NUMBERS_BLOCK 256u

static inline uint64_t numbers_block(uint64_t at, uint64_t end) {
    return end - at < NUMBERS_BLOCK ? end - at : NUMBERS_BLOCK;
}
bool numbers_is_float(dsc_dtype dtype); // F32, F64, F16, BF16

// Elements at, at + stride, ... of an input (its `data`).
void numbers_load(double *to, const op_tensor *from, int64_t at, int64_t stride, uint64_t count);
void integers_load(int64_t *to, const op_tensor *from, int64_t at, int64_t stride, uint64_t count);
// Neighbours from element `at` of an output (its `out`). Numbers beyond an integer type's end become its end, fractions
// go and NaN becomes 0; integers lose their upper bits.
void numbers_store(const op_tensor *to, uint64_t at, const double *from, uint64_t count);
void integers_store(const op_tensor *to, uint64_t at, const int64_t *from, uint64_t count);
// The same for elements that are `stride` apart.
void numbers_store_strided(const op_tensor *to, uint64_t at, uint64_t stride, const double *from, uint64_t count);

// -1, 0, 1: how two elements of an input compare. NaN is larger than any number.
int numbers_compare(const op_tensor *t, uint64_t a, uint64_t b);

double numbers_get(const op_tensor *from, uint64_t at);
int64_t integers_get(const op_tensor *from, uint64_t at);
void numbers_put(const op_tensor *to, uint64_t at, double value);
void integers_put(const op_tensor *to, uint64_t at, int64_t value);

#endif
