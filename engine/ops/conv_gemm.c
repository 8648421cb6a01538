// SPDX-License-Identifier: Apache-2.0
// Ungrouped convolution as a matrix multiplication over pixels. Taps become segments of the sum: no copy of the input
// is made (see kernels/gemm.h).
#include "engine/base/cpu.h"
#include "engine/kernels/dense.h"
#include "engine/kernels/gemm.h"
#include "engine/ops/conv.h"

#include <stdio.h>
#include <string.h>

#define BLOCKS_IN_L2 3            // a block of input takes a third of L2 and stays there while the weights stream past
#define UNITS_MIN    16u          // pieces of work for the threads, where there is enough to share
#define UNIT_MACS    (256u << 10) // and none smaller than some 5 microseconds

typedef struct panel_plan {
    const gemm_kernel *kernel;
    uint32_t n0;
    size_t weights; // floats into the packed block
} panel_plan;

typedef struct conv_gemm {
    const buffer *in, *out, *residual;
    gemm_args gemm; // what all panels share
    int64_t in_shift;
    const panel_plan *panels;
    const float *weights, *bias;
    uint32_t rows, block_rows, blocks;
    uint32_t panel_count, group_panels; // a tile is one block of rows and one group of weight panels
} conv_gemm;

static void set_groups(int32_t *groups, const buffer *b, uint32_t n0, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t channel = n0 + 8 * i;
        groups[i] = (int32_t)((int64_t)(channel / BUFFER_LANES) * b->panel + channel % BUFFER_LANES);
    }
}

static void clear_borders(const conv_gemm *a, char *block, const panel_plan *p) {
    uint32_t end = (p->n0 + p->kernel->nr + BUFFER_LANES - 1) / BUFFER_LANES, all = buffer_panels(a->out);
    for (uint32_t image = 0; image < a->out->n; image++) {
        for (uint32_t i = p->n0 / BUFFER_LANES; i < end && i < all; i++) {
            buffer_clear_border(a->out, block, image, i);
        }
    }
}

static void gemm_tile(const void *args, char *block, uint32_t tile) {
    const conv_gemm *a = args;
    uint32_t row_block = tile % a->blocks, first = tile / a->blocks * a->group_panels;
    uint32_t last = first + a->group_panels < a->panel_count ? first + a->group_panels : a->panel_count;
    uint32_t m0 = row_block * a->block_rows, m1 = m0 + a->block_rows < a->rows ? m0 + a->block_rows : a->rows;
    uint32_t channels = buffer_panels(a->out) * BUFFER_LANES;
    gemm_args g = a->gemm;
    g.a = (const float *)buffer_data(a->in, block) + a->in_shift;
    g.c = buffer_data(a->out, block);
    g.r = a->residual ? buffer_data(a->residual, block) : NULL;
    for (uint32_t i = first; i < last; i++) {
        const panel_plan *p = &a->panels[i];
        uint32_t groups = p->kernel->nr / 8, room = (channels - p->n0) / 8;
        g.groups = groups < room ? groups : room;
        g.b = a->weights + p->weights;
        g.bias = a->bias + p->n0;
        g.next_b = i + 1 < a->panel_count ? a->weights + a->panels[i + 1].weights : NULL;
        set_groups(g.c_group, a->out, p->n0, g.groups);
        if (a->residual) set_groups(g.r_group, a->residual, p->n0, g.groups);
        if (row_block == 0) clear_borders(a, block, p);
        p->kernel->run(&g, m0, m1);
    }
}

// ---- weights ----------------------------------------------------------------------------------------------------

typedef struct pack_context {
    const float *w; // [out_c][in_c][taps]
    const panel_plan *panels;
    uint32_t panel_count, out_c, in_c, taps;
} pack_context;

// Packed in the order of the sum: taps, then channels.
static void pack_panels(float *packed, const void *context) {
    const pack_context *c = context;
    for (uint32_t i = 0; i < c->panel_count; i++) {
        const panel_plan *p = &c->panels[i];
        uint32_t nr = p->kernel->nr, real = c->out_c - p->n0 < nr ? c->out_c - p->n0 : nr;
        for (uint32_t tap = 0; tap < c->taps; tap++) {
            gemm_pack(packed + p->weights + (size_t)tap * c->in_c * nr, c->w + tap, c->in_c, c->taps, p->n0, real, nr,
                      (int64_t)c->in_c * c->taps);
        }
    }
}

static const float *get_weights(lowering *l, const graph_node *n, const pack_context *c, size_t floats,
                                dsc_error *err) {
    const graph_value *w = graph_input(l->g, n, 1);
    char format[96];
    snprintf(format, sizeof format, "gemm %s %u %u %u", c->panels[c->panel_count - 1].kernel->name, c->out_c, c->in_c,
             c->taps);
    weights_request request = {.source = w->data,
                               .source_bytes = sizeof(float) * c->out_c * c->in_c * c->taps,
                               .format = format,
                               .floats = floats,
                               .pack = pack_panels,
                               .context = c};
    return lowering_weights(l, &request, err);
}

