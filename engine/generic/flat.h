// SPDX-License-Identifier: Apache-2.0
// Walking over tensors in the model's own order: chunks for tiles, and index spaces in which up to two tensors lie with
// strides of their own (0 where a dimension is broadcast).
#ifndef DSC_GENERIC_FLAT_H
#define DSC_GENERIC_FLAT_H

#include "engine/graph/graph.h"

#define FLAT_CHUNK   16384u // elements that one tile computes
#define FLAT_TENSORS 2
#define FLAT_RANK    (2 * DSC_MAX_RANK) // some operators cut axes in two

// Tiles for `count` things of `weight` elements each; at least 1. False where they cannot be numbered.
bool flat_tiles(uint64_t count, uint64_t weight, uint32_t *tiles, uint64_t *per_tile);

typedef struct flat_walk {
    uint32_t rank; // at least 1
    uint64_t dims[FLAT_RANK];
    int64_t strides[FLAT_TENSORS][FLAT_RANK]; // elements
} flat_walk;

// Row-major strides of `shape` stretched to the rank and dims of `walk`, aligned at the last dimension.
void flat_broadcast(flat_walk *walk, int tensor, const graph_shape *shape);
// Row-major strides of a shape by its own axes.
void flat_strides(const graph_shape *shape, int64_t strides[DSC_MAX_RANK]);
// Merges dimensions that every tensor passes through in one go and drops those of 1.
void flat_collapse(flat_walk *walk);

// A place in the walk. `offset` is where each tensor's element lies.
typedef struct flat_cursor {
    uint64_t at, end;
    uint64_t index[FLAT_RANK];
    int64_t offset[FLAT_TENSORS];
} flat_cursor;

void flat_start(const flat_walk *walk, uint64_t begin, uint64_t end, flat_cursor *cursor);
// Elements from here to the end of the innermost dimension or of the cursor's range; 0 at the end.
uint64_t flat_run(const flat_walk *walk, const flat_cursor *cursor);
// Moves on by what flat_run() said.
void flat_advance(const flat_walk *walk, flat_cursor *cursor, uint64_t count);

#endif
