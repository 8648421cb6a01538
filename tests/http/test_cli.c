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
    check_fails(OPTIONS("run", MODEL, "--labels", dscd_path(&server, "none")), 1, "No such file");
    check_fails(OPTIONS("healthcheck", "http://127.0.0.1:1"), 1, "127.0.0.1:1 is not ready: no answer\n");
}
