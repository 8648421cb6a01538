// SPDX-License-Identifier: Apache-2.0
// Models: loading, their description, and copies for given shapes.
#include "engine/model.h"

#include "engine/base/error.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/graph/check.h"
#include "engine/onnx/import.h"

#include <stdlib.h>
#include <string.h>

dsc_status model_create(graph *g, dsc_model **out, dsc_error *err) {
    dsc_model *model = mem_calloc(1, sizeof *model);
    if (!model) {
        graph_free(g);
        return error_no_memory(err, sizeof *model);
    }
    if (!graph_find_deciding(g)) {
        uint32_t bytes = g->value_count; // a flag each
        graph_free(g);
        mem_free(model);
        return error_no_memory(err, bytes);
    }
    atomic_init(&model->references, 1);
    model->g = g;
    for (uint32_t i = 0; i < g->value_count; i++) {
        const graph_value *v = &g->values[i];
        uint64_t count;
        if (!v->data || !graph_shape_count(&v->shape, &count)) continue;
        model->parameters += count;
        model->parameter_bytes += count * dsc_dtype_bytes(v->dtype);
    }
    *out = model;
    return DSC_OK;
}

dsc_model *model_share(dsc_model *model) {
    atomic_fetch_add(&model->references, 1);
    return model;
}

void dsc_model_free(dsc_model *model) {
    if (!model || atomic_fetch_sub(&model->references, 1) != 1) return;
    graph_free(model->g);
    model_origin_free(model->origin);
    mem_free(model);
}

// ---- shapes -----------------------------------------------------------------------------------------------------

static const dsc_shape *find_shape(const dsc_shape *shapes, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(shapes[i].name, name) == 0) return &shapes[i];
    }
    return NULL;
}

static dsc_status set_shape(graph *g, graph_value *v, const dsc_shape *given, dsc_error *err) {
    char wanted[160], got[160];
    graph_shape shape = v->shape;
    if (given) {
        shape.rank = given->rank <= DSC_MAX_RANK ? given->rank : 0;
        memcpy(shape.dims, given->dims, sizeof shape.dims);
    }
    bool fits = shape.rank == v->shape.rank || !v->has_shape;
    for (uint32_t i = 0; i < shape.rank && fits; i++) {
        if (!given && shape.dims[i] < 0) shape.dims[i] = 1;
        bool is_free = !v->has_shape || v->shape.dims[i] < 0;
        fits = is_free ? shape.dims[i] > 0 : shape.dims[i] == v->shape.dims[i];
    }
    if (!fits || (given && given->rank > DSC_MAX_RANK)) {
        return error_set(err, DSC_BAD_ARGUMENT, "input \"%.100s\" has the shape %s, not %s", v->name,
                         graph_shape_print(&v->shape, wanted, sizeof wanted),
                         graph_shape_print(&shape, got, sizeof got));
    }
    uint64_t count, bytes;
    if (!graph_shape_count(&shape, &count) || __builtin_mul_overflow(count, dsc_dtype_bytes(v->dtype), &bytes) ||
        bytes > g->limits.tensor_bytes) {
        return error_set(err, DSC_TOO_LARGE, "input \"%.100s\" of %s exceeds the limit \"tensor_bytes\" of %llu",
                         v->name, graph_shape_print(&shape, got, sizeof got),
                         (unsigned long long)g->limits.tensor_bytes);
    }
    v->shape = shape;
    v->has_shape = true;
    if (given && given->values) {
        v->data = given->values;
        v->is_specific = true;
    }
    return DSC_OK;
}

static dsc_status check_names(const graph *g, const dsc_shape *shapes, uint32_t count, dsc_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        bool is_known = false;
        for (uint32_t k = 0; k < g->input_count; k++) {
            is_known |= strcmp(g->values[g->inputs[k]].name, shapes[i].name) == 0;
        }
        if (!is_known) return error_set(err, DSC_BAD_ARGUMENT, "the model has no input \"%.100s\"", shapes[i].name);
    }
    return DSC_OK;
}

static dsc_status specialise(graph *g, const dsc_shape *shapes, uint32_t count, dsc_error *err) {
    dsc_status status = check_names(g, shapes, count, err);
    for (uint32_t i = 0; i < g->input_count && status == DSC_OK; i++) {
        graph_value *v = &g->values[g->inputs[i]];
        status = set_shape(g, v, find_shape(shapes, count, v->name), err);
    }
    return status;
}

dsc_status model_specialise(const dsc_model *model, const dsc_shape *shapes, uint32_t shape_count, graph **out,
                            dsc_error *err) {
    graph *g = graph_clone(model->g);
    if (!g) return error_no_memory(err, model->g->node_count * sizeof *model->g->nodes);
    dsc_status status = specialise(g, shapes, shape_count, err);
    if (status == DSC_OK) {
        dsc_error reason = {DSC_OK, ""};
        status = graph_infer(g, &reason);
        if (status != DSC_OK) status = model_blame_values(g, &reason, err);
    }
    if (status != DSC_OK) {
        graph_free(g);
        return status;
    }
    *out = g;
    return DSC_OK;
}

// ---- loading ----------------------------------------------------------------------------------------------------

// The output shapes, as part of the model's description; a dimension that comes out otherwise for `other` input shapes
// is free (-1).
static void describe_outputs(const dsc_model *model, const graph *g, const graph *other) {
    for (uint32_t i = 0; i < g->output_count; i++) {
        graph_value *v = &model->g->values[model->g->outputs[i]];
        const graph_value *inferred = &g->values[g->outputs[i]];
        v->dtype = inferred->dtype;
        v->shape = inferred->shape;
        v->has_shape = true;
        if (inferred->has_extent) v->shape.dims[inferred->extent_axis] = -1;
        const graph_shape *second = other ? &other->values[other->outputs[i]].shape : &v->shape;
        for (uint32_t d = 0; d < v->shape.rank && second->rank == v->shape.rank; d++) {
            if (second->dims[d] != v->shape.dims[d]) v->shape.dims[d] = -1;
        }
    }
}

