// SPDX-License-Identifier: Apache-2.0
// Weights as Pillow computes them, so that its results are met to the bit: a filter around the target pixel's centre
// whose width grows with the reduction, normalised in double precision and then rounded to fixed point; nearest
// positions by repeated addition. Without antialiasing the filter keeps its width and what it would read beyond an
// edge is the edge's pixel again, as in OpenCV and TensorFlow 1.
#include "engine/image/axis.h"

#include <math.h>

#include "engine/base/error.h"
#include "engine/base/mem.h"

typedef struct filter {
    double (*weight)(double distance);
    double reach;   // beyond which the weight is 0, in source pixels
    double scale;   // source pixels per target pixel
    double stretch; // 1, or `scale` where it is larger and the filter antialiases
    double shift;   // of a target pixel's centre
    bool repeats_edges;
} filter;

static double weigh_box(double x) {
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double weigh_bilinear(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double weigh_cubic(double x, double a) {
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double weigh_bicubic(double x) {
    return weigh_cubic(x, -0.5);
}

static double weigh_sharp_bicubic(double x) {
    return weigh_cubic(x, -0.75);
}

static double sinc(double x) {
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(x * pi) / (x * pi);
}

static double weigh_lanczos3(double x) {
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static double weigh_lanczos4(double x) {
    return x >= -4 && x < 4 ? sinc(x) * sinc(x / 4) : 0;
}

static void choose_filter(const dsc_preprocess *preprocess, filter *f) {
    bool smooth = preprocess->antialias;
    f->weight = weigh_bilinear;
    f->reach = 1;
    switch (preprocess->filter) {
        case DSC_FILTER_NEAREST: f->reach = 0; break;
        case DSC_FILTER_BILINEAR: break;
        case DSC_FILTER_BICUBIC:
            f->weight = smooth ? weigh_bicubic : weigh_sharp_bicubic;
            f->reach = 2;
            break;
        case DSC_FILTER_BOX:
            f->weight = weigh_box;
            f->reach = 0.5;
            break;
        case DSC_FILTER_LANCZOS:
            f->weight = smooth ? weigh_lanczos3 : weigh_lanczos4;
            f->reach = smooth ? 3 : 4;
            break;
    }
}

static filter filter_make(const image_span *span, const dsc_preprocess *preprocess) {
    filter f = {.scale = (span->end - span->begin) / (double)span->total,
                .stretch = 1,
                .repeats_edges = !preprocess->antialias};
    choose_filter(preprocess, &f);
    if (preprocess->antialias && f.scale > 1) f.stretch = f.scale;
    // Target pixel 0 begins (nearest), or has its middle, where source pixel 0 does.
    bool nearest = preprocess->filter == DSC_FILTER_NEAREST;
    if (preprocess->align == DSC_ALIGN_CORNER) f.shift = (nearest ? 0 : 0.5) - 0.5 * f.scale;
    return f;
}

static double weight_at(const filter *f, double centre, int64_t pixel) {
    return f->weight(((double)pixel - centre + 0.5) * (1.0 / f->stretch));
}

static int32_t to_fixed(double part) {
    return (int32_t)((part < 0 ? -0.5 : 0.5) + part * (1 << AXIS_PRECISION));
}

static void weigh(image_axis *axis, uint32_t i, const image_span *span, const filter *f, double *scratch) {
    // Counted from span->low, as in an image that was cut out: so the rounding errors are the same, too.
    uint32_t size = span->high - span->low;
    double centre = span->begin - span->low + ((double)(span->offset + i) + 0.5) * f->scale + f->shift;
    double low = centre - f->reach * f->stretch + 0.5, high = centre + f->reach * f->stretch + 0.5;
    uint32_t first = low < 0 ? 0 : (uint32_t)low, end = high > size ? size : (uint32_t)high;
    if (first >= size) first = size - 1;
    if (end <= first) end = first + 1;
    double sum = 0;
    for (uint32_t k = first; k < end; k++) {
        scratch[k - first] = weight_at(f, centre, k);
        sum += scratch[k - first];
    }
    for (int64_t k = (int64_t)floor(low); f->repeats_edges && k < 0; k++) {
        scratch[0] += weight_at(f, centre, k);
        sum += weight_at(f, centre, k);
    }
    for (int64_t k = size; f->repeats_edges && (double)k < high; k++) {
        scratch[end - 1 - first] += weight_at(f, centre, k);
        sum += weight_at(f, centre, k);
    }
    axis->first[i] = span->low + first;
    axis->count[i] = end - first;
    for (uint32_t k = 0; k < end - first; k++)
        axis->weight[(size_t)i * axis->taps + k] = to_fixed(sum != 0 ? scratch[k] / sum : 1.0 / (end - first));
}

static void fill_weights(image_axis *axis, const image_span *span, const filter *f, double *scratch) {
    for (uint32_t i = 0; i < axis->outputs; i++) weigh(axis, i, span, f, scratch);
}

static void fill_nearest(image_axis *axis, const image_span *span, const filter *f) {
    uint32_t size = span->high - span->low;
    double begin = span->begin - span->low, position = begin + f->scale * 0.5;
    bool adds = f->shift == 0;                                            // as Pillow; OpenCV multiplies ...
    double scale = 1 / ((double)span->total / (span->end - span->begin)); // ... by this, which may end a hair off
    for (uint64_t skipped = 0; adds && skipped < span->offset; skipped++) position += f->scale;
    for (uint32_t i = 0; i < axis->outputs; i++, position += f->scale) {
        if (!adds) position = begin + (double)(span->offset + i) * scale;
        uint32_t pixel = position < 0 ? 0 : (uint32_t)position;
        axis->first[i] = span->low + (pixel < size ? pixel : size - 1);
        axis->count[i] = 1;
        axis->weight[i] = 1 << AXIS_PRECISION;
    }
}

static void swap_u32(uint32_t *a, uint32_t *b) {
    uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

static void swap_i32(int32_t *a, int32_t *b) {
    int32_t kept = *a;
    *a = *b;
    *b = kept;
}

// Turns the table around for an axis that is stored the other way, so that it still rises.
static void mirror(image_axis *axis, uint32_t size) {
    size_t taps = axis->taps;
    for (uint32_t i = 0; i < axis->outputs; i++) {
        int32_t *w = axis->weight + i * taps;
        uint32_t count = axis->count[i];
        axis->first[i] = size - axis->first[i] - count;
        for (uint32_t k = 0; k < count / 2; k++) swap_i32(&w[k], &w[count - 1 - k]);
    }
    for (uint32_t i = 0; i < axis->outputs / 2; i++) {
        uint32_t j = axis->outputs - 1 - i;
        swap_u32(&axis->first[i], &axis->first[j]);
        swap_u32(&axis->count[i], &axis->count[j]);
        for (uint32_t k = 0; k < taps; k++) swap_i32(&axis->weight[i * taps + k], &axis->weight[j * taps + k]);
    }
}

static dsc_status split_weights(image_axis *axis, dsc_error *err) {
    uint32_t most = 1;
    for (uint32_t i = 0; i < axis->outputs; i++) most = axis->count[i] > most ? axis->count[i] : most;
    axis->groups = (most + AXIS_GROUP - 1) / AXIS_GROUP;
    size_t bytes = (size_t)axis->groups * 2 * AXIS_GROUP * sizeof *axis->split; // of a target pixel
    axis->split = mem_calloc(axis->outputs, bytes);
    if (!axis->split) return error_no_memory(err, axis->outputs * bytes);
    for (uint32_t i = 0; i < axis->outputs; i++) {
        const int32_t *weight = axis->weight + (size_t)i * axis->taps;
        int16_t *split = axis->split + (size_t)i * axis->groups * 2 * AXIS_GROUP;
        for (uint32_t k = 0; k < axis->count[i]; k++) {
            int16_t *group = split + (size_t)(k / AXIS_GROUP) * 2 * AXIS_GROUP + k % AXIS_GROUP;
            group[0] = (int16_t)(weight[k] >> AXIS_LOW_BITS);
            group[AXIS_GROUP] = (int16_t)(weight[k] & ((1 << AXIS_LOW_BITS) - 1));
        }
    }
    return DSC_OK;
}

static dsc_status allocate(image_axis *axis, dsc_error *err) {
    size_t weights = (size_t)axis->outputs * axis->taps; // no overflow: taps * outputs < 9 * (source + target)
    axis->first = mem_calloc(axis->outputs, sizeof *axis->first);
    axis->count = mem_calloc(axis->outputs, sizeof *axis->count);
    axis->weight = mem_calloc(weights, sizeof *axis->weight);
    if (axis->first && axis->count && axis->weight) return DSC_OK;
    return error_no_memory(err, weights * sizeof *axis->weight);
}

dsc_status axis_init(image_axis *axis, const image_span *span, const dsc_preprocess *preprocess, dsc_error *err) {
    filter f = filter_make(span, preprocess);
    bool nearest = preprocess->filter == DSC_FILTER_NEAREST;
    *axis = (image_axis){.outputs = span->count, .taps = nearest ? 1 : (uint32_t)ceil(f.reach * f.stretch) * 2 + 1};
    dsc_status status = allocate(axis, err);
    double *scratch = mem_calloc(axis->taps, sizeof *scratch);
    if (status == DSC_OK && !scratch) status = error_no_memory(err, axis->taps * sizeof *scratch);
    if (status == DSC_OK) {
        if (nearest)
            fill_nearest(axis, span, &f);
        else
            fill_weights(axis, span, &f, scratch);
        if (span->mirrored) mirror(axis, span->size);
        status = split_weights(axis, err);
    }
    mem_free(scratch);
    return status;
}

void axis_close(image_axis *axis) {
    mem_free(axis->first);
    mem_free(axis->count);
    mem_free(axis->weight);
    mem_free(axis->split);
    *axis = (image_axis){0};
}

uint32_t axis_first(const image_axis *axis) {
    return axis->first[0];
}

uint32_t axis_last(const image_axis *axis) {
    uint32_t i = axis->outputs - 1;
    return axis->first[i] + axis->count[i] - 1;
}

uint32_t axis_active(const image_axis *axis) {
    uint32_t most = 1;
    for (uint32_t low = 0, i = 0; i < axis->outputs; i++) {
        while (axis->first[low] + axis->count[low] <= axis->first[i]) low++;
        if (i - low + 1 > most) most = i - low + 1;
    }
    return most;
}
