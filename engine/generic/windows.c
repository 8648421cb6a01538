// SPDX-License-Identifier: Apache-2.0
// Sizes are limited to 31 bits and the attributes to 16, so that no product here overflows.
#include "engine/generic/windows.h"

#include "engine/generic/common.h"

#include <inttypes.h>
#include <string.h>

static uint32_t count_of(const attrs *a, const char *name) {
    for (uint32_t i = 0; i < a->count; i++) {
        if (strcmp(a->list[i].name, name) == 0 && a->list[i].type == ATTR_INTS) return (uint32_t)a->list[i].count;
    }
    return 0;
}

uint32_t windows_count_dims(const attrs *a) {
    static const char *const names[] = {"kernel_shape", "strides", "dilations"};
    for (int i = 0; i < 3; i++) {
        if (count_of(a, names[i])) return count_of(a, names[i]);
    }
    return count_of(a, "pads") / 2;
}

// A list of `want` numbers from `least` on; `out` stays where it is absent.
static dsc_status read_list(const graph_node *n, attrs *a, const char *name, uint32_t want, int64_t *out,
                            dsc_error *err) {
    int64_t values[2 * WINDOWS_DIMS], least = strcmp(name, "pads") == 0 ? 0 : 1;
    uint32_t count;
    if (!attrs_has(a, name)) return DSC_OK;
    dsc_status status = attrs_ints(a, name, values, 2 * WINDOWS_DIMS, &count, err);
    if (status) return status;
    if (count != want) return op_error(n, err, DSC_BAD_MODEL, "%s has %u values, %u are needed", name, count, want);
    for (uint32_t i = 0; i < want; i++) {
        if (values[i] < least || values[i] > WINDOWS_MOST) {
            return op_error(n, err, values[i] < least ? DSC_BAD_MODEL : DSC_TOO_LARGE,
                            "%s has the value %" PRId64 "; %" PRId64 " to %d is supported", name, values[i], least,
                            WINDOWS_MOST);
        }
        out[i] = values[i];
    }
    return DSC_OK;
}

static dsc_status read_auto_pad(const graph_node *n, attrs *a, windows *w, dsc_error *err) {
    static const char *const names[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    const char *text;
    unsigned choice = 0;
    dsc_status status = attrs_string(a, "auto_pad", "NOTSET", &text, err);
    if (status) return status;
    while (choice < 4 && strcmp(names[choice], text) != 0) choice++;
    if (choice == 4) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "auto_pad \"%.40s\" is unknown; it is NOTSET, SAME_UPPER, SAME_LOWER or VALID", text);
    }
    w->auto_pad = (windows_auto_pad)choice;
    for (uint32_t i = 0; choice && i < 2 * w->dims; i++) {
        if (w->pads[i] == 0) continue;
        return op_error(n, err, DSC_BAD_MODEL, "pads and auto_pad %s contradict each other; only one may be given",
                        text);
    }
    return DSC_OK;
}

dsc_status windows_import(const graph_node *n, attrs *a, unsigned flags, windows *out, dsc_error *err) {
    windows w = {.dims = windows_count_dims(a), .has_kernel = attrs_has(a, "kernel_shape")};
    int64_t is_ceil = 0;
    if (w.dims > WINDOWS_DIMS) {
        return op_error(n, err, DSC_UNSUPPORTED, "its windows have %u dimensions; at most %d are supported", w.dims,
                        WINDOWS_DIMS);
    }
    for (uint32_t i = 0; i < WINDOWS_DIMS; i++) w.kernel[i] = w.stride[i] = w.dilation[i] = 1;
    dsc_status status = read_list(n, a, "kernel_shape", w.dims, w.kernel, err);
    if (!status) status = read_list(n, a, "strides", w.dims, w.stride, err);
    if (!status && (flags & WINDOWS_HAS_DILATIONS)) status = read_list(n, a, "dilations", w.dims, w.dilation, err);
    if (!status) status = read_list(n, a, "pads", 2 * w.dims, w.pads, err);
    if (!status) status = read_auto_pad(n, a, &w, err);
    if (!status && (flags & WINDOWS_HAS_CEIL_MODE)) status = attrs_int(a, "ceil_mode", 0, &is_ceil, err);
    w.is_ceil = is_ceil != 0;
    *out = w;
    return status;
}

