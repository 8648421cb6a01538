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

Test(exif, the_jpeg_prefix_may_stand_ahead) {
    uint8_t copy[6 + sizeof little] = "Exif";
    memcpy(copy + 6, little, sizeof little);
    cr_expect_eq(orientation(copy, sizeof copy), 6);
    cr_expect_eq(orientation(copy, 6), 1);
    cr_expect_eq(orientation(copy, 10), 1);
    copy[6 + 26] = 0; // no value counts
    cr_expect_eq(orientation(copy, sizeof copy), 1);
}

Test(exif, profiles_as_text_are_read_to_their_first_foreign_character) {
    static const struct {
        const char *text;
        uint32_t orientation;
    } rows[] = {{"\nexif\n  22\n4d4d002a00000008000101120003000000010008\n0000\n", 8},
                {"\nexif\n  22\n4D4D002A00000008000101120003000000010005\n0000\n", 5},
                {"\nexif\n  22\n4d4d002a0000000800\n0101120003000000010003 0000", 1}, // cut off by a blank
                {"\nexif\n  22\n4d4d002a0000000800\n010112000300000001000", 1},
                {"\nexif\n  22\n4d4d002g", 1},
                {"\nexif\n", 1},
                {"", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = strlen(rows[i].text);
        char *copy = malloc(size + 1);
        memcpy(copy, rows[i].text, size);
        cr_expect_eq(exif_orientation_of_profile(copy, size), rows[i].orientation, "row %zu", i);
        free(copy);
    }
    char *large = malloc(100000);
    memset(large, '\n', 3);
    memset(large + 3, 'a', 100000 - 3);
    cr_expect_eq(exif_orientation_of_profile(large, 100000), 1);
    free(large);
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
