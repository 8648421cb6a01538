// SPDX-License-Identifier: Apache-2.0
// Every kernel of first convolutions against a naive convolution in double precision.
#include "engine/kernels/stem.h"
#include "tests/kernels/check.h"
#include "tests/kernels/oracle_act.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define LANES STEM_LANES

typedef struct problem {
    const stem_kernel *k;
    uint32_t in_c, in_h, in_w, pad_top, pad_left, out_c, out_h, out_w, panels;
    int64_t out_row, out_panel;
    size_t in_size, w_size, out_size, packed_size; // floats
    float *in, *weights, *packed, *bias, *out;     // weights are in the model's order: [out_c][in_c][ky][kx]
    act act;
} problem;

typedef struct sizes {
    uint32_t in_c, out_c, out_h, out_w, pad_top, pad_left;
    uint32_t cut_bottom, cut_right; // so many rows and columns of the last windows are outside of the picture
    check_filling fill;
    act act;
} sizes;

static void problem_free(problem *p) {
    check_free(p->in);
    check_free(p->weights);
    check_free(p->packed);
    check_free(p->bias);
    check_free(p->out);
}

static uint32_t picture_size(const stem_kernel *k, uint32_t out, uint32_t before, uint32_t after) {
    uint32_t all = (out - 1) * k->stride + k->kernel;
    return all > before + after ? all - before - after : 1;
}

// Rows and panels of the output have gaps, which stay poison.
static problem problem_make(check_case *c, const stem_kernel *k, const sizes *s) {
    problem p = {.k = k, .in_c = s->in_c, .out_c = s->out_c, .out_h = s->out_h, .out_w = s->out_w, .act = s->act};
    p.pad_top = s->pad_top;
    p.pad_left = s->pad_left;
    p.in_h = picture_size(k, s->out_h, s->pad_top, s->cut_bottom);
    p.in_w = picture_size(k, s->out_w, s->pad_left, s->cut_right);
    p.panels = (p.out_c + LANES - 1) / LANES;
    p.out_row = (int64_t)(p.out_w + check_below(c, 3)) * LANES;
    p.out_panel = p.out_h * p.out_row + check_below(c, 3) * LANES;
    size_t taps = (size_t)p.in_c * k->kernel * k->kernel;
    p.in_size = (size_t)p.in_c * p.in_h * p.in_w;
    p.w_size = p.out_c * taps;
    p.packed_size = p.panels * LANES * taps;
    p.out_size = p.panels * (size_t)p.out_panel;
    p.in = check_alloc(p.in_size);
    p.weights = check_alloc(p.w_size);
    p.packed = check_alloc(p.packed_size);
    p.bias = check_alloc((size_t)p.panels * LANES);
    p.out = check_alloc(p.out_size);
    check_fill(c, p.in, p.in_size, s->fill);
    check_fill(c, p.weights, p.w_size, s->fill == CHECK_HUGE ? CHECK_HUGE : CHECK_RANDOM);
    check_fill(c, p.bias, (size_t)p.panels * LANES, s->fill);
    stem_pack(p.packed, p.weights, p.out_c, (uint32_t)taps);
    return p;
}

static stem_args args_of(const problem *p, float *out) {
    return (stem_args){.in = p->in,
                       .in_c = p->in_c,
                       .in_h = p->in_h,
                       .in_w = p->in_w,
                       .pad_top = p->pad_top,
                       .pad_left = p->pad_left,
                       .out = out,
                       .out_row = p->out_row,
                       .out_panel = p->out_panel,
                       .out_w = p->out_w,
                       .out_panels = p->panels,
                       .w = p->packed,
                       .bias = p->bias,
                       .act = p->act};
}

