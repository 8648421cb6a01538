// SPDX-License-Identifier: Apache-2.0
#ifndef DSC_OPS_PAD_H
#define DSC_OPS_PAD_H

#include "engine/graph/op.h"

typedef enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } pad_mode;

// What a Pad node does, read from its attributes or inputs. Negative padding cuts off.
typedef struct pad_spec {
    pad_mode mode;
    int64_t begin[DSC_MAX_RANK], end[DSC_MAX_RANK]; // by axis
    float value;                                    // PAD_CONSTANT
} pad_spec;

// Fails with a sentence where pads, axes or the value are impossible or not constant.
dsc_status pad_read(const graph *g, const graph_node *n, pad_spec *out, dsc_error *err);
// Where element `i` of a padded axis comes from: an index below `size`, or -1 for the constant.
int64_t pad_source(pad_mode mode, int64_t i, int64_t begin, int64_t size);

#endif
