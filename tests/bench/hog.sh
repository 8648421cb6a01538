#!/usr/bin/env bash
# Two threads beside a process that holds one of the cores, against one thread alone, in turn: how much slower a run gets.
#   tests/bench/hog.sh DSCD MODEL.onnx ...          ROUNDS (3), SECONDS_EACH (1)
set -euo pipefail
dscd=$1; shift
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-1}
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
hog=
trap '[ -z "$hog" ] || kill "$hog" 2>/dev/null || true' EXIT
printf '%-20s %12s %12s %8s  medians, ms\n' model '1 thread' '2 + hog' ratio
for model in "$@"; do
    one=() two=()
    for _ in $(seq "$rounds"); do
        one+=("$(taskset -c 0 "$dscd" bench "$model" --json --seconds "$seconds" | field median_ms)")
        taskset -c 1 sh -c 'while :; do :; done' & hog=$!
        two+=("$(taskset -c 0,1 "$dscd" bench "$model" --json --seconds "$seconds" --threads 2 | field median_ms)")
        kill "$hog"; wait "$hog" 2>/dev/null || true; hog=
    done
    middle() { printf '%s\n' "$@" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }
    awk -v n="$(basename "$model" .onnx)" -v a="$(middle "${one[@]}")" -v b="$(middle "${two[@]}")" \
        'BEGIN {printf "%-20s %12.3f %12.3f %8.3f\n", n, a, b, b / a}'
done
