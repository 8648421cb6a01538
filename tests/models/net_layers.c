// SPDX-License-Identifier: Apache-2.0
//
// The layers: each writes its nodes, counts, and computes its result on the made-up pictures.
#include "tests/models/net_core.h"

#include <math.h>
#include <stdlib.h>

static bool is_torch(const net *n) {
    return n->settings->style == NET_TORCH;
}

// ---- convolution ----

static bool is_depthwise(const net_value *x, net_conv_shape shape) {
    return shape.groups > 1 && shape.groups == x->channels;
}

static void count_conv(net *n, const net_value *x, net_value *out, net_conv_shape shape) {
    int64_t taps = (int64_t)shape.kernel * shape.kernel, pixels = (int64_t)out->height * out->width;
    int64_t macs = taps * (x->channels / shape.groups) * shape.outputs * pixels;
    bool depthwise = is_depthwise(x, shape);
    if (depthwise)
        n->counts.depthwise += macs;
    else if (taps == 1 && shape.groups == 1)
        n->counts.pointwise += macs;
    else
        n->counts.convolution += macs;
    // A depthwise convolution is counted as vanilla by the pointwise one behind it: all have one in these networks.
    if (!depthwise) n->counts.vanilla += macs * (x->depthwise_taps > 0 && taps == 1 ? x->depthwise_taps : 1);
    out->depthwise_taps = depthwise ? (int)taps : 0;
}

static void conv_attributes(net *n, net_conv_shape s) {
    onnx_writer_attr_ints(n->writer, "dilations", 2, (int64_t[]){1, 1});
    onnx_writer_attr_int(n->writer, "group", s.groups);
    onnx_writer_attr_ints(n->writer, "kernel_shape", 2, (int64_t[]){s.kernel, s.kernel});
    if (s.auto_pad != NULL)
        onnx_writer_attr_string(n->writer, "auto_pad", s.auto_pad);
    else
        onnx_writer_attr_ints(n->writer, "pads", 4, (int64_t[]){s.pad, s.pad, s.pad, s.pad});
    onnx_writer_attr_ints(n->writer, "strides", 2, (int64_t[]){s.stride, s.stride});
}

static void set_conv_size(const net_value *x, net_conv_shape shape, net_value *out) {
    out->channels = shape.outputs;
    out->height = (x->height + 2 * shape.pad - shape.kernel) / shape.stride + 1;
    out->width = (x->width + 2 * shape.pad - shape.kernel) / shape.stride + 1;
}

// Writes the node with its weights, which stay the caller's.
static net_value *conv_node(net *n, const net_value *x, const char *module, net_conv_shape shape,
                            const float *weights[2]) {
    char dims[64], others[2 * NET_NAME + 2], kernel[NET_NAME], bias[NET_NAME];
    bool depthwise = is_depthwise(x, shape);
    int inputs = x->channels / shape.groups;
    net_text(dims, sizeof dims, "%d,%d,%d,%d", shape.outputs, inputs, shape.kernel, shape.kernel);
    net_weight_save(n, module, depthwise ? W_DEPTHWISE_KERNEL : W_KERNEL, dims, weights[0], kernel);
    net_text(dims, sizeof dims, "%d", shape.outputs);
    if (shape.bias) net_weight_save(n, module, W_BIAS, dims, weights[1], bias);
    net_text(others, sizeof others, "%s%s%s", kernel, shape.bias ? "," : "", shape.bias ? bias : "");
    net_value *out = net_node(n, "Conv", module, x, others);
    conv_attributes(n, shape);
    set_conv_size(x, shape, out);
    return out;
}

static net_value *conv_with(net *n, net_value *x, const char *module, net_conv_shape shape, const float *weights[2]) {
    net_value *out = conv_node(n, x, module, shape, weights);
    count_conv(n, x, out, shape);
    out->sample = eval_conv(&x->sample, shape, weights[0], weights[1]);
    net_use(x);
    return out;
}

