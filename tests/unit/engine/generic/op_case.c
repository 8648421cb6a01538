// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/generic/op_case.h"

#include "engine/base/half.h"
#include "tests/support/onnx_writer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENSORS_MAX  16
#define ELEMENTS_MAX 1024

typedef struct tensor {
    bool is_there;
    dsc_dtype dtype;
    int onnx_type;
    char text_dims[64];
    uint32_t rank;
    int64_t dims[DSC_MAX_RANK];
    uint64_t count;
    double values[ELEMENTS_MAX];
    _Alignas(8) char bytes[ELEMENTS_MAX * 8];
} tensor;

static const struct {
    const char *name;
    dsc_dtype dtype;
    int onnx_type;
} types[] = {{"f32", DSC_F32, ONNX_F32},   {"f64", DSC_F64, ONNX_F64},    {"f16", DSC_F16, ONNX_F16},
             {"u8", DSC_U8, ONNX_U8},      {"i8", DSC_I8, ONNX_I8},       {"i32", DSC_I32, ONNX_I32},
             {"i64", DSC_I64, ONNX_I64},   {"bool", DSC_BOOL, ONNX_BOOL}, {"u16", DSC_U16, ONNX_U16},
             {"i16", DSC_I16, ONNX_I16},   {"u32", DSC_U32, ONNX_U32},    {"u64", DSC_U64, ONNX_U64},
             {"bf16", DSC_BF16, ONNX_BF16}};

// ---- reading
// ----------------------------------------------------------------------------------------------------------

static void put(tensor *t, uint64_t i, const char *text) {
    double value = t->values[i];
    switch (t->dtype) {
        case DSC_F32: ((float *)(void *)t->bytes)[i] = (float)value; break;
        case DSC_F64: ((double *)(void *)t->bytes)[i] = value; break;
        case DSC_F16: ((uint16_t *)(void *)t->bytes)[i] = half_bits(value); break;
        case DSC_U8:
        case DSC_BOOL: ((uint8_t *)(void *)t->bytes)[i] = (uint8_t)value; break;
        case DSC_I8: ((int8_t *)(void *)t->bytes)[i] = (int8_t)value; break;
        case DSC_I32: ((int32_t *)(void *)t->bytes)[i] = (int32_t)value; break;
        case DSC_I64: ((int64_t *)(void *)t->bytes)[i] = strtoll(text, NULL, 10); break;
        case DSC_U16: ((uint16_t *)(void *)t->bytes)[i] = (uint16_t)value; break;
        case DSC_I16: ((int16_t *)(void *)t->bytes)[i] = (int16_t)value; break;
        case DSC_U32: ((uint32_t *)(void *)t->bytes)[i] = (uint32_t)value; break;
        case DSC_U64: ((uint64_t *)(void *)t->bytes)[i] = strtoull(text, NULL, 10); break;
        case DSC_BF16: ((uint16_t *)(void *)t->bytes)[i] = bfloat_bits(value); break;
    }
}

static void read_dims(tensor *t, const char *from, const char *colon) {
    while (*from == ' ') from++;
    size_t length = (size_t)(colon - from);
    cr_assert_lt(length, sizeof t->text_dims);
    memcpy(t->text_dims, from, length);
    t->text_dims[length] = '\0';
    t->count = 1;
    for (char *at = t->text_dims; *at;) {
        t->dims[t->rank] = strtoll(at, &at, 10);
        t->count *= (uint64_t)t->dims[t->rank++];
        if (*at == ',') at++;
    }
}

static void read_tensor(const char *text, tensor *t) {
    while (*text == ' ') text++;
    *t = (tensor){.is_there = *text != '_'};
    if (!t->is_there) return;
    const char *colon = strchr(text, ':');
    size_t length = strcspn(text, " ");
    cr_assert(colon, "\"%s\" has no colon", text);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].name) != length || strncmp(types[i].name, text, length) != 0) continue;
        t->dtype = types[i].dtype;
        t->onnx_type = types[i].onnx_type;
    }
    cr_assert(t->dtype, "\"%s\" has no type", text);
    read_dims(t, text + length, colon);
    cr_assert_leq(t->count, ELEMENTS_MAX);
    const char *at = colon + 1;
    for (uint64_t i = 0; i < t->count; i++) {
        char *end;
        t->values[i] = strtod(at, &end);
        cr_assert_neq((const void *)at, (const void *)end, "\"%s\" has too few elements", text);
        put(t, i, at);
        at = end;
    }
    at += strspn(at, " ");
    cr_assert(*at == '\0' || *at == '|', "\"%s\" has too many elements", text);
}

