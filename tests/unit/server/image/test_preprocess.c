// SPDX-License-Identifier: Apache-2.0
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <string.h>

#include "server/image/preprocess.h"

static bool parse(const char *json, dsc_preprocess *out, fault *f) {
    return preprocess_from_text(json, strlen(json), out, f);
}

static bool same(const dsc_preprocess *a, const dsc_preprocess *b) {
    buffer one, two;
    buffer_init(&one, 0);
    buffer_init(&two, 0);
    preprocess_to_json(a, &one);
    preprocess_to_json(b, &two);
    bool equal = one.size == two.size && memcmp(one.data, two.data, one.size) == 0;
    buffer_close(&one);
    buffer_close(&two);
    return equal;
}

Test(preprocess, objects_can_say_what_the_names_say) {
    static const char *const rows[][2] = {
        {"tf-slim", "{\"resize\":\"centre-square\",\"crop\":0.875,\"mean\":127.5,\"std\":127.5}"},
        {"torchvision-imagenet",
         "{\"resize\":\"shorter-side\",\"crop\":0.875,\"filter\":\"bilinear\",\"antialias\":true,"
         "\"color\":\"auto\",\"scale\":0.00392156862745098,\"mean\":[0.485,0.456,0.406],"
         "\"std\":[0.229,0.224,0.225]}"},
        {"keras-mobilenet",
         "{\"resize\":\"stretch\",\"filter\":\"nearest\",\"scale\":1,\"mean\":[127.5],\"std\":[127.5]}"},
        {"pixels-0-1", "{\"resize\":\"stretch\",\"crop\":\"none\",\"scale\":0.00392156862745098}"}};
    for (size_t i = 0; i < 4; i++) {
        dsc_preprocess by_name, by_object;
        fault f = {0};
        cr_assert(preprocess_from_name(rows[i][0], &by_name, &f), "%s", f.text);
        cr_assert(parse(rows[i][1], &by_object, &f), "%s: %s", rows[i][0], f.text);
        cr_expect(same(&by_name, &by_object), "%s", rows[i][0]);
        cr_expect(strstr(preprocess_names(), rows[i][0]));
    }
}

Test(preprocess, the_names_are_what_the_contract_says) {
    dsc_preprocess p;
    cr_assert(preprocess_from_name("tf-slim", &p, NULL));
    cr_expect(p.resize == DSC_RESIZE_CENTRE_SQUARE && p.filter == DSC_FILTER_BILINEAR && p.antialias);
    cr_expect_float_eq(p.fraction, 0.875, 0);
    cr_expect_float_eq((255 * p.scale - p.mean[2]) / p.std[2], 1, 0);
    cr_expect_float_eq((0 * p.scale - p.mean[0]) / p.std[0], -1, 0);
    cr_assert(preprocess_from_name("keras-mobilenet", &p, NULL));
    cr_expect(p.resize == DSC_RESIZE_STRETCH && p.filter == DSC_FILTER_NEAREST && !p.antialias);
    cr_assert(preprocess_from_name("torchvision-imagenet", &p, NULL));
    cr_expect_float_eq((255 * p.scale - p.mean[1]) / p.std[1], (1 - 0.456) / 0.224, 1e-12);
    cr_assert(preprocess_from_name(PREPROCESS_DEFAULT, &p, NULL));
    cr_expect_float_eq((255 * p.scale - p.mean[1]) / p.std[1], 1, 1e-15);
}

Test(preprocess, every_key_is_read) {
    dsc_preprocess p;
    fault f = {0};
    cr_assert(
        parse(
            " {\"resize\":\"stretch\",\"crop\":\"none\",\"filter\":\"bilinear\",\"antialias\":true,\"color\":\"grey\","
            "\"scale\":0.00392156862745098,\"mean\":[0.286],\"std\":[0.353]}\n",
            &p, &f),
        "%s", f.text);
    cr_expect(p.resize == DSC_RESIZE_STRETCH && p.color == DSC_COLOR_GREY && p.antialias);
    cr_expect(p.mean[0] == 0.286 && p.mean[2] == 0.286 && p.std[1] == 0.353);
    cr_assert(parse("{\"resize\":256,\"crop\":\"centre\",\"antialias\":false,\"color\":\"bgr\"}", &p, &f), "%s",
              f.text);
    cr_expect(p.resize == DSC_RESIZE_SHORTER_SIDE && p.shorter_side == 256 && !p.antialias && p.color == DSC_COLOR_BGR);
    cr_assert(parse("\"tf-slim\"", &p, &f));
    cr_expect_eq(p.resize, DSC_RESIZE_CENTRE_SQUARE);
    cr_assert(parse("{\"crop\":\"centre\",\"resize\":\"shorter-side\"}", &p, &f),
              "the order of keys does not matter: %s", f.text);
    cr_expect_float_eq(p.fraction, 1, 0);
    cr_assert(parse("{}", &p, &f));
    cr_expect(p.scale == 1 && p.mean[0] == 0 && p.std[0] == 1 && p.resize == DSC_RESIZE_STRETCH);
}

