// SPDX-License-Identifier: Apache-2.0
// Reading a double: a mantissa below 2^53 times or over a power of ten up to 10^22 is rounded once, so it is right.
// Reading a float: 19 digits and powers down to 10^-44 take up to four roundings, so the double is off by a few units
// in its last place. The float made from it is right nevertheless, unless the double lies that close to the border
// between two floats: there the digits that the double lost decide, and strtof is asked. (Python's 17 digits for what
// was a float once are the usual input.) Printing tries 6 to 9 digits and keeps the first that read back.
#include "server/base/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POWER_MAX      22
#define MANTISSA_MAX   (UINT64_C(1) << 53)
#define MANTISSA_CHARS 19 // digits that surely fit 64 bits

static const double powers[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

typedef struct decimal {
    uint64_t mantissa;
    int exponent;
    bool negative, whole;
    bool hard; // the mantissa lost digits
} decimal;

static inline bool is_digit(char c) {
    return (unsigned char)(c - '0') <= 9;
}

static const char *scan_digits(const char *p, uint64_t *mantissa) {
    uint64_t m = *mantissa;
    while (is_digit(*p)) m = m * 10 + (uint64_t)(*p++ - '0'); // may wrap: then `hard` is set
    *mantissa = m;
    return p;
}

static const char *scan_exponent(const char *p, int *exponent) {
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    if (!is_digit(*p)) return NULL;
    int value = 0;
    for (; is_digit(*p); p++) {
        if (value < 100000) value = value * 10 + (*p - '0');
    }
    *exponent += negative ? -value : value;
    return p;
}

static inline const char *scan(const char *text, decimal *d) {
    const char *p = text;
    *d = (decimal){.negative = *p == '-', .whole = true};
    if (d->negative) p++;
    const char *digits = p;
    if (!is_digit(*p) || (*p == '0' && is_digit(p[1]))) return NULL;
    p = scan_digits(p, &d->mantissa);
    ptrdiff_t count = *digits == '0' ? 0 : p - digits; // of digits, leading zeros left out
    if (*p == '.') {
        const char *fraction = ++p;
        while (count == 0 && *p == '0') p++;
        const char *digits_behind = p;
        p = scan_digits(p, &d->mantissa);
        if (p == fraction) return NULL;
        d->whole = false;
        count += p - digits_behind;
        d->exponent = p - fraction < 100000 ? -(int)(p - fraction) : -100000;
    }
    d->hard = count > MANTISSA_CHARS;
    if (*p == 'e' || *p == 'E') {
        d->whole = false;
        p = scan_exponent(p + 1, &d->exponent);
    }
    return p;
}

// The correctly rounded double of an easy decimal.
static inline bool easy_double(const decimal *d, double *out) {
    if (d->hard || d->mantissa > MANTISSA_MAX || d->exponent < -POWER_MAX || d->exponent > POWER_MAX) return false;
    double value = (double)d->mantissa;
    value = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
    *out = d->negative ? -value : value;
    return true;
}

// A double within four units in the last place of a decimal.
static inline bool near_double(const decimal *d, double *out) {
    if (d->hard || d->exponent < -2 * POWER_MAX || d->exponent > POWER_MAX) return false;
    double value = (double)d->mantissa;
    if (d->exponent < -POWER_MAX)
        value = value / powers[POWER_MAX] / powers[-d->exponent - POWER_MAX];
    else
        value = d->exponent < 0 ? value / powers[-d->exponent] : value * powers[d->exponent];
    *out = d->negative ? -value : value;
    return true;
}

// Within `units` of a double's last place of the border between two floats.
static inline bool is_border(double value, uint32_t units) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint32_t)(bits & 0x1fffffff) - (0x10000000u - units) <= 2 * units;
}

const char *number_read_float(const char *text, float *out) {
    decimal d;
    double value;
    const char *end = scan(text, &d);
    if (!end) return NULL;
    // Floats below the normal ones have fewer bits, so their borders lie elsewhere.
    if (near_double(&d, &value) && !is_border(value, 8) && (fabs(value) >= (double)FLT_MIN || d.mantissa == 0))
        *out = (float)value;
    else
        *out = strtof(text, NULL);
    return isfinite(*out) ? end : NULL;
}

