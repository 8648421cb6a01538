// SPDX-License-Identifier: Apache-2.0
// Pointwise convolutions by Strassen's algorithm: only where it is asked for and pays, near the values of the
// definition, with the same bits whatever the threads, the tiles and the batch, and with multiplications that are
// really made.
#include "engine/base/mem.h"
#include "engine/dsc.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/random_graph.h"
#include "tests/unit/engine/plan/candidates.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer {
    uint32_t n, in_c, h, w, out_c, stride;
    bool has_residual, has_depthwise; // the depthwise convolution before it would make a chain
    const char *act;                  // "" or an operator
    bool has_reader;                  // a depthwise convolution reads the map: it has a border
    float second_half; // factor of its biases, and of the weights of the second half of output channels; 0: 1
} layer;

// The fastest tier that has the algorithm: sums of the tiers fip and amx are made otherwise.
static dsc_isa strassen_isa(void) {
    return dsc_isa_best() > DSC_ISA_AVX512 ? DSC_ISA_AVX512 : dsc_isa_best();
}

static float *random_floats(size_t count, uint64_t seed, float scale) {
    float *made = malloc(count * sizeof *made);
    cr_assert_not_null(made);
    for (size_t i = 0; i < count; i++) made[i] = scale * random_graph_number(&seed);
    return made;
}

static void add_constant(onnx_writer *w, const char *name, const char *dims, size_t count, uint64_t seed, float scale) {
    float *data = random_floats(count, seed, scale);
    onnx_writer_floats(w, name, dims, data);
    free(data);
}

static dsc_model *make_model(const layer *l) {
    char dims[64];
    size_t size;
    dsc_model *model;
    dsc_error err;
    onnx_writer *w = onnx_writer_create(14, 8, "pointwise");
    snprintf(dims, sizeof dims, "%u,%u,%u,%u", l->n, l->in_c, l->h, l->w);
    onnx_writer_input(w, "x", ONNX_F32, dims);
    if (l->has_depthwise) {
        snprintf(dims, sizeof dims, "%u,1,3,3", l->in_c);
        add_constant(w, "dw", dims, (size_t)l->in_c * 9, 5, 0.5f);
        onnx_writer_node(w, "Conv", "depthwise", "x,dw", "d");
        onnx_writer_attr_int(w, "group", (int64_t)l->in_c);
        onnx_writer_attr_ints(w, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    }
    snprintf(dims, sizeof dims, "%u,%u,1,1", l->out_c, l->in_c);
    size_t count = (size_t)l->in_c * l->out_c;
    float *weights = random_floats(count, 3, 1.7f / sqrtf((float)l->in_c));
    for (size_t i = count / 2; i < count && l->second_half > 0; i++) weights[i] *= l->second_half;
    onnx_writer_floats(w, "w", dims, weights);
    free(weights);
    snprintf(dims, sizeof dims, "%u", l->out_c);
    add_constant(w, "b", dims, l->out_c, 4, l->second_half > 0 ? l->second_half : 1);
    onnx_writer_node(w, "Conv", "pointwise", l->has_depthwise ? "d,w,b" : "x,w,b", "c");
    onnx_writer_attr_ints(w, "strides", 2, (const int64_t[]){l->stride, l->stride});
    if (l->has_residual) onnx_writer_node(w, "Add", "add", "c,x", "s");
    const char *last = l->has_residual ? "s" : "c";
    if (*l->act) onnx_writer_node(w, l->act, "act", last, "y");
    if (*l->act) last = "y";
    if (l->has_reader) {
        snprintf(dims, sizeof dims, "%u,1,3,3", l->out_c);
        add_constant(w, "rw", dims, (size_t)l->out_c * 9, 6, 0.5f);
        snprintf(dims, sizeof dims, "%s,rw", last);
        onnx_writer_node(w, "Conv", "reader", dims, "r");
        onnx_writer_attr_int(w, "group", (int64_t)l->out_c);
        onnx_writer_attr_ints(w, "pads", 4, (const int64_t[]){1, 1, 1, 1});
        last = "r";
    }
    onnx_writer_output(w, last, ONNX_F32, NULL);
    uint8_t *bytes = onnx_writer_finish(w, &size);
    onnx_writer_free(w);
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    return model;
}

static uint32_t passes_of(const char *list) {
    uint32_t mask;
    dsc_error err;
    cr_assert_eq(dsc_passes_parse(list, &mask, &err), DSC_OK, "%s", err.text);
    return mask;
}

static dsc_plan *make_plan(dsc_weights *weights, const char *passes) {
    dsc_plan *plan;
    dsc_error err;
    const dsc_plan_options options = {.passes = passes_of(passes)};
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, &options, &plan, &err), DSC_OK, "%s", err.text);
    return plan;
}

