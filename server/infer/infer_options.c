// SPDX-License-Identifier: Apache-2.0
// topk, profile, timeout_ms and so on, from the query or from a JSON request's parameters.
#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/infer/classify.h"
#include "server/infer/infer_parts.h"
#include "server/infer/infer_priority.h"

#define TOPK_MAX       CLASSIFY_TOP_MAX
#define TIMEOUT_MS_MAX 3600000

static bool set_topk(infer_options *options, double value, fault *f) {
    if (!(value >= 0 && value <= TOPK_MAX) || value > floor(value))
        return fault_set(f, 400, "topk must be a whole number from 0 to %d", TOPK_MAX);
    options->has_topk = true;
    options->topk = (uint32_t)value;
    return true;
}

static bool set_timeout(infer_options *options, double value, fault *f) {
    if (!(value >= 0.001 && value <= TIMEOUT_MS_MAX))
        return fault_set(f, 400, "timeout_ms must be above 0 and at most %d", TIMEOUT_MS_MAX);
    options->has_timeout = true;
    options->timeout_ns = (uint64_t)(value * 1e6);
    return true;
}

// Triton's: in microseconds; 0 is none.
static bool set_timeout_us(infer_options *options, double value, fault *f) {
    if (!(value >= 0 && value <= TIMEOUT_MS_MAX * 1e3) || value > floor(value))
        return fault_set(f, 400, "parameters.timeout must be a whole number of microseconds from 0 to %.0f",
                         TIMEOUT_MS_MAX * 1e3);
    if (value > 0) options->has_timeout = true;
    if (value > 0) options->timeout_ns = (uint64_t)(value * 1e3);
    return true;
}

// The queue has learnt it before, by infer_priority_find(): here it is only checked.
static bool set_priority(infer_options *options, double value, fault *f) {
    if (!(value >= 0 && value <= INFER_PRIORITY_MAX) || value > floor(value))
        return fault_set(f, 400, "priority must be a whole number from 0 to %.0f", INFER_PRIORITY_MAX);
    options->priority = (uint64_t)value;
    return true;
}

static bool set_profile(infer_options *options, const char *value, fault *f) {
    static const struct {
        const char *name;
        infer_profile profile;
    } names[] = {{"layers", INFER_PROFILE_LAYERS}, {"1", INFER_PROFILE_LAYERS},       {"true", INFER_PROFILE_LAYERS},
                 {"none", INFER_PROFILE_NONE},     {"0", INFER_PROFILE_NONE},         {"false", INFER_PROFILE_NONE},
                 {"off", INFER_PROFILE_NONE},      {"summary", INFER_PROFILE_SUMMARY}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(value, names[i].name) != 0) continue;
        options->profile = names[i].profile;
        return true;
    }
    return fault_set(f, 400, "profile is \"%s\"; it must be layers, summary or none", value);
}

static bool set_server_timing(infer_options *options, const char *value, fault *f) {
    options->layer_timing = strcmp(value, "layers") == 0;
    options->no_server_timing = strcmp(value, "none") == 0;
    if (options->layer_timing || options->no_server_timing || strcmp(value, "phases") == 0) return true;
    return fault_set(f, 400, "server_timing is \"%s\"; it must be phases, layers or none", value);
}

// A plain decimal; -1 for anything else, which every check refuses.
static double read_number(const char *text) {
    if (strspn(text, "0123456789.") != strlen(text) || !*text) return -1;
    char *end = NULL;
    double value = strtod(text, &end);
    return *end ? -1 : value;
}

static bool set_digest(infer_options *options, const char *value, fault *f) {
    options->digest = strcmp(value, "sha256") == 0;
    return options->digest || fault_set(f, 400, "digest is \"%s\"; it must be sha256", value);
}

static const char *const names[] = {"topk", "profile", "timeout_ms", "priority", "server_timing", "digest"};
#define NAME_COUNT (sizeof names / sizeof names[0])

int infer_options_find(const char *key) {
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (strcmp(key, names[i]) == 0) return (int)i;
    }
    return -1;
}

#define WORD_MAX 24

// Small letters and digits alone; "" where there are too many to be one of ours.
static size_t fold(const char *text, char out[WORD_MAX]) {
    size_t length = 0;
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text)) continue;
        if (length == WORD_MAX) return 0;
        out[length++] = (char)tolower((unsigned char)*text);
    }
    return length;
}

