// SPDX-License-Identifier: Apache-2.0
// How near the depthwise kernels come to the peak: every depthwise layer of the usual networks, on one core.
//
//   bench_dwconv [tier ...]     tiers to measure; default: avx2 and avx512 where this CPU has them
//
// Two figures a layer: "panel", one panel of 16 channels whose map is in the cache, as where it was just written by the
// expansion before it; and "layer", all panels one after the other, each from and to its own memory. Rounds go over all
// layers again and again and the fastest pass counts, so that a disturbance hits all alike. Compare figures of one run.
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/kernels/dwconv.h"
#include "engine/kernels/peak.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 10

typedef struct layer {
    const char *net;
    uint32_t channels, out, kernel, stride;
} layer;

static const layer layers[] = {
    {"V1", 32, 112, 3, 1},       {"V1", 64, 56, 3, 2},        {"V1", 128, 56, 3, 1},       {"V1", 128, 28, 3, 2},
    {"V1", 256, 28, 3, 1},       {"V1", 256, 14, 3, 2},       {"V1", 512, 14, 3, 1},       {"V1", 512, 7, 3, 2},
    {"V1", 1024, 7, 3, 1},       {"V2", 96, 56, 3, 2},        {"V2", 144, 56, 3, 1},       {"V2", 144, 28, 3, 2},
    {"V2", 192, 28, 3, 1},       {"V2", 960, 7, 3, 1},        {"V3", 72, 28, 5, 2},        {"V3", 120, 28, 5, 1},
    {"V3", 672, 14, 5, 1},       {"V3", 672, 7, 5, 2},        {"V3", 960, 7, 5, 1},        {"Xception", 128, 147, 3, 1},
    {"Xception", 256, 74, 3, 1}, {"Xception", 728, 37, 3, 1}, {"Xception", 728, 19, 3, 1}, {"Xception", 1024, 10, 3, 1},
};
#define LAYERS (sizeof layers / sizeof *layers)

typedef struct work {
    const layer *l;
    dwconv_fn run;
    dwconv_args args;
    uint32_t panels;
    size_t in_panel, out_panel, w_panel; // floats
    float *in, *out, *w;
    double panel_ns, layer_ns;
} work;

static float *filled(size_t floats) {
    float *p = mem_alloc(floats * sizeof *p);
    if (!p) exit(1);
    for (size_t j = 0; j < floats; j++) p[j] = (float)(j % 17) / 16.0f - 0.5f;
    return p;
}

static void set_up(work *w, const layer *l, dsc_isa isa) {
    static const float bias[DWCONV_LANES];
    uint32_t in = (l->out - 1) * l->stride + l->kernel;
    *w = (work){.l = l, .panels = (l->channels + 15) / 16, .panel_ns = DBL_MAX, .layer_ns = DBL_MAX};
    w->in_panel = (size_t)in * in * DWCONV_LANES;
    w->out_panel = (size_t)l->out * l->out * DWCONV_LANES;
    w->w_panel = (size_t)l->kernel * l->kernel * DWCONV_LANES;
    w->in = filled(w->in_panel * w->panels);
    w->out = filled(w->out_panel * w->panels);
    w->w = filled(w->w_panel * w->panels);
    w->args = (dwconv_args){.in_row = (int64_t)in * DWCONV_LANES,
                            .out_row = (int64_t)l->out * DWCONV_LANES,
                            .bias = bias,
                            .out_w = l->out,
                            .kernel_h = l->kernel,
                            .kernel_w = l->kernel,
                            .stride_h = l->stride,
                            .stride_w = l->stride,
                            .dilation_h = 1,
                            .dilation_w = 1,
                            .act = {ACT_RELU, 0, 0}};
    w->run = dwconv_find(isa, l->kernel, l->kernel, l->stride, l->stride, 1, 1)->run;
}

// All panels; `apart`: each with its own map. Returns nanoseconds.
static double pass(work *w, bool apart) {
    uint64_t start = clock_ns();
    for (uint32_t p = 0; p < w->panels; p++) {
        w->args.in = w->in + (apart ? p * w->in_panel : 0);
        w->args.out = w->out + (apart ? p * w->out_panel : 0);
        w->args.w = w->w + p * w->w_panel;
        w->run(&w->args, 0, w->l->out);
    }
    return (double)(clock_ns() - start);
}

static void measure(work *w) {
    for (int i = 0; i < 5; i++) {
        double panel = pass(w, false), layer_ns = pass(w, true);
        if (panel < w->panel_ns) w->panel_ns = panel;
        if (layer_ns < w->layer_ns) w->layer_ns = layer_ns;
    }
}

static void report(work *w, double peak) {
    const layer *l = w->l;
    double flops = 2.0 * l->out * l->out * l->kernel * l->kernel * w->panels * DWCONV_LANES;
    printf("  %-9s %4u x %3ux%-3u %ux%us%u  panel %5.1f %%   layer %5.1f %%  %8.1f us\n", l->net, l->channels, l->out,
           l->out, l->kernel, l->kernel, l->stride, 100 * flops / w->panel_ns / peak, 100 * flops / w->layer_ns / peak,
           w->layer_ns / 1e3);
    mem_free(w->in);
    mem_free(w->out);
    mem_free(w->w);
}

static void bench(dsc_isa isa) {
    static work works[LAYERS];
    double peak = 0;
    for (size_t i = 0; i < LAYERS; i++) set_up(&works[i], &layers[i], isa);
    for (int round = 0; round < ROUNDS; round++) {
        double now = peak_gflops(isa);
        if (now > peak) peak = now;
        for (size_t i = 0; i < LAYERS; i++) measure(&works[i]);
    }
    printf("%s: peak %.1f GFLOP/s\n", dsc_isa_name(isa), peak);
    for (size_t i = 0; i < LAYERS; i++) report(&works[i], peak);
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
    }
    for (dsc_isa isa = DSC_ISA_AVX2; argc == 1 && isa <= dsc_isa_best(); isa++) bench(isa);
    return 0;
}
