// SPDX-License-Identifier: Apache-2.0
// The .npy header is a Python dictionary with three keys in any order: descr, fortran_order and shape. It is read by a
// small parser of just that, because everything else in there is either damage or an attack.
#include "server/image/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADER_MAX 65536

typedef struct npy_text {
    const char *p, *end;
    fault *f;
} npy_text;

typedef struct npy_header {
    bool has_descr, has_order, has_shape, fortran;
    char descr[16];
} npy_header;

static bool bad(const npy_text *t, const char *what) {
    return fault_set(t->f, 400, "the .npy header is malformed: %s", what);
}

static void skip_space(npy_text *t) {
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n')) t->p++;
}

static bool accept(npy_text *t, char c) {
    skip_space(t);
    if (t->p == t->end || *t->p != c) return false;
    t->p++;
    return true;
}

static bool read_string(npy_text *t, char *out, size_t room) {
    skip_space(t);
    if (t->p == t->end || (*t->p != '\'' && *t->p != '"')) return bad(t, "a string in quotes is missing");
    char quote = *t->p++;
    size_t size = 0;
    while (t->p < t->end && *t->p != quote && size + 1 < room) out[size++] = *t->p++;
    out[size] = '\0';
    if (t->p == t->end || *t->p != quote) return bad(t, "a string is not closed, or too long");
    t->p++;
    return true;
}

static bool read_word(npy_text *t, const char *word) {
    size_t length = strlen(word);
    skip_space(t);
    if ((size_t)(t->end - t->p) < length || memcmp(t->p, word, length) != 0) return false;
    t->p += length;
    return true;
}

static bool read_dimension(npy_text *t, int64_t *out) {
    skip_space(t);
    const char *from = t->p;
    int64_t value = 0;
    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *t->p - '0', &value))
            return bad(t, "a dimension is beyond 64 bits");
    }
    *out = value;
    return t->p > from || bad(t, "the shape must hold numbers");
}

static bool read_shape(npy_text *t, npy_view *view) {
    if (!accept(t, '(')) return bad(t, "the shape must stand in ( )");
    while (!accept(t, ')')) {
        if (view->rank == DSC_MAX_RANK)
            return fault_set(t->f, 400, "the .npy array has over %d dimensions", DSC_MAX_RANK);
        if (!read_dimension(t, &view->dims[view->rank++])) return false;
        if (accept(t, ',')) continue;
        if (!accept(t, ')')) return bad(t, "the shape is not closed");
        if (view->rank == 1) return bad(t, "a shape of one dimension needs a comma, as in (5,)");
        break;
    }
    return true;
}

static bool read_entry(npy_text *t, npy_header *header, npy_view *view) {
    char key[16];
    if (!read_string(t, key, sizeof key)) return false;
    if (!accept(t, ':')) return bad(t, "a colon is missing after a key");
    bool *seen = strcmp(key, "descr") == 0           ? &header->has_descr
                 : strcmp(key, "fortran_order") == 0 ? &header->has_order
                 : strcmp(key, "shape") == 0         ? &header->has_shape
                                                     : NULL;
    if (!seen) return bad(t, "an unknown key; there are descr, fortran_order and shape");
    if (*seen) return bad(t, "a key stands twice");
    *seen = true;
    if (seen == &header->has_shape) return read_shape(t, view);
    if (seen == &header->has_order) {
        header->fortran = read_word(t, "True");
        return header->fortran || read_word(t, "False") || bad(t, "fortran_order must be True or False");
    }
    skip_space(t);
    if (t->p < t->end && *t->p == '[')
        return fault_set(t->f, 400, "the .npy array has a structured type; a plain one is needed, such as float32");
    return read_string(t, header->descr, sizeof header->descr);
}

static bool read_dictionary(npy_text *t, npy_header *header, npy_view *view) {
    if (!accept(t, '{')) return bad(t, "it must be a dictionary in { }");
    while (!accept(t, '}')) {
        if (!read_entry(t, header, view)) return false;
        if (accept(t, ',')) continue;
        if (!accept(t, '}')) return bad(t, "the dictionary is not closed");
        break;
    }
    skip_space(t);
    if (t->p != t->end) return bad(t, "there is more after the dictionary");
    if (!header->has_descr || !header->has_order || !header->has_shape)
        return bad(t, "descr, fortran_order or shape is missing");
    return true;
}

