// SPDX-License-Identifier: Apache-2.0
// PNG by libspng, the only file that knows it. Every kind of PNG is asked for as 8-bit RGB, or RGBA where transparency
// counts; of 16-bit samples the upper byte is kept.
#define _GNU_SOURCE
#include <spng.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/image/decode.h"
#include "server/image/exif.h"

#define CHUNK_BYTES_MAX (size_t)(16 << 20) // colour profiles and texts, which are read and thrown away
#define CACHE_BYTES_MAX (size_t)(32 << 20)
#define ROWS_PER_CHECK  64
#define MISSING         128 // grey, where a file was cut off

typedef struct png_state {
    const decode_args *args;
    spng_ctx *png;
    struct spng_ihdr header;
    dsc_resizer *resizer;
    uint8_t *pixels; // one row, or the whole image if it is interlaced
    size_t stride;
    uint32_t channels; // of `pixels`
    uint8_t *mended;   // a file that was cut off, with an end
    size_t mended_size;
} png_state;

static bool fault_png(int code, fault *f) {
    if (code == SPNG_EMEM) return fault_no_memory(f);
    return fault_set(f, 422, "the PNG cannot be decoded: %s", spng_strerror(code));
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Looked for by hand: some programs write the eXIf chunk behind the pixels, and it is needed ahead of them.
static bool find_exif(const uint8_t *bytes, size_t size, uint32_t *orientation) {
    for (size_t at = 8; size - at >= 12;) {
        size_t length = big_endian(bytes + at);
        if (length > size - at - 12) break;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0) {
            *orientation = exif_orientation(bytes + at + 8, length);
            return true;
        }
        at += length + 12;
    }
    return false;
}

// As text ahead of the pixels, where programs put it before there was an eXIf chunk.
static bool read_orientation(const png_state *s, fault *f) {
    uint32_t *orientation = &s->args->stats->orientation, count = 0;
    if (find_exif(s->args->bytes, s->args->size, orientation)) return true;
    int code = spng_get_text(s->png, NULL, &count);
    if (code == SPNG_ECHUNKAVAIL) return true; // there is none
    struct spng_text *texts = code == 0 ? calloc(count, sizeof *texts) : NULL;
    if (code == 0 && !texts) return fault_no_memory(f);
    if (code == 0) code = spng_get_text(s->png, texts, &count);
    for (uint32_t i = 0; code == 0 && i < count; i++) {
        if (strcmp(texts[i].keyword, "Raw profile type exif") == 0)
            *orientation = exif_orientation_of_profile(texts[i].text, texts[i].length);
    }
    free(texts);
    return code == 0 || fault_png(code, f);
}

