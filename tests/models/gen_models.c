// SPDX-License-Identifier: Apache-2.0
//
// gen_models: writes full-size networks with seeded weights, so that tests and benchmarks need no download.
#include "tests/models/net.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const net_settings networks[] = {
    {"mobilenet_v1", "mobilenet_1.00_224", build_mobilenet_v1, NET_KERAS, 13, 224, 128, 1e-3f, 0.99f},
    {"mobilenet_v2", NULL, build_mobilenet_v2, NET_TORCH, 13, 224, 128, 1e-5f, 0.9f},
    {"mobilenet_v3_large", NULL, build_mobilenet_v3_large, NET_TORCH, 14, 224, 128, 1e-3f, 0.99f},
    {"mobilenet_v3_small", NULL, build_mobilenet_v3_small, NET_TORCH, 13, 224, 128, 1e-3f, 0.99f},
    {"mnasnet1_0", NULL, build_mnasnet1_0, NET_TORCH, 13, 224, 128, 1e-5f, 0.9997f},
    {"efficientnet_b0", NULL, build_efficientnet_b0, NET_TORCH, 13, 224, 128, 1e-5f, 0.9f},
    {"xception", "xception", build_xception, NET_KERAS, 13, 299, 139, 1e-3f, 0.99f},
    {"two_towers", NULL, build_two_towers, NET_TORCH, 13, 32, 32, 1e-5f, 0.9f},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

static const char usage[] =
    "usage: gen_models [--dynamic-batch] [--folded] [--seed N] OUTDIR [NAME...]\n"
    "                                      write OUTDIR/NAME.onnx (all without a NAME); --folded: batch norms\n"
    "                                      folded into the convolutions, opset 10 instead of 13\n"
    "       gen_models --counts [NAME...]  only count multiplications and parameters\n"
    "       gen_models --check-writer      test the ONNX writer on a small model\n";

typedef struct arguments {
    net_options options;
    bool check_writer;
    const char *folder;
    char **names; // none: all
    int count;
} arguments;

static bool parse_seed(const char *text, uint64_t *seed) {
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9') return false;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse(int argc, char **argv, arguments *a) {
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--counts") == 0) {
            a->options.counts_only = true;
        } else if (strcmp(argv[at], "--dynamic-batch") == 0) {
            a->options.dynamic_batch = true;
        } else if (strcmp(argv[at], "--folded") == 0) {
            a->options.folded = true;
        } else if (strcmp(argv[at], "--check-writer") == 0) {
            a->check_writer = true;
        } else if (strcmp(argv[at], "--seed") == 0 && at + 1 < argc) {
            if (!parse_seed(argv[++at], &a->options.seed)) return false;
        } else {
            return false;
        }
    }
    if (!a->options.counts_only && !a->check_writer) {
        if (at == argc) return false;
        a->folder = argv[at++];
    }
    a->names = argv + at;
    a->count = argc - at;
    return true;
}

static bool is_wanted(const arguments *a, const char *name) {
    bool found = a->count == 0;
    for (int i = 0; i < a->count; i++) found = found || strcmp(a->names[i], name) == 0;
    return found;
}

// Names the first NAME that is no network; NULL if all are.
static const char *unknown_name(const arguments *a) {
    for (int i = 0; i < a->count; i++) {
        bool known = false;
        for (int k = 0; k < NETWORKS; k++) known = known || strcmp(a->names[i], networks[k].name) == 0;
        if (!known) return a->names[i];
    }
    return NULL;
}

static void print_counts(const char *name, const net_counts *c) {
    printf("%-18s multiplications %" PRId64 " (depthwise %" PRId64 ", pointwise %" PRId64 ", convolution %" PRId64
           ", dense %" PRId64 "), vanilla %" PRId64 ", ratio %.4f; parameters %" PRId64 " trainable, %" PRId64
           " stored; nodes %d\n",
           name, c->total, c->depthwise, c->pointwise, c->convolution, c->dense, c->vanilla,
           (double)c->total / (double)c->vanilla, c->trainable, c->stored, c->nodes);
    fflush(stdout);
}

// Under another name first: whoever finds the file finds all of it.
static bool save(net *n, const char *folder, const char *name) {
    char path[4096], part[sizeof path + 8];
    int length = snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(part, sizeof part, "%s.part", path);
    if (net_save(n, part) && rename(part, path) == 0) return true;
    int reason = errno;
    remove(part);
    errno = reason;
    return false;
}

static bool write_network(const arguments *a, const net_settings *settings) {
    net *n = net_create(settings, a->options);
    bool saved = a->options.counts_only || save(n, a->folder, settings->name);
    if (!saved) fprintf(stderr, "gen_models: %s/%s.onnx: %s\n", a->folder, settings->name, strerror(errno));
    print_counts(settings->name, net_count(n));
    net_free(n);
    return saved;
}

int main(int argc, char **argv) {
    arguments a = {.options.seed = 2017};
    if (!parse(argc, argv, &a)) {
        fputs(usage, stderr);
        return 2;
    }
    if (a.check_writer) return check_writer() ? EXIT_SUCCESS : EXIT_FAILURE;
    const char *unknown = unknown_name(&a);
    if (unknown != NULL) {
        fprintf(stderr, "gen_models: there is no network called %s\n", unknown);
        return 2;
    }
    printf("seed %" PRIu64 "\n", a.options.seed);
    for (int i = 0; i < NETWORKS; i++)
        if (is_wanted(&a, networks[i].name) && !write_network(&a, &networks[i])) return EXIT_FAILURE;
    return EXIT_SUCCESS;
}
