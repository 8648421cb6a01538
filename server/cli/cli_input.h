// SPDX-License-Identifier: Apache-2.0
// Inputs of `dscd run` from files: images that are preprocessed, and tensors.
#ifndef DSCD_CLI_INPUT_H
#define DSCD_CLI_INPUT_H

#include "engine/dsc_image.h"
#include "server/cli/cli_engine.h"

#include <stdlib.h>

#define CLI_IMAGES_MAX  256
#define CLI_TENSORS_MAX 16

typedef struct cli_inputs {
    const char *images[CLI_IMAGES_MAX];
    uint32_t image_count;
    const char *tensors[CLI_TENSORS_MAX]; // "NAME=FILE"
    void *data[CLI_TENSORS_MAX];          // once they are read, and the model's inputs that they are for
    dsc_shape shapes[CLI_TENSORS_MAX];
    uint32_t tensor_count;
    dsc_preprocess preprocess;
} cli_inputs;

void cli_inputs_init(cli_inputs *in); // no files, the default preprocessing
void cli_inputs_close(cli_inputs *in);
bool cli_inputs_add_image(cli_inputs *in, const char *path, dsc_error *err);
bool cli_inputs_add_tensor(cli_inputs *in, const char *name_and_path, dsc_error *err);
bool cli_inputs_set_preprocess(cli_inputs *in, const char *name_or_file, dsc_error *err); // a file holds the object

// Reads the tensors and sets the shapes of `options`, by which a plan is made then. Fails where an input that decides
// shapes is not among them.
bool cli_inputs_read(cli_inputs *in, const dsc_model *model, cli_engine_options *options, fault *f);
// cli_engine_open() with the inputs' shapes. The caller closes `out`, also after a failure.
bool cli_inputs_open(cli_inputs *in, const char *path, cli_engine_options *options, cli_engine *out, fault *f);

// Into the session's inputs. An image goes to the first.
bool cli_inputs_load_image(const cli_inputs *in, const char *path, cli_engine *e, fault *f);
void cli_inputs_load_tensors(const cli_inputs *in, cli_engine *e);

// A whole file of at most 256 MB; the caller frees *bytes.
bool cli_read_file(const char *path, void **bytes, size_t *size, fault *f);

#endif
