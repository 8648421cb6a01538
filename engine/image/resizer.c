// SPDX-License-Identifier: Apache-2.0
// The streaming resizer. A fed row is resized along its length at once and then added, with its weight, to the sums of
// every target row that it touches; a target row leaves as soon as its last source row has come. Integer sums do not
// depend on their order, so this gives what a vertical pass over the whole image gives, without holding the image.
// Where the stored image lies on its side, the upright image's rows are stored columns: then the sums come first, at
// the source's width, and a finished row is resized along its length, to round in the same order as for an upright one.
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/image/axis.h"
#include "engine/image/rows.h"

// Summing first costs rows of sums at the source's width, many of them where an image is enlarged. Beyond this many
// sums, which takes a strip of thousands by a few pixels, the usual order is taken instead; it rounds and clips
// otherwise.
#define SUMS_FIRST_MAX (4u << 20)

struct dsc_resizer {
    image_axis x, y;
    const row_kernels *kernels;
    row_format format;      // of fed rows
    uint32_t channels;      // of those that are worked on
    uint32_t base, columns; // fed columns that are read
    uint32_t row;           // the next fed row
    uint32_t low, high;     // target rows that are being summed up
    uint32_t slots;         // rows of sums
    bool sums_first, is_wide;
    size_t sum_values;  // of a row of sums
    uint8_t *converted; // a fed row in the channels that are worked on
    uint8_t *rounded;   // a row after the first pass
    int16_t *wide;      // the same, unclipped
    uint8_t *resized;   // a row after both
    int32_t *sums;
    float (*values)[256];
    row_target target;
    float *origin;      // of the first target row
    ptrdiff_t row_step; // from one to the next
};

dsc_preprocess dsc_preprocess_default(void) {
    return (dsc_preprocess){.resize = DSC_RESIZE_STRETCH,
                            .fraction = 1,
                            .filter = DSC_FILTER_BILINEAR,
                            .antialias = true,
                            .color = DSC_COLOR_AUTO,
                            .scale = 1 / 255.0,
                            .std = {1, 1, 1}};
}

static double pixels_per_target(const image_span *span, uint32_t shrink) {
    return (span->end - span->begin) * shrink / (double)span->total;
}

dsc_status dsc_image_reduction(const dsc_image_source *source, const dsc_preprocess *preprocess,
                               const dsc_image_target *target, double *horizontal, double *vertical, dsc_error *err) {
    image_geometry geometry;
    dsc_status status = geometry_resolve(source, preprocess, target, &geometry, err);
    if (status != DSC_OK) return status;
    uint32_t shrink = source->shrink ? source->shrink : 1;
    *horizontal = pixels_per_target(&geometry.x, shrink);
    *vertical = pixels_per_target(&geometry.y, shrink);
    return DSC_OK;
}

static ptrdiff_t column_step(const dsc_image_target *target) {
    return target->layout == DSC_LAYOUT_NCHW ? 1 : (ptrdiff_t)target->channels;
}

static ptrdiff_t line_step(const dsc_image_target *target) {
    return target->row_step ? target->row_step : column_step(target) * (ptrdiff_t)target->width;
}

static void place_target(dsc_resizer *r, const image_geometry *geometry, const dsc_image_target *target) {
    bool planes = target->layout == DSC_LAYOUT_NCHW;
    ptrdiff_t column = column_step(target), line = line_step(target);
    ptrdiff_t along = geometry->transposed ? line : column, across = geometry->transposed ? column : line;
    r->origin = target->data + (size_t)line * geometry->top + (size_t)column * geometry->left;
    if (geometry->x.mirrored) r->origin += along * (ptrdiff_t)(geometry->x.count - 1);
    if (geometry->y.mirrored) r->origin += across * (ptrdiff_t)(geometry->y.count - 1);
    r->target.pixel_step = geometry->x.mirrored ? -along : along;
    r->row_step = geometry->y.mirrored ? -across : across;
    r->target.channel_step = planes ? line * (ptrdiff_t)target->height : 1;
}

static void fill_values(dsc_resizer *r, const dsc_preprocess *p) {
    for (uint32_t c = 0; c < r->target.target_channels; c++) {
        for (int v = 0; v < 256; v++) r->values[c][v] = (float)((v * p->scale - p->mean[c]) / p->std[c]);
    }
}

