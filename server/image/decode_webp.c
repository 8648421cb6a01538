// SPDX-License-Identifier: Apache-2.0
// WebP by libwebp, the only file that knows it: lossy, lossless, with transparency, and the first frame of an animation
// on its canvas. The library wants room for the whole picture. It gets addresses for it, is fed by and by, and the
// pages of rows that have gone to the resizer are given back, so that a large photo stays small in memory. (A lossless
// one is held whole inside of the library, 4 bytes a pixel.)
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <webp/demux.h>

#include "server/base/clock.h"
#include "server/image/decode.h"
#include "server/image/exif.h"

#define FEED_BYTES    (size_t)(32 << 10) // at most at once; fewer of a file that becomes many pixels
#define FEED_LEAST    (size_t)256
#define RELEASE_BYTES (size_t)(1 << 20) // given back at once
#define MISSING       128               // grey, where a file was cut off

typedef struct webp_state {
    const decode_args *args;
    WebPDemuxer *demux;
    WebPIterator frame;
    WebPIDecoder *decoder;
    WebPDecBuffer output;
    dsc_resizer *resizer;
    uint8_t *pixels; // of the frame
    size_t pixel_bytes, released;
    size_t stride; // of a row of the frame
    uint32_t channels, width, height;
    uint32_t y;   // next row of the canvas
    uint8_t *row; // of the canvas, where the frame does not fill it
    bool has_frame, is_cut;
} webp_state;

static uint32_t read_orientation(WebPDemuxer *demux) {
    WebPChunkIterator exif;
    uint32_t orientation = 1;
    if (!WebPDemuxGetChunk(demux, "EXIF", 1, &exif)) return 1;
    orientation = exif_orientation(exif.chunk.bytes, exif.chunk.size);
    WebPDemuxReleaseChunkIterator(&exif);
    return orientation;
}

static bool fault_cut(fault *f) {
    return fault_set(f, 422, "the WebP is cut off");
}

static bool read_header(webp_state *s, fault *f) {
    const decode_args *args = s->args;
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    const WebPData data = {args->bytes, args->size};
    s->demux = WebPDemuxPartial(&data, &state);
    if (state == WEBP_DEMUX_PARSE_ERROR || (!s->demux && state == WEBP_DEMUX_DONE))
        return fault_set(f, 422, "the WebP cannot be decoded: its structure is broken");
    s->is_cut = state != WEBP_DEMUX_DONE;
    if (!s->demux || (s->is_cut && !args->limits->accept_truncated)) return fault_cut(f);
    s->width = WebPDemuxGetI(s->demux, WEBP_FF_CANVAS_WIDTH);
    s->height = WebPDemuxGetI(s->demux, WEBP_FF_CANVAS_HEIGHT);
    if (s->is_cut && (int32_t)s->width < 1) return fault_cut(f); // not known yet
    if (!decode_check_size(args, "WebP", s->width, s->height, f)) return false;
    s->has_frame = WebPDemuxGetFrame(s->demux, 1, &s->frame);
    if (!s->has_frame) return s->is_cut ? fault_cut(f) : fault_set(f, 422, "the WebP holds no picture");
    const WebPIterator *frame = &s->frame;
    if (s->is_cut && (frame->width < 1 || frame->height < 1)) return fault_cut(f);
    if (frame->width < 1 || frame->height < 1 || frame->x_offset < 0 || frame->y_offset < 0 ||
        (uint32_t)(frame->x_offset + frame->width) > s->width ||
        (uint32_t)(frame->y_offset + frame->height) > s->height)
        return fault_set(f, 422, "the WebP cannot be decoded: its first frame lies outside of its canvas");
    *args->stats = (decode_stats){.width = s->width,
                                  .height = s->height,
                                  .channels = frame->has_alpha ? 4 : 3,
                                  .orientation = read_orientation(s->demux),
                                  .shrink = 1};
    return true;
}

static bool is_lossless(const WebPIterator *frame) {
    WebPBitstreamFeatures features;
    return WebPGetFeatures(frame->fragment.bytes, frame->fragment.size, &features) == VP8_STATUS_OK &&
           features.format == 2;
}

