// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/conformance/case.h"

#include "engine/base/half.h"
#include "tests/conformance/table.h"
#include "tests/conformance/tensor_pb.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The tolerance of ONNX's own test runner.
#define RELATIVE 1e-3
#define ABSOLUTE 1e-5

#define TENSORS_MAX 32

typedef struct data_set {
    uint32_t input_count, output_count;
    tensor_pb inputs[TENSORS_MAX], outputs[TENSORS_MAX];
    uint32_t of_model[TENSORS_MAX]; // the model's input i is inputs[of_model[i]]
} data_set;

typedef struct case_state {
    dsc_model *model;
    data_set data;
    char *why;
    size_t why_size;
} case_state;

// ---- data sets ----------------------------------------------------------------------------------------------------

static bool read_tensors(case_state *c, const char *folder, const char *kind, tensor_pb *list, uint32_t *count) {
    char path[1024];
    for (*count = 0; *count < TENSORS_MAX; ++*count) {
        snprintf(path, sizeof path, "%s/%s_%u.pb", folder, kind, *count);
        if (access(path, F_OK) != 0) return true;
        if (!tensor_pb_read(path, &list[*count], c->why, c->why_size)) return false;
    }
    snprintf(c->why, c->why_size, "%s has more than %d tensors", folder, TENSORS_MAX);
    return false;
}

// By name where the files have names that the model knows, else by place.
static bool match_inputs(case_state *c) {
    dsc_model_info info = dsc_model_get_info(c->model);
    data_set *d = &c->data;
    if (info.input_count > TENSORS_MAX) return false;
    for (uint32_t i = 0; i < info.input_count; i++) {
        const char *name = dsc_model_input(c->model, i).name;
        uint32_t found = i;
        for (uint32_t k = 0; k < d->input_count; k++) {
            if (strcmp(d->inputs[k].name, name) == 0) found = k;
        }
        if (found >= d->input_count) {
            snprintf(c->why, c->why_size, "there is no data for the input \"%s\"", name);
            return false;
        }
        d->of_model[i] = found;
    }
    return true;
}

static void close_data(data_set *d) {
    for (uint32_t i = 0; i < TENSORS_MAX; i++) {
        tensor_pb_close(&d->inputs[i]);
        tensor_pb_close(&d->outputs[i]);
    }
    memset(d, 0, sizeof *d);
}

// ---- comparing ----------------------------------------------------------------------------------------------------

static bool is_close(double got, double want) {
    if (isnan(got) || isnan(want)) return isnan(got) && isnan(want);
    if (isinf(got) || isinf(want)) return isinf(got) && isinf(want) && (got > 0) == (want > 0);
    return fabs(got - want) <= ABSOLUTE + RELATIVE * fabs(want);
}

// The reference keeps doubles; an output's type holds the nearest of its own numbers.
static double as_stored(double value, dsc_dtype dtype) {
    if (dtype == DSC_F16) return half_value(half_bits(value));
    return dtype == DSC_BF16 ? bfloat_value(bfloat_bits(value)) : value;
}

// `as` says what `data` holds: the tensor's type, or doubles from the reference.
static bool compare(case_state *c, const char *what, const dsc_tensor_info *got, dsc_dtype as, const void *data,
                    const tensor_pb *want) {
    bool is_shape = got->rank == want->rank;
    for (uint32_t i = 0; i < want->rank && is_shape; i++) is_shape = got->dims[i] == want->dims[i];
    if (!is_shape || got->dtype != want->dtype) {
        snprintf(c->why, c->why_size, "%s: output \"%s\" has another %s than expected", what, got->name,
                 is_shape ? "type" : "shape");
        return false;
    }
    for (uint64_t i = 0; i < want->count; i++) {
        double a = as_stored(tensor_pb_value(as, data, i), want->dtype),
               b = tensor_pb_value(want->dtype, want->data, i);
        if (is_close(a, b)) continue;
        snprintf(c->why, c->why_size, "%s: output \"%s\"[%llu] is %.9g, expected %.9g", what, got->name,
                 (unsigned long long)i, a, b);
        return false;
    }
    return true;
}

