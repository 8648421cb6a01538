// SPDX-License-Identifier: Apache-2.0
// Models of one layer, vanilla or separable, so that the two can be run side by side.
#include "engine/base/error.h"
#include "engine/graph/check.h"
#include "engine/model.h"
#include "engine/ops/conv/conv.h"
#include "engine/ops/ops.h"

typedef struct convolution {
    const char *name;
    uint32_t in_c, out_c, groups, kernel;
} convolution;

// Numbers of mean 0 that keep activations near 1, by splitmix64.
static void fill(float *data, uint64_t count, uint32_t fan_in, uint64_t seed) {
    float scale = 3.4f / (float)(fan_in + 1);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        data[i] = ((float)((z ^ (z >> 31)) >> 40) / 16777216.0f - 0.5f) * scale;
    }
}

// Appends a convolution with "same" padding that reads `input`; its output, or GRAPH_NONE.
static uint32_t add_layer(graph *g, const convolution *l, uint32_t input) {
    void *data;
    uint64_t count;
    graph_shape shape = {4, {l->out_c, l->in_c / l->groups, l->kernel, l->kernel}};
    uint32_t weights = graph_add_constant(g, l->name, DSC_F32, &shape, &data);
    uint32_t output = weights == GRAPH_NONE ? weights : graph_add_value(g, l->name);
    uint32_t node = output == GRAPH_NONE ? output : graph_add_node(g, &op_conv, l->name, 2, 1);
    conv_params *params = arena_alloc(&g->memory, 1, sizeof *params);
    if (node == GRAPH_NONE || !params || !graph_shape_count(&shape, &count)) return GRAPH_NONE;
    fill(data, count, l->in_c / l->groups * l->kernel * l->kernel, 1 + node);
    *params = (conv_params){
        .groups = l->groups,
        .window = {
            .kernel = {l->kernel, l->kernel}, .stride = {1, 1}, .dilation = {1, 1}, .auto_pad = WINDOW_SAME_UPPER}};
    graph_node *n = &g->nodes[node];
    n->params = params;
    n->inputs[0] = input;
    n->inputs[1] = weights;
    n->outputs[0] = output;
    g->values[output].producer = node;
    g->values[output].dtype = DSC_F32;
    return output;
}

static uint32_t add_input(graph *g, int64_t channels, int64_t size) {
    uint32_t input = graph_add_value(g, "input");
    g->inputs = arena_alloc(&g->memory, 1, sizeof *g->inputs);
    g->outputs = arena_alloc(&g->memory, 1, sizeof *g->outputs);
    if (input == GRAPH_NONE || !g->inputs || !g->outputs) return GRAPH_NONE;
    g->values[input].dtype = DSC_F32;
    g->values[input].is_input = true;
    g->values[input].has_shape = true;
    g->values[input].shape = (graph_shape){4, {1, channels, size, size}};
    g->input_count = g->output_count = 1;
    g->inputs[0] = input;
    return input;
}

dsc_status dsc_model_create_layer(const dsc_layer *wanted, dsc_model **out, dsc_error *err) {
    dsc_limits limits = dsc_limits_default();
    dsc_complexity counts;
    dsc_status status = dsc_complexity_count(wanted->input_channels, wanted->output_channels, wanted->kernel,
                                             wanted->output_size, &counts, err);
    if (status != DSC_OK) return status;
    if (counts.vanilla > limits.multiplications || wanted->input_channels > 65535 || wanted->output_channels > 65535 ||
        wanted->kernel > 1023 || wanted->output_size > 65535) {
        return error_set(err, DSC_TOO_LARGE, "a layer this large (%llu multiplications) is not run",
                         (unsigned long long)counts.vanilla);
    }
    uint32_t m = (uint32_t)wanted->input_channels, n = (uint32_t)wanted->output_channels;
    uint32_t k = (uint32_t)wanted->kernel;
    bool separable = wanted->is_separable;
    graph *g = graph_create(&limits);
    if (!g) return error_no_memory(err, sizeof *g);
    g->opset = 13;
    uint32_t value = add_input(g, (int64_t)m, (int64_t)wanted->output_size);
    if (value != GRAPH_NONE && separable) value = add_layer(g, &(convolution){"depthwise", m, m, m, k}, value);
    if (value != GRAPH_NONE) {
        value = add_layer(
            g, separable ? &(convolution){"pointwise", m, n, 1, 1} : &(convolution){"vanilla", m, n, 1, k}, value);
    }
    if (value == GRAPH_NONE) {
        graph_free(g);
        return error_set(err, DSC_NO_MEMORY, "out of memory for the layer's weights");
    }
    g->outputs[0] = value;
    g->values[value].is_output = true;
    status = graph_infer(g, err);
    if (status == DSC_OK) return model_create(g, out, err);
    graph_free(g);
    return status;
}
