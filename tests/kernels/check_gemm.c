// SPDX-License-Identifier: Apache-2.0
// Every gemm kernel against the oracle of gemm_case.h.
#include "tests/kernels/check_act.h"
#include "tests/kernels/gemm_case.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool agrees(const gemm_kernel *kernel, const gemm_problem *p, uint64_t seed) {
    gemm_case s;
    gemm_case_set_up(&s, kernel, p, seed);
    check_expected *want = check_expect(s.out_count);
    for (uint32_t row = 0; row < p->m; row++) {
        for (uint32_t n = 0; n < s.g.groups * 8; n++) gemm_case_expect(&s, row, n, want);
    }
    gemm_case_run(&s, 0, p->m);
    bool is_right = check_compare(&s.c, want, s.out);
    check_expect_free(want);
    gemm_case_close(&s);
    return is_right;
}

static void row_counts(const gemm_kernel *kernel) {
    for (uint32_t m = 1; m <= 2 * kernel->mr + 1; m++) {
        gemm_problem p = {.m = m, .segment_count = 2, .counts = {16, 16}};
        cr_assert(agrees(kernel, &p, check_seed() + m));
    }
}
Test(gemm, every_number_of_rows) {
    gemm_case_each(row_counts);
}

static void segment_counts(const gemm_kernel *kernel) {
    static const gemm_problem shapes[] = {
        {.segment_count = 1, .counts = {1}},
        {.segment_count = 1, .counts = {3}},
        {.segment_count = 3, .counts = {9, 9, 9}},
        {.segment_count = 2, .counts = {16, 8}},
        {.segment_count = 3, .counts = {24, 1, 16}},
        {.segment_count = 5, .counts = {1, 2, 3, 4, 5}},
        {.segment_count = 1, .counts = {1024}},
        {.segment_count = 9, .counts = {16, 16, 16, 16, 16, 16, 16, 16, 16}},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (uint32_t extra = 0; extra < 2; extra++) {
            gemm_problem p = shapes[i];
            p.m = kernel->mr + extra;
            if (gemm_case_suits(kernel, &p)) cr_assert(agrees(kernel, &p, check_seed() + i));
        }
    }
}
Test(gemm, every_kind_of_segment) {
    gemm_case_each(segment_counts);
}

static void group_counts(const gemm_kernel *kernel) {
    for (uint32_t groups = 1; groups <= kernel->nr / 8; groups++) {
        for (int residual = 0; residual < 2; residual++) {
            gemm_problem p = {.m = 2 * kernel->mr - 1,
                              .groups = groups,
                              .segment_count = 1,
                              .counts = {20},
                              .has_residual = residual != 0};
            cr_assert(agrees(kernel, &p, check_seed() + groups));
            p.act.kind = ACT_SILU;
            cr_assert(agrees(kernel, &p, check_seed() + groups));
        }
    }
}
Test(gemm, stores_only_the_groups_asked_for) {
    gemm_case_each(group_counts);
}

static void fillings(const gemm_kernel *kernel) {
    for (int filling = 0; filling < CHECK_FILLINGS; filling++) {
        for (uint32_t i = 0; i < CHECK_ACTS; i++) {
            gemm_problem p = {.m = kernel->mr + 2,
                              .segment_count = 2,
                              .counts = {16, 7},
                              .has_residual = i % 2 == 0,
                              .act = check_acts[i],
                              .filling = (check_filling)filling};
            cr_assert(agrees(kernel, &p, check_seed() + i));
        }
    }
}
Test(gemm, every_activation_and_filling) {
    gemm_case_each(fillings);
}

static void every_row_count_with_every_activation(const gemm_kernel *kernel) {
    for (uint32_t m = 1; m <= kernel->mr; m++) {
        for (uint32_t i = 0; i < CHECK_ACTS; i++) {
            gemm_problem p = {.m = m, .segment_count = 1, .counts = {5}, .has_residual = true, .act = check_acts[i]};
            cr_assert(agrees(kernel, &p, check_seed() + m));
        }
    }
}
Test(gemm, every_tile_ends_with_every_activation) {
    gemm_case_each(every_row_count_with_every_activation);
}

