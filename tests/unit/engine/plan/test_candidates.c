// SPDX-License-Identifier: Apache-2.0
// Whatever a plan chooses, its outputs have the same bits: every candidate of every choice is forced, over chains of
// convolutions of all kinds and sizes and over random networks, with one to three threads. Seeds make the same again.
#include "tests/support/onnx_writer.h"
#include "tests/support/random_graph.h"
#include "tests/support/sanitizer.h"
#include "tests/unit/engine/plan/candidates.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INPUT_FLOATS 300000
#define TOLERANCE    1e-5

// Zeros: without that part.
typedef struct chain_case {
    int n, c, h, w;
    int expand, expand_kernel, expand_stride;
    int kernel, stride, dilation, pad;
    int project;
    bool has_residual;
    const char *act;  // "" or what add_activation() knows
    bool relu_before; // a ReLU of its own that only the depthwise convolution reads
} chain_case;

static const char *const acts[] = {"", "Relu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "SiLU"};
#define ACTS (sizeof acts / sizeof *acts)

static char *describe(const chain_case *c, char *text, size_t size) {
    snprintf(text, size,
             "chain %dx%dx%dx%d, expand %d (%d, stride %d), %sdepthwise %d stride %d dilation %d pad %d, project %d%s, "
             "\"%s\"",
             c->n, c->c, c->h, c->w, c->expand, c->expand_kernel, c->expand_stride, c->relu_before ? "Relu, " : "",
             c->kernel, c->stride, c->dilation, c->pad, c->project, c->has_residual ? " + residual" : "", c->act);
    return text;
}

typedef struct chain_writer {
    onnx_writer *w;
    uint64_t state;
    int names;
    char last[16]; // the value that was made last
} chain_writer;

static void add_conv(chain_writer *m, int in_c, int out_c, int groups, int kernel) {
    char dims[64], weights[16], bias[16], inputs[64];
    int count = out_c * in_c / groups * kernel * kernel;
    float *data = malloc((size_t)(count + out_c) * sizeof *data);
    cr_assert_not_null(data);
    for (int i = 0; i < count + out_c; i++) {
        data[i] = random_graph_number(&m->state) * 1.7f / sqrtf((float)(count / out_c));
    }
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", out_c, in_c / groups, kernel, kernel);
    snprintf(weights, sizeof weights, "w%d", m->names);
    snprintf(bias, sizeof bias, "b%d", m->names);
    onnx_writer_floats(m->w, weights, dims, data);
    snprintf(dims, sizeof dims, "%d", out_c);
    onnx_writer_floats(m->w, bias, dims, data + count);
    snprintf(inputs, sizeof inputs, "%s,%s,%s", m->last, weights, bias);
    snprintf(m->last, sizeof m->last, "v%d", m->names++);
    onnx_writer_node(m->w, "Conv", m->last, inputs, m->last);
    onnx_writer_attr_int(m->w, "group", groups);
    free(data);
}

static void set_window(chain_writer *m, int pad, int stride, int dilation) {
    onnx_writer_attr_ints(m->w, "pads", 4, (const int64_t[]){pad, pad, pad, pad});
    onnx_writer_attr_ints(m->w, "strides", 2, (const int64_t[]){stride, stride});
    onnx_writer_attr_ints(m->w, "dilations", 2, (const int64_t[]){dilation, dilation});
}

static void add_activation(chain_writer *m, const char *act) {
    char inputs[64], made[16];
    if (!*act) return;
    bool is_silu = strcmp(act, "SiLU") == 0;
    snprintf(inputs, sizeof inputs, strcmp(act, "Clip") == 0 ? "%s,low,high" : "%s", m->last);
    snprintf(made, sizeof made, "v%d", m->names++);
    onnx_writer_node(m->w, is_silu ? "Sigmoid" : act, made, inputs, made);
    if (is_silu) {
        snprintf(inputs, sizeof inputs, "%s,%s", m->last, made);
        snprintf(made, sizeof made, "v%d", m->names++);
        onnx_writer_node(m->w, "Mul", made, inputs, made);
    }
    memcpy(m->last, made, sizeof made);
}

static dsc_model *load(onnx_writer *w, const char *what) {
    size_t size;
    dsc_model *model = NULL;
    dsc_error err = {DSC_OK, ""};
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    cr_assert_not_null(bytes);
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, &err), DSC_OK, "%s: %s", what, err.text);
    free(bytes);
    return model;
}

