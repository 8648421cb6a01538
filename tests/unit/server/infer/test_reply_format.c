// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "server/infer/infer_reply.h"

Test(reply_format, follows_accept) {
    static const struct {
        const char *accept;
        reply_format format;
    } rows[] = {{NULL, REPLY_JSON},
                {"", REPLY_JSON},
                {"*/*", REPLY_JSON},
                {"application/json", REPLY_JSON},
                {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", REPLY_JSON},
                {"text/plain", REPLY_TEXT},
                {"TEXT/CSV; header=present", REPLY_CSV},
                {"application/x-npy", REPLY_NPY},
                {"application/octet-stream", REPLY_BYTES},
                {"text/*", REPLY_TEXT},
                {"application/*", REPLY_JSON},
                {"text/plain;q=0.5, text/csv", REPLY_CSV},
                {"text/plain;q=0.5 , application/json;q=0.4", REPLY_TEXT},
                {"*/*, text/csv", REPLY_CSV},
                {"application/json;q=0, */*", REPLY_TEXT},
                {"text/plain, text/csv", REPLY_TEXT},
                {"text/csv, text/plain", REPLY_CSV},
                {"image/png, application/x-npy;q=0.001", REPLY_NPY},
                {"text/plain; format=x; q=0.2, text/csv;q=0.3", REPLY_CSV},
                {" , text/csv", REPLY_CSV}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reply_format format = REPLY_BYTES;
        fault f = {0};
        cr_expect(reply_format_choose(rows[i].accept, &format, &f), "%s: %s", rows[i].accept, f.text);
        cr_expect_eq(format, rows[i].format, "%s gave %s", rows[i].accept ? rows[i].accept : "nothing",
                     reply_content_type(format));
    }
}

Test(reply_format, nothing_that_fits_is_406) {
    static const char *const bad[] = {
        "image/png", "text/html",    "*/*;q=0", "application/json;q=0", "text/plain;q=0.0", "text/plain;q=x",
        "textplain", "text/plainer", "*/json"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reply_format format;
        fault f = {0};
        cr_expect_not(reply_format_choose(bad[i], &format, &f), "%s was accepted", bad[i]);
        cr_expect(f.http_status == 406 && strstr(f.text, "text/csv"), "%s: %s", bad[i], f.text);
    }
}

Test(reply_format, binary_outputs_make_a_binary_answer_of_json) {
    infer_request request = {.output_count = 2};
    cr_expect_eq(infer_reply_format(&request, REPLY_JSON), REPLY_JSON);
    request.outputs[1].binary = true;
    cr_expect_eq(infer_reply_format(&request, REPLY_JSON), REPLY_BYTES);
    cr_expect_eq(infer_reply_format(&request, REPLY_CSV), REPLY_CSV);
}
