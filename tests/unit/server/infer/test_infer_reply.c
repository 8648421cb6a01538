// SPDX-License-Identifier: Apache-2.0
// Answers in all their forms, with a made-up model of two layers.
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/image/npy.h"
#include "server/infer/infer_reply.h"

static const float scores[8] = {0.1f, 0.7f, NAN, 0.2f, 0.25f, 0.5f, 0.125f, INFINITY};
static const int64_t extra[2] = {INT64_MAX, -1};
static const char *const labels[4] = {"T-shirt/top", "Ankle \"boot\"", "b\xc3\xa4g", "x,y"};
static const classify_settings classes = {.labels = labels, .label_count = 4, .top_k = 2};
static const reply_output outputs[2] = {
    {.info = {.name = "p\n", .dtype = DSC_F32, .rank = 2, .dims = {2, 4}}, .data = scores},
    {.info = {.name = "i", .dtype = DSC_I64, .rank = 1, .dims = {2}}, .data = extra}};
static const dsc_row rows[2] = {
    {.name = "conv,1",
     .kernel = "dwconv_f32_3x3s1_2x4_avx2",
     .fused = "Clip",
     .kind = DSC_KIND_DEPTHWISE,
     .step = 7,
     .input_count = 2,
     .inputs = {{4, {1, 32, 112, 112}}, {1, {32}}},
     .output = {4, {1, 32, 112, 112}},
     .multiplications = 3612672,
     .vanilla_multiplications = 0},
    {.name = "pw", .kernel = "k", .kind = DSC_KIND_POINTWISE, .step = 8, .multiplications = UINT64_MAX}};
static const uint64_t row_ns[2] = {1234, 5678};
static const reply_profile profile = {.detail = INFER_PROFILE_LAYERS,
                                      .isa = DSC_ISA_AVX2,
                                      .threads = 2,
                                      .cost = {.total = UINT64_MAX, .depthwise = 1, .ratio = 0.2455},
                                      .rows = rows,
                                      .row_ns = row_ns,
                                      .row_count = 2};
static const infer_reply full = {.model_name = "m\"x",
                                 .model_version = "1",
                                 .id = "42",
                                 .output_count = 2,
                                 .outputs = outputs,
                                 .classes = &classes,
                                 .profile = &profile};

static char *write_reply(const infer_reply *reply, reply_format format, buffer *b) {
    size_t json_size = 0;
    fault f = {0};
    buffer_init(b, 0);
    cr_assert(infer_reply_write(reply, format, b, &json_size, &f), "%s", f.text);
    buffer_char(b, '\0');
    return b->data;
}

Test(infer_reply, the_json_is_the_contract_s) {
    buffer b;
    const char *json = write_reply(&full, REPLY_JSON, &b);
    static const char want[] =
        "{\"model_name\":\"m\\\"x\",\"model_version\":\"1\",\"id\":\"42\",\"outputs\":["
        "{\"name\":\"p\\n\",\"datatype\":\"FP32\",\"shape\":[2,4],\"data\":[0.1,0.7,null,0.2,0.25,0.5,0.125,null]},"
        "{\"name\":\"i\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[9223372036854775807,-1]}],"
        "\"classification\":[[{\"class\":1,\"label\":\"Ankle \\\"boot\\\"\",\"score\":0.7},"
        "{\"class\":3,\"label\":\"x,y\",\"score\":0.2}],"
        "[{\"class\":3,\"label\":\"x,y\",\"score\":null},{\"class\":1,\"label\":\"Ankle "
        "\\\"boot\\\"\",\"score\":0.5}]],"
        "\"profile\":{\"isa\":\"avx2\",\"threads\":2,\"multiplications\":{\"total\":18446744073709551615,\"depthwise\":"
        "1,"
        "\"pointwise\":0,\"convolution\":0,\"dense\":0,\"elementwise\":0,\"vanilla\":0,\"ratio\":0.2455},\"layers\":["
        "{\"name\":\"conv,1\",\"kind\":\"depthwise\",\"kernel\":\"dwconv_f32_3x3s1_2x4_avx2\",\"step\":7,"
        "\"inputs\":[[1,32,112,112],[32]],\"output\":[1,32,112,112],\"time_ns\":1234,\"multiplications\":3612672,"
        "\"vanilla_multiplications\":0,\"fused\":\"Clip\"},"
        "{\"name\":\"pw\",\"kind\":\"pointwise\",\"kernel\":\"k\",\"step\":8,\"inputs\":[],\"output\":[],\"time_ns\":"
        "5678,"
        "\"multiplications\":18446744073709551615,\"vanilla_multiplications\":0}]}}\n";
    cr_expect_str_eq(json, want);
    buffer_close(&b);
}

