// SPDX-License-Identifier: Apache-2.0
//
// How much work importing and planning are, for graphs of four times the nodes: steps are counted, not time. The engine
// that this program is linked with calls __sanitizer_cov_trace_pc() at every basic block; blocks of memory that are
// cleared or copied count by their size. What is linear takes four times the steps, what is quadratic sixteen times.
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 5000, MANY = 20000 };
#define MOST_TIMES 5.0

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) {
    steps++;
}

// Linked in place of these, by --wrap.
void *__real_memset(void *to, int byte, size_t size);
void *__wrap_memset(void *to, int byte, size_t size);
void *__wrap_memset(void *to, int byte, size_t size) {
    steps += size / 64;
    return __real_memset(to, byte, size);
}
void *__real_memcpy(void *to, const void *from, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size) {
    steps += size / 64;
    return __real_memcpy(to, from, size);
}

// ---- graphs of about `count` nodes ------------------------------------------------------------------------------

static void name(char text[24], const char *prefix, int i) {
    (void)snprintf(text, 24, "%s%d", prefix, i);
}

static void one_node(onnx_writer *w, const char *op, const char *in, const char *more, const char *out) {
    char inputs[128];
    (void)snprintf(inputs, sizeof inputs, "%s%s%s", in, *more ? "," : "", more);
    onnx_writer_node(w, op, NULL, inputs, out);
}

static void add_channel_constants(onnx_writer *w) {
    static const float half[2] = {0.5f, 0.5f}, one[4] = {1, 0, 0, 1};
    onnx_writer_floats(w, "half", "2", half);
    onnx_writer_floats(w, "taps", "2,1,1,1", half);
    onnx_writer_floats(w, "points", "2,2,1,1", one);
}

// Depthwise, pointwise, batch norm, activation, identity, addition: what every pass looks for, over and over.
static void chain(onnx_writer *w, int count) {
    char last[24] = "x", next[24];
    add_channel_constants(w);
    onnx_writer_input(w, "x", ONNX_F32, "1,2,4,4");
    for (int i = 0; i < count; i++) {
        name(next, "v", i);
        switch (i % 6) {
            case 0:
                one_node(w, "Conv", last, "taps", next);
                onnx_writer_attr_int(w, "group", 2);
                break;
            case 1: one_node(w, "Conv", last, "points", next); break;
            case 2: one_node(w, "BatchNormalization", last, "half,half,half,half", next); break;
            case 3: one_node(w, "Relu", last, "", next); break;
            case 4: one_node(w, "Identity", last, "", next); break;
            default: one_node(w, "Add", last, last, next); break;
        }
        memcpy(last, next, sizeof last);
    }
    onnx_writer_output(w, last, ONNX_F32, "1,2,4,4");
}

// One value that half of the nodes read, and a sum of all that these make: everything lives at once.
static void fan_out(onnx_writer *w, int count) {
    char out[24], last[24], next[24];
    onnx_writer_input(w, "x", ONNX_F32, "1,2,2,2");
    for (int i = 0; i < count / 2; i++) {
        name(out, "branch", i);
        one_node(w, i % 2 ? "Sigmoid" : "Abs", "x", "", out);
    }
    memcpy(last, "branch0", 8);
    for (int i = 1; i < count / 2; i++) {
        name(out, "branch", i);
        name(next, "sum", i);
        one_node(w, "Add", last, out, next);
        memcpy(last, next, sizeof last);
    }
    onnx_writer_output(w, last, ONNX_F32, "1,2,2,2");
}

// The same value again and again: nodes of 100 inputs.
static void fan_in(onnx_writer *w, int count) {
    char inputs[1024] = "x", out[24] = "x";
    for (int k = 1; k < 100; k++) memcpy(inputs + strlen(inputs), ",x", 3);
    onnx_writer_input(w, "x", ONNX_F32, "1");
    for (int i = 0; i < count / 50; i++) {
        name(out, "most", i);
        onnx_writer_node(w, "Max", NULL, inputs, out);
        onnx_writer_output(w, out, ONNX_F32, "1");
    }
}

