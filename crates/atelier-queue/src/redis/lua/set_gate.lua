-- Changes a gate. ARGV: its name, now; the number at a time, the rate ('' for no change,
-- '-' for no limit), its period; '', 0 or 1 for whether the number is pinned, the rate is
-- pinned, it is paused, it is kept; 1 to end the period. Returns the gate.

local name, now = ARGV[1], tonumber(ARGV[2])
local gate = known_gate(name, now)
if ARGV[3] ~= '' then
  gate.parallel = tonumber(ARGV[3])
end
if ARGV[4] ~= '' then
  gate.rate, gate.period = tonumber(ARGV[4]), tonumber(ARGV[5])
end
for i, field in ipairs({ 'pinned_parallel', 'pinned_rate', 'paused', 'kept' }) do
  if ARGV[5 + i] ~= '' then
    gate[field] = ARGV[5 + i] == '1'
  end
end
if ARGV[10] == '1' then
  gate.window, gate.started = nil, 0
end
gate.updated, work = now, true
admit(name, now)
commit()
return gate_text(gates[name])
