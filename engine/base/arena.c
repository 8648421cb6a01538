// SPDX-License-Identifier: Apache-2.0
#include "engine/base/arena.h"

#include "engine/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 << 10)
#define SMALL_ALIGN 16u
#define LARGE_BYTES 1024u // from here on, things are aligned for vectors

struct arena_block {
    struct arena_block *next;
    size_t used, size; // of the bytes behind this header, which starts a 64-byte line
    char pad[64 - 3 * sizeof(size_t)];
    char bytes[];
};

void arena_init(arena *a, size_t budget_bytes) {
    *a = (arena){.budget_bytes = budget_bytes};
}

void arena_close(arena *a) {
    for (struct arena_block *block = a->blocks; block;) {
        struct arena_block *next = block->next;
        mem_free(block);
        block = next;
    }
    a->blocks = NULL;
    a->used_bytes = 0;
}

static struct arena_block *add_block(arena *a, size_t bytes) {
    size_t size = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
    size_t with_header;
    if (!mem_add(size, sizeof(struct arena_block), &with_header)) return NULL;
    struct arena_block *block = mem_alloc_exact(with_header); // see dsc_model_release_weights()
    if (!block) return NULL;
    block->used = 0;
    block->size = size;
    if (a->blocks && size == bytes) { // a block of its own goes behind the one that is being filled
        block->next = a->blocks->next;
        a->blocks->next = block;
    } else {
        block->next = a->blocks;
        a->blocks = block;
    }
    return block;
}

void *arena_alloc(arena *a, size_t count, size_t size) {
    size_t bytes, total;
    if (!mem_mul(count, size, &bytes) || !mem_add(a->used_bytes, bytes, &total)) return NULL;
    if (total > a->budget_bytes) return NULL;
    size_t align = bytes >= LARGE_BYTES ? MEM_ALIGN : SMALL_ALIGN;
    struct arena_block *block = a->blocks;
    size_t start = block ? (block->used + align - 1) & ~(align - 1) : 0;
    if (!block || start > block->size || bytes > block->size - start) {
        block = add_block(a, bytes);
        if (!block) return NULL;
        start = 0;
    }
    block->used = start + bytes;
    a->used_bytes = total;
    memset(block->bytes + start, 0, bytes);
    return block->bytes + start;
}

char *arena_string(arena *a, const char *text, size_t length) {
    if (length == SIZE_MAX) return NULL;
    char *copy = arena_alloc(a, length + 1, 1);
    if (copy && length) memcpy(copy, text, length);
    return copy;
}

char *arena_printf(arena *a, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int written = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (written < 0) return NULL;
    size_t length = (size_t)written < sizeof text ? (size_t)written : sizeof text - 1;
    return arena_string(a, text, length);
}