// A convolution whose node waits for the batch norm that may follow. The weights are the value's from now on.
static net_value *defer_conv(net *n, net_value *x, const char *module, net_conv_shape shape, float *weights) {
    net_value *out = must_alloc(1, sizeof *out);
    net_deferred *d = out->deferred = must_alloc(1, sizeof *d);
    net_text(d->module, sizeof d->module, "%s", module);
    d->input = x;
    d->shape = shape;
    d->weights = weights;
    out->uses = 1;
    set_conv_size(x, shape, out);
    count_conv(n, x, out, shape);
    out->sample = eval_conv(&x->sample, shape, weights, NULL);
    return out;
}

// Writes the node that has waited, with `bias` where that is not NULL, and gives the value the node's name.
static void settle_conv(net *n, net_value *x, const float *bias) {
    net_deferred *d = x->deferred;
    d->shape.bias = bias != NULL;
    net_value *node = conv_node(n, d->input, d->module, d->shape, (const float *[]){d->weights, bias});
    net_text(x->name, sizeof x->name, "%s", node->name);
    net_use(node);
    net_use(d->input);
    free(d->weights);
    free(d);
    x->deferred = NULL;
}

net_value *net_conv(net *n, net_value *x, const char *module, net_conv_shape shape) {
    int fan_in = x->channels / shape.groups * shape.kernel * shape.kernel;
    if (x->deferred != NULL) settle_conv(n, x, NULL); // no batch norm came
    float *weights = net_draw(n, (size_t)shape.outputs * (size_t)fan_in, sqrtf(2.0f / (float)fan_in));
    if (n->options.folded && !shape.bias) return defer_conv(n, x, module, shape, weights);
    float *bias = shape.bias ? net_draw(n, (size_t)shape.outputs, 0.2f) : NULL;
    net_value *out = conv_with(n, x, module, shape, (const float *[]){weights, bias});
    free(weights);
    free(bias);
    return out;
}

// ---- batch norm ----

// Gammas around 1, betas around 0, and nearly the mean and variance that the layer produces: nearly, because those of
// a trained network do not fit the next picture exactly either. A channel that hardly varied over the few pictures
// gets some of the others' variance, lest it grow beyond measure on another picture.
static void choose_statistics(net *n, const sample *x, enum net_act next, float *const params[4]) {
    const float middle = next == NET_LINEAR ? 0.0f : 1.0f;
    float *gamma = params[0], *beta = params[1], *mean = params[2], *variance = params[3], average = 0;
    eval_moments(x, mean, variance);
    for (int c = 0; c < x->channels; c++) average += variance[c] / (float)x->channels;
    for (int c = 0; c < x->channels; c++) {
        variance[c] = (0.7f * variance[c] + 0.3f * average) * (1.0f + 0.1f * rng_normal(&n->rng));
        mean[c] += 0.1f * sqrtf(variance[c]) * rng_normal(&n->rng);
        gamma[c] = 1.0f + 0.1f * rng_normal(&n->rng);
        beta[c] = middle + 0.2f * rng_normal(&n->rng);
        if (next == NET_RELU6 && rng_uniform(&n->rng) < 0.05f) beta[c] += 4.0f;
    }
}

static void apply_batch_norm(const net *n, sample *x, float *const params[4]) {
    float *scale = must_alloc((size_t)x->channels, sizeof *scale);
    float *shift = must_alloc((size_t)x->channels, sizeof *shift);
    for (int c = 0; c < x->channels; c++) {
        scale[c] = params[0][c] / sqrtf(params[3][c] + n->settings->bn_epsilon);
        shift[c] = params[1][c] - scale[c] * params[2][c];
    }
    eval_affine(x, scale, shift);
    free(scale);
    free(shift);
}

