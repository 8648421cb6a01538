// SPDX-License-Identifier: Apache-2.0
//
// dscd: one program, a verb for each thing that it does.
#include "engine/dsc.h"
#include "server/base/build_info.h"
#include "server/base/json_file.h"
#include "server/cli/cli.h"
#include "server/http/coding.h"
#include "server/http/http.h"
#include "server/image/decode.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} verbs[] = {
#define VERB(name, summary) {#name, summary, cli_##name},
#include "server/cli/verb_list.inc"
#undef VERB
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void print_help(void) {
    puts("usage: dscd VERB [arguments]\n"
         "       dscd --version | --help\n");
    for (size_t i = 0; i < VERB_COUNT; i++) printf("  %-12s %s\n", verbs[i].name, verbs[i].summary);
    puts("\nEvery verb has --help. Exit status: 0, or 1 on failure, or 2 where the command line is wrong.");
}

static void print_version(void) {
    printf("dscd %s (commit %s, %s)\n", DSC_VERSION, build_commit(), build_compiler());
    printf("libraries: libmicrohttpd %s, cJSON %s, %s, %s, %s, %s, %s\n", http_library_version(), cJSON_Version(),
           decode_jpeg_library(), decode_png_library(), decode_webp_library(), coding_library(), dsc_libraries());
    printf("instruction sets: ref");
    for (int isa = DSC_ISA_REF + 1; isa <= (int)dsc_isa_best(); isa++) printf(" %s", dsc_isa_name((dsc_isa)isa));
    puts("");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fputs("dscd: say what to do, such as \"dscd serve\"; dscd --help lists the verbs\n", stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return CLI_OK;
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0) continue;
        char name[32]; // for what getopt says
        (void)snprintf(name, sizeof name, "dscd %s", verbs[i].name);
        argv[1] = name;
        return verbs[i].run(argc - 2, argv + 2);
    }
    fprintf(stderr, "dscd: there is no verb \"%.100s\"; dscd --help lists them\n", argv[1]);
    return CLI_USAGE;
}
