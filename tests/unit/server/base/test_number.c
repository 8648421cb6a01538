// SPDX-License-Identifier: Apache-2.0
// Numbers against the C library: reading must equal strtof and strtod bit for bit, printing must read back.
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/number.h"

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t random_u64(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void check_reading(const char *text) {
    float f = 1, f_want = strtof(text, NULL);
    const char *end = number_read_float(text, &f);
    if (isinf(f_want)) {
        cr_assert_null(end, "%s is infinite as a float", text);
    } else {
        cr_assert_not_null(end, "%s", text);
        cr_assert_eq(*end, ']', "%s", text);
        cr_assert_eq(float_bits(f), float_bits(f_want), "%s: %a, strtof has %a", text, (double)f, (double)f_want);
    }
    double d = 1, d_want = strtod(text, NULL);
    end = number_read_double(text, &d);
    if (isinf(d_want)) {
        cr_assert_null(end, "%s is infinite as a double", text);
    } else {
        cr_assert_not_null(end, "%s", text);
        cr_assert_eq(double_bits(d), double_bits(d_want), "%s: %a, strtod has %a", text, d, d_want);
    }
}

Test(number, reads_random_decimals_as_the_c_library_does) {
    for (int n = 0; n < 1000000; n++) {
        char text[80];
        uint64_t r = random_u64();
        int digits = (int)(r % 21), used = 0;
        if (r >> 8 & 1) text[used++] = '-';
        if (r >> 9 & 1) {
            used += snprintf(text + used, 40, "%llu", (unsigned long long)(random_u64() >> (r >> 10 & 63)));
        } else {
            text[used++] = '0';
        }
        if (digits) text[used++] = '.';
        for (int i = 0; i < digits; i++) text[used++] = (char)('0' + random_u64() % 10);
        if (r >> 20 & 1) used += snprintf(text + used, 12, "e%d", (int)(random_u64() % 120) - 70);
        (void)snprintf(text + used, 4, "]");
        check_reading(text);
    }
}

// What Python's json.dumps() sends for an array of floats, and shorter and longer ones.
Test(number, reads_floats_printed_with_any_number_of_digits) {
    for (int n = 0; n < 500000; n++) {
        float value = float_of((uint32_t)random_u64());
        if (!isfinite(value)) continue;
        if (n & 1) value = (float)(random_u64() >> 40) * 0x1p-24f;
        char text[64];
        (void)snprintf(text, sizeof text, n & 2 ? "%.*e]" : "%#.*g]", n / 4 % 20 + 1, (double)value);
        if (strstr(text, ".]") || strstr(text, ".e")) continue;
        check_reading(text);
    }
}

Test(number, reads_what_lies_on_or_beside_the_border_of_two_floats) {
    check_reading("1.00000005960464477540]");
    check_reading("1.00000005960464477539]");
    check_reading("1.000000059604644775390625]");
    check_reading("1.0000000596046447753906250000000000000000000000000001]");
    check_reading("16777217]");
    check_reading("16777217.0000000001]");
    check_reading("3.4028235677973366e38]");
    check_reading("3.4028235677973365e38]");
    check_reading("1.401298464324817e-45]");
    check_reading("7.0064923216240853e-46]");
    check_reading("7.0064923216240854e-46]");
    check_reading("-0]");
    check_reading("-0.0e5]");
    check_reading("0e999999999999999999999]");
    check_reading("1e999999999999999999999]");
    check_reading("1e-999999999999999999999]");
    check_reading("9007199254740993]");
    check_reading("18446744073709551616]");
    for (int n = 0; n < 300000; n++) { // decimals of the exact middle, cut at every length
        float low = float_of((uint32_t)(random_u64() % 0x7f000000));
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        char text[64];
        (void)snprintf(text, sizeof text, "%.*e]", (int)(random_u64() % 26), middle);
        check_reading(text);
    }
}

// Runs of numbers of every kind: each must be strtof's, whether it is read in the run or handed back.
Test(number, reads_runs_of_floats) {
    static const char *const formats[] = {"%.9g", "%.17g", "%.6f", "%.0f", "%.1f", "%.15f", "%.12f", "%e", "%.8e"};
    static char text[100000];
    size_t in_runs = 0, total = 0;
    for (int round = 0; round < 400; round++) {
        size_t size = 0;
        uint32_t kind = (uint32_t)round % 4;
        while (size < sizeof text - 100) {
            uint64_t bits = random_u64();
            float any = float_of((uint32_t)bits);
            double value = kind == 0   ? (isfinite(any) ? (double)any : 0)
                           : kind == 1 ? (double)(bits >> 11) * 0x1p-53
                           : kind == 2 ? (double)(float)((double)(int64_t)bits * 0x1p-61)
                                       : (double)(bits % 20000) / 100 - 100;
            size += (size_t)snprintf(text + size, 64, formats[bits % 9], value);
            size += (size_t)snprintf(text + size, 3, bits % 7 == 0 ? ", " : ",");
        }
        (void)strcpy(text + size, "1]");
        const char *p = text, *end = text + size + 1;
        while (*p != ']') {
            float got[64];
            const char *at = p;
            size_t most = random_u64() % 64 + 1, count = number_read_floats(&p, end, got, most);
            cr_assert_leq(count, most);
            for (size_t i = 0; i < count; i++) {
                char *behind = NULL;
                float want = strtof(at, &behind);
                cr_assert(*behind == ',' && float_bits(got[i]) == float_bits(want), "%.30s: %a, strtof has %a", at,
                          (double)got[i], (double)want);
                at = behind + 1 + (behind[1] == ' ');
            }
            cr_assert_eq(at, p);
            in_runs += count;
            total += count + 1;
            float ignored;
            const char *behind = number_read_float(p, &ignored);
            if (behind == NULL) behind = p + strcspn(p, ",]"); // infinite as a float
            p = behind + (*behind == ',');
            p += *p == ' ';
        }
    }
    cr_assert(in_runs > total / 2, "only %zu of %zu numbers in runs", in_runs, total);
}

Test(number, hands_back_what_is_no_everyday_number) {
    static const char *const rows[] = {"01,",
                                       "-,",
                                       "1.,",
                                       "--1,",
                                       ".5,",
                                       "1e5,",
                                       "NaN,",
                                       "+1,",
                                       "\"1\",",
                                       "1 ,",
                                       ",",
                                       "[1],",
                                       "12345678,",
                                       "null,",
                                       "1.5.2,",
                                       "1-2,",
                                       "1.00000005960464477540,",
                                       "0.12345678901234567890123,"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        float got[2];
        (void)snprintf(text, sizeof text, "%s0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", rows[i]);
        const char *p = text;
        cr_expect_eq(number_read_floats(&p, text + strlen(text), got, 1), 0, "%s", text);
        cr_expect_eq(p, text);
    }
}

Test(number, refuses_what_json_does_not_have) {
    static const char *const bad[] = {"",     "]",      "-]",     "+1]",     ".5]",       "1.]",  "01]",
                                      "-01]", "00]",    "1e]",    "1e+]",    "1e-]",      "NaN]", "nan]",
                                      "inf]", "-]",     "e5]",    "-inf]",   "Infinity]", "--1]", "1.e5]",
                                      "-.5]", "0x10]x", "1e999]", "-1e999]", "00.5]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        float f;
        double d;
        if (strcmp(bad[i], "0x10]x") == 0) { // the 0 is a number, and the x is left over
            cr_expect_eq(number_read_float(bad[i], &f), bad[i] + 1);
            continue;
        }
        cr_expect_null(number_read_float(bad[i], &f), "%s", bad[i]);
        cr_expect_null(number_read_double(bad[i], &d), "%s", bad[i]);
    }
}

Test(number, reads_whole_numbers_up_to_64_bits) {
    int64_t value = 0;
    cr_expect_not_null(number_read_int("9223372036854775807,", &value));
    cr_expect_eq(value, INT64_MAX);
    cr_expect_not_null(number_read_int("-9223372036854775808,", &value));
    cr_expect_eq(value, INT64_MIN);
    cr_expect_not_null(number_read_int("-0,", &value));
    cr_expect_eq(value, 0);
    static const char *const bad[] = {"9223372036854775808,",
                                      "-9223372036854775809,",
                                      "18446744073709551617,",
                                      "1.0,",
                                      "1e2,",
                                      "99999999999999999999,",
                                      "true,",
                                      "-,"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_null(number_read_int(bad[i], &value), "%s", bad[i]);
}

Test(number, reads_whole_numbers_without_a_sign) {
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"18446744073709551615,", UINT64_MAX}, {"0,", 0}, {"-0,", 0}, {"12]", 12}};
    static const char *const bad[] = {"18446744073709551616,", "-1,", "1.0,", "1e2,",
                                      "99999999999999999999,", "01,", "-,",   "true,"};
    uint64_t value = 5;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *end = number_read_uint(good[i].text, &value);
        cr_assert(end && end[1] == '\0', "%s", good[i].text);
        cr_expect_eq(value, good[i].value, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *end = number_read_uint(bad[i], &value);
        cr_expect(end == NULL || *end != ',', "%s", bad[i]); // of "01" the zero is a number
    }
}

