// SPDX-License-Identifier: Apache-2.0
// Grouped convolutions that are neither depthwise nor ungrouped, by plain loops over flat tensors.
#include "engine/kernels/eltwise.h"
#include "engine/ops/conv.h"

#include <string.h>

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
    const weights_request *request = context;
    memcpy(packed, request->source, request->source_bytes);
}

dsc_status conv_lower_direct(lowering *l, const graph_node *n, const conv_shape *s, dsc_error *err) {
    buffer *in = lowering_flat(l, n->inputs[0], err);
    if (!in) return err->status;
    buffer *out = lowering_out_flat(l, n, 0, err);
    direct *a = lowering_alloc(l, 1, sizeof *a, err);
    if (!out || !a) return err->status;
    uint32_t weights = s->in_c / s->groups * s->window.kernel[0] * s->window.kernel[1];
    weights_request request = {.source = graph_input(l->g, n, 1)->data,
                               .source_bytes = sizeof(float) * s->out_c * weights,
                               .format = "as it is",
                               .floats = (size_t)s->out_c * weights,
                               .pack = pack_copy};
    request.context = &request;
    *a = (direct){.in = in, .out = out, .s = *s, .eltwise = eltwise_find(l->isa), .act = lowering_act(n)};
    a->w = lowering_weights(l, &request, err);
    a->bias = a->w ? lowering_vector(l, graph_input(l->g, n, 2), s->out_c, err) : NULL;
    if (!a->bias) return err->status;
    lowering_step_args made = {direct_tile, a, s->n * s->out_c, "conv_f32_direct_ref", {in, out}, 0};
    return lowering_step(l, &made, err);
}
