// SPDX-License-Identifier: Apache-2.0
//
// Tensors as .npy files, as `dscd run` reads and writes them.
#ifndef DSCD_TESTS_NPY_FILE_H
#define DSCD_TESTS_NPY_FILE_H

#include <stdbool.h>
#include <stddef.h>

// `type` as NumPy writes it, "<f4" or "<i8"; `shape` as well: "(2, 3)", "(2,)" or "()".
bool npy_file_write(const char *path, const char *type, const char *shape, const void *data, size_t bytes);
// The elements of a file, which the caller frees; NULL where it cannot be read.
void *npy_file_read(const char *path, size_t *bytes);

#endif
