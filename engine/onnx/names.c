// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "engine/onnx/names.h"

#include "engine/base/clock.h"
#include "engine/base/hash.h"
#include "engine/base/mem.h"

#include <string.h>
#include <sys/random.h>

typedef struct names_entry {
    const char *text; // NULL: free
    uint64_t hash;
    uint32_t number;
} names_entry;

void names_close(names *n) {
    mem_free(n->entries);
    *n = (names){0};
}

static uint64_t hash_of(const names *n, const char *text) {
    return hash_bytes(text, strlen(text), n->seed).low;
}

// Where `text` is, or the free place where it belongs. There is always a free one.
static names_entry *find(const names *n, const char *text, uint64_t hash) {
    uint32_t mask = n->capacity - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        names_entry *e = &n->entries[at];
        if (!e->text || (e->hash == hash && strcmp(e->text, text) == 0)) return e;
    }
}

static bool grow(names *n) {
    if (n->capacity > UINT32_MAX / 4) return false;
    names larger = {.count = n->count, .capacity = n->capacity ? n->capacity * 2 : 64, .seed = n->seed};
    if (!n->capacity && getrandom(&larger.seed, sizeof larger.seed, GRND_NONBLOCK) != (ssize_t)sizeof larger.seed) {
        larger.seed = clock_ns() ^ (uint64_t)(uintptr_t)n;
    }
    larger.entries = mem_calloc(larger.capacity, sizeof *larger.entries);
    if (!larger.entries) return false;
    for (uint32_t i = 0; i < n->capacity; i++) {
        const names_entry *e = &n->entries[i];
        if (e->text) *find(&larger, e->text, e->hash) = *e;
    }
    mem_free(n->entries);
    *n = larger;
    return true;
}

names_result names_add(names *n, const char *text, uint32_t number) {
    if (n->count >= n->capacity / 4 * 3 && !grow(n)) return NAMES_NO_MEMORY;
    uint64_t hash = hash_of(n, text);
    names_entry *e = find(n, text, hash);
    if (e->text) return NAMES_EXISTS;
    *e = (names_entry){.text = text, .hash = hash, .number = number};
    n->count++;
    return NAMES_ADDED;
}

uint32_t names_get(const names *n, const char *text) {
    if (!n->capacity) return NAMES_NONE;
    const names_entry *e = find(n, text, hash_of(n, text));
    return e->text ? e->number : NAMES_NONE;
}