// Rows at equal distances may go through other tiles: all of them or some, with the same bits.
static void even_rows(const gemm_kernel *kernel, const gemm_problem *p) {
    cr_assert(agrees(kernel, p, check_seed()));
    gemm_case even, any;
    gemm_case_set_up(&even, kernel, p, check_seed());
    gemm_case_set_up(&any, kernel, p, check_seed());
    any.g.run = 0;
    gemm_case_run(&any, 0, p->m);
    for (uint32_t m = 0, end; m < p->m; m = end) { // 28 at first, and then what crosses the ends of runs
        end = m == 0 ? 28 : m + p->run < p->m ? m + p->run : p->m;
        gemm_case_run(&even, m, end);
    }
    cr_assert(check_same_bits(&even.c, any.out, even.out, even.out_count));
    gemm_case_close(&even), gemm_case_close(&any);
}

static void equal_distances(const gemm_kernel *kernel) {
    static const gemm_problem shapes[] = {
        {.run = 112, .segment_count = 3, .counts = {9, 9, 9}},
        {.run = 56, .segment_count = 1, .counts = {1}},
        {.run = 28, .segment_count = 2, .counts = {16, 6}, .has_next = true},
        {.run = 28, .segment_count = 1, .counts = {8}, .has_residual = true},
        {.run = 28, .groups = 1, .segment_count = 1, .counts = {8}},
        {.run = 30, .segment_count = 1, .counts = {16}}, // no whole tiles
        {.run = 42, .segment_count = 1, .counts = {16}}, // of the wider kernels only
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (uint32_t j = 0; j < CHECK_ACTS; j++) {
            gemm_problem p = shapes[i];
            p.m = 3 * p.run;
            p.act = check_acts[j];
            if (gemm_case_suits(kernel, &p)) even_rows(kernel, &p);
        }
    }
}
Test(gemm, rows_at_equal_distances) {
    gemm_case_each(equal_distances);
}

// Rows and channels as the networks have them; more rows than these repeat the same tiles.
static void network_shapes(const gemm_kernel *kernel) {
    static const struct {
        uint32_t m, k;
    } shapes[] = {{3136, 16}, {3136, 24}, {784, 32},  {784, 144}, {196, 256},
                  {196, 512}, {49, 512},  {49, 1024}, {361, 728}, {100, 1536}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int panels = 0; panels < 2; panels++) { // one stretch of K channels, or panels of 16 and a last of 8
            gemm_problem p = {.m = shapes[i].m, .segment_count = 1, .counts = {(int32_t)shapes[i].k}, .has_next = true};
            uint32_t segments = (shapes[i].k + 15) / 16;
            if (panels && segments > GEMM_SEGMENTS_MAX) continue;
            if (panels) {
                p.segment_count = segments;
                for (uint32_t s = 0; s < segments; s++) p.counts[s] = shapes[i].k - 16 * s < 16 ? 8 : 16;
            }
            cr_assert(agrees(kernel, &p, check_seed() + i));
        }
    }
}
Test(gemm, network_shapes, .timeout = 120) {
    gemm_case_each(network_shapes);
}

// With one k, weights of 1 and no bias a sum is its input, so only the activation's own error is left.
static void activation_sweep(const gemm_kernel *kernel) {
    for (uint32_t i = 0; i < CHECK_ACTS; i++) {
        gemm_problem p = {.m = 512, .segment_count = 1, .counts = {1}, .act = check_acts[i]};
        gemm_case s;
        gemm_case_set_up(&s, kernel, &p, check_seed());
        check_expected *want = check_expect(s.out_count);
        for (uint32_t n = 0; n < kernel->nr; n++) s.w[n] = 1, s.bias[n] = 0;
        check_free(s.b);
        s.g.b = s.b = gemm_case_pack(kernel, s.w, 1);
        for (uint32_t row = 0; row < p.m; row++) {
            float x = (float)(row % 2 ? 10 : 100) * check_unit(&s.c);
            s.a[s.a_offset[row]] = x;
            for (uint32_t n = 0; n < kernel->nr; n++) {
                int32_t at = s.c_offset[row] + s.g.c_group[n / 8] + (int32_t)(n % 8);
                want->value[at] = check_act(p.act, (double)x);
                want->tolerance[at] = check_act_tolerance(p.act, (double)x, 0);
            }
        }
        gemm_case_run(&s, 0, p.m);
        cr_assert(check_compare(&s.c, want, s.out));
        check_expect_free(want);
        gemm_case_close(&s);
    }
}
Test(gemm, activations_are_accurate_to_four_roundings) {
    gemm_case_each(activation_sweep);
}

