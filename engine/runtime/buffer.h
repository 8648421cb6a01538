// SPDX-License-Identifier: Apache-2.0
// Where a tensor lies in a session's block, and in which layout.
//
//   FLAT    the model's own order, dense, row-major
//   PANELS  [image][panel of `lanes` channels][row][column][lane], floats, with a border of zeros around the map so
//           that convolutions need no edge cases; lanes beyond the last channel hold finite numbers that nobody uses
#ifndef DSC_RUNTIME_BUFFER_H
#define DSC_RUNTIME_BUFFER_H

#include "engine/dsc.h"

#define BUFFER_LANES 16u // of every map but those that come in with fewer channels

#define BUFFER_SLACK 64u // elements behind every buffer: kernels may write the rest of their last, widest panel

typedef enum buffer_layout { BUFFER_FLAT, BUFFER_PANELS } buffer_layout;

typedef struct buffer_pads {
    uint32_t top, left, bottom, right;
} buffer_pads;

typedef struct buffer {
    buffer_layout layout;
    dsc_dtype dtype;
    uint64_t count;             // FLAT: elements
    uint32_t n, c, h, w, lanes; // PANELS
    buffer_pads pads;
    int64_t row, panel, image; // PANELS: floats from one to the next
    size_t bytes;
    const void *constant;           // lies here, outside the session, if not NULL
    struct buffer *view_of;         // shares the bytes of that buffer, if not NULL
    size_t offset;                  // in the session's block, once the plan has drawn its map
    uint32_t first_step, last_step; // alive from..to, inclusive; UINT32_MAX: not used yet
    bool is_kept;                   // inputs, outputs: alive all the time
} buffer;

static inline uint32_t buffer_panels(const buffer *b) {
    return (b->c + b->lanes - 1) / b->lanes;
}

// The first element: FLAT, or the map's pixel (0, 0) of image 0, panel 0, inside the border.
void *buffer_data(const buffer *b, char *block);
// Pixel (0, 0) of a panel.
static inline float *buffer_panel(const buffer *b, char *block, uint32_t image, uint32_t panel) {
    return (float *)buffer_data(b, block) + (int64_t)image * b->image + (int64_t)panel * b->panel;
}
static inline bool buffer_has_border(const buffer *b) {
    return b->pads.top || b->pads.left || b->pads.bottom || b->pads.right;
}
// Writes zeros around one panel's map. Every step that writes a panel does this in each run, as the block is reused.
void buffer_clear_border(const buffer *b, char *block, uint32_t image, uint32_t panel);
// Copies a float buffer's elements in the model's own order. For looking at values, not for running.
void buffer_read(const buffer *b, char *block, float *out);
// A map of one pixel without a border: the channels of an image lie together.
bool buffer_is_one_pixel(const buffer *b);
// Whether a map of one pixel lies in memory exactly as its flat tensor does.
bool buffer_is_flat_vector(const buffer *b);

#endif