// The whole target as if it were padding; the image is written over it.
static void fill_padding(const dsc_resizer *r, const dsc_preprocess *p, const dsc_image_target *target) {
    uint8_t pad[3], grey;
    memcpy(pad, p->pad, sizeof pad);
    row_convert(pad, &(row_format){.from = 3, .to = 1}, &grey, 1);
    if (p->color == DSC_COLOR_GREY || target->channels == 1) memset(pad, grey, sizeof pad);
    ptrdiff_t column = column_step(target), line = line_step(target);
    for (uint32_t c = 0; c < target->channels; c++) {
        float value = r->values[c][pad[r->target.reversed ? 2 - c : c]];
        float *plane = target->data + (ptrdiff_t)c * r->target.channel_step;
        for (uint32_t y = 0; y < target->height; y++) {
            float *place = plane + (ptrdiff_t)y * line;
            for (uint32_t x = 0; x < target->width; x++, place += column) *place = value;
        }
    }
}

static dsc_status allocate_rows(dsc_resizer *r, dsc_error *err) {
    size_t sums = (size_t)r->slots * r->sum_values; // slots <= 65535, a row <= 3 * 65535: no overflow in 64 bits
    r->converted = mem_alloc((size_t)r->columns * r->channels);
    r->rounded = mem_alloc(r->sum_values);
    r->wide = mem_alloc(r->is_wide ? r->sum_values * sizeof *r->wide : 1);
    r->resized = mem_alloc((size_t)r->x.outputs * r->channels);
    r->sums = mem_calloc(sums, sizeof *r->sums);
    r->values = mem_calloc(r->target.target_channels, sizeof *r->values);
    if (r->converted && r->rounded && r->wide && r->resized && r->sums && r->values) return DSC_OK;
    return error_no_memory(err, sums * sizeof *r->sums);
}

static dsc_status build(dsc_resizer *r, const dsc_image_source *source, const dsc_preprocess *preprocess,
                        const dsc_image_target *target, dsc_error *err) {
    image_geometry geometry;
    dsc_status status = geometry_resolve(source, preprocess, target, &geometry, err);
    if (status == DSC_OK) status = axis_init(&r->x, &geometry.x, preprocess, err);
    if (status == DSC_OK) status = axis_init(&r->y, &geometry.y, preprocess, err);
    if (status != DSC_OK) return status;
    bool grey = source->channels <= 2 || preprocess->color == DSC_COLOR_GREY || target->channels == 1;
    r->kernels = row_kernels_best();
    r->format = (row_format){.from = source->channels, .to = grey ? 1 : 3, .blend = preprocess->blend};
    memcpy(r->format.background, preprocess->background, sizeof r->format.background);
    r->channels = grey ? 1 : 3;
    r->base = axis_first(&r->x);
    r->columns = axis_last(&r->x) - r->base + 1;
    r->slots = axis_active(&r->y);
    r->is_wide = !preprocess->antialias &&
                 (preprocess->filter == DSC_FILTER_BICUBIC || preprocess->filter == DSC_FILTER_LANCZOS);
    r->sums_first =
        geometry.transposed && !r->is_wide && (uint64_t)r->slots * r->columns * r->channels <= SUMS_FIRST_MAX;
    r->sum_values = (size_t)(r->sums_first ? r->columns : r->x.outputs) * r->channels;
    r->target = (row_target){.count = r->x.outputs,
                             .channels = r->channels,
                             .target_channels = target->channels,
                             .reversed = preprocess->color == DSC_COLOR_BGR};
    place_target(r, &geometry, target);
    status = allocate_rows(r, err);
    if (status != DSC_OK) return status;
    fill_values(r, preprocess);
    r->target.values = (const float(*)[256])r->values;
    if (geometry.padded) fill_padding(r, preprocess, target);
    return DSC_OK;
}

dsc_status dsc_resizer_create(const dsc_image_source *source, const dsc_preprocess *preprocess,
                              const dsc_image_target *target, dsc_resizer **out, dsc_error *err) {
    if (!target->data) return error_set(err, DSC_BAD_ARGUMENT, "the image tensor has no memory");
    if (target->row_step && target->row_step < column_step(target) * (ptrdiff_t)target->width)
        return error_set(err, DSC_BAD_ARGUMENT, "the image tensor's rows overlap");
    dsc_resizer *r = mem_calloc(1, sizeof *r);
    if (!r) return error_no_memory(err, sizeof *r);
    dsc_status status = build(r, source, preprocess, target, err);
    if (status != DSC_OK) {
        dsc_resizer_free(r);
        return status;
    }
    *out = r;
    return DSC_OK;
}

