// SPDX-License-Identifier: Apache-2.0
// A look for one word, and only where it stands a walk over the text, which jumps over `data` arrays.
#define _GNU_SOURCE
#include "server/infer/infer_priority.h"

#include <math.h>
#include <string.h>

#include "server/base/number.h"
#include "server/infer/json_pull.h"

static uint64_t read_priority(const json_part *value, uint64_t otherwise) {
    double number = 0;
    if (number_read_double(value->text, &number) != value->text + value->size) return otherwise;
    if (!(number >= 0 && number <= INFER_PRIORITY_MAX) || number > floor(number)) return otherwise;
    return (uint64_t)number;
}

static uint64_t read_parameters(json_pull *j, uint64_t otherwise) {
    json_part key, value;
    bool has;
    if (!json_pull_enter(j, '{')) return otherwise;
    while (json_pull_next_member(j, &key, &has) && has && json_pull_value(j, &value)) {
        if (json_part_is(&key, "priority")) return read_priority(&value, otherwise);
    }
    return otherwise;
}

static bool pass_object(json_pull *j) {
    json_part key, value;
    bool has;
    if (!json_pull_enter(j, '{')) return false;
    while (json_pull_next_member(j, &key, &has)) {
        if (!has) return true;
        if (!json_pull_value(j, &value)) return false;
    }
    return false;
}

// A member of the root. `inputs` and `outputs` are arrays of objects, whose own arrays hold no objects.
static bool pass_member(json_pull *j) {
    json_part value;
    bool has;
    if (json_pull_peek(j) != '[') return json_pull_value(j, &value);
    if (!json_pull_enter(j, '[')) return false;
    while (json_pull_next_element(j, &has)) {
        if (!has) return true;
        if (json_pull_peek(j) == '{' ? !pass_object(j) : !json_pull_value(j, &value)) return false;
    }
    return false;
}

uint64_t infer_priority_find(const char *text, size_t size, uint64_t otherwise) {
    static const char word[] = "\"priority\"";
    fault ignored = {0};
    json_part key;
    bool has;
    if (size > INFER_PRIORITY_JSON_BYTES) return otherwise;
    json_pull j = json_pull_open(text, size, &ignored);
    if (json_pull_peek(&j) != '{' || memmem(text, size, word, sizeof word - 1) == NULL) return otherwise;
    if (!json_pull_enter(&j, '{')) return otherwise;
    while (json_pull_next_member(&j, &key, &has) && has) {
        if (json_part_is(&key, "parameters")) return read_parameters(&j, otherwise);
        if (!pass_member(&j)) return otherwise;
    }
    return otherwise;
}
