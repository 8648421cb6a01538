#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A daemon built with ThreadSanitizer under load: good requests, too large ones, a full queue, bodies that are cut off,
# clients that leave, and a SIGTERM in the middle of it. Passes if the daemon exits with 0 and its log has no report.
# (Not a Criterion test: the sanitizer does not work under it.)
#
#     tests/http/tsan_load.sh build/thread/dscd [SECONDS]
set -u
dscd=${1:?"usage: tsan_load.sh DSCD [SECONDS]"}
seconds=${2:-10}
image=config/models/fashion/samples/ankle-boot.png
[ -f "$image" ] || image=$(ls config/models/fashion/samples/* | head -n 1)
folder=$(mktemp -d)
daemon=
clients=()
finish() {
    for pid in "${clients[@]}" $daemon; do kill -9 "$pid" 2>/dev/null; done
    rm -rf "$folder"
}
trap finish EXIT

fail() {
    echo "tsan_load: $1" >&2
    grep -v '"event":"request"' "$folder/log" | head -n 200 >&2
    exit 1
}

TSAN_OPTIONS="halt_on_error=0 exitcode=66" "$dscd" serve --listen 127.0.0.1:0 --port-file "$folder/port" --threads 2 \
    --queue-depth 2 --max-body-bytes 100000 --drain-timeout-s 20 2>"$folder/log" &
daemon=$!
for _ in $(seq 600); do
    [ -s "$folder/port" ] && url=http://127.0.0.1:$(cat "$folder/port") && curl -sf "$url/v2/health/ready" >/dev/null && break
    kill -0 $daemon 2>/dev/null || fail "the daemon did not start"
    sleep 0.1
done
port=$(cat "$folder/port")
head -c 200000 /dev/zero >"$folder/large"

# Each repeats one kind of request until it is told to stop; the statuses that were seen are counted at the end.
repeat() {
    while [ ! -e "$folder/over" ]; do "$@"; done
}
post() {
    curl -s -o /dev/null -w '%{http_code}\n' --max-time 20 "$@" >>"$folder/codes"
}
cut_off() { # a request that ends in the middle of its body
    { exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\npart' >&3; } 2>/dev/null
    exec 3>&-
    sleep 0.02
}
leave() { # a whole request, and a client that does not wait for the answer
    curl -s -o /dev/null --max-time 0.01 --data-binary @"$image" "$url/infer"
}
for _ in 1 2 3 4 5 6; do
    repeat post --data-binary @"$image" "$url/infer?topk=3" &
    clients+=($!)
done
repeat post -H 'Expect:' --data-binary @"$folder/large" "$url/infer" &
clients+=($!)
repeat post -H 'Transfer-Encoding: chunked' --data-binary @"$folder/large" "$url/infer" &
clients+=($!)
for path in metrics v2/models/fashion nowhere; do
    repeat post "$url/$path" &
    clients+=($!)
done
repeat cut_off &
clients+=($!)
repeat leave &
clients+=($!)

sleep "$seconds"
kill -TERM $daemon
for _ in $(seq 600); do
    kill -0 $daemon 2>/dev/null || break
    sleep 0.1
done
kill -0 $daemon 2>/dev/null && fail "the daemon did not stop"
wait $daemon
status=$?
daemon=
touch "$folder/over"
wait "${clients[@]}"
clients=()
sort "$folder/codes" | uniq -c | sed 's/^/tsan_load: /'
[ $status -eq 0 ] || fail "the daemon ended with status $status"
grep -q 'ThreadSanitizer' "$folder/log" && fail "reports in the log"
for code in 200 404 413 503; do
    grep -qx $code "$folder/codes" || fail "no request was answered with $code"
done
echo "tsan_load: fine"
