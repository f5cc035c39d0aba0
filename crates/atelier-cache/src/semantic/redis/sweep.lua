-- Removes expired jobs. Returns how many.
-- KEYS: number, order, records, ends. ARGV: now (ms), limit.
local jobs = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
if #jobs > 0 then
  redis.call('ZREM', KEYS[2], unpack(jobs))
  redis.call('HDEL', KEYS[3], unpack(jobs))
  redis.call('ZREM', KEYS[4], unpack(jobs))
end
return #jobs
