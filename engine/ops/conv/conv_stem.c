// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/conv/conv_stem.h"

#include "engine/ops/choice.h"

#include <math.h>
#include <stdio.h>

static const stem_kernel *find_kernel(const lowering *l, const conv_shape *s) {
    const window *w = &s->window;
    bool is_square = w->kernel[0] == w->kernel[1] && w->stride[0] == w->stride[1];
    bool fits = is_square && w->dilation[0] == 1 && w->dilation[1] == 1 && s->in_c <= STEM_CHANNELS_MAX;
    return fits ? stem_find(l->isa, w->kernel[0], w->stride[0]) : NULL;
}

bool stem_stage_suits(const lowering *l, const graph_node *n, const conv_shape *s) {
    return s->groups == 1 && n->residual == GRAPH_NONE && l->values[n->inputs[0]].flat && find_kernel(l, s);
}

typedef struct pack_context {
    const float *w;
    uint32_t out_c, k;
} pack_context;

static void pack_stem(float *packed, const void *context) {
    const pack_context *c = context;
    stem_pack(packed, c->w, c->out_c, c->k);
}

static const float *get_weights(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    pack_context c = {graph_input(l->g, n, 1)->data, s->out_c, s->in_c * s->window.kernel[0] * s->window.kernel[1]};
    char format[64];
    snprintf(format, sizeof format, "stem %u %u", c.out_c, c.k);
    weights_request request = {.source = c.w,
                               .source_bytes = sizeof(float) * c.out_c * c.k,
                               .format = format,
                               .floats = ((size_t)c.out_c + STEM_LANES - 1) / STEM_LANES * STEM_LANES * c.k,
                               .pack = pack_stem,
                               .context = &c};
    return lowering_weights(l, &request, err);
}

dsc_status stem_stage_plan(lowering *l, const graph_node *n, const conv_shape *s, stem_stage *out, dsc_error *err) {
    *out = (stem_stage){.kernel = find_kernel(l, s), .picture = (size_t)s->in_c * s->in_h * s->in_w};
    out->args = (stem_args){.in_c = s->in_c,
                            .in_h = s->in_h,
                            .in_w = s->in_w,
                            .pad_top = s->pads.pad_top,
                            .pad_left = s->pads.pad_left,
                            .out_w = s->out_w,
                            .act = lowering_act(n)};
    out->args.w = get_weights(l, n, s, err);
    out->args.bias = out->args.w ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    if (!out->args.bias) return err->status;
    lowering_in_order(l, out->args.w, NULL);
    return DSC_OK;
}

void stem_stage_run(const stem_stage *s, const stem_rows *r) {
    const stem_args *fixed = &s->args;
    size_t k = (size_t)fixed->in_c * s->kernel->kernel * s->kernel->kernel;
    stem_args a = *fixed;
    a.in = r->in + r->image * s->picture;
    a.out = r->out;
    a.out_row = r->out_row;
    a.out_panel = r->out_panel;
    a.out_panels = r->p1 - r->p0;
    a.w = fixed->w + r->p0 * k * STEM_LANES;
    a.bias = fixed->bias + (size_t)r->p0 * STEM_LANES;
    s->kernel->run(&a, r->y0, r->y1);
}

// ---- a whole layer ------------------------------------------------------------------------------------------------

typedef struct stem_layer {
    const buffer *in, *out;
    stem_stage stage;
    uint32_t chunks, chunk_rows;
} stem_layer;

// A tile is a chunk of output rows of one image.
static void stem_tile(const void *args, char *block, uint32_t tile) {
    const stem_layer *a = args;
    stem_rows r = {.in = buffer_data(a->in, block),
                   .out_row = a->out->row,
                   .out_panel = a->out->panel,
                   .image = tile / a->chunks,
                   .y0 = tile % a->chunks * a->chunk_rows,
                   .p1 = buffer_panels(a->out)};
    r.y1 = r.y0 + a->chunk_rows < a->out->h ? r.y0 + a->chunk_rows : a->out->h;
    r.out = buffer_panel(a->out, block, r.image, 0) + r.y0 * r.out_row;
    for (uint32_t p = 0; r.y0 == 0 && p < r.p1; p++) buffer_clear_border(a->out, block, r.image, p);
    stem_stage_run(&a->stage, &r);
}

static double chunks_ns(const lowering *l, const conv_shape *s, uint32_t rows) {
    double macs = (double)s->out_h * s->out_w * s->out_c * s->in_c * s->window.kernel[0] * s->window.kernel[1];
    double tiles = ceil((double)s->out_h / rows) * s->n;
    return choice_compute_ns(l->isa, macs * s->n) * choice_idle(tiles, l->threads) + CHOICE_CALL_NS * tiles;
}

// A chunk for each thread, or more of them, so that none waits long for the last.
static dsc_status choose_chunks(lowering *l, const graph_node *n, const conv_shape *s, stem_layer *a, dsc_error *err) {
    const uint32_t even = a->stage.kernel->rows, parts[] = {l->threads, 4 * l->threads, 16 * l->threads};
    choice_list list = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint32_t rows = (s->out_h - 1) / parts[i] + 1;
        rows = (rows + even - 1) / even * even;
        if (!choice_has(&list, rows)) choice_add(&list, rows, chunks_ns(l, s, rows), "chunks of %u", rows);
    }
    dsc_status status = choice_take(l, n, &list, &a->chunk_rows, err);
    a->chunks = (s->out_h - 1) / a->chunk_rows + 1;
    return status;
}

dsc_status conv_lower_stem(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_flat(l, n->inputs[0], err);
    if (!in) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    stem_layer *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    a->in = in, a->out = out;
    dsc_status status = stem_stage_plan(l, n, s, &a->stage, err);
    if (status == DSC_OK) status = choose_chunks(l, n, s, a, err);
    if (status != DSC_OK) return status;
    lowering_step_args made = {stem_tile, a, a->chunks * s->n, a->stage.kernel->name, {in, out}, 0};
    return lowering_step(l, &made, err);
}