// ---- extremes -----------------------------------------------------------------------------------------------------

static void refill(gemm_case *s, const gemm_problem *p, float (*input)(check_case *c), float (*weight)(check_case *c)) {
    for (uint32_t i = 0; i < p->segment_count; i++) {
        for (uint32_t row = 0; row < p->m; row++) {
            float *a = s->a + (s->g.a - s->a) + s->segments[i].offset + s->a_offset[row];
            for (int32_t j = 0; j < p->counts[i]; j++) a[j] = input(&s->c);
        }
    }
    for (uint32_t i = 0; i < s->kernel->nr * s->g.k; i++) s->w[i] = weight(&s->c);
    check_free(s->b);
    s->g.b = s->b = gemm_case_pack(s->kernel, s->w, s->g.k);
}

static float largest(check_case *c) {
    float u = check_unit(c), size = FLT_MAX * (1 - u * u * 0x1p-7f);
    return check_below(c, 2) ? size : -size;
}
static float small(check_case *c) {
    return check_unit(c) * 0x1p-10f;
}
static float tiny(check_case *c) {
    return check_unit(c) * 0x1p-113f;
}
static float big(check_case *c) {
    return check_unit(c) * 0x1p100f;
}

static void extremes(const gemm_kernel *kernel) {
    float (*const fills[][2])(check_case *) = {{largest, small}, {small, largest}, {tiny, big}, {big, tiny}};
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        gemm_problem p = {.m = kernel->mr + 1, .segment_count = 2, .counts = {16, 23}};
        gemm_case s;
        gemm_case_set_up(&s, kernel, &p, check_seed() + i);
        refill(&s, &p, fills[i][0], fills[i][1]);
        check_expected *want = check_expect(s.out_count);
        for (uint32_t row = 0; row < p.m; row++) {
            for (uint32_t n = 0; n < s.g.groups * 8; n++) gemm_case_expect(&s, row, n, want);
        }
        gemm_case_run(&s, 0, p.m);
        cr_assert(check_compare(&s.c, want, s.out), "fills %zu", i);
        check_expect_free(want);
        gemm_case_close(&s);
    }
}
Test(gemm, the_largest_and_the_smallest_floats) {
    gemm_case_each(extremes);
}

// What is not finite spoils its own row, or its own channel, and no other.
static void not_finite(const gemm_kernel *kernel) {
    static const float values[] = {INFINITY, -INFINITY, NAN};
    gemm_problem p = {.m = 20, .segment_count = 2, .counts = {16, 23}};
    gemm_case s;
    gemm_case_set_up(&s, kernel, &p, check_seed());
    gemm_case_run(&s, 0, p.m);
    float *before = check_alloc(s.out_count);
    memcpy(before, s.out, s.out_count * sizeof *before);
    for (size_t v = 0; v < 6; v++) {
        uint32_t row = check_below(&s.c, p.m), n = check_below(&s.c, kernel->nr), k = check_below(&s.c, 16);
        float *a = (float *)(uintptr_t)(s.g.a + s.segments[0].offset + s.a_offset[row]) + k, old_a = *a;
        float *w = s.w + (size_t)n * s.g.k + k, old_w = *w;
        *(v < 3 ? a : w) = values[v % 3];
        check_free(s.b);
        s.g.b = s.b = gemm_case_pack(kernel, s.w, s.g.k);
        gemm_case_run(&s, 0, p.m);
        for (uint32_t r = 0; r < p.m; r++) {
            for (uint32_t i = 0; i < kernel->nr; i++) {
                int32_t at = s.c_offset[r] + s.g.c_group[i / 8] + (int32_t)(i % 8);
                if (v < 3 ? r == row : i == n)
                    cr_assert(!isfinite(s.out[at]), "%s: value %zu, row %u, channel %u: %g", kernel->name, v, r, i,
                              (double)s.out[at]);
                else
                    cr_assert(check_same_bits(&s.c, before + at, s.out + at, 1), "value %zu", v);
            }
        }
        *a = old_a, *w = old_w;
    }
    check_free(before);
    gemm_case_close(&s);
}
Test(gemm, infinity_and_nan_stay_in_their_row_or_channel) {
    gemm_case_each(not_finite);
}

