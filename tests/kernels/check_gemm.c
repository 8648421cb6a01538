// SPDX-License-Identifier: Apache-2.0
// Every gemm kernel against a double-precision oracle that starts from unpacked weights, so that a packing mistake
// cannot hide in both.
#include "engine/kernels/gemm.h"
#include "tests/kernels/check.h"
#include "tests/kernels/check_act.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MAX 64

// What is to be computed.
typedef struct problem {
    uint32_t m, groups; // groups 0: all of the kernel's
    uint32_t segment_count;
    int32_t counts[SEGMENTS_MAX];
    bool has_residual, has_next;
    act act;
    check_filling filling;
} problem;

// The same laid out in memory, with poison between everything.
typedef struct setup {
    check_case c;
    gemm_args g;
    const gemm_kernel *kernel;
    uint32_t m;
    gemm_segment segments[SEGMENTS_MAX];
    int32_t *a_offset, *c_offset;
    float *a, *w, *b, *bias, *out, *residual;
    uint32_t out_count;
} setup;

// A panel of all the kernel's channels from w[n][k], in two runs of k.
static float *packed(const gemm_kernel *kernel, const float *w, uint32_t k) {
    size_t floats = kernel->form->panel_floats(kernel->nr, k);
    float *b = check_alloc(floats);
    memset(b, 0, floats * sizeof *b);
    gemm_weights run = {.w = w, .n = kernel->nr, .n_stride = k, .k_stride = 1, .count = k / 2, .k = k};
    kernel->form->pack(b, kernel->nr, &run);
    run.w += k / 2, run.k0 = k / 2, run.count = k - k / 2;
    kernel->form->pack(b, kernel->nr, &run);
    return b;
}

static void run(setup *s, uint32_t m0, uint32_t m1) {
    const gemm_form *form = s->kernel->form;
    if (form->prepare && m0 < m1) {
        size_t floats = form->prepared_bytes(s->g.k, m1 - m0) / sizeof(float);
        float *prepared = check_alloc(floats), *guard = check_alloc(0);
        form->prepare(&s->g, m0, m1, prepared);
        cr_assert(check_same_bits(&s->c, guard, prepared + floats, 64), "prepare() wrote behind its memory");
        s->g.prepared = prepared;
        s->kernel->run(&s->g, m0, m1);
        check_free(prepared), check_free(guard);
    } else {
        s->kernel->run(&s->g, m0, m1);
    }
}

// Rows in a random order, `pitch` floats apart.
static int32_t *shuffled_rows(check_case *c, uint32_t m, uint32_t pitch) {
    int32_t *offset = malloc((m + 1) * sizeof *offset);
    cr_assert_not_null(offset);
    for (uint32_t p = 0; p < m; p++) {
        uint32_t other = check_below(c, p + 1);
        offset[p] = offset[other];
        offset[other] = (int32_t)(p * pitch);
    }
    return offset;
}

// One region of memory for each segment, in it one stretch for each row; the kernel's origin lies inside the block, so
// that offsets of segments are negative too.
static void lay_out_inputs(setup *s, const problem *p) {
    uint32_t pitch = 0, k = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        if ((uint32_t)p->counts[i] > pitch) pitch = (uint32_t)p->counts[i];
        k += (uint32_t)p->counts[i];
    }
    pitch += 1 + check_below(&s->c, 4);
    int32_t region = (int32_t)(p->m * pitch + check_below(&s->c, 20)),
            origin = (int32_t)(p->segment_count / 2) * region;
    s->a = check_alloc((size_t)region * p->segment_count);
    s->a_offset = shuffled_rows(&s->c, p->m, pitch);
    for (uint32_t i = 0; i < p->segment_count; i++) {
        // the first and the last segment change places, so that segments do not lie in the order of k
        uint32_t place = i == 0 ? p->segment_count - 1 : i == p->segment_count - 1 ? 0 : i;
        s->segments[i] = (gemm_segment){(int32_t)place * region - origin, p->counts[i]};
        for (uint32_t row = 0; row < p->m; row++) {
            check_fill(&s->c, s->a + (int32_t)place * region + s->a_offset[row], (size_t)p->counts[i], p->filling);
        }
    }
    s->g.a = s->a + origin;
    s->g.a_offset = s->a_offset;
    s->g.segments = s->segments;
    s->g.segment_count = p->segment_count;
    s->g.k = k;
}

