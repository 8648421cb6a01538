// SPDX-License-Identifier: Apache-2.0
// Every depthwise kernel against a naive convolution in double precision.
#include "engine/kernels/dwconv.h"
#include "engine/kernels/pool.h"
#include "tests/kernels/check.h"
#include "tests/kernels/oracle_act.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#define LANES DWCONV_LANES

typedef struct geometry {
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
} geometry;

typedef struct problem {
    geometry g;
    uint32_t out_h, out_w, in_h, in_w;
    int64_t in_row, out_row;
    size_t in_size, out_size;
    uint32_t taps, real_lanes;
    float *in, *weights, *packed, *bias, *out; // weights are in the model's order: [channel][tap]
    act act;
} problem;

static void problem_free(problem *p) {
    check_free(p->in);
    check_free(p->weights);
    check_free(p->packed);
    check_free(p->bias);
    check_free(p->out);
}

// Rows have gaps, which stay poison; so does what the kernel's last taps do not reach.
static problem problem_make(check_case *c, geometry g, uint32_t out_h, uint32_t out_w, check_filling fill) {
    problem p = {.g = g, .out_h = out_h, .out_w = out_w, .taps = g.kernel_h * g.kernel_w};
    p.in_h = (out_h - 1) * g.stride_h + (g.kernel_h - 1) * g.dilation_h + 1;
    p.in_w = (out_w - 1) * g.stride_w + (g.kernel_w - 1) * g.dilation_w + 1;
    p.in_row = (int64_t)(p.in_w + check_below(c, 3)) * LANES;
    p.out_row = (int64_t)(out_w + check_below(c, 3)) * LANES;
    p.in_size = (size_t)((p.in_h - 1) * p.in_row) + (size_t)p.in_w * LANES;
    p.out_size = (size_t)((out_h - 1) * p.out_row) + (size_t)out_w * LANES;
    p.in = check_alloc(p.in_size);
    p.out = check_alloc(p.out_size);
    for (uint32_t y = 0; y < p.in_h; y++) check_fill(c, p.in + y * p.in_row, (size_t)p.in_w * LANES, fill);
    p.real_lanes = check_below(c, 4) ? LANES : 1 + check_below(c, LANES);
    p.weights = check_alloc((size_t)p.taps * (LANES + 2));
    check_fill(c, p.weights, (size_t)p.taps * (LANES + 2), fill == CHECK_HUGE ? CHECK_HUGE : CHECK_RANDOM);
    p.packed = check_alloc((size_t)p.taps * LANES);
    dwconv_pack(p.packed, p.weights, p.taps, 2, p.real_lanes);
    p.bias = check_alloc(LANES);
    check_fill(c, p.bias, LANES, fill);
    return p;
}

static dwconv_args args_of(const problem *p, float *out) {
    return (dwconv_args){.in = p->in,
                         .in_row = p->in_row,
                         .out = out,
                         .out_row = p->out_row,
                         .w = p->packed,
                         .bias = p->bias,
                         .out_w = p->out_w,
                         .kernel_h = p->g.kernel_h,
                         .kernel_w = p->g.kernel_w,
                         .stride_h = p->g.stride_h,
                         .stride_w = p->g.stride_w,
                         .dilation_h = p->g.dilation_h,
                         .dilation_w = p->g.dilation_w,
                         .act = p->act};
}

static void expect_one(const problem *p, check_expected *want, uint32_t y, uint32_t x, uint32_t c) {
    const float *in = p->in + y * p->g.stride_h * p->in_row + x * p->g.stride_w * LANES + c;
    double sum = (double)p->bias[c], magnitude = fabs(sum);
    for (uint32_t ky = 0; c < p->real_lanes && ky < p->g.kernel_h; ky++) {
        for (uint32_t kx = 0; kx < p->g.kernel_w; kx++) {
            double v = (double)in[ky * p->g.dilation_h * p->in_row + kx * p->g.dilation_w * LANES];
            double product = v * (double)p->weights[(size_t)(c + 2) * p->taps + ky * p->g.kernel_w + kx];
            sum += product;
            magnitude += fabs(product);
        }
    }
    double tolerance = (p->taps + 2) * ((double)FLT_EPSILON * magnitude + (double)FLT_TRUE_MIN);
    size_t i = (size_t)(y * p->out_row) + x * LANES + c;
    want->value[i] = oracle_act(sum, p->act);
    want->tolerance[i] = oracle_act_tolerance(sum, tolerance, p->act);
}

static check_expected *expect(const problem *p) {
    check_expected *want = check_expect(p->out_size);
    for (uint32_t y = 0; y < p->out_h; y++) {
        for (uint32_t x = 0; x < p->out_w; x++) {
            for (uint32_t c = 0; c < LANES; c++) expect_one(p, want, y, x, c);
        }
    }
    return want;
}

typedef struct variation {
    uint32_t out_h, out_w;
    check_filling fill;
    act act;
} variation;

