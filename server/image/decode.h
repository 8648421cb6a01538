// SPDX-License-Identifier: Apache-2.0
// From the bytes of an image file to a model's input: the header is read and checked against the limits first, then
// rows stream from the decoder into the resizer.
//
// Everything here works on the caller's bytes and keeps nothing. Threads: any number at once.
#ifndef DSCD_DECODE_H
#define DSCD_DECODE_H

#include "engine/dsc_image.h"
#include "server/base/fault.h"
#include "server/image/body.h"
#include "server/image/npy.h"

typedef struct decode_limits {
    uint64_t pixels;       // width * height
    uint64_t memory_bytes; // that one decoder may hold (progressive JPEG and interlaced PNG keep a whole image)
    uint32_t scans;        // of a progressive JPEG
    uint64_t deadline_ns;  // absolute, CLOCK_MONOTONIC; 0: none. Looked at between rows and scans
    bool accept_truncated; // of a file that was cut off the first part counts, the rest is grey; else a fault
} decode_limits;
decode_limits decode_limits_default(void); // 25 million pixels, 256 MiB, 500 scans, no deadline, only whole files

typedef struct decode_stats {
    uint32_t width, height, channels; // as stored
    uint32_t orientation;             // EXIF, 1..8
    uint32_t shrink;                  // 1, 2, 4 or 8: how much the decoder itself reduced
    uint64_t decode_ns;               // in the decoder
    uint64_t preprocess_ns;           // in the resizer
} decode_stats;

typedef struct decode_source {
    body_kind kind; // JPEG, PNG, WEBP, or NPY (uint8, H x W or H x W x C)
    const uint8_t *bytes;
    size_t size;
    const decode_limits *limits; // NULL: defaults
} decode_source;

// Decodes, resizes and normalises into target->data. `stats` may be NULL.
// Faults: 413 beyond the pixel limit, 415 for a kind without a decoder, 422 where the image cannot be decoded (cut
// off and damaged files included), 504 at the deadline, 503 out of memory.
bool decode_image(const decode_source *source, const dsc_preprocess *preprocess, const dsc_image_target *target,
                  decode_stats *stats, fault *f);

// One per format; called by decode_image(). The public face is above.
typedef struct decode_args {
    const uint8_t *bytes;
    size_t size;
    const decode_limits *limits;
    const dsc_preprocess *preprocess;
    const dsc_image_target *target;
    decode_stats *stats; // never NULL
} decode_args;
bool decode_jpeg(const decode_args *args, fault *f);
bool decode_png(const decode_args *args, fault *f);
bool decode_webp(const decode_args *args, fault *f);
bool decode_npy(const decode_args *args, fault *f);

const char *decode_jpeg_library(void); // name and version
const char *decode_png_library(void);
const char *decode_webp_library(void);

// Shared by them: the pixel limit (413) and the deadline (504).
bool decode_check_size(const decode_args *args, const char *format, uint64_t width, uint64_t height, fault *f);
bool decode_check_deadline(const decode_args *args, fault *f);

#endif
