// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/ops/op_model.h"

#include "tests/support/onnx_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 16
#define NAME_MAX  32

// A number between 0.5 and 1.5 that looks random.
static float number_at(uint32_t seed, size_t i) {
    uint32_t x = (uint32_t)i * 2654435761u + seed * 40503u + 12345u;
    x ^= x >> 15, x *= 2246822519u, x ^= x >> 13, x *= 3266489917u, x ^= x >> 16;
    return 0.5f + (float)(x >> 8) * 0x1p-24f;
}

static size_t count_of(const char *dims) {
    size_t count = 1;
    for (const char *at = dims; *at;) {
        char *end;
        long long dim = strtoll(at, &end, 10);
        count *= dim > 0 ? (size_t)dim : 0;
        at = *end ? end + 1 : end;
    }
    return count;
}

static uint32_t rank_of(const char *dims) {
    uint32_t rank = *dims != '\0';
    for (const char *at = dims; *at; at++) rank += *at == ',';
    return rank;
}

// Cuts `text` in place at every `separator` and takes spaces off; the number of pieces.
static uint32_t split(char *text, char separator, char *pieces[ITEMS_MAX]) {
    uint32_t count = 0;
    for (char *at = text; at && count < ITEMS_MAX;) {
        char *end = strchr(at, separator);
        if (end) *end++ = '\0';
        while (*at == ' ') at++;
        for (size_t n = strlen(at); n && at[n - 1] == ' '; n--) at[n - 1] = '\0';
        pieces[count++] = at;
        at = end;
    }
    return count;
}

static void write_floats(onnx_writer *w, const char *name, const char *dims, uint32_t seed, float scale) {
    size_t count = count_of(dims);
    float *values = malloc((count + 1) * sizeof *values);
    if (!values) abort();
    for (size_t i = 0; i < count; i++) values[i] = scale * number_at(seed, i);
    onnx_writer_floats(w, name, dims, values);
    free(values);
}

static void write_ints(onnx_writer *w, const char *name, char *list) {
    char *pieces[ITEMS_MAX], dims[16];
    int64_t values[ITEMS_MAX];
    while (*list == ' ') list++;
    uint32_t count = *list ? split(list, ',', pieces) : 0;
    for (uint32_t i = 0; i < count; i++) values[i] = strtoll(pieces[i], NULL, 10);
    snprintf(dims, sizeof dims, "%u", count);
    onnx_writer_ints(w, name, dims, values);
}

// A 1x1 convolution from `from` to `to` that mixes `channels`, with biases of both signs.
static void write_conv(onnx_writer *w, const char *from, const char *to, int channels) {
    char weight[64], bias[64], dims[64], names[200];
    snprintf(weight, sizeof weight, "%s_w", to);
    snprintf(bias, sizeof bias, "%s_b", to);
    snprintf(dims, sizeof dims, "%d,%d,1,1", channels, channels);
    write_floats(w, weight, dims, (uint32_t)channels, 1.0f / (float)channels);
    snprintf(dims, sizeof dims, "%d", channels);
    float *values = malloc((size_t)channels * sizeof *values);
    if (!values) abort();
    for (int c = 0; c < channels; c++) values[c] = (float)(c % 5) - 3.0f;
    onnx_writer_floats(w, bias, dims, values);
    free(values);
    snprintf(names, sizeof names, "%s,%s,%s", from, weight, bias);
    onnx_writer_node(w, "Conv", to, names, to);
}

static void write_graph_input(onnx_writer *w, const op_model *m, const char *name, const char *dims, char *used) {
    snprintf(used, NAME_MAX, "%s", name);
    onnx_writer_input(w, name, ONNX_F32, dims);
    if (!m->is_in_panels || rank_of(dims) != 4) return;
    snprintf(used, NAME_MAX, "conv_%.16s", name);
    write_conv(w, name, used, atoi(strchr(dims, ',') + 1));
}

