// SPDX-License-Identifier: Apache-2.0
// The facade: checks arguments and walks load -> weights -> plan -> session -> run. No arithmetic.
#include "engine/base/error.h"
#include "engine/base/mem.h"
#include "engine/kernels/peak.h"
#include "engine/model.h"
#include "engine/passes/passes.h"
#include "engine/plan/plan.h"
#include "engine/verify/reference.h"

#include <stdlib.h>
#include <string.h>

struct dsc_plan {
    _Atomic uint32_t references;
    dsc_weights *weights;
    struct plan plan;
};

struct dsc_session {
    dsc_plan *plan;
    struct session session;
};

// ---- weights ----------------------------------------------------------------------------------------------------

dsc_status dsc_weights_create(dsc_model *model, dsc_isa isa, dsc_weights **out, dsc_error *err) {
    dsc_isa best = dsc_isa_best();
    if (isa == DSC_ISA_BEST) isa = best;
    if (isa < DSC_ISA_REF || isa > best) {
        return error_set(err, DSC_BAD_ARGUMENT, "this CPU has no %s; its highest tier is %s", dsc_isa_name(isa),
                         dsc_isa_name(best));
    }
    dsc_weights *weights = mem_calloc(1, sizeof *weights);
    if (!weights) return error_no_memory(err, sizeof *weights);
    weights->store =
        weights_create(4 * model->g->limits.weights_bytes); // packed panels are padded; 6 bytes a number with amx
    if (!weights->store) {
        mem_free(weights);
        return error_no_memory(err, 64);
    }
    atomic_init(&weights->references, 1);
    weights->isa = isa;
    weights->model = model_share(model);
    *out = weights;
    return DSC_OK;
}

void dsc_weights_free(dsc_weights *weights) {
    if (!weights || atomic_fetch_sub(&weights->references, 1) != 1) return;
    weights_free(weights->store);
    dsc_model_free(weights->model);
    mem_free(weights);
}

uint64_t dsc_weights_bytes(const dsc_weights *weights) {
    return weights_bytes(weights->store);
}

// ---- plan -------------------------------------------------------------------------------------------------------

// Outputs are known by the names that the model gives them, also where a pass let another value stand in.
static void name_outputs(struct plan *p, const dsc_model *model) {
    for (uint32_t i = 0; i < p->output_count; i++) p->outputs[i].info.name = dsc_model_output(model, i).name;
}

static dsc_status create_plan(dsc_weights *weights, const dsc_shape *shapes, uint32_t shape_count,
                              const dsc_plan_options *options, dsc_plan **out, dsc_error *err) {
    graph *g;
    dsc_plan *made = mem_calloc(1, sizeof *made);
    if (!made) return error_no_memory(err, sizeof *made);
    dsc_status status = model_specialise(weights->model, shapes, shape_count, &g, err);
    if (status != DSC_OK) {
        mem_free(made);
        return status;
    }
    plan_options inner = {.isa = weights->isa,
                          .keep_values = options->keep_values,
                          .threads = options->threads ? options->threads : 1,
                          .timings = options->timings,
                          .timing_count = options->timing_count};
    status = passes_run(g, options->passes, err);
    if (status == DSC_OK) status = plan_init(&made->plan, g, weights->store, &inner, err);
    graph_free(g);
    if (status != DSC_OK) {
        mem_free(made);
        return status;
    }
    name_outputs(&made->plan, weights->model);
    atomic_init(&made->references, 1);
    atomic_fetch_add(&weights->references, 1);
    made->weights = weights;
    *out = made;
    return DSC_OK;
}

dsc_status dsc_plan_create(dsc_weights *weights, const dsc_shape *shapes, uint32_t shape_count,
                           const dsc_plan_options *options, dsc_plan **out, dsc_error *err) {
    static const dsc_plan_options normal = {.passes = DSC_PASSES_ALL, .keep_values = false};
    if (!options) options = &normal;
    dsc_status status = model_borrow_weights(weights->model, err);
    if (status != DSC_OK) return status;
    status = create_plan(weights, shapes, shape_count, options, out, err);
    weights_trim(weights->store);
    model_return_weights(weights->model);
    return status;
}

void dsc_plan_free(dsc_plan *plan) {
    if (!plan || atomic_fetch_sub(&plan->references, 1) != 1) return;
    plan_close(&plan->plan);
    dsc_weights_free(plan->weights);
    mem_free(plan);
}

uint32_t dsc_plan_input_count(const dsc_plan *plan) {
    return plan->plan.input_count;
}

uint32_t dsc_plan_output_count(const dsc_plan *plan) {
    return plan->plan.output_count;
}

dsc_tensor_info dsc_plan_input(const dsc_plan *plan, uint32_t index) {
    return plan->plan.inputs[index].info;
}

dsc_tensor_info dsc_plan_output(const dsc_plan *plan, uint32_t index) {
    return plan->plan.outputs[index].info;
}

dsc_isa dsc_plan_isa(const dsc_plan *plan) {
    return plan->weights->isa;
}

uint64_t dsc_plan_arena_bytes(const dsc_plan *plan) {
    return plan->plan.program.block_bytes;
}

