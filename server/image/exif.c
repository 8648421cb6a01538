// SPDX-License-Identifier: Apache-2.0
// Just enough of TIFF: the byte order, the first directory, and one entry of it. Every offset is checked against the
// size, and the directory is walked once, so that no file can make this read beyond its block or go in circles.
#include "server/image/exif.h"

#include <stdbool.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3
#define TYPE_LONG       4
#define ENTRY_BYTES     12

typedef struct tiff_block {
    const uint8_t *bytes;
    bool big_endian;
} tiff_block;

static uint32_t read_u16(const tiff_block *t, size_t at) {
    const uint8_t *b = t->bytes + at;
    return t->big_endian ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
}

static uint32_t read_u32(const tiff_block *t, size_t at) {
    uint32_t first = read_u16(t, at), second = read_u16(t, at + 2);
    return t->big_endian ? first << 16 | second : second << 16 | first;
}

uint32_t exif_orientation(const uint8_t *tiff, size_t size) {
    static const char prefix[6] = "Exif\0";
    if (size > sizeof prefix && memcmp(tiff, prefix, sizeof prefix) == 0) {
        tiff += sizeof prefix;
        size -= sizeof prefix;
    }
    if (size < 8) return 1;
    bool big_endian = memcmp(tiff, "MM\0*", 4) == 0;
    if (!big_endian && memcmp(tiff, "II*\0", 4) != 0) return 1;
    const tiff_block t = {tiff, big_endian};
    size_t directory = read_u32(&t, 4);
    if (directory > size - 2) return 1;
    size_t count = read_u16(&t, directory), at = directory + 2;
    for (; count > 0 && size - at >= ENTRY_BYTES; count--, at += ENTRY_BYTES) {
        if (read_u16(&t, at) != TAG_ORIENTATION) continue;
        uint32_t type = read_u16(&t, at + 2), value = 0;
        if (read_u32(&t, at + 4) == 0) return 1; // a note without a value
        if (type == TYPE_SHORT) value = read_u16(&t, at + 8);
        if (type == TYPE_LONG) value = read_u32(&t, at + 8);
        return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint32_t exif_orientation_of_profile(const char *text, size_t size) {
    uint8_t bytes[8192]; // the first directory comes early
    size_t at = 0, used = 0;
    for (int lines = 0; lines < 3; at++) {
        if (at == size) return 1;
        if (text[at] == '\n') lines++;
    }
    for (; size - at >= 2 && used < sizeof bytes; at++) {
        int high = hex_digit(text[at]), low = hex_digit(text[at + 1]);
        if (text[at] == '\n') continue;
        if (high < 0 || low < 0) break;
        bytes[used++] = (uint8_t)(high << 4 | low);
        at++;
    }
    return exif_orientation(bytes, used);
}