// Convolutions of constants, which the pass folds, and chains of shapes, which are folded while shapes are inferred.
static void constants(onnx_writer *w, int count) {
    static const float map[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const int64_t first = 0;
    char last[24] = "map", next[24], size[24];
    add_channel_constants(w);
    onnx_writer_floats(w, "map", "1,2,2,2", map);
    onnx_writer_ints(w, "first", "1", &first);
    onnx_writer_input(w, "x", ONNX_F32, "1,2,2,2");
    for (int i = 0; i < count / 3; i++) {
        name(next, "folded", i);
        one_node(w, "Conv", last, "points", next);
        name(size, "size", i);
        one_node(w, "Shape", "x", "", size);
        name(last, "part", i);
        one_node(w, "Gather", size, "first", last);
        memcpy(last, next, sizeof last);
    }
    one_node(w, "Add", "x", last, "y");
    onnx_writer_output(w, "y", ONNX_F32, "1,2,2,2");
}

// As many inputs and outputs as nodes; the targets of the Reshapes come with the requests.
static void inputs(onnx_writer *w, int count) {
    char in[24], out[24];
    for (int i = 0; i < count; i++) {
        name(in, "in", i);
        name(out, "out", i);
        onnx_writer_input(w, in, ONNX_F32, "1,4");
        one_node(w, "Neg", in, "", out);
        onnx_writer_output(w, out, ONNX_F32, "1,4");
    }
}

// ---- measuring ----------------------------------------------------------------------------------------------------

typedef struct shape {
    const char *name;
    void (*write)(onnx_writer *w, int count);
} shape;

static const shape shapes[] = {
    {"chain", chain}, {"fan-out", fan_out}, {"fan-in", fan_in}, {"constants", constants}, {"inputs", inputs}};

enum { STAGES_MAX = 40 };

typedef struct work {
    int count;
    char names[STAGES_MAX][32];
    uint64_t steps[STAGES_MAX];
} work;

static void note(work *w, const char *stage, uint64_t before) {
    (void)snprintf(w->names[w->count], sizeof w->names[0], "%s", stage);
    w->steps[w->count++] = steps - before;
}

static void fail(const char *what, const dsc_error *err) {
    printf("%s: %s\n0 passed, 1 failed\n", what, err->text);
    exit(EXIT_FAILURE);
}

static void plan(work *out, dsc_weights *weights, const char *stage, uint32_t passes) {
    dsc_plan *made;
    dsc_error err = {DSC_OK, ""};
    const dsc_plan_options options = {.passes = passes, .threads = 2};
    uint64_t before = steps;
    if (dsc_plan_create(weights, NULL, 0, &options, &made, &err) != DSC_OK) fail(stage, &err);
    note(out, stage, before);
    dsc_plan_free(made);
}

static void measure(const shape *s, int count, work *out) {
    size_t size;
    dsc_error err = {DSC_OK, ""};
    dsc_model *model;
    dsc_weights *weights;
    onnx_writer *w = onnx_writer_create(13, 8, s->name);
    s->write(w, count);
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    uint64_t before = steps;
    if (dsc_model_load_memory(bytes, size, NULL, &model, &err) != DSC_OK) fail("load", &err);
    note(out, "load", before);
    free(bytes);
    if (dsc_weights_create(model, DSC_ISA_REF, &weights, &err) != DSC_OK) fail("weights", &err);
    plan(out, weights, "plan, no passes", 0);
    for (uint32_t i = 0; i < dsc_pass_count(); i++) plan(out, weights, dsc_pass_name(i), 1u << i);
    plan(out, weights, "plan, all passes", DSC_PASSES_ALL);
    char digest[DSC_DIGEST_LENGTH];
    before = steps;
    if (dsc_model_digest(model, digest, &err) != DSC_OK) fail("digest", &err);
    note(out, "digest", before);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

int main(void) {
    int passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        static work few, many;
        few.count = many.count = 0;
        measure(&shapes[i], FEW, &few);
        measure(&shapes[i], MANY, &many);
        for (int k = 0; k < few.count; k++) {
            double times = (double)many.steps[k] / (double)few.steps[k];
            bool is_fine = times < MOST_TIMES && few.steps[k] > 0;
            printf("%-10s %-18s %12llu %12llu  %5.2f times%s\n", shapes[i].name, few.names[k],
                   (unsigned long long)few.steps[k], (unsigned long long)many.steps[k], times,
                   is_fine ? "" : "  <- more than linear");
            passed += is_fine;
            failed += !is_fine;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
