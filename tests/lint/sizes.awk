# Sizes we hold ourselves to: files of 600 lines, headers of 150 (the public one is mostly comment and excused),
# functions of 60 lines, six parameters (kernels excused from both, and callbacks whose shape a library prescribes).
function complain(line, why) { printf "%s:%d: %s\n", FILENAME, line, why; bad = 1 }
function end_of_file() {
    limit = file ~ /\.h$/ && file !~ /^engine\/dsc/ && file !~ /^engine\/kernels\// ? 150 : 600
    if (lines > limit) { printf "%s: %d lines, more than %d\n", file, lines, limit; bad = 1 }
}
FNR == 1 { if (file) end_of_file(); file = FILENAME; start = 0; head = "" }
{ lines = FNR }
# A definition starts in the first column; its head may run over several lines up to the opening brace.
/^[a-zA-Z_].*\(/ && !/;[ \t]*$/ && !/^(typedef|#|else|struct [a-z_]* \{|Test|ParameterizedTest)/ { head = $0; headline = FNR }
head != "" && FNR > headline && !start { head = head $0 }
head != "" && /\{[ \t]*$/ && !start {
    start = headline
    text = head
    sub(/\)[^)]*\{[ \t]*$/, "", text); sub(/^[^(]*\(/, "", text)
    gsub(/\([^()]*\)/, "", text)
    count = text ~ /^(void)?$/ ? 0 : gsub(/,/, ",", text) + 1
    if (count > 6 && head !~ /=/ && head !~ /struct MHD_Connection/ && FILENAME !~ /^engine\/kernels\//) complain(headline, count " parameters, more than 6")
}
head != "" && /;[ \t]*$/ && !start { head = "" }
/^\}/ {
    if (start && FNR - start + 1 > 60 && FILENAME !~ /^engine\/kernels\//)
        complain(start, "a function of " (FNR - start + 1) " lines, more than 60")
    start = 0; head = ""
}
END { end_of_file(); exit bad }
