-- Put before the operations that let a job lead a call or join another's.

-- The newest job that answers the same request, was answered later than
-- `since`, or is about to be.
local function joinable(digest, since)
  local ids = call('ZRANGEBYSCORE', P .. 'flight:' .. digest, '(' .. since, '+inf')
  table.sort(ids)
  for i = #ids, 1, -1 do
    local row = load(ids[i])
    if row and (row[STATUS] == 's' or row[STATUS] ~= '?' and not OVER[row[STATUS]]) then
      return row
    end
  end
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

-- Takes a place behind the owner's other jobs of the lane.
local function lead(row, owner, cost, due)
  local link = open(row)
  row[CACHE], row[VT] = 'm', schedule(row[LANE], owner, cost)
  link.leader, link.reports = '', 0
  set_mark(row, ROLE, '-')
  if link.flight ~= '' then
    set_mark(row, ROLE, 'l')
    call('ZADD', P .. 'flight:' .. link.flight, '+inf', row[ID])
  end
  relink(row)
  queue(row, due)
end
