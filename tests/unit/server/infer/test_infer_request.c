// SPDX-License-Identifier: Apache-2.0
// Requests of every kind against a model of one image input, and one of two inputs with free dimensions.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "server/infer/infer_request.h"

static const dsc_tensor_info image_input = {.name = "img", .dtype = DSC_F32, .rank = 4, .dims = {-1, 1, 2, 2}};
static const dsc_tensor_info two_inputs[2] = {{.name = "a", .dtype = DSC_F32, .rank = 2, .dims = {-1, 3}},
                                              {.name = "b", .dtype = DSC_I64, .rank = 1, .dims = {2}}};
static const dsc_tensor_info two_outputs[2] = {{.name = "p", .dtype = DSC_F32, .rank = 2, .dims = {-1, 10}},
                                               {.name = "q", .dtype = DSC_F32, .rank = 2, .dims = {-1, 4}}};
static const infer_signature one = {&image_input, two_outputs, 1, 2, 0};
static const infer_signature two = {two_inputs, two_outputs, 2, 2, 0};

// The body on the heap and of exactly its size: a request lends from it.
typedef struct sent {
    uint8_t *body;
    infer_request request;
    fault fault;
    bool done;
} sent;

static sent send_bytes(const infer_signature *model, const void *bytes, size_t size, const char *content_type) {
    sent s = {.body = malloc(size ? size : 1)};
    memcpy(s.body, bytes, size);
    const body_facts facts = {.content_type = content_type, .bytes = s.body, .size = size, .input_bytes = 16};
    s.done = infer_request_open(&facts, model, NULL, &s.request, &s.fault);
    return s;
}

static sent send_text(const infer_signature *model, const char *text) {
    return send_bytes(model, text, strlen(text), "application/json");
}

static sent send_binary(const char *json, const void *tail, size_t tail_size, size_t header_length) {
    size_t size = strlen(json) + tail_size;
    sent s = {.body = malloc(size + 1)};
    memcpy(s.body, json, strlen(json));
    if (tail_size) memcpy(s.body + strlen(json), tail, tail_size);
    const body_facts facts = {.has_header_length = true, .header_length = header_length, .bytes = s.body, .size = size};
    s.done = infer_request_open(&facts, &two, NULL, &s.request, &s.fault);
    return s;
}

static void close_sent(sent *s) {
    infer_request_close(&s->request);
    infer_request_close(&s->request); // twice does no harm
    free(s->body);
}

static void expect_fault(sent s, int status, const char *sentence) {
    cr_expect_not(s.done, "accepted, though: %s", sentence);
    cr_expect(s.fault.http_status == status && strstr(s.fault.text, sentence), "%d \"%s\" is not %d \"%s\"",
              s.fault.http_status, s.fault.text, status, sentence);
    close_sent(&s);
}

#define A_INPUT "{\"name\":\"a\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":[[1,2,3],[4,5,6]]}"
#define B_INPUT "{\"name\":\"b\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[7,-8]}"

Test(infer_request, reads_open_inference_json) {
    sent s =
        send_text(&two, "{\"id\":\"n\\u00e4\",\"inputs\":[" B_INPUT "," A_INPUT "],\"custom\":[1,{}],"
                        "\"outputs\":[{\"name\":\"q\",\"parameters\":{\"binary_data\":true,\"classification\":3}}],"
                        "\"parameters\":{\"topk\":3,\"profile\":\"summary\",\"timeout_ms\":250,\"priority\":1}}");
    cr_assert(s.done, "%s", s.fault.text);
    infer_request *r = &s.request;
    float a[6];
    int64_t b[2];
    dsc_shape shapes[2];
    cr_expect_str_eq(r->id, "n\xc3\xa4");
    cr_expect(r->options.has_topk && r->options.topk == 3 && r->options.profile == INFER_PROFILE_SUMMARY);
    cr_expect(r->options.has_timeout && r->options.timeout_ns == 250000000);
    cr_expect(r->output_count == 1 && r->outputs[0].index == 1 && r->outputs[0].binary);
    cr_expect_eq(r->outputs[0].classification, 3);
    cr_expect_eq(infer_request_shapes(r, shapes), 2);
    cr_expect(strcmp(shapes[0].name, "a") == 0 && shapes[0].rank == 2 && shapes[0].dims[0] == 2);
    cr_expect(infer_request_fill(r, 0, a, NULL) && infer_request_fill(r, 1, b, NULL));
    for (int i = 0; i < 6; i++) cr_expect_eq(a[i], (float)(i + 1));
    cr_expect(b[0] == 7 && b[1] == -8);
    close_sent(&s);
}

