// SPDX-License-Identifier: Apache-2.0
// A map from names to numbers. Looking up and adding take constant time for every set of names:
// the hash is seeded afresh for each map, so that a file cannot be made whose names collide.
#ifndef DSC_ONNX_NAMES_H
#define DSC_ONNX_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_NONE UINT32_MAX

typedef struct names {
    struct names_entry *entries;
    uint32_t count, capacity; // a power of two, at most three quarters full
    uint64_t seed;
} names;

typedef enum names_result { NAMES_ADDED, NAMES_EXISTS, NAMES_NO_MEMORY } names_result;

void names_close(names *n); // a zeroed map is empty and ready for use; close frees what it grew
// Lends `text` until the map is closed.
names_result names_add(names *n, const char *text, uint32_t number);
uint32_t names_get(const names *n, const char *text); // NAMES_NONE where absent

#endif
