// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "server/image/exif.h"

static const uint8_t little[] = {'I',  'I', 42, 0, 8, 0, 0, 0, 2,   0,                        // header, 2 entries
                                 0x0f, 1,   2,  0, 4, 0, 0, 0, 'c', 'a', 'm', 0,              // maker
                                 0x12, 1,   3,  0, 1, 0, 0, 0, 6,   0,   0,   0, 0, 0, 0, 0}; // orientation 6
static const uint8_t big[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0};

// From the heap, so that a sanitizer sees every byte read too far.
static uint32_t orientation(const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    uint32_t value = exif_orientation(copy, size);
    free(copy);
    return value;
}

Test(exif, reads_both_byte_orders) {
    cr_expect_eq(orientation(little, sizeof little), 6);
    cr_expect_eq(orientation(big, sizeof big), 8);
    uint8_t wide[sizeof big];
    memcpy(wide, big, sizeof big);
    wide[13] = 4; // LONG
    cr_expect_eq(orientation(wide, sizeof wide), 1, "8 << 16 is no orientation");
    wide[19] = 0;
    wide[21] = 5;
    cr_expect_eq(orientation(wide, sizeof wide), 5);
}

Test(exif, broken_blocks_stand_upright) {
    for (size_t size = 0; size < sizeof big; size++) cr_expect_eq(orientation(big, size), 1, "%zu bytes", size);
    uint8_t copy[sizeof little];
    for (int value = 0; value < 256; value++) {
        memcpy(copy, little, sizeof little);
        copy[30] = (uint8_t)value;
        cr_expect_eq(orientation(copy, sizeof copy), value >= 1 && value <= 8 ? (uint32_t)value : 1);
    }
    memcpy(copy, little, sizeof little);
    memset(copy + 4, 0xff, 4); // the directory is nowhere
    cr_expect_eq(orientation(copy, sizeof copy), 1);
    memcpy(copy, little, sizeof little);
    copy[8] = copy[9] = 0xff; // more entries than there are
    copy[22] = 0;
    cr_expect_eq(orientation(copy, sizeof copy), 1);
    memcpy(copy, little, sizeof little);
    copy[24] = 7; // of a type that is no number
    cr_expect_eq(orientation(copy, sizeof copy), 1);
}

Test(exif, any_changed_byte_is_survived) {
    for (size_t i = 0; i < sizeof little; i++) {
        for (int c = 0; c < 256; c++) {
            uint8_t copy[sizeof little];
            memcpy(copy, little, sizeof little);
            copy[i] = (uint8_t)c;
            uint32_t value = orientation(copy, sizeof copy);
            cr_assert(value >= 1 && value <= 8);
        }
    }
}