// The row of the pointwise convolution.
static const dsc_row *row_of(const dsc_plan *plan) {
    const dsc_row *rows = dsc_plan_rows(plan);
    for (uint32_t i = 0; i < dsc_plan_row_count(plan); i++) {
        if (strcmp(rows[i].name, "pointwise") == 0) return &rows[i];
    }
    return NULL;
}

static bool is_strassen(const dsc_plan *plan) {
    const dsc_row *row = row_of(plan);
    return row && strncmp(row->kernel, "strassen_", 9) == 0;
}

static float *run(dsc_plan *plan, const float *input) {
    dsc_session *session;
    dsc_error err;
    cr_assert_eq(dsc_session_create(plan, &session, &err), DSC_OK);
    dsc_tensor_info in = dsc_plan_input(plan, 0), out = dsc_plan_output(plan, 0);
    memcpy(dsc_session_input(session, 0), input, dsc_tensor_bytes(&in));
    cr_assert_eq(dsc_session_run(session, NULL, NULL, &err), DSC_OK, "%s", err.text);
    float *copy = malloc(dsc_tensor_bytes(&out));
    memcpy(copy, dsc_session_output(session, 0), dsc_tensor_bytes(&out));
    dsc_session_free(session);
    return copy;
}

typedef struct errors {
    double root_mean_square, largest; // in parts of the outputs' root of the mean square
} errors;

static errors compare(const float *got, const double *wanted, size_t count) {
    double squares = 0, all = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double error = (double)got[i] - wanted[i];
        squares += error * error;
        all += wanted[i] * wanted[i];
        if (!(fabs(error) <= largest)) largest = fabs(error); // a NaN, too
    }
    double size = sqrt(all / (double)count);
    return (errors){sqrt(squares / (double)count) / size, largest / size};
}

static errors errors_of(const dsc_model *model, dsc_plan *plan, const float *input) {
    dsc_reference *reference;
    const double *wanted;
    const void *inputs[] = {input};
    cr_assert_eq(dsc_reference_run(model, NULL, 0, inputs, &reference, NULL), DSC_OK);
    dsc_reference_output(reference, 0, &wanted);
    dsc_tensor_info out = dsc_plan_output(plan, 0);
    float *got = run(plan, input);
    errors e = compare(got, wanted, dsc_tensor_bytes(&out) / sizeof *got);
    free(got);
    dsc_reference_free(reference);
    return e;
}

static const layer layers[] = {
    {1, 512, 6, 6, 512, 1, false, false, "", false, 0},          {1, 512, 5, 7, 512, 1, true, false, "Relu", false, 0},
    {1, 520, 7, 7, 536, 1, false, false, "HardSwish", false, 0}, {1, 536, 13, 11, 520, 2, false, false, "", false, 0},
    {2, 528, 6, 6, 512, 1, false, false, "Sigmoid", false, 0},   {1, 728, 8, 9, 728, 1, true, true, "Relu", false, 0},
    {1, 512, 3, 11, 1000, 1, false, true, "Relu", false, 0},     {3, 600, 1, 33, 600, 1, true, false, "", false, 0},
    {2, 520, 5, 9, 536, 1, false, true, "Relu", true, 0},
};

Test(strassen_plan, gives_the_values_and_the_same_bits_for_every_candidate, .timeout = 120) {
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const layer *l = &layers[i];
        dsc_model *model = make_model(l);
        size_t count = (size_t)l->n * l->in_c * l->h * l->w;
        float *input = random_floats(count, 11 + i, 1);
        for (dsc_isa isa = DSC_ISA_REF; isa <= dsc_isa_best(); isa++) {
            candidates_bench b = {.what = "strassen",
                                  .inputs = input,
                                  .input_bytes = count * sizeof *input,
                                  .passes = passes_of("all,strassen")};
            cr_assert_eq(dsc_weights_create(model, isa, &b.weights, NULL), DSC_OK);
            dsc_plan *plan = make_plan(b.weights, "all,strassen");
            cr_expect_eq(is_strassen(plan), isa <= DSC_ISA_AVX512, "layer %zu, %s", i, dsc_isa_name(isa));
            errors e = errors_of(model, plan, input);
            cr_expect(e.largest < 1e-5, "layer %zu, %s: %g", i, dsc_isa_name(isa), e.largest);
            dsc_plan_free(plan);
            candidates_compare_all(&b);
            dsc_weights_free(b.weights);
        }
        free(input);
        dsc_model_free(model);
    }
}

