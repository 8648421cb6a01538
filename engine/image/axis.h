// SPDX-License-Identifier: Apache-2.0
// The filter of one axis: for every target pixel, which source pixels count and how much.
#ifndef DSC_IMAGE_AXIS_H
#define DSC_IMAGE_AXIS_H

#include "engine/image/geometry.h"

// Bits after the point of a weight: 255 << 22 times 1.83, the sum of all weights without their signs, stays inside an
// int32.
#define AXIS_PRECISION 22
#define AXIS_LOW_BITS  11
#define AXIS_GROUP     4

// Target pixel i reads source pixels first[i] ... first[i] + count[i] - 1 with weights weight[i * taps + 0 ...], which
// add up to about 1 << AXIS_PRECISION. Indexes are those of the stored axis; both first and last never fall.
typedef struct image_axis {
    uint32_t outputs;
    uint32_t taps; // most source pixels of one target pixel
    uint32_t *first, *count;
    int32_t *weight;
    // The same weights for kernels that multiply 16 bits: high * 2^AXIS_LOW_BITS + low. Groups of four taps, four high
    // parts and then four low ones, the last group filled up with zeros.
    int16_t *split;
    uint32_t groups; // of a target pixel
} image_axis;

dsc_status axis_init(image_axis *axis, const image_span *span, const dsc_preprocess *preprocess, dsc_error *err);
void axis_close(image_axis *axis); // zeroed or half-built ones too

uint32_t axis_first(const image_axis *axis); // the first source pixel that any target pixel reads
uint32_t axis_last(const image_axis *axis);
uint32_t axis_active(const image_axis *axis); // most target pixels that one source pixel lies between the ends of

#endif
