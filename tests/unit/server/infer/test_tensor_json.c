// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/half.h"
#include "server/infer/tensor_json.h"

static dsc_tensor_info info_of(dsc_dtype dtype, uint32_t rank, int64_t a, int64_t b) {
    return (dsc_tensor_info){.name = "x", .dtype = dtype, .rank = rank, .dims = {a, b}};
}

// The text from the heap without a byte behind it, so that a sanitizer sees reads past its end.
static bool read_text(const char *text, const dsc_tensor_info *info, void *out, fault *f) {
    size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);
    memcpy(copy, text, size);
    bool done = tensor_json_read(copy, size, info, out, f);
    free(copy);
    return done;
}

Test(tensor_json, reads_flat_and_nested_floats) {
    static const char *const texts[] = {"[1,2.5,-3e0,0.1,5,6]", "[[1,2.5,-3],[0.1,5,6]]",
                                        " [ [ 1 ,\n2.5\t, -3 ] , [ 0.1 , 5,6 ] ]"};
    static const float want[] = {1, 2.5f, -3, 0.1f, 5, 6};
    dsc_tensor_info info = info_of(DSC_F32, 2, 2, 3);
    for (int i = 0; i < 3; i++) {
        float got[6] = {0};
        fault f = {0};
        cr_expect(read_text(texts[i] + (i == 2), &info, got, &f), "%s: %s", texts[i], f.text);
        cr_expect_arr_eq(got, want, sizeof want, "%s", texts[i]);
    }
    float one = 0;
    info = info_of(DSC_F32, 0, 0, 0);
    cr_expect(read_text("[7]", &info, &one, NULL));
    cr_expect_eq(one, 7);
}

Test(tensor_json, reads_what_is_no_number) {
    float got[4];
    double wide[4];
    dsc_tensor_info info = info_of(DSC_F32, 1, 4, 0);
    cr_assert(read_text("[NaN,Infinity,-Infinity,1]", &info, got, NULL));
    cr_expect(isnan(got[0]) && isinf(got[1]) && got[1] > 0 && isinf(got[2]) && got[2] < 0 && got[3] == 1);
    info.dtype = DSC_F64;
    cr_assert(read_text("[NaN,Infinity,-Infinity,1]", &info, wide, NULL));
    cr_expect(isnan(wide[0]) && isinf(wide[1]) && wide[1] > 0 && isinf(wide[2]) && wide[2] < 0);
}

