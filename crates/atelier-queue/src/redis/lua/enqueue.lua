-- Adds jobs. ARGV[1]: 1 if there are no duplicate ids or digests; then for each: id,
-- fixed part and body, the digest of what it may join ('' for nothing), and its options:
-- '' for none; now, since when an answer counts; and, if it does not only join, when it
-- is due, its way through gates, the job whose slots it inherits, and its answer. Returns for each its position in the lane (-1 if unknown) if it
-- was queued alone, else the record; -2 if its owner has deleted it; -3 if it needs an
-- answer and there is none, or the given one is gone.

local STRIDE = 4
-- The length of the options of a job that only joins: two instants.
local INSTANTS = 16
-- For how many seconds to look for flights of the previous version.
local WEEK = 7 * 24 * 3600

local ids, distinct, lanes, owned = every(STRIDE, 2), ARGV[1] == '1', {}, {}
-- The lanes of the jobs queued alone, by index among the ids.
local lane_of_alone, long = {}
-- Digests of new flights, each with its leader.
local leading = {}

-- The virtual start of the owner's next job in the lane; `lanes` has for each
-- lane its virtual time, and the ends of owners' last jobs.
local function schedule(name, owner, cost)
  owner = place_of(owner)
  local lane = lanes[name]
  if not lane then
    lane = { v = tonumber(call('HGET', P .. 'lane:' .. name, 'v') or 0), finish = {} }
    lanes[name] = lane
  end
  local start = lane.finish[owner]
  if not start then
    start = math.max(lane.v, tonumber(call('ZSCORE', P .. 'finish:' .. name, owner) or 0))
  end
  lane.finish[owner] = start + cost
  return start
end

-- Writes the ends of owners' last jobs.
local function write_finishes()
  for name, lane in pairs(lanes) do
    local list = {}
    for owner, finish in pairs(lane.finish) do
      add(list, decimal(finish), owner)
    end
    call('ZADD', P .. 'finish:' .. name, unpack(list))
  end
  lanes = {}
end

-- From here on everything takes the slow path.
local function take_the_slow_path()
  write_finishes()
  long = slow_path()
  schedule = long.schedule
end

-- Whether any of the digests has a flight of the previous version, which used a key for
-- each. The empty digest has the time until which to look for them.
local function have_flown(digests, until_when)
  if not until_when then
    until_when = call('EXISTS', P .. 'head') == 1 and decimal(clock[1] + WEEK) or '0'
    call('HSET', P .. 'flights', '', until_when)
  end
  if tonumber(clock[1]) >= tonumber(until_when) then
    return false
  end
  local keys = {}
  for n = 1, #digests do
    keys[n] = P .. 'flight:' .. digests[n]
  end
  return call('EXISTS', unpack(keys)) > 0
end

-- The leaders by the index of the job that may join them; true for flights of the
-- previous version.
local function leaders_of_each()
  local digests = every(STRIDE, 4)
  local count = #digests
  digests[count + 1] = ''
  local leaders = call('HMGET', P .. 'flights', unpack(digests))
  if have_flown(digests, leaders[count + 1]) then
    for n = 1, count do
      leaders[n] = leaders[n] or true
    end
  end
  return leaders
end

-- A list by name, created if there is none.
local function listed(lists, name)
  local list = lists[name]
  if not list then
    list = {}
    lists[name] = list
  end
  return list
end

local found, leaders = call('HMGET', P .. 'head', unpack(ids)), leaders_of_each()
for n = 1, #ids do
  local id, i = ids[n], n * STRIDE
  local body, digest, special = ARGV[i - 1], ARGV[i], ARGV[i + 1]
  local leads = digest ~= '' and #special == INSTANTS and not leaders[n]
  local simple = distinct and (leads or special == '')
  if not long and (found[n] or not simple) then
    take_the_slow_path()
  end
  if not long or not long.is_known(id, found[n]) then
    local lane, band, cost, owner, files = parse('>Bc0BI4I2c0I2c0', body)
    band = band % 32
    local added = true
    if simple then
      local vt, marks = schedule(lane, owner, cost), PLAIN
      if leads then
        add(leading, digest, id)
        marks = LEADING
      end
      add(heads_in, id, pack(HEAD, 'q', 'm', '-', marks, 0, 0, 1, 0, 0, 0, vt, band, #lane, lane))
      add(listed(ready, lane), decimal(band * 1e13 + vt), id)
      lane_of_alone[n], work = lane, true
    else
      added = long.add(id, lane, band, cost, owner, files, digest, special, body)
    end
    if added then
      add(bodies_in, id, body)
      local _, has_list = place_of(owner)
      if has_list then
        add(listed(owned, owner), '0', id)
      end
      if files ~= '' then
        for name in string.gmatch(files, '[^\n]+') do
          call('HINCRBY', P .. 'files', name, 1)
        end
      end
    end
  end
end

if #leading > 0 then
  call('HSET', P .. 'flights', unpack(leading))
end
if long then
  long.commit()
else
  call('HSET', P .. 'head', unpack(heads_in))
  call('HSET', P .. 'body', unpack(bodies_in))
  for lane, list in pairs(ready) do
    call('ZADD', P .. 'ready:' .. lane, unpack(list))
  end
  write_finishes()
  call('PUBLISH', P .. 'bell', 'w')
end
for owner, list in pairs(owned) do
  call('ZADD', P .. 'owned:' .. owner, unpack(list))
end

-- The positions in a lane, by id, of a job and of as many more as were added with it,
-- which mostly follow it directly.
local function places_from(key, first, count)
  local places, rank = {}, call('ZRANK', key, first)
  for i, id in ipairs(call('ZRANGE', key, rank, rank + count - 1)) do
    places[id] = rank + i - 1
  end
  return places
end

local out, places = {}, {}
for n = 1, #ids do
  local id, lane = ids[n], lane_of_alone[n]
  if not lane then
    out[n] = long.answer(id)
  else
    local key = P .. 'ready:' .. lane
    places[lane] = places[lane] or places_from(key, id, #ids)
    out[n] = places[lane][id] or call('ZRANK', key, id) or -1
  end
end
return out
