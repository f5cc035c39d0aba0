-- Gives back what was charged in a window that has not passed.
--
-- KEYS  a counter for each receipt: a hash of start, ends, used
-- ARGV  now; then for each receipt: the start of the window that was charged,
--       the cost
local now = tonumber(ARGV[1])

for i, key in ipairs(KEYS) do
  local charged, cost = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local window = redis.call('HMGET', key, 'start', 'ends', 'used')
  local start, ends, used = tonumber(window[1]), tonumber(window[2]), tonumber(window[3])
  if start == charged and ends > now then
    redis.call('HSET', key, 'used', string.format('%.0f', math.max(0, used - cost)))
  end
end
