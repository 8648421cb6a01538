// SPDX-License-Identifier: Apache-2.0
// From a JPEG to a tensor, one thread, best and median of many. The JPEGs are made here: octaves of noise over a
// gradient, so that they are about as large as photos of their size are.
//   bench_image [--rounds N] [--preprocess NAME] [FILE.jpg ...]
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "server/image/decode.h"
#include "server/image/preprocess.h"
#include "tests/unit/server/image/jpeg_recipe.h"

#define SIDE       224
#define ROUNDS_MAX 1000

typedef struct file {
    const char *name;
    uint8_t *bytes;
    size_t size;
} file;

static uint64_t now_ns(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static file make_jpeg(const char *name, uint32_t width, uint32_t height, bool progressive) {
    const jpeg_recipe r = {.width = width,
                           .height = height,
                           .color = JCS_RGB,
                           .progressive = progressive,
                           .quality = 85,
                           .sample = jpeg_recipe_noise};
    file f = {.name = name};
    f.bytes = jpeg_recipe_make(&r, &f.size);
    if (!f.bytes) exit(1);
    return f;
}

static file read_file(const char *path) {
    file f = {path, NULL, 0};
    FILE *in = fopen(path, "rbe");
    if (!in || fseek(in, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    f.size = (size_t)ftell(in);
    rewind(in);
    f.bytes = malloc(f.size);
    if (!f.bytes || fread(f.bytes, 1, f.size, in) != f.size) exit(1);
    (void)fclose(in);
    return f;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void bench(const file *f, const char *preprocess, int rounds) {
    static float tensor[3 * SIDE * SIDE];
    static double total[ROUNDS_MAX], resize[ROUNDS_MAX];
    dsc_preprocess p;
    fault problem = {0};
    body_kind kind = BODY_JPEG;
    decode_stats stats = {0};
    if (!preprocess_from_name(preprocess, &p, &problem) || !body_signature(f->bytes, f->size, &kind)) exit(1);
    const decode_source source = {kind, f->bytes, f->size, NULL};
    const dsc_image_target target = {
        .width = SIDE, .height = SIDE, .channels = 3, .layout = DSC_LAYOUT_NCHW, .data = tensor};
    for (int i = 0; i < rounds; i++) {
        uint64_t start = now_ns();
        if (!decode_image(&source, &p, &target, &stats, &problem)) {
            fprintf(stderr, "%s: %s\n", f->name, problem.text);
            exit(1);
        }
        total[i] = (double)(now_ns() - start) / 1e6;
        resize[i] = (double)stats.preprocess_ns / 1e6;
    }
    qsort(total, (size_t)rounds, sizeof total[0], compare);
    qsort(resize, (size_t)rounds, sizeof resize[0], compare);
    printf("%-24s %5u x %-5u %8zu bytes  %-22s min %7.3f ms  median %7.3f  of that resize %7.3f  shrink %u\n", f->name,
           stats.width, stats.height, f->size, preprocess, total[0], total[rounds / 2], resize[rounds / 2],
           stats.shrink);
}

int main(int argc, char **argv) {
    const char *preprocess = NULL;
    int rounds = 0;
    file files[16];
    int count = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = atoi(argv[++i]);
        else if (strcmp(argv[i], "--preprocess") == 0 && i + 1 < argc)
            preprocess = argv[++i];
        else if (count < 16)
            files[count++] = read_file(argv[i]);
    }
    if (count == 0) {
        files[count++] = make_jpeg("640x480", 640, 480, false);
        files[count++] = make_jpeg("12 megapixels", 4000, 3000, false);
        files[count++] = make_jpeg("2 megapixels", 1600, 1200, false);
        files[count++] = make_jpeg("640x480 progressive", 640, 480, true);
    }
    static const char *const names[] = {"tf-slim", "torchvision-imagenet", "pixels-0-1"};
    for (int i = 0; i < count; i++) {
        int wanted = rounds > 0 && rounds <= ROUNDS_MAX ? rounds : files[i].size > 1000000 ? 20 : 200;
        for (int k = 0; k < 3; k++) {
            if (!preprocess || strcmp(preprocess, names[k]) == 0) bench(&files[i], names[k], wanted);
        }
        free(files[i].bytes);
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) printf("most memory %ld KB\n", usage.ru_maxrss);
    return 0;
}
