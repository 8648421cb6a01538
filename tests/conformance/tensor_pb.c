// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/tensor_pb.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT ((size_t)64 << 20)

// ---- the wire format ----------------------------------------------------------------------------------------------

typedef struct wire {
    const uint8_t *at, *end;
    bool is_bad;
} wire;

typedef struct field {
    uint64_t number, value; // value: of a varint
    unsigned type;          // 0: varint, 1: 8 bytes, 2: length and bytes, 5: 4 bytes
    wire bytes;
} field;

static uint64_t read_varint(wire *w) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (w->at == w->end) break;
        uint8_t byte = *w->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) return value;
    }
    w->is_bad = true;
    return 0;
}

static bool read_field(wire *w, field *f) {
    if (w->is_bad || w->at == w->end) return false;
    uint64_t key = read_varint(w);
    *f = (field){.number = key >> 3, .type = key & 7};
    uint64_t length = 0;
    if (f->type == 0) f->value = read_varint(w);
    if (f->type == 1) length = 8;
    if (f->type == 2) length = read_varint(w);
    if (f->type == 5) length = 4;
    bool is_known = f->type == 0 || f->type == 1 || f->type == 2 || f->type == 5;
    if (w->is_bad || !is_known || length > (uint64_t)(w->end - w->at)) {
        w->is_bad = true;
        return false;
    }
    f->bytes = (wire){w->at, w->at + length, false};
    w->at += length;
    return true;
}

// ---- elements -----------------------------------------------------------------------------------------------------

enum {
    F_DIMS = 1,
    F_TYPE = 2,
    F_FLOAT = 4,
    F_INT32 = 5,
    F_INT64 = 7,
    F_NAME = 8,
    F_RAW = 9,
    F_DOUBLE = 10,
    F_UINT64 = 11
};

static dsc_dtype dtype_of(int64_t onnx_type) {
    switch (onnx_type) {
        case 1: return DSC_F32;
        case 2: return DSC_U8;
        case 3: return DSC_I8;
        case 6: return DSC_I32;
        case 7: return DSC_I64;
        case 9: return DSC_BOOL;
        case 10: return DSC_F16;
        case 11: return DSC_F64;
        case 4: return DSC_U16;
        case 5: return DSC_I16;
        case 12: return DSC_U32;
        case 13: return DSC_U64;
        case 16: return DSC_BF16;
        default: return 0;
    }
}

// The element `index` out of a varint: the low bytes of a little-endian number are the smaller types' own.
static bool put_varint(tensor_pb *t, uint64_t index, uint64_t value) {
    size_t size = dsc_dtype_bytes(t->dtype);
    if (index >= t->count) return false;
    memcpy((char *)t->data + index * size, &value, size);
    return true;
}

// One field that holds elements, one or many; `*filled` counts them.
static bool put_elements(tensor_pb *t, field *f, uint64_t *filled) {
    size_t size = dsc_dtype_bytes(t->dtype);
    bool is_varint = f->number == F_INT32 || f->number == F_INT64 || f->number == F_UINT64;
    if (is_varint && f->type == 0) return put_varint(t, (*filled)++, f->value);
    if (is_varint) {
        while (f->bytes.at < f->bytes.end && !f->bytes.is_bad) {
            uint64_t value = read_varint(&f->bytes);
            if (!put_varint(t, (*filled)++, value)) return false;
        }
        return !f->bytes.is_bad;
    }
    size_t bytes = (size_t)(f->bytes.end - f->bytes.at);
    if (bytes % size || bytes / size > t->count - *filled) return false;
    if (bytes) memcpy((char *)t->data + *filled * size, f->bytes.at, bytes);
    *filled += bytes / size;
    return true;
}

// ---- files --------------------------------------------------------------------------------------------------------

static void *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    char *bytes = file ? malloc(FILE_LIMIT) : NULL;
    if (bytes) {
        *size = fread(bytes, 1, FILE_LIMIT, file);
        if (ferror(file) || *size == FILE_LIMIT) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (file) fclose(file);
    return bytes;
}