static uint32_t read_tensors(const char *text, tensor *list) {
    uint32_t count = 0;
    for (const char *at = text; at && *text;) {
        cr_assert_lt(count, TENSORS_MAX);
        read_tensor(at, &list[count++]);
        at = strchr(at, '|');
        if (at) at++;
    }
    return count;
}

// ---- the model
// --------------------------------------------------------------------------------------------------------

static void write_list(onnx_writer *w, const char *name, const char *value) {
    int64_t ints[64];
    float floats[64];
    size_t count = 0;
    bool is_float = strchr(value, '.') != NULL;
    for (const char *at = value + 1; *at && *at != ']';) {
        char *end;
        floats[count] = strtof(at, &end);
        ints[count++] = is_float ? 0 : strtoll(at, NULL, 10);
        at = *end == ',' ? end + 1 : end;
    }
    if (is_float) {
        onnx_writer_attr_floats(w, name, count, floats);
    } else {
        onnx_writer_attr_ints(w, name, count, ints);
    }
}

static void write_attr(onnx_writer *w, char *item) {
    static tensor t;
    while (*item == ' ') item++;
    char *value = strchr(item, '=');
    cr_assert(value, "attribute \"%s\"", item);
    *value++ = '\0';
    if (*value == '\'') {
        value[strlen(value) - 1] = '\0';
        onnx_writer_attr_string(w, item, value + 1);
    } else if (*value == '[') {
        write_list(w, item, value);
    } else if (strchr(value, ':')) {
        read_tensor(value, &t);
        onnx_writer_attr_tensor(w, item,
                                &(onnx_tensor){.dtype = t.onnx_type,
                                               .dims = t.text_dims,
                                               .data = t.bytes,
                                               .bytes = t.count * dsc_dtype_bytes(t.dtype)});
    } else if (strpbrk(value, ".n")) {
        onnx_writer_attr_float(w, item, strtof(value, NULL));
    } else {
        onnx_writer_attr_int(w, item, strtoll(value, NULL, 10));
    }
}

static uint8_t *write_model(const op_case *c, const tensor *inputs, uint32_t count, uint32_t outputs, size_t *size) {
    char names[256] = "", made[256] = "", name[32], text[512];
    onnx_writer *w = onnx_writer_create(c->opset, 8, "case");
    for (uint32_t i = 0; i < count; i++) {
        name[0] = '\0';
        if (inputs[i].is_there) snprintf(name, sizeof name, "x%u", i);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? "," : "", name);
        if (inputs[i].is_there) onnx_writer_input(w, name, inputs[i].onnx_type, inputs[i].text_dims);
    }
    for (uint32_t i = 0; i < outputs; i++) {
        snprintf(made + strlen(made), sizeof made - strlen(made), "%sy%u", i ? "," : "", i);
    }
    onnx_writer_node(w, c->op, "node", names, made);
    snprintf(text, sizeof text, "%s", c->attrs ? c->attrs : "");
    for (char *at = text; at && *at;) {
        char *end = strchr(at, ';');
        if (end) *end++ = '\0';
        write_attr(w, at);
        at = end;
    }
    for (uint32_t i = 0; i < outputs; i++) {
        snprintf(name, sizeof name, "y%u", i);
        onnx_writer_output(w, name, ONNX_F32, NULL);
    }
    uint8_t *bytes = onnx_writer_finish(w, size);
    onnx_writer_free(w);
    cr_assert_not_null(bytes);
    return bytes;
}

// ---- running
// ----------------------------------------------------------------------------------------------------------

