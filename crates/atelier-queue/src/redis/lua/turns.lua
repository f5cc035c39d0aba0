-- Turns in lanes, for what does not take the slow path.

-- By lane: its virtual time, and the ends of owners' last jobs.
local turns = {}

-- The virtual start of the owner's next job in the lane.
local function schedule(name, owner, cost)
  owner = place_of(owner)
  local lane = turns[name]
  if not lane then
    lane = { v = tonumber(call('HGET', P .. 'lane:' .. name, 'v') or 0), finish = {} }
    turns[name] = lane
  end
  local start = lane.finish[owner]
  if not start then
    start = math.max(lane.v, tonumber(call('ZSCORE', P .. 'finish:' .. name, owner) or 0))
  end
  lane.finish[owner] = start + cost
  return start
end

-- Writes the ends of owners' last jobs.
local function write_turns()
  for name, lane in pairs(turns) do
    local list = {}
    for owner, finish in pairs(lane.finish) do
      add(list, decimal(finish), owner)
    end
    give(list, 'ZADD', P .. 'finish:' .. name)
  end
  turns = {}
end
