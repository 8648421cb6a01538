// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/wild/wild_graph.h"

#include "engine/base/half.h"
#include "engine/model.h"
#include "tests/fuzz/wild/wild_maker.h"
#include "tests/support/onnx_writer.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENTS_MAX 8192 // of a constant or an input

const dsc_limits wild_limits = {
    .nodes = 100,
    .tensor_bytes = 1 << 18,
    .weights_bytes = 1 << 20,
    .name_bytes = 64,
    .arena_bytes = 8 << 20,
    .multiplications = 100000,
};

static uint64_t mix(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned wild_next(wild_maker *m) {
    if (m->used < m->record_size) return m->record[m->used++];
    return (unsigned)(mix(&m->state) & 0xff);
}

unsigned wild_below(wild_maker *m, unsigned limit) {
    return limit ? wild_next(m) % limit : 0;
}

dsc_dtype wild_dtype(wild_maker *m) {
    static const dsc_dtype types[] = {DSC_F32, DSC_F32, DSC_F32, DSC_F64, DSC_F16,
                                      DSC_U8,  DSC_I8,  DSC_I32, DSC_I64, DSC_BOOL};
    dsc_dtype type = types[wild_below(m, 10)];
    return m->is_calm && type == DSC_F16 ? DSC_F32 : type;
}

// ---- tensors ----------------------------------------------------------------------------------------------------

static double any_number(wild_maker *m, unsigned mood, bool is_positive) {
    double number = (double)(mix(&m->state) >> 11) * 0x1p-53;
    if (is_positive) return 0.5 + number;
    if (mood == 0 && number < 0.2) return number < 0.1 ? (double)NAN : (double)INFINITY;
    if (mood == 1) return (2 * number - 1) * 1e30;
    if (mood == 2) return 0;
    if (mood == 3) return number * (double)FLT_MIN;
    return 2 * number - 1;
}

static void put(void *data, dsc_dtype dtype, uint64_t i, double number) {
    int whole = isfinite(number) && fabs(number) < 1e6 ? (int)floor(number * 4) : 7;
    switch (dtype) {
        case DSC_F32: ((float *)data)[i] = (float)number; break;
        case DSC_F64: ((double *)data)[i] = number; break;
        case DSC_F16: ((uint16_t *)data)[i] = half_bits(number); break;
        case DSC_BF16: ((uint16_t *)data)[i] = bfloat_bits(number); break;
        case DSC_U16: ((uint16_t *)data)[i] = (uint16_t)(whole + 4); break;
        case DSC_I16: ((int16_t *)data)[i] = (int16_t)whole; break;
        case DSC_U32: ((uint32_t *)data)[i] = (uint32_t)(whole + 4); break;
        case DSC_U64: ((uint64_t *)data)[i] = (uint64_t)(whole + 4); break;
        case DSC_U8: ((uint8_t *)data)[i] = (uint8_t)(whole + 4); break;
        case DSC_I8: ((int8_t *)data)[i] = (int8_t)whole; break;
        case DSC_I32: ((int32_t *)data)[i] = whole; break;
        case DSC_I64: ((int64_t *)data)[i] = whole; break;
        case DSC_BOOL: ((uint8_t *)data)[i] = whole > 0; break;
    }
}

uint32_t wild_add_tensor(wild_maker *m, const wild_tensor *t) {
    uint64_t count;
    bool is_input = t->kind == WILD_INPUT || (t->kind == WILD_EITHER && wild_next(m) % 4 == 0);
    if (m->value_count == WILD_VALUES_MAX || (is_input && m->input_count == WILD_INPUTS_MAX)) return GRAPH_NONE;
    if (!graph_shape_count(&t->shape, &count) || count > ELEMENTS_MAX) return GRAPH_NONE;
    if (is_input && count == 0) return GRAPH_NONE;
    void *data = malloc(count * 8 + 8);
    m->is_out_of_memory |= !data;
    if (!data) return GRAPH_NONE;
    unsigned mood = t->ints || m->is_calm ? 4 : wild_next(m) % 64;
    if (mood < 2 || t->dtype == DSC_F16) m->is_smooth = false;
    for (uint64_t i = 0; i < count; i++) {
        if (t->ints) {
            ((int64_t *)data)[i] = t->ints[i];
        } else {
            put(data, t->dtype, i, any_number(m, mood, t->is_positive));
        }
    }
    wild_value *v = &m->values[m->value_count];
    *v = (wild_value){.dtype = t->dtype, .shape = t->shape, .data = data, .is_input = is_input};
    snprintf(v->name, sizeof v->name, "%c%u", is_input ? 'i' : 'c', m->names++);
    m->input_count += is_input;
    return m->value_count++;
}

// ---- the file ---------------------------------------------------------------------------------------------------

static int onnx_type(dsc_dtype dtype) {
    static const int types[] = {
        [DSC_F32] = ONNX_F32, [DSC_F64] = ONNX_F64, [DSC_F16] = ONNX_F16, [DSC_U8] = ONNX_U8,
        [DSC_I8] = ONNX_I8,   [DSC_I32] = ONNX_I32, [DSC_I64] = ONNX_I64, [DSC_BOOL] = ONNX_BOOL};
    return types[dtype];
}

static void dims_text(const graph_shape *shape, bool is_free, char text[128]) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < shape->rank; i++) {
        const char *comma = i ? "," : "";
        int wrote = is_free && i % 2 == 0
                        ? snprintf(text + used, 128 - used, "%sN%u", comma, i)
                        : snprintf(text + used, 128 - used, "%s%lld", comma, (long long)shape->dims[i]);
        used += (size_t)wrote;
    }
}