static void lay_out_weights(setup *s, const problem *p) {
    uint32_t nr = s->kernel->nr, k = s->g.k;
    check_filling filling = p->filling == CHECK_HUGE ? CHECK_RANDOM : p->filling; // products must stay finite
    s->w = check_alloc((size_t)nr * k);                                           // [n][k]
    s->bias = check_alloc(nr);
    check_fill(&s->c, s->w, (size_t)nr * k, filling);
    check_fill(&s->c, s->bias, nr, filling);
    s->g.b = s->b = packed(s->kernel, s->w, k);
    s->g.bias = s->bias;
    s->g.next_b = p->has_next ? s->w : NULL;
}

// Groups in reverse order with gaps; pairs stay together where the contract promises it.
static void lay_out_outputs(setup *s, const problem *p) {
    uint32_t groups = s->kernel->nr / 8, together = s->kernel->nr % 16 == 0 ? 2 : 1;
    uint32_t gap = check_below(&s->c, 3), pitch = groups * (8 + gap) + 3;
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t bundle = (groups - 1 - i) / together, within = i % together;
        s->g.c_group[i] = (int32_t)(bundle * together * (8 + gap) + within * 8);
    }
    memcpy(s->g.r_group, s->g.c_group, sizeof s->g.r_group);
    s->g.groups = p->groups ? p->groups : groups;
    s->c_offset = shuffled_rows(&s->c, p->m, pitch);
    s->g.c_offset = s->g.r_offset = s->c_offset;
    s->out_count = p->m * pitch;
    s->g.c = s->out = check_alloc(s->out_count);
    if (!p->has_residual) return;
    s->g.r = s->residual = check_alloc(s->out_count);
    for (uint32_t row = 0; row < p->m; row++) {
        for (uint32_t i = 0; i < s->g.groups; i++) {
            check_fill(&s->c, s->residual + s->c_offset[row] + s->g.r_group[i], 8, p->filling);
        }
    }
}

static void set_up(setup *s, const gemm_kernel *kernel, const problem *p, uint64_t seed) {
    *s = (setup){.c = check_begin(kernel->name, seed), .kernel = kernel, .m = p->m, .g.act = p->act};
    lay_out_inputs(s, p);
    lay_out_weights(s, p);
    lay_out_outputs(s, p);
    check_shape(&s->c, "m %u, k %u in %u segments of %d.., %u groups, residual %d, next %d, act %d, %s", p->m, s->g.k,
                p->segment_count, p->counts[0], s->g.groups, p->has_residual, p->has_next, (int)p->act.kind,
                check_filling_name(p->filling));
}

static void tear_down(setup *s) {
    check_free(s->a), check_free(s->w), check_free(s->b), check_free(s->bias), check_free(s->out);
    check_free(s->residual);
    free(s->a_offset), free(s->c_offset);
}

// Output channel n of row p.
static void expect_one(const setup *s, uint32_t p, uint32_t n, check_expected *want) {
    int32_t at = s->c_offset[p] + s->g.c_group[n / 8] + (int32_t)(n % 8);
    double sum = (double)s->bias[n], magnitude = fabs(sum), flushed = 3 * (double)FLT_MIN;
    const float *w = s->w + (size_t)n * s->g.k;
    for (uint32_t i = 0; i < s->g.segment_count; i++) {
        const float *a = s->g.a + s->a_offset[p] + s->segments[i].offset;
        for (int32_t j = 0; j < s->segments[i].count; j++) {
            double product = (double)a[j] * (double)*w++;
            sum += product;
            magnitude += fabs(product);
            flushed += (double)FLT_MIN * (fabs((double)a[j]) + fabs((double)w[-1]) + 1);
        }
    }
    if (s->residual) {
        sum += (double)s->residual[at];
        magnitude += fabs((double)s->residual[at]);
    }
    double error = (s->g.k + 2) * ((double)FLT_EPSILON * magnitude + (double)FLT_TRUE_MIN);
    if (s->kernel->form->prepare) error += flushed; // tiles take what is below FLT_MIN for zero, in parts and products
    want->value[at] = check_act(s->g.act, sum);
    want->tolerance[at] = check_act_tolerance(s->g.act, sum, error);
}

