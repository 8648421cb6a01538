// SPDX-License-Identifier: Apache-2.0
// JPEG by libjpeg-turbo's libjpeg interface, the only file that knows it. The library reports errors by a call that
// must not return; the long jump that this takes begins and ends in this file, and everything that must be released
// hangs on the state, which lives outside of the function that sets the jump's target.
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdio.h> // jpeglib.h needs FILE
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "server/base/clock.h"
#include "server/image/decode.h"
#include "server/image/exif.h"

#define ROWS_AT_ONCE 8

typedef struct jpeg_state {
    struct jpeg_decompress_struct jpeg; // first: the library's callbacks get its address
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    const decode_args *args;
    fault *f;
    bool ended_early; // the data ended where more was read
    dsc_resizer *resizer;
    uint8_t *rows;
    size_t stride;
} jpeg_state;

static _Noreturn void leave(jpeg_state *s) {
    longjmp(s->leave, 1);
}

static jpeg_state *state_of(j_common_ptr jpeg) {
    return (jpeg_state *)(void *)jpeg;
}

static _Noreturn void on_error(j_common_ptr jpeg) {
    jpeg_state *s = state_of(jpeg);
    char message[JMSG_LENGTH_MAX];
    s->errors.format_message(jpeg, message);
    if (s->errors.msg_code == JERR_OUT_OF_MEMORY)
        (void)fault_no_memory(s->f);
    else if (s->errors.msg_code == JERR_NO_BACKING_STORE)
        (void)fault_set(s->f, 413, "the JPEG needs more memory to decode than is allowed; store it as a baseline JPEG");
    else if (s->errors.msg_code == JERR_IMAGE_TOO_BIG) // too large, not damaged: read_header() does not get to see it
        (void)fault_set(s->f, 413, "the JPEG has %u x %u pixels; a side may have %ld", s->jpeg.image_width,
                        s->jpeg.image_height, (long)JPEG_MAX_DIMENSION);
    else
        (void)fault_set(s->f, 422, "the JPEG cannot be decoded: %s", message);
    leave(s);
}

// Warnings. Where pixels were lost the library would go on with grey: no answer is better than one from half a photo.
static void on_message(j_common_ptr jpeg, int level) {
    jpeg_state *s = state_of(jpeg);
    if (level >= 0) return;
    char message[JMSG_LENGTH_MAX];
    switch (s->errors.msg_code) {
        case JWRN_JPEG_EOF: s->ended_early = true; return; // judged by check_complete()
        case JWRN_HIT_MARKER:
            if (s->ended_early && s->args->limits->accept_truncated) return;
            __attribute__((fallthrough));
        case JWRN_HUFF_BAD_CODE:
        case JWRN_ARITH_BAD_CODE:
        case JWRN_MUST_RESYNC:
            s->errors.format_message(jpeg, message);
            (void)fault_set(s->f, 422, "the JPEG is cut off or damaged: %s", message);
            leave(s);
        default: return;
    }
}

static void on_output(j_common_ptr jpeg) {
    (void)jpeg; // the library would print
}

static void on_progress(j_common_ptr jpeg) {
    jpeg_state *s = state_of(jpeg);
    if ((uint32_t)s->jpeg.input_scan_number > s->args->limits->scans) {
        (void)fault_set(s->f, 413, "the JPEG has over %u scans", s->args->limits->scans);
        leave(s);
    }
    if (!decode_check_deadline(s->args, s->f)) leave(s);
}

static uint32_t read_orientation(const struct jpeg_decompress_struct *jpeg) {
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next) {
        if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return exif_orientation(m->data, m->data_length);
    }
    return 1;
}

static void read_header(jpeg_state *s) {
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    decode_stats *stats = s->args->stats;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &s->progress;
    jpeg->mem->max_memory_to_use = (long)s->args->limits->memory_bytes;
    jpeg_mem_src(jpeg, s->args->bytes, s->args->size);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    (void)jpeg_read_header(jpeg, TRUE);
    if (!decode_check_size(s->args, "JPEG", jpeg->image_width, jpeg->image_height, s->f)) leave(s);
    stats->width = jpeg->image_width;
    stats->height = jpeg->image_height;
    stats->channels = (uint32_t)jpeg->num_components;
    stats->orientation = read_orientation(jpeg);
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4) {
        (void)fault_set(s->f, 422, "the JPEG has %d colour components; 1, 3 or 4 are understood", jpeg->num_components);
        leave(s);
    }
}

