// SPDX-License-Identifier: Apache-2.0
//
// The corridor of an inference on a worker. Every room either passes the work on or leaves a fault; all leave by the
// same door.
#define _GNU_SOURCE
#include "server/http/pipeline.h"

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/http/job.h"
#include "server/http/server_timing.h"
#include "server/http/service.h"
#include "server/image/preprocess.h"
#include "server/model/model_store.h"

#include <inttypes.h>
#include <string.h>

typedef struct work {
    job *job;
    uint32_t member;
    model_version *version;
    infer_request request;
    planned *planned;
    dsc_plan *plan;
    dsc_session *session;
    infer_profile detail;
    bool only_preprocess;
    buffer members; // further members of the answer
    fault fault;
} work;

// ---- rooms ----------------------------------------------------------------------------------------------------

// A job may have waited until nobody wants it any more.
static bool still_wanted(work *w) {
    if (__atomic_load_n(&w->job->cancel, __ATOMIC_RELAXED) != 0) {
        return fault_set(&w->fault, 499, "cancelled before it was begun");
    }
    if (clock_ns() < w->job->inference.deadline_ns) return true;
    return fault_set(&w->fault, 504, "the deadline passed while the request waited for a worker");
}

static bool open_request(work *w) {
    job *j = w->job;
    const char *header_length = j->request.headers[HEADER_inference_header_length];
    body_facts facts = {
        .content_type = j->request.headers[HEADER_content_type],
        .has_header_length = header_length != NULL,
        .bytes = j->request.body,
        .size = j->request.body_size,
        .input_bytes = model_version_input_bytes(w->version),
        .takes_multiples = model_version_takes_multiples(w->version),
    };
    if (header_length != NULL && !body_header_length(header_length, &facts.header_length, &w->fault)) return false;
    const infer_signature *signature = model_version_signature(w->version);
    if (!infer_request_open(&facts, signature, &j->inference.options, &w->request, &w->fault)) return false;
    if (w->request.image_count != 0 && model_version_preprocess(w->version) == NULL) {
        return fault_set(&w->fault, 415, "%s", model_version_no_images(w->version));
    }
    // What the body asks for counts, but can only shorten the deadline that admission gave.
    const infer_options *options = &w->request.options;
    uint64_t own_ns = j->times.began_ns + options->timeout_ns;
    if (options->has_timeout && own_ns < j->inference.deadline_ns) j->inference.deadline_ns = own_ns;
    j->inference.format = infer_reply_format(&w->request, j->inference.format);
    w->detail = options->profile;
    if (w->detail == INFER_PROFILE_DEFAULT) {
        reply_format format = j->inference.format;
        bool has_layers = format == REPLY_JSON || format == REPLY_CSV || format == REPLY_TRACE;
        w->detail = has_layers ? INFER_PROFILE_LAYERS : INFER_PROFILE_NONE;
    }
    return true;
}

static bool take_session(work *w) {
    dsc_shape shapes[INFER_INPUTS_MAX];
    dsc_error err = {0};
    bool has_values = false;
    uint32_t count = model_version_signature(w->version)->input_count;
    model_version_shapes(w->version, shapes); // an image has the model's own
    if (w->request.image_count != 0) {
        shapes[0].dims[0] = w->request.image_count;
    } else {
        count = infer_request_shapes(&w->request, shapes);
        const infer_signature *signature = model_version_signature(w->version);
        if (!infer_request_values(&w->request, signature, shapes, &w->fault)) return false;
        has_values = signature->deciding != 0;
    }
    dsc_status status = plan_cache_take(model_version_plans(w->version), shapes, count, w->member, &w->planned, &err);
    if (status == DSC_BAD_MODEL) err.status = DSC_BAD_ARGUMENT; // it was good with the shapes that it was loaded with
    if (status == DSC_UNSUPPORTED && has_values) err.status = DSC_BAD_VALUE; // others may do
    if (status != DSC_OK) return fault_from_engine(&w->fault, "the request's shapes", &err);
    w->plan = planned_plan(w->planned);
    w->session = planned_session(w->planned, w->member);
    return true;
}

