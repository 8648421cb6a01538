// SPDX-License-Identifier: Apache-2.0
// Planes to panels and back with AVX-512: 16 x 16 transposes for panels of 16 lanes. Fewer lanes are left
// to AVX2, which is fast for pictures of 3.
#include "engine/kernels/layout.h"
#include "engine/kernels/layout_row.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define LANES  16u

typedef struct block {
    __m512 v[LANES];
} block;

// Pairs, then quarters of vectors change places: after each step a vector holds twice as much of its column.
INLINE block transpose(block b) {
    __m512 t[LANES], u[LANES];
    for (unsigned i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_ps(b.v[i], b.v[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(b.v[i], b.v[i + 1]);
    }
    for (unsigned i = 0; i < LANES; i += 4) {
        u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (unsigned i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
    }
    for (unsigned i = 0; i < 4; i++) {
        b.v[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        b.v[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        b.v[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        b.v[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
    return b;
}

// Selects the first `count` (<= 16) floats.
INLINE __mmask16 mask_of(uint32_t count) {
    return (__mmask16)((1u << count) - 1);
}

// `pixels` (<= 16) of one row. The counts are constants where they are 16.
INLINE void pack_block(const float *in, int64_t plane, float *out, uint32_t channels, uint32_t pixels) {
    block b;
    for (uint32_t i = 0; i < LANES; i++) {
        b.v[i] = _mm512_maskz_loadu_ps(i < channels ? mask_of(pixels) : 0, in + (i < channels ? i : 0) * plane);
    }
    b = transpose(b);
    for (uint32_t i = 0; i < LANES; i++) {
        if (i < pixels) _mm512_storeu_ps(out + i * LANES, b.v[i]);
    }
}

INLINE void unpack_block(float *out, int64_t plane, const float *in, uint32_t channels, uint32_t pixels) {
    block b;
    for (uint32_t i = 0; i < LANES; i++) {
        b.v[i] = i < pixels ? _mm512_loadu_ps(in + i * LANES) : _mm512_setzero_ps();
    }
    b = transpose(b);
    for (uint32_t i = 0; i < LANES; i++) {
        if (i < channels) _mm512_mask_storeu_ps(out + i * plane, mask_of(pixels), b.v[i]);
    }
}

static void pack_row(const layout_panel *p, uint32_t y) {
    const float *in = layout_plane_row(p, 0, y);
    float *out = layout_panel_row(p, y);
    uint32_t x = 0;
    for (; p->channels == LANES && x + LANES <= p->w; x += LANES) {
        pack_block(in + x, p->plane, out + (size_t)x * LANES, LANES, LANES);
    }
    for (; x < p->w; x += LANES) {
        uint32_t pixels = p->w - x < LANES ? p->w - x : LANES;
        pack_block(in + x, p->plane, out + (size_t)x * LANES, p->channels, pixels);
    }
}

static void unpack_row(const layout_panel *p, uint32_t y) {
    float *out = layout_plane_row(p, 0, y);
    const float *in = layout_panel_row(p, y);
    uint32_t x = 0;
    for (; p->channels == LANES && x + LANES <= p->w; x += LANES) {
        unpack_block(out + x, p->plane, in + (size_t)x * LANES, LANES, LANES);
    }
    for (; x < p->w; x += LANES) {
        uint32_t pixels = p->w - x < LANES ? p->w - x : LANES;
        unpack_block(out + x, p->plane, in + (size_t)x * LANES, p->channels, pixels);
    }
}

void layout_f32_pack_avx512(const layout_panel *p, uint32_t y0, uint32_t y1) {
    if (p->lanes != LANES) {
        layout_f32_pack_avx2(p, y0, y1);
        return;
    }
    for (uint32_t y = y0; y < y1; y++) pack_row(p, y);
}

void layout_f32_unpack_avx512(const layout_panel *p, uint32_t y0, uint32_t y1) {
    if (p->lanes != LANES) {
        layout_f32_unpack_avx2(p, y0, y1);
        return;
    }
    for (uint32_t y = y0; y < y1; y++) unpack_row(p, y);
}
