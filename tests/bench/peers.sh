#!/usr/bin/env bash
# Pairs `dscd bench` with ONNX Runtime on the same core, in turn, and prints a table.
#   tests/bench/peers.sh DSCD NODE_MODULES MODEL.onnx ...     ROUNDS (5), SECONDS_EACH (1), THREADS (1), ISA (best)
set -euo pipefail
dscd=$1 modules=$2; shift 2
here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-1} threads=${THREADS:-1} isa=${ISA:-best}
last=$((threads - 1)); pin=(taskset -c "0-$last")
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
echo "threads $threads, isa $isa, $rounds rounds of $seconds s each in turn; $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
printf '%-20s %10s %10s %7s %10s %10s %7s %8s\n' model 'dscd min' 'ORT min' ratio 'dscd med' 'ORT med' ratio '% peak'
for model in "$@"; do
    ours=() theirs=()
    for _ in $(seq "$rounds"); do
        ours+=("$("${pin[@]}" "$dscd" bench "$model" --json --seconds "$seconds" --threads "$threads" --isa "$isa")")
        theirs+=("$(NODE_PATH=$modules "${pin[@]}" node "$here/ort.js" "$model" "$seconds" "$threads")")
    done
    low() { printf '%s\n' "$@" | field min_ms | sort -g | head -n 1; }
    middle() { printf '%s\n' "$@" | field median_ms | sort -g | sed -n "$(((rounds + 1) / 2))p"; }
    peak=$(printf '%s\n' "${ours[@]}" | field peak_percent | sort -g | tail -n 1)
    awk -v n="$(basename "$model" .onnx)" -v a="$(low "${ours[@]}")" -v b="$(low "${theirs[@]}")" \
        -v c="$(middle "${ours[@]}")" -v d="$(middle "${theirs[@]}")" -v p="$peak" \
        'BEGIN {printf "%-20s %10.3f %10.3f %7.3f %10.3f %10.3f %7.3f %8.1f\n", n, a, b, a / b, c, d, c / d, p}'
done