// The norm's factor goes into the weights of the convolution before it, its offset becomes the bias.
static net_value *fold_batch_norm(net *n, net_value *x, float *const params[4]) {
    size_t outputs = (size_t)x->channels;
    const net_conv_shape *s = &x->deferred->shape;
    size_t each = (size_t)(x->deferred->input->channels / s->groups * s->kernel * s->kernel);
    float *bias = must_alloc(outputs, sizeof *bias), *weights = x->deferred->weights;
    for (size_t o = 0; o < outputs && weights != NULL; o++) {
        double scale = (double)params[0][o] / sqrt((double)params[3][o] + (double)n->settings->bn_epsilon);
        for (size_t i = o * each; i < (o + 1) * each; i++) weights[i] = (float)((double)weights[i] * scale);
        bias[o] = (float)((double)params[1][o] - scale * (double)params[2][o]);
    }
    net_value *out = must_alloc(1, sizeof *out);
    settle_conv(n, x, bias);
    *out = *x;
    out->uses = 1;
    free(bias);
    return out;
}

static net_value *batch_norm_node(net *n, const net_value *x, const char *module, float *const params[4]) {
    static const enum net_weight kinds[4] = {W_GAMMA, W_BETA, W_MEAN, W_VARIANCE};
    char dims[16], names[4][NET_NAME], others[NET_LIST];
    net_text(dims, sizeof dims, "%d", x->channels);
    for (int i = 0; i < 4; i++) net_weight_save(n, module, kinds[i], dims, params[i], names[i]);
    net_text(others, sizeof others, "%s,%s,%s,%s", names[0], names[1], names[2], names[3]);
    net_value *out = net_node(n, "BatchNormalization", module, x, others);
    onnx_writer_attr_float(n->writer, "epsilon", n->settings->bn_epsilon);
    onnx_writer_attr_float(n->writer, "momentum", n->settings->bn_momentum);
    if (is_torch(n) && n->opset >= 14) onnx_writer_attr_int(n->writer, "training_mode", 0);
    return out;
}

net_value *net_batch_norm(net *n, net_value *x, const char *module, enum net_act next) {
    float *params[4] = {NULL};
    for (int i = 0; i < 4 && !n->options.counts_only; i++) params[i] = must_alloc((size_t)x->channels, sizeof(float));
    if (!n->options.counts_only) choose_statistics(n, &x->sample, next, params);
    net_value *out = x->deferred != NULL ? fold_batch_norm(n, x, params) : batch_norm_node(n, x, module, params);
    out->sample = sample_copy(&x->sample);
    if (!n->options.counts_only) apply_batch_norm(n, &out->sample, params);
    for (int i = 0; i < 4; i++) free(params[i]);
    net_use(x);
    return out;
}

// ---- activations ----

// torch: each Clip has two Constant nodes of its own. Keras: two initializers serve all of them.
static void clip_bounds(net *n, const char *module, char others[NET_LIST]) {
    static const float bounds[2] = {0.0f, 6.0f};
    static const char *const torch[2] = {"Constant", "Constant_1"}, *const keras[2] = {"const_zero", "const_six"};
    char node[NET_NAME], names[2][NET_NAME];
    for (int i = 0; i < 2; i++) {
        onnx_tensor tensor = {.dtype = ONNX_F32, .dims = "", .data = &bounds[i], .bytes = sizeof bounds[i]};
        if (is_torch(n)) {
            net_node_name(n, module, torch[i], node);
            net_text(names[i], sizeof names[i], "%s_output_0", node);
            onnx_writer_node(n->writer, "Constant", node, "", names[i]);
            onnx_writer_attr_tensor(n->writer, "value", &tensor);
            n->counts.nodes++;
        } else {
            tensor.name = keras[i];
            net_text(names[i], sizeof names[i], "%s", keras[i]);
            if (!n->has_clip_constants) onnx_writer_tensor(n->writer, &tensor);
        }
    }
    n->has_clip_constants = true;
    net_text(others, NET_LIST, "%s,%s", names[0], names[1]);
}

