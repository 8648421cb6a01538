// SPDX-License-Identifier: Apache-2.0
// Pointwise convolutions of many channels by one level of Strassen's algorithm: seven products of matrices of half the
// size instead of eight. An option (the pass "strassen"): what bounds a number's rounding errors is the size of both
// pixels of a pair and of all weights, not that of its own row and column, and what is not finite spoils both pixels.
// docs/performance.md has figures.
//
// Rows are pixels, in pairs: the first of each pair make up A11 and A12, the second A21 and A22. So what a pixel gives
// depends on its neighbour alone, and neither on how rows are cut into tiles nor on other images. Columns are input
// channels, in a first half of whole panels and the rest; output channels are halved in the same way. V. Strassen,
// "Gaussian elimination is not optimal", Numerische Mathematik 13 (1969), in the order below:
//
//   1  (A11 + A22) (B11 + B22)   C11 +  C22 +
//   2  (A21 + A22)  B11          C21 +  C22 -
//   3   A11        (B12 - B22)   C12 +  C22 +
//   4   A22        (B21 - B11)   C11 +  C21 +
//   5  (A11 + A12)  B22          C11 -  C12 +
//   6  (A21 - A11) (B11 + B12)   C22 +
//   7  (A12 - A22) (B21 + B22)   C11 +
//
// Sums of weights are made once; sums of inputs for some pairs at a time, in scratch memory; products go from registers
// to the blocks of C (gemm_target).
#include "engine/base/cpu.h"
#include "engine/base/mem.h"
#include "engine/kernels/strassen.h"
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv_stage.h"

#include <stdio.h>

#define CHANNELS_MIN 512u // below these the sums cost more than they save
#define ROWS_MIN     32u
#define PREFETCHED   0.4 // of the time to fetch weights, or inputs again, that is not hidden behind arithmetic

#define PRODUCTS 7
enum { X11, X12, X21, X22, BLOCKS };

// What a product multiplies from the left: one of the sums, in the order of kernels/strassen.h, or a block as it is.
enum { FIRST_SUM, JUST_A11 = STRASSEN_SUMS, JUST_A22 };

typedef struct product {
    int inputs;
    bool is_short;         // only as many input channels as the second half has; the rest of one factor is zeros
    bool is_second;        // only pairs that have a second row: nothing is added to others
    signed char b[BLOCKS]; // how often each block of the weights is added
    signed char c[BLOCKS]; // which blocks of the output get the product, and with which sign
} product;

static const product products[PRODUCTS] = {
    {FIRST_SUM, false, false, {1, 0, 0, 1}, {1, 0, 0, 1}},
    {FIRST_SUM + 1, false, true, {1, 0, 0, 0}, {0, 0, 1, -1}},
    {JUST_A11, false, false, {0, 1, 0, -1}, {0, 1, 0, 1}},
    {JUST_A22, true, true, {-1, 0, 1, 0}, {1, 0, 1, 0}},
    {FIRST_SUM + 2, true, false, {0, 0, 0, 1}, {-1, 1, 0, 0}},
    {FIRST_SUM + 3, false, true, {1, 1, 0, 0}, {0, 0, 0, 1}},
    {FIRST_SUM + 4, true, false, {0, 0, 1, 1}, {1, 0, 0, 0}},
};
static const int first_product[BLOCKS] = {0, 2, 1, 0}, last_product[BLOCKS] = {6, 4, 3, 5};

static bool is_right(int block) {
    return block == X12 || block == X22;
}

static bool is_low(int block) {
    return block == X21 || block == X22;
}

// Rows, input or output channels: so many in the first half, so many in the second.
typedef struct halves {
    uint32_t first, second;
} halves;

static halves halves_of(uint32_t count, uint32_t multiple) {
    uint32_t first = (count + 2 * multiple - 1) / (2 * multiple) * multiple;
    return (halves){first, count - first};
}

typedef struct strassen {
    const buffer *in, *out, *residual;
    const strassen_kernel *sums;
    halves rows, k, n; // rows: of an image
    act act;
    uint32_t chunk, chunks;                               // pairs of a tile; tiles of an image
    const int32_t *in_at[2], *out_at[2], *residual_at[2]; // of the first and the second row of each pair of an image
    const int32_t *sums_at;                               // [chunk]
    const gemm_segment *of_sums, *of_short_sums, *of_a11, *of_a22;
    const gemm_panel *panels; // of the first half of output channels; `weights` counts the products of all panels
    uint32_t panel_count;
    const float *weights, *bias, *zeros, *next_weights;
} strassen;

