// SPDX-License-Identifier: Apache-2.0
// By rows, a tile of a chain is a band of rows of one image. It goes through its band in chunks of a few rows: the
// expanding convolution writes the rows that the chunk's windows want into a ring of rows in scratch memory, with the
// zero border that the depthwise stage expects; this writes its rows into scratch, too, and the projection reads them
// there. Rows that the next chunk wants again stay in the ring. By panels, a tile is a group of weight panels of the
// expansion: each goes through the first two members, whole maps at a time, with a ring of its own few channels; where
// the panels cannot be shared out evenly, two groups share one, each some rows of it. Every
// output is summed as it is by steps of whole layers, so its bits are the same.
#include "engine/ops/conv/conv_chain.h"

#include "engine/base/cpu.h"
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv_stage.h"
#include "engine/ops/conv/conv_stem.h"

#include <string.h>

#define RING_PANELS_MAX (GEMM_GROUPS_MAX * 8 / BUFFER_LANES) // of one weight panel

typedef struct chain {
    const buffer *in, *out, *residual, *sums;
    bool has_expand, has_project;
    bool has_stem; // the expansion is by `stem`, not by `expand`
    bool is_far;   // without an expansion: the input's map does not stay in L2
    conv_shape expand_shape, depthwise_shape;
    gemm_stage expand, project;
    stem_stage stem;
    uint32_t weight_panels; // of the expansion
    depthwise_stage depthwise;
    map_strides ring, between; // scratch: after the expansion; before the projection
    uint32_t ring_rows, ring_panels;
    uint32_t turn_panels; // panels of the map that go through the first two members at a time, or one weight panel
    size_t between_offset, prepared_offset, relu_offset; // bytes into the scratch
    uint32_t bands, chunk_rows;
    uint32_t groups; // by panels: of weight panels; else 0
} chain;

// A tile on its way through its band. Rows of the depthwise stage's input are counted from the map's first row, so the
// border's are negative or beyond the last.
typedef struct chain_state {
    const chain *a;
    char *block;
    float *ring, *between;
    char *prepared; // inputs of the gemm stage that runs
    float *relu;    // scratch of the depthwise stage
    uint32_t image;
    uint32_t p0, p1;              // weight panels of the expansion
    uint32_t base;                // the ring's first panel is this one of the map
    int64_t ring_first, ring_end; // rows that are in the ring
} chain_state;

static uint32_t panels_before(const chain *a, uint32_t weight_panel) {
    if (weight_panel == a->weight_panels) return (a->depthwise_shape.in_c - 1) / BUFFER_LANES + 1;
    if (a->has_stem) return weight_panel;
    return a->expand.panels[weight_panel].n0 / BUFFER_LANES;
}

// ---- the ring -----------------------------------------------------------------------------------------------------

static void clear_columns(const chain_state *s) {
    const chain *a = s->a;
    const window_resolved *pads = &a->depthwise_shape.pads;
    size_t left = (size_t)pads->pad_left * BUFFER_LANES, right = (size_t)pads->pad_right * BUFFER_LANES;
    for (uint32_t panel = 0; panel < a->ring_panels; panel++) {
        float *row = s->ring + panel * a->ring.panel;
        for (uint32_t y = 0; y < a->ring_rows; y++, row += a->ring.row) {
            memset(row, 0, left * sizeof *row);
            memset(row + a->ring.row - right, 0, right * sizeof *row);
        }
    }
}

// Makes room up to row `end`, forgetting rows before `first`.
static void make_room(chain_state *s, int64_t first, int64_t end) {
    const chain *a = s->a;
    if (end - s->ring_first <= a->ring_rows) return;
    if (first > s->ring_end) first = s->ring_end;
    for (uint32_t panel = 0; panel < a->ring_panels; panel++) {
        float *start = s->ring + panel * a->ring.panel;
        memmove(start, start + (first - s->ring_first) * a->ring.row,
                (size_t)((s->ring_end - first) * a->ring.row) * sizeof *start);
    }
    s->ring_first = first;
}

