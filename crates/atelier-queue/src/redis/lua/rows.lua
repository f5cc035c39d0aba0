-- Everything that can happen to a job, by rows. Prepended to the operations; the most
-- frequent ones have it inside of a function, `slow_path`, which they call for jobs that
-- are not simple: creating all these functions takes Redis longer than processing a
-- simple job.

-- The indices of a head's fields in a row (a table), and of the row's id.
local STATUS, CACHE, ENDED, MARKS, ATTEMPT, DELIVERIES, VERSION, TOKEN, STARTED, FINISHED, VT, BAND, LANE, ID =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
-- The letters of the marks, '-' for no: whether its owner has withdrawn it (c
-- cancelled, d deleted), whether it leads a flight or follows (l, f), and whether it has
-- followers, failures, a settled charge, links, and something to show among them (y).
local WITHDRAWN, ROLE, FOLLOWED, FAILED, UNCHARGED, LINKED, SHOWN = 1, 2, 3, 4, 5, 6, 7

-- Refusals of an item. ILLEGAL is followed by the job's state.
local NOT_FOUND, STALE, UNREADABLE, ILLEGAL = 1, 2, 3, 10
local STATES = { q = 0, r = 1, d = 2, s = 3, f = 4, c = 5 }
local OVER = { s = true, f = true, c = true }
-- The kinds of outcome.
local ENDINGS = { ['-'] = true, s = true, f = true }

-- Maximum number of arguments per command.
local CHUNK = 1000

-- The records read so far: rows, the texts of their heads, and links, by id; lanes by
-- name.
local rows, texts, links, lanes = {}, {}, {}, {}
local links_in, links_out = {}, {}
-- What `about` says of jobs whose bodies are not written yet, by id.
local abouts = {}

-- Runs a command with the arguments, in chunks.
local function give(arguments, command, key)
  for from = 1, #arguments, CHUNK do
    call(command, key, unpack(arguments, from, math.min(from + CHUNK - 1, #arguments)))
  end
end

local function mark(row, place)
  return sub(row[MARKS], place, place)
end

local function set_mark(row, place, letter)
  local marks = row[MARKS]
  row[MARKS] = sub(marks, 1, place - 1) .. letter .. sub(marks, place + 1)
end

-- The row of a head; an empty one if that is damaged or of a later version.
local function read(id, text)
  local row = sane(text) and { parse(HEAD, text) }
  if not row or not STATES[row[STATUS]] or not ENDINGS[row[ENDED]] then
    row = { '?', [MARKS] = PLAIN }
  end
  -- The last value is the position after the head; the id replaces it.
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

-- A row's leader, flight, progress and preview; '' for none. The flight of a leader may
-- be in its body (`flight_of`). Also the number of reports, which followers read here;
-- for a follower, that from before it joined; and the job's way through its gates.
local function open(row)
  local id = row[ID]
  local link = links[id]
  if not link then
    local text = mark(row, LINKED) == 'y' and call('HGET', P .. 'links', id)
    link = { leader = '', flight = '', progress = '', preview = '', reports = 0 }
    local leader, flight, progress, preview, at = take_apart('>I2c0I2c0I2c0I2c0', text)
    if leader then
      link.leader, link.flight, link.progress, link.preview = leader, flight, progress, preview
      link.reports = take_apart('>I4', text, at) or 0
      link.way = read_way(sub(text, at + 4))
    end
    links[id] = link
  end
  return link
end

-- Notes the links to be written; the head is written after.
local function relink(row)
  local link = open(row)
  local text = pack('>I2c0I2c0I2c0I2c0I4', #link.leader, link.leader, #link.flight, link.flight,
    #link.progress, link.progress, #link.preview, link.preview, link.reports) .. way_text(link.way)
  local some = string.find(text, '[^%z]')
  if some then
    add(links_in, row[ID], text)
  else
    links_out[#links_out + 1] = row[ID]
  end
  set_mark(row, LINKED, some and 'y' or '-')
  set_mark(row, SHOWN, (link.progress ~= '' or link.preview ~= '') and 'y' or '-')
end

-- Removes the preview, and the progress unless `kept`.
local function hush(row, kept)
  if mark(row, SHOWN) == 'y' then
    local link = open(row)
    if link.preview ~= '' or (link.progress ~= '' and not kept) then
      link.preview, link.progress = '', kept and link.progress or ''
      relink(row)
    end
  end
end

-- The caller's part of a job, before its body: lane, band and flags, cost, owner,
-- the blobs of the request (one a line). With the flag 32 the digest of what it
-- may join follows.
local FIXED = '>Bc0BI4I2c0I2c0'

-- Cost, owner, blobs, lane of a job.
local function about(row)
  local known = abouts[row[ID]]
  if known then
    return known[1], known[2], known[3], known[4]
  end
  local lane, _, cost, owner, files = take_apart(FIXED, call('HGET', P .. 'body', row[ID]))
  return cost or 1, owner or '', files or '', lane or ''
end

-- The digest of what a job may join, as its body has it; '' if it has none.
local function digest_of(id)
  local body = call('HGET', P .. 'body', id)
  local _, flags, _, _, _, at = take_apart(FIXED, body)
  return flags and flags % 64 >= 32 and take_apart('>I2c0', body, at) or ''
end

-- The digest of the flight the job leads or follows, '' if there is none.
local function flight_of(row)
  local flight = open(row).flight
  return flight == '' and mark(row, ROLE) == 'l' and digest_of(row[ID]) or flight
end

-- The leaders of a flight, as they are noted.
local function leaders_of(digest)
  local leaders = {}
  for id in string.gmatch(call('HGET', P .. 'flights', digest) or '', '[^\n]+') do
    leaders[#leaders + 1] = id
  end
  return leaders
end

-- Notes the leaders of a flight, or that it has none.
local function set_leaders(digest, leaders)
  if #leaders > 0 then
    call('HSET', P .. 'flights', digest, table.concat(leaders, '\n'))
  else
    call('HDEL', P .. 'flights', digest)
  end
end

-- Removes the job from the leaders of its flight.
local function ground(row)
  local digest, others = flight_of(row), {}
  if digest == '' then
    return
  end
  for _, id in ipairs(leaders_of(digest)) do
    if id ~= row[ID] then
      others[#others + 1] = id
    end
  end
  set_leaders(digest, others)
  call('ZREM', P .. 'flight:' .. digest, row[ID])
end