Test(preprocess, mistakes_are_named_by_key) {
    static const char *const rows[][2] = {
        {"{\"size\":3}", "preprocess.size is unknown; the keys are"},
        {"{\"Resize\":\"stretch\"}", "preprocess.Resize is unknown"},
        {"{\"scale\":1,\"scale\":2}", "preprocess.scale stands twice"},
        {"{\"resize\":\"squash\"}", "preprocess.resize must be"},
        {"{\"resize\":0}", "preprocess.resize: the shorter side"},
        {"{\"resize\":1.5}", "preprocess.resize: the shorter side"},
        {"{\"resize\":70000}", "from 1 to 65535"},
        {"{\"resize\":true}", "preprocess.resize must be"},
        {"{\"crop\":0.5}", "preprocess.crop must be \"none\" where resize is \"stretch\""},
        {"{\"resize\":\"centre-square\",\"crop\":\"none\"}", "and only there"},
        {"{\"resize\":\"centre-square\",\"crop\":0}", "from 0.01 to 1, not 0"},
        {"{\"resize\":\"centre-square\",\"crop\":1.01}", "not 1.01"},
        {"{\"resize\":\"centre-square\",\"crop\":\"center\"}", "preprocess.crop must be"},
        {"{\"resize\":256,\"crop\":0.5}", "\"centre\" where resize is a number"},
        {"{\"filter\":\"cubic\"}", "preprocess.filter"},
        {"{\"filter\":3}", "preprocess.filter"},
        {"{\"filter\":\"box\",\"antialias\":false}", "preprocess.antialias must be true where filter is \"box\""},
        {"{\"align\":\"corner\"}", "only where antialias is false"},
        {"{\"align\":\"left\"}", "preprocess.align must be"},
        {"{\"resize\":\"letterbox\",\"crop\":0.5}", "\"stretch\" or \"letterbox\""},
        {"{\"pad\":0}", "preprocess.pad is for resize"},
        {"{\"resize\":\"letterbox\",\"pad\":256}", "preprocess.pad must be a whole number"},
        {"{\"resize\":\"letterbox\",\"pad\":[1,2]}", "preprocess.pad must be a whole number"},
        {"{\"background\":\"white\"}", "preprocess.background must be a whole number"},
        {"{\"background\":[1,2,1.5]}", "preprocess.background must be"},
        {"{\"decode\":true}", "preprocess.decode must be"},
        {"{\"version\":2}", "preprocess.version must be 1"},
        {"{\"filter\":\"nearest\",\"antialias\":true}", "preprocess.antialias must be false"},
        {"{\"antialias\":1}", "preprocess.antialias must be true or false"},
        {"{\"color\":\"cmyk\"}", "preprocess.color"},
        {"{\"color\":null}", "preprocess.color"},
        {"{\"scale\":\"1\"}", "preprocess.scale must be a number"},
        {"{\"scale\":1e300}", "preprocess.scale"},
        {"{\"mean\":[1,2]}", "preprocess.mean must have 1 or 3 numbers, not 2"},
        {"{\"mean\":[]}", "not 0"},
        {"{\"mean\":[1,\"2\",3]}", "preprocess.mean must be a number"},
        {"{\"std\":[1,0,1]}", "preprocess.std must not be 0"},
        {"{\"std\":0}", "preprocess.std must not be 0"},
        {"\"imagenet\"", "preprocess \"imagenet\" is unknown; there are tf-slim"},
        {"[1]", "must be one of tf-slim"},
        {"{} {}", "not valid JSON"},
        {"{", "not valid JSON"},
        {"", "not valid JSON"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dsc_preprocess p;
        fault f = {0};
        cr_expect_not(parse(rows[i][0], &p, &f), "%s was accepted", rows[i][0]);
        cr_expect_eq(f.http_status, 400);
        cr_expect(strstr(f.text, rows[i][1]), "%s: \"%s\" does not say \"%s\"", rows[i][0], f.text, rows[i][1]);
    }
}

Test(preprocess, what_is_written_reads_back) {
    static const char *const texts[] = {"\"tf-slim\"",
                                        "\"torchvision-imagenet\"",
                                        "\"keras-mobilenet\"",
                                        "\"pixels-0-1\"",
                                        "{\"resize\":\"letterbox\",\"pad\":[1,2,3],\"filter\":\"lanczos\"}",
                                        "{\"filter\":\"bicubic\",\"antialias\":false,\"align\":\"corner\"}",
                                        "{\"filter\":\"box\",\"background\":255,\"decode\":\"exact\",\"version\":1}",
                                        "{\"resize\":300,\"color\":\"rgb\"}",
                                        "{\"color\":\"bgr\",\"mean\":[1,2,3]}",
                                        "{\"color\":\"grey\",\"resize\":\"centre-square\",\"crop\":0.3}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        dsc_preprocess p, back;
        fault f = {0};
        buffer b;
        buffer_init(&b, 0);
        cr_assert(parse(texts[i], &p, &f), "%s: %s", texts[i], f.text);
        preprocess_to_json(&p, &b);
        cr_assert(preprocess_from_text(b.data, b.size, &back, &f), "%.*s: %s", (int)b.size, b.data, f.text);
        cr_expect(same(&p, &back), "%s", texts[i]);
        buffer_close(&b);
    }
}

Test(preprocess, finds_where_an_image_goes) {
    dsc_tensor_info info = {.name = "x", .dtype = DSC_F32, .rank = 4, .dims = {-1, 3, 224, 192}};
    dsc_image_target t = {0};
    cr_assert(preprocess_target(&info, &t, NULL));
    cr_expect(t.layout == DSC_LAYOUT_NCHW && t.channels == 3 && t.height == 224 && t.width == 192);
    info = (dsc_tensor_info){.name = "x", .dtype = DSC_F32, .rank = 4, .dims = {1, 64, -1, 1}};
    cr_assert(preprocess_target(&info, &t, NULL));
    cr_expect(t.layout == DSC_LAYOUT_NHWC && t.channels == 1 && t.height == 64 && t.width == 0);
    static const struct {
        dsc_tensor_info info;
        const char *sentence;
    } bad[] = {{{.name = "x", .dtype = DSC_U8, .rank = 4, .dims = {1, 3, 8, 8}}, "it is UINT8 of rank 4"},
               {{.name = "x", .dtype = DSC_F32, .rank = 2, .dims = {1, 3}}, "of rank 2"},
               {{.name = "x", .dtype = DSC_F32, .rank = 4, .dims = {1, 8, 8, 8}}, "(8 and 8)"},
               {{.name = "x", .dtype = DSC_F32, .rank = 4, .dims = {2, 3, 8, 8}}, "a batch of 2"},
               {{.name = "x", .dtype = DSC_F32, .rank = 4, .dims = {1, 3, 100000, 8}}, "beyond 65535"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fault f = {0};
        cr_expect_not(preprocess_target(&bad[i].info, &t, &f));
        cr_expect(f.http_status == 415 && strstr(f.text, bad[i].sentence), "\"%s\" does not say \"%s\"", f.text,
                  bad[i].sentence);
    }
}

Test(preprocess, colour_must_fit_the_model) {
    dsc_preprocess p = dsc_preprocess_default();
    dsc_image_target t = {.width = 28, .height = 28, .channels = 1};
    fault f = {0};
    cr_expect(preprocess_check(&p, &t, &f));
    p.color = DSC_COLOR_RGB;
    cr_expect_not(preprocess_check(&p, &t, &f));
    cr_expect(strstr(f.text, "choose grey"), "%s", f.text);
    t.channels = 3;
    t.width = t.height = 0; // free
    cr_expect(preprocess_check(&p, &t, &f), "%s", f.text);
    p.resize = DSC_RESIZE_SHORTER_SIDE;
    p.shorter_side = 200;
    t.width = t.height = 224;
    cr_expect_not(preprocess_check(&p, &t, &f));
}