static dsc_model *make_chain(const chain_case *c, const char *what) {
    float low = -0.25f, high = 0.75f;
    char dims[64], inputs[64];
    chain_writer m = {.w = onnx_writer_create(17, 8, "chain"), .state = 7, .last = "x"};
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", c->n, c->c, c->h, c->w);
    onnx_writer_input(m.w, "x", ONNX_F32, dims);
    onnx_writer_floats(m.w, "low", "", &low);
    onnx_writer_floats(m.w, "high", "", &high);
    int channels = c->c;
    if (c->expand) {
        add_conv(&m, channels, c->expand, 1, c->expand_kernel);
        set_window(&m, c->expand_kernel / 2, c->expand_stride, 1);
        add_activation(&m, c->act);
        channels = c->expand;
    }
    if (c->relu_before) add_activation(&m, "Relu");
    add_conv(&m, channels, channels, channels, c->kernel);
    set_window(&m, c->pad, c->stride, c->dilation);
    add_activation(&m, c->act);
    if (c->project) add_conv(&m, channels, c->project, 1, 1);
    if (c->has_residual) {
        snprintf(inputs, sizeof inputs, "%s,x", m.last);
        onnx_writer_node(m.w, "Add", "sum", inputs, "sum");
        memcpy(m.last, "sum", sizeof "sum");
    }
    onnx_writer_output(m.w, m.last, ONNX_F32, NULL);
    return load(m.w, what);
}

static float *make_input(void) {
    float *input = malloc(INPUT_FLOATS * sizeof *input);
    uint64_t state = 11;
    cr_assert_not_null(input);
    for (int i = 0; i < INPUT_FLOATS; i++) input[i] = 2 * random_graph_number(&state);
    return input;
}

// The plan's own choice against the definition in doubles.
static void check_values(const dsc_model *model, dsc_weights *weights, const float *input, const char *what) {
    const void *inputs[8];
    for (int i = 0; i < 8; i++) inputs[i] = input;
    dsc_reference *reference = NULL;
    const double *wanted;
    dsc_plan *plan;
    dsc_session *session;
    cr_assert_eq(dsc_reference_run(model, NULL, 0, inputs, &reference, NULL), DSC_OK, "%s", what);
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, NULL, &plan, NULL), DSC_OK);
    cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
    dsc_tensor_info in = dsc_plan_input(plan, 0), out = dsc_plan_output(plan, 0);
    memcpy(dsc_session_input(session, 0), input, dsc_tensor_bytes(&in));
    cr_assert_eq(dsc_session_run(session, NULL, NULL, NULL), DSC_OK);
    dsc_reference_output(reference, 0, &wanted);
    const float *got = dsc_session_output(session, 0);
    size_t count = dsc_tensor_bytes(&out) / sizeof *got;
    double scale = 1;
    for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++) {
        cr_assert(fabs((double)got[i] - wanted[i]) <= TOLERANCE * scale, "%s: [%zu] is %.9g, not %.9g", what, i,
                  (double)got[i], wanted[i]);
    }
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_reference_free(reference);
}

static uint64_t try_model(dsc_model *model, const float *input, const char *what, bool has_values) {
    uint64_t plans = 0;
    for (dsc_isa isa = DSC_ISA_REF; isa <= dsc_isa_best(); isa++) {
        candidates_bench b = {.what = what, .inputs = input, .input_bytes = INPUT_FLOATS * sizeof *input};
        cr_assert_eq(dsc_weights_create(model, isa, &b.weights, NULL), DSC_OK);
        if (has_values) check_values(model, b.weights, input, what);
        candidates_compare_all(&b);
        dsc_weights_free(b.weights);
        plans += b.plans;
    }
    dsc_model_free(model);
    return plans;
}

