// SPDX-License-Identifier: Apache-2.0
// The best classes of an output: one pass over the scores, with a short sorted list of the best so far.
#include "server/infer/classify.h"

#include <math.h>

bool classify_shape(const dsc_tensor_info *output, size_t *rows, size_t *classes) {
    if (output->dtype != DSC_F32 || output->rank < 1) return false;
    size_t axis = output->rank == 1 ? 0 : 1;
    for (uint32_t i = 0; i < output->rank; i++) {
        if (output->dims[i] < 1 || (i > axis && output->dims[i] != 1)) return false;
    }
    *rows = output->rank == 1 ? 1 : (size_t)output->dims[0];
    *classes = (size_t)output->dims[axis];
    return true;
}

// Strictly ahead of `b` in the list. NaN compares false with everything, so it is told apart.
static bool is_better(float a, float b) {
    return a > b || (isnan(b) && !isnan(a));
}

static void softmax_entries(const float *scores, size_t count, uint32_t kept, classify_entry *out) {
    double highest = kept > 0 ? out[0].score : 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(scores[i])) sum += exp((double)scores[i] - highest);
    }
    for (uint32_t i = 0; i < kept; i++) out[i].score = exp(out[i].score - highest) / sum;
}

uint32_t classify_top(const float *scores, size_t count, uint32_t k, bool softmax, classify_entry *out) {
    uint32_t kept = 0;
    for (size_t i = 0; i < count && k > 0; i++) {
        if (kept == k && !is_better(scores[i], scores[out[kept - 1].index])) continue;
        uint32_t place = kept < k ? kept++ : k - 1;
        for (; place > 0 && is_better(scores[i], scores[out[place - 1].index]); place--) out[place] = out[place - 1];
        out[place] = (classify_entry){.index = (uint32_t)i, .score = (double)scores[i]};
    }
    if (softmax) softmax_entries(scores, count, kept, out);
    return kept;
}

int64_t classify_class(const classify_settings *settings, uint32_t index) {
    return (int64_t)index - settings->label_offset;
}

const char *classify_label(const classify_settings *settings, size_t classes, uint32_t index) {
    int64_t line = settings->label_count == classes ? (int64_t)index : classify_class(settings, index);
    if (!settings->labels || line < 0 || (uint64_t)line >= settings->label_count) return NULL;
    return settings->labels[line];
}