// Rows of the border.
static void clear_rows(const chain_state *s, int64_t from, int64_t to) {
    const chain *a = s->a;
    if (from >= to) return;
    for (uint32_t panel = 0; panel < a->ring_panels; panel++) {
        float *row = s->ring + panel * a->ring.panel + (from - s->ring_first) * a->ring.row;
        memset(row, 0, (size_t)((to - from) * a->ring.row) * sizeof *row);
    }
}

// Rows of the expansion's output.
typedef struct ring_rows {
    int64_t from, to;
    float *out; // where pixel (from, 0) of the ring's first panel goes
} ring_rows;

// What the expansion is to write so that rows up to `end` are there.
static ring_rows rows_to_expand(chain_state *s, int64_t end) {
    const chain *a = s->a;
    int64_t height = a->expand_shape.out_h, from = s->ring_end > 0 ? s->ring_end : 0, to = end < height ? end : height;
    if (to < from) to = from;
    clear_rows(s, s->ring_end, end < 0 ? end : 0);
    clear_rows(s, s->ring_end > height ? s->ring_end : height, end);
    s->ring_end = end;
    float *out = s->ring + (from - s->ring_first) * a->ring.row;
    return (ring_rows){from, to, out + (size_t)a->depthwise_shape.pads.pad_left * BUFFER_LANES};
}

static gemm_rows expand_rows(const chain_state *s, const ring_rows *r) {
    const chain *a = s->a;
    const conv_shape *e = &a->expand_shape;
    const float *in = buffer_panel(a->in, s->block, s->image, 0);
    in += (r->from * e->window.stride[0] - e->pads.pad_top) * a->in->row - (int64_t)e->pads.pad_left * a->in->lanes;
    return (gemm_rows){.in = in, .out = r->out, .m1 = (uint32_t)(r->to - r->from) * e->out_w, .prepared = s->prepared};
}

// Weight panels p0 <= p < p1, which begin with the map's panel s->base.
static void run_stem(const chain_state *s, const ring_rows *r, uint32_t p0, uint32_t p1) {
    const chain *a = s->a;
    stem_rows rows = {.in = buffer_data(a->in, s->block),
                      .out = r->out + (p0 - s->base) * a->ring.panel,
                      .out_row = a->ring.row,
                      .out_panel = a->ring.panel,
                      .image = s->image,
                      .y0 = (uint32_t)r->from,
                      .y1 = (uint32_t)r->to,
                      .p0 = p0,
                      .p1 = p1};
    stem_stage_run(&a->stem, &rows);
}

// ---- a chunk ------------------------------------------------------------------------------------------------------

// The depthwise stage of `rows` output rows from `y` on, panels p0 <= p < p1.
static void run_depthwise(const chain_state *s, uint32_t y, uint32_t rows, uint32_t p0, uint32_t p1) {
    const chain *a = s->a;
    const conv_shape *d = &a->depthwise_shape;
    int64_t top = (int64_t)y * d->window.stride[0] - d->pads.pad_top;
    for (uint32_t p = p0; p < p1; p++) {
        uint32_t map = s->image * buffer_panels(a->out) + p;
        depthwise_rows r = {.panel = p, .rows = rows, .scratch = s->relu};
        r.sums = depthwise_sums(a->sums, s->block, a->out, map, y);
        if (a->has_expand) {
            r.in = s->ring + (p - s->base) * a->ring.panel + (top - s->ring_first) * a->ring.row;
        } else {
            r.in = buffer_panel(a->in, s->block, s->image, p) + top * a->in->row -
                   (int64_t)d->pads.pad_left * a->in->lanes;
            if (a->is_far && p + 1 < p1) r.next = r.in + a->in->panel;
        }
        r.out = a->has_project ? s->between + p * a->between.panel
                               : buffer_panel(a->out, s->block, s->image, p) + (int64_t)y * a->out->row;
        depthwise_stage_run(&a->depthwise, &r);
    }
}

