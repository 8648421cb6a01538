// SPDX-License-Identifier: Apache-2.0
// Packed weights, shared by every plan of a model: each block is packed once and found again by the contents of what
// it was packed from.
#ifndef DSC_RUNTIME_WEIGHTS_H
#define DSC_RUNTIME_WEIGHTS_H

#include "engine/dsc.h"

typedef struct weights_store weights_store;

// Fills `packed` (floats, zeroed before) from `source`. `context` is the caller's.
typedef void (*weights_pack_fn)(float *packed, const void *context);

typedef struct weights_request {
    const void *source; // the bytes that the packed block depends on
    size_t source_bytes;
    const char *format; // everything else that it depends on, in words: kernel, shape
    size_t floats;      // of the packed block
    weights_pack_fn pack;
    const void *context;
} weights_request;

weights_store *weights_create(uint64_t budget_bytes);
void weights_free(weights_store *store);
uint64_t weights_bytes(const weights_store *store);
// For now nothing more is packed: what the blocks do not use of the store's memory goes back to the system. Any thread.
void weights_trim(weights_store *store);
// A block aligned to 64 bytes that lives as long as the store; NULL where memory or the budget is out. Any thread.
const float *weights_get(weights_store *store, const weights_request *request);

#endif
