-- Runs checks in order: each charges all its demands, or none if one of them does
-- not fit.
--
-- KEYS     the counters, without duplicates
-- ARGV[1]  MessagePack: a row of numbers. First the rules, without duplicates: their
--          number, and for each the algorithm and its three numbers. Then the checks:
--          for each now and the number of demands, and for each demand its counter's
--          index in KEYS, the index of its rule in the row, and the cost (0 only
--          looks)
--
-- Returns the counters as they were: struct "<ddd" of at, used and before, or
-- nil if there is none. The caller recomputes the decisions from them, by the arithmetic
-- of rule.rs. Instants are in milliseconds, and no number exceeds 2^53, up to which Lua's
-- are exact.
local SLIDING, BUCKET, MONTH, SLACK = 2, 3, 4, 60000
local call, pack, unstruct = redis.call, struct.pack, struct.unpack
local ceil = math.ceil

local raws = {}
for first = 1, #KEYS, 1000 do
  local found = call('MGET', unpack(KEYS, first, math.min(first + 999, #KEYS)))
  if first == 1 then
    raws = found
  else
    for i = 1, #found do
      raws[first + i - 1] = found[i]
    end
  end
end

-- The counters by their index in KEYS; `ends` of those that were charged.
local ats, useds, befores, ends = {}, {}, {}, {}
for i = 1, #KEYS do
  -- A counter of another length is damaged, and ignored.
  if raws[i] and #raws[i] == 24 then
    ats[i], useds[i], befores[i] = unstruct('<ddd', raws[i])
  end
end

-- The counters before the present check, to be restored if it does not fit.
local places, old_ats, old_useds, old_befores, old_ends = {}, {}, {}, {}, {}

local row = cmsgpack.unpack(ARGV[1])
local i, length = 2 + 4 * row[1], #row
while i < length do
  local now, demands, fits, charged = row[i], row[i + 1], true, 0
  local following = i + 2 + 3 * demands
  i = i + 2
  while fits and i < following do
    local k, rule, cost = row[i], row[i + 1], row[i + 2]
    i = i + 3
    -- A cost of 0 always fits.
    if cost > 0 then
      local algorithm, a, b = row[rule], row[rule + 1], row[rule + 2]
      local t, u, w, left, ending = ats[k], useds[k], 0, 0, 0
      if algorithm == BUCKET then
        local c = row[rule + 3]
        if not t then
          t, u = now, 0
        elseif t <= now then
          u = u - (now - t) * b
          t = now
          if u < 0 then
            u = 0
          end
        elseif t - now > ceil(a * c / b) + SLACK then
          t = now
        end
        -- A larger cost may not be counted exactly in the bucket's parts.
        left = cost <= a and a * c - u - cost * c or -1
        u = u + cost * c
        ending = t + ceil(u / b)
      else
        -- Months differ in length: a rule has the start of the present one.
        local start = algorithm == MONTH and row[rule + 3] or now - now % b
        if t and t >= start and t - now <= b + SLACK then
          w = befores[k]
        elseif t and algorithm == SLIDING and t == start - b then
          t, u, w = start, 0, u
        else
          t, u = start, 0
        end
        -- Not computed from the sum, which may be rounded.
        left = a - u - cost
        u = u + cost
        ending = t + b
        if algorithm == SLIDING then
          if w > 0 then
            left = left - ceil(w * (b - (now > t and now - t or 0)) / b)
          end
          ending = ending + b
        end
      end
      if left < 0 then
        fits = false
      else
        charged = charged + 1
        places[charged], old_ats[charged], old_useds[charged] = k, ats[k], useds[k]
        old_befores[charged], old_ends[charged] = befores[k], ends[k]
        ats[k], useds[k], befores[k], ends[k] = t, u, w, ending - now
      end
    end
  end
  if not fits then
    for d = 1, charged do
      local k = places[d]
      ats[k], useds[k], befores[k] = old_ats[d], old_useds[d], old_befores[d]
      ends[k] = old_ends[d]
    end
  end
  i = following
end

-- Rounded up to seconds: formatting numbers is the most expensive part, and so few
-- of them differ.
local seconds = {}
for k, left in pairs(ends) do
  local ttl = ceil((left + SLACK) / 1000)
  local text = seconds[ttl]
  if not text then
    text = string.format('%d', ttl)
    seconds[ttl] = text
  end
  call('SET', KEYS[k], pack('<ddd', ats[k], useds[k], befores[k]), 'EX', text)
end
return raws
