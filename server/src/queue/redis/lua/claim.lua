-- Claims for several workers at once. ARGV: how many, now, end of the lease,
-- a lease's expiry as JSON before and after the number of the attempt, then
-- for each lane its name, bound of parallel calls ('' for none) and spacing.
-- Answers: when something may fall due (-1: unknown), the deliveries tried of
-- each delivery, and the jobs: deliveries first.

local wanted, now, lease_end = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local MOST_ROUNDS = 8
-- The jobs taken, and which of them took the long way.
local taken, heads, special, tries = {}, {}, {}, {}

local function take(row)
  local n = #taken + 1
  taken[n], heads[n], special[n] = row[ID], texts[row[ID]], row
end

local function expire(row)
  fail(row, ARGV[4] .. decimal(row[ATTEMPT]) .. ARGV[5])
  ended(row[LANE], 1)
  hush(row)
  queue(row, '0')
  change(row)
end

-- Hands out a delivery that is due.
local function deliver(row)
  row[DELIVERIES] = row[DELIVERIES] + 1
  write(row)
  add(due_in, lease_end, row[ID])
  take(row)
  tries[#tries + 1] = row[DELIVERIES] - 1
end

local function fall_due(id)
  local row = rows[id]
  local status = row and row[STATUS]
  if status == 'd' then
    deliver(row)
  elseif status == 'r' then
    expire(row)
  elseif status == 'q' then
    queue(row, '0')
  else
    due_out[#due_out + 1] = id
  end
end

local function take_due()
  for _ = 1, MOST_ROUNDS do
    local ids = call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[2], 'LIMIT', 0, 128)
    load_all(ids)
    for i = 1, #ids do
      if #taken >= wanted then
        break
      end
      fall_due(ids[i])
    end
    flush()
    if #ids < 128 or #taken >= wanted then
      break
    end
  end
end

-- How many calls may begin in the lane now; if none, when that may change.
local function room(lane, parallel, spacing)
  if now < lane.held then
    return 0, lane.held
  end
  local most = room_for(lane, parallel, now)
  if lane.running >= most then
    if lane.floor and lane.running < parallel then
      return 0, lane.held + 1000 * (lane.running - lane.floor + 1)
    end
    return 0
  elseif spacing == 0 then
    return most - lane.running
  elseif now < lane.next then
    return 0, lane.next
  end
  return 1
end

local function begin(row)
  row[STATUS], row[ATTEMPT] = 'r', row[ATTEMPT] + 1
  row[TOKEN] = math.max(row[TOKEN] + 1, now)
  if row[STARTED] == 0 then
    row[STARTED] = now
  end
  hush(row)
  add(due_in, lease_end, row[ID])
  change(row)
  take(row)
end

-- Begins the next few jobs of a lane; returns how many there were.
local function take_ready(name, lane, count, spacing)
  local key = P .. 'ready:' .. name
  local ids = call('ZRANGE', key, 0, count - 1)
  if #ids == 0 then
    return 0
  end
  call('ZREMRANGEBYRANK', key, 0, #ids - 1)
  local found, begun = read_all('head', ids), 0
  for i = 1, #ids do
    local id, text = ids[i], found[i]
    local status, cache, outcome, marks, attempt, deliveries, version, token, started, finished, vt, band
    if sane(text) then
      status, cache, outcome, marks, attempt, deliveries, version, token, started, finished, vt, band =
        parse(HEAD, text)
    end
    if status == 'q' and SIMPLE[marks] then
      -- The short way to what `begin` does.
      local head = pack(HEAD, 'r', cache, outcome, marks, attempt + 1, deliveries, version + 1,
        token < now and now or token + 1, started == 0 and now or started, finished, vt, band,
        #name, name)
      local n = #taken + 1
      taken[n], heads[n], changed[#changed + 1] = id, head, id
      add(heads_in, id, head)
      add(due_in, lease_end, id)
      if vt > lane.v then
        lane.v = vt
      end
      begun = begun + 1
    else
      rows[id] = nil
      local row = know(id, text)
      if row and row[STATUS] == 'q' then
        begin(row)
        lane.v = math.max(lane.v, row[VT])
        begun = begun + 1
      elseif row and row[STATUS] == '?' then
        take(row)
      end
    end
  end
  if begun > 0 then
    lane.running, lane.next, lane.changed = lane.running + begun, math.max(now, lane.next) + spacing, true
  end
  -- An owner whose time has passed starts at the lane's, like a new one.
  call('ZREMRANGEBYSCORE', P .. 'finish:' .. name, '-inf', decimal(lane.v))
  return #ids
end

local wake

-- Takes what may begin in a lane, and notes when more may.
local function visit(name, parallel, spacing)
  local lane = lane_of(name)
  while #taken < wanted do
    local count, at = room(lane, parallel, spacing)
    if count == 0 then
      if at and (not wake or at < wake) and call('EXISTS', P .. 'ready:' .. name) == 1 then
        wake = at
      end
      return
    end
    if take_ready(name, lane, math.min(count, wanted - #taken), spacing) == 0 then
      return
    end
  end
end

take_due()
for i = 6, #ARGV, 3 do
  if #taken < wanted then
    visit(ARGV[i], tonumber(ARGV[i + 1]) or math.huge, tonumber(ARGV[i + 2]))
  end
end
commit()

if #taken < wanted then
  local first = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
  local due = first and tonumber(first)
  wake = math.min(wake or due or -1, due or wake or -1)
end
return { wake or -1, tries, tell(taken, heads, special) }
