// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/conv/conv_tiles.h"

#include "engine/base/cpu.h"
#include "engine/ops/choice.h"

#include <math.h>

#define BLOCKS_IN_L2 3    // a block of input takes a third of L2 and stays there while the weights stream past
#define PREFETCHED   0.4  // of the time to fetch weights that is not hidden behind arithmetic
#define PAIRS_NS     0.03 // to prepare an input of the tier fip, which each group of weight panels does again
#define UNITS_MIN    16u  // pieces of work for the threads, where there is enough to share

// What candidates are compared for.
typedef struct work {
    const conv_shape *s;
    const gemm_stage *stage;
    dsc_isa isa;
    uint32_t rows, threads;
} work;

static uint64_t macs_of(const work *w) {
    return (uint64_t)w->rows * w->stage->gemm.k * w->s->out_c;
}

static conv_tiles split(const work *w, uint64_t block_rows, uint64_t groups) {
    conv_tiles t = {.rows = w->rows, .block_rows = (uint32_t)block_rows, .panels = w->stage->panel_count};
    t.blocks = (t.rows - 1) / t.block_rows + 1;
    t.group_panels = (uint32_t)((t.panels - 1) / groups + 1);
    t.groups = (t.panels - 1) / t.group_panels + 1;
    return t;
}

void conv_tiles_take(const conv_tiles *t, uint32_t tile, gemm_rows *r) {
    r->m0 = tile % t->blocks * t->block_rows;
    r->m1 = r->m0 + t->block_rows < t->rows ? r->m0 + t->block_rows : t->rows;
    r->p0 = tile / t->blocks * t->group_panels;
    r->p1 = r->p0 + t->group_panels < t->panels ? r->p0 + t->group_panels : t->panels;
}

// ---- inputs are read as they are ------------------------------------------------------------------------------------

// Blocks of at most `fitting` rows, all about alike and of whole tiles of the kernel, and as many groups of weight
// panels as the threads need besides.
static conv_tiles split_fitting(const work *w, uint64_t fitting) {
    uint32_t mr = w->stage->panels[0].kernel->mr;
    if (fitting < mr) fitting = mr;
    uint64_t blocks = (w->rows + fitting - 1) / fitting, units = macs_of(w) / CONV_UNIT_MACS + 1;
    if (units > UNITS_MIN) units = UNITS_MIN;
    if (w->threads == 1) units = 1;
    uint64_t groups = blocks >= units ? 1 : (units + blocks - 1) / blocks;
    if (groups > w->stage->panel_count) groups = w->stage->panel_count;
    if (blocks * groups < units) blocks = (units + groups - 1) / groups;
    uint64_t block_rows = (w->rows + blocks - 1) / blocks;
    return split(w, (block_rows + mr - 1) / mr * mr, groups);
}

// How much longer the thread with most groups, or wide ones, takes than the mean one.
static double unevenness(const work *w, const conv_tiles *t) {
    const gemm_panel *panels = w->stage->panels;
    uint32_t widest = 0, all = panels[t->panels - 1].n0 + panels[t->panels - 1].kernel->nr;
    for (uint32_t p = 0; p < t->panels; p += t->group_panels) {
        uint32_t end = p + t->group_panels < t->panels ? panels[p + t->group_panels].n0 : all;
        if (end - panels[p].n0 > widest) widest = end - panels[p].n0;
    }
    return (double)widest * ((t->groups - 1) / w->threads + 1) * w->threads / all;
}

// The weights pass by once for each block, the block once for each weight panel.
static double tiles_ns(const work *w, const conv_tiles *t) {
    const conv_shape *s = w->s;
    double panels = t->panels, weights = (double)w->stage->gemm.k * s->out_c * sizeof(float);
    double block = (double)s->in_c * t->block_rows * s->window.stride[0] * s->window.stride[1] * sizeof(float);
    double compute = choice_compute_ns(w->isa, (double)macs_of(w));
    compute *=
        t->blocks == 1 && t->groups > 1 ? unevenness(w, t) : choice_idle((double)t->blocks * t->groups, w->threads);
    if (w->stage->prepared_rows) compute += PAIRS_NS * w->rows * w->stage->gemm.k * t->groups / w->threads;
    return compute + CHOICE_CALL_NS * t->blocks * panels + PREFETCHED * choice_traffic_ns(weights) * (t->blocks - 1) +
           choice_traffic_ns(block) * t->blocks * (panels - 1);
}

// In a candidate's value, which else is the rows of a block: a tile for each thread, by rows or by weight panels.
enum { BY_ROWS = 0x7ffffffe, BY_PANELS };

static conv_tiles split_plain(const work *w, uint32_t value) {
    if (value == BY_ROWS) return split(w, (w->rows - 1) / w->threads + 1, 1);
    return value == BY_PANELS ? split(w, w->rows, w->threads) : split_fitting(w, value);
}

