-- Extends leases. For each: id, token, end of the lease, progress, preview
-- ('' leaves it as it is). Returns the result of each.

local STRIDE = 5
local ids, out, leases = every(STRIDE, 1), {}, {}
local long

local found = call('HMGET', P .. 'head', unpack(ids))
for n = 1, #ids do
  local text, i = found[n], (n - 1) * STRIDE + 1
  local status, marks, token, _
  if ARGV[i + 3] == '' and ARGV[i + 4] == '' and sane(text) then
    status, _, _, marks, _, _, _, token = parse(HEAD, text)
  end
  if (status == 'r' or status == 'd') and sub(marks, 2, 2) ~= 'f' and token == tonumber(ARGV[i + 1]) then
    out[n] = DONE
  else
    long = long or slow_path()
    out[n] = long.extend(i, text)
  end
  if out[n] == DONE then
    add(leases, ARGV[i + 2], ids[n])
  end
end

if long then
  long.commit()
end
if #leases > 0 then
  -- A late extension does not shorten a newer one.
  call('ZADD', P .. 'due', 'GT', unpack(leases))
end
return out
