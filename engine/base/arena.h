// SPDX-License-Identifier: Apache-2.0
// A bump allocator with a budget: many small things that live and die together (a graph, a plan).
#ifndef DSC_BASE_ARENA_H
#define DSC_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct arena {
    struct arena_block *blocks;
    size_t used_bytes, budget_bytes;
} arena;

// `budget_bytes` bounds what the arena hands out in all.
void arena_init(arena *a, size_t budget_bytes);
void arena_close(arena *a); // frees all at once; a closed or zeroed arena may be closed again

// Zeroed memory, aligned to 16 bytes (to 64 from 1 KB on), for `count` things; NULL where the budget or memory is out
// or the product overflows.
void *arena_alloc(arena *a, size_t count, size_t size);
// A terminated copy of `length` bytes.
char *arena_string(arena *a, const char *text, size_t length);
char *arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
