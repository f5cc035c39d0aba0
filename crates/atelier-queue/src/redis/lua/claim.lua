-- Claims for several workers. ARGV: their number, now, end of the lease, the failure of
-- an expired lease as JSON after the numbers of the attempt and the claim, the outcome
-- of an unreadable job, then for each lane its name, limit of concurrent calls ('' for
-- none) and spacing.
-- Returns: when something may become due (-1 if unknown), the earlier attempts of each
-- delivery, and the jobs, deliveries first.

-- Jobs that one claim puts back into the lines of their gates.
local MOST_SENT_BACK = 64

local wanted, now, lease_end = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local long

-- The number of calls that may start in the lane now; if none, when that may change.
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

-- Whether a job with these links may start its call: nothing but one gate is to be looked at.
local function may_start(links, attempt)
  local _, name, bits = read_single(links)
  local gate = name and gate_of(name)
  -- It has passed, and counts towards no rate.
  if not gate or gate.rate or gate.paused or math.floor(bits / 2) % 4 ~= 2 or has(bits, 16) then
    return false
  end
  return not gate.parallel or gate.active <= gate.parallel or has(bits, 32) or (has(bits, 1) and attempt > 0)
end

-- Starts the next jobs of a lane. Returns how many there were.
local function take_ready(name, lane, count, spacing)
  local key = P .. 'ready:' .. name
  local ids = call('ZRANGE', key, 0, count - 1)
  if #ids == 0 then
    return 0
  end
  local found, begun, v = call('HMGET', P .. 'head', unpack(ids)), 0, lane.v
  local links = links_of_gated(ids, found)
  for i = 1, #ids do
    local id, text = ids[i], found[i]
    local status, cache, ended, marks, attempt, deliveries, version, token, started, finished, vt, band
    if sane(text) then
      status, cache, ended, marks, attempt, deliveries, version, token, started, finished, vt, band =
        parse(HEAD, text)
    end
    if status == 'q' and (marks == PLAIN or marks == LEADING
      or (marks == GATED and may_start(links[i], attempt))) then
      local head, n = pack(HEAD, 'r', cache, ended, marks, attempt + 1, deliveries, version + 1,
        token < now and now or token + 1, started == 0 and now or started, finished, vt, band,
        #name, name), #told + 1
      told[n], heads[n], changed[#changed + 1] = id, head, id
      add(heads_in, id, head)
      add(due_in, lease_end, id)
    else
      long = long or slow_path()
      vt = long.begin(id, text, v)
    end
    if vt then
      begun = begun + 1
      if vt > v then
        v = vt
      end
    end
  end
  call('ZREMRANGEBYRANK', key, 0, #ids - 1)
  if math.floor(v / 64) > math.floor(lane.v / 64) then
    -- An owner whose time has passed starts at the lane's, like a new one.
    call('ZREMRANGEBYSCORE', P .. 'finish:' .. name, '-inf', decimal(v))
  end
  lane.v, lane.running = v, lane.running + begun
  if begun > 0 then
    lane.next = math.max(now, lane.next) + spacing
  end
  return #ids
end

local wake

-- Claims what may start in a lane, and records when more may.
local function visit(name, parallel, spacing)
  local key = P .. 'lane:' .. name
  local fields = call('HMGET', key, 'v', 'next', 'held', 'floor', 'running')
  local lane = {
    v = tonumber(fields[1] or 0), next = tonumber(fields[2] or 0), held = tonumber(fields[3] or 0),
    floor = tonumber(fields[4] or nil), running = math.max(tonumber(fields[5] or 0), 0),
  }
  local before = #told
  while #told < wanted do
    local count, at = room(lane, parallel, spacing)
    if count == 0 then
      if at and (not wake or at < wake) and call('EXISTS', P .. 'ready:' .. name) == 1 then
        wake = at
      end
      break
    end
    local taken = take_ready(name, lane, math.min(count, wanted - #told), spacing)
    if long then
      -- A gate may have admitted others.
      long.flush()
      if long.sent_back() >= MOST_SENT_BACK then
        wake = now
        break
      end
    end
    if taken == 0 then
      break
    end
  end
  if #told > before then
    call('HSET', key, 'v', decimal(lane.v), 'next', decimal(lane.next), 'running', decimal(lane.running))
  end
end

local due = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
if due and tonumber(due) <= now then
  long = slow_path()
  long.take_due()
end
for i = 6, #ARGV, 3 do
  if #told < wanted then
    visit(ARGV[i], tonumber(ARGV[i + 1]) or math.huge, tonumber(ARGV[i + 2]))
  end
end

local columns
if long then
  columns = long.conclude()
elseif #told > 0 then
  call('HSET', P .. 'head', unpack(heads_in))
  call('ZADD', P .. 'due', unpack(due_in))
  call('PUBLISH', P .. 'bell', '-' .. table.concat(told, '\n'))
  columns = { told, heads, call('HMGET', P .. 'body', unpack(told)) }
end
if #told < wanted then
  local first = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
  due = first and tonumber(first)
  wake = math.min(wake or due or -1, due or wake or -1)
end
return { wake or -1, tries, columns or {} }
