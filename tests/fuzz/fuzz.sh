#!/usr/bin/env bash
# Runs fuzz targets one after the other, and notes what they did in build/fuzz.log: a line for each run.
#   tests/fuzz/fuzz.sh BINARIES SECONDS [TARGET ...]        BINARIES: folder of fuzz_* and seeds; fails at a finding
# What was found lies in build/fuzz/; the same binary with that file as its argument shows it again.
set -euo pipefail
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
binaries=$1 seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(cd "$binaries" && ls fuzz_* | grep -v '\.')
mkdir -p build/fuzz build/corpus
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
"$binaries/seeds" "$seeds"

# Images have a byte or two of choices ahead of the file.
samples() {
    local kind=$1 number=0 file
    shift
    mkdir -p "$seeds/fuzz_$kind"
    for file in "$@"; do
        { printf '\100'; cat "$file"; } >"$seeds/fuzz_$kind/sample$((number++))"
    done
}
samples png config/models/fashion/samples/*.png
samples jpeg config/models/fashion/samples/*.jpg
/usr/bin/python3 - "$seeds" <<'PYTHON' 2>/dev/null || true # Pillow writes WebP; without it there are no such seeds
import sys, os
from PIL import Image
folder = os.path.join(sys.argv[1], "fuzz_webp")
os.makedirs(folder, exist_ok=True)
image = Image.radial_gradient("L").resize((37, 23))
for name, mode, lossless in (("a", "RGB", False), ("b", "RGBA", True), ("c", "RGBA", False)):
    path = os.path.join(folder, name)
    image.convert(mode).save(path, "WEBP", lossless=lossless)
    data = open(path, "rb").read()
    open(path, "wb").write(b"\x40" + data)
PYTHON

log() { printf '%s %s %-16s %6s s %10s runs, coverage %s, %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    "$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" "$@" >>build/fuzz.log; }

for target in "$@"; do
    corpus=build/corpus/$target out=build/fuzz/$target.log dictionary=tests/fuzz/$target.dict
    mkdir -p "$corpus" "$seeds/$target"
    options=(-max_total_time="$seconds" -timeout="${FUZZ_TIMEOUT:-60}" -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build/fuzz/$target-")
    [ "$target" = fuzz_plan ] && options+=(-max_len=272)
    [ -f "$dictionary" ] && options+=(-dict="$dictionary")
    echo "$target: $seconds seconds"
    begun=$(date +%s) code=0
    "$binaries/$target" "${options[@]}" "$corpus" "$seeds/$target" >"$out" 2>&1 || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out" | tail -n 1)
    coverage=$(grep -o 'cov: [0-9]*' "$out" | tail -n 1 | cut -d ' ' -f 2 || true)
    finding=$(grep -oE "build/fuzz/$target-(crash|timeout|oom|leak)-[0-9a-f]*" "$out" | tail -n 1 || true)
    log "$target" "$(($(date +%s) - begun))" "${runs:-0}" "${coverage:-0}" "${finding:-$([ $code = 0 ] && echo 'nothing found' || echo "status $code")}"
    tail -n 1 build/fuzz.log
    [ $code = 0 ] && continue
    tail -n 60 "$out"
    echo "to see it again: $binaries/$target $finding"
    exit 1
done
