// SPDX-License-Identifier: Apache-2.0
// Images as a model's input: one, or as many as its batch; as they are, in base64, or as elements of a BYTES tensor.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/base64.h"
#include "server/image/preprocess.h"
#include "server/infer/infer_parts.h"

#define FREE_SIDE 224 // of an image, where the model leaves its size open

// What a request owns, a chain of blocks.
typedef struct owned_block {
    struct owned_block *next;
    max_align_t bytes[];
} owned_block;

void *infer_own(infer_request *request, size_t size) {
    owned_block *block = size <= SIZE_MAX / 2 ? malloc(sizeof *block + size) : NULL;
    if (!block) return NULL;
    block->next = request->owned;
    request->owned = block;
    return block->bytes;
}

void infer_disown(infer_request *request) {
    for (owned_block *block = request->owned, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    request->owned = NULL;
}

static bool choose_kind(const infer_blob *blob, size_t index, size_t count, body_kind *out, fault *f) {
    if (body_signature(blob->bytes, blob->size, out)) return true;
    char what[64];
    (void)snprintf(what, sizeof what, "image %zu of %zu", index + 1, count);
    return body_fault_no_image(what, blob->bytes, blob->size, f);
}

// The batch's free dimension takes the number of images; a fixed one must be that number.
static bool batch_of(const infer_context *c, size_t count, dsc_tensor_info *out, fault *f) {
    dsc_image_target target;
    dsc_tensor_info info = c->model->inputs[0], single = info;
    if (info.rank > 0) single.dims[0] = 1;
    if (!preprocess_target(&single, &target, f)) return false;
    if (info.dims[0] != -1 && info.dims[0] != (int64_t)count)
        return fault_set(f, 400, "the request has %zu image%s; input \"%s\" takes exactly %" PRId64, count,
                         count == 1 ? "" : "s", info.name, info.dims[0]);
    info.dims[0] = (int64_t)count;
    for (uint32_t i = 1; i < info.rank; i++) {
        if (info.dims[i] == -1) info.dims[i] = FREE_SIDE;
    }
    *out = info;
    return true;
}

bool infer_images_open(const infer_context *c, const infer_blob *blobs, size_t count, fault *f) {
    infer_request *request = c->request;
    dsc_tensor_info info;
    if (!infer_check_single_input(c, "an image", f)) return false;
    if (count == 0 || count > INFER_IMAGES_MAX)
        return fault_set(f, count == 0 ? 400 : 413, "the request has %zu images; 1 to %d are taken", count,
                         INFER_IMAGES_MAX);
    if (!batch_of(c, count, &info, f)) return false;
    decode_source *images = infer_own(request, count * sizeof *images);
    if (!images) return fault_no_memory(f);
    for (size_t i = 0; i < count; i++) {
        images[i] = (decode_source){.bytes = blobs[i].bytes, .size = blobs[i].size};
        if (!choose_kind(&blobs[i], i, count, &images[i].kind, f)) return false;
    }
    request->inputs[0] = (infer_input){.info = info};
    request->image_count = (uint32_t)count;
    request->images = images;
    return true;
}

// ---- base64 ---------------------------------------------------------------------------------------------------

// The character of \u00XX at `hex`, the first digit of four, or 0 where it is beyond ASCII.
static char short_escape(const char *hex) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)hex[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c & 0xdf) - 'A' + 10);
    }
    return value < 0x80 ? (char)value : '\0';
}

// JSON writers may escape the slash and line breaks, and some of them '=' or '+' as \u003d and \u002b.
static bool unescape(const char *what, const json_part *text, char *out, size_t *out_size, fault *f) {
    size_t used = 0;
    for (size_t i = 0; i < text->size; i++) {
        if (text->text[i] != '\\') {
            out[used++] = text->text[i];
            continue;
        }
        char c = text->text[++i]; // an escape is whole: who cut the string out saw to it
        if (c == 'u') {
            out[used++] = short_escape(text->text + i + 1); // a zero is no base64, and refused as such
            i += 4;
            continue;
        }
        if (!strchr("/nrt", c)) return fault_set(f, 400, "%s is not base64: it has an escape \"\\%c\"", what, c);
        if (c == '/') out[used++] = '/';
    }
    *out_size = used;
    return true;
}

