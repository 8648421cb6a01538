// SPDX-License-Identifier: Apache-2.0
// Tensors: every type in every form, sizes that disagree, and data in files beside the model.
#include "engine/onnx/import.h"
#include "tests/unit/engine/onnx/onnx_case.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static onnx_writer *with_tensor(const onnx_tensor *t) {
    onnx_writer *w = case_relu();
    onnx_writer_tensor(w, t);
    return w;
}

// `data` in the file becomes `expected` (NULL: the same) of `dtype`.
static void expect_tensor(onnx_tensor t, dsc_dtype dtype, const void *expected, size_t bytes) {
    t.name = "t";
    t.dims = "2,1";
    graph *g = case_import(with_tensor(&t), NULL);
    const graph_value *v = case_value(g, "t");
    cr_expect_eq(v->dtype, dtype);
    cr_expect_eq(v->shape.rank, 2u);
    cr_expect_eq(v->shape.dims[0], 2);
    cr_assert_eq(bytes, 2 * dsc_dtype_bytes(dtype));
    cr_expect_arr_eq(v->data, expected ? expected : t.data, bytes);
    graph_free(g);
}

Test(onnx_import_tensor, raw_data_of_every_type) {
    static const uint8_t eight[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t ones[2] = {1, 1};
    expect_tensor((onnx_tensor){.dtype = ONNX_F32, .data = eight, .bytes = 8}, DSC_F32, NULL, 8);
    expect_tensor((onnx_tensor){.dtype = ONNX_F64, .data = eight, .bytes = 16}, DSC_F64, NULL, 16);
    expect_tensor((onnx_tensor){.dtype = ONNX_F16, .data = eight, .bytes = 4}, DSC_F16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_U8, .data = eight, .bytes = 2}, DSC_U8, NULL, 2);
    expect_tensor((onnx_tensor){.dtype = ONNX_I8, .data = eight, .bytes = 2}, DSC_I8, NULL, 2);
    expect_tensor((onnx_tensor){.dtype = ONNX_I32, .data = eight, .bytes = 8}, DSC_I32, NULL, 8);
    expect_tensor((onnx_tensor){.dtype = ONNX_I64, .data = eight, .bytes = 16}, DSC_I64, NULL, 16);
    expect_tensor((onnx_tensor){.dtype = ONNX_U16, .data = eight, .bytes = 4}, DSC_U16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_I16, .data = eight, .bytes = 4}, DSC_I16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_U32, .data = eight, .bytes = 8}, DSC_U32, NULL, 8);
    expect_tensor((onnx_tensor){.dtype = ONNX_U64, .data = eight, .bytes = 16}, DSC_U64, NULL, 16);
    expect_tensor((onnx_tensor){.dtype = ONNX_BF16, .data = eight, .bytes = 4}, DSC_BF16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_BOOL, .data = eight, .bytes = 2}, DSC_BOOL, ones, 2);
}

Test(onnx_import_tensor, typed_data_of_every_type) {
    static const float f32[2] = {-1.5f, 3};
    static const double f64[2] = {-1.5, 3};
    static const uint16_t f16[2] = {0x3c00, 0xfc00};
    static const uint8_t u8[2] = {0, 255}, booleans[2] = {0, 1};
    static const int8_t i8[2] = {-128, 127};
    static const int32_t i32[2] = {INT32_MIN, INT32_MAX};
    static const int64_t i64[2] = {INT64_MIN, INT64_MAX};
    expect_tensor((onnx_tensor){.dtype = ONNX_F32, .data = f32, .bytes = 8, .typed = true}, DSC_F32, NULL, 8);
    expect_tensor((onnx_tensor){.dtype = ONNX_F64, .data = f64, .bytes = 16, .typed = true}, DSC_F64, NULL, 16);
    expect_tensor((onnx_tensor){.dtype = ONNX_F16, .data = f16, .bytes = 4, .typed = true}, DSC_F16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_U8, .data = u8, .bytes = 2, .typed = true}, DSC_U8, NULL, 2);
    expect_tensor((onnx_tensor){.dtype = ONNX_I8, .data = i8, .bytes = 2, .typed = true}, DSC_I8, NULL, 2);
    expect_tensor((onnx_tensor){.dtype = ONNX_I32, .data = i32, .bytes = 8, .typed = true}, DSC_I32, NULL, 8);
    expect_tensor((onnx_tensor){.dtype = ONNX_I64, .data = i64, .bytes = 16, .typed = true}, DSC_I64, NULL, 16);
    static const uint16_t u16[2] = {0, UINT16_MAX};
    static const int16_t i16[2] = {INT16_MIN, INT16_MAX};
    static const uint32_t u32[2] = {0, UINT32_MAX};
    static const uint64_t u64[2] = {0, UINT64_MAX};
    expect_tensor((onnx_tensor){.dtype = ONNX_U16, .data = u16, .bytes = 4, .typed = true}, DSC_U16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_I16, .data = i16, .bytes = 4, .typed = true}, DSC_I16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_U32, .data = u32, .bytes = 8, .typed = true}, DSC_U32, NULL, 8);
    expect_tensor((onnx_tensor){.dtype = ONNX_U64, .data = u64, .bytes = 16, .typed = true}, DSC_U64, NULL, 16);
    expect_tensor((onnx_tensor){.dtype = ONNX_BF16, .data = f16, .bytes = 4, .typed = true}, DSC_BF16, NULL, 4);
    expect_tensor((onnx_tensor){.dtype = ONNX_BOOL, .data = booleans, .bytes = 2, .typed = true}, DSC_BOOL, NULL, 2);
}

