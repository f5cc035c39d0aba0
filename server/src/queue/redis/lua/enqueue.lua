-- Adds jobs. For each: id, fixed part and body, whom it may join if that is all
-- there is to it (answered since when, and the digest; or ''), and what is
-- special about it, or ''. Answers for each either its place in the lane (-1: not
-- known) when it was queued alone, or the record; -2: its owner has deleted it;
-- -3: it needs an answer, and there is none; or the one it was given is gone.

local STRIDE = 4

local ids, lanes, owned, alone = every(STRIDE, 1), {}, {}, {}
-- The lanes of the jobs queued alone, by their index among the ids.
local lane_of_alone, long = {}
-- Links of those of them that lead a flight, to be written; and the digests.
local leading, begun = {}, {}

-- The virtual start of the owner's next job in the lane; `lanes` has for each
-- lane its virtual time, and where owners' last jobs end.
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

-- Writes where owners' last jobs end.
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

-- From here on everything goes the long way.
local function take_the_long_way()
  write_finishes()
  long = long_way()
  schedule = long.schedule
end

local function write_leading()
  if #leading > 0 then
    call('HSET', P .. 'links', unpack(leading))
    leading = {}
  end
end

-- Whether nobody has asked yet for any of what is asked for here.
local function are_all_new()
  local keys = {}
  for i = 3, #ARGV, STRIDE do
    if ARGV[i] ~= '' then
      keys[#keys + 1] = P .. 'flight:' .. sub(ARGV[i], 9)
    end
  end
  return #keys > 0 and call('EXISTS', unpack(keys)) == 0
end

local all_new = are_all_new()

-- The digest of a job that may join others, but finds none: it leads a flight.
local function lone_digest(joins)
  local since, at = parse('>I8', joins)
  local digest = sub(joins, at)
  local new = all_new and not long and not begun[digest]
  if new or call('ZCOUNT', P .. 'flight:' .. digest, '(' .. decimal(since), '+inf') == 0 then
    return digest
  end
end

-- Lets the job lead the flight; returns its marks.
local function lead_alone(id, digest)
  add(leading, id, pack('>I2I2c0I2I2I4', 0, #digest, digest, 0, 0, 0))
  call('ZADD', P .. 'flight:' .. digest, '+inf', id)
  begun[digest] = true
  return LEADING
end

-- A list by its name, made if there is none.
local function listed(lists, name)
  local list = lists[name]
  if not list then
    list = {}
    lists[name] = list
  end
  return list
end

local found = call('HMGET', P .. 'head', unpack(ids))
for n = 1, #ids do
  local id, body, joins, extra = ids[n], ARGV[n * STRIDE - 2], ARGV[n * STRIDE - 1], ARGV[n * STRIDE]
  local known = found[n]
  local digest = not known and not alone[id] and joins ~= '' and lone_digest(joins)
  local simple = extra == '' or digest
  if not long and (known or not simple or alone[id]) then
    take_the_long_way()
  end
  if alone[id] or not simple and next(begun) then
    -- The same id twice, or one that may join who leads since a moment ago.
    write_leading()
    long.flush()
    begun = {}
    known = call('HGET', P .. 'head', id)
  end
  if not long or not long.is_known(id, known) then
    local lane, band, cost, owner, files = parse('>Bc0BI4I2c0I2c0', body)
    band = band % 64
    local added = true
    if simple then
      local vt, marks = schedule(lane, owner, cost), digest and lead_alone(id, digest) or PLAIN
      add(heads_in, id, pack(HEAD, 'q', 'm', '-', marks, 0, 0, 1, 0, 0, 0, vt, band, #lane, lane))
      add(listed(ready, lane), decimal(band * 1e13 + vt), id)
      alone[id], lane_of_alone[n], work = true, lane, true
    else
      added = long.add(id, lane, band, cost, owner, extra, body)
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

write_leading()
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

local out, keys = {}, {}
for n = 1, #ids do
  local id = ids[n]
  local lane = lane_of_alone[n]
  if not lane then
    out[n] = long.answer(id)
  else
    keys[lane] = keys[lane] or P .. 'ready:' .. lane
    out[n] = call('ZRANK', keys[lane], id) or -1
  end
end
return out
