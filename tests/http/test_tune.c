// SPDX-License-Identifier: Apache-2.0
//
// dscd tune as users call it, and who reads what it wrote.
#define _GNU_SOURCE
#include "tests/http/http_test.h"

#include <dirent.h>
#include <unistd.h>

#define MODEL "config/models/fashion/1/model.onnx"
#define CACHE dscd_path(&server, "cache") // a buffer that is overwritten after a while

static char *run(const char *const *arguments, const char *file) {
    int status = dscd_run(&server, arguments);
    char *text = dscd_read_file(&server, status == 0 ? file : "stderr");
    cr_assert_eq(status, 0, "%s: %s", arguments[0], text);
    return text;
}

static void check_has(const char *text, const char *words) {
    cr_assert(strstr(text, words) != NULL, "no \"%s\" in %s", words, text);
}

// Writes the text into every file of the cache; how many there were.
static int overwrite(const char *text) {
    int count = 0;
    DIR *folder = opendir(dscd_path(&server, "cache"));
    for (struct dirent *e = folder == NULL ? NULL : readdir(folder); e != NULL; e = readdir(folder)) {
        char name[300];
        if (e->d_name[0] == '.') continue;
        (void)snprintf(name, sizeof name, "cache/%s", e->d_name);
        cr_assert(dscd_write_file(&server, name, text));
        count++;
    }
    if (folder != NULL) (void)closedir(folder);
    return count;
}

static void tune_for(const char *threads) {
    char *text = run(OPTIONS("tune", MODEL, "--cache-dir", CACHE, "--threads", threads, "--seconds", "1"), "stdout");
    check_has(text, "layer");
    check_has(text, "whole runs");
    check_has(text, CACHE);
    free(text);
}

HTTP_TEST(tune, keeps_a_file_that_inspect_reads) {
    char *before = run(OPTIONS("inspect", MODEL, "--cache-dir", CACHE), "stdout");
    check_has(before, "estimated, but 0 of ");
    check_has(before, "  *");
    tune_for("1");
    char *again = run(OPTIONS("inspect", MODEL, "--cache-dir", "none"), "stdout");
    cr_assert_str_eq(before, again);
    free(again);
    again = run(OPTIONS("inspect", MODEL, "--json", "--cache-dir", CACHE), "stdout");
    check_has(again, "\"choices\":[{\"layer\":");
    check_has(again, "\"candidates\":[{\"label\":");
    free(again);
    cr_assert_eq(overwrite("{}"), 1);
    again = run(OPTIONS("inspect", MODEL, "--cache-dir", CACHE), "stderr");
    check_has(again, "ignored");
    cr_assert_eq(strchr(again, '\n'), again + strlen(again) - 1, "more than a line: %s", again);
    free(again);
    again = run(OPTIONS("inspect", MODEL, "--cache-dir", CACHE), "stdout");
    cr_assert_str_eq(before, again);
    free(before);
    free(again);
}

// The same bits with what was tuned and without.
HTTP_TEST(tune, answers_stay_as_they_were) {
    char *before = run(OPTIONS("run", MODEL, "--cache-dir", "none", "--output", dscd_path(&server, "a")), "stdout");
    tune_for("1");
    char *after = run(OPTIONS("run", MODEL, "--cache-dir", dscd_path(&server, "cache")), "stdout");
    cr_assert_str_eq(before, after);
    free(before);
    free(after);
}

HTTP_TEST(tune, serve_reads_its_threads_file_and_says_when_it_cannot) {
    tune_for("2");
    cr_assert(dscd_start(&server, OPTIONS(MODEL, "--threads", "2", "--cache-dir", CACHE)));
    STOPS_CLEANLY();
    char *log = dscd_read_file(&server, "stderr");
    cr_assert(log != NULL && strstr(log, "tuning_ignored") == NULL, "%s", log);
    free(log);
    cr_assert_eq(overwrite("no JSON"), 1);
    cr_assert(dscd_start(&server, OPTIONS(MODEL, "--threads", "2", "--cache-dir", CACHE)));
    check_get("/v2/health/ready", 200);
    STOPS_CLEANLY();
    log = dscd_read_file(&server, "stderr");
    cr_assert(log != NULL && strstr(log, "tuning_ignored") != NULL, "%s", log);
    free(log);
}

HTTP_TEST(tune, failures_are_told) {
    cr_assert(dscd_write_file(&server, "text", "hello"));
    cr_assert_eq(dscd_run(&server, OPTIONS("tune")), 2);
    cr_assert_eq(dscd_run(&server, OPTIONS("tune", "x.onnx", "--seconds", "0")), 2);
    cr_assert_eq(dscd_run(&server, OPTIONS("tune", "x.onnx", "--cache-dir", "none")), 1);
    char *text = dscd_read_file(&server, "stderr");
    check_has(text, "--cache-dir");
    free(text);
    char below[128];
    (void)snprintf(below, sizeof below, "%s/below", dscd_path(&server, "text"));
    cr_assert_eq(dscd_run(&server, OPTIONS("tune", MODEL, "--threads", "1", "--seconds", "1", "--cache-dir", below)),
                 1);
    text = dscd_read_file(&server, "stderr");
    check_has(text, "cannot make the folder");
    free(text);
}
