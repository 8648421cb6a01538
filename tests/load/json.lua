-- wrk -t2 -c8 -d10s -s tests/load/json.lua http://127.0.0.1:8080/v2/models/fashion/infer
-- Posts an Open Inference Protocol request for the embedded model: one input of 1 x 1 x 28 x 28 numbers.
local numbers = {}
for i = 1, 28 * 28 do numbers[i] = string.format("%.4f", (i * 7 % 256) / 127.5 - 1) end
wrk.method = "POST"
wrk.body = '{"inputs":[{"name":"input","shape":[1,1,28,28],"datatype":"FP32","data":[' .. table.concat(numbers, ",") .. "]}]}"
wrk.headers["Content-Type"] = "application/json"
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "count.lua")
