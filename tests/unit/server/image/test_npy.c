// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/image/npy.h"

// A file of version `major` with that header text and `data` zero bytes after it, on the heap and of exactly its size.
static uint8_t *make(unsigned major, const char *header, size_t data, size_t *size) {
    size_t length = strlen(header), start = major == 1 ? 10 : 12;
    *size = start + length + data;
    uint8_t *bytes = calloc(1, *size);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (uint8_t)major;
    bytes[8] = (uint8_t)(length & 255);
    bytes[9] = (uint8_t)(length >> 8);
    memcpy(bytes + start, header, length);
    return bytes;
}

static bool parse(unsigned major, const char *header, size_t data, npy_view *view, fault *f) {
    size_t size;
    uint8_t *bytes = make(major, header, data, &size);
    bool done = npy_parse(bytes, size, view, f);
    free(bytes);
    return done;
}

#define FLOATS "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      \n"

Test(npy, reads_all_three_versions) {
    for (unsigned major = 1; major <= 3; major++) {
        npy_view view = {0};
        fault f = {0};
        cr_expect(parse(major, FLOATS, 24, &view, &f), "version %u: %s", major, f.text);
        cr_expect_eq(view.dtype, DSC_F32);
        cr_expect_eq(view.rank, 2);
        cr_expect(view.dims[0] == 2 && view.dims[1] == 3);
        cr_expect_eq(view.elements, 6);
        cr_expect_eq(view.data_size, 24);
    }
}

typedef struct good_row {
    const char *header;
    size_t data;
    dsc_dtype dtype;
    uint32_t rank;
} good_row;

