-- Stores an entry; evicts the least recently used ones over the maximum.
-- KEYS: used, the prefix of entries' keys. ARGV: digest, now, entry, keep (ms), most.
redis.call('SET', KEYS[2] .. ARGV[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5])
if over > 0 then
  local gone = redis.call('ZPOPMIN', KEYS[1], math.min(over, 100))
  for n = 1, #gone, 2 do
    redis.call('DEL', KEYS[2] .. gone[n])
  end
end
