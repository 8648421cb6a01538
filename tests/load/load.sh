#!/usr/bin/env bash
# Loads a daemon with wrk and prints a table: JPEG, .npy and JSON bodies at 1, 8 and 64 connections.
#   tests/load/load.sh DSCD [SECONDS]        fails where anything but 200 and 503 is answered, or memory grows
set -euo pipefail
dscd=$1 seconds=${2:-10}
here=$(dirname "$0")
work=$(mktemp -d)
"$dscd" serve --listen 127.0.0.1:0 --port-file "$work/port" --no-access-log >"$work/log" 2>&1 &
daemon=$!
trap 'kill $daemon 2>/dev/null || true; wait $daemon 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.05; done
base=http://127.0.0.1:$(cat "$work/port")
memory_kb() { awk '/^VmRSS/ {print $2}' "/proc/$daemon/status"; }

BODY=config/models/fashion/samples/bag.jpg wrk -t1 -c8 -d2s -s "$here/jpeg.lua" "$base/infer" >/dev/null
warm=$(memory_kb) bad=0
printf '%-6s %5s %12s %10s %10s %10s %8s %7s %7s %9s\n' body conn requests/s 'p50, ms' 'p99, ms' 200 503 other errors 'RSS, KB'
for body in jpeg npy json; do
    path=/infer
    for connections in 1 8 64; do
        threads=$((connections > 1 ? 2 : 1))
        read -r _ rate p50 p99 ok busy other errors \
            < <(wrk -t$threads -c$connections -d"${seconds}s" -s "$here/$body.lua" "$base$path" | grep ^figures)
        printf '%-6s %5s %12s %10s %10s %10s %8s %7s %7s %9s\n' $body $connections "$rate" "$p50" "$p99" "$ok" "$busy" "$other" "$errors" "$(memory_kb)"
        [ "$other" = 0 ] && [ "$errors" = 0 ] && [ "$ok" -gt 0 ] || bad=1
    done
done
echo "memory: $warm KB after the first seconds, $(memory_kb) KB at the end"
kill -TERM $daemon
code=0; wait $daemon || code=$?
[ $code = 0 ] || { echo "the daemon stopped with status $code"; bad=1; }
exit $bad