// How many letters must be changed, put in or left out to make one word of the other.
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t row[WORD_MAX + 1];
    for (size_t k = 0; k <= b_length; k++) row[k] = k;
    for (size_t i = 0; i < a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < b_length; k++) {
            size_t best = diagonal + (a[i] != b[k]);
            if (row[k] + 1 < best) best = row[k] + 1;
            if (row[k + 1] + 1 < best) best = row[k + 1] + 1;
            diagonal = row[k + 1];
            row[k + 1] = best;
        }
    }
    return row[b_length];
}

// Clients and proxies add arguments of their own, which are passed over; one that is nearly ours is a slip, which would
// go unnoticed.
static bool check_unknown(const char *key, fault *f) {
    char word[WORD_MAX], name[WORD_MAX];
    size_t length = fold(key, word);
    for (size_t i = 0; i < NAME_COUNT && length > 0; i++) {
        size_t name_length = fold(names[i], name);
        if (distance(word, length, name, name_length) <= (name_length < 6 ? 1 : 2))
            return fault_set(f, 400, "\"%.100s\" is no argument of an inference; is \"%s\" meant?", key, names[i]);
    }
    return true;
}

bool infer_options_set(infer_options *options, const char *key, const char *value, fault *f) {
    if (strcmp(key, "topk") == 0) return set_topk(options, read_number(value), f);
    if (strcmp(key, "timeout_ms") == 0) return set_timeout(options, read_number(value), f);
    if (strcmp(key, "profile") == 0) return set_profile(options, value, f);
    if (strcmp(key, "server_timing") == 0) return set_server_timing(options, value, f);
    if (strcmp(key, "digest") == 0) return set_digest(options, value, f);
    if (strcmp(key, "priority") == 0) return set_priority(options, read_number(value), f);
    return check_unknown(key, f);
}

// As the query's; and what only Triton's clients send.
static bool set_parameter(const cJSON *item, infer_request *request, fault *f) {
    infer_options *options = &request->options;
    double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (strcmp(item->string, "topk") == 0) return set_topk(options, number, f);
    if (strcmp(item->string, "timeout_ms") == 0) return set_timeout(options, number, f);
    if (strcmp(item->string, "timeout") == 0) return set_timeout_us(options, number, f);
    if (strcmp(item->string, "priority") == 0) return set_priority(options, number, f);
    if (strcmp(item->string, "profile") == 0) {
        if (cJSON_IsBool(item)) return set_profile(options, cJSON_IsTrue(item) ? "true" : "false", f);
        const char *word = number >= 1 && number <= 1 ? "1" : number >= 0 && number <= 0 ? "0" : "a number";
        return set_profile(options, cJSON_IsString(item) ? item->valuestring : word, f);
    }
    if (strcmp(item->string, "server_timing") == 0)
        return set_server_timing(options, cJSON_IsString(item) ? item->valuestring : "", f);
    if (strcmp(item->string, "digest") == 0)
        return set_digest(options, cJSON_IsString(item) ? item->valuestring : "", f);
    if (strcmp(item->string, "binary_data_output") == 0) {
        if (!cJSON_IsBool(item)) return fault_set(f, 400, "parameters.binary_data_output must be true or false");
        request->all_binary = cJSON_IsTrue(item);
    }
    return true; // others are somebody else's business
}

bool infer_check_no_region(const cJSON *parameters, const char *what, const char *name, fault *f) {
    if (!infer_member(parameters, "shared_memory_region")) return true;
    return fault_set(f, 501, "%s \"%.200s\": there is no shared memory at this server; tensors travel in the body",
                     what, name);
}

bool infer_json_parameters(const cJSON *parameters, infer_request *request, fault *f) {
    if (!parameters) return true;
    if (!cJSON_IsObject(parameters)) return fault_set(f, 400, "parameters must be an object");
    for (const cJSON *item = parameters->child; item; item = item->next) {
        if (!cJSON_IsString(item) && !cJSON_IsNumber(item) && !cJSON_IsBool(item))
            return fault_set(f, 400, "parameters.%.100s must be a string, a number, true or false", item->string);
        if (!set_parameter(item, request, f)) return false;
    }
    return true;
}
