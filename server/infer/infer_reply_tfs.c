// SPDX-License-Identifier: Apache-2.0
// TensorFlow Serving's answers: predictions by rows or by columns, and classes.
#include <inttypes.h>
#include <stdio.h>

#include "server/infer/infer_reply.h"
#include "server/infer/tensor_json.h"

// Row `row` of an output, without its batch dimension.
static void write_row(buffer *b, const reply_output *output, int64_t row) {
    dsc_tensor_info info = output->info;
    info.dims[0] = 1;
    const char *data = (const char *)output->data + dsc_tensor_bytes(&info) * (size_t)row;
    tensor_json_write_nested(b, &info, 1, data);
}

static void write_rows(buffer *b, const infer_reply *reply, int64_t rows) {
    buffer_text(b, "{\"predictions\":[");
    for (int64_t row = 0; row < rows; row++) {
        if (row > 0) buffer_char(b, ',');
        if (reply->output_count == 1) {
            write_row(b, &reply->outputs[0], row);
            continue;
        }
        for (uint32_t i = 0; i < reply->output_count; i++) {
            buffer_char(b, i == 0 ? '{' : ',');
            buffer_json_string(b, reply->outputs[i].info.name);
            buffer_char(b, ':');
            write_row(b, &reply->outputs[i], row);
        }
        buffer_char(b, '}');
    }
    buffer_text(b, "]}\n");
}

bool infer_reply_predictions(buffer *b, const infer_reply *reply, fault *f) {
    int64_t rows = reply->output_count > 0 && reply->outputs[0].info.rank > 0 ? reply->outputs[0].info.dims[0] : -1;
    for (uint32_t i = 0; i < reply->output_count; i++) {
        const dsc_tensor_info *info = &reply->outputs[i].info;
        if (info->rank > 0 && info->dims[0] == rows) continue;
        return fault_set(f, 400,
                         "output \"%.200s\" has no row for every instance; send \"inputs\" instead of \"instances\"",
                         info->name);
    }
    write_rows(b, reply, rows);
    return true;
}

void infer_reply_columns(buffer *b, const infer_reply *reply) {
    buffer_text(b, "{\"outputs\":");
    for (uint32_t i = 0; i < reply->output_count; i++) {
        const reply_output *output = &reply->outputs[i];
        if (reply->output_count > 1) {
            buffer_char(b, i == 0 ? '{' : ',');
            buffer_json_string(b, output->info.name);
            buffer_char(b, ':');
        }
        tensor_json_write_nested(b, &output->info, 0, output->data);
    }
    buffer_text(b, reply->output_count > 1 ? "}}\n" : "}\n");
}

static void write_class(buffer *b, const infer_reply *reply, const classify_entry *entry, size_t classes) {
    const char *label = classify_label(reply->classes, classes, entry->index);
    char number[24];
    (void)snprintf(number, sizeof number, "%" PRId64, classify_class(reply->classes, entry->index));
    buffer_char(b, '[');
    buffer_json_string(b, label != NULL ? label : number);
    buffer_char(b, ',');
    buffer_float(b, (float)entry->score);
    buffer_char(b, ']');
}

bool infer_reply_result(buffer *b, const infer_reply *reply, fault *f) {
    classify_entry best[CLASSIFY_TOP_MAX];
    size_t rows, classes;
    uint32_t index = 0;
    while (index < reply->output_count && !classify_shape(&reply->outputs[index].info, &rows, &classes)) index++;
    if (index == reply->output_count || reply->classes == NULL || reply->classes->top_k == 0)
        return fault_set(f, 400, "this model's outputs cannot be read as classes; use :predict");
    uint32_t k = reply->classes->top_k < CLASSIFY_TOP_MAX ? reply->classes->top_k : CLASSIFY_TOP_MAX;
    buffer_text(b, "{\"result\":[");
    for (size_t row = 0; row < rows; row++) {
        const float *scores = (const float *)reply->outputs[index].data + row * classes;
        uint32_t count = classify_top(scores, classes, k, reply->classes->softmax, best);
        buffer_text(b, row > 0 ? ",[" : "[");
        for (uint32_t i = 0; i < count; i++) {
            if (i > 0) buffer_char(b, ',');
            write_class(b, reply, &best[i], classes);
        }
        buffer_char(b, ']');
    }
    buffer_text(b, "]}\n");
    return true;
}
