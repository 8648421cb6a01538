// SPDX-License-Identifier: Apache-2.0
// A preprocessing as the object that describes it whole: in a model's metadata, and to be copied into a config.json.
#include "server/image/preprocess.h"

const char *const preprocess_filter_names[5] = {"nearest", "bilinear", "bicubic", "box", "lanczos"};
const char *const preprocess_color_names[4] = {"auto", "rgb", "bgr", "grey"};
const char *const preprocess_align_names[2] = {"centre", "corner"};
const char *const preprocess_decode_names[2] = {"fast", "exact"};

static void write_channels(buffer *b, const char *key, const double values[3]) {
    buffer_printf(b, ", \"%s\": [", key);
    for (int c = 0; c < 3; c++) {
        if (c) buffer_text(b, ", ");
        buffer_double(b, values[c]);
    }
    buffer_char(b, ']');
}

static void write_resize(const dsc_preprocess *p, buffer *b) {
    buffer_text(b, ", \"resize\": ");
    switch (p->resize) {
        case DSC_RESIZE_STRETCH: buffer_text(b, "\"stretch\", \"crop\": \"none\""); return;
        case DSC_RESIZE_LETTERBOX:
            buffer_printf(b, "\"letterbox\", \"crop\": \"none\", \"pad\": [%u, %u, %u]", p->pad[0], p->pad[1],
                          p->pad[2]);
            return;
        case DSC_RESIZE_CENTRE_SQUARE: buffer_text(b, "\"centre-square\", \"crop\": "); break;
        case DSC_RESIZE_SHORTER_SIDE:
            if (p->shorter_side) {
                buffer_printf(b, "%u, \"crop\": \"centre\"", p->shorter_side);
                return;
            }
            buffer_text(b, "\"shorter-side\", \"crop\": ");
            break;
    }
    buffer_double(b, p->fraction);
}

void preprocess_to_json(const dsc_preprocess *p, buffer *b) {
    buffer_printf(b, "{\"version\": %d", DSC_PREPROCESS_VERSION);
    write_resize(p, b);
    buffer_printf(b, ", \"filter\": \"%s\", \"antialias\": %s, \"align\": \"%s\"", preprocess_filter_names[p->filter],
                  p->antialias ? "true" : "false", preprocess_align_names[p->align]);
    if (p->blend)
        buffer_printf(b, ", \"background\": [%u, %u, %u]", p->background[0], p->background[1], p->background[2]);
    else
        buffer_text(b, ", \"background\": \"none\"");
    buffer_printf(b, ", \"color\": \"%s\", \"decode\": \"%s\", \"scale\": ", preprocess_color_names[p->color],
                  preprocess_decode_names[p->exact]);
    buffer_double(b, p->scale);
    write_channels(b, "mean", p->mean);
    write_channels(b, "std", p->std);
    buffer_char(b, '}');
}