// Root of the mean square of errors in units of the sum of |a b|.
static double rms_error(const gemm_kernel *kernel, const gemm_problem *p) {
    gemm_case s;
    gemm_case_set_up(&s, kernel, p, check_seed());
    check_expected *want = check_expect(s.out_count);
    for (uint32_t row = 0; row < p->m; row++) {
        for (uint32_t n = 0; n < kernel->nr; n++) gemm_case_expect(&s, row, n, want);
    }
    gemm_case_run(&s, 0, p->m);
    double squares = 0, count = 0;
    for (uint32_t i = 0; i < s.out_count; i++) {
        if (want->tolerance[i] < 0) continue;
        double error = ((double)s.out[i] - want->value[i]) / want->tolerance[i];
        squares += error * error, count++;
    }
    check_expect_free(want);
    gemm_case_close(&s);
    return sqrt(squares / count);
}
Test(gemm, tiles_round_no_worse_than_f32) {
    if (dsc_isa_best() < DSC_ISA_AMX) cr_skip_test("this CPU has no AMX");
    static const int32_t ks[] = {32, 48, 144, 512};
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
        gemm_problem p = {.m = 64, .segment_count = 1, .counts = {ks[i]}};
        double tiles = rms_error(gemm_find(DSC_ISA_AMX, 32), &p), f32 = rms_error(gemm_find(DSC_ISA_AVX512, 32), &p);
        cr_assert(tiles > 0 && tiles <= f32, "k %d: %g, f32 %g", ks[i], tiles, f32);
    }
}

// Rows of some mean square, by pairs of products and by plain ones.
static double fip_over_plain(uint32_t nr, int32_t k, float size) {
    double error[2];
    const dsc_isa tiers[] = {DSC_ISA_FIP, DSC_ISA_AVX512};
    for (int t = 0; t < 2; t++) {
        gemm_problem p = {.m = 64, .segment_count = 1, .counts = {k}};
        gemm_case s;
        gemm_case_set_up(&s, gemm_find(tiers[t], nr), &p, check_seed());
        for (uint32_t row = 0; row < p.m; row++) {
            float *a = (float *)(uintptr_t)(s.g.a + s.segments[0].offset + s.a_offset[row]);
            for (int32_t j = 0; j < k; j++) a[j] *= size;
        }
        check_expected *want = check_expect(s.out_count);
        double squares = 0;
        gemm_case_run(&s, 0, p.m);
        for (uint32_t row = 0; row < p.m; row++) {
            for (uint32_t n = 0; n < nr; n++) {
                gemm_case_expect(&s, row, n, want);
                int32_t at = s.c_offset[row] + s.g.c_group[n / 8] + (int32_t)(n % 8);
                squares += pow((double)s.out[at] - want->value[at], 2);
            }
        }
        error[t] = sqrt(squares);
        check_expect_free(want);
        gemm_case_close(&s);
    }
    return error[0] / error[1];
}