// The decoder may reduce by 2, 4 or 8 while it decodes, at a fraction of the cost. It averages over squares there,
// where the resizer weighs with a triangle, so this is done only where so many decoded pixels are left for each target
// pixel that the triangle still decides; docs/images.md has the measured difference.
#define PIXELS_LEFT 2.5

static uint32_t choose_shrink(const jpeg_state *s, const dsc_image_source *source) {
    double x, y;
    uint32_t shrink = 1;
    const dsc_preprocess *preprocess = s->args->preprocess;
    if (preprocess->exact || preprocess->filter == DSC_FILTER_NEAREST || !preprocess->antialias) return 1;
    if (dsc_image_reduction(source, preprocess, s->args->target, &x, &y, NULL) != DSC_OK) return 1;
    double least = x < y ? x : y;
    while (shrink < 8 && least / (shrink * 2) >= PIXELS_LEFT) shrink *= 2;
    return shrink;
}

static void prepare(jpeg_state *s) {
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    decode_stats *stats = s->args->stats;
    bool grey = jpeg->num_components == 1;
    dsc_image_source source = {
        .width = stats->width, .height = stats->height, .channels = grey ? 1 : 3, .orientation = stats->orientation};
    stats->shrink = source.shrink = choose_shrink(s, &source);
    jpeg->out_color_space = grey ? JCS_GRAYSCALE : jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg->scale_num = 8 / stats->shrink;
    jpeg->scale_denom = 8;
    (void)jpeg_start_decompress(jpeg);
    dsc_error err;
    if (dsc_resizer_create(&source, s->args->preprocess, s->args->target, &s->resizer, &err) != DSC_OK) {
        (void)fault_from_engine(s->f, "the JPEG", &err);
        leave(s);
    }
    s->stride = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    s->rows = malloc(s->stride * ROWS_AT_ONCE);
    if (s->rows) return;
    (void)fault_no_memory(s->f);
    leave(s);
}

static unsigned divide_by_255(unsigned product) {
    product += 128;
    return (product + (product >> 8)) >> 8;
}

// Files with four components hold inverted ink, as Adobe's programs write it: 255 is none. In place, 4 bytes to 3.
static void cmyk_to_rgb(uint8_t *row, uint32_t width) {
    for (uint32_t i = 0; i < width; i++) {
        const uint8_t *ink = row + (size_t)i * 4;
        unsigned light = ink[3], cyan = 255u - ink[0], magenta = 255u - ink[1], yellow = 255u - ink[2];
        uint8_t *rgb = row + (size_t)i * 3;
        rgb[0] = (uint8_t)(light - divide_by_255(cyan * light));
        rgb[1] = (uint8_t)(light - divide_by_255(magenta * light));
        rgb[2] = (uint8_t)(light - divide_by_255(yellow * light));
    }
}

static void push_rows(jpeg_state *s, uint32_t count) {
    uint64_t start = clock_ns();
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *row = s->rows + i * s->stride;
        if (s->jpeg.out_color_space == JCS_CMYK) cmyk_to_rgb(row, s->jpeg.output_width);
        dsc_resizer_push(s->resizer, row);
    }
    s->args->stats->preprocess_ns += clock_ns() - start;
}

// The data ended before the end marker. Of a file in one scan the entropy decoder has complained if pixels were lost; a
// progressive file is whole if every coefficient came to its last bit. The rest cannot tell.
static void check_complete(jpeg_state *s) {
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    bool complete = !jpeg->arith_code && (jpeg->progressive_mode || !jpeg_has_multiple_scans(jpeg));
    for (int c = 0; jpeg->progressive_mode && c < jpeg->num_components; c++) {
        for (int k = 0; k < DCTSIZE2; k++) complete = complete && jpeg->coef_bits[c][k] == 0;
    }
    if (!s->ended_early || complete || s->args->limits->accept_truncated) return;
    (void)fault_set(s->f, 422, "the JPEG is cut off: its data end before the end marker");
    leave(s);
}