static bool agrees(const gemm_kernel *kernel, const problem *p, uint64_t seed) {
    setup s;
    set_up(&s, kernel, p, seed);
    check_expected *want = check_expect(s.out_count);
    for (uint32_t row = 0; row < p->m; row++) {
        for (uint32_t n = 0; n < s.g.groups * 8; n++) expect_one(&s, row, n, want);
    }
    run(&s, 0, p->m);
    bool is_right = check_compare(&s.c, want, s.out);
    check_expect_free(want);
    tear_down(&s);
    return is_right;
}

// Calls `check` for every kernel that this CPU can run.
static void each_kernel(void (*check)(const gemm_kernel *kernel)) {
    uint32_t count;
    const gemm_kernel *kernels = gemm_kernels(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (check_can_run(kernels[i].name, kernels[i].isa)) check(&kernels[i]);
    }
}

static void row_counts(const gemm_kernel *kernel) {
    for (uint32_t m = 1; m <= 2 * kernel->mr + 1; m++) {
        problem p = {.m = m, .segment_count = 2, .counts = {16, 16}};
        cr_assert(agrees(kernel, &p, check_seed() + m));
    }
}
Test(gemm, every_number_of_rows) {
    each_kernel(row_counts);
}

static void segment_counts(const gemm_kernel *kernel) {
    static const problem shapes[] = {
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
            problem p = shapes[i];
            p.m = kernel->mr + extra;
            cr_assert(agrees(kernel, &p, check_seed() + i));
        }
    }
}
Test(gemm, every_kind_of_segment) {
    each_kernel(segment_counts);
}

