// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <string.h>

#include "server/base/json_file.h"
#include "server/model/model_config.h"

static dsc_status parse(const char *text, model_config *out, dsc_error *err) {
    *err = (dsc_error){0};
    return model_config_parse("c.json", text, strlen(text), out, err);
}

Test(model_config, every_key) {
    model_config c;
    dsc_error err;
    cr_assert_eq(
        parse("{\"preprocess\": \"tf-slim\", \"labels\": [\"a\", \"b\"], \"label_offset\": 1, \"softmax\": true,"
              "\"top_k\": 3, \"warmup\": 0, \"limits\": {\"nodes\": 5, \"rank\": 4}}",
              &c, &err),
        DSC_OK, "%s", err.text);
    cr_assert(c.has_preprocess && c.softmax);
    cr_assert_eq(c.labels.count, 2);
    cr_assert_str_eq(c.labels.items[1], "b");
    cr_assert_eq(c.label_offset, 1);
    cr_assert_eq(c.top_k, 3);
    cr_assert_eq(c.warmup, 0);
    cr_assert_eq(c.limits.nodes, 5);
    cr_assert_eq(c.limits.rank, 4);
    cr_assert_eq(c.limits.file_bytes, 0);
    model_config_close(&c);
}

Test(model_config, nothing_said_is_the_default) {
    model_config c, d = model_config_default();
    dsc_error err;
    cr_assert_eq(parse("{}", &c, &err), DSC_OK);
    cr_assert_eq(c.top_k, d.top_k);
    cr_assert_eq(c.warmup, d.warmup);
    cr_assert(!c.has_preprocess && c.labels.count == 0 && c.labels_file == NULL);
    model_config_close(&c);
}

Test(model_config, the_guilty_key_is_named) {
    static const char *const rows[][2] = {
        {"{\"labels\": 5}", "\"labels\""},
        {"{\"labels\": \"\"}", "\"labels\""},
        {"{\"labels\": [5]}", "\"labels\""},
        {"{\"top_k\": -1}", "\"top_k\""},
        {"{\"top_k\": 1.5}", "\"top_k\""},
        {"{\"softmax\": 1}", "\"softmax\""},
        {"{\"limits\": []}", "\"limits\""},
        {"{\"limits\": {\"x\": 1}}", "\"x\""},
        {"{\"limits\": {\"rank\": 9}}", "\"rank\""},
        {"{\"preprocess\": \"x\"}", "\"preprocess\""},
        {"{\"colour\": 1}", "\"colour\""},
        {"{\"warmup\": 1, \"warmup\": 1}", "\"warmup\""},
        {"{\"warmup\": 1} 2", "JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        model_config c;
        dsc_error err;
        cr_assert_eq(parse(rows[i][0], &c, &err), DSC_BAD_ARGUMENT, "%s", rows[i][0]);
        cr_assert(strstr(err.text, rows[i][1]) != NULL && strstr(err.text, "c.json") != NULL, "%s", err.text);
    }
}

Test(model_config, labels_are_lines) {
    static const struct {
        const char *text;
        size_t count;
        const char *last;
    } rows[] = {
        {"a\nb\nc\n", 3, "c"}, {"a\r\nb\r\n", 2, "b"}, {"a\n\nb", 3, "b"},
        {"a\n\n\n", 1, "a"},   {"", 0, NULL},          {"\n", 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        model_labels labels = {0};
        dsc_error err = {0};
        cr_assert_eq(model_labels_parse("l", rows[i].text, strlen(rows[i].text), &labels, &err), DSC_OK);
        cr_assert_eq(labels.count, rows[i].count, "%zu labels in row %zu", labels.count, i);
        if (labels.count != 0) cr_assert_str_eq(labels.items[labels.count - 1], rows[i].last);
        model_labels_close(&labels);
    }
    model_labels labels = {0};
    dsc_error err = {0};
    cr_assert_eq(model_labels_parse("l", "a\0b", 3, &labels, &err), DSC_BAD_ARGUMENT);
    static char wide[5000];
    memset(wide, 'w', sizeof wide);
    cr_assert_eq(model_labels_parse("l", wide, sizeof wide, &labels, &err), DSC_TOO_LARGE);
}

Test(json_file, strictness) {
    static const struct {
        const char *text;
        bool is_good;
    } rows[] = {
        {"{}", true},
        {" {\"a\": [1, {\"b\": 2}]} \n", true},
        {"{\"a\": {\"b\": 1, \"b\": 2}}", false},
        {"{} {}", false},
        {"{\"a\": 1,}", false},
        {"[1]", false},
        {"\"text\"", false},
        {"{", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cJSON *root = NULL;
        dsc_error err = {0};
        dsc_status status = json_parse_strict("f", rows[i].text, strlen(rows[i].text), &root, &err);
        cr_assert_eq(status == DSC_OK, rows[i].is_good, "%s: %s", rows[i].text, err.text);
        cJSON_Delete(root);
    }
    char deep[400];
    memset(deep, 0, sizeof deep);
    for (int i = 0; i < 50; i++) strcat(deep, "{\"a\":");
    strcat(deep, "1");
    for (int i = 0; i < 50; i++) strcat(deep, "}");
    cJSON *root = NULL;
    dsc_error err = {0};
    cr_assert_eq(json_parse_strict("f", deep, strlen(deep), &root, &err), DSC_BAD_ARGUMENT);
    cr_assert_eq(json_parse_strict("f", "{}\0", 3, &root, &err), DSC_BAD_ARGUMENT);
}
