// SPDX-License-Identifier: Apache-2.0
// Which part of a stored image becomes which pixels of the target: resize mode, crop, EXIF orientation and a decoder's
// own reduction, resolved into one description per axis of the stored image.
#ifndef DSC_IMAGE_GEOMETRY_H
#define DSC_IMAGE_GEOMETRY_H

#include "engine/dsc_image.h"

// Along one axis, in units of fed (shrunk) pixels, counted in the direction in which the upright image is read.
typedef struct image_span {
    uint32_t size;      // fed pixels along the axis
    double begin, end;  // the part that the resized image covers
    uint32_t low, high; // pixels outside [low, high) are not read: the part was cut out ahead of the resizing
    uint64_t total;     // pixels of the resized image along the axis ...
    uint64_t offset;    // ... of which those from `offset` on are kept,
    uint32_t count;     // this many
    bool mirrored;      // the stored axis runs the other way
} image_span;

typedef struct image_geometry {
    image_span x, y;    // of the stored image
    bool transposed;    // stored columns are the upright image's rows
    uint32_t left, top; // of the upright image inside the target; the rest is padded
    bool padded;
} image_geometry;

// Checks source, preprocess and target against each other; see dsc_resizer_create().
dsc_status geometry_resolve(const dsc_image_source *source, const dsc_preprocess *preprocess,
                            const dsc_image_target *target, image_geometry *out, dsc_error *err);

#endif