// The sum of absolute values goes to *magnitude.
static double sum_at(const problem *p, uint32_t n, uint32_t y, uint32_t x, double *magnitude) {
    const uint32_t kernel = p->k->kernel;
    double sum = (double)p->bias[n];
    *magnitude = fabs(sum);
    for (uint32_t i = 0; n < p->out_c && i < p->in_c * kernel * kernel; i++) {
        uint32_t c = i / (kernel * kernel), ky = i / kernel % kernel, kx = i % kernel;
        int64_t row = (int64_t)y * p->k->stride + ky - p->pad_top,
                column = (int64_t)x * p->k->stride + kx - p->pad_left;
        if (row < 0 || row >= p->in_h || column < 0 || column >= p->in_w) continue;
        double v = (double)p->in[((size_t)c * p->in_h + (size_t)row) * p->in_w + (size_t)column];
        double product = v * (double)p->weights[(size_t)n * p->in_c * kernel * kernel + i];
        sum += product;
        *magnitude += fabs(product);
    }
    return sum;
}

static check_expected *expect(const problem *p) {
    check_expected *want = check_expect(p->out_size);
    for (uint32_t i = 0; i < p->panels * LANES * p->out_h * p->out_w; i++) {
        uint32_t n = i / (p->out_h * p->out_w), y = i / p->out_w % p->out_h, x = i % p->out_w;
        double magnitude, sum = sum_at(p, n, y, x, &magnitude);
        double taps = p->in_c * p->k->kernel * p->k->kernel;
        double tolerance = (taps + 2) * ((double)FLT_EPSILON * magnitude + (double)FLT_TRUE_MIN);
        size_t at = (size_t)(n / LANES * p->out_panel + y * p->out_row) + x * LANES + n % LANES;
        want->value[at] = oracle_act(sum, p->act);
        want->tolerance[at] = oracle_act_tolerance(sum, tolerance, p->act);
    }
    return want;
}

// Rows in two parts and panels one by one, with arrays that end where memory ends: they have the bits of the whole.
static bool parts_agree(const check_case *c, const problem *p, uint32_t split) {
    float *poison = check_alloc(p->out_size), *out = check_copy_to_wall(poison, p->out_size);
    float *in = check_copy_to_wall(p->in, p->in_size), *w = check_copy_to_wall(p->packed, p->packed_size);
    float *bias = check_copy_to_wall(p->bias, (size_t)p->panels * LANES);
    for (uint32_t panel = 0; panel < p->panels; panel++) {
        stem_args args = args_of(p, out + panel * p->out_panel);
        args.in = in;
        args.w = w + panel * (p->packed_size / p->panels);
        args.bias = bias + (size_t)panel * LANES;
        args.out_panels = 1;
        p->k->run(&args, 0, split);
        args.out += split * p->out_row;
        p->k->run(&args, split, p->out_h);
    }
    bool same = check_same_bits(c, p->out, out, p->out_size);
    check_free_at_wall(in, p->in_size);
    check_free_at_wall(w, p->packed_size);
    check_free_at_wall(bias, (size_t)p->panels * LANES);
    check_free_at_wall(out, p->out_size);
    check_free(poison);
    return same;
}

static bool run_one(const stem_kernel *k, const sizes *s) {
    check_case c = check_begin(k->name, check_seed() + s->out_h * 1000 + s->out_w);
    problem p = problem_make(&c, k, s);
    check_shape(&c, "picture %ux%ux%u, out %ux%ux%u, pads %u %u, %s, %s", p.in_c, p.in_h, p.in_w, p.out_c, p.out_h,
                p.out_w, p.pad_top, p.pad_left, oracle_act_name(s->act), check_filling_name(s->fill));
    stem_args args = args_of(&p, p.out);
    k->run(&args, 0, p.out_h);
    check_expected *want = expect(&p);
    bool good = check_compare(&c, want, p.out) && parts_agree(&c, &p, check_below(&c, p.out_h + 1));
    check_expect_free(want);
    problem_free(&p);
    return good;
}

typedef bool (*each_fn)(const stem_kernel *k);

static void for_each_kernel(each_fn f) {
    uint32_t count;
    const stem_kernel *kernels = stem_kernels(&count);
    cr_assert(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        if (check_can_run(kernels[i].name, kernels[i].isa)) cr_assert(f(&kernels[i]));
    }
}

