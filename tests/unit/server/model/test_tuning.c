// SPDX-License-Identifier: Apache-2.0
// The files of dscd tune: written and read again; missing, damaged, foreign, too large, no file at all.
#define _GNU_SOURCE
#include "server/model/tuning.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct bench {
    char folder[64], file[512];
    tuning_subject subject;
} bench;

static dsc_model *make_model(uint64_t channels) {
    dsc_model *model = NULL;
    const dsc_layer layer = {channels, 16, 3, 8, true};
    cr_assert_eq(dsc_model_create_layer(&layer, &model, NULL), DSC_OK);
    return model;
}

static const dsc_timing timings[] = {{"layer \"one\"", "rows 4", 1500}, {"two\n", "separate", 2.25e6}};
static const dsc_shape shape = {.name = "input", .rank = 4, .dims = {1, 8, 8, 8}};

// A folder below one that is not there yet, with a file in it.
static bench open_bench(void) {
    bench b = {.folder = "/tmp/tuning_XXXXXX"};
    cr_assert(mkdtemp(b.folder) != NULL);
    char setting[80];
    (void)snprintf(setting, sizeof setting, "%s/a/b", b.folder);
    const tuning_subject wanted = {.isa = DSC_ISA_REF, .passes = 3, .threads = 2};
    tuning_subject_init(&b.subject, &wanted, setting, make_model(8));
    cr_assert_str_eq(b.subject.folder, setting);
    tuning t = {.count = 2, .timings = (dsc_timing *)timings, .before_ns = 5000, .after_ns = 4000};
    buffer path;
    dsc_error err = {0};
    buffer_init(&path, 0);
    cr_assert_eq(tuning_write(&b.subject, &shape, 1, &t, &path, &err), DSC_OK, "%s", err.text);
    cr_assert_lt(path.size, sizeof b.file);
    memcpy(b.file, path.data, path.size);
    buffer_close(&path);
    return b;
}

static void close_bench(bench *b) {
    char path[96];
    (void)unlink(b->file);
    (void)rmdir(b->file);
    cr_assert_eq(rmdir(b->subject.folder), 0, "something was left behind");
    (void)snprintf(path, sizeof path, "%s/a", b->folder);
    cr_assert(rmdir(path) == 0 && rmdir(b->folder) == 0);
    dsc_model_free((dsc_model *)b->subject.model);
}

static void write_text(const char *path, const char *text, size_t size) {
    FILE *file = fopen(path, "we");
    cr_assert(file != NULL && fwrite(text, 1, size, file) == size && fclose(file) == 0);
}

static char *read_text(const char *path) {
    char *text = calloc(1, 4096);
    FILE *file = fopen(path, "re");
    cr_assert(text != NULL && file != NULL && fread(text, 1, 4095, file) > 0);
    (void)fclose(file);
    return text;
}

static void check_ignored(const bench *b, const char *words) {
    tuning t = {.count = 7};
    dsc_error err = {0};
    cr_assert_neq(tuning_read(&b->subject, &shape, 1, &t, &err), DSC_OK, "%s", words);
    cr_assert(strstr(err.text, words) != NULL, "no \"%s\" in: %s", words, err.text);
    cr_assert(t.count == 0 && t.timings == NULL && t.document == NULL);
    tuning_close(&t);
}

static uint32_t count_of(const tuning_subject *s, const dsc_shape *shapes, uint32_t count) {
    tuning t;
    dsc_error err = {0};
    cr_assert_eq(tuning_read(s, shapes, count, &t, &err), DSC_OK, "%s", err.text);
    uint32_t found = t.count;
    tuning_close(&t);
    return found;
}

