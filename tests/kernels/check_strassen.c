// SPDX-License-Identifier: Apache-2.0
// What Strassen's algorithm asks of kernels: sums of inputs, of every tier, against their definition (one rounding
// each, so the bits must be the same), and gemm kernels that add to targets.
#include "engine/kernels/strassen.h"
#include "tests/kernels/check_act.h"
#include "tests/kernels/gemm_case.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

// Channels: of the first half, of the second. Pairs: of all, of those that are whole.
typedef struct sums_problem {
    uint32_t panels, channels, pairs, whole_pairs, room;
} sums_problem;

static const sums_problem problems[] = {{1, 16, 1, 1, 1},  {1, 8, 1, 0, 1},     {2, 32, 6, 6, 6}, {2, 24, 5, 5, 7},
                                        {3, 40, 7, 6, 12}, {3, 32, 13, 13, 13}, {3, 24, 2, 1, 3}, {23, 360, 31, 31, 36},
                                        {2, 16, 4, 0, 4},  {17, 256, 3, 2, 6}};

// The map: panels of 16 channels, pixels 16 floats apart in a random order; what is beyond `channels` is poison.
typedef struct map {
    float *floats;
    int32_t *first, *second;
    uint32_t pixels;
} map;

static map make_map(check_case *c, const sums_problem *p) {
    map m = {.pixels = 2 * p->pairs,
             .first = malloc(p->pairs * sizeof(int32_t)),
             .second = malloc(p->pairs * sizeof(int32_t))};
    uint32_t all = p->panels * 16 + p->channels;
    m.floats = check_alloc((size_t)m.pixels * 32 * p->panels);
    for (uint32_t ch = 0; ch < all; ch++) {
        for (uint32_t i = 0; i < m.pixels; i++) {
            check_fill(c, m.floats + ((size_t)(ch / 16) * m.pixels + i) * 16 + ch % 16, 1, CHECK_RANDOM);
        }
    }
    uint32_t turn = check_below(c, m.pixels);
    for (uint32_t i = 0; i < p->pairs; i++) {
        m.first[i] = (int32_t)((2 * i + turn) % m.pixels * 16);
        m.second[i] = (int32_t)((2 * i + 1 + turn) % m.pixels * 16);
    }
    return m;
}

static float at(const map *m, const sums_problem *p, const int32_t *rows, uint32_t i, uint32_t channel) {
    bool is_there = (rows == m->first || i < p->whole_pairs) && channel < p->panels * 16 + p->channels;
    return is_there ? m->floats[(size_t)(channel / 16) * m->pixels * 16 + (size_t)rows[i] + channel % 16] : 0;
}

static void expect_sums(const map *m, const sums_problem *p, check_expected *want) {
    for (uint32_t channel = 0; channel < p->panels * 16; channel++) {
        for (uint32_t i = 0; i < p->pairs; i++) {
            float a11 = at(m, p, m->first, i, channel), a12 = at(m, p, m->first, i, p->panels * 16 + channel);
            float a21 = at(m, p, m->second, i, channel), a22 = at(m, p, m->second, i, p->panels * 16 + channel);
            const float sums[STRASSEN_SUMS] = {a11 + a22, a21 + a22, a11 + a12, a21 - a11, a12 - a22};
            for (uint32_t k = 0; k < STRASSEN_SUMS; k++) {
                size_t to = (((size_t)k * p->panels + channel / 16) * p->room + i) * 16 + channel % 16;
                want->value[to] = (double)sums[k];
                want->tolerance[to] = 0;
            }
        }
    }
}

static void check_problem(const strassen_kernel *kernel, const sums_problem *p, uint64_t seed) {
    check_case c = check_begin(kernel->name, seed);
    check_shape(&c, "%u panels, %u more channels, %u pairs, %u whole", p->panels, p->channels, p->pairs,
                p->whole_pairs);
    map m = make_map(&c, p);
    size_t count = (size_t)STRASSEN_SUMS * p->panels * p->room * 16;
    float *out = check_alloc(count);
    check_expected *want = check_expect(count);
    expect_sums(&m, p, want);
    const strassen_inputs s = {.in = m.floats,
                               .first = m.first,
                               .second = m.second,
                               .pairs = p->pairs,
                               .whole_pairs = p->whole_pairs,
                               .panel = (int64_t)m.pixels * 16,
                               .panels = p->panels,
                               .channels = p->channels,
                               .room = p->room,
                               .out = out};
    kernel->inputs(&s);
    cr_assert(check_compare(&c, want, out));
    check_expect_free(want);
    check_free(out), check_free(m.floats);
    free(m.first), free(m.second);
}

