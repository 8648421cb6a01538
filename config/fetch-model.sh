#!/usr/bin/env bash
# Fetches a model of config/catalogue.txt into a model repository:
#   config/fetch-model.sh NAME [REPOSITORY]      REPOSITORY is ./models unless given
#   config/fetch-model.sh --list
# What arrives is checked by its sha256 before it is put in place. CATALOGUE names another catalogue.
set -euo pipefail
catalogue=${CATALOGUE:-$(dirname "$0")/catalogue.txt}
say() { echo "fetch-model: $*" >&2; }

if [ $# -lt 1 ] || [ $# -gt 2 ]; then say "usage: fetch-model.sh NAME [REPOSITORY] | --list"; exit 2; fi
if [ "$1" = --list ]; then grep -v '^#' "$catalogue" | cut -d'|' -f1; exit 0; fi
line=$(grep -v '^#' "$catalogue" | awk -F'|' -v name="$1" '$1 == name' | head -n 1)
if [ -z "$line" ]; then say "no model \"$1\" in $catalogue; --list shows what there is"; exit 1; fi
IFS='|' read -r name model_sum model_url labels_sum labels_url config <<<"$line"

folder=${2:-models}/$name
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
fetch() { # address, sum, file
    curl --fail --location --silent --show-error --retry 2 --output "$3" "$1" || { say "$1 could not be fetched"; exit 1; }
    sum=$(sha256sum "$3" | cut -d' ' -f1)
    if [ "$sum" != "$2" ]; then say "$1 has the sha256 $sum, not $2: not installed"; exit 1; fi
}
fetch "$model_url" "$model_sum" "$staging/model.onnx"
fetch "$labels_url" "$labels_sum" "$staging/labels"
sed -E 's/^n[0-9]{8} //' "$staging/labels" >"$staging/labels.txt"
mkdir -p "$folder/1"
echo "$config" >"$folder/config.json"
mv "$staging/labels.txt" "$folder/labels.txt"
mv "$staging/model.onnx" "$folder/1/model.onnx"
echo "$folder: serve it with  dscd serve --model-repository ${2:-models}"