const char *number_read_double(const char *text, double *out) {
    decimal d;
    const char *end = scan(text, &d);
    if (!end) return NULL;
    if (!easy_double(&d, out)) *out = strtod(text, NULL);
    return isfinite(*out) ? end : NULL;
}

const char *number_read_int(const char *text, int64_t *out) {
    decimal d;
    const char *end = scan(text, &d);
    if (!end || !d.whole || d.hard) return NULL;
    if (d.mantissa > (uint64_t)INT64_MAX + d.negative) return NULL;
    *out = d.negative ? (int64_t)(0 - d.mantissa) : (int64_t)d.mantissa;
    return end;
}

static size_t print_u64(char *out, uint64_t value) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
    return count;
}

// `digits` * 10^(first - count + 1), written without an exponent where that is not longer than a few zeros.
static size_t lay_out(char *out, const char *digits, int count, int first) {
    size_t size = 0;
    if (first < -5 || first > 9) {
        out[size++] = digits[0];
        if (count > 1) out[size++] = '.';
        for (int i = 1; i < count; i++) out[size++] = digits[i];
        out[size++] = 'e';
        if (first < 0) out[size++] = '-';
        return size + print_u64(out + size, (uint64_t)(first < 0 ? -first : first));
    }
    if (first < 0) {
        out[size++] = '0';
        out[size++] = '.';
        for (int i = -1; i > first; i--) out[size++] = '0';
    }
    for (int i = 0; i < count || i <= first; i++) {
        if (i > 0 && i == first + 1) out[size++] = '.';
        out[size++] = i < count ? digits[i] : '0';
    }
    return size;
}

// The decimal of `count` digits that is nearest to `value`, if it reads back as the same float.
static bool try_digits(float value, int first, int count, uint64_t *mantissa) {
    int shift = count - 1 - first;
    if (shift < -POWER_MAX || shift > POWER_MAX) return false;
    double wide = (double)value;
    *mantissa = (uint64_t)llrint(shift < 0 ? wide / powers[-shift] : wide * powers[shift]);
    double back = shift < 0 ? (double)*mantissa * powers[-shift] : (double)*mantissa / powers[shift];
    return (float)back >= value && (float)back <= value && !is_border(back, 0);
}

static int decimal_exponent(double value) {
    int binary;
    (void)frexp(value, &binary);
    int guess = (int)floor((binary - 1) * 0.30102999566398120); // at most one too small
    if (guess < -POWER_MAX || guess >= POWER_MAX) return guess;
    double next = guess < -1 ? 1 / powers[-guess - 1] : powers[guess + 1];
    return value >= next ? guess + 1 : guess;
}

// `mantissa`, of which the last digit stands for 10^(shift + 1), without the zeros at its end.
static size_t print_digits(char *out, uint64_t mantissa, int shift) {
    char digits[20];
    int count = (int)print_u64(digits, mantissa), top = shift + count;
    while (count > 1 && digits[count - 1] == '0') count--;
    return lay_out(out, digits, count, top);
}

size_t number_print_float(char out[NUMBER_CHARS], float value) {
    size_t sign = signbit(value) ? 1 : 0;
    float size = fabsf(value);
    if (sign) out[0] = '-';
    if (!(size > 0)) {
        out[sign] = '0';
        return sign + 1;
    }
    int first = decimal_exponent((double)size), count = 9;
    uint64_t mantissa = 0, shorter = 0;
    if (!try_digits(size, first, 8, &mantissa)) { // most floats take 8 or 9 digits
        if (!try_digits(size, first, 9, &mantissa))
            return sign + (size_t)snprintf(out + sign, NUMBER_CHARS - 1, "%.9g", (double)size);
    } else {
        for (count = 8; count > 6 && try_digits(size, first, count - 1, &shorter); count--) mantissa = shorter;
    }
    return sign + print_digits(out + sign, mantissa, first - count);
}

size_t number_print_double(char out[NUMBER_CHARS], double value) {
    int size = 0;
    for (int digits = 15; digits <= 17; digits++) {
        size = snprintf(out, NUMBER_CHARS, "%.*g", digits, value);
        double back = strtod(out, NULL);
        if (back >= value && back <= value) break;
    }
    return (size_t)size;
}