// Inputs are between -1 and 1, their mean square is a third; times 13 it is the last one that goes by pairs.
Test(gemm, fip_rounds_nearly_as_well_as_f32) {
    if (dsc_isa_best() < DSC_ISA_FIP) cr_skip_test("this CPU does not offer the tier fip");
    for (int32_t k = 64; k <= 1024; k *= 4) {
        double even = fip_over_plain(48, k, 1.7f), large = fip_over_plain(32, k, 13),
               small = fip_over_plain(48, k, 0.23f);
        printf("k %d: fip errs %.2f times as much as f32, %.2f and %.2f where inputs are large or small\n", k, even,
               large, small);
        cr_assert(even > 1 && even < 2, "k %d: %g", k, even);
        cr_assert(large > 2 && large < 8, "k %d: %g", k, large);
        cr_assert(small > 2 && small < 8, "k %d: %g", k, small);
        cr_assert(fip_over_plain(48, k, 16) == 1 && fip_over_plain(48, k, 0.1f) == 1, "rows beyond are summed as f32");
    }
}

// Rows too large or too small for pairs lie between others: theirs are the bits of the f32 form.
static void beyond_pairs(const gemm_kernel *kernel) {
    if (!gemm_case_is_fip(kernel)) return;
    gemm_problem p = {.m = 49, .segment_count = 3, .counts = {16, 16, 13}, .has_residual = true};
    gemm_case fip, mixed, plain;
    gemm_case_set_up(&fip, kernel, &p, check_seed());
    gemm_case_set_up(&mixed, kernel, &p, check_seed());
    gemm_case_set_up(&plain, gemm_find(DSC_ISA_AVX512, kernel->nr), &p, check_seed());
    static const float beyond[] = {0.001f, 1000, 1e-15f, 1e15f, 16, 0.01f}; // on either side of both bounds
    bool is_beyond[49];
    for (uint32_t row = 0; row < p.m; row++) {
        is_beyond[row] = check_below(&fip.c, 3) == 0;
        for (uint32_t i = 0; i < p.segment_count && is_beyond[row]; i++) {
            float *a = mixed.a + (mixed.g.a - mixed.a) + mixed.segments[i].offset + mixed.a_offset[row];
            float *b = plain.a + (plain.g.a - plain.a) + plain.segments[i].offset + plain.a_offset[row];
            for (int32_t j = 0; j < p.counts[i]; j++) a[j] = b[j] *= beyond[row % 6];
        }
    }
    gemm_case_run(&fip, 0, p.m), gemm_case_run(&mixed, 0, p.m), gemm_case_run(&plain, 0, p.m);
    for (uint32_t row = 0; row < p.m; row++) {
        for (uint32_t i = 0; i < kernel->nr / 8; i++) {
            int32_t at = mixed.c_offset[row] + mixed.g.c_group[i];
            const float *want = is_beyond[row] ? plain.out : fip.out;
            cr_assert(check_same_bits(&mixed.c, want + at, mixed.out + at, 8), "row %u", row);
        }
    }
    gemm_case_close(&fip), gemm_case_close(&mixed), gemm_case_close(&plain);
}
Test(gemm, rows_beyond_pairs_are_summed_as_f32) {
    gemm_case_each(beyond_pairs);
}

// Factors for inputs: the bits are those of inputs that were multiplied before.
static void scaled(const gemm_kernel *kernel) {
    if (kernel->form->reads_inputs) return;
    for (int32_t tail = 0; tail < 32; tail += 7) {
        gemm_problem p = {.m = 40, .segment_count = 3, .counts = {16, 16, 16 + tail}};
        gemm_case once, before;
        gemm_case_set_up(&once, kernel, &p, check_seed());
        gemm_case_set_up(&before, kernel, &p, check_seed());
        float *scale = check_alloc(once.g.k);
        check_fill(&once.c, scale, once.g.k, CHECK_RANDOM);
        for (uint32_t row = 0; row < p.m; row++) {
            for (uint32_t i = 0, k = 0; i < p.segment_count; i++) {
                float *a = before.a + (before.g.a - before.a) + before.segments[i].offset + before.a_offset[row];
                for (int32_t j = 0; j < p.counts[i]; j++) a[j] *= scale[k++];
            }
        }
        once.g.scale = scale;
        gemm_case_run(&once, 0, p.m);
        gemm_case_run(&before, 0, p.m);
        cr_assert(check_same_bits(&once.c, once.out, before.out, once.out_count));
        check_free(scale);
        gemm_case_close(&once);
        gemm_case_close(&before);
    }
}
Test(gemm, inputs_can_be_scaled_where_they_are_prepared) {
    gemm_case_each(scaled);
}

