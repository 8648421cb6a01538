// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/buffer.h"

#include <string.h>

void *buffer_data(const buffer *b, char *block) {
    const buffer *root = b->view_of ? b->view_of : b;
    union {
        const void *in;
        char *out;
    } start = {root->constant ? root->constant : block + root->offset};
    size_t inside = 0;
    if (b->layout == BUFFER_PANELS) {
        inside = ((size_t)b->pads.top * (size_t)b->row + (size_t)b->pads.left * b->lanes) * sizeof(float);
    }
    return start.out + inside;
}

void buffer_clear_border(const buffer *b, char *block, uint32_t image, uint32_t panel) {
    if (!buffer_has_border(b)) return;
    float *map = buffer_panel(b, block, image, panel);
    size_t left = (size_t)b->pads.left * b->lanes, right = (size_t)b->pads.right * b->lanes;
    size_t inner = (size_t)b->w * b->lanes;
    float *first = map - left - (int64_t)b->pads.top * b->row;
    memset(first, 0, (size_t)b->pads.top * (size_t)b->row * sizeof(float));
    for (uint32_t y = 0; y < b->h; y++) {
        float *line = map + (int64_t)y * b->row;
        memset(line - left, 0, left * sizeof(float));
        memset(line + inner, 0, right * sizeof(float));
    }
    memset(map - left + (int64_t)b->h * b->row, 0, (size_t)b->pads.bottom * (size_t)b->row * sizeof(float));
}

bool buffer_is_one_pixel(const buffer *b) {
    return b->layout == BUFFER_PANELS && b->h == 1 && b->w == 1 && !buffer_has_border(b);
}

bool buffer_is_flat_vector(const buffer *b) {
    return buffer_is_one_pixel(b) && (b->n == 1 || b->c % b->lanes == 0);
}

void buffer_read(const buffer *b, char *block, float *out) {
    if (b->layout == BUFFER_FLAT) {
        memcpy(out, buffer_data(b, block), (size_t)b->count * sizeof *out);
        return;
    }
    for (uint32_t image = 0; image < b->n; image++) {
        for (uint32_t c = 0; c < b->c; c++) {
            const float *map = buffer_panel(b, block, image, c / b->lanes) + c % b->lanes;
            for (uint32_t y = 0; y < b->h; y++) {
                for (uint32_t x = 0; x < b->w; x++) *out++ = map[(int64_t)y * b->row + (int64_t)x * b->lanes];
            }
        }
    }
}
