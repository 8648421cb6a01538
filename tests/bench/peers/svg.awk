# SPDX-License-Identifier: Apache-2.0
# A bar chart of the rows of peers.tsv (see table.awk): one thread, one instruction set (`isa`), the least time of every
# engine beside dscd's. Of two files the faster one counts. Colours hold on a light and on a dark page.
$1 == isa && $4 == 1 && $15 == "quiet" && $12 > 0 {
    if (!($6 in column)) {column[$6]; engine[++engines] = $6}
    if (!(($3, $6) in min) || $10 < min[$3, $6]) min[$3, $6] = $10
    date = $2
}
function text(x, y, class, what) {printf "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, class, what}
BEGIN {
    left = 150; width = 520; bar = 13; limit = 3.2 # times dscd's; longer bars are cut
    split("#2f81f7 #d98a1f #8f6fd1 #8a949e", colour, " ")
}
END {
    for (n = 1; n <= networks; n++) if ((network[n], "dscd") in min) shown[++rows] = network[n]
    group = engines * (bar + 2) + 12
    height = 70 + rows * group
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 %d\" role=\"img\" aria-label=\"Time of one inference beside other engines\">\n", height
    print "<style>text{font:12px system-ui,sans-serif;fill:#3d444d}.head{font-size:14px;font-weight:600}.name{text-anchor:end}.mid{text-anchor:middle}line{stroke:#8a949e;stroke-width:1;stroke-dasharray:3 3}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}</style>"
    text(left, 18, "head", "Time of one inference, dscd = 1 (shorter is faster)")
    text(left, 34, "", "one thread, " (isa == "amx" ? "dscd with AMX" : isa == "fip" ? "dscd with FIP" : isa == "avx512" ? "AVX-512" : "AVX2") ", least times of rounds in turn, " date)
    x = left
    for (e = 1; e <= engines; e++) {
        printf "<rect x=\"%d\" y=\"43\" width=\"11\" height=\"11\" fill=\"%s\"/>\n", x, colour[e]
        text(x + 16, 53, "", engine[e])
        x += 40 + 8 * length(engine[e])
    }
    for (n = 1; n <= rows; n++) {
        y = 66 + (n - 1) * group
        text(left - 10, y + group / 2 - 2, "name", title[shown[n]])
        for (e = 1; e <= engines; e++) {
            if (!((shown[n], engine[e]) in min)) {
                text(left + 5, y + 11, "", engine[e] ": not measured")
            } else {
                ms = min[shown[n], engine[e]]
                times = ms / min[shown[n], "dscd"]
                long = times > limit ? limit : times
                printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"%s\"/>\n", left, y, long * width / limit, bar, colour[e]
                text(left + long * width / limit + 5, y + 11, "", sprintf("%.2f%s", times, e == 1 ? sprintf(" (%.4g ms)", ms) : times > limit ? " (cut)" : ""))
            }
            y += bar + 2
        }
    }
    x = left + width / limit
    printf "<line x1=\"%d\" y1=\"60\" x2=\"%d\" y2=\"%d\"/>\n</svg>\n", x, x, height - 8
}