static uint32_t k_of(const strassen *a, const product *p) {
    return p->is_short ? a->k.second : a->k.first;
}

// ---- running ------------------------------------------------------------------------------------------------------

// A tile's pairs, and where its image lies.
typedef struct chunk {
    uint32_t start, pairs, whole_pairs;
    const float *in, *residual;
    float *out, *sums;
} chunk;

static void sum_inputs(const strassen *a, const chunk *c) {
    strassen_inputs s = {.in = c->in,
                         .first = a->in_at[0] + c->start,
                         .second = a->in_at[1] + c->start,
                         .pairs = c->pairs,
                         .whole_pairs = c->whole_pairs,
                         .panel = a->in->panel,
                         .panels = a->k.first / STRASSEN_LANES,
                         .channels = a->k.second,
                         .room = a->chunk,
                         .out = c->sums};
    a->sums->inputs(&s);
}

// Block `block` of the output, for the panel that begins at channel n0 of its half.
static gemm_target target_of(const strassen *a, const chunk *c, const gemm_panel *p, int block) {
    uint32_t channel = p->n0 + (is_right(block) ? a->n.first : 0), groups = p->kernel->nr / 8;
    uint32_t channels = buffer_panels(a->out) * BUFFER_LANES, end = is_right(block) ? channels : a->n.first;
    uint32_t room = channel < end ? (end - channel) / 8 : 0;
    gemm_target t = {.c = c->out,
                     .c_offset = a->out_at[is_low(block)] + c->start,
                     .groups = groups < room ? groups : room,
                     .rows = is_low(block) ? c->whole_pairs : c->pairs};
    gemm_set_groups(t.c_group, a->out->panel, channel, t.groups);
    if (c->residual) {
        t.r = c->residual;
        t.r_offset = a->residual_at[is_low(block)] + c->start;
        gemm_set_groups(t.r_group, a->residual->panel, channel, t.groups);
    }
    return t;
}

static void set_inputs(const strassen *a, const chunk *c, const product *p, gemm_args *g) {
    g->k = k_of(a, p);
    g->segment_count = (g->k + STRASSEN_LANES - 1) / STRASSEN_LANES;
    if (p->inputs == JUST_A11 || p->inputs == JUST_A22) {
        g->a = c->in;
        g->a_offset = a->in_at[p->inputs == JUST_A22] + c->start;
        g->segments = p->inputs == JUST_A22 ? a->of_a22 : a->of_a11;
    } else {
        g->a = c->sums + (size_t)p->inputs * a->k.first * a->chunk;
        g->a_offset = a->sums_at;
        g->segments = p->is_short ? a->of_short_sums : a->of_sums;
    }
}

static void run_panel(const strassen *a, const chunk *c, uint32_t index) {
    const gemm_panel *p = &a->panels[index];
    const float *b = a->weights + p->weights, *after = index + 1 < a->panel_count ? NULL : a->next_weights;
    gemm_target blocks[BLOCKS];
    for (int block = 0; block < BLOCKS; block++) blocks[block] = target_of(a, c, p, block);
    for (int i = 0; i < PRODUCTS; i++) {
        gemm_target targets[BLOCKS];
        gemm_args g = {.b = b, .bias = a->zeros, .act = a->act, .targets = targets};
        set_inputs(a, c, &products[i], &g);
        for (int block = 0; block < BLOCKS; block++) {
            if (!products[i].c[block]) continue;
            gemm_target *t = &targets[g.target_count++];
            *t = blocks[block];
            t->is_minus = products[i].c[block] < 0;
            t->is_last = last_product[block] == i;
            if (first_product[block] == i) t->bias = a->bias + p->n0 + (is_right(block) ? a->n.first : 0);
        }
        b += (size_t)g.k * p->kernel->nr; // products and panels lie in the order of their use
        g.next_b = i + 1 < PRODUCTS || !after ? b : after;
        p->kernel->run(&g, 0, products[i].is_second ? c->whole_pairs : c->pairs);
    }
}

