-- Adds jobs. For each: id, fixed part and body, and what is special about it,
-- or ''. Answers for each either its place in the lane (-1: not known) when it
-- was queued alone, or the record; -2: its owner has deleted it.

local STRIDE = 3

-- The jobs added alone are written without a row.
local owned, alone = {}, {}

local function own(owner, id)
  local list = owned[owner]
  if not list then
    list = {}
    owned[owner] = list
  end
  add(list, '0', id)
end

-- Whether every blob of the answer is still referred to by some job.
local function kept(answer)
  for name in string.gmatch(files_of(answer), '[^\n]+') do
    if call('HEXISTS', P .. 'files', name) == 0 then
      return false
    end
  end
  return true
end

local function answered(row, ended, outcome, now)
  row[STATUS], row[CACHE], row[FINISHED] = ended, 'e', now
  attach(row, ended, outcome)
  write(row)
  close(row)
end

local function add_special(row, owner, cost, extra)
  local due, now, since, ended, digest, at = parse('>I8I8I8c1I2c0', extra)
  local answer = sub(extra, at)
  if ended ~= '-' and kept(answer) then
    return answered(row, ended, answer, now)
  end
  local leader = digest ~= '' and joinable(digest, decimal(since))
  if leader and leader[STATUS] == 's' then
    flush()
    return answered(row, 's', call('HGET', P .. 'outcome', leader[ID]), now)
  end
  open(row).flight = digest
  if leader then
    follow(row, leader)
  else
    lead(row, owner, cost, due > 0 and decimal(due) or '0')
  end
  write(row)
end

local ids = every(STRIDE, 1)
local found, lane_by = read_all('head', ids), {}
for n = 1, #ids do
  local id, body, extra = ids[n], ARGV[n * STRIDE - 1], ARGV[n * STRIDE]
  local known = found[n]
  if alone[id] then
    flush()
    known, alone[id] = call('HGET', P .. 'head', id), nil
  end
  if not known and not rows[id] then
    local lane, band, cost, owner, files = parse(FIXED, body)
    if extra == '' then
      local vt = schedule(lane, owner, cost)
      alone[id], lane_by[n] = true, lane
      add(heads_in, id, pack(HEAD, 'q', 'm', '-', PLAIN, 0, 0, 1, 0, 0, 0, vt, band, #lane, lane))
      enter(lane, band, vt, id)
    else
      local row = read(id, pack(HEAD, 'q', 'm', '-', PLAIN, 0, 0, 1, 0, 0, 0, 0, band, #lane, lane))
      rows[id] = row
      add_special(row, owner, cost, extra)
    end
    add(bodies_in, id, body)
    keep(files)
    own(owner, id)
  else
    know(id, known)
  end
end
for owner, list in pairs(owned) do
  give(list, 'ZADD', P .. 'owned:' .. owner)
end
commit()

local out, keys = {}, {}
for n = 1, #ids do
  local id, lane = ids[n], lane_by[n]
  if lane then
    local key = keys[lane]
    if not key then
      key = P .. 'ready:' .. lane
      keys[lane] = key
    end
    out[n] = call('ZRANK', key, id) or -1
  elseif mark(rows[id], WITHDRAWN) == 'd' then
    out[n] = -2
  else
    out[n] = tell_all({ rows[id] })
  end
end
return out