static dsc_status plan_weights(lowering *l, const graph_node *n, const conv_shape *s, conv_gemm *a, dsc_error *err) {
    uint32_t *widths = lowering_alloc(l, s->out_c / 8 + 2, sizeof *widths, err);
    if (!widths) return err->status;
    a->panel_count = gemm_split(l->isa, s->out_c, widths);
    panel_plan *panels = lowering_alloc(l, a->panel_count, sizeof *panels, err);
    if (!panels) return err->status;
    uint32_t n0 = 0;
    size_t floats = 0;
    for (uint32_t i = 0; i < a->panel_count; i++) {
        panels[i] = (panel_plan){gemm_find(l->isa, widths[i]), n0, floats};
        n0 += widths[i];
        floats += ((size_t)widths[i] * a->gemm.k + 15) / 16 * 16;
    }
    a->panels = panels;
    pack_context c = {graph_input(l->g, n, 1)->data,
                      panels,
                      a->panel_count,
                      s->out_c,
                      s->in_c,
                      s->window.kernel[0] * s->window.kernel[1]};
    a->weights = get_weights(l, n, &c, floats, err);
    a->bias = a->weights ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    return a->bias ? DSC_OK : err->status;
}

// ---- addresses --------------------------------------------------------------------------------------------------

// Where each output pixel starts in a map that is read or written with a stride.
static const int32_t *pixel_offsets(lowering *l, const buffer *b, const conv_shape *s, const uint32_t stride[2],
                                    dsc_error *err) {
    int32_t *offsets = lowering_alloc(l, (size_t)s->n * s->out_h * s->out_w, sizeof *offsets, err);
    if (!offsets) return NULL;
    size_t i = 0;
    for (uint32_t image = 0; image < s->n; image++) {
        for (uint32_t y = 0; y < s->out_h; y++) {
            for (uint32_t x = 0; x < s->out_w; x++) {
                offsets[i++] = (int32_t)(image * b->image + y * stride[0] * b->row + (int64_t)x * stride[1] * b->lanes);
            }
        }
    }
    return offsets;
}

// Runs of channels that lie together: a panel of one tap; all columns of a kernel row where a pixel's channels are
// dense; everything where the map is one pixel without a border.
static dsc_status plan_segments(lowering *l, const conv_shape *s, conv_gemm *a, dsc_error *err) {
    const buffer *in = a->in;
    const window *w = &s->window;
    uint32_t panels = buffer_panels(in);
    bool is_vector = in->panel == in->lanes && w->kernel[0] * w->kernel[1] == 1;
    bool is_row = panels == 1 && in->lanes == in->c && w->dilation[1] == 1;
    uint32_t columns = is_row ? 1 : w->kernel[1];
    if (is_vector) panels = 1;
    gemm_segment *segments = lowering_alloc(l, (size_t)w->kernel[0] * columns * panels, sizeof *segments, err);
    if (!segments) return err->status;
    uint32_t count = 0;
    for (uint32_t ky = 0; ky < w->kernel[0]; ky++) {
        for (uint32_t kx = 0; kx < columns; kx++) {
            for (uint32_t panel = 0; panel < panels; panel++) {
                uint32_t left = in->c - panel * in->lanes, run = left < in->lanes ? left : in->lanes;
                if (is_row) run = in->c * w->kernel[1];
                if (is_vector) run = in->c;
                int64_t offset = (int64_t)ky * w->dilation[0] * in->row + (int64_t)kx * w->dilation[1] * in->lanes +
                                 panel * in->panel;
                segments[count++] = (gemm_segment){(int32_t)offset, (int32_t)run};
            }
        }
    }
    a->gemm.segments = segments;
    a->gemm.segment_count = count;
    a->gemm.k = s->in_c * w->kernel[0] * w->kernel[1];
    return DSC_OK;
}

static void plan_tiles(const conv_shape *s, conv_gemm *a) {
    uint32_t mr = a->panels[0].kernel->mr;
    uint64_t k = a->gemm.k;
    a->rows = s->n * s->out_h * s->out_w;
    uint64_t fitting = cpu_l2_bytes() / BLOCKS_IN_L2 / (k * sizeof(float)) / mr * mr;
    if (fitting < mr) fitting = mr;
    uint64_t blocks = (a->rows + fitting - 1) / fitting;
    uint64_t macs = a->rows * k * s->out_c, units = macs / UNIT_MACS + 1;
    if (units > UNITS_MIN) units = UNITS_MIN;
    uint64_t groups = blocks >= units ? 1 : (units + blocks - 1) / blocks;
    if (groups > a->panel_count) groups = a->panel_count;
    if (blocks * groups < units) blocks = (units + groups - 1) / groups;
    uint64_t block_rows = (a->rows + blocks - 1) / blocks;
    a->block_rows = (uint32_t)((block_rows + mr - 1) / mr * mr);
    a->blocks = (a->rows + a->block_rows - 1) / a->block_rows;
    a->group_panels = (uint32_t)((a->panel_count + groups - 1) / groups);
}

