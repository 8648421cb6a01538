# Who may include whom: a file includes its own room and rooms of strictly lower rank; server/ sees of the engine only
# its public headers; third-party headers have one door each.
BEGIN {
    rank["base"] = 0
    rank["graph"] = rank["kernels"] = rank["image"] = rank["runtime"] = 1
    rank["generic"] = 2
    rank["ops"] = 3
    rank["onnx"] = rank["passes"] = rank["plan"] = rank["verify"] = 4
    door["microhttpd.h"] = "^server/http/http[a-z_]*\\.[ch]$"
    door["jpeglib.h"] = "^((server/image/|tests/unit/server/image/test_)decode_jpeg[a-z_]*|tests/unit/server/image/jpeg_recipe)\\.[ch]$"
    door["spng.h"] = "^(server/image/|tests/unit/server/image/test_)decode_png[a-z_]*\\.[ch]$"
    door["onnx.pb-c.h"] = "^engine/onnx/"
    door["protobuf-c/protobuf-c.h"] = "^engine/onnx/"
}
# The server's floors: a room sees its own floor and lower ones.
BEGIN {
    floor["base"] = 0
    floor["settings"] = floor["image"] = 1
    floor["infer"] = 2
    floor["model"] = floor["http"] = floor["routes"] = 3 # what runs: they share the service
    floor["cli"] = 4
}
function room(path, parts) { return split(path, parts, "/") > 2 ? parts[2] : "" }
function complain(why) { printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0; bad = 1 }
/^#[ \t]*include/ {
    match($0, /["<][^">]*[">]/)
    what = substr($0, RSTART + 1, RLENGTH - 2)
    from = FILENAME
    if (what in door && from !~ door[what]) complain("this header has a door of its own, " door[what])
    if (from ~ /^tests\//) next
    if (from ~ /^engine\//) {
        if (what ~ /^(server|tests)\//) complain("the engine knows nothing of " what)
        if (what ~ /\.\.\//) complain("includes are written from the root")
        mine = room(from, a); theirs = what ~ /^engine\// ? room(what, b) : ""
        if (mine == "" && from != "engine/dsc.h") next # the facade sees every room
        if (what ~ /^engine\// && theirs == "" && what != "engine/dsc.h" && what != "engine/dsc_image.h")
            complain("only the facade sees this header")
        if (theirs != "" && theirs != mine && rank[theirs] >= rank[mine])
            complain("rank " rank[mine] " does not see rank " rank[theirs])
    }
    if (from ~ /^server\// && what ~ /^server\// && room(from, a) != room(what, b) && room(from, a) != "" &&
        floor[room(what, b)] > floor[room(from, a)])
        complain("the room " room(from, a) " does not see " room(what, b))
    if (from ~ /^server\// && what ~ /^engine\// && what != "engine/dsc.h" && what != "engine/dsc_image.h")
        complain("the server sees only the engine's public headers")
}
END { exit bad }
