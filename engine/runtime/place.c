// SPDX-License-Identifier: Apache-2.0
// The map of a session's block. Buffers are placed largest first, each at the lowest offset where it does not meet
// a placed buffer that is alive at the same time ("greedy by size"). That is quadratic, so a program with very many
// buffers is placed in the order of time instead, against those that are alive at that time, and above all others where
// these are too many: looser, but linear.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/runtime/program.h"

#include <stdlib.h>

#define BUFFERS_BY_SIZE 2048u

typedef struct placing {
    buffer **placed; // by offset
    uint32_t count;
    uint32_t clean_at; // the count at which dead ones are looked for again
    size_t top;        // where all ends
} placing;

static bool needs_place(const buffer *b) {
    return !b->constant && !b->view_of && (b->is_kept || b->first_step != UINT32_MAX);
}

static bool are_alive_together(const buffer *a, const buffer *b) {
    if (a->is_kept || b->is_kept) return true;
    return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

static int by_size(const void *x, const void *y) {
    const buffer *a = *(buffer *const *)x, *b = *(buffer *const *)y;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
    return a->first_step < b->first_step ? -1 : a->first_step > b->first_step;
}

static int by_time(const void *x, const void *y) {
    const buffer *a = *(buffer *const *)x, *b = *(buffer *const *)y;
    if (a->is_kept != b->is_kept) return a->is_kept ? -1 : 1;
    return a->first_step < b->first_step ? -1 : a->first_step > b->first_step;
}

// Forgets placed buffers that are dead before step `now`, each time that their number has grown by a part.
static void forget_dead(placing *done, uint32_t now) {
    uint32_t kept = 0;
    if (done->count < done->clean_at) return;
    for (uint32_t i = 0; i < done->count; i++) {
        const buffer *b = done->placed[i];
        if (b->is_kept || b->last_step >= now) done->placed[kept++] = done->placed[i];
    }
    done->count = kept;
    done->clean_at = kept + kept / 8 + 256;
}

// The lowest offset that is free as long as the buffer lives.
static size_t find_gap(const placing *done, const buffer *b, size_t bytes) {
    size_t offset = 0;
    for (uint32_t i = 0; i < done->count; i++) {
        const buffer *other = done->placed[i];
        if (!are_alive_together(b, other)) continue;
        if (other->offset >= offset && other->offset - offset >= bytes) break;
        size_t end = other->offset + mem_round_up(other->bytes);
        if (end > offset) offset = end;
    }
    return offset;
}

static bool place(placing *done, buffer *b) {
    size_t bytes = mem_round_up(b->bytes), end;
    bool is_on_top = done->count > BUFFERS_BY_SIZE;
    size_t offset = is_on_top ? done->top : find_gap(done, b, bytes);
    if (!mem_add(offset, bytes, &end)) return false;
    uint32_t at = is_on_top ? done->count : 0;
    while (at < done->count && done->placed[at]->offset <= offset) at++;
    for (uint32_t i = done->count; i > at; i--) done->placed[i] = done->placed[i - 1];
    done->placed[at] = b;
    done->count++;
    if (end > done->top) done->top = end;
    b->offset = offset;
    return true;
}

dsc_status program_place_buffers(program *p, bool keep_all, dsc_error *err) {
    buffer **order = mem_calloc(p->buffer_count + 1, sizeof *order);
    placing done = {.placed = mem_calloc(p->buffer_count + 1, sizeof *done.placed)};
    dsc_status status = DSC_OK;
    uint32_t count = 0;
    if (!order || !done.placed) {
        status = error_no_memory(err, p->buffer_count * sizeof *order);
        goto end;
    }
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        if (keep_all) p->buffers[i]->is_kept = true;
        if (needs_place(p->buffers[i])) order[count++] = p->buffers[i];
    }
    bool is_many = count > BUFFERS_BY_SIZE;
    qsort(order, count, sizeof *order, is_many ? by_time : by_size);
    size_t block = 0;
    for (uint32_t i = 0; i < count && status == DSC_OK; i++) {
        size_t stop = 0;
        if (is_many && !order[i]->is_kept) forget_dead(&done, order[i]->first_step);
        bool fits = place(&done, order[i]) && mem_add(order[i]->offset, mem_round_up(order[i]->bytes), &stop);
        if (!fits || stop > p->arena_limit) {
            status = error_set(err, DSC_TOO_LARGE, "the working memory would exceed the limit \"arena_bytes\" of %llu",
                               (unsigned long long)p->arena_limit);
        }
        if (stop > block) block = stop;
    }
    p->block_bytes = block ? block : MEM_ALIGN;
end:
    mem_free(order);
    mem_free(done.placed);
    return status;
}
