// SPDX-License-Identifier: Apache-2.0
// The orientation that a camera notes in a photo.
#ifndef DSCD_EXIF_H
#define DSCD_EXIF_H

#include <stddef.h>
#include <stdint.h>

// From an EXIF block in TIFF form ("II*" or "MM" first, or behind "Exif" and two zeros): 1 to 8, and 1 for whatever is
// absent, broken or out of range: a bad note is no reason to refuse a good photo.
uint32_t exif_orientation(const uint8_t *tiff, size_t size);

// From such a block as ImageMagick used to keep it in a PNG, as text: an empty line, one with "exif", one with the
// size, then hexadecimal digits.
uint32_t exif_orientation_of_profile(const char *text, size_t size);

#endif