// A few weight panels after the other go through both stages, so that what the first writes is near when the second
// reads it: one, but for stages that copy their inputs. Their tiles read many times as much from the second cache
// and go on slowly after each turn of the depthwise stage.
static uint32_t end_of_turn(const chain_state *s, uint32_t first) {
    uint32_t end = first + 1, base = panels_before(s->a, first);
    while (end < s->p1 && panels_before(s->a, end + 1) - base <= s->a->turn_panels) end++;
    return end;
}

static uint64_t expand_and_filter(chain_state *s, uint32_t y, uint32_t rows, uint64_t time) {
    const chain *a = s->a;
    const conv_shape *d = &a->depthwise_shape;
    int64_t top = (int64_t)y * d->window.stride[0] - d->pads.pad_top;
    int64_t end = top + (int64_t)(rows - 1) * d->window.stride[0] +
                  (int64_t)(d->window.kernel[0] - 1) * d->window.dilation[0] + 1;
    make_room(s, top, end);
    ring_rows ring = rows_to_expand(s, end);
    gemm_rows r = {0};
    if (!a->has_stem) {
        r = expand_rows(s, &ring);
        gemm_stage_prepare(&a->expand, &r);
    }
    for (r.p0 = s->p0; r.p0 < s->p1; r.p0 = r.p1) {
        r.p1 = end_of_turn(s, r.p0);
        if (a->groups) s->base = panels_before(a, r.p0);
        r.first_channel = s->base * BUFFER_LANES;
        if (a->has_stem) {
            run_stem(s, &ring, r.p0, r.p1);
        } else if (r.m1) {
            gemm_stage_run(&a->expand, &r);
        }
        time = worker_stage(0, time);
        run_depthwise(s, y, rows, panels_before(a, r.p0), panels_before(a, r.p1));
        time = worker_stage(1, time);
    }
    return time;
}

static uint64_t project(const chain_state *s, uint32_t y, uint32_t rows, uint64_t time) {
    const chain *a = s->a;
    gemm_rows r = {.in = s->between,
                   .out = buffer_panel(a->out, s->block, s->image, 0) + (int64_t)y * a->out->row,
                   .m1 = rows * a->out->w,
                   .p1 = a->project.panel_count,
                   .prepared = s->prepared};
    if (a->residual) r.residual = buffer_panel(a->residual, s->block, s->image, 0) + (int64_t)y * a->residual->row;
    gemm_stage_run_blocks(&a->project, &r);
    return worker_stage(a->has_expand ? 2 : 1, time);
}

static void run_rows(chain_state *s, uint32_t y, uint32_t end) {
    const chain *a = s->a;
    uint64_t time = worker_now();
    s->ring_first = s->ring_end = (int64_t)y * a->depthwise_shape.window.stride[0] - a->depthwise_shape.pads.pad_top;
    uint32_t chunks = (end - y - 1) / a->chunk_rows + 1; // about alike, so that there is no thin rest
    for (uint32_t rows; y < end; y += rows, chunks--) {
        rows = (end - y) / chunks;
        if (a->has_expand) {
            time = expand_and_filter(s, y, rows, time);
        } else {
            run_depthwise(s, y, rows, 0, buffer_panels(a->in));
            time = worker_stage(0, time);
        }
        if (a->has_project) time = project(s, y, rows, time);
    }
}

static chain_state begin(const chain *a, char *block, uint32_t image) {
    char *scratch = worker_scratch();
    chain_state s = {.a = a,
                     .block = block,
                     .ring = (float *)(void *)scratch,
                     .between = (float *)(void *)(scratch + a->between_offset),
                     .prepared = scratch + a->prepared_offset,
                     .relu = (float *)(void *)(scratch + a->relu_offset),
                     .image = image,
                     .p1 = a->weight_panels};
    if (a->has_expand) clear_columns(&s);
    return s;
}

static void band_tile(const void *args, char *block, uint32_t tile) {
    const chain *a = args;
    uint32_t band = tile % a->bands;
    uint32_t y = (uint32_t)((uint64_t)a->out->h * band / a->bands);
    uint32_t end = (uint32_t)((uint64_t)a->out->h * (band + 1) / a->bands);
    chain_state s = begin(a, block, tile / a->bands);
    for (uint32_t p = 0; band == 0 && p < buffer_panels(a->out); p++) buffer_clear_border(a->out, block, s.image, p);
    run_rows(&s, y, end);
}

