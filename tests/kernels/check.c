// SPDX-License-Identifier: Apache-2.0
// What every kernel check shares; see check.h.
#define _GNU_SOURCE
#include "tests/kernels/check.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD       64u // floats on each side of a buffer; a multiple of 16 keeps the alignment
#define POISON_BITS 0x7fc5a5a5u

uint64_t check_seed(void) {
    const char *text = getenv("CHECK_SEED");
    return text ? strtoull(text, NULL, 10) : 1;
}

bool check_can_run(const char *kernel, dsc_isa isa) {
    if (isa <= dsc_isa_best()) return true;
    fprintf(stderr, "skipped: %s needs %s, this CPU has %s\n", kernel, dsc_isa_name(isa), dsc_isa_name(dsc_isa_best()));
    return false;
}

check_case check_begin(const char *kernel, uint64_t seed) {
    return (check_case){.kernel = kernel, .seed = seed, .state = seed * 0x9e3779b97f4a7c15u + 0x1234567u};
}

void check_shape(check_case *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(c->shape, sizeof c->shape, format, args);
    va_end(args);
}

// splitmix64: passes through all states, so a seed of 0 is as good as any.
static uint64_t next(check_case *c) {
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t check_below(check_case *c, uint32_t n) {
    return (uint32_t)(((next(c) >> 32) * n) >> 32);
}

float check_unit(check_case *c) {
    return (float)((int32_t)(next(c) >> 39) - (1 << 24)) * 0x1p-24f;
}

const char *check_filling_name(check_filling f) {
    static const char *const names[CHECK_FILLINGS] = {"random", "zeros", "denormals", "huge", "alternating"};
    return names[f];
}

static float filling(check_case *c, check_filling f, size_t i) {
    float u = check_unit(c);
    switch (f) {
        case CHECK_RANDOM: return u;
        case CHECK_ZEROS: return u < 0 ? -0.0f : 0.0f;
        case CHECK_DENORMALS: return u * 0x1p-127f;
        case CHECK_HUGE: return copysignf(1e18f, u) * (1 + u * u);
        case CHECK_ALTERNATING: return (i % 2 ? -1.0f : 1.0f) + u * 0x1p-12f;
        case CHECK_FILLINGS: break;
    }
    abort();
}

void check_fill(check_case *c, float *p, size_t count, check_filling f) {
    for (size_t i = 0; i < count; i++) p[i] = filling(c, f, i);
}

// ---- poisoned buffers -----------------------------------------------------------------------------------------

static uint32_t bits_of(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static void *get(size_t count, size_t size) {
    size_t bytes = (count * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    if (!p) {
        fprintf(stderr, "check: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return p;
}

float *check_alloc(size_t count) {
    const uint32_t poison = POISON_BITS;
    size_t total = count + 2 * GUARD;
    char *base = get(total, sizeof(float));
    for (size_t i = 0; i < total; i++) memcpy(base + i * sizeof poison, &poison, sizeof poison);
    return (float *)(void *)base + GUARD;
}

void check_free(float *p) {
    if (p) free(p - GUARD);
}

bool check_is_poison(float f) {
    return bits_of(f) == POISON_BITS;
}

static size_t wall_bytes(size_t count, size_t page) {
    return (count * sizeof(float) + page - 1) / page * page;
}

float *check_copy_to_wall(const float *p, size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = wall_bytes(count, page);
    char *base = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + bytes, page, PROT_NONE) != 0) {
        fprintf(stderr, "check: no memory for %zu bytes before a wall\n", bytes);
        exit(1);
    }
    float *copy = (float *)(void *)(base + bytes) - count;
    memcpy(copy, p, count * sizeof *copy);
    return copy;
}

void check_free_at_wall(float *copy, size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = wall_bytes(count, page);
    munmap((char *)(copy + count) - bytes, bytes + page);
}

// ---- comparison -----------------------------------------------------------------------------------------------

check_expected *check_expect(size_t count) {
    check_expected *e = get(1, sizeof *e);
    *e = (check_expected){.count = count, .value = get(count + 1, 8), .tolerance = get(count + 1, 8)};
    for (size_t i = 0; i < count; i++) {
        e->value[i] = 0;
        e->tolerance[i] = -1;
    }
    return e;
}

void check_expect_free(check_expected *e) {
    if (!e) return;
    free(e->value);
    free(e->tolerance);
    free(e);
}

static void print_case(const check_case *c) {
    fprintf(stderr, "%s: seed %llu, %s: ", c->kernel, (unsigned long long)c->seed, c->shape);
}

static bool is_close(double got, double want, double tolerance) {
    if (isnan(want)) return isnan(got);
    if (isinf(want) || fabs(want) > (double)FLT_MAX) return isinf(got) && (got > 0) == (want > 0);
    return fabs(got - want) <= tolerance;
}

static bool guards_hold(const check_case *c, const float *got, size_t count) {
    for (size_t i = 0; i < GUARD; i++) {
        bool before = check_is_poison(got[-1 - (ptrdiff_t)i]), after = check_is_poison(got[count + i]);
        if (before && after) continue;
        print_case(c);
        fprintf(stderr, "wrote %zu floats %s the output\n", i + 1, before ? "behind" : "before");
        return false;
    }
    return true;
}

bool check_compare(const check_case *c, const check_expected *e, const float *got) {
    for (size_t i = 0; i < e->count; i++) {
        double g = (double)got[i];
        bool must_stay = e->tolerance[i] < 0;
        if (must_stay ? check_is_poison(got[i]) : is_close(g, e->value[i], e->tolerance[i])) continue;
        print_case(c);
        if (must_stay) {
            fprintf(stderr, "index %zu was written (%.9g) and must not be\n", i, g);
        } else {
            fprintf(stderr, "index %zu: got %.9g%s, expected %.9g, tolerance %.3g\n", i, g,
                    check_is_poison(got[i]) ? " (poison)" : "", e->value[i], e->tolerance[i]);
        }
        return false;
    }
    return guards_hold(c, got, e->count);
}

bool check_same_bits(const check_case *c, const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bits_of(a[i]) == bits_of(b[i])) continue;
        print_case(c);
        fprintf(stderr, "index %zu: %.9g (%08x) and %.9g (%08x) differ\n", i, (double)a[i], bits_of(a[i]), (double)b[i],
                bits_of(b[i]));
        return false;
    }
    return true;
}
