// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with AVX-512: 3x3 and 5x5 with stride 1 and 2 in register tiles, and any other geometry.
//
// A vector is a whole pixel of 16 channels. Tiles have up to seven columns, which divides the maps of most networks.
// They go by input rows, each of which serves all output rows that it belongs to: loads and stores beside them slow the
// multiply-adds down, even where there are ports enough for all.
#include "engine/kernels/dwconv.h"
#include "engine/kernels/dwconv_strips.h"
#include "engine/kernels/simd_avx512.h"

#define INLINE UNCHECKED static inline __attribute__((always_inline))

#define COLUMNS  7 // of a tile
#define ROWS_MAX 7

INLINE void activate(const dwconv_args *a, __m512 acc[COLUMNS], const int columns) {
    if (a->act.kind == ACT_RELU) {
        __m512 zero; // made here each time: the compilers would keep it in a register, for which there is none left
        __asm__ volatile("vxorps %x0, %x0, %x0" : "=v"(zero));
        UNROLLED for (int x = 0; x < columns; x++) acc[x] = _mm512_max_ps(zero, acc[x]); // as simd_avx512_relu
    } else if (a->act.kind == ACT_CLAMP) {
        __m512 low = _mm512_set1_ps(a->act.a), high = _mm512_set1_ps(a->act.b);
        UNROLLED for (int x = 0; x < columns; x++) acc[x] = simd_avx512_clamp(acc[x], low, high);
    }
}

INLINE void start_row(const dwconv_args *a, __m512 acc[COLUMNS], const int columns) {
    UNROLLED for (int x = 0; x < columns; x++) acc[x] = _mm512_loadu_ps(a->bias);
}

INLINE void finish_row(const dwconv_args *a, float *out, __m512 acc[COLUMNS], const int columns) {
    activate(a, acc, columns);
    UNROLLED for (int x = 0; x < columns; x++) _mm512_storeu_ps(out + x * DWCONV_LANES, acc[x]);
}

// ---- 3x3: all weights stay in registers ---------------------------------------------------------------------------

// Input row i into every row of the tile that it belongs to. Each of its pixels is loaded once, from left to right, so
// an accumulator meets its taps in their order, and only when all its neighbours took one.
INLINE void add_pixels(__m512 acc[ROWS_MAX][COLUMNS], const float *in, __m512 w[3][3], const int i, const int stride,
                       const int rows, const int columns) {
    UNROLLED for (int c = 0; c < (columns - 1) * stride + 3; c++) {
        __m512 v = _mm512_loadu_ps(in + c * DWCONV_LANES);
        UNROLLED for (int x = 0; x < columns; x++) {
            const int kx = c - x * stride;
            if (kx < 0 || kx >= 3) continue;
            UNROLLED for (int r = 0; r < rows; r++) {
                const int ky = i - r * stride;
                if (ky >= 0 && ky < 3) acc[r][x] = _mm512_fmadd_ps(v, w[ky][kx], acc[r][x]);
            }
        }
    }
}

// Output rows are begun and finished as the input rows go by: not more than three are under way at once.
INLINE void tile_3x3(const dwconv_args *a, const float *in, float *out, __m512 w[3][3], const int stride,
                     const int rows, const int columns) {
    __m512 acc[ROWS_MAX][COLUMNS];
    UNROLLED for (int i = 0; i < (rows - 1) * stride + 3; i++) {
        if (i % stride == 0 && i / stride < rows) start_row(a, acc[i / stride % ROWS_MAX], columns);
        add_pixels(acc, in, w, i, stride, rows, columns);
        in += a->in_row;
        if (i < 2 || (i - 2) % stride) continue;
        finish_row(a, out, acc[(i - 2) / stride % ROWS_MAX], columns);
        out += a->out_row;
    }
}

#define NAME(kernel, stride, rows, columns) strip_##kernel##x##kernel##s##stride##_##rows##x##columns
#define STRIP_3X3(kernel, stride, rows, columns)                                                                       \
    UNCHECKED static void NAME(kernel, stride, rows, columns)(const dwconv_args *a, const float *in, float *out,       \
                                                              uint32_t tiles) {                                        \
        __m512 w[3][3];                                                                                                \
        UNROLLED for (int i = 0; i < 9; i++) w[i / 3][i % 3] = _mm512_load_ps(a->w + i * DWCONV_LANES);                \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            tile_3x3(a, in, out, w, stride, rows, columns);                                                            \
            in += columns * stride * DWCONV_LANES;                                                                     \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }

