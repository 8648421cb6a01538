// SPDX-License-Identifier: Apache-2.0
// How near the gemm kernels come to the peak: every shape with the panels that gemm_split chooses, on one core.
//
//   bench_gemm [tier ...]       tiers to measure; default: avx2, avx512, fip and amx where this CPU has them
//
// Rounds go over all shapes again and again and each shape's fastest pass counts, so that a disturbance hits all
// shapes alike; the peak is measured between rounds. Compare figures of one run only.
#include "engine/base/clock.h"
#include "engine/base/cpu.h"
#include "engine/base/mem.h"
#include "engine/kernels/dense.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/peak.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS      12
#define BLOCK_BYTES (768 * 1024) // inputs of one block of rows

typedef struct shape {
    const char *net;
    uint32_t m, k, n;
} shape;

static const shape shapes[] = {
    {"V1", 12544, 32, 64},  {"V1", 3136, 64, 128}, {"V1", 3136, 128, 128},      {"V1", 784, 128, 256},
    {"V1", 784, 256, 256},  {"V1", 196, 256, 512}, {"V1", 196, 512, 512},       {"V1", 49, 512, 1024},
    {"V1", 49, 1024, 1024}, {"V2", 12544, 16, 96}, {"V2", 3136, 24, 144},       {"V2", 3136, 96, 24},
    {"V2", 3136, 144, 24},  {"V2", 784, 32, 192},  {"V2", 49, 960, 160},        {"V2", 49, 320, 1280},
    {"V3", 784, 40, 120},   {"B0", 196, 480, 80},  {"Xception", 361, 728, 728}, {"Xception", 100, 1536, 2048},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

typedef struct work {
    const shape *s;
    gemm_args panels[2048 / 16 + 1];
    gemm_fn run[2048 / 16 + 1];
    const gemm_form *form;
    uint32_t panel_count, block, nr_last;
    double best_ns;
    void *blocks[8];
} work;

static void *filled(work *w, int i, size_t floats) {
    float *p = w->blocks[i] = mem_alloc(floats * sizeof *p);
    if (!p) exit(1);
    uint32_t state = 1; // all bits of the significands change: power, and with it the clock, depends on them
    for (size_t j = 0; j < floats; j++) {
        state = state * 1664525u + 1013904223u;
        p[j] = (float)(state >> 8) * 0x1p-24f - 0.5f;
    }
    return p;
}

// Inputs in panels of 16 channels, as the engine lays them out: [panel][pixel][16], the last panel of 8 where K is odd.
static void set_up_inputs(work *w, const shape *s, gemm_args *g) {
    uint32_t segments = (s->k + 15) / 16;
    float *a = filled(w, 0, (size_t)s->m * segments * 16);
    gemm_segment *segment = filled(w, 4, segments * 2);
    int32_t *offset = filled(w, 5, s->m);
    for (uint32_t p = 0; p < s->m; p++) offset[p] = (int32_t)p * 16;
    for (uint32_t i = 0; i < segments; i++) {
        uint32_t count = s->k - 16 * i;
        segment[i] = (gemm_segment){(int32_t)(i * s->m * 16), (int32_t)(count < 16 ? count : 16)};
    }
    *g = (gemm_args){.a = a,
                     .a_offset = offset,
                     .segments = segment,
                     .segment_count = segments,
                     .k = s->k,
                     .c_offset = offset,
                     .act = {ACT_RELU, 0, 0}};
}

// A tier's kernels are measured for every shape, be they those that gemm_tier() takes or not.
static void set_up(work *w, const shape *s, dsc_isa isa) {
    *w = (work){.s = s, .best_ns = DBL_MAX, .block = BLOCK_BYTES / 4 / s->k};
    gemm_args common;
    set_up_inputs(w, s, &common);
    uint32_t widths[2048 / 8 + 1], n_padded = (s->n + 31) / 32 * 32;
    float *weights = filled(w, 1, (size_t)n_padded * s->k), *bias = filled(w, 2, n_padded);
    float *b = filled(w, 6, (size_t)n_padded * (s->k + 31) * 2);
    common.c = filled(w, 3, (size_t)s->m * n_padded);
    w->panel_count = gemm_split(isa, s->n, widths);
    w->form = gemm_find(isa, widths[0])->form;
    void *prepared = NULL;
    if (w->form->prepare) prepared = filled(w, 7, w->form->prepared_bytes(s->k, w->block) / sizeof(float));
    size_t at = 0;
    for (uint32_t i = 0, n = 0; i < w->panel_count; n += widths[i++]) {
        gemm_args *g = &w->panels[i];
        uint32_t nr = widths[i];
        *g = common;
        g->prepared = prepared;
        g->b = b + at, g->bias = bias + n, g->groups = nr / 8;
        g->is_far = (size_t)w->block * s->k * sizeof(float) > cpu_l2_bytes() / 4; // as a plan has it
        for (uint32_t j = 0; j < g->groups; j++) {
            g->c_group[j] = (int32_t)((n / 16 + j / 2) * s->m * 16 + j % 2 * 8);
        }
        w->form->pack(b + at, nr, &(gemm_weights){weights + (size_t)n * s->k, nr, s->k, 1, s->k, 0, s->k});
        if (w->form->seal) w->form->seal(b + at, nr, s->k);
        at += w->form->panel_floats(nr, s->k);
        w->run[i] = gemm_find(isa, nr)->run;
        w->nr_last = nr;
        if (i) w->panels[i - 1].next_b = g->b;
    }
    w->panels[w->panel_count - 1].next_b = b;
}

// Blocks of rows, in them panels of weights, in them tiles: as a plan would.
static void run_once(const work *w) {
    uint32_t blocks = (w->s->m + w->block - 1) / w->block;
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t m0 = (uint32_t)((uint64_t)w->s->m * i / blocks), m1 = (uint32_t)((uint64_t)w->s->m * (i + 1) / blocks);
        if (w->form->prepare) w->form->prepare(&w->panels[0], m0, m1, (void *)w->panels[0].prepared);
        for (uint32_t p = 0; p < w->panel_count; p++) w->run[p](&w->panels[p], m0, m1);
    }
}