// The model with these sizes for every free input dimension, the first of an input (mostly the batch) and others; NULL
// where there is none, or they do not fit.
static graph *infer_with(const dsc_model *model, int64_t first, int64_t size) {
    graph *g = graph_clone(model->g);
    bool has_free = false;
    for (uint32_t i = 0; g && i < g->input_count; i++) {
        graph_value *v = &g->values[g->inputs[i]];
        for (uint32_t d = 0; d < v->shape.rank; d++) {
            has_free |= v->shape.dims[d] < 0;
            if (v->shape.dims[d] < 0) v->shape.dims[d] = d == 0 ? first : size;
        }
    }
    if (g && has_free && specialise(g, NULL, 0, NULL) == DSC_OK && graph_infer(g, NULL) == DSC_OK) return g;
    graph_free(g);
    return NULL;
}

// A free height and width of 1 is too small for many networks: tried with the sizes of photos, too. As many photos at
// once would be beyond the limits of large networks, but the first dimension need not be a batch.
static bool fits_larger_inputs(const dsc_model *model) {
    graph *g = infer_with(model, 1, 224), *other = g ? infer_with(model, 2, 256) : NULL;
    if (!g) {
        g = infer_with(model, 224, 224);
        other = g ? infer_with(model, 256, 256) : NULL;
    }
    if (g) describe_outputs(model, g, other);
    graph_free(g);
    graph_free(other);
    return g != NULL;
}

// Shapes are inferred once for the default input shapes, so that most of what cannot run is refused here. Where inputs
// may decide shapes that is left to the plan.
static dsc_status check_loaded(const dsc_model *model, const dsc_load_options *options, dsc_error *err) {
    graph *g = graph_clone(model->g);
    if (!g) return error_no_memory(err, model->g->node_count * sizeof *model->g->nodes);
    dsc_error reason = {DSC_OK, ""};
    dsc_report_fn report = options ? options->report : NULL;
    dsc_status status = specialise(g, NULL, 0, &reason);
    bool has_inputs = status == DSC_OK;
    if (has_inputs) status = graph_infer(g, &reason);
    if (status == DSC_OK) {
        graph *other = infer_with(model, 2, 2);
        describe_outputs(model, g, other);
        graph_free(other);
    } else if ((status == DSC_UNSUPPORTED && graph_waits_for_values(g)) || fits_larger_inputs(model)) {
        status = DSC_OK;
    } else {
        if (report && has_inputs) graph_report(model->g, report, options->report_context);
        if (report && !has_inputs) graph_report_one(report, options->report_context, NULL, NULL, &reason);
        if (err) *err = reason;
    }
    graph_free(g);
    return status;
}

static dsc_status load(const dsc_source *source, const void *bytes, size_t size, const dsc_load_options *options,
                       dsc_model **out, dsc_error *err) {
    graph *g;
    dsc_model *model;
    dsc_status status = onnx_import(source, bytes, size, options, &g, err);
    if (status == DSC_OK) status = model_create(g, &model, err);
    if (status != DSC_OK) return status;
    status = check_loaded(model, options, err);
    if (status == DSC_OK) {
        *out = model;
    } else {
        dsc_model_free(model);
    }
    return status;
}

static uint64_t file_limit(const dsc_load_options *options) {
    uint64_t limit = options && options->limits ? options->limits->file_bytes : 0;
    return limit ? limit : dsc_limits_default().file_bytes;
}

dsc_status dsc_model_load(const dsc_source *source, const dsc_load_options *options, dsc_model **out, dsc_error *err) {
    void *bytes;
    size_t size;
    dsc_status status = source->read(source->context, "", file_limit(options), &bytes, &size, err);
    if (status != DSC_OK) return status;
    status = load(source, bytes, size, options, out, err);
    free(bytes);
    return status;
}

dsc_status dsc_model_load_memory(const void *bytes, size_t size, const dsc_load_options *options, dsc_model **out,
                                 dsc_error *err) {
    if (size > file_limit(options)) {
        return error_set(err, DSC_TOO_LARGE, "the model has %zu bytes; the limit \"file_bytes\" is %llu", size,
                         (unsigned long long)file_limit(options));
    }
    return load(NULL, bytes, size, options, out, err);
}

dsc_model_info dsc_model_get_info(const dsc_model *model) {
    const graph *g = model->g;
    return (dsc_model_info){.producer = g->producer,
                            .opset = g->opset,
                            .nodes = g->node_count,
                            .parameters = model->parameters,
                            .parameter_bytes = model->parameter_bytes,
                            .input_count = g->input_count,
                            .output_count = g->output_count};
}

static dsc_tensor_info describe(const graph *g, uint32_t value) {
    const graph_value *v = &g->values[value];
    dsc_tensor_info info = {.name = v->name, .dtype = v->dtype, .rank = v->shape.rank};
    memcpy(info.dims, v->shape.dims, sizeof info.dims);
    return info;
}

dsc_tensor_info dsc_model_input(const dsc_model *model, uint32_t index) {
    return describe(model->g, model->g->inputs[index]);
}

bool dsc_model_input_decides(const dsc_model *model, uint32_t index) {
    return model->g->values[model->g->inputs[index]].is_deciding;
}

dsc_tensor_info dsc_model_output(const dsc_model *model, uint32_t index) {
    return describe(model->g, model->g->outputs[index]);
}
