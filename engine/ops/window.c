// SPDX-License-Identifier: Apache-2.0
// All arithmetic is in int64 over sizes that were limited first: the largest product here is below 2^48.
#include "engine/ops/window.h"

#include <inttypes.h>
#include <string.h>

#define DIM_LIMIT INT32_MAX

static const char *const side_names[2 * WINDOW_DIMS] = {"top", "left", "bottom", "right"};
static const char *const dim_names[WINDOW_DIMS] = {"height", "width"};

// One list attribute of `want` values: pads from 0, the others from 1 to WINDOW_LIMIT. `out` stays where it is absent.
static dsc_status read_list(const graph_node *n, attrs *a, const char *name, uint32_t want, int64_t *out,
                            dsc_error *err) {
    int64_t least = want == WINDOW_DIMS ? 1 : 0;
    int64_t values[2 * DSC_MAX_RANK];
    uint32_t count;
    dsc_status status = attrs_ints(a, name, values, 2 * DSC_MAX_RANK, &count, err);
    if (status || (!count && !attrs_has(a, name))) return status;
    if (count != want) {
        bool is_other_rank = count && count % (want / WINDOW_DIMS) == 0 && count / (want / WINDOW_DIMS) <= 3;
        if (is_other_rank)
            return op_error(n, err, DSC_UNSUPPORTED,
                            "%s is that of a %u-D window; only 2-D (height and width) is supported", name,
                            count / (want / WINDOW_DIMS));
        return op_error(n, err, DSC_BAD_MODEL, "%s has %u values, %u are needed", name, count, want);
    }
    for (uint32_t i = 0; i < want; i++) {
        if (values[i] < least)
            return op_error(n, err, DSC_BAD_MODEL, "%s has the value %" PRId64 ", at least %" PRId64 " is needed", name,
                            values[i], least);
        if (values[i] > WINDOW_LIMIT)
            return op_error(n, err, DSC_TOO_LARGE, "%s has the value %" PRId64 ", at most %d is supported", name,
                            values[i], WINDOW_LIMIT);
        out[i] = values[i];
    }
    return DSC_OK;
}

static dsc_status read_pair(const graph_node *n, attrs *a, const char *name, uint32_t *pair, dsc_error *err) {
    int64_t values[WINDOW_DIMS] = {pair[0], pair[1]};
    dsc_status status = read_list(n, a, name, WINDOW_DIMS, values, err);
    for (int i = 0; i < WINDOW_DIMS && !status; i++) pair[i] = (uint32_t)values[i];
    return status;
}