// ---- 5x5: an input row stays in registers, weights come and go ------------------------------------------------------

// Every weight is loaded once for each row of the tile; all accumulators of a row take a tap before any takes the next.
INLINE void add_weights(__m512 acc[2][COLUMNS], const float *in, const float *w, const int i, const int stride,
                        const int rows, const int columns) {
    __m512 v[COLUMNS * 2 + 3];
    UNROLLED for (int kx = 0; kx < 5; kx++) {
        UNROLLED for (int x = 0; x < columns; x++) { // what this kernel column is the first to need
            if (kx < stride || x == columns - 1) {
                v[x * stride + kx] = _mm512_loadu_ps(in + (x * stride + kx) * DWCONV_LANES);
            }
        }
        UNROLLED for (int r = 0; r < rows; r++) {
            const int ky = i - r * stride;
            if (ky < 0 || ky >= 5) continue;
            __m512 weight = _mm512_load_ps(w + (ky * 5 + kx) * DWCONV_LANES);
            UNROLLED for (int x = 0; x < columns; x++) {
                acc[r][x] = _mm512_fmadd_ps(v[x * stride + kx], weight, acc[r][x]);
            }
        }
    }
}

INLINE void tile_5x5(const dwconv_args *a, const float *in, float *out, const int stride, const int rows,
                     const int columns) {
    __m512 acc[2][COLUMNS];
    UNROLLED for (int i = 0; i < (rows - 1) * stride + 5; i++) {
        if (i == 0 || (i == stride && rows == 2)) start_row(a, acc[i / stride], columns);
        add_weights(acc, in, a->w, i, stride, rows, columns);
        in += a->in_row;
        if (i < 4 || (i - 4) % stride) continue;
        finish_row(a, out, acc[(i - 4) / stride], columns);
        out += a->out_row;
    }
}

#define STRIP_5X5(kernel, stride, rows, columns)                                                                       \
    UNCHECKED static void NAME(kernel, stride, rows, columns)(const dwconv_args *a, const float *in, float *out,       \
                                                              uint32_t tiles) {                                        \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            tile_5x5(a, in, out, stride, rows, columns);                                                               \
            in += columns * stride * DWCONV_LANES;                                                                     \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }

// ---- finishing rows -------------------------------------------------------------------------------------------------

INLINE __m512 finish_pixel(const dwconv_args *a, float *out, __m512 sum, const act_kind kind) {
    __m512 v = simd_avx512_act(_mm512_loadu_ps(out), kind, a->act.a, a->act.b);
    if (kind != ACT_NONE) _mm512_storeu_ps(out, v);
    return _mm512_add_ps(sum, v);
}

