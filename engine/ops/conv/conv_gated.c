// SPDX-License-Identifier: Apache-2.0
// The projection of a squeeze-and-excite block: a pointwise convolution whose input is multiplied by a factor for each
// channel. Where inputs are copied for the kernels (see kernels/gemm.h) they are scaled there. Elsewhere the smaller
// side is scaled, in scratch memory: the weights, or a block of rows of the input. Which one follows from the shape
// alone, as the two round differently.
#include "engine/base/cpu.h"
#include "engine/base/mem.h"
#include "engine/kernels/eltwise.h"
#include "engine/ops/conv/conv_tiles.h"

#include <string.h>

#define BLOCKS_IN_L2 4 // a block of input, or its scaled copy, takes a quarter of L2

typedef struct gated {
    const buffer *in, *out, *residual, *gate;
    gemm_stage stage;
    const eltwise_kernel *eltwise;
    bool is_copied, scales_weights; // neither: scales the input
    conv_tiles tiles;               // of an image
    size_t scaled_offset;           // bytes into the scratch, behind the factors
} gated;

static void gather_factors(const gated *a, char *block, uint32_t image, float *factors) {
    for (uint32_t p = 0; p < buffer_panels(a->gate); p++) {
        const float *from = buffer_panel(a->gate, block, a->gate->n == 1 ? 0 : image, p);
        memcpy(factors + (size_t)p * BUFFER_LANES, from, BUFFER_LANES * sizeof *factors);
    }
}

// Packed weights lie as [k][nr]: row k gets factor k.
static void scale_weights(const gated *a, const float *factors, float *scaled) {
    for (uint32_t i = 0; i < a->stage.panel_count; i++) {
        const gemm_panel *p = &a->stage.panels[i];
        a->eltwise->scale_rows(scaled + p->weights, a->stage.weights + p->weights, a->stage.gemm.k, p->kernel->nr,
                               factors);
    }
}

// Pixels m0 <= m < m1 of the image -> [panel][block_rows][16].
static void scale_input(const gated *a, char *block, uint32_t image, const gemm_rows *r, const float *factors,
                        float *scaled) {
    static const act none = {ACT_NONE, 0, 0};
    for (uint32_t p = 0; p < buffer_panels(a->in); p++) {
        const float *map = buffer_panel(a->in, block, image, p);
        float *to = scaled + (size_t)p * a->tiles.block_rows * BUFFER_LANES;
        for (uint32_t m = r->m0, run; m < r->m1; m += run, to += (size_t)run * BUFFER_LANES) {
            uint32_t y = m / a->in->w, x = m % a->in->w, left = a->in->w - x;
            run = left < r->m1 - m ? left : r->m1 - m;
            a->eltwise->scale(to, map + y * a->in->row + (int64_t)x * BUFFER_LANES, run,
                              factors + (size_t)p * BUFFER_LANES, NULL, none);
        }
    }
}

static size_t scaled_input_bytes(const gated *a) {
    return mem_round_up(sizeof(float) *
                        ((size_t)buffer_panels(a->in) * a->tiles.block_rows * BUFFER_LANES + BUFFER_SLACK));
}

static void gated_tile(const void *args, char *block, uint32_t tile) {
    const gated *a = args;
    uint32_t per_image = a->tiles.blocks * a->tiles.groups, image = tile / per_image;
    gemm_rows r = {.out = buffer_panel(a->out, block, image, 0),
                   .residual = a->residual ? buffer_panel(a->residual, block, image, 0) : NULL};
    conv_tiles_take(&a->tiles, tile % per_image, &r);
    float *factors = (float *)(void *)worker_scratch(), *scaled = factors + a->scaled_offset / sizeof *factors;
    gather_factors(a, block, image, factors);
    if (tile % per_image == 0) {
        for (uint32_t p = 0; p < buffer_panels(a->out); p++) buffer_clear_border(a->out, block, image, p);
    }
    if (a->is_copied) {
        r.in = buffer_panel(a->in, block, image, 0);
        r.scale = factors;
        r.prepared = scaled;
    } else if (a->scales_weights) {
        scale_weights(a, factors, scaled);
        r.in = buffer_panel(a->in, block, image, 0);
        r.weights = scaled;
    } else {
        scale_input(a, block, image, &r, factors, scaled);
        r.in = scaled;
        r.prepared = (char *)scaled + scaled_input_bytes(a);
        r.out_m = r.m0;
        r.m1 -= r.m0;
        r.m0 = 0;
    }
    gemm_stage_run_blocks(&a->stage, &r);
}

