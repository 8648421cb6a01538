// SPDX-License-Identifier: Apache-2.0
// Crop and resize geometry. Everything is decided on the upright image at its full size, as Pillow and torchvision
// would see it, and then carried over to the stored and possibly reduced one.
#include "engine/image/geometry.h"

#include <math.h>

#include "engine/base/error.h"

// Products such as 0.1 * 230 lie a hair under the whole number that is meant.
static double floor_tolerant(double value) {
    return floor(value + 1e-6);
}

typedef struct upright {
    uint32_t width, height; // of the upright source
    uint32_t target_width, target_height;
} upright;

static void span_whole(image_span *span, uint32_t size, uint32_t count) {
    *span = (image_span){.end = size, .high = size, .total = count, .count = count};
}

static void cut_centre(image_span *span, uint32_t size, double part) {
    uint32_t kept = (uint32_t)nearbyint(part); // halves to even, as Python rounds
    if (kept < 1) kept = 1;
    if (kept > size) kept = size;
    uint32_t first = (size - kept) / 2;
    span->begin = first;
    span->end = first + kept;
    span->low = first;
    span->high = first + kept;
}

static void resolve_centre_square(const upright *u, double fraction, image_span *x, image_span *y) {
    double width = u->width, height = u->height;
    double aspect = (double)u->target_width / u->target_height;
    bool wide = (uint64_t)u->width * u->target_height >= (uint64_t)u->height * u->target_width;
    cut_centre(x, u->width, fraction * (wide ? height * aspect : width));
    cut_centre(y, u->height, fraction * (wide ? height : width / aspect));
}

// Half of an odd difference is rounded to even, as torchvision's centre crop does it.
static uint64_t centre_offset(uint64_t total, uint32_t count) {
    uint64_t difference = total - count, half = difference / 2;
    return difference % 2 != 0 && half % 2 != 0 ? half + 1 : half;
}

static uint32_t letterbox_side(double exact, uint32_t most) {
    double side = floor(exact + 0.5);
    return side < 1 ? 1 : side > most ? most : (uint32_t)side;
}

static void resolve_letterbox(const upright *u, image_span *x, image_span *y) {
    double across = (double)u->target_width / u->width, down = (double)u->target_height / u->height;
    double factor = across < down ? across : down;
    x->count = letterbox_side(u->width * factor, u->target_width);
    y->count = letterbox_side(u->height * factor, u->target_height);
    x->total = x->count;
    y->total = y->count;
}

static bool resolve_shorter_side(const upright *u, const dsc_preprocess *p, image_span *x, image_span *y) {
    bool wide = (uint64_t)u->width * u->target_height >= (uint64_t)u->height * u->target_width;
    if (p->shorter_side) wide = u->width >= u->height;      // a number is the image's own shorter side
    image_span *lead = wide ? y : x, *other = wide ? x : y; // the lead's target decides the scale
    uint32_t lead_size = wide ? u->height : u->width, other_size = wide ? u->width : u->height;
    uint64_t total = p->shorter_side ? p->shorter_side : (uint64_t)floor_tolerant(lead->count / p->fraction);
    lead->total = total;
    other->total = total * other_size / lead_size;
    if (lead->total < lead->count || other->total < other->count) return false;
    lead->offset = centre_offset(lead->total, lead->count);
    other->offset = centre_offset(other->total, other->count);
    return true;
}

// From the upright image to the fed one: reduced by `shrink`, where the last fed pixel may be a part of one, which
// shifts positions that are counted from the far end.
static void shrink_span(image_span *span, uint32_t size, uint32_t shrink) {
    double full = (double)size / shrink;
    span->size = (size + shrink - 1) / shrink;
    double shift = span->mirrored ? span->size - full : 0;
    span->begin = span->begin / shrink + shift;
    span->end = span->end / shrink + shift;
    double low = floor(span->low / (double)shrink + shift), high = ceil(span->high / (double)shrink + shift);
    span->low = (uint32_t)low;
    span->high = high > span->size ? span->size : (uint32_t)high;
}

static bool number_is_usable(double value) {
    return isfinite(value) && fabs(value) <= 1e30;
}