// ---- running ------------------------------------------------------------------------------------------------------

// What one run is made with.
typedef struct variant {
    dsc_isa isa;
    uint32_t passes;
    uint32_t by_value; // inputs from this one on are given to the plan
} variant;

static uint32_t make_shapes(const case_state *c, uint32_t by_value, dsc_shape *shapes) {
    uint32_t count = dsc_model_get_info(c->model).input_count;
    for (uint32_t i = 0; i < count; i++) {
        const tensor_pb *t = &c->data.inputs[c->data.of_model[i]];
        shapes[i] = (dsc_shape){.name = dsc_model_input(c->model, i).name, .rank = t->rank};
        memcpy(shapes[i].dims, t->dims, sizeof t->dims);
        if (i >= by_value) shapes[i].values = t->data;
    }
    return count;
}

static case_result fail(case_state *c, const char *what, dsc_status status, const dsc_error *err) {
    snprintf(c->why, c->why_size, "%s: %s: %s", what, dsc_status_name(status), err->text);
    bool is_refusal = status == DSC_UNSUPPORTED || status == DSC_BAD_MODEL || status == DSC_TOO_LARGE ||
                      status == DSC_BAD_VALUE; // of values that were given to the plan
    return is_refusal ? CASE_REFUSED : CASE_FAILED;
}

static case_result run_session(case_state *c, const char *what, dsc_plan *plan) {
    dsc_error err = {0};
    dsc_session *session = NULL;
    dsc_status status = dsc_session_create(plan, &session, &err);
    for (uint32_t i = 0; status == DSC_OK && i < dsc_plan_input_count(plan); i++) {
        dsc_tensor_info info = dsc_plan_input(plan, i);
        memcpy(dsc_session_input(session, i), c->data.inputs[c->data.of_model[i]].data, dsc_tensor_bytes(&info));
    }
    if (status == DSC_OK) status = dsc_session_run(session, NULL, NULL, &err);
    case_result result = status == DSC_OK ? CASE_PASSED : fail(c, what, status, &err);
    if (result == CASE_REFUSED) result = CASE_FAILED; // too late for that
    for (uint32_t i = 0; result == CASE_PASSED && i < dsc_plan_output_count(plan); i++) {
        dsc_tensor_info info = dsc_session_output_info(session, i);
        bool is_same = compare(c, what, &info, info.dtype, dsc_session_output(session, i), &c->data.outputs[i]);
        if (!is_same) result = CASE_FAILED;
    }
    dsc_session_free(session);
    return result;
}

static case_result run_variant(case_state *c, const variant *v) {
    char what[96];
    dsc_error err = {0};
    dsc_shape shapes[TENSORS_MAX];
    dsc_weights *weights = NULL;
    dsc_plan *plan = NULL;
    dsc_plan_options options = {.passes = v->passes, .keep_values = false};
    snprintf(what, sizeof what, "%s, %s passes, inputs %s", dsc_isa_name(v->isa), v->passes ? "all" : "no",
             v->by_value == 0   ? "by value"
             : v->by_value == 1 ? "but the first by value"
                                : "while running");
    uint32_t count = make_shapes(c, v->by_value, shapes);
    dsc_status status = dsc_weights_create(c->model, v->isa, &weights, &err);
    if (status == DSC_OK) status = dsc_plan_create(weights, shapes, count, &options, &plan, &err);
    case_result result = status == DSC_OK ? run_session(c, what, plan) : fail(c, what, status, &err);
    dsc_plan_free(plan);
    dsc_weights_free(weights);
    return result;
}

