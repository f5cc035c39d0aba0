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

-- A head: status, cache, kind of outcome, marks, attempt, deliveries, version,
-- token, started, finished, virtual start, band, lane.
local HEAD = '<c1c1c1c7dddddddBBc0'
local HEAD_BYTES = 68
-- The marks of jobs of which head and body tell all that matters: alone, or
-- leading a flight that nobody has joined.
local PLAIN, LEADING = '-------', '-l-----'
-- An item was carried out.
local DONE = 0

-- What the script is about to write, in pairs; ids changed; whether there may
-- be work.
local heads_in, bodies_in, outcomes_in = {}, {}, {}
local due_in, due_out, finished_in, dead_in, ready = {}, {}, {}, {}, {}
-- Ends to be noted: their keys with a 0 before each, the notes by their keys;
-- and all the notes that were made.
local ends_in, notes_in, noted = {}, {}, {}
local changed, work = {}, false
-- Jobs to be answered: ids and heads, and rows for those that went the long
-- way. Of deliveries, the number tried before.
local told, heads, rows_at, tries = {}, {}, {}, {}

local function decimal(number)
  return format('%d', number)
end

-- Whom the fair order counts an owner's jobs to, and whether the owner has a
-- list of them: owners that differ only behind a '#' have neither of their own.
local function place_of(owner)
  local behind = string.find(owner, '#', 1, true)
  return behind and sub(owner, 1, behind - 1) or owner, behind == nil
end

-- Adds a pair to a list.
local function add(list, first, second)
  local n = #list
  list[n + 1], list[n + 2] = first, second
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

-- Whether the text is a whole head.
local function sane(text)
  return text and #text >= HEAD_BYTES and #text == HEAD_BYTES + byte(text, HEAD_BYTES)
end

-- Takes a stored text apart, from a place on; nothing if it is damaged.
local function take_apart(layout, text, from)
  local whole, a, b, c, d, e, f = pcall(parse, layout, text, from or 1)
  if whole then
    return a, b, c, d, e, f
  end
end

-- What the caller says of a job beside its band, in the body's third field:
-- nothing was taken for it, and nobody is to be told of its end. Of a body that
-- is lost nothing is known that could be settled or told.
local function said(body)
  local flags = body and byte(body, (byte(body, 1) or 0) + 2) or 192
  return flags >= 128, flags % 128 >= 64
end

-- Notes that a job has ended with this head. `paying` is 1 if it owes what its
-- call cost, and 3 if the call was stopped during an attempt; else 0. Its
-- failed attempts are those of the call.
local function note(id, head, version, paying, body, outcome, attempts)
  local key = format('%s-%010d', id, version)
  add(ends_in, '0', key)
  local text = pack('>BI2c0I4c0I4c0I4c0I4c0', paying, #id, id, #head, head, #body, body, #outcome,
    outcome, #attempts, attempts)
  add(notes_in, key, text)
  noted[#noted + 1] = text
end

-- How many calls the lane may have in progress once it is not held.
local function room_for(lane, parallel, now)
  if not lane.floor then
    return parallel
  end
  return math.min(parallel, lane.floor + math.max(0, math.floor((now - lane.held) / 1000)))
end
