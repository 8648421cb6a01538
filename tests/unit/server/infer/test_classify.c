// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <math.h>

#include "server/infer/classify.h"

Test(classify, sorts_the_best_first) {
    const float scores[7] = {0.1f, 0.5f, NAN, 0.5f, -1, 0.9f, 0.2f};
    static const uint32_t order[7] = {5, 1, 3, 6, 0, 4, 2};
    for (uint32_t k = 0; k <= 9; k++) {
        classify_entry best[9];
        uint32_t count = classify_top(scores, 7, k, false, best);
        cr_expect_eq(count, k < 7 ? k : 7);
        for (uint32_t i = 0; i < count; i++) cr_expect_eq(best[i].index, order[i], "k %u, place %u", k, i);
    }
}

Test(classify, agrees_with_a_full_sort) {
    float scores[300];
    uint32_t state = 1;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 300; i++) {
            state = state * 1664525u + 1013904223u;
            scores[i] = (float)(state >> 26); // many equal ones
        }
        classify_entry best[20];
        cr_assert_eq(classify_top(scores, 300, 20, false, best), 20);
        for (uint32_t i = 0; i < 20; i++) { // the number of scores ahead of it is its place
            uint32_t ahead = 0, index = best[i].index;
            for (uint32_t j = 0; j < 300; j++)
                ahead += scores[j] > scores[index] || (scores[j] >= scores[index] && j < index);
            cr_assert_eq(ahead, i);
            cr_assert(best[i].score >= (double)scores[index] && best[i].score <= (double)scores[index]);
        }
    }
}

Test(classify, softmax_survives_large_logits) {
    const float scores[3] = {1000, 999, -1000};
    classify_entry best[3];
    cr_assert_eq(classify_top(scores, 3, 3, true, best), 3);
    cr_expect_float_eq(best[0].score, 1 / (1 + exp(-1.0)), 1e-12);
    cr_expect_float_eq(best[1].score, exp(-1.0) / (1 + exp(-1.0)), 1e-12);
    cr_expect_float_eq(best[2].score, 0, 1e-300);
}

Test(classify, knows_which_outputs_are_classes) {
    static const struct {
        dsc_tensor_info info;
        bool fits;
        size_t rows, classes;
    } rows[] = {{{.dtype = DSC_F32, .rank = 2, .dims = {3, 10}}, true, 3, 10},
                {{.dtype = DSC_F32, .rank = 1, .dims = {10}}, true, 1, 10},
                {{.dtype = DSC_F32, .rank = 4, .dims = {1, 1000, 1, 1}}, true, 1, 1000},
                {{.dtype = DSC_F32, .rank = 4, .dims = {1, 10, 7, 7}}, false, 0, 0},
                {{.dtype = DSC_F32, .rank = 3, .dims = {1, 4420, 4}}, false, 0, 0},
                {{.dtype = DSC_I64, .rank = 2, .dims = {1, 10}}, false, 0, 0},
                {{.dtype = DSC_F32, .rank = 0}, false, 0, 0},
                {{.dtype = DSC_F32, .rank = 2, .dims = {1, 0}}, false, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t count = 0, classes = 0;
        cr_expect_eq(classify_shape(&rows[i].info, &count, &classes), rows[i].fits, "row %zu", i);
        cr_expect(count == rows[i].rows && classes == rows[i].classes, "row %zu", i);
    }
}

Test(classify, labels_stand_per_output_or_per_class) {
    static const char *const labels[] = {"background", "tench", "goldfish"};
    classify_settings settings = {.labels = labels, .label_count = 3, .label_offset = 1};
    cr_expect_eq(classify_class(&settings, 0), -1);
    cr_expect_eq(classify_class(&settings, 2), 1);
    cr_expect_str_eq(classify_label(&settings, 3, 0), "background");
    cr_expect_str_eq(classify_label(&settings, 3, 2), "goldfish");
    settings.labels = labels + 1; // a list without the background
    settings.label_count = 2;
    cr_expect_null(classify_label(&settings, 3, 0));
    cr_expect_str_eq(classify_label(&settings, 3, 1), "tench");
    cr_expect_str_eq(classify_label(&settings, 3, 2), "goldfish");
    cr_expect_null(classify_label(&settings, 4, 3));
    settings.labels = NULL;
    cr_expect_null(classify_label(&settings, 3, 1));
}