Test(onnx_import_tensor, large_raw_data) { // given back early, see unpack.h
    size_t count = 20000;
    float *data = malloc(count * sizeof *data);
    for (size_t i = 0; i < count; i++) data[i] = (float)i;
    onnx_writer *w = case_relu();
    onnx_writer_floats(w, "one", "20000", data);
    onnx_writer_floats(w, "two", "20000", data);
    graph *g = case_import(w, NULL);
    cr_expect_arr_eq(case_value(g, "one")->data, data, count * sizeof *data);
    cr_expect_arr_eq(case_value(g, "two")->data, data, count * sizeof *data);
    graph_free(g);
    free(data);
}

Test(onnx_import_tensor, empty_and_scalar) {
    onnx_writer *w = with_tensor(&(onnx_tensor){.name = "none", .dtype = ONNX_F32, .dims = "0,3"});
    onnx_writer_floats(w, "one", "", (float[]){4});
    graph *g = case_import(w, NULL);
    cr_expect_not_null(case_value(g, "none")->data, "an empty constant is a constant all the same");
    cr_expect_eq(case_value(g, "one")->shape.rank, 0u);
    cr_expect_eq(*(const float *)case_value(g, "one")->data, 4.0f);
    graph_free(g);
}

static void refuse(onnx_tensor t, dsc_status status, const char *part) {
    t.name = "t";
    if (!t.dims) t.dims = "2";
    case_refuse(with_tensor(&t), NULL, status, part);
}

Test(onnx_import_tensor, types_that_are_not_read) {
    refuse((onnx_tensor){.dtype = ONNX_STRING}, DSC_UNSUPPORTED, "initializer \"t\" has the element type STRING (8)");
    refuse((onnx_tensor){.dtype = 17, .data = "12", .bytes = 2}, DSC_UNSUPPORTED, "FLOAT8E4M3FN (17)");
    refuse((onnx_tensor){.dtype = 0}, DSC_UNSUPPORTED, "unknown (0)");
    refuse((onnx_tensor){.dtype = 1000000}, DSC_UNSUPPORTED, "unknown (1000000)");
}

Test(onnx_import_tensor, dimensions) {
    refuse((onnx_tensor){.dtype = ONNX_F32, .dims = "3,-8"}, DSC_BAD_MODEL,
           "initializer \"t\": its dimension 1 is -8; it must not be negative");
    refuse((onnx_tensor){.dtype = ONNX_F32, .dims = "2147483648,4294967296"}, DSC_TOO_LARGE,
           "initializer \"t\" has the shape 2147483648x4294967296, too large");
    refuse((onnx_tensor){.dtype = ONNX_F64, .dims = "2305843009213693952"}, DSC_TOO_LARGE, "too large");
    refuse((onnx_tensor){.dtype = ONNX_F32, .dims = "1,1,1,1,1,1,1,1,1"}, DSC_TOO_LARGE, "the limit \"rank\" is 8");
}