bool infer_base64_decode(const infer_context *c, const char *what, const json_part *text, infer_blob *out, fault *f) {
    size_t most = base64_decoded_max(text->size), length = 0, bad_at = 0, decoded = 0;
    char *copy = infer_own(c->request, most > text->size ? most : text->size);
    if (!copy) return fault_no_memory(f);
    if (!unescape(what, text, copy, &length, f)) return false;
    const char *start = copy, *comma = length > 5 && memcmp(copy, "data:", 5) == 0 ? memchr(copy, ',', length) : NULL;
    if (comma) start = comma + 1; // a data: URL
    length -= (size_t)(start - copy);
    if (!base64_decode(start, length, (uint8_t *)copy, &decoded, &bad_at))
        return fault_set(f, 400,
                         bad_at < length ? "%s is not base64: byte %zu is foreign to it"
                                         : "%s is not base64: it is cut off at byte %zu",
                         what, bad_at);
    *out = (infer_blob){(const uint8_t *)copy, decoded};
    return true;
}

bool infer_base64_open(const infer_context *c, const json_part *text, fault *f) {
    infer_blob blob = {0};
    body_kind kind;
    if (!infer_base64_decode(c, "image_b64", text, &blob, f)) return false;
    if (!body_signature(blob.bytes, blob.size, &kind))
        return body_fault_no_image("image_b64", blob.bytes, blob.size, f);
    if (kind == BODY_NPY) return infer_npy_open(c, blob.bytes, blob.size, f);
    return infer_images_open(c, &blob, 1, f);
}

// ---- BYTES tensors --------------------------------------------------------------------------------------------

bool infer_bytes_raw(const uint8_t *bytes, size_t size, infer_blob *out) {
    body_kind kind;
    *out = (infer_blob){bytes, size};
    if (body_signature(bytes, size, &kind)) return body_kind_is_image(kind);
    if (size < 4) return false;
    uint32_t length =
        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    *out = (infer_blob){bytes + 4, size - 4};
    return length == size - 4 && body_signature(bytes + 4, size - 4, &kind) && body_kind_is_image(kind);
}

bool infer_bytes_binary(const infer_context *c, const uint8_t *bytes, size_t size, size_t count, fault *f) {
    infer_blob *blobs = infer_own(c->request, count * sizeof *blobs);
    const char *name = c->model->inputs[0].name;
    if (!blobs) return fault_no_memory(f);
    if (count == 1 && infer_bytes_raw(bytes, size, blobs)) return infer_images_open(c, blobs, 1, f);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (size - at < 4)
            return fault_set(f, 400, "input \"%s\": its bytes end ahead of element %zu of %zu", name, i + 1, count);
        const uint8_t *p = bytes + at;
        uint32_t length = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        at += 4;
        if (length > size - at)
            return fault_set(f, 400,
                             "input \"%s\": element %zu is said to have %" PRIu32 " bytes, but only %zu are left", name,
                             i + 1, length, size - at);
        blobs[i] = (infer_blob){bytes + at, length};
        at += length;
    }
    if (at != size)
        return fault_set(f, 400, "input \"%s\": %zu bytes are left behind its %zu elements", name, size - at, count);
    return infer_images_open(c, blobs, count, f);
}

// The next string of an array of strings, nested or not; false at its end. json_cut() saw to quotes and brackets.
static bool next_string(const char **at, const char *end, json_part *out, bool *is_other) {
    const char *p = *at;
    while (p < end && *p != '"') {
        if (!strchr(" \t\r\n,[]", *p) || !*p) *is_other = true;
        p++;
    }
    if (p == end) return false;
    const char *from = ++p;
    while (*p != '"') p += *p == '\\' ? 2 : 1;
    *out = (json_part){from, (size_t)(p - from)};
    *at = p + 1;
    return true;
}

bool infer_bytes_json(const infer_context *c, const json_part *data, size_t count, fault *f) {
    infer_blob *blobs = infer_own(c->request, count * sizeof *blobs);
    const char *name = c->model->inputs[0].name, *at = data->text, *end = data->text + data->size;
    if (!blobs) return fault_no_memory(f);
    json_part text;
    size_t found = 0;
    bool is_other = false;
    char what[80];
    for (; next_string(&at, end, &text, &is_other) && found <= count; found++) {
        if (found == count) continue; // one too many
        (void)snprintf(what, sizeof what, "element %zu of input \"%.40s\"", found, name);
        if (!infer_base64_decode(c, what, &text, &blobs[found], f)) return false;
    }
    if (is_other) return fault_set(f, 400, "input \"%s\": a BYTES tensor as JSON is an array of base64 strings", name);
    if (found != count)
        return fault_set(f, 400, "input \"%s\": its shape asks for %zu elements; data has %s", name, count,
                         found < count ? "fewer" : "more");
    return infer_images_open(c, blobs, count, f);
}
