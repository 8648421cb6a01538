#!/usr/bin/env bash
# Builds the image with docker or podman, runs it read-only, without capabilities and as nobody, posts an image to it,
# asks for its health, and stops it. Says "skipped" and exits 0 where there is no container engine.
#   ENGINE=podman BUILD_ARGS='...' docker/test.sh
set -euo pipefail
cd "$(dirname "$0")/.."
engine=${ENGINE:-$(command -v docker >/dev/null && docker info >/dev/null 2>&1 && echo docker || command -v podman || true)}
if [ -z "$engine" ]; then echo "container test: skipped, neither a running docker nor podman is here"; exit 0; fi
name=dscd-test-$$
port=$(( 20000 + RANDOM % 20000 ))
format=(); [ "$(basename "$engine")" = podman ] && format=(--format docker) # the other format has no HEALTHCHECK
fail() { echo "container test: $*" >&2; "$engine" logs "$name" >&2 || true; exit 1; }
trap '"$engine" rm -f "$name" >/dev/null 2>&1 || true' EXIT

read -ra build_args <<<"${BUILD_ARGS:-}"
"$engine" build -q "${format[@]}" "${build_args[@]}" -t dscd:test . >/dev/null
bytes=$("$engine" image inspect dscd:test --format '{{.Size}}')
[ "$bytes" -le 14000000 ] || fail "the image has $bytes bytes, more than 14,000,000"

started=$(date +%s%N)
"$engine" run -d --name "$name" --network host --read-only --cap-drop=ALL --security-opt no-new-privileges \
    --user 65532:65532 --memory 256m -e DSCD_LISTEN="127.0.0.1:$port" dscd:test >/dev/null
for _ in $(seq 200); do
    curl -fs -o /dev/null "http://127.0.0.1:$port/v2/health/ready" && break
    sleep 0.05
done
curl -fs "http://127.0.0.1:$port/v2/health/ready" >/dev/null || fail "it is not ready after 10 s"
ready_ms=$(( ($(date +%s%N) - started) / 1000000 ))
reply=$(curl -fsS --data-binary @config/models/fashion/samples/ankle-boot.png "http://127.0.0.1:$port/infer") || fail "no answer"
grep -q '"label": *"Ankle boot"' <<<"$reply" || fail "another answer: ${reply:0:400}"
"$engine" exec "$name" /usr/bin/dscd healthcheck || fail "the health check fails"
"$engine" stop -t 10 "$name" >/dev/null
code=$("$engine" inspect "$name" --format '{{.State.ExitCode}}')
[ "$code" = 0 ] || fail "it stopped with status $code"
echo "container test: image $bytes bytes, ready $ready_ms ms after \"$(basename "$engine") run\", answer right, stopped with 0"
