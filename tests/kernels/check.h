// SPDX-License-Identifier: Apache-2.0
// What every kernel check shares: repeatable random numbers, nasty fills, buffers whose surroundings are poisoned, and
// the comparison of a result with what an oracle expects.
//
// Poison is a NaN with a payload of its own. Around and inside inputs it spoils every result that a kernel takes from
// where it may not read; in outputs it is the canary that shows where a kernel wrote.
//
// A check looks like this:
//
//   check_case c = check_begin(kernel->name, seed);
//   check_shape(&c, "m %u, k %u", m, k);
//   float *in = check_alloc(n), *out = check_alloc(m);
//   check_expected *want = check_expect(m);
//   check_fill(&c, in, n, CHECK_RANDOM);
//   ... run the kernel; put the oracle's values into want->value[i], want->tolerance[i] where it must write ...
//   cr_assert(check_compare(&c, want, out));
#ifndef DSC_CHECK_H
#define DSC_CHECK_H

#include "engine/dsc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct check_case {
    const char *kernel;
    uint64_t seed, state;
    char shape[256];
} check_case;

typedef enum check_filling {
    CHECK_RANDOM, // in -1 .. 1
    CHECK_ZEROS,  // of both signs
    CHECK_DENORMALS,
    CHECK_HUGE,        // about 1e18, of both signs
    CHECK_ALTERNATING, // 1, -1, ... with a little noise: sums cancel
    CHECK_FILLINGS,
} check_filling;

// The seed to start from: $CHECK_SEED, or 1.
uint64_t check_seed(void);
// False where this CPU lacks the tier; says so on stderr, so that the log shows what was not checked.
bool check_can_run(const char *kernel, dsc_isa isa);

check_case check_begin(const char *kernel, uint64_t seed);
void check_shape(check_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint32_t check_below(check_case *c, uint32_t n); // 0 .. n - 1
float check_unit(check_case *c);                 // -1 .. 1
const char *check_filling_name(check_filling f);
void check_fill(check_case *c, float *p, size_t count, check_filling f);

// `count` floats aligned to 64 bytes, and 64 more on each side, all poison. Ends the program where memory is out.
float *check_alloc(size_t count);
void check_free(float *p); // NULL is fine
bool check_is_poison(float f);

// A copy of `count` floats that ends where memory ends: reading one byte more ends the test by a signal. For reads of
// lanes that are then not used, which poison cannot show. Aligned to 64 where count is a multiple of 16.
float *check_copy_to_wall(const float *p, size_t count);
void check_free_at_wall(float *copy, size_t count);

// What an output must hold. An element whose tolerance stays negative must still be poison. An element whose value is
// NaN must be a NaN; an infinite one the same infinity.
typedef struct check_expected {
    size_t count;
    double *value, *tolerance; // [count]
} check_expected;
check_expected *check_expect(size_t count);
void check_expect_free(check_expected *e);

// True where `got` (of check_alloc, of e->count floats) is as expected and nothing around it was written. Otherwise
// prints kernel, seed, shape, the first wrong index and both values.
bool check_compare(const check_case *c, const check_expected *e, const float *got);
// True where both arrays have the same bits.
bool check_same_bits(const check_case *c, const float *a, const float *b, size_t count);

#endif
