// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "server/http/request.h"
#include "server/http/router.h"

// The router's table names the endpoints' functions; the daemon's are linked with these tests.

static request opened(const char *target) {
    request r;
    cr_assert(request_open(&r, target));
    return r;
}

Test(request, paths_are_taken_apart) {
    static const struct {
        const char *target;
        size_t count;
        const char *segments[3];
    } rows[] = {
        {"/", 0, {NULL}},
        {"/v2", 1, {"v2"}},
        {"/v2/", 1, {"v2"}},
        {"/a/b/c", 3, {"a", "b", "c"}},
        {"//a", 2, {"", "a"}},
        {"/a%20b/%E2%82%AC", 2, {"a b", "\xE2\x82\xAC"}},
        {"/a%2Fb", 1, {"a/b"}},
        {"/a+b", 1, {"a+b"}}, // a plus is a space in queries only
        {"http://host:80/x?y", 1, {"x"}},
        {"/?", 0, {NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        request r = opened(rows[i].target);
        cr_assert_null(r.problem, "%s: %s", rows[i].target, r.problem);
        cr_assert_eq(r.segment_count, rows[i].count, "%s", rows[i].target);
        for (size_t s = 0; s < r.segment_count; s++) cr_assert_str_eq(r.segments[s], rows[i].segments[s]);
        cr_assert_str_eq(r.target, rows[i].target);
        request_close(&r);
    }
}

Test(request, wrong_targets_are_refused) {
    static const char *const targets[] = {"",        "*",           "x",          "host:80",     "/%",
                                          "/%4",     "/%4g",        "/%00",       "/a%00b",      "/a\x01",
                                          "/a b",    "/?a=%00",     "/?%zz",      "http://host", "/?a=1&a=2",
                                          "/?a&b&a", "x?u=://h/v2", "ftp://h/v2", "http:///v2",  "http://h?x=/v2"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        request r = opened(targets[i]);
        cr_assert_not_null(r.problem, "\"%s\" was accepted", targets[i]);
        cr_assert_eq(r.problem_status, 400);
        request_close(&r);
    }
    char path[REQUEST_TARGET_MAX + 3];
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    request r = opened(path);
    cr_assert_eq(r.problem_status, 414);
    request_close(&r);
    r = opened("/1/2/3/4/5/6/7/8/9");
    cr_assert_eq(r.problem_status, 404);
    request_close(&r);
}

Test(request, queries) {
    request r = opened("/x?topk=5&&name=a+b%26c&flag&top=6");
    cr_assert_null(r.problem);
    cr_assert_eq(r.argument_count, 4);
    cr_assert_str_eq(request_argument_get(&r, "topk"), "5");
    cr_assert_str_eq(request_argument_get(&r, "name"), "a b&c");
    cr_assert_str_eq(request_argument_get(&r, "flag"), "");
    cr_assert_null(request_argument_get(&r, "other"));
    request_close(&r);
    char many[256] = "/?";
    for (int i = 0; i < 33; i++) (void)sprintf(many + strlen(many), "a%d&", i);
    r = opened(many);
    cr_assert_not_null(r.problem);
    request_close(&r);
}

Test(request, bodies_grow_to_their_limit) {
    request r = opened("/");
    static char bytes[1000];
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < 500; i++) cr_assert_eq(request_append(&r, bytes, sizeof bytes, 500000), APPEND_OK);
    cr_assert_eq(r.body_size, 500000);
    cr_assert_eq(r.body[500000], 0); // a number at the end of a body needs something after it
    cr_assert_leq(r.body_capacity, 500000);
    cr_assert_eq(request_append(&r, bytes, 1, 500000), APPEND_TOO_LARGE);
    cr_assert_eq(request_append(&r, bytes, SIZE_MAX, UINT64_MAX), APPEND_TOO_LARGE);
    request_close(&r);
    r = opened("/");
    r.has_length = true;
    r.length = 10;
    cr_assert_eq(request_append(&r, bytes, 10, 500000), APPEND_OK);
    cr_assert_eq(r.body_capacity, 10); // what was announced, not a step
    request_close(&r);
}

static route_result find(const char *target, request_method method, route_match *match, unsigned *allowed) {
    request r = opened(target);
    r.method = method;
    route_result result = route_find(&r, match, allowed);
    if (match->model != NULL) match->model = strdup(match->model);
    if (match->version != NULL) match->version = strdup(match->version);
    request_close(&r);
    return result;
}

Test(router, finds_patterns) {
    route_match match = {0};
    unsigned allowed = 0;
    cr_assert_eq(find("/infer", METHOD_PUT, &match, &allowed), ROUTE_FOUND);
    cr_assert_eq(match.route, &routes[ROUTE_infer]);
    cr_assert_eq(find("/v2/models/a/versions/12/infer", METHOD_POST, &match, &allowed), ROUTE_FOUND);
    cr_assert_eq(match.route, &routes[ROUTE_version_infer]);
    cr_assert_str_eq(match.model, "a");
    cr_assert_str_eq(match.version, "12");
    free((char *)(uintptr_t)match.model);
    free((char *)(uintptr_t)match.version);
    match = (route_match){0};
    cr_assert_eq(find("/v2/models/ready", METHOD_HEAD, &match, &allowed), ROUTE_FOUND); // a model called "ready"
    cr_assert_eq(match.route, &routes[ROUTE_model]);
    free((char *)(uintptr_t)match.model);
    match = (route_match){0};
    cr_assert_eq(find("/v2/mode", METHOD_GET, &match, &allowed), ROUTE_NO_PATH);
    cr_assert_eq(find("/v2x", METHOD_GET, &match, &allowed), ROUTE_NO_PATH);
    cr_assert_eq(find("/", METHOD_GET, &match, &allowed), ROUTE_NO_PATH);
}

Test(router, tells_the_methods) {
    route_match match = {0};
    unsigned allowed = 0;
    char text[32];
    cr_assert_eq(find("/infer", METHOD_GET, &match, &allowed), ROUTE_NO_METHOD);
    route_methods_text(allowed, text);
    cr_assert_str_eq(text, "POST, PUT");
    cr_assert_eq(find("/metrics", METHOD_OTHER, &match, &allowed), ROUTE_NO_METHOD);
    route_methods_text(allowed, text);
    cr_assert_str_eq(text, "GET, HEAD");
}

Test(request, lists_of_several_headers_are_joined) {
    request r = opened("/");
    cr_assert(request_add_header(&r, HEADER_accept, "a/b"));
    cr_expect_str_eq(r.headers[HEADER_accept], "a/b");
    cr_assert(request_add_header(&r, HEADER_accept, "") && request_add_header(&r, HEADER_accept, "c/d;q=0.5"));
    cr_expect_str_eq(r.headers[HEADER_accept], "a/b, , c/d;q=0.5");
    cr_assert(request_add_header(&r, HEADER_request_id, "one") && request_add_header(&r, HEADER_request_id, "two"));
    cr_expect_str_eq(r.headers[HEADER_request_id], "one"); // no list: the first counts
    for (int i = 0; i < 10000; i++) cr_assert(request_add_header(&r, HEADER_accept_encoding, "gzip"));
    cr_expect_eq(strlen(r.headers[HEADER_accept_encoding]), 10000 * 6 - 2);
    request_close(&r);
}
