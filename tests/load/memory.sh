#!/usr/bin/env bash
# Resident memory of a daemon after many photos, beside what it must hold: packed weights and sessions.
#   tests/load/memory.sh DSCD MODEL.onnx [REQUESTS [CONNECTIONS]]
# Fails where more than 12 MB lie between the two, LIMIT_MB in the environment says another number. Connections are
# curl's, each one kept alive; MAPS=1 prints the largest mappings besides.
set -euo pipefail
dscd=$1 model=$2 requests=${3:-10000} connections=${4:-1} limit_mb=${LIMIT_MB:-12}
work=$(mktemp -d)
clients=()
"$dscd" serve "$model" --listen 127.0.0.1:0 --port-file "$work/port" --no-access-log >"$work/log" 2>&1 &
daemon=$!
trap 'kill $daemon "${clients[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 1200); do [ -s "$work/port" ] && break; kill -0 $daemon 2>/dev/null || { cat "$work/log"; exit 1; }; sleep 0.05; done
base=http://127.0.0.1:$(cat "$work/port")
for _ in $(seq 1200); do curl -fs "$base/v2/health/ready" >/dev/null && break; sleep 0.05; done

# A photo's size: 640 x 480, about 80 KB. The same bytes every time.
/usr/bin/python3 - "$work/photo.jpg" <<'PYTHON'
import random, sys
from PIL import Image
random.seed(1)
small = Image.new("RGB", (160, 120))
small.putdata([tuple(random.randrange(256) for _ in range(3)) for _ in range(160 * 120)])
small.resize((640, 480), Image.BICUBIC).save(sys.argv[1], quality=75)
PYTHON

# `count` requests on one connection.
send() {
    yes "url = \"$base/infer?profile=none\"
data-binary = \"@$work/photo.jpg\"
output = /dev/null
write-out = \"%{http_code}\\n\"
next" | head -n $((5 * $1 - 1)) | curl -s -K - | grep -vc '^200$' || true
}
kb() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$daemon/status"; }
fresh=$(kb VmRSS)
for i in $(seq "$connections"); do
    send $((requests / connections)) >"$work/refused$i" &
    clients+=($!)
done
wait "${clients[@]}"
clients=()
refused=$(awk '{ sum += $1 } END { print sum }' "$work"/refused*)
needed=$(curl -fs "$base/v2/models/stats" | /usr/bin/python3 -c '
import json, sys
print(sum(m["memory_usage"][0]["byte_size"] for m in json.load(sys.stdin)["model_stats"]) // 1024)')
resident=$(kb VmRSS)
awk -v f="$fresh" -v n="$needed" -v r="$resident" -v p="$(kb VmHWM)" -v a="$(kb RssAnon)" -v q="$requests" -v c="$connections" 'BEGIN {
    printf "resident after %d requests on %d connections, in MB:\n", q, c
    printf "  packed weights and sessions %6.1f\n  resident                    %6.1f (ready: %.1f, peak: %.1f, anonymous: %.1f)\n", n / 1024, r / 1024, f / 1024, p / 1024, a / 1024
    printf "  difference                  %6.1f\n", (r - n) / 1024 }'
if [ "${MAPS:-}" ]; then
    awk '/^[0-9a-f]+-/ { name = $6 == "" ? "anonymous " $1 : $6 } /^Rss:/ { rss[name] += $2 } /^Private_Dirty:/ { dirty[name] += $2 }
         END { for (n in rss) if (rss[n] >= 100) printf "%8d KB resident %8d KB dirty  %s\n", rss[n], dirty[n], n }' \
        "/proc/$daemon/smaps" | sort -rn
fi
[ "$refused" = 0 ] || { echo "$refused of the requests were not answered with 200"; exit 1; }
[ $((resident - needed)) -le $((limit_mb * 1024)) ] || { echo "more than $limit_mb MB beside weights and sessions"; exit 1; }
