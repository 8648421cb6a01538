# SPDX-License-Identifier: Apache-2.0
# The rows of peers.tsv for a terminal.
#   1 isa, 2 date, 3 network, 4 threads, 5 quiet or hog, 6 engine, 7 version, 8 file, 9 difference or what failed,
#   10 minimum, 11 median, ms, 12 runs, 13 percent of the peak, 14 mean, ms
NR == 1 {
    printf "%-19s %-7s %-9s %-14s %-7s %10s %10s %10s %10s %8s %8s %7s\n", "network", "isa", "threads", "engine", "file",
        "difference", "min ms", "median", "mean", "ratio", "ratio", "% peak"
}
$6 == "dscd" && $5 == "quiet" {min = $10; median = $11}
{
    threads = $4 ($5 == "hog" ? " + hog" : "")
    printf "%-19s %-7s %-9s %-14s %-7s %10s ", $3, $1, threads, $6, $8, $9
    if ($12 == 0) print ""
    else printf "%10.3f %10.3f %10.3f %8.3f %8.3f %7s\n", $10, $11, $14, min / $10, median / $11, ($13 > 0 ? $13 : "")
}
