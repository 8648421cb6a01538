// SPDX-License-Identifier: Apache-2.0
// Files of the test data (photos, models), which are not part of this repository: $DSC_TEST_DATA, else ../shared beside
// the checkout. Tests that want one skip with cr_skip_test(TEST_DATA_ABSENT, name) where it cannot be read.
#ifndef DSC_TESTS_TEST_DATA_H
#define DSC_TESTS_TEST_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_DATA_PATH_MAX 1024
#define TEST_DATA_ABSENT   "no %s among the test data: set DSC_TEST_DATA, or put them in ../shared"

// The path of a file of the test data; false where it cannot be read.
bool test_data_path(const char *name, char path[TEST_DATA_PATH_MAX]);
// Its bytes and a zero behind them, to be freed by the caller; NULL where it cannot be read.
uint8_t *test_data_read(const char *name, size_t *size);

#endif