// Which of several images a fault is about.
static void name_image(work *w, uint32_t index) {
    char text[sizeof w->fault.text];
    memcpy(text, w->fault.text, sizeof text);
    (void)fault_set(&w->fault, w->fault.http_status, "image %" PRIu32 " of %" PRIu32 ": %.460s", index + 1,
                    w->request.image_count, text);
}

// What the decoder found, for who asked for the tensor alone.
static void describe_image(work *w, uint32_t index, const decode_stats *stats) {
    buffer_printf(&w->members,
                  "%s{\"format\":\"%s\",\"width\":%" PRIu32 ",\"height\":%" PRIu32 ",\"orientation\":%" PRIu32
                  ",\"reduced_by\":%" PRIu32 "}",
                  index == 0 ? ",\"images\":[" : ",", body_kind_name(w->request.images[index].kind), stats->width,
                  stats->height, stats->orientation, stats->shrink);
    if (index + 1 == w->request.image_count) buffer_char(&w->members, ']');
}

// Where an image's numbers go. Nobody but the network reads them: into the order that its first layer wants.
static void place_image(const work *w, uint32_t index, const dsc_tensor_info *info, dsc_image_target *target) {
    bool is_read = w->only_preprocess || w->request.options.digest;
    float *pixels = is_read || target->layout != DSC_LAYOUT_NCHW
                        ? NULL
                        : dsc_session_input_pixels(w->session, 0, index, &target->row_step);
    if (pixels)
        target->layout = DSC_LAYOUT_NHWC;
    else
        pixels = (float *)(void *)((char *)dsc_session_input(w->session, 0) + index * dsc_tensor_bytes(info));
    target->data = pixels;
}

static bool decode_images(work *w) {
    job *j = w->job;
    const dsc_preprocess *preprocess = model_version_preprocess(w->version);
    dsc_tensor_info info = dsc_plan_input(w->plan, 0);
    dsc_image_target target = {0};
    info.dims[0] = 1; // one at a time
    if (!preprocess_target(&info, &target, &w->fault)) return false;
    decode_limits limits = decode_limits_default();
    limits.pixels = j->service->settings->max_pixels;
    limits.accept_truncated = j->service->settings->accept_truncated;
    limits.deadline_ns = j->inference.deadline_ns;
    bool is_ok = true;
    for (uint32_t i = 0; i < w->request.image_count && is_ok; i++) {
        decode_source source = w->request.images[i];
        decode_stats stats = {0};
        source.limits = &limits;
        dsc_image_target place = target;
        place_image(w, i, &info, &place);
        is_ok = decode_image(&source, preprocess, &place, &stats, &w->fault);
        j->inference.decode_ns += stats.decode_ns;
        j->inference.preprocess_ns += stats.preprocess_ns;
        if (!is_ok && w->request.image_count > 1) name_image(w, i);
        if (is_ok && w->only_preprocess) describe_image(w, i, &stats);
    }
    return is_ok;
}

static bool fill_inputs(work *w) {
    if (w->request.image_count != 0) return decode_images(w);
    uint64_t began_ns = clock_ns();
    for (uint32_t i = 0; i < w->request.input_count; i++) {
        if (!infer_request_fill(&w->request, i, dsc_session_input(w->session, i), &w->fault)) return false;
    }
    w->job->inference.decode_ns += clock_ns() - began_ns;
    return true;
}

static bool add_digest(work *w) {
    if (!w->request.options.digest) return true;
    digest_part parts[INFER_INPUTS_MAX];
    uint32_t count = dsc_plan_input_count(w->plan);
    for (uint32_t i = 0; i < count; i++) {
        dsc_tensor_info info = dsc_plan_input(w->plan, i);
        parts[i] = (digest_part){dsc_session_input(w->session, i), dsc_tensor_bytes(&info)};
    }
    digest_text(parts, count, w->job->reply.digest);
    buffer_printf(&w->members, ",\"input_digest\":\"%s\"", w->job->reply.digest);
    return true;
}

// How far a run came that ended early.
static bool late_fault(work *w) {
    uint32_t rows = dsc_plan_row_count(w->plan), reached = dsc_session_profile(w->session).reached_row;
    const char *name = reached < rows ? dsc_plan_rows(w->plan)[reached].name : "its end";
    return fault_set(&w->fault, 504, "the deadline passed at layer %" PRIu32 " of %" PRIu32 " (%.200s)",
                     reached < rows ? reached + 1 : rows, rows, name);
}

