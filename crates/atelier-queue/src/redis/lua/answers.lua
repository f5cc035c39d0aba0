-- Replies and refusals.

-- The number of jobs ahead of a queued one in its lane; -1 if unknown.
local function place(row)
  if row[STATUS] ~= 'q' or mark(row, WITHDRAWN) ~= '-' then
    return -1
  end
  local first = row
  if mark(row, ROLE) == 'f' then
    first = load(open(row).leader) or row
  end
  -- An unreadable leader has no position.
  return first[LANE] and call('ZRANK', P .. 'ready:' .. first[LANE], first[ID]) or -1
end

-- The fields' values where `wanted` is set, '' elsewhere; nil if it is set nowhere.
local function column(key, ids, wanted)
  local some, values = {}, {}
  for i = 1, #ids do
    values[i] = ''
    if wanted[i] then
      some[#some + 1] = ids[i]
    end
  end
  if #some == 0 then
    return some
  end
  local found, n = read_all(key, some), 0
  for i = 1, #ids do
    if wanted[i] then
      n = n + 1
      values[i] = found[n]
    end
  end
  return values
end

-- The leader whose call the job shares, while that is in flight.
local function leader_of(row)
  return mark(row, ROLE) == 'f' and not OVER[row[STATUS]] and load(open(row).leader) or nil
end

-- The links of a job without any.
local NO_LINKS = string.rep('\0', 12)

-- The reply for jobs, column by column: ids, heads, bodies, links, outcomes,
-- failures, positions (filled in later), and for followers the links of their
-- leaders, whose progress they show. The jobs with an entry in `rows_at` are rows;
-- the others are simple, and have outcomes if `outcomes`.
local function tell(ids, heads, rows_at, outcomes)
  local linked, ended_at, failed, leading, leaders = {}, {}, {}, {}, {}
  for i = 1, #ids do
    leaders[i] = ids[i]
  end
  for i, row in pairs(rows_at) do
    local leader = leader_of(row)
    linked[i], failed[i] = leader or mark(row, SHOWN) == 'y', mark(row, FAILED) == 'y'
    ended_at[i] = row[ENDED] and row[ENDED] ~= '-'
    leading[i], leaders[i] = leader, leader and leader[ID] or ids[i]
  end
  local shared = column('links', leaders, leading)
  for i in pairs(leading) do
    shared[i] = shared[i] or NO_LINKS
  end
  return {
    ids, heads, read_all('body', ids), column('links', ids, linked),
    outcomes and read_all('outcome', ids) or column('outcome', ids, ended_at),
    column('failures', ids, failed), {}, shared,
  }
end

-- The same for rows, with their positions.
local function tell_all(list)
  local ids, heads, places = {}, {}, {}
  for i = 1, #list do
    local row = list[i]
    ids[i], heads[i], places[i] = row[ID], text_of(row), place(row)
  end
  local columns = tell(ids, heads, list)
  columns[7] = places
  return columns
end

-- The row, if the token is still valid for it; else the refusal.
local function held(id, token)
  local row = rows[id]
  if not row then
    return nil, NOT_FOUND
  elseif row[STATUS] == '?' then
    return nil, UNREADABLE
  elseif (row[STATUS] ~= 'r' and row[STATUS] ~= 'd') or row[TOKEN] ~= tonumber(token)
    or (row[MARKS] ~= PLAIN and mark(row, ROLE) == 'f') then
    return nil, STALE
  end
  return row
end

-- The row with the state that its owner sees; else the refusal.
local function seen_by_owner(id)
  local row = load(id)
  if not row or mark(row, WITHDRAWN) == 'd' then
    return nil, NOT_FOUND
  elseif row[STATUS] == '?' then
    return nil, UNREADABLE
  end
  return row, mark(row, WITHDRAWN) == 'c' and 'c' or row[STATUS]
end
