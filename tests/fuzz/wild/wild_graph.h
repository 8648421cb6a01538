// SPDX-License-Identifier: Apache-2.0
// Any bytes become a small network of any of the engine's operators: what a fuzzer changes are operators, attributes,
// shapes and values, not a file's encoding. Sixteen bytes decide one node, so that a change stays where it is made.
// A node that the importer refuses is left out again, with which the network grows past it.
#ifndef DSC_TESTS_WILD_GRAPH_H
#define DSC_TESTS_WILD_GRAPH_H

#include "engine/dsc.h"

#define WILD_INPUTS_MAX 12

typedef struct wild_graph {
    uint8_t *model; // an ONNX file; NULL: the bytes make no node that is accepted
    size_t size;
    uint32_t input_count;
    dsc_shape shapes[WILD_INPUTS_MAX];   // of every input, with values where they may decide shapes
    const void *inputs[WILD_INPUTS_MAX]; // the contents
    uint32_t nodes;
    bool is_smooth;  // finite numbers through continuous operators: every way to compute them gives about the same
    uint64_t choice; // made from all bytes, for what is to be tried with the network
    char text[4000]; // what the network is, a node a line
    struct wild_maker *maker;
} wild_graph;

// What the network must stay within, so that a run is short.
extern const dsc_limits wild_limits;

// False without memory. wild_close() what was made.
bool wild_make(const uint8_t *data, size_t size, wild_graph *out);
void wild_close(wild_graph *g);

#endif