static net_value *clip(net *n, net_value *x, const char *module) {
    char others[NET_LIST] = "";
    if (n->opset >= 11) clip_bounds(n, module, others);
    net_value *out = net_node(n, "Clip", module, x, others);
    if (n->opset < 11) {
        onnx_writer_attr_float(n->writer, "max", 6.0f);
        onnx_writer_attr_float(n->writer, "min", 0.0f);
    }
    return out;
}

static net_value *hard_sigmoid(net *n, net_value *x, const char *module) {
    net_value *out = net_node(n, "HardSigmoid", module, x, "");
    onnx_writer_attr_float(n->writer, "alpha", 1.0f / 6.0f);
    return out;
}

// x times a function of it, as two nodes: the exporter's form of SiLU, and of hard-swish before opset 14.
static net_value *times_gate(net *n, net_value *x, const char *module, enum net_act act) {
    net_value *gate = act == NET_SILU ? net_node(n, "Sigmoid", module, x, "") : hard_sigmoid(n, x, module);
    net_value *out = net_node(n, "Mul", module, x, gate->name);
    net_use(gate);
    return out;
}

net_value *net_activate(net *n, net_value *x, const char *module, enum net_act act) {
    net_value *out = NULL;
    switch (act) {
        case NET_LINEAR: return x;
        case NET_RELU: out = net_node(n, "Relu", module, x, ""); break;
        case NET_RELU6: out = clip(n, x, module); break;
        case NET_HARD_SWISH:
            out = n->opset >= 14 ? net_node(n, "HardSwish", module, x, "") : times_gate(n, x, module, act);
            break;
        case NET_SILU: out = times_gate(n, x, module, act); break;
        case NET_SIGMOID: out = net_node(n, "Sigmoid", module, x, ""); break;
        case NET_HARD_SIGMOID: out = hard_sigmoid(n, x, module); break;
    }
    out->sample = sample_copy(&x->sample);
    eval_activate(&out->sample, act);
    net_use(x);
    return out;
}

// ---- torchvision's building blocks ----

net_value *net_conv_norm_act(net *n, net_value *x, const char *module, net_conv_shape shape, enum net_act act) {
    char part[NET_NAME];
    net_text(part, sizeof part, "%s.0", module);
    x = net_conv(n, x, part, shape);
    net_text(part, sizeof part, "%s.1", module);
    x = net_batch_norm(n, x, part, act);
    net_text(part, sizeof part, "%s.2", module);
    return net_activate(n, x, part, act);
}

net_value *net_squeeze_excite(net *n, net_value *x, const char *module, int squeeze, const enum net_act acts[2]) {
    char part[NET_NAME];
    int channels = x->channels, taps = x->depthwise_taps;
    net_text(part, sizeof part, "%s.avgpool", module);
    net_value *gate = net_mean(n, net_keep(x), part, false);
    gate->depthwise_taps = 0;
    net_text(part, sizeof part, "%s.fc1", module);
    gate = net_conv(n, gate, part, (net_conv_shape){squeeze, 1, 1, 1, 0, true, NULL});
    net_text(part, sizeof part, "%s.activation", module);
    gate = net_activate(n, gate, part, acts[0]);
    net_text(part, sizeof part, "%s.fc2", module);
    gate = net_conv(n, gate, part, (net_conv_shape){channels, 1, 1, 1, 0, true, NULL});
    net_text(part, sizeof part, "%s.scale_activation", module);
    gate = net_activate(n, gate, part, acts[1]);
    net_value *out = net_node(n, "Mul", module, gate, x->name); // the source says scale * input
    out->height = x->height;
    out->width = x->width;
    out->depthwise_taps = taps;
    out->sample = sample_copy(&x->sample);
    eval_gate(&out->sample, &gate->sample);
    net_use(gate);
    net_use(x);
    return out;
}