// However the rows are split, the bits are the same.
static void splits(const gemm_kernel *kernel) {
    gemm_problem p = {.m = 49, .segment_count = 3, .counts = {64, 16, 9}, .has_residual = true, .has_next = true};
    gemm_case whole, parts;
    gemm_case_set_up(&whole, kernel, &p, check_seed());
    gemm_case_set_up(&parts, kernel, &p, check_seed());
    gemm_case_run(&whole, 0, p.m);
    for (uint32_t step = 1; step <= p.m; step++) {
        for (uint32_t m = 0; m < p.m; m += step) gemm_case_run(&parts, m, m + step < p.m ? m + step : p.m);
        cr_assert(check_same_bits(&parts.c, whole.out, parts.out, whole.out_count), "steps of %u", step);
        check_free(parts.out);
        parts.out = parts.g.c = check_alloc(parts.out_count);
    }
    gemm_case_close(&whole);
    gemm_case_close(&parts);
}
Test(gemm, same_bits_however_rows_are_split) {
    gemm_case_each(splits);
}

static void no_rows(const gemm_kernel *kernel) {
    gemm_problem p = {.m = 3, .segment_count = 1, .counts = {4}};
    gemm_case s;
    gemm_case_set_up(&s, kernel, &p, check_seed());
    check_expected *nothing = check_expect(s.out_count);
    gemm_case_run(&s, 2, 2);
    cr_assert(check_compare(&s.c, nothing, s.out));
    check_expect_free(nothing);
    gemm_case_close(&s);
}
Test(gemm, an_empty_range_writes_nothing) {
    gemm_case_each(no_rows);
}

// Every array ends where memory ends.
static void walls(const gemm_kernel *kernel) {
    gemm_problem p = {.m = kernel->mr + 1, .segment_count = 1, .counts = {18}, .has_residual = true, .has_next = true};
    gemm_case s;
    gemm_case_set_up(&s, kernel, &p, check_seed());
    gemm_case_run(&s, 0, p.m);
    float *plain = s.out;
    size_t a_count = 0, b_count = kernel->form->panel_floats(kernel->nr, s.g.k), c_count = 0;
    for (uint32_t row = 0; row < p.m; row++) {
        size_t a_end = (size_t)s.a_offset[row] + s.g.k, c_end = (size_t)(s.c_offset[row] + s.g.c_group[0] + 8);
        if (kernel->nr % 16 == 0) c_end += 8; // the first two groups lie together, and last
        if (a_end > a_count) a_count = a_end;
        if (c_end > c_count) c_count = c_end;
    }
    float *a, *b, *bias, *c, *r;
    s.g.a = a = check_copy_to_wall(s.a, a_count);
    s.g.b = b = check_copy_to_wall(s.b, b_count);
    s.g.bias = bias = check_copy_to_wall(s.bias, kernel->nr);
    s.g.r = r = check_copy_to_wall(s.residual, c_count);
    s.g.c = c = check_copy_to_wall(s.residual, c_count);
    gemm_case_run(&s, 0, p.m);
    for (uint32_t row = 0; row < p.m; row++) {
        for (uint32_t i = 0; i < s.g.groups; i++) {
            int32_t at = s.c_offset[row] + s.g.c_group[i];
            cr_assert(check_same_bits(&s.c, plain + at, c + at, 8));
        }
    }
    check_free_at_wall(a, a_count), check_free_at_wall(b, b_count), check_free_at_wall(bias, kernel->nr);
    check_free_at_wall(c, c_count), check_free_at_wall(r, c_count);
    gemm_case_close(&s);
}
Test(gemm, reads_and_writes_nothing_behind_its_arrays) {
    gemm_case_each(walls);
}