static bool map_pixels(webp_state *s, fault *f) {
    const WebPIterator *frame = &s->frame;
    s->stride = (size_t)frame->width * s->channels;
    s->pixel_bytes = s->stride * (size_t)frame->height; // sides are below 2^16: no overflow
    uint64_t held = is_lossless(frame) ? (uint64_t)frame->width * (uint64_t)frame->height * 4 : 0;
    if (held > s->args->limits->memory_bytes)
        return fault_set(f, 413, "the lossless WebP needs %llu bytes to decode, more than is allowed",
                         (unsigned long long)held);
    void *memory =
        mmap(NULL, s->pixel_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return fault_no_memory(f);
    s->pixels = memory;
    if (!WebPInitDecBuffer(&s->output)) return fault_set(f, 500, "libwebp is not the one that this was built with");
    s->output.colorspace = s->channels == 4 ? MODE_RGBA : MODE_RGB;
    s->output.is_external_memory = 1;
    s->output.u.RGBA = (WebPRGBABuffer){.rgba = s->pixels, .stride = (int)s->stride, .size = s->pixel_bytes};
    s->decoder = WebPINewDecoder(&s->output);
    return s->decoder || fault_no_memory(f);
}

static bool prepare(webp_state *s, fault *f) {
    const decode_args *args = s->args;
    s->channels = args->preprocess->blend ? 4 : 3;
    const dsc_image_source source = {
        .width = s->width, .height = s->height, .channels = s->channels, .orientation = args->stats->orientation};
    dsc_error err;
    if (dsc_resizer_create(&source, args->preprocess, args->target, &s->resizer, &err) != DSC_OK)
        return fault_from_engine(f, "the WebP", &err);
    if ((uint32_t)s->frame.width != s->width || (uint32_t)s->frame.height != s->height) {
        s->row = calloc(s->width, s->channels); // what lies beside the frame is transparent, and black
        if (!s->row) return fault_no_memory(f);
    }
    return map_pixels(s, f);
}

static void release_rows(webp_state *s, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bytes -= bytes % page;
    if (bytes < s->released + RELEASE_BYTES) return;
    (void)madvise(s->pixels + s->released, bytes - s->released, MADV_DONTNEED);
    s->released = bytes;
}

// The canvas, down to where the frame has `ready` rows.
static void push_rows(webp_state *s, uint32_t ready) {
    const uint32_t top = (uint32_t)s->frame.y_offset, rows = (uint32_t)s->frame.height;
    uint64_t start = clock_ns();
    for (; s->y < s->height; s->y++) {
        bool inside = s->y >= top && s->y < top + rows;
        if (inside && s->y - top >= ready) break;
        const uint8_t *row = inside ? s->pixels + (s->y - top) * s->stride : s->row;
        if (s->row && inside) {
            memcpy(s->row + (size_t)s->frame.x_offset * s->channels, row, s->stride);
            row = s->row;
        } else if (s->row && s->y == top + rows) {
            memset(s->row, 0, (size_t)s->width * s->channels);
        }
        dsc_resizer_push(s->resizer, row);
    }
    s->args->stats->preprocess_ns += clock_ns() - start;
    release_rows(s, ready * s->stride);
}

// What was cut off becomes grey.
static bool fill_missing(webp_state *s, uint32_t ready, fault *f) {
    if (ready == 0 || !s->args->limits->accept_truncated) return fault_cut(f);
    for (uint32_t y = ready; y < (uint32_t)s->frame.height; y++) {
        memset(s->pixels + y * s->stride, MISSING, s->stride);
        for (uint32_t x = 0; s->channels == 4 && x < (uint32_t)s->frame.width; x++)
            s->pixels[y * s->stride + (size_t)x * 4 + 3] = 255;
        push_rows(s, y + 1);
    }
    return true;
}

static bool decode_rows(webp_state *s, fault *f) {
    const WebPData *data = &s->frame.fragment;
    int last = 0;
    size_t pieces = s->pixel_bytes / RELEASE_BYTES + 1, piece = data->size / pieces;
    piece = piece > FEED_BYTES ? FEED_BYTES : piece < FEED_LEAST ? FEED_LEAST : piece;
    for (size_t fed = 0; fed < data->size;) {
        if (!decode_check_deadline(s->args, f)) return false;
        fed = data->size - fed > piece ? fed + piece : data->size;
        VP8StatusCode status = WebPIUpdate(s->decoder, data->bytes, fed);
        if (status == VP8_STATUS_OUT_OF_MEMORY) return fault_no_memory(f);
        if (status != VP8_STATUS_OK && status != VP8_STATUS_SUSPENDED)
            return fault_set(f, 422, "the WebP cannot be decoded: its data are damaged (%d)", (int)status);
        if (!WebPIDecGetRGB(s->decoder, &last, NULL, NULL, NULL)) last = 0;
        push_rows(s, (uint32_t)last);
        if (status == VP8_STATUS_OK) return true;
    }
    return fill_missing(s, (uint32_t)last, f);
}

bool decode_webp(const decode_args *args, fault *f) {
    webp_state s = {.args = args};
    dsc_error err;
    bool done = read_header(&s, f) && prepare(&s, f) && decode_rows(&s, f);
    if (done && dsc_resizer_finish(s.resizer, &err) != DSC_OK) done = fault_from_engine(f, "the WebP", &err);
    WebPIDelete(s.decoder);
    if (s.pixels) (void)munmap(s.pixels, s.pixel_bytes);
    if (s.has_frame) WebPDemuxReleaseIterator(&s.frame);
    WebPDemuxDelete(s.demux);
    dsc_resizer_free(s.resizer);
    free(s.row);
    return done;
}

const char *decode_webp_library(void) {
    static char text[32];
    int version = WebPGetDecoderVersion();
    if (!text[0])
        (void)snprintf(text, sizeof text, "libwebp %d.%d.%d", version >> 16, version >> 8 & 255, version & 255);
    return text;
}
