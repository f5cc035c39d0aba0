-- Prepended to the source of every operation. KEYS[1] is the prefix of all keys of
-- the queue; the module `redis` lists them. The queue's JSON (bodies, outcomes,
-- failures) is not parsed.
--
-- In Redis' Lua every byte of every string and every table costs time: so heads are
-- short, nothing else is read unless it is needed, and a script reads and writes all
-- its items with one command of each kind.

local P = KEYS[1]
local call, sub, byte, format = redis.call, string.sub, string.byte, string.format
local pack, parse = struct.pack, struct.unpack

-- A head: status, cache, kind of outcome, marks, attempt, deliveries, version,
-- token, started, finished, virtual start, band, lane.
local HEAD = '<c1c1c1c7dddddddBBc0'
local HEAD_BYTES = 68
-- The caller's part of a job, before its body: lane, band and flags, cost, owner,
-- the blobs of the request (one a line). With the flag 32 the digest of what it
-- may join follows.
local FIXED = '>Bc0BI4I2c0I2c0'
-- The marks of simple jobs, whose head and body are complete: alone, or leading a
-- flight that nobody has joined.
local PLAIN, LEADING = '-------', '-l-----'
-- The result of an item that was carried out.
local DONE = 0

-- Maximum number of arguments per command.
local CHUNK = 1000

-- Pending writes, in pairs; ids of changed jobs; whether there may be work.
local heads_in, bodies_in, links_in, outcomes_in = {}, {}, {}, {}
local due_in, finished_in, dead_in, ready = {}, {}, {}, {}
-- Pending changes of sorted sets, by name: the members' scores, `false` for those that leave.
local sets = {}
-- Pending entries of the outbox: their keys, each after a 0, and the notes by key; and
-- all notes made so far.
local ends_in, notes_in, noted = {}, {}, {}
local changed, work = {}, false
-- Jobs of the reply: ids and heads, and rows for those that took the slow path. For
-- deliveries, the number of earlier attempts.
local told, heads, rows_at, tries = {}, {}, {}, {}

local function decimal(number)
  return format('%d', number)
end

-- The name under which the fair order counts an owner's jobs, and whether the owner
-- has a list of them: owners that differ only after a '#' have neither of their own.
local function place_of(owner)
  local behind = string.find(owner, '#', 1, true)
  return behind and sub(owner, 1, behind - 1) or owner, behind == nil
end

-- Adds a pair to a list.
local function add(list, first, second)
  local n = #list
  list[n + 1], list[n + 2] = first, second
end

-- Runs a command with the arguments, in chunks.
local function give(arguments, command, key)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

-- Adds a member to a sorted set with the score, in decimal, or removes it.
local function put(name, id, score)
  local set = sets[name]
  if not set then
    set = {}
    sets[name] = set
  end
  set[id] = score
end

local function write_set(name)
  local members, gone = {}, {}
  for id, score in pairs(sets[name] or {}) do
    if score then
      add(members, score, id)
    else
      gone[#gone + 1] = id
    end
  end
  give(gone, 'ZREM', P .. name)
  give(members, 'ZADD', P .. name)
  sets[name] = nil
end

local function write_sets()
  for name in pairs(sets) do
    write_set(name)
  end
end

-- Adds a job that waits for nothing else to the order of its lane.
local function enter(lane, band, vt, id)
  local list = ready[lane]
  if not list then
    list = {}
    ready[lane] = list
  end
  add(list, decimal(band * 1e13 + vt), id)
  work = true
end

-- Every n-th of the arguments, from this one on.
local function every(stride, first)
  local list, n = {}, 0
  for i = first, #ARGV, stride do
    n = n + 1
    list[n] = ARGV[i]
  end
  return list
end

-- Whether the text is a complete head.
local function sane(text)
  return text and #text >= HEAD_BYTES and #text == HEAD_BYTES + byte(text, HEAD_BYTES)
end

-- Unpacks a stored text from a position on; nil if it is damaged.
local function take_apart(layout, text, from)
  local whole, a, b, c, d, e, f = pcall(parse, layout, text, from or 1)
  if whole then
    return a, b, c, d, e, f
  end
end

-- The flags that the caller stores with the band, in the body's third field: nothing
-- was charged for the job, and nobody is to be notified of its end. With a lost body,
-- nothing can be settled or notified.
local function said(body)
  local flags = body and byte(body, (byte(body, 1) or 0) + 2) or 192
  return flags >= 128, flags % 128 >= 64
end

-- Adds a job that ended with this head to the outbox. `paying` is 1 if it owes the cost
-- of its call, 3 if the call was stopped during an attempt, else 0. Its failed attempts
-- are those of the call. Returns the entry's key.
local function note(id, head, version, paying, body, outcome, attempts)
  local key = format('%s-%010d', id, version)
  add(ends_in, '0', key)
  local text = pack('>BI2c0I4c0I4c0I4c0I4c0', paying, #id, id, #head, head, #body, body, #outcome,
    outcome, #attempts, attempts)
  add(notes_in, key, text)
  noted[#noted + 1] = text
  return key
end

-- The lane's limit of calls in progress once it is not paused.
local function room_for(lane, parallel, now)
  if not lane.floor then
    return parallel
  end
  return math.min(parallel, lane.floor + math.max(0, math.floor((now - lane.held) / 1000)))
end
