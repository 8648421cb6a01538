// SPDX-License-Identifier: Apache-2.0
//
// Replies against an OpenAPI description: the part of JSON Schema that server/routes/openapi.json uses. A keyword that
// is not known fails the check, so that none is overlooked.
#ifndef DSCD_TESTS_OPENAPI_H
#define DSCD_TESTS_OPENAPI_H

#include <cjson/cJSON.h>
#include <stdbool.h>

// The operation of `method` ("get") at a path, fixed ones ahead of templates; NULL where there is none.
const cJSON *openapi_operation(const cJSON *document, const char *method, const char *path);
// Whether a reply is as the operation says: status, media type, and a JSON body by its schema. What is wrong goes to
// `why`.
typedef struct openapi_reply {
    int status;
    const char *content_type; // without parameters
    const char *body;
} openapi_reply;
bool openapi_check(const cJSON *document, const cJSON *operation, const openapi_reply *reply, char why[300]);

#endif