Test(strassen_plan, is_an_option_for_large_pointwise_layers) {
    static const layer others[] = {
        {1, 504, 8, 8, 512, 1, false, false, "", false, 0}, // few input channels
        {1, 512, 8, 8, 504, 1, false, false, "", false, 0}, // few output channels
        {1, 516, 8, 8, 512, 1, false, false, "", false, 0}, // no multiple of 8
        {1, 512, 4, 7, 512, 1, false, false, "", false, 0}, // few rows
    };
    for (size_t i = 0; i <= sizeof others / sizeof *others; i++) {
        dsc_model *model = make_model(i ? &others[i - 1] : &layers[0]);
        dsc_weights *weights;
        cr_assert_eq(dsc_weights_create(model, DSC_ISA_REF, &weights, NULL), DSC_OK);
        for (int asked = 0; asked < 2; asked++) {
            dsc_plan *plan = make_plan(weights, asked ? "strassen,all" : "all");
            cr_expect_eq(is_strassen(plan), asked && i == 0, "layer %zu, asked %d", i, asked);
            dsc_plan_free(plan);
        }
        dsc_weights_free(weights);
        dsc_model_free(model);
    }
}

Test(strassen_plan, counts_what_is_multiplied) {
    // Halves of 18 rows, of 256 channels: seven eighths. Halves of 18 and 17, of 272 and 248 (input), 272 and 264: in
    // the order of the products.
    const layer odd = {1, 520, 5, 7, 536, 1, false, false, "", false, 0};
    const uint64_t of_odd = 18u * 272 * 272 + 17u * 272 * 272 + 18u * 272 * 264 + 17u * 248 * 272 + 18u * 248 * 264 +
                            17u * 272 * 264 + 18u * 248 * 272;
    const uint64_t wanted[] = {7u * 18 * 256 * 256, of_odd};
    for (int i = 0; i < 2; i++) {
        dsc_model *model = make_model(i ? &odd : &layers[0]);
        dsc_weights *weights;
        cr_assert_eq(dsc_weights_create(model, DSC_ISA_REF, &weights, NULL), DSC_OK);
        dsc_plan *plan = make_plan(weights, "all,strassen"), *plain = make_plan(weights, "all");
        cr_expect_eq(row_of(plan)->multiplications, wanted[i], "%llu",
                     (unsigned long long)row_of(plan)->multiplications);
        cr_expect_eq(row_of(plan)->vanilla_multiplications, row_of(plain)->vanilla_multiplications);
        cr_expect_eq(dsc_plan_cost(plan).pointwise, wanted[i]);
        dsc_plan_free(plan);
        dsc_plan_free(plain);
        dsc_weights_free(weights);
        dsc_model_free(model);
    }
}

// What an image gives does not depend on the other images of its batch.
Test(strassen_plan, images_of_a_batch_do_not_meet) {
    layer two = layers[1], one = two;
    two.n = 2;
    size_t count = (size_t)one.in_c * one.h * one.w;
    float *input = random_floats(2 * count, 7, 1), *got[2];
    for (int i = 0; i < 2; i++) {
        dsc_model *model = make_model(i ? &one : &two);
        dsc_weights *weights;
        cr_assert_eq(dsc_weights_create(model, strassen_isa(), &weights, NULL), DSC_OK);
        dsc_plan *plan = make_plan(weights, "all,strassen");
        got[i] = run(plan, i ? input + count : input);
        dsc_plan_free(plan);
        dsc_weights_free(weights);
        dsc_model_free(model);
    }
    size_t out = (size_t)one.out_c * one.h * one.w;
    cr_expect_eq(memcmp(got[0] + out, got[1], out * sizeof(float)), 0);
    free(got[0]), free(got[1]), free(input);
}

// The figures of docs/performance.md.
Test(strassen_plan, errors_are_at_most_twice_as_large, .timeout = 120) {
    static const layer measured[] = {{1, 512, 14, 14, 512, 1, false, false, "", false, 0},
                                     {1, 728, 19, 19, 728, 1, false, false, "", false, 0},
                                     {1, 1024, 7, 7, 1024, 1, false, false, "", false, 0},
                                     {1, 1536, 10, 10, 2048, 1, false, false, "", false, 0}};
    for (size_t i = 0; i < 2 * sizeof measured / sizeof *measured; i++) {
        const layer *l = &measured[i / 2];
        dsc_model *model = make_model(l);
        dsc_weights *weights;
        float *input = random_floats((size_t)l->in_c * l->h * l->w, 1, 1);
        bool is_positive = i % 2; // as behind a ReLU: sums of inputs grow, and cancel in the products
        for (size_t k = 0; is_positive && k < (size_t)l->in_c * l->h * l->w; k++) input[k] = fabsf(input[k]);
        cr_assert_eq(dsc_weights_create(model, strassen_isa(), &weights, NULL), DSC_OK);
        dsc_plan *plan = make_plan(weights, "all,strassen"), *plain = make_plan(weights, "all");
        errors a = errors_of(model, plan, input), b = errors_of(model, plain, input);
        fprintf(stderr, "%u x %u -> %u%s: error %.2e and %.2e at most, plain %.2e and %.2e: %.2f and %.2f times\n",
                l->h * l->w, l->in_c, l->out_c, is_positive ? ", inputs above 0" : "", a.root_mean_square, a.largest,
                b.root_mean_square, b.largest, a.root_mean_square / b.root_mean_square, a.largest / b.largest);
        cr_expect_lt(a.root_mean_square, 2 * b.root_mean_square);
        cr_expect_lt(a.largest, 2 * b.largest);
        dsc_plan_free(plan);
        dsc_plan_free(plain);
        dsc_weights_free(weights);
        dsc_model_free(model);
        free(input);
    }
}

