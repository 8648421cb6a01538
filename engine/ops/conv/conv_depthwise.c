// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution, panel by panel: the stage, and the step of a whole layer.
#include "engine/base/cpu.h"
#include "engine/base/mem.h"
#include "engine/ops/choice.h"
#include "engine/ops/conv/conv_stage.h"

#include <math.h>
#include <stdio.h>

#define CALL_NS      20.0        // of a kernel, besides
#define CHUNK_FLOATS (32u << 10) // of output that one tile writes, where a map is large enough to be split by rows

typedef struct pack_context {
    const float *w;
    uint32_t channels, taps;
} pack_context;

static void pack_depthwise(float *packed, const void *context) {
    const pack_context *c = context;
    for (uint32_t c0 = 0; c0 < c->channels; c0 += DWCONV_LANES) {
        uint32_t left = c->channels - c0;
        dwconv_pack(packed + (size_t)c0 * c->taps, c->w, c->taps, c0, left < DWCONV_LANES ? left : DWCONV_LANES);
    }
}

static const float *get_weights(lowering *l, const graph_node *n, const conv_shape *s, uint32_t taps, dsc_error *err) {
    pack_context c = {graph_input(l->g, n, 1)->data, s->out_c, taps};
    char format[64];
    snprintf(format, sizeof format, "depthwise %u %u", s->out_c, taps);
    weights_request request = {.source = c.w,
                               .source_bytes = sizeof(float) * s->out_c * taps,
                               .format = format,
                               .floats = ((size_t)s->out_c + DWCONV_LANES - 1) / DWCONV_LANES * DWCONV_LANES * taps,
                               .pack = pack_depthwise,
                               .context = &c};
    return lowering_weights(l, &request, err);
}

dsc_status depthwise_stage_plan(lowering *l, const graph_node *n, const conv_shape *s, depthwise_stage *stage,
                                dsc_error *err) {
    const window *w = &s->window;
    stage->taps = w->kernel[0] * w->kernel[1];
    stage->kernel =
        dwconv_find(l->isa, w->kernel[0], w->kernel[1], w->stride[0], w->stride[1], w->dilation[0], w->dilation[1]);
    stage->args = (dwconv_args){.in_row = stage->args.in_row,
                                .out_row = stage->args.out_row,
                                .out_w = s->out_w,
                                .kernel_h = w->kernel[0],
                                .kernel_w = w->kernel[1],
                                .stride_h = w->stride[0],
                                .stride_w = w->stride[1],
                                .dilation_h = w->dilation[0],
                                .dilation_w = w->dilation[1],
                                .act = lowering_act(n)};
    stage->reach_w = (s->out_w - 1) * w->stride[1] + (w->kernel[1] - 1) * w->dilation[1] + 1;
    stage->relu = conv_reads_relu(n) ? eltwise_find(l->isa) : NULL;
    stage->weights = get_weights(l, n, s, stage->taps, err);
    stage->bias = stage->weights ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    return stage->bias ? DSC_OK : err->status;
}

// Rows of the input under `rows` rows of output, at least one.
static size_t rows_under(const depthwise_stage *s, uint32_t rows) {
    return (size_t)(rows - 1) * s->args.stride_h + (size_t)(s->args.kernel_h - 1) * s->args.dilation_h + 1;
}

size_t depthwise_stage_scratch_bytes(const depthwise_stage *s, uint32_t rows) {
    return s->relu ? mem_round_up(rows_under(s, rows) * (size_t)s->args.in_row * sizeof(float)) : 0;
}

// A copy in the first or second cache, with the row distance of the map.
static const float *read_through_relu(const depthwise_stage *s, const depthwise_rows *r) {
    static const act relu = {ACT_RELU, 0, 0};
    size_t count = (rows_under(s, r->rows) - 1) * (size_t)s->args.in_row + (size_t)s->reach_w * DWCONV_LANES;
    s->relu->act(r->scratch, r->in, count, relu);
    return r->scratch;
}

// Maps are read panel by panel, and the hardware's prefetchers do not follow from one to the next.
static void prefetch(const depthwise_stage *s, const depthwise_rows *r) {
    int64_t rows = (int64_t)rows_under(s, r->rows);
    for (const float *p = r->next, *end = p + rows * s->args.in_row; p < end; p += DWCONV_LANES)
        __builtin_prefetch(p, 0, 2);
}

