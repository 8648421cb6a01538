// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/weights.h"

#include "engine/base/hash.h"
#include "engine/base/mem.h"

#include <pthread.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)8 << 20) // blocks lie one after the other in order of execution, as they are asked for

typedef struct entry {
    hash128 key;
    size_t floats;
    float *block;
} entry;

typedef struct chunk {
    struct chunk *next;
    char *bytes;
    size_t used, size;
} chunk;

struct weights_store {
    pthread_mutex_t lock;
    uint64_t budget_bytes;
    _Atomic uint64_t used_bytes; // changed with the lock held, read without
    chunk *chunks;
    entry *table; // open addressing; a free entry has no block
    size_t count, capacity;
};

weights_store *weights_create(uint64_t budget_bytes) {
    weights_store *store = mem_calloc(1, sizeof *store);
    if (!store) return NULL;
    store->budget_bytes = budget_bytes;
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

void weights_free(weights_store *store) {
    if (!store) return;
    while (store->chunks) {
        chunk *next = store->chunks->next;
        mem_free(store->chunks->bytes);
        mem_free(store->chunks);
        store->chunks = next;
    }
    mem_free(store->table);
    pthread_mutex_destroy(&store->lock);
    mem_free(store);
}

uint64_t weights_bytes(const weights_store *store) {
    return store->used_bytes;
}

static void trim(weights_store *store) {
    if (store->chunks) mem_trim(store->chunks->bytes, store->chunks->size, store->chunks->used);
}

void weights_trim(weights_store *store) {
    pthread_mutex_lock(&store->lock);
    trim(store);
    pthread_mutex_unlock(&store->lock);
}

static entry *find(const weights_store *store, hash128 key, size_t floats) {
    size_t at = (size_t)key.low & (store->capacity - 1);
    for (;; at = (at + 1) & (store->capacity - 1)) {
        entry *e = &store->table[at];
        if (!e->block) return e;
        if (e->key.low == key.low && e->key.high == key.high && e->floats == floats) return e;
    }
}

static bool grow(weights_store *store) {
    if (store->capacity && store->count < store->capacity / 2) return true;
    weights_store larger = *store;
    larger.capacity = store->capacity ? store->capacity * 2 : 64;
    larger.table = mem_calloc(larger.capacity, sizeof *larger.table);
    if (!larger.table) return false;
    for (size_t i = 0; i < store->capacity; i++) {
        if (store->table[i].block) *find(&larger, store->table[i].key, store->table[i].floats) = store->table[i];
    }
    mem_free(store->table);
    store->table = larger.table;
    store->capacity = larger.capacity;
    return true;
}

static float *take(weights_store *store, size_t bytes) {
    size_t rounded = mem_round_up(bytes);
    if (rounded < bytes || rounded > store->budget_bytes - store->used_bytes) return NULL;
    chunk *c = store->chunks;
    if (!c || rounded > c->size - c->used) {
        c = mem_calloc(1, sizeof *c);
        if (!c) return NULL;
        c->size = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;
        c->bytes = mem_alloc(c->size);
        if (!c->bytes) {
            mem_free(c);
            return NULL;
        }
        trim(store); // the room that was too small
        c->next = store->chunks;
        store->chunks = c;
    }
    void *block = c->bytes + c->used;
    c->used += rounded;
    store->used_bytes += rounded;
    return block;
}

static const float *get_locked(weights_store *store, const weights_request *request, hash128 key) {
    if (!grow(store)) return NULL;
    entry *e = find(store, key, request->floats);
    if (e->block) return e->block;
    size_t bytes;
    if (!mem_mul(request->floats, sizeof(float), &bytes)) return NULL;
    float *block = take(store, bytes);
    if (!block) return NULL;
    memset(block, 0, bytes);
    request->pack(block, request->context);
    *e = (entry){key, request->floats, block};
    store->count++;
    return block;
}

const float *weights_get(weights_store *store, const weights_request *request) {
    hash128 format = hash_bytes(request->format, strlen(request->format), 1);
    hash128 key = hash_bytes(request->source, request->source_bytes, format.low ^ format.high);
    pthread_mutex_lock(&store->lock);
    const float *block = get_locked(store, request, key);
    pthread_mutex_unlock(&store->lock);
    return block;
}
