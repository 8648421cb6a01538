// SPDX-License-Identifier: Apache-2.0
// Convolutions over some rows of a map, given by pointers: what the step of a whole layer (conv_layer.c) and the step
// of several fused layers (conv_chain.c) have in common.
#ifndef DSC_OPS_CONV_STAGE_H
#define DSC_OPS_CONV_STAGE_H

#include "engine/kernels/dwconv.h"
#include "engine/kernels/eltwise.h"
#include "engine/kernels/gemm.h"
#include "engine/ops/conv/conv.h"

#define CONV_UNIT_MACS (256u << 10) // no piece of work for a thread is smaller: some 5 microseconds

// Distances in a map in panels, in floats.
typedef struct map_strides {
    int64_t row, panel;
    uint32_t lanes; // floats from one pixel to the next
} map_strides;

static inline map_strides map_strides_of(const buffer *b) {
    return (map_strides){b->row, b->panel, b->lanes};
}

// ---- a matrix multiplication over pixels: ungrouped convolution, or one group --------------------------------------

typedef struct gemm_panel {
    const gemm_kernel *kernel;
    uint32_t n0;    // its first output channel
    size_t weights; // floats into the packed block
} gemm_panel;

typedef struct gemm_panels {
    const gemm_panel *list;
    uint32_t count, width; // width: output channels of all of them, idle ones included
    size_t floats;         // of the packed block
} gemm_panels;

// The weight panels for `out_c` output channels that are sums of `k` products.
dsc_status gemm_panels_plan(lowering *l, dsc_isa tier, uint32_t out_c, uint32_t k, gemm_panels *out, dsc_error *err);

// What gemm_panels_pack(), a weights_pack_fn, takes as its context.
typedef struct gemm_panels_source {
    const float *w; // [out_c][in_c][taps]
    const gemm_panel *panels;
    uint32_t panel_count, out_c, in_c, taps;
} gemm_panels_source;
void gemm_panels_pack(float *packed, const void *source);

typedef struct gemm_stage {
    gemm_args gemm; // what all weight panels share
    int64_t out_panel, residual_panel;
    const gemm_panel *panels;
    uint32_t panel_count, channels; // channels: of the output, rounded up to whole panels of it
    const float *weights, *bias;
    const float *next_weights; // of what runs after this stage, to be prefetched; NULL: none
    uint32_t near_rows;        // inputs of more than so many are many for L2
    uint32_t prepared_rows;    // gemm_stage_run_blocks() prepares and multiplies so many at a time; 0: does not prepare
} gemm_stage;

// Where a stage's maps lie: the offset tables cover `rows` rows of output of each of `images` images.
typedef struct gemm_maps {
    uint32_t images, rows;
    map_strides in, out, residual;
    int64_t in_image, out_image, residual_image; // floats; 0 where images == 1
    bool has_residual, in_is_vector;             // in_is_vector: one pixel whose panels lie together
    bool scales_weights;                         // gemm_rows.weights will be these weights times factors
} gemm_maps;

// Packs weights and makes the tables. Pixel tables begin at output pixel (0, 0) and at its top left tap. `out` must
// stay where it is while the plan lives.
dsc_status gemm_stage_plan(lowering *l, const graph_node *n, const conv_shape *s, const gemm_maps *maps,
                           gemm_stage *out, dsc_error *err);

// Where groups of 8 channels lie in a map, `channel` first; `panel` floats from panel to panel.
void gemm_set_groups(int32_t *groups, int64_t panel, uint32_t channel, uint32_t count);

// Distances between the output pixels' places in a map.
typedef struct pixel_grid {
    map_strides map;
    uint32_t width;     // pixels of a row
    uint32_t stride[2]; // pixels of the map from one to the next, down and across
    int64_t image;      // floats
} pixel_grid;

// Where each output pixel starts in a map: [images][rows][width], lives as long as the plan.
const int32_t *gemm_pixel_offsets(lowering *l, const gemm_maps *maps, const pixel_grid *grid, dsc_error *err);

typedef struct gemm_rows {
    const float *in;       // top left tap of the tables' first pixel
    float *out;            // the tables' first pixel, in the panel of output channel `first_channel`
    const float *residual; // the same, or NULL
    uint32_t first_channel;
    uint32_t m0, m1;      // pixels of the tables
    uint32_t out_m;       // the tables of output and residual are read from this pixel on
    uint32_t p0, p1;      // weight panels
    const float *weights; // instead of the stage's, packed in the same way; or NULL
    const float *scale;   // factors of the input's channels, or NULL; only where the stage copies inputs
    void *prepared;       // where the stage prepares: scratch memory for it
} gemm_rows;

// Whether the stage of this convolution will read its inputs from what it prepares only.
bool gemm_stage_copies_inputs(const lowering *l, const conv_shape *s);
// Scratch memory for the inputs of so many rows of the tables; 0 where the stage does not prepare.
size_t gemm_stage_prepared_bytes(const gemm_stage *s, uint64_t rows);
// Prepares the inputs of these rows for all weight panels, where the stage prepares. Before gemm_stage_run().
void gemm_stage_prepare(const gemm_stage *s, const gemm_rows *r);
void gemm_stage_run(const gemm_stage *s, const gemm_rows *r);
// Both, in blocks of rows that suit the caches: r->prepared has gemm_stage_block_bytes().
void gemm_stage_run_blocks(const gemm_stage *s, const gemm_rows *r);
size_t gemm_stage_block_bytes(const gemm_stage *s);

// The packed block of weight panels; asks for the panels' kernels' names and widths only.
const float *gemm_stage_weights(lowering *l, const graph_node *n, const conv_shape *s, const gemm_panel *panels,
                                uint32_t panel_count, dsc_error *err);

// ---- depthwise ----------------------------------------------------------------------------------------------------

typedef struct depthwise_stage {
    const dwconv_kernel *kernel;
    dwconv_args args; // without pointers
    const float *weights, *bias;
    uint32_t taps;
    const eltwise_kernel *relu; // the input is read through it; or NULL
    uint32_t reach_w;           // pixels of an input row under the windows of an output row
} depthwise_stage;

// Row distances of the maps, `in_row` and `out_row`, are in stage->args already.
dsc_status depthwise_stage_plan(lowering *l, const graph_node *n, const conv_shape *s, depthwise_stage *stage,
                                dsc_error *err);

typedef struct depthwise_rows {
    const float *in; // top left tap of the first output pixel
    float *out;
    float *sums;       // of the first row, or NULL
    const float *next; // what the next call will read as `in`, to be prefetched; or NULL
    uint32_t panel, rows;
    float *scratch; // depthwise_stage_scratch_bytes() for these rows; may be NULL where that is 0
} depthwise_rows;

size_t depthwise_stage_scratch_bytes(const depthwise_stage *s, uint32_t rows);
void depthwise_stage_run(const depthwise_stage *s, const depthwise_rows *r);

// Where a buffer of row sums has those of row y; NULL without a buffer.
static inline float *depthwise_sums(const buffer *sums, char *block, const buffer *map, uint32_t map_panel,
                                    uint32_t y) {
    if (!sums) return NULL;
    return (float *)buffer_data(sums, block) + ((size_t)map_panel * map->h + y) * BUFFER_LANES;
}

#endif
