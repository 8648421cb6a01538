// SPDX-License-Identifier: Apache-2.0
// Steps of a whole layer of ungrouped convolution.
#include "engine/base/cpu.h"
#include "engine/kernels/dense.h"
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv_stage.h"

#include <math.h>

#define BLOCKS_IN_L2 3   // a block of input takes a third of L2 and stays there while the weights stream past
#define PREFETCHED   0.4 // of the time to fetch weights that is not hidden behind arithmetic
#define UNITS_MIN    16u // pieces of work for the threads, where there is enough to share

typedef struct conv_layer {
    const buffer *in, *out, *residual;
    gemm_stage stage;
    int64_t in_shift;
    uint32_t rows, block_rows, blocks;
    uint32_t group_panels; // a tile is one block of rows and one group of weight panels
} conv_layer;

static void clear_borders(const conv_layer *a, char *block, const gemm_rows *r) {
    const gemm_panel *last = &a->stage.panels[r->p1 - 1];
    uint32_t end = (last->n0 + last->kernel->nr + BUFFER_LANES - 1) / BUFFER_LANES, all = buffer_panels(a->out);
    for (uint32_t image = 0; image < a->out->n; image++) {
        for (uint32_t i = a->stage.panels[r->p0].n0 / BUFFER_LANES; i < end && i < all; i++) {
            buffer_clear_border(a->out, block, image, i);
        }
    }
}

static void layer_tile(const void *args, char *block, uint32_t tile) {
    const conv_layer *a = args;
    uint32_t row_block = tile % a->blocks, first = tile / a->blocks * a->group_panels, m0 = row_block * a->block_rows;
    uint32_t last = first + a->group_panels, m1 = m0 + a->block_rows;
    gemm_rows r = {.in = (const float *)buffer_data(a->in, block) + a->in_shift,
                   .out = buffer_data(a->out, block),
                   .residual = a->residual ? buffer_data(a->residual, block) : NULL,
                   .m0 = m0,
                   .m1 = m1 < a->rows ? m1 : a->rows,
                   .p0 = first,
                   .p1 = last < a->stage.panel_count ? last : a->stage.panel_count};
    r.prepared = worker_scratch();
    if (row_block == 0) clear_borders(a, block, &r);
    gemm_stage_run_blocks(&a->stage, &r);
}

// Blocks of at most `fitting` rows, all about alike and of whole tiles of the kernel, and as many groups of weight
// panels as the threads need besides.
static void plan_tiles(const lowering *l, const conv_shape *s, uint64_t fitting, conv_layer *a) {
    uint32_t mr = a->stage.panels[0].kernel->mr;
    if (fitting < mr) fitting = mr;
    uint64_t blocks = (a->rows + fitting - 1) / fitting;
    uint64_t macs = (uint64_t)a->rows * a->stage.gemm.k * s->out_c, units = macs / CONV_UNIT_MACS + 1;
    if (units > UNITS_MIN) units = UNITS_MIN;
    if (l->threads == 1) units = 1;
    uint64_t groups = blocks >= units ? 1 : (units + blocks - 1) / blocks;
    if (groups > a->stage.panel_count) groups = a->stage.panel_count;
    if (blocks * groups < units) blocks = (units + groups - 1) / groups;
    uint64_t block_rows = (a->rows + blocks - 1) / blocks;
    a->block_rows = (uint32_t)((block_rows + mr - 1) / mr * mr);
    a->blocks = (a->rows + a->block_rows - 1) / a->block_rows;
    a->group_panels = (uint32_t)((a->stage.panel_count + groups - 1) / groups);
}

// ---- tiles where the stage prepares its inputs ----------------------------------------------------------------------
// A tile is cut into blocks by its stage. Each group of weight panels prepares the inputs again, each block of rows
// reads the weights again.

#define PREPARED_MACS  (1024u << 10) // some 5 microseconds
#define PREPARED_WIDTH 32u           // channels of nearly all panels

static void split_prepared(conv_layer *a, uint32_t blocks, uint32_t groups) {
    a->block_rows = (a->rows - 1) / blocks + 1;
    a->blocks = (a->rows - 1) / a->block_rows + 1;
    a->group_panels = (a->stage.panel_count - 1) / groups + 1;
}

