-- Checks, one after the other: each charges all its demands, or none when one
-- of them does not fit.
--
-- KEYS     the counters, each once
-- ARGV[1]  MessagePack: numbers in a row. First the rules, each once: how many,
--          and of each the algorithm and its three numbers. Then the checks: of
--          each now and the number of demands, and of each demand its counter's
--          place in KEYS, where its rule begins in the row, and the cost (0 only
--          looks)
--
-- Returns the counters as they were: struct "<ddd" of at, used and before, or
-- nil where there is none. Whoever asked does the same sums to learn what was
-- decided; they are those of rule.rs. Instants are in milliseconds, and no
-- number exceeds 2^53, up to which Lua's are exact.
local SLIDING, BUCKET, SLACK = 2, 3, 60000
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

-- The counters by their place in KEYS; `ends` of those that were charged.
local ats, useds, befores, ends = {}, {}, {}, {}
for i = 1, #KEYS do
  if raws[i] then
    ats[i], useds[i], befores[i] = unstruct('<ddd', raws[i])
  end
end

-- What a check makes of its counters.
local key, at, used, before, last = {}, {}, {}, {}, {}

local row = cmsgpack.unpack(ARGV[1])
local i = 2 + 4 * row[1]
while i <= #row do
  local now, demands, fits = row[i], row[i + 1], true
  i = i + 2
  for d = 1, demands do
    local k, rule, cost = row[i], row[i + 1], row[i + 2]
    i = i + 3
    local algorithm, a, b = row[rule], row[rule + 1], row[rule + 2]
    local t, u, w, left = ats[k], useds[k], 0
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
      left = a * c - u
      -- A larger cost may not be counted exactly in the bucket's parts.
      if cost > a then
        fits = false
      end
      u = u + cost * c
      left = left - cost * c
      last[d] = t + ceil(u / b)
    else
      local start = now - now % b
      if t and t >= start and t - now <= b + SLACK then
        w = befores[k]
      elseif t and algorithm == SLIDING and t == start - b then
        t, u, w = start, 0, u
      else
        t, u = start, 0
      end
      left = a - u
      last[d] = t + b
      if algorithm == SLIDING then
        left = left - ceil(w * (b - (now > t and now - t or 0)) / b)
        last[d] = t + 2 * b
      end
      left = left - cost
      u = u + cost
    end
    if cost > 0 and left < 0 then
      fits = false
    end
    key[d], at[d], used[d], before[d] = cost > 0 and k, t, u, w
  end
  if fits then
    for d = 1, demands do
      local k = key[d]
      if k then
        ats[k], useds[k], befores[k], ends[k] = at[d], used[d], before[d], last[d] - now
      end
    end
  end
end

-- Whole seconds, up: to write a number out takes longer than all else, and so
-- few of them differ.
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
