-- wrk -t2 -c8 -d10s -s tests/load/npy.lua http://127.0.0.1:8080/infer
-- Posts a NumPy array of uint8, height x width: 28 x 28 unless SIDE says otherwise.
local side = tonumber(os.getenv("SIDE") or 28)
local header = string.format("{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d), }", side, side)
header = header .. string.rep(" ", 118 - 1 - #header) .. "\n"
local pixels = {}
for i = 1, side * side do pixels[i] = string.char((i * 7) % 256) end
wrk.method = "POST"
wrk.body = "\147NUMPY\1\0" .. string.char(#header % 256, math.floor(#header / 256)) .. header .. table.concat(pixels)
wrk.headers["Content-Type"] = "application/x-npy"
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "count.lua")
