// SPDX-License-Identifier: Apache-2.0
// Reading files: whole ones, and everything that is none.
#define _GNU_SOURCE
#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static void setup(void) {
    strcpy(folder, "/tmp/dsc_test_file_XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/f", folder);
}

static void teardown(void) {
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text, size_t size) {
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(text, 1, size, f), size);
    fclose(f);
}

static void refuse(const char *name, uint64_t limit, dsc_status status, const char *part) {
    void *bytes = NULL;
    size_t size = 77;
    dsc_error err = {0};
    cr_expect_eq(file_read(name, limit, &bytes, &size, &err), status, "%s", err.text);
    cr_expect_not_null(strstr(err.text, part), "\"%s\" lacks \"%s\"", err.text, part);
    cr_expect(bytes == NULL && size == 77);
}

Test(file, whole, .init = setup, .fini = teardown) {
    void *bytes = NULL;
    size_t size = 0;
    write_file("a\0b", 3);
    cr_assert_eq(file_read(path, 3, &bytes, &size, NULL), DSC_OK);
    cr_expect_eq(size, 3u);
    cr_expect_arr_eq(bytes, "a\0b", 3);
    mem_free(bytes);
    write_file("", 0);
    cr_assert_eq(file_read(path, 0, &bytes, &size, NULL), DSC_OK);
    cr_expect(size == 0 && bytes);
    mem_free(bytes);
}

Test(file, too_large, .init = setup, .fini = teardown) {
    write_file("abcd", 4);
    refuse(path, 3, DSC_TOO_LARGE, "has 4 bytes; the limit \"file_bytes\" leaves room for 3");
}

Test(file, no_file, .init = setup, .fini = teardown) {
    refuse(path, 100, DSC_IO, "cannot be opened: No such file");
    refuse(folder, 100, DSC_IO, "is a directory");
    refuse("/dev/zero", 100, DSC_IO, "is not a regular file");
    cr_assert_eq(mkfifo(path, 0600), 0);
    refuse(path, 100, DSC_IO, "is not a regular file"); // and does not wait for a writer
}

Test(file, no_memory, .init = setup, .fini = teardown) {
    write_file("abcd", 4);
    mem_fail_at(1);
    refuse(path, 100, DSC_NO_MEMORY, "4 bytes");
    mem_fail_at(0);
}

// Links may lead anywhere inside the folder, and nowhere else.
Test(file, links_out_of_a_folder_are_refused, .init = setup, .fini = teardown) {
    char inner[96], link[128], out[128], back[128];
    void *bytes = NULL;
    size_t size = 0;
    dsc_error err = {0};
    write_file("abc", 3);
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(link, sizeof link, "%s/link", inner);
    snprintf(out, sizeof out, "%s/out", inner);
    snprintf(back, sizeof back, "%s/back", folder);
    cr_assert(mkdir(inner, 0777) == 0 && symlink("../f", out) == 0 && symlink(inner, back) == 0);
    FILE *f = fopen(link, "wb");
    cr_assert(f != NULL && fputs("xyz", f) >= 0 && fclose(f) == 0);
    cr_expect_eq(file_read_inside(folder, "f", 10, &bytes, &size, &err), DSC_OK, "%s", err.text);
    mem_free(bytes);
    cr_expect_eq(file_read_inside(folder, "inner/out", 10, &bytes, &size, &err), DSC_OK, "%s", err.text);
    mem_free(bytes);
    cr_expect_eq(file_read_inside(folder, "back/link", 10, &bytes, &size, &err), DSC_OK, "%s", err.text);
    mem_free(bytes);
    cr_expect_eq(file_read_inside(back, "link", 10, &bytes, &size, &err), DSC_OK, "%s", err.text);
    mem_free(bytes);
    static const char *const names[] = {"out", "../f"};
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(file_read_inside(inner, names[i], 10, &bytes, &size, &err), DSC_BAD_MODEL);
        cr_expect_not_null(strstr(err.text, "link out of the model's own folder"), "%s", err.text);
    }
    cr_expect_eq(file_read_inside(inner, "none", 10, &bytes, &size, &err), DSC_IO);
    cr_expect_eq(file_read_inside(folder, "inner", 10, &bytes, &size, &err), DSC_IO);
    unlink(link), unlink(out), unlink(back), rmdir(inner);
}
