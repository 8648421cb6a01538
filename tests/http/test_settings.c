// SPDX-License-Identifier: Apache-2.0
//
// Settings and models as users give them: on the command line, in the environment, in files and folders.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <unistd.h>

static char *output(const char *name) {
    char *text = dscd_read_file(&server, name);
    cr_assert(text != NULL);
    return text;
}

// `dscd serve --check-config` with these options must show this.
static void check_shown(const char *const *arguments, const char *wanted) {
    cr_assert_eq(dscd_run(&server, arguments), 0);
    char *shown = output("stdout");
    cr_assert(strstr(shown, wanted) != NULL, "no %s in %s", wanted, shown);
    free(shown);
}

// `dscd serve` must end with this exit status, and one line on stderr that holds these words.
static void check_refused(const char *const *arguments, int status, const char *words) {
    cr_assert_eq(dscd_run(&server, arguments), status, "%s", words);
    char *text = output("stderr"), *line = strstr(text, "dscd: ");
    cr_assert(line != NULL && strstr(line, words) != NULL, "no %s in %s", words, text);
    cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1, "more than a line: %s", text);
    free(text);
}

#define CHECK(...) OPTIONS("serve", "--check-config", __VA_ARGS__)

HTTP_TEST(settings, precedence) {
    cr_assert(dscd_write_file(&server, "c.json", "{\"queue_depth\": 7, \"timeout_ms\": 8, \"threads\": 9}"));
    const char *file = dscd_path(&server, "c.json");
    (void)setenv("DSCD_TIMEOUT_MS", "80", 1);
    (void)setenv("DSCD_THREADS", "90", 1);
    char wanted[700];
    (void)snprintf(wanted, sizeof wanted, "\"queue_depth\": { \"value\": 7, \"origin\": \"file %s, key", file);
    check_shown(CHECK("--config", file), wanted);
    check_shown(CHECK("--config", file),
                "\"timeout_ms\": { \"value\": 80, \"origin\": \"environment DSCD_TIMEOUT_MS\" }");
    check_shown(CHECK("--config", file, "--threads=900"),
                "\"threads\": { \"value\": 900, \"origin\": \"flag --threads\" }");
    check_shown(CHECK("--threads", "1"), "\"queue_depth\": { \"value\": 128, \"origin\": \"default\" }");
    check_shown(CHECK("--no-access-log"), "\"access_log\": { \"value\": false, \"origin\": \"flag --no-access-log\" }");
    check_shown(CHECK("--model", "a=x", "--model", "b=y"), "\"value\": {\"a\": \"x\", \"b\": \"y\"}");
    check_shown(CHECK("some/net.onnx"), "\"value\": {\"net\": \"some/net.onnx\"}");
    (void)setenv("PORT", "81", 1);
    check_shown(CHECK("--threads", "1"), "\"value\": \"127.0.0.1:81\", \"origin\": \"environment PORT\"");
    (void)setenv("DSCD_LISTEN", "[::]:99", 1);
    check_shown(CHECK("--threads", "1"), "\"value\": \"[::]:81\"");
    check_shown(CHECK("--listen", "1.2.3.4:82"), "\"value\": \"1.2.3.4:82\", \"origin\": \"flag --listen\"");
}

HTTP_TEST(settings, wrong_options) {
    check_refused(OPTIONS("serve", "--unknown", "1"), 2, "--unknown");
    check_refused(OPTIONS("serve", "--threads"), 2, "needs a value");
    check_refused(OPTIONS("serve", "--threads", "many"), 2, "flag --threads: \"many\" is not a whole number");
    check_refused(OPTIONS("serve", "--threads", "-1"), 2, "not a whole number");
    check_refused(OPTIONS("serve", "--threads", "1025"), 2, "not between 0 and 1024");
    check_refused(OPTIONS("serve", "--queue-depth", "18446744073709551616"), 2, "not a whole number");
    check_refused(OPTIONS("serve", "--access-log=perhaps"), 2, "neither true nor false");
    check_refused(OPTIONS("serve", "--no-threads"), 2, "unknown option");
    check_refused(OPTIONS("serve", "--log-level", "loud"), 2, "error|warning|info|debug");
    check_refused(OPTIONS("serve", "--listen", "nowhere"), 2, "HOST:PORT");
    check_refused(OPTIONS("serve", "--listen", "::1:80"), 2, "HOST:PORT");
    check_refused(OPTIONS("serve", "--listen", "127.0.0.1:65536"), 2, "HOST:PORT");
    check_refused(OPTIONS("serve", "--model", "nameless"), 2, "NAME=PATH");
    check_refused(OPTIONS("serve", "--model", "a=b", "--model", "a=c"), 2, "given twice");
    check_refused(OPTIONS("serve", "--isa", "mmx"), 2, "mmx");
    check_refused(OPTIONS("serve", "--passes", "fastest"), 2, "fastest");
    check_refused(OPTIONS("serve", "-x"), 2, "-x");
    check_refused(OPTIONS("sevre"), 2, "sevre");
    (void)setenv("DSCD_QUEUE_DEPTH", "0", 1);
    check_refused(OPTIONS("serve", "--threads", "1"), 2, "environment DSCD_QUEUE_DEPTH");
    (void)unsetenv("DSCD_QUEUE_DEPTH");
    (void)setenv("PORT", "http", 1);
    check_refused(OPTIONS("serve", "--threads", "1"), 2, "PORT");
}