static bool run_network(work *w) {
    job *j = w->job;
    dsc_error err = {0};
    const dsc_run_options options = {
        .deadline_ns = j->inference.deadline_ns,
        .cancel = &j->cancel,
        .profile = w->detail == INFER_PROFILE_LAYERS || w->request.options.layer_timing,
    };
    uint64_t began_ns = clock_ns();
    dsc_status status = dsc_session_run(w->session, j->service->pool, &options, &err);
    j->inference.inference_ns = status == DSC_OK ? dsc_session_profile(w->session).inference_ns : clock_ns() - began_ns;
    model_version_count(w->version, status == DSC_OK, j->inference.inference_ns);
    if (status == DSC_OK) return true;
    if (status == DSC_DEADLINE) return late_fault(w);
    if (status == DSC_CANCELLED) return fault_set(&w->fault, 499, "cancelled while it ran");
    return fault_from_engine(&w->fault, "the inference", &err);
}

// ---- the reply ------------------------------------------------------------------------------------------------

static void list_outputs(const work *w, reply_output out[INFER_OUTPUTS_MAX]) {
    bool is_any_binary = w->request.all_binary;
    for (uint32_t i = 0; i < w->request.output_count; i++) is_any_binary |= w->request.outputs[i].binary;
    for (uint32_t i = 0; i < w->request.output_count; i++) {
        const infer_output *wanted = &w->request.outputs[i];
        out[i] = (reply_output){
            .info = dsc_session_output_info(w->session, wanted->index),
            .data = dsc_session_output(w->session, wanted->index),
            .binary = is_any_binary ? wanted->binary : true, // Accept alone asked: all
            .classification = wanted->classification,
        };
    }
}

static reply_timing timing_of(const job *j) {
    return (reply_timing){
        .receive_ns = j->times.received_ns - j->times.began_ns,
        .queue_ns = j->times.taken_ns - j->times.received_ns,
        .decode_ns = j->inference.decode_ns,
        .preprocess_ns = j->inference.preprocess_ns,
        .inference_ns = j->inference.inference_ns,
        .encode_start_ns = clock_ns(),
        .start_ns = j->times.began_ns,
    };
}

// Writes the answer, but for what both kinds of answers have in common.
static bool write_reply(work *w, infer_reply *answer, const reply_profile *profile) {
    job *j = w->job;
    size_t json_size = REPLY_NO_HEADER_LENGTH;
    reply_format format = j->inference.format;
    const reply_timing timing = timing_of(j);
    bool has_members = w->members.size > 0;
    if (has_members) buffer_char(&w->members, '\0');
    if (!buffer_ok(&w->members)) return fault_no_memory(&w->fault);
    answer->model_name = model_version_model_name(w->version);
    answer->model_version = model_version_name(w->version);
    answer->id = w->request.id;
    answer->timing = &timing;
    answer->members = has_members ? w->members.data : NULL;
    bool is_ok = infer_reply_write(answer, format, &j->reply.body, &json_size, &w->fault);
    j->inference.encode_ns = clock_ns() - timing.encode_start_ns;
    if (!is_ok) return false;
    const infer_options *options = &w->request.options;
    if (!options->no_server_timing) {
        server_timing_write(j, options->layer_timing ? profile : NULL, &j->reply.server_timing);
        buffer_char(&j->reply.server_timing, '\0');
    }
    if (format == REPLY_BYTES) j->reply.header_length = json_size;
    reply_ok(&j->reply, reply_content_type(format));
    return true;
}

// The network's input, instead of what it makes of it.
static bool encode_tensor(work *w) {
    reply_format format = w->job->inference.format;
    if (format != REPLY_JSON && format != REPLY_NPY && format != REPLY_BYTES)
        return fault_set(&w->fault, 406,
                         "a preprocessed tensor comes as application/json, application/x-npy or "
                         "application/octet-stream");
    const reply_output tensor = {
        .info = dsc_plan_input(w->plan, 0), .data = dsc_session_input(w->session, 0), .binary = true};
    buffer_text(&w->members, ",\"preprocess\":");
    preprocess_to_json(model_version_preprocess(w->version), &w->members);
    infer_reply answer = {.output_count = 1, .outputs = &tensor};
    return write_reply(w, &answer, NULL);
}

