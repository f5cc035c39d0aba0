-- Checks, one after the other: each charges all its demands, or none when one
-- of them does not fit.
--
-- KEYS[1]  what every counter's key begins with, up to the hash tag
-- ARGV     the checks: struct "<dB" of now and the number of demands, then for
--          each demand "<BddddHc0": the algorithm, its three numbers, the cost
--          (0 only looks), and the counter's name with its length
--
-- Returns each counter as it was, in the order of the demands: struct "<ddd"
-- of at, used and before, or nil where there is none. The arithmetic is that
-- of rule.rs; instants are in milliseconds, and no number exceeds 2^53, up to
-- which Lua's are exact.
local FIXED, SLIDING, BUCKET = 1, 2, 3
local SLACK = 60000
local call, pack, unpack = redis.call, struct.pack, struct.unpack
local ceil, max = math.ceil, math.max
local prefix = KEYS[1] .. ':'

-- A window as time alone has made it.
local function window(algorithm, length, raw, now)
  local start = now - now % length
  if raw then
    local at, used, before = unpack('<ddd', raw)
    if at >= start and at - now <= length + SLACK then
      return at, used, before
    elseif algorithm == SLIDING and at == start - length then
      return start, 0, used
    end
  end
  return start, 0, 0
end

-- A bucket as time alone has made it.
local function bucket(size, refill, period, raw, now)
  if not raw then
    return now, 0, 0
  end
  local at, used = unpack('<ddd', raw)
  if at - now > ceil(size * period / refill) + SLACK then
    return now, used, 0
  end
  return max(at, now), max(0, used - max(0, now - at) * refill), 0
end

-- The state after the cost, and from when on it says nothing; nil when the
-- cost does not fit.
local function charge(algorithm, a, b, c, cost, raw, now)
  if algorithm == BUCKET then
    local at, used = bucket(a, b, c, raw, now)
    if cost > a or cost * c > max(0, a * c - used) then
      return nil
    end
    used = used + cost * c
    return at, used, 0, at + ceil(used / b)
  end
  local at, used, before = window(algorithm, b, raw, now)
  local left, ends = max(0, a - used), at + b
  if algorithm == SLIDING then
    local elapsed = max(0, now - at)
    left, ends = max(0, left - ceil(before * (b - elapsed) / b)), ends + b
  end
  if cost > left then
    return nil
  end
  return at, used + cost, before, ends
end

local answer, n = {}, 0
for _, check in ipairs(ARGV) do
  local now, demands, from = unpack('<dB', check)
  local writes, fits = {}, true
  for _ = 1, demands do
    local algorithm, a, b, c, cost, name, following = unpack('<BddddHc0', check, from)
    from = following
    local key = prefix .. name
    local raw = call('GET', key)
    n = n + 1
    answer[n] = raw
    if fits then
      local at, used, before, ends = charge(algorithm, a, b, c, cost, raw, now)
      if not at then
        fits = false
      elseif cost > 0 then
        writes[#writes + 1] = { key, pack('<ddd', at, used, before), ends - now + SLACK }
      end
    end
  end
  if fits then
    for i = 1, #writes do
      local write = writes[i]
      call('SET', write[1], write[2], 'PX', write[3])
    end
  end
end
return answer