// Whether the end marker comes behind what has been read: inside of a scan it cannot be mistaken.
static bool has_end(const jpeg_state *s) {
    const uint8_t *next = s->jpeg.src->next_input_byte;
    for (const uint8_t *at = next + s->jpeg.src->bytes_in_buffer; at - next >= 2; at--) {
        if (at[-2] == 0xff && at[-1] == JPEG_EOI) return true;
    }
    return false;
}

// Rows below the last one that counts need no decoding, unless the file may end in the midst of them.
static void check_rest(jpeg_state *s, JSAMPROW *rows) {
    if (s->args->limits->accept_truncated || has_end(s)) return;
    while (s->jpeg.output_scanline < s->jpeg.output_height) {
        (void)jpeg_read_scanlines(&s->jpeg, rows, ROWS_AT_ONCE);
        check_complete(s);
        if (!decode_check_deadline(s->args, s->f)) leave(s);
    }
}

static void decode_rows(jpeg_state *s) {
    uint32_t end = dsc_resizer_last_row(s->resizer) + 1;
    JSAMPROW rows[ROWS_AT_ONCE];
    for (int i = 0; i < ROWS_AT_ONCE; i++) rows[i] = s->rows + (size_t)i * s->stride;
    check_complete(s); // a progressive file has been read whole by now
    while (s->jpeg.output_scanline < end) {
        uint32_t wanted = end - s->jpeg.output_scanline;
        uint32_t got = jpeg_read_scanlines(&s->jpeg, rows, wanted < ROWS_AT_ONCE ? wanted : ROWS_AT_ONCE);
        check_complete(s);
        push_rows(s, got);
        if (!decode_check_deadline(s->args, s->f)) leave(s);
    }
    check_rest(s, rows);
}

// The jump's target. It keeps no variables that the jump could spoil.
static bool run(jpeg_state *s) {
    if (setjmp(s->leave)) return false;
    read_header(s);
    prepare(s);
    decode_rows(s);
    return true;
}

static bool decode_once(const decode_args *args, bool *ended_early, fault *f) {
    dsc_error err;
    jpeg_state s = {.args = args, .f = f};
    s.jpeg.err = jpeg_std_error(&s.errors);
    s.errors.error_exit = on_error;
    s.errors.emit_message = on_message;
    s.errors.output_message = on_output;
    s.progress.progress_monitor = on_progress;
    bool done = run(&s);
    if (done && dsc_resizer_finish(s.resizer, &err) != DSC_OK) done = fault_from_engine(f, "the JPEG", &err);
    jpeg_destroy_decompress(&s.jpeg);
    dsc_resizer_free(s.resizer);
    free(s.rows);
    *ended_early = s.ended_early;
    return done;
}

// Where the last marker that is not part of a scan's data begins; 0: nowhere.
static size_t last_marker(const uint8_t *bytes, size_t size) {
    for (size_t at = size < 2 ? 0 : size - 2; at > 0; at--) {
        uint8_t code = bytes[at + 1];
        if (bytes[at] == 0xff && code != 0 && code != 0xff && (code < JPEG_RST0 || code > JPEG_RST0 + 7)) return at;
    }
    return 0;
}

bool decode_jpeg(const decode_args *args, fault *f) {
    fault unused;
    bool ended_early = false;
    if (!f) f = &unused;
    bool done = decode_once(args, &ended_early, f);
    // Cut off inside of a marker between two scans: what came before it is whole.
    if (!done && ended_early && f->http_status == 422 && args->limits->accept_truncated) {
        decode_args shorter = *args;
        shorter.size = last_marker(args->bytes, args->size);
        done = shorter.size > 0 && decode_once(&shorter, &ended_early, f);
    }
    return done;
}

#define AS_TEXT(x)  AS_TEXT_(x)
#define AS_TEXT_(x) #x

const char *decode_jpeg_library(void) {
    return "libjpeg-turbo " AS_TEXT(LIBJPEG_TURBO_VERSION);
}
