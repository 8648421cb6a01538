// SPDX-License-Identifier: Apache-2.0
// The table of pooling kernels, and the walk over clipped windows that they share.
#include "engine/kernels/pool.h"

#include "engine/kernels/pool_walk.h"

static const pool_kernel kernels[] = {
#define POOL_KERNEL(suffix, isa)                                                                                       \
    {"pool_f32_" #suffix, "pool_f32_global_" #suffix, isa, pool_f32_##suffix, pool_f32_global_##suffix},
#include "engine/kernels/pool_list.inc"
#undef POOL_KERNEL
};

const pool_kernel *pool_kernels(uint32_t *count) {
    *count = sizeof kernels / sizeof *kernels;
    return kernels;
}

const pool_kernel *pool_find(dsc_isa isa) {
    const pool_kernel *best = &kernels[0]; // the reference runs everywhere
    for (size_t i = 1; i < sizeof kernels / sizeof *kernels; i++) {
        if (kernels[i].isa <= isa && kernels[i].isa > best->isa) best = &kernels[i];
    }
    return best;
}

void pool_mean_of_rows(const float *sums, uint32_t h, uint32_t w, float *out) {
    float total[POOL_LANES] = {0};
    for (uint32_t y = 0; y < h; y++, sums += POOL_LANES) {
        for (uint32_t c = 0; c < POOL_LANES; c++) total[c] += sums[c];
    }
    for (uint32_t c = 0; c < POOL_LANES; c++) out[c] = total[c] / ((float)h * (float)w);
}

typedef struct axis {
    int64_t size, kernel, stride, dilation, pad_before, pad_after;
} axis;

// The part of a window that lies on the map.
typedef struct range {
    int64_t start; // its first tap; 0 where there is none
    uint32_t taps, padded_taps;
} range;

// How many of the taps at, at + dilation, ... lie below `limit`.
static int64_t taps_below(const axis *s, int64_t at, int64_t limit) {
    if (at >= limit) return 0;
    int64_t taps = (limit - at + s->dilation - 1) / s->dilation;
    return taps < s->kernel ? taps : s->kernel;
}

static range clip(const axis *s, int64_t index) {
    int64_t at = index * s->stride - s->pad_before;
    int64_t first = taps_below(s, at, 0), taps = taps_below(s, at, s->size) - first;
    return (range){.start = taps ? at + first * s->dilation : 0,
                   .taps = (uint32_t)taps,
                   .padded_taps = (uint32_t)taps_below(s, at, s->size + s->pad_after)};
}

// 1 for a window without taps: its average is 0.
static float divisor(const pool_args *a, range rows, range columns) {
    uint32_t count = rows.taps * columns.taps;
    if (a->kind == POOL_AVERAGE_WITH_PAD) count = rows.padded_taps * columns.padded_taps;
    return count ? (float)count : 1.0f;
}

// Outputs first <= x < end of a row whose windows are not clipped.
static void whole_windows(const axis *s, uint32_t out, uint32_t *first, uint32_t *end) {
    int64_t low = (s->pad_before + s->stride - 1) / s->stride;
    int64_t last = s->size - 1 - (s->kernel - 1) * s->dilation + s->pad_before;
    int64_t high = last < 0 ? 0 : last / s->stride + 1;
    if (high > out) high = out;
    if (low > high) low = high;
    *first = (uint32_t)low;
    *end = (uint32_t)high;
}

static void walk_span(const pool_args *a, const axis *s, range rows, uint32_t y, uint32_t x, uint32_t count,
                      pool_span_fn span) {
    if (count == 0) return;
    range columns = clip(s, x);
    pool_span p = {.in = a->in + rows.start * a->in_row + columns.start * POOL_LANES,
                   .out = a->out + (int64_t)y * a->out_row + (int64_t)x * POOL_LANES,
                   .count = count,
                   .rows = columns.taps ? rows.taps : 0,
                   .columns = columns.taps,
                   .divisor = divisor(a, rows, columns)};
    span(a, &p);
}

void pool_walk(const pool_args *a, uint32_t y0, uint32_t y1, pool_span_fn span) {
    const axis down = {a->in_h, a->kernel_h, a->stride_h, a->dilation_h, a->pad_top, a->pad_bottom};
    const axis across = {a->in_w, a->kernel_w, a->stride_w, a->dilation_w, a->pad_left, a->pad_right};
    uint32_t first, end;
    whole_windows(&across, a->out_w, &first, &end);
    for (uint32_t y = y0; y < y1; y++) {
        range rows = clip(&down, y);
        for (uint32_t x = 0; x < first; x++) walk_span(a, &across, rows, y, x, 1, span);
        walk_span(a, &across, rows, y, first, end - first, span);
        for (uint32_t x = end; x < a->out_w; x++) walk_span(a, &across, rows, y, x, 1, span);
    }
}
