// SPDX-License-Identifier: Apache-2.0
// `data` arrays of JSON, read straight into a tensor and written straight from one.
#include "server/infer/tensor_json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "server/base/half.h"
#include "server/base/number.h"

// One element at `p` into element `index` of `out`; the byte after it, or NULL.
typedef const char *(*element_reader)(const char *p, void *out, size_t index);

// NaN, Infinity and -Infinity, as TensorFlow Serving, Python and JavaScript's clients write them.
static const char *read_special(const char *p, float *out) {
    bool is_negative = *p == '-';
    p += is_negative;
    if (strncmp(p, "NaN", 3) == 0 && !is_negative) {
        *out = NAN;
        return p + 3;
    }
    if (strncmp(p, "Infinity", 8) != 0) return NULL;
    *out = is_negative ? -INFINITY : INFINITY;
    return p + 8;
}

static const char *read_f32(const char *p, void *out, size_t index) {
    const char *end = number_read_float(p, (float *)out + index);
    return end ? end : read_special(p, (float *)out + index);
}

static const char *read_f16(const char *p, void *out, size_t index) {
    float value = 0;
    const char *end = read_f32(p, &value, 0);
    if (end) ((uint16_t *)out)[index] = half_from_float(value);
    return end;
}

static const char *read_f64(const char *p, void *out, size_t index) {
    float special = 0;
    const char *end = number_read_double(p, (double *)out + index);
    if (end) return end;
    end = read_special(p, &special);
    if (end) ((double *)out)[index] = (double)special;
    return end;
}

static const char *read_range(const char *p, int64_t low, int64_t high, int64_t *value) {
    const char *end = number_read_int(p, value);
    return end && *value >= low && *value <= high ? end : NULL;
}

static const char *read_i64(const char *p, void *out, size_t index) {
    return number_read_int(p, (int64_t *)out + index);
}

static const char *read_i32(const char *p, void *out, size_t index) {
    int64_t value = 0;
    const char *end = read_range(p, INT32_MIN, INT32_MAX, &value);
    if (end) ((int32_t *)out)[index] = (int32_t)value;
    return end;
}

static const char *read_i8(const char *p, void *out, size_t index) {
    int64_t value = 0;
    const char *end = read_range(p, INT8_MIN, INT8_MAX, &value);
    if (end) ((int8_t *)out)[index] = (int8_t)value;
    return end;
}

static const char *read_u8(const char *p, void *out, size_t index) {
    int64_t value = 0;
    const char *end = read_range(p, 0, UINT8_MAX, &value);
    if (end) ((uint8_t *)out)[index] = (uint8_t)value;
    return end;
}

// true and false, or 1 and 0, which many clients send.
static const char *read_bool(const char *p, void *out, size_t index) {
    uint8_t *place = (uint8_t *)out + index;
    if (strncmp(p, "true", 4) == 0) {
        *place = 1;
        return p + 4;
    }
    if (strncmp(p, "false", 5) == 0) {
        *place = 0;
        return p + 5;
    }
    int64_t value = 0;
    const char *end = read_range(p, 0, 1, &value);
    if (end) *place = (uint8_t)value;
    return end;
}

static element_reader reader_of(dsc_dtype dtype) {
    switch (dtype) {
        case DSC_F32: return read_f32;
        case DSC_F64: return read_f64;
        case DSC_I64: return read_i64;
        case DSC_I32: return read_i32;
        case DSC_I8: return read_i8;
        case DSC_U8: return read_u8;
        case DSC_BOOL: return read_bool;
        case DSC_F16: return read_f16;
    }
    return NULL;
}

typedef struct reader {
    const char *p, *end;
    const dsc_tensor_info *info;
    uint32_t nesting;                // 1: flat; else the rank
    uint32_t depth;                  // open brackets
    uint64_t wanted[DSC_MAX_RANK];   // elements of an array at each depth
    uint64_t seen[DSC_MAX_RANK + 1]; // of the open one
    uint64_t done, total;
} reader;

// The next byte that is no space, or 0 at the end.
static char next_byte(reader *r) {
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t')) r->p++;
    return r->p < r->end ? *r->p : '\0';
}

static bool fault_element(const reader *r, fault *f) {
    int shown = 0;
    while (shown < 24 && r->p + shown < r->end && !strchr(",] \n\r\t", r->p[shown])) shown++;
    if (shown == 0)
        return fault_set(f, 400, "input \"%s\": element %" PRIu64 " of data is missing", r->info->name, r->done);
    return fault_set(f, 400, "input \"%s\": element %" PRIu64 " of data is \"%.*s\", which is not a %s in JSON",
                     r->info->name, r->done, shown, r->p, dsc_dtype_name(r->info->dtype));
}

static bool fault_count(const reader *r, uint64_t wanted, const char *relation, fault *f) {
    return fault_set(f, 400, "input \"%s\": data has %s than the %" PRIu64 " elements that its shape asks for%s",
                     r->info->name, relation, wanted, r->nesting > 1 ? " in an inner array" : "");
}

static bool open_arrays(reader *r, fault *f) {
    while (r->depth < r->nesting) {
        if (next_byte(r) != '[')
            return fault_set(f, 400,
                             "input \"%s\": data is nested unevenly at element %" PRIu64
                             "; send it flat or nested exactly as its shape",
                             r->info->name, r->done);
        r->p++;
        r->seen[r->depth++] = 0;
    }
    return true;
}

