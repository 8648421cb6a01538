// SPDX-License-Identifier: Apache-2.0
// Steps of a whole layer of ungrouped convolution.
#include "engine/kernels/dense.h"
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv_tiles.h"

typedef struct conv_layer {
    const buffer *in, *out, *residual;
    gemm_stage stage;
    int64_t in_shift;
    conv_tiles tiles;
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
    gemm_rows r = {.in = (const float *)buffer_data(a->in, block) + a->in_shift,
                   .out = buffer_data(a->out, block),
                   .residual = a->residual ? buffer_data(a->residual, block) : NULL,
                   .prepared = worker_scratch()};
    conv_tiles_take(&a->tiles, tile, &r);
    if (r.m0 == 0) clear_borders(a, block, &r);
    gemm_stage_run_blocks(&a->stage, &r);
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
    status = conv_tiles_choose(l, n, s, &a->stage, &a->tiles, err);
    if (status != DSC_OK) return status;
    lowering_step_args made = {.run = layer_tile,
                               .args = a,
                               .tiles = a->tiles.blocks * a->tiles.groups,
                               .kernel = a->stage.panels[0].kernel->name,
                               .uses = {in, out, residual},
                               .scratch_bytes = gemm_stage_block_bytes(&a->stage)};
    return lowering_step(l, &made, err);
}