Test(infer_reply, what_is_absent_is_left_out) {
    infer_reply reply = {.model_name = "m", .output_count = 1, .outputs = outputs + 1};
    buffer b;
    cr_expect_str_eq(write_reply(&reply, REPLY_JSON, &b),
                     "{\"model_name\":\"m\",\"outputs\":[{\"name\":\"i\",\"datatype\":\"INT64\",\"shape\":[2],"
                     "\"data\":[9223372036854775807,-1]}]}\n");
    buffer_close(&b);
    reply.classes = &classes; // but no output that is a row of scores
    cr_expect_null(strstr(write_reply(&reply, REPLY_JSON, &b), "classification"));
    buffer_close(&b);
    reply_profile summary = profile;
    summary.detail = INFER_PROFILE_SUMMARY;
    reply.profile = &summary;
    const char *json = write_reply(&reply, REPLY_JSON, &b);
    cr_expect(strstr(json, "\"ratio\":0.2455}}") && !strstr(json, "layers"), "%s", json);
    buffer_close(&b);
    summary.detail = INFER_PROFILE_LAYERS;
    summary.row_ns = NULL;
    cr_expect_null(strstr(write_reply(&reply, REPLY_JSON, &b), "time_ns"));
    buffer_close(&b);
}

Test(infer_reply, timing_is_last_and_counts_its_own_writing) {
    reply_timing timing = {1, 2, 3, 4, 5, 0, 0};
    timing.encode_start_ns = clock_ns() - 1000;
    timing.start_ns = timing.encode_start_ns - 1000000;
    infer_reply reply = full;
    reply.timing = &timing;
    buffer b;
    const char *json = write_reply(&reply, REPLY_JSON, &b);
    cJSON *root = cJSON_Parse(json);
    cr_assert_not_null(root, "%s", json);
    const cJSON *last = cJSON_GetObjectItem(root, "timing");
    cr_assert_not_null(last);
    cr_expect_null(last->next);
    static const char *const names[] = {"receive_ns",   "queue_ns",  "decode_ns", "preprocess_ns",
                                        "inference_ns", "encode_ns", "total_ns"};
    const cJSON *item = last->child;
    for (int i = 0; i < 7; i++, item = item->next) {
        cr_assert_not_null(item);
        cr_expect_str_eq(item->string, names[i]);
        if (i < 5) cr_expect_float_eq(item->valuedouble, i + 1, 0);
    }
    double encode = cJSON_GetObjectItem(last, "encode_ns")->valuedouble,
           total = cJSON_GetObjectItem(last, "total_ns")->valuedouble;
    cr_expect(encode >= 1000 && encode < 1e9);
    cr_expect_float_eq(total - encode, 1000000, 0);
    cJSON_Delete(root);
    buffer_close(&b);
}

Test(infer_reply, logits_become_shares_and_offsets_shift_classes) {
    classify_settings settings = classes;
    settings.softmax = true;
    settings.label_offset = 1;
    static const float logits[2] = {3, 3};
    const reply_output output = {.info = {.name = "l", .dtype = DSC_F32, .rank = 2, .dims = {1, 2}}, .data = logits};
    const infer_reply reply = {.model_name = "m", .output_count = 1, .outputs = &output, .classes = &settings};
    buffer b;
    const char *json = write_reply(&reply, REPLY_JSON, &b);
    cr_expect(strstr(json, "\"classification\":[[{\"class\":-1,\"score\":0.5},{\"class\":0,\"label\":\"T-shirt/"
                           "top\",\"score\":0.5}]]"),
              "%s", json);
    cr_expect(strstr(json, "\"data\":[3,3]"), "outputs stay as they are: %s", json);
    buffer_close(&b);
}

