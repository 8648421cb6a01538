// SPDX-License-Identifier: Apache-2.0
// Forms as browsers and `curl -F` send them.
#define _GNU_SOURCE
#include "server/infer/multipart.h"

#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70 // RFC 2046
#define HEADERS_MAX  8192

// The value of parameter `name` in "type; a=b; c=\"d\"", into `out`; false where it is absent. Too long ones are cut.
static bool parameter(const char *header, const char *header_end, const char *name, char *out, size_t room) {
    size_t length = strlen(name);
    bool is_quoted = false;
    for (const char *p = header; p < header_end; p++) {
        if (*p == '"') is_quoted = !is_quoted;
        if (*p != ';' || is_quoted) continue;
        const char *key = p + 1;
        while (key < header_end && (*key == ' ' || *key == '\t')) key++;
        if ((size_t)(header_end - key) <= length || strncasecmp(key, name, length) != 0 || key[length] != '=') continue;
        const char *value = key + length + 1;
        bool in_quotes = value < header_end && *value == '"';
        size_t used = 0;
        for (value += in_quotes; value < header_end && *value != (in_quotes ? '"' : ';'); value++) {
            if (in_quotes && *value == '\\' && value + 1 < header_end) value++;
            if (!in_quotes && (*value == ' ' || *value == '\t')) break;
            if (used + 1 < room) out[used++] = *value;
        }
        out[used] = '\0';
        return true;
    }
    return false;
}

bool multipart_open(const char *content_type, const uint8_t *bytes, size_t size, multipart *out, fault *f) {
    char boundary[BOUNDARY_MAX + 2];
    if (!parameter(content_type, content_type + strlen(content_type), "boundary", boundary, sizeof boundary) ||
        boundary[0] == '\0' || strlen(boundary) > BOUNDARY_MAX)
        return fault_set(f, 400, "multipart/form-data needs a boundary of 1 to %d characters in its Content-Type",
                         BOUNDARY_MAX);
    *out = (multipart){.delimiter = "\r\n--", .at = (const char *)bytes, .end = (const char *)bytes + size};
    out->delimiter_size = 4 + strlen(boundary);
    memcpy(out->delimiter + 4, boundary, strlen(boundary));
    // The first delimiter stands at the beginning, or behind a preamble that counts for nothing.
    if (size >= out->delimiter_size - 2 && memcmp(bytes, out->delimiter + 2, out->delimiter_size - 2) == 0) {
        out->at += out->delimiter_size - 2;
        return true;
    }
    const char *first = memmem(bytes, size, out->delimiter, out->delimiter_size);
    if (first == NULL) return fault_set(f, 400, "the form's boundary \"%s\" is not in the body", boundary);
    out->at = first + out->delimiter_size;
    return true;
}

// The headers of a part, up to the empty line: only the name in Content-Disposition is of interest.
static bool read_part_headers(const char *p, const char *end, multipart_part *out) {
    static const char wanted[] = "content-disposition:";
    bool has_name = false;
    while (p < end) {
        const char *line_end = memmem(p, (size_t)(end - p), "\r\n", 2);
        if (line_end == NULL) line_end = end;
        if ((size_t)(line_end - p) > sizeof wanted - 1 && strncasecmp(p, wanted, sizeof wanted - 1) == 0) {
            char ignored[4];
            has_name = parameter(p, line_end, "name", out->name, sizeof out->name);
            out->has_file = parameter(p, line_end, "filename", ignored, sizeof ignored) ||
                            parameter(p, line_end, "filename*", ignored, sizeof ignored);
        }
        p = line_end + 2;
    }
    return has_name;
}

bool multipart_next(multipart *m, multipart_part *out, bool *has_part, fault *f) {
    *has_part = false;
    *out = (multipart_part){0};
    if (m->end - m->at >= 2 && memcmp(m->at, "--", 2) == 0) return true;
    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t')) m->at++; // padding that RFC 2046 allows
    if (m->end - m->at < 2 || memcmp(m->at, "\r\n", 2) != 0)
        return fault_set(f, 400, "the form is cut off, or a boundary in it is followed by something else");
    // A part without headers begins with an empty line at once.
    size_t left = (size_t)(m->end - m->at);
    const char *blank = memmem(m->at, left < HEADERS_MAX ? left : HEADERS_MAX, "\r\n\r\n", 4);
    if (blank == NULL)
        return fault_set(f, 400, "a part of the form has no end of its headers within %d bytes", HEADERS_MAX);
    if (!read_part_headers(m->at + 2, blank, out))
        return fault_set(f, 400, "a part of the form has no name in a Content-Disposition header");
    const char *start = blank + 4;
    // An empty part's delimiter begins with the empty line's own line break.
    const char *stop = memmem(blank + 2, (size_t)(m->end - blank - 2), m->delimiter, m->delimiter_size);
    if (stop == NULL) return fault_set(f, 400, "the part \"%s\" of the form has no end", out->name);
    out->bytes = (const uint8_t *)start;
    out->size = stop > start ? (size_t)(stop - start) : 0;
    m->at = stop + m->delimiter_size;
    *has_part = true;
    return true;
}