static check_expected *expect_sums(const problem *p) {
    check_expected *want = check_expect((size_t)p->out_h * LANES);
    for (size_t i = 0; i < want->count; i++) {
        const float *row = p->out + (int64_t)(i / LANES) * p->out_row + i % LANES;
        double sum = 0, magnitude = 0;
        for (uint32_t x = 0; x < p->out_w; x++) {
            sum += (double)row[(size_t)x * LANES];
            magnitude += fabs((double)row[(size_t)x * LANES]);
        }
        want->value[i] = sum;
        want->tolerance[i] = (p->out_w / 4 + 4) * (double)FLT_EPSILON * magnitude + (double)FLT_MIN;
    }
    return want;
}

// Asks for the sums of rows, too: they are right, change nothing, and give the bits that pooling the map gives.
static bool sums_agree(const check_case *c, const dwconv_kernel *k, const problem *p, float *sums) {
    _Alignas(64) float pooled[LANES], mean[LANES];
    float *out = check_alloc(p->out_size);
    dwconv_args args = args_of(p, out);
    args.sums = sums;
    k->run(&args, 0, p->out_h);
    check_expected *want = expect_sums(p);
    bool same = check_same_bits(c, p->out, out, p->out_size) && check_compare(c, want, sums);
    pool_find(k->isa)->global(p->out, p->out_row, p->out_h, p->out_w, pooled);
    pool_mean_of_rows(sums, p->out_h, p->out_w, mean);
    check_expect_free(want);
    check_free(out);
    return same && check_same_bits(c, pooled, mean, LANES);
}

// Runs the rows in two parts, this time with arrays that end where memory ends; the parts must have the bits of the
// whole.
static bool split_agrees(const check_case *c, const dwconv_kernel *k, const problem *p, const float *sums,
                         uint32_t at) {
    size_t w_size = (size_t)p->taps * LANES, sums_size = (size_t)p->out_h * LANES;
    float *parts = check_alloc(p->out_size), *out = check_copy_to_wall(parts, p->out_size);
    float *in = check_copy_to_wall(p->in, p->in_size), *bias = check_copy_to_wall(p->bias, LANES);
    float *w = check_copy_to_wall(p->packed, w_size), *part_sums = check_copy_to_wall(parts, sums_size);
    dwconv_args args = args_of(p, out);
    args.in = in;
    args.w = w;
    args.bias = bias;
    args.sums = part_sums;
    k->run(&args, at, p->out_h);
    k->run(&args, 0, at);
    bool same = check_same_bits(c, p->out, out, p->out_size) && check_same_bits(c, sums, part_sums, sums_size);
    check_free_at_wall(in, p->in_size);
    check_free_at_wall(w, w_size);
    check_free_at_wall(bias, LANES);
    check_free_at_wall(out, p->out_size);
    check_free_at_wall(part_sums, sums_size);
    check_free(parts);
    return same;
}

static bool run_one(const dwconv_kernel *k, geometry g, variation v) {
    check_case c = check_begin(k->name, check_seed() + v.out_h * 1000 + v.out_w);
    check_shape(&c, "out %ux%u, kernel %ux%u, stride %ux%u, dilation %ux%u, %s, %s", v.out_h, v.out_w, g.kernel_h,
                g.kernel_w, g.stride_h, g.stride_w, g.dilation_h, g.dilation_w, oracle_act_name(v.act),
                check_filling_name(v.fill));
    problem p = problem_make(&c, g, v.out_h, v.out_w, v.fill);
    p.act = v.act;
    dwconv_args args = args_of(&p, p.out);
    k->run(&args, 0, p.out_h);
    check_expected *want = expect(&p);
    float *sums = check_alloc((size_t)p.out_h * LANES);
    bool good = check_compare(&c, want, p.out) && sums_agree(&c, k, &p, sums) &&
                split_agrees(&c, k, &p, sums, check_below(&c, p.out_h + 1));
    check_free(sums);
    check_expect_free(want);
    problem_free(&p);
    return good;
}

static const geometry any_geometries[] = {
    {3, 3, 1, 1, 1, 1}, {3, 3, 2, 2, 1, 1}, {5, 5, 1, 1, 1, 1}, {5, 5, 2, 2, 1, 1}, {1, 1, 1, 1, 1, 1},
    {1, 1, 3, 3, 1, 1}, {7, 7, 1, 1, 1, 1}, {2, 3, 1, 2, 1, 1}, {3, 1, 2, 1, 1, 1}, {3, 3, 1, 1, 2, 2},
    {3, 3, 1, 2, 3, 2}, {4, 4, 4, 4, 1, 1}, {1, 9, 1, 1, 1, 2}, {3, 3, 3, 3, 2, 1},
};

typedef bool (*each_fn)(const dwconv_kernel *k, geometry g);

// Calls `f` for every geometry that the kernel can do.
static void for_each_geometry(const dwconv_kernel *k, each_fn f) {
    if (!check_can_run(k->name, k->isa)) return;
    if (k->kernel) {
        cr_assert(f(k, (geometry){k->kernel, k->kernel, k->stride, k->stride, 1, 1}));
        return;
    }
    for (size_t i = 0; i < sizeof any_geometries / sizeof *any_geometries; i++) cr_assert(f(k, any_geometries[i]));
}