Test(npy, reads_every_type_and_spelling) {
    static const good_row rows[] = {{"{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", 4, DSC_U8, 1},
                                    {"{\"shape\":(4,),\"fortran_order\":False,\"descr\":\"|i1\"}", 4, DSC_I8, 1},
                                    {"{'descr':'<f8','fortran_order':False,'shape':()}", 8, DSC_F64, 0},
                                    {"{'descr':'<f2','fortran_order':False,'shape':(1,2,3,)}", 12, DSC_F16, 3},
                                    {"{'descr':'<i4','fortran_order':True,'shape':(2,)}", 8, DSC_I32, 1},
                                    {"{'descr':'<i8','fortran_order':False,'shape':(1,1,1,1,1,1,1,2)}", 16, DSC_I64, 8},
                                    {"{'descr':'|b1','fortran_order':False,'shape':(0, 5)}", 0, DSC_BOOL, 2},
                                    {"{'descr':'<u2','fortran_order':False,'shape':(1,)}", 2, DSC_U16, 1},
                                    {"{'descr':'<i2','fortran_order':False,'shape':(1,)}", 2, DSC_I16, 1},
                                    {"{'descr':'<u4','fortran_order':False,'shape':(1,)}", 4, DSC_U32, 1},
                                    {"{'descr':'<u8','fortran_order':False,'shape':(1,)}", 8, DSC_U64, 1},
                                    {"{'descr':'>u1','fortran_order':False,'shape':(1,)}", 1, DSC_U8, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        npy_view view = {0};
        fault f = {0};
        cr_expect(parse(1, rows[i].header, rows[i].data, &view, &f), "%s: %s", rows[i].header, f.text);
        cr_expect_eq(view.dtype, rows[i].dtype, "%s", rows[i].header);
        cr_expect_eq(view.rank, rows[i].rank, "%s", rows[i].header);
    }
}

typedef struct bad_row {
    const char *header;
    size_t data;
    const char *sentence;
} bad_row;

#define WITH(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"

Test(npy, refuses_bad_headers_with_a_sentence) {
    static const bad_row rows[] = {
        {FLOATS, 23, "has 23 bytes of data; its shape and type ask for 6 elements of 4"},
        {FLOATS, 25, "has 25 bytes"},
        {WITH("'<f4'", "True", "(2, 3)"), 24, "Fortran order"},
        {WITH("'>f4'", "False", "(2, 3)"), 24, "big-endian"},
        {WITH("'<c8'", "False", "(2,)"), 16, "\"<c8\", which is not supported"},
        {WITH("'|O'", "False", "(2,)"), 16, "not supported"},
        {WITH("[('a', '<f4')]", "False", "(2,)"), 8, "structured"},
        {WITH("'<f4", "False", "(2,)"), 8, "malformed"},
        {WITH("''", "False", "(2,)"), 8, "not supported"},
        {WITH("'<f4'", "0", "(2,)"), 8, "True or False"},
        {WITH("'<f4'", "False", "2"), 8, "in ( )"},
        {WITH("'<f4'", "False", "(2)"), 8, "needs a comma"},
        {WITH("'<f4'", "False", "(-2,)"), 8, "must hold numbers"},
        {WITH("'<f4'", "False", "(,)"), 8, "must hold numbers"},
        {WITH("'<f4'", "False", "(2"), 8, "not closed"},
        {WITH("'<f4'", "False", "(1,1,1,1,1,1,1,1,1)"), 4, "over 8 dimensions"},
        {WITH("'<f4'", "False", "(99999999999999999999,)"), 4, "beyond 64 bits"},
        {WITH("'<f4'", "False", "(4294967296, 4294967296)"), 0, "more elements than 64 bits"},
        {WITH("'<f8'", "False", "(4611686018427387904,)"), 0, "ask for 4611686018427387904 elements"},
        {"{'descr': '<f4', 'shape': (2,)}", 8, "missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8, "twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", 8, "unknown key"},
        {"{'descr' '<f4'}", 8, "colon"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", 8, "more after"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", 8, "not closed"},
        {"['descr']", 8, "in { }"},
        {"{'a key that is much too long for this': 1}", 8, "too long"},
        {"", 8, "in { }"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        npy_view view;
        fault f = {0};
        cr_expect_not(parse(1, rows[i].header, rows[i].data, &view, &f), "%s was accepted", rows[i].header);
        cr_expect_eq(f.http_status, 400);
        cr_expect(strstr(f.text, rows[i].sentence), "%s: \"%s\"", rows[i].header, f.text);
    }
}

Test(npy, refuses_cut_off_files_at_every_byte) {
    for (unsigned major = 1; major <= 2; major++) {
        size_t size;
        uint8_t *bytes = make(major, FLOATS, 24, &size);
        for (size_t i = 0; i < size; i++) {
            uint8_t *part = malloc(i ? i : 1);
            npy_view view;
            fault f = {0};
            memcpy(part, bytes, i);
            cr_assert_not(npy_parse(part, i, &view, &f), "%zu of %zu bytes were accepted", i, size);
            cr_assert_eq(f.http_status, 400);
            free(part);
        }
        free(bytes);
    }
}

Test(npy, refuses_unknown_versions_and_huge_headers) {
    static const uint8_t version[12] = "\x93NUMPY\x04\0\0\0\0", minor[12] = "\x93NUMPY\x01\1\0\0\0";
    static const uint8_t huge[12] = {0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 0xff, 0xff, 0xff, 0xff};
    npy_view view;
    fault f = {0};
    cr_expect_not(npy_parse(version, 12, &view, &f));
    cr_expect(strstr(f.text, "version 4.0"), "%s", f.text);
    cr_expect_not(npy_parse(minor, 12, &view, &f));
    cr_expect(strstr(f.text, "version 1.1"), "%s", f.text);
    cr_expect_not(npy_parse(huge, 12, &view, &f));
    cr_expect(strstr(f.text, "4294967295 bytes"), "%s", f.text);
}

Test(npy, writes_what_it_reads) {
    static const float values[6] = {1, 2, 3, 4, 5, 6};
    for (uint32_t rank = 0; rank <= DSC_MAX_RANK; rank++) {
        dsc_tensor_info info = {.dtype = DSC_F32, .rank = rank};
        for (uint32_t i = 0; i < rank; i++) info.dims[i] = i == 0 ? 6 : 1;
        buffer b;
        buffer_init(&b, 0);
        npy_write(&b, &info, values);
        npy_view view;
        fault f = {0};
        cr_assert(npy_parse((const uint8_t *)b.data, b.size, &view, &f), "rank %u: %s", rank, f.text);
        cr_expect_eq(view.rank, rank);
        cr_expect_eq((size_t)(view.data - (const uint8_t *)b.data) % 64, 0);
        cr_expect_arr_eq(view.data, values, view.data_size);
        buffer_close(&b);
    }
}
