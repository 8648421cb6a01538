// SPDX-License-Identifier: Apache-2.0
//
// A model's config.json and labels.txt.
#ifndef DSCD_MODEL_CONFIG_H
#define DSCD_MODEL_CONFIG_H

#include "engine/dsc_image.h"

#include <stddef.h>

#define MODEL_TOP_K_DEFAULT  5
#define MODEL_WARMUP_DEFAULT 1

typedef struct model_labels {
    char **items;
    size_t count;
} model_labels;

typedef struct model_config {
    bool has_preprocess;
    dsc_preprocess preprocess;
    char *labels_file; // as written, or NULL
    model_labels labels;
    int64_t label_offset;
    bool softmax;
    uint32_t top_k, warmup; // warmup: runs before the model is ready
    dsc_limits limits;      // zero: as the daemon's settings say
} model_config;

// What a model has that brings no config.json.
model_config model_config_default(void);
// Parses `size` bytes; `source` names them in sentences. `*out` is written only on success; the caller closes it.
dsc_status model_config_parse(const char *source, const char *bytes, size_t size, model_config *out, dsc_error *err);
void model_config_close(model_config *config);

// A label per line; "\r" at its end and empty lines at the end of the file do not count. DSC_TOO_LARGE,
// DSC_BAD_ARGUMENT (not text), DSC_NO_MEMORY.
dsc_status model_labels_parse(const char *source, const char *bytes, size_t size, model_labels *out, dsc_error *err);
void model_labels_close(model_labels *labels);

#endif