static void try_chain(const chain_case *c, const float *input) {
    char what[256];
    describe(c, what, sizeof what);
    dsc_model *model = make_chain(c, what);
    dsc_tensor_info out = dsc_model_output(model, 0);
    bool is_one_pixel = out.dims[2] * out.dims[3] == 1; // then rows at a time are the whole map: no choice
    uint64_t plans = try_model(model, input, what, true);
    // The plan's own and two candidates at least where there is a chain, for each number of threads.
    if (((c->expand && !c->relu_before) || c->project) && !is_one_pixel)
        cr_assert_geq(plans, 3 * CANDIDATES_THREADS, "%s: only %d plans", what, (int)plans);
}

static const chain_case by_hand[] = {
    {1, 16, 56, 56, 96, 1, 1, 3, 2, 1, 1, 24, false, "Clip", false}, // as MobileNetV2 begins
    {1, 24, 28, 28, 144, 1, 1, 3, 1, 1, 1, 24, true, "Relu", false}, // with a residual
    {1, 24, 28, 28, 72, 1, 1, 5, 2, 1, 2, 40, false, "HardSwish", false},
    {1, 3, 33, 33, 32, 3, 2, 3, 1, 1, 1, 16, false, "Relu", false},      // a stem
    {2, 4, 19, 23, 80, 3, 2, 5, 2, 1, 2, 24, false, "SiLU", false},      // another, of more panels than go by at once
    {2, 17, 9, 13, 33, 1, 1, 3, 1, 1, 1, 17, true, "SiLU", false},       // a batch, odd everything
    {1, 16, 17, 17, 16, 1, 1, 3, 1, 2, 2, 48, false, "Sigmoid", false},  // dilation
    {1, 8, 17, 5, 0, 0, 0, 5, 1, 1, 2, 24, false, "HardSigmoid", false}, // no expansion
    {1, 20, 15, 15, 40, 1, 1, 3, 1, 1, 1, 0, false, "Relu", false},      // no projection
    {1, 16, 1, 1, 64, 1, 1, 3, 1, 1, 1, 16, true, "Relu", false},        // one pixel
    {1, 16, 1, 17, 64, 1, 1, 5, 2, 1, 2, 24, false, "", false},          // one row
    {1, 16, 17, 1, 64, 1, 1, 5, 2, 1, 2, 24, false, "", false},          // one column
    {1, 24, 12, 12, 72, 1, 1, 3, 1, 1, 0, 24, false, "Relu", false},     // no border
    {3, 16, 7, 7, 32, 1, 1, 3, 2, 1, 1, 32, false, "HardSwish", false},  // more images than threads share
    {1, 24, 19, 19, 0, 0, 0, 3, 1, 1, 1, 24, true, "", true},            // as Xception's blocks begin
    {2, 17, 9, 13, 0, 0, 0, 5, 2, 2, 4, 33, false, "Relu", true},        // odd everything
    {1, 16, 14, 14, 32, 1, 1, 3, 1, 1, 1, 16, true, "Clip", true},       // what is expanded is clipped first
    {1, 96, 7, 7, 320, 1, 1, 3, 1, 1, 1, 160, false, "Relu", false},     // few pixels, many channels: as networks end
    {2, 72, 7, 5, 264, 1, 1, 3, 1, 1, 1, 232, false, "Clip", false},     // the same, nothing even
};

Test(candidates, of_chains_made_by_hand_give_the_same_bits) {
    float *input = make_input();
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) try_chain(&by_hand[i], input);
    free(input);
}

static int pick(uint64_t *state, int low, int high) {
    float unit = (random_graph_number(state) + 1) / 2;
    int value = low + (int)(unit * (float)(high + 1 - low));
    return value > high ? high : value;
}

