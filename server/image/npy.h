// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files, versions 1 to 3: reading the header (strictly) and writing one.
#ifndef DSCD_NPY_H
#define DSCD_NPY_H

#include "server/base/buffer.h"
#include "server/base/fault.h"

typedef struct npy_view {
    dsc_dtype dtype;
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK];
    uint64_t elements;
    const uint8_t *data; // inside the given bytes, row-major, little-endian; need not be aligned
    size_t data_size;    // elements * size of dtype
} npy_view;

// Faults, 400: not an npy file, a header that is not the documented form, a dtype without a counterpart, big-endian,
// Fortran order, a size that overflows, more or fewer bytes than the shape says.
bool npy_parse(const uint8_t *bytes, size_t size, npy_view *out, fault *f);

// Appends a whole file: a version 1 header, and the tensor's bytes.
void npy_write(buffer *b, const dsc_tensor_info *info, const void *data);

#endif
