-- Records outcomes and finishes the jobs. ARGV: as for settling; the result is that of
-- finishing.

local STRIDE = 4
-- Jobs that a gate admits here at a time.
local MOST_ADMITTED = 64

local ids, counts, distinct, now = every(STRIDE, 3), {}, ARGV[1] == '1', tonumber(ARGV[2])
-- Calls that have ended, by lane; gates that were left; the owners' lists that jobs are in.
local stopped, left, tracked = {}, {}, {}
-- Outcomes by the jobs' indices in the reply.
local answers = {}
local long

-- Frees what a job with a single gate holds there. Returns its links from now on; nil if it
-- takes the slow path.
local function leave(id, links)
  local flags, name, bits, _, parallel, rate, period = read_single(links)
  local gate = name and gate_of(name)
  if not gate or gate.rate or has(bits, 1) or has(bits, 16) or has(bits, 32) then
    return false
  end
  gate_of_job(name, now)
  gate.named = gate.named - 1
  if has(bits, 8) then
    gate.active = math.max(gate.active - 1, 0)
  end
  if not left[name] then
    left[name], left[#left + 1] = gate, gate
  end
  tracked[id] = has(flags, 1)
  add(links_in, id, single_text(flags % 2, name, has(bits, 64) and 64 or 0, 0, parallel, rate, period))
  return true
end

-- Finishes a job whose head has these fields.
local function finish(i, cache, marks, attempt, deliveries, version, token, started, vt, band, lane)
  local k, id, outcome = #told + 1, ARGV[i], ARGV[i + 3]
  local head = pack(HEAD, 's', cache, 's', marks, attempt, deliveries, version + 2, token, started, now,
    vt, band, #lane, lane)
  told[k], heads[k], answers[k] = id, head, outcome
  add(heads_in, id, head)
  add(outcomes_in, id, outcome)
  add(finished_in, ARGV[2], id)
  if sub(outcome, 1, 2) ~= '\0\0' then
    for name in string.gmatch(parse('>I2c0', outcome), '[^\n]+') do
      call('HINCRBY', P .. 'files', name, 1)
    end
  end
  stopped[lane], work = (stopped[lane] or 0) + 1, true
end

-- Admits a waiting job with a single gate to this one. Returns whether that is all it has.
local function let_in(gate, id, head, links, body)
  local flags, name, bits, place, parallel, rate, period = read_single(links)
  if not sane(head) or name ~= gate.name or sub(head, 1, 1) ~= 'q' or sub(head, 4, 10) ~= GATED
    or math.floor(bits / 2) % 4 ~= 1 or has(bits, 16) then
    return false
  end
  local _, cache, ended, marks, attempt, deliveries, version, token, started, finished, vt, band, lane =
    parse(HEAD, head)
  gate.waiting, gate.dirty = gate.waiting - 1, true
  if not has(bits, 8) then
    gate.active, bits = gate.active + 1, bits + 8
  end
  if not has(flags, 2) then
    local _, _, cost, owner = take_apart(FIXED, body)
    vt, flags = schedule(lane, owner or '', cost or 1), flags + 2
    add(heads_in, id, pack(HEAD, 'q', cache, ended, marks, attempt, deliveries, version, token, started,
      finished, vt, band, #lane, lane))
  end
  add(links_in, id, single_text(flags, name, bits + 2, place, parallel, rate, period))
  put('line:' .. name, id, false)
  put('due', id, false)
  enter(lane, band, vt, id)
  return true
end

-- Admits those that wait for the gate. Returns whether that is all: others take the slow path.
local function admit(gate)
  local count = math.min(gate.waiting, MOST_ADMITTED)
  if gate.parallel then
    count = math.min(count, math.max(gate.parallel - gate.active, 0))
  end
  count = gate.paused and 0 or count
  local waiting = call('ZRANGE', P .. 'line:' .. gate.name, 0, count)
  -- Whoever is next is not due: no rate will let it pass.
  local next_one = waiting[count + 1]
  waiting[count + 1] = nil
  if #waiting > 0 then
    local found, links = call('HMGET', P .. 'head', unpack(waiting)), call('HMGET', P .. 'links', unpack(waiting))
    local bodies = call('HMGET', P .. 'body', unpack(waiting))
    for i = 1, #waiting do
      if not let_in(gate, waiting[i], found[i], links[i], bodies[i]) then
        return false
      end
    end
  end
  if not next_one then
    return true
  end
  put('due', next_one, false)
  return gate.paused or (gate.parallel and gate.active >= gate.parallel)
end

local function take_the_slow_path()
  if not long then
    write_turns()
    long = slow_path()
  end
  return long
end

local found = call('HMGET', P .. 'head', unpack(ids))
local links = links_of_gated(ids, found)
for n = 1, #ids do
  local id, text, i = ids[n], found[n], n * STRIDE - 1
  local status, cache, _, marks, attempt, deliveries, version, token, started, vt, band, lane
  if distinct and ARGV[i + 2] == 's' and sane(text) then
    status, cache, _, marks, attempt, deliveries, version, token, started, _, vt, band, lane = parse(HEAD, text)
  end
  if status == 'r' and token == tonumber(ARGV[i + 1])
    and (marks == PLAIN or marks == LEADING or (marks == GATED and leave(id, links[n]))) then
    finish(i, cache, marks, attempt, deliveries, version, token, started, vt, band, lane)
    counts[n] = 1
  else
    counts[n] = take_the_slow_path().finish(i, text, n, now)
  end
end

-- The slow path has added its own jobs to the outbox.
local plain, at = {}, {}
for k = 1, #told do
  if not rows_at[k] then
    plain[#plain + 1], at[#at + 1] = told[k], k
  end
end
local bodies, outcomes = {}, {}
if #plain > 0 then
  bodies = call('HMGET', P .. 'body', unpack(plain))
end
for j = 1, #plain do
  local id, head, body = plain[j], heads[at[j]], bodies[j]
  local free, untold = said(body)
  outcomes[j] = answers[at[j]]
  if not (free and untold) then
    local _, _, _, _, _, _, version = parse(HEAD, head)
    note(id, head, version, free and 0 or 1, body, outcomes[j], '')
  end
  if tracked[id] then
    local _, _, _, owner = take_apart(FIXED, body)
    put('unfinished:' .. (owner or ''), id, false)
  end
  put('due', id, false)
  changed[#changed + 1] = id
end

for _, gate in ipairs(left) do
  if gate.waiting > 0 and (long or not admit(gate)) then
    take_the_slow_path().flush()
    long.admit(gate.name, now)
  end
end

local columns, orphans
if long then
  columns, orphans = long.conclude(#ids)
elseif #told > 0 then
  call('HSET', P .. 'head', unpack(heads_in))
  call('HSET', P .. 'outcome', unpack(outcomes_in))
  give(links_in, 'HSET', P .. 'links')
  for lane, list in pairs(ready) do
    call('ZADD', P .. 'ready:' .. lane, unpack(list))
  end
  call('ZADD', P .. 'finished', unpack(finished_in))
  if #ends_in > 0 then
    call('ZADD', P .. 'outbox', unpack(ends_in))
    call('HSET', P .. 'outbox:notes', unpack(notes_in))
  end
  write_turns()
  write_gates()
  write_sets()
  call('PUBLISH', P .. 'bell', 'w' .. table.concat(changed, '\n'))
  columns = { told, heads, bodies, {}, outcomes }
end
for lane, count in pairs(stopped) do
  call('HINCRBY', P .. 'lane:' .. lane, 'running', -count)
end
return { counts, columns or {}, orphans or {} }
