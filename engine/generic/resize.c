// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample. Every axis that changes has taps and weights of its own; an output element is the sum over the
// taps of all axes, worked out anew for each element, so that no table is needed.
#include "engine/generic/common.h"
#include "engine/generic/numbers.h"
#include "engine/generic/resize_params.h"

#include <math.h>
#include <string.h>

// ---- where an output place lies in the input
// ------------------------------------------------------------------------------

// Place `x` of axis `a` in the input; *is_outside: crop and resize shows the extrapolation value there.
static double source_place(const resize_spec *s, const resize_axis *a, int64_t x, bool *is_outside) {
    double in = (double)a->in, out = (double)a->out, at = (double)x;
    *is_outside = false;
    switch (s->coordinates) {
        case RESIZE_HALF_PIXEL: return (at + 0.5) / a->scale - 0.5;
        case RESIZE_PYTORCH_HALF_PIXEL: return a->out > 1 ? (at + 0.5) / a->scale - 0.5 : 0;
        case RESIZE_ALIGN_CORNERS: // the length before it is cut to whole elements, as ONNX's own cases have it
            return a->out > 1 ? at * (in - 1) / (a->scale * in - 1) : 0;
        case RESIZE_ASYMMETRIC: return at / a->scale;
        case RESIZE_TF_HALF_PIXEL_FOR_NN: return (at + 0.5) / a->scale;
        case RESIZE_HALF_PIXEL_SYMMETRIC: {
            double adjustment = out / (a->scale * in);
            return in / 2 * (1 - adjustment) + (at + 0.5) / a->scale - 0.5;
        }
        case RESIZE_TF_CROP: {
            double place = a->crop_begin * (in - 1);
            place += a->out > 1 ? at * (a->crop_end - a->crop_begin) * (in - 1) / (out - 1)
                                : (a->crop_end - a->crop_begin) * (in - 1) / 2;
            *is_outside = !(place >= 0 && place <= in - 1);
            return place;
        }
    }
    return 0;
}

static int64_t clamp(int64_t at, int64_t size) {
    return at < 0 ? 0 : at >= size ? size - 1 : at;
}

// The element that nearest takes. `base` is the last one left of the place.
static int64_t nearest_tap(resize_nearest mode, int64_t base, double ratio) {
    if (ratio >= 1) return base + 1;
    switch (mode) {
        case RESIZE_ROUND_PREFER_FLOOR: return ratio <= 0.5 ? base : base + 1;
        case RESIZE_ROUND_PREFER_CEIL: return ratio < 0.5 ? base : base + 1;
        case RESIZE_FLOOR: return base;
        case RESIZE_CEIL: return base + 1;
    }
    return base;
}

static double weight_at(const resize_spec *s, double distance) {
    double x = fabs(distance), a = s->cubic_a;
    if (s->mode == RESIZE_LINEAR) return x < 1 ? 1 - x : 0;
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// The taps of one axis for one output place: elements base + first .. base + last, with what their weights add up to.
typedef struct resize_taps {
    int64_t base, first, last;
    double ratio, pace, sum;
} resize_taps;

static double tap_weight(const resize_spec *s, const resize_axis *a, const resize_taps *t, int64_t i) {
    int64_t at = t->base + i;
    if (s->excludes_outside && (at < 0 || at >= a->in)) return 0;
    return weight_at(s, ((double)i - t->ratio) * t->pace);
}

static resize_taps find_taps(const resize_spec *s, const resize_axis *a, double place) {
    resize_taps t = {.pace = s->has_antialias && a->scale < 1 ? a->scale : 1};
    double reach = s->mode == RESIZE_LINEAR ? 1 : 2;
    t.base = (int64_t)ceil(place) - 1;
    t.ratio = place - (double)t.base; // 0 < ratio <= 1
    t.first = (int64_t)floor(-reach / t.pace) + 1;
    t.last = 1 - t.first;
    for (int64_t i = t.first; i <= t.last; i++) t.sum += tap_weight(s, a, &t, i);
    return t;
}

// ---- evaluate
// -------------------------------------------------------------------------------------------------------------

typedef struct resize_work {
    const resize_spec *s;
    const op_tensor *x;
    double places[DSC_MAX_RANK]; // of the output element, in the input
} resize_work;

// The sum over the taps of axes `d` and behind, at `offset` of the axes before.
static double interpolate(const resize_work *w, uint32_t d, uint64_t offset) {
    const resize_spec *s = w->s;
    if (d == s->rank) return numbers_get(w->x, offset);
    const resize_axis *a = &s->axes[d];
    uint64_t size = (uint64_t)a->in;
    if (!a->is_resized) return interpolate(w, d + 1, offset * size + (uint64_t)w->places[d]);
    if (s->mode == RESIZE_NEAREST) {
        int64_t base = (int64_t)ceil(w->places[d]) - 1;
        int64_t at = clamp(nearest_tap(s->nearest, base, w->places[d] - (double)base), a->in);
        return interpolate(w, d + 1, offset * size + (uint64_t)at);
    }
    resize_taps t = find_taps(s, a, w->places[d]);
    double sum = 0;
    for (int64_t i = t.first; i <= t.last; i++) {
        double weight = tap_weight(s, a, &t, i);
        if (!(weight > 0) && !(weight < 0)) continue;
        sum += weight / t.sum * interpolate(w, d + 1, offset * size + (uint64_t)clamp(t.base + i, a->in));
    }
    return sum;
}

// Crop and resize takes the part of each axis from input 1: begins of all its axes, then ends.
static void read_crop(const op_call *c, resize_spec *s) {
    if (s->coordinates != RESIZE_TF_CROP || c->input_count < 2 || !c->inputs[1].data) return;
    for (uint32_t i = 0; i < s->crop_count; i++) {
        s->axes[s->crop_axes[i]].crop_begin = numbers_get(&c->inputs[1], i);
        s->axes[s->crop_axes[i]].crop_end = numbers_get(&c->inputs[1], i + s->crop_count);
    }
}

static const char *evaluate(const op_call *c) {
    resize_spec s = *(const resize_spec *)c->spec;
    resize_work w = {.s = &s, .x = &c->inputs[0]};
    read_crop(c, &s);
    for (uint64_t i = c->begin; i < c->end; i++) {
        uint64_t rest = i;
        bool is_outside = false;
        for (uint32_t d = s.rank; d-- > 0; rest /= (uint64_t)s.axes[d].out) {
            bool is_beyond = false;
            int64_t x = (int64_t)(rest % (uint64_t)s.axes[d].out);
            w.places[d] = s.axes[d].is_resized ? source_place(&s, &s.axes[d], x, &is_beyond) : (double)x;
            is_outside |= is_beyond;
        }
        numbers_put(&c->outputs[0], i, is_outside ? s.extrapolation : interpolate(&w, 0, 0));
    }
    return NULL;
}

static void cost(const graph *g, const graph_node *n, op_cost *out) {
    out->kind = DSC_KIND_OTHER;
    out->elementwise = common_product(common_elements(g, n), resize_taps_each(n->spec));
}

#define RESIZE(name, most, first, last)                                                                                \
    {                                                                                                                  \
        .type = name, .inputs_min = 1, .inputs_max = most, .outputs_max = 1, .opset_first = first, .opset_last = last, \
        .import = resize_import, .infer = resize_infer, .cost = cost, .evaluate = evaluate, .has_ranges = true,        \
        .deciding_inputs = 7u << 1,                                                                                    \
    }

const op op_resize = RESIZE("Resize", 4, 10, OPS_OPSET_LAST);
const op op_upsample = RESIZE("Upsample", 2, 1, 9);
