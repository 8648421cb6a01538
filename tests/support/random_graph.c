// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_graph.h"

#include "tests/support/onnx_writer.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define VALUES_MAX   64
#define NODES_MAX    14
#define ELEMENTS_MAX 20000 // of one value
#define LARGE_MAX    60000 // the same in every eighth network, so that steps have many tiles

typedef struct value {
    char name[16];
    int c, h, w;
    bool is_read, is_input;
} value;

typedef struct maker {
    onnx_writer *w;
    uint64_t state;
    bool is_large;
    int n, count, names;
    value values[VALUES_MAX];
    char *text;
    size_t text_size, text_used;
} maker;

static uint32_t next(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

float random_graph_number(uint64_t *state) {
    return (float)(next(state) >> 8) * 0x1p-23f - 1.0f;
}

static int below(maker *m, int limit) {
    return (int)(next(&m->state) % (uint32_t)limit);
}

static int among(maker *m, const int *list, int count) {
    return list[below(m, count)];
}

#define AMONG(m, ...) among(m, (const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

static void note(maker *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int written = vsnprintf(m->text + m->text_used, m->text_size - m->text_used, format, args);
    va_end(args);
    if (written > 0) m->text_used += (size_t)written;
    if (m->text_used >= m->text_size) m->text_used = m->text_size - 1;
}

// A constant of `count` numbers around `middle`; its name.
static const char *constant(maker *m, char name[16], const char *dims, int count, float middle, float spread) {
    float *data = malloc((size_t)count * sizeof *data);
    if (!data) abort();
    snprintf(name, 16, "k%d", m->names++);
    for (int i = 0; i < count; i++) data[i] = middle + spread * random_graph_number(&m->state);
    onnx_writer_floats(m->w, name, dims, data);
    free(data);
    return name;
}

// Room for a value that a node makes; NULL where it would be too large or empty.
static value *new_value(maker *m, int c, int h, int w) {
    int elements_max = m->is_large ? LARGE_MAX : ELEMENTS_MAX;
    if (m->count == VALUES_MAX || c < 1 || h < 1 || w < 1 || m->n * c * h * w > elements_max || c > 100) return NULL;
    value *v = &m->values[m->count];
    *v = (value){.c = c, .h = h, .w = w};
    snprintf(v->name, sizeof v->name, "v%d", m->count++);
    return v;
}

static void add_node(maker *m, const char *op, const char *inputs, const value *out) {
    onnx_writer_node(m->w, op, out->name, inputs, out->name);
    note(m, "  %s = %s(%s) -> %dx%dx%dx%d\n", out->name, op, inputs, m->n, out->c, out->h, out->w);
}

// Mostly one of the last values, so that chains come about.
static value *pick(maker *m) {
    int back = below(m, 3) ? below(m, 2) : below(m, m->count);
    return &m->values[back < m->count ? m->count - 1 - back : 0];
}

// ---- nodes --------------------------------------------------------------------------------------------------------

typedef struct window {
    int64_t kernel[2], stride[2], dilation[2], pads[4];
    const char *auto_pad; // instead of pads, or NULL
} window;

static void make_window(maker *m, window *w, bool has_dilation) {
    w->auto_pad = NULL;
    for (int i = 0; i < 2; i++) {
        w->kernel[i] = AMONG(m, 1, 2, 3, 3, 3, 5);
        w->stride[i] = AMONG(m, 1, 1, 1, 2, 3);
        w->dilation[i] = has_dilation ? AMONG(m, 1, 1, 1, 2) : 1;
    }
    if (below(m, 3)) w->kernel[1] = w->kernel[0], w->stride[1] = w->stride[0], w->dilation[1] = w->dilation[0];
    bool is_same = below(m, 2);
    for (int i = 0; i < 4; i++) w->pads[i] = is_same ? w->kernel[i % 2] / 2 : below(m, (int)w->kernel[i % 2]);
}

static int out_size(const window *w, int axis, int in) {
    if (w->auto_pad) return (int)((in + w->stride[axis] - 1) / w->stride[axis]);
    int64_t room = in + w->pads[axis] + w->pads[axis + 2] - w->dilation[axis] * (w->kernel[axis] - 1) - 1;
    return room < 0 ? 0 : (int)(room / w->stride[axis]) + 1;
}

static void write_window(maker *m, const window *w, bool has_dilation) {
    onnx_writer_attr_ints(m->w, "kernel_shape", 2, w->kernel);
    onnx_writer_attr_ints(m->w, "strides", 2, w->stride);
    if (w->auto_pad) onnx_writer_attr_string(m->w, "auto_pad", w->auto_pad);
    if (!w->auto_pad) onnx_writer_attr_ints(m->w, "pads", 4, w->pads);
    if (has_dilation) onnx_writer_attr_ints(m->w, "dilations", 2, w->dilation);
    note(m, "    kernel %d %d, stride %d %d, dilation %d %d, pads %d %d %d %d %s\n", (int)w->kernel[0],
         (int)w->kernel[1], (int)w->stride[0], (int)w->stride[1], (int)w->dilation[0], (int)w->dilation[1],
         (int)w->pads[0], (int)w->pads[1], (int)w->pads[2], (int)w->pads[3], w->auto_pad ? w->auto_pad : "");
}

static void add_conv(maker *m, value *x, int groups, int out_c, bool is_pointwise) {
    window w = {{1, 1}, {1, 1}, {1, 1}, {0}, NULL};
    char dims[64], inputs[64], weights[16], bias[16];
    if (!is_pointwise) make_window(m, &w, true);
    if (!below(m, 5)) w.auto_pad = below(m, 2) ? "SAME_UPPER" : "SAME_LOWER";
    value *y = new_value(m, out_c, out_size(&w, 0, x->h), out_size(&w, 1, x->w));
    if (!y) return;
    int fan_in = x->c / groups * (int)(w.kernel[0] * w.kernel[1]);
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", out_c, x->c / groups, (int)w.kernel[0], (int)w.kernel[1]);
    constant(m, weights, dims, out_c * fan_in, 0, 1.7f / sqrtf((float)fan_in));
    snprintf(inputs, sizeof inputs, "%s,%s", x->name, weights);
    if (below(m, 2)) {
        snprintf(dims, sizeof dims, "%d", out_c);
        snprintf(inputs, sizeof inputs, "%s,%s,%s", x->name, weights, constant(m, bias, dims, out_c, 0, 0.5f));
    }
    add_node(m, "Conv", inputs, y);
    onnx_writer_attr_int(m->w, "group", groups);
    write_window(m, &w, true);
    x->is_read = true;
}

static void add_any_conv(maker *m, value *x) {
    int kind = below(m, 8), out_c = AMONG(m, 1, 3, 8, 15, 16, 16, 17, 24, 32, 33, 48);
    if (kind < 3) add_conv(m, x, 1, out_c, true);
    if (kind == 3 || kind == 4) add_conv(m, x, 1, out_c, false);
    if (kind == 5 || kind == 6) add_conv(m, x, x->c, x->c, false);
    if (kind == 7) add_conv(m, x, x->c % 2 ? x->c : x->c / 2, x->c * (1 + below(m, 2)), false);
}

static void add_pad(maker *m, value *x) {
    static const char *const modes[] = {"constant", "constant", "constant", "reflect", "edge"};
    int64_t pads[8] = {0};
    int mode = below(m, 5);
    for (int i = 2; i < 8; i++) pads[i] = i == 4 || i == 5 ? 0 : below(m, 3);
    if (mode == 3 && (x->h < 3 || x->w < 3)) mode = 4;
    if (mode == 0 && !below(m, 3)) pads[2] = -1; // cuts a row off
    value *y = new_value(m, x->c, x->h + (int)(pads[2] + pads[6]), x->w + (int)(pads[3] + pads[7]));
    if (!y) return;
    char list[16], number[16], inputs[64];
    snprintf(list, sizeof list, "k%d", m->names++);
    onnx_writer_ints(m->w, list, "8", pads);
    snprintf(inputs, sizeof inputs, "%s,%s", x->name, list);
    if (mode == 2) {
        snprintf(inputs, sizeof inputs, "%s,%s,%s", x->name, list, constant(m, number, "", 1, 0, 1));
    }
    add_node(m, "Pad", inputs, y);
    onnx_writer_attr_string(m->w, "mode", modes[mode]);
    note(m, "    %s, pads %d %d %d %d\n", modes[mode], (int)pads[2], (int)pads[3], (int)pads[6], (int)pads[7]);
    x->is_read = true;
}

static void add_batchnorm(maker *m, value *x) {
    char dims[16], names[4][16], inputs[96];
    value *y = new_value(m, x->c, x->h, x->w);
    if (!y) return;
    snprintf(dims, sizeof dims, "%d", x->c);
    for (int i = 0; i < 4; i++) constant(m, names[i], dims, x->c, i % 3 ? 0 : 1, 0.5f);
    snprintf(inputs, sizeof inputs, "%s,%s,%s,%s,%s", x->name, names[0], names[1], names[2], names[3]);
    add_node(m, "BatchNormalization", inputs, y);
    x->is_read = true;
}

static value *add_unary(maker *m, const char *op, value *x) {
    value *y = new_value(m, x->c, x->h, x->w);
    if (!y) return NULL;
    add_node(m, op, x->name, y);
    x->is_read = true;
    return y;
}

static void add_binary(maker *m, const char *op, value *a, value *b) {
    char inputs[64];
    value *y = new_value(m, a->c, a->h, a->w);
    if (!y) return;
    bool is_swapped = below(m, 2);
    snprintf(inputs, sizeof inputs, "%s,%s", is_swapped ? b->name : a->name, is_swapped ? a->name : b->name);
    add_node(m, op, inputs, y);
    a->is_read = b->is_read = true;
}

static void add_clip(maker *m, value *x) {
    char low[16], high[16], inputs[64];
    value *y = new_value(m, x->c, x->h, x->w);
    if (!y) return;
    constant(m, low, "", 1, -0.5f, 0.5f);
    constant(m, high, "", 1, 1.5f, 0.5f);
    snprintf(inputs, sizeof inputs, "%s,%s,%s", x->name, below(m, 4) ? low : "", high);
    add_node(m, "Clip", inputs, y);
    x->is_read = true;
}

static void add_activation(maker *m, value *x) {
    static const char *const ops[] = {"Relu", "Relu", "Sigmoid", "HardSigmoid", "HardSwish", "Identity", "Dropout"};
    int kind = below(m, 11);
    if (kind >= 9) {
        add_clip(m, x);
        return;
    }
    value *gate = add_unary(m, kind < 7 ? ops[kind] : kind == 7 ? "Sigmoid" : "HardSigmoid", x);
    if (!gate) return;
    if (kind == 8 || kind == 3) {
        onnx_writer_attr_float(m->w, "alpha", 1.0f / 6.0f);
        onnx_writer_attr_float(m->w, "beta", 0.5f);
    }
    if (kind >= 7) add_binary(m, "Mul", x, gate); // SiLU, hard-swish
}

static value *find_fitting(maker *m, const value *x, bool is_gate) {
    int start = below(m, m->count);
    for (int i = 0; i < m->count; i++) {
        value *v = &m->values[(start + i) % m->count];
        if (v != x && v->c == x->c && v->h == (is_gate ? 1 : x->h) && v->w == (is_gate ? 1 : x->w)) return v;
    }
    return NULL;
}

static void add_sum(maker *m, value *x) {
    bool is_gate = below(m, 3) == 0;
    value *other = below(m, 4) ? find_fitting(m, x, is_gate) : NULL;
    if (other) {
        add_binary(m, is_gate || !below(m, 4) ? "Mul" : "Add", x, other);
        return;
    }
    value vector = {.c = x->c, .h = 1, .w = 1};
    char dims[48];
    bool is_scalar = below(m, 3) == 0;
    snprintf(dims, sizeof dims, "1,%d,1,1", x->c);
    constant(m, vector.name, is_scalar ? "" : dims, is_scalar ? 1 : x->c, 1, 0.5f);
    add_binary(m, below(m, 2) ? "Mul" : "Add", x, &vector);
}

static void add_pool(maker *m, value *x) {
    window w;
    make_window(m, &w, false);
    for (int i = 0; i < 4; i++) w.pads[i] = w.pads[i] < w.kernel[i % 2] ? w.pads[i] : 0;
    value *y = new_value(m, x->c, out_size(&w, 0, x->h), out_size(&w, 1, x->w));
    if (!y) return;
    bool is_max = below(m, 2);
    add_node(m, is_max ? "MaxPool" : "AveragePool", x->name, y);
    write_window(m, &w, false);
    if (!is_max && below(m, 2)) onnx_writer_attr_int(m->w, "count_include_pad", 1);
    x->is_read = true;
}

static void add_reduction(maker *m, value *x) {
    value *y = new_value(m, x->c, 1, 1);
    if (!y) return;
    bool is_mean = below(m, 3) == 0;
    add_node(m, is_mean ? "ReduceMean" : "GlobalAveragePool", x->name, y);
    if (is_mean) onnx_writer_attr_ints(m->w, "axes", 2, (const int64_t[]){2, 3});
    x->is_read = true;
}

static void add_concat(maker *m, value *x) {
    char inputs[96];
    value *parts[3] = {x};
    int count = 1, c = x->c;
    for (int i = 0; i < m->count && count < 3; i++) {
        value *v = &m->values[i];
        if (v->h != x->h || v->w != x->w || !below(m, 3)) continue;
        parts[count++] = v;
        c += v->c;
    }
    value *y = new_value(m, c, x->h, x->w);
    if (!y) return;
    int used = 0;
    for (int i = 0; i < count; i++) {
        used += snprintf(inputs + used, sizeof inputs - (size_t)used, "%s%s", i ? "," : "", parts[i]->name);
        parts[i]->is_read = true;
    }
    add_node(m, "Concat", inputs, y);
    onnx_writer_attr_int(m->w, "axis", 1);
}

// Channels become pixels and back, so that maps pass through the model's own order.
static void add_reshape(maker *m, value *x) {
    bool to_vector = x->c * x->h * x->w <= 100;
    value *y = to_vector ? new_value(m, x->c * x->h * x->w, 1, 1) : new_value(m, x->c, x->w, x->h);
    if (!y) return;
    char list[16], inputs[64];
    const int64_t target[4] = {0, y->c, y->h, y->w};
    snprintf(list, sizeof list, "k%d", m->names++);
    onnx_writer_ints(m->w, list, "4", target);
    snprintf(inputs, sizeof inputs, "%s,%s", x->name, list);
    add_node(m, "Reshape", inputs, y);
    x->is_read = true;
}

// ---- networks -----------------------------------------------------------------------------------------------------

static void add_input(maker *m) {
    char dims[48];
    int least = m->is_large ? 40 : 1;
    value *x = new_value(m, AMONG(m, 1, 3, 3, 8, 16, 20), least + below(m, 12), least + below(m, 12));
    if (!x) abort();
    x->is_input = true;
    snprintf(dims, sizeof dims, "%d,%d,%d,%d", m->n, x->c, x->h, x->w);
    onnx_writer_input(m->w, x->name, ONNX_F32, dims);
    note(m, "  %s: input %s\n", x->name, dims);
}

static void add_any(maker *m) {
    value *x = pick(m);
    switch (below(m, 16)) {
        case 0: add_pad(m, x); break;
        case 1:
        case 2: add_batchnorm(m, x); break;
        case 3:
        case 4: add_activation(m, x); break;
        case 5:
        case 6:
        case 7: add_sum(m, x); break;
        case 8: add_pool(m, x); break;
        case 9: add_reduction(m, x); break;
        case 10: add_concat(m, x); break;
        case 11: add_reshape(m, x); break;
        default: add_any_conv(m, x); break;
    }
}

uint8_t *random_graph_write(uint64_t seed, size_t *size, char *text, size_t text_size) {
    maker m = {.w = onnx_writer_create(17, 8, "random"), .state = seed, .text = text, .text_size = text_size};
    m.is_large = seed % 8 == 0;
    m.n = m.is_large ? 1 : AMONG(&m, 1, 1, 1, 2, 3);
    text[0] = '\0';
    add_input(&m);
    if (!below(&m, 3)) add_input(&m);
    for (int i = 2 + below(&m, NODES_MAX); i > 0; i--) add_any(&m);
    for (int i = 0; i < m.count; i++) { // what nobody reads, the last value, and now and then one that is read
        const value *v = &m.values[i];
        bool is_output = i + 1 == m.count || (v->is_input   ? !below(&m, 20)
                                              : !v->is_read ? below(&m, 8)
                                                            : !below(&m, 8));
        if (!is_output) continue;
        onnx_writer_output(m.w, v->name, ONNX_F32, NULL);
        note(&m, "  output %s\n", v->name);
    }
    uint8_t *bytes = onnx_writer_finish(m.w, size);
    onnx_writer_free(m.w);
    return bytes;
}
