// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with AVX2: 3x3 and 5x5 with stride 1 and 2 in register tiles, and any other geometry.
//
// A tile is two output rows by up to four columns of eight channels: eight accumulators keep both FMA units busy. The
// kernel's row is the outer loop. Within it the weights of that row stay in registers and each input column is loaded
// once and used for every output that it touches; the two output rows share the weights, not the input rows. So each
// accumulator meets its taps in the order (ky, kx) whatever the tile. A last odd row has tiles of up to eight columns.
#include "engine/kernels/dwconv.h"
#include "engine/kernels/eltwise.h"
#include "engine/kernels/simd_avx2.h"

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLLED _Pragma("clang loop unroll(full)")
#define ROLLED   _Pragma("clang loop unroll(disable)")
#else
#define UNROLLED _Pragma("GCC unroll 24")
#define ROLLED   _Pragma("GCC unroll 1")
#endif

#define LANES    8 // of a vector
#define COLUMNS  4 // of a tile of two rows
#define COLUMNS1 8 // of a tile of one row

// Computes `tiles` tiles side by side from the given input and output addresses on.
typedef void (*strip_fn)(const dwconv_args *a, const float *in, float *out, uint32_t tiles);

// The cheap activations happen in registers, the others over the finished row.
INLINE bool is_cheap(act_kind kind) {
    return kind == ACT_NONE || kind == ACT_RELU || kind == ACT_CLAMP;
}

INLINE void store_tile(const dwconv_args *a, float *out, __m256 acc[2][COLUMNS1], const int rows, const int columns) {
    if (a->act.kind == ACT_RELU) {
        UNROLLED for (int i = 0; i < rows * columns; i++) {
            acc[i / columns][i % columns] = simd_avx2_relu(acc[i / columns][i % columns]);
        }
    } else if (a->act.kind == ACT_CLAMP) {
        __m256 low = _mm256_set1_ps(a->act.a), high = _mm256_set1_ps(a->act.b);
        UNROLLED for (int i = 0; i < rows * columns; i++) {
            acc[i / columns][i % columns] = simd_avx2_clamp(acc[i / columns][i % columns], low, high);
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int x = 0; x < columns; x++) {
            _mm256_storeu_ps(out + r * a->out_row + x * DWCONV_LANES, acc[r][x]);
        }
    }
}

// Adds one row of the kernel.
INLINE void add_row(__m256 acc[2][COLUMNS1], const float *in, int64_t in_step, const float *w, const int kernel,
                    const int stride, const int rows, const int columns) {
    __m256 weight[5];
    UNROLLED for (int k = 0; k < kernel; k++) weight[k] = _mm256_load_ps(w + k * DWCONV_LANES);
    UNROLLED for (int c = 0; c < (columns - 1) * stride + kernel; c++) {
        UNROLLED for (int r = 0; r < rows; r++) {
            __m256 v = _mm256_loadu_ps(in + r * in_step + c * DWCONV_LANES);
            UNROLLED for (int k = 0; k < kernel; k++) {
                int x = (c - k) / stride;
                bool is_used = c >= k && (c - k) % stride == 0 && x < columns;
                if (is_used) acc[r][x] = _mm256_fmadd_ps(v, weight[k], acc[r][x]);
            }
        }
    }
}

INLINE void tile(const dwconv_args *a, const float *in, float *out, uint32_t lane, const int kernel, const int stride,
                 const int rows, const int columns) {
    __m256 acc[2][COLUMNS1];
    __m256 bias = _mm256_loadu_ps(a->bias + lane);
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int x = 0; x < columns; x++) acc[r][x] = bias;
    }
    const float *w = a->w + lane;
    ROLLED for (int ky = 0; ky < kernel; ky++) {
        add_row(acc, in, stride * a->in_row, w, kernel, stride, rows, columns);
        in += a->in_row;
        w += kernel * DWCONV_LANES;
    }
    store_tile(a, out, acc, rows, columns);
}

#define STRIP(kernel, stride, rows, columns)                                                                           \
    static void strip_##kernel##x##kernel##s##stride##_##rows##x##columns(const dwconv_args *a, const float *in,       \
                                                                          float *out, uint32_t tiles) {                \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            tile(a, in, out, 0, kernel, stride, rows, columns);                                                        \
            tile(a, in + LANES, out + LANES, LANES, kernel, stride, rows, columns);                                    \
            in += columns * stride * DWCONV_LANES;                                                                     \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }
#define NAME(kernel, stride, rows, columns) strip_##kernel##x##kernel##s##stride##_##rows##x##columns
#define GEOMETRY(kernel, stride)                                                                                       \
    STRIP(kernel, stride, 1, 1)                                                                                        \
    STRIP(kernel, stride, 1, 2)                                                                                        \
    STRIP(kernel, stride, 1, 3)                                                                                        \
    STRIP(kernel, stride, 1, 4)                                                                                        \
    STRIP(kernel, stride, 1, 5)                                                                                        \
    STRIP(kernel, stride, 1, 6)                                                                                        \
    STRIP(kernel, stride, 1, 7)                                                                                        \
    STRIP(kernel, stride, 1, 8)                                                                                        \
    STRIP(kernel, stride, 2, 1)                                                                                        \
    STRIP(kernel, stride, 2, 2)                                                                                        \
    STRIP(kernel, stride, 2, 3)                                                                                        \
    STRIP(kernel, stride, 2, 4)                                                                                        \
    void dwconv_f32_##kernel##x##kernel##s##stride##_2x4_avx2(const dwconv_args *a, uint32_t y0, uint32_t y1) {        \
        static const strip_fn one[COLUMNS1] = {NAME(kernel, stride, 1, 1), NAME(kernel, stride, 1, 2),                 \
                                               NAME(kernel, stride, 1, 3), NAME(kernel, stride, 1, 4),                 \
                                               NAME(kernel, stride, 1, 5), NAME(kernel, stride, 1, 6),                 \
                                               NAME(kernel, stride, 1, 7), NAME(kernel, stride, 1, 8)};                \
        static const strip_fn two[COLUMNS] = {NAME(kernel, stride, 2, 1), NAME(kernel, stride, 2, 2),                  \
                                              NAME(kernel, stride, 2, 3), NAME(kernel, stride, 2, 4)};                 \
        run(a, y0, y1, one, two);                                                                                      \
    }

static void finish_row(const dwconv_args *a, float *out) {
    eltwise_f32_act_avx2(out, out, (size_t)a->out_w * DWCONV_LANES, a->act);
}

// One tile row: columns are spread evenly over the tiles, so that there is never a narrow rest.
static void across(const dwconv_args *a, const float *in, float *out, const strip_fn *strips, uint32_t widest) {
    uint32_t tiles = (a->out_w + widest - 1) / widest;
    uint32_t columns = a->out_w / tiles, wider = a->out_w % tiles;
    if (wider) {
        strips[columns](a, in, out, wider);
        int64_t done = (int64_t)wider * (columns + 1) * DWCONV_LANES;
        in += done * a->stride_w;
        out += done;
    }
    strips[columns - 1](a, in, out, tiles - wider);
}

static void run(const dwconv_args *a, uint32_t y0, uint32_t y1, const strip_fn *one, const strip_fn *two) {
    if (a->out_w == 0) return;
    for (uint32_t y = y0, rows; y < y1; y += rows) {
        rows = y1 - y >= 2 ? 2 : 1;
        const float *in = a->in + (int64_t)y * a->stride_h * a->in_row;
        float *out = a->out + (int64_t)y * a->out_row;
        if (rows == 2) {
            across(a, in, out, two, COLUMNS);
        } else {
            across(a, in, out, one, COLUMNS1);
        }
        if (is_cheap(a->act.kind)) continue;
        for (uint32_t r = 0; r < rows; r++) finish_row(a, out + r * a->out_row);
    }
}

GEOMETRY(3, 1)
GEOMETRY(3, 2)
GEOMETRY(5, 1)
GEOMETRY(5, 2)

// ---- any geometry ---------------------------------------------------------------------------------------------

// `columns` pixels of one row, all 16 channels.
INLINE void any_tile(const dwconv_args *a, const float *in, float *out, const int columns) {
    __m256 acc[4][2];
    UNROLLED for (int x = 0; x < columns; x++) {
        acc[x][0] = _mm256_loadu_ps(a->bias);
        acc[x][1] = _mm256_loadu_ps(a->bias + LANES);
    }
    const float *w = a->w;
    int64_t step = (int64_t)a->stride_w * DWCONV_LANES;
    for (uint32_t ky = 0; ky < a->kernel_h; ky++, in += (int64_t)a->dilation_h * a->in_row) {
        const float *p = in;
        ROLLED for (uint32_t kx = 0; kx < a->kernel_w; kx++, p += (int64_t)a->dilation_w * DWCONV_LANES) {
            __m256 w0 = _mm256_load_ps(w), w1 = _mm256_load_ps(w + LANES);
            w += DWCONV_LANES;
            UNROLLED for (int x = 0; x < columns; x++) {
                acc[x][0] = _mm256_fmadd_ps(_mm256_loadu_ps(p + x * step), w0, acc[x][0]);
                acc[x][1] = _mm256_fmadd_ps(_mm256_loadu_ps(p + x * step + LANES), w1, acc[x][1]);
            }
        }
    }
    UNROLLED for (int x = 0; x < columns; x++) {
        _mm256_storeu_ps(out + x * DWCONV_LANES, acc[x][0]);
        _mm256_storeu_ps(out + x * DWCONV_LANES + LANES, acc[x][1]);
    }
}

void dwconv_f32_any_1x4_avx2(const dwconv_args *a, uint32_t y0, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++) {
        const float *in = a->in + (int64_t)y * a->stride_h * a->in_row;
        float *out = a->out + (int64_t)y * a->out_row;
        uint32_t x = 0;
        for (; x + 4 <= a->out_w; x += 4) {
            any_tile(a, in + (int64_t)x * a->stride_w * DWCONV_LANES, out + (int64_t)x * DWCONV_LANES, 4);
        }
        for (; x < a->out_w; x++) {
            any_tile(a, in + (int64_t)x * a->stride_w * DWCONV_LANES, out + (int64_t)x * DWCONV_LANES, 1);
        }
        if (a->act.kind != ACT_NONE) finish_row(a, out);
    }
}