static void check_float_printing(float value) {
    char text[NUMBER_CHARS + 2], widest[40];
    size_t size = number_print_float(text, value);
    cr_assert_lt(size, NUMBER_CHARS);
    text[size] = ']';
    text[size + 1] = '\0';
    float back = strtof(text, NULL), read = 1;
    cr_assert_eq(float_bits(back), float_bits(value), "%a printed as %s", (double)value, text);
    cr_assert_eq(number_read_float(text, &read), text + size, "%s is not of JSON's grammar", text);
    cr_assert_eq(float_bits(read), float_bits(value));
    float magnitude = fabsf(value);
    if (magnitude < 1e-4f || magnitude > 1e6f) return; // beyond, round numbers are written out in full
    (void)snprintf(widest, sizeof widest, "%.9g", (double)value);
    cr_assert_leq(size, strlen(widest), "%s is longer than %s", text, widest);
}

Test(number, prints_floats_that_read_back) {
    for (int n = 0; n < 1000000; n++) {
        float any = float_of((uint32_t)random_u64());
        if (isfinite(any)) check_float_printing(any);
        check_float_printing((float)(random_u64() >> 40) * 0x1p-24f); // what softmax gives
        check_float_printing((float)((double)(random_u64() % 2000000) / 1000 - 1000));
    }
    for (int e = -149; e < 128; e++) {
        check_float_printing(ldexpf(1, e));
        check_float_printing(nextafterf(ldexpf(1, e), 0));
        check_float_printing(-nextafterf(ldexpf(1, e), INFINITY));
    }
    for (int e = -45; e < 39; e++) {
        char text[16];
        (void)snprintf(text, sizeof text, "1e%d", e);
        check_float_printing(strtof(text, NULL));
        check_float_printing(nextafterf(strtof(text, NULL), 0));
    }
}

