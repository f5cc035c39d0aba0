-- Records outcomes and finishes the jobs. ARGV: as for settling; the result is that of
-- finishing.

local STRIDE = 4
local ids, counts, now = every(STRIDE, 3), {}, tonumber(ARGV[2])

load_all(ids)
for n = 1, #ids do
  local row = rows[ids[n]]
  local result = row and OVER[row[STATUS]] and DONE or settling.settle(n * STRIDE - 1)
  counts[n] = result ~= DONE and -result or nil
end
flush()
for n = 1, #ids do
  counts[n] = counts[n] or completing.complete(n * STRIDE - 1, nil, n, now)
end
return { counts, completing.conclude(#ids) }
