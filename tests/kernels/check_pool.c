// SPDX-License-Identifier: Apache-2.0
// Every pooling kernel against naive windows in double precision, and to the bit against the reference.
#include "engine/kernels/pool.h"
#include "tests/kernels/check.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <float.h>
#include <math.h>

#define LANES POOL_LANES

typedef struct axis {
    uint32_t kernel, stride, dilation, before, after;
} axis;

typedef struct problem {
    check_case c;
    pool_args a;
    uint32_t out_h;
    size_t in_size, out_size;
    float *in, *out;
} problem;

// How many windows there are; 0 where the kernel is larger than the padded map. `ceil`: one more that starts on the
// map but ends beyond its padding.
static uint32_t windows(axis s, uint32_t size, bool ceil) {
    uint32_t reach = (s.kernel - 1) * s.dilation + 1, padded = size + s.before + s.after;
    if (reach > padded) return 0;
    uint32_t count = (padded - reach) / s.stride + 1;
    return count + (ceil && (padded - reach) % s.stride && count * s.stride < size + s.before);
}

static const char *kind_name(pool_kind kind) {
    static const char *const names[] = {"max", "average", "average with pad"};
    return names[kind];
}

// A maximum does not see a NaN, so what it may not read is infinite instead.
static void forbid(problem *q) {
    for (size_t i = 0; i < q->in_size + 128; i++) {
        if (q->a.kind == POOL_MAX && check_is_poison(q->in[(ptrdiff_t)i - 64])) q->in[(ptrdiff_t)i - 64] = INFINITY;
    }
}

static problem problem_make(const char *kernel, axis down, axis across, const uint32_t size[2], pool_kind kind,
                            check_filling fill) {
    problem q = {.c = check_begin(kernel, check_seed() + size[0] * 100 + size[1])};
    q.out_h = windows(down, size[0], size[0] % 2);
    check_shape(&q.c, "%s, in %ux%u, kernel %ux%u, stride %ux%u, dilation %ux%u, pad %u %u %u %u, %s", kind_name(kind),
                size[0], size[1], down.kernel, across.kernel, down.stride, across.stride, down.dilation,
                across.dilation, down.before, across.before, down.after, across.after, check_filling_name(fill));
    q.a = (pool_args){.in_h = size[0],
                      .in_w = size[1],
                      .kernel_h = down.kernel,
                      .kernel_w = across.kernel,
                      .stride_h = down.stride,
                      .stride_w = across.stride,
                      .dilation_h = down.dilation,
                      .dilation_w = across.dilation,
                      .pad_top = down.before,
                      .pad_left = across.before,
                      .pad_bottom = down.after,
                      .pad_right = across.after,
                      .kind = kind};
    q.a.out_w = windows(across, size[1], size[0] % 2);
    if (q.out_h == 0 || q.a.out_w == 0) return q;
    q.a.in_row = (int64_t)(size[1] + check_below(&q.c, 3)) * LANES;
    q.a.out_row = (int64_t)(q.a.out_w + check_below(&q.c, 3)) * LANES;
    q.in_size = (size_t)((size[0] - 1) * q.a.in_row) + (size_t)size[1] * LANES;
    q.out_size = (size_t)((q.out_h - 1) * q.a.out_row) + (size_t)q.a.out_w * LANES;
    q.in = check_alloc(q.in_size);
    for (uint32_t y = 0; y < size[0]; y++) check_fill(&q.c, q.in + y * q.a.in_row, (size_t)size[1] * LANES, fill);
    forbid(&q);
    q.out = check_alloc(q.out_size);
    q.a.in = q.in;
    q.a.out = q.out;
    return q;
}

typedef struct totals {
    double max, sum, magnitude;
    uint32_t taps, padded;
} totals;

static void tap(const pool_args *a, totals *t, int64_t y, int64_t x, uint32_t c) {
    int64_t below = (int64_t)a->in_h + a->pad_bottom, right = (int64_t)a->in_w + a->pad_right;
    if (y < below && x < right) t->padded++;
    if (y < 0 || x < 0 || y >= a->in_h || x >= a->in_w) return;
    double v = (double)a->in[y * a->in_row + x * LANES + c];
    t->max = fmax(t->max, v);
    t->sum += v;
    t->magnitude += fabs(v);
    t->taps++;
}

