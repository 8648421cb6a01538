// SPDX-License-Identifier: Apache-2.0
// A 128-bit content hash, to recognise equal weights. Fast, not cryptographic.
#ifndef DSC_BASE_HASH_H
#define DSC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct hash128 {
    uint64_t low, high;
} hash128;

hash128 hash_bytes(const void *bytes, size_t size, uint64_t seed);

#endif