static bool find_dtype(const char *descr, dsc_dtype *out, fault *f) {
    static const struct {
        char name[4];
        dsc_dtype dtype;
    } types[] = {{"f4", DSC_F32}, {"f8", DSC_F64}, {"f2", DSC_F16}, {"u1", DSC_U8},  {"i1", DSC_I8},  {"u2", DSC_U16},
                 {"i2", DSC_I16}, {"u4", DSC_U32}, {"u8", DSC_U64}, {"i4", DSC_I32}, {"i8", DSC_I64}, {"b1", DSC_BOOL}};
    const char *name = descr + (*descr && strchr("<>|=", *descr) ? 1 : 0);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(name, types[i].name) != 0) continue;
        if (*descr == '>' && dsc_dtype_bytes(types[i].dtype) > 1)
            return fault_set(f, 400, "the .npy array is big-endian (%s); convert it with astype(\"<%s\")", descr, name);
        *out = types[i].dtype;
        return true;
    }
    return fault_set(f, 400, "the .npy array is of type \"%s\", which is not supported; float32 and uint8 are, for two",
                     descr);
}

static bool measure(npy_view *view, size_t rest, fault *f) {
    uint64_t elements = 1, bytes;
    for (uint32_t i = 0; i < view->rank; i++) {
        if (__builtin_mul_overflow(elements, (uint64_t)view->dims[i], &elements))
            return fault_set(f, 400, "the .npy array's shape has more elements than 64 bits can count");
    }
    if (__builtin_mul_overflow(elements, (uint64_t)dsc_dtype_bytes(view->dtype), &bytes) || bytes != rest)
        return fault_set(f, 400,
                         "the .npy file has %zu bytes of data; its shape and type ask for %" PRIu64 " elements of %zu",
                         rest, elements, dsc_dtype_bytes(view->dtype));
    view->elements = elements;
    view->data_size = (size_t)bytes;
    return true;
}

// The header's length field has two bytes in version 1 and four in 2 and 3.
static bool find_header(const uint8_t *bytes, size_t size, npy_text *text, fault *f) {
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0) return fault_set(f, 400, "the body is not an .npy file");
    unsigned major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return fault_set(f, 400, "the .npy file is of version %u.%u; 1.0, 2.0 and 3.0 are known", major, minor);
    size_t start = major == 1 ? 10 : 12;
    if (size < start) return fault_set(f, 400, "the .npy file is cut off in its header");
    uint64_t length = bytes[8] | (uint64_t)bytes[9] << 8;
    if (major > 1) length |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    if (length > HEADER_MAX)
        return fault_set(f, 400, "the .npy header has %" PRIu64 " bytes; %d are allowed", length, HEADER_MAX);
    if (length > size - start) return fault_set(f, 400, "the .npy file is cut off in its header");
    const char *p = (const char *)bytes + start;
    *text = (npy_text){p, p + length, f};
    return true;
}

bool npy_parse(const uint8_t *bytes, size_t size, npy_view *out, fault *f) {
    npy_text text = {0};
    npy_header header = {0};
    npy_view view = {0};
    if (!find_header(bytes, size, &text, f)) return false;
    const uint8_t *data = (const uint8_t *)text.end;
    if (!read_dictionary(&text, &header, &view)) return false;
    if (!find_dtype(header.descr, &view.dtype, f)) return false;
    if (header.fortran && view.rank > 1)
        return fault_set(f, 400, "the .npy array is in Fortran order; convert it with numpy.ascontiguousarray()");
    view.data = data;
    if (!measure(&view, size - (size_t)(data - bytes), f)) return false;
    *out = view;
    return true;
}

static const char *descr_of(dsc_dtype dtype) {
    switch (dtype) {
        case DSC_F32: return "<f4";
        case DSC_F64: return "<f8";
        case DSC_F16: return "<f2";
        case DSC_U8: return "|u1";
        case DSC_I8: return "|i1";
        case DSC_I32: return "<i4";
        case DSC_I64: return "<i8";
        case DSC_BOOL: return "|b1";
        case DSC_BF16: // NumPy has none: its bits
        case DSC_U16: return "<u2";
        case DSC_I16: return "<i2";
        case DSC_U32: return "<u4";
        case DSC_U64: return "<u8";
    }
    return "|u1";
}

void npy_write(buffer *b, const dsc_tensor_info *info, const void *data) {
    char header[256] = "";
    int used =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of(info->dtype));
    for (uint32_t i = 0; i < info->rank; i++)
        used += snprintf(header + used, sizeof header - (size_t)used, "%" PRId64 "%s", info->dims[i],
                         i + 1 < info->rank ? ", "
                         : info->rank == 1  ? ","
                                            : "");
    used += snprintf(header + used, sizeof header - (size_t)used, "), }");
    size_t length = ((size_t)used + 1 + 10 + 63) / 64 * 64 - 10; // so that the data is aligned
    buffer_append(b, "\x93NUMPY\x01\0", 8);
    buffer_char(b, (char)(length & 255));
    buffer_char(b, (char)(length >> 8));
    buffer_append(b, header, (size_t)used);
    for (size_t i = (size_t)used + 1; i < length; i++) buffer_char(b, ' ');
    buffer_char(b, '\n');
    buffer_append(b, data, dsc_tensor_bytes(info));
}
