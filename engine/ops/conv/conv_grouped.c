// SPDX-License-Identifier: Apache-2.0
// Grouped convolutions that are neither depthwise nor ungrouped, depthwise ones with a channel multiplier among them:
// a matrix multiplication for each group, over the pixels of the whole map.
//
// A group's input channels may begin anywhere in a panel of the map: segments start at their lane. Its output channels
// are stored by the kernel where that can (whole panels, or a half one); else the kernel writes to scratch memory, and
// the group's channels are copied from there.
#include "engine/ops/conv/conv_stage.h"

#include <stdio.h>
#include <string.h>

#define BLOCK_ROWS 240u // pixels that a group takes at a time: whole tiles of every kernel

typedef struct segment_list {
    const gemm_segment *segments;
    uint32_t count;
} segment_list;

typedef struct conv_grouped {
    const buffer *in, *out;
    conv_shape s;
    gemm_args gemm;        // what all groups share; without segments
    segment_list *by_lane; // [in->lanes]: for groups whose first channel has that lane
    gemm_panels panels;    // of each group, whose packed weights lie behind those of the one before
    const float *weights, *bias;
    int64_t in_shift;
    uint32_t rows, blocks, tile_groups; // a tile is a block of rows and some groups
    uint32_t width;                     // of a row of scratch memory; 0: kernels store in place
    const int32_t *scratch_offset;      // [BLOCK_ROWS], where there is scratch memory
} conv_grouped;

// One weight panel of one group over rows m0 <= m < m1.
typedef struct grouped_call {
    uint32_t group, panel, m0, m1;
} grouped_call;

static uint32_t group_in(const conv_shape *s) {
    return s->in_c / s->groups;
}

static uint32_t group_out(const conv_shape *s) {
    return s->out_c / s->groups;
}

static int64_t channel_offset(const buffer *b, uint32_t channel) {
    return (int64_t)(channel / b->lanes) * b->panel + channel % b->lanes;
}

// ---- running ----------------------------------------------------------------------------------------------------

static void copy_channels(const conv_grouped *a, const grouped_call *c, const float *scratch, float *out) {
    uint32_t n0 = c->group * group_out(&a->s), count = group_out(&a->s);
    for (uint32_t i = 0; i < count; i++) {
        float *to = out + channel_offset(a->out, n0 + i);
        for (uint32_t m = c->m0; m < c->m1; m++) to[a->gemm.c_offset[m]] = scratch[(size_t)(m - c->m0) * a->width + i];
    }
}

static void run_panel(const conv_grouped *a, const grouped_call *c, char *block) {
    const gemm_panel *p = &a->panels.list[c->panel];
    uint32_t left = group_out(&a->s) - p->n0, nr = p->kernel->nr, real = left < nr ? left : nr;
    uint32_t first_in = c->group * group_in(&a->s), n0 = c->group * group_out(&a->s) + p->n0;
    const segment_list *segments = &a->by_lane[first_in % a->in->lanes];
    _Alignas(64) float bias[8 * GEMM_GROUPS_MAX] = {0}; // the next group's must not be read beyond the last one's
    memcpy(bias, a->bias + n0, real * sizeof *bias);
    gemm_args g = a->gemm;
    g.a = (const float *)buffer_data(a->in, block) + a->in_shift + channel_offset(a->in, first_in);
    g.segments = segments->segments;
    g.segment_count = segments->count;
    g.b = a->weights + c->group * a->panels.floats + p->weights;
    g.bias = bias;
    g.groups = a->width ? nr / 8 : (real + 7) / 8;
    g.c = a->width ? (float *)(void *)worker_scratch() + p->n0 : (float *)buffer_data(a->out, block);
    for (uint32_t i = 0; i < g.groups; i++) {
        g.c_group[i] = (int32_t)(a->width ? 8 * i : channel_offset(a->out, n0 + 8 * i));
    }
    if (!a->width) {
        p->kernel->run(&g, c->m0, c->m1);
        return;
    }
    g.a_offset += c->m0;
    g.c_offset = a->scratch_offset;
    p->kernel->run(&g, 0, c->m1 - c->m0);
}