static void measure(work *w) {
    for (int i = 0; i < 5; i++) {
        uint64_t start = clock_ns();
        run_once(w);
        double ns = (double)(clock_ns() - start);
        if (ns < w->best_ns) w->best_ns = ns;
    }
}

static void bench(dsc_isa isa) {
    static work works[SHAPES];
    double peak = 0;
    for (size_t i = 0; i < SHAPES; i++) set_up(&works[i], &shapes[i], isa);
    for (int round = 0; round < ROUNDS; round++) {
        double now = peak_gflops(isa);
        if (now > peak) peak = now;
        for (size_t i = 0; i < SHAPES; i++) measure(&works[i]);
    }
    printf("%s: peak %.1f GFLOP/s\n", dsc_isa_name(isa), peak);
    double ideal = 0, real = 0;
    for (size_t i = 0; i < SHAPES; i++) {
        work *w = &works[i];
        double flops = 2.0 * w->s->m * w->s->k * w->s->n, gflops = flops / w->best_ns;
        printf("  %-9s %5u x %4u -> %4u  %8.1f us  %6.1f GFLOP/s  %5.1f %%  (%u panels, last %u)\n", w->s->net, w->s->m,
               w->s->k, w->s->n, w->best_ns / 1e3, gflops, 100 * gflops / peak, w->panel_count, w->nr_last);
        ideal += flops / peak;
        real += w->best_ns;
        for (int j = 0; j < 8; j++) mem_free(w->blocks[j]);
    }
    printf("  all: %.1f %%\n", 100 * ideal / real);
}

// Errors against doubles, in parts of the sum of |a b|: 64 rows, 32 channels, numbers in -1/2 .. 1/2.
static void errors(dsc_isa isa) {
    static const uint32_t ks[] = {32, 256, 1024};
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
        static work w;
        shape s = {"", 64, ks[i], 32};
        set_up(&w, &s, isa);
        run_once(&w);
        const float *a = w.blocks[0], *weights = w.blocks[1], *bias = w.blocks[2], *c = w.blocks[3];
        double worst = 0, squares = 0;
        for (uint32_t m = 0; m < s.m; m++) {
            for (uint32_t n = 0; n < s.n; n++) {
                double sum = (double)bias[n], size = fabs(sum);
                for (uint32_t k = 0; k < s.k; k++) {
                    double product = (double)a[(k / 16 * s.m + m) * 16 + k % 16] * (double)weights[n * s.k + k];
                    sum += product, size += fabs(product);
                }
                double error = fabs((double)c[(n / 16 * s.m + m) * 16 + n % 16] - (sum > 0 ? sum : 0)) / size;
                squares += error * error;
                if (error > worst) worst = error;
            }
        }
        printf("  k %4u: error %.1e (root of the mean square), %.1e (largest) of the sum of |a b|\n", s.k,
               sqrt(squares / s.m / s.n), worst);
        for (int j = 0; j < 8; j++) mem_free(w.blocks[j]);
    }
}

// Weights of 32 MB, more than the inner caches hold: what counts is the rate at which they are read.
static void bench_dense(dsc_isa isa) {
    enum { K = 1024, N = 8192 };
    float *b = mem_alloc((size_t)K * N * 4), *x = mem_calloc(K, 4), *bias = mem_calloc(N, 4), *y = mem_calloc(N, 4);
    if (!b || !x || !bias || !y) exit(1);
    for (size_t i = 0; i < (size_t)K * N; i++) b[i] = 1;
    dense_args d = {.x = x, .k = K, .b = b, .bias = bias, .y = y};
    const dense_kernel *kernel = dense_find(isa);
    double best = DBL_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = clock_ns();
        kernel->run(&d, 0, N / kernel->nr);
        double ns = (double)(clock_ns() - start);
        if (ns < best) best = ns;
    }
    printf("  %s: %.1f GB/s\n", kernel->name, 4.0 * K * N / best);
    mem_free(b);
    mem_free(x);
    mem_free(bias);
    mem_free(y);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        dsc_isa isa;
        dsc_error err;
        if (dsc_isa_parse(argv[i], &isa, &err) != DSC_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 2;
        }
        bench(isa);
        errors(isa);
        bench_dense(isa);
    }
    for (dsc_isa isa = DSC_ISA_AVX2; argc == 1 && isa <= dsc_isa_best(); isa++) {
        bench(isa);
        errors(isa);
        bench_dense(isa);
    }
    return 0;
}
