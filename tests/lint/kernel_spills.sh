#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The inner loops of kernels keep their sums in registers. Fails where an innermost loop that multiplies and adds stores
# a vector on the stack: a sum that went to memory and back. In gemm and dense, whose loops are what the engine's speed
# rests on, reading a vector from the stack fails too; elsewhere a constant may be read from there.
#
#   kernel_spills.sh OBJECT_DIRECTORY
#
# A loop is what lies between a backward jump and its target; it is innermost where it contains no other. %rbp counts as
# the stack in functions that make it a frame pointer.
set -u -o pipefail
[ $# -eq 1 ] && [ -d "$1" ] || { echo "usage: $0 OBJECT_DIRECTORY" >&2; exit 2; }

mapfile -t objects < <(find "$1/engine/kernels" -name '*_avx2.o' -o -name '*_avx512.o' -o -name '*_amx.o' 2>/dev/null)
if [ "${#objects[@]}" -eq 0 ]; then
    echo "$0: no kernels below $1: nothing was checked" >&2
    exit 2
fi

read -r -d '' program <<'AWK'
function finish_function(    i, j, from, inner, multiplies, spill) {
    for (i = 0; i < jumps; i++) {
        from = index_of[target[i]]
        if (from == "" || from > at[i]) continue
        inner = 1
        for (j = 0; j < jumps && inner; j++) {
            if (j != i && index_of[target[j]] != "" && index_of[target[j]] >= from && at[j] < at[i] &&
                index_of[target[j]] <= at[j]) inner = 0
        }
        if (!inner) continue
        multiplies = 0
        spill = ""
        for (j = from; j <= at[i]; j++) {
            if (line[j] ~ /vfn?m(add|sub)/) multiplies = 1
            if (line[j] ~ (is_strict ? "%[xyz]mm.*" stack "|" stack ".*%[xyz]mm" : "%[xyz]mm[0-9]+,[-0-9a-fx]*" stack)) {
                spill = line[j]
            }
        }
        if (!multiplies) continue
        loops++
        if (spill != "") {
            printf "%s: %s: a vector goes through the stack in an inner loop: %s\n", object, name, spill
            bad = 1
        }
    }
    split("", index_of)
    lines = jumps = 0
}
/^[0-9a-f]+ <.*>:$/ {
    finish_function()
    name = substr($2, 2, length($2) - 3)
    stack = "\\(%rsp"
    next
}
/^ +[0-9a-f]+:\t/ {
    address = $1
    sub(/:$/, "", address)
    index_of[address] = lines
    line[lines] = $0
    if ($0 ~ /mov +%rsp,%rbp/) stack = "\\(%r[sb]p"
    if ($2 ~ /^j/ && $3 ~ /^[0-9a-f]+$/) {
        at[jumps] = lines
        target[jumps++] = $3
    }
    lines++
}
END {
    finish_function()
    print loops + 0 > counts
    exit bad
}
AWK

counts=$(mktemp) || exit 2
trap 'rm -f "$counts"' EXIT
bad=0 loops=0
for object in "${objects[@]}"; do
    is_strict=0
    case ${object##*/} in gemm* | dense*) is_strict=1 ;; esac
    objdump -d --no-show-raw-insn "$object" |
        awk -v object="$object" -v counts="$counts" -v is_strict="$is_strict" "$program" || bad=1
    loops=$((loops + $(cat "$counts")))
done
if [ "$loops" -eq 0 ]; then
    echo "$0: found no inner loop with a multiplication: the check itself is broken" >&2
    exit 2
fi
exit $bad
