// SPDX-License-Identifier: Apache-2.0
// Triton's form of classes: a BYTES tensor of strings "score:index" or "score:index:label", the best first.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "server/infer/infer_reply.h"

typedef void (*class_writer)(buffer *b, const char *text, bool is_first);

static void write_json_string(buffer *b, const char *text, bool is_first) {
    if (!is_first) buffer_char(b, ',');
    buffer_json_string(b, text);
}

static void write_with_length(buffer *b, const char *text, bool is_first) {
    (void)is_first;
    size_t length = strlen(text);
    const uint8_t prefix[4] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
                               (uint8_t)(length >> 24)};
    buffer_append(b, prefix, sizeof prefix);
    buffer_append(b, text, length);
}

static void write_all(buffer *b, const infer_reply *reply, const reply_output *output, class_writer write) {
    size_t rows, classes;
    classify_entry best[CLASSIFY_TOP_MAX];
    if (!classify_shape(&output->info, &rows, &classes)) return;
    bool softmax = reply->classes && reply->classes->softmax;
    uint32_t k = output->classification < classes ? output->classification : (uint32_t)classes;
    if (k > CLASSIFY_TOP_MAX) return; // refused by check_classes()
    for (size_t row = 0; row < rows; row++) {
        const float *scores = (const float *)output->data + row * classes;
        uint32_t count = classify_top(scores, classes, k, softmax, best);
        for (uint32_t i = 0; i < count; i++) {
            const char *label = reply->classes ? classify_label(reply->classes, classes, best[i].index) : NULL;
            char text[600];
            (void)snprintf(text, sizeof text, "%f:%u%s%.500s", best[i].score, best[i].index, label ? ":" : "",
                           label ? label : "");
            write(b, text, row + i == 0);
        }
    }
}

void infer_reply_class_strings(buffer *b, const infer_reply *reply, const reply_output *output) {
    write_all(b, reply, output, write_json_string);
}

void infer_reply_class_bytes(buffer *b, const infer_reply *reply, const reply_output *output) {
    write_all(b, reply, output, write_with_length);
}

uint32_t infer_reply_class_dims(const reply_output *output, int64_t dims[2]) {
    size_t rows = 0, classes = 0;
    (void)classify_shape(&output->info, &rows, &classes);
    int64_t k = output->classification < classes ? output->classification : (int64_t)classes;
    dims[0] = output->info.rank > 1 ? (int64_t)rows : k;
    dims[1] = k;
    return output->info.rank > 1 ? 2 : 1;
}
