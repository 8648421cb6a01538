// SPDX-License-Identifier: Apache-2.0
// A scanner that is driven from outside.
#include "server/infer/json_pull.h"

#include <string.h>

#include "server/base/number.h"
#include "server/infer/json_text.h"

json_pull json_pull_open(const char *text, size_t size, fault *f) {
    return (json_pull){.begin = text, .p = json_text_begin(text, text + size), .end = text + size, .f = f};
}

static bool bad(const json_pull *j, const char *what) {
    return fault_set(j->f, 400, "the JSON is malformed at byte %zu: %s", (size_t)(j->p - j->begin), what);
}

char json_pull_peek(json_pull *j) {
    j->p = json_text_space(j->p, j->end);
    return j->p < j->end ? *j->p : '\0';
}

bool json_part_is(const json_part *part, const char *word) {
    return part->size == strlen(word) && memcmp(part->text, word, part->size) == 0;
}

bool json_pull_enter(json_pull *j, char bracket) {
    if (json_pull_peek(j) != bracket) return bad(j, bracket == '{' ? "an object is missing" : "an array is missing");
    if (++j->depth > JSON_CUT_DEPTH) return fault_set(j->f, 413, "the JSON is nested over %d deep", JSON_CUT_DEPTH);
    j->p++;
    j->is_first = true;
    return true;
}

// Ahead of an element: takes the comma, or the closing bracket.
static bool next(json_pull *j, char closing, bool *has) {
    bool is_first = j->is_first;
    char c = json_pull_peek(j);
    j->is_first = false;
    *has = c != closing;
    if (c == closing) {
        j->depth--;
        j->p++;
        return true;
    }
    if (is_first) return c != '\0' || bad(j, "a closing bracket is missing");
    if (c != ',') return bad(j, "a comma or a closing bracket is missing");
    j->p++;
    return true;
}

bool json_pull_next_element(json_pull *j, bool *has) {
    return next(j, ']', has);
}

bool json_pull_next_member(json_pull *j, json_part *key, bool *has) {
    if (!next(j, '}', has)) return false;
    if (!*has) return true;
    if (json_pull_peek(j) != '"') return bad(j, "a key in quotes is missing");
    if (!json_pull_string(j, key)) return false;
    if (json_pull_peek(j) != ':') return bad(j, "a colon is missing after a key");
    j->p++;
    return true;
}

bool json_pull_string(json_pull *j, json_part *out) {
    const char *why = NULL;
    if (json_pull_peek(j) != '"') return bad(j, "a string is missing");
    const char *behind = json_text_string(&j->p, j->end, &why), *from = j->p;
    if (behind == NULL) return bad(j, why);
    j->p = behind;
    *out = (json_part){from + 1, (size_t)(behind - from) - 2};
    return true;
}

static bool skip_plain(json_pull *j) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(j->end - j->p) < length || memcmp(j->p, words[i], length) != 0) continue;
        j->p += length;
        return true;
    }
    double value;
    const char *behind = j->p < j->end ? number_read_double(j->p, &value) : NULL;
    if (behind == NULL || behind > j->end) return bad(j, "a value is missing, or a number is not one of JSON");
    j->p = behind;
    return true;
}

static bool skip_array(json_pull *j) {
    const char *why = NULL;
    const char *behind = json_text_array(&j->p, j->end, JSON_CUT_DEPTH - j->depth, &why);
    if (behind != NULL) {
        j->p = behind;
        return true;
    }
    if (why == NULL) return fault_set(j->f, 413, "the JSON is nested over %d deep", JSON_CUT_DEPTH);
    return bad(j, why);
}

static bool skip_container(json_pull *j) {
    char open[JSON_CUT_DEPTH + 1];
    uint32_t top = 0;
    bool has;
    json_part ignored;
    do {
        char c = json_pull_peek(j);
        if (c == '{' || c == '[') {
            if (!json_pull_enter(j, c)) return false;
            open[top++] = c;
        } else if (c == '"' ? !json_pull_string(j, &ignored) : !skip_plain(j)) {
            return false;
        }
        do { // ahead of the next value, out of all containers that end here
            bool is_object = open[top - 1] == '{';
            if (is_object ? !json_pull_next_member(j, &ignored, &has) : !json_pull_next_element(j, &has)) return false;
            top -= !has;
        } while (!has && top > 0);
    } while (top > 0);
    return true;
}

bool json_pull_skip(json_pull *j) {
    json_part ignored;
    switch (json_pull_peek(j)) {
        case '{':
        case '[': return skip_container(j);
        case '"': return json_pull_string(j, &ignored);
        default: return skip_plain(j);
    }
}

bool json_pull_value(json_pull *j, json_part *out) {
    bool is_array = json_pull_peek(j) == '[';
    const char *from = j->p;
    if (is_array ? !skip_array(j) : !json_pull_skip(j)) return false;
    *out = (json_part){from, (size_t)(j->p - from)};
    return true;
}

bool json_pull_end(json_pull *j) {
    return json_pull_peek(j) == '\0' && j->p == j->end ? true : bad(j, "there is more after its end");
}