// Writes what the item asks for and says by which name the node reads it.
static void write_input(onnx_writer *w, const op_model *m, char *item, uint32_t index, char *used) {
    static const struct {
        const char *prefix;
        int dtype;
    } types[] = {{"i64 ", ONNX_I64}, {"i32 ", ONNX_I32}, {"u8 ", ONNX_U8}};
    char name[NAME_MAX];
    snprintf(name, sizeof name, "x%u", index);
    snprintf(used, NAME_MAX, "%s", name);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t length = strlen(types[i].prefix);
        if (strncmp(item, types[i].prefix, length) != 0) continue;
        onnx_writer_input(w, name, types[i].dtype, item + length);
        return;
    }
    if (strcmp(item, "_") == 0) {
        *used = '\0';
    } else if (*item == '=') {
        write_ints(w, name, item + 1);
    } else if (strncmp(item, "w ", 2) == 0) {
        write_floats(w, name, item + 2, index, 1);
    } else if (strncmp(item, "n ", 2) == 0) {
        float value = strtof(item + 2, NULL);
        onnx_writer_floats(w, name, "", &value);
    } else if (strcmp(item, "true") == 0 || strcmp(item, "false") == 0) {
        char value = *item == 't';
        onnx_writer_tensor(w, &(onnx_tensor){.name = name, .dtype = ONNX_BOOL, .dims = "", .data = &value, .bytes = 1});
    } else {
        write_graph_input(w, m, name, item, used);
    }
}

static void write_attr(onnx_writer *w, char *item) {
    char *pieces[ITEMS_MAX], *value = strchr(item, '=');
    int64_t values[ITEMS_MAX];
    if (!value) return;
    *value++ = '\0';
    size_t length = strlen(value);
    if (*value == '\'') {
        value[length - 1] = '\0';
        onnx_writer_attr_string(w, item, value + 1);
    } else if (*value == '[') {
        value[length - 1] = '\0';
        uint32_t count = split(value + 1, ',', pieces);
        for (uint32_t i = 0; i < count; i++) values[i] = strtoll(pieces[i], NULL, 10);
        onnx_writer_attr_ints(w, item, value[1] ? count : 0, values);
    } else if (strpbrk(value, ".n")) {
        onnx_writer_attr_float(w, item, strtof(value, NULL));
    } else {
        onnx_writer_attr_int(w, item, strtoll(value, NULL, 10));
    }
}

// The channels of the node's output where that is a map, so that a convolution can be put behind it; else 0.
static int output_channels(const op_model *m) {
    op_model bare = *m;
    dsc_model *model;
    bare.is_in_panels = false;
    if (op_model_load(&bare, &model, NULL) != DSC_OK) return 0;
    dsc_tensor_info info = dsc_model_output(model, 0);
    dsc_model_free(model);
    return info.rank == 4 ? (int)info.dims[1] : 0;
}

static uint8_t *write_model(const op_model *m, size_t *size) {
    char *items[ITEMS_MAX], text[512], used[NAME_MAX], inputs[512] = "", outputs[64] = "y0";
    onnx_writer *w = onnx_writer_create(m->opset, 8, "op");
    snprintf(text, sizeof text, "%s", m->inputs);
    uint32_t count = split(text, '|', items);
    for (uint32_t i = 0; i < count; i++) {
        write_input(w, m, items[i], i, used);
        size_t at = strlen(inputs);
        snprintf(inputs + at, sizeof inputs - at, "%s%s", i ? "," : "", used);
    }
    int channels = m->is_in_panels ? output_channels(m) : 0;
    if (channels) snprintf(outputs, sizeof outputs, "before");
    for (int i = 1; i < m->outputs; i++) {
        size_t at = strlen(outputs);
        snprintf(outputs + at, sizeof outputs - at, ",y%d", i);
    }
    onnx_writer_node(w, m->op, "node", inputs, outputs);
    snprintf(text, sizeof text, "%s", m->attrs ? m->attrs : "");
    count = split(text, ';', items);
    for (uint32_t i = 0; i < count; i++) write_attr(w, items[i]);
    if (channels) write_conv(w, "before", "y0", channels);
    onnx_writer_output(w, "y0", ONNX_F32, NULL);
    for (int i = 1; i < m->outputs; i++) {
        snprintf(used, sizeof used, "y%d", i);
        onnx_writer_output(w, used, ONNX_BOOL, NULL);
    }
    uint8_t *bytes = onnx_writer_finish(w, size);
    onnx_writer_free(w);
    return bytes;
}

