// SPDX-License-Identifier: Apache-2.0
//
// Verbs other than serve where they are called wrongly: exit status, and one line that says why.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

static void check_fails(const char *const *arguments, int status, const char *words) {
    cr_assert_eq(dscd_run(&server, arguments), status, "%s", words);
    char *text = dscd_read_file(&server, "stderr"), *out = dscd_read_file(&server, "stdout");
    cr_assert(text != NULL && out != NULL);
    cr_assert(strncmp(text, "dscd", 4) == 0 && strstr(text, words) != NULL, "no %s in %s", words, text);
    cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1, "more than a line: %s", text);
    cr_assert_str_eq(out, "");
    free(text);
    free(out);
}

HTTP_TEST(cli, wrong_usage_is_2) {
    cr_assert(small_model_save(dscd_path(&server, "m.onnx")));
    const char *model = dscd_path(&server, "m.onnx");
    static const char *const verbs[] = {"run", "inspect", "bench", "verify"};
    for (size_t i = 0; i < 4; i++) {
        char words[64];
        (void)snprintf(words, sizeof words, "dscd %s: ", verbs[i]);
        check_fails(OPTIONS(verbs[i]), 2, words);
        check_fails(OPTIONS(verbs[i], model, model), 2, "name one model file");
        check_fails(OPTIONS(verbs[i], model, "--nope"), 2, words);
    }
    check_fails(OPTIONS("run", model, "--top", "0"), 2, "from 1 to");
    check_fails(OPTIONS("run", model, "--isa", "sse"), 2, "\"sse\"");
    check_fails(OPTIONS("run", model, "--preprocess", "x"), 2, "tf-slim");
    check_fails(OPTIONS("verify", model, "--tolerance", "1x"), 2, "--tolerance");
    check_fails(OPTIONS("verify", model, "--tolerance", "inf"), 2, "--tolerance");
    check_fails(OPTIONS("compare", "--kernel", "3"), 2, "--output-size");
    check_fails(OPTIONS("healthcheck", "http://"), 2, "http://: not a URL");
    check_fails(OPTIONS("nope"), 2, "\"nope\"");
}

#define MODEL dscd_path(&server, "m.onnx") // a buffer that is overwritten after a while

HTTP_TEST(cli, failures_are_1) {
    cr_assert(small_model_save(dscd_path(&server, "m.onnx")) && dscd_write_file(&server, "text", "hello") &&
              dscd_write_file(&server, "empty", ""));
    static const char *const verbs[] = {"run", "inspect", "bench", "verify"};
    for (size_t i = 0; i < 4; i++) {
        check_fails(OPTIONS(verbs[i], dscd_path(&server, "none")), 1, "No such file");
        check_fails(OPTIONS(verbs[i], server.folder), 1, "directory");
        check_fails(OPTIONS(verbs[i], dscd_path(&server, "empty")), 1, "empty");
        check_fails(OPTIONS(verbs[i], dscd_path(&server, "text")), 1, "not a valid ONNX file");
    }
    check_fails(OPTIONS("run", MODEL, "--image", server.folder), 1, "Is a directory");
    check_fails(OPTIONS("run", MODEL, "--image", dscd_path(&server, "text")), 1, "is no JPEG, PNG, WebP or .npy file");
    check_fails(OPTIONS("run", MODEL, "--input", "x=y"), 1, "no input \"x\"");
    check_fails(OPTIONS("run", MODEL, "--input", "input=/none"), 1, "/none: No such file");
    check_fails(OPTIONS("run", MODEL, "--labels", dscd_path(&server, "none")), 1, "No such file");
    check_fails(OPTIONS("healthcheck", "http://127.0.0.1:1"), 1, "127.0.0.1:1 is not ready: no answer\n");
}

// An .npy file of FP32 or another type: element i is i / 1024. "NAME=FILE" of it in a static buffer.
static const char *tensor_file(const char *name, const char *descr, const int dims[4]) {
    static char argument[512];
    char header[119];
    const char *path = dscd_path(&server, name);
    int count = dims[0] * dims[1] * dims[2] * dims[3];
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    (void)snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d, %d, %d)}", descr,
                   dims[0], dims[1], dims[2], dims[3]);
    cr_assert(fwrite("\x93NUMPY\x01\0\x76\0", 1, 10, file) == 10 && fprintf(file, "%-117s\n", header) == 118);
    for (int i = 0; i < count; i++) {
        float value = (float)i / 1024;
        cr_assert_eq(fwrite(&value, sizeof value, 1, file), 1);
    }
    cr_assert_eq(fclose(file), 0);
    (void)snprintf(argument, sizeof argument, "input=%s", path);
    return argument;
}

// The batch is the file's: class i < 3 of an image is the mean of its channel i, class 3 their sum.
HTTP_TEST(cli, run_takes_shapes_from_files) {
    cr_assert(small_model_save(dscd_path(&server, "m.onnx")));
    const char *argument = tensor_file("two.npy", "<f4", (int[]){2, 3, 8, 8});
    cr_assert_eq(dscd_run(&server, OPTIONS("run", MODEL, "--input", argument, "--output", server.folder)), 0);
    FILE *file = fopen(dscd_path(&server, "scores.npy"), "rb");
    char head[128];
    float scores[9];
    cr_assert(file && fread(head, 1, sizeof head, file) == sizeof head);
    cr_assert_eq(fread(scores, sizeof *scores, 9, file), 8, "the file holds something else than two images' scores");
    fclose(file);
    cr_assert(memmem(head, sizeof head, "(2, 4)", 6) != NULL);
    for (int i = 0; i < 2; i++) {
        float first = (float)(i * 192) / 1024 + 31.5f / 1024, second = first + 64.0f / 1024;
        const float wanted[] = {first, second, second + 64.0f / 1024, 3 * second};
        for (int c = 0; c < 4; c++) cr_assert_float_eq(scores[4 * i + c], wanted[c], 1e-6f, "image %d, class %d", i, c);
    }
}

HTTP_TEST(cli, run_refuses_files_that_do_not_fit) {
    cr_assert(small_model_save(dscd_path(&server, "m.onnx")));
    const char *argument = tensor_file("a.npy", "<f4", (int[]){1, 4, 8, 8});
    check_fails(OPTIONS("run", MODEL, "--input", argument), 1, "not 1x4x8x8");
    argument = tensor_file("b.npy", "<i4", (int[]){1, 3, 8, 8});
    check_fails(OPTIONS("run", MODEL, "--input", argument), 1, "holds INT32; input \"input\" is FP32");
    argument = tensor_file("c.npy", "<f4", (int[]){1, 3, 8, 8});
    check_fails(OPTIONS("run", MODEL, "--input", argument, "--input", argument), 1, "--input input is there twice");
    check_fails(OPTIONS("run", MODEL, "--input", "input"), 2, "NAME=FILE.npy");
}