static void group_counts(const gemm_kernel *kernel) {
    for (uint32_t groups = 1; groups <= kernel->nr / 8; groups++) {
        for (int residual = 0; residual < 2; residual++) {
            problem p = {.m = 2 * kernel->mr - 1,
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
    each_kernel(group_counts);
}

static void fillings(const gemm_kernel *kernel) {
    for (int filling = 0; filling < CHECK_FILLINGS; filling++) {
        for (uint32_t i = 0; i < CHECK_ACTS; i++) {
            problem p = {.m = kernel->mr + 2,
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
    each_kernel(fillings);
}

static void every_row_count_with_every_activation(const gemm_kernel *kernel) {
    for (uint32_t m = 1; m <= kernel->mr; m++) {
        for (uint32_t i = 0; i < CHECK_ACTS; i++) {
            problem p = {.m = m, .segment_count = 1, .counts = {5}, .has_residual = true, .act = check_acts[i]};
            cr_assert(agrees(kernel, &p, check_seed() + m));
        }
    }
}
Test(gemm, every_tile_ends_with_every_activation) {
    each_kernel(every_row_count_with_every_activation);
}

// Rows and channels as the networks have them; more rows than these repeat the same tiles.
static void network_shapes(const gemm_kernel *kernel) {
    static const struct {
        uint32_t m, k;
    } shapes[] = {{3136, 16}, {3136, 24}, {784, 32},  {784, 144}, {196, 256},
                  {196, 512}, {49, 512},  {49, 1024}, {361, 728}, {100, 1536}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int panels = 0; panels < 2; panels++) { // one stretch of K channels, or panels of 16 and a last of 8
            problem p = {.m = shapes[i].m, .segment_count = 1, .counts = {(int32_t)shapes[i].k}, .has_next = true};
            uint32_t segments = (shapes[i].k + 15) / 16;
            if (panels && segments > SEGMENTS_MAX) continue;
            if (panels) {
                p.segment_count = segments;
                for (uint32_t s = 0; s < segments; s++) p.counts[s] = shapes[i].k - 16 * s < 16 ? 8 : 16;
            }
            cr_assert(agrees(kernel, &p, check_seed() + i));
        }
    }
}
Test(gemm, network_shapes, .timeout = 120) {
    each_kernel(network_shapes);
}

// With one k, weights of 1 and no bias a sum is its input, so only the activation's own error is left.
static void activation_sweep(const gemm_kernel *kernel) {
    for (uint32_t i = 0; i < CHECK_ACTS; i++) {
        problem p = {.m = 512, .segment_count = 1, .counts = {1}, .act = check_acts[i]};
        setup s;
        set_up(&s, kernel, &p, check_seed());
        check_expected *want = check_expect(s.out_count);
        for (uint32_t n = 0; n < kernel->nr; n++) s.w[n] = 1, s.bias[n] = 0;
        check_free(s.b);
        s.g.b = s.b = packed(kernel, s.w, 1);
        for (uint32_t row = 0; row < p.m; row++) {
            float x = (float)(row % 2 ? 10 : 100) * check_unit(&s.c);
            s.a[s.a_offset[row]] = x;
            for (uint32_t n = 0; n < kernel->nr; n++) {
                int32_t at = s.c_offset[row] + s.g.c_group[n / 8] + (int32_t)(n % 8);
                want->value[at] = check_act(p.act, (double)x);
                want->tolerance[at] = check_act_tolerance(p.act, (double)x, 0);
            }
        }
        run(&s, 0, p.m);
        cr_assert(check_compare(&s.c, want, s.out));
        check_expect_free(want);
        tear_down(&s);
    }
}
Test(gemm, activations_are_accurate_to_four_roundings) {
    each_kernel(activation_sweep);
}

// ---- extremes -----------------------------------------------------------------------------------------------------

static void refill(setup *s, const problem *p, float (*input)(check_case *c), float (*weight)(check_case *c)) {
    for (uint32_t i = 0; i < p->segment_count; i++) {
        for (uint32_t row = 0; row < p->m; row++) {
            float *a = s->a + (s->g.a - s->a) + s->segments[i].offset + s->a_offset[row];
            for (int32_t j = 0; j < p->counts[i]; j++) a[j] = input(&s->c);
        }
    }
    for (uint32_t i = 0; i < s->kernel->nr * s->g.k; i++) s->w[i] = weight(&s->c);
    check_free(s->b);
    s->g.b = s->b = packed(s->kernel, s->w, s->g.k);
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
        problem p = {.m = kernel->mr + 1, .segment_count = 2, .counts = {16, 23}};
        setup s;
        set_up(&s, kernel, &p, check_seed() + i);
        refill(&s, &p, fills[i][0], fills[i][1]);
        check_expected *want = check_expect(s.out_count);
        for (uint32_t row = 0; row < p.m; row++) {
            for (uint32_t n = 0; n < s.g.groups * 8; n++) expect_one(&s, row, n, want);
        }
        run(&s, 0, p.m);
        cr_assert(check_compare(&s.c, want, s.out), "fills %zu", i);
        check_expect_free(want);
        tear_down(&s);
    }
}
Test(gemm, the_largest_and_the_smallest_floats) {
    each_kernel(extremes);
}

// What is not finite spoils its own row, or its own channel, and no other.
static void not_finite(const gemm_kernel *kernel) {
    static const float values[] = {INFINITY, -INFINITY, NAN};
    problem p = {.m = 20, .segment_count = 2, .counts = {16, 23}};
    setup s;
    set_up(&s, kernel, &p, check_seed());
    run(&s, 0, p.m);
    float *before = check_alloc(s.out_count);
    memcpy(before, s.out, s.out_count * sizeof *before);
    for (size_t v = 0; v < 6; v++) {
        uint32_t row = check_below(&s.c, p.m), n = check_below(&s.c, kernel->nr), k = check_below(&s.c, 16);
        float *a = (float *)(uintptr_t)(s.g.a + s.segments[0].offset + s.a_offset[row]) + k, old_a = *a;
        float *w = s.w + (size_t)n * s.g.k + k, old_w = *w;
        *(v < 3 ? a : w) = values[v % 3];
        check_free(s.b);
        s.g.b = s.b = packed(kernel, s.w, s.g.k);
        run(&s, 0, p.m);
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
    tear_down(&s);
}
Test(gemm, infinity_and_nan_stay_in_their_row_or_channel) {
    each_kernel(not_finite);
}

// Root of the mean square of errors in units of the sum of |a b|.
static double rms_error(const gemm_kernel *kernel, const problem *p) {
    setup s;
    set_up(&s, kernel, p, check_seed());
    check_expected *want = check_expect(s.out_count);
    for (uint32_t row = 0; row < p->m; row++) {
        for (uint32_t n = 0; n < kernel->nr; n++) expect_one(&s, row, n, want);
    }
    run(&s, 0, p->m);
    double squares = 0, count = 0;
    for (uint32_t i = 0; i < s.out_count; i++) {
        if (want->tolerance[i] < 0) continue;
        double error = ((double)s.out[i] - want->value[i]) / want->tolerance[i];
        squares += error * error, count++;
    }
    check_expect_free(want);
    tear_down(&s);
    return sqrt(squares / count);
}
Test(gemm, tiles_round_no_worse_than_f32) {
    if (dsc_isa_best() < DSC_ISA_AMX) cr_skip_test("this CPU has no AMX");
    static const int32_t ks[] = {32, 48, 144, 512};
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
        problem p = {.m = 64, .segment_count = 1, .counts = {ks[i]}};
        double tiles = rms_error(gemm_find(DSC_ISA_AMX, 32), &p), f32 = rms_error(gemm_find(DSC_ISA_AVX512, 32), &p);
        cr_assert(tiles > 0 && tiles <= f32, "k %d: %g, f32 %g", ks[i], tiles, f32);
    }
}

// Factors for inputs: the bits are those of inputs that were multiplied before.
static void scaled(const gemm_kernel *kernel) {
    if (!kernel->form->prepare) return;
    for (int32_t tail = 0; tail < 32; tail += 7) {
        problem p = {.m = 40, .segment_count = 3, .counts = {16, 16, 16 + tail}};
        setup once, before;
        set_up(&once, kernel, &p, check_seed());
        set_up(&before, kernel, &p, check_seed());
        float *scale = check_alloc(once.g.k);
        check_fill(&once.c, scale, once.g.k, CHECK_RANDOM);
        for (uint32_t row = 0; row < p.m; row++) {
            for (uint32_t i = 0, k = 0; i < p.segment_count; i++) {
                float *a = before.a + (before.g.a - before.a) + before.segments[i].offset + before.a_offset[row];
                for (int32_t j = 0; j < p.counts[i]; j++) a[j] *= scale[k++];
            }
        }
        once.g.scale = scale;
        run(&once, 0, p.m);
        run(&before, 0, p.m);
        cr_assert(check_same_bits(&once.c, once.out, before.out, once.out_count));
        check_free(scale);
        tear_down(&once);
        tear_down(&before);
    }
}
Test(gemm, inputs_can_be_scaled_where_they_are_prepared) {
    each_kernel(scaled);
}

// However the rows are split, the bits are the same.
static void splits(const gemm_kernel *kernel) {
    problem p = {.m = 49, .segment_count = 3, .counts = {64, 16, 9}, .has_residual = true, .has_next = true};
    setup whole, parts;
    set_up(&whole, kernel, &p, check_seed());
    set_up(&parts, kernel, &p, check_seed());
    run(&whole, 0, p.m);
    for (uint32_t step = 1; step <= p.m; step++) {
        for (uint32_t m = 0; m < p.m; m += step) run(&parts, m, m + step < p.m ? m + step : p.m);
        cr_assert(check_same_bits(&parts.c, whole.out, parts.out, whole.out_count), "steps of %u", step);
        check_free(parts.out);
        parts.out = parts.g.c = check_alloc(parts.out_count);
    }
    tear_down(&whole);
    tear_down(&parts);
}
Test(gemm, same_bits_however_rows_are_split) {
    each_kernel(splits);
}

static void no_rows(const gemm_kernel *kernel) {
    problem p = {.m = 3, .segment_count = 1, .counts = {4}};
    setup s;
    set_up(&s, kernel, &p, check_seed());
    check_expected *nothing = check_expect(s.out_count);
    run(&s, 2, 2);
    cr_assert(check_compare(&s.c, nothing, s.out));
    check_expect_free(nothing);
    tear_down(&s);
}
Test(gemm, an_empty_range_writes_nothing) {
    each_kernel(no_rows);
}

// Every array ends where memory ends.
static void walls(const gemm_kernel *kernel) {
    problem p = {.m = kernel->mr + 1, .segment_count = 1, .counts = {18}, .has_residual = true, .has_next = true};
    setup s;
    set_up(&s, kernel, &p, check_seed());
    run(&s, 0, p.m);
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
    run(&s, 0, p.m);
    for (uint32_t row = 0; row < p.m; row++) {
        for (uint32_t i = 0; i < s.g.groups; i++) {
            int32_t at = s.c_offset[row] + s.g.c_group[i];
            cr_assert(check_same_bits(&s.c, plain + at, c + at, 8));
        }
    }
    check_free_at_wall(a, a_count), check_free_at_wall(b, b_count), check_free_at_wall(bias, kernel->nr);
    check_free_at_wall(c, c_count), check_free_at_wall(r, c_count);
    tear_down(&s);
}
Test(gemm, reads_and_writes_nothing_behind_its_arrays) {
    each_kernel(walls);
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
            cr_assert(sum >= n && sum < n + 16, "%u channels in %u", n, sum);
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
