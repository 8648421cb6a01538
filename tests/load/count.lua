-- Counts answers by status, and ends with one line of figures that load.sh reads.
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() ok, busy, other = 0, 0, 0 end
function response(status)
    if status == 200 then ok = ok + 1 elseif status == 503 then busy = busy + 1 else other = other + 1 end
end
function done(summary, latency)
    local total = { ok = 0, busy = 0, other = 0 }
    for _, thread in ipairs(threads) do
        for name in pairs(total) do total[name] = total[name] + (thread:get(name) or 0) end
    end
    local e = summary.errors
    io.write(string.format("figures %.1f %.3f %.3f %d %d %d %d\n", summary.requests / (summary.duration / 1e6),
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, total.ok, total.busy, total.other,
        e.connect + e.read + e.write + e.timeout))
end
