#!/usr/bin/env bash
# Puts the table of operators into docs/operators.md: docs.sh CONFORMANCE CASES
set -eu
page=docs/operators.md new=$(mktemp)
trap 'rm -f "$new"' EXIT
"$1" --table "$2" >"$new.out" || { cat "$new.out" >&2; rm -f "$new.out"; exit 1; }
passed=$(tail -n 1 "$new.out" | sed -E 's/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) refused$/\1 \2 \3/')
read -r ok bad refused <<<"$passed"
sed -E "s/[0-9]+ of [0-9]+ pass\./$ok of $((ok + bad + refused)) pass./; /^\| operator \|/,\$d" "$page" >"$new"
grep '^|' "$new.out" >>"$new"
rm -f "$new.out"
cp "$new" "$page"
tail -n +1 "$page" | grep -c '^| [A-Z]' | sed 's/$/ operators/'