dsc_status op_model_load(const op_model *m, dsc_model **out, dsc_error *err) {
    size_t size;
    uint8_t *bytes = write_model(m, &size);
    if (!bytes) return DSC_NO_MEMORY;
    dsc_status status = dsc_model_load_memory(bytes, size, NULL, out, err);
    free(bytes);
    return status;
}

// ---- running --------------------------------------------------------------------------------------------------------

static void fill(void *data, const dsc_tensor_info *info, uint32_t seed) {
    size_t bytes = dsc_tensor_bytes(info);
    if (info->dtype != DSC_F32) {
        for (size_t i = 0; i < bytes; i++) ((unsigned char *)data)[i] = (unsigned char)(i * 7 + seed) & 1;
        return;
    }
    for (size_t i = 0; i < bytes / sizeof(float); i++) ((float *)data)[i] = 8.0f * (number_at(seed + 99, i) - 1.0f);
}

static double value_at(const void *data, dsc_dtype dtype, uint64_t i) {
    if (dtype == DSC_F32) return (double)((const float *)data)[i];
    if (dtype == DSC_I64) return (double)((const int64_t *)data)[i];
    if (dtype == DSC_I32) return (double)((const int32_t *)data)[i];
    return (double)((const unsigned char *)data)[i];
}

static double compare(const dsc_session *session, const dsc_plan *plan, const dsc_reference *reference) {
    double worst = 0;
    for (uint32_t o = 0; o < dsc_plan_output_count(plan); o++) {
        const double *expected;
        dsc_tensor_info info = dsc_plan_output(plan, o), other = dsc_reference_output(reference, o, &expected);
        uint64_t count = dsc_tensor_bytes(&info) / dsc_dtype_bytes(info.dtype);
        if (other.rank != info.rank || memcmp(other.dims, info.dims, info.rank * sizeof *info.dims) != 0)
            return HUGE_VAL;
        for (uint64_t i = 0; i < count; i++) {
            double got = value_at(dsc_session_output(session, o), info.dtype, i);
            double difference = fabs(got - expected[i]) / (1 + fabs(expected[i]));
            if (!(difference <= worst)) worst = isnan(difference) ? HUGE_VAL : difference;
        }
    }
    return worst;
}

typedef struct running {
    dsc_model *model;
    dsc_weights *weights;
    dsc_plan *plan;
    dsc_session *session;
    dsc_reference *reference;
} running;

static dsc_status run(running *r, const op_model *m, const dsc_plan_options *options, dsc_isa isa, dsc_error *err) {
    const void *inputs[ITEMS_MAX];
    dsc_status status = op_model_load(m, &r->model, err);
    if (!status) status = dsc_weights_create(r->model, isa, &r->weights, err);
    if (!status) status = dsc_plan_create(r->weights, NULL, 0, options, &r->plan, err);
    if (!status) status = dsc_session_create(r->plan, &r->session, err);
    if (status) return status;
    for (uint32_t i = 0; i < dsc_plan_input_count(r->plan); i++) {
        dsc_tensor_info info = dsc_plan_input(r->plan, i);
        inputs[i] = dsc_session_input(r->session, i);
        fill(dsc_session_input(r->session, i), &info, i);
    }
    status = dsc_session_run(r->session, NULL, NULL, err);
    return status ? status : dsc_reference_run(r->model, NULL, 0, inputs, &r->reference, err);
}

double op_model_difference(const op_model *m, uint32_t passes, dsc_isa isa, dsc_error *err) {
    running r = {0};
    dsc_plan_options options = {.passes = passes, .keep_values = false};
    dsc_status status = run(&r, m, &options, isa, err);
    double worst = status ? -(double)status : compare(r.session, r.plan, r.reference);
    dsc_reference_free(r.reference);
    dsc_session_free(r.session);
    dsc_plan_free(r.plan);
    dsc_weights_free(r.weights);
    dsc_model_free(r.model);
    return worst;
}