// Errors are bounded by the size of all weights together: channels a thousand times as small take those of the others.
Test(strassen_plan, small_channels_take_the_errors_of_large_ones) {
    const layer uneven = {1, 512, 8, 8, 512, 1, false, false, "", false, 1e-3f};
    dsc_model *model = make_model(&uneven);
    dsc_weights *weights;
    dsc_reference *reference;
    const double *wanted;
    size_t half = 256 * 64;
    float *input = random_floats(512 * 64, 1, 1);
    const void *inputs[] = {input};
    cr_assert_eq(dsc_weights_create(model, strassen_isa(), &weights, NULL), DSC_OK);
    cr_assert_eq(dsc_reference_run(model, NULL, 0, inputs, &reference, NULL), DSC_OK);
    dsc_reference_output(reference, 0, &wanted);
    for (int asked = 0; asked < 2; asked++) {
        dsc_plan *plan = make_plan(weights, asked ? "all,strassen" : "all");
        float *got = run(plan, input);
        errors e = compare(got + half, wanted + half, half);
        fprintf(stderr, "channels of a thousandth, %s: error %.2e and %.2e at most\n", asked ? "by Strassen" : "plain",
                e.root_mean_square, e.largest);
        cr_expect_lt(e.largest, asked ? 1e-2 : 1e-5);
        free(got);
        dsc_plan_free(plan);
    }
    free(input);
    dsc_reference_free(reference);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

// A pixel of zeros gives the bias by plain kernels; here it takes the errors of the pixel beside it, and no others.
Test(strassen_plan, a_pixel_takes_the_errors_of_its_neighbour) {
    dsc_model *model = make_model(&layers[0]);
    dsc_weights *weights;
    float *input = random_floats(512 * 36, 1, 1000), worst[2] = {0};
    for (int c = 0; c < 512; c++) input[c * 36] = input[c * 36 + 2] = input[c * 36 + 3] = 0;
    cr_assert_eq(dsc_weights_create(model, strassen_isa(), &weights, NULL), DSC_OK);
    dsc_plan *plan = make_plan(weights, "all,strassen"), *plain = make_plan(weights, "all");
    float *got = run(plan, input), *wanted = run(plain, input);
    for (int c = 0; c < 512; c++) {
        worst[0] = fmaxf(worst[0], fabsf(got[c * 36] - wanted[c * 36]));
        worst[1] = fmaxf(worst[1], fabsf(got[c * 36 + 2] - wanted[c * 36 + 2]));
    }
    fprintf(stderr, "a pixel of zeros beside one of up to 1000: off by %.2g, beside another of zeros: by %.2g\n",
            (double)worst[0], (double)worst[1]);
    cr_expect(worst[0] < 1e-2f && worst[0] > 0);
    cr_expect(worst[1] <= 0);
    free(got), free(wanted), free(input);
    dsc_plan_free(plan);
    dsc_plan_free(plain);
    dsc_weights_free(weights);
    dsc_model_free(model);
}

Test(strassen_plan, survives_every_failed_allocation) {
    dsc_model *model = make_model(&layers[1]);
    const dsc_plan_options options = {.passes = passes_of("all,strassen")};
    uint64_t n = 1;
    for (;; n++) {
        dsc_weights *weights = NULL;
        dsc_plan *plan = NULL;
        dsc_error err = {DSC_OK, ""};
        (void)mem_fail_at(n);
        dsc_status status = dsc_weights_create(model, DSC_ISA_REF, &weights, &err);
        if (status == DSC_OK) status = dsc_plan_create(weights, NULL, 0, &options, &plan, &err);
        (void)mem_fail_at(0);
        dsc_plan_free(plan);
        dsc_weights_free(weights);
        if (status == DSC_OK) break;
        cr_assert_eq(status, DSC_NO_MEMORY, "allocation %llu: %s", (unsigned long long)n, err.text);
    }
    cr_expect_gt(n, 10, "only %llu allocations were tried", (unsigned long long)n);
    dsc_model_free(model);
}