static case_result run_reference(case_state *c, uint32_t by_value) {
    dsc_error err = {0};
    dsc_shape shapes[TENSORS_MAX];
    const void *inputs[TENSORS_MAX];
    dsc_reference *reference = NULL;
    uint32_t count = make_shapes(c, by_value, shapes);
    for (uint32_t i = 0; i < count; i++) inputs[i] = c->data.inputs[c->data.of_model[i]].data;
    dsc_status status = dsc_reference_run(c->model, shapes, count, inputs, &reference, &err);
    if (status != DSC_OK) return fail(c, "reference", status, &err);
    case_result result = CASE_PASSED;
    for (uint32_t i = 0; i < c->data.output_count && result == CASE_PASSED; i++) {
        const double *data;
        dsc_tensor_info info = dsc_reference_output(reference, i, &data);
        if (!compare(c, "reference", &info, DSC_F64, data, &c->data.outputs[i])) result = CASE_FAILED;
    }
    dsc_reference_free(reference);
    return result;
}

// All tiers and pass sets agree about what they refuse: one that refuses what another runs has failed.
static case_result run_form(case_state *c, dsc_isa first, dsc_isa last, uint32_t by_value) {
    uint32_t ran = 0;
    case_result result = CASE_PASSED;
    for (int isa = (int)first; isa <= (int)last; isa++) {
        for (uint32_t i = 0; i < 2; i++) {
            variant v = {(dsc_isa)isa, i ? 0 : DSC_PASSES_ALL, by_value};
            result = run_variant(c, &v);
            if (result == CASE_REFUSED && ran) result = CASE_FAILED;
            if (result != CASE_PASSED) return result;
            ran++;
        }
    }
    result = run_reference(c, by_value);
    return result == CASE_REFUSED ? CASE_FAILED : result;
}

static case_result run_data_set(case_state *c, const char *folder, dsc_isa first, dsc_isa last) {
    data_set *d = &c->data;
    dsc_model_info info = dsc_model_get_info(c->model);
    if (!read_tensors(c, folder, "input", d->inputs, &d->input_count) ||
        !read_tensors(c, folder, "output", d->outputs, &d->output_count) || !match_inputs(c)) {
        return CASE_FAILED;
    }
    if (info.output_count != d->output_count) {
        snprintf(c->why, c->why_size, "the model has %u outputs, the data set %u", info.output_count, d->output_count);
        return CASE_FAILED;
    }
    for (uint32_t i = 0; i < info.input_count; i++) {
        dsc_tensor_info input = dsc_model_input(c->model, i);
        if (d->inputs[d->of_model[i]].dtype == input.dtype) continue;
        snprintf(c->why, c->why_size, "the data for the input \"%s\" is of another type", input.name);
        return CASE_FAILED;
    }
    // Some models run only where inputs such as weights are known beforehand, others either way.
    case_result result = CASE_REFUSED;
    uint32_t forms[] = {UINT32_MAX, 1, 0};
    for (uint32_t i = info.input_count ? 0 : 2; i < 3; i++) {
        if (forms[i] == 1 && info.input_count < 2) continue;
        if (forms[i] == 0 && result == CASE_PASSED) continue; // only needed where the first input decides a shape
        case_result form = run_form(c, first, last, forms[i]);
        if (form == CASE_FAILED) return form;
        if (form == CASE_PASSED) result = form;
    }
    return result;
}

case_result case_run(const char *folder, dsc_isa first, dsc_isa last, char *why, size_t why_size) {
    char path[1024];
    dsc_error err = {0};
    case_state c = {.why = why, .why_size = why_size};
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    dsc_status status = dsc_model_load_file(path, NULL, &c.model, &err);
    if (status != DSC_OK) return fail(&c, "loading", status, &err);
    case_result result = CASE_PASSED;
    uint32_t set = 0;
    for (;; set++) {
        snprintf(path, sizeof path, "%s/test_data_set_%u", folder, set);
        if (result != CASE_PASSED || access(path, F_OK) != 0) break;
        result = run_data_set(&c, path, first, last);
        close_data(&c.data);
    }
    if (set == 0) {
        snprintf(why, why_size, "there is no test_data_set_0");
        result = CASE_FAILED;
    }
    if (result == CASE_PASSED) table_count(c.model);
    dsc_model_free(c.model);
    return result;
}