static void write_value(const wild_maker *m, onnx_writer *w, const wild_value *v) {
    char dims[128];
    uint64_t count = 0;
    dims_text(&v->shape, v->is_input && m->has_free_dims, dims);
    if (v->is_input) {
        onnx_writer_input(w, v->name, onnx_type(v->dtype), dims);
    } else if (v->data && graph_shape_count(&v->shape, &count)) {
        const onnx_tensor t = {.name = v->name,
                               .dtype = onnx_type(v->dtype),
                               .dims = dims,
                               .data = v->data,
                               .bytes = count * dsc_dtype_bytes(v->dtype)};
        onnx_writer_tensor(w, &t);
    }
}

static void write_attr(onnx_writer *w, const wild_attr *a) {
    float numbers[16];
    for (uint32_t i = 0; i < a->count; i++) numbers[i] = (float)a->ints[i] / 2;
    if (a->kind == 'i') onnx_writer_attr_int(w, a->name, a->ints[0]);
    if (a->kind == 'l') onnx_writer_attr_ints(w, a->name, a->count, a->ints);
    if (a->kind == 'f') onnx_writer_attr_float(w, a->name, a->number);
    if (a->kind == 'F') onnx_writer_attr_floats(w, a->name, a->count, numbers);
    if (a->kind == 's') onnx_writer_attr_string(w, a->name, a->word);
}

static void list_names(const wild_maker *m, const uint32_t *list, uint32_t count, char text[256]) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const char *name = list[i] == GRAPH_NONE ? "" : m->values[list[i]].name;
        used += (size_t)snprintf(text + used, 256 - used, "%s%s", i ? "," : "", name);
    }
}

static void write_node(const wild_maker *m, onnx_writer *w, const wild_node *n) {
    char inputs[256], outputs[256];
    list_names(m, n->inputs, n->input_count, inputs);
    list_names(m, n->outputs, n->output_count, outputs);
    onnx_writer_node(w, n->op->type, m->values[n->outputs[0]].name, inputs, outputs);
    for (uint32_t i = 0; i < n->attr_count; i++) write_attr(w, &n->attrs[i]);
}

// The outputs of the last node alone, or whatever nobody reads.
static uint8_t *write_model(const wild_maker *m, bool is_whole, size_t *size) {
    onnx_writer *w = onnx_writer_create(m->opset, 8, "wild");
    uint32_t first = is_whole ? 0 : m->nodes[m->node_count - 1].outputs[0];
    for (uint32_t i = 0; i < m->value_count; i++) write_value(m, w, &m->values[i]);
    for (uint32_t i = 0; i < m->node_count; i++) write_node(m, w, &m->nodes[i]);
    for (uint32_t i = first; i < m->value_count; i++) {
        const wild_value *v = &m->values[i];
        if (!v->data && !(is_whole && v->is_read)) onnx_writer_output(w, v->name, ONNX_F32, NULL);
    }
    uint8_t *bytes = onnx_writer_finish(w, size);
    onnx_writer_free(w);
    return bytes;
}

