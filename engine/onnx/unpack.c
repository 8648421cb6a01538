// SPDX-License-Identifier: Apache-2.0
// The allocator that protobuf-c unpacks with: small things in an arena that is dropped as a whole, large things in
// blocks of their own. What protobuf-c frees meanwhile stays until the end; it counts towards the budget all the same.
#include "engine/onnx/unpack.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/onnx/scan.h"

#include <inttypes.h>

#define LARGE_BYTES       ((size_t)16 << 10)
#define BUDGET_BASE_BYTES ((size_t)16 << 20)
#define BUDGET_PER_BYTE   9u  // a list of one-byte numbers becomes int64s, beside the structures around it
#define MESSAGES_PER_NODE 64u // a node, its attributes, the tensors and types of what it reads and writes
#define FIELDS_PER_NODE   512u
#define FREE_MESSAGES     65536u
#define FREE_FIELDS       (1u << 20)

typedef struct unpack_block {
    struct unpack_block *next, *previous;
    size_t bytes;
    char pad[MEM_ALIGN - 3 * sizeof(size_t)];
    char data[];
} unpack_block;

static void *allocate_large(unpack *u, size_t bytes) {
    size_t with_header;
    if (!mem_add(bytes, sizeof(unpack_block), &with_header)) return NULL;
    unpack_block *block = mem_alloc(with_header);
    if (!block) return NULL;
    *block = (unpack_block){.next = u->large, .bytes = bytes};
    if (u->large) u->large->previous = block;
    u->large = block;
    u->large_bytes += bytes;
    return block->data;
}

static void *allocate(void *context, size_t bytes) {
    unpack *u = context;
    size_t used = u->small.used_bytes + u->large_bytes; // both are at most the budget
    if (bytes > u->budget_bytes - used) {
        u->is_over_budget = true;
        return NULL;
    }
    return bytes < LARGE_BYTES ? arena_alloc(&u->small, 1, bytes ? bytes : 1) : allocate_large(u, bytes);
}

static void keep(void *context, void *pointer) {
    (void)context;
    (void)pointer;
}

static void drop(unpack *u, unpack_block *block) {
    if (block->next) block->next->previous = block->previous;
    if (block->previous) block->previous->next = block->next;
    if (u->large == block) u->large = block->next;
    u->large_bytes -= block->bytes;
    mem_free(block);
}

void unpack_release(unpack *u, ProtobufCBinaryData *data) {
    if (data->len < LARGE_BYTES) return;
    drop(u, (unpack_block *)(void *)(data->data - offsetof(unpack_block, data)));
    *data = (ProtobufCBinaryData){0};
}

void unpack_close(unpack *u) {
    while (u->large) drop(u, u->large);
    arena_close(&u->small);
    u->model = NULL;
}

static uint64_t allowance(uint64_t nodes, uint64_t per_node, uint64_t base) {
    uint64_t product;
    if (__builtin_mul_overflow(nodes, per_node, &product) || product > UINT64_MAX - base) return UINT64_MAX;
    return product + base;
}

dsc_status unpack_model(unpack *u, const void *bytes, size_t size, const dsc_limits *limits, dsc_error *err) {
    size_t budget;
    if (!mem_mul(size, BUDGET_PER_BYTE, &budget) || !mem_add(budget, BUDGET_BASE_BYTES, &budget)) budget = SIZE_MAX;
    *u = (unpack){.budget_bytes = budget};
    arena_init(&u->small, budget);
    scan_limits counts = {
        .messages = allowance(limits->nodes, MESSAGES_PER_NODE, FREE_MESSAGES),
        .fields = allowance(limits->nodes, FIELDS_PER_NODE, FREE_FIELDS),
    };
    dsc_status status = scan_message(&onnx__model_proto__descriptor, bytes, size, &counts, err);
    if (status != DSC_OK) return status;
    ProtobufCAllocator allocator = {.alloc = allocate, .free = keep, .allocator_data = u};
    u->model = onnx__model_proto__unpack(&allocator, size, bytes);
    if (u->model) return DSC_OK;
    if (u->is_over_budget) {
        return error_set(err, DSC_TOO_LARGE,
                         "the file has %zu bytes but its structure would take more than %zu in memory: it is mostly "
                         "empty parts",
                         size, budget);
    }
    // The scan has checked all that protobuf-c checks, except that it refuses any field of 2 GiB or more.
    if (size > INT32_MAX) {
        return error_set(err, DSC_UNSUPPORTED,
                         "a part of the file has 2 GiB or more: keep the weights of such models as external data");
    }
    return error_no_memory(err, size);
}

const char *dsc_libraries(void) {
    return "protobuf-c " PROTOBUF_C_VERSION;
}