static chain_case random_chain(uint64_t seed) {
    static const int channels[] = {1, 3, 8, 15, 16, 17, 24, 31, 33, 40, 48, 56, 65};
    uint64_t s = seed;
    chain_case c = {.n = pick(&s, 0, 3) ? 1 : 2, .h = pick(&s, 1, 17), .w = pick(&s, 1, 17), .act = acts[seed % ACTS]};
    c.c = channels[pick(&s, 0, 12)];
    c.expand = pick(&s, 0, 3) ? channels[pick(&s, 2, 12)] : 0;
    c.expand_kernel = pick(&s, 0, 2) ? 1 : 3;
    c.expand_stride = pick(&s, 0, 3) ? 1 : 2;
    c.kernel = pick(&s, 0, 1) ? 3 : 5;
    c.stride = pick(&s, 1, 2);
    c.dilation = pick(&s, 0, 3) ? 1 : 2;
    c.project = pick(&s, 0, 3) ? channels[pick(&s, 2, 12)] : 0;
    c.pad = c.dilation * (c.kernel - 1) / 2;
    if (c.c == 1 && !c.expand) c.c = 16; // of one channel it would be no depthwise convolution
    bool keeps_size = c.stride == 1 && (!c.expand || c.expand_stride == 1);
    if (c.project && keeps_size && pick(&s, 0, 1)) c.project = c.c, c.has_residual = true;
    c.relu_before = pick(&s, 0, 2) == 0;
    return c;
}

static void try_random_chains(uint64_t first, uint64_t count) {
    float *input = make_input();
    for (uint64_t seed = first; seed < first + count; seed++) {
        chain_case c = random_chain(seed);
        try_chain(&c, input);
    }
    free(input);
}

Test(candidates, of_random_chains_give_the_same_bits) {
    try_random_chains(1, 70);
}

static void try_random_graphs(uint64_t first, uint64_t count) {
    char text[4000], what[4100];
    float *input = make_input();
    for (uint64_t seed = first; seed < first + count; seed++) {
        size_t size;
        dsc_model *model = NULL;
        uint8_t *bytes = random_graph_write(seed, &size, text, sizeof text);
        cr_assert_not_null(bytes);
        cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, NULL), DSC_OK);
        free(bytes);
        snprintf(what, sizeof what, "seed %llu\n%s", (unsigned long long)seed, text);
        try_model(model, input, what, false);
    }
    free(input);
}

Test(candidates, of_random_networks_give_the_same_bits) {
    try_random_graphs(1, 60);
}

// A single timing forces its candidate; others are then not known. What nobody offers is passed over.
Test(candidates, timings_decide) {
    dsc_model *model = make_chain(&by_hand[0], "forced");
    dsc_weights *weights;
    dsc_plan *plan, *other;
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, NULL, &plan, NULL), DSC_OK);
    cr_assert_geq(dsc_plan_choice_count(plan), 1);
    const dsc_choice *c = dsc_plan_choices(plan);
    cr_assert_not(c->is_measured);
    cr_assert(c->row == 0 && c->row_count == 4, "rows %u, %u", c->row, c->row_count); // the input is packed first
    for (uint32_t i = 0; i < c->candidate_count; i++) {
        cr_assert_gt(c->candidates[i].ns, 0);
        const dsc_timing timings[] = {
            {c->layer, c->candidates[i].label, 5}, {c->layer, "rows 12345", 1}, {"x", "y", 1}};
        dsc_plan_options options = {.passes = DSC_PASSES_ALL, .timings = timings, .timing_count = 3};
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &other, NULL), DSC_OK);
        const dsc_choice *made = dsc_plan_choices(other);
        cr_assert(made->is_measured && made->chosen == i && made->candidates[i].ns == 5);
        cr_assert(made->candidates[i ? 0 : 1].ns == 0);
        dsc_plan_free(other);
        options.timing_count = 0;
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &other, NULL), DSC_OK);
        cr_assert_eq(dsc_plan_choices(other)->chosen, c->chosen);
        dsc_plan_free(other);
    }
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

