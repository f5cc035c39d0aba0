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

-- The records read so far, by id: rows, the texts of their heads, links and their texts,
-- bodies, outcomes, and what `about` says; lanes by name. What is absent is `false`.
local rows, texts, links, link_texts, bodies, outcomes, abouts = {}, {}, {}, {}, {}, {}, {}
local lanes = {}
-- Rows whose heads and links are to be written, by id: packed once, however often they
-- change.
local unwritten, unlinked = {}, {}
-- Pending fields of `barriers`, in pairs.
local barriers_in = {}

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
  local id = row[ID]
  unwritten[id], texts[id] = row, nil
end

-- The head as it was read, or as it is to be written.
local function text_of(row)
  local id = row[ID]
  local text = texts[id]
  if not text then
    text = pack(HEAD, row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9],
      row[10], row[11], row[12], #row[13], row[13])
    texts[id] = text
  end
  return text
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

-- Reads the fields of these jobs into the cache, except for those that are there.
local function fill(cache, key, ids)
  local some = {}
  for i = 1, #ids do
    if cache[ids[i]] == nil then
      some[#some + 1] = ids[i]
    end
  end
  local found = read_all(key, some)
  for i = 1, #some do
    cache[some[i]] = found[i]
  end
end

-- A job's field, read if it is not in the cache.
local function cached(cache, key, id)
  local text = cache[id]
  if text == nil then
    text = call('HGET', P .. key, id)
    cache[id] = text
  end
  return text
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

-- Reads the links of these jobs, so far as they have any.
local function read_links(ids)
  local linked = {}
  for i = 1, #ids do
    local row = rows[ids[i]]
    if row and not links[ids[i]] and mark(row, LINKED) == 'y' then
      linked[#linked + 1] = ids[i]
    end
  end
  fill(link_texts, 'links', linked)
end

-- The links of a packed text; nil if that is damaged.
local function read_link(text)
  local leader, flight, progress, preview, at = take_apart('>I2c0I2c0I2c0I2c0', text)
  if leader then
    return {
      leader = leader, flight = flight, progress = progress, preview = preview,
      reports = take_apart('>I4', text, at) or 0, way = read_way(text, at + 4),
    }
  end
end

-- A row's leader, flight, progress and preview; '' for none. The flight of a leader may
-- be in its body (`flight_of`). Also the number of reports, which followers read here;
-- for a follower, that from before it joined; and the job's way through its gates.
local function open(row)
  local id = row[ID]
  local link = links[id]
  if not link then
    local text = mark(row, LINKED) == 'y' and cached(link_texts, 'links', id)
    link = read_link(text) or { leader = '', flight = '', progress = '', preview = '', reports = 0 }
    links[id] = link
  end
  return link
end

-- Notes the links to be written; the head is written after.
local function relink(row)
  local link = open(row)
  local shown, way = link.progress ~= '' or link.preview ~= '', link.way
  local some = shown or link.leader ~= '' or link.flight ~= '' or link.reports ~= 0
    or (way and (way.tracked or way.scheduled or #way > 0))
  unlinked[row[ID]] = some and link or false
  row[MARKS] = sub(row[MARKS], 1, LINKED - 1) .. (some and 'y' or '-') .. (shown and 'y' or '-')
end

local function write_links()
  local gone = {}
  for id, link in pairs(unlinked) do
    if link then
      add(links_in, id, pack('>I2c0I2c0I2c0I2c0I4', #link.leader, link.leader, #link.flight,
        link.flight, #link.progress, link.progress, #link.preview, link.preview, link.reports)
        .. way_text(link.way))
    else
      gone[#gone + 1] = id
    end
    link_texts[id] = nil
  end
  give(gone, 'HDEL', P .. 'links')
  give(links_in, 'HSET', P .. 'links')
  unlinked, links_in = {}, {}
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

-- Cost, owner, blobs, lane of a job.
local function about(row)
  local id = row[ID]
  local about = abouts[id]
  if not about then
    local lane, _, cost, owner, files = take_apart(FIXED, cached(bodies, 'body', id))
    about = { cost or 1, owner or '', files or '', lane or '' }
    abouts[id] = about
  end
  return about[1], about[2], about[3], about[4]
end

-- The digest of what a job may join, as its body has it; '' if it has none.
local function digest_of(id)
  local body = cached(bodies, 'body', id)
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
