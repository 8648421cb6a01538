# SPDX-License-Identifier: Apache-2.0
# The rows of peers.tsv (see table.awk) as JSON.
BEGIN {printf "{\"machine\":\"%s\",\"rows\":[", machine}
{
    printf "%s\n{\"isa\":\"%s\",\"date\":\"%s\",\"network\":\"%s\",\"threads\":%d,\"beside\":\"%s\",\"engine\":\"%s\",", (NR > 1 ? "," : ""), $1, $2, $3, $4, $5, $6
    printf "\"version\":\"%s\",\"file\":\"%s\",", $7, $8
    if ($12 == 0) printf "\"failed\":\"%s\"}", $9
    else printf "\"difference\":%s,\"min_ms\":%s,\"median_ms\":%s,\"mean_ms\":%s,\"runs\":%d,\"peak_percent\":%s}", $9, $10, $11, $14, $12, ($13 > 0 ? $13 : "null")
}
END {print "\n]}"}
