// SPDX-License-Identifier: Apache-2.0
// Forms: every file is an image, and several make a batch; every other field is an option, as in the query.
#include <stdio.h>
#include <string.h>

#include "server/infer/infer_parts.h"
#include "server/infer/multipart.h"

#define FIELDS_MAX 64

// A text field: an option by its name, each of them once. Others are passed over, whatever they hold, as pages add
// tokens and notes of their own; one with zeros in it was meant to be an image.
static bool read_field(const infer_context *c, const multipart_part *part, unsigned *given, fault *f) {
    char value[64];
    int option = infer_options_find(part->name);
    if (strcmp(part->name, "priority") == 0)
        return fault_set(f, 400, "a form is read when it has left the queue: give the priority in the query");
    if (memchr(part->bytes, '\0', part->size))
        return fault_set(f, 400, "the form's field \"%s\" is no option, and no image either", part->name);
    if (option < 0) return infer_options_set(&c->request->options, part->name, "", f);
    if (*given & 1u << option) return fault_set(f, 400, "the form gives the field \"%s\" twice", part->name);
    if (part->size >= sizeof value)
        return fault_set(f, 400, "the form's field \"%s\" has %zu bytes; no value of it is that long", part->name,
                         part->size);
    *given |= 1u << option;
    memcpy(value, part->bytes, part->size);
    value[part->size] = '\0';
    return infer_options_set(&c->request->options, part->name, value, f);
}

static bool read_parts(const infer_context *c, multipart *m, infer_blob *blobs, size_t *count, fault *f) {
    size_t fields = 0;
    unsigned given = 0; // a bit for each option
    for (;;) {
        multipart_part part;
        body_kind kind;
        bool has_part;
        if (!multipart_next(m, &part, &has_part, f)) return false;
        if (!has_part) return true;
        if (body_signature(part.bytes, part.size, &kind)) {
            if (*count == INFER_IMAGES_MAX)
                return fault_set(f, 413, "the form has more than %d images", INFER_IMAGES_MAX);
            blobs[(*count)++] = (infer_blob){part.bytes, part.size};
        } else if (part.has_file) {
            char what[100];
            (void)snprintf(what, sizeof what, "the form's file \"%.70s\"", part.name);
            return body_fault_no_image(what, part.bytes, part.size, f);
        } else if (++fields > FIELDS_MAX) {
            return fault_set(f, 413, "the form has more than %d fields", FIELDS_MAX);
        } else if (!read_field(c, &part, &given, f)) {
            return false;
        }
    }
}

bool infer_form_open(const infer_context *c, fault *f) {
    const body_facts *facts = c->facts;
    multipart m;
    size_t count = 0;
    infer_blob *blobs = infer_own(c->request, INFER_IMAGES_MAX * sizeof *blobs);
    if (!blobs) return fault_no_memory(f);
    if (!multipart_open(facts->content_type, facts->bytes, facts->size, &m, f)) return false;
    if (!read_parts(c, &m, blobs, &count, f)) return false;
    if (count == 0) return fault_set(f, 400, "the form has no image; send one with curl -F image=@photo.jpg");
    body_kind kind;
    if (count == 1 && body_signature(blobs[0].bytes, blobs[0].size, &kind) && kind == BODY_NPY)
        return infer_npy_open(c, blobs[0].bytes, blobs[0].size, f);
    return infer_images_open(c, blobs, count, f);
}