Test(strassen, sums_are_those_of_the_definition) {
    uint32_t count;
    const strassen_kernel *kernels = strassen_kernels(&count);
    for (uint32_t k = 0; k < count; k++) {
        if (!check_can_run(kernels[k].name, kernels[k].isa)) continue;
        for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
            check_problem(&kernels[k], &problems[i], check_seed() + i);
        }
    }
}

Test(strassen, find_never_takes_a_higher_tier) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AMX; isa++) cr_assert_leq(strassen_find(isa)->isa, isa);
}

// ---- targets ------------------------------------------------------------------------------------------------------

// Three calls: the sums S go to one target as bias + S, then - S, then + S and the end, and with the last call to
// another one too, which has fewer rows and groups.
static void run_to_targets(gemm_case *s, const gemm_problem *p, float *other) {
    gemm_target one = {.c = s->out, .c_offset = s->c_offset, .groups = s->g.groups, .rows = p->m, .bias = s->bias};
    memcpy(one.c_group, s->g.c_group, sizeof one.c_group);
    memcpy(one.r_group, s->g.r_group, sizeof one.r_group);
    gemm_target targets[2] = {one};
    float *zeros = check_alloc(s->kernel->nr);
    memset(zeros, 0, s->kernel->nr * sizeof *zeros);
    s->g.c = NULL, s->g.r = NULL, s->g.bias = zeros;
    s->g.targets = targets, s->g.target_count = 1;
    gemm_case_run(s, 0, p->m);
    targets[0].bias = NULL, targets[0].is_minus = true;
    gemm_case_run(s, 0, p->m / 2);
    gemm_case_run(s, p->m / 2, p->m);
    targets[0] = one;
    targets[0].c = other, targets[0].rows--, targets[0].groups--;
    targets[1] = one;
    targets[1].bias = NULL, targets[1].is_last = true, targets[1].r = s->residual, targets[1].r_offset = s->c_offset;
    s->g.target_count = 2;
    gemm_case_run(s, 0, p->m);
    check_free(zeros);
}

static void targets(const gemm_kernel *kernel) {
    for (uint32_t i = 0; i < CHECK_ACTS && !kernel->form->prepare; i++) {
        gemm_problem p = {
            .m = 2 * kernel->mr + i % 3, .segment_count = 2, .counts = {16, 5}, .has_residual = i % 2 == 0};
        gemm_case s;
        p.act = check_acts[i];
        gemm_case_set_up(&s, kernel, &p, check_seed() + i);
        float *other = check_alloc(s.out_count), *residual = s.residual;
        check_expected *want = check_expect(s.out_count), *want_other = check_expect(s.out_count);
        for (uint32_t row = 0; row < p.m; row++) {
            for (uint32_t n = 0; n < s.g.groups * 8; n++) gemm_case_expect(&s, row, n, want);
        }
        s.residual = NULL, s.g.act.kind = ACT_NONE;
        for (uint32_t row = 0; row < p.m - 1; row++) {
            for (uint32_t n = 0; n < s.g.groups * 8 - 8; n++) gemm_case_expect(&s, row, n, want_other);
        }
        s.residual = residual, s.g.act = p.act;
        for (uint32_t k = 0; k < s.out_count; k++) want->tolerance[k] *= 4; // three sums that cancel but for one
        run_to_targets(&s, &p, other);
        cr_assert(check_compare(&s.c, want, s.out));
        cr_assert(check_compare(&s.c, want_other, other));
        check_expect_free(want), check_expect_free(want_other);
        check_free(other);
        gemm_case_close(&s);
    }
}
Test(strassen, products_go_to_targets) {
    gemm_case_each(targets);
}
