// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with AVX2: 3x3 and 5x5 with stride 1 and 2 in register tiles, and any other geometry.
//
// A tile is two output rows by up to four columns of eight channels: eight accumulators keep both FMA units busy. With
// 3x3 it goes by input rows, each of which is loaded once and serves both output rows: one weight at a time serves all
// accumulators of a row. The columns of a 5x5 kernel's input row are too many for the registers; there, and in a last
// odd row, whose tiles have up to eight columns, each output row reads its own input rows; the columns used most are in
// registers, the others are read by the multiply-adds. Each accumulator meets its taps in the order (ky, kx) whatever
// the tile.
#include "engine/kernels/dwconv.h"
#include "engine/kernels/dwconv_strips.h"
#include "engine/kernels/eltwise.h"
#include "engine/kernels/simd_avx2.h"

#define INLINE      UNCHECKED static inline __attribute__((always_inline))
#define LANES       8 // of a vector
#define COLUMNS_TWO 4 // of a tile of two rows
#define COLUMNS_ONE 8 // of a tile of one row
#define REGISTERS   16

INLINE void store_row(const dwconv_args *a, float *out, __m256 acc[COLUMNS_ONE], const int columns) {
    if (a->act.kind == ACT_RELU) {
        UNROLLED for (int x = 0; x < columns; x++) acc[x] = simd_avx2_relu(acc[x]);
    } else if (a->act.kind == ACT_CLAMP) {
        __m256 low = _mm256_set1_ps(a->act.a), high = _mm256_set1_ps(a->act.b);
        UNROLLED for (int x = 0; x < columns; x++) acc[x] = simd_avx2_clamp(acc[x], low, high);
    }
    UNROLLED for (int x = 0; x < columns; x++) _mm256_storeu_ps(out + x * DWCONV_LANES, acc[x]);
}

// acc + w * p[0 .. ], read by the FMA itself: written as a load, the compilers would keep it in a register for its next
// use, for which there is none left.
INLINE __m256 fma_memory(__m256 acc, __m256 w, const float *p) {
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(w), "m"(*(const __m256_u *)(const void *)p));
    return acc;
}

// Adds one row of the kernel. All accumulators take one tap before any takes the next, so none waits for another.
INLINE void add_row(__m256 acc[2][COLUMNS_ONE], const float *const in[2], const float *w, const int kernel,
                    const int stride, const int rows, const int columns) {
    __m256 held[2][COLUMNS_ONE * 2 + 3];
    const int in_columns = (columns - 1) * stride + kernel;
    UNROLLED for (int i = 0; i < rows * in_columns; i++) {
        int r = i / in_columns, c = i % in_columns;
        if (dwconv_is_held(c, REGISTERS, kernel, stride, rows, columns))
            held[r][c] = _mm256_loadu_ps(in[r] + c * DWCONV_LANES);
    }
    UNROLLED for (int k = 0; k < kernel; k++) {
        __m256 weight = _mm256_load_ps(w + k * DWCONV_LANES);
        UNROLLED for (int i = 0; i < rows * columns; i++) {
            int r = i / columns, x = i % columns, c = x * stride + k;
            if (dwconv_is_held(c, REGISTERS, kernel, stride, rows, columns)) {
                acc[r][x] = _mm256_fmadd_ps(held[r][c], weight, acc[r][x]);
            } else {
                acc[r][x] = fma_memory(acc[r][x], weight, in[r] + c * DWCONV_LANES);
            }
        }
    }
}

INLINE void tile(const dwconv_args *a, const float *in, float *out, uint32_t lane, const int kernel, const int stride,
                 const int rows, const int columns) {
    __m256 acc[2][COLUMNS_ONE];
    __m256 bias = _mm256_loadu_ps(a->bias + lane);
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int x = 0; x < columns; x++) acc[r][x] = bias;
    }
    const float *w = a->w + lane, *row[2] = {in, in + stride * a->in_row};
    ROLLED for (int ky = 0; ky < kernel; ky++) {
        OPAQUE(row[1]);
        add_row(acc, row, w, kernel, stride, rows, columns);
        row[0] += a->in_row;
        row[1] += a->in_row;
        w += kernel * DWCONV_LANES;
    }
    UNROLLED for (int r = 0; r < rows; r++) store_row(a, out + r * a->out_row, acc[r], columns);
}