static dsc_status check_values(const dsc_preprocess *p, const dsc_image_target *target, dsc_error *err) {
    if (!number_is_usable(p->scale)) return error_set(err, DSC_BAD_ARGUMENT, "the preprocessing's scale is no number");
    for (uint32_t c = 0; c < target->channels; c++) {
        if (!number_is_usable(p->mean[c]) || !number_is_usable(p->std[c]) || p->std[c] == 0)
            return error_set(err, DSC_BAD_ARGUMENT, "the preprocessing's mean or std of channel %u is impossible", c);
    }
    if ((p->resize == DSC_RESIZE_CENTRE_SQUARE || p->resize == DSC_RESIZE_SHORTER_SIDE) &&
        !(p->fraction >= 0.01 && p->fraction <= 1))
        return error_set(err, DSC_BAD_ARGUMENT, "the fraction to crop must be from 0.01 to 1, not %g", p->fraction);
    if (p->shorter_side > DSC_IMAGE_SIDE_MAX)
        return error_set(err, DSC_BAD_ARGUMENT, "the shorter side can have at most %d pixels, not %u",
                         DSC_IMAGE_SIDE_MAX, p->shorter_side);
    if (target->channels == 1 && (p->color == DSC_COLOR_RGB || p->color == DSC_COLOR_BGR))
        return error_set(err, DSC_BAD_ARGUMENT, "a tensor of one channel cannot hold a colour image: choose grey");
    if (p->antialias && p->align == DSC_ALIGN_CORNER)
        return error_set(err, DSC_BAD_ARGUMENT, "pixels that are counted from the corner cannot be antialiased");
    if (!p->antialias && p->filter == DSC_FILTER_BOX)
        return error_set(err, DSC_BAD_ARGUMENT,
                         "the box filter without antialiasing is the nearest pixel: choose that");
    return DSC_OK;
}

static bool side_is_usable(uint32_t side) {
    return side >= 1 && side <= DSC_IMAGE_SIDE_MAX;
}

static dsc_status check_sizes(const dsc_image_source *source, const dsc_image_target *target, dsc_error *err) {
    if (!side_is_usable(source->width) || !side_is_usable(source->height))
        return error_set(err, DSC_BAD_ARGUMENT, "an image of %u x %u pixels cannot be resized: 1 to %d are allowed",
                         source->width, source->height, DSC_IMAGE_SIDE_MAX);
    if (source->channels < 1 || source->channels > DSC_IMAGE_CHANNELS || source->orientation > 8)
        return error_set(err, DSC_BAD_ARGUMENT, "an image with %u channels and orientation %u is unknown",
                         source->channels, source->orientation);
    uint32_t shrink = source->shrink;
    if (shrink > 16) return error_set(err, DSC_BAD_ARGUMENT, "a decoder's reduction by %u is not supported", shrink);
    if (!side_is_usable(target->width) || !side_is_usable(target->height))
        return error_set(err, DSC_BAD_ARGUMENT, "a tensor of %u x %u pixels is impossible: 1 to %d are allowed",
                         target->width, target->height, DSC_IMAGE_SIDE_MAX);
    if (target->channels != 1 && target->channels != 3)
        return error_set(err, DSC_BAD_ARGUMENT, "an image tensor has 1 or 3 channels, not %u", target->channels);
    return DSC_OK;
}

dsc_status geometry_resolve(const dsc_image_source *source, const dsc_preprocess *preprocess,
                            const dsc_image_target *target, image_geometry *out, dsc_error *err) {
    dsc_status status = check_sizes(source, target, err);
    if (status == DSC_OK) status = check_values(preprocess, target, err);
    if (status != DSC_OK) return status;
    uint32_t orientation = source->orientation ? source->orientation : 1;
    bool transposed = orientation >= 5;
    upright u = {transposed ? source->height : source->width, transposed ? source->width : source->height,
                 target->width, target->height};
    image_span x, y;
    span_whole(&x, u.width, target->width);
    span_whole(&y, u.height, target->height);
    bool covers = true;
    switch (preprocess->resize) {
        case DSC_RESIZE_STRETCH: break;
        case DSC_RESIZE_CENTRE_SQUARE: resolve_centre_square(&u, preprocess->fraction, &x, &y); break;
        case DSC_RESIZE_SHORTER_SIDE: covers = resolve_shorter_side(&u, preprocess, &x, &y); break;
        case DSC_RESIZE_LETTERBOX: resolve_letterbox(&u, &x, &y); break;
    }
    if (!covers)
        return error_set(err, DSC_BAD_ARGUMENT, "the image resized to a shorter side of %u is smaller than %u x %u",
                         preprocess->shorter_side, target->width, target->height);
    x.mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    y.mirrored = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    shrink_span(&x, u.width, source->shrink ? source->shrink : 1);
    shrink_span(&y, u.height, source->shrink ? source->shrink : 1);
    *out = (image_geometry){.x = transposed ? y : x, .y = transposed ? x : y, .transposed = transposed};
    out->left = (target->width - x.count) / 2;
    out->top = (target->height - y.count) / 2;
    out->padded = x.count < target->width || y.count < target->height;
    return DSC_OK;
}
