-- Pauses a lane. ARGV: its name, limit of concurrent calls ('' for none), until, now.

local lane, now = lane_of(ARGV[1]), tonumber(ARGV[4])
if now >= lane.held then
  local most = math.min(lane.running, room_for(lane, tonumber(ARGV[2]) or math.huge, now))
  lane.floor = math.max(1, math.floor(most / 2))
end
lane.held = math.max(lane.held, tonumber(ARGV[3]))
lane.changed, work = true, true
commit()
return DONE