typedef struct state {
    const op_case *c;
    const char *form;
    tensor inputs[TENSORS_MAX], outputs[TENSORS_MAX];
    uint32_t input_count, output_count;
    dsc_shape shapes[TENSORS_MAX];
    const void *data[TENSORS_MAX];
    char names[TENSORS_MAX][16];
    uint32_t shape_count;
} state;

static double value_at(const void *data, dsc_dtype dtype, uint64_t i) {
    switch (dtype) {
        case DSC_F32: return (double)((const float *)data)[i];
        case DSC_F64: return ((const double *)data)[i];
        case DSC_F16: return half_value(((const uint16_t *)data)[i]);
        case DSC_U8:
        case DSC_BOOL: return ((const uint8_t *)data)[i];
        case DSC_I8: return ((const int8_t *)data)[i];
        case DSC_I32: return ((const int32_t *)data)[i];
        case DSC_I64: return (double)((const int64_t *)data)[i];
        case DSC_U16: return ((const uint16_t *)data)[i];
        case DSC_I16: return ((const int16_t *)data)[i];
        case DSC_U32: return ((const uint32_t *)data)[i];
        case DSC_U64: return (double)((const uint64_t *)data)[i];
        case DSC_BF16: return bfloat_value(((const uint16_t *)data)[i]);
    }
    return (double)NAN;
}

static double tolerance(dsc_dtype dtype) {
    return dtype == DSC_BF16 ? 8e-3 : dtype == DSC_F16 ? 1e-3 : dtype == DSC_F32 || dtype == DSC_F64 ? 1e-5 : 0;
}

static void compare(const state *s, uint32_t index, const dsc_tensor_info *info, dsc_dtype as, const void *data) {
    const tensor *want = &s->outputs[index];
    bool is_shape = info->rank == want->rank && info->dtype == want->dtype;
    for (uint32_t i = 0; i < want->rank && is_shape; i++) is_shape = info->dims[i] == want->dims[i];
    cr_expect(is_shape, "%s(%s) %s, %s: output %u has another type or shape than %s", s->c->op, s->c->inputs,
              s->c->attrs, s->form, index, want->text_dims);
    for (uint64_t i = 0; i < want->count && is_shape; i++) {
        double got = value_at(data, as, i), expected = want->values[i];
        bool is_same = (isnan(got) && isnan(expected)) || (isinf(got) && isinf(expected) && got * expected > 0) ||
                       fabs(got - expected) <= tolerance(want->dtype) * (1 + fabs(expected));
        cr_expect(is_same, "%s-%d(%s) %s, %s: output %u[%llu] is %.9g, not %.9g", s->c->op, s->c->opset, s->c->inputs,
                  s->c->attrs, s->form, index, (unsigned long long)i, got, expected);
    }
}

static dsc_status run_session(const state *s, dsc_plan *plan, dsc_error *err) {
    dsc_session *session = NULL;
    dsc_status status = dsc_session_create(plan, &session, err);
    for (uint32_t i = 0; i < s->shape_count && !status; i++) {
        dsc_tensor_info info = dsc_plan_input(plan, i);
        memcpy(dsc_session_input(session, i), s->data[i], dsc_tensor_bytes(&info));
    }
    if (!status) status = dsc_session_run(session, NULL, NULL, err);
    for (uint32_t i = 0; i < s->output_count && !status; i++) {
        dsc_tensor_info info = dsc_session_output_info(session, i);
        compare(s, i, &info, info.dtype, dsc_session_output(session, i));
    }
    dsc_session_free(session);
    return status;
}

static dsc_status run_plan(state *s, dsc_model *model, bool by_value, uint32_t passes, dsc_error *err) {
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_plan_options options = {.passes = passes};
    s->form = by_value ? "by value" : "while running";
    for (uint32_t i = 0; i < s->shape_count; i++) s->shapes[i].values = by_value ? s->data[i] : NULL;
    dsc_status status = dsc_weights_create(model, DSC_ISA_BEST, &weights, err);
    if (!status) status = dsc_plan_create(weights, s->shapes, s->shape_count, &options, &plan, err);
    if (!status) status = run_session(s, plan, err);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    return status;
}

