// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "server/image/body.h"

#define OCTETS "application/octet-stream"
#define FORM   "application/x-www-form-urlencoded" // what curl --data-binary sends

typedef struct kind_row {
    const char *content_type, *bytes;
    size_t size;
    body_kind kind;
} kind_row;

Test(body, kinds_are_found_by_their_bytes) {
    static const kind_row rows[] = {{FORM, "\xff\xd8\xff\xe0....", 8, BODY_JPEG},
                                    {NULL, "\x89PNG\r\n\x1a\n", 8, BODY_PNG},
                                    {"image/jpeg", "\x89PNG\r\n\x1a\n", 8, BODY_PNG},
                                    {NULL, "RIFF....WEBPVP8 ", 16, BODY_WEBP},
                                    {"text/plain", "\x93NUMPY\x01\0", 8, BODY_NPY},
                                    {FORM, "{}", 2, BODY_JSON},
                                    {"image/png", " \r\n\t{\"a\":1}", 11, BODY_JSON},
                                    {OCTETS, "{}{}", 4, BODY_RAW}, // exactly the input's bytes
                                    {OCTETS "; x=y", "\xff\xd8\xff\xe0", 4, BODY_RAW},
                                    {NULL, "\xef\xbb\xbf {}", 6, BODY_JSON}, // a byte order mark
                                    {NULL, "{}{}", 4, BODY_JSON},            // nobody said that it is raw
                                    {"multipart/form-data; boundary=x", "--x", 3, BODY_MULTIPART}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const body_facts facts = {.content_type = rows[i].content_type,
                                  .bytes = (const uint8_t *)rows[i].bytes,
                                  .size = rows[i].size,
                                  .input_bytes = 4};
        body_kind kind = BODY_RAW;
        fault f = {0};
        cr_expect(body_find_kind(&facts, &kind, &f), "row %zu: %s", i, f.text);
        cr_expect_eq(kind, rows[i].kind, "row %zu is %s", i, body_kind_name(kind));
    }
}

typedef struct bad_row {
    const char *content_type, *bytes;
    size_t size;
    int status;
    const char *sentence;
} bad_row;

Test(body, others_are_refused_by_name) {
    static const bad_row rows[] = {{NULL, "", 0, 400, "empty"},
                                   {NULL, "BM..........................", 28, 415, "a BMP image"},
                                   {"image/gif", "GIF89a", 6, 415, "a GIF image"},
                                   {NULL, "II*\0....", 8, 415, "a TIFF image"},
                                   {NULL,
                                    "\0\0\0\x18"
                                    "ftypheic",
                                    12, 415, "HEIF"},
                                   {NULL, "II+\0\x08\0", 6, 415, "a TIFF image"},
                                   {NULL, "\0\0\0\x0cjP  \r\n\x87\n", 12, 415, "a JPEG 2000 image"},
                                   {NULL, "\xff\x4f\xff\x51", 4, 415, "a JPEG 2000 image"},
                                   {NULL, "\0\0\0\x0cJXL \r\n\x87\n", 12, 415, "a JPEG XL image"},
                                   {NULL, "\xff\x0a", 2, 415, "a JPEG XL image"},
                                   {NULL, "8BPS\0\1", 6, 415, "a Photoshop document"},
                                   {NULL, "\0\0\1\0\1", 5, 415, "an icon"},
                                   {"image/svg+xml", "<svg/>", 6, 415, "an SVG drawing"},
                                   {NULL, "%PDF-1.4", 8, 415, "PDF"},
                                   {NULL, "\x1f\x8b\x08", 3, 415, "gzip"},
                                   {NULL, "PK\3\4", 4, 415, "zip"},
                                   {"image/jpeg", "<html>", 6, 415, "looks like HTML"},
                                   {NULL, "hello", 5, 415, "no known kind"},
                                   {NULL, "[1,2]", 5, 415, "no known kind"},
                                   {NULL, "   ", 3, 415, "no known kind"},
                                   {NULL, "\xff\xd8", 2, 415, "no known kind"},
                                   {OCTETS, "hello", 5, 400, "has 5 bytes; as a raw tensor the model's input has 4"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const body_facts facts = {.content_type = rows[i].content_type,
                                  .bytes = (const uint8_t *)rows[i].bytes,
                                  .size = rows[i].size,
                                  .input_bytes = 4};
        body_kind kind;
        fault f = {0};
        cr_expect_not(body_find_kind(&facts, &kind, &f), "row %zu was accepted", i);
        cr_expect_eq(f.http_status, rows[i].status, "row %zu: %d", i, f.http_status);
        cr_expect(strstr(f.text, rows[i].sentence), "row %zu: \"%s\"", i, f.text);
    }
}

Test(body, parts_that_are_no_image_are_named_with_their_format) {
    fault f = {0};
    cr_expect_not(body_fault_no_image("image 2 of 3", (const uint8_t *)"GIF89a", 6, &f));
    cr_expect_eq(f.http_status, 415);
    cr_expect_str_eq(f.text, "image 2 of 3 is a GIF image; it must be a JPEG, PNG, WebP or .npy file");
    cr_expect_not(body_fault_no_image("image_b64", (const uint8_t *)"", 0, &f));
    cr_expect_str_eq(f.text, "image_b64 is no JPEG, PNG, WebP or .npy file by its first bytes");
}

Test(body, the_inference_header_decides_first) {
    const body_facts facts = {.content_type = "image/png",
                              .has_header_length = true,
                              .header_length = 8,
                              .bytes = (const uint8_t *)"\x89PNG\r\n\x1a\n",
                              .size = 8};
    body_kind kind;
    fault f = {0};
    cr_expect(body_find_kind(&facts, &kind, &f));
    cr_expect_eq(kind, BODY_OIP_BINARY);
    body_facts longer = facts;
    longer.header_length = 9;
    cr_expect_not(body_find_kind(&longer, &kind, &f));
    cr_expect(f.http_status == 400 && strstr(f.text, "is 9, but the body has only 8"), "%s", f.text);
}

Test(body, header_lengths_are_plain_numbers) {
    uint64_t length = 7;
    cr_expect(body_header_length("0", &length, NULL));
    cr_expect_eq(length, 0);
    cr_expect(body_header_length("18446744073709551615", &length, NULL));
    cr_expect_eq(length, UINT64_MAX);
    static const char *const bad[] = {
        "", " 1", "1 ", "-1", "+1", "0x10", "1.0", "18446744073709551616", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fault f = {0};
        cr_expect_not(body_header_length(bad[i], &length, &f), "\"%s\" was accepted", bad[i]);
        cr_expect_eq(f.http_status, 400);
    }
}

Test(body, content_types_are_compared_as_mime_does) {
    cr_expect(body_content_type_is("application/JSON", "application/json"));
    cr_expect(body_content_type_is(" application/json ; charset=utf-8", "application/json"));
    cr_expect_not(body_content_type_is("application/jsonx", "application/json"));
    cr_expect_not(body_content_type_is("application/jso", "application/json"));
    cr_expect_not(body_content_type_is(NULL, "application/json"));
}