// Every size round the tiles' edges, in pictures that end within the last windows and outside of them.
static bool small_sizes(const stem_kernel *k) {
    for (uint32_t i = 0; i < 30 * 5 * 4; i++) {
        sizes s = {.out_w = 1 + i % 30, .out_h = 1 + i / 30 % 5, .fill = (check_filling)(i % CHECK_FILLINGS)};
        s.pad_top = i / 150 % 2, s.pad_left = i / 300;
        s.cut_right = i % 3, s.cut_bottom = i % 4;
        s.in_c = 1 + i % 4, s.out_c = 1 + i * 7 % 50;
        if (!run_one(k, &s)) return false;
    }
    return true;
}

static bool fillings_and_activations(const stem_kernel *k) {
    for (uint32_t n = 0; n < CHECK_FILLINGS * ORACLE_ACTS; n++) {
        sizes s = {.in_c = 3, .out_c = 24, .out_h = 1 + n % 5, .out_w = 16, .pad_top = 1, .pad_left = 1};
        s.fill = (check_filling)(n % CHECK_FILLINGS);
        s.act = oracle_act_of(n / CHECK_FILLINGS);
        if (!run_one(k, &s)) return false;
    }
    return true;
}

// As many channels as a picture may have, and padding that is larger than the picture.
static bool extremes(const stem_kernel *k) {
    for (uint32_t in_c = 1; in_c <= STEM_CHANNELS_MAX; in_c++) {
        sizes s = {.in_c = in_c, .out_c = 17, .out_h = 5, .out_w = 9, .pad_top = in_c, .pad_left = 2 * in_c};
        s.act = oracle_act_of(ACT_RELU);
        if (!run_one(k, &s)) return false;
    }
    return true;
}

// The first layers of MobileNet, MNASNet, EfficientNet-B0 and Xception, some rows of them.
static bool network_maps(const stem_kernel *k) {
    static const uint32_t columns[] = {64, 80, 96, 112, 149};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        sizes s = {.in_c = 3, .out_c = i % 2 ? 32 : 16, .out_h = 6 + (uint32_t)i, .out_w = columns[i]};
        s.pad_top = s.pad_left = columns[i] != 149;
        s.act = oracle_act_of(ACT_HARDSWISH);
        if (!run_one(k, &s)) return false;
    }
    return true;
}

Test(stem, small_sizes, .timeout = 120) {
    for_each_kernel(small_sizes);
}

Test(stem, fillings_and_activations, .timeout = 60) {
    for_each_kernel(fillings_and_activations);
}

Test(stem, extremes, .timeout = 60) {
    for_each_kernel(extremes);
}

Test(stem, network_maps, .timeout = 60) {
    for_each_kernel(network_maps);
}

Test(stem, nothing_is_written_where_there_is_nothing_to_do, .timeout = 10) {
    uint32_t count;
    const stem_kernel *kernels = stem_kernels(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (!check_can_run(kernels[i].name, kernels[i].isa)) continue;
        check_case c = check_begin(kernels[i].name, check_seed());
        check_shape(&c, "no rows, then no columns, then no panels");
        const sizes s = {.in_c = 3, .out_c = 16, .out_h = 2, .out_w = 4};
        problem p = problem_make(&c, &kernels[i], &s);
        stem_args args = args_of(&p, p.out);
        kernels[i].run(&args, 1, 1);
        args.out_w = 0;
        kernels[i].run(&args, 0, 2);
        args.out_w = 4;
        args.out_panels = 0;
        kernels[i].run(&args, 0, 2);
        check_expected *nothing = check_expect(p.out_size);
        cr_assert(check_compare(&c, nothing, p.out));
        check_expect_free(nothing);
        problem_free(&p);
    }
}

Test(stem, find_takes_no_higher_tier_and_no_other_window) {
    cr_assert_null(stem_find(DSC_ISA_REF, 3, 2));
    cr_assert_null(stem_find(DSC_ISA_AMX, 3, 1));
    cr_assert_null(stem_find(DSC_ISA_AMX, 5, 2));
    for (dsc_isa isa = DSC_ISA_AVX2; isa <= DSC_ISA_AMX; isa++) {
        const stem_kernel *k = stem_find(isa, 3, 2);
        dsc_isa wanted = isa < DSC_ISA_AVX512 ? isa : DSC_ISA_AVX512;
        cr_assert(k && k->isa == wanted && k->kernel == 3 && k->stride == 2);
    }
}
