-- wrk -t2 -c8 -d10s -s tests/load/jpeg.lua http://127.0.0.1:8080/infer
-- Posts an image; BODY names another file.
local file = assert(io.open(os.getenv("BODY") or "config/models/fashion/samples/bag.jpg", "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "image/jpeg"
file:close()
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "count.lua")