Test(number, prints_the_fewest_digits) {
    static const struct {
        float value;
        const char *text;
    } rows[] = {{0.1f, "0.1"},
                {0.998f, "0.998"},
                {1, "1"},
                {-2.5f, "-2.5"},
                {100, "100"},
                {16777216, "16777216"},
                {1e10f, "1e10"},
                {1e-6f, "1e-6"},
                {0.00012f, "0.00012"},
                {-0.0f, "-0"},
                {0, "0"},
                {0.3333333433f, "0.33333334"},
                {123456.7f, "123456.7"},
                {3.4028235e38f, "3.4028235e38"},
                {1e-45f, "1e-45"},
                {1.1e-30f, "1.1e-30"},
                {1e30f, "1e30"},
                {1.17549435e-38f, "1.1754944e-38"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[NUMBER_CHARS + 1];
        text[number_print_float(text, rows[i].value)] = '\0';
        cr_expect_str_eq(text, rows[i].text);
    }
}

// No decimal of one digit less may read back: neither the nearest nor its neighbours.
static void check_is_fewest(float value) {
    char text[NUMBER_CHARS + 1], shorter[32];
    text[number_print_float(text, value)] = '\0';
    int digits = 0, zeros = 0;
    for (const char *p = text; *p != '\0' && *p != 'e'; p++) {
        if (*p < '0' || *p > '9' || (*p == '0' && digits == 0)) continue;
        digits++;
        zeros = *p == '0' ? zeros + 1 : 0;
    }
    digits -= zeros;
    if (digits < 2) return;
    (void)snprintf(shorter, sizeof shorter, "%.*e", digits - 2, fabs((double)value));
    double step = pow(10, atoi(strchr(shorter, 'e') + 1) - (digits - 2));
    for (int k = -1; k <= 1; k++) {
        char neighbour[40];
        (void)snprintf(neighbour, sizeof neighbour, "%.*e", digits - 2, strtod(shorter, NULL) + k * step);
        cr_assert_neq(strtof(neighbour, NULL), fabsf(value), "%s for %a, though %s reads back", text, (double)value,
                      neighbour);
    }
}

Test(number, prints_no_digit_too_many) {
    for (int n = 0; n < 200000; n++) {
        float any = float_of((uint32_t)random_u64());
        if (isfinite(any)) check_is_fewest(any);
        check_is_fewest((float)(random_u64() >> 40) * 0x1p-24f);
    }
    for (int e = -149; e < 128; e++) {
        check_is_fewest(ldexpf(1, e));
        check_is_fewest(nextafterf(ldexpf(1, e), 0));
        check_is_fewest(nextafterf(ldexpf(1, e), INFINITY));
    }
}

Test(number, prints_doubles_that_read_back) {
    for (int n = 0; n < 200000; n++) {
        uint64_t bits = random_u64();
        double value, back = 0;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        char text[NUMBER_CHARS + 1];
        size_t size = number_print_double(text, value);
        text[size] = ']';
        cr_assert_eq(number_read_double(text, &back), text + size);
        cr_assert_eq(double_bits(back), double_bits(value));
    }
}