static void strassen_tile(const void *args, char *block, uint32_t tile) {
    const strassen *a = args;
    uint32_t image = tile / a->chunks, start = tile % a->chunks * a->chunk, left = a->rows.first - start;
    chunk c = {.start = start,
               .pairs = left < a->chunk ? left : a->chunk,
               .in = buffer_panel(a->in, block, image, 0),
               .out = buffer_panel(a->out, block, image, 0),
               .residual = a->residual ? buffer_panel(a->residual, block, image, 0) : NULL,
               .sums = (float *)(void *)worker_scratch()};
    uint32_t whole = a->rows.second > start ? a->rows.second - start : 0;
    c.whole_pairs = whole < c.pairs ? whole : c.pairs;
    for (uint32_t i = 0; start == 0 && i < buffer_panels(a->out); i++) buffer_clear_border(a->out, block, image, i);
    sum_inputs(a, &c);
    for (uint32_t i = 0; i < a->panel_count; i++) run_panel(a, &c, i);
}

// ---- weights ------------------------------------------------------------------------------------------------------

typedef struct weights_source {
    const strassen *a;
    const float *w; // [out_c][in_c]
} weights_source;

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// Adds a block of the weights, `count` times, to a product's panel [k][nr]; beyond the second halves there is nothing.
static void add_block(const weights_source *c, const gemm_panel *p, uint32_t k_count, int block, float count,
                      float *to) {
    const halves *ks = &c->a->k, *ns = &c->a->n;
    uint32_t nr = p->kernel->nr, all = is_right(block) ? ns->second : ns->first, left = all > p->n0 ? all - p->n0 : 0;
    uint32_t k_end = smaller(k_count, is_low(block) ? ks->second : ks->first), n_end = smaller(nr, left);
    size_t row = (size_t)ks->first + ks->second;
    if (n_end == 0) return;
    const float *w = c->w + (p->n0 + (is_right(block) ? ns->first : 0)) * row + (is_low(block) ? ks->first : 0);
    for (uint32_t k = 0; k < k_end; k++) {
        for (uint32_t n = 0; n < n_end; n++) to[(size_t)k * nr + n] += count * w[n * row + k];
    }
}

static void pack_sums(float *packed, const void *context) {
    const weights_source *c = context;
    for (uint32_t i = 0; i < c->a->panel_count; i++) {
        const gemm_panel *p = &c->a->panels[i];
        float *to = packed + p->weights;
        for (int q = 0; q < PRODUCTS; q++) {
            uint32_t k_count = k_of(c->a, &products[q]);
            for (int block = 0; block < BLOCKS; block++) {
                float count = products[q].b[block];
                if (count < 0 || count > 0) add_block(c, p, k_count, block, count, to);
            }
            to += (size_t)k_count * p->kernel->nr;
        }
    }
}

static dsc_status plan_weights(lowering *l, const graph_node *n, const conv_shape *s, strassen *a, dsc_error *err) {
    gemm_panels made;
    dsc_status status = gemm_panels_plan(l, gemm_tier(l->isa, s->in_c, s->out_c), a->n.first, 0, &made, err);
    gemm_panel *panels = status == DSC_OK ? lowering_alloc(l, made.count, sizeof *panels, err) : NULL;
    if (!panels) return err->status;
    size_t floats = 0;
    for (uint32_t i = 0; i < made.count; i++) {
        panels[i] = made.list[i];
        panels[i].weights = floats;
        for (int q = 0; q < PRODUCTS; q++) floats += (size_t)k_of(a, &products[q]) * panels[i].kernel->nr;
    }
    a->panels = panels;
    a->panel_count = made.count;
    weights_source source = {a, graph_input(l->g, n, 1)->data};
    char format[96];
    snprintf(format, sizeof format, "strassen %s %u %u", panels[0].kernel->name, s->out_c, s->in_c);
    weights_request request = {.source = source.w,
                               .source_bytes = sizeof(float) * s->out_c * s->in_c,
                               .format = format,
                               .floats = floats,
                               .pack = pack_sums,
                               .context = &source};
    a->weights = lowering_weights(l, &request, err);
    a->bias = a->weights ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    a->zeros = a->bias ? lowering_vector(l, NULL, a->n.first, err) : NULL;
    if (!a->zeros) return err->status;
    lowering_in_order(l, a->weights, &a->next_weights);
    return DSC_OK;
}

