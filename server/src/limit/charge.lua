-- Charges every demand, or none when one of them does not fit.
--
-- KEYS  a counter for each demand: a hash of start, ends, used
-- ARGV  now; then for each demand: where the window begins that now lies in,
--       its length, the quota, the cost (0 only looks)
--
-- Returns start and used of each counter as they were, nil where there is
-- none. Instants and lengths are in milliseconds. No sum exceeds 2^53, up to
-- which Lua's numbers are exact.
local now = tonumber(ARGV[1])
-- A counter outlives its window by this, for clocks that are behind.
local SLACK = 60000
local before, after, fits = {}, {}, true

for i, key in ipairs(KEYS) do
  local start, length = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
  local quota, cost = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local used = 0
  before[i] = redis.call('HMGET', key, 'start', 'used')
  local stored = tonumber(before[i][1])
  -- A later window stands when the clock went backwards.
  if stored and stored >= start then
    start, used = stored, tonumber(before[i][2])
  end
  fits = fits and cost <= quota - used
  after[i] = { start = start, ends = start + length, used = used + cost, cost = cost }
end

if fits then
  for i, key in ipairs(KEYS) do
    local window = after[i]
    if window.cost > 0 then
      redis.call('HSET', key,
        'start', string.format('%.0f', window.start),
        'ends', string.format('%.0f', window.ends),
        'used', string.format('%.0f', window.used))
      redis.call('PEXPIRE', key, string.format('%.0f', window.ends - now + SLACK))
    end
  end
end

return before