INLINE void finish_as(const dwconv_args *a, float *out, float *sums, uint32_t rows, const act_kind kind) {
    for (uint32_t r = 0; r < rows; r++, out += a->out_row) {
        __m512 s[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        float *p = out;
        uint32_t x = 0;
        for (; x + 4 <= a->out_w; x += 4, p += 4 * DWCONV_LANES) {
            UNROLLED for (int i = 0; i < 4; i++) s[i] = finish_pixel(a, p + i * DWCONV_LANES, s[i], kind);
        }
        UNROLLED for (uint32_t i = 0; i < 3; i++) {
            if (x + i < a->out_w) s[i] = finish_pixel(a, p + i * DWCONV_LANES, s[i], kind);
        }
        if (!sums) continue;
        _mm512_storeu_ps(sums + r * DWCONV_LANES, _mm512_add_ps(_mm512_add_ps(s[0], s[1]), _mm512_add_ps(s[2], s[3])));
    }
}

static void finish(const dwconv_args *a, float *out, float *sums, uint32_t rows) {
    switch (a->act.kind) {
        case ACT_NONE:
        case ACT_RELU:
        case ACT_CLAMP: finish_as(a, out, sums, rows, ACT_NONE); break;
        case ACT_HARDSIGMOID: finish_as(a, out, sums, rows, ACT_HARDSIGMOID); break;
        case ACT_HARDSWISH: finish_as(a, out, sums, rows, ACT_HARDSWISH); break;
        case ACT_SIGMOID: finish_as(a, out, sums, rows, ACT_SIGMOID); break;
        case ACT_SILU: finish_as(a, out, sums, rows, ACT_SILU); break;
    }
}

// ---- the four geometries --------------------------------------------------------------------------------------------

#define SEVEN(kernel, stride, rows, DO)                                                                                \
    DO(kernel, stride, rows, 1)                                                                                        \
    DO(kernel, stride, rows, 2)                                                                                        \
    DO(kernel, stride, rows, 3)                                                                                        \
    DO(kernel, stride, rows, 4)                                                                                        \
    DO(kernel, stride, rows, 5)                                                                                        \
    DO(kernel, stride, rows, 6)                                                                                        \
    DO(kernel, stride, rows, 7)

#define ENTRY(kernel, stride, rows, columns) NAME(kernel, stride, rows, columns),
#define TILES(kernel, stride, rows)                                                                                    \
    {                                                                                                                  \
        rows, COLUMNS, {                                                                                               \
            SEVEN(kernel, stride, rows, ENTRY)                                                                         \
        }                                                                                                              \
    }
#define COVER(...)                                                                                                     \
    static const dwconv_tiles tiles[] = {__VA_ARGS__};                                                                 \
    dwconv_cover(a, y0, y1, &(dwconv_strips){tiles, finish})

#define GEOMETRY_3X3(stride)                                                                                           \
    SEVEN(3, stride, 1, STRIP_3X3)                                                                                     \
    SEVEN(3, stride, 2, STRIP_3X3)                                                                                     \
    SEVEN(3, stride, 4, STRIP_3X3)                                                                                     \
    SEVEN(3, stride, 7, STRIP_3X3)                                                                                     \
    void dwconv_f32_3x3s##stride##_7x7_avx512(const dwconv_args *a, uint32_t y0, uint32_t y1) {                        \
        COVER(TILES(3, stride, 7), TILES(3, stride, 4), TILES(3, stride, 2), TILES(3, stride, 1));                     \
    }
GEOMETRY_3X3(1)
GEOMETRY_3X3(2)

#define GEOMETRY_5X5(stride)                                                                                           \
    SEVEN(5, stride, 1, STRIP_5X5)                                                                                     \
    SEVEN(5, stride, 2, STRIP_5X5)                                                                                     \
    void dwconv_f32_5x5s##stride##_2x7_avx512(const dwconv_args *a, uint32_t y0, uint32_t y1) {                        \
        COVER(TILES(5, stride, 2), TILES(5, stride, 1));                                                               \
    }
GEOMETRY_5X5(1)
GEOMETRY_5X5(2)

// ---- any geometry ---------------------------------------------------------------------------------------------

INLINE void any_tile(const dwconv_args *a, const float *in, float *out, const int columns) {
    __m512 acc[COLUMNS];
    start_row(a, acc, columns);
    const float *w = a->w;
    int64_t step = (int64_t)a->stride_w * DWCONV_LANES;
    for (uint32_t ky = 0; ky < a->kernel_h; ky++, in += (int64_t)a->dilation_h * a->in_row) {
        const float *p = in;
        ROLLED for (uint32_t kx = 0; kx < a->kernel_w; kx++) {
            __m512 weight = _mm512_load_ps(w);
            UNROLLED for (int x = 0; x < columns; x++) {
                acc[x] = _mm512_fmadd_ps(_mm512_loadu_ps(p + x * step), weight, acc[x]);
            }
            p += (int64_t)a->dilation_w * DWCONV_LANES;
            w += DWCONV_LANES;
        }
    }
    finish_row(a, out, acc, columns);
}

#define ANY_NAME(kernel, stride, rows, columns) strip_any_##rows##x##columns
#define ANY_STRIP(kernel, stride, rows, columns)                                                                       \
    UNCHECKED static void ANY_NAME(, , rows, columns)(const dwconv_args *a, const float *in, float *out,               \
                                                      uint32_t tiles) {                                                \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            any_tile(a, in, out, columns);                                                                             \
            in += (int64_t)columns * a->stride_w * DWCONV_LANES;                                                       \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }
SEVEN(, , 1, ANY_STRIP)

void dwconv_f32_any_1x7_avx512(const dwconv_args *a, uint32_t y0, uint32_t y1) {
#define ANY_ENTRY(kernel, stride, rows, columns) ANY_NAME(, , rows, columns),
    COVER({1, COLUMNS, {SEVEN(, , 1, ANY_ENTRY)}});
}