static bool read_head(wire w, tensor_pb *t) {
    field f;
    t->count = 1;
    while (read_field(&w, &f)) {
        if (f.number == F_TYPE && f.type == 0) t->onnx_type = (int64_t)f.value;
        if (f.number == F_NAME && f.type == 2) {
            snprintf(t->name, sizeof t->name, "%.*s", (int)(f.bytes.end - f.bytes.at), (const char *)f.bytes.at);
        }
        if (f.number != F_DIMS || (f.type != 0 && f.type != 2)) continue;
        wire dims = f.bytes;
        do {
            uint64_t dim = f.type == 0 ? f.value : dims.at < dims.end ? read_varint(&dims) : 1;
            if (f.type == 2 && f.bytes.at == f.bytes.end) break;
            if (t->rank == DSC_MAX_RANK || dim > FILE_LIMIT) return false;
            t->dims[t->rank++] = (int64_t)dim;
            if (__builtin_mul_overflow(t->count, dim, &t->count)) return false;
        } while (f.type == 2 && dims.at < dims.end);
    }
    return !w.is_bad;
}

static bool read_data(wire w, tensor_pb *t) {
    field f;
    uint64_t filled = 0;
    t->dtype = dtype_of(t->onnx_type);
    if (!t->dtype) return true;
    if (t->count > FILE_LIMIT) return false;
    t->data = calloc(t->count + 1, dsc_dtype_bytes(t->dtype));
    if (!t->data) return false;
    while (read_field(&w, &f)) {
        bool is_data = f.number == F_FLOAT || f.number == F_INT32 || f.number == F_INT64 || f.number == F_RAW ||
                       f.number == F_DOUBLE || f.number == F_UINT64;
        if (is_data && !put_elements(t, &f, &filled)) return false;
    }
    return filled == t->count;
}

bool tensor_pb_read(const char *path, tensor_pb *out, char *why, size_t why_size) {
    size_t size = 0;
    *out = (tensor_pb){0};
    uint8_t *bytes = read_file(path, &size);
    if (!bytes) {
        snprintf(why, why_size, "%s cannot be read: %s", path, strerror(errno));
        return false;
    }
    wire w = {bytes, bytes + size, false};
    bool is_fine = read_head(w, out) && read_data(w, out);
    if (!is_fine) snprintf(why, why_size, "%s is not a tensor that can be read", path);
    free(bytes);
    return is_fine;
}

void tensor_pb_close(tensor_pb *t) {
    free(t->data);
    t->data = NULL;
}

double tensor_pb_value(dsc_dtype dtype, const void *data, uint64_t index) {
    uint16_t half;
    switch (dtype) {
        case DSC_F32: return (double)((const float *)data)[index];
        case DSC_F64: return ((const double *)data)[index];
        case DSC_U8:
        case DSC_BOOL: return ((const uint8_t *)data)[index];
        case DSC_I8: return ((const int8_t *)data)[index];
        case DSC_I32: return ((const int32_t *)data)[index];
        case DSC_I64: return (double)((const int64_t *)data)[index];
        case DSC_U16: return ((const uint16_t *)data)[index];
        case DSC_I16: return ((const int16_t *)data)[index];
        case DSC_U32: return ((const uint32_t *)data)[index];
        case DSC_U64: return (double)((const uint64_t *)data)[index];
        case DSC_BF16: {
            uint32_t bits = (uint32_t)((const uint16_t *)data)[index] << 16;
            float value;
            memcpy(&value, &bits, sizeof value);
            return (double)value;
        }
        case DSC_F16: {
            half = ((const uint16_t *)data)[index];
            int exponent = half >> 10 & 31, fraction = half & 1023;
            double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
            if (exponent == 31) size = fraction ? (double)NAN : (double)INFINITY;
            return half >> 15 ? -size : size;
        }
    }
    return (double)NAN;
}