// After an element: closes what ends here. True with depth 0 at the end of data, else at the next element.
static bool close_arrays(reader *r, fault *f) {
    for (;;) {
        char next = next_byte(r);
        uint32_t level = r->depth - 1;
        uint64_t wanted = r->wanted[level];
        if (++r->seen[level] > wanted) return fault_count(r, wanted, "more", f);
        if (next == ',') {
            r->p++;
            if (r->seen[level] == wanted) return fault_count(r, wanted, "more", f);
            return open_arrays(r, f);
        }
        if (next != ']') return fault_element(r, f);
        r->p++;
        if (r->seen[level] < wanted) return fault_count(r, wanted, "fewer", f);
        if (--r->depth == 0) return true;
    }
}

static bool prepare(reader *r, fault *f) {
    uint32_t open = 0;
    for (const char *p = r->p; p < r->end; p++) {
        if (*p == '[')
            open++;
        else if (!strchr(" \n\r\t", *p) || !*p)
            break;
    }
    const dsc_tensor_info *info = r->info;
    r->total = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        r->total *= (uint64_t)info->dims[i];
        r->wanted[i] = (uint64_t)info->dims[i];
    }
    if (r->total == 0) return fault_set(f, 400, "input \"%s\": its shape has no elements", info->name);
    r->nesting = open;
    if (open == 1) r->wanted[0] = r->total;
    if (open == 1 || open == info->rank) return true;
    return fault_set(f, 400, "input \"%s\": data is nested %u deep; send it flat or as its shape, %u deep", info->name,
                     open, info->rank);
}

// The everyday run of an array, but for its last element, which the brackets follow.
static void read_floats(reader *r, float *out) {
    uint32_t level = r->depth - 1;
    uint64_t left = r->wanted[level] - r->seen[level];
    size_t count = left < 2 ? 0 : number_read_floats(&r->p, r->end, out + r->done, (size_t)left - 1);
    r->done += count;
    r->seen[level] += count;
}

bool tensor_json_read(const char *text, size_t size, const dsc_tensor_info *info, void *out, fault *f) {
    element_reader read = reader_of(info->dtype);
    if (info->rank == 0 && size > 0 && text[0] != '[') {
        const char *behind = read(text, out, 0);
        if (behind == text + size) return true;
        return fault_set(f, 400, "input \"%s\": a value is no number that fits %s", info->name,
                         dsc_dtype_name(info->dtype));
    }
    if (size < 2 || text[0] != '[' || text[size - 1] != ']')
        return fault_set(f, 400, "input \"%s\": data is not an array", info->name);
    reader r = {.p = text, .end = text + size, .info = info};
    if (!prepare(&r, f) || !open_arrays(&r, f)) return false;
    while (r.depth > 0) {
        if (info->dtype == DSC_F32) read_floats(&r, out);
        // A number stops at the last ']' at the latest, so it is read without a bound.
        char next = next_byte(&r);
        if (next == ']') return fault_count(&r, r.wanted[r.depth - 1], "fewer", f);
        const char *behind = next ? read(r.p, out, r.done) : NULL;
        if (!behind) return fault_element(&r, f);
        r.p = behind;
        r.done++;
        if (!close_arrays(&r, f)) return false;
    }
    if (r.p == r.end) return true;
    return fault_set(f, 400, "input \"%s\": data ends before its last bracket", info->name);
}

static void write_element(buffer *b, dsc_dtype dtype, const void *data, size_t i) {
    switch (dtype) {
        case DSC_F32: buffer_float(b, ((const float *)data)[i]); return;
        case DSC_F64: buffer_double(b, ((const double *)data)[i]); return;
        case DSC_F16: buffer_float(b, half_to_float(((const uint16_t *)data)[i])); return;
        case DSC_U8: buffer_u64(b, ((const uint8_t *)data)[i]); return;
        case DSC_I8: buffer_i64(b, ((const int8_t *)data)[i]); return;
        case DSC_I32: buffer_i64(b, ((const int32_t *)data)[i]); return;
        case DSC_I64: buffer_i64(b, ((const int64_t *)data)[i]); return;
        case DSC_BOOL: buffer_text(b, ((const uint8_t *)data)[i] ? "true" : "false"); return;
    }
}

void tensor_json_write(buffer *b, const dsc_tensor_info *info, const void *data) {
    size_t count = dsc_tensor_bytes(info) / dsc_dtype_bytes(info->dtype);
    buffer_char(b, '[');
    for (size_t i = 0; i < count && buffer_ok(b); i++) {
        if (i) buffer_char(b, ',');
        write_element(b, info->dtype, data, i);
    }
    buffer_char(b, ']');
}

void tensor_json_write_nested(buffer *b, const dsc_tensor_info *info, uint32_t first, const void *data) {
    size_t count = 1, sizes[DSC_MAX_RANK]; // elements of an array that opens at each dimension
    for (uint32_t d = info->rank; d-- > first;) sizes[d] = count *= (size_t)info->dims[d];
    for (size_t i = 0; i < count && buffer_ok(b); i++) {
        if (i > 0) {
            for (uint32_t d = info->rank; d-- > first && i % sizes[d] == 0;) buffer_char(b, ']');
            buffer_char(b, ',');
        }
        for (uint32_t d = first; d < info->rank; d++) {
            if (i % sizes[d] == 0) buffer_char(b, '[');
        }
        write_element(b, info->dtype, data, i);
    }
    for (uint32_t d = first; d < info->rank; d++) buffer_text(b, count == 0 ? "[]" : "]");
}