net_value *net_add(net *n, net_value *a, net_value *b, const char *module) {
    net_value *out = net_node(n, "Add", module, a, b->name);
    out->depthwise_taps = 0;
    out->sample = sample_copy(&a->sample);
    eval_add(&out->sample, &b->sample);
    net_use(a);
    net_use(b);
    return out;
}

// ---- padding and pooling ----

net_value *net_zero_pad(net *n, net_value *x, const char *module) {
    static const int64_t amounts[] = {0, 0, 0, 0, 0, 0, 1, 1};
    char pads[NET_NAME] = "";
    if (n->opset >= 11) {
        net_text(pads, sizeof pads, "%s/%s/paddings", n->settings->scope, module);
        onnx_writer_ints(n->writer, pads, "8", amounts);
    }
    net_value *out = net_node(n, "Pad", module, x, pads);
    onnx_writer_attr_string(n->writer, "mode", "constant");
    if (n->opset < 11) onnx_writer_attr_ints(n->writer, "pads", 8, amounts);
    out->height = x->height + 1;
    out->width = x->width + 1;
    out->sample = eval_zero_pad(&x->sample);
    net_use(x);
    return out;
}

net_value *net_max_pool(net *n, net_value *x, const char *module) {
    net_value *out = net_node(n, "MaxPool", module, x, "");
    onnx_writer_attr_string(n->writer, "auto_pad", "SAME_UPPER");
    onnx_writer_attr_ints(n->writer, "kernel_shape", 2, (int64_t[]){3, 3});
    onnx_writer_attr_ints(n->writer, "strides", 2, (int64_t[]){2, 2});
    out->height = (x->height + 1) / 2;
    out->width = (x->width + 1) / 2;
    out->depthwise_taps = 0;
    out->sample = eval_max_pool(&x->sample);
    net_use(x);
    return out;
}

net_value *net_mean(net *n, net_value *x, const char *module, bool reduce) {
    net_value *out = net_node(n, reduce ? "ReduceMean" : "GlobalAveragePool", module, x, "");
    if (reduce) {
        onnx_writer_attr_ints(n->writer, "axes", 2, (int64_t[]){2, 3});
        onnx_writer_attr_int(n->writer, "keepdims", 0);
    }
    out->height = out->width = 1;
    out->sample = eval_mean(&x->sample);
    net_use(x);
    return out;
}

net_value *net_flatten(net *n, net_value *x, const char *module) {
    net_value *out = net_node(n, "Flatten", module, x, "");
    onnx_writer_attr_int(n->writer, "axis", 1);
    out->sample = sample_copy(&x->sample);
    net_use(x);
    return out;
}

net_value *net_reshape(net *n, net_value *x, const char *module) {
    char shape[NET_NAME];
    net_text(shape, sizeof shape, "%s/%s/shape", n->settings->scope, module);
    onnx_writer_ints(n->writer, shape, "2", (int64_t[]){-1, x->channels});
    net_value *out = net_node(n, "Reshape", module, x, shape);
    out->sample = sample_copy(&x->sample);
    net_use(x);
    return out;
}

net_value *net_softmax(net *n, net_value *x, const char *module) {
    net_value *out = net_node(n, "Softmax", module, x, "");
    onnx_writer_attr_int(n->writer, "axis", n->opset < 11 ? 1 : -1); // rank 2: the same
    net_use(x);
    return out;
}

// ---- linear layers ----

