// SPDX-License-Identifier: Apache-2.0
// An array of bytes, H x W or H x W x C, is an image that needs no decoding.
#define _GNU_SOURCE
#include "server/base/clock.h"
#include "server/image/decode.h"

bool decode_npy(const decode_args *args, fault *f) {
    npy_view view;
    if (!npy_parse(args->bytes, args->size, &view, f)) return false;
    int64_t channels = view.rank == 3 ? view.dims[2] : 1;
    if (view.dtype != DSC_U8 || (view.rank != 2 && view.rank != 3) || channels < 1 || channels > 4 || channels == 2)
        return fault_set(f, 400, "the .npy array is no image: it must be uint8, H x W or H x W x 1, 3 or 4");
    if (!decode_check_size(args, ".npy image", (uint64_t)view.dims[1], (uint64_t)view.dims[0], f)) return false;
    const dsc_image_source source = {
        .width = (uint32_t)view.dims[1], .height = (uint32_t)view.dims[0], .channels = (uint32_t)channels};
    args->stats->width = source.width;
    args->stats->height = source.height;
    args->stats->channels = source.channels;
    dsc_error err;
    uint64_t start = clock_ns();
    size_t stride = (size_t)source.width * source.channels;
    dsc_status status = dsc_image_convert(&source, view.data, stride, args->preprocess, args->target, &err);
    args->stats->preprocess_ns = clock_ns() - start;
    return status == DSC_OK || fault_from_engine(f, "the .npy image", &err);
}
