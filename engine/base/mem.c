// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "engine/base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Large blocks are walked through in every run: with huge pages their addresses are translated without misses
// (measured: see docs/performance.md). The last 2 MB have small pages where less than half of them is wanted.
#define HUGE_PAGE ((size_t)2 << 20)

static _Atomic uint64_t allocations;
static _Atomic uint64_t failing; // the allocation number that fails, or 0

static bool is_made_to_fail(void) {
    uint64_t number = atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed) + 1;
    return number == atomic_load_explicit(&failing, memory_order_relaxed);
}

// The last huge page is one where more than `least` bytes of it are wanted.
static void *allocate(size_t bytes, size_t least) {
    if (is_made_to_fail() || bytes > SIZE_MAX - MEM_ALIGN) return NULL;
    size_t rounded = mem_round_up(bytes ? bytes : 1);
    if (rounded < HUGE_PAGE / 2) return aligned_alloc(MEM_ALIGN, rounded);
    size_t tail = rounded % HUGE_PAGE, huge = rounded - tail + (tail > least ? HUGE_PAGE : 0);
    // Not aligned_alloc, whose size must be a multiple of the alignment: AddressSanitizer insists.
    void *block = NULL;
    if (posix_memalign(&block, HUGE_PAGE, huge > rounded ? huge : rounded) != 0) return NULL;
    (void)madvise(block, huge, MADV_HUGEPAGE); // only a wish
    return block;
}

void *mem_alloc(size_t bytes) {
    return allocate(bytes, HUGE_PAGE / 2);
}

void *mem_alloc_exact(size_t bytes) {
    return allocate(bytes, HUGE_PAGE);
}

// A huge page that would waste an eighth of the block is given up for small ones, or it would be filled up again.
void mem_trim(void *block, size_t bytes, size_t used) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), tail = used % HUGE_PAGE, whole = used - tail;
    if (bytes < HUGE_PAGE / 2) return;
    char *from = (char *)block;
    size_t end = bytes / page * page, kept = (used + page - 1) / page * page;
    if (tail && HUGE_PAGE - tail < used / 8) kept = whole + HUGE_PAGE;
    if (kept >= end) return;
    if (kept % HUGE_PAGE)
        (void)madvise(from + whole, (end - whole < HUGE_PAGE ? end - whole : HUGE_PAGE), MADV_NOHUGEPAGE);
    (void)madvise(from + kept, end - kept, MADV_DONTNEED);
}

void *mem_calloc(size_t count, size_t size) {
    size_t bytes;
    if (!mem_mul(count, size, &bytes)) return NULL;
    void *block = mem_alloc(bytes);
    if (block) memset(block, 0, bytes);
    return block;
}

void mem_free(void *pointer) {
    free(pointer);
}

uint64_t mem_fail_at(uint64_t n) {
    uint64_t made = atomic_load(&allocations);
    atomic_store(&failing, n ? made + n : 0);
    return made;
}
