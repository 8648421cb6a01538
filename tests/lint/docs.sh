#!/usr/bin/env bash
# Every endpoint has a curl line in docs/http.md (which tests/docs.sh runs), and every test that tests/http/README.md
# names exists.
set -u
bad=0
while read -r path; do
    grep -qE "^curl .*127\.0\.0\.1:8080$path(['? ]|\$)" docs/http.md && continue
    echo "docs/http.md: no curl line for $path"; bad=1
done < <(sed -n 's/^ROUTE([a-z0-9_]*, [^"]*"\([^"]*\)".*/\1/p' server/http/route_list.inc | sed 's/{model}/fashion/; s/{version}/1/')
tests=$(grep -rhoE '^(HTTP_TEST|Test|ParameterizedTest)\([^)]*\)?' tests/http tests/unit)
while IFS=/ read -r suite name; do
    grep -qE "\((.*, )?$suite, $name[,)]" <<<"$tests" && continue
    echo "tests/http/README.md: there is no test $suite/$name"; bad=1
done < <(grep -oE '`[a-z0-9_]+/[a-z0-9_]+`' tests/http/README.md | tr -d '`' | grep -vE '^(docs|tests)/' | sort -u)
exit $bad
