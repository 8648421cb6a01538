// SPDX-License-Identifier: Apache-2.0
// Small networks put together at random from what passes and layouts care about: convolutions of all kinds, pads,
// batch norms, activations, sums, gates, pools, concatenations, reshapes. The same seed makes the same network.
#ifndef DSC_TESTS_RANDOM_GRAPH_H
#define DSC_TESTS_RANDOM_GRAPH_H

#include <stddef.h>
#include <stdint.h>

// The model's bytes, which the caller frees; NULL without memory. `text` tells the nodes, one a line.
uint8_t *random_graph_write(uint64_t seed, size_t *size, char *text, size_t text_size);

// A number of mean 0 between -1 and 1.
float random_graph_number(uint64_t *state);

#endif
