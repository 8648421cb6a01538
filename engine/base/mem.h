// SPDX-License-Identifier: Apache-2.0
// Memory: checked sizes, allocations aligned for vectors, and a hook that makes the n-th allocation fail.
// Every allocation of the engine passes here.
#ifndef DSC_BASE_MEM_H
#define DSC_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_ALIGN 64u

// a * b or a + b into `out`; false where the result does not fit.
static inline bool mem_mul(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool mem_add(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}
static inline size_t mem_round_up(size_t bytes) {
    return (bytes + MEM_ALIGN - 1) & ~(size_t)(MEM_ALIGN - 1);
}

// `count` * `size` bytes aligned to MEM_ALIGN, zeroed; NULL where the product overflows or memory is out.
void *mem_calloc(size_t count, size_t size);
// The same, not zeroed: for large blocks that are written anyway.
void *mem_alloc(size_t bytes);
// The same without huge pages that reach past the end: for blocks whose contents are given back to the system later.
void *mem_alloc_exact(size_t bytes);
// The pages of a large block of `bytes` behind its first `used` go back to the system. Their contents are lost; they
// may be written again.
void mem_trim(void *block, size_t bytes, size_t used);
void mem_free(void *pointer); // of mem_alloc and mem_calloc; NULL is fine

// Tests: the n-th allocation from now (1 = the next) fails, once; 0 turns it off. Returns how many allocations the
// process has made so far. Not for use while other threads allocate.
uint64_t mem_fail_at(uint64_t n);

#endif