// Borders of the panels in which these groups begin, and lanes beyond the last channel: finite numbers for whoever
// computes with whole panels.
static void clear_unused(const conv_grouped *a, char *block, const grouped_call *from, uint32_t end) {
    uint32_t lanes = a->out->lanes, count = group_out(&a->s), past = a->s.out_c % lanes;
    uint32_t p0 = (from->group * count + lanes - 1) / lanes, p1 = (end * count + lanes - 1) / lanes;
    for (uint32_t image = 0; from->m0 == 0 && image < a->out->n; image++) {
        for (uint32_t p = p0; p < p1; p++) buffer_clear_border(a->out, block, image, p);
    }
    if (end < a->s.groups || !past) return;
    float *spare = (float *)buffer_data(a->out, block) + channel_offset(a->out, a->s.out_c);
    for (uint32_t m = from->m0; m < from->m1; m++) {
        memset(spare + a->gemm.c_offset[m], 0, (lanes - past) * sizeof *spare);
    }
}

static void grouped_tile(const void *args, char *block, uint32_t tile) {
    const conv_grouped *a = args;
    uint32_t m0 = tile % a->blocks * BLOCK_ROWS, first = tile / a->blocks * a->tile_groups;
    uint32_t end = first + a->tile_groups < a->s.groups ? first + a->tile_groups : a->s.groups;
    grouped_call c = {first, 0, m0, m0 + BLOCK_ROWS < a->rows ? m0 + BLOCK_ROWS : a->rows};
    clear_unused(a, block, &c, end);
    for (; c.group < end; c.group++) {
        for (c.panel = 0; c.panel < a->panels.count; c.panel++) run_panel(a, &c, block);
        if (a->width) copy_channels(a, &c, (const float *)(void *)worker_scratch(), buffer_data(a->out, block));
    }
}

// ---- planning ---------------------------------------------------------------------------------------------------

typedef struct pack_context {
    const float *w; // [out_c][channels of a group][taps]
    const conv_grouped *a;
} pack_context;

static void pack_groups(float *packed, const void *context) {
    const pack_context *c = context;
    const conv_grouped *a = c->a;
    const uint32_t taps = a->s.window.kernel[0] * a->s.window.kernel[1];
    gemm_panels_source group = {c->w, a->panels.list, a->panels.count, group_out(&a->s), group_in(&a->s), taps};
    for (uint32_t i = 0; i < a->s.groups; i++, group.w += (size_t)group.out_c * a->gemm.k) {
        gemm_panels_pack(packed + i * a->panels.floats, &group);
    }
}

// Kernels that prepare inputs would do so for every group again.
static dsc_status plan_weights(lowering *l, const graph_node *n, conv_grouped *a, dsc_error *err) {
    dsc_status status = gemm_panels_plan(l, gemm_tier(l->isa, 0, 0), group_out(&a->s), a->gemm.k, &a->panels, err);
    if (status != DSC_OK) return status;
    if (group_out(&a->s) % BUFFER_LANES && group_out(&a->s) != 8) a->width = a->panels.width;
    const pack_context context = {graph_input(l->g, n, 1)->data, a};
    char format[96];
    snprintf(format, sizeof format, "grouped %s %u %u %u %u", a->panels.list[a->panels.count - 1].kernel->name,
             a->s.out_c, a->gemm.k, a->s.groups, group_in(&a->s));
    weights_request request = {.source = context.w,
                               .source_bytes = sizeof(float) * a->s.out_c * a->gemm.k,
                               .format = format,
                               .floats = a->s.groups * a->panels.floats,
                               .pack = pack_groups,
                               .context = &context};
    a->weights = lowering_weights(l, &request, err);
    a->bias = a->weights ? lowering_vector(l, graph_input(l->g, n, 2), a->s.out_c, err) : NULL;
    return a->bias ? DSC_OK : err->status;
}

