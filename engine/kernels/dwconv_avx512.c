// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution with AVX-512: as with AVX2 (see there), but a vector is a whole pixel of 16 channels and there
// are 32 registers. So tiles have up to seven columns, which divides the maps of most networks, and 3x3 with stride 1
// has room for all its weights.
#include "engine/kernels/dwconv.h"
#include "engine/kernels/dwconv_strips.h"
#include "engine/kernels/simd_avx512.h"

#define INLINE DWCONV_UNCHECKED static inline __attribute__((always_inline))

#define COLUMNS   7 // of a tile
#define REGISTERS 32

INLINE void store_tile(const dwconv_args *a, float *out, __m512 acc[2][COLUMNS], const int rows, const int columns) {
    if (a->act.kind == ACT_RELU) {
        UNROLLED for (int i = 0; i < rows * columns; i++) {
            acc[i / columns][i % columns] = simd_avx512_relu(acc[i / columns][i % columns]);
        }
    } else if (a->act.kind == ACT_CLAMP) {
        __m512 low = _mm512_set1_ps(a->act.a), high = _mm512_set1_ps(a->act.b);
        UNROLLED for (int i = 0; i < rows * columns; i++) {
            acc[i / columns][i % columns] = simd_avx512_clamp(acc[i / columns][i % columns], low, high);
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int x = 0; x < columns; x++) {
            _mm512_storeu_ps(out + r * a->out_row + x * DWCONV_LANES, acc[r][x]);
        }
    }
}

// acc + w * p[0 .. ], read by the FMA itself: written as a load, the compilers would keep it in a register for its next
// use, for which there is none left.
INLINE __m512 fma_memory(__m512 acc, __m512 w, const float *p) {
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(w), "m"(*(const __m512_u *)(const void *)p));
    return acc;
}

// Adds one row of the kernel. All accumulators take one tap before any takes the next, so none waits for another.
INLINE void add_row(__m512 acc[2][COLUMNS], const float *const in[2], const float *w, const int kernel,
                    const int stride, const int rows, const int columns) {
    __m512 held[2][COLUMNS * 2 + 3];
    const int in_columns = (columns - 1) * stride + kernel;
    UNROLLED for (int i = 0; i < rows * in_columns; i++) {
        int r = i / in_columns, c = i % in_columns;
        if (dwconv_is_held(c, REGISTERS, kernel, stride, rows, columns))
            held[r][c] = _mm512_loadu_ps(in[r] + c * DWCONV_LANES);
    }
    UNROLLED for (int k = 0; k < kernel; k++) {
        __m512 weight = _mm512_load_ps(w + k * DWCONV_LANES);
        UNROLLED for (int i = 0; i < rows * columns; i++) {
            int r = i / columns, x = i % columns, c = x * stride + k;
            if (dwconv_is_held(c, REGISTERS, kernel, stride, rows, columns)) {
                acc[r][x] = _mm512_fmadd_ps(held[r][c], weight, acc[r][x]);
            } else {
                acc[r][x] = fma_memory(acc[r][x], weight, in[r] + c * DWCONV_LANES);
            }
        }
    }
}

INLINE void tile(const dwconv_args *a, const float *in, float *out, const int kernel, const int stride, const int rows,
                 const int columns) {
    __m512 acc[2][COLUMNS];
    __m512 bias = _mm512_loadu_ps(a->bias);
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int x = 0; x < columns; x++) acc[r][x] = bias;
    }
    const float *w = a->w, *row[2] = {in, in + stride * a->in_row};
    ROLLED for (int ky = 0; ky < kernel; ky++) {
        DWCONV_OPAQUE(row[1]);
        add_row(acc, row, w, kernel, stride, rows, columns);
        row[0] += a->in_row;
        row[1] += a->in_row;
        w += kernel * DWCONV_LANES;
    }
    store_tile(a, out, acc, rows, columns);
}

#define NAME(kernel, stride, rows, columns) strip_##kernel##x##kernel##s##stride##_##rows##x##columns
#define STRIP(kernel, stride, rows, columns)                                                                           \
    DWCONV_UNCHECKED static void NAME(kernel, stride, rows, columns)(const dwconv_args *a, const float *in,            \
                                                                     float *out, uint32_t tiles) {                     \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            tile(a, in, out, kernel, stride, rows, columns);                                                           \
            in += columns * stride * DWCONV_LANES;                                                                     \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }

// Stride 1, 3x3: all weights stay in registers for the whole strip, so tiles can go by input rows, which both output
// rows share: 36 loads for 126 multiply-adds instead of 63. Each kernel column lags two output columns behind the one
// before it, so that no accumulator is wanted again while its last multiply-add is still under way.
INLINE void shared_tile(const dwconv_args *a, const float *in, float *out, __m512 weight[3][3], const int rows,
                        const int columns) {
    __m512 acc[2][COLUMNS], v[COLUMNS + 2];
    __m512 bias = _mm512_loadu_ps(a->bias);
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int x = 0; x < columns; x++) acc[r][x] = bias;
    }
    UNROLLED for (int i = 0; i < rows + 2; i++) {
        UNROLLED for (int step = 0; step < columns + 2 * 2; step++) {
            if (step < columns + 2) v[step] = _mm512_loadu_ps(in + step * DWCONV_LANES);
            UNROLLED for (int k = 0; k < 3; k++) {
                int x = step - 2 * k;
                if (x < 0 || x >= columns) continue;
                if (i < 3) acc[0][x] = _mm512_fmadd_ps(v[x + k], weight[i % 3][k], acc[0][x]);
                if (rows == 2 && i > 0) acc[1][x] = _mm512_fmadd_ps(v[x + k], weight[(i + 2) % 3][k], acc[1][x]);
            }
        }
        in += a->in_row;
    }
    store_tile(a, out, acc, rows, columns);
}

