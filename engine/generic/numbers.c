// SPDX-License-Identifier: Apache-2.0
#include "engine/generic/numbers.h"

#include "engine/base/half.h"

#include <math.h>

bool numbers_is_float(dsc_dtype dtype) {
    return dtype == DSC_F32 || dtype == DSC_F64 || dtype == DSC_F16 || dtype == DSC_BF16;
}

#define LOAD(type, value)                                                                                              \
    do {                                                                                                               \
        const type *in = (const type *)from->data + at;                                                                \
        for (int64_t i = 0; i < end; i++) {                                                                            \
            type x = in[i * stride];                                                                                   \
            to[i] = value;                                                                                             \
        }                                                                                                              \
    } while (0)

void numbers_load(double *to, const op_tensor *from, int64_t at, int64_t stride, uint64_t count) {
    int64_t end = (int64_t)count;
    switch (from->dtype) {
        case DSC_F32: LOAD(float, (double)x); break;
        case DSC_F64: LOAD(double, x); break;
        case DSC_F16: LOAD(uint16_t, half_value(x)); break;
        case DSC_U8: LOAD(uint8_t, (double)x); break;
        case DSC_I8: LOAD(int8_t, (double)x); break;
        case DSC_I32: LOAD(int32_t, (double)x); break;
        case DSC_I64: LOAD(int64_t, (double)x); break;
        case DSC_BOOL: LOAD(uint8_t, x ? 1.0 : 0.0); break;
        case DSC_U16: LOAD(uint16_t, (double)x); break;
        case DSC_I16: LOAD(int16_t, (double)x); break;
        case DSC_U32: LOAD(uint32_t, (double)x); break;
        case DSC_U64: LOAD(uint64_t, (double)x); break;
        case DSC_BF16: LOAD(uint16_t, bfloat_value(x)); break;
    }
}

// A double as an integer of low..high, which doubles hold exactly (high as the next power of two, exclusive).
static int64_t clamp(double x, double low, double high, int64_t last) {
    if (isnan(x)) return 0;
    if (x <= low) return (int64_t)low;
    return x >= high ? last : (int64_t)x;
}

static int64_t to_int64(double x) {
    return clamp(x, -0x1p63, 0x1p63, INT64_MAX);
}

static uint64_t to_uint64(double x) {
    if (!(x > 0)) return 0;
    return x >= 0x1p64 ? UINT64_MAX : (uint64_t)x;
}

void integers_load(int64_t *to, const op_tensor *from, int64_t at, int64_t stride, uint64_t count) {
    int64_t end = (int64_t)count;
    switch (from->dtype) {
        case DSC_F32: LOAD(float, to_int64((double)x)); break;
        case DSC_F64: LOAD(double, to_int64(x)); break;
        case DSC_F16: LOAD(uint16_t, to_int64(half_value(x))); break;
        case DSC_U8: LOAD(uint8_t, x); break;
        case DSC_I8: LOAD(int8_t, x); break;
        case DSC_I32: LOAD(int32_t, x); break;
        case DSC_I64: LOAD(int64_t, x); break;
        case DSC_BOOL: LOAD(uint8_t, x ? 1 : 0); break;
        case DSC_U16: LOAD(uint16_t, x); break;
        case DSC_I16: LOAD(int16_t, x); break;
        case DSC_U32: LOAD(uint32_t, x); break;
        case DSC_U64: LOAD(uint64_t, (int64_t)x); break;
        case DSC_BF16: LOAD(uint16_t, to_int64(bfloat_value(x))); break;
    }
}

#define STORE(type, value)                                                                                             \
    do {                                                                                                               \
        type *out = (type *)to->out + at;                                                                              \
        for (uint64_t i = 0; i < count; i++) out[i * stride] = (type)(value);                                          \
    } while (0)

void numbers_store_strided(const op_tensor *to, uint64_t at, uint64_t stride, const double *from, uint64_t count) {
    switch (to->dtype) {
        case DSC_F32: STORE(float, from[i]); break;
        case DSC_F64: STORE(double, from[i]); break;
        case DSC_F16: STORE(uint16_t, half_bits(from[i])); break;
        case DSC_U8: STORE(uint8_t, clamp(from[i], 0, 256, UINT8_MAX)); break;
        case DSC_I8: STORE(int8_t, clamp(from[i], -128, 128, INT8_MAX)); break;
        case DSC_I32: STORE(int32_t, clamp(from[i], -0x1p31, 0x1p31, INT32_MAX)); break;
        case DSC_I64: STORE(int64_t, to_int64(from[i])); break;
        case DSC_BOOL: STORE(uint8_t, from[i] < 0 || from[i] > 0 || isnan(from[i])); break;
        case DSC_U16: STORE(uint16_t, clamp(from[i], 0, 0x1p16, UINT16_MAX)); break;
        case DSC_I16: STORE(int16_t, clamp(from[i], -0x1p15, 0x1p15, INT16_MAX)); break;
        case DSC_U32: STORE(uint32_t, clamp(from[i], 0, 0x1p32, UINT32_MAX)); break;
        case DSC_U64: STORE(uint64_t, to_uint64(from[i])); break;
        case DSC_BF16: STORE(uint16_t, bfloat_bits(from[i])); break;
    }
}

void numbers_store(const op_tensor *to, uint64_t at, const double *from, uint64_t count) {
    numbers_store_strided(to, at, 1, from, count);
}

void integers_store(const op_tensor *to, uint64_t at, const int64_t *from, uint64_t count) {
    const uint64_t stride = 1;
    switch (to->dtype) {
        case DSC_F32: STORE(float, from[i]); break;
        case DSC_F64: STORE(double, from[i]); break;
        case DSC_F16: STORE(uint16_t, half_bits((double)from[i])); break;
        case DSC_U8: STORE(uint8_t, from[i]); break;
        case DSC_I8: STORE(int8_t, from[i]); break;
        case DSC_I32: STORE(int32_t, from[i]); break;
        case DSC_I64: STORE(int64_t, from[i]); break;
        case DSC_BOOL: STORE(uint8_t, from[i] != 0); break;
        case DSC_U16: STORE(uint16_t, from[i]); break;
        case DSC_I16: STORE(int16_t, from[i]); break;
        case DSC_U32: STORE(uint32_t, from[i]); break;
        case DSC_U64: STORE(uint64_t, from[i]); break;
        case DSC_BF16: STORE(uint16_t, bfloat_bits((double)from[i])); break;
    }
}

double numbers_get(const op_tensor *from, uint64_t at) {
    double x;
    numbers_load(&x, from, (int64_t)at, 1, 1);
    return x;
}

int64_t integers_get(const op_tensor *from, uint64_t at) {
    int64_t x;
    integers_load(&x, from, (int64_t)at, 1, 1);
    return x;
}

void numbers_put(const op_tensor *to, uint64_t at, double value) {
    numbers_store(to, at, &value, 1);
}

void integers_put(const op_tensor *to, uint64_t at, int64_t value) {
    integers_store(to, at, &value, 1);
}

int numbers_compare(const op_tensor *t, uint64_t a, uint64_t b) {
    if (!numbers_is_float(t->dtype)) {
        int64_t x = integers_get(t, a), y = integers_get(t, b);
        if (t->dtype == DSC_U64) return ((uint64_t)x > (uint64_t)y) - ((uint64_t)x < (uint64_t)y);
        return (x > y) - (x < y);
    }
    double x = numbers_get(t, a), y = numbers_get(t, b);
    if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}
