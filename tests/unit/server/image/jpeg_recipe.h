// SPDX-License-Identifier: Apache-2.0
// JPEGs made by libjpeg itself, in every form that it can write, from a picture that is a function.
#ifndef DSC_TESTS_JPEG_RECIPE_H
#define DSC_TESTS_JPEG_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> // jpeglib.h needs FILE

#include <jpeglib.h>

typedef struct jpeg_recipe {
    uint32_t width, height;
    J_COLOR_SPACE color;  // of the samples that are given
    J_COLOR_SPACE stored; // JCS_UNKNOWN (0): as the library chooses; JCS_YCCK for inverted ink
    bool progressive;
    bool one_coefficient_per_scan; // about 190 scans
    bool arithmetic;
    int orientation;       // 0: no EXIF
    int across, down;      // chroma subsampling; 0: as the library chooses, 2 x 2
    unsigned restart_rows; // rows of blocks between restart markers; 0: none
    int quality;           // 0: 95
    uint8_t (*sample)(const struct jpeg_recipe *r, uint32_t x, uint32_t y, int c); // NULL: jpeg_recipe_smooth
    const void *context;                                                           // for `sample`
} jpeg_recipe;

// A smooth picture: JPEG keeps it to within a few steps, whatever the form.
uint8_t jpeg_recipe_smooth(const jpeg_recipe *r, uint32_t x, uint32_t y, int c);
// Octaves of noise over a gradient: files about as large as those of photos.
uint8_t jpeg_recipe_noise(const jpeg_recipe *r, uint32_t x, uint32_t y, int c);
int jpeg_recipe_samples(J_COLOR_SPACE color); // of a pixel

// The file; the caller frees it. NULL without memory.
uint8_t *jpeg_recipe_make(const jpeg_recipe *r, size_t *size);

#endif
