// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server/image/jpeg_recipe.h"

#include <stdlib.h>

int jpeg_recipe_samples(J_COLOR_SPACE color) {
    return color == JCS_GRAYSCALE ? 1 : color == JCS_CMYK ? 4 : 3;
}

uint8_t jpeg_recipe_smooth(const jpeg_recipe *r, uint32_t x, uint32_t y, int c) {
    double u = (double)x / r->width, v = (double)y / r->height;
    double value = c == 0 ? u : c == 1 ? v : c == 2 ? (1 - u) * v : 1 - v / 2;
    return (uint8_t)(20 + 200 * value);
}

static double lattice(uint32_t x, uint32_t y, uint32_t octave) {
    uint32_t h = (x * 374761393u) ^ (y * 668265263u) ^ (octave * 2246822519u);
    h = (h ^ (h >> 13)) * 1274126177u;
    return (double)((h ^ (h >> 16)) & 65535u) / 65535 - 0.5;
}

// Bilinear noise with a lattice point every `pitch` pixels.
static double noise(uint32_t x, uint32_t y, uint32_t pitch) {
    double u = (double)(x % pitch) / pitch, v = (double)(y % pitch) / pitch;
    uint32_t i = x / pitch, j = y / pitch;
    double top = lattice(i, j, pitch) * (1 - u) + lattice(i + 1, j, pitch) * u;
    double low = lattice(i, j + 1, pitch) * (1 - u) + lattice(i + 1, j + 1, pitch) * u;
    return top * (1 - v) + low * v;
}

uint8_t jpeg_recipe_noise(const jpeg_recipe *r, uint32_t x, uint32_t y, int c) {
    double value = 128 + 60.0 * y / r->height + 50 * (1 - c) * noise(x, y, 128);
    for (uint32_t pitch = 256; pitch >= 2; pitch /= 4) value += noise(x, y, pitch) * (pitch >= 16 ? 90 : 36 * pitch);
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void add_exif(struct jpeg_compress_struct *jpeg, int orientation) {
    uint8_t block[] = {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
                       1,   0x12, 0,   3,   0, 0, 0,   1,   0, 0,  0, 0, 0, 0, 0, 0};
    block[25] = (uint8_t)orientation;
    jpeg_write_marker(jpeg, JPEG_APP0 + 1, block, sizeof block);
}

static void use_many_scans(struct jpeg_compress_struct *jpeg, jpeg_scan_info scans[200]) {
    int count = 0;
    scans[count++] = (jpeg_scan_info){jpeg->num_components, {0, 1, 2}, 0, 0, 0, 0};
    for (int c = 0; c < jpeg->num_components; c++) {
        for (int k = 1; k < 64; k++) scans[count++] = (jpeg_scan_info){1, {c}, k, k, 0, 0};
    }
    jpeg->scan_info = scans;
    jpeg->num_scans = count;
}

static void set_up(struct jpeg_compress_struct *jpeg, const jpeg_recipe *r, jpeg_scan_info scans[200]) {
    jpeg->image_width = r->width;
    jpeg->image_height = r->height;
    jpeg->input_components = jpeg_recipe_samples(r->color);
    jpeg->in_color_space = r->color;
    jpeg_set_defaults(jpeg);
    if (r->stored != JCS_UNKNOWN) jpeg_set_colorspace(jpeg, r->stored);
    jpeg_set_quality(jpeg, r->quality ? r->quality : 95, TRUE);
    for (int c = 0; r->across && c < jpeg->num_components; c++) {
        bool is_chroma = c == 1 || c == 2;
        jpeg->comp_info[c].h_samp_factor = is_chroma ? 1 : r->across;
        jpeg->comp_info[c].v_samp_factor = is_chroma ? 1 : r->down;
    }
    if (r->progressive) jpeg_simple_progression(jpeg);
    if (r->one_coefficient_per_scan) use_many_scans(jpeg, scans);
    jpeg->arith_code = r->arithmetic;
    jpeg->restart_in_rows = (int)r->restart_rows;
}

static void write_rows(struct jpeg_compress_struct *jpeg, const jpeg_recipe *r, uint8_t *row) {
    uint8_t (*sample)(const jpeg_recipe *, uint32_t, uint32_t, int) = r->sample ? r->sample : jpeg_recipe_smooth;
    int samples = jpeg_recipe_samples(r->color);
    for (uint32_t y = 0; y < r->height; y++) {
        for (uint32_t x = 0; x < r->width; x++) {
            for (int c = 0; c < samples; c++) row[x * (uint32_t)samples + (uint32_t)c] = sample(r, x, y, c);
        }
        (void)jpeg_write_scanlines(jpeg, &row, 1);
    }
}

uint8_t *jpeg_recipe_make(const jpeg_recipe *r, size_t *size) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg_scan_info scans[200];
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    uint8_t *row = malloc(r->width * (size_t)4);
    if (!row) return NULL;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    set_up(&jpeg, r, scans);
    jpeg_start_compress(&jpeg, TRUE);
    if (r->orientation) add_exif(&jpeg, r->orientation);
    write_rows(&jpeg, r, row);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    *size = length;
    return bytes;
}