static void expect_one(const problem *q, check_expected *want, uint32_t oy, uint32_t ox, uint32_t c) {
    const pool_args *a = &q->a;
    totals t = {.max = -HUGE_VAL};
    for (uint32_t ky = 0; ky < a->kernel_h; ky++) {
        for (uint32_t kx = 0; kx < a->kernel_w; kx++) {
            int64_t y = (int64_t)oy * a->stride_h + ky * a->dilation_h - a->pad_top;
            int64_t x = (int64_t)ox * a->stride_w + kx * a->dilation_w - a->pad_left;
            tap(a, &t, y, x, c);
        }
    }
    size_t i = (size_t)(oy * a->out_row) + ox * LANES + c;
    uint32_t count = a->kind == POOL_AVERAGE ? t.taps : t.padded;
    want->value[i] = a->kind == POOL_MAX ? t.max : count ? t.sum / count : 0;
    want->tolerance[i] = 0;
    if (a->kind == POOL_MAX) return;
    want->tolerance[i] =
        (t.taps + 2) * ((double)FLT_EPSILON * t.magnitude / (count ? count : 1) + (double)FLT_TRUE_MIN);
}

static check_expected *expect(const problem *q) {
    check_expected *want = check_expect(q->out_size);
    for (uint32_t y = 0; y < q->out_h; y++) {
        for (uint32_t x = 0; x < q->a.out_w; x++) {
            for (uint32_t c = 0; c < LANES; c++) expect_one(q, want, y, x, c);
        }
    }
    return want;
}

// In two parts, from a map that ends where memory ends, and by the reference: the same bits.
static bool others_agree(problem *q, const pool_kernel *k) {
    uint32_t count, at = check_below(&q->c, q->out_h + 1);
    float *other = check_alloc(q->out_size);
    pool_args a = q->a;
    float *in = check_copy_to_wall(q->in, q->in_size);
    a.in = in;
    a.out = other;
    k->run(&a, at, q->out_h);
    k->run(&a, 0, at);
    bool same = check_same_bits(&q->c, q->out, other, q->out_size);
    pool_kernels(&count)->run(&a, 0, q->out_h);
    same = same && check_same_bits(&q->c, q->out, other, q->out_size);
    check_free_at_wall(in, q->in_size);
    check_free(other);
    return same;
}

static bool run_one(const pool_kernel *k, axis down, axis across, const uint32_t size[2], pool_kind kind,
                    check_filling fill) {
    problem q = problem_make(k->name, down, across, size, kind, fill);
    if (!q.in) return true; // no window fits
    k->run(&q.a, 0, q.out_h);
    check_expected *want = expect(&q);
    bool good = check_compare(&q.c, want, q.out) && others_agree(&q, k);
    check_expect_free(want);
    check_free(q.in);
    check_free(q.out);
    return good;
}

static struct criterion_test_params each_kernel(void) {
    static uint32_t indexes[16];
    uint32_t count;
    pool_kernels(&count);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    return cr_make_param_array(uint32_t, indexes, count);
}

static const pool_kernel *kernel_at(uint32_t index) {
    uint32_t count;
    return &pool_kernels(&count)[index];
}

static const axis axes[] = {
    {3, 2, 1, 0, 0}, {3, 2, 1, 1, 1}, {3, 2, 1, 0, 1}, {3, 1, 1, 1, 1}, {2, 2, 1, 0, 0},
    {2, 1, 1, 0, 1}, {2, 3, 1, 1, 1}, {5, 1, 1, 2, 2}, {3, 1, 2, 2, 2}, {2, 2, 3, 1, 2},
    {1, 2, 1, 0, 0}, {7, 1, 1, 0, 0}, {4, 3, 2, 3, 3},
};
#define AXES (sizeof axes / sizeof *axes)

ParameterizedTestParameters(pool, every_window_and_size) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, pool, every_window_and_size, .timeout = 60) {
    const pool_kernel *k = kernel_at(*index);
    if (!check_can_run(k->name, k->isa)) return;
    for (uint32_t n = 0; n < AXES * 3 * 12 * 12; n++) {
        const uint32_t size[2] = {1 + n / AXES / 3 % 12, 1 + n / AXES / 3 / 12};
        axis down = axes[n % AXES], across = n % 2 ? axes[n / 2 % AXES] : down;
        pool_kind kind = (pool_kind)(n / AXES % 3);
        cr_assert(run_one(k, down, across, size, kind, (check_filling)(n % CHECK_FILLINGS)));
    }
}