// A place in the work of a chain by panels: all rows of a weight panel, then those of the next.
typedef struct chain_place {
    uint32_t panel, row;
} chain_place;

// Where group `group` begins, so that all have as many channels times rows. Without a cut where it would leave less of
// a panel than what its rows cost more than once, for the windows of those beside them.
static chain_place begin_of_group(const chain *a, uint32_t group) {
    uint32_t height = a->out->h, panel = 0, reach = a->depthwise_shape.window.kernel[0] - 1;
    uint64_t at = (uint64_t)panels_before(a, a->weight_panels) * height * group / a->groups;
    while (panel < a->weight_panels && (uint64_t)panels_before(a, panel + 1) * height <= at) panel++;
    if (panel == a->weight_panels) return (chain_place){panel, 0};
    uint64_t first = panels_before(a, panel), width = panels_before(a, panel + 1) - first;
    uint32_t row = (uint32_t)((at - first * height + width / 2) / width), least = reach / 2 + 1;
    if (row < least) return (chain_place){panel, 0};
    if (row + least > height) return (chain_place){panel + 1, 0};
    return (chain_place){panel, row};
}

// Rows y <= row < end of weight panels p0 <= p < p1.
static void run_panels(chain_state *s, uint32_t p0, uint32_t p1, uint32_t y, uint32_t end) {
    const chain *a = s->a;
    if (p0 == p1 || y == end) return;
    for (uint32_t p = panels_before(a, p0); y == 0 && p < panels_before(a, p1); p++) {
        buffer_clear_border(a->out, s->block, s->image, p);
    }
    s->p0 = p0;
    s->p1 = p1;
    run_rows(s, y, end);
}

static void group_tile(const void *args, char *block, uint32_t tile) {
    const chain *a = args;
    uint32_t group = tile % a->groups, height = a->out->h;
    chain_state s = begin(a, block, tile / a->groups);
    chain_place from = begin_of_group(a, group), to = begin_of_group(a, group + 1);
    if (from.panel == to.panel) {
        run_panels(&s, from.panel, from.panel + 1, from.row, to.row);
        return;
    }
    uint32_t whole = from.row ? from.panel + 1 : from.panel;
    if (from.row) run_panels(&s, from.panel, whole, from.row, height);
    run_panels(&s, whole, to.panel, 0, height);
    if (to.row) run_panels(&s, to.panel, to.panel + 1, 0, to.row);
}

// ---- planning -----------------------------------------------------------------------------------------------------

#define TURN_PART 16 // of L2, that the rows of a turn's panels in the ring may take

static dsc_status plan_ring(const lowering *l, chain *a, size_t *bytes, dsc_error *err) {
    const conv_shape *d = &a->depthwise_shape;
    uint64_t width = (uint64_t)d->in_w + d->pads.pad_left + d->pads.pad_right;
    uint64_t reach = (uint64_t)(d->window.kernel[0] - 1) * d->window.dilation[0] + 1;
    uint64_t rows = (uint64_t)a->chunk_rows * CONV_CHAIN_RING_CHUNKS * d->window.stride[0] + reach;
    uint64_t all = (uint64_t)d->in_h + d->pads.pad_top + d->pads.pad_bottom;
    if (rows > all) rows = all;
    a->ring_rows = (uint32_t)rows;
    a->ring_panels = (d->in_c + BUFFER_LANES - 1) / BUFFER_LANES;
    size_t panel;
    if (!mem_mul((size_t)(width * BUFFER_LANES), (size_t)rows, &panel)) return error_no_memory(err, SIZE_MAX);
    if (!a->has_stem && gemm_stage_copies_inputs(l, &a->expand_shape)) {
        a->turn_panels = (uint32_t)(cpu_l2_bytes() / TURN_PART / sizeof(float) / panel);
    }
    uint32_t most = a->turn_panels < RING_PANELS_MAX ? RING_PANELS_MAX : a->turn_panels;
    if (a->groups && a->ring_panels > most) a->ring_panels = most;
    if (a->has_stem) a->turn_panels = a->ring_panels; // each window of the picture is for all of them
    if (!mem_mul(panel, a->ring_panels, bytes) || *bytes > INT32_MAX) return error_no_memory(err, SIZE_MAX);
    a->ring = (map_strides){(int64_t)(width * BUFFER_LANES), (int64_t)panel, BUFFER_LANES};
    *bytes = mem_round_up((*bytes + BUFFER_SLACK) * sizeof(float));
    return DSC_OK;
}