Test(tuning, what_was_written_is_read) {
    bench b = open_bench();
    tuning t;
    dsc_error err = {0};
    struct stat info;
    cr_assert_eq(tuning_read(&b.subject, &shape, 1, &t, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(t.count, 2);
    for (int i = 0; i < 2; i++) {
        cr_assert_str_eq(t.timings[i].layer, timings[i].layer);
        cr_assert_str_eq(t.timings[i].candidate, timings[i].candidate);
        cr_assert(t.timings[i].ns == timings[i].ns);
    }
    cr_assert(t.before_ns == 5000 && t.after_ns == 4000);
    tuning_close(&t);
    tuning_close(&t);
    cr_assert(stat(b.file, &info) == 0 && (info.st_mode & 0777) == 0644);
    close_bench(&b);
}

// Anything that the times depend on makes another file.
Test(tuning, other_things_have_other_files) {
    bench b = open_bench();
    dsc_model *other = make_model(9);
    dsc_shape larger = shape;
    larger.dims[0] = 2;
    tuning_subject s = b.subject;
    cr_assert_eq(count_of(&s, &shape, 1), 2);
    cr_assert_eq(count_of(&s, NULL, 0), 2); // the model's own shape
    cr_assert_eq(count_of(&s, &larger, 1), 0);
    s.threads = 1;
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    s = b.subject, s.isa = DSC_ISA_AVX2;
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    s = b.subject, s.passes = 1;
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    tuning_subject_init(&s, &b.subject, b.subject.folder, other);
    cr_assert_str_neq(s.digest, b.subject.digest);
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    tuning_subject_init(&s, &b.subject, "/tmp/there/is/no/such/folder", b.subject.model);
    cr_assert_str_eq(s.digest, b.subject.digest);
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    tuning_subject_init(&s, &b.subject, "none", b.subject.model);
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    dsc_model_free(other);
    close_bench(&b);
}

// Every file that is cut off is damaged, but for the space behind its end.
Test(tuning, damaged_files_are_ignored) {
    bench b = open_bench();
    char *text = read_text(b.file);
    size_t size = strlen(text);
    for (size_t cut = 0; cut < size - 1; cut++) {
        write_text(b.file, text, cut);
        check_ignored(&b, b.file);
    }
    write_text(b.file, text, size);
    cr_assert_eq(count_of(&b.subject, &shape, 1), 2);
    char *key = strstr(text, "threads 2");
    cr_assert(key != NULL);
    key[8] = '3'; // as if two keys had one name
    write_text(b.file, text, size);
    check_ignored(&b, "about another");
    key[8] = '2';
    char *ns = strstr(text, "\"ns\":1500");
    cr_assert(ns != NULL);
    static const char *const wrong[] = {"\"ns\":-500", "\"ns\":0000", "\"ns\":1e99", "\"nx\":1500", "\"ns\":null"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(ns, wrong[i], 9);
        write_text(b.file, text, size);
        check_ignored(&b, b.file);
    }
    free(text);
    close_bench(&b);
}

Test(tuning, what_is_no_such_file_is_ignored) {
    bench b = open_bench();
    static const char other[] = "{\"format\":2,\"key\":\"x\",\"timings\":[]}";
    write_text(b.file, other, sizeof other - 1);
    check_ignored(&b, "\"format\"");
    char *large = malloc(TUNING_LIMIT_BYTES + 1);
    cr_assert_not_null(large);
    memset(large, ' ', TUNING_LIMIT_BYTES + 1);
    write_text(b.file, large, TUNING_LIMIT_BYTES + 1);
    free(large);
    check_ignored(&b, "larger than");
    cr_assert(unlink(b.file) == 0 && mkfifo(b.file, 0600) == 0); // which would block whoever opens it
    check_ignored(&b, "not a file");
    cr_assert(unlink(b.file) == 0 && mkdir(b.file, 0700) == 0);
    check_ignored(&b, "not a file");
    close_bench(&b);
}

Test(tuning, the_folder_is_the_settings_or_the_users) {
    char folder[TUNING_FOLDER_LENGTH];
    cr_assert(setenv("XDG_CACHE_HOME", "/cache", 1) == 0 && setenv("HOME", "/home/me", 1) == 0);
    tuning_folder("here", folder);
    cr_assert_str_eq(folder, "here");
    tuning_folder("none", folder);
    cr_assert_str_eq(folder, "");
    tuning_folder("", folder);
    cr_assert_str_eq(folder, "/cache/dscd");
    cr_assert_eq(setenv("XDG_CACHE_HOME", "not/absolute", 1), 0);
    tuning_folder("", folder);
    cr_assert_str_eq(folder, "/home/me/.cache/dscd");
    cr_assert_eq(unsetenv("HOME"), 0);
    tuning_folder("", folder);
    cr_assert_str_eq(folder, "");
}

// Nothing is left behind where the file cannot be written.
Test(tuning, a_folder_that_cannot_be_is_told) {
    bench b = open_bench();
    tuning t = {0};
    buffer path;
    dsc_error err = {0};
    tuning_subject s = b.subject;
    buffer_init(&path, 0);
    (void)snprintf(s.folder, sizeof s.folder, "%s/below", b.file); // a file is in the way
    cr_assert_eq(tuning_write(&s, &shape, 1, &t, &path, &err), DSC_IO);
    cr_assert(strstr(err.text, b.file) != NULL, "%s", err.text);
    cr_assert_eq(count_of(&s, &shape, 1), 0);
    s.folder[0] = '\0';
    cr_assert_eq(tuning_write(&s, &shape, 1, &t, &path, &err), DSC_BAD_ARGUMENT);
    cr_assert(strstr(err.text, "--cache-dir") != NULL && path.size == 0, "%s", err.text);
    buffer_close(&path);
    close_bench(&b);
}
