// SPDX-License-Identifier: Apache-2.0
// Planes to panels and back with AVX2: 8 x 8 transposes for every 8 lanes, and a special case for pictures of 3.
#include "engine/kernels/layout.h"
#include "engine/kernels/layout_row.h"

#include <immintrin.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct block {
    __m256 v[8];
} block;

INLINE block transpose(block b) {
    __m256 t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(b.v[i], b.v[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(b.v[i], b.v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        b.v[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        b.v[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
    return b;
}

// Selects the first `count` (<= 8) floats.
INLINE __m256i mask_of(uint32_t count) {
    static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(window + 8 - count));
}

// Up to 8 channels of one row, the `pixels` (<= 8) from column x on. The counts are constants where they are 8.
INLINE void pack_block(const float *in, int64_t plane, float *out, uint32_t lanes, uint32_t channels, uint32_t pixels) {
    block b;
    __m256i mask = mask_of(pixels);
    for (uint32_t i = 0; i < 8; i++) {
        b.v[i] = i >= channels ? _mm256_setzero_ps()
                 : pixels == 8 ? _mm256_loadu_ps(in + i * plane)
                               : _mm256_maskload_ps(in + i * plane, mask);
    }
    b = transpose(b);
    for (uint32_t i = 0; i < 8; i++) {
        if (i < pixels) _mm256_storeu_ps(out + (size_t)i * lanes, b.v[i]);
    }
}

INLINE void unpack_block(float *out, int64_t plane, const float *in, uint32_t lanes, uint32_t channels,
                         uint32_t pixels) {
    block b;
    for (uint32_t i = 0; i < 8; i++) {
        b.v[i] = i < pixels ? _mm256_loadu_ps(in + (size_t)i * lanes) : _mm256_setzero_ps();
    }
    b = transpose(b);
    __m256i mask = mask_of(pixels);
    for (uint32_t i = 0; i < 8; i++) {
        if (i >= channels) continue;
        if (pixels == 8) {
            _mm256_storeu_ps(out + i * plane, b.v[i]);
        } else {
            _mm256_maskstore_ps(out + i * plane, mask, b.v[i]);
        }
    }
}

INLINE uint32_t channels_of_group(const layout_panel *p, uint32_t lane) {
    if (p->channels <= lane) return 0;
    return p->channels - lane < 8 ? p->channels - lane : 8;
}

static void pack_group(const layout_panel *p, uint32_t y, uint32_t lane) {
    uint32_t channels = channels_of_group(p, lane), x = 0;
    const float *in = layout_plane_row(p, channels ? lane : 0, y);
    float *out = layout_panel_row(p, y) + lane;
    for (; channels == 8 && x + 8 <= p->w; x += 8) {
        pack_block(in + x, p->plane, out + (size_t)x * p->lanes, p->lanes, 8, 8);
    }
    for (; x < p->w; x += 8) {
        uint32_t pixels = p->w - x < 8 ? p->w - x : 8;
        pack_block(in + x, p->plane, out + (size_t)x * p->lanes, p->lanes, channels, pixels);
    }
}

static void unpack_group(const layout_panel *p, uint32_t y, uint32_t lane) {
    uint32_t channels = channels_of_group(p, lane), x = 0;
    if (channels == 0) return;
    float *out = layout_plane_row(p, lane, y);
    const float *in = layout_panel_row(p, y) + lane;
    for (; channels == 8 && x + 8 <= p->w; x += 8) {
        unpack_block(out + x, p->plane, in + (size_t)x * p->lanes, p->lanes, 8, 8);
    }
    for (; x < p->w; x += 8) {
        uint32_t pixels = p->w - x < 8 ? p->w - x : 8;
        unpack_block(out + x, p->plane, in + (size_t)x * p->lanes, p->lanes, channels, pixels);
    }
}

// Eight pixels of three channels: each result takes one part of every plane, spread alike and then blended.
INLINE void pack_8_pixels_of_3(const float *in, int64_t plane, float *out) {
    __m256 a = _mm256_loadu_ps(in), b = _mm256_loadu_ps(in + plane), c = _mm256_loadu_ps(in + 2 * plane);
    const __m256i from0 = _mm256_setr_epi32(0, 0, 0, 1, 1, 1, 2, 2);
    const __m256i from1 = _mm256_setr_epi32(2, 3, 3, 3, 4, 4, 4, 5);
    const __m256i from2 = _mm256_setr_epi32(5, 5, 6, 6, 6, 7, 7, 7);
#define SPREAD(from, x, y, z)                                                                                          \
    _mm256_blend_ps(_mm256_blend_ps(_mm256_permutevar8x32_ps(x, from), _mm256_permutevar8x32_ps(y, from), 0x92),       \
                    _mm256_permutevar8x32_ps(z, from), 0x24)
    _mm256_storeu_ps(out, SPREAD(from0, a, b, c));
    _mm256_storeu_ps(out + 8, SPREAD(from1, c, a, b));
    _mm256_storeu_ps(out + 16, SPREAD(from2, b, c, a));
}

static void pack_row_of_3(const layout_panel *p, uint32_t y) {
    const float *in = layout_plane_row(p, 0, y);
    float *out = layout_panel_row(p, y);
    uint32_t x = 0;
    for (; x + 8 <= p->w; x += 8) pack_8_pixels_of_3(in + x, p->plane, out + (size_t)x * 3);
    for (; x < p->w; x++) {
        for (uint32_t c = 0; c < 3; c++) out[(size_t)x * 3 + c] = in[c * p->plane + x];
    }
}

void layout_f32_pack_avx2(const layout_panel *p, uint32_t y0, uint32_t y1) {
    bool is_picture = p->lanes == 3 && p->channels == 3;
    for (uint32_t y = y0; y < y1; y++) {
        if (is_picture) {
            pack_row_of_3(p, y);
            continue;
        }
        uint32_t lane = 0;
        for (; lane + 8 <= p->lanes; lane += 8) pack_group(p, y, lane);
        layout_pack_row(p, y, lane);
    }
}

void layout_f32_unpack_avx2(const layout_panel *p, uint32_t y0, uint32_t y1) {
    for (uint32_t y = y0; y < y1; y++) {
        uint32_t lane = 0;
        for (; lane + 8 <= p->lanes; lane += 8) unpack_group(p, y, lane);
        layout_unpack_row(p, y, lane);
    }
}
