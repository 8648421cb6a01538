// SPDX-License-Identifier: Apache-2.0
// gemm, AMX: 32 rows by 32 channels in four tiles of sums, or 64 rows by 16. Inputs were prepared for the same rows
// (gemm_split_amx.c); how a product of f32 is made of bf16 stands in gemm_amx.h.
#include "engine/kernels/simd_avx512.h"

#include "engine/kernels/gemm.h"
#include "engine/kernels/gemm_amx.h"

#include <stdbool.h>
#include <string.h>

typedef struct __attribute__((aligned(64))) tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

enum { SUMS = 4 }; // tiles 0..3; inputs and weights are in 4..7

// Tiles of `height` rows but for those of weights, which are the bits of `weights`.
static void configure(uint32_t height, unsigned weights) {
    tile_config c;
    memset(&c, 0, sizeof c);
    c.palette = 1;
    for (unsigned i = 0; i < 8; i++) {
        c.row_bytes[i] = 64;
        c.rows[i] = (uint8_t)(weights >> i & 1 ? AMX_ROWS : height);
    }
    __asm__ volatile("" : : "r"(&c) : "memory"); // gcc believes that only its first 8 bytes are read
    _tile_loadconfig(&c);
}

// ---- the end of a block of sums: residual, activation, stores -----------------------------------------------------

// Vector units are idle while the tile unit sums the next block: a block is finished in shares between its steps.
typedef struct block {
    const gemm_args *g;
    uint32_t m, rows;
    uint32_t raw_rows, share;
    uint32_t vector, row; // reached
    uint32_t left;        // rows of vectors
    const float *raw;     // [vector of 16 channels][raw_rows][16]
} block;

#define BLOCK_FLOATS 1024

static inline __attribute__((always_inline)) void finish_act(const block *b, uint32_t count, const act_kind kind) {
    const gemm_args *g = b->g;
    const __mmask16 mask = 2 * b->vector + 1 < g->groups ? 0xffff : 0xff;
    const float *raw = b->raw + ((size_t)b->vector * b->raw_rows + b->row) * 16;
    const int32_t *c_offset = g->c_offset + b->m + b->row;
    float *c = g->c + g->c_group[2 * b->vector];
    if (g->r) {
        const int32_t *r_offset = g->r_offset + b->m + b->row;
        const float *r = g->r + g->r_group[2 * b->vector];
        for (uint32_t i = 0; i < count; i++, raw += 16) {
            __m512 v = _mm512_add_ps(_mm512_load_ps(raw), _mm512_maskz_loadu_ps(mask, r + r_offset[i]));
            _mm512_mask_storeu_ps(c + c_offset[i], mask, simd_avx512_act(v, kind, g->act.a, g->act.b));
        }
    } else {
        for (uint32_t i = 0; i < count; i++, raw += 16) {
            __m512 v = simd_avx512_act(_mm512_load_ps(raw), kind, g->act.a, g->act.b);
            _mm512_mask_storeu_ps(c + c_offset[i], mask, v);
        }
    }
}

// `count` rows of one vector.
static void finish_rows(const block *b, uint32_t count) {
    switch (b->g->act.kind) {
        case ACT_NONE: finish_act(b, count, ACT_NONE); break;
        case ACT_RELU: finish_act(b, count, ACT_RELU); break;
        case ACT_CLAMP: finish_act(b, count, ACT_CLAMP); break;
        case ACT_HARDSIGMOID: finish_act(b, count, ACT_HARDSIGMOID); break;
        case ACT_HARDSWISH: finish_act(b, count, ACT_HARDSWISH); break;
        case ACT_SIGMOID: finish_act(b, count, ACT_SIGMOID); break;
        case ACT_SILU: finish_act(b, count, ACT_SILU); break;
    }
}

static __attribute__((noinline)) void finish_some(block *b, uint32_t count) {
    while (count && b->left) {
        uint32_t left = b->rows - b->row, n = left < count ? left : count;
        finish_rows(b, n);
        b->left -= n;
        count -= n;
        b->row += n;
        if (b->row == b->rows) b->row = 0, b->vector++;
    }
}

// Of one block of rows.
static uint32_t count_steps(uint32_t k) {
    return 6 * amx_full_chunks(k) + 3 * amx_has_half(k);
}

// A block whose sums will lie in `raw` after the first step of the next one, during which it is finished.
static block finish_later(const gemm_args *g, uint32_t m, uint32_t rows, uint32_t raw_rows, const float *raw) {
    uint32_t calls = count_steps(g->k) - 1, all = rows * ((g->groups + 1) / 2); // calls: MEANWHILE()s
    return (block){g, m, rows, raw_rows, (all + calls - 1) / calls, 0, 0, all, raw};
}

// ---- weights that come next ---------------------------------------------------------------------------------------

// The part of the next weight panel that one block of rows fetches.
typedef struct ahead {
    const char *from, *end;
    size_t step;
} ahead;

