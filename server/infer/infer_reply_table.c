// SPDX-License-Identifier: Apache-2.0
// Classes and layers as JSON, lines of text and CSV.
#include "server/infer/infer_reply.h"

typedef struct class_rows {
    const float *scores;
    size_t rows, classes;
} class_rows;

// The first output that can be read as classes.
static bool find_classes(const infer_reply *reply, class_rows *out) {
    if (!reply->classes || reply->classes->top_k == 0) return false;
    for (uint32_t i = 0; i < reply->output_count; i++) {
        const reply_output *output = &reply->outputs[i];
        if (!classify_shape(&output->info, &out->rows, &out->classes)) continue;
        out->scores = output->data;
        return true;
    }
    return false;
}

static uint32_t best_of(const class_rows *rows, size_t row, const classify_settings *settings, classify_entry *best) {
    uint32_t k = settings->top_k < CLASSIFY_TOP_MAX ? settings->top_k : CLASSIFY_TOP_MAX;
    return classify_top(rows->scores + row * rows->classes, rows->classes, k, settings->softmax, best);
}

static void write_class(buffer *b, const infer_reply *reply, const class_rows *rows, const classify_entry *entry) {
    const char *label = classify_label(reply->classes, rows->classes, entry->index);
    buffer_text(b, "{\"class\":");
    buffer_i64(b, classify_class(reply->classes, entry->index));
    if (label) {
        buffer_text(b, ",\"label\":");
        buffer_json_string(b, label);
    }
    buffer_text(b, ",\"score\":");
    buffer_float(b, (float)entry->score);
    buffer_char(b, '}');
}

bool infer_reply_classification(buffer *b, const infer_reply *reply) {
    class_rows rows;
    classify_entry best[CLASSIFY_TOP_MAX];
    if (!find_classes(reply, &rows)) return false;
    buffer_char(b, '[');
    for (size_t row = 0; row < rows.rows; row++) {
        buffer_text(b, row ? ",[" : "[");
        uint32_t count = best_of(&rows, row, reply->classes, best);
        for (uint32_t i = 0; i < count; i++) {
            if (i) buffer_char(b, ',');
            write_class(b, reply, &rows, &best[i]);
        }
        buffer_char(b, ']');
    }
    buffer_char(b, ']');
    return true;
}

// A label is one field of one line, whatever is in it.
static void write_label(buffer *b, const char *label) {
    for (; label && *label; label++) buffer_char(b, (unsigned char)*label < 0x20 ? ' ' : *label);
}

bool infer_reply_text(buffer *b, const infer_reply *reply) {
    class_rows rows;
    classify_entry best[CLASSIFY_TOP_MAX];
    if (!find_classes(reply, &rows)) return false;
    for (size_t row = 0; row < rows.rows; row++) {
        if (row) buffer_char(b, '\n'); // a blank line between the images of a batch
        uint32_t count = best_of(&rows, row, reply->classes, best);
        for (uint32_t i = 0; i < count; i++) {
            buffer_printf(b, "%.6f\t", best[i].score); // columns of one width
            buffer_i64(b, classify_class(reply->classes, best[i].index));
            buffer_char(b, '\t');
            write_label(b, classify_label(reply->classes, rows.classes, best[i].index));
            buffer_char(b, '\n');
        }
    }
    return true;
}

static void write_dims(buffer *b, uint32_t rank, const int64_t *dims) {
    for (uint32_t i = 0; i < rank; i++) {
        if (i) buffer_char(b, 'x');
        buffer_i64(b, dims[i]);
    }
}

static void write_line(buffer *b, const dsc_row *row, const uint64_t *ns) {
    buffer_csv_field(b, row->name);
    buffer_printf(b, ",%s,", dsc_kind_name(row->kind));
    buffer_csv_field(b, row->kernel);
    buffer_printf(b, ",%u,", row->step);
    for (uint32_t i = 0; i < row->input_count && i < DSC_ROW_INPUTS; i++) {
        if (i) buffer_char(b, ' ');
        write_dims(b, row->inputs[i].rank, row->inputs[i].dims);
    }
    buffer_char(b, ',');
    write_dims(b, row->output.rank, row->output.dims);
    buffer_char(b, ',');
    if (ns) buffer_u64(b, *ns);
    buffer_char(b, ',');
    buffer_u64(b, row->multiplications);
    buffer_char(b, ',');
    buffer_u64(b, row->vanilla_multiplications);
    buffer_text(b, "\r\n");
}

void infer_reply_layers_csv(buffer *b, const reply_profile *profile) {
    buffer_text(b, "name,kind,kernel,step,inputs,output,time_ns,multiplications,vanilla_multiplications\r\n");
    for (uint32_t i = 0; i < profile->row_count; i++)
        write_line(b, &profile->rows[i], profile->row_ns ? &profile->row_ns[i] : NULL);
}
