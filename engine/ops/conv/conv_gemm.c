// SPDX-License-Identifier: Apache-2.0
// The stage of ungrouped convolution: taps become segments of the sum, so that no copy of the input is made (see
// kernels/gemm.h).
#include "engine/base/cpu.h"
#include "engine/base/mem.h"
#include "engine/ops/conv/conv_stage.h"

#include <stdio.h>

void gemm_set_groups(int32_t *groups, int64_t panel, uint32_t channel, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, channel += 8) {
        groups[i] = (int32_t)((int64_t)(channel / BUFFER_LANES) * panel + channel % BUFFER_LANES);
    }
}

// All panels of a stage are of one form.
static const gemm_form *form_of(const gemm_stage *s) {
    return s->panels[0].kernel->form;
}

// Whether the pairs of every segment lie as those of the packed weights.
static bool fip_suits(const conv_shape *s) {
    return s->window.kernel[0] * s->window.kernel[1] == 1 || s->in_c % BUFFER_LANES == 0;
}

static dsc_isa tier_of(const lowering *l, const conv_shape *s, bool scales_weights) {
    dsc_isa tier = gemm_tier(l->isa, s->in_c * s->window.kernel[0] * s->window.kernel[1], s->out_c);
    return tier == DSC_ISA_FIP && (scales_weights || !fip_suits(s)) ? DSC_ISA_AVX512 : tier;
}

bool gemm_stage_copies_inputs(const lowering *l, const conv_shape *s) {
    return tier_of(l, s, false) == DSC_ISA_AMX;
}

size_t gemm_stage_prepared_bytes(const gemm_stage *s, uint64_t rows) {
    const gemm_form *form = form_of(s);
    return form->prepare ? mem_round_up(form->prepared_bytes(s->gemm.k, (uint32_t)rows)) : 0;
}

void gemm_stage_prepare(const gemm_stage *s, const gemm_rows *r) {
    const gemm_form *form = form_of(s);
    if (!form->prepare || r->m0 >= r->m1) return;
    gemm_args g = s->gemm;
    g.a = r->in;
    g.scale = r->scale;
    form->prepare(&g, r->m0, r->m1, r->prepared);
}

void gemm_stage_run(const gemm_stage *s, const gemm_rows *r) {
    gemm_args g = s->gemm;
    g.a = r->in;
    g.is_far = r->m1 - r->m0 > s->near_rows;
    g.prepared = r->prepared;
    g.c = r->out;
    g.r = r->residual;
    g.c_offset += r->out_m;
    if (r->out_m) g.run = 0; // rows of the two tables end at different pixels
    if (g.r) g.r_offset += r->out_m;
    const float *weights = r->weights ? r->weights : s->weights;
    for (uint32_t i = r->p0; i < r->p1; i++) {
        const gemm_panel *p = &s->panels[i];
        uint32_t groups = p->kernel->nr / 8, room = (s->channels - p->n0) / 8;
        g.groups = groups < room ? groups : room;
        g.b = weights + p->weights;
        g.bias = s->bias + p->n0;
        g.next_b = i + 1 < s->panel_count ? weights + s->panels[i + 1].weights : s->next_weights;
        gemm_set_groups(g.c_group, s->out_panel, p->n0 - r->first_channel, g.groups);
        if (g.r) gemm_set_groups(g.r_group, s->residual_panel, p->n0 - r->first_channel, g.groups);
        p->kernel->run(&g, r->m0, r->m1);
    }
}

void gemm_stage_run_blocks(const gemm_stage *s, const gemm_rows *r) {
    if (!s->prepared_rows) {
        gemm_stage_run(s, r);
        return;
    }
    uint32_t rows = r->m1 - r->m0, blocks = (rows + s->prepared_rows - 1) / s->prepared_rows;
    gemm_rows some = *r;
    for (uint32_t i = 0; i < blocks; i++) {
        some.m0 = r->m0 + (uint32_t)((uint64_t)rows * i / blocks);
        some.m1 = r->m0 + (uint32_t)((uint64_t)rows * (i + 1) / blocks);
        gemm_stage_prepare(s, &some);
        gemm_stage_run(s, &some);
    }
}

size_t gemm_stage_block_bytes(const gemm_stage *s) {
    return gemm_stage_prepared_bytes(s, s->prepared_rows);
}

#define NEAR_PART 4 // of L2: how much of it a block of inputs may take

#define FEW_ROWS 256u // prepared inputs of so many stay in L2; fewer make calls too short