// ---- the table, the split and the packing -----------------------------------------------------------------------

Test(gemm, split_covers_all_channels_with_kernels_that_exist) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AMX; isa++) {
        for (uint32_t n = 1; n <= 2100; n++) {
            uint32_t widths[2100 / 8 + 1], sum = 0, count = gemm_split(isa, n, widths);
            cr_assert(count >= 1 && count <= n / 8 + 1);
            for (uint32_t i = 0; i < count; i++) {
                const gemm_kernel *k = gemm_find(isa, widths[i]);
                cr_assert_not_null(k, "%s has no kernel for %u channels", dsc_isa_name(isa), widths[i]);
                cr_assert(k->isa <= isa);
                cr_assert(widths[i] % 16 == 0 || i == count - 1, "only the last panel may be odd");
                sum += widths[i];
            }
            bool is_narrow = isa == DSC_ISA_FIP && n <= 16; // there is no panel of 16
            cr_assert(sum >= n && sum < n + (is_narrow ? 32 : 16), "%u channels in %u", n, sum);
        }
    }
}

Test(gemm, split_of_no_channels_is_empty) {
    uint32_t widths[1];
    cr_assert_eq(gemm_split(DSC_ISA_REF, 0, widths), 0);
}

Test(gemm, find_never_goes_above_the_tier) {
    cr_assert_null(gemm_find(DSC_ISA_AVX512, 13));
    cr_assert_str_eq(gemm_find(DSC_ISA_REF, 16)->name, "gemm_f32_4x16_ref");
    cr_assert_str_eq(gemm_find(DSC_ISA_AVX2, 16)->name, "gemm_f32_6x16_avx2");
    cr_assert_str_eq(gemm_find(DSC_ISA_AVX2, 24)->name, "gemm_f32_4x24_avx2");
    cr_assert_null(gemm_find(DSC_ISA_AVX2, 32));
}

Test(gemm, tiles_are_for_shapes_where_they_pay) {
    cr_assert_eq(gemm_tier(DSC_ISA_AMX, 512, 512), DSC_ISA_AMX);
    cr_assert_eq(gemm_tier(DSC_ISA_AMX, 27, 512), DSC_ISA_AVX512);
    cr_assert_eq(gemm_tier(DSC_ISA_AMX, 512, 24), DSC_ISA_AVX512);
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AVX512; isa++) cr_assert_eq(gemm_tier(isa, 512, 512), isa);
    cr_assert_eq(gemm_tier(DSC_ISA_FIP, 96, 64), DSC_ISA_FIP);
    cr_assert_eq(gemm_tier(DSC_ISA_FIP, 39, 512), DSC_ISA_AVX512);
    cr_assert_eq(gemm_tier(DSC_ISA_FIP, 512, 63), DSC_ISA_AVX512);
    cr_assert_eq(gemm_tier(DSC_ISA_FIP, 64, 64), DSC_ISA_AVX512);
    cr_assert_not_null(gemm_find(DSC_ISA_AMX, 32)->form->prepare);
    cr_assert_null(gemm_find(DSC_ISA_AVX512, 32)->form->prepare);
}

Test(gemm, pack_takes_either_order_and_pads_with_zeros) {
    enum { K = 3, N = 10, NR = 8 };
    float w[N * K], transposed[K * N], b[K * NR], same[K * NR];
    for (int n = 0; n < N; n++) {
        for (int k = 0; k < K; k++) w[n * K + k] = transposed[k * N + n] = (float)(100 * n + k + 1);
    }
    gemm_pack(b, w, K, 1, 4, 6, NR, K);
    gemm_pack(same, transposed, K, N, 4, 6, NR, 1);
    cr_assert_arr_eq(b, same, sizeof b);
    for (int k = 0; k < K; k++) {
        for (int i = 0; i < NR; i++) cr_assert(b[k * NR + i] == (i < 6 ? (float)(100 * (4 + i) + k + 1) : 0.0f));
    }
}
