// SPDX-License-Identifier: Apache-2.0
// gemm, AMX: inputs and weights in three bf16 parts, in the order of tiles (gemm_amx.h). What runs here is AVX-512.
#include "engine/kernels/gemm.h"
#include "engine/kernels/gemm_amx.h"

#include <immintrin.h>

typedef struct parts {
    __m512i x1, x2, x3; // floats; bf16 is their upper half, what is below may be anything
} parts;

// x1 to nearest, x2 cut off (of at most 16 bits 8 are left for x3).
static inline __attribute__((always_inline)) parts split(__m512 x) {
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u), half = _mm512_set1_epi32(0x8000);
    const __m512 limit = _mm512_castsi512_ps(_mm512_set1_epi32(0x7f7f7fff)); // the last that is not rounded to infinity
    __m512i clamped = _mm512_castps_si512(_mm512_range_ps(x, limit, 2));     // the smaller magnitude, x's sign
    __m512i x1 = _mm512_and_si512(_mm512_add_epi32(clamped, half), upper);
    __m512 rest = _mm512_sub_ps(x, _mm512_castsi512_ps(x1));
    __m512i x2 = _mm512_and_si512(_mm512_castps_si512(rest), upper);
    return (parts){x1, x2, _mm512_castps_si512(_mm512_sub_ps(rest, _mm512_castsi512_ps(x2)))};
}

// Upper halves: those of `even` to the even places, those of `odd` to the odd ones.
static inline __attribute__((always_inline)) __m512i together(__m512i even, __m512i odd) {
    return _mm512_mask_blend_epi16(0xaaaaaaaau, _mm512_srli_epi32(even, 16), odd);
}

// ---- inputs -------------------------------------------------------------------------------------------------------

// 16 of k in pieces of segments that lie together: lanes `mask` of the vector at `offset` from the row's start.
typedef struct pieces {
    uint32_t count;
    __mmask16 all; // lanes that there are
    int32_t offset[AMX_HALF];
    __mmask16 mask[AMX_HALF];
} pieces;

// A place in the sum.
typedef struct cursor {
    const gemm_segment *segment, *end;
    int32_t at;
} cursor;

static void take_pieces(cursor *c, pieces *p) {
    p->count = 0, p->all = 0, p->offset[0] = 0, p->mask[0] = 0;
    int32_t lane = 0;
    while (lane < AMX_HALF && c->segment != c->end) {
        int32_t left = c->segment->count - c->at, room = AMX_HALF - lane, n = left < room ? left : room;
        p->offset[p->count] = c->segment->offset + c->at - lane;
        p->mask[p->count++] = (__mmask16)(((1u << n) - 1) << lane);
        lane += n;
        p->all |= p->mask[p->count - 1];
        c->at += n;
        if (n == left) c->segment++, c->at = 0;
    }
}

static inline __attribute__((always_inline)) __m512 load_pieces(const float *a, const pieces *p) {
    __m512 v = _mm512_maskz_loadu_ps(p->mask[0], a + p->offset[0]);
    for (uint32_t i = 1; i < p->count; i++) v = _mm512_mask_loadu_ps(v, p->mask[i], a + p->offset[i]);
    return v;
}

typedef struct rows_at {
    const float *a;
    const int32_t *offset;
    uint32_t count;
} rows_at;

static inline __attribute__((always_inline)) void full_chunk(rows_at r, const pieces *low, const pieces *high,
                                                             const float *scale, const int is_whole, char *to) {
    __m512 low_scale = _mm512_setzero_ps(), high_scale = low_scale;
    if (scale) {
        low_scale = _mm512_maskz_loadu_ps(low->all, scale);
        high_scale = _mm512_maskz_loadu_ps(high->all, scale + AMX_HALF);
    }
    for (uint32_t i = 0; i < r.count; i++, to += 64) {
        const float *a = r.a + r.offset[i];
        __m512 x = is_whole ? _mm512_loadu_ps(a + low->offset[0]) : load_pieces(a, low);
        __m512 y = is_whole ? _mm512_loadu_ps(a + high->offset[0]) : load_pieces(a, high);
        parts u = split(scale ? _mm512_mul_ps(x, low_scale) : x);
        parts v = split(scale ? _mm512_mul_ps(y, high_scale) : y);
        _mm512_store_si512(to, together(u.x1, v.x1));
        _mm512_store_si512(to + AMX_TILE, together(u.x2, v.x2));
        _mm512_store_si512(to + 2 * AMX_TILE, together(u.x3, v.x3));
    }
}