Test(infer_request, all_outputs_are_answered_where_none_is_named) {
    sent s = send_text(&two, "{\"inputs\":[" A_INPUT "," B_INPUT "],\"outputs\":[]}");
    cr_assert(s.done, "%s", s.fault.text);
    cr_expect(s.request.output_count == 2 && s.request.outputs[1].index == 1 && !s.request.outputs[1].binary);
    cr_expect_null(s.request.id);
    cr_expect_not(s.request.options.has_topk);
    close_sent(&s);
}

#define WITH_A(member) "{\"inputs\":[{\"name\":\"a\"," member "}," B_INPUT "]}"

Test(infer_request, refuses_what_does_not_fit_the_model) {
    static const char *const rows[][2] = {
        {"{}", "neither \"inputs\" nor \"image_b64\""},
        {"{\"inputs\":5}", "inputs must be an array"},
        {"{\"inputs\":[]}", "input \"a\" is missing"},
        {"{\"inputs\":[" A_INPUT "]}", "input \"b\" is missing"},
        {"{\"inputs\":[" A_INPUT "," A_INPUT "]}", "input \"a\" is given twice"},
        {"{\"inputs\":[5]}", "is not an object"},
        {"{\"inputs\":[{}]}", "needs \"name\""},
        {"{\"inputs\":[{\"name\":5}]}", "needs \"name\""},
        {"{\"inputs\":[{\"name\":\"z\"}]}", "the model has no input \"z\"; it has \"a\" and others"},
        {WITH_A("\"shape\":[1,3]"), "needs \"datatype\""},
        {WITH_A("\"shape\":[1,3],\"datatype\":\"FP64\",\"data\":[1,2,3]"), "datatype is FP64; the model's is FP32"},
        {WITH_A("\"datatype\":\"FP32\",\"data\":[1,2,3]"), "needs \"shape\""},
        {WITH_A("\"shape\":3,\"datatype\":\"FP32\",\"data\":[1,2,3]"), "needs \"shape\""},
        {WITH_A("\"shape\":[1,\"3\"],\"datatype\":\"FP32\",\"data\":[1]"), "dimension 1 of shape"},
        {WITH_A("\"shape\":[-1,3],\"datatype\":\"FP32\",\"data\":[1]"), "dimension 0 of shape"},
        {WITH_A("\"shape\":[1.5,3],\"datatype\":\"FP32\",\"data\":[1]"), "dimension 0 of shape"},
        {WITH_A("\"shape\":[1e300,3],\"datatype\":\"FP32\",\"data\":[1]"), "dimension 0 of shape"},
        {WITH_A("\"shape\":[1,1,1,1,1,1,1,1,1],\"datatype\":\"FP32\",\"data\":[1]"), "over 8 dimensions"},
        {WITH_A("\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[1]"),
         "has the shape [1,4]; the model's input is [-1,3]"},
        {WITH_A("\"shape\":[3],\"datatype\":\"FP32\",\"data\":[1]"), "has the shape [3]; the model's"},
        {WITH_A("\"shape\":[0,3],\"datatype\":\"FP32\",\"data\":[]"), "which has no elements"},
        {WITH_A("\"shape\":[4503599627370496,3],\"datatype\":\"FP32\",\"data\":[1]"),
         "fewer than the 13510798882111488"},
        {WITH_A("\"shape\":[9007199254740992,3],\"datatype\":\"FP32\",\"data\":[1]"), "fewer than the"},
        {WITH_A("\"shape\":[1,3],\"datatype\":\"FP32\""), "input \"a\" has no data"},
        {WITH_A("\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":7"), "data must be an array"},
        {WITH_A("\"shape\":[1,3],\"datatype\":\"FP32\",\"parameters\":5"), "parameters must be an object"},
        {WITH_A("\"shape\":[1,3],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":12}"), "was not sent"},
        {WITH_A("\"shape\":[1,3],\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1]"), "\"shape\" is given twice"},
        {"{\"inputs\":[],\"id\":\"a\",\"id\":\"a\"}", "\"id\" is given twice"},
        {"{\"inputs\":[],\"parameters\":{\"topk\":1,\"x\":2,\"topk\":1}}", "\"topk\" is given twice"},
        {"{\"inputs\":[],\"outputs\":[{\"name\":\"p\",\"name\":\"q\"}]}", "\"name\" is given twice"},
        {"{\"inputs\":[],\"x\":{\"y\":[{\"z\":1,\"z\":2}]}}", "\"z\" is given twice"},
        {"{\"id\":5,\"inputs\":[]}", "id must be a string"},
        {"{\"parameters\":[],\"inputs\":[]}", "parameters must be an object"},
        {"{\"parameters\":{\"topk\":-1},\"inputs\":[]}", "topk must be"},
        {"{\"parameters\":{\"topk\":1025},\"inputs\":[]}", "topk must be"},
        {"{\"parameters\":{\"topk\":\"5\"},\"inputs\":[]}", "topk must be"},
        {"{\"parameters\":{\"timeout_ms\":0},\"inputs\":[]}", "timeout_ms must be"},
        {"{\"parameters\":{\"profile\":\"all\"},\"inputs\":[]}", "profile is \"all\""},
        {"{\"parameters\":{\"binary_data_output\":1},\"inputs\":[]}", "binary_data_output must be"},
        {"{\"outputs\":{},\"inputs\":[]}", "outputs must be an array"},
        {"{\"outputs\":[{}],\"inputs\":[]}", "\"name\", a string"},
        {"{\"outputs\":[7],\"inputs\":[]}", "\"name\", a string"},
        {"{\"outputs\":[{\"name\":\"r\"}],\"inputs\":[]}", "the model has no output \"r\"; it has \"p\""},
        {"{\"outputs\":[{\"name\":\"p\"},{\"name\":\"p\"}],\"inputs\":[]}", "asked for twice"},
        {"{\"outputs\":[{\"name\":\"p\",\"parameters\":{\"binary_data\":2}}],\"inputs\":[]}", "binary_data must be"},
        {"{\"outputs\":[{\"name\":\"p\",\"parameters\":{\"classification\":-1}}],\"inputs\":[]}",
         "classification must be"},
        {"{\"a\":\"\\ud800\"}", "surrogate"},
        {"{\"inputs\":[],}", "malformed at byte"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_fault(send_text(&two, rows[i][0]), 400, rows[i][1]);
}

Test(infer_request, values_are_checked_when_they_are_filled_in) {
    sent s = send_text(&two, WITH_A("\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1,nan,3]"));
    cr_assert(s.done, "%s", s.fault.text);
    float a[3];
    cr_expect_not(infer_request_fill(&s.request, 0, a, &s.fault));
    cr_expect(s.fault.http_status == 400 && strstr(s.fault.text, "element 1 of data is \"nan\""), "%s", s.fault.text);
    close_sent(&s);
}

#define HEAD_A "{\"name\":\"a\",\"shape\":[1,3],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":12}}"

Test(infer_request, reads_binary_tensors_in_their_order) {
    const char *json = "{\"inputs\":[" HEAD_A "," B_INPUT "],\"parameters\":{\"binary_data_output\":true},"
                       "\"outputs\":[{\"name\":\"p\"},{\"name\":\"q\",\"parameters\":{\"binary_data\":false}}]}";
    static const float values[3] = {1.5f, -2, 3};
    sent s = send_binary(json, values, sizeof values, strlen(json));
    cr_assert(s.done, "%s", s.fault.text);
    float a[3];
    int64_t b[2];
    cr_expect(infer_request_fill(&s.request, 0, a, NULL) && infer_request_fill(&s.request, 1, b, NULL));
    cr_expect_arr_eq(a, values, sizeof values);
    cr_expect_eq(b[0], 7);
    cr_expect(s.request.outputs[0].binary && !s.request.outputs[1].binary);
    close_sent(&s);
    json = "{\"inputs\":[{\"name\":\"b\",\"shape\":[2],\"datatype\":\"INT64\",\"parameters\":{\"binary_data_size\":16}}"
           "," HEAD_A "]}";
    static const int64_t both[4] = {5, 6};
    uint8_t tail[28];
    memcpy(tail, both, 16);
    memcpy(tail + 16, values, 12);
    s = send_binary(json, tail, sizeof tail, strlen(json));
    cr_assert(s.done, "%s", s.fault.text);
    cr_expect(infer_request_fill(&s.request, 0, a, NULL) && infer_request_fill(&s.request, 1, b, NULL));
    cr_expect_arr_eq(a, values, sizeof values);
    cr_expect(b[0] == 5 && b[1] == 6);
    close_sent(&s);
}

Test(infer_request, refuses_binary_tensors_of_the_wrong_size) {
    const char *json = "{\"inputs\":[" HEAD_A "," B_INPUT "]}";
    float values[4] = {0};
    size_t length = strlen(json);
    expect_fault(send_binary(json, values, 11, length), 400, "only 11 bytes are left");
    expect_fault(send_binary(json, values, 13, length), 400, "1 bytes are left in the body after");
    expect_fault(send_binary(json, values, 12, length + 13), 400, "but the body has only");
    expect_fault(send_binary(json, values, 12, length - 1), 400, "malformed");
    const char *wrong = "{\"inputs\":[{\"name\":\"a\",\"shape\":[1,3],\"datatype\":\"FP32\",\"parameters\":"
                        "{\"binary_data_size\":8}}," B_INPUT "]}";
    expect_fault(send_binary(wrong, values, 8, strlen(wrong)), 400,
                 "binary_data_size is 8; its shape and datatype ask for 12");
    wrong = "{\"inputs\":[{\"name\":\"a\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1,2,3],\"parameters\":"
            "{\"binary_data_size\":12}}," B_INPUT "]}";
    expect_fault(send_binary(wrong, values, 12, strlen(wrong)), 400, "both data and binary_data_size");
    wrong = "{\"inputs\":[{\"name\":\"a\",\"shape\":[1,3],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":-"
            "1}}]}";
    expect_fault(send_binary(wrong, values, 12, strlen(wrong)), 400, "must be a number of bytes");
    expect_fault(send_binary("", values, 12, 0), 415, "models of one input only");
}

Test(infer_request, reads_raw_tensors) {
    static const float values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    float got[8];
    sent s = send_bytes(&one, values, 16, "application/octet-stream");
    cr_assert(s.done, "%s", s.fault.text);
    cr_expect(s.request.kind == BODY_RAW && s.request.inputs[0].info.dims[0] == 1);
    cr_expect(infer_request_fill(&s.request, 0, got, NULL));
    cr_expect_arr_eq(got, values, 16);
    cr_expect_not(s.request.outputs[0].binary);
    close_sent(&s);
    expect_fault(send_bytes(&one, values, 15, "application/octet-stream"), 400, "has 15 bytes");
    body_facts facts = {.has_header_length = true, .bytes = (const uint8_t *)values, .size = 32};
    infer_request r;
    fault f = {0};
    cr_assert(infer_request_open(&facts, &one, NULL, &r, &f), "%s", f.text); // a batch of two by its size
    cr_expect(r.inputs[0].info.dims[0] == 2 && r.outputs[0].binary && r.outputs[1].binary);
    infer_request_close(&r);
    facts.size = 20;
    cr_expect_not(infer_request_open(&facts, &one, NULL, &r, &f));
    cr_expect(strstr(f.text, "the raw tensor has 20 bytes; input \"img\" [-1,1,2,2] of FP32 has 16"), "%s", f.text);
    facts.size = 0;
    cr_expect_not(infer_request_open(&facts, &one, NULL, &r, &f));
    infer_request_close(&r);
}

static sent send_npy(const dsc_tensor_info *info, const void *data) {
    buffer b;
    buffer_init(&b, 0);
    npy_write(&b, info, data);
    sent s = send_bytes(&one, b.data, b.size, NULL);
    buffer_close(&b);
    return s;
}

Test(infer_request, reads_npy_tensors_and_pictures) {
    static const float values[8] = {1, 2, 3, 4};
    static const uint8_t pixels[24] = {0};
    float got[8];
    dsc_tensor_info info = {.dtype = DSC_F32, .rank = 4, .dims = {1, 1, 2, 2}};
    sent s = send_npy(&info, values);
    cr_assert(s.done, "%s", s.fault.text);
    cr_expect(s.request.image_count == 0 && infer_request_fill(&s.request, 0, got, NULL) && got[3] == 4);
    close_sent(&s);
    info = (dsc_tensor_info){.dtype = DSC_F32, .rank = 3, .dims = {1, 2, 2}}; // without the batch
    s = send_npy(&info, values);
    cr_expect(s.done && s.request.inputs[0].info.rank == 4, "%s", s.fault.text);
    close_sent(&s);
    info = (dsc_tensor_info){.dtype = DSC_U8, .rank = 3, .dims = {4, 2, 3}};
    s = send_npy(&info, pixels);
    cr_assert(s.done, "%s", s.fault.text);
    cr_expect(s.request.image_count == 1 && s.request.images[0].kind == BODY_NPY);
    cr_expect_not(infer_request_fill(&s.request, 0, got, NULL));
    close_sent(&s);
    info = (dsc_tensor_info){.dtype = DSC_F32, .rank = 4, .dims = {1, 1, 2, 3}};
    expect_fault(send_npy(&info, values), 400, "has the shape [1,1,2,3]; the model's input is [-1,1,2,2]");
    info = (dsc_tensor_info){.dtype = DSC_F64, .rank = 1, .dims = {4}};
    expect_fault(send_npy(&info, values), 400, "is FP64; input \"img\" is FP32: convert it with astype(\"float32\")");
    info = (dsc_tensor_info){.dtype = DSC_U8, .rank = 3, .dims = {2, 2, 5}};
    expect_fault(send_npy(&info, pixels), 400, "pixels are H x W or H x W x 1, 3 or 4, and a tensor");
}

Test(infer_request, an_image_is_for_a_model_that_takes_one) {
    sent s = send_bytes(&one, "\xff\xd8\xff\xe0", 4, NULL);
    cr_assert(s.done, "%s", s.fault.text);
    cr_expect(s.request.image_count == 1 && s.request.images[0].kind == BODY_JPEG && s.request.images[0].size == 4);
    cr_expect_eq(s.request.inputs[0].info.dims[0], 1);
    close_sent(&s);
    expect_fault(send_bytes(&two, "\xff\xd8\xff\xe0", 4, NULL), 415, "models of one input only; this one has 2");
    static const dsc_tensor_info flat = {.name = "v", .dtype = DSC_F32, .rank = 2, .dims = {1, 490}};
    static const infer_signature vector = {&flat, two_outputs, 1, 1, 0};
    expect_fault(send_bytes(&vector, "\xff\xd8\xff\xe0", 4, NULL), 415, "input \"v\" takes no image");
    expect_fault(send_bytes(&one, "--x", 3, "multipart/form-data; boundary=x"), 400, "the form is cut off");
    expect_fault(send_bytes(&two, "--x\r\nContent-Disposition:;name=a\r\n\r\n\xff\xd8\xff\r\n--x--", 46,
                            "multipart/form-data; boundary=x"),
                 415, "one input only");
}

Test(infer_request, reads_images_in_base64) {
    static const char *const good[] = {
        "{\"image_b64\":\"\\/9j\\/\",\"id\":\"x\",\"parameters\":{\"topk\":2}}", "{\"image_b64\":\"_9j_\\r\\n\"}",
        "{\"image_b64\":\"data:image\\/jpeg;base64,/9j/\"}", "{\"image_b64\":\"\\u002F9j\\u002f\"}"};
    for (int i = 0; i < 4; i++) {
        sent s = send_text(&one, good[i]);
        cr_assert(s.done, "%s: %s", good[i], s.fault.text);
        cr_expect(s.request.image_count == 1 && s.request.images[0].kind == BODY_JPEG && s.request.images[0].size == 3);
        cr_expect_arr_eq(s.request.images[0].bytes, "\xff\xd8\xff", 3);
        close_sent(&s);
    }
    expect_fault(send_text(&one, "{\"image_b64\":\"a!\"}"), 400, "byte 1 is foreign");
    expect_fault(send_text(&one, "{\"image_b64\":\"/9j/a\"}"), 400, "cut off at byte 5");
    expect_fault(send_text(&one, "{\"image_b64\":\"\\b\"}"), 400, "has an escape");
    expect_fault(send_text(&one, "{\"image_b64\":\"\\u20ac\"}"), 400, "byte 0 is foreign");
    expect_fault(send_text(&one, "{\"image_b64\":\"\"}"), 415, "is no JPEG");
    expect_fault(send_text(&one, "{\"image_b64\":\"R0lGODlh\"}"), 415, "is a GIF image");
    expect_fault(send_text(&one, "{\"image_b64\":7}"), 400, "must be a string");
    expect_fault(send_binary("{\"image_b64\":\"/9j/\"}", "xx", 2, 20), 400, "2 bytes are left");
    expect_fault(send_text(&one, "{\"image_b64\":\"/9j/\",\"inputs\":[]}"), 400, "both");
    expect_fault(send_text(&two, "{\"image_b64\":\"/9j/\"}"), 415, "one input only");
}

Test(infer_request, options_come_from_the_query_and_the_body_wins) {
    infer_options options = {0};
    fault f = {0};
    cr_assert(infer_options_set(&options, "topk", "7", &f) && infer_options_set(&options, "profile", "1", &f));
    cr_assert(infer_options_set(&options, "timeout_ms", "1.5", &f) && infer_options_set(&options, "priority", "3", &f));
    cr_expect_eq(options.priority, 3);
    static const char *const strange[] = {
        "",     "_",           "test_1", "token", "key",
        "file", "api-version", "mode",   "stop",  "a_name_that_is_much_longer_than_any_of_ours"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++)
        cr_expect(infer_options_set(&options, strange[i], "1", &f), "%s: %s", strange[i], f.text);
    cr_expect(options.topk == 7 && options.profile == INFER_PROFILE_LAYERS && options.timeout_ns == 1500000);
    const char *text = "{\"inputs\":[" A_INPUT "," B_INPUT "],\"parameters\":{\"topk\":2,\"profile\":false}}";
    const body_facts facts = {.bytes = (const uint8_t *)text, .size = strlen(text)};
    infer_request r;
    cr_assert(infer_request_open(&facts, &two, &options, &r, &f), "%s", f.text);
    cr_expect(r.options.topk == 2 && r.options.profile == INFER_PROFILE_NONE && r.options.timeout_ns == 1500000);
    infer_request_close(&r);
    static const char *const bad[][2] = {{"topk", "-1"},
                                         {"topk", "x"},
                                         {"topk", ""},
                                         {"topk", "1.5"},
                                         {"topk", "1025"},
                                         {"timeout_ms", "0"},
                                         {"timeout_ms", "1e3"},
                                         {"timeout_ms", "1.2.3"},
                                         {"priority", "-1"},
                                         {"priority", "0.5"},
                                         {"priority", "9007199254740994"},
                                         {"topK", "1"},
                                         {"top-k", "1"},
                                         {"tpk", "1"},
                                         {"timeout", "1"},
                                         {"Profiles", "1"},
                                         {"prioirty", "1"},
                                         {"servertiming", "1"},
                                         {"profile", "layer"},
                                         {"profile", ""},
                                         {"timeout_ms", "3600001"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_not(infer_options_set(&options, bad[i][0], bad[i][1], &f), "%s=%s", bad[i][0], bad[i][1]);
        cr_expect(f.http_status == 400 && strstr(f.text, bad[i][0]), "%s", f.text);
    }
}
