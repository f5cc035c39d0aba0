-- Prepended to the operations that let a job lead a call or join another's.

-- The leaders of a flight, including those of the previous version.
local function all_leaders(digest)
  local ids = leaders_of(digest)
  for _, id in ipairs(call('ZRANGE', P .. 'flight:' .. digest, 0, -1)) do
    ids[#ids + 1] = id
  end
  return ids
end

-- The newest job that answers the same request, was answered later than
-- `since`, or is about to be.
local function joinable(digest, since)
  local ids = all_leaders(digest)
  table.sort(ids)
  for i = #ids, 1, -1 do
    local row = load(ids[i])
    local status = row and STATES[row[STATUS]] and mark(row, ROLE) == 'l' and row[STATUS]
    if status == 's' and row[FINISHED] > since or status and not OVER[status] then
      return row
    end
  end
end

-- Leaders of a flight that have answered: another leader beside them may fail.
local function answered_leaders(digest)
  local answered = {}
  for _, id in ipairs(leaders_of(digest)) do
    local row = load(id)
    if row and row[STATUS] == 's' then
      answered[#answered + 1] = id
    end
  end
  return answered
end

-- Joins the call of the leader.
local function follow(row, leader)
  local link, shared = open(row), open(leader)
  row[STATUS], row[ATTEMPT], row[STARTED] = leader[STATUS], leader[ATTEMPT], leader[STARTED]
  row[CACHE] = 'j'
  link.leader, link.reports = leader[ID], shared.reports
  set_mark(row, ROLE, 'f')
  relink(row)
  call('SADD', P .. 'followers:' .. leader[ID], row[ID])
  if mark(leader, FOLLOWED) ~= 'y' then
    set_mark(leader, FOLLOWED, 'y')
    write(leader)
  end
end

-- Queues a job that is added (`anew`) or retried, after the owner's other jobs of the lane
-- once it has passed its gates, leading the flight beside these leaders; '' for no flight.
local function lead(row, owner, cost, due, flight, others, anew, now)
  local link = open(row)
  row[CACHE] = 'm'
  link.leader, link.reports = '', 0
  set_mark(row, ROLE, '-')
  if flight ~= '' then
    set_mark(row, ROLE, 'l')
    others[#others + 1] = row[ID]
    set_leaders(flight, others)
  end
  if link.way and not anew then
    reset(link.way)
  end
  if way_of(row) then
    come(row, anew, due, now)
  else
    row[VT] = schedule(row[LANE], owner, cost)
    queue(row, due)
  end
  relink(row)
end
