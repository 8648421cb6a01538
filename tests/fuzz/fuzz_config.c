// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a model's config.json, its labels, a preprocessing and the daemon's settings. What is read
// is written and read back the same.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/image/preprocess.h"
#include "server/model/model_config.h"
#include "server/settings/settings_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(dsc_status status, const dsc_error *err) {
    if (status != DSC_OK && err->text[0] == '\0') __builtin_trap();
}

static void try_preprocess(const char *text, size_t size) {
    dsc_preprocess p, again;
    buffer b, twice;
    fault f = {0};
    if (!preprocess_from_text(text, size, &p, &f)) {
        if (f.http_status != 400 || f.text[0] == '\0') __builtin_trap();
        return;
    }
    buffer_init(&b, 0);
    buffer_init(&twice, 0);
    preprocess_to_json(&p, &b);
    if (buffer_ok(&b) && !preprocess_from_text(b.data, b.size, &again, &f)) __builtin_trap();
    preprocess_to_json(&again, &twice);
    if (b.size != twice.size || memcmp(b.data, twice.data, b.size) != 0) __builtin_trap();
    buffer_close(&twice);
    buffer_close(&b);
}

static void try_settings(const char *text, size_t size) {
    settings set = {0};
    dsc_error err = {0};
    char path[40];
    int file = memfd_create("settings", 0);
    if (file < 0) return;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    char *arguments[] = {"--config", path, NULL}, *environment[] = {NULL};
    if (write(file, text, size) == (ssize_t)size) {
        dsc_status status = settings_load(&set, 2, arguments, environment, &err);
        check(status, &err);
        buffer b;
        buffer_init(&b, 0);
        if (status == DSC_OK) settings_print(&set, &b);
        buffer_close(&b);
        settings_close(&set);
    }
    (void)close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    model_config config;
    model_labels labels;
    dsc_error err = {0};
    // Behind the text there is a zero, as behind every file that is read.
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    dsc_status status = model_config_parse("config.json", text, size, &config, &err);
    check(status, &err);
    if (status == DSC_OK) model_config_close(&config);
    status = model_labels_parse("labels.txt", text, size, &labels, &err);
    check(status, &err);
    if (status == DSC_OK) model_labels_close(&labels);
    try_preprocess(text, size);
    try_settings(text, size);
    free(text);
    return 0;
}