static dsc_status read_pads(const graph_node *n, attrs *a, window *w, dsc_error *err) {
    static const char *const names[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    const char *text;
    dsc_status status = attrs_string(a, "auto_pad", "NOTSET", &text, err);
    if (status) return status;
    unsigned choice = 0;
    while (choice < 4 && strcmp(names[choice], text) != 0) choice++;
    if (choice == 4)
        return op_error(n, err, DSC_BAD_MODEL,
                        "auto_pad \"%s\" is unknown; it is NOTSET, SAME_UPPER, SAME_LOWER or VALID", text);
    w->auto_pad = (window_auto_pad)choice;
    status = read_list(n, a, "pads", 2 * WINDOW_DIMS, w->pads, err);
    if (status || w->auto_pad == WINDOW_PADS) return status;
    for (int i = 0; i < 2 * WINDOW_DIMS; i++) {
        if (w->pads[i])
            return op_error(n, err, DSC_BAD_MODEL, "pads and auto_pad %s contradict each other; only one may be given",
                            text);
    }
    return DSC_OK;
}

dsc_status window_import(const graph_node *n, attrs *a, unsigned flags, window *out, dsc_error *err) {
    window w = {.stride = {1, 1}, .dilation = {1, 1}};
    dsc_status status = read_pair(n, a, "kernel_shape", w.kernel, err);
    if (status) return status;
    if ((flags & WINDOW_NEEDS_KERNEL) && !w.kernel[0])
        return op_error(n, err, DSC_BAD_MODEL, "the attribute kernel_shape is missing");
    if ((status = read_pair(n, a, "strides", w.stride, err)) != DSC_OK) return status;
    if ((flags & WINDOW_HAS_DILATIONS) && (status = read_pair(n, a, "dilations", w.dilation, err)) != DSC_OK)
        return status;
    if ((status = read_pads(n, a, &w, err)) != DSC_OK) return status;
    if (flags & WINDOW_HAS_CEIL_MODE) {
        int64_t is_ceil;
        if ((status = attrs_int(a, "ceil_mode", 0, &is_ceil, err)) != DSC_OK) return status;
        w.is_ceil = is_ceil != 0;
    }
    *out = w;
    return DSC_OK;
}

// One dimension: `out` and the padding at its two ends.
static dsc_status resolve_dim(const graph_node *n, const window *w, int dim, int64_t in, int64_t result[3],
                              dsc_error *err) {
    int64_t stride = w->stride[dim], reach = ((int64_t)w->kernel[dim] - 1) * w->dilation[dim] + 1;
    int64_t begin = w->pads[dim], end = w->pads[dim + WINDOW_DIMS], out;
    if (in < 1 || in > DIM_LIMIT)
        return op_error(n, err, in < 1 ? DSC_BAD_MODEL : DSC_TOO_LARGE,
                        "the map's %s is %" PRId64 ", 1 to %d is supported", dim_names[dim], in, DIM_LIMIT);
    if (w->auto_pad == WINDOW_SAME_UPPER || w->auto_pad == WINDOW_SAME_LOWER) {
        out = (in + stride - 1) / stride;
        int64_t total = (out - 1) * stride + reach - in;
        if (total < 0) total = 0;
        begin = w->auto_pad == WINDOW_SAME_UPPER ? total / 2 : total - total / 2;
        end = total - begin;
    } else {
        int64_t room = in + begin + end - reach;
        if (room < 0)
            return op_error(n, err, DSC_BAD_MODEL,
                            "the window reaches over %" PRId64 " pixels, the map's %s is only %" PRId64
                            " with its padding",
                            reach, dim_names[dim], in + begin + end);
        bool is_ceil = w->is_ceil && w->auto_pad == WINDOW_PADS;
        out = (room + (is_ceil ? stride - 1 : 0)) / stride + 1;
        if (is_ceil && (out - 1) * stride >= in + begin) out--; // it would begin in the padding at the end
    }
    result[0] = out, result[1] = begin, result[2] = end;
    for (int i = 0; i < 2; i++) {
        if (result[1 + i] > WINDOW_LIMIT)
            return op_error(n, err, DSC_TOO_LARGE, "the padding at the %s is %" PRId64 ", at most %d is supported",
                            side_names[dim + i * WINDOW_DIMS], result[1 + i], WINDOW_LIMIT);
    }
    return DSC_OK;
}

dsc_status window_resolve(const graph_node *n, const window *w, int64_t in_h, int64_t in_w, window_resolved *out,
                          dsc_error *err) {
    int64_t rows[3], columns[3];
    dsc_status status = resolve_dim(n, w, 0, in_h, rows, err);
    if (!status) status = resolve_dim(n, w, 1, in_w, columns, err);
    if (status) return status;
    *out = (window_resolved){
        .out_h = rows[0],
        .out_w = columns[0],
        .pad_top = (uint32_t)rows[1],
        .pad_left = (uint32_t)columns[1],
        .pad_bottom = (uint32_t)rows[2],
        .pad_right = (uint32_t)columns[2],
    };
    return DSC_OK;
}

void window_from_line(const windows *line, window *out) {
    *out = (window){.stride = {1, (uint32_t)line->stride[0]},
                    .dilation = {1, (uint32_t)line->dilation[0]},
                    .pads = {0, line->pads[0], 0, line->pads[1]},
                    .auto_pad = (window_auto_pad)line->auto_pad,
                    .is_ceil = line->is_ceil};
    if (!line->has_kernel) return;
    out->kernel[0] = 1;
    out->kernel[1] = (uint32_t)line->kernel[0];
}
