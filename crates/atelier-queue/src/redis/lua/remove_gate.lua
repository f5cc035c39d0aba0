-- Removes a gate; the jobs in its line pass. ARGV: its name, now. Returns whether there
-- was one.

local name, now = ARGV[1], tonumber(ARGV[2])
local gate = gate_of(name)
if not gate or gate.removed then
  return 0
end
gate_of_job(name, now)
gate.parallel, gate.rate, gate.period, gate.window, gate.started = nil, nil, 0, nil, 0
gate.pinned_parallel, gate.pinned_rate, gate.paused, gate.kept = false, false, false, false
gate.removed = true
call('ZREM', P .. 'gates:names', name)
call('ZREM', P .. 'gates:staying', name)
admit(name, now)
commit()
return 1