// The reference holds every value as a double.
static bool fits_doubles(const state *s) {
    bool fits = true;
    for (uint32_t i = 0; i < s->input_count; i++) {
        for (uint64_t k = 0; k < s->inputs[i].count && (s->inputs[i].dtype == DSC_I64 || s->inputs[i].dtype == DSC_U64);
             k++) {
            fits &= fabs(s->inputs[i].values[k]) < 0x1p53;
        }
    }
    return fits;
}

static dsc_status run_reference(state *s, dsc_model *model, dsc_error *err) {
    dsc_reference *reference = NULL;
    if (!fits_doubles(s)) return DSC_OK;
    s->form = "reference";
    dsc_status status = dsc_reference_run(model, s->shapes, s->shape_count, s->data, &reference, err);
    for (uint32_t i = 0; i < s->output_count && !status; i++) {
        const double *data;
        dsc_tensor_info info = dsc_reference_output(reference, i, &data);
        compare(s, i, &info, DSC_F64, data);
    }
    dsc_reference_free(reference);
    return status;
}

// The status of the whole case; outputs that are there have been compared.
static dsc_status run(state *s, dsc_model *model, dsc_error *err) {
    dsc_status while_running = run_plan(s, model, false, DSC_PASSES_ALL, err);
    if (while_running && while_running != DSC_UNSUPPORTED) return while_running;
    dsc_status status = while_running ? DSC_OK : run_plan(s, model, false, 0, err);
    if (!status && !while_running) status = run_reference(s, model, err);
    if (!status) status = run_plan(s, model, true, 0, err);
    if (!status) status = run_plan(s, model, true, DSC_PASSES_ALL, err);
    return status ? status : run_reference(s, model, err);
}

static void add_shapes(state *s) {
    for (uint32_t i = 0; i < s->input_count; i++) {
        const tensor *t = &s->inputs[i];
        if (!t->is_there) continue;
        dsc_shape *shape = &s->shapes[s->shape_count];
        snprintf(s->names[i], sizeof s->names[i], "x%u", i);
        *shape = (dsc_shape){.name = s->names[i], .rank = t->rank};
        memcpy(shape->dims, t->dims, sizeof shape->dims);
        s->data[s->shape_count++] = t->bytes;
    }
}

// Whether the row expects a failure: it then begins with no type.
static bool is_failure(const char *expected) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t length = strlen(types[i].name);
        if (strncmp(expected, types[i].name, length) == 0 && expected[length] == ' ') return false;
    }
    return true;
}

void op_case_check(const op_case *c) {
    static state s;
    dsc_error err = {0};
    dsc_model *model = NULL;
    size_t size = 0;
    bool must_fail = is_failure(c->expected);
    s = (state){.c = c};
    s.input_count = read_tensors(c->inputs, s.inputs);
    s.output_count = must_fail ? 1 : read_tensors(c->expected, s.outputs);
    add_shapes(&s);
    uint8_t *bytes = write_model(c, s.inputs, s.input_count, s.output_count, &size);
    if (must_fail) s.output_count = 0; // nothing to compare
    dsc_status status = dsc_model_load_memory(bytes, size, NULL, &model, &err);
    free(bytes);
    if (!status) status = run(&s, model, &err);
    dsc_model_free(model);
    if (!must_fail) {
        cr_expect_eq(status, DSC_OK, "%s-%d(%s) %s, %s: %s: %s", c->op, c->opset, c->inputs, c->attrs, s.form,
                     dsc_status_name(status), err.text);
        return;
    }
    size_t length = strcspn(c->expected, ":");
    // The same reason is the values' where they were given to the plan.
    bool is_of_values = status == DSC_BAD_VALUE && strstr(err.text, " shapes and do") != NULL;
    const char *name = dsc_status_name(is_of_values ? DSC_BAD_MODEL : status);
    cr_expect(strlen(name) == length && strncmp(name, c->expected, length) == 0, "%s-%d(%s) %s: %s: %s", c->op,
              c->opset, c->inputs, c->attrs, name, err.text);
    cr_expect(strstr(err.text, c->expected + length + 2), "%s-%d(%s) %s: \"%s\" lacks \"%s\"", c->op, c->opset,
              c->inputs, c->attrs, err.text, c->expected + length + 2);
}
