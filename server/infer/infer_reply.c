// SPDX-License-Identifier: Apache-2.0
// The JSON answer, alone or with binary tensors behind it. `timing` is written last, so that encode_ns holds all of the
// writing but its own line.
#define _GNU_SOURCE
#include "server/infer/infer_reply.h"

#include "server/base/clock.h"
#include "server/image/npy.h"
#include "server/infer/tensor_json.h"

static void write_dims(buffer *b, uint32_t rank, const int64_t *dims) {
    buffer_char(b, '[');
    for (uint32_t i = 0; i < rank; i++) {
        if (i) buffer_char(b, ',');
        buffer_i64(b, dims[i]);
    }
    buffer_char(b, ']');
}

static void write_shape(buffer *b, const char *datatype, uint32_t rank, const int64_t *dims) {
    buffer_printf(b, ",\"datatype\":\"%s\",\"shape\":", datatype);
    write_dims(b, rank, dims);
}

static void write_binary_size(buffer *b, size_t size) {
    buffer_printf(b, ",\"parameters\":{\"binary_data_size\":%zu}", size);
}

static void write_classes(buffer *b, const infer_reply *reply, const reply_output *output, bool binary) {
    int64_t dims[2];
    uint32_t rank = infer_reply_class_dims(output, dims);
    write_shape(b, "BYTES", rank, dims);
    if (binary) {
        buffer strings; // written again behind the JSON: here only their size counts
        buffer_init(&strings, 0);
        infer_reply_class_bytes(&strings, reply, output);
        write_binary_size(b, strings.size);
        buffer_close(&strings);
        return;
    }
    buffer_text(b, ",\"data\":[");
    infer_reply_class_strings(b, reply, output);
    buffer_char(b, ']');
}

static void write_output(buffer *b, const infer_reply *reply, const reply_output *output, bool binary) {
    buffer_text(b, "{\"name\":");
    buffer_json_string(b, output->info.name);
    if (output->classification > 0) {
        write_classes(b, reply, output, binary);
        buffer_char(b, '}');
        return;
    }
    write_shape(b, dsc_dtype_name(output->info.dtype), output->info.rank, output->info.dims);
    if (binary) {
        write_binary_size(b, dsc_tensor_bytes(&output->info));
    } else {
        buffer_text(b, ",\"data\":");
        tensor_json_write(b, &output->info, output->data);
    }
    buffer_char(b, '}');
}

static bool is_binary(const infer_reply *reply, reply_format format, uint32_t index) {
    return format == REPLY_BYTES && reply->outputs[index].binary;
}

static void write_head(buffer *b, const infer_reply *reply) {
    buffer_text(b, "{\"model_name\":");
    buffer_json_string(b, reply->model_name);
    if (reply->model_version) {
        buffer_text(b, ",\"model_version\":");
        buffer_json_string(b, reply->model_version);
    }
    if (reply->id) {
        buffer_text(b, ",\"id\":");
        buffer_json_string(b, reply->id);
    }
}

static void write_layer(buffer *b, const dsc_row *row, const uint64_t *ns) {
    buffer_text(b, "{\"name\":");
    buffer_json_string(b, row->name);
    buffer_printf(b, ",\"kind\":\"%s\",\"kernel\":\"%s\",\"step\":%u,\"inputs\":[", dsc_kind_name(row->kind),
                  row->kernel, row->step);
    for (uint32_t i = 0; i < row->input_count && i < DSC_ROW_INPUTS; i++) {
        if (i) buffer_char(b, ',');
        write_dims(b, row->inputs[i].rank, row->inputs[i].dims);
    }
    buffer_text(b, "],\"output\":");
    write_dims(b, row->output.rank, row->output.dims);
    if (ns) {
        buffer_text(b, ",\"time_ns\":");
        buffer_u64(b, *ns);
    }
    buffer_text(b, ",\"multiplications\":");
    buffer_u64(b, row->multiplications);
    buffer_text(b, ",\"vanilla_multiplications\":");
    buffer_u64(b, row->vanilla_multiplications);
    if (row->elementwise_multiplications > 0) {
        buffer_text(b, ",\"elementwise_multiplications\":");
        buffer_u64(b, row->elementwise_multiplications);
    }
    if (row->fused && row->fused[0]) {
        buffer_text(b, ",\"fused\":");
        buffer_json_string(b, row->fused);
    }
    buffer_char(b, '}');
}

static void write_cost(buffer *b, const dsc_cost *cost) {
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"total", cost->total},         {"depthwise", cost->depthwise},
                  {"pointwise", cost->pointwise}, {"convolution", cost->convolution},
                  {"dense", cost->dense},         {"elementwise", cost->elementwise},
                  {"vanilla", cost->vanilla}};
    buffer_char(b, '{');
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        buffer_printf(b, "\"%s\":", counts[i].name);
        buffer_u64(b, counts[i].value);
        buffer_char(b, ',');
    }
    buffer_text(b, "\"ratio\":");
    buffer_double(b, cost->ratio);
    buffer_char(b, '}');
}

