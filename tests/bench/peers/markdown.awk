# SPDX-License-Identifier: Apache-2.0
# The rows of peers.tsv (see table.awk; field 15 is the kind of run) as the tables of docs/performance.md. Of an engine's
# two files the faster one counts.
function order(list, count, what) {
    for (i = 1; i <= count; i++) if (list[i] == what) return count
    list[count + 1] = what
    return count + 1
}
{
    run = $15 "\t" $1 "\t" ($15 == "hog" ? "" : $4)
    runs = order(run_list, runs, run)
    engines = order(engine_list, engines, $6)
    key = run SUBSEP $3 SUBSEP $6 SUBSEP $5
    seen[run, $3]
    dates[run] = $2
    versions[run, $6] = $7 != "" ? $7 : versions[run, $6]
    if ($12 == 0) {
        if (!(key in min)) failure[key] = $9
    } else if (!(key in min) || $10 < min[key]) {
        min[key] = $10
        median[key] = $11
        mean[key] = $14
        percent[key] = $13
    }
}
function cell(key) {return key in min ? sprintf("%.2f / %.2f", min[key], median[key]) : key in failure ? failure[key] : ""}
function ratio(ours, theirs) {
    return theirs in min ? sprintf("**%.3f** / %.3f", min[ours] / min[theirs], median[ours] / median[theirs]) : ""
}
function quiet_table(run,    n, e, ours, theirs, line, rule) {
    line = "| network | dscd | of peak |"
    rule = "|---|---|---|"
    for (e = 2; e <= engines; e++) {
        line = line " " engine_list[e] " | ratio |"
        rule = rule "---|---|"
    }
    print line "\n" rule
    for (n = 1; n <= networks; n++) {
        if (!((run, network[n]) in seen)) continue
        ours = run SUBSEP network[n] SUBSEP "dscd" SUBSEP "quiet"
        line = "| " title[network[n]] " | " cell(ours) " | " percent[ours] " % |"
        for (e = 2; e <= engines; e++) {
            theirs = run SUBSEP network[n] SUBSEP engine_list[e] SUBSEP "quiet"
            line = line " " cell(theirs) " | " ratio(ours, theirs) " |"
        }
        print line
    }
}
function hog_table(run,    n, e, alone, beside, line, rule) {
    line = "| network |"
    rule = "|---|"
    for (e = 1; e <= engines; e++) {
        line = line " " engine_list[e] " | ratio |"
        rule = rule "---|---|"
    }
    print line "\n" rule
    for (n = 1; n <= networks; n++) {
        if (!((run, network[n]) in seen)) continue
        line = "| " title[network[n]] " |"
        for (e = 1; e <= engines; e++) {
            alone = run SUBSEP network[n] SUBSEP engine_list[e] SUBSEP "quiet"
            beside = run SUBSEP network[n] SUBSEP engine_list[e] SUBSEP "hog"
            if (alone in min && beside in min)
                line = line sprintf(" %.2f → %.2f | **%.2f** / %.2f |", median[alone], median[beside], median[beside] / median[alone], mean[beside] / mean[alone])
            else line = line " " (alone in failure ? failure[alone] : "") " | |"
        }
        print line
    }
}
END {
    line = machine
    for (e = 1; e <= engines; e++) {
        for (r = 1; r <= runs; r++) if (versions[run_list[r], engine_list[e]] != "") version = versions[run_list[r], engine_list[e]]
        line = line ", " (engine_list[e] == "dscd" ? "dscd " : "") version
    }
    gsub(/-/, " ", line)
    print line ". a / b: minimum / median in ms; ratio: dscd's by the rival's, below 1 is faster.\n"
    for (r = 1; r <= runs; r++) {
        split(run_list[r], part, "\t")
        isa = part[2] == "avx512" ? "AVX-512" : part[2] == "avx2" ? "AVX2" : part[2] == "fip" ? "AVX-512 with FIP" : part[2] == "amx" ? "AMX" : part[2]
        if (part[1] == "hog") {
            print "**" isa ", one thread alone → two beside a process that holds one of the two cores**, medians in ms, and the ratios of medians and of means, " dates[run_list[r]] ":\n"
            hog_table(run_list[r])
        } else {
            print "**" isa ", " (part[3] == 1 ? "one thread" : part[3] == 2 ? "two threads" : part[3] " threads") "**, " dates[run_list[r]] ":\n"
            quiet_table(run_list[r])
        }
        print ""
    }
}
