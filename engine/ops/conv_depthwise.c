// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution, panel by panel; and grouped convolutions of other shapes by plain loops.
#include "engine/kernels/dwconv.h"
#include "engine/kernels/eltwise.h"
#include "engine/ops/conv.h"

#include <stdio.h>

#define CHUNK_FLOATS (32u << 10) // of output that one tile writes, where a map is large enough to be split by rows

typedef struct depthwise {
    const buffer *in, *out;
    int64_t in_shift;
    const dwconv_kernel *kernel;
    dwconv_args args;
    const float *weights, *bias;
    uint32_t taps, chunks, chunk_rows;
} depthwise;

// A tile is a chunk of rows of one panel of one image.
static void depthwise_tile(const void *args, char *block, uint32_t tile) {
    const depthwise *a = args;
    uint32_t chunk = tile % a->chunks, map = tile / a->chunks, panels = buffer_panels(a->out);
    uint32_t image = map / panels, panel = map % panels;
    uint32_t y0 = chunk * a->chunk_rows, y1 = y0 + a->chunk_rows;
    dwconv_args d = a->args;
    d.in = buffer_panel(a->in, block, image, panel) + a->in_shift;
    d.out = buffer_panel(a->out, block, image, panel);
    d.w = a->weights + (size_t)panel * a->taps * DWCONV_LANES;
    d.bias = a->bias + (size_t)panel * DWCONV_LANES;
    if (chunk == 0) buffer_clear_border(a->out, block, image, panel);
    a->kernel->run(&d, y0, y1 < a->out->h ? y1 : a->out->h);
}

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

dsc_status conv_lower_depthwise(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    const window *w = &s->window;
    buffer *in = lowering_panels(l, n->inputs[0], err);
    if (!in) return err->status;
    buffer *out = lowering_out_panels(l, n, 0, err);
    depthwise *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    *a = (depthwise){.in = in, .out = out, .taps = w->kernel[0] * w->kernel[1]};
    a->in_shift = -(int64_t)s->pads.pad_top * in->row - (int64_t)s->pads.pad_left * in->lanes;
    a->kernel =
        dwconv_find(l->isa, w->kernel[0], w->kernel[1], w->stride[0], w->stride[1], w->dilation[0], w->dilation[1]);
    a->args = (dwconv_args){.in_row = in->row,
                            .out_row = out->row,
                            .out_w = s->out_w,
                            .kernel_h = w->kernel[0],
                            .kernel_w = w->kernel[1],
                            .stride_h = w->stride[0],
                            .stride_w = w->stride[1],
                            .dilation_h = w->dilation[0],
                            .dilation_w = w->dilation[1],
                            .act = lowering_act(n)};
    a->weights = get_weights(l, n, s, a->taps, err);
    a->bias = a->weights ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    if (!a->bias) return err->status;
    uint32_t rows = CHUNK_FLOATS / (s->out_w * DWCONV_LANES);
    a->chunk_rows = rows < 2 ? 2 : rows / 2 * 2; // kernels take two rows at a time
    if (a->chunk_rows > s->out_h) a->chunk_rows = s->out_h;
    a->chunks = (s->out_h + a->chunk_rows - 1) / a->chunk_rows;
    lowering_step_args made = {depthwise_tile, a, a->chunks * s->n * buffer_panels(out), a->kernel->name, {in, out}};
    return lowering_step(l, &made, err);
}

// ---- grouped convolutions that are neither -------------------------------------------------------------------------

typedef struct direct {
    const buffer *in, *out;
    conv_shape s;
    const float *w, *bias;
    const eltwise_kernel *eltwise;
    act act;
} direct;

static double direct_pixel(const direct *a, const float *in, const float *w, uint32_t y, uint32_t x) {
    const window *k = &a->s.window;
    uint32_t group_c = a->s.in_c / a->s.groups;
    double sum = 0;
    for (uint32_t c = 0; c < group_c; c++) {
        for (uint32_t ky = 0; ky < k->kernel[0]; ky++) {
            int64_t in_y = (int64_t)y * k->stride[0] + (int64_t)ky * k->dilation[0] - a->s.pads.pad_top;
            if (in_y < 0 || in_y >= a->s.in_h) continue;
            const float *line = in + ((size_t)c * a->s.in_h + (size_t)in_y) * a->s.in_w;
            const float *taps = w + ((size_t)c * k->kernel[0] + ky) * k->kernel[1];
            for (uint32_t kx = 0; kx < k->kernel[1]; kx++) {
                int64_t in_x = (int64_t)x * k->stride[1] + (int64_t)kx * k->dilation[1] - a->s.pads.pad_left;
                if (in_x >= 0 && in_x < a->s.in_w) sum += (double)line[in_x] * (double)taps[kx];
            }
        }
    }
    return sum;
}

// A tile is one output channel of one image.
static void direct_tile(const void *args, char *block, uint32_t tile) {
    const direct *a = args;
    const conv_shape *s = &a->s;
    uint32_t image = tile / s->out_c, n = tile % s->out_c, group_c = s->in_c / s->groups;
    uint32_t first = n / (s->out_c / s->groups) * group_c;
    size_t map = (size_t)s->out_h * s->out_w, taps = (size_t)s->window.kernel[0] * s->window.kernel[1];
    const float *in = (const float *)buffer_data(a->in, block) + ((size_t)image * s->in_c + first) * s->in_h * s->in_w;
    float *out = (float *)buffer_data(a->out, block) + (size_t)tile * map;
    const float *w = a->w + (size_t)n * group_c * taps;
    for (uint32_t y = 0; y < s->out_h; y++) {
        for (uint32_t x = 0; x < s->out_w; x++) {
            out[(size_t)y * s->out_w + x] = (float)(direct_pixel(a, in, w, y, x) + (double)a->bias[n]);
        }
    }
    if (a->act.kind != ACT_NONE) a->eltwise->act(out, out, map, a->act);
}

static void pack_copy(float *packed, const void *context) {
    const pack_context *c = context;
    for (size_t i = 0; i < (size_t)c->channels * c->taps; i++) packed[i] = c->w[i];
}

dsc_status conv_lower_direct(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_flat(l, n->inputs[0], err);
    if (!in) return err->status;
    buffer *out = lowering_out_flat(l, n, 0, err);
    direct *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    uint32_t weights = s->in_c / s->groups * s->window.kernel[0] * s->window.kernel[1];
    pack_context c = {graph_input(l->g, n, 1)->data, s->out_c, weights};
    weights_request request = {.source = c.w,
                               .source_bytes = sizeof(float) * s->out_c * weights,
                               .format = "as it is",
                               .floats = (size_t)s->out_c * weights,
                               .pack = pack_copy,
                               .context = &c};
    *a = (direct){.in = in, .out = out, .s = *s, .eltwise = eltwise_find(l->isa), .act = lowering_act(n)};
    a->w = lowering_weights(l, &request, err);
    a->bias = a->w ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    if (!a->bias) return err->status;
    lowering_step_args made = {direct_tile, a, s->n * s->out_c, "conv_f32_direct_ref", {in, out}};
    return lowering_step(l, &made, err);
}