static dsc_status plan_expand(lowering *l, const conv_chain *c, chain *a, dsc_error *err) {
    if (!c->expand) return DSC_OK;
    if (a->has_stem) {
        a->weight_panels = (a->expand_shape.out_c - 1) / STEM_LANES + 1;
        return stem_stage_plan(l, c->expand, &a->expand_shape, &a->stem, err);
    }
    gemm_maps maps = {.images = 1, .rows = a->ring_rows, .in = map_strides_of(a->in), .out = a->ring};
    if (maps.rows > a->expand_shape.out_h) maps.rows = a->expand_shape.out_h;
    dsc_status status = gemm_stage_plan(l, c->expand, &a->expand_shape, &maps, &a->expand, err);
    a->weight_panels = a->expand.panel_count;
    return status;
}

static dsc_status plan_project(lowering *l, const conv_chain *c, const conv_shape *shape, chain *a, dsc_error *err) {
    gemm_maps maps = {.images = 1, .rows = a->chunk_rows, .in = a->between, .out = map_strides_of(a->out)};
    maps.has_residual = a->residual != NULL;
    if (a->residual) maps.residual = map_strides_of(a->residual);
    return gemm_stage_plan(l, c->project, shape, &maps, &a->project, err);
}

static void plan_between(chain *a, size_t *bytes) {
    const conv_shape *d = &a->depthwise_shape;
    int64_t row = (int64_t)d->out_w * BUFFER_LANES;
    a->between = (map_strides){row, row * a->chunk_rows, BUFFER_LANES};
    a->between_offset = *bytes;
    size_t panels = (d->out_c + BUFFER_LANES - 1) / BUFFER_LANES;
    *bytes += mem_round_up((panels * (size_t)a->between.panel + BUFFER_SLACK) * sizeof(float));
}

// The two multiplications take turns with one stretch of scratch.
static void plan_prepared(chain *a, size_t *bytes) {
    size_t expand = 0, project = 0;
    if (a->has_expand && !a->has_stem)
        expand = gemm_stage_prepared_bytes(&a->expand, (uint64_t)a->ring_rows * a->expand_shape.out_w);
    if (a->has_project) project = gemm_stage_block_bytes(&a->project);
    a->prepared_offset = *bytes;
    *bytes += expand > project ? expand : project;
}

static dsc_status add_step(lowering *l, const conv_chain *c, const chain *a, size_t scratch, dsc_error *err) {
    lowering_part parts[3];
    uint32_t count = 0;
    if (c->expand) {
        parts[count++] =
            (lowering_part){c->expand, a->has_stem ? a->stem.kernel->name : a->expand.panels[0].kernel->name};
    }
    parts[count++] = (lowering_part){c->depthwise, a->depthwise.kernel->name};
    if (c->project) parts[count++] = (lowering_part){c->project, a->project.panels[0].kernel->name};
    lowering_step_args made = {.run = a->groups ? group_tile : band_tile,
                               .args = a,
                               .tiles = (a->groups ? a->groups : a->bands) * a->out->n,
                               .uses = {(buffer *)a->in, (buffer *)a->out, NULL},
                               .scratch_bytes = scratch};
    uint32_t uses = 2;
    if (a->residual) made.uses[uses++] = (buffer *)a->residual;
    if (a->sums) made.uses[uses++] = (buffer *)a->sums;
    return lowering_fused_step(l, parts, count, &made, err);
}