Test(candidates, a_relu_that_only_a_depthwise_convolution_reads_has_no_row) {
    const chain_case block = {1, 24, 19, 19, 0, 0, 0, 3, 1, 1, 1, 24, true, "", true};
    dsc_model *model = make_chain(&block, "block");
    dsc_weights *weights;
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    for (int without = 0; without < 2; without++) {
        dsc_plan *plan;
        dsc_plan_options options = {.passes = DSC_PASSES_ALL};
        cr_assert_eq(dsc_passes_parse(without ? "fuse-residual" : "all", &options.passes, NULL), DSC_OK);
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, NULL), DSC_OK);
        uint32_t activations = 0;
        for (uint32_t i = 0; i < dsc_plan_row_count(plan); i++) {
            activations += dsc_plan_rows(plan)[i].kind == DSC_KIND_ACTIVATION;
        }
        cr_assert_eq(activations, (uint32_t)without);
        dsc_plan_free(plan);
    }
    dsc_weights_free(weights);
    dsc_model_free(model);
}

// What is read through a ReLU is copied: chunks of rows stay small. No band is split into the same chunks twice.
Test(candidates, are_bounded_and_differ) {
    const chain_case alone = {1, 16, 147, 147, 0, 0, 0, 3, 1, 1, 1, 0, false, "", true};
    const chain_case banded = {1, 24, 14, 14, 72, 1, 1, 3, 1, 1, 1, 24, true, "Relu", false};
    dsc_model *models[] = {make_chain(&alone, "alone"), make_chain(&banded, "banded")};
    const char *const unwanted[] = {"chunks of 146", "rows 14"};
    for (int i = 0; i < 2; i++) {
        dsc_weights *weights;
        dsc_plan *plan;
        dsc_plan_options options = {.passes = DSC_PASSES_ALL, .threads = i ? 2 : 1};
        cr_assert_eq(dsc_weights_create(models[i], DSC_ISA_BEST, &weights, NULL), DSC_OK);
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, NULL), DSC_OK);
        cr_assert_geq(dsc_plan_choice_count(plan), 1);
        const dsc_choice *c = dsc_plan_choices(plan);
        cr_assert_geq(c->candidate_count, 2);
        for (uint32_t k = 0; k < c->candidate_count; k++) cr_assert_str_neq(c->candidates[k].label, unwanted[i]);
        dsc_plan_free(plan);
        dsc_weights_free(weights);
        dsc_model_free(models[i]);
    }
}

// Rows that run fused share their step; their times are shares of it and add up to the whole.
Test(candidates, rows_of_a_fused_step_add_up) {
    const chain_case big = {1, 32, 56, 56, 192, 1, 1, 3, 1, 1, 1, 32, true, "Relu", false};
    const dsc_run_options with_profile = {.profile = true};
    float *input = make_input();
    dsc_model *model = make_chain(&big, "fused");
    dsc_weights *weights;
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        dsc_plan *plan;
        dsc_session *session;
        dsc_pool *pool;
        dsc_plan_options options = {.passes = DSC_PASSES_ALL, .threads = threads};
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, NULL), DSC_OK);
        const dsc_timing rows_8 = {dsc_plan_choices(plan)->layer, "rows 8", 1};
        dsc_plan *whole = plan;
        options.timings = &rows_8;
        options.timing_count = 1;
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, NULL), DSC_OK);
        cr_assert_eq(dsc_session_create(plan, &session, NULL), DSC_OK);
        cr_assert_eq(dsc_pool_create(&(dsc_pool_options){.threads = threads}, &pool, NULL), DSC_OK);
        const dsc_choice *c = dsc_plan_choices(plan);
        const dsc_row *rows = dsc_plan_rows(plan) + c->row + 1; // the input is packed first
        cr_assert_eq(c->row_count, 4);
        cr_assert(rows[0].step == rows[1].step && rows[1].step == rows[2].step);
        cr_assert(rows[0].kind == DSC_KIND_POINTWISE && rows[1].kind == DSC_KIND_DEPTHWISE);
        double best = 1; // of some runs, as a run may be interrupted
        for (int i = 0; i < 20; i++) {
            uint64_t sum = 0;
            cr_assert_eq(dsc_session_run(session, pool, &with_profile, NULL), DSC_OK);
            dsc_profile p = dsc_session_profile(session);
            for (uint32_t r = 0; r < p.rows; r++) sum += p.row_ns[r];
            cr_assert_leq(sum, p.inference_ns);
            for (uint32_t r = 0; r < 4; r++) cr_assert_gt(p.row_ns[c->row + r], 0);
            best = fmin(best, 1.0 - (double)sum / (double)p.inference_ns);
        }
        cr_assert_lt(best, 0.02);
        dsc_session_free(session);
        dsc_plan_free(plan);
        dsc_plan_free(whole);
        dsc_pool_free(pool);
    }
    dsc_weights_free(weights);
    dsc_model_free(model);
    free(input);
}