static struct criterion_test_params each_kernel(void) {
    static uint32_t indexes[64];
    uint32_t count;
    dwconv_kernels(&count);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    return cr_make_param_array(uint32_t, indexes, count);
}

static const dwconv_kernel *kernel_at(uint32_t index) {
    uint32_t count;
    return &dwconv_kernels(&count)[index];
}

// Every width round the tiles' edges, every number of rows that a tile can have.
static bool small_sizes(const dwconv_kernel *k, geometry g) {
    for (uint32_t w = 1; w <= 33; w++) {
        for (uint32_t h = 1; h <= 8; h++) {
            check_filling fill = (check_filling)((w + h) % CHECK_FILLINGS);
            if (!run_one(k, g, (variation){h, w, fill, oracle_act_of(ACT_NONE)})) return false;
        }
    }
    return true;
}

static bool fillings_and_activations(const dwconv_kernel *k, geometry g) {
    static const uint32_t widths[] = {1, 2, 3, 7, 13, 14};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        for (uint32_t n = 0; n < CHECK_FILLINGS * ORACLE_ACTS; n++) {
            variation v = {1 + n % 8, widths[i], (check_filling)(n % CHECK_FILLINGS),
                           oracle_act_of(n / CHECK_FILLINGS)};
            if (!run_one(k, g, v)) return false;
        }
    }
    return true;
}

// The maps of MobileNet V1 to V3, EfficientNet-B0 and Xception.
static bool network_maps(const dwconv_kernel *k, geometry g) {
    static const uint32_t maps[] = {7, 10, 14, 19, 28, 37, 56, 74, 112, 147};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        uint32_t h = maps[i] > 37 ? 5 + (uint32_t)i : maps[i];
        if (!run_one(k, g, (variation){h, maps[i], CHECK_RANDOM, oracle_act_of(ACT_RELU)})) return false;
    }
    return true;
}

ParameterizedTestParameters(dwconv, small_sizes) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, dwconv, small_sizes, .timeout = 60) {
    for_each_geometry(kernel_at(*index), small_sizes);
}

ParameterizedTestParameters(dwconv, fillings_and_activations) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, dwconv, fillings_and_activations, .timeout = 60) {
    for_each_geometry(kernel_at(*index), fillings_and_activations);
}

ParameterizedTestParameters(dwconv, network_maps) {
    return each_kernel();
}
ParameterizedTest(uint32_t *index, dwconv, network_maps, .timeout = 60) {
    for_each_geometry(kernel_at(*index), network_maps);
}

Test(dwconv, nothing_is_written_where_there_is_nothing_to_do, .timeout = 10) {
    uint32_t count;
    const dwconv_kernel *kernels = dwconv_kernels(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (!check_can_run(kernels[i].name, kernels[i].isa)) continue;
        uint32_t size = kernels[i].kernel ? kernels[i].kernel : 3, stride = kernels[i].kernel ? kernels[i].stride : 1;
        check_case c = check_begin(kernels[i].name, check_seed());
        check_shape(&c, "no rows, then no columns");
        problem p = problem_make(&c, (geometry){size, size, stride, stride, 1, 1}, 2, 4, CHECK_RANDOM);
        dwconv_args args = args_of(&p, p.out);
        kernels[i].run(&args, 1, 1);
        args.out_w = 0;
        kernels[i].run(&args, 0, 2);
        check_expected *nothing = check_expect(p.out_size);
        cr_assert(check_compare(&c, nothing, p.out));
        check_expect_free(nothing);
        problem_free(&p);
    }
}

Test(dwconv, find_takes_the_special_kernel_and_never_a_higher_tier) {
    for (dsc_isa isa = DSC_ISA_REF; isa <= DSC_ISA_AVX512; isa++) {
        for (uint32_t size = 1; size <= 7; size++) {
            for (uint32_t stride = 1; stride <= 3; stride++) {
                const dwconv_kernel *k = dwconv_find(isa, size, size, stride, stride, 1, 1);
                bool special = isa > DSC_ISA_REF && (size == 3 || size == 5) && stride <= 2;
                cr_assert(k && k->isa == isa, "%s for tier %d", k->name, (int)isa);
                cr_assert(k->kernel == (special ? size : 0), "%s", k->name);
                cr_assert(k->kernel == 0 || k->stride == stride, "%s", k->name);
            }
        }
        cr_assert(dwconv_find(isa, 3, 5, 1, 1, 1, 1)->kernel == 0);
        cr_assert(dwconv_find(isa, 3, 3, 1, 2, 1, 1)->kernel == 0);
        cr_assert(dwconv_find(isa, 3, 3, 1, 1, 2, 1)->kernel == 0);
        cr_assert(dwconv_find(isa, 3, 3, 1, 1, 1, 2)->kernel == 0);
    }
}