// Layers of few rows are shared best by as few tiles as there are threads, for smaller ones cost more calls.
static dsc_status choose_plain(lowering *l, const graph_node *n, const work *w, conv_tiles *out, dsc_error *err) {
    static const uint32_t parts[] = {BLOCKS_IN_L2, 4 * BLOCKS_IN_L2, 16 * BLOCKS_IN_L2, 1};
    choice_list list = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t fitting = cpu_l2_bytes() / parts[i] / (w->stage->gemm.k * sizeof(float));
        conv_tiles t = split_fitting(w, i + 1 < sizeof parts / sizeof *parts ? fitting : w->rows);
        if (choice_has(&list, t.block_rows)) continue;
        choice_add(&list, t.block_rows, tiles_ns(w, &t), "blocks of %u", t.block_rows);
    }
    if (w->threads > 1 && macs_of(w) / CONV_UNIT_MACS >= w->threads) {
        conv_tiles rows = split_plain(w, BY_ROWS), panels = split_plain(w, BY_PANELS);
        if (rows.blocks == w->threads) choice_add(&list, BY_ROWS, tiles_ns(w, &rows), "a thread's rows");
        if (panels.groups == w->threads) choice_add(&list, BY_PANELS, tiles_ns(w, &panels), "a thread's panels");
    }
    uint32_t value = 0;
    dsc_status status = choice_take(l, n, &list, &value, err);
    *out = split_plain(w, value);
    return status;
}

// ---- the stage copies its inputs ------------------------------------------------------------------------------------
// A tile is cut into blocks by its stage. Each group of weight panels prepares the inputs again, each block of rows
// reads the weights again.

#define PREPARED_MACS  (1024u << 10) // some 5 microseconds
#define PREPARED_WIDTH 32u           // channels of nearly all panels

// Of the inputs a thread finds its share in its own cache.
static double prepared_ns(const work *w, const conv_tiles *t) {
    uint32_t k = w->stage->gemm.k, channels = t->group_panels * PREPARED_WIDTH;
    if (channels > w->s->out_c) channels = w->s->out_c;
    double passes = ceil((double)t->block_rows / w->stage->prepared_rows);
    double tile = choice_tiles_ns(t->block_rows, k, channels) + choice_tiles_weights_ns(k, channels) * passes +
                  CHOICE_CALL_NS * t->group_panels;
    double inputs = sizeof(float) * t->groups * (double)t->rows * w->s->in_c;
    return tile * ceil((double)t->blocks * t->groups / w->threads) + choice_cross_ns(inputs, w->threads);
}

static conv_tiles split_prepared(const work *w, uint32_t way) {
    return split(w, (w->rows - 1) / (way & 0xffff) + 1, way >> 16);
}

static void add_prepared(const work *w, uint32_t blocks, uint32_t groups, choice_list *list) {
    if (groups > w->stage->panel_count) return;
    uint32_t way = groups << 16 | blocks;
    conv_tiles t = split_prepared(w, way);
    if (!choice_has(list, way)) {
        choice_add(list, way, prepared_ns(w, &t), "rows %u panels %u", t.block_rows, t.group_panels);
    }
}

// As many tiles as threads, blocks of rows or groups of weight panels; or twice as many blocks.
static dsc_status choose_prepared(lowering *l, const graph_node *n, const work *w, conv_tiles *out, dsc_error *err) {
    choice_list list = {0};
    uint64_t units = macs_of(w) / PREPARED_MACS + 1;
    uint32_t tiles = w->threads < units ? w->threads : (uint32_t)units;
    for (uint32_t groups = 1; groups <= tiles; groups *= 2) add_prepared(w, (tiles - 1) / groups + 1, groups, &list);
    if (tiles > 1 && 2 * tiles <= units) add_prepared(w, 2 * tiles, 1, &list);
    uint32_t way = 0;
    dsc_status status = choice_take(l, n, &list, &way, err);
    *out = split_prepared(w, way);
    return status;
}

dsc_status conv_tiles_choose(lowering *l, const graph_node *n, const conv_shape *s, const gemm_stage *stage,
                             conv_tiles *out, dsc_error *err) {
    work w = {s, stage, l->isa, s->n * s->out_h * s->out_w, l->threads};
    bool is_copied = !stage->panels[0].kernel->form->reads_inputs;
    return is_copied ? choose_prepared(l, n, &w, out, err) : choose_plain(l, n, &w, out, err);
}

dsc_status conv_tiles_choose_image(lowering *l, const graph_node *n, const conv_shape *s, const gemm_stage *stage,
                                   conv_tiles *out, dsc_error *err) {
    work w = {s, stage, l->isa, s->out_h * s->out_w, (l->threads - 1) / s->n + 1};
    return choose_prepared(l, n, &w, out, err);
}