// Input row i into both rows of the tile.
INLINE void add_input_row(__m256 acc[2][COLUMNS_ONE], const float *in, const float *w, const int i, const int kernel,
                          const int stride, const int columns) {
    __m256 v[COLUMNS_TWO * 2 + 3];
    UNROLLED for (int kx = 0; kx < kernel; kx++) {
        UNROLLED for (int x = 0; x < columns; x++) { // what this kernel column is the first to need
            if (kx < stride || x == columns - 1) {
                v[x * stride + kx] = _mm256_loadu_ps(in + (x * stride + kx) * DWCONV_LANES);
            }
        }
        UNROLLED for (int r = 0; r < 2; r++) {
            const int ky = i - r * stride;
            if (ky < 0 || ky >= kernel) continue;
            __m256 weight = _mm256_load_ps(w + (ky * kernel + kx) * DWCONV_LANES);
            UNROLLED for (int x = 0; x < columns; x++) {
                acc[r][x] = _mm256_fmadd_ps(v[x * stride + kx], weight, acc[r][x]);
            }
        }
    }
}

INLINE void shared_tile(const dwconv_args *a, const float *in, float *out, uint32_t lane, const int kernel,
                        const int stride, const int columns) {
    __m256 acc[2][COLUMNS_ONE];
    UNROLLED for (int i = 0; i < kernel + stride; i++) {
        if (i == 0 || i == stride) {
            UNROLLED for (int x = 0; x < columns; x++) acc[i / stride][x] = _mm256_loadu_ps(a->bias + lane);
        }
        add_input_row(acc, in, a->w + lane, i, kernel, stride, columns);
        in += a->in_row;
        if (i == kernel - 1) store_row(a, out, acc[0], columns);
    }
    store_row(a, out + a->out_row, acc[1], columns);
}

#define NAME(kernel, stride, rows, columns) strip_##kernel##x##kernel##s##stride##_##rows##x##columns
#define STRIP_OF(TILE, kernel, stride, rows, columns)                                                                  \
    UNCHECKED static void NAME(kernel, stride, rows, columns)(const dwconv_args *a, const float *in, float *out,       \
                                                              uint32_t tiles) {                                        \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            TILE(0, kernel, stride, rows, columns);                                                                    \
            TILE(LANES, kernel, stride, rows, columns);                                                                \
            in += columns * stride * DWCONV_LANES;                                                                     \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }
#define TILE_APART(lane, kernel, stride, rows, columns)                                                                \
    tile(a, in + lane, out + lane, lane, kernel, stride, rows, columns)
#define TILE_SHARED(lane, kernel, stride, rows, columns)                                                               \
    shared_tile(a, in + lane, out + lane, lane, kernel, stride, columns)
#define APART(kernel, stride, rows, columns)  STRIP_OF(TILE_APART, kernel, stride, rows, columns)
#define SHARED(kernel, stride, rows, columns) STRIP_OF(TILE_SHARED, kernel, stride, rows, columns)

