-- Lanes: whose turn it is, and when the next call may start.

local function lane_of(name)
  local lane = lanes[name]
  if not lane then
    local fields = call('HMGET', P .. 'lane:' .. name, 'v', 'next', 'held', 'floor', 'running')
    lane = {
      v = tonumber(fields[1] or 0), next = tonumber(fields[2] or 0), held = tonumber(fields[3] or 0),
      floor = tonumber(fields[4] or nil), running = math.max(tonumber(fields[5] or 0), 0),
      finish = {}, moved = {},
    }
    lanes[name] = lane
  end
  return lane
end

-- When the owner's last job in the lane ends, in virtual time.
local function finish_of(name, owner)
  owner = place_of(owner)
  local lane = lane_of(name)
  local finish = lane.finish[owner]
  if not finish then
    finish = tonumber(call('ZSCORE', P .. 'finish:' .. name, owner) or 0)
    lane.finish[owner] = finish
  end
  return math.max(lane.v, finish)
end

local function set_finish(name, owner, finish)
  local lane = lane_of(name)
  owner = place_of(owner)
  lane.finish[owner], lane.moved[owner] = finish, true
end

-- The virtual start of the owner's next job.
local function schedule(name, owner, cost)
  local start = finish_of(name, owner)
  set_finish(name, owner, start + cost)
  return start
end

-- Queues a job for the instant, given in decimal; '0' for at once.
local function queue(row, due)
  row[STATUS] = 'q'
  if due == '0' then
    put('due', row[ID], false)
    enter(row[LANE], row[BAND], row[VT], row[ID])
  else
    put('due', row[ID], due)
    work = true
  end
end

-- Subtracts calls that have ended from those in progress in the lane.
local function ended(name, count)
  local lane = lane_of(name)
  lane.running = lane.running - count
  lane.changed, work = true, true
end
