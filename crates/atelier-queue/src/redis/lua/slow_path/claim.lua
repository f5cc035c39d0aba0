-- The slow path of a claim: what is due, and jobs that are not simple.

local wanted, now, lease_end = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- Maximum number of pages read of the list of what is due.
local MOST_ROUNDS = 8

local function take(row)
  local n = #told + 1
  told[n], heads[n], rows_at[n] = row[ID], text_of(row), row
end

local function expire(row)
  fail(row, format('{"attempt":%d,"token":%d', row[ATTEMPT], row[TOKEN]) .. ARGV[4])
  ended(row[LANE], 1)
  hush(row)
  queue_again(row, '0', false, now)
  change(row)
end

-- Claims a delivery that is due.
local function deliver(row)
  row[DELIVERIES] = row[DELIVERIES] + 1
  write(row)
  put('due', row[ID], lease_end)
  take(row)
  tries[#tries + 1] = row[DELIVERIES] - 1
end

-- Recounts the calls in progress in a lane: it is unknown whether a job with an
-- unreadable head was one of them.
local function recount(name)
  local ids, count = call('ZRANGE', P .. 'due', 0, -1), 0
  load_all(ids)
  for i = 1, #ids do
    local row = rows[ids[i]]
    if row and row[STATUS] == 'r' and row[LANE] == name then
      count = count + 1
    end
  end
  local lane = lane_of(name)
  lane.running, lane.changed, work = count, true, true
end

-- Whether the job is recorded as a leader of the flight that its body names.
local function is_leading(id)
  for _, leader in ipairs(leaders_of(digest_of(id))) do
    if leader == id then
      return true
    end
  end
  return false
end

-- Fails a job with an unreadable head, and those that wait for it. Returns its lane.
local function give_up(id)
  local _, _, _, lane = about(rows[id])
  local row = read(id, pack(HEAD, 'f', 'm', 'f', PLAIN, 0, 0, 1, 0, 0, now, 0, 1, #lane, lane))
  rows[id], texts[id], links[id] = row, nil, nil
  -- Its links may be intact; they or its body name the flight that it led.
  set_mark(row, LINKED, 'y')
  local link = open(row)
  link.progress, link.preview = '', ''
  relink(row)
  set_mark(row, ROLE, (link.flight ~= '' or is_leading(id)) and 'l' or '-')
  local followed = call('EXISTS', P .. 'followers:' .. id) == 1
  set_mark(row, FOLLOWED, followed and 'y' or '-')
  attach(row, 'f', ARGV[5])
  put('due', id, false)
  local together = { row }
  for _, follower in ipairs(change(row) or {}) do
    local shared = rows[follower]
    if shared and shared[STATUS] ~= '?' then
      together[#together + 1] = shared
    end
  end
  close(row)
  flush()
  note_all(together, 0)
  leave_gates(row, nil, now)
  return lane
end

local function fall_due(id)
  local row = rows[id]
  local status = row and row[STATUS]
  if status == 'd' then
    deliver(row)
  elseif status == 'r' then
    expire(row)
  elseif status == 'q' and way_of(row) then
    come_due(row, now)
  elseif status == 'q' then
    queue(row, '0')
  elseif status == '?' then
    recount(give_up(id))
  else
    put('due', id, false)
  end
end

local function take_due()
  for _ = 1, MOST_ROUNDS do
    local ids = call('ZRANGEBYSCORE', P .. 'due', '-inf', ARGV[2], 'LIMIT', 0, 128)
    load_all(ids)
    read_links(ids)
    for i = 1, #ids do
      if #told >= wanted then
        break
      end
      fall_due(ids[i])
    end
    flush()
    if #ids < 128 or #told >= wanted then
      break
    end
  end
end

-- The number of jobs that wait again for a gate that has changed since they passed.
local sent = 0

-- Starts the call of a waiting job; `v` is the virtual time of its lane. Returns its
-- virtual start, nil if it cannot be started.
local function begin(id, text, v)
  -- A job that became due here has been written since, so its head may be out of date.
  rows[id] = nil
  local row = know(id, text)
  if row and row[STATUS] == 'q' then
    if way_of(row) then
      local lane = lane_of(row[LANE])
      lane.v = math.max(lane.v, v)
      if not start(row, now) then
        sent = sent + 1
        return
      end
    end
    row[STATUS], row[ATTEMPT] = 'r', row[ATTEMPT] + 1
    row[TOKEN] = math.max(row[TOKEN] + 1, now)
    if row[STARTED] == 0 then
      row[STARTED] = now
    end
    hush(row)
    put('due', id, lease_end)
    change(row)
    take(row)
    return row[VT]
  elseif row and row[STATUS] == '?' then
    give_up(id)
  end
end

-- Writes everything. Returns the reply for the jobs.
local function conclude()
  commit()
  return tell(told, heads, rows_at)
end

local function sent_back()
  return sent
end

return { take_due = take_due, begin = begin, flush = flush, sent_back = sent_back, conclude = conclude }
