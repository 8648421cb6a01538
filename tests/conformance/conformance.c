// SPDX-License-Identifier: Apache-2.0
// Runs the cases of ONNX's backend tests: conformance [-v] [--table] [--isa TIER] FOLDER
//
// Every folder inside FOLDER that has a model.onnx is a case (or FOLDER itself). A line for each case that fails, with
// -v also for each one that is refused; the last line is "N passed, N failed, N refused". Exit 1 if any failed, 2 for
// wrong usage or when there is no case at all.
#define _GNU_SOURCE
#include "tests/conformance/case.h"
#include "tests/conformance/table.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
    const char *folder;
    dsc_isa first, last;
    bool is_verbose, has_table;
} options;

static bool has_model(const char *folder) {
    char path[1024];
    int length = snprintf(path, sizeof path, "%s/model.onnx", folder);
    return length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0;
}

static void run_case(const options *o, const char *folder, uint32_t counts[3]) {
    char why[1024] = "";
    const char *slash = strrchr(folder, '/');
    case_result result = case_run(folder, o->first, o->last, why, sizeof why);
    counts[result]++;
    if (result == CASE_FAILED) printf("FAILED  %s: %s\n", slash ? slash + 1 : folder, why);
    if (result == CASE_REFUSED && o->is_verbose) printf("refused %s: %s\n", slash ? slash + 1 : folder, why);
    fflush(stdout); // a crash in the next case must not swallow the line
}

static bool run_folder(const options *o, uint32_t counts[3]) {
    struct dirent **list;
    int count = scandir(o->folder, &list, NULL, alphasort);
    if (count < 0) {
        perror(o->folder);
        return false;
    }
    for (int i = 0; i < count; i++) {
        char path[1024];
        int length = snprintf(path, sizeof path, "%s/%s", o->folder, list[i]->d_name);
        bool fits = length > 0 && (size_t)length < sizeof path;
        if (fits && list[i]->d_name[0] != '.' && has_model(path)) run_case(o, path, counts);
        free(list[i]);
    }
    free(list);
    return true;
}

static bool parse(int argc, char **argv, options *o) {
    dsc_error err = {0};
    *o = (options){.first = DSC_ISA_REF, .last = dsc_isa_best()};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            o->is_verbose = true;
        } else if (strcmp(argv[i], "--table") == 0) {
            o->has_table = true;
        } else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc) {
            if (dsc_isa_parse(argv[++i], &o->first, &err) != DSC_OK) {
                fprintf(stderr, "conformance: %s\n", err.text);
                return false;
            }
            o->last = o->first;
        } else if (argv[i][0] != '-' && !o->folder) {
            o->folder = argv[i];
        } else {
            return false;
        }
    }
    return o->folder != NULL;
}

int main(int argc, char **argv) {
    options o;
    uint32_t counts[3] = {0};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: conformance [-v] [--table] [--isa ref|avx2|avx512|best] FOLDER\n");
        return 2;
    }
    if (has_model(o.folder)) {
        run_case(&o, o.folder, counts);
    } else if (!run_folder(&o, counts)) {
        return 2;
    }
    if (o.has_table) table_print(); // the page docs/operators.md
    printf("%u passed, %u failed, %u refused\n", counts[CASE_PASSED], counts[CASE_FAILED], counts[CASE_REFUSED]);
    if (counts[CASE_FAILED]) return 1;
    return counts[CASE_PASSED] + counts[CASE_REFUSED] ? 0 : 2;
}