Test(onnx_import_tensor, sizes_that_disagree) {
    refuse((onnx_tensor){.dtype = ONNX_F32, .data = "1234567", .bytes = 7}, DSC_BAD_MODEL,
           "initializer \"t\" holds 7 bytes; its shape 2 and type FP32 need 8");
    refuse((onnx_tensor){.dtype = ONNX_F32, .data = "123456789abc", .bytes = 12}, DSC_BAD_MODEL, "holds 12 bytes");
    refuse((onnx_tensor){.dtype = ONNX_F32}, DSC_BAD_MODEL, "holds 0 elements; its shape 2 needs 2");
    refuse((onnx_tensor){.dtype = ONNX_F32, .data = "1234", .bytes = 4, .typed = true}, DSC_BAD_MODEL,
           "holds 1 elements; its shape 2 needs 2");
    refuse((onnx_tensor){.dtype = ONNX_F32, .dims = "0", .data = "1234", .bytes = 4}, DSC_BAD_MODEL, "holds 4 bytes");
}

// One initializer with these fields in it: dims 2, name "t", and the rest by hand.
static onnx_writer *by_hand(uint8_t type, const uint8_t *rest, size_t count) {
    uint8_t bytes[64] = {0x2a, 0, 0x08, 2, 0x10, type, 0x42, 1, 't'};
    memcpy(bytes + 9, rest, count);
    bytes[1] = (uint8_t)(7 + count);
    onnx_writer *w = case_relu();
    onnx_writer_raw(w, ONNX_IN_GRAPH, bytes, 9 + count);
    return w;
}

Test(onnx_import_tensor, data_twice_and_values_out_of_range) {
    static const uint8_t twice[] = {0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x22, 4, 0, 0, 0, 0}; // raw_data and float_data
    case_refuse(by_hand(ONNX_F32, twice, sizeof twice), NULL, DSC_BAD_MODEL, "initializer \"t\" holds its data twice");
    static const uint8_t large[] = {0x2a, 3, 1, 0x80, 2}; // int32_data 1, 256
    case_refuse(by_hand(ONNX_U8, large, sizeof large), NULL, DSC_BAD_MODEL, "does not fit its type UINT8");
    case_refuse(by_hand(ONNX_I8, large, sizeof large), NULL, DSC_BAD_MODEL, "does not fit its type INT8");
    static const uint8_t huge[] = {0x2a, 4, 1, 0x80, 0x80, 4}; // 1, 65536
    case_refuse(by_hand(ONNX_F16, huge, sizeof huge), NULL, DSC_BAD_MODEL, "does not fit its type FP16");
    case_refuse(by_hand(ONNX_U16, huge, sizeof huge), NULL, DSC_BAD_MODEL, "does not fit its type UINT16");
    case_refuse(by_hand(ONNX_I16, huge, sizeof huge), NULL, DSC_BAD_MODEL, "does not fit its type INT16");
    case_refuse(by_hand(ONNX_BF16, huge, sizeof huge), NULL, DSC_BAD_MODEL, "does not fit its type BF16");
    static const uint8_t wide[] = {0x5a, 6, 1, 0x80, 0x80, 0x80, 0x80, 0x10}; // uint64_data 1, 2^32
    case_refuse(by_hand(ONNX_U32, wide, sizeof wide), NULL, DSC_BAD_MODEL, "does not fit its type UINT32");
}

Test(onnx_import_tensor, numbers_one_by_one) { // lists need not be packed
    static const uint8_t loose[] = {0x28, 7, 0x28, 9};
    graph *g = case_import(by_hand(ONNX_I32, loose, sizeof loose), NULL);
    cr_expect_eq(((const int32_t *)case_value(g, "t")->data)[1], 9);
    graph_free(g);
}

Test(onnx_import_tensor, names) {
    case_refuse(with_tensor(&(onnx_tensor){.name = "", .dtype = ONNX_F32, .dims = "0"}), NULL, DSC_BAD_MODEL,
                "an initializer has no name");
    onnx_writer *w = with_tensor(&(onnx_tensor){.name = "t", .dtype = ONNX_F32, .dims = "0"});
    onnx_writer_floats(w, "t", "0", NULL);
    case_refuse(w, NULL, DSC_BAD_MODEL, "tensor \"t\" is defined twice");
}

