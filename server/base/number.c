// SPDX-License-Identifier: Apache-2.0
// Reading a double: a mantissa below 2^53 times or over a power of ten up to 10^22 is rounded once, so it is right.
// Reading a float: 19 digits and powers down to 10^-44 take up to four roundings, so the double is off by a few units
// in its last place. The float made from it is right nevertheless, unless the double lies that close to the border
// between two floats: there the digits that the double lost decide, and strtof is asked. (Python's 17 digits for what
// was a float once are the usual input.) Printing tries 6 to 9 digits and keeps the fewest that read back.
#define _GNU_SOURCE
#include "server/base/number.h"

#include <endian.h>
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

// ---- runs of floats, eight digits at a time ----

// How many of the eight characters are digits, from the first on; `digits` gets their values, a byte each.
static inline unsigned scan8(const char *p, uint64_t *digits) {
    uint64_t text;
    memcpy(&text, p, sizeof text);
    text = le64toh(text) ^ UINT64_C(0x3030303030303030);
    *digits = text;
    uint64_t others = ((text + UINT64_C(0x7676767676767676)) | text) & UINT64_C(0x8080808080808080);
    return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) >> 3;
}

// The number that the first `count` digits make, 1 to 8 of them: neighbours are joined to pairs, fours, and the whole.
static inline uint64_t join8(uint64_t digits, unsigned count) {
    digits <<= 64 - 8 * count; // leading zeros; what is no digit goes
    digits = digits * 10 + (digits >> 8);
    return ((digits & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
            ((digits >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
           32;
}

static const uint64_t whole_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

// Takes the digits at *p into the mantissa, `most` at most; how many they are, or 8 for too many.
static inline unsigned take_digits(const char **p, uint64_t *mantissa, unsigned most) {
    uint64_t digits;
    unsigned count = scan8(*p, &digits);
    if (count == 0) return 0;
    if (count > most) return 9;
    *mantissa = *mantissa * whole_powers[count] + join8(digits, count);
    *p += count;
    return count;
}

// A number without an exponent, of at most 7 digits ahead of the point, and 19 in all. NULL: it is not.
static inline const char *read_everyday(const char *p, float *out) {
    uint32_t sign = *p == '-';
    uint64_t mantissa = 0;
    p += sign;
    bool has_zero = *p == '0';
    unsigned whole = take_digits(&p, &mantissa, 7), places = 0;
    if (whole == 0 || whole > 7 || (has_zero && whole > 1)) return NULL;
    if (*p == '.') {
        p++;
        places = take_digits(&p, &mantissa, 8);
        if (places == 0) return NULL;
        if (places == 8) {
            unsigned left = 11 - whole + has_zero, more = take_digits(&p, &mantissa, left < 8 ? left : 8);
            if (more == 8) more += take_digits(&p, &mantissa, left - 8);
            places += more;
            if (more > left) return NULL;
        }
    }
    double value = (double)mantissa / powers[places];
    if (is_border(value, 8)) return NULL;
    uint32_t bits;
    float size = (float)value;
    memcpy(&bits, &size, sizeof bits);
    bits |= sign << 31;
    memcpy(out, &bits, sizeof bits);
    return p;
}

size_t number_read_floats(const char **text, const char *end, float *out, size_t most) {
    const char *p = *text;
    size_t count = 0;
    // The longest everyday number has 22 characters; loads reach 8 beyond what they take.
    while (count < most && end - p >= 34) {
        const char *behind = read_everyday(p, &out[count]);
        if (behind == NULL || *behind != ',') break;
        count++;
        p = behind + 1;
        p += *p == ' '; // as Python writes lists
    }
    *text = p;
    return count;
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

const char *number_read_uint(const char *text, uint64_t *out) {
    decimal d;
    uint64_t value = 0;
    const char *end = scan(text, &d), *p = text;
    if (!end || !d.whole) return NULL;
    p += *p == '-';
    for (; p < end; p++) { // again, as `decimal` has no room for all of the largest
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
            return NULL;
        }
    }
    if (d.negative && value) return NULL;
    *out = value;
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

// 10^n for n up to 44; beyond 22 within a unit in the last place.
static double power_of_ten(int n) {
    return n <= POWER_MAX ? powers[n] : powers[POWER_MAX] * powers[n - POWER_MAX];
}

static double scale(double value, int shift) {
    return shift < 0 ? value / power_of_ten(-shift) : value * power_of_ten(shift);
}

typedef enum answer { NO, YES, UNSURE } answer;

// Whether `mantissa` / 10^shift reads back as `value`. A whole number that a double holds may lie on a border: then it
// goes to the even side, as strtof has it. Unsure on other borders, and beside them where the scaling is not exact.
static answer reads_back(uint64_t mantissa, int shift, float value) {
    double back = scale((double)mantissa, -shift);
    bool is_exact = shift >= -POWER_MAX && shift <= POWER_MAX, is_whole = shift <= 0 && back < (double)MANTISSA_MAX;
    if (!is_whole && is_border(back, is_exact ? 0 : 8)) return UNSURE;
    return (float)back >= value && (float)back <= value ? YES : NO;
}

static bool is_power_of_two(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7fffff) == 0;
}

// A decimal of `count` digits that reads back as the same float: the one that is nearest to `value`, or, as what lies
// above a power of two may be twice as far away as what lies below it, the next.
static answer try_digits(float value, int first, int count, uint64_t *mantissa) {
    int shift = count - 1 - first;
    *mantissa = (uint64_t)llrint(scale((double)value, shift));
    answer nearest = reads_back(*mantissa, shift, value);
    if (nearest != NO || !is_power_of_two(value)) return nearest;
    return reads_back(++*mantissa, shift, value);
}

static int decimal_exponent(double value) {
    int binary;
    (void)frexp(value, &binary);
    int guess = (int)floor((binary - 1) * 0.30102999566398120); // at most one too small
    double next = guess < -1 ? 1 / power_of_ten(-guess - 1) : power_of_ten(guess + 1);
    return value >= next ? guess + 1 : guess;
}

// `mantissa`, of which the last digit stands for 10^(shift + 1), without the zeros at its end.
static size_t print_digits(char *out, uint64_t mantissa, int shift) {
    char digits[20];
    int count = (int)print_u64(digits, mantissa), top = shift + count;
    while (count > 1 && digits[count - 1] == '0') count--;
    return lay_out(out, digits, count, top);
}

// The C library's way, for the smallest of all and for what lies on a border.
static size_t print_slowly(char *out, float value) {
    char text[NUMBER_CHARS];
    for (int digits = 1; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, (double)value);
        float back = strtof(text, NULL);
        if (back < value && is_power_of_two(value)) {
            double step = pow(10, atoi(strchr(text, 'e') + 1) - digits + 1);
            (void)snprintf(text, sizeof text, "%.*e", digits - 1, strtod(text, NULL) + step);
            back = strtof(text, NULL);
        }
        if (back >= value && back <= value) break;
    }
    char digits[16];
    int count = 0, exponent = atoi(strchr(text, 'e') + 1);
    for (const char *p = text; *p != 'e'; p++) {
        if (*p != '.') digits[count++] = *p;
    }
    while (count > 1 && digits[count - 1] == '0') count--;
    return lay_out(out, digits, count, exponent);
}

// Most floats take 8 or 9 digits. Where 6 are enough, fewer show as zeros at the end: no two decimals of 6 digits are
// the same float.
static size_t print_positive(char *out, float value) {
    if (value < 1e-34f) return print_slowly(out, value);
    int first = decimal_exponent((double)value), count = 8;
    uint64_t mantissa = 0, shorter = 0;
    answer found = try_digits(value, first, count, &mantissa);
    if (found == NO) found = try_digits(value, first, ++count, &mantissa);
    while (found == YES && count > 6 && count < 9) {
        answer fewer = try_digits(value, first, count - 1, &shorter);
        if (fewer == NO) break;
        found = fewer;
        mantissa = shorter;
        count--;
    }
    return found == YES ? print_digits(out, mantissa, first - count) : print_slowly(out, value);
}

size_t number_print_float(char out[NUMBER_CHARS], float value) {
    size_t sign = signbit(value) ? 1 : 0;
    if (sign) out[0] = '-';
    if (fabsf(value) > 0) return sign + print_positive(out + sign, fabsf(value));
    out[sign] = '0';
    return sign + 1;
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