static void half_chunk(rows_at r, const pieces *low, const float *scale, char *to) {
    for (uint32_t i = 0; i < r.count; i++, to += 64) {
        __m512 x = load_pieces(r.a + r.offset[i], low);
        parts u = split(scale ? _mm512_mul_ps(x, _mm512_maskz_loadu_ps(low->all, scale)) : x);
        _mm512_store_si512(to, together(u.x3, u.x1));
        _mm512_store_si512(to + AMX_TILE, together(u.x1, u.x2));
    }
}

static inline int is_whole(const pieces *p) {
    return p->count == 1 && p->mask[0] == 0xffff;
}

void gemm_prepare_amx(const gemm_args *g, uint32_t m0, uint32_t m1, void *prepared) {
    amx_rows spread = amx_spread(m1 - m0);
    size_t strip = amx_strip_bytes(g->k);
    uint32_t chunks = amx_full_chunks(g->k);
    cursor c = {g->segments, g->segments + g->segment_count, 0};
    char *to = prepared;
    for (uint32_t chunk = 0; chunk < chunks + amx_has_half(g->k); chunk++, to += AMX_FULL_TILES * AMX_TILE) {
        pieces low, high;
        take_pieces(&c, &low);
        if (chunk < chunks)
            take_pieces(&c, &high);
        else
            high.count = 0, high.all = 0;
        const float *scale = g->scale ? g->scale + (size_t)chunk * AMX_CHUNK : NULL;
        char *tile = to;
        for (uint32_t m = m0; m < m1; m += spread.height, tile += strip) {
            rows_at r = {g->a, g->a_offset + m, m1 - m < spread.height ? m1 - m : spread.height};
            if (chunk == chunks)
                half_chunk(r, &low, scale, tile);
            else if (scale)
                full_chunk(r, &low, &high, scale, 0, tile);
            else if (is_whole(&low) && is_whole(&high))
                full_chunk(r, &low, &high, NULL, 1, tile);
            else
                full_chunk(r, &low, &high, NULL, 0, tile);
        }
    }
}

// ---- weights ------------------------------------------------------------------------------------------------------

// Both roundings to nearest: weights are split once.
static parts split_weights(__m512 y) {
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u), half = _mm512_set1_epi32(0x8000);
    __m512i y1 = split(y).x1;
    __m512 rest = _mm512_sub_ps(y, _mm512_castsi512_ps(y1));
    __m512i y2 = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(rest), half), upper);
    return (parts){y1, y2, _mm512_castps_si512(_mm512_sub_ps(rest, _mm512_castsi512_ps(y2)))};
}

static void scatter(uint16_t *tile, uint32_t place, __m512i part) {
    uint32_t bits[16];
    _mm512_storeu_si512(bits, part);
    for (uint32_t n = 0; n < 16; n++) tile[2 * n + place] = (uint16_t)(bits[n] >> 16);
}

// One k of 16 channels. `k` counts in its panel of `w->k`.
static void put(char *panel, uint32_t nr, uint32_t k, uint32_t k_all, parts y) {
    uint32_t chunk = k / AMX_CHUNK, row = k % AMX_HALF, place = k / AMX_HALF % 2;
    size_t tile = (size_t)(nr / 16) * AMX_TILE;
    uint16_t *to = (uint16_t *)(void *)(panel + chunk * 3 * tile + row * 64);
    uint16_t *second = to + tile / 2, *third = to + tile;
    if (chunk < amx_full_chunks(k_all)) {
        scatter(to, place, y.x3), scatter(second, place, y.x2), scatter(third, place, y.x1);
        return;
    }
    scatter(to, 0, y.x1), scatter(to, 1, y.x3);
    scatter(second, 0, y.x2), scatter(second, 1, y.x1);
    scatter(third, 0, y.x1), scatter(third, 1, y.x2);
}

void gemm_pack_amx(float *b, uint32_t nr, const gemm_weights *w) {
    for (uint32_t n0 = 0; n0 < w->n; n0 += 16) {
        char *panel = (char *)b + (size_t)(n0 / 16) * AMX_TILE;
        uint32_t real = w->n - n0 < 16 ? w->n - n0 : 16;
        for (uint32_t i = 0; i < w->count; i++) {
            float y[16] = {0};
            const float *from = w->w + (int64_t)n0 * w->n_stride + (int64_t)i * w->k_stride;
            for (uint32_t n = 0; n < real; n++) y[n] = from[(int64_t)n * w->n_stride];
            put(panel, nr, w->k0 + i, w->k, split_weights(_mm512_loadu_ps(y)));
        }
    }
}