Test(tensor_json, writes_nested_arrays) {
    static const float values[6] = {1, 2, 3, 4, 5, 6};
    static const struct {
        dsc_tensor_info info;
        uint32_t first;
        const char *wanted;
    } rows[] = {{{.dtype = DSC_F32, .rank = 2, .dims = {2, 3}}, 0, "[[1,2,3],[4,5,6]]"},
                {{.dtype = DSC_F32, .rank = 2, .dims = {1, 6}}, 1, "[1,2,3,4,5,6]"},
                {{.dtype = DSC_F32, .rank = 3, .dims = {3, 1, 2}}, 0, "[[[1,2]],[[3,4]],[[5,6]]]"},
                {{.dtype = DSC_F32, .rank = 4, .dims = {1, 3, 2, 1}}, 1, "[[[1],[2]],[[3],[4]],[[5],[6]]]"},
                {{.dtype = DSC_F32, .rank = 1, .dims = {1}}, 1, "1"},
                {{.dtype = DSC_F32, .rank = 0}, 0, "1"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buffer b;
        buffer_init(&b, 0);
        tensor_json_write_nested(&b, &rows[i].info, rows[i].first, values);
        cr_expect(b.size == strlen(rows[i].wanted) && memcmp(b.data, rows[i].wanted, b.size) == 0, "%.*s", (int)b.size,
                  b.data);
        buffer_close(&b);
    }
}

Test(tensor_json, reads_every_type_that_json_can_carry) {
    union {
        double f64[3];
        int64_t i64[3];
        int32_t i32[3];
        int8_t i8[3];
        uint8_t u8[3];
        uint64_t u64[3];
        uint32_t u32[3];
        uint16_t u16[3];
        int16_t i16[3];
    } v;
    dsc_tensor_info info = info_of(DSC_F64, 1, 3, 0);
    cr_expect(read_text("[0.1,1e300,-0]", &info, &v, NULL));
    cr_expect(v.f64[0] == 0.1 && v.f64[1] == 1e300 && signbit(v.f64[2]));
    info.dtype = DSC_I64;
    cr_expect(read_text("[9223372036854775807,-9223372036854775808,0]", &info, &v, NULL));
    cr_expect(v.i64[0] == INT64_MAX && v.i64[1] == INT64_MIN && v.i64[2] == 0);
    info.dtype = DSC_I32;
    cr_expect(read_text("[2147483647,-2147483648,1]", &info, &v, NULL));
    cr_expect(v.i32[0] == INT32_MAX && v.i32[1] == INT32_MIN && v.i32[2] == 1);
    info.dtype = DSC_I8;
    cr_expect(read_text("[127,-128,1]", &info, &v, NULL));
    cr_expect(v.i8[0] == 127 && v.i8[1] == -128 && v.i8[2] == 1);
    info.dtype = DSC_U8;
    cr_expect(read_text("[255,0,1]", &info, &v, NULL));
    cr_expect(v.u8[0] == 255 && v.u8[1] == 0 && v.u8[2] == 1);
    info.dtype = DSC_U64;
    cr_expect(read_text("[18446744073709551615,0,-0]", &info, &v, NULL));
    cr_expect(v.u64[0] == UINT64_MAX && v.u64[1] == 0 && v.u64[2] == 0);
    info.dtype = DSC_U32;
    cr_expect(read_text("[4294967295,0,1]", &info, &v, NULL));
    cr_expect(v.u32[0] == UINT32_MAX && v.u32[1] == 0 && v.u32[2] == 1);
    info.dtype = DSC_U16;
    cr_expect(read_text("[65535,0,1]", &info, &v, NULL));
    cr_expect(v.u16[0] == UINT16_MAX && v.u16[1] == 0 && v.u16[2] == 1);
    info.dtype = DSC_I16;
    cr_expect(read_text("[32767,-32768,1]", &info, &v, NULL));
    cr_expect(v.i16[0] == INT16_MAX && v.i16[1] == INT16_MIN && v.i16[2] == 1);
    info.dtype = DSC_BF16;
    cr_expect(read_text("[1.00390625,-2.5,Infinity]", &info, &v, NULL)); // the first lies half way: to even
    cr_expect(v.u16[0] == 0x3f80 && v.u16[1] == 0xc020 && v.u16[2] == 0x7f80);
    cr_expect(read_text("[NaN,3.3895314e38,0]", &info, &v, NULL));
    cr_expect(v.u16[0] == 0x7fc0 && v.u16[1] == 0x7f7f && v.u16[2] == 0);
    info.dtype = DSC_BOOL;
    cr_expect(read_text("[true,false,1]", &info, &v, NULL));
    cr_expect(v.u8[0] == 1 && v.u8[1] == 0 && v.u8[2] == 1);
}

Test(tensor_json, reads_halves) {
    static const struct {
        const char *text;
        uint16_t bits;
    } rows[] = {{"1", 0x3c00},         {"-2", 0xc000},      {"65504", 0x7bff},        {"65519.99", 0x7bff},
                {"0", 0x0000},         {"-0", 0x8000},      {"0.33325195", 0x3555},   {"2049", 0x6800}, // ties to even
                {"2051", 0x6802},      {"2049.01", 0x6801}, {"5.9604645e-8", 0x0001}, {"2.98e-8", 0x0000},
                {"2.9803e-8", 0x0001}, {"1e-30", 0x0000},   {"6.097555e-5", 0x03ff},  {"6.1035e-5", 0x0400},
                {"0.99999", 0x3c00},   {"NaN", 0x7e00},     {"Infinity", 0x7c00},     {"-Infinity", 0xfc00}};
    dsc_tensor_info info = info_of(DSC_F16, 1, 1, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[40];
        uint16_t got = 0xffff;
        (void)snprintf(text, sizeof text, "[%s]", rows[i].text);
        cr_expect(read_text(text, &info, &got, NULL), "%s was refused", text);
        cr_expect_eq(got, rows[i].bits, "%s became %04x", text, got);
    }
    for (unsigned bits = 0; bits < 0x7c00; bits++) { // every finite one reads back from its own text
        char text[40];
        uint16_t got = 0;
        (void)snprintf(text, sizeof text, "[%.9g]", (double)half_to_float((uint16_t)bits));
        cr_assert(read_text(text, &info, &got, NULL) && got == bits, "%s of %04x became %04x", text, bits, got);
    }
}

typedef struct bad_row {
    dsc_dtype dtype;
    const char *text, *sentence;
} bad_row;

Test(tensor_json, refuses_wrong_values_and_counts_with_a_sentence) {
    static const bad_row rows[] = {
        {DSC_F32, "[1,2,3]", "fewer than the 6"},
        {DSC_F32, "[1,2,3,4,5,6,7]", "more than the 6"},
        {DSC_F32, "[]", "fewer than the 6"},
        {DSC_F32, "[[1,2,3],[4,5]]", "fewer than the 3 elements that its shape asks for in an inner"},
        {DSC_F32, "[[1,2,3],[4,5,6],[7,8,9]]", "more than the 2"},
        {DSC_F32, "[[1,2,3,4],[5,6]]", "more than the 3"},
        {DSC_F32, "[[1,2,3]]", "fewer than the 2"},
        {DSC_F32, "[[1,2],[3,4],[5,6]]", "fewer than the 3"},
        {DSC_F32, "[[[1,2,3],[4,5,6]]]", "nested 3 deep"},
        {DSC_F32, "[[1,2,3],4,5,6]", "unevenly at element 3"},
        {DSC_F32, "[1,2,3,[4,5,6]]", "element 3 of data is \"[4\""},
        {DSC_F32, "[1,2,,4,5,6]", "element 2 of data is missing"},
        {DSC_F32, "[1,2,3,4,5,]", "fewer than the 6"},
        {DSC_F32, "[1,2,nan,4,5,6]", "element 2 of data is \"nan\", which is not a FP32"},
        {DSC_F32, "[1,2,-NaN,4,5,6]", "\"-NaN\""},
        {DSC_F32, "[1,2,Infinit,4,5,6]", "\"Infinit\""},
        {DSC_I32, "[1,2,NaN,4,5,6]", "\"NaN\""},
        {DSC_F32, "[1,2,null,4,5,6]", "\"null\""},
        {DSC_F32, "[1,2,\"3\",4,5,6]", "element 2"},
        {DSC_F32, "[1,2,01,4,5,6]", "\"01\""},
        {DSC_F32, "[1,2,1.,4,5,6]", "\"1.\""},
        {DSC_F32, "[1,2,+3,4,5,6]", "\"+3\""},
        {DSC_F32, "[1,2,0x3,4,5,6]", "\"x3\""},
        {DSC_F32, "[1,2,1e39,4,5,6]", "\"1e39\""},
        {DSC_F32, "[1,2,3 4,5,6]", "\"4\""},
        {DSC_F32, "[1,2,3,4,5,6]]", "ends before its last bracket"},
        {DSC_F32, "1]", "not an array"},
        {DSC_F32, "[1", "not an array"},
        {DSC_F64, "[1,2,1e999,4,5,6]", "not a FP64"},
        {DSC_U8, "[1,2,256,4,5,6]", "\"256\", which is not a UINT8"},
        {DSC_U8, "[1,2,-1,4,5,6]", "\"-1\""},
        {DSC_I8, "[1,2,128,4,5,6]", "\"128\""},
        {DSC_I32, "[1,2,2147483648,4,5,6]", "INT32"},
        {DSC_I64, "[1,2,9223372036854775808,4,5,6]", "INT64"},
        {DSC_I64, "[1,2,3.0,4,5,6]", "\"3.0\""},
        {DSC_BOOL, "[1,0,2,true,false,1]", "\"2\", which is not a BOOL"},
        {DSC_BOOL, "[1,0,tru,1,1,1]", "\"tru\""},
        {DSC_F16, "[1,2,65520,4,5,6]", "\"65520\", which is not a FP16"},
        {DSC_F16, "[1,2,-1e9,4,5,6]", "\"-1e9\""},
        {DSC_BF16, "[1,2,3.4e38,4,5,6]", "\"3.4e38\", which is not a BF16"},
        {DSC_U16, "[1,2,65536,4,5,6]", "\"65536\", which is not a UINT16"},
        {DSC_U16, "[1,2,-1,4,5,6]", "\"-1\""},
        {DSC_I16, "[1,2,32768,4,5,6]", "\"32768\", which is not a INT16"},
        {DSC_U32, "[1,2,4294967296,4,5,6]", "UINT32"},
        {DSC_U64, "[1,2,18446744073709551616,4,5,6]", "\"18446744073709551616\", which is not a UINT64"},
        {DSC_U64, "[1,2,-1,4,5,6]", "\"-1\""},
        {DSC_U64, "[1,2,1.0,4,5,6]", "\"1.0\""},
        {DSC_F16, "[1,2,x,4,5,6]", "\"x\", which is not a FP16"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double out[6];
        fault f = {0};
        dsc_tensor_info info = info_of(rows[i].dtype, 2, 2, 3);
        cr_expect_not(read_text(rows[i].text, &info, out, &f), "%s was accepted", rows[i].text);
        cr_expect_eq(f.http_status, 400);
        cr_expect(strstr(f.text, rows[i].sentence), "%s: \"%s\" does not say \"%s\"", rows[i].text, f.text,
                  rows[i].sentence);
    }
}

// Whatever the brackets, no more elements are written than the tensor has: `out` is of exactly that size.
Test(tensor_json, never_writes_past_the_tensor) {
    static const char alphabet[] = "[],1 .";
    uint64_t state = 88172645463325252u;
    for (int n = 0; n < 300000; n++) {
        char text[24];
        size_t size = (size_t)n % 20 + 2;
        for (size_t i = 0; i < size; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text[i] = alphabet[state % 6];
        }
        text[0] = '[';
        text[size - 1] = ']';
        text[size] = '\0';
        float *out = malloc(4 * sizeof *out);
        dsc_tensor_info info = info_of(DSC_F32, 2, 2, 2);
        fault f = {0};
        cr_assert(read_text(text, &info, out, &f) || f.http_status == 400);
        free(out);
    }
}

Test(tensor_json, writes_what_it_reads) {
    enum { COUNT = 1000 };
    float values[COUNT], back[COUNT];
    for (int i = 0; i < COUNT; i++) values[i] = sinf((float)i) * expf((float)(i % 60 - 30));
    dsc_tensor_info info = info_of(DSC_F32, 1, COUNT, 0);
    buffer b;
    buffer_init(&b, 0);
    tensor_json_write(&b, &info, values);
    cr_assert(tensor_json_read(b.data, b.size, &info, back, NULL));
    cr_expect_arr_eq(values, back, sizeof values);
    buffer_close(&b);
}

static void expect_written(dsc_dtype dtype, int64_t count, const void *data, const char *want) {
    buffer b;
    buffer_init(&b, 0);
    dsc_tensor_info info = info_of(dtype, 1, count, 0);
    tensor_json_write(&b, &info, data);
    buffer_char(&b, '\0');
    cr_expect_str_eq(b.data, want);
    buffer_close(&b);
}

Test(tensor_json, writes_every_type) {
    expect_written(DSC_F32, 4, (const float[]){1, 0.5f, NAN, -INFINITY}, "[1,0.5,null,null]");
    expect_written(DSC_F64, 2, (const double[]){0.1, -1e300}, "[0.1,-1e+300]");
    expect_written(DSC_F16, 6, (const uint16_t[]){0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x3555},
                   "[1,-2,5.9604645e-8,65504,null,0.33325195]");
    expect_written(DSC_U8, 2, (const uint8_t[]){0, 255}, "[0,255]");
    expect_written(DSC_I8, 2, (const int8_t[]){-128, 127}, "[-128,127]");
    expect_written(DSC_I32, 2, (const int32_t[]){INT32_MIN, 7}, "[-2147483648,7]");
    expect_written(DSC_I64, 2, (const int64_t[]){INT64_MIN, INT64_MAX}, "[-9223372036854775808,9223372036854775807]");
    expect_written(DSC_U16, 2, (const uint16_t[]){0, UINT16_MAX}, "[0,65535]");
    expect_written(DSC_I16, 2, (const int16_t[]){INT16_MIN, 7}, "[-32768,7]");
    expect_written(DSC_U32, 2, (const uint32_t[]){0, UINT32_MAX}, "[0,4294967295]");
    expect_written(DSC_U64, 2, (const uint64_t[]){0, UINT64_MAX}, "[0,18446744073709551615]");
    expect_written(DSC_BF16, 3, (const uint16_t[]){0x3f80, 0xc020, 0x7f80}, "[1,-2.5,null]");
    expect_written(DSC_BOOL, 2, (const uint8_t[]){1, 0}, "[true,false]");
    expect_written(DSC_F32, 0, NULL, "[]");
}