// Weights that stay in L2 may be read once for every few rows; others are to be read as seldom as can be, which needs
// blocks of rows that fill half of L2.
static uint32_t plan_prepared_rows(const gemm_stage *s, size_t weight_bytes) {
    size_t few = gemm_stage_prepared_bytes(s, FEW_ROWS);
    if (!few) return 0;
    if (form_of(s)->reads_inputs) few += FEW_ROWS * sizeof(float) * s->gemm.k;
    uint64_t fitting = cpu_l2_bytes() / 3 / few * FEW_ROWS;
    return weight_bytes <= cpu_l2_bytes() / 4 || fitting < FEW_ROWS ? FEW_ROWS : (uint32_t)fitting;
}

// ---- weights ----------------------------------------------------------------------------------------------------

// Packed in the order of the sum: taps, then channels.
void gemm_panels_pack(float *packed, const void *source) {
    const gemm_panels_source *c = source;
    for (uint32_t i = 0; i < c->panel_count; i++) {
        const gemm_panel *p = &c->panels[i];
        uint32_t nr = p->kernel->nr, real = c->out_c - p->n0 < nr ? c->out_c - p->n0 : nr;
        for (uint32_t tap = 0; tap < c->taps; tap++) {
            gemm_weights run = {.w = c->w + tap + (size_t)p->n0 * c->in_c * c->taps,
                                .n = real,
                                .n_stride = (int64_t)c->in_c * c->taps,
                                .k_stride = c->taps,
                                .count = c->in_c,
                                .k0 = tap * c->in_c,
                                .k = c->in_c * c->taps};
            p->kernel->form->pack(packed + p->weights, nr, &run);
        }
        if (p->kernel->form->seal) p->kernel->form->seal(packed + p->weights, nr, c->in_c * c->taps);
    }
}

const float *gemm_stage_weights(lowering *l, const graph_node *n, const conv_shape *s, const gemm_panel *panels,
                                uint32_t panel_count, dsc_error *err) {
    uint32_t taps = s->window.kernel[0] * s->window.kernel[1];
    gemm_panels_source c = {graph_input(l->g, n, 1)->data, panels, panel_count, s->out_c, s->in_c, taps};
    const gemm_panel *last = &panels[panel_count - 1];
    char format[96];
    snprintf(format, sizeof format, "gemm %s %u %u %u", last->kernel->name, c.out_c, c.in_c, c.taps);
    weights_request request = {.source = c.w,
                               .source_bytes = sizeof(float) * c.out_c * c.in_c * c.taps,
                               .format = format,
                               .floats =
                                   last->weights + last->kernel->form->panel_floats(last->kernel->nr, c.in_c * c.taps),
                               .pack = gemm_panels_pack,
                               .context = &c};
    return lowering_weights(l, &request, err);
}

dsc_status gemm_panels_plan(lowering *l, dsc_isa tier, uint32_t out_c, uint32_t k, gemm_panels *out, dsc_error *err) {
    uint32_t *widths = lowering_alloc(l, out_c / 8 + 2, sizeof *widths, err);
    if (!widths) return err->status;
    *out = (gemm_panels){.count = gemm_split(tier, out_c, widths)};
    gemm_panel *panels = lowering_alloc(l, out->count, sizeof *panels, err);
    if (!panels) return err->status;
    for (uint32_t i = 0; i < out->count; i++) {
        panels[i] = (gemm_panel){gemm_find(tier, widths[i]), out->width, out->floats};
        out->width += widths[i];
        out->floats += (panels[i].kernel->form->panel_floats(widths[i], k) + 15) / 16 * 16;
    }
    out->list = panels;
    return DSC_OK;
}

static dsc_status plan_weights(lowering *l, const graph_node *n, const conv_shape *s, bool scales_weights,
                               gemm_stage *out, dsc_error *err) {
    gemm_panels panels;
    dsc_status status = gemm_panels_plan(l, tier_of(l, s, scales_weights), s->out_c, out->gemm.k, &panels, err);
    if (status != DSC_OK) return status;
    out->panels = panels.list;
    out->panel_count = panels.count;
    out->prepared_rows = plan_prepared_rows(out, panels.floats * sizeof(float));
    out->weights = gemm_stage_weights(l, n, s, panels.list, panels.count, err);
    out->bias = out->weights ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    return out->bias ? DSC_OK : err->status;
}

// ---- addresses --------------------------------------------------------------------------------------------------

