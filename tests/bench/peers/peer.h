// SPDX-License-Identifier: Apache-2.0
// What every program that times an engine does, in C and C++. It is started as
//
//   PROGRAM MODEL.onnx THREADS INPUT OUTPUT       INPUT: raw floats, the whole of the model's only input
//
// computes once, writes the first output to OUTPUT as raw floats, and says "ready MULTIPLICATIONS VERSION" (0 where it
// does not know). Then it answers every line "MILLISECONDS" with "MIN_NS MEDIAN_NS MEAN_NS RUNS PEAK" after
// running for so long: PEAK is what it measured of fused multiply-adds, in GFLOP/s of one thread, or 0. It ends with
// its input.
#ifndef DSC_TESTS_PEER_H
#define DSC_TESTS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PEER_RUNS_MIN = 3, PEER_RUNS_MAX = 100000 };

typedef struct peer {
    bool (*run)(void *context);
    void *context;
    double (*peak)(void *context); // or NULL
} peer;

// A program for benches: it says what is wrong and ends.
static inline void peer_fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

// The file's floats, malloc'ed; their number in *count.
static inline float *peer_read(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) peer_fail(path, "cannot be read");
    long bytes = ftell(file);
    if (bytes <= 0 || bytes % 4 != 0 || fseek(file, 0, SEEK_SET) != 0) peer_fail(path, "does not hold floats");
    float *data = (float *)malloc((size_t)bytes);
    if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes) peer_fail(path, "cannot be read whole");
    fclose(file);
    *count = (size_t)bytes / 4;
    return data;
}

static inline void peer_write(const char *path, const float *data, size_t count) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 4, count, file) != count || fclose(file) != 0) peer_fail(path, "cannot be written");
}

static inline uint64_t peer_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int peer_by_value(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static inline double peer_peak(const peer *p) {
    return p->peak ? p->peak(p->context) : 0;
}

static inline void peer_turn(const peer *p, uint64_t *times, uint64_t for_ns) {
    double before = peer_peak(p);
    if (!p->run(p->context)) peer_fail("run", "failed"); // wakes caches and threads, does not count
    uint64_t end = peer_now_ns() + for_ns;
    uint64_t sum = 0;
    size_t runs = 0;
    while (runs < PEER_RUNS_MAX && (runs < PEER_RUNS_MIN || peer_now_ns() < end)) {
        uint64_t start = peer_now_ns();
        if (!p->run(p->context)) peer_fail("run", "failed");
        sum += times[runs++] = peer_now_ns() - start;
    }
    double after = peer_peak(p);
    qsort(times, runs, sizeof *times, peer_by_value);
    printf("%llu %llu %llu %zu %.3f\n", (unsigned long long)times[0], (unsigned long long)times[runs / 2],
           (unsigned long long)(sum / runs), runs, before > after ? before : after);
    fflush(stdout);
}

// Until standard input ends; returns what main returns.
static inline int peer_serve(const peer *p, double multiplications, const char *version) {
    uint64_t *times = (uint64_t *)malloc(PEER_RUNS_MAX * sizeof *times);
    unsigned long long ms;
    if (!times) peer_fail("memory", "is out");
    printf("ready %.0f %s\n", multiplications, version);
    fflush(stdout);
    while (scanf("%llu", &ms) == 1) peer_turn(p, times, ms * 1000000u);
    free(times);
    return EXIT_SUCCESS;
}

#endif
