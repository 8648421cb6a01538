// SPDX-License-Identifier: Apache-2.0
// A quantized separable pair as both forms that quantizers write: QuantizeLinear and DequantizeLinear around ordinary
// convolutions, and QLinearConv. Scales are powers of 2, so both must give exactly what integers give.
#include "tests/unit/engine/exporters/style.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CHANNELS 4
#define OUTPUTS  6
#define SIDE     5
#define PIXELS   (SIDE * SIDE)
#define ZERO     121 // of all activations
#define SCALE    0.03125f

// A layer: weights and biases as integers, a scale for each output channel.
typedef struct layer {
    int outputs, fan_in, kernel;
    int8_t weights[64];
    int32_t bias[OUTPUTS];
    float scales[OUTPUTS];
} layer;

static layer make_layer(const char *key, int outputs, int fan_in, int kernel) {
    layer l = {.outputs = outputs, .fan_in = fan_in, .kernel = kernel};
    float numbers[64];
    style_numbers(key, 0, 100, (uint32_t)(outputs * fan_in), numbers);
    for (int i = 0; i < outputs * fan_in; i++) l.weights[i] = (int8_t)lrintf(numbers[i]);
    for (int o = 0; o < outputs; o++) {
        l.bias[o] = 300 * o - 500;
        l.scales[o] = o % 2 ? 0x1p-7f : 0x1p-8f;
    }
    return l;
}

// ---- integers -------------------------------------------------------------------------------------------------------

static uint8_t quantize(double value) { // ties to even
    return (uint8_t)fmin(255, fmax(0, nearbyint(value) + ZERO));
}

static void run_depthwise(const layer *l, const uint8_t *x, uint8_t *y) {
    for (int at = 0; at < CHANNELS * PIXELS; at++) {
        int c = at / PIXELS, row = at / SIDE % SIDE, column = at % SIDE, sum = l->bias[c];
        for (int k = 0; k < 9; k++) {
            int r = row + k / 3 - 1, q = column + k % 3 - 1;
            if (r < 0 || q < 0 || r >= SIDE || q >= SIDE) continue;
            sum += (x[c * PIXELS + r * SIDE + q] - ZERO) * l->weights[c * 9 + k];
        }
        y[at] = quantize(sum * (double)l->scales[c]);
    }
}

static void run_pointwise(const layer *l, const uint8_t *x, uint8_t *y) {
    for (int at = 0; at < OUTPUTS * PIXELS; at++) {
        int o = at / PIXELS, sum = l->bias[o];
        for (int c = 0; c < CHANNELS; c++) sum += (x[c * PIXELS + at % PIXELS] - ZERO) * l->weights[o * CHANNELS + c];
        y[at] = quantize(sum * (double)l->scales[o]);
    }
}

// ---- the file -------------------------------------------------------------------------------------------------------

static const char *tensor(style *s, int dtype, const char *dims, const void *data, size_t bytes) {
    char *name = s->names[s->count];
    snprintf(name, sizeof s->names[0], "t%d", s->count++);
    onnx_writer_tensor(s->w, &(onnx_tensor){.name = name, .dtype = dtype, .dims = dims, .data = data, .bytes = bytes});
    return name;
}

typedef struct layer_names {
    const char *weights, *bias, *scales, *zeros, *bias_scales, *scale, *zero;
} layer_names;

static layer_names write_layer(style *s, const layer *l) {
    static const int8_t zeros[OUTPUTS];
    const uint8_t zero = ZERO;
    float bias_scales[OUTPUTS];
    char dims[32], count[8];
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", l->outputs, l->fan_in / l->kernel / l->kernel, l->kernel, l->kernel);
    snprintf(count, sizeof count, "%d", l->outputs);
    size_t outputs = (size_t)l->outputs;
    for (size_t o = 0; o < outputs; o++) bias_scales[o] = SCALE * l->scales[o];
    return (layer_names){.weights = tensor(s, ONNX_I8, dims, l->weights, outputs * (size_t)l->fan_in),
                         .bias = tensor(s, ONNX_I32, count, l->bias, outputs * sizeof *l->bias),
                         .scales = style_floats(s, count, l->scales),
                         .zeros = tensor(s, ONNX_I8, count, zeros, outputs),
                         .bias_scales = style_floats(s, count, bias_scales),
                         .scale = style_scalar(s, SCALE),
                         .zero = tensor(s, ONNX_U8, "", &zero, 1)};
}

static void set_window(style *s, const layer *l) {
    int64_t pad = l->kernel / 2;
    onnx_writer_attr_int(s->w, "group", l->kernel > 1 ? CHANNELS : 1);
    onnx_writer_attr_ints(s->w, "pads", 4, (int64_t[]){pad, pad, pad, pad});
}

