#!/usr/bin/env bash
# Runs test programs (an argument each, which may hold arguments of its own) one after the other and closes with one
# line: N passed, N failed. Criterion's programs (*_tests) and others that close so are counted by their closing line;
# any other program is one test. A sanitizer's report is a failure even where the program
# exits 0. Output of programs that fail is shown.
set -u
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$(dirname "$0")/support/lsan.supp:print_suppressions=0}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
plain() { sed 's/\x1b\[[0-9;]*m//g' "$log"; } # without colours
for program in "$@"; do
    start=$SECONDS
    read -ra words <<<"$program"
    # Criterion names skipped tests, and why, only where it is verbose.
    case ${words[0]} in *_tests) words+=(--jobs "${TEST_JOBS:-2}" --verbose=1) ;; esac
    timeout --kill-after=10 "${TEST_TIMEOUT:-900}" "${words[@]}" >"$log" 2>&1
    code=$?
    line=$(plain | grep 'Synthesis:' | tail -n 1)
    if [ -n "$line" ]; then
        counts=$(sed 's/.*Passing: \([0-9]*\) .*/\1/' <<<"$line")
        tested=$(sed 's/.*Tested: \([0-9]*\) .*/\1/' <<<"$line")
        bad=$((tested - counts))
    elif line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) && [ -n "$line" ]; then
        counts=${line%% *} bad=$(cut -d' ' -f3 <<<"$line")
    else
        counts=$((code == 0)) bad=$((code != 0))
    fi
    if grep -qE 'LeakSanitizer|AddressSanitizer|ThreadSanitizer|runtime error:' "$log"; then bad=$((bad + 1)); fi
    if [ $code -ne 0 ] && [ $bad -eq 0 ]; then bad=1; fi
    passed=$((passed + counts)) failed=$((failed + bad))
    grep -E '^\[SKIP\]|skipped:' <(plain) | sort | uniq -c | head -n 40
    if [ $bad -ne 0 ]; then plain | grep -vE '^\[(RUN |PASS|SKIP)\]|^\[====\] Running'; fi
    echo "$program: $counts passed, $bad failed (exit $code, $((SECONDS - start)) s)"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
