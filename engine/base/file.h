// SPDX-License-Identifier: Apache-2.0
// Reading a whole file into memory.
#ifndef DSC_BASE_FILE_H
#define DSC_BASE_FILE_H

#include "engine/dsc.h"

// Reads a regular file of at most `limit_bytes`; *bytes (never NULL on success, free() or mem_free() it) and *size.
// DSC_IO where it cannot be opened, is a directory, a pipe or a device, or is cut off while it is read; DSC_TOO_LARGE
// above the limit; DSC_NO_MEMORY. Never blocks on a pipe. Any thread.
dsc_status file_read(const char *path, uint64_t limit_bytes, void **bytes, size_t *size, dsc_error *err);

// The same for `name` in `folder` or below it; DSC_BAD_MODEL where links lead out of the folder.
dsc_status file_read_inside(const char *folder, const char *name, uint64_t limit_bytes, void **bytes, size_t *size,
                            dsc_error *err);

#endif