static const char *write_qdq(style *s, const char *x, const layer *l) {
    layer_names n = write_layer(s, l);
    const char *weights = style_node(s, "DequantizeLinear", "%s,%s,%s", n.weights, n.scales, n.zeros);
    onnx_writer_attr_int(s->w, "axis", 0);
    const char *bias = style_node(s, "DequantizeLinear", "%s,%s", n.bias, n.bias_scales);
    onnx_writer_attr_int(s->w, "axis", 0);
    const char *map = style_node(s, "DequantizeLinear", "%s,%s,%s", x, n.scale, n.zero);
    const char *y = style_node(s, "Conv", "%s,%s,%s", map, weights, bias);
    set_window(s, l);
    return style_node(s, "QuantizeLinear", "%s,%s,%s", y, n.scale, n.zero);
}

static const char *write_qlinear(style *s, const char *x, const layer *l) {
    layer_names n = write_layer(s, l);
    const char *y = style_node(s, "QLinearConv", "%s,%s,%s,%s,%s,%s,%s,%s,%s", x, n.scale, n.zero, n.weights, n.scales,
                               n.zeros, n.scale, n.zero, n.bias);
    set_window(s, l);
    return y;
}

typedef const char *(*write_fn)(style *s, const char *x, const layer *l);

static dsc_model *make_model(int opset, write_fn write, const layer *depthwise, const layer *pointwise) {
    size_t size;
    dsc_error err;
    dsc_model *model = NULL;
    static style s;
    s = (style){.w = onnx_writer_create(opset, 8, "quantized"), .opset = opset};
    char dims[32];
    snprintf(dims, sizeof dims, "1,%d,%d,%d", CHANNELS, SIDE, SIDE);
    onnx_writer_input(s.w, "x", ONNX_F32, dims);
    const uint8_t zero = ZERO;
    const char *scale = style_scalar(&s, SCALE), *zeros = tensor(&s, ONNX_U8, "", &zero, 1);
    const char *x = style_node(&s, "QuantizeLinear", "x,%s,%s", scale, zeros);
    x = write(&s, write(&s, x, depthwise), pointwise);
    char inputs[64];
    snprintf(inputs, sizeof inputs, "%s,%s,%s", x, scale, zeros);
    onnx_writer_node(s.w, "DequantizeLinear", "last", inputs, "y");
    onnx_writer_output(s.w, "y", ONNX_F32, NULL);
    uint8_t *bytes = onnx_writer_finish(s.w, &size);
    cr_assert(bytes != NULL);
    cr_assert_eq(dsc_model_load_memory(bytes, size, NULL, &model, &err), DSC_OK, "%s", err.text);
    free(bytes);
    onnx_writer_free(s.w);
    return model;
}

// ---- the checks -----------------------------------------------------------------------------------------------------

static void check_run(dsc_model *model, const dsc_plan_options *options, dsc_isa isa, const float *x,
                      const uint8_t *wanted) {
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
    dsc_error err;
    cr_assert_eq(dsc_weights_create(model, isa, &weights, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_plan_create(weights, NULL, 0, options, &plan, &err), DSC_OK, "%s", err.text);
    cr_assert_eq(dsc_session_create(plan, &session, &err), DSC_OK, "%s", err.text);
    float *input = dsc_session_input(session, 0);
    for (int i = 0; i < CHANNELS * PIXELS; i++) input[i] = x[i];
    cr_assert_eq(dsc_session_run(session, NULL, NULL, &err), DSC_OK, "%s", err.text);
    const float *y = dsc_session_output(session, 0);
    for (int i = 0; i < OUTPUTS * PIXELS; i++) {
        float number = (float)(wanted[i] - ZERO) * SCALE;
        cr_assert(fabsf(y[i] - number) < 1e-6f, "%s, passes %x: number %d is %g, not %g", dsc_isa_name(isa),
                  options->passes, i, (double)y[i], (double)number);
    }
    dsc_session_free(session);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
}

static void check(int opset, write_fn write) {
    const layer depthwise = make_layer("depthwise", CHANNELS, 9, 3);
    const layer pointwise = make_layer("pointwise", OUTPUTS, CHANNELS, 1);
    float x[CHANNELS * PIXELS];
    uint8_t in[CHANNELS * PIXELS], middle[CHANNELS * PIXELS], wanted[OUTPUTS * PIXELS];
    style_numbers("x", 0, 3.5f, CHANNELS * PIXELS, x);
    for (int i = 0; i < CHANNELS * PIXELS; i++) in[i] = quantize((double)(x[i] / SCALE));
    run_depthwise(&depthwise, in, middle);
    run_pointwise(&pointwise, middle, wanted);
    dsc_model *model = make_model(opset, write, &depthwise, &pointwise);
    for (int isa = DSC_ISA_REF; isa <= (int)dsc_isa_best(); isa++) {
        check_run(model, &(dsc_plan_options){.passes = 0}, (dsc_isa)isa, x, wanted);
        check_run(model, &(dsc_plan_options){.passes = DSC_PASSES_ALL}, (dsc_isa)isa, x, wanted);
    }
    dsc_model_free(model);
}

Test(exporters, quantize_and_dequantize_around_convolutions) {
    for (int opset = 13; opset <= 25; opset++) check(opset, write_qdq); // by channel since 13
}

Test(exporters, quantized_convolutions) {
    for (int opset = 10; opset <= 25; opset++) check(opset, write_qlinear);
}