// Draws weights and bias. What is common to all pictures would drown what differs between them (averages of positive
// features), so the bias takes most of it away, and the rest is scaled to the spread that is asked for.
static void draw_dense(net *n, const sample *x, net_conv_shape shape, float spread, float *params[2]) {
    size_t outputs = (size_t)shape.outputs, inputs = (size_t)x->channels;
    params[0] = net_draw(n, outputs * inputs, sqrtf(1.0f / (float)inputs));
    params[1] = net_draw(n, outputs, 0.1f);
    float *mean = must_alloc(outputs, sizeof *mean), *variance = must_alloc(outputs, sizeof *variance);
    sample raw = eval_conv(x, shape, params[0], NULL);
    eval_moments(&raw, mean, variance);
    double common = 0, differing = 0;
    for (size_t o = 0; o < outputs; o++) {
        common += (double)(mean[o] * mean[o]) / (double)outputs;
        differing += (double)variance[o] / (double)outputs;
    }
    float keep = common > differing ? 0.5f * (float)sqrt(differing / common) : 1.0f;
    float scale = spread / (float)sqrt(differing + common * (double)(keep * keep));
    for (size_t o = 0; o < outputs; o++) {
        params[1][o] -= scale * (1.0f - keep) * mean[o];
        for (size_t i = 0; i < inputs; i++) params[0][o * inputs + i] *= scale;
    }
    sample_free(&raw);
    free(mean);
    free(variance);
}

net_value *net_dense_conv(net *n, net_value *x, const char *module, int outputs, float spread) {
    net_conv_shape shape = {outputs, 1, 1, 1, 0, true, NULL};
    float *params[2] = {NULL, NULL};
    if (!n->options.counts_only) draw_dense(n, &x->sample, shape, spread, params);
    net_value *out = conv_with(n, x, module, shape, (const float *[]){params[0], params[1]});
    free(params[0]);
    free(params[1]);
    return out;
}

// MatMul takes the weights the other way round: [inputs][outputs].
static float *transposed(const float *values, size_t rows, size_t columns) {
    if (values == NULL) return NULL;
    float *turned = must_alloc(rows * columns, sizeof *turned);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c];
    return turned;
}

static net_value *matmul_add(net *n, net_value *x, const char *module, int outputs, const float *weights) {
    char dims[64], kernel[NET_NAME];
    float *turned = transposed(weights, (size_t)outputs, (size_t)x->channels);
    net_text(dims, sizeof dims, "%d,%d", x->channels, outputs);
    net_weight_save(n, module, W_KERNEL, dims, turned, kernel);
    free(turned);
    return net_node(n, "MatMul", module, x, kernel);
}

static net_value *gemm(net *n, net_value *x, const char *module, const char *others) {
    net_value *out = net_node(n, "Gemm", module, x, others);
    onnx_writer_attr_float(n->writer, "alpha", 1.0f);
    onnx_writer_attr_float(n->writer, "beta", 1.0f);
    onnx_writer_attr_int(n->writer, "transB", 1);
    return out;
}

net_value *net_dense(net *n, net_value *x, const char *module, int outputs, float spread) {
    char dims[64], weight[NET_NAME], bias[NET_NAME], others[NET_LIST];
    net_conv_shape shape = {outputs, 1, 1, 1, 0, true, NULL};
    float *params[2] = {NULL, NULL};
    net_value *out, *product = NULL;
    if (!n->options.counts_only) draw_dense(n, &x->sample, shape, spread, params);
    if (is_torch(n)) {
        net_text(dims, sizeof dims, "%d,%d", outputs, x->channels);
        net_weight_save(n, module, W_KERNEL, dims, params[0], weight);
    } else {
        product = matmul_add(n, x, module, outputs, params[0]);
    }
    net_text(dims, sizeof dims, "%d", outputs);
    net_weight_save(n, module, W_BIAS, dims, params[1], bias);
    net_text(others, sizeof others, "%s,%s", weight, bias);
    out = is_torch(n) ? gemm(n, x, module, others) : net_node(n, "Add", module, product, bias);
    if (product != NULL) net_use(product);
    out->channels = outputs;
    out->sample = eval_conv(&x->sample, shape, params[0], params[1]);
    n->counts.dense += (int64_t)outputs * x->channels;
    n->counts.vanilla += (int64_t)outputs * x->channels;
    free(params[0]);
    free(params[1]);
    net_use(x);
    return out;
}