// ---- addresses ----------------------------------------------------------------------------------------------------

// Where the pixels of one image lie, every other one of them in each table.
static bool plan_pixels(lowering *l, const conv_shape *s, const buffer *map, const uint32_t stride[2],
                        const int32_t *out[2], dsc_error *err) {
    gemm_maps one = {.images = 1, .rows = s->out_h};
    pixel_grid grid = {map_strides_of(map), s->out_w, {stride[0], stride[1]}, 0};
    const int32_t *all = gemm_pixel_offsets(l, &one, &grid, err);
    uint32_t count = s->out_h * s->out_w;
    for (uint32_t half = 0; half < 2 && all; half++) {
        int32_t *some = lowering_alloc(l, (count + 1) / 2, sizeof *some, err);
        for (uint32_t i = half; some && i < count; i += 2) some[i / 2] = all[i];
        out[half] = some;
        if (!some) return false;
    }
    return all != NULL;
}

// Panels of 16 channels from `first` on, `channels` in all.
static const gemm_segment *plan_segments(lowering *l, int64_t panel, uint32_t first, uint32_t channels,
                                         dsc_error *err) {
    uint32_t count = (channels + STRASSEN_LANES - 1) / STRASSEN_LANES;
    gemm_segment *made = lowering_alloc(l, count, sizeof *made, err);
    for (uint32_t i = 0; made && i < count; i++) {
        uint32_t left = channels - i * STRASSEN_LANES;
        made[i] =
            (gemm_segment){(int32_t)((first + i) * panel), (int32_t)(left < STRASSEN_LANES ? left : STRASSEN_LANES)};
    }
    return made;
}

static dsc_status plan_addresses(lowering *l, const conv_shape *s, strassen *a, dsc_error *err) {
    static const uint32_t dense[2] = {1, 1};
    int64_t sums_panel = (int64_t)a->chunk * STRASSEN_LANES;
    int32_t *sums_at = lowering_alloc(l, a->chunk, sizeof *sums_at, err);
    for (uint32_t i = 0; sums_at && i < a->chunk; i++) sums_at[i] = (int32_t)(i * STRASSEN_LANES);
    a->sums_at = sums_at;
    a->of_sums = plan_segments(l, sums_panel, 0, a->k.first, err);
    a->of_short_sums = plan_segments(l, sums_panel, 0, a->k.second, err);
    a->of_a11 = plan_segments(l, a->in->panel, 0, a->k.first, err);
    a->of_a22 = plan_segments(l, a->in->panel, a->k.first / STRASSEN_LANES, a->k.second, err);
    if (!sums_at || !a->of_sums || !a->of_short_sums || !a->of_a11 || !a->of_a22) return err->status;
    bool is_fine = plan_pixels(l, s, a->in, s->window.stride, a->in_at, err) &&
                   plan_pixels(l, s, a->out, dense, a->out_at, err) &&
                   (!a->residual || plan_pixels(l, s, a->residual, dense, a->residual_at, err));
    return is_fine ? DSC_OK : err->status;
}

// ---- choosing and lowering ----------------------------------------------------------------------------------------

bool conv_suits_strassen(const conv_shape *s) {
    const window *w = &s->window;
    bool is_pointwise = s->groups == 1 && w->kernel[0] * w->kernel[1] == 1 && !s->pads.pad_top && !s->pads.pad_left;
    bool is_large = s->in_c >= CHANNELS_MIN && s->out_c >= CHANNELS_MIN && s->in_c % 8 == 0 && s->out_c % 8 == 0;
    return is_pointwise && is_large && (uint64_t)s->out_h * s->out_w >= ROWS_MIN;
}

bool conv_uses_strassen(const lowering *l, const graph_node *n, const conv_shape *s) {
    if (!((const conv_params *)n->params)->by_strassen || conv_gate(n) != GRAPH_NONE) return false;
    return gemm_tier(l->isa, s->in_c, s->out_c) <= DSC_ISA_AVX512; // targets are known to the f32 form only
}