static size_t weight_floats(const gemm_stage *s) {
    const gemm_panel *last = &s->panels[s->panel_count - 1];
    return last->weights + (size_t)s->gemm.k * last->kernel->nr;
}

// Where inputs are not copied: blocks of rows, all weight panels.
static void plan_blocks(const lowering *l, const conv_shape *s, conv_tiles *t) {
    t->rows = s->out_h * s->out_w;
    uint64_t fitting = cpu_l2_bytes() / BLOCKS_IN_L2 / sizeof(float) / s->in_c;
    uint64_t blocks = fitting ? (t->rows - 1) / fitting + 1 : t->rows, macs = (uint64_t)t->rows * s->in_c * s->out_c;
    uint64_t wanted = (l->threads - 1) / s->n + 1, units = macs / CONV_UNIT_MACS + 1;
    if (wanted > units) wanted = units;
    blocks = ((blocks - 1) / wanted + 1) * wanted; // or a thread would be left with nothing at the end
    t->block_rows = (uint32_t)((t->rows - 1) / blocks + 1);
    t->blocks = (t->rows - 1) / t->block_rows + 1;
    t->groups = 1;
}

// The weights where there are at least twice as many pixels as output channels; then they are scaled once a tile.
static bool is_better_in_weights(const conv_shape *s) {
    return (uint64_t)s->out_h * s->out_w >= 2 * (uint64_t)s->out_c;
}

static dsc_status plan(lowering *l, const graph_node *n, const conv_shape *s, gated *a, dsc_error *err) {
    gemm_maps maps = {.images = 1, .rows = s->out_h, .in = map_strides_of(a->in), .out = map_strides_of(a->out)};
    maps.scales_weights = a->scales_weights;
    if (!a->is_copied) plan_blocks(l, s, &a->tiles);
    if (!a->is_copied && !a->scales_weights) {
        maps.in.row = (int64_t)s->in_w * BUFFER_LANES; // of the scaled copy
        maps.in.panel = (int64_t)a->tiles.block_rows * BUFFER_LANES;
    }
    if (a->residual) {
        maps.has_residual = true;
        maps.residual = map_strides_of(a->residual);
    }
    dsc_status status = gemm_stage_plan(l, n, s, &maps, &a->stage, err);
    if (status != DSC_OK) return status;
    if (a->is_copied) return conv_tiles_choose_image(l, n, s, &a->stage, &a->tiles, err);
    a->tiles.panels = a->tiles.group_panels = a->stage.panel_count;
    return DSC_OK;
}

dsc_status conv_lower_gated(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_panels(l, n->inputs[0], err), *residual = NULL;
    buffer *gate = in ? lowering_panels(l, conv_gate(n), err) : NULL;
    if (!gate) return err->status;
    if (n->residual != GRAPH_NONE && !(residual = lowering_panels(l, n->residual, err))) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    gated *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    *a = (gated){.in = in, .out = out, .residual = residual, .gate = gate, .eltwise = eltwise_find(l->isa)};
    a->is_copied = gemm_stage_copies_inputs(l, s);
    a->scales_weights = is_better_in_weights(s);
    dsc_status status = plan(l, n, s, a, err);
    if (status != DSC_OK) return status;
    a->scaled_offset = mem_round_up((size_t)buffer_panels(gate) * BUFFER_LANES * sizeof(float));
    size_t scaled = a->is_copied        ? gemm_stage_block_bytes(&a->stage)
                    : a->scales_weights ? sizeof(float) * weight_floats(&a->stage)
                                        : scaled_input_bytes(a) + gemm_stage_block_bytes(&a->stage);
    lowering_step_args made = {.run = gated_tile,
                               .args = a,
                               .tiles = s->n * a->tiles.blocks * a->tiles.groups,
                               .kernel = a->stage.panels[0].kernel->name,
                               .uses = {in, gate, out, residual},
                               .scratch_bytes = a->scaled_offset + scaled};
    return lowering_step(l, &made, err);
}