static bool encode_reply(work *w) {
    dsc_profile times = dsc_session_profile(w->session);
    reply_output outputs[INFER_OUTPUTS_MAX];
    list_outputs(w, outputs);
    const reply_profile profile = {
        .detail = w->detail,
        .isa = dsc_plan_isa(w->plan),
        .threads = times.threads,
        .cost = dsc_plan_cost(w->plan),
        .rows = dsc_plan_rows(w->plan),
        .row_ns = times.rows != 0 ? times.row_ns : NULL,
        .row_count = dsc_plan_row_count(w->plan),
    };
    classify_settings classes = *model_version_classes(w->version);
    if (w->request.options.has_topk) classes.top_k = w->request.options.topk;
    infer_reply answer = {
        .output_count = w->request.output_count,
        .outputs = outputs,
        .classes = &classes,
        .profile = w->detail == INFER_PROFILE_NONE ? NULL : &profile,
    };
    return write_reply(w, &answer, &profile);
}

// What this model would take instead (RFC 9110, 15.5.16).
static const char *accepted_types(const work *w) {
    if (model_version_signature(w->version)->input_count != 1) return "application/json, application/octet-stream";
    if (model_version_preprocess(w->version) == NULL)
        return "application/json, application/octet-stream, application/x-npy";
    return "image/jpeg, image/png, image/webp, application/x-npy, application/json, application/octet-stream, "
           "multipart/form-data";
}

static void answer_fault(work *w) {
    job *j = w->job;
    int status = w->fault.http_status;
    if (status == 415 && !j->reply.offers_codings) j->reply.accepts = accepted_types(w);
    // Cancelled either because the client left, who will not read this, or because the time to drain is over.
    if (status == 499 && service_get_phase(j->service) >= SERVICE_DRAINING) status = 503;
    reply_problem(&j->reply, status, "%s",
                  status == 503 && w->fault.http_status == 499 ? "the server is stopping; try another one"
                                                               : w->fault.text);
}

// A batch counts as so many inferences, where the model leaves its size free.
static uint64_t batch_of(const work *w) {
    const infer_signature *signature = model_version_signature(w->version);
    bool is_free = w->plan != NULL && signature->input_count > 0 && signature->inputs[0].rank > 0 &&
                   signature->inputs[0].dims[0] == -1;
    return is_free ? (uint64_t)dsc_plan_input(w->plan, 0).dims[0] : 1;
}

static void record(const work *w, bool is_ok) {
    const job *j = w->job;
    const job_inference *times = &j->inference;
    const model_sample sample = {
        .is_success = is_ok,
        .batch_size = batch_of(w),
        .total_ns = clock_ns() - j->times.received_ns,
        .queue_ns = j->times.taken_ns - j->times.received_ns,
        .input_ns = times->decode_ns + times->preprocess_ns,
        .infer_ns = times->inference_ns,
        .output_ns = times->encode_ns,
    };
    model_version_record(w->version, &sample);
}

static bool fill_session(work *w) {
    uint64_t began_ns = clock_ns();
    bool is_ok = still_wanted(w) && job_unpack_body(w->job, &w->fault) && open_request(w);
    w->job->inference.decode_ns = clock_ns() - began_ns;
    if (is_ok && w->only_preprocess && w->request.image_count == 0)
        return fault_set(&w->fault, 400, "there is no image in the request, so nothing to preprocess");
    return is_ok && take_session(w) && fill_inputs(w) && add_digest(w);
}

static void leave(work *w, bool is_ok) {
    if (!is_ok) answer_fault(w);
    plan_cache_return(model_version_plans(w->version), w->planned);
    infer_request_close(&w->request);
    buffer_close(&w->members);
}

void pipeline_run(job *j, uint32_t member) {
    work w = {.job = j, .member = member, .version = j->inference.version};
    buffer_init(&w.members, 0);
    bool is_ok = fill_session(&w) && run_network(&w) && encode_reply(&w);
    record(&w, is_ok);
    leave(&w, is_ok);
}

void pipeline_preprocess(job *j, uint32_t member) {
    work w = {.job = j, .member = member, .version = j->inference.version, .only_preprocess = true};
    buffer_init(&w.members, 0);
    leave(&w, fill_session(&w) && encode_tensor(&w));
}