// The sum of one row, of half a pixel's channels.
INLINE void sum_row(const float *p, uint32_t w, float *out) {
    __m256 s[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    uint32_t x = 0;
    for (; x + 4 <= w; x += 4, p += 4 * DWCONV_LANES) {
        UNROLLED for (int i = 0; i < 4; i++) s[i] = _mm256_add_ps(s[i], _mm256_loadu_ps(p + i * DWCONV_LANES));
    }
    UNROLLED for (uint32_t i = 0; i < 3; i++) {
        if (x + i < w) s[i] = _mm256_add_ps(s[i], _mm256_loadu_ps(p + i * DWCONV_LANES));
    }
    _mm256_storeu_ps(out, _mm256_add_ps(_mm256_add_ps(s[0], s[1]), _mm256_add_ps(s[2], s[3])));
}

// In two passes: an exponential and four sums do not fit into the registers.
static void finish(const dwconv_args *a, float *out, float *sums, uint32_t rows) {
    for (uint32_t r = 0; r < rows; r++, out += a->out_row) {
        if (!dwconv_is_cheap(a->act.kind)) eltwise_f32_act_avx2(out, out, (size_t)a->out_w * DWCONV_LANES, a->act);
        if (!sums) continue;
        sum_row(out, a->out_w, sums + (size_t)r * DWCONV_LANES);
        sum_row(out + LANES, a->out_w, sums + (size_t)r * DWCONV_LANES + LANES);
    }
}

#define FOUR(kernel, stride, rows, DO)                                                                                 \
    DO(kernel, stride, rows, 1)                                                                                        \
    DO(kernel, stride, rows, 2)                                                                                        \
    DO(kernel, stride, rows, 3)                                                                                        \
    DO(kernel, stride, rows, 4)
#define EIGHT(kernel, stride, rows, DO)                                                                                \
    FOUR(kernel, stride, rows, DO)                                                                                     \
    DO(kernel, stride, rows, 5)                                                                                        \
    DO(kernel, stride, rows, 6)                                                                                        \
    DO(kernel, stride, rows, 7)                                                                                        \
    DO(kernel, stride, rows, 8)

#define ENTRY(kernel, stride, rows, columns) NAME(kernel, stride, rows, columns),
#define COVER(...)                                                                                                     \
    static const dwconv_tiles tiles[] = {__VA_ARGS__};                                                                 \
    dwconv_cover(a, y0, y1, &(dwconv_strips){tiles, finish})
#define GEOMETRY(kernel, stride, TWO_ROWS)                                                                             \
    EIGHT(kernel, stride, 1, APART)                                                                                    \
    FOUR(kernel, stride, 2, TWO_ROWS)                                                                                  \
    void dwconv_f32_##kernel##x##kernel##s##stride##_2x4_avx2(const dwconv_args *a, uint32_t y0, uint32_t y1) {        \
        COVER({2, COLUMNS_TWO, {FOUR(kernel, stride, 2, ENTRY)}},                                                      \
              {1, COLUMNS_ONE, {EIGHT(kernel, stride, 1, ENTRY)}});                                                    \
    }

GEOMETRY(3, 1, SHARED)
GEOMETRY(3, 2, SHARED)
GEOMETRY(5, 1, APART)
GEOMETRY(5, 2, APART)

// ---- any geometry ---------------------------------------------------------------------------------------------

INLINE void any_tile(const dwconv_args *a, const float *in, float *out, uint32_t lane, const int columns) {
    __m256 acc[2][COLUMNS_ONE];
    __m256 bias = _mm256_loadu_ps(a->bias + lane);
    UNROLLED for (int x = 0; x < columns; x++) acc[0][x] = bias;
    const float *w = a->w + lane;
    int64_t step = (int64_t)a->stride_w * DWCONV_LANES;
    for (uint32_t ky = 0; ky < a->kernel_h; ky++, in += (int64_t)a->dilation_h * a->in_row) {
        const float *p = in;
        ROLLED for (uint32_t kx = 0; kx < a->kernel_w; kx++) {
            __m256 weight = _mm256_load_ps(w);
            UNROLLED for (int x = 0; x < columns; x++) {
                acc[0][x] = _mm256_fmadd_ps(_mm256_loadu_ps(p + x * step), weight, acc[0][x]);
            }
            p += (int64_t)a->dilation_w * DWCONV_LANES;
            w += DWCONV_LANES;
        }
    }
    store_row(a, out, acc[0], columns);
}

#define ANY_NAME(kernel, stride, rows, columns) strip_any_##rows##x##columns
#define ANY_STRIP(kernel, stride, rows, columns)                                                                       \
    UNCHECKED static void ANY_NAME(, , rows, columns)(const dwconv_args *a, const float *in, float *out,               \
                                                      uint32_t tiles) {                                                \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            any_tile(a, in, out, 0, columns);                                                                          \
            any_tile(a, in + LANES, out + LANES, LANES, columns);                                                      \
            in += (int64_t)columns * a->stride_w * DWCONV_LANES;                                                       \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }
EIGHT(, , 1, ANY_STRIP)

void dwconv_f32_any_1x8_avx2(const dwconv_args *a, uint32_t y0, uint32_t y1) {
#define ANY_ENTRY(kernel, stride, rows, columns) ANY_NAME(, , rows, columns),
    COVER({1, COLUMNS_ONE, {EIGHT(, , 1, ANY_ENTRY)}});
}
