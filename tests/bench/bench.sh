#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times the kernels over the layers of real networks, then whole networks with one thread and with two. Prints tables and
# writes build/bench/kernels.json and build/bench/networks.json.
#   tests/bench/bench.sh DSCD FOLDER_OF_KERNEL_BENCHES MODEL.onnx ...
# Environment: PARTS ("kernels networks"), THREADS ("1 2"), SECONDS_EACH (2), ISA (best)
set -euo pipefail
dscd=$1 benches=$2; shift 2
out=build/bench; mkdir -p "$out"
parts=" ${PARTS:-kernels networks} "

# Lines of bench_*: "tier: peak N GFLOP/s", and for every layer its name and numbers, each followed by its unit.
kernels_json() {
    awk '
        BEGIN {printf "["}
        $2 == "peak" && /GFLOP/ {tier = substr($1, 1, length($1) - 1); peak = $3; next}
        /%/ && tier != "" {
            printf "%s\n{\"bench\":\"%s\",\"tier\":\"%s\",\"peak_gflops\":%s,\"layer\":\"", (count++ ? "," : ""), FILENAME, tier, peak
            for (i = 1; i < NF && $(i + 1) !~ /^(us|GFLOP\/s|%)$/ && $i !~ /^(panel|layer)$/; i++) printf "%s%s", (i > 1 ? " " : ""), $i
            printf "\""
            for (; i < NF; i++) {
                if ($(i + 1) == "us") printf ",\"us\":%s", $i
                if ($(i + 1) == "GFLOP/s") printf ",\"gflops\":%s", $i
                if ($(i + 1) == "%") printf ",\"%speak_percent\":%s", ($(i - 1) ~ /^[a-z]+$/ ? $(i - 1) "_" : ""), $i
            }
            printf "}"
        }
        END {print "\n]"}' "$@"
}

if [[ $parts == *" kernels "* ]]; then
    work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
    for bench in bench_gemm bench_dwconv; do
        echo "== $bench"
        "$benches/$bench" ${ISA:-} | tee "$work/$bench"
    done
    (cd "$work" && kernels_json bench_*) >"$out/kernels.json"
fi
if [[ $parts == *" networks "* ]]; then
    printf '%-20s %8s %10s %10s %10s %8s\n' network threads 'min ms' median 'GMAC/s' '% peak'
    separator="["
    rm -f "$out/networks.part"
    for model in "$@"; do
        for threads in ${THREADS:-1 2}; do
            row=$("$dscd" bench "$model" --json --seconds "${SECONDS_EACH:-2}" --threads "$threads" --isa "${ISA:-best}")
            field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" <<<"$row"; }
            name=$(basename "$model" .onnx)
            printf '%-20s %8d %10.3f %10.3f %10.2f %8.1f\n' "$name" "$threads" "$(field min_ms)" "$(field median_ms)" "$(field gmacs)" "$(field peak_percent)"
            printf '%s\n{"network":"%s",%s' "$separator" "$name" "${row#\{}" >>"$out/networks.part"
            separator=','
        done
    done
    echo ']' >>"$out/networks.part"
    mv "$out/networks.part" "$out/networks.json"
fi
