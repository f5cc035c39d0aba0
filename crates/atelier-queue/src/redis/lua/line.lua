-- The lines of gates: jobs that wait, by their place.

-- Jobs of a line that are read at a time.
local SOME = 16

-- The beginnings of lines, by the gates' names: ids and places, from the index `first` to
-- `last`; `whole` if nobody follows.
local lines = {}

local function line_of(name)
  local line = lines[name]
  if not line or (line.first > line.last and not line.whole) then
    local key = 'line:' .. name
    write_set(key)
    local found = call('ZRANGE', P .. key, 0, SOME - 1, 'WITHSCORES')
    line = { ids = {}, places = {}, first = 1, last = #found / 2, whole = #found < 2 * SOME }
    for i = 1, line.last do
      line.ids[i], line.places[i] = found[2 * i - 1], tonumber(found[2 * i])
    end
    lines[name] = line
  end
  return line
end

-- The first of a gate's line, with its place.
local function first_in_line(name)
  local line = line_of(name)
  return line.ids[line.first], line.places[line.first]
end

local function join_line(name, place, id)
  put('line:' .. name, id, decimal(place))
  local line = lines[name]
  if line and (line.whole or (line.first <= line.last and place < line.places[line.last])) then
    local i = line.last
    while i >= line.first and line.places[i] > place do
      line.ids[i + 1], line.places[i + 1] = line.ids[i], line.places[i]
      i = i - 1
    end
    line.ids[i + 1], line.places[i + 1] = id, place
    line.last = line.last + 1
  end
end

-- The first one leaves the line.
local function leave_first(name)
  local line = line_of(name)
  put('line:' .. name, line.ids[line.first], false)
  line.first = line.first + 1
end

-- Whether the job was in the line, which it leaves.
local function leave_line(name, id)
  write_set('line:' .. name)
  lines[name] = nil
  return call('ZREM', P .. 'line:' .. name, id) == 1
end

-- Reads so many jobs from the beginning of the line, with all that passing takes.
local function read_ahead(name, count)
  local line, ids = line_of(name), {}
  for i = line.first, math.min(line.last, line.first + count - 1) do
    local id = line.ids[i]
    if rows[id] == nil then
      ids[#ids + 1] = id
    end
  end
  load_all(ids)
  read_links(ids)
  fill(bodies, 'body', ids)
end