static double thread_ns(void) {
    struct timespec t;
    cr_assert_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// The second against the first: least times of this thread, in turn.
static double slowdown(dsc_session *const sessions[2]) {
    double least[2] = {1e18, 1e18};
    for (int run = 0; run < 40; run++) {
        double start = thread_ns();
        cr_assert_eq(dsc_session_run(sessions[run % 2], NULL, NULL, NULL), DSC_OK);
        least[run % 2] = fmin(least[run % 2], thread_ns() - start);
    }
    return least[1] / least[0];
}

// Work cut for 16 threads, which one thread does alone here: each band of two rows wants six rows of the expansion, so
// "rows" computes that three times and is the wrong choice. This is arithmetic, whatever the machine's caches are like:
// 1.8 times as much.
Test(candidates, a_wrong_choice_is_slower) {
    static const char *const labels[] = {"separate", "rows 4"};
    const chain_case wide = {1, 64, 32, 32, 384, 1, 1, 5, 1, 1, 2, 64, false, "Relu", false};
    if (IS_SANITIZED) cr_skip_test("sanitizers change what takes time");
    dsc_model *model = make_chain(&wide, "wrong");
    dsc_weights *weights;
    dsc_plan *plans[2];
    dsc_session *sessions[2];
    cr_assert_eq(dsc_weights_create(model, DSC_ISA_BEST, &weights, NULL), DSC_OK);
    dsc_plan_options options = {.passes = DSC_PASSES_ALL, .threads = 16};
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plans[0], NULL), DSC_OK);
    char layer[64];
    snprintf(layer, sizeof layer, "%s", dsc_plan_choices(plans[0])->layer);
    dsc_plan_free(plans[0]);
    for (int i = 0; i < 2; i++) {
        const dsc_timing forced = {layer, labels[i], 1};
        options.timings = &forced;
        options.timing_count = 1;
        cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plans[i], NULL), DSC_OK);
        const dsc_choice *c = dsc_plan_choices(plans[i]);
        cr_assert_str_eq(c->candidates[c->chosen].label, labels[i]);
    }
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(dsc_session_create(plans[i], &sessions[i], NULL), DSC_OK);
        cr_assert_eq(dsc_session_run(sessions[i], NULL, NULL, NULL), DSC_OK); // touches all memory
    }
    double best = 0; // of some tries, as the machine may be busy with something else
    for (int i = 0; i < 5 && best < 1.2; i++) best = fmax(best, slowdown(sessions));
    cr_log_info("%.2f times as long", best);
    cr_assert_gt(best, 1.2, "\"%s\" took %.3f times as long", labels[1], best);
    for (int i = 0; i < 2; i++) {
        dsc_session_free(sessions[i]);
        dsc_plan_free(plans[i]);
    }
    dsc_weights_free(weights);
    dsc_model_free(model);
}
