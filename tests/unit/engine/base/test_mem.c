// SPDX-License-Identifier: Apache-2.0
// Large blocks give back what they do not use, and keep what they do.
#define _GNU_SOURCE
#include "engine/base/mem.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK ((size_t)6 << 20)

static size_t resident(void *block, size_t bytes) {
    unsigned char pages[BLOCK / 4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    cr_assert_eq(mincore(block, bytes, pages), 0);
    for (size_t i = 0; i < bytes / page; i++) count += pages[i] & 1u;
    return count * page;
}

static void trim(size_t used, size_t most) {
    unsigned char *block = mem_alloc(BLOCK);
    cr_assert_not_null(block);
    memset(block, 7, BLOCK);
    mem_trim(block, BLOCK, used);
    for (size_t i = 0; i < used; i++) cr_assert_eq(block[i], 7, "byte %zu of %zu", i, used);
    cr_expect_leq(resident(block, BLOCK), most, "%zu used", used);
    block[BLOCK - 1] = 1;
    cr_expect_eq(block[BLOCK - 1], 1);
    mem_free(block);
}

Test(mem, what_is_not_used_goes_back) {
    const size_t mb = (size_t)1 << 20;
    trim(0, 0);
    trim(1, 4096);
    trim(4096, 4096);
    trim(mb / 2 + 1, mb / 2 + 4096);
    trim(2 * mb, 2 * mb);
    trim(5 * mb / 2, 5 * mb / 2);
    trim(13 * mb / 4, 13 * mb / 4);
    trim(4 * mb - 1, 4 * mb);
    trim(BLOCK - 1, BLOCK);
}

Test(mem, small_blocks_are_left_alone) {
    unsigned char *block = mem_alloc(100000);
    cr_assert_not_null(block);
    memset(block, 7, 100000);
    mem_trim(block, 100000, 10);
    for (size_t i = 0; i < 100000; i++) cr_assert_eq(block[i], 7);
    mem_free(block);
}
