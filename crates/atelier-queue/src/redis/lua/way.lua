-- How far a job has come through its gates, packed at the end of its links.

-- Flags of a way: the job is listed by state; it has a turn in its lane.
-- Flags of a pass: 1 held to the end, 2 and 4 the stage, 8 has a slot, 16 counts towards
-- the rate, 32 inherited, 64 has terms.
local PASS = '>I2c0Bdddd'

-- Names one after the other, each with its length.
local function pack_names(names)
  local texts = {}
  for i, name in ipairs(names) do
    texts[i] = pack('>I2c0', #name, name)
  end
  return table.concat(texts)
end

local function unpack_names(text)
  local names, at = {}, 1
  while at <= #text do
    local name, next_at = take_apart('>I2c0', text, at)
    if not name then
      break
    end
    names[#names + 1], at = name, next_at
  end
  return names
end

-- The limits as they are stored: negative for none.
local function limit(number)
  return number >= 0 and number or nil
end

-- Unpacks a way, from a position on; nil if there is none, or it is damaged.
local function read_way(text, at)
  local flags = byte(text, at)
  if not flags then
    return
  end
  local way, at, n = { tracked = has(flags, 1), scheduled = has(flags, 2) }, at + 1, 0
  while at <= #text do
    local whole, gate, bits, place, parallel, rate, period, next_at = pcall(parse, PASS, text, at)
    if not whole then
      return
    end
    n = n + 1
    way[n] = {
      gate = gate, ends = has(bits, 1), stage = math.floor(bits / 2) % 4, slot = has(bits, 8),
      permit = has(bits, 16), inherited = has(bits, 32), place = place,
      terms = has(bits, 64) and { parallel = limit(parallel), rate = limit(rate), period = period } or nil,
    }
    at = next_at
  end
  return way
end

local function way_text(way)
  if not way then
    return ''
  end
  local texts = { string.char((way.tracked and 1 or 0) + (way.scheduled and 2 or 0)) }
  for i, pass in ipairs(way) do
    local terms = pass.terms or {}
    local bits = (pass.ends and 1 or 0) + 2 * pass.stage + (pass.slot and 8 or 0)
      + (pass.permit and 16 or 0) + (pass.inherited and 32 or 0) + (pass.terms and 64 or 0)
    texts[i + 1] = pack(PASS, #pass.gate, pass.gate, bits, pass.place, terms.parallel or -1,
      terms.rate or -1, terms.period or 0)
  end
  return table.concat(texts)
end