// Runs of a group's channels that lie together, for each tap: the rest of the panel in which the group begins, then
// whole panels.
static dsc_status plan_segments(lowering *l, const conv_grouped *a, uint32_t lane, segment_list *out, dsc_error *err) {
    const window *w = &a->s.window;
    uint32_t lanes = a->in->lanes, panels = (lane + group_in(&a->s) - 1) / lanes + 1;
    gemm_segment *segments = lowering_alloc(l, (size_t)w->kernel[0] * w->kernel[1] * panels, sizeof *segments, err);
    if (!segments) return err->status;
    for (uint32_t tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++) {
        int64_t at = (int64_t)(tap / w->kernel[1]) * w->dilation[0] * a->in->row +
                     (int64_t)(tap % w->kernel[1]) * w->dilation[1] * lanes;
        for (uint32_t done = 0, start = lane, panel = 0; done < group_in(&a->s); start = 0, panel++) {
            uint32_t left = group_in(&a->s) - done, run = left < lanes - start ? left : lanes - start;
            int64_t offset = at + panel * a->in->panel - (panel ? lane : 0);
            segments[out->count++] = (gemm_segment){(int32_t)offset, (int32_t)run};
            done += run;
        }
    }
    out->segments = segments;
    return DSC_OK;
}

static dsc_status plan_addresses(lowering *l, conv_grouped *a, dsc_error *err) {
    const uint32_t *stride = a->s.window.stride;
    gemm_maps maps = {.images = a->s.n, .rows = a->s.out_h};
    pixel_grid in = {map_strides_of(a->in), a->s.out_w, {stride[0], stride[1]}, a->in->image};
    pixel_grid out = {map_strides_of(a->out), a->s.out_w, {1, 1}, a->out->image};
    if (!(a->gemm.a_offset = gemm_pixel_offsets(l, &maps, &in, err))) return err->status;
    if (!(a->gemm.c_offset = gemm_pixel_offsets(l, &maps, &out, err))) return err->status;
    if (!(a->by_lane = lowering_alloc(l, a->in->lanes, sizeof *a->by_lane, err))) return err->status;
    for (uint32_t i = 0; i < a->s.groups; i++) {
        uint32_t lane = i * group_in(&a->s) % a->in->lanes;
        if (a->by_lane[lane].count) continue;
        dsc_status status = plan_segments(l, a, lane, &a->by_lane[lane], err);
        if (status != DSC_OK) return status;
    }
    if (!a->width) return DSC_OK;
    int32_t *rows = lowering_alloc(l, BLOCK_ROWS, sizeof *rows, err);
    for (uint32_t i = 0; rows && i < BLOCK_ROWS; i++) rows[i] = (int32_t)(i * a->width);
    a->scratch_offset = rows;
    return rows ? DSC_OK : err->status;
}

dsc_status conv_lower_grouped(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_panels_any(l, n->inputs[0], err);
    if (!in) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    conv_grouped *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    *a = (conv_grouped){.in = in, .out = out, .s = *s, .rows = s->n * s->out_h * s->out_w};
    a->gemm.k = group_in(s) * s->window.kernel[0] * s->window.kernel[1];
    a->gemm.act = lowering_act(n);
    a->in_shift = -(int64_t)s->pads.pad_top * in->row - (int64_t)s->pads.pad_left * in->lanes;
    dsc_status status = plan_weights(l, n, a, err);
    if (status == DSC_OK) status = plan_addresses(l, a, err);
    if (status != DSC_OK) return status;
    a->blocks = (a->rows - 1) / BLOCK_ROWS + 1;
    uint64_t macs = (uint64_t)BLOCK_ROWS * a->panels.floats;
    a->tile_groups = macs < CONV_UNIT_MACS ? (uint32_t)(CONV_UNIT_MACS / macs) : 1;
    lowering_step_args made = {.run = grouped_tile,
                               .args = a,
                               .tiles = a->blocks * ((s->groups - 1) / a->tile_groups + 1),
                               .kernel = a->panels.list[0].kernel->name,
                               .uses = {in, out},
                               .scratch_bytes = (size_t)BLOCK_ROWS * a->width * sizeof(float)};
    return lowering_step(l, &made, err);
}