static void check_file_refused(const char *text, const char *words) {
    cr_assert(dscd_write_file(&server, "c.json", text));
    check_refused(OPTIONS("serve", "--config", dscd_path(&server, "c.json")), 2, words);
}

HTTP_TEST(settings, wrong_files) {
    check_file_refused("", "not valid JSON");
    check_file_refused("[]", "not a JSON object");
    check_file_refused("{\"threads\": 1} x", "not valid JSON");
    check_file_refused("{\n\"threads\": 1,\n\"listen\"}", "line 3");
    check_file_refused("{\"treads\": 1}", "key \"treads\"");
    check_file_refused("{\"threads\": 1, \"threads\": 1}", "given twice");
    check_file_refused("{\"threads\": \"1\"}", "key \"threads\": must be a whole number");
    check_file_refused("{\"threads\": 1.5}", "must be a whole number");
    check_file_refused("{\"listen\": 80}", "must be a string");
    check_file_refused("{\"access_log\": 1}", "must be true or false");
    check_file_refused("{\"model\": {\"a\": 1}}", "must be an object of names and paths");
    check_file_refused("{\"model\": []}", "must be an object of names and paths");
    check_refused(OPTIONS("serve", "--config", dscd_path(&server, "absent")), 1, "No such file");
}

// config/dscd.json shows every setting at its default.
HTTP_TEST(settings, shipped_file_is_the_defaults) {
    cr_assert_eq(access("config/dscd.json", R_OK), 0, "config/dscd.json is not here: run from the root");
    cr_assert_eq(dscd_run(&server, CHECK("--config", "config/dscd.json", "--no-access-log", "--access-log")), 0);
    char *from_file = output("stdout");
    cr_assert(strstr(from_file, "\"origin\": \"default\"") ==
                  strstr(from_file, "\"model\": { \"value\": {}, \"origin\"") + strlen("\"model\": { \"value\": {}, "),
              "a setting is missing in the file");
    cr_assert_eq(dscd_run(&server, CHECK("--no-access-log", "--access-log")), 0);
    char *defaults = output("stdout");
    char *a = from_file, *b = defaults;
    for (char *x = strsep(&a, "\n"), *y = strsep(&b, "\n"); x != NULL && y != NULL;
         x = strsep(&a, "\n"), y = strsep(&b, "\n")) {
        char *end_x = strstr(x, "\"origin\""), *end_y = strstr(y, "\"origin\"");
        size_t length_x = end_x == NULL ? strlen(x) : (size_t)(end_x - x);
        size_t length_y = end_y == NULL ? strlen(y) : (size_t)(end_y - y);
        cr_assert(length_x == length_y && memcmp(x, y, length_x) == 0, "%s against %s", x, y);
    }
    free(from_file);
    free(defaults);
}

HTTP_TEST(settings, help_and_version) {
    cr_assert_eq(dscd_run(&server, OPTIONS("--version")), 0);
    char *text = output("stdout");
    cr_assert(strstr(text, "commit") != NULL && strstr(text, "libmicrohttpd") != NULL && strstr(text, "ref") != NULL);
    free(text);
    cr_assert_eq(dscd_run(&server, OPTIONS("serve", "--help")), 0);
    text = output("stdout");
    cr_assert(strstr(text, "--max-body-bytes N") != NULL && strstr(text, "--model NAME=PATH") != NULL);
    free(text);
    cr_assert_eq(dscd_run(&server, OPTIONS("--help")), 0);
}

// ---- models ---------------------------------------------------------------------------------------------------

static void save_small(const char *name) {
    cr_assert(dscd_write_file(&server, name, "")); // makes its folders
    cr_assert(small_model_save(dscd_path(&server, name)));
}

static char image[] = "P5 not an image that is known";
static const char zeros[SMALL_MODEL_BYTES];

HTTP_TEST(models, repository) {
    save_small("r/one/1/model.onnx");
    save_small("r/one/2/model.onnx");
    save_small("r/one/10/model.onnx");
    save_small("r/one/03/model.onnx"); // no version: a zero ahead
    save_small("r/two/model.onnx");
    cr_assert(dscd_write_file(&server, "r/two/config.json", "{\"top_k\": 1, \"softmax\": true, \"warmup\": 2}"));
    cr_assert(dscd_write_file(&server, "r/two/labels.txt", "red\r\ngreen\nblue\nall\n\n"));
    cr_assert(dscd_write_file(&server, "r/notes/readme.txt", "no model here"));
    cr_assert(dscd_start(&server, OPTIONS("--model-repository", dscd_path(&server, "r"))));
    http_reply r = http_request(server.port, "GET", "/v2/models/one", "");
    cr_assert(http_has_text(&r, "\"versions\":[\"1\",\"2\",\"10\"]"), "%s", r.body);
    http_reply_free(&r);
    r = http_post(server.port, "/infer", RAW, zeros, sizeof zeros); // the first by name, its highest version
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "{\"model_name\":\"one\",\"model_version\":\"10\""));
    http_reply_free(&r);
    r = http_post(server.port, "/v2/models/two/infer", RAW, zeros, sizeof zeros);
    check_status(&r, 200);
    cr_assert(http_has_text(&r, "\"classification\":[[{\"class\":0,\"label\":\"red\",\"score\":0.25}]]"), "%s", r.body);
    http_reply_free(&r);
    check_get("/v2/models/one/versions/3", 404);
    check_get("/v2/models/notes", 404);
    check_post("/infer", "", image, 415);
    STOPS_CLEANLY();
}

