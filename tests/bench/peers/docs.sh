#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts what peers.sh measured into the docs: the chart, and the tables between the two marks in docs/performance.md.
set -euo pipefail
mkdir -p docs/img
cp build/bench/peers.svg docs/img/peers.svg
part=$(mktemp); trap 'rm -f "$part"' EXIT
awk 'NR == FNR {table = table $0 "\n"; next}
     /<!-- peers: end -->/ {is_inside = 0}
     !is_inside
     /<!-- peers: begin/ {is_inside = 1; printf "\n%s", table}' build/bench/peers.md docs/performance.md >"$part"
cat "$part" >docs/performance.md
