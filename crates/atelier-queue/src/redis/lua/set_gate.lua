-- Changes a gate. ARGV: its name, now; the number at a time, the rate ('' for no change,
-- '-' for no limit), its period; '', 0 or 1 for whether the number is pinned, the rate is
-- pinned, it is paused, it is kept; 1 to end the period; the first and the last of the names
-- among which gates that stay are counted, and how many there may be, or ''. Returns the gate,
-- or nothing if there would be too many.

local SWITCHES = { 'pinned_parallel', 'pinned_rate', 'paused', 'kept' }

-- Whether it stays although no job names it.
local function stays(gate)
  return gate.pinned_parallel or gate.pinned_rate or gate.paused or gate.kept
end

local name, now = ARGV[1], tonumber(ARGV[2])
local before, after = gate_of(name) or {}, {}
for i, switch in ipairs(SWITCHES) do
  local given = ARGV[5 + i]
  if given == '' then
    after[switch] = before[switch] or false
  else
    after[switch] = given == '1'
  end
end
local staying = P .. 'gates:staying'
if ARGV[13] ~= '' and stays(after) and not stays(before)
  and call('ZLEXCOUNT', staying, ARGV[11], ARGV[12]) >= tonumber(ARGV[13]) then
  return ''
end
local gate = known_gate(name, now)
if ARGV[3] ~= '' then
  gate.parallel = tonumber(ARGV[3])
end
if ARGV[4] ~= '' then
  gate.rate, gate.period = tonumber(ARGV[4]), tonumber(ARGV[5])
end
for _, switch in ipairs(SWITCHES) do
  gate[switch] = after[switch]
end
if ARGV[10] == '1' then
  gate.window, gate.started = nil, 0
end
if stays(gate) then
  call('ZADD', staying, '0', name)
else
  call('ZREM', staying, name)
end
gate.updated, work = now, true
admit(name, now)
commit()
return gate_text(gates[name])