Test(onnx_import_tensor, sparse) {
    onnx_writer *w = case_relu();
    onnx_writer_raw(w, ONNX_IN_GRAPH, "\x7a\x00", 2);
    case_refuse(w, NULL, DSC_UNSUPPORTED, "sparse initializers are not supported");
}

// ---- external data -------------------------------------------------------------------------------------------

typedef struct folder {
    unsigned reads;
    size_t extra; // bytes given beyond the limit
} folder;

// "data.bin" holds the bytes 0..15; nothing else is there.
static dsc_status read_folder(void *context, const char *name, uint64_t limit, void **bytes, size_t *size,
                              dsc_error *err) {
    folder *f = context;
    f->reads++;
    if (strcmp(name, "data.bin") != 0) {
        err->status = DSC_IO;
        strcpy(err->text, "there is no such file");
        return DSC_IO;
    }
    *size = f->extra ? (size_t)limit + f->extra : 16;
    uint8_t *block = calloc(1, *size);
    for (uint8_t i = 0; i < 16; i++) block[i] = i;
    *bytes = block;
    return DSC_OK;
}

static onnx_tensor external(const char *name, const char *file, int64_t offset, int64_t length) {
    return (onnx_tensor){.name = name,
                         .dtype = ONNX_U8,
                         .dims = "4",
                         .external = file,
                         .external_offset = offset,
                         .external_length = length};
}

Test(onnx_import_tensor, external_data) {
    folder f = {0};
    dsc_source source = {.context = &f, .read = read_folder};
    onnx_case with = {.source = &source};
    onnx_tensor one = external("one", "data.bin", 12, 4), two = external("two", "data.bin", 3, -1);
    onnx_writer *w = with_tensor(&one);
    onnx_writer_tensor(w, &two);
    graph *g = case_import(w, &with);
    cr_expect_arr_eq(case_value(g, "one")->data, ((uint8_t[]){12, 13, 14, 15}), 4);
    cr_expect_arr_eq(case_value(g, "two")->data, ((uint8_t[]){3, 4, 5, 6}), 4);
    cr_expect_eq(f.reads, 1u, "the file was read %u times", f.reads);
    graph_free(g);
}

static void refuse_external(const char *file, int64_t offset, int64_t length, dsc_status status, const char *part) {
    folder f = {0};
    dsc_source source = {.context = &f, .read = read_folder};
    onnx_case with = {.source = &source};
    onnx_tensor t = external("t", file, offset, length);
    case_refuse(with_tensor(&t), &with, status, part);
}

Test(onnx_import_tensor, external_data_that_is_not_there) {
    refuse_external("data.bin", 13, 4, DSC_BAD_MODEL, "at byte 13, 4 bytes long, but \"data.bin\" has only 16");
    refuse_external("data.bin", INT64_MAX, 4, DSC_BAD_MODEL, "but \"data.bin\" has only 16");
    refuse_external("data.bin", 0, 5, DSC_BAD_MODEL, "external data has 5 bytes; its shape and type need 4");
    refuse_external("other.bin", 0, 4, DSC_IO, "there is no such file");
    refuse_external("", 0, 4, DSC_BAD_MODEL, "does not say in which file");
    refuse_external("data.bin", -1, 4, DSC_BAD_MODEL, "the offset of its external data is \"-1\"");
    onnx_tensor t = external("t", "data.bin", 0, 4);
    case_refuse(with_tensor(&t), NULL, DSC_IO, "this model was loaded from memory");
}

Test(onnx_import_tensor, external_names_stay_in_the_folder) {
    static const char *const names[] = {"/etc/passwd", "../data.bin", "a/../../data.bin", "..",
                                        "a/..",        "a\\..\\b",    "C:data.bin"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        refuse_external(names[i], 0, 4, DSC_BAD_MODEL, "only files in the model's own folder are read");
    }
    refuse_external("a/..b/...", 0, 4, DSC_IO, "there is no such file"); // odd, and inside
}

Test(onnx_import_tensor, external_files_have_a_limit) {
    folder f = {.extra = 1};
    dsc_source source = {.context = &f, .read = read_folder};
    dsc_limits limits = {.file_bytes = 4096};
    dsc_load_options options = {.limits = &limits};
    onnx_case with = {.source = &source, .options = &options};
    onnx_tensor t = external("t", "data.bin", 0, 4);
    case_refuse(with_tensor(&t), &with, DSC_TOO_LARGE, "the limit \"file_bytes\" allows");
}