// ---- one pixel: a dense layer -------------------------------------------------------------------------------------

typedef struct conv_dense {
    const buffer *in, *out, *residual;
    dense_args dense;
    const dense_kernel *kernel;
    uint32_t panels, tile_panels;
} conv_dense;

static void dense_tile(const void *args, char *block, uint32_t tile) {
    const conv_dense *a = args;
    dense_args d = a->dense;
    d.x = buffer_data(a->in, block);
    d.y = buffer_data(a->out, block);
    d.r = a->residual ? buffer_data(a->residual, block) : NULL;
    uint32_t p0 = tile * a->tile_panels, p1 = p0 + a->tile_panels;
    a->kernel->run(&d, p0, p1 < a->panels ? p1 : a->panels);
}

static dsc_status lower_dense(lowering *l, const graph_node *n, const conv_shape *s, const conv_gemm *g,
                              dsc_error *err) {
    conv_dense *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!a) return err->status;
    a->in = g->in, a->out = g->out, a->residual = g->residual;
    a->kernel = dense_find(l->isa);
    a->panels = (s->out_c + a->kernel->nr - 1) / a->kernel->nr;
    a->tile_panels = a->panels;
    uint64_t macs = (uint64_t)s->in_c * s->out_c;
    if (macs > 2 * (uint64_t)UNIT_MACS) a->tile_panels = (uint32_t)(a->panels * (uint64_t)UNIT_MACS / macs) + 1;
    panel_plan *panels = lowering_alloc(l, a->panels, sizeof *panels, err);
    gemm_kernel *as_gemm = lowering_alloc(l, 1, sizeof *as_gemm, err); // packing asks for name and nr only
    if (!panels || !as_gemm) return err->status;
    *as_gemm = (gemm_kernel){.name = a->kernel->name, .nr = a->kernel->nr};
    size_t panel_floats = (size_t)s->in_c * a->kernel->nr;
    for (uint32_t i = 0; i < a->panels; i++) panels[i] = (panel_plan){as_gemm, i * a->kernel->nr, i * panel_floats};
    pack_context c = {graph_input(l->g, n, 1)->data, panels, a->panels, s->out_c, s->in_c, 1};
    a->dense.k = s->in_c;
    a->dense.act = lowering_act(n);
    a->dense.b = get_weights(l, n, &c, panel_floats * a->panels, err);
    a->dense.bias = a->dense.b ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    if (!a->dense.bias) return err->status;
    lowering_step_args made = {dense_tile,
                               a,
                               (a->panels + a->tile_panels - 1) / a->tile_panels,
                               a->kernel->name,
                               {(buffer *)g->in, (buffer *)g->out, (buffer *)g->residual}};
    return lowering_step(l, &made, err);
}

dsc_status conv_lower_gemm(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    static const uint32_t dense_stride[2] = {1, 1};
    buffer *in = lowering_panels_any(l, n->inputs[0], err), *residual = NULL;
    if (!in) return err->status;
    if (n->residual != GRAPH_NONE && !(residual = lowering_panels(l, n->residual, err))) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    conv_gemm *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    a->in = in, a->out = out, a->residual = residual;
    a->gemm.act = lowering_act(n);
    bool is_one_pixel = s->window.kernel[0] * s->window.kernel[1] == 1 && s->n == 1 && buffer_is_flat_vector(in) &&
                        buffer_is_flat_vector(out) && (!residual || buffer_is_flat_vector(residual));
    if (is_one_pixel) return lower_dense(l, n, s, a, err);
    a->in_shift = -(int64_t)s->pads.pad_top * in->row - (int64_t)s->pads.pad_left * in->lanes;
    dsc_status status = plan_segments(l, s, a, err);
    if (status == DSC_OK) status = plan_weights(l, n, s, a, err);
    if (status != DSC_OK) return status;
    plan_tiles(s, a);
    a->gemm.a_offset = pixel_offsets(l, in, s, s->window.stride, err);
    a->gemm.c_offset = pixel_offsets(l, out, s, dense_stride, err);
    if (!a->gemm.a_offset || !a->gemm.c_offset) return err->status;
    if (residual && !(a->gemm.r_offset = pixel_offsets(l, residual, s, dense_stride, err))) return err->status;
    uint32_t groups = (a->panel_count + a->group_panels - 1) / a->group_panels;
    lowering_step_args made = {gemm_tile, a, a->blocks * groups, a->panels[0].kernel->name, {in, out, residual}};
    return lowering_step(l, &made, err);
}