// The library drops up to 8 KB of pixels ahead of the place where a file was cut off. So such a file, where it is
// accepted, gets its last chunk shortened to what is there, and an end. NULL for whole files.
static bool mend(png_state *s, fault *f) {
    static const uint8_t end[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
    const uint8_t *bytes = s->args->bytes;
    size_t size = s->args->size, at = 8;
    if (!s->args->limits->accept_truncated || size < at) return true;
    while (size - at >= 12 && big_endian(bytes + at) <= size - at - 12) {
        if (memcmp(bytes + at + 4, "IEND", 4) == 0) return true;
        at += (size_t)big_endian(bytes + at) + 12;
    }
    size_t part = size - at > 8 ? size - at - 8 : 0, kept = at + (part ? 8 + part : 0);
    uint8_t *copy = malloc(kept + 4 + sizeof end);
    if (!copy) return fault_no_memory(f);
    memcpy(copy, bytes, kept);
    for (size_t i = 0; part && i < 4; i++) copy[at + i] = (uint8_t)(part >> (24 - 8 * i));
    if (part) memset(copy + kept, 0, 4); // the checksum is not looked at
    kept += part ? 4 : 0;
    memcpy(copy + kept, end, sizeof end);
    s->mended = copy;
    s->mended_size = kept + sizeof end;
    return true;
}

static bool read_header(png_state *s, fault *f) {
    const decode_args *args = s->args;
    if (!mend(s, f)) return false;
    s->png = spng_ctx_new(0);
    if (!s->png) return fault_no_memory(f);
    int code = s->mended ? spng_set_png_buffer(s->png, s->mended, s->mended_size)
                         : spng_set_png_buffer(s->png, args->bytes, args->size);
    if (!code && s->mended) code = spng_set_crc_action(s->png, SPNG_CRC_USE, SPNG_CRC_USE);
    if (!code) code = spng_set_chunk_limits(s->png, CHUNK_BYTES_MAX, CACHE_BYTES_MAX);
    if (!code) code = spng_get_ihdr(s->png, &s->header);
    if (code) return fault_png(code, f);
    if (!decode_check_size(args, "PNG", s->header.width, s->header.height, f)) return false;
    s->channels = args->preprocess->blend ? 4 : 3;
    s->stride = (size_t)s->header.width * s->channels;
    args->stats->width = s->header.width;
    args->stats->height = s->header.height;
    args->stats->channels = s->header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA ? 4 : 3;
    return read_orientation(s, f);
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
    const dsc_image_source source = {.width = s->header.width,
                                     .height = s->header.height,
                                     .channels = s->channels,
                                     .orientation = args->stats->orientation};
    dsc_error err;
    if (dsc_resizer_create(&source, args->preprocess, args->target, &s->resizer, &err) != DSC_OK)
        return fault_from_engine(f, "the PNG", &err);
    int format = s->channels == 4 ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
    int flags = SPNG_DECODE_PROGRESSIVE | (s->channels == 4 ? SPNG_DECODE_TRNS : 0);
    int code = spng_decode_image(s->png, NULL, 0, format, flags);
    return code == 0 || fault_png(code, f);
}

// The data ended where more was read, and that is accepted.
static bool is_accepted_end(const png_state *s, int code) {
    bool is_end = code == SPNG_EOF || code == SPNG_IO_EOF || code == SPNG_EIDAT_TOO_SHORT;
    return is_end && s->args->limits->accept_truncated;
}

static void fill_grey(const png_state *s, uint8_t *row) {
    memset(row, MISSING, s->stride);
    for (uint32_t x = 0; s->channels == 4 && x < s->header.width; x++) row[(size_t)x * 4 + 3] = 255;
}

static void push(png_state *s, const uint8_t *row) {
    uint64_t start = clock_ns();
    dsc_resizer_push(s->resizer, row);
    s->args->stats->preprocess_ns += clock_ns() - start;
}

// All rows, needed or not: the checksum of the pixels comes behind them.
static bool decode_rows(png_state *s, bool *is_cut, fault *f) {
    for (uint32_t y = 0; y < s->header.height; y++) {
        if (y % ROWS_PER_CHECK == 0 && !decode_check_deadline(s->args, f)) return false;
        int code = *is_cut ? 0 : spng_decode_row(s->png, s->pixels, s->stride);
        if (code != 0 && code != SPNG_EOI) {
            if (y == 0 || !is_accepted_end(s, code)) return fault_png(code, f);
            *is_cut = true;
        }
        if (*is_cut) fill_grey(s, s->pixels);
        push(s, s->pixels);
    }
    return true;
}

// A pixel of an early pass stands for the block that later ones fill, should they not come.
static void spread(png_state *s, const struct spng_row_info *info) {
    static const uint8_t first[7] = {0, 4, 0, 2, 0, 1, 0}, step_x[7] = {8, 8, 4, 4, 2, 2, 1},
                         wide[7] = {8, 4, 4, 2, 2, 1, 1}, high[7] = {8, 8, 4, 4, 2, 2, 1};
    uint32_t width = s->header.width, channels = s->channels, pass = (uint32_t)info->pass;
    uint8_t *row = s->pixels + info->row_num * s->stride;
    for (uint32_t x = first[pass]; x < width; x += step_x[pass]) {
        for (uint32_t k = 1; k < wide[pass] && x + k < width; k++)
            memcpy(row + (size_t)(x + k) * channels, row + (size_t)x * channels, channels);
    }
    for (uint32_t k = 1; k < high[pass] && info->row_num + k < s->header.height; k++) {
        for (uint32_t x = first[pass]; x < width; x += step_x[pass]) {
            uint32_t count = width - x < wide[pass] ? width - x : wide[pass];
            memcpy(row + k * s->stride + (size_t)x * channels, row + (size_t)x * channels, (size_t)count * channels);
        }
    }
}

// The rows of an interlaced image come in seven passes.
static bool decode_passes(png_state *s, bool *is_cut, fault *f) {
    bool accepts = s->args->limits->accept_truncated;
    for (uint32_t y = 0; accepts && y < s->header.height; y++) fill_grey(s, s->pixels + y * s->stride);
    int code = 0;
    for (uint32_t n = 0; code != SPNG_EOI && !*is_cut; n++) {
        struct spng_row_info info;
        if (n % ROWS_PER_CHECK == 0 && !decode_check_deadline(s->args, f)) return false;
        code = spng_get_row_info(s->png, &info);
        if (code == 0) code = spng_decode_row(s->png, s->pixels + info.row_num * s->stride, s->stride);
        if (code != 0 && code != SPNG_EOI) {
            if (n == 0 || !is_accepted_end(s, code)) return fault_png(code, f);
            *is_cut = true;
        } else if (accepts) {
            spread(s, &info);
        }
    }
    for (uint32_t y = 0; y < s->header.height; y++) push(s, s->pixels + y * s->stride);
    return true;
}

bool decode_png(const decode_args *args, fault *f) {
    png_state s = {.args = args};
    dsc_error err;
    bool done = read_header(&s, f) && prepare(&s, f);
    bool is_cut = false, is_plain = s.header.interlace_method == SPNG_INTERLACE_NONE;
    if (done) done = is_plain ? decode_rows(&s, &is_cut, f) : decode_passes(&s, &is_cut, f);
    int code = done && !is_cut ? spng_decode_chunks(s.png) : 0; // to the end of the file, the last checksums included
    if (code && !is_accepted_end(&s, code)) done = fault_png(code, f);
    if (done && dsc_resizer_finish(s.resizer, &err) != DSC_OK) done = fault_from_engine(f, "the PNG", &err);
    dsc_resizer_free(s.resizer);
    free(s.pixels);
    spng_ctx_free(s.png);
    free(s.mended);
    return done;
}

#define AS_TEXT(x)  AS_TEXT_(x)
#define AS_TEXT_(x) #x

const char *decode_png_library(void) {
    return "libspng " AS_TEXT(SPNG_VERSION_MAJOR) "." AS_TEXT(SPNG_VERSION_MINOR) "." AS_TEXT(SPNG_VERSION_PATCH);
}