Test(infer_reply, writes_triton_s_class_strings) {
    reply_output output = outputs[0];
    output.classification = 2;
    const infer_reply reply = {.model_name = "m", .output_count = 1, .outputs = &output, .classes = &classes};
    buffer b;
    const char *json = write_reply(&reply, REPLY_JSON, &b);
    cr_expect(strstr(json, "\"datatype\":\"BYTES\",\"shape\":[2,2],\"data\":[\"0.700000:1:Ankle \\\"boot\\\"\","
                           "\"0.200000:3:x,y\",\"inf:3:x,y\",\"0.500000:1:Ankle \\\"boot\\\"\"]"),
              "%s", json);
    buffer_close(&b);
}

Test(infer_reply, text_has_a_line_per_class) {
    buffer b;
    cr_expect_str_eq(write_reply(&full, REPLY_TEXT, &b), "0.700000\t1\tAnkle \"boot\"\n0.200000\t3\tx,y\n\n"
                                                         "inf\t3\tx,y\n0.500000\t1\tAnkle \"boot\"\n");
    buffer_close(&b);
}

Test(infer_reply, csv_has_a_line_per_layer) {
    buffer b;
    cr_expect_str_eq(write_reply(&full, REPLY_CSV, &b),
                     "name,kind,kernel,step,inputs,output,time_ns,multiplications,vanilla_multiplications\r\n"
                     "\"conv,1\",depthwise,dwconv_f32_3x3s1_2x4_avx2,7,1x32x112x112 32,1x32x112x112,1234,3612672,0\r\n"
                     "pw,pointwise,k,8,,,5678,18446744073709551615,0\r\n");
    buffer_close(&b);
}

Test(infer_reply, npy_is_the_first_output) {
    buffer b;
    npy_view view;
    fault f = {0};
    (void)write_reply(&full, REPLY_NPY, &b);
    cr_assert(npy_parse((const uint8_t *)b.data, b.size - 1, &view, &f), "%s", f.text);
    cr_expect(view.rank == 2 && view.dims[0] == 2 && view.dims[1] == 4 && view.dtype == DSC_F32);
    cr_expect_arr_eq(view.data, scores, sizeof scores);
    buffer_close(&b);
}

Test(infer_reply, binary_outputs_follow_the_json) {
    reply_output mixed[2] = {outputs[0], outputs[1]};
    mixed[1].binary = true;
    infer_reply reply = {.model_name = "m", .output_count = 2, .outputs = mixed};
    buffer b;
    size_t json_size = 0;
    buffer_init(&b, 0);
    cr_assert(infer_reply_write(&reply, REPLY_BYTES, &b, &json_size, NULL));
    cr_assert_eq(b.size, json_size + sizeof extra);
    cr_expect_arr_eq(b.data + json_size, extra, sizeof extra);
    cJSON *root = cJSON_ParseWithLength(b.data, json_size);
    cr_assert_not_null(root);
    const cJSON *list = cJSON_GetObjectItem(root, "outputs");
    const cJSON *first = cJSON_GetArrayItem(list, 0), *second = cJSON_GetArrayItem(list, 1);
    cr_expect_not_null(cJSON_GetObjectItem(first, "data"));
    cr_expect_null(cJSON_GetObjectItem(second, "data"));
    const cJSON *parameters = cJSON_GetObjectItem(second, "parameters");
    cr_expect_float_eq(cJSON_GetObjectItem(parameters, "binary_data_size")->valuedouble, 16, 0);
    cJSON_Delete(root);
    buffer_close(&b);
}

Test(infer_reply, forms_that_an_answer_does_not_have_are_406) {
    const infer_reply bare = {.model_name = "m", .output_count = 1, .outputs = outputs + 1};
    static const reply_format forms[2] = {REPLY_TEXT, REPLY_CSV};
    for (int i = 0; i < 2; i++) {
        buffer b;
        fault f = {0};
        buffer_init(&b, 0);
        cr_expect_not(infer_reply_write(&bare, forms[i], &b, NULL, &f));
        cr_expect_eq(f.http_status, 406, "%s", f.text);
        buffer_close(&b);
    }
}

Test(infer_reply, memory_that_is_out_is_503) {
    for (int form = REPLY_JSON; form <= REPLY_BYTES; form++) {
        buffer b;
        fault f = {0};
        buffer_init(&b, 20);
        cr_expect_not(infer_reply_write(&full, (reply_format)form, &b, NULL, &f), "form %d", form);
        cr_expect_eq(f.http_status, 503, "form %d: %s", form, f.text);
        buffer_close(&b);
    }
}