// Of the inputs a thread finds its share in its own cache.
static double prepared_ns(const lowering *l, const conv_shape *s, const conv_layer *a) {
    uint32_t k = a->stage.gemm.k, channels = a->group_panels * PREPARED_WIDTH;
    double groups = ceil((double)a->stage.panel_count / a->group_panels);
    double passes = ceil((double)a->block_rows / a->stage.prepared_rows);
    double tile = choice_tiles_ns(a->block_rows, k, channels < s->out_c ? channels : s->out_c) +
                  choice_tiles_weights_ns(k, channels) * passes + CHOICE_CALL_NS * a->group_panels;
    double inputs = sizeof(float) * groups * a->rows * s->in_c;
    return tile * ceil(a->blocks * groups / l->threads) + choice_cross_ns(inputs, l->threads);
}

static void add_prepared(const lowering *l, const conv_shape *s, conv_layer *a, uint32_t blocks, uint32_t groups,
                         choice_list *list) {
    if (groups > a->stage.panel_count) return;
    split_prepared(a, blocks, groups);
    uint32_t value = groups << 16 | blocks;
    if (choice_has(list, value)) return;
    choice_add(list, value, prepared_ns(l, s, a), "rows %u panels %u", a->block_rows, a->group_panels);
}

// As many tiles as threads, blocks of rows or groups of weight panels; or twice as many blocks.
static dsc_status choose_prepared_tiles(lowering *l, const graph_node *n, const conv_shape *s, conv_layer *a,
                                        dsc_error *err) {
    choice_list list = {0};
    a->rows = s->n * s->out_h * s->out_w;
    uint64_t units = (uint64_t)a->rows * a->stage.gemm.k * s->out_c / PREPARED_MACS + 1;
    uint32_t tiles = l->threads < units ? l->threads : (uint32_t)units;
    for (uint32_t groups = 1; groups <= tiles; groups *= 2) {
        add_prepared(l, s, a, (tiles - 1) / groups + 1, groups, &list);
    }
    if (tiles > 1 && 2 * tiles <= units) add_prepared(l, s, a, 2 * tiles, 1, &list);
    uint32_t way = 0;
    dsc_status status = choice_take(l, n, &list, &way, err);
    split_prepared(a, way & 0xffff, way >> 16);
    return status;
}

// The weights pass by once for each block, the block once for each weight panel.
static double tiles_ns(const lowering *l, const conv_shape *s, const conv_layer *a) {
    double macs = (double)a->rows * a->stage.gemm.k * s->out_c, panels = a->stage.panel_count;
    double weights = (double)a->stage.gemm.k * s->out_c * sizeof(float);
    double block = (double)s->in_c * a->block_rows * s->window.stride[0] * s->window.stride[1] * sizeof(float);
    double tiles = a->blocks * ceil(panels / a->group_panels);
    return choice_compute_ns(l->isa, macs) * choice_idle(tiles, l->threads) + CHOICE_CALL_NS * a->blocks * panels +
           PREFETCHED * choice_traffic_ns(weights) * (a->blocks - 1) +
           choice_traffic_ns(block) * a->blocks * (panels - 1);
}

static dsc_status choose_tiles(lowering *l, const graph_node *n, const conv_shape *s, conv_layer *a, dsc_error *err) {
    static const uint32_t parts[] = {BLOCKS_IN_L2, 4 * BLOCKS_IN_L2, 16 * BLOCKS_IN_L2, 1};
    choice_list list = {0};
    a->rows = s->n * s->out_h * s->out_w;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t fitting = cpu_l2_bytes() / parts[i] / (a->stage.gemm.k * sizeof(float));
        plan_tiles(l, s, i + 1 < sizeof parts / sizeof *parts ? fitting : a->rows, a);
        if (choice_has(&list, a->block_rows)) continue;
        choice_add(&list, a->block_rows, tiles_ns(l, s, a), "blocks of %u", a->block_rows);
    }
    uint32_t block_rows = 0;
    dsc_status status = choice_take(l, n, &list, &block_rows, err);
    plan_tiles(l, s, block_rows, a);
    return status;
}

// ---- one pixel: a dense layer -------------------------------------------------------------------------------------
// Also where there are many images: what one gives must not depend on how many there are, and sums of other kernels are
// taken in another order. A tile's weights are used for all of them.

typedef struct conv_dense {
    const buffer *in, *out, *residual;
    dense_args dense;
    const dense_kernel *kernel;
    uint32_t panels, tile_panels;
} conv_dense;

