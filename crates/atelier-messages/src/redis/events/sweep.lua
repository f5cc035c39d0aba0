-- Deletes an owner's first events. Returns how many.
-- KEYS: the prefix of every key. ARGV: owner, up to which id, limit.
local key = KEYS[1] .. ':events:' .. ARGV[1]
local old = math.min(redis.call('ZLEXCOUNT', key, '-', '(' .. ARGV[2]), tonumber(ARGV[3]))
if old > 0 then
  redis.call('ZREMRANGEBYRANK', key, 0, old - 1)
end
if redis.call('EXISTS', key) == 0 then
  redis.call('SREM', KEYS[1] .. ':owners', ARGV[1])
end
return old