static ahead plan_ahead(const gemm_args *g, uint32_t part, uint32_t parts, size_t panel_bytes) {
    size_t share = (panel_bytes / parts + 127) / 128 * 128;
    if (!g->next_b || part * share >= panel_bytes) return (ahead){NULL, NULL, 0};
    const char *from = (const char *)g->next_b + part * share;
    return (ahead){from, from + share, (share / count_steps(g->k) + 127) / 128 * 128};
}

// One line of two: the other comes with it.
static inline void fetch_ahead(ahead *f) {
    if (f->from >= f->end) return;
    const char *end = f->from + f->step;
    for (; f->from < end; f->from += 128) _mm_prefetch(f->from, _MM_HINT_T1);
}

// Prepared inputs of a block.
typedef struct source {
    const char *a;
    size_t strip;       // bytes from a row of tiles to the next
    size_t tile_floats; // of the rows that a tile has
} source;

// ---- 32 channels --------------------------------------------------------------------------------------------------

// What vector units and caches do while the tile unit sums.
#define MEANWHILE()                                                                                                    \
    fetch_ahead(&f);                                                                                                   \
    if (before->left) finish_some(before, before->share)

// A tile is loaded as soon as the last step that reads its old numbers is on its way.
#define LOAD_A0(offset) _tile_loadd(4, a + (offset), 64)
#define LOAD_A1(offset) _tile_loadd(5, a + strip + (offset), 64)
#define LOAD_B0(tile)   _tile_loadd(6, b + (tile)*2 * AMX_TILE, 64)
#define LOAD_B1(tile)   _tile_loadd(7, b + (tile)*2 * AMX_TILE + AMX_TILE, 64)
// What each sum is followed by; nothing may be.
#define STEP(second, third, last)                                                                                      \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    _tile_dpbf16ps(1, 4, 7);                                                                                           \
    second;                                                                                                            \
    _tile_dpbf16ps(2, 5, 6);                                                                                           \
    third;                                                                                                             \
    _tile_dpbf16ps(3, 5, 7);                                                                                           \
    last;                                                                                                              \
    MEANWHILE()
#define STEP_LOAD_A(offset) STEP(LOAD_A0(offset), , LOAD_A1(offset))
#define STEP_LOAD_NEXT()    STEP(LOAD_A0(0), LOAD_B0(0), LOAD_A1(0); LOAD_B1(0))
#define STEP_LOAD_B(tile)                                                                                              \
    _tile_dpbf16ps(0, 4, 6);                                                                                           \
    _tile_dpbf16ps(2, 5, 6);                                                                                           \
    LOAD_B0(tile);                                                                                                     \
    _tile_dpbf16ps(1, 4, 7);                                                                                           \
    _tile_dpbf16ps(3, 5, 7);                                                                                           \
    LOAD_B1(tile);                                                                                                     \
    MEANWHILE()
// A tile's last sums go out just before its next begin: storing all four at once leaves the tile unit without work.
#define STORE_32(tile) _tile_stored(tile, raw + (tile) / 2 * from.tile_floats + (tile) % 2 * 512, 64)
#define FIRST_32(tile, x, y)                                                                                           \
    if (has_sums) STORE_32(tile);                                                                                      \
    _tile_loadd(tile, g->bias + (tile) % 2 * 16, 0);                                                                   \
    _tile_dpbf16ps(tile, x, y)

static void sum_32(const gemm_args *g, source from, ahead f, block *before, float *raw) {
    const char *a = from.a, *b = (const char *)g->b;
    const size_t strip = from.strip;
    const bool has_sums = before->rows != 0;
    uint32_t chunks = amx_full_chunks(g->k), has_half = amx_has_half(g->k);
    LOAD_A0(0);
    LOAD_A1(0);
    LOAD_B0(0);
    LOAD_B1(0);
    FIRST_32(0, 4, 6); // x1 y3, or x3 y1 + x1 y3
    FIRST_32(1, 4, 7);
    FIRST_32(2, 5, 6);
    FIRST_32(3, 5, 7);
    LOAD_B0(1);
    LOAD_B1(1);
    for (uint32_t chunk = 0; chunk < chunks;) {
        STEP_LOAD_A(AMX_TILE);     // x1 y2
        STEP_LOAD_B(2);            // x2 y2
        STEP_LOAD_A(2 * AMX_TILE); // x2 y1
        STEP_LOAD_A(0);            // x3 y1
        a += AMX_FULL_TILES * AMX_TILE;
        b += 6 * AMX_TILE;
        if (++chunk == chunks + has_half) break;
        STEP_LOAD_NEXT(); // x1 y1
        STEP_LOAD_B(1);   // x1 y3 of the next, or x3 y1 + x1 y3
    }
    if (has_half) {
        LOAD_A0(AMX_TILE);
        LOAD_A1(AMX_TILE);
        STEP_LOAD_B(2); // x1 y2 + x2 y1
    }
    STEP(, , ); // x1 y1, or x1 y1 + x2 y2
}