// ---- growing ----------------------------------------------------------------------------------------------------

static void give_inputs(const wild_maker *m, wild_graph *out) {
    out->input_count = 0;
    for (uint32_t i = 0; i < m->value_count; i++) {
        const wild_value *v = &m->values[i];
        if (!v->is_input) continue;
        dsc_shape *shape = &out->shapes[out->input_count];
        *shape = (dsc_shape){.name = v->name, .rank = v->shape.rank, .values = v->decides_shapes ? v->data : NULL};
        memcpy(shape->dims, v->shape.dims, sizeof shape->dims);
        out->inputs[out->input_count++] = v->data;
    }
}

static void learn_outputs(wild_maker *m, const graph *g) {
    const wild_node *n = &m->nodes[m->node_count - 1];
    for (uint32_t i = 0; i < g->output_count; i++) {
        const graph_value *v = &g->values[g->outputs[i]];
        wild_value *to = &m->values[n->outputs[i]];
        to->dtype = v->dtype;
        to->shape = v->shape;
        if (v->dtype == DSC_F16) m->is_smooth = false;
    }
}

static bool is_accepted(wild_maker *m, wild_graph *out, dsc_error *err) {
    size_t size = 0;
    dsc_model *model = NULL;
    graph *g = NULL;
    uint8_t *bytes = write_model(m, false, &size);
    m->is_out_of_memory |= !bytes;
    if (!bytes) return false;
    give_inputs(m, out);
    const dsc_load_options options = {.limits = &wild_limits};
    dsc_status status = dsc_model_load_memory(bytes, size, &options, &model, err);
    if (status == DSC_OK) status = model_specialise(model, out->shapes, out->input_count, &g, err);
    if (status == DSC_OK) learn_outputs(m, g);
    graph_free(g);
    dsc_model_free(model);
    free(bytes);
    return status == DSC_OK;
}

static void name_outputs(wild_maker *m, wild_node *n) {
    for (uint32_t i = 0; i < n->output_count; i++) {
        wild_value *v = &m->values[m->value_count];
        *v = (wild_value){.dtype = DSC_F32};
        snprintf(v->name, sizeof v->name, "v%u", m->names++);
        n->outputs[i] = m->value_count++;
    }
}

static void keep_wanted_attrs(wild_node *n) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->attr_count; i++) {
        if (n->attrs[i].is_wanted) n->attrs[kept++] = n->attrs[i];
    }
    n->attr_count = kept;
}

static void drop_values(wild_maker *m, uint32_t count) {
    while (m->value_count > count) {
        const wild_value *v = &m->values[--m->value_count];
        m->input_count -= v->is_input;
        free(v->data);
    }
}

static void add_node(wild_maker *m, wild_graph *out, dsc_error *err) {
    uint32_t values = m->value_count;
    bool was_smooth = m->is_smooth;
    if (values + WILD_SLOTS_MAX + 4 > WILD_VALUES_MAX) return;
    wild_node *n = &m->nodes[m->node_count++];
    wild_fill_node(m, n);
    name_outputs(m, n);
    bool is_fine = is_accepted(m, out, err);
    if (!is_fine && n->attr_count) { // attributes of other operator sets are refused; without them there is a chance
        keep_wanted_attrs(n);
        is_fine = is_accepted(m, out, err);
    }
    if (is_fine) {
        for (uint32_t i = 0; i < n->input_count; i++) {
            if (n->inputs[i] != GRAPH_NONE) m->values[n->inputs[i]].is_read = true;
        }
        m->is_smooth &= n->is_smooth;
        return;
    }
    m->node_count--;
    m->is_smooth = was_smooth;
    drop_values(m, values);
}

