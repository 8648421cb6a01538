// SPDX-License-Identifier: Apache-2.0
// The resizer's rows with AVX2. Products of a byte and a weight take 30 bits. For colour the weights are split in two
// parts of 12 bits, so that two products at a time fit the 16-bit multiplier, and put together again after summing.
// Sums are whole numbers, so the order in which they are made changes nothing, and the bytes are the reference's.
#include "engine/image/rows.h"

#if defined(__AVX2__)
#include <immintrin.h>
#include <string.h>

#define ROW_HALF (1 << (AXIS_PRECISION - 1))

static inline __m128i load_8(const uint8_t *p) {
    return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

static inline int32_t to_byte(int32_t sum) {
    int32_t value = (sum + ROW_HALF) >> AXIS_PRECISION;
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

// Four pixels and their weights as words that are multiplied and added in pairs: red, green, blue and nothing, of the
// first two pixels in the low lane and of the last two in the high one.
static inline __m256i load_twice(const void *p) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
}

static inline __m256i spread_pixels(const uint8_t *p) {
    const __m256i places = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, //
                                            6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    return _mm256_shuffle_epi8(load_twice(p), places);
}

// The sums of one target pixel in both lanes, to be added. Sums that wrap around come back with the final one.
static inline __m256i sums_of(const uint8_t *p, const int16_t *split, uint32_t groups) {
    const __m256i high_places = _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, //
                                                 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
    const __m256i low_places = _mm256_add_epi8(high_places, _mm256_set1_epi8(8));
    __m256i high = _mm256_setzero_si256(), low = high;
    for (uint32_t k = 0; k < groups; k++, p += 3 * AXIS_GROUP, split += 2 * AXIS_GROUP) {
        __m256i pixels = spread_pixels(p), weights = load_twice(split);
        high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, _mm256_shuffle_epi8(weights, high_places)));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, _mm256_shuffle_epi8(weights, low_places)));
    }
    return _mm256_add_epi32(_mm256_slli_epi32(high, AXIS_LOW_BITS), low);
}

// Two target pixels at a time, from the first on; returns how many. `groups` is a constant where this is inlined.
static inline uint32_t resize_pairs(const image_axis *axis, const uint8_t *restrict source, uint8_t *restrict out,
                                    uint32_t groups, uint32_t count) {
    const int16_t *split = axis->split;
    const size_t step = (size_t)groups * 2 * AXIS_GROUP;
    const uint32_t base = axis_first(axis);
    uint32_t i = 0;
    for (; i + 2 <= count; i += 2, split += 2 * step, out += 6) {
        __m256i a = sums_of(source + (size_t)(axis->first[i] - base) * 3, split, groups);
        __m256i b = sums_of(source + (size_t)(axis->first[i + 1] - base) * 3, split + step, groups);
        __m256i sum = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
        sum = _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(ROW_HALF)), AXIS_PRECISION);
        sum = _mm256_packs_epi32(sum, sum);
        sum = _mm256_packus_epi16(sum, sum);
        int32_t first = _mm_cvtsi128_si32(_mm256_castsi256_si128(sum));
        int32_t second = _mm_cvtsi128_si32(_mm256_extracti128_si256(sum, 1));
        memcpy(out, &first, 4); // the fourth byte is written over next
        memcpy(out + 3, &second, 4);
    }
    return i;
}

static uint32_t rgb_at_the_edge(const uint8_t *p, const int32_t *w, uint32_t count) {
    int32_t r = 0, g = 0, b = 0;
    for (uint32_t k = 0; k < count; k++, p += 3) {
        r += p[0] * w[k];
        g += p[1] * w[k];
        b += p[2] * w[k];
    }
    return (uint32_t)(to_byte(r) | to_byte(g) << 8 | to_byte(b) << 16);
}

static void resize_rgb(const image_axis *axis, const uint8_t *restrict source, uint8_t *restrict out) {
    const uint32_t base = axis_first(axis), groups = axis->groups;
    // The last load of a target pixel reaches four bytes beyond its last group. Never true of the last pixel.
    const ptrdiff_t reach = (ptrdiff_t)groups * 3 * AXIS_GROUP + 4, size = (ptrdiff_t)(axis_last(axis) + 1 - base) * 3;
    uint32_t inside = axis->outputs, i;
    while (inside > 0 && (ptrdiff_t)(axis->first[inside - 1] - base) * 3 + reach > size) inside--;
    switch (groups) {
        case 1: i = resize_pairs(axis, source, out, 1, inside); break;
        case 2: i = resize_pairs(axis, source, out, 2, inside); break;
        case 3: i = resize_pairs(axis, source, out, 3, inside); break;
        default: i = resize_pairs(axis, source, out, groups, inside); break;
    }
    for (; i < axis->outputs; i++) {
        const int32_t *w = axis->weight + (size_t)i * axis->taps;
        uint32_t pixel = rgb_at_the_edge(source + (size_t)(axis->first[i] - base) * 3, w, axis->count[i]);
        memcpy(out + 3 * (size_t)i, &pixel, 3);
    }
}

static void resize_grey(const image_axis *axis, const uint8_t *restrict source, uint8_t *restrict out) {
    uint32_t base = axis_first(axis);
    for (uint32_t i = 0; i < axis->outputs; i++) {
        const int32_t *w = axis->weight + (size_t)i * axis->taps;
        const uint8_t *p = source + (axis->first[i] - base);
        uint32_t count = axis->count[i], k = 0;
        __m256i sums = _mm256_setzero_si256();
        for (; k + 8 <= count; k += 8) {
            __m256i weights = _mm256_loadu_si256((const __m256i *)(const void *)(w + k));
            sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(load_8(p + k)), weights));
        }
        __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
        half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
        int32_t sum = _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
        for (; k < count; k++) sum += p[k] * w[k];
        out[i] = (uint8_t)to_byte(sum);
    }
}

static void resize(const image_axis *axis, const uint8_t *restrict source, uint32_t channels, uint8_t *restrict out) {
    if (channels == 1)
        resize_grey(axis, source, out);
    else
        resize_rgb(axis, source, out);
}

static void accumulate(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight, size_t count) {
    const __m256i weights = _mm256_set1_epi32(weight);
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256i *place = (__m256i *)(void *)(sums + i);
        __m256i product = _mm256_mullo_epi32(_mm256_cvtepu8_epi32(load_8(row + i)), weights);
        _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), product));
    }
    for (; i < count; i++) sums[i] += row[i] * weight;
}

static void round_sums(const int32_t *restrict sums, uint8_t *restrict out, size_t count) {
    const __m256i half = _mm256_set1_epi32(ROW_HALF);
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __m256i sum = _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(sums + i)), half);
        sum = _mm256_srai_epi32(sum, AXIS_PRECISION);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        _mm_storel_epi64((__m128i *)(void *)(out + i), _mm_packus_epi16(words, words));
    }
    for (; i < count; i++) out[i] = (uint8_t)to_byte(sums[i]);
}

const row_kernels row_kernels_avx2 = {resize, accumulate, round_sums};
#endif
