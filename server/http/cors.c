// SPDX-License-Identifier: Apache-2.0
//
// Origins against the setting's list.
#include "server/http/cors.h"

#include "server/http/job.h"
#include "server/http/service.h"

#include <string.h>

bool cors_varies(const job *j) {
    const char *origins = j->service->settings->cors_origins;
    return *origins != '\0' && strcmp(origins, "*") != 0;
}

const char *cors_allowed(const job *j) {
    const char *origins = j->service->settings->cors_origins, *origin = j->request.headers[HEADER_origin];
    if (*origins == '\0' || origin == NULL) return NULL;
    if (strcmp(origins, "*") == 0) return "*";
    size_t length = strlen(origin);
    for (const char *at = origins; *at != '\0';) {
        at += strspn(at, ", ");
        size_t item = strcspn(at, ", ");
        if (item == length && length != 0 && memcmp(at, origin, length) == 0) return origin;
        at += item;
    }
    return NULL;
}
