// SPDX-License-Identifier: Apache-2.0
// RFC 8259's grammar with a stack of our own, so that depth costs nothing. Inside a `data` array only brackets and
// strings are followed: its elements are checked when they are read, by tensor_json.c.
#include "server/infer/json_cut.h"

#include <string.h>

#include "server/base/number.h"
#include "server/infer/json_text.h"

typedef enum json_key { KEY_OTHER, KEY_INPUTS, KEY_DATA, KEY_IMAGE } json_key;

typedef struct scanner {
    const char *begin, *p, *end;
    const char *copied; // what lies ahead of it is in the skeleton
    buffer *skeleton;
    json_cuts *cuts;
    fault *f;
    uint32_t depth, values;
    char open[JSON_CUT_DEPTH + 1]; // '{' or '[' per depth, from 1
    json_key key[4];               // the last key of the object at depths 1 to 3
    uint32_t input;                // the element of `inputs` that is open, if in_inputs
    bool in_inputs, seen_inputs;
} scanner;

static bool bad(const scanner *s, const char *what) {
    return fault_set(s->f, 400, "the JSON is malformed at byte %zu: %s", (size_t)(s->p - s->begin), what);
}

static void skip_space(scanner *s) {
    s->p = json_text_space(s->p, s->end);
}

// From the opening quote to behind the closing one.
static bool skip_string(scanner *s) {
    const char *why = NULL, *behind = json_text_string(&s->p, s->end, &why);
    if (behind == NULL) return bad(s, why);
    s->p = behind;
    return true;
}

static bool replace(scanner *s, const char *from, const char *with) {
    buffer_append(s->skeleton, s->copied, (size_t)(from - s->copied));
    buffer_text(s->skeleton, with);
    s->copied = s->p;
    return true;
}

// A whole array, its brackets counted, from '[' to behind its ']'.
static bool skip_array(scanner *s) {
    const char *why = NULL, *behind = json_text_array(&s->p, s->end, JSON_CUT_DEPTH - s->depth, &why);
    if (behind == NULL && why == NULL) return fault_set(s->f, 413, "the JSON is nested over %d deep", JSON_CUT_DEPTH);
    if (behind == NULL) return bad(s, why);
    s->p = behind;
    return true;
}

static bool cut_data(scanner *s) {
    json_part *part = &s->cuts->data[s->input];
    const char *from = s->p;
    if (part->text) return bad(s, "\"data\" stands twice in one input");
    if (!skip_array(s)) return false;
    *part = (json_part){from, (size_t)(s->p - from)};
    return replace(s, from, "[]");
}

static bool cut_image(scanner *s) {
    const char *from = s->p;
    if (s->cuts->image_b64.text) return bad(s, "\"image_b64\" stands twice");
    if (!skip_string(s)) return false;
    s->cuts->image_b64 = (json_part){from + 1, (size_t)(s->p - from) - 2};
    return replace(s, from, "\"\"");
}

static bool skip_word(scanner *s, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(s->end - s->p) < length || memcmp(s->p, word, length) != 0) return bad(s, "an unknown word");
    s->p += length;
    return true;
}

// The reader of numbers wants a byte behind the number; the last one of a text is a bracket, or all of this fails.
static bool skip_number(scanner *s) {
    double value;
    const char *next = s->p < s->end ? number_read_double(s->p, &value) : NULL;
    if (!next) return bad(s, "a value is missing, or a number is not one of JSON (or beyond a double)");
    s->p = next;
    return true;
}

static bool at_key(const scanner *s, uint32_t depth, json_key key) {
    return s->depth == depth && s->open[depth] == '{' && s->key[depth] == key;
}

static bool open_container(scanner *s) {
    if (s->depth == JSON_CUT_DEPTH) return fault_set(s->f, 413, "the JSON is nested over %d deep", JSON_CUT_DEPTH);
    if (*s->p == '[' && at_key(s, 1, KEY_INPUTS)) {
        if (s->seen_inputs) return bad(s, "\"inputs\" stands twice");
        s->seen_inputs = s->in_inputs = true;
        s->input = 0;
    }
    s->open[++s->depth] = *s->p++;
    if (s->depth < 4) s->key[s->depth] = KEY_OTHER;
    return true;
}

