// SPDX-License-Identifier: Apache-2.0
// PNG by libspng, the only file that knows it. Every kind of PNG is asked for as 8-bit RGB; transparency is dropped,
// and of 16-bit samples the upper byte is kept.
#define _GNU_SOURCE
#include <spng.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/image/decode.h"
#include "server/image/exif.h"

#define CHUNK_BYTES_MAX (size_t)(16 << 20) // colour profiles and texts, which are read and thrown away
#define CACHE_BYTES_MAX (size_t)(32 << 20)
#define ROWS_PER_CHECK  64

typedef struct png_state {
    const decode_args *args;
    spng_ctx *png;
    struct spng_ihdr header;
    dsc_resizer *resizer;
    uint8_t *pixels; // one row, or the whole image if it is interlaced
    size_t stride;
} png_state;

static bool fault_png(int code, fault *f) {
    if (code == SPNG_EMEM) return fault_no_memory(f);
    return fault_set(f, 422, "the PNG cannot be decoded: %s", spng_strerror(code));
}

static uint32_t read_orientation(spng_ctx *png) {
    struct spng_exif exif;
    if (spng_get_exif(png, &exif) != 0) return 1;
    return exif_orientation((const uint8_t *)exif.data, exif.length);
}

static bool read_header(png_state *s, fault *f) {
    const decode_args *args = s->args;
    s->png = spng_ctx_new(0);
    if (!s->png) return fault_no_memory(f);
    int code = spng_set_png_buffer(s->png, args->bytes, args->size);
    if (!code) code = spng_set_chunk_limits(s->png, CHUNK_BYTES_MAX, CACHE_BYTES_MAX);
    if (!code) code = spng_get_ihdr(s->png, &s->header);
    if (code) return fault_png(code, f);
    if (!decode_check_size(args, "PNG", s->header.width, s->header.height, f)) return false;
    s->stride = (size_t)s->header.width * 3;
    args->stats->width = s->header.width;
    args->stats->height = s->header.height;
    args->stats->channels = 3;
    args->stats->orientation = read_orientation(s->png);
    return true;
}

static bool prepare(png_state *s, fault *f) {
    const decode_args *args = s->args;
    bool whole = s->header.interlace_method != SPNG_INTERLACE_NONE;
    size_t bytes = s->stride * (whole ? s->header.height : 1); // sides are at most 65535: no overflow
    if (bytes > args->limits->memory_bytes)
        return fault_set(f, 413,
                         "the interlaced PNG needs %zu bytes to decode, more than is allowed; store it without "
                         "interlacing",
                         bytes);
    s->pixels = malloc(bytes);
    if (!s->pixels) return fault_no_memory(f);
    const dsc_image_source source = {
        .width = s->header.width, .height = s->header.height, .channels = 3, .orientation = args->stats->orientation};
    dsc_error err;
    if (dsc_resizer_create(&source, args->preprocess, args->target, &s->resizer, &err) != DSC_OK)
        return fault_from_engine(f, "the PNG", &err);
    int code = spng_decode_image(s->png, NULL, 0, SPNG_FMT_RGB8, SPNG_DECODE_PROGRESSIVE);
    return code == 0 || fault_png(code, f);
}

static void push(png_state *s, const uint8_t *row) {
    uint64_t start = clock_ns();
    dsc_resizer_push(s->resizer, row);
    s->args->stats->preprocess_ns += clock_ns() - start;
}

// All rows, needed or not: the checksum of the pixels comes behind them.
static bool decode_rows(png_state *s, fault *f) {
    for (uint32_t y = 0; y < s->header.height; y++) {
        if (y % ROWS_PER_CHECK == 0 && !decode_check_deadline(s->args, f)) return false;
        int code = spng_decode_row(s->png, s->pixels, s->stride);
        if (code != 0 && code != SPNG_EOI) return fault_png(code, f);
        push(s, s->pixels);
    }
    return true;
}

// The rows of an interlaced image come in seven passes.
static bool decode_passes(png_state *s, fault *f) {
    int code = 0;
    for (uint32_t n = 0; code != SPNG_EOI; n++) {
        struct spng_row_info info;
        if (n % ROWS_PER_CHECK == 0 && !decode_check_deadline(s->args, f)) return false;
        code = spng_get_row_info(s->png, &info);
        if (code == 0) code = spng_decode_row(s->png, s->pixels + info.row_num * s->stride, s->stride);
        if (code != 0 && code != SPNG_EOI) return fault_png(code, f);
    }
    for (uint32_t y = 0; y < s->header.height; y++) push(s, s->pixels + y * s->stride);
    return true;
}

bool decode_png(const decode_args *args, fault *f) {
    png_state s = {.args = args};
    dsc_error err;
    bool done = read_header(&s, f) && prepare(&s, f);
    if (done) done = s.header.interlace_method == SPNG_INTERLACE_NONE ? decode_rows(&s, f) : decode_passes(&s, f);
    int code = done ? spng_decode_chunks(s.png) : 0; // to the end of the file, the last checksums included
    if (code) done = fault_png(code, f);
    if (done && dsc_resizer_finish(s.resizer, &err) != DSC_OK) done = fault_from_engine(f, "the PNG", &err);
    dsc_resizer_free(s.resizer);
    free(s.pixels);
    spng_ctx_free(s.png);
    return done;
}

#define AS_TEXT(x)  AS_TEXT_(x)
#define AS_TEXT_(x) #x

const char *decode_png_library(void) {
    return "libspng " AS_TEXT(SPNG_VERSION_MAJOR) "." AS_TEXT(SPNG_VERSION_MINOR) "." AS_TEXT(SPNG_VERSION_PATCH);
}