static dsc_status resolve_axis(const graph_node *n, const windows *w, windows_axis *a, dsc_error *err) {
    int64_t reach = (a->kernel - 1) * a->dilation + 1;
    if (w->auto_pad == WINDOWS_SAME_UPPER || w->auto_pad == WINDOWS_SAME_LOWER) {
        a->out = (a->in + a->stride - 1) / a->stride;
        int64_t total = (a->out - 1) * a->stride + reach - a->in;
        if (total < 0) total = 0;
        a->begin = w->auto_pad == WINDOWS_SAME_UPPER ? total / 2 : total - total / 2;
        a->end = total - a->begin;
        return DSC_OK;
    }
    int64_t room = a->in + a->begin + a->end - reach;
    if (room < 0) {
        return op_error(n, err, DSC_BAD_MODEL,
                        "a window reaches over %" PRId64 " places of an axis that has %" PRId64 " with its padding",
                        reach, a->in + a->begin + a->end);
    }
    bool is_ceil = w->is_ceil && w->auto_pad == WINDOWS_PADS;
    a->out = (room + (is_ceil ? a->stride - 1 : 0)) / a->stride + 1;
    if (is_ceil && (a->out - 1) * a->stride >= a->in + a->begin) a->out--; // it would begin in the padding at the end
    return DSC_OK;
}

dsc_status windows_resolve(const graph_node *n, const windows *w, const graph_shape *map, const int64_t *kernel,
                           windows_spec *out, dsc_error *err) {
    uint32_t dims = map->rank < 2 ? 0 : map->rank - 2;
    if (dims == 0 || dims > WINDOWS_DIMS || (w->dims && w->dims != dims)) {
        return op_error(n, err, DSC_BAD_MODEL, "the input has rank %u and the windows %u dimensions", map->rank,
                        w->dims);
    }
    *out = (windows_spec){.dims = dims, .taps = 1, .in_count = 1, .out_count = 1};
    for (uint32_t i = 0; i < dims; i++) {
        windows_axis *a = &out->axes[i];
        *a = (windows_axis){.in = map->dims[2 + i], .stride = w->stride[i], .dilation = w->dilation[i]};
        a->kernel = kernel ? kernel[i] : w->kernel[i];
        a->begin = w->pads[i];
        a->end = w->pads[w->dims + i];
        if (a->in < 0 || a->in > INT32_MAX || a->kernel < 1 || a->kernel > INT32_MAX) {
            return op_error(n, err, DSC_TOO_LARGE, "axis %u has an impossible size", 2 + i);
        }
        dsc_status status = resolve_axis(n, w, a, err);
        if (status) return status;
        out->taps = common_product(out->taps, (uint64_t)a->kernel);
        out->in_count = common_product(out->in_count, (uint64_t)a->in);
        out->out_count = common_product(out->out_count, (uint64_t)a->out);
    }
    return DSC_OK;
}

void windows_place(const windows_spec *s, uint64_t index, int64_t place[WINDOWS_DIMS]) {
    for (uint32_t d = s->dims; d-- > 0;) {
        place[d] = (int64_t)(index % (uint64_t)s->axes[d].out);
        index /= (uint64_t)s->axes[d].out;
    }
}

int64_t windows_tap(const windows_spec *s, const int64_t place[WINDOWS_DIMS], uint64_t tap, bool *is_padded) {
    int64_t offset = 0, stride = 1;
    bool is_inside = true;
    *is_padded = true;
    for (uint32_t d = s->dims; d-- > 0;) {
        const windows_axis *a = &s->axes[d];
        int64_t at = place[d] * a->stride - a->begin + (int64_t)(tap % (uint64_t)a->kernel) * a->dilation;
        tap /= (uint64_t)a->kernel;
        is_inside &= at >= 0 && at < a->in;
        *is_padded &= at >= -a->begin && at < a->in + a->end;
        offset += at * stride;
        stride *= a->in;
    }
    return is_inside ? offset : -1;
}
