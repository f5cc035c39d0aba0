-- Put before the text of every operation. KEYS[1] is the prefix of all keys
-- of the queue; the module `queue::redis` lists them. The queue's JSON texts
-- (bodies, outcomes, failures) pass through unread.
--
-- Redis's Lua takes its time for every byte of every string and for every
-- table: the heads are short, nothing else is read unless it is needed, and a
-- script reads and writes for all its items with one command of each kind.

local P = KEYS[1]
local call, sub, byte, format = redis.call, string.sub, string.byte, string.format
local pack, parse = struct.pack, struct.unpack

-- A head, and the places of its fields in a row (a table). ID is not packed.
local HEAD = '<c1c1c1c7dddddddBBc0'
local HEAD_BYTES = 68
local STATUS, CACHE, ENDED, MARKS, ATTEMPT, DELIVERIES, VERSION, TOKEN, STARTED, FINISHED, VT, BAND, LANE, ID =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
-- The letters among the marks, '-' for no: whether its owner has left it (c
-- cancelled, d deleted), leads a flight or follows (l, f), and whether it has
-- followers, failures, no charge any more, links, something to show among
-- them (y).
local WITHDRAWN, ROLE, FOLLOWED, FAILED, UNCHARGED, LINKED, SHOWN = 1, 2, 3, 4, 5, 6, 7
local PLAIN = '-------'
-- The marks of a job of which the head tells all that matters until it is
-- finished: alone, or leading nobody yet. These jobs go the short way.
local SIMPLE = { [PLAIN] = true, ['-l---y-'] = true }

-- How an item of a batch ended. ILLEGAL is followed by the state it was in.
local DONE, NOT_FOUND, STALE, UNREADABLE, ILLEGAL = 0, 1, 2, 3, 10
local STATES = { q = 0, r = 1, d = 2, s = 3, f = 4, c = 5 }
local OVER = { s = true, f = true, c = true }

-- So many arguments are given to a command at once.
local CHUNK = 1000

-- What the script has read, by id: rows and the texts of their heads, links.
local rows, texts, links = {}, {}, {}
-- What it is about to write.
local heads_in, bodies_in, links_in, links_out, outcomes_in = {}, {}, {}, {}, {}
local due_in, due_out, finished_in, dead_in, ready, lanes = {}, {}, {}, {}, {}, {}
local changed, work = {}, false

local function decimal(number)
  return format('%d', number)
end

-- Adds a pair to a list.
local function add(list, first, second)
  local n = #list
  list[n + 1], list[n + 2] = first, second
end

-- Gives the arguments to a command, a chunk at a time.
local function give(arguments, command, key)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

-- Every so many of the arguments, from this one on.
local function every(stride, first)
  local list, n = {}, 0
  for i = first, #ARGV, stride do
    n = n + 1
    list[n] = ARGV[i]
  end
  return list
end

local function mark(row, place)
  return sub(row[MARKS], place, place)
end

local function set_mark(row, place, letter)
  local marks = row[MARKS]
  row[MARKS] = sub(marks, 1, place - 1) .. letter .. sub(marks, place + 1)
end

-- Whether the text is a whole head.
local function sane(text)
  return text and #text >= HEAD_BYTES and #text == HEAD_BYTES + byte(text, HEAD_BYTES)
end

-- The row of a head.
local function read(id, text)
  if not sane(text) then
    return { '?', [MARKS] = PLAIN, [ID] = id }
  end
  -- The last value is the position behind the head; the id takes its place.
  local row = { parse(HEAD, text) }
  row[ID] = id
  return row
end

-- Notes the head to be written.
local function write(row)
  local text = pack(HEAD, row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9],
    row[10], row[11], row[12], #row[13], row[13])
  texts[row[ID]] = text
  add(heads_in, row[ID], text)
end

-- Notes a head that was read; an absent one is `false`.
local function know(id, text)
  if rows[id] == nil then
    rows[id] = text and read(id, text)
    texts[id] = text
  end
  return rows[id]
end

