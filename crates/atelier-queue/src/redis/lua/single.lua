-- Jobs with a single gate and nothing else in their links, as most messages: while the gate
-- has no rate, they are processed like simple ones.

-- Their marks.
local GATED = '-----y-'
-- Their links: nothing before the way, its flags, and the pass (`way.lua`).
local SINGLE = '>c12BI2c0Bdddd'
local NOTHING = string.rep('\0', 12)

-- Flags of the way, the gate, flags and place of the pass, and its terms; nil for other links.
local function read_single(text)
  if text and #text > 48 and #text == 48 + 256 * byte(text, 14) + byte(text, 15) then
    local before, flags, name, bits, place, parallel, rate, period = parse(SINGLE, text)
    if before == NOTHING then
      return flags, name, bits, place, parallel, rate, period
    end
  end
end

local function single_text(flags, name, bits, place, parallel, rate, period)
  return pack(SINGLE, NOTHING, flags, #name, name, bits, place, parallel, rate, period)
end

-- The links of the jobs that are marked so, by index.
local function links_of_gated(ids, heads)
  local some, at, links = {}, {}, {}
  for i = 1, #ids do
    if heads[i] and sub(heads[i], 4, 10) == GATED then
      local n = #some + 1
      some[n], at[n] = ids[i], i
    end
  end
  local found = #some > 0 and call('HMGET', P .. 'links', unpack(some)) or some
  for n = 1, #some do
    links[at[n]] = found[n]
  end
  return links
end