const int32_t *gemm_pixel_offsets(lowering *l, const gemm_maps *maps, const pixel_grid *grid, dsc_error *err) {
    size_t pixels = (size_t)maps->images * maps->rows * grid->width, i = 0;
    int32_t *offsets = lowering_alloc(l, pixels, sizeof *offsets, err);
    if (!offsets) return NULL;
    for (uint32_t image = 0; image < maps->images; image++) {
        for (uint32_t y = 0; y < maps->rows; y++) {
            int64_t row = image * grid->image + y * grid->stride[0] * grid->map.row;
            for (uint32_t x = 0; x < grid->width; x++) {
                offsets[i++] = (int32_t)(row + (int64_t)x * grid->stride[1] * grid->map.lanes);
            }
        }
    }
    return offsets;
}

// Runs of channels that lie together: a panel of one tap; all columns of a kernel row where a pixel's channels are
// dense; everything where the map is one pixel without a border.
static dsc_status plan_segments(lowering *l, const conv_shape *s, const gemm_maps *maps, gemm_stage *out,
                                dsc_error *err) {
    const window *w = &s->window;
    uint32_t lanes = maps->in.lanes, panels = (s->in_c + lanes - 1) / lanes;
    bool is_vector = maps->in_is_vector && w->kernel[0] * w->kernel[1] == 1;
    bool is_row = panels == 1 && lanes == s->in_c && w->dilation[1] == 1;
    uint32_t columns = is_row ? 1 : w->kernel[1];
    if (is_vector) panels = 1;
    gemm_segment *segments = lowering_alloc(l, (size_t)w->kernel[0] * columns * panels, sizeof *segments, err);
    if (!segments) return err->status;
    uint32_t count = 0;
    for (uint32_t ky = 0; ky < w->kernel[0]; ky++) {
        for (uint32_t kx = 0; kx < columns; kx++) {
            for (uint32_t panel = 0; panel < panels; panel++) {
                uint32_t left = s->in_c - panel * lanes, run = left < lanes ? left : lanes;
                if (is_row) run = s->in_c * w->kernel[1];
                if (is_vector) run = s->in_c;
                int64_t offset = (int64_t)ky * w->dilation[0] * maps->in.row + (int64_t)kx * w->dilation[1] * lanes +
                                 panel * maps->in.panel;
                segments[count++] = (gemm_segment){(int32_t)offset, (int32_t)run};
            }
        }
    }
    out->gemm.segments = segments;
    out->gemm.segment_count = count;
    out->gemm.k = s->in_c * w->kernel[0] * w->kernel[1];
    return DSC_OK;
}

dsc_status gemm_stage_plan(lowering *l, const graph_node *n, const conv_shape *s, const gemm_maps *maps,
                           gemm_stage *out, dsc_error *err) {
    *out = (gemm_stage){.channels = (s->out_c + BUFFER_LANES - 1) / BUFFER_LANES * BUFFER_LANES,
                        .out_panel = maps->out.panel,
                        .residual_panel = maps->residual.panel};
    out->gemm.act = lowering_act(n);
    dsc_status status = plan_segments(l, s, maps, out, err);
    if (status == DSC_OK) status = plan_weights(l, n, s, maps->scales_weights, out, err);
    if (status != DSC_OK) return status;
    uint64_t pixels = (uint64_t)maps->images * maps->rows * s->out_w;
    if (out->prepared_rows > pixels) out->prepared_rows = (uint32_t)pixels;
    out->near_rows = (uint32_t)(cpu_l2_bytes() / NEAR_PART / (out->gemm.k * sizeof(float)));
    gemm_args *g = &out->gemm;
    const uint32_t *stride = s->window.stride;
    pixel_grid in = {maps->in, s->out_w, {stride[0], stride[1]}, maps->in_image};
    pixel_grid to = {maps->out, s->out_w, {1, 1}, maps->out_image};
    pixel_grid residual = {maps->residual, s->out_w, {1, 1}, maps->residual_image};
    g->run = s->out_w;
    if (!(g->a_offset = gemm_pixel_offsets(l, maps, &in, err))) return err->status;
    if (!(g->c_offset = gemm_pixel_offsets(l, maps, &to, err))) return err->status;
    if (maps->has_residual && !(g->r_offset = gemm_pixel_offsets(l, maps, &residual, err))) return err->status;
    lowering_in_order(l, out->weights, &out->next_weights);
    return DSC_OK;
}
