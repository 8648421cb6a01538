#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Code for one instruction set stays behind its suffix: an object *_avx2.o, *_avx512.o or *_amx.o defines only global names that
# end so (a shared inline helper emitted there under a common name could be picked by the linker for every CPU), and no
# other object of the engine or the server uses 256-bit or 512-bit registers.
#
#   kernel_symbols.sh OBJECT_DIRECTORY
set -u -o pipefail
[ $# -eq 1 ] && [ -d "$1" ] || { echo "usage: $0 OBJECT_DIRECTORY" >&2; exit 2; }

mapfile -t objects < <(find "$1/engine" "$1/server" -name '*.o' 2>/dev/null)
bad=0 with_isa=0
for object in "${objects[@]}"; do
    case $object in
        *_avx2.o) suffix=_avx2 ;;
        *_avx512.o) suffix=_avx512 ;;
        *_amx.o) suffix=_amx ;;
        *)
            if objdump -d --no-show-raw-insn "$object" | grep -Eq '%([yz]|t)mm'; then
                echo "$object: uses wide vector registers, but its name has no instruction-set suffix"
                bad=1
            fi
            continue
            ;;
    esac
    with_isa=$((with_isa + 1))
    while read -r name; do
        [[ $name == *"$suffix" ]] && continue
        echo "$object: defines the global name $name, which does not end in $suffix"
        bad=1
    done < <(nm --defined-only --extern-only --format=posix "$object" | awk '{ print $1 }')
done
if [ "$with_isa" -eq 0 ]; then
    echo "$0: no *_avx2.o, *_avx512.o or *_amx.o below $1: nothing was checked" >&2
    exit 2
fi
exit $bad
