// SPDX-License-Identifier: Apache-2.0
// The best classes of an output.
#ifndef DSCD_CLASSIFY_H
#define DSCD_CLASSIFY_H

#include "engine/dsc.h"

#define CLASSIFY_TOP_MAX 1024 // most classes of one answer: all of ImageNet's 1001, too

typedef struct classify_settings {
    const char *const *labels; // or NULL. A label per output, or, if `label_offset` fewer, per class
    size_t label_count;
    int64_t label_offset; // class = index of the output - label_offset (1 where the first output is "background")
    bool softmax;         // the outputs are logits: scores are their softmax
    uint32_t top_k;
} classify_settings;

typedef struct classify_entry {
    uint32_t index; // of the output
    double score;   // after softmax, where it is set
} classify_entry;

// Whether an output can be read as classes: float, one row of scores per image ([N, classes], with any number of
// further dimensions of 1, or [classes]). Writes the rows and the scores in a row.
bool classify_shape(const dsc_tensor_info *output, size_t *rows, size_t *classes);

// The best min(k, count) of `count` scores, highest first, equal ones by index, NaN last. Returns how many.
// `out` has room for k.
uint32_t classify_top(const float *scores, size_t count, uint32_t k, bool softmax, classify_entry *out);

int64_t classify_class(const classify_settings *settings, uint32_t index);
// The label of an output, or NULL where there is none.
const char *classify_label(const classify_settings *settings, size_t classes, uint32_t index);

#endif
