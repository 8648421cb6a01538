#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times dscd and its rivals on the same files, in turn, after comparing their outputs; prints a table, and keeps every
# row in build/bench/peers.tsv, from which it writes peers.md, peers.json and peers.svg beside it. Rows that were
# measured before stay, so that networks can be measured one at a time.
#   tests/bench/peers/peers.sh PROGRAMS NODE_MODULES MODEL.onnx ...
# Environment: THREADS ("1 2"), ISA (best; avx2 hides AVX-512 from the rivals), ROUNDS (5), MS (300) for each turn,
# ENGINES ("ort onednn opencv"), HOG (1: one thread alone against two beside a process that holds a core)
set -euo pipefail
programs=$1 modules=$2; shift 2
here=$(cd "$(dirname "$0")" && pwd)
out=build/bench; mkdir -p "$out"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

best=avx2
! grep -qw avx512f /proc/cpuinfo || best=avx512
[ "$best" != avx512 ] || ! grep -qw AuthenticAMD /proc/cpuinfo || best=fip
! grep -qw amx_bf16 /proc/cpuinfo || best=amx
isa=${ISA:-best}; [ "$isa" != best ] || isa=$best
export DSC_ISA=$isa NODE_PATH=$modules
hide=
if [ "$isa" = avx2 ] && [ "$best" != avx2 ]; then
    grep -qw cpuid_fault /proc/cpuinfo || { echo "AVX-512 cannot be hidden from the rivals here: the CPU has no cpuid_fault" >&2; exit 1; }
    hide="env LD_PRELOAD=$(realpath "$programs/hide_avx512.so") "
fi

# Who takes part: NAME=COMMAND as `rounds` wants it; '+' where the folded file counts, too.
field=("dscd=$programs/peer_dsc")
skip() { echo "$1 is skipped: $2" >&2; }
for engine in ${ENGINES:-ort onednn opencv}; do
    case $engine in
        ort) if [ -d "$modules/onnxruntime-node" ] && command -v node >/dev/null
             then field+=("+ONNX Runtime=${hide}node $here/peer_ort.js"); else skip 'ONNX Runtime' 'no node, or npm could not install it'; fi ;;
        onednn) if [ -x "$programs/peer_onednn" ]
                then field+=("oneDNN=$hide$programs/peer_onednn"); else skip oneDNN 'libdnnl-dev is not there'; fi ;;
        opencv) if [ -x "$programs/peer_opencv" ]
                then field+=("+OpenCV=$hide$programs/peer_opencv"); else skip OpenCV 'libopencv-dnn-dev is not there'; fi ;;
        *) skip "$engine" 'there is no such engine' ;;
    esac
done

failed=0
for model in "$@"; do
    folded=$(dirname "$model")/folded/$(basename "$model")
    if [ -n "${HOG:-}" ]; then model=$folded field=("${field[@]#+}"); fi # the one that all of them read
    "$programs/peer_dsc" --make-input "$model" "$work/input"
    for threads in $([ -n "${HOG:-}" ] && echo 1 || echo "${THREADS:-1 2}"); do
        "$programs/rounds" --threads "$threads" --rounds "${ROUNDS:-5}" --ms "${MS:-300}" ${HOG:+--hog} --input "$work/input" \
            --folded "$folded" "$model" "${field[@]}" \
            | sed "s/^/$isa\t$(date +%F)\t/" >>"$work/rows" || failed=1
    done
done
[ -s "$work/rows" ] || exit 1

# Rows of the same run of the same engine are replaced. A run beside a hog is one of its own with both its halves.
touch "$out/peers.tsv"
hog=${HOG:+hog}
awk -F '\t' -v OFS='\t' -v run="${hog:-quiet}" '
    NR == FNR {now[$1, $3, run == "hog" ? "" : $4, run]; row[++count] = $0 OFS run; next}
    !(($1, $3, $15 == "hog" ? "" : $4, $15) in now) {print}
    END {for (i = 1; i <= count; i++) print row[i]}' "$work/rows" "$out/peers.tsv" >"$work/all"
mv "$work/all" "$out/peers.tsv"
awk -F '\t' -f "$here/table.awk" "$work/rows"
machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
awk -F '\t' -v machine="$machine" -f "$here/networks.awk" -f "$here/markdown.awk" "$out/peers.tsv" >"$out/peers.md"
awk -F '\t' -v machine="$machine" -f "$here/json.awk" "$out/peers.tsv" >"$out/peers.json"
awk -F '\t' -v isa="$best" -f "$here/networks.awk" -f "$here/svg.awk" "$out/peers.tsv" >"$out/peers.svg"
exit $failed
