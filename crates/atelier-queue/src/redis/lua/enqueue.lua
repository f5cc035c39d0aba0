-- Adds jobs. ARGV[1]: 1 if there are no duplicate ids or digests; then for each: id,
-- fixed part and body, the digest of what it may join ('' for nothing), and its options:
-- '' for none; now, since when an answer counts; and, if it does not only join, when it
-- is due, its way through gates, the job whose slots it inherits, and its answer. Returns
-- for each its position in the lane (-1 if unknown) if it was queued alone, else the
-- record; -2 if its owner has deleted it; -3 if it needs an answer and there is none, or
-- the given one is gone.

local STRIDE = 4
-- The length of the options of a job that only joins: two instants.
local INSTANTS = 16
-- For how many seconds to look for flights of the previous version.
local WEEK = 7 * 24 * 3600

local ids, distinct = every(STRIDE, 2), ARGV[1] == '1'
-- The jobs queued alone, by index among the ids: their lanes, '' for those that wait for a
-- gate; and those that took the slow path.
local lane_of_alone, alone = {}, {}
local long
-- Digests of new flights, each with its leader.
local leading = {}

-- From here on everything takes the slow path.
local function take_the_slow_path()
  write_turns()
  long = slow_path()
  long.flush()
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

-- How the job comes to a gate, if it does so at once, has no other, and its terms change
-- nothing for those that wait there.
local function only_pass(special)
  if #special <= INSTANTS then
    return
  end
  local now, _, due, ended, answered_only, way, from, at = parse('>I8I8I8c1BI2c0I2c0', special)
  if due > 0 or ended ~= '-' or answered_only > 0 or from ~= '' or at <= #special then
    return
  end
  local flags, name, bits, _, parallel, rate, period = read_single(NOTHING .. way)
  local gate = name and gate_of(name)
  if not name or rate >= 0 or gate and (gate.rate or gate.removed) then
    return
  end
  local most, agrees = parallel >= 0 and parallel or nil, not has(bits, 64)
  if gate and not agrees then
    agrees = gate.parallel == most and gate.period == period
    if not agrees and gate.waiting > 0 then
      return
    end
  end
  return {
    now = now, flags = flags, gate = name, bits = bits, most = most, parallel = parallel, rate = rate,
    period = period, agrees = agrees,
  }
end

-- Whether others wait for the gate already.
local function is_crowded(gate)
  if gate.waiting > 0 and gate.crowded == nil then
    gate.crowded = call('EXISTS', P .. 'line:' .. gate.name) == 1
  end
  return gate.waiting > 0 and gate.crowded
end

-- Brings a new job to its only gate. Returns its virtual start, nil if it waits.
local function arrive(pass, id, lane, band, cost, owner)
  local gate, vt = known_gate(pass.gate, pass.now), nil
  local flags, bits = pass.flags, pass.bits
  gate.named, gate.last = gate.named + 1, gate.last + 1
  if not pass.agrees then
    agree(gate, { parallel = pass.most, period = pass.period }, pass.now)
  end
  if flags == 1 then
    put('unfinished:' .. owner, id, '0')
  end
  if gate.paused or (gate.parallel and gate.active >= gate.parallel) or is_crowded(gate) then
    gate.waiting, gate.crowded, bits = gate.waiting + 1, true, bits + 2
    put('line:' .. pass.gate, id, decimal(gate.last))
  else
    gate.active, bits, flags = gate.active + 1, bits + 12, flags + 2
    vt = schedule(lane, owner, cost)
    enter(lane, band, vt, id)
  end
  add(links_in, id, single_text(flags, pass.gate, bits, gate.last, pass.parallel, pass.rate, pass.period))
  return vt
end

local found, leaders = call('HMGET', P .. 'head', unpack(ids)), leaders_of_each()
for n = 1, #ids do
  local id, i = ids[n], n * STRIDE
  local body, digest, special = ARGV[i - 1], ARGV[i], ARGV[i + 1]
  local leads = digest ~= '' and #special == INSTANTS and not leaders[n]
  local simple = distinct and (leads or special == '')
  local pass = distinct and not long and not found[n] and digest == '' and only_pass(special)
  if not long and (found[n] or not (simple or pass)) then
    take_the_slow_path()
  end
  if not long or not long.is_known(id, found[n]) then
    local lane, band, cost, owner, files = parse(FIXED, body)
    band = band % 32
    local added = true
    if simple or pass then
      local vt, marks = nil, PLAIN
      if pass then
        vt, marks = arrive(pass, id, lane, band, cost, owner), GATED
      else
        vt = schedule(lane, owner, cost)
        enter(lane, band, vt, id)
      end
      if leads then
        add(leading, digest, id)
        marks = LEADING
      end
      add(heads_in, id, pack(HEAD, 'q', 'm', '-', marks, 0, 0, 1, 0, 0, 0, vt or 0, band, #lane, lane))
      lane_of_alone[n] = vt and lane or ''
    else
      added, alone[n] = long.add(id, lane, band, cost, owner, files, digest, special, body)
    end
    if added then
      add(bodies_in, id, body)
      local _, has_list = place_of(owner)
      if has_list then
        put('owned:' .. owner, id, '0')
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
  give(links_in, 'HSET', P .. 'links')
  for lane, list in pairs(ready) do
    call('ZADD', P .. 'ready:' .. lane, unpack(list))
  end
  write_turns()
  write_gates()
  write_sets()
  if work then
    call('PUBLISH', P .. 'bell', 'w')
  end
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
    out[n] = long.answer(id, alone[n])
  elseif lane == '' then
    out[n] = -1
  else
    local key = P .. 'ready:' .. lane
    places[lane] = places[lane] or places_from(key, id, #ids)
    out[n] = places[lane][id] or call('ZRANK', key, id) or -1
  end
end
return out