void dsc_resizer_free(dsc_resizer *r) {
    if (!r) return;
    axis_close(&r->x);
    axis_close(&r->y);
    mem_free(r->converted);
    mem_free(r->rounded);
    mem_free(r->wide);
    mem_free(r->resized);
    mem_free(r->sums);
    mem_free(r->values);
    mem_free(r);
}

static int32_t *sums_of(const dsc_resizer *r, uint32_t target_row) {
    return r->sums + (size_t)(target_row % r->slots) * r->sum_values;
}

static void finish_row(dsc_resizer *r, uint32_t target_row) {
    int32_t *sums = sums_of(r, target_row);
    const uint8_t *row = r->rounded;
    if (r->is_wide)
        row_round_wide(sums, r->rounded, r->sum_values);
    else
        r->kernels->round(sums, r->rounded, r->sum_values);
    memset(sums, 0, r->sum_values * sizeof *sums); // for the next row in this slot
    if (r->sums_first) {
        r->kernels->resize(&r->x, r->rounded, r->channels, r->resized);
        row = r->resized;
    }
    row_write(&r->target, row, r->origin + (ptrdiff_t)target_row * r->row_step);
}

// To every target row that fed row `now` lies in.
static void add_row(dsc_resizer *r, const uint8_t *row, uint32_t now) {
    if (r->is_wide) {
        row_resize_wide(&r->x, row, r->channels, r->wide);
    } else if (!r->sums_first) {
        r->kernels->resize(&r->x, row, r->channels, r->rounded);
        row = r->rounded;
    }
    for (uint32_t j = r->low; j < r->high; j++) {
        uint32_t tap = now - r->y.first[j];
        if (tap >= r->y.count[j]) continue;
        int32_t weight = r->y.weight[(size_t)j * r->y.taps + tap];
        if (r->is_wide)
            row_accumulate_wide(sums_of(r, j), r->wide, weight, r->sum_values);
        else
            r->kernels->accumulate(sums_of(r, j), row, weight, r->sum_values);
    }
}

void dsc_resizer_push(dsc_resizer *r, const uint8_t *row) {
    uint32_t now = r->row++;
    while (r->high < r->y.outputs && r->y.first[r->high] <= now) r->high++;
    if (r->low == r->high) return; // ahead of the first row, or after the last
    const uint8_t *part = row + (size_t)r->base * r->format.from;
    if (r->format.from != r->channels) {
        row_convert(part, &r->format, r->converted, r->columns);
        part = r->converted;
    }
    add_row(r, part, now);
    while (r->low < r->high && r->y.first[r->low] + r->y.count[r->low] <= now + 1) finish_row(r, r->low++);
}

void dsc_resizer_skip(dsc_resizer *r, uint32_t count) {
    uint32_t before = dsc_resizer_first_row(r);
    if (r->row < before) r->row += count < before - r->row ? count : before - r->row;
}

uint32_t dsc_resizer_first_row(const dsc_resizer *r) {
    return axis_first(&r->y);
}

uint32_t dsc_resizer_last_row(const dsc_resizer *r) {
    return axis_last(&r->y);
}

dsc_status dsc_resizer_finish(const dsc_resizer *r, dsc_error *err) {
    if (r->low == r->y.outputs) return DSC_OK;
    return error_set(err, DSC_BAD_ARGUMENT, "the image ended at row %u; row %u is needed", r->row,
                     dsc_resizer_last_row(r));
}

dsc_status dsc_image_convert(const dsc_image_source *source, const uint8_t *pixels, size_t stride,
                             const dsc_preprocess *preprocess, const dsc_image_target *target, dsc_error *err) {
    dsc_resizer *r = NULL;
    dsc_status status = dsc_resizer_create(source, preprocess, target, &r, err);
    if (status != DSC_OK) return status;
    uint32_t end = dsc_resizer_last_row(r) + 1;
    for (uint32_t y = 0; y < end; y++) dsc_resizer_push(r, pixels + y * stride);
    status = dsc_resizer_finish(r, err);
    dsc_resizer_free(r);
    return status;
}