static void add_head(wild_maker *m) {
    static const int64_t opsets[] = {17, 13, 18, 21, 11, 9, 8, 7, 6, 10, 12, 15, 19, 22, 24, 25};
    static const int64_t channels[] = {1, 3, 4, 8, 16, 17, 24, 32};
    m->opset = opsets[wild_below(m, 16)];
    m->has_free_dims = wild_below(m, 4) == 3;
    m->is_calm = wild_below(m, 2);
    for (unsigned count = 1 + wild_below(m, 2); count; count--) {
        graph_shape shape = {.rank = wild_below(m, 3) ? 4 : wild_below(m, 6)};
        for (uint32_t i = 0; i < shape.rank; i++) {
            unsigned any = wild_below(m, 12);
            shape.dims[i] = i == 0 ? 1 + any / 6 : i == 1 ? channels[any % 8] : 1 + any;
        }
        dsc_dtype dtype = wild_below(m, 4) ? DSC_F32 : wild_dtype(m);
        (void)wild_add_tensor(m, &(wild_tensor){.dtype = dtype, .shape = shape, .kind = WILD_INPUT});
    }
    const wild_tensor usual = {.dtype = DSC_F32, .shape = {4, {1, 3, 8, 8}}, .kind = WILD_INPUT};
    if (m->value_count == 0) (void)wild_add_tensor(m, &usual); // all were too large
}

static void open_record(wild_maker *m, const uint8_t *data, size_t size) {
    m->record = data;
    m->record_size = size < WILD_RECORD ? (uint32_t)size : WILD_RECORD;
    m->used = 0;
    m->state = 0;
    for (uint32_t i = 0; i < m->record_size; i++) m->state = mix(&m->state) ^ data[i];
}

// ---- telling ----------------------------------------------------------------------------------------------------

static void say(wild_graph *g, const char *format, ...) {
    size_t used = strlen(g->text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(g->text + used, sizeof g->text - used, format, args);
    va_end(args);
}

static void describe(const wild_maker *m, wild_graph *out) {
    char text[256];
    say(out, "operator set %lld\n", (long long)m->opset);
    for (uint32_t i = 0; i < m->value_count; i++) {
        const wild_value *v = &m->values[i];
        say(out, "  %s: %s %s%s\n", v->name, dsc_dtype_name(v->dtype), graph_shape_print(&v->shape, text, sizeof text),
            v->decides_shapes ? ", given by value" : "");
    }
    for (uint32_t i = 0; i < m->node_count; i++) {
        const wild_node *n = &m->nodes[i];
        list_names(m, n->inputs, n->input_count, text);
        say(out, "  %s = %s(%s)", m->values[n->outputs[0]].name, n->op->type, text);
        for (uint32_t k = 0; k < n->attr_count; k++) {
            const wild_attr *a = &n->attrs[k];
            say(out, " %s=", a->name);
            if (a->kind == 's') say(out, "%s", a->word);
            if (a->kind == 'f') say(out, "%g", (double)a->number);
            if (a->kind == 'i') say(out, "%lld", (long long)a->ints[0]);
            for (uint32_t j = 0; j < a->count; j++) say(out, "%s%lld", j ? "," : "", (long long)a->ints[j]);
        }
        say(out, "\n");
    }
}

bool wild_make(const uint8_t *data, size_t size, wild_graph *out) {
    dsc_error err = {DSC_OK, ""};
    *out = (wild_graph){.nodes = 0};
    wild_maker *m = out->maker = calloc(1, sizeof *m);
    if (!m) return false;
    m->is_smooth = true;
    open_record(m, data, size);
    add_head(m);
    for (size_t i = 0; i < size; i++) out->choice = out->choice * 31 + data[i];
    for (size_t at = WILD_RECORD; at < size && m->node_count < WILD_NODES_MAX && m->value_count; at += WILD_RECORD) {
        open_record(m, data + at, size - at);
        add_node(m, out, &err);
    }
    give_inputs(m, out);
    out->nodes = m->node_count;
    out->is_smooth = m->is_smooth;
    if (m->node_count) out->model = write_model(m, true, &out->size);
    describe(m, out);
    return !m->is_out_of_memory;
}

void wild_close(wild_graph *g) {
    free(g->model);
    if (g->maker) drop_values(g->maker, 0);
    free(g->maker);
    *g = (wild_graph){.nodes = 0};
}
