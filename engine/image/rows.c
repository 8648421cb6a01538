// SPDX-License-Identifier: Apache-2.0
// Row by row arithmetic of the resizer: fixed point, rounded to 8 bits after each pass, as Pillow does it.
#include "engine/image/rows.h"

#include <string.h>

#define ROW_HALF (1 << (AXIS_PRECISION - 1))

// ITU-R 601 luma in 16 bits after the point, rounded.
static uint8_t luma(const uint8_t *rgb) {
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

// alpha * front + (1 - alpha) * back, rounded.
static uint8_t mix(uint8_t front, uint8_t back, uint8_t alpha) {
    unsigned sum = front * (unsigned)alpha + back * (255u - alpha) + 128;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

void row_convert(const uint8_t *restrict source, const row_format *format, uint8_t *restrict out, uint32_t columns) {
    bool blend = format->blend && format->from % 2 == 0;
    const uint8_t *ground = format->background;
    uint8_t grey_ground = luma(ground);
    for (uint32_t i = 0; i < columns; i++, source += format->from, out += format->to) {
        if (format->from <= 2) {
            out[0] = blend ? mix(source[0], grey_ground, source[1]) : source[0];
            continue;
        }
        uint8_t rgb[3] = {source[0], source[1], source[2]};
        for (int c = 0; blend && c < 3; c++) rgb[c] = mix(source[c], ground[c], source[3]);
        if (format->to == 1)
            out[0] = luma(rgb);
        else
            memcpy(out, rgb, 3);
    }
}

static uint8_t clip(int32_t sum) {
    int32_t value = sum >> AXIS_PRECISION;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void resize_grey(const image_axis *axis, const uint8_t *restrict source, uint8_t *restrict out) {
    uint32_t base = axis_first(axis);
    for (uint32_t i = 0; i < axis->outputs; i++) {
        const int32_t *w = axis->weight + (size_t)i * axis->taps;
        const uint8_t *p = source + (axis->first[i] - base);
        int32_t sum = ROW_HALF;
        for (uint32_t k = 0; k < axis->count[i]; k++) sum += p[k] * w[k];
        out[i] = clip(sum);
    }
}

static void resize_rgb(const image_axis *axis, const uint8_t *restrict source, uint8_t *restrict out) {
    uint32_t base = axis_first(axis);
    for (uint32_t i = 0; i < axis->outputs; i++) {
        const int32_t *w = axis->weight + (size_t)i * axis->taps;
        const uint8_t *p = source + (size_t)(axis->first[i] - base) * 3;
        int32_t r = ROW_HALF, g = ROW_HALF, b = ROW_HALF;
        for (uint32_t k = 0; k < axis->count[i]; k++, p += 3) {
            r += p[0] * w[k];
            g += p[1] * w[k];
            b += p[2] * w[k];
        }
        out[3 * i] = clip(r);
        out[3 * i + 1] = clip(g);
        out[3 * i + 2] = clip(b);
    }
}

static void resize(const image_axis *axis, const uint8_t *restrict source, uint32_t channels, uint8_t *restrict out) {
    if (channels == 1)
        resize_grey(axis, source, out);
    else
        resize_rgb(axis, source, out);
}

static void accumulate(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight, size_t count) {
    for (size_t i = 0; i < count; i++) sums[i] += row[i] * weight;
}

static void round_sums(const int32_t *restrict sums, uint8_t *restrict out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = clip(sums[i] + ROW_HALF);
}

const row_kernels row_kernels_ref = {resize, accumulate, round_sums};

const row_kernels *row_kernels_best(void) {
#if defined(__x86_64__)
    if (dsc_isa_best() >= DSC_ISA_AVX2) return &row_kernels_avx2;
#endif
    return &row_kernels_ref;
}

void row_resize_wide(const image_axis *axis, const uint8_t *restrict source, uint32_t channels, int16_t *restrict out) {
    const int shift = AXIS_PRECISION - ROW_WIDE_BITS;
    uint32_t base = axis_first(axis);
    for (uint32_t i = 0; i < axis->outputs; i++) {
        const int32_t *w = axis->weight + (size_t)i * axis->taps;
        for (uint32_t c = 0; c < channels; c++, out++) {
            const uint8_t *p = source + (size_t)(axis->first[i] - base) * channels + c;
            int32_t sum = 1 << (shift - 1);
            for (uint32_t k = 0; k < axis->count[i]; k++, p += channels) sum += *p * w[k];
            *out = (int16_t)(sum >> shift);
        }
    }
}

#define WIDE_WEIGHT_BITS 16 // that are left of a weight

void row_accumulate_wide(int32_t *restrict sums, const int16_t *restrict row, int32_t weight, size_t count) {
    const int shift = AXIS_PRECISION - WIDE_WEIGHT_BITS;
    weight = (weight + (1 << (shift - 1))) >> shift;
    for (size_t i = 0; i < count; i++) sums[i] += row[i] * weight;
}

void row_round_wide(const int32_t *restrict sums, uint8_t *restrict out, size_t count) {
    const int shift = ROW_WIDE_BITS + WIDE_WEIGHT_BITS;
    for (size_t i = 0; i < count; i++) {
        int32_t value = (sums[i] + (1 << (shift - 1))) >> shift;
        out[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

// Colour to colour: one pass over the row instead of one for each channel.
static void write_pixels(const row_target *target, const uint8_t *restrict row, float *restrict out) {
    const float *first = target->values[0], *second = target->values[1], *third = target->values[2];
    const ptrdiff_t step = target->channel_step;
    for (uint32_t i = 0; i < target->count; i++, row += 3, out += target->pixel_step) {
        out[0] = first[row[target->reversed ? 2 : 0]];
        out[step] = second[row[1]];
        out[2 * step] = third[row[target->reversed ? 0 : 2]];
    }
}

void row_write(const row_target *target, const uint8_t *restrict row, float *restrict out) {
    if (target->channels == 3 && target->target_channels == 3) {
        write_pixels(target, row, out);
        return;
    }
    for (uint32_t c = 0; c < target->target_channels; c++) {
        const float *values = target->values[c];
        const uint8_t *pixel = row + (target->channels == 1 ? 0 : target->reversed ? 2 - c : c);
        float *place = out + (ptrdiff_t)c * target->channel_step;
        for (uint32_t i = 0; i < target->count; i++, pixel += target->channels, place += target->pixel_step)
            *place = values[*pixel];
    }
}
