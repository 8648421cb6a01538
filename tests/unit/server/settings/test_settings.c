// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "server/settings/settings.h"

Test(settings, listen_addresses) {
    static const struct {
        const char *text, *host, *port;
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1", "8080"}, {"[::1]:80", "::1", "80"}, {"localhost:0", "localhost", "0"},
        {"0.0.0.0:65535", "0.0.0.0", "65535"},   {"a:08080", "a", "8080"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        host_port parts;
        dsc_error err = {0};
        cr_assert_eq(settings_split_listen(rows[i].text, &parts, &err), DSC_OK, "%s: %s", rows[i].text, err.text);
        cr_assert_str_eq(parts.host, rows[i].host);
        cr_assert_str_eq(parts.port, rows[i].port);
    }
    static const char *const wrong[] = {"",     ":",     ":80",    "80",    "a:",   "a:b",     "a:65536",
                                        "a:-1", "a:80 ", "::1:80", "[]:80", "a:+1", "a:999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        host_port parts;
        cr_assert_eq(settings_split_listen(wrong[i], &parts, NULL), DSC_BAD_ARGUMENT, "%s", wrong[i]);
    }
}

Test(settings, threads_are_at_least_one) {
    settings s = {0};
    cr_assert_geq(settings_threads(&s), 1);
    s.threads = 7;
    cr_assert_eq(settings_threads(&s), 7);
}
