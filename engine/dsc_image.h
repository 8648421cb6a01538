// SPDX-License-Identifier: Apache-2.0
// libdsc: from the pixels of a photo to the tensor that an image model takes. The second public header.
//
//   resizer = create(source, preprocess, target);  push(row) for every row, top to bottom;  finish;  free
//
// Rows stream in as a decoder delivers them; no more than a few rows of the *target's* width are kept. The result is
// what Pillow's convert(), crop() and resize() give, to the bit (two passes, horizontal first, each rounded to 8
// bits), then (x * scale - mean) / std in the model's layout. Without antialiasing the weights are OpenCV's or
// TensorFlow 1's, with the same two roundings.
//
// Ownership: create gives, free takes, free(NULL) is fine; the target's memory is the caller's and must outlive the
// resizer. Errors: as in dsc.h. Threads: a resizer belongs to one thread at a time; different ones are independent.
#ifndef DSC_IMAGE_H
#define DSC_IMAGE_H

#include "engine/dsc.h"

#define DSC_IMAGE_CHANNELS 4     // most channels of a source
#define DSC_IMAGE_SIDE_MAX 65535 // most pixels along one side of a source or a target

typedef enum dsc_resize {
    DSC_RESIZE_STRETCH,       // the whole image to the target's size; the aspect ratio may change
    DSC_RESIZE_CENTRE_SQUARE, // cut the centred part of the target's aspect, `fraction` of the largest; then resize
    DSC_RESIZE_SHORTER_SIDE,  // resize until the shorter side has target / `fraction` pixels (or `shorter_side`,
                              // where that is not 0), then cut the target's size from the centre
    DSC_RESIZE_LETTERBOX,     // the whole image, as large as fits with its aspect ratio, in the centre of `pad`
} dsc_resize;

typedef enum dsc_filter {
    DSC_FILTER_NEAREST,
    DSC_FILTER_BILINEAR,
    DSC_FILTER_BICUBIC, // antialiased: a = -0.5 as Pillow's; else -0.75 as OpenCV's and TensorFlow 1's
    DSC_FILTER_BOX,     // antialiased only
    DSC_FILTER_LANCZOS, // antialiased: 3 lobes as Pillow's; else 4 as OpenCV's LANCZOS4
} dsc_filter;

// Where pixels lie without antialiasing: target pixel i reads around source position ...
typedef enum dsc_align {
    DSC_ALIGN_CENTRE, // (i + 0.5) * scale - 0.5: Pillow, OpenCV, PyTorch
    DSC_ALIGN_CORNER, // i * scale: TensorFlow 1, and nearest as OpenCV does it
} dsc_align;

typedef enum dsc_color {
    DSC_COLOR_AUTO, // RGB for a target of 3 channels, grey for one of 1
    DSC_COLOR_RGB,
    DSC_COLOR_BGR,
    DSC_COLOR_GREY, // ITU-R 601 luma; a target of 3 channels gets it three times
} dsc_color;

// Rises when the same description would give other numbers.
#define DSC_PREPROCESS_VERSION 1

// What becomes of an image on its way into a tensor. Values: (x * scale - mean) / std, x in 0..255; mean and std are
// in the target's order of channels.
typedef struct dsc_preprocess {
    dsc_resize resize;
    double fraction;       // in (0, 1]; read by CENTRE_SQUARE and SHORTER_SIDE
    uint32_t shorter_side; // pixels, or 0: from `fraction`
    dsc_filter filter;
    bool antialias;        // the filter widens with the reduction; false (for nearest, too): it keeps its width
    dsc_align align;       // CORNER: not where `antialias` is set
    bool blend;            // transparency: blended over `background`; false: dropped, as Pillow's convert("RGB") does
    uint8_t background[3]; // red, green, blue
    uint8_t pad[3];        // beside a letterboxed image: red, green, blue
    bool exact;            // decoders must not reduce the image themselves
    dsc_color color;
    double scale;
    double mean[3], std[3]; // one per target channel; std is not 0
} dsc_preprocess;

// The usual start: stretch, bilinear, antialiased, automatic colour, scale 1/255, mean 0, std 1.
DSC_API dsc_preprocess dsc_preprocess_default(void);

// What is fed. `orientation` is EXIF's 1..8 (0 counts as 1): 6, for one, means that the stored image must be turned
// by 90 degrees clockwise to stand upright. The tensor is always upright.
typedef struct dsc_image_source {
    uint32_t width, height; // of the stored image, in pixels
    uint32_t channels;      // of a fed row: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
    uint32_t orientation;
    uint32_t shrink; // rows come reduced by this factor, ceil(width / shrink) pixels wide, ceil(height / shrink) of
                     // them (a decoder's scaled output); 0 counts as 1
} dsc_image_source;

typedef enum dsc_layout { DSC_LAYOUT_NCHW, DSC_LAYOUT_NHWC } dsc_layout;

// Where it goes: one image of a tensor.
typedef struct dsc_image_target {
    uint32_t width, height;
    uint32_t channels; // 1 or 3
    dsc_layout layout;
    float *data;        // width * height * channels; with a row_step as many rows of it (NCHW: for each channel)
    ptrdiff_t row_step; // floats from row to row, at least a row's; 0: the rows are dense
} dsc_image_target;

// The size that the tensor part of a source comes from: how many source pixels become one target pixel along each
// side of the stored image (below 1: enlarged). A decoder that can scale asks this first. Errors as for create.
DSC_API dsc_status dsc_image_reduction(const dsc_image_source *source, const dsc_preprocess *preprocess,
                                       const dsc_image_target *target, double *horizontal, double *vertical,
                                       dsc_error *err);

typedef struct dsc_resizer dsc_resizer;
// DSC_BAD_ARGUMENT where sizes, channels or numbers are impossible (0 pixels, a side above DSC_IMAGE_SIDE_MAX, RGB
// for a target of one channel, std 0, ...). Nothing of the arguments but target->data is kept.
DSC_API dsc_status dsc_resizer_create(const dsc_image_source *source, const dsc_preprocess *preprocess,
                                      const dsc_image_target *target, dsc_resizer **out, dsc_error *err);
DSC_API void dsc_resizer_free(dsc_resizer *resizer);

// The next stored row: interleaved, ceil(width / shrink) * channels bytes. Rows after the last are ignored.
DSC_API void dsc_resizer_push(dsc_resizer *resizer, const uint8_t *row);
// `count` rows that are not needed, without their pixels. What is skipped must lie before dsc_resizer_first_row().
DSC_API void dsc_resizer_skip(dsc_resizer *resizer, uint32_t count);
DSC_API uint32_t dsc_resizer_first_row(const dsc_resizer *resizer); // the first stored (shrunk) row that is read
DSC_API uint32_t dsc_resizer_last_row(const dsc_resizer *resizer);  // the last one; later rows need not be pushed
// DSC_BAD_ARGUMENT where rows are missing: then the tensor is not whole.
DSC_API dsc_status dsc_resizer_finish(const dsc_resizer *resizer, dsc_error *err);

// All of it for an image in memory, `stride` bytes from row to row.
DSC_API dsc_status dsc_image_convert(const dsc_image_source *source, const uint8_t *pixels, size_t stride,
                                     const dsc_preprocess *preprocess, const dsc_image_target *target, dsc_error *err);

#endif
