-- The slow path of adding a job: delayed, possibly joined, answered, or present
-- already.

-- Whether some job still refers to every blob of the answer.
local function kept(answer)
  for name in string.gmatch(files_of(answer), '[^\n]+') do
    if call('HEXISTS', P .. 'files', name) == 0 then
      return false
    end
  end
  return true
end

local function answered(row, ended, outcome, now, body)
  row[STATUS], row[CACHE], row[FINISHED] = ended, 'e', now
  attach(row, ended, outcome)
  write(row)
  close(row)
  local free, untold = said(body)
  if not (free and untold) then
    note(row[ID], text_of(row), row[VERSION], 0, body, outcome, '')
  end
end

-- The slots of the job's end, if that is in the outbox.
local function held_by(id)
  local keys, own = call('ZRANGEBYLEX', P .. 'outbox', '[' .. id .. '-', '(' .. id .. '.'), {}
  for _, key in ipairs(keys) do
    -- A key is the id, a dash and ten digits.
    if #key == #id + 11 then
      own[#own + 1] = key
    end
  end
  local names = {}
  for _, text in ipairs(#own > 0 and call('HMGET', P .. 'barriers', unpack(own)) or {}) do
    for _, name in ipairs(unpack_names(text or '')) do
      names[#names + 1] = name
    end
  end
  return names
end

-- Adds slots in the gates that the job `from`, which has ended, still holds.
local function inherit(row, from)
  local names, way, inherited, own = held_by(from), open(row).way or {}, {}, {}
  local taken = {}
  for _, name in ipairs(names) do
    taken[name] = true
    inherited[#inherited + 1] = {
      gate = name, ends = true, stage = PASSED, slot = true, place = 0, inherited = true,
    }
  end
  for _, pass in ipairs(way) do
    if not taken[pass.gate] then
      own[#own + 1] = pass
    end
  end
  local tracked = way.tracked
  way = inherited
  for _, pass in ipairs(own) do
    way[#way + 1] = pass
  end
  way.tracked = tracked
  open(row).way = (#way > 0 or tracked) and way or nil
end

-- Adds a job with options, unless it needs an answer and there is none, or the given one
-- is gone. Returns whether it was added, and whether it was queued alone.
local function add_special(id, lane, band, cost, owner, files, digest, special, body)
  local row = read(id, pack(HEAD, 'q', 'm', '-', PLAIN, 0, 0, 1, 0, 0, 0, 0, band, #lane, lane))
  rows[id] = row
  local now, since, due, ended, answered_only, way, from, at = 0, 0, 0, '-', 0, '', '', 1
  if special ~= '' then
    now, since, at = parse('>I8I8', special)
  end
  if #special >= at then
    due, ended, answered_only, way, from, at = parse('>I8c1BI2c0I2c0', special, at)
  end
  local answer = sub(special, at)
  if ended ~= '-' then
    if not kept(answer) then
      rows[id] = nil
      return false
    end
    answered(row, ended, answer, now, body)
    return true
  end
  local leader = digest ~= '' and joinable(digest, since)
  if leader and leader[STATUS] == 's' then
    flush()
    answered(row, 's', call('HGET', P .. 'outcome', leader[ID]), now, body)
    return true
  elseif answered_only == 1 then
    rows[id] = nil
    return false
  end
  abouts[id] = { cost, owner, files, lane }
  local link = open(row)
  link.way = read_way(way, 1)
  if leader then
    link.flight = digest
    follow(row, leader)
  else
    if from ~= '' then
      inherit(row, from)
    end
    set_mark(row, LINKED, link.way and 'y' or '-')
    lead(row, owner, cost, due > 0 and decimal(due) or '0', digest, {}, true, now)
  end
  write(row)
  track(row, true)
  return true, not leader
end

-- Whether the job is present already. `text` is its head, if it had one before this
-- batch.
local function is_known(id, text)
  rows[id] = rows[id] or nil
  return know(id, text) and true or false
end

-- The reply for a job that took the slow path.
local function answer(id, alone)
  if alone then
    return place(rows[id])
  elseif not rows[id] then
    return -3
  elseif mark(rows[id], WITHDRAWN) == 'd' then
    return -2
  end
  return tell_all({ rows[id] })
end

return { add = add_special, is_known = is_known, answer = answer, schedule = schedule, flush = flush,
  commit = commit }
