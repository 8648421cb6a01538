// SPDX-License-Identifier: Apache-2.0
// Two lanes of multiply-and-fold over 16 bytes a step: each step multiplies 64 x 64 -> 128 bits and folds the halves.
#include "engine/base/hash.h"

#include <string.h>

static const uint64_t odd_a = 0x9e3779b97f4a7c15u; // 2^64 / golden ratio
static const uint64_t odd_b = 0xd1b54a32d192ed03u;

static uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

hash128 hash_bytes(const void *bytes, size_t size, uint64_t seed) {
    const unsigned char *p = bytes;
    uint64_t low = seed ^ odd_a, high = seed ^ odd_b ^ size;
    for (; size >= 16; p += 16, size -= 16) {
        uint64_t word[2];
        memcpy(word, p, 16);
        low = fold(low ^ word[0], odd_a ^ word[1]) + high;
        high = fold(high ^ word[1], odd_b ^ word[0]) ^ low;
    }
    uint64_t tail[2] = {0, 0};
    if (size) memcpy(tail, p, size); // `bytes` may be NULL where there are none
    low = fold(low ^ tail[0], odd_a ^ tail[1]) + high;
    high = fold(high ^ tail[1], odd_b ^ tail[0]) ^ low;
    return (hash128){fold(low, odd_b ^ high), fold(high, odd_a ^ low)};
}
