// SPDX-License-Identifier: Apache-2.0
#include "tests/support/npy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC_BYTES = 10, HEADER_BYTES = 118 };

bool npy_file_write(const char *path, const char *type, const char *shape, const void *data, size_t bytes) {
    char header[HEADER_BYTES + 1];
    int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    memset(header + length, ' ', (size_t)(HEADER_BYTES - length));
    header[HEADER_BYTES - 1] = '\n';
    bool is_ok = fwrite("\x93NUMPY\x01\x00\x76\x00", 1, MAGIC_BYTES, file) == MAGIC_BYTES &&
                 fwrite(header, 1, HEADER_BYTES, file) == HEADER_BYTES && fwrite(data, 1, bytes, file) == bytes;
    return fclose(file) == 0 && is_ok;
}

void *npy_file_read(const char *path, size_t *bytes) {
    unsigned char magic[MAGIC_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    void *data = NULL;
    if (fread(magic, 1, sizeof magic, file) == sizeof magic) {
        long begin = MAGIC_BYTES + magic[8] + 256L * magic[9];
        (void)fseek(file, 0, SEEK_END);
        long size = ftell(file) - begin;
        (void)fseek(file, begin, SEEK_SET);
        data = size > 0 ? malloc((size_t)size) : NULL;
        if (data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size) {
            *bytes = (size_t)size;
        } else {
            free(data);
            data = NULL;
        }
    }
    (void)fclose(file);
    return data;
}