static json_key key_of(const scanner *s, const char *text, size_t size) {
    if (s->depth == 1 && size == 6 && memcmp(text, "inputs", 6) == 0) return KEY_INPUTS;
    if (s->depth == 1 && size == 9 && memcmp(text, "image_b64", 9) == 0) return KEY_IMAGE;
    if (s->depth == 3 && s->in_inputs && size == 4 && memcmp(text, "data", 4) == 0) return KEY_DATA;
    return KEY_OTHER;
}

static bool read_key(scanner *s) {
    skip_space(s);
    if (s->p == s->end || *s->p != '"') return bad(s, "a key in quotes is missing");
    const char *from = s->p + 1;
    if (!skip_string(s)) return false;
    if (s->depth < 4) s->key[s->depth] = key_of(s, from, (size_t)(s->p - from) - 1);
    skip_space(s);
    if (s->p == s->end || *s->p != ':') return bad(s, "a colon is missing after a key");
    s->p++;
    return true;
}

// A value that is no container, or one that is cut out whole.
static bool read_plain(scanner *s) {
    switch (*s->p) {
        case '"': return at_key(s, 1, KEY_IMAGE) ? cut_image(s) : skip_string(s);
        case 't': return skip_word(s, "true");
        case 'f': return skip_word(s, "false");
        case 'n': return skip_word(s, "null");
        default: return skip_number(s);
    }
}

// After a value: closes what ends here, and stops ahead of the next value or at the end of the root.
static bool close_containers(scanner *s) {
    while (s->depth > 0) {
        skip_space(s);
        char open = s->open[s->depth];
        if (s->p == s->end) return bad(s, open == '{' ? "an object is not closed" : "an array is not closed");
        if (*s->p == ',') {
            s->p++;
            if (s->depth == 2 && s->in_inputs && ++s->input == JSON_CUT_MAX)
                return fault_set(s->f, 413, "the request has over %d inputs", JSON_CUT_MAX);
            return open == '[' || read_key(s);
        }
        if (*s->p != (open == '{' ? '}' : ']')) return bad(s, "a comma or a closing bracket is missing");
        s->p++;
        if (s->depth-- == 2) s->in_inputs = false;
    }
    return true;
}

// One value; containers are entered, and an empty one is left again.
static bool read_value(scanner *s) {
    skip_space(s);
    if (++s->values > JSON_CUT_VALUES)
        return fault_set(s->f, 413, "the JSON has over %d values beside its data arrays", JSON_CUT_VALUES);
    if (s->p < s->end && *s->p == '[' && at_key(s, 3, KEY_DATA)) return cut_data(s) && close_containers(s);
    if (s->p < s->end && (*s->p == '[' || *s->p == '{')) {
        bool object = *s->p == '{';
        if (!open_container(s)) return false;
        skip_space(s);
        if (s->p == s->end || *s->p != (object ? '}' : ']')) return !object || read_key(s);
        return close_containers(s);
    }
    return s->p < s->end ? read_plain(s) && close_containers(s) : bad(s, "a value is missing");
}

bool json_cut(const char *text, size_t size, json_cuts *cuts, buffer *skeleton, fault *f) {
    const char *begin = json_text_begin(text, text + size);
    scanner s = {
        .begin = text, .p = begin, .end = text + size, .copied = begin, .skeleton = skeleton, .cuts = cuts, .f = f};
    *cuts = (json_cuts){0};
    while (s.end > s.p && strchr(" \n\r\t", s.end[-1]) && s.end[-1]) s.end--;
    if (s.p == s.end) return bad(&s, "it is empty");
    skip_space(&s);
    cuts->is_object = *s.p == '{';
    if ((*s.p != '{' && *s.p != '[') || (s.end[-1] != '}' && s.end[-1] != ']'))
        return bad(&s, "it must be an object in { }, from the first byte to the last");
    do {
        if (!read_value(&s)) return false;
    } while (s.depth > 0);
    if (s.p != s.end) return bad(&s, "there is more after its end");
    buffer_append(skeleton, s.copied, (size_t)(s.p - s.copied));
    if (skeleton->size > JSON_CUT_SKELETON)
        return fault_set(f, 413, "the JSON has over %d bytes beside its data arrays", JSON_CUT_SKELETON);
    return buffer_ok(skeleton) || fault_no_memory(f);
}
