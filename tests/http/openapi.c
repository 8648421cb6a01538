// SPDX-License-Identifier: Apache-2.0
//
// A validator for one document.
#define _GNU_SOURCE
#include "tests/http/openapi.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct check {
    const cJSON *document;
    char *why; // 300 bytes
} check;

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool complain(const check *c, const char *at, const char *what) {
    (void)snprintf(c->why, 300, "%s: %s", at, what);
    return false;
}

// Follows {"$ref": "#/a/b/c"}.
static const cJSON *resolve(const check *c, const cJSON *item) {
    const cJSON *ref = get(item, "$ref");
    if (ref == NULL) return item;
    char path[200];
    (void)snprintf(path, sizeof path, "%s", ref->valuestring);
    const cJSON *at = c->document;
    char *rest = path + 2;
    for (char *key = strsep(&rest, "/"); key != NULL && at != NULL; key = strsep(&rest, "/")) at = get(at, key);
    return at;
}

static bool is_type(const cJSON *value, const char *type) {
    if (strcmp(type, "object") == 0) return cJSON_IsObject(value);
    if (strcmp(type, "array") == 0) return cJSON_IsArray(value);
    if (strcmp(type, "string") == 0) return cJSON_IsString(value);
    if (strcmp(type, "boolean") == 0) return cJSON_IsBool(value);
    if (strcmp(type, "null") == 0) return cJSON_IsNull(value);
    if (strcmp(type, "integer") == 0) return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
    return strcmp(type, "number") == 0 && cJSON_IsNumber(value);
}

static bool matches_type(const cJSON *value, const cJSON *type) {
    if (cJSON_IsString(type)) return is_type(value, type->valuestring);
    for (const cJSON *one = type->child; one != NULL; one = one->next) {
        if (is_type(value, one->valuestring)) return true;
    }
    return false;
}

static bool matches(const check *c, const cJSON *schema, const cJSON *value, const char *at);

static bool matches_object(const check *c, const cJSON *schema, const cJSON *value, const char *at) {
    const cJSON *properties = get(schema, "properties"), *more = get(schema, "additionalProperties");
    for (const cJSON *name = cJSON_IsObject(value) ? get(schema, "required") : NULL; name != NULL; name = NULL) {
        for (const cJSON *one = name->child; one != NULL; one = one->next) {
            if (get(value, one->valuestring) == NULL) return complain(c, at, one->valuestring);
        }
    }
    for (const cJSON *member = cJSON_IsObject(value) ? value->child : NULL; member != NULL; member = member->next) {
        const cJSON *known = get(properties, member->string);
        if (known == NULL && cJSON_IsFalse(more)) return complain(c, member->string, "is not in the schema");
        if (known == NULL && cJSON_IsObject(more)) known = more;
        if (known != NULL && !matches(c, known, member, member->string)) return false;
    }
    return true;
}

static bool matches_array(const check *c, const cJSON *schema, const cJSON *value, const char *at) {
    const cJSON *items = get(schema, "items"), *least = get(schema, "minItems"), *most = get(schema, "maxItems");
    if (!cJSON_IsArray(value)) return true;
    int count = cJSON_GetArraySize(value);
    if ((least != NULL && count < least->valuedouble) || (most != NULL && count > most->valuedouble))
        return complain(c, at, "has another number of elements");
    for (const cJSON *item = value->child; items != NULL && item != NULL; item = item->next) {
        if (!matches(c, items, item, at)) return false;
    }
    return true;
}

static bool is_among(const cJSON *list, const cJSON *value) {
    for (const cJSON *one = list->child; one != NULL; one = one->next) {
        if (cJSON_Compare(one, value, true)) return true;
    }
    return false;
}

static bool matches_one(const check *c, const cJSON *schemas, const cJSON *value, const char *at) {
    int count = 0;
    for (const cJSON *one = schemas->child; one != NULL; one = one->next) count += matches(c, one, value, at);
    return count == 1 || complain(c, at, "is not exactly one of the schemas");
}

static bool matches_keyword(const check *c, const cJSON *schema, const cJSON *keyword, const cJSON *value,
                            const char *at) {
    const char *name = keyword->string;
    if (strcmp(name, "type") == 0) return matches_type(value, keyword) || complain(c, at, "has another type");
    if (strcmp(name, "properties") == 0 || strcmp(name, "required") == 0 || strcmp(name, "additionalProperties") == 0)
        return matches_object(c, schema, value, at);
    if (strcmp(name, "items") == 0 || strcmp(name, "minItems") == 0 || strcmp(name, "maxItems") == 0)
        return matches_array(c, schema, value, at);
    if (strcmp(name, "enum") == 0) return is_among(keyword, value) || complain(c, at, "is not among the values");
    if (strcmp(name, "const") == 0) return cJSON_Compare(keyword, value, true) || complain(c, at, "has another value");
    if (strcmp(name, "oneOf") == 0) return matches_one(c, keyword, value, at);
    if (strcmp(name, "minimum") == 0)
        return !cJSON_IsNumber(value) || value->valuedouble >= keyword->valuedouble || complain(c, at, "is too small");
    return strcmp(name, "description") == 0 || complain(c, name, "is a keyword that this check does not know");
}

static bool matches(const check *c, const cJSON *schema, const cJSON *value, const char *at) {
    schema = resolve(c, schema);
    if (schema == NULL) return complain(c, at, "a reference that leads nowhere");
    for (const cJSON *keyword = schema->child; keyword != NULL; keyword = keyword->next) {
        if (!matches_keyword(c, schema, keyword, value, at)) return false;
    }
    return true;
}

// "{name}" takes a segment, or its part ahead of ':'.
static bool fits(const char *template, const char *path) {
    while (*template != '\0' && *template == *path) {
        template ++;
        path++;
    }
    if (*template != '{') return *template == *path;
    template = strchr(template, '}') + 1;
    size_t length = strcspn(path, "/:");
    return length > 0 && fits(template, path + length);
}

const cJSON *openapi_operation(const cJSON *document, const char *method, const char *path) {
    const cJSON *paths = get(document, "paths"), *fixed = get(paths, path);
    if (get(fixed, method) != NULL) return get(fixed, method);
    for (const cJSON *one = paths->child; one != NULL; one = one->next) {
        if (fits(one->string, path) && get(one, method) != NULL) return get(one, method);
    }
    return NULL;
}

bool openapi_check(const cJSON *document, const cJSON *operation, const openapi_reply *reply, char why[300]) {
    const check c = {document, why};
    char status[16];
    (void)snprintf(status, sizeof status, "%d", reply->status);
    const cJSON *responses = get(operation, "responses"), *response = get(responses, status);
    (void)snprintf(status, sizeof status, "%dXX", reply->status / 100);
    if (response == NULL) response = get(responses, status);
    if (response == NULL) return complain(&c, status, "the status is not in the description");
    const cJSON *media = get(get(resolve(&c, response), "content"), reply->content_type);
    if (media == NULL) return complain(&c, reply->content_type, "the media type is not in the description");
    if (strstr(reply->content_type, "json") == NULL) return true;
    const char *end = NULL;
    cJSON *body = cJSON_ParseWithOpts(reply->body, &end, true);
    bool is_ok =
        body != NULL ? matches(&c, get(media, "schema"), body, "the body") : complain(&c, "the body", "is no JSON");
    cJSON_Delete(body);
    return is_ok;
}
