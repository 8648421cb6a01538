// SPDX-License-Identifier: Apache-2.0
// One door for every image format, and the checks that they share.
#define _GNU_SOURCE
#include "server/image/decode.h"

#include <inttypes.h>

#include "server/base/clock.h"

decode_limits decode_limits_default(void) {
    return (decode_limits){.pixels = 25000000, .memory_bytes = UINT64_C(256) << 20, .scans = 500};
}

bool decode_check_size(const decode_args *args, const char *format, uint64_t width, uint64_t height, fault *f) {
    if (width == 0 || height == 0) return fault_set(f, 422, "the %s has no pixels", format);
    if (width > DSC_IMAGE_SIDE_MAX || height > DSC_IMAGE_SIDE_MAX)
        return fault_set(f, 413, "the %s has %" PRIu64 " x %" PRIu64 " pixels; a side may have %d", format, width,
                         height, DSC_IMAGE_SIDE_MAX);
    if (width * height <= args->limits->pixels) return true;
    return fault_set(f, 413, "the %s has %" PRIu64 " x %" PRIu64 " pixels, %" PRIu64 " in all; the limit is %" PRIu64,
                     format, width, height, width * height, args->limits->pixels);
}

bool decode_check_deadline(const decode_args *args, fault *f) {
    uint64_t deadline = args->limits->deadline_ns;
    if (deadline == 0 || clock_ns() < deadline) return true;
    return fault_set(f, 504, "the deadline passed while the image was being decoded");
}

static bool dispatch(body_kind kind, const decode_args *args, fault *f) {
    switch (kind) {
        case BODY_JPEG: return decode_jpeg(args, f);
        case BODY_PNG: return decode_png(args, f);
        case BODY_NPY: return decode_npy(args, f);
        case BODY_WEBP: return decode_webp(args, f);
        case BODY_OIP_BINARY:
        case BODY_MULTIPART:
        case BODY_RAW:
        case BODY_JSON: break;
    }
    return fault_set(f, 415, "a %s is no image", body_kind_name(kind));
}

bool decode_image(const decode_source *source, const dsc_preprocess *preprocess, const dsc_image_target *target,
                  decode_stats *stats, fault *f) {
    const decode_limits defaults = decode_limits_default();
    decode_stats unused;
    decode_args args = {.bytes = source->bytes,
                        .size = source->size,
                        .limits = source->limits ? source->limits : &defaults,
                        .preprocess = preprocess,
                        .target = target,
                        .stats = stats ? stats : &unused};
    *args.stats = (decode_stats){.orientation = 1, .shrink = 1};
    uint64_t start = clock_ns();
    bool done = dispatch(source->kind, &args, f);
    args.stats->decode_ns = clock_ns() - start - args.stats->preprocess_ns;
    return done;
}