HTTP_TEST(models, default_model) {
    save_small("a.onnx");
    char a[300], b[300];
    (void)snprintf(a, sizeof a, "a=%s", dscd_path(&server, "a.onnx"));
    (void)snprintf(b, sizeof b, "b=%s", dscd_path(&server, "a.onnx"));
    cr_assert(dscd_start(&server, OPTIONS("--model", a, "--model", b, "--default-model", "b")));
    http_reply r = http_post(server.port, "/infer", RAW, zeros, sizeof zeros);
    cr_assert(http_has_text(&r, "{\"model_name\":\"b\""));
    http_reply_free(&r);
    STOPS_CLEANLY();
    check_refused(OPTIONS("serve", "--listen", "127.0.0.1:0", "--model", a, "--default-model", "c"), 1, "\"c\"");
}

static void check_config_refused(const char *config, const char *words) {
    cr_assert(dscd_write_file(&server, "r/m/config.json", config));
    check_refused(OPTIONS("serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--model-repository",
                          dscd_path(&server, "r")),
                  1, words);
}

HTTP_TEST(models, wrong_configurations) {
    save_small("r/m/model.onnx");
    check_config_refused("{\"preproces\": 1}", "m/config.json: there is no key \"preproces\"");
    check_config_refused("{\"preprocess\": \"tf-slam\"}", "key \"preprocess\"");
    check_config_refused("{\"preprocess\": {\"resize\": 5}}", "key \"preprocess\"");
    check_config_refused("{\"labels\": 1}", "key \"labels\"");
    check_config_refused("{\"labels\": \"absent.txt\"}", "absent.txt");
    check_config_refused("{\"labels\": [\"a\", 1]}", "key \"labels\"");
    check_config_refused("{\"label_offset\": -1}", "key \"label_offset\"");
    check_config_refused("{\"softmax\": \"yes\"}", "key \"softmax\" must be true or false");
    check_config_refused("{\"top_k\": 1e9}", "key \"top_k\"");
    check_config_refused("{\"warmup\": 1001}", "key \"warmup\"");
    check_config_refused("{\"limits\": {\"knots\": 1}}", "no limit \"knots\"");
    check_config_refused("{\"limits\": {\"nodes\": 0}}", "key \"limits\"");
    check_config_refused("{\"limits\": {\"nodes\": 1}}", "model m, version 1: ");
    check_config_refused("{\"top_k\": 1, \"top_k\": 1}", "given twice");
    check_config_refused("not json", "not valid JSON");
}

HTTP_TEST(models, that_cannot_be_loaded) {
    const char *listen = "127.0.0.1:0";
    cr_assert(dscd_write_file(&server, "bad.onnx", "not a model"));
    cr_assert(dscd_write_file(&server, "empty/readme.txt", ""));
    check_refused(OPTIONS("serve", "--listen", listen, "--log-level", "error", dscd_path(&server, "absent.onnx")), 1,
                  "absent.onnx");
    check_refused(OPTIONS("serve", "--listen", listen, "--log-level", "error", dscd_path(&server, "bad.onnx")), 1,
                  "model bad, version 1: ");
    check_refused(OPTIONS("serve", "--listen", listen, "--log-level", "error", dscd_path(&server, "empty")), 1,
                  "neither model.onnx nor");
    check_refused(
        OPTIONS("serve", "--listen", listen, "--log-level", "error", "--model-repository", dscd_path(&server, "empty")),
        1, "there is no model to serve");
    check_refused(OPTIONS("serve", "--listen", listen, "--log-level", "error", "--model-repository",
                          dscd_path(&server, "nowhere")),
                  1, "nowhere");
    save_small("m.onnx");
    cr_assert(dscd_start(&server, OPTIONS(dscd_path(&server, "m.onnx"))));
    char taken[32];
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%d", server.port);
    dscd_process other;
    cr_assert(dscd_prepare(&other));
    cr_assert_eq(dscd_run(&other, OPTIONS("serve", "--listen", taken, dscd_path(&server, "m.onnx"))), 1);
    char *text = dscd_read_file(&other, "stderr");
    cr_assert(strstr(text, "in use") != NULL, "%s", text);
    free(text);
    dscd_clean(&other);
    STOPS_CLEANLY();
}