local function read_all(key, ids)
  if #ids == 0 then
    return {}
  elseif #ids <= CHUNK then
    return call('HMGET', P .. key, unpack(ids))
  end
  local found = {}
  for from = 1, #ids, CHUNK do
    local to = math.min(from + CHUNK - 1, #ids)
    for i, value in ipairs(call('HMGET', P .. key, unpack(ids, from, to))) do
      found[from + i - 1] = value
    end
  end
  return found
end

local function load_all(ids)
  local found = read_all('head', ids)
  for i = 1, #ids do
    know(ids[i], found[i])
  end
end

local function load(id)
  if rows[id] == nil then
    know(id, call('HGET', P .. 'head', id))
  end
  return rows[id]
end

-- A row's leader, flight, progress and preview; '' for none.
local function open(row)
  local id = row[ID]
  local link = links[id]
  if not link then
    local text = mark(row, LINKED) == 'y' and call('HGET', P .. 'links', id)
    link = { leader = '', flight = '', progress = '', preview = '' }
    if text then
      link.leader, link.flight, link.progress, link.preview = parse('>I2c0I2c0I2c0I2c0', text)
    end
    links[id] = link
  end
  return link
end

-- Notes the links to be written; the head is written after.
local function relink(row)
  local link = open(row)
  local text = pack('>I2c0I2c0I2c0I2c0', #link.leader, link.leader, #link.flight, link.flight,
    #link.progress, link.progress, #link.preview, link.preview)
  local some = text ~= '\0\0\0\0\0\0\0\0'
  if some then
    add(links_in, row[ID], text)
  else
    links_out[#links_out + 1] = row[ID]
  end
  set_mark(row, LINKED, some and 'y' or '-')
  set_mark(row, SHOWN, (link.progress ~= '' or link.preview ~= '') and 'y' or '-')
end

-- Forgets the preview, and how far the call is unless `kept`.
local function hush(row, kept)
  if mark(row, SHOWN) == 'y' then
    local link = open(row)
    if link.preview ~= '' or (link.progress ~= '' and not kept) then
      link.preview, link.progress = '', kept and link.progress or ''
      relink(row)
    end
  end
end

-- The caller's part of a job, before its body: lane, band, cost, owner, the
-- blobs of the request (one a line).
local FIXED = '>Bc0BI4I2c0I2c0'

-- Cost, owner, blobs of a job.
local function about(row)
  local _, _, cost, owner, files = parse(FIXED, call('HGET', P .. 'body', row[ID]) or '')
  return cost, owner, files
end

-- Lanes -----------------------------------------------------------------

local function lane_of(name)
  local lane = lanes[name]
  if not lane then
    local fields = call('HMGET', P .. 'lane:' .. name, 'v', 'next', 'held', 'floor', 'running')
    lane = {
      v = tonumber(fields[1] or 0), next = tonumber(fields[2] or 0), held = tonumber(fields[3] or 0),
      floor = tonumber(fields[4] or nil), running = tonumber(fields[5] or 0),
      finish = {}, moved = {},
    }
    lanes[name] = lane
  end
  return lane
end

-- How many calls the lane may have in progress once it is not held.
local function room_for(lane, parallel, now)
  if not lane.floor then
    return parallel
  end
  return math.min(parallel, lane.floor + math.max(0, math.floor((now - lane.held) / 1000)))
end

-- When the owner's last job in the lane ends, in virtual time.
local function finish_of(name, owner)
  local lane = lane_of(name)
  local finish = lane.finish[owner]
  if not finish then
    finish = tonumber(call('ZSCORE', P .. 'finish:' .. name, owner) or 0)
    lane.finish[owner] = finish
  end
  return math.max(lane.v, finish)
end

local function set_finish(name, owner, finish)
  local lane = lane_of(name)
  lane.finish[owner], lane.moved[owner] = finish, true
end

-- The virtual start of the owner's next job.
local function schedule(name, owner, cost)
  local start = finish_of(name, owner)
  set_finish(name, owner, start + cost)
  return start
end

-- Puts a job that waits for nothing else into the order of its lane.
local function enter(name, band, vt, id)
  local list = ready[name]
  if not list then
    list = {}
    ready[name] = list
  end
  add(list, decimal(band * 1e13 + vt), id)
  work = true
end

-- Queues a job for the instant, given in decimal; '0' is at once.
local function queue(row, due)
  row[STATUS] = 'q'
  if due == '0' then
    due_out[#due_out + 1] = row[ID]
    enter(row[LANE], row[BAND], row[VT], row[ID])
  else
    add(due_in, due, row[ID])
    work = true
  end
end

-- So many calls in the lane have ended.
local function ended(name, count)
  local lane = lane_of(name)
  lane.running = math.max(lane.running - count, 0)
  lane.changed, work = true, true
end

-- Outcomes --------------------------------------------------------------

-- The names of the blobs an outcome refers to, one a line.
local function files_of(outcome)
  return outcome and outcome ~= '' and parse('>I2c0', outcome) or ''
end

-- Counts one more reference to each blob.
local function keep(names)
  if names ~= '' then
    for name in string.gmatch(names, '[^\n]+') do
      call('HINCRBY', P .. 'files', name, 1)
    end
  end
end

-- Counts one reference less; adds the blobs that nobody refers to any more.
local function let_go(names, orphans)
  for name in string.gmatch(names, '[^\n]+') do
    if call('HINCRBY', P .. 'files', name, -1) <= 0 then
      call('HDEL', P .. 'files', name)
      orphans[#orphans + 1] = name
    end
  end
end

-- Gives the job its outcome.
local function attach(row, ended, outcome)
  row[ENDED] = ended
  add(outcomes_in, row[ID], outcome)
  keep(files_of(outcome))
end

-- Keeps what went wrong in an attempt.
local function fail(row, failure)
  local id = row[ID]
  local before = mark(row, FAILED) == 'y' and call('HGET', P .. 'failures', id) or ''
  call('HSET', P .. 'failures', id, before .. ',' .. failure)
  set_mark(row, FAILED, 'y')
end

-- Changes ---------------------------------------------------------------

-- Enters a job that is over into the lists of such.
local function close(row)
  local at = decimal(row[FINISHED])
  add(finished_in, at, row[ID])
  if row[STATUS] == 'f' then
    add(dead_in, '0', row[ID])
  end
  if row[MARKS] ~= PLAIN and mark(row, ROLE) == 'l' then
    local key = P .. 'flight:' .. open(row).flight
    if row[STATUS] == 's' then
      call('ZADD', key, at, row[ID])
    else
      call('ZREM', key, row[ID])
    end
  end
end

-- Gives the followers the state of their leader; returns their ids.
local function mirror(leader)
  local key = P .. 'followers:' .. leader[ID]
  local ids, over, link = call('SMEMBERS', key), OVER[leader[STATUS]], open(leader)
  local outcome = leader[ENDED] ~= '-' and call('HGET', P .. 'outcome', leader[ID])
  load_all(ids)
  for i = 1, #ids do
    local row = rows[ids[i]]
    if row and row[STATUS] ~= '?' then
      local own = open(row)
      row[STATUS], row[ATTEMPT], row[STARTED] = leader[STATUS], leader[ATTEMPT], leader[STARTED]
      row[FINISHED] = over and leader[FINISHED] or 0
      if own.progress ~= link.progress or own.preview ~= link.preview then
        own.progress, own.preview = link.progress, link.preview
        relink(row)
      end
      if row[ENDED] == '-' and outcome then
        attach(row, leader[ENDED], outcome)
      end
      row[VERSION] = row[VERSION] + 1
      write(row)
      changed[#changed + 1] = row[ID]
      if over then
        close(row)
      end
    end
  end
  if over then
    call('DEL', key)
    set_mark(leader, FOLLOWED, '-')
  end
  return ids
end

-- Carries out what has been noted.
local function flush()
  give(heads_in, 'HSET', P .. 'head')
  give(bodies_in, 'HSET', P .. 'body')
  give(links_out, 'HDEL', P .. 'links')
  give(links_in, 'HSET', P .. 'links')
  give(outcomes_in, 'HSET', P .. 'outcome')
  for name, list in pairs(ready) do
    give(list, 'ZADD', P .. 'ready:' .. name)
  end
  give(due_out, 'ZREM', P .. 'due')
  give(due_in, 'ZADD', P .. 'due')
  give(finished_in, 'ZADD', P .. 'finished')
  give(dead_in, 'ZADD', P .. 'dead')
  for name, lane in pairs(lanes) do
    local finishes = {}
    for owner in pairs(lane.moved) do
      add(finishes, decimal(lane.finish[owner]), owner)
    end
    give(finishes, 'ZADD', P .. 'finish:' .. name)
    lane.moved = {}
    if lane.changed then
      lane.changed = false
      call('HSET', P .. 'lane:' .. name, 'v', decimal(lane.v), 'next', decimal(lane.next),
        'held', decimal(lane.held), 'running', decimal(lane.running))
      if lane.floor then
        call('HSET', P .. 'lane:' .. name, 'floor', decimal(lane.floor))
      end
    end
  end
  heads_in, bodies_in, links_in, links_out, outcomes_in = {}, {}, {}, {}, {}
  due_in, due_out, finished_in, dead_in, ready = {}, {}, {}, {}, {}
end

-- Carries out what has been noted and tells all processes.
local function commit()
  flush()
  if work or #changed > 0 then
    call('PUBLISH', P .. 'bell', (work and 'w' or '-') .. table.concat(changed, '\n'))
  end
end

-- Writes a change that clients can see; returns the ids of the followers.
local function change(row)
  local ids
  row[VERSION] = row[VERSION] + 1
  if row[MARKS] ~= PLAIN and mark(row, FOLLOWED) == 'y' then
    -- An outcome just given is read again for them.
    flush()
    ids = mirror(row)
  end
  write(row)
  changed[#changed + 1] = row[ID]
  return ids
end

-- Forgets a record; returns the blobs that nobody else refers to.
local function remove(row)
  flush()
  local id, orphans = row[ID], {}
  local _, owner, files = about(row)
  let_go(files, orphans)
  let_go(files_of(call('HGET', P .. 'outcome', id)), orphans)
  if mark(row, ROLE) == 'l' then
    call('ZREM', P .. 'flight:' .. open(row).flight, id)
  end
  for _, key in ipairs({ 'head', 'body', 'links', 'outcome', 'failures' }) do
    call('HDEL', P .. key, id)
  end
  for _, key in ipairs({ 'owned:' .. owner, 'finished', 'dead' }) do
    call('ZREM', P .. key, id)
  end
  call('DEL', P .. 'followers:' .. id)
  rows[id] = false
  return orphans
end

-- Answers ---------------------------------------------------------------

-- How many jobs of its lane go before a queued one; -1: that is not known.
local function place(row)
  if row[STATUS] ~= 'q' or mark(row, WITHDRAWN) ~= '-' then
    return -1
  end
  local first = row
  if mark(row, ROLE) == 'f' then
    first = load(open(row).leader) or row
  end
  return call('ZRANK', P .. 'ready:' .. first[LANE], first[ID]) or -1
end

-- The fields' values where `wanted` says so, '' elsewhere; nothing if nowhere.
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

-- What is answered of jobs, column by column: ids, heads, bodies, links,
-- outcomes, failures. The jobs at the same places in `special` are rows: the
-- others have no links to show and no failures, and outcomes if `outcomes`.
local function tell(ids, heads, special, outcomes)
  local shown, ended, failed = {}, {}, {}
  for i, row in pairs(special) do
    shown[i], failed[i] = mark(row, SHOWN) == 'y', mark(row, FAILED) == 'y'
    ended[i] = row[ENDED] and row[ENDED] ~= '-'
  end
  return {
    ids, heads, read_all('body', ids),
    next(special) and column('links', ids, shown) or {},
    outcomes and read_all('outcome', ids) or next(special) and column('outcome', ids, ended) or {},
    next(special) and column('failures', ids, failed) or {},
  }
end

-- The same of rows, and their places.
local function tell_all(list)
  local ids, heads, places = {}, {}, {}
  for i = 1, #list do
    local row = list[i]
    ids[i], heads[i], places[i] = row[ID], texts[row[ID]], place(row)
  end
  local columns = tell(ids, heads, list)
  columns[7] = places
  return columns
end

-- The row, if the token still is the right to act on it; else why not.
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

-- The row with the state its owner sees; else why not.
local function seen_by_owner(id)
  local row = load(id)
  if not row or mark(row, WITHDRAWN) == 'd' then
    return nil, NOT_FOUND
  elseif row[STATUS] == '?' then
    return nil, UNREADABLE
  end
  return row, mark(row, WITHDRAWN) == 'c' and 'c' or row[STATUS]
end
