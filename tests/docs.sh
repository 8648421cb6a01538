#!/usr/bin/env bash
# Runs the command lines of the README and docs/ as a reader would: every line in a fenced block that begins with `curl`,
# `dscd` or `wrk`, against a daemon with the embedded model and that of two towers. Names that a reader replaces are replaced here.
set -u
dscd=${DSCD:-build/dscd}
work=$(mktemp -d)
daemon=
export XDG_CACHE_HOME=$work/cache # of dscd tune
trap '[ -z "$daemon" ] || kill $daemon 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
"${GEN_MODELS:-build/release/tests/models/gen_models}" "$work" two_towers >/dev/null
"$dscd" serve --model fashion=config/models/fashion --model two_towers="$work/two_towers.onnx" --listen 127.0.0.1:0 --port-file "$work/port" --no-access-log 2>"$work/log" & daemon=$!
for _ in $(seq 200); do [ -s "$work/port" ] && curl -fs "http://127.0.0.1:$(cat "$work/port")/v2/health/ready" >/dev/null && break; sleep 0.05; done
base=http://127.0.0.1:$(cat "$work/port")
samples=config/models/fashion/samples

passed=0 failed=0
while IFS=$'\t' read -r file line; do
    command=${line%% #*}
    command=${command//http:\/\/127.0.0.1:8080/$base}
    command=${command//@photo.jpg/@$samples/bag.jpg}
    command=${command//scores.npy/$work/scores.npy}
    command=${command//answer.bin/$work/answer.bin}
    command=${command//tensor.npy/$work/tensor.npy}
    command=${command//photo.jpg/$samples/bag.jpg}
    command=${command//photo.png/$samples/trouser.png}
    command=${command//\/models\/cats/\/models\/fashion}
    command=${command//torchvision-imagenet/pixels-0-1}
    command=$(sed -E "s#\b(model|mobilenet|cats)\.onnx#config/models/fashion/1/model.onnx#g; s#--labels labels.txt#--labels config/models/fashion/labels.txt#" <<<"$command")
    case $command in
        dscd\ serve*) command="$dscd${command#dscd} --check-config" ;; # what it would do, without staying
        dscd*) command="$dscd${command#dscd}" ;;
        curl*) command="curl -fsS --max-time 20${command#curl}" ;;
        wrk*) command -v wrk >/dev/null || continue
              command=$(sed 's/-d10s/-d1s/' <<<"$command") ;;
    esac
    if timeout 60 bash -c "$command" >"$work/out" 2>&1 && [ -s "$work/out" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$file: $line"; echo "  ran: $command"; head -n 5 "$work/out"
    fi
done < <(awk 'FNR == 1 {fence = 0} /^```/ {fence = !fence; next}
              fence && /^(\$ )?(curl|dscd|wrk) / {sub(/^\$ /, ""); print FILENAME "\t" $0}' README.md docs/*.md)
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 10 ]