static dsc_status plan_chain(lowering *l, const conv_chain *c, chain *a, dsc_error *err) {
    conv_shape project = {0};
    size_t scratch = 0;
    dsc_status status = DSC_OK;
    if (c->project) status = conv_resolve(l->g, c->project, &project, err);
    if (status == DSC_OK && c->expand) status = plan_ring(l, a, &scratch, err);
    if (status == DSC_OK) status = plan_expand(l, c, a, err);
    if (status != DSC_OK) return status;
    if (c->project) plan_between(a, &scratch);
    a->depthwise.args.in_row = c->expand ? a->ring.row : a->in->row;
    a->depthwise.args.out_row = c->project ? a->between.row : a->out->row;
    status = depthwise_stage_plan(l, c->depthwise, &a->depthwise_shape, &a->depthwise, err);
    if (status == DSC_OK && c->project) status = plan_project(l, c, &project, a, err);
    if (status != DSC_OK) return status;
    plan_prepared(a, &scratch);
    a->relu_offset = scratch;
    scratch += depthwise_stage_scratch_bytes(&a->depthwise, a->chunk_rows);
    return add_step(l, c, a, scratch, err);
}

uint32_t conv_chain_bands(const conv_shape *depthwise, uint32_t threads) {
    uint32_t bands = (threads - 1) / depthwise->n + 1;
    return bands < depthwise->out_h ? bands : depthwise->out_h;
}

uint32_t conv_chain_band_rows(const conv_shape *depthwise, uint32_t threads) {
    return (depthwise->out_h - 1) / conv_chain_bands(depthwise, threads) + 1;
}

static buffer *get_input(lowering *l, const conv_chain *c, chain *a, dsc_error *err) {
    if (!c->expand) return lowering_panels(l, c->depthwise->inputs[0], err);
    if (conv_resolve(l->g, c->expand, &a->expand_shape, err) != DSC_OK) return NULL;
    a->has_stem = stem_stage_suits(l, c->expand, &a->expand_shape);
    return a->has_stem ? lowering_flat(l, c->expand->inputs[0], err)
                       : lowering_panels_any(l, c->expand->inputs[0], err);
}

// The maps at both ends.
static chain *begin_chain(lowering *l, const conv_chain *c, dsc_error *err) {
    const graph_node *last = c->project ? c->project : c->depthwise;
    buffer *residual = NULL, *sums = NULL;
    chain *a = lowering_alloc(l, 1, sizeof *a, err);
    buffer *in = a ? get_input(l, c, a, err) : NULL;
    if (!in) return NULL;
    if (last->residual != GRAPH_NONE && !(residual = lowering_panels(l, last->residual, err))) return NULL;
    buffer *out = lowering_out_panels(l, last, 0, err);
    if (!out) return NULL;
    if (!c->project && lowering_row_sums(l, last, &sums, err) != DSC_OK) return NULL;
    a->in = in, a->out = out, a->residual = residual, a->sums = sums;
    a->has_expand = c->expand;
    a->has_project = c->project;
    a->is_far = choice_traffic_ns((double)in->bytes) > 0;
    return conv_resolve(l->g, c->depthwise, &a->depthwise_shape, err) == DSC_OK ? a : NULL;
}

dsc_status conv_chain_lower_by_rows(lowering *l, const conv_chain *c, uint32_t chunk_rows, dsc_error *err) {
    chain *a = begin_chain(l, c, err);
    if (!a) return err->status;
    uint32_t band_rows = conv_chain_band_rows(&a->depthwise_shape, l->threads);
    a->chunk_rows = chunk_rows < band_rows ? chunk_rows : band_rows;
    a->bands = conv_chain_bands(&a->depthwise_shape, l->threads);
    return plan_chain(l, c, a, err);
}

dsc_status conv_chain_lower_by_panels(lowering *l, const conv_chain *c, dsc_error *err) {
    chain *a = begin_chain(l, c, err);
    if (!a) return err->status;
    a->chunk_rows = a->out->h;
    a->groups = (l->threads - 1) / a->out->n + 1;
    return plan_chain(l, c, a, err);
}
