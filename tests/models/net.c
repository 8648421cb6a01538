// SPDX-License-Identifier: Apache-2.0
//
// The network builder's core: values and their uses, names as exporters give them, weights, counts and the file.
#include "tests/models/net_core.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The frameworks' names for an operator, where Keras's graph has another.
static const struct {
    const char *onnx, *keras;
} op_names[] = {
    {"Conv", "Conv2D"},     {"BatchNormalization", "FusedBatchNormV3"},
    {"Clip", "Relu6"},      {"Add", "add"},
    {"ReduceMean", "Mean"}, {"GlobalAveragePool", "Mean"},
};

static const struct {
    const char *torch, *keras;
} weight_names[] = {
    [W_KERNEL] = {"weight", "kernel"},
    [W_DEPTHWISE_KERNEL] = {"weight", "depthwise_kernel"},
    [W_BIAS] = {"bias", "bias"},
    [W_GAMMA] = {"weight", "gamma"},
    [W_BETA] = {"bias", "beta"},
    [W_MEAN] = {"running_mean", "moving_mean"},
    [W_VARIANCE] = {"running_var", "moving_variance"},
};

static uint64_t hash_text(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    for (; *text != '\0'; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

net *net_create(const net_settings *settings, net_options options) {
    net *n = must_alloc(1, sizeof *n);
    n->settings = settings;
    n->options = options;
    n->rng = options.seed ^ hash_text(settings->name); // so that a network does not depend on those before it
    n->opset = options.folded && settings->opset < 14 ? 10 : settings->opset;
    n->writer = onnx_writer_create(n->opset, 7, settings->style == NET_TORCH ? "main_graph" : "tf2onnx");
    if (n->writer == NULL) {
        fprintf(stderr, "gen_models: no memory for the writer\n");
        exit(EXIT_FAILURE);
    }
    onnx_writer_producer(n->writer, "gen_models", "1");
    settings->build(n);
    net_counts *c = &n->counts;
    c->total = c->depthwise + c->pointwise + c->convolution + c->dense;
    return n;
}

void net_free(net *n) {
    if (n == NULL) return;
    onnx_writer_free(n->writer);
    free(n);
}

const net_counts *net_count(const net *n) {
    return &n->counts;
}

const net_settings *net_settings_of(const net *n) {
    return n->settings;
}

bool net_save(net *n, const char *path) {
    return onnx_writer_save(n->writer, path);
}

int net_channels(const net_value *x) {
    return x->channels;
}

void net_name_next(net *n, const char *name) {
    n->next_name = name;
}

void net_text(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, size, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < size) return;
    fprintf(stderr, "gen_models: a name that begins with %s is too long\n", text);
    exit(EXIT_FAILURE);
}

// torch names a scope by the attributes on the way to it, and a numbered child by its parent's name and its number:
// "features.1.conv.0" is /features/features.1/conv/conv.0.
static void torch_scope(const char *module, char scope[NET_NAME]) {
    char part[NET_NAME] = "";
    size_t used = 0;
    scope[0] = '\0';
    while (*module != '\0') {
        size_t length = strcspn(module, ".");
        bool is_number = *module >= '0' && *module <= '9';
        size_t kept = is_number ? strlen(part) : 0;
        net_text(part + kept, sizeof part - kept, "%s%.*s", is_number ? "." : "", (int)length, module);
        net_text(scope + used, NET_NAME - used, "/%s", part);
        used += strlen(scope + used);
        module += length + (module[length] == '.');
    }
}

void net_node_name(const net *n, const char *module, const char *op, char name[NET_NAME]) {
    char scope[NET_NAME];
    if (n->settings->style == NET_TORCH) {
        torch_scope(module, scope);
        net_text(name, NET_NAME, "%s/%s", scope, op);
    } else {
        for (size_t i = 0; i < sizeof op_names / sizeof op_names[0]; i++)
            if (strcmp(op, op_names[i].onnx) == 0) op = op_names[i].keras;
        net_text(name, NET_NAME, "%s/%s/%s", n->settings->scope, module, op);
    }
}

net_value *net_node(net *n, const char *op, const char *module, const net_value *like, const char *others) {
    char name[NET_NAME], inputs[NET_LIST];
    assert(like->deferred == NULL);
    net_value *out = must_alloc(1, sizeof *out);
    *out = *like;
    out->sample = (sample){0};
    out->uses = 1;
    net_node_name(n, module, op, name);
    if (n->next_name != NULL)
        net_text(out->name, sizeof out->name, "%s", n->next_name);
    else
        net_text(out->name, sizeof out->name, "%s%s", name, n->settings->style == NET_TORCH ? "_output_0" : ":0");
    n->next_name = NULL;
    net_text(inputs, sizeof inputs, "%s%s%s", like->name, *others != '\0' ? "," : "", others);
    onnx_writer_node(n->writer, op, name, inputs, out->name);
    n->counts.nodes++;
    return out;
}

net_value *net_keep(net_value *x) {
    x->uses++;
    return x;
}

void net_use(net_value *x) {
    if (--x->uses > 0) return;
    sample_free(&x->sample);
    free(x);
}

static const char *batch_text(const net *n) {
    return n->options.dynamic_batch ? "batch_size" : "1";
}

net_value *net_input(net *n) {
    char dims[64];
    net_value *x = must_alloc(1, sizeof *x);
    bool torch = n->settings->style == NET_TORCH;
    snprintf(x->name, sizeof x->name, "%s", torch ? "input" : "input_1");
    x->channels = 3;
    x->height = x->width = n->settings->size;
    x->uses = 1;
    net_text(dims, sizeof dims, "%s,3,%d,%d", batch_text(n), x->height, x->width);
    onnx_writer_input(n->writer, x->name, ONNX_F32, dims);
    // torchvision's pictures have mean 0 and deviation 1, Keras's lie between -1 and 1.
    if (!n->options.counts_only) x->sample = eval_pictures(n->settings->sample_size, torch ? 1.0f : 0.5f, &n->rng);
    return x;
}

void net_output(net *n, net_value *x) {
    char dims[64];
    net_text(dims, sizeof dims, "%s,%d", batch_text(n), x->channels);
    onnx_writer_output(n->writer, x->name, ONNX_F32, dims);
    net_use(x);
}

static int64_t count_elements(const char *dims) {
    int64_t count = 1;
    for (char *end; *dims != '\0'; dims = *end == ',' ? end + 1 : end) count *= strtol(dims, &end, 10);
    return count;
}

void net_weight_save(net *n, const char *module, enum net_weight kind, const char *dims, const float *values,
                     char name[NET_NAME]) {
    if (n->settings->style == NET_TORCH)
        net_text(name, NET_NAME, "%s.%s", module, weight_names[kind].torch);
    else
        net_text(name, NET_NAME, "%s/%s/%s:0", n->settings->scope, module, weight_names[kind].keras);
    int64_t count = count_elements(dims);
    n->counts.stored += count;
    if (kind != W_MEAN && kind != W_VARIANCE) n->counts.trainable += count;
    if (values != NULL) onnx_writer_floats(n->writer, name, dims, values);
}

float *net_draw(net *n, size_t count, float deviation) {
    if (n->options.counts_only) return NULL;
    float *values = must_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = deviation * rng_normal(&n->rng);
    return values;
}
