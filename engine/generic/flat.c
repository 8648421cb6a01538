// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/flat.h"

bool flat_tiles(uint64_t count, uint64_t weight, uint32_t *tiles, uint64_t *per_tile) {
    uint64_t chunk = weight >= FLAT_CHUNK ? 1 : FLAT_CHUNK / (weight ? weight : 1);
    uint64_t needed = count / chunk + (count % chunk != 0);
    *per_tile = chunk;
    *tiles = needed ? (uint32_t)needed : 1;
    return needed <= UINT32_MAX;
}

void flat_strides(const graph_shape *shape, int64_t strides[DSC_MAX_RANK]) {
    int64_t stride = 1;
    for (uint32_t i = shape->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= shape->dims[i];
    }
}

void flat_broadcast(flat_walk *walk, int tensor, const graph_shape *shape) {
    int64_t own[DSC_MAX_RANK];
    flat_strides(shape, own);
    for (uint32_t i = 0; i < walk->rank; i++) {
        uint32_t missing = walk->rank - shape->rank;
        bool is_stretched = i < missing || shape->dims[i - missing] == 1;
        walk->strides[tensor][i] = is_stretched ? 0 : own[i - missing];
    }
}

static bool can_merge(const flat_walk *walk, uint32_t outer, uint32_t inner) {
    for (int t = 0; t < FLAT_TENSORS; t++) {
        if (walk->strides[t][outer] != walk->strides[t][inner] * (int64_t)walk->dims[inner]) return false;
    }
    return true;
}

void flat_collapse(flat_walk *walk) {
    uint32_t kept = 0; // dims [0, kept) are done
    for (uint32_t i = 0; i < walk->rank; i++) {
        if (walk->dims[i] == 1) continue;
        bool is_merged = kept > 0 && can_merge(walk, kept - 1, i);
        uint32_t to = is_merged ? kept - 1 : kept++;
        walk->dims[to] = walk->dims[i] * (is_merged ? walk->dims[to] : 1);
        for (int t = 0; t < FLAT_TENSORS; t++) walk->strides[t][to] = walk->strides[t][i];
    }
    if (kept == 0) {
        walk->dims[0] = 1;
        for (int t = 0; t < FLAT_TENSORS; t++) walk->strides[t][0] = 0;
        kept = 1;
    }
    walk->rank = kept;
}

void flat_start(const flat_walk *walk, uint64_t begin, uint64_t end, flat_cursor *cursor) {
    *cursor = (flat_cursor){.at = begin, .end = end};
    if (begin >= end) return;
    for (uint32_t i = walk->rank; i-- > 0;) {
        cursor->index[i] = begin % walk->dims[i];
        begin /= walk->dims[i];
        for (int t = 0; t < FLAT_TENSORS; t++) {
            cursor->offset[t] += (int64_t)cursor->index[i] * walk->strides[t][i];
        }
    }
}

uint64_t flat_run(const flat_walk *walk, const flat_cursor *cursor) {
    uint64_t left = cursor->end - cursor->at;
    uint64_t row = walk->dims[walk->rank - 1] - cursor->index[walk->rank - 1];
    return left < row ? left : row;
}

void flat_advance(const flat_walk *walk, flat_cursor *cursor, uint64_t count) {
    uint32_t i = walk->rank - 1;
    cursor->at += count;
    cursor->index[i] += count;
    for (int t = 0; t < FLAT_TENSORS; t++) cursor->offset[t] += (int64_t)count * walk->strides[t][i];
    while (cursor->index[i] == walk->dims[i] && i > 0) {
        for (int t = 0; t < FLAT_TENSORS; t++) {
            cursor->offset[t] += walk->strides[t][i - 1] - (int64_t)walk->dims[i] * walk->strides[t][i];
        }
        cursor->index[i] = 0;
        cursor->index[--i]++;
    }
}