void infer_reply_profile(buffer *b, const reply_profile *profile) {
    buffer_printf(b, "{\"isa\":\"%s\",\"threads\":%u,\"multiplications\":", dsc_isa_name(profile->isa),
                  profile->threads);
    write_cost(b, &profile->cost);
    if (profile->detail == INFER_PROFILE_LAYERS || profile->detail == INFER_PROFILE_DEFAULT) {
        buffer_text(b, ",\"layers\":[");
        for (uint32_t i = 0; i < profile->row_count; i++) {
            if (i) buffer_char(b, ',');
            write_layer(b, &profile->rows[i], profile->row_ns ? &profile->row_ns[i] : NULL);
        }
        buffer_char(b, ']');
    }
    buffer_char(b, '}');
}

static void write_timing(buffer *b, const reply_timing *t) {
    uint64_t now = clock_ns();
    const struct {
        const char *name;
        uint64_t ns;
    } times[] = {{"receive_ns", t->receive_ns},     {"queue_ns", t->queue_ns},
                 {"decode_ns", t->decode_ns},       {"preprocess_ns", t->preprocess_ns},
                 {"inference_ns", t->inference_ns}, {"encode_ns", now - t->encode_start_ns},
                 {"total_ns", now - t->start_ns}};
    buffer_text(b, ",\"timing\":");
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        buffer_printf(b, "%c\"%s\":", i ? ',' : '{', times[i].name);
        buffer_u64(b, times[i].ns);
    }
    buffer_char(b, '}');
}

static void write_json(buffer *b, const infer_reply *reply, reply_format format) {
    write_head(b, reply);
    buffer_text(b, ",\"outputs\":[");
    for (uint32_t i = 0; i < reply->output_count; i++) {
        if (i) buffer_char(b, ',');
        write_output(b, reply, &reply->outputs[i], is_binary(reply, format, i));
    }
    buffer_char(b, ']');
    size_t before = b->size;
    buffer_text(b, ",\"classification\":");
    if (!infer_reply_classification(b, reply) && buffer_ok(b)) b->size = before;
    if (reply->profile && reply->profile->detail != INFER_PROFILE_NONE) {
        buffer_text(b, ",\"profile\":");
        infer_reply_profile(b, reply->profile);
    }
    buffer_text(b, reply->members);
    if (reply->timing) write_timing(b, reply->timing);
    buffer_text(b, "}\n");
}

static void write_bytes(buffer *b, const infer_reply *reply, size_t *json_size) {
    size_t start = b->size;
    write_json(b, reply, REPLY_BYTES);
    *json_size = b->size - start;
    for (uint32_t i = 0; i < reply->output_count; i++) {
        const reply_output *output = &reply->outputs[i];
        if (!is_binary(reply, REPLY_BYTES, i)) continue;
        if (output->classification > 0)
            infer_reply_class_bytes(b, reply, output);
        else
            buffer_append(b, output->data, dsc_tensor_bytes(&output->info));
    }
}

static bool check_classes(const infer_reply *reply, fault *f) {
    size_t rows = 0, classes = 0;
    for (uint32_t i = 0; i < reply->output_count; i++) {
        const reply_output *output = &reply->outputs[i];
        bool is_shaped = output->classification == 0 || classify_shape(&output->info, &rows, &classes);
        if (is_shaped && output->classification > CLASSIFY_TOP_MAX && classes > CLASSIFY_TOP_MAX)
            return fault_set(f, 400, "output \"%.200s\": classification must be at most %d", output->info.name,
                             CLASSIFY_TOP_MAX);
        if (is_shaped) continue;
        return fault_set(f, 400,
                         "output \"%.200s\" cannot be read as classes: it is no FP32 tensor with a row of scores for "
                         "each image",
                         output->info.name);
    }
    return true;
}

bool infer_reply_write(const infer_reply *reply, reply_format format, buffer *b, size_t *json_size, fault *f) {
    size_t size = 0;
    if (!check_classes(reply, f)) return false;
    switch (format) {
        case REPLY_JSON: write_json(b, reply, format); break;
        case REPLY_TEXT:
            if (!infer_reply_text(b, reply) && buffer_ok(b))
                return fault_set(f, 406,
                                 "this answer has no classes for text/plain: the model's outputs are no row of "
                                 "scores, or topk is 0; ask for application/json");
            break;
        case REPLY_CSV:
            if (!reply->profile || reply->profile->detail == INFER_PROFILE_NONE)
                return fault_set(f, 406,
                                 "text/csv is the layer table, which profile=none leaves out; ask for profile=layers");
            infer_reply_layers_csv(b, reply->profile);
            break;
        case REPLY_NPY:
            if (reply->output_count == 0) return fault_set(f, 406, "this answer has no output for application/x-npy");
            npy_write(b, &reply->outputs[0].info, reply->outputs[0].data);
            break;
        case REPLY_TRACE: infer_reply_trace(b, reply); break;
        case REPLY_ROWS:
            if (!infer_reply_predictions(b, reply, f)) return false;
            break;
        case REPLY_COLUMNS: infer_reply_columns(b, reply); break;
        case REPLY_RESULT:
            if (!infer_reply_result(b, reply, f)) return false;
            break;
        case REPLY_BYTES: write_bytes(b, reply, &size); break;
    }
    if (json_size) *json_size = size;
    return buffer_ok(b) || fault_no_memory(f);
}