void depthwise_stage_run(const depthwise_stage *s, const depthwise_rows *r) {
    if (r->next && r->rows) prefetch(s, r);
    dwconv_args d = s->args;
    d.in = s->relu && r->rows ? read_through_relu(s, r) : r->in;
    d.out = r->out;
    d.sums = r->sums;
    d.w = s->weights + (size_t)r->panel * s->taps * DWCONV_LANES;
    d.bias = s->bias + (size_t)r->panel * DWCONV_LANES;
    s->kernel->run(&d, 0, r->rows);
}

// ---- a whole layer ------------------------------------------------------------------------------------------------

typedef struct depthwise_layer {
    const buffer *in, *out, *sums;
    int64_t in_shift;
    depthwise_stage stage;
    uint32_t stride, chunks, chunk_rows;
} depthwise_layer;

// A tile is a chunk of rows of one panel of one image.
static void depthwise_tile(const void *args, char *block, uint32_t tile) {
    const depthwise_layer *a = args;
    uint32_t chunk = tile % a->chunks, map = tile / a->chunks, panels = buffer_panels(a->out);
    uint32_t image = map / panels, panel = map % panels;
    uint32_t y0 = chunk * a->chunk_rows, y1 = y0 + a->chunk_rows;
    if (y1 > a->out->h) y1 = a->out->h;
    depthwise_rows r = {.panel = panel, .rows = y1 - y0, .sums = depthwise_sums(a->sums, block, a->out, map, y0)};
    r.in = buffer_panel(a->in, block, image, panel) + a->in_shift + (int64_t)y0 * a->stride * a->in->row;
    r.out = buffer_panel(a->out, block, image, panel) + (int64_t)y0 * a->out->row;
    r.scratch = (float *)(void *)worker_scratch();
    if (chunk == 0) buffer_clear_border(a->out, block, image, panel);
    depthwise_stage_run(&a->stage, &r);
}

// Kernels take two rows at a time.
static uint32_t even_rows(const conv_shape *s, uint32_t rows) {
    rows = rows < 2 ? 2 : rows / 2 * 2;
    return rows < s->out_h ? rows : s->out_h;
}

static double chunks_ns(const lowering *l, const conv_shape *s, uint32_t rows) {
    double macs = (double)s->n * s->out_h * s->out_w * s->out_c * s->window.kernel[0] * s->window.kernel[1];
    double tiles = ceil((double)s->out_h / rows) * s->n * ceil(s->out_c / (double)DWCONV_LANES);
    return choice_compute_ns(l->isa, macs) * choice_idle(tiles, l->threads) + CALL_NS * tiles;
}

// A copy of the input that is read through a ReLU is to stay near, and is not to take much memory.
static bool is_too_much_to_copy(const depthwise_stage *s, uint32_t rows) {
    return depthwise_stage_scratch_bytes(s, rows) > cpu_l2_bytes() / 4;
}

static dsc_status choose_chunks(lowering *l, const graph_node *n, const conv_shape *s, depthwise_layer *a,
                                dsc_error *err) {
    const uint32_t rows[] = {CHUNK_FLOATS / DWCONV_LANES / s->out_w, s->out_h, 8, 2};
    choice_list list = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t even = even_rows(s, rows[i]);
        if (i && is_too_much_to_copy(&a->stage, even)) continue;
        if (!choice_has(&list, even)) choice_add(&list, even, chunks_ns(l, s, even), "chunks of %u", even);
    }
    a->chunk_rows = even_rows(s, rows[0]);
    dsc_status status = choice_take(l, n, &list, &a->chunk_rows, err);
    a->chunks = (s->out_h + a->chunk_rows - 1) / a->chunk_rows;
    return status;
}

dsc_status conv_lower_depthwise(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_panels(l, n->inputs[0], err);
    if (!in) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    depthwise_layer *a = lowering_alloc(l, 1, sizeof *a, err);
    buffer *sums;
    if (!out || !a || lowering_row_sums(l, n, &sums, err) != DSC_OK) return err->status;
    *a = (depthwise_layer){.in = in, .out = out, .sums = sums, .stride = s->window.stride[0]};
    a->in_shift = -(int64_t)s->pads.pad_top * in->row - (int64_t)s->pads.pad_left * in->lanes;
    a->stage.args.in_row = in->row;
    a->stage.args.out_row = out->row;
    dsc_status status = depthwise_stage_plan(l, n, s, &a->stage, err);
    if (status != DSC_OK) return status;
    status = choose_chunks(l, n, s, a, err);
    if (status != DSC_OK) return status;
    lowering_step_args made = {depthwise_tile,
                               a,
                               a->chunks * s->n * buffer_panels(out),
                               a->stage.kernel->name,
                               {in, out, sums},
                               depthwise_stage_scratch_bytes(&a->stage, a->chunk_rows)};
    return lowering_step(l, &made, err);
}