#define SHARED_STRIP(kernel, stride, rows, columns)                                                                    \
    DWCONV_UNCHECKED static void NAME(kernel, stride, rows, columns)(const dwconv_args *a, const float *in,            \
                                                                     float *out, uint32_t tiles) {                     \
        __m512 weight[3][3];                                                                                           \
        UNROLLED for (int i = 0; i < 9; i++) weight[i / 3][i % 3] = _mm512_load_ps(a->w + i * DWCONV_LANES);           \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            shared_tile(a, in, out, weight, rows, columns);                                                            \
            in += columns * DWCONV_LANES;                                                                              \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }

#define SEVEN(kernel, stride, rows, DO)                                                                                \
    DO(kernel, stride, rows, 1)                                                                                        \
    DO(kernel, stride, rows, 2)                                                                                        \
    DO(kernel, stride, rows, 3)                                                                                        \
    DO(kernel, stride, rows, 4)                                                                                        \
    DO(kernel, stride, rows, 5)                                                                                        \
    DO(kernel, stride, rows, 6)                                                                                        \
    DO(kernel, stride, rows, 7)

#define ENTRY(kernel, stride, rows, columns) NAME(kernel, stride, rows, columns),
#define GEOMETRY(kernel, stride, STRIP)                                                                                \
    SEVEN(kernel, stride, 1, STRIP)                                                                                    \
    SEVEN(kernel, stride, 2, STRIP)                                                                                    \
    void dwconv_f32_##kernel##x##kernel##s##stride##_2x7_avx512(const dwconv_args *a, uint32_t y0, uint32_t y1) {      \
        static const dwconv_strip_fn one[] = {SEVEN(kernel, stride, 1, ENTRY)};                                        \
        static const dwconv_strip_fn two[] = {SEVEN(kernel, stride, 2, ENTRY)};                                        \
        dwconv_cover(a, y0, y1, &(dwconv_strips){one, two, COLUMNS, COLUMNS, eltwise_f32_act_avx512});                 \
    }

GEOMETRY(3, 1, SHARED_STRIP)
GEOMETRY(3, 2, STRIP)
GEOMETRY(5, 1, STRIP)
GEOMETRY(5, 2, STRIP)

// ---- any geometry ---------------------------------------------------------------------------------------------

INLINE void any_tile(const dwconv_args *a, const float *in, float *out, const int columns) {
    __m512 acc[2][COLUMNS];
    __m512 bias = _mm512_loadu_ps(a->bias);
    UNROLLED for (int x = 0; x < columns; x++) acc[0][x] = bias;
    const float *w = a->w;
    int64_t step = (int64_t)a->stride_w * DWCONV_LANES;
    for (uint32_t ky = 0; ky < a->kernel_h; ky++, in += (int64_t)a->dilation_h * a->in_row) {
        const float *p = in;
        ROLLED for (uint32_t kx = 0; kx < a->kernel_w; kx++) {
            __m512 weight = _mm512_load_ps(w);
            UNROLLED for (int x = 0; x < columns; x++) {
                acc[0][x] = _mm512_fmadd_ps(_mm512_loadu_ps(p + x * step), weight, acc[0][x]);
            }
            p += (int64_t)a->dilation_w * DWCONV_LANES;
            w += DWCONV_LANES;
        }
    }
    store_tile(a, out, acc, 1, columns);
}

#define ANY_NAME(kernel, stride, rows, columns) strip_any_##rows##x##columns
#define ANY_STRIP(kernel, stride, rows, columns)                                                                       \
    DWCONV_UNCHECKED static void ANY_NAME(, , rows, columns)(const dwconv_args *a, const float *in, float *out,        \
                                                             uint32_t tiles) {                                         \
        for (uint32_t t = 0; t < tiles; t++) {                                                                         \
            any_tile(a, in, out, columns);                                                                             \
            in += (int64_t)columns * a->stride_w * DWCONV_LANES;                                                       \
            out += columns * DWCONV_LANES;                                                                             \
        }                                                                                                              \
    }
SEVEN(, , 1, ANY_STRIP)

void dwconv_f32_any_1x7_avx512(const dwconv_args *a, uint32_t y0, uint32_t y1) {
#define ANY_ENTRY(kernel, stride, rows, columns) ANY_NAME(, , rows, columns),
    static const dwconv_strip_fn one[] = {SEVEN(, , 1, ANY_ENTRY)};
    dwconv_cover(a, y0, y1, &(dwconv_strips){one, NULL, COLUMNS, 0, eltwise_f32_act_avx512});
}