void gemm_f32_32x32_amx(const gemm_args *g, uint32_t m0, uint32_t m1) {
    if (m0 >= m1) return;
    amx_rows spread = amx_spread(m1 - m0);
    size_t panel_bytes = amx_panel_bytes(32, g->k);
    source from = {g->prepared, amx_strip_bytes(g->k), (size_t)spread.height * 16};
    _Alignas(64) float raw[BLOCK_FLOATS];
    block before = {.g = g};
    configure(spread.height, 1u << 6 | 1u << 7);
    for (uint32_t pair = 0, m = m0; m < m1; pair++, from.a += 2 * from.strip) {
        uint32_t left = m1 - m, rows = left < 2 * spread.height ? left : 2 * spread.height;
        sum_32(g, from, plan_ahead(g, pair, spread.pairs, panel_bytes), &before, raw);
        finish_some(&before, UINT32_MAX);
        before = finish_later(g, m, rows, 32, raw);
        m += rows;
    }
    STORE_32(0);
    STORE_32(1);
    STORE_32(2);
    STORE_32(3);
    finish_some(&before, UINT32_MAX);
    _tile_release();
}

// ---- 16 channels --------------------------------------------------------------------------------------------------

// Four tiles of rows, or only two at the end: their sums take the same steps.
#define LOAD_W(tile) _tile_loadd(4, b + (tile)*AMX_TILE, 64)
#define STEP_16(offset)                                                                                                \
    do {                                                                                                               \
        _tile_loadd(5, a + (offset), 64);                                                                              \
        _tile_dpbf16ps(0, 5, 4);                                                                                       \
        _tile_loadd(6, a + strip + (offset), 64);                                                                      \
        _tile_dpbf16ps(1, 6, 4);                                                                                       \
        if (tiles == 2) {                                                                                              \
            MEANWHILE();                                                                                               \
            break;                                                                                                     \
        }                                                                                                              \
        _tile_loadd(7, a + 2 * strip + (offset), 64);                                                                  \
        _tile_dpbf16ps(2, 7, 4);                                                                                       \
        _tile_loadd(5, a + 3 * strip + (offset), 64);                                                                  \
        _tile_dpbf16ps(3, 5, 4);                                                                                       \
        MEANWHILE();                                                                                                   \
    } while (0)
#define STORE_16(tile) _tile_stored(tile, raw + (tile)*from.tile_floats, 64)
#define FIRST_16(tile, x)                                                                                              \
    if (has_sums) STORE_16(tile);                                                                                      \
    if ((tile) < tiles) {                                                                                              \
        _tile_loadd(x, a + (tile)*strip, 64);                                                                          \
        _tile_loadd(tile, g->bias, 0);                                                                                 \
        _tile_dpbf16ps(tile, x, 4);                                                                                    \
    }

static inline __attribute__((always_inline)) void sum_16(const gemm_args *g, source from, ahead f, block *before,
                                                         float *raw, const int tiles) {
    const char *a = from.a, *b = (const char *)g->b;
    const size_t strip = from.strip;
    const bool has_sums = before->rows != 0;
    uint32_t chunks = amx_full_chunks(g->k), has_half = amx_has_half(g->k);
    LOAD_W(0);
    FIRST_16(0, 5)
    FIRST_16(1, 6)
    FIRST_16(2, 7)
    FIRST_16(3, 5)
    for (uint32_t chunk = 0; chunk < chunks;) {
        LOAD_W(1);
        STEP_16(0);
        STEP_16(AMX_TILE);
        LOAD_W(2);
        STEP_16(AMX_TILE);
        STEP_16(2 * AMX_TILE);
        STEP_16(0);
        a += AMX_FULL_TILES * AMX_TILE;
        b += 3 * AMX_TILE;
        if (++chunk == chunks + has_half) break;
        LOAD_W(0);
        STEP_16(0);
    }
    if (has_half) {
        LOAD_W(1);
        STEP_16(AMX_TILE);
        LOAD_W(2);
        STEP_16(AMX_TILE);
    }
}

void gemm_f32_64x16_amx(const gemm_args *g, uint32_t m0, uint32_t m1) {
    if (m0 >= m1) return;
    amx_rows spread = amx_spread(m1 - m0);
    uint32_t blocks = (spread.pairs + 1) / 2, two = 2 * spread.height;
    size_t panel_bytes = amx_panel_bytes(16, g->k);
    source from = {g->prepared, amx_strip_bytes(g->k), (size_t)spread.height * 16};
    _Alignas(64) float raw[BLOCK_FLOATS];
    block before = {.g = g};
    configure(spread.height, 1u << 4);
    for (uint32_t i = 0, m = m0; m < m1; i++, from.a += 4 * from.strip) {
        ahead f = plan_ahead(g, i, blocks, panel_bytes);
        uint32_t left = m1 - m, rows = left < 2 * two ? left : 2 * two;
        if (rows > two)
            sum_16(g, from, f, &before, raw, 4);
        else
            sum_16(g, from, f, &before, raw, 2);
        finish_some(&before, UINT32_MAX);
        before = finish_later(g, m, rows, 64, raw);
        m += rows;
    }
    STORE_16(0);
    STORE_16(1);
    STORE_16(2);
    STORE_16(3);
    finish_some(&before, UINT32_MAX);
    _tile_release();
}