static void dense_tile(const void *args, char *block, uint32_t tile) {
    const conv_dense *a = args;
    dense_args d = a->dense;
    uint32_t p0 = tile * a->tile_panels, p1 = p0 + a->tile_panels;
    for (uint32_t image = 0; image < a->out->n; image++) {
        d.x = buffer_panel(a->in, block, image, 0);
        d.y = buffer_panel(a->out, block, image, 0);
        d.r = a->residual ? buffer_panel(a->residual, block, image, 0) : NULL;
        a->kernel->run(&d, p0, p1 < a->panels ? p1 : a->panels);
    }
}

static dsc_status lower_dense(lowering *l, const graph_node *n, const conv_shape *s, const conv_layer *maps,
                              dsc_error *err) {
    conv_dense *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!a) return err->status;
    a->in = maps->in, a->out = maps->out, a->residual = maps->residual;
    a->kernel = dense_find(l->isa);
    a->panels = (s->out_c + a->kernel->nr - 1) / a->kernel->nr;
    a->tile_panels = a->panels;
    uint64_t macs = (uint64_t)s->in_c * s->out_c;
    if (macs > 2 * (uint64_t)CONV_UNIT_MACS)
        a->tile_panels = (uint32_t)(a->panels * (uint64_t)CONV_UNIT_MACS / macs) + 1;
    dsc_status status = choice_dense_panels(l, n, a->panels, (double)s->in_c * a->kernel->nr, &a->tile_panels, err);
    if (status != DSC_OK) return status;
    gemm_panel *panels = lowering_alloc(l, a->panels, sizeof *panels, err);
    gemm_kernel *as_gemm = lowering_alloc(l, 1, sizeof *as_gemm, err); // packing asks for name, nr and form only
    if (!panels || !as_gemm) return err->status;
    *as_gemm = (gemm_kernel){.name = a->kernel->name, .nr = a->kernel->nr, .form = gemm_find(DSC_ISA_REF, 16)->form};
    size_t panel_floats = (size_t)s->in_c * a->kernel->nr;
    for (uint32_t i = 0; i < a->panels; i++) panels[i] = (gemm_panel){as_gemm, i * a->kernel->nr, i * panel_floats};
    a->dense.k = s->in_c;
    a->dense.act = lowering_act(n);
    a->dense.b = gemm_stage_weights(l, n, s, panels, a->panels, err);
    a->dense.bias = a->dense.b ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    if (!a->dense.bias) return err->status;
    lowering_in_order(l, a->dense.b, NULL);
    lowering_step_args made = {dense_tile,
                               a,
                               (a->panels + a->tile_panels - 1) / a->tile_panels,
                               a->kernel->name,
                               {(buffer *)a->in, (buffer *)a->out, (buffer *)a->residual},
                               0};
    return lowering_step(l, &made, err);
}

dsc_status conv_lower_gemm(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_panels_any(l, n->inputs[0], err), *residual = NULL;
    if (!in) return err->status;
    if (n->residual != GRAPH_NONE && !(residual = lowering_panels(l, n->residual, err))) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    conv_layer *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    a->in = in, a->out = out, a->residual = residual;
    bool is_one_pixel = s->window.kernel[0] * s->window.kernel[1] == 1 && buffer_is_one_pixel(in) &&
                        buffer_is_one_pixel(out) && (!residual || buffer_is_one_pixel(residual));
    if (is_one_pixel) return lower_dense(l, n, s, a, err);
    a->in_shift = -(int64_t)s->pads.pad_top * in->row - (int64_t)s->pads.pad_left * in->lanes;
    gemm_maps maps = {.images = s->n,
                      .rows = s->out_h,
                      .in = map_strides_of(in),
                      .out = map_strides_of(out),
                      .in_image = in->image,
                      .out_image = out->image,
                      .in_is_vector = in->panel == in->lanes};
    if (residual) {
        maps.has_residual = true;
        maps.residual = map_strides_of(residual);
        maps.residual_image = residual->image;
    }
    dsc_status status = gemm_stage_plan(l, n, s, &maps, &a->stage, err);
    if (status != DSC_OK) return status;
    if (a->stage.prepared_rows)
        status = choose_prepared_tiles(l, n, s, a, err);
    else
        status = choose_tiles(l, n, s, a, err);
    if (status != DSC_OK) return status;
    uint32_t groups = (a->stage.panel_count + a->group_panels - 1) / a->group_panels;
    lowering_step_args made = {.run = layer_tile,
                               .args = a,
                               .tiles = a->blocks * groups,
                               .kernel = a->stage.panels[0].kernel->name,
                               .uses = {in, out, residual},
                               .scratch_bytes = gemm_stage_block_bytes(&a->stage)};
    return lowering_step(l, &made, err);
}
