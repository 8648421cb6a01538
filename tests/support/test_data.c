// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/support/test_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool test_data_path(const char *name, char path[TEST_DATA_PATH_MAX]) {
    const char *root = getenv("DSC_TEST_DATA");
    int length = snprintf(path, TEST_DATA_PATH_MAX, "%s/%s", root && *root ? root : "../shared", name);
    return length > 0 && length < TEST_DATA_PATH_MAX && access(path, R_OK) == 0;
}

uint8_t *test_data_read(const char *name, size_t *size) {
    char path[TEST_DATA_PATH_MAX];
    FILE *file = test_data_path(name, path) ? fopen(path, "rb") : NULL;
    if (!file) return NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    rewind(file);
    if (bytes && fread(bytes, 1, (size_t)length, file) != (size_t)length) {
        free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    if (bytes) bytes[length] = '\0';
    *size = bytes ? (size_t)length : 0;
    return bytes;
}
