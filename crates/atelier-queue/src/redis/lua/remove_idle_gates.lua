-- Removes gates that no job has named since an instant. ARGV: that instant, their names.

local before, gone = tonumber(ARGV[1]), {}
for i = 2, #ARGV do
  local gate = gate_of(ARGV[i])
  local used = gate and (gate.named > 0 or gate.kept or gate.paused or gate.pinned_parallel
    or gate.pinned_rate or gate.used >= before or (gate.window or 0) + gate.period >= before)
  if not used then
    gone[#gone + 1] = ARGV[i]
  end
end
if #gone > 0 then
  call('HDEL', P .. 'gates', unpack(gone))
  call('ZREM', P .. 'gates:names', unpack(gone))
end
return DONE