ParameterizedTestParameters(pool, network_maps) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, pool, network_maps, .timeout = 60) {
    const pool_kernel *k = kernel_at(*index);
    if (!check_can_run(k->name, k->isa)) return;
    static const uint32_t maps[] = {7, 14, 19, 37, 56, 74, 112, 147};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        const uint32_t size[2] = {maps[i], maps[i]};
        cr_assert(run_one(k, axes[1], axes[1], size, POOL_MAX, CHECK_RANDOM));
        cr_assert(run_one(k, axes[3], axes[3], size, POOL_AVERAGE, CHECK_RANDOM));
        cr_assert(run_one(k, axes[4], axes[4], size, POOL_AVERAGE_WITH_PAD, CHECK_RANDOM));
    }
}

Test(pool, a_nan_is_never_the_maximum) {
    uint32_t count;
    pool_kernels(&count);
    for (uint32_t i = 0; i < count; i++) {
        const pool_kernel *k = kernel_at(i);
        if (!check_can_run(k->name, k->isa)) continue;
        float in[2 * LANES], out[LANES];
        for (int c = 0; c < LANES; c++) {
            in[c] = c % 2 ? NAN : 2;
            in[LANES + c] = c % 2 ? 3 : NAN;
        }
        pool_args a = {.in = in,
                       .in_row = 2 * LANES,
                       .in_h = 1,
                       .in_w = 2,
                       .out = out,
                       .out_row = LANES,
                       .out_w = 1,
                       .kernel_h = 1,
                       .kernel_w = 2,
                       .stride_h = 1,
                       .stride_w = 1,
                       .dilation_h = 1,
                       .dilation_w = 1,
                       .kind = POOL_MAX};
        k->run(&a, 0, 1);
        for (int c = 0; c < LANES; c++) cr_assert(out[c] == (c % 2 ? 3.0f : 2.0f), "%s, channel %d", k->name, c);
    }
}

// ---- the mean of a whole map ----------------------------------------------------------------------------------

static bool global_one(const pool_kernel *k, uint32_t h, uint32_t w, check_filling fill) {
    check_case c = check_begin(k->global_name, check_seed() + h * 1000 + w);
    check_shape(&c, "%ux%u, %s", h, w, check_filling_name(fill));
    int64_t row = (int64_t)(w + check_below(&c, 3)) * LANES;
    float *in = check_alloc((size_t)((h - 1) * row) + (size_t)w * LANES), *out = check_alloc(LANES);
    for (uint32_t y = 0; y < h; y++) check_fill(&c, in + y * row, (size_t)w * LANES, fill);
    check_expected *want = check_expect(LANES);
    for (uint32_t i = 0; i < h * w * LANES; i++) {
        double v = (double)in[i / LANES / w * row + i / LANES % w * LANES + i % LANES] / (h * w);
        if (i < LANES) want->tolerance[i] = (h * w + 2) * (double)FLT_TRUE_MIN;
        want->value[i % LANES] += v;
        want->tolerance[i % LANES] += (h * w + 2) * (double)FLT_EPSILON * fabs(v);
    }
    size_t in_size = (size_t)((h - 1) * row) + (size_t)w * LANES;
    float *wall = check_copy_to_wall(in, in_size);
    k->global(wall, row, h, w, out);
    check_free_at_wall(wall, in_size);
    bool good = check_compare(&c, want, out);
    float expected[LANES];
    pool_f32_global_ref(in, row, h, w, expected);
    good = good && check_same_bits(&c, expected, out, LANES);
    check_expect_free(want);
    check_free(in);
    check_free(out);
    return good;
}

ParameterizedTestParameters(pool, global) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, pool, global, .timeout = 60) {
    const pool_kernel *k = kernel_at(*index);
    if (!check_can_run(k->global_name, k->isa)) return;
    static const uint32_t maps[] = {14, 19, 28, 37, 56, 112};
    for (uint32_t n = 0; n < 10 * 10 * CHECK_FILLINGS; n++) {
        cr_assert(global_one(k, 1 + n % 10, 1 + n / 10 % 10, (check_filling)(n / 100)));
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) cr_assert(global_one(k, maps[i], maps[i], CHECK_RANDOM));
}

Test(pool, find_never_takes_a_higher_tier) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AVX512; isa++) cr_assert(pool_find(isa)->isa == isa);
}
