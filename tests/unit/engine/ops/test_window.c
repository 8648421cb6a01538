// SPDX-License-Identifier: Apache-2.0
// Output sizes and padding of windows, against a count made one position at a time.
#include "engine/ops/ops.h"
#include "engine/ops/window.h"

#include <criterion/criterion.h>
#include <string.h>

static const graph_node node = {.name = "node", .op = &op_max_pool};

// Windows by walking along the padded map. With `is_ceil` one more may hang over the end, and none may begin in the
// padding behind the map.
static int64_t count_windows(int64_t in, int64_t begin, int64_t end, int64_t reach, int64_t stride, bool is_ceil) {
    int64_t count = 0;
    for (int64_t start = -begin;; start += stride) {
        bool fits = start + reach <= in + end;
        bool hangs_over = is_ceil && count > 0 && start - stride + reach < in + end;
        if ((!fits && !hangs_over) || (is_ceil && start >= in)) return count;
        count++;
    }
}

Test(ops_window, explicit_padding) {
    for (int64_t in = 1; in < 14; in++) {
        for (unsigned i = 0; i < 4 * 3 * 3 * 3 * 3 * 2; i++) {
            unsigned code = i;
            window w = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
            w.kernel[0] = 1 + code % 4, code /= 4;
            w.stride[0] = 1 + code % 3, code /= 3;
            w.dilation[0] = 1 + code % 3, code /= 3;
            w.pads[0] = code % 3, code /= 3;
            w.pads[2] = code % 3, code /= 3;
            w.is_ceil = code != 0;
            window_resolved r;
            dsc_error err = {0};
            int64_t reach = (int64_t)(w.kernel[0] - 1) * w.dilation[0] + 1;
            if (w.pads[0] >= reach || w.pads[2] >= reach) continue; // some windows would see padding alone
            int64_t expected = count_windows(in, w.pads[0], w.pads[2], reach, w.stride[0], w.is_ceil);
            dsc_status status = window_resolve(&node, &w, in, 1, &r, &err);
            cr_assert_eq(status == DSC_OK, expected > 0, "in %ld, case %u: %s", (long)in, i, err.text);
            if (status) continue;
            cr_assert_eq(r.out_h, expected, "in %ld, case %u: %ld, not %ld", (long)in, i, (long)r.out_h,
                         (long)expected);
            cr_assert(r.pad_top == w.pads[0] && r.pad_bottom == w.pads[2] && r.out_w == 1);
        }
    }
}

Test(ops_window, same_padding) {
    for (int64_t in = 1; in < 14; in++) {
        for (uint32_t kernel = 1; kernel < 6; kernel++) {
            for (uint32_t stride = 1; stride < 4; stride++) {
                window w = {.kernel = {1, kernel}, .stride = {1, stride}, .dilation = {1, 2}};
                int64_t out = (in + stride - 1) / stride;
                int64_t total = (out - 1) * stride + 2 * (int64_t)(kernel - 1) + 1 - in;
                window_resolved upper, lower;
                w.auto_pad = WINDOW_SAME_UPPER;
                cr_assert_eq(window_resolve(&node, &w, 1, in, &upper, NULL), DSC_OK);
                w.auto_pad = WINDOW_SAME_LOWER;
                cr_assert_eq(window_resolve(&node, &w, 1, in, &lower, NULL), DSC_OK);
                cr_assert(upper.out_w == out && lower.out_w == out);
                cr_assert_eq(upper.pad_left + upper.pad_right, total > 0 ? total : 0);
                cr_assert(upper.pad_right == upper.pad_left || upper.pad_right == upper.pad_left + 1);
                cr_assert(lower.pad_left == upper.pad_right && lower.pad_right == upper.pad_left);
            }
        }
    }
}

Test(ops_window, sizes_have_limits) {
    window w = {.kernel = {65535, 1}, .stride = {1, 1}, .dilation = {65535, 1}, .auto_pad = WINDOW_SAME_UPPER};
    window_resolved r;
    dsc_error err = {0};
    cr_expect_eq(window_resolve(&node, &w, 10, 10, &r, &err), DSC_TOO_LARGE);
    cr_expect(strstr(err.text, "padding at the top"), "%s", err.text);
    cr_expect_eq(window_resolve(&node, &w, 0, 10, &r, &err), DSC_BAD_MODEL);
    cr_expect_eq(window_resolve(&node, &w, (int64_t)1 << 40, 10, &r, &err), DSC_TOO_LARGE);
    cr_expect(strstr(err.text, "height"), "%s", err.text);
    w.auto_pad = WINDOW_VALID;
    cr_expect_eq(window_resolve(&node, &w, 1000, 10, &r, &err), DSC_BAD_MODEL);
    cr_expect(strstr(err.text, "reaches over"), "%s", err.text);
}