// Of one image.
static uint64_t multiplications(const strassen *a) {
    uint64_t sum = 0;
    for (int q = 0; q < PRODUCTS; q++) {
        const product *p = &products[q];
        uint64_t rows = p->is_second ? a->rows.second : a->rows.first;
        bool ends_right = !p->c[X11] && !p->c[X21], has_zeros = !p->b[X11] && !p->b[X21];
        sum += rows * k_of(a, p) * (ends_right || has_zeros ? a->n.second : a->n.first);
    }
    return sum;
}

static size_t sums_bytes(const strassen *a) {
    return (size_t)STRASSEN_SUMS * a->k.first * a->chunk * sizeof(float);
}

static double chunk_ns(const lowering *l, const conv_shape *s, const strassen *a) {
    double tiles = (double)a->chunks * s->n, panels = a->panel_count;
    double weights = 1.75 * s->in_c * s->out_c * sizeof(float), inputs = 1.8 * (double)sums_bytes(a);
    return choice_compute_ns(l->isa, (double)multiplications(a) * s->n) * choice_idle(tiles, l->threads) +
           CHOICE_CALL_NS * PRODUCTS * tiles * panels + PREFETCHED * choice_traffic_ns(weights) * (tiles - 1) +
           PREFETCHED * choice_traffic_ns(inputs) * tiles * (panels - 1);
}

// Tiles of about `wanted` pairs, all about alike and of whole tiles of the kernel.
static void set_chunk(strassen *a, uint64_t wanted) {
    uint32_t mr = a->panels[0].kernel->mr;
    uint64_t chunks = wanted < a->rows.first ? (a->rows.first + wanted - 1) / wanted : 1;
    uint64_t even = (a->rows.first + chunks - 1) / chunks;
    a->chunk = (uint32_t)((even + mr - 1) / mr * mr);
    a->chunks = (a->rows.first + a->chunk - 1) / a->chunk;
}

// How many pairs at a time: inputs and sums of a quarter of L2 up to four times it, and no more than a thread's share.
static dsc_status choose_chunk(lowering *l, const graph_node *n, const conv_shape *s, strassen *a, dsc_error *err) {
    static const double parts[] = {1, 0.5, 0.25, 2, 4};
    choice_list list = {0};
    uint32_t share = (a->rows.first + l->threads - 1) / l->threads, chosen = 0;
    double pair_bytes = (double)(STRASSEN_SUMS + BLOCKS) * a->k.first * sizeof(float);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        double fitting = parts[i] * (double)cpu_l2_bytes() / pair_bytes;
        set_chunk(a, fitting < 1 ? 1 : fitting < share ? (uint64_t)fitting : share);
        if (choice_has(&list, a->chunk)) continue;
        choice_add(&list, a->chunk, chunk_ns(l, s, a), "pairs of %u", a->chunk);
    }
    dsc_status status = choice_take(l, n, &list, &chosen, err);
    set_chunk(a, chosen);
    return status;
}

dsc_status conv_lower_strassen(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_panels(l, n->inputs[0], err), *residual = NULL;
    if (!in) return err->status;
    if (n->residual != GRAPH_NONE && !(residual = lowering_panels(l, n->residual, err))) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    strassen *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    *a = (strassen){.in = in,
                    .out = out,
                    .residual = residual,
                    .sums = strassen_find(l->isa),
                    .rows = halves_of(s->out_h * s->out_w, 1),
                    .k = halves_of(s->in_c, STRASSEN_LANES),
                    .n = halves_of(s->out_c, STRASSEN_LANES),
                    .act = lowering_act(n)};
    dsc_status status = plan_weights(l, n, s, a, err);
    if (status == DSC_OK) status = choose_chunk(l, n, s, a, err);
    if (status == DSC_OK) status = plan_addresses(l, s, a, err);
    char *name = status == DSC_OK ? lowering_alloc(l, 64, 1, err) : NULL;
    if (!name) return err->status;
    snprintf(name, 64, "strassen_%s", a->panels[0].kernel->name);
    lowering_step_args made = {.run = strassen_tile,
                               .args = a,
                               .tiles = a->chunks * s->n,
                               .kernel = name,
                               .uses = {in, out, residual},
                               .scratch_bytes = mem_round_up(sums_bytes(a))};
    status = lowering_step(l, &made, err);
    if (status == DSC_OK) l->p->rows[l->row].multiplications = multiplications(a) * s->n;
    return status;
}
