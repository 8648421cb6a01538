// SPDX-License-Identifier: Apache-2.0
// Inputs of `dscd run` from files: images that are preprocessed, and tensors.
#ifndef DSCD_CLI_INPUT_H
#define DSCD_CLI_INPUT_H

#include "engine/dsc_image.h"
#include "server/cli/cli_engine.h"
#include "server/image/npy.h"

#include <stdlib.h>

#define CLI_IMAGES_MAX  256
#define CLI_TENSORS_MAX 16

typedef struct cli_tensor {
    const char *name, *path;
    void *bytes; // the file's, once it was read
    npy_view view;
} cli_tensor;

typedef struct cli_inputs {
    const char *images[CLI_IMAGES_MAX];
    uint32_t image_count;
    cli_tensor tensors[CLI_TENSORS_MAX];
    uint32_t tensor_count;
    dsc_preprocess preprocess;
} cli_inputs;

void cli_inputs_init(cli_inputs *in); // no files, the default preprocessing
bool cli_inputs_add_image(cli_inputs *in, const char *path, dsc_error *err);
bool cli_inputs_add_tensor(cli_inputs *in, char *name_and_path, dsc_error *err);          // "NAME=FILE", cut at the '='
bool cli_inputs_set_preprocess(cli_inputs *in, const char *name_or_file, dsc_error *err); // a file holds the object

// Reads the tensors' files, whose shapes are those of the plan: dimensions that the model leaves free may have any
// size. Before the plan is made; closed in any case.
bool cli_inputs_open(cli_inputs *in, const dsc_model *model, fault *f);
uint32_t cli_inputs_shapes(const cli_inputs *in, dsc_shape out[CLI_TENSORS_MAX]); // they lend the names
void cli_inputs_close(cli_inputs *in);

// Into the session's inputs. An image goes to the first.
bool cli_inputs_load_image(const cli_inputs *in, const char *path, cli_engine *e, fault *f);
void cli_inputs_load_tensors(const cli_inputs *in, cli_engine *e);

// A whole file of at most 256 MB; the caller frees *bytes.
bool cli_read_file(const char *path, void **bytes, size_t *size, fault *f);

#endif
