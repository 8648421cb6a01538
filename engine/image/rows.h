// SPDX-License-Identifier: Apache-2.0
// What is done to a row of pixels on its way through the resizer. Pure functions over pointers.
#ifndef DSC_IMAGE_ROWS_H
#define DSC_IMAGE_ROWS_H

#include "engine/image/axis.h"

// From a fed row to one that is worked on.
typedef struct row_format {
    uint32_t from; // channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
    uint32_t to;   // 1 or 3, and another than `from`
    bool blend;    // alpha is blended over the background, red, green and blue; else it is dropped
    uint8_t background[3];
} row_format;
void row_convert(const uint8_t *restrict source, const row_format *format, uint8_t *restrict out, uint32_t columns);

// The three steps that take the time, once per instruction set; all tiers give the same bytes.
typedef struct row_kernels {
    // Resizes a row of 1 or 3 channels: `source` begins at the axis's first column and ends at its last.
    void (*resize)(const image_axis *axis, const uint8_t *restrict source, uint32_t channels, uint8_t *restrict out);
    // sums[i] += weight * row[i]
    void (*accumulate)(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight, size_t count);
    // Sums back to 8 bits.
    void (*round)(const int32_t *restrict sums, uint8_t *restrict out, size_t count);
} row_kernels;
extern const row_kernels row_kernels_ref, row_kernels_avx2;
const row_kernels *row_kernels_best(void); // of this CPU

// The same where values beyond 0 and 255 must live from the first pass to the end: rows between the passes have
// ROW_WIDE_BITS after the point. Even two passes with weights of 1.83, all without their signs, stay inside an int32.
#define ROW_WIDE_BITS 5
void row_resize_wide(const image_axis *axis, const uint8_t *restrict source, uint32_t channels, int16_t *restrict out);
void row_accumulate_wide(int32_t *restrict sums, const int16_t *restrict row, int32_t weight, size_t count);
void row_round_wide(const int32_t *restrict sums, uint8_t *restrict out, size_t count);

// Where the pixels of a finished row go.
typedef struct row_target {
    const float (*values)[256]; // per target channel: what each byte becomes
    uint32_t count;             // pixels
    uint32_t channels;          // of the row: 1 or 3; 1 is repeated
    uint32_t target_channels;
    bool reversed;                      // blue first
    ptrdiff_t pixel_step, channel_step; // in floats
} row_target;
void row_write(const row_target *target, const uint8_t *restrict row, float *restrict out);

#endif
