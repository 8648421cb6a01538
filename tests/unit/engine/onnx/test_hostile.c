// SPDX-License-Identifier: Apache-2.0
// Every file of shared/models/hostile, and every real model: read, its shapes inferred, in bounded time; or refused
// with a sentence. Time is the thread's own, so that a busy machine fails nothing.
#define _GNU_SOURCE
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/graph/check.h"
#include "engine/onnx/import.h"
#include "tests/support/test_data.h"
#include "tests/unit/engine/onnx/onnx_case.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIMIT_NS 1000000000u

static uint64_t own_time_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Files that must be refused, each for its own reason.
static const struct {
    const char *file, *part;
} refused[] = {
    {"batch_huge.onnx", "tensor_bytes"},
    {"concat_axis.onnx", "(Concat)"},
    {"constofshape_huge.onnx", "node"},
    {"cycle.onnx", "part of a cycle"},
    {"deep_nest.onnx", ""},
    {"dims_neg.onnx", "is -8; it must not be negative"},
    {"dims_overflow.onnx", "too large"},
    {"dup_output.onnx", "tensor \"y\" is defined twice"},
    {"gather_oob.onnx", "(Gather)"},
    {"group_zero.onnx", "(Conv)"},
    {"ir_99.onnx", "IR version 99"},
    {"jpeg_named.onnx", "JPEG"},
    {"lfs_pointer.onnx", "git lfs pull"},
    {"maxpool_k0.onnx", "(MaxPool)"},
    {"name_long.onnx", "name_bytes"},
    {"opset_999.onnx", "opset 999"},
    {"pads_huge.onnx", "(Conv)"},
    {"pads_neg.onnx", "(Conv)"},
    {"pads_short.onnx", "(Conv)"},
    {"perm_bad.onnx", "(Transpose)"},
    {"pool_huge.onnx", "Pool)"},
    {"reshape_neg.onnx", "(Reshape)"},
    {"reshape_two_minus1.onnx", "(Reshape)"},
    {"resize_huge.onnx", "(Resize)"},
    {"softmax_axis.onnx", "(Softmax)"},
    {"stride_neg.onnx", "(Conv)"},
    {"stride_zero.onnx", "(Conv)"},
    {"trunc_00.onnx", "empty"},
    {"trunc_01.onnx", "claims"},
    {"trunc_50.onnx", "claims"},
    {"trunc_99.onnx", "claims"},
    {"undefined_input.onnx", "\"nope\", is not defined"},
    {"varint_bomb.onnx", "claims 18446744073709551615 bytes"},
};

static const char *const accepted[] = {"deep_20000.onnx", "name_html.onnx", "nan_weights.onnx", "no_nodes.onnx"};

// Imports and infers; the sentence of a refusal is in `err`.
static dsc_status load(const char *path, dsc_error *err) {
    void *bytes = NULL;
    size_t size = 0;
    graph *g = NULL;
    cr_assert_eq(file_read(path, UINT64_MAX, &bytes, &size, err), DSC_OK, "%s", err->text);
    uint64_t start = own_time_ns();
    dsc_status status = onnx_import(NULL, bytes, size, NULL, &g, err);
    if (status == DSC_OK) status = graph_infer(g, err);
    uint64_t ns = own_time_ns() - start;
    cr_expect(ns < LIMIT_NS, "%s took %llu ms", path, (unsigned long long)(ns / 1000000));
    cr_expect(status == DSC_OK || strlen(err->text) > 15, "%s: \"%s\" is no sentence", path, err->text);
    graph_free(g);
    mem_free(bytes);
    return status;
}

static const char *find_part(const char *file) {
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (strcmp(refused[i].file, file) == 0) return refused[i].part;
    }
    return NULL;
}

static bool must_load(const char *file) {
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        if (strcmp(accepted[i], file) == 0) return true;
    }
    return false;
}

static void check(const char *folder, const char *file) {
    char path[4096];
    dsc_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    dsc_status status = load(path, &err);
    const char *part = find_part(file);
    if (part) cr_expect(status != DSC_OK && strstr(err.text, part), "%s: \"%s\" lacks \"%s\"", file, err.text, part);
    if (must_load(file)) cr_expect_eq(status, DSC_OK, "%s: %s", file, err.text);
}

Test(onnx_hostile, every_file, .timeout = 120) {
    char folder[TEST_DATA_PATH_MAX];
    if (!test_data_path("models/hostile", folder)) cr_skip_test(TEST_DATA_ABSENT, "models/hostile");
    DIR *d = opendir(folder);
    cr_assert_not_null(d);
    unsigned files = 0;
    for (struct dirent *e; (e = readdir(d));) {
        size_t length = strlen(e->d_name);
        if (length < 6 || strcmp(e->d_name + length - 5, ".onnx") != 0) continue;
        check(folder, e->d_name);
        files++;
    }
    closedir(d);
    cr_expect(files >= 70, "only %u files", files);
}

Test(onnx_hostile, real_models_load, .timeout = 120) {
    static const char *const files[] = {"mobilenet_v2_imagenet.onnx", "mobilenet_v1_025_imagenet.onnx",
                                        "mini_xception_emotion.onnx", "dscnn_keywords.onnx"};
    char folder[TEST_DATA_PATH_MAX], path[4096];
    if (!test_data_path("models", folder)) cr_skip_test(TEST_DATA_ABSENT, "models");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        dsc_error err = {0};
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        cr_expect_eq(load(path, &err), DSC_OK, "%s: %s", files[i], err.text);
    }
}