uint64_t dsc_plan_bytes(const dsc_plan *plan) {
    return sizeof *plan + plan_bytes(&plan->plan);
}

uint32_t dsc_plan_row_count(const dsc_plan *plan) {
    return plan->plan.program.row_count;
}

uint32_t dsc_plan_choice_count(const dsc_plan *plan) {
    return plan->plan.program.choice_count;
}

const dsc_choice *dsc_plan_choices(const dsc_plan *plan) {
    return plan->plan.program.choices;
}

const dsc_row *dsc_plan_rows(const dsc_plan *plan) {
    return plan->plan.program.rows;
}

size_t dsc_tensor_bytes(const dsc_tensor_info *info) {
    size_t bytes = dsc_dtype_bytes(info->dtype);
    for (uint32_t i = 0; i < info->rank; i++) bytes *= (size_t)info->dims[i]; // checked when the plan was made
    return bytes;
}

// ---- session ----------------------------------------------------------------------------------------------------

dsc_status dsc_session_create(dsc_plan *plan, dsc_session **out, dsc_error *err) {
    dsc_session *made = mem_calloc(1, sizeof *made);
    if (!made) return error_no_memory(err, sizeof *made);
    dsc_status status = session_init(&made->session, &plan->plan.program, err);
    if (status != DSC_OK) {
        mem_free(made);
        return status;
    }
    atomic_fetch_add(&plan->references, 1);
    made->plan = plan;
    *out = made;
    return DSC_OK;
}

void dsc_session_free(dsc_session *session) {
    if (!session) return;
    session_close(&session->session);
    dsc_plan_free(session->plan);
    mem_free(session);
}

void *dsc_session_input(dsc_session *session, uint32_t index) {
    const plan_tensor *t = &session->plan->plan.inputs[index];
    if (t->pixels) session->session.has_pixels = false;
    return buffer_data(t->buffer, session->session.block);
}

float *dsc_session_input_pixels(dsc_session *session, uint32_t index, uint32_t image, ptrdiff_t *row_step) {
    const plan_tensor *t = &session->plan->plan.inputs[index];
    struct session *s = &session->session;
    if (!t->pixels) return NULL;
    s->has_pixels = true;
    buffer_clear_border(t->pixels, s->block, image, 0);
    *row_step = (ptrdiff_t)t->pixels->row;
    return buffer_panel(t->pixels, s->block, image, 0);
}

const void *dsc_session_output(const dsc_session *session, uint32_t index) {
    return buffer_data(session->plan->plan.outputs[index].buffer, session->session.block);
}

dsc_tensor_info dsc_session_output_info(const dsc_session *session, uint32_t index) {
    const plan_tensor *t = &session->plan->plan.outputs[index];
    dsc_tensor_info info = t->info;
    const int64_t *length = t->extent ? buffer_data(t->extent, session->session.block) : NULL;
    if (length) info.dims[t->extent_axis] = *length;
    return info;
}

dsc_status dsc_session_run(dsc_session *session, dsc_pool *pool, const dsc_run_options *options, dsc_error *err) {
    return session_run(&session->session, pool, options, err);
}

dsc_profile dsc_session_profile(const dsc_session *session) {
    const struct session *s = &session->session;
    return (dsc_profile){.inference_ns = s->inference_ns,
                         .rows = s->has_profile ? s->program->row_count : 0,
                         .row_ns = s->row_ns,
                         .threads = s->threads,
                         .reached_row = s->reached_row};
}

dsc_status dsc_session_value(const dsc_session *session, const char *name, float **data, dsc_tensor_info *info,
                             dsc_error *err) {
    const struct plan *p = &session->plan->plan;
    for (uint32_t i = 0; i < p->kept_count; i++) {
        const plan_tensor *t = &p->kept[i];
        if (strcmp(t->info.name, name) != 0 || t->info.dtype != DSC_F32) continue;
        float *copy = malloc(dsc_tensor_bytes(&t->info));
        if (!copy) return error_no_memory(err, dsc_tensor_bytes(&t->info));
        buffer_read(t->buffer, session->session.block, copy);
        *data = copy;
        *info = t->info;
        return DSC_OK;
    }
    return error_set(err, DSC_BAD_ARGUMENT, "the plan has kept no FP32 value \"%.100s\"", name);
}

// ---- checking and measuring ---------------------------------------------------------------------------------------

dsc_status dsc_reference_run(const dsc_model *model, const dsc_shape *shapes, uint32_t shape_count,
                             const void *const *inputs, dsc_reference **out, dsc_error *err) {
    graph *g;
    dsc_status status = model_borrow_weights(model, err);
    if (status != DSC_OK) return status;
    status = model_specialise(model, shapes, shape_count, &g, err);
    if (status == DSC_OK) {
        status = reference_run(g, inputs, out, err);
        graph_free(g);
    }
    model_return_weights(model);
    return status;
}

double dsc_measure_peak_gflops(dsc_isa isa) {
    dsc_isa best = dsc_isa_best();
    return peak_gflops(isa == DSC_ISA_BEST || isa > best ? best : isa);
}
